/** The contract between a remote field and a canonical one. The codecs themselves are in `codecs.ts`. */
import type { FieldType, Value } from "./value.ts";

/** One choice of a remote option field. */
export interface RemoteOption {
  readonly value: string;
  readonly label: string;
}

/** A field as the system describes it now; used for drift, options and lengths. */
export interface RemoteField {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly required: boolean;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly unique: boolean;
  readonly maxLength?: number;
  readonly options?: ReadonlyArray<RemoteOption>;
}

/** Who works in the remote system, for owner fields. Lower-case e-mails. */
export interface People {
  readonly emailOf: (remoteId: string) => string | undefined;
  /** The remote id for an e-mail, through the `owners` map of the YAML; undefined when nobody matches. */
  readonly idOf: (email: string) => string | undefined;
  /** Takes the records of an unmapped owner, from `defaultOwner`. */
  readonly defaultId?: string;
}

/** What a codec may know of its connection. Pure data, fixed for one run. */
export interface CodecContext {
  /** ISO 3166 alpha-2, for phone numbers without a country code. */
  readonly country: string;
  /** ISO 4217, for amounts without a currency. */
  readonly currency: string;
  readonly people: People;
  /** The remote field's description by remote name, when `describe` gave one. */
  readonly remote: ReadonlyMap<string, RemoteField>;
}

/** The value cannot be written in this system; says why and what a person can do. */
export class Refusal {
  readonly reason: string;
  readonly remedy: string;
  constructor(reason: string, remedy: string) {
    this.reason = reason;
    this.remedy = remedy;
  }
}

/** The remote value does not fit the codec; the field counts as "not known" and is reported. */
export class Unreadable {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * Turns remote values into canonical ones and back.
 *
 * Shape   `Paths` is the shape of `path` in the field rule: one name, a list of slots, or names by member.
 *         `decode` gets the same shape filled with raw JSON (absent slots are undefined).
 * Rule    `decode(encode(decode(x))) = decode(x)`; the contract suite checks it.
 */
export interface Codec {
  readonly name: string;
  readonly types: ReadonlyArray<FieldType>;
  /** Characters that the system keeps, if it cuts or refuses longer text. */
  readonly lengthMax?: number;
  /** The system rewrites values in ways that cannot be declared; a receipt then tells its rewrite from an edit. */
  readonly opaque?: boolean;
  readonly decode: (raw: RawShape, context: CodecContext, path: Path) => Value | undefined | Unreadable;
  readonly encode: (value: Value, context: CodecContext, path: Path) => RawShape | Refusal;
}

export type Path = string | ReadonlyArray<string> | Readonly<Record<string, string>>;

/** Raw JSON in the shape of the path: a value, a list of slots, or values by member. */
export type RawShape = unknown;

/** `both` is read and written, `read` is never written, `create` is written only when the record is made. */
export type Access = "both" | "read" | "create";

/** How one canonical field lives in one remote object. Data, not code. */
export interface FieldRule {
  readonly path: Path;
  readonly codec: Codec;
  readonly access: Access;
}

/** The remote names that a path covers, in order. */
export function pathNames(path: Path): ReadonlyArray<string> {
  if (typeof path === "string") return [path];
  return Array.isArray(path) ? path : Object.values(path);
}
