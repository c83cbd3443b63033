import pc from "picocolors";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { type Column, renderPairs, renderTable } from "../../../src/cli/output/table.ts";

const plain = pc.createColors(false);
const coloured = pc.createColors(true);

interface Row {
  readonly name: string;
  readonly size: number;
}

const columns: readonly Column<Row>[] = [
  { header: "NAME", value: ({ name }) => name, shrink: "middle" },
  { header: "SIZE", value: ({ size }) => String(size), align: "right" },
];

describe("renderTable", () => {
  it("aligns text to the left and numbers to the right", () => {
    const text = renderTable(
      columns,
      [
        { name: "a", size: 5 },
        { name: "longer", size: 12345 },
      ],
      Number.POSITIVE_INFINITY,
      plain,
    );
    expect(text.split("\n")).toEqual(["NAME     SIZE", "a           5", "longer  12345"]);
  });

  it("counts the columns a character takes, not its code units", () => {
    const rows = [
      { name: "日本語", size: 1 },
      { name: "São José", size: 22 },
      { name: "👩‍👩‍👧", size: 333 },
    ];
    const lines = renderTable(columns, rows, Number.POSITIVE_INFINITY, plain).split("\n");
    expect(new Set(lines.map((line) => stringWidth(line))).size).toBe(1);
  });

  it("fits the terminal by shrinking only what may shrink, from the middle", () => {
    const rows = [{ name: "pasta/com/um/caminho/bem/longo/relatorio.csv", size: 123_456 }];
    const lines = renderTable(columns, rows, 30, plain).split("\n");
    expect(lines.every((line) => stringWidth(line) <= 30)).toBe(true);
    expect(lines[1]).toContain("…");
    expect(lines[1]).toMatch(/^pasta.*csv +123456$/u);
  });

  it("never cuts for a pipe", () => {
    const name = "x".repeat(500);
    expect(renderTable(columns, [{ name, size: 1 }], Number.POSITIVE_INFINITY, plain)).toContain(name);
  });

  it("keeps columns that may not shrink whole on a terminal that is far too narrow", () => {
    const lines = renderTable(columns, [{ name: "a very long name indeed", size: 123_456_789 }], 10, plain).split("\n");
    expect(lines[1]).toContain("123456789");
  });

  it("leaves out what may be left out, lowest number first, before the rest becomes unreadable", () => {
    const wide: Column<Row>[] = [
      { header: "NAME", value: ({ name }) => name, shrink: "middle" },
      { header: "FIRST", value: () => "f".repeat(12), drop: 1 },
      { header: "SIZE", value: ({ size }) => String(size) },
      { header: "SECOND", value: () => "s".repeat(12), drop: 2 },
    ];
    const headerAt = (width: number) =>
      renderTable(wide, [{ name: "n".repeat(40), size: 7 }], width, plain)
        .split("\n")[0]
        ?.split(/ +/u);
    expect(headerAt(Number.POSITIVE_INFINITY)).toEqual(["NAME", "FIRST", "SIZE", "SECOND"]);
    expect(headerAt(62)).toEqual(["NAME", "FIRST", "SIZE", "SECOND"]);
    expect(headerAt(50)).toEqual(["NAME", "SIZE", "SECOND"]);
    expect(headerAt(36)).toEqual(["NAME", "SIZE"]);
  });

  it("shows control and bidirectional characters as escapes", () => {
    const text = renderTable(columns, [{ name: "evil\u001b[2J\u202egnp.exe\n", size: 1 }], Number.POSITIVE_INFINITY, plain);
    expect(text).toContain(String.raw`evil\u{1b}[2J\u{202e}gnp.exe\u{a}`);
    expect(text.split("\n")).toHaveLength(2);
  });

  it("paints the finished cell, so that colours do not disturb the alignment", () => {
    const painted: Column<Row>[] = [
      { header: "NAME", value: ({ name }) => name, paint: (cell) => coloured.red(cell) },
      columns[1] as Column<Row>,
    ];
    const [, first, second] = renderTable(
      painted,
      [
        { name: "a", size: 1 },
        { name: "abc", size: 2 },
      ],
      80,
      plain,
    ).split("\n");
    expect(first).toBe(`${coloured.red("a   ")}     1`);
    expect(stringWidth(first as string)).toBe(stringWidth(second as string));
  });
});

describe("renderPairs", () => {
  it("aligns the values behind the longest name", () => {
    expect(
      renderPairs(
        [
          ["run", "r1"],
          ["duração", "2s"],
        ],
        plain,
      ),
    ).toBe("run      r1\nduração  2s");
  });
});
