/** `files.get`, its content by `alt=media` with Range, `files.export`, `files.generateIds`. */
import { atLeast, roleOf, visibleItem } from "./access.ts";
import type { Call } from "./call.ts";
import { ApiError, notImplemented } from "./errors.ts";
import { EXPORT_LIMIT_BYTES, EXPORT_TYPES } from "./export-types.ts";
import { parseFields } from "./fields.ts";
import { type Answer, json } from "./http.ts";
import { type Item, isNative } from "./items.ts";
import { fileResource } from "./resources.ts";
import { SHAPES } from "./shapes.ts";

export function getFile({ parameters, access, id, view }: Call): Answer {
  const project = parseFields(parameters.text("fields"), SHAPES.file);
  return json(project(fileResource(visibleItem(access, id), view)));
}

export function getMedia(call: Call): Answer {
  const item = visibleItem(call.access, call.id);
  if (item.content === null) throw new ApiError("fileNotDownloadable", { location: "alt" });
  if (item.abusive && !mayAcknowledge(call, item)) throw new ApiError("cannotDownloadAbusiveFile");
  return ranged(item.content.bytes, item.mimeType, call.request.headers.range);
}

/** Only who answers for the file may take it despite the warning. */
function mayAcknowledge({ parameters, store, email }: Call, item: Item): boolean {
  return parameters.flag("acknowledgeAbuse") && atLeast(roleOf(store, item, email), "organizer");
}

/** One range, as RFC 9110 has it. @throws ApiError `requestedRangeNotSatisfiable` */
function ranged(bytes: Buffer, mediaType: string, header: string | undefined): Answer {
  if (header === undefined) return { status: 200, headers: { "Content-Type": mediaType }, body: bytes };
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (from === "" && to === "") throw notImplemented(`the range ${header}`);
  const first = from === "" ? Math.max(bytes.length - Number(to), 0) : Number(from);
  const last = from === "" || to === "" ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1);
  if (first > last) {
    throw new ApiError("requestedRangeNotSatisfiable", { headers: { "Content-Range": `bytes */${bytes.length}` } });
  }
  const headers = { "Content-Type": mediaType, "Content-Range": `bytes ${first}-${last}/${bytes.length}` };
  return { status: 206, headers, body: bytes.subarray(first, last + 1) };
}

export function exportFile({ parameters, access, id }: Call): Answer {
  const mediaType = parameters.required("mimeType");
  const item = visibleItem({ ...access, supportsAllDrives: true }, id);
  if (!isNative(item.mimeType)) throw new ApiError("fileNotExportable");
  if (!EXPORT_TYPES[item.mimeType]?.includes(mediaType)) {
    throw new ApiError("badRequest", { message: "The requested conversion is not supported.", location: "convertTo" });
  }
  const bytes = item.exports?.get(mediaType);
  if (bytes === undefined) throw notImplemented(`conversions: give ${item.name} its export to ${mediaType}`);
  if (bytes.length > EXPORT_LIMIT_BYTES) throw new ApiError("exportSizeLimitExceeded");
  return { status: 200, headers: { "Content-Type": mediaType }, body: bytes };
}

export function generateIds({ parameters, store }: Call): Answer {
  const project = parseFields(parameters.text("fields"), SHAPES.generatedIds);
  const space = parameters.choice("space", ["drive"], "drive");
  parameters.choice("type", ["files", "shortcuts"], "files");
  const count = parameters.whole("count", { absent: 10, most: 1000 });
  return json(project({ kind: "drive#generatedIds", space, ids: Array.from({ length: count }, () => store.reserveId()) }));
}
