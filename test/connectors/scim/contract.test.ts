/** The one contract, against providers of several kinds. */
import { describe } from "vitest";
import { describeConnector } from "../../kit/connector-contract.ts";
import { contractFor } from "./kit.ts";

const noGuard = { precondition: "without ETags nothing guards a write" };
const noDelta = { incremental: "this provider cannot say what has changed" };

describe("a provider that follows the RFC", () => describeConnector(contractFor({})));

describe("a provider with cursors and without ETags", () =>
  describeConnector(contractFor({ paging: "cursor", etag: false }, { cannot: noGuard })));

describe("a provider that only knows equality, and PUT", () =>
  describeConnector(
    contractFor(
      {
        filter: "eq",
        times: "refused",
        patch: false,
        etag: false,
        sort: false,
        textBooleans: true,
        smallResources: true,
        wrongItemsPerPage: true,
      },
      { cannot: { ...noGuard, ...noDelta } },
    ),
  ));

describe("a provider that does not filter, page or describe itself", () =>
  describeConnector(
    contractFor(
      {
        filter: "ignored",
        paging: "index",
        etag: false,
        noDiscovery: true,
        silentPatch: true,
        relativeLocations: true,
      },
      { cannot: { ...noGuard, ...noDelta } },
    ),
  ));
