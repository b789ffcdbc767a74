/**
 * The way between the hub and a system: how long a call takes and what gets lost, and the connector that makes the calls.
 *
 * A call that was sent arrives whether or not the hub that sent it still lives; only the answer needs somebody to hear
 * it. The connector keeps the system's limit with the hub's own gates.
 */
import {
  AuthFailed,
  type Change,
  type Connection,
  type Connector,
  codec,
  type EntityMap,
  type Operation,
  RateLimited,
  type Result,
  Schema,
  Unavailable,
} from "../../core/connector.ts";
import type { Entity } from "../../core/model/field.ts";
import { createGates, type Gates } from "../../core/net/limits.ts";
import { type Ledger, tokenOf } from "./ledger.ts";
import type { Nemesis } from "./nemesis.ts";
import type { Random } from "./random.ts";
import { keyField, type System, setField } from "./system.ts";
import type { Timeline } from "./timeline.ts";

/** One life of the hub, from its start to its death. */
export interface Life {
  alive: boolean;
  readonly number: number;
  readonly startedAt: number;
}

export interface WireOptions {
  readonly system: System;
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly nemesis: Nemesis;
  readonly random: Random;
  /** The life that makes a connection now. */
  readonly life: () => Life;
}

const limitName = "calls";
/** A call that gets no answer is given up after that long. */
const timeoutMs = 8_000;

export function connectorOf(options: WireOptions): Connector {
  // All lanes of one life keep the limit together.
  const gatesOf = new WeakMap<Life, Gates>();
  const { system } = options;
  const { style } = system;
  const shared: Pick<EntityMap, "versions" | "deletes" | "writable" | "pushBatchMax" | "fetchBatchMax"> = {
    versions: {
      conditional: style.conditional,
      counter: style.counter,
      resolutionMs: style.resolutionMs,
      lateMs: style.lateMs,
      settleMs: style.lagMs,
    },
    deletes: {
      learned: style.cursor === "feed" ? "tombstones" : "sweep",
      goneIsProof: true,
      namesMaster: style.namesMaster === true,
    },
    writable: true,
    pushBatchMax: style.pushBatchMax,
    fetchBatchMax: 10,
  };
  const both = (path: string, of: ReturnType<typeof codec.text>) => ({ path, codec: of, access: "both" as const });
  const industry = style.rewrites ? { ...codec.text(), opaque: true } : codec.text();
  return {
    system: system.name,
    title: { en: system.name, zh: system.name },
    config: Schema.Struct({}),
    cursor: Schema.Unknown,
    entities: () => ({
      account: {
        object: "Companies",
        ...shared,
        fields: {
          name: both("Name", codec.text(style.nameMax === null ? {} : { max: style.nameMax })),
          domain: both("Domain", codec.domain()),
          phone: both("Phone", codec.phone()),
          industry: both("Industry", industry),
          employees: both("Employees", codec.integer()),
          tags: both(setField, codec.set(style.tagsMax === null ? {} : { max: style.tagsMax })),
        },
      },
      contact: {
        object: "People",
        ...shared,
        fields: {
          name: { path: { given: "First", family: "Last" }, codec: codec.nameParts(), access: "both" },
          account: both("Company", codec.reference({ shape: "id" })),
          emails: { path: ["Mail"], codec: codec.emails(), access: "both" },
          mobile: both("Mobile", codec.phone()),
          title: both("Title", codec.text()),
        },
      },
    }),
    limits: () => ({ [limitName]: { rate: style.rate } }),
    rule: (_field, path) => both(path, codec.text()),
    connect: () => {
      const life = options.life();
      const known = gatesOf.get(life);
      const clock = gatesClock(options.timeline, life);
      const gates = known ?? createGates({ [limitName]: { rate: style.rate } }, { clock, counters: undefined });
      gatesOf.set(life, gates);
      return connectionOf(options, life, gates);
    },
  };
}

/** What a call came to at the system: an answer, or what the system said instead. */
type Served<A> = { readonly kind: "answer"; readonly answer: A } | { readonly kind: "fault"; readonly fault: Error };

function connectionOf(options: WireOptions, life: Life, gates: Gates): Connection {
  const { system, timeline, ledger, nemesis, random } = options;

  /** Sends one call and hears its answer, if there is one and somebody to hear it. */
  const call = async <A>(what: string, serve: () => A, late?: () => void): Promise<A> => {
    const leave = await gates.enter({ names: [limitName], cost: 1, signal: undefined });
    leave();
    return new Promise<A>((resolve, reject) => {
      const sentAt = timeline.now();
      const hear = (instant: number, end: () => void): void => {
        timeline.at(instant, () => {
          if (!life.alive) return;
          timeline.touch();
          end();
        });
      };
      const serveNow = (): Served<A> => {
        const refused = nemesis.refusal(system, life);
        return refused === null ? { kind: "answer", answer: serve() } : { kind: "fault", fault: refused };
      };
      const fate = nemesis.fate(system, what);
      if (fate === "late" && late !== undefined) {
        timeline.at(sentAt + random.int(1_000, system.style.lateMs - 1_000), late);
        hear(sentAt + timeoutMs, () => reject(new Unavailable("no answer", { sent: true })));
        return;
      }
      timeline.at(sentAt + random.int(5, 120), () => {
        const served = serveNow();
        const back = timeline.now() + nemesis.backMs(system);
        if (served.kind === "fault") hear(back, () => reject(served.fault));
        else if (fate === "answer lost")
          hear(sentAt + timeoutMs, () => reject(new Unavailable("the answer was lost", { sent: true })));
        else hear(back, () => resolve(served.answer));
      });
    });
  };

  /** The hub has read this; what it says is known from now on. */
  const noteRead = (
    entity: Entity,
    changes: ReadonlyArray<Change | { readonly kind: "deleted"; readonly id: string }>,
  ) => {
    for (const change of changes) if (change.kind === "record") noteValues(entity, change.id, change.fields);
  };

  return {
    check: async () => [],
    async *pull(entity, { mode, cursor }) {
      let at: unknown = cursor;
      for (;;) {
        const readBegan = timeline.now();
        const from = at;
        const page = await call("pull", () => system.page(entity, from, mode));
        noteRead(entity, page.changes);
        yield { ...page, readBegan, readEnded: timeline.now() };
        if (system.isEnd(page)) return;
        at = page.cursor;
      }
    },
    fetch: async (entity, ids) => {
      const readBegan = timeline.now();
      const changes = await call("fetch", () => system.get(entity, ids));
      noteRead(entity, changes);
      return { changes, readBegan, readEnded: timeline.now() };
    },
    find: async (entity, criteria) => {
      const found = await call("find", () => system.find(entity, criteria));
      noteRead(entity, found);
      return found;
    },
    push: async (operations) => {
      const results = await call(
        "push",
        () => operations.map((operation) => writeOne(operation)),
        () => void operations.map((operation) => system.write(operation, true)),
      );
      for (const [index, result] of results.entries()) {
        const operation = operations[index];
        if (result.kind === "applied" && result.stored !== undefined && operation !== undefined)
          noteValues(operation.entity, result.id, result.stored);
      }
      return results;
    },
    describe: async () => [],
    people: async () => [],
  };

  function writeOne(operation: Operation): Result {
    return nemesis.halfFails(system)
      ? { kind: "later", reason: "the record is locked", retryAfterMs: 500 }
      : system.write(operation, false);
  }

  function noteValues(entity: Entity, record: string, fields: Readonly<Record<string, unknown>>): void {
    for (const [field, value] of Object.entries(fields)) {
      if (field === keyField) continue;
      for (const one of Array.isArray(value) ? value : [value]) {
        const edit = ledger.made(field === setField ? String(one) : (tokenOf(one) ?? ""));
        if (edit !== undefined) edit.read = true;
      }
      const held = Array.isArray(value) ? value : [];
      const isEmpty = value === null;
      for (const edit of ledger.edits) {
        if (edit.system !== system.name || edit.record !== record || edit.field !== field) continue;
        if (edit.entity !== entity || edit.read) continue;
        if (edit.kind === "clear" && isEmpty) edit.read = true;
        if (edit.kind === "remove" && !held.includes(edit.token)) edit.read = true;
      }
    }
  }
}

/** The gates of a life that has ended let nobody through any more. */
const gatesClock = (timeline: Timeline, life: Life) => ({
  now: timeline.now,
  sleep: (ms: number, signal?: AbortSignal) => timeline.sleep(ms, life, signal),
});

export const tooMany = (retryAt: number): RateLimited => new RateLimited("too many calls", retryAt);
export const down = (): Unavailable => new Unavailable("the system is down", { sent: false });
export const signedOut = (): AuthFailed =>
  new AuthFailed("the token is not known any more", "It comes back by itself.");
