// `aftersale schema`: JSON Schema of what is accepted from outside.

import type { Command } from "commander";

import { nearest } from "../commands/suggest.ts";
import { CliError, exits } from "./exits.ts";
import { toJson } from "./output.ts";
import type { Run } from "./session.ts";

export function addSchema(program: Command, run: Run): void {
  program
    .command("schema")
    .description("print a JSON Schema (draft 2020-12)")
    .argument("[name]", "line (of exec --stdin), commands, terms, or one command such as CreateOrder", "line")
    .action((name: string, _options: object, command: Command) =>
      run(command, async (session) => {
        const { jsonSchema, schemaNames } = await import("../commands/jsonSchema.ts");
        const schema = jsonSchema(name);
        if (schema === undefined) {
          const near = nearest(name, schemaNames);
          const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
          throw new CliError(
            exits.usage,
            `there is no schema ${JSON.stringify(name)}${hint}; there are ${schemaNames.join(", ")}`,
          );
        }
        await session.print(toJson(schema, 2));
        return exits.done;
      }),
    );
}
