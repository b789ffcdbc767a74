import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ServiceEvent } from "../../../core/hub/events.ts";
import { noCounts } from "../../../core/model/world.ts";
import { createLog, type Level } from "../../../core/watch/log.ts";
import { createRedact } from "../../../core/watch/redact.ts";
import { stillClock } from "../../kit/clock.ts";

const secret = "s3cr3t-value";

async function logged(
  events: ReadonlyArray<ServiceEvent>,
  { level = "info", isText = false }: { readonly level?: Level; readonly isText?: boolean } = {},
): Promise<ReadonlyArray<string>> {
  const lines: Array<string> = [];
  const clock = stillClock();
  const redact = createRedact(() => [secret]);
  const log = await createLog({ clock, level, isText, redact, write: (line) => lines.push(line) });
  const hear = log.hear((name) => name === "zoho-eu");
  for (const event of events) hear(event);
  return lines;
}

const failing: ServiceEvent = {
  kind: "state",
  connection: "zoho-eu",
  state: "failing",
  reason: `it answered 401 for ${secret} of ann@example.com`,
};
const pushed: ServiceEvent = {
  kind: "pushed",
  connection: "zoho-eu",
  run: "run_1",
  counts: { created: 2, updated: 0, deleted: 0, rejected: 0 },
};

describe("the log", () => {
  it("is one JSON object a line, with level, time, connection, run and message", async () => {
    const lines = await logged([pushed, failing]);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: "info",
        time: "2026-06-01T09:00:00.000Z",
        connection: "zoho-eu",
        run: "run_1",
        created: 2,
        message: "pushed",
      },
      {
        level: "warn",
        time: "2026-06-01T09:00:00.000Z",
        connection: "zoho-eu",
        reason: "it answered 401 for ••• of •••",
        message: "failing",
      },
    ]);
    expect(lines.every((line) => line.endsWith("}\n"))).toBe(true);
  });

  it("is text for a person at a terminal, without what would move the cursor", async () => {
    const [line] = await logged([{ ...failing, reason: "no\u001b[2J answer\r\nroot: ok" }], { isText: true });
    expect(line).toBe("09:00:00 warn  zoho-eu failing: no [2J answer root: ok\n");
  });

  it("tells of what brought nothing only at the level debug", async () => {
    const report = {
      name: "zoho-eu",
      pulled: 3,
      applied: { ...noCounts(), unchanged: 3 },
      pushed: { created: 0, updated: 0, deleted: 0, rejected: 0 },
      vanished: 0,
      unclear: null,
      outcome: { kind: "ok" },
    } as const;
    const pulled: ServiceEvent = { kind: "pulled", connection: "zoho-eu", run: "run_2", full: false, report };
    expect(await logged([pulled])).toEqual([]);
    expect(await logged([pulled], { level: "debug" })).toHaveLength(1);
    expect(await logged([pushed, failing], { level: "error" })).toEqual([]);
  });

  it("does not repeat the names that strangers call", async () => {
    const [line = ""] = await logged([
      { kind: "hook", connection: "ann@example.com", verdict: "refused", status: 404 },
    ]);
    expect(JSON.parse(line)).toMatchObject({ connection: "unknown", verdict: "refused", status: 404 });
  });
});

describe("the redactor", () => {
  const redact = createRedact(() => [secret]);

  it.each([
    ["Bearer abc.def", "Bearer •••"],
    ["Authorization: Zoho-oauthtoken 1000.ab.cd", "Authorization: Zoho-oauthtoken •••"],
    ["access_token=abcdef&x=1", "access_token=•••&x=1"],
    ['{"refreshToken":"abc"}', '{"refreshToken":"•••"}'],
    ["ann.lee+x@mail.example.com is taken", "••• is taken"],
    ["张三@例子.公司 exists", "••• exists"],
    ["call +49 (30) 123-4567 now", "call ••• now"],
    ["手机13800138000重复", "手机•••重复"],
    [`prefix${secret}suffix`, "prefix•••suffix"],
    [`key ${"a1".repeat(24)}`, "key •••"],
  ])("takes the secret out of %s", (text, clean) => expect(redact(text)).toBe(clean));

  it.each([
    "record 5000000000000300663 of run_01m87qrxvd4hnpsdq69g answered 429",
    "api.example.com/crm/v8/Accounts/actions/count/by/criteria answered 500.",
    "paused until 2026-11-24T22:00:00.000+08:00",
    "code: INVALID_DATA",
  ])("leaves %s as it is", (text) => expect(redact(text)).toBe(text));

  it("takes a known secret out wherever it stands, also across the bound of a line", () => {
    fc.assert(
      fc.property(fc.nat(900), fc.nat(4), (before, times) => {
        const text = `${"word ".repeat(before)}${secret.repeat(times + 1)} ${"end ".repeat(50)}`;
        expect(redact(text)).not.toContain(secret.slice(0, 6));
      }),
    );
  });
});
