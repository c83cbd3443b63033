import { describe, expect, it } from "vitest";
import { widthOf } from "../../../src/cli/output/terminal.ts";
import { recordTerminal } from "../../support/cli.ts";

describe("openTerminal", () => {
  it.each([
    ["a terminal", { tty: true }, true],
    ["a pipe", { tty: false }, false],
    ["a terminal with NO_COLOR", { tty: true, env: { NO_COLOR: "1" } }, false],
    ["a pipe with FORCE_COLOR", { tty: false, env: { FORCE_COLOR: "1" } }, true],
    ["a pipe with FORCE_COLOR=0", { tty: false, env: { FORCE_COLOR: "0" } }, false],
    ["a dumb terminal", { tty: true, env: { TERM: "dumb" } }, false],
  ])("colours %s as asked", (_name, options, coloured) => {
    expect(recordTerminal(options).out.colours.isColorSupported).toBe(coloured);
  });

  it("gives a terminal its width and a pipe none", () => {
    expect(widthOf(recordTerminal({ tty: true, columns: 72 }).out)).toBe(72);
    expect(widthOf(recordTerminal().out)).toBe(Number.POSITIVE_INFINITY);
  });
});
