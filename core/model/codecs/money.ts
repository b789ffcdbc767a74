/** Amounts: one field in the connection's currency, or two fields for amount and currency. */
import { type Codec, type Path, Refusal, Unreadable } from "../codec.ts";
import { decimalText } from "../decimal.ts";
import { isMoney } from "../value.ts";
import { type NumberOptions, readNumber, writeNumber } from "./number.ts";
import { isRecord, misfit, unreadable } from "./raw.ts";

/**
 * Shape   one path: the amount, in the context's currency. Path `{ amount, currency }`: both; a currency that is
 *         empty or not known is the context's. An empty amount leaves the currency field as it is.
 */
export const money = ({ as = "number" }: NumberOptions = {}): Codec => ({
  name: "money",
  types: ["money"],
  decode: (raw, context, path) => {
    const paired = isPaired(path);
    if (paired && raw !== undefined && !isRecord(raw)) return unreadable(raw, "an amount and a currency");
    const amount = readNumber(paired && isRecord(raw) ? raw.amount : raw, "an amount", decimalText);
    if (typeof amount !== "string") return amount;
    const currency = readCurrency(paired && isRecord(raw) ? raw.currency : null, context.currency);
    return currency instanceof Unreadable ? currency : { amount, currency };
  },
  encode: (value, context, path) => {
    const paired = isPaired(path);
    if (value === null) return paired ? { amount: null } : null;
    if (!isMoney(value)) return misfit(value, "an amount with a currency");
    const amount = writeNumber(value.amount, as, "an amount", decimalText);
    if (amount instanceof Refusal) return amount;
    if (paired && hasCurrency(path)) return { amount, currency: value.currency };
    if (value.currency === context.currency) return paired ? { amount } : amount;
    return new Refusal(
      `The amount is in ${value.currency}, and this field holds ${context.currency}.`,
      "Map a currency field beside the amount, or set the connection's currency.",
    );
  },
});

const isPaired = (path: Path): boolean => typeof path !== "string";

const hasCurrency = (path: Path): boolean => typeof path !== "string" && "currency" in path;

function readCurrency(raw: unknown, otherwise: string): string | Unreadable {
  if (raw === undefined || raw === null || raw === "") return otherwise;
  return typeof raw === "string" ? raw.trim().toUpperCase() || otherwise : unreadable(raw, "a currency");
}
