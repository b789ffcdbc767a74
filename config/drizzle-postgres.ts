import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./core/store/postgres/tables.ts",
  out: "./core/store/postgres/migrations",
});
