/** The command line under test: in this process with streams that remember, or the built program as a person calls it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { RunEvent, RunSummary } from "../../src/domain/run.ts";
import { type OutputStream, openTerminal, type Terminal } from "../../src/cli/output/terminal.ts";
import { runCli } from "../../src/cli/program.ts";

/** Folder of the checkout. */
const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const CLI_MAIN = join(ROOT, "dist", "cli", "main.js");

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

class RecordingStream extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(tty: boolean, columns: number) {
    super();
    this.isTTY = tty;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface RecordedTerminal extends Terminal {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** @param tty whether a person looks at it, on a screen of so many columns */
export function recordTerminal({
  tty = false,
  columns = 80,
  env = {},
}: {
  tty?: boolean;
  columns?: number;
  env?: NodeJS.ProcessEnv;
} = {}): RecordedTerminal {
  const out = new RecordingStream(tty, columns);
  const err = new RecordingStream(tty, columns);
  const terminal = openTerminal(out as OutputStream, err as OutputStream, env);
  return { ...terminal, stdout: () => out.text, stderr: () => err.text };
}

/** Runs a command line in this process. For what ends before a host is needed: mistakes, help. */
export async function runInProcess(argv: readonly string[], cwd = mkdtempSync(join(tmpdir(), "eda-cli-"))): Promise<CliResult> {
  const terminal = recordTerminal();
  const code = await runCli(
    { cwd, env: {}, home: join(cwd, "no-installation"), version: "1.2.3", terminal, outcome: { exitCode: 0 } },
    argv,
  );
  return { code, stdout: terminal.stdout(), stderr: terminal.stderr() };
}

export interface EdaOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunningEda {
  readonly process: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Resolves once what was printed so far matches; rejects when the command ends without it. */
  until(pattern: RegExp): Promise<void>;
}

/** Starts the built command line as a process of its own. */
export function startEda(args: readonly string[], { cwd = tmpdir(), env = {} }: EdaOptions = {}): RunningEda {
  const child = spawn(process.execPath, [CLI_MAIN, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      for (const listener of listeners) listener();
    });
  }
  const result = new Promise<CliResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: code ?? (signal === "SIGINT" ? 130 : 143), ...text }));
  });
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!pattern.test(text.stdout + text.stderr)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
      result.then(({ code }) => reject(new Error(`ended with ${code} before ${pattern}:\n${text.stdout}${text.stderr}`)), reject);
    });
  return { process: child, result, until };
}

/** Runs the built command line to its end. */
export function eda(args: readonly string[], options: EdaOptions = {}): Promise<CliResult> {
  return startEda(args, options).result;
}

/** The command's one JSON document. */
export function documentOf<T>(result: CliResult): T {
  return JSON.parse(result.stdout) as T;
}

export type CliEvent =
  | RunEvent
  | { readonly type: "error"; readonly error: { readonly kind: string; readonly code: string; readonly message: string } };

/** The command's JSON events, a line each. */
export function eventsOf(result: CliResult): CliEvent[] {
  return result.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as CliEvent);
}

export function summariesOf(result: CliResult): RunSummary[] {
  return eventsOf(result).filter((event) => event.type === "summary");
}
