/** The secrets of a configuration, so that they can be taken out of any text that leaves the hub. */
import type { HubConfig } from "./hub-config.ts";

const secretKey = /secret|token|password|passwd|pass$|key$|credential|authorization|signature/i;
/** Shorter ones would be found inside ordinary words. */
const lengthMin = 6;
const depthMax = 8;
/** What hides in an address: long words of its path, and the values of its query. */
const pathWord = /^[A-Za-z0-9_-]{16,}$/;

/** The longest first, so that a secret inside another one leaves no rest. */
export function secretsOf({
  hub,
  connections,
  alerts,
}: Pick<HubConfig, "hub" | "connections" | "alerts">): ReadonlyArray<string> {
  const found = new Set<string>(hiddenIn(hub.store));
  for (const { config: own, webhook } of connections) {
    collect(own, false, found, depthMax);
    if (webhook.kind === "signed") for (const secret of webhook.secrets) found.add(secret);
  }
  for (const channel of alerts.channels) collect(channel.config, false, found, depthMax);
  return [...found].filter((secret) => secret.length >= lengthMin).toSorted((one, other) => other.length - one.length);
}

function collect(value: unknown, isSecret: boolean, into: Set<string>, depthLeft: number): void {
  if (typeof value === "string") {
    if (isSecret) into.add(value);
    for (const hidden of hiddenIn(value)) into.add(hidden);
    return;
  }
  if (typeof value !== "object" || value === null || depthLeft === 0) return;
  for (const [key, inner] of Object.entries(value)) {
    collect(inner, isSecret || secretKey.test(key), into, depthLeft - 1);
  }
}

function hiddenIn(text: string): ReadonlyArray<string> {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null;
  if (url === null) return [];
  const words = url.pathname.split("/").filter((word) => pathWord.test(word));
  const password = url.password === "" ? [] : [decodeURIComponent(url.password)];
  return [...words, ...url.searchParams.values(), ...password];
}
