/** `npm run migrate -- --name what`: writes what the tables have become as a migration of each engine. */
import { spawnSync } from "node:child_process";

const kit = "node_modules/drizzle-kit/bin.cjs";
for (const config of ["config/drizzle.ts", "config/drizzle-postgres.ts"]) {
  const command = [kit, "generate", "--config", config, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, command, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
