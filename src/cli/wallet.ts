// `aftersale wallet`: what a buyer has with the shop, what became of it, and paying money in.

import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import type { WalletBalance } from "../commands/wallet.ts";
import { currencyFault } from "../domain/currencies.ts";
import { formatAmount, parseAmount } from "../domain/money.ts";
import { describeRejection } from "../domain/refusals.ts";
import { type WalletEvent, describeWalletRefusal } from "../domain/wallet.ts";
import type { Envelope } from "../store/codec.ts";
import { CliError, exits } from "./exits.ts";
import { instantText, printable, table } from "./output.ts";
import type { Run, Session } from "./session.ts";

interface TopUpOptions {
  readonly currency: string;
  readonly id?: string;
  readonly note?: string;
}

export function addWallet(program: Command, run: Run): void {
  const wallet = program
    .command("wallet")
    .description("show a buyer's wallet, and pay money in")
    .helpCommand(false);
  wallet
    .command("show")
    .description("what a buyer may spend, what is held for payments, and every movement")
    .argument("<buyer>", "the buyer's id")
    .action((buyerId: string, _options: object, command: Command) =>
      run(command, (session) => show(session, buyerId)),
    );
  wallet
    .command("top-up")
    .description("pay money in, once for each id")
    .argument("<buyer>", "the buyer's id")
    .argument("<amount>", "in major units, such as 100.00")
    .option("--currency <code>", "ISO 4217", "CNY")
    .option("--id <id>", "the same id again pays nothing more (default: a fresh one)")
    .option("--note <text>", "what it was for")
    .action((buyerId: string, amount: string, options: TopUpOptions, command: Command) =>
      run(command, (session) => topUp(session, buyerId, amount, options)),
    );
}

async function show(session: Session, buyerId: string) {
  const [holds, movements] = await session.read(async (engine) => [
    await engine.wallet.show(buyerId),
    await engine.wallet.history(buyerId),
  ]);
  if (session.json) {
    await session.document({ buyerId, ...holds, movements: movements.map(documentOf) });
    return exits.done;
  }
  await printed(session, holds);
  if (movements.length > 0) {
    const rows = movements.map(({ event, meta }) => [
      instantText(event.at),
      event.type,
      "amount" in event.data ? formatAmount(event.data.amount, event.data.currency) : "",
      "currency" in event.data ? event.data.currency : "",
      "orderId" in event.data ? event.data.orderId : "",
      meta.commandId,
      `${meta.actor.role} ${meta.actor.id}`,
    ]);
    const columns = ["at", "what", "amount", "", "order", "id", "by"].map((title) => ({ title }));
    await session.print(session.section("Movements", table(columns, rows)));
  }
  return exits.done;
}

function documentOf({ event, meta, revision }: Envelope<WalletEvent>): object {
  return { revision: String(revision), ...event, actor: meta.actor, commandId: meta.commandId };
}

async function printed(session: Session, { balances, held }: WalletBalance): Promise<void> {
  const sums = Object.entries(balances).map(([currency, amount]) => [
    formatAmount(amount, currency),
    currency,
  ]);
  if (sums.length === 0) session.note("nothing was ever paid in");
  else await session.print(table([{ title: "", align: "right" }, { title: "" }], sums));
  for (const { orderId, amount, currency } of held) {
    await session.print(
      `held for order ${printable(orderId)}: ${formatAmount(amount, currency)} ${currency}`,
    );
  }
}

async function topUp(
  session: Session,
  buyerId: string,
  text: string,
  { currency, id = randomUUID(), note }: TopUpOptions,
) {
  const fault = currencyFault(currency);
  if (fault !== undefined) throw new CliError(exits.usage, `--currency: ${fault}`);
  const amount = parseAmount(text, currency);
  if (amount === undefined) {
    throw new CliError(exits.usage, `<amount>: ${JSON.stringify(text)} is no amount of ${currency}`);
  }
  const done = await session.change(
    (engine) =>
      engine.wallet.topUp({
        buyerId,
        topUpId: id,
        amount,
        currency,
        note,
        actor: { role: "staff", id: "cli" },
      }),
    { create: true },
  );
  if (done._tag === "Left") {
    const { left } = done;
    const words = left.code === "invalidCommand" ? describeRejection(left) : describeWalletRefusal(left);
    throw new CliError(exits.refused, words);
  }
  if (session.json) await session.document({ buyerId, topUpId: id, ...done.right });
  else await printed(session, done.right);
  session.note(done.right.replayed ? `${id} had been paid in before` : `${id} was paid in`);
  return exits.done;
}
