import { memory } from "../../../connectors/memory/index.ts";
import {
  apiKey,
  createMemorySimulator,
  hookSecret,
  type MemorySimulator,
} from "../../../connectors/memory/simulator.ts";
import { standardWebhook } from "../../../core/net/standard-webhook.ts";
import { describeConnector } from "../../kit/connector-contract.ts";

let calling: MemorySimulator | undefined;

describeConnector({
  connector: memory,
  simulate: (options) => {
    calling = createMemorySimulator(options);
    return calling;
  },
  wrongCredentials: (keys) => ({ ...keys, apiKey: "not the key" }),
  secrets: [apiKey, "not the key"],
  key: { account: "Hub_Id", contact: "Hub_Id" },
  manyRows: 250,
  calls: () => ({
    list: { path: "/", method: "GET" },
    create: { path: "/writes", method: "POST" },
    update: { path: "/writes", method: "POST" },
  }),
  entities: {
    account: {
      record: (index) => ({ Name: `Company ${index}`, City: `City ${index}` }),
      edited: "Name",
      required: ["name"],
      refused: { fields: { Name: "x".repeat(101) }, field: "Name" },
      values: ({ account }) => ({
        name: ["Zylker", "上海电气（集团）有限公司"],
        taxId: ["91310000MA1K000001"],
        domain: ["zylker.example"],
        phone: ["+442079460958"],
        industry: ["Energy"],
        employees: [0, 250],
        billingAddress: [
          { street: "1 Main St", city: "Leeds", state: "West Yorkshire", postalCode: "LS1 1AA", country: "GB" },
        ],
        owner: ["ann@example.com"],
        tags: [["a", "b"], ["重点"]],
        parent: [account],
        description: ["Two\nlines"],
      }),
    },
    contact: {
      record: (index) => ({ FirstName: "Ann", LastName: `Person ${index}`, Title: `Title ${index}` }),
      edited: "Title",
      required: ["name"],
      refused: { fields: { LastName: "" }, field: "LastName" },
      values: ({ account }) => ({
        name: [{ given: "Li", family: "Na" }],
        account: [account],
        emails: [["a@example.com"], ["a@example.com", "b@example.com"]],
        mobile: ["+8613800138000"],
        title: ["Head of Purchasing"],
        owner: ["ben@example.com"],
      }),
    },
  },
  hooks: {
    arrange: async () => {
      if (calling === undefined) throw new Error("no simulator was made");
      calling.setAddress({ url: "https://hub.example/hooks/memory-one", secret: hookSecret });
      return { webhook: standardWebhook({ account: "companies", contact: "people" }), secrets: [hookSecret] };
    },
    proof: "whole",
  },
  cannot: {
    "token expiry": "an API key does not expire",
    "rate over 200": "Memory refuses by status",
  },
});
