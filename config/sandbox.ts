/** The simulated vendors that `syncline sandbox` and the demo start: seeded, and with larger quotas than a default plan. */
import { createFxiaokeSimulator, hubKeyField } from "../connectors/fxiaoke/simulator.ts";
import { createMemorySimulator, seedMemory } from "../connectors/memory/simulator.ts";
import { createScimSimulator } from "../connectors/scim/simulator.ts";
import { createZohoSimulator } from "../connectors/zoho/simulator.ts";
import type { SandboxSystem } from "../core/cli/cli.ts";
import type { Simulator, SimulatorClock } from "../core/simulator.ts";
import { seedFxiaoke, seedScim, seedZoho } from "./demo/seed.ts";

/** Calls in 20 s for each interface; the vendor's default plan grants 100. */
const fxiaokeCalls = 5000;

export const sandboxKeys = {
  zoho: { account: "Hub_Id", contact: "Hub_Id" },
  fxiaoke: { account: hubKeyField, contact: hubKeyField },
  scim: { contact: "externalId" },
} as const;

/** Tax ids live in a custom field in Zoho, and in a standard one in Fxiaoke. */
export const zohoTaxField = "Tax_Id";

/** When the first seeded record was made: always the same, so that every sandbox tells the same story. */
const seededAt = Date.UTC(2026, 0, 12, 8);

/** How long after one record the next one was made; other steps in each system, so that either can be the later one. */
const stepsMs = { zoho: 7 * 60_000, fxiaoke: 24 * 60_000, memory: 11 * 60_000, scim: 13 * 60_000 } as const;

interface Seeding {
  readonly clock: SimulatorClock;
  /** Seeds through a screen that moves the clock on with each record; then the present begins. */
  readonly run: (simulator: Simulator, seed: (simulator: Simulator) => void) => void;
}

function seeding(present: SimulatorClock, stepMs: number): Seeding {
  let past: number | null = seededAt;
  return {
    clock: { now: () => past ?? present.now(), sleep: present.sleep },
    run: (simulator, seed) => {
      const { screen } = simulator;
      const create: typeof screen.create = (entity, fields) => {
        past = (past ?? seededAt) + stepMs;
        return screen.create(entity, fields);
      };
      seed({ ...simulator, screen: { ...screen, create } });
      past = null;
    },
  };
}

export const zohoSandbox: SandboxSystem = {
  system: "zoho",
  start: ({ clock: present, faults, seed }) => {
    const { clock, run } = seeding(present, stepsMs.zoho);
    const simulator = createZohoSimulator({
      clock,
      seed,
      ...(faults === undefined ? {} : { faults }),
      fields: [
        { name: "Hub_Id", unique: true, external: true },
        { name: zohoTaxField, module: "Accounts" },
      ],
    });
    run(simulator, (seeded) => seedZoho(seeded, seed));
    return simulator;
  },
};

export const fxiaokeSandbox: SandboxSystem = {
  system: "fxiaoke",
  start: ({ clock: present, faults, seed }) => {
    const { clock, run } = seeding(present, stepsMs.fxiaoke);
    const simulator = createFxiaokeSimulator({
      clock,
      seed,
      ...(faults === undefined ? {} : { faults }),
      switches: { throttleCalls: fxiaokeCalls },
    });
    run(simulator, (seeded) => seedFxiaoke(seeded, seed));
    return simulator;
  },
};

export const scimSandbox: SandboxSystem = {
  system: "scim",
  start: ({ clock: present, faults, seed }) => {
    const { clock, run } = seeding(present, stepsMs.scim);
    const simulator = createScimSimulator({ clock, groups: false, ...(faults === undefined ? {} : { faults }) });
    run(simulator, (seeded) => seedScim(seeded, seed));
    return simulator;
  },
};

const memoryAccounts = 40;

export const memorySandbox: SandboxSystem = {
  system: "memory",
  start: ({ clock: present, faults }) => {
    const { clock, run } = seeding(present, stepsMs.memory);
    const simulator = createMemorySimulator({ clock, ...(faults === undefined ? {} : { faults }) });
    run(simulator, (seeded) => seedMemory(seeded, { accounts: memoryAccounts }));
    return simulator;
  },
};
