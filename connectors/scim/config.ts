/** The YAML keys of a SCIM connection, and the settings that they make with the defaults and the named profile filled in. */
import { Schema } from "../../core/connector.ts";
import { knownOf, profileNames, type profiles } from "./profiles.ts";

const described = <S extends Schema.Top>(schema: S, description: string) => schema.annotate({ description });
const Secret = Schema.String.check(Schema.isMinLength(1));
const Address = Schema.String.check(Schema.isPattern(/^https?:\/\/[^/\s]+(\/\S*)?$/));

export const Config = Schema.Struct({
  baseUrl: described(Address, "Base URL of the provider, such as https://idp.acme.example/scim/v2."),
  auth: described(
    Schema.Struct({
      token: Schema.optionalKey(described(Secret, "Bearer token that an administrator of the provider has made.")),
      user: Schema.optionalKey(described(Secret, "User name, for HTTP Basic.")),
      password: Schema.optionalKey(described(Secret, "Password, for HTTP Basic.")),
      tokenUrl: Schema.optionalKey(described(Address, "Token endpoint, for OAuth client credentials.")),
      clientId: Schema.optionalKey(described(Secret, "Client id, for OAuth client credentials.")),
      clientSecret: Schema.optionalKey(described(Secret, "Client secret, for OAuth client credentials.")),
      scope: Schema.optionalKey(described(Schema.String, "Scope to ask for, for OAuth client credentials.")),
      header: Schema.optionalKey(described(Secret, "Name of another header that carries the secret.")),
      value: Schema.optionalKey(described(Secret, "Value of that header.")),
    }),
    "One of: token; user and password; tokenUrl, clientId and clientSecret; header and value.",
  ),
  profile: Schema.optionalKey(
    described(
      Schema.Literals(profileNames),
      "A known provider, whose ways are then taken as given; else they are found out.",
    ),
  ),
  accounts: Schema.optionalKey(
    described(
      Schema.Struct({
        endpoint: described(
          Schema.String.check(Schema.isPattern(/^\/[A-Za-z0-9._~-]+$/)),
          "Endpoint of the resources that are accounts: /Groups, or that of a type of your own.",
        ),
        schema: Schema.optionalKey(described(Schema.String, "URN of their schema; the core Group unless said.")),
        name: Schema.optionalKey(
          described(Schema.String, "Attribute that holds the account's name; displayName unless said."),
        ),
      }),
      "Resources that are accounts; without it only Users are read, as contacts.",
    ),
  ),
  deprovision: Schema.optionalKey(
    described(
      Schema.Literals(["deactivate", "delete", "ignore"]),
      "What a contact that was deleted elsewhere becomes here: active: false (deactivate, default), deleted, or nothing.",
    ),
  ),
  write: Schema.optionalKey(
    described(
      Schema.Literals(["auto", "patch", "put"]),
      "How records are changed; auto (default) patches where the provider says that it can.",
    ),
  ),
  etag: Schema.optionalKey(
    described(
      Schema.Boolean,
      "The provider guards writes by ETag, so that no write covers an edit that was not read; false unless said.",
    ),
  ),
  pageSize: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })),
      "Resources to ask for in one page; 100 unless said.",
    ),
  ),
}).check(
  Schema.makeFilter(({ auth }) => {
    const { token, user, password, tokenUrl, clientId, clientSecret, header, value } = auth;
    const ways = [token, user ?? password, tokenUrl ?? clientId ?? clientSecret, header ?? value];
    if (ways.filter((way) => way !== undefined).length !== 1) return "auth needs exactly one way to sign in";
    if ((user === undefined) !== (password === undefined)) return "auth.user and auth.password go together";
    if ((header === undefined) !== (value === undefined)) return "auth.header and auth.value go together";
    const client = [tokenUrl, clientId, clientSecret];
    if (client.some((one) => one !== undefined) && client.includes(undefined))
      return "auth.tokenUrl, auth.clientId and auth.clientSecret go together";
    return undefined;
  }),
);

export type Config = typeof Config.Type;

export type Auth =
  | { readonly kind: "header"; readonly name: string; readonly value: string }
  | {
      readonly kind: "client";
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | undefined;
    };

export interface Settings {
  readonly baseUrl: string;
  readonly auth: Auth;
  readonly profile: keyof typeof profiles;
  readonly accounts: { readonly endpoint: string; readonly schema: string; readonly name: string } | undefined;
  readonly deprovision: "deactivate" | "delete" | "ignore";
  readonly write: "auto" | "patch" | "put";
  readonly etag: boolean;
  readonly pageSize: number;
}

export const groupUrn = "urn:ietf:params:scim:schemas:core:2.0:Group";
export const userUrn = "urn:ietf:params:scim:schemas:core:2.0:User";
export const enterpriseUrn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

export function settingsOf(config: Config): Settings {
  const { accounts } = config;
  const profile = config.profile ?? "generic";
  const known = knownOf(profile);
  return {
    baseUrl: config.baseUrl.replace(/\/+$/, ""),
    auth: authOf(config.auth),
    profile,
    accounts:
      accounts === undefined
        ? undefined
        : { endpoint: accounts.endpoint, schema: accounts.schema ?? groupUrn, name: accounts.name ?? "displayName" },
    deprovision: config.deprovision ?? "deactivate",
    write: config.write ?? "auto",
    etag: config.etag ?? false,
    pageSize: config.pageSize ?? known.pageSize ?? 100,
  };
}

function authOf(auth: Config["auth"]): Auth {
  const { token, user, password, tokenUrl, clientId, clientSecret, scope, header, value } = auth;
  if (tokenUrl !== undefined && clientId !== undefined && clientSecret !== undefined) {
    return { kind: "client", tokenUrl, clientId, clientSecret, scope };
  }
  if (token !== undefined) return { kind: "header", name: "authorization", value: `Bearer ${token}` };
  if (header !== undefined && value !== undefined) return { kind: "header", name: header.toLowerCase(), value };
  const basic = Buffer.from(`${user ?? ""}:${password ?? ""}`).toString("base64");
  return { kind: "header", name: "authorization", value: `Basic ${basic}` };
}
