/**
 * A thread that reads ranges of an export, started by `export-threads.ts`. All its ranges are of one read transaction,
 * which begins when it is told to: all threads then see the store at the same moment.
 */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { Encoder } from "../../plugin.ts";
import type { HubKey } from "../../security/hub-key.ts";
import { createSealer } from "../../security/seal.ts";
import type { ExportChunk, ExportPlan } from "../export-rows.ts";
import { type IdRange, rangeReader } from "./export-ranges.ts";

export interface ExportOrder {
  readonly file: string;
  readonly hubKey: HubKey;
  readonly plan: ExportPlan;
  /** The encoder is a function, which cannot be sent: the module that exports it, and its format. */
  readonly module: string;
  readonly format: string;
}

export type ExportRequest = { readonly kind: "begin" } | { readonly kind: "read"; readonly range: IdRange };

const port = parentPort;
if (port === null) throw new Error("this module is the body of a thread");
// Given by export-threads.ts only.
const order = workerData as ExportOrder;
const encoder = await encoderOf(order.module, order.format);
const client = new DatabaseSync(order.file, { readOnly: true });
const read = rangeReader(client, createSealer(order.hubKey), encoder, order.plan);

port.on("message", (request: ExportRequest) => {
  if (request.kind === "begin") {
    client.exec("begin; select 1 from meta");
    answer({ bytes: new Uint8Array(), rows: 0 });
    return;
  }
  const { text, rows } = read(request.range);
  answer({ bytes: new TextEncoder().encode(text), rows });
});

function answer(message: ExportChunk): void {
  port?.postMessage(message, [message.bytes.buffer]);
}

async function encoderOf(module: string, format: string): Promise<Encoder> {
  const exported = Object.values<Partial<Encoder> | undefined>(await import(module));
  const found = exported.find((entry) => entry?.format === format);
  if (found === undefined) throw new Error(`${module} exports no encoder of ${format}`);
  // Whoever has a format and is exported by the module that the encoder names is that encoder.
  return found as Encoder;
}
