/** Everything that is wired in: connectors, encoders, channels of alerts and simulators. Add yours here. */
import { file } from "../connectors/file/index.ts";
import { fxiaoke } from "../connectors/fxiaoke/index.ts";
import { memory } from "../connectors/memory/index.ts";
import { scim } from "../connectors/scim/index.ts";
import { scimProvider } from "../connectors/scim/provider.ts";
import { zoho } from "../connectors/zoho/index.ts";
import type { Registry } from "../core/cli/cli.ts";
import type { Connector } from "../core/connector.ts";
import type { NotificationChannel } from "../core/plugin.ts";
import { csv } from "../plugins/csv/index.ts";
import { dingtalk } from "../plugins/dingtalk/index.ts";
import { feishu } from "../plugins/feishu/index.ts";
import { jsonl } from "../plugins/jsonl/index.ts";
import { smtp } from "../plugins/smtp/index.ts";
import { webhook } from "../plugins/webhook/index.ts";
import { wecom } from "../plugins/wecom/index.ts";
import { fxiaokeSandbox, memorySandbox, scimSandbox, zohoSandbox } from "./sandbox.ts";

const named = <T>(list: ReadonlyArray<T>, name: (one: T) => string): ReadonlyMap<string, T> =>
  new Map(list.map((one) => [name(one), one]));

// The core hands each connector its own configuration and cursors back, decoded by its own schemas.
const connectors = [zoho, fxiaoke, scim, scimProvider, file, memory] as unknown as ReadonlyArray<Connector>;

// The core hands each channel its own configuration back, decoded by its own schema.
const channels = [smtp, webhook, wecom, dingtalk, feishu] as unknown as ReadonlyArray<NotificationChannel>;

export const registry: Registry = {
  connectors: named(connectors, (connector) => connector.system),
  encoders: named([csv, jsonl], (encoder) => encoder.format),
  channels: named(channels, (channel) => channel.channel),
  sandbox: named([zohoSandbox, fxiaokeSandbox, memorySandbox, scimSandbox], (system) => system.system),
};
