/** What people do: in the systems, and in the hub, where they decide. */
import { Effect } from "effect";
import { editFields, resolve, undo } from "../../core/hub/decisions.ts";
import type { Entity } from "../../core/model/field.ts";
import { listCanonicals, listConflicts } from "../../core/store/browse.ts";
import type { SimulatedHub } from "./hub.ts";
import { type Ledger, tokenOf } from "./ledger.ts";
import type { Nemesis } from "./nemesis.ts";
import type { Step } from "./scenario.ts";
import { type Row, type System, setField } from "./system.ts";
import type { Timeline } from "./timeline.ts";

export interface Town {
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly hub: SimulatedHub;
  readonly nemesis: Nemesis;
  readonly systems: Readonly<Record<string, System>>;
  readonly tell: (line: string, about: string) => void;
}

const editable: Readonly<Record<Entity, ReadonlyArray<string>>> = {
  account: ["Name", "Phone", "Industry", "Employees"],
  contact: ["Last", "Mobile", "Title"],
};
const clearable: Readonly<Record<Entity, ReadonlyArray<string>>> = {
  account: ["Phone", "Industry"],
  contact: ["Mobile", "Title"],
};

/** A value that nobody has entered before. */
export function newValue(ledger: Ledger, field: string, draw: number): unknown {
  const number = ledger.nextNumber();
  const phone = `+4930${1_000_000 + number}`;
  switch (field) {
    case "Name":
      return draw < 0.5 ? `N${number} Electric` : `N${number} Shanghai Electric Group`;
    case "Phone":
    case "Mobile":
      return phone;
    case "Industry":
      return `I${number} Machinery`;
    case "Employees":
      return 1_000_000 + number;
    case "Title":
      return draw < 0.04 ? `T${number} refused` : `T${number} Buyer`;
    case "Last":
      return `L${number}son`;
    default:
      throw new Error(`nobody enters ${field}`);
  }
}

export function newAccount(ledger: Ledger, domain: string, draw: number): Readonly<Record<string, unknown>> {
  return {
    Domain: domain,
    Name: newValue(ledger, "Name", draw),
    ...(draw < 0.7 ? { Phone: newValue(ledger, "Phone", draw) } : {}),
    ...(draw > 0.4 ? { Industry: newValue(ledger, "Industry", draw) } : {}),
    [setField]: draw < 0.5 ? [tagOf(ledger)] : [tagOf(ledger), tagOf(ledger)],
  };
}

const tagOf = (ledger: Ledger): string => `E${ledger.nextNumber()}`;

const of = <A>(items: ReadonlyArray<A>, draw: number): A | undefined => items[Math.floor(draw * items.length)];

export async function act(town: Town, step: Step): Promise<void> {
  const system = town.systems[step.system];
  if (system === undefined) return;
  const [one, two, three] = step.draw;
  switch (step.act) {
    case "create account":
      system.create("account", newAccount(town.ledger, `company-${town.ledger.nextNumber()}.com`, one));
      return;
    case "create contact":
      return createContact(town, system, one);
    case "edit": {
      const row = someRow(system, one);
      const field = row === undefined ? undefined : of(editable[row.entity], two);
      if (row !== undefined && field !== undefined) system.edit(row, field, newValue(town.ledger, field, three));
      return;
    }
    case "same edit":
      return sameEdit(town, step);
    case "delete while edited":
      return deleteWhileEdited(town, step);
    case "clear": {
      const row = someRow(system, one);
      const field = row === undefined ? undefined : of(clearable[row.entity], two);
      if (row !== undefined && field !== undefined) system.edit(row, field, null);
      return;
    }
    case "tags": {
      const row = of(system.live("account"), one);
      if (row === undefined) return;
      const held = row.fields.get(setField)?.value;
      const tags = Array.isArray(held) ? held.map(String) : [];
      system.edit(row, setField, two < 0.6 || tags.length === 0 ? [...tags, tagOf(town.ledger)] : tags.slice(1));
      return;
    }
    case "delete": {
      const row = someRow(system, one);
      if (row !== undefined) system.remove(row);
      return;
    }
    case "pin":
      return pin(town, one, two);
    case "resolve":
      return answer(town, one, two);
    case "undo":
      return takeBack(town, one);
    case "clone": {
      const row = of(system.live("account"), one);
      const domain = row?.fields.get("Domain")?.value;
      if (typeof domain === "string") system.create("account", newAccount(town.ledger, domain, two));
      return;
    }
    case "merge":
      return merge(town, system, one);
    case "edit all":
      for (const row of system.live("account")) {
        const field = two < 0.7 ? "Industry" : "Phone";
        system.edit(row, field, two < 0.2 ? null : newValue(town.ledger, field, three));
      }
      return;
  }
}

/** Two records of one company become one, and the people of the one that goes come along. */
function merge(town: Town, system: System, draw: number): void {
  const byDomain = Map.groupBy(system.live("account"), (row) => String(row.fields.get("Domain")?.value));
  const twins = of(
    [...byDomain.values()].filter((rows) => rows.length > 1),
    draw,
  );
  const [stays, goes] = draw < 0.5 ? (twins ?? []) : (twins ?? []).toReversed();
  if (stays === undefined || goes === undefined) return;
  town.nemesis.note(
    "merge in a system",
    `${system.name}/${goes.id} goes into ${stays.id}`,
    `${system.name}/${goes.id}`,
  );
  for (const person of system.live("contact"))
    if (person.fields.get("Company")?.value === goes.id) system.edit(person, "Company", stays.id);
  system.remove(goes, stays.id);
}

/** Somebody looks after what a brake holds. */
export async function answerBrakes(town: Town, release: boolean): Promise<void> {
  const hub = town.hub.hub();
  if (hub === null) return;
  const open = await Effect.runPromise(
    listConflicts({ store: town.hub.store, model: hub.model }, { limit: 100, open: true }),
  );
  for (const { id, kind, connection } of open) {
    if (kind !== "brake") continue;
    town.nemesis.note("brake", `${connection}: a person ${release ? "lets it go" : "rejects it"}`, "hub");
    const answered = resolve(hub, "person", id, { kind: release ? "release" : "reject" });
    decide(
      town,
      `a person answers the brake of ${connection}`,
      Effect.tap(answered, () =>
        Effect.sync(() =>
          town.hub
            .service()
            ?.lane(connection ?? "")
            ?.ring("inbox"),
        ),
      ),
    );
  }
}

function someRow(system: System, draw: number): Row | undefined {
  return of([...system.live("account"), ...system.live("contact")], draw);
}

function createContact(town: Town, system: System, draw: number): void {
  const account = of(system.live("account"), draw);
  const number = town.ledger.nextNumber();
  system.create("contact", {
    First: "Kim",
    Last: newValue(town.ledger, "Last", draw),
    Mail: `kim${number}@people-${number}.com`,
    ...(account === undefined ? {} : { Company: account.id }),
    ...(draw < 0.6 ? { Title: newValue(town.ledger, "Title", draw) } : {}),
  });
}

type Copy = { readonly system: System; readonly row: Row };

/** The records of one account, in several systems. */
function sharedRows(town: Town, draw: number): ReadonlyArray<Copy> {
  const domains = new Map<string, Array<Copy>>();
  for (const system of Object.values(town.systems))
    for (const row of system.live("account")) {
      const domain = String(row.fields.get("Domain")?.value);
      domains.set(domain, [...(domains.get(domain) ?? []), { system, row }]);
    }
  const shared = [...domains.values()].filter((rows) => rows.length > 1);
  return of(shared, draw) ?? [];
}

/** One person deletes an account while another one edits it elsewhere. */
function deleteWhileEdited(town: Town, step: Step): void {
  const [one, two, three] = step.draw;
  const [first, second] = sharedRows(town, one);
  if (first === undefined || second === undefined) return;
  const [deleted, edited] = two < 0.5 ? [first, second] : [second, first];
  deleted.system.remove(deleted.row);
  town.timeline.at(town.timeline.now() + Math.floor(three * 1_500), () => {
    if (edited.row.deletedAt === null)
      edited.system.edit(edited.row, "Industry", newValue(town.ledger, "Industry", three));
  });
}

/** Two people in two systems change one field of one account at nearly the same time. */
function sameEdit(town: Town, step: Step): void {
  const [one, two, three] = step.draw;
  const shared = sharedRows(town, one);
  const field = of(editable.account, two);
  if (shared.length === 0 || field === undefined) return;
  for (const { system, row } of shared.slice(0, three < 0.5 ? 2 : 3))
    town.timeline.at(town.timeline.now() + Math.floor(three * 2_000 * (system.name.charCodeAt(0) - 96)), () => {
      if (row.deletedAt === null) system.edit(row, field, newValue(town.ledger, field, three));
    });
}

/** A decision is a short transaction beside the running hub; it fails where the hub is down. */
function decide(town: Town, what: string, work: Effect.Effect<unknown, unknown>): void {
  Effect.runPromise(Effect.result(work)).then((outcome) => {
    town.timeline.touch();
    town.tell(
      `${what}: ${outcome._tag === "Success" ? JSON.stringify(outcome.success) : String(outcome.failure)}`,
      "hub",
    );
  });
}

async function pin(town: Town, one: number, two: number): Promise<void> {
  const hub = town.hub.hub();
  if (hub === null) return;
  const found = await Effect.runPromise(
    listCanonicals({ store: town.hub.store, model: hub.model }, { entity: "account", limit: 100 }),
  );
  const canonical = of(
    found.filter((row) => row.state === "live"),
    one,
  );
  if (canonical === undefined) return;
  const [field, remote] = two < 0.5 ? (["industry", "Industry"] as const) : (["name", "Name"] as const);
  const value = String(newValue(town.ledger, remote, 0.1));
  const base = canonical.values[field] ?? null;
  const edit = town.ledger.note({
    system: "hub",
    entity: "account",
    record: canonical.id,
    field: remote,
    kind: "value",
    token: tokenOf(value) ?? "",
    at: town.timeline.now(),
    onEmpty: base === null,
    seen: town.ledger.made(tokenOf(base) ?? "")?.past ?? new Set(),
  });
  edit.read = true;
  // It counts when the hub has said that it is done.
  edit.accepted = false;
  decide(
    town,
    `a person sets ${field} of ${canonical.id} to ${value}`,
    Effect.tap(
      editFields(hub, "person", { id: canonical.id, fields: [{ field, value, base }], hold: false }),
      (outcomes) =>
        Effect.sync(() => {
          edit.accepted = outcomes.every(({ outcome }) => outcome.kind === "done");
        }),
    ),
  );
}

async function answer(town: Town, one: number, two: number): Promise<void> {
  const hub = town.hub.hub();
  if (hub === null) return;
  const open = await Effect.runPromise(
    listConflicts({ store: town.hub.store, model: hub.model }, { limit: 100, open: true }),
  );
  const conflict = of(
    open.filter((row) => row.kind === "value"),
    one,
  );
  if (conflict === undefined) return;
  const candidate = of(conflict.candidates, two);
  if (candidate === undefined) return;
  decide(
    town,
    `a person answers ${conflict.id} with ${JSON.stringify(candidate.value)}`,
    resolve(hub, "person", conflict.id, { kind: "value", value: candidate.value, hold: false }),
  );
}

async function takeBack(town: Town, one: number): Promise<void> {
  const hub = town.hub.hub();
  if (hub === null) return;
  const rows = await Effect.runPromise(listConflicts({ store: town.hub.store, model: hub.model }, { limit: 100 }));
  const conflict = of(
    rows.filter((row) => row.kind === "value" && row.state === "settled"),
    one,
  );
  if (conflict === undefined) return;
  decide(town, `a person undoes ${conflict.id}`, undo(hub, "person", conflict.id));
}
