// How the tests run: processes rather than threads, because stores are native addons and tests start workers of their own.

import { availableParallelism } from "node:os";

import { defineConfig } from "vitest/config";

/** `.ci/run` names a file here, and adds up the tests of every run from it; it also asks for coverage, as `--coverage` does. */
const report = process.env["AFTERSALE_TEST_REPORT"];
const covered = process.env["AFTERSALE_TEST_COVERAGE"] === "yes";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build.ts"],
    pool: "forks",
    // A process loads the engine once for all of its files: no test mocks a module, and a quarter of the time went into loading.
    isolate: false,
    // Of two cores it would leave one to itself, which needs none.
    maxWorkers: availableParallelism(),
    // A longer proof takes as long as it takes.
    testTimeout: process.env["AFTERSALE_RUNS"] === undefined ? 60_000 : 0,
    hookTimeout: 60_000,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    coverage: {
      enabled: covered,
      provider: "v8",
      include: ["src/**/*.ts"],
      reporter: ["text", "html"],
      thresholds: {
        lines: 90,
        "src/domain/**/*.ts": { lines: 100, branches: 98 },
      },
    },
  },
});
