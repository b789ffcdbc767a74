import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const start = resolve(import.meta.dirname, "../../config/start.ts");
const folders: Array<string> = [];

function demo(...argv: ReadonlyArray<string>) {
  const cwd = mkdtempSync(join(tmpdir(), "syncline-demo-"));
  folders.push(cwd);
  const ran = spawnSync(process.execPath, [start, "demo", "--once", ...argv], {
    cwd,
    encoding: "utf8",
    timeout: 120_000,
  });
  return { ...ran, cwd };
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("the demo", () => {
  it("converges: all fields agree, nothing is due, and a second sync writes nothing", { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = demo("--json");
    expect(stderr).toBe("");
    // One object on standard output, and nothing beside it.
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ agreement: 1, outbox: 0, secondRunWrites: 0 });
    expect(status).toBe(0);
    expect(result.connections.map(({ name }: { name: string }) => name)).toEqual([
      "zoho-eu",
      "fxiaoke-cn",
      "directory",
      "idp",
      "old-list",
    ]);
    for (const one of result.connections) {
      expect(Object.keys(one)).toEqual(["name", "pulled", "created", "updated", "deleted", "rejected"]);
      expect(one.pulled).toBeGreaterThan(0);
    }
    expect(result.canonical.accounts).toBeGreaterThan(200);
    expect(result.canonical.contacts).toBeGreaterThan(200);
    expect(result.conflicts.settled).toBeGreaterThan(0);
    expect(result.conflicts.open).toBeGreaterThan(0);
    expect(result.deadLetters).toBeGreaterThan(0);
    expect(result.elapsedMs).toBeGreaterThan(0);
  });

  it("tells its story in Chinese, with the conflict table and the path of the export at the end", {
    timeout: 120_000,
  }, () => {
    const { stdout, cwd } = demo("--lang", "zh");
    expect(stdout).toContain("Syncline 演示");
    expect(stdout).toContain("冲突记录");
    // The directory and the identity provider: provisioned, deactivated, arrived.
    expect(stdout.match(/✓/g)).toHaveLength(3);
    const file = /\.demo\/customers\.csv/.exec(stdout)?.[0] ?? "";
    expect(existsSync(join(cwd, file))).toBe(true);
    expect(readFileSync(join(cwd, file), "utf8").split("\n").length).toBeGreaterThan(200);
  });
});
