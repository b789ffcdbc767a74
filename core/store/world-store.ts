/**
 * Loads the working set of a decision and writes back what it changed: the first and the last step of
 * load → decide → commit. Both run inside the transaction of the caller.
 */
import { and, eq, ne, sql } from "drizzle-orm";
import { displayName } from "../model/display.ts";
import type { Entity, Model } from "../model/field.ts";
import { matchKeys as matchKeysOf } from "../model/match-keys.ts";
import { type Settings, sideOf } from "../model/settings.ts";
import { equalValues, type Value } from "../model/value.ts";
import { wordsOf } from "../model/words.ts";
import { type Canonical, type Conflict, type Link, type MatchKeyRow, subjectsOf, World } from "../model/world.ts";
import type { Sealer } from "../security/seal.ts";
import type { Database, NewRow, Row } from "./database.ts";
import {
  canonicalOf,
  canonicalRow,
  changeRow,
  conflictOf,
  conflictRow,
  type KeyRing,
  linkOf,
  linkRow,
  type Sealing,
  sentOf,
  sentRow,
  shadowOf,
  shadowRow,
} from "./rows.ts";
import {
  canonicals,
  changes,
  conflicts,
  dataKeys,
  deadLetters,
  links,
  matchKeys,
  meetings,
  outbox,
  sent,
  shadows,
  words,
} from "./tables.ts";
import { isQuestion } from "./waiting.ts";

export interface Wanted {
  /** Rows of links that are known already. */
  readonly links?: ReadonlyArray<Row<typeof links>>;
  readonly canonicalIds?: ReadonlyArray<string>;
  readonly keys?: ReadonlyArray<KnownBy>;
  /** Remote ids whose links (and canonicals) are needed, such as targets of references. */
  readonly remotes?: ReadonlyArray<{ readonly connection: string; readonly entity: Entity; readonly remoteId: string }>;
  /** Remote ids of this connection whose open cases matter. */
  readonly casesOf?: { readonly connection: string; readonly remoteIds: ReadonlyArray<string> };
  /** Canonicals whose other canonicals by reference are needed too (for pushes). */
  readonly withTargets?: boolean;
}

/** Aliases and references are followed that far. */
const hopsMax = 8;
const targetHopsMax = 4;
/** Open questions of whose record it is that are looked through. */
const matchesMax = 20_000;

/** Business keys are stored readable, personal ones blind. */
const clearKinds: ReadonlySet<string> = new Set(["taxId", "domain"]);

type KnownBy = Pick<MatchKeyRow, "entity" | "kind" | "value">;

/** A key as one text, so that its row is short. */
export function storedKey(sealer: Sealer, { entity, kind, value }: KnownBy): string {
  return clearKinds.has(kind) ? `${entity} ${kind} ${value}` : sealer.blind(`key ${entity} ${kind}`, value);
}

/**
 * Writes keys, each once: the keys that a page looks up are the ones that it stores. It lives no longer than the working
 * set, as it holds clear values.
 */
function keyWriter(sealer: Sealer): (key: KnownBy) => string {
  const written = new Map<string, string>();
  return (key) => {
    const name = `${key.entity} ${key.kind} ${key.value}`;
    const known = written.get(name);
    if (known !== undefined) return known;
    const text = storedKey(sealer, key);
    written.set(name, text);
    return text;
  };
}

/** What a working set is sealed with, from its load to its commit. */
export interface WorldSealing extends Sealing {
  readonly textOf: (key: KnownBy) => string;
}

/** Links by remote id, without their shadows: enough to see what is unchanged. */
export function linksByRemote(
  database: Database,
  connection: string,
  entity: Entity,
  remoteIds: ReadonlyArray<string>,
): Promise<Array<Row<typeof links>>> {
  return database.selectIn(links, "remoteId", remoteIds, {
    name: "of connection",
    condition: sql`${links.connection} = ${sql.placeholder("connection")} and ${links.entity} = ${sql.placeholder("entity")}`,
    params: { connection, entity },
  });
}

export async function loadWorld(
  database: Database,
  sealer: Sealer,
  model: Model,
  wanted: Wanted,
): Promise<{ readonly world: World; readonly sealing: WorldSealing }> {
  const keys: KeyRing = new Map();
  const sealing: WorldSealing = { sealer, keys, model, textOf: keyWriter(sealer) };
  const linkRows = new Map<number, Row<typeof links>>();
  for (const row of wanted.links ?? []) linkRows.set(row.id, row);
  for (const [side, remoteIds] of groupRemotes(wanted.remotes ?? [])) {
    for (const row of await linksByRemote(database, side.connection, side.entity, remoteIds)) linkRows.set(row.id, row);
  }
  const keyRows = await loadKeys(database, sealing, wanted.keys ?? []);
  const openCases =
    wanted.casesOf === undefined
      ? []
      : await database.selectIn(conflicts, "remoteId", wanted.casesOf.remoteIds, {
          name: "open of connection",
          condition: sql`${conflicts.connection} = ${sql.placeholder("connection")} and ${conflicts.state} in ('open', 'reopened')`,
          params: { connection: wanted.casesOf.connection },
        });

  const canonicalRows = new Map<string, Row<typeof canonicals>>();
  let missing = new Set<string>([...(wanted.canonicalIds ?? []), ...keyRows.map((row) => row.canonicalId)]);
  for (const row of linkRows.values()) if (row.canonicalId !== null) missing.add(row.canonicalId);
  for (const row of openCases) if (row.canonicalId !== null) missing.add(row.canonicalId);
  for (let hops = 0; missing.size > 0 && hops < hopsMax; hops++) {
    const found = await database.selectIn(canonicals, "id", [...missing]);
    missing = new Set();
    for (const row of found) {
      canonicalRows.set(row.id, row);
      if (row.mergedInto !== null && !canonicalRows.has(row.mergedInto)) missing.add(row.mergedInto);
      if (
        wanted.withTargets === true &&
        hops < targetHopsMax &&
        row.refersTo !== null &&
        !canonicalRows.has(row.refersTo)
      )
        missing.add(row.refersTo);
    }
  }
  const ids = [...canonicalRows.keys()];
  for (const row of await database.selectIn(links, "canonicalId", ids)) linkRows.set(row.id, row);
  for (const row of await database.selectIn(dataKeys, "owner", ids))
    keys.set(row.owner, sealer.unwrap(row.owner, row.wrapped));
  const shadowRows = await database.selectIn(shadows, "linkId", [...linkRows.keys()]);
  const conflictRows = await database.selectIn(conflicts, "canonicalId", ids, {
    name: "open",
    condition: sql`${conflicts.state} in ('open', 'reopened')`,
    params: {},
  });
  const sentRows = await database.selectIn(sent, "canonicalId", ids, {
    name: "not closed",
    condition: sql`${ne(sent.state, sql`'closed'`)}`,
    params: {},
  });
  const claims = await database.selectIn(outbox, "canonicalId", ids, {
    name: "claimed",
    condition: sql`${outbox.claim} is not null`,
    params: {},
  });
  const matchRows = wanted.withTargets === true ? await loadMatches(database, ids) : [];
  const refusals = wanted.withTargets === true ? await loadRefusals(database, sealing, ids) : [];

  const shadowsById = new Map(shadowRows.map((row) => [row.linkId, row]));
  const world = new World({
    canonicals: mapped(canonicalRows.values(), (row) => canonicalOf(sealing, row)),
    links: mapped(linkRows.values(), (row) => {
      const shadow = shadowsById.get(row.id);
      return linkOf(row, shadow === undefined ? { fields: {} } : shadowOf(sealing, row.canonicalId, shadow));
    }),
    keys: keyRows,
    conflicts: mapped([...conflictRows, ...openCases, ...matchRows], (row) => conflictOf(sealing, row)),
    sent: mapped(sentRows, (row) => sentOf(sealing, row)),
    claims,
    meetings: [],
    refusals,
  });
  return { world, sealing };
}

function* mapped<A, B>(rows: Iterable<A>, map: (row: A) => B): Iterable<B> {
  for (const row of rows) yield map(row);
}

function groupRemotes(
  remotes: NonNullable<Wanted["remotes"]>,
): ReadonlyArray<readonly [{ readonly connection: string; readonly entity: Entity }, ReadonlyArray<string>]> {
  const groups = new Map<string, [{ readonly connection: string; readonly entity: Entity }, Array<string>]>();
  for (const { connection, entity, remoteId } of remotes) {
    const key = `${connection}\n${entity}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ connection, entity }, [remoteId]]);
    else group[1].push(remoteId);
  }
  return [...groups.values()];
}

async function loadKeys(
  database: Database,
  sealing: WorldSealing,
  wanted: NonNullable<Wanted["keys"]>,
): Promise<Array<MatchKeyRow>> {
  if (wanted.length === 0) return [];
  const clear = new Map<string, KnownBy>();
  for (const key of wanted) clear.set(sealing.textOf(key), key);
  const found = await database.selectIn(matchKeys, "value", [...clear.keys()]);
  return found.flatMap(({ value, canonicalId }) => {
    const key = clear.get(value);
    return key === undefined ? [] : [{ entity: key.entity, kind: key.kind, value: key.value, canonicalId }];
  });
}

/** Open questions that hold back the creation of one of these accounts or contacts. */
async function loadMatches(database: Database, ids: ReadonlyArray<string>): Promise<Array<Row<typeof conflicts>>> {
  const rows = await database.db
    .select()
    .from(conflicts)
    .where(and(isQuestion, eq(conflicts.kind, "match")))
    .limit(matchesMax);
  const wanted = new Set(ids);
  return rows.filter((row) => {
    // Written by conflictRow only.
    const { detail } = row.clear as Pick<Conflict, "detail">;
    return subjectsOf({ canonicalId: row.canonicalId, detail }).some((id) => wanted.has(id));
  });
}

async function loadRefusals(database: Database, sealing: Sealing, ids: ReadonlyArray<string>) {
  const rows = await database.selectIn(deadLetters, "canonicalId", ids, {
    name: "refused pushes",
    condition: sql`${deadLetters.move} = 'push' and ${deadLetters.state} = 'open' and ${deadLetters.remoteId} = ''`,
    params: {},
  });
  return rows.flatMap((row) => {
    const key = sealing.keys.get(row.canonicalId);
    if (row.sealed === null || key === undefined) return [];
    // Written by saveDeadLetters only.
    const { value } = sealing.sealer.open(key, "dead letter", row.sealed) as { readonly value: Value };
    return [{ canonicalId: row.canonicalId, connection: row.connection, field: row.field, value: value ?? null }];
  });
}

export interface SaveContext {
  readonly now: number;
  readonly newId: (prefix: string) => string;
  readonly settings: Settings;
}

/** Fewer new accounts and contacts are sealed sooner than a thread is asked. */
const bulkMin = 200;

/** Writes back everything that the decision changed. */
export async function saveWorld(
  database: Database,
  sealing: WorldSealing,
  world: World,
  context: SaveContext,
): Promise<void> {
  const parts = partsOf(world);
  const bulk = parts.created.length >= bulkMin ? sealing.sealer.bulk() : undefined;
  const rows = recordRows(bulk === undefined ? sealing : { ...sealing, bulk }, world, parts);
  bulk?.flush();
  // What needs no seal goes in while a thread may still be sealing.
  await saveKeys(database, sealing, world, parts.changed);
  await saveWords(database, sealing, world, parts.created, parts.changed);
  await saveLinks(database, parts);
  await bulk?.settled();
  await saveRecords(database, rows);
  await database.insert(
    conflicts,
    [...world.changedConflicts.keys()].map((conflict) => conflictRow(sealing, conflict)),
    "replace",
  );
  await database.insert(
    meetings,
    [...world.newMeetings].map(([canonicalId, run]) => ({ canonicalId, run })),
    "ignore",
  );
  await database.remove(
    meetings,
    ["canonicalId"],
    [...world.metMeetings].map((canonicalId) => ({ canonicalId })),
  );
  await database.insert(
    sent,
    [...world.changedSent.keys()].map((entry) => sentRow(sealing, entry)),
    "replace",
  );
  await saveDue(database, world, context);
  await saveDeadLetters(database, sealing, world, context);
  // Last: whoever numbers the log of a database that many share holds the others up until it ends.
  await database.insert(changes, rows.changes);
}

interface Parts {
  readonly created: ReadonlyArray<Canonical>;
  readonly changed: ReadonlyArray<Canonical>;
  readonly createdLinks: ReadonlyArray<Link>;
  readonly changedLinks: ReadonlyArray<Link>;
}

function partsOf(world: World): Parts {
  const created: Array<Canonical> = [];
  const changed: Array<Canonical> = [];
  for (const [id, state] of world.changedCanonicals) {
    const canonical = world.canonicals.get(id);
    if (canonical !== undefined) (state === "new" ? created : changed).push(canonical);
  }
  const createdLinks: Array<Link> = [];
  const changedLinks: Array<Link> = [];
  for (const [link, state] of world.changedLinks) (state === "new" ? createdLinks : changedLinks).push(link);
  return { created, changed, createdLinks, changedLinks };
}

type RecordRows = ReturnType<typeof recordRows>;

/** The rows that say what records hold. New accounts and contacts get their keys here. */
function recordRows(sealing: WorldSealing, world: World, parts: Parts) {
  const wrappedKeys: Array<NewRow<typeof dataKeys>> = [];
  const created: Array<NewRow<typeof canonicals>> = [];
  for (const canonical of parts.created) {
    const { dataKey, wrapped } = (sealing.bulk ?? sealing.sealer).newDataKey(canonical.id);
    sealing.keys.set(canonical.id, dataKey);
    wrappedKeys.push({ owner: canonical.id, wrapped });
    created.push(canonicalRow(sealing, canonical));
  }
  return {
    wrappedKeys,
    created,
    changed: parts.changed.map((canonical) => canonicalRow(sealing, canonical)),
    createdShadows: parts.createdLinks.map((link) => shadowRow(sealing, link)),
    changedShadows: parts.changedLinks.map((link) => shadowRow(sealing, link)),
    changes: world.log.map((change) => changeRow(sealing, change)),
  };
}

async function saveRecords(database: Database, rows: RecordRows): Promise<void> {
  await database.insert(dataKeys, rows.wrappedKeys);
  await database.insert(canonicals, rows.created);
  await database.update(
    canonicals,
    ["id"],
    ["state", "mergedInto", "name", "refersTo", "clear", "sealed", "provenance", "updatedAt", "revision"],
    rows.changed,
  );
  await database.insert(shadows, rows.createdShadows);
  await database.insert(shadows, rows.changedShadows, "replace");
}

async function saveKeys(
  database: Database,
  sealing: WorldSealing,
  world: World,
  changed: ReadonlyArray<Canonical>,
): Promise<void> {
  const row = (key: MatchKeyRow) => ({ value: sealing.textOf(key), canonicalId: key.canonicalId });
  const added = world.newKeys.map(row);
  const removed: Array<NewRow<typeof matchKeys>> = [];
  for (const canonical of changed) {
    const { id, entity } = canonical;
    const before = matchKeysOf(entity, world.before.get(id) ?? {});
    const after = canonical.state === "merged" ? [] : matchKeysOf(entity, canonical.values);
    const same =
      (one: { readonly kind: string; readonly value: string }) =>
      (other: { readonly kind: string; readonly value: string }) =>
        one.kind === other.kind && one.value === other.value;
    for (const key of before)
      if (!after.some(same(key))) removed.push(row({ entity, kind: key.kind, value: key.value, canonicalId: id }));
    for (const key of after)
      if (!before.some(same(key))) added.push(row({ entity, kind: key.kind, value: key.value, canonicalId: id }));
  }
  await database.remove(matchKeys, ["value", "canonicalId"], removed);
  await database.insert(matchKeys, inOrderOf("value", added), "ignore");
}

/** Blind values are random: in their order, a page of the file is visited once, not once a row. */
function inOrderOf<K extends string, R extends Readonly<Record<K, string>>>(name: K, rows: Array<R>): Array<R> {
  return rows.sort((one, other) => (one[name] < other[name] ? -1 : 1));
}

/** Whole words of contact names, blind, so that a person can be found without a readable name in the store. */
async function saveWords(
  database: Database,
  sealing: Sealing,
  world: World,
  created: ReadonlyArray<Canonical>,
  changed: ReadonlyArray<Canonical>,
): Promise<void> {
  const renamed = changed.filter(
    (canonical) =>
      canonical.entity === "contact" &&
      !equalValues(world.before.get(canonical.id)?.name ?? null, canonical.values.name ?? null),
  );
  await database.remove(
    words,
    ["canonicalId"],
    renamed.map((canonical) => ({ canonicalId: canonical.id })),
  );
  const rows = [...created, ...renamed]
    .filter((canonical) => canonical.entity === "contact")
    .flatMap((canonical) =>
      wordsOf(displayName("contact", canonical.values)).map((word) => ({
        word: sealing.sealer.blind("word", word),
        canonicalId: canonical.id,
      })),
    );
  await database.insert(words, inOrderOf("word", rows), "ignore");
}

async function saveLinks(database: Database, parts: Parts): Promise<void> {
  await database.insert(links, parts.createdLinks.map(linkRow));
  await database.update(
    links,
    ["id"],
    [
      "canonicalId",
      "state",
      "print",
      "version",
      "modifiedAt",
      "remoteCreatedAt",
      "readBegan",
      "readEnded",
      "settledAt",
      "fetchAfter",
    ],
    parts.changedLinks.map(linkRow),
  );
}

/** Marks who is due, and wakes those who refer to an account that just got a record somewhere. */
async function saveDue(database: Database, world: World, context: SaveContext): Promise<void> {
  const wanted = new Map([...world.due.values()].map((due) => [`${due.connection}\n${due.canonicalId}`, due]));
  const arrived = [...world.arrived].filter((link) => link.state === "live" && link.canonicalId !== null);
  const receives = (connection: string, entity: Entity): boolean =>
    sideOf(context.settings, connection, entity)?.writable === true;
  const referrers = await database.selectIn(canonicals, "refersTo", [
    ...new Set(arrived.map((link) => link.canonicalId ?? "")),
  ]);
  for (const referrer of referrers) {
    if (referrer.state !== "live") continue;
    for (const { connection } of arrived.filter((link) => link.canonicalId === referrer.refersTo)) {
      const key = `${connection}\n${referrer.id}`;
      // Written by canonicalRow only.
      const entity = referrer.entity as Entity;
      if (wanted.has(key) || !receives(connection, entity)) continue;
      wanted.set(key, { canonicalId: referrer.id, connection, entity, reason: "its account or parent is there now" });
    }
  }
  const dues = [...wanted.values()];
  const rows = await database.selectIn(outbox, "canonicalId", [...new Set(dues.map((due) => due.canonicalId))]);
  const known = new Map(rows.map((row) => [`${row.connection}\n${row.canonicalId}`, row]));
  await database.insert(
    outbox,
    dues.map((due) => {
      const row = known.get(`${due.connection}\n${due.canonicalId}`);
      return row === undefined
        ? { ...due, revision: 1, dueAt: context.now, attempts: 0 }
        : { ...row, revision: row.revision + 1, dueAt: Math.min(row.dueAt, context.now) };
    }),
    "replace",
  );
}

const letterKey = (letter: {
  readonly connection: string;
  readonly entity: string;
  readonly canonicalId: string;
  readonly remoteId: string;
  readonly field: string;
  readonly move: string;
}): string =>
  [letter.connection, letter.entity, letter.canonicalId, letter.remoteId, letter.field, letter.move].join("\n");

async function saveDeadLetters(
  database: Database,
  sealing: Sealing,
  world: World,
  context: SaveContext,
): Promise<void> {
  const { now } = context;
  const touched = new Set([...world.healed, ...world.deadLetters].map((letter) => letter.canonicalId));
  const rows = await database.selectIn(deadLetters, "canonicalId", [...touched]);
  if (rows.length === 0 && world.deadLetters.length === 0) return;
  const letters = new Map(rows.map((row) => [letterKey(row), row]));
  const changed = new Set<string>();
  for (const healed of world.healed) {
    // A letter about a record that was not there yet has no remote id.
    for (const key of [letterKey(healed), letterKey({ ...healed, remoteId: "" })]) {
      const row = letters.get(key);
      if (row === undefined || row.state === "closed") continue;
      letters.set(key, { ...row, state: "closed", lastAt: now });
      changed.add(key);
    }
  }
  for (const { value, ...letter } of world.deadLetters) {
    const key = letterKey(letter);
    const row = letters.get(key);
    const dataKey = sealing.keys.get(letter.canonicalId);
    const body = { value: value ?? null };
    const sealed =
      dataKey === undefined
        ? sealing.sealer.sealHub("dead letter", body)
        : sealing.sealer.seal(dataKey, "dead letter", body);
    letters.set(key, {
      ...letter,
      id: row?.id ?? context.newId("ded"),
      state: "open",
      attempts: (row?.attempts ?? 0) + 1,
      firstAt: row?.firstAt ?? now,
      lastAt: now,
      sealed,
    });
    changed.add(key);
  }
  await database.insert(
    deadLetters,
    [...changed].flatMap((key) => letters.get(key) ?? []),
    "replace",
  );
}
