// Why a command was refused: a closed union of plain data with the rule's own numbers, and the one function that puts it into words.

import type { Role } from "./actor.ts";
import { formatAmount } from "./money.ts";

/** One fault of a malformed command: where, which rule, and what stood there. */
export interface Issue {
  /** The field, as a path such as `lines[2].unitPrice`; empty for the command as a whole. */
  readonly field: string;
  readonly rule: string;
  /** What the writer may have meant, for an unknown key, command or value. */
  readonly suggestion?: string | undefined;
}

/** The facts of each refusal, by code. Amounts are minor units, instants milliseconds UTC. */
export interface RefusalFacts {
  // The command cannot be read.
  invalidCommand: { readonly issues: readonly Issue[] };

  // The stream has moved, or has answered this already.
  commandIdReused: { readonly commandId: string; readonly revision: string };
  versionConflict: { readonly expected: string; readonly actual: string };

  // The order, and whose it is.
  orderNotFound: { readonly orderId: string };
  notOwner: { readonly orderId: string; readonly role: Role };
  orderExists: { readonly orderId: string };
  orderNoUsed: { readonly orderNo: string };
  wrongActor: { readonly command: string; readonly role: Role; readonly allowed: readonly Role[] };
  timeRunsBackwards: { readonly at: number; readonly lastAt: number };
  orderStatusNotEligible: {
    readonly command: string;
    readonly status: string;
    readonly allowed: readonly string[];
  };

  // Making an order.
  buyerMismatch: { readonly field: "buyerId"; readonly buyerId: string; readonly actorId: string };
  buyerMissing: { readonly field: "buyerId" };
  merchantMismatch: {
    readonly field: "merchantId";
    readonly merchantId: string;
    readonly actorId: string;
  };
  termsOverride: { readonly field: string; readonly role: Role };
  lineIdTwice: { readonly field: string; readonly lineId: string };
  amountTooLarge: { readonly field: string; readonly limit: number };
  discountTooHigh: {
    readonly field: "discount";
    readonly discount: number;
    readonly limit: number;
    readonly currency: string;
  };
  outOfStock: {
    readonly field: string;
    readonly lineId: string;
    readonly quantity: number;
    readonly available: number;
  };
  redeemKeyMissing: { readonly field: "redeemable" };

  // Paying.
  amountMismatch: {
    readonly field: "amount";
    readonly amount: number;
    readonly due: number;
    readonly currency: string;
  };
  currencyMismatch: {
    readonly field: "currency";
    readonly currency: string;
    readonly expected: string;
  };
  paymentIdUsed: { readonly field: "payId"; readonly payId: string };

  // Deadlines.
  notDue: { readonly command: string; readonly dueAt: number | null; readonly at: number };

  // Shipping, receiving, redeeming.
  waybillMissing: { readonly field: string };
  lineNotInOrder: { readonly field: string; readonly lineId: string };
  codeMissing: { readonly field: "code" };
  noRedemptionCode: { readonly orderId: string };
  redemptionCodeWrong: { readonly field: "code" };
  staffNotListed: { readonly staffId: string };
  alreadyRedeemed: { readonly at: number };

  // After receipt.
  alreadyReviewed: { readonly at: number };
  reviewIncomplete: { readonly field: "items"; readonly missing: readonly string[] };
  stepOutOfOrder: { readonly command: string; readonly step: string; readonly needs: string };
  surplusTooHigh: {
    readonly field: "amount";
    readonly amount: number;
    readonly limit: number;
    readonly currency: string;
  };
}

export type RejectionCode = keyof RefusalFacts;

/**
 * A refusal: `code` is the first rule that was broken, in the documented order; `also` holds every other rule that could be evaluated
 * and was broken too.
 */
export type Rejection<C extends RejectionCode = RejectionCode> = {
  readonly [K in C]: { readonly code: K } & RefusalFacts[K] & {
      readonly also?: readonly Rejection[];
    };
}[C];

type Words = { readonly [K in RejectionCode]: (facts: RefusalFacts[K]) => string };

const when = (at: number): string => new Date(at).toISOString();

const words: Words = {
  invalidCommand: ({ issues }) => issues.map(describeIssue).join("; "),
  commandIdReused: ({ commandId, revision }) =>
    `commandId ${commandId} was used for another command, at revision ${revision}`,
  versionConflict: ({ expected, actual }) => `expect: the order is at revision ${actual}, not at ${expected}`,
  orderNotFound: ({ orderId }) => `orderId: there is no order ${orderId}`,
  notOwner: ({ orderId, role }) => `orderId: order ${orderId} is not this ${role}'s own`,
  orderExists: ({ orderId }) => `orderId: order ${orderId} exists already`,
  orderNoUsed: ({ orderNo }) => `orderNo: ${orderNo} belongs to another order`,
  wrongActor: ({ command, role, allowed }) =>
    `actor: ${command} is for ${allowed.join(" or ")}, not for ${role}`,
  timeRunsBackwards: ({ at, lastAt }) =>
    `at: ${when(at)} is before the order's latest event of ${when(lastAt)}`,
  orderStatusNotEligible: ({ command, status, allowed }) =>
    `${command} needs an order that is ${allowed.join(" or ")}; this one is ${status}`,
  buyerMismatch: ({ buyerId, actorId }) => `buyerId: buyer ${actorId} cannot order in the name of ${buyerId}`,
  buyerMissing: () => "buyerId: must be named where the actor is not the buyer",
  merchantMismatch: ({ merchantId, actorId }) =>
    `merchantId: merchant ${actorId} cannot make an order of ${merchantId}`,
  termsOverride: ({ field, role }) =>
    `${field}: only a merchant or the system may override the terms, not a ${role}`,
  lineIdTwice: ({ field, lineId }) => `${field}: line id ${lineId} stands twice`,
  amountTooLarge: ({ field, limit }) => `${field}: the sum exceeds ${limit} minor units`,
  discountTooHigh: ({ discount, limit, currency }) =>
    `discount: ${formatAmount(discount, currency)} ${currency} is more than goods and charges, ${formatAmount(limit, currency)} ${currency}`,
  outOfStock: ({ field, lineId, quantity, available }) =>
    `${field}: line ${lineId} asks for ${quantity}, ${available} available`,
  redeemKeyMissing: () => "redeemable: write-off codes need the engine's redeemKey, and none is set",
  amountMismatch: ({ amount, due, currency }) =>
    `amount: ${formatAmount(amount, currency)} ${currency} was given, ${formatAmount(due, currency)} ${currency} is due`,
  currencyMismatch: ({ currency, expected }) => `currency: the order is in ${expected}, not in ${currency}`,
  paymentIdUsed: ({ payId }) => `payId: ${payId} was used for another payment`,
  notDue: ({ command, dueAt, at }) =>
    dueAt === null
      ? `${command}: this order has no such deadline`
      : `${command}: due after ${when(dueAt)}, and it is ${when(at)}`,
  waybillMissing: ({ field }) => `${field}: an express parcel needs a carrier and a tracking number`,
  lineNotInOrder: ({ field, lineId }) => `${field}: the order has no line ${lineId}`,
  codeMissing: () => "code: this pickup order is handed over against its write-off code",
  noRedemptionCode: ({ orderId }) => `orderId: order ${orderId} has no write-off code`,
  redemptionCodeWrong: () => "code: not this order's write-off code",
  staffNotListed: ({ staffId }) => `actor: staff ${staffId} is not listed to redeem for this merchant`,
  alreadyRedeemed: ({ at }) => `code: redeemed already, at ${when(at)}`,
  alreadyReviewed: ({ at }) => `items: reviewed already, at ${when(at)}`,
  reviewIncomplete: ({ missing }) => `items: no rating for line ${missing.join(", ")}`,
  stepOutOfOrder: ({ command, step, needs }) => `${command}: stands at ${step}, needs ${needs}`,
  surplusTooHigh: ({ amount, limit, currency }) =>
    `amount: ${formatAmount(amount, currency)} ${currency} is more than ${formatAmount(limit, currency)} ${currency}`,
};

/** One issue in words, with its suggestion where there is one. */
export function describeIssue({ field, rule, suggestion }: Issue): string {
  const hint = suggestion === undefined ? "" : ` (did you mean ${suggestion}?)`;
  return `${field === "" ? "" : `${field}: `}${rule}${hint}`;
}

/** A refusal in words: the field, the rule and the numbers, then whatever else was broken. */
export function describeRejection(rejection: Rejection): string {
  const say = words[rejection.code] as (facts: Rejection) => string;
  return [say(rejection), ...(rejection.also ?? []).map(describeRejection)].join("; also ");
}

export const rejectionCodes = Object.keys(words) as readonly RejectionCode[];
