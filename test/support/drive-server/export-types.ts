/** What native documents can be exported to: https://developers.google.com/workspace/drive/api/guides/ref-export-formats. */
const OFFICE = "application/vnd.openxmlformats-officedocument";
const OPEN = "application/vnd.oasis.opendocument";

/** Google's limit of an export's answer. */
export const EXPORT_LIMIT_BYTES = 10 * 1024 * 1024;

export const EXPORT_TYPES: Readonly<Record<string, readonly string[]>> = {
  "application/vnd.google-apps.document": [
    `${OFFICE}.wordprocessingml.document`,
    `${OPEN}.text`,
    "application/rtf",
    "application/pdf",
    "text/plain",
    "text/html",
    "application/zip",
    "application/epub+zip",
    "text/markdown",
  ],
  "application/vnd.google-apps.spreadsheet": [
    `${OFFICE}.spreadsheetml.sheet`,
    `${OPEN}.spreadsheet`,
    "application/pdf",
    "application/zip",
    "text/csv",
    "text/tab-separated-values",
  ],
  "application/vnd.google-apps.presentation": [
    `${OFFICE}.presentationml.presentation`,
    `${OPEN}.presentation`,
    "application/pdf",
    "text/plain",
  ],
  "application/vnd.google-apps.drawing": ["application/pdf", "image/jpeg", "image/png", "image/svg+xml"],
  "application/vnd.google-apps.script": ["application/vnd.google-apps.script+json"],
};
