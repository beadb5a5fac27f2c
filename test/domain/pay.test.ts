// Pay: the exact amount once, a repeat for nothing, and late money that must not vanish.

import { describe, it } from "vitest";

import type { CommandData } from "../../src/domain/commands.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import type { StockRule } from "../../src/domain/terms.ts";
import { given } from "./given.ts";
import {
  admin,
  ask,
  buyer,
  codeHash,
  created,
  deducted,
  endedAt,
  event,
  latePaid,
  merchant,
  minute,
  paid,
  paidAt,
  provider,
  reached,
  released,
  second,
  staff,
  system,
  t0,
} from "./orders.ts";

const max = Number.MAX_SAFE_INTEGER;
const pendingPayment = given(reached("pendingPayment"));

function pay(over: Partial<CommandData["Pay"]> = {}) {
  return ask("Pay", { payId: "pay-1", amount: 5_800, channel: "online", ...over });
}

describe("a payment", () => {
  const both = [paid(), deducted("payment", "OrderPaid", paidAt)];

  it.each([buyer, system])("comes from $role", (actor) => {
    pendingPayment.when(pay(), actor, paidAt).gives(both);
  });

  it.each([merchant, staff, provider, admin])("does not come from $role", (actor) => {
    pendingPayment.when(pay(), actor, paidAt).refuses({
      code: "wrongActor",
      command: "Pay",
      role: actor.role,
      allowed: ["buyer", "system"],
    });
  });

  it("keeps its method and the platform's number, and may name the order's currency", () => {
    pendingPayment
      .when(pay({ method: "WeChat", tradeNo: "T-1", currency: "CNY", channel: "wallet" }), buyer, paidAt)
      .gives([
        paid(paidAt, { method: "WeChat", tradeNo: "T-1", channel: "wallet" }),
        deducted("payment", "OrderPaid", paidAt),
      ]);
  });

  it("is still taken after its deadline, as long as the order has not expired", () => {
    const at = t0 + 300 * minute;
    pendingPayment.when(pay(), buyer, at).gives([paid(at), deducted("payment", "OrderPaid", at)]);
  });

  it.each([5_799, 5_801, 0, 1])("of %d instead of 5800 is refused", (amount) => {
    pendingPayment
      .when(pay({ amount }), buyer, paidAt)
      .refuses({ code: "amountMismatch", field: "amount", amount, due: 5_800, currency: "CNY" });
  });

  it("in another currency is refused, and its amount looked at all the same", () => {
    const wrong = {
      code: "currencyMismatch",
      field: "currency",
      currency: "USD",
      expected: "CNY",
    } as const;
    pendingPayment.when(pay({ currency: "USD" }), buyer, paidAt).refuses(wrong);
    pendingPayment.when(pay({ currency: "USD", amount: 1 }), buyer, paidAt).refuses({
      ...wrong,
      also: [{ code: "amountMismatch", field: "amount", amount: 1, due: 5_800, currency: "CNY" }],
    });
  });

  it("is not taken before the order is confirmed", () => {
    given(reached("pendingConfirmation"))
      .when(pay(), buyer, paidAt)
      .refuses({
        code: "orderStatusNotEligible",
        command: "Pay",
        status: "pendingConfirmation",
        allowed: ["pendingPayment", "cancelled", "closed"],
      });
  });
});

describe("what follows a payment", () => {
  const at = paidAt;
  const shippedItself = event("OrderShipped", at, { shipments: [] });

  it.each<[StockRule, readonly OrderEvent[]]>([
    ["confirmation", []],
    ["payment", [deducted("payment", "OrderPaid", at)]],
    ["shipping", []],
  ])("by the %s rule", (stockDeduction, then) => {
    given([created({ terms: { stockDeduction } })])
      .when(pay(), buyer, at)
      .gives([paid(), ...then]);
  });

  it.each<[StockRule, readonly OrderEvent[]]>([
    ["confirmation", [shippedItself]],
    ["payment", [deducted("payment", "OrderPaid", at), shippedItself]],
    ["shipping", [shippedItself, deducted("shipping", "OrderShipped", at)]],
  ])("by the %s rule of a virtual order, which ships itself", (stockDeduction, then) => {
    given([created({ fulfilment: "virtual", terms: { stockDeduction } })])
      .when(pay(), buyer, at)
      .gives([paid(), ...then]);
  });

  it("of a virtual order that waits for the merchant", () => {
    given([created({ fulfilment: "virtual", terms: { virtualAutoShip: false } })])
      .when(pay(), buyer, at)
      .gives([paid(), deducted("payment", "OrderPaid", at)]);
  });

  it.each(["express", "local", "pickup"] as const)("of a %s order: it does not ship itself", (fulfilment) => {
    given([created({ fulfilment })])
      .when(pay(), buyer, at)
      .gives([paid(), deducted("payment", "OrderPaid", at)]);
  });
});

describe("a payment id", () => {
  const bought = reached("paid");

  it("repeated with its amount changes nothing, in any later status", () => {
    for (const history of [
      bought,
      reached("shipped"),
      reached("completed"),
      [...bought, event("OrderCancelled", endedAt, { by: "merchant" })],
    ]) {
      const at = history.at(-1)!.at;
      given(history).when(pay(), buyer, at).changesNothing();
      given(history)
        .when(pay({ currency: "CNY", method: "again" }), system, at)
        .changesNothing();
    }
  });

  it("repeated with another amount or currency is refused", () => {
    const status = {
      code: "orderStatusNotEligible",
      command: "Pay",
      status: "paid",
      allowed: ["pendingPayment", "cancelled", "closed"],
    } as const;
    const used = { code: "paymentIdUsed", field: "payId", payId: "pay-1" } as const;
    given(bought)
      .when(pay({ amount: 5_700 }), buyer, paidAt)
      .refuses({
        ...status,
        also: [used, { code: "amountMismatch", field: "amount", amount: 5_700, due: 5_800, currency: "CNY" }],
      });
    given(bought)
      .when(pay({ currency: "EUR" }), buyer, paidAt)
      .refuses({
        ...status,
        also: [used, { code: "currencyMismatch", field: "currency", currency: "EUR", expected: "CNY" }],
      });
  });

  it("repeated with its own time, which by now is past, is no news; another is told that time runs backwards", () => {
    given(bought)
      .when(pay(), buyer, paidAt - 1)
      .changesNothing();
    given(reached("completed")).when(pay(), system, paidAt).changesNothing();
    given(bought)
      .when(pay({ payId: "pay-2" }), buyer, paidAt - 1)
      .refuses({
        code: "timeRunsBackwards",
        at: paidAt - 1,
        lastAt: paidAt,
        also: [
          {
            code: "orderStatusNotEligible",
            command: "Pay",
            status: "paid",
            allowed: ["pendingPayment", "cancelled", "closed"],
          },
        ],
      });
  });

  it("of another payment does not pay a paid order twice", () => {
    given(bought)
      .when(pay({ payId: "pay-2" }), buyer, paidAt)
      .refuses({
        code: "orderStatusNotEligible",
        command: "Pay",
        status: "paid",
        allowed: ["pendingPayment", "cancelled", "closed"],
      });
  });
});

/** The case of a late payment: opened, approved by the system, and issued where it can go back the way it came. */
function goingBack(
  at: number,
  {
    payId,
    amount,
    destination,
  }: {
    readonly payId: string;
    readonly amount: number;
    readonly destination?: "original" | "wallet";
  },
) {
  const caseId = `late:${payId}`;
  return [
    event("RefundApplied", at, {
      caseId,
      origin: "latePayment",
      payId,
      caseType: "refundOnly",
      quantity: 0,
      amount,
      goodsReceived: false,
    }),
    event("RefundApproved", at, { caseId, by: "system", amount }),
    ...(destination === undefined
      ? []
      : [
          event("RefundIssued", at, {
            caseId,
            refundId: `${caseId}:1`,
            attempt: 1,
            amount,
            destination,
            payId,
          }),
        ]),
  ];
}

describe.each(["cancelled", "closed"] as const)("money for an order that is %s", (status) => {
  const at = endedAt + 5 * second;
  const history = reached(status);

  it.each([0, 1, 5_799, 5_800, 5_801, max])("is recorded, be it %d", (amount) => {
    given(history)
      .when(pay({ payId: "pay-late", amount }), system, at)
      .gives(
        amount === 0
          ? [latePaid(at, { amount })]
          : [latePaid(at, { amount }), ...goingBack(at, { payId: "pay-late", amount })],
      );
  });

  it("moves no stock and ships nothing, whatever the terms", () => {
    for (const stockDeduction of ["confirmation", "payment", "shipping"] as const) {
      given(reached(status, { fulfilment: "virtual", terms: { stockDeduction } }))
        .when(pay({ payId: "pay-late", method: "card", tradeNo: "T-2" }), buyer, at)
        .gives([
          latePaid(at, { method: "card", tradeNo: "T-2" }),
          ...goingBack(at, { payId: "pay-late", amount: 5_800, destination: "original" }),
        ]);
    }
  });

  it("goes back by itself into the wallet that it came from, and waits for the merchant where it was cash", () => {
    given(history)
      .when(pay({ payId: "pay-late", channel: "wallet" }), buyer, at)
      .gives([
        latePaid(at, { channel: "wallet" }),
        ...goingBack(at, { payId: "pay-late", amount: 5_800, destination: "wallet" }),
      ]);
    given(history)
      .when(pay({ payId: "pay-late", channel: "offline", tradeNo: "T-3" }), buyer, at)
      .gives([
        latePaid(at, { channel: "offline", tradeNo: "T-3" }),
        ...goingBack(at, { payId: "pay-late", amount: 5_800 }),
      ]);
  });

  it("comes once under one payment id, and again under another", () => {
    const late = [...history, latePaid(at)];
    given(late)
      .when(pay({ payId: "pay-late" }), system, at)
      .changesNothing();
    given(late)
      .when(pay({ payId: "pay-late", amount: 1 }), system, at)
      .refuses({ code: "paymentIdUsed", field: "payId", payId: "pay-late" });
    given(late)
      .when(pay({ payId: "pay-later" }), system, at)
      .gives([latePaid(at, { payId: "pay-later" }), ...goingBack(at, { payId: "pay-later", amount: 5_800 })]);
  });

  it("is refused in another currency, and where all that came leaves the safe integers", () => {
    given(history)
      .when(pay({ currency: "USD" }), system, at)
      .refuses({ code: "currencyMismatch", field: "currency", currency: "USD", expected: "CNY" });
    given([...history, latePaid(at, { amount: 1 })])
      .when(pay({ amount: max }), system, at)
      .refuses({ code: "amountTooLarge", field: "amount", limit: max });
    given([...history, latePaid(at, { amount: 1 })])
      .when(pay({ amount: max - 1 }), system, at)
      .gives([
        latePaid(at, { payId: "pay-1", amount: max - 1 }),
        ...goingBack(at, { payId: "pay-1", amount: max - 1 }),
      ]);
  });
});

describe("payment and expiry", () => {
  // Domain 5, scenario 3: of the two, exactly one wins.
  it("once paid, an order does not expire", () => {
    const at = t0 + 31 * minute;
    given([created(), paid()])
      .when(ask("ExpireOrder", {}), system, at)
      .refuses({
        code: "orderStatusNotEligible",
        command: "ExpireOrder",
        status: "paid",
        allowed: ["pendingPayment"],
      });
  });

  it("once expired, its money is late, and its stock is back already", () => {
    const at = endedAt + 1;
    given([
      created({ terms: { stockDeduction: "confirmation" }, redemption: { codeHash } }),
      deducted("confirmation", "OrderCreated", t0),
      event("OrderExpired", endedAt, { payBy: t0 + 30 * minute }),
      released("OrderExpired", endedAt),
    ])
      .when(pay(), buyer, at)
      .gives([latePaid(at, { payId: "pay-1" }), ...goingBack(at, { payId: "pay-1", amount: 5_800 })]);
  });
});
