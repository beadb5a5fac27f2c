// What can be refunded: ShopXO 2.2.0's rule against its vectors and a literal restatement, and the shares that depend on no order.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { OrderEvent } from "../../src/domain/events.ts";
import { ceilingOf, claimedInAll, claimedOf, refundableOf } from "../../src/domain/refundable.ts";
import { type Order, fold, ledgerOf } from "../../src/domain/state.ts";
import { type RefundablePolicy, defaultTerms, refundablePolicies } from "../../src/domain/terms.ts";
import { applied, approved, issued, settled } from "./cases.ts";
import { given } from "./given.ts";
import { ask, buyer, created, event, paid, paidAt, shipped, shippedAt } from "./orders.ts";

interface Goods {
  /** Unit price and quantity of each line. */
  readonly lines: readonly (readonly [price: number, quantity: number])[];
  readonly increase: number;
  readonly preferential: number;
}

function bought(
  { lines, increase, preferential }: Goods,
  refundable: RefundablePolicy = "shopxoLast",
): readonly OrderEvent[] {
  const goods = lines.reduce((all, [price, quantity]) => all + price * quantity, 0);
  const total = goods + increase - preferential;
  return [
    created({
      lines: lines.map(([unitPrice, quantity], index) => ({
        lineId: `L${index + 1}`,
        goodsId: `G${index + 1}`,
        title: "Goods",
        unitPrice,
        quantity,
        allowedTypes: ["refundOnly", "returnRefund", "exchange"],
      })),
      charges: [{ kind: "freight", amount: increase }],
      discount: preferential,
      goods,
      total,
      terms: { ...defaultTerms, refundable },
    }),
    paid(paidAt, { amount: total }),
  ];
}

let cases = 0;

/** A return of so many units of a line for so much, open or done. */
function returned(lineId: string, quantity: number, amount: number, open = false): readonly OrderEvent[] {
  cases += 1;
  const caseId = `r-${cases}`;
  const refundId = `${caseId}:1`;
  const asked = applied("returnRefund", { caseId, lineId, quantity, amount });
  if (open) return [asked];
  return [
    asked,
    approved("returnRefund", { caseId, amount }),
    event("ReturnShipped", paidAt, { caseId, carrier: "EMS", trackingNumber: "1" }),
    event("ReturnReceived", paidAt, { caseId, dispositions: [{ kind: "restock", quantity }] }),
    issued({ caseId, refundId, amount }),
    settled({ caseId, refundId, amount, quantity }),
  ];
}

const one: Goods = { lines: [[1, 1]], increase: 0, preferential: 0 };
const halves: Goods = {
  lines: [
    [5_000, 1],
    [5_000, 1],
  ],
  increase: 0,
  preferential: 2_000,
};
const freight: Goods = {
  lines: [
    [1_000, 3],
    [2_000, 1],
  ],
  increase: 800,
  preferential: 0,
};
const cheaper: Goods = { lines: [[1_000, 3]], increase: 0, preferential: 500 };
const half: Goods = {
  lines: [
    [1_000, 1],
    [9_000, 1],
  ],
  increase: 0,
  preferential: 5_000,
};

describe("the vectors of domain 1.1", () => {
  it.each<readonly [string, Goods, readonly OrderEvent[], string, number, number]>([
    ["V1", one, [], "L1", 1, 1],
    ["V2", halves, [], "L1", 1, 5_000],
    ["V3", halves, returned("L1", 1, 5_000), "L2", 1, 3_000],
    ["V4", freight, [], "L1", 3, 3_000],
    ["V5", freight, [], "L2", 1, 2_000],
    ["V6", freight, returned("L1", 3, 3_000), "L2", 1, 2_800],
    ["V7", cheaper, [], "L1", 3, 2_500],
    ["V8", cheaper, returned("L1", 1, 1_000), "L1", 2, 1_500],
    ["V9", cheaper, returned("L1", 1, 1_000, true), "L1", 2, 1_500],
    ["V10", cheaper, returned("L1", 3, 2_500), "L1", 0, 0],
    ["V11", half, [], "L2", 1, 5_000],
    ["V12", half, returned("L2", 1, 5_000), "L1", 1, 0],
  ])("%s", (_name, goods, history, lineId, quantity, amount) => {
    const order = fold([...bought(goods), ...history]) as Order;
    expect(refundableOf(order, lineId)).toStrictEqual({ quantity, amount });
  });
});

/** Domain 1.1's rule for `returned_data` as it is written there, clause by clause. */
function literally(order: Order, target: string): { readonly quantity: number; readonly amount: number } {
  const q = (lineId: string): number => claimedOf(order, lineId).quantity;
  const p = (lineId: string): number => claimedOf(order, lineId).amount;
  const price = order.goods;
  const history = order.lines.reduce((all, line) => all + p(line.lineId), 0);
  const line = order.lines.find(({ lineId }) => lineId === target)!;
  const quantity = line.quantity - q(target);
  let r = line.unitPrice * quantity;
  const whole = line.unitPrice * line.quantity;
  if (r + p(target) > whole) r = whole - p(target);
  const untouched = order.lines.filter(({ lineId }) => lineId !== target && q(lineId) <= 0 && p(lineId) <= 0);
  const n = untouched.reduce((all, other) => all + other.unitPrice * other.quantity, 0);
  if (untouched.length > 0 && r + n > price) r -= n;
  if (history + r >= price)
    r += order.charges.reduce((all, charge) => all + charge.amount, 0) - order.discount;
  if (r + history > order.total) r = order.total - history;
  return { quantity, amount: Math.max(0, r) };
}

const goods: fc.Arbitrary<Goods> = fc
  .record({
    lines: fc.array(fc.tuple(fc.nat({ max: 500 }), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 4,
    }),
    increase: fc.nat({ max: 200 }),
    share: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ lines, increase, share }) => {
    const all = lines.reduce((sum, [price, quantity]) => sum + price * quantity, 0) + increase;
    return { lines, increase, preferential: Math.floor((all * share) / 100) };
  });

/** What a buyer does next: of which line, how many units (0: all left), how much of what is suggested, and what becomes of it. */
const act = fc.record({
  line: fc.nat({ max: 3 }),
  units: fc.nat({ max: 3 }),
  percent: fc.constantFrom(100, 100, 100, 50, 0),
  open: fc.boolean(),
});

describe.each(refundablePolicies)("by %s", (policy) => {
  it("returning everything in any order, by whole lines or by units, as suggested, comes to what was paid (19)", () => {
    fc.assert(
      fc.property(goods, fc.array(act, { maxLength: 30 }), (of, acts) => {
        let history = bought(of, policy);
        const all = of.lines.map((_line, index) => ({ line: index, units: 0 }));
        for (const { line, units } of [...acts, ...all]) {
          const lineId = `L${(line % of.lines.length) + 1}`;
          const order = fold(history) as Order;
          const next = refundableOf(order, lineId, units === 0 ? {} : { units });
          if (next.quantity === 0) continue;
          history = [...history, ...returned(lineId, next.quantity, next.amount)];
        }
        const order = fold(history) as Order;
        expect(ledgerOf(order)).toStrictEqual({
          paid: order.total,
          refunded: order.total,
          inFlight: 0,
          retained: 0,
          reserved: 0,
        });
      }),
      { numRuns: 500 },
    );
  });

  it("is within what was paid and not claimed, whatever was asked before, open or done (18, 5)", () => {
    fc.assert(
      fc.property(goods, fc.array(act, { maxLength: 12 }), (of, acts) => {
        let history = bought(of, policy);
        for (const { line, units, percent, open } of acts) {
          const lineId = `L${(line % of.lines.length) + 1}`;
          const order = fold(history) as Order;
          const { quantity, amount } = refundableOf(order, lineId);
          const bound = order.lines.find((known) => known.lineId === lineId)!.quantity;
          expect(quantity).toBeGreaterThanOrEqual(0);
          expect(quantity).toBeLessThanOrEqual(bound - claimedOf(order, lineId).quantity);
          expect(amount).toBeGreaterThanOrEqual(0);
          expect(amount).toBeLessThanOrEqual(order.paid - claimedInAll(order));
          if (policy === "shopxoLast") expect({ quantity, amount }).toStrictEqual(literally(order, lineId));
          else expect(claimedOf(order, lineId).amount + amount).toBe(ceilingOf(order, lineId));
          const some = Math.min(units, quantity);
          if (some === 0) continue;
          history = [...history, ...returned(lineId, some, Math.floor((amount * percent) / 100), open)];
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the prorated share", () => {
  it("of all lines together is what the order costs, whatever else happens to them (5)", () => {
    fc.assert(
      fc.property(goods, (of) => {
        const order = fold(bought(of, "prorated")) as Order;
        const shares = order.lines.map(({ lineId }) => ceilingOf(order, lineId));
        expect(shares.reduce((all, share) => all + share, 0)).toBe(order.total);
        expect(shares.every((share) => share >= 0)).toBe(true);
      }),
    );
  });

  it("does not depend on which line goes first, as ShopXO's does", () => {
    const first = (policy: RefundablePolicy): readonly number[] => {
      const fresh = bought(halves, policy);
      const l1 = refundableOf(fold(fresh) as Order, "L1").amount;
      return [l1, refundableOf(fold([...fresh, ...returned("L1", 1, l1)]) as Order, "L2").amount];
    };
    expect(first("prorated")).toStrictEqual([4_000, 4_000]);
    expect(first("shopxoLast")).toStrictEqual([5_000, 3_000]);
  });

  it("of some units is their part, rounded down, and the rest goes with the last", () => {
    const thirds: Goods = { lines: [[100, 3]], increase: 1, preferential: 0 };
    const order = fold(bought(thirds, "prorated")) as Order;
    expect(refundableOf(order, "L1", { units: 1 })).toStrictEqual({ quantity: 1, amount: 100 });
    expect(refundableOf(order, "L1", { units: 9 })).toStrictEqual({ quantity: 3, amount: 301 });
    const later = fold([...bought(thirds, "prorated"), ...returned("L1", 2, 300)]) as Order;
    expect(refundableOf(later, "L1")).toStrictEqual({ quantity: 1, amount: 1 });
  });

  it("of some units can be applied for, also where it is nothing (19)", () => {
    const cheap: Goods = {
      lines: [
        [1, 3],
        [100, 1],
      ],
      increase: 0,
      preferential: 68,
    };
    const history = [...bought(cheap, "prorated"), shipped()];
    const apply = (amount: number, quantity = 1) =>
      ask("ApplyRefund", { caseId: "r", lineId: "L1", caseType: "returnRefund", quantity, amount });
    for (const [units, share] of [
      [1, 0],
      [2, 0],
      [3, 1],
    ] as const) {
      expect(refundableOf(fold(history) as Order, "L1", { units }).amount).toBe(share);
      given(history)
        .when(apply(share, units), buyer, shippedAt)
        .gives([
          applied("returnRefund", { caseId: "r", lineId: "L1", quantity: units, amount: share }, shippedAt),
        ]);
    }
    const low = { code: "amountTooLow", field: "amount", amount: 0, least: 1, currency: "CNY" } as const;
    given(history).when(apply(0, 3), buyer, shippedAt).refuses(low);
    // Of no units, or of none that there can be, the amount is looked at all the same.
    const dear = [...bought({ lines: [[1_000, 3]], increase: 0, preferential: 0 }, "prorated"), shipped()];
    for (const quantity of [0, -1, 1.5, Number.NaN, Infinity]) {
      given(dear)
        .when(apply(0, quantity), buyer, shippedAt)
        .refuses({
          ...low,
          also: [{ code: "quantityInvalid", field: "quantity", quantity, caseType: "returnRefund" }],
        });
    }
  });
});

describe("what is left out", () => {
  const order = fold([...bought(freight), ...returned("L1", 1, 1_000, true)]) as Order;
  const { caseId } = order.cases[0]!;

  it("is what one case has reserved, where that case is the one that asks", () => {
    expect(refundableOf(order, "L1")).toStrictEqual({ quantity: 2, amount: 2_000 });
    expect(refundableOf(order, "L1", { without: caseId })).toStrictEqual({ quantity: 3, amount: 3_000 });
    expect(claimedInAll(order)).toBe(1_000);
    expect(claimedInAll(order, caseId)).toBe(0);
    expect(claimedOf(order, "L2")).toStrictEqual({ quantity: 0, amount: 0 });
  });

  it("is all, where nothing was paid in time", () => {
    const unpaid = bought(freight).slice(0, 1);
    const late = event("LatePaymentReceived", paidAt, { payId: "p", amount: 9_999, channel: "wallet" });
    for (const history of [unpaid, [...unpaid, late]]) {
      expect(refundableOf(fold(history) as Order, "L1")).toStrictEqual({ quantity: 3, amount: 0 });
    }
  });

  it("is a line that the order has not", () => {
    expect(refundableOf(order, "L9")).toStrictEqual({ quantity: 0, amount: 0 });
  });
});
