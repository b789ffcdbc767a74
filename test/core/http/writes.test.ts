import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { canaries, createHttpKit, type HttpKit } from "../../kit/http-kit.ts";

let kit: HttpKit;
let id = "";

let other = "";
let company = 0;

beforeAll(async () => {
  kit = await createHttpKit({ accounts: 60 });
});

afterAll(() => kit.close());

/** Each test has two accounts of its own. */
beforeEach(async () => {
  id = (await kit.account(`Company ${++company}`)).id;
  other = (await kit.account(`Company ${++company}`)).id;
});

const patch = (body: unknown, headers: Record<string, string> = {}, as = "steward") =>
  kit.call(`/accounts/${id}`, { method: "PATCH", as, body, headers });

const valuesNow = async () => (await kit.call(`/accounts/${id}`)).body.values as Record<string, unknown>;

const audited = async (action: string) => {
  const { body } = await kit.call(`/audit?action=${encodeURIComponent(action)}`);
  const items = body.items as ReadonlyArray<{ actor: string; subject: string }>;
  return items.filter(({ subject }) => subject.startsWith(id));
};

describe("a value set by hand", () => {
  it("is typed by its field, explained as a person's, audited by its key, and written to the systems", async () => {
    const { status, body } = await patch({
      values: { employees: 12, phone: "030 777 888", billingAddress: { city: "Berlin", country: "Germany" } },
    });
    expect(status).toBe(200);
    expect(body.values).toMatchObject({
      employees: 12,
      phone: "+4930777888",
      billingAddress: { city: "Berlin", country: "DE" },
    });
    const me = (await kit.call("/me", { as: "steward" })).body.id;
    expect(await audited("edit employees, phone, billingAddress")).toMatchObject([{ actor: `key:${me}`, subject: id }]);
    const { body: explained } = await kit.call(`/accounts/${id}/explain/phone`);
    expect(explained.fields).toMatchObject([{ value: "+4930777888", source: "hub", pinnedAt: expect.any(String) }]);
    await kit.sync();
    const sheet = (await kit.call(`/accounts/${id}`)).body;
    expect(sheet.links).toMatchObject([{ due: false }, { due: false }]);
  });

  it("can be held and released", async () => {
    await patch({ values: { industry: "Banking" }, hold: true });
    const release = () => kit.call(`/accounts/${id}/release`, { method: "POST", body: { field: "industry" } });
    expect((await release()).status).toBe(200);
    const again = await release();
    expect([again.status, again.body.type]).toEqual([409, "urn:syncline:problem:refused"]);
  });

  it("is refused whole where any part is wrong, with every place named", async () => {
    const { status, body } = await patch({
      values: { industry: "Banking", employees: "many", tags: "x", nope: 1, parent: "acc_none" },
    });
    expect(status).toBe(400);
    const errors = body.errors as ReadonlyArray<{ path: string }>;
    expect(errors.map(({ path }) => path)).toEqual([
      "body.values.employees",
      "body.values.tags",
      "body.values.nope",
      "body.values.parent",
    ]);
    expect(await valuesNow()).toMatchObject({ industry: "Retail" });
    expect((await patch({ values: {} })).status).toBe(400);
    expect((await patch({ values: { industry: "x" }, more: 1 })).status).toBe(400);
    expect((await patch({})).body.errors).toEqual([{ path: "body.values", what: "is missing" }]);
  });

  it("asks where a conflict of the field is open, and names the conflict", async () => {
    id = (await kit.account("Birdcage")).id;
    const { status, body } = await patch({ values: { industry: "Circus", employees: 3 } });
    expect([status, body.type]).toEqual([409, "urn:syncline:problem:asks"]);
    expect(body.outcomes).toMatchObject({
      industry: { outcome: "asks", conflict: expect.stringMatching(/^con_/) },
      employees: { outcome: "done" },
    });
  });
});

describe("conditional requests", () => {
  it("answer 304 to who has the record, and 412 to who saw an older one", async () => {
    const first = await kit.call(`/accounts/${id}`);
    const tag = first.headers.get("ETag") ?? "";
    expect(tag).toMatch(/^"\d+\.[\w-]{12}"$/);
    const same = await kit.call(`/accounts/${id}`, { headers: { "If-None-Match": tag } });
    expect([same.status, same.text, same.headers.get("ETag")]).toEqual([304, "", tag]);
    const written = await patch({ values: { industry: "Banking" } }, { "If-Match": tag });
    expect(written.status).toBe(200);
    expect(written.headers.get("ETag")).not.toBe(tag);
    expect((await kit.call(`/accounts/${id}`, { headers: { "If-None-Match": tag } })).status).toBe(200);
    const late = await patch({ values: { industry: "Zoo" } }, { "If-Match": tag });
    expect([late.status, late.body.type]).toEqual([412, "urn:syncline:problem:precondition-failed"]);
    expect(await valuesNow()).toMatchObject({ industry: "Banking" });
    let newest = written.headers.get("ETag") ?? "";
    for (const header of ["*", "newest", '"0", newest']) {
      const wanted = { "If-Match": header.replace("newest", newest) };
      const done = await patch({ values: { industry: "Banking" } }, wanted);
      expect([header, done.status]).toEqual([header, 200]);
      newest = done.headers.get("ETag") ?? "";
    }
    for (const header of ["nonsense", 'W/"3"', '"99"']) {
      expect((await patch({ values: { industry: "Zoo" } }, { "If-Match": header })).status).toBe(412);
    }
  });

  it("let one of two through that saw the same record", async () => {
    const tag = (await kit.call(`/accounts/${id}`)).headers.get("ETag") ?? "";
    const both = await Promise.all(
      ["Banking", "Zoo"].map((industry) => patch({ values: { industry } }, { "If-Match": tag })),
    );
    const statuses = both.map(({ status }) => status).toSorted();
    expect(statuses[0]).toBe(200);
    expect([409, 412]).toContain(statuses[1]);
    expect(await audited("edit industry")).toHaveLength(statuses[1] === 412 ? 1 : 2);
    const conflicts = (await kit.call(`/conflicts?customer=${id}`)).body.items;
    expect(conflicts).toEqual([]);
  });

  it("tell a masked picture from an open one", async () => {
    id = (await kit.account("Birdcage")).id;
    const open = (await kit.call(`/accounts/${id}`, { as: "steward" })).headers.get("ETag") ?? "";
    const masked = await kit.call(`/accounts/${id}`, { as: "viewer", headers: { "If-None-Match": open } });
    expect(masked.status).toBe(200);
    expect(masked.headers.get("Vary")).toContain("Authorization");
  });
});

describe("Idempotency-Key", () => {
  const merge = (absorbed: string, headers: Record<string, string>, as = "steward") =>
    kit.call(`/accounts/${id}/merge`, { method: "POST", as, body: { absorbed }, headers });

  it("does a write once, and gives its answer again to the same call", async () => {
    const headers = { "Idempotency-Key": "order-1" };
    const first = await patch({ values: { industry: "Banking" } }, headers);
    const again = await patch({ values: { industry: "Banking" } }, headers);
    expect([again.status, again.text, again.headers.get("ETag")]).toEqual([200, first.text, first.headers.get("ETag")]);
    expect([first.headers.get("Idempotency-Replayed"), again.headers.get("Idempotency-Replayed")]).toEqual([
      null,
      "true",
    ]);
    expect(await audited("edit industry")).toHaveLength(1);
  });

  it("refuses another request under the same key, of this caller alone", async () => {
    const headers = { "Idempotency-Key": "order-2" };
    await patch({ values: { industry: "Banking" } }, headers);
    const different = await patch({ values: { industry: "Zoo" } }, headers);
    expect([different.status, different.body.type]).toEqual([409, "urn:syncline:problem:idempotency-mismatch"]);
    expect((await merge("acc_none", headers)).status).toBe(409);
    expect((await patch({ values: { industry: "Zoo" } }, headers, "admin")).status).toBe(200);
  });

  it("tells of a call that is still under way", async () => {
    const headers = { "Idempotency-Key": "order-3" };
    const both = await Promise.all([merge(other, headers), merge(other, headers)]);
    const statuses = both.map(({ status }) => status).toSorted();
    expect(statuses[0]).toBe(200);
    // The second came while the first ran, or after it.
    const second = both.find((one) => one.status === 409 || one.headers.get("Idempotency-Replayed") === "true");
    expect(second?.status === 200 || second?.body.type === "urn:syncline:problem:in-flight").toBe(true);
    expect(await audited("merge")).toHaveLength(1);
  });

  it("gives a refusal again too, and forgets after a day", async () => {
    const headers = { "Idempotency-Key": "order-4" };
    expect((await merge("acc_none", headers)).status).toBe(404);
    const again = await merge("acc_none", headers);
    expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([404, "true"]);
    kit.clock.advance(25 * 3_600_000);
    expect((await merge("acc_none", headers)).headers.get("Idempotency-Replayed")).toBeNull();
  });

  it("shows a new key once, also when the call is repeated", async () => {
    const make = () =>
      kit.call("/keys", {
        method: "POST",
        body: { name: "x", role: "viewer", expiresAt: null },
        headers: { "Idempotency-Key": "order-5" },
      });
    const first = await make();
    expect(first.body.key).toMatch(/^syn_/);
    const again = await make();
    expect(again.body).toEqual({ ...first.body, key: null });
  });

  it("takes only short keys of visible characters", async () => {
    for (const key of ["two words", "x".repeat(201)]) {
      expect((await patch({ values: { industry: "Zoo" } }, { "Idempotency-Key": key })).status).toBe(400);
    }
  });

  it("keeps answers sealed", async () => {
    id = (await kit.account("Birdcage")).id;
    const body = { values: { description: "another-canary-sings" } };
    expect((await patch(body, { "Idempotency-Key": "order-6" })).text).toContain("another-canary-sings");
    const files = readdirSync(kit.folder).map((name) => readFileSync(join(kit.folder, name), "latin1"));
    for (const text of files) {
      for (const canary of ["another-canary-sings", canaries.note]) expect(text.includes(canary)).toBe(false);
    }
  });
});

describe("decisions over the API", () => {
  it("merge, unmerge, unlink, link, and say what cannot be", async () => {
    const at = (path: string, body: unknown) => kit.call(path, { method: "POST", as: "steward", body });
    expect((await at(`/accounts/${id}/merge`, { absorbed: other })).body).toEqual({ done: true, reopened: null });
    expect((await kit.call(`/accounts/${other}`)).body).toMatchObject({ id, askedFor: other });
    expect((await at(`/accounts/${id}/unmerge`, { absorbed: other })).status).toBe(200);
    expect((await kit.call(`/accounts/${other}`)).body).toMatchObject({ id: other });
    const links = (await kit.call(`/accounts/${id}`)).body.links as ReadonlyArray<{ remoteId: string }>;
    const record = { entity: "account", connection: "one", remoteId: links[0]?.remoteId };
    expect((await at("/links/unlink", record)).status).toBe(200);
    expect((await at("/links", { ...record, id })).status).toBe(200);
    expect((await at("/links", { ...record, id: "acc_none" })).status).toBe(404);
    const restore = await at(`/accounts/${id}/restore`, {});
    expect([restore.status, restore.body.detail]).toEqual([409, expect.stringContaining("is not deleted")]);
    expect((await at(`/contacts/${id}/restore`, {})).status).toBe(404);
  });

  it("resolve a conflict with a source or a value, and take that back", async () => {
    const { body } = await kit.call("/conflicts?field=phone");
    const [row] = body.items as ReadonlyArray<{ id: string; customer: string; updatedAt: string }>;
    const path = `/conflicts/${row?.id}`;
    const answer = (given: unknown) => kit.call(`${path}/resolve`, { method: "POST", as: "steward", body: given });
    expect((await answer({ kind: "source", source: "three" })).status).toBe(409);
    expect((await answer({ kind: "source", source: "two", shownAt: "2020-01-01T00:00:00Z" })).status).toBe(409);
    expect((await answer({ kind: "value", value: "call me" })).status).toBe(400);
    const seen = (await kit.call(path)).headers.get("ETag") ?? "";
    const ifMatch = (tag: string) => ({
      method: "POST",
      as: "steward",
      body: { kind: "source", source: "two" },
      headers: { "If-Match": tag },
    });
    expect((await kit.call(`${path}/resolve`, ifMatch('"1"'))).status).toBe(412);
    expect((await kit.call(`${path}/resolve`, ifMatch(seen))).status).toBe(200);
    const phone = async () => ((await kit.call(`/accounts/${row?.customer}`)).body.values as { phone: string }).phone;
    expect(await phone()).toBe(canaries.otherPhone);
    expect((await kit.call(path)).body).toMatchObject({ state: "resolved", rule: "person" });
    expect((await kit.call(`${path}/undo`, { method: "POST", as: "steward" })).status).toBe(200);
    expect((await kit.call("/conflicts/con_none/undo", { method: "POST" })).status).toBe(404);
  });

  it("show what an undo would touch, and take a change back, without a value in the answer", async () => {
    const [item] = (await kit.call("/accounts?limit=1")).body.items as ReadonlyArray<{ id: string }>;
    const path = `/accounts/${item?.id}`;
    const edit = (values: unknown) => kit.call(path, { method: "PATCH", as: "steward", body: { values } });
    const held = async () => ((await kit.call(path)).body.values as { rating?: string | null }).rating ?? null;
    expect((await edit({ rating: "Hot" })).status).toBe(200);
    const { items } = (await kit.call(`${path}/history?limit=1`)).body as {
      items: ReadonlyArray<{ position: number; run: string }>;
    };
    const undo = (preview: boolean) =>
      kit.call(`/changes/${items[0]?.position}/undo`, { method: "POST", as: "steward", body: { preview } });
    const shown = await undo(true);
    expect(shown.body).toMatchObject({ carriedOut: false, done: 1, steps: [{ field: "rating", outcome: "done" }] });
    expect(JSON.stringify(shown.body)).not.toContain("Hot");
    expect(await held()).toBe("Hot");
    expect((await undo(false)).body).toMatchObject({ carriedOut: true, done: 1, asks: 0 });
    expect(await held()).toBeNull();
    const run = await kit.call("/runs/run_none/undo", { method: "POST", as: "steward", body: { preview: true } });
    expect(run.status).toBe(404);
  });

  it("hand what concerns the running hub to the service, with who asked", async () => {
    const at = (path: string, body?: unknown) =>
      kit.call(path, { method: "POST", as: "operator", ...(body === undefined ? {} : { body }) });
    expect((await at("/connections/one/pause")).status).toBe(202);
    await at("/connections/one/resume");
    await at("/connections/two/sync", { full: true });
    await at("/config/reload");
    const unknown = await at("/connections/three/pause");
    expect([unknown.status, unknown.body.remedy]).toEqual([409, "Name another one."]);
    const actor = `key:${(await kit.call("/me", { as: "operator" })).body.id}`;
    expect(kit.asked).toEqual([`pause one ${actor}`, `resume one ${actor}`, `sweep two ${actor}`, `reload ${actor}`]);
    const plan = (await at("/plan", {})).body;
    expect(plan.writes).toEqual([]);
    expect((await at("/plan", { connections: ["three"] })).status).toBe(400);
  });
});

describe("bodies", () => {
  it("must be JSON of a bounded size", async () => {
    const raw = (body: string, type: string) =>
      kit.app.request("/api/v1/search", {
        method: "POST",
        headers: { Authorization: `Bearer ${kit.keyOf("viewer")}`, "Content-Type": type },
        body,
      });
    expect((await raw("entity=account", "application/x-www-form-urlencoded")).status).toBe(415);
    expect((await raw("{", "application/json")).status).toBe(400);
    expect((await raw("null", "application/json")).status).toBe(400);
    expect((await raw(`{"entity":"account","text":"${"x".repeat(1_000_001)}"}`, "application/json")).status).toBe(413);
    const deep = `{"entity":"account","text":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect((await raw(deep, "application/json")).status).toBe(400);
    expect((await raw('{"entity":"account","text":"x"}', "application/json; charset=utf-8")).status).toBe(200);
  });
});
