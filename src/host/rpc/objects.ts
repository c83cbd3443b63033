/** Requests about buckets and what lies in them. */
import type { MessageConnection } from "vscode-jsonrpc/node";
import { EdaError } from "../../domain/errors.ts";
import { BUCKETS, type BucketName } from "../../domain/stage.ts";
import { ListBuckets, ListingReadAgain, ListObjects, ReadAhead } from "../../protocol/messages.ts";
import { listEntries } from "../first-pages/list-entries.ts";
import type { Host } from "../host.ts";
import { clamp, type Registrar } from "./register.ts";
import { tell } from "./tell.ts";

/** The largest page stores give. */
const PAGE = 1000;

export function registerObjects(registrar: Registrar, rpc: MessageConnection, { services, firstPages }: Host): void {
  const { objects } = services;
  const stop = firstPages.onRead((read) => tell(() => rpc.sendNotification(ListingReadAgain, read)));
  rpc.onClose(stop);

  registrar.handle0(ListBuckets, () => objects.listBuckets());
  registrar.handle(ListObjects, async ({ bucket, prefix, limit, cursor, firstPage }, signal) => {
    const place = { bucket: knownBucket(bucket), prefix, limit: clamp(limit, PAGE) };
    if (cursor === undefined && firstPage === "remembered") return firstPages.show(place, signal);
    if (cursor === undefined && firstPage === "anew") return firstPages.read(place, signal);
    const readAt = new Date().toISOString();
    return {
      ...(await listEntries(objects, { ...place, ...(cursor === undefined ? {} : { cursor }), signal })),
      readAt,
      isBeingRead: false,
    };
  });
  registrar.handle(ReadAhead, ({ bucket, prefix, limit }, signal) =>
    firstPages.readAhead({ bucket: knownBucket(bucket), prefix, limit: clamp(limit, PAGE) }, signal),
  );
}

function knownBucket(text: string): BucketName {
  const bucket = BUCKETS.find((name) => name === text);
  if (bucket === undefined) {
    throw new EdaError("usage", "unknown-bucket", `There is no bucket "${text}".`, { todo: `Use one of: ${BUCKETS.join(", ")}.` });
  }
  return bucket;
}
