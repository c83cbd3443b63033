import { describe, expect, it } from "vitest";
import { jobLimitsSchema } from "../../../../src/domain/job/limits.ts";
import { reasonText } from "../../../../src/domain/job/reasons.ts";
import { reduceJob } from "../../../../src/domain/job/reduce.ts";
import { canCancel, canResume, type JobEvent, type JobStatus, preparedJob, progressOf } from "../../../../src/domain/job/status.ts";
import { at, beatOf, doneOf, FIRST, isoAt, SECOND, T0 } from "../../../support/job-documents.ts";

const LIMITS = jobLimitsSchema.parse({});
type Step = readonly [minute: number, event: JobEvent];

const beat = (attempt: string, minute: number, change = {}): JobEvent => ({ type: "beat", beat: beatOf(attempt, minute, change) });
const done = (attempt: string, minute: number): JobEvent => ({ type: "done", done: doneOf(attempt, minute) });
const tick: JobEvent = { type: "tick" };
const PROBLEM = { code: "result-changed", message: "model.bin has another content.", todo: "Resume the job." };

function jobAfter(steps: readonly Step[], from: JobStatus = preparedJob(T0)): JobStatus {
  return steps.reduce((job, [minute, event]) => reduceJob(job, event, at(minute), LIMITS), from);
}

/** A job whose first attempt beat at minute 10. */
const TRAINING: readonly Step[] = [
  [0, { type: "submitted" }],
  [10, beat(FIRST, 10, { checkpoint: { name: "001", step: 90, score: null } })],
];
const LOST: readonly Step[] = [...TRAINING, [41, tick]];
const RESUMED: readonly Step[] = [...LOST, [42, { type: "resume-asked" }], [45, beat(SECOND, 45)]];

describe("a training job", () => {
  it.each<[name: string, steps: readonly Step[], state: string, code: string]>([
    ["is prepared first", [], "prepared", "prepared"],
    ["waits once its trainer has it", [[0, { type: "submitted" }]], "waiting", "waiting"],
    [
      "waits as long as it must",
      [
        [0, { type: "submitted" }],
        [10_000, tick],
      ],
      "waiting",
      "waiting",
    ],
    ["runs with its first beat", [[1, beat(FIRST, 1, { phase: "starting" })]], "running", "starting"],
    ["runs while it trains", TRAINING, "running", "training"],
    ["still runs just before it is late", [...TRAINING, [14.9, tick]], "running", "training"],
    ["is late after 5 minutes", [...TRAINING, [15, tick]], "late", "late"],
    ["is suspect after 15", [...TRAINING, [25, tick]], "suspect", "suspect"],
    ["is lost after 30", [...TRAINING, [40, tick]], "lost", "lost-with-checkpoint"],
    [
      "is lost without a checkpoint",
      [
        [1, beat(FIRST, 1)],
        [40, tick],
      ],
      "lost",
      "lost-without-checkpoint",
    ],
    ["is lost at once when it was not watched meanwhile", [[60, beat(FIRST, 10)]], "lost", "lost-without-checkpoint"],
    ["comes back with a late beat", [...LOST, [42, beat(FIRST, 41)]], "running", "training"],
    [
      "comes back when the storage got an old beat just now",
      [[60, { type: "beat", beat: beatOf(FIRST, 10), storedAt: at(59) }]],
      "running",
      "training",
    ],
    ["waits for a new attempt once asked to resume", [...LOST, [42, { type: "resume-asked" }], [500, tick]], "resuming", "resume-asked"],
    [
      "comes back with a late beat while it waits to be resumed",
      [...LOST, [42, { type: "resume-asked" }], [44, beat(FIRST, 43)]],
      "running",
      "training",
    ],
    [
      "still waits to be resumed when the attempt before tells late that it has ended",
      [...LOST, [42, { type: "resume-asked" }], [44, beat(FIRST, 43, { phase: "failed" })]],
      "resuming",
      "resume-asked",
    ],
    ["resumes while the new attempt starts", [...LOST, [45, beat(SECOND, 45, { phase: "starting" })]], "resuming", "starting"],
    [
      "resumes while the new attempt restores a checkpoint",
      [...LOST, [45, beat(SECOND, 45, { phase: "starting", resumedFrom: { name: "001", step: 90, score: null } })]],
      "resuming",
      "resuming",
    ],
    ["runs again with the new attempt", RESUMED, "running", "training"],
    ["can be resumed by reopening the notebook, unasked", [...LOST, [45, beat(SECOND, 45)]], "running", "training"],
    ["is finishing while results are written", [[1, beat(FIRST, 1, { phase: "finishing" })]], "finishing", "writing-results"],
    ["is finishing until its results are here", [...TRAINING, [12, done(FIRST, 12)], [600, tick]], "finishing", "collecting"],
    [
      "is lost when DONE.json never comes",
      [
        [1, beat(FIRST, 1, { phase: "finishing" })],
        [31, tick],
      ],
      "lost",
      "done-missing",
    ],
    [
      "finishes when DONE.json comes after all",
      [
        [1, beat(FIRST, 1, { phase: "finishing" })],
        [31, tick],
        [90, done(FIRST, 2)],
      ],
      "finishing",
      "collecting",
    ],
    ["finishes with DONE.json alone", [[3, done(FIRST, 3)]], "finishing", "collecting"],
    [
      "has succeeded once its results are verified",
      [...TRAINING, [12, done(FIRST, 12)], [13, { type: "verified", attempt: FIRST }]],
      "succeeded",
      "succeeded",
    ],
    ["does not succeed without DONE.json", [...TRAINING, [13, { type: "verified", attempt: FIRST }]], "running", "training"],
    ["fails when its attempt does", [[1, beat(FIRST, 1, { phase: "failed" })]], "failed", "attempt-failed"],
    [
      "stays failed",
      [
        [1, beat(FIRST, 1, { phase: "failed" })],
        [100, tick],
      ],
      "failed",
      "attempt-failed",
    ],
    [
      "resumes after a failure",
      [
        [1, beat(FIRST, 1, { phase: "failed" })],
        [2, { type: "resume-asked" }],
      ],
      "resuming",
      "resume-asked",
    ],
    [
      "fails when its results are refused",
      [...TRAINING, [12, done(FIRST, 12)], [13, { type: "refused", attempt: FIRST, problem: PROBLEM }]],
      "failed",
      "result-refused",
    ],
    [
      "fails when its trainer says so",
      [
        [0, { type: "submitted" }],
        [1, { type: "failed", problem: PROBLEM }],
      ],
      "failed",
      "trainer-failed",
    ],
    [
      "fails when its folder is gone while it trains",
      [...TRAINING, [11, { type: "failed", problem: PROBLEM }]],
      "failed",
      "trainer-failed",
    ],
    [
      "comes back when its trainer was wrong",
      [...TRAINING, [11, { type: "failed", problem: PROBLEM }], [12, beat(FIRST, 12)]],
      "running",
      "training",
    ],
    [
      "fails when its folder is gone while results are brought back",
      [...TRAINING, [12, done(FIRST, 12)], [13, { type: "failed", problem: PROBLEM }]],
      "failed",
      "trainer-failed",
    ],
    [
      "is cancelled at once when nothing runs",
      [
        [0, { type: "submitted" }],
        [1, { type: "cancel-asked" }],
      ],
      "cancelled",
      "cancelled",
    ],
    ["is asked to stop while it runs", [...TRAINING, [11, { type: "cancel-asked" }]], "running", "cancelling"],
    [
      "is cancelled once its attempt has stopped",
      [...TRAINING, [11, { type: "cancel-asked" }], [12, beat(FIRST, 12, { phase: "cancelled" })]],
      "cancelled",
      "cancelled",
    ],
    [
      "is cancelled once its trainer has stopped the runtime",
      [...TRAINING, [11, { type: "cancel-asked" }], [11, { type: "failed", problem: PROBLEM }]],
      "cancelled",
      "cancelled",
    ],
    ["is cancelled when its runtime goes silent", [...TRAINING, [11, { type: "cancel-asked" }], [25, tick]], "cancelled", "cancelled"],
    ["is cancelled when lost", [...LOST, [42, { type: "cancel-asked" }]], "cancelled", "cancelled"],
    [
      "is cancelled though results come",
      [...TRAINING, [11, { type: "cancel-asked" }], [12, done(FIRST, 12)]],
      "cancelled",
      "cancelled-though-done",
    ],
    ["is cancelled by hand in its folder", [[1, beat(FIRST, 1, { phase: "cancelled" })]], "cancelled", "cancelled-at-runtime"],
  ])("%s", (_, steps, state, code) => {
    const job = jobAfter(steps);
    expect([job.state, job.reason.code]).toEqual([state, code]);
    expect(reasonText(job.reason).message).not.toMatch(/[{}]/u);
    expect(reasonText(job.reason).todo ?? "").not.toMatch(/[{}]/u);
  });

  it.each(["succeeded", "cancelled"] as const)("that has %s hears nothing any more", (state) => {
    const end: Step = state === "succeeded" ? [13, { type: "verified", attempt: FIRST }] : [11.5, { type: "cancel-asked" }];
    const closed = jobAfter([...TRAINING, ...(state === "succeeded" ? [[12, done(FIRST, 12)] as const] : []), end, [50, tick]]);
    expect(closed.state).toBe(state);
    const late: readonly Step[] = [
      [51, beat(SECOND, 51)],
      [52, done(SECOND, 52)],
      [53, { type: "failed", problem: PROBLEM }],
      [54, { type: "resume-asked" }],
      [55, { type: "cancel-asked" }],
    ];
    expect(jobAfter(late, closed)).toBe(closed);
  });

  it("says since when it is in its state, and keeps that time while it stays", () => {
    const late = jobAfter([...TRAINING, [16, tick]]);
    expect(late.since).toBe(isoAt(16));
    expect(jobAfter([[17, tick]], late).since).toBe(isoAt(16));
    expect(reasonText(late.reason).message).toContain(`No beat since ${isoAt(10)}`);
  });

  it("goes by shorter times when they are set", () => {
    const limits = { lateSeconds: 1, suspectSeconds: 2, lostSeconds: 3 };
    const job = jobAfter(TRAINING);
    const states = [0, 1, 2, 3].map((seconds) => reduceJob(job, tick, at(10) + seconds * 1_000, limits).state);
    expect(states).toEqual(["running", "late", "suspect", "lost"]);
  });

  it("tells what to do when it is lost, with the step a new attempt starts from", () => {
    expect(reasonText(jobAfter(LOST).reason).todo).toBe("Resume the job: a new attempt continues from step 90.");
  });

  it("says when a runtime's clock is ahead, and counts its beats from when they came", () => {
    const ahead = { at: isoAt(190) };
    const job = jobAfter([[10, beat(FIRST, 10, ahead)]]);
    expect(job).toMatchObject({ state: "running", notes: [{ code: "clock-ahead", args: { minutes: 180 } }] });
    expect(jobAfter([[41, tick]], job).state).toBe("lost");
    // Its clock was set right: the newest beat counts, not the one furthest ahead.
    expect(
      jobAfter(
        [
          [41, tick],
          [42, beat(FIRST, 42)],
        ],
        job,
      ),
    ).toMatchObject({ state: "running", notes: [] });
  });

  it("can be resumed and cancelled only where that has an effect", () => {
    expect([preparedJob(T0), jobAfter(TRAINING), jobAfter(LOST)].map(canResume)).toEqual([false, false, true]);
    expect([preparedJob(T0), jobAfter(TRAINING), jobAfter([...TRAINING, [11, { type: "cancel-asked" }]])].map(canCancel)).toEqual([
      true,
      true,
      false,
    ]);
    const running = jobAfter(TRAINING);
    expect(jobAfter([[11, { type: "resume-asked" }]], running)).toEqual(running);
  });

  it("knows how far it is and how long it still takes at the pace of this attempt", () => {
    const job = jobAfter([
      [45, beat(SECOND, 45, { sequence: 1, step: 90, resumedFrom: { name: "001", step: 90, score: null } })],
      [55, beat(SECOND, 55, { sequence: 2, step: 190, resumedFrom: { name: "001", step: 90, score: null } })],
    ]);
    expect(progressOf(job.attempts[0] as never)).toEqual({ step: 190, total: 1_000, secondsLeft: 810 * 6 });
  });
});

describe("two attempts", () => {
  it("are told, and the newer one counts", () => {
    const job = jobAfter([...RESUMED, [46, beat(FIRST, 46)]]);
    expect(job).toMatchObject({
      state: "running",
      reason: { args: { number: 2 } },
      notes: [{ code: "other-attempt-alive", args: { other: 1 } }],
    });
  });

  it("never both publish: the older one's results wait, and are not taken once the newer one has its own", () => {
    const waiting = jobAfter([...RESUMED, [46, done(FIRST, 46)]]);
    expect(waiting).toMatchObject({ state: "running", winner: null });
    const finishing = jobAfter([[50, done(SECOND, 50)]], waiting);
    expect(finishing).toMatchObject({ state: "finishing", winner: SECOND });
    expect(jobAfter([[51, { type: "verified", attempt: FIRST }]], finishing).state).toBe("finishing");
    expect(jobAfter([[51, { type: "verified", attempt: SECOND }]], finishing).state).toBe("succeeded");
  });

  it("that finish in one moment have one winner, in whichever order that is seen", () => {
    const both: readonly Step[] = [
      [50, done(FIRST, 50)],
      [50, done(SECOND, 50)],
    ];
    expect(jobAfter([...RESUMED, ...both]).winner).toBe(SECOND);
    expect(jobAfter([...RESUMED, ...both.toReversed()]).winner).toBe(SECOND);
  });

  it("of the same number: the first id counts", () => {
    const twin = "002-00000000";
    expect(jobAfter([...RESUMED, [46, beat(twin, 46)], [47, done(SECOND, 47)]]).winner).toBeNull();
    expect(jobAfter([...RESUMED, [46, beat(twin, 46)], [47, done(twin, 47)], [47, done(SECOND, 47)]]).winner).toBe(twin);
  });

  it("the older one's results are taken when the newer one is lost, and the newer one cannot take that back", () => {
    const job = jobAfter([...RESUMED, [46, done(FIRST, 46)], [76, tick]]);
    expect(job).toMatchObject({ state: "finishing", winner: FIRST });
    expect(
      jobAfter(
        [
          [77, beat(SECOND, 77)],
          [78, done(SECOND, 78)],
        ],
        job,
      ).winner,
    ).toBe(FIRST);
  });

  it("the older one's results are taken when those of the newer one are refused", () => {
    const job = jobAfter([
      ...RESUMED,
      [46, done(FIRST, 46)],
      [50, done(SECOND, 50)],
      [51, { type: "refused", attempt: SECOND, problem: PROBLEM }],
    ]);
    expect(job).toMatchObject({ state: "finishing", winner: FIRST });
    const none = jobAfter([[52, { type: "refused", attempt: FIRST, problem: PROBLEM }]], job);
    expect(none).toMatchObject({ state: "failed", winner: null, notes: [{ code: "result-refused", args: { number: 1 } }] });
    expect(canResume(none)).toBe(true);
  });
});

describe("beats in any order", () => {
  const beats = [
    ...Array.from({ length: 12 }, (_, index) => beat(FIRST, index + 1)),
    beat(FIRST, 13, { at: isoAt(500) }),
    ...Array.from({ length: 6 }, (_, index) => beat(SECOND, index + 8, { phase: index === 0 ? "starting" : "training" })),
    beat(SECOND, 14, { phase: "finishing" }),
  ];

  it.each(Array.from({ length: 200 }, (_, seed) => seed))("lead to one state, also when some come twice (shuffle %i)", (seed) => {
    const random = generator(seed);
    const twice = beats.filter(() => random() < 0.3);
    const now = 14 + (seed % 40);
    const inOrder = jobAfter(beats.map((event) => [now, event]));
    const shuffled = jobAfter(shuffle([...beats, ...twice], random).map((event) => [now, event]));
    expect(shuffled).toEqual(inOrder);
  });

  it("change nothing when they come again later", () => {
    const job = jobAfter(beats.map((event) => [15, event]));
    expect(
      jobAfter(
        beats.map((event) => [15.5, event]),
        job,
      ),
    ).toEqual(job);
  });
});

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

/** mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c): the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
