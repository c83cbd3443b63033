import { randomUUID } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EdaError } from "../../src/domain/errors.ts";
import { manifestPath } from "../../src/domain/manifest.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import { storeOutput } from "../../src/pipeline/outputs.ts";
import type { StageDefinition } from "../../src/pipeline/stage-definition.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { collect } from "../support/collect.ts";
import { openTestServices, type TestServices } from "../support/services.ts";
import { SMALL_PROJECT, writeFiles } from "../support/small-project.ts";
import { copyWorkspace, createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const FAILED = `docs: falha registrada na etapa ingest do projeto ${SMALL_PROJECT}`;
const CANCELLED = `docs: cancelamento registrado na etapa ingest do projeto ${SMALL_PROJECT}`;
const PLANNED = `docs: plano da etapa ingest do projeto ${SMALL_PROJECT}`;

describe("the life of a run", () => {
  let workspace: TestWorkspace;
  let test: TestServices;

  /** With captured files, and its database stopped. */
  let captured: TestWorkspace;

  beforeAll(async () => {
    captured = createWorkspace("captured");
    const opened = await openTestServices(captured);
    expect(await opened.run(captureStage)).toMatchObject({ state: "succeeded" });
    await opened.close();
  });

  afterAll(() => captured.remove());

  beforeEach(async () => {
    workspace = copyWorkspace(captured, "life");
    test = await openTestServices(workspace);
  });

  afterEach(async () => {
    await test.close();
    workspace.remove();
  });

  const subjects = (count: number) =>
    workspace
      .commits()
      .slice(-count)
      .map((commit) => commit.subject);
  const manifest = (run: string) => manifestPath(SMALL_PROJECT, "ingest", run);

  async function storedVersions(): Promise<number> {
    let count = 0;
    for (const bucket of BUCKETS) for await (const _ of test.services.objects.versions(bucket, "")) count += 1;
    return count;
  }

  it("commits before and after, with the run's id, and leaves the work tree clean", async () => {
    const record = await test.run(ingestStage);
    expect(record.state).toBe("succeeded");
    const [before, after] = workspace.commits().slice(-2);
    expect(before).toMatchObject({ subject: PLANNED, commit: record.commitBefore, trailers: { Execucao: record.run, Momento: "antes" } });
    expect(after).toMatchObject({
      subject: "feat: ingestão raw com controle de unicidade",
      commit: record.commitAfter,
      trailers: {
        Projeto: SMALL_PROJECT,
        Etapa: "ingest",
        Execucao: record.run,
        Momento: "depois",
        Auditoria: expect.stringMatching(/^\d+:[0-9a-f]{64}$/u),
      },
      files: [manifest(record.run)],
    });
    expect(workspace.status()).toEqual([]);
    expect(existsSync(join(workspace.folder, ".eda", "work", record.run))).toBe(false);
  });

  it("makes no commit when nothing changed, and says so", async () => {
    await test.run(ingestStage);
    const commits = workspace.commits().length;
    expect(await test.run(ingestStage)).toMatchObject({ state: "unchanged", commitBefore: null, commitAfter: null });
    expect(workspace.commits()).toHaveLength(commits);
    expect(workspace.status()).toEqual([]);
  });

  it("runs again for a file that changed twice", async () => {
    const states: string[] = [];
    for (const content of ["1\n", "2\n", "3\n"]) {
      writeFiles(workspace.folder, { [`eda/raw-data/${SMALL_PROJECT}/pedidos.csv`]: content });
      states.push((await test.run(ingestStage)).state);
    }
    expect(states).toEqual(["succeeded", "succeeded", "succeeded"]);
  });

  it("runs unchanged inputs when forced, and stores nothing twice", async () => {
    await test.run(ingestStage);
    const stored = await storedVersions();
    expect(await test.run(ingestStage, { force: true })).toMatchObject({ state: "succeeded" });
    expect(await storedVersions()).toBe(stored);
    expect(subjects(2)).toEqual([PLANNED, "feat: ingestão raw com controle de unicidade"]);
  });

  it.each(["plan:start", "plan:done"])("leaves nothing when it is cancelled at %s", async (label) => {
    const commits = workspace.commits().length;
    const record = await cancelledAt(label);
    expect(record).toMatchObject({ state: "cancelled", commitBefore: null, commitAfter: null });
    expect(workspace.commits()).toHaveLength(commits);
    expect(workspace.status()).toEqual([]);
    expect(existsSync(join(workspace.folder, manifest(record.run)))).toBe(false);
  });

  it.each(["commit-before:done", "execute:start", "execute:done", "seal:done", "publish:start"])(
    "is rolled back and recorded when it is cancelled at %s",
    async (label) => {
      const record = await cancelledAt(label);
      expect(record).toMatchObject({ state: "cancelled", error: { kind: "cancelled" } });
      expect(await storedVersions()).toBe(0);
      expect((await test.services.inventory.rows({ inventory: "raw", project: SMALL_PROJECT, limit: 1 })).items).toEqual([]);
      expect(subjects(2)).toEqual([PLANNED, CANCELLED]);
      expect(workspace.status()).toEqual([]);
    },
  );

  it.each(["publish:done", "settle:start", "commit-after:start"])("ends well when cancelling comes as late as %s", async (label) => {
    expect(await cancelledAt(label)).toMatchObject({ state: "succeeded" });
    expect(workspace.status()).toEqual([]);
  });

  it("does not take back a publication whose answer got lost", async () => {
    const { inventory } = test.services;
    const services = {
      ...test.services,
      inventory: {
        ...inventory,
        publish: async (...args: Parameters<typeof inventory.publish>) => {
          await inventory.publish(...args);
          throw new EdaError("unavailable", "database-away", "The connection was reset.");
        },
      },
    };
    const record = await test.run(ingestStage, { services });
    expect(record).toMatchObject({ state: "failed", error: { code: "after-commit-pending" } });
    expect((await inventory.rows({ inventory: "raw", project: SMALL_PROJECT, limit: 10 })).items).not.toEqual([]);
    expect(await storedVersions()).toBeGreaterThan(0);
    expect(workspace.status()).toEqual([]);
  });

  it("records a failure as a docs commit, with nothing published and nothing stored", async () => {
    const record = await test.run(ingestStage, { services: failingStore(new EdaError("terminal", "disk-full", "The disk is full.")) });
    expect(record).toMatchObject({ state: "failed", error: { code: "disk-full" } });
    const after = workspace.commits().at(-1);
    expect(after).toMatchObject({
      subject: FAILED,
      commit: record.commitAfter,
      trailers: { Momento: "depois" },
      files: [manifest(record.run)],
    });
    expect(JSON.parse(workspace.git("show", `HEAD:${manifest(record.run)}`))).toMatchObject({
      state: "failed",
      error: { code: "disk-full" },
    });
    expect(await storedVersions()).toBe(0);
    expect(workspace.status()).toEqual([]);
  });

  it("never commits edits that a person makes meanwhile with its results", async () => {
    const record = await test.run(ingestStage, {
      onStep: (label) => {
        if (label === "execute:done")
          writeFiles(workspace.folder, { "scripts/novo.py": "print(1)\n", "configs/eda.yaml": "engine:\n  threads: 2\n" });
      },
    });
    expect(record.state).toBe("succeeded");
    expect(workspace.commits().at(-1)?.files).toEqual([manifest(record.run)]);
    expect(workspace.status()).toEqual([" M configs/eda.yaml", "?? scripts/novo.py"]);
  });

  it("commits governed edits made before it with its plan, and nothing else of the person's", async () => {
    writeFiles(workspace.folder, { "scripts/novo.py": "print(1)\n", "anotações.txt": "só minhas\n" });
    const record = await test.run(ingestStage);
    expect(workspace.commits().at(-2)?.files).toEqual([manifest(record.run), "scripts/novo.py"].sort());
    expect(workspace.status()).toEqual(["?? anotações.txt"]);
  });

  it("refuses code that changed between planning and the commit, and commits nothing", async () => {
    const file = join(workspace.folder, "configs", "projects", `${SMALL_PROJECT}.yaml`);
    const commits = workspace.commits().length;
    const record = await test.run(ingestStage, {
      onStep: (label) => {
        if (label === "plan:done") writeFileSync(file, "project: lojas\n");
      },
    });
    expect(record).toMatchObject({ state: "failed", error: { code: "code-changed" }, commitBefore: null });
    expect(workspace.commits()).toHaveLength(commits);
    expect(workspace.status()).toEqual([` M configs/projects/${SMALL_PROJECT}.yaml`]);
  });

  it("keeps the results, a clean work tree and a word when the commit after it is refused", async () => {
    const record = await test.run(ingestStage, {
      onStep: (label) => {
        if (label === "commit-after:start")
          writeFileSync(join(workspace.folder, ".git", "hooks", "pre-commit"), "#!/bin/sh\necho no >&2\nexit 1\n", { mode: 0o755 });
      },
    });
    expect(record).toMatchObject({
      state: "failed",
      error: { code: "after-commit-pending", todo: expect.stringContaining("eda recover") },
    });
    expect((await test.services.inventory.rows({ inventory: "raw", project: SMALL_PROJECT, limit: 10 })).items).not.toEqual([]);
    expect(subjects(1)).toEqual([PLANNED]);
    expect(workspace.status()).toEqual([]);
  });

  it("does every step twice without a trace", async () => {
    const record = await test.run(ingestStage, { twice: true });
    expect(record.state).toBe("succeeded");
    expect(subjects(2)).toEqual([PLANNED, "feat: ingestão raw com controle de unicidade"]);
    expect(await storedVersions()).toBe(2);
    expect(await collect(test.services.inventory.audit(), (entry) => entry.event)).toEqual(["run.published", "run.published"]);
  });

  it("removes what an interrupted attempt of a unit stored, when the unit then stores something else", async () => {
    const unstable: StageDefinition = {
      ...ingestStage,
      execute: async (unit, earlier, context) => {
        const result = await ingestStage.execute(unit, earlier, context);
        const file = join(context.workDir, "unstable");
        writeFileSync(file, randomUUID());
        const { object } = await storeOutput(
          { bucket: "outputs", key: `${SMALL_PROJECT}/unstable`, file, role: "output", mediaType: "text/plain" },
          context,
        );
        return { ...result, written: [...result.written, object] };
      },
    };
    expect(await test.run(unstable, { twice: true })).toMatchObject({ state: "succeeded" });
    const versions = await collect(test.services.objects.versions("outputs", ""), (info) => info.versionId);
    expect(versions).toHaveLength(1);
  });

  async function cancelledAt(label: string) {
    const controller = new AbortController();
    return test.run(ingestStage, {
      signal: controller.signal,
      onStep: (reached) => {
        if (reached === label) controller.abort();
      },
    });
  }

  function failingStore(failure: EdaError) {
    const { objects } = test.services;
    let puts = 0;
    const failSecond = async () => {
      puts += 1;
      if (puts === 2) throw failure;
    };
    return {
      ...test.services,
      objects: {
        ...objects,
        put: async (request: Parameters<typeof objects.put>[0]) => {
          await failSecond();
          return objects.put(request);
        },
        prepare: async (request: Parameters<typeof objects.prepare>[0]) => {
          await failSecond();
          return objects.prepare(request);
        },
      },
    };
  }
});
