/** Every codec that a field map can name; connectors reach them as `codec` through `core/connector.ts`. */
export { byType, type CodecsByType } from "./codecs/by-type.ts";
export { address, fullName, nameParts } from "./codecs/group.ts";
export { owner, reference } from "./codecs/link.ts";
export { emails, phones, set } from "./codecs/list.ts";
export { money } from "./codecs/money.ts";
export { boolean, decimal, integer } from "./codecs/number.ts";
export { option } from "./codecs/option.ts";
export { domain, email, locale, longtext, phone, taxId, text, url } from "./codecs/text.ts";
export { date, instant } from "./codecs/time.ts";
