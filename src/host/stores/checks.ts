/** `eda doctor` on the stores: reachable, letting us in, as this program needs them, and telling the same time. */
import { existsSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import prettyBytes from "pretty-bytes";
import prettyMs from "pretty-ms";
import { type DatabaseFacts, probeDatabase } from "../../adapters/postgres/probe.ts";
import { toEdaError } from "../../domain/errors.ts";
import type { DoctorCheck } from "../../protocol/messages.ts";
import { ok, settled, type Verdict, warning } from "../verdict.ts";
import type { GoogleConfiguration, MongodbConfiguration, S3Configuration, StoresConfiguration } from "./configuration.ts";
import { databaseUrl, googleOptions, mongoOptions, s3Options } from "./connections.ts";
import { describeStores } from "./describe.ts";
import type { Stores } from "./open.ts";
import { reach } from "./reach.ts";

/** Beyond this somebody should know; S3 refuses requests that are 15 minutes off. */
const MAX_SKEW_MS = 60_000;

export interface Places {
  readonly stateFolder: string;
  readonly sqlFolder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Of the running embedded database; absent when no host runs, and the database with it. */
  readonly databaseUrl?: string;
  /** What the open run log says of itself. */
  readonly runLogCondition?: Stores["runLogCondition"];
}

/** One check a service, all at once; none rejects. */
export function checkStores(configuration: StoresConfiguration, places: Places): readonly Promise<DoctorCheck>[] {
  const { objects, database, runLog, drive } = configuration;
  const folder = join(places.stateFolder, "objects");
  const described = describeStores(configuration, folder);
  const url = database.kind === "postgresql" ? databaseUrl(database) : places.databaseUrl;
  const facts = url === undefined ? undefined : reach(described.inventory, () => probeDatabase(url, places.sqlFolder));
  return [
    settled("object store", () => (objects.kind === "s3" ? checkS3(objects, described.objects) : checkFolder(folder))),
    ...(facts === undefined
      ? []
      : [
          settled("postgresql", async () => checkDatabase(await facts, described.inventory)),
          settled("migrations", async () => checkMigrations(await facts)),
        ]),
    ...(runLog.kind === "mongodb" ? [settled("run log", () => checkMongodb(runLog, described.runLog, places))] : []),
    ...(drive.kind === "google" ? [settled("drive", () => checkGoogle(drive, places))] : []),
  ];
}

async function checkFolder(folder: string): Promise<Verdict> {
  if (existsSync(folder)) await access(folder, constants.R_OK | constants.W_OK);
  return ok(`folder ${folder}`);
}

async function checkS3(objects: S3Configuration, description: string): Promise<Verdict> {
  const { probeObjectStore } = await import("../../adapters/minio/probe.ts");
  const { missing, unversioned, skewMs } = await reach(description, () => probeObjectStore(s3Options(objects)));
  if (unversioned.length > 0) {
    return {
      state: "failed",
      message: `${description} keeps no versions in ${unversioned.join(", ")}`,
      todo: `Switch versioning on: ${unversioned.map((bucket) => `mc version enable <alias>/${bucket}`).join(", ")}`,
      kind: "precondition",
    };
  }
  if (missing.length > 0) {
    return warning(
      `${description} has no bucket ${missing.join(", ")}`,
      "The host makes them when it starts: eda host stop, then any command.",
    );
  }
  return checkClock(skewMs, `${description}, versioned`);
}

function checkDatabase({ version, skewMs }: DatabaseFacts, description: string): Verdict {
  return checkClock(skewMs, `${description}, version ${version}`);
}

function checkMigrations({ pendingMigrations: pending }: DatabaseFacts): Verdict {
  if (pending === 0) return ok("up to date");
  if (pending > 0) return warning(`${pending} pending`, "The host applies them when it starts: eda host stop, then any command.");
  return {
    state: "failed",
    message: "The database was made by a newer version of eda.",
    todo: "Use that version, or a newer one.",
    kind: "precondition",
  };
}

/** Runs go on without it, so that being away is no more than a warning while something keeps what it is to get. */
async function checkMongodb(runLog: MongodbConfiguration, description: string, { runLogCondition }: Places): Promise<Verdict> {
  const { probeRunLog } = await import("../../adapters/mongodb/probe.ts");
  const waiting = runLogCondition?.().waitingBytes ?? 0;
  const backlog = waiting === 0 ? "" : `; ${prettyBytes(waiting)} wait for it on disk`;
  try {
    const { version, skewMs } = await probeRunLog(mongoOptions(runLog));
    return checkClock(skewMs, `${description}, version ${version}${backlog}`);
  } catch (error) {
    const { kind, message, todo } = toEdaError(error);
    if (kind !== "unavailable" || runLogCondition === undefined) throw error;
    return warning(`${message}${backlog}`, todo ?? "Start it: what waits is then delivered.");
  }
}

async function checkGoogle(drive: GoogleConfiguration, { stateFolder, env }: Places): Promise<Verdict> {
  const { probeDrive } = await import("../../adapters/drive/probe.ts");
  const { account, freeBytes } = await probeDrive(googleOptions(drive, stateFolder, env));
  const room = freeBytes === undefined ? "" : `, ${prettyBytes(freeBytes)} free`;
  return ok(`Google Drive of ${account}${room}`);
}

function checkClock(skewMs: number | undefined, message: string): Verdict {
  if (skewMs === undefined || Math.abs(skewMs) <= MAX_SKEW_MS) return ok(message);
  const difference = prettyMs(Math.abs(skewMs), { unitCount: 2, verbose: true });
  return warning(
    `${message}; its clock is ${difference} ${skewMs > 0 ? "ahead of" : "behind"} this machine's`,
    "Set both by NTP: an object store refuses requests that are 15 minutes off.",
  );
}
