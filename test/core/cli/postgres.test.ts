import { readFileSync, writeFileSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { createCliKit } from "../../kit/cli-kit.ts";
import { placeFor } from "../../kit/engine-place.ts";

it("keeps a hub in PostgreSQL, from its check to its export", async () => {
  const place = await placeFor();
  const kit = createCliKit({ env: { SYNCLINE_KEY: Buffer.alloc(32, 6).toString("base64") } });
  onTestFinished(kit.remove);
  const csv = (name: string) => kit.file(`${name}.csv`);
  writeFileSync(csv("one"), "No,Company,Website,Phone\n1,Acme Tools,www.acme-tools.com,+1 512-555-1074\n");
  writeFileSync(
    csv("two"),
    "No,Company,Website,Tags\n7,ACME Tools,acme-tools.com,key\n8,上海华锦电子有限公司,www.huajin.cn,\n",
  );
  writeFileSync(
    kit.file("syncline.yaml"),
    [
      `hub: { store: "${place}" }`,
      "connections:",
      `  one: { use: file, path: "${csv("one")}", id: No }`,
      `  two: { use: file, path: "${csv("two")}", id: No }`,
    ].join("\n"),
  );
  const ok = async (...argv: ReadonlyArray<string>) => {
    const ran = await kit.run(...argv);
    expect([argv[0], ran.code, ran.err]).toEqual([argv[0], 0, ran.err]);
    return ran;
  };
  const early = await kit.run("accounts", "list");
  expect([early.code, early.out + early.err]).not.toEqual([0, ""]);
  await ok("check");
  // A plan is made on a copy, and leaves nothing behind.
  const planned = (await ok("plan", "--json")).json() as { connections: ReadonlyArray<{ canonicals: number }> };
  expect(planned.connections.map(({ canonicals }) => canonicals)).toEqual([1, 1]);
  expect(((await ok("accounts", "list", "--json")).json() as { items: ReadonlyArray<unknown> }).items).toEqual([]);
  await ok("sync");
  await ok("sync");
  const { items } = (await ok("accounts", "list", "--json")).json() as {
    items: ReadonlyArray<{ readonly id: string; readonly values: Readonly<Record<string, unknown>> }>;
  };
  expect(items).toHaveLength(2);
  const [acme] = items;
  // Small letters find capital ones, as in SQLite; and a sign at the end is a sign.
  const found = async (text: string) =>
    ((await kit.run("accounts", "search", text, "--json")).json() as { items?: ReadonlyArray<unknown> }).items
      ?.length ?? 0;
  expect([await found("acme TOOLS"), await found("华锦"), await found("tools\\"), await found("%")]).toEqual([
    1, 1, 0, 2,
  ]);
  expect((await ok("explain", acme?.id ?? "")).out).toContain("+15125551074");
  await ok("export", "--output", kit.file("all.csv"));
  const lines = readFileSync(kit.file("all.csv"), "utf8").trim().split(/\r?\n/);
  expect(lines).toHaveLength(3);
  expect(lines.join("\n")).toContain("+15125551074");
  expect((await ok("audit", "verify", "--json")).json()).toMatchObject({ broken: null });
}, 60_000);
