/** Very many objects in a MinIO within a minute: one is uploaded, and the server's file of it is linked under every other name. */
import { execFileSync } from "node:child_process";
import { copyFileSync, linkSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openS3Store } from "../src/adapters/minio/object-store.ts";
import type { S3Server } from "../test/support/servers/minio.ts";

export const BUCKET = "raw-data";
/** Less than what file systems allow of one file. */
const LINKS = 50_000;

/** A server's whole data: Node's own removal of two million entries takes minutes and a gigabyte. */
export async function removeAll(server: S3Server): Promise<void> {
  await server.kill();
  execFileSync("rm", ["-rf", server.folder]);
  await server.stop();
}

/** Every key with its version, hashes and tags, as eda uploads it. MinIO keeps the key in the path alone. */
export async function fill(server: S3Server, scratch: string, keys: Iterable<string>): Promise<void> {
  const file = join(scratch, "content");
  copyFileSync(import.meta.filename, file);
  const store = openS3Store(server.access);
  await store.ensureBuckets([BUCKET]);
  const signal = new AbortController().signal;
  await store.put({ bucket: BUCKET, key: "seed", file, mediaType: "text/csv", run: "bench", signal });
  await store.close();

  const root = join(server.folder, BUCKET);
  const made = new Set<string>();
  let source = "";
  let links = LINKS;
  for (const key of keys) {
    if (links === LINKS) {
      source = join(scratch, `links-${made.size}-${key.replaceAll("/", "-")}`);
      copyFileSync(join(root, "seed", "xl.meta"), source);
      links = 0;
    }
    const folder = join(root, key);
    const parent = key.slice(0, key.lastIndexOf("/"));
    if (!made.has(parent)) mkdirSync(join(root, parent), { recursive: true });
    made.add(parent);
    mkdirSync(folder);
    linkSync(source, join(folder, "xl.meta"));
    links += 1;
  }
}
