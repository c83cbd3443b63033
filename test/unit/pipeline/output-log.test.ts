import { describe, expect, it } from "vitest";
import { outputLog } from "../../../src/pipeline/jobs/output-log.ts";

function linesOf(...pieces: string[]): string[] {
  const lines: string[] = [];
  const log = outputLog((line) => lines.push(line));
  for (const piece of pieces) log.add(piece);
  log.end();
  return lines;
}

describe("the output of a job in its run's log", () => {
  it("comes line by line, a piece without line feed at the end", () => {
    expect(linesOf("um\ndo", "is\ntrês")).toEqual(["um", "dois", "três"]);
  });

  it("shows of a bar that redraws itself only its last state, without colours", () => {
    expect(linesOf("\r10%\r\u001b[32m50%\u001b[0m\r100%\n")).toEqual(["100%"]);
  });

  it("is bounded in lines and in their length", () => {
    const lines = linesOf(`${"y".repeat(5_000)}\n${"z\n".repeat(30_000)}`);
    expect(lines[0]).toBe(`${"y".repeat(2_000)}…`);
    expect(lines).toHaveLength(20_001);
    expect(lines.at(-1)).toBe("… output over 20000 lines is left out of the log");
  });
});
