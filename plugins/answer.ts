/** What chat bots answer: always 200, with a code of their own in the body. */
import type { NoticeAnswer } from "../core/plugin.ts";

const wordsMax = 200;

/** Throws unless the status is good and the code under one of these keys is 0. */
export function mustBeZero({ status, json }: NoticeAnswer, keys: ReadonlyArray<string>, wordsKey: string): void {
  if (status < 200 || status > 299) throw new Error(`it answered ${status}`);
  const told = keys.map((key) => member(json, key)).find((code) => code !== undefined);
  if (told === 0) return;
  const words = member(json, wordsKey);
  const why = typeof words === "string" ? `: ${words.slice(0, wordsMax)}` : "";
  throw new Error(told === undefined ? "it answered something else than a bot does" : `it answered code ${told}${why}`);
}

const member = (json: unknown, key: string): unknown =>
  typeof json === "object" && json !== null ? Reflect.get(json, key) : undefined;
