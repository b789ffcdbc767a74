import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SharedConnection, type ShareMember, sharesOf } from "../../../core/store/shares.ts";

const memberIds = ["a", "b", "c", "d"];
const connectionNames = ["crm-1", "crm-2", "crm-3", "crm-4", "crm-5", "crm-6"];

const worlds = fc.record({
  members: fc.subarray(memberIds, { minLength: 1 }),
  connections: fc.subarray(connectionNames).chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.record({
          name: fc.constant(name),
          holder: fc.option(fc.constantFrom(...memberIds)),
          isNew: fc.boolean(),
        }),
      ),
    ),
  ),
});

const knowing = (ids: ReadonlyArray<string>, names: Iterable<string>): ReadonlyArray<ShareMember> =>
  ids.map((id) => ({ id, names: new Set(names) }));

/** A holder that is gone is none. */
const seen = (members: ReadonlyArray<string>, connections: ReadonlyArray<SharedConnection>) =>
  connections.map((one) => ({ ...one, holder: members.includes(one.holder ?? "") ? one.holder : null }));

const sizes = (members: ReadonlyArray<string>, shares: ReadonlyMap<string, string>): ReadonlyArray<number> =>
  members.map((id) => [...shares.values()].filter((holder) => holder === id).length);

describe("the shares of processes", () => {
  it("give every connection to one process that lives", () => {
    fc.assert(
      fc.property(worlds, ({ members, connections }) => {
        const shares = sharesOf(knowing(members, connectionNames), seen(members, connections));
        expect([...shares.keys()].sort()).toEqual(connections.map(({ name }) => name).sort());
        for (const holder of shares.values()) expect(members).toContain(holder);
      }),
    );
  });

  it("are even to one where everything was read once", () => {
    fc.assert(
      fc.property(worlds, ({ members, connections }) => {
        const read = seen(members, connections).map((one) => ({ ...one, isNew: false }));
        const counts = sizes(members, sharesOf(knowing(members, connectionNames), read));
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("stay as they are once they are taken, also where not everybody knows everything", () => {
    const partly = fc.tuple(worlds, fc.array(fc.subarray(connectionNames), { minLength: 4, maxLength: 4 }));
    fc.assert(
      fc.property(partly, ([{ members, connections }, known]) => {
        const crew = members.map((id, index) => ({ id, names: new Set(known[index]) }));
        const shares = sharesOf(crew, seen(members, connections));
        const taken = connections.map((one) => ({ ...one, holder: shares.get(one.name) ?? null }));
        const again = sharesOf(crew, taken);
        const settled = sharesOf(
          crew,
          taken.map((one) => ({ ...one, holder: again.get(one.name) ?? null })),
        );
        expect(Object.fromEntries(settled)).toEqual(Object.fromEntries(again));
      }),
      { numRuns: 1000 },
    );
  });

  it("move no more than they must when a process comes", () => {
    const held = connectionNames.map((name, index) => ({ name, holder: index < 3 ? "a" : "b", isNew: false }));
    const shares = sharesOf(knowing(["a", "b", "c"], connectionNames), held);
    expect(sizes(["a", "b", "c"], shares)).toEqual([2, 2, 2]);
    expect(held.filter(({ name, holder }) => shares.get(name) === holder)).toHaveLength(4);
  });

  it("give all that was never read to one process, to the one that has begun", () => {
    const fresh = connectionNames.map((name) => ({ name, holder: name === "crm-4" ? "b" : null, isNew: true }));
    const shares = sharesOf(knowing(["a", "b", "c"], connectionNames), fresh);
    expect(sizes(["a", "b", "c"], shares)).toEqual([0, 6, 0]);
  });
});
