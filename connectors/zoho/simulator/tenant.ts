/** The simulated organisation: its users, its modules and their fields, as the vendor ships them. */

export type Module = "Accounts" | "Contacts";
export const moduleNames: ReadonlyArray<Module> = ["Accounts", "Contacts"];
export const isModule = (name: unknown): name is Module => name === "Accounts" || name === "Contacts";

export interface SimulatedField {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly length?: number;
  readonly mandatory?: boolean;
  /** Kept by Zoho itself. */
  readonly system?: boolean;
  readonly unique?: boolean;
  readonly external?: boolean;
  readonly custom?: boolean;
  readonly target?: Module;
  options?: ReadonlyArray<string>;
  /** Refuses values outside the list instead of adding them. */
  readonly strict?: boolean;
}

/** A field that a customer adds in the setup. */
export interface CustomField {
  readonly module?: Module;
  readonly name: string;
  readonly label?: string;
  readonly type?: string;
  readonly length?: number;
  readonly unique?: boolean;
  readonly external?: boolean;
  readonly options?: ReadonlyArray<string>;
  readonly strict?: boolean;
  readonly mandatory?: boolean;
}

export interface SimulatedUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly active: boolean;
}

export const apiUser: SimulatedUser = {
  id: "5000000000000100009",
  name: "Hub Bot",
  email: "hub@example.com",
  active: true,
};
export const screenUser: SimulatedUser = {
  id: "5000000000000100001",
  name: "Ann Lee",
  email: "ann@example.com",
  active: true,
};
export const users: ReadonlyArray<SimulatedUser> = [
  apiUser,
  screenUser,
  { id: "5000000000000100002", name: "Ben Osei", email: "ben@example.com", active: true },
  { id: "5000000000000100003", name: "Cem Kaya", email: "cem@example.com", active: false },
];

export const moduleIds: Readonly<Record<Module, string>> = {
  Accounts: "5000000000000002177",
  Contacts: "5000000000000002179",
};

/** The field that stands for a record in lookups and in the list of deleted ones. */
export const nameFields: Readonly<Record<Module, string>> = { Accounts: "Account_Name", Contacts: "Full_Name" };

/** What an upsert compares when nothing is listed. */
export const systemKeys: Readonly<Record<Module, string>> = { Accounts: "Account_Name", Contacts: "Email" };

type More = Partial<Omit<SimulatedField, "name" | "label" | "type">>;

const field = (name: string, type: string, more: More = {}): SimulatedField => ({
  name,
  label: name.replaceAll("_", " ").trim(),
  type,
  ...more,
});
const text = (name: string, length: number, more: More = {}) => field(name, "text", { length, ...more });
const list = (name: string, options: ReadonlyArray<string>, more: More = {}) =>
  field(name, "picklist", { length: 120, options, ...more });
const address = (place: string, code: string) => [
  text(`${place}_Street`, 250),
  text(`${place}_City`, 100),
  text(`${place}_State`, 100),
  text(`${place}_${code}`, 30),
  text(`${place}_Country`, 100),
];

const system = { system: true } as const;
const kept = () => [
  field("Owner", "ownerlookup", { length: 120 }),
  field("Description", "textarea", { length: 32_000 }),
  field("Tag", "text", { length: 2000 }),
  field("Record_Image", "profileimage", { length: 255 }),
  field("Created_By", "ownerlookup", system),
  field("Modified_By", "ownerlookup", system),
  field("Created_Time", "datetime", system),
  field("Modified_Time", "datetime", system),
  field("Last_Activity_Time", "datetime", system),
  field("Change_Log_Time__s", "datetime", system),
  field("Locked__s", "boolean", system),
  list("Record_Status__s", ["Available", "Draft", "Trash"], system),
];

const industries = ["Agriculture", "Banking", "Communications", "Consulting", "Energy", "Manufacturing", "Technology"];
const sources = ["Advertisement", "Cold Call", "Employee Referral", "Partner", "Trade Show", "Web Download"];

const accountFields = (): ReadonlyArray<SimulatedField> => [
  text("Account_Name", 200, { mandatory: true }),
  field("Parent_Account", "lookup", { target: "Accounts", length: 120 }),
  field("Account_Number", "bigint", { length: 18 }),
  text("Account_Site", 80),
  list("Account_Type", ["Analyst", "Competitor", "Customer", "Partner", "Prospect", "Reseller"]),
  list("Industry", industries),
  list("Ownership", ["Government", "Private", "Public Company"]),
  list("Rating", ["Acquired", "Active", "Market Failed", "Project Cancelled", "Shut Down"]),
  field("Phone", "phone", { length: 30 }),
  text("Fax", 30),
  field("Website", "website", { length: 255 }),
  text("Ticker_Symbol", 30),
  field("Employees", "integer", { length: 9 }),
  field("Annual_Revenue", "currency", { length: 16 }),
  field("SIC_Code", "integer", { length: 9 }),
  ...address("Billing", "Code"),
  ...address("Shipping", "Code"),
  ...kept(),
];

const contactFields = (): ReadonlyArray<SimulatedField> => [
  text("First_Name", 40),
  text("Last_Name", 80, { mandatory: true }),
  text("Full_Name", 120, system),
  list("Salutation", ["Mr.", "Mrs.", "Ms.", "Dr.", "Prof."]),
  field("Account_Name", "lookup", { target: "Accounts", length: 120 }),
  field("Reporting_To", "lookup", { target: "Contacts", length: 120 }),
  field("Email", "email", { length: 100 }),
  field("Secondary_Email", "email", { length: 100 }),
  ...["Phone", "Mobile", "Home_Phone", "Other_Phone", "Asst_Phone"].map((name) => field(name, "phone", { length: 30 })),
  text("Fax", 30),
  text("Title", 100),
  text("Department", 50),
  text("Assistant", 50),
  field("Date_of_Birth", "date"),
  list("Lead_Source", sources),
  field("Email_Opt_Out", "boolean"),
  text("Skype_ID", 50),
  text("Twitter", 50),
  ...address("Mailing", "Zip"),
  ...address("Other", "Zip"),
  ...kept(),
];

export type Schema = Readonly<Record<Module, Map<string, SimulatedField>>>;

export function createSchema(custom: ReadonlyArray<CustomField>, multiCurrency: boolean): Schema {
  const money = multiCurrency
    ? [list("Currency", ["USD", "EUR", "INR", "CNY"], { strict: true }), field("Exchange_Rate", "double")]
    : [];
  const mapOf = (module: Module, fields: ReadonlyArray<SimulatedField>) =>
    new Map(
      [...fields, ...money, ...custom.filter((one) => (one.module ?? module) === module).map(customOf)].map((one) => [
        one.name,
        { ...one },
      ]),
    );
  return { Accounts: mapOf("Accounts", accountFields()), Contacts: mapOf("Contacts", contactFields()) };
}

function customOf({ module: _, label, type, length, ...rest }: CustomField): SimulatedField {
  const kind = type ?? "text";
  return {
    ...rest,
    label: label ?? rest.name.replaceAll("_", " "),
    type: kind,
    custom: true,
    ...(length === undefined ? (kind === "text" ? { length: 255 } : {}) : { length }),
  };
}
