/**
 * Which hosts may be called: public ones over TLS, and those that the operator has named.
 *
 * The hub calls addresses that a remote system tells it, such as an API host in a token's answer. Without this guard
 * such an answer could make it call the machine's own metadata service or a neighbour in the private network.
 */
import dns from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** IANA special-purpose IPv4 blocks: nothing in them is a public host. */
const privateV4: ReadonlyArray<readonly [string, number]> = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

const privateV6: ReadonlyArray<readonly [string, number]> = [
  ["::", 128],
  ["::1", 128],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["64:ff9b:1::", 48],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

/** IPv6 forms that carry an IPv4 address: mapped, compatible, NAT64 and 6to4; the address begins at that bit. */
const carriers: ReadonlyArray<readonly [(v4: string) => string, number]> = [
  [(v4) => `::ffff:${v4}`, 96],
  [(v4) => `::${v4}`, 96],
  [(v4) => `64:ff9b::${v4}`, 96],
  [(v4) => `2002:${hexPair(v4)}::`, 16],
];

function hexPair(v4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

const blocked = blockList();

function blockList(): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of privateV4) {
    list.addSubnet(network, prefix, "ipv4");
    for (const [carry, before] of carriers) list.addSubnet(carry(network), before + prefix, "ipv6");
  }
  for (const [network, prefix] of privateV6) list.addSubnet(network, prefix, "ipv6");
  return list;
}

/** True for private, loopback, link-local and other special addresses, also inside an IPv6 address that carries one. */
export function isPrivateAddress(address: string): boolean {
  const [bare = ""] = address.split("%");
  const family = isIP(bare);
  return family === 0 || blocked.check(bare, family === 6 ? "ipv6" : "ipv4");
}

/** Thrown inside the connect look-up; becomes an Unavailable with these words. */
export class PrivateAddress extends Error {
  readonly code = "PRIVATE_ADDRESS";
}

export interface Guard {
  /** Why this URL may not be called, or undefined. */
  readonly objection: (url: URL) => string | undefined;
  /** The look-up for new connections: answers public addresses only, unless the host was named. */
  readonly lookup: LookupFunction;
}

const nameInConnection = "if it is meant, name this host in the connection's YAML";

/**
 * The guard of one connection, or of alerts; `nameIt` says how a host is allowed.
 *
 * Shape   `allowedHosts` are host names or `host:port`, as the operator's YAML names them.
 */
export function createGuard(allowedHosts: ReadonlyArray<string>, nameIt: string = nameInConnection): Guard {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  // A look-up knows no port; the URL's own check has compared it already.
  const allowedNames = new Set([...allowed].map((host) => host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1")));
  const isNamed = ({ host, hostname }: URL): boolean => allowed.has(host) || allowed.has(hostname);
  return {
    objection: (url) => {
      if (url.protocol !== "https:" && url.protocol !== "http:") return "only http and https addresses can be called";
      if (isNamed(url)) return undefined;
      if (url.protocol === "http:") return `it is not encrypted (http); ${nameIt}`;
      const address = url.hostname.replace(/^\[(.*)\]$/, "$1");
      if (isIP(address) !== 0 && isPrivateAddress(address)) return `it is a private address; ${nameIt}`;
      return undefined;
    },
    lookup: (hostname, options, callback) => {
      dns.lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) return callback(error, "", 0);
        const named = allowedNames.has(hostname.toLowerCase());
        const usable = named ? found : found.filter(({ address }) => !isPrivateAddress(address));
        const [first] = usable;
        if (first === undefined) return callback(new PrivateAddress(`it leads to a private address; ${nameIt}`), "", 0);
        // Node asks for all addresses when it may try several families, else for one.
        return options.all === true ? callback(null, usable) : callback(null, first.address, first.family);
      });
    },
  };
}
