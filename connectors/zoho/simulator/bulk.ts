/**
 * Bulk read: jobs, their states, and a ZIP file with one CSV.
 *
 * Source  Zoho CRM API v8, "Bulk Read API".
 */
import { strToU8, zipSync } from "fflate";
import type { Renderer } from "./render.ts";
import type { Row, Store } from "./store.ts";
import { apiUser, isModule, type Module, type Schema } from "./tenant.ts";
import { answer, isJson, type Json, Refused, refuse } from "./wire.ts";

interface Job {
  readonly id: string;
  readonly query: Json;
  readonly module: Module;
  readonly names: ReadonlyArray<string>;
  readonly page: number;
  readonly createdAt: number;
  readonly csv: string;
  readonly count: number;
  readonly more: boolean;
}

export interface BulkOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly store: Store;
  readonly schema: Schema;
  readonly render: Renderer;
  readonly rowsMax: number;
}

const steps = [
  { state: "ADDED", untilMs: 1_000 },
  { state: "QUEUED", untilMs: 3_000 },
  { state: "IN PROGRESS", untilMs: 10_000 },
] as const;
const downloadsMax = 10;
const minuteMs = 60_000;
const keptMs = 24 * 60 * minuteMs;

const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (isJson(value)) return String(value.id ?? "");
  return Array.isArray(value) ? value.map(String).join(";") : String(value);
}

export type Bulk = ReturnType<typeof createBulk>;

export function createBulk({ now, random, store, schema, render, rowsMax }: BulkOptions) {
  const jobs = new Map<string, Job>();
  let downloads: Array<number> = [];

  const find = (id: string): Job => {
    const job = jobs.get(id);
    if (job === undefined || now() - job.createdAt > keptMs) {
      throw new Refused(404, "RESOURCE_NOT_FOUND", "Requested resource doesn't exist", {});
    }
    return job;
  };

  const meets = (criteria: unknown): ((row: Row) => boolean) => {
    if (!isJson(criteria)) return () => true;
    const field = isJson(criteria.field) ? criteria.field.api_name : undefined;
    const limit = Date.parse(String(criteria.value));
    if (field !== "Modified_Time" || criteria.comparator !== "greater_equal" || Number.isNaN(limit)) {
      throw new Refused(400, "INVALID_DATA", "invalid data", { api_name: "criteria" });
    }
    return (row) => row.modifiedAt >= limit;
  };

  const start = (body: unknown, request: Request): Response => {
    if (!/json/.test(request.headers.get("content-type") ?? "")) {
      throw new Refused(415, "MEDIA_TYPE_NOT_SUPPORTED", "Media type not supported", {});
    }
    const query = isJson(body) && isJson(body.query) ? body.query : {};
    const module = isJson(query.module) ? query.module.api_name : undefined;
    if (!isModule(module)) throw refuse.module();
    const asked = Array.isArray(query.fields) ? query.fields.map(String) : [...schema[module].keys()];
    const names = asked.filter((name) => schema[module].has(name));
    const page = typeof query.page === "number" ? query.page : 1;
    const rows = store.visible(module).filter(meets(query.criteria));
    const part = rows.slice((page - 1) * rowsMax, page * rowsMax);
    const lines = [
      ["Id", ...names].join(","),
      ...part.map((row) => [row.id, ...names.map((name) => cell(textOf(render.raw(module, row, name))))].join(",")),
    ];
    const id = `50000000000077${String(Math.floor(random() * 1e5)).padStart(5, "0")}${jobs.size}`.slice(0, 20);
    jobs.set(id, {
      id,
      query,
      module,
      names,
      page,
      createdAt: now(),
      csv: `${lines.join("\n")}\n`,
      count: part.length,
      more: rows.length > page * rowsMax,
    });
    const details = {
      id,
      operation: "read",
      state: "ADDED",
      created_by: render.user(apiUser.id, false),
      created_time: render.time(now()),
    };
    const entry = { status: "success", code: "ADDED_SUCCESSFULLY", message: "Added successfully.", details };
    return answer({ data: [entry], info: {} }, 201);
  };

  const status = (id: string): Response => {
    const job = find(id);
    const age = now() - job.createdAt;
    const state = steps.find(({ untilMs }) => age < untilMs)?.state ?? "COMPLETED";
    const result = {
      page: job.page,
      per_page: rowsMax,
      count: job.count,
      download_url: `/crm/bulk/v8/read/${id}/result`,
      more_records: job.more,
    };
    return answer({
      data: [
        {
          id,
          operation: "read",
          state,
          query: job.query,
          created_by: render.user(apiUser.id, false),
          created_time: render.time(job.createdAt),
          file_type: "csv",
          ...(state === "COMPLETED" ? { result } : {}),
        },
      ],
    });
  };

  const result = (id: string): Response => {
    const job = find(id);
    downloads = downloads.filter((at) => at > now() - minuteMs);
    if (downloads.length >= downloadsMax) throw new Refused(429, "TOO_MANY_REQUESTS", "too many downloads", {});
    downloads.push(now());
    const zip = zipSync({ [`${id}.csv`]: strToU8(job.csv) });
    return new Response(new Uint8Array(zip), {
      headers: { "content-type": "application/zip", "content-disposition": `attachment; filename=${id}.zip` },
    });
  };

  return { start, status, result };
}
