/** A workspace of its own for tests of the command line: made by `eda init`, its host stopped and its folder removed at the end. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { type CliResult, eda, type RunningEda, startEda } from "./cli.ts";
import { testPython } from "./python.ts";
import { gitIdentity, layOutSmallProject, temporaryFolder } from "./small-project.ts";

export interface CliWorkspace {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command line on this workspace to its end. */
  eda(line: string, ...more: string[]): Promise<CliResult>;
  start(line: string, ...more: string[]): RunningEda;
  git(...args: string[]): string;
  close(): Promise<void>;
}

/** Without the small project it is an empty folder, not yet a workspace. */
export async function openCliWorkspace({ project, env: more = {} }: { project: boolean; env?: NodeJS.ProcessEnv }): Promise<CliWorkspace> {
  const folder = temporaryFolder("cli");
  const env = { ...gitIdentity(), ...(testPython === undefined ? {} : { EDA_PYTHON: testPython }), ...more };
  const argv = (line: string, more: string[]) => [...line.split(" "), ...more, "--workspace", folder];
  const workspace: CliWorkspace = {
    folder,
    env,
    eda: (line, ...more) => eda(argv(line, more), { cwd: folder, env }),
    start: (line, ...more) => startEda(argv(line, more), { cwd: folder, env }),
    git: (...args) => execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", env: { ...process.env, ...env } }),
    close: async () => {
      await workspace.eda("host stop --force");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  if (!project) return workspace;
  const made = await workspace.eda("init");
  if (made.code !== 0) throw new Error(`eda init ended with ${made.code}:\n${made.stderr}`);
  layOutSmallProject(folder);
  return workspace;
}
