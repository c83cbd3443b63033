/**
 * `npm test`: fetches what it needs, checks the code, runs every suite, ends with `N passed, N failed`.
 * `npm test -- unit contract` runs only those suites. A suite is a folder of `test/`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureChromium } from "./lib/chromium.mjs";
import { ensureCodeServer } from "./lib/code-server.mjs";
import { ensureGoTool, hasGo } from "./lib/go-tools.mjs";
import { ensureMongoServer, hasJavaTools } from "./lib/mongo-server.mjs";
import { withNode } from "./lib/node.mjs";
import { ensureBuild, ensureVsix } from "./lib/project.mjs";
import { ensurePython } from "./lib/python.mjs";
import { ROOT, run, say } from "./lib/shell.mjs";
import { ensureShellcheck } from "./lib/shellcheck.mjs";

/** In the order in which a failure says most. */
const SUITES = ["unit", "contract", "pipeline", "host", "cli", "infra", "bad-input", "fault", "extension", "browser"];
const SERVER_SUITES = ["contract", "host", "fault"];
const BROWSER_SUITES = ["extension", "browser"];
const RESULTS = join(ROOT, "test-results");

const CHECKS = [
  { name: "types", args: ["node_modules/typescript/bin/tsc", "-p", "."] },
  { name: "types of the pages", args: ["node_modules/typescript/bin/tsc", "-p", "webview"] },
  { name: "lint and format", args: ["node_modules/@biomejs/biome/bin/biome", "check"] },
  {
    name: "import direction",
    args: ["node_modules/dependency-cruiser/bin/dependency-cruiser.mjs", "src", "webview", "--config", ".dependency-cruiser.cjs"],
  },
  { name: "unused code", args: ["node_modules/knip/bin/knip.js"] },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => name !== "checks" && !SUITES.includes(name));
if (unknown.length > 0) {
  say(`There is no suite ${unknown.join(", ")}. Known: checks, ${SUITES.join(", ")}.`);
  process.exit(2);
}
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);

const node = await ensureBuild();
let env = { ...withNode(node), EDA_PYTHON: await ensurePython() };
// Without Go or Java the suites of S3 and MongoDB are skipped, or fail where no tool may be missing.
if (SERVER_SUITES.some(isWanted) && hasGo())
  env = { ...env, EDA_MINIO: await ensureGoTool("minio"), EDA_VERSITYGW: await ensureGoTool("versitygw") };
if (isWanted("fault") && hasGo()) env = { ...env, EDA_MC: await ensureGoTool("mc") };
if (SERVER_SUITES.some(isWanted) && hasJavaTools()) env = { ...env, EDA_MONGO_SERVER: await ensureMongoServer() };
if (isWanted("infra")) env = { ...env, EDA_SHELLCHECK: await ensureShellcheck() };
if (BROWSER_SUITES.some(isWanted)) {
  await ensureVsix();
  env = { ...env, EDA_CODE_SERVER: (await ensureCodeServer()).folder, EDA_CHROMIUM: await ensureChromium() };
}

const total = { passed: 0, failed: 0, skipped: 0 };
rmSync(RESULTS, { recursive: true, force: true });
mkdirSync(RESULTS, { recursive: true });
if (isWanted("checks")) for (const check of CHECKS) await runCheck(check);
for (const suite of SUITES.filter(isWanted)) await runSuite(suite);
say("");
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed > 0 ? 1 : 0);

async function runCheck({ name, args }) {
  say(`\n── check: ${name}`);
  const code = await run(node, args, { env });
  total[code === 0 ? "passed" : "failed"] += 1;
}

async function runSuite(suite) {
  if (!existsSync(join(ROOT, "test", suite))) return;
  say(`\n── suite: ${suite}`);
  const report = join(RESULTS, `${suite}.json`);
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    `test/${suite}/`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  const code = await run(node, args, { env });
  const counts = readCounts(report);
  total.passed += counts.numPassedTests;
  total.skipped += counts.numPendingTests + counts.numTodoTests;
  // A file that does not even load has no test that could fail.
  total.failed += Math.max(counts.numFailedTests, code === 0 ? 0 : 1);
}

function readCounts(report) {
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  }
}
