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
      "ExpireOrder: this order has no such deadline",
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
