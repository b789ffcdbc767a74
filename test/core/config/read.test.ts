import { describe, expect, it } from "vitest";
import { formatProblem } from "../../../core/config/diagnostics.ts";
import { type ConfigReading, readConfig } from "../../../core/config/read.ts";
import { toyConnectors } from "./toy-connectors.ts";

const env = { ID: "id-1", SECRET: "very-secret-value" };

const read = (text: string, variables: Readonly<Record<string, string>> = env): ConfigReading =>
  readConfig({ text, file: "syncline.yaml", env: variables, connectors: toyConnectors });

const short = ({ problems }: ConfigReading): ReadonlyArray<string> =>
  problems.map(({ severity, line, column, what }) => `${severity} ${line}:${column} ${what}`);

const remedies = ({ problems }: ConfigReading): ReadonlyArray<string> => problems.map((problem) => problem.remedy);

const reference = (inner: string): string => `\${${inner}}`;

/** One sound connection, with more lines of its own. */
const crm = (...lines: ReadonlyArray<string>): string =>
  [
    "connections:",
    "  crm-eu:",
    "    use: crm",
    `    auth: { clientId: ${reference("ID")}, clientSecret: ${reference("SECRET")} }`,
    "    key: { account: Hub_Id, contact: Hub_Id }",
    ...lines.map((line) => `    ${line}`),
  ].join("\n");

describe("a sound configuration", () => {
  it("is read with all defaults filled in", () => {
    const { config, problems } = read(crm());
    expect(problems).toEqual([]);
    expect(config?.hub).toEqual({
      name: "syncline",
      store: "sqlite:data/hub.db",
      country: "US",
      currency: "USD",
      timeZone: "UTC",
    });
    const { connector, ...connection } = config?.connections[0] ?? {};
    expect(connector).toBe(toyConnectors.get("crm"));
    expect(connection).toEqual({
      name: "crm-eu",
      use: "crm",
      config: { auth: { clientId: "id-1", clientSecret: "very-secret-value" } },
      pull: { every: null, sweep: null },
      push: true,
      webhook: { kind: "none" },
      deletes: "detach",
      deleteAgainstUpdate: "keep",
      duplicates: "ask",
      quarantineMs: 600_000,
      skewMs: 0,
      map: {},
      key: { account: "Hub_Id", contact: "Hub_Id" },
      create: {},
      owners: {},
      defaultOwner: undefined,
      country: "US",
      currency: "USD",
      limits: {},
      brake: { share: 0.05, records: 20, windowMs: 3_600_000 },
      lookbackMs: null,
      timeoutMs: null,
    });
    expect(config?.policy.account).toEqual({ default: ["newest", { prefer: ["crm-eu"] }], fields: {} });
    expect(config?.match.contact).toEqual(["email", "login", "phone"]);
  });

  it("keeps the connections in the order of the file and gives them the hub's country", () => {
    const { config } = read(
      `hub: { country: CN, currency: CNY }\n${crm()}\n  a-list:\n    use: list\n    path: x.csv\n    country: DE\n    currency: EUR`,
    );
    expect(config?.connections.map(({ name, country, currency }) => [name, country, currency])).toEqual([
      ["crm-eu", "CN", "CNY"],
      ["a-list", "DE", "EUR"],
    ]);
  });

  it("reads durations, limits, owners, maps and switches", () => {
    const { config, problems } = read(
      crm(
        "push: off",
        "quarantine: 90s",
        "lookback: 2d",
        "brake: { share: 0.1, window: 10m }",
        "owners: { Ann@Acme.com: ann.lee@other.com }",
        "limits: { calls: { rate: { count: 5, window: 1s } }, daily: { daily: { count: 9, offset: '+08:00' } } }",
        "map: { account: { industry: Sector__c, phone: false, billingAddress: { path: { street: S }, access: read } } }",
      ),
    );
    expect(problems).toEqual([]);
    expect(config?.connections[0]).toMatchObject({
      push: false,
      quarantineMs: 90_000,
      lookbackMs: 172_800_000,
      brake: { share: 0.1, records: 20, windowMs: 600_000 },
      owners: { "ann@acme.com": "ann.lee@other.com" },
      limits: {
        calls: { rate: { count: 5, windowMs: 1000 } },
        daily: { daily: { count: 9, offsetMinutes: 480 } },
      },
      map: {
        account: { industry: "Sector__c", phone: false, billingAddress: { path: { street: "S" }, access: "read" } },
      },
    });
  });

  it("adds the fields declared in it to the model, and lets them be mapped and ruled", () => {
    const { config, problems } = read(
      `${crm("map: { account: { tier: Tier__c } }")}\nfields: { account: { tier: { type: option, title: Tier, options: [gold] } } }\npolicy: { account: { fields: { tier: { only: crm-eu } } } }`,
    );
    expect(problems).toEqual([]);
    expect(config?.model.account.get("tier")).toMatchObject({
      type: "option",
      title: { en: "Tier" },
      options: ["gold"],
    });
    expect(config?.policy.account.fields).toEqual({ tier: [{ only: "crm-eu" }] });
  });

  it("resolves anchors and aliases", () => {
    const { config, problems } = read(
      `${crm("pull: &often { every: '*/5 * * * *' }")}\n  two:\n    use: list\n    path: x\n    pull: *often`,
    );
    expect(problems).toEqual([]);
    expect(config?.connections[1]?.pull.every).toBe("*/5 * * * *");
  });
});

describe("mistakes", () => {
  it("are all told at once, each with its line and column", () => {
    const text = [
      "hub: { nmae: acme, timeZone: Asia/Shangai }",
      "connections:",
      "  crm-eu:",
      "    use: crm",
      "    auth: { clientId: x }",
      "    delets: archive",
      "    deletes: archiv",
      "    pull: { every: daily }",
      "    quarantine: 10 minutes",
      "    map: { account: { naem: x } }",
      "policy:",
      "  account: { fields: { owner: { only: crm-cn } } }",
    ].join("\n");
    const reading = read(text);
    expect(reading.config).toBeNull();
    expect(short(reading)).toEqual([
      "error 1:8 unknown key `nmae`",
      "error 1:30 `Asia/Shangai` is not a time zone",
      "error 5:5 `clientSecret` is missing",
      "error 6:5 unknown key `delets`",
      "error 7:14 `archiv` is not one of detach, archive, propagate, ignore",
      "error 8:20 `daily` is not a cron expression",
      "error 9:17 `10 minutes` is not a duration such as 30s, 10m, 1h or 2d",
      "error 10:23 there is no account field `naem`",
      "error 12:39 there is no connection `crm-cn`",
    ]);
    expect(remedies(reading).slice(0, 2)).toEqual(["Did you mean `name`?", "Did you mean `Asia/Shanghai`?"]);
    expect(remedies(reading)[2]).toBe("Add `clientSecret:` (The client's secret)");
    expect(remedies(reading)[8]).toBe("Did you mean `crm-eu`?");
  });

  it("are shown with the line, a caret and the remedy", () => {
    const { problems } = read(crm("delets: archive"));
    expect(problems.map(formatProblem)).toEqual([
      [
        "syncline.yaml:6:5: error: unknown key `delets` (connections.crm-eu.delets)",
        "  6 |     delets: archive",
        "    |     ^",
        "  Did you mean `deletes`?",
      ].join("\n"),
    ]);
  });

  it("suggest the system that was meant", () => {
    const reading = read("connections: { one: { use: crmm }, two: { path: x } }");
    expect(short(reading)).toEqual(["error 1:28 there is no system `crmm`", "error 1:36 `use` is missing"]);
    expect(remedies(reading)[0]).toBe("Did you mean `crm`?");
  });

  it("in filters are told at their place", () => {
    const reading = read(
      crm(
        "create:",
        "  account: { any: [{ industri: x }, { field: employees, greaterThan: many }] }",
        "  contact: { field: title, iz: x }",
      ),
    );
    expect(short(reading)).toEqual([
      "error 7:26 there is no account field `industri`",
      "error 7:74 `greaterThan` of `employees` needs a number",
      "error 8:32 unknown test `iz`",
    ]);
  });

  it("in the fields of one's own are told, and their uses are not told as well", () => {
    const reading = read(
      `${crm("map: { account: { tier: T } }")}\nfields:\n  account: { tier: { type: optoin }, name: { type: text } }`,
    );
    expect(short(reading)[0]).toMatch(/^error 8:28 `optoin` is not one of text, /);
    expect(reading.problems).toHaveLength(1);
    const clash = read(`${crm()}\nfields: { account: { name: { type: text } } }`);
    expect(short(clash)).toEqual(["error 6:22 The account has a built-in field of this name"]);
    expect(remedies(clash)).toEqual(["Rename the field."]);
  });

  it("in limits and entities name what the connector has", () => {
    const reading = read(
      `${crm("limits: { cals: { concurrency: 1 } }")}\n  two: { use: list, path: x, map: { contact: { name: N } } }`,
    );
    expect(short(reading)).toEqual([
      "error 6:15 the connector has no limit `cals`",
      "error 7:37 this connection has no contacts",
    ]);
    expect(remedies(reading)[0]).toBe("Did you mean `calls`?");
  });

  it("of a store are told with how to write it, and no password", () => {
    expect(short(read(`hub: { store: "postgres://ann:word-of-ann@db.example/hub" }\n${crm()}`))).toEqual([]);
    const reading = read(`hub: { store: "postgres://ann:word-of-ann@db.example" }\n${crm()}`);
    expect(short(reading)).toEqual(["error 1:15 this names no database of PostgreSQL"]);
    expect(remedies(reading)[0]).toContain("postgres://user:password@host:5432/database");
    expect(JSON.stringify(reading.problems)).not.toContain("word-of-ann");
    expect(short(read(`hub: { store: "mysql://db.example/hub" }\n${crm()}`))).toEqual([
      "error 1:15 this is not a store",
    ]);
  });

  it("ask for quotes where a number stands for a text", () => {
    const reading = read(crm("defaultOwner: 1000"));
    expect(short(reading)).toEqual(["error 6:19 `1000` is not a text"]);
    expect(remedies(reading)).toEqual(['Put it in "quotes".']);
  });

  it("of an empty file, a list and a file without connections are told", () => {
    expect(short(read(""))).toEqual(["error 1:1 there are no connections"]);
    expect(short(read("- a"))).toEqual(["error 1:1 the file holds no keys"]);
    expect(short(read("connections:"))).toEqual(["error 1:1 there are no connections"]);
    expect(short(read("connections: { one: }"))).toEqual(["error 1:21 the connection has no keys"]);
  });
});

describe("rules", () => {
  it("behind one that always decides are warned about", () => {
    const reading = read(
      `${crm()}\npolicy: { account: { default: [{ prefer: [crm-eu] }, newest], fields: { phone: [manual, longest] } } }`,
    );
    expect(reading.config).not.toBeNull();
    expect(short(reading)).toEqual([
      "warning 6:54 this rule is never asked, because `prefer` before it always decides",
      "warning 6:89 this rule is never asked, because `manual` before it always decides",
    ]);
  });

  it("that name only connections without the field do not count as total", () => {
    const two = `${crm()}\n  two: { use: list, path: x }`;
    const ruled = `${two}\npolicy: { account: { fields: { industry: [{ prefer: [two] }, newest] } } }`;
    expect(read(ruled).problems).toEqual([]);
  });

  it("that do not fit the type of the field are errors", () => {
    expect(
      short(read(`${crm()}\npolicy: { account: { fields: { name: union, tags: union, employees: longest } } }`)),
    ).toEqual([
      "error 6:38 `union` has no opinion on `name`, which holds a value of type text",
      "error 6:69 `longest` has no opinion on `employees`, which holds a value of type integer",
    ]);
  });

  it("suggest how a bare connection is written", () => {
    expect(remedies(read(`${crm()}\npolicy: { account: { default: [crm-eu] } }`))).toEqual([
      "Write { prefer: [crm-eu] } or { only: crm-eu }.",
    ]);
  });
});

describe("creates without a key field", () => {
  const without = (more: string): string =>
    `connections: { crm-eu: { use: crm, auth: { clientId: a, clientSecret: "12345678" }${more} } }`;

  it("are warned about, unless they are switched off", () => {
    expect(short(read(without("")))).toEqual([
      "warning 1:16 no account and no contact will be created in crm-eu, because `key` names no field for the hub's id",
    ]);
    expect(read(without(", create: { account: false, contact: false }")).problems).toEqual([]);
    expect(read(without(", push: off")).problems).toEqual([]);
  });

  it("warns of a webhook without a schedule beside it, whose lost calls nobody finds", () => {
    const secret = "whsec_c3luY2xpbmUtdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OQ==";
    const alone = read(crm(`webhook: { secrets: [${secret}] }`));
    expect(alone.config).not.toBeNull();
    expect(short(alone)).toEqual([
      "warning 6:5 there is no schedule beside the webhook: what a lost call was about is found by nobody",
    ]);
    expect(short(read(crm(`webhook: { secrets: [${secret}] }`, 'pull: { every: "*/15 * * * *" }')))).toEqual([]);
  });
});
