/** `npm run docs`: writes the files that are made from the sources; `check` tells which of them are stale. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { initialConfig } from "../core/config/initial.ts";
import { jsonSchema } from "../core/config/json-schema.ts";
import { configReference } from "../core/config/reference.ts";
import { toChinese } from "./reference.zh.ts";
import { registry } from "./registry.ts";
import { roleTable } from "./role-table.ts";

interface Generated {
  /** Below the root of the repository. */
  readonly file: string;
  /** The whole text, given what the file holds now. */
  readonly text: (present: string) => string;
}

const root = new URL("../", import.meta.url);

const files: ReadonlyArray<Generated> = [
  {
    file: "config/syncline.schema.json",
    text: () => `${JSON.stringify(jsonSchema(registry.connectors, registry.channels), null, 2)}\n`,
  },
  { file: "config/example.yaml", text: () => initialConfig() },
  {
    file: "README.md",
    text: (present) =>
      between(
        between(present, "reference", configReference(registry.connectors, undefined, registry.channels)),
        "roles",
        roleTable("en"),
      ),
  },
  {
    file: "README.zh-CN.md",
    text: (present) =>
      between(
        between(present, "reference", configReference(registry.connectors, toChinese, registry.channels)),
        "roles",
        roleTable("zh"),
      ),
  },
];

/** Puts a generated part between its two marks; a page without marks stays as it is. */
function between(page: string, part: string, reference: string): string {
  const begin = `<!-- ${part}: begin, made by npm run docs -->`;
  const end = `<!-- ${part}: end -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) return page;
  return `${page.slice(0, from + begin.length)}\n\n${reference}\n${page.slice(to)}`;
}

const read = (file: string): string => {
  const path = fileURLToPath(new URL(file, root));
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};

/** Files whose content is not what the sources make. */
export async function staleFiles(): Promise<ReadonlyArray<string>> {
  return files.filter(({ file, text }) => read(file) !== text(read(file))).map(({ file }) => file);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { file, text } of files) {
    const present = read(file);
    const wanted = text(present);
    if (present === wanted) continue;
    writeFileSync(new URL(file, root), wanted);
    console.log(`wrote ${file}`);
  }
}
