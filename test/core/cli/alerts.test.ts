import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";
import { type Receiver, signedReceiver, wecomBot } from "../../kit/receivers.ts";

const key = "robot-key-0123456789";
const secret = "a secret of sixteen and more";
let kit: CliKit;
let bot: Receiver;
let ops: Receiver;

beforeEach(async () => {
  kit = createCliKit();
  bot = await wecomBot(key);
  ops = await signedReceiver(secret, Date.now);
  const channels = {
    team: { use: "wecom", url: `http://127.0.0.1:${bot.port}/send?key=${key}` },
    ops: { use: "webhook", url: `http://127.0.0.1:${ops.port}/`, secret, language: "zh" },
  };
  const yaml = {
    hub: { name: "acme", store: `sqlite:${kit.file("hub.db")}` },
    serve: { hosts: [`127.0.0.1:${bot.port}`, `127.0.0.1:${ops.port}`] },
    connections: { one: { use: "memory", baseUrl: "http://127.0.0.1:1", apiKey: "key-1" } },
    alerts: { channels },
  };
  writeFileSync(kit.file("syncline.yaml"), stringify(yaml));
});

afterEach(async () => {
  await bot.close();
  await ops.close();
  kit.remove();
});

describe("alerts test", () => {
  it("sends a message through every channel, in its language", async () => {
    const { code, out } = await kit.run("alerts", "test");
    expect({ code, out }).toEqual({ code: 0, out: "team (wecom): sent\nops (webhook): sent\n" });
    expect(bot.taken[0]).toContain("a test: alerts arrive here");
    expect(ops.taken[0]).toContain("测试");
  });

  it("tells which channel failed and why, without its secret, and ends with 1", async () => {
    bot.failWith(500);
    const { code, out } = await kit.run("alerts", "test");
    expect({ code, out }).toEqual({ code: 1, out: "team (wecom): not sent: it answered 500\nops (webhook): sent\n" });
    await bot.close();
    const second = await kit.run("alerts", "test", "team", "--json");
    expect(second.code).toBe(1);
    expect(second.out).toContain("refused the connection");
    expect(second.out + second.err).not.toContain(key);
  });

  it("names the channels that there are", async () => {
    const { code, err } = await kit.run("alerts", "test", "nobody");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("There are: team, ops.") });
  });
});

describe("alerts list", () => {
  it("says so where nothing is wrong", async () => {
    await kit.run("keys", "create", "x", "--role", "viewer");
    const { code, out } = await kit.run("alerts", "list");
    expect({ code, out }).toEqual({ code: 0, out: "No alerts: nothing is wrong that the rules know.\n" });
  });
});
