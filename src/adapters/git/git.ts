/** Running git: the same environment, output and errors whatever the person, a hook or an editor has configured around us. */
import { type SimpleGit, simpleGit } from "simple-git";
import { EdaError } from "../../domain/errors.ts";
import { gitError } from "./failures.ts";
import { outputText } from "./output-text.ts";

/**
 * What git may see of the `GIT_*` around us: who commits, where the configuration lies, how to reach a remote. The rest, as a hook
 * or an editor sets it (GIT_DIR, GIT_INDEX_FILE …), would point git elsewhere.
 */
const KEPT_VARIABLES = [
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_CEILING_DIRECTORIES",
  "GIT_SSH",
  "GIT_SSH_COMMAND",
  "GIT_SSH_VARIANT",
  "GIT_SSL_CAINFO",
] as const;

/** What we set ourselves. */
const OWN_VARIABLES = ["GIT_ASKPASS", "GIT_INDEX_FILE", "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT"] as const;

/** Programs git would start to ask or show something; nobody is there to answer. */
const INTERACTIVE_VARIABLES = new Set(["EDITOR", "PAGER", "PREFIX", "SSH_ASKPASS", "VISUAL"]);

/** Configuration of the person that would change what we read back. */
const FIXED_CONFIGURATION = [
  "core.fsmonitor=false",
  "core.quotePath=false",
  "i18n.commitEncoding=UTF-8",
  "i18n.logOutputEncoding=UTF-8",
  "user.useConfigOnly=true",
];

/** Silence of a local command after which it is given up, in milliseconds. */
const LOCAL_SILENCE_MS = 120_000;

export interface GitOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds without output after which the command is ended. */
  readonly silenceMs?: number;
  /** Milliseconds after which the command is ended, whatever it says. */
  readonly limitMs?: number;
  /**
   * For commands that start programs of the person, such as hooks: they see the person's own language, and what they leave running in
   * the background is not waited for.
   */
  readonly runsHooks?: boolean;
}

export interface GitResult {
  readonly exitCode: number;
  readonly stdout: string;
  /** What git and its hooks said, without credentials and control characters. */
  readonly output: string;
}

export interface Git {
  /** The environment git runs in. */
  readonly env: Readonly<Record<string, string>>;
  /** Whatever its exit code. @throws EdaError when git cannot be started or was given up */
  run(args: readonly string[], options?: GitOptions): Promise<GitResult>;
  /** Its standard output. @throws EdaError when it fails */
  text(args: readonly string[], options?: GitOptions): Promise<string>;
  /** Standard output of `git cat-file`, byte for byte. @throws EdaError when it fails */
  catFile(args: readonly string[], options?: GitOptions): Promise<Buffer>;
}

export function openGit(workspace: string, surroundings: NodeJS.ProcessEnv): Git {
  const env = gitEnvironment(surroundings);

  async function execute<Output>(
    args: readonly string[],
    options: GitOptions,
    task: (git: SimpleGit) => Promise<Output>,
  ): Promise<{ exitCode: number; stdout: Output; output: string }> {
    let exitCode = 0;
    let output = "";
    try {
      const git = simpleGit({
        baseDir: workspace,
        config: FIXED_CONFIGURATION,
        allowEnvironment: [...KEPT_VARIABLES, ...OWN_VARIABLES],
        unsafe: {
          allowAbbreviatedOptions: true,
          allowUnsafeAskPass: true,
          allowUnsafeConfigPaths: true,
          allowUnsafeFsMonitor: true,
          allowUnsafeSshCommand: true,
        },
        // Waiting for the pipes to close gives all output; a program that a hook leaves behind may hold them open for ever.
        completion: { onClose: true, onExit: options.runsHooks === true ? 500 : false },
        timeout: { block: options.silenceMs ?? LOCAL_SILENCE_MS },
        ...(options.limitMs === undefined ? {} : { abort: AbortSignal.timeout(options.limitMs) }),
        ...(options.stdin === undefined ? {} : { input: () => inputOf(options.stdin) }),
        errors: (error, result) => {
          exitCode = result.exitCode;
          // Negative or null: never started, or ended by a signal.
          if (!(exitCode >= 0)) return error ?? new Error(`git ${args[0]} was ended by a signal`);
          output = outputText(Buffer.concat([...result.stdErr, ...(exitCode === 0 ? [] : result.stdOut)]).toString());
          return undefined;
        },
      }).env({ ...env, ...(options.runsHooks === true ? localeOf(surroundings) : { LC_ALL: "C" }), ...options.env });
      const stdout = await task(git.outputHandler(endInSight));
      return { exitCode, stdout, output };
    } catch (error) {
      throw notRun(workspace, args, error);
    }
  }

  const git: Git = {
    env,
    run: (args, options = {}) => execute(args, options, (simple) => simple.raw([...args])),
    text: async (args, options = {}) => {
      const { exitCode, stdout, output } = await git.run(args, options);
      if (exitCode !== 0) throw gitError(workspace, args, output);
      return stdout;
    },
    catFile: async (args, options = {}) => {
      const { exitCode, stdout, output } = await execute(args, options, (simple) => simple.binaryCatFile([...args]));
      if (exitCode !== 0) throw gitError(workspace, ["cat-file", ...args], output);
      return stdout as Buffer;
    },
  };
  return git;
}

/** simple-git waits 50 ms more for what a silent command may still say, although its pipes are closed; an empty piece breaks the silence. */
function endInSight(_command: string, stdout: NodeJS.ReadableStream): void {
  stdout.once("end", () => stdout.emit("data", Buffer.alloc(0)));
}

function gitEnvironment(surroundings: NodeJS.ProcessEnv): Record<string, string> {
  const kept = new Set<string>(KEPT_VARIABLES);
  const inherited = Object.entries(surroundings).filter((entry): entry is [string, string] => {
    const name = entry[0].toUpperCase();
    return entry[1] !== undefined && (name.startsWith("GIT_") ? kept.has(name) : !INTERACTIVE_VARIABLES.has(name));
  });
  return {
    ...Object.fromEntries(inherited),
    GIT_ASKPASS: "",
    GIT_TERMINAL_PROMPT: "0",
    SSH_ASKPASS_REQUIRE: "never",
    // Reading must never contend for the person's index lock.
    GIT_OPTIONAL_LOCKS: "0",
  };
}

function localeOf({ LC_ALL }: NodeJS.ProcessEnv): Record<string, string> {
  return LC_ALL === undefined ? {} : { LC_ALL };
}

function inputOf(stdin: string | Uint8Array | undefined): string | Buffer {
  return typeof stdin === "string" ? stdin : Buffer.from(stdin ?? "");
}

function notRun(workspace: string, args: readonly string[], error: unknown): EdaError {
  const message = error instanceof Error ? error.message : String(error);
  if (/ENOENT/u.test(message)) {
    return new EdaError("precondition", "git-missing", "Git is not installed, or not on the PATH.", {
      todo: "Install Git and run again.",
      cause: error,
    });
  }
  if (/directory that does not exist/u.test(message)) {
    return new EdaError("precondition", "not-a-repository", `${workspace} does not exist.`, { cause: error });
  }
  if (/timeout|[Aa]bort/u.test(message)) {
    return new EdaError("transient", "git-timeout", `git ${args[0]} did not finish in time and was ended.`, {
      todo: "See whether a hook, a credential helper or the remote is waiting for something.",
      cause: error,
    });
  }
  return new EdaError("terminal", "git-failed", `git ${args[0]} could not run: ${outputText(message)}`, { cause: error });
}
