import { describe, expect, it } from "vitest";
import { customObject, hubKeyField } from "../../../connectors/fxiaoke/simulator.ts";
import { credentialsFor, type FxiaokeWorldOptions, fxiaokeWorld } from "./kit.ts";

const good = { account: hubKeyField, contact: hubKeyField };

const problemsOf = async (options: FxiaokeWorldOptions = {}, keys: Readonly<Record<string, string>> = good) => {
  const world = await fxiaokeWorld(options);
  world.account({ [hubKeyField]: "hub-1" });
  return world.api.check({ keys });
};

describe("check", () => {
  it("has nothing to say about a good tenant, in every way to connect to it", async () => {
    expect(await problemsOf()).toEqual([]);
    expect(await problemsOf({ style: "legacy" })).toEqual([]);
    expect(await problemsOf({ customAccount: customObject })).toEqual([]);
    expect(await problemsOf({ keys: { convertUserId: true } })).toEqual([]);
  });

  it.each([
    ["no_such__c", /no active field/],
    ["field_Old01__c", /no active field/],
    ["tel", /no text field/],
    ["fax", /not unique/],
  ])("finds a key field that is not good enough: %s", async (field, words) => {
    const problems = await problemsOf({}, { account: field });
    expect(problems).toEqual([
      { severity: "error", entity: "account", field, what: expect.stringMatching(words), remedy: expect.any(String) },
    ]);
  });

  it("finds a key field that the acting user may not see", async () => {
    const problems = await problemsOf({ switches: { hiddenFields: [hubKeyField] } });
    expect(problems).toEqual([
      {
        severity: "error",
        entity: "account",
        field: hubKeyField,
        what: expect.stringContaining("may not see"),
        remedy: expect.stringContaining(hubKeyField),
      },
    ]);
  });

  it("finds an object that the acting user has no right to, and goes on with the other", async () => {
    const problems = await problemsOf(
      { switches: { forbiddenObjects: ["AccountObj"] } },
      { ...good, contact: "no_such__c" },
    );
    expect(problems.map(({ severity, entity, remedy }) => [severity, entity, remedy])).toEqual([
      ["error", "account", expect.stringContaining("right")],
      ["error", "contact", expect.stringMatching(/\S/)],
    ]);
  });

  it("finds an object that does not exist", async () => {
    const [problem] = await problemsOf({ keys: { objects: { account: "object_None__c" } } });
    expect(problem).toMatchObject({ severity: "error", entity: "account" });
  });

  it.each([
    ["a pack that was not bought", { switches: { quota: "none" } }, "pack"],
    ["an address that is not listed", { switches: { sourceIp: "unlisted" } }, "white list"],
    ["a wrong secret", { keys: { auth: { ...credentialsFor("app_secret"), appSecret: "no" } } }, "appSecret"],
    [
      "a wrong secret in the old style",
      { style: "legacy", keys: { auth: { ...credentialsFor("legacy"), appSecret: "no" } } },
      "appSecret",
    ],
    ["an acting user who has left", { keys: { userId: "1003" } }, "userId"],
    ["a mobile number of nobody", { style: "legacy", keys: { mobile: "1" } }, "mobile"],
  ] as const)("tells %s once", async (_what, options, remedy) => {
    const problems = await problemsOf(options);
    expect(problems.map((problem) => [problem.severity, problem.remedy])).toEqual([
      ["error", expect.stringContaining(remedy)],
    ]);
  });

  it("finds a directory that names employees in another form than records do", async () => {
    expect(await problemsOf({ switches: { directoryIds: "open" } })).toEqual([
      expect.objectContaining({ severity: "warning", remedy: expect.stringContaining("convertUserId: true") }),
    ]);
  });

  it("warns that no owner can be mapped where nobody has an e-mail", async () => {
    expect(await problemsOf({ switches: { directory: "empty" } })).toEqual([
      expect.objectContaining({ severity: "warning", remedy: expect.stringContaining("address book") }),
    ]);
  });
});
