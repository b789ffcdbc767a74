/**
 * The hub key: the one secret that everything sealed in the store hangs on.
 *
 * It comes from `SYNCLINE_KEY` (32 bytes as base64 or hex) or from a key file beside the store, made once with mode
 * 0600. A store that holds data never gets a new key: without the old one it refuses to start.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";

export class KeyProblem extends Error {
  readonly _tag = "KeyProblem";
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.name = "KeyProblem";
    this.remedy = remedy;
  }
}

/** Keys derived from the hub key, one a purpose, as KeyObjects (raw keys are several times slower). */
export interface HubKey {
  /** Names the key without telling it; stored in the database to recognise a wrong key. */
  readonly check: string;
  /** Wraps data keys. */
  readonly wrapping: KeyObject;
  /** Seals what belongs to no account or contact: connection secrets, the inbox, unlinked records. */
  readonly sealing: KeyObject;
  /** Blind indexes and fingerprints. */
  readonly blinding: KeyObject;
}

export function hubKeyOf(secret: Buffer): HubKey {
  const derive = (purpose: string): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync("sha256", secret, "syncline", purpose, 32)));
  return {
    check: createHmac("sha256", derive("check")).update("syncline hub key").digest("base64url").slice(0, 16),
    wrapping: derive("wrap"),
    sealing: derive("seal"),
    blinding: derive("blind"),
  };
}

/** Reads 32 bytes from base64, base64url or hex. */
export function parseKey(text: string, where: string): Buffer {
  const trimmed = text.trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(trimmed) ? Buffer.from(trimmed, "hex") : Buffer.from(trimmed, "base64");
  if (bytes.length !== 32) {
    throw new KeyProblem(
      `${where} does not hold a key of 32 bytes (it decodes to ${bytes.length}).`,
      "Give 32 random bytes as base64 or 64 hex digits, such as from: openssl rand -base64 32",
    );
  }
  return bytes;
}

/**
 * The hub key for a store.
 *
 * Errors  KeyProblem when the store already holds data and neither the variable nor the key file is there, when the
 *         file is readable by others, or when a key does not parse. A new key is made only for an empty store.
 */
export function loadHubKey(options: {
  readonly environment: string | undefined;
  readonly keyFile: string;
  readonly storeHoldsData: boolean;
}): HubKey {
  const { environment, keyFile, storeHoldsData } = options;
  if (environment !== undefined && environment !== "") return hubKeyOf(parseKey(environment, "SYNCLINE_KEY"));
  if (existsSync(keyFile)) {
    const mode = statSync(keyFile).mode & 0o777;
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new KeyProblem(
        `The key file ${keyFile} can be read by others (mode ${mode.toString(8)}).`,
        `Run: chmod 600 ${keyFile}`,
      );
    }
    return hubKeyOf(parseKey(readFileSync(keyFile, "utf8"), keyFile));
  }
  if (storeHoldsData) {
    throw new KeyProblem(
      `The store holds sealed data, but its key is missing: SYNCLINE_KEY is not set and ${keyFile} does not exist.`,
      "Restore the key file from your backup or set SYNCLINE_KEY to the old key. A new key could never open this store.",
    );
  }
  const secret = randomBytes(32);
  const file = openSync(keyFile, "wx", 0o600);
  writeSync(file, `${secret.toString("base64")}\n`);
  fsyncSync(file);
  closeSync(file);
  if (process.platform !== "win32") chmodSync(keyFile, 0o600);
  return hubKeyOf(secret);
}
