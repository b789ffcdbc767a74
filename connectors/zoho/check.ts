/** What a person must mend before a Zoho connection works well. */
import { type Entity, isFault, type Problem } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import { modules, type Settings } from "./config.ts";
import type { Description, Descriptions } from "./describe.ts";
import { isJson, type Json, listIn, textOf } from "./json.ts";
import { people } from "./people.ts";

interface Checked {
  readonly client: Client;
  readonly settings: Settings;
  readonly descriptions: Descriptions;
  readonly keys: Partial<Record<Entity, string>>;
  /** The YAML takes Zoho's own calls. */
  readonly webhook: boolean;
}

/** Every problem at once. Credentials that do not work are problems; a system that does not answer is a fault. */
export async function check(checked: Checked): Promise<ReadonlyArray<Problem>> {
  const problems = [
    ...(await asProblems(() => checkOrganisation(checked))),
    ...(await asProblems(() => checkPeople(checked))),
  ];
  for (const entity of ["account", "contact"] as const) {
    problems.push(...(await asProblems(() => checkFields(checked, entity), entity)));
    for (const reads of readsOf(entity)) problems.push(...(await asProblems(() => reads(checked.client), entity)));
  }
  if (checked.webhook) problems.push(...(await asProblems(() => checkNotifications(checked.client))));
  // The same broken credentials show with every call.
  return problems.filter((one, index) => problems.findIndex(({ what }) => what === one.what) === index);
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

/** Channels are made under a scope of their own. */
async function checkNotifications(client: Client): Promise<ReadonlyArray<Problem>> {
  try {
    await client.read({ method: "GET", path: "/crm/v8/actions/watch", query: { per_page: "1" } });
    return [];
  } catch (error) {
    if (!isFault(error) || error._tag !== "AuthFailed") throw error;
    const remedy = "Consent again with the scope ZohoCRM.notifications.ALL among the others, or set webhook: false.";
    return [
      { severity: "error", what: `Zoho does not let the hub make notification channels: ${error.message}`, remedy },
    ];
  }
}

/** The calls that a pull and a create make, so that a missing scope shows before them. */
function readsOf(entity: Entity): ReadonlyArray<(client: Client) => Promise<ReadonlyArray<Problem>>> {
  const module = modules[entity];
  const path = `/crm/v8/${module}`;
  const none = async (answer: Promise<unknown>) => {
    await answer;
    return [];
  };
  return [
    (client) => none(client.read({ method: "GET", path, query: { fields: "id", per_page: "1" } })),
    (client) => none(client.read({ method: "GET", path: `${path}/deleted`, query: { type: "all", per_page: "1" } })),
    (client) => {
      const select_query = `select id from ${module} where id is not null limit 1 offset 0`;
      return none(client.read({ method: "POST", path: "/crm/v8/coql", json: { select_query }, heavy: true }));
    },
  ];
}

/** Calls at the same time that an edition allows, and credits a day before those that users and add-ons bring. */
const editions: Readonly<Record<string, { readonly calls: number; readonly credits: number }>> = {
  free: { calls: 5, credits: 5_000 },
  standard: { calls: 10, credits: 50_000 },
  professional: { calls: 15, credits: 50_000 },
  enterprise: { calls: 20, credits: 50_000 },
  ultimate: { calls: 25, credits: 50_000 },
};

async function checkOrganisation({ client, settings }: Checked): Promise<ReadonlyArray<Problem>> {
  const { body } = await client.read({ method: "GET", path: "/crm/v8/org" });
  const [org = {}] = listIn(body, "org");
  const problems: Array<Problem> = [];
  const warn = (what: string, remedy: string) => problems.push({ severity: "warning", what, remedy });
  if (org.mc_status === true && !settings.multiCurrency) {
    warn(
      "the organisation has several currencies, and amounts are read without theirs",
      "Set multiCurrency: true, so that amounts go with their Currency.",
    );
  }
  if (org.mc_status === false && settings.multiCurrency) {
    problems.push({
      severity: "error",
      what: "multiCurrency is true, and the organisation has one currency only",
      remedy: "Remove multiCurrency, and set the connection's currency.",
    });
  }
  const edition = editionOf(org);
  const limits = editions[edition];
  if (limits !== undefined && settings.concurrency > limits.calls) {
    warn(
      `concurrency is ${settings.concurrency}, and the edition allows ${limits.calls} calls at the same time`,
      `Set concurrency below ${limits.calls}; other integrations share the limit.`,
    );
  }
  if (edition === "free" && settings.dailyCredits > (limits?.credits ?? 0)) {
    warn("the Free edition has 5000 API credits a day", "Set dailyCredits: 5000.");
  }
  return problems;
}

const editionOf = (org: Json): string =>
  isJson(org.license_details) ? (textOf(org.license_details.paid_type) ?? "").toLowerCase() : "";

async function checkPeople({ client }: Checked): Promise<ReadonlyArray<Problem>> {
  const { body } = await client.read({ method: "GET", path: "/crm/v8/users", query: { type: "CurrentUser" } });
  const [user] = listIn(body, "users");
  const problems: Array<Problem> = [];
  if (user?.status !== undefined && user.status !== "active") {
    problems.push({
      severity: "error",
      what: "the user who acts for the hub is not active",
      remedy: "Activate the user in Zoho, or consent again as another one.",
    });
  }
  if ((await people(client)).length === 0) {
    problems.push({
      severity: "warning",
      what: "Zoho lists no users, so owners cannot be mapped",
      remedy: "Consent again with the scope ZohoCRM.users.READ.",
    });
  }
  return problems;
}

async function checkFields({ descriptions, keys }: Checked, entity: Entity): Promise<ReadonlyArray<Problem>> {
  const module = modules[entity];
  const description = await descriptions.of(module, true);
  if (description.fields.size === 0) {
    const remedy = "Show the module and its fields to the API user's profile.";
    return [{ severity: "error", entity, what: `Zoho shows no fields of ${module}`, remedy }];
  }
  const key = keys[entity];
  return key === undefined ? [] : keyProblems(entity, key, description);
}

function keyProblems(entity: Entity, key: string, { fields }: Description): ReadonlyArray<Problem> {
  const module = modules[entity];
  const problem = (what: string, remedy: string): ReadonlyArray<Problem> => [
    { severity: "error", entity, field: key, what, remedy },
  ];
  const field = fields.get(key);
  if (field === undefined) {
    return problem(
      `${module} has no field ${key}`,
      "Add a single-line text field for the hub's id, mark it as unique, and give its API name under key.",
    );
  }
  if (!field.readable || !field.writable) {
    return problem(
      `the API user may not write ${module}.${key}`,
      "Set the field to read and write for the API user's profile.",
    );
  }
  if (field.type !== "text") return problem(`${module}.${key} is not a text field`, "Use a single-line text field.");
  if (!field.unique) {
    return problem(
      `${module}.${key} is neither unique nor external`,
      'Tick "Do not allow duplicate values" in the field\'s properties, or make it an external field.',
    );
  }
  return [];
}
