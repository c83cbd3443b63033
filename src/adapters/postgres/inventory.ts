/** Governance on PostgreSQL. */
import type { Pool } from "pg";
import type { Inventory } from "../../ports/inventory.ts";
import { appendEntry, readHead, streamEntries } from "./audit.ts";
import { openDatabase } from "./database.ts";
import { upstream } from "./lineage.ts";
import { readCaptured, readJob, readJobs, readStats } from "./memory.ts";
import { applyMigrations } from "./migrations.ts";
import type { PatienceOptions } from "./patience.ts";
import { publish } from "./publish.ts";
import { findAssets, findByContent, pageOfRows, streamAllRows, streamCurrentRows } from "./rows.ts";
import { changeRun, ensureProject, insertRun, newestSuccess, pageOfRuns, projectNames, readRun } from "./runs.ts";

/** @param migrationsFolder folder of `NNN.do.name.sql` files */
export function openInventory(pool: Pool, migrationsFolder: string, options: PatienceOptions = {}): Inventory {
  const database = openDatabase(pool, options);
  return {
    migrate: () => applyMigrations(database, migrationsFolder),
    ensureProject: (project) => ensureProject(database, project),
    projects: () => projectNames(database),

    rows: (filter) => pageOfRows(database, filter),
    currentRows: (inventory, project) => streamCurrentRows(database, inventory, project),
    allRows: (project) => streamAllRows(database, project),
    findByContent: (inventory, project, sha256s) => findByContent(database, inventory, project, sha256s),

    publish: (publication) => publish(database, publication),

    recordRequest: (record) => insertRun(database, record),
    updateRun: (run, change) => changeRun(database, run, change),
    getRun: (run) => readRun(database, run),
    listRuns: (filter) => pageOfRuns(database, filter),
    lastSuccess: (project, stage) => newestSuccess(database, project, stage),

    captured: (project) => readCaptured(database, project),
    statCache: (project) => readStats(database, project),
    job: (job) => readJob(database, job),
    jobs: (project) => readJobs(database, project),

    lineage: (assetUri) => upstream(database, assetUri),
    findAssets: (text) => findAssets(database, text),

    appendAudit: (content) => database.transaction((connection) => appendEntry(connection, content)),
    auditHead: () => readHead(database),
    audit: () => streamEntries(database),
  };
}
