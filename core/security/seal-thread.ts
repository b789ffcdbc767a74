/** The thread of `bulk-seal.ts`: it seals values where they lie, in shared memory. */
import { createSecretKey, type KeyObject } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { keyBytes, sealInPlace } from "./gcm.ts";

/** One value to seal. */
export interface SealJob {
  /** Where its data key lies; null for the key that wraps data keys. */
  readonly keyAt: number | null;
  /** Where its sealed value begins, and how many bytes that takes. */
  readonly at: number;
  readonly bytes: number;
  readonly bound: string;
}

export interface SealBatch {
  readonly memory: SharedArrayBuffer;
  readonly jobs: ReadonlyArray<SealJob>;
}

// Given by bulk-seal.ts only.
const wrapping = workerData as KeyObject;

parentPort?.on("message", ({ memory, jobs }: SealBatch) => {
  const all = Buffer.from(memory);
  for (const { keyAt, at, bytes, bound } of jobs) {
    const key = keyAt === null ? wrapping : createSecretKey(all.subarray(keyAt, keyAt + keyBytes));
    sealInPlace(key, all.subarray(at, at + bytes), bound);
  }
  parentPort?.postMessage(jobs.length);
});
