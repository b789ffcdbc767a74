import { expect, inject, it } from "vitest";
import { placeFor } from "../kit/engine-place.ts";
import "../kit/postgres-setup.ts";
import { playCrew } from "./crew.ts";

it("three hubs on one database: one killed and one stopped in the middle of a push, and nothing is lost or written twice", async () => {
  expect(inject("postgres")).toBeDefined();
  const report = await playCrew({ store: await placeFor(), seed: 1 });
  expect(report).toMatchObject({ strayed: [], twice: [], lost: [], differences: [], exits: [0, 0, 0] });
  expect(report.takenFrom.killed).toBeGreaterThan(0);
  expect(report.takenFrom.stopped).toBeGreaterThan(0);
  expect(report.givenBack).toBeGreaterThan(0);
  // So that a run in which nothing happened cannot pass.
  for (const writes of report.byHub) expect(writes).toBeGreaterThan(0);
  expect(report.creates).toBeGreaterThan(20);
  expect(report.edits).toBeGreaterThan(50);
  expect(report.acknowledged).toBeGreaterThan(50);
}, 300_000);
