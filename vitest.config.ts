import { defineConfig } from "vitest/config";

/** Real servers start slowly on a loaded machine. */
const SERVER_TIMEOUT_MS = 120_000;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Two cores: more workers only make servers time out.
    maxWorkers: 2,
    testTimeout: SERVER_TIMEOUT_MS,
    hookTimeout: SERVER_TIMEOUT_MS,
    teardownTimeout: 30_000,
    // The person's Git identity and the editor's environment play no part.
    env: { NO_COLOR: "1" },
  },
});
