/** An engine over an in-memory (or file) store and toy systems, with a clock that the test moves. */
import { isNull, ne } from "drizzle-orm";
import { Effect } from "effect";
import type { Clock, Page, Tools } from "../../core/connector.ts";
import { type Answer, decideAnswer } from "../../core/model/answers.ts";
import type { EditOutcome } from "../../core/model/edits.ts";
import type { Entity, Model } from "../../core/model/field.ts";
import { modelOf } from "../../core/model/fields.ts";
import type { Moment } from "../../core/model/moment.ts";
import type { Chain, Policy } from "../../core/model/policy.ts";
import { readNames, type Settings, sideKey } from "../../core/model/settings.ts";
import { type ChangeRow, type Conflict, type Link, subjectsOf, type World } from "../../core/model/world.ts";
import {
  listCanonicals,
  listConflicts,
  listDeadLetters,
  readHistory,
  readSheet,
  type Shelf,
} from "../../core/store/browse.ts";
import { openStore, type Store } from "../../core/store/open.ts";
import { conflictOf } from "../../core/store/rows.ts";
import { conflicts, sent } from "../../core/store/tables.ts";
import { loadWorld, saveWorld } from "../../core/store/world-store.ts";
import { type Applied, applyPage } from "../../core/sync/apply.ts";
import { type ConnectionSetup, connect } from "../../core/sync/connect.ts";
import type { Engine, LiveConnection } from "../../core/sync/engine.ts";
import { createIds } from "../../core/sync/ids.ts";
import { type SyncReport, sync } from "../../core/sync/sync.ts";
import { Toy, type ToyOptions, toyConnector } from "./toy-system.ts";

export interface TestClock extends Clock {
  advance: (ms: number) => void;
}

/** Every look at the clock takes a millisecond, so that reads and writes have an order. */
export function testClock(start = Date.UTC(2026, 0, 5, 9)): TestClock {
  let now = start;
  return {
    now: () => now++,
    sleep: async (ms) => {
      now += ms;
    },
    advance: (ms) => {
      now += ms;
    },
  };
}

export interface ToySetup extends ToyOptions {
  readonly setup?: Partial<ConnectionSetup>;
}

export interface KitOptions {
  readonly systems: Readonly<Record<string, ToySetup>>;
  readonly policy?: { readonly default?: Chain; readonly fields?: Readonly<Record<string, Chain>> };
  readonly file?: string;
  readonly flipsMax?: number;
}

export interface Kit {
  readonly toys: Readonly<Record<string, Toy>>;
  readonly clock: TestClock;
  readonly store: Store;
  readonly engine: Engine;
  readonly toy: (name: string) => Toy;
  readonly sync: (options?: { names?: ReadonlyArray<string>; full?: boolean; pushes?: boolean }) => Promise<SyncReport>;
  /** Syncs until nothing is written any more; fails after a bound. */
  readonly settle: () => Promise<SyncReport>;
  readonly accounts: () => Promise<ReadonlyArray<Readonly<Record<string, unknown>> & { readonly id: string }>>;
  readonly contacts: () => Promise<ReadonlyArray<Readonly<Record<string, unknown>> & { readonly id: string }>>;
  readonly conflicts: (kind?: string) => Promise<ReadonlyArray<Conflict>>;
  readonly deadLetters: () => ReturnType<typeof deadLettersOf>;
  readonly history: (id: string) => Promise<ReadonlyArray<ChangeRow>>;
  /** Links of an account or contact, with their shadows. */
  readonly links: (id: string) => Promise<ReadonlyArray<Link>>;
  /** One decision of a person over these accounts, in its own transaction. */
  readonly decide: <A>(ids: ReadonlyArray<string>, body: (world: World, moment: Moment) => A) => Promise<A>;
  /** Answers the open row of this kind; fails when there is not exactly one. */
  readonly answer: (kind: string, answer: Answer) => Promise<EditOutcome>;
  /** What a system says of these records now, to be applied later. */
  readonly read: (
    name: string,
    ids: ReadonlyArray<string>,
  ) => Promise<Pick<Page, "changes" | "readBegan" | "readEnded">>;
  readonly apply: (name: string, page: Pick<Page, "changes" | "readBegan" | "readEnded">) => Promise<Applied>;
  /** Writes whose outcome is not known. */
  readonly openSent: () => Promise<number>;
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>;
  /** Opens the store again with the same systems, as after a crash. */
  readonly close: () => Promise<void>;
}

const deadLettersOf = (store: Store, model: Model) =>
  Effect.runPromise(listDeadLetters({ store, model }, { limit: 1000 }));

export const allFields: Policy = {
  account: { default: ["newest", { prefer: [] }], fields: {} },
  contact: { default: ["newest", { prefer: [] }], fields: {} },
};

export function setupOf(name: string, toy: Toy, setup: Partial<ConnectionSetup> = {}): ConnectionSetup {
  return {
    name,
    connector: toyConnector(toy),
    config: {},
    push: true,
    deletes: "detach",
    deleteAgainstUpdate: "keep",
    duplicates: "ask",
    quarantineMs: 0,
    skewMs: 0,
    map: {},
    key: { account: "Hub_Id", contact: "Hub_Id" },
    create: {},
    owners: {},
    defaultOwner: undefined,
    country: "DE",
    currency: "EUR",
    brake: { share: 0.05, records: 20, windowMs: 3_600_000 },
    ...setup,
  };
}

export async function createKit(
  options: KitOptions,
  reuse?: { readonly toys: Readonly<Record<string, Toy>>; readonly clock: TestClock; readonly store?: Store },
): Promise<Kit> {
  const clock = reuse?.clock ?? testClock();
  const toys =
    reuse?.toys ??
    Object.fromEntries(
      Object.entries(options.systems).map(([name, system]) => [name, new Toy(`${name}-`, clock.now, system)]),
    );
  const model = modelOf({});
  const store =
    reuse?.store ??
    (await Effect.runPromise(
      openStore({ ...oneByOne, place: await placeOfTest(options.file), key: Buffer.alloc(32, 5).toString("base64") }),
    ));
  const close = await provenAtEnd({ store, model });
  const connections: Array<LiveConnection> = [];
  for (const [name, system] of Object.entries(options.systems)) {
    const toy = toys[name];
    if (toy === undefined) continue;
    // A toy uses none of the tools.
    const connected = await Effect.runPromise(connect(setupOf(name, toy, system.setup), model, {} as Tools));
    connections.push(connected.live);
  }
  const order = Object.keys(options.systems);
  const chain: Chain = options.policy?.default ?? ["newest", { prefer: order }];
  const policy: Policy = {
    account: { default: chain, fields: options.policy?.fields ?? {} },
    contact: { default: chain, fields: options.policy?.fields ?? {} },
  };
  const settings: Settings = {
    model,
    policy,
    order,
    sides: new Map(
      connections.flatMap((live) =>
        [...live.sides].map(([entity, side]) => [sideKey(live.name, entity), side] as const),
      ),
    ),
    match: { account: ["taxId", "domain", "email", "phone"], contact: ["email", "login", "phone"] },
    flipsMax: options.flipsMax ?? 3,
    flipWindowMs: 24 * 3_600_000,
  };
  const engine: Engine = { store, model, settings, connections, clock, ids: createIds(clock.now), progress: () => {} };
  const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect);
  const syncOnce: Kit["sync"] = (given = {}) =>
    run(
      sync(engine, {
        ...(given.names === undefined ? {} : { names: given.names }),
        full: given.full ?? false,
        pushes: given.pushes ?? true,
      }),
    );
  const decide: Kit["decide"] = (ids, body) =>
    run(
      store.database.write("deciding", async () => {
        const wanted = { canonicalIds: ids, withTargets: true };
        const { world, sealing } = await loadWorld(store.database, store.sealer, model, wanted);
        const rows = await store.database.selectIn(conflicts, "canonicalId", [...ids, ""]);
        const brakes = await store.database.db.select().from(conflicts).where(isNull(conflicts.canonicalId));
        for (const row of [...rows, ...brakes]) {
          if (!world.conflicts.has(row.id)) world.conflicts.set(row.id, conflictOf(sealing, row));
          if (row.connection === null || row.remoteId === null) continue;
          const remote = { connection: row.connection, entity: row.entity as Entity, remoteId: row.remoteId };
          world.adopt((await loadWorld(store.database, store.sealer, model, { remotes: [remote] })).world);
        }
        const now = clock.now();
        const moment: Moment = { now, run: engine.ids.next("run"), newId: engine.ids.next, deferMeetings: false };
        const result = body(world, moment);
        await saveWorld(store.database, sealing, world, { now, newId: engine.ids.next, settings });
        return result;
      }),
    );
  const list = async (entity: Entity) => {
    const found = await run(listCanonicals({ store, model }, { entity, limit: 10_000 }));
    return found.map((canonical) => ({ ...canonical.values, id: canonical.id }));
  };
  return {
    toys,
    clock,
    store,
    engine,
    toy: (name) => {
      const toy = toys[name];
      if (toy === undefined) throw new Error(`no system ${name}`);
      return toy;
    },
    sync: syncOnce,
    settle: async () => {
      for (let round = 0; round < 12; round++) {
        const before = Object.values(toys).reduce((sum, toy) => sum + toy.writes.length, 0);
        clock.advance(10_000);
        const report = await syncOnce();
        const after = Object.values(toys).reduce((sum, toy) => sum + toy.writes.length, 0);
        if (after === before && report.outbox === 0) return report;
      }
      throw new Error("the systems do not come to rest");
    },
    accounts: () => list("account"),
    contacts: () => list("contact"),
    conflicts: (kind) =>
      run(listConflicts({ store, model }, { limit: 10_000, ...(kind === undefined ? {} : { kind }) })),
    deadLetters: () => deadLettersOf(store, model),
    history: (id) => run(readHistory({ store, model }, id, { limit: 1000 })),
    links: async (id) => (await run(readSheet({ store, model }, id)))?.links ?? [],
    decide,
    answer: async (kind, answer) => {
      const rows = await run(listConflicts({ store, model }, { limit: 100, kind, open: true }));
      const [row] = rows;
      if (row === undefined || rows.length !== 1) throw new Error(`${rows.length} open rows of kind ${kind}`);
      return decide(subjectsOf(row), (world, moment) =>
        decideAnswer(world, settings, world.conflicts.get(row.id) ?? row, answer, moment),
      );
    },
    read: async (name, ids) => {
      const live = liveOf(connections, name);
      const side = live.sides.get("account");
      return live.api.fetch("account", ids, side === undefined ? [] : readNames(side));
    },
    apply: (name, page) =>
      run(
        applyPage(engine, {
          live: liveOf(connections, name),
          entity: "account",
          page,
          run: "run_test",
          deferMeetings: false,
        }),
      ),
    openSent: () =>
      run(store.database.read("counting", async () => store.database.db.$count(sent, ne(sent.state, "closed")))),
    run,
    close,
  };
}

/** Systems are read at the same time: with one session, which of them is heard first does not hang on the server. */
const oneByOne = { sessions: 1 };

/** Whatever a test does, the log must fold to what the store holds: at its end, or when it closes the store itself. */
const provenAtEnd = async (shelf: Shelf): Promise<() => Promise<void>> =>
  (await import("./engine-place.ts")).provenAtEnd(shelf);

/** Asked only in a test: benchmarks use other parts of this file, without vitest. */
const placeOfTest = async (file?: string): Promise<string> => (await import("./engine-place.ts")).placeFor(file);

function liveOf(connections: ReadonlyArray<LiveConnection>, name: string): LiveConnection {
  const live = connections.find((connection) => connection.name === name);
  if (live === undefined) throw new Error(`no connection ${name}`);
  return live;
}

export { readSheet };
