/** Everything that is wired in: connectors, encoders and simulators. Add yours here. */
import { file } from "../connectors/file/index.ts";
import { fxiaoke } from "../connectors/fxiaoke/index.ts";
import { memory } from "../connectors/memory/index.ts";
import { zoho } from "../connectors/zoho/index.ts";
import type { Registry } from "../core/cli/cli.ts";
import type { Connector } from "../core/connector.ts";
import { csv } from "../plugins/csv/index.ts";
import { jsonl } from "../plugins/jsonl/index.ts";
import { fxiaokeSandbox, memorySandbox, zohoSandbox } from "./sandbox.ts";

const named = <T>(list: ReadonlyArray<T>, name: (one: T) => string): ReadonlyMap<string, T> =>
  new Map(list.map((one) => [name(one), one]));

// The core hands each connector its own configuration and cursors back, decoded by its own schemas.
const connectors = [zoho, fxiaoke, file, memory] as unknown as ReadonlyArray<Connector>;

export const registry: Registry = {
  connectors: named(connectors, (connector) => connector.system),
  encoders: named([csv, jsonl], (encoder) => encoder.format),
  sandbox: named([zohoSandbox, fxiaokeSandbox, memorySandbox], (system) => system.system),
};
