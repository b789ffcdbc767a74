/** The migrations of an engine, as drizzle-kit writes them: one folder each, whose name begins with its time. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StoreFailed } from "./failure.ts";

export interface Migration {
  readonly name: string;
  readonly statements: ReadonlyArray<string>;
  readonly digest: string;
}

/** Those of a folder, oldest first. */
export function readMigrations(folder: string): ReadonlyArray<Migration> {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "migration.sql")))
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name, "migration.sql"), "utf8");
      const digest = createHash("sha256").update(text).digest("hex");
      return { name, statements: text.split("--> statement-breakpoint"), digest };
    });
}

/**
 * Those that a store lacks, in the order in which they go in.
 *
 * Errors  StoreFailed when the store has one that is not known here.
 */
export function missingMigrations(
  all: ReadonlyArray<Migration>,
  applied: ReadonlyArray<string>,
): ReadonlyArray<Migration> {
  const strange = applied.find((name) => !all.some((migration) => migration.name === name));
  if (strange !== undefined) {
    throw new StoreFailed(
      `The store was made by a newer Syncline (migration ${strange} is not known here).`,
      "Run the newer version, or restore the backup that was made before the upgrade.",
      undefined,
    );
  }
  return all.filter(({ name }) => !applied.includes(name));
}
