/** What the state of a notebook execution says that no file in the job folder does. */
import { EdaError } from "../../domain/errors.ts";
import { oneLine, statusRefusal } from "./cloud-failures.ts";
import { type Execution, executionId } from "./vertex.ts";

/** @param subject what was asked for: `a T4 for job 20261124-…` @returns undefined while it is at work, and when it succeeded */
export function executionTrouble(execution: Execution, subject: string): EdaError | undefined {
  const { jobState, status } = execution;
  const id = executionId(execution);
  const said = oneLine(status?.message ?? "");
  const told = said === "" ? "." : `: ${said}`;
  switch (jobState) {
    case "JOB_STATE_FAILED":
    case "JOB_STATE_PARTIALLY_SUCCEEDED":
      return (
        statusRefusal(status, subject) ??
        new EdaError("terminal", "execution-failed", `The notebook execution ${id} failed${told}`, {
          todo: "Its log is in the Google Cloud console (Colab Enterprise, Executions). Correct the cause, then resume the job or run the stage again.",
        })
      );
    case "JOB_STATE_EXPIRED":
      return new EdaError("terminal", "execution-expired", `The notebook execution ${id} was ended when its time was over${told}`, {
        todo: "Raise modeling.timeoutMinutes in the project file, and resume the job: it goes on from its last checkpoint.",
      });
    case "JOB_STATE_CANCELLED":
      return new EdaError("terminal", "execution-cancelled", `The notebook execution ${id} was cancelled in Google Cloud${told}`, {
        todo: "Resume the job, or run the stage again, if that was not wanted.",
      });
    default:
      return undefined;
  }
}
