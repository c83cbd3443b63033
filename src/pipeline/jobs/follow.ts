/** Following a job: what is new in its folder becomes events, once, and lies in the mirror from then on. */
import { text } from "node:stream/consumers";
import pLimit from "p-limit";
import { toEdaError } from "../../domain/errors.ts";
import { type Beat, isDoneName, readBeat, readDone } from "../../domain/job/format.ts";
import type { JobEvent } from "../../domain/job/status.ts";
import { sha256Hex } from "../../domain/json.ts";
import type { JobFolder, JobFolderFile } from "../../ports/job-trainer.ts";
import type { JobMirror } from "./mirror.ts";

const BEAT = /^beats\/\d{3}-[0-9a-f]{8}-\d{6,9}\.json$/u;
/** A beat holds 2,000 points at most; nothing larger is one. */
const MAX_BYTES = 32 * 1024 * 1024;
const CONCURRENT_READS = 8;

export interface JobNews {
  /** Beats in the order of their names, then what finished. */
  readonly events: readonly JobEvent[];
  /** Output of the runtime that came, in order. */
  readonly logs: readonly string[];
  /** Everything in the folder. */
  readonly files: readonly JobFolderFile[];
  /** Files that are whole and no part of the format, and others that could not be read this time. */
  readonly problems: readonly string[];
}

export interface JobFollower {
  /** What the mirror holds already, for a host that starts. */
  restore(): Promise<readonly JobEvent[]>;
  /** @throws EdaError of the folder's `list` */
  look(signal: AbortSignal): Promise<JobNews>;
}

export function followJob(job: string, folder: JobFolder, mirror: JobMirror): JobFollower {
  /** Settled one way or the other: path, and version for what may come twice under one name. */
  const settled = new Set<string>();
  /** Version of what was not whole when it was read. */
  const partial = new Map<string, string>();
  /** Logs that beats told of and that have not come. */
  const awaited = new Map<string, NonNullable<Beat["log"]>>();

  const expectLog = ({ log }: Beat) => {
    if (log !== null && /^logs\/[\w-]+\.log$/u.test(log.path)) awaited.set(log.path, log);
  };

  async function beat(file: JobFolderFile, content: string): Promise<JobEvent | undefined> {
    const reading = readBeat(content);
    if (reading.kind === "partial") return void partial.set(file.path, file.version);
    settled.add(file.path);
    if (reading.kind === "invalid") throw new Error(reading.problem);
    if (reading.document.job !== job) throw new Error(`it is of job ${reading.document.job}`);
    // Where the storage has no clock, the time in the beat stands in for it, unless it is ahead of ours.
    const storedAt = file.storedAt ?? Math.min(Date.parse(reading.document.at), Date.now());
    await mirror.write(file.path, content, storedAt);
    expectLog(reading.document);
    return { type: "beat", beat: reading.document, ...(file.storedAt === null ? {} : { storedAt: file.storedAt }) };
  }

  async function done(file: JobFolderFile, content: string): Promise<JobEvent | undefined> {
    const key = `${file.path}@${file.version}`;
    const reading = readDone(content);
    if (reading.kind === "partial") return void partial.set(file.path, file.version);
    settled.add(key);
    if (reading.kind === "invalid") throw new Error(reading.problem);
    if (reading.document.job !== job) throw new Error(`it is of job ${reading.document.job}`);
    await mirror.write(`done/${reading.document.attempt}.json`, content, file.storedAt);
    return { type: "done", done: reading.document, ...(file.storedAt === null ? {} : { storedAt: file.storedAt }) };
  }

  const isFresh = (file: JobFolderFile) => {
    if (partial.get(file.path) === file.version || (file.size ?? 0) > MAX_BYTES) return false;
    if (BEAT.test(file.path)) return !settled.has(file.path);
    return isDoneName(file.path) && !settled.has(`${file.path}@${file.version}`);
  };

  return {
    async restore() {
      const logs = new Set(await mirror.names("logs"));
      const events: JobEvent[] = [];
      for (const name of await mirror.names("beats")) {
        const { path, text: content, storedAt } = await mirror.read(`beats/${name}`);
        const reading = readBeat(content);
        if (reading.kind !== "whole") continue;
        settled.add(path);
        if (!logs.has(name.replace(/\.json$/u, ".log"))) expectLog(reading.document);
        events.push({ type: "beat", beat: reading.document, storedAt });
      }
      return events;
    },
    async look(signal) {
      const files = await folder.list(signal);
      const problems: string[] = [];
      const limit = pLimit(CONCURRENT_READS);
      /** One that cannot be read now may be readable next time; the others count. */
      const each = <T>(file: JobFolderFile, use: (file: JobFolderFile, content: string) => Promise<T>) =>
        limit(async () => {
          try {
            return await use(file, await text(await folder.read(file, signal)));
          } catch (error) {
            if (toEdaError(error).kind !== "transient") problems.push(`${file.path}: ${toEdaError(error).message}`);
            return undefined;
          }
        });
      const fresh = files.filter(isFresh).sort((a, b) => (a.path < b.path ? -1 : 1));
      const told = await Promise.all(fresh.map((file) => each(file, BEAT.test(file.path) ? beat : done)));
      const logs = files
        .filter(({ path, size, version }) => {
          const expected = awaited.get(path);
          return expected !== undefined && (size === null || size === expected.size) && partial.get(path) !== version;
        })
        .sort((a, b) => (a.path < b.path ? -1 : 1));
      const read = await Promise.all(
        logs.map((file) =>
          each(file, async (_, content) => {
            if (sha256Hex(content) !== awaited.get(file.path)?.sha256) return void partial.set(file.path, file.version);
            await mirror.write(file.path, content, file.storedAt);
            awaited.delete(file.path);
            return content;
          }),
        ),
      );
      const events = told.filter((event) => event !== undefined);
      return {
        events: [...events.filter(({ type }) => type === "beat"), ...events.filter(({ type }) => type !== "beat")],
        logs: read.filter((content) => content !== undefined),
        files,
        problems,
      };
    },
  };
}
