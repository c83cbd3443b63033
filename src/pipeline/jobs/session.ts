import type { JobLimits } from "../../domain/job/limits.ts";
import type { JobFolder, JobParcel, JobPlace, JobTrainer } from "../../ports/job-trainer.ts";
import type { StageContext } from "../stage-definition.ts";
import type { JobFollower } from "./follow.ts";
import type { LiveJob } from "./live-job.ts";
import type { JobMirror, KeptInput } from "./mirror.ts";

/** What a run wants trained. */
export interface JobOrder {
  readonly trainer: JobTrainer;
  readonly limits: JobLimits;
  /** Attempts that are made without being asked, where the trainer starts them. */
  readonly attempts: number;
  readonly inputs: readonly KeptInput[];
  /** Asked for when the job is not prepared yet. */
  readonly parcel: (createdAt: string) => Promise<JobParcel>;
}

/** A prepared job and the run that follows it. */
export interface JobSession {
  readonly order: JobOrder;
  readonly context: StageContext;
  readonly job: LiveJob;
  readonly mirror: JobMirror;
  readonly place: JobPlace;
  readonly folder: JobFolder;
  readonly follower: JobFollower;
}
