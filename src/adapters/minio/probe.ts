/** Is the object store there, does it let us in, do its buckets keep versions? */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { BUCKETS, type BucketName } from "../../domain/stage.ts";
import { openBuckets } from "./buckets.ts";
import type { S3Options } from "./options.ts";
import { openWire } from "./wire.ts";

const CLOCK_TIMEOUT_MS = 5_000;

export interface ObjectStoreFacts {
  /** How far its clock is ahead of ours, in milliseconds, to about a second; undefined when it does not tell. */
  readonly skewMs: number | undefined;
  readonly missing: readonly BucketName[];
  readonly unversioned: readonly BucketName[];
}

/** @throws EdaError as the store's methods do: `unavailable` `store-away`, `precondition` `store-refused`, `clock-skew`, … */
export async function probeObjectStore(options: S3Options): Promise<ObjectStoreFacts> {
  const wire = openWire(options);
  try {
    const buckets = openBuckets(wire, options);
    const versioned = await Promise.all(BUCKETS.map(async (bucket) => [bucket, await buckets.keepsVersions(bucket)] as const));
    const those = (state: boolean | undefined) => versioned.filter(([, keeps]) => keeps === state).map(([bucket]) => bucket);
    return { missing: those(undefined), unversioned: those(false), skewMs: await clockSkew(options) };
  } finally {
    await wire.close();
  }
}

/** Every HTTP answer has the server's time, to the second, also one that refuses. */
function clockSkew({ endpoint, ca }: S3Options): Promise<number | undefined> {
  const sent = Date.now();
  return new Promise((resolve) => {
    const request = endpoint.startsWith("https:") ? httpsRequest : httpRequest;
    const asked = request(endpoint, { method: "HEAD", agent: false, timeout: CLOCK_TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) });
    asked.on("response", (response) => {
      response.resume();
      const server = Date.parse(response.headers.date ?? "");
      resolve(Number.isNaN(server) ? undefined : server + 500 - (sent + Date.now()) / 2);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(undefined));
    asked.on("close", () => resolve(undefined));
    asked.end();
  });
}
