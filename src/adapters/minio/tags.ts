/**
 * The hashes of versions that were sent before they were known.
 * Protocol: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
 */
import { createHash } from "node:crypto";
import type { ContentHash, ObjectRef } from "../../domain/asset.ts";
import { sha256Hex } from "../../domain/json.ts";
import { textOf, type Wire, type XmlElement } from "./wire.ts";

const MD5 = "eda-md5";
const SHA256 = "eda-sha256";

export type Hashes = Pick<ContentHash, "md5" | "sha256">;

/** One attempt. Idempotent. */
export async function tagWithHashes(wire: Wire, { bucket, key, versionId }: ObjectRef, { md5, sha256 }: Hashes): Promise<void> {
  const tags = [
    [MD5, md5],
    [SHA256, sha256],
  ].map(([name, value]) => `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`);
  const content = `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${tags.join("")}</TagSet></Tagging>`;
  await wire.command({
    method: "PUT",
    bucket,
    key,
    query: { tagging: "", versionId },
    headers: { "content-md5": createHash("md5").update(content).digest("base64") },
    body: { content, size: Buffer.byteLength(content), sha256: sha256Hex(content) },
  });
}

/** One attempt. Empty where there are none. */
export async function taggedHashes(wire: Wire, { bucket, key, versionId }: ObjectRef, signal?: AbortSignal): Promise<Hashes> {
  const answer = await wire.query({ method: "GET", bucket, key, query: { tagging: "", versionId }, signal });
  const set = answer["TagSet"];
  const tags = (typeof set === "object" && "Tag" in set ? set["Tag"] : []) as readonly XmlElement[];
  return hashesOf(new Map(tags.map((tag) => [textOf(tag["Key"]), textOf(tag["Value"])])));
}

/** @param text as MinIO's listings tell tags: a query string */
export function hashesInQuery(text: string): Hashes {
  return hashesOf(new Map(new URLSearchParams(text)));
}

function hashesOf(tags: ReadonlyMap<string, string>): Hashes {
  return { md5: tags.get(MD5) ?? "", sha256: tags.get(SHA256) ?? "" };
}
