/** Fields that point at something else: the person who owns a record, and other records. */
import { type Codec, Refusal, Unreadable } from "../codec.ts";
import { isRecord, kindOf, misfit, readId } from "./raw.ts";

export interface OwnerOptions {
  /** `id` is `"1000"`, `object` is `{ id, email? }`, `array` is `["1000"]`. */
  readonly shape: "id" | "object" | "array";
}

export interface ReferenceOptions {
  /** `id` is `"1000"`, `object` is `{ id }`. */
  readonly shape: "id" | "object";
}

/** The canonical value is an e-mail address; the default owner takes what belongs to nobody, or to somebody unknown there. */
export const owner = ({ shape }: OwnerOptions): Codec => ({
  name: "owner",
  types: ["owner"],
  decode: (raw, { people }) => {
    const id = idIn(raw, shape);
    if (typeof id !== "string") return id;
    const told = isRecord(raw) && typeof raw.email === "string" ? raw.email.trim().toLowerCase() : "";
    return people.emailOf(id) ?? (told || new Unreadable("The owner is not among the people of this system."));
  },
  encode: (value, { people }) => {
    if (value === null || value === "") return wrap(people.defaultId ?? null, shape);
    if (typeof value !== "string") return misfit(value, "an e-mail address");
    const id = people.idOf(value.toLowerCase()) ?? people.defaultId;
    if (id !== undefined) return wrap(id, shape);
    return new Refusal(
      "The owner is not among the people of this system.",
      "Add the person to `owners`, or set `defaultOwner`.",
    );
  },
});

/** The canonical value here is the remote id; the core translates ids through links. */
export const reference = ({ shape }: ReferenceOptions): Codec => ({
  name: "reference",
  types: ["reference"],
  decode: (raw) => idIn(raw, shape),
  encode: (value) =>
    value === null || typeof value === "string" ? wrap(value || null, shape) : misfit(value, "an id"),
});

type Shape = OwnerOptions["shape"];

function idIn(raw: unknown, shape: Shape): string | null | undefined | Unreadable {
  if (raw === undefined || raw === null || raw === "") return raw === undefined ? undefined : null;
  const bad = new Unreadable(`The system sent ${kindOf(raw)} where ${wantedBy[shape]} was expected.`);
  if (shape === "object") return isRecord(raw) && "id" in raw ? idOr(raw.id, bad) : bad;
  if (shape === "id") return idOr(raw, bad);
  if (!Array.isArray(raw)) return bad;
  return raw.length === 0 ? null : idOr(raw[0], bad);
}

const wantedBy: Readonly<Record<Shape, string>> = {
  id: "an id",
  object: "an object with an id",
  array: "a list with one id",
};

const idOr = (raw: unknown, bad: Unreadable): string | null | Unreadable =>
  raw === null ? null : (readId(raw) ?? (raw === "" ? null : bad));

function wrap(id: string | null, shape: Shape): unknown {
  if (shape === "array") return id === null ? [] : [id];
  return shape === "object" && id !== null ? { id } : id;
}
