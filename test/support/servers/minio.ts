/** MinIO, the object store of the stack. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3Options } from "../../../src/adapters/minio/options.ts";
import { findProgram } from "./program.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

export const minioProgram = findProgram("minio", "EDA_MINIO");

const REGION = "us-east-1";

export interface S3Server extends ServerProcess {
  /** How to reach it as its administrator. */
  readonly access: S3Options;
}

export interface MinioOptions {
  /** Folder with `public.crt` and `private.key`: the server then speaks TLS only. */
  readonly certificates?: string;
  /** Where its data folder is made. */
  readonly parent?: string;
}

export async function startMinio({ certificates, parent }: MinioOptions = {}): Promise<S3Server> {
  const [accessKey, secretKey] = [randomBytes(10).toString("hex"), randomBytes(20).toString("hex")];
  const server = await startServer(
    (port, folder) => ({
      program: minioProgram as string,
      args: [
        "server",
        folder,
        "--quiet",
        "--address",
        `127.0.0.1:${port}`,
        ...(certificates === undefined ? [] : ["--certs-dir", certificates]),
      ],
      // Without a region of its own it takes requests that are signed for any.
      env: { MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_BROWSER: "off", MINIO_SITE_REGION: REGION },
    }),
    parent,
  );
  const scheme = certificates === undefined ? "http" : "https";
  const access = { endpoint: `${scheme}://127.0.0.1:${server.port}`, region: REGION, accessKey, secretKey };
  const ready = () => (certificates === undefined ? untilReady(`${access.endpoint}/minio/health/ready`) : sleep(500));
  await ready();
  return withAccess(server, access, ready);
}

/** The server's own members, among them getters, and how to reach it. */
export function withAccess(server: ServerProcess, access: S3Options, ready: () => Promise<void>): S3Server {
  return Object.assign(Object.create(server) as ServerProcess, {
    access,
    restart: async () => {
      await server.restart();
      await ready();
    },
  });
}

/** The port is open before the stores behind it are. */
async function untilReady(url: string): Promise<void> {
  while (
    !(await fetch(url).then(
      (response) => response.ok,
      () => false,
    ))
  )
    await sleep(50);
}
