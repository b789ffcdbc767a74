/** The roles of API keys as a table for the README. */
import { roleScopes, roles, roleWords, scopes, scopeWords } from "../core/security/roles.ts";

export type Language = "en" | "zh";

const heads = {
  en: { scope: "scope", meaning: "what it allows" },
  zh: { scope: "权限", meaning: "允许做什么" },
} as const;

/** Shape   Markdown: a line a role, then a table of scopes by roles. */
export function roleTable(language: Language): string {
  const head = heads[language];
  const lines = roles.map((role) => `- \`${role}\`: ${roleWords[role][language]}`);
  const rows = scopes.map((scope) => {
    const marks = roles.map((role) => (roleScopes[role].includes(scope) ? "✓" : ""));
    return `| \`${scope}\` | ${scopeWords[scope][language]} | ${marks.join(" | ")} |`;
  });
  return [
    ...lines,
    "",
    `| ${head.scope} | ${head.meaning} | ${roles.join(" | ")} |`,
    `| --- | --- |${" --- |".repeat(roles.length)}`,
    ...rows,
    "",
  ].join("\n");
}
