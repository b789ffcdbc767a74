/** PostgreSQL's texts have no character 0; no system shows one to people. A mark takes its place. */
export const storable = (text: string): string =>
  text.includes("\u0000") ? text.replaceAll("\u0000", "\ufffd") : text;
