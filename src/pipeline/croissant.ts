/**
 * Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html): a JSON-LD description that machine-learning tools load datasets by.
 * No clock and no host in it, so that the same dataset has the same description.
 */
import type { DatasetSpec, ProjectFile } from "../domain/project.ts";
import type { SplitName, WrittenTable } from "../ports/engine.ts";

export const CROISSANT_FILE = "croissant.json";
export const CROISSANT_MEDIA_TYPE = "application/ld+json";

interface CroissantSplit {
  readonly split: SplitName;
  readonly columns: WrittenTable["columns"];
  readonly rows: number;
  /** Bytes of the file. */
  readonly size: number;
  readonly sha256: string;
}

export interface CroissantRequest {
  readonly project: Pick<ProjectFile, "project" | "title">;
  readonly dataset: DatasetSpec;
  readonly splits: readonly CroissantSplit[];
}

/** The context that the specification gives, word for word. */
const CONTEXT = {
  "@language": "en",
  "@vocab": "https://schema.org/",
  citeAs: "cr:citeAs",
  column: "cr:column",
  conformsTo: "dct:conformsTo",
  cr: "http://mlcommons.org/croissant/",
  rai: "http://mlcommons.org/croissant/RAI/",
  data: { "@id": "cr:data", "@type": "@json" },
  dataType: { "@id": "cr:dataType", "@type": "@vocab" },
  dct: "http://purl.org/dc/terms/",
  examples: { "@id": "cr:examples", "@type": "@json" },
  extract: "cr:extract",
  field: "cr:field",
  fileProperty: "cr:fileProperty",
  fileObject: "cr:fileObject",
  fileSet: "cr:fileSet",
  format: "cr:format",
  includes: "cr:includes",
  isLiveDataset: "cr:isLiveDataset",
  jsonPath: "cr:jsonPath",
  key: "cr:key",
  md5: "cr:md5",
  parentField: "cr:parentField",
  path: "cr:path",
  recordSet: "cr:recordSet",
  references: "cr:references",
  regex: "cr:regex",
  repeated: "cr:repeated",
  replace: "cr:replace",
  sc: "https://schema.org/",
  separator: "cr:separator",
  source: "cr:source",
  subField: "cr:subField",
  transform: "cr:transform",
};

export function croissantText({ project, dataset, splits }: CroissantRequest): string {
  const document = {
    "@context": CONTEXT,
    "@type": "sc:Dataset",
    conformsTo: "http://mlcommons.org/croissant/1.0",
    name: `${project.project}_${dataset.name}`,
    description: `${project.title ?? project.project}: ${dataset.name}, made from ${dataset.from}. ${howSplit(dataset)}`,
    distribution: splits.map(fileObject),
    recordSet: splits.map((split) => recordSet(split, dataset)),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function howSplit({ key, splits, seed, stratify, group, time }: DatasetSpec): string {
  if (time !== undefined) return `Split by ${time.column}: validation from ${time.validationFrom}, test from ${time.testFrom}.`;
  const shares = `train ${splits.train}, validation ${splits.validation}, test ${splits.test}`;
  const by = group === undefined ? `${key.join(", ")}${stratify === undefined ? "" : ` within each ${stratify}`}` : group;
  return `Split by hash of ${by} with seed ${seed}: ${shares}.`;
}

function fileObject({ split, size, sha256 }: CroissantSplit) {
  const name = fileOf(split);
  return {
    "@type": "cr:FileObject",
    "@id": name,
    name,
    contentUrl: name,
    contentSize: `${size} B`,
    encodingFormat: "application/x-parquet",
    sha256,
  };
}

function recordSet({ split, columns, rows }: CroissantSplit, { key }: DatasetSpec) {
  const names = columns.map(({ name }) => name);
  const keys = key.every((name) => names.includes(name)) ? key.map((name) => ({ "@id": `${split}/${name}` })) : [];
  return {
    "@type": "cr:RecordSet",
    "@id": split,
    name: split,
    description: `${rows} rows for ${split}.`,
    ...(keys.length === 0 ? {} : { key: keys.length === 1 ? keys[0] : keys }),
    field: columns.map(({ name, type }) => ({
      "@type": "cr:Field",
      "@id": `${split}/${name}`,
      name,
      dataType: dataTypeOf(type),
      source: { fileObject: { "@id": fileOf(split) }, extract: { column: name } },
    })),
  };
}

function fileOf(split: SplitName): string {
  return `${split}.parquet`;
}

function dataTypeOf(type: string): string {
  if (/^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/u.test(type)) return "sc:Integer";
  if (/^(FLOAT|DOUBLE|DECIMAL)/u.test(type)) return "sc:Float";
  if (type === "BOOLEAN") return "sc:Boolean";
  if (type === "DATE") return "sc:Date";
  if (type.startsWith("TIMESTAMP")) return "sc:DateTime";
  if (type === "TIME") return "sc:Time";
  return "sc:Text";
}
