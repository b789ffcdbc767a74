/**
 * Reads of records: lists with their paging rules, single records, the list of deleted ones, count and search.
 *
 * Source  Zoho CRM API v8, "Get Records", "Get Deleted Records", "Search Records" and "Record Count".
 */
import type { Renderer } from "./render.ts";
import type { Row, Store } from "./store.ts";
import { type Module, nameFields, type Schema } from "./tenant.ts";
import { answer, empty, Refused, refuse } from "./wire.ts";

export interface ReadOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly store: Store;
  readonly schema: Schema;
  readonly render: Renderer;
  /** What a page token remembers: the place of its last row in the order, or how many rows came before. */
  readonly pageTokens: "place" | "offset";
  /** Rows that page numbers reach, and that page tokens reach. */
  readonly pageRowsMax: number;
  readonly tokenRowsMax: number;
  /** How long a search shows an older state. */
  readonly indexDelayMs: number;
  /** Rows that the list of deleted records shows; unlimited unless said. */
  readonly deletedRowsMax: number;
}

interface PageToken {
  readonly print: string;
  readonly after: { readonly key: number; readonly id: string };
  readonly served: number;
  readonly expiresAt: number;
}

const perPageMax = 200;
const fieldsMax = 50;
const tokenMs = 24 * 3_600_000;
const sortNames = ["id", "Created_Time", "Modified_Time"] as const;
type SortName = (typeof sortNames)[number];
const isSortName = (name: string): name is SortName => sortNames.some((one) => one === name);

const headerTime = (request: Request, name: string): number | undefined => {
  const text = request.headers.get(name);
  if (text === null) return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : Math.floor(instant / 1000) * 1000;
};

const wholeNumber = (query: URLSearchParams, name: string, otherwise: number, most: number): number => {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw refuse.pattern(name);
  if (Number(text) > most) throw refuse.invalid(name, { maximum: most });
  return Number(text);
};

export type Reads = ReturnType<typeof createReads>;

export function createReads(options: ReadOptions) {
  const { now, random, store, schema, render } = options;
  const tokens = new Map<string, PageToken>();
  const counts = new Map<Module, { readonly at: number; readonly count: number }>();

  const keyOf = (row: Row, by: SortName): number =>
    by === "Created_Time" ? row.createdAt : by === "Modified_Time" ? row.modifiedAt : 0;

  const compare =
    (direction: 1 | -1) =>
    (left: { readonly key: number; readonly id: string }, right: { readonly key: number; readonly id: string }) =>
      direction * (left.key - right.key || (left.id < right.id ? -1 : left.id > right.id ? 1 : 0));

  const namesOf = (query: URLSearchParams): ReadonlyArray<string> => {
    const fields = query.get("fields");
    if (fields === null || fields === "") throw refuse.parameter("fields");
    const names = fields.split(",").map((name) => name.trim());
    if (names.length > fieldsMax) {
      const message = "the number of fields given exceeds the limit";
      throw new Refused(400, "LIMIT_EXCEEDED", message, { limit: fieldsMax, param_name: "fields" });
    }
    return names;
  };

  const list = (module: Module, request: Request): Response => {
    const query = new URL(request.url).searchParams;
    const names = namesOf(query);
    const perPage = wholeNumber(query, "per_page", perPageMax, perPageMax);
    const sortBy = query.get("sort_by") ?? "id";
    if (!isSortName(sortBy)) throw refuse.invalid("sort_by", { supported_values: [...sortNames] });
    const order = query.get("sort_order") ?? "desc";
    if (order !== "asc" && order !== "desc") throw refuse.pattern("sort_order");
    if (query.has("cvid")) throw refuse.invalid("cvid");
    const tokenText = query.get("page_token");
    if (tokenText !== null && query.has("page")) {
      throw new Refused(400, "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {
        ambiguity_due_to: [{ param_name: "page" }, { param_name: "page_token" }],
      });
    }
    const page = wholeNumber(query, "page", 1, 1_000_000);
    if (page * perPage > options.pageRowsMax) {
      throw new Refused(
        400,
        "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
        "You can only get the first 2000 records without using page_token param",
        { limit: options.pageRowsMax },
      );
    }
    const since = headerTime(request, "if-modified-since");
    const ids = query.get("ids")?.split(",");
    const print = JSON.stringify([module, names, perPage, sortBy, order, since ?? null, ids ?? null]);
    const token = tokenText === null ? undefined : tokenOf(tokenText, print);
    const direction = order === "asc" ? 1 : -1;
    const wanted = ids === undefined ? undefined : new Set(ids);
    const place = compare(direction);
    const rows = store
      .visible(module)
      .filter((row) => (since === undefined || row.modifiedAt >= since) && (wanted === undefined || wanted.has(row.id)))
      .map((row) => ({ key: keyOf(row, sortBy), id: row.id, row }))
      .sort(place);
    const rest =
      token === undefined
        ? rows.slice((page - 1) * perPage)
        : options.pageTokens === "offset"
          ? rows.slice(token.served)
          : rows.filter((row) => place(row, token.after) > 0);
    const shown = rest.slice(0, perPage);
    const last = shown.at(-1);
    if (last === undefined) return empty(since === undefined ? 204 : 304);
    const more = rest.length > shown.length;
    const served = (token?.served ?? (page - 1) * perPage) + shown.length;
    const next = more
      ? issue({ print, after: { key: last.key, id: last.id }, served, expiresAt: now() + tokenMs })
      : null;
    return answer({
      data: shown.map(({ row }) => render.fields(module, row, names)),
      info: {
        call: false,
        email: false,
        per_page: perPage,
        count: shown.length,
        page,
        more_records: more,
        sort_by: sortBy,
        sort_order: order,
        next_page_token: next,
        previous_page_token: token === undefined ? null : tokenText,
        page_token_expiry: next === null ? null : render.time(now() + tokenMs),
      },
    });
  };

  const issue = (token: PageToken): string => {
    const text = Array.from({ length: 4 }, () =>
      Math.floor(random() * 2 ** 48)
        .toString(16)
        .padStart(12, "0"),
    ).join("");
    tokens.set(text, token);
    return text;
  };

  const tokenOf = (text: string, print: string): PageToken => {
    const token = tokens.get(text);
    if (token === undefined) throw refuse.invalid("page_token");
    if (token.print !== print) {
      const message = "the page token does not belong to these parameters";
      throw new Refused(400, "TOKEN_BOUND_DATA_MISMATCH", message, { param_name: "page_token" });
    }
    if (token.expiresAt <= now()) {
      throw new Refused(400, "EXPIRED_VALUE", "Page token expired", {
        api_name: "page_token",
        json_path: "$.query.page_token",
      });
    }
    if (token.served >= options.tokenRowsMax) {
      const message = "You have reached the maximum limit of records";
      throw new Refused(400, "PAGINATION_LIMIT_EXCEEDED", message, { param_name: "page_token" });
    }
    return token;
  };

  const one = (module: Module, id: string, request: Request): Response => {
    if (!/^\d{1,20}$/.test(id)) throw new Refused(400, "INVALID_DATA", "the id given seems to be invalid", {});
    const row = store.seen(module, id);
    if (row === undefined) return empty(204);
    const fields = new URL(request.url).searchParams.get("fields");
    const full = render.full(module, row);
    if (fields === null) return answer({ data: [full] });
    const names = new Set(["id", ...fields.split(",")]);
    return answer({ data: [Object.fromEntries(Object.entries(full).filter(([name]) => names.has(name)))] });
  };

  const deleted = (module: Module, request: Request): Response => {
    const query = new URL(request.url).searchParams;
    const type = query.get("type") ?? "all";
    if (!["all", "recycle", "permanent"].includes(type)) throw refuse.pattern("type");
    const perPage = wholeNumber(query, "per_page", perPageMax, perPageMax);
    const page = wholeNumber(query, "page", 1, 1_000_000);
    if (page * perPage > options.deletedRowsMax) {
      throw new Refused(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "You can only get the first records", {
        limit: options.deletedRowsMax,
      });
    }
    const since = headerTime(request, "if-modified-since");
    const rows = store
      .graves(module)
      .filter((grave) => (type === "all" || grave.type === type) && (since === undefined || grave.at >= since))
      .sort((left, right) => right.at - left.at || (left.row.id < right.row.id ? 1 : -1));
    const shown = rows.slice((page - 1) * perPage, page * perPage);
    if (shown.length === 0) return empty(204);
    const user = (id: string) => render.user(id, false);
    return answer({
      data: shown.map(({ row, type: kind, at, by }) => ({
        deleted_by: kind === "permanent" ? null : user(by),
        id: row.id,
        display_name: kind === "permanent" ? null : String(row.values[nameFields[module]] ?? ""),
        type: kind,
        created_by: kind === "permanent" ? null : user(row.createdBy),
        deleted_time: render.time(at),
      })),
      info: { per_page: perPage, count: shown.length, page, more_records: rows.length > page * perPage },
    });
  };

  /** Statistics are up to a minute old. */
  /** The whole count lags by a minute; with a criterion it is taken now. */
  const count = (module: Module, request: Request): Response => {
    const criteria = new URL(request.url).searchParams.get("criteria");
    if (criteria !== null) {
      return answer({ count: store.visible(module).filter(matcher(module, "criteria", criteria)).length });
    }
    const known = counts.get(module);
    if (known !== undefined && now() - known.at < 60_000) return answer({ count: known.count });
    const fresh = { at: now(), count: store.visible(module).length };
    counts.set(module, fresh);
    return answer({ count: fresh.count });
  };

  const search = (module: Module, request: Request): Response => {
    const query = new URL(request.url).searchParams;
    const way = ["criteria", "email", "phone", "word"].find((name) => query.has(name));
    if (way === undefined) {
      throw new Refused(400, "EXPECTED_PARAM_MISSING", "expected one of criteria, email, phone, word", {});
    }
    const meets = matcher(module, way, query.get(way) ?? "");
    const perPage = wholeNumber(query, "per_page", perPageMax, perPageMax);
    const page = wholeNumber(query, "page", 1, 1_000_000);
    const fields = query.get("fields")?.split(",") ?? [...schema[module].keys()];
    // What was written a moment ago is not in the index yet.
    const found = store.visible(module).filter((row) => row.modifiedAt <= now() - options.indexDelayMs && meets(row));
    if (page * perPage > options.pageRowsMax) throw new Refused(400, "LIMIT_REACHED", "limit reached", {});
    const shown = found.slice((page - 1) * perPage, page * perPage);
    if (shown.length === 0) return empty(204);
    return answer({
      data: shown.map((row) => render.fields(module, row, fields)),
      info: { per_page: perPage, count: shown.length, page, more_records: found.length > page * perPage },
    });
  };

  const matcher = (module: Module, way: string, text: string): ((row: Row) => boolean) => {
    const holds = (value: unknown, part: string): boolean =>
      typeof value === "string" && value.toLowerCase().includes(part.toLowerCase());
    if (way === "criteria") {
      const criteria = [
        ...text.matchAll(/\(*([A-Za-z_0-9]+):(equals|starts_with|greater_equal):((?:\\.|[^()\\])*)\)*/g),
      ];
      if (criteria.length === 0) throw new Refused(400, "INVALID_QUERY", "Invalid query formed", { reason: "invalid" });
      return (row) =>
        criteria.every(([, name = "", operator, value = ""]) => {
          const plain = value.replaceAll(/\\(.)/g, "$1");
          const held = render.raw(module, row, name);
          if (operator === "greater_equal") return Date.parse(String(held)) >= Date.parse(plain);
          // "equals" behaves like "contains" for text.
          return operator === "equals" ? holds(held, plain) : String(held ?? "").startsWith(plain);
        });
    }
    const types = way === "word" ? ["text", "email", "phone", "website"] : [way];
    const names = [...schema[module].values()].filter(({ type }) => types.includes(type)).map(({ name }) => name);
    return (row) => names.some((name) => holds(render.raw(module, row, name), text));
  };

  return { list, one, deleted, count, search };
}
