/**
 * The job folder here and its likeness on a runtime. There is no mount between them: what an attempt begins with is sent, and what it leaves is
 * fetched, file by file, as it comes. Nothing is fetched but what the format knows, and nothing stands here before it is whole.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import pLimit from "p-limit";
import { EdaError } from "../../domain/errors.ts";
import { type Beat, checkpointSchema, isDoneName, JOB_FILES, readBeat, readDone } from "../../domain/job/format.ts";
import { openSealed } from "../../domain/job/seal.ts";
import type { ColabRuntime } from "./cli-runtime.ts";

const BEAT = /^(\d{3}-[0-9a-f]{8})-\d{6,9}\.json$/u;
const LOG = /^logs\/[\w-]+\.log$/u;
const CHECKPOINT = /^\d{3}-[0-9a-f]{8}-\d+[\w-]*$/u;
const MANIFEST = "manifest.json";
/** Below the folder in which the program runs notebooks: `/content`. */
const REMOTE_ROOT = "content/eda";
const TRANSFER_TRIES = 2;
/** Each is a program that starts, which takes longer than what it brings. */
const CONCURRENT_DOWNLOADS = 4;

interface Described {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface CliFolder {
  /** Of a file in the runtime's folder, as the program takes it. */
  remote(path: string): string;
  /** Everything that an attempt needs: `job.json` last, of earlier attempts their checkpoints and last beats. */
  send(runtime: ColabRuntime, signal: AbortSignal): Promise<void>;
  /**
   * Fetches what is new. Asked for again after a failure, it goes on.
   * @returns the newest beat that came, or undefined when none did
   */
  fetch(runtime: ColabRuntime, signal: AbortSignal): Promise<Beat | undefined>;
  isDone(): Promise<boolean>;
}

/** @param folder the job folder @param scratch on the same disk */
export function cliFolder(job: string, folder: string, scratch: string): CliFolder {
  const remote = (path: string) => posix.join(REMOTE_ROOT, job, path);
  const local = (path: string) => join(folder, ...path.split("/"));
  const isHere = (path: string) =>
    stat(local(path)).then(
      () => true,
      () => false,
    );

  /** Downloads beside the folder. @returns the file, to be moved or removed */
  async function take(runtime: ColabRuntime, path: string, signal: AbortSignal): Promise<string> {
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const file = join(scratch, `arriving-${randomUUID()}`);
    try {
      await runtime.download(remote(path), file, signal);
      return file;
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }

  async function put(file: string, path: string): Promise<void> {
    await mkdir(dirname(local(path)), { recursive: true });
    await rename(file, local(path));
  }

  /** A file whose content is known. @throws EdaError `transient` `transfer-damaged` */
  async function fetchDescribed(runtime: ColabRuntime, file: Described, target: string, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const arrived = await take(runtime, file.path, signal);
      if ((await sha256Of(arrived)) === file.sha256) return put(arrived, target);
      await rm(arrived, { force: true });
      if (tries === TRANSFER_TRIES) throw damaged(file.path);
    }
  }

  async function fetchBeat(runtime: ColabRuntime, name: string, signal: AbortSignal): Promise<Beat | undefined> {
    const path = `${JOB_FILES.beats}/${name}`;
    const arrived = await take(runtime, path, signal);
    const reading = readBeat(await readFile(arrived, "utf8"));
    // Still being written: it comes with the next look. One that is no beat is for the follower to say.
    if (reading.kind === "partial") return void (await rm(arrived, { force: true }));
    const log = reading.kind === "whole" ? reading.document.log : null;
    if (log !== null && LOG.test(log.path) && !(await isHere(log.path))) {
      // A log is not worth a beat.
      await fetchDescribed(runtime, log, log.path, signal).catch(() => signal.throwIfAborted());
    }
    await put(arrived, path);
    return reading.kind === "whole" ? reading.document : undefined;
  }

  /** What is there now: those that the runtime gave up go here as well. */
  async function fetchCheckpoints(runtime: ColabRuntime, signal: AbortSignal): Promise<void> {
    const there = (await runtime.names(remote(JOB_FILES.checkpoints), signal))
      .map((name) => name.replace(/\/$/u, ""))
      .filter((name) => CHECKPOINT.test(name));
    const here = await readdir(local(JOB_FILES.checkpoints)).catch((): string[] => []);
    const missing = there.filter((name) => !here.includes(name));
    // The newest first: it is the one that is missed most.
    for (const name of missing.sort().reverse()) await fetchCheckpoint(runtime, name, signal);
    const now = await readdir(local(JOB_FILES.checkpoints)).catch((): string[] => []);
    // Only once there is something better than what goes.
    if (there.length === 0 || there.some((name) => !now.includes(name))) return;
    const given = now.filter((name) => !there.includes(name));
    await Promise.all(given.map((name) => rm(local(`${JOB_FILES.checkpoints}/${name}`), { recursive: true, force: true })));
  }

  /** One that is still being written, or was given up meanwhile, is left. */
  async function fetchCheckpoint(runtime: ColabRuntime, name: string, signal: AbortSignal): Promise<void> {
    const path = `${JOB_FILES.checkpoints}/${name}`;
    const arriving = join(scratch, `arriving-${randomUUID()}`);
    try {
      const manifest = await take(runtime, `${path}/${MANIFEST}`, signal);
      await mkdir(arriving, { recursive: true });
      await rename(manifest, join(arriving, MANIFEST));
      const read = checkpointSchema.safeParse(openSealed(await readFile(join(arriving, MANIFEST), "utf8")));
      for (const file of read.data?.files ?? []) {
        const arrived = await take(runtime, `${path}/${file.path}`, signal);
        await mkdir(dirname(join(arriving, file.path)), { recursive: true });
        await rename(arrived, join(arriving, file.path));
        if ((await sha256Of(join(arriving, file.path))) !== file.sha256) return;
      }
      if (!read.success) return;
      await mkdir(local(JOB_FILES.checkpoints), { recursive: true });
      await rename(arriving, local(path));
    } catch {
      signal.throwIfAborted();
    } finally {
      await rm(arriving, { recursive: true, force: true });
    }
  }

  /** Results before what names them: who finds `DONE.json` here finds them all. */
  async function fetchDone(runtime: ColabRuntime, name: string, signal: AbortSignal): Promise<void> {
    const arrived = await take(runtime, name, signal);
    const reading = readDone(await readFile(arrived, "utf8"));
    if (reading.kind === "partial") return rm(arrived, { force: true });
    if (reading.kind === "whole") {
      const { attempt, artefacts } = reading.document;
      for (const artefact of artefacts) {
        if (!artefact.path.startsWith(`${JOB_FILES.results}/${attempt}/`)) continue;
        if (!(await isHere(artefact.path))) await fetchDescribed(runtime, artefact, artefact.path, signal);
      }
    }
    await put(arrived, name);
  }

  return {
    remote,
    async send(runtime, signal) {
      const files = await filesToSend(folder);
      const folders = new Set(files.map(({ path }) => posix.dirname(path)));
      for (const name of [JOB_FILES.beats, JOB_FILES.logs, JOB_FILES.checkpoints, JOB_FILES.results]) folders.add(name);
      await mkdir(scratch, { recursive: true, mode: 0o700 });
      const script = join(scratch, "begin.py");
      const said = `eda ${randomUUID()}`;
      await writeFile(script, beginScript(job, [...folders], said), { mode: 0o600 });
      await runtime.python(script, said, signal);
      for (const { path, size } of files) await runtime.upload(local(path), remote(path), size, signal);
    },
    async fetch(runtime, signal) {
      const top = await runtime.names(remote(""), signal);
      const here = new Set(await readdir(local(JOB_FILES.beats)).catch((): string[] => []));
      const beats = (await runtime.names(remote(JOB_FILES.beats), signal)).filter((name) => BEAT.test(name) && !here.has(name));
      const limit = pLimit(CONCURRENT_DOWNLOADS);
      const came = await Promise.all(beats.sort().map((name) => limit(() => fetchBeat(runtime, name, signal))));
      const newest = came.findLast((beat) => beat !== undefined);
      const checkpoint = newest?.checkpoint?.name;
      if (checkpoint !== undefined && CHECKPOINT.test(checkpoint) && !(await isHere(`${JOB_FILES.checkpoints}/${checkpoint}`))) {
        await fetchCheckpoints(runtime, signal);
      }
      for (const name of top.filter(isDoneName)) if (!(await isHere(name))) await fetchDone(runtime, name, signal);
      return newest;
    },
    isDone: async () => (await readdir(folder).catch(() => [])).some(isDoneName),
  };
}

/** The notebook is not among them: it is executed from here. */
async function filesToSend(folder: string): Promise<{ readonly path: string; readonly size: number }[]> {
  const below = async (name: string) => {
    const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        posix.join(
          ...join(entry.parentPath, entry.name)
            .slice(folder.length + 1)
            .split(/[\\/]/u),
        ),
      );
  };
  const beats = (await below(JOB_FILES.beats)).sort();
  /** The last of each attempt: they say that it was. */
  const lastBeats = new Map(beats.map((path) => [BEAT.exec(posix.basename(path))?.[1] ?? path, path]));
  const paths = [
    ...(await below(JOB_FILES.data)),
    ...(await below(JOB_FILES.checkpoints)),
    ...lastBeats.values(),
    JOB_FILES.helper,
    JOB_FILES.job,
  ];
  return Promise.all(paths.map(async (path) => ({ path, size: (await stat(join(folder, ...path.split("/")))).size })));
}

/** The program has gone to `/content` before. What the kernel is told stays with it for the notebook. */
function beginScript(job: string, folders: readonly string[], said: string): string {
  return `import os
root = os.path.join(os.getcwd(), "eda", ${JSON.stringify(job)})
for name in ${JSON.stringify(folders)}:
    os.makedirs(os.path.join(root, name), exist_ok=True)
os.environ["EDA_JOB_FOLDER"] = root
print(${JSON.stringify(said)})
`;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function damaged(path: string): EdaError {
  // The program asks the runtime for a file as a notebook server shows it: notebooks as their cells, hidden files not at all.
  const isNotebook = path.endsWith(".ipynb");
  return new EdaError("transient", "transfer-damaged", `${path} did not arrive as it was written.`, {
    todo: isNotebook ? "The colab program cannot bring notebooks back: save this result under another ending." : "Run the stage again.",
  });
}
