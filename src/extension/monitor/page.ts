/** The document of the job monitor: nothing runs or loads in it but our own files. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

/** Folder of the page's files in the package. */
export const PAGE_FOLDER = ["dist", "webview"] as const;

export function monitorPage(webview: vscode.Webview, extension: vscode.Uri, title: string): string {
  const nonce = randomBytes(16).toString("base64");
  const file = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(extension, ...PAGE_FOLDER, name)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} data:`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" id="vscode-codicon-stylesheet" href="${file("codicon.css")}">
</head>
<body>
<eda-monitor></eda-monitor>
<script nonce="${nonce}" src="${file("monitor.js")}"></script>
</body>
</html>`;
}
