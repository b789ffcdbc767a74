/** The YAML keys of a Fxiaoke connection, and the settings that they make with the defaults filled in. */
import { type Entity, Schema } from "../../core/connector.ts";

const described = <S extends Schema.Top>(schema: S, description: string) => schema.annotate({ description });

const minuteMs = 60_000;

/** The vendor's manual: query results may trail a write, so the window ends at least this long before now. */
export const lagMsMin = minuteMs;
export const overlapMsMin = 5 * minuteMs;

export const authStyles = ["app_secret", "legacy"] as const;
export type AuthStyle = (typeof authStyles)[number];

const Secret = Schema.String.check(Schema.isMinLength(1));

export const Config = Schema.Struct({
  baseUrl: Schema.optionalKey(
    described(
      Schema.String.check(Schema.isPattern(/^https?:\/\/[^/\s]+\/?$/)),
      "Address of the tenant's cloud, such as https://open.fxiaoke.com (default) or https://open-hwcloud.fxiaoke.com.",
    ),
  ),
  auth: described(
    Schema.Struct({
      style: Schema.optionalKey(
        described(
          Schema.Literals(authStyles),
          "app_secret (default) sends the token in headers; legacy sends corpAccessToken in the body, for apps made before the change.",
        ),
      ),
      appId: described(Secret, "AppId of the 企业自建应用, FSAID_…"),
      appSecret: described(Secret, "AppSecret of the 企业自建应用."),
      permanentCode: described(Secret, "Permanent authorisation code (永久授权码) of the 企业自建应用."),
    }),
    "Credentials of the app made in the vendor's admin console.",
  ),
  aesKey: Schema.optionalKey(
    described(
      Schema.String.check(
        Schema.isPattern(/^[A-Za-z0-9+/]{43}=$/, { expected: "the base64 text of 32 bytes, 44 characters" }),
      ),
      "Key of the tenant's event subscription (事件变更订阅), as shown there; needed for webhook: true.",
    ),
  ),
  userId: Schema.optionalKey(
    described(
      Schema.String.check(Schema.isMinLength(1)),
      "Employee that acts for the hub: the employee id such as 1000 with app_secret, FSUID_… with legacy.",
    ),
  ),
  mobile: Schema.optionalKey(
    described(
      Schema.String.check(Schema.isMinLength(1)),
      "Mobile number of the acting employee, looked up once; with legacy only.",
    ),
  ),
  objects: Schema.optionalKey(
    described(
      Schema.Struct({
        account: Schema.optionalKey(described(Schema.String, "Object of accounts; AccountObj unless said.")),
        contact: Schema.optionalKey(described(Schema.String, "Object of contacts; ContactObj unless said.")),
      }),
      "Api names of the objects; a name that ends in __c is a custom object.",
    ),
  ),
  recordType: Schema.optionalKey(described(Schema.String, "Record type of new records; default__c unless said.")),
  deleteMode: Schema.optionalKey(
    described(
      Schema.Literals(["invalid", "purge"]),
      "invalid (default) moves a deleted record to the recycle bin (作废); purge then deletes it for good.",
    ),
  ),
  triggerApprovalFlow: Schema.optionalKey(
    described(Schema.Boolean, "Lets writes start approval flows; false unless said."),
  ),
  triggerWorkFlow: Schema.optionalKey(described(Schema.Boolean, "Lets writes start workflows; false unless said.")),
  duplicateSearch: Schema.optionalKey(
    described(Schema.Boolean, "Runs the tenant's duplicate rule (查重) on creates; true unless said."),
  ),
  convertUserId: Schema.optionalKey(
    described(Schema.Boolean, "With app_secret: employees are FSUID_… values in records; only if check asks for it."),
  ),
  lagMs: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isGreaterThanOrEqualTo(lagMsMin)),
      "How long before now a pull's window ends, in milliseconds; 60000 unless said.",
    ),
  ),
  overlapMs: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isGreaterThanOrEqualTo(overlapMsMin)),
      "How far a pull's window reaches back behind the last one, in milliseconds; 300000 unless said.",
    ),
  ),
  indexLagMs: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
      "How long queries may show an older state than a read by id, in milliseconds; 5000 unless said.",
    ),
  ),
  timeFilter: Schema.optionalKey(
    described(
      Schema.Literals(["pair", "between"]),
      "How a window is asked for: two filters on the time field (pair, default) or one BETWEEN.",
    ),
  ),
  dailyCalls: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isGreaterThan(0)),
      "Calls a day that the purchased packs allow; 100000 unless said. The hub stops at nine tenths of it.",
    ),
  ),
}).check(
  Schema.makeFilter((config) => {
    const legacy = config.auth.style === "legacy";
    if (!legacy && config.userId === undefined)
      return "userId is needed: the employee id of the acting user, such as 1000";
    if (!legacy && config.mobile !== undefined) return "mobile works with auth.style: legacy only; give userId";
    if (legacy && config.userId === undefined && config.mobile === undefined)
      return "userId (FSUID_…) or mobile is needed";
    return undefined;
  }),
);

export type Config = typeof Config.Type;

/** The configuration with its defaults. */
export interface Settings {
  readonly baseUrl: string;
  readonly auth: {
    readonly style: AuthStyle;
    readonly appId: string;
    readonly appSecret: string;
    readonly permanentCode: string;
  };
  readonly aesKey: string | undefined;
  readonly userId: string | undefined;
  readonly mobile: string | undefined;
  readonly objects: Readonly<Record<Entity, string>>;
  readonly recordType: string;
  readonly deleteMode: "invalid" | "purge";
  readonly triggerApprovalFlow: boolean;
  readonly triggerWorkFlow: boolean;
  readonly duplicateSearch: boolean;
  readonly convertUserId: boolean;
  readonly lagMs: number;
  readonly overlapMs: number;
  readonly indexLagMs: number;
  readonly timeFilter: "pair" | "between";
  readonly dailyCalls: number;
}

export function settingsOf(config: Config): Settings {
  return {
    baseUrl: (config.baseUrl ?? "https://open.fxiaoke.com").replace(/\/$/, ""),
    auth: { ...config.auth, style: config.auth.style ?? "app_secret" },
    aesKey: config.aesKey,
    userId: config.userId,
    mobile: config.mobile,
    objects: { account: config.objects?.account ?? "AccountObj", contact: config.objects?.contact ?? "ContactObj" },
    recordType: config.recordType ?? "default__c",
    deleteMode: config.deleteMode ?? "invalid",
    triggerApprovalFlow: config.triggerApprovalFlow ?? false,
    triggerWorkFlow: config.triggerWorkFlow ?? false,
    duplicateSearch: config.duplicateSearch ?? true,
    convertUserId: config.convertUserId ?? false,
    lagMs: config.lagMs ?? lagMsMin,
    overlapMs: config.overlapMs ?? overlapMsMin,
    indexLagMs: config.indexLagMs ?? 5_000,
    timeFilter: config.timeFilter ?? "pair",
    dailyCalls: config.dailyCalls ?? 100_000,
  };
}

/** The path family goes by the object's name: custom objects end in `__c`. */
export const isCustom = (object: string): boolean => object.endsWith("__c");

export type Action = "query" | "get" | "create" | "update" | "invalid" | "delete" | "recover" | "changeOwner";

export const actionPath = (object: string, action: Action): string =>
  isCustom(object) ? `/cgi/crm/custom/v2/data/${action}` : `/cgi/crm/v2/data/${action}`;

export const paths = {
  legacyToken: "/cgi/corpAccessToken/get/V2",
  token: "/oauth2.0/token",
  userByMobile: "/cgi/user/getByMobile",
  userList: "/cgi/user/list",
  describe: "/cgi/crm/v2/object/describe",
} as const;
