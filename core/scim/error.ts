/** What SCIM answers where it cannot do what it was asked (RFC 7644, section 3.12). */

export const scimTypes = [
  "invalidFilter",
  "tooMany",
  "uniqueness",
  "mutability",
  "invalidSyntax",
  "invalidPath",
  "noTarget",
  "invalidValue",
  "invalidVers",
  "sensitive",
  "invalidCursor",
  "expiredCursor",
  "invalidCount",
] as const;

export type ScimType = (typeof scimTypes)[number];

export const errorUrn = "urn:ietf:params:scim:api:messages:2.0:Error";

/** `detail` is shown to administrators: it names attributes, never values. */
export class ScimError extends Error {
  readonly _tag = "ScimError";
  readonly status: number;
  readonly scimType: ScimType | null;
  constructor(status: number, scimType: ScimType | null, detail: string) {
    super(detail);
    this.name = "ScimError";
    this.status = status;
    this.scimType = scimType;
  }
}

export const badRequest = (scimType: ScimType, detail: string): ScimError => new ScimError(400, scimType, detail);

/** The body of an error; its status is a text, as the RFC wants it. */
export const errorBody = ({ status, scimType, message }: ScimError) => ({
  schemas: [errorUrn],
  status: String(status),
  ...(scimType === null ? {} : { scimType }),
  detail: message,
});
