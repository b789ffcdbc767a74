/**
 * Which column holds what: by the configuration, by the column's own name, or by its heading in English or Chinese.
 *
 * A slot is a canonical field, or one member of it. Rules name slots, so that they do not depend on a file's headings;
 * a name in the YAML `map:` is a column.
 */

const headings = {
  name: "name|company|company name|account|account name|customer|customer name|organization|organisation|名称|公司|公司名称|公司名|企业名称|客户|客户名称|客户名|单位名称|姓名|联系人|联系人姓名|full name|contact|contact name",
  "name.given": "given name|first name|forename|名|名字",
  "name.family": "family name|last name|surname|姓|姓氏",
  legalName: "legal name|registered name|法定名称|注册名称|工商名称|公司全称|企业全称|客户全称",
  taxId:
    "tax id|tax number|vat|vat id|vat number|vat reg no|uscc|统一社会信用代码|社会信用代码|信用代码|税号|纳税人识别号|uniform social credit code",
  domain: "domain|email domain|域名",
  website: "website|web site|url|homepage|web|网站|网址|官网|公司网站|公司网址",
  phone: "phone|telephone|tel|phone number|main phone|电话|联系电话|电话号码|公司电话|固定电话|座机",
  email: "email|e-mail|mail|email address|电子邮箱|邮箱|电子邮件|邮件|公司邮箱",
  industry: "industry|sector|branch|行业|所属行业",
  employees: "employees|employee count|number of employees|headcount|员工人数|员工数|人数|人员规模",
  annualRevenue: "annual revenue|revenue|turnover|年收入|营业额|年营业额|年销售额",
  "annualRevenue.currency": "currency|revenue currency|币种|货币",
  "billingAddress.street":
    "street|address|billing address|billing street|地址|详细地址|账单地址|公司地址|注册地址|街道",
  "billingAddress.city": "city|town|billing city|城市|市|所在城市",
  "billingAddress.state": "state|province|region|billing state|省|省份|所在省份",
  "billingAddress.postalCode": "postal code|postcode|zip|zip code|billing zip|邮编|邮政编码",
  "billingAddress.country": "country|billing country|国家|国家地区",
  "shippingAddress.street": "shipping address|shipping street|delivery address|收货地址",
  "shippingAddress.city": "shipping city|收货城市",
  "shippingAddress.state": "shipping state|shipping province|收货省份",
  "shippingAddress.postalCode": "shipping zip|shipping postal code|收货邮编",
  "shippingAddress.country": "shipping country|收货国家",
  owner: "owner|account owner|sales rep|owner email|负责人|客户经理|销售负责人|归属人",
  lifecycleStage: "lifecycle stage|stage|客户阶段|生命周期",
  status: "status|account status|状态|客户状态",
  rating: "rating|评级|客户级别|客户等级|等级",
  tags: "tags|labels|标签",
  parent: "parent|parent account|parent company|上级客户|母公司|上级公司",
  description: "description|notes|note|remarks|comment|描述|备注|说明",
  source: "source|lead source|来源|客户来源",
  emails: "emails|email|e-mail|mail|email address|电子邮箱|邮箱|电子邮件|邮件",
  "emails.2": "email 2|other email|second email|备用邮箱|邮箱2",
  phones: "phones|phone|telephone|tel|phone number|work phone|电话|联系电话|办公电话|电话号码|座机",
  "phones.2": "phone 2|other phone|home phone|电话2|备用电话",
  mobile: "mobile|mobile phone|cell|cell phone|手机|手机号|手机号码|移动电话",
  title: "title|job title|position|role|职务|职位|头衔",
  department: "department|部门|所在部门",
  login: "login|username|user name|登录名|用户名|账号",
  active: "active|enabled|启用|是否启用|在职",
  "address.street": "street|address|mailing address|地址|详细地址|联系地址|街道",
  "address.city": "city|town|城市|市",
  "address.state": "state|province|省|省份",
  "address.postalCode": "postal code|postcode|zip|zip code|邮编|邮政编码",
  "address.country": "country|国家|国家地区",
  locale: "locale|language|语言",
  emailOptOut: "email opt out|no emails|unsubscribed|拒收邮件",
  phoneOptOut: "phone opt out|no calls|do not call|拒接电话",
} as const satisfies Readonly<Record<string, string>>;

export type Slot = keyof typeof headings;

// The keys of a constant are its own.
export const slots = Object.keys(headings) as ReadonlyArray<Slot>;

const isSlot = (name: string): name is Slot => Object.hasOwn(headings, name);

/** Headings without case, width, spaces and punctuation: `E-Mail` and `email` are one. */
const fold = (heading: string): string =>
  heading
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s_\-./:*()]+/g, "");

const folded: ReadonlyMap<string, ReadonlyArray<string>> = new Map(
  slots.map((slot) => [slot, [fold(slot), ...headings[slot].split("|").map(fold)]]),
);

/** The column of a remote name in this file; undefined where the file has none. */
export type Columns = (name: string) => string | undefined;

export function columnsFor(columns: ReadonlyArray<string>, configured: Readonly<Record<string, string>> = {}): Columns {
  const known = new Map<string, string | undefined>();
  const free = columns.filter((column) => !Object.hasOwn(configured, column));
  const find = (name: string): string | undefined => {
    const told = columns.find((column) => Object.hasOwn(configured, column) && configured[column] === name);
    if (told !== undefined) return told;
    if (columns.includes(name)) {
      // A column called `name` that the configuration gives another meaning is not the name.
      return isSlot(name) && Object.hasOwn(configured, name) ? byHeading(name, free) : name;
    }
    return byHeading(name, free);
  };
  return (name) => {
    if (!known.has(name)) known.set(name, find(name));
    return known.get(name);
  };
}

/** The first heading of the table wins, so that a company name is preferred to a contact's. */
function byHeading(name: string, columns: ReadonlyArray<string>): string | undefined {
  if (!isSlot(name)) return columns.find((column) => fold(column) === fold(name) && fold(name) !== "");
  for (const heading of folded.get(name) ?? []) {
    const column = columns.find((candidate) => fold(candidate) === heading);
    if (column !== undefined) return column;
  }
  return undefined;
}
