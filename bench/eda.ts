/** eda itself: the built command line and its host, as a person uses them. */
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Contender, gitRepository, type Measurement, seconds, settleDisk } from "./contender.ts";
import { cpuSeconds, cpuSecondsOfEndedChildren, residentMegabytes } from "./processes.ts";

const CLI = join(import.meta.dirname, "../dist/cli/main.js");

export interface EdaOptions {
  /** Where the object store is, in the names that the host reads. */
  readonly env?: Readonly<Record<string, string>>;
  /** Process of the object store. */
  readonly server?: number;
  /** Called after each turn with its project: its objects are looked at and removed. */
  readonly settle?: (project: string) => void;
}

/** @param options none: the folder store */
export function edaContender({ env = {}, server, settle }: EdaOptions = {}): Contender {
  let turns = 0;

  function eda(workspace: string, ...args: string[]): string {
    const options = { encoding: "utf8", env: { ...process.env, ...env } } as const;
    const result = spawnSync(process.execPath, [CLI, ...args, "--workspace", workspace], options);
    if (result.status !== 0) throw new Error(`eda ${args.join(" ")} ended with ${result.status}: ${result.stderr}`);
    return result.stdout;
  }

  function measure(workspace: string, project: string): Measurement {
    const client = () => cpuSeconds(({ command }) => command.includes(workspace)) + cpuSecondsOfEndedChildren();
    const serving = () => (server === undefined ? 0 : cpuSeconds(({ pid }) => pid === server));
    const [clientBefore, serverBefore] = [client(), serving()];
    const wall = seconds(() => eda(workspace, "run", "ingest", "--project", project));
    const [clientAfter, serverAfter] = [client(), serving()];
    const again = seconds(() => eda(workspace, "run", "ingest", "--project", project));
    const { pid } = JSON.parse(eda(workspace, "host", "status", "--json")) as { readonly pid: number };
    return {
      wall,
      again,
      client: clientAfter - clientBefore,
      peak: residentMegabytes(pid, "VmHWM"),
      ...(server === undefined ? {} : { server: serverAfter - serverBefore }),
    };
  }

  return {
    name: "eda",
    run(folder) {
      turns += 1;
      const project = `bench${turns}`;
      const workspace = join(folder, "eda");
      gitRepository(workspace);
      eda(workspace, "init", "--project", project);
      cpSync(join(folder, "../corpus"), join(workspace, "eda", "raw-data", project), { recursive: true });
      eda(workspace, "host", "start");
      try {
        settleDisk();
        const measurement = measure(workspace, project);
        settle?.(project);
        return measurement;
      } finally {
        eda(workspace, "host", "stop");
        rmSync(workspace, { recursive: true, force: true });
      }
    },
  };
}
