/** The vendor's calls: only genuine ones are accepted, and what they name is what changed. */
import fc from "fast-check";
import { describe, expect } from "vitest";
import { type Accepted, Forged, type HookCall, type Webhook } from "../../../core/connector.ts";
import { Unreadable } from "../../../core/model/codec.ts";
import type { Notice } from "../../../core/simulator.ts";
import type { Suite } from "./suite.ts";
import { entitiesIn, entityOf, openWorld, type World } from "./world.ts";

/** How a connector's contract says that the system calls. */
export interface HookContract<Config, Cursor> {
  /** Makes the vendor call from now on; answers with what takes its calls, and the secrets that prove them. */
  readonly arrange: (world: World<Config, Cursor>) => Promise<Arranged>;
  /**
   * What the proof covers: the whole call (a signature), or nothing but itself: a text in the body and a parameter of
   * the address, whose flipped bits alone must be refused.
   */
  readonly proof: "whole" | { readonly text: string; readonly parameter: string };
}

export interface Arranged {
  readonly webhook: Webhook;
  readonly secrets: ReadonlyArray<string>;
}

const runs = 300;

export function describeHooks<Config, Cursor>(suite: Suite<Config, Cursor>, hooks: HookContract<Config, Cursor>): void {
  const { contract, it, each } = suite;

  async function calling() {
    const world = await openWorld(contract);
    const arranged = await hooks.arrange(world);
    const { simulator, clock } = world;
    const callsNow = (): ReadonlyArray<HookCall> =>
      (simulator.notices?.take() ?? []).map((notice) => callOf(notice, clock.now()));
    /** One genuine call, about a new record. */
    const one = (index = 1): HookCall => {
      const [entity = "account"] = entitiesIn(contract);
      simulator.screen.create(entity, entityOf(contract, entity).record(index));
      const [call] = callsNow();
      if (call === undefined) throw new Error("the simulator has made no call");
      return call;
    };
    const verdict = (call: HookCall, secrets = arranged.secrets): Accepted | "forged" => {
      try {
        return arranged.webhook.accept(call, secrets);
      } catch (error) {
        expect(error).toBeInstanceOf(Forged);
        return "forged";
      }
    };
    return { ...world, ...arranged, callsNow, one, verdict };
  }

  each("names a record that was created, edited, removed", [], async (entity) => {
    const { simulator, webhook, callsNow, verdict, clock } = await calling();
    const { record, edited } = entityOf(contract, entity);
    const id = simulator.screen.create(entity, record(1));
    clock.advance(1000);
    simulator.screen.edit(entity, id, { [edited]: "Edited" });
    clock.advance(1000);
    simulator.screen.remove(entity, id);
    const calls = callsNow();
    expect(calls).toHaveLength(3);
    const keys = new Set<string | null>();
    for (const call of calls) {
      const accepted = verdict(call);
      if (accepted === "forged" || accepted.kind !== "delivery") throw new Error("a genuine call was not accepted");
      keys.add(accepted.key);
      expect(Math.abs((accepted.sentAt ?? 0) - clock.now())).toBeLessThan(10_000);
      expect(webhook.read(call)).toEqual([{ kind: "records", entity, ids: [id] }]);
    }
    expect(keys.size).toBe(3);
  });

  it("knows a call that comes twice by its key", [], async () => {
    const { one, verdict } = await calling();
    const call = one();
    const keyOf = (verdict: Accepted | "forged") =>
      verdict !== "forged" && verdict.kind === "delivery" ? verdict.key : null;
    const key = keyOf(verdict(call));
    expect(key).toMatch(/./);
    expect(keyOf(verdict({ ...call, receivedAt: call.receivedAt + 5_000 }))).toBe(key);
    expect(keyOf(verdict(one(2)))).not.toBe(key);
  });

  it("refuses any flipped bit of what the proof covers", [], async () => {
    const { one, verdict } = await calling();
    const call = one();
    const places = placesOf(call, hooks.proof);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.nat(), fc.nat(7), (place, at, bit) => {
        const flipped = flip(call, place, at, bit);
        if (flipped !== undefined) expect(verdict(flipped)).toBe("forged");
      }),
      { numRuns: runs * 3 },
    );
  });

  it("never breaks on a flipped bit anywhere, nor when it then reads the call", [], async () => {
    const { one, verdict, webhook } = await calling();
    const call = one();
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), (at, bit) => {
        const flipped = flip(call, { part: "body", from: 0, length: call.body.length }, at, bit) ?? call;
        verdict(flipped);
        expect(isReading(webhook.read(flipped))).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  it("accepts either secret while one takes over, and neither a wrong one nor none", [], async () => {
    const { one, verdict, secrets } = await calling();
    const call = one();
    // A system whose key stands in the connection's own YAML is given none by the core.
    if (secrets.length === 0) return;
    expect(verdict(call, ["another-secret-of-32-characters-", ...secrets])).not.toBe("forged");
    expect(verdict(call, ["another-secret-of-32-characters-"])).toBe("forged");
    expect(verdict(call, [])).toBe("forged");
  });

  it("refuses bodies of any other shape", [], async () => {
    const { one, verdict } = await calling();
    const call = one();
    const others = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.nat(call.body.length - 1).map((length) => call.body.subarray(0, length)),
    );
    fc.assert(
      fc.property(others, (body) => {
        expect(verdict({ ...call, body })).toBe("forged");
      }),
      { numRuns: runs },
    );
  });

  it("reads anything without breaking", [], async () => {
    const { one, webhook } = await calling();
    const call = one();
    const genuine: unknown = JSON.parse(Buffer.from(call.body).toString("utf8"));
    const names = Object.keys(genuine as object);
    const spoilt = fc
      .tuple(fc.constantFrom(...names), fc.jsonValue())
      .map(([name, value]) => Buffer.from(JSON.stringify({ ...(genuine as object), [name]: value })));
    const bodies = fc.oneof(
      spoilt,
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect(isReading(webhook.read({ ...call, body }))).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  describe("its window", () => {
    it("lets late calls in for some minutes at least, and for days at most", [], async () => {
      const { webhook } = await calling();
      expect(webhook.windowMs).toBeGreaterThanOrEqual(60_000);
      // The keys of calls are kept for a week, and a copy must be known for as long as it would be let in.
      expect(webhook.windowMs).toBeLessThanOrEqual(3 * 24 * 3_600_000);
    });
  });
}

const isReading = (read: ReturnType<Webhook["read"]>): boolean => read instanceof Unreadable || Array.isArray(read);

export function callOf(notice: Notice, receivedAt: number): HookCall {
  const query = Object.fromEntries(new URL(notice.url).searchParams);
  return { headers: notice.headers, query, body: Buffer.from(notice.body), receivedAt };
}

/** A stretch of the call whose bits are flipped; `name` where it is a header or a parameter. */
interface Place {
  readonly part: "body" | "headers" | "query";
  readonly name?: string;
  readonly from: number;
  readonly length: number;
}

function placesOf(call: HookCall, proof: HookContract<unknown, unknown>["proof"]): ReadonlyArray<Place> {
  const signed = Object.entries(call.headers).filter(([name]) => name.startsWith("webhook-"));
  if (proof === "whole") {
    return [
      { part: "body", from: 0, length: call.body.length },
      ...signed.map(([name, text]): Place => ({ part: "headers", name, from: 0, length: text.length })),
    ];
  }
  const { text, parameter } = proof;
  return [
    { part: "body", from: Buffer.from(call.body).indexOf(text), length: text.length },
    { part: "query", name: parameter, from: 0, length: call.query[parameter]?.length ?? 0 },
  ];
}

function flip(call: HookCall, place: Place, at: number, bit: number): HookCall | undefined {
  if (place.length === 0) return undefined;
  const index = place.from + (at % place.length);
  if (place.part === "body") {
    const body = Buffer.from(call.body);
    body[index] = (body[index] ?? 0) ^ (1 << bit);
    return { ...call, body };
  }
  const { name = "" } = place;
  const text = call[place.part][name] ?? "";
  const flipped =
    text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ (1 << bit)) + text.slice(index + 1);
  return { ...call, [place.part]: { ...call[place.part], [name]: flipped } };
}
