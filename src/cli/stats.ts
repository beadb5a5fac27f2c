// `aftersale stats`: the order statistics, in all and of one buyer or merchant.

import type { Command } from "commander";

import { type ExactSum, formatAmount } from "../domain/money.ts";
import type { StatisticsAnswer } from "../engine.ts";
import type { Bound } from "../projections/asof.ts";
import type { Statistics } from "../projections/statistics.ts";
import { boundOf } from "./arguments.ts";
import { exits } from "./exits.ts";
import { table } from "./output.ts";
import type { Run, Session } from "./session.ts";

interface StatsOptions {
  readonly buyer?: string;
  readonly merchant?: string;
  readonly asOf?: Bound;
}

export function addStats(program: Command, run: Run): void {
  program
    .command("stats")
    .description("count orders by status, with lines, units and money; kept, not counted at the asking")
    .option("--buyer <id>", "also the counts of this buyer (orders that the buyer hid are left out)")
    .option("--merchant <id>", "also the counts of this merchant (orders that the merchant hid are left out)")
    .option("--as-of <when>", "as it stood then: an instant, or pos:P; counted from the events", boundOf)
    .action((options: StatsOptions, command: Command) => run(command, (session) => stats(session, options)));
}

async function stats(session: Session, { buyer, merchant, asOf }: StatsOptions) {
  const query = {
    buyerId: buyer,
    merchantId: merchant,
    signal: session.signal,
    onProgress: session.counting("counting"),
  };
  const { answer, lag } =
    asOf === undefined
      ? await session.look(["statistics"], async (engine, at) => ({
          answer: await engine.views.statistics({ ...query, at }),
          lag: await engine.lag(),
        }))
      : {
          answer: await session.read((engine) => engine.views.statistics({ ...query, at: asOf })),
          lag: undefined,
        };
  if (lag !== undefined) {
    const behind = lag.behind === undefined ? "an unknown number of" : lag.behind.toLocaleString("en");
    session.note(`${lag.server}: ${behind} events behind, at position ${lag.position ?? "none"}`);
  }
  if (session.json) await session.document(lag === undefined ? answer : { ...answer, lag });
  else await session.print(inTable(answer, session, buyer, merchant));
  return exits.done;
}

const counts = {
  count_id_no_pay: "to be confirmed or paid",
  count_id_no_transfer: "paid, to be shipped",
  count_id_no_confirm: "shipped, to be received",
  count_id_no_reputation: "received, to be reviewed",
  count_id_success: "reviewed",
  count_id_close: "cancelled or closed",
  orders: "orders",
  lines: "lines",
  units: "units",
} as const satisfies Partial<Record<keyof Statistics, string>>;

function inTable(
  { all, buyer, merchant }: StatisticsAnswer,
  session: Session,
  buyerId?: string,
  merchantId?: string,
): string {
  const scopes: (readonly [title: string, counted: Statistics])[] = [["all", all]];
  if (buyer !== undefined) scopes.push([`buyer ${buyerId}`, buyer]);
  if (merchant !== undefined) scopes.push([`merchant ${merchantId}`, merchant]);
  const row = (title: string, cell: (counted: Statistics) => string): string[] => [
    title,
    ...scopes.map(([, counted]) => cell(counted)),
  ];
  const rows = Object.entries(counts).map(([key, title]) =>
    row(title, (counted) => grouped(counted[key as keyof typeof counts])),
  );
  for (const money of ["paid", "refunded"] as const) {
    for (const currency of Object.keys(all[money])) {
      rows.push(row(`${money}, ${currency}`, (counted) => amount(counted[money][currency] ?? 0, currency)));
    }
  }
  if (all.casesOpen > 0) rows.push(row("cases open", (counted) => grouped(counted.casesOpen)));
  for (const status of Object.keys(all.cases)) {
    rows.push(row(`cases ${status}`, (counted) => grouped(counted.cases[status] ?? 0)));
  }
  if (all.unitsReturned > 0) rows.push(row("units returned", (counted) => grouped(counted.unitsReturned)));
  if (all.closedByRefund > 0)
    rows.push(row("closed by refund", (counted) => grouped(counted.closedByRefund)));
  const columns = [{ title: "" }, ...scopes.map(([title]) => ({ title, align: "right" as const }))];
  const [head = "", ...body] = table(columns, rows).split("\n");
  return [session.paint(head, "bold"), ...body].join("\n");
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}

function amount(minor: ExactSum, currency: string): string {
  const [whole = "", fraction] = formatAmount(minor, currency).split(".");
  const digits = whole.replaceAll(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}
