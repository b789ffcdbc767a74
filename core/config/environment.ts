/**
 * References to environment variables in the YAML: `${NAME}` and `${NAME:-default}`; `$${` stands for `${` itself.
 *
 * A brace ends a plain value inside `{ … }`, so `{ id: ${NAME} }` would not be YAML. References are therefore veiled
 * before parsing: their special characters become characters that no text holds, one for one, so that positions stay.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

const special = "$},{[]:#&*!|>%@`";
const firstVeil = 0xfdd0; // U+FDD0 to U+FDEF are noncharacters: they are for such uses, and never text.
const veils = /[\ufdd0-\ufdef]/g;
const references = /\$?\$\{[^}\n]*\}/g;

/** True if the text already holds characters that veiling needs. */
export const holdsVeils = (text: string): boolean => text.search(veils) >= 0;

/** Shape   as many UTF-16 units as went in. */
export function veil(text: string): string {
  return text.replace(references, (reference) =>
    [...reference]
      .map((character) => {
        const index = special.indexOf(character);
        return index < 0 ? character : String.fromCharCode(firstVeil + index);
      })
      .join(""),
  );
}

export const unveil = (text: string): string =>
  text.replace(veils, (character) => special[character.charCodeAt(0) - firstVeil] ?? character);

export interface Filled {
  readonly value: string;
  /** Names of variables whose values are in `value`. */
  readonly names: ReadonlyArray<string>;
  readonly faults: ReadonlyArray<{ readonly what: string; readonly remedy: string }>;
}

const reference = /(\$?)\$\{([^}\n]*)\}|\$\{/g;
const inside = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** Fills in the references of one text. A value from the environment is never looked into for further references. */
export function fill(text: string, env: Environment): Filled {
  const names: Array<string> = [];
  const faults: Array<{ readonly what: string; readonly remedy: string }> = [];
  const value = text.replace(reference, (whole: string, doubled: string | undefined, body: string | undefined) => {
    if (doubled === "$") return whole.slice(1);
    const match = inside.exec(body ?? "");
    const name = match?.[1];
    if (name === undefined) {
      faults.push({
        what: "a reference to the environment is not well-formed",
        // The body may be a pasted secret, so it is not repeated.
        remedy: `Write ${written("NAME")} or ${written("NAME:-default")}; a text that holds an open brace after a dollar sign doubles the sign.`,
      });
      return "";
    }
    const found = Object.hasOwn(env, name) ? env[name] : undefined;
    if (found !== undefined && found !== "") {
      names.push(name);
      return found;
    }
    const fallback = match?.[2];
    if (fallback !== undefined) return fallback;
    faults.push({
      what: `the environment variable ${name} is ${found === undefined ? "not set" : "empty"}`,
      remedy: `Set ${name} before the start, or write a default: ${written(`${name}:-default`)}.`,
    });
    return "";
  });
  return { value, names, faults };
}

const written = (inner: string): string => `\${${inner}}`;
