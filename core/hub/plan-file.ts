/**
 * A plan as a file: what it comes to in clear, the steps themselves sealed with the hub's key, as they hold personal
 * values. Only the hub that made it, or another with its key, can read it back.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import type { Sealer } from "../security/seal.ts";
import type { PlannedConnection } from "./plan.ts";
import type { Step } from "./plan-steps.ts";

/** Steps of one file; more are planned connection by connection. */
export const stepsMax = 100_000;
/** Bytes of one file, and of what is in it. */
export const fileBytesMax = 512 * 1024 * 1024;

export interface PlanContent {
  readonly at: number;
  readonly hub: string;
  /** The connections that were planned. */
  readonly names: ReadonlyArray<string>;
  readonly full: boolean;
  readonly steps: ReadonlyArray<Step>;
}

export class PlanUnreadable extends Error {
  readonly _tag = "PlanUnreadable";
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.name = "PlanUnreadable";
    this.remedy = remedy;
  }
}

const kind = "syncline plan";
const format = 1;
const purpose = "plan file";

export function writePlanFile(
  sealer: Sealer,
  content: PlanContent,
  connections: ReadonlyArray<PlannedConnection>,
): string {
  const { at, hub, full, steps } = content;
  const sealed = sealer.sealHubBytes(purpose, gzipSync(JSON.stringify(content)));
  const shown = {
    kind,
    format,
    hub,
    madeAt: new Date(at).toISOString(),
    full,
    steps: steps.length,
    connections: connections.map(({ name, creates, updates, deletes }) => ({ name, creates, updates, deletes })),
    sealed: sealed.toString("base64"),
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

/**
 * Reads what `writePlanFile` wrote.
 *
 * Errors  throws PlanUnreadable, with what to do.
 */
export function readPlanFile(sealer: Sealer, text: string): PlanContent {
  const sealed = sealedIn(text);
  let plain: Buffer;
  try {
    plain = sealer.openHubBytes(purpose, Buffer.from(sealed, "base64"));
  } catch {
    throw new PlanUnreadable(
      "The plan was made with another key, or was changed.",
      "Apply it with the hub that made it, or make a new plan there.",
    );
  }
  // Sealed by writePlanFile only.
  return JSON.parse(gunzipSync(plain, { maxOutputLength: fileBytesMax }).toString("utf8")) as PlanContent;
}

function sealedIn(text: string): string {
  const remedy = "Name a file that `plan -o` has written.";
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new PlanUnreadable("The file is not JSON.", remedy);
  }
  const shown: Readonly<Record<string, unknown>> = typeof read === "object" && read !== null ? { ...read } : {};
  if (shown.kind !== kind || typeof shown.sealed !== "string") throw new PlanUnreadable("The file is no plan.", remedy);
  if (shown.format !== format) {
    throw new PlanUnreadable(
      `The plan has format ${String(shown.format)}, and this version reads ${format}.`,
      "Make a new plan.",
    );
  }
  return shown.sealed;
}
