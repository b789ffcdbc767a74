import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { registry } from "../../config/registry.ts";
import { sandboxKeys } from "../../config/sandbox.ts";
import { startSandbox } from "../../core/cli/sandbox.ts";
import { createCliKit } from "../kit/cli-kit.ts";
import { stillClock } from "../kit/clock.ts";

/** What the first plan finds on a machine that needs so long for each thing. */
async function firstPlan(lookMs: number) {
  const still = stillClock();
  const clock = {
    ...still,
    now: () => {
      still.advance(lookMs);
      return still.now();
    },
  };
  const kit = createCliKit({ clock });
  const running = await startSandbox({ registry, clock }, { seed: 1, only: "zoho,fxiaoke" });
  const connections = Object.fromEntries(
    running.map(({ system, keys }) => [
      system,
      {
        ...keys,
        key: sandboxKeys[system === "zoho" ? "zoho" : "fxiaoke"],
        ...(system === "zoho" ? {} : { country: "CN", defaultOwner: "zhang.san@example.com" }),
      },
    ]),
  );
  writeFileSync(
    kit.file("syncline.yaml"),
    JSON.stringify({ hub: { store: `sqlite:${kit.file("hub.db")}` }, connections }),
  );
  const { json, code } = await kit.run("plan", "--json");
  expect(code).toBe(0);
  for (const { server } of running) await server.close();
  kit.remove();
  const {
    found,
    writes,
    connections: planned,
  } = json() as {
    found: unknown;
    writes: ReadonlyArray<{ name: string; fields: unknown }>;
    connections: unknown;
  };
  const written = writes.map(({ name, fields }) => JSON.stringify([name, fields])).toSorted();
  return { found, planned, written };
}

describe("the sandbox", () => {
  it("tells the same story on every machine", { timeout: 120_000 }, async () => {
    const first = await firstPlan(1);
    expect(first.written.length).toBeGreaterThan(10);
    expect(await firstPlan(13)).toEqual(first);
  });
});
