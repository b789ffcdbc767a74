/**
 * Posts the calls that a simulated vendor makes, as soon as they are due, and to this machine only: a sandbox must
 * never call a stranger. It can double, drop and reorder deliveries, as networks do.
 */
import { type Notice, type NoticeAnswer, type Notices, seededRandom } from "./simulator.ts";

/** Chances from 0 to 1, drawn from the seed. */
export interface CourierFaults {
  readonly seed?: number;
  /** Posted twice. */
  readonly double?: number;
  /** Not posted at all, and the vendor does not learn of it. */
  readonly drop?: number;
  /** Held back until later ones have been posted. */
  readonly reorder?: number;
}

export interface Courier {
  /** Posts all that is due now and all that is held back; resolves when everything was answered. */
  readonly deliver: () => Promise<void>;
  readonly counts: () => CourierCounts;
  /** Posts nothing more; resolves when what is under way was answered. */
  readonly close: () => Promise<void>;
}

export interface CourierCounts {
  readonly posted: number;
  /** Answered with 2xx. */
  readonly taken: number;
  readonly doubled: number;
  readonly dropped: number;
  readonly reordered: number;
  /** To an address that is not on this machine, or is none. */
  readonly refused: number;
}

const atOnceMax = 16;
const timeoutMs = 10_000;
const answerBytesMax = 64 * 1024;
/** A vendor's own retries do not ring. */
const lookMs = 500;
const heldMs = 100;

/** Starts at once. */
export function startCourier(notices: Notices, faults: CourierFaults = {}): Courier {
  const random = seededRandom(faults.seed ?? 1);
  const counts = { posted: 0, taken: 0, doubled: 0, dropped: 0, reordered: 0, refused: 0 };
  const waiting: Array<Notice> = [];
  let held: Array<Notice> = [];
  const under = new Set<Promise<void>>();
  let isClosed = false;
  let isRung = false;

  const strikes = (chance: number | undefined): boolean => chance !== undefined && random() < chance;

  const sort = (notice: Notice): void => {
    if (strikes(faults.drop)) {
      counts.dropped += 1;
      return;
    }
    if (strikes(faults.double)) {
      counts.doubled += 1;
      waiting.push(notice);
    }
    if (strikes(faults.reorder)) {
      counts.reordered += 1;
      held.push(notice);
      setTimeout(release, heldMs).unref();
    } else waiting.push(notice);
  };

  const release = (): void => {
    waiting.push(...held.reverse());
    held = [];
    start();
  };

  const start = (): void => {
    while (!isClosed && under.size < atOnceMax) {
      const notice = waiting.shift();
      if (notice === undefined) return;
      const one = carry(notice).finally(() => {
        under.delete(one);
        start();
      });
      under.add(one);
    }
  };

  const carry = async (notice: Notice): Promise<void> => {
    let answer: NoticeAnswer = null;
    if (isOnThisMachine(notice.url)) {
      counts.posted += 1;
      answer = await post(notice);
      if (answer !== null && answer.status >= 200 && answer.status < 300) counts.taken += 1;
    } else counts.refused += 1;
    notices.answered(notice, answer);
  };

  const look = (): void => {
    if (isClosed) return;
    for (const notice of notices.take()) sort(notice);
    start();
  };

  // The vendor rings in the middle of its own change; it is looked at when that is over.
  const onDue = (): void => {
    if (isRung) return;
    isRung = true;
    setImmediate(() => {
      isRung = false;
      look();
    });
  };

  const stopListening = notices.listen(onDue);
  const timer = setInterval(look, lookMs);
  timer.unref();
  look();

  const settle = async (): Promise<void> => {
    while (under.size > 0) await Promise.all(under);
  };

  return {
    deliver: async () => {
      look();
      release();
      await settle();
    },
    counts: () => ({ ...counts }),
    close: async () => {
      isClosed = true;
      stopListening();
      clearInterval(timer);
      await settle();
    },
  };
}

function isOnThisMachine(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return false;
  return /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(parsed.hostname);
}

async function post({ url, headers, body }: Notice): Promise<NoticeAnswer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    return { status: response.status, body: text.slice(0, answerBytesMax) };
  } catch {
    return null;
  }
}
