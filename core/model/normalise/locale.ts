/** Languages with regions as BCP 47 writes them. */
import { codeText } from "./text.ts";

/** Few are in use; the bound is against floods of wrong ones. */
const locales = new Map<string, string>();
const localesMax = 1000;

const codeSet = /[.@].*$/;

/** `zh_CN` and `ZH-cn.UTF-8` are `zh-CN`; text that is no language tag stays. */
export function localeText(text: string): string {
  const known = locales.get(text);
  if (known !== undefined) return known;
  const tidy = codeText(text);
  const canonical = canonicalLocale(tidy.replace(codeSet, "").replaceAll("_", "-")) ?? tidy;
  if (locales.size >= localesMax) locales.clear();
  locales.set(text, canonical);
  return canonical;
}

/** The canonical tag, or null where the text is no tag. */
export function canonicalLocale(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    // The only way in which Intl says that a tag is malformed.
    return null;
  }
}
