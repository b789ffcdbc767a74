/** The three systems of the semantics, records for them, and what each holds. */
import type { Kit, KitOptions } from "../../../kit/engine-kit.ts";

/**
 * a: versions, a version precondition, answers with what it stored, cuts names at 20.
 * b: whole seconds, a time precondition, answers with the time.
 * c: no precondition, a counter, answers nothing.
 */
export const systems = {
  a: { conditional: "version", returnsStored: true, nameMax: 20 },
  b: { conditional: "time", resolutionMs: 1000, counter: false, returnsTime: true },
  c: { conditional: "none", counter: true },
} as const satisfies KitOptions["systems"];

export const minute = 60_000;

export const company = (index: number) => ({
  Name: `Company ${index}`,
  Domain: `company-${index}.test`,
  Phone: `+49301${100_000 + index}`,
});

/** The one record of a system, or the one of a domain. */
export function only(kit: Kit, name: string, domain?: string): { id: string; fields: Record<string, unknown> } {
  const toy = kit.toy(name);
  const found = toy
    .live("account")
    .map((id) => ({ id, fields: toy.read("account", id) ?? {} }))
    .filter(({ fields }) => domain === undefined || fields.Domain === domain);
  const [record] = found;
  if (record === undefined || found.length !== 1) throw new Error(`${name} has ${found.length} records`);
  return record;
}

/** Values of one field by system. */
export function held(kit: Kit, field: string): Record<string, unknown> {
  return Object.fromEntries(Object.keys(kit.toys).map((name) => [name, only(kit, name).fields[field] ?? null]));
}

export const writesTo = (kit: Kit, name: string): number => kit.toy(name).writes.length;

/** The id of the one account. */
export async function accountId(kit: Kit): Promise<string> {
  const accounts = await kit.accounts();
  const [account] = accounts;
  if (account === undefined || accounts.length !== 1) throw new Error(`${accounts.length} accounts`);
  return account.id;
}

/** A record in the first system, carried everywhere, at rest. */
export async function seeded(kit: Kit, fields: Record<string, unknown> = company(1)): Promise<string> {
  const [first] = Object.keys(kit.toys);
  kit.toy(first ?? "").create("account", fields);
  await kit.settle();
  kit.clock.advance(minute);
  return accountId(kit);
}

export const edit = (kit: Kit, name: string, fields: Record<string, unknown>): void =>
  kit.toy(name).edit("account", only(kit, name).id, fields);
