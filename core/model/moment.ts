/** Everything about the moment of a decision that the rules must not find out for themselves, and rows of the log. */
import type { Value } from "./value.ts";
import type { Canonical, Link, World } from "./world.ts";

export interface Moment {
  readonly now: number;
  readonly run: string;
  readonly newId: (prefix: string) => string;
  /** During a load, first meetings wait until all connections have been read (D10). */
  readonly deferMeetings: boolean;
  /** A brake's held work that a person rejected: all news of it is overruled. */
  readonly overrule?: boolean;
  /** Why what this decision changes becomes due; "changed" without. */
  readonly cause?: string;
}

/** The columns that every row of the change log has. */
export function about(canonical: Canonical, link: Link | undefined, moment: Moment) {
  return {
    at: moment.now,
    run: moment.run,
    connection: link?.connection ?? "hub",
    entity: canonical.entity,
    canonicalId: canonical.id,
    remoteId: link?.remoteId ?? null,
  };
}

/** Keeps a value that did not become canonical. */
export function logNews(
  world: World,
  canonical: Canonical,
  link: Link,
  news: {
    readonly field: string;
    readonly value: Value;
    readonly note: Readonly<Record<string, unknown>>;
    readonly kind?: "overruled" | "noted";
  },
  moment: Moment,
): void {
  const { field, value, note, kind = "noted" } = news;
  world.log.push({
    ...about(canonical, link, moment),
    kind,
    from: { [field]: canonical.values[field] ?? null },
    news: { [field]: value },
    note,
  });
}
