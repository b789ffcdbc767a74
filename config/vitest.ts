import { defineConfig } from "vitest/config";

/** What runs on both engines. */
const onBothEngines = [
  "test/core/store/**/*.test.ts",
  "test/core/sync/**/*.test.ts",
  "test/core/hub/service.test.ts",
  "test/core/http/lists.test.ts",
  "test/core/http/scim/provider.test.ts",
];
/** What is about PostgreSQL alone. */
const onPostgres = [
  "test/core/store/postgres/**/*.test.ts",
  "test/core/cli/postgres.test.ts",
  "test/core/hub/crew.test.ts",
  "test/faults/crew.test.ts",
  "test/sim/postgres-seeds.test.ts",
];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    maxWorkers: 2,
    passWithNoTests: false,
    projects: [
      { extends: true, test: { name: "sqlite", include: ["test/**/*.test.ts"], exclude: onPostgres } },
      {
        extends: true,
        test: {
          name: "postgres",
          include: [...onBothEngines, ...onPostgres],
          globalSetup: ["test/kit/postgres-setup.ts"],
        },
      },
    ],
  },
});
