/** Which account or contact a record of a system belongs to, decided by hand. */
import { Schema } from "effect";
import * as decisions from "../../hub/decisions.ts";
import { Done, orProblem } from "../outcome.ts";
import { type Route, route } from "../route.ts";
import { Entity, Name } from "../shapes.ts";
import { sheetOf } from "./customers.ts";

const record = { entity: Entity, connection: Name, remoteId: Name };

export const linkRoutes: ReadonlyArray<Route> = [
  route({
    method: "POST",
    path: "/links",
    operation: "linkRecord",
    summary: {
      en: "Link a record to an account or contact; with id null it becomes one of its own",
      zh: "把记录关联到某个客户或联系人；id 为 null 时自成一条",
    },
    scope: "customers:write",
    body: Schema.Struct({ ...record, id: Schema.NullOr(Name) }),
    response: Done,
    handle: function* (asked) {
      const { id, ...named } = asked.body;
      if (id !== null) yield* sheetOf(asked, named.entity, id);
      return yield* orProblem(decisions.link(asked.hub, asked.caller.actor, named, id));
    },
  }),
  route({
    method: "POST",
    path: "/links/unlink",
    operation: "unlinkRecord",
    summary: { en: "Let a record go its own way until it is linked again", zh: "解除记录的关联，直到重新关联" },
    scope: "customers:write",
    body: Schema.Struct(record),
    response: Done,
    handle: (asked) => orProblem(decisions.unlink(asked.hub, asked.caller.actor, asked.body)),
  }),
];
