/** Accounts and contacts: lists with filters, one with its sources, its history. */
import { Effect, Schema } from "effect";
import { typedValue } from "../../hub/typed-value.ts";
import type { Entity } from "../../model/field.ts";
import { readHistory, readSheet } from "../../store/browse.ts";
import { type CustomerFilter, pageCustomers } from "../../store/customer-page.ts";
import { cursorOf, paged, pageFor } from "../cursor.ts";
import { Change, CustomerPage, Sheet } from "../customer-shapes.ts";
import { noteRead } from "../note.ts";
import { notFound, type Wrong } from "../problem.ts";
import { type Asking, invalid, type Route, route } from "../route.ts";
import { ById, Instant, Name, pageOf, pageQuery, Several } from "../shapes.ts";
import { shownChange, shownCustomer, shownSheet } from "../shown.ts";

const words = {
  account: { plural: "accounts", one: "Account", many: "Accounts", zh: "客户" },
  contact: { plural: "contacts", one: "Contact", many: "Contacts", zh: "联系人" },
} as const;

const ListQuery = Schema.Struct({
  ...pageQuery,
  state: Schema.optionalKey(Schema.Literals(["live", "deleted", "all"]).annotate({ description: "live unless said." })),
  updatedSince: Schema.optionalKey(Instant),
  connection: Schema.optionalKey(Name.annotate({ description: "Only those with a live record there." })),
  filter: Schema.optionalKey(
    Several(
      "`field:value`, such as industry:Retail; several must all hold. Business fields only: search finds by e-mail and phone.",
    ),
  ),
});

export const customerRoutes = (entity: Entity): ReadonlyArray<Route> => {
  const { plural, one, many, zh } = words[entity];
  return [
    route({
      method: "GET",
      path: `/${plural}`,
      operation: `list${many}`,
      summary: { en: `List ${plural}`, zh: `列出${zh}` },
      scope: "customers:read",
      query: ListQuery,
      response: CustomerPage,
      handle: function* (asked) {
        const { filter, state = "live", updatedSince, connection } = asked.query;
        const page = yield* pageFor(plural, asked.query);
        const fields = yield* filtersOf(asked, entity, filter ?? []);
        const found = yield* pageCustomers(
          asked.hub,
          {
            entity,
            state,
            fields,
            ...(updatedSince === undefined ? {} : { updatedSince }),
            ...(connection === undefined ? {} : { connection }),
          },
          page,
        );
        yield* noteRead(asked, { action: `list ${plural}`, subject: `${found.items.length} shown` });
        return {
          body: {
            items: found.items.map((canonical) => shownCustomer(asked, canonical)),
            next: found.next === null ? null : cursorOf(plural, found.next),
          },
        };
      },
    }),
    route({
      method: "GET",
      path: `/${plural}/:id`,
      operation: `get${one}`,
      summary: { en: `Show one ${entity} with its sources`, zh: `查看单个${zh}及其来源` },
      scope: "customers:read",
      params: ById,
      response: Sheet,
      handle: function* (asked) {
        const sheet = yield* sheetOf(asked, entity, asked.params.id);
        yield* noteRead(asked, { action: `show ${entity}`, subject: sheet.canonical.id });
        return { body: shownSheet(asked, sheet), revision: sheet.canonical.revision };
      },
    }),
    route({
      method: "GET",
      path: `/${plural}/:id/history`,
      operation: `get${one}History`,
      summary: { en: `Show what happened to one ${entity}, newest first`, zh: `查看单个${zh}的历史，最新在前` },
      scope: "customers:read",
      params: ById,
      query: Schema.Struct(pageQuery),
      response: pageOf(Change),
      handle: function* (asked) {
        const sheet = yield* sheetOf(asked, entity, asked.params.id);
        const { id } = sheet.canonical;
        const list = `history ${id}`;
        const { limit, after } = yield* pageFor(list, asked.query);
        const rows = yield* readHistory(asked.hub, id, {
          limit: limit + 1,
          ...(after === undefined ? {} : { before: Number(after) }),
        });
        yield* noteRead(asked, { action: `history of ${entity}`, subject: id });
        const { items, next } = paged(list, rows, limit, ({ position }) => String(position));
        return { body: { items: items.map((change) => shownChange(asked, change)), next } };
      },
    }),
  ];
};

/** The account or contact of this id, or of the one that it was merged into. */
export const sheetOf = Effect.fn("api.sheet")(function* ({ hub }: Pick<Asking, "hub">, entity: Entity, id: string) {
  const sheet = yield* readSheet(hub, id);
  if (sheet !== null && sheet.canonical.entity === entity) return sheet;
  return yield* Effect.fail(notFound(`There is no ${entity} with this id.`, `Find it with POST /api/v1/search.`));
});

/** Only what anybody with the list may see can be asked for, so that a filter tells nothing that a mask hides. */
const filtersOf = Effect.fnUntraced(function* (asking: Asking, entity: Entity, filters: ReadonlyArray<string>) {
  const { model, config } = asking.hub;
  const wrongs: Array<Wrong> = [];
  const fields = filters.flatMap((filter, index): CustomerFilter["fields"] => {
    const wrong = (what: string): CustomerFilter["fields"] => {
      wrongs.push({ path: `query.filter.${index}`, what });
      return [];
    };
    const colon = filter.indexOf(":");
    const field = model[entity].get(filter.slice(0, Math.max(0, colon)));
    if (field === undefined) return wrong("must be field:value, with a field of the model");
    if (field.sensitivity !== "business") {
      return wrong(`must not name ${field.name}: its values are personal; use POST /api/v1/search`);
    }
    const typed = typedValue(field, filter.slice(colon + 1), config.hub);
    return typed.kind === "value" ? [{ field, value: typed.value }] : wrong(`must give a value of ${field.name}`);
  });
  return wrongs.length === 0 ? fields : yield* Effect.fail(invalid(wrongs));
});
