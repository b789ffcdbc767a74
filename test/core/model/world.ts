/** A pure world for properties: systems with chosen codecs, one decision at a time, nothing stored. */
import { codec, type FieldRule } from "../../../core/connector.ts";
import { type Arrived, decidePage, settleMeetings } from "../../../core/model/decide.ts";
import { modelOf } from "../../../core/model/fields.ts";
import type { Moment } from "../../../core/model/moment.ts";
import type { Chain } from "../../../core/model/policy.ts";
import { decodeRecord, type Settings, type Side, sideKey } from "../../../core/model/settings.ts";
import type { Value } from "../../../core/model/value.ts";
import { type Canonical, World } from "../../../core/model/world.ts";

const rule = (path: string, of: FieldRule["codec"]): FieldRule => ({ path, codec: of, access: "both" });

export interface PureSystem {
  readonly name: string;
  readonly nameMax?: number;
}

export function sideOfSystem({ name, nameMax }: PureSystem): Side {
  return {
    connection: name,
    entity: "account",
    rules: new Map([
      ["name", rule("Name", codec.text(nameMax === undefined ? {} : { max: nameMax }))],
      ["industry", rule("Industry", codec.text())],
      ["tags", rule("Tags", codec.set())],
    ]),
    context: {
      country: "DE",
      currency: "EUR",
      people: { emailOf: () => undefined, idOf: () => undefined },
      remote: new Map(),
    },
    conditional: "version",
    counter: true,
    resolutionMs: 1,
    lateMs: 60_000,
    settleMs: 0,
    skewMs: 0,
    goneIsProof: true,
    namesMaster: false,
    onDelete: "detach",
    deleteAgainstUpdate: "keep",
    duplicates: "ask",
    quarantineMs: 0,
    keyField: "Hub_Id",
    creates: true,
    writable: true,
    mapPrint: name,
  };
}

export function settingsOf(systems: ReadonlyArray<PureSystem>, chain: Chain): Settings {
  const policy = { default: chain, fields: {} };
  return {
    model: modelOf({}),
    policy: { account: policy, contact: policy },
    order: systems.map((system) => system.name),
    sides: new Map(systems.map((system) => [sideKey(system.name, "account"), sideOfSystem(system)])),
    match: { account: ["domain"], contact: ["email"] },
    flipsMax: 3,
    flipWindowMs: 1000,
  };
}

/** One account that every system holds alike, read at time 0. */
export function agreed(settings: Settings, values: Readonly<Record<string, Value>>): World {
  const canonical: Canonical = {
    id: "acc_1",
    entity: "account",
    state: "live",
    mergedInto: null,
    values: { ...values },
    provenance: Object.fromEntries(Object.keys(values).map((field) => [field, { source: "hub", interval: null }])),
    flips: {},
    createdAt: 0,
    updatedAt: 0,
    revision: 1,
  };
  const links = settings.order.map((connection, index) => ({
    id: index + 1,
    connection,
    entity: "account" as const,
    remoteId: connection,
    canonicalId: canonical.id,
    state: "live" as const,
    print: "",
    version: "1",
    modifiedAt: 0,
    remoteCreatedAt: 0,
    readBegan: 0,
    readEnded: 0,
    settledAt: null,
    fetchAfter: null,
    shadow: {
      fields: Object.fromEntries(Object.entries(values).map(([field, value]) => [field, { base: value, held: value }])),
    },
  }));
  return new World({
    canonicals: [canonical],
    links,
    keys: [],
    conflicts: [],
    sent: [],
    claims: [],
    meetings: [],
    refusals: [],
  });
}

/** What a system says now. `at` is when it was changed there and read here. */
export interface Report {
  readonly connection: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** After that the old values were not seen any more. */
  readonly since: number;
  readonly at: number;
}

let ids = 0;

export const moment = (now: number): Moment => ({
  now,
  run: "run",
  newId: (prefix) => `${prefix}_${++ids}`,
  deferMeetings: false,
});

export function tell(world: World, settings: Settings, report: Report): void {
  const side = settings.sides.get(sideKey(report.connection, "account"));
  const link = world.link(report.connection, "account", report.connection);
  if (side === undefined || link === undefined) throw new Error(`no ${report.connection}`);
  link.readBegan = report.since;
  const version = String(Number(link.version) + 1);
  const arrived: Arrived = {
    record: { kind: "record", id: report.connection, fields: report.fields, version, modifiedAt: report.at },
    decoded: decodeRecord(settings, side, report.fields),
    print: JSON.stringify(report.fields),
    hubId: null,
  };
  const read = { began: 10_000 + report.at, ended: 10_001 + report.at };
  const arrival = { records: [arrived], tombstones: [], bad: [], read };
  decidePage(world, settings, side, arrival, moment(read.ended), { nextLink: () => 1 });
}

export { settleMeetings };

export const valuesOf = (world: World): Readonly<Record<string, Value>> => world.canonicals.get("acc_1")?.values ?? {};

/** Everything that the log and the conflicts keep, as text. */
export const kept = (world: World): string =>
  JSON.stringify([
    valuesOf(world),
    world.log.map(({ set, from, news }) => [set, from, news]),
    [...world.conflicts.values()].map(({ candidates, previous, result }) => [candidates, previous, result]),
  ]);
