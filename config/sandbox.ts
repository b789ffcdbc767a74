/** The simulated vendors that `syncline sandbox` and the demo start: seeded, and with larger quotas than a default plan. */
import { createFxiaokeSimulator, hubKeyField } from "../connectors/fxiaoke/simulator.ts";
import { createMemorySimulator, seedMemory } from "../connectors/memory/simulator.ts";
import { createZohoSimulator } from "../connectors/zoho/simulator.ts";
import type { SandboxSystem } from "../core/cli/cli.ts";
import type { SimulatorClock } from "../core/simulator.ts";
import { seedFxiaoke, seedZoho } from "./demo/seed.ts";

/** Calls in 20 s for each interface; the vendor's default plan grants 100. */
const fxiaokeCalls = 5000;

export const sandboxKeys = {
  zoho: { account: "Hub_Id", contact: "Hub_Id" },
  fxiaoke: { account: hubKeyField, contact: hubKeyField },
} as const;

/** Tax ids live in a custom field in Zoho, and in a standard one in Fxiaoke. */
export const zohoTaxField = "Tax_Id";

/** The seeded records are older than today: a pull leaves out what is only seconds old. */
const seededAgoMs = 30 * 24 * 3_600_000;

interface PastClock {
  readonly clock: SimulatorClock;
  readonly arrive: () => void;
}

/** A clock in the past that arrives at the present once the data is there. */
function pastClock(clock: SimulatorClock): PastClock {
  let behind = seededAgoMs;
  return {
    clock: { now: () => clock.now() - behind, sleep: clock.sleep },
    arrive: () => {
      behind = 0;
    },
  };
}

export const zohoSandbox: SandboxSystem = {
  system: "zoho",
  start: ({ clock: present, faults, seed }) => {
    const { clock, arrive } = pastClock(present);
    const simulator = createZohoSimulator({
      clock,
      seed,
      ...(faults === undefined ? {} : { faults }),
      fields: [
        { name: "Hub_Id", unique: true, external: true },
        { name: zohoTaxField, module: "Accounts" },
      ],
    });
    seedZoho(simulator, seed);
    arrive();
    return simulator;
  },
};

export const fxiaokeSandbox: SandboxSystem = {
  system: "fxiaoke",
  start: ({ clock: present, faults, seed }) => {
    const { clock, arrive } = pastClock(present);
    const simulator = createFxiaokeSimulator({
      clock,
      seed,
      ...(faults === undefined ? {} : { faults }),
      switches: { throttleCalls: fxiaokeCalls },
    });
    seedFxiaoke(simulator, seed);
    arrive();
    return simulator;
  },
};

const memoryAccounts = 40;

export const memorySandbox: SandboxSystem = {
  system: "memory",
  start: ({ clock: present, faults }) => {
    const { clock, arrive } = pastClock(present);
    const simulator = createMemorySimulator({ clock, ...(faults === undefined ? {} : { faults }) });
    seedMemory(simulator, { accounts: memoryAccounts });
    arrive();
    return simulator;
  },
};
