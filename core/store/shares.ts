/**
 * Which process keeps which connection going: the same answer in every process that sees the same rows, as even as it can
 * be, and as it was wherever that is even enough.
 */

export interface ShareMember {
  readonly id: string;
  /** The connections that its YAML names. */
  readonly names: ReadonlySet<string>;
}

export interface SharedConnection {
  readonly name: string;
  /** The living process that keeps it going now. */
  readonly holder: string | null;
  /** It was never read: all such ones go to one process, so that first meetings are judged over all sides at once. */
  readonly isNew: boolean;
}

/** Who shall keep each connection going; one that no process knows is left out. */
export function sharesOf(
  members: ReadonlyArray<ShareMember>,
  connections: ReadonlyArray<SharedConnection>,
): ReadonlyMap<string, string> {
  const shares = new Map<string, string>();
  const load = new Map(members.map(({ id }) => [id, 0]));
  const sorted = members.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const wanted = connections
    .filter(({ name }) => members.some(({ names }) => names.has(name)))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const loadOf = (id: string): number => load.get(id) ?? 0;
  const give = ({ name }: SharedConnection, id: string): void => {
    shares.set(name, id);
    load.set(id, loadOf(id) + 1);
  };
  /** The least burdened of those who know it; of equals the one that has it, then the first. */
  const best = (connection: SharedConnection): string | undefined => {
    const able = sorted.filter(({ names }) => names.has(connection.name));
    const least = Math.min(...able.map(({ id }) => loadOf(id)));
    const equals = able.filter(({ id }) => loadOf(id) === least);
    return (equals.find(({ id }) => id === connection.holder) ?? equals[0])?.id;
  };

  const fresh = wanted.filter(({ isNew }) => isNew);
  const loader = loaderOf(sorted, fresh);
  for (const connection of fresh) {
    const knows = sorted.find(({ id }) => id === loader)?.names.has(connection.name) === true;
    const id = knows ? loader : best(connection);
    if (id !== undefined) give(connection, id);
  }

  // Everybody keeps what the evenest share leaves him; then one more, as far as the rest goes round.
  const least = members.length === 0 ? 0 : Math.floor(wanted.length / members.length);
  let spare = members.length === 0 ? 0 : wanted.length % members.length;
  const old = wanted.filter(({ isNew }) => !isNew);
  for (const most of [least, least + 1]) {
    for (const connection of old) {
      const { name, holder } = connection;
      const known = sorted.find(({ id }) => id === holder)?.names.has(name) === true;
      if (shares.has(name) || holder === null || !known || loadOf(holder) >= most) continue;
      if (most > least) {
        if (spare === 0) continue;
        spare -= 1;
      }
      give(connection, holder);
    }
  }
  for (const connection of old) {
    const id = shares.has(connection.name) ? undefined : best(connection);
    if (id !== undefined) give(connection, id);
  }
  return shares;
}

/** Who reads what was never read: whoever has begun to, else the first of those who know most of it. */
function loaderOf(sorted: ReadonlyArray<ShareMember>, fresh: ReadonlyArray<SharedConnection>): string | undefined {
  const begun = new Set(fresh.map(({ holder }) => holder));
  const known = ({ names }: ShareMember): number => fresh.filter(({ name }) => names.has(name)).length;
  const candidates = sorted.filter(({ id }) => begun.has(id));
  return (candidates.length > 0 ? candidates : sorted).toSorted((one, other) => known(other) - known(one))[0]?.id;
}
