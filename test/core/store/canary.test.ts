import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createKit } from "../../kit/engine-kit.ts";
import { onPostgres } from "../../kit/engine-place.ts";

const folder = mkdtempSync(join(tmpdir(), "syncline-canary-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Words that stand nowhere else. */
const canaries = {
  given: "Quetzalina",
  family: "Zygmuntowska",
  mail: "quetzalina.canary@birdcage.test",
  other: "second.canary@birdcage.test",
  phone: "+4930777123",
  edited: "+4930777456",
  lost: "+4930777789",
  refused: "+4930777999",
  note: "canary-sings-a-secret-song",
  held: "canary-held-by-the-brake",
};

/** Each canary as it may stand in bytes: as it is, and as a phone without its plus. */
const forms = Object.values(canaries).flatMap((text) => [text, text.replace(/^\+/, "")]);

function findings(): ReadonlyArray<string> {
  return readdirSync(folder).flatMap((name) => {
    const bytes = readFileSync(join(folder, name)).toString("latin1");
    return forms.filter((form) => bytes.includes(form)).map((form) => `${form} in ${name}`);
  });
}

describe.skipIf(onPostgres)("personal data in the store", () => {
  it("stands readable in no file: not in rows, shadows, logs, conflicts, dead letters, sent writes or the inbox", async () => {
    const systems = {
      a: { conditional: "version", returnsStored: true, setup: { deletes: "propagate" as const } },
      b: { conditional: "none" },
    } as const;
    const kit = await createKit({ systems, file: join(folder, "hub.db"), policy: { fields: { phone: ["manual"] } } });
    const a = kit.toy("a");
    const b = kit.toy("b");
    const account = a.create("account", {
      Name: "Birdcage",
      Domain: "birdcage.test",
      Phone: canaries.phone,
      Notes: canaries.note,
    });
    a.create("contact", {
      First: canaries.given,
      Last: canaries.family,
      Company: account,
      Mail1: canaries.mail,
      Mail2: canaries.other,
    });
    await kit.settle();
    // An open conflict over a personal field, with both values in its row.
    kit.clock.advance(60_000);
    a.edit("account", account, { Phone: canaries.edited });
    const [other = ""] = b.live("account");
    b.edit("account", other, { Phone: canaries.lost });
    await kit.sync();
    // A refused write: its value goes into a dead letter.
    b.hooks.refuse = () => ({ kind: "rejected", field: "Mobile", code: "bad", reason: "refused", remedy: "mend it" });
    const [contact = ""] = a.live("contact");
    kit.clock.advance(60_000);
    a.edit("contact", contact, { Mobile: canaries.refused });
    await kit.sync();
    // A write whose outcome is open: what was about to be sent is kept.
    b.hooks.refuse = () => ({ kind: "unknown", reason: "no answer" });
    kit.clock.advance(60_000);
    a.edit("contact", contact, { Mail2: "third.canary@birdcage.test" });
    await kit.sync();
    // Held by the brake: the page waits in the inbox as received.
    delete b.hooks.refuse;
    const many = Array.from({ length: 60 }, (_, index) =>
      a.create("account", { Name: `Company ${index}`, Domain: `c${index}.test`, Notes: canaries.held }),
    );
    await kit.settle();
    kit.clock.advance(60_000);
    for (const id of many) a.edit("account", id, { Name: null, Domain: null, Notes: `${canaries.held} blanked` });
    await kit.sync();

    const kinds = (await kit.conflicts()).map((row) => row.kind);
    expect(kinds).toEqual(expect.arrayContaining(["value", "brake"]));
    expect((await kit.deadLetters()).length).toBeGreaterThan(0);
    expect((await kit.contacts())[0]).toMatchObject({ name: { given: canaries.given, family: canaries.family } });
    expect(findings()).toEqual([]);
    // The search itself works: a business name is readable.
    expect(
      readFileSync(join(folder, "hub.db-wal")).toString("latin1") +
        readFileSync(join(folder, "hub.db")).toString("latin1"),
    ).toContain("Birdcage");
    // The reasons of dead letters are readable, so they must not repeat a value.
    expect(JSON.stringify(await kit.deadLetters())).not.toContain(canaries.refused);
    await kit.close();
    expect(findings()).toEqual([]);
  });
});
