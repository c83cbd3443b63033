import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { INSTALLATION } from "../support/host.ts";

const HOST = join(INSTALLATION, "dist", "host");
/** Each holds megabytes, and most hosts need none of them at their start. */
const CLIENTS = ["minio", "mongodb", "@googleapis/drive", "google-auth-library", "@duckdb/node-api", "@jupyterlab/services"];

test("the clients of services are loaded by the host that needs them, not by each one when it starts", () => {
  const atStart = packagesOf(reachable("main.js", staticImports));
  const everywhere = packagesOf(reachable("main.js", (text) => [...staticImports(text), ...dynamicImports(text)]));

  expect(CLIENTS.filter((client) => atStart.has(client))).toEqual([]);
  expect(CLIENTS.filter((client) => !everywhere.has(client))).toEqual([]);
  expect(atStart).toContain("pg");
});

/** What the file imports, and what the pieces of the bundle that it imports import in their turn. */
function reachable(main: string, importsOf: (text: string) => readonly string[]): Set<string> {
  const found = new Set([main]);
  for (const name of found) {
    if (!name.endsWith(".js")) continue;
    for (const imported of importsOf(readFileSync(join(HOST, name), "utf8"))) found.add(imported.replace(/^\.\//u, ""));
  }
  return found;
}

function staticImports(text: string): string[] {
  return [...text.matchAll(/^(?:import |import .* from |\} from )"([^"]+)";$/gmu)].map((match) => match[1] as string);
}

function dynamicImports(text: string): string[] {
  return [...text.matchAll(/\bimport\("([^"]+)"\)/gu)].map((match) => match[1] as string);
}

function packagesOf(names: ReadonlySet<string>): Set<string> {
  return new Set([...names].filter((name) => !name.endsWith(".js") && !name.startsWith("node:")));
}
