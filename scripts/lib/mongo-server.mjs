/** The MongoDB of the tests: a server from Maven Central with a main class of ours, in `.cache/mongo-server`. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE, ROOT, step } from "./shell.mjs";
import { hashOf, once } from "./stamp.mjs";

const SOURCES = "test/support/servers/mongo-server";
const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const folder = join(CACHE, "mongo-server");
const program = join(folder, "mongo-server");

const LAUNCHER = `#!/bin/sh
folder=$(dirname "$(readlink -f "$0")")
exec java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$folder/classes:$folder/lib/*" MongoServer "$@"
`;

/** @returns {Promise<string>} path of the program */
export async function ensureMongoServer() {
  await once("mongo-server", hashOf([SOURCES, "scripts/lib/mongo-server.mjs"]), () => existsSync(program), build);
  return program;
}

async function build() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "classes"), { recursive: true });
  const sources = join(ROOT, SOURCES);
  const maven = ["-B", "-f", join(sources, "pom.xml"), COPY, `-DoutputDirectory=${join(folder, "lib")}`];
  await step({ name: "mongo-server-libraries", title: "Fetching the MongoDB of the tests", command: "mvn", args: maven });
  const java = readdirSync(sources).filter((file) => file.endsWith(".java"));
  const compiler = ["-d", join(folder, "classes"), "-cp", join(folder, "lib", "*"), ...java];
  await step({ name: "mongo-server-classes", title: "Compiling its main class", command: "javac", args: compiler, cwd: sources });
  writeFileSync(program, LAUNCHER);
  chmodSync(program, 0o755);
}

export function hasJavaTools() {
  try {
    for (const tool of ["mvn", "javac"]) execFileSync(tool, ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
