/** Conditional writes: `If-Match` names the revision that the caller saw. */
import { Problem } from "./problem.ts";
import type { Asking } from "./route.ts";

/**
 * Fails with 412 where the record has another revision than the one that the caller saw. An ETag is `"<revision>.<print>"`;
 * the print tells two pictures of one revision apart, for reading only.
 */
export function problemOfMatch({ header }: Pick<Asking, "header">, revision: number): Problem | null {
  const wanted = header("If-Match");
  if (wanted === undefined || wanted.trim() === "*") return null;
  const revisions = wanted.split(",").map((one) => /^\s*"(\d+)(?:\.[^"]*)?"\s*$/.exec(one)?.[1]);
  if (revisions.includes(String(revision))) return null;
  return new Problem(
    "precondition-failed",
    `The record is at revision ${revision}, which is not the one of If-Match.`,
    "Read it again, look at what changed, and send the new ETag.",
  );
}
