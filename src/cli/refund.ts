// `aftersale refund show`: one case in full, drawn for people: its progress, what is refundable, what may be done next, and its log.

import { type Command, Option } from "commander";

import type { CaseStatus } from "../domain/caseLifecycle.ts";
import { formatAmount } from "../domain/money.ts";
import { type Rejection, describeRejection } from "../domain/refusals.ts";
import type { Step } from "../domain/steps.ts";
import type { CaseType } from "../domain/terms.ts";
import type { AsOf, RefundQuery } from "../engine.ts";
import type { CaseProgress, LogEntry } from "../projections/detail.ts";
import type { CaseDetail, RefundDetail, RefundHistory } from "../projections/refund.ts";
import { asOfOf, instantOf } from "./arguments.ts";
import { CliError, type Exit, exits } from "./exits.ts";
import { instantText, printable, table } from "./output.ts";
import { missing } from "./missing.ts";
import type { Run, Session } from "./session.ts";

interface RefundOptions {
  readonly case?: string;
  readonly line?: string;
  readonly asOf?: AsOf;
  readonly at?: number;
}

export function addRefund(program: Command, run: Run): void {
  program
    .command("refund")
    .description("look at one after-sale case")
    .helpCommand(false)
    .command("show")
    .description("show a case: progress, what is refundable, what may be done next and by whom, and its log")
    .argument("<orderId>")
    .addOption(new Option("--case <id>", "the case of this id").conflicts("line"))
    .option("--line <id>", "the latest case of this line, or how it stands without one")
    .option(
      "--as-of <when>",
      "as it stood then (inclusive): an instant (2010-12-05T00:00:00Z), rev:N (its order's revision), pos:P (of the store)",
      asOfOf,
    )
    .option("--at <when>", "what may be done at this instant (default: now; with --as-of, then)", instantOf)
    .action((orderId: string, options: RefundOptions, command: Command) =>
      run(command, (session) => show(session, orderId, options)),
    );
}

async function show(session: Session, orderId: string, options: RefundOptions): Promise<Exit> {
  const { case: caseId, line: lineId, asOf, at: now } = options;
  const of = caseId !== undefined ? { caseId } : lineId !== undefined ? { lineId } : undefined;
  if (of === undefined) throw new CliError(exits.usage, "name the case with --case, or its line with --line");
  const query: RefundQuery = { orderId, ...of, at: asOf, now };
  const [detail, there] = await session.read(async (engine) => {
    const found = await engine.views.refund(query);
    return [found, found !== undefined || (await engine.views.order(orderId, { at: asOf })) !== undefined];
  });
  if (detail === undefined) {
    const rejection: Rejection = !there
      ? { code: "orderNotFound", orderId }
      : of.caseId !== undefined
        ? { code: "caseNotFound", caseId: of.caseId }
        : { code: "lineNotInOrder", field: "lineId", lineId: of.lineId };
    return missing(session, rejection, asOf !== undefined);
  }
  if (session.json) await session.document(detail);
  else await session.print(inFull(detail, session));
  return exits.done;
}

// --- for people ---

type Facts = readonly (readonly [string, string | undefined])[];

const indented = { indent: "  " };
const unnamed = { title: "" };

function factsTable(facts: Facts): string {
  return table(
    [unnamed, unnamed],
    facts.filter((fact): fact is [string, string] => fact[1] !== undefined),
    indented,
  );
}

/** A bar as lines: what is behind, what is under way, what is to come. */
function barOf(steps: readonly Step[]): string {
  return table(
    [unnamed, { title: "", align: "right" }, unnamed, unnamed],
    steps.map((step) => [
      step.is_end === 1 ? "[>]" : step.is_active === 1 ? "[x]" : "[ ]",
      String(step.number),
      step.name,
      step.name_en,
    ]),
    indented,
  );
}

/** Their bars begin anew. */
const cameToNothing: ReadonlySet<CaseStatus> = new Set(["rejected", "cancelled", "closed"]);

const barFor = { refundOnly: "step0", returnRefund: "step1", exchange: "exchange" } as const;

function inFull(detail: RefundDetail, session: Session): string {
  const { orderId, line, refund, steps, refundable, convertible, application, currency, commands, now } =
    detail;
  const about = refund === undefined ? `Line ${line?.lineId ?? ""}` : `Refund ${refund.case.caseId}`;
  const money = (minor: number): string => `${formatAmount(minor, currency)} ${currency}`;
  const types: readonly CaseType[] = refund === undefined ? (application?.types ?? []) : [refund.case.type];
  return [
    session.paint(printable(`${about} of order ${orderId}`), "bold"),
    factsTable([
      ["order status", detail.orderStatus],
      ["merchant", detail.merchantId],
      ["buyer", detail.buyerId],
      ["line", line === undefined ? "all" : `${line.lineId}  ${line.title} x ${line.quantity}`],
      ...(refund === undefined ? [["status", "no case yet"] as const] : caseFacts(refund, money)),
    ]),
    ...types.map((type) =>
      session.section(
        refund === undefined
          ? `Progress (${type})`
          : cameToNothing.has(refund.case.status)
            ? "Progress, should one be applied for again"
            : "Progress",
        barOf(steps[barFor[type]]),
      ),
    ),
    ...(refundable === undefined || application === undefined
      ? []
      : [
          session.section(
            `Refundable at ${instantText(now)}`,
            factsTable([
              ["amount", money(refundable.amount)],
              ["units", String(refundable.quantity)],
              ["convertible", convertible === undefined ? undefined : money(convertible.amount)],
              ["types", application.types.length === 0 ? "none" : application.types.join(", ")],
              ...Object.entries(detail.reasons)
                .filter(([, offered]) => offered.length > 0)
                .map(([type, offered]): [string, string] => [
                  `reasons, ${type}`,
                  offered.map(printable).join(", "),
                ]),
              ["window", windowText(application.window)],
              ["refused", application.refusal === undefined ? undefined : whyNot(application.refusal)],
            ]),
          ),
        ]),
    session.section(`What may be done at ${instantText(now)}`, nextTable(commands)),
    ...(refund === undefined ? [] : ofCase(refund, money, session)),
  ].join("\n");
}

function windowText({ days, until, open }: NonNullable<RefundDetail["application"]>["window"]): string {
  const end = until === undefined ? "" : `, until ${instantText(until)}`;
  return `${days} days${until === undefined ? " from receipt" : ""}${end}: ${open ? "open" : "over"}`;
}

function whyNot(refusal: Rejection): string {
  return `${describeRejection(refusal)} (${refusal.code})`;
}

function nextTable(commands: CaseProgress["commands"]): string {
  if (commands.length === 0) return "  nothing";
  return table(
    [unnamed, unnamed],
    commands.map(({ command, roles }) => [command, roles.join(", ")]),
    indented,
  );
}

function caseFacts(detail: CaseDetail, money: (minor: number) => string): Facts {
  const { case: one, waiting, deadline, note, evidence, returnAddress } = detail;
  const asked = one.amountAsked === one.amount ? "" : `, ${money(one.amountAsked)} asked for`;
  return [
    ["origin", one.origin === "application" ? undefined : one.origin],
    ["type", one.type],
    ["status", one.status],
    ["amount", `${money(one.amount)}${asked}`],
    ["units", one.quantity === 0 ? undefined : String(one.quantity)],
    ["goods received", one.goodsReceived ? "yes" : "no"],
    ["reason", one.reason],
    ["note", note],
    ["evidence", evidence.length === 0 ? undefined : evidence.join(", ")],
    ["applied", instantText(one.appliedAt)],
    [
      "rejected",
      one.rejection === undefined ? undefined : `${one.rejection.reason} (${one.rejection.stage})`,
    ],
    [
      "return address",
      returnAddress === undefined
        ? undefined
        : [returnAddress.name, returnAddress.phone, returnAddress.address]
            .filter((part) => part !== undefined)
            .join(", "),
    ],
    ["sent back", one.returnShipment && `${one.returnShipment.carrier} ${one.returnShipment.trackingNumber}`],
    ["came back", one.returned?.dispositions.map(({ kind, quantity }) => `${quantity} ${kind}`).join(", ")],
    ["replaced", one.replacement && `${one.replacement.carrier} ${one.replacement.trackingNumber}`],
    ["waits for", waiting && `${waiting.party}, since ${instantText(waiting.since)}`],
    ["next deadline", deadline && `${deadline.kind} ${instantText(deadline.dueAt)}`],
  ];
}

function ofCase(
  { case: one, log }: CaseDetail,
  money: (minor: number) => string,
  session: Session,
): readonly string[] {
  const attempts =
    one.attempts.length === 0
      ? []
      : [
          session.section(
            "Attempts",
            table(
              [
                { title: "refund" },
                { title: "amount", align: "right" },
                { title: "to" },
                { title: "state" },
                { title: "issued" },
                { title: "ended" },
                { title: "failure" },
              ],
              one.attempts.map(({ refundId, amount, destination, state, issuedAt, endedAt, failure }) => [
                refundId,
                money(amount),
                destination,
                state,
                instantText(issuedAt),
                endedAt === undefined ? "" : instantText(endedAt),
                failure ?? "",
              ]),
              indented,
            ),
          ),
        ];
  return [...attempts, session.section("Log", logTable(log))];
}

function logTable(log: readonly LogEntry[]): string {
  return table(
    [
      { title: "rev", align: "right" },
      { title: "at" },
      { title: "who" },
      { title: "event" },
      { title: "status" },
      { title: "reason" },
    ],
    log.map(({ revision, at, actor, event, case: moved, reason }) => [
      String(revision),
      instantText(at),
      `${actor.role} ${actor.id}`,
      event,
      moved === undefined || moved.from === moved.to ? "" : `${moved.from} -> ${moved.to}`,
      reason ?? "",
    ]),
    indented,
  );
}

/** All cases of an order, newest first, each with its log. */
export function refundsInFull({ orderId, currency, ledger, cases }: RefundHistory, session: Session): string {
  const money = (minor: number): string => `${formatAmount(minor, currency)} ${currency}`;
  return [
    session.paint(printable(`Refunds of order ${orderId}`), "bold"),
    factsTable([
      ["paid", money(ledger.paid)],
      ["refunded", money(ledger.refunded)],
      ["in flight", money(ledger.inFlight)],
      ["retained", money(ledger.retained)],
      ["reserved", money(ledger.reserved)],
    ]),
    ...cases.flatMap((detail) => [
      session.section(
        printable(
          `${detail.number}. ${detail.case.caseId}, ${detail.case.lineId === undefined ? "all lines" : `line ${detail.case.lineId}`}`,
        ),
        factsTable(caseFacts(detail, money)),
      ),
      ...ofCase(detail, money, session),
    ]),
  ].join("\n");
}
