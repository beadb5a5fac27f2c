// `aftersale run`: runs scenario files and reports what came out otherwise than expected.

import { type Command, Option } from "commander";

import { CliError, exits } from "./exits.ts";
import type { GlobalOptions, Run } from "./session.ts";

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
        refuseGlobals(command.optsWithGlobals<GlobalOptions>());
        const { runScenarios } = await import("./run.ts");
        return runScenarios(files, { reporter: session.json ? "json" : reporter, store: on }, session.io);
      }),
    );
}

/** What would name a store, terms or a key for everything else names none here: each scenario has its own. */
function refuseGlobals({ store, terms, redeemKeyFile }: GlobalOptions): void {
  const instead = {
    "--store": [store, "each scenario runs on a fresh store; --on says of which kind"],
    "--terms": [terms, "a scenario states its own `terms`"],
    "--redeem-key-file": [redeemKeyFile, "a scenario states its own `redeemKey`"],
  } as const;
  for (const [option, [given, why]] of Object.entries(instead)) {
    if (given !== undefined) throw new CliError(exits.usage, `run: ${option} has no meaning here: ${why}`);
  }
}
