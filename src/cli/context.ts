/** What every command is given: where it runs, and where it writes. */
import { userInfo } from "node:os";
import { InvalidArgumentError } from "commander";
import type { Terminal } from "./output/terminal.ts";

export interface Cli {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Folder of the installation: `package.json`, `dist/host/main.js`. */
  readonly home: string;
  readonly version: string;
  readonly terminal: Terminal;
  /** Set by commands that end without an error but not with 0. */
  readonly outcome: { exitCode: number };
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly workspace?: string;
  readonly json?: true;
}

/** Who asks: the operating-system user. A container may run under a number that has no name. */
export function actorOf(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER ?? env.LOGNAME ?? `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** Parser of a positive whole number given to an option. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("a positive whole number is expected.");
  return value;
}
