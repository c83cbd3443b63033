/** Project files with one mistake each, and what has to be said about it. */

export interface BadProjectFile {
  /** What is wrong, as a clause. */
  readonly name: string;
  readonly text: string;
  /** Where the first finding must point, both from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string | RegExp;
}

/** The project that {@link VALID_PROJECT_FILE} describes. */
export const VALID_PROJECT = "voos";

export const VALID_PROJECT_FILE = `project: voos
drive:
  folder: ../drive
staging:
  tables:
    - name: flights
      files: ["*.csv"]
      format: csv
      schema:
        fields:
          - name: id
            type: integer
          - name: origin
            type: string
        primaryKey: [id]
    - name: airports
      files: [airports.json]
      format: json
      schema:
        fields:
          - { name: code, type: string }
datasets:
  - name: late
    from: flights_enriched
    key: [id]
    splits: { train: 0.8, validation: 0.1, test: 0.1 }
modeling:
  notebook: notebooks/train.ipynb
  dataset: late
deploy:
  model:
    name: late
    files: [model.onnx]
`;

export const BAD_PROJECT_FILES: readonly BadProjectFile[] = [
  whole("is empty", "", 1, 1, "project: is missing (expected string)"),
  whole("is a sentence", "just text\n", 1, 1, "expected object, received string"),
  whole("is a list", "- a\n- b\n", 1, 1, "expected object, received array"),
  whole("holds two documents", "project: voos\ndrive: {folder: x}\n---\nproject: voos\n", 3, 1, "more than one YAML document"),
  whole("repeats an undefined alias", "project: voos\ndrive: *nowhere\n", 2, 8, /alias.*nowhere/iu),
  whole("grows by its aliases", aliasBomb(), 4, 32, /alias/iu),
  edited("is indented with a tab", "  folder:", "\tfolder:", 3, 1, "Tabs are not allowed"),
  edited("has a key twice", "drive:\n", "project: voos\ndrive:\n", 2, 1, "unique"),
  edited("leaves a bracket open", "key: [id]\n", "key: [id\n", 26, 5, /\]/u),
  edited("has an unquoted colon", "../drive", "a: b", 3, 11, "Nested mappings are not allowed"),
  edited("uses a tag nobody knows", "folder: ../drive", "folder: !!js/function x", 3, 11, "Unresolved tag"),
  edited("names another project", "project: voos", "project: outro", 1, 1, 'names project "outro", its file name says "voos"'),
  edited("has a project name that is none", "project: voos", "project: Vôos", 1, 1, "lower-case letters"),
  edited("has an unknown key", "drive:\n", "drive:\n  foldr: y\n", 3, 3, 'drive: unknown key "foldr"'),
  edited("lacks the drive section", "drive:\n  folder: ../drive\n", "", 1, 1, "drive: is missing (expected object)"),
  edited("lacks the folder", "  folder: ../drive\n", "  include: ['*']\n", 2, 1, "drive.folder: is missing (expected string)"),
  edited("leaves a value empty", "folder: ../drive", "folder:", 3, 3, "drive.folder: Invalid input: expected string, received null"),
  edited("has a number for a text", "folder: ../drive", "folder: 12", 3, 3, "expected string, received number"),
  edited("has a text for a list", '["*.csv"]', "x.csv", 7, 7, "staging.tables.0.files: Invalid input: expected array"),
  edited("has no table", /tables:[\s\S]*?datasets/u, "tables: []\ndatasets", 5, 3, "staging.tables: Too small"),
  edited(
    "has an unknown field type",
    "type: integer",
    "type: int",
    12,
    13,
    'fields.0.type: Invalid option: expected one of "string"|"integer"',
  ),
  edited("has a column name that is none", "name: origin", "name: Origin Airport", 13, 13, "fields.1.name: must be lower-case letters"),
  edited("reads outside the project", '"*.csv"', '"../*.csv"', 7, 15, "files.0: must be relative and without '..'"),
  edited("reads from the root", '"*.csv"', "/etc/passwd", 7, 15, "files.0: must be relative and without '..'"),
  edited(
    "has a delimiter of two characters",
    "format: csv",
    "format: csv\n      csv: { delimiter: '||' }",
    9,
    14,
    "csv.delimiter: Too big",
  ),
  edited("rejects more than all rows", "format: csv", "format: csv\n      rejects: { maxShare: 5 }", 9, 18, "rejects.maxShare: Too big"),
  edited(
    "has an unknown cleaning rule",
    "type: string",
    "type: string\n            clean: [trimm]",
    15,
    21,
    /clean\.0: Invalid option.*"trim"/u,
  ),
  edited("replaces with nothing", "type: string", "type: string\n            clean: [{ replace: a }]", 15, 21, "with: is missing"),
  edited("has a field twice", "name: origin", "name: id", 13, 13, 'schema.fields.1.name: "id" is defined twice'),
  edited("has a table twice", "name: airports", "name: flights", 16, 7, 'staging.tables.1.name: "flights" is defined twice'),
  edited("has a primary key that is no field", "primaryKey: [id]", "primaryKey: [code]", 15, 9, '"code" is not a field of table "flights"'),
  edited(
    "refers from no field",
    "primaryKey: [id]",
    foreignKey("ids", "airports", "code"),
    16,
    13,
    '"ids" is not a field of table "flights"',
  ),
  edited("refers to no table", "primaryKey: [id]", foreignKey("origin", "places", "code"), 17, 26, '"places" is not a staging table'),
  edited(
    "refers to no field",
    "primaryKey: [id]",
    foreignKey("origin", "airports", "iata"),
    17,
    43,
    '"iata" is not a field of table "airports"',
  ),
  edited(
    "refers to too many fields",
    "primaryKey: [id]",
    foreignKey("origin", "airports", "code, code"),
    17,
    43,
    "as many fields as the key (1)",
  ),
  edited("has splits over one", "train: 0.8", "train: 0.9", 26, 5, "datasets.0.splits: train + validation + test must be 1"),
  edited("has a negative split", "test: 0.1 }", "test: -0.1 }", 26, 44, "splits.test: Too small"),
  edited("trains on no dataset", "dataset: late", "dataset: early", 29, 3, 'modeling.dataset: "early" is not a dataset of this project'),
  edited(
    "has a notebook elsewhere",
    "notebooks/train.ipynb",
    "train.py",
    28,
    3,
    "modeling.notebook: must be a path like notebooks/name.ipynb",
  ),
  edited("leaves the notebooks folder", "notebooks/train", "notebooks/../train", 28, 3, "must be a path like notebooks/name.ipynb"),
  edited("has a parameter that is no name", "dataset: late", "dataset: late\n  parameters: { a-b: 1 }", 30, 17, "modeling.parameters.a-b"),
  edited(
    "has a list as a parameter",
    "dataset: late",
    "dataset: late\n  parameters: { a: [1] }",
    30,
    17,
    "expected string, received array",
  ),
  edited("waits for ever", "dataset: late", "dataset: late\n  timeoutMinutes: soon", 30, 3, "expected number, received string"),
  edited("deploys no file", "files: [model.onnx]", "files: []", 33, 5, "deploy.model.files: Too small"),
];

function whole(name: string, text: string, line: number, column: number, message: string | RegExp): BadProjectFile {
  return { name, text, line, column, message };
}

/** The valid file with the first occurrence of `from` replaced. */
function edited(name: string, from: string | RegExp, to: string, line: number, column: number, message: string | RegExp): BadProjectFile {
  const text = VALID_PROJECT_FILE.replace(from, () => to);
  if (text === VALID_PROJECT_FILE) throw new Error(`"${name}" changes nothing`);
  return whole(name, text, line, column, message);
}

function foreignKey(fields: string, table: string, referenced: string): string {
  return `foreignKeys:\n          - fields: [${fields}]\n            reference: { table: ${table}, fields: [${referenced}] }`;
}

/** Nine to the fourth power of letters in five lines. */
function aliasBomb(): string {
  const nine = (item: string) => `[${Array.from({ length: 9 }, () => item).join(",")}]`;
  return `a: &a ${nine("x")}\nb: &b ${nine("*a")}\nc: &c ${nine("*b")}\nd: &d ${nine("*c")}\nproject: voos\n`;
}
