/** The reference of the YAML in Chinese, by its English text. `npm run docs` fails on a text that is missing here. */
const chinese: Readonly<Record<string, string>> = {
  key: "键",
  value: "值",
  meaning: "含义",
  keys: "键",
  text: "文本",
  list: "列表",
  number: "数字",
  any: "任意",
  "whole number": "整数",
  required: "必填",
  or: "或",
  "No keys of its own.": "没有自己的键。",
  "All connections and the hub": "数据中枢与所有连接",
  "Zoho CRM": "Zoho CRM",
  Fxiaoke: "纷享销客",
  Files: "文件",
  "The hub itself.": "数据中枢本身。",
  "The hub's name, shown in logs and pages; syncline unless said.":
    "数据中枢的名称，显示在日志和页面中；默认 syncline。",
  "Where the hub keeps its data: in a file, sqlite:data/hub.db unless said, or in a database, postgres://user:password@host/database.":
    "数据存放位置：文件（默认 sqlite:data/hub.db），或数据库 postgres://user:password@host/database。",
  "Country of phone numbers and addresses that name none; US unless said.":
    "电话和地址未写国家时按此国家解读；默认 US。",
  "Currency of amounts that name none; USD unless said.": "金额未写币种时按此币种解读；默认 USD。",
  "Time zone of schedules, such as Asia/Shanghai; UTC unless said.": "计划任务的时区，例如 Asia/Shanghai；默认 UTC。",
  "The tenants that are kept the same, by a name of your own such as zoho-eu.":
    "需要保持一致的各个租户，名称自定，例如 zoho-eu。",
  "The system, such as zoho.": "系统，例如 zoho。",
  "When the connection is read.": "何时读取该连接。",
  "When changes are pulled, as a cron expression; only on request unless said.":
    "何时拉取变更，cron 表达式；不写则只在手动执行时拉取。",
  "When everything is read again to find what was missed, as a cron expression.":
    "何时全量重读以找出遗漏，cron 表达式。",
  "off: nothing is written to this system; on unless said.": "off：不向该系统写入任何内容；默认 on。",
  "true takes the system's own webhooks; { secrets } takes calls signed as Standard Webhooks says; false unless said.":
    "true 接收该系统自带的 webhook；{ secrets } 接收按 Standard Webhooks 规范签名的调用；默认 false。",
  "Secrets of calls that are signed as Standard Webhooks says; two while a new one takes over.":
    "按 Standard Webhooks 规范签名所用的密钥；更换密钥期间可写两个。",
  "How `serve` listens.": "`serve` 如何监听。",
  "The address at which vendors and people reach the hub; without one no vendor is asked to call it.":
    "厂商和用户访问数据中枢的地址；不写则不向任何厂商登记回调。",
  "The address to listen on; 127.0.0.1 unless said, so that only this machine reaches it.":
    "监听地址；默认 127.0.0.1，仅本机可访问。",
  "The port to listen on; 8787 unless said, 0 takes a free one.": "监听端口；默认 8787，0 表示任取空闲端口。",
  "Serves HTTPS itself; without it put a proxy in front that does.":
    "由数据中枢自身提供 HTTPS；不写时请在前面放置代理。",
  "File of the certificate chain (PEM).": "证书链文件（PEM）。",
  "File of the private key (PEM).": "私钥文件（PEM）。",
  "Web pages that may call the API from a browser; none unless said.": "允许从浏览器调用 API 的网页来源；默认没有。",
  "With PostgreSQL: a process that has been silent for so long is replaced by another one; 15s unless said, at least 3s.":
    "使用 PostgreSQL 时：某个进程沉默超过此时长，就由另一个进程接替；默认 15s，至少 3s。",
  "How far the system's clock may be from the hub's, where its answers do not tell; what they tell counts as well.":
    "当系统的响应不说明时间时，其时钟与数据中枢最多相差多少；响应中说明的同样计入。",
  "Private hosts (host or host:port) that alerts may be sent to; all other private addresses are refused.":
    "告警可以发往的内网主机（host 或 host:port）；其他内网地址一律拒绝。",
  "What a delete in this system does: detach (default) unlinks and the others keep it, archive sets the status everywhere, propagate deletes in the others, ignore only logs.":
    "该系统中的删除如何处理：detach（默认）只解除关联，其他系统保留；archive 在各处把状态改为已归档；propagate 在其他系统中也删除；ignore 只记录。",
  "A record deleted here and changed elsewhere at the same time: keep (default), delete or ask.":
    "此处删除、别处同时修改的记录：keep 保留（默认）、delete 删除、ask 询问。",
  "A second record of this system that is the same account: ask (default) opens a case, separate keeps both, fold joins them.":
    "同一系统中指向同一客户的第二条记录：ask（默认）交由人决定，separate 各自保留，fold 合在一起。",
  "How long a delete that may be a merge waits before it is passed on; 10m unless said.":
    "可能是合并的删除在传递之前等待多久；默认 10m。",
  "Where canonical fields live in this system, over the connector's own map: a remote field, { path, access }, or false for not mapped.":
    "统一字段在该系统中的位置，覆盖连接器自带的映射：远端字段名、{ path, access }，或 false 表示不映射。",
  "The remote field; a list of slots, or remote fields by member, for composed values. The connector's own unless said.":
    "远端字段；组合值可写字段列表，或按成员写远端字段。不写则用连接器自带的字段。",
  "both (default) is read and written, read is never written, create is written only when the record is made.":
    "both（默认）读写；read 只读；create 只在新建时写入。",
  "Choices that have other words here: the hub's word, then the one in this system.":
    "在该系统中用词不同的选项：前面是统一用词，后面是该系统的用词。",
  "The remote field that holds the hub's id, by entity; without one nothing is created there.":
    "存放统一编号的远端字段，按实体填写；不写则不会在该系统新建记录。",
  "Which accounts and contacts are created in this system: true (default), false, or a filter over canonical fields.":
    "哪些客户和联系人会在该系统新建：true（默认）、false，或按统一字段筛选。",
  "E-mail addresses of owners that differ here: the hub's address, then the one (or the id) in this system.":
    "负责人邮箱在该系统不同时的对照：前面是统一邮箱，后面是该系统的邮箱或编号。",
  "E-mail address or id of who takes the records of an owner that this system does not know.":
    "负责人在该系统不存在时，由谁（邮箱或编号）接手。",
  "As `hub.country`, for this connection.": "同 `hub.country`，只用于该连接。",
  "As `hub.currency`, for this connection.": "同 `hub.currency`，只用于该连接。",
  "Budgets for calls, by the connector's names, in place of its own.":
    "调用限额，按连接器的限额名称填写，取代其默认值。",
  "Calls under way at the same time.": "同时进行的调用数。",
  "At most `count` calls begun within any `window`.": "任意 `window` 时间内最多开始 `count` 次调用。",
  "At most `count` cost units a day.": "每天最多 `count` 个计费单位。",
  "Where the day ends: the offset of local midnight from UTC; +00:00 unless said.":
    "一天在何时结束：当地零点与 UTC 的时差；默认 +00:00。",
  "When a run would delete, blank or overwrite more than this, the connection stops before the first write and asks.":
    "一次运行将删除、清空或覆盖的记录超过此限时，在第一次写入之前停止该连接并询问。",
  "Share of the connection's records; 0.05 unless said.": "占该连接记录数的比例；默认 0.05。",
  "Below this many records nothing stops; 20 unless said.": "少于此数不会停止；默认 20。",
  "The time over which deletes, blanks and overwrites are counted; 1h unless said.":
    "统计删除、清空和覆盖的时间范围；默认 1h。",
  "How far a pull reads back behind its cursor, for systems that list changes late.":
    "拉取时向游标之前回看多久，用于变更列出较晚的系统。",
  "How long one call may take.": "一次调用最长多久。",
  "Which value survives when two systems changed one field.": "两个系统修改了同一字段时保留哪个值。",
  "Rules for all fields that have none of their own; newest, then the order of the connections.":
    "没有单独规则的字段所用的规则；默认先比较新旧，再按连接顺序。",
  "Rules by field.": "按字段的规则。",
  "Fields of your own, by entity and name.": "自定义字段，按实体和名称填写。",
  "What the field holds.": "字段类型。",
  "The name for people; a text, or { en, zh }.": "显示名称；文本，或 { en, zh }。",
  "What the field means.": "字段含义。",
  "Personal values are sealed in the store; personal for contacts and contact points unless said.":
    "personal 的值在存储中加密；联系人及联系方式默认 personal。",
  "The choices of an option field.": "选项字段的可选值。",
  "What a reference points to.": "引用指向的实体。",
  "By which keys records of different systems are known to be the same.": "按哪些键判定不同系统的记录是同一个。",
  "Keys by which two accounts are the same; taxId, domain, email, phone unless said.":
    "判定两个客户相同的键；默认 taxId、domain、email、phone。",
  "Keys by which two contacts are the same; email, login, phone unless said.":
    "判定两个联系人相同的键；默认 email、login、phone。",
  "Data centre of the organisation: us, eu, in, au, jp, cn, ca or sa.":
    "组织所在的数据中心：us、eu、in、au、jp、cn、ca 或 sa。",
  "Accounts server, if it is not the data centre's own.": "账号服务器地址；不写则用该数据中心的默认地址。",
  "API server, if it is not the one that Zoho names with each token, such as a proxy.":
    "API 服务器地址，例如代理；不写则用 Zoho 随令牌返回的地址。",
  "OAuth client and refresh token.": "OAuth 客户端与刷新令牌。",
  "Client ID from the Zoho API console.": "Zoho API 控制台中的 Client ID。",
  "Client secret from the Zoho API console.": "Zoho API 控制台中的 Client Secret。",
  "Refresh token of the user who acts for the hub.": "代表数据中枢操作的用户的刷新令牌。",
  "Automation that the hub's writes may start: workflow, approval, blueprint, pathfinder, orchestration. None unless said.":
    "允许写入触发的自动化：workflow、approval、blueprint、pathfinder、orchestration。默认都不触发。",
  "True where the organisation has several currencies: amounts go with their Currency.":
    "组织启用多币种时为 true：金额连同 Currency 一起读写。",
  "How far each pull reads back behind the last one, in milliseconds; 120000 unless said.":
    "每次拉取向上一次之前回看多少毫秒；默认 120000。",
  "A first load of more records than this is made by bulk read; 100000 unless said, which is also the most.":
    "首次加载超过此数的记录时使用批量读取；默认 100000，也是上限。",
  "API credits a day of the organisation; 50000 unless said. The hub stops at nine tenths of it.":
    "组织每天的 API 额度；默认 50000。用到九成时停止。",
  "Calls at the same time; 4 unless said. The editions allow 5 (Free), 10, 15, 20 and 25 (Ultimate).":
    "同时进行的调用数；默认 4。各版本允许 5（免费版）、10、15、20、25（旗舰版）。",
  "Address of the tenant's cloud, such as https://open.fxiaoke.com (default) or https://open-hwcloud.fxiaoke.com.":
    "租户所在云的地址，例如 https://open.fxiaoke.com（默认）或 https://open-hwcloud.fxiaoke.com。",
  "Credentials of the app made in the vendor's admin console.": "在管理后台创建的应用的凭据。",
  "app_secret (default) sends the token in headers; legacy sends corpAccessToken in the body, for apps made before the change.":
    "app_secret（默认）把令牌放在请求头；legacy 把 corpAccessToken 放在请求体，用于旧应用。",
  "AppId of the 企业自建应用, FSAID_…": "企业自建应用的 AppId，FSAID_…",
  "AppSecret of the 企业自建应用.": "企业自建应用的 AppSecret。",
  "Key of the tenant's event subscription (事件变更订阅), as shown there; needed for webhook: true.":
    "租户事件变更订阅的密钥，照该处显示填写；webhook: true 时必填。",
  "Permanent authorisation code (永久授权码) of the 企业自建应用.": "企业自建应用的永久授权码。",
  "Employee that acts for the hub: the employee id such as 1000 with app_secret, FSUID_… with legacy.":
    "代表数据中枢操作的员工：app_secret 用员工编号（如 1000），legacy 用 FSUID_…。",
  "Mobile number of the acting employee, looked up once; with legacy only.":
    "操作员工的手机号，只查一次；仅用于 legacy。",
  "Api names of the objects; a name that ends in __c is a custom object.":
    "对象的 API 名称；以 __c 结尾的是自定义对象。",
  "Object of accounts; AccountObj unless said.": "客户所用的对象；默认 AccountObj。",
  "Object of contacts; ContactObj unless said.": "联系人所用的对象；默认 ContactObj。",
  "Record type of new records; default__c unless said.": "新建记录的业务类型；默认 default__c。",
  "invalid (default) moves a deleted record to the recycle bin (作废); purge then deletes it for good.":
    "invalid（默认）作废到回收站；purge 随后彻底删除。",
  "Lets writes start approval flows; false unless said.": "写入是否触发审批流；默认 false。",
  "Lets writes start workflows; false unless said.": "写入是否触发工作流；默认 false。",
  "Runs the tenant's duplicate rule (查重) on creates; true unless said.": "新建时是否执行查重规则；默认 true。",
  "With app_secret: employees are FSUID_… values in records; only if check asks for it.":
    "app_secret 方式下，记录中的员工为 FSUID_… 值；仅在 check 提示时设置。",
  "How long before now a pull's window ends, in milliseconds; 60000 unless said.":
    "拉取窗口在当前时间之前多少毫秒结束；默认 60000。",
  "How far a pull's window reaches back behind the last one, in milliseconds; 300000 unless said.":
    "拉取窗口向上一窗口之前回看多少毫秒；默认 300000。",
  "How long queries may show an older state than a read by id, in milliseconds; 5000 unless said.":
    "查询结果可能比按 ID 读取滞后多少毫秒；默认 5000。",
  "How a window is asked for: two filters on the time field (pair, default) or one BETWEEN.":
    "时间窗口的查询方式：两个条件（pair，默认）或一个 BETWEEN。",
  "Calls a day that the purchased packs allow; 100000 unless said. The hub stops at nine tenths of it.":
    "已购资源包每天允许的调用数；默认 100000。用到九成时停止。",
  "Address of the system, such as https://crm.acme.example.": "系统的地址，例如 https://crm.acme.example。",
  "API key of the user who acts for the hub.": "代表数据中枢操作的用户的 API 密钥。",
  Memory: "内存示例",
  "A file, a folder, or a pattern such as data/*.csv, relative to the working directory.":
    "文件、文件夹或 data/*.csv 这样的通配符，相对于工作目录。",
  "What a row is: account (default) or contact.": "每行是什么：account（默认）或 contact。",
  "The column that identifies a row, or a list of columns that do so together.": "标识一行的列，或共同标识一行的多列。",
  "Columns whose heading does not tell their meaning: the column, then the canonical field.":
    "表头看不出含义的列：前面是列名，后面是统一字段。",
  "auto (default: by byte order mark, then UTF-8 or GB18030 by their bytes), or a name such as gb18030 or windows-1252.":
    "auto（默认：先看字节顺序标记，再按字节判断 UTF-8 或 GB18030），或编码名，例如 gb18030、windows-1252。",
  "The character between columns; found out unless said.": "列分隔符；默认自动识别。",
  "The sheet of a workbook; the first one unless said.": "工作簿中的工作表；默认第一个。",
  "The column that holds when a row was changed; without it the hub knows no times of rows.":
    "记录行修改时间的列；没有它则不知道各行的时间。",
  "english reads the usual Chinese words for industries as the English ones (制造业 as Manufacturing), for hubs whose other systems speak English; as-is (default) takes them as they stand.":
    "english 把常见的中文行业名读作英文（制造业读作 Manufacturing），适用于其他系统使用英文的情况；as-is（默认）保持原样。",
  "A file without any row means that all rows are gone; false (default) takes it for a mistake.":
    "没有任何行的文件表示所有行都已删除；false（默认）视为误操作。",
  "The files of a folder or pattern together always hold every row, so that a row in none of them is gone; false unless said. A single file always does.":
    "文件夹或通配符下的文件合起来总是包含所有行，因此哪里都没有的行即已删除；默认 false。单个文件总是如此。",
  "Signed webhook": "带签名的 webhook",
  "E-mail": "电子邮件",
  "WeCom bot": "企业微信机器人",
  "DingTalk bot": "钉钉机器人",
  "Feishu bot": "飞书机器人",
  "What is told to people while `serve` runs, and how.": "`serve` 运行期间向人告警的内容与方式。",
  "Language of the messages; en unless said.": "消息的语言；默认 en。",
  "A trouble that lasts is told again after that time; 4h unless said.": "持续的问题隔多久再次告知；默认 4h。",
  "What is a trouble; false turns a rule off.": "哪些情况算问题；false 关闭该规则。",
  "Who is told, by a name of your own such as night-shift; without any, alerts stand in the log.":
    "告知谁，名称自定，例如 night-shift；不写则告警只记入日志。",
  "How it is told, such as smtp or wecom.": "告知方式，例如 smtp 或 wecom。",
  "As `alerts.language`, for this channel.": "同 `alerts.language`，仅对该渠道。",
  "Only these rules; all without.": "只告知这些规则；不写则全部。",
  "A connection cannot be reached, or refuses the credentials, for that long.": "连接无法访问或拒绝凭据持续这么久。",
  "15m unless said.": "默认 15m。",
  "0.99 unless said.": "默认 0.99。",
  "1h unless said.": "默认 1h。",
  "50 unless said.": "默认 50。",
  "20 unless said.": "默认 20。",
  "10 unless said.": "默认 10。",
  "0 unless said.": "默认 0。",
  "587 unless said.": "默认 587。",
  "A smaller share of the compared fields agrees.": "所比较字段的一致比例低于此值。",
  "A record has waited longer than that to be written.": "有记录等待写入超过此时间。",
  "A brake holds a connection.": "制动使某个连接停下。",
  "So many questions were opened within a short time.": "短时间内出现这么多待决问题。",
  "The time over which they are counted; 1h unless said (10m for signIns).":
    "统计的时间范围；默认 1h（signIns 为 10m）。",
  "More dead letters than that.": "死信多于此数。",
  "A system does not take, or keep, the channel by which it calls the hub.":
    "系统不接受或丢失了用于回调数据中枢的渠道。",
  "So many requests came without a good key.": "没有有效密钥的请求达到此数。",
  "So many exports were begun: somebody may be carrying customers away.":
    "开始的导出达到此数：可能有人在带走客户资料。",
  "The store does not read or write.": "存储无法读写。",
  "The mail server.": "邮件服务器。",
  "implicit (unless said, on port 465), starttls (unless said, on others; required then), none.":
    "implicit（465 端口的默认值）、starttls（其他端口的默认值，且必须成功）、none。",
  "Who signs in; nobody unless said.": "登录用户；不写则不登录。",
  "The password of the user.": "该用户的密码。",
  "The sender's address.": "发件人地址。",
  "Who gets the messages.": "收件人地址。",
  "Where the calls go.": "调用发往的地址。",
  "What calls are signed with, as Standard Webhooks says; whsec_ and base64, or any text.":
    "按 Standard Webhooks 规范签名所用的密钥；whsec_ 加 base64，或任意文本。",
  "The bot's address, with its key, as WeCom shows it.": "机器人的地址，含 key，照企业微信所示填写。",
  "The bot's address, with its access_token, as DingTalk shows it.": "机器人的地址，含 access_token，照钉钉所示填写。",
  "The secret for signing (加签), which begins with SEC.": "加签密钥，以 SEC 开头。",
  "The bot's address, as Feishu shows it.": "机器人的地址，照飞书所示填写。",
  "The secret for signing (签名校验).": "签名校验的密钥。",
  "`false` or keys": "`false` 或键",
  "SCIM directory": "SCIM 目录",
  "SCIM provider (identity providers push here)": "SCIM 服务端（身份提供方推送到此）",
  "Who pushes: entra, okta, or another client; generic unless said.":
    "推送方：entra、okta 或其他客户端；默认 generic。",
  "What a PATCH is answered: 200 with the resource, or 204; 204 for entra, else 200.":
    "PATCH 的应答：200 并返回资源，或 204；entra 默认 204，其他默认 200。",
  "keep (default) keeps groups for their client alone; accounts takes each as an account, by its name.":
    "keep（默认）只为其客户端保存群组；accounts 则把每个群组按名称作为客户。",
  "Base URL of the provider, such as https://idp.acme.example/scim/v2.":
    "服务提供方的基础地址，例如 https://idp.acme.example/scim/v2。",
  "Bearer token that an administrator of the provider has made.": "由提供方管理员签发的 Bearer 令牌。",
  "User name, for HTTP Basic.": "HTTP Basic 的用户名。",
  "Password, for HTTP Basic.": "HTTP Basic 的密码。",
  "Token endpoint, for OAuth client credentials.": "OAuth 客户端凭据方式的令牌地址。",
  "Client id, for OAuth client credentials.": "OAuth 客户端凭据方式的 client id。",
  "Client secret, for OAuth client credentials.": "OAuth 客户端凭据方式的 client secret。",
  "Scope to ask for, for OAuth client credentials.": "OAuth 客户端凭据方式所申请的 scope。",
  "Name of another header that carries the secret.": "携带密钥的其他请求头名称。",
  "Value of that header.": "该请求头的值。",
  "One of: token; user and password; tokenUrl, clientId and clientSecret; header and value.":
    "任选其一：token；user 与 password；tokenUrl、clientId 与 clientSecret；header 与 value。",
  "A known provider, whose ways are then taken as given; else they are found out.":
    "已知的提供方，按其已知特性处理；不写则自动探测。",
  "Endpoint of the resources that are accounts: /Groups, or that of a type of your own.":
    "作为客户的资源端点：/Groups，或自定义资源类型的端点。",
  "URN of their schema; the core Group unless said.": "其 schema 的 URN；默认核心 Group。",
  "Attribute that holds the account's name; displayName unless said.": "存放客户名称的属性；默认 displayName。",
  "Resources that are accounts; without it only Users are read, as contacts.":
    "哪些资源是客户；不写则只读取 Users，作为联系人。",
  "What a contact that was deleted elsewhere becomes here: active: false (deactivate, default), deleted, or nothing.":
    "在别处被删除的联系人在此如何处理：停用 active: false（deactivate，默认）、删除（delete）或不动（ignore）。",
  "How records are changed; auto (default) patches where the provider says that it can.":
    "修改记录的方式；auto（默认）在提供方声明支持时用 PATCH。",
  "The provider guards writes by ETag, so that no write covers an edit that was not read; false unless said.":
    "提供方以 ETag 保护写入，避免覆盖尚未读到的修改；默认 false。",
  "Resources to ask for in one page; 100 unless said.": "每页请求的资源数；默认 100。",
};

/** Kinds such as `text or list, required` are put together from words. */
const isKind = /^(?:`[^`]+`|text|list|keys|number|any|whole number)(?:[ ,]|$)/;

export function toChinese(english: string): string {
  const whole = chinese[english];
  if (whole !== undefined) return whole;
  if (isKind.test(english)) {
    return english
      .replace(/, required$/, `，${chinese.required}`)
      .replace(
        /\b(whole number|text|list|keys|number|any)\b(?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)/g,
        (word) => chinese[word] ?? word,
      )
      .replaceAll(" or ", ` ${chinese.or} `);
  }
  throw new Error(`config/reference.zh.ts has no Chinese for: ${english}`);
}
