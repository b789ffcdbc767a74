/**
 * The one contract that every connector keeps, run against its simulator over real sockets.
 *
 * A connector's own test file calls `describeConnector` with its simulator and a few samples. What a system cannot have
 * is declared there with a reason, and shows as skipped.
 */
import { describe } from "vitest";
import { describeFailing } from "./contract/failing.ts";
import { describeHooks } from "./contract/hooks.ts";
import { describeMapping } from "./contract/mapping.ts";
import { describeReading } from "./contract/reading.ts";
import { createSuite } from "./contract/suite.ts";
import type { Contract } from "./contract/world.ts";
import { describeWriting } from "./contract/writing.ts";

export type { Contract, EntityContract, Keys } from "./contract/world.ts";

export function describeConnector<Config, Cursor>(contract: Contract<Config, Cursor>): void {
  const suite = createSuite(contract);
  const { system } = contract.connector;
  describe(`the contract of ${system}: mapping`, () => describeMapping(suite));
  describe(`the contract of ${system}: reading`, () => describeReading(suite));
  describe(`the contract of ${system}: writing`, () => describeWriting(suite));
  describe(`the contract of ${system}: failing`, () => describeFailing(suite));
  const { hooks } = contract;
  if (hooks !== undefined) describe(`the contract of ${system}: being called`, () => describeHooks(suite, hooks));
}
