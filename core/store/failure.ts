/** What can go wrong with the store, in words for the person who runs it. */
export class StoreFailed extends Error {
  readonly _tag = "StoreFailed";
  readonly remedy: string;
  constructor(message: string, remedy: string, cause: unknown) {
    super(message, { cause });
    this.name = "StoreFailed";
    this.remedy = remedy;
  }
}

interface Known {
  readonly what: string;
  readonly remedy: string;
}

/** SQLite's primary result codes that a person can do something about. */
const ofSqlite: Readonly<Record<number, Known>> = {
  13: {
    what: "the disk is full",
    remedy: "Free space on the disk of the store and run again; what was committed is safe, the rest is read again.",
  },
  10: {
    what: "the disk does not read or write",
    remedy: "Check the disk and its mount, then run again; what was committed is safe.",
  },
  8: {
    what: "the store is read-only",
    remedy: "Give this user the right to write to the store's file and its folder.",
  },
  5: { what: "another process holds the store", remedy: "Wait for the other command to end, or stop it." },
  11: {
    what: "the store's file is damaged",
    remedy: "Restore the newest backup of the store and its key, then run a full sweep.",
  },
  26: {
    what: "the file is not a Syncline store",
    remedy: "Point hub.store at the right file, or move this file away.",
  },
  14: {
    what: "the store's file cannot be opened",
    remedy: "Check that the folder of hub.store exists and that this user may write to it.",
  },
};

const goneRemedy =
  "See whether the database server runs and is reached from here, then run again; what was committed is safe.";
const notReached: Known = {
  what: "the database server is not reached",
  remedy: "Check host and port in hub.store, and that the server runs and lets this machine in.",
};
const gone: Known = { what: "the database server ended the connection", remedy: goneRemedy };

/** Codes of PostgreSQL and of the network that a person can do something about; the longest beginning fits. */
const ofPostgres: Readonly<Record<string, Known>> = {
  "28": {
    what: "the database server refuses the user",
    remedy: "Check user and password in hub.store, and what the server's pg_hba.conf lets in.",
  },
  "3D000": {
    what: "there is no such database on the server",
    remedy: "Create it, such as with: createdb syncline, or correct its name in hub.store.",
  },
  "42501": {
    what: "the database user lacks a right",
    remedy: "Let the user of hub.store own its database, or grant it all rights on the schema.",
  },
  "25006": {
    what: "the database takes no writes",
    remedy: "hub.store must name the primary server, not a replica that only reads.",
  },
  "53100": {
    what: "the disk of the database server is full",
    remedy: "Free space on the server's disk and run again; what was committed is safe, the rest is read again.",
  },
  "53300": {
    what: "the database server has no connection left",
    remedy: "Raise max_connections of the server, or end other users of it; a hub takes up to 10.",
  },
  "53": {
    what: "the database server has run out of memory or of another means",
    remedy: "Look at the server's log, and run again; what was committed is safe.",
  },
  "57P03": { what: "the database server is starting or stopping", remedy: "Wait a moment, and run again." },
  "57P": gone,
  "08": gone,
  "58": {
    what: "the disk of the database server does not read or write",
    remedy: "Check the server's disk and its log, then run again; what was committed is safe.",
  },
  XX001: {
    what: "data in the database is damaged",
    remedy: "Restore the newest backup of the database, then run a full sweep.",
  },
  "40": {
    what: "other processes came in the way of this transaction too often",
    remedy: "Run again; nothing was half written.",
  },
  ECONNREFUSED: notReached,
  ENOTFOUND: notReached,
  EAI_AGAIN: notReached,
  EHOSTUNREACH: notReached,
  ENETUNREACH: notReached,
  ETIMEDOUT: notReached,
  ECONNRESET: gone,
  EPIPE: gone,
};

/** The driver gives these no code. */
const worded: ReadonlyArray<readonly [RegExp, Known]> = [
  [/^Connection terminated|^Client has encountered a connection error/, gone],
  [/^timeout exceeded when trying to connect/, notReached],
  [
    /password must be a string|no password supplied/i,
    { what: "hub.store names no password", remedy: "Write it as postgres://user:password@host/database." },
  ],
  [
    /does not support SSL|certificate|SSL/,
    {
      what: "the database server and this hub do not agree on TLS",
      remedy: "See the sslmode parameter of hub.store, such as ?sslmode=verify-full or ?sslmode=disable.",
    },
  ],
];

/** A failure in words; errors that are already ours pass through. */
export function storeFailedOf(what: string, error: unknown): StoreFailed {
  if (error instanceof StoreFailed) return error;
  const inner = innermost(error);
  const found = knownOf(inner);
  if (found !== undefined) return new StoreFailed(`While ${what}: ${found.what}.`, found.remedy, error);
  const message = inner instanceof Error ? inner.message : String(inner);
  return new StoreFailed(
    `While ${what}: ${message}`,
    "This looks like a fault in Syncline: report it with the log around it. Nothing was half written.",
    error,
  );
}

/** What the driver said: others wrap it, with the text of the query. */
function innermost(error: unknown): unknown {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner;
}

function knownOf(error: unknown): Known | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("errcode" in error) return ofSqlite[Number(error.errcode) & 0xff];
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  for (let length = code.length; length >= 2; length--) {
    const found = ofPostgres[code.slice(0, length)];
    if (found !== undefined) return found;
  }
  const message = error instanceof Error ? error.message : "";
  return worded.find(([pattern]) => pattern.test(message))?.[1];
}
