// The policy under which an order is made and goes on, copied into it at creation.

export const caseTypes = ["refundOnly", "returnRefund", "exchange"] as const;
export type CaseType = (typeof caseTypes)[number];

export const refundablePolicies = ["shopxoLast", "prorated"] as const;
export type RefundablePolicy = (typeof refundablePolicies)[number];

/** When stock is deducted (ShopXO's three rules). */
export const stockRules = ["confirmation", "payment", "shipping"] as const;
export type StockRule = (typeof stockRules)[number];

export interface Terms {
  /** The merchant confirms an order before it can be paid. */
  readonly booking: boolean;
  /** Minutes from the moment an order can be paid until it expires; 0 = never (ShopXO: 30). */
  readonly payWindowMinutes: number;
  /** Days from shipping until receipt is confirmed by the system; 0 = never (ShopXO: 15). */
  readonly autoConfirmDays: number;
  /** Whether an open case keeps that receipt waiting; it does without this (domain 2.2). */
  readonly autoConfirmPauses?: boolean;
  /** Days from receipt during which after-sale can be applied for; 0 = never (ShopXO: 30). */
  readonly afterSaleDays: number;
  readonly refundable: RefundablePolicy;
  /** Pieces of evidence a case may carry, 0..9. */
  readonly evidenceMax: number;
  readonly allowedTypes: readonly CaseType[];
  readonly stockDeduction: StockRule;
  /** A virtual order ships itself when paid. */
  readonly virtualAutoShip: boolean;
  /** Days a buyer has to send goods back after approval; 0 = no limit. */
  readonly returnShipDays: number;
  /** Days from a replacement's shipping until the system confirms it; 0 = never. */
  readonly replacementConfirmDays: number;
  /** Attempts to pay a refund before it waits for a person. */
  readonly refundAttempts: number;
}

/** The defaults of domain 2.7. */
export const defaultTerms: Terms = {
  booking: false,
  payWindowMinutes: 30,
  autoConfirmDays: 15,
  afterSaleDays: 30,
  refundable: "shopxoLast",
  evidenceMax: 9,
  allowedTypes: caseTypes,
  stockDeduction: "payment",
  virtualAutoShip: true,
  returnShipDays: 7,
  replacementConfirmDays: 7,
  refundAttempts: 3,
};
