/** Cases: rows of the conflict log that only a person can answer. */
import type { Moment } from "./moment.ts";
import type { Side } from "./settings.ts";
import type { ConflictKind, Link, World } from "./world.ts";

/** Opens a case for a person, once per record and kind. */
export function openCase(
  world: World,
  side: Side,
  subject: {
    readonly kind: ConflictKind;
    readonly link: Link;
    readonly canonicalId: string | null;
    readonly reason: string;
    readonly candidates?: ReadonlyArray<string>;
    readonly detail?: Readonly<Record<string, unknown>>;
  },
  moment: Moment,
): void {
  if (world.openCases(subject.link, subject.kind).length > 0) return;
  world.counts.opened += 1;
  world.addConflict({
    id: moment.newId("con"),
    kind: subject.kind,
    entity: side.entity,
    canonicalId: subject.canonicalId,
    connection: side.connection,
    remoteId: subject.link.remoteId,
    field: null,
    state: "open",
    rule: null,
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: subject.reason,
    base: null,
    previous: null,
    result: null,
    candidates: [],
    detail: { candidates: subject.candidates ?? [], ...subject.detail },
  });
}
