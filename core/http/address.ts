/** Whom a request comes from. */
import type { Context } from "hono";

/** The socket's address; `unknown` where there is no socket, as in tests. */
export function addressOf(context: Context): string {
  const env: unknown = context.env;
  const incoming = member(env, "incoming");
  const address = member(member(incoming, "socket"), "remoteAddress");
  return typeof address === "string" ? address : "unknown";
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

const forwarding = ["forwarded", "via", "x-forwarded-for", "x-real-ip"] as const;

/** A program on this machine that speaks to the hub itself, not a proxy that passes on what somebody else asks. */
export function isFromHere(context: Context, address: string): boolean {
  const isLoopback = address === "::1" || /^(::ffff:)?127\./.test(address);
  return isLoopback && forwarding.every((header) => context.req.header(header) === undefined) && asksForHere(context);
}

/** A proxy that keeps the name it was called by, and a page that was made to lead here, ask for another host. */
function asksForHere({ req }: Context): boolean {
  const { hostname } = new URL(req.url);
  return hostname === "localhost" || hostname === "[::1]" || /^127\.[0-9.]+$/.test(hostname);
}
