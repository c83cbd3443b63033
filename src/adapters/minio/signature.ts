/**
 * AWS Signature Version 4. The client library signs too, but derives the key of the day anew for every request, which is most of its cost: with
 * thousands of small files, a tenth of all the client's work.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";

export interface Signing {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Encoded; the query sorted by name, each with `=`. */
  readonly path: string;
  /** Lower-case names, among them `host` and `x-amz-date` (`20261124T093000Z`). All are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body, lower-case hexadecimal. */
  readonly sha256: string;
}

/** @returns the value of the `authorization` header */
export type Signer = (request: SignedRequest) => string;

export function createSigner({ accessKey, secretKey, region }: Signing): Signer {
  let day = "";
  let key: KeyObject | undefined;
  return ({ method, path, headers, sha256 }) => {
    const date = headers["x-amz-date"] ?? "";
    if (key === undefined || !date.startsWith(day)) {
      day = date.slice(0, 8);
      const ofDay = [day, region, "s3", "aws4_request"].reduce<Buffer>(hmac, Buffer.from(`AWS4${secretKey}`));
      // Bytes would be made a key of anew for every request.
      key = createSecretKey(ofDay);
    }
    const names = Object.keys(headers).sort();
    const signed = names.join(";");
    const [resource, query = ""] = path.split("?");
    const lines = names.map((name) => `${name}:${(headers[name] as string).trim().replace(/ +/gu, " ")}\n`);
    const canonical = `${method}\n${resource}\n${query}\n${lines.join("")}\n${signed}\n${sha256}`;
    const scope = `${day}/${region}/s3/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash("sha256", canonical)}`;
    return `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signed}, Signature=${hmac(key, text).toString("hex")}`;
  };
}

function hmac(key: Buffer | KeyObject, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
