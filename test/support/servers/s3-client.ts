/** An S3 client that is not eda's: looks at what eda left, and does what other people's programs do to its buckets. */
import { Client } from "minio";
import type { S3Options } from "../../../src/adapters/minio/options.ts";

export function openClient({ endpoint, accessKey, secretKey, region }: S3Options): Client {
  const { hostname, port } = new URL(endpoint);
  return new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey, region });
}

/** Uploads under way of a key. MinIO tells them for whole keys only. */
export async function incompleteUploads(client: Client, bucket: string, key: string): Promise<string[]> {
  const uploads: string[] = [];
  for await (const upload of client.listIncompleteUploads(bucket, key, true)) uploads.push((upload as { uploadId: string }).uploadId);
  return uploads;
}
