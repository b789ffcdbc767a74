/**
 * Keeps the channel by which a vendor calls us, as a desired state: one live channel of ours that points to our
 * address, or none. It is looked at every hour, renewed long before it ends, and made again when the vendor has lost
 * it; channels that call other addresses are never touched.
 *
 * What is about to be asked is kept before it is asked, with its secret, so that a death in between leaves no channel
 * whose calls we would not know.
 */
import { randomBytes, randomInt } from "node:crypto";
import { Effect } from "effect";
import type { ConnectionConfig } from "../config/hub-config.ts";
import { isFault, type Webhook } from "../connector.ts";
import { entities } from "../model/field.ts";
import { type AuditEntry, noteAudit } from "../store/audit.ts";
import { dropSubscription, readSubscription, type Subscription, saveSubscription } from "../store/subscriptions.ts";
import { oursAmong, planChannel, renewAt, secretsToTell, settledSecrets, type Wanted } from "./channel-state.ts";
import type { ServiceEvent } from "./events.ts";
import type { Hub } from "./open.ts";
import type { ChannelStatus } from "./service.ts";

export interface ChannelOptions {
  readonly hub: () => Hub;
  readonly connection: ConnectionConfig;
  /** As the connector has it, whether or not the YAML takes its calls. */
  readonly webhook: Webhook | undefined;
  readonly setSecrets: (secrets: ReadonlyArray<string>) => void;
  /** There is a channel where there was none, or one of unknown age. */
  readonly onNew: () => void;
  readonly emit: (event: ServiceEvent) => void;
}

export interface ChannelKeeper {
  /** Lets calls of a known channel in, before anything is asked. */
  readonly load: () => Promise<void>;
  /** Does what is due, and answers in how many milliseconds to come again. */
  readonly step: () => Promise<number>;
  /** Removes what is there: the connection is gone from the YAML. */
  readonly retire: () => Promise<void>;
  /** Null where there is nothing to keep. */
  readonly status: () => ChannelStatus | null;
}

const hourMs = 3_600_000;
const lookEveryMs = hourMs;
const failedMs = 30_000;
const failedMsMax = hourMs;
/** The core asks for a little less than the vendor grants: its clock may be behind ours. */
const marginMsMax = hourMs;
/** However little the vendor grants. */
const renewMsMin = 60_000;
const secretBytes = 24;

const newSecret = (): string => randomBytes(secretBytes).toString("base64url");
const random = (): number => randomInt(2 ** 32) / 2 ** 32;

type Change = "registered" | "renewed" | "adopted" | "removed" | "failed";

export function createChannelKeeper({
  hub,
  connection,
  webhook,
  setSecrets,
  onNew,
  emit,
}: ChannelOptions): ChannelKeeper {
  const { name } = connection;
  const { clock, store, log } = hub();
  const channels = webhook?.channels;
  let known: Subscription | null = null;
  let reason: string | null = null;
  let failures = 0;
  let nextAt = 0;
  let isWarned = false;

  const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(work);
  const entry = (action: string, detail: AuditEntry["detail"] = {}): AuditEntry => ({
    at: clock.now(),
    actor: "hub",
    action,
    subject: name,
    detail,
  });

  const know = (row: Subscription | null): void => {
    known = row;
    const now = clock.now();
    if (connection.webhook.kind !== "signed")
      setSecrets((row?.secrets ?? []).filter(({ until }) => until === null || until > now).map(({ text }) => text));
  };

  const keep = async (row: Subscription, audit: ReadonlyArray<AuditEntry>): Promise<void> => {
    await run(saveSubscription(store, row, audit));
    know(row);
  };

  const told = (what: Change, words: string | null = null): void =>
    emit({ kind: "channel", connection: name, what, reason: words });

  const wanted = (): Wanted | null => {
    const { url } = hub().config.serve;
    if (connection.webhook.kind !== "own" || url === null) return null;
    const maps = connection.connector.entities(connection.config);
    return { url: `${url}/hooks/${name}`, entities: entities.filter((entity) => maps[entity] !== undefined) };
  };

  const warn = (words: string): void => {
    reason = words;
    if (!isWarned) log.warn(`${name}: ${words}`);
    isWarned = true;
  };

  /** Everything of ours, and what is known of it. */
  const removeAll = async (): Promise<void> => {
    if (channels === undefined || known === null) return;
    const { id } = known;
    try {
      const ids = oursAmong(await channels.list(), known, null).map((channel) => channel.id);
      if (ids.length > 0) await channels.remove(ids);
      await run(dropSubscription(store.database, name, [entry("channel removed", { channels: ids })]));
      know(null);
      told("removed");
    } catch (error) {
      if (!isFault(error) || error._tag !== "AuthFailed") throw error;
      // Who may not look at channels any more cannot remove one either; it runs out by itself.
      await run(dropSubscription(store.database, name, [entry("channel left", { channel: id })]));
      know(null);
      told("failed", error.message);
    }
  };

  const askedFor = (target: Wanted, id: string): Subscription => {
    const now = clock.now();
    return {
      connection: name,
      id,
      state: "asked",
      reason: known?.reason ?? null,
      expiresAt: known?.id === id ? known.expiresAt : null,
      checkedAt: now,
      url: target.url,
      savedAt: known?.savedAt ?? now,
      secrets: secretsToTell(known?.secrets ?? [], now, newSecret),
    };
  };

  const bringAbout = async (target: Wanted): Promise<void> => {
    if (channels === undefined || webhook === undefined) return;
    const plan = planChannel(target, known, await channels.list(), clock.now());
    if (plan.save !== null) {
      const { what, id, exists } = plan.save;
      const wasLost = what === "registered" && known?.state === "live";
      const asked = askedFor(target, id ?? channels.newId(random));
      await keep(asked, [entry("channel asked", { channel: asked.id, for: what })]);
      const secret = asked.secrets[0]?.text ?? null;
      const expiresAt = clock.now() + channels.lifeMs - Math.min(marginMsMax, channels.lifeMs / 10);
      const { entities: about } = target;
      const saved = await channels.save({ id: asked.id, url: target.url, secret, expiresAt, entities: about }, exists);
      const savedAt = clock.now();
      // The vendor's word alone has been wrong: what counts is what it lists.
      if (!(await channels.list()).some((one) => one.id === saved.id))
        throw new Error("the vendor has confirmed the channel, and does not list it");
      await keep(
        {
          ...asked,
          state: "live",
          reason: null,
          expiresAt: saved.expiresAt,
          savedAt,
          secrets: settledSecrets(asked.secrets, savedAt + webhook.windowMs),
        },
        [entry(`channel ${what}`, { channel: saved.id, expiresAt: saved.expiresAt })],
      );
      told(what, wasLost ? "the vendor had lost the one before" : null);
      if (what !== "renewed") onNew();
    } else if (known !== null) await keep({ ...known, checkedAt: clock.now(), reason: null }, []);
    if (plan.surplus.length > 0) {
      await channels.remove(plan.surplus);
      await run(store.database.write("noting a channel", () => noteRemoved(plan.surplus)));
      told("removed", "there was one too many");
    }
  };

  const noteRemoved = (ids: ReadonlyArray<string>): Promise<void> =>
    noteAudit(store.database, [entry("channel removed", { channels: ids })]);

  /** What went wrong, told once; answers when to try again. */
  const fail = async (error: unknown): Promise<number> => {
    const now = clock.now();
    const words = error instanceof Error ? error.message : String(error);
    failures += 1;
    if (words !== reason) {
      told("failed", words);
      const target = wanted();
      const row =
        known ?? (target !== null && channels !== undefined ? askedFor(target, channels.newId(random)) : null);
      if (row !== null) await keep({ ...row, reason: words }, [entry("channel failed", { channel: row.id })]);
    }
    reason = words;
    const retryAt = isFault(error) && error._tag === "RateLimited" ? error.retryAt : null;
    return retryAt !== null && retryAt > now ? retryAt : now + Math.min(failedMsMax, failedMs * 2 ** (failures - 1));
  };

  const step = async (): Promise<number> => {
    if (clock.now() < nextAt) return nextAt - clock.now();
    try {
      const target = wanted();
      if (target !== null && channels !== undefined) await bringAbout(target);
      else await removeAll();
      failures = 0;
      reason = null;
      if (connection.webhook.kind === "own" && target === null && channels !== undefined)
        warn("serve.url is not set, so the system is not asked to call the hub.");
      if (connection.webhook.kind === "own" && webhook === undefined)
        warn("`webhook: true` has no effect here; `npx syncline check` says why.");
      nextAt = clock.now() + lookEveryMs;
      if (known !== null) nextAt = Math.min(nextAt, Math.max(clock.now() + renewMsMin, renewAt(known)));
    } catch (error) {
      nextAt = await fail(error).catch(() => clock.now() + failedMsMax);
    }
    return Math.max(0, nextAt - clock.now());
  };

  return {
    load: async () => know(await run(readSubscription(store, name))),
    step,
    retire: async () => {
      try {
        await removeAll();
      } catch (error) {
        await fail(error);
      }
    },
    status: () => {
      if (known === null && reason === null) return null;
      const state = reason !== null ? "failing" : known?.state === "live" ? "live" : "asked";
      return { state, reason, expiresAt: known?.expiresAt ?? null };
    },
  };
}
