// What happens to an after-sale case: facts on its order's stream, each naming its case.

import type { Role } from "./actor.ts";
import type { JsonPairs } from "./json.ts";
import type { CaseType } from "./terms.ts";

/** Back the way the payment came, to the shop's wallet, or by hand outside the engine (ShopXO refundment 0, 1, 2). */
export const destinations = ["original", "wallet", "manual"] as const;
export type Destination = (typeof destinations)[number];

export const dispositionKinds = ["restock", "damaged", "missing"] as const;

/** What became of so many of the units sent back. */
export interface Disposition {
  readonly kind: (typeof dispositionKinds)[number];
  readonly quantity: number;
}

/**
 * Why there is a case: a buyer's application, the merchant's cancellation of a paid order, money that came too late (ruling 1), or
 * another system's snapshot.
 */
export const origins = ["application", "cancellation", "latePayment", "import"] as const;
export type Origin = (typeof origins)[number];

/** How far a case can be in the system that it comes from. What happened there between is not known here. */
export const importedStatuses = [
  "requested",
  "awaitingReturn",
  "refundPending",
  "refunded",
  "exchanged",
  "rejected",
  "closed",
] as const;
export type ImportedStatus = (typeof importedStatuses)[number];

/** Who carries a parcel, and under which number. */
export interface Waybill {
  readonly carrier: string;
  readonly trackingNumber: string;
}

/** Where goods are to be sent back to. */
export interface ReturnAddress {
  readonly name?: string;
  readonly phone?: string;
  readonly address?: string;
}

/** What each event carries. Amounts are minor units of the order's currency. */
export interface CaseEventData {
  readonly RefundApplied: {
    readonly caseId: string;
    readonly origin: Origin;
    /** Absent where the case is about the whole order. */
    readonly lineId?: string;
    /** The payment that came late. */
    readonly payId?: string;
    readonly caseType: CaseType;
    /** Units to be sent back; 0 for a refund alone. */
    readonly quantity: number;
    readonly amount: number;
    readonly goodsReceived: boolean;
    readonly reason?: string;
    /** A source system's own number of the reason (the wiki's causeType). */
    readonly causeType?: number;
    readonly personal?: { readonly note?: string; readonly evidence?: readonly string[] };
  };
  readonly RefundApproved: {
    readonly caseId: string;
    readonly by: Role;
    /** What was approved of the amount asked for. */
    readonly amount: number;
    readonly personal?: { readonly note?: string; readonly returnAddress?: ReturnAddress };
  };
  readonly RefundRejected: {
    readonly caseId: string;
    readonly stage: "application" | "inspection" | "refund";
    readonly reason: string;
  };
  readonly RefundCancelled: { readonly caseId: string; readonly from: string };
  readonly RefundClosed: {
    readonly caseId: string;
    readonly cause: "returnOverdue" | "merchant";
    readonly reason?: string;
  };
  readonly RefundHidden: { readonly caseId: string };
  readonly ReturnShipped: { readonly caseId: string } & Waybill;
  readonly ReturnShipmentCorrected: { readonly caseId: string } & Waybill;
  readonly ReturnReceived: {
    readonly caseId: string;
    readonly dispositions: readonly Disposition[];
    readonly personal?: { readonly note?: string };
  };
  readonly RefundIssued: {
    readonly caseId: string;
    /** The payment provider's idempotency key: one per attempt. */
    readonly refundId: string;
    readonly attempt: number;
    readonly amount: number;
    readonly destination: Destination;
    /** The payment that is given back. */
    readonly payId: string;
  };
  readonly RefundSettled: {
    readonly caseId: string;
    readonly refundId: string;
    readonly amount: number;
    /** Units that count as returned, or before shipping as cancelled, by this settlement (ruling 3). */
    readonly quantity: number;
    readonly tradeNo?: string;
  };
  readonly RefundFailed: {
    readonly caseId: string;
    readonly refundId: string;
    /** The provider's own code. */
    readonly failure: string;
    readonly retryable: boolean;
    readonly message?: string;
  };
  readonly ReplacementShipped: { readonly caseId: string } & Waybill;
  readonly ReplacementReceived: { readonly caseId: string; readonly by: "buyer" | "system" };
  readonly ExchangeConverted: {
    readonly caseId: string;
    readonly toType: "returnRefund";
    readonly amount: number;
  };
  readonly RefundImported: {
    readonly caseId: string;
    /** The other system's name. */
    readonly source: string;
    /** As it is there; of one that is refunded there, the payment follows in the same append. */
    readonly status: ImportedStatus;
    readonly lineId: string;
    readonly caseType: CaseType;
    readonly quantity: number;
    readonly amount: number;
    readonly goodsReceived: boolean;
    readonly reason?: string;
    /** The snapshot as it came, for reports of what was lost on the way; no rule reads it. */
    readonly raw: JsonPairs;
  };
}

export type CaseEventType = keyof CaseEventData;

const everyCaseEvent: Readonly<Record<CaseEventType, true>> = {
  RefundApplied: true,
  RefundApproved: true,
  RefundRejected: true,
  RefundCancelled: true,
  RefundClosed: true,
  RefundHidden: true,
  ReturnShipped: true,
  ReturnShipmentCorrected: true,
  ReturnReceived: true,
  RefundIssued: true,
  RefundSettled: true,
  RefundFailed: true,
  ReplacementShipped: true,
  ReplacementReceived: true,
  ExchangeConverted: true,
  RefundImported: true,
};

export const caseEventTypes = Object.keys(everyCaseEvent) as readonly CaseEventType[];

/** One fact of a case. */
export type CaseEvent<T extends CaseEventType = CaseEventType> = {
  readonly [K in T]: { readonly type: K; readonly at: number; readonly data: CaseEventData[K] };
}[T];

export function isCaseEvent(event: { readonly type: string }): event is CaseEvent {
  return Object.hasOwn(everyCaseEvent, event.type);
}
