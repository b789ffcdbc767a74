/** One hub process of a bench: warms itself up, says so, and loads its connections when it is told to. */
import { Effect } from "effect";
import { load, openEngine } from "./apply.ts";

const [place = "", share = "", count = "0"] = process.argv.slice(2);
const warmUpRecords = 2_000;

const warm = await openEngine(":memory:");
await load(warm, warmUpRecords);
await warm.store.close();

const engines = await Promise.all([...share].map((name) => openEngine(place, name === "b" ? "b" : "a")));
for (const engine of engines) await Effect.runPromise(engine.store.database.read("warming", async () => 0));
console.log(JSON.stringify({ ready: true }));
for await (const _ of process.stdin);
for (const engine of engines) await load(engine, Number(count));
for (const engine of engines) await engine.store.close();
