/** The field map: codecs that agree with themselves, and values that come back as they were written. */
import { expect } from "vitest";
import { type Entity, pathNames, Refusal, Unreadable } from "../../../core/connector.ts";
import { builtInFields } from "../../../core/model/fields.ts";
import { encodeField, imageOf } from "../../../core/model/mapping.ts";
import { normalise } from "../../../core/model/normalise.ts";
import { equalValues, fieldTypes, isEmpty, type Value } from "../../../core/model/value.ts";
import type { Suite } from "./suite.ts";
import { contextOf, entityOf, fetchOne, mapOf, openWorld, valueIn, type World } from "./world.ts";

/** Records of both entities, so that references have something to point to. */
function seeded<Config, Cursor>({ contract, simulator }: World<Config, Cursor>): Record<Entity, string> {
  const make = (entity: Entity): string => {
    const known = contract.entities[entity];
    return known === undefined ? "0" : simulator.screen.create(entity, known.record(900));
  };
  return { account: make("account"), contact: make("contact") };
}

export function describeMapping<Config, Cursor>({ contract, each, it }: Suite<Config, Cursor>): void {
  each("names values for every field that it writes", [], async (entity) => {
    const world = await openWorld(contract);
    const values = entityOf(contract, entity).values(seeded(world));
    const written = Object.entries(mapOf(world, entity).fields).filter(([, rule]) => rule.access !== "read");
    expect(written.map(([name]) => name).filter((name) => (values[name] ?? []).length === 0)).toEqual([]);
  });

  each("maps only canonical fields, through codecs that fit their types", [], async (entity) => {
    const world = await openWorld(contract);
    const wrong = Object.entries(mapOf(world, entity).fields).filter(([name, rule]) => {
      const field = builtInFields[entity].get(name);
      return field === undefined || !rule.codec.types.includes(field.type);
    });
    expect(wrong.map(([name]) => name)).toEqual([]);
  });

  it("has a rule for every type that the YAML can map", [], async () => {
    const unfit = fieldTypes.filter((type) => {
      const rule = contract.connector.rule({ name: "custom", type }, "Custom");
      return !rule.codec.types.includes(type) || !pathNames(rule.path).includes("Custom");
    });
    expect(unfit).toEqual([]);
  });

  each("makes an image of its image that is the same", [], async (entity) => {
    const world = await openWorld(contract);
    const context = await contextOf(world, entity);
    const values = entityOf(contract, entity).values(seeded(world));
    let compared = 0;
    for (const [name, rule] of Object.entries(mapOf(world, entity).fields)) {
      for (const value of [...(values[name] ?? []), null]) {
        const once = imageOf(rule, value, context);
        if (once === undefined || once instanceof Refusal || once instanceof Unreadable) {
          if (value !== null) throw new Error(`${name} cannot hold ${JSON.stringify(value)}`);
          continue;
        }
        const twice = imageOf(rule, once, context);
        expect({ name, image: twice }).toEqual({ name, image: once });
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(Object.keys(mapOf(world, entity).fields).length);
  });

  each("gives back each field's value as it was written", ["write"], async (entity) => {
    const world = await openWorld(contract);
    const { push } = world.api;
    const context = await contextOf(world, entity);
    const ids = seeded(world);
    const id = world.simulator.screen.create(entity, entityOf(contract, entity).record(1));
    const values = entityOf(contract, entity).values(ids);
    for (const [name, rule] of Object.entries(mapOf(world, entity).fields)) {
      if (rule.access !== "both") continue;
      for (const value of values[name] ?? []) {
        const fields = encodeField(rule, value, context);
        if (fields instanceof Refusal) throw new Error(`${name}: ${fields.reason}`);
        const [result] = (await push?.([{ kind: "update", entity, id, fields }])) ?? [];
        expect({ name, value, result }).toMatchObject({ name, result: { kind: "applied", id } });
        const read = valueIn(entity, name, rule, { fields: (await fetchOne(world, entity, id)).fields, context });
        expectSame(entity, name, read, normalised(entity, name, imageOf(rule, value, context), context));
      }
    }
  });

  each("empties a field, and tells an empty field from an unknown one", ["write", "clear"], async (entity) => {
    const world = await openWorld(contract);
    const context = await contextOf(world, entity);
    const ids = seeded(world);
    const { record, values, required } = entityOf(contract, entity);
    const id = world.simulator.screen.create(entity, record(1));
    const map = mapOf(world, entity);
    for (const [name, rule] of Object.entries(map.fields)) {
      const value = values(ids)[name]?.[0];
      if (rule.access !== "both" || required.includes(name) || value === undefined) continue;
      for (const next of [value, null]) {
        const fields = encodeField(rule, next, context);
        if (fields instanceof Refusal) {
          expect({ name, remedy: fields.remedy }).toEqual({ name, remedy: expect.stringMatching(/\S/) });
          continue;
        }
        const [result] = (await world.api.push?.([{ kind: "update", entity, id, fields }])) ?? [];
        expect({ name, next, result }).toMatchObject({ name, result: { kind: "applied" } });
        const read = valueIn(entity, name, rule, { fields: (await fetchOne(world, entity, id)).fields, context });
        const cleared = read === false ? null : read;
        expect({ name, empty: isEmpty(cleared), known: read !== undefined }).toEqual({
          name,
          empty: next === null || next === false,
          known: true,
        });
      }
    }
  });

  each("tells what was asked for and nothing else", [], async (entity) => {
    const world = await openWorld(contract);
    const { record, edited } = entityOf(contract, entity);
    const id = world.simulator.screen.create(entity, record(1));
    const { changes } = await world.api.fetch(entity, [id], [edited]);
    const [change] = changes;
    expect(change?.kind === "record" ? Object.keys(change.fields) : change).toEqual([edited]);
  });
}

function normalised(
  entity: Entity,
  name: string,
  image: ReturnType<typeof imageOf>,
  context: Parameters<typeof imageOf>[2],
): Value | undefined {
  const field = builtInFields[entity].get(name);
  if (image === undefined || field === undefined || image instanceof Refusal || image instanceof Unreadable) {
    throw new Error(`${name} has no image`);
  }
  return normalise(field, image, context);
}

function expectSame(entity: Entity, name: string, read: Value | undefined, wanted: Value | undefined): void {
  if (!equalValues(read, wanted)) expect({ entity, name, read }).toEqual({ entity, name, read: wanted });
}
