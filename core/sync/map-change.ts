/**
 * What a changed map, policy or remote schema asks for (SEMANTICS D13, D22): a newly mapped field is a first meeting on
 * every link, so everything is read again; and what was refused before may be taken now.
 */
import { and, eq } from "drizzle-orm";
import { Effect } from "effect";
import { type Entity, entities } from "../model/field.ts";
import type { Side } from "../model/settings.ts";
import { connections, cursors, deadLetters } from "../store/tables.ts";
import { loadWorld, saveWorld } from "../store/world-store.ts";
import type { Engine, LiveConnection } from "./engine.ts";

/** Prints by entity of the maps that the store was filled with, and one of all that a refusal may depend on. */
type Prints = Partial<Record<Entity | "writing", string>>;

const refusedMax = 10_000;

const printOf = (engine: Engine, side: Side): string => engine.store.sealer.blind("map", side.mapPrint);

function writingPrint(engine: Engine, live: LiveConnection): string {
  const { policy } = engine.settings;
  const sides = [...live.sides].map(([entity, side]) => [
    entity,
    side.mapPrint,
    [...side.rules].map(([name, rule]) => [name, rule.access, rule.codec.lengthMax ?? 0]),
    [...side.context.remote.values()],
    policy[entity],
  ]);
  return engine.store.sealer.blind("writing", JSON.stringify(sides));
}

const savedPrints = (engine: Engine) =>
  engine.store.database.read("reading the prints of the maps", async () => {
    const rows = await engine.store.database.db.select().from(connections);
    // Written by this file only.
    return new Map(rows.map((row) => [row.name, row.mapPrint as Prints]));
  });

/** Entities whose map is another than the one that their records were read with. */
export const mapChanged = Effect.fn("map.changed")(function* (engine: Engine, chosen: ReadonlyArray<LiveConnection>) {
  const saved = yield* savedPrints(engine);
  const changed = new Map<string, ReadonlySet<Entity>>();
  for (const live of chosen) {
    const prints = saved.get(live.name) ?? {};
    const others = [...live.sides].flatMap(([entity, side]) =>
      prints[entity] !== undefined && prints[entity] !== printOf(engine, side) ? [entity] : [],
    );
    if (others.length > 0) changed.set(live.name, new Set(others));
  }
  return changed;
});

/** Remembers the maps: before a first load those that are absent, after a full read all. */
export const notePrints = Effect.fn("map.note")(function* (
  engine: Engine,
  chosen: ReadonlyArray<LiveConnection>,
  which: "absent" | "all",
) {
  const saved = yield* savedPrints(engine);
  yield* engine.store.database.write("noting the prints of the maps", async () => {
    for (const live of chosen) {
      const known = saved.get(live.name) ?? {};
      const now: Prints = { writing: writingPrint(engine, live) };
      for (const [entity, side] of live.sides) now[entity] = printOf(engine, side);
      const mapPrint = which === "absent" ? { ...now, ...known } : { ...known, ...now };
      await engine.store.database.db.update(connections).set({ mapPrint }).where(eq(connections.name, live.name));
    }
  });
});

/** Listings that were cut short and go on with the next pull. */
export const listingsBegun = Effect.fn("map.listings")(function* (engine: Engine, live: LiveConnection) {
  const rows = yield* engine.store.database.read("finding listings that were cut short", async () =>
    engine.store.database.db
      .select({ entity: cursors.entity })
      .from(cursors)
      .where(and(eq(cursors.connection, live.name), eq(cursors.mode, "listing"))),
  );
  return new Set<Entity>(entities.filter((entity) => rows.some((row) => row.entity === entity)));
});

/** D13: refused values are tried again when the map, the policy or the remote schema has changed. */
export const retryRefused = Effect.fn("map.retry")(function* (engine: Engine, live: LiveConnection, run: string) {
  const { database, sealer } = engine.store;
  const saved = (yield* savedPrints(engine)).get(live.name)?.writing;
  const now = writingPrint(engine, live);
  if (saved === now) return;
  yield* database.write("trying refused values again", async () => {
    const letters = await database.db
      .select()
      .from(deadLetters)
      .where(and(eq(deadLetters.connection, live.name), eq(deadLetters.move, "push"), eq(deadLetters.state, "open")))
      .limit(refusedMax);
    const canonicalIds = [...new Set(letters.map((letter) => letter.canonicalId))];
    const { world, sealing } = await loadWorld(database, sealer, engine.model, { canonicalIds });
    for (const letter of letters) {
      const canonical = world.canonical(letter.canonicalId);
      if (canonical === undefined) continue;
      const { id: canonicalId, entity } = canonical;
      for (const link of world.liveLinks(canonicalId, live.name)) {
        const shadow = link.shadow.fields[letter.field];
        if (shadow?.refused === undefined) continue;
        delete shadow.refused;
        world.touchLink(link);
      }
      world.healed.push({ ...letter, connection: live.name, entity, move: "push" });
      world.markDue({
        canonicalId,
        connection: live.name,
        entity,
        reason: `the map or the policy has changed (${run})`,
      });
    }
    const at = engine.clock.now();
    await saveWorld(database, sealing, world, { now: at, newId: engine.ids.next, settings: engine.settings });
    const known = (await database.db.select().from(connections).where(eq(connections.name, live.name)).get())?.mapPrint;
    // Written by this file only.
    const mapPrint: Prints = { ...(known as Prints | undefined), writing: now };
    await database.db.update(connections).set({ mapPrint }).where(eq(connections.name, live.name));
  });
});
