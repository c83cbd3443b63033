/**
 * One Colab runtime, made and released by the `colab` program. It costs compute units from its creation until it is released, so a record on
 * disk says that there is one before it is asked for, and goes when it is released for sure: a later life finds it there.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { colabFailure, executionFailure } from "./cli-failure.ts";
import type { ColabOutcome, ColabProgram } from "./cli-program.ts";

const MINUTE_MS = 60_000;
/** The program itself sets no end to it. */
const CREATION_MS = 10 * MINUTE_MS;
const COMMAND_MS = 2 * MINUTE_MS;
/** Slowest transfer that is waited for, bytes a millisecond. */
const SLOW_BYTES_PER_MS = 100;
const STOP_TRIES = 3;
const STOP_PAUSE_MS = 2_000;
/** A word to the notebook may not hold up the release. */
const CANCEL_MS = 15_000;

const recordSchema = z.object({ session: z.string(), creator: z.number().nullable() });

export interface ColabRuntime {
  readonly session: string;
  /** Names in a folder of the runtime, those of folders with `/`. What else the program says is among them: go by patterns. */
  names(path: string, signal: AbortSignal): Promise<readonly string[]>;
  upload(local: string, remote: string, size: number, signal: AbortSignal): Promise<void>;
  /** @throws EdaError when it is not there, or not any more */
  download(remote: string, local: string, signal: AbortSignal): Promise<void>;
  /** Runs Python of ours. @throws EdaError unless it printed `said` */
  python(file: string, said: string, signal: AbortSignal): Promise<void>;
  /**
   * Runs the cells of a notebook, the next also after one that raised, and writes them with their outputs beside it, as `…_output.ipynb`.
   * @param timeoutSeconds for a cell; the program's own is 30
   * @returns whether it came to the end; false when the signal interrupted it
   * @throws EdaError of the program; what cells raise is in the outputs alone
   */
  execute(notebook: string, timeoutSeconds: number, signal: AbortSignal): Promise<boolean>;
}

/** The runtimes of one job: one at a time. @param folder takes the record; made when missing */
export function colabRuntimes(program: ColabProgram, job: string, folder: string) {
  const recordFile = join(folder, "runtime.json");

  async function recorded() {
    const text = await readFile(recordFile, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      return recordSchema.safeParse(JSON.parse(text)).data;
    } catch {
      return undefined;
    }
  }
  const record = (session: string, creator: number | null) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(recordFile, JSON.stringify({ session, creator }), { mode: 0o600 });
  };

  async function isReleased(session: string): Promise<boolean> {
    const stopped = await program.run(["stop", "-s", session], { timeoutMs: COMMAND_MS });
    if (stopped.code === 0) return true;
    // Colab may have taken it away: then the program forgets it when it is asked.
    const status = await program.run(["status", "-s", session], { timeoutMs: COMMAND_MS });
    return status.code === 0 && status.stdout.includes(`Session '${session}' not found.`);
  }

  return {
    /**
     * Once asked for, a runtime is waited for: a program that is killed now would leave one behind that nobody knows. Release it in any case.
     * @param accelerator as the program names it; undefined for a runtime without one
     */
    async create(accelerator: string | undefined): Promise<ColabRuntime> {
      // Never the name of an earlier one: whatever is left of that one must not meet this.
      const session = `eda-${job}-${randomBytes(3).toString("hex")}`;
      record(session, null);
      const gpu = accelerator === undefined ? [] : ["--gpu", accelerator];
      const outcome = await program.run(["new", "-s", session, ...gpu], {
        timeoutMs: CREATION_MS,
        outliving: { logFile: join(folder, "new.log"), onPid: (pid) => record(session, pid) },
      });
      if (outcome.code !== 0) throw colabFailure("new", outcome);
      record(session, null);
      return openRuntime(program, session);
    },

    /** The one that an earlier life left behind, or undefined. */
    async leftBehind(): Promise<ColabRuntime | undefined> {
      const known = await recorded();
      if (known === undefined) return undefined;
      // It is still being made by the program that the earlier life had started.
      const deadline = Date.now() + CREATION_MS;
      while (known.creator !== null && isProcess(known.creator) && Date.now() < deadline) await delay(200);
      return openRuntime(program, known.session);
    },

    /**
     * Releases what there is. Done twice it changes nothing.
     * @throws EdaError `unavailable` `runtime-not-released`
     */
    async release(): Promise<void> {
      const known = await recorded();
      if (known === undefined) return;
      for (let tries = 1; !(await isReleased(known.session)); tries += 1) {
        if (tries === STOP_TRIES) throw notReleased(known.session);
        await delay(STOP_PAUSE_MS);
      }
      await rm(recordFile, { force: true });
    },

    /** Lets the notebook of a runtime know, as far as it can be told. @param file stands for CANCEL */
    async tellCancelled(session: string, remote: string): Promise<void> {
      const file = join(folder, "cancel");
      await writeFile(file, "");
      await program.run(["upload", "-s", session, file, remote], { timeoutMs: CANCEL_MS }).catch(() => undefined);
    },
  };
}

function openRuntime(program: ColabProgram, session: string): ColabRuntime {
  const run = async (command: string, args: readonly string[], signal: AbortSignal, timeoutMs = COMMAND_MS): Promise<ColabOutcome> => {
    const outcome = await program.run([command, "-s", session, ...args], { timeoutMs, signal });
    signal.throwIfAborted();
    if (outcome.code !== 0) throw colabFailure(command, outcome);
    return outcome;
  };
  return {
    session,
    async names(path, signal) {
      const { stdout } = await run("ls", [path], signal);
      return stdout.split("\n").filter((line) => line !== "");
    },
    async upload(local, remote, size, signal) {
      await run("upload", [local, remote], signal, COMMAND_MS + size / SLOW_BYTES_PER_MS);
    },
    async download(remote, local, signal) {
      // Its size is not known before.
      await run("download", [remote, local], signal, 30 * MINUTE_MS);
    },
    async python(file, said, signal) {
      const outcome = await run("exec", ["-f", file, "--timeout", "120"], signal, 3 * COMMAND_MS);
      // It answers 0 also when the code raised.
      if (!outcome.stdout.includes(said)) throw colabFailure("exec", { ...outcome, stdout: "" });
    },
    async execute(notebook, timeoutSeconds, signal) {
      const outcome = await program.run(["exec", "-s", session, "-f", notebook, "--timeout", String(timeoutSeconds)], {
        timeoutMs: Number.POSITIVE_INFINITY,
        signal,
      });
      if (outcome.isInterrupted) return false;
      if (outcome.code !== 0) throw executionFailure(session, timeoutSeconds, outcome);
      return true;
    },
  };
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function notReleased(session: string): EdaError {
  return new EdaError(
    "unavailable",
    "runtime-not-released",
    `The Colab runtime ${session} could not be released, and goes on costing compute units.`,
    {
      todo: `Run \`colab stop -s ${session}\`, or end it at colab.research.google.com under Runtime, Manage sessions.`,
    },
  );
}
