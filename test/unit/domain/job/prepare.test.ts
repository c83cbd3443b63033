import { describe, expect, it } from "vitest";
import { readJobDocument } from "../../../../src/domain/job/format.ts";
import { jobLimitsSchema } from "../../../../src/domain/job/limits.ts";
import { type JobRequest, jobFiles, preparedNotebook } from "../../../../src/domain/job/prepare.ts";
import { sha256Hex } from "../../../../src/domain/json.ts";
import { type Notebook, notebookText, parseNotebook, sourceText } from "../../../../src/domain/notebook.ts";
import { isoAt } from "../../../support/job-documents.ts";
import { notebookOf } from "../../../support/notebooks.ts";

const SOURCE = notebookOf({ source: "depth = 1", tags: ["parameters"] }, "print(depth)");
const HELPER = "VERSION = 1\n";

const request = (change: Partial<JobRequest> = {}): JobRequest => ({
  job: "20261124-120000-abc123",
  project: "projeto_voos",
  run: "20261124-120000-abc123",
  createdAt: isoAt(0),
  inputs: [{ path: "data/train.parquet", size: 4, sha256: "a".repeat(64), from: "../../data/aa.parquet" }],
  parameters: { depth: 7 },
  notebook: { path: "notebooks/p/n.ipynb", text: SOURCE },
  helper: HELPER,
  commit: "0".repeat(40),
  accelerator: { wanted: "T4", allowOthers: false },
  limits: jobLimitsSchema.parse({}),
  drivePath: "eda/jobs/20261124-120000-abc123",
  ...change,
});
const REPREPARED = {
  job: "j2",
  parameters: { depth: 8 },
  accelerator: { wanted: "cpu" as const, allowOthers: false },
  helperSha256: "f".repeat(64),
  drivePath: undefined,
};
const prepared = (change: Partial<JobRequest> = {}): Notebook => parseNotebook("n", jobFiles(request(change))["notebook.ipynb"]);

describe("a prepared job", () => {
  it("describes itself, its notebook and its helper by hash", () => {
    const files = jobFiles(request());
    const reading = readJobDocument(files["job.json"]);
    expect(reading).toMatchObject({
      kind: "whole",
      document: {
        format: "eda-job",
        version: 1,
        parameters: { depth: 7, eda_data_dir: "data", eda_results_dir: "results" },
        notebook: { path: "notebooks/p/n.ipynb", sha256: sha256Hex(SOURCE), prepared: sha256Hex(files["notebook.ipynb"]) },
        helper: { sha256: sha256Hex(HELPER) },
        inputs: [{ from: "../../data/aa.parquet" }],
      },
    });
    expect(files["eda_job.py"]).toBe(HELPER);
  });

  it("is the same for the same request", () => {
    expect(jobFiles(request())).toEqual(jobFiles(request()));
  });

  it("is refused with an id that is no folder name", () => {
    expect(() => jobFiles(request({ job: "x\nimport os" }))).toThrow(/The job cannot be prepared: job must be/u);
  });
});

describe("its notebook", () => {
  it("begins the attempt first, sets the parameters after the defaults, ends it last, and leaves the person's cells as they are", () => {
    const { cells } = prepared();
    expect(cells.map((cell) => cell.metadata.tags?.[0])).toEqual([
      "eda-job-begin",
      "parameters",
      "injected-parameters",
      undefined,
      "eda-job-end",
    ]);
    const own = cells.filter((cell) => !/^(eda|injected)/u.test(cell.metadata.tags?.[0] ?? ""));
    expect(own).toEqual(parseNotebook("n", SOURCE).cells);
    expect(sourceText(cells[0] as never)).toContain(
      `_eda_begin("20261124-120000-abc123", "eda/jobs/20261124-120000-abc123", "${sha256Hex(HELPER)}", eda_job_folder)`,
    );
    expect(sourceText(cells[2] as never)).toBe('# Parameters\ndepth = 7\neda_data_dir = "data"\neda_results_dir = "results"');
    expect(sourceText(cells[4] as never)).toMatch(/eda_job\.current\(\)\.finish\(\)$/u);
  });

  it("brings the folder before everything else and takes it back last, where there is a carrier", () => {
    const { cells } = prepared({ carrier: { fetch: "bring()", flush: "flush()" } });
    expect(cells.map((cell) => cell.metadata.tags?.[0]).slice(0, 2)).toEqual(["eda-job-fetch", "eda-job-begin"]);
    expect(sourceText(cells[0] as never)).toBe("bring()");
    expect(sourceText(cells.at(-1) as never)).toMatch(/finish\(\)\nflush\(\)$/u);
    const again = preparedNotebook({ ...prepared(), cells }, { ...REPREPARED, carrier: undefined });
    expect(again.cells).toHaveLength(cells.length - 1);
  });

  it("preselects a T4 in Colab, and keeps its other metadata", () => {
    const source = JSON.parse(SOURCE) as { metadata: Record<string, unknown> };
    source.metadata.colab = { provenance: [], gpuType: "V28" };
    const text = JSON.stringify(source);
    expect(prepared({ notebook: { path: "n", text } }).metadata).toMatchObject({
      kernelspec: { name: "python3" },
      accelerator: "GPU",
      colab: { provenance: [], gpuType: "T4" },
    });
    const cpu = prepared({ notebook: { path: "n", text }, accelerator: { wanted: "cpu", allowOthers: false } });
    expect(cpu.metadata).not.toHaveProperty("accelerator");
    expect(cpu.metadata["colab"]).toEqual({ provenance: [] });
  });

  it("is prepared anew from one that was prepared before", () => {
    const once = prepared();
    const twice = preparedNotebook(once, { ...REPREPARED, carrier: undefined });
    expect(twice.cells).toHaveLength(once.cells.length);
    expect(notebookText(twice)).toContain("job j2;");
    expect(notebookText(twice)).not.toContain("20261124-120000-abc123");
  });
});
