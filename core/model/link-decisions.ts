/** Decisions of people about records: apart from an account, to an account, and back after a delete (SEMANTICS D14, D23). */
import { startOver } from "./deletion.ts";
import { withdraw } from "./dispute.ts";
import { markDue } from "./due.ts";
import type { EditOutcome } from "./edits.ts";
import { about, type Moment } from "./moment.ts";
import type { Settings } from "./settings.ts";
import type { Link, World } from "./world.ts";

const gone = (what: string): EditOutcome => ({ kind: "refused", reason: `${what} is not known any more.` });

/** The record goes its own way: nothing is read from it or written to it, until a person links it again. */
export function decideUnlink(world: World, settings: Settings, link: Link, moment: Moment): EditOutcome {
  const canonical = link.canonicalId === null ? undefined : world.canonical(link.canonicalId);
  if (canonical === undefined) return gone("Its account");
  if (link.state !== "live") return { kind: "refused", reason: `Record ${link.remoteId} is ${link.state}, not live.` };
  // The shadow stays, so that linking it again to the same account goes on where it was.
  link.state = "detached";
  link.shadow.unlinked = true;
  world.touchLink(link);
  world.log.push({ ...about(canonical, link, moment), kind: "unlinked" });
  withdraw(world, settings, canonical, moment);
  markDue(world, settings, moment);
  return { kind: "done" };
}

/** The record belongs to this account; with null it becomes an account of its own. */
export function decideLink(
  world: World,
  settings: Settings,
  link: Link,
  canonicalId: string | null,
  moment: Moment,
): EditOutcome {
  if (link.state === "live") {
    return { kind: "refused", reason: `Record ${link.remoteId} is linked; unlink it first.` };
  }
  if (canonicalId === null) {
    link.state = "held";
    link.shadow = { fields: {}, separate: true };
    link.print = "";
    link.fetchAfter = moment.now;
    world.relink(link, null);
    return { kind: "done" };
  }
  const canonical = world.canonical(canonicalId);
  if (canonical === undefined || canonical.entity !== link.entity) return gone(canonicalId);
  if (canonical.state !== "live") return { kind: "refused", reason: `${canonicalId} is deleted; restore it first.` };
  if (link.canonicalId === canonical.id) {
    world.revive(link);
    link.print = "";
    link.fetchAfter = moment.now;
  } else startOver(world, link, canonical.id, moment);
  world.log.push({ ...about(canonical, link, moment), kind: "linked", note: { by: "person" } });
  markDue(world, settings, moment);
  return { kind: "done" };
}

/** A deleted account lives again, and is created again where it was deleted: everywhere, or in one connection. */
export function decideRestore(
  world: World,
  settings: Settings,
  asked: { readonly canonicalId: string; readonly connection?: string },
  moment: Moment,
): EditOutcome {
  const canonical = world.canonical(asked.canonicalId);
  if (canonical === undefined) return gone(asked.canonicalId);
  const lost = world
    .linksFor(canonical.id)
    .filter((link) => link.state === "gone" || link.state === "detached")
    .filter((link) => link.shadow.unlinked !== true)
    .filter((link) => asked.connection === undefined || link.connection === asked.connection)
    .filter((link) => world.liveLinks(canonical.id, link.connection).length === 0);
  if (canonical.state === "live" && lost.length === 0) {
    return { kind: "refused", reason: `${canonical.id} is not deleted ${asked.connection ?? "anywhere"}.` };
  }
  world.touch(canonical, moment.now);
  canonical.state = "live";
  for (const link of lost) {
    link.shadow.asked = true;
    delete link.shadow.deleted;
    link.fetchAfter = null;
    world.touchLink(link);
  }
  const note = { by: "person", connections: lost.map((link) => link.connection) };
  world.log.push({ ...about(canonical, undefined, moment), kind: "restored", note });
  markDue(world, settings, moment);
  return { kind: "done" };
}
