/** What the demo says, in English and Chinese. */
import type { Deeds } from "./people.ts";
import type { PortalDeeds, PortalOutcome } from "./portal.ts";

export interface Words {
  readonly title: string;
  readonly starting: string;
  readonly started: (systems: ReadonlyArray<string>) => string;
  readonly known: (zoho: number, fxiaoke: number, list: number) => string;
  readonly check: string;
  readonly checked: string;
  readonly plan: string;
  readonly planned: (creates: number, updates: number, calls: number) => string;
  readonly firstSync: string;
  readonly firstDone: (accounts: number, contacts: number, seconds: string) => string;
  readonly bad: (letters: number) => string;
  readonly day: string;
  readonly deeds: (deeds: Deeds) => ReadonlyArray<string>;
  readonly portalDeeds: (deeds: PortalDeeds) => ReadonlyArray<string>;
  readonly portalOutcome: (deeds: PortalDeeds, outcome: PortalOutcome) => ReadonlyArray<string>;
  readonly secondSync: string;
  readonly rest: (writes: number) => string;
  readonly explain: (name: string) => string;
  readonly conflicts: (settled: number, open: number) => string;
  readonly openNote: string;
  readonly agreement: (share: string, outbox: number, letters: number) => string;
  readonly exported: (file: string, rows: number) => string;
  readonly next: (yaml: string) => string;
  /** The hub goes on: where it is, and a key that may look. */
  readonly stays: (url: string, key: string) => ReadonlyArray<string>;
}

const done = (isSo: boolean): string => (isSo ? "✓" : "✗");

const english: Words = {
  title: "Syncline demo: two CRMs, a directory and an old customer list, brought into agreement",
  starting: "1  Starting a simulated Zoho CRM, a simulated Fxiaoke (纷享销客), a directory and an empty hub …",
  started: (systems) => `   ${systems.join(", ")}`,
  known: (zoho, fxiaoke, list) =>
    `   Zoho knows ${zoho} accounts, Fxiaoke ${fxiaoke}, the old list has ${list} rows; about half of them are the same companies.`,
  check: "2  check: is the configuration sound, do the systems answer, may the hub read and write?",
  checked: "   All good.",
  plan: "3  plan: what would a sync write? Nothing is written yet.",
  planned: (creates, updates, calls) =>
    `   It would create ${creates} records and update ${updates}, in about ${calls} calls.`,
  firstSync: "4  serve: the hub starts; it reads all of them, matches, merges, and writes what is missing",
  firstDone: (accounts, contacts, seconds) =>
    `   One customer base: ${accounts} accounts and ${contacts} contacts, in ${seconds} s.`,
  bad: (letters) =>
    `   ${letters} things could not be taken or written as they are. They wait as dead letters, each with its remedy:`,
  day: "5  A day passes. People work in both CRMs, often on the same customers:",
  deeds: ({ renamed, disputed, contested, tagged, deleted, merged }) => [
    `   Zoho     renamed ${renamed}`,
    `   both     changed the phone of ${disputed}, each to another number`,
    `   both     changed the website of ${contested}`,
    `   Zoho     tagged ${tagged}`,
    `   Zoho     deleted ${deleted.join(" and ")}`,
    `   Zoho     merged the two records that it had of ${merged}`,
  ],
  portalDeeds: ({ added, deactivated, pushed }) => [
    `   Zoho     took on ${added}, who administers the customer portal`,
    `   hub      somebody deactivated ${deactivated}, who has a login in the directory`,
    `   IdP      pushed a new user, ${pushed}, into the hub (SCIM)`,
  ],
  portalOutcome: ({ added, deactivated, pushed }, outcome) => [
    `   ${done(outcome.provisioned)} ${added} has a login in the directory`,
    `   ${done(outcome.deactivated)} ${deactivated} is deactivated there, and not deleted`,
    `   ${done(outcome.arrived)} ${pushed} is a contact in Zoho and in Fxiaoke`,
  ],
  secondSync: "6  Webhooks tell the hub; it reads the records that they name, and nothing else",
  rest: (writes) => `   Once more, to see that it rests: ${writes} writes.`,
  explain: (name) => `7  explain: why does ${name} have this website?`,
  conflicts: (settled, open) => `8  The conflict log: ${settled} settled by the rules, ${open} left to a person`,
  openNote: "   Open ones are written to nobody until somebody decides; settled ones can be undone.",
  agreement: (share, outbox, letters) =>
    `   Agreement of all mapped fields: ${share}. Waiting to be written: ${outbox}. Dead letters: ${letters}.`,
  exported: (file, rows) => `9  The unified customers for your analysts: ${rows} rows in ${file}`,
  next: (yaml) => `   Look around: npx syncline --config ${yaml} accounts list`,
  stays: (url, key) => [
    "The hub keeps running, and the simulated CRMs with it.",
    `   API and reference: ${url}/api/v1/docs`,
    `   A key that may look (viewer, 24 hours): ${key}`,
    `   Try: curl -H "Authorization: Bearer ${key}" ${url}/api/v1/accounts?limit=3`,
    "   Stop with Ctrl-C.",
  ],
};

const chinese: Words = {
  title: "Syncline 演示：让两个 CRM、一个目录和一份旧客户名单保持一致",
  starting: "1  启动模拟的 Zoho CRM、模拟的纷享销客、一个目录，以及一个空的数据中枢……",
  started: (systems) => `   ${systems.join("，")}`,
  known: (zoho, fxiaoke, list) =>
    `   Zoho 有 ${zoho} 个客户，纷享销客有 ${fxiaoke} 个，旧名单有 ${list} 行；其中约一半是同一家公司。`,
  check: "2  check：配置是否正确，系统是否应答，是否有读写权限？",
  checked: "   一切正常。",
  plan: "3  plan：同步会写入什么？此时什么都不写。",
  planned: (creates, updates, calls) => `   将新建 ${creates} 条记录，更新 ${updates} 条，约需 ${calls} 次调用。`,
  firstSync: "4  serve：数据中枢启动，读取所有来源，匹配、合并，补写缺失的内容",
  firstDone: (accounts, contacts, seconds) =>
    `   统一客户库：${accounts} 个客户，${contacts} 个联系人，用时 ${seconds} 秒。`,
  bad: (letters) => `   有 ${letters} 处无法按原样读取或写入，已作为死信保留，并各附处理办法：`,
  day: "5  过了一天。两边的人都在工作，常常改到同一个客户：",
  deeds: ({ renamed, disputed, contested, tagged, deleted, merged }) => [
    `   Zoho      把“${renamed}”改了名`,
    `   两边      都改了“${disputed}”的电话，号码不同`,
    `   两边      都改了“${contested}”的网址`,
    `   Zoho      给“${tagged}”加了标签`,
    `   Zoho      删除了“${deleted.join("”和“")}”`,
    `   Zoho      合并了“${merged}”的两条记录`,
  ],
  portalDeeds: ({ added, deactivated, pushed }) => [
    `   Zoho      新增了客户门户管理员“${added}”`,
    `   中枢      有人停用了“${deactivated}”，此人在目录中有登录账号`,
    `   身份提供方 通过 SCIM 推送了新用户“${pushed}”`,
  ],
  portalOutcome: ({ added, deactivated, pushed }, outcome) => [
    `   ${done(outcome.provisioned)} “${added}”在目录中有了登录账号`,
    `   ${done(outcome.deactivated)} “${deactivated}”在目录中被停用，而不是删除`,
    `   ${done(outcome.arrived)} “${pushed}”已是 Zoho 和纷享销客中的联系人`,
  ],
  secondSync: "6  webhook 通知数据中枢：只读取被点名的记录",
  rest: (writes) => `   再来一次，确认已经安定：写入 ${writes} 次。`,
  explain: (name) => `7  explain：“${name}”的网址为什么是这个值？`,
  conflicts: (settled, open) => `8  冲突记录：按规则解决 ${settled} 个，留给人决定 ${open} 个`,
  openNote: "   未决的冲突在有人决定之前不会写入任何系统；已解决的可以撤销。",
  agreement: (share, outbox, letters) => `   所有已映射字段的一致率：${share}。待写入：${outbox}。死信：${letters}。`,
  exported: (file, rows) => `9  给分析人员的统一客户表：${rows} 行，位于 ${file}`,
  next: (yaml) => `   继续查看：npx syncline --config ${yaml} accounts list`,
  stays: (url, key) => [
    "数据中枢继续运行，模拟的 CRM 也在运行。",
    `   API 与参考文档：${url}/api/v1/docs`,
    `   只读密钥（viewer，24 小时有效）：${key}`,
    `   试一试：curl -H "Authorization: Bearer ${key}" ${url}/api/v1/accounts?limit=3`,
    "   按 Ctrl-C 停止。",
  ],
};

export const wordsIn = (language: string): Words => (language === "zh" ? chinese : english);
