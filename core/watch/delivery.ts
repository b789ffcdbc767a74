/**
 * Brings notices to the channels: each channel has its own line, so that one that fails holds up no other, and tries a
 * bounded number of times.
 */
import type { ChannelConfig } from "../config/hub-config.ts";
import type { Clock } from "../connector.ts";
import type { ChannelTools, Notice } from "../plugin.ts";
import type { Redact } from "./redact.ts";

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly redact: Redact;
  /** Ends what waits. */
  readonly signal: AbortSignal;
  readonly onDone: (channel: string, outcome: "sent" | "failed", reason: string | null) => void;
}

export interface Delivery {
  /** Resolves when it was sent, with true, or given up. Never fails. */
  readonly send: (channel: ChannelConfig, notice: Notice, tools: ChannelTools) => Promise<boolean>;
}

/** Waits between the tries. */
const pausesMs = [5_000, 30_000, 120_000, 600_000] as const;
/** Notices that wait for one channel; more are given up at once. */
const waitingMax = 100;
/** Real time: it guards a socket. */
const sendMsMax = 30_000;

export function createDelivery({ clock, redact, signal, onDone }: DeliveryOptions): Delivery {
  const lines = new Map<string, { waiting: number; last: Promise<unknown> }>();

  const tryAll = async (channel: ChannelConfig, notice: Notice, tools: ChannelTools): Promise<boolean> => {
    let reason = "the hub stops";
    for (let tries = 0; tries <= pausesMs.length && !signal.aborted; tries += 1) {
      try {
        await sendOnce(channel, notice, tools);
        onDone(channel.name, "sent", null);
        return true;
      } catch (error) {
        reason = reasonOf(error, redact);
      }
      const pauseMs = pausesMs[tries];
      if (pauseMs !== undefined) await clock.sleep(pauseMs, signal);
    }
    onDone(channel.name, "failed", reason);
    return false;
  };

  return {
    send: (channel, notice, tools) => {
      const line = lines.get(channel.name) ?? { waiting: 0, last: Promise.resolve() };
      lines.set(channel.name, line);
      if (line.waiting >= waitingMax) {
        onDone(channel.name, "failed", "too many messages wait for this channel");
        return Promise.resolve(false);
      }
      line.waiting += 1;
      const sending = line.last.then(() => tryAll(channel, notice, tools));
      line.last = sending.then(() => {
        line.waiting -= 1;
      });
      return sending;
    },
  };
}

/** Sends once. Errors  whatever the plugin throws; a plugin that does not come back in time. */
export async function sendOnce({ plugin, config }: ChannelConfig, notice: Notice, tools: ChannelTools): Promise<void> {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Error(`it did not end within ${sendMsMax / 1000} s`)), sendMsMax);
  try {
    await Promise.race([plugin.send(notice, config, tools), timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
}

export const reasonOf = (error: unknown, redact: Redact): string =>
  redact(error instanceof Error ? error.message : "it failed without words");
