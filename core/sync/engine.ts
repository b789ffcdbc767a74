/** What every move is given: the open store, the connections that live in this process, the clock and the ids. */
import type { Clock, Connection, Connector, EntityMap } from "../connector.ts";
import type { Entity, Model } from "../model/field.ts";
import type { Settings, Side } from "../model/settings.ts";
import type { Store } from "../store/open.ts";
import type { Ids } from "./ids.ts";

export interface Brake {
  /** Share of the connection's records, 0 to 1. */
  readonly share: number;
  /** Below this many records nothing stops. */
  readonly records: number;
  readonly windowMs: number;
}

/** One connection of the YAML, ready to be used. */
export interface LiveConnection {
  readonly name: string;
  readonly connector: Connector;
  readonly api: Connection;
  readonly maps: Partial<Record<Entity, EntityMap>>;
  readonly sides: ReadonlyMap<Entity, Side>;
  readonly brake: Brake;
}

/** Something worth showing while a run is on. */
export type Progress =
  | { readonly kind: "pulled"; readonly connection: string; readonly entity: Entity; readonly records: number }
  | { readonly kind: "pushed"; readonly connection: string; readonly done: number; readonly left: number }
  | { readonly kind: "note"; readonly connection: string; readonly text: string };

export interface Engine {
  readonly store: Store;
  readonly model: Model;
  readonly settings: Settings;
  readonly connections: ReadonlyArray<LiveConnection>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly progress: (event: Progress) => void;
}

/** Accounts before contacts: a contact follows its account. */
export const entityOrder: ReadonlyArray<Entity> = ["account", "contact"];
