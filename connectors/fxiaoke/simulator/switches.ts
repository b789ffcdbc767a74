/** What the manual leaves open, as switches: the defaults are the likelier readings, the tests try the others. */

export interface FxiaokeSwitches {
  /** Invalidated rows in a query: never, always, or only when life_status or is_deleted is filtered on. */
  invalidRows: "hidden" | "shown" | "filtered";
  /** A get of a purged id: a text that says so, one that says nothing, or an answer without data. */
  purgedGet: "error" | "unclear" | "empty";
  /** A get of a record that the acting user may not see: a refusal, or the answer of a purged one. */
  concealedGet: "refused" | "as-purged";
  /** Code of business failures; the manual publishes none. */
  failureCode: 500 | 32000;
  limitAbove: "clamp" | "reject";
  oddOffset: "reject" | "round";
  /** Approval flows of the tenant: writes with triggerApprovalFlow wait for `approve`. */
  approval: "off" | "on";
  /** A workflow that touches each record after an API write, as the system user; `always` pays no heed to triggerWorkFlow. */
  workflow: "off" | "on" | "always";
  duplicateName: "off" | "reject";
  customDataId: "present" | "absent";
  /** How long a query shows the state before. */
  indexLagMs: number;
  throttleCalls: number;
  throttleCode: 30004 | 14001;
  /** Calls a day until 30002. */
  dailyCalls: number;
  /** `none`: no pack was bought, every call answers 30003. */
  quota: "bought" | "none";
  ownerMovesTime: boolean;
  traceRequired: boolean;
  /** Creates are done, but their answer is lost. */
  loseReplies: boolean;
  /** Whether writes through the API send events too. */
  eventEcho: boolean;
  /** The eventType of an invalidated record. */
  invalidEvent: "invalid" | "update" | "delete";
  eventRetry: "one" | "several" | "out-of-order" | "duplicates";
  /** Share of new ids in the old form of 32 hex characters. */
  longIdShare: number;
  /** Modified times are rounded down to a multiple of this, to force ties. */
  tieMs: number;
  crossedPaths: "reject" | "tolerate";
  /** Whether `includeNull` shows empty fields. */
  nullsShown: boolean;
  /** Objects that the acting user has no right to. */
  forbiddenObjects: ReadonlyArray<string>;
  /** Every acting user has left: calls answer that there is no such employee. */
  actorLeft: boolean;
  /** Fields that the tenant requires beside those of the platform. */
  requiredFields: ReadonlyArray<string>;
  /** Whether the app may read the address book; without the right it looks empty. */
  directory: "whole" | "empty";
  /** Fields that the acting user may not see. */
  hiddenFields: ReadonlyArray<string>;
  /** Whether the directory names employees as the auth style's records do, or always as FSUID_…. */
  directoryIds: "style" | "open";
  sourceIp: "listed" | "unlisted";
  dateHeader: boolean;
}

export const defaultSwitches: FxiaokeSwitches = {
  invalidRows: "hidden",
  purgedGet: "error",
  concealedGet: "refused",
  failureCode: 500,
  limitAbove: "clamp",
  oddOffset: "reject",
  approval: "off",
  workflow: "off",
  duplicateName: "off",
  customDataId: "present",
  indexLagMs: 0,
  throttleCalls: 100,
  throttleCode: 30004,
  dailyCalls: 100_000,
  quota: "bought",
  ownerMovesTime: true,
  traceRequired: false,
  loseReplies: false,
  eventEcho: true,
  invalidEvent: "invalid",
  eventRetry: "one",
  longIdShare: 0,
  tieMs: 1,
  crossedPaths: "reject",
  nullsShown: true,
  forbiddenObjects: [],
  actorLeft: false,
  requiredFields: [],
  directory: "whole",
  hiddenFields: [],
  directoryIds: "style",
  sourceIp: "listed",
  dateHeader: true,
};
