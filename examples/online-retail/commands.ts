// The program: prints the orders of a folder of Online Retail CSV files as commands for `aftersale exec --stdin`.

import { run } from "./run.ts";

process.exitCode = await run(process.argv.slice(2), process.stdout, process.stderr);
