/** Running commands for the project's scripts: visible progress for people, whole output in a log for failures. */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the checkout. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/u, "");
/** What is fetched or made once and reused; git-ignored. */
export const CACHE = join(ROOT, ".cache");

export function say(message) {
  process.stderr.write(`${message}\n`);
}

/**
 * Runs a command with its output handed on.
 * @returns {Promise<number>} exit code, 128 + signal number when a signal ended it
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: "inherit", ...options });
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}

/**
 * A step that takes a while: says what it does and how long it took; its output goes to `.cache/logs/<name>.log`, whose end is
 * shown when the step fails.
 * @param {{ name: string, title: string, command: string, args: string[], cwd?: string, env?: NodeJS.ProcessEnv }} step
 */
export async function step({ name, title, command, args, cwd = ROOT, env = process.env }) {
  mkdirSync(join(CACHE, "logs"), { recursive: true });
  const logFile = join(CACHE, "logs", `${name}.log`);
  const log = createWriteStream(logFile);
  const start = Date.now();
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  say(`· ${title} …`);
  const beat = setInterval(() => say(`  ${title}: still at it after ${seconds()}`), 30_000);
  const code = await new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once("error", reject);
    child.once("close", (exit) => resolve(exit ?? 1));
  }).finally(() => clearInterval(beat));
  await new Promise((resolve) => log.end(resolve));
  if (code !== 0) {
    const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-30).join("\n");
    throw new Error(`${title} failed (exit ${code}).\n${tail}\nThe whole output is in ${logFile}`);
  }
  say(`✔ ${title} (${seconds()})`);
}
