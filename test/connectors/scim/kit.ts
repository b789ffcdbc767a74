/** The contract of the SCIM client, for a provider with these ways. */

import type { Config } from "../../../connectors/scim/config.ts";
import { scim } from "../../../connectors/scim/index.ts";
import type { Cursor } from "../../../connectors/scim/pull.ts";
import { clientSecret, createScimSimulator, type Switches } from "../../../connectors/scim/simulator.ts";
import type { Contract } from "../../kit/connector-contract.ts";

export function contractFor(
  switches: Partial<Switches>,
  more: Partial<Pick<Contract<Config, Cursor>, "cannot">> & {
    readonly keys?: Readonly<Record<string, unknown>>;
  } = {},
): Contract<Config, Cursor> {
  return {
    connector: scim,
    simulate: (options) => {
      const simulator = createScimSimulator({ ...options, switches: { pageMax: 40, ...switches } });
      return {
        ...simulator,
        connection: (url) => ({ ...simulator.connection(url), deprovision: "delete", pageSize: 40, ...more.keys }),
      };
    },
    wrongCredentials: (keys) => ({
      ...keys,
      auth: { ...(keys.auth as Readonly<Record<string, unknown>>), clientSecret: "not the secret" },
    }),
    secrets: [clientSecret, "not the secret"],
    key: { account: "externalId", contact: "externalId" },
    manyRows: 100,
    calls: (entity) => {
      const path = entity === "contact" ? "/Users" : "/Groups";
      return {
        list: { path, method: "GET" },
        create: { path, method: "POST" },
        update: { path, method: switches.patch === false ? "PUT" : "PATCH" },
      };
    },
    entities: {
      account: {
        record: (index) => ({ displayName: `Company ${index}` }),
        edited: "displayName",
        required: ["name"],
        refused: { fields: { displayName: "x".repeat(300) }, field: "displayName" },
        values: () => ({ name: ["Zylker", "上海电气（集团）有限公司"] }),
      },
      contact: {
        record: (index) => ({
          userName: `person-${index}@acme.example`,
          "name.familyName": `Person ${index}`,
          title: `Title ${index}`,
        }),
        edited: "title",
        required: ["login"],
        refused: { fields: { title: "x".repeat(300) }, field: "title" },
        values: () => ({
          login: ["li.na@acme.example"],
          name: [{ given: "Li", family: "Na" }],
          emails: [
            ["a@example.com"],
            ["a@example.com", "b@example.com"],
            ["b@example.com", "c@example.com", "a@example.com"],
          ],
          phones: [["+442079460958"], ["+442079460959", "+442079460958"]],
          mobile: ["+8613800138000"],
          title: ["Head of Purchasing"],
          department: ["Purchasing", "采购部"],
          active: [false, true],
          address: [
            { street: "1 Main St", city: "Leeds", state: "West Yorkshire", postalCode: "LS1 1AA", country: "GB" },
          ],
          locale: ["zh-CN"],
        }),
      },
    },
    cannot: {
      tombstones: "SCIM tells of no deletion; a full read shows it",
      "unique key": "externalId is not unique in SCIM",
      "rate over 200": "a provider refuses by status",
      "half batch": "each write is a call of its own",
      "long ids": "ids are texts",
      ...more.cannot,
    },
  };
}
