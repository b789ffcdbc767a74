/** Web addresses and registrable domains. */
import { domainToASCII, domainToUnicode } from "node:url";
import { getDomain } from "tldts";
import { codeText, smallCodeText } from "./text.ts";

const withScheme = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\s]+)(.*)$/i;
const looksLikeHost = /^[^\s/?#@:]+\.[^\s/?#@:.]{2,}(?::\d{1,5})?(?:[/?#]|$)/;
const asciiHost = /^[a-z0-9.:-]+$/;
const unsafeInHost = /[\s/?#@:[\]\\%<>^|]/;

/** With a scheme and a small-letter host; a lone closing slash goes. Text that is no web address stays. */
export function urlText(text: string): string {
  const tidy = codeText(text);
  if (tidy.includes(" ")) return tidy;
  const match = withScheme.exec(looksLikeHost.test(tidy) ? `https://${tidy}` : tidy);
  if (match === null) return tidy;
  const [, scheme = "", authority = "", rest = ""] = match;
  return `${scheme.toLowerCase()}://${hostOf(authority)}${rest === "/" ? "" : rest}`;
}

/** The part before an `@` may hold a password, whose case counts. */
function hostOf(authority: string): string {
  const at = authority.lastIndexOf("@") + 1;
  const host = authority.slice(at);
  const colon = host.lastIndexOf(":");
  const port = colon < 0 ? "" : host.slice(colon);
  return authority.slice(0, at) + readableHost(colon < 0 ? host : host.slice(0, colon)) + port;
}

/** Small letters, in Unicode rather than Punycode. */
function readableHost(host: string): string {
  const small = host.toLowerCase();
  if (asciiHost.test(small) && !small.includes("xn--")) return small;
  // Only whole hosts: the functions would drop what follows a slash.
  return unsafeInHost.test(small) ? small : domainToUnicode(domainToASCII(small)) || small;
}

/**
 * The domain that its owner registered, of a host, a web address or an e-mail address.
 *
 * Domains that are let to strangers count as suffixes: `acme.github.io` is whole, not part of `github.io`.
 */
export function domainText(text: string): string {
  const known = domains.get(text);
  if (known !== undefined) return known;
  const found = findDomain(text);
  remember(text, found);
  return found;
}

const privateSuffixes = { allowPrivateDomains: true };

function findDomain(text: string): string {
  const small = smallCodeText(text);
  const registered = getDomain(small, privateSuffixes);
  if (registered === null) return small;
  const readable = readableHost(registered);
  // What the rewriting made must be its own domain, or the form would not be stable.
  return getDomain(readable, privateSuffixes) === readable ? readable : registered;
}

/** Many contacts share a domain, so the last answers are kept. */
const domains = new Map<string, string>();
const domainsMax = 10_000;
const rememberedLengthMax = 100;

function remember(text: string, found: string): void {
  if (text.length > rememberedLengthMax) return;
  if (domains.size >= domainsMax) domains.clear();
  domains.set(text, found);
}
