/** Fills the simulated vendors, and the old list, with their shares of the invented customers. */
import { type Simulator, seededRandom } from "../../core/simulator.ts";
import { type Company, createWorld, industries, type Person, type World } from "./world.ts";

/** Which part of the world a system knows, as a share from `from` to `to` of all companies. */
interface Share {
  readonly from: number;
  readonly to: number;
}

/** Zoho knows the first two thirds, Fxiaoke the last two thirds; the old list knows a bit of everything. */
const zohoShare: Share = { from: 0, to: 0.66 };
const fxiaokeShare: Share = { from: 0.36, to: 1 };

const within = (share: Share, index: number, count: number): boolean =>
  index >= share.from * count && index < share.to * count;

const chosen = (world: World, share: Share): ReadonlyArray<Company> =>
  world.companies.filter((_, index) => within(share, index, world.companies.length));

const peopleOf = (world: World, companies: ReadonlyArray<Company>): ReadonlyArray<Person> => {
  const known = new Set(companies);
  return world.people.filter((person) => known.has(person.company));
};

const countryNames = { DE: "Germany", US: "United States", GB: "United Kingdom", FR: "France", CN: "China" } as const;

/** The same two people, as each CRM knows them. */
const zohoOwners = ["5000000000000100001", "5000000000000100002"];
const fxiaokeOwners = ["1001", "1002"];
const ownerOf = ({ employees }: Company): number => employees % 2;

/** Which company has two records in Zoho. */
export const duplicated = 7;

/** Accounts and contacts in Zoho's field names. */
export function seedZoho({ screen }: Pick<Simulator, "screen">, seed: number): void {
  const world = createWorld(seed);
  const companies = chosen(world, zohoShare);
  const ids = new Map<Company, string>();
  for (const company of companies) {
    const id = screen.create("account", {
      Account_Name: company.name,
      Website: `https://www.${company.domain}`,
      Phone: company.phone,
      Employees: company.employees,
      Industry: company.industry,
      Billing_Street: company.street,
      Billing_City: company.city,
      Billing_Code: company.postalCode,
      Billing_Country: countryNames[company.country],
      Description: company.description,
      ...(company.taxId === null ? {} : { Tax_Id: company.taxId }),
      ...(company.tags.length === 0 ? {} : { Tag: company.tags.map((name) => ({ name })) }),
      Owner: { id: zohoOwners[ownerOf(company)] },
    });
    ids.set(company, id);
  }
  for (const person of peopleOf(world, companies)) {
    screen.create("contact", {
      First_Name: person.given,
      Last_Name: person.family,
      Email: person.email,
      Mobile: person.mobile,
      Title: person.title,
      Account_Name: { id: ids.get(person.company) },
      Owner: { id: zohoOwners[ownerOf(person.company)] },
    });
  }
  // Somebody made a second record of a company that was there already.
  const twice = companies[duplicated];
  if (twice !== undefined) {
    screen.create("account", { Account_Name: twice.name, Website: `https://${twice.domain}`, Phone: twice.phone });
  }
}

/** Accounts and contacts in Fxiaoke's field names. What both CRMs know differs in details, as in life. */
export function seedFxiaoke({ screen }: Pick<Simulator, "screen">, seed: number): void {
  const world = createWorld(seed);
  const random = seededRandom(seed + 1);
  const companies = chosen(world, fxiaokeShare);
  const ids = new Map<Company, string>();
  for (const company of companies) {
    const differs = random();
    const id = screen.create("account", {
      name: differs < 0.12 ? company.legalName.toUpperCase() : company.name,
      url: `https://www.${company.domain}`,
      tel: localForm(differs > 0.93 ? otherPhone(company) : company.phone),
      address: company.street,
      remark: company.description,
      // Values of a list are numbered in the order of its labels.
      industry_level1: String(industries.indexOf(company.industry) + 1),
      ...(company.taxId === null ? {} : { uniform_social_credit_code: company.taxId }),
      owner: [fxiaokeOwners[ownerOf(company)]],
    });
    ids.set(company, id);
  }
  for (const person of peopleOf(world, companies)) {
    screen.create("contact", {
      name: /^\p{Script=Han}+$/u.test(person.family)
        ? `${person.family}${person.given}`
        : `${person.given} ${person.family}`,
      email: person.email,
      mobile1: localForm(person.mobile),
      account_id: ids.get(person.company),
      owner: [fxiaokeOwners[ownerOf(person.company)]],
    });
  }
}

/** Those of the customers' people who have a login in the portal; both CRMs know most of them. */
const directoryShare: Share = { from: 0.3, to: 0.5 };

/** Users of a directory, by the names of SCIM. */
export function seedScim({ screen }: Pick<Simulator, "screen">, seed: number): void {
  const world = createWorld(seed);
  for (const person of peopleOf(world, chosen(world, directoryShare))) {
    screen.create("contact", {
      userName: person.email,
      "name.givenName": person.given,
      "name.familyName": person.family,
      "emails[1]": person.email,
      title: person.title,
      active: true,
    });
  }
}

const otherPhone = ({ phone }: Company): string => phone.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));

/** Chinese numbers as people in China write them. */
const localForm = (phone: string): string => phone.replace(/^\+86 (1\d{10})$/, "$1").replace(/^\+86 (\d+) /, "0$1-");

/** The old list: headings as people write them, a few rows that nobody else knows, and two rows that are broken. */
export function legacyList(seed: number): string {
  const world = createWorld(seed);
  const strangers = createWorld(seed + 1000, 12).companies.map((company, index) => ({
    ...company,
    domain: `old-${index}.${company.domain}`.replace(/^old-(\d+)\./, "old$1-"),
    taxId: null,
    phone: "",
  }));
  const known = world.companies.filter((_, index) => index % 4 === 1);
  const rows = [...known, ...strangers].map((company, index) => [
    `L-${String(1001 + index)}`,
    company.name,
    `www.${company.domain}`,
    index % 7 === 3 ? "" : company.phone,
    company.street,
    company.postalCode,
    company.city,
    countryNames[company.country],
    company.taxId ?? "",
    company.tags.join(";"),
  ]);
  const lines = [
    ["Customer No", "Company", "Website", "Phone", "Street", "Zip", "City", "Country", "Tax ID", "Tags"],
    ...rows.slice(0, 20),
    ["", "Nobody Knows Ltd", "", "", "", "", "", "", "", ""],
    ...rows.slice(20),
    ["L-1003", "Twice Inc.", "", "", "", "", "", "", "", ""],
  ];
  return `${lines.map((cells) => cells.map(quoted).join(",")).join("\r\n")}\r\n`;
}

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
