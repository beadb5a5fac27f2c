// From anything a caller may send to a command that can be decided, or to a refusal that names every fault.

import * as E from "fp-ts/lib/Either.js";
import { z } from "zod";

import type { Actor, Role } from "../domain/actor.ts";
import type { Command, CommandType } from "../domain/commands.ts";
import { limits } from "../domain/limits.ts";
import type { Issue, Rejection } from "../domain/refusals.ts";
import { actorSchema, commandSchemas, expectSchema, id, instant } from "./schemas.ts";
import { nearest } from "./suggest.ts";

/** `none`: the order must not exist yet; else the revision that the caller has seen. */
export type Expect = bigint | "none";

/** Who asks, under which id, and when. */
export interface ExecuteOptions {
  readonly actor: Actor;
  /** Unique within its order: the same id with the same command is the same command. */
  readonly commandId: string;
  /** Milliseconds UTC; the engine's clock without it. */
  readonly at?: number | undefined;
  /** Refuse the command unless the order stands here. */
  readonly expect?: Expect | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A command ready to be decided, with the canonical text of its id, actor and command (fixed key order): what is hashed. */
export interface Parsed {
  readonly command: Command;
  readonly commandId: string;
  readonly actor: Actor;
  readonly at: number | undefined;
  readonly expect: Expect | undefined;
  readonly canonical: string;
}

/** With which the ids of fired deadlines begin: nobody else may take one, or the deadline could never fire. */
export const duePrefix = "due:";

/** With which the ids of recorded refund outcomes begin: whoever else took one could keep an outcome from being recorded. */
export const refundPrefix = "refund:";

/** Beginnings of command ids that are kept for some roles. */
const reserved: readonly {
  readonly prefix: string;
  readonly roles: readonly Role[];
  readonly whose: string;
}[] = [
  { prefix: duePrefix, roles: ["system"], whose: "the system's" },
  { prefix: refundPrefix, roles: ["provider", "system"], whose: "the refund process's" },
];

type Refused = E.Either<Rejection<"invalidCommand">, never>;

const compiled: ReadonlyMap<string, z.ZodType> = new Map(
  Object.entries(commandSchemas).map(([type, schema]) => [type, z.compile(schema as z.ZodType)]),
);

const optionsSchema = z.compile(
  z.strictObject({
    commandId: id,
    actor: actorSchema,
    at: instant.optional(),
    expect: expectSchema.optional(),
    signal: z.unknown().optional(),
  }),
);

/** Reads a command and its circumstances; every fault found is an issue of the refusal. */
export function parse(input: unknown, options: unknown): E.Either<Rejection<"invalidCommand">, Parsed> {
  const given = optionsSchema.safeParse(options);
  const read = readCommand(input);
  if (!given.success || E.isLeft(read)) {
    const faults = given.success ? [] : issuesOf(given.error, optionKeys);
    return refused([...faults, ...(E.isLeft(read) ? read.left.issues : [])]);
  }
  const { commandId, actor, at, expect } = given.data;
  const kept = reserved.find(({ prefix }) => commandId.startsWith(prefix));
  if (kept !== undefined && !kept.roles.includes(actor.role)) {
    return refused([
      { field: "commandId", rule: `ids that begin with ${kept.prefix} are ${kept.whose} own` },
    ]);
  }
  const command = read.right;
  const canonical = JSON.stringify({ commandId, actor, command });
  // Three bytes a UTF-16 unit is the most that UTF-8 takes.
  if (canonical.length * 3 > limits.commandBytes && Buffer.byteLength(canonical) > limits.commandBytes) {
    const bytes = Buffer.byteLength(canonical);
    return refused([
      { field: "", rule: `a command is at most ${limits.commandBytes} bytes, and this is ${bytes}` },
    ]);
  }
  return E.right({
    command,
    commandId,
    actor,
    at,
    expect: expect === undefined || expect === "none" ? expect : BigInt(expect),
    canonical,
  });
}

/** Reads a command alone. */
export function readCommand(input: unknown): E.Either<Rejection<"invalidCommand">, Command> {
  if (input === null || typeof input !== "object" || Array.isArray(input)) {
    return refused([{ field: "", rule: "a command is an object with a type" }]);
  }
  const type: unknown = (input as { type?: unknown }).type;
  const schema = typeof type === "string" ? compiled.get(type) : undefined;
  if (schema === undefined) {
    const suggestion = typeof type === "string" ? nearest(type, compiled.keys()) : undefined;
    const rule =
      typeof type === "string"
        ? `no such command ${JSON.stringify(type.slice(0, 80))}`
        : "must name the command";
    return refused([{ field: "type", rule, suggestion }]);
  }
  const result = schema.safeParse(input);
  return result.success
    ? E.right(result.data as Command)
    : refused(issuesOf(result.error, keysOf(type as CommandType)));
}

function refused(issues: readonly Issue[]): Refused {
  return E.left({ code: "invalidCommand", issues });
}

/** A fault list long enough to work with; the rest is only counted. */
const mostIssues = 20;

type KnownKeys = (path: readonly PropertyKey[]) => readonly string[];

const optionKeys: KnownKeys = (path) =>
  path.length === 0 ? ["commandId", "actor", "at", "expect"] : ["role", "id"];

/** Put into words only where it is shown: a command may be wrong in a million places. */
type Fault = () => Issue;

function shown(faults: readonly Fault[]): readonly Issue[] {
  const issues = faults.slice(0, mostIssues).map((fault) => fault());
  if (faults.length <= mostIssues) return issues;
  return [...issues, { field: "", rule: `and ${faults.length - mostIssues} more` }];
}

/** What a schema library found, as issues of ours: paths as text, unknown keys one by one with the nearest known one. */
export function issuesOf(error: z.ZodError, known: KnownKeys): readonly Issue[] {
  return shown(
    error.issues.flatMap((issue): readonly Fault[] =>
      issue.code === "unrecognized_keys"
        ? unknownKeys(issue.path, issue.keys, known)
        : [() => ({ field: fieldOf(issue.path), rule: issue.message })],
    ),
  );
}

function unknownKeys(
  path: readonly PropertyKey[],
  keys: readonly string[],
  known: KnownKeys,
): readonly Fault[] {
  return keys.map((key) => () => ({
    field: fieldOf([...path, key]),
    rule: "unknown key",
    suggestion: nearest(key, known(path)),
  }));
}

/** The issues of keys that stand where only these are known. */
export function unknownKeyIssues(keys: readonly string[], known: readonly string[]): readonly Issue[] {
  return shown(unknownKeys([], keys, () => known));
}

function fieldOf(path: readonly PropertyKey[]): string {
  let field = "";
  for (const step of path) {
    const key = String(step).slice(0, 80);
    field += typeof step === "number" ? `[${key}]` : field === "" ? key : `.${key}`;
  }
  return field;
}

/** The keys that a command's schema knows at a path. */
function keysOf(type: CommandType): KnownKeys {
  return (path) => {
    let schema: unknown = commandSchemas[type];
    for (const step of path) schema = inside(schema, step);
    const shape = (bare(schema) as { shape?: object } | undefined)?.shape;
    return shape === undefined ? [] : Object.keys(shape);
  };
}

function bare(schema: unknown): unknown {
  const inner = (schema as { def?: { innerType?: unknown } } | undefined)?.def?.innerType;
  return inner === undefined ? schema : bare(inner);
}

function inside(schema: unknown, step: PropertyKey): unknown {
  const within = bare(schema) as { shape?: Record<PropertyKey, unknown>; element?: unknown } | undefined;
  return typeof step === "number" ? within?.element : within?.shape?.[step];
}
