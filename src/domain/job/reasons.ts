/**
 * Why a job is in its state, for people. A reason is a code and its arguments, so that a view can say it in its own language: the English
 * templates are the keys of the translation. `{time}` arguments are ISO 8601 in UTC.
 */

interface ReasonText {
  readonly message: string;
  /** What the person can do, as an imperative sentence. */
  readonly todo?: string;
}

export const REASONS = {
  prepared: { message: "The job is prepared and not yet handed to its trainer." },
  waiting: {
    message: "Waiting for a runtime to start the notebook.",
    todo: "On Colab: open the notebook and choose Runtime, Run all.",
  },
  starting: { message: "Attempt {number} checks its data and its accelerator." },
  training: { message: "Attempt {number} is training on {accelerator}." },
  cancelling: { message: "Cancelled; attempt {number} is asked to stop." },
  late: { message: "No beat since {time}. Drive may be slow; a later beat brings the attempt back." },
  suspect: {
    message: "No beat since {time}: the runtime may be gone.",
    todo: "Look at the notebook. If its runtime has ended, resume the job.",
  },
  "lost-with-checkpoint": {
    message: "No beat since {time}: the runtime counts as lost.",
    todo: "Resume the job: a new attempt continues from step {step}.",
  },
  "lost-without-checkpoint": {
    message: "No beat since {time}: the runtime counts as lost.",
    todo: "Resume the job: it left no checkpoint, so a new attempt starts from the beginning.",
  },
  "done-missing": {
    message: "Attempt {number} was finishing at {time}, and its DONE.json never came.",
    todo: "Check that Drive is not full, then resume the job: a new attempt continues from its last checkpoint.",
  },
  "resume-asked": {
    message: "Waiting for a runtime to start attempt {number}.",
    todo: "On Colab: open the notebook and choose Runtime, Run all.",
  },
  resuming: { message: "Attempt {number} starts from step {step}." },
  "writing-results": { message: "Attempt {number} is writing its results." },
  collecting: { message: "Attempt {number} has finished; its results are verified and brought back." },
  succeeded: { message: "Trained by attempt {number} on {accelerator}; results verified." },
  "attempt-failed": { message: "Attempt {number} failed: {problem}", todo: "{todo}" },
  "result-refused": { message: "The results of attempt {number} are refused: {problem}", todo: "{todo}" },
  "trainer-failed": { message: "{problem}", todo: "{todo}" },
  cancelled: { message: "The job was cancelled." },
  "cancelled-at-runtime": { message: "Attempt {number} found CANCEL in the job folder and stopped." },
  "cancelled-though-done": {
    message: "The job was cancelled, though attempt {number} had finished. Nothing of it is registered.",
    todo: "Its results stay in the job folder.",
  },
  "clock-ahead": { message: "The clock of attempt {number} is {minutes} min ahead; its beats count from when they came." },
  "other-attempt-alive": { message: "Attempt {other} still beats; it stops by itself, because attempt {number} took its place." },
} as const satisfies Record<string, ReasonText>;

export type ReasonCode = keyof typeof REASONS;

export interface Reason {
  readonly code: ReasonCode;
  readonly args: Readonly<Record<string, string | number>>;
}

export function reason(code: ReasonCode, args: Reason["args"] = {}): Reason {
  return { code, args };
}

/** The reason in English. */
export function reasonText({ code, args }: Reason): ReasonText {
  const { message, todo }: ReasonText = REASONS[code];
  return { message: fill(message, args), ...(todo === undefined ? {} : { todo: fill(todo, args) }) };
}

function fill(template: string, args: Reason["args"]): string {
  return template.replace(/\{(\w+)\}/gu, (whole, name: string) => String(args[name] ?? whole));
}
