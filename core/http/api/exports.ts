/** Exports: all accounts or contacts as a file, made while it is sent. */
import { Effect, Schema } from "effect";
import type { Entity, Field } from "../../model/field.ts";
import { entities } from "../../model/field.ts";
import type { Values } from "../../model/value.ts";
import type { Encoder } from "../../plugin.ts";
import type { Masking } from "../../security/mask.ts";
import { exportChunks } from "../../store/export.ts";
import { noteAccess } from "../note.ts";
import { type Asked, invalid, type Route, type Streamed, streamRoute } from "../route.ts";
import { Name } from "../shapes.ts";

const Query = Schema.Struct({
  format: Schema.optionalKey(Name.annotate({ description: "csv unless said, or jsonl." })),
  fields: Schema.optionalKey(
    Schema.String.annotate({ description: "Names of fields with commas between; all without." }),
  ),
});

const exportOf = Effect.fn("api.export")(function* (asked: Asked<unknown, typeof Query.Type, unknown>, entity: Entity) {
  const { format = "csv", fields: wanted } = asked.query;
  const { hub, caller, app } = asked;
  const encoder = app.encoders.get(format);
  if (encoder === undefined) {
    const known = [...app.encoders.keys()].join(", ");
    return yield* Effect.fail(invalid([{ path: "query.format", what: `must be one of ${known}` }]));
  }
  const fields = wanted
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (fields?.some((name) => !hub.model[entity].has(name)) === true) {
    return yield* Effect.fail(invalid([{ path: "query.fields", what: `must be fields of the ${entity}` }]));
  }
  yield* noteAccess(asked, {
    action: `export ${entity}s`,
    subject: format,
    detail: { fields: fields ?? null, personal: caller.seesPersonal },
  });
  const chunks = exportChunks(hub.store, hub.model, {
    entity,
    encoder: caller.seesPersonal ? encoder : masked(encoder, caller.masking, entity),
    connections: hub.settings.order,
    chunkRows,
    ...(fields === undefined ? {} : { fields }),
  });
  return {
    stream: streamOf(chunks, () => app.log.warn("export failed", { actor: caller.actor, entity })),
    headers: {
      "Content-Type": encoder.mediaType,
      "Content-Disposition": `attachment; filename="${entity}s.${encoder.extension}"`,
    },
  } satisfies Streamed;
});

/** Small enough that other requests are answered between two chunks. */
const chunkRows = 500;

/** Rows go behind the masks before they are encoded. */
function masked(encoder: Encoder, masking: Masking, entity: Entity): Encoder {
  const { format, extension, mediaType, open } = encoder;
  return {
    format,
    extension,
    mediaType,
    open,
    row: (columns) => {
      const encode = encoder.row(columns);
      const hidden = columns.flatMap(({ field }) => (field !== null && isHidden(field) ? [field.name] : []));
      return (row) => encode(hidden.length === 0 ? row : { ...row, values: hide(row.values) });
    },
  };
  function isHidden(field: Field): boolean {
    return masking.isMasked(entity, field.name);
  }
  function hide(values: Values): Values {
    return masking.values(entity, values);
  }
}

type Chunks = Generator<string | Uint8Array, unknown> | AsyncGenerator<string | Uint8Array, unknown>;

/** Nothing is made before it is asked for, one chunk at a time; when the reader goes away, the work ends. */
function streamOf(chunks: Chunks, onFailed: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      pull: async (controller) => {
        try {
          const next = await chunks.next();
          if (next.done === true) controller.close();
          else controller.enqueue(typeof next.value === "string" ? encoder.encode(next.value) : next.value);
        } catch (error) {
          // The answer has begun: cutting it short is all that can tell its reader.
          onFailed();
          controller.error(error);
        }
      },
      cancel: async () => {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

export const exportRoutes: ReadonlyArray<Route> = entities.map((entity) =>
  streamRoute({
    method: "GET",
    path: `/exports/${entity}s`,
    operation: entity === "account" ? "exportAccounts" : "exportContacts",
    summary: {
      en: `Export all ${entity}s as CSV or JSON Lines`,
      zh: `导出全部${entity === "account" ? "客户" : "联系人"}，CSV 或 JSON Lines`,
    },
    scope: "customers:export",
    query: Query,
    media: ["text/csv", "application/x-ndjson"],
    handle: (asked) => exportOf(asked, entity),
  }),
);
