/** Vitest starts the server before the first test that runs on PostgreSQL, and ends it after the last one. */
import type { TestProject } from "vitest/node";
import { startServer } from "./postgres-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Absent where tests run on SQLite. */
    readonly postgres?: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { base, stop } = await startServer();
  project.provide("postgres", base);
  return stop;
}
