/**
 * Reading the inbox: what calls name is fetched as it is now, and applied (DESIGN 1: a webhook is a hint).
 *
 * Ids are gathered over many calls, so that a burst about one record costs one read. A call counts as read only after
 * what it names was applied: a death in between reads it again, and nothing is lost or done twice.
 */
import { Effect } from "effect";
import { Unreadable } from "../model/codec.ts";
import type { Entity } from "../model/field.ts";
import { type Counts, noCounts } from "../model/world.ts";
import type { Webhook } from "../net/webhook.ts";
import { noteRead, readUnread, type UnreadCall } from "../store/inbox.ts";
import { addCounts } from "./apply.ts";
import { type Engine, entityOrder, type LiveConnection } from "./engine.ts";
import { fetchAndApply } from "./fetch.ts";
import { pullEntity } from "./pull.ts";

const callsMax = 500;
/** Batches of one go; what is left waits for the next. */
const batchesMax = 20;

export interface Drained {
  readonly calls: number;
  /** Records that the calls named, each counted once a batch. */
  readonly records: number;
  readonly unreadable: number;
  readonly counts: Counts;
  /** More calls wait. */
  readonly more: boolean;
}

export const readInbox = Effect.fn("inbox.read")(function* (
  engine: Engine,
  request: { readonly live: LiveConnection; readonly webhook: Webhook; readonly run: string },
) {
  const { live, webhook, run } = request;
  const counts = noCounts();
  let calls = 0;
  let records = 0;
  let unreadable = 0;
  for (let batch = 0; batch < batchesMax; batch++) {
    const unread = yield* readUnread(engine.store, live.name, callsMax);
    if (unread.length === 0) return { calls, records, unreadable, counts, more: false } satisfies Drained;
    const wanted = hintsOf(webhook, unread);
    for (const entity of entityOrder) {
      if (!live.sides.has(entity)) continue;
      if (wanted.pulls.has(entity)) {
        const pulled = yield* pullEntity(engine, { live, entity, mode: "changes", run, deferMeetings: false });
        addCounts(counts, pulled.counts);
        records += pulled.records;
      }
      const ids = [...(wanted.ids.get(entity) ?? [])];
      if (ids.length === 0) continue;
      records += ids.length;
      addCounts(counts, (yield* fetchAndApply(engine, { live, entity, ids, run, deferMeetings: false })).counts);
    }
    const now = engine.clock.now();
    yield* noteRead(engine.store.database, wanted.read, "read", now);
    if (wanted.unreadable.length > 0) yield* noteRead(engine.store.database, wanted.unreadable, "unreadable", now);
    for (const reason of wanted.reasons) engine.progress({ kind: "note", connection: live.name, text: reason });
    calls += unread.length;
    unreadable += wanted.unreadable.length;
  }
  return { calls, records, unreadable, counts, more: true } satisfies Drained;
});

interface Wanted {
  readonly ids: Map<Entity, Set<string>>;
  readonly pulls: Set<Entity>;
  readonly read: Array<number>;
  readonly unreadable: Array<number>;
  readonly reasons: Set<string>;
}

function hintsOf(webhook: Webhook, unread: ReadonlyArray<UnreadCall>): Wanted {
  const wanted: Wanted = { ids: new Map(), pulls: new Set(), read: [], unreadable: [], reasons: new Set() };
  for (const { id, call } of unread) {
    const hints = webhook.read(call);
    if (hints instanceof Unreadable) {
      wanted.unreadable.push(id);
      wanted.reasons.add(`a webhook call cannot be read: ${hints.reason}`);
      continue;
    }
    wanted.read.push(id);
    for (const hint of hints) {
      if (hint.kind === "pull") wanted.pulls.add(hint.entity);
      else {
        const ids = wanted.ids.get(hint.entity) ?? new Set();
        wanted.ids.set(hint.entity, ids);
        for (const one of hint.ids) ids.add(one);
      }
    }
  }
  return wanted;
}
