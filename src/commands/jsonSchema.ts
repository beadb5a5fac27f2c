// JSON Schema (draft 2020-12) of what is accepted from outside, for other languages, out of the very schemas that parse it.

import { z } from "zod";

import type { CommandType } from "../domain/commands.ts";
import { actorSchema, commandSchemas, expectInJson, id, instant } from "./schemas.ts";
import { termsSchema } from "./terms.ts";

export type JsonSchema = z.core.JSONSchema.JSONSchema;

const commandTypes = Object.keys(commandSchemas) as readonly CommandType[];

const anyCommand = z.discriminatedUnion(
  "type",
  Object.values(commandSchemas) as unknown as [z.ZodObject<{ type: z.ZodLiteral<string> }>],
);

/** One line of a harness: a command with who gives it, under which id, and when. */
const harnessLine = z.strictObject({
  commandId: id,
  at: instant.optional(),
  actor: actorSchema,
  expect: expectInJson.optional(),
  command: anyCommand,
});

type Named = readonly [name: string, entry: readonly [schema: z.ZodType, title: string]];

const named: ReadonlyMap<string, readonly [schema: z.ZodType, title: string]> = new Map<string, Named[1]>([
  ["line", [harnessLine, "A line of `aftersale exec --stdin`"]],
  ["commands", [anyCommand, "A command"]],
  ["terms", [termsSchema, "A file of terms, by merchant; * for all others"]],
  ...commandTypes.map((type): Named => [type, [commandSchemas[type], `The command ${type}`]]),
]);

/** What there are schemas of. */
export const schemaNames: readonly string[] = [...named.keys()];

/** The schema of this name; undefined where there is none. */
export function jsonSchema(name: string): JsonSchema | undefined {
  const found = named.get(name);
  if (found === undefined) return undefined;
  const [schema, title] = found;
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema: written }) => {
      // The only values that are read by a transform are open maps.
      if (zodSchema._zod.def.type === "pipe") written.type = "object";
    },
  });
  return { ...($schema === undefined ? {} : { $schema }), title, ...rest };
}
