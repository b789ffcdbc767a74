/** What a struck fault does to a call. */
import { ConnectionCut, type FaultRule, type SimulatorClock } from "../../../core/simulator.ts";
import type { OAuth } from "./oauth.ts";
import type { Store } from "./store.ts";
import { answer, Refused } from "./wire.ts";

export interface StrikeOptions {
  readonly clock: SimulatorClock;
  readonly store: Store;
  readonly oauth: OAuth;
  readonly dispatch: (request: Request) => Promise<Response>;
}

const html = (status: number): Response =>
  new Response("<html><body>intermediary</body></html>", { status, headers: { "content-type": "text/html" } });

function tooMany(headers: Readonly<Record<string, string>> = {}): Response {
  const message = "You have made too many requests. Please try again after some time.";
  const response = answer(new Refused(429, "TOO_MANY_REQUESTS", message).body, 429);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

export type Strike = (rule: FaultRule | undefined, request: Request) => Promise<Response>;

export function createStrike({ clock, store, oauth, dispatch }: StrikeOptions): Strike {
  return async (rule, request) => {
    const delayMs = rule?.delayMs ?? 1_000;
    if (rule?.fault === "equal-times") store.freeze();
    else store.thaw();
    switch (rule?.fault) {
      case "status-429":
        return tooMany();
      case "status-429-retry-after":
        return tooMany({ "retry-after": String(Math.ceil(delayMs / 1000)) });
      case "status-500":
        return answer(new Refused(500, "INTERNAL_ERROR", "Internal Server Error").body, 500);
      case "status-503":
        return html(503);
      case "not-json":
        return html(200);
      case "drop":
        throw new ConnectionCut();
      case "lost-reply":
        await dispatch(request);
        throw new ConnectionCut();
      case "hang-after":
        await dispatch(request);
        await clock.sleep(delayMs);
        throw new ConnectionCut();
      case "late-commit":
        // The write lands when the delay is over, whatever the caller does meanwhile.
        void clock.sleep(delayMs).then(() => dispatch(request));
        throw new ConnectionCut();
      case "slow":
        await clock.sleep(delayMs);
        return dispatch(request);
      case "expire-token":
        oauth.drop(request);
        return dispatch(request);
      default:
        // Zoho refuses for rate by status only.
        return dispatch(request);
    }
  };
}
