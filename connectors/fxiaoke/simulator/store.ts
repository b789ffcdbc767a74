/** The simulated tenant's records with the history that a lagging search index needs, and every change to them. */
import type { SimulatorClock } from "../../../core/simulator.ts";
import type { FxiaokeSwitches } from "./switches.ts";
import { objects, systemUser, tenant } from "./tenant.ts";

export type Row = Readonly<Record<string, unknown>>;

interface Stored {
  /** Undefined once purged. */
  row: Row | undefined;
  /** Earlier states with the instant until which they were the present one. */
  readonly before: Array<{ readonly until: number; readonly row: Row | undefined }>;
  /** Values that wait for an approval. */
  waiting: Row | undefined;
  /** The acting user may not see it. */
  concealed: boolean;
}

export interface StoreEvent {
  readonly type: "create" | "update" | "invalid" | "delete" | "recover";
  readonly object: string;
  readonly id: string;
  readonly at: number;
  readonly byApi: boolean;
}

/** Who changes a record, and when by the simulated clock. */
export interface Author {
  readonly userId: string;
  readonly at: number;
  readonly byApi: boolean;
}

export type Store = ReturnType<typeof createStore>;

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);

/** Empty fields are not kept, as in the vendor's answers. */
const laid = (row: Row, values: Row): Row =>
  Object.fromEntries(Object.entries({ ...row, ...values }).filter(([, value]) => !isEmpty(value)));

export function createStore(
  clock: SimulatorClock,
  random: () => number,
  switches: FxiaokeSwitches,
  onEvent: (event: StoreEvent) => void,
) {
  const tables = new Map<string, Map<string, Stored>>([...objects.keys()].map((object) => [object, new Map()]));
  let counter = 0;

  const table = (object: string): Map<string, Stored> => tables.get(object) ?? new Map();
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");

  const newId = (at: number): string => {
    counter += 1;
    if (random() < switches.longIdShare) return hex(32);
    const seconds = Math.floor(at / 1000)
      .toString(16)
      .padStart(8, "0")
      .slice(-8);
    return `${seconds}${hex(10)}${(counter % 0xffffff).toString(16).padStart(6, "0")}`;
  };

  const replace = (stored: Stored, row: Row | undefined): void => {
    const now = clock.now();
    const past = now - switches.indexLagMs;
    while (stored.before[0] !== undefined && stored.before[0].until <= past) stored.before.shift();
    if (switches.indexLagMs > 0) stored.before.push({ until: now, row: stored.row });
    stored.row = row;
  };

  const bumped = (row: Row, values: Row, author: Author): Row =>
    laid(row, {
      ...values,
      version: String(Number(row.version) + 1),
      last_modified_time: author.at,
      last_modified_by: [author.userId],
    });

  const change = (
    object: string,
    id: string,
    values: Row,
    author: Author,
    type: StoreEvent["type"] = "update",
  ): void => {
    const stored = table(object).get(id);
    if (stored?.row === undefined) return;
    replace(stored, bumped(stored.row, values, author));
    onEvent({ type, object, id, at: author.at, byApi: author.byApi });
  };

  return {
    create: (object: string, values: Row, author: Author): string => {
      const id = newId(author.at);
      const [owner] = Array.isArray(values.owner) ? values.owner : [];
      const team =
        owner === undefined
          ? []
          : [
              {
                teamMemberEmployee: [owner],
                teamMemberRole: "1",
                teamMemberRoleList: ["1"],
                teamMemberPermissionType: "2",
              },
            ];
      const row = laid(
        {
          life_status: "normal",
          record_type: "default__c",
          create_time: author.at,
          created_by: [author.userId],
          last_modified_by: [author.userId],
        },
        {
          ...values,
          _id: id,
          object_describe_api_name: object,
          tenant_id: String(tenant.tenantId),
          package: "CRM",
          version: "1",
          last_modified_time: author.at,
          lock_status: "0",
          is_deleted: false,
          ...(owner === undefined ? {} : { owner_department: "销售部", owner_modified_time: author.at }),
          relevant_team: team,
        },
      );
      const stored: Stored = { row: undefined, before: [], waiting: undefined, concealed: false };
      table(object).set(id, stored);
      replace(stored, row);
      onEvent({ type: "create", object, id, at: author.at, byApi: author.byApi });
      return id;
    },
    change,
    /** Changes fields without moving version or time, as formulas and some owner changes may. */
    changeQuietly: (object: string, id: string, values: Row): void => {
      const stored = table(object).get(id);
      if (stored?.row !== undefined) replace(stored, laid(stored.row, values));
    },
    wait: (object: string, id: string, values: Row): void => {
      const stored = table(object).get(id);
      if (stored !== undefined) stored.waiting = { ...stored.waiting, ...values };
    },
    approve: (object: string, id: string, at: number): void => {
      const stored = table(object).get(id);
      if (stored?.row === undefined) return;
      const values = { ...stored.waiting, life_status: "normal" };
      stored.waiting = undefined;
      change(object, id, values, { userId: systemUser, at, byApi: false });
    },
    invalidate: (object: string, id: string, author: Author): void => {
      const before = table(object).get(id)?.row?.life_status;
      const values = { life_status: "invalid", life_status_before_invalid: before, is_deleted: true };
      change(object, id, values, author, "invalid");
    },
    recover: (object: string, id: string, author: Author): void => {
      const before = table(object).get(id)?.row?.life_status_before_invalid ?? "normal";
      const values = { life_status: before, life_status_before_invalid: null, is_deleted: false };
      change(object, id, values, author, "recover");
    },
    purge: (object: string, id: string, author: Author): void => {
      const stored = table(object).get(id);
      if (stored === undefined) return;
      replace(stored, undefined);
      onEvent({ type: "delete", object, id, at: author.at, byApi: author.byApi });
    },
    conceal: (object: string, id: string, concealed: boolean): void => {
      const stored = table(object).get(id);
      if (stored !== undefined) stored.concealed = concealed;
    },
    isConcealed: (object: string, id: string): boolean => table(object).get(id)?.concealed ?? false,
    get: (object: string, id: string): Row | undefined => table(object).get(id)?.row,
    ids: (object: string): ReadonlyArray<string> => [...table(object).keys()],
    /** The rows that the search index shows now to the acting user. */
    indexed: (object: string): ReadonlyArray<Row> => {
      const seen = clock.now() - switches.indexLagMs;
      const rows: Array<Row> = [];
      for (const stored of table(object).values()) {
        if (stored.concealed) continue;
        const earlier = switches.indexLagMs > 0 ? stored.before.find(({ until }) => until > seen) : undefined;
        const row = earlier === undefined ? stored.row : earlier.row;
        if (row !== undefined) rows.push(row);
      }
      return rows;
    },
  };
}
