#!/usr/bin/env node
// The binary: hands the process's arguments, streams and signals to the program, and its answer to the process's exit code.

import { main } from "./program.ts";

const interrupt = new AbortController();
// Once each: a second Ctrl-C ends the process as the system does it.
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => interrupt.abort(new Error(`interrupted by ${name}`)));
}

const { stdin, stdout, stderr, env } = process;
process.exitCode = await main(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  signal: interrupt.signal,
});
