/** Names of people: told apart into given and family name, and put together again. */
import type { Group } from "./value.ts";

const han = /^[\p{Script=Han}\s]+$/u;
const spaces = /\s+/gu;

/** True for a name written in Chinese characters alone. */
export const isHan = (text: string): boolean => han.test(text);

/**
 * Surnames of two characters; a Chinese name that begins with none of them has a surname of one. Rare ones that could
 * as well be a common surname and a given name (宗政, 乐正, 谷梁) are left out.
 */
const compoundSurnames: ReadonlySet<string> = new Set(
  (
    "欧阳 歐陽 太史 端木 上官 司马 司馬 东方 東方 独孤 獨孤 南宫 南宮 万俟 萬俟 闻人 聞人 夏侯 诸葛 諸葛 尉迟 尉遲 公羊 赫连 赫連 " +
    "澹台 澹臺 皇甫 濮阳 濮陽 公冶 太叔 申屠 公孙 公孫 慕容 仲孙 仲孫 钟离 鍾離 长孙 長孫 宇文 司徒 鲜于 鮮于 司空 闾丘 閭丘 " +
    "亓官 司寇 巫马 巫馬 颛孙 顓孫 壤驷 壤駟 漆雕 拓跋 轩辕 軒轅 令狐 百里 呼延 东郭 東郭 羊舌 西门 西門 第五 纳兰 納蘭 完颜 完顏"
  ).split(" "),
);

/**
 * Splits a whole name. Chinese: by surname, or at the first space if there is one. Others: at the last space; a single
 * word is the family name, because most systems demand one.
 *
 * Rule    `splitName(joinName(splitName(text))) = splitName(text)`.
 */
export function splitName(text: string): Group | null {
  const whole = text.trim().replace(spaces, " ");
  if (whole === "") return null;
  const space = isHan(whole) ? whole.indexOf(" ") : whole.lastIndexOf(" ");
  if (!isHan(whole)) {
    return space < 0
      ? { given: null, family: whole }
      : { given: whole.slice(0, space), family: whole.slice(space + 1) };
  }
  if (space < 0) return splitHan(whole);
  return { given: whole.slice(space + 1).replaceAll(" ", ""), family: whole.slice(0, space) };
}

function splitHan(whole: string): Group {
  const characters = [...whole];
  const two = characters.slice(0, 2).join("");
  const length = compoundSurnames.has(two) ? 2 : 1;
  return { given: characters.slice(length).join("") || null, family: characters.slice(0, length).join("") };
}

/**
 * The whole name: Chinese names family first without a space, others given name first.
 *
 * A Chinese name that would be split elsewhere (family 小明, given 王) keeps a space, so that it comes back the same.
 */
export function joinName(name: Group): string {
  const given = tidy(name.given);
  const family = tidy(name.family);
  if (given === "" || family === "") return given || family;
  if (!isHan(given) || !isHan(family)) return `${given} ${family}`;
  const parts = { given: given.replaceAll(" ", ""), family: family.replaceAll(" ", "") };
  const split = splitHan(parts.family + parts.given);
  return split.family === parts.family ? parts.family + parts.given : `${parts.family} ${parts.given}`;
}

/** The whole name as people write it: 王小明, Anna Schmidt. */
export function nameText(name: Group): string {
  const joined = joinName(name);
  return isHan(joined) ? joined.replaceAll(" ", "") : joined;
}

const tidy = (part: string | null | undefined): string => (part ?? "").trim().replace(spaces, " ");
