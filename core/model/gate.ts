/** The gates of rules 2 and 3: a person's hold or pin, and the owning connection (SEMANTICS D11). */
import { ownerBinds } from "./dispute.ts";
import type { Interval } from "./interval.ts";
import { chainOf, ownerOf } from "./policy.ts";
import type { Settings, Side } from "./settings.ts";
import type { Canonical, World } from "./world.ts";

export interface Gate {
  readonly by: "hold" | "pin" | "owner";
  readonly why: string;
}

/** What keeps a system's news of a field out; undefined lets it pass. */
export function gateOf(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  field: string,
  interval: Interval | null,
): Gate | undefined {
  const provenance = canonical.provenance[field];
  if (provenance?.hold === true) return { by: "hold", why: "held by a person" };
  const pinnedAt = provenance?.pinnedAt;
  if (pinnedAt !== undefined && !(interval !== null && interval.lower > pinnedAt)) {
    return { by: "pin", why: "a person decided, and this change is not provably later" };
  }
  const owner = ownerOf(chainOf(settings.policy, side.entity, field));
  if (owner !== undefined && owner !== side.connection && ownerBinds(world, canonical.id, owner, field)) {
    return { by: "owner", why: `${owner} owns this field` };
  }
  return undefined;
}
