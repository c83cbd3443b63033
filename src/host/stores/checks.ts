/** `eda doctor` on the stores: reachable, letting us in, as this program needs them, and telling the same time. */
import { existsSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import prettyMs from "pretty-ms";
import { probeObjectStore } from "../../adapters/minio/probe.ts";
import { type DatabaseFacts, probeDatabase } from "../../adapters/postgres/probe.ts";
import type { DoctorCheck } from "../../protocol/messages.ts";
import { ok, settled, type Verdict, warning } from "../verdict.ts";
import type { S3Configuration, StoresConfiguration } from "./configuration.ts";
import { databaseUrl, s3Options } from "./connections.ts";
import { describeStores } from "./describe.ts";
import { reach } from "./reach.ts";

/** Beyond this somebody should know; S3 refuses requests that are 15 minutes off. */
const MAX_SKEW_MS = 60_000;

export interface Places {
  readonly workspace: string;
  readonly stateFolder: string;
  readonly sqlFolder: string;
  /** Of the running embedded database; absent when no host runs, and the database with it. */
  readonly databaseUrl?: string;
}

/** One check a service, all at once; none rejects. */
export function checkStores(configuration: StoresConfiguration, places: Places): readonly Promise<DoctorCheck>[] {
  const { objects, database } = configuration;
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
  ];
}

async function checkFolder(folder: string): Promise<Verdict> {
  if (existsSync(folder)) await access(folder, constants.R_OK | constants.W_OK);
  return ok(`folder ${folder}`);
}

async function checkS3(objects: S3Configuration, description: string): Promise<Verdict> {
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

function checkClock(skewMs: number | undefined, message: string): Verdict {
  if (skewMs === undefined || Math.abs(skewMs) <= MAX_SKEW_MS) return ok(message);
  const difference = prettyMs(Math.abs(skewMs), { unitCount: 2, verbose: true });
  return warning(
    `${message}; its clock is ${difference} ${skewMs > 0 ? "ahead of" : "behind"} this machine's`,
    "Set both by NTP: an object store refuses requests that are 15 minutes off.",
  );
}
