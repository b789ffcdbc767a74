import { describe, expect, it } from "vitest";
import { registry } from "../../../config/registry.ts";
import { readConfig } from "../../../core/config/read.ts";
import { secretsOf } from "../../../core/config/secrets.ts";

const text = `
connections:
  zoho-eu:
    use: zoho
    region: eu
    auth: { clientId: client-1, clientSecret: zoho-client-secret, refreshToken: 1000.abcdefabcdefabcd.abcdefabcdefabcd }
  two:
    use: memory
    baseUrl: http://127.0.0.1:1
    apiKey: memory-token-1
    webhook: { secrets: [whsec_c3luY2xpbmUtdGVzdC1zZWNyZXQ] }
`;

describe("the secrets of a configuration", () => {
  it("are what stands under a key that says so, the longest first, and nothing else", () => {
    const { config } = readConfig({ text, file: "syncline.yaml", env: {}, connectors: registry.connectors });
    expect(config).not.toBeNull();
    const secrets = config === null ? [] : secretsOf(config);
    expect(secrets).toEqual([
      "1000.abcdefabcdefabcd.abcdefabcdefabcd",
      "whsec_c3luY2xpbmUtdGVzdC1zZWNyZXQ",
      "zoho-client-secret",
      "memory-token-1",
    ]);
  });

  it("are found inside addresses too: in the path and in the query", () => {
    const channels = [
      "alerts:",
      "  channels:",
      "    bot: { use: feishu, url: https://bot.example/hook/0123456789abcdef01, secret: feishu-sign }",
      "    team: { use: wecom, url: https://bot.example/send?key=robot-key }",
    ].join("\n");
    const { connectors, channels: plugins } = registry;
    const { config } = readConfig({ text: `${text}${channels}`, file: "", env: {}, connectors, channels: plugins });
    const secrets = config === null ? [] : secretsOf(config);
    expect(secrets).toEqual(expect.arrayContaining(["0123456789abcdef01", "feishu-sign", "robot-key"]));
  });
});
