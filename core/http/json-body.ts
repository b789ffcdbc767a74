/** The body of a request as JSON. */
import { Effect } from "effect";
import type { HonoRequest } from "hono";
import { Problem } from "./problem.ts";
import { invalid } from "./route.ts";

export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

export const jsonBody = Effect.fn("http.body")(function* (request: HonoRequest, isWanted: boolean) {
  if (!isWanted) return { text: "", value: {} } satisfies JsonBody as JsonBody;
  const text = yield* Effect.tryPromise({ try: () => request.text(), catch: unreadable });
  // Calls that need nothing may come without a body.
  if (text.trim() === "") return { text, value: {} };
  const type = (request.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return yield* Effect.fail(
      new Problem(
        "unsupported-media-type",
        "The body must come as JSON.",
        "Send it with `Content-Type: application/json`.",
      ),
    );
  }
  const value = yield* Effect.try({ try: (): unknown => JSON.parse(text), catch: notJson });
  return { text, value };
});

const notJson = (): Problem => invalid([{ path: "body", what: "must be JSON" }]);

const unreadable = (): Problem =>
  new Problem("too-large", "The body is too large or did not arrive whole.", "Send a smaller body.");
