/** Processes that a bench starts beside itself. */
import type { ChildProcess } from "node:child_process";

/** What a process of ours prints first is one JSON object. */
export function firstLine(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (part) => {
      text += part;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)));
    });
    child.once("exit", () => reject(new Error(`the process ended without a word: ${text}`)));
  });
}
