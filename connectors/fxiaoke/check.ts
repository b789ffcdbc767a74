/** What a person must mend before a Fxiaoke connection works well. */
import { type Entity, isFault, type Problem } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Settings } from "./config.ts";
import type { Description, Descriptions } from "./describe.ts";
import { withoutTrace } from "./errors.ts";
import { idsFit, people } from "./people.ts";
import { query, queryCall, rowsOf } from "./rows.ts";

interface Checked {
  readonly client: Client;
  readonly settings: Settings;
  readonly descriptions: Descriptions;
  readonly keys: Partial<Record<Entity, string>>;
}

/** Every problem at once; credentials that do not work are one problem, a system that does not answer is a fault. */
export async function check(checked: Checked): Promise<ReadonlyArray<Problem>> {
  const problems: Array<Problem> = [];
  for (const entity of ["account", "contact"] as const) {
    problems.push(...(await asProblems(() => checkEntity(checked, entity), entity)));
  }
  problems.push(...(await asProblems(() => checkPeople(checked))));
  // The same broken credentials show with every object, each time with another trace.
  const words = problems.map(({ what }) => withoutTrace(what));
  return problems.filter((_one, index) => words.indexOf(words[index] ?? "") === index);
}

async function asProblems(
  run: () => Promise<ReadonlyArray<Problem>>,
  entity?: Entity,
): Promise<ReadonlyArray<Problem>> {
  try {
    return await run();
  } catch (error) {
    if (!isFault(error) || error._tag !== "AuthFailed") throw error;
    const at = entity === undefined ? {} : { entity };
    return [{ severity: "error", what: error.message, remedy: error.remedy, ...at }];
  }
}

async function checkEntity(checked: Checked, entity: Entity): Promise<ReadonlyArray<Problem>> {
  const { client, settings, descriptions, keys } = checked;
  const object = settings.objects[entity];
  const description = await descriptions.of(object, true);
  // An object can be described to an employee who has no right to its records.
  await query(client, { object, filters: [], fields: [], limit: 1 });
  const key = keys[entity];
  const wrongKey = key === undefined ? [] : keyProblems(entity, object, key, description);
  const isHidden = key !== undefined && wrongKey.length === 0 && (await isUnseen(client, object, key));
  return [...wrongKey, ...(isHidden ? [hiddenKey(entity, object, key)] : [])];
}

function keyProblems(entity: Entity, object: string, key: string, { fields }: Description): ReadonlyArray<Problem> {
  const field = fields.get(key);
  const problem = (what: string, remedy: string): Problem => ({ severity: "error", entity, field: key, what, remedy });
  if (field === undefined) {
    return [
      problem(
        `${object} has no active field ${key}`,
        "Add a single-line text field for the hub's id and name it under key.",
      ),
    ];
  }
  if (field.type !== "text")
    return [problem(`${object}.${key} is no text field`, "Use a single-line text field (单行文本).")];
  if (!field.unique) {
    return [problem(`${object}.${key} is not unique`, "Tick 唯一性 (unique) in the settings of the field in Fxiaoke.")];
  }
  return [];
}

/** A record that has a value there, and does not show it. A gateway that refuses the question tells nothing. */
async function isUnseen(client: Client, object: string, key: string): Promise<boolean> {
  const call = queryCall({
    object,
    filters: [{ field_name: key, operator: "ISN", field_values: [] }],
    fields: [key],
    limit: 1,
  });
  const outcome = await client.call({ ...call, retry: "safe" });
  return outcome.ok && rowsOf(outcome, 1).rows.some((row) => !(key in row));
}

const hiddenKey = (entity: Entity, object: string, key: string): Problem => ({
  severity: "error",
  entity,
  field: key,
  what: `the acting employee may not see ${object}.${key}`,
  remedy: `Let the acting employee see and edit ${key} (字段权限); a create could make a double otherwise.`,
});

async function checkPeople({ client, settings }: Checked): Promise<ReadonlyArray<Problem>> {
  const list = await people(client, settings);
  const problems: Array<Problem> = [];
  if (list.length === 0) {
    problems.push({
      severity: "warning",
      what: "the employee directory shows nobody with an e-mail",
      remedy: "Give the app the right to the address book for the whole company; owners cannot be mapped otherwise.",
    });
  } else if (!idsFit(list, settings)) {
    problems.push({
      severity: "warning",
      what: "the employee directory names employees in another form than records do",
      remedy:
        settings.convertUserId || settings.auth.style === "legacy"
          ? "Set convertUserId: false and use auth.style: app_secret."
          : "Set convertUserId: true and userId as before.",
    });
  }
  return problems;
}
