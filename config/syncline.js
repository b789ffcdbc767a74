#!/usr/bin/env node
// Starts Syncline on Node 24 or newer: on this Node if it is new enough, else on the one that came with `npm ci`.
// Plain JavaScript, because an older Node must be able to read it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as modules from "node:module";
import { fileURLToPath } from "node:url";

const start = fileURLToPath(new URL("./start.ts", import.meta.url));
const [major] = process.versions.node.split(".");

if (Number(major) >= 24) {
  // Compiled code is kept beside the packages: a start takes half the time. Where that folder cannot be written nothing is kept.
  modules.enableCompileCache?.(fileURLToPath(new URL("../node_modules/.cache/syncline", import.meta.url)));
  // It is written at the end of a process; one that is killed has no end.
  setTimeout(() => modules.flushCompileCache?.(), 5_000).unref();
  await import("./start.ts");
} else {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const node = fileURLToPath(
    new URL(
      `../node_modules/node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}/bin/${name}`,
      import.meta.url,
    ),
  );
  if (!existsSync(node)) {
    console.error(
      `Syncline needs Node 24 or newer; this is ${process.version}, and none came with the packages for ${process.platform}-${process.arch}.`,
    );
    console.error("Install Node 24, or run `npm ci` without --omit=optional.");
    process.exit(1);
  }
  const child = spawn(node, [start, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // As in start.ts: npm's shell passes no signal on, so its end is the signal.
  const parent = process.ppid;
  if (process.env.npm_command !== undefined) {
    setInterval(() => process.ppid === parent || child.kill("SIGTERM"), 500).unref();
  }
  child.on("exit", (code, signal) => {
    if (signal !== null) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  });
}
