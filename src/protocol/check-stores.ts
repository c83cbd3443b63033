/** Looking at the stores of a workspace whose host cannot open them: a short-lived process of the host's program does it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { EdaError } from "../domain/errors.ts";
import type { HostProgram } from "./client.ts";
import type { DoctorCheck } from "./messages.ts";

/** Services that do not answer are given up one by one well before. */
const TIMEOUT_MS = 60_000;

const execute = promisify(execFile);

/** @returns the host's failure as a check, and what can be known of the stores; never rejects: a look that failed is a failed check */
export async function checksWithoutHost(
  failure: EdaError,
  workspace: string,
  program: HostProgram | undefined,
): Promise<readonly DoctorCheck[]> {
  const { kind, message, todo } = failure;
  const host: DoctorCheck = { name: "host", state: "failed", message, todo: todo ?? null, kind };
  return program === undefined ? [host] : [host, ...(await lookAtStores(workspace, program))];
}

/** What the settings and the environment name now, whatever a host has open; never rejects. */
export async function lookAtStores(workspace: string, { node, main, env }: HostProgram): Promise<readonly DoctorCheck[]> {
  try {
    const { stdout } = await execute(node, [main, "--workspace", workspace, "--check"], { env, timeout: TIMEOUT_MS });
    return JSON.parse(stdout) as readonly DoctorCheck[];
  } catch (error) {
    const message = `The stores could not be looked at: ${(error as Error).message.split("\n", 1)[0]}`;
    return [{ name: "stores", state: "failed", message, todo: "See .eda/logs in the workspace." }];
  }
}
