/** Training through Drive, over a folder that stands in for it: what is put where, and what is told of it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDriveTrainer } from "../../src/adapters/colab/drive-trainer.ts";
import { openFolderDrive } from "../../src/adapters/local/drive.ts";
import { readJobDocument } from "../../src/domain/job/format.ts";
import { jobLimitsSchema } from "../../src/domain/job/limits.ts";
import { sha256Hex } from "../../src/domain/json.ts";
import type { JobParcel } from "../../src/ports/job-trainer.ts";
import { notebookOf } from "../support/notebooks.ts";

const DATA = "rows";
const { signal } = new AbortController();

describe("the trainer through Drive", () => {
  let root: string;
  let parcel: JobParcel;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "eda-drive-trainer-"));
    writeFileSync(join(root, "train.parquet"), DATA);
    parcel = {
      request: {
        job: "job-1",
        project: "p",
        run: "job-1",
        createdAt: "2026-11-24T12:00:00.000Z",
        inputs: [{ path: "data/train.parquet", size: DATA.length, sha256: sha256Hex(DATA) }],
        parameters: {},
        notebook: { path: "notebooks/p/n.ipynb", text: notebookOf("pass") },
        helper: "# helper\n",
        commit: null,
        accelerator: { wanted: "T4", allowOthers: false },
        limits: jobLimitsSchema.parse({}),
      },
      data: new Map([["data/train.parquet", join(root, "train.parquet")]]),
    };
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const open = (change: Partial<Parameters<typeof openDriveTrainer>[0]> = {}) =>
    openDriveTrainer({
      drive: openFolderDrive(root),
      root,
      mountedRoot: "Modelos",
      openUrl: (id) => `https://colab.research.google.com/drive/${id}`,
      scratchFolder: join(root, "scratch"),
      ...change,
    });
  const below = (...path: string[]) => join(root, "eda", ...path);

  it("puts data once by their content, and says in job.json where they lie", async () => {
    const { place, files } = await open().prepare(parcel, signal);
    const sha256 = sha256Hex(DATA);
    expect(readdirSync(below("jobs", "job-1")).sort()).toEqual(["eda_job.py", "job.json", "notebook.ipynb"]);
    const reading = readJobDocument(readFileSync(below("jobs", "job-1", "job.json"), "utf8"));
    expect(reading).toMatchObject({
      kind: "whole",
      document: { inputs: [{ path: "data/train.parquet", from: `../../datasets/${sha256}` }] },
    });
    expect(readFileSync(join(below("jobs", "job-1"), "../../datasets", sha256), "utf8")).toBe(DATA);
    // The notebook finds its folder below My Drive.
    expect(files["notebook.ipynb"]).toContain("Modelos/eda/jobs/job-1");
    expect(place.openUrl).toBe("https://colab.research.google.com/drive/eda/jobs/job-1/notebook.ipynb");
    const { mtimeMs } = statSync(below("datasets", sha256));
    await open().prepare({ ...parcel, request: { ...parcel.request, job: "job-2" } }, signal);
    expect(statSync(below("datasets", sha256)).mtimeMs).toBe(mtimeMs);
  });

  it("reads what a runtime leaves, with the storage's times", async () => {
    const trainer = open();
    const { place } = await trainer.prepare(parcel, signal);
    writeFileSync(below("jobs", "job-1", "DONE.json"), "{}");
    const folder = trainer.folder(place);
    const files = await folder.list(signal);
    const done = files.find(({ path }) => path === "DONE.json");
    expect(done).toMatchObject({ size: 2, storedAt: expect.any(Number) });
    expect(await text(await folder.read(done as never, signal))).toBe("{}");
    await expect(folder.read({ ...(done as never as object), version: "another" } as never, signal)).rejects.toMatchObject({
      kind: "transient",
    });
  });

  it("asks attempts to stop by CANCEL, and starts none", async () => {
    const trainer = open();
    const { place } = await trainer.prepare(parcel, signal);
    expect(await trainer.start(place, signal)).toBe(false);
    expect(await trainer.cancel(place)).toBe(false);
    expect(readdirSync(below("jobs", "job-1"))).toContain("CANCEL");
  });

  it("tells a folder that is not listed yet from one that is gone", async () => {
    const patient = open();
    const { place } = await patient.prepare(parcel, signal);
    rmSync(below("jobs", "job-1"), { recursive: true });
    await expect(patient.folder(place).list(signal)).rejects.toMatchObject({ kind: "transient", code: "job-folder-not-visible" });
    const later = open({ visibleAfterMs: 0 });
    await expect(later.folder(place).list(signal)).rejects.toMatchObject({ kind: "terminal", code: "job-folder-missing" });
  });
});
