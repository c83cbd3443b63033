/** The Docker client, for what needs no engine; an engine only where `EDA_TEST_DOCKER=1` says that tests may use one. */
import { execFileSync, spawnSync } from "node:child_process";

/** Whether `docker` is there. @throws Error where `EDA_TEST_REQUIRE_TOOLS` is set and it is not */
export const hasDocker = answers(["--version"]);
if (!hasDocker) {
  const missing = "the docker client is missing";
  if (process.env["EDA_TEST_REQUIRE_TOOLS"] === "1") throw new Error(missing);
  console.warn(`skipped: ${missing}`);
}

/** A plugin that Debian does not package: never required. */
export const hasCompose = hasDocker && answers(["compose", "version"]);
if (!hasCompose) console.warn("skipped: docker compose is missing");

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the client with nothing in its environment but what it needs, and these settings. */
export function docker(args: readonly string[], settings: NodeJS.ProcessEnv = {}): Outcome {
  const { PATH, HOME, DOCKER_HOST, DOCKER_CONFIG } = process.env;
  return spawnSync("docker", args, { encoding: "utf8", env: { PATH, HOME, DOCKER_HOST, DOCKER_CONFIG, ...settings } });
}

function answers(args: readonly string[]): boolean {
  try {
    execFileSync("docker", args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
