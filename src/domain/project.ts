/**
 * The project file, `configs/projects/<project>.yaml`. Its JSON Schema (for editors) is generated from here;
 * each description holds English and pt-BR, separated by ` · `.
 */
import { z } from "zod";
import { jobTimesSchema } from "./job/limits.ts";
import { PROJECT_NAME_PATTERN, PROJECT_NAME_RULE } from "./names.ts";

/** Who can carry a training job to a runtime. */
const TRAINERS = ["jupyter", "colab-drive", "colab-cli", "colab-enterprise"] as const;

const relativeGlob = z
  .string()
  .min(1)
  .refine((glob) => !glob.startsWith("/") && !glob.split("/").includes(".."), { error: "must be relative and without '..'" });
const identifier = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/u, {
  error: "must be lower-case letters, digits and '_', starting with a letter, at most 63",
});
const governedPath = (folder: string, ending: string) =>
  z.string().refine((path) => path.startsWith(`${folder}/`) && path.endsWith(ending) && !path.split("/").includes(".."), {
    error: `must be a path like ${folder}/name${ending}`,
  });

const constraints = z
  .strictObject({
    required: z.boolean().optional(),
    unique: z.boolean().optional(),
    minimum: z.union([z.number(), z.string()]).optional(),
    maximum: z.union([z.number(), z.string()]).optional(),
    minLength: z.int().nonnegative().optional(),
    maxLength: z.int().nonnegative().optional(),
    pattern: z.string().optional(),
    enum: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .optional(),
  })
  .describe("Frictionless constraints; a row that breaks one is quarantined · Restrições; a linha que as viola vai à quarentena");

const cleaning = z
  .union([
    z.enum(["trim", "collapse", "lower", "upper"]),
    z.strictObject({ replace: z.string(), with: z.string(), regex: z.boolean().default(false) }),
  ])
  .describe("Cleaning rule, applied in order before the type · Regra de limpeza, aplicada em ordem antes do tipo");

const field = z.strictObject({
  name: identifier.describe("Column name in staging · Nome da coluna em staging"),
  source: z.string().min(1).optional().describe("Header in the file, when it differs · Cabeçalho no arquivo, se diferente"),
  type: z.enum(["string", "integer", "number", "boolean", "date", "datetime", "time"]).describe("Frictionless type · Tipo Frictionless"),
  format: z
    .string()
    .optional()
    .describe("Date format such as %d/%m/%Y; otherwise ISO 8601 · Formato de data como %d/%m/%Y; senão ISO 8601"),
  decimalChar: z.string().length(1).optional().describe("Decimal separator · Separador decimal"),
  groupChar: z.string().length(1).optional().describe("Thousands separator · Separador de milhar"),
  trueValues: z.array(z.string()).optional(),
  falseValues: z.array(z.string()).optional(),
  missingValues: z.array(z.string()).optional().describe("Texts read as missing in this column · Textos lidos como ausentes"),
  clean: z.array(cleaning).optional(),
  constraints: constraints.optional(),
});

const tableSchema = z.strictObject({
  fields: z.array(field).min(1),
  primaryKey: z.array(identifier).min(1).optional(),
  foreignKeys: z
    .array(
      z.strictObject({
        fields: z.array(identifier).min(1),
        reference: z.strictObject({ table: identifier, fields: z.array(identifier).min(1) }),
      }),
    )
    .optional(),
  missingValues: z.array(z.string()).default([""]),
});

const stagingTable = z.strictObject({
  name: identifier.describe("Table name · Nome da tabela"),
  files: z.array(relativeGlob).min(1).describe("Raw files, as globs · Arquivos brutos, como globs"),
  format: z.enum(["csv", "json", "ndjson", "parquet"]).describe("File format · Formato do arquivo"),
  csv: z
    .strictObject({
      delimiter: z.string().length(1).default(","),
      quote: z.string().length(1).default('"'),
      encoding: z.enum(["utf-8", "latin-1", "utf-16"]).default("utf-8"),
      header: z.boolean().default(true),
    })
    .optional(),
  clean: z.array(cleaning).optional().describe("Rules for every text column · Regras para toda coluna de texto"),
  schema: tableSchema.describe("Frictionless Table Schema · Table Schema do Frictionless"),
  extraColumns: z.enum(["error", "ignore"]).default("error"),
  rejects: z
    .strictObject({
      maxShare: z.number().min(0).max(1).optional().describe("Largest share of rejected rows, 0 to 1 · Maior fração de rejeições"),
      maxCount: z.int().nonnegative().optional().describe("Largest number of rejected rows · Maior número de rejeições"),
    })
    .default({ maxShare: 0 }),
});

const ratios = z
  .strictObject({ train: z.number().positive(), validation: z.number().min(0), test: z.number().min(0) })
  .refine((r) => Math.abs(r.train + r.validation + r.test - 1) < 1e-9, { error: "train + validation + test must be 1" });

const dataset = z.strictObject({
  name: identifier,
  from: identifier.describe("Curated table · Tabela curada"),
  key: z.array(identifier).min(1).describe("Columns whose hash decides the split · Colunas cujo hash decide a partição"),
  splits: ratios,
  seed: z.int().nonnegative().default(0),
  stratify: identifier.optional().describe("Column whose values are split in the same ratios · Coluna de estratificação"),
  group: identifier.optional().describe("Column whose values stay together in one split · Coluna de agrupamento"),
  time: z
    .strictObject({ column: identifier, validationFrom: z.string(), testFrom: z.string() })
    .optional()
    .describe("Cut by time instead of by hash · Corte por tempo em vez de hash"),
  columns: z.array(identifier).min(1).optional().describe("Columns to keep; all by default · Colunas mantidas"),
  export: z.boolean().default(false).describe("Copy to Drive as well · Copiar também para o Drive"),
});

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const projectSchema = z
  .strictObject({
    project: z
      .string()
      .regex(PROJECT_NAME_PATTERN, { error: PROJECT_NAME_RULE, abort: true })
      .describe("Project name, as the file name · Nome do projeto"),
    title: z.string().optional(),
    drive: z.strictObject({
      folder: z.string().min(1).describe("Drive folder: path, id or link · Pasta no Drive: caminho, id ou link"),
      include: z.array(relativeGlob).default(["**/*"]),
      exclude: z.array(relativeGlob).default([]),
      exportFolder: z.string().min(1).optional().describe("Where datasets are exported · Onde exportar datasets"),
    }),
    staging: z.strictObject({ tables: z.array(stagingTable).min(1) }).optional(),
    datasets: z.array(dataset).min(1).optional(),
    modeling: z
      .strictObject({
        notebook: governedPath("notebooks", ".ipynb"),
        dataset: identifier.describe("Dataset it trains on · Dataset de treino"),
        parameters: z.record(z.string().regex(/^[A-Za-z_]\w*$/u), scalar).default({}),
        trainer: z
          .enum(TRAINERS)
          .default("jupyter")
          .describe("Who trains: a Colab T4 is colab-drive, or with paid compute units colab-cli · Quem treina"),
        accelerator: z.enum(["cpu", "T4"]).default("cpu"),
        allowOthers: z.boolean().optional().describe("Train on what accelerator there is · Treinar com o acelerador que houver"),
        timeoutMinutes: z.number().positive().default(60).describe("Longest an attempt may take · Duração máxima de uma tentativa"),
        attempts: z
          .int()
          .min(1)
          .max(20)
          .default(1)
          .describe("Attempts made without being asked, where the trainer can start them · Tentativas automáticas"),
        limits: jobTimesSchema.optional().describe("Times of its jobs, seconds · Tempos dos trabalhos, em segundos"),
      })
      .optional(),
    deploy: z
      .strictObject({
        model: z.strictObject({
          name: identifier,
          files: z.array(relativeGlob).min(1).describe("Result files that are the model · Arquivos do modelo"),
        }),
        outputs: z.array(relativeGlob).default([]).describe("Result files kept as outputs · Arquivos de saída"),
        servingName: identifier.optional(),
      })
      .optional(),
  })
  .check((context) => {
    const { value, issues } = context;
    const duplicates = (names: readonly string[], path: (string | number)[]) => {
      names.forEach((name, index) => {
        if (names.indexOf(name) !== index) {
          issues.push({ code: "custom", input: name, path: [...path, index, "name"], message: `"${name}" is defined twice` });
        }
      });
    };
    const tables = value.staging?.tables ?? [];
    duplicates(
      tables.map((table) => table.name),
      ["staging", "tables"],
    );
    duplicates(
      (value.datasets ?? []).map((set) => set.name),
      ["datasets"],
    );
    tables.forEach((table, index) => {
      const names = table.schema.fields.map((column) => column.name);
      const at = ["staging", "tables", index, "schema"];
      duplicates(names, [...at, "fields"]);
      const known = (columns: readonly string[], path: (string | number)[], owner = table) => {
        for (const column of columns) {
          if (!owner.schema.fields.some((each) => each.name === column)) {
            issues.push({ code: "custom", input: column, path, message: `"${column}" is not a field of table "${owner.name}"` });
          }
        }
      };
      known(table.schema.primaryKey ?? [], [...at, "primaryKey"]);
      (table.schema.foreignKeys ?? []).forEach((foreign, position) => {
        const { fields, reference } = foreign;
        const here = [...at, "foreignKeys", position];
        known(fields, [...here, "fields"]);
        const target = tables.find((other) => other.name === reference.table);
        if (target === undefined) {
          const message = `"${reference.table}" is not a staging table`;
          issues.push({ code: "custom", input: reference.table, path: [...here, "reference", "table"], message });
          return;
        }
        known(reference.fields, [...here, "reference", "fields"], target);
        if (fields.length !== reference.fields.length) {
          const message = `must have as many fields as the key (${fields.length})`;
          issues.push({ code: "custom", input: reference.fields, path: [...here, "reference", "fields"], message });
        }
      });
    });
    const wanted = value.modeling?.dataset;
    if (wanted !== undefined && !(value.datasets ?? []).some((set) => set.name === wanted)) {
      issues.push({
        code: "custom",
        input: wanted,
        path: ["modeling", "dataset"],
        message: `"${wanted}" is not a dataset of this project`,
      });
    }
  });

export type ProjectFile = z.infer<typeof projectSchema>;
export type StagingTable = z.infer<typeof stagingTable>;
export type TableField = z.infer<typeof field>;
export type TableSchema = z.infer<typeof tableSchema>;
export type CleaningRule = z.infer<typeof cleaning>;
export type DatasetSpec = z.infer<typeof dataset>;
export type TrainerId = (typeof TRAINERS)[number];
export type ModelingSpec = NonNullable<ProjectFile["modeling"]>;
export type DeploySpec = NonNullable<ProjectFile["deploy"]>;
