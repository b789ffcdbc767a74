/** Failing: faults of the four kinds only, each with what the core must know, and no word of a secret. */
import { expect } from "vitest";
import {
  AuthFailed,
  type Connection,
  type Entity,
  isFault,
  type Operation,
  RateLimited,
  Unavailable,
} from "../../../core/connector.ts";
import { type FaultKind, type FaultRule, faultKinds } from "../../../core/simulator.ts";
import type { Suite } from "./suite.ts";
import { entityOf, mapOf, openWorld, pagesOf, recordsIn, settledMs, type World } from "./world.ts";

const always = 1_000_000;

/** The fault that a call ends with, or undefined. */
async function faultOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error;
  }
}

export function describeFailing<Config, Cursor>({ contract, each, it }: Suite<Config, Cursor>): void {
  const listing = (entity: Entity, fault: FaultKind, more: Partial<FaultRule> = {}): FaultRule => ({
    fault,
    ...contract.calls(entity).list,
    ...more,
  });
  const fill = ({ simulator, clock }: World<Config, Cursor>, entity: Entity, count: number): ReadonlyArray<string> => {
    const { record } = entityOf(contract, entity);
    const ids = Array.from({ length: count }, (_, index) => simulator.screen.create(entity, record(index + 1)));
    clock.advance(settledMs);
    return ids;
  };
  const pull = ({ api }: World<Config, Cursor>, entity: Entity) =>
    pagesOf(api, entity, { fields: [entityOf(contract, entity).edited] });
  const creation = (entity: Entity): Operation => ({
    kind: "create",
    entity,
    hubId: "hub-9",
    keyField: contract.key[entity],
    // Another one than those that a test fills the system with.
    fields: entityOf(contract, entity).record(990),
  });

  each("reads all the same through single faults", ["wire"], async (entity) => {
    const passing: ReadonlyArray<FaultKind> = [
      "status-429",
      "status-500",
      "status-503",
      "drop",
      "not-json",
      "slow",
      "lost-reply",
    ];
    for (const fault of passing) {
      const world = await openWorld(contract, { faults: [listing(entity, fault, { times: 2 })] });
      const ids = fill(world, entity, 3);
      const read = recordsIn(await pull(world, entity)).map(({ id }) => id);
      expect({ fault, read: [...read].sort() }).toEqual({ fault, read: [...ids].sort() });
      // A slow answer is an answer, so that one need not be asked for twice.
      expect(world.simulator.faults.struck()[fault]).toBeGreaterThanOrEqual(fault === "slow" ? 1 : 2);
    }
  });

  each(
    "says that it is unavailable when the system stays down, and when something else answers",
    ["wire"],
    async (entity) => {
      for (const fault of ["status-500", "status-503", "drop", "not-json"] as const) {
        const world = await openWorld(contract, { faults: [listing(entity, fault, { times: always })] });
        fill(world, entity, 1);
        expect({ fault, error: await faultOf(pull(world, entity)) }).toEqual({ fault, error: expect.any(Unavailable) });
      }
    },
  );

  each("pauses when the system asks for a long wait, and says until when", ["wire"], async (entity) => {
    const delayMs = 3_600_000;
    const world = await openWorld(contract, {
      faults: [listing(entity, "status-429-retry-after", { times: always, delayMs })],
    });
    fill(world, entity, 1);
    const error = await faultOf(pull(world, entity));
    expect(error).toBeInstanceOf(RateLimited);
    expect((error as RateLimited).retryAt).toBeGreaterThanOrEqual(world.clock.now() + delayMs - 1000);
  });

  each("pauses when the refusals for rate do not end", ["wire"], async (entity) => {
    const world = await openWorld(contract, { faults: [listing(entity, "status-429", { times: always })] });
    fill(world, entity, 1);
    expect(await faultOf(pull(world, entity))).toBeInstanceOf(RateLimited);
  });

  each("knows a refusal for rate that comes over 200", ["rate over 200"], async (entity) => {
    const once = await openWorld(contract, { faults: [listing(entity, "rate-over-200", { times: 1 })] });
    const ids = fill(once, entity, 2);
    expect(recordsIn(await pull(once, entity))).toHaveLength(ids.length);
    const lasting = await openWorld(contract, { faults: [listing(entity, "rate-over-200", { times: always })] });
    fill(lasting, entity, 2);
    expect(await faultOf(pull(lasting, entity))).toBeInstanceOf(RateLimited);
  });

  each("goes on with a new token when the old one ends in the middle", ["token expiry"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity, contract.manyRows);
    world.simulator.faults.add(listing(entity, "expire-token", { from: 3, times: 1 }));
    const read = recordsIn(await pull(world, entity)).map(({ id }) => id);
    expect([...new Set(read)].sort()).toEqual([...ids].sort());
    expect(world.simulator.faults.struck()["expire-token"]).toBe(1);
    // A refused token means that nothing was done, so a write is sent again as well.
    if (world.api.push === undefined) return;
    world.simulator.faults.add({ fault: "expire-token", ...contract.calls(entity).create, times: 1 });
    const [result] = await world.api.push([creation(entity)]);
    expect(result?.kind).toBe("applied");
    expect(world.simulator.screen.list(entity)).toHaveLength(ids.length + 1);
  });

  each("says what a person must do about wrong credentials", ["wire"], async (entity) => {
    const world = await openWorld(contract, { wrongCredentials: true });
    fill(world, entity, 1);
    const { edited } = entityOf(contract, entity);
    const attempts = [
      pull(world, entity),
      world.api.fetch(entity, ["1"], [edited]),
      world.api.find(entity, [{ field: edited, value: "x" }], [edited]),
      world.api.describe(entity),
    ];
    for (const attempt of attempts) {
      const error = await faultOf(attempt);
      expect(error).toBeInstanceOf(AuthFailed);
      expect((error as AuthFailed).remedy).toMatch(/\S/);
    }
    const problems = await world.api.check({ keys: {} }).catch((error: unknown) => [error]);
    expect(problems[0]).toMatchObject({ remedy: expect.stringMatching(/\S/) });
  });

  each("never sends a write twice whose answer was lost", ["write"], async (entity) => {
    for (const fault of ["lost-reply", "hang-after", "late-commit"] as const) {
      const world = await openWorld(contract);
      // What a write needs to know is read before, so that the fault strikes the write.
      await world.api.describe(entity);
      world.simulator.faults.add({ fault, ...contract.calls(entity).create, times: 1, delayMs: 5_000 });
      const outcome = await world.api.push?.([creation(entity)]).then(
        ([result]) => result,
        (error: unknown) => error,
      );
      expect(world.simulator.faults.struck()[fault]).toBe(1);
      const isUnclear =
        (outcome instanceof Unavailable && outcome.sent) ||
        (typeof outcome === "object" && outcome !== null && "kind" in outcome && outcome.kind === "unknown");
      expect({ fault, outcome, isUnclear }).toMatchObject({ isUnclear: true });
      await world.clock.sleep(10_000);
      await world.clock.sleep(10_000);
      expect(world.simulator.screen.list(entity)).toHaveLength(1);
      expect(world.simulator.traffic().writes).toBe(1);
    }
  });

  each("repeats a write that was refused for rate, once it is let in", ["write"], async (entity) => {
    const world = await openWorld(contract);
    world.simulator.faults.add({ fault: "status-429", ...contract.calls(entity).create, times: 2 });
    const [result] = (await world.api.push?.([creation(entity)])) ?? [];
    expect(result?.kind).toBe("applied");
    expect(world.simulator.screen.list(entity)).toHaveLength(1);
  });

  it("lets only the four faults out, whatever strikes", ["wire"], async () => {
    const strange: Array<string> = [];
    let faults = 0;
    for (const fault of faultKinds) {
      for (const entity of ["account", "contact"] as const) {
        if (contract.entities[entity] === undefined) continue;
        const world = await openWorld(contract);
        const [id = ""] = fill(world, entity, 2);
        world.simulator.faults.add({ fault, times: always, delayMs: 1_000 });
        for (const [name, attempt] of attemptsOf(
          world.api,
          entity,
          id,
          entityOf(contract, entity).edited,
          creation(entity),
        )) {
          const error = await faultOf(attempt());
          if (error === undefined) continue;
          faults += 1;
          if (!isFault(error)) strange.push(`${fault} at ${name}: ${String(error)}`);
        }
        expectNoSecrets(contract.secrets, [...world.logged]);
      }
    }
    expect(strange).toEqual([]);
    expect(faults).toBeGreaterThan(20);
  });

  it("tells no secret, neither in faults nor in the log", ["wire"], async () => {
    const said: Array<string> = [];
    for (const fault of ["status-500", "not-json", "status-429", "drop"] as const) {
      for (const wrongCredentials of [false, true]) {
        const world = await openWorld(contract, {
          wrongCredentials,
          faults: [{ fault, times: wrongCredentials ? 1 : always }],
        });
        const entity = contract.entities.account === undefined ? "contact" : "account";
        const error = await faultOf(pull(world, entity));
        said.push(String(error), error instanceof AuthFailed ? error.remedy : "", ...world.logged);
        const problems = await world.api.check({ keys: {} }).catch((thrown: unknown) => [thrown]);
        said.push(...problems.map((problem) => (problem instanceof Error ? problem.message : JSON.stringify(problem))));
        expect(mapOf(world, entity).object).not.toBe("");
      }
    }
    expect(said.filter((text) => text.trim() !== "").length).toBeGreaterThan(8);
    expectNoSecrets(contract.secrets, said);
  });
}

function attemptsOf<Cursor>(
  api: Connection<Cursor>,
  entity: Entity,
  id: string,
  edited: string,
  create: Operation,
): ReadonlyArray<readonly [string, () => Promise<unknown>]> {
  return [
    ["check", () => api.check({ keys: {} })],
    ["pull", () => pagesOf(api, entity, { fields: [edited] })],
    ["listing", () => pagesOf(api, entity, { mode: "listing", fields: [edited] })],
    ["fetch", () => api.fetch(entity, [id, "1"], [edited])],
    ["find", () => api.find(entity, [{ field: edited, value: "x" }], [edited])],
    ["describe", () => api.describe(entity)],
    ["people", () => api.people()],
    ["create", async () => api.push?.([create])],
    ["update", async () => api.push?.([{ kind: "update", entity, id, fields: { [edited]: "x" } }])],
    ["delete", async () => api.push?.([{ kind: "delete", entity, id }])],
  ];
}

function expectNoSecrets(secrets: ReadonlyArray<string>, said: ReadonlyArray<string>): void {
  for (const secret of secrets) expect(said.filter((text) => text.includes(secret))).toEqual([]);
}
