/** The processes that work on a store: who they are, which of them live, and what they hold. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { sql } from "drizzle-orm";
import type { Database, Row } from "./database.ts";
import { leases } from "./tables.ts";

export class StoreBusy extends Error {
  readonly _tag = "StoreBusy";
  readonly remedy: string;
  constructor({ pid, host, command }: Pick<Who, "pid" | "host" | "command">) {
    super(`Another Syncline process works on this store: pid ${pid} on ${host} (${command}).`);
    this.name = "StoreBusy";
    this.remedy = "Wait for it to end or stop it. Reading commands and decisions on conflicts work beside it.";
  }
}

/** A process that works on the store, as its row tells. */
export interface Who {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  /** Where the pid means something: this boot of this machine, and what of it the process sees. */
  readonly home: string;
  readonly command: string;
  /** No other process may be there. */
  readonly alone: boolean;
  /** The connections that its YAML names. */
  readonly names: ReadonlyArray<string>;
}

const memberPrefix = "process/";

/** Roles that one process has at a time, beside the connections. */
export const upkeepRole = "role/upkeep";
export const loadRole = "role/load";

/** Connections and roles are held under different names. */
export const rowNameOf = (name: string): string => (name.startsWith("role/") ? name : `lane/${name}`);
export const memberNameOf = (id: string): string => `${memberPrefix}${id}`;

export type LeaseRow = Row<typeof leases>;

export interface Census {
  readonly members: ReadonlyArray<Who>;
  /** Rows of processes that are gone. */
  readonly dead: ReadonlyArray<LeaseRow>;
  readonly rowOf: (name: string) => LeaseRow | undefined;
  /** The living process that has a connection or a role. */
  readonly holderOf: (name: string) => Who | undefined;
}

interface Sight {
  /** By the clock of the database. */
  readonly now: number;
  readonly own: string | null;
  /** One process has the store for itself: it is not replaced while it lives, however long it is silent. */
  readonly alone: boolean;
}

export function censusOf(rows: ReadonlyArray<LeaseRow>, sight: Sight): Census {
  const processes = rows.filter(({ name }) => name.startsWith(memberPrefix));
  const members = processes.filter((row) => isAlive(row, sight)).map(whoOf);
  const byId = new Map(members.map((one) => [one.id, one]));
  const byName = new Map(rows.map((row) => [row.name, row]));
  return {
    members,
    dead: processes.filter(({ name }) => !byId.has(name.slice(memberPrefix.length))),
    rowOf: (name) => byName.get(rowNameOf(name)),
    holderOf: (name) => {
      const row = byName.get(rowNameOf(name));
      const holder = byId.get(row?.holder ?? "");
      // A lease lives as long as its holder does, and no longer than it says.
      const isGood = holder?.id === sight.own || sight.alone || (row?.until ?? 0) > sight.now;
      return isGood ? holder : undefined;
    },
  };
}

/** Errors  StoreFailed. */
export const readCensus = (database: Database) =>
  database.read("reading the leases", async (): Promise<Census> => {
    const rows = await database.db
      .select({
        name: leases.name,
        holder: leases.holder,
        until: leases.until,
        epoch: leases.epoch,
        spent: leases.spent,
        now: sql<number>`${database.words.now}`,
      })
      .from(leases);
    return censusOf(rows, { now: rows[0]?.now ?? 0, own: null, alone: database.processes === "one" });
  });

/** Written by `join` only. */
const whoOf = ({ holder }: Pick<LeaseRow, "holder">): Who => JSON.parse(holder) as Who;

function isAlive(row: LeaseRow, { now, own, alone }: Sight): boolean {
  const one = whoOf(row);
  if (one.id === own) return true;
  if (one.home !== homeOfPids()) return row.until > now;
  // Another process had our number before us, unless it is one of ours that joined twice.
  const lives = one.pid === process.pid ? row.until > now : isRunning(one.pid);
  return lives && (alone || row.until > now);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

let home: string | undefined;

/** Containers may share a host name, and each counts its processes from one. */
export function homeOfPids(): string {
  home ??= [hostname(), bootOf(), namespaceOf()].join(" ");
  return home;
}

function bootOf(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

function namespaceOf(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
