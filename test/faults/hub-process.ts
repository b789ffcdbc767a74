/** A hub in a process of its own, started as a user starts it, that can be killed and stopped from outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { systemClock } from "../../core/net/clock.ts";

const launcher = resolve(import.meta.dirname, "../../config/syncline.js");
const readyMsMax = 60_000;
const lookMs = 20;
const wordsMax = 4_000;

export interface HubProcess {
  readonly pid: number;
  /** Milliseconds from exec to the first 200 of `/readyz`. */
  readonly ready: () => Promise<number>;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly ended: Promise<number | null>;
  /** The end of what it said on standard output and standard error. */
  readonly words: () => string;
}

export interface HubPlace {
  readonly folder: string;
  readonly url: string;
  /** SYNCLINE_KEY, where no file holds it. */
  readonly key?: string;
}

/** Starts `syncline serve` over the `syncline.yaml` of the folder. */
export function startHub(place: HubPlace): HubProcess {
  const startedAt = performance.now();
  const { child, words, ended } = runCommand(place, ["serve"]);
  return {
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    ended,
    words,
    ready: async () => {
      while (performance.now() - startedAt < readyMsMax) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`serve ended: ${words()}`);
        if (await isReady(place.url)) return performance.now() - startedAt;
        await systemClock.sleep(lookMs);
      }
      throw new Error(`serve was not ready within ${readyMsMax} ms: ${words()}`);
    },
  };
}

/** One command of the command line in the folder. */
export function runCommand({ folder, key }: Pick<HubPlace, "folder" | "key">, argv: ReadonlyArray<string>) {
  const env = key === undefined ? process.env : { ...process.env, SYNCLINE_KEY: key };
  const child: ChildProcess = spawn(process.execPath, [launcher, "-c", "syncline.yaml", ...argv], { cwd: folder, env });
  let said = "";
  const hear = (part: unknown): void => {
    said = `${said}${part}`.slice(-wordsMax);
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const ended = new Promise<number | null>((done) => child.once("close", done));
  return { child, ended, words: () => said };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await answer.text();
    return answer.status === 200;
  } catch {
    return false;
  }
}
