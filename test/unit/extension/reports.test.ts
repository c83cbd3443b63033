import { describe, expect, it } from "vitest";
import { codeUri, driveUri, localUri, objectUri } from "../../../src/domain/asset.ts";
import { doctorReport, lineageReport, runReport, verifyReport } from "../../../src/extension/text/reports.ts";
import { runRecord } from "../../support/run-records.ts";

describe("the report of a run", () => {
  it("begins with its facts and goes on with its log", () => {
    const line = { run: "r", sequence: 1, at: "2026-11-24T12:00:01.000Z", level: "warn", message: "12 rows rejected\u001b[31m" } as const;
    const lines = runReport(runRecord({ details: { rejected: 12 } }), [line], Date.now()).split("\n");
    expect(lines[0]).toBe("3/7 Staging · lojas");
    expect(lines).toContain("took:          10 sec");
    expect(lines).toContain("rejected:      12");
    expect(lines).toContain("2026-11-24T12:00:01.000Z  WARN   12 rows rejected\\u{1b}[31m");
  });

  it("holds the whole error of a failed run", () => {
    const error = { kind: "terminal", code: "x", message: "It broke.", todo: "Mend it." } as const;
    expect(runReport(runRecord({ state: "failed", error }), [], Date.now())).toContain("It broke.\nMend it.");
  });
});

describe("the report of a lineage", () => {
  const drive = driveUri("pedidos.csv", "rev1");
  const local = localUri("eda/raw-data/lojas/pedidos.csv", "c".repeat(64));
  const raw = objectUri({ bucket: "raw-data", key: "lojas/pedidos.csv", versionId: "v1" });
  const code = codeUri("configs/projects/lojas.yaml", "e".repeat(64));
  const run = (id: string, stage: "capture" | "ingest") =>
    ({ run: id, project: "lojas", stage, commitBefore: "1".repeat(40), commitAfter: "2".repeat(40), finishedAt: null }) as const;

  it("goes from the asset back to Drive, with run and commits at each step", () => {
    const graph = {
      root: raw,
      edges: [
        { from: local, to: raw, run: "r2" },
        { from: drive, to: local, run: "r1" },
        { from: code, to: raw, run: "r2" },
      ],
      runs: [run("r1", "capture"), run("r2", "ingest")],
    };
    expect(lineageReport(graph).split("\n")).toEqual([
      "object  raw-data/lojas/pedidos.csv  @v1",
      "└─ by 2/7 Ingest, run r2, commits 1111111 → 2222222",
      "   ├─ code  configs/projects/lojas.yaml  @eeeeeeeeeeee…",
      "   └─ local  eda/raw-data/lojas/pedidos.csv  @cccccccccccc…",
      "      └─ by 1/7 Capture, run r1, commits 1111111 → 2222222",
      "         └─ drive  pedidos.csv  @rev1",
      "",
    ]);
  });

  it("shows what repeats once, even in a circle", () => {
    const graph = {
      root: raw,
      edges: [
        { from: local, to: raw, run: "r1" },
        { from: raw, to: local, run: "r2" },
      ],
      runs: [],
    };
    expect(lineageReport(graph)).toContain("(shown above)");
  });
});

describe("the report of a verification", () => {
  const counts = { objects: 3, bytes: 1000, rows: 4, manifests: 2, auditEntries: 5 };

  it("says that everything agrees", () => {
    expect(verifyReport({ ok: true, ...counts, problems: [] })).toContain("Everything agrees.");
  });

  it("names each thing that does not", () => {
    const problems = [{ subject: "object", name: "raw-data/a@v1", message: "its sha256 is another" }] as const;
    expect(verifyReport({ ok: false, ...counts, problems })).toContain(
      "Differences: 1\n\n✗ object  raw-data/a@v1\n    its sha256 is another",
    );
  });
});

it("lists what doctor found, with what to do below", () => {
  const text = doctorReport([
    { name: "Git", state: "ok", message: "2.39", todo: null },
    { name: "Python", state: "failed", message: "not found", todo: "Install it." },
  ]);
  expect(text.split("\n")).toEqual(["✓ Git     2.39", "✗ Python  not found", "          → Install it.", ""]);
});
