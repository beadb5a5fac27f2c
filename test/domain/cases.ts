// The case c-1 of O1 in every status, as literal facts, and the facts that lead there.

import type { CaseEventData } from "../../src/domain/caseEvents.ts";
import type { CaseStatus } from "../../src/domain/caseLifecycle.ts";
import type { CommandData } from "../../src/domain/commands.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import type { CaseType } from "../../src/domain/terms.ts";
import { ask, day, event, reached, receivedAt } from "./orders.ts";

export const caseId = "c-1";
export const refundId = "c-1:1";
export const waybill = { carrier: "EMS", trackingNumber: "E-1" } as const;

export const appliedAt = receivedAt + day;
export const approvedAt = appliedAt + day;
export const sentAt = appliedAt + 2 * day;
export const backAt = appliedAt + 3 * day;
export const replacedAt = appliedAt + 4 * day;
export const overAt = appliedAt + 5 * day;
/** Later than all of these, and well within the window. */
export const now = appliedAt + 6 * day;

type Applied = CaseEventData["RefundApplied"];

/** What is asked for by default: of L1, 10.00, and one unit where goods are sent back. */
const asked: Readonly<Record<CaseType, { readonly quantity: number; readonly amount: number }>> = {
  refundOnly: { quantity: 0, amount: 1_000 },
  returnRefund: { quantity: 1, amount: 1_000 },
  exchange: { quantity: 1, amount: 0 },
};

export function applied(caseType: CaseType, over: Partial<Applied> = {}, at = appliedAt) {
  return event("RefundApplied", at, {
    caseId,
    origin: "application",
    lineId: "L1",
    caseType,
    ...asked[caseType],
    goodsReceived: caseType !== "refundOnly",
    ...over,
  });
}

/** ApplyRefund as the buyer asks it. */
export function apply(caseType: CaseType, over: Partial<CommandData["ApplyRefund"]> = {}) {
  return ask("ApplyRefund", { caseId, lineId: "L1", caseType, ...asked[caseType], ...over });
}

export function approved(
  caseType: CaseType,
  over: Partial<CaseEventData["RefundApproved"]> = {},
  at = approvedAt,
) {
  return event("RefundApproved", at, { caseId, by: "merchant", amount: asked[caseType].amount, ...over });
}

export function sent(at = sentAt) {
  return event("ReturnShipped", at, { caseId, ...waybill });
}

export function back(over: Partial<CaseEventData["ReturnReceived"]> = {}, at = backAt) {
  return event("ReturnReceived", at, { caseId, dispositions: [{ kind: "restock", quantity: 1 }], ...over });
}

export function restocked(lineId = "L1", quantity = 1, at = backAt) {
  return event("StockRestored", at, { cause: "ReturnReceived", lines: [{ lineId, quantity }] });
}

export function issued(over: Partial<CaseEventData["RefundIssued"]> = {}, at = replacedAt) {
  return event("RefundIssued", at, {
    caseId,
    refundId,
    attempt: 1,
    amount: 1_000,
    destination: "wallet",
    payId: "pay-1",
    ...over,
  });
}

export function settled(over: Partial<CaseEventData["RefundSettled"]> = {}, at = overAt) {
  return event("RefundSettled", at, { caseId, refundId, amount: 1_000, quantity: 0, ...over });
}

export function failed(over: Partial<CaseEventData["RefundFailed"]> = {}, at = overAt) {
  return event("RefundFailed", at, { caseId, refundId, failure: "TIMEOUT", retryable: true, ...over });
}

export function replaced(at = replacedAt) {
  return [
    event("ReplacementShipped", at, { caseId, ...waybill }),
    event("StockDeducted", at, {
      cause: "ReplacementShipped",
      lines: [{ lineId: "L1", quantity: 1 }],
      rule: "replacement",
    }),
  ];
}

/** Whether a case of this type can be in this status. */
export function canBe(caseType: CaseType, status: CaseStatus): boolean {
  switch (status) {
    case "awaitingReturn":
    case "returnInTransit":
      return caseType !== "refundOnly";
    case "refundPending":
    case "refunded":
      return caseType !== "exchange";
    case "replacementPending":
    case "replacementShipped":
    case "exchanged":
      return caseType === "exchange";
    default:
      return true;
  }
}

/** O1 completed, with c-1 brought to a status on its plainest way. */
export function inCase(
  status: CaseStatus,
  caseType: CaseType,
  bought: readonly OrderEvent[] = reached("completed"),
): readonly OrderEvent[] {
  const requested = [...bought, applied(caseType)];
  const awaiting = [...requested, approved(caseType)];
  const inTransit = [...awaiting, sent()];
  const received = [...inTransit, back(), restocked()];
  const pending = caseType === "refundOnly" ? awaiting : received;
  switch (status) {
    case "requested":
      return requested;
    case "awaitingReturn":
      return awaiting;
    case "returnInTransit":
      return inTransit;
    case "refundPending":
      return pending;
    case "replacementPending":
      return received;
    case "replacementShipped":
      return [...received, ...replaced()];
    case "refunded":
      return [...pending, issued(), settled({ quantity: caseType === "refundOnly" ? 0 : 1 })];
    case "exchanged":
      return [...received, ...replaced(), event("ReplacementReceived", overAt, { caseId, by: "buyer" })];
    case "rejected":
      return [
        ...requested,
        event("RefundRejected", approvedAt, { caseId, stage: "application", reason: "no proof" }),
      ];
    case "cancelled":
      return [...requested, event("RefundCancelled", approvedAt, { caseId, from: "requested" })];
    case "closed":
      return [...requested, event("RefundClosed", approvedAt, { caseId, cause: "merchant" })];
  }
}
