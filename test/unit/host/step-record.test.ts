import { readdir, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { recordedValue, recordStep, syncRecords } from "../../../src/host/step-record.ts";
import { temporaryFolder } from "../../support/folders.ts";

const long = { rows: Array.from({ length: 20_000 }, (_, index) => ({ name: `ficheiro-${index} ção`, size: index, note: null })) };

it("keeps a short result as it is, in the record alone", async () => {
  const folder = await temporaryFolder();
  const record = await recordStep("plan", { value: { files: 3 } }, folder);
  expect(JSON.parse(record)).toEqual({ value: { files: 3 } });
  expect(await recordedValue(record, folder)).toEqual({ files: 3 });
  expect(await readdir(folder)).toEqual([]);
});

it("keeps a long result in a file of the run, and gives it back", async () => {
  const folder = await temporaryFolder();
  const record = await recordStep("execute:files-0", { value: long }, folder);
  expect(record.length).toBeLessThan(300);
  expect(await recordedValue(record, folder)).toEqual(long);
  expect(await readdir(join(folder, ".checkpoints"))).toEqual(["execute%3Afiles-0.json"]);
});

it("gives a long error back typed", async () => {
  const folder = await temporaryFolder();
  const findings = Array.from({ length: 10_000 }, (_, index) => ({ message: `row ${index} is not a number` }));
  const record = await recordStep("seal", { error: { kind: "terminal", code: "rejected", message: "no", findings } }, folder);
  await expect(recordedValue(record, folder)).rejects.toMatchObject({ kind: "terminal", code: "rejected", findings });
});

it("says that the run cannot go on when the file was cut short", async () => {
  const folder = await temporaryFolder();
  const record = await recordStep("seal", { value: long }, folder);
  await truncate(join(folder, ".checkpoints", "seal.json"), 1000);
  await expect(recordedValue(record, folder)).rejects.toMatchObject({ code: "checkpoint-missing" });
});

it("says that the run cannot go on when the file is gone", async () => {
  const folder = await temporaryFolder();
  const record = await recordStep("seal", { value: long }, folder);
  await rm(join(folder, ".checkpoints"), { recursive: true });
  await expect(recordedValue(record, folder)).rejects.toMatchObject({ code: "checkpoint-missing" });
});

it("synchronises what was written, and is content with nothing", async () => {
  const folder = await temporaryFolder();
  await syncRecords(folder);
  const record = await recordStep("seal", { value: long }, folder);
  await syncRecords(folder);
  expect(await recordedValue(record, folder)).toEqual(long);
});
