/** How deep a JSON text nests, found by one walk over its bytes: before any parser is asked to follow it. */

const quote = 0x22;
const backslash = 0x5c;

/** True if the text opens more than `depthMax` brackets inside each other. It need not be valid JSON. */
export function nestsDeeper(bytes: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inText) {
      if (byte === backslash) at += 1;
      else if (byte === quote) inText = false;
      continue;
    }
    if (byte === quote) inText = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
}
