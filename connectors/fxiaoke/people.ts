/**
 * Who works in the tenant, for owner fields.
 *
 * Source  Fxiaoke OpenAPI manual, 获取部门下员工列表 (user/list); department 999999 is the whole company.
 */
import type { Person } from "../../core/connector.ts";
import { type Client, isJson } from "./client.ts";
import { paths, type Settings } from "./config.ts";

const wholeCompany = 999_999;

/** All employees with an id; those without an e-mail cannot own what the hub writes, and are left out. */
export async function people(client: Client, settings: Settings): Promise<ReadonlyArray<Person>> {
  const parameters = { departmentId: wholeCompany, fetchChild: true, showDepartmentIdsDetail: false };
  // The manual gives the old style's parameters beside the token; the new style puts business parameters into `data`.
  const shape = settings.auth.style === "legacy" ? { top: parameters } : { top: parameters, data: parameters };
  const { body } = await client.read({ path: paths.userList, ...shape, acting: false });
  const list = body.userList ?? (isJson(body.data) ? body.data.userList : undefined);
  const byId = new Map<string, Person>();
  for (const row of Array.isArray(list) ? list : []) {
    if (!isJson(row) || typeof row.openUserId !== "string") continue;
    const email = typeof row.email === "string" ? row.email.trim().toLowerCase() : "";
    if (email === "") continue;
    const name = typeof row.name === "string" ? row.name : "";
    byId.set(row.openUserId, { id: row.openUserId, email, name, active: row.isStop !== true });
  }
  return [...byId.values()];
}

/** Whether the directory names employees in the form that records do; owners cannot be mapped otherwise. */
export function idsFit(list: ReadonlyArray<Person>, settings: Settings): boolean {
  const open = settings.auth.style === "legacy" || settings.convertUserId;
  return list.every(({ id }) => id.startsWith("FSUID_") === open);
}
