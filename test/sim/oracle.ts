/**
 * Judges a run that has come to rest, by the oracle's own account of it: nothing here asks the engine whether it is right.
 *
 * P1 no edit is lost · P2 no record is made twice · P3 all fields agree · P4 writes have ended · P5 nothing deleted comes
 * back · P6 what got a 2xx was read · P7 every write has one intent with one outcome · P8 nothing goes beyond a brake
 * unasked · P9 no call beyond a known limit · log: the change log folds to what the store holds.
 */
import type { Entity } from "../../core/model/field.ts";
import type { Value } from "../../core/model/value.ts";
import { type Canonical, isOpen, type Link, subjectsOf } from "../../core/model/world.ts";
import type { Replayed } from "../../core/store/replay.ts";
import { type Edit, type Ledger, tokenOf } from "./ledger.ts";
import type { Nemesis } from "./nemesis.ts";
import { brake } from "./scenario.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Row, type System, setField } from "./system.ts";

export interface Violation {
  readonly property: "P1" | "P2" | "P3" | "P4" | "P5" | "P6" | "P7" | "P8" | "P9" | "log";
  readonly what: string;
  /** Whose story tells how it came. */
  readonly about: ReadonlyArray<string>;
}

/** Honest limits that were met, each justified by a row of the hub's log. */
export interface Limits {
  /** An edit that nobody read may have been overwritten; the log names record and field. */
  overwritten: number;
  /** A write that landed late covered an edit. */
  landedLate: number;
  /** An edit in the gap between the last read and a delete. */
  deleted: number;
  /** A value was entered and emptied between two reads. */
  unseen: number;
  /** An edit in the very second of our write, to a field that the system rewrites. */
  takenForRewrite: number;
  /** A field that was emptied was filled again by a record that the hub met for the first time. */
  filled: number;
  /** Two people, or a person and the hub, made the same record at once. */
  madeTwice: number;
  /**
   * A value was entered over a write of ours whose outcome nobody knew, or within the distance of the clocks: which came
   * first is not known either.
   */
  orderUnknown: number;
}

export interface Evidence {
  readonly systems: Readonly<Record<string, System>>;
  readonly ledger: Ledger;
  readonly nemesis: Nemesis;
  readonly snapshot: Snapshot;
  readonly replayed: Replayed;
  /** The systems have brakes. */
  readonly braked: boolean;
  /** Writes that arrived after everything should have been at rest. */
  readonly lateWrites: number;
}

export interface Judgement {
  readonly violations: ReadonlyArray<Violation>;
  readonly limits: Limits;
}

/** Canonical names of the fields that people enter. */
const canonicalField: Readonly<Record<Entity, Readonly<Record<string, string>>>> = {
  account: { Name: "name", Phone: "phone", Industry: "industry", Employees: "employees", [setField]: "tags" },
  contact: { Last: "name", Mobile: "mobile", Title: "title" },
};

export function judge(evidence: Evidence): Judgement {
  const limits: Limits = {
    overwritten: 0,
    landedLate: 0,
    deleted: 0,
    unseen: 0,
    takenForRewrite: 0,
    filled: 0,
    madeTwice: 0,
    orderUnknown: 0,
  };
  const view = viewOf(evidence);
  const violations = [
    ...lostEdits(evidence, view, limits),
    ...revertedEdits(evidence, view, limits),
    ...doubles(evidence, view, limits),
    ...disagreements(evidence, view, limits),
    ...restless(evidence),
    ...returned(evidence, view),
    ...unread(evidence),
    ...unaccounted(evidence),
    ...unbraked(evidence),
    ...evidence.replayed.differences.map(
      ({ id, what }): Violation => ({ property: "log", what: `${id} is not what the log says: ${what}`, about: [id] }),
    ),
    ...evidence.nemesis.overruns.map(
      (what): Violation => ({ property: "P9", what: `a call too many: ${what}`, about: [] }),
    ),
  ];
  return { violations, limits };
}

/** The snapshot, indexed. */
interface View {
  readonly links: ReadonlyMap<string, Link>;
  readonly linksOf: ReadonlyMap<string, ReadonlyArray<Link>>;
  /** Tokens that the log keeps as lost, replaced by decision or still disputed: by canonical and field. */
  readonly logged: ReadonlySet<string>;
  readonly canonicalOf: (id: string | null) => Canonical | undefined;
}

function viewOf({ snapshot, systems }: Evidence): View {
  const canonicalOf = (id: string | null): Canonical | undefined => {
    let canonical = id === null ? undefined : snapshot.canonicals.get(id);
    for (let hops = 0; canonical?.mergedInto != null && hops < 32; hops++)
      canonical = snapshot.canonicals.get(canonical.mergedInto);
    return canonical;
  };
  const linksOf = new Map<string, Array<Link>>();
  for (const link of snapshot.links) {
    const id = canonicalOf(link.canonicalId)?.id;
    if (id !== undefined) linksOf.set(id, [...(linksOf.get(id) ?? []), link]);
  }
  const logged = new Set<string>();
  const log = (id: string | null, field: string, value: Value): void => {
    const canonical = canonicalOf(id)?.id ?? "";
    for (const token of tokensIn(value)) logged.add(`${canonical}/${field}/${token}`);
  };
  for (const conflict of snapshot.conflicts) {
    const { canonicalId, field, base, result, previous, candidates } = conflict;
    // Only a system that rewrites a field may be said to keep something else.
    const { connection, kind } = conflict;
    const rewrites = field === "industry" && systems[connection ?? ""]?.style.rewrites === true;
    if (kind === "stored-differently" && !rewrites) continue;
    if (field === null) {
      for (const candidate of candidates) log(canonicalId, "*", candidate.value);
      continue;
    }
    for (const value of [base, result, previous]) log(canonicalId, field, value);
    for (const candidate of candidates) log(canonicalId, field, candidate.value);
  }
  for (const change of snapshot.changes) {
    // A plain change is the fate of a superseded edit; whether it was one is what the oracle finds out.
    if (["changed", "created", "filled", "linked", "pushed", "echo"].includes(change.kind)) continue;
    for (const bag of [change.from, change.news, change.set])
      for (const [field, value] of Object.entries(bag ?? {})) log(change.canonicalId, field, value);
  }
  return {
    links: new Map(snapshot.links.map((link) => [`${link.connection}/${link.remoteId}`, link])),
    linksOf,
    logged,
    canonicalOf,
  };
}

/** Tokens of a canonical value; an empty one counts as the token "". */
function tokensIn(value: Value): ReadonlyArray<string> {
  if (value === null) return [""];
  if (typeof value === "object" && !Array.isArray(value))
    return Object.values(value).flatMap((one) => tokenOf(one) ?? []);
  if (Array.isArray(value)) return value.flatMap((one) => (typeof one === "string" ? [tokenOf(one) ?? ""] : []));
  return [tokenOf(value) ?? ""];
}

// ---- P1 ----

function lostEdits(evidence: Evidence, view: View, limits: Limits): ReadonlyArray<Violation> {
  return evidence.ledger.edits.flatMap((edit) => {
    if (!edit.accepted) return [];
    const why = fateOf(evidence, view, edit, limits);
    return why === null
      ? []
      : [
          {
            property: "P1" as const,
            what: `the edit of ${edit.field} in ${edit.system} (${edit.kind} ${edit.token}, ${edit.record}) is lost: ${why}`,
            about: aboutOf(view, edit),
          },
        ];
  });
}

function aboutOf(view: View, edit: Edit): ReadonlyArray<string> {
  const id = edit.system === "hub" ? edit.record : view.links.get(`${edit.system}/${edit.record}`)?.canonicalId;
  const canonical = view.canonicalOf(id ?? null);
  const links = canonical === undefined ? [] : (view.linksOf.get(canonical.id) ?? []);
  return [
    `${edit.system}/${edit.record}`,
    ...(canonical === undefined ? [] : [canonical.id]),
    ...links.map((link) => `${link.connection}/${link.remoteId}`),
  ];
}

/** Null where the edit is where it should be; else what is wrong. */
function fateOf({ ledger, systems, snapshot }: Evidence, view: View, edit: Edit, limits: Limits): string | null {
  const field = canonicalField[edit.entity][edit.field];
  if (field === undefined) return null;
  const row = systems[edit.system]?.rows[edit.entity].get(edit.record);
  // Whoever deletes a record, deletes what stands in it.
  if (row?.deletedBy === "user") return null;
  const link = view.links.get(`${edit.system}/${edit.record}`);
  if (link === undefined && edit.system !== "hub") return "its record was never linked, and no case says why";
  if (link?.state === "held") return isCased(snapshot, link) ? null : "its record is held without a case";
  const canonical = view.canonicalOf(edit.system === "hub" ? edit.record : (link?.canonicalId ?? null));
  if (canonical === undefined) return "its record belongs to no account";
  const value = canonical.values[field] ?? null;
  if (
    edit.kind === "add"
      ? tokensIn(value).includes(edit.token)
      : edit.kind === "remove" && !tokensIn(value).includes(edit.token)
  )
    return null;
  if (edit.kind === "value" && tokensIn(value).includes(edit.token)) return null;
  if (edit.kind === "clear" && value === null) return null;
  const isSuperseded =
    edit.kind === "add"
      ? ledger.edits.some((other) => other.kind === "remove" && other.token === edit.token && other.accepted)
      : edit.kind !== "remove" &&
        ledger.edits.some((other) => other.id !== edit.id && other.accepted && other.past.has(edit.id));
  if (isSuperseded || (edit.kind === "clear" && isFilledAgain(ledger, view, canonical, edit))) return null;
  if (edit.kind === "clear" && ledger.made(edit.token)?.read === false) {
    limits.unseen += 1;
    return null;
  }
  if (edit.kind === "clear" && isFilledByMeeting(snapshot, view, canonical, field, edit)) {
    limits.filled += 1;
    return null;
  }
  const token = edit.kind === "clear" ? "" : edit.token;
  const isLogged = [field, "*"].some((name) => view.logged.has(`${canonical.id}/${name}/${token}`));
  if (isLogged) return null;
  if (!edit.read && isWarned(snapshot, view, canonical, edit, limits)) return null;
  if (row?.deletedBy === "hub" && !edit.read) {
    limits.deleted += 1;
    return null;
  }
  return `the account holds ${JSON.stringify(value)}${edit.read ? ", though it was read" : ", and it was never read"}`;
}

/** Somebody who saw the field empty has entered a value since. */
const isFilledAgain = (ledger: Ledger, view: View, canonical: Canonical, cleared: Edit): boolean =>
  ledger.edits.some((edit) => {
    if (!edit.accepted || !edit.onEmpty || edit.field !== cleared.field || edit.at <= cleared.at) return false;
    const id = edit.system === "hub" ? edit.record : view.links.get(`${edit.system}/${edit.record}`)?.canonicalId;
    return view.canonicalOf(id ?? null)?.id === canonical.id;
  });

/** D21: a value beats an empty one where two records meet; the load's summary has it, and can be undone. */
const isFilledByMeeting = (snapshot: Snapshot, view: View, canonical: Canonical, field: string, edit: Edit): boolean =>
  snapshot.changes.some(
    (change) =>
      change.kind === "filled" &&
      change.at >= edit.at &&
      change.set?.[field] != null &&
      view.canonicalOf(change.canonicalId)?.id === canonical.id,
  );

const isCased = (snapshot: Snapshot, link: Link): boolean =>
  snapshot.conflicts.some((row) => isOpen(row) && row.connection === link.connection && row.remoteId === link.remoteId);

/** The log names record and field, and a time window in which the edit lies (L1, L2). */
function isWarned(snapshot: Snapshot, view: View, canonical: Canonical, edit: Edit, limits: Limits): boolean {
  const field = canonicalField[edit.entity][edit.field];
  const row = snapshot.conflicts.find(
    ({ kind, connection, canonicalId, field: named, openedAt }) =>
      (kind === "overwrite" || kind === "late") &&
      connection === edit.system &&
      view.canonicalOf(canonicalId)?.id === canonical.id &&
      (named === null || named === field) &&
      openedAt >= edit.at,
  );
  if (row === undefined) return false;
  if (row.kind === "late") limits.landedLate += 1;
  else limits.overwritten += 1;
  return true;
}

/** The hub put a value back that somebody had knowingly replaced, and no person had asked for it. */
function revertedEdits({ systems, snapshot }: Evidence, view: View, limits: Limits): ReadonlyArray<Violation> {
  return Object.values(systems).flatMap((system) =>
    system.reverts.flatMap(({ at, entity, record, field, token, over }): ReadonlyArray<Violation> => {
      const name = canonicalField[entity][field];
      const canonical = view.canonicalOf(view.links.get(`${system.name}/${record}`)?.canonicalId ?? null);
      if (name === undefined || canonical === undefined) return [];
      // What a person takes back or decides, and what a war is about, goes back on purpose.
      const isWanted = snapshot.conflicts.some(
        (row) =>
          row.field === name &&
          view.canonicalOf(row.canonicalId)?.id === canonical.id &&
          (row.kind === "freeze" ||
            row.kind === "late" ||
            row.state !== "settled" ||
            row.rule === "person" ||
            // L6: of three candidates the rules may choose one that another one's author had seen; the row has both.
            row.candidates.length > 2),
      );
      const isOrderUnknown =
        snapshot.audit.some(
          (row) =>
            row.action === "outcome unknown" && row.subject === `${system.name}/${entity}/${record}` && row.at <= at,
        ) &&
        snapshot.conflicts.some(
          (row) =>
            row.field === name &&
            view.canonicalOf(row.canonicalId)?.id === canonical.id &&
            [token, over].every((one) => row.candidates.some((candidate) => tokensIn(candidate.value).includes(one))),
        );
      // What a person has rejected as a whole goes back.
      const isRejected = snapshot.conflicts.some(
        (row) =>
          row.kind === "brake" && row.connection === system.name && row.winner === "reject" && row.openedAt <= at,
      );
      if (isRejected || isWanted || (field === "Phone" && Object.values(systems).some(({ stubborn }) => stubborn)))
        return [];
      // D20: with clocks that may be apart, an edit soon after another one is not provably later.
      const isWithinSkew =
        Object.values(systems).some(({ style }) => (style.skewMs ?? 0) !== 0) &&
        snapshot.changes.some(
          (change) =>
            change.kind === "overruled" &&
            view.canonicalOf(change.canonicalId)?.id === canonical.id &&
            tokensIn(change.news?.[name] ?? null).includes(over),
        );
      if (isOrderUnknown || isWithinSkew) {
        limits.orderUnknown += 1;
        return [];
      }
      const about = [
        canonical.id,
        ...(view.linksOf.get(canonical.id) ?? []).map((link) => `${link.connection}/${link.remoteId}`),
      ];
      const when = ((at % 86_400_000) / 1000).toFixed(1);
      return [
        {
          property: "P1",
          what: `the hub put ${field} of ${system.name}/${record} back from ${over} to ${token} (${when})`,
          about,
        },
      ];
    }),
  );
}

// ---- P2 ----

function doubles({ systems, snapshot }: Evidence, view: View, limits: Limits): ReadonlyArray<Violation> {
  const found: Array<Violation> = [];
  for (const system of Object.values(systems)) {
    for (const entity of ["account", "contact"] as const) {
      const groups = new Map<string, Array<Row>>();
      for (const row of system.live(entity)) {
        const name = String(row.fields.get(entity === "account" ? "Domain" : "Mail")?.value);
        groups.set(name, [...(groups.get(name) ?? []), row]);
      }
      for (const rows of groups.values()) {
        if (rows.length < 2) continue;
        const names = rows.map((row) => `${system.name}/${row.id}`);
        const hubs = rows.filter((row) => row.madeBy === "hub");
        const isOpenCase = rows.some((row) => {
          const link = view.links.get(`${system.name}/${row.id}`);
          return link?.state === "held" && isCased(snapshot, link);
        });
        if (hubs.length > 1) found.push({ property: "P2", what: `the hub made ${names.join(" and ")}`, about: names });
        else if (!isOpenCase)
          found.push({ property: "P2", what: `${names.join(" and ")} are one and no case says so`, about: names });
        else limits.madeTwice += 1;
      }
    }
  }
  return found;
}

// ---- P3 ----

function disagreements({ systems, snapshot }: Evidence, view: View, limits: Limits): ReadonlyArray<Violation> {
  const found: Array<Violation> = [];
  for (const canonical of snapshot.canonicals.values()) {
    if (canonical.state !== "live") continue;
    const links = view.linksOf.get(canonical.id) ?? [];
    const hasCase = snapshot.conflicts.some(
      (row) =>
        isOpen(row) &&
        row.field === null &&
        (view.canonicalOf(row.canonicalId)?.id === canonical.id ||
          subjectsOf(row).includes(canonical.id) ||
          links.some((link) => link.connection === row.connection && link.remoteId === row.remoteId)),
    );
    for (const system of Object.values(systems)) {
      const here = links.filter((link) => link.connection === system.name);
      if (
        here.length === 0 &&
        !hasCase &&
        !isRefused(snapshot, canonical, system.name, null) &&
        hasHome(systems, links)
      ) {
        const about = [canonical.id, ...links.map((link) => `${link.connection}/${link.remoteId}`)];
        found.push({ property: "P3", what: `${canonical.id} was never made in ${system.name}`, about });
      }
      for (const link of here) {
        if (link.state !== "live") continue;
        const row = system.rows[canonical.entity].get(link.remoteId);
        const about = [canonical.id, ...links.map((one) => `${one.connection}/${one.remoteId}`)];
        if (row === undefined || row.deletedAt !== null) {
          if (!hasCase)
            found.push({ property: "P3", what: `${system.name}/${link.remoteId} is linked and gone`, about });
          continue;
        }
        for (const [remote, field] of Object.entries(canonicalField[canonical.entity])) {
          const there = row.fields.get(remote)?.value ?? null;
          const expected = imageOf(system, field, canonical.values[field] ?? null);
          if (sameTokens(there, expected)) continue;
          if (isDisputed(snapshot, view, canonical, field)) continue;
          if (isRefused(snapshot, canonical, system.name, field)) continue;
          if (isDefault(snapshot, link, field, there)) continue;
          if (field === "industry" && system.style.rewrites && isTakenForRewrite(snapshot, link, field, there)) {
            limits.takenForRewrite += 1;
            continue;
          }
          found.push({
            property: "P3",
            what: `${remote} of ${system.name}/${row.id} is ${JSON.stringify(there)}, the account holds ${JSON.stringify(canonical.values[field] ?? null)}`,
            about,
          });
        }
      }
    }
  }
  return found;
}

/** Somebody still has it; what was deleted everywhere and only detached is nobody's to make. */
const hasHome = (systems: Evidence["systems"], links: ReadonlyArray<Link>): boolean =>
  links.some(
    (link) =>
      link.state === "live" && systems[link.connection]?.rows[link.entity].get(link.remoteId)?.deletedAt === null,
  );

function imageOf(system: System, field: string, value: Value): Value {
  const { tagsMax } = system.style;
  return field === "tags" && Array.isArray(value) && tagsMax !== null ? [...value].sort().slice(0, tagsMax) : value;
}

function sameTokens(there: unknown, expected: Value): boolean {
  const mine = Array.isArray(there) ? there.map((one) => tokenOf(one) ?? "") : [tokenOf(there) ?? ""];
  const left = mine.filter((token) => token !== "").sort();
  const right = tokensIn(expected)
    .filter((token) => token !== "")
    .sort();
  return left.join() === right.join();
}

const isDisputed = (snapshot: Snapshot, view: View, canonical: Canonical, field: string): boolean =>
  snapshot.conflicts.some(
    (row) => isOpen(row) && row.field === field && view.canonicalOf(row.canonicalId)?.id === canonical.id,
  );

/** D4: what a system, or somebody in that very moment, filled in on our create stays there, and the log keeps it. */
const isDefault = (snapshot: Snapshot, link: Link, field: string, there: unknown): boolean =>
  snapshot.changes.some(
    (change) =>
      change.kind === "noted" &&
      change.connection === link.connection &&
      change.remoteId === link.remoteId &&
      change.from?.[field] === null &&
      sameTokens(there, change.news?.[field] ?? null),
  );

/** D4: an edit in the very second of our write to a field that the system rewrites; the log keeps it (L4). */
const isTakenForRewrite = (snapshot: Snapshot, link: Link, field: string, there: unknown): boolean =>
  snapshot.conflicts.some(
    (row) =>
      row.kind === "stored-differently" &&
      row.connection === link.connection &&
      row.remoteId === link.remoteId &&
      row.field === field &&
      row.candidates.some((candidate) => sameTokens(there, candidate.value)),
  );

const isRefused = (snapshot: Snapshot, canonical: Canonical, connection: string, field: string | null): boolean =>
  snapshot.deadLetters.some(
    (letter) =>
      letter.state === "open" &&
      letter.canonicalId === canonical.id &&
      letter.connection === connection &&
      (field === null || letter.field === field || letter.field === ""),
  );

// ---- P4, P5, P6 ----

const restless = ({ lateWrites, snapshot }: Evidence): ReadonlyArray<Violation> => [
  ...(lateWrites === 0
    ? []
    : [{ property: "P4" as const, what: `${lateWrites} writes came after everything was at rest`, about: [] }]),
  ...(snapshot.outbox === 0 ? [] : [{ property: "P4" as const, what: `${snapshot.outbox} rows stay due`, about: [] }]),
];

/** A record that a person deleted, and that the hub made anew in the same system afterwards. */
function returned({ systems, snapshot }: Evidence, view: View): ReadonlyArray<Violation> {
  const found: Array<Violation> = [];
  for (const system of Object.values(systems)) {
    for (const entity of ["account", "contact"] as const) {
      for (const row of system.rows[entity].values()) {
        if (row.deletedBy !== "user" || row.mergedInto !== null) continue;
        const id = view.links.get(`${system.name}/${row.id}`)?.canonicalId ?? row.hubId;
        const canonical = view.canonicalOf(id);
        if (canonical === undefined) continue;
        const again = [...system.rows[entity].values()].find(
          (other) =>
            other.madeBy === "hub" &&
            view.canonicalOf(other.hubId)?.id === canonical.id &&
            other.createdAt > (row.deletedAt ?? 0),
        );
        if (again === undefined) continue;
        // A record that was gone before anybody had read it was never known to be this account's.
        const isKnown = snapshot.links.some((link) => link.connection === system.name && link.remoteId === row.id);
        if (isKnown)
          found.push({
            property: "P5",
            what: `${system.name}/${row.id} was deleted, and the hub made ${again.id} in its place`,
            about: [`${system.name}/${row.id}`, `${system.name}/${again.id}`, canonical.id],
          });
      }
    }
  }
  return found;
}

const unread = ({ snapshot }: Evidence): ReadonlyArray<Violation> =>
  snapshot.inbox
    .filter((row) => row.state !== "read")
    .map((row) => ({ property: "P6" as const, what: `a call of ${row.connection} is ${row.state}`, about: [] }));

// ---- P7 ----

function unaccounted({ systems, snapshot }: Evidence): ReadonlyArray<Violation> {
  const found: Array<Violation> = [];
  const intents = new Map<string, number>();
  const outcomes = new Map<string, number>();
  const subjects = new Map<string, number>();
  for (const { action, subject, intent } of snapshot.audit) {
    if (intent === null) continue;
    if (action.startsWith("write ")) {
      intents.set(intent, (intents.get(intent) ?? 0) + 1);
      subjects.set(subject, (subjects.get(subject) ?? 0) + 1);
    } else outcomes.set(intent, (outcomes.get(intent) ?? 0) + 1);
  }
  for (const [intent, count] of intents) {
    const ended = outcomes.get(intent) ?? 0;
    if (count === 1 && ended === 1) continue;
    found.push({
      property: "P7",
      what: `the intent ${intent} is noted ${count} times and has ${ended} outcomes`,
      about: ["audit"],
    });
  }
  for (const intent of outcomes.keys())
    if (!intents.has(intent))
      found.push({ property: "P7", what: `an outcome of ${intent}, which nobody intended`, about: [] });
  for (const system of Object.values(systems)) {
    const arrived = new Map<string, number>();
    for (const { operation } of system.arrivals) {
      const subject = `${system.name}/${operation.entity}/${operation.kind === "create" ? operation.hubId : operation.id}`;
      arrived.set(subject, (arrived.get(subject) ?? 0) + 1);
    }
    for (const [subject, count] of arrived)
      if (count > (subjects.get(subject) ?? 0))
        found.push({
          property: "P7",
          what: `${count} writes to ${subject} arrived, ${subjects.get(subject) ?? 0} were intended`,
          about: [subject],
        });
  }
  return found;
}

// ---- P8 ----

/**
 * The accounts and contacts that one system has overwritten, blanked or deleted within the window, by the change log:
 * more than its brake allows only where a person was asked and let it go. What a meeting or a conflict has settled is
 * no doing of the source.
 */
function unbraked({ braked, snapshot, systems }: Evidence): ReadonlyArray<Violation> {
  if (!braked) return [];
  return Object.keys(systems).flatMap((name) => {
    const asked = snapshot.conflicts.filter((row) => row.kind === "brake" && row.connection === name);
    return (["overwrites", "blanks", "deletes"] as const).flatMap((kind): ReadonlyArray<Violation> => {
      const marks = snapshot.changes.filter((change) => change.connection === name && marked(change) === kind);
      for (const last of marks) {
        const since = last.at - brake.windowMs;
        const within = marks.filter((one) => one.at > since && one.at <= last.at);
        const count = new Set(within.map((one) => (kind === "deletes" ? one.remoteId : one.canonicalId))).size;
        const wasAsked = asked.some((row) => row.updatedAt >= since && row.openedAt <= last.at);
        if (count <= brake.records || wasAsked) continue;
        const what = `${name} did ${count} ${kind} within ${brake.windowMs / 1000} s, and nobody was asked`;
        return [{ property: "P8", what, about: [last.canonicalId ?? ""] }];
      }
      return [];
    });
  });
}

function marked({ kind, note, from, set }: Snapshot["changes"][number]): "overwrites" | "blanks" | "deletes" | null {
  if (kind === "deleted") return "deletes";
  if (kind !== "changed" || note?.by !== undefined || note?.conflict !== undefined) return null;
  const replaced = Object.entries(from ?? {}).filter(([, value]) => value !== null);
  if (replaced.length === 0) return null;
  return replaced.some(([field]) => (set?.[field] ?? null) === null) ? "blanks" : "overwrites";
}
