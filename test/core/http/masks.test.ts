import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routes } from "../../../core/http/api/routes.ts";
import { scopes } from "../../../core/security/roles.ts";
import { canaries, createHttpKit, type HttpKit } from "../../kit/http-kit.ts";

let kit: HttpKit;
/** May do everything but see personal values. */
let blind = "";
let account: string;
let contact: string;
let conflict: string;

interface Items {
  readonly items: ReadonlyArray<{ readonly id: string }>;
}

const first = async (path: string): Promise<string> => {
  const { body } = await kit.call(path);
  return (body as unknown as Items).items[0]?.id ?? "";
};

beforeAll(async () => {
  kit = await createHttpKit();
  const all = scopes.filter((scope) => scope !== "personal");
  blind = (await kit.makeKey({ role: "viewer", scopes: all })).text;
  account = (await kit.account("Birdcage")).id;
  contact = await first("/contacts");
  conflict = await first("/conflicts?field=phone");
  // A value that both systems refuse, and so a dead letter about what is personal.
  const tooLong = `${canaries.note} ${"x".repeat(10_001)}`;
  await kit.call(`/accounts/${account}`, { method: "PATCH", body: { values: { description: tooLong } } });
  await kit.sync();
  expect(await first("/dead-letters")).toMatch(/^ded_/);
  // Something to plan: a personal value that the other system has not seen.
  kit.one.screen.edit("contact", kit.remote.contact, { Email: `new.${canaries.mail}` });
});

afterAll(() => kit.close());

const forms = Object.values(canaries).flatMap((text) => [text, text.replace(/^\+/, "")]);
const leaks = (text: string): ReadonlyArray<string> => forms.filter((form) => text.includes(form));

/** Every way to ask for something, with what there really is. */
const requests = (): ReadonlyArray<readonly [path: string, method: string, body?: unknown]> => [
  ["/accounts", "GET"],
  [`/accounts/${account}`, "GET"],
  [`/accounts/${account}/history`, "GET"],
  [`/accounts/${account}/explain`, "GET"],
  [`/accounts/${account}/explain/phone`, "GET"],
  ["/contacts?state=all", "GET"],
  [`/contacts/${contact}`, "GET"],
  [`/contacts/${contact}/history`, "GET"],
  [`/contacts/${contact}/explain`, "GET"],
  [`/contacts/${contact}/explain/emails`, "GET"],
  ["/conflicts?state=all", "GET"],
  [`/conflicts/${conflict}`, "GET"],
  ["/search", "POST", { entity: "account", text: "Birdcage" }],
  ["/plan", "POST", { full: true }],
  ["/exports/accounts?format=csv", "GET"],
  ["/exports/accounts?format=jsonl", "GET"],
  ["/exports/contacts?format=csv", "GET"],
  ["/exports/contacts?format=jsonl", "GET"],
  ["/dead-letters?state=all", "GET"],
  ["/runs", "GET"],
  ["/audit", "GET"],
  ["/connections", "GET"],
];

describe("a caller without the scope personal", () => {
  it("sees no personal value in any answer, and the mask in its place", async () => {
    let masked = 0;
    let seen = 0;
    for (const [path, method, body] of requests()) {
      const given = { method, ...(body === undefined ? {} : { body }) };
      const hidden = await kit.call(path, { ...given, as: blind });
      expect([path, hidden.status, leaks(hidden.text)]).toEqual([path, 200, []]);
      if (hidden.text.includes("•••")) masked += 1;
      const shown = await kit.call(path, given);
      expect(shown.status).toBe(200);
      expect(shown.text).not.toContain("•••");
      if (leaks(shown.text).length > 0) seen += 1;
    }
    // Where the values are, the masks are: in all but dead letters, runs, audit and connections.
    expect([masked, seen]).toEqual([requests().length - 4, requests().length - 4]);
  });

  it("still sees business values, and an empty value as empty", async () => {
    const { body } = await kit.call(`/accounts/${account}`, { as: blind });
    expect(body).toMatchObject({
      name: "Birdcage",
      values: { domain: "birdcage.com", phone: "•••", description: "•••" },
    });
    const person = (await kit.call(`/contacts/${contact}`, { as: blind })).body;
    expect(person).toMatchObject({ name: "••• •••", values: { name: { given: "•••" }, emails: ["•••"], account } });
  });

  it("finds nobody by what is personal", async () => {
    const find = async (as: string, entity: string, text: string) =>
      ((await kit.call("/search", { method: "POST", as, body: { entity, text } })).body as unknown as Items).items
        .length;
    const searched = [
      ["contact", canaries.mail],
      ["contact", canaries.family],
      ["account", canaries.phone],
    ] as const;
    for (const [entity, text] of searched) {
      expect([text, await find(blind, entity, text)]).toEqual([text, 0]);
      expect([text, await find("steward", entity, text)]).toEqual([text, 1]);
    }
    expect(await find(blind, "account", "birdcage.com")).toBe(1);
  });

  it("cannot filter by what is personal, and neither can anybody else", async () => {
    for (const as of [blind, "admin"]) {
      const { status, body, text } = await kit.call(`/accounts?filter=phone:${encodeURIComponent(canaries.phone)}`, {
        as,
      });
      expect([status, leaks(text)]).toEqual([400, []]);
      expect(body.errors).toEqual([{ path: "query.filter.0", what: expect.stringContaining("personal") }]);
    }
  });

  it("cannot write a mask back as a value", async () => {
    const { status, body } = await kit.call(`/accounts/${account}`, {
      method: "PATCH",
      as: blind,
      body: { values: { email: "•••" } },
    });
    expect([status, body.errors]).toEqual([
      400,
      [{ path: "body.values.email", what: expect.stringContaining("mask") }],
    ]);
  });

  it("sees no value of its own request in an error", async () => {
    const bad: ReadonlyArray<readonly [string, string, unknown]> = [
      [`/accounts/${account}`, "PATCH", { values: { phone: [canaries.phone], employees: canaries.note } }],
      [`/accounts/${account}`, "PATCH", { values: { email: canaries.note }, hold: canaries.note }],
      [`/conflicts/${conflict}/resolve`, "POST", { kind: "value", value: { given: canaries.note } }],
      [`/conflicts/${conflict}/resolve`, "POST", { kind: canaries.note }],
      ["/search", "POST", { entity: canaries.note, text: canaries.mail }],
      ["/search", "POST", `{"text":"${canaries.mail}"`],
      [`/accounts?cursor=${canaries.note}`, "GET", undefined],
      [`/accounts?limit=${canaries.note}`, "GET", undefined],
    ];
    for (const [path, method, body] of bad) {
      const { status, text, headers } = await kit.call(path, {
        method,
        as: blind,
        ...(body === undefined ? {} : { body }),
      });
      expect([path, status, leaks(text)]).toEqual([path, 400, []]);
      expect(headers.get("Content-Type")).toBe("application/problem+json");
    }
  });
});

describe("personal data", () => {
  const entries = async (): Promise<ReadonlyArray<{ actor: string; action: string; subject: string }>> => {
    const { body } = await kit.call("/audit?limit=500");
    return body.items as ReadonlyArray<{ actor: string; action: string; subject: string }>;
  };

  it("is one entry in the audit log for each request that shows it, and none for masked ones", async () => {
    for (const [path, method, body] of requests()) {
      const before = (await entries()).length;
      await kit.call(path, { method, as: blind, ...(body === undefined ? {} : { body }) });
      const blindly = (await entries()).slice(0, -before || undefined);
      await kit.call(path, { method, ...(body === undefined ? {} : { body }) });
      const openly = (await entries()).length - before - blindly.length;
      const isLog = /^\/(dead-letters|runs|audit|connections)/.test(path);
      // Plans and exports are acts of their own, whoever asks.
      const acts = path === "/plan" ? 1 : 0;
      expect([path, openly]).toEqual([path, isLog ? 0 : 1 + acts]);
      expect([path, blindly.length]).toEqual([path, path.startsWith("/exports") ? 1 : acts]);
    }
  });

  it("never stands in the audit log or in the hub's log", async () => {
    expect(leaks(JSON.stringify(await entries()))).toEqual([]);
    expect(leaks(JSON.stringify(kit.logged))).toEqual([]);
  });

  it("is guarded in every route: this test knows all that read", () => {
    const asked = new Set(requests().map(([path]) => path.split(/[/?]/)[1]));
    const reading = routes.filter(({ method }) => method === "GET").map(({ path }) => path.split("/")[1]);
    const harmless = ["me", "fields", "keys", "config"];
    expect([...new Set(reading)].filter((name) => !asked.has(name) && !harmless.includes(name ?? ""))).toEqual([]);
  });
});
