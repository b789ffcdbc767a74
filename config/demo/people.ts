/** What people do in the two CRMs between the first and the second sync of the demo, on the vendors' own screens. */
import type { Simulator } from "../../core/simulator.ts";
import type { DemoClock } from "./clock.ts";

/** What was done, in the order of the story. */
export interface Deeds {
  readonly renamed: string;
  /** Both sides changed the phone of this account. */
  readonly disputed: string;
  /** Both sides changed the website of this account between two syncs. */
  readonly contested: string;
  readonly tagged: string;
  readonly deleted: ReadonlyArray<string>;
  /** The company that had two records in Zoho until somebody merged them. */
  readonly merged: string;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const domainOf = (url: unknown): string =>
  text(url)
    .replace(/^https?:\/\/(www\.)?/, "")
    .replace(/\/$/, "");

/** The accounts that both CRMs hold, found by website as a person would. */
export function sharedAccounts(
  zoho: Simulator,
  fxiaoke: Simulator,
): ReadonlyArray<{ readonly zoho: string; readonly fxiaoke: string }> {
  const there = new Map(
    fxiaoke.screen.list("account").map((id) => [domainOf(fxiaoke.screen.read("account", id)?.url), id]),
  );
  return zoho.screen.list("account").flatMap((id) => {
    const other = there.get(domainOf(zoho.screen.read("account", id)?.Website));
    return other === undefined || domainOf(zoho.screen.read("account", id)?.Website) === ""
      ? []
      : [{ zoho: id, fxiaoke: other }];
  });
}

const minuteMs = 60_000;

export function workADay(zoho: Simulator, fxiaoke: Simulator, clock: DemoClock): Deeds {
  const shared = sharedAccounts(zoho, fxiaoke);
  const at = (index: number): { readonly zoho: string; readonly fxiaoke: string } =>
    shared[index] ?? { zoho: "", fxiaoke: "" };
  const nameOf = (index: number): string => text(zoho.screen.read("account", at(index).zoho)?.Account_Name);
  const [renamed, disputed, contested, tagged] = [nameOf(0), nameOf(1), nameOf(2), nameOf(3)];

  zoho.screen.edit("account", at(0).zoho, { Account_Name: `${renamed} Group` });
  zoho.screen.edit("account", at(1).zoho, { Phone: "+49 30 555111" });
  zoho.screen.edit("account", at(2).zoho, {
    Website: `https://shop.${text(zoho.screen.read("account", at(2).zoho)?.Website).replace(/^https?:\/\/(www\.)?/, "")}`,
  });
  zoho.screen.edit("account", at(3).zoho, { Tag: [{ name: "vip" }] });
  clock.advance(30 * minuteMs);
  fxiaoke.screen.edit("account", at(1).fxiaoke, { tel: "+49 30 555222" });
  fxiaoke.screen.edit("account", at(2).fxiaoke, {
    url: `http://new.${text(fxiaoke.screen.read("account", at(2).fxiaoke)?.url).replace(/^https?:\/\/(www\.)?/, "")}`,
  });
  fxiaoke.screen.edit("account", at(4).fxiaoke, { remark: "季度回访：客户希望增加备件库存。" });
  clock.advance(20 * minuteMs);

  const deletedAt = [5, 6];
  const deleted = deletedAt.map(nameOf);
  for (const index of deletedAt) zoho.screen.remove("account", at(index).zoho);
  const merged = mergeTwins(zoho);
  clock.advance(20 * minuteMs);
  return { renamed, disputed, contested, tagged, deleted, merged };
}

/** Merges the younger of two records with one website into the older. */
function mergeTwins(zoho: Simulator): string {
  const older = new Map<string, string>();
  for (const id of zoho.screen.list("account")) {
    const record = zoho.screen.read("account", id);
    const domain = domainOf(record?.Website);
    const first = older.get(domain);
    if (first !== undefined) {
      zoho.screen.merge("account", first, [id]);
      return text(record?.Account_Name);
    }
    if (domain !== "") older.set(domain, id);
  }
  return "";
}
