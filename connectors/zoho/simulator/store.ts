/** The records, the recycle bin and their times: whole seconds, and ids beyond 2^53. */

import { type Module, moduleNames, nameFields, type Schema, screenUser } from "./tenant.ts";
import { isJson, type Json } from "./wire.ts";

export interface Row {
  readonly id: string;
  readonly createdAt: number;
  readonly createdBy: string;
  modifiedAt: number;
  modifiedBy: string;
  values: Json;
  /** In approval or merge: writes are refused. */
  locked: boolean;
  /** Out of the API user's sight. */
  hidden: boolean;
}

export interface Grave {
  readonly row: Row;
  type: "recycle" | "permanent";
  at: number;
  readonly by: string;
}

export interface Change {
  readonly module: Module;
  readonly operation: "insert" | "update" | "delete";
  readonly id: string;
  readonly values: Json;
}

export interface StoreOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly schema: Schema;
  readonly note: (change: Change) => void;
  readonly restoreMovesTime: boolean;
}

const dayMs = 86_400_000;
const recycleMs = 60 * dayMs;
const permanentMs = 120 * dayMs;

export type Store = ReturnType<typeof createStore>;

export function createStore({ now, random, schema, note, restoreMovesTime }: StoreOptions) {
  const live: Record<Module, Map<string, Row>> = { Accounts: new Map(), Contacts: new Map() };
  const graves: Record<Module, Map<string, Grave>> = { Accounts: new Map(), Contacts: new Map() };
  let lastId = 5_000_000_000_000_300_000n;
  let frozenAt: number | undefined;

  const stamp = (): number => frozenAt ?? Math.floor(now() / 1000) * 1000;
  const nextId = (): string => {
    lastId += BigInt(1 + Math.floor(random() * 9));
    return String(lastId);
  };

  const fullName = (module: Module, values: Json): Json =>
    module === "Contacts"
      ? { Full_Name: [values.First_Name, values.Last_Name].filter((part) => typeof part === "string").join(" ") }
      : {};

  const create = (module: Module, values: Json, by: string): Row => {
    const at = stamp();
    const blank = Object.fromEntries(
      [...schema[module].values()]
        .filter(({ system }) => system !== true)
        .map(({ name, type }) => [name, type === "boolean" ? false : name === "Tag" ? [] : null]),
    );
    const merged: Json = { ...blank, Owner: { id: by }, ...values };
    const row: Row = {
      id: nextId(),
      createdAt: at,
      createdBy: by,
      modifiedAt: at,
      modifiedBy: by,
      values: { ...merged, ...fullName(module, merged) },
      locked: false,
      hidden: false,
    };
    live[module].set(row.id, row);
    note({ module, operation: "insert", id: row.id, values });
    return row;
  };

  const change = (module: Module, id: string, values: Json, by: string): Row => {
    const row = rowOf(module, id);
    const merged: Json = { ...row.values, ...values };
    row.values = { ...merged, ...fullName(module, merged) };
    row.modifiedAt = stamp();
    row.modifiedBy = by;
    note({ module, operation: "update", id, values });
    return row;
  };

  const rowOf = (module: Module, id: string): Row => {
    const row = live[module].get(id);
    if (row === undefined) throw new Error(`no live record ${id} in ${module}`);
    return row;
  };

  const remove = (module: Module, id: string, by: string): void => {
    const row = rowOf(module, id);
    live[module].delete(id);
    graves[module].set(id, { row, type: "recycle", at: stamp(), by });
    // Lookups to a deleted record are emptied, without touching the records that hold them.
    for (const other of moduleNames) {
      for (const held of live[other].values()) {
        for (const [name, value] of Object.entries(held.values)) {
          if (schema[other].get(name)?.target === module && isJson(value) && value.id === id) held.values[name] = null;
        }
      }
    }
    note({ module, operation: "delete", id, values: { Record_Status__s: 0 } });
  };

  const restore = (module: Module, id: string): void => {
    const grave = graves[module].get(id);
    if (grave === undefined || grave.type === "permanent") throw new Error(`${id} is not in the recycle bin`);
    graves[module].delete(id);
    live[module].set(id, grave.row);
    if (restoreMovesTime) grave.row.modifiedAt = stamp();
  };

  const purge = (module: Module, id: string): void => {
    const grave = graves[module].get(id);
    if (grave === undefined) throw new Error(`${id} is not in the recycle bin`);
    grave.type = "permanent";
    grave.at = stamp();
  };

  /** Children are deleted, the master takes their contacts and moves its time; nothing links child and master. */
  const merge = (module: Module, masterId: string, childIds: ReadonlyArray<string>, by: string): void => {
    if (module === "Accounts") {
      for (const contact of live.Contacts.values()) {
        const account = contact.values.Account_Name;
        if (isJson(account) && childIds.includes(String(account.id))) {
          change("Contacts", contact.id, { Account_Name: { id: masterId } }, by);
        }
      }
    }
    for (const id of childIds) remove(module, id, by);
    change(module, masterId, {}, by);
  };

  /** What the recycle bin kept for 60 days is then gone for good, and listed as such for 120 more. */
  const age = (module: Module): void => {
    for (const [id, grave] of graves[module]) {
      if (grave.type === "recycle" && now() - grave.at > recycleMs) {
        grave.type = "permanent";
        grave.at += recycleMs;
      }
      if (grave.type === "permanent" && now() - grave.at > permanentMs) graves[module].delete(id);
    }
  };

  return {
    create,
    change,
    remove,
    restore,
    purge,
    merge,
    stamp,
    freeze: () => {
      frozenAt ??= stamp();
    },
    thaw: () => {
      frozenAt = undefined;
    },
    rows: (module: Module): ReadonlyArray<Row> => [...live[module].values()],
    find: (module: Module, id: string): Row | undefined => live[module].get(id),
    /** As the API user sees it. */
    visible: (module: Module): ReadonlyArray<Row> => [...live[module].values()].filter(({ hidden }) => !hidden),
    seen: (module: Module, id: string): Row | undefined => {
      const row = live[module].get(id);
      return row?.hidden === true ? undefined : row;
    },
    graves: (module: Module): ReadonlyArray<Grave> => {
      age(module);
      return [...graves[module].values()];
    },
    nameOf: (module: Module, id: string): string => {
      const row = live[module].get(id) ?? graves[module].get(id)?.row;
      return String(row?.values[nameFields[module]] ?? "");
    },
    defaultUser: screenUser.id,
  };
}
