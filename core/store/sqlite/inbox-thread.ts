/**
 * The thread that puts webhook calls on disk. A commit waits for the disk; here it holds up neither the calls that come
 * in meanwhile nor the moves of the hub. It knows no tables: it runs the one statement that it is given.
 *
 * Shape   a batch comes as one block of bytes (all sealed values behind each other) with the other values of each row;
 *         one answer a batch: for every row whether it was new, or what went wrong.
 */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

export interface ThreadData {
  readonly file: string;
  readonly pragmas: string;
  readonly sql: string;
  /** Which of the statement's values is the sealed one. */
  readonly sealedAt: number;
}

export interface Batch {
  readonly number: number;
  readonly rows: ReadonlyArray<{ readonly values: ReadonlyArray<SQLInputValue>; readonly bytes: number }>;
  readonly sealed: ArrayBuffer;
}

export type BatchAnswer =
  | { readonly number: number; readonly isNew: ReadonlyArray<boolean> }
  | { readonly number: number; readonly errcode: number | null; readonly message: string };

const busyMs = 30_000;

// Given by whoever starts the thread.
const { file, pragmas, sql, sealedAt } = workerData as ThreadData;
const client = new DatabaseSync(file, { timeout: busyMs });
client.exec(pragmas);
const statement = client.prepare(sql);

parentPort?.on("message", (batch: Batch) => parentPort?.postMessage(written(batch)));

function written({ number, rows, sealed }: Batch): BatchAnswer {
  try {
    client.exec("begin immediate");
    let from = 0;
    const isNew = rows.map(({ values, bytes }) => {
      const bound = [...values];
      bound[sealedAt] = new Uint8Array(sealed, from, bytes);
      from += bytes;
      return Number(statement.run(...bound).changes) > 0;
    });
    client.exec("commit");
    return { number, isNew };
  } catch (error) {
    if (client.isTransaction) client.exec("rollback");
    const message = error instanceof Error ? error.message : String(error);
    const errcode = error instanceof Error && "errcode" in error ? Number(error.errcode) : null;
    return { number, message, errcode };
  }
}
