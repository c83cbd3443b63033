/** What a check of `eda doctor` comes to. */
import { toEdaError } from "../domain/errors.ts";
import type { DoctorCheck } from "../protocol/messages.ts";

export type Verdict = Omit<DoctorCheck, "name">;

export function ok(message: string): Verdict {
  return { state: "ok", message, todo: null };
}

export function warning(message: string, todo: string): Verdict {
  return { state: "warning", message, todo };
}

/** Does the check; one that throws has failed, and its error says what to do. */
export async function settled(name: string, check: () => Promise<Verdict>): Promise<DoctorCheck> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    const { kind, message, todo } = toEdaError(error);
    return { name, state: "failed", message, todo: todo ?? "See the host's log: .eda/logs/host.log", kind };
  }
}
