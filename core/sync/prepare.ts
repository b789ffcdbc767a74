/** Before a write: what there is to do, the records as they are now, and whether a new one is there already. */
import { Effect } from "effect";
import { isClosed } from "../model/evidence.ts";
import { criteriaFor, isSought } from "../model/look-up.ts";
import { readNames, type Side } from "../model/settings.ts";
import type { Canonical, Link } from "../model/world.ts";
import { loadWorld } from "../store/world-store.ts";
import { applyPage } from "./apply.ts";
import { call } from "./call.ts";
import { fetchAndApply } from "./fetch.ts";
import { type OutboxRow, type PushRun, patchesOf, SourceHeld } from "./push-run.ts";

/** Up to this many due updates go singly, with the system's own lock. */
const singlyMax = 10;

/** Whether that many updates go one by one; plans count their calls by the same rule. */
export const goesSingly = (updates: number, conditional: Side["conditional"]): boolean =>
  updates <= singlyMax && conditional !== "none";

/** What a claim may count on. */
export interface Prepared {
  /** Updates go one by one, with a precondition where the system has one. */
  readonly singly: boolean;
  /** When the records of these links were to be read again; one that was not read is not written. */
  readonly read: { readonly began: number; readonly linkIds: ReadonlySet<number> };
  /** When the system was asked for these canonicals by key. */
  readonly looked: { readonly began: number; readonly canonicalIds: ReadonlySet<string> };
}

export const prepare = Effect.fn("push.prepare")(function* (push: PushRun, side: Side, rows: ReadonlyArray<OutboxRow>) {
  const due = yield* survey(push, side, rows);
  const singly = goesSingly(due.updates.length, side.conditional);
  const read = yield* readBefore(push, side, due, singly);
  const looked = yield* lookBefore(push, side, due.creates);
  return { singly, read, looked } satisfies Prepared;
});

interface Survey {
  readonly creates: ReadonlyArray<Canonical>;
  readonly updates: ReadonlyArray<Link>;
  readonly deletes: ReadonlyArray<Link>;
}

/** What the rows would write as things stand now. */
const survey = Effect.fn("push.survey")(function* (push: PushRun, side: Side, rows: ReadonlyArray<OutboxRow>) {
  const { engine } = push;
  const { world } = yield* engine.store.database.read("loading what is due", () =>
    loadWorld(engine.store.database, engine.store.sealer, engine.model, {
      canonicalIds: rows.map((row) => row.canonicalId),
      withTargets: true,
    }),
  );
  const creates: Array<Canonical> = [];
  const updates: Array<Link> = [];
  const deletes: Array<Link> = [];
  for (const row of rows) {
    const canonical = world.canonical(row.canonicalId);
    if (canonical === undefined) continue;
    for (const patch of patchesOf(push, world, side, canonical, row).patches) {
      if (patch.kind === "create") creates.push(canonical);
      else if (patch.kind === "update") updates.push(patch.link);
      else deletes.push(patch.link);
    }
  }
  return { creates, updates, deletes } satisfies Survey;
});

/** Reads the records again just before they are written (D5, D6, D16). */
const readBefore = Effect.fn("push.read-before")(function* (push: PushRun, side: Side, due: Survey, singly: boolean) {
  const { engine, live, run } = push;
  const stale = due.updates.filter((link) => !singly || link.fetchAfter !== null || !isLockable(side, link));
  const links = [...new Set([...stale, ...due.deletes])];
  const began = engine.clock.now();
  const linkIds = new Set(links.map((link) => link.id));
  if (links.length === 0) return { began, linkIds };
  const ids = links.map((link) => link.remoteId);
  const applied = yield* fetchAndApply(engine, { live, entity: side.entity, ids, run, deferMeetings: false });
  if (applied.held) return yield* Effect.fail(new SourceHeld(live.name));
  return { began, linkIds };
});

/** D6: only a closed version can be a precondition. */
export function isLockable(side: Side, link: Link): boolean {
  if (side.conditional === "version") return link.version !== null && link.print !== "";
  return side.conditional === "time" && isClosed(link, side.resolutionMs, side.skewMs);
}

/** D12: before every create the system is asked by external key and by match keys; who is found is applied and linked. */
const lookBefore = Effect.fn("push.look-before")(function* (
  push: PushRun,
  side: Side,
  creates: ReadonlyArray<Canonical>,
) {
  const { engine, live, run } = push;
  const began = engine.clock.now();
  const canonicalIds = new Set(creates.map((canonical) => canonical.id));
  if (creates.length === 0) return { began, canonicalIds };
  const criteria = creates.flatMap((canonical) => criteriaFor(engine.settings, side, canonical));
  const answered = yield* call(live.name, "looking for records before creating them", () =>
    live.api.find(side.entity, criteria, readNames(side)),
  );
  const found = answered.filter(isSought(engine.settings, side, creates));
  if (found.length === 0) return { began, canonicalIds };
  const changes = [...new Map(found.map((record) => [record.id, record])).values()];
  const page = { changes, readBegan: began, readEnded: engine.clock.now() };
  const applied = yield* applyPage(engine, { live, entity: side.entity, page, run, deferMeetings: false });
  if (applied.held) return yield* Effect.fail(new SourceHeld(live.name));
  return { began, canonicalIds };
});
