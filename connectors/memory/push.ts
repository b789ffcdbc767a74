/** Writing: one call for all operations, one outcome for each of them, in order. */
import { type Operation, type Result, Unavailable } from "../../core/connector.ts";
import type { Answered, Client } from "./client.ts";
import { objects } from "./map.ts";

export async function push(client: Client, operations: ReadonlyArray<Operation>): Promise<ReadonlyArray<Result>> {
  const json = { writes: operations.map(writeOf) };
  const { results = [] } = await client({ method: "POST", path: "/writes", json });
  if (results.length !== operations.length) {
    throw new Unavailable(`Memory answered ${results.length} outcomes for ${operations.length} writes.`, {
      sent: true,
    });
  }
  return results.map(resultOf);
}

function writeOf(operation: Operation) {
  const { kind, entity } = operation;
  const object = objects[entity];
  switch (operation.kind) {
    case "create":
      return { object, kind, fields: { ...operation.fields, [operation.keyField]: operation.hubId } };
    case "update": {
      const version = operation.precondition?.version;
      const { id, fields } = operation;
      return { object, kind, id, fields, ...(version === undefined ? {} : { ifVersion: Number(version) }) };
    }
    case "delete":
      return { object, kind, id: operation.id };
  }
}

type Outcome = NonNullable<Answered["results"]>[number];

function resultOf({ status, record, field, id, message = "" }: Outcome): Result {
  const at = field === undefined ? {} : { field };
  if (status === 200 && record !== undefined) {
    const { version, modifiedAt, fields, deleted } = record;
    if (deleted) return { kind: "applied", id: record.id };
    return { kind: "applied", id: record.id, version: String(version), modifiedAt, stored: fields };
  }
  if (status === 404) return { kind: "gone", reason: message };
  if (status === 412) return { kind: "conflict", reason: message };
  if (status === 423) return { kind: "later", reason: message };
  if (status === 409 && id !== undefined) return { kind: "duplicate", id, ...at, reason: message };
  const remedy = "Mend the value in the hub, or change the field's rule in Memory.";
  return { kind: "rejected", code: String(status), ...at, reason: message, remedy };
}
