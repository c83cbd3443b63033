/** A private authority and a server's certificate that it signed, made anew each time. */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "./folders.ts";

const run = promisify(execFile);

export interface Certificates {
  /** Certificate of the authority (PEM). */
  readonly ca: string;
  /** Folder with `public.crt` and `private.key` of a server at 127.0.0.1. */
  readonly folder: string;
}

/** @param root folder to make them in; without, one of the test that runs */
export async function makeCertificates(root?: string): Promise<Certificates> {
  return makeIn(root ?? (await temporaryFolder()));
}

async function makeIn(root: string): Promise<Certificates> {
  const folder = join(root, "server");
  await mkdir(folder);
  const openssl = (...args: string[]) => run("openssl", args, { cwd: root });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Private authority", "-days", "2");
  await openssl("req", ...newKey, "-keyout", "server/private.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1");
  await writeFile(join(root, "names"), "subjectAltName=IP:127.0.0.1\n");
  const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
  await openssl("x509", "-req", "-in", "server.csr", ...signing, "-out", "server/public.crt");
  return { ca: await readFile(join(root, "ca.crt"), "utf8"), folder };
}
