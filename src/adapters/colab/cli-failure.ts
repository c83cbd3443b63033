/**
 * Why the `colab` program failed. It answers 1 for nearly everything, so what it printed tells: its own lines begin with `[colab]`, everything it did
 * not foresee is a Python traceback (google-colab-cli 0.6.0 and 0.7.5: `commands/session.py`, `commands/execution.py`, `auth.py`).
 */
import { stripVTControlCharacters } from "node:util";
import { EdaError, type ErrorKind } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { ColabOutcome } from "./cli-program.ts";

const MAX_LINE = 300;

interface Known {
  readonly sign: RegExp;
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly todo: string;
}

const SIGN_IN = "Run `colab sessions` in a terminal as the user that runs the host, sign in there, and run the stage again.";
/** Google's rule, which the program does not enforce by itself. */
const PAID =
  "Colab lets its notebook page be bypassed with paid compute units only: see what there is with `colab pay`, wait, or choose modeling.trainer colab-drive, " +
  "where you open the notebook yourself.";

const KNOWN: readonly Known[] = [
  {
    sign: /To authorize colab-cli|Enter the authorization code|No valid default credentials|DefaultCredentialsError|RefreshError/u,
    kind: "precondition",
    code: "colab-not-signed-in",
    message: "The colab program is not signed in to Google.",
    todo: SIGN_IN,
  },
  {
    sign: /Keep-alive pre-flight failed|SCOPE_NOT_PERMITTED|insufficient authentication scopes/u,
    kind: "precondition",
    code: "colab-not-signed-in",
    message: "The colab program is signed in without a permission that Colab needs.",
    todo: `Delete ~/.config/colab-cli/token.json, or give the default credentials the scopes that the program names. ${SIGN_IN}`,
  },
  {
    sign: /Backend rejected accelerator/u,
    kind: "precondition",
    code: "colab-accelerator-refused",
    message: "Colab gives this account no such accelerator now.",
    todo: PAID,
  },
  {
    sign: /Allocation refused|TooManyAssignmentsError|Precondition Failed/u,
    kind: "precondition",
    code: "colab-runtime-refused",
    message: "Colab gives this account no further runtime now.",
    todo: "`colab sessions` lists those there are: stop one. Or wait: it may be a limit of use or capacity.",
  },
  {
    sign: /quota|compute units?\b|Payment Required|QUOTA_/iu,
    kind: "precondition",
    code: "colab-no-compute-units",
    message: "The account's Colab compute units are used up.",
    todo: PAID,
  },
  {
    sign: /ConnectionError|Max retries exceeded|NewConnectionError|ReadTimeout|ConnectTimeout|TransportError|Service Unavailable|Bad Gateway|Internal Server Error/u,
    kind: "unavailable",
    code: "colab-away",
    message: "Colab cannot be reached.",
    todo: "Check the network, then run the stage again.",
  },
];

/** @param command as a person knows it: `new`, `upload` */
export function colabFailure(command: string, outcome: ColabOutcome): EdaError {
  const output = `${outcome.stdout}\n${outcome.stderr}`;
  const said = lastWord(output);
  const known = KNOWN.find(({ sign }) => sign.test(output));
  if (known !== undefined) return new EdaError(known.kind, known.code, `${known.message} ${said}`.trim(), { todo: known.todo });
  if (outcome.code === 2) {
    return new EdaError(
      "precondition",
      "colab-program-unknown",
      `The colab program does not know what it was asked (colab ${command}). ${said}`,
      {
        todo: "eda speaks with google-colab-cli 0.7: install that, or a later version of eda.",
      },
    );
  }
  const how = outcome.isInterrupted
    ? "did not answer in time"
    : `ended with ${outcome.code === null ? "a signal" : `exit code ${outcome.code}`}`;
  return new EdaError("transient", "colab-program-failed", `colab ${command} ${how}. ${said}`.trim(), {
    todo: "`colab log` and ~/.config/colab-cli/colab.log say more. Run the stage again.",
  });
}

/**
 * The program ended while it ran the notebook, whose own output is among what it printed: only its very end is the program's.
 * @param timeoutSeconds what it was given for a cell
 */
export function executionFailure(session: string, timeoutSeconds: number, outcome: ColabOutcome): EdaError {
  const isGone = [`Session '${session}' appears to be lost`, `Session '${session}' not found.`].some((words) =>
    outcome.stdout.includes(`[colab] ${words}`),
  );
  if (isGone) return runtimeLost();
  const end = outcome.stderr.trimEnd().split("\n").slice(-3).join("\n");
  if (/^(?:\w+\.)*TimeoutError\b/mu.test(end)) return trainingTimeout(timeoutSeconds);
  if (/WebSocket|Connection|\b40[14]\b/iu.test(end)) return runtimeLost(lastWord(end));
  return colabFailure("exec", { ...outcome, stdout: "", stderr: end });
}

export function trainingTimeout(timeoutSeconds: number): EdaError {
  return new EdaError(
    "terminal",
    "training-timeout",
    `The notebook was still running after ${Math.round(timeoutSeconds / 60)} minute(s) and was stopped.`,
    {
      todo: "Raise modeling.timeoutMinutes in the project file (a Colab runtime lasts 24 hours at most), or let it train on less.",
    },
  );
}

function runtimeLost(said = ""): EdaError {
  return new EdaError("terminal", "runtime-lost", `Colab took the runtime away, or the connection to it broke. ${said}`.trim(), {
    todo: "Set modeling.attempts to 2 or more in the project file: then another attempt goes on from the last good checkpoint.",
  });
}

/** The last line that says something, without what nobody else may read. */
export function lastWord(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split(/[\n\r]/u)
    .map((line) => line.trim())
    .filter((line) => /\w/u.test(line) && line !== "Aborted.");
  const own = lines.findLast((line) => /^(?:\w+\.)*\w*(?:Error|Exception|Exit)\b/u.test(line)) ?? lines.at(-1) ?? "";
  return printable(withoutSecrets(own)).slice(0, MAX_LINE);
}

function withoutSecrets(text: string): string {
  return text.replace(/\?\S*/gu, "?…").replace(/\b(?:ya29\.|Bearer\s+|eyJ)[\w.~+/-]+=*/gu, "[secret]");
}
