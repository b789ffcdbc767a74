/** Reading much of the store page by page while others write: every page is of the same moment. */
import type { Pool, PoolClient } from "pg";

/** Runs the body in a session that sees the store as it is now, until the generator ends. */
export async function* inSnapshot<A>(pool: Pool, body: (client: PoolClient) => AsyncGenerator<A>): AsyncGenerator<A> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("begin isolation level repeatable read read only");
    yield* body(client);
  } finally {
    await client.query("rollback").catch((error: Error) => {
      broken = error;
    });
    client.release(broken);
  }
}
