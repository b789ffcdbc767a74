/** What channels of alerts are lent: calls and look-ups that reach public hosts, and those that `serve.hosts` names. */
import type { Clock } from "../connector.ts";
import type { ChannelTools } from "../plugin.ts";
import { createGuard } from "./addresses.ts";
import { createTransport, placeOf } from "./transport.ts";

const timeoutMs = 10_000;
const answerBytesMax = 100_000;
const nameIt = "if it is meant, name the host in serve.hosts";

export function createChannelTools(allowedHosts: ReadonlyArray<string>, clock: Clock): ChannelTools {
  const send = createTransport({ clock, allowedHosts, timeoutMs, connectTimeoutMs: timeoutMs, nameIt });
  const guard = createGuard([], nameIt);
  const named = new Set(allowedHosts.map((host) => host.toLowerCase()));
  return {
    now: clock.now,
    post: async ({ url, headers, body }) => {
      const outcome = await send({
        method: "POST",
        retry: "unsent",
        url,
        headers: { "content-type": "application/json", ...headers },
        text: body,
        bodyBytesMax: answerBytesMax,
      });
      if (outcome.kind === "answered") {
        const { status, text, json } = outcome.response;
        return { status, text, json };
      }
      // The path of a bot's address is its secret.
      throw new Error(outcome.fault.message.replaceAll(placeOf(url), URL.parse(url)?.host ?? "the address"));
    },
    lookUp: (host, port) =>
      new Promise((resolve, reject) => {
        const isNamed = named.has(`${host}:${port}`.toLowerCase()) || named.has(host.toLowerCase());
        const look = isNamed ? createGuard([host], nameIt).lookup : guard.lookup;
        look(host, { family: 0 }, (error, address) => {
          if (error !== null) reject(new Error(`${host}: ${error.message}`));
          else resolve(String(address));
        });
      }),
  };
}
