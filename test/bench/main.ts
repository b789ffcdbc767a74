/** `npm run bench -- NAME [--json]`: prints figures beside the limit measured in the same run. */
import { benchApply } from "./apply.ts";
import { benchExport } from "./export.ts";
import { type Figure, printFigures } from "./figure.ts";
import { benchPostgres } from "./postgres.ts";
import { benchPropagation } from "./propagation.ts";
import { benchReplay } from "./replay.ts";
import { benchRestart } from "./restart.ts";
import { benchScim } from "./scim.ts";
import { benchWebhooks } from "./webhooks.ts";

const benches: Readonly<Record<string, () => Promise<ReadonlyArray<Figure>>>> = {
  apply: () => benchApply({ growth: true }),
  "apply-first-load": () => benchApply({ growth: false }),
  "apply-unchanged": () => benchApply({ growth: false }),
  "apply-growth": () => benchApply({ growth: true }),
  export: benchExport,
  "export-csv": benchExport,
  postgres: async () => [...(await benchPostgres()), ...(await benchReplay())],
  "apply-postgres": benchPostgres,
  replay: benchReplay,
  restart: benchRestart,
  scim: benchScim,
  webhooks: benchWebhooks,
  propagation: benchPropagation,
};

const json = process.argv.includes("--json");
const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const unknown = names.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}. There are: ${Object.keys(benches).join(", ")}`);
  process.exit(1);
}
for (const name of names.length > 0 ? names : ["apply"]) {
  const bench = benches[name];
  if (bench !== undefined) printFigures(await bench(), json);
}
