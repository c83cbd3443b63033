import { describe, expect, it } from "vitest";
import {
  EdaError,
  type ErrorKind,
  EXIT_CODES,
  errorFromDocument,
  formatLocation,
  throwIfAborted,
  toEdaError,
} from "../../../src/domain/errors.ts";

describe("EdaError", () => {
  it("survives its JSON form", () => {
    const error = new EdaError("precondition", "invalid-config", "a.yaml is not valid", {
      todo: "Correct it.",
      at: { file: "a.yaml", line: 2, column: 3 },
      findings: [{ message: "x", at: { file: "a.yaml", line: 2 } }, { message: "y" }],
    });
    const copy = errorFromDocument(JSON.parse(JSON.stringify(error.toDocument())));
    expect(copy).toBeInstanceOf(EdaError);
    expect(copy.toDocument()).toEqual(error.toDocument());
    expect(copy.message).toBe("a.yaml is not valid");
  });

  it("has no members in its JSON form that it was not given", () => {
    expect(new EdaError("usage", "bad-flag", "No.").toDocument()).toEqual({ kind: "usage", code: "bad-flag", message: "No." });
    expect(new EdaError("usage", "bad-flag", "No.").cause).toBeUndefined();
  });

  it("keeps its cause to itself: it never reaches the JSON form", () => {
    const error = new EdaError("terminal", "x", "y", { cause: new Error("password=hunter2") });
    expect(error.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(error.toDocument())).not.toContain("hunter2");
  });
});

describe("exit codes", () => {
  it.each<[ErrorKind, number]>([
    ["usage", 2],
    ["precondition", 3],
    ["terminal", 1],
    ["transient", 1],
    ["unavailable", 4],
    ["cancelled", 130],
  ])("of %s is %d (contract)", (kind, code) => {
    expect(EXIT_CODES[kind]).toBe(code);
  });
});

describe("toEdaError", () => {
  it("hands an EdaError through", () => {
    const error = new EdaError("usage", "a", "b");
    expect(toEdaError(error)).toBe(error);
  });

  it.each([
    ["an abort", new DOMException("stop", "AbortError"), "cancelled", "cancelled", "The run was cancelled."],
    ["a full disk", Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" }), "terminal", "disk-full", "write ENOSPC"],
    ["an exhausted quota", Object.assign(new Error("write EDQUOT"), { code: "EDQUOT" }), "terminal", "disk-full", "write EDQUOT"],
    ["another system error", Object.assign(new Error("EPERM"), { code: "EPERM" }), "terminal", "unexpected", "EPERM"],
    ["a bug", new TypeError("x is undefined"), "terminal", "unexpected", "x is undefined"],
    ["a thrown text", "boom", "terminal", "unexpected", "boom"],
    ["nothing", undefined, "terminal", "unexpected", "undefined"],
  ])("makes of %s an error with a kind", (_, thrown, kind, code, message) => {
    expect(toEdaError(thrown)).toMatchObject({ kind, code, message });
    expect(toEdaError(thrown).cause).toBe(thrown);
  });
});

describe("formatLocation", () => {
  it.each([
    [{ file: "a.yaml" }, "a.yaml"],
    [{ file: "a.yaml", line: 3 }, "a.yaml:3"],
    [{ file: "a.yaml", line: 3, column: 7 }, "a.yaml:3:7"],
  ])("shows %j as %s", (at, text) => {
    expect(formatLocation(at)).toBe(text);
  });
});

describe("throwIfAborted", () => {
  it("throws only after the signal has fired", () => {
    const controller = new AbortController();
    expect(() => throwIfAborted(controller.signal)).not.toThrow();
    controller.abort();
    expect(() => throwIfAborted(controller.signal)).toThrow(expect.objectContaining({ kind: "cancelled" }));
  });
});
