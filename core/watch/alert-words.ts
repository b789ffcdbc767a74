/** Alerts in words, in English and Chinese: what is wrong, and what to do. */
import type { AlertRule } from "../config/alerts-shape.ts";
import type { Notice } from "../plugin.ts";
import type { AlertDetail, AlertRow } from "../store/alerts.ts";

export type Language = "en" | "zh";

interface Words {
  readonly begun: (subject: string, detail: AlertDetail) => string;
  readonly ended: (subject: string) => string;
  readonly remedy: string;
}

const number = (value: AlertDetail[string] | undefined): number => (typeof value === "number" ? value : 0);
const percent = (value: AlertDetail[string] | undefined): string => `${(number(value) * 100).toFixed(2)} %`;

const units = [
  [86_400_000, "d", "天"],
  [3_600_000, "h", "小时"],
  [60_000, "min", "分钟"],
  [1_000, "s", "秒"],
] as const;

function time(value: AlertDetail[string] | undefined, language: Language): string {
  const ms = number(value);
  const [unitMs, en, zh] = units.find(([unit]) => ms >= unit && ms % unit === 0) ?? units[3];
  return `${Math.round(ms / unitMs)} ${language === "en" ? en : zh}`;
}

const english: Readonly<Record<AlertRule, Words>> = {
  failing: {
    begun: (subject, { forMs }) => `${subject} has been failing for ${time(forMs, "en")}`,
    ended: (subject) => `${subject} works again`,
    remedy: "Ask the system: npx syncline check",
  },
  agreement: {
    begun: (subject, { share, below }) =>
      `${subject} agrees in ${percent(share)} of its fields, below ${percent(below)}`,
    ended: (subject) => `${subject} agrees again`,
    remedy: "See what would be written: npx syncline plan --full",
  },
  outbox: {
    begun: (subject, { count, olderMs }) =>
      `${count} records wait to be written to ${subject}, one for ${time(olderMs, "en")}`,
    ended: (subject) => `${subject} is written in time again`,
    remedy: "See why: npx syncline connections",
  },
  brake: {
    begun: (subject) => `A brake holds ${subject}: too many deletes, blanks or overwrites at once`,
    ended: (subject) => `${subject} goes on: the brake was released`,
    remedy: "Look and decide: npx syncline conflicts list",
  },
  conflicts: {
    begun: (_, { count, withinMs }) => `${count} questions for a person were opened within ${time(withinMs, "en")}`,
    ended: () => "Questions come slowly again",
    remedy: "Look at them: npx syncline conflicts list",
  },
  deadLetters: {
    begun: (subject, { count }) => `${subject} has ${count} dead letters: they will not succeed alone`,
    ended: (subject) => `${subject} has no dead letters any more`,
    remedy: "See the remedy of each: npx syncline dead-letters list",
  },
  channel: {
    begun: (subject) => `${subject} does not take or keep its webhook channel`,
    ended: (subject) => `${subject} calls by webhook again`,
    remedy: "Until then its schedule finds the changes. See why: npx syncline connections",
  },
  signIns: {
    begun: (_, { count, withinMs }) => `${count} requests without a good key came within ${time(withinMs, "en")}`,
    ended: () => "Requests without a good key have ceased",
    remedy: "Look for a client with an old key, or block the address: the log has the requests",
  },
  exports: {
    begun: (_, { count, withinMs }) => `${count} exports were begun within ${time(withinMs, "en")}`,
    ended: () => "Exports are back to their usual number",
    remedy: "The audit log tells who it was; end a key with: npx syncline keys revoke",
  },
  store: {
    begun: () => "The store does not read or write",
    ended: () => "The store answers again",
    remedy: "Nothing that was acknowledged is lost. Look at the disk and its free space",
  },
};

const chinese: Readonly<Record<AlertRule, Words>> = {
  failing: {
    begun: (subject, { forMs }) => `${subject} 已失败 ${time(forMs, "zh")}`,
    ended: (subject) => `${subject} 已恢复`,
    remedy: "检查该系统：npx syncline check",
  },
  agreement: {
    begun: (subject, { share, below }) => `${subject} 的字段一致率为 ${percent(share)}，低于 ${percent(below)}`,
    ended: (subject) => `${subject} 已恢复一致`,
    remedy: "查看将要写入的内容：npx syncline plan --full",
  },
  outbox: {
    begun: (subject, { count, olderMs }) => `${count} 条记录等待写入 ${subject}，最久已等 ${time(olderMs, "zh")}`,
    ended: (subject) => `${subject} 的写入已恢复及时`,
    remedy: "查看原因：npx syncline connections",
  },
  brake: {
    begun: (subject) => `${subject} 被制动停下：一次删除、清空或覆盖过多`,
    ended: (subject) => `${subject} 的制动已解除，继续运行`,
    remedy: "查看并决定：npx syncline conflicts list",
  },
  conflicts: {
    begun: (_, { count, withinMs }) => `${time(withinMs, "zh")}内出现 ${count} 个待人决定的问题`,
    ended: () => "待决问题的增长已恢复正常",
    remedy: "查看：npx syncline conflicts list",
  },
  deadLetters: {
    begun: (subject, { count }) => `${subject} 有 ${count} 条死信，不会自行成功`,
    ended: (subject) => `${subject} 已没有死信`,
    remedy: "查看各条的处理办法：npx syncline dead-letters list",
  },
  channel: {
    begun: (subject) => `${subject} 不接受或丢失了 webhook 渠道`,
    ended: (subject) => `${subject} 的 webhook 已恢复`,
    remedy: "在此之前由计划任务发现变更。查看原因：npx syncline connections",
  },
  signIns: {
    begun: (_, { count, withinMs }) => `${time(withinMs, "zh")}内有 ${count} 个没有有效密钥的请求`,
    ended: () => "没有有效密钥的请求已停止",
    remedy: "查找使用旧密钥的程序，或封锁来源地址；日志中有这些请求",
  },
  exports: {
    begun: (_, { count, withinMs }) => `${time(withinMs, "zh")}内开始了 ${count} 次导出`,
    ended: () => "导出次数已恢复正常",
    remedy: "审计日志记有是谁；吊销密钥：npx syncline keys revoke",
  },
  store: {
    begun: () => "存储无法读写",
    ended: () => "存储已恢复",
    remedy: "已确认的内容不会丢失。请检查磁盘及剩余空间",
  },
};

const lasting = { en: "still", zh: "仍然" } as const;
const since = { en: "Since", zh: "开始于" } as const;
const reasonIs = { en: "Reason", zh: "原因" } as const;

export interface Telling {
  readonly kind: "begun" | "lasts" | "ended";
  readonly row: AlertRow;
  readonly hub: string;
  readonly at: number;
  readonly language: Language;
}

/** Shape   one line that says it, then since when, why, and what to do. */
export function noticeOf({ kind, row, hub, at, language }: Telling): Notice {
  const { rule, subject, since: began, detail } = row;
  const all = language === "en" ? english : chinese;
  const words = isRule(rule) ? all[rule] : undefined;
  const what = words === undefined ? rule : kind === "ended" ? words.ended(subject) : words.begun(subject, detail);
  const why = typeof detail.reason === "string" && kind !== "ended" ? [`${reasonIs[language]}: ${detail.reason}`] : [];
  const remedy = words === undefined || kind === "ended" ? [] : [words.remedy];
  return {
    id: `${rule}_${subject}_${began}_${kind}${kind === "lasts" ? `_${at}` : ""}`.replace(/[^A-Za-z0-9_-]/g, "-"),
    kind,
    rule,
    connection: subject === "" ? null : subject,
    hub,
    since: began,
    at,
    title: `[${hub}] ${kind === "lasts" ? `${lasting[language]}: ` : ""}${what}`,
    lines: [`${since[language]} ${new Date(began).toISOString().slice(0, 19).replace("T", " ")}Z`, ...why, ...remedy],
  };
}

const isRule = (rule: string): rule is AlertRule => Object.hasOwn(english, rule);

export function testNotice(hub: string, at: number, language: Language): Notice {
  const title = language === "en" ? "a test: alerts arrive here" : "测试：告警可以送达这里";
  const lines = language === "en" ? ["Nothing is wrong."] : ["没有发生任何问题。"];
  return {
    id: `test_${at}`,
    kind: "test",
    rule: "test",
    connection: null,
    hub,
    since: at,
    at,
    title: `[${hub}] ${title}`,
    lines,
  };
}
