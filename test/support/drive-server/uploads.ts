/** Uploads in one request: `uploadType` media and multipart. */
import type { Call } from "./call.ts";
import { parseFields } from "./fields.ts";
import { create, type Upload, update } from "./files-write.ts";
import { type Answer, json, receiveAll } from "./http.ts";
import { type Metadata, parseMetadata } from "./metadata.ts";
import { parseMultipart } from "./multipart.ts";
import { invalidParameter } from "./parameters.ts";
import { fileResource } from "./resources.ts";
import { SHAPES } from "./shapes.ts";

export async function uploadFile(call: Call): Promise<Answer> {
  const use = call.id === "" ? "create" : "update";
  const project = parseFields(call.parameters.text("fields"), SHAPES.file);
  const { metadata, upload } = await received(call, use);
  const item = use === "create" ? create(call, metadata, upload) : update(call, metadata, upload);
  return json(project(fileResource(item, call.view)));
}

async function received({ parameters, request, faults }: Call, use: "create" | "update"): Promise<{ metadata: Metadata; upload: Upload }> {
  const contentType = request.headers["content-type"];
  const body = await receiveAll(request, faults);
  switch (parameters.text("uploadType")) {
    case "media":
      return { metadata: {}, upload: { bytes: body, mediaType: contentType } };
    case "multipart": {
      const { metadata, mediaType, content } = parseMultipart(contentType, body);
      return { metadata: parseMetadata(metadata, use), upload: { bytes: content, mediaType } };
    }
    default:
      throw invalidParameter("uploadType");
  }
}
