/** Replay of what would not succeed alone: the record is read and written again, and the letter closes if that works. */
import { and, eq, inArray } from "drizzle-orm";
import { Effect } from "effect";
import type { Entity } from "../model/field.ts";
import { noteAudit } from "../store/audit.ts";
import { deadLetters, links, outbox } from "../store/tables.ts";
import { loadWorld, saveWorld } from "../store/world-store.ts";
import type { Hub } from "./open.ts";

export interface ReplayFilter {
  /** Only these; all open ones without. */
  readonly ids?: ReadonlyArray<string>;
  readonly connection?: string;
}

/** What a replay needs of the hub. */
type Shelf = Pick<Hub, "store" | "clock" | "model" | "ids" | "settings">;

const replayMax = 10_000;
const batchMax = 200;

/** Makes the letters due again. Returns how many; they are tried in the next sync. */
export const replay = Effect.fn("hub.replay")(function* (hub: Shelf, actor: string, filter: ReplayFilter) {
  const { database } = hub.store;
  const letters = yield* database.read("reading dead letters", async () =>
    database.db
      .select()
      .from(deadLetters)
      .where(
        and(
          eq(deadLetters.state, "open"),
          filter.ids === undefined ? undefined : inArray(deadLetters.id, [...filter.ids]),
          filter.connection === undefined ? undefined : eq(deadLetters.connection, filter.connection),
        ),
      )
      .limit(replayMax),
  );
  for (let start = 0; start < letters.length; start += batchMax) {
    yield* replayBatch(hub, actor, letters.slice(start, start + batchMax));
  }
  return letters.length;
});

type Letter = typeof deadLetters.$inferSelect;

const replayBatch = Effect.fn("replay.batch")(function* (hub: Shelf, actor: string, letters: ReadonlyArray<Letter>) {
  const { database, sealer } = hub.store;
  yield* database.write("replaying dead letters", async () => {
    const now = hub.clock.now();
    const pushes = letters.filter((letter) => letter.move === "push");
    const { world, sealing } = await loadWorld(database, sealer, hub.model, {
      canonicalIds: pushes.map((letter) => letter.canonicalId),
      withTargets: true,
    });
    for (const letter of pushes) {
      // Written by the engine only.
      const entity = letter.entity as Entity;
      const link = letter.remoteId === "" ? undefined : world.link(letter.connection, entity, letter.remoteId);
      for (const [field, shadow] of Object.entries(link?.shadow.fields ?? {})) {
        if (letter.field !== "" && letter.field !== field) continue;
        delete shadow.refused;
      }
      if (link !== undefined) {
        // Whoever mended it may have done so in the record itself, beside its version.
        link.fetchAfter = now;
        link.print = "";
        world.touchLink(link);
      }
      world.markDue({ canonicalId: letter.canonicalId, connection: letter.connection, entity, reason: "replayed" });
    }
    await saveWorld(database, sealing, world, { now, newId: hub.ids.next, settings: hub.settings });
    for (const letter of letters) {
      await database.db.update(deadLetters).set({ state: "replayed" }).where(eq(deadLetters.id, letter.id));
      if (letter.move === "push") {
        await database.db
          .update(outbox)
          .set({ dueAt: now })
          .where(and(eq(outbox.connection, letter.connection), eq(outbox.canonicalId, letter.canonicalId)));
      } else {
        await database.db
          .update(links)
          .set({ fetchAfter: now, print: "" })
          .where(
            and(
              eq(links.connection, letter.connection),
              eq(links.entity, letter.entity),
              eq(links.remoteId, letter.remoteId),
            ),
          );
      }
    }
    await noteAudit(
      database,
      letters.map((letter) => ({ at: now, actor, action: "replay", subject: letter.id })),
    );
  });
});
