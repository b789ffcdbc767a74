/** Search: by id, remote id, key or name. The text goes in the body, so that it stands in no access log. */
import { Schema } from "effect";
import { search } from "../../store/browse.ts";
import { Customer } from "../customer-shapes.ts";
import { noteRead } from "../note.ts";
import { type Route, route } from "../route.ts";
import { Entity, Name } from "../shapes.ts";
import { shownCustomer } from "../shown.ts";

export const searchRoutes: ReadonlyArray<Route> = [
  route({
    method: "POST",
    path: "/search",
    operation: "search",
    summary: {
      en: "Find accounts or contacts by id, remote id, key or name; by e-mail, phone and person only with the scope personal",
      zh: "按编号、远端编号、键或名称查找客户与联系人；只有 personal 权限才能按邮箱、电话和姓名查找",
    },
    scope: "customers:read",
    body: Schema.Struct({ entity: Entity, text: Name }),
    response: Schema.Struct({ items: Schema.Array(Customer) }),
    handle: function* (asked) {
      const { entity, text } = asked.body;
      const found = yield* search(asked.hub, entity, text, { personal: asked.caller.seesPersonal });
      yield* noteRead(asked, { action: `search ${entity}s`, subject: `${found.length} found` });
      return { body: { items: found.map((canonical) => shownCustomer(asked, canonical)) } };
    },
  }),
];
