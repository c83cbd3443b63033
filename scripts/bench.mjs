/** `npm run bench:NAME -- OPTIONS`: builds, then runs `bench/NAME.ts`. */
import { ensureGoTool } from "./lib/go-tools.mjs";
import { ensureBuild } from "./lib/project.mjs";
import { withNode } from "./lib/node.mjs";
import { run, say } from "./lib/shell.mjs";

const [name, ...options] = process.argv.slice(2);
if (!/^[a-z-]+$/u.test(name ?? "")) {
  say("Say which benchmark: npm run bench:ingest");
  process.exit(2);
}
const node = await ensureBuild();
if (name === "objects" || options.includes("s3")) for (const tool of ["minio", "mc"]) await ensureGoTool(tool);
process.exit(await run(node, [`bench/${name}.ts`, ...options], { env: withNode(node) }));
