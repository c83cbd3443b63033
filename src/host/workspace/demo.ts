/** `eda demo`: the project projeto_voos with real flights, airports and bird strikes, in a folder that stands in for Drive. */
import { constants, copyFile, lstat, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openGit } from "../../adapters/git/git.ts";
import { EdaError } from "../../domain/errors.ts";
import { STATE_FOLDER } from "../../domain/governed.ts";
import { commitLayout, type InitServices, initWorkspace } from "./init.ts";
import type { TemplateFile } from "./templates.ts";

const DEMO_PROJECT = "projeto_voos";
const DRIVE_FOLDER = `${STATE_FOLDER}/drive/${DEMO_PROJECT}`;
const SUBJECT = `init: projeto de demonstração ${DEMO_PROJECT}`;
/** Only for a repository that the demonstration itself makes, on a machine whose Git knows nobody. */
const IDENTITY = { name: "Demonstração eda", email: "demo@eda.invalid" };

/** What lies in the folder, as somebody keeps it: subfolders, a copy under another name, a file that was never filled. */
const DRIVE_FILES: readonly ({ readonly path: string } & ({ readonly data: string } | { readonly text: string }))[] = [
  { path: "voos/flights-3m.parquet", data: "flights-3m.parquet" },
  { path: "cadastros/airports.csv", data: "airports.csv" },
  { path: "cadastros/Cópia de airports.csv", data: "airports.csv" },
  { path: "seguranca/birdstrikes.csv", data: "birdstrikes.csv" },
  { path: "anotacoes/pendencias.txt", text: "" },
  {
    path: "LEIA-ME.txt",
    text: `Voos domesticos dos EUA, jan-jun 2001 (BTS), aeroportos (Data.gov) e colisoes com aves (FAA).
Origem: pacote vega-datasets. O atraso e o da chegada, em minutos; negativo = adiantado.
`,
  },
];

export interface DemoResult {
  readonly project: string;
  readonly created: readonly string[];
  readonly commit: string | null;
}

/**
 * Lays out workspace, project and data; what is there already is kept. Idempotent.
 * @param home folder of the installation: it holds `demo/` and `node_modules/vega-datasets/`
 * @throws EdaError `precondition` as {@link initWorkspace}, `demo-data-missing`
 */
export async function createDemo(services: InitServices, home: string, env: NodeJS.ProcessEnv = process.env): Promise<DemoResult> {
  const data = join(home, "node_modules", "vega-datasets", "data");
  const files = await demoFiles(join(home, "demo"));
  if (files.length === 0 || !(await exists(data))) {
    throw new EdaError("precondition", "demo-data-missing", "This installation comes without the demonstration's data.", {
      todo: "Run the demonstration from a checkout, after npm install.",
    });
  }
  const workspace = await initWorkspace(services, { fallbackIdentity: IDENTITY, env });
  const project = await commitLayout(services, openGit(services.workspace, env), files, () => SUBJECT);
  const drive = await fillDrive(services.workspace, data);
  return {
    project: DEMO_PROJECT,
    created: [...workspace.created, ...project.created, ...drive],
    commit: project.commit ?? workspace.commit,
  };
}

/** The governed files of the demonstration, under the paths they have in a workspace. */
async function demoFiles(folder: string): Promise<TemplateFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    paths.map(async (path) => ({ path: path.slice(folder.length + 1).replaceAll("\\", "/"), text: await readFile(path, "utf8") })),
  );
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A file is whole or not there: an interrupted copy never looks like data. */
async function fillDrive(workspace: string, data: string): Promise<string[]> {
  const created: string[] = [];
  const partial = join(workspace, STATE_FOLDER, "drive", ".partial");
  for (const file of DRIVE_FILES) {
    const path = `${DRIVE_FOLDER}/${file.path}`;
    const target = join(workspace, path);
    if (await exists(target)) continue;
    await mkdir(dirname(target), { recursive: true });
    if ("data" in file) await copyFile(join(data, file.data), partial, constants.COPYFILE_FICLONE);
    else await writeFile(partial, file.text);
    await rename(partial, target);
    created.push(path);
  }
  return created;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
