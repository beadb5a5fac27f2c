// `aftersale copy`: the orders and wallets of one store into another, resumable, and compared event by event afterwards.

import type { Command } from "commander";

import { CliError, type Exit, exits } from "./exits.ts";
import { table } from "./output.ts";
import type { Run, Session } from "./session.ts";

interface CopyArguments {
  readonly from: string;
  readonly to: string;
}

export function addCopy(program: Command, run: Run): void {
  program
    .command("copy")
    .description(
      "copy the events of orders and wallets to another store, and compare both event by event; broken off, it goes on next time",
    )
    .requiredOption("--from <url>", "the store to read: sqlite:FILE or esdb://HOST:2113")
    .requiredOption(
      "--to <url>",
      "the store to write: sqlite:FILE, made where there is none, or esdb://HOST:2113",
    )
    .action((options: CopyArguments, command: Command) => run(command, (session) => copy(session, options)));
}

async function copy(session: Session, { from, to }: CopyArguments): Promise<Exit> {
  if (from === to) throw new CliError(exits.usage, "copy: --from and --to are the same store");
  const { openStoreAt } = await import("../store/open.ts");
  const { copyEvents } = await import("../audit/copy.ts");
  const open = async (flag: string, url: string, readOnly: boolean) => {
    try {
      return await openStoreAt(url, { readOnly });
    } catch (error) {
      if (error instanceof TypeError) {
        throw new CliError(exits.usage, `--${flag}: ${error.message.replace(/^store: /, "")}`, {
          cause: error,
        });
      }
      throw error;
    }
  };
  const source = await open("from", from, true);
  try {
    const destination = await open("to", to, false);
    try {
      const totals = await copyEvents(source, destination, {
        signal: session.signal,
        onProgress: (stage, events) =>
          session.progress(() => `${stage}: ${events.toLocaleString("en")} events`),
      });
      session.clearProgress();
      if (session.json) {
        await session.document({ copy: totals });
        return exits.done;
      }
      const rows = [
        ["orders", totals.orders.toLocaleString("en")],
        ["wallets", totals.wallets.toLocaleString("en")],
        ["events", totals.events.toLocaleString("en")],
        ["written now", totals.copied.toLocaleString("en")],
        ["the same in both", totals.verified.toLocaleString("en")],
      ];
      await session.print(table([{ title: "" }, { title: "", align: "right" }], rows));
      return exits.done;
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}
