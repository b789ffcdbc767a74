/**
 * Seals what a large page of new records brings on another thread, while this one goes on with what needs no seal.
 *
 * Shape   a sealed value is given at once, as bytes of shared memory. Until `settled` resolves they hold the plain value
 *         or part of it: nobody may store them earlier.
 */
import { createSecretKey, type KeyObject } from "node:crypto";
import { Worker } from "node:worker_threads";
import { fillRandom, headBytes, keyBytes } from "./gcm.ts";
import type { HubKey } from "./hub-key.ts";
import type { DataKey } from "./seal.ts";
import type { SealBatch, SealJob } from "./seal-thread.ts";

/** A batch is sent when its memory is full: the thread begins while the page is still being prepared. */
const batchBytes = 65_536;

const threadModule = new URL("./seal-thread.ts", import.meta.url);

/** A key that was made here: its bytes go to the thread with each value. */
export class NewDataKey implements DataKey {
  readonly owner: string;
  readonly raw: Buffer;
  last?: NonNullable<DataKey["last"]>;
  #key: KeyObject | undefined;

  constructor(owner: string) {
    this.owner = owner;
    this.raw = Buffer.allocUnsafe(keyBytes);
    fillRandom(this.raw, keyBytes);
  }

  get key(): KeyObject {
    this.#key ??= createSecretKey(this.raw);
    return this.#key;
  }
}

export class BulkSealer {
  readonly #wrapping: KeyObject;
  #worker: Worker | undefined;
  #memory: Buffer = Buffer.alloc(0);
  #used = 0;
  #jobs: Array<SealJob> = [];
  #batchesOpen = 0;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(hubKey: HubKey) {
    this.#wrapping = hubKey.wrapping;
  }

  newDataKey(owner: string): { readonly dataKey: NewDataKey; readonly wrapped: Uint8Array } {
    const dataKey = new NewDataKey(owner);
    const wrapped = this.#take(headBytes + keyBytes);
    dataKey.raw.copy(wrapped, headBytes);
    this.#add(null, wrapped, `key\n${owner}`);
    return { dataKey, wrapped };
  }

  seal(dataKey: NewDataKey, purpose: string, value: unknown): Uint8Array {
    const { last } = dataKey;
    const text = JSON.stringify(value);
    if (last?.text === text && last.purpose === purpose) return last.sealed;
    const bytes = this.#take(keyBytes + headBytes + Buffer.byteLength(text));
    dataKey.raw.copy(bytes);
    const sealed = bytes.subarray(keyBytes);
    sealed.write(text, headBytes);
    this.#add(bytes.byteOffset, sealed, `${purpose}\n${dataKey.owner}`);
    dataKey.last = { purpose, text, sealed };
    return sealed;
  }

  /** Lets the thread have the rest of the page. */
  flush(): void {
    if (this.#jobs.length === 0) return;
    // It was made in #take, in shared memory.
    const batch: SealBatch = { memory: this.#memory.buffer as unknown as SharedArrayBuffer, jobs: this.#jobs };
    this.#worker ??= this.#start();
    // What waits for the thread must not be left by a process that has nothing else to do.
    this.#worker.ref();
    this.#worker.postMessage(batch);
    this.#batchesOpen += 1;
    this.#jobs = [];
    this.#memory = Buffer.alloc(0);
    this.#used = 0;
  }

  /**
   * Resolves when everything is sealed.
   *
   * Errors  rejects when the thread has ended; nothing of the page may be stored then. The next page gets a new thread.
   */
  async settled(): Promise<void> {
    this.flush();
    if (this.#batchesOpen > 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const failure = this.#failure;
    this.#failure = undefined;
    this.#batchesOpen = 0;
    if (failure !== undefined) throw failure;
  }

  close(): void {
    void this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(threadModule, { workerData: this.#wrapping });
    worker.on("message", () => {
      this.#batchesOpen -= 1;
      if (this.#batchesOpen > 0) return;
      worker.unref();
      this.#wake?.();
    });
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", () => this.#fail(new Error("the thread that seals has ended")));
    return worker;
  }

  #fail(reason: unknown): void {
    this.#worker = undefined;
    if (this.#batchesOpen === 0) return;
    this.#failure ??= reason;
    this.#wake?.();
  }

  #take(bytes: number): Buffer {
    if (this.#used + bytes > this.#memory.byteLength) {
      this.flush();
      this.#memory = Buffer.from(new SharedArrayBuffer(Math.max(batchBytes, bytes)));
    }
    const taken = this.#memory.subarray(this.#used, this.#used + bytes);
    this.#used += bytes;
    return taken;
  }

  #add(keyAt: number | null, sealed: Buffer, bound: string): void {
    this.#jobs.push({ keyAt, at: sealed.byteOffset, bytes: sealed.byteLength, bound });
  }
}
