/** Commit messages of governed runs: conventional subjects in the seed's six types, facts in Git trailers. */
import { stageOf, type StageId } from "./stage.ts";

export const COMMIT_TYPES = ["init", "feat", "fix", "refactor", "docs", "release"] as const;

export type CommitMoment = "antes" | "depois";

export interface CommitTrailers {
  readonly project: string;
  readonly stage: StageId;
  readonly run: string;
  readonly moment: CommitMoment;
  /** Count of inputs read. */
  readonly inputs?: string;
  /** Count, bytes and sha256 of the manifest. */
  readonly outputs?: string;
  /** Head of the audit chain. */
  readonly audit?: string;
  /** What really trained, for modeling: `cpu, jupyter local`. */
  readonly accelerator?: string;
}

const TRAILER_NAMES: Readonly<Record<keyof CommitTrailers, string>> = {
  project: "Projeto",
  stage: "Etapa",
  run: "Execucao",
  moment: "Momento",
  inputs: "Entradas",
  outputs: "Saidas",
  audit: "Auditoria",
  accelerator: "Acelerador",
};

/** `<type>: <subject>` with the trailers in a paragraph of their own, as `git interpret-trailers` reads them. */
export function commitMessage(subject: string, trailers: CommitTrailers): string {
  assertSubject(subject);
  const lines = (Object.keys(TRAILER_NAMES) as (keyof CommitTrailers)[])
    .filter((name) => trailers[name] !== undefined)
    .map((name) => `${TRAILER_NAMES[name]}: ${oneLine(String(trailers[name]))}`);
  return `${subject}\n\n${lines.join("\n")}\n`;
}

export function subjectBefore(stage: StageId, project: string): string {
  return `docs: plano da etapa ${stage} do projeto ${project}`;
}

export function subjectAfter(stage: StageId): string {
  return stageOf(stage).subject;
}

export function subjectFailed(stage: StageId, project: string): string {
  return `docs: falha registrada na etapa ${stage} do projeto ${project}`;
}

export function subjectCancelled(stage: StageId, project: string): string {
  return `docs: cancelamento registrado na etapa ${stage} do projeto ${project}`;
}

/** Of the settings that name the stores a workspace was moved to. @param audit head of the audit chain after the move */
export function storesMovedMessage(audit: string): string {
  return `refactor: dados movidos para os serviços configurados\n\n${TRAILER_NAMES.audit}: ${audit}\n`;
}

/** Trailers of a message, by their Portuguese names; the last of a repeated one wins. */
export function parseTrailers(message: string): Record<string, string> {
  const trailers: Record<string, string> = {};
  const [, ...paragraphs] = message.trim().split(/\n\s*\n/u);
  // The subject alone, `feat: …`, looks like one and is none.
  for (const line of paragraphs.at(-1)?.split(/\r?\n/u) ?? []) {
    const match = /^([A-Za-z][A-Za-z-]*):\s*(.*)$/u.exec(line);
    if (match !== null) trailers[match[1] as string] = (match[2] as string).trim();
  }
  return trailers;
}

function assertSubject(subject: string): void {
  const type = /^([a-z]+): \S.*$/u.exec(subject)?.[1];
  if (!COMMIT_TYPES.some((allowed) => allowed === type)) {
    throw new TypeError(`not a governed commit subject: ${JSON.stringify(subject)}`);
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}
