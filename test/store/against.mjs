// Runs the store's contract, the engine's scenarios and the Online Retail sample against the server that the argument names.

import { spawnSync } from "node:child_process";

const files = [
  "test/store/devserver.test.ts",
  "test/engine.test.ts",
  "test/model.test.ts",
  "test/commands",
  "test/audit",
  "test/projections",
  "test/store/retail.test.ts",
];

const [url, ...rest] = process.argv.slice(2);
if (url === undefined) {
  console.log(`skipped: no server was named, so ${files.length} groups of tests were not run on one:`);
  for (const file of files) console.log(`  ${file}`);
  console.log("name one: npm run test:store -- esdb://HOST:2113?tls=false");
} else {
  // One file after the other: on one server each has to read over what the others write.
  const args = ["vitest", "run", "--no-file-parallelism", ...files, "-t", "esdb", ...rest];
  const { status } = spawnSync("npx", args, {
    stdio: "inherit",
    env: { ...process.env, AFTERSALE_TEST_STORE: url },
  });
  process.exitCode = status ?? 1;
}
