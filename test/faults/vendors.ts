/**
 * Three simulated systems in this process, the people who work in them, and the calls that they make: each call is made
 * again until it was answered with 2xx, as Standard Webhooks asks, and never after. So whatever the hub loses behind a
 * 2xx stays lost, and is seen.
 *
 * One field belongs to the people of one system each, and no two of them to one group. So the last edit of a field is
 * known, and must be everywhere.
 */
import { createMemorySimulator, type MemorySimulator } from "../../connectors/memory/simulator.ts";
import { systemClock } from "../../core/net/clock.ts";
import type { Notice } from "../../core/simulator.ts";
import { type SimulatorServer, serveSimulator } from "../../core/simulator-server.ts";

const fieldOf = { one: "City", two: "Industry", three: "Notes" } as const;
type Name = keyof typeof fieldOf;
const names: ReadonlyArray<Name> = ["one", "two", "three"];
const againMs = 200;
const lookMs = 10;
const answerMsMax = 5_000;
const underMax = 8;

export interface Vendors {
  /** The systems as one of the hubs reaches them. */
  readonly connectionsOf: (hub: number) => Promise<Readonly<Record<string, Record<string, unknown>>>>;
  /** One person does one thing. */
  readonly act: () => void;
  /** What differs from what people did, in words; empty when all is everywhere, once. */
  readonly differences: () => ReadonlyArray<string>;
  /** Ids of the calls that were answered with 2xx. */
  readonly acknowledged: () => ReadonlyArray<string>;
  readonly counts: () => { readonly creates: number; readonly edits: number; readonly calledAgain: number };
  readonly close: () => Promise<void>;
}

export interface VendorsOptions {
  /** Calls go to any of them, as from behind a balancer. */
  readonly hubUrls: ReadonlyArray<string>;
  readonly random: () => number;
  /** Carries a call of a hub out; the simulator alone does without it. */
  readonly watch?: (call: WatchedCall) => Promise<Response>;
}

export interface WatchedCall {
  readonly hub: number;
  readonly connection: string;
  readonly request: Request;
  readonly simulator: MemorySimulator;
}

export async function startVendors({ hubUrls, random, watch }: VendorsOptions): Promise<Vendors> {
  const systems = new Map<Name, { readonly simulator: MemorySimulator; readonly hooked: Record<string, unknown> }>();
  const servers: Array<SimulatorServer> = [];
  for (const name of names) {
    const simulator = createMemorySimulator({ clock: systemClock });
    // Its notices tell the path; which hub hears it is the balancer's choice.
    systems.set(name, { simulator, hooked: simulator.hookTo(`${hubUrls[0]}/hooks/${name}`) });
  }
  /** Each hub reaches a system by a port of its own, so that it is known who calls. */
  const connectionsOf: Vendors["connectionsOf"] = async (hub) => {
    const connections: Record<string, Record<string, unknown>> = {};
    for (const [name, { simulator, hooked }] of systems) {
      const fetch = (request: Request): Promise<Response> =>
        watch === undefined
          ? Promise.resolve(simulator.fetch(request))
          : watch({ hub, connection: name, request, simulator });
      const server = await serveSimulator({ fetch });
      servers.push(server);
      connections[name] = {
        use: "memory",
        ...simulator.connection(server.url),
        ...hooked,
        key: { account: "Hub_Id", contact: "Hub_Id" },
        // Whoever takes over from a dead process waits for a whole window.
        limits: { api: { concurrency: 16, rate: { count: 10_000, window: "1s" } } },
        // A few accounts that are edited again and again are what a brake is there for.
        brake: { records: 100_000 },
      };
    }
    return connections;
  };
  const caller = startCaller(
    [...systems.values()].map(({ simulator }) => simulator),
    (path) => `${hubUrls[Math.floor(Math.random() * hubUrls.length)]}${path}`,
  );
  const expected = new Map<string, Record<string, string>>();
  let edits = 0;

  const screenOf = (name: Name) => {
    const system = systems.get(name);
    if (system === undefined) throw new Error(`no system ${name}`);
    return system.simulator.screen;
  };
  const pick = <A>(list: ReadonlyArray<A>): A | undefined => list[Math.floor(random() * list.length)];

  const act = (): void => {
    const name = pick(names) ?? "one";
    const screen = screenOf(name);
    const id = pick(screen.list("account"));
    if (id === undefined || random() < 0.3) {
      const number = expected.size + 1;
      screen.create("account", { Name: `Company ${number}`, Domain: `c${number}.example` });
      expected.set(`Company ${number}`, {});
      return;
    }
    edits += 1;
    const value = `Edit ${edits}`;
    screen.edit("account", id, { [fieldOf[name]]: value });
    Object.assign(expected.get(String(screen.read("account", id)?.Name)) ?? {}, { [fieldOf[name]]: value });
  };

  const differencesIn = (name: Name): ReadonlyArray<string> => {
    const screen = screenOf(name);
    const held = screen.list("account").map((id) => screen.read("account", id) ?? {});
    const found: Array<string> = [];
    for (const [company, fields] of expected) {
      const records = held.filter(({ Name }) => Name === company);
      if (records.length !== 1) found.push(`${name} holds ${company} ${records.length} times`);
      for (const [field, value] of Object.entries(fields))
        if (records.some((record) => record[field] !== value))
          found.push(`${name} holds ${records[0]?.[field]} in ${field} of ${company}, where ${value} was set`);
    }
    if (held.length > expected.size) found.push(`${name} holds ${held.length} accounts, people made ${expected.size}`);
    return found;
  };

  return {
    connectionsOf,
    act,
    differences: () => names.flatMap(differencesIn),
    acknowledged: caller.acknowledged,
    counts: () => ({ creates: expected.size, edits, calledAgain: caller.calledAgain() }),
    close: async () => {
      await caller.close();
      for (const server of servers) await server.close();
    },
  };
}

/** Makes the calls of all systems, a few at once. */
function startCaller(simulators: ReadonlyArray<MemorySimulator>, route: (path: string) => string) {
  const acknowledged: Array<string> = [];
  const waiting: Array<{ readonly notice: Notice; readonly notBefore: number }> = [];
  let calledAgain = 0;
  let isOver = false;
  const call = async (): Promise<void> => {
    while (!isOver) {
      const now = systemClock.now();
      for (const { notices } of simulators)
        waiting.push(...notices.take().map((notice) => ({ notice, notBefore: now })));
      const index = waiting.findIndex(({ notBefore }) => notBefore <= now);
      const [next] = index < 0 ? [] : waiting.splice(index, 1);
      if (next === undefined) await systemClock.sleep(lookMs);
      else if (await isTaken(next.notice, route)) acknowledged.push(next.notice.id);
      else {
        calledAgain += 1;
        waiting.push({ notice: next.notice, notBefore: systemClock.now() + againMs });
      }
    }
  };
  const callers = Array.from({ length: underMax }, call);
  return {
    acknowledged: () => acknowledged,
    calledAgain: () => calledAgain,
    close: async () => {
      isOver = true;
      await Promise.all(callers);
    },
  };
}

async function isTaken({ url, headers, body }: Notice, route: (path: string) => string): Promise<boolean> {
  try {
    const answer = await fetch(route(new URL(url).pathname), {
      method: "POST",
      headers,
      body,
      signal: AbortSignal.timeout(answerMsMax),
    });
    await answer.text();
    return answer.ok;
  } catch {
    // Nobody listens, or the hub died before its answer.
    return false;
  }
}
