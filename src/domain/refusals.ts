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
  notDue: {
    readonly command: string;
    /** Null where there is no such deadline, or it stands still. */
    readonly dueAt: number | null;
    readonly at: number;
    /** The case for which it stands still, and how many milliseconds are left when that is over. */
    readonly caseId?: string;
    readonly left?: number;
  };

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

  // After-sale: the case.
  caseNotFound: { readonly caseId: string };
  caseIdUsed: { readonly field: "caseId"; readonly caseId: string };
  caseStatusNotEligible: {
    readonly command: string;
    readonly caseId: string;
    readonly status: string;
    readonly allowed: readonly string[];
  };
  originNotEligible: {
    readonly command: string;
    readonly caseId: string;
    readonly origin: string;
    readonly allowed: readonly string[];
  };
  caseOpen: { readonly command: string; readonly caseId: string; readonly status: string };

  // Applying: G2 to G10 of domain 2.3.
  nothingPaid: { readonly orderId: string };
  windowExpired: {
    readonly days: number;
    /** Until when it was open; null where it never was. */
    readonly until: number | null;
    readonly at: number;
  };
  typeNotAllowed: {
    readonly field: "caseType";
    readonly caseType: string;
    readonly allowed: readonly string[];
  };
  amountTooLow: {
    readonly field: "amount";
    readonly amount: number;
    readonly least: number;
    readonly currency: string;
  };
  /** `claimed`: what the order's open and refunded cases come to, of what was paid. */
  amountTooHigh: {
    readonly field: "amount";
    readonly amount: number;
    readonly limit: number;
    readonly claimed: number;
    readonly paid: number;
    readonly currency: string;
  };
  quantityInvalid: { readonly field: "quantity"; readonly quantity: number; readonly caseType: string };
  /** `claimed`: units of the line that came back or are to come, of those bought. */
  quantityTooHigh: {
    readonly field: "quantity";
    readonly quantity: number;
    readonly limit: number;
    readonly claimed: number;
    readonly bought: number;
  };
  reasonLength: {
    readonly field: "reason";
    readonly length: number;
    readonly least: number;
    readonly limit: number;
  };
  noteTooLong: { readonly field: "personal.note"; readonly length: number; readonly limit: number };
  evidenceTooMany: { readonly field: "personal.evidence"; readonly count: number; readonly limit: number };

  // Importing.
  statusNotPossible: {
    readonly field: "status";
    readonly status: string;
    readonly caseType: string;
    readonly allowed: readonly string[];
  };

  // Receiving, exchanging, paying out.
  dispositionsMismatch: {
    readonly field: "dispositions";
    readonly quantity: number;
    readonly expected: number;
  };
  consentMissing: { readonly field: "buyerConsents" };
  destinationMissing: { readonly field: "destination" };
  destinationRefused: {
    readonly field: "destination";
    readonly destination: string;
    readonly because: "notPayable" | "paidOffline" | "noTradeNo";
  };
  refundInFlight: { readonly caseId: string; readonly refundId: string };
  refundUnknown: { readonly field: "refundId"; readonly refundId: string; readonly caseId: string };
  refundNotInFlight: { readonly field: "refundId"; readonly refundId: string; readonly state: string };
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

/** What a guard says: nothing, where its rule is kept. */
export type Refusal = Rejection | undefined;

type Words = { readonly [K in RejectionCode]: (facts: RefusalFacts[K]) => string };

const when = (at: number): string => new Date(at).toISOString();

/** A time of so many milliseconds, in whole seconds; empty for less than one. */
function lasting(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`])).join(" ");
}

const destinationFaults = {
  notPayable: "there is nothing to pay out yet",
  paidOffline: "the payment was made offline",
  noTradeNo: "the payment has no trade number",
} as const;

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
  notDue: ({ command, dueAt, at, caseId, left = 0 }) => {
    if (dueAt !== null) return `${command}: due after ${when(dueAt)}, and it is ${when(at)}`;
    if (caseId === undefined) return `${command}: no deadline of this kind runs`;
    const more = lasting(left);
    return `${command}: waits while case ${caseId} is open${more === "" ? "" : `, and then for ${more} more`}`;
  },
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
  caseNotFound: ({ caseId }) => `caseId: the order has no case ${caseId}`,
  caseIdUsed: ({ caseId }) => `caseId: ${caseId} belongs to another case`,
  caseStatusNotEligible: ({ command, caseId, status, allowed }) =>
    `${command} needs a case that is ${allowed.join(" or ")}; ${caseId} is ${status}`,
  originNotEligible: ({ command, caseId, origin, allowed }) =>
    `${command} is for a case of ${allowed.join(" or ")}; ${caseId} is one of ${origin}`,
  caseOpen: ({ command, caseId, status }) => `${command}: case ${caseId} is open, ${status}`,
  nothingPaid: ({ orderId }) => `amount: nothing was paid for order ${orderId}`,
  windowExpired: ({ days, until, at }) =>
    until === null
      ? `after-sale: this order has none, ${days} days, and it is ${when(at)}`
      : `after-sale: open for ${days} days, until ${when(until)}, and it is ${when(at)}`,
  typeNotAllowed: ({ caseType, allowed }) =>
    `caseType: ${caseType} cannot be applied for here, ${allowed.length === 0 ? "nothing can" : `only ${allowed.join(" or ")}`}`,
  amountTooLow: ({ amount, least, currency }) =>
    `amount: ${formatAmount(amount, currency)} ${currency} is less than ${formatAmount(least, currency)} ${currency}`,
  amountTooHigh: ({ amount, limit, claimed, paid, currency }) =>
    `amount: ${formatAmount(amount, currency)} ${currency} is more than ${formatAmount(limit, currency)} ${currency}; of ${formatAmount(paid, currency)} ${currency} paid, ${formatAmount(claimed, currency)} ${currency} is claimed`,
  quantityInvalid: ({ quantity, caseType }) =>
    `quantity: ${quantity} in a case of ${caseType}, which sends back ${caseType === "refundOnly" ? "nothing" : "at least 1"}`,
  quantityTooHigh: ({ quantity, limit, claimed, bought }) =>
    `quantity: ${quantity} is more than ${limit}; of ${bought} bought, ${claimed} came back or are to`,
  reasonLength: ({ length, least, limit }) =>
    `reason: must be ${least} to ${limit} characters, and is ${length}`,
  noteTooLong: ({ length, limit }) => `personal.note: must be at most ${limit} characters, and is ${length}`,
  evidenceTooMany: ({ count, limit }) => `personal.evidence: at most ${limit} pieces, and there are ${count}`,
  statusNotPossible: ({ status, caseType, allowed }) =>
    `status: a case of ${caseType} is never ${status}, only ${allowed.join(" or ")}`,
  dispositionsMismatch: ({ quantity, expected }) =>
    `dispositions: account for ${quantity} of ${expected} units`,
  consentMissing: () => "buyerConsents: the buyer must agree to money instead of goods",
  destinationMissing: () => "destination: must be named, there was no attempt before",
  destinationRefused: ({ destination, because }) =>
    `destination: cannot be ${destination} (${because}), ${destinationFaults[because]}`,
  refundInFlight: ({ caseId, refundId }) => `caseId: refund ${refundId} of case ${caseId} is in flight`,
  refundUnknown: ({ refundId, caseId }) => `refundId: case ${caseId} has no refund ${refundId}`,
  refundNotInFlight: ({ refundId, state }) => `refundId: ${refundId} is ${state}`,
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

/** The first of the refusals in their order, with the others beside it; undefined where there is none. */
export function firstRefusal(refusals: readonly Refusal[]): Refusal {
  const [first, ...also] = refusals.filter((refusal) => refusal !== undefined);
  return first === undefined || also.length === 0 ? first : { ...first, also };
}

export const rejectionCodes = Object.keys(words) as readonly RejectionCode[];
