/** The YAML keys of a Zoho CRM connection, the data centres, and the settings with their defaults filled in. */
import { type Entity, Schema } from "../../core/connector.ts";

const described = <S extends Schema.Top>(schema: S, description: string) => schema.annotate({ description });

export const regions = ["us", "eu", "in", "au", "jp", "cn", "ca", "sa"] as const;
export type Region = (typeof regions)[number];

export interface DataCentre {
  readonly accountsUrl: string;
  readonly apiUrl: string;
}

/** Canada's accounts server is in another domain than its API, so neither can be derived from the other. */
export const dataCentres: Readonly<Record<Region, DataCentre>> = {
  us: { accountsUrl: "https://accounts.zoho.com", apiUrl: "https://www.zohoapis.com" },
  eu: { accountsUrl: "https://accounts.zoho.eu", apiUrl: "https://www.zohoapis.eu" },
  in: { accountsUrl: "https://accounts.zoho.in", apiUrl: "https://www.zohoapis.in" },
  au: { accountsUrl: "https://accounts.zoho.com.au", apiUrl: "https://www.zohoapis.com.au" },
  jp: { accountsUrl: "https://accounts.zoho.jp", apiUrl: "https://www.zohoapis.jp" },
  cn: { accountsUrl: "https://accounts.zoho.com.cn", apiUrl: "https://www.zohoapis.com.cn" },
  ca: { accountsUrl: "https://accounts.zohocloud.ca", apiUrl: "https://www.zohoapis.ca" },
  sa: { accountsUrl: "https://accounts.zoho.sa", apiUrl: "https://www.zohoapis.sa" },
};

/** The hosts that a token of this data centre may name: production, sandbox and developer organisations. */
export function apiUrlsOf(region: Region): ReadonlyArray<string> {
  const { apiUrl } = dataCentres[region];
  return ["www", "sandbox", "developer"].map((place) => apiUrl.replace("//www.", `//${place}.`));
}

export const automations = ["workflow", "approval", "blueprint", "pathfinder", "orchestration"] as const;
export type Automation = (typeof automations)[number];

/** Late commits and equal seconds are covered by reading at least this far behind the last read. */
export const overlapMsMin = 60_000;
/** What one paged walk can reach; larger modules are first read in bulk. */
export const walkRowsMax = 100_000;

const Secret = Schema.String.check(Schema.isMinLength(1));
const Url = Schema.String.check(Schema.isPattern(/^https?:\/\/[^/\s]+\/?$/));

export const Config = Schema.Struct({
  region: described(Schema.Literals(regions), "Data centre of the organisation: us, eu, in, au, jp, cn, ca or sa."),
  accountsUrl: Schema.optionalKey(described(Url, "Accounts server, if it is not the data centre's own.")),
  apiUrl: Schema.optionalKey(
    described(Url, "API server, if it is not the one that Zoho names with each token, such as a proxy."),
  ),
  auth: described(
    Schema.Struct({
      clientId: described(Secret, "Client ID from the Zoho API console."),
      clientSecret: described(Secret, "Client secret from the Zoho API console."),
      refreshToken: described(Secret, "Refresh token of the user who acts for the hub."),
    }),
    "OAuth client and refresh token.",
  ),
  trigger: Schema.optionalKey(
    described(
      Schema.Array(Schema.Literals(automations)),
      "Automation that the hub's writes may start: workflow, approval, blueprint, pathfinder, orchestration. None unless said.",
    ),
  ),
  multiCurrency: Schema.optionalKey(
    described(Schema.Boolean, "True where the organisation has several currencies: amounts go with their Currency."),
  ),
  overlapMs: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isGreaterThanOrEqualTo(overlapMsMin)),
      "How far each pull reads back behind the last one, in milliseconds; 120000 unless said.",
    ),
  ),
  bulkReadAbove: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThanOrEqualTo(walkRowsMax)),
      "A first load of more records than this is made by bulk read; 100000 unless said, which is also the most.",
    ),
  ),
  dailyCredits: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isGreaterThan(0)),
      "API credits a day of the organisation; 50000 unless said. The hub stops at nine tenths of it.",
    ),
  ),
  concurrency: Schema.optionalKey(
    described(
      Schema.Int.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(25)),
      "Calls at the same time; 4 unless said. The editions allow 5 (Free), 10, 15, 20 and 25 (Ultimate).",
    ),
  ),
});

export type Config = typeof Config.Type;

/** The configuration with its defaults. */
export interface Settings {
  readonly region: Region;
  readonly accountsUrl: string;
  /** Set where the YAML names it; otherwise the token's answer does. */
  readonly apiUrl: string | undefined;
  readonly auth: { readonly clientId: string; readonly clientSecret: string; readonly refreshToken: string };
  readonly trigger: ReadonlyArray<Automation>;
  readonly multiCurrency: boolean;
  readonly overlapMs: number;
  readonly bulkReadAbove: number;
  readonly dailyCredits: number;
  readonly concurrency: number;
}

const bare = (url: string): string => url.replace(/\/$/, "");

export function settingsOf(config: Config): Settings {
  return {
    region: config.region,
    accountsUrl: bare(config.accountsUrl ?? dataCentres[config.region].accountsUrl),
    apiUrl: config.apiUrl === undefined ? undefined : bare(config.apiUrl),
    auth: config.auth,
    trigger: config.trigger ?? [],
    multiCurrency: config.multiCurrency ?? false,
    overlapMs: config.overlapMs ?? 120_000,
    bulkReadAbove: config.bulkReadAbove ?? walkRowsMax,
    dailyCredits: config.dailyCredits ?? 50_000,
    concurrency: config.concurrency ?? 4,
  };
}

export type Module = "Accounts" | "Contacts";
export const modules: Readonly<Record<Entity, Module>> = { account: "Accounts", contact: "Contacts" };

export const entityOf = (module: unknown): Entity | undefined =>
  (["account", "contact"] as const).find((entity) => modules[entity] === module);
