import { describe, expect, it } from "vitest";
import type { Scope } from "../../../connectors/zoho/simulator.ts";
import { hubKey, type ZohoWorldOptions, zohoWorld } from "./kit.ts";

const keys = { account: "Hub_Id", contact: "Hub_Id" };

const problemsOf = async (options: ZohoWorldOptions = {}) => (await zohoWorld(options)).api.check({ keys });

describe("check", () => {
  it("has nothing to say about a good organisation", async () => {
    expect(await problemsOf()).toEqual([]);
  });

  it.each<[Scope]>([
    ["ZohoCRM.modules.ALL"],
    ["ZohoCRM.settings.fields.READ"],
    ["ZohoCRM.users.READ"],
    ["ZohoCRM.org.READ"],
    ["ZohoCRM.coql.READ"],
  ])("finds that the scope %s is missing", async (scope) => {
    const problems = await problemsOf({ simulator: { missingScopes: [scope] } });
    expect(problems.filter(({ severity }) => severity === "error").map(({ remedy }) => remedy)).toContainEqual(
      expect.stringContaining("scopes"),
    );
  });

  it("finds a module that the profile has no right to, and goes on with the other", async () => {
    const problems = await problemsOf({ simulator: { forbidden: ["Contacts"] } });
    expect(problems).toEqual([expect.objectContaining({ severity: "error", entity: "contact" })]);
  });

  it.each([
    [{ fields: [{ name: "Hub_Id" }] }, /neither unique nor external/],
    [{ fields: [{ name: "Hub_Id", type: "integer", unique: true }] }, /not a text field/],
    [{ fields: [hubKey], hiddenFields: ["Accounts.Hub_Id", "Contacts.Hub_Id"] }, /may not write/],
    [{ fields: [hubKey], readOnlyFields: ["Accounts.Hub_Id", "Contacts.Hub_Id"] }, /may not write/],
    [{ fields: [] }, /has no field Hub_Id/],
  ])("finds a key field that is not good enough (%#)", async (simulator, words) => {
    const problems = await problemsOf({ simulator });
    expect(problems.map(({ entity, field }) => [entity, field])).toEqual([
      ["account", "Hub_Id"],
      ["contact", "Hub_Id"],
    ]);
    for (const { what, remedy, severity } of problems) {
      expect({ severity, what }).toEqual({ severity: "error", what: expect.stringMatching(words) });
      expect(remedy).toMatch(/\S/);
    }
  });

  it("takes an external field for a key", async () => {
    expect(await problemsOf({ simulator: { fields: [{ name: "Hub_Id", external: true }] } })).toEqual([]);
  });

  it("finds currencies that do not fit the settings", async () => {
    const [warning] = await problemsOf({ simulator: { multiCurrency: true }, keys: { multiCurrency: false } });
    expect(warning).toMatchObject({ severity: "warning", remedy: expect.stringContaining("multiCurrency: true") });
    const [error] = await problemsOf({ keys: { multiCurrency: true } });
    expect(error).toMatchObject({ severity: "error", remedy: expect.stringContaining("multiCurrency") });
  });

  it("finds limits that the edition does not have", async () => {
    const problems = await problemsOf({ simulator: { edition: "free" }, keys: { concurrency: 10 } });
    expect(problems.map(({ remedy }) => remedy)).toEqual([
      expect.stringContaining("concurrency"),
      expect.stringContaining("dailyCredits"),
    ]);
  });

  it("tells wrong credentials once", async () => {
    const auth = { clientId: "1000.SIMULATEDCLIENT", clientSecret: "wrong", refreshToken: "x" };
    const problems = await problemsOf({ keys: { auth } });
    expect(problems.length).toBe(1);
    expect(problems[0]?.remedy).toContain("clientSecret");
  });
});

describe("describe", () => {
  it("shows what the profile hides or locks, the lengths and the choices", async () => {
    const world = await zohoWorld({
      simulator: { hiddenFields: ["Accounts.Fax"], readOnlyFields: ["Accounts.Website"] },
    });
    const fields = new Map((await world.api.describe("account")).map((field) => [field.name, field]));
    expect(fields.get("Fax")).toMatchObject({ readable: false, writable: false });
    expect(fields.get("Website")).toMatchObject({ readable: true, writable: false });
    expect(fields.get("Account_Name")).toMatchObject({ required: true, maxLength: 200, writable: true });
    expect(fields.get("Modified_Time")).toMatchObject({ writable: false });
    expect(fields.get("Industry")?.options?.map(({ label }) => label)).toContain("Energy");
    expect(fields.get("Hub_Id")).toMatchObject({ unique: true });
    expect(fields.get("Phone")).toMatchObject({ unique: false });
  });
});
