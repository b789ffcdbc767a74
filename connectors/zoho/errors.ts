/**
 * Zoho's error codes: what they mean to the hub and what a person can do about them.
 *
 * Source  Zoho CRM API v8, "Status Codes" and the error tables of Get, Insert, Update, Upsert and Delete Records.
 */
import { AuthFailed, type Fault, type Result, Unavailable } from "../../core/connector.ts";
import { isJson, type Json } from "./json.ts";

/** An error object of Zoho, from the top of a body or from one entry of `data`. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly details: Json;
}

export function failureOf(body: unknown): Failure | undefined {
  if (!isJson(body) || typeof body.code !== "string" || body.status === "success") return undefined;
  return {
    code: body.code,
    message: typeof body.message === "string" ? body.message : "",
    details: isJson(body.details) ? body.details : {},
  };
}

/** Zoho's own words; its messages and parameter names hold no values of records. */
export function explain({ code, message, details }: Failure): string {
  const at = details.param_name ?? details.api_name;
  const where = typeof at === "string" ? ` (${at})` : "";
  return `Zoho answered ${code}${where}${message === "" ? "" : `: ${message}`}`;
}

/** Failures that concern the whole connection. The remedy goes to a person. */
const accessRemedies: Readonly<Record<string, string>> = {
  INVALID_TOKEN: "Consent again and store the new refresh token; the old one may have been revoked.",
  AUTHENTICATION_FAILURE: "Check that no proxy removes the Authorization header, and that apiUrl fits the region.",
  OAUTH_SCOPE_MISMATCH: "Consent again with all scopes that the connector's README lists.",
  INVALID_HOST: "Set apiUrl to the API host of the data centre (www.zohoapis…), or leave it out.",
  NO_PERMISSION: "Give the API user's profile the right to view, create, edit and delete in this module.",
  AUTHORIZATION_FAILED: "Give the API user's profile and role the right to this module.",
  INVALID_URL_PATTERN: "Check that apiUrl is the address of Zoho's API, without a path behind it.",
  INVALID_MODULE: "Check that the module is part of the edition and visible to the API user's profile.",
  LICENSE_REVOKED: "Check the licence of the API user.",
  FEATURE_NOT_SUPPORTED: "The edition of the organisation does not offer this; see the connector's README.",
};

export const accessFaultOf = (failure: Failure): AuthFailed | undefined => {
  const remedy = accessRemedies[failure.code];
  return remedy === undefined ? undefined : new AuthFailed(explain(failure), remedy);
};

/** A failure of a read is a fault: it says nothing about one record. */
export const readFaultOf = (failure: Failure): Fault =>
  accessFaultOf(failure) ?? new Unavailable(explain(failure), { sent: true });

const tokenCodes = new Set(["EXPIRED_VALUE", "TOKEN_BOUND_DATA_MISMATCH", "INVALID_DATA", "PATTERN_NOT_MATCHED"]);

/** The page token is too old, belongs to other parameters or to another user: the walk starts again from its cursor. */
export function isStaleToken({ code, details }: Failure): boolean {
  return tokenCodes.has(code) && [details.param_name, details.api_name].includes("page_token");
}

export const isPagingEnd = ({ code }: Failure): boolean =>
  code === "PAGINATION_LIMIT_EXCEEDED" || code === "DISCRETE_PAGINATION_LIMIT_EXCEEDED";

const minuteMs = 60_000;

/** Not now, but later without any change. */
const laterMs: Readonly<Record<string, number>> = {
  RECORD_LOCKED: 5 * minuteMs,
  NOT_APPROVED: 60 * minuteMs,
  NOT_REVIEWED: 60 * minuteMs,
  RECORD_IN_BLUEPRINT: 60 * minuteMs,
  INTERNAL_ERROR: minuteMs,
  TOO_MANY_REQUESTS: minuteMs,
  RATE_LIMIT_EXCEEDED: minuteMs,
};

const ourFault = "Report this as a fault of the connector, with the log around it.";

/** Codes that say that the call was wrong, not the record. */
const protocolCodes = [
  "REQUIRED_PARAM_MISSING",
  "EXPECTED_PARAM_MISSING",
  "EXPECTED_FIELD_MISSING",
  "LIMIT_EXCEEDED",
  "LIMIT_REACHED",
  "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
  "PAGINATION_LIMIT_EXCEEDED",
  "TOKEN_BOUND_DATA_MISMATCH",
  "EXPIRED_VALUE",
  "AMBIGUITY_DURING_PROCESSING",
  "PATTERN_NOT_MATCHED",
  "INVALID_REQUEST_METHOD",
  "MEDIA_TYPE_NOT_SUPPORTED",
  "SYNTAX_ERROR",
  "INVALID_QUERY",
  "INVALID_ALIAS",
  "DUPLICATE_ALIAS",
  "RESOURCE_NOT_FOUND",
  "NOT_SUBSCRIBED",
];

const remedies: Readonly<Record<string, string>> = {
  ...Object.fromEntries(protocolCodes.map((code) => [code, ourFault])),
  MULTIPLE_OR_MULTI_ERRORS: "Look at the record in Zoho; several of its values are refused.",
  MANDATORY_NOT_FOUND: "Fill this field in the hub, map another field to it, or give it a default value in Zoho.",
  DEPENDENT_FIELD_MISSING: "Map the field that this one depends on as well.",
  DEPENDENT_MISMATCH: "Choose a value that fits the field that this one depends on.",
  DUPLICATE_DATA: "Change the value, or merge the two records in Zoho.",
  CANNOT_PROCESS: "Look at the record in Zoho; a validation rule or a function refuses the change.",
  VALIDATION_RULE_FAILED: "Mend the value so that it meets the validation rule in Zoho, or relax the rule.",
  NOT_ALLOWED: "Check the field's and the module's settings in Zoho.",
};

export const isUnknownId = ({ code, details, message }: Failure): boolean =>
  code === "INVALID_DATA" &&
  (details.api_name === "id" || (details.api_name === undefined && /id given|not deleted/i.test(message)));

function remedyOf({ code, details }: Failure): string {
  if (code === "INVALID_DATA") {
    if (details.maximum_length !== undefined) {
      return `Shorten the value to ${String(details.maximum_length)} characters; Zoho does not cut it.`;
    }
    if (details.supported_values !== undefined) return "Choose one of the field's values, or add this one in Zoho.";
    if (details.api_name === "Owner") return "Map the owner to an active user of Zoho, or set defaultOwner.";
    if (typeof details.expected_data_type === "string") {
      return `Mend the value: Zoho takes only ${details.expected_data_type} here.`;
    }
  }
  return accessRemedies[code] ?? remedies[code] ?? "Look at the record and the field's settings in Zoho.";
}

/** The id of the record that holds a unique value; older answers name it without `duplicate_record`. */
export function duplicateIdOf({ details }: Failure): string | undefined {
  const id = isJson(details.duplicate_record) ? details.duplicate_record.id : details.id;
  return typeof id === "string" ? id : undefined;
}

export const fieldOf = ({ details }: Failure): string | undefined =>
  typeof details.api_name === "string" ? details.api_name : undefined;

/**
 * The result of one refused record. Unknown ids and duplicates of the key need a look at the system first, so the
 * caller judges those before.
 */
export function refusalOf(failure: Failure): Result {
  const { code } = failure;
  if (code === "MULTIPLE_OR_MULTI_ERRORS") return severalOf(failure);
  const field = fieldOf(failure);
  const at = field === undefined ? {} : { field };
  const reason = explain(failure);
  if (code === "ALREADY_MODIFIED") return { kind: "conflict", reason };
  const waitMs = laterMs[code];
  if (waitMs !== undefined) return { kind: "later", reason, retryAfterMs: waitMs };
  const taken = code === "DUPLICATE_DATA" ? duplicateIdOf(failure) : undefined;
  if (taken !== undefined) return { kind: "duplicate", id: taken, ...at, reason };
  return { kind: "rejected", code, ...at, reason, remedy: remedyOf(failure) };
}

/** The failures that stand together for one record; most stand alone. */
export function partsOf(failure: Failure): ReadonlyArray<Failure> {
  if (failure.code !== "MULTIPLE_OR_MULTI_ERRORS") return [failure];
  const several = Array.isArray(failure.details.errors) ? failure.details.errors : [];
  return several.flatMap((one) => {
    const part = failureOf(one);
    return part === undefined || part.code === failure.code ? [] : [part];
  });
}

/** The first error decides, because one field is left out at a time; the reason names them all. */
function severalOf(failure: Failure): Result {
  const failures = partsOf(failure);
  const [first] = failures;
  if (first === undefined) {
    return { kind: "rejected", code: failure.code, reason: explain(failure), remedy: remedyOf(failure) };
  }
  const result = refusalOf(first);
  return { ...result, reason: failures.map(explain).join("; ") } as Result; // `applied` has no reason, and is no refusal.
}

/** Errors of the token endpoint; they come over HTTP 200, so only the body tells. */
const tokenRemedies: Readonly<Record<string, string>> = {
  invalid_code: "The refresh token was revoked or pushed out: consent again and store the new one.",
  invalid_client: "Check clientId and region: a client exists only in the data centres that it was switched on for.",
  invalid_client_secret: "Check clientSecret; each data centre of a client has its own.",
  invalid_redirect_uri: "Use the redirect address that the Zoho API console holds for this client.",
};

export const tokenFaultOf = (error: string): Fault =>
  tokenRemedies[error] === undefined
    ? new Unavailable(`Zoho's token endpoint answered ${error}`, { sent: true })
    : new AuthFailed(`Zoho's token endpoint answered ${error}`, tokenRemedies[error]);
