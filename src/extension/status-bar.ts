/** What runs, what is not governed yet, and what blocks runs, in the status bar. */
import * as vscode from "vscode";
import type { CommandId } from "./contributions.ts";
import type { HostLink } from "./host/link.ts";
import type { PipelineModel } from "./pipeline-model.ts";
import type { RunTracker } from "./runs/run-tracker.ts";
import { type StatusLine, statusLine } from "./text/status.ts";
import { throttled } from "./timing.ts";

const REDRAW_MS = 500;
const BACKGROUNDS: Readonly<Record<StatusLine["tone"], vscode.ThemeColor | undefined>> = {
  plain: undefined,
  warning: new vscode.ThemeColor("statusBarItem.warningBackground"),
  error: new vscode.ThemeColor("statusBarItem.errorBackground"),
};

export function openStatusBar(link: HostLink, model: PipelineModel, tracker: RunTracker): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("eda.status", vscode.StatusBarAlignment.Left, 50);
  item.name = "eda";
  item.command = "eda.statusActions" satisfies CommandId;
  const redraw = throttled<"item">(REDRAW_MS, () => {
    const { text, tooltip, tone } = statusLine(link.state, model.git, tracker.live);
    item.text = text;
    item.tooltip = tooltip;
    item.backgroundColor = BACKGROUNDS[tone];
    item.show();
  });
  const subscriptions = [
    link.onState(() => redraw("item")),
    model.onChange(() => redraw("item")),
    tracker.onStart(() => redraw("item")),
    tracker.onChange(() => redraw("item")),
    tracker.onEnd(() => redraw("item")),
  ];
  return {
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
      redraw.dispose();
      item.dispose();
    },
  };
}
