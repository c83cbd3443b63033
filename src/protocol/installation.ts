/** Finding the host program of an installation, and what identifies its build. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostProgram } from "./client.ts";

export interface Installation {
  readonly program: HostProgram;
  readonly build: string;
}

/**
 * @param home folder of the installation: it holds `package.json` and `dist/host/main.js`
 * @param node program that runs the host; `EDA_NODE`, or this process's own Node
 * @returns undefined when there is no host there
 */
export function installationAt(home: string, env: NodeJS.ProcessEnv, node = env.EDA_NODE ?? process.execPath): Installation | undefined {
  const main = join(home, "dist", "host", "main.js");
  if (!existsSync(main)) return undefined;
  return { program: { node, main, env: { ...env, EDA_HOME: home } }, build: buildOf(main) };
}

/** Content hash of the host bundle: two builds of one version differ. */
export function buildOf(hostMain: string): string {
  return createHash("sha256").update(readFileSync(hostMain)).digest("hex").slice(0, 16);
}
