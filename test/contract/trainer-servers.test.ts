/** Jupyter servers around a job: one that outlives a killed host, and one that somebody else runs. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { identify, isAlive, type ProcessIdentity } from "../../src/adapters/jupyter/processes.ts";
import { findPython } from "../../src/adapters/jupyter/python.ts";
import { type LocalServer, startLocalServer, stopLeftoverServers } from "../../src/adapters/jupyter/server.ts";
import { type JupyterTrainerOptions, openJupyterTrainer } from "../../src/adapters/jupyter/trainer.ts";
import { jobFolderIn, runJob } from "../support/jupyter-jobs.ts";
import { WRITE_METRICS } from "../support/notebooks.ts";
import { describeWithPython } from "../support/python.ts";

const TEST_TIMEOUT_MS = 120_000;

describeWithPython("Jupyter servers", (python) => {
  let root: string;
  let folder: string;
  let stateFolder: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "eda-jupyter-"));
    stateFolder = join(root, ".eda");
    folder = jobFolderIn(stateFolder);
    env = { ...process.env, EDA_PYTHON: python };
  });
  afterEach(async () => {
    await stopLeftoverServers(stateFolder, "job-1");
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  });

  const train = (cell: string, options: Partial<JupyterTrainerOptions> = {}) =>
    runJob(openJupyterTrainer({ stateFolder, env, ...options }), stateFolder, [cell]);

  it(
    "left behind by a killed host are ended with their kernels, and only those",
    async () => {
      const cell =
        'import os, time\nopen(job.folder / "pid", "w").write(str(os.getpid()))\nos.rename(job.folder / "pid", job.folder / "kernel")\ntime.sleep(600)';
      const script = join(root, "host.ts");
      const module = (...path: string[]) => JSON.stringify(join(import.meta.dirname, "..", "..", ...path));
      await writeFile(
        script,
        `import { openJupyterTrainer } from ${module("src", "adapters", "jupyter", "trainer.ts")};
import { startJob } from ${module("test", "support", "jupyter-jobs.ts")};
await startJob(openJupyterTrainer({ stateFolder: ${JSON.stringify(stateFolder)}, env: process.env }), [${JSON.stringify(cell)}]);`,
      );
      const host = spawn(process.execPath, [script], { env, stdio: "ignore" });
      while (!existsSync(join(folder, "kernel"))) await delay(100);
      const left = JSON.parse(await readFile(join(stateFolder, "jupyter", "job-1", "processes.json"), "utf8")) as {
        readonly server: ProcessIdentity;
        readonly kernel: ProcessIdentity;
      };
      expect(left.kernel.pid).toBe(Number(await readFile(join(folder, "kernel"), "utf8")));
      // Its host lives: it is none of our business.
      expect(await stopLeftoverServers(stateFolder)).toEqual([]);
      host.kill("SIGKILL");
      while (identify(host.pid as number) !== undefined) await delay(50);
      expect([isAlive(left.server), isAlive(left.kernel)]).toEqual([true, true]);
      expect(await stopLeftoverServers(stateFolder)).toEqual(["job-1"]);
      expect([isAlive(left.server), isAlive(left.kernel)]).toEqual([false, false]);
      expect(await readdir(join(stateFolder, "jupyter"))).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  async function withServer(work: (server: LocalServer) => Promise<void>): Promise<void> {
    const elsewhere = join(root, "elsewhere");
    await mkdir(elsewhere);
    const server = await startLocalServer({
      stateFolder: join(root, "other"),
      job: "shared",
      rootFolder: elsewhere,
      python: await findPython(python, env),
      env,
      signal: new AbortController().signal,
    });
    try {
      await work(server);
    } finally {
      await server.stop();
    }
  }

  it(
    "that somebody else runs are used with their token from a file, and left running",
    async () => {
      await withServer(async (server) => {
        const tokenFile = join(root, "token");
        await writeFile(tokenFile, `${server.token}\n`);
        const options = { url: server.url, env: { ...env, EDA_JUPYTER_TOKEN_FILE: tokenFile } };
        const host = new URL(server.url).host;
        expect(await train(WRITE_METRICS, options)).toMatchObject({
          result: { accelerator: `cpu, jupyter ${host}`, metrics: { auc: 0.5 } },
        });
        const sessions = await fetch(new URL("api/sessions", server.url), { headers: { authorization: `token ${server.token}` } });
        expect(await sessions.json()).toEqual([]);
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "that refuse the token, or are away, are told apart",
    async () => {
      let url = "";
      await withServer(async (server) => {
        url = server.url;
        const wrong = await train(WRITE_METRICS, { url, env: { ...env, EDA_JUPYTER_TOKEN: "errado" } });
        expect(wrong.error).toMatchObject({ kind: "precondition", code: "jupyter-refused" });
      });
      expect((await train(WRITE_METRICS, { url })).error).toMatchObject({ kind: "unavailable", code: "jupyter-away" });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "keep their token and files to the person",
    async () => {
      await withServer(async (server) => {
        const job = join(root, "other", "jupyter", "shared");
        expect((await stat(job)).mode & 0o077).toBe(0);
        expect((await stat(join(job, "config", "jupyter_server_config.json"))).mode & 0o077).toBe(0);
        expect(await readFile(join(job, "server.log"), "utf8")).not.toContain(server.token);
        const { server: process } = JSON.parse(await readFile(join(job, "processes.json"), "utf8")) as { server: ProcessIdentity };
        if (existsSync("/proc")) expect(await readFile(`/proc/${process.pid}/cmdline`, "utf8")).not.toContain(server.token);
        expect((await fetch(new URL("api/contents", server.url))).status).toBe(403);
      });
    },
    TEST_TIMEOUT_MS,
  );

  it("cannot start with a Python that has no Jupyter", async () => {
    const bare = join(root, "python");
    await writeFile(bare, "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'jupyter_server'\" >&2; exit 1\n", { mode: 0o755 });
    expect((await train(WRITE_METRICS, { env: { ...env, EDA_PYTHON: bare } })).error).toMatchObject({
      kind: "precondition",
      code: "jupyter-missing",
      message: expect.stringContaining("No module named 'jupyter_server'"),
    });
  });
});
