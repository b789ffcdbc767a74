/** What a changed YAML changes in a running hub: told before it is done, and done connection by connection. */
import { isDeepStrictEqual } from "node:util";
import type { ConnectionConfig, HubConfig } from "../config/hub-config.ts";
import type { ReloadPlan } from "./service.ts";

const connectionKeys = [
  "use",
  "config",
  "pull",
  "push",
  "webhook",
  "deletes",
  "deleteAgainstUpdate",
  "duplicates",
  "quarantineMs",
  "map",
  "key",
  "create",
  "owners",
  "defaultOwner",
  "country",
  "currency",
  "limits",
  "brake",
  "lookbackMs",
  "timeoutMs",
] as const satisfies ReadonlyArray<keyof ConnectionConfig>;

/** In people's words where the key's own name is not the one in the YAML. */
const words: Readonly<Partial<Record<(typeof connectionKeys)[number], string>>> = {
  config: "its address or credentials",
  quarantineMs: "quarantine",
  lookbackMs: "lookback",
  timeoutMs: "timeout",
};

export function reloadPlan(before: HubConfig, after: HubConfig): ReloadPlan {
  const old = new Map(before.connections.map((one) => [one.name, one]));
  const names = new Set(after.connections.map((one) => one.name));
  const changed = after.connections.flatMap((one) => {
    const known = old.get(one.name);
    if (known === undefined) return [];
    const what = connectionKeys
      .filter((key) => !isDeepStrictEqual(known[key], one[key]))
      .map((key) => words[key] ?? key);
    return what.length === 0 ? [] : [{ connection: one.name, what }];
  });
  const hub: Array<string> = [];
  const needsRestart: Array<string> = [];
  for (const key of ["name", "country", "currency", "timeZone"] as const)
    if (before.hub[key] !== after.hub[key]) hub.push(`hub.${key}`);
  if (before.hub.store !== after.hub.store) needsRestart.push("hub.store");
  for (const key of Object.keys(after.serve) as Array<keyof HubConfig["serve"]>)
    if (!isDeepStrictEqual(before.serve[key], after.serve[key])) needsRestart.push(`serve.${key}`);
  if (!isDeepStrictEqual(before.policy, after.policy)) hub.push("policy");
  if (!isDeepStrictEqual(before.match, after.match)) hub.push("match");
  if (!isDeepStrictEqual(before.model, after.model)) hub.push("fields");
  if (!isDeepStrictEqual(before.alerts, after.alerts)) hub.push("alerts");
  const order = (config: HubConfig) =>
    config.connections.map((one) => one.name).filter((name) => old.has(name) && names.has(name));
  if (!isDeepStrictEqual(order(before), order(after))) hub.push("the order of the connections");
  return {
    added: after.connections.filter((one) => !old.has(one.name)).map((one) => one.name),
    gone: before.connections.filter((one) => !names.has(one.name)).map((one) => one.name),
    changed,
    hub,
    needsRestart,
  };
}

/** Connections that must be connected anew: their own keys changed, or the model did that their maps stand on. */
export function toRestart(plan: ReloadPlan, after: HubConfig): ReadonlySet<string> {
  const all = plan.hub.includes("fields") || plan.hub.some((key) => key.startsWith("hub."));
  if (all) return new Set(after.connections.map((one) => one.name));
  return new Set([...plan.changed.map((one) => one.connection), ...plan.added]);
}
