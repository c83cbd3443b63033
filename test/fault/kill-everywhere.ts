/**
 * The host is killed at every labelled point of every stage. After the next start the run ends by itself, and everything is as after a run
 * that nobody disturbed.
 *
 * One workspace holds a project for each label, all alike but for their names, and one that nobody disturbs. A host that is to be killed
 * in one project's run first ends the run in which the host before it was killed: a label costs one start.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STAGES, type StageId } from "../../src/domain/stage.ts";
import type { FAULT_LABELS } from "../../src/host/fault-points.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { describeWithPython } from "../support/python.ts";
import { type ProjectState, readState } from "../support/workspace-state.ts";
import { addProjects, createWorkspace, type TestWorkspace } from "../support/workspace.ts";

export type FaultLabel = (typeof FAULT_LABELS)[number];

interface Kill {
  readonly stage: StageId;
  readonly label: FaultLabel;
  readonly project: string;
}

const UNDISTURBED = "undisturbed";
const SETUP_MS = 300_000;

/** Defines the suite. @param labels those to be walked, in every stage */
export function killEverywhere(name: string, labels: readonly FaultLabel[]): void {
  const projectOf = (label: FaultLabel) => `killed_at_${label.replace(/[^a-z]/gu, "_")}`;
  const kills = STAGES.flatMap(({ id: stage }) => labels.map((label): Kill => ({ stage, label, project: projectOf(label) })));

  describeWithPython(name, () => {
    let workspace: TestWorkspace;
    let host: TestHost;

    beforeAll(async () => {
      workspace = createWorkspace("kill");
      addProjects(workspace, [UNDISTURBED, ...labels.map(projectOf)]);
      host = await openHost(kills[0]);
    }, SETUP_MS);

    afterAll(async () => {
      await host.stop();
      workspace.remove();
    }, SETUP_MS);

    const openHost = (next: Kill | undefined) =>
      openTestHost(
        workspace.folder,
        next === undefined ? {} : { env: { EDA_TEST_KILL_AT: `${next.stage}/${next.label}/${next.project}` } },
      );

    describe.each(STAGES.map(({ id }) => id))("in stage %s", (stage) => {
      let undisturbed: ProjectState;

      beforeAll(async () => {
        const [run] = (await host.startRun(stage, { project: UNDISTURBED })) as [string];
        expect(await host.endOf(run)).toMatchObject({ stage, state: "succeeded" });
        undisturbed = await readState(workspace, UNDISTURBED);
      }, SETUP_MS);

      it.each(kills.filter((kill) => kill.stage === stage))("killed at $label", async (kill) => {
        const [run] = (await host.startRun(stage, { project: kill.project })) as [string];
        const end = await host.endOf(run).then(
          (summary) => summary.state,
          () => "killed",
        );
        expect(end).toBe(reachesLabel(kill) ? "killed" : "succeeded");
        await host.kill();

        host = await openHost(kills[kills.indexOf(kill) + 1]);
        expect(await host.endOf(run)).toMatchObject({ runId: run, stage, state: "succeeded", error: null });
        expect(await readState(workspace, kill.project)).toEqual(undisturbed);
      });

      it("leaves nothing that disagrees", async () => {
        expect((await host.verify()).problems).toEqual([]);
      });
    });
  });
}

/** Capture stores no object: its files are local. Every other label kills in every stage. */
function reachesLabel({ stage, label }: Kill): boolean {
  return !(stage === "capture" && label === "put:done");
}
