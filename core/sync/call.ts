/** Calling a connector from an Effect: what it throws is one of the four faults, or a bug of the connector. */
import { Effect } from "effect";
import { type Fault, isFault } from "../net/fault.ts";

/** The connector threw something that is not a fault. */
export class ConnectorBroken extends Error {
  readonly _tag = "ConnectorBroken";
  constructor(connection: string, what: string, cause: unknown) {
    super(
      `The connector of ${connection} failed while ${what}: ${cause instanceof Error ? cause.message : String(cause)}. Nothing was lost; report it with the log around it.`,
      { cause },
    );
    this.name = "ConnectorBroken";
  }
}

export function call<A>(
  connection: string,
  what: string,
  run: (signal: AbortSignal) => Promise<A>,
): Effect.Effect<A, Fault | ConnectorBroken> {
  return Effect.tryPromise({
    try: run,
    catch: (error) => (isFault(error) ? error : new ConnectorBroken(connection, what, error)),
  });
}
