import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";

let kit: CliKit;

beforeEach(() => {
  kit = createCliKit();
  writeFileSync(kit.file("customers.csv"), "No,Company\n1,Acme Tools\n");
  writeFileSync(
    kit.file("syncline.yaml"),
    [
      `hub: { store: "sqlite:${kit.file("hub.db")}" }`,
      `connections: { list: { use: file, path: "${kit.file("customers.csv")}", id: No } }`,
    ].join("\n"),
  );
});

afterEach(() => kit.remove());

interface Shown {
  readonly id: string;
  readonly key: string;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly scopes: ReadonlyArray<string>;
}

const create = async (...more: ReadonlyArray<string>): Promise<Shown> =>
  (await kit.run("keys", "create", "Report", "--role", "analyst", ...more, "--json")).json() as unknown as Shown;

const list = async (): Promise<ReadonlyArray<Shown>> =>
  (await kit.run("keys", "list", "--json")).json().items as ReadonlyArray<Shown>;

describe("keys on the command line", () => {
  it("are shown once and stand in no file of the store", async () => {
    const { code, out } = await kit.run("keys", "create", "Report", "--role", "viewer");
    expect(code).toBe(0);
    const [key = ""] = out.split("\n");
    expect(key).toMatch(/^syn_[0-9a-z]{20}_[0-9a-f]{48}$/);
    const listed = await kit.run("keys", "list");
    expect(listed.out).toMatch(/key_\w+ +Report +viewer +good until /);
    const secret = key.split("_")[2] ?? "";
    const bytes = readdirSync(kit.folder).map((name) => readFileSync(join(kit.folder, name), "latin1"));
    for (const text of [listed.out, ...bytes]) expect(text.includes(secret)).toBe(false);
  });

  it("last 90 days, another time, or until they are revoked", async () => {
    const dayMs = 24 * 3_600_000;
    const lasts = (key: Shown): number => Math.round(((key.expiresAt ?? 0) - Date.now()) / dayMs);
    expect(lasts(await create())).toBe(90);
    expect(lasts(await create("--expires", "2d"))).toBe(2);
    expect((await create("--expires", "never")).expiresAt).toBeNull();
    expect((await kit.run("keys", "create", "x", "--role", "viewer", "--expires", "soon")).code).toBe(2);
  });

  it("take scopes beside those of the role, and only what there is", async () => {
    expect((await create("--scopes", "personal", "customers:read")).scopes).toEqual(["personal"]);
    expect((await kit.run("keys", "create", "x", "--role", "king")).code).toBe(2);
    expect((await kit.run("keys", "create", "x")).code).toBe(2);
    expect((await kit.run("keys", "create", "x", "--role", "viewer", "--scopes", "all")).code).toBe(2);
  });

  it("are revoked once, and each step is in the audit log", async () => {
    const { id } = await create();
    expect((await kit.run("keys", "revoke", id)).code).toBe(0);
    expect((await list())[0]?.revokedAt).toBeGreaterThan(0);
    const again = await kit.run("keys", "revoke", id);
    expect([again.code, again.err.includes("not revoked yet")]).toEqual([1, true]);
    const verdict = (await kit.run("audit", "verify", "--json")).json();
    expect(verdict).toMatchObject({ broken: null, unlinked: 2 });
  });
});

describe("keys of identity providers", () => {
  it("belong to one connection that can be pushed into, and say so", async () => {
    writeFileSync(
      kit.file("syncline.yaml"),
      JSON.stringify({
        hub: { store: `sqlite:${kit.file("hub.db")}` },
        connections: { idp: { use: "scim-provider" } },
      }),
    );
    const make = (...more: ReadonlyArray<string>) =>
      kit.run("keys", "create", "okta", "--role", "provisioner", ...more);
    expect(await make()).toMatchObject({ code: 2, err: expect.stringContaining("none was named") });
    expect(await make("--connection", "none")).toMatchObject({
      code: 2,
      err: expect.stringContaining("There are: idp"),
    });
    const made = await make("--connection", "idp");
    expect(made).toMatchObject({ code: 0, out: expect.stringContaining("/scim/v2/idp") });
    expect((await kit.run("keys", "list")).out).toContain("provisioner of idp");
    const wrong = await kit.run("keys", "create", "x", "--role", "viewer", "--connection", "idp");
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("does not push") });
  });
});
