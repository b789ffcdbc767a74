/** Decimal numbers as plain text: no exponent, no leading or trailing zeros, no rounding. */

/** Digits on either side of the point; more is kept as text by the callers. */
const digitsMax = 400;

const plainInteger = /^(?:0|-?[1-9]\d{0,39})$/;
const anyDecimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

/** The canonical text of a decimal, or null if it is not one. Thousands separators are not guessed at. */
export function decimalText(value: string | number): string | null {
  const text = typeof value === "number" ? String(value) : value;
  if (plainInteger.test(text)) return text;
  const match = text.length > digitsMax ? null : anyDecimal.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  if (digits === "") return null;
  const point = whole.length + Number(exponent);
  if (Math.abs(point) > digitsMax) return null;
  const left = point <= 0 ? "" : digits.slice(0, point).padEnd(point, "0");
  const right = point >= digits.length ? "" : "0".repeat(Math.max(0, -point)) + digits.slice(Math.max(0, point));
  const kept = withoutTrailingZeros(right);
  const plain = withoutLeadingZeros(left) + (kept === "" ? "" : `.${kept}`);
  return sign === "-" && plain !== "0" ? `-${plain}` : plain;
}

function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end -= 1;
  return digits.slice(0, end);
}

function withoutLeadingZeros(digits: string): string {
  let start = 0;
  while (start < digits.length && digits.charCodeAt(start) === 48) start += 1;
  return start === digits.length ? "0" : digits.slice(start);
}

/** A whole number: a JavaScript number as far as it is exact, decimal text beyond, null if it is not whole. */
export function integerOf(value: string | number): number | string | null {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const text = decimalText(value);
  if (text === null || text.includes(".")) return null;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}

/** The JavaScript number that writes the same decimal, or null if digits would be lost. */
export function exactNumber(text: string): number | null {
  const number = Number(text);
  return Number.isFinite(number) && decimalText(number) === text ? number : null;
}
