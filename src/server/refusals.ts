// What the plain API answers to what it cannot do: a status by the class of the refusal, a code, and words.

import { type Rejection, type RejectionCode, describeRejection } from "../domain/refusals.ts";
import { type WalletRefusal, type WalletRefusalCode, describeWalletRefusal } from "../domain/wallet.ts";

/** An answer with a status of its own; 200 is not of this kind. */
export interface Failure {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 500 | 503;
  readonly error: { readonly code: string; readonly message: string; readonly [fact: string]: unknown };
}

export function failure(
  status: Failure["status"],
  code: string,
  message: string,
  facts: Readonly<Record<string, unknown>> = {},
): Failure {
  return { status, error: { code, message, ...facts } };
}

/** Refusals that are not of the kind "what was asked does not hold", which is 422. */
const statuses: Partial<Readonly<Record<RejectionCode | WalletRefusalCode, Failure["status"]>>> = {
  invalidCommand: 400,
  orderNotFound: 404,
  notOwner: 404,
  caseNotFound: 404,
  wrongActor: 403,
  staffNotListed: 403,
  commandIdReused: 409,
  versionConflict: 409,
  orderExists: 409,
  orderNoUsed: 409,
  paymentIdUsed: 409,
  caseIdUsed: 409,
  walletIdUsed: 409,
};

/** The one answer about an order that is not there, or not the caller's. */
export function noSuchOrder(orderId: string): Failure {
  return ofRejection({ code: "orderNotFound", orderId });
}

export function ofRejection(rejection: Rejection): Failure {
  // That an order exists is its owner's to know.
  if (rejection.code === "notOwner") return noSuchOrder(rejection.orderId);
  return {
    status: statuses[rejection.code] ?? 422,
    error: { ...rejection, message: describeRejection(rejection) },
  };
}

export function ofWalletRefusal(refusal: WalletRefusal): Failure {
  return {
    status: statuses[refusal.code] ?? 422,
    error: { ...refusal, message: describeWalletRefusal(refusal) },
  };
}
