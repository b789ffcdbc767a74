/** Reading JSON of providers that spell names as they like. */

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A member in any case of letters; own ones only. */
export function member(object: unknown, name: string): unknown {
  if (!isJson(object)) return undefined;
  if (Object.hasOwn(object, name)) return object[name];
  const lower = name.toLowerCase();
  const key = Object.keys(object).find((one) => one.toLowerCase() === lower);
  return key === undefined ? undefined : object[key];
}

export const textIn = (object: unknown, name: string): string | undefined => {
  const value = member(object, name);
  return typeof value === "string" && value !== "" ? value : undefined;
};

export const numberIn = (object: unknown, name: string): number | undefined => {
  const value = Number(member(object, name) ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
};

/** True and "True" alike. */
export const isTrue = (value: unknown): boolean =>
  value === true || (typeof value === "string" && value.toLowerCase() === "true");
