/**
 * Keeps the channel by which a vendor calls us, as a desired state: one live channel of ours that points to our
 * address, or none. It is looked at every hour, renewed long before it ends, and made again when the vendor has lost
 * it; channels that call other addresses are never touched.
 */
import type { ConnectionConfig } from "../config/hub-config.ts";
import { isFault, type Webhook } from "../connector.ts";
import { entities } from "../model/field.ts";
import type { Fence } from "../store/fence.ts";
import type { Subscription } from "../store/subscriptions.ts";
import { createChannelMoves } from "./channel-moves.ts";
import { renewAt, type Wanted } from "./channel-state.ts";
import type { ServiceEvent } from "./events.ts";
import type { Hub } from "./open.ts";
import type { ChannelStatus } from "./service.ts";

export interface ChannelOptions {
  readonly hub: () => Hub;
  readonly connection: ConnectionConfig;
  readonly fence: Fence | null;
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
/** However little the vendor grants. */
const renewMsMin = 60_000;

export function createChannelKeeper(options: ChannelOptions): ChannelKeeper {
  const { hub, connection, webhook, setSecrets, onNew, emit } = options;
  const { name, webhook: written } = connection;
  const { clock, store, log } = hub();
  let reason: string | null = null;
  let failures = 0;
  let nextAt = 0;
  let isWarned = false;

  const accept = (channel: Subscription | null): void => {
    const now = clock.now();
    const good = (channel?.secrets ?? []).filter(({ until }) => until === null || until > now);
    // Those of the YAML stand where calls are signed.
    if (written.kind !== "signed") setSecrets(good.map(({ text }) => text));
  };

  const moves =
    webhook?.channels === undefined
      ? null
      : createChannelMoves({
          connection: name,
          channels: webhook.channels,
          overlapMs: webhook.windowMs,
          store,
          clock,
          fence: options.fence,
          onKnown: accept,
          told: (what, words) => {
            emit({ kind: "channel", connection: name, what, reason: words });
            if (what === "registered" || what === "adopted") onNew();
          },
        });

  const wanted = (): Wanted | null => {
    const { url } = hub().config.serve;
    if (written.kind !== "own" || url === null) return null;
    const maps = connection.connector.entities(connection.config);
    return { url: `${url}/hooks/${name}`, entities: entities.filter((entity) => maps[entity] !== undefined) };
  };

  /** What keeps calls from coming although the YAML asks for them; told once. */
  const warn = (words: string): void => {
    reason = words;
    if (!isWarned) log.warn(`${name}: ${words}`);
    isWarned = true;
  };

  /** Tells what went wrong, once; answers when to try again. */
  const fail = async (error: unknown): Promise<number> => {
    const now = clock.now();
    const words = error instanceof Error ? error.message : String(error);
    failures += 1;
    if (words !== reason) {
      reason = words;
      emit({ kind: "channel", connection: name, what: "failed", reason: words });
      await moves?.noteFailure(wanted(), words);
    }
    const retryAt = isFault(error) && error._tag === "RateLimited" ? error.retryAt : null;
    return retryAt !== null && retryAt > now ? retryAt : now + Math.min(failedMsMax, failedMs * 2 ** (failures - 1));
  };

  const work = async (): Promise<number> => {
    const target = wanted();
    if (target === null) await moves?.removeAll();
    else await moves?.bringAbout(target);
    failures = 0;
    reason = null;
    if (written.kind === "own" && webhook === undefined)
      warn("`webhook: true` has no effect here; `npx syncline check` says why.");
    else if (written.kind === "own" && target === null && moves !== null)
      warn("serve.url is not set, so the system is not asked to call the hub.");
    const now = clock.now();
    const channel = moves?.known() ?? null;
    return Math.min(now + lookEveryMs, channel === null ? Infinity : Math.max(now + renewMsMin, renewAt(channel)));
  };

  return {
    load: async () => moves?.load(),
    step: async () => {
      // The store may fail too; it is tried again like everything else.
      if (clock.now() >= nextAt)
        nextAt = await work()
          .catch(fail)
          .catch(() => clock.now() + failedMsMax);
      return Math.max(0, nextAt - clock.now());
    },
    retire: async () => {
      await moves?.removeAll().catch(fail);
    },
    status: () => {
      const channel = moves?.known() ?? null;
      if (channel === null && reason === null) return null;
      const state = reason !== null ? "failing" : channel?.state === "live" ? "live" : "asked";
      return { state, reason, expiresAt: channel?.expiresAt ?? null };
    },
  };
}
