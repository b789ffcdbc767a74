/** Where a pull goes on: which walk is under way, and up to where everything is surely read. */
import { Schema } from "../../core/connector.ts";

/** Times are epoch milliseconds by Zoho's clock, but for `began`, which is ours. */
const Rows = Schema.Struct({
  phase: Schema.Literal("rows"),
  startedAt: Schema.Number,
  /** `If-Modified-Since` of the next page; null reads from the very beginning. */
  since: Schema.NullOr(Schema.Number),
  /** Leads on through the rows since that instant; null where they begin. */
  token: Schema.NullOr(Schema.String),
});

const Bulk = Schema.Struct({
  phase: Schema.Literal("bulk"),
  startedAt: Schema.Number,
  since: Schema.NullOr(Schema.Number),
  job: Schema.NullOr(Schema.String),
  /** When the job was started: nothing in its file is known to be newer. */
  began: Schema.Number,
  page: Schema.Number,
  row: Schema.Number,
});

const Deleted = Schema.Struct({
  phase: Schema.Literal("deleted"),
  startedAt: Schema.Number,
  since: Schema.Number,
  page: Schema.Number,
});

/** A listing by ascending id: by page token, and by query where tokens reach no further. */
const Listing = Schema.Struct({
  phase: Schema.Literal("listing"),
  by: Schema.Literals(["token", "query"]),
  token: Schema.NullOr(Schema.String),
  lastId: Schema.NullOr(Schema.String),
});

export const Cursor = Schema.Struct({
  /** Up to where changes and deletions are surely read. */
  through: Schema.NullOr(Schema.Number),
  walk: Schema.NullOr(Schema.Union([Rows, Bulk, Deleted, Listing])),
});
export type Cursor = typeof Cursor.Type;
export type Walk = NonNullable<Cursor["walk"]>;
export type RowsWalk = typeof Rows.Type;
export type BulkWalk = typeof Bulk.Type;
export type DeletedWalk = typeof Deleted.Type;
export type ListingWalk = typeof Listing.Type;
