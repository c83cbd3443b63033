/** Entry of the tests that run inside the extension host; bundled by `extension-host.test.ts`. */
import Mocha from "mocha";
import { registerSurface } from "./surface.ts";

/** Called by VS Code (extensionTestsPath). Rejects when a test fails. */
export function run(): Promise<void> {
  const mocha = new Mocha({ ui: "bdd", timeout: 120_000, reporter: "json", reporterOptions: {} });
  mocha.suite.emit("pre-require", globalThis as unknown as Mocha.MochaGlobals, "", mocha);
  registerSurface();
  return new Promise((resolve, reject) => {
    const runner = mocha.run((failures) => (failures === 0 ? resolve() : reject(new Error(`${failures} failed`))));
    runner.on("pass", (test) => console.log(`PASS ${test.fullTitle()}`));
    runner.on("fail", (test, error: Error) => console.log(`FAIL ${test.fullTitle()}: ${error.message}`));
  });
}
