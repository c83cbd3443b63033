/** A second S3 server, of other authors and in another language's habits: what works on both is no accident of MinIO. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { type S3Server, withAccess } from "./minio.ts";
import { findProgram } from "./program.ts";
import { startServer } from "./server-process.ts";

export const versitygwProgram = findProgram("versitygw", "EDA_VERSITYGW");

export async function startVersitygw(): Promise<S3Server> {
  const [accessKey, secretKey] = [randomBytes(10).toString("hex"), randomBytes(20).toString("hex")];
  const server = await startServer((port, folder) => {
    const [data, versions] = [join(folder, "data"), join(folder, "versions")];
    for (const each of [data, versions]) mkdirSync(each);
    return {
      program: versitygwProgram as string,
      args: ["--quiet", "--port", `127.0.0.1:${port}`, "posix", "--versioning-dir", versions, data],
      env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    };
  });
  const access = { endpoint: `http://127.0.0.1:${server.port}`, region: "us-east-1", accessKey, secretKey };
  return withAccess(server, access, () => Promise.resolve());
}
