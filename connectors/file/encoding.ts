/**
 * Which encoding a text file has: by its byte order mark, else by its bytes. UTF-8 and GB18030 are told apart with
 * certainty or not at all: a wrong guess would put broken characters into every CRM.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import iconv from "iconv-lite";
import { AuthFailed } from "../../core/connector.ts";

const chunkBytes = 1 << 18;

/** The encoding's name for the decoder; `told` is the configuration's. */
export async function encodingOf(file: string, told: string | undefined, signal?: AbortSignal): Promise<string> {
  if (told !== undefined && told !== "auto") {
    if (iconv.encodingExists(told)) return told;
    throw new AuthFailed(`There is no encoding called ${told}.`, "Write utf-8, utf-16, gb18030, windows-1252 or auto.");
  }
  const marked = await byMark(file);
  if (marked !== undefined) return marked;
  const counts = await countBytes(file, signal);
  if (counts.broken === 0) return "utf8";
  // Some broken bytes in a file that is else full of good UTF-8 are faults of single rows.
  if (counts.good >= 5 * counts.broken) return "utf8";
  const pairs = counts.commonPairs + counts.otherPairs;
  if (pairs > 0 && counts.commonPairs >= 0.9 * pairs) return "gb18030";
  throw new AuthFailed(
    `The encoding of ${file} cannot be told.`,
    "Save the file as UTF-8, or name its encoding with `encoding:`, such as windows-1252.",
  );
}

async function byMark(file: string): Promise<string | undefined> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    const [first, second, third, fourth] = buffer.subarray(0, bytesRead);
    if (first === 0xef && second === 0xbb && third === 0xbf) return "utf8";
    if (first === 0xff && second === 0xfe) return "utf-16le";
    if (first === 0xfe && second === 0xff) return "utf-16be";
    // Without a mark, Latin text in UTF-16 shows by its zeros.
    if (first !== 0 && second === 0 && third !== 0 && fourth === 0) return "utf-16le";
    if (first === 0 && second !== 0 && third === 0 && fourth !== 0) return "utf-16be";
    return undefined;
  } finally {
    await handle.close();
  }
}

interface Counts {
  /** Characters of several bytes that are UTF-8, and bytes that are not. */
  readonly good: number;
  readonly broken: number;
  /** Pairs of bytes in the range of GB 2312, where nearly all Chinese text is, and other high bytes. */
  readonly commonPairs: number;
  readonly otherPairs: number;
}

async function countBytes(file: string, signal?: AbortSignal): Promise<Counts> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let good = 0;
  let broken = 0;
  let commonPairs = 0;
  let otherPairs = 0;
  let lead = 0;
  const count = (text: string): void => {
    for (const character of text) {
      if (character === "\ufffd") broken += 1;
      else if (character > "\u007f") good += 1;
    }
  };
  for await (const chunk of createReadStream(file, {
    highWaterMark: chunkBytes,
    ...(signal === undefined ? {} : { signal }),
  })) {
    const bytes: Buffer = chunk;
    const text = decoder.decode(bytes, { stream: true });
    if (text.length === bytes.length && lead === 0 && !text.includes("\ufffd")) continue;
    count(text);
    for (const byte of bytes) {
      if (lead === 0) {
        if (byte >= 0x80) lead = byte;
        continue;
      }
      if (lead >= 0xa1 && lead <= 0xf7 && byte >= 0xa1) commonPairs += 1;
      else otherPairs += 1;
      lead = 0;
    }
  }
  count(decoder.decode());
  return { good, broken, commonPairs, otherPairs };
}

/** The text of a file in pieces, in bounded memory; bytes that do not fit come as U+FFFD. */
export async function* decoded(file: string, encoding: string, signal?: AbortSignal): AsyncGenerator<string> {
  const decoder = iconv.getDecoder(encoding, { stripBOM: true });
  let first = true;
  for await (const chunk of createReadStream(file, {
    highWaterMark: chunkBytes,
    ...(signal === undefined ? {} : { signal }),
  })) {
    const text = decoder.write(chunk);
    if (text === "") continue;
    yield first && text.startsWith("\ufeff") ? text.slice(1) : text;
    first = false;
  }
  const rest = decoder.end();
  if (rest) yield rest;
}
