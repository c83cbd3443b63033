import { tmpdir } from "node:os";
import type { Engine, EngineContext } from "../../ports/engine.ts";
import { curate } from "./curate.ts";
import { inspectSelect } from "./select/inspect.ts";
import { type EngineOptions, withSession } from "./session.ts";
import { split } from "./split.ts";
import { stageTable } from "./staging/stage-table.ts";

/** DuckDB as the engine: each call has an instance of its own, which ends with it. */
export function openEngine(options: EngineOptions): Engine {
  const alone = { ...options, threads: 1 };
  return {
    stageTable: (request, context) => withSession(options, context, (session) => stageTable(request, session, context)),
    inspectSelect: (sql, path) => {
      const context: EngineContext = { workDir: tmpdir(), signal: new AbortController().signal };
      return withSession(alone, context, async (session) => ({ reads: (await inspectSelect(sql, path, session)).reads }));
    },
    curate: (request, context) => withSession(alone, context, (session) => curate(request, session, context)),
    split: (request, context) => withSession(options, context, (session) => split(request, session, context)),
  };
}
