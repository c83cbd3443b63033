/** Mistakes in configs/projects/lojas.yaml and configs/eda.yaml: found before anything starts, with file and line. */
import { type BadInput, NOTEBOOK, PROJECT_FILE } from "./bench.ts";

type Edit = readonly [from: string | RegExp, to: string];

function invalid(name: string, [from, to]: Edit, ...says: (string | RegExp)[]): BadInput {
  return {
    name,
    arrange: (bench) => bench.edit(PROJECT_FILE, from, to),
    line: "run capture",
    exit: 3,
    code: "invalid-config",
    says: [new RegExp(`at ${PROJECT_FILE}:\\d+:\\d+`, "u"), "Correct the file and run again.", ...says],
  };
}

const ALIAS_BOMB = `a: &a [x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: [*d,*d,*d,*d,*d,*d,*d,*d,*d]
`;

export const PROJECT_FILE_CASES: readonly BadInput[] = [
  invalid("the indentation is broken", ["  folder:", " \tfolder:"]),
  invalid("a key occurs twice", ["title:", "project: lojas\ntitle:"], "unique"),
  invalid("a key is misspelled", ["staging:\n", "stagging:\n"], 'unknown key "stagging"'),
  invalid("the Drive folder is missing", [/ {2}folder: .*\n/u, "  include: ['*']\n"], "drive.folder"),
  invalid("a list is a word", [/files: \["lojas\.csv"\]/u, "files: lojas.csv"], "staging.tables.0.files"),
  invalid("a field has a type that does not exist", ["type: integer", "type: int"], "staging.tables.1.schema.fields.0.type"),
  invalid("the primary key is no field", ["primaryKey: [pedido]", "primaryKey: [numero]"], '"numero" is not a field of table "pedidos"'),
  invalid("a foreign key refers to no table", ["{ table: lojas,", "{ table: clientes,"], '"clientes" is not a staging table'),
  invalid("the parts of a dataset do not add up", ["train: 0.6", "train: 0.7"], "must be 1"),
  invalid("two tables have one name", ["- name: pedidos", "- name: lojas"], '"lojas" is defined twice'),
  invalid("a table's name is no identifier", ["- name: pedidos", "- name: Pedidos 2026"], "lower-case letters"),
  invalid("files are looked for outside the project", ['"pedidos*.csv"', '"../outro/*.csv"'], "without '..'"),
  invalid("the notebook lies outside notebooks/", [NOTEBOOK, "../media.ipynb"], "notebooks/name.ipynb"),
  invalid("training uses a dataset that is not defined", ["dataset: vendas", "dataset: compras"], '"compras" is not a dataset'),
  invalid("the delimiter is more than a character", ['delimiter: ";"', 'delimiter: ";;"'], "csv.delimiter"),
  {
    name: "the project in the file is another than its name says",
    arrange: (bench) => bench.edit(PROJECT_FILE, "project: lojas", "project: outra"),
    line: "run capture",
    exit: 3,
    code: "invalid-config",
    says: ['names project "outra"', `at ${PROJECT_FILE}:1`],
  },
  {
    name: "the project file is empty",
    arrange: (bench) => bench.write(PROJECT_FILE, ""),
    line: "run capture",
    exit: 3,
    code: "invalid-config",
    says: ["project:", "drive:"],
  },
  {
    name: "the project file is a bomb of aliases",
    arrange: (bench) => bench.write(PROJECT_FILE, ALIAS_BOMB),
    line: "run capture",
    exit: 3,
    code: "invalid-config",
    says: [PROJECT_FILE, /alias/iu],
  },
  {
    name: "the settings ask for less memory than is possible",
    arrange: (bench) => bench.write("configs/eda.yaml", "engine:\n  memoryLimitMiB: 1\n"),
    line: "run capture",
    exit: 3,
    code: "invalid-config",
    says: ["engine.memoryLimitMiB", "at configs/eda.yaml:2:3"],
  },
  {
    name: "foreign keys go in a circle",
    arrange: (bench) =>
      bench.edit(
        PROJECT_FILE,
        "        primaryKey: [loja]\n",
        "        primaryKey: [loja]\n        foreignKeys: [{ fields: [loja], reference: { table: pedidos, fields: [loja] } }]\n",
      ),
    line: "run staging",
    exit: 3,
    code: "foreign-key-cycle",
    says: ["Foreign keys go in a circle"],
  },
  {
    name: "the Drive folder does not exist",
    arrange: (bench) => bench.edit(PROJECT_FILE, "folder: .eda/drive/lojas", "folder: .eda/drive/loja"),
    line: "run capture",
    exit: 1,
    code: "drive-folder-not-found",
    says: [".eda/drive/loja"],
  },
  {
    name: "no file of the Drive folder is wanted",
    arrange: (bench) => bench.edit(PROJECT_FILE, "staging:\n", "  include: ['*.ods']\nstaging:\n"),
    line: "run capture",
    exit: 1,
    code: "drive-folder-empty",
    says: ["drive.include"],
  },
  {
    name: "a stage has no section",
    arrange: (bench) => bench.edit(PROJECT_FILE, /deploy:\n(?: .*\n)+/u, ""),
    line: "run deploy",
    exit: 3,
    code: "stage-not-configured",
    says: ["has no deploy section"],
  },
];
