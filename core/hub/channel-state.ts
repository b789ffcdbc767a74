/**
 * Which channel a connection should have at its vendor, compared with those that the vendor lists: pure, so that every
 * way in which the two can differ stands in one place.
 */
import type { Channel } from "../connector.ts";
import type { Entity } from "../model/field.ts";
import type { ChannelSecret, Subscription } from "../store/subscriptions.ts";

export interface Wanted {
  readonly url: string;
  readonly entities: ReadonlyArray<Entity>;
}

export interface ChannelPlan {
  /** What to do to have one live channel; null when it is there and good for now. */
  readonly save: {
    readonly what: "registered" | "renewed" | "adopted";
    /** Null for a fresh id. */
    readonly id: string | null;
    /** The vendor has it. */
    readonly exists: boolean;
  } | null;
  /** Channels of ours beside it. */
  readonly surplus: ReadonlyArray<string>;
}

const hourMs = 3_600_000;
/** A channel is renewed after that long, however long it may live. */
const renewEveryMs = 24 * hourMs;
/** A secret serves that long. */
const secretLifeMs = 30 * 24 * hourMs;

/** Well before its end: after a day, or at half of what the vendor has granted. */
export function renewAt({ savedAt, expiresAt }: Pick<Subscription, "savedAt" | "expiresAt">): number {
  const halfMs = expiresAt === null ? renewEveryMs : (expiresAt - savedAt) / 2;
  return savedAt + Math.max(0, Math.min(renewEveryMs, halfMs));
}

/** Ours: the one that we asked for, and whatever calls one of our addresses. A channel with another address is not. */
export function oursAmong(
  listed: ReadonlyArray<Channel>,
  known: Subscription | null,
  url: string | null,
): ReadonlyArray<Channel> {
  const urls = [url, known?.url].filter((one) => one !== null && one !== undefined);
  return listed.filter((channel) => channel.id === known?.id || urls.includes(channel.url));
}

export function planChannel(
  wanted: Wanted,
  known: Subscription | null,
  listed: ReadonlyArray<Channel>,
  now: number,
): ChannelPlan {
  const ours = oursAmong(listed, known, wanted.url);
  const kept = ours.find(({ id }) => id === known?.id) ?? longest(ours);
  const surplus = ours.filter((channel) => channel !== kept).map(({ id }) => id);
  if (kept === undefined) {
    // An id that was asked for is asked for again: if the vendor made it after all, there is still only one.
    return { save: { what: "registered", id: known?.state === "asked" ? known.id : null, exists: false }, surplus };
  }
  const save = (what: "renewed" | "adopted"): ChannelPlan => ({ save: { what, id: kept.id, exists: true }, surplus });
  if (known === null || kept.id !== known.id) return save("adopted");
  const [current] = known.secrets;
  const isGood =
    known.state === "live" &&
    known.url === wanted.url &&
    wanted.entities.every((entity) => kept.entities.includes(entity)) &&
    (kept.secret === null || kept.secret === current?.text) &&
    renewAt({ savedAt: known.savedAt, expiresAt: soonest(known.expiresAt, kept.expiresAt) }) > now;
  return isGood ? { save: null, surplus } : save("renewed");
}

const soonest = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other);

const longest = (channels: ReadonlyArray<Channel>): Channel | undefined =>
  channels.toSorted((one, other) => (other.expiresAt ?? 0) - (one.expiresAt ?? 0))[0];

/** The secrets to accept once the vendor is told the first of them: a new one where there is none, or an old one. */
export function secretsToTell(
  secrets: ReadonlyArray<ChannelSecret>,
  now: number,
  fresh: () => string,
): ReadonlyArray<ChannelSecret> {
  const known = secrets.filter(({ until }) => until === null || until > now);
  const [current] = known;
  // While it is not known which one the vendor holds, there is no third.
  const isSettled = known.filter(({ until }) => until === null).length <= 1;
  const isOld = current !== undefined && isSettled && current.since + secretLifeMs <= now;
  return current === undefined || isOld ? [{ text: fresh(), since: now, until: null }, ...known] : known;
}

/** After the vendor was told the first one, the others are accepted for the overlap. */
export const settledSecrets = (
  [current, ...others]: ReadonlyArray<ChannelSecret>,
  until: number,
): ReadonlyArray<ChannelSecret> =>
  current === undefined ? [] : [current, ...others.map((one) => ({ ...one, until: one.until ?? until }))];
