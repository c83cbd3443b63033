/** Every text of the extension is translated, and every translation is used. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getL10nJson } from "@vscode/l10n-dev";
import { describe, expect, it } from "vitest";
import { REASONS } from "../../../src/domain/job/reasons.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const read = (file: string): Record<string, string> => JSON.parse(readFileSync(join(root, "l10n", file), "utf8"));
const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/gu)].map(([each]) => each).sort();
/** Texts that are looked up by a job's reason. One that is nothing but a value has nothing to translate. */
const reasons = Object.values(REASONS)
  .flatMap((reason) => ("todo" in reason ? [reason.message, reason.todo] : [reason.message]))
  .filter((text) => !/^\{\w+\}$/u.test(text));

describe("the translations", () => {
  const english = read("bundle.l10n.json");
  const portuguese = read("bundle.l10n.pt-br.json");

  it("hold exactly the texts of the source", async () => {
    const files = globSync(["src/extension/**/*.ts", "webview/**/*.ts"], { cwd: root });
    const found = await getL10nJson(files.map((file) => ({ extension: ".ts", contents: readFileSync(join(root, file), "utf8") })));
    expect(Object.keys(english).sort()).toEqual([...new Set([...Object.keys(found), ...reasons])].sort());
  });

  it("are complete in Portuguese, with nothing left over", () => {
    expect(Object.keys(portuguese).sort()).toEqual(Object.keys(english).sort());
  });

  it("keep every value that is put into a text", () => {
    const wrong = Object.entries(portuguese).filter(([key, text]) => placeholders(key).join() !== placeholders(text).join());
    expect(wrong).toEqual([]);
  });
});
