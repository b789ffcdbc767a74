/**
 * Accounts or contacts by page, with filters over what is not personal. A page looks at a bounded number of rows, so that a
 * filter that fits few of them costs no more than one that fits many: such a page is short, and has a next one.
 */
import { and, asc, eq, gt, gte, lt, type SQL, sql } from "drizzle-orm";
import { Effect } from "effect";
import type { Entity, Field } from "../model/field.ts";
import { isGroup, isList, isMoney, type Value } from "../model/value.ts";
import type { Canonical } from "../model/world.ts";
import { opened, type Shelf } from "./browse.ts";
import type { Words } from "./database.ts";
import { canonicals, links } from "./tables.ts";

export interface CustomerFilter {
  readonly entity: Entity;
  /** Deleted ones too, or only those. */
  readonly state: "live" | "deleted" | "all";
  readonly updatedSince?: number;
  /** With a live record in this connection. */
  readonly connection?: string;
  /** Business fields and the values that they hold; a list holds all that are named. */
  readonly fields: ReadonlyArray<{ readonly field: Field; readonly value: Value }>;
}

export interface CustomerPage {
  readonly items: ReadonlyArray<Canonical>;
  /** The id behind which the next page begins; null at the end. */
  readonly next: string | null;
}

const rowsSeenMax = 20_000;

/** Ids begin with their kind, and kinds are together in the order of ids. */
const idsOf: Readonly<Record<Entity, readonly [from: string, to: string]>> = {
  account: ["acc_", "acc`"],
  contact: ["ctc_", "ctc`"],
};

/** In the order of ids, which is the order of their making. */
export const pageCustomers = Effect.fn("page.customers")(function* (
  shelf: Shelf,
  filter: CustomerFilter,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
) {
  const { database } = shelf.store;
  return yield* database.read("listing", async (): Promise<CustomerPage> => {
    const { db } = database;
    const [from, to] = idsOf[filter.entity];
    const start = after === undefined || after < from ? from : after;
    const seen = await db
      .select({ id: canonicals.id })
      .from(canonicals)
      .where(and(gt(canonicals.id, start), lt(canonicals.id, to)))
      .orderBy(asc(canonicals.id))
      .limit(1)
      .offset(rowsSeenMax - 1);
    const bound = seen[0]?.id;
    const conditions: Array<SQL> = [
      gt(canonicals.id, start),
      bound === undefined ? lt(canonicals.id, to) : sql`${canonicals.id} <= ${bound}`,
      ...conditionsOf(filter, database.words),
    ];
    const rows = await db
      .select()
      .from(canonicals)
      .where(and(...conditions))
      .orderBy(asc(canonicals.id))
      .limit(limit + 1);
    const items = await opened(shelf, rows.slice(0, limit));
    return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : (bound ?? null) };
  });
});

function conditionsOf({ state, updatedSince, connection, fields }: CustomerFilter, words: Words): ReadonlyArray<SQL> {
  return [
    state === "all" ? sql`${canonicals.state} <> 'merged'` : eq(canonicals.state, state === "live" ? "live" : "dead"),
    ...(updatedSince === undefined ? [] : [gte(canonicals.updatedAt, updatedSince)]),
    ...(connection === undefined
      ? []
      : [
          sql`exists (select 1 from ${links} where ${links.canonicalId} = ${canonicals.id} and ${links.connection} = ${connection} and ${links.state} = 'live')`,
        ]),
    ...fields.flatMap(({ field, value }) => holds(words, field.name, value)),
  ];
}

/** Conditions that a field of the readable part holds the value. Names of fields are letters and digits. */
function holds(words: Words, name: string, value: Value): ReadonlyArray<SQL> {
  const path = ["v", name];
  const { clear } = canonicals;
  if (isList(value)) return value.map((member) => words.hasMemberAt(clear, path, member));
  if (isMoney(value) || isGroup(value)) {
    return Object.entries(value).map(([member, text]) => words.equalsAt(clear, [...path, member], text));
  }
  return [words.equalsAt(clear, path, value)];
}
