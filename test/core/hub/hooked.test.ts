/** What happens at one vendor reaches the other by webhooks alone, whatever the network does to them. */
import { Effect } from "effect";
import { afterEach, describe, expect, it } from "vitest";
import {
  createHookedKit,
  fxiaokeName,
  type HookedKit,
  type HookedOptions,
  nameOf,
  zohoName,
} from "../../kit/hooked-kit.ts";

let kit: HookedKit | undefined;
afterEach(async () => {
  await kit?.stop();
  kit = undefined;
});

async function started(options: HookedOptions): Promise<HookedKit> {
  kit = await createHookedKit(options);
  const running = kit;
  await running.until("both hold the same at the start, and Zoho has its channel", async () => {
    const { accounts } = options;
    const live = (running.service.lane(zohoName)?.status().channel?.state ?? "") === "live";
    return live && inFxiaoke(running).length === accounts && (await isQuiet(running));
  });
  return running;
}

const inZoho = ({ zoho: { screen } }: HookedKit) =>
  screen.list("account").map((id) => String(screen.read("account", id)?.Account_Name));
const inFxiaoke = ({ fxiaoke: { screen } }: HookedKit) =>
  screen.list("account").map((id) => String(screen.read("account", id)?.name));

/** No lane is at work; asked twice, because one wakes another. */
async function isQuiet({ service, couriers }: HookedKit): Promise<boolean> {
  for (const courier of couriers) await courier.deliver();
  const isIdle = () => service.lanes().every((lane) => lane.status().busyWith.length === 0);
  if (!isIdle()) return false;
  await new Promise((resolve) => setTimeout(resolve, 150));
  return isIdle();
}

const idIn = ({ zoho: { screen } }: HookedKit, name: string): string =>
  screen.list("account").find((id) => screen.read("account", id)?.Account_Name === name) ?? "";

describe("a hub that is called", () => {
  it("carries edits, creations and corrections both ways", async () => {
    const running = await started({ accounts: 2 });
    const { zoho, fxiaoke, until } = running;
    const pulls = () => running.events.filter(({ kind }) => kind === "pulled").length;
    const before = pulls();
    zoho.screen.edit("account", idIn(running, nameOf(1)), { Account_Name: "Zylker" });
    await until("the edit came from Zoho to Fxiaoke", () => inFxiaoke(running).includes("Zylker"));
    const [first = ""] = fxiaoke.screen
      .list("account")
      .filter((id) => fxiaoke.screen.read("account", id)?.name === "Zylker");
    running.advance(60_000);
    fxiaoke.screen.edit("account", first, { name: "卓豪科技" });
    await until("the edit came back from Fxiaoke to Zoho", () => inZoho(running).includes("卓豪科技"));
    fxiaoke.screen.create("account", { name: "新客户有限公司", url: "https://www.example-new.com", owner: ["1001"] });
    await until("a new account came to Zoho", () => inZoho(running).includes("新客户有限公司"));
    expect(pulls()).toBe(before);
    const verdicts = running.events.flatMap((event) => (event.kind === "hook" ? [event.verdict] : []));
    expect(verdicts).not.toContain("refused");
  });

  it("ends with the last edit of each record when calls come twice and in any order", async () => {
    const accounts = 8;
    const running = await started({ accounts, faults: { seed: 11, double: 0.5, reorder: 0.5 } });
    const ids = running.zoho.screen.list("account");
    for (const round of [1, 2, 3]) {
      for (const [index, id] of ids.entries())
        running.zoho.screen.edit("account", id, { Account_Name: `Round ${round} of ${index}` });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const expected = ids.map((_, index) => `Round 3 of ${index}`).toSorted();
    await running.until("Fxiaoke has the last of all edits", async () => {
      const names = inFxiaoke(running).toSorted();
      return expected.every((name, index) => names[index] === name);
    });
    await running.until("nothing is under way any more", () => isQuiet(running));
    expect(inZoho(running).toSorted()).toEqual(expected);
    expect(inFxiaoke(running).toSorted()).toEqual(expected);
    const counts = running.couriers.map((courier) => courier.counts());
    expect(counts[0]?.doubled).toBeGreaterThan(3);
    expect(counts[0]?.reordered).toBeGreaterThan(3);
    expect(running.events.some((event) => event.kind === "hook" && event.verdict === "known")).toBe(true);
  });

  it("finds by a pull what calls that got lost would have told", async () => {
    const accounts = 8;
    const running = await started({ accounts, faults: { seed: 5, drop: 0.6 } });
    const ids = running.zoho.screen.list("account");
    for (const [index, id] of ids.entries())
      running.zoho.screen.edit("account", id, { Account_Name: `Edited ${index}` });
    await running.until("what was told is done", () => isQuiet(running));
    const arrived = inFxiaoke(running).filter((name) => name.startsWith("Edited")).length;
    expect(arrived).toBeLessThan(accounts);
    running.advance(300_000);
    for (const name of [zohoName, fxiaokeName]) await Effect.runPromise(running.service.syncNow(name, false, "test"));
    await running.until(
      "the pull has repaired it",
      () => inFxiaoke(running).filter((name) => name.startsWith("Edited")).length === accounts,
    );
  });

  it("drops its channel at Zoho when a reload switches webhooks off, or takes the connection out", async () => {
    const running = await started({ accounts: 1 });
    const removals = () =>
      running.events.filter((event) => event.kind === "channel" && event.what === "removed").length;
    await running.reload(false);
    await running.until("the channel is gone", () => removals() === 1);
    running.zoho.screen.edit("account", idIn(running, nameOf(1)), { Account_Name: "Unheard" });
    expect(running.zoho.notices.take()).toEqual([]);
    await running.reload(true);
    await running.until("there is one again", () => running.service.lane(zohoName)?.status().channel?.state === "live");
    await running.reload(null);
    expect(removals()).toBe(2);
    expect(running.service.lane(zohoName)).toBeUndefined();
  });
});
