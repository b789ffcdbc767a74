/** The configuration of the demo, as a user would write it. */
import { stringify } from "yaml";
import type { Running } from "../../core/cli/sandbox.ts";
import { sandboxKeys, zohoTaxField } from "../sandbox.ts";
import { portalTitle } from "./portal.ts";
import { industriesInChinese } from "./world.ts";

/** Larger than the vendors' default plans, as the simulators grant it. */
const callsIn20s = 5000;

const fxiaokeLimits = [
  "crm/v2/data/query",
  "crm/v2/data/get",
  "crm/v2/data/create",
  "crm/v2/data/update",
  "crm/v2/data/invalid",
];

export function demoYaml(
  running: ReadonlyArray<Running>,
  files: { readonly store: string; readonly list: string },
  port: number,
): string {
  const keysOf = (system: string): Readonly<Record<string, unknown>> =>
    running.find((one) => one.system === system)?.keys ?? {};
  return stringify(
    {
      hub: { name: "demo", store: `sqlite:${files.store}`, country: "US", currency: "USD" },
      serve: { port, url: `http://127.0.0.1:${port}` },
      connections: {
        "zoho-eu": {
          ...keysOf("zoho"),
          webhook: true,
          key: sandboxKeys.zoho,
          map: { account: { taxId: zohoTaxField } },
        },
        "fxiaoke-cn": {
          ...keysOf("fxiaoke"),
          webhook: true,
          key: sandboxKeys.fxiaoke,
          country: "CN",
          currency: "CNY",
          owners: { "ann@example.com": "zhang.san@example.com", "ben@example.com": "li.si@example.com" },
          defaultOwner: "zhang.san@example.com",
          // The two CRMs have other words for industries, and other lists of ratings and sources.
          map: { account: { industry: { values: industriesInChinese }, source: false, rating: false } },
          limits: Object.fromEntries(
            fxiaokeLimits.map((name) => [name, { concurrency: 8, rate: { count: callsIn20s, window: "20s" } }]),
          ),
        },
        // Whoever administers the customer portal gets a login there; nobody is deleted.
        directory: {
          ...keysOf("scim"),
          key: sandboxKeys.scim,
          create: { contact: { title: portalTitle } },
        },
        // An identity provider pushes its users here.
        idp: { use: "scim-provider" },
        "old-list": { use: "file", path: files.list, id: "Customer No" },
      },
      policy: {
        account: {
          default: ["newest", { prefer: ["zoho-eu", "fxiaoke-cn", "old-list"] }],
          fields: { owner: { only: "fxiaoke-cn" }, phone: "manual", tags: "union" },
        },
        contact: { default: ["newest", { prefer: ["zoho-eu", "fxiaoke-cn", "old-list"] }] },
      },
    },
    { lineWidth: 120 },
  );
}
