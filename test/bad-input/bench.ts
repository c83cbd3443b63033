/** The workspace that bad input is tried on: whatever a case changes through it is put back afterwards. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CliWorkspace } from "../support/cli-workspace.ts";

export const PROJECT_FILE = "configs/projects/lojas.yaml";
export const SQL_FILE = "sql/lojas/curated/vendas.sql";
export const NOTEBOOK = "notebooks/lojas/media.ipynb";
export const RAW = "eda/raw-data/lojas";

export class Bench {
  readonly workspace: CliWorkspace;
  readonly #undo: (() => void | Promise<void>)[] = [];

  constructor(workspace: CliWorkspace) {
    this.workspace = workspace;
  }

  path(relative: string): string {
    return join(this.workspace.folder, relative);
  }

  onUndo(undo: () => void | Promise<void>): void {
    this.#undo.push(undo);
  }

  write(relative: string, content: string | Uint8Array): void {
    const path = this.path(relative);
    const before = existsSync(path) ? readFileSync(path) : undefined;
    this.onUndo(() => (before === undefined ? rmSync(path) : writeFileSync(path, before)));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** @param from must occur: an edit that changes nothing would prove nothing */
  edit(relative: string, from: string | RegExp, to: string): void {
    const text = readFileSync(this.path(relative), "utf8");
    const edited = text.replace(from, to);
    if (edited === text) throw new Error(`${relative} does not contain ${from}`);
    this.write(relative, edited);
  }

  remove(relative: string): void {
    const path = this.path(relative);
    renameSync(path, `${path}.away`);
    this.onUndo(() => renameSync(`${path}.away`, path));
  }

  /** Puts a file among the raw ones and takes it in, as a captured one would be. Taken back on disk only: the next one takes its place. */
  async ingest(name: string, content: string | Uint8Array): Promise<void> {
    this.write(`${RAW}/${name}`, content);
    await this.succeed("run ingest");
  }

  async succeed(line: string): Promise<void> {
    const { code, stdout, stderr } = await this.workspace.eda(line);
    if (code !== 0) throw new Error(`eda ${line} ended with ${code}:\n${stdout}${stderr}`);
  }

  git(...args: string[]): string {
    return this.workspace.git(...args);
  }

  /** Lays a disk of so many KiB over a folder of the workspace; the folders that were in it are there again, empty. */
  smallDisk(relative: string, kibibytes: number): void {
    const folder = this.path(relative);
    mkdirSync(folder, { recursive: true });
    const inside = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    this.onUndo(() => {
      // Lazily: a process may still have something open there.
      spawnSync("umount", ["--lazy", folder]);
    });
    for (const { name } of inside) mkdirSync(join(folder, name));
  }

  /** Newest change first. */
  async undo(): Promise<void> {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) await undo();
  }
}

export interface BadInput {
  /** What is wrong, as a person would say it. */
  readonly name: string;
  readonly arrange?: (bench: Bench) => void | Promise<void>;
  /** The command line that meets it, without `--workspace`. */
  readonly line: string;
  readonly exit: 1 | 2 | 3;
  /** Code of the error. */
  readonly code: string;
  /** Words of the message, its place, and what to do. */
  readonly says: readonly (string | RegExp)[];
}
