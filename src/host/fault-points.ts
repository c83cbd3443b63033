/**
 * Labelled points at which the fault tests kill the host: `EDA_TEST_KILL_AT=<stage>/<label>/<project>`. Without the variable nothing is
 * wrapped. Labels: `<step>:start` and `<step>:done` (done, but not yet checkpointed) of every checkpoint; `put:done` after an object is
 * stored; `git-before:start` and `git-after:start` when a manifest is written but not committed, `…:done` when it is committed.
 */
import type { RunRequest } from "../domain/run.ts";
import type { Checkpoint } from "../pipeline/checkpoint.ts";
import type { Services } from "../pipeline/stage-definition.ts";

export interface FaultPoints {
  wrapCheckpoint(checkpoint: Checkpoint): Checkpoint;
  wrapServices(services: Services): Services;
}

/** @returns undefined unless the environment asks for a kill in this stage of this project */
export function faultPointsFor({ stage, project }: RunRequest, env: NodeJS.ProcessEnv): FaultPoints | undefined {
  const [wantedStage, wanted, wantedProject] = (env.EDA_TEST_KILL_AT ?? "").split("/");
  if (wantedStage !== stage || wantedProject !== project) return undefined;
  const reach = (label: string) => {
    if (label === wanted) process.kill(process.pid, "SIGKILL");
  };
  return {
    wrapCheckpoint: (checkpoint) => (name, work) =>
      checkpoint(name, async () => {
        reach(`${kindOf(name)}:start`);
        const result = await work();
        reach(`${kindOf(name)}:done`);
        return result;
      }),
    wrapServices: (services) => ({
      ...services,
      objects: {
        ...services.objects,
        put: async (request) => {
          const info = await services.objects.put(request);
          reach("put:done");
          return info;
        },
        prepare: async (request) => {
          const prepared = await services.objects.prepare(request);
          const commit = async () => {
            const info = await prepared.commit();
            reach("put:done");
            return info;
          };
          return { ...prepared, commit };
        },
      },
      repository: {
        ...services.repository,
        commit: async (paths, message) => {
          const moment = message.includes("\nMomento: antes") ? "before" : "after";
          reach(`git-${moment}:start`);
          const commit = await services.repository.commit(paths, message);
          reach(`git-${moment}:done`);
          return commit;
        },
      },
    }),
  };
}

/** Units share one label: `execute:files-0` is `execute`. */
function kindOf(step: string): string {
  return step.split(":", 1)[0] as string;
}

/** Every label, for the test that walks them. `put` and `settle` do nothing in some stages. */
export const FAULT_LABELS = [
  ...["plan", "commit-before", "execute", "seal", "publish", "settle", "commit-after", "finish"].flatMap((step) => [
    `${step}:start`,
    `${step}:done`,
  ]),
  "put:done",
  "git-before:start",
  "git-before:done",
  "git-after:start",
  "git-after:done",
] as const;
