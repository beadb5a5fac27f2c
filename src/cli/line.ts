// A harness line as it was read: an object of strict keys, split into the command and its circumstances.

import { type ExecuteOptions, parse, unknownKeyIssues } from "../commands/parse.ts";
import type { Rejection } from "../domain/refusals.ts";

/** What the engine is given; nothing of it is checked yet. */
export interface Asked {
  readonly command: unknown;
  readonly options: ExecuteOptions;
}

export const lineKeys = ["commandId", "at", "actor", "expect", "command"] as const;

const known: ReadonlySet<string> = new Set(lineKeys);

/** @returns the refusal that names the unknown keys, and whatever else is wrong beside. */
export function readLine(line: Readonly<Record<string, unknown>>): Asked | Rejection<"invalidCommand"> {
  const { commandId, at, actor, expect, command } = line;
  const options = { commandId, at, actor, expect } as ExecuteOptions;
  const unknown = Object.keys(line).filter((key) => !known.has(key));
  if (unknown.length === 0) return { command, options };
  const issues = unknownKeyIssues(unknown, lineKeys);
  const rest = parse(command, options);
  return {
    code: "invalidCommand",
    issues: rest._tag === "Left" ? [...issues, ...rest.left.issues] : issues,
  };
}
