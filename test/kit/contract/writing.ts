/** Writing: one result for each operation, and a world afterwards that agrees with the results. */
import { expect } from "vitest";
import type { Connection, Entity, Operation, Result } from "../../../core/connector.ts";
import type { Suite } from "./suite.ts";
import { entityOf, fetchOne, mapOf, openWorld, type World } from "./world.ts";

const minuteMs = 60_000;

async function push<Cursor>(
  api: Connection<Cursor>,
  operations: ReadonlyArray<Operation>,
): Promise<ReadonlyArray<Result>> {
  if (api.push === undefined) throw new Error("the connector cannot write");
  const results = await api.push(operations);
  expect(results).toHaveLength(operations.length);
  return results;
}

export function describeWriting<Config, Cursor>({ contract, each }: Suite<Config, Cursor>): void {
  const creation = (entity: Entity, index: number, hubId: string): Operation => ({
    kind: "create",
    entity,
    hubId,
    keyField: contract.key[entity],
    fields: entityOf(contract, entity).record(index),
  });
  const update = (entity: Entity, id: string, text: string): Operation => ({
    kind: "update",
    entity,
    id,
    fields: { [entityOf(contract, entity).edited]: text },
  });
  const textOf = ({ simulator }: World<Config, Cursor>, entity: Entity, id: string): unknown =>
    simulator.screen.read(entity, id)?.[entityOf(contract, entity).edited];
  const fill = ({ simulator }: World<Config, Cursor>, entity: Entity, count: number): ReadonlyArray<string> =>
    Array.from({ length: count }, (_, index) =>
      simulator.screen.create(entity, entityOf(contract, entity).record(700 + index)),
    );

  each(
    "creates, updates and deletes, with one result for each in the order of the operations",
    ["write"],
    async (entity) => {
      const world = await openWorld(contract);
      const [edited = "", removed = "", other = ""] = fill(world, entity, 3);
      const results = await push(world.api, [
        update(entity, edited, "One"),
        creation(entity, 1, "hub-1"),
        { kind: "delete", entity, id: removed },
        creation(entity, 2, "hub-2"),
        update(entity, other, "Two"),
      ]);
      expect(results.map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => "applied"));
      expect([results[0], results[2], results[4]].map((result) => result?.kind === "applied" && result.id)).toEqual([
        edited,
        removed,
        other,
      ]);
      expect([textOf(world, entity, edited), textOf(world, entity, other)]).toEqual(["One", "Two"]);
      expect(world.simulator.screen.read(entity, removed)).toBeUndefined();
      const made = [results[1], results[3]].map((result) => (result?.kind === "applied" ? result.id : ""));
      const keys = made.map((id) => world.simulator.screen.read(entity, id)?.[contract.key[entity]]);
      expect(keys).toEqual(["hub-1", "hub-2"]);
      for (const [name, value] of Object.entries(entityOf(contract, entity).record(2))) {
        if (typeof value === "string") {
          expect(world.simulator.screen.read(entity, made[1] ?? "")?.[name]).toBe(value);
        }
      }
    },
  );

  each("writes only the fields that it is given", ["write"], async (entity) => {
    const world = await openWorld(contract);
    const [id = ""] = fill(world, entity, 1);
    const before = world.simulator.screen.read(entity, id);
    await push(world.api, [update(entity, id, "Only this")]);
    const { edited, record } = entityOf(contract, entity);
    const names = Object.keys(record(700)).filter((name) => name !== edited);
    const after = world.simulator.screen.read(entity, id);
    expect(names.map((name) => after?.[name])).toEqual(names.map((name) => before?.[name]));
  });

  each(
    "finds a created record by the hub's key at once, or after the lag that it declares",
    ["write"],
    async (entity) => {
      const world = await openWorld(contract);
      const [result] = await push(world.api, [creation(entity, 3, "hub-3")]);
      world.clock.advance(mapOf(world, entity).versions.settleMs);
      const key = contract.key[entity];
      const found = await world.api.find(entity, [{ field: key, value: "hub-3" }], [key]);
      expect(found.map(({ id }) => id)).toEqual([result?.kind === "applied" ? result.id : "none"]);
      expect(found[0]?.fields[key]).toBe("hub-3");
    },
  );

  each("makes no second record when a create is repeated", ["write", "unique key"], async (entity) => {
    const world = await openWorld(contract);
    const [first] = await push(world.api, [creation(entity, 4, "hub-4")]);
    const [second] = await push(world.api, [creation(entity, 4, "hub-4")]);
    expect(world.simulator.screen.list(entity)).toHaveLength(1);
    expect(first?.kind).toBe("applied");
    // Either the same record took the values, or the answer names it.
    expect(second).toMatchObject({
      kind: expect.stringMatching(/^(applied|duplicate)$/),
      id: first?.kind === "applied" ? first.id : "",
    });
  });

  each("refuses one operation by field and remedy, and does the good ones beside it", ["write"], async (entity) => {
    const world = await openWorld(contract);
    const [one = "", bad = "", two = ""] = fill(world, entity, 3);
    const { refused, record } = entityOf(contract, entity);
    const before = structuredClone(world.simulator.screen.read(entity, bad));
    const results = await push(world.api, [
      update(entity, one, "Good one"),
      { kind: "update", entity, id: bad, fields: { ...refused.fields } },
      update(entity, two, "Good two"),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(["applied", "rejected", "applied"]);
    expect(results[1]).toMatchObject({
      field: refused.field,
      code: expect.stringMatching(/\S/),
      reason: expect.stringMatching(/\S/),
      remedy: expect.stringMatching(/\S/),
    });
    expect([textOf(world, entity, one), textOf(world, entity, two)]).toEqual(["Good one", "Good two"]);
    expect(world.simulator.screen.read(entity, bad)).toEqual(before);
    const badCreation: Operation = {
      kind: "create",
      entity,
      hubId: "hub-5",
      keyField: contract.key[entity],
      fields: { ...record(5), ...refused.fields },
    };
    const [created] = await push(world.api, [badCreation]);
    expect(created).toMatchObject({ kind: "rejected", field: refused.field });
    expect(world.simulator.screen.list(entity)).toHaveLength(3);
  });

  each("does not write over an edit that the precondition does not know", ["write", "precondition"], async (entity) => {
    const world = await openWorld(contract);
    const { conditional } = mapOf(world, entity).versions;
    const [id = ""] = fill(world, entity, 1);
    world.clock.advance(minuteMs);
    const { version, modifiedAt } = await fetchOne(world, entity, id);
    const precondition = conditional === "version" ? { version: version ?? "" } : { modifiedAt: modifiedAt ?? 0 };
    world.simulator.screen.edit(entity, id, { [entityOf(contract, entity).edited]: "By a person" });
    const blind: Operation = {
      kind: "update",
      entity,
      id,
      precondition,
      fields: { [entityOf(contract, entity).edited]: "By the hub" },
    };
    const [refused] = await push(world.api, [blind]);
    expect(refused?.kind).toBe("conflict");
    expect(textOf(world, entity, id)).toBe("By a person");
    const now = await fetchOne(world, entity, id);
    const fresh = conditional === "version" ? { version: now.version ?? "" } : { modifiedAt: now.modifiedAt ?? 0 };
    const [done] = await push(world.api, [{ ...blind, precondition: fresh }]);
    expect(done?.kind).toBe("applied");
    expect(textOf(world, entity, id)).toBe("By the hub");
  });

  each("calls a deleted record gone, and does the good ones beside it", ["write"], async (entity) => {
    const world = await openWorld(contract);
    const [gone = "", kept = ""] = fill(world, entity, 2);
    world.simulator.screen.remove(entity, gone);
    const updated = await push(world.api, [update(entity, gone, "Too late"), update(entity, kept, "In time")]);
    expect(updated.map(({ kind }) => kind)).toEqual(["gone", "applied"]);
    const deleted = await push(world.api, [{ kind: "delete", entity, id: gone }]);
    // Gone already is as good as deleted now.
    expect(deleted[0]?.kind).toMatch(/^(gone|applied)$/);
    expect(textOf(world, entity, kept)).toBe("In time");
  });

  each("takes as many operations in one push as it declares", ["write"], async (entity) => {
    const world = await openWorld(contract);
    const { pushBatchMax } = mapOf(world, entity);
    const ids = fill(world, entity, pushBatchMax);
    const results = await push(
      world.api,
      ids.map((id, index) => update(entity, id, `Text ${index}`)),
    );
    expect(results.map((result) => result.kind === "applied" && result.id)).toEqual(ids);
    expect(ids.map((id) => textOf(world, entity, id))).toEqual(ids.map((_, index) => `Text ${index}`));
  });

  each("tells of a half-failed batch which half it was", ["write", "half batch"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity, 6);
    world.simulator.faults.add({ fault: "half-batch", times: 1, ...contract.calls(entity).update });
    const results = await push(
      world.api,
      ids.map((id, index) => update(entity, id, `Half ${index}`)),
    );
    expect(world.simulator.faults.struck()["half-batch"]).toBe(1);
    const applied = results.map(({ kind }) => kind === "applied");
    expect(applied.filter(Boolean)).toHaveLength(3);
    expect(ids.map((id, index) => textOf(world, entity, id) === `Half ${index}`)).toEqual(applied);
  });

  each(
    "shows times of the grain that it declares, and counts each write once where it counts",
    ["write"],
    async (entity) => {
      const world = await openWorld(contract);
      const { resolutionMs, counter } = mapOf(world, entity).versions;
      const [id = ""] = fill(world, entity, 1);
      world.clock.advance(minuteMs + 123);
      const before = await fetchOne(world, entity, id);
      await push(world.api, [update(entity, id, "Counted")]);
      world.simulator.screen.edit(entity, id, { [entityOf(contract, entity).edited]: "By a person" });
      const after = await fetchOne(world, entity, id);
      for (const { modifiedAt = 0 } of [before, after]) expect(modifiedAt % resolutionMs).toBe(0);
      expect(after.version === undefined || before.version === undefined).toBe(!counter);
      if (counter) expect(BigInt(after.version ?? 0) - BigInt(before.version ?? 0)).toBe(2n);
    },
  );

  each("makes as many calls for a write as it says beforehand", ["write"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity, 12);
    const made = (): number => Object.values(world.simulator.traffic().calls).reduce((sum, count) => sum + count, 0);
    // The first write also fetches a token, and what it must know of the fields.
    await push(world.api, [update(entity, ids[0] ?? "", "First")]);
    const before = made();
    await push(
      world.api,
      ids.map((id, index) => update(entity, id, `Text ${index}`)),
    );
    const { pushBatchMax } = mapOf(world, entity);
    expect(made() - before).toBe(world.api.callsFor?.("update", ids.length) ?? Math.ceil(ids.length / pushBatchMax));
  });

  each("does nothing when it is asked for nothing", ["write"], async (entity) => {
    const world = await openWorld(contract);
    fill(world, entity, 1);
    expect(await push(world.api, [])).toEqual([]);
    expect(world.simulator.traffic().writes).toBe(0);
  });
}
