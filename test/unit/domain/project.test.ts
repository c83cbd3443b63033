import { describe, expect, it } from "vitest";
import { z } from "zod";
import { projectSchema } from "../../../src/domain/project.ts";
import { settingsSchema } from "../../../src/domain/settings.ts";

const MINIMAL = { project: "voos", drive: { folder: "x" } };
const TABLE = { name: "t", files: ["*.csv"], format: "csv", schema: { fields: [{ name: "id", type: "integer" }] } };
const DATASET = { name: "d", from: "t", key: ["id"], splits: { train: 0.7, validation: 0.2, test: 0.1 } };

describe("the project schema", () => {
  it("needs a name and a Drive folder, and nothing else", () => {
    expect(projectSchema.parse(MINIMAL)).toEqual({ project: "voos", drive: { folder: "x", include: ["**/*"], exclude: [] } });
  });

  it("fills in what a table leaves open: no rejects allowed, extra columns are errors, empty texts are missing", () => {
    const { staging } = projectSchema.parse({ ...MINIMAL, staging: { tables: [{ ...TABLE, csv: {} }] } });
    expect(staging?.tables[0]).toEqual({
      ...TABLE,
      csv: { delimiter: ",", quote: '"', encoding: "utf-8", header: true },
      extraColumns: "error",
      rejects: { maxShare: 0 },
      schema: { ...TABLE.schema, missingValues: [""] },
    });
  });

  it("fills in what a dataset and modeling leave open", () => {
    const parsed = projectSchema.parse({ ...MINIMAL, datasets: [DATASET], modeling: { notebook: "notebooks/n.ipynb", dataset: "d" } });
    expect(parsed.datasets).toEqual([{ ...DATASET, seed: 0, export: false }]);
    expect(parsed.modeling).toEqual({
      notebook: "notebooks/n.ipynb",
      dataset: "d",
      parameters: {},
      trainer: "jupyter",
      accelerator: "cpu",
      timeoutMinutes: 60,
      attempts: 1,
    });
  });

  it("takes splits whose sum is one but for the rounding of floating point", () => {
    const splits = { train: 0.6, validation: 0.3, test: 0.1 };
    expect(splits.train + splits.validation + splits.test).not.toBe(1);
    expect(projectSchema.safeParse({ ...MINIMAL, datasets: [{ ...DATASET, splits }] }).success).toBe(true);
  });

  it("takes a table that refers to itself", () => {
    const foreignKeys = [{ fields: ["id"], reference: { table: "t", fields: ["id"] } }];
    const tables = [{ ...TABLE, schema: { ...TABLE.schema, foreignKeys } }];
    expect(projectSchema.safeParse({ ...MINIMAL, staging: { tables } }).success).toBe(true);
  });

  it("keeps cleaning rules in order, with regex off unless asked for", () => {
    const clean = ["trim", { replace: "*", with: "" }, { replace: "^0+", with: "", regex: true }, "upper"];
    const { staging } = projectSchema.parse({ ...MINIMAL, staging: { tables: [{ ...TABLE, clean }] } });
    expect(staging?.tables[0]?.clean).toEqual(["trim", { replace: "*", with: "", regex: false }, clean[2], "upper"]);
  });

  it("becomes a JSON Schema that keeps the form of names and refuses unknown keys", () => {
    const schema = z.toJSONSchema(projectSchema, { io: "input" }) as unknown as {
      additionalProperties: unknown;
      required: string[];
      properties: { project: { pattern: string } };
    };
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required).toEqual(["project", "drive"]);
    expect(schema.properties.project.pattern).toBe("^[a-z][a-z0-9_-]{0,62}$");
  });
});

describe("the settings schema", () => {
  it("has a value for everything but the addresses of servers", () => {
    expect(settingsSchema.parse({})).toEqual({
      git: { maxFileBytes: 5 * 1024 * 1024, pushRemote: "origin" },
      engine: { memoryLimitMiB: 512, threads: 2 },
      jupyter: {},
      jobs: { limits: {} },
      colab: {},
      stores: {},
    });
  });

  it("refuses unknown keys, so that a password does not lie about in a governed file", () => {
    expect(settingsSchema.safeParse({ git: { token: "x" } }).success).toBe(false);
    expect(settingsSchema.safeParse({ password: "x" }).success).toBe(false);
  });
});
