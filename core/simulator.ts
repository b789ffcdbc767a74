/**
 * The simulators' door: what a simulated vendor is given and what it must offer.
 *
 * A simulator speaks the vendor's wire protocol (a fetch handler, so that it can be mounted on a port or in a test),
 * refuses what the vendor refuses, and takes a fault plan. Beside the wire it offers `person`: the vendor's own
 * screen, so that tests and the demo can edit records as people do.
 */
import type { Entity } from "./model/field.ts";
import type { Faults } from "./simulator-faults.ts";
import type { Notices } from "./simulator-notices.ts";

export type { Entity } from "./model/field.ts";
export * as scim from "./scim/index.ts";
export {
  ConnectionCut,
  createFaults,
  createStrike,
  type FaultKind,
  type FaultPlan,
  type FaultRule,
  type Faults,
  faultKinds,
  type SimulatorClock,
  seededRandom,
} from "./simulator-faults.ts";
export { createNotices, type Notice, type NoticeAnswer, type Notices } from "./simulator-notices.ts";

/** The vendor's own screen: what people do there, in remote field names. Changes bump times and versions as at the vendor. */
export interface Screen {
  readonly create: (entity: Entity, fields: Readonly<Record<string, unknown>>) => string;
  readonly edit: (entity: Entity, id: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly remove: (entity: Entity, id: string) => void;
  readonly restore: (entity: Entity, id: string) => void;
  /** Merges children into the master as the vendor does: children are deleted, the master changes. */
  readonly merge: (entity: Entity, masterId: string, childIds: ReadonlyArray<string>) => void;
  /** The stored fields of a live record, or undefined. */
  readonly read: (entity: Entity, id: string) => Readonly<Record<string, unknown>> | undefined;
  /** Ids of live records, in order of creation. */
  readonly list: (entity: Entity) => ReadonlyArray<string>;
}

export interface Simulator {
  /** Answers one HTTP call; throws ConnectionCut where the plan cuts the connection. */
  readonly fetch: (request: Request) => Promise<Response>;
  readonly screen: Screen;
  readonly faults: Faults;
  /** The connection's YAML keys (without `use`) that reach this simulator at this base URL. */
  readonly connection: (baseUrl: string) => Readonly<Record<string, unknown>>;
  /** Calls answered so far, by "METHOD path" with ids cut off, and writes that took effect. */
  readonly traffic: () => { readonly calls: Readonly<Record<string, number>>; readonly writes: number };
  /** The calls that it makes to customers' addresses, where the vendor makes such calls. */
  readonly notices?: Notices;
  /** Sets whom it calls, as a person does at the vendor where that is so; returns the YAML keys that take its calls. */
  readonly hookTo?: (url: string) => Readonly<Record<string, unknown>>;
}
