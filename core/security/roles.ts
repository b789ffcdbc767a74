/**
 * Who may do what: scopes, and roles as bundles of them with least privilege.
 *
 * A key has one role, and may have further scopes beside it, such as an analyst who may see personal data.
 */
export const scopes = [
  "self",
  "customers:read",
  "customers:write",
  "customers:export",
  "personal",
  "connections:read",
  "connections:operate",
  "audit:read",
  "keys:manage",
  "config:reload",
  "metrics",
  "provision",
] as const;

export type Scope = (typeof scopes)[number];

export const roles = ["viewer", "analyst", "steward", "operator", "auditor", "provisioner", "admin"] as const;

export type Role = (typeof roles)[number];

/** In English and Chinese, for help, the reference and the README. */
export type Words = { readonly en: string; readonly zh: string };

export const scopeWords: Readonly<Record<Scope, Words>> = {
  self: { en: "ask who one is", zh: "查询自己的身份" },
  "customers:read": {
    en: "read accounts, contacts, their history, explanations and conflicts",
    zh: "读取客户、联系人及其历史、解释与冲突",
  },
  "customers:write": {
    en: "edit, merge, link and restore them; resolve and undo conflicts",
    zh: "编辑、合并、关联、恢复客户；解决与撤销冲突",
  },
  "customers:export": { en: "export all of them", zh: "导出全部客户" },
  personal: { en: "see personal values, and search by them", zh: "查看个人信息，并按其搜索" },
  "connections:read": { en: "see connections, runs and dead letters", zh: "查看连接、运行记录与死信" },
  "connections:operate": {
    en: "pause, resume, sync, plan; replay dead letters",
    zh: "暂停、恢复、同步、预演；重放死信",
  },
  "audit:read": { en: "read and verify the audit log", zh: "读取与校验审计日志" },
  "keys:manage": { en: "list, create and revoke API keys", zh: "列出、创建、吊销 API 密钥" },
  "config:reload": { en: "preview and do a reload of the YAML", zh: "预览并重新加载 YAML 配置" },
  metrics: { en: "read /metrics from another machine", zh: "从其他机器读取 /metrics" },
  provision: { en: "push users and groups into one SCIM connection", zh: "向某个 SCIM 连接推送用户与群组" },
};

export const roleScopes: Readonly<Record<Role, ReadonlyArray<Scope>>> = {
  viewer: ["self", "customers:read"],
  analyst: ["self", "customers:read", "customers:export"],
  steward: ["self", "customers:read", "customers:write", "personal"],
  operator: ["self", "connections:read", "connections:operate", "config:reload", "metrics"],
  auditor: ["self", "connections:read", "audit:read"],
  provisioner: ["self", "provision"],
  admin: scopes,
};

export const roleWords: Readonly<Record<Role, Words>> = {
  viewer: { en: "looks at customers, personal values masked", zh: "查看客户，个人信息已遮蔽" },
  analyst: { en: "looks at customers and exports them, personal values masked", zh: "查看并导出客户，个人信息已遮蔽" },
  steward: { en: "decides about customers: edits, merges, conflicts", zh: "处理客户数据：编辑、合并、解决冲突" },
  operator: { en: "keeps the connections running, sees no customers", zh: "维护连接运行，看不到客户" },
  auditor: { en: "reads the audit log", zh: "读取审计日志" },
  provisioner: {
    en: "an identity provider: pushes into the one connection of its key",
    zh: "身份提供方：只向其密钥所属的连接推送",
  },
  admin: { en: "everything", zh: "全部权限" },
};

/** The scopes of a role with those that a key has beside it, without doubles, in a fixed order. */
export function scopesOf(role: Role, extra: ReadonlyArray<Scope> = []): ReadonlyArray<Scope> {
  const all = new Set<Scope>([...roleScopes[role], ...extra]);
  return scopes.filter((scope) => all.has(scope));
}

export const isRole = (text: string): text is Role => roles.some((role) => role === text);
export const isScope = (text: string): text is Scope => scopes.some((scope) => scope === text);
