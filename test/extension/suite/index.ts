/** Entry of the tests that run inside the extension host. */
import Mocha from "mocha";
import { type HostedResult, RESULT_MARK } from "../results.ts";
import { registerProblems } from "./problems.ts";
import { registerRuns } from "./runs.ts";
import { registerHostLoss } from "./host-loss.ts";
import { registerSettings } from "./settings.ts";
import { registerSurface } from "./surface.ts";

/** Called by VS Code (`extensionTestsPath`). Rejects when a test fails. */
export function run(): Promise<void> {
  const mocha = new Mocha({ ui: "bdd", timeout: 120_000, reporter: class {} as never });
  mocha.suite.emit("pre-require", globalThis as unknown as Mocha.MochaGlobals, "", mocha);
  for (const register of [registerSurface, registerRuns, registerProblems, registerSettings, registerHostLoss]) register();
  return new Promise((resolve, reject) => {
    const runner = mocha.run((failures) => (failures === 0 ? resolve() : reject(new Error(`${failures} failed`))));
    runner.on("pass", (test) => report({ name: test.fullTitle(), error: null }));
    runner.on("fail", (test, error: Error) => report({ name: test.fullTitle(), error: error.stack ?? error.message }));
  });
}

function report(result: HostedResult): void {
  console.log(RESULT_MARK + JSON.stringify(result));
}
