import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

function sources(folder: string): ReadonlyArray<string> {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function imports(file: string): ReadonlyArray<string> {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s+"(\.[^"]+)"/g)].map((match) =>
    relative(root, resolve(root, dirname(file), match[1] ?? "")),
  );
}

/** Which layer may import which; the order of DESIGN 3. */
const layers: Readonly<Record<string, ReadonlyArray<string>>> = {
  "core/model": ["core/model"],
  "core/scim": ["core/scim"],
  "core/net": ["core/net", "core/model"],
  "core/security": ["core/security", "core/model"],
  "core/store": ["core/store", "core/security", "core/model", "core/net"],
  "core/sync": ["core/sync", "core/store", "core/security", "core/net", "core/model"],
  "core/config": ["core/config", "core/model", "core/net"],
  "core/hub": [
    "core/hub",
    "core/scim",
    "core/sync",
    "core/store",
    "core/config",
    "core/net",
    "core/security",
    "core/model",
  ],
  "core/watch": [
    "core/watch",
    "core/hub",
    "core/sync",
    "core/store",
    "core/config",
    "core/net",
    "core/security",
    "core/model",
  ],
  "core/http": [
    "core/http",
    "core/scim",
    "core/watch",
    "core/hub",
    "core/sync",
    "core/store",
    "core/config",
    "core/net",
    "core/security",
    "core/model",
  ],
  "core/cli": [
    "core/cli",
    "core/http",
    "core/watch",
    "core/hub",
    "core/sync",
    "core/store",
    "core/config",
    "core/net",
    "core/security",
    "core/model",
  ],
};

const doors = [
  "core/connector.ts",
  "core/plugin.ts",
  "core/simulator.ts",
  "core/simulator-server.ts",
  "core/simulator-courier.ts",
];

describe("the tree", () => {
  it("imports inward only", () => {
    const wrong: Array<string> = [];
    for (const [layer, allowed] of Object.entries(layers)) {
      for (const file of sources(layer)) {
        for (const target of imports(file)) {
          if (doors.includes(target)) continue;
          if (!allowed.some((folder) => target.startsWith(`${folder}/`))) wrong.push(`${file} imports ${target}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("lets connectors see only their door, and simulators theirs", () => {
    const wrong = sources("connectors").flatMap((file) =>
      imports(file)
        .filter((target) => target.startsWith("core/") || target.startsWith("plugins/") || target.startsWith("config/"))
        .filter((target) => target !== "core/connector.ts" && target !== "core/simulator.ts")
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps connectors apart from each other", () => {
    const wrong = sources("connectors").flatMap((file) => {
      const own = file.split("/").slice(0, 2).join("/");
      return imports(file)
        .filter((target) => target.startsWith("connectors/") && !target.startsWith(`${own}/`))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it("lets plugins see only their door", () => {
    const wrong = sources("plugins").flatMap((file) =>
      imports(file)
        .filter((target) => !target.startsWith("plugins/") && target !== "core/plugin.ts")
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("never lets the core import a connector, a plugin or the configuration", () => {
    const wrong = sources("core").flatMap((file) =>
      imports(file)
        .filter((target) => !target.startsWith("core/"))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("has the top level that the design names", () => {
    const allowed = [
      "package.json",
      "package-lock.json",
      "tsconfig.json",
      "README.md",
      "README.zh-CN.md",
      "LICENSE",
      "CHANGELOG.md",
      "core",
      "connectors",
      "plugins",
      "config",
      "test",
      "node_modules",
      "data",
    ];
    const extra = readdirSync(root).filter((name) => !name.startsWith(".") && !allowed.includes(name));
    expect(extra).toEqual([]);
  });

  it("has no file called utils, helpers, common, misc or manager", () => {
    const bad = ["core", "connectors", "plugins", "config", "test"]
      .flatMap(sources)
      .filter((file) => /\b(utils?|helpers?|common|misc|manager)\.ts$/.test(file));
    expect(bad).toEqual([]);
  });

  it("holds no very large source file", () => {
    const large = ["core", "connectors", "plugins", "config"]
      .flatMap(sources)
      .filter((file) => statSync(join(root, file)).size > 40_000);
    expect(large).toEqual([]);
  });
});
