import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { schemaFiles } from "../../../scripts/lib/schema-files.ts";

describe("the JSON Schemas", () => {
  it.each(schemaFiles())("in schemas/$name are those of the code (npm run build makes them)", ({ name, text }) => {
    expect(readFileSync(join(import.meta.dirname, "..", "..", "..", "schemas", name), "utf8")).toBe(text);
  });

  it("describe what a person writes, in both languages, and allow to leave out what has a default", () => {
    const schema = JSON.parse(schemaFiles()[0]?.text ?? "{}");
    expect(schema.properties.drive.properties.folder.description).toMatch(/ · /u);
    expect(schema.properties.drive.required).toEqual(["folder"]);
    expect(schema.additionalProperties).toBe(false);
  });
});
