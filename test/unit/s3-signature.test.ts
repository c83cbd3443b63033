import { signV4 } from "minio/dist/esm/signing.mjs";
import { describe, expect, it } from "vitest";
import { createSigner } from "../../src/adapters/minio/signature.ts";

describe("signature of S3 requests", () => {
  it("is the one of the published example", () => {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "GET Object". Its key is no secret.
    const sign = createSigner({
      accessKey: "AKIAIOSFODNN7EXAMPLE",
      secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      region: "us-east-1",
    });
    const sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const headers = {
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": sha256,
      "x-amz-date": "20130524T000000Z",
    };
    expect(sign({ method: "GET", path: "/test.txt", headers, sha256 })).toBe(
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, " +
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
  });

  it("is the one of the client library, over several days and requests", () => {
    const [accessKey, secretKey, region] = ["access", "secret", "sa-east-1"];
    const sign = createSigner({ accessKey, secretKey, region });
    const sha256 = "0".repeat(64);
    for (const [at, path] of [
      ["20260101T000000Z", "/raw-data/projeto/a%20b.csv"],
      ["20260101T235959Z", "/raw-data?list-type=2&prefix=a%2Fb"],
      ["20260102T000000Z", "/raw-data/x?uploads="],
      ["20260101T120000Z", "/raw-data/x?partNumber=1&uploadId=abc"],
    ] as const) {
      const headers = { host: "127.0.0.1:9000", "x-amz-date": at, "x-amz-content-sha256": sha256, "x-amz-meta-eda-run": "two  spaces" };
      const date = new Date(at.replace(/(....)(..)(..)T(..)(..)(..)Z/u, "$1-$2-$3T$4:$5:$6Z"));
      const expected = signV4({ protocol: "http:", method: "PUT", path, headers }, accessKey, secretKey, region, date, sha256);
      expect(sign({ method: "PUT", path, headers, sha256 })).toBe(expected);
    }
  });
});
