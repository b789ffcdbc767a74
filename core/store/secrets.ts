/** What connections keep between runs: sealed tokens and the counters of daily limits. Plain async, for the tools. */
import { and, eq } from "drizzle-orm";
import { Effect } from "effect";
import type { Token } from "../connector.ts";
import type { StoreFailed } from "./failure.ts";
import { behind, type Fence } from "./fence.ts";
import type { Store } from "./open.ts";
import { counters, tokens } from "./tables.ts";

interface Kept {
  readonly print: string;
  readonly token: Token;
}

export interface TokenShelf {
  readonly load: (name: string) => Promise<Token | null>;
  readonly save: (name: string, token: Token | null) => Promise<void>;
}

/**
 * A token is kept with a keyed print of the settings that it was got with, credentials among them: with other ones it
 * is not found, so that wrong credentials show at once and a token never speaks for another tenant.
 */
export function tokenShelf(
  store: Store,
  connection: string,
  settings: unknown,
  fence: Fence | null = null,
): TokenShelf {
  const { database, sealer } = store;
  const kept = <A>(work: Effect.Effect<A, StoreFailed>): Promise<A> => Effect.runPromise(behind(fence)(work));
  const print = sealer.blind(`token ${connection}`, JSON.stringify(settings) ?? "");
  return {
    load: (name) =>
      Effect.runPromise(
        database.read("reading a token", async () => {
          const row = await database.db
            .select()
            .from(tokens)
            .where(and(eq(tokens.connection, connection), eq(tokens.name, name)))
            .get();
          if (row === undefined) return null;
          // Written by save only; an earlier version kept the token alone.
          const kept = sealer.openHub(`token ${connection}`, row.sealed) as Partial<Kept>;
          return kept.print === print && kept.token !== undefined ? kept.token : null;
        }),
      ),
    save: (name, token) =>
      kept(
        database.write("keeping a token", async () => {
          if (token === null) await database.remove(tokens, ["connection", "name"], [{ connection, name }]);
          else
            await database.insert(
              tokens,
              [{ connection, name, sealed: sealer.sealHub(`token ${connection}`, { print, token } satisfies Kept) }],
              "replace",
            );
        }),
      ),
  };
}

export interface CounterShelf {
  readonly used: (name: string, day: string) => Promise<number>;
  readonly set: (name: string, day: string, used: number) => Promise<void>;
}

export function counterShelf(store: Store, connection: string, fence: Fence | null = null): CounterShelf {
  const { database } = store;
  return {
    used: (name, day) =>
      Effect.runPromise(
        database.read("reading a counter", async () => {
          const row = await database.db
            .select()
            .from(counters)
            .where(and(eq(counters.connection, connection), eq(counters.name, name)))
            .get();
          return row === undefined || row.day !== day ? 0 : row.used;
        }),
      ),
    set: (name, day, used) =>
      Effect.runPromise(
        behind(fence)(
          database.write(
            "keeping a counter",
            async () => {
              await database.insert(counters, [{ connection, name, day, used }], "replace");
              // One a call: a loss of power may forget the last few of a day's thousands.
            },
            "soon",
          ),
        ),
      ),
  };
}
