// Every refusal in words: the field, the rule and the numbers.

import { describe, expect, it } from "vitest";

import {
  type Rejection,
  type RejectionCode,
  describeIssue,
  describeRejection,
  rejectionCodes,
} from "../../src/domain/refusals.ts";
import { t0 } from "./orders.ts";

const said: { readonly [C in RejectionCode]: readonly [Rejection<C>, string] } = {
  invalidCommand: [
    {
      code: "invalidCommand",
      issues: [
        { field: "lines[2].unitPrice", rule: "an integer of 0 or more" },
        { field: "", rule: "unknown key quantiy", suggestion: "quantity" },
      ],
    },
    "lines[2].unitPrice: an integer of 0 or more; unknown key quantiy (did you mean quantity?)",
  ],
  commandIdReused: [
    { code: "commandIdReused", commandId: "c-1", revision: "4" },
    "commandId c-1 was used for another command, at revision 4",
  ],
  versionConflict: [
    { code: "versionConflict", expected: "3", actual: "5" },
    "expect: the order is at revision 5, not at 3",
  ],
  orderNotFound: [{ code: "orderNotFound", orderId: "o-1" }, "orderId: there is no order o-1"],
  notOwner: [
    { code: "notOwner", orderId: "o-1", role: "buyer" },
    "orderId: order o-1 is not this buyer's own",
  ],
  orderExists: [{ code: "orderExists", orderId: "o-1" }, "orderId: order o-1 exists already"],
  orderNoUsed: [{ code: "orderNoUsed", orderNo: "2026-1" }, "orderNo: 2026-1 belongs to another order"],
  wrongActor: [
    { code: "wrongActor", command: "Pay", role: "admin", allowed: ["buyer", "system"] },
    "actor: Pay is for buyer or system, not for admin",
  ],
  timeRunsBackwards: [
    { code: "timeRunsBackwards", at: t0, lastAt: t0 + 1 },
    "at: 2026-01-05T08:00:00.000Z is before the order's latest event of 2026-01-05T08:00:00.001Z",
  ],
  orderStatusNotEligible: [
    {
      code: "orderStatusNotEligible",
      command: "CancelOrder",
      status: "paid",
      allowed: ["pendingConfirmation", "pendingPayment"],
    },
    "CancelOrder needs an order that is pendingConfirmation or pendingPayment; this one is paid",
  ],
  buyerMismatch: [
    { code: "buyerMismatch", field: "buyerId", buyerId: "buyer-2", actorId: "buyer-1" },
    "buyerId: buyer buyer-1 cannot order in the name of buyer-2",
  ],
  buyerMissing: [
    { code: "buyerMissing", field: "buyerId" },
    "buyerId: must be named where the actor is not the buyer",
  ],
  merchantMismatch: [
    { code: "merchantMismatch", field: "merchantId", merchantId: "main", actorId: "rival" },
    "merchantId: merchant rival cannot make an order of main",
  ],
  termsOverride: [
    { code: "termsOverride", field: "terms", role: "buyer" },
    "terms: only a merchant or the system may override the terms, not a buyer",
  ],
  lineIdTwice: [
    { code: "lineIdTwice", field: "lines[1].lineId", lineId: "L1" },
    "lines[1].lineId: line id L1 stands twice",
  ],
  amountTooLarge: [
    { code: "amountTooLarge", field: "lines", limit: Number.MAX_SAFE_INTEGER },
    "lines: the sum exceeds 9007199254740991 minor units",
  ],
  discountTooHigh: [
    { code: "discountTooHigh", field: "discount", discount: 5_801, limit: 5_800, currency: "CNY" },
    "discount: 58.01 CNY is more than goods and charges, 58.00 CNY",
  ],
  outOfStock: [
    { code: "outOfStock", field: "lines[0].quantity", lineId: "L1", quantity: 3, available: 2 },
    "lines[0].quantity: line L1 asks for 3, 2 available",
  ],
  redeemKeyMissing: [
    { code: "redeemKeyMissing", field: "redeemable" },
    "redeemable: write-off codes need the engine's redeemKey, and none is set",
  ],
  amountMismatch: [
    { code: "amountMismatch", field: "amount", amount: 500, due: 5_800, currency: "JPY" },
    "amount: 500 JPY was given, 5800 JPY is due",
  ],
  currencyMismatch: [
    { code: "currencyMismatch", field: "currency", currency: "USD", expected: "CNY" },
    "currency: the order is in CNY, not in USD",
  ],
  paymentIdUsed: [
    { code: "paymentIdUsed", field: "payId", payId: "pay-1" },
    "payId: pay-1 was used for another payment",
  ],
  notDue: [
    { code: "notDue", command: "ExpireOrder", dueAt: t0, at: t0 + 999 },
    "ExpireOrder: due after 2026-01-05T08:00:00.000Z, and it is 2026-01-05T08:00:00.999Z",
  ],
  waybillMissing: [
    { code: "waybillMissing", field: "shipments[0].carrier" },
    "shipments[0].carrier: an express parcel needs a carrier and a tracking number",
  ],
  lineNotInOrder: [
    { code: "lineNotInOrder", field: "items[0].lineId", lineId: "L9" },
    "items[0].lineId: the order has no line L9",
  ],
  codeMissing: [
    { code: "codeMissing", field: "code" },
    "code: this pickup order is handed over against its write-off code",
  ],
  noRedemptionCode: [
    { code: "noRedemptionCode", orderId: "o-1" },
    "orderId: order o-1 has no write-off code",
  ],
  redemptionCodeWrong: [
    { code: "redemptionCodeWrong", field: "code" },
    "code: not this order's write-off code",
  ],
  staffNotListed: [
    { code: "staffNotListed", staffId: "staff-2" },
    "actor: staff staff-2 is not listed to redeem for this merchant",
  ],
  alreadyRedeemed: [
    { code: "alreadyRedeemed", at: t0 },
    "code: redeemed already, at 2026-01-05T08:00:00.000Z",
  ],
  alreadyReviewed: [
    { code: "alreadyReviewed", at: t0 },
    "items: reviewed already, at 2026-01-05T08:00:00.000Z",
  ],
  reviewIncomplete: [
    { code: "reviewIncomplete", field: "items", missing: ["L1", "L2"] },
    "items: no rating for line L1, L2",
  ],
  stepOutOfOrder: [
    { code: "stepOutOfOrder", command: "MarkPurchased", step: "none", needs: "audited" },
    "MarkPurchased: stands at none, needs audited",
  ],
  surplusTooHigh: [
    { code: "surplusTooHigh", field: "amount", amount: 401, limit: 400, currency: "KWD" },
    "amount: 0.401 KWD is more than 0.400 KWD",
  ],
  caseNotFound: [{ code: "caseNotFound", caseId: "c-1" }, "caseId: the order has no case c-1"],
  caseIdUsed: [{ code: "caseIdUsed", field: "caseId", caseId: "c-1" }, "caseId: c-1 belongs to another case"],
  caseStatusNotEligible: [
    {
      code: "caseStatusNotEligible",
      command: "RejectRefund",
      caseId: "c-1",
      status: "awaitingReturn",
      allowed: ["requested", "returnInTransit", "refundPending"],
    },
    "RejectRefund needs a case that is requested or returnInTransit or refundPending; c-1 is awaitingReturn",
  ],
  originNotEligible: [
    {
      code: "originNotEligible",
      command: "CloseRefund",
      caseId: "late:p",
      origin: "latePayment",
      allowed: ["application", "cancellation"],
    },
    "CloseRefund is for a case of application or cancellation; late:p is one of latePayment",
  ],
  caseOpen: [
    { code: "caseOpen", command: "Redeem", caseId: "c-1", status: "requested" },
    "Redeem: case c-1 is open, requested",
  ],
  nothingPaid: [{ code: "nothingPaid", orderId: "o-1" }, "amount: nothing was paid for order o-1"],
  windowExpired: [
    { code: "windowExpired", days: 30, until: t0, at: t0 + 1_000 },
    "after-sale: open for 30 days, until 2026-01-05T08:00:00.000Z, and it is 2026-01-05T08:00:01.000Z",
  ],
  typeNotAllowed: [
    {
      code: "typeNotAllowed",
      field: "caseType",
      caseType: "exchange",
      allowed: ["refundOnly", "returnRefund"],
    },
    "caseType: exchange cannot be applied for here, only refundOnly or returnRefund",
  ],
  amountTooLow: [
    { code: "amountTooLow", field: "amount", amount: 0, least: 1, currency: "CNY" },
    "amount: 0.00 CNY is less than 0.01 CNY",
  ],
  amountTooHigh: [
    {
      code: "amountTooHigh",
      field: "amount",
      amount: 3_001,
      limit: 3_000,
      claimed: 2_800,
      paid: 5_800,
      currency: "CNY",
    },
    "amount: 30.01 CNY is more than 30.00 CNY; of 58.00 CNY paid, 28.00 CNY is claimed",
  ],
  quantityInvalid: [
    { code: "quantityInvalid", field: "quantity", quantity: 1, caseType: "refundOnly" },
    "quantity: 1 in a case of refundOnly, which sends back nothing",
  ],
  quantityTooHigh: [
    { code: "quantityTooHigh", field: "quantity", quantity: 4, limit: 2, claimed: 1, bought: 3 },
    "quantity: 4 is more than 2; of 3 bought, 1 came back or are to",
  ],
  reasonLength: [
    { code: "reasonLength", field: "reason", length: 1, least: 2, limit: 230 },
    "reason: must be 2 to 230 characters, and is 1",
  ],
  noteTooLong: [
    { code: "noteTooLong", field: "personal.note", length: 501, limit: 500 },
    "personal.note: must be at most 500 characters, and is 501",
  ],
  evidenceTooMany: [
    { code: "evidenceTooMany", field: "personal.evidence", count: 4, limit: 3 },
    "personal.evidence: at most 3 pieces, and there are 4",
  ],
  statusNotPossible: [
    {
      code: "statusNotPossible",
      field: "status",
      status: "refunded",
      caseType: "exchange",
      allowed: ["requested", "exchanged"],
    },
    "status: a case of exchange is never refunded, only requested or exchanged",
  ],
  dispositionsMismatch: [
    { code: "dispositionsMismatch", field: "dispositions", quantity: 2, expected: 3 },
    "dispositions: account for 2 of 3 units",
  ],
  consentMissing: [
    { code: "consentMissing", field: "buyerConsents" },
    "buyerConsents: the buyer must agree to money instead of goods",
  ],
  destinationMissing: [
    { code: "destinationMissing", field: "destination" },
    "destination: must be named, there was no attempt before",
  ],
  destinationRefused: [
    {
      code: "destinationRefused",
      field: "destination",
      destination: "original",
      because: "paidOffline",
    },
    "destination: cannot be original (paidOffline), the payment was made offline",
  ],
  refundInFlight: [
    { code: "refundInFlight", caseId: "c-1", refundId: "c-1:1" },
    "caseId: refund c-1:1 of case c-1 is in flight",
  ],
  refundUnknown: [
    { code: "refundUnknown", field: "refundId", refundId: "c-1:9", caseId: "c-1" },
    "refundId: case c-1 has no refund c-1:9",
  ],
  refundNotInFlight: [
    { code: "refundNotInFlight", field: "refundId", refundId: "c-1:1", state: "failed" },
    "refundId: c-1:1 is failed",
  ],
};

describe("a refusal in words", () => {
  it("is there for every code", () => {
    expect(rejectionCodes.toSorted()).toStrictEqual(Object.keys(said).toSorted());
  });

  it.each(Object.values(said))("$code", (rejection, text) => {
    expect(describeRejection(rejection)).toBe(text);
  });

  it("names the field that the refusal names", () => {
    for (const [rejection, text] of Object.values(said)) {
      if ("field" in rejection) expect(text.startsWith(`${rejection.field}: `)).toBe(true);
    }
  });

  it("of a deadline that the order has not", () => {
    expect(describeRejection({ code: "notDue", command: "ExpireOrder", dueAt: null, at: t0 })).toBe(
      "ExpireOrder: no deadline of this kind runs",
    );
  });

  it("of a deadline that waits for a case", () => {
    const waits = {
      code: "notDue",
      command: "ConfirmReceipt",
      dueAt: null,
      at: t0,
      caseId: "c-1",
    } as const;
    expect(describeRejection({ ...waits, left: 93_784_000 })).toBe(
      "ConfirmReceipt: waits while case c-1 is open, and then for 1 d 2 h 3 min 4 s more",
    );
    expect(describeRejection({ ...waits, left: 86_400_999 })).toBe(
      "ConfirmReceipt: waits while case c-1 is open, and then for 1 d more",
    );
    for (const left of [0, 999]) {
      expect(describeRejection({ ...waits, left })).toBe("ConfirmReceipt: waits while case c-1 is open");
    }
  });

  it("of an order without any after-sale, and of a line that allows nothing", () => {
    expect(describeRejection({ code: "windowExpired", days: 0, until: null, at: t0 })).toBe(
      "after-sale: this order has none, 0 days, and it is 2026-01-05T08:00:00.000Z",
    );
    expect(
      describeRejection({ code: "typeNotAllowed", field: "caseType", caseType: "exchange", allowed: [] }),
    ).toBe("caseType: exchange cannot be applied for here, nothing can");
    expect(describeRejection({ ...said.quantityInvalid[0], quantity: 0, caseType: "exchange" })).toBe(
      "quantity: 0 in a case of exchange, which sends back at least 1",
    );
  });

  it("goes on with all else that was broken", () => {
    expect(
      describeRejection({
        ...said.amountMismatch[0],
        also: [said.paymentIdUsed[0], { ...said.codeMissing[0], also: [said.buyerMissing[0]] }],
      }),
    ).toBe(
      [said.amountMismatch[1], said.paymentIdUsed[1], said.codeMissing[1], said.buyerMissing[1]].join(
        "; also ",
      ),
    );
  });
});

it("an issue in words has its field and its suggestion where it has them", () => {
  expect(describeIssue({ field: "type", rule: "unknown command Pya", suggestion: "Pay" })).toBe(
    "type: unknown command Pya (did you mean Pay?)",
  );
  expect(describeIssue({ field: "", rule: "not a JSON object" })).toBe("not a JSON object");
});
