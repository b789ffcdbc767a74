/** What the contract does not ask of every system: rows that shift, pages that lie, what is found out beforehand. */
import { describe, expect, it } from "vitest";
import type { Switches } from "../../../connectors/scim/simulator.ts";
import { Unavailable } from "../../../core/connector.ts";
import { neverStopped, openWorld, pagesOf, recordsIn, settledMs, storedCursor } from "../../kit/contract/world.ts";
import { contractFor } from "./kit.ts";

async function opened(switches: Partial<Switches>, count: number, keys: Readonly<Record<string, unknown>> = {}) {
  const world = await openWorld(contractFor(switches, { keys }));
  const record = (index: number) => ({ userName: `user-${index}@acme.example`, title: `Title ${index}` });
  const ids = Array.from({ length: count }, (_, index) => world.simulator.screen.create("contact", record(index)));
  world.clock.advance(settledMs);
  return { ...world, ids };
}

const fields = ["userName", "title"];
const listing = { mode: "listing" as const, fields };

describe("a pull", () => {
  it("pages in a search that is posted where the numbers of an address have no effect", async () => {
    const { api, ids, simulator } = await opened({ pagesBySearchOnly: true }, 95);
    const pages = await pagesOf(api, "contact", listing);
    expect(recordsIn(pages).map(({ id }) => id)).toEqual(ids);
    expect(pages.at(-1)?.complete).toBe(true);
    expect(simulator.traffic().writes).toBe(0);
  });

  it("fails, and never stops quietly, where a provider holds more than it shows", async () => {
    const { api, clock, simulator } = await opened({ pagesBySearchOnly: true }, 1);
    // With one user nobody can tell; what was taken for granted then turns out wrong later.
    expect(recordsIn(await pagesOf(api, "contact", listing))).toHaveLength(1);
    for (let index = 0; index < 90; index++) {
      simulator.screen.create("contact", { userName: `late-${index}@acme.example` });
    }
    clock.advance(settledMs);
    const error = await pagesOf(api, "contact", listing).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Unavailable);
    expect(String(error)).toContain("40 of 91");
    // It has been looked at again since.
    expect(recordsIn(await pagesOf(api, "contact", listing))).toHaveLength(91);
  });

  it("misses nobody, and does not claim to be complete, when users go while it reads", async () => {
    const { api, ids, simulator } = await opened({}, 200);
    const seen = new Set<string>();
    let complete = false;
    let page = 0;
    for await (const { changes, complete: whole } of api.pull("contact", {
      ...listing,
      cursor: null,
      signal: neverStopped(),
    })) {
      for (const change of changes) if (change.kind === "record") seen.add(change.id);
      complete ||= whole === true;
      // Users at the front go, so that all others slide forward.
      if (page < 3) for (const id of ids.slice(page * 5, page * 5 + 5)) simulator.screen.remove("contact", id);
      page += 1;
    }
    expect(ids.slice(15).filter((id) => !seen.has(id))).toEqual([]);
    expect(complete).toBe(false);
    expect((await pagesOf(api, "contact", listing)).at(-1)?.complete).toBe(true);
  });

  it("reads what changed where times are compared, and everything where they are not", async () => {
    for (const [times, expected] of [
      ["compared", 1],
      ["ignored", 60],
      ["refused", 60],
    ] as const) {
      const { api, ids, simulator, clock, contract } = await opened({ times }, 60);
      const pages = await pagesOf(api, "contact", { fields });
      clock.advance(3_600_000);
      simulator.screen.edit("contact", ids[3] ?? "", { title: "Edited" });
      clock.advance(settledMs);
      const cursor = storedCursor(contract.connector, pages.at(-1)?.cursor as never);
      const next = recordsIn(await pagesOf(api, "contact", { fields, cursor: cursor as never }));
      expect([times, next.length]).toEqual([times, expected]);
      expect(next.find(({ id }) => id === ids[3])?.fields.title).toBe("Edited");
    }
  });

  it("asks a provider only once what it can, also after a restart", async () => {
    const { api, reconnect, simulator } = await opened({}, 3);
    await pagesOf(api, "contact", { fields });
    const before = simulator.traffic().calls["GET /scim/v2/ServiceProviderConfig"];
    await pagesOf(reconnect(), "contact", { fields });
    expect(simulator.traffic().calls["GET /scim/v2/ServiceProviderConfig"]).toBe(before);
  });

  it("says in check what a provider cannot do", async () => {
    const said = async (switches: Partial<Switches>) =>
      (await (await opened(switches, 2)).api.check({ keys: {} })).map(({ what }) => what);
    expect(await said({})).toEqual([]);
    expect(await said({ times: "refused" })).toEqual([expect.stringContaining("cannot say what has changed")]);
    expect(await said({ filter: "ignored" })).toEqual([expect.stringContaining("cannot look for a resource")]);
  });
});

describe("a write", () => {
  it("deactivates whom it deletes, and lets a person come back as the same user", async () => {
    const { api, simulator } = await opened({}, 0, { deprovision: "deactivate" });
    const create = {
      kind: "create" as const,
      entity: "contact" as const,
      hubId: "ctc_1",
      keyField: "externalId",
      fields: { "emails[1]": "ann@acme.example", "name.familyName": "Lee", active: null },
    };
    const [made] = (await api.push?.([create])) ?? [];
    const id = made?.kind === "applied" ? made.id : "";
    expect(simulator.screen.read("contact", id)).toMatchObject({ userName: "ann@acme.example", externalId: "ctc_1" });
    expect((await api.push?.([{ kind: "delete", entity: "contact", id }]))?.[0]).toEqual({ kind: "applied", id });
    const { changes } = await api.fetch("contact", [id], ["active"]);
    expect(changes).toMatchObject([{ kind: "record", leftover: true, fields: { active: false } }]);
    expect((await api.push?.([create]))?.[0]).toMatchObject({ kind: "applied", id });
    expect(simulator.screen.read("contact", id)).toMatchObject({ active: true });
    expect(simulator.screen.list("contact")).toHaveLength(1);
  });

  it("leaves everybody alone where deletes are ignored", async () => {
    const { api, ids, simulator } = await opened({}, 1, { deprovision: "ignore" });
    expect((await api.push?.([{ kind: "delete", entity: "contact", id: ids[0] ?? "" }]))?.[0]?.kind).toBe("applied");
    expect(simulator.screen.list("contact")).toEqual(ids);
    expect((await api.fetch("contact", ids, ["title"])).changes).toMatchObject([{ leftover: true }]);
    expect(simulator.traffic().writes).toBe(0);
  });

  it("keeps what the hub does not know, whether it patches or replaces", async () => {
    for (const write of ["patch", "put"] as const) {
      const { api, simulator, ids } = await opened({}, 1, { write });
      const [id = ""] = ids;
      simulator.screen.edit("contact", id, {
        nickName: "Babs",
        'phoneNumbers[type eq "fax"].value': "+44 20 7946 0000",
        "emails[1]": "a@acme.example",
        "emails[2]": "b@acme.example",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter": "4130",
      });
      const update = {
        "emails[1]": "c@acme.example",
        "emails[2]": "a@acme.example",
        "emails[3]": null,
        "phoneNumbers[1]": "+442079461111",
        "phoneNumbers[2]": null,
      };
      expect((await api.push?.([{ kind: "update", entity: "contact", id, fields: update }]))?.[0]?.kind).toBe(
        "applied",
      );
      const read = async (name: string) => {
        const { changes } = await api.fetch("contact", [id], [name]);
        return changes[0]?.kind === "record" ? changes[0].fields[name] : undefined;
      };
      expect(await read("nickName")).toBe("Babs");
      expect(await read('phoneNumbers[type eq "fax"].value')).toBe("+44 20 7946 0000");
      expect(await read("phoneNumbers[1]")).toBe("+442079461111");
      expect([await read("emails[1]"), await read("emails[2]"), await read("emails[3]")]).toEqual([
        "c@acme.example",
        "a@acme.example",
        null,
      ]);
      expect(await read("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter")).toBe("4130");
    }
  });

  it("refuses a contact without a login name and an e-mail address, with what to do", async () => {
    const { api } = await opened({}, 0);
    const fields = { "name.familyName": "Nobody" };
    const create = {
      kind: "create" as const,
      entity: "contact" as const,
      hubId: "ctc_1",
      keyField: "externalId",
      fields,
    };
    expect((await api.push?.([create]))?.[0]).toMatchObject({
      kind: "rejected",
      field: "userName",
      remedy: /login or e-mail/,
    });
  });
});
