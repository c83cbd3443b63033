/**
 * Documents of Google's own editors have no bytes: they are captured as one of the formats that Drive exports.
 * https://developers.google.com/workspace/drive/api/guides/ref-export-formats
 */
const NATIVE_PREFIX = "application/vnd.google-apps.";

export const FOLDER_TYPE = `${NATIVE_PREFIX}folder`;
export const SHORTCUT_TYPE = `${NATIVE_PREFIX}shortcut`;

const OFFICE = "application/vnd.openxmlformats-officedocument";

const FORMATS = {
  sheets: {
    /** Drive exports the first sheet only. */
    csv: "text/csv",
    xlsx: `${OFFICE}.spreadsheetml.sheet`,
    pdf: "application/pdf",
  },
  docs: {
    docx: `${OFFICE}.wordprocessingml.document`,
    pdf: "application/pdf",
    txt: "text/plain",
    md: "text/markdown",
  },
  slides: { pptx: `${OFFICE}.presentationml.presentation`, pdf: "application/pdf" },
  drawings: { svg: "image/svg+xml", png: "image/png", pdf: "application/pdf" },
} as const;

type Editor = keyof typeof FORMATS;

/** Ending of the captured file, by editor. */
export type ExportChoice = { readonly [E in Editor]: keyof (typeof FORMATS)[E] & string };

export const DEFAULT_EXPORTS: ExportChoice = { sheets: "csv", docs: "docx", slides: "pdf", drawings: "svg" };

const EDITORS: Readonly<Record<string, Editor>> = {
  [`${NATIVE_PREFIX}spreadsheet`]: "sheets",
  [`${NATIVE_PREFIX}document`]: "docs",
  [`${NATIVE_PREFIX}presentation`]: "slides",
  [`${NATIVE_PREFIX}drawing`]: "drawings",
};

export interface ExportFormat {
  readonly mediaType: string;
  /** Without the dot. */
  readonly extension: string;
}

export function isNative(mimeType: string): boolean {
  return mimeType.startsWith(NATIVE_PREFIX);
}

/** Undefined for what Drive cannot export: forms, sites, maps. */
export function exportFormat(mimeType: string, choice: ExportChoice): ExportFormat | undefined {
  const editor = EDITORS[mimeType];
  if (editor === undefined) return undefined;
  const extension = choice[editor];
  return { extension, mediaType: (FORMATS[editor] as Readonly<Record<string, string>>)[extension] as string };
}
