/**
 * Chinese words for choices, as lists have them, and the hub's own or the usual English ones.
 *
 * A status has words of the hub's own, so it is always read. An industry has not: what is right depends on the other
 * systems, and only the person who writes the YAML knows.
 */
import { type Codec, codec } from "../../core/connector.ts";

const statuses = {
  active: "启用|有效|正常|活跃|在用|合作中|active|enabled",
  inactive: "停用|无效|禁用|暂停|不活跃|未启用|inactive|disabled",
  archived: "归档|已归档|archived",
} as const satisfies Readonly<Record<string, string>>;

const industries = {
  Agriculture: "农业|农林牧渔|农林牧渔业",
  Automotive: "汽车|汽车行业|汽车制造",
  Banking: "银行|银行业|金融|金融业|金融行业",
  Chemicals: "化工|化工行业|化学",
  Communications: "通信|通讯|电信|通信业",
  Construction: "建筑|建筑业|建筑行业|建材",
  Consulting: "咨询|咨询业|咨询服务|商务服务",
  Education: "教育|教育业|教育行业|教育培训|培训",
  Electronics: "电子|电子行业|电子电器",
  Energy: "能源|能源业|新能源|电力|石油|能源行业",
  "Food & Beverage": "食品|食品饮料|食品行业|餐饮|餐饮业",
  Government: "政府|政府机关|政府机构|公共事业",
  Healthcare: "医疗|医疗健康|医疗卫生|医药|卫生|医疗行业|医疗保健",
  Hospitality: "酒店|旅游|酒店旅游|旅游业",
  Insurance: "保险|保险业",
  Machinery: "机械|机械设备|机械行业|精密机械",
  Manufacturing: "制造|制造业|生产制造|工业|生产加工",
  Media: "媒体|传媒|文化传媒|广告|广告传媒",
  "Real Estate": "房地产|房地产业|地产|物业",
  Retail: "零售|零售业|批发零售|电商|电子商务|贸易",
  Technology: "信息技术|it|互联网|软件|科技|高科技|it/互联网|信息技术业|计算机",
  Textiles: "纺织|纺织业|服装|纺织服装",
  Transportation: "交通|运输|交通运输|物流|物流业|交通物流|仓储物流",
} as const satisfies Readonly<Record<string, string>>;

const fold = (text: string): string => text.normalize("NFKC").trim().toLowerCase();

function choice(name: string, words: Readonly<Record<string, string>>): Codec {
  const known = new Map(
    Object.entries(words).flatMap(([hub, theirs]) => theirs.split("|").map((word) => [fold(word), hub] as const)),
  );
  const plain = codec.option();
  return {
    ...plain,
    // Part of the map's print: other words make every row news.
    name,
    decode: (raw, context, path) =>
      plain.decode(typeof raw === "string" ? (known.get(fold(raw)) ?? raw) : raw, context, path),
  };
}

export const status = choice("file status", statuses);
export const englishIndustry = choice("file industry in English", industries);
