import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AlertRow } from "../../../core/store/alerts.ts";
import { alertKey, type Looking, step } from "../../../core/watch/alert-state.ts";
import type { Trouble } from "../../../core/watch/troubles.ts";

const minute = 60_000;
const repeatMs = 240 * minute;
const calmMs = 2 * minute;

interface Look {
  readonly afterMs: number;
  readonly isWrong: boolean;
  readonly sight: "seen" | "unseen" | "away";
  /** The message is still on its way at the next look. */
  readonly isSlow: boolean;
  /** The process dies after the look, before anything was sent. */
  readonly dies: boolean;
}

const trouble: Trouble = { rule: "failing", subject: "zoho-eu", detail: { forMs: minute } };

/** Plays looks one after the other, and answers what was told, and when. */
function play(looks: ReadonlyArray<Look>) {
  const rows = new Map<string, AlertRow>();
  const told: Array<{ readonly kind: string; readonly at: number }> = [];
  let inFlight = new Set<string>();
  let now = 0;
  for (const look of looks) {
    now += look.afterMs;
    // What was on its way has arrived by now.
    for (const key of inFlight) {
      const row = rows.get(key);
      if (row !== undefined) rows.set(key, { ...row, toldAt: now });
    }
    inFlight = new Set();
    const looking: Looking = { now, repeatMs, calmMs, inFlight, sightOf: () => look.sight };
    const { rows: changed, toTell } = step([...rows.values()], look.isWrong ? [trouble] : [], looking);
    for (const row of changed) rows.set(alertKey(row), row);
    if (look.dies) continue;
    for (const { kind, row } of toTell) {
      told.push({ kind, at: now });
      if (look.isSlow) inFlight.add(alertKey(row));
      else rows.set(alertKey(row), { ...row, toldAt: now });
    }
  }
  return { told, rows: [...rows.values()], now };
}

const look = (change: Partial<Look> = {}): Look => ({
  afterMs: minute,
  isWrong: true,
  sight: "seen",
  isSlow: false,
  dies: false,
  ...change,
});
const times = (count: number, change: Partial<Look> = {}) => Array.from({ length: count }, () => look(change));
const kinds = (looks: ReadonlyArray<Look>) => play(looks).told.map((one) => one.kind);

describe("one trouble", () => {
  it("is told once, and its end once", () => {
    expect(kinds([...times(30), ...times(30, { isWrong: false })])).toEqual(["begun", "ended"]);
  });

  it("is told again after the set time, and not before", () => {
    expect(kinds(times(239))).toEqual(["begun"]);
    expect(kinds(times(242))).toEqual(["begun", "lasts"]);
  });

  it("that comes and goes within two minutes is one", () => {
    const flapping = Array.from({ length: 60 }, (_, index) => look({ isWrong: index % 2 === 0 }));
    expect(kinds(flapping)).toEqual(["begun"]);
  });

  it("that comes back after its end is another one", () => {
    const end = times(5, { isWrong: false });
    expect(kinds([look(), ...end, look(), ...end])).toEqual(["begun", "ended", "begun", "ended"]);
  });

  it("is told after a restart if the hub died before it was sent", () => {
    expect(kinds([look({ dies: true }), ...times(3)])).toEqual(["begun"]);
    expect(kinds([look(), ...times(3, { isWrong: false, dies: true }), ...times(2, { isWrong: false })])).toEqual([
      "begun",
      "ended",
    ]);
  });

  it("of which nobody heard has no end that is told", () => {
    expect(kinds([look({ dies: true }), ...times(5, { isWrong: false })])).toEqual([]);
  });

  it("keeps what it has while it cannot be seen", () => {
    expect(kinds([look(), ...times(60, { isWrong: false, sight: "unseen" }), look()])).toEqual(["begun"]);
  });

  it("of a connection that a person has stopped ends without a word", () => {
    const { told, rows } = play([look(), ...times(5, { isWrong: false, sight: "away" })]);
    expect(told.map((one) => one.kind)).toEqual(["begun"]);
    expect(rows).toMatchObject([{ state: "ended" }]);
  });
});

describe("any course of looks", () => {
  const looks = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 1_000, max: 90 * minute }),
      isWrong: fc.boolean(),
      sight: fc.constantFrom("seen" as const, "seen" as const, "seen" as const, "unseen" as const),
      isSlow: fc.boolean(),
      dies: fc.constant(false),
    }),
    { maxLength: 120 },
  );

  it("alternates between begun and ended, with repeats only between them and no sooner than set", () => {
    fc.assert(
      fc.property(looks, (course) => {
        let isFiring = false;
        let last = 0;
        for (const { kind, at } of play(course).told) {
          if (kind === "begun") expect(isFiring).toBe(false);
          else expect(isFiring).toBe(true);
          if (kind === "lasts") expect(at - last).toBeGreaterThanOrEqual(repeatMs);
          isFiring = kind !== "ended";
          last = at;
        }
      }),
    );
  });

  it("ends told as it is: a trouble that lasts is told, and one that is gone is told to be over", () => {
    fc.assert(
      fc.property(looks, fc.boolean(), (course, isWrong) => {
        const { told } = play([...course, ...times(6, { isWrong })]);
        const last = told.at(-1)?.kind;
        if (isWrong) expect(["begun", "lasts"]).toContain(last);
        else expect([undefined, "ended"]).toContain(last);
      }),
    );
  });
});
