/** How the cases of the contract are declared: one test for each entity, and a visible skip with its reason. */
import { it as test } from "vitest";
import type { Entity } from "../../../core/connector.ts";
import { type Case, type Contract, entitiesIn } from "./world.ts";

export interface Suite<Config, Cursor> {
  readonly contract: Contract<Config, Cursor>;
  /** `needs` names what a system may lack; where it does, the case is skipped with the reason that the caller gave. */
  readonly it: (title: string, needs: ReadonlyArray<Case>, run: () => Promise<void>) => void;
  readonly each: (title: string, needs: ReadonlyArray<Case>, run: (entity: Entity) => Promise<void>) => void;
}

export function createSuite<Config, Cursor>(contract: Contract<Config, Cursor>): Suite<Config, Cursor> {
  const reasonOf = (needs: ReadonlyArray<Case>): string | undefined =>
    needs.map((need) => contract.cannot[need]).find((reason) => reason !== undefined);
  const it: Suite<Config, Cursor>["it"] = (title, needs, run) => {
    const reason = reasonOf(needs);
    if (reason === undefined) test(title, run);
    else test.skip(`${title} [not here: ${reason}]`, run);
  };
  return {
    contract,
    it,
    each: (title, needs, run) => {
      for (const entity of entitiesIn(contract)) it(`${title} (${entity})`, needs, () => run(entity));
    },
  };
}
