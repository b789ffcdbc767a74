/** A file, a folder or a pattern of files as a read-only system: CSV, TSV, JSON lines and workbooks. */
import {
  type Connection,
  type Connector,
  type Criterion,
  isFault,
  type RemoteRecord,
  type Tombstone,
  type Tools,
} from "../../core/connector.ts";
import { check, describe } from "./check.ts";
import { Config, type Config as FileConfig } from "./config.ts";
import { fault, filesOf } from "./files.ts";
import { entitiesOf, ruleFor } from "./map.ts";
import { Cursor, type Cursor as FileCursor, pull } from "./pull.ts";
import { scan } from "./scan.ts";

/** A look-up answers at most this many records. */
const foundMax = 20;

export function connectFile(config: FileConfig, tools: Tools): Connection<FileCursor> {
  const entity = config.entity ?? "account";

  const fetch = async (ids: ReadonlyArray<string>, fields: ReadonlyArray<string>) => {
    const readBegan = tools.clock.now();
    const { files, single } = await filesOf(config);
    const wanted = new Set(ids);
    const changes: Array<RemoteRecord | Tombstone> = [];
    let rows = 0;
    let bad = 0;
    for await (const change of scan(files, config, fields)) {
      if (change.kind === "bad") bad += 1;
      else {
        rows += 1;
        if (wanted.delete(change.id)) changes.push(change);
      }
      if (wanted.size === 0) break;
    }
    // What is not there is gone only if every row that there is could be read.
    const filled = rows > 0 || config.allowEmpty === true;
    const whole = bad === 0 && filled && (single || config.allRows === true);
    if (whole) for (const id of wanted) changes.push({ kind: "deleted", id });
    return { changes, readBegan, readEnded: tools.clock.now() };
  };

  const find = async (criteria: ReadonlyArray<Criterion>, fields: ReadonlyArray<string>) => {
    const { files } = await filesOf(config);
    const names = [...new Set([...fields, ...criteria.map(({ field }) => field)])];
    const found: Array<RemoteRecord> = [];
    for await (const change of scan(files, config, names)) {
      if (change.kind !== "record") continue;
      if (criteria.some((criterion) => meets(change, criterion))) found.push(change);
      if (found.length === foundMax) break;
    }
    return found;
  };

  return {
    check: ({ reads }) => guarded(config, () => check(config, entity, reads?.[entity])),
    pull: (_entity, request) => pull(config, tools, request),
    fetch: (_entity, ids, fields) => guarded(config, () => fetch(ids, fields)),
    find: (_entity, criteria, fields) => guarded(config, () => find(criteria, fields)),
    describe: () => guarded(config, () => describe(config, entity)),
    people: async () => [],
  };
}

function meets({ fields }: RemoteRecord, { field, value, how }: Criterion): boolean {
  const held = fields[field];
  if (how !== "contains") return held === value;
  return typeof held === "string" && held.toLowerCase().includes(value.toLowerCase());
}

/** Whatever the file system throws is a fault. */
async function guarded<T>(config: FileConfig, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFault(error)) throw error;
    return fault(error, config.path);
  }
}

export const file: Connector<FileConfig, FileCursor> = {
  system: "file",
  title: { en: "Files", zh: "文件" },
  config: Config,
  cursor: Cursor,
  entities: entitiesOf,
  limits: () => ({}),
  rule: ruleFor,
  connect: connectFile,
};
