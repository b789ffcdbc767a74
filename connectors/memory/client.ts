/** One call to Memory: key, limit, and an answer whose shape is checked once. */
import {
  AuthFailed,
  type HttpRequest,
  type HttpResponse,
  type RemoteField,
  Schema,
  type Tools,
  Unavailable,
} from "../../core/connector.ts";

const Row = Schema.Struct({
  id: Schema.String,
  version: Schema.Number,
  createdAt: Schema.Number,
  modifiedAt: Schema.Number,
  modifiedBy: Schema.String,
  deleted: Schema.Boolean,
  mergedInto: Schema.NullOr(Schema.String),
  fields: Schema.Record(Schema.String, Schema.Unknown),
});
export type Row = typeof Row.Type;

const Outcome = Schema.Struct({
  status: Schema.Number,
  record: Schema.optionalKey(Row),
  field: Schema.optionalKey(Schema.String),
  id: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
});

const Field = Schema.Struct({
  name: Schema.String,
  type: Schema.String,
  required: Schema.Boolean,
  unique: Schema.Boolean,
  maxLength: Schema.optionalKey(Schema.Number),
});

const User = Schema.Struct({ id: Schema.String, email: Schema.String, name: Schema.String, active: Schema.Boolean });

/** Every answer is a part of this; a call knows which part it asked for. */
const Answer = Schema.Struct({
  records: Schema.optionalKey(Schema.Array(Row)),
  next: Schema.optionalKey(Schema.Number),
  more: Schema.optionalKey(Schema.Boolean),
  results: Schema.optionalKey(Schema.Array(Outcome)),
  fields: Schema.optionalKey(Schema.Array(Field)),
  users: Schema.optionalKey(Schema.Array(User)),
});
const decode = Schema.decodeUnknownResult(Answer);

export interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

/** The answer, and when its call began and ended by our clock. */
export type Answered = typeof Answer.Type & { readonly began: number; readonly ended: number };

export type Client = (call: Call) => Promise<Answered>;

export function createClient(
  { baseUrl, apiKey }: { readonly baseUrl: string; readonly apiKey: string },
  { http }: Tools,
): Client {
  return async ({ method, path, query, json, signal }) => {
    const parameters = query === undefined ? "" : `?${new URLSearchParams(query)}`;
    const request: HttpRequest = {
      method,
      url: `${baseUrl}${path}${parameters}`,
      headers: { authorization: `Bearer ${apiKey}` },
      ...(json === undefined ? {} : { json }),
      ...(signal === undefined ? {} : { signal }),
      limits: ["api"],
      // A write whose answer is lost may have been carried out, so only reads are repeated.
      retry: method === "GET" ? "safe" : "unsent",
      judge,
    };
    const { json: body, began, ended } = await http(request);
    const answer = decode(body);
    if (answer._tag === "Success") return { ...answer.success, began, ended };
    throw new Unavailable(`Memory's answer to ${path} has another shape than documented.`, { sent: true });
  };
}

/** What the status does not tell the core by itself. */
function judge({ status, json }: HttpResponse): AuthFailed | Unavailable | undefined {
  if (status === 401) return new AuthFailed("Memory does not know the API key.", "Make a new key, and set apiKey.");
  if (status === 403) return new AuthFailed("Memory forbids this call.", "Give the key's user the right to it.");
  if (status < 400 && json === undefined) {
    return new Unavailable("Memory answered something else than JSON (wrong address or a proxy).", { sent: true });
  }
  return undefined;
}

export async function describe(client: Client, object: string): Promise<ReadonlyArray<RemoteField>> {
  const { fields = [] } = await client({ method: "GET", path: `/${object}/fields` });
  return fields.map((field) => ({ ...field, label: field.name, readable: true, writable: true }));
}
