/**
 * How real providers differ from the RFC and from each other.
 *
 * Source  documentation of Microsoft, AWS, Google, Snowflake and Zitadel, and public tests of scimmy, scim2-server and
 *         @better-auth/scim.
 */
export interface Switches {
  /** `all`: the whole grammar; `eq`: equality and `and` only; `none`: a filter is refused; `ignored`: everything is answered. */
  readonly filter: "all" | "eq" | "none" | "ignored";
  /** Comparison of `meta.lastModified`: as asked, refused, or without effect. */
  readonly times: "compared" | "refused" | "ignored";
  readonly paging: "index" | "cursor" | "none";
  /** Numbers in an address have no effect, so that every page is the first one; a posted search pages. */
  readonly pagesBySearchOnly: boolean;
  readonly patch: boolean;
  readonly etag: boolean;
  readonly sort: boolean;
  /** Rows of one page at most. */
  readonly pageMax: number;
  /** `itemsPerPage` repeats what was asked for, not what came. */
  readonly wrongItemsPerPage: boolean;
  /** `resources` in small letters. */
  readonly smallResources: boolean;
  /** `active` is a text. */
  readonly textBooleans: boolean;
  /** Addresses of resources without a host. */
  readonly relativeLocations: boolean;
  /** No ServiceProviderConfig, ResourceTypes and Schemas. */
  readonly noDiscovery: boolean;
  /** PATCH answers 204 without a body. */
  readonly silentPatch: boolean;
}

export const strict: Switches = {
  filter: "all",
  times: "compared",
  paging: "index",
  pagesBySearchOnly: false,
  patch: true,
  etag: true,
  sort: true,
  pageMax: 100,
  wrongItemsPerPage: false,
  smallResources: false,
  textBooleans: false,
  relativeLocations: false,
  noDiscovery: false,
  silentPatch: false,
};
