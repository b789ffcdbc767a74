/**
 * What is known of providers beforehand. A profile only says what a probe could not find out, or would find out wrongly.
 *
 * Source  the providers' own documentation: Microsoft "SCIM API for Entra ID", AWS "IAM Identity Center SCIM
 *         implementation", Google "Cloud Identity SCIM", Snowflake "SCIM API", Zitadel "SCIM v2.0", Oracle "Identity
 *         Domains SCIM", Keycloak "SCIM" and Databricks "SCIM".
 */

export interface Known {
  /** Comparison by `meta.lastModified` works; found out where it is not said. */
  readonly delta?: boolean;
  /** Operators beyond `eq` that may be used in look-ups; found out where it is not said. */
  readonly contains?: boolean;
  /** Without filters at all, a look-up reads everything. */
  readonly filter?: boolean;
  readonly paging?: "index" | "cursor" | "none";
  readonly patch?: boolean;
  readonly pageSize?: number;
}

export const profiles = {
  generic: {},
  entra: { delta: false, contains: false, paging: "cursor", patch: true },
  aws: { delta: false, contains: false, paging: "index", patch: true },
  google: { delta: false, contains: false, paging: "none" },
  snowflake: { delta: false, contains: false, paging: "index", patch: true },
  databricks: { delta: false, contains: true, paging: "index", patch: true },
  zitadel: { delta: true, contains: true, paging: "index", patch: true },
  oracle: { delta: true, contains: true, paging: "index", patch: true },
  keycloak: { contains: true, paging: "index", pageSize: 100 },
} as const satisfies Readonly<Record<string, Known>>;

export const profileNames = [
  "generic",
  "entra",
  "aws",
  "google",
  "snowflake",
  "databricks",
  "zitadel",
  "oracle",
  "keycloak",
] as const satisfies ReadonlyArray<keyof typeof profiles>;

export const knownOf = (name: keyof typeof profiles): Known => profiles[name];
