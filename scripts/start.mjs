/**
 * `npm start`: fetches what it needs, runs the seven stages on the demonstration project, then serves VS Code on it until Ctrl-C.
 * `--headless` stops after the pipeline; `--port N` chooses the port.
 */
import { parseArgs } from "node:util";
import { ensureCodeServer } from "./lib/code-server.mjs";
import { withNode } from "./lib/node.mjs";
import { ensureBuild, ensureVsix } from "./lib/project.mjs";
import { ensurePython } from "./lib/python.mjs";
import { ROOT, run, say } from "./lib/shell.mjs";
import { serve } from "./lib/serve.mjs";
import { join } from "node:path";

const { values: options } = parseArgs({ options: { headless: { type: "boolean" }, port: { type: "string" } } });
const workspace = join(ROOT, ".demo", "workspace");

try {
  const node = await ensureBuild();
  // Both only wait for the network and the compiler.
  const [python, , codeServer] = await together([ensurePython(), ensureVsix(), options.headless ? undefined : ensureCodeServer()]);
  const env = { ...withNode(node), EDA_PYTHON: python, EDA_HOME: ROOT };
  const eda = (...args) => run(node, [join(ROOT, "dist", "cli", "main.js"), ...args, "--workspace", workspace], { env });
  const code = await eda("demo");
  if (code !== 0) process.exit(code);
  say(`\nThe demonstration is in ${workspace}: try git log there, or npm run -s eda -- verify --workspace ${workspace}`);
  if (options.headless) await eda("host", "stop");
  else
    await serve({
      codeServer,
      workspace,
      env,
      port: options.port === undefined ? undefined : Number(options.port),
      stopHost: () => eda("host", "stop"),
    });
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

/** All of them, or the first failure once every one has ended: nothing is left running behind the message. */
async function together(works) {
  const results = await Promise.allSettled(works);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
