// evolve: every fact in any order folds to a state, the same one each time; an unknown one is named and thrown.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { roles } from "../../src/domain/actor.ts";
import { destinations, importedStatuses, origins } from "../../src/domain/caseEvents.ts";
import {
  type OrderEvent,
  channels,
  isOrderEventType,
  orderEventTypes,
  ratings,
} from "../../src/domain/events.ts";
import { orderStatuses } from "../../src/domain/lifecycle.ts";
import { type Order, evolve, fold, initialState } from "../../src/domain/state.ts";
import { caseTypes, defaultTerms, stockRules } from "../../src/domain/terms.ts";
import { deepFreeze } from "./given.ts";
import {
  codeHash,
  created,
  deducted,
  event,
  lines,
  minute,
  orderId,
  paid,
  paidAt,
  parcel,
  reached,
  received,
  receivedAt,
  released,
  shipped,
  shippedAt,
  t0,
} from "./orders.ts";

const instant = fc.integer({ min: 0, max: 253_402_300_799_999 });
const amount = fc.nat({ max: 1_000_000 });
const payment = fc.record({ payId: fc.string(), amount, channel: fc.constantFrom(...channels) });
const stock = fc.constant({ cause: "OrderPaid", lines: [{ lineId: "L1", quantity: 1 }] });
const caseId = fc.constantFrom("c-1", "c-2");
const refundId = fc.constantFrom("c-1:1", "c-2:1");
const shipments = fc.record({ shipments: fc.array(fc.constant(parcel), { maxLength: 2 }) });

/** Data for every known type, so that none is left out. */
const dataOf: Readonly<Record<OrderEvent["type"], fc.Arbitrary<unknown>>> = {
  OrderCreated: fc
    .record({
      total: fc.constantFrom(0, 5_800),
      booking: fc.boolean(),
      redeemable: fc.boolean(),
    })
    .map(({ total, booking, redeemable }) => {
      const redemption = redeemable ? { redemption: { codeHash } } : {};
      return created({ total, terms: { booking }, ...redemption }).data;
    }),
  OrderConfirmed: fc.record({ payBy: instant }, { requiredKeys: [] }),
  OrderPaid: payment,
  LatePaymentReceived: payment,
  OrderCancelled: fc.record({ by: fc.constantFrom(...roles) }),
  OrderExpired: fc.record({ payBy: instant }),
  StockDeducted: fc.tuple(stock, fc.constantFrom(...stockRules)).map(([data, rule]) => ({ ...data, rule })),
  StockReleased: stock,
  OrderShipped: shipments,
  ShipmentCorrected: shipments,
  OrderRedeemed: fc.record({ staffId: fc.string() }),
  ReceiptConfirmed: fc.record({ by: fc.constantFrom("buyer", "system", "writeOff") }),
  OrderReviewed: fc.record({
    items: fc.array(fc.record({ lineId: fc.string(), rating: fc.constantFrom(...ratings) })),
  }),
  OrderHidden: fc.record({ from: fc.constantFrom("buyer", "merchant") }),
  PaymentAudited: fc.constant({}),
  GoodsPurchased: fc.record({ reference: fc.string() }, { requiredKeys: [] }),
  TaxSurplusRecorded: fc.record({ amount }),
  TaxRefunded: fc.record({ amount }),
  StockRestored: stock,
  OrderClosedByRefund: fc.record({ refunded: amount, returnedUnits: fc.nat({ max: 9 }) }),
  RefundApplied: fc.record({
    caseId,
    origin: fc.constantFrom(...origins),
    lineId: fc.constantFrom("L1", "L2", "L9", undefined),
    caseType: fc.constantFrom(...caseTypes),
    quantity: fc.nat({ max: 3 }),
    amount,
    goodsReceived: fc.boolean(),
  }),
  RefundApproved: fc.record({ caseId, by: fc.constantFrom(...roles), amount }),
  RefundRejected: fc.record({ caseId, stage: fc.constant("refund"), reason: fc.string() }),
  RefundCancelled: fc.record({ caseId, from: fc.constant("requested") }),
  RefundClosed: fc.record({ caseId, cause: fc.constant("merchant") }),
  RefundHidden: fc.record({ caseId }),
  ReturnShipped: caseId.map((id) => ({ caseId: id, ...parcel })),
  ReturnShipmentCorrected: caseId.map((id) => ({ caseId: id, ...parcel })),
  ReturnReceived: fc.record({
    caseId,
    dispositions: fc.constant([{ kind: "restock", quantity: 1 }]),
  }),
  RefundIssued: fc.record({
    caseId,
    refundId,
    attempt: fc.constant(1),
    amount,
    destination: fc.constantFrom(...destinations),
    payId: fc.constant("pay-1"),
  }),
  RefundSettled: fc.record({ caseId, refundId, amount, quantity: fc.nat({ max: 3 }) }),
  RefundFailed: fc.record({ caseId, refundId, failure: fc.string(), retryable: fc.boolean() }),
  ReplacementShipped: caseId.map((id) => ({ caseId: id, ...parcel })),
  ReplacementReceived: fc.record({ caseId, by: fc.constantFrom("buyer", "system") }),
  ExchangeConverted: fc.record({ caseId, toType: fc.constant("returnRefund"), amount }),
  RefundImported: fc.record(
    {
      caseId,
      source: fc.string(),
      status: fc.constantFrom(...importedStatuses),
      lineId: fc.constantFrom("L1", "L9"),
      caseType: fc.constantFrom(...caseTypes),
      quantity: fc.nat({ max: 3 }),
      amount,
      goodsReceived: fc.boolean(),
      raw: fc.constant([]),
    },
    { noNullPrototype: true },
  ),
};

const anyEvent: fc.Arbitrary<OrderEvent> = fc.oneof(
  ...orderEventTypes.map(
    (type) =>
      fc.record({ type: fc.constant(type), at: instant, data: dataOf[type] }) as fc.Arbitrary<OrderEvent>,
  ),
);
const anyHistory = fc.array(anyEvent, { maxLength: 40 });

describe("known events in any order", () => {
  it("are of thirty-six types", () => {
    expect(orderEventTypes).toHaveLength(36);
    expect(orderEventTypes.every(isOrderEventType)).toBe(true);
    expect(Object.keys(dataOf)).toStrictEqual(orderEventTypes);
  });

  it("fold without a throw to a known status, on a clock that never runs back", () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        let state = initialState;
        for (const one of deepFreeze(history)) {
          const next = evolve(deepFreeze(state), one);
          if (next.status === "none") {
            expect(one.type).not.toBe("OrderCreated");
            expect(next).toBe(state);
          } else {
            const before = state.status === "none" ? one.at : state.lastAt;
            expect(orderStatuses).toContain(next.status);
            expect(next.lastAt).toBe(Math.max(before, one.at));
          }
          state = next;
        }
        expect(fold(history)).toStrictEqual(state);
      }),
      { numRuns: 400 },
    );
  });

  it("fold to the same state after a round trip through JSON, and from any point on", () => {
    fc.assert(
      fc.property(anyHistory, fc.nat(), (history, cut) => {
        const whole = fold(history);
        expect(fold(JSON.parse(JSON.stringify(history)) as OrderEvent[])).toStrictEqual(whole);
        const point = history.length === 0 ? 0 : cut % history.length;
        const half = fold(history.slice(0, point));
        expect(history.slice(point).reduce(evolve, half)).toStrictEqual(whole);
        // JSON drops what is undefined; toEqual takes the one for the other.
        const kept = JSON.parse(JSON.stringify(half)) as typeof half;
        expect(history.slice(point).reduce(evolve, kept)).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it("in any order of one real life, fold too", () => {
    const life = [
      created({ redemption: { codeHash } }),
      paid(),
      deducted("payment", "OrderPaid", paidAt),
      shipped(),
      event("OrderRedeemed", receivedAt, { staffId: "staff-1" }),
      received(),
      released("OrderCancelled", receivedAt),
    ];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(life, { minLength: life.length, maxLength: life.length }),
        (history) => {
          const at = history.findIndex((one) => one.type === "OrderCreated");
          const state = fold(history) as Order;
          const known = history.slice(at);
          expect(state.lastAt).toBe(Math.max(...known.map((one) => one.at)));
          expect(state.paid).toBe(known.includes(life[1]!) ? 5_800 : 0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("an unknown event", () => {
  it.each(["OrderTeleported", "toString", "__proto__", "constructor", "orderpaid", ""])(
    "%j is thrown by its name, before the creation and after",
    (type) => {
      const strange = { type, at: t0, data: {} } as unknown as OrderEvent;
      const named = new Error(`no such event of an order: ${JSON.stringify(type)}`);
      expect(() => evolve(initialState, strange)).toThrow(named);
      expect(() => evolve(fold(reached("paid")), strange)).toThrow(named);
      expect(isOrderEventType(type)).toBe(false);
    },
  );

  it("is not a command's name either, though the chart knows that", () => {
    const strange = { type: "Ship", at: t0, data: {} } as unknown as OrderEvent;
    expect(() => evolve(fold(reached("paid")), strange)).toThrow('no such event of an order: "Ship"');
  });
});

describe("a state", () => {
  it("holds, after a whole life, every fact of it", () => {
    const redeemedAt = receivedAt;
    const history = [
      created({ redemption: { codeHash }, personal: { name: "Li" }, source: [["a", 1]] }),
      paid(),
      deducted("payment", "OrderPaid", paidAt),
      shipped(),
      event("OrderRedeemed", redeemedAt, { staffId: "staff-1" }),
      event("ReceiptConfirmed", redeemedAt, { by: "writeOff" }),
    ];
    expect(fold(history)).toStrictEqual({
      status: "completed",
      orderId,
      orderNo: orderId,
      merchantId: "main",
      buyerId: "buyer-1",
      currency: "CNY",
      lines,
      charges: [{ kind: "freight", amount: 800 }],
      discount: 0,
      goods: 5_000,
      total: 5_800,
      fulfilment: "express",
      terms: defaultTerms,
      createdAt: t0,
      payBy: t0 + 30 * minute,
      confirmedAt: undefined,
      payments: [{ payId: "pay-1", amount: 5_800, channel: "online", at: paidAt, late: false }],
      paid: 5_800,
      paidAt,
      stock: "deducted",
      shipments: [parcel],
      shippedAt,
      receivedAt: redeemedAt,
      receivedBy: "writeOff",
      redemption: { codeHash, redeemedAt, staffId: "staff-1" },
      endedAt: undefined,
      reviewedAt: undefined,
      ratings: [],
      hiddenByBuyerAt: undefined,
      hiddenByMerchantAt: undefined,
      procurement: "none",
      tax: undefined,
      cases: [],
      tallies: [],
      refunded: 0,
      inFlight: 0,
      pausedSince: undefined,
      pausedFor: 0,
      cancelRequestedAt: undefined,
      closedByRefund: false,
      lastAt: redeemedAt,
    });
  });

  it("of an order confirmed, expired and paid late", () => {
    const confirmedAt = t0 + minute;
    const expiredAt = t0 + 40 * minute;
    const state = fold([
      ...reached("pendingConfirmation"),
      event("OrderConfirmed", confirmedAt, { payBy: confirmedAt + 30 * minute }),
      deducted("confirmation", "OrderConfirmed", confirmedAt),
      event("OrderExpired", expiredAt, { payBy: confirmedAt + 30 * minute }),
      released("OrderExpired", expiredAt),
      event("LatePaymentReceived", expiredAt + 1, { payId: "p", amount: 7, channel: "offline" }),
    ]);
    expect(state).toMatchObject({
      status: "closed",
      confirmedAt,
      payBy: confirmedAt + 30 * minute,
      stock: "released",
      endedAt: expiredAt,
      payments: [{ payId: "p", amount: 7, channel: "offline", at: expiredAt + 1, late: true }],
      paid: 7,
      paidAt: undefined,
    });
  });

  it("of an order of nothing that was confirmed is paid", () => {
    const free = reached("pendingConfirmation", { total: 0 });
    expect(fold(free).status).toBe("pendingConfirmation");
    expect(fold([...free, event("OrderConfirmed", t0, {})])).toMatchObject({
      status: "paid",
      payBy: undefined,
    });
  });

  it("does not change at a second creation, but for its clock", () => {
    const before = fold(reached("paid")) as Order;
    const again = created({ orderNo: "other", total: 1, goods: 1 }, shippedAt);
    expect(evolve(before, again)).toStrictEqual({ ...before, lastAt: shippedAt });
  });

  it("takes a redemption without a code, and a tax refund without a surplus, as they come", () => {
    const odd = fold([
      created(),
      event("OrderRedeemed", t0 + 1, { staffId: "s" }),
      event("TaxRefunded", t0 + 2, { amount: 5 }),
    ]) as Order;
    expect(odd.redemption).toStrictEqual({ codeHash: "", redeemedAt: t0 + 1, staffId: "s" });
    expect(odd.tax).toStrictEqual({ surplus: 5, refunded: true });
  });
});
