import { execFileSync } from "node:child_process";

/** The usual number of "nobody". */
export const NOBODY = 65_534;

/**
 * Evaluates an ES module (its source prints one JSON document) as a user that is not root, to whom file permissions mean something.
 * @param environment variables that the source reads
 */
export function runUnprivileged(source: string, environment: Readonly<Record<string, string>>): unknown {
  const isRoot = process.getuid?.() === 0;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", source], {
    cwd: new URL("../..", import.meta.url),
    env: { PATH: process.env.PATH, ...environment },
    encoding: "utf8",
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  return JSON.parse(output);
}
