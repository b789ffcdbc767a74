/** How Zoho refuses for rate (by status only) and when it fails. */
import { answer, Refused } from "./wire.ts";

export const refusals = {
  429: (headers: Readonly<Record<string, string>>): Response => {
    const message = "You have made too many requests. Please try again after some time.";
    const response = answer(new Refused(429, "TOO_MANY_REQUESTS", message).body, 429);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  },
  500: (): Response => answer(new Refused(500, "INTERNAL_ERROR", "Internal Server Error").body, 500),
};
