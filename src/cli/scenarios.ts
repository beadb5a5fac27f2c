// `aftersale run`: runs scenario files and reports what came out otherwise than expected.

import { type Command, Option } from "commander";

import type { Run } from "./session.ts";

interface RunOptions {
  readonly reporter: string;
  readonly on: string;
}

export function addRun(program: Command, run: Run): void {
  program
    .command("run")
    .description("run scenario files: exit 4 where an expectation failed, 9 where there was none")
    .argument("<file...>", "YAML files, or folders of them")
    .addOption(
      new Option("--reporter <name>", "how to report")
        .choices(["spec", "tap", "junit", "json"])
        .default("spec"),
    )
    .addOption(
      new Option("--on <store>", "each scenario's own, fresh store: memory, or a file")
        .choices(["memory:", "sqlite:"])
        .default("memory:"),
    )
    .action((files: readonly string[], { reporter, on }: RunOptions, command: Command) =>
      run(command, async (session) => {
        const { runScenarios } = await import("./run.ts");
        return runScenarios(files, { reporter: session.json ? "json" : reporter, store: on }, session.io);
      }),
    );
}
