// What an after-sale case is after its events so far; it lives inside its order's state and has no stream of its own.

import type {
  CaseEvent,
  CaseEventData,
  CaseEventType,
  Destination,
  Disposition,
  Origin,
  Waybill,
} from "./caseEvents.ts";
import { type CaseStatus, caseStatusAfter, caseStatusImported, isCaseFact, isOpen } from "./caseLifecycle.ts";
import type { CaseType } from "./terms.ts";

/** One try to pay a refund out. */
export interface Attempt {
  readonly refundId: string;
  readonly amount: number;
  readonly destination: Destination;
  readonly payId: string;
  readonly state: "inFlight" | "settled" | "failed";
  readonly issuedAt: number;
  /** When it was settled or failed. */
  readonly endedAt: number | undefined;
  readonly failure: string | undefined;
  readonly retryable: boolean;
  readonly tradeNo: string | undefined;
}

export interface Case {
  readonly caseId: string;
  /** Its place among the order's cases, from 1. */
  readonly number: number;
  readonly origin: Origin;
  /** Undefined where it is about the whole order. */
  readonly lineId: string | undefined;
  /** The late payment that it gives back. */
  readonly payId: string | undefined;
  /** A converted exchange is a returnRefund from then on. */
  readonly type: CaseType;
  readonly status: CaseStatus;
  /** Units sent back by it. */
  readonly quantity: number;
  /** As asked for, then as approved, then as converted: what is reserved while it is open, and paid when it is refunded. */
  readonly amount: number;
  readonly amountAsked: number;
  readonly goodsReceived: boolean;
  readonly reason: string | undefined;
  readonly causeType: number | undefined;
  readonly appliedAt: number;
  readonly approvedAt: number | undefined;
  readonly rejection: { readonly stage: string; readonly reason: string; readonly at: number } | undefined;
  readonly returnShipment: (Waybill & { readonly at: number }) | undefined;
  readonly returned: { readonly dispositions: readonly Disposition[]; readonly at: number } | undefined;
  readonly replacement:
    | (Waybill & { readonly at: number; readonly receivedAt: number | undefined })
    | undefined;
  readonly convertedAt: number | undefined;
  readonly attempts: readonly Attempt[];
  /** Units that count as returned or cancelled by its settlement (ruling 3). */
  readonly settledQuantity: number;
  readonly closedBy: CaseEventData["RefundClosed"]["cause"] | undefined;
  readonly endedAt: number | undefined;
  readonly hiddenAt: number | undefined;
  /** As it came from another system; undefined where it began here. */
  readonly imported: CaseEventData["RefundImported"] | undefined;
}

/** A case as it begins. */
export function caseApplied(data: CaseEventData["RefundApplied"], at: number, number: number): Case {
  return {
    caseId: data.caseId,
    number,
    origin: data.origin,
    lineId: data.lineId,
    payId: data.payId,
    type: data.caseType,
    status: "requested",
    quantity: data.quantity,
    amount: data.amount,
    amountAsked: data.amount,
    goodsReceived: data.goodsReceived,
    reason: data.reason,
    causeType: data.causeType,
    appliedAt: at,
    approvedAt: undefined,
    rejection: undefined,
    returnShipment: undefined,
    returned: undefined,
    replacement: undefined,
    convertedAt: undefined,
    attempts: [],
    settledQuantity: 0,
    closedBy: undefined,
    endedAt: undefined,
    hiddenAt: undefined,
    imported: undefined,
  };
}

/** A case as it comes from another system: what was decided there is taken as decided now. */
export function caseImported(data: CaseEventData["RefundImported"], at: number, number: number): Case {
  const status = caseStatusImported(data.status);
  const agreed = status === "awaitingReturn" || status === "refundPending";
  return {
    ...caseApplied({ ...data, origin: "import" }, at, number),
    status,
    approvedAt: agreed ? at : undefined,
    endedAt: isOpen(status) ? undefined : at,
    imported: data,
  };
}

/** The attempt whose outcome is not known yet. */
export function inFlight({ attempts }: Pick<Case, "attempts">): Attempt | undefined {
  const last = attempts.at(-1);
  return last?.state === "inFlight" ? last : undefined;
}

/** What a case begins with. */
export type Opening = "RefundApplied" | "RefundImported";

/** The case after one more of its events; the same where the event has no place in its status, or names no attempt in flight. */
export function evolveCase(one: Case, event: CaseEvent<Exclude<CaseEventType, Opening>>): Case {
  const { at } = event;
  if (!isCaseFact(one.status, event.type, one.type)) return one;
  const status = caseStatusAfter(one.status, event.type, one.type);
  switch (event.type) {
    case "RefundApproved":
      return { ...one, status, amount: event.data.amount, approvedAt: at };
    case "RefundRejected":
      return {
        ...one,
        status,
        rejection: { stage: event.data.stage, reason: event.data.reason, at },
        endedAt: at,
      };
    case "RefundCancelled":
      return { ...one, status, endedAt: at };
    case "RefundClosed":
      return { ...one, status, closedBy: event.data.cause, endedAt: at };
    case "RefundHidden":
      return { ...one, status, hiddenAt: at };
    case "ReturnShipped":
    case "ReturnShipmentCorrected": {
      const { carrier, trackingNumber } = event.data;
      return { ...one, status, returnShipment: { carrier, trackingNumber, at } };
    }
    case "ReturnReceived":
      return { ...one, status, returned: { dispositions: event.data.dispositions, at } };
    case "RefundIssued": {
      const { refundId, amount, destination, payId } = event.data;
      const attempt: Attempt = {
        refundId,
        amount,
        destination,
        payId,
        state: "inFlight",
        issuedAt: at,
        endedAt: undefined,
        failure: undefined,
        retryable: false,
        tradeNo: undefined,
      };
      return { ...one, status, attempts: [...one.attempts, attempt] };
    }
    case "RefundSettled": {
      const attempts = ended(one, event.data.refundId, {
        state: "settled",
        endedAt: at,
        tradeNo: event.data.tradeNo,
      });
      if (attempts === undefined) return one;
      return { ...one, status, attempts, settledQuantity: event.data.quantity, endedAt: at };
    }
    case "RefundFailed": {
      const { refundId, failure, retryable } = event.data;
      const attempts = ended(one, refundId, { state: "failed", endedAt: at, failure, retryable });
      return attempts === undefined ? one : { ...one, status, attempts };
    }
    case "ReplacementShipped": {
      const { carrier, trackingNumber } = event.data;
      return { ...one, status, replacement: { carrier, trackingNumber, at, receivedAt: undefined } };
    }
    case "ReplacementReceived":
      return {
        ...one,
        status,
        replacement: { ...(one.replacement as NonNullable<Case["replacement"]>), receivedAt: at },
        endedAt: at,
      };
    case "ExchangeConverted":
      return { ...one, status, type: event.data.toType, amount: event.data.amount, convertedAt: at };
  }
}

function ended(one: Case, refundId: string, outcome: Partial<Attempt>): readonly Attempt[] | undefined {
  const attempt = inFlight(one);
  if (attempt?.refundId !== refundId) return undefined;
  return [...one.attempts.slice(0, -1), { ...attempt, ...outcome }];
}
