/** The simulated tenant: its app, its people, its objects and their fields. */

export const tenant = {
  ea: "acme01",
  tenantId: 590001,
  corpId: "FSCID_1A2B3C4D5E6F708192A3B4C5D6E7F809",
  appId: "FSAID_1310001",
  appSecret: "simulated-app-secret",
  permanentCode: "0123456789abcdef0123456789abcdef",
  /** The integration employee. */
  userId: "1000",
  mobile: "13800000000",
} as const;

/** The custom text field for the hub's id, on every simulated object. */
export const hubKeyField = "field_Hub01__c";

export const customObject = "object_Hub01__c";

export interface Employee {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly mobile: string;
  readonly isStop: boolean;
}

export const employees: ReadonlyArray<Employee> = [
  { id: "1000", name: "集成账号", email: "int@example.com", mobile: tenant.mobile, isStop: false },
  { id: "1001", name: "张三", email: "zhang.san@example.com", mobile: "13800000001", isStop: false },
  { id: "1002", name: "李四", email: "li.si@example.com", mobile: "13800000002", isStop: false },
  { id: "1003", name: "王五", email: "wang.wu@example.com", mobile: "13800000003", isStop: true },
  { id: "1004", name: "赵六", email: "", mobile: "13800000004", isStop: false },
];

/** The system user, which workflows write as. */
export const systemUser = "-10000";

const openPrefix = "FSUID_";

export const openIdOf = (id: string): string =>
  id.startsWith("-") ? id : `${openPrefix}${id.padStart(32, "0").toUpperCase()}`;

/** The plain id behind an FSUID_… value, or undefined. */
export function plainIdOf(openId: string): string | undefined {
  return employees.find(({ id }) => openIdOf(id) === openId)?.id;
}

export interface SimulatedField {
  readonly api_name: string;
  readonly label: string;
  readonly type: string;
  readonly is_required: boolean;
  readonly is_unique: boolean;
  readonly is_active: boolean;
  readonly define_type: "package" | "custom";
  readonly max_length?: number;
  readonly options?: ReadonlyArray<{ readonly label: string; readonly value: string }>;
  /** For lookups: the object that it points to. */
  readonly target_api_name?: string;
}

export const readOnlyTypes = new Set(["auto_number", "formula", "count", "quote"]);

/** Set by the platform; a value in a write is ignored. */
export const platformFields = new Set([
  "_id",
  "version",
  "create_time",
  "created_by",
  "last_modified_time",
  "last_modified_by",
  "life_status",
  "life_status_before_invalid",
  "lock_status",
  "is_deleted",
  "owner_modified_time",
  "owner_department",
  "object_describe_api_name",
  "tenant_id",
  "package",
  "relevant_team",
]);

type Extra = Partial<Omit<SimulatedField, "api_name" | "label" | "type">>;

const field = (api_name: string, label: string, type: string, extra: Extra = {}): SimulatedField => ({
  api_name,
  label,
  type,
  is_required: false,
  is_unique: false,
  is_active: true,
  define_type: api_name.endsWith("__c") ? "custom" : "package",
  ...(type === "text" ? { max_length: 256 } : {}),
  ...extra,
});

const choices = (...labels: ReadonlyArray<string>): Extra => ({
  options: labels.map((label, index) => ({ label, value: String(index + 1) })),
});

const system: ReadonlyArray<SimulatedField> = [
  field("_id", "ID", "text"),
  field("owner", "负责人", "employee", { is_required: true }),
  field("record_type", "业务类型", "record_type", { options: [{ label: "预设业务类型", value: "default__c" }] }),
  field("life_status", "生命状态", "select_one", {
    options: [
      { label: "未生效", value: "ineffective" },
      { label: "审核中", value: "under_review" },
      { label: "正常", value: "normal" },
      { label: "变更中", value: "in_change" },
      { label: "作废", value: "invalid" },
    ],
  }),
  field("life_status_before_invalid", "作废前生命状态", "text"),
  field("lock_status", "锁定状态", "select_one", {
    options: [
      { label: "未锁定", value: "0" },
      { label: "锁定", value: "1" },
    ],
  }),
  field("is_deleted", "是否删除", "true_or_false"),
  field("version", "版本", "text"),
  field("create_time", "创建时间", "date_time"),
  field("created_by", "创建人", "employee"),
  field("last_modified_time", "最后修改时间", "date_time"),
  field("last_modified_by", "最后修改人", "employee"),
  field("owner_department", "负责人主属部门", "text"),
  field("relevant_team", "相关团队", "embedded_object_list"),
  field(hubKeyField, "Hub ID", "text", { is_unique: true, max_length: 64 }),
];

const account: ReadonlyArray<SimulatedField> = [
  ...system,
  field("name", "客户名称", "text", { is_required: true }),
  field("account_no", "客户编号", "auto_number"),
  field("account_type", "类型", "select_one", choices("客户", "合作伙伴", "竞争对手")),
  field("account_level", "级别", "select_one", choices("重要客户", "普通客户", "一般客户")),
  field("account_source", "来源", "select_one", choices("网络", "展会", "转介绍")),
  field("industry_level1", "1级行业", "select_one", choices("制造业", "金融业", "信息技术", "零售业")),
  field("tel", "电话", "phone_number"),
  field("fax", "传真", "text"),
  field("email", "邮件", "email"),
  field("url", "网址", "url"),
  field("address", "详细地址", "text"),
  field("remark", "备注", "long_text"),
  field("country", "国家", "country"),
  field("province", "省", "province"),
  field("city", "市", "city"),
  field("uniform_social_credit_code", "统一社会信用代码", "text"),
  field("biz_reg_name", "工商注册", "true_or_false"),
  field("parent_account_id", "上级客户", "object_reference", { target_api_name: "AccountObj" }),
  field("owner_modified_time", "负责人变更时间", "date_time"),
  field("high_seas_id", "公海", "text"),
  field("deal_status", "成交状态", "select_one", choices("未成交", "已成交", "多次成交")),
  field("field_Emp01__c", "员工数", "number"),
  field("field_Rev01__c", "年营业额", "currency"),
  field("field_Day01__c", "成立日期", "date"),
  field("field_Tag01__c", "标签", "select_many", choices("重点", "老客户", "出口")),
  field("field_Old01__c", "停用字段", "text", { is_active: false }),
];

const contact: ReadonlyArray<SimulatedField> = [
  ...system,
  field("name", "姓名", "text", { is_required: true }),
  field("account_id", "客户名称", "object_reference", { target_api_name: "AccountObj" }),
  field("mobile1", "手机1", "phone_number"),
  field("mobile2", "手机2", "phone_number"),
  field("tel1", "电话1", "phone_number"),
  field("tel2", "电话2", "phone_number"),
  field("tel3", "电话3", "phone_number"),
  field("email", "邮件", "email"),
  field("company", "公司", "text"),
];

const custom: ReadonlyArray<SimulatedField> = [
  ...system,
  field("name", "名称", "text", { is_required: true }),
  field("field_Note1__c", "说明", "long_text"),
];

const byName = (fields: ReadonlyArray<SimulatedField>) => new Map(fields.map((one) => [one.api_name, one]));

export const objects: ReadonlyMap<
  string,
  { readonly label: string; readonly fields: ReadonlyMap<string, SimulatedField> }
> = new Map([
  ["AccountObj", { label: "客户", fields: byName(account) }],
  ["ContactObj", { label: "联系人", fields: byName(contact) }],
  [customObject, { label: "枢纽客户", fields: byName(custom) }],
]);
