/**
 * Who works in the organisation, and who the hub acts as.
 *
 * Source  Zoho CRM API v8, "Get Users".
 */
import { type Person, Unavailable } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import { listIn, textOf } from "./json.ts";
import { hasMore, pageRowsMax } from "./rows.ts";

const pagesMax = 100;

/** All users, also those who left: records keep them as owners. */
export async function people(client: Client): Promise<ReadonlyArray<Person>> {
  const found: Array<Person> = [];
  for (let page = 1; page <= pagesMax; page += 1) {
    const { body } = await client.read({
      method: "GET",
      path: "/crm/v8/users",
      query: { type: "AllUsers", page: String(page), per_page: String(pageRowsMax) },
    });
    for (const user of listIn(body, "users")) {
      const id = textOf(user.id);
      const email = textOf(user.email);
      if (id === undefined || email === undefined) continue;
      found.push({ id, email, name: textOf(user.full_name) ?? email, active: user.status === "active" });
    }
    if (!hasMore(body)) return found;
  }
  throw new Unavailable(`Zoho lists more than ${pagesMax * pageRowsMax} users`, { sent: true });
}
