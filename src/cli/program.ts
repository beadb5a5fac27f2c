// The program: its commands and global options, and how any end of a run becomes an exit code and one line.

import { readFileSync } from "node:fs";

import { Command, CommanderError } from "commander";

import { addExport, addImport } from "./baidu.ts";
import { addQueue, addRefunds } from "./cases.ts";
import { addCompletion } from "./completion.ts";
import { addCopy } from "./copy.ts";
import { addDevServer } from "./devserver.ts";
import { addDiagram } from "./diagram.ts";
import { addDoctor } from "./doctor.ts";
import { addDue } from "./due.ts";
import { addExec } from "./exec.ts";
import { CliError, type Exit, describeExits, exitOf, exits, messageOf } from "./exits.ts";
import { addOrders } from "./orders.ts";
import { Output, printable } from "./output.ts";
import { addRefund } from "./refund.ts";
import { addRebuild, addReplay } from "./replay.ts";
import { addRun } from "./scenarios.ts";
import { addSchema } from "./schema.ts";
import { addServe } from "./serve.ts";
import { type GlobalOptions, type Io, type Run, Session } from "./session.ts";
import { addHistory, addShow } from "./show.ts";
import { addStats } from "./stats.ts";
import { addToken } from "./token.ts";
import { addWallet } from "./wallet.ts";

/** Runs one command line (without the program's own name) and gives its exit code; whatever goes wrong, it does not throw. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const out = new Output(io.stdout);
  const err = new Output(io.stderr);
  let exit: Exit = exits.done;
  let endsBySignal = false;
  const run: Run = async (command, work) => {
    const session = new Session(io, command.optsWithGlobals<GlobalOptions>(), out, err);
    try {
      exit = await work(session);
      ({ endsBySignal } = session);
    } finally {
      session.clearProgress();
    }
  };
  try {
    await programFor(run, out, err).parseAsync(argv, { from: "user" });
    await out.finish();
    return io.signal.aborted && !endsBySignal ? exits.interrupted : exit;
  } catch (error) {
    exit = await ended(error, io, err);
    // What was printed before the fault belongs to it.
    await out.finish().catch(() => undefined);
    return exit;
  } finally {
    await err.finish().catch(() => undefined);
  }
}

async function ended(error: unknown, { signal, env }: Io, err: Output): Promise<Exit> {
  if (error instanceof CommanderError) {
    // commander has said what it had to say.
    return error.exitCode === 0 ? exits.done : exits.usage;
  }
  if (signal.aborted && !(error instanceof CliError)) {
    await err.write("aftersale: interrupted\n");
    return exits.interrupted;
  }
  const exit = exitOf(error);
  const debugged = (env["AFTERSALE_DEBUG"] ?? "") !== "" && error instanceof Error;
  const hint = exit === exits.bug && !debugged ? " (a bug: AFTERSALE_DEBUG=1 shows where)" : "";
  await err.write(`aftersale: ${printable(messageOf(error))}${hint}\n`);
  if (debugged) await err.write(`${error.stack ?? ""}\n`);
  return exit;
}

function programFor(run: Run, out: Output, err: Output): Command {
  const program = new Command("aftersale")
    .description(
      "An event-sourced order engine: commands in, events kept, statistics and order lists out.\n" +
        "Data goes to stdout, all else to stderr.",
    )
    .version(version(), "--version", "print the version")
    .option(
      "--store <url>",
      "the store: sqlite:FILE, esdb://HOST:2113 or memory: (default: AFTERSALE_STORE, else sqlite:./aftersale.db)",
    )
    .option(
      "--views <file>",
      "where the views over esdb:// are kept (default: AFTERSALE_VIEWS, else ./aftersale-views.db)",
    )
    .option("--terms <file>", "JSON file of the terms in force by merchant id, * for all others")
    .option(
      "--redeem-key-file <file>",
      "file with the secret of write-off codes (default: AFTERSALE_REDEEM_KEY)",
    )
    .option("--json", 'print JSON documents, versioned: {"v":1,...}')
    .option("--quiet", "no summaries, hints or progress on stderr")
    .helpOption("--help", "print this help")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .configureOutput({
      writeOut: (text) => void out.write(text),
      writeErr: (text) => void err.write(text),
      // commander puts its suggestion into a line of its own.
      outputError: (text, write) =>
        write(
          `${printable(
            text
              .replace(/^error: /, "aftersale: ")
              .trim()
              .replaceAll("\n", " "),
          )}\n`,
        ),
    })
    .exitOverride()
    .addHelpText("after", `\n${describeExits()}`);
  addExec(program, run);
  addRun(program, run);
  addShow(program, run);
  addHistory(program, run);
  addStats(program, run);
  addOrders(program, run);
  addRefunds(program, run);
  addRefund(program, run);
  addQueue(program, run);
  addReplay(program, run);
  addRebuild(program, run);
  addDue(program, run);
  addWallet(program, run);
  addServe(program, run, version());
  addToken(program, run);
  addExport(program, run);
  addImport(program, run);
  addDiagram(program, run);
  addSchema(program, run);
  addDevServer(program, run);
  addCopy(program, run);
  addDoctor(program, run, version());
  addCompletion(program, run);
  return program;
}

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}
