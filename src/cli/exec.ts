// `aftersale exec`: executes one command, or a stream of them, a line each.

import { randomUUID } from "node:crypto";

import { type Command, Option } from "commander";

import type { ExecuteOptions } from "../commands/parse.ts";
import type { Actor } from "../domain/actor.ts";
import { isObject, present } from "../domain/json.ts";
import { type Rejection, describeRejection } from "../domain/refusals.ts";
import { actorOf, countOf, instantOf } from "./arguments.ts";
import { CliError, type Exit, exits } from "./exits.ts";
import { parseJson } from "./input.ts";
import { printable, toJson } from "./output.ts";
import { receiptDocument, refusalDocument } from "./receipt.ts";
import type { Run, Session } from "./session.ts";

interface ExecOptions {
  readonly stdin?: boolean;
  readonly as?: Actor;
  readonly id?: string;
  readonly at?: number;
  readonly expect?: string;
  readonly preview?: boolean;
  readonly events?: boolean;
  readonly inFlight?: number;
  readonly results: boolean;
}

export function addExec(program: Command, run: Run): void {
  const one = ["as", "id", "at", "expect", "preview"];
  program
    .command("exec")
    .description("execute one command, or with --stdin one a line; the store is made where there is none")
    .argument("[json]", "a harness line {commandId, at, actor, expect, command}, or a command alone")
    .option("--as <role:id>", "who gives the command", actorOf)
    .option("--id <commandId>", "its id: the same id again is the same command (default: a new one)")
    .option("--at <when>", "when it is given (default: now)", instantOf)
    .option("--expect <revision>", "refuse it unless the order stands at this revision, or is `none` yet")
    .option("--preview", "only say what it would do")
    .addOption(
      new Option("--stdin", "read a harness line a line from stdin, answer a result a line").conflicts(one),
    )
    .option("--in-flight <n>", "with --stdin: commands under way at once (default: 1024)", countOf(1, 65_536))
    .option("--no-results", "with --stdin: print nothing but refusals and unreadable lines")
    .option("--events", "print the events whole, not their types alone")
    .addHelpText("after", notes)
    .action((json: string | undefined, options: ExecOptions, command: Command) =>
      run(command, (session) => exec(session, json, options)),
    );
}

const notes = `
With --stdin, results come in the order of the lines. Commands of one order are executed in that order; those of
different orders share commits, so that the store may hold them in another one (--in-flight 1 keeps it):
  {"line":1,"ok":true,"receipt":{"orderId","commandId","revision","position","events","replayed"}}
  {"line":2,"ok":false,"error":{"code","message",...}}
Empty lines are left out. The exit code is 0 where all lines were accepted or repeats (also of no lines at all),
3 where one could not be read, else 5 where one was refused. Lines are executed whether or not the results are read.`;

async function exec(session: Session, json: string | undefined, options: ExecOptions): Promise<Exit> {
  if (options.stdin === true) {
    if (json !== undefined) throw new CliError(exits.usage, "exec: give a command or --stdin, not both");
    const { executeLines } = await import("./stream.ts");
    return session.change(
      (engine) =>
        executeLines(session, engine, {
          inFlight: options.inFlight ?? 1_024,
          results: options.results,
          whole: options.events === true,
        }),
      { create: true },
    );
  }
  if (options.inFlight !== undefined || !options.results) {
    throw new CliError(exits.usage, "exec: --in-flight and --no-results go with --stdin");
  }
  if (json === undefined) throw new CliError(exits.usage, "exec: give a command as JSON, or --stdin");
  const { readLine } = await import("./line.ts");
  const asked = readLine(lineOf(parseJson(json, "argument"), options));
  if ("code" in asked) return refused(session, asked);
  return options.preview === true
    ? preview(session, asked.command, asked.options)
    : execute(session, asked.command, asked.options, options.events === true);
}

/** The argument as a harness line, with what the options say where it does not. */
function lineOf(json: unknown, { as, id, at, expect }: ExecOptions): Readonly<Record<string, unknown>> {
  if (!isObject(json)) {
    throw new CliError(exits.unreadable, "argument:1:1: a command is a JSON object");
  }
  const line: Readonly<Record<string, unknown>> = "type" in json ? { command: json } : { ...json };
  const given = { actor: as, commandId: id, at, expect };
  const flags = { actor: "--as", commandId: "--id", at: "--at", expect: "--expect" };
  for (const key of Object.keys(flags) as (keyof typeof flags)[]) {
    if (given[key] !== undefined && line[key] !== undefined) {
      throw new CliError(exits.usage, `exec: ${flags[key]}, and the line has its own ${key}`);
    }
  }
  if (as === undefined && "type" in json) {
    throw new CliError(exits.usage, "exec: say who gives the command, such as --as buyer:17850");
  }
  const merged = { ...line, ...present(given) };
  return "type" in json && id === undefined ? { ...merged, commandId: `cli:${randomUUID()}` } : merged;
}

async function execute(
  session: Session,
  command: unknown,
  options: ExecuteOptions,
  whole: boolean,
): Promise<Exit> {
  const answer = await session.change((engine) => engine.execute(command, options), { create: true });
  if (answer._tag === "Left") return refused(session, answer.left);
  const receipt = answer.right;
  if (session.json) {
    await session.document({ receipt: receiptDocument(receipt, whole) });
    return exits.done;
  }
  const { orderId, commandId, revision, position, events, replayed } = receipt;
  const outcome = replayed ? "accepted before" : events.length === 0 ? "nothing to do" : "accepted";
  await session.print(
    `${outcome}: order ${orderId} at revision ${revision}, position ${position} (command ${commandId})`,
  );
  for (const event of events) await session.print(`  ${whole ? printable(toJson(event)) : event.type}`);
  return exits.done;
}

async function preview(session: Session, command: unknown, options: ExecuteOptions): Promise<Exit> {
  const answer = await session.read((engine) => engine.preview(command, options));
  if (answer._tag === "Left") return refused(session, answer.left);
  if (session.json) {
    await session.document({ preview: answer.right });
    return exits.done;
  }
  const { orderId, revision, events, state } = answer.right;
  await session.print(
    events.length === 0
      ? `would change nothing: order ${orderId} is ${state.status}, at revision ${revision}`
      : `would be accepted: order ${orderId}, now at revision ${revision}, would be ${state.status}`,
  );
  for (const event of events) await session.print(`  ${printable(toJson(event))}`);
  return exits.done;
}

/** Says why, in words on stderr and as data on stdout where that was asked for. */
async function refused(session: Session, rejection: Rejection): Promise<Exit> {
  if (session.json) await session.document({ error: refusalDocument(rejection) });
  session.complain(`aftersale: refused: ${printable(describeRejection(rejection))}`);
  return rejection.code === "versionConflict" ? exits.conflict : exits.refused;
}
