/** Records and times as Zoho writes them: in the time zone of the user who owns the token, with its offset of that day. */
import type { Row, Store } from "./store.ts";
import { type Module, type Schema, users } from "./tenant.ts";
import { isJson, type Json } from "./wire.ts";

const hourMs = 3_600_000;

/** `yyyy-MM-ddTHH:mm:ss±HH:mm`; one answer can hold two offsets across a change to summer time. */
export function createClockFace(timeZone: string): (instant: number) => string {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  const offsets = new Map<number, string>();
  const offsetAt = (instant: number): string => {
    // Offsets change on quarters of an hour at the finest.
    const quarter = Math.floor(instant / (hourMs / 4));
    const known = offsets.get(quarter);
    if (known !== undefined) return known;
    const name = format.formatToParts(instant).find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
    const offset = name === "GMT" ? "+00:00" : name.slice(3);
    offsets.set(quarter, offset);
    return offset;
  };
  return (instant) => {
    const offset = offsetAt(instant);
    const sign = offset.startsWith("-") ? -1 : 1;
    const minutes = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6)));
    return `${new Date(instant + minutes * 60_000).toISOString().slice(0, 19)}${offset}`;
  };
}

export interface Renderer {
  readonly time: (instant: number) => string;
  readonly user: (id: string, withEmail?: boolean) => Json;
  /** The named fields of a row; names that the module does not have are ignored. */
  readonly fields: (module: Module, row: Row, names: Iterable<string>) => Json;
  readonly full: (module: Module, row: Row) => Json;
  /** One value, without names of what it points to. */
  readonly raw: (module: Module, row: Row, name: string) => unknown;
}

export interface RenderOptions {
  readonly store: Store;
  readonly schema: Schema;
  readonly timeZone: string;
  readonly hiddenFields: ReadonlySet<string>;
}

const listTextMax = 500;

export function createRenderer({ store, schema, timeZone, hiddenFields }: RenderOptions): Renderer {
  const time = createClockFace(timeZone);
  const user = (id: string, withEmail = true): Json => {
    const found = users.find((one) => one.id === id);
    return { name: found?.name ?? "", id, ...(withEmail ? { email: found?.email ?? "" } : {}) };
  };

  const raw = (module: Module, row: Row, name: string): unknown => {
    // A field that the profile hides is listed by the metadata all the same, and comes as null.
    if (hiddenFields.has(`${module}.${name}`)) return null;
    switch (name) {
      case "id":
        return row.id;
      case "Created_Time":
        return time(row.createdAt);
      case "Modified_Time":
      case "Change_Log_Time__s":
        return time(row.modifiedAt);
      case "Created_By":
        return { id: row.createdBy };
      case "Modified_By":
        return { id: row.modifiedBy };
      case "Locked__s":
        return row.locked;
      case "Record_Status__s":
        return "Available";
      default: {
        const value = row.values[name] ?? null;
        return typeof value === "number" && schema[module].get(name)?.type === "datetime" ? time(value) : value;
      }
    }
  };

  const shown = (module: Module, row: Row, name: string): unknown => {
    const value = raw(module, row, name);
    const field = schema[module].get(name);
    if (!isJson(value) || typeof value.id !== "string") return value;
    if (field?.type === "ownerlookup") return user(value.id);
    if (field?.target !== undefined) return { name: store.nameOf(field.target, value.id), id: value.id };
    return value;
  };

  const isRich = (module: Module, name: string): boolean => {
    const field = schema[module].get(name);
    return field?.type === "textarea" && (field.length ?? 0) >= 50_000;
  };

  return {
    time,
    user,
    raw,
    fields: (module, row, names) => {
      const record: Json = { id: row.id };
      for (const name of names) {
        if (!schema[module].has(name)) continue;
        const value = shown(module, row, name);
        record[name] = typeof value === "string" && isRich(module, name) ? value.slice(0, listTextMax) : value;
      }
      return record;
    },
    full: (module, row) => {
      const record: Json = { id: row.id };
      for (const name of schema[module].keys()) record[name] = shown(module, row, name);
      return {
        ...record,
        $approved: true,
        $approval: { delegate: false, takeover: false, approve: false, reject: false, resubmit: false },
        $approval_state: "approved",
        $editable: true,
        $locked_for_me: row.locked,
        $in_merge: false,
        $is_duplicate: false,
        $state: "save",
        $process_flow: false,
        $orchestration: null,
        $review: null,
        $review_process: { approve: false, reject: false, resubmit: false },
        $currency_symbol: "$",
        $field_states: null,
        $zia_owner_assignment: "owner_recommendation_unavailable",
        $has_more: {},
      };
    },
  };
}
