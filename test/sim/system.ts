/**
 * One simulated system: its records, what its people do to them, and what its API does to the hub's calls.
 *
 * The records and their versions are the truth that the oracle compares with. The API serves at the instant at which a
 * call arrives; how long the way takes and what gets lost on it is in `wire.ts`.
 */
import type { Change, Criterion, Operation, Page, RemoteRecord, Result } from "../../core/connector.ts";
import type { Entity } from "../../core/model/field.ts";
import { type Content, type Edit, type Ledger, tokenOf } from "./ledger.ts";
import { lookbackMs, type Style } from "./styles.ts";
import type { Timeline } from "./timeline.ts";

export interface Row {
  readonly entity: Entity;
  readonly id: string;
  /** The hub's id for it, where the hub has made or claimed it. */
  hubId: string | null;
  readonly fields: Map<string, Content>;
  version: number;
  modifiedAt: number;
  readonly createdAt: number;
  deletedAt: number | null;
  /** Who deleted it. */
  deletedBy: "user" | "hub" | null;
  mergedInto: string | null;
  tick: number;
  /** From when on pulls and look-ups show its last change. */
  visibleAt: number;
  readonly madeBy: "user" | "hub";
}

/** One write that arrived, and what became of it. */
export interface Arrival {
  readonly at: number;
  readonly operation: Operation;
  readonly recordId: string | null;
  readonly kind: Result["kind"];
  /** It landed after its call had been given up. */
  readonly late: boolean;
}

/** The hub put a value back that somebody had knowingly replaced. */
export interface Revert {
  readonly at: number;
  readonly entity: Entity;
  readonly record: string;
  readonly field: string;
  readonly token: string;
  readonly over: string;
}

export const setField = "Tags";
export const keyField = "Hub_Id";

const fieldsOf: Readonly<Record<Entity, ReadonlyArray<string>>> = {
  account: ["Name", "Domain", "Phone", "Industry", "Employees", setField],
  contact: ["First", "Last", "Company", "Mail", "Mobile", "Title"],
};

/** Values of this field with this in them are refused. */
export const poison = { field: "Title", token: "refused" };

export class System {
  readonly name: string;
  readonly style: Style;
  readonly rows: Record<Entity, Map<string, Row>> = { account: new Map(), contact: new Map() };
  /** Writes of the hub that put an older value over one whose author had seen it. */
  readonly reverts: Array<Revert> = [];
  /** Every write of the hub that arrived. */
  readonly arrivals: Array<Arrival> = [];
  /** Called with what just changed, so that the system can call the hub about it. */
  onChange: (entity: Entity, id: string) => void = () => {};
  /** Called when rows have shifted under a walk. */
  onShift: () => void = () => {};
  /** A workflow of this system puts phone numbers back that the hub has written. */
  stubborn = false;
  readonly #timeline: Timeline;
  readonly #ledger: Ledger;
  readonly #tell: (line: string, about: string) => void;
  #tick = 0;
  #nextId = 1;

  constructor(
    name: string,
    style: Style,
    world: {
      readonly timeline: Timeline;
      readonly ledger: Ledger;
      readonly tell: (line: string, about: string) => void;
    },
  ) {
    this.name = name;
    this.style = style;
    this.#timeline = world.timeline;
    this.#ledger = world.ledger;
    this.#tell = world.tell;
  }

  /** What its own clock shows. */
  #clock(): number {
    return this.#timeline.now() + (this.style.skewMs ?? 0);
  }

  // ---- what people do ----

  /** A person makes a record; every value is an edit of its own. */
  create(entity: Entity, values: Readonly<Record<string, unknown>>): Row {
    const row = this.#insert(entity, "user");
    for (const [field, value] of Object.entries(values)) this.#enter(row, field, value);
    this.#story(row, `a person creates ${entity} ${show(values)}`);
    this.#moved(row);
    return row;
  }

  /** A person changes one field of a record that they look at. */
  edit(row: Row, field: string, value: unknown): void {
    this.#enter(row, field, value);
    this.#story(row, `a person sets ${field} to ${show(value)}`);
    this.#moved(row);
  }

  remove(row: Row, mergedInto: string | null = null): void {
    this.#delete(row, "user", mergedInto);
    this.#story(row, mergedInto === null ? "a person deletes it" : `a person merges it into ${mergedInto}`);
  }

  live(entity: Entity): ReadonlyArray<Row> {
    return [...this.rows[entity].values()].filter((row) => row.deletedAt === null);
  }

  #enter(row: Row, field: string, value: unknown): void {
    const before = row.fields.get(field);
    const common = {
      system: this.name,
      entity: row.entity,
      record: row.id,
      field,
      at: this.#timeline.now(),
      onEmpty: before !== undefined ? before.value === null : row.version > 0,
    };
    const seen = before?.past ?? new Set<number>();
    if (field === setField) {
      const old = listOf(before?.value);
      const news = listOf(value);
      const stored = this.#cutTags(news);
      for (const token of news.filter((one) => !old.includes(one) && stored.includes(one)))
        this.#ledger.note({ ...common, kind: "add", token, seen });
      for (const token of old.filter((one) => !stored.includes(one)))
        this.#ledger.note({ ...common, kind: "remove", token, seen });
      row.fields.set(field, { value: stored, past: seen });
      return;
    }
    const stored = this.#stored(field, value);
    const token = tokenOf(stored);
    let edit: Edit | undefined;
    if (token !== null && this.#ledger.made(token) === undefined)
      edit = this.#ledger.note({ ...common, kind: "value", token, seen });
    else if (token === null && before?.value != null)
      edit = this.#ledger.note({ ...common, kind: "clear", token: tokenOf(before.value) ?? "", seen });
    row.fields.set(field, { value: stored, past: edit?.past ?? seen });
  }

  // ---- what the API serves ----

  page(entity: Entity, cursor: unknown, mode: "changes" | "listing"): Omit<Page, "readBegan" | "readEnded"> {
    if (this.style.shifting === true && mode === "listing") return this.#byIndex(entity, cursor);
    return this.style.cursor === "feed" && mode === "changes"
      ? this.#feed(entity, typeof cursor === "number" ? cursor : 0)
      : this.#byTime(entity, isPlace(cursor) ? cursor : null, mode);
  }

  #feed(entity: Entity, from: number): Omit<Page, "readBegan" | "readEnded"> {
    const rows = [...this.rows[entity].values()]
      .filter((row) => row.tick > from)
      .sort((one, other) => one.tick - other.tick)
      .slice(0, this.style.pageSize);
    return { changes: rows.map((row) => this.#shown(row)), cursor: rows.at(-1)?.tick ?? from };
  }

  /**
   * By (modified time, id) inside a window whose end was fixed when it began; a new window begins a look-back earlier.
   * A listing reads all of it, and is complete where nothing moved while it ran.
   */
  #byTime(entity: Entity, place: Place | null, mode: "changes" | "listing"): Omit<Page, "readBegan" | "readEnded"> {
    const now = this.#clock();
    const isDone = place?.after == null;
    const from = place === null ? 0 : isDone && mode === "changes" ? place.until - lookbackMs : place.from;
    const until = place === null || (isDone && mode === "changes") ? now : place.until;
    const after = place?.after ?? "";
    const rows = [...this.rows[entity].values()]
      .filter((row) => row.deletedAt === null && row.visibleAt <= this.#timeline.now())
      .filter((row) => this.#stamp(row) >= from && this.#stamp(row) <= until && keyOf(this.#stamp(row), row.id) > after)
      .sort((one, other) => (keyOf(this.#stamp(one), one.id) < keyOf(this.#stamp(other), other.id) ? -1 : 1))
      .slice(0, this.style.pageSize);
    const last = rows.at(-1);
    const isLast = rows.length < this.style.pageSize;
    const next: Place = { from, until, after: isLast || last === undefined ? null : keyOf(this.#stamp(last), last.id) };
    return {
      changes: rows.map((row) => this.#shown(row)),
      cursor: next,
      // What is not named is fetched by id before it counts as gone.
      ...(mode === "listing" && isLast ? { complete: true } : {}),
    };
  }

  /**
   * By index over the rows that are there now, newest first: whatever is made, edited or deleted moves the others. Each
   * page begins with the last row of the one before; where that is another one, rows have shifted, and the walk is not
   * complete.
   */
  #byIndex(entity: Entity, cursor: unknown): Omit<Page, "readBegan" | "readEnded"> {
    const place: Index =
      isIndex(cursor) && !cursor.isDone ? cursor : { from: 0, last: null, isWhole: true, isDone: false };
    const all = this.live(entity)
      .filter((row) => row.visibleAt <= this.#timeline.now())
      .toSorted((one, other) => other.tick - one.tick);
    const rows = all.slice(place.from, place.from + this.style.pageSize);
    const isShifted = place.last !== null && rows[0]?.id !== place.last;
    if (isShifted) this.onShift();
    const isWhole = place.isWhole && !isShifted;
    const isDone = place.from + rows.length >= all.length;
    const next: Index = {
      from: place.from + Math.max(1, rows.length - 1),
      last: rows.at(-1)?.id ?? null,
      isWhole,
      isDone,
    };
    return {
      changes: rows.map((row) => this.#shown(row)),
      cursor: next,
      ...(isDone && isWhole ? { complete: true } : {}),
    };
  }

  /** Whether a page was the last one of its walk. */
  isEnd(page: Pick<Page, "changes" | "cursor">): boolean {
    if (isIndex(page.cursor)) return page.cursor.isDone;
    return isPlace(page.cursor) ? page.cursor.after === null : page.changes.length < this.style.pageSize;
  }

  get(entity: Entity, ids: ReadonlyArray<string>): ReadonlyArray<RemoteRecord | { kind: "deleted"; id: string }> {
    return ids.map((id) => {
      const row = this.rows[entity].get(id);
      return row === undefined || row.deletedAt !== null ? { kind: "deleted", id } : this.#record(row);
    });
  }

  find(entity: Entity, criteria: ReadonlyArray<Criterion>): ReadonlyArray<RemoteRecord> {
    const now = this.#timeline.now();
    return this.live(entity)
      .filter((row) => row.visibleAt <= now)
      .filter((row) => criteria.some((criterion) => meets(this.#record(row).fields[criterion.field], criterion)))
      .map((row) => this.#record(row));
  }

  /** Carries out one write of the hub. */
  write(operation: Operation, late: boolean): Result {
    const result = this.#carryOut(operation, late);
    const recordId = result.kind === "applied" ? result.id : operation.kind === "create" ? null : operation.id;
    this.arrivals.push({ at: this.#timeline.now(), operation, recordId, kind: result.kind, late });
    const what = operation.kind === "delete" ? "" : ` ${show(operation.fields)}`;
    this.#tell(
      `${this.name}: the hub's ${operation.kind}${what}${late ? " lands late" : ""}: ${result.kind}`,
      `${this.name}/${recordId ?? (operation.kind === "create" ? operation.hubId : "")}`,
    );
    return result;
  }

  #carryOut(operation: Operation, late: boolean): Result {
    const { entity } = operation;
    if (operation.kind !== "delete") {
      const poisoned = operation.fields[poison.field];
      if (typeof poisoned === "string" && poisoned.includes(poison.token)) {
        const named = this.style.returnsStored ? {} : { field: poison.field };
        return {
          kind: "rejected",
          ...named,
          code: "invalid",
          reason: "the title is not one",
          remedy: "Choose another.",
        };
      }
    }
    if (operation.kind === "create") {
      const row = this.#insert(entity, "hub");
      row.hubId = operation.hubId;
      this.#put(row, operation.fields);
      return this.#answer(row);
    }
    const row = this.rows[entity].get(operation.id);
    if (row === undefined || row.deletedAt !== null) return { kind: "gone", reason: "there is no such record" };
    if (operation.kind === "delete") {
      this.#delete(row, "hub", null);
      return { kind: "applied", id: row.id };
    }
    const { precondition } = operation;
    if (this.style.conditional === "version" && (precondition?.version ?? String(row.version)) !== String(row.version))
      return { kind: "conflict", reason: "the version moved" };
    if (this.style.conditional === "time" && this.#stamp(row) > (precondition?.modifiedAt ?? Number.POSITIVE_INFINITY))
      return { kind: "conflict", reason: "modified since" };
    const phone = row.fields.get("Phone");
    if (!late) this.#noteReverts(row, operation.fields);
    this.#put(row, operation.fields);
    if (this.stubborn && phone !== undefined && operation.fields.Phone !== undefined) this.#putBack(row, phone);
    return this.#answer(row);
  }

  #noteReverts(row: Row, fields: Readonly<Record<string, unknown>>): void {
    for (const [field, value] of Object.entries(fields)) {
      const before = row.fields.get(field);
      const token = field === setField || field === keyField ? null : tokenOf(value);
      const over = tokenOf(before?.value);
      if (token === null || over === null || token === over) continue;
      const made = this.#ledger.made(token);
      if (made === undefined || before?.past.has(made.id) !== true) continue;
      const at = this.#timeline.now();
      this.reverts.push({ at, entity: row.entity, record: row.id, field, token, over });
    }
  }

  #putBack(row: Row, phone: Content): void {
    this.#timeline.at(this.#timeline.now() + 400, () => {
      if (row.deletedAt !== null) return;
      // It acts on what the hub wrote, as somebody who saw it.
      const edit = this.#ledger.note({
        system: this.name,
        entity: row.entity,
        record: row.id,
        field: "Phone",
        kind: phone.value === null ? "clear" : "value",
        token: tokenOf(phone.value === null ? row.fields.get("Phone")?.value : phone.value) ?? "",
        at: this.#timeline.now(),
        onEmpty: row.fields.get("Phone")?.value === null,
        seen: new Set([...phone.past, ...(row.fields.get("Phone")?.past ?? [])]),
      });
      row.fields.set("Phone", { value: phone.value, past: edit.past });
      this.#story(row, `a workflow puts Phone back to ${show(phone.value)}`);
      this.#moved(row);
    });
  }

  #put(row: Row, fields: Readonly<Record<string, unknown>>): void {
    for (const [field, value] of Object.entries(fields)) {
      if (field === keyField) {
        row.hubId = typeof value === "string" ? value : null;
        continue;
      }
      const before = row.fields.get(field);
      const stored = field === setField ? this.#cutTags(listOf(value)) : this.#stored(field, value);
      row.fields.set(field, { value: stored, past: this.#pastOf(field, stored, before) });
    }
    this.#moved(row);
  }

  /** What the hub's value comes from: the edit that made it and all that its author saw; of an empty one the edits that emptied. */
  #pastOf(field: string, value: unknown, before: Content | undefined): ReadonlySet<number> {
    const old = before?.past ?? new Set<number>();
    const token = field === setField ? null : tokenOf(value);
    if (token !== null) {
      const past = this.#ledger.made(token)?.past ?? new Set<number>();
      return token === tokenOf(before?.value) ? new Set([...past, ...old]) : past;
    }
    return new Set([...old, ...this.#ledger.clearsOf(field, old).flatMap((edit) => [...edit.past])]);
  }

  #insert(entity: Entity, madeBy: Row["madeBy"]): Row {
    const now = this.#clock();
    const row: Row = {
      entity,
      id: `${this.name}-${entity === "account" ? "c" : "p"}${this.#nextId++}`,
      hubId: null,
      fields: new Map(),
      version: 0,
      modifiedAt: now,
      createdAt: now,
      deletedAt: null,
      deletedBy: null,
      mergedInto: null,
      tick: 0,
      visibleAt: this.#timeline.now(),
      madeBy,
    };
    this.rows[entity].set(row.id, row);
    return row;
  }

  #delete(row: Row, by: "user" | "hub", mergedInto: string | null): void {
    row.deletedAt = this.#clock();
    row.deletedBy = by;
    row.mergedInto = mergedInto;
    row.tick = ++this.#tick;
    this.onChange(row.entity, row.id);
  }

  #moved(row: Row): void {
    row.version += 1;
    row.modifiedAt = this.#clock();
    row.tick = ++this.#tick;
    row.visibleAt = this.#timeline.now() + this.style.lagMs;
    this.onChange(row.entity, row.id);
  }

  #stamp(row: Row): number {
    return Math.floor(row.modifiedAt / this.style.resolutionMs) * this.style.resolutionMs;
  }

  #stored(field: string, value: unknown): unknown {
    if (value === "" || value === undefined) return null;
    if (field === "Name" && typeof value === "string" && this.style.nameMax !== null)
      return value.slice(0, this.style.nameMax).trimEnd();
    if (field === "Industry" && typeof value === "string" && this.style.rewrites) return value.toUpperCase();
    return value;
  }

  #cutTags(tags: ReadonlyArray<string>): ReadonlyArray<string> {
    return [...tags].sort().slice(0, this.style.tagsMax ?? tags.length);
  }

  #shown(row: Row): Change {
    if (row.deletedAt === null) return this.#record(row);
    const { mergedInto } = row;
    const named = this.style.namesMaster === true && mergedInto !== null ? { mergedInto } : {};
    return { kind: "deleted", id: row.id, deletedAt: row.deletedAt, ...named };
  }

  #record(row: Row): RemoteRecord {
    const fields: Record<string, unknown> = { [keyField]: row.hubId };
    for (const field of fieldsOf[row.entity]) fields[field] = row.fields.get(field)?.value ?? null;
    return {
      kind: "record",
      id: row.id,
      fields,
      ...(this.style.counter ? { version: String(row.version) } : {}),
      modifiedAt: this.#stamp(row),
      createdAt: Math.floor(row.createdAt / this.style.resolutionMs) * this.style.resolutionMs,
    };
  }

  #answer(row: Row): Result {
    const { returnsStored, returnsTime, counter } = this.style;
    return {
      kind: "applied",
      id: row.id,
      ...(returnsTime ? { modifiedAt: this.#stamp(row) } : {}),
      ...(returnsStored && counter ? { version: String(row.version), stored: this.#record(row).fields } : {}),
    };
  }

  #story(row: Row, line: string): void {
    this.#tell(`${this.name}: ${row.id}: ${line}`, `${this.name}/${row.id}`);
  }
}

/** A place in a walk by time; `after` null between two walks. */
interface Place {
  readonly from: number;
  readonly until: number;
  readonly after: string | null;
}

/** A place in a walk by index. */
interface Index {
  readonly from: number;
  /** The row that the next page begins with, if nothing shifts. */
  readonly last: string | null;
  readonly isWhole: boolean;
  readonly isDone: boolean;
}

const isIndex = (value: unknown): value is Index => typeof value === "object" && value !== null && "isWhole" in value;

const isPlace = (value: unknown): value is Place => typeof value === "object" && value !== null && "until" in value;

const keyOf = (at: number, id: string): string => `${String(at).padStart(15, "0")}/${id}`;

const listOf = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];

function meets(held: unknown, { value, how }: Criterion): boolean {
  if (how === "contains") return typeof held === "string" && held.toLowerCase().includes(value.toLowerCase());
  return held === value;
}

const show = (value: unknown): string => JSON.stringify(value);
