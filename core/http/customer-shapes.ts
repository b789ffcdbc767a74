/** Shapes of accounts, contacts, their changes and conflicts in answers. */
import { Schema } from "effect";
import { changeKinds, conflictKinds } from "../model/world.ts";
import { Entity, Instant, pageOf, Value, Values } from "./shapes.ts";

const text = Schema.String;
const textOrNull = Schema.NullOr(Schema.String);
const instantOrNull = Schema.NullOr(Instant);
const Facts = Schema.Record(Schema.String, Schema.Unknown).annotate({
  description: "Facts without personal values: rules, counts, states.",
});

const customer = {
  id: text,
  entity: Entity,
  state: Schema.Literals(["live", "deleted", "merged"]),
  name: text.annotate({ description: "What to call it: its name, or what comes nearest to one." }),
  values: Values,
  createdAt: Instant,
  updatedAt: Instant,
  revision: Schema.Int,
};

export const Customer = Schema.Struct(customer).annotate({ identifier: "Customer" });
export const CustomerPage = pageOf(Customer);

export const Changed = Schema.NullOr(Schema.Struct({ notBefore: instantOrNull, notAfter: instantOrNull })).annotate({
  description: "When the value was changed in its source, as well as that is known; null where it is not.",
});

export const Sheet = Schema.Struct({
  ...customer,
  askedFor: text.annotate({ description: "The id that was asked for; another one where it was merged into this." }),
  provenance: Schema.Record(
    Schema.String,
    Schema.Struct({ source: text, changed: Changed, pinnedAt: instantOrNull, held: Schema.Boolean }),
  ).annotate({ description: "Where each value comes from." }),
  links: Schema.Array(
    Schema.Struct({
      connection: text,
      remoteId: text,
      state: Schema.Literals(["live", "detached", "gone", "held", "merged"]),
      modifiedAt: instantOrNull,
      readAt: Instant,
      due: Schema.Boolean.annotate({ description: "A write to this connection is due." }),
    }),
  ),
  openConflicts: Schema.Array(Schema.Struct({ id: text, kind: Schema.Literals(conflictKinds), field: textOrNull })),
}).annotate({ identifier: "CustomerSheet" });

const bag = Schema.NullOr(Values);

export const Change = Schema.Struct({
  position: Schema.Int,
  at: Instant,
  run: text,
  connection: text,
  remoteId: textOrNull,
  kind: Schema.Literals(changeKinds),
  set: bag.annotate({ description: "The new canonical values." }),
  from: bag.annotate({ description: "The values that they replaced." }),
  said: bag.annotate({ description: "What the system said or was told, where that is not the new value." }),
  note: Schema.NullOr(Facts),
}).annotate({ identifier: "Change" });

export const Conflict = Schema.Struct({
  id: text,
  kind: Schema.Literals(conflictKinds),
  entity: Entity,
  customer: textOrNull,
  connection: textOrNull,
  remoteId: textOrNull,
  field: textOrNull,
  state: Schema.Literals(["settled", "open", "resolved", "reopened", "closed", "undone"]),
  rule: textOrNull,
  winner: textOrNull,
  run: text,
  openedAt: Instant,
  updatedAt: Instant,
  reason: text,
  base: Value,
  previous: Value,
  result: Value,
  candidates: Schema.Array(
    Schema.Struct({
      source: text,
      remoteId: textOrNull,
      value: Value,
      notBefore: instantOrNull,
      notAfter: instantOrNull,
    }),
  ),
  detail: Facts,
}).annotate({ identifier: "Conflict" });
