/** Every request has an id of ours: it stands in the answer, in problems and in the log. */
import { randomUUID } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";

const variable = "requestId";

/** Ids that callers send are not taken: they would stand in the log. */
export const withRequestId: MiddlewareHandler = async (context, next) => {
  const id = randomUUID();
  context.set(variable, id);
  await next();
  context.header("X-Request-Id", id);
};

export function requestIdOf(context: Context): string {
  const id: unknown = context.get(variable);
  return typeof id === "string" ? id : "";
}
