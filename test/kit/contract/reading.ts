/** Reading: nothing is lost, nothing is invented, and a cursor can be trusted. */
import { expect } from "vitest";
import { type Entity, Unavailable } from "../../../core/connector.ts";
import type { Suite } from "./suite.ts";
import {
  contextOf,
  entityOf,
  mapOf,
  namesIn,
  neverStopped,
  openWorld,
  pagesOf,
  recordsIn,
  settledMs,
  storedCursor,
  valueIn,
  type World,
} from "./world.ts";

const minuteMs = 60_000;
/** A connector that reads on for ever is stopped here. */
const pagesMax = 200;

function fill<Config, Cursor>(
  { contract, simulator, clock }: World<Config, Cursor>,
  entity: Entity,
  count: number = contract.manyRows,
): ReadonlyArray<string> {
  const { record } = entityOf(contract, entity);
  const ids = Array.from({ length: count }, (_, index) => simulator.screen.create(entity, record(index + 1)));
  clock.advance(settledMs);
  return ids;
}

const sorted = (ids: Iterable<string>): ReadonlyArray<string> => [...new Set(ids)].sort();

export function describeReading<Config, Cursor>({ contract, each, it }: Suite<Config, Cursor>): void {
  const { connector } = contract;

  each("reads everything at first, in pages, with values that can be read", [], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity);
    const map = mapOf(world, entity);
    const pages = await pagesOf(world.api, entity, { fields: namesIn(map) });
    expect(pages.length).toBeGreaterThan(2);
    expect(sorted(recordsIn(pages).map(({ id }) => id))).toEqual(sorted(ids));
    const context = await contextOf(world, entity);
    const [first] = recordsIn(pages);
    for (const [name, rule] of Object.entries(map.fields)) {
      valueIn(entity, name, rule, { fields: first?.fields ?? {}, context });
    }
    for (const { readBegan, readEnded } of pages) expect(readBegan).toBeLessThanOrEqual(readEnded);
  });

  each("goes on from the cursor of every page without a loss", [], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity);
    const fields = namesIn(mapOf(world, entity));
    const pages = await pagesOf(world.api, entity, { fields });
    for (const [place, page] of pages.entries()) {
      const read = recordsIn(pages.slice(0, place + 1)).map(({ id }) => id);
      const cursor = storedCursor(connector, page.cursor);
      const rest = await pagesOf(world.reconnect(), entity, { fields, cursor });
      expect(sorted([...read, ...recordsIn(rest).map(({ id }) => id)])).toEqual(sorted(ids));
    }
  });

  each("reads on from the end: an edit and a new record, and not all again", ["incremental"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity);
    const { record, edited } = entityOf(contract, entity);
    const fields = [edited];
    world.clock.advance(60 * minuteMs);
    const first = await pagesOf(world.api, entity, { fields });
    const cursor = storedCursor(connector, lastCursor(first));
    world.clock.advance(60 * minuteMs);
    const [target = ""] = ids;
    world.simulator.screen.edit(entity, target, { [edited]: "Edited here" });
    const made = world.simulator.screen.create(entity, record(501));
    world.clock.advance(settledMs);
    const changes = recordsIn(await pagesOf(world.reconnect(), entity, { fields, cursor }));
    expect(changes.find(({ id }) => id === target)?.fields).toEqual({ [edited]: "Edited here" });
    expect(changes.map(({ id }) => id)).toContain(made);
    expect(changes.length).toBeLessThan(ids.length);
  });

  each("loses none of many records that changed in one moment", ["incremental"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity);
    const { edited } = entityOf(contract, entity);
    const fields = [edited];
    const first = await pagesOf(world.api, entity, { fields });
    world.clock.advance(60 * minuteMs);
    for (const id of ids) world.simulator.screen.edit(entity, id, { [edited]: "All at once" });
    world.clock.advance(settledMs);
    const cursor = storedCursor(connector, lastCursor(first));
    const pages = await pagesOf(world.api, entity, { fields, cursor });
    const seen = new Map(recordsIn(pages).map(({ id, fields: held }) => [id, held[edited]]));
    expect(pages.length).toBeGreaterThan(2);
    expect(sorted(seen.keys())).toEqual(sorted(ids));
    expect(new Set(seen.values())).toEqual(new Set(["All at once"]));
  });

  each("sees at the next pull at the latest what changes while it reads", ["incremental"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity);
    const { record, edited } = entityOf(contract, entity);
    const fields = [edited];
    const expected = new Map<string, unknown>();
    const seen = new Map<string, unknown>();
    let cursor: Cursor | null = null;
    for (let round = 0; round < 2; round += 1) {
      let pages = 0;
      for await (const page of world.api.pull(entity, { mode: "changes", cursor, fields, signal: neverStopped() })) {
        for (const { id, fields: held } of recordsIn([page])) seen.set(id, held[edited]);
        cursor = page.cursor;
        pages += 1;
        if (round > 0 || pages > 3) continue;
        // One that was read already, one that comes later, and a new one, all in the moment of the page.
        const changed = [recordsIn([page])[0]?.id ?? "", ids.at(-1) ?? ""];
        for (const id of changed) {
          world.simulator.screen.edit(entity, id, { [edited]: `During page ${pages}` });
          expected.set(id, `During page ${pages}`);
        }
        const made = world.simulator.screen.create(entity, { ...record(600 + pages), [edited]: `New ${pages}` });
        expected.set(made, `New ${pages}`);
      }
      world.clock.advance(settledMs);
    }
    expect(Object.fromEntries([...expected.keys()].map((id) => [id, seen.get(id)]))).toEqual(
      Object.fromEntries(expected),
    );
    expect(sorted(seen.keys())).toEqual(sorted([...ids, ...expected.keys()]));
  });

  each("tells by tombstones what was deleted", ["tombstones"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity, 5);
    const { edited } = entityOf(contract, entity);
    const first = await pagesOf(world.api, entity, { fields: [edited] });
    world.clock.advance(10 * minuteMs);
    const [gone = "", , kept = ""] = ids;
    world.simulator.screen.remove(entity, gone);
    world.clock.advance(settledMs);
    const cursor = storedCursor(connector, lastCursor(first));
    const changes = (await pagesOf(world.api, entity, { fields: [edited], cursor })).flatMap((page) => page.changes);
    expect(changes.filter(({ kind }) => kind === "deleted").map(({ id }) => id)).toEqual([gone]);
    expect(changes.some(({ kind, id }) => kind === "deleted" && id === kept)).toBe(false);
    expect(mapOf(world, entity).deletes.learned).toBe("tombstones");
  });

  each("lists everything and says that it did; what it does not name is gone", ["complete listing"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity);
    const [gone = ""] = ids;
    world.clock.advance(10 * minuteMs);
    world.simulator.screen.remove(entity, gone);
    world.clock.advance(settledMs);
    const { edited } = entityOf(contract, entity);
    const pages = await pagesOf(world.api, entity, { mode: "listing", fields: [edited] });
    expect(sorted(recordsIn(pages).map(({ id }) => id))).toEqual(sorted(ids.filter((id) => id !== gone)));
    expect(pages.map(({ complete }) => complete === true)).toEqual(pages.map((_, place) => place === pages.length - 1));
    for (const [place, page] of pages.slice(0, -1).entries()) {
      const cursor = storedCursor(connector, page.cursor);
      const rest = await pagesOf(world.reconnect(), entity, { mode: "listing", fields: [edited], cursor });
      const read = recordsIn([...pages.slice(0, place + 1), ...rest]).map(({ id }) => id);
      expect(sorted(read)).toEqual(sorted(ids.filter((id) => id !== gone)));
      expect(rest.at(-1)?.complete).toBe(true);
    }
  });

  each("fetches by id what is there, and tells what is gone from what never was", [], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity, 4);
    const { edited } = entityOf(contract, entity);
    const [first = "", second = "", gone = ""] = ids;
    world.simulator.screen.edit(entity, second, { [edited]: "Fetched" });
    world.simulator.screen.remove(entity, gone);
    const unknown = unknownLike(first);
    const { changes, readBegan, readEnded } = await world.api.fetch(entity, [second, unknown, gone, first], [edited]);
    const records = changes.filter((change) => change.kind === "record");
    expect(sorted(records.map(({ id }) => id))).toEqual(sorted([first, second]));
    expect(records.find(({ id }) => id === second)?.fields).toEqual({ [edited]: "Fetched" });
    const tombstones = changes.filter(({ kind }) => kind === "deleted").map(({ id }) => id);
    // Never gone is at most claimed of an id that never was.
    expect(tombstones.filter((id) => id !== unknown)).toEqual(
      contract.cannot.tombstones === undefined || tombstones.includes(gone) ? [gone] : [],
    );
    expect(readBegan).toBeLessThanOrEqual(readEnded);
  });

  each("fetches a restored record as a live one", ["tombstones"], async (entity) => {
    const world = await openWorld(contract);
    const [id = ""] = fill(world, entity, 1);
    world.simulator.screen.remove(entity, id);
    const { edited } = entityOf(contract, entity);
    const before = await world.api.fetch(entity, [id], [edited]);
    expect(before.changes.map(({ kind }) => kind)).toEqual(["deleted"]);
    world.clock.advance(20 * minuteMs);
    world.simulator.screen.restore(entity, id);
    const after = await world.api.fetch(entity, [id], [edited]);
    expect(after.changes.map(({ kind }) => kind)).toEqual(["record"]);
  });

  each("fetches as many ids as it declares in one call", [], async (entity) => {
    const world = await openWorld(contract);
    const { fetchBatchMax } = mapOf(world, entity);
    const ids = fill(world, entity, Math.min(fetchBatchMax, 250));
    const { changes } = await world.api.fetch(entity, ids, [entityOf(contract, entity).edited]);
    expect(sorted(changes.map(({ id }) => id))).toEqual(sorted(ids));
  });

  each("finds live records by exact values", [], async (entity) => {
    const world = await openWorld(contract);
    const [wanted = "", other = "", gone = ""] = fill(world, entity, 4);
    const { edited } = entityOf(contract, entity);
    const { screen } = world.simulator;
    screen.edit(entity, wanted, { [edited]: "Exactly this" });
    screen.edit(entity, other, { [edited]: "Exactly this and more" });
    screen.edit(entity, gone, { [edited]: "Exactly this" });
    screen.remove(entity, gone);
    world.clock.advance(60 * minuteMs);
    const found = await world.api.find(entity, [{ field: edited, value: "Exactly this" }], [edited]);
    expect(found.map(({ id, fields }) => [id, fields[edited]])).toEqual([[wanted, "Exactly this"]]);
    expect(await world.api.find(entity, [{ field: edited, value: "Nobody has this" }], [edited])).toEqual([]);
    expect(await world.api.find(entity, [], [edited])).toEqual([]);
    const either = await world.api.find(
      entity,
      ["Exactly this", "Exactly this and more"].map((value) => ({ field: edited, value })),
      [edited],
    );
    expect(sorted(either.map(({ id }) => id))).toEqual(sorted([wanted, other]));
  });

  each("finds live records by a part of a text", [], async (entity) => {
    const world = await openWorld(contract);
    const [wanted = "", other = "", gone = ""] = fill(world, entity, 4);
    const { edited } = entityOf(contract, entity);
    const { screen } = world.simulator;
    screen.edit(entity, wanted, { [edited]: "see www.acme.example/en" });
    screen.edit(entity, other, { [edited]: "acme" });
    screen.edit(entity, gone, { [edited]: "acme.example" });
    screen.remove(entity, gone);
    world.clock.advance(60 * minuteMs);
    const part = { field: edited, value: "acme.example", how: "contains" as const };
    const found = await world.api.find(entity, [part], [edited]);
    expect(found.map(({ id }) => id)).toEqual([wanted]);
    const either = await world.api.find(entity, [part, { field: edited, value: "acme" }], [edited]);
    expect(sorted(either.map(({ id }) => id))).toEqual(sorted([wanted, other]));
  });

  each("finds a part of a text in capital and small letters", ["find in any case"], async (entity) => {
    const world = await openWorld(contract);
    const [wanted = ""] = fill(world, entity, 2);
    const { edited } = entityOf(contract, entity);
    world.simulator.screen.edit(entity, wanted, { [edited]: "see WWW.Acme.example" });
    world.clock.advance(60 * minuteMs);
    const part = { field: edited, value: "acme.example", how: "contains" as const };
    expect((await world.api.find(entity, [part], [edited])).map(({ id }) => id)).toEqual([wanted]);
  });

  each("makes as many calls for a look-up as it says beforehand", ["wire"], async (entity) => {
    const world = await openWorld(contract);
    fill(world, entity, 1);
    world.clock.advance(60 * minuteMs);
    const { edited } = entityOf(contract, entity);
    const made = (): number => Object.values(world.simulator.traffic().calls).reduce((sum, count) => sum + count, 0);
    // The first look-up also fetches a token, and what it must know of the fields.
    await world.api.find(entity, [{ field: edited, value: "x" }], [edited]);
    const before = made();
    const criteria = Array.from({ length: 60 }, (_, index) => [
      { field: edited, value: `nobody ${index}` },
      { field: edited, value: `no part ${index}`, how: "contains" as const },
    ]).flat();
    await world.api.find(entity, criteria, [edited]);
    expect(made() - before).toBe(world.api.callsToFind?.(criteria) ?? 1);
  });

  each("finds texts that could end a query early", ["find quoted text"], async (entity) => {
    const world = await openWorld(contract);
    const { edited } = entityOf(contract, entity);
    const texts = ["O'Brien", "' or id is not null or Account_Name='", 'Say "hi"', "Back\\slash", "(a,b)&c=d%", "上海"];
    const ids = fill(world, entity, texts.length);
    for (const [place, text] of texts.entries())
      world.simulator.screen.edit(entity, ids[place] ?? "", { [edited]: text });
    world.clock.advance(60 * minuteMs);
    for (const [place, value] of texts.entries()) {
      const found = await world.api.find(entity, [{ field: edited, value }], [edited]);
      expect({ value, ids: found.map(({ id }) => id) }).toEqual({ value, ids: [ids[place]] });
    }
  });

  each("keeps ids that no number can hold", ["long ids"], async (entity) => {
    const world = await openWorld(contract);
    const ids = fill(world, entity, 20);
    expect(ids.some((id) => String(Number(id)) !== id)).toBe(true);
    const pages = await pagesOf(world.api, entity, { fields: [entityOf(contract, entity).edited] });
    expect(sorted(recordsIn(pages).map(({ id }) => id))).toEqual(sorted(ids));
  });

  each("stops between two pages when it is told to", [], async (entity) => {
    const world = await openWorld(contract);
    fill(world, entity);
    const stop = new AbortController();
    const request = { mode: "changes" as const, cursor: null, fields: [entityOf(contract, entity).edited] };
    let pages = 0;
    const read = async (): Promise<void> => {
      for await (const _ of world.api.pull(entity, { ...request, signal: stop.signal })) {
        pages += 1;
        stop.abort();
        if (pages > pagesMax) return;
      }
    };
    await read().catch((error: unknown) => expect(error).toBeInstanceOf(Unavailable));
    expect(pages).toBe(1);
  });

  it("lists the people whom records name as owners", [], async () => {
    const world = await openWorld(contract);
    const people = await world.api.people();
    expect(new Set(people.map(({ id }) => id)).size).toBe(people.length);
    for (const person of people) expect(person).toMatchObject({ id: expect.any(String), email: expect.any(String) });
  });

  each("describes the fields that it maps, by their remote names", [], async (entity) => {
    const world = await openWorld(contract);
    const described = await world.api.describe(entity);
    const names = described.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(namesIn(mapOf(world, entity)).filter((name) => !names.includes(name))).toEqual([]);
    // A key is for what the hub creates.
    if (contract.cannot.write !== undefined) return;
    expect(described.find(({ name }) => name === contract.key[entity])).toMatchObject({ unique: true, writable: true });
  });

  each("finds nothing wrong with a good key field, and names one that is missing", ["write"], async (entity) => {
    const world = await openWorld(contract);
    const errors = async (key: string) =>
      (await world.api.check({ keys: { [entity]: key } })).filter(({ severity }) => severity === "error");
    expect(await errors(contract.key[entity])).toEqual([]);
    const [problem] = await errors("No_Such_Field");
    expect(problem).toMatchObject({ entity, field: "No_Such_Field", remedy: expect.stringMatching(/\S/) });
  });
}

function lastCursor<Cursor>(pages: ReadonlyArray<{ readonly cursor: Cursor }>): Cursor {
  const last = pages.at(-1);
  if (last === undefined) throw new Error("a pull without a page gives no cursor");
  return last.cursor;
}

/** An id of the same form that no record has. */
const unknownLike = (id: string): string => id.replace(/.{4}$/, (tail) => (tail === "9999" ? "9998" : "9999"));
