/**
 * The oracle's own account of what people did: every accepted edit, what its author could see, and whether any read has
 * told the hub of it.
 *
 * Every value that a person enters carries a token of its own, such as `N17` in a name or 1000017 in a phone number, so
 * that wherever a value turns up, cut or rewritten, it tells which edit made it.
 */
import type { Entity } from "../../core/model/field.ts";

export interface Edit {
  readonly id: number;
  readonly system: string;
  readonly entity: Entity;
  readonly record: string;
  readonly field: string;
  /** `value` sets a value, `clear` empties the field, `add` and `remove` name one member of a set. */
  readonly kind: "value" | "clear" | "add" | "remove";
  /** The token of the value, or the member; of a clear the value that it emptied. */
  readonly token: string;
  readonly at: number;
  /** Edits that its author could see the effect of, itself included. */
  readonly past: ReadonlySet<number>;
  /** Its author saw an empty field. */
  readonly onEmpty: boolean;
  /** A read has told a hub of it that was alive. */
  read: boolean;
  /** Nobody has promised anything about an edit that was not accepted. */
  accepted: boolean;
}

/** What stands in one field of one record, and which edits it comes from. */
export interface Content {
  readonly value: unknown;
  readonly past: ReadonlySet<number>;
}

export interface NewEdit extends Omit<Edit, "id" | "past" | "read" | "accepted"> {
  readonly seen: ReadonlySet<number>;
}

export class Ledger {
  readonly edits: Array<Edit> = [];
  readonly #byToken = new Map<string, Edit>();
  #next = 1;

  /** A number that no other value carries. */
  nextNumber(): number {
    return this.#next++;
  }

  note({ seen, ...edit }: NewEdit): Edit {
    const id = this.edits.length;
    const noted: Edit = { ...edit, id, past: new Set([...seen, id]), read: false, accepted: true };
    this.edits.push(noted);
    if (edit.kind === "value" || edit.kind === "add") this.#byToken.set(edit.token, noted);
    return noted;
  }

  made(token: string): Edit | undefined {
    return this.#byToken.get(token);
  }

  /** Edits that emptied this very value, or one that its author had seen. */
  clearsOf(field: string, past: ReadonlySet<number>): ReadonlyArray<Edit> {
    return this.edits.filter(
      (edit) => edit.kind === "clear" && edit.field === field && [...past].some((id) => edit.past.has(id)),
    );
  }
}

const letters = /[NITLE]\d+/;

/** The token in a value, wherever it was cut or rewritten; null for an empty one. */
export function tokenOf(value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  const text = String(value).toUpperCase();
  return letters.exec(text)?.[0] ?? text.replace(/\D/g, "").slice(-7);
}
