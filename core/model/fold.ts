/**
 * The change log folded into what it says of one account or contact. The canonical row is this fold, kept: so the log
 * proves the row, and a row can be made again from it.
 *
 * What the row only remembers for itself is not folded: earlier values within the flip window (D17), when the row was
 * last touched, and how often.
 */
import type { Entity } from "./field.ts";
import { equalValues, type Value } from "./value.ts";
import type { Canonical, ChangeRow, Provenance } from "./world.ts";

export interface Folded extends Pick<Canonical, "entity" | "state" | "mergedInto" | "createdAt"> {
  readonly values: Readonly<Record<string, Value>>;
  readonly provenance: Readonly<Record<string, Provenance>>;
}

interface Draft {
  readonly entity: Entity;
  readonly createdAt: number;
  state: Canonical["state"];
  mergedInto: string | null;
  readonly values: Record<string, Value>;
  readonly provenance: Record<string, Provenance>;
}

/**
 * Folds the rows of one account or contact, together with those about renamed connections, in the order of the log.
 *
 * Returns undefined where the log does not begin with how it came to be.
 */
export function foldLog(rows: Iterable<ChangeRow>): Folded | undefined {
  let draft: Draft | undefined;
  for (const row of rows) {
    if (row.kind === "created") {
      const { entity, at: createdAt } = row;
      draft = { entity, createdAt, state: "live", mergedInto: null, values: {}, provenance: {} };
    }
    if (draft === undefined) continue;
    Object.assign(draft.values, row.set);
    Object.assign(draft.provenance, row.provenance);
    foldState(draft, row);
  }
  return draft;
}

function foldState(draft: Draft, { kind, connection, note = {} }: ChangeRow): void {
  switch (kind) {
    case "deleted":
      // Deleted in one system is no state of the account.
      if (note.everywhere === true) draft.state = "dead";
      return;
    case "restored":
      draft.state = "live";
      return;
    case "merged":
      if (typeof note.into !== "string") return;
      draft.state = "merged";
      draft.mergedInto = note.into;
      return;
    case "unmerged":
      draft.state = "live";
      draft.mergedInto = null;
      return;
    case "renamed":
      for (const [field, provenance] of Object.entries(draft.provenance)) {
        if (provenance.source === note.from) draft.provenance[field] = { ...provenance, source: connection };
      }
  }
}

const partNames = ["entity", "state", "mergedInto", "createdAt"] as const;

/** What a canonical row says otherwise than its log: names of fields, with `source of` for provenance, and parts of its state. */
export function foldDifferences(canonical: Canonical, folded: Folded): ReadonlyArray<string> {
  const wrong: Array<string> = partNames.filter((name) => canonical[name] !== folded[name]);
  const { values, provenance } = canonical;
  for (const name in values) {
    const value = values[name] ?? null;
    if (!Object.hasOwn(folded.values, name) || !equalValues(value, folded.values[name] ?? null)) wrong.push(name);
    else if (!sameProvenance(provenance[name], folded.provenance[name])) wrong.push(`source of ${name}`);
  }
  for (const name in folded.values) if (!Object.hasOwn(values, name)) wrong.push(name);
  return wrong;
}

const sameProvenance = (one: Provenance | undefined, other: Provenance | undefined): boolean =>
  one === other ||
  (one?.source === other?.source &&
    one?.interval?.lower === other?.interval?.lower &&
    one?.interval?.upper === other?.interval?.upper &&
    one?.pinnedAt === other?.pinnedAt &&
    one?.hold === other?.hold);
