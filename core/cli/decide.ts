/** What people decide about accounts and contacts: a value, who is who, what lives again. Written at the next sync. */
import { Effect } from "effect";
import * as decisions from "../hub/decisions.ts";
import type { Hub } from "../hub/open.ts";
import { typedValue } from "../hub/typed-value.ts";
import type { EditOutcome } from "../model/edits.ts";
import type { Entity } from "../model/field.ts";
import { readSheet } from "../store/browse.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, withHub } from "./context.ts";

/** Runs one decision and tells its outcome. */
export function decide(
  cli: Cli,
  global: Global,
  done: string,
  make: (hub: Hub) => Effect.Effect<EditOutcome, unknown>,
): Promise<number> {
  return withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const outcome = yield* make(hub);
      return yield* Effect.tryPromise({
        try: () => printOutcome(cli, global, outcome, done),
        catch: (error) => error,
      });
    }),
  );
}

async function printOutcome(cli: Cli, global: Global, outcome: EditOutcome, done: string): Promise<number> {
  if (outcome.kind === "refused") throw new CommandFailed(outcome.reason, "Nothing was changed.");
  if (global.json) await printJson(cli, outcome);
  else if (outcome.kind === "asks") {
    await printLines(cli, [
      `Nothing was changed: ${outcome.reason}.`,
      `Look at it: npx syncline conflicts show ${outcome.conflict}`,
    ]);
  } else if (outcome.kind === "reopened") {
    await printLines(cli, [
      "Undone. The question is open again; until you answer, nothing is written for it.",
      `Look at it: npx syncline conflicts show ${outcome.conflict}`,
    ]);
  } else await printLines(cli, [`${done} The systems are written at the next sync.`]);
  return outcome.kind === "asks" ? exit.failed : exit.ok;
}

/** A value typed by a person, over the value that is there now. */
export const setCommand = (
  cli: Cli,
  global: Global,
  entity: Entity,
  asked: { readonly id: string; readonly field: string; readonly value: string; readonly hold: boolean },
): Promise<number> =>
  decide(cli, global, `Set ${asked.field}.`, (hub) =>
    Effect.gen(function* () {
      const { id, field: name, hold } = asked;
      const sheet = yield* readSheet(hub, id);
      const field = hub.model[entity].get(name);
      if (sheet === null || sheet.canonical.entity !== entity) {
        return yield* Effect.fail(
          new CommandFailed(`There is no ${entity} ${id}.`, `Find it with: npx syncline ${entity}s search <name>`),
        );
      }
      if (field === undefined) {
        const names = [...hub.model[entity].keys()].join(", ");
        return yield* Effect.fail(
          new CommandFailed(`The ${entity} has no field ${name}.`, `There are: ${names}.`, exit.usage),
        );
      }
      const { country, currency } = hub.config.hub;
      const typed = typedValue(field, asked.value, { country, currency });
      if (typed.kind === "wrong") return yield* Effect.fail(new CommandFailed(typed.reason, typed.remedy, exit.usage));
      const base = sheet.canonical.values[name] ?? null;
      return yield* decisions.edit(hub, cli.actor, { id, field: name, value: typed.value, base, hold });
    }),
  );
