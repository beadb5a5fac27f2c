// `aftersale show` and `aftersale history`: one order in full, and what each of its events changed.

import type { Command } from "commander";

import type { Change, Step } from "../audit/diff.ts";
import { formatAmount } from "../domain/money.ts";
import type { AsOf } from "../engine.ts";
import type { LogEntry, OrderDetail } from "../projections/detail.ts";
import { asOfOf, instantOf } from "./arguments.ts";
import { CliError, type Exit, exits } from "./exits.ts";
import { explanationDocument, explanationSections } from "./explain.ts";
import { clip, instantText, printable, table, toJson } from "./output.ts";
import { missing } from "./missing.ts";
import type { Run, Session } from "./session.ts";

interface ShowOptions {
  readonly asOf?: AsOf;
  readonly explain?: boolean;
  readonly at?: number;
}

export function addShow(program: Command, run: Run): void {
  program
    .command("show")
    .description("show one order in full: lines, money, parcels, log, deadlines, and what may be done now")
    .argument("<orderId>")
    .option(
      "--as-of <when>",
      "as it stood then (inclusive): an instant (2010-12-05T00:00:00Z), rev:N (its revision), pos:P (of the store)",
      asOfOf,
    )
    .option("--explain", "with the event that set each field, and why a command would be refused")
    .option(
      "--at <when>",
      "explain what commands would come to at this instant (default: now; with --as-of, then)",
      instantOf,
    )
    .action((orderId: string, options: ShowOptions, command: Command) =>
      run(command, (session) => show(session, orderId, options)),
    );
}

interface HistoryOptions {
  readonly diff?: boolean;
}

export function addHistory(program: Command, run: Run): void {
  program
    .command("history")
    .description("print an order's events, oldest first")
    .argument("<orderId>")
    .option("--diff", "with what each changed in the order's state, field by field")
    .action((orderId: string, options: HistoryOptions, command: Command) =>
      run(command, (session) => history(session, orderId, options)),
    );
}

async function show(
  session: Session,
  orderId: string,
  { asOf, explain = false, at: now }: ShowOptions,
): Promise<Exit> {
  if (now !== undefined && !explain) throw new CliError(exits.usage, "--at goes with --explain");
  const key = asOf === undefined ? await session.redeemKey() : undefined;
  const [detail, code, explanation] = await session.read(async (engine) => [
    await engine.views.order(orderId, { at: asOf }),
    key === undefined ? undefined : await engine.redemptionCode(orderId),
    explain ? await engine.explain(orderId, { at: asOf, now }) : undefined,
  ]);
  if (detail === undefined) return missing(session, { code: "orderNotFound", orderId }, asOf !== undefined);
  if (session.json) {
    await session.document({
      ...detail,
      ...(code === undefined ? {} : { redemptionCode: code }),
      ...(explanation === undefined ? {} : { explanation: explanationDocument(explanation) }),
    });
    return exits.done;
  }
  await session.print(inFull(detail, code, session));
  if (explanation !== undefined) {
    const wide = session.columns === undefined ? 60 : Math.max(20, session.columns - 100);
    for (const [title, text] of explanationSections(explanation, wide))
      await session.print(session.section(title, text));
  }
  return exits.done;
}

function inFull(detail: OrderDetail, code: string | undefined, session: Session): string {
  const { order, revision, log, deadlines, commands, ledger, refunds } = detail;
  const money = (minor: number): string => `${formatAmount(minor, order.currency)} ${order.currency}`;
  const titleWidth = session.columns === undefined ? 200 : Math.max(20, session.columns - 60);
  const facts: [string, string | undefined][] = [
    ["status", order.status],
    ["order number", order.orderNo],
    ["merchant", order.merchantId],
    ["buyer", order.buyerId],
    ["fulfilment", order.fulfilment],
    ["created", instantText(order.createdAt)],
    ["stock", order.stock],
    ["write-off code", code],
    ["revision", String(revision)],
  ];
  const lines = order.lines.map((line) => [
    line.lineId,
    line.goodsId,
    clip(line.title, titleWidth),
    formatAmount(line.unitPrice, order.currency),
    String(line.quantity),
    formatAmount(line.unitPrice * line.quantity, order.currency),
  ]);
  const sums: [string, string][] = [
    ["goods", money(order.goods)],
    ...order.charges.map((charge): [string, string] => [charge.kind, money(charge.amount)]),
    ...(order.discount > 0 ? [["discount", `-${money(order.discount)}`] as [string, string]] : []),
    ["total", money(order.total)],
    ["paid", money(order.paid)],
    ...(refunds.length === 0 ? [] : givenBack(ledger, money)),
  ];
  const parcels = order.shipments.map(({ carrier = "", trackingNumber = "", lines: of }) => [
    carrier,
    trackingNumber,
    of === undefined ? "all lines" : `lines ${of.join(", ")}`,
  ]);
  const entries = log.map((entry) => [
    String(entry.revision),
    instantText(entry.at),
    `${entry.actor.role} ${entry.actor.id}`,
    entry.event,
    moved(entry),
    entry.reason ?? "",
  ]);
  const unnamed = { title: "" };
  const right = (title: string) => ({ title, align: "right" as const });
  const indented = { indent: "  " };
  return [
    session.paint(`Order ${printable(order.orderId)}`, "bold"),
    table(
      [unnamed, unnamed],
      facts.filter((fact): fact is [string, string] => fact[1] !== undefined),
      indented,
    ),
    session.section(
      "Lines",
      table(
        [
          { title: "line" },
          { title: "goods" },
          { title: "title" },
          right("price"),
          right("quantity"),
          right("amount"),
        ],
        lines,
        indented,
      ),
    ),
    session.section("Money", table([unnamed, right("")], sums, indented)),
    ...(parcels.length === 0
      ? []
      : [session.section("Parcels", table([unnamed, unnamed, unnamed], parcels, indented))]),
    ...(refunds.length === 0 ? [] : [session.section("Refunds", refundsTable(detail))]),
    session.section(
      "Log",
      table(
        [
          right("rev"),
          { title: "at" },
          { title: "who" },
          { title: "event" },
          { title: "status" },
          { title: "reason" },
        ],
        entries,
        indented,
      ),
    ),
    session.section(
      "Deadlines",
      deadlines.length === 0
        ? "  none"
        : table(
            [unnamed, unnamed, unnamed],
            deadlines.map(({ kind, dueAt, case: of }) => [kind, instantText(dueAt), of?.caseId ?? ""]),
            indented,
          ),
    ),
    session.section("Legal commands", `  ${commands.length === 0 ? "none" : commands.join(", ")}`),
  ].join("\n");
}

/** Of what was paid: what went back, is on its way back, and is kept. */
function givenBack(
  { refunded, inFlight, retained }: OrderDetail["ledger"],
  money: (minor: number) => string,
): [string, string][] {
  return [
    ["refunded", money(refunded)],
    ["in flight", money(inFlight)],
    ["retained", money(retained)],
  ];
}

/** From which status to which: the order's, else the case's. */
function moved({ from, to, case: of }: LogEntry): string {
  if (from !== to) return `${from} -> ${to}`;
  return of === undefined || of.from === of.to ? "" : `${of.caseId}: ${of.from} -> ${of.to}`;
}

function refundsTable({ order, refunds }: OrderDetail): string {
  return table(
    [
      { title: "case" },
      { title: "line" },
      { title: "type" },
      { title: "status" },
      { title: "amount", align: "right" },
      { title: "waits for" },
      { title: "since" },
    ],
    order.cases.map(({ caseId, lineId, type, status, amount }, index) => {
      const waiting = refunds[index]?.waiting;
      return [
        caseId,
        lineId ?? "all",
        type,
        status,
        formatAmount(amount, order.currency),
        waiting?.party ?? "",
        waiting === undefined ? "" : instantText(waiting.since),
      ];
    }),
    { indent: "  " },
  );
}

async function history(session: Session, orderId: string, { diff = false }: HistoryOptions): Promise<Exit> {
  const envelopes = await session.read((engine) => engine.history(orderId));
  if (envelopes.length === 0) return missing(session, { code: "orderNotFound", orderId }, false);
  const { stepsOf } = await import("../audit/diff.ts");
  const steps = stepsOf(envelopes);
  if (session.json) {
    const events = steps.map(({ envelope, changes }) => ({ ...envelope, ...(diff ? { changes } : {}) }));
    await session.document({ orderId, events });
    return exits.done;
  }
  for (const step of steps) {
    if (session.closed) break;
    await session.print(inLines(step, diff, session));
  }
  return exits.done;
}

function inLines({ envelope, changes }: Step, diff: boolean, session: Session): string {
  const { event, meta, revision, position } = envelope;
  const head = `${revision}  ${instantText(event.at)}  ${session.paint(event.type, "bold")}  by ${meta.actor.role} ${meta.actor.id}  (command ${meta.commandId}, position ${position})`;
  if (!diff) return head;
  return [head, ...changes.map((change) => `    ${describeChange(change, session)}`)].join("\n");
}

function describeChange({ field, before, after }: Change, session: Session): string {
  const old = before === undefined ? "" : session.paint(value(before), "red");
  const now = after === undefined ? "" : session.paint(value(after), "green");
  if (before === undefined) return `+ ${printable(field)}: ${now}`;
  if (after === undefined) return `- ${printable(field)}: ${old}`;
  return `  ${printable(field)}: ${old} -> ${now}`;
}

function value(part: unknown): string {
  return printable(typeof part === "string" && part !== "" ? part : toJson(part));
}
