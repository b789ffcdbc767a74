import { describe, expect, it } from "vitest";
import { formatProblem } from "../../../core/config/diagnostics.ts";
import { fill } from "../../../core/config/environment.ts";
import { readConfig } from "../../../core/config/read.ts";
import { type Connector, Schema } from "../../../core/connector.ts";
import { crm, toyConnectors } from "./toy-connectors.ts";

const reference = (inner: string): string => `\${${inner}}`;

function read(text: string, env: Readonly<Record<string, string>> = {}) {
  const { config, problems } = readConfig({ text, file: "hub.yaml", env, connectors: toyConnectors });
  return {
    config,
    problems,
    places: problems.map(({ line, column, what }) => `${line}:${column} ${what}`),
    shown: problems.map(formatProblem).join("\n"),
  };
}

const list = (path: string): string => `connections: { a: { use: list, path: ${path} } }`;

describe("references to the environment", () => {
  it("stand anywhere in a text, quoted or not", () => {
    const pathOf = (path: string, env = {}) => read(list(path), env).config?.connections[0]?.config;
    expect(pathOf(reference("DIR"), { DIR: "/data" })).toEqual({ path: "/data" });
    expect(pathOf(`"${reference("DIR")}/${reference("FILE")}.csv"`, { DIR: "d", FILE: "f" })).toEqual({
      path: "d/f.csv",
    });
    expect(pathOf(`x-${reference("NONE:-a, b: c")}`)).toEqual({ path: "x-a, b: c" });
    expect(pathOf(`'$${reference("DIR")}'`, { DIR: "d" })).toEqual({ path: reference("DIR") });
    expect(pathOf(`$${reference("DIR")}`, { DIR: "d" })).toEqual({ path: reference("DIR") });
  });

  it("are not looked for in what came from the environment", () => {
    expect(fill(reference("A"), { A: reference("B"), B: "b" }).value).toBe(reference("B"));
  });

  it("to a missing or empty variable are told at their place, and cause no other problem", () => {
    const text = `connections:\n  a:\n    use: crm\n    push: off\n    auth: { clientId: ${reference("ID")}, clientSecret: ${reference("EMPTY")} }`;
    const { places, shown } = read(text, { EMPTY: "" });
    expect(places).toEqual([
      "5:23 the environment variable ID is not set",
      "5:44 the environment variable EMPTY is empty",
    ]);
    expect(shown).toContain(`Set ID before the start, or write a default: ${reference("ID:-default")}.`);
  });

  it("that are not well-formed, or stand in a key, are told", () => {
    expect(read(list(`"${reference("not a name")}"`)).places).toEqual([
      "1:38 a reference to the environment is not well-formed",
    ]);
    expect(read(`connections: { "${reference("X")}": { use: list } }`, { X: "x" }).places).toContain(
      "1:16 a reference to the environment cannot be a key",
    );
  });
});

describe("secrets", () => {
  const secret = "hunter2hunter2";

  it("are masked in the lines that are shown", () => {
    const { shown } = read(
      `connections: { a: { use: crm, push: off, regin: eu, auth: { clientId: i-d-7, clientSecret: ${secret}, x: 1 } } }`,
    );
    expect(shown).toContain("auth: { clientId: •••, clientSecret: •••, x: ••• }");
    expect(shown).not.toMatch(/hunter2|i-d-7/);
  });

  it("from the environment are never repeated", () => {
    const { shown, problems } = read(
      `connections: { a: { use: ${reference("S")}, deletes: ${reference("S")}, pull: { every: ${reference("S")} }, auth: { clientId: "" } } }\nhub: { timeZone: ${reference("S")}, store: ${reference("S")} }\npolicy: { account: { default: ${reference("S")} } }`,
      { S: secret },
    );
    expect(problems.length).toBeGreaterThan(5);
    expect(shown).not.toContain(secret);
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  it("that are wrong are not repeated", () => {
    const { shown } = read(`connections: { a: { use: crm, push: off, auth: { clientId: i, clientSecret: s3cr3t } } }`);
    expect(shown).toContain("the value is not a value with a length of at least 8");
    expect(shown).not.toContain("s3cr3t");
  });

  it("are cleaned out of what a connector's own check says", () => {
    const Config = Schema.Struct({ password: Schema.String }).check(
      Schema.makeFilter(({ password }) => `the password ${password} is weak`),
    );
    // Its configuration is only decoded here.
    const chatty = { ...crm, system: "chatty", config: Config } as Connector;
    const text = `connections: { a: { use: chatty, password: ${secret} } }`;
    const { problems } = readConfig({ text, file: "f", env: {}, connectors: new Map([["chatty", chatty]]) });
    expect(problems.map(({ what }) => what)).toEqual(["the password ••• is weak"]);
  });

  it("are masked in a file that is not YAML", () => {
    const broken = [
      `connections:\n  a:\n    auth:\n      clientSecret: ${secret}: x\n`,
      `connections:\n  a: { clientSecret: "${secret}, use: [ }\n`,
      `connections:\n  a:\n    clientSecret: ab\n   ${secret}\n`,
      `connections:\n\tclientSecret: ${secret}\n`,
      `a: { clientSecret: *${secret} }\n`,
      `a: { clientSecret: !${secret} x }\n`,
      `connections:\n  clientSecret: "${secret}\\q"\n`,
    ];
    for (const text of broken) {
      const { config, shown } = read(text);
      expect(config).toBeNull();
      expect(shown).not.toContain(secret);
    }
  });
});

describe("a file that is not YAML", () => {
  it("tells the place in plain words", () => {
    expect(read("connections:\n\ta: 1").places[0]).toBe("2:1 a tab is used as indentation");
    expect(read("hub: { name: a }\nhub: { name: b }\nconnections: {}").places).toContain("2:1 this key is there twice");
    expect(read("a: [1, 2").places[0]).toMatch(/^1:\d+ .* is not closed$/);
    expect(read("a: 1\n---\nb: 2").places).toEqual(["2:1 the file holds several YAML documents"]);
    expect(read("a: *b").places).toEqual(["1:4 an alias (*name) points to nothing"]);
  });

  it("bounds what aliases expand to", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 9; level++) {
      const alias = `*a${level - 1}`;
      lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => alias).join(", ")}]`);
    }
    expect(read(lines.join("\n")).places).toEqual([
      "1:28 the file nests too deeply or expands to more than 50000 values",
    ]);
    expect(read("a: &a { b: *a }").places).toHaveLength(1);
  });

  it("may hold keys that JavaScript treats in its own way", () => {
    expect(read("__proto__: { connections: {} }\nconstructor: 1\nconnections: {}").places).toEqual([
      "1:1 unknown key `__proto__`",
      "2:1 unknown key `constructor`",
      "3:1 there are no connections",
    ]);
  });

  it("keeps the caret under wide characters", () => {
    const { shown } = read('connections: { a: { use: list, path: "客户", x: 1 } }');
    const [, line = "", caret = ""] = shown.split("\n");
    expect(line.indexOf("x: 1")).toBe(caret.indexOf("^") - 2);
  });
});
