/** A project small enough to run in seconds, that still goes through all seven stages. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { notebookOf } from "./notebooks.ts";

export const SMALL_PROJECT = "lojas";

/** Folder that stands in for Drive, relative to the workspace: outside Git, as data must be. */
export const SMALL_DRIVE = ".eda/drive/lojas";

const PROJECT_FILE = `project: lojas
title: Pedidos de duas lojas
drive:
  folder: ${SMALL_DRIVE}
staging:
  tables:
    - name: lojas
      files: ["lojas.csv"]
      format: csv
      schema:
        fields:
          - { name: loja, type: string, constraints: { required: true } }
          - { name: cidade, type: string }
        primaryKey: [loja]
    - name: pedidos
      files: ["pedidos*.csv"]
      format: csv
      csv: { delimiter: ";" }
      schema:
        fields:
          - { name: pedido, type: integer, constraints: { required: true } }
          - { name: loja, type: string }
          - { name: valor, type: number, decimalChar: ",", constraints: { minimum: 0 } }
          - { name: dia, type: date, format: "%d/%m/%Y" }
        primaryKey: [pedido]
        foreignKeys:
          - fields: [loja]
            reference: { table: lojas, fields: [loja] }
      rejects: { maxCount: 5 }
datasets:
  - name: vendas
    from: vendas
    key: [pedido]
    splits: { train: 0.6, validation: 0.2, test: 0.2 }
    seed: 7
modeling:
  notebook: notebooks/lojas/media.ipynb
  dataset: vendas
  parameters: { wait_seconds: 0 }
deploy:
  model: { name: media, files: ["model.json"] }
  outputs: ["metrics.json"]
`;

const CURATED = `-- Orders with the town of their shop.
SELECT p.pedido, p.loja, l.cidade, p.valor, p.dia
FROM pedidos AS p
JOIN lojas AS l ON l.loja = p.loja
ORDER BY p.pedido
`;

/** "Trains" without a library: the mean, after a wait that a test may need. */
const NOTEBOOK = notebookOf(
  { source: 'eda_data_dir = "data"\neda_results_dir = "results"\nwait_seconds = 0', tags: ["parameters"] },
  `import json, os, time
for second in range(wait_seconds):
    print("waiting", second, flush=True)
    time.sleep(1)
os.makedirs(eda_results_dir, exist_ok=True)
size = os.path.getsize(os.path.join(eda_data_dir, "train.parquet"))
json.dump({"mean": 10, "train_bytes": size}, open(os.path.join(eda_results_dir, "model.json"), "w"))
json.dump({"mae": 0.5, "baseline_mae": 0.7}, open(os.path.join(eda_results_dir, "metrics.json"), "w"))`,
);

export const SHOPS = "loja,cidade\nA,Recife\nB,São Paulo\n";

/** @param count orders, numbered from 1 */
export function orders(count: number): string {
  const rows = Array.from(
    { length: count },
    (_, index) => `${index + 1};${index % 2 === 0 ? "A" : "B"};${index},50;${String((index % 28) + 1).padStart(2, "0")}/11/2026`,
  );
  return `pedido;loja;valor;dia\n${rows.join("\n")}\n`;
}

/** The governed files of the project, by path. */
export function smallProjectFiles(): Readonly<Record<string, string>> {
  return {
    "configs/projects/lojas.yaml": PROJECT_FILE,
    "sql/lojas/curated/vendas.sql": CURATED,
    "notebooks/lojas/media.ipynb": NOTEBOOK,
  };
}

/** The files a person keeps in Drive, by path: one of them twice under two names. */
function smallDriveFiles(): Readonly<Record<string, string>> {
  return { "lojas.csv": SHOPS, "pedidos.csv": orders(40), "cópia de lojas.txt": SHOPS };
}

/** Writes files below a folder, making folders as needed. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Lays the project out in a workspace that `eda init` made. */
export function layOutSmallProject(workspace: string): void {
  writeFiles(workspace, smallProjectFiles());
  writeFiles(join(workspace, SMALL_DRIVE), smallDriveFiles());
}

/** A fresh folder under the temporary one, by its real path, readable for every user: the database may run as another. */
export function temporaryFolder(name: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `eda-${name}-`)));
  chmodSync(folder, 0o755);
  return folder;
}

/** Git's identity for tests, whatever the machine has: an environment for the command line, which the host inherits. */
export function gitIdentity(): NodeJS.ProcessEnv {
  const config = join(temporaryFolder("git"), "config");
  writeFileSync(config, "[user]\n\tname = Ana Teste\n\temail = ana@example.org\n[init]\n\tdefaultBranch = main\n");
  return { GIT_CONFIG_GLOBAL: config, GIT_CONFIG_NOSYSTEM: "1" };
}
