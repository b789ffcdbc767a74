/** The client against providers that nobody here has written. */
import { describe, expect, it, onTestFinished } from "vitest";
import { scim } from "../../../connectors/scim/index.ts";
import { type Connection, type Operation, type RemoteRecord, Schema, type Token } from "../../../core/connector.ts";
import { systemClock } from "../../../core/net/clock.ts";
import { createTools } from "../../../core/net/tools.ts";
import { namesIn, pagesOf, recordsIn, storedCursor } from "../../kit/contract/world.ts";
import { type Provider, startBetterAuth, startScimmy } from "./servers.ts";

const count = 45;

const person = (index: number) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
  userName: `person-${String(index).padStart(2, "0")}@acme.example`,
  externalId: `ext-${index}`,
  name: { givenName: "Ann", familyName: `Person ${index}`, formatted: `Ann Person ${index}` },
  displayName: `Ann Person ${index}`,
  active: true,
  emails: [{ value: `person-${String(index).padStart(2, "0")}@acme.example`, type: "work", primary: true }],
});

function connectTo({ baseUrl, token }: Provider, keys: Readonly<Record<string, unknown>> = {}): Connection<never> {
  const config = Schema.decodeUnknownSync(scim.config)({ baseUrl, auth: { token }, pageSize: 20, ...keys });
  const kept = new Map<string, Token>();
  const tools = createTools({
    connection: "directory",
    limits: scim.limits(config),
    allowedHosts: ["127.0.0.1"],
    tokens: {
      load: async (name) => kept.get(name) ?? null,
      save: async (name, value) => void (value === null ? kept.delete(name) : kept.set(name, value)),
    },
    counters: { used: async () => 0, set: async () => {} },
    clock: systemClock,
    log: { info: () => {}, warn: () => {} },
  }).forLane("user");
  // The tests hand cursors back to the connector that made them.
  return scim.connect(config, tools) as unknown as Connection<never>;
}

const fields = namesIn(
  scim.entities({ baseUrl: "https://idp.example", auth: { token: "x" } }).contact ?? ({} as never),
);

async function seedOver({ baseUrl, token }: Provider): Promise<void> {
  for (let index = 1; index <= count; index++) {
    const answer = await fetch(`${baseUrl}/Users`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
      body: JSON.stringify(person(index)),
    });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  }
}

const create = (index: number, more: Readonly<Record<string, unknown>> = {}): Operation => ({
  kind: "create",
  entity: "contact",
  hubId: `ctc_${index}`,
  keyField: "externalId",
  fields: {
    userName: `new-${index}@acme.example`,
    "name.givenName": "Li",
    "name.familyName": "Na",
    "emails[1]": `new-${index}@acme.example`,
    active: true,
    ...more,
  },
});

const shown = (records: ReadonlyArray<RemoteRecord>) =>
  records
    .map(({ fields: held }) => [
      held.userName,
      held["name.givenName"],
      held["name.familyName"],
      held["emails[1]"],
      held.active,
    ])
    .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1));

const expected = Array.from({ length: count }, (_, at) => {
  const { userName, name, emails, active } = person(at + 1);
  return [userName, name.givenName, name.familyName, emails[0]?.value, active];
});

interface Case {
  readonly title: string;
  readonly start: () => Promise<Provider>;
  readonly keys: Readonly<Record<string, unknown>>;
  /** A pull reads only what changed. */
  readonly incremental: boolean;
}

const cases: ReadonlyArray<Case> = [
  { title: "scimmy with scimmy-routers", start: () => startScimmy(count, person), keys: {}, incremental: true },
  {
    title: "scimmy, told to replace whole resources",
    start: () => startScimmy(count, person),
    keys: { write: "put" },
    incremental: true,
  },
  {
    title: "@better-auth/scim",
    start: async () => {
      const provider = await startBetterAuth();
      await seedOver(provider);
      return provider;
    },
    keys: {},
    incremental: false,
  },
];

describe.each(cases)("$title", ({ start, keys, incremental }) => {
  async function opened() {
    const provider = await start();
    onTestFinished(provider.close);
    return { provider, api: connectTo(provider, keys) };
  }

  it("gives all of its 45 users, as they are", async () => {
    const { api } = await opened();
    const pages = await pagesOf(api, "contact", { fields });
    expect(pages.length).toBeGreaterThan(2);
    expect(shown(recordsIn(pages))).toEqual(expected);
    const listing = await pagesOf(api, "contact", { mode: "listing", fields });
    expect(listing.at(-1)?.complete).toBe(true);
    expect(
      (await api.check({ keys: { contact: "externalId" } })).filter(({ severity }) => severity === "error"),
    ).toEqual([]);
  });

  it("shows changes to the next pull, by itself or among all", async () => {
    const { api } = await opened();
    const pages = await pagesOf(api, "contact", { fields });
    const [first] = recordsIn(pages);
    const cursor = storedCursor(scim, pages.at(-1)?.cursor as never) as never;
    await api.push?.([
      { kind: "update", entity: "contact", id: first?.id ?? "", fields: { "name.familyName": "Changed" } },
    ]);
    const next = recordsIn(await pagesOf(api, "contact", { fields, cursor }));
    expect(next.find(({ id }) => id === first?.id)?.fields["name.familyName"]).toBe("Changed");
    // What was made a moment ago is within the overlap, so it may be read again; the probe says whether that is needed.
    const problems = await api.check({ keys: {} });
    expect(problems.some(({ what }) => what.includes("every pull reads everything"))).toBe(!incremental);
  });

  it("takes what is written: new users, changes, deactivation and its end, deletion", async () => {
    const { api } = await opened();
    const push = async (operation: Operation) => (await api.push?.([operation]))?.[0];
    const made = await push(create(1));
    expect(made).toMatchObject({ kind: "applied" });
    const id = made?.kind === "applied" ? made.id : "";
    const read = async () => {
      const { changes } = await api.fetch("contact", [id], fields);
      return changes[0]?.kind === "record" ? changes[0].fields : null;
    };
    expect(await read()).toMatchObject({ userName: "new-1@acme.example", "name.familyName": "Na", active: true });
    const found = await api.find("contact", [{ field: "externalId", value: "ctc_1" }], ["externalId"]);
    expect(found.map((record) => record.id)).toEqual([id]);
    expect(
      await push({ kind: "update", entity: "contact", id, fields: { "name.familyName": "Wang", active: false } }),
    ).toMatchObject({ kind: "applied" });
    expect(await read()).toMatchObject({ "name.familyName": "Wang", "name.givenName": "Li", active: false });
    expect(await push({ kind: "update", entity: "contact", id, fields: { active: true } })).toMatchObject({
      kind: "applied",
    });
    expect(await read()).toMatchObject({ active: true });
    // Deleted elsewhere: deactivated here, and wanted again it is the same user.
    expect(await push({ kind: "delete", entity: "contact", id })).toMatchObject({ kind: "applied" });
    expect(await read()).toMatchObject({ active: false });
    expect(await push(create(1))).toMatchObject({ kind: "applied", id });
    expect(await read()).toMatchObject({ active: true, "name.familyName": "Na" });
  });

  it("refuses a second user of one name, naming the first", async () => {
    const { api } = await opened();
    const second = create(2, { userName: "PERSON-01@acme.example", "emails[1]": "person-01@acme.example" });
    const [twin] = (await api.push?.([second])) ?? [];
    const [owner] = await api.find("contact", [{ field: "userName", value: "person-01@acme.example" }], []);
    expect(twin).toMatchObject({ kind: "duplicate", id: owner?.id, field: "userName" });
  });

  it("says of users that are gone that they are", async () => {
    const { provider } = await opened();
    const api = connectTo(provider, { ...keys, deprovision: "delete" });
    const [record] = await api.find("contact", [{ field: "userName", value: "person-07@acme.example" }], []);
    const id = record?.id ?? "";
    expect((await api.push?.([{ kind: "delete", entity: "contact", id }]))?.[0]).toMatchObject({ kind: "applied" });
    expect((await api.fetch("contact", [id], fields)).changes).toEqual([{ kind: "deleted", id }]);
    expect((await api.push?.([{ kind: "update", entity: "contact", id, fields: { title: "x" } }]))?.[0]).toMatchObject({
      kind: "gone",
    });
    const left = recordsIn(await pagesOf(api, "contact", { mode: "listing", fields }));
    expect(left).toHaveLength(count - 1);
  });

  it("refuses a wrong token with what to do", async () => {
    const { provider } = await opened();
    const api = connectTo({ ...provider, token: "another" }, keys);
    await expect(pagesOf(api, "contact", { fields })).rejects.toMatchObject({ name: "AuthFailed", remedy: /token/ });
  });
});
