import { describeConnector } from "../../kit/connector-contract.ts";
import { zohoContract } from "./kit.ts";

describeConnector(zohoContract);
