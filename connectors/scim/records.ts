/** A resource as a record of the hub. */
import type { BadRecord, RemoteRecord } from "../../core/connector.ts";
import type { Settings } from "./config.ts";
import { isTrue, type Json, member, textIn } from "./json.ts";
import { fieldOf } from "./places.ts";

export interface Reading {
  readonly settings: Settings;
  readonly endpoint: string;
  /** Names of fields to read. */
  readonly fields: ReadonlyArray<string>;
}

export function recordOf({ settings, endpoint, fields }: Reading, resource: Json): RemoteRecord | BadRecord {
  const id = textIn(resource, "id");
  if (id === undefined) {
    return {
      kind: "bad",
      where: `${settings.baseUrl}${endpoint}`,
      problem: "A resource came without an id.",
      remedy: "Look at it at the provider; every resource of SCIM has an id.",
    };
  }
  const meta = member(resource, "meta");
  const modifiedAt = secondOf(textIn(meta, "lastModified"));
  const createdAt = secondOf(textIn(meta, "created"));
  return {
    kind: "record",
    id,
    // A provider leaves empty attributes out, and hides none from a client with the right to them.
    fields: Object.fromEntries(fields.map((name) => [name, fieldOf(resource, name)])),
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(isLeftover(settings, endpoint, resource) ? { leftover: true as const } : {}),
  };
}

/** What a delete of ours leaves here. */
function isLeftover({ deprovision }: Settings, endpoint: string, resource: Json): boolean {
  if (endpoint !== "/Users") return false;
  const active = member(resource, "active");
  return deprovision === "ignore" || (deprovision === "deactivate" && active !== undefined && !isTrue(active));
}

/** Epoch milliseconds of the whole second. */
export function secondOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(at) ? undefined : Math.floor(at / 1000) * 1000;
}
