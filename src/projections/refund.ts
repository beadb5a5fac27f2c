// One case in full, or a line that has none: progress, what may be done next and by whom, and the log of what happened to it.

import type { ReturnAddress } from "../domain/caseEvents.ts";
import { type Application, type NextCommand, applicationOf } from "../domain/caseNext.ts";
import type { Case } from "../domain/caseState.ts";
import type { Line } from "../domain/events.ts";
import type { OrderStatus } from "../domain/lifecycle.ts";
import { type Refundable, convertibleOf, refundableOf } from "../domain/refundable.ts";
import type { CaseType } from "../domain/terms.ts";
import { type Ledger, ledgerOf } from "../domain/state.ts";
import { type Steps, stepsOf } from "../domain/steps.ts";
import type { Envelope } from "../store/codec.ts";
import { type CaseProgress, type LogEntry, type OrderTold, progressOf, tell } from "./detail.ts";

/** A case with what was said of it. */
export interface CaseDetail extends CaseProgress {
  readonly case: Case;
  /** What the buyer wrote and showed when applying. */
  readonly note: string | undefined;
  readonly evidence: readonly string[];
  /** Where the goods are to be sent back to, as the merchant's approval says. */
  readonly returnAddress: ReturnAddress | undefined;
  /** Oldest first: who decided what, when and why, and the attempts to pay out. */
  readonly log: readonly LogEntry[];
}

/** All that after-sale has been on one order. */
export interface RefundHistory {
  readonly orderId: string;
  readonly currency: string;
  /** Revision of the order's last event. */
  readonly revision: bigint;
  readonly ledger: Ledger;
  /** Newest first, hidden ones too. */
  readonly cases: readonly CaseDetail[];
}

export interface RefundDetail {
  readonly orderId: string;
  readonly orderStatus: OrderStatus;
  readonly merchantId: string;
  readonly buyerId: string;
  readonly currency: string;
  /** Revision of the order's last event. */
  readonly revision: bigint;
  /** For when it says what may be done: milliseconds UTC. */
  readonly now: number;
  /** Undefined where the case is about the whole order. */
  readonly line: Line | undefined;
  /** The case that was asked for, or the line's latest; undefined where the line has none. */
  readonly refund: CaseDetail | undefined;
  /** The bars of the case; without one, those that invite to apply. */
  readonly steps: Steps;
  /** What can still be refunded of the line, beside all that is refunded or reserved. */
  readonly refundable: Refundable | undefined;
  /** What an exchange that waits for its replacement could be converted into: its own units, which are claimed, among them. */
  readonly convertible: Refundable | undefined;
  /** What could be applied for on the line. */
  readonly application: Application | undefined;
  /** What the shop offers to choose a reason from, for each type that could be applied for; from the engine's options, as they are now. */
  readonly reasons: Readonly<Partial<Record<CaseType, readonly string[]>>>;
  /** What would be accepted now, given soundly, and from whom; an application too. */
  readonly commands: readonly NextCommand[];
}

/**
 * Folds an order's envelopes, oldest first, into all that after-sale has been on it; undefined where there is no order.
 * @param now for when to say what may be done: milliseconds UTC.
 */
export function historyOf(envelopes: readonly Envelope[], now: number): RefundHistory | undefined {
  const told = tell(envelopes);
  if (told === undefined) return undefined;
  const { order, revision } = told;
  const cases = order.cases.map((one) => caseDetail(told, one, now)).toReversed();
  return { orderId: order.orderId, currency: order.currency, revision, ledger: ledgerOf(order), cases };
}

/** The same of one case, by its id, or of the latest of a line; undefined where the order has no such case or line. */
export function refundOf(
  envelopes: readonly Envelope[],
  of: { readonly caseId: string } | { readonly lineId: string },
  now: number,
  reasonsOf: (merchantId: string) => {
    readonly [T in CaseType]?: readonly string[] | undefined;
  } = () => ({}),
): RefundDetail | undefined {
  const told = tell(envelopes);
  if (told === undefined) return undefined;
  const { order, revision } = told;
  const one = order.cases.findLast((known) =>
    "caseId" in of ? known.caseId === of.caseId : known.lineId === of.lineId,
  );
  const lineId = "lineId" in of ? of.lineId : one?.lineId;
  const line = order.lines.find((known) => known.lineId === lineId);
  if (one === undefined && line === undefined) return undefined;
  const refund = one === undefined ? undefined : caseDetail(told, one, now);
  const application = line === undefined ? undefined : applicationOf(order, line.lineId, now);
  const apply: readonly NextCommand[] =
    application === undefined || application.refusal !== undefined
      ? []
      : [{ command: "ApplyRefund", roles: ["buyer"] }];
  return {
    orderId: order.orderId,
    orderStatus: order.status,
    merchantId: order.merchantId,
    buyerId: order.buyerId,
    currency: order.currency,
    revision,
    now,
    line,
    refund,
    steps: stepsOf(one),
    refundable: line === undefined ? undefined : refundableOf(order, line.lineId),
    convertible: one?.status === "replacementPending" ? convertibleOf(order, one) : undefined,
    application,
    reasons: Object.fromEntries(
      (application?.types ?? []).map((type) => [type, reasonsOf(order.merchantId)[type] ?? []]),
    ),
    commands: [...apply, ...(refund?.commands ?? [])],
  };
}

function caseDetail({ order, log }: OrderTold, one: Case, now: number): CaseDetail {
  const own = log.filter((entry) => entry.case?.caseId === one.caseId);
  const said = saidOf(own);
  return { ...progressOf(order, one, now), case: one, ...said, log: own };
}

/** What was said of a case; no rule reads it, so it stands in its events alone. */
function saidOf(log: readonly LogEntry[]): Pick<CaseDetail, "note" | "evidence" | "returnAddress"> {
  const personal = (event: LogEntry["event"]): Said => {
    const found = log.find((entry) => entry.event === event);
    return (found?.data as { readonly personal?: Said } | undefined)?.personal ?? {};
  };
  const { note, evidence = [] } = personal("RefundApplied");
  const { returnAddress } = personal("RefundApproved");
  return { note, evidence, returnAddress };
}

type Said = Partial<Pick<CaseDetail, "note" | "evidence" | "returnAddress">>;
