/** The descriptions of the API in Chinese, by their English text. A test fails on one that is missing here. */
const chinese: Readonly<Record<string, string>> = {
  "Rows of a page, 1 to 500; 50 unless said.": "每页行数，1 到 500；默认 50。",
  "`next` of the page before.": "上一页返回的 `next`。",
  "live unless said.": "默认 live。",
  "open unless said.": "默认 open。",
  "ISO 8601, UTC.": "ISO 8601，UTC。",
  "Only those with a live record there.": "只列出在该连接中有有效记录的。",
  "`field:value`, such as industry:Retail; several must all hold. Business fields only: search finds by e-mail and phone.":
    "`字段:值`，例如 industry:Retail；多个条件须同时满足。仅限业务字段；按邮箱和电话查找请用搜索。",
  "The cursor of the next page; null at the end. A page may hold fewer rows than asked for and still have a next one.":
    "下一页的游标；到末尾为 null。一页的行数可能少于所要求的，但仍有下一页。",
  "1 to 200 characters.": "1 到 200 个字符。",
  "Makes the write safe to repeat for 24 hours.": "24 小时内可以安全地重发该写入。",
  "The ETag that was seen; 412 if it has changed.": "所见的 ETag；已变化则返回 412。",
  "Keep the values against later edits too, until they are released.": "锁定这些值，之后的修改也不覆盖，直到解除。",
  "Keep the value until it is released.": "锁定该值，直到解除。",
  "The id of the one that becomes an alias.": "将成为别名的那一条的编号。",
  "Writes to list, 0 to 1000; 100 unless said. All are counted.": "列出多少条写入，0 到 1000；默认 100。全部计数。",
  "csv unless said, or jsonl.": "默认 csv，也可为 jsonl。",
  "Names of fields with commas between; all without.": "字段名，以逗号分隔；不写则为全部。",
  "null for a key that lasts until it is revoked.": "null 表示一直有效，直到被吊销。",
  "Scopes beside those of the role.": "角色之外的权限。",
  "To the minute.": "精确到分钟。",
  "What a provisioner pushes into.": "推送方所推送到的连接。",
  "true changes nothing and tells what would be taken back.": "true 表示不作改动，只说明会撤销什么。",
  "Changed since: each is a conflict that a person resolves.": "此后又有变动：各成为一个由人裁决的冲突。",
  "Accounts and contacts that it concerns.": "涉及的客户与联系人数。",
  "Accounts and contacts that become due to be written, by connection.": "各连接待写入的客户与联系人数。",
  "Changes that an undo leaves as they are, by kind.": "撤销不涉及的改动，按种类计数。",
  "The first 1,000.": "前 1000 条。",
  "The number of the change in a history.": "该改动在历史记录中的编号。",
  "RFC 9457: what went wrong and the remedy, never a secret or a value.":
    "RFC 9457：哪里出错以及如何补救，从不包含机密或字段值。",
  "The request, as X-Request-Id and the log name it.": "该请求，与 X-Request-Id 和日志中的编号一致。",
  "By the type of the field: a text, a number, true or false, a list of texts (sets, e-mails, phones), an object (addresses, names, money as { amount, currency }), or null for empty. Instants are ISO 8601. Without the scope `personal` a personal value is ••• in the same shape.":
    "取决于字段类型：文本、数字、真或假、文本列表（集合、邮箱、电话）、对象（地址、姓名、金额 { amount, currency }），空值为 null。时刻为 ISO 8601。没有 `personal` 权限时，个人信息以同样形状显示为 •••。",
  "Values by field; a field that is not known has no key.": "按字段的值；未知的字段没有键。",
  "What to call it: its name, or what comes nearest to one.": "称呼：名称，或最接近名称的内容。",
  "The id that was asked for; another one where it was merged into this.":
    "所请求的编号；若它已并入这一条则与 id 不同。",
  "When the value was changed in its source, as well as that is known; null where it is not.":
    "该值在来源中何时被修改（就所知而言）；未知则为 null。",
  "Where each value comes from.": "每个值的来源。",
  "A write to this connection is due.": "有待写入该连接的内容。",
  "The new canonical values.": "新的统一值。",
  "The values that they replaced.": "被替换的值。",
  "What the system said or was told, where that is not the new value.": "系统所报或所收到的值（与新值不同时）。",
  "Facts without personal values: rules, counts, states.": "不含个人信息的事实：规则、数量、状态。",
  "The conflict that asks again, where a decision was taken back; else null.":
    "撤销决定后重新待答复的冲突；否则为 null。",
  "`source` and `value` settle a value; `link`, `separate` and `merged` say who a record is; `merged`, `deleted` and `keep` answer deletes; `release` and `reject` answer a brake.":
    "`source` 与 `value` 决定取值；`link`、`separate`、`merged` 说明记录属于谁；`merged`、`deleted`、`keep` 答复删除；`release` 与 `reject` 答复制动。",
  "`updatedAt` of the row as it was seen; it asks again if it has changed since.":
    "所见该行的 `updatedAt`；若之后有变化则重新询问。",
  "running, ok, paused, held or failed.": "running、ok、paused、held 或 failed。",
  "Its place in the chain; null until it is linked.": "在链中的序号；尚未入链时为 null。",
};

/** A text without a translation stays as it is. */
export const inChinese = (english: string): string => chinese[english] ?? english;
