/** Server programs of tests: named by the environment, else in the cache that `npm test` fills. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const GO_TOOLS = join(import.meta.dirname, "../../../.cache/go-tools/bin");

/**
 * @param folder where `npm test` puts it
 * @returns undefined where the program is missing: its suites then skip, and say so
 * @throws Error where `EDA_TEST_REQUIRE_TOOLS` is set, as in continuous integration
 */
export function findProgram(name: string, variable: string, folder = GO_TOOLS): string | undefined {
  const program = process.env[variable] ?? join(folder, name);
  if (existsSync(program)) return program;
  const missing = `${name} is missing (${variable} is not set, and npm test has not built it)`;
  if (process.env["EDA_TEST_REQUIRE_TOOLS"] === "1") throw new Error(missing);
  console.warn(`skipped: ${missing}`);
  return undefined;
}
