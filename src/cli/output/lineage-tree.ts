/** Lineage as a tree: what an asset was made from, back to the Drive files, with run and commits at each step. */
import type { Colors } from "picocolors/types";
import { type AssetKind, parseAssetUri } from "../../domain/asset.ts";
import type { LineageEdge, LineageGraph, LineageRun } from "../../domain/lineage.ts";
import { printable } from "../../domain/printable.ts";
import { formatCommits } from "./format.ts";

export interface TreeOptions {
  /** Most sources shown of one asset; the rest are counted. */
  readonly breadth: number;
  readonly colours: Colors;
}

interface Branch {
  readonly text: string;
  readonly children: readonly Branch[];
}

/** An asset named for people: its kind when that is not plain from the name, its name, the start of its version. */
function renderAsset(uri: string, colours: Colors): string {
  const parsed = parseAssetUri(uri);
  if (parsed === undefined) return printable(uri);
  const version = parsed.version.length > 12 ? `${parsed.version.slice(0, 12)}…` : parsed.version;
  return `${KIND_COLOURS[parsed.kind](colours)(parsed.kind)} ${printable(parsed.name)} ${colours.dim(`@${printable(version)}`)}`;
}

const KIND_COLOURS: Readonly<Record<AssetKind, (colours: Colors) => (text: string) => string>> = {
  drive: (colours) => colours.green,
  local: (colours) => colours.blue,
  object: (colours) => colours.cyan,
  code: (colours) => colours.magenta,
  job: (colours) => colours.yellow,
};

export function renderLineageTree(graph: LineageGraph, options: TreeOptions): string {
  const { colours } = options;
  const runs = new Map(graph.runs.map((run) => [run.run, run]));
  const madeBy = groupEdges(graph.edges);
  const shown = new Set<string>();

  // A chain is as long as the pipeline has stages, so that recursion stays shallow; what repeats is cut.
  const asset = (uri: string): Branch => {
    const steps = madeBy.get(uri);
    if (steps === undefined) return { text: renderAsset(uri, colours), children: [] };
    if (shown.has(uri)) return { text: `${renderAsset(uri, colours)} ${colours.dim("(shown above)")}`, children: [] };
    shown.add(uri);
    return { text: renderAsset(uri, colours), children: [...steps].map(([run, sources]) => step(run, sources)) };
  };
  const step = (run: string, sources: readonly string[]): Branch => {
    const children = sources.slice(0, options.breadth).map(asset);
    const hidden = sources.length - children.length;
    const rest = hidden > 0 ? [{ text: colours.dim(`… and ${hidden} more (--all shows them)`), children: [] }] : [];
    return { text: renderStep(run, runs.get(run), colours), children: [...children, ...rest] };
  };
  return renderBranch(asset(graph.root), colours);
}

function renderStep(run: string, known: LineageRun | undefined, colours: Colors): string {
  if (known === undefined) return `${colours.dim("by run")} ${printable(run)}`;
  return `${colours.dim("by")} ${colours.bold(known.stage)} ${colours.dim(`run ${run}, commits`)} ${formatCommits(known.commitBefore, known.commitAfter)}`;
}

/** Sources of each asset by the run that made it, in the order of the graph, each once. */
function groupEdges(edges: readonly LineageEdge[]): Map<string, Map<string, string[]>> {
  const groups = new Map<string, Map<string, Set<string>>>();
  for (const { from, to, run } of edges) {
    const steps = groups.get(to) ?? new Map<string, Set<string>>();
    const sources = steps.get(run) ?? new Set<string>();
    groups.set(to, steps.set(run, sources.add(from)));
  }
  return new Map([...groups].map(([to, steps]) => [to, new Map([...steps].map(([run, sources]) => [run, [...sources].sort()]))]));
}

function renderBranch(root: Branch, colours: Colors): string {
  const lines = [root.text];
  const visit = (branches: readonly Branch[], indent: string): void => {
    branches.forEach((branch, index) => {
      const last = index === branches.length - 1;
      lines.push(`${colours.dim(`${indent}${last ? "└─" : "├─"}`)} ${branch.text}`);
      visit(branch.children, `${indent}${last ? "   " : "│  "}`);
    });
  };
  visit(root.children, "");
  return lines.join("\n");
}
