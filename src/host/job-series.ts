/** The curves of a job, from the beats in its mirror: read once, sent from where a client was. */
import { randomBytes } from "node:crypto";
import { type Beat, readBeat } from "../domain/job/format.ts";
import { type JobMirror, openJobMirror } from "../pipeline/jobs/mirror.ts";
import type { JobPoints, JobReadings, JobSeries } from "../protocol/jobs.ts";

/** Jobs whose beats stay in memory: those that are looked at. */
const KEPT_JOBS = 20;

interface Loaded {
  readonly mirror: JobMirror;
  readonly names: Set<string>;
  /** In the order in which they were found; within one attempt also that of their sequence. */
  readonly beats: Beat[];
  /** Raised when a beat came that belongs before others. */
  epoch: number;
}

/** @returns the series of a job since a cursor; everything without one, or with one of another life of the host */
export function openJobSeries(workspace: string): (job: string, cursor?: string) => Promise<JobSeries> {
  const life = randomBytes(4).toString("hex");
  const loaded = new Map<string, Loaded>();
  const reading = new Map<string, Promise<void>>();

  function forJob(job: string): Loaded {
    const found = loaded.get(job) ?? { mirror: openJobMirror(workspace, job), names: new Set(), beats: [], epoch: 0 };
    // The one that was asked for last comes last.
    loaded.delete(job);
    loaded.set(job, found);
    for (const name of [...loaded.keys()].slice(0, -KEPT_JOBS)) loaded.delete(name);
    return found;
  }

  return async (job, cursor) => {
    const own = forJob(job);
    const before = reading.get(job) ?? Promise.resolve();
    const load = before.then(() => readNew(own));
    const settled = load.catch(() => undefined);
    reading.set(job, settled);
    await load.finally(() => reading.get(job) === settled && reading.delete(job));
    const prefix = `${life}.${own.epoch}.`;
    const from = cursor?.startsWith(prefix) === true ? Number(cursor.slice(prefix.length)) : 0;
    const isWhole = !Number.isInteger(from) || from <= 0 || from > own.beats.length;
    const beats = own.beats.slice(isWhole ? 0 : from);
    const byAttempt = Map.groupBy(beats, ({ attempt }) => attempt);
    return {
      points: [...byAttempt].map(([attempt, each]) => pointsOf(attempt, each)).filter(({ steps }) => steps.length > 0),
      readings: [...byAttempt].map(([attempt, each]) => readingsOf(attempt, each)),
      cursor: `${prefix}${own.beats.length}`,
      isWhole,
    };
  };
}

async function readNew(loaded: Loaded): Promise<void> {
  const last = new Map<string, number>();
  for (const { attempt, sequence } of loaded.beats) last.set(attempt, sequence);
  let isLate = false;
  for (const name of (await loaded.mirror.names("beats")).filter((each) => !loaded.names.has(each))) {
    const found = readBeat((await loaded.mirror.read(`beats/${name}`)).text);
    loaded.names.add(name);
    if (found.kind !== "whole") continue;
    const { attempt, sequence } = found.document;
    if (sequence < (last.get(attempt) ?? 0)) isLate = true;
    else last.set(attempt, sequence);
    loaded.beats.push(found.document);
  }
  if (!isLate) return;
  loaded.epoch += 1;
  loaded.beats.sort((a, b) => (a.attempt === b.attempt ? a.sequence - b.sequence : a.attempt < b.attempt ? -1 : 1));
}

function pointsOf(attempt: string, beats: readonly Beat[]): JobPoints {
  const points = beats.flatMap((beat) => beat.points);
  const names = new Set(points.flatMap(({ values }) => Object.keys(values)));
  return {
    attempt,
    steps: points.map(({ step }) => step),
    epochs: points.map(({ epoch }) => epoch),
    times: points.map(({ at }) => Date.parse(at)),
    values: Object.fromEntries([...names].map((name) => [name, points.map(({ values }) => values[name] ?? null)])),
  };
}

function readingsOf(attempt: string, beats: readonly Beat[]): JobReadings {
  return {
    attempt,
    times: beats.map(({ at }) => Date.parse(at)),
    utilization: beats.map(({ gpus }) => gpus[0]?.utilization ?? null),
    memoryUsedMiB: beats.map(({ gpus }) => gpus[0]?.memoryUsedMiB ?? null),
    temperatureC: beats.map(({ gpus }) => gpus[0]?.temperatureC ?? null),
    powerW: beats.map(({ gpus }) => gpus[0]?.powerW ?? null),
    residentBytes: beats.map(({ process }) => process?.residentBytes ?? null),
  };
}
