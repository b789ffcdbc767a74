/** What stands before every call: tokens of both generations, the acting user, the throttle and the daily count. */
import type { FxiaokeSwitches } from "./switches.ts";
import { employees, openIdOf, plainIdOf, tenant } from "./tenant.ts";
import { isJson, type Json, Refused } from "./wire.ts";

export type Style = "app_secret" | "legacy";

export interface Caller {
  readonly style: Style;
  readonly token: string;
  /** Plain id; empty where the call names no acting user. */
  readonly userId: string;
  /** Employees in records are FSUID_… values. */
  readonly openIds: boolean;
}

interface Issued {
  readonly value: string;
  readonly issuedAt: number;
  revoked: boolean;
}

const lifeMs = 7_200_000;
const sameMs = 6_600_000;
const tokenCallsMax = 10;
const tokenWindowMs = 60_000;
const windowMs = 20_000;
const dayMs = 86_400_000;
const shanghaiMs = 8 * 3_600_000;

const wrongToken = () => new Refused(20016, "the cropId,cropAccessToken or authorization is error");

export type Gate = ReturnType<typeof createGate>;

export function createGate(now: () => number, random: () => number, switches: FxiaokeSwitches) {
  const issued: Record<Style, Array<Issued>> = { app_secret: [], legacy: [] };
  const begun = new Map<string, Array<number>>();
  let tokenCallsUnderWay = 0;
  let day = -1;
  let callsToday = 0;

  const within = (key: string, count: number, spanMs: number): boolean => {
    const at = now();
    const times = (begun.get(key) ?? []).filter((time) => time > at - spanMs);
    const free = times.length < count;
    if (free) times.push(at);
    begun.set(key, times);
    return free;
  };

  const countToday = (): void => {
    const today = Math.floor((now() + shanghaiMs) / dayMs);
    if (today !== day) {
      day = today;
      callsToday = 0;
    }
    callsToday += 1;
    if (callsToday > switches.dailyCalls) throw new Refused(30002, "当天访问频次超限");
  };

  const tokenOf = (style: Style): Issued => {
    const list = issued[style];
    const newest = list.at(-1);
    if (newest !== undefined && !newest.revoked && now() - newest.issuedAt < sameMs) return newest;
    const value = Array.from({ length: 32 }, () =>
      Math.floor(random() * 16)
        .toString(16)
        .toUpperCase(),
    ).join("");
    const token: Issued = { value, issuedAt: now(), revoked: false };
    list.push(token);
    return token;
  };

  const checkToken = (style: Style, value: unknown): string => {
    const found = issued[style].find((token) => token.value === value);
    if (found === undefined || found.revoked || now() - found.issuedAt >= lifeMs) throw wrongToken();
    return found.value;
  };

  const actor = (id: unknown, open: boolean, missing: string): string => {
    if (typeof id !== "string" || id === "") throw new Refused(10010, missing);
    const plain = open ? plainIdOf(id) : id;
    if (switches.actorLeft) throw new Refused(30027, "员工不存在");
    const found = employees.find((employee) => employee.id === plain && !employee.isStop);
    if (found === undefined) throw new Refused(20012, "openUserId未找到");
    return found.id;
  };

  return {
    /** Both token endpoints: 10 calls a minute, none at the same time. */
    enterToken: (): void => {
      if (tokenCallsUnderWay > 0) throw new Refused(switches.throttleCode, "接口调用超过限制");
      if (!within("token", tokenCallsMax, tokenWindowMs)) throw new Refused(switches.throttleCode, "接口调用超过限制");
      tokenCallsUnderWay += 1;
    },
    leaveToken: (): void => {
      tokenCallsUnderWay -= 1;
    },
    issue: (style: Style, body: Json): Json => {
      const beside: Json =
        style === "app_secret" ? { error: "非法请求", error_description: "缺少参数或参数不合法" } : {};
      const illegal = (name: string) =>
        new Refused(10006, `the parameter ${name} is missing or illegal`, "缺少参数或参数不合法", beside);
      for (const name of ["appId", "appSecret", "permanentCode"] as const) {
        if (body[name] !== tenant[name]) throw illegal(name);
      }
      if (style === "app_secret" && body.grantType !== "app_secret") throw illegal("grantType");
      const { value, issuedAt } = tokenOf(style);
      const expiresIn = Math.floor((lifeMs - (now() - issuedAt)) / 1000);
      return style === "legacy"
        ? { corpAccessToken: value, corpId: tenant.corpId, expiresIn }
        : { openUserId: tenant.corpId, accessToken: value, expiresIn, appId: tenant.appId, ea: tenant.ea };
    },
    revoke: (value: string): void => {
      for (const token of [...issued.legacy, ...issued.app_secret]) if (token.value === value) token.revoked = true;
    },
    revokeAll: (): void => {
      for (const token of [...issued.legacy, ...issued.app_secret]) token.revoked = true;
    },
    /** Who calls; the two generations may not be mixed in one call. */
    identify: (headers: Headers, body: Json, acting: boolean): Caller => {
      const bearer = /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
      const inBody = body.corpAccessToken;
      if (bearer === undefined && inBody === undefined) throw new Refused(20017, "corpAccessToken为必填项，不能为空");
      const isMixed = ["corpAccessToken", "corpId", "currentOpenUserId"].some((name) => body[name] !== undefined);
      if (bearer !== undefined && isMixed) throw wrongToken();
      if (bearer === undefined) {
        const token = checkToken("legacy", inBody);
        if (body.corpId !== tenant.corpId) throw wrongToken();
        const openIds = body.convertUserId !== false;
        const userId = acting ? actor(body.currentOpenUserId, true, "currentOpenUserId 不能为空") : "";
        return { style: "legacy", token, userId, openIds };
      }
      const token = checkToken("app_secret", bearer);
      if (headers.get("x-fs-ea") !== tenant.ea) throw wrongToken();
      const userId = actor(headers.get("x-fs-userid"), false, "x-fs-userid 不能为空");
      return { style: "app_secret", token, userId, openIds: body.convertUserId === true };
    },
    /** Counts a business call against the pack and the interface's throttle. */
    admit: (path: string): void => {
      if (switches.quota === "none") throw new Refused(30003, "没有购买OpenAPI资源包");
      countToday();
      if (!within(path, switches.throttleCalls, windowMs)) throw new Refused(switches.throttleCode, "秒频次超限");
    },
  };
}

/** Employee values in the form that the caller uses. */
export function rendered(row: Json, openIds: boolean): Json {
  if (!openIds) return row;
  const names = ["owner", "created_by", "last_modified_by"];
  const turn = (value: unknown): unknown => (Array.isArray(value) ? value.map((id) => openIdOf(String(id))) : value);
  const team = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map((one) => (isJson(one) ? { ...one, teamMemberEmployee: turn(one.teamMemberEmployee) } : one))
      : value;
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      names.includes(name) ? turn(value) : name === "relevant_team" ? team(value) : value,
    ]),
  );
}
