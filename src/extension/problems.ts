/** Mistakes in project files, and manifests that verify found changed, in the Problems panel. */
import * as vscode from "vscode";
import { projectFilePath } from "../domain/governed.ts";
import type { Finding } from "../domain/errors.ts";
import { printable } from "../domain/printable.ts";
import type { ProjectStatus, VerifyReport } from "../protocol/messages.ts";
import type { PipelineModel } from "./pipeline-model.ts";

const SOURCE = "eda";
/** To the end of the line, however long it is: a mistake is located by where it begins. */
const LINE_END = 10_000;

export interface Problems extends vscode.Disposable {
  showVerified(report: VerifyReport): void;
}

export function openProblems(folder: vscode.Uri, model: PipelineModel): Problems {
  const inProjects = vscode.languages.createDiagnosticCollection("eda");
  const inManifests = vscode.languages.createDiagnosticCollection("eda verify");
  const subscription = model.onChange(() => show(inProjects, folder, model.knownProjects.flatMap(findingsOf)));
  return {
    showVerified({ problems }) {
      const findings = problems
        .filter(({ subject }) => subject === "manifest")
        .map(({ name, message }): LocatedFinding => ({ message, file: name, at: { file: name } }));
      show(inManifests, folder, findings);
    },
    dispose: () => {
      subscription.dispose();
      inProjects.dispose();
      inManifests.dispose();
    },
  };
}

interface LocatedFinding extends Finding {
  readonly file: string;
}

function findingsOf({ project, problems }: ProjectStatus): LocatedFinding[] {
  return problems.map((finding) => ({ ...finding, file: finding.at?.file ?? projectFilePath(project) }));
}

function show(collection: vscode.DiagnosticCollection, folder: vscode.Uri, findings: readonly LocatedFinding[]): void {
  const byFile = Map.groupBy(findings, ({ file }) => file);
  collection.clear();
  for (const [file, found] of byFile) collection.set(vscode.Uri.joinPath(folder, file), found.map(diagnostic));
}

function diagnostic({ message, at }: Finding): vscode.Diagnostic {
  const line = Math.max(0, (at?.line ?? 1) - 1);
  const range = new vscode.Range(line, Math.max(0, (at?.column ?? 1) - 1), line, LINE_END);
  const problem = new vscode.Diagnostic(range, printable(message), vscode.DiagnosticSeverity.Error);
  problem.source = SOURCE;
  return problem;
}
