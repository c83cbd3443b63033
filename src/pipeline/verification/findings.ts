import type { VerifyProblem } from "../../domain/verification.ts";

/** Problems in the order found, each thing once: what one check names, no other names again. */
export class Findings {
  readonly #problems = new Map<string, VerifyProblem>();

  add(subject: VerifyProblem["subject"], name: string, message: string): void {
    const key = `${subject} ${name}`;
    if (!this.#problems.has(key)) this.#problems.set(key, { subject, name, message });
  }

  get all(): readonly VerifyProblem[] {
    return [...this.#problems.values()];
  }
}
