import * as fc from "fast-check";
import { assert, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { codec, Refusal, Unreadable } from "../../../core/connector.ts";
import { type Candidate, decideChain } from "../../../core/model/chain.ts";
import { dueFields } from "../../../core/model/due.ts";
import { decideUndo } from "../../../core/model/edits.ts";
import { lift, mergeSets, unionOf } from "../../../core/model/lift.ts";
import { imageOf } from "../../../core/model/mapping.ts";
import { patchesFor } from "../../../core/model/patch.ts";
import type { Chain } from "../../../core/model/policy.ts";
import { sideKey } from "../../../core/model/settings.ts";
import { equalValues, isEmpty, isList, type Value } from "../../../core/model/value.ts";
import { agreed, kept, moment, type PureSystem, type Report, settingsOf, tell, valuesOf } from "./world.ts";

const systems: ReadonlyArray<PureSystem> = [{ name: "a", nameMax: 6 }, { name: "b" }, { name: "c" }];
const start = { name: "Acme", industry: "Steel", tags: ["x", "y"] };

const allWords = ["Acme", "Acme Holding", "Acme H", "Bolt", "Coal", "Steel"];
const words = fc.constantFrom(...allWords);
const tags = fc.uniqueArray(fc.constantFrom("p", "q", "x", "y", "z"), { maxLength: 4 }).map((list) => list.toSorted());
const chains: fc.Arbitrary<Chain> = fc.constantFrom<Chain>(
  ["newest", { prefer: ["c", "a", "b"] }],
  [{ prefer: ["b", "a", "c"] }],
  ["newest"],
  ["longest", { prefer: ["a", "b", "c"] }],
  ["manual"],
);
const times = fc.tuple(fc.nat(50), fc.nat(50)).map(([since, length]) => ({ since: since + 1, at: since + 1 + length }));

const report = (connection: string): fc.Arbitrary<Report> =>
  fc
    .record({ Name: words, Industry: fc.option(words, { nil: null }), Tags: fc.option(tags, { nil: null }) })
    .chain((fields) => times.map((time) => ({ connection, fields, ...time })));

const reports = fc.tuple(report("a"), report("b"), report("c")).map((list): ReadonlyArray<Report> => list);
const permuted = reports.chain((list) =>
  fc.shuffledSubarray([...list], { minLength: 3, maxLength: 3 }).map((other) => ({ list, other })),
);

function worldAfter(list: ReadonlyArray<Report>, chain: Chain) {
  const settings = settingsOf(systems, chain);
  const world = agreed(settings, start);
  for (const one of list) tell(world, settings, one);
  return { world, settings };
}

describe("the merge", () => {
  it("is deterministic: the same reports give the same values, log and conflicts", () => {
    assert(
      property(reports, chains, (list, chain) => {
        const plain = (text: string): string => text.replace(/con_\d+/g, "con");
        expect(plain(kept(worldAfter(list, chain).world))).toBe(plain(kept(worldAfter(list, chain).world)));
      }),
    );
  });

  it("does not depend on the order in which unrelated fields change", () => {
    const one = fc.constantFrom("Bolt", "Coal");
    assert(
      property(one, one, tags, times, chains, (name, industry, list, time, chain) => {
        const all = { Name: "Acme", Industry: "Steel", Tags: ["x", "y"] };
        const told: ReadonlyArray<Report> = [
          { connection: "b", fields: { ...all, Name: name }, ...time },
          { connection: "c", fields: { ...all, Industry: industry }, ...time },
          { connection: "a", fields: { ...all, Tags: list }, ...time },
        ];
        const forward = valuesOf(worldAfter(told, chain).world);
        const backward = valuesOf(worldAfter(told.toReversed(), chain).world);
        expect(backward).toEqual(forward);
      }),
    );
  });

  it("D10: has one winner for three concurrent changes, whatever the order of arrival", () => {
    assert(
      property(
        permuted,
        fc.constantFrom<Chain>(["newest", { prefer: ["c", "a", "b"] }], [{ prefer: ["b", "a", "c"] }]),
        ({ list, other }, chain) => {
          const concurrent = list.filter((one) => one.fields.Industry !== "Steel");
          fc.pre(concurrent.length === 3);
          const [one, two] = [valuesOf(worldAfter(list, chain).world), valuesOf(worldAfter(other, chain).world)];
          expect(two.industry).toEqual(one.industry);
          expect(two.tags).toEqual(one.tags);
        },
      ),
    );
  });

  it("never loses a value that entered: it is canonical, in the log, or a candidate", () => {
    assert(
      property(permuted, chains, ({ other }, chain) => {
        const { world } = worldAfter(other, chain);
        const text = kept(world);
        // D9: what a system made of a value that is kept says nothing of its own.
        const isCut = (value: string): boolean =>
          allWords.some((word) => word !== value && word.slice(0, 6) === value && text.includes(JSON.stringify(word)));
        for (const { fields } of other) {
          for (const value of [fields.Name, fields.Industry, ...(Array.isArray(fields.Tags) ? fields.Tags : [])]) {
            if (typeof value === "string" && !isCut(value)) expect(text).toContain(JSON.stringify(value));
          }
        }
      }),
    );
  });

  it("gives a canonical value that some system told, or a union or cut of what was told", () => {
    assert(
      property(permuted, chains, ({ other }, chain) => {
        const { world } = worldAfter(other, chain);
        const { name, industry } = valuesOf(world);
        const told = other.flatMap(({ fields }) => [fields.Name, fields.Industry]);
        expect([...told, "Acme", "Steel", null]).toContainEqual(name ?? null);
        expect([...told, "Steel", null]).toContainEqual(industry ?? null);
      }),
    );
  });

  it("rests once every system holds the canonical value: telling it again changes nothing and is due nowhere", () => {
    assert(
      property(reports, chains, (list, chain) => {
        fc.pre(!chain.includes("manual"));
        const { world, settings } = worldAfter(list, chain);
        for (const connection of settings.order) {
          const side = settings.sides.get(sideKey(connection, "account"));
          const canonical = world.canonicals.get("acc_1");
          const link = world.link(connection, "account", connection);
          if (side === undefined || canonical === undefined || link === undefined) throw new Error("incomplete");
          for (const patch of patchesFor(world, settings, side, canonical, { referencesWait: false }).patches) {
            if (patch.kind !== "update") continue;
            for (const { field, value } of patch.writes) link.shadow.fields[field] = { base: value, held: value };
          }
          expect(dueFields(world, side, canonical, link)).toEqual([]);
        }
        const before = valuesOf(world);
        const rows = world.conflicts.size;
        const { name, industry, tags: list2 } = before;
        for (const connection of ["b", "c"]) {
          const fields = { Name: name ?? null, Industry: industry ?? null, Tags: list2 ?? null };
          tell(world, settings, { connection, fields, since: 200, at: 300 });
        }
        expect(valuesOf(world)).toEqual(before);
        expect(world.conflicts.size).toBe(rows);
      }),
    );
  });

  it("undo of a settled conflict restores the value of before, or asks", () => {
    assert(
      property(reports, chains, (list, chain) => {
        const { world, settings } = worldAfter(list, chain);
        const settled = [...world.conflicts.values()].filter((row) => row.state === "settled").at(-1);
        fc.pre(settled !== undefined && settled.field !== null);
        if (settled === undefined || settled.field === null) return;
        const loser = settled.candidates.find((one) => !equalValues(one.value, settled.result))?.value ?? null;
        const wanted = equalValues(settled.previous, settled.result) ? loser : settled.previous;
        const before = valuesOf(world)[settled.field] ?? null;
        const outcome = decideUndo(world, settings, settled, moment(50_000));
        const now = valuesOf(world)[settled.field] ?? null;
        expect(now).toEqual(outcome.kind === "done" ? wanted : before);
        if (outcome.kind === "done")
          expect(world.canonicals.get("acc_1")?.provenance[settled.field]?.pinnedAt).toBe(50_000);
      }),
    );
  });
});

describe("the chain", () => {
  const value: fc.Arbitrary<Value> = fc.oneof(words, tags, fc.constant(null));
  const interval = fc.option(
    fc.tuple(fc.nat(60), fc.nat(30)).map(([lower, length]) => ({ lower, upper: lower + length })),
    { nil: null },
  );
  const candidates = fc.uniqueArray(
    fc.record({
      source: fc.constantFrom("a", "b", "c", "d", "hub"),
      value,
      interval,
      recordAt: fc.option(fc.nat(90), { nil: undefined }),
    }),
    { selector: (one) => one.source, minLength: 1, maxLength: 5 },
  );
  const pinned = candidates.map(
    (list): ReadonlyArray<Candidate> => list.map((one) => (one.source === "hub" ? { ...one, pinnedAt: 40 } : one)),
  );
  const anyChain: fc.Arbitrary<Chain> = fc.uniqueArray(
    fc.constantFrom<Chain[number]>(
      "newest",
      "newest-record",
      "union",
      "longest",
      "shortest",
      "max",
      "min",
      "manual",
      { only: "a" },
      { prefer: ["c", "b"] },
    ),
    { maxLength: 5 },
  );

  it("does not depend on the order of the candidates", () => {
    const both = pinned.chain((list) =>
      fc
        .shuffledSubarray([...list], { minLength: list.length, maxLength: list.length })
        .map((other) => ({ list, other })),
    );
    assert(
      property(both, anyChain, fc.boolean(), ({ list, other }, chain, ownerBinds) => {
        const context = { chain, order: ["a", "b", "c", "d"], ownerBinds };
        expect(decideChain(other, context)).toEqual(decideChain(list, context));
      }),
    );
  });

  it("chooses the value of a candidate, or the union of all", () => {
    assert(
      property(pinned, anyChain, fc.boolean(), (list, chain, ownerBinds) => {
        const verdict = decideChain(list, { chain, order: ["a", "b", "c", "d"], ownerBinds });
        if (verdict.kind === "open") {
          expect(chain).toContain("manual");
          return;
        }
        const { value: won } = verdict.winner;
        const isCandidate = list.some((one) => equalValues(one.value, won));
        const members: ReadonlyArray<string> = list.flatMap((one) => (isList(one.value) ? one.value : []));
        expect(isCandidate || (isList(won) && won.every((member) => members.includes(member)))).toBe(true);
      }),
    );
  });
});

describe("lifting", () => {
  const list: fc.Arbitrary<Value> = fc.oneof(tags, fc.constant(null));

  it("of what is held already changes nothing", () => {
    assert(
      property(tags, tags, (held, base) => {
        const lifted = lift("set", { held, base, news: held });
        expect(lifted).toEqual(base.length === 0 ? null : base);
      }),
    );
  });

  it("onto what is held gives the news itself", () => {
    assert(
      property(list, tags, (held, news) => {
        expect(lift("set", { held, base: held, news })).toEqual(news.length === 0 ? null : news);
      }),
    );
  });

  it("of two systems' changes takes effect in either order, when they touch different members", () => {
    assert(
      property(tags, tags, tags, (base, one, other) => {
        const touched = (news: ReadonlyArray<(typeof base)[number]>) =>
          [...news, ...base].filter((member) => news.includes(member) !== base.includes(member));
        fc.pre(!touched(one).some((member) => touched(other).includes(member)));
        const apply = (first: Value, second: Value) => {
          const canonical = mergeSets("set", { held: base, news: first, canonical: base });
          return mergeSets("set", { held: base, news: second, canonical });
        };
        expect(apply(one, other)).toEqual(apply(other, one));
      }),
    );
  });

  it("keeps every addition and every removal", () => {
    assert(
      property(tags, tags, tags, (held, news, canonical) => {
        const merged = mergeSets("set", { held, news, canonical });
        const members = isList(merged) ? merged : [];
        for (const member of news) if (!held.includes(member)) expect(members).toContain(member);
        for (const member of held) if (!news.includes(member)) expect(members).not.toContain(member);
      }),
    );
  });

  it("joins lists without regard to order or repetition", () => {
    assert(
      property(list, list, list, (one, other, third) => {
        expect(unionOf("set", one, other)).toEqual(unionOf("set", other, one));
        expect(unionOf("set", unionOf("set", one, other), third)).toEqual(
          unionOf("set", one, unionOf("set", other, third)),
        );
        expect(isEmpty(one) ? null : one).toEqual(unionOf("set", one, one));
      }),
    );
  });
});

describe("images", () => {
  const context = {
    country: "DE",
    currency: "EUR",
    people: { emailOf: () => undefined, idOf: () => undefined },
    remote: new Map(),
  };
  const codecs = {
    text: codec.text({ max: 6 }),
    longtext: codec.longtext(),
    domain: codec.domain(),
    phone: codec.phone(),
    email: codec.email(),
    integer: codec.integer(),
    set: codec.set(),
  };

  for (const [name, of] of Object.entries(codecs)) {
    it(`of ${name} are idempotent: what a system made of a value it keeps`, () => {
      const rule = { path: "F", codec: of, access: "both" } as const;
      const values: fc.Arbitrary<Value> = name === "set" ? tags : name === "integer" ? fc.integer() : fc.string();
      assert(
        property(values, (value) => {
          const image = imageOf(rule, value, context);
          fc.pre(image !== undefined && !(image instanceof Refusal) && !(image instanceof Unreadable));
          if (image === undefined || image instanceof Refusal || image instanceof Unreadable) return;
          expect(imageOf(rule, image, context)).toEqual(image);
        }),
      );
    });
  }
});
