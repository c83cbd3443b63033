/** The real stores and tools of a workspace, opened in the test's own process, and runs whose every step a test can reach into. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pool } from "pg";
import { openEngine } from "../../src/adapters/duckdb/engine.ts";
import { openRepository } from "../../src/adapters/git/repository.ts";
import { openJupyterTrainer } from "../../src/adapters/jupyter/trainer.ts";
import { openFolderDrive } from "../../src/adapters/local/drive.ts";
import { openFolderStore } from "../../src/adapters/local/object-store.ts";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/embedded.ts";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { openRunLog } from "../../src/adapters/postgres/run-log.ts";
import { newRunId, requestedRecord, type RunRecord } from "../../src/domain/run.ts";
import { settingsSchema } from "../../src/domain/settings.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import { openJobDesk, type OpenJobDesk } from "../../src/pipeline/jobs/desk.ts";
import { runStage } from "../../src/pipeline/run.ts";
import type { Services, StageDefinition } from "../../src/pipeline/stage-definition.ts";
import { ROOT } from "./host.ts";
import { SMALL_PROJECT } from "./small-project.ts";
import type { TestWorkspace } from "./workspace.ts";

export interface TestRunOptions {
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  /** Called before and after each step, as `plan:start` and `plan:done`. */
  readonly onStep?: (label: string) => void | Promise<void>;
  /** Does each step's work twice, as after a kill between its end and its checkpoint. */
  readonly twice?: boolean;
  /** Called with each line of the run's log. */
  readonly onLog?: (message: string) => void;
  /** Other services than the workspace's, to let one of them fail. */
  readonly services?: Services;
}

export interface TestServices {
  readonly services: Services;
  /** Where jobs at work can be asked for a new attempt. */
  readonly desk: OpenJobDesk;
  /** A superuser of the database. */
  readonly pool: Pool;
  /** Runs a stage to its end. */
  run(stage: StageDefinition, options?: TestRunOptions): Promise<RunRecord>;
  close(): Promise<void>;
}

export async function openTestServices({ folder }: TestWorkspace): Promise<TestServices> {
  const stateFolder = join(folder, ".eda");
  const postgres = await startEmbeddedPostgres({ stateFolder, log: () => undefined });
  const pool = openPool(postgres.url);
  const inventory = openInventory(pool, join(ROOT, "sql"));
  await inventory.migrate();
  const settings = settingsSchema.parse({});
  const jupyter = openJupyterTrainer({ stateFolder, env: process.env });
  const desk = openJobDesk(readFileSync(join(ROOT, "notebooks", "eda_job.py"), "utf8"));
  const services: Services = {
    workspace: folder,
    settings,
    objects: openFolderStore(join(stateFolder, "objects")),
    inventory,
    runLog: openRunLog(pool),
    drive: openFolderDrive(folder),
    repository: openRepository({ workspace: folder, maxFileBytes: settings.git.maxFileBytes, pushRemote: settings.git.pushRemote }),
    engine: openEngine({ memoryLimitMiB: 256, threads: 1 }),
    trainer: () => jupyter,
    jobs: desk,
  };
  await services.objects.ensureBuckets(BUCKETS);
  return {
    services,
    desk,
    pool,
    async run(
      stage,
      {
        force = false,
        signal = new AbortController().signal,
        onStep,
        onLog = () => undefined,
        twice = false,
        services: own = services,
      } = {},
    ) {
      const request = { run: newRunId(new Date()), project: SMALL_PROJECT, stage: stage.id, force, actor: "ana" };
      await inventory.recordRequest(requestedRecord(request, new Date().toISOString()));
      await runStage(request, {
        services: own,
        stage,
        checkpoint: async (name, work) => {
          const label = name.split(":", 1)[0];
          await onStep?.(`${label}:start`);
          if (twice) await work();
          const value = await work();
          await onStep?.(`${label}:done`);
          return value;
        },
        observer: { state: () => undefined, progress: () => undefined, log: (_, message) => onLog(message) },
        signal,
        commitLock: (work) => work(),
      });
      return (await inventory.getRun(request.run)) as RunRecord;
    },
    async close() {
      await pool.end();
      await postgres.stop();
    },
  };
}
