/** Whether a hub key is the one that a store was sealed with. */
import { type HubKey, KeyProblem } from "../security/hub-key.ts";

/**
 * Compares a key with the note that the store's first key left; undefined in a store that has not seen one yet.
 *
 * Errors  KeyProblem
 */
export function checkKey(noted: string | undefined, hubKey: HubKey, place: string): void {
  if (noted === undefined || noted === hubKey.check) return;
  throw new KeyProblem(
    `The key does not fit the store ${place}: it was sealed with another one.`,
    "Set SYNCLINE_KEY to the key of this store, or restore its key file from the backup.",
  );
}
