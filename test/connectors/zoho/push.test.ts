import { describe, expect, it } from "vitest";
import { failureOf, readFaultOf, refusalOf, tokenFaultOf } from "../../../connectors/zoho/errors.ts";
import { seedZoho } from "../../../connectors/zoho/simulator.ts";
import { AuthFailed, type Operation, Unavailable } from "../../../core/connector.ts";
import { hubKey, zohoWorld } from "./kit.ts";

const taxId = { name: "Tax_Id", module: "Accounts", unique: true } as const;

const create = (hubId: string, fields: Readonly<Record<string, unknown>>): Operation => ({
  kind: "create",
  entity: "account",
  hubId,
  keyField: "Hub_Id",
  fields,
});

const update = (id: string, fields: Readonly<Record<string, unknown>>): Operation => ({
  kind: "update",
  entity: "account",
  id,
  fields,
});

describe("creates", () => {
  it("never overwrite a stranger that holds another unique value", async () => {
    const world = await zohoWorld({ simulator: { fields: [hubKey, taxId] } });
    const { screen } = world.simulator;
    const stranger = screen.create("account", { Account_Name: "Stranger", Tax_Id: "DE1" });
    const [taken, good] = await world.push([
      create("hub-1", { Account_Name: "Ours", Tax_Id: "DE1" }),
      create("hub-2", { Account_Name: "Other", Tax_Id: "DE2" }),
    ]);
    expect(taken).toMatchObject({ kind: "duplicate", id: stranger, field: "Tax_Id" });
    expect(good?.kind).toBe("applied");
    expect(screen.read("account", stranger)).toMatchObject({ Account_Name: "Stranger", Hub_Id: null });
    expect(screen.list("account")).toHaveLength(2);
  });

  it("find their own earlier attempt by the key, whichever other unique value it holds too", async () => {
    const world = await zohoWorld({ simulator: { fields: [hubKey, taxId] } });
    const fields = { Account_Name: "Ours", Tax_Id: "DE1" };
    world.simulator.faults.add({ fault: "lost-reply", method: "POST", path: "/crm/v8/Accounts", times: 1 });
    const [unclear] = await world.push([create("hub-1", fields)]).catch(() => [{ kind: "unknown" }]);
    expect(unclear?.kind).toBe("unknown");
    const [again] = await world.push([create("hub-1", { ...fields, Account_Name: "Ours, later" })]);
    const [id = ""] = world.simulator.screen.list("account");
    expect(again).toMatchObject({ kind: "applied", id });
    expect(world.simulator.screen.list("account")).toHaveLength(1);
    expect(world.simulator.screen.read("account", id)?.Account_Name).toBe("Ours, later");
  });

  it("do not merge companies of one name", async () => {
    const world = await zohoWorld();
    world.simulator.screen.create("account", { Account_Name: "Zylker" });
    const results = await world.push([
      create("hub-1", { Account_Name: "Zylker" }),
      create("hub-2", { Account_Name: "Zylker" }),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(["applied", "applied"]);
    expect(world.simulator.screen.list("account")).toHaveLength(3);
  });

  it("are refused without a unique key field", async () => {
    const world = await zohoWorld({ simulator: { fields: [{ name: "Hub_Id" }] } });
    await expect(world.push([create("hub-1", { Account_Name: "A" })])).rejects.toThrow(AuthFailed);
    expect(world.simulator.traffic().writes).toBe(0);
  });
});

describe("updates", () => {
  it("go singly under the precondition that they carry, beside a batch without one", async () => {
    const world = await zohoWorld();
    const { accounts } = seedZoho(world.simulator, { accounts: 3, contacts: false });
    const [locked = "", moved = "", free = ""] = accounts;
    const modifiedAt = world.clock.now();
    world.clock.advance(60_000);
    world.simulator.screen.edit("account", moved, { Fax: "by a person" });
    const under = { precondition: { modifiedAt } };
    const results = await world.push([
      { ...update(locked, { Fax: "1" }), ...under },
      { ...update(moved, { Fax: "2" }), ...under },
      update(free, { Fax: "3" }),
    ] as ReadonlyArray<Operation>);
    expect(results.map(({ kind }) => kind)).toEqual(["applied", "conflict", "applied"]);
    expect(accounts.map((id) => world.simulator.screen.read("account", id)?.Fax)).toEqual(["1", "by a person", "3"]);
    expect(world.calls("PUT /crm/v8/Accounts")).toBe(3);
  });

  it("give the receipt's time, which the next read shows too", async () => {
    const world = await zohoWorld();
    const { accounts } = seedZoho(world.simulator, { accounts: 1, contacts: false });
    const [id = ""] = accounts;
    world.clock.advance(61_500);
    const [result] = await world.push([update(id, { Fax: "1" })]);
    const { changes } = await world.api.fetch("account", [id], ["Fax"]);
    const [read] = changes;
    expect(result).toMatchObject({ kind: "applied", modifiedAt: Math.floor(world.clock.now() / 1000) * 1000 });
    expect(read).toMatchObject({ modifiedAt: result?.kind === "applied" ? result.modifiedAt : 0 });
  });

  it("wait for a locked record instead of giving up", async () => {
    const world = await zohoWorld();
    const { accounts } = seedZoho(world.simulator, { accounts: 1, contacts: false });
    const [id = ""] = accounts;
    world.simulator.lock("account", id, true);
    const [later] = await world.push([update(id, { Fax: "1" })]);
    expect(later).toMatchObject({ kind: "later", retryAfterMs: expect.any(Number) });
    world.simulator.lock("account", id, false);
    const [done] = await world.push([update(id, { Fax: "1" })]);
    expect(done?.kind).toBe("applied");
  });

  it("name the first of several refused values, and tell of all", async () => {
    const world = await zohoWorld();
    const { accounts } = seedZoho(world.simulator, { accounts: 1, contacts: false });
    const [result] = await world.push([update(accounts[0] ?? "", { Phone: "-1", Employees: "many" })]);
    expect(result).toMatchObject({ kind: "rejected", code: "INVALID_DATA" });
    expect(JSON.stringify(result)).toContain("Phone");
    expect(JSON.stringify(result)).toContain("Employees");
  });

  it("say who may not own a record", async () => {
    const world = await zohoWorld();
    const { accounts } = seedZoho(world.simulator, { accounts: 1, contacts: false });
    const inactive = (await world.api.people()).find(({ active }) => !active);
    const [result] = await world.push([update(accounts[0] ?? "", { Owner: { id: inactive?.id } })]);
    expect(result).toMatchObject({ kind: "rejected", field: "Owner", remedy: expect.stringContaining("defaultOwner") });
  });

  it("let the customer's automation run only where the YAML says so", async () => {
    for (const [trigger, fax] of [
      [[], null],
      [["workflow"], "by workflow"],
    ] as const) {
      const world = await zohoWorld({ simulator: { workflow: () => ({ Fax: "by workflow" }) }, keys: { trigger } });
      const { accounts } = seedZoho(world.simulator, { accounts: 1, contacts: false });
      await world.push([update(accounts[0] ?? "", { Website: "https://a.example" })]);
      expect(world.simulator.screen.read("account", accounts[0] ?? "")?.Fax).toBe(fax);
    }
  });
});

describe("deletes", () => {
  it("put records into the recycle bin, and call those gone that were there already", async () => {
    const world = await zohoWorld();
    const { accounts } = seedZoho(world.simulator, { accounts: 3, contacts: false });
    const [one = "", gone = "", locked = ""] = accounts;
    world.simulator.screen.remove("account", gone);
    world.simulator.lock("account", locked, true);
    const results = await world.push(accounts.map((id) => ({ kind: "delete", entity: "account", id })));
    expect(results.map(({ kind }) => kind)).toEqual(["applied", "gone", "later"]);
    expect(world.simulator.screen.list("account")).toEqual([locked]);
    world.simulator.screen.restore("account", one);
    expect(world.simulator.screen.read("account", one)).toBeDefined();
  });
});

describe("a push of several calls", () => {
  it("keeps what was settled when a later call fails", async () => {
    const world = await zohoWorld();
    const { accounts, contacts } = seedZoho(world.simulator, { accounts: 1 });
    await world.api.describe("contact");
    world.simulator.faults.add({ fault: "lost-reply", method: "PUT", path: "/Contacts", times: 1 });
    const results = await world.push([
      update(accounts[0] ?? "", { Fax: "1" }),
      { kind: "update", entity: "contact", id: contacts[0] ?? "", fields: { Title: "CEO" } },
      { kind: "delete", entity: "contact", id: contacts[0] ?? "" },
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(["applied", "unknown", "later"]);
    expect(world.simulator.screen.read("contact", contacts[0] ?? "")?.Title).toBe("CEO");
  });

  it("throws when not even the first call was made", async () => {
    const world = await zohoWorld();
    const { accounts } = seedZoho(world.simulator, { accounts: 1, contacts: false });
    world.simulator.faults.add({ fault: "status-429", method: "PUT", path: "/Accounts", times: 100 });
    await expect(world.push([update(accounts[0] ?? "", { Fax: "1" })])).rejects.toMatchObject({ _tag: "RateLimited" });
    expect(world.simulator.screen.read("account", accounts[0] ?? "")?.Fax).toBeNull();
  });
});

describe("every error code of the documentation", () => {
  const entry = (code: string, details: Readonly<Record<string, unknown>> = {}, message = "words") => {
    const failure = failureOf({ code, details, message, status: "error" });
    if (failure === undefined) throw new Error(`${code} is no failure`);
    return failure;
  };
  const general = "Look at the record and the field's settings in Zoho.";

  it.each([
    ["MANDATORY_NOT_FOUND", { api_name: "Account_Name" }, "rejected"],
    ["INVALID_DATA", { api_name: "Employees", expected_data_type: "integer" }, "rejected"],
    ["INVALID_DATA", { api_name: "Account_Name", maximum_length: 200 }, "rejected"],
    ["INVALID_DATA", { api_name: "Industry", supported_values: ["A"] }, "rejected"],
    ["DUPLICATE_DATA", { api_name: "Hub_Id", id: "1" }, "duplicate"],
    ["DUPLICATE_DATA", { api_name: "Hub_Id", id: "1", duplicate_record: { id: "2" } }, "duplicate"],
    ["DEPENDENT_FIELD_MISSING", { api_name: "A" }, "rejected"],
    ["DEPENDENT_MISMATCH", { api_name: "A" }, "rejected"],
    ["RECORD_LOCKED", { api_name: "id" }, "later"],
    ["NOT_APPROVED", {}, "later"],
    ["NOT_REVIEWED", {}, "later"],
    ["AUTHORIZATION_FAILED", { resource_path_index: 0 }, "rejected"],
    ["NO_PERMISSION", { permissions: ["x"] }, "rejected"],
    ["LIMIT_EXCEEDED", { maximum_length: 100, api_name: "data" }, "rejected"],
    ["ALREADY_MODIFIED", { id: "1" }, "conflict"],
    ["INTERNAL_ERROR", {}, "later"],
    ["TOO_MANY_REQUESTS", {}, "later"],
    ["RATE_LIMIT_EXCEEDED", {}, "later"],
    ["REQUIRED_PARAM_MISSING", { param_name: "ids" }, "rejected"],
    ["PATTERN_NOT_MATCHED", { param_name: "ids" }, "rejected"],
    ["INVALID_REQUEST_METHOD", {}, "rejected"],
    ["MULTIPLE_OR_MULTI_ERRORS", { errors: [] }, "rejected"],
  ] as const)("%s %j of one record is %s, with what to do", (code, details, kind) => {
    const result = refusalOf(entry(code, details));
    expect(result.kind).toBe(kind);
    if (result.kind === "rejected") {
      expect(result.remedy).toMatch(/\S/);
      expect(result.remedy).not.toBe(general);
    }
  });

  it("names the record that holds a unique value, in both forms of the answer", () => {
    expect(refusalOf(entry("DUPLICATE_DATA", { api_name: "X", id: "1" }))).toMatchObject({ id: "1", field: "X" });
    const newer = { api_name: "X", id: "1", duplicate_record: { id: "2" } };
    expect(refusalOf(entry("DUPLICATE_DATA", newer))).toMatchObject({ id: "2", field: "X" });
  });

  it.each([
    "INVALID_TOKEN",
    "AUTHENTICATION_FAILURE",
    "OAUTH_SCOPE_MISMATCH",
    "NO_PERMISSION",
    "INVALID_HOST",
    "INVALID_MODULE",
    "INVALID_URL_PATTERN",
    "AUTHORIZATION_FAILED",
  ])("%s of a call is for a person to mend", (code) => {
    const fault = readFaultOf(entry(code));
    expect(fault).toBeInstanceOf(AuthFailed);
    expect((fault as AuthFailed).remedy).toMatch(/\S/);
  });

  it.each(["INTERNAL_ERROR", "SYNTAX_ERROR", "INVALID_QUERY", "SOMETHING_NEW"])(
    "%s of a read says nothing about records",
    (code) => {
      expect(readFaultOf(entry(code))).toBeInstanceOf(Unavailable);
    },
  );

  it.each(["invalid_code", "invalid_client", "invalid_client_secret", "invalid_redirect_uri"])(
    "%s of the token endpoint is for a person to mend",
    (error) => {
      expect(tokenFaultOf(error)).toBeInstanceOf(AuthFailed);
    },
  );
});
