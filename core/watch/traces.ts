/**
 * Traces over OTLP, when the environment names an endpoint: OTEL_EXPORTER_OTLP_ENDPOINT and the other variables that
 * OpenTelemetry gives the exporter. Without one nothing is loaded and nothing is recorded.
 *
 * A span tells what was done, how long it took, and how it ended: its name, and the name of an error. What code notes
 * beside that (attributes, log lines, stacks, the words of errors that were not foreseen) can hold values, and is left out.
 */
import { Cause, Effect, Exit, type Tracer as Tracing } from "effect";
import type { Traced } from "../hub/open.ts";
import { isFault } from "../net/fault.ts";
import { StoreFailed } from "../store/failure.ts";
import type { Redact } from "./redact.ts";

export interface Traces {
  readonly traced: Traced;
  /** Sends what was recorded, within a bound. */
  readonly stop: () => Promise<void>;
}

export interface TracesOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly redact: Redact;
}

/** Null where no endpoint is named. */
export async function startTraces({ env, version, redact }: TracesOptions): Promise<Traces | null> {
  const url = endpointOf(env);
  if (url === null) return null;
  const { Layer, ManagedRuntime, Tracer } = await import("effect");
  const { OtlpExporter, OtlpSerialization, OtlpTracer } = await import("effect/observability");
  const { FetchHttpClient } = await import("effect/http");
  const resource = { serviceName: env.OTEL_SERVICE_NAME ?? "syncline", serviceVersion: version };
  const layer = Layer.effect(Tracer.Tracer, OtlpTracer.make({ url, resource, headers: headersOf(env) })).pipe(
    Layer.provide([OtlpExporter.layerFlusher, OtlpSerialization.layerJson, FetchHttpClient.layer]),
  );
  const runtime = ManagedRuntime.make(layer);
  const exporting = await runtime.runPromise(Effect.service(Tracer.Tracer));
  const tracer = Tracer.make({ span: (options) => bare(exporting.span(options), redact) });
  return {
    traced: (work) => Effect.withTracer(work, tracer),
    stop: () => runtime.dispose(),
  };
}

function endpointOf(env: TracesOptions["env"]): string | null {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === "true" || env.OTEL_TRACES_EXPORTER === "none") return null;
  const own = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? "";
  if (own !== "") return own;
  const shared = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? "";
  return shared === "" ? null : `${shared.replace(/\/$/, "")}/v1/traces`;
}

/** `name=value,other=value`, with values as in an address. */
function headersOf(env: TracesOptions["env"]): Readonly<Record<string, string>> {
  const text = env.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? env.OTEL_EXPORTER_OTLP_HEADERS ?? "";
  return Object.fromEntries(
    text.split(",").flatMap((pair) => {
      const at = pair.indexOf("=");
      return at <= 0 ? [] : [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]];
    }),
  );
}

/** The span without what could hold values. */
function bare(span: Tracing.Span, redact: Redact): Tracing.Span {
  const end = span.end.bind(span);
  return Object.assign(span, {
    attribute: () => {},
    event: () => {},
    end: (endTime: bigint, exit: Exit.Exit<unknown, unknown>) => end(endTime, plain(exit, redact)),
  });
}

function plain(exit: Exit.Exit<unknown, unknown>, redact: Redact): Exit.Exit<unknown, unknown> {
  if (Exit.isSuccess(exit)) return Exit.void;
  if (Cause.hasInterruptsOnly(exit.cause)) return exit;
  const error = Cause.squash(exit.cause);
  const name = error instanceof Error ? error.name : "Error";
  // The words of these are the hub's own: hosts, statuses, what to do.
  const words = isFault(error) || error instanceof StoreFailed ? redact(error.message) : name;
  const told = Object.assign(new Error(words), { name });
  told.stack = name;
  return Exit.fail(told);
}
