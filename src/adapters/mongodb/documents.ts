/** The documents of each collection. Names of fields are those of the inventory's tables. */
import type { Json, JsonObject } from "../../domain/json.ts";
import type { LogLine, RunProgress, RunRecord } from "../../domain/run.ts";
import type { RunPosition } from "../../ports/run-mirror.ts";

/** A document holds at most 16 MiB, and a character of UTF-16 at most three bytes. */
const MAX_MESSAGE_LENGTH = 4_000_000;

/** Collection `logs`. */
export interface LineDocument {
  /** Run and sequence: writing the line again changes nothing. */
  readonly _id: string;
  readonly execucao: string;
  readonly sequencia: number;
  readonly em: Date;
  readonly nivel: LogLine["level"];
  readonly mensagem: string;
}

/** Collection `execucoes`: `_id` is the run. */
export interface ExecutionDocument {
  readonly _id: string;
  readonly projeto: string;
  readonly etapa: string;
  readonly forcada: boolean;
  readonly ator: string;
  readonly estado: string;
  readonly commit_antes: string | null;
  readonly commit_depois: string | null;
  readonly totais: Json;
  readonly impressao: string | null;
  readonly erro: Json;
  readonly detalhes: Json;
  readonly pedido_em: Date;
  readonly iniciado_em: Date | null;
  readonly terminado_em: Date | null;
}

/** Collection `estados`: `_id` is the run; gone some time after `em`. */
export interface StateDocument {
  readonly _id: string;
  readonly estado: string;
  readonly feitas: number | null;
  readonly total: number | null;
  readonly unidade: RunProgress["unit"] | null;
  readonly descricao: string | null;
  readonly em: Date;
}

export function lineDocument({ run, sequence, at, level, message }: LogLine): LineDocument {
  return { _id: `${run}:${sequence}`, execucao: run, sequencia: sequence, em: new Date(at), nivel: level, mensagem: bounded(message) };
}

export function lineOf({ execucao, sequencia, em, nivel, mensagem }: LineDocument): LogLine {
  return { run: execucao, sequence: sequencia, at: em.toISOString(), level: nivel, message: mensagem };
}

export function executionDocument(record: RunRecord): ExecutionDocument {
  return {
    _id: record.run,
    projeto: record.project,
    etapa: record.stage,
    forcada: record.force,
    ator: record.actor,
    estado: record.state,
    commit_antes: record.commitBefore,
    commit_depois: record.commitAfter,
    totais: record.totals === null ? null : { ...record.totals },
    impressao: record.fingerprint,
    erro: portable(record.error as JsonObject | null),
    detalhes: portable(record.details),
    pedido_em: new Date(record.requestedAt),
    iniciado_em: dateOrNull(record.startedAt),
    terminado_em: dateOrNull(record.finishedAt),
  };
}

export function stateDocument({ run, state, progress }: RunPosition, now: Date): StateDocument {
  return {
    _id: run,
    estado: state,
    feitas: progress?.done ?? null,
    total: progress?.total ?? null,
    unidade: progress?.unit ?? null,
    descricao: progress?.label ?? null,
    em: now,
  };
}

function bounded(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  return `${message.slice(0, MAX_MESSAGE_LENGTH)} … (${message.length - MAX_MESSAGE_LENGTH} more characters were cut)`;
}

function dateOrNull(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** Names of fields may hold neither `.` nor U+0000 nor begin with `$` everywhere; names of a person's columns and metrics may. */
function portable(value: Json): Json {
  if (Array.isArray(value)) return value.map((each: Json) => portable(each));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as JsonObject).flatMap(([key, each]) => (each === undefined ? [] : [[portableName(key), portable(each)]])),
  );
}

function portableName(name: string): string {
  return name.replaceAll(".", "．").replace(/^\$/u, "＄").replaceAll("\0", "␀");
}
