/**
 * The hub under test: the real service over the real store, with a life that can end at any of its waits.
 *
 * A death takes all that was in memory; the store stays as its last transaction left it. Every write to the store may
 * wait a moment before and after, so that lives end and others act in between, and may fail.
 */
import { like } from "drizzle-orm";
import { Effect } from "effect";
import { stringify } from "yaml";
import type { HubConfig } from "../../core/config/hub-config.ts";
import { readConfig } from "../../core/config/read.ts";
import type { Clock, Connector } from "../../core/connector.ts";
import type { Hub } from "../../core/hub/open.ts";
import { settingsOf, writtenSides } from "../../core/hub/setup.ts";
import { type RunningService, startService } from "../../core/hub/start-service.ts";
import { StoreFailed } from "../../core/store/failure.ts";
import { behind, CurrentFence } from "../../core/store/fence.ts";
import { openStore, type Store } from "../../core/store/open.ts";
import { leases } from "../../core/store/tables.ts";
import { createIds } from "../../core/sync/ids.ts";
import type { Nemesis } from "./nemesis.ts";
import type { Random } from "./random.ts";
import { keyField } from "./system.ts";
import type { Timeline } from "./timeline.ts";
import type { Life } from "./wire.ts";

export interface ConnectionWish {
  readonly name: string;
  readonly connector: Connector;
  readonly yaml: Readonly<Record<string, unknown>>;
}

export interface HubOptions {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly nemesis: Nemesis;
  readonly connections: ReadonlyArray<ConnectionWish>;
  readonly policy: Readonly<Record<string, unknown>>;
  /** Where its store is; in memory unless said. */
  readonly place?: string | undefined;
  readonly tell: (line: string, about: string) => void;
}

const signingSecret = "whsec_c2ltdWxhdGlvbi1zZWNyZXQtMDEyMzQ1Njc4OQ==";

export class SimulatedHub {
  readonly #options: HubOptions;
  readonly #config: HubConfig;
  readonly #random: Random;
  #store: Store | undefined;
  #write: Store["database"]["write"] | undefined;
  #append: Store["database"]["append"] | undefined;
  #life: Life | undefined;
  #lives = 0;
  #service: RunningService | undefined;
  #hub: Hub | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#random = options.random;
    this.#config = configOf(options);
  }

  async open(): Promise<void> {
    this.#store = await Effect.runPromise(
      // With one session, all that is asked of a server happens in the order of asking.
      openStore({ place: this.#options.place ?? ":memory:", key: Buffer.alloc(32, 5).toString("base64"), sessions: 1 }),
    );
    const { database } = this.#store;
    const read = database.read.bind(database) as Store["database"]["read"];
    const heldRead: typeof read = (what, body) => this.#held(read(what, body));
    // News of other processes would come by real time, and there is no other process.
    Object.assign(database, { read: heldRead, onNews: () => async () => {} });
    this.#write = database.write.bind(database) as Store["database"]["write"];
    this.#append = database.append.bind(database) as Store["database"]["append"];
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error("the store is not open");
    return this.#store;
  }

  get config(): HubConfig {
    return this.#config;
  }

  life(): Life {
    if (this.#life === undefined) throw new Error("the hub is not alive");
    return this.#life;
  }

  isAlive(): boolean {
    return this.#life?.alive === true;
  }

  /** Null while the hub is dead or has only begun to start. */
  service(): RunningService | null {
    return this.isAlive() ? (this.#service ?? null) : null;
  }

  /** What decisions of people need. */
  hub(): Hub | null {
    return this.isAlive() ? (this.#hub ?? null) : null;
  }

  start(): void {
    if (this.isAlive()) return;
    const { timeline, tell } = this.#options;
    this.#lives += 1;
    const life: Life = { alive: true, number: this.#lives, startedAt: timeline.now() };
    this.#life = life;
    this.#service = undefined;
    tell(`the hub starts (life ${life.number})`, "hub");
    const clock: Clock = {
      now: timeline.now,
      sleep: (ms, signal) => timeline.sleep(ms, life, signal),
    };
    const hub: Hub = {
      config: this.#config,
      store: this.#storeOf(life, clock),
      model: this.#config.model,
      clock,
      log: { info: () => {}, warn: () => {} },
      ids: createIds(clock.now, this.#random.bytes),
      progress: () => {},
      once: false,
      traced: (work) => work,
      settings: settingsOf(this.#config, writtenSides(this.#config)),
      close: async () => {},
    };
    this.#hub = hub;
    const starting = startService({
      hub,
      readConfig: () => ({ config: this.#config, problems: [] }),
      listeners: [
        (event) => {
          timeline.touch();
          if (event.kind === "state" || event.kind === "store") tell(`hub: ${JSON.stringify(event)}`, "hub");
        },
      ],
    });
    starting.then(
      (service) => {
        timeline.touch();
        if (life.alive) this.#service = service;
      },
      (error) => {
        if (!life.alive) return;
        // A store that failed at the very start: whoever runs the hub starts it again.
        tell(`the hub does not start: ${error instanceof Error ? error.message : String(error)}`, "hub");
        this.die();
        timeline.at(timeline.now() + 2_000, () => this.start());
      },
    );
  }

  die(): void {
    const { timeline } = this.#options;
    if (this.#life === undefined) return;
    this.#life.alive = false;
    timeline.drop(this.#life);
    this.#end();
    // The system tells that the process is dead, so that the next one takes its place at once.
    const { database } = this.store;
    const gone = this.#append?.("burying the process", async () => {
      await database.db.delete(leases).where(like(leases.name, "process/%"));
    });
    if (gone !== undefined) void Effect.runPromise(this.#held(gone));
  }

  async close(): Promise<void> {
    if (this.#life !== undefined) {
      this.#life.alive = false;
      this.#options.timeline.drop(this.#life);
    }
    this.#end();
    await this.#store?.close();
  }

  #end(): void {
    this.#service = undefined;
  }

  /** The world waits until the database has answered. */
  #held<A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const { timeline } = this.#options;
    return Effect.gen(function* () {
      const fence = yield* CurrentFence;
      const result = yield* Effect.promise(() => timeline.hold(Effect.runPromise(Effect.result(behind(fence)(work)))));
      return result._tag === "Success" ? result.success : yield* Effect.fail(result.failure);
    });
  }

  /** The store as one life sees it; a new object, as all that is remembered about it in memory is new. */
  #storeOf(life: Life, clock: Clock): Store {
    const { timeline, nemesis } = this.#options;
    const random = this.#random;
    const [write, append] = [this.#write, this.#append];
    const { database } = this.store;
    if (write === undefined || append === undefined) throw new Error("the store is not open");
    const moment = () => Effect.promise(() => (random.chance(0.5) ? clock.sleep(random.int(0, 4)) : Promise.resolve()));
    const guarded = <A>(what: string, work: Effect.Effect<A, StoreFailed>): Effect.Effect<A, StoreFailed> =>
      moment().pipe(
        Effect.andThen(
          Effect.suspend(() => {
            timeline.touch();
            if (!life.alive) return Effect.never;
            return nemesis.storeFails(what)
              ? Effect.fail(new StoreFailed(`${what} failed`, "Nothing; the simulation did it.", undefined))
              : this.#held(work);
          }),
        ),
        Effect.tap(() => moment()),
      );
    const guardedWrite: typeof write = (what, body, kept) =>
      guarded(
        what,
        Effect.suspend(() => {
          if (!nemesis.runsTwice(what)) return write(what, body, kept);
          const givenUp = write(what, () => body().then(() => Promise.reject(new Error("given up"))), kept);
          return Effect.andThen(Effect.ignore(givenUp), write(what, body, kept));
        }),
      );
    const guardedAppend: typeof append = (what, body, told) => guarded(what, append(what, body, told));
    Object.defineProperty(database, "write", { value: guardedWrite, configurable: true });
    Object.defineProperty(database, "append", { value: guardedAppend, configurable: true });
    return { ...this.store };
  }
}

function configOf({ connections, policy }: HubOptions): HubConfig {
  const connectors = new Map(connections.map((one) => [one.connector.system, one.connector]));
  const yaml = {
    hub: { name: "simulation", store: "sqlite:unused.db", timeZone: "UTC" },
    // Nobody else is there to take over.
    serve: { lease: "1m" },
    connections: Object.fromEntries(
      connections.map(({ name, connector, yaml: keys }) => [
        name,
        {
          use: connector.system,
          key: { account: keyField, contact: keyField },
          webhook: { secrets: [signingSecret] },
          pull: { every: "* * * * *" },
          ...keys,
        },
      ]),
    ),
    policy,
  };
  const { config, problems } = readConfig({ text: stringify(yaml), file: "simulation.yaml", env: {}, connectors });
  if (config === null) throw new Error(JSON.stringify(problems));
  return config;
}
