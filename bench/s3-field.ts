/** A MinIO with one bucket, and everyone who sends files to it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openS3Store } from "../src/adapters/minio/object-store.ts";
import { minioProgram, startMinio } from "../test/support/servers/minio.ts";
import { findProgram } from "../test/support/servers/program.ts";
import type { Contender } from "./contender.ts";
import { edaContender } from "./eda.ts";
import { dvcAddAndPush, mcMirror, type PeerStore, s5cmd } from "./peers.ts";
import { ensurePythonPeer } from "./python-peers.ts";

/** Where eda puts raw files; everyone else sends there too. */
const BUCKET = "raw-data";

export interface S3Field {
  readonly contenders: readonly Contender[];
  close(): Promise<void>;
}

/** @param cache folder of fetched programs */
export async function openS3Field(cache: string): Promise<S3Field> {
  const mc = findProgram("mc", "EDA_MC");
  if (mc === undefined || minioProgram === undefined) throw new Error("minio and mc are needed: npm run bench:ingest builds them");
  const server = await startMinio();
  const { endpoint, accessKey, secretKey, region } = server.access;
  const settings = mkdtempSync(join(tmpdir(), "eda-bench-mc-"));
  const store = openS3Store(server.access);
  await store.ensureBuckets([BUCKET]);
  await store.close();

  const env = {
    ...process.env,
    MC_CONFIG_DIR: settings,
    // By the environment: command lines are for everyone to read.
    MC_HOST_bench: endpoint.replace("://", `://${accessKey}:${secretKey}@`),
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_REGION: region,
  };
  const admin = (...args: string[]) => execFileSync(mc, ["--quiet", ...args], { env, encoding: "utf8" });
  const removal = ["--quiet", "rm", "--recursive", "--force", "--versions", `bench/${BUCKET}`];
  // It tells of every version.
  const empty = () => void execFileSync(mc, removal, { env, stdio: ["ignore", "ignore", "inherit"] });
  const peers: PeerStore = { endpoint, env, bucket: BUCKET, server: server.pid, empty };
  const edaEnv = { EDA_S3_ENDPOINT: endpoint, EDA_S3_REGION: region, EDA_S3_ACCESS_KEY: accessKey, EDA_S3_SECRET_KEY: secretKey };
  return {
    contenders: [
      edaContender({
        env: edaEnv,
        server: server.pid,
        settle(project) {
          if (admin("ls", `bench/${BUCKET}/${project}/`) === "") throw new Error(`nothing of ${project} is in the object store`);
          empty();
        },
      }),
      mcMirror(mc, peers),
      s5cmd(ensurePythonPeer(cache, "s5cmd"), peers),
      dvcAddAndPush(ensurePythonPeer(cache, "dvc"), peers),
    ],
    async close() {
      await server.stop();
      rmSync(settings, { recursive: true, force: true });
    },
  };
}
