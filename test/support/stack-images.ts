/** Images for the stack on an engine that can pull none: our own, and stand-ins for those of MinIO, PostgreSQL and MongoDB. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { INFRA } from "./stack-file.ts";
import { mongoProgram } from "./servers/mongo.ts";
import { minioProgram } from "./servers/minio.ts";
import { findProgram } from "./servers/program.ts";

const STAND_INS = join(import.meta.dirname, "images");
/** With nothing in it but Debian; made by `debootstrap` where it cannot be pulled. */
const BASE = process.env["EDA_TEST_BASE_IMAGE"] ?? "debian:bookworm-slim";

/**
 * Builds what the environment does not name.
 * @returns the settings of the stack that name the images
 */
export function stackImages(): Record<string, string> {
  return {
    EDA_JUPYTER_CPU_IMAGE: named("EDA_JUPYTER_CPU_IMAGE") ?? buildOurs(),
    EDA_MINIO_IMAGE: named("EDA_MINIO_IMAGE") ?? buildStandIn("minio", [needed(minioProgram), needed(findProgram("mc", "EDA_MC"))]),
    EDA_DATABASE_IMAGE: named("EDA_DATABASE_IMAGE") ?? buildStandIn("postgres", []),
    EDA_MONGODB_IMAGE: named("EDA_MONGODB_IMAGE") ?? buildStandIn("mongodb", [dirname(needed(mongoProgram))]),
  };
}

function buildOurs(): string {
  return build("eda-test/jupyter-cpu:1", join(INFRA, ".."), join(INFRA, "images/jupyter-cpu/Dockerfile"));
}

/** @param contents files and folders that the stand-in's Dockerfile copies, beside those in its own folder */
function buildStandIn(name: string, contents: readonly string[]): string {
  const context = mkdtempSync(join(tmpdir(), "eda-image-"));
  try {
    cpSync(join(STAND_INS, name), context, { recursive: true });
    for (const path of contents) cpSync(path, join(context, basename(path)), { recursive: true });
    return build(`eda-test/${name}:1`, context, join(context, "Dockerfile"));
  } finally {
    rmSync(context, { recursive: true });
  }
}

function build(tag: string, context: string, file: string): string {
  execFileSync("docker", ["build", "--quiet", "--build-arg", `BASE_IMAGE=${BASE}`, "--tag", tag, "--file", file, context], {
    stdio: ["ignore", "ignore", "inherit"],
    // The builder that every client carries.
    env: { ...process.env, DOCKER_BUILDKIT: "0" },
  });
  return tag;
}

function named(setting: string): string | undefined {
  return process.env[setting] || undefined;
}

function needed(program: string | undefined): string {
  if (program === undefined) throw new Error("The stand-ins need what npm test and npm run bench:ingest build into .cache.");
  return program;
}
