import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registry } from "../../../config/registry.ts";
import type { Encoder } from "../../../core/plugin.ts";
import { createHttpKit, type HttpKit } from "../../kit/http-kit.ts";

let kit: HttpKit;
let encoded = 0;

const accounts = 2500;
const { csv, jsonl } = Object.fromEntries(registry.encoders);

/** Counts the rows that it was asked for. */
function counting(encoder: Encoder): Encoder {
  const { format, extension, mediaType, open } = encoder;
  return {
    format,
    extension,
    mediaType,
    open,
    row: (columns) => {
      const encode = encoder.row(columns);
      return (row) => {
        encoded += 1;
        return encode(row);
      };
    },
  };
}

beforeAll(async () => {
  if (csv === undefined || jsonl === undefined) throw new Error("the encoders are not wired in");
  const encoders = new Map([
    ["csv", counting(csv)],
    ["jsonl", counting(jsonl)],
  ]);
  kit = await createHttpKit({ accounts, encoders, onlyOne: true });
}, 120_000);

afterAll(() => kit.close());

const get = (path: string, as: "analyst" | "admin" = "analyst") =>
  kit.app.request(`/api/v1/exports/${path}`, { headers: { Authorization: `Bearer ${kit.keyOf(as)}` } });

describe("exports", () => {
  it("hold every account once, as a file with a name", async () => {
    const response = await get("accounts?format=jsonl&fields=name,domain");
    expect(response.headers.get("Content-Type")).toBe("application/x-ndjson");
    expect(response.headers.get("Content-Disposition")).toBe('attachment; filename="accounts.jsonl"');
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.length).toBe(accounts);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(accounts);
    expect(Object.keys(lines[1] ?? {})).toEqual(["id", "name", "domain", "createdAt", "updatedAt", "one", "two"]);
    const bytes = Buffer.from(await (await get("accounts")).arrayBuffer());
    expect(bytes.toString().split("\r\n").length).toBe(accounts + 2);
    expect(bytes.subarray(0, 3)).toEqual(Buffer.from("\uFEFF"));
  });

  it("are made while they are read, and end with their reader", async () => {
    encoded = 0;
    const reader = (await get("accounts")).body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.byteLength).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const ahead = encoded;
    expect(ahead).toBeGreaterThan(0);
    expect(ahead).toBeLessThan(accounts / 2);
    await reader?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(encoded).toBe(ahead);
    // The store is free again for others.
    expect((await get("accounts?fields=name")).status).toBe(200);
  });

  it("refuse unknown formats, fields and callers", async () => {
    expect((await get("accounts?format=xlsx")).status).toBe(400);
    expect((await get("accounts?fields=name,nope")).status).toBe(400);
    const steward = await kit.call("/exports/accounts", { as: "steward" });
    expect([steward.status, steward.body.detail]).toEqual([403, expect.stringContaining("customers:export")]);
  });

  it("are one entry in the audit log, with what they held", async () => {
    await (await get("accounts?fields=name")).text();
    const { body } = await kit.call("/audit?action=export%20accounts&limit=1");
    expect(body.items).toMatchObject([{ subject: "csv", detail: { fields: ["name"], personal: false } }]);
  });
});
