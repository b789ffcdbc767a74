/** Zoho's envelopes: flat errors, entries of a batch, and the ways in which it refuses a call. */

export type Json = Record<string, unknown>;

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An error object as it stands at the top of a body or in one entry. */
export const errorOf = (code: string, message: string, details: Json = {}): Json => ({
  code,
  details,
  message,
  status: "error",
});

/** A refused call. */
export class Refused extends Error {
  readonly status: number;
  readonly body: Json;
  constructor(status: number, code: string, message: string, details: Json = {}) {
    super(code);
    this.name = "Refused";
    this.status = status;
    this.body = errorOf(code, message, details);
  }
}

export const refuse = {
  parameter: (name: string) =>
    new Refused(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", { param_name: name }),
  invalid: (name: string, more: Json = {}) =>
    new Refused(400, "INVALID_DATA", `the ${name} given seems to be invalid`, { param_name: name, ...more }),
  pattern: (name: string) =>
    new Refused(400, "PATTERN_NOT_MATCHED", "Please check whether the input values are correct", { param_name: name }),
  method: () => new Refused(400, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one"),
  url: () => new Refused(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one"),
  module: () =>
    new Refused(400, "INVALID_MODULE", "the module name given seems to be invalid", { resource_path_index: 0 }),
  scope: () => new Refused(401, "OAUTH_SCOPE_MISMATCH", "Unauthorized"),
} as const;

/** An answer without a body: 204 no content, 304 not modified. */
export const empty = (status: 204 | 304): Response => new Response(null, { status });

export const answer = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/json;charset=UTF-8",
      "cache-control": "no-store, no-cache, must-revalidate, private",
      server: "ZGS",
    },
  });

/** 207 where some entries failed, 400 where all did; the order is that of the input. */
export function batch(entries: ReadonlyArray<Json>, success: number, key = "data"): Response {
  const failed = entries.filter((entry) => entry.status === "error").length;
  const status = failed === 0 ? success : failed === entries.length ? 400 : 207;
  return answer({ [key]: entries }, status);
}
