/** Zoho's own screen: what people do there, and a start for tests and the demo. */
import type { Screen, Simulator } from "../../../core/simulator.ts";
import { modules as moduleOf } from "../config.ts";
import type { Store } from "./store.ts";
import { type Module, type Schema, screenUser, users } from "./tenant.ts";
import { storedOf } from "./values.ts";
import type { Json } from "./wire.ts";

export function createScreen(store: Store, schema: Schema): Screen {
  const valuesOf = (name: Module, fields: Readonly<Record<string, unknown>>): Json =>
    Object.fromEntries(
      Object.entries(fields).map(([field, value]) => {
        const known = schema[name].get(field);
        if (known === undefined) throw new Error(`${name} has no field ${field}`);
        return [field, storedOf(known, value)];
      }),
    );
  return {
    create: (entity, fields) => store.create(moduleOf[entity], valuesOf(moduleOf[entity], fields), screenUser.id).id,
    edit: (entity, id, fields) => {
      store.change(moduleOf[entity], id, valuesOf(moduleOf[entity], fields), screenUser.id);
    },
    remove: (entity, id) => store.remove(moduleOf[entity], id, screenUser.id),
    restore: (entity, id) => store.restore(moduleOf[entity], id),
    merge: (entity, masterId, childIds) => store.merge(moduleOf[entity], masterId, childIds, screenUser.id),
    read: (entity, id) => store.find(moduleOf[entity], id)?.values,
    list: (entity) => store.rows(moduleOf[entity]).map(({ id }) => id),
  };
}

/** Fills the simulated organisation as people would: accounts with one contact each. Returns the ids in order. */
export function seedZoho(
  { screen }: Simulator,
  { accounts, contacts = true }: { readonly accounts: number; readonly contacts?: boolean },
): { readonly accounts: ReadonlyArray<string>; readonly contacts: ReadonlyArray<string> } {
  const made: { readonly accounts: Array<string>; readonly contacts: Array<string> } = { accounts: [], contacts: [] };
  const owners = users.filter(({ active }) => active).map(({ id }) => ({ id }));
  for (let index = 1; index <= accounts; index += 1) {
    const number = String(index).padStart(5, "0");
    const account = screen.create("account", {
      Account_Name: `Example ${number} GmbH`,
      Phone: `+4930${number.padStart(7, "0")}`,
      Website: `https://www.example-${number}.com`,
      Industry: index % 2 === 0 ? "Technology" : "Energy",
      Employees: index,
      Billing_Street: `Hauptstraße ${index}`,
      Billing_City: "Berlin",
      Billing_Code: "10115",
      Billing_Country: "Germany",
      Owner: owners[index % owners.length],
    });
    made.accounts.push(account);
    if (!contacts) continue;
    const person = {
      First_Name: "Ann",
      Last_Name: `Example ${number}`,
      Account_Name: { id: account },
      Email: `ann@example-${number}.com`,
      Mobile: `+49151${number.padStart(7, "0")}`,
    };
    made.contacts.push(screen.create("contact", person));
  }
  return made;
}
