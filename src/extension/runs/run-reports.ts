/** A run as a document: its facts and its log, live while it runs. */
import type { Disposable } from "vscode-jsonrpc";
import type { LogLine } from "../../domain/run.ts";
import { ReadLog, ShowRun } from "../../protocol/messages.ts";
import type { Documents } from "../documents.ts";
import type { HostLink } from "../host/link.ts";
import { runReport } from "../text/reports.ts";
import { throttled } from "../timing.ts";
import type { RunTracker } from "./run-tracker.ts";

const PAGE = 5_000;
/** An editor is not for more; the rest is in `eda logs`. */
const MAX_LINES = 50_000;
const REDRAW_MS = 1_000;

export interface RunReports extends Disposable {
  show(run: string): Promise<void>;
}

export function createRunReports(link: HostLink, tracker: RunTracker, documents: Documents): RunReports {
  const path = (run: string) => `runs/${run}.log`;
  const redraw = throttled<string>(REDRAW_MS, (run) => documents.update(path(run)));
  const subscriptions = [
    tracker.onLine(({ run }) => redraw(run)),
    tracker.onChange(({ run }) => redraw(run)),
    tracker.onEnd(({ runId }) => redraw(runId)),
  ];
  return {
    show: (run) =>
      documents.show(path(run), async () => {
        const [record, lines] = [await link.ask(ShowRun, { run }), await readLog(link, run)];
        return runReport({ ...record, state: tracker.get(run)?.state ?? record.state }, lines, Date.now());
      }),
    dispose: () => {
      redraw.dispose();
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}

async function readLog(link: HostLink, run: string): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  while (lines.length < MAX_LINES) {
    const page = await link.ask(ReadLog, { run, after: lines.at(-1)?.sequence ?? 0, limit: PAGE });
    lines.push(...page);
    if (page.length < PAGE) break;
  }
  return lines;
}
