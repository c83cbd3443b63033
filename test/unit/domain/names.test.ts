import { describe, expect, it } from "vitest";
import { assertProjectName, isProjectName, objectKey, safeRelativePath, safeSegment } from "../../../src/domain/names.ts";
import { printable } from "../../../src/domain/printable.ts";

const NFD = "ac\u0327a\u0303o.csv";
const NFC = "ação.csv";

describe("a project name", () => {
  it.each(["a", "voos", "projeto_voos", "a-1", "a".repeat(63)])("may be %s", (name) => {
    expect(isProjectName(name)).toBe(true);
    expect(() => assertProjectName(name)).not.toThrow();
  });

  it.each(["", "A", "1a", "_a", "-a", "a b", "a/b", "a.b", "..", "ção", "a\n", "a".repeat(64)])("cannot be %j", (name) => {
    expect(isProjectName(name)).toBe(false);
    expect(() => assertProjectName(name)).toThrow(expect.objectContaining({ kind: "usage", code: "invalid-project-name" }));
  });

  it("is repeated in the message without its control characters", () => {
    expect(() => assertProjectName("a\u001b[2J")).toThrow('"a\\u{1b}[2J" is not a project name.');
  });
});

describe("safeSegment", () => {
  it.each([
    ["vendas 2026.csv", "vendas 2026.csv"],
    [NFD, NFC],
    ["a/b\\c", "a_b_c"],
    ["../../etc/passwd", ".._.._etc_passwd"],
    [".", "_"],
    ["..", "__"],
    [". .", "___"],
    ["", "_"],
    ["   ", "___"],
    ["a \t", "a _"],
    ["name  ", "name"],
    [".hidden", ".hidden"],
    ["...x", "...x"],
    ["nul\0.csv", "nul_.csv"],
    ["a\u202Egpj.exe", "a_gpj.exe"],
    ["a\u061Cb", "a_b"],
    ["a\u2028b", "a_b"],
    ["a\uD800b", "a_b"],
    ["日本語.csv", "日本語.csv"],
    ["😀.csv", "😀.csv"],
  ])("makes of %j the segment %j", (name, segment) => {
    expect(safeSegment(name)).toBe(segment);
    expect(safeSegment(segment)).toBe(segment);
  });

  it("keeps 255 bytes as they are", () => {
    const name = `${"a".repeat(251)}.csv`;
    expect(safeSegment(name)).toBe(name);
  });

  it("shortens longer names to at most 255 bytes, keeping the ending and telling different ones apart", () => {
    const first = safeSegment(`${"ã".repeat(200)}1.parquet`);
    const second = safeSegment(`${"ã".repeat(200)}2.parquet`);
    expect(Buffer.byteLength(first)).toBeLessThanOrEqual(255);
    expect(Buffer.byteLength(first)).toBeGreaterThan(250);
    expect(first).toMatch(/^ã+~[0-9a-f]{8}\.parquet$/u);
    expect(first).not.toBe(second);
  });

  it("does not cut a character in two", () => {
    expect(safeSegment(`${"😀".repeat(100)}.csv`)).toMatch(/^(?:😀)+~[0-9a-f]{8}\.csv$/u);
  });
});

describe("safeRelativePath", () => {
  it("joins safe segments, and never leaves its folder", () => {
    expect(safeRelativePath(["a", "b c", NFD])).toBe(`a/b c/${NFC}`);
    expect(safeRelativePath(["..", "..", "/etc", "passwd"])).toBe("__/__/_etc/passwd");
  });
});

describe("objectKey", () => {
  it("is the project and the path, the same for both ways to write an accent", () => {
    expect(objectKey("voos", `a/${NFD}`)).toBe(`voos/a/${NFC}`);
    expect(objectKey("voos", `a/${NFC}`)).toBe(objectKey("voos", `a/${NFD}`));
  });

  it.each(["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0b"])("refuses the path %j", (path) => {
    expect(() => objectKey("voos", path)).toThrow(expect.objectContaining({ kind: "terminal", code: "unsafe-path" }));
  });

  it("takes 900 bytes with the project, and no more", () => {
    expect(Buffer.byteLength(objectKey("voos", "a".repeat(895)))).toBe(900);
    expect(() => objectKey("voos", "a".repeat(896))).toThrow(expect.objectContaining({ kind: "terminal", code: "path-too-long" }));
    expect(() => objectKey("voos", "ã".repeat(448))).toThrow(expect.objectContaining({ code: "path-too-long" }));
  });
});

describe("printable", () => {
  it.each([
    ["plain, ação, 日本, 😀", "plain, ação, 日本, 😀"],
    ["\u001b[31mred\u0007", "\\u{1b}[31mred\\u{7}"],
    ["a\r\nb\tc", "a\\u{d}\\u{a}b\\u{9}c"],
    ["\u202Eevil\u2066", "\\u{202e}evil\\u{2066}"],
    ["\u061C\u200E", "\\u{61c}\\u{200e}"],
    ["\u2028\uDC00", "\\u{2028}\\u{dc00}"],
  ])("shows %j as %j", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});
