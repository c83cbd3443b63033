import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parseConfig, parseProjectFile } from "../../../src/domain/config-file.ts";
import { EdaError } from "../../../src/domain/errors.ts";
import { BAD_PROJECT_FILES, VALID_PROJECT, VALID_PROJECT_FILE } from "../../support/bad-project-files.ts";

const FILE = "configs/projects/voos.yaml";

function failureOf(work: () => unknown): EdaError {
  try {
    work();
  } catch (error) {
    if (error instanceof EdaError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a project file", () => {
  it("is read when it is valid", () => {
    expect(parseProjectFile(VALID_PROJECT, VALID_PROJECT_FILE)).toMatchObject({
      project: "voos",
      drive: { folder: "../drive", include: ["**/*"], exclude: [] },
    });
  });

  it.each(BAD_PROJECT_FILES)("that $name is refused at its line and column", ({ text, line, column, message }) => {
    const failure = failureOf(() => parseProjectFile(VALID_PROJECT, text));
    expect(failure).toMatchObject({ kind: "precondition", code: "invalid-config", at: { file: FILE, line, column } });
    expect(failure.findings?.[0]).toEqual({
      message: typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message),
      at: { file: FILE, line, column },
    });
    expect(failure.message).toBe(`${FILE} is not valid: ${failure.findings?.[0]?.message}`);
    expect(failure.todo).toBeTruthy();
  });

  it("is located the same with carriage returns and a byte order mark", () => {
    const text = `\uFEFF${VALID_PROJECT_FILE.replace("type: integer", "type: int").replaceAll("\n", "\r\n")}`;
    expect(failureOf(() => parseProjectFile(VALID_PROJECT, text)).at).toEqual({ file: FILE, line: 12, column: 13 });
  });

  it("names all its mistakes at once", () => {
    const text = VALID_PROJECT_FILE.replace("type: integer", "type: int")
      .replace("format: json", "format: xml")
      .replace("drive:", "dribe:");
    const { findings } = failureOf(() => parseProjectFile(VALID_PROJECT, text));
    expect(findings?.map(({ at }) => at?.line)).toEqual([1, 12, 18, 2]);
  });
});

describe("parseConfig", () => {
  const schema = z.strictObject({ list: z.array(z.strictObject({ n: z.number() })).default([]), "a b": z.string().optional() });

  it("reads an empty file as one without keys", () => {
    expect(parseConfig(schema, "f.yaml", "# nothing\n")).toEqual({ list: [] });
  });

  it("reads anchors and aliases", () => {
    expect(parseConfig(schema, "f.yaml", "list:\n  - &first { n: 1 }\n  - *first\n")).toEqual({ list: [{ n: 1 }, { n: 1 }] });
  });

  it("locates mistakes inside lists, flow maps and quoted keys", () => {
    const at = (text: string) => failureOf(() => parseConfig(schema, "f.yaml", text)).at;
    expect(at("list:\n  - n: 1\n  - n: x\n")).toEqual({ file: "f.yaml", line: 3, column: 5 });
    expect(at("list: [{ n: 1 }, { n: x }]\n")).toEqual({ file: "f.yaml", line: 1, column: 20 });
    expect(at("list: [{ n: 1 }, {}]\n")).toEqual({ file: "f.yaml", line: 1, column: 18 });
    expect(at('"a b": 1\n')).toEqual({ file: "f.yaml", line: 1, column: 1 });
  });

  it("does not let a key reach the prototype of objects", () => {
    expect(failureOf(() => parseConfig(schema, "f.yaml", "__proto__: { polluted: true }\n")).findings?.[0]?.message).toContain("__proto__");
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
