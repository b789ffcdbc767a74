/** The one contract, with both generations of tokens, with ids of both lengths, and with a custom object. */
import { describe } from "vitest";
import { customObject } from "../../../connectors/fxiaoke/simulator.ts";
import { describeConnector } from "../../kit/connector-contract.ts";
import { contractFor } from "./kit.ts";

describe("signed in with headers", () => describeConnector(contractFor({})));

describe("signed in within the body, with ids of both lengths", () =>
  describeConnector(contractFor({ style: "legacy", switches: { longIdShare: 0.4 } })));

describe("with a custom object", () =>
  describeConnector(contractFor({ customAccount: customObject, switches: { customDataId: "absent" } })));
