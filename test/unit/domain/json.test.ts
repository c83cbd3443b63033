import { describe, expect, it } from "vitest";
import { canonicalJson, hashJson, sha256Hex } from "../../../src/domain/json.ts";

describe("canonical JSON", () => {
  it("is that of RFC 8785, section 3.2.3", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew",
      "1": "One",
      "\u0080": "Control",
      "\u00f6": "Latin",
    };
    expect(Object.keys(JSON.parse(canonicalJson(value)))).toHaveLength(6);
    expect(canonicalJson(value)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin","€":"Euro Sign","\ufb33":"Hebrew"}',
    );
  });

  it("does not depend on the order of members, but on that of lists", () => {
    expect(hashJson({ a: 1, b: [1, 2] })).toBe(hashJson({ b: [1, 2], a: 1 }));
    expect(hashJson([1, 2])).not.toBe(hashJson([2, 1]));
  });

  it("drops undefined members, and refuses what has no JSON form", () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
  });

  it("is hashed as UTF-8", () => {
    expect(sha256Hex("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(sha256Hex("ação")).toBe(sha256Hex(Buffer.from("ação", "utf8")));
  });
});
