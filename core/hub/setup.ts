/** From the configuration to what the engine needs: setups of connections, and the sides as the YAML alone tells them. */
import type { ConnectionConfig, HubConfig } from "../config/hub-config.ts";
import type { CodecContext } from "../model/codec.ts";
import { entities } from "../model/field.ts";
import { type Settings, type Side, sideKey } from "../model/settings.ts";
import { type ConnectionSetup, peopleOf, rulesOf, sideFor } from "../sync/connect.ts";

/** A field is frozen after that many returns within a day (SEMANTICS D17). */
const flipsMax = 3;
const flipWindowMs = 24 * 3_600_000;

export function setupOf(connection: ConnectionConfig): ConnectionSetup {
  return connection;
}

/** The sides without asking the systems: enough for decisions of people and for reading commands. */
export function writtenSides(config: HubConfig): ReadonlyMap<string, Side> {
  const sides = new Map<string, Side>();
  for (const connection of config.connections) {
    const setup = setupOf(connection);
    const maps = connection.connector.entities(connection.config);
    for (const entity of entities) {
      const map = maps[entity];
      if (map === undefined) continue;
      const context: CodecContext = {
        country: connection.country,
        currency: connection.currency,
        people: peopleOf(setup, []),
        remote: new Map(),
      };
      const rules = rulesOf(setup, entity, map, config.model);
      sides.set(sideKey(connection.name, entity), sideFor(setup, entity, map, rules, context, map.writable));
    }
  }
  return sides;
}

export function settingsOf(config: HubConfig, sides: ReadonlyMap<string, Side>): Settings {
  return {
    model: config.model,
    policy: config.policy,
    order: config.connections.map((connection) => connection.name),
    sides,
    match: config.match,
    flipsMax,
    flipWindowMs,
  };
}

/** Hosts (with their ports) that the YAML names: these, and only these, may be private addresses. */
export function namedHosts(value: unknown, depthLeft = 8): ReadonlyArray<string> {
  if (typeof value === "string") return hostOf(value);
  if (typeof value !== "object" || value === null || depthLeft === 0) return [];
  return Object.values(value).flatMap((inner: unknown) => namedHosts(inner, depthLeft - 1));
}

function hostOf(text: string): ReadonlyArray<string> {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return [];
  return [new URL(text).host];
}
