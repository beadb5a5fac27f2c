// A harness line as it was read: an object of strict keys, split into the command and its circumstances.

import { parse, type ExecuteOptions } from "../commands/parse.ts";
import { nearest } from "../commands/suggest.ts";
import type { Issue, Rejection } from "../domain/refusals.ts";

/** What the engine is given; nothing of it is checked yet. */
export interface Asked {
  readonly command: unknown;
  readonly options: ExecuteOptions;
}

export const lineKeys = ["commandId", "at", "actor", "expect", "command"] as const;

const known: ReadonlySet<string> = new Set(lineKeys);

/** @returns the refusal that names every unknown key, and whatever else is wrong beside. */
export function readLine(line: Readonly<Record<string, unknown>>): Asked | Rejection<"invalidCommand"> {
  const { commandId, at, actor, expect, command } = line;
  const options = { commandId, at, actor, expect } as ExecuteOptions;
  const unknown = Object.keys(line).filter((key) => !known.has(key));
  if (unknown.length === 0) return { command, options };
  const issues = unknown.map((key): Issue => {
    const suggestion = nearest(key, lineKeys);
    return {
      field: key.slice(0, 80),
      rule: "unknown key",
      ...(suggestion === undefined ? {} : { suggestion }),
    };
  });
  const rest = parse(command, options);
  return {
    code: "invalidCommand",
    issues: rest._tag === "Left" ? [...issues, ...rest.left.issues] : issues,
  };
}
