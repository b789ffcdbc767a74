import { describe, expect, it } from "vitest";
import { registry } from "../../../config/registry.ts";
import { readConfig } from "../../../core/config/read.ts";

const read = (alerts: string, env: Record<string, string> = {}) =>
  readConfig({
    text: `connections:\n  one: { use: memory, baseUrl: "http://127.0.0.1:1", apiKey: key-1 }\n${alerts}`,
    file: "syncline.yaml",
    env,
    connectors: registry.connectors,
    channels: registry.channels,
  });

const errors = (alerts: string) =>
  read(alerts)
    .problems.filter((problem) => problem.severity === "error")
    .map(({ line, what, remedy }) => `${line}: ${what} ${remedy}`);

describe("the section alerts", () => {
  it("has sane rules where nothing is said, and tells nobody", () => {
    expect(read("").config?.alerts).toMatchObject({
      repeatMs: 4 * 3_600_000,
      limits: { failing: { forMs: 900_000 }, agreement: { below: 0.99 }, brake: true, exports: { count: 10 } },
      channels: [],
    });
  });

  it("takes limits over the own ones, and false for off", () => {
    const yaml = "alerts:\n  repeat: 1h\n  rules: { failing: { for: 5m }, outbox: false, conflicts: { count: 3 } }";
    expect(read(yaml).config?.alerts).toMatchObject({
      repeatMs: 3_600_000,
      limits: { failing: { forMs: 300_000 }, outbox: null, conflicts: { count: 3, withinMs: 3_600_000 } },
    });
  });

  it("reads channels by the keys of their plugins, with the language of the section unless they have their own", () => {
    const yaml = `alerts:
  language: zh
  channels:
    team: { use: wecom, url: "\${WECOM_URL}", rules: [brake, store] }
    night: { use: webhook, language: en, url: https://ops.example/in, secret: 0123456789abcdef }`;
    const { config } = read(yaml, { WECOM_URL: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k" });
    expect(config?.alerts.channels).toMatchObject([
      { name: "team", use: "wecom", language: "zh", rules: ["brake", "store"] },
      { name: "night", use: "webhook", language: "en", rules: null, config: { url: "https://ops.example/in" } },
    ]);
  });

  it("names what is wrong with its place and a remedy", () => {
    const yaml = `alerts:
  rules: { failing: { four: 5m }, store: maybe }
  channels:
    team: { use: wecm, url: x }
    mail: { use: smtp, host: mail.example, from: a@b.example }`;
    const found = errors(yaml);
    expect(found).toHaveLength(4);
    expect(found.join("\n")).toMatch(/4: unknown key `four`/);
    expect(found.join("\n")).toMatch(/6: there is no channel `wecm` Did you mean `wecom`\?/);
    expect(found.join("\n")).toMatch(/7: `to` is missing/);
  });
});
