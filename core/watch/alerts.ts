/**
 * Looks at the running hub every few seconds, and tells people of troubles: through the channels of the YAML, and in the
 * log. The store remembers what was told; while it fails, the memory of the process does.
 */
import { Effect } from "effect";
import type { AlertRule } from "../config/alerts-shape.ts";
import type { AlertLimits, ChannelConfig } from "../config/hub-config.ts";
import type { Clock } from "../connector.ts";
import type { ServiceEvent } from "../hub/events.ts";
import type { RunningService } from "../hub/start-service.ts";
import { createWake } from "../hub/wake.ts";
import { createChannelTools } from "../net/notices.ts";
import { type AlertRow, countOpened, readAlertRows, readExports, saveAlertRows } from "../store/alerts.ts";
import { alertKey, type Looking, step, type Told } from "./alert-state.ts";
import { noticeOf } from "./alert-words.ts";
import { createBurst } from "./bursts.ts";
import { createDelivery } from "./delivery.ts";
import type { Level } from "./event-lines.ts";
import type { Measures } from "./measures.ts";
import type { Redact } from "./redact.ts";
import { type ConnectionFacts, type Snapshot, troublesOf } from "./troubles.ts";

export interface AlertsOptions {
  readonly clock: Clock;
  readonly redact: Redact;
  readonly say: (level: Level, message: string, fields: Readonly<Record<string, string | number | null>>) => void;
  readonly noteNotice: (channel: string, outcome: "sent" | "failed") => void;
  readonly signal: AbortSignal;
}

export interface Alerts {
  readonly hear: (event: ServiceEvent) => void;
  readonly noteRefused: () => void;
  /** What is wrong now. */
  readonly firing: () => ReadonlyArray<AlertRow>;
  /** Looks until it is stopped. */
  readonly run: (service: RunningService, measures: () => Promise<Measures>) => Promise<void>;
}

const lookMs = 15_000;
/** A trouble that is gone for so long has ended. */
const calmMs = 120_000;
const endedMax = 1_000;

export function createAlerts(options: AlertsOptions): Alerts {
  const { clock, redact, say, signal } = options;
  const wake = createWake(clock, signal);
  const refused = createBurst();
  const exported = createBurst();
  const rows = new Map<string, AlertRow>();
  const inFlight = new Set<string>();
  const states = new Map<string, { readonly state: string; readonly since: number }>();
  let storeTrouble: string | null = null;
  let auditPosition: number | null = null;
  let isRead = false;

  const delivery = createDelivery({
    clock,
    redact,
    signal,
    onDone: (channel, outcome, reason) => {
      options.noteNotice(channel, outcome);
      if (outcome === "failed") say("warn", "an alert could not be sent", { channel, reason });
    },
  });

  const factsOf = ({ connections }: Measures, now: number): ReadonlyArray<ConnectionFacts> =>
    connections
      .filter(({ isOurs }) => isOurs)
      .map(({ name, state, reason, agreement, outbox, outboxSince, deadLetters, lostChannels }) => {
        const known = states.get(name);
        const since = known?.state === state ? known.since : now;
        states.set(name, { state, since });
        const words = reason === null ? null : redact(reason);
        const share = agreement?.share ?? null;
        return {
          name,
          state,
          stateSince: since,
          reason: words,
          agreement: share,
          outbox,
          outboxSince,
          deadLetters,
          lostChannels,
        };
      });

  /** What cannot be read now is left out, and keeps what it has. */
  const look = async (service: RunningService, measures: () => Promise<Measures>): Promise<Seen | string> => {
    const { database } = service.hub().store;
    const { limits } = service.hub().config.alerts;
    const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(work);
    const now = clock.now();
    try {
      const measured = await measures();
      const isTheirs = theirsIn(measured, service);
      // What another process tells of is as it has noted it, for when it is ours to tell.
      if (!isRead || database.processes === "many")
        for (const row of await run(readAlertRows(database)))
          if (!isRead || isTheirs(row)) rows.set(alertKey(row), row);
      isRead = true;
      const { position, at } = await run(readExports(database, auditPosition));
      auditPosition = position;
      for (const one of at) exported.note(one);
      const opened = await run(countOpened(database, now - (limits.conflicts?.withinMs ?? 0)));
      return {
        now,
        storeTrouble,
        isTheirs,
        connections: factsOf(measured, now),
        opened: service.keepsUpkeep() ? opened : 0,
        refused: refused.count(now, limits.signIns?.withinMs ?? 0),
        exports: service.keepsUpkeep() ? exported.count(now, limits.exports?.withinMs ?? 0) : 0,
      };
    } catch (error) {
      return error instanceof Error ? error.message : "it failed without words";
    }
  };

  const save = async (service: RunningService, changed: ReadonlyArray<AlertRow>): Promise<void> => {
    for (const row of changed) rows.set(alertKey(row), row);
    if (changed.length === 0) return;
    const saving = Effect.runPromise(saveAlertRows(service.hub().store.database, changed));
    await saving.catch(() => say("warn", "what was alarmed about could not be noted", {}));
  };

  const tell = (service: RunningService, { kind, row }: Told): void => {
    const { config } = service.hub();
    const { rule, subject } = row;
    const at = clock.now();
    const noticeIn = (language: ChannelConfig["language"]) =>
      noticeOf({ kind, row, hub: config.hub.name, at, language });
    const connection = subject === "" ? {} : { connection: subject };
    say(kind === "ended" ? "info" : "warn", noticeIn("en").title, { alert: rule, ...connection, kind });
    const wanted = config.alerts.channels.filter((channel) => channel.rules?.includes(asRule(rule)) !== false);
    const tools = createChannelTools(config.serve.hosts, clock);
    inFlight.add(alertKey(row));
    void Promise.all(wanted.map((channel) => delivery.send(channel, noticeIn(channel.language), tools))).then(
      async () => {
        inFlight.delete(alertKey(row));
        // A hub that stops has not told; the next one will.
        const present = rows.get(alertKey(row));
        if (!signal.aborted && present !== undefined) await save(service, [{ ...present, toldAt: clock.now() }]);
      },
    );
  };

  return {
    hear: (event) => {
      if (event.kind === "store") storeTrouble = event.ok ? null : redact(event.reason ?? "");
      if (event.kind === "store" || event.kind === "state" || event.kind === "channel") wake.ring();
    },
    noteRefused: () => refused.note(clock.now()),
    firing: () => [...rows.values()].filter((row) => row.state === "firing"),
    run: async (service, measures) => {
      while (!signal.aborted) {
        const seen = await look(service, measures);
        if (signal.aborted) return;
        const isBlind = typeof seen === "string";
        const snapshot: Seen = isBlind ? blind(clock.now(), storeTrouble ?? redact(seen), refused, service) : seen;
        const { limits, repeatMs } = service.hub().config.alerts;
        const looking = { now: snapshot.now, repeatMs, calmMs, inFlight, sightOf: sightIn(snapshot, limits, isBlind) };
        const { rows: changed, toTell } = step([...rows.values()], troublesOf(snapshot, limits), looking);
        await save(service, changed);
        for (const one of toTell) tell(service, one);
        forgetEnded(rows);
        await wake.wait(lookMs);
      }
    },
  };
}

/** A snapshot, with what is another process's to tell. */
interface Seen extends Snapshot {
  readonly isTheirs: (row: Pick<AlertRow, "rule" | "subject">) => boolean;
}

/** What is told by whoever does the upkeep; the other rules of the hub are about each process. */
const ofStore: ReadonlySet<string> = new Set<AlertRule>(["conflicts", "exports"]);

function theirsIn({ connections }: Measures, service: Pick<RunningService, "keepsUpkeep">): Seen["isTheirs"] {
  const theirs = new Set(connections.filter((one) => !one.isOurs && one.state !== "sleeping").map(({ name }) => name));
  return ({ rule, subject }) => (subject === "" ? ofStore.has(rule) && !service.keepsUpkeep() : theirs.has(subject));
}

const blind = (
  now: number,
  reason: string,
  refused: { count: (now: number, withinMs: number) => number },
  service: RunningService,
): Seen => ({
  now,
  storeTrouble: reason,
  isTheirs: () => false,
  connections: [],
  opened: 0,
  refused: refused.count(now, service.hub().config.alerts.limits.signIns?.withinMs ?? 0),
  exports: 0,
});

/** While the store fails, only what needs no store is seen. */
const sightIn =
  ({ connections, isTheirs }: Seen, limits: AlertLimits, isBlind: boolean): Looking["sightOf"] =>
  ({ rule, subject }) => {
    if (!isOn(limits, rule)) return "away";
    if (isTheirs({ rule, subject })) return "unseen";
    if (isBlind) return rule === "signIns" ? "seen" : "unseen";
    if (subject === "") return "seen";
    const state = connections.find((one) => one.name === subject)?.state;
    return state === undefined || state === "stopped" || state === "sleeping" ? "away" : "seen";
  };

function isOn(limits: AlertLimits, rule: string): boolean {
  const found = Object.entries(limits).find(([name]) => name === rule);
  return found !== undefined && found[1] !== null && found[1] !== false;
}

/** Rules of rows were written by this version or an older one; one that is not known is told to all. */
const asRule = (rule: string): NonNullable<ChannelConfig["rules"]>[number] =>
  rule as NonNullable<ChannelConfig["rules"]>[number];

function forgetEnded(rows: Map<string, AlertRow>): void {
  const ended = [...rows].filter(([, row]) => row.state === "ended" && row.toldAt !== null);
  for (const [key] of ended.slice(endedMax)) rows.delete(key);
}
