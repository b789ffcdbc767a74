/** Logins of customers in the demo: a directory that the hub provisions, and an identity provider that pushes into the hub. */
import { Effect } from "effect";
import * as decisions from "../../core/hub/decisions.ts";
import { createKey } from "../../core/hub/keys.ts";
import type { Hub } from "../../core/hub/open.ts";
import type { Simulator } from "../../core/simulator.ts";
import { readSheet, search } from "../../core/store/browse.ts";

/** Whoever administers the portal gets a login in the directory. */
export const portalTitle = "Portal Administrator";

export interface PortalDeeds {
  /** A new contact in Zoho who is to get a login. */
  readonly added: string;
  /** Somebody of the directory whom a person deactivates in the hub. */
  readonly deactivated: string;
  /** A user whom the identity provider pushes. */
  readonly pushed: string;
}

interface Stage {
  readonly zoho: Simulator;
  readonly directory: Simulator;
  readonly hub: Hub;
  /** Where the hub serves. */
  readonly url: string;
}

const added = { given: "Mia", family: "Keller", email: "mia.keller@portal.example" };
const pushed = { given: "Noah", family: "Brandt", email: "noah.brandt@portal.example" };

export async function workInThePortal({ zoho, directory, hub, url }: Stage): Promise<PortalDeeds> {
  zoho.screen.create("contact", {
    First_Name: added.given,
    Last_Name: added.family,
    Email: added.email,
    Title: portalTitle,
  });
  const [leaver = ""] = directory.screen.list("contact");
  const user = directory.screen.read("contact", leaver);
  const [contact] = await Effect.runPromise(search(hub, "contact", String(user?.userName)));
  const sheet = contact === undefined ? null : await Effect.runPromise(readSheet(hub, contact.id));
  if (sheet !== null) {
    const { id, values } = sheet.canonical;
    const edit = { id, field: "active", value: false, base: values.active ?? null, hold: false };
    await Effect.runPromise(decisions.edit(hub, "demo", edit));
  }
  await push(hub, url);
  return {
    added: `${added.given} ${added.family}`,
    deactivated: `${user?.["name.givenName"]} ${user?.["name.familyName"]}`,
    pushed: `${pushed.given} ${pushed.family}`,
  };
}

const keyMs = 3_600_000;

/** As Okta or Entra ID would. */
async function push(hub: Hub, url: string): Promise<void> {
  const wanted = { name: "demo identity provider", role: "provisioner" as const, scopes: [], connection: "idp" };
  const expiresAt = hub.clock.now() + keyMs;
  const { text } = await Effect.runPromise(createKey(hub, "demo", { ...wanted, expiresAt }));
  const answer = await fetch(`${url}/scim/v2/idp/Users`, {
    method: "POST",
    headers: { authorization: `Bearer ${text}`, "content-type": "application/scim+json" },
    body: JSON.stringify({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName: pushed.email,
      name: { givenName: pushed.given, familyName: pushed.family },
      emails: [{ value: pushed.email, type: "work", primary: true }],
      active: true,
    }),
  });
  if (answer.status !== 201) throw new Error(`the hub answered ${answer.status} to the demo's identity provider`);
}

export interface PortalOutcome {
  readonly provisioned: boolean;
  readonly deactivated: boolean;
  readonly arrived: boolean;
}

/** Whether it all has come about, by the systems' own records. */
export function portalOutcome({
  zoho,
  fxiaoke,
  directory,
}: {
  readonly zoho: Simulator;
  readonly fxiaoke: Simulator;
  readonly directory: Simulator;
}): PortalOutcome {
  const holds = (simulator: Simulator, field: string, email: string): boolean =>
    simulator.screen.list("contact").some((id) => simulator.screen.read("contact", id)?.[field] === email);
  const [leaver = ""] = directory.screen.list("contact");
  return {
    provisioned: holds(directory, "emails[1]", added.email),
    deactivated: directory.screen.read("contact", leaver)?.active === false,
    arrived: holds(zoho, "Email", pushed.email) && holds(fxiaoke, "email", pushed.email),
  };
}
