import fc from "fast-check";
import { expect, it } from "vitest";
import { wordsOf } from "../../../core/model/words.ts";
import { anyText } from "./samples.ts";

it.each([
  ["José García-López", ["jose", "garcia", "lopez"]],
  ["Jörg Weiß", ["jorg", "weiss"]],
  ["ANNA  Schmidt", ["anna", "schmidt"]],
  ["Łukasz Żółć", ["lukasz", "zolc"]],
  ["王小明", ["王小明", "王", "小明"]],
  ["欧阳修", ["欧阳修", "欧阳", "修"]],
  ["王 小明", ["王小明", "王", "小明"]],
  ["David 王", ["david", "王"]],
  ["王David", ["王", "david"]],
  ["Ａｎｎａ", ["anna"]],
  ["Дмитрий", ["дмитрии"]],
  ["  ", []],
])("takes %j apart into %j", (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

it("finds the same words however often, in a bounded number", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const words = wordsOf(text);
      expect(words.length).toBeLessThanOrEqual(32);
      for (const word of words) expect(wordsOf(word)[0]).toBe(word);
    }),
  );
  expect(wordsOf("a ".repeat(10_000))).toEqual(["a"]);
});
