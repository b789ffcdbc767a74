/**
 * What Fxiaoke's error codes mean for the hub. Every answer is HTTP 200; only `errorCode` in the body counts, and the
 * published table is not what the live gateway sends, so a few texts are read as well, for remedies only.
 *
 * Source  Fxiaoke OpenAPI manual, 全局错误码 (global error codes) and 接口频率 (call limits).
 */
import { AuthFailed, type Fault, RateLimited, Unavailable } from "../../core/connector.ts";

/** `token`: refresh once. `rate`, `daily`, `busy`: wait. `human`: the connection is broken. `record`: this record only. */
export type CodeClass = "token" | "rate" | "daily" | "busy" | "human" | "record";

interface CodeRow {
  readonly class: CodeClass;
  readonly meaning: string;
  readonly remedy: string;
}

const credentials = "Check appId, appSecret and permanentCode of the 企业自建应用 in the vendor's admin console.";
const appRights =
  "Open the app in the vendor's admin console: it must be enabled, authorised for the company and in 开发模式.";
const bug = "The call does not fit what the vendor expects; keep the trace id and report it.";
const employee = "Check userId and the owners map: the employee must exist, be active and be visible to the app.";

const rows = new Map<number, CodeRow>([
  [
    -2,
    {
      class: "record",
      meaning: "system error (系统错误)",
      remedy: "Try again later; give the vendor's support the trace id.",
    },
  ],
  [-1, { class: "busy", meaning: "system busy (系统繁忙)", remedy: "Nothing: it is tried again." }],
  [11009, { class: "record", meaning: "departmentId illegal", remedy: "Check the department values of the record." }],
  [11017, { class: "record", meaning: "msgType illegal", remedy: bug }],
  [11018, { class: "record", meaning: "templateId illegal", remedy: bug }],
  [12002, { class: "human", meaning: "login state wrong (登录状态错误)", remedy: credentials }],
  [12003, { class: "record", meaning: "message type wrong", remedy: bug }],
  [12004, { class: "record", meaning: "empty body", remedy: bug }],
  [12005, { class: "record", meaning: "empty text", remedy: bug }],
  [14001, { class: "rate", meaning: "too many calls (接口调用超过限制)", remedy: "Nothing: it is tried again." }],
  [15002, { class: "record", meaning: "parameter not legal (参数不合法)", remedy: bug }],
  [15003, { class: "human", meaning: "the app has no right to this call (APP没有访问权限)", remedy: appRights }],
  [20005, { class: "token", meaning: "access token missing or expired", remedy: credentials }],
  [20006, { class: "human", meaning: "appId or appSecret wrong", remedy: credentials }],
  [20010, { class: "human", meaning: "code missing or expired", remedy: credentials }],
  [20012, { class: "record", meaning: "employee not found (openUserId未找到)", remedy: employee }],
  [20014, { class: "record", meaning: "the app may not read this employee", remedy: employee }],
  [20015, { class: "human", meaning: "permanent code wrong (永久授权码错误)", remedy: credentials }],
  [20016, { class: "token", meaning: "token missing or expired", remedy: credentials }],
  [20017, { class: "human", meaning: "company or token missing", remedy: `${credentials} Check auth.style as well.` }],
  [20020, { class: "human", meaning: "the app has no right to the company", remedy: appRights }],
  [20021, { class: "human", meaning: "the app is disabled", remedy: appRights }],
  [20022, { class: "human", meaning: "the company has not authorised the app", remedy: appRights }],
  [20023, { class: "record", meaning: "the app has no right to the department", remedy: appRights }],
  [
    30002,
    {
      class: "daily",
      meaning: "calls of today used up (当天访问频次超限)",
      remedy: "Buy another pack of OpenAPI calls, or poll less often.",
    },
  ],
  [
    30003,
    { class: "human", meaning: "no OpenAPI calls purchased", remedy: "Buy a pack of OpenAPI calls from the vendor." },
  ],
  [
    30004,
    { class: "rate", meaning: "too many calls in a short time (秒频次超限)", remedy: "Nothing: it is tried again." },
  ],
  [
    30007,
    { class: "record", meaning: "department does not exist", remedy: "Check the department values of the record." },
  ],
  [30027, { class: "record", meaning: "employee does not exist", remedy: employee }],
  [32000, { class: "record", meaning: "parameter wrong (参数错误)", remedy: bug }],
  [40010, { class: "record", meaning: "templateId wrong", remedy: bug }],
  [50009, { class: "busy", meaning: "service failed or timed out (服务异常)", remedy: "Nothing: it is tried again." }],
]);
const parameter: CodeRow = { class: "record", meaning: "parameter missing or illegal", remedy: bug };

/** The live gateway uses 10001 to 11018 for other parameters than its table says, so no name is read into them. */
const rowOf = (code: number): CodeRow | undefined =>
  rows.get(code) ?? (code >= 10001 && code <= 11018 ? parameter : undefined);

/** An answer that is not a success. */
export interface Failure {
  readonly code: number;
  readonly message: string;
  readonly traceId: string;
}

interface TextRow {
  readonly pattern: RegExp;
  readonly class: "human" | "right" | "record" | "gone" | "locked" | "approval" | "duplicate";
  readonly remedy: string;
}

/** Read in this order; a text only refines what the code says. */
const texts: ReadonlyArray<TextRow> = [
  {
    pattern: /not in the ip white list/i,
    class: "human",
    remedy: "Add this machine's public address to the app's IP white list (IP白名单) in the vendor's admin console.",
  },
  {
    pattern: /currentOpenUserId\s*不能为空|x-fs-userid/i,
    class: "human",
    remedy: "Set userId (or mobile with auth.style: legacy) to the employee that acts for the hub.",
  },
  {
    pattern: /无此操作的数据权限/,
    class: "right",
    remedy: "Make the acting employee a CRM 管理员; if the record lies in a 公海 or 线索池, claim it there first.",
  },
  {
    pattern: /没有.{0,40}权限/,
    class: "right",
    remedy: "Give the acting employee the right to this object (CRM 管理员).",
  },
  { pattern: /^Bad Request$/i, class: "right", remedy: "The acting employee must be a CRM 管理员." },
  {
    pattern: /关联关系不存在/,
    class: "record",
    remedy: "The record that it points to does not exist in Fxiaoke; push the parent first or clear the field.",
  },
  { pattern: /NullPointerException/, class: "record", remedy: bug },
  { pattern: /锁定|locked/i, class: "locked", remedy: "Unlock the record in Fxiaoke; it is tried again." },
  { pattern: /审批|审核中|变更中/, class: "approval", remedy: "Finish the approval in Fxiaoke; it is tried again." },
  {
    pattern: /重复|查重|duplicate/i,
    class: "duplicate",
    remedy: "The tenant's duplicate rule found another record; link or merge the two.",
  },
  {
    // Only of the record itself: employees, fields, choices and objects can be missing too.
    pattern: /(数据|记录)(不存在|已被?删除|已被?作废)|\b(data|record) (does not exist|not found)/i,
    class: "gone",
    remedy: "The record is not there any more.",
  },
];

export const codeClass = (code: number): CodeClass => rowOf(code)?.class ?? "record";

export const textOf = (failure: Failure): TextRow | undefined => texts.find((row) => row.pattern.test(failure.message));

/** Words for people: code, meaning, the vendor's text and the trace id that its support asks for. */
export function explain(failure: Failure): string {
  const meaning = rowOf(failure.code)?.meaning;
  const trace = failure.traceId === "" ? "" : `, trace ${failure.traceId}`;
  return `Fxiaoke ${failure.code}${meaning === undefined ? "" : ` ${meaning}`}: ${failure.message}${trace}`;
}

/** The same words of two calls differ by the trace only. */
export const withoutTrace = (text: string): string => text.replace(/, trace \S+$/, "");

export function remedyOf(failure: Failure): string {
  return (
    textOf(failure)?.remedy ??
    rowOf(failure.code)?.remedy ??
    "Look the message up in the vendor's manual; give its support the trace id."
  );
}

const dayMs = 86_400_000;
const shanghaiMs = 8 * 3_600_000;

/** The next 00:00 in Asia/Shanghai (no summer time since 1991), when the daily count starts anew. */
export const nextShanghaiMidnight = (now: number): number =>
  (Math.floor((now + shanghaiMs) / dayMs) + 1) * dayMs - shanghaiMs;

/** The window of the vendor's limit is 20 s, so waiting longer than that gains nothing. */
const backoffMsMin = 5_000;
const backoffMsMax = 20_000;

/**
 * The fault behind a failed answer, or undefined where it concerns one record (or the token, which is refreshed first).
 *
 * Units   `now` is our clock; `strikes` counts refusals for rate in a row.
 */
export function faultOf(failure: Failure, now: number, strikes: number): Fault | undefined {
  if (textOf(failure)?.class === "human") return new AuthFailed(explain(failure), remedyOf(failure));
  switch (codeClass(failure.code)) {
    case "rate":
      return new RateLimited(explain(failure), now + Math.min(backoffMsMin * 2 ** strikes, backoffMsMax));
    case "daily":
      return new RateLimited(explain(failure), nextShanghaiMidnight(now));
    case "busy":
      // The vendor's words cover time-outs behind its gateway: the call may have been carried out.
      return new Unavailable(explain(failure), { sent: true });
    case "human":
      return new AuthFailed(explain(failure), remedyOf(failure));
    default:
      return undefined;
  }
}

/** A read that fails for good concerns the whole object, so it is a fault; a 500-like code without a known text may pass. */
export function readFaultOf(failure: Failure): Fault {
  if (failure.code >= 500 && failure.code < 600 && textOf(failure) === undefined) {
    return new Unavailable(explain(failure), { sent: true });
  }
  return new AuthFailed(explain(failure), remedyOf(failure));
}

/** The label or name of the field that a refusal names, such as `的字段[客户名称]`. */
export const fieldLabelOf = (failure: Failure): string | undefined => /字段\s*\[([^\]]+)\]/.exec(failure.message)?.[1];
