/**
 * The canonical fields. This is the one place to add a field: a line here, and a line in the map of each connector
 * that has it.
 */
import type { Entity, Field, Fields, Model, Sensitivity } from "./field.ts";
import type { FieldType } from "./value.ts";

/** A field declared in the YAML, under its name. */
export interface CustomField {
  readonly type: FieldType;
  readonly title?: { readonly en?: string; readonly zh?: string };
  readonly description?: string;
  /** Personal for contacts and for contact points, unless said; business else. */
  readonly sensitivity?: Sensitivity;
  readonly target?: Entity;
  readonly options?: ReadonlyArray<string>;
}

export type CustomFields = Readonly<Partial<Record<Entity, Readonly<Record<string, CustomField>>>>>;

type Extra = Partial<Pick<Field, "sensitivity" | "target" | "options">>;

type Line = readonly [name: string, type: FieldType, en: string, zh: string, description: string, extra?: Extra];

const personal: Extra = { sensitivity: "personal" };
const business: Extra = { sensitivity: "business" };

const account = fieldsOf("business", [
  ["name", "text", "Name", "名称", "The name that people use for the organisation."],
  ["legalName", "text", "Legal name", "法定名称", "The name under which the organisation is registered."],
  ["taxId", "taxid", "Tax ID", "税号", "The tax or company number, such as a VAT number or 统一社会信用代码."],
  ["domain", "domain", "Domain", "域名", "The registrable internet domain of the organisation."],
  ["website", "url", "Website", "网站", "The address of its main web page."],
  ["phone", "phone", "Phone", "电话", "Its main phone number, in E.164 where it can be read.", personal],
  ["email", "email", "E-mail", "电子邮箱", "Its main e-mail address.", personal],
  ["industry", "option", "Industry", "行业", "The trade that it is in."],
  ["employees", "integer", "Employees", "员工人数", "How many people work there."],
  ["annualRevenue", "money", "Annual revenue", "年收入", "Its revenue in one year, with the currency."],
  ["billingAddress", "address", "Billing address", "账单地址", "Where invoices go."],
  ["shippingAddress", "address", "Shipping address", "收货地址", "Where goods go."],
  ["owner", "owner", "Owner", "负责人", "Who of us looks after the account, as an e-mail address.", personal],
  [
    "lifecycleStage",
    "option",
    "Lifecycle stage",
    "客户阶段",
    "How far the organisation is on its way to being a customer.",
  ],
  [
    "status",
    "option",
    "Status",
    "状态",
    "Whether the account is in use.",
    { options: ["active", "inactive", "archived"] },
  ],
  ["rating", "option", "Rating", "评级", "How promising the account is."],
  ["tags", "set", "Tags", "标签", "Free words that people put on the account."],
  ["parent", "reference", "Parent account", "上级客户", "The account that this one belongs to.", { target: "account" }],
  ["description", "longtext", "Description", "描述", "Free notes about the account.", personal],
  ["source", "option", "Source", "来源", "How the account came to us."],
]);

const contact = fieldsOf("personal", [
  ["name", "name", "Name", "姓名", "The given and the family name."],
  [
    "account",
    "reference",
    "Account",
    "所属客户",
    "The account that the person works for.",
    { ...business, target: "account" },
  ],
  ["emails", "emails", "E-mails", "电子邮箱", "The person's e-mail addresses, the main one first."],
  ["phones", "phones", "Phones", "电话", "The person's phone numbers, the main one first."],
  ["mobile", "phone", "Mobile", "手机", "The person's mobile number, in E.164 where it can be read."],
  ["title", "text", "Job title", "职务", "What the person is there."],
  ["department", "text", "Department", "部门", "Where in the organisation the person works."],
  ["login", "text", "Login", "登录名", "The name with which the person signs in, where the system has logins."],
  ["active", "boolean", "Active", "启用", "Whether the person can sign in, or is still there.", business],
  ["address", "address", "Address", "地址", "Where the person can be reached by mail."],
  ["locale", "locale", "Language", "语言", "The person's language and region, such as zh-CN.", business],
  ["emailOptOut", "boolean", "No e-mails", "拒收邮件", "The person does not want e-mails."],
  ["phoneOptOut", "boolean", "No calls", "拒接电话", "The person does not want calls."],
  ["tags", "set", "Tags", "标签", "Free words that people put on the person."],
  ["owner", "owner", "Owner", "负责人", "Who of us looks after the person, as an e-mail address."],
  ["description", "longtext", "Description", "描述", "Free notes about the person."],
]);

export const builtInFields: Model = { account, contact };

/** The built-in fields with those declared in the YAML; a built-in field stays as it is. */
export function modelOf(custom: CustomFields): Model {
  return {
    account: withCustom("account", custom.account ?? {}),
    contact: withCustom("contact", custom.contact ?? {}),
  };
}

const fieldName = /^[a-z][A-Za-z0-9]{0,62}$/;

/** What is wrong with a declared field, in words for the person who wrote it; null if nothing is. */
export function problemOfCustom(entity: Entity, name: string, field: CustomField): string | null {
  if (!fieldName.test(name)) {
    return "A field name begins with a small letter and holds letters and digits only, at most 63. Rename the field.";
  }
  if (builtInFields[entity].has(name)) return `The ${entity} has a built-in field of this name. Rename the field.`;
  if (field.type === "reference" && field.target === undefined) {
    return "A reference needs a target. Add `target: account` or `target: contact`.";
  }
  if (field.type !== "reference" && field.target !== undefined)
    return "Only a reference has a target. Remove `target`.";
  if (field.type !== "option" && field.options !== undefined) return "Only an option has options. Remove `options`.";
  return null;
}

function fieldsOf(sensitivity: Sensitivity, lines: ReadonlyArray<Line>): Fields {
  return new Map(
    lines.map(([name, type, en, zh, description, extra]) => [
      name,
      { name, type, title: { en, zh }, description, sensitivity, ...extra },
    ]),
  );
}

function withCustom(entity: Entity, custom: Readonly<Record<string, CustomField>>): Fields {
  const fields = new Map(builtInFields[entity]);
  for (const [name, declared] of Object.entries(custom)) {
    if (fields.has(name)) continue;
    const { type, title, description, sensitivity, target, options } = declared;
    const en = title?.en ?? title?.zh ?? name;
    fields.set(name, {
      name,
      type,
      title: { en, zh: title?.zh ?? en },
      description: description ?? "A field of your own.",
      sensitivity: sensitivity ?? (entity === "contact" || namesPeople.has(type) ? "personal" : "business"),
      ...(target === undefined ? {} : { target }),
      ...(options === undefined ? {} : { options }),
    });
  }
  return fields;
}

/** Types that name or reach a person; a field of such a type is sealed unless the YAML says otherwise. */
const namesPeople: ReadonlySet<FieldType> = new Set([
  "email",
  "phone",
  "emails",
  "phones",
  "name",
  "owner",
  "longtext",
]);
