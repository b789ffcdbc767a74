import { describe, expect, it } from "vitest";
import { dueAt, nextAt, type Schedule, scheduleOf } from "../../../core/hub/schedule.ts";

const hour = 3_600_000;

function made(expression: string, timeZone: string, now: number): Schedule {
  const schedule = scheduleOf(expression, { timeZone, name: "crm", now });
  if (schedule === null) throw new Error("it never comes");
  return { ...schedule, behindMs: 0 };
}

/** The instants that a hub would fire which looks once a minute. */
function fired(schedule: Schedule, from: number, to: number): ReadonlyArray<string> {
  const instants: Array<string> = [];
  let last: number | null = from;
  for (let now = from; now <= to; now += 60_000) {
    const due = dueAt(schedule, last, now);
    if (due === null) continue;
    last = due;
    instants.push(new Date(due).toISOString());
  }
  return instants;
}

describe("schedules in Europe/Berlin", () => {
  it("fire every hour once in the night when the clock goes forward", () => {
    const from = Date.UTC(2026, 2, 28, 22, 30);
    const hourly = fired(made("0 * * * *", "Europe/Berlin", from), from, from + 6 * hour);
    expect(hourly).toHaveLength(6);
    expect(new Set(hourly).size).toBe(6);
  });

  it("fire every hour once in the night when the clock goes back, the doubled hour included", () => {
    const from = Date.UTC(2026, 9, 24, 22, 30);
    const hourly = fired(made("0 * * * *", "Europe/Berlin", from), from, from + 6 * hour);
    expect(new Set(hourly).size).toBe(hourly.length);
    expect(hourly.length).toBeGreaterThanOrEqual(5);
    expect(hourly.length).toBeLessThanOrEqual(6);
  });

  it("fire a daily instant once a day over both changes", () => {
    for (const start of [Date.UTC(2026, 2, 26, 12), Date.UTC(2026, 9, 22, 12)]) {
      const daily = fired(made("30 3 * * *", "Europe/Berlin", start), start, start + 6 * 24 * hour);
      expect(daily).toHaveLength(6);
      const days = daily.map((instant) => new Date(Date.parse(instant) + 2 * hour).toISOString().slice(0, 10));
      expect(new Set(days).size).toBe(6);
    }
  });

  it("fire an instant that the clock skips or doubles at most once a day, and every other day", () => {
    for (const start of [Date.UTC(2026, 2, 26, 12), Date.UTC(2026, 9, 22, 12)]) {
      const daily = fired(made("30 2 * * *", "Europe/Berlin", start), start, start + 6 * 24 * hour);
      expect(daily.length).toBeGreaterThanOrEqual(5);
      expect(daily.length).toBeLessThanOrEqual(6);
    }
  });

  it("make good after a stop by one firing, and know the next one", () => {
    const now = Date.UTC(2026, 5, 1, 12, 7);
    const schedule = made("*/15 * * * *", "Europe/Berlin", now);
    const last = Date.UTC(2026, 5, 1, 9);
    expect(dueAt(schedule, last, now)).toBe(Date.UTC(2026, 5, 1, 12));
    expect(dueAt(schedule, Date.UTC(2026, 5, 1, 12), now)).toBeNull();
    expect(nextAt(schedule, now)).toBe(Date.UTC(2026, 5, 1, 12, 15));
  });
});
