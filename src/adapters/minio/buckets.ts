/** The buckets of the data lake: there, and keeping versions. */
import { Agent } from "node:https";
import { Client, S3Error } from "minio";
import type { BucketName } from "../../domain/stage.ts";
import { S3Failure } from "./failures.ts";
import { versioningOff } from "./metadata.ts";
import { endpointUrl, type S3Options } from "./options.ts";
import { READ_ATTEMPTS, retrying } from "./retry.ts";
import type { Wire } from "./wire.ts";

export interface Buckets {
  /** Idempotent. @throws EdaError `precondition` `versioning-off` for a bucket of others' making that keeps no versions */
  ensure(bucket: BucketName): Promise<void>;
  exists(bucket: BucketName): Promise<boolean>;
  /** Undefined for a bucket that is not there. Its refusals, other than those of a HEAD, say why. */
  keepsVersions(bucket: BucketName): Promise<boolean | undefined>;
}

export function openBuckets(wire: Wire, options: S3Options): Buckets {
  const url = endpointUrl(options);
  const { region, accessKey, secretKey, sessionToken, ca, objectLock = false } = options;
  const useSSL = url.protocol === "https:";
  const client = new Client({
    endPoint: url.hostname,
    port: url.port === "" ? (useSSL ? 443 : 80) : Number(url.port),
    useSSL,
    region,
    accessKey,
    secretKey,
    pathStyle: true,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(useSSL && ca !== undefined ? { transportAgent: new Agent({ ca }) } : {}),
    retryOptions: { disableRetry: true },
  });

  const keepsVersions = (bucket: BucketName) =>
    asking(async () => {
      try {
        return (await client.getBucketVersioning(bucket))?.Status === "Enabled";
      } catch (error) {
        if (error instanceof S3Error && error.code === "NoSuchBucket") return undefined;
        throw error;
      }
    });

  return {
    async ensure(bucket) {
      const before = await keepsVersions(bucket);
      if (before === true) return;
      if (before === undefined) await asking(() => make(client, bucket, region, objectLock));
      // An empty one may be one that was being made when a process was killed.
      else if (!(await isEmpty(wire, bucket))) throw versioningOff(bucket);
      await asking(() => client.setBucketVersioning(bucket, { Status: "Enabled" }));
      if ((await keepsVersions(bucket)) !== true) throw versioningOff(bucket);
    },
    exists: (bucket) => asking(() => client.bucketExists(bucket)),
    keepsVersions,
  };
}

async function make(client: Client, bucket: BucketName, region: string, objectLock: boolean): Promise<void> {
  try {
    await client.makeBucket(bucket, region, { ObjectLocking: objectLock });
  } catch (error) {
    // Another host made it meanwhile.
    if (!(error instanceof S3Error) || error.code !== "BucketAlreadyOwnedByYou") throw error;
  }
}

async function isEmpty(wire: Wire, bucket: BucketName): Promise<boolean> {
  const listed = await retrying(READ_ATTEMPTS, undefined, () =>
    wire.query({ method: "GET", bucket, query: { versions: "", "max-keys": "1" } }),
  );
  return listed["Version"] === undefined && listed["DeleteMarker"] === undefined;
}

function asking<T>(work: () => Promise<T>): Promise<T> {
  return retrying(READ_ATTEMPTS, undefined, async () => {
    try {
      return await work();
    } catch (error) {
      throw asFailure(error);
    }
  });
}

/** The client's own errors carry the access key and the signed text along. */
function asFailure(error: unknown): unknown {
  if (error instanceof S3Error) return new S3Failure(400, error.code ?? "Unknown", error.message);
  const status = error instanceof Error ? /Retryable HTTP status: (\d{3})/u.exec(error.message)?.[1] : undefined;
  return status === undefined ? error : new S3Failure(Number(status), "ServiceUnavailable", "");
}
