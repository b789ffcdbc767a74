/**
 * What the settings say: fields, modules, users and the organisation.
 *
 * Source  Zoho CRM API v8, "Fields Metadata", "Modules Metadata", "Get Users" and "Get Organization".
 */
import {
  apiUser,
  isModule,
  type Module,
  moduleIds,
  moduleNames,
  type Schema,
  type SimulatedField,
  users,
} from "./tenant.ts";
import { answer, empty, type Json, refuse } from "./wire.ts";

export interface MetadataOptions {
  readonly schema: Schema;
  readonly hiddenFields: ReadonlySet<string>;
  readonly readOnlyFields: ReadonlySet<string>;
  readonly timeZone: string;
  readonly multiCurrency: boolean;
  readonly edition: string;
}

const jsonTypes: Readonly<Record<string, string>> = {
  integer: "integer",
  currency: "double",
  double: "double",
  percent: "double",
  boolean: "boolean",
  lookup: "jsonobject",
  ownerlookup: "jsonobject",
  multiselectpicklist: "jsonarray",
};

export type Metadata = ReturnType<typeof createMetadata>;

export function createMetadata(options: MetadataOptions) {
  const { schema, hiddenFields, readOnlyFields, timeZone, multiCurrency, edition } = options;

  const describe = (module: Module, field: SimulatedField, place: number): Json => {
    const { name, type } = field;
    const full = `${module}.${name}`;
    const isSystem = field.system === true;
    return {
      id: `500000000000000${String(moduleNames.indexOf(module) + 1)}${String(place).padStart(3, "0")}`,
      api_name: name,
      field_label: field.label,
      display_label: field.label,
      data_type: type,
      json_type: name === "Tag" ? "jsonarray" : (jsonTypes[type] ?? "string"),
      length: field.length ?? 0,
      decimal_place: type === "currency" ? 2 : null,
      system_mandatory: field.mandatory === true,
      custom_field: field.custom === true,
      read_only: isSystem || readOnlyFields.has(full),
      field_read_only: isSystem,
      visible: !hiddenFields.has(full),
      virtual_field: name === "Full_Name",
      unique: field.unique === true ? { casesensitive: "false" } : {},
      external: field.external === true ? { type: "org", show: false } : null,
      operation_type: {
        web_update: !isSystem,
        api_create: !isSystem,
        web_create: !isSystem,
        api_update: !isSystem,
      },
      view_type: { view: true, edit: !isSystem, create: !isSystem, quick_create: false },
      pick_list_values: (field.options ?? []).map((option, index) => ({
        id: `5000000000000${String(place).padStart(3, "0")}${String(index).padStart(3, "0")}`,
        display_value: option,
        actual_value: option,
        sequence_number: index + 1,
        type: "used",
      })),
      ...(type === "textarea" ? { textarea: { type: (field.length ?? 0) >= 50_000 ? "rich_text" : "large" } } : {}),
      lookup: field.target === undefined ? {} : { module: { api_name: field.target, id: moduleIds[field.target] } },
      multi_module_lookup: {},
      searchable: true,
      sortable: true,
      filterable: true,
      profiles: [],
    };
  };

  const userOf = ({ id, name, email, active }: (typeof users)[number]): Json => ({
    id,
    full_name: name,
    last_name: name.split(" ").at(-1),
    email,
    zuid: id.slice(-8),
    time_zone: timeZone,
    locale: "en_US",
    profile: { name: "Administrator", id: "5000000000000026011" },
    role: { name: "CEO", id: "5000000000000026005" },
    status: active ? "active" : "disabled",
    confirm: true,
  });

  const moduleOf = (name: Module): Json => ({
    id: moduleIds[name],
    api_name: name,
    module_name: name,
    plural_label: name,
    singular_label: name.slice(0, -1),
    api_supported: true,
    visible: true,
    creatable: true,
    editable: true,
    deletable: true,
    viewable: true,
    status: "visible",
    generated_type: "default",
  });

  return {
    fields: (request: Request): Response => {
      const module = new URL(request.url).searchParams.get("module");
      if (module === null) throw refuse.parameter("module");
      if (!isModule(module)) throw refuse.module();
      const fields = [...schema[module].values()].map((field, place) => describe(module, field, place));
      return fields.length === 0 ? empty(204) : answer({ fields });
    },
    field: (request: Request, id: string): Response => {
      const module = new URL(request.url).searchParams.get("module");
      if (module === null) throw refuse.parameter("module");
      if (!isModule(module)) throw refuse.module();
      const fields = [...schema[module].values()].map((field, place) => describe(module, field, place));
      const found = fields.find((field) => field.id === id);
      return found === undefined ? empty(204) : answer({ fields: [found] });
    },
    modules: (): Response => answer({ modules: moduleNames.map(moduleOf) }),
    module: (name: string): Response => {
      if (!isModule(name)) throw refuse.module();
      return answer({ modules: [moduleOf(name)] });
    },
    users: (request: Request): Response => {
      const query = new URL(request.url).searchParams;
      const type = query.get("type") ?? "AllUsers";
      const found = users.filter((user) =>
        type === "CurrentUser" ? user.id === apiUser.id : type === "ActiveUsers" ? user.active : true,
      );
      const page = Number(query.get("page") ?? 1);
      if (page > 1) return empty(204);
      return answer({
        users: found.map(userOf),
        info: { per_page: 200, count: found.length, page, more_records: false },
      });
    },
    org: (): Response =>
      answer({
        org: [
          {
            id: "5000000000000000001",
            zgid: "700000001",
            company_name: "Simulated Organisation",
            time_zone: timeZone,
            currency: "US Dollar",
            iso_code: "USD",
            mc_status: multiCurrency,
            license_details: { paid: edition !== "free", paid_type: edition, users_license_purchased: 10 },
            type: "production",
          },
        ],
      }),
  };
}
