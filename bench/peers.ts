/** What eda is measured against. */
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Contender, gitRepository, type Measurement, seconds, settleDisk } from "./contender.ts";
import { cpuSeconds, cpuSecondsOfEndedChildren } from "./processes.ts";

/** One md5 a file, and a copy into its cache. */
export function dvcAdd(dvc: string): Contender {
  return {
    name: "dvc add",
    run(folder) {
      const workspace = dvcWorkspace(dvc, folder);
      settleDisk();
      const measurement = measured(undefined, () => execFileSync(dvc, ["add", "--quiet", "data"], { cwd: workspace, stdio: "ignore" }));
      rmSync(workspace, { recursive: true, force: true });
      return measurement;
    },
  };
}

/** An object store for a peer to send to. */
export interface PeerStore {
  readonly endpoint: string;
  readonly env: NodeJS.ProcessEnv;
  readonly bucket: string;
  /** Process of the server. */
  readonly server: number;
  /** Removes what a turn left. */
  readonly empty: () => void;
}

export function mcMirror(mc: string, store: PeerStore): Contender {
  return sender("mc mirror", store, (corpus, prefix) => [mc, "--quiet", "mirror", corpus, `bench/${store.bucket}/${prefix}`]);
}

export function s5cmd(program: string, store: PeerStore): Contender {
  return sender("s5cmd cp", store, (corpus, prefix) => {
    return [program, "--endpoint-url", store.endpoint, "--log", "error", "cp", `${corpus}/*`, `s3://${store.bucket}/${prefix}/`];
  });
}

/** Both steps: what is added lies in its cache only. */
export function dvcAddAndPush(dvc: string, store: PeerStore): Contender {
  return {
    name: "dvc add + push",
    run(folder) {
      const workspace = dvcWorkspace(dvc, folder);
      const run = (...args: string[]) => execFileSync(dvc, [...args], { cwd: workspace, stdio: "ignore", env: store.env });
      run("remote", "add", "--default", "store", `s3://${store.bucket}/dvc`);
      run("remote", "modify", "store", "endpointurl", store.endpoint);
      settleDisk();
      const measurement = measured(store.server, () => {
        run("add", "--quiet", "data");
        run("push", "--quiet");
      });
      rmSync(workspace, { recursive: true, force: true });
      store.empty();
      return measurement;
    },
  };
}

function sender(name: string, store: PeerStore, command: (corpus: string, prefix: string) => readonly string[]): Contender {
  return {
    name,
    run(folder) {
      const [program, ...args] = command(join(folder, "../corpus"), "turn") as [string, ...string[]];
      const send = () => execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"], env: store.env });
      settleDisk();
      const measurement = measured(store.server, send);
      const again = seconds(send);
      store.empty();
      return { ...measurement, again };
    },
  };
}

function measured(server: number | undefined, work: () => unknown): Measurement {
  const serving = () => (server === undefined ? 0 : cpuSeconds(({ pid }) => pid === server));
  const [clientBefore, serverBefore] = [cpuSecondsOfEndedChildren(), serving()];
  const wall = seconds(work);
  const client = cpuSecondsOfEndedChildren() - clientBefore;
  return { wall, client, ...(server === undefined ? {} : { server: serving() - serverBefore }) };
}

function dvcWorkspace(dvc: string, folder: string): string {
  const workspace = join(folder, "dvc");
  gitRepository(workspace);
  execFileSync(dvc, ["init", "--quiet"], { cwd: workspace });
  cpSync(join(folder, "../corpus"), join(workspace, "data"), { recursive: true });
  return workspace;
}
