import { describe, expect, it } from "vitest";
import { outputText } from "../../../src/adapters/git/output-text.ts";

describe("what git said", () => {
  it.each([
    ["fatal: unable to access 'https://ana:s3cret@example.org/x.git/'", "fatal: unable to access 'https://***@example.org/x.git/'"],
    ["To https://token-s3cret@example.org/x.git", "To https://***@example.org/x.git"],
    ["http://ana:p@s3cret@example.org/x.git", "http://***@example.org/x.git"],
    ["https://a:s3cret@one.example https://b:s3cret@two.example", "https://***@one.example https://***@two.example"],
  ])("loses the credentials of URLs: %s", (said, shown) => {
    expect(outputText(said)).toBe(shown);
  });

  it("keeps addresses that hold no credentials, SSH's among them", () => {
    const said = "https://example.org/a@b git@example.org:x.git";
    expect(outputText(said)).toBe(said);
  });

  it("shows control characters instead of sending them to a terminal", () => {
    expect(outputText("one\u001b[31mred\r\ntwo\t3  ")).toBe(outputText("one\u001b[31mred\ntwo  3"));
    expect(outputText("\u001b[31mred")).not.toContain("\u001b");
  });

  it("keeps the end of what is long", () => {
    const shown = outputText(`${"x".repeat(10_000)}the cause`);
    expect(shown).toMatch(/^…x+the cause$/u);
    expect(shown.length).toBeLessThanOrEqual(4_001);
  });
});
