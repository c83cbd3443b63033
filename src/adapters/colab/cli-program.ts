/** Runs Google's `colab` program: arguments as an array, no shell, nothing to read from, and no more of its output kept than a message needs. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { EdaError } from "../../domain/errors.ts";

/** Of each stream, its end. */
const MAX_OUTPUT_BYTES = 256 * 1024;
/** The program saves the notebook when it is interrupted. */
const INTERRUPT_GRACE_MS = 10_000;
/** Longest delay of a timer, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface ColabOutcome {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  /** Empty where it was written to a file together with `stdout`. */
  readonly stderr: string;
  /** We ended it: it was over its time, or not wanted any more. */
  readonly isInterrupted: boolean;
}

export interface ColabRunOptions {
  /** Milliseconds after which it is interrupted. */
  readonly timeoutMs: number;
  /** Interrupts it. */
  readonly signal?: AbortSignal;
  /**
   * For what must come to its end, also when we are killed meanwhile: it gets a process group of its own, and writes to this file, which unlike a
   * pipe does not break.
   */
  readonly outliving?: { readonly logFile: string; readonly onPid: (pid: number) => void };
}

export interface ColabProgram {
  /** @throws EdaError `precondition` `colab-program-missing` */
  run(args: readonly string[], options: ColabRunOptions): Promise<ColabOutcome>;
  /** Starts it and looks no further: for a process that is about to end. */
  leave(args: readonly string[]): void;
}

/** @param env the host's; of it, what is not a secret of eda's own services is given on */
export function colabProgram(env: NodeJS.ProcessEnv): ColabProgram {
  const program = env.EDA_COLAB_PROGRAM === undefined || env.EDA_COLAB_PROGRAM === "" ? "colab" : env.EDA_COLAB_PROGRAM;
  const auth = env.EDA_COLAB_AUTH === undefined || env.EDA_COLAB_AUTH === "" ? [] : [`--auth=${env.EDA_COLAB_AUTH}`];
  const own = programEnvironment(env);
  return {
    async run(args, options) {
      const file = options.outliving === undefined ? undefined : openSync(options.outliving.logFile, "w", 0o600);
      try {
        const child = spawn(program, [...auth, ...args], {
          env: own,
          stdio: ["ignore", file ?? "pipe", file ?? "pipe"],
          detached: file !== undefined,
        });
        if (child.pid !== undefined) options.outliving?.onPid(child.pid);
        const stdout = tailOf(child.stdout);
        const stderr = tailOf(child.stderr);
        const ended = await ending(child, program, options);
        const written = options.outliving === undefined ? stdout() : await tailOfFile(options.outliving.logFile);
        return { ...ended, stdout: written, stderr: stderr() };
      } finally {
        if (file !== undefined) closeSync(file);
      }
    },
    leave(args) {
      const child = spawn(program, [...auth, ...args], { env: own, stdio: "ignore", detached: true });
      child.on("error", () => undefined);
      child.unref();
    },
  };
}

/** What signs in to Google stays: the program needs it. A traceback without the values of variables: tokens are among them. */
function programEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const secret = /^(EDA_|PG|AWS_|MINIO_|MONGO|JUPYTER_|JPY_)|TOKEN|SECRET|PASSW|PRIVATE_KEY|API_?KEY/iu;
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !secret.test(name)));
  return { ...kept, PYTHONUNBUFFERED: "1", NO_COLOR: "1", TERM: "dumb", TYPER_STANDARD_TRACEBACK: "1", _TYPER_STANDARD_TRACEBACK: "1" };
}

function ending(child: ChildProcess, program: string, options: ColabRunOptions): Promise<Pick<ColabOutcome, "code" | "isInterrupted">> {
  return new Promise((resolve, reject) => {
    let isInterrupted = false;
    let kill: NodeJS.Timeout | undefined;
    const interrupt = () => {
      isInterrupted = true;
      child.kill("SIGINT");
      kill ??= setTimeout(() => child.kill("SIGKILL"), INTERRUPT_GRACE_MS);
    };
    const timer = setTimeout(interrupt, Math.min(options.timeoutMs, MAX_TIMER_MS));
    options.signal?.addEventListener("abort", interrupt, { once: true });
    if (options.signal?.aborted === true) interrupt();
    const release = () => {
      clearTimeout(timer);
      clearTimeout(kill);
      options.signal?.removeEventListener("abort", interrupt);
    };
    child.once("error", (error) => {
      release();
      reject(missing(program, error));
    });
    // Not `exit`: what it wrote last is still to come then.
    child.once("close", (code) => {
      release();
      resolve({ code, isInterrupted });
    });
  });
}

function tailOf(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    while (chunks.length > 1 && size - (chunks[0] as Buffer).length >= MAX_OUTPUT_BYTES) size -= (chunks.shift() as Buffer).length;
  });
  return () => Buffer.concat(chunks).subarray(-MAX_OUTPUT_BYTES).toString("utf8");
}

async function tailOfFile(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Math.min(size, MAX_OUTPUT_BYTES);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8");
  } finally {
    await file.close();
  }
}

function missing(program: string, cause: Error): EdaError {
  return new EdaError(
    "precondition",
    "colab-program-missing",
    `Google's colab program cannot be started as "${program}": ${cause.message}`,
    {
      todo:
        "Install it with `uv tool install google-colab-cli` (Python 3.12 or later, on Linux or macOS) for the user that runs the host, set EDA_COLAB_PROGRAM to its " +
        "path, or choose another modeling.trainer in the project file.",
      cause,
    },
  );
}
