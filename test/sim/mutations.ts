/**
 * Proof that the oracle sees: each mutation takes one rule of the semantics out of the sources, and must make the
 * simulation fail. `npm run sim -- --mutations` plays each in a copy of the sources until it does, and prints a table.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Mutation {
  readonly rule: string;
  /** What the engine does not do any more. */
  readonly without: string;
  readonly edits: ReadonlyArray<Replacement>;
}

interface Replacement {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const mutations: ReadonlyArray<Mutation> = [
  {
    rule: "D24",
    without: "a source that changes too much is stopped",
    edits: [
      {
        file: "core/sync/source-brake.ts",
        find: "return most > Math.max(live.brake.records, live.brake.share * records) ? total : undefined;",
        replace: "return most > Math.max(live.brake.records, live.brake.share * records) * 1_000 ? total : undefined;",
      },
    ],
  },
  {
    rule: "D1",
    without: "after news was decided, lost or won, the base follows it",
    edits: [
      {
        file: "core/model/merge.ts",
        find: "Object.assign(shadow, { held: value, base: stands, lost: { interval } });",
        replace: "Object.assign(shadow, { held: value, lost: { interval } });",
      },
    ],
  },
  {
    rule: "D2",
    without: "a read value that we have sent is an echo",
    edits: [
      {
        file: "core/model/world.ts",
        find: "if (this.sent.size === 0) return [];",
        replace: "if (this.sent.size >= 0) return [];",
      },
    ],
  },
  {
    rule: "D3",
    without: "what is read while a write is under way, or begun before its settle, is read again",
    edits: [
      {
        file: "core/model/world.ts",
        find: "return this.claims.has(",
        replace: "return this.claims.size > 1_000_000 && this.claims.has(",
      },
      {
        file: "core/model/evidence.ts",
        find: "link.settledAt !== null && read.began < link.settledAt;",
        replace: "link.settledAt !== null && read.began < 0;",
      },
    ],
  },
  {
    rule: "D4",
    without: "what differs after a create is news unless nobody else wrote",
    edits: [
      {
        file: "core/model/merge-record.ts",
        find: "  if (fresh === undefined) return undefined;",
        replace: '  if (fresh === undefined) return undefined;\n  if (fresh > 0) return "yes";',
      },
    ],
  },
  {
    rule: "D5",
    without: "a system without conditional writes is read before each write",
    edits: [
      {
        file: "core/sync/prepare.ts",
        find: "const stale = due.updates.filter((link) => !singly || link.fetchAfter !== null || !isLockable(side, link));",
        replace:
          'const stale = due.updates.filter((link) => side.conditional !== "none" && (!singly || link.fetchAfter !== null || !isLockable(side, link)));',
      },
    ],
  },
  {
    rule: "D6",
    without: "only a version that no other edit can share is a precondition",
    edits: [
      {
        file: "core/model/evidence.ts",
        find: "return link.modifiedAt !== null && link.readBegan >= link.modifiedAt + resolutionMs + skewMs;",
        replace: "return link.modifiedAt !== null && resolutionMs + skewMs >= 0;",
      },
    ],
  },
  {
    rule: "D7",
    without: "of two reads that overlap, the older one is dropped or made again",
    edits: [
      {
        file: "core/model/evidence.ts",
        find: 'return order === "lower" ? { kind: "drop" } : { kind: "fetch" };\n}\n\n/**\n * D15: against',
        replace: 'return { kind: "apply", wentBack: order === "lower" };\n}\n\n/**\n * D15: against',
      },
    ],
  },
  {
    rule: "D8",
    without: "news of a set is what was added and removed",
    edits: [
      {
        file: "core/model/merge.ts",
        find: "const taken = isSetType(type) ? mergeSets(type, { held, news: value, canonical: current }) : lifted;",
        replace: "const taken = isSetType(type) ? value : lifted;",
      },
    ],
  },
  {
    rule: "D12",
    without: "the system is asked before every create",
    edits: [
      {
        file: "core/sync/prepare.ts",
        find: "  if (creates.length === 0) return { began, canonicalIds };\n  const criteria",
        replace: "  if (creates.length >= 0) return { began, canonicalIds };\n  const criteria",
      },
    ],
  },
  {
    rule: "D13",
    without: "a refused value is not sent again",
    edits: [
      {
        file: "core/model/due.ts",
        find: "    if (shadow.refused !== undefined && equalValues(shadow.refused.value, value)) continue;\n",
        replace: "",
      },
    ],
  },
  {
    rule: "D14",
    without: "what was detached is not created again",
    edits: [
      {
        file: "core/model/due.ts",
        find: "  if (links.length > 0) return false;\n",
        replace: '  if (links.some((link) => link.state !== "detached" && link.state !== "gone")) return false;\n',
      },
    ],
  },
  {
    rule: "D15",
    without: "a read that began before the tombstone does not bring the record back",
    edits: [
      {
        file: "core/model/evidence.ts",
        find: 'return read.ended < link.readBegan ? { kind: "drop" } : { kind: "fetch" };\n}\n\n/** D15 the other',
        replace: 'return { kind: "apply", wentBack: false };\n}\n\n/** D15 the other',
      },
    ],
  },
  {
    rule: "D16",
    without: "a record is read before it is deleted, and what is new there is weighed",
    edits: [
      {
        file: "core/sync/prepare.ts",
        find: "const links = [...new Set([...stale, ...due.deletes])];",
        replace: "const links = [...new Set(stale)];",
      },
    ],
  },
  {
    rule: "D17",
    without: "a field that a system keeps putting back is frozen",
    edits: [
      {
        file: "core/sync/claim.ts",
        find: "    freezeWars(world, engine.settings, canonical, link, moment);\n",
        replace: "",
      },
    ],
  },
];

export interface Verdict {
  readonly mutation: Mutation;
  /** The first seed that broke; null where none did. */
  readonly seed: number | null;
  readonly property: string;
}

const root = join(import.meta.dirname, "../..");
const copied = ["core", "connectors", "plugins", "config", "test", "package.json", "tsconfig.json"];

/** Plays seeds with the rule taken out, until one breaks or `seedsMax` have kept every promise. */
export async function tryMutation(mutation: Mutation, seedsMax: number): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-mutation-"));
  try {
    for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    for (const edit of mutation.edits) {
      const file = join(folder, edit.file);
      writeFileSync(file, mutated(readFileSync(file, "utf8"), mutation.rule, edit));
    }
    const text = await output([join(folder, "test/sim/main.ts"), "--seeds", String(seedsMax), "--json"]);
    if (!text.includes('{"seeds":'))
      throw new Error(`${mutation.rule}: the simulation did not run: ${text.slice(-500)}`);
    const lines = text.trim().split("\n");
    const seed = /^seed (\d+)$/m.exec(text)?.[1];
    const property = lines.find((line) => /^ {2}P\d/.test(line))?.trim() ?? "";
    return { mutation, seed: seed === undefined ? null : Number(seed), property };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The source without the rule; a patch that no longer fits is an error, or it would prove nothing. */
export function mutated(source: string, rule: string, { file, find, replace }: Replacement): string {
  if (source.split(find).length !== 2) throw new Error(`the mutation of ${rule} does not fit ${file} any more`);
  return source.replace(find, () => replace);
}

function output(args: ReadonlyArray<string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
    });
    child.stderr.on("data", (part) => {
      text += part;
    });
    child.once("error", reject);
    child.once("exit", () => resolve(text));
  });
}
