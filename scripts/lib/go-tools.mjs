/** Object-store servers and clients for tests and benchmarks, built once from the Go module proxy into `.cache/go-tools/bin`. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { CACHE, step } from "./shell.mjs";
import { once } from "./stamp.mjs";

const folder = join(CACHE, "go-tools");

const TOOLS = {
  minio: { module: "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c", flags: ["-tags", "kqueue", "-trimpath"] },
  mc: { module: "github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9", flags: ["-trimpath"] },
  versitygw: { module: "github.com/versity/versitygw/cmd/versitygw@v1.8.0", flags: ["-trimpath"] },
};

/**
 * @param {keyof typeof TOOLS} name
 * @returns {Promise<string>} path of the program
 */
export async function ensureGoTool(name) {
  const { module, flags } = TOOLS[name];
  const program = join(folder, "bin", name);
  await once(
    name,
    module,
    () => existsSync(program),
    async () => {
      mkdirSync(join(folder, "bin"), { recursive: true });
      const env = { ...process.env, CGO_ENABLED: "0", GOBIN: join(folder, "bin"), GOFLAGS: "" };
      await step({
        name: `go-${name}`,
        title: `Building ${name} (minutes, the first time)`,
        command: "go",
        args: ["install", ...flags, module],
        cwd: folder,
        env,
      });
    },
  );
  return program;
}

export function hasGo() {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
