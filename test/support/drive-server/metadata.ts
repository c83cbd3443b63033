/** The metadata that a creation or update carries, checked: unknown and read-only fields are refused as Drive does. */
import type { drive_v3 } from "@googleapis/drive";
import { z } from "zod";
import { ApiError, notImplemented } from "./errors.ts";
import type { Item } from "./items.ts";
import { SHAPES } from "./shapes.ts";

const text = z.string();
const time = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value));
const pairs = z.record(text, text.nullable());

const METADATA = z.strictObject({
  name: text.optional(),
  mimeType: text.min(1).optional(),
  description: text.optional(),
  properties: pairs.optional(),
  appProperties: pairs.optional(),
  createdTime: time.optional(),
  modifiedTime: time.optional(),
  trashed: z.boolean().optional(),
  id: text.min(1).optional(),
  parents: z.array(text).optional(),
  shortcutDetails: z.strictObject({ targetId: text, targetMimeType: text.optional() }).optional(),
} satisfies { readonly [Field in keyof drive_v3.Schema$File]?: z.ZodType });

export type Metadata = z.infer<typeof METADATA>;

/** @throws ApiError `badRequest`, `fieldNotWritable` */
export function parseMetadata(body: Record<string, unknown>, use: "create" | "update"): Metadata {
  for (const field of Object.keys(body)) {
    if (field in METADATA.shape || field === "kind") continue;
    if (field in SHAPES.file.shape) throw new ApiError("fieldNotWritable");
    throw new ApiError("badRequest", { message: `Invalid JSON payload received. Unknown name "${field}": Cannot find field.` });
  }
  const { kind: _, ...fields } = body;
  const parsed = METADATA.safeParse(fields);
  if (!parsed.success) throw new ApiError("badRequest", { message: `Invalid value: ${z.prettifyError(parsed.error)}` });
  const metadata = parsed.data;
  if (use === "create" && metadata.trashed !== undefined) throw notImplemented("creating in the trash");
  if (use === "update" && metadata.parents !== undefined) {
    const message =
      "The parents field is not directly writable in update requests. Use the addParents and removeParents parameters instead.";
    throw new ApiError("fieldNotWritable", { message });
  }
  if (use === "update" && [metadata.id, metadata.createdTime, metadata.shortcutDetails].some((field) => field !== undefined)) {
    throw new ApiError("fieldNotWritable");
  }
  return metadata;
}

/** The fields that both a creation and an update set. */
export function describe(item: Omit<Item, "version">, metadata: Metadata): Omit<Item, "version"> {
  const { name, mimeType, description, properties, appProperties, modifiedTime, trashed } = metadata;
  return {
    ...item,
    name: name ?? item.name,
    mimeType: mimeType ?? item.mimeType,
    description: description ?? item.description,
    properties: withPairs(item.properties, properties),
    appProperties: withPairs(item.appProperties, appProperties),
    trashed: trashed ?? item.trashed,
    ...(modifiedTime === undefined ? {} : { modifiedAt: modifiedTime }),
  };
}

/** Null takes a pair away. */
function withPairs(known: Item["properties"], given: Metadata["properties"] = {}): Item["properties"] {
  const all = Object.entries({ ...known, ...given });
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== null));
}
