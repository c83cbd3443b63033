/**
 * Bundles the programs: host and command line (packages stay in node_modules), and the extension (everything in one file). Then writes the
 * JSON Schemas that the extension contributes.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** The extension is loaded into every window: it stays small or the build fails. */
const MAX_EXTENSION_BYTES = 300 * 1024;

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node22",
  sourcemap: true,
  logLevel: "warning",
};
const program = { ...shared, format: "esm", packages: "external" };
const extension = { ...shared, format: "cjs", external: ["vscode"], minify: true, mainFields: ["module", "main"] };

/** A person waits for it to start: one file with its packages in it, beside one that turns on the cache of compiled code. */
const commandLine = {
  ...shared,
  format: "esm",
  minify: true,
  keepNames: true,
  mainFields: ["module", "main"],
  plugins: [
    {
      name: "beside",
      setup({ onResolve }) {
        onResolve({ filter: /\/command-line\.ts$/ }, ({ kind }) =>
          kind === "dynamic-import" ? { path: "./command-line.js", external: true } : undefined,
        );
      },
    },
  ],
  // Packages in CommonJS ask for Node's own modules.
  banner: { js: '#!/usr/bin/env node\nimport { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);' },
};

/** What the extension loads only when it is needed, as a file of its own beside it. */
const later = {
  name: "later",
  setup({ onResolve }) {
    onResolve({ filter: /\/settings-edit\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./settings-edit.cjs", external: true } : undefined,
    );
  },
};

const page = {
  ...extension,
  platform: "browser",
  format: "iife",
  target: "es2022",
  external: [],
  mainFields: ["browser", "module", "main"],
  loader: { ".css": "text" },
  // Development builds of Lit warn in the console.
  conditions: ["production"],
};

const bundles = [
  // In pieces: the client of a service is loaded by the host that is configured for it.
  { ...program, entryPoints: ["src/host/main.ts"], outfile: "dist/host/main.js", splitting: true },
  { ...program, entryPoints: ["src/adapters/minio/hash-worker.ts"], outfile: "dist/host/hash-worker.js" },
  { ...commandLine, entryPoints: ["src/cli/main.ts"], outfile: "dist/cli/main.js" },
  { ...commandLine, entryPoints: ["src/cli/command-line.ts"], outfile: "dist/cli/command-line.js" },
  {
    ...extension,
    entryPoints: ["src/extension/main.ts"],
    outfile: "dist/extension/main.cjs",
    plugins: [later],
    maxBytes: MAX_EXTENSION_BYTES,
  },
  { ...extension, entryPoints: ["src/domain/settings-edit.ts"], outfile: "dist/extension/settings-edit.cjs" },
  { ...page, entryPoints: ["webview/monitor/main.ts"], outfile: "dist/webview/monitor.js" },
];

/** Pieces lie beside the main file under names that change with their content, so that those of the former build go first. */
function inPieces({ outfile, ...options }) {
  const folder = dirname(outfile);
  rmSync(join(root, folder), { recursive: true, force: true });
  return { ...options, outdir: folder, chunkNames: "[name]-[hash]" };
}

for (const { maxBytes, ...options } of bundles) {
  if (!existsSync(join(root, options.entryPoints[0]))) continue;
  await build(options.splitting ? inPieces(options) : options);
  const bytes = statSync(join(root, options.outfile)).size;
  console.log(`${options.outfile}  ${(bytes / 1024).toFixed(1)} KB`);
  if (maxBytes !== undefined && bytes > maxBytes) {
    console.error(`${options.outfile} is larger than ${maxBytes / 1024} KB.`);
    process.exitCode = 1;
  }
}

// Icons of the pages, from the package that VS Code has them from.
for (const file of ["codicon.css", "codicon.ttf"]) {
  copyFileSync(join(root, "node_modules", "@vscode", "codicons", "dist", file), join(root, "dist", "webview", file));
}

// The flag is for Node 22; later ones strip types by themselves.
const strip = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
execFileSync(process.execPath, [...strip, join(root, "scripts", "generate-schema.ts")], { stdio: "inherit" });
