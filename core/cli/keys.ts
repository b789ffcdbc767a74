/** `keys`: who may use the HTTP API. A key is shown once, when it is made. */
import { durationMs } from "../config/duration.ts";
import type { HubConfig } from "../config/hub-config.ts";
import { createKey, revokeKey } from "../hub/keys.ts";
import { providersIn } from "../hub/provider.ts";
import { type Role, roleScopes, type Scope, scopesOf } from "../security/roles.ts";
import { type ApiKey, listKeys } from "../store/api-keys.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, withHub } from "./context.ts";
import { table } from "./table.ts";
import { timeText } from "./words.ts";

export interface CreateKeyOptions {
  readonly role: Role;
  readonly scopes: ReadonlyArray<Scope>;
  /** Such as `90d`. */
  readonly expires: string;
  /** What a provisioner pushes into. */
  readonly connection?: string;
}

/** For keys that end when they are revoked. */
const never = "never";

export async function createKeyCommand(
  cli: Cli,
  global: Global,
  name: string,
  { role, scopes, expires, connection }: CreateKeyOptions,
): Promise<number> {
  const lastsMs = expires === never ? null : durationMs(expires);
  if (lastsMs === null && expires !== never) {
    throw new CommandFailed(
      `${expires} is not a time.`,
      "Write how long the key lasts, such as 12h or 90d, or never.",
      exit.usage,
    );
  }
  const expiresAt = lastsMs === null ? null : cli.clock.now() + lastsMs;
  const extra = scopes.filter((scope) => !roleScopes[role].includes(scope));
  if ((role === "provisioner") !== (connection !== undefined)) {
    throw new CommandFailed(
      connection === undefined
        ? "A provisioner pushes into one connection, and none was named."
        : `A ${role} does not push into a connection.`,
      "Make a provisioner's key with --role provisioner --connection <name>.",
      exit.usage,
    );
  }
  const { key, text } = await withHub(cli, global, { mustExist: false }, (hub) => {
    if (connection !== undefined) requireProvider(hub.config, connection);
    return createKey(hub, cli.actor, {
      name,
      role,
      scopes: extra,
      expiresAt,
      ...(connection === undefined ? {} : { connection }),
    });
  });
  if (global.json) await printJson(cli, { ...key, key: text });
  else {
    const until = expiresAt === null ? "until it is revoked" : `until ${timeText(expiresAt)}`;
    await printLines(cli, [
      text,
      "",
      `${key.id} (${role}) for ${name}, ${until}. It may: ${scopesOf(role, extra).join(", ")}.`,
      ...(connection === undefined ? [] : [`It pushes into ${connection}: <the hub's address>/scim/v2/${connection}`]),
      "The key is shown this once. Send it as `Authorization: Bearer <key>`.",
    ]);
  }
  return exit.ok;
}

function requireProvider(config: HubConfig, name: string): void {
  const providers = providersIn(config).map((one) => one.name);
  if (providers.includes(name)) return;
  throw new CommandFailed(
    `${name} is no connection that an identity provider can push into.`,
    providers.length === 0 ? "Add one to the YAML: `use: scim-provider`." : `There are: ${providers.join(", ")}.`,
    exit.usage,
  );
}

const listMax = 10_000;

export async function listKeysCommand(cli: Cli, global: Global): Promise<number> {
  const keys = await withHub(cli, global, {}, (hub) => listKeys(hub.store, { limit: listMax }));
  if (global.json) await printJson(cli, { items: keys });
  else if (keys.length === 0)
    await printLines(cli, ["No keys. Make one: npx syncline keys create <name> --role viewer"]);
  else {
    const now = cli.clock.now();
    const rows = keys.map((key) => [
      key.id,
      key.name,
      [key.connection === null ? key.role : `${key.role} of ${key.connection}`, ...key.scopes].join(" + "),
      stateOf(key, now),
      timeText(key.createdAt),
      timeText(key.lastUsedAt),
    ]);
    await printLines(cli, table(["key", "for", "may", "state", "made", "last used"], rows, cli.columns));
  }
  return exit.ok;
}

function stateOf({ revokedAt, expiresAt }: ApiKey, now: number): string {
  if (revokedAt !== null) return `revoked ${timeText(revokedAt)}`;
  if (expiresAt === null) return "good";
  return expiresAt <= now ? `expired ${timeText(expiresAt)}` : `good until ${timeText(expiresAt)}`;
}

export async function revokeKeyCommand(cli: Cli, global: Global, id: string): Promise<number> {
  const isRevoked = await withHub(cli, global, {}, (hub) => revokeKey(hub, cli.actor, id));
  if (!isRevoked) {
    throw new CommandFailed(`There is no key ${id} that is not revoked yet.`, "List them with: npx syncline keys list");
  }
  if (global.json) await printJson(cli, { id, revoked: true });
  else await printLines(cli, [`Revoked ${id}: the next call with it is refused.`]);
  return exit.ok;
}
