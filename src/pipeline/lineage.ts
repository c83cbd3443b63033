/** Answering "where does this come from?" for whatever a person types for an asset. */
import { objectUri, parseAssetUri } from "../domain/asset.ts";
import { EdaError } from "../domain/errors.ts";
import type { LineageGraph } from "../domain/lineage.ts";
import type { Services } from "./stage-definition.ts";

/**
 * @param asset asset URI, `bucket/key`, or a name in an inventory (`modelo/model.onnx`)
 * @throws EdaError `usage` `unknown-asset`, or `ambiguous-asset` with the candidates
 */
export async function lineageOf(services: Services, asset: string): Promise<LineageGraph> {
  if (parseAssetUri(asset) !== undefined) return services.inventory.lineage(asset);
  const rows = await services.inventory.findAssets(asset);
  const current = rows.filter((row) => row.current);
  const candidates = [...new Set((current.length > 0 ? current : rows).map((row) => objectUri(row)))];
  const [only] = candidates;
  if (only === undefined) {
    throw new EdaError("usage", "unknown-asset", `No asset is called "${asset}".`, {
      todo: "Give a name from an inventory (eda inventory models --project P), a bucket/key, or an asset URI.",
    });
  }
  if (candidates.length > 1) {
    throw new EdaError("usage", "ambiguous-asset", `"${asset}" names ${candidates.length} assets.`, {
      todo: "Give one of the asset URIs below.",
      findings: candidates.map((uri) => ({ message: uri })),
    });
  }
  return services.inventory.lineage(only);
}
