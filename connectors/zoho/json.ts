/** JSON objects and the two ways in which Zoho writes times. */

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const listIn = (body: Json | undefined, key: string): ReadonlyArray<Json> => {
  const list = body?.[key];
  return Array.isArray(list) ? list.filter(isJson) : [];
};

export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const stamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Epoch milliseconds of an ISO 8601 time with any offset; text without one names no instant. */
export function instantOf(value: unknown): number | undefined {
  if (typeof value !== "string" || !stamp.test(value)) return undefined;
  const instant = Date.parse(value);
  return Number.isNaN(instant) ? undefined : instant;
}

/** Zoho knows whole seconds only; a fraction is dropped, which reads a little more and never less. */
export const stampOf = (instant: number): string => new Date(instant).toISOString().replace(/\.\d{3}Z$/, "+00:00");
