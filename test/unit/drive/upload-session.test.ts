import { describe, expect, it } from "vitest";
import { limitsOf, rootUrl } from "../../../src/adapters/drive/options.ts";
import { storedBytes } from "../../../src/adapters/drive/upload-session.ts";

describe("a resumable upload", () => {
  it.each([
    [undefined, 0],
    ["bytes=0-0", 1],
    ["bytes=0-524287", 524_288],
    ["bytes=5-9", 0],
    ["nonsense", 0],
  ])("reads from Range %j that %i bytes are there", (range, bytes) => {
    expect(storedBytes(range)).toBe(bytes);
  });

  it.each([0, 1, 256 * 1024 - 1, 256 * 1024 + 1])("refuses chunks of %i bytes", (chunkBytes) => {
    expect(() => limitsOf({ limits: { chunkBytes } })).toThrow(RangeError);
    expect(limitsOf({ limits: { chunkBytes: 512 * 1024 } }).chunkBytes).toBe(512 * 1024);
  });
});

describe("the address of the server", () => {
  it.each(["https://www.googleapis.com/", "https://www.googleapis.com", "http://127.0.0.1:8080", "http://localhost:1/"])(
    "may be %s",
    (text) => {
      expect(rootUrl(text).href).toMatch(/\/$/u);
    },
  );

  it.each(["http://drive.example.com", "ftp://127.0.0.1", "https://a:b@example.com", "https://example.com/path", "nonsense"])(
    "may not be %s: tokens would go in clear, or nowhere",
    (text) => {
      expect(() => rootUrl(text)).toThrow(expect.objectContaining({ code: "invalid-endpoint" }));
    },
  );
});
