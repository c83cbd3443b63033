/** Lineage: which asset was made from which, and by which run. Edges point from what was read to what was made. */
import type { StageId } from "./stage.ts";

export interface LineageEdge {
  /** Asset URI that was read. */
  readonly from: string;
  /** Asset URI that was made. */
  readonly to: string;
  readonly run: string;
}

/** What lineage knows of a run: enough to reach the commits on the way. */
export interface LineageRun {
  readonly run: string;
  readonly project: string;
  readonly stage: StageId;
  readonly commitBefore: string | null;
  readonly commitAfter: string | null;
  /** ISO 8601, UTC. */
  readonly finishedAt: string | null;
}

export interface LineageGraph {
  /** Asset URI the question was about. */
  readonly root: string;
  readonly edges: readonly LineageEdge[];
  readonly runs: readonly LineageRun[];
}

/** Every asset reachable upstream of the root, without the root, in breadth-first order. */
export function upstreamOf(graph: LineageGraph): string[] {
  const parents = new Map<string, string[]>();
  for (const edge of graph.edges) {
    const known = parents.get(edge.to);
    if (known === undefined) parents.set(edge.to, [edge.from]);
    else known.push(edge.from);
  }
  const seen = new Set<string>([graph.root]);
  const queue = [graph.root];
  for (const asset of queue) {
    for (const parent of parents.get(asset) ?? []) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      queue.push(parent);
    }
  }
  return queue.slice(1);
}
