/** Users of a MinIO of ours: made, disabled and enabled by its administrator, as in an operation. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import type { S3Options } from "../../../src/adapters/minio/options.ts";
import { findProgram } from "./program.ts";

export const mcProgram = findProgram("mc", "EDA_MC");

export interface MinioUser {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Requests of a disabled user are refused from now on. */
  disable(): Promise<void>;
  enable(): Promise<void>;
}

/** A user who may read and write every bucket. */
export async function addMinioUser(administrator: S3Options): Promise<MinioUser> {
  const [accessKey, secretKey] = [`eda-${randomBytes(6).toString("hex")}`, randomBytes(20).toString("hex")];
  const { host } = new URL(administrator.endpoint);
  const env = { MC_HOST_t: `http://${administrator.accessKey}:${administrator.secretKey}@${host}` };
  const admin = (args: readonly string[], input = "") => mc(["admin", ...args], env, input);
  await admin(["user", "add", "t"], `${accessKey}\n${secretKey}\n`);
  await admin(["policy", "attach", "t", "readwrite", "--user", accessKey]);
  return {
    accessKey,
    secretKey,
    disable: () => admin(["user", "disable", "t", accessKey]),
    enable: () => admin(["user", "enable", "t", accessKey]),
  };
}

async function mc(args: readonly string[], env: NodeJS.ProcessEnv, input: string): Promise<void> {
  const child = spawn(mcProgram as string, ["--quiet", ...args], { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`mc ${args.join(" ")} ended with ${code}: ${output}`);
}
