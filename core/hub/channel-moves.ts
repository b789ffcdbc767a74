/**
 * What is done at a vendor to have the one channel that is wanted, or none, and what the store keeps of it.
 *
 * What is about to be asked is kept before it is asked, with its secret, so that a death in between leaves no channel
 * whose calls we would not know.
 */
import { randomBytes, randomInt } from "node:crypto";
import { Effect } from "effect";
import { type Channels, type Clock, isFault } from "../connector.ts";
import { type AuditEntry, noteAudit } from "../store/audit.ts";
import { behind, type Fence } from "../store/fence.ts";
import type { Store } from "../store/open.ts";
import { dropSubscription, readSubscription, type Subscription, saveSubscription } from "../store/subscriptions.ts";
import { oursAmong, planChannel, secretsToTell, settledSecrets, type Wanted } from "./channel-state.ts";

export type ChannelChange = "registered" | "renewed" | "adopted" | "removed" | "failed";

export interface MovesOptions {
  readonly connection: string;
  readonly channels: Channels;
  /** How long calls are accepted with a secret that another one has taken over from. */
  readonly overlapMs: number;
  readonly store: Store;
  readonly clock: Clock;
  readonly fence: Fence | null;
  /** What is known, and whenever it changes. */
  readonly onKnown: (channel: Subscription | null) => void;
  readonly told: (what: ChannelChange, words: string | null) => void;
}

/** Errors  The four faults, StoreFailed, and an Error where the vendor contradicts itself. */
export interface ChannelMoves {
  readonly known: () => Subscription | null;
  readonly load: () => Promise<void>;
  /** One live channel of ours, and no other of ours beside it. */
  readonly bringAbout: (target: Wanted) => Promise<void>;
  /** None of ours, and nothing known. */
  readonly removeAll: () => Promise<void>;
  /** Keeps why it failed, for other processes to show. */
  readonly noteFailure: (target: Wanted | null, words: string) => Promise<void>;
}

/** The core asks for a little less than the vendor grants: its clock may be behind ours. */
const marginMsMax = 3_600_000;
const secretBytes = 24;

const newSecret = (): string => randomBytes(secretBytes).toString("base64url");
const random = (): number => randomInt(2 ** 32) / 2 ** 32;

export function createChannelMoves(options: MovesOptions): ChannelMoves {
  const { connection, channels, overlapMs, store, clock, fence, onKnown, told } = options;
  let known: Subscription | null = null;

  const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(behind(fence)(work));
  const entry = (action: string, detail: AuditEntry["detail"] = {}): AuditEntry => ({
    at: clock.now(),
    actor: "hub",
    action,
    subject: connection,
    detail,
  });

  const know = (channel: Subscription | null): void => {
    known = channel;
    onKnown(channel);
  };

  const keep = async (channel: Subscription, audit: ReadonlyArray<AuditEntry>): Promise<void> => {
    await run(saveSubscription(store, channel, audit));
    know(channel);
  };

  const forget = async (audit: AuditEntry): Promise<void> => {
    await run(dropSubscription(store.database, connection, [audit]));
    know(null);
  };

  const askedFor = (target: Wanted, id: string): Subscription => {
    const now = clock.now();
    return {
      connection,
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

  /** Asks the vendor for the channel, and believes it once the vendor lists it. */
  const save = async (asked: Subscription, target: Wanted, exists: boolean): Promise<Subscription> => {
    const { id, url, secrets } = asked;
    const lifeMs = channels.lifeMs - Math.min(marginMsMax, channels.lifeMs / 10);
    const secret = secrets[0]?.text ?? null;
    const wanted = { id, url, secret, expiresAt: clock.now() + lifeMs, entities: target.entities };
    const { expiresAt } = await channels.save(wanted, exists);
    const savedAt = clock.now();
    if (!(await channels.list()).some((one) => one.id === id))
      throw new Error("the vendor has confirmed the channel, and does not list it");
    const settled = settledSecrets(secrets, savedAt + overlapMs);
    return { ...asked, state: "live", reason: null, expiresAt, savedAt, secrets: settled };
  };

  return {
    known: () => known,
    load: async () => know(await run(readSubscription(store, connection))),
    bringAbout: async (target) => {
      const plan = planChannel(target, known, await channels.list(), clock.now());
      if (plan.save !== null) {
        const { what, id, exists } = plan.save;
        const wasLost = what === "registered" && known?.state === "live";
        const asked = askedFor(target, id ?? channels.newId(random));
        await keep(asked, [entry("channel asked", { channel: asked.id, for: what })]);
        const live = await save(asked, target, exists);
        await keep(live, [entry(`channel ${what}`, { channel: live.id, expiresAt: live.expiresAt })]);
        told(what, wasLost ? "the vendor had lost the one before" : null);
      } else if (known !== null) await keep({ ...known, checkedAt: clock.now(), reason: null }, []);
      if (plan.surplus.length === 0) return;
      await channels.remove(plan.surplus);
      const removed = entry("channel removed", { channels: plan.surplus });
      await run(store.database.write("noting a channel", () => noteAudit(store.database, [removed])));
      told("removed", "there was one too many");
    },
    removeAll: async () => {
      if (known === null) return;
      const { id } = known;
      try {
        const ids = oursAmong(await channels.list(), known, null).map((channel) => channel.id);
        if (ids.length > 0) await channels.remove(ids);
        await forget(entry("channel removed", { channels: ids }));
        told("removed", null);
      } catch (error) {
        if (!isFault(error) || error._tag !== "AuthFailed") throw error;
        // Who may not look at channels any more cannot remove one either; it runs out by itself.
        await forget(entry("channel left", { channel: id }));
        told("failed", error.message);
      }
    },
    noteFailure: async (target, words) => {
      const channel = known ?? (target === null ? null : askedFor(target, channels.newId(random)));
      if (channel !== null)
        await keep({ ...channel, reason: words }, [entry("channel failed", { channel: channel.id })]);
    },
  };
}
