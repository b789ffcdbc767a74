/** YAML errors in plain words. The parser's own messages may repeat a part of the text, which may be a secret. */
import type { ErrorCode } from "yaml";

interface Words {
  readonly what: string;
  readonly remedy: string;
}

const indentation: Words = {
  what: "the indentation does not fit, or a bracket or quote before it is not closed",
  remedy: "Indent with spaces, and the keys of one block equally far.",
};
const unexpected: Words = {
  what: "this is not YAML",
  remedy: 'Put a text that holds special characters (such as : # { } [ ] , & * ! | > % @) in "quotes".',
};

const words: Readonly<Partial<Record<ErrorCode, Words>>> = {
  TAB_AS_INDENT: { what: "a tab is used as indentation", remedy: "YAML is indented with spaces; replace the tab." },
  DUPLICATE_KEY: { what: "this key is there twice", remedy: "Keep one of the two; the other would be lost." },
  BAD_INDENT: indentation,
  BLOCK_IN_FLOW: indentation,
  MISSING_CHAR: {
    what: "a closing quote, a bracket, a comma or a space after a colon is missing",
    remedy: "Close what was opened before this place.",
  },
  BAD_ALIAS: { what: "an alias (*name) points to nothing", remedy: "Define the anchor (&name) before it is used." },
  MULTIPLE_DOCS: { what: "the file holds several YAML documents", remedy: "Remove the line `---` between them." },
  TAG_RESOLVE_FAILED: { what: "a tag (!name) is not known", remedy: "Remove the tag." },
  BAD_DQ_ESCAPE: {
    what: "a backslash in double quotes begins no known escape",
    remedy: "Use 'single quotes', or write two backslashes.",
  },
  BLOCK_AS_IMPLICIT_KEY: {
    what: "a colon stands where a value is expected",
    remedy: 'Begin a nested block on the next line, or put a text that holds a colon in "quotes".',
  },
  MULTILINE_IMPLICIT_KEY: {
    what: "a line without a colon stands among keys",
    remedy: "Write `key: value`, or indent the line so that it belongs to the value above.",
  },
  RESOURCE_EXHAUSTION: { what: "the file nests too deeply", remedy: "Write it with fewer levels." },
};

export const syntaxWords = (code: ErrorCode): Words => words[code] ?? unexpected;
