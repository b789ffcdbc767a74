/** What `check` finds online: can each system be reached, with which rights, and does it still have the mapped fields. */
import { Effect } from "effect";
import type { Problem } from "../connector.ts";
import { pathNames } from "../model/codec.ts";
import { readNames } from "../model/settings.ts";
import { call } from "../sync/call.ts";
import type { Drift } from "../sync/connect.ts";
import type { LiveConnection } from "../sync/engine.ts";
import { type Outcome, outcomeOf } from "../sync/sync.ts";
import type { Hub, LiveHub } from "./open.ts";

/** A problem of one connection, in words for the person who runs it. */
export interface Finding {
  readonly connection: string;
  readonly severity: "error" | "warning";
  readonly what: string;
  readonly remedy: string;
}

/** Asks every live connection, at the same time; those that could not be reached are findings too. */
export const checkup = Effect.fn("hub.checkup")(function* (hub: Hub, live: LiveHub) {
  const asked = yield* Effect.forEach(live.engine.connections, (one) => checkOne(hub, one), {
    concurrency: "unbounded",
  });
  const unreachable = live.unreachable.map(({ name, failure }) => fromFailure(name, failure));
  return [...unreachable, ...asked.flat(), ...live.drift.map((drift) => fromDrift(hub, drift))];
});

const checkOne = (hub: Hub, live: LiveConnection) => {
  const config = hub.config.connections.find((one) => one.name === live.name);
  const webhook = config?.webhook.kind === "own" && live.api.webhook !== undefined;
  const unheard = config?.webhook.kind === "own" && !webhook ? [noCalls(live)] : [];
  const reads = Object.fromEntries([...live.sides].map(([entity, side]) => [entity, readNames(side)]));
  return call(live.name, "checking", () => live.api.check({ keys: config?.key ?? {}, reads, webhook })).pipe(
    Effect.map((problems) => [
      ...unheard,
      ...[...problems, ...unfilled(live)].map((problem) => fromProblem(live, problem)),
    ]),
    Effect.catch((failure) => Effect.succeed([fromFailure(live.name, failure)])),
  );
};

/** Required fields that no create would fill: each create would be refused. */
function unfilled(live: LiveConnection): ReadonlyArray<Problem> {
  return [...live.sides].flatMap(([entity, side]) => {
    if (!side.writable || side.keyField === undefined || side.creates === false) return [];
    const filled = new Set([side.keyField, ...(live.maps[entity]?.selfFilled ?? [])]);
    for (const rule of side.rules.values()) {
      if (rule.access !== "read") for (const name of pathNames(rule.path)) filled.add(name);
    }
    return [...side.context.remote.values()]
      .filter(({ name, required, writable }) => required && writable && !filled.has(name))
      .map(
        ({ name, label }): Problem => ({
          severity: "warning",
          entity,
          field: name,
          what: `${name} (${label}) is required there, and the map does not fill it`,
          remedy: "Map a field to it, or give it a default value there; creates are refused otherwise.",
        }),
      );
  });
}

/** The system does not call by itself, or a key for it is missing in the YAML. */
const noCalls = ({ name, connector }: LiveConnection): Finding => ({
  connection: name,
  severity: "error",
  what: `\`webhook: true\` takes the calls that ${connector.title.en} makes by itself, and this connection can prove none`,
  remedy:
    "Set the key that the connector's README names for them, or write `webhook: { secrets: [...] }` for signed calls of a workflow or a script.",
});

function fromProblem(live: LiveConnection, problem: Problem): Finding {
  const where = problem.entity === undefined ? "" : `${live.maps[problem.entity]?.object ?? problem.entity}: `;
  return { connection: live.name, severity: problem.severity, what: `${where}${problem.what}`, remedy: problem.remedy };
}

function fromFailure(connection: string, failure: Parameters<typeof outcomeOf>[0]): Finding {
  const outcome = outcomeOf(failure);
  return {
    connection,
    severity: "error",
    what: outcome.kind === "ok" ? "" : outcome.reason,
    remedy: remedyOf(failure, outcome),
  };
}

/** Nothing has run, so there is nothing to go on with. */
function remedyOf(failure: Parameters<typeof outcomeOf>[0], outcome: Outcome): string {
  if (failure._tag === "Unavailable") {
    return "Check the address in the YAML, the network and the system itself, then check again. It was asked once.";
  }
  return outcome.kind === "failed" ? outcome.remedy : "Wait, then check again.";
}

const driftWords: Readonly<Record<Drift["what"], string>> = {
  missing: "does not exist there",
  unreadable: "is not readable for the acting user",
  "read-only": "cannot be written by the acting user",
};

function fromDrift(hub: Hub, drift: Drift): Finding {
  const title = hub.model[drift.entity].get(drift.field)?.title.en ?? drift.field;
  return {
    connection: drift.connection,
    severity: "warning",
    what: `${drift.entity}.${drift.field} (${title}) is mapped to ${drift.remote}, which ${driftWords[drift.what]}`,
    remedy:
      drift.what === "read-only"
        ? "It is read and never written. Give the acting user the right, or leave it so."
        : `Map the field to another one, or write \`map: { ${drift.entity}: { ${drift.field}: false } }\`.`,
  };
}
