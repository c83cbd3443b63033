/** Moving a workspace to other stores: a process of the host's program does it, while no host serves the workspace. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { EdaError, type ErrorDocument, errorFromDocument } from "../domain/errors.ts";
import type { RunProgress } from "../domain/run.ts";
import type { VerifyReport } from "../domain/verification.ts";
import type { HostProgram } from "./client.ts";

/** One store that moves: what stood behind it and what does now, as people know them. */
export interface MovedStore {
  readonly from: string;
  readonly to: string;
  /** Object versions, rows, or log lines. */
  readonly count: number;
  readonly bytes?: number;
}

export interface MigrationReport {
  /** `planned`: a dry run, nothing was moved. `nothing-to-do`: everything was moved before. */
  readonly state: "moved" | "planned" | "nothing-to-do";
  /** Null for a store that stays where it is. */
  readonly objects: MovedStore | null;
  readonly inventory: MovedStore | null;
  readonly runLog: MovedStore | null;
  /** Head of the audit chain afterwards, `sequence:hash`. */
  readonly audit: string;
  /** Of the stores moved to; null for a dry run. */
  readonly verification: VerifyReport | null;
  /** The commit of the settings that name the new stores, where they were not committed yet. */
  readonly commit: string | null;
  readonly notes: readonly string[];
}

/** What the process says, a JSON document a line. The last one is the report or the error. */
export type MigrationEvent =
  | { readonly type: "step"; readonly message: string }
  | { readonly type: "progress"; readonly progress: RunProgress }
  | { readonly type: "report"; readonly report: MigrationReport }
  | { readonly type: "error"; readonly error: ErrorDocument };

export interface MigrateOptions {
  readonly workspace: string;
  readonly program: HostProgram;
  /** Who asked, for the audit chain. */
  readonly actor: string;
  readonly dryRun: boolean;
  /** What was moved by then stays, and the next migration goes on after it. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: MigrationEvent) => void;
}

/** @throws EdaError `precondition` when it may not begin, `unavailable` when a store is away, `cancelled`, `terminal` */
export async function migrateStores(options: MigrateOptions): Promise<MigrationReport> {
  const { workspace, program, actor, dryRun, signal, onEvent } = options;
  const args = [program.main, "--workspace", workspace, "--migrate", "--actor", actor, ...(dryRun ? ["--dry-run"] : [])];
  // A group of its own: Ctrl-C reaches it as a wish to stop, by the end of its input, and so does the death of this process.
  const child = spawn(program.node, args, { cwd: workspace, env: program.env, detached: true, stdio: ["pipe", "pipe", "ignore"] });
  const stop = () => child.stdin.end();
  child.stdin.on("error", () => undefined);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, killedBy) => resolve(`exit ${code ?? killedBy}`));
  });
  let last: MigrationEvent | undefined;
  for await (const line of createInterface(child.stdout)) {
    last = JSON.parse(line) as MigrationEvent;
    onEvent(last);
  }
  const end = await ended;
  signal.removeEventListener("abort", stop);
  if (last?.type === "report") return last.report;
  if (last?.type === "error") throw errorFromDocument(last.error);
  throw new EdaError("terminal", "migration-interrupted", `The migration was interrupted (${end}).`, {
    todo: "Run it again: it goes on where it was. See .eda/logs/host.log in the workspace.",
  });
}
