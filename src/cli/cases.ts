// `aftersale refunds` and `aftersale queue`: the cases of an order, a buyer or a merchant, and what waits for whom.

import { type Command, Option } from "commander";

import { type CaseType, caseTypes } from "../domain/terms.ts";
import { formatAmount } from "../domain/money.ts";
import type { AsOf, Engine } from "../engine.ts";
import type { Bound } from "../projections/asof.ts";
import type { CaseFilter, CasePage, CaseRow, QueueFilter } from "../projections/cases.ts";
import type { Scope } from "../projections/statistics.ts";
import { asOfOf, boundOf, countOf, instantOf, listFor, listOf } from "./arguments.ts";
import { CliError, type Exit, exits, messageOf } from "./exits.ts";
import { type Column, clip, instantText, table } from "./output.ts";
import { missing } from "./missing.ts";
import { refundsInFull } from "./refund.ts";
import type { Run, Session } from "./session.ts";

interface RefundsOptions {
  readonly order?: string;
  readonly buyer?: string;
  readonly merchant?: string;
  readonly status?: string;
  readonly type?: readonly CaseType[];
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
  readonly cursor?: string;
  readonly asOf?: AsOf;
}

export function addRefunds(program: Command, run: Run): void {
  const filters = ["buyer", "merchant", "status", "type", "from", "to", "limit", "cursor"];
  program
    .command("refunds")
    .description("list after-sale cases, newest first, a page at a time; or all of one order, with their log")
    .addOption(new Option("--order <id>", "this order's, in full").conflicts(filters))
    .addOption(new Option("--buyer <id>", "this buyer's, without what the buyer hid").conflicts("merchant"))
    .option("--merchant <id>", "this merchant's, without what the merchant hid")
    .option("--status <list>", "in one of these statuses, such as requested,refundPending")
    .option("--type <list>", "of one of these types, such as refundOnly,exchange", (text) =>
      listOf(text, caseTypes),
    )
    .option("--from <when>", "applied for at or after this instant", instantOf)
    .option("--to <when>", "applied for before this instant", instantOf)
    .option("--limit <n>", "cases a page, 1 to 1000 (default: 20)", countOf(1, 1_000))
    .option("--cursor <cursor>", "go on where the page before ended (its `next`)")
    .option(
      "--as-of <when>",
      "as they stood then: an instant, or pos:P, with --order also rev:N; made from the events",
      asOfOf,
    )
    .action((options: RefundsOptions, command: Command) =>
      run(command, (session) => refunds(session, options)),
    );
}

async function refunds(session: Session, options: RefundsOptions): Promise<Exit> {
  const { order: orderId, buyer, merchant, status, type: types, asOf, ...rest } = options;
  if (orderId !== undefined) return ofOrder(session, orderId, asOf);
  if (asOf?.revision !== undefined)
    throw new CliError(exits.usage, "--as-of: a revision is one order's; name it with --order");
  const { caseStatuses } = await import("../domain/caseLifecycle.ts");
  const scope: Scope =
    buyer !== undefined ? { buyerId: buyer } : merchant !== undefined ? { merchantId: merchant } : "all";
  const filter: CaseFilter = { scope, statuses: listFor("--status", status, caseStatuses), types, ...rest };
  const query = { ...filter, signal: session.signal, onProgress: session.counting("listing") };
  const page = await ask(session, asOf, (engine, at) => engine.views.refundHistory({ ...query, at }));
  return printed(session, page, history, "no refunds");
}

async function ofOrder(session: Session, orderId: string, asOf: AsOf | undefined): Promise<Exit> {
  const history = await session.read((engine) => engine.views.refundHistory({ orderId, at: asOf }));
  if (history === undefined) return missing(session, { code: "orderNotFound", orderId }, asOf !== undefined);
  if (session.json) await session.document(history);
  else if (history.cases.length === 0) session.note("no refunds");
  else await session.print(refundsInFull(history, session));
  return exits.done;
}

interface QueueOptions {
  readonly merchant?: string;
  readonly for?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly asOf?: Bound;
}

export function addQueue(program: Command, run: Run): void {
  program
    .command("queue")
    .description("list the after-sale cases that wait for somebody, longest first, a page at a time")
    .option("--merchant <id>", "this merchant's, hidden or not")
    .option("--for <list>", "only what waits for these: merchant, buyer, provider")
    .option("--limit <n>", "cases a page, 1 to 1000 (default: 20)", countOf(1, 1_000))
    .option("--cursor <cursor>", "go on where the page before ended (its `next`)")
    .option("--as-of <when>", "as it stood then: an instant, or pos:P; made from the events", boundOf)
    .action((options: QueueOptions, command: Command) => run(command, (session) => queue(session, options)));
}

async function queue(session: Session, options: QueueOptions): Promise<Exit> {
  const { merchant, for: whom, asOf, ...rest } = options;
  const { parties } = await import("../domain/waiting.ts");
  const filter: QueueFilter = { merchantId: merchant, waitsFor: listFor("--for", whom, parties), ...rest };
  const query = { ...filter, signal: session.signal, onProgress: session.counting("listing") };
  const page = await ask(session, asOf, (engine, at) => engine.views.queue({ ...query, at }));
  return printed(session, page, waiting, "nothing waits");
}

/** A page as it stands, or stood. */
async function ask(
  session: Session,
  asOf: Bound | undefined,
  read: (engine: Engine, at: Bound | undefined) => Promise<CasePage>,
): Promise<CasePage> {
  try {
    return await (asOf === undefined
      ? session.look(["cases"], read)
      : session.read((engine) => read(engine, asOf)));
  } catch (error) {
    // A cursor that no page gave.
    if (!(error instanceof RangeError)) throw error;
    throw new CliError(exits.usage, `--${messageOf(error)}`, { cause: error });
  }
}

interface Listed extends Column {
  readonly cell: (row: CaseRow, session: Session) => string;
}

const of: readonly Listed[] = [
  { title: "order", cell: (row) => row.orderId },
  { title: "case", cell: (row) => row.caseId },
  { title: "line", cell: (row) => row.lineId ?? "all" },
  { title: "type", cell: (row) => row.type },
  { title: "status", cell: (row) => row.status },
];

const asked: readonly Listed[] = [
  { title: "amount", align: "right", cell: (row) => formatAmount(row.amount, row.currency) },
  { title: "", cell: (row) => row.currency },
];

const title: Listed = {
  title: "title",
  cell: (row, { columns }) => clip(row.title, columns === undefined ? 60 : Math.max(16, columns - 110)),
};

const history: readonly Listed[] = [
  { title: "applied", cell: (row) => instantText(row.appliedAt) },
  ...of,
  { title: "waits for", cell: (row) => row.waitsFor ?? "" },
  ...asked,
  title,
];

const waiting: readonly Listed[] = [
  { title: "since", cell: (row) => instantText(row.since) },
  { title: "waits for", cell: (row) => row.waitsFor ?? "" },
  ...of,
  ...asked,
  {
    title: "due",
    cell: ({ deadline }) => (deadline === undefined ? "" : `${deadline.kind} ${instantText(deadline.dueAt)}`),
  },
  title,
];

async function printed(
  session: Session,
  { cases, next }: CasePage,
  columns: readonly Listed[],
  none: string,
): Promise<Exit> {
  if (session.json) {
    await session.document({ cases, next: next ?? null });
  } else if (cases.length === 0) {
    session.note(none);
  } else {
    const rows = cases.map((row) => columns.map(({ cell }) => cell(row, session)));
    const [head = "", ...body] = table(columns, rows).split("\n");
    await session.print([session.paint(head, "bold"), ...body].join("\n"));
    if (next !== undefined) session.note(`more: --cursor ${next}`);
  }
  return exits.done;
}
