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
  readonly code: number;
  readonly what: string;
  readonly remedy: string;
}

/** SQLite's primary result codes that a person can do something about. */
const known: ReadonlyArray<Known> = [
  {
    code: 13,
    what: "the disk is full",
    remedy: "Free space on the disk of the store and run again; what was committed is safe, the rest is read again.",
  },
  {
    code: 10,
    what: "the disk does not read or write",
    remedy: "Check the disk and its mount, then run again; what was committed is safe.",
  },
  {
    code: 8,
    what: "the store is read-only",
    remedy: "Give this user the right to write to the store's file and its folder.",
  },
  { code: 5, what: "another process holds the store", remedy: "Wait for the other command to end, or stop it." },
  {
    code: 11,
    what: "the store's file is damaged",
    remedy: "Restore the newest backup of the store and its key, then run a full sweep.",
  },
  {
    code: 26,
    what: "the file is not a Syncline store",
    remedy: "Point hub.store at the right file, or move this file away.",
  },
  {
    code: 14,
    what: "the store's file cannot be opened",
    remedy: "Check that the folder of hub.store exists and that this user may write to it.",
  },
];

/** A failure in words; errors that are already ours pass through. */
export function storeFailedOf(what: string, error: unknown): StoreFailed {
  if (error instanceof StoreFailed) return error;
  const code =
    typeof error === "object" && error !== null && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
  const found = known.find((entry) => entry.code === code);
  if (found !== undefined) return new StoreFailed(`While ${what}: ${found.what}.`, found.remedy, error);
  const message = error instanceof Error ? error.message : String(error);
  return new StoreFailed(
    `While ${what}: ${message}`,
    "This looks like a fault in Syncline: report it with the log around it. Nothing was half written.",
    error,
  );
}
