import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get as httpGet } from "node:http";
import { get, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CannotListen, type Listening, listen } from "../../../core/http/listen.ts";
import { certificate, certificateKey } from "../../kit/certificate.ts";

let folder = "";
let server: Listening | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "syncline-tls-"));
  writeFileSync(join(folder, "cert.pem"), certificate);
  writeFileSync(join(folder, "key.pem"), certificateKey);
});

afterEach(async () => {
  await server?.close(100);
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const tls = () => ({ cert: join(folder, "cert.pem"), key: join(folder, "key.pem") });
const started = async () => {
  server = await listen(() => new Response("over TLS"), { host: "127.0.0.1", port: 0, tls: tls() });
  return server;
};

const read = (url: string, options: RequestOptions): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent: false, ...options }, (answer) => {
      let text = "";
      answer.on("data", (part) => {
        text += part;
      });
      answer.on("end", () => resolve(text));
    });
    request.on("error", reject);
  });

describe("a hub with a certificate", () => {
  it("speaks TLS 1.2 and 1.3 with whoever trusts it, nothing older, and names itself so", async () => {
    const { url } = await started();
    expect(url).toMatch(/^https:/);
    for (const version of ["TLSv1.2", "TLSv1.3"] as const)
      expect(await read(url, { ca: certificate, minVersion: version, maxVersion: version })).toBe("over TLS");
    await expect(
      read(url, { ca: certificate, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
    ).rejects.toThrow(/protocol|alert/i);
  });

  it("is not believed by whoever does not trust it, and answers nothing in clear", async () => {
    const { url, port } = await started();
    await expect(read(url, {})).rejects.toThrow(/self.signed/i);
    await expect(
      new Promise((resolve, reject) => {
        httpGet({ port, host: "127.0.0.1", agent: false }, resolve).on("error", reject);
      }),
    ).rejects.toThrow();
  });

  it("says which file cannot be read, and what to look at", async () => {
    rmSync(join(folder, "key.pem"));
    const failed = await listen(() => new Response(""), { host: "127.0.0.1", port: 0, tls: tls() }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(CannotListen);
    expect(failed).toMatchObject({
      message: expect.stringContaining("key.pem"),
      remedy: "Check serve.tls in the YAML.",
    });
  });
});
