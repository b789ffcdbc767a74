/** The markdown that chat bots share: a bold first line, then the others. */
import type { Notice } from "../core/plugin.ts";

/** Words of a system must not become links, mentions or colours. */
const plain = (text: string): string => text.replace(/[<>[\]`*_#@\\]/g, (mark) => lookalikes[mark] ?? " ");

const lookalikes: Readonly<Record<string, string>> = {
  "<": "‹",
  ">": "›",
  "[": "(",
  "]": ")",
  "`": "'",
  "*": "∗",
  _: "_",
  "#": "＃",
  "@": "＠",
  "\\": "/",
};

/** `between`: what separates two lines in this bot's markdown. */
export const markdownOf = ({ title, lines }: Notice, between: string): string =>
  [`**${plain(title)}**`, ...lines.map(plain)].join(between);
