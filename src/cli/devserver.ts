// `aftersale devserver`: an EventStoreDB for development and tests, on this machine alone, until Ctrl-C.

import type { Command } from "commander";

import { countOf } from "./arguments.ts";
import { CliError, type Exit, exits, messageOf } from "./exits.ts";
import type { Run, Session } from "./session.ts";

interface DevServerArguments {
  readonly port: number;
  readonly data?: string;
}

/** EventStoreDB's own. */
const defaultPort = 2113;

export function addDevServer(program: Command, run: Run): void {
  program
    .command("devserver")
    .description(
      "serve the streams of a development EventStoreDB on 127.0.0.1 until Ctrl-C\n" +
        "It speaks a subset of the EventStoreDB 20+ gRPC protocol: no clusters, no security, no projections.",
    )
    .option("--data <file>", "keep the log in this file (default: in memory)")
    .option("--port <number>", "0 for any that is free", countOf(0, 65_535), defaultPort)
    .action((options: DevServerArguments, command: Command) =>
      run(command, (session) => devServer(session, options)),
    );
}

async function devServer(session: Session, { port, data }: DevServerArguments): Promise<Exit> {
  const { startDevServer } = await import("../server/devserver/server.ts");
  const server = await startDevServer({ port, data }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const why = code === "EADDRINUSE" ? "is taken" : "may not be used";
    throw new CliError(exits.unreachable, `port ${port} ${why}: ${messageOf(error)}`, { cause: error });
  });
  try {
    if (session.json) await session.document({ url: server.url, port: server.port, data: data ?? null });
    else await session.print(server.url);
    session.note(
      "a development server: it speaks a subset of the EventStoreDB 20+ gRPC protocol, to this machine only; Ctrl-C ends it",
    );
    await session.interrupted();
  } finally {
    await server.close();
  }
  return exits.done;
}
