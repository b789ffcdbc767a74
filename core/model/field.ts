/** What a canonical field is: its type, words for people, sensitivity and how its values are brought to one form. */
import type { FieldType } from "./value.ts";

export const entities = ["account", "contact"] as const;

/** `account` is an organisation, `contact` a person. */
export type Entity = (typeof entities)[number];

/** `personal` values are sealed wherever they are stored; `business` values stay readable. */
export type Sensitivity = "business" | "personal";

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly title: { readonly en: string; readonly zh: string };
  readonly description: string;
  readonly sensitivity: Sensitivity;
  /** For `reference`: the entity that it points to. */
  readonly target?: Entity;
  /** For `option`: the labels that the canonical model suggests; others are kept as they are. */
  readonly options?: ReadonlyArray<string>;
}

/** The fields of one entity by name, built-in ones and those declared in YAML. */
export type Fields = ReadonlyMap<string, Field>;

export type Model = Readonly<Record<Entity, Fields>>;
