// `aftersale orders`: a page of the order list, filtered.

import { type Command, Option } from "commander";

import { type Rating, ratings } from "../domain/events.ts";
import { formatAmount } from "../domain/money.ts";
import type { Bound } from "../projections/asof.ts";
import type { OrderFilter, OrderPage } from "../projections/orders.ts";
import type { Scope } from "../projections/statistics.ts";
import { boundOf, countOf, instantOf, listFor } from "./arguments.ts";
import { CliError, exits, messageOf } from "./exits.ts";
import { clip, table } from "./output.ts";
import type { Run, Session } from "./session.ts";

interface OrdersOptions {
  readonly buyer?: string;
  readonly merchant?: string;
  readonly status?: string;
  readonly rating?: Rating;
  readonly hasRefund?: boolean;
  readonly from?: number;
  readonly to?: number;
  readonly text?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly asOf?: Bound;
}

export function addOrders(program: Command, run: Run): void {
  program
    .command("orders")
    .description("list orders, newest first, a page at a time")
    .addOption(new Option("--buyer <id>", "this buyer's, without what the buyer hid").conflicts("merchant"))
    .option("--merchant <id>", "this merchant's, without what the merchant hid")
    .option("--status <list>", "in one of these statuses, such as paid,shipped")
    .addOption(new Option("--rating <rating>", "with a line that was rated so").choices(ratings))
    .option("--has-refund", "with an after-sale refund")
    .option("--from <when>", "created at or after this instant", instantOf)
    .option("--to <when>", "created before this instant", instantOf)
    .option("--text <words>", "with all these words in titles or numbers")
    .option("--limit <n>", "orders a page, 1 to 1000 (default: 20)", countOf(1, 1_000))
    .option("--cursor <cursor>", "go on where the page before ended (its `next`)")
    .option("--as-of <when>", "as the list stood then: an instant, or pos:P; made from the events", boundOf)
    .action((options: OrdersOptions, command: Command) =>
      run(command, (session) => orders(session, options)),
    );
}

async function orders(session: Session, options: OrdersOptions) {
  const { buyer, merchant, status, asOf, ...rest } = options;
  const { rating, hasRefund, from, to, text, limit, cursor } = rest;
  const scope: Scope =
    buyer !== undefined ? { buyerId: buyer } : merchant !== undefined ? { merchantId: merchant } : "all";
  const { orderStatuses } = await import("../domain/lifecycle.ts");
  const statuses = listFor("--status", status, orderStatuses);
  const filter: OrderFilter = { scope, statuses, rating, hasRefund, from, to, text, limit, cursor };
  const query = { ...filter, signal: session.signal, onProgress: session.counting("listing") };
  const page = await (
    asOf === undefined
      ? session.look(text === undefined ? ["orders"] : ["orders", "search"], (engine, at) =>
          engine.views.orders({ ...query, at }),
        )
      : session.read((engine) => engine.views.orders({ ...query, at: asOf }))
  ).catch((error: unknown) => {
    // A cursor that no page gave.
    throw error instanceof RangeError
      ? new CliError(exits.usage, `--${messageOf(error)}`, { cause: error })
      : error;
  });
  if (session.json) await session.document({ orders: page.orders, next: page.next ?? null });
  else await inTable(page, session);
  return exits.done;
}

async function inTable({ orders: rows, next }: OrderPage, session: Session): Promise<void> {
  if (rows.length === 0) {
    session.note("no orders");
    return;
  }
  // Few lists hold refunds; those that do say what was given back, and 0.00 where nothing was yet.
  const refunded = rows.some(({ hasRefund }) => hasRefund);
  const titleWidth = session.columns === undefined ? 60 : Math.max(16, session.columns - 100);
  const text = table(
    [
      { title: "order" },
      { title: "created" },
      { title: "status" },
      { title: "buyer" },
      { title: "total", align: "right" },
      { title: "" },
      ...(refunded ? [{ title: "refunded", align: "right" as const }] : []),
      { title: "lines", align: "right" },
      { title: "ratings" },
      { title: "title" },
    ],
    rows.map((row) => [
      row.orderId,
      new Date(row.createdAt).toISOString().slice(0, 19).replace("T", " "),
      row.status,
      row.buyerId,
      formatAmount(row.total, row.currency),
      row.currency,
      ...(refunded ? [row.hasRefund ? formatAmount(row.refunded, row.currency) : ""] : []),
      String(row.lines),
      row.ratings.join(","),
      clip(row.title, titleWidth),
    ]),
  );
  const [head = "", ...body] = text.split("\n");
  await session.print([session.paint(head, "bold"), ...body].join("\n"));
  if (next !== undefined) session.note(`more: --cursor ${next}`);
}
