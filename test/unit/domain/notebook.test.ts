import { describe, expect, it } from "vitest";
import { EdaError } from "../../../src/domain/errors.ts";
import type { Json } from "../../../src/domain/json.ts";
import {
  hasTag,
  injectParameters,
  type Notebook,
  notebookText,
  parseNotebook,
  pythonLiteral,
  sourceLines,
  sourceText,
} from "../../../src/domain/notebook.ts";
import { notebookOf } from "../../support/notebooks.ts";

const PATH = "notebooks/n.ipynb";

function sources(notebook: Notebook): string[] {
  return notebook.cells.map(sourceText);
}

describe("parseNotebook", () => {
  it("reads a Python notebook and keeps what it does not know", () => {
    const text = JSON.stringify({ ...JSON.parse(notebookOf("x = 1")), extra: { a: 1 } });
    const notebook = parseNotebook(PATH, text);
    expect(sources(notebook)).toEqual(["x = 1"]);
    expect(JSON.parse(notebookText(notebook))).toEqual(JSON.parse(text));
  });

  it("reads sources that are lists of lines", () => {
    const text = notebookOf("x = 1").replace('"source":"x = 1"', '"source":["x = 1\\n","y = 2"]');
    expect(sources(parseNotebook(PATH, text))).toEqual(["x = 1\ny = 2"]);
  });

  it.each<[string, string, number, number | undefined, string | RegExp]>([
    ["is empty", "", 1, 1, "is not JSON"],
    ["is no JSON", '{\n  "cells": [}\n', 2, 13, "is not JSON"],
    ["breaks off", '{\n "cells": [', 2, 12, "is not JSON"],
    ["is a list", "[]", 1, undefined, "is not a notebook"],
    ["is nbformat 3", '{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "cells": []}', 1, undefined, "nbformat: only nbformat 4"],
    ["lacks cells", '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', 1, undefined, "cells: "],
    ["has a cell of no kind", notebookOf("x").replace('"code"', '"query"'), 1, undefined, "cells.0.cell_type"],
    ["is in R", notebookOf("x").replace('"language":"python"', '"language":"R"'), 1, undefined, "is written in R"],
    ["has no code", notebookOf("x").replace('"cell_type":"code"', '"cell_type":"markdown"'), 1, undefined, "has no code cell"],
    ["has conflict markers", `<<<<<<< HEAD\n${notebookOf("x")}`, 1, 1, "is not JSON"],
  ])("refuses one that %s, located", (_, text, line, column, message) => {
    let failure: unknown;
    try {
      parseNotebook(PATH, text);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(EdaError);
    expect(failure).toMatchObject({ kind: "precondition", code: "invalid-notebook", message: expect.stringContaining(`${PATH} `) });
    expect((failure as EdaError).message).toMatch(message);
    expect((failure as EdaError).at).toEqual({ file: PATH, line, ...(column === undefined ? {} : { column }) });
  });
});

describe("injectParameters", () => {
  const notebook = (text: string) => parseNotebook(PATH, text);
  const INJECTED = "# Parameters\nseed = 7";

  it("puts them after the cell tagged parameters", () => {
    const given = notebook(notebookOf("import x", { source: "seed = 1", tags: ["parameters"] }, "train(seed)"));
    const before = structuredClone(given);
    const injected = injectParameters(given, { seed: 7 });
    expect(sources(injected)).toEqual(["import x", "seed = 1", INJECTED, "train(seed)"]);
    expect(hasTag(injected.cells[2] as Notebook["cells"][number], "injected-parameters")).toBe(true);
    expect(given).toEqual(before);
  });

  it("puts them first when no cell is tagged", () => {
    expect(sources(injectParameters(notebook(notebookOf("a", "b")), { seed: 7 }))).toEqual([INJECTED, "a", "b"]);
  });

  it("replaces those of an earlier run, and so gives the same when done twice", () => {
    const once = injectParameters(notebook(notebookOf("a", { source: "seed = 1", tags: ["parameters"] })), { seed: 1 });
    const twice = injectParameters(once, { seed: 7 });
    expect(sources(twice)).toEqual(["a", "seed = 1", INJECTED]);
    expect(injectParameters(twice, { seed: 7 })).toEqual(twice);
  });

  it("gives its cell an id only where the format has them, and one that is free", () => {
    const old = notebook(notebookOf("a").replace('"nbformat_minor":5', '"nbformat_minor":4'));
    expect(injectParameters(old, {}).cells[0]?.id).toBeUndefined();
    const taken = notebook(notebookOf("a").replace('"id":"cell-0"', '"id":"injected-parameters"'));
    expect(injectParameters(taken, {}).cells.map((cell) => cell.id)).toEqual(["injected-parameters-2", "injected-parameters"]);
  });

  it("leaves out parameters that are undefined", () => {
    expect(sources(injectParameters(notebook(notebookOf("a")), { seed: 7, none: undefined }))[0]).toBe(INJECTED);
  });
});

describe("pythonLiteral", () => {
  it.each<[Json, string]>([
    [null, "None"],
    [true, "True"],
    [false, "False"],
    [0.1, "0.1"],
    [-3, "-3"],
    [1e21, "1e+21"],
    ['a"b\\n\n', '"a\\"b\\\\n\\n"'],
    ["'; import os; '", "\"'; import os; '\""],
    ["ação", '"ação"'],
    [[1, [null]], "[1, [None]]"],
    [{ a: true, b: undefined, "c d": [] }, '{"a": True, "c d": []}'],
  ])("writes %j as %s", (value, literal) => {
    expect(pythonLiteral(value)).toBe(literal);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (value) => {
    expect(() => pythonLiteral(value)).toThrow(TypeError);
  });
});

describe("sourceLines", () => {
  it.each([
    ["", []],
    ["a", ["a"]],
    ["a\n", ["a\n"]],
    ["a\n\nb", ["a\n", "\n", "b"]],
  ])("splits %j into %j, which joined gives it again", (text, lines) => {
    expect(sourceLines(text)).toEqual(lines);
    expect(sourceLines(text).join("")).toBe(text);
  });
});
