/** `syncline demo`, for the command line; the story itself is loaded only when it is asked for. */
import type { Cli } from "../../core/cli/cli.ts";
import type { ExtraCommand } from "../../core/cli/program.ts";

export const demo: ExtraCommand = {
  name: "demo",
  description: "tell the whole story with simulated CRMs; nothing else is needed",
  options: [
    { flags: "--once", description: "end after the story" },
    { flags: "--lang <language>", description: "en or zh; the locale's unless said" },
  ],
  run: async (cli, options) => {
    const { runDemo } = await import("./story.ts");
    return runDemo(cli, { json: options.json, once: options.once === true, lang: languageOf(cli, options.lang) });
  },
};

const languageOf = (cli: Cli, told: unknown): string =>
  typeof told === "string" ? told : /^zh/i.test(cli.env.LC_ALL ?? cli.env.LANG ?? "") ? "zh" : "en";
