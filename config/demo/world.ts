/**
 * The invented customers of the demo and the sandbox: companies and people, Latin and Chinese, always the same for one
 * seed. Some are known to both CRMs, some to one, some only to an old list; where several know one, details differ.
 */
import { seededRandom } from "../../core/simulator.ts";

export interface Company {
  readonly name: string;
  readonly legalName: string;
  readonly country: "DE" | "US" | "GB" | "FR" | "CN";
  readonly domain: string;
  /** 统一社会信用代码; only of Chinese companies. */
  readonly taxId: string | null;
  readonly phone: string;
  readonly street: string;
  readonly city: string;
  readonly postalCode: string;
  readonly employees: number;
  readonly industry: (typeof industries)[number];
  readonly tags: ReadonlyArray<string>;
  readonly description: string;
}

export interface Person {
  readonly given: string;
  readonly family: string;
  readonly email: string;
  readonly mobile: string;
  readonly title: string;
  readonly company: Company;
}

export interface World {
  readonly companies: ReadonlyArray<Company>;
  readonly people: ReadonlyArray<Person>;
}

/** The hub's words, in the order in which the Fxiaoke list has them. */
export const industries = ["Manufacturing", "Banking", "Technology"] as const;
export const industriesInChinese = { Manufacturing: "制造业", Banking: "金融业", Technology: "信息技术" } as const;

interface Place {
  readonly country: Exclude<Company["country"], "CN">;
  readonly cities: ReadonlyArray<readonly [string, string]>;
  readonly forms: ReadonlyArray<string>;
  readonly streets: ReadonlyArray<string>;
  readonly top: string;
  readonly given: ReadonlyArray<string>;
  readonly family: ReadonlyArray<string>;
  readonly phone: (digits: number) => string;
  readonly mobile: (digits: number) => string;
}

const places: ReadonlyArray<Place> = [
  {
    country: "DE",
    cities: [
      ["Berlin", "10115"],
      ["Hamburg", "20095"],
      ["München", "80331"],
      ["Köln", "50667"],
    ],
    forms: ["GmbH", "AG", "GmbH & Co. KG"],
    streets: ["Hauptstraße", "Lindenallee", "Industrieweg", "Am Hafen"],
    top: "de",
    given: ["Anna", "Lukas", "Marie", "Jonas", "Sophie", "Felix"],
    family: ["Müller", "Schneider", "Fischer", "Weber", "Becker", "Wagner"],
    phone: (digits) => `+49 30 ${200000 + digits}`,
    mobile: (digits) => `+49 151 ${20000000 + digits}`,
  },
  {
    country: "US",
    cities: [
      ["Austin", "78701"],
      ["Denver", "80202"],
      ["Portland", "97205"],
      ["Boston", "02108"],
    ],
    forms: ["Inc.", "LLC", "Corp."],
    streets: ["Main Street", "Market Street", "Lake Avenue", "Mill Road"],
    top: "com",
    given: ["Emma", "Liam", "Olivia", "Noah", "Ava", "Ethan"],
    family: ["Johnson", "Miller", "Davis", "Wilson", "Moore", "Taylor"],
    phone: (digits) => `+1 512-555-${String(1000 + (digits % 9000)).padStart(4, "0")}`,
    mobile: (digits) =>
      `+1 303-${String(200 + Math.floor(digits / 9000)).padStart(3, "0")}-${String(1000 + (digits % 9000)).padStart(4, "0")}`,
  },
  {
    country: "GB",
    cities: [
      ["London", "EC1A 1BB"],
      ["Leeds", "LS1 4AP"],
      ["Bristol", "BS1 5TR"],
    ],
    forms: ["Ltd", "PLC"],
    streets: ["High Street", "Station Road", "Church Lane"],
    top: "co.uk",
    given: ["Oliver", "Amelia", "George", "Isla", "Harry"],
    family: ["Smith", "Jones", "Evans", "Walker", "Wright"],
    phone: (digits) => `+44 20 7946 ${String(digits % 10_000).padStart(4, "0")}`,
    mobile: (digits) => `+44 7911 ${120000 + digits}`,
  },
  {
    country: "FR",
    cities: [
      ["Paris", "75001"],
      ["Lyon", "69002"],
      ["Nantes", "44000"],
    ],
    forms: ["SAS", "SARL"],
    streets: ["Rue de la Gare", "Avenue Victor Hugo", "Rue du Port"],
    top: "fr",
    given: ["Camille", "Hugo", "Léa", "Louis", "Chloé"],
    family: ["Martin", "Bernard", "Dubois", "Moreau", "Laurent"],
    phone: (digits) => `+33 1 42 ${pairs(680000 + digits)}`,
    mobile: (digits) => `+33 6 12 ${pairs(340000 + digits)}`,
  },
];

const pairs = (six: number): string =>
  String(six)
    .slice(0, 6)
    .replace(/(\d\d)(?=\d)/g, "$1 ");

const brands = [
  "Nordwind",
  "Bluepeak",
  "Ardent",
  "Helio",
  "Castor",
  "Vireo",
  "Lumen",
  "Orchard",
  "Granite",
  "Solstice",
  "Meridian",
  "Harbour",
  "Falcon",
  "Juniper",
  "Cobalt",
  "Aster",
  "Tundra",
  "Willow",
  "Quarry",
  "Beacon",
  "Kestrel",
  "Marlow",
  "Pioneer",
  "Sable",
  "Cedar",
  "Onyx",
  "Summit",
  "Delta",
  "Raven",
  "Amber",
];
const lines = ["Logistics", "Instruments", "Foods", "Energy", "Software", "Optics", "Pumps", "Textiles", "Analytics"];

const chineseCities: ReadonlyArray<{
  readonly city: string;
  readonly code: string;
  readonly area: string;
  readonly latin: string;
}> = [
  { city: "上海", code: "310115", area: "021", latin: "shanghai" },
  { city: "北京", code: "110108", area: "010", latin: "beijing" },
  { city: "深圳", code: "440305", area: "0755", latin: "shenzhen" },
  { city: "杭州", code: "330106", area: "0571", latin: "hangzhou" },
  { city: "成都", code: "510104", area: "028", latin: "chengdu" },
];
const chineseBrands: ReadonlyArray<readonly [string, string]> = [
  ["华锦", "huajin"],
  ["远航", "yuanhang"],
  ["恒信", "hengxin"],
  ["天瑞", "tianrui"],
  ["博雅", "boya"],
  ["金桥", "jinqiao"],
  ["瑞丰", "ruifeng"],
  ["盛达", "shengda"],
  ["新锐", "xinrui"],
  ["宏图", "hongtu"],
  ["安泰", "antai"],
  ["启明", "qiming"],
  ["联创", "lianchuang"],
  ["云帆", "yunfan"],
  ["德润", "derun"],
];
const chineseLines = ["电子", "精密机械", "新能源", "信息技术", "纺织", "食品", "物流"];
const chineseFamily = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄"];
const chineseGiven = ["伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "婷婷", "建国", "晓明"];
const chineseTitles = ["采购经理", "总经理", "财务主管", "技术总监"];
const titles = ["Head of Purchasing", "Managing Director", "Controller", "IT Manager", "Sales Director"];
const tagWords = ["key account", "export", "fair 2025", "reseller"];

/** Shape   `companies` of which two in five are Chinese, with one person each, two for every third. */
export function createWorld(seed: number, count = 230): World {
  const random = seededRandom(seed);
  const pick = <T>(list: ReadonlyArray<T>): T => list[Math.floor(random() * list.length)] as T;
  const companies: Array<Company> = [];
  const people: Array<Person> = [];
  const taken = new Set<string>();
  for (let index = 0; companies.length < count && index < count * 20; index++) {
    const number = companies.length;
    const company = number % 5 < 2 ? chineseCompany(number, pick, random) : latinCompany(number, pick, random);
    if (taken.has(company.domain)) continue;
    taken.add(company.domain);
    companies.push(company);
    const persons = number % 3 === 0 ? 2 : 1;
    for (let nth = 0; nth < persons; nth++) people.push(personOf(company, people.length, pick));
  }
  return { companies, people };
}

type Pick = <T>(list: ReadonlyArray<T>) => T;

function latinCompany(number: number, pick: Pick, random: () => number): Company {
  const place = pick(places);
  const brand = pick(brands);
  const line = pick(lines);
  const [city, postalCode] = pick(place.cities);
  const form = pick(place.forms);
  return {
    name: `${brand} ${line}`,
    legalName: `${brand} ${line} ${form}`,
    country: place.country,
    domain: `${brand}-${line}.${place.top}`.toLowerCase(),
    taxId: null,
    phone: place.phone(number * 37),
    street:
      place.country === "DE"
        ? `${pick(place.streets)} ${1 + (number % 80)}`
        : `${1 + (number % 80)} ${pick(place.streets)}`,
    city,
    postalCode,
    employees: 10 + Math.floor(random() * 4000),
    industry: pick(industries),
    tags: number % 4 === 0 ? [pick(tagWords)] : [],
    description: `Met at the trade fair; asked for the ${line.toLowerCase()} catalogue.`,
  };
}

function chineseCompany(number: number, pick: Pick, random: () => number): Company {
  const place = pick(chineseCities);
  const [brand, latin] = pick(chineseBrands);
  const line = pick(chineseLines);
  return {
    name: `${place.city}${brand}${line}有限公司`,
    legalName: `${place.city}${brand}${line}有限公司`,
    country: "CN",
    domain: `${latin}-${place.latin}${number}.cn`,
    taxId: creditCode(`91${place.code}MA1K${String(number).padStart(5, "0")}`),
    phone: `+86 ${place.area.slice(1)} ${localNumber(place.area, number)}`,
    street: `科技路${1 + (number % 300)}号`,
    city: place.city,
    postalCode: `${place.code.slice(0, 2)}0000`,
    employees: 20 + Math.floor(random() * 6000),
    industry: pick(industries),
    tags: number % 4 === 0 ? [pick(tagWords)] : [],
    description: `展会上认识，需要${line}产品目录。`,
  };
}

/** Eight digits; the longer area codes of Hangzhou and Shenzhen have eight too. */
const localNumber = (area: string, number: number): string =>
  String((area.length > 3 ? 8100_0000 : 6000_0000) + number * 131);

const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/** Adds the check character of GB 32100-2015 to 17 characters. */
function creditCode(stem: string): string {
  let sum = 0;
  let weight = 1;
  for (const character of stem) {
    sum += creditAlphabet.indexOf(character) * weight;
    weight = (weight * 3) % 31;
  }
  return stem + creditAlphabet.charAt((31 - (sum % 31)) % 31);
}

function personOf(company: Company, number: number, pick: Pick): Person {
  const place = places.find((one) => one.country === company.country);
  if (place === undefined) {
    return {
      given: pick(chineseGiven),
      family: pick(chineseFamily),
      email: `kehu${number}@${company.domain}`,
      mobile: `+86 138${String(10_000_000 + number * 97)}`,
      title: pick(chineseTitles),
      company,
    };
  }
  const given = pick(place.given);
  const family = pick(place.family);
  return {
    given,
    family,
    email: `${plain(given)}.${plain(family)}${number}@${company.domain}`,
    mobile: place.mobile(number * 53),
    title: pick(titles),
    company,
  };
}

const plain = (text: string): string =>
  text
    .normalize("NFD")
    .replace(/[^A-Za-z]/g, "")
    .toLowerCase();
