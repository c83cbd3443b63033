/** Things to publish, whole and valid, of which a test names only what matters to it. */
import { createHash } from "node:crypto";
import type { AuditContent } from "../../src/domain/audit.ts";
import type { InventoryRow } from "../../src/domain/inventory.ts";
import { requestedRecord, type RunRecord } from "../../src/domain/run.ts";
import type { CapturedFile, JobRecord, Publication, StatCacheEntry } from "../../src/ports/inventory.ts";

export const PROJECT = "projeto_teste";
export const AT = "2026-11-24T12:00:00.000Z";

export function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function md5Of(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

export function runRecord(run: string, more: Partial<RunRecord> = {}): RunRecord {
  return { ...requestedRecord({ run, project: PROJECT, stage: "ingest", force: false, actor: "ana" }, AT), ...more };
}

/** A row named `name` whose content is `content`. */
export function inventoryRow(run: string, name: string, content = name, more: Partial<InventoryRow> = {}): InventoryRow {
  return {
    inventory: "raw",
    project: PROJECT,
    name,
    role: "data",
    mediaType: "text/csv",
    rows: null,
    aliasOf: null,
    details: { origem: { drive_id: name, dono: "ana@example.com" } },
    run,
    commitBefore: "0123456789abcdef0123456789abcdef01234567",
    bucket: "raw-data",
    key: `${PROJECT}/${name}`,
    versionId: `v-${sha256Of(content).slice(0, 12)}`,
    size: Buffer.byteLength(content),
    md5: md5Of(content),
    sha256: sha256Of(content),
    ...more,
  };
}

export function auditContent(run: string | null, more: Partial<AuditContent> = {}): AuditContent {
  return { event: "run.published", project: PROJECT, stage: "ingest", run, actor: "ana", at: AT, payload: { rows: 1 }, ...more };
}

export function publication(run: string, more: Partial<Publication> = {}): Publication {
  return {
    run,
    project: PROJECT,
    stage: "ingest",
    rows: [],
    retired: [],
    edges: [],
    captured: [],
    statCache: [],
    job: null,
    execution: {},
    audit: auditContent(run),
    ...more,
  };
}

export function capturedFile(run: string, driveId: string, more: Partial<CapturedFile> = {}): CapturedFile {
  return {
    project: PROJECT,
    driveId,
    driveVersion: "1",
    path: driveId,
    size: 3,
    sha256: sha256Of(driveId),
    modifiedAt: AT,
    owner: null,
    driveName: driveId,
    run,
    ...more,
  };
}

export function statCacheEntry(path: string, more: Partial<StatCacheEntry> = {}): StatCacheEntry {
  return {
    path,
    size: 3,
    mtimeNs: "1795608000123456789",
    ctimeNs: "1795608000987654321",
    inode: "18446744073709551615",
    md5: md5Of(path),
    sha256: sha256Of(path),
    ...more,
  };
}

export function jobRecord(run: string, job: string, more: Partial<JobRecord> = {}): JobRecord {
  return {
    job,
    project: PROJECT,
    run,
    state: "succeeded",
    trainer: "jupyter",
    attempt: "001-aaaaaaaa",
    attempts: 1,
    accelerator: "cpu, jupyter local",
    metrics: { auc: 0.8125, classes: ["no prazo", "atrasado"] },
    parameters: { seed: 42 },
    artefacts: [
      {
        name: "modelo.onnx",
        bucket: "models",
        key: `${PROJECT}/modelo.onnx`,
        versionId: "v1",
        size: 10,
        md5: md5Of("m"),
        sha256: sha256Of("m"),
        mediaType: "application/octet-stream",
      },
    ],
    startedAt: AT,
    finishedAt: "2026-11-24T12:10:00.250Z",
    ...more,
  };
}
