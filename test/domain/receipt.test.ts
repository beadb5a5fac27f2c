// ConfirmReceipt and Redeem: by the buyer, by the clock to the second, and by a write-off code once.

import { describe, it } from "vitest";

import type { OrderEvent } from "../../src/domain/events.ts";
import type { StockRule } from "../../src/domain/terms.ts";
import { given } from "./given.ts";
import {
  admin,
  ask,
  buyer,
  codeHash,
  day,
  deducted,
  event,
  merchant,
  paidAt,
  policy,
  provider,
  reached,
  received,
  receivedAt,
  rightCode,
  second,
  shippedAt,
  staff,
  system,
  withTerms,
  wrongCode,
} from "./orders.ts";

describe("ConfirmReceipt", () => {
  const confirm = ask("ConfirmReceipt", {});
  const shipped = given(reached("shipped"));
  const dueAt = shippedAt + 15 * day;

  it("by the buyer at any time", () => {
    shipped.when(confirm, buyer, shippedAt).gives([received(shippedAt)]);
    shipped.when(confirm, buyer, shippedAt + 99 * day).gives([received(shippedAt + 99 * day)]);
  });

  // Domain 5, scenario 18.
  it.each([
    ["at once", shippedAt],
    ["after fourteen days", shippedAt + 14 * day],
    ["at fifteen days", dueAt],
    ["at fifteen days and 999 ms", dueAt + 999],
  ])("by the system is not due %s", (_when, now) => {
    shipped.when(confirm, system, now).refuses({ code: "notDue", command: "ConfirmReceipt", dueAt, at: now });
  });

  it("by the system is due at fifteen days and a second", () => {
    const now = dueAt + second;
    shipped.when(confirm, system, now).gives([event("ReceiptConfirmed", now, { by: "system" })]);
  });

  it("goes by the order's own terms, not by those in force now", () => {
    const soon = given(reached("shipped", { terms: { autoConfirmDays: 1 } }));
    const now = shippedAt + day + second;
    soon
      .when(confirm, system, now, withTerms({ autoConfirmDays: 15 }))
      .gives([event("ReceiptConfirmed", now, { by: "system" })]);
    soon.when(confirm, system, now - second, withTerms({ autoConfirmDays: 0 })).refuses({
      code: "notDue",
      command: "ConfirmReceipt",
      dueAt: shippedAt + day,
      at: now - second,
    });
  });

  it("by the system never comes where the terms set no term, nor before shipping", () => {
    const now = shippedAt + 9_999 * day;
    given(reached("shipped", { terms: { autoConfirmDays: 0 } }))
      .when(confirm, system, now)
      .refuses({ code: "notDue", command: "ConfirmReceipt", dueAt: null, at: now });
    given(reached("paid"))
      .when(confirm, system, now)
      .refuses({
        code: "orderStatusNotEligible",
        command: "ConfirmReceipt",
        status: "paid",
        allowed: ["shipped"],
        also: [{ code: "notDue", command: "ConfirmReceipt", dueAt: null, at: now }],
      });
  });

  it("counts from the shipping, not from a corrected waybill", () => {
    const now = dueAt + second;
    given([
      ...reached("shipped"),
      event("ShipmentCorrected", shippedAt + 10 * day, {
        shipments: [{ carrier: "EMS", trackingNumber: "E1" }],
      }),
    ])
      .when(confirm, system, now)
      .gives([event("ReceiptConfirmed", now, { by: "system" })]);
  });

  it.each([merchant, staff, provider, admin])("is not for $role", (actor) => {
    shipped.when(confirm, actor, dueAt + second).refuses({
      code: "wrongActor",
      command: "ConfirmReceipt",
      role: actor.role,
      allowed: ["buyer", "system"],
    });
  });

  it("comes once, and needs an order under way", () => {
    for (const status of ["paid", "completed"] as const) {
      given(reached(status))
        .when(confirm, buyer, receivedAt)
        .refuses({
          code: "orderStatusNotEligible",
          command: "ConfirmReceipt",
          status,
          allowed: ["shipped"],
        });
    }
  });
});

describe("Redeem", () => {
  const redeem = ask("Redeem", { code: "ABC" });
  const redeemable = { redemption: { codeHash } };
  const now = receivedAt;
  const redeemed = event("OrderRedeemed", now, { staffId: "staff-1" });
  const writtenOff = event("ReceiptConfirmed", now, { by: "writeOff" });

  it.each(["paid", "shipped"] as const)("completes an order that is %s", (status) => {
    given(reached(status, redeemable)).when(redeem, staff, now, rightCode).gives([redeemed, writtenOff]);
  });

  it("keeps what no rule reads", () => {
    given(reached("paid", redeemable))
      .when(ask("Redeem", { code: "ABC", source: [["till", 4]] }), staff, now, rightCode)
      .gives([event("OrderRedeemed", now, { staffId: "staff-1", source: [["till", 4]] }), writtenOff]);
  });

  it.each<["paid" | "shipped", StockRule, readonly OrderEvent[]]>([
    ["paid", "confirmation", []],
    ["paid", "payment", []],
    ["paid", "shipping", [deducted("shipping", "OrderRedeemed", now)]],
    ["shipped", "confirmation", []],
    ["shipped", "payment", []],
    ["shipped", "shipping", []],
  ])("of an order that is %s, by the %s rule", (status, stockDeduction, between) => {
    given(reached(status, { ...redeemable, terms: { stockDeduction } }))
      .when(redeem, staff, now, rightCode)
      .gives([redeemed, ...between, writtenOff]);
  });

  it("is refused with a wrong code, or with none that could be hashed", () => {
    const wrong = { code: "redemptionCodeWrong", field: "code" } as const;
    const order = given(reached("paid", redeemable));
    order.when(redeem, staff, now, wrongCode).refuses(wrong);
    order.when(redeem, staff, now, policy).refuses(wrong);
  });

  it("is refused to staff not listed now", () => {
    const order = given(reached("paid", redeemable));
    order
      .when(redeem, { role: "staff", id: "staff-2" }, now, rightCode)
      .refuses({ code: "staffNotListed", staffId: "staff-2" });
    order
      .when(redeem, staff, now, { ...rightCode, redeemStaff: [] })
      .refuses({ code: "staffNotListed", staffId: "staff-1" });
  });

  it("tells nobody who may not redeem whether the code was right", () => {
    const order = given(reached("paid", redeemable));
    for (const code of [wrongCode, rightCode]) {
      order
        .when(redeem, { role: "staff", id: "staff-2" }, now, code)
        .refuses({ code: "staffNotListed", staffId: "staff-2" });
      // An id alone is not enough: it is the staff's.
      order
        .when(redeem, { role: "provider", id: "staff-1" }, now, code)
        .refuses({ code: "wrongActor", command: "Redeem", role: "provider", allowed: ["staff"] });
    }
  });

  it("needs an order that has a code", () => {
    given(reached("paid"))
      .when(redeem, staff, now, rightCode)
      .refuses({ code: "noRedemptionCode", orderId: "o-1" });
    given(reached("paid"))
      .when(redeem, staff, now, { ...wrongCode, redeemStaff: [] })
      .refuses({
        code: "noRedemptionCode",
        orderId: "o-1",
        also: [{ code: "staffNotListed", staffId: "staff-1" }],
      });
  });

  it("comes once", () => {
    const later = now + second;
    given([...reached("paid", redeemable), redeemed, writtenOff])
      .when(redeem, staff, later, rightCode)
      .refuses({
        code: "orderStatusNotEligible",
        command: "Redeem",
        status: "completed",
        allowed: ["paid", "shipped"],
        also: [{ code: "alreadyRedeemed", at: now }],
      });
  });

  it("needs a paid order, and one not received yet", () => {
    for (const status of ["pendingPayment", "completed"] as const) {
      given(reached(status, redeemable))
        .when(redeem, staff, now, rightCode)
        .refuses({
          code: "orderStatusNotEligible",
          command: "Redeem",
          status,
          allowed: ["paid", "shipped"],
        });
    }
  });

  it.each([buyer, merchant, provider, system, admin])(
    "is not for $role, even under a listed id",
    ({ role, id }) => {
      given(reached("paid", redeemable))
        .when(redeem, { role, id }, paidAt, { ...rightCode, redeemStaff: [id] })
        .refuses({ code: "wrongActor", command: "Redeem", role, allowed: ["staff"] });
    },
  );
});
