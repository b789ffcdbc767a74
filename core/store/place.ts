/** Where a store is, read from `hub.store`. */

export type Place =
  | { readonly engine: "sqlite"; readonly file: string; readonly shown: string }
  | {
      readonly engine: "postgres";
      readonly url: string;
      /** The address without user, password and parameters. */
      readonly shown: string;
    };

/** Takes `sqlite:data/hub.db`, a file alone, or `postgres://user:password@host:port/database`. */
export function placeOf(text: string): Place {
  if (!isPostgres(text)) {
    const file = text.replace(/^sqlite:/, "");
    return { engine: "sqlite", file, shown: file };
  }
  const url = URL.parse(text);
  const shown = url === null ? "the PostgreSQL database" : `postgres://${url.host}${url.pathname}`;
  return { engine: "postgres", url: text, shown };
}

/** A file name on this machine that stands for the store: its own, or one for the database that is elsewhere. */
export function localName(text: string): string {
  const place = placeOf(text);
  return place.engine === "sqlite" ? place.file : place.shown.replace(/[^A-Za-z0-9.-]+/g, "-");
}

export const isPostgres = (text: string): boolean => /^postgres(?:ql)?:/.test(text);
