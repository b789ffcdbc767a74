/** `policy`: a changed policy binds from the next merge; these show and carry out what it would decide about the past. */
import { Effect } from "effect";
import { applyPolicy, differences } from "../hub/policy.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { noteRead, printJson, printLines, withHub } from "./context.ts";
import { table } from "./table.ts";
import { counted, valueText } from "./words.ts";

export async function policyPlan(cli: Cli, global: Global, options: { readonly limit: number }): Promise<number> {
  await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const found = yield* differences(hub);
      yield* noteRead(cli, hub, "policy plan", `${found.length} fields`);
      const shown = found.slice(0, options.limit);
      if (global.json) {
        yield* Effect.promise(() => printJson(cli, { total: found.length, items: shown }));
        return;
      }
      const rows = shown.map((one) => [
        one.canonicalId,
        one.field,
        valueText(one.from),
        valueText(one.to),
        `${one.rule} → ${one.source}`,
      ]);
      const lines =
        found.length === 0
          ? ["The policy of today would settle every field as it was settled."]
          : [
              ...table(["id", "field", "value", "would be", "decided by"], rows, cli.columns),
              "",
              `${counted(found.length, "field")} would have another winner. Nothing was changed; carry it out with: npx syncline policy apply`,
            ];
      yield* Effect.promise(() => printLines(cli, lines));
    }),
  );
  return exit.ok;
}

export async function policyApply(
  cli: Cli,
  global: Global,
  options: { readonly beyondBrake: boolean },
): Promise<number> {
  const applied = await withHub(cli, global, {}, (hub) => applyPolicy(hub, cli.actor, options));
  if (applied.kind === "braked") {
    throw new CommandFailed(
      `This would change ${counted(applied.customers, "customer")}; more than ${applied.bound} at once are stopped. Nothing was changed.`,
      "Look at `npx syncline policy plan`, then add --beyond-brake.",
      exit.paused,
    );
  }
  if (global.json) await printJson(cli, applied);
  else {
    const asks =
      applied.asks === 0
        ? ""
        : ` ${counted(applied.asks, "field")} changed meanwhile and ask: npx syncline conflicts list`;
    await printLines(cli, [
      `${counted(applied.changed, "field")} changed; the systems are written at the next sync.${asks}`,
    ]);
  }
  return applied.asks === 0 ? exit.ok : exit.failed;
}
