/** What `syncline init` writes: two CRMs and a file, with the secrets in the environment. */

/** Shape   YAML with comments that says what to fill in. */
export function initialConfig(): string {
  return text;
}

const env = (name: string): string => `\${${name}}`;

const text = `# yaml-language-server: $schema=./syncline.schema.json
#
# Values such as ${env("ZOHO_CLIENT_ID")} come from the environment, so that no secret stands in this file.
# After a change: syncline check (finds mistakes), then syncline plan (shows what would be written).

hub:
  name: acme
  store: sqlite:data/hub.db
  country: US # of phone numbers without a country code
  currency: USD # of amounts without a currency
  timeZone: UTC # of the schedules below

connections:
  zoho-eu:
    use: zoho
    region: eu
    auth:
      clientId: ${env("ZOHO_CLIENT_ID")}
      clientSecret: ${env("ZOHO_CLIENT_SECRET")}
      refreshToken: ${env("ZOHO_REFRESH_TOKEN")}
    pull:
      every: "*/5 * * * *" # changes
      sweep: "0 3 * * 0" # everything, to find what was missed
    push: "off" # nothing is written yet; remove this line when the plan looks right
    # key: { account: Hub_Id, contact: Hub_Id } # fields for the hub's id, which creates need
    # deletes: archive # what a delete here does: detach (default), archive, propagate, ignore
    # map: { account: { industry: Sector__c } } # other fields than the usual ones

  fxiaoke-cn:
    use: fxiaoke
    auth:
      appId: ${env("FXIAOKE_APP_ID")}
      appSecret: ${env("FXIAOKE_APP_SECRET")}
      permanentCode: ${env("FXIAOKE_PERMANENT_CODE")}
    userId: "1000" # the employee who acts for the hub
    country: CN
    currency: CNY
    pull:
      every: "*/5 * * * *"
      sweep: "0 3 * * 0"
    push: "off"

  customer-list:
    use: file
    path: data/customers.csv # also .tsv, .jsonl, .xlsx, a folder or a pattern such as data/*.csv
    entity: account
    id: Customer No # the column that identifies a row
    pull:
      every: "0 * * * *"

# Which value survives when two systems changed one field; the first rule with an opinion decides.
policy:
  account:
    default: [newest, { prefer: [zoho-eu, fxiaoke-cn, customer-list] }]
    fields:
      tags: union
      # owner: { only: fxiaoke-cn }
      # phone: manual

# Fields of your own:
# fields:
#   account:
#     tier: { type: option, description: How much service the customer has bought., options: [gold, silver] }
`;
