/** One form for text: NFC, no control characters, no needless spaces, and half-width where the width carries no meaning. */

// Most texts in CRMs are in good order; one test lets them pass untouched. The letters are those of western European
// names and Chinese characters, none of which NFC changes.
const tidyLine = /^[!-~\u00c0-\u024f\u4e00-\u9fff（）]+(?: [!-~\u00c0-\u024f\u4e00-\u9fff（）]+)*$/;
const tidyCode = /^[!-~]+$/;
const tidySmallCode = /^[!-@[-~]+$/;

// Not text: control characters other than white space, the zero-width space and the word joiner.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const controls = /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u200b\u2060]/g;
const spaces = /[\s\u0085]+/g;
const spacesAtLineEnd = /[^\S\n]+(?=\n)/g;
const lineEnds = /\r\n?|\u0085|\u2028|\u2029/g;
const wideLettersAndDigits = /[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]/g;
const wide = /[\uff01-\uff5e\u3002\uff61\u3000]/g;

/**
 * One line. Full-width letters and digits become half-width; full-width punctuation stays, because it belongs to
 * Chinese text: 上海电气（集团）有限公司.
 */
export function lineText(text: string): string {
  if (tidyLine.test(text)) return text;
  return wellFormed(text).replace(wideLettersAndDigits, narrow).normalize("NFC").replace(spaces, " ").trim();
}

/** Many lines: line ends are line feeds, spaces at the ends of lines and around the text go, the rest stays. */
export function linesText(text: string): string {
  if (tidyLine.test(text)) return text;
  return wellFormed(text).normalize("NFC").replace(lineEnds, "\n").replace(spacesAtLineEnd, "").trim();
}

/** Text that is typed into machines, such as an address or a number: all half-width, with the ideographic stop as dot. */
export function codeText(text: string): string {
  if (tidyCode.test(text)) return text;
  return wellFormed(text).replace(wide, narrow).normalize("NFC").replace(spaces, " ").trim();
}

/** Code text whose case means nothing. */
export function smallCodeText(text: string): string {
  return tidySmallCode.test(text) ? text : codeText(text).toLowerCase().normalize("NFC");
}

/** Letters and digits in one size, without spaces and signs: what two texts have in common that were written differently. */
export const plainText = (text: string): string => text.toLowerCase().replace(/[\s\p{P}]+/gu, "");

// Lone surrogates cannot be stored as UTF-8, so they would come back as something else.
const wellFormed = (text: string): string => text.toWellFormed().replace(controls, "");

function narrow(character: string): string {
  if (character === "\u3000") return " ";
  if (character === "\u3002" || character === "\uff61") return ".";
  return String.fromCharCode(character.charCodeAt(0) - 0xfee0);
}
