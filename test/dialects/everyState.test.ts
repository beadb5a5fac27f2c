// Domain 2.4 as one literal table: every state of an order and of a case, alone and together, in the numbers of all four dialects.

import { describe, expect, it } from "vitest";

import * as apifm from "../../src/dialects/apifm/states.ts";
import * as appintf from "../../src/dialects/appintf/states.ts";
import * as baidu from "../../src/dialects/baidu/states.ts";
import * as shopxo from "../../src/dialects/shopxo/states.ts";
import { type CaseStatus, caseStatuses, isOpen } from "../../src/domain/caseLifecycle.ts";
import { fact, type OrderEvent } from "../../src/domain/events.ts";
import { type OrderStatus, orderStatuses } from "../../src/domain/lifecycle.ts";
import { type Order, evolve, initialState } from "../../src/domain/state.ts";
import { type CaseType, caseTypes } from "../../src/domain/terms.ts";
import { decide } from "../../src/domain/decide.ts";
import { apply, canBe, caseId, inCase, issued, now, settled } from "../domain/cases.ts";
import { buyer, day, event, latePaid, policy, reached, receivedAt } from "../domain/orders.ts";

function after(events: readonly OrderEvent[]): Order {
  const state = events.reduce(evolve, initialState);
  if (state.status === "none") throw new Error("no order");
  return state;
}

// --- orders ---

interface OrderCell {
  readonly apifm: number;
  /** status / pay_status. */
  readonly shopxo: readonly [number, number];
  /** Of goods that are sent, and of goods that are not. */
  readonly baidu: readonly [number, number];
  readonly appintf: number;
  /** The types of the wiki's list, 0 apart, that hold it. */
  readonly types: readonly number[];
}

const orderCells: Readonly<Record<OrderStatus, OrderCell>> = {
  pendingConfirmation: { apifm: 0, shopxo: [0, 0], baidu: [1, 2], appintf: 0, types: [1] },
  pendingPayment: { apifm: 0, shopxo: [1, 0], baidu: [1, 1], appintf: 0, types: [1] },
  paid: { apifm: 1, shopxo: [2, 1], baidu: [5, 3], appintf: 1, types: [2] },
  shipped: { apifm: 2, shopxo: [3, 1], baidu: [6, 4], appintf: 7, types: [3] },
  completed: { apifm: 3, shopxo: [4, 1], baidu: [200, 200], appintf: 3, types: [4] },
  cancelled: { apifm: -1, shopxo: [5, 0], baidu: [100, 100], appintf: -1, types: [] },
  closed: { apifm: -1, shopxo: [6, 0], baidu: [100, 100], appintf: -1, types: [] },
};

function orderCell(order: Order): OrderCell {
  const listed = (filter: (typeof appintf.listTypes)[number]) =>
    filter.statuses?.includes(order.status) === true &&
    (filter.cancelRequested === undefined ||
      filter.cancelRequested === (order.cancelRequestedAt !== undefined));
  return {
    apifm: apifm.orderNumberOf(order),
    shopxo: [shopxo.orderStatusOf(order).number, shopxo.payStatusOf(order).number],
    baidu: [
      baidu.mainStatusOf({ ...order, fulfilment: "express" }),
      baidu.mainStatusOf({ ...order, fulfilment: "virtual" }),
    ],
    appintf: appintf.orderStatus(order),
    types: [1, 2, 3, 4].filter((type) => listed(appintf.listTypes[type] ?? {})),
  };
}

describe("an order", () => {
  it.each(orderStatuses)("that is %s", (status) => {
    expect(orderCell(after(reached(status)))).toEqual(orderCells[status]);
  });

  const later = receivedAt + day;
  const completed = reached("completed");
  const reviewed = event("OrderReviewed", later, {
    items: [
      { lineId: "L1", rating: "good" },
      { lineId: "L2", rating: "bad" },
    ],
  });
  const surplus = event("TaxSurplusRecorded", later, { amount: 5 });
  const audited = event("PaymentAudited", later, {});
  const purchased = event("GoodsPurchased", later, {});
  const cancelling = event("RefundApplied", later, {
    caseId,
    origin: "cancellation",
    caseType: "refundOnly",
    quantity: 0,
    amount: 5_800,
    goodsReceived: false,
  });
  const agreed = event("RefundApproved", later, { caseId, by: "merchant", amount: 5_800 });
  const given = [issued({ amount: 5_800 }), settled({ amount: 5_800 })];
  const over = event("OrderClosedByRefund", later, { refunded: 5_800, returnedUnits: 4 });
  const late = event("RefundApplied", later, {
    caseId,
    origin: "latePayment",
    payId: "pay-late",
    caseType: "refundOnly",
    quantity: 0,
    amount: 5_800,
    goodsReceived: false,
  });

  const cells: readonly (readonly [string, readonly OrderEvent[], OrderCell])[] = [
    ["audited", [...reached("paid"), audited], { ...orderCells.paid, appintf: 9 }],
    ["bought abroad", [...reached("paid"), audited, purchased], { ...orderCells.paid, appintf: 2 }],
    ["reviewed", [...completed, reviewed], { ...orderCells.completed, apifm: 4 }],
    ["waiting for tax back", [...completed, surplus], { ...orderCells.completed, appintf: 8 }],
    [
      "given its tax back",
      [...completed, surplus, event("TaxRefunded", later, { amount: 5 })],
      { ...orderCells.completed, appintf: 4 },
    ],
    [
      "given its tax back, and reviewed",
      [...completed, surplus, event("TaxRefunded", later, { amount: 5 }), reviewed],
      { ...orderCells.completed, apifm: 4, appintf: 4 },
    ],
    [
      "cancelled though paid, its money on the way back",
      [...reached("paid"), audited, cancelling, agreed],
      { ...orderCells.paid, appintf: 5, types: [] },
    ],
    [
      "closed because its money is back",
      [...reached("paid"), cancelling, agreed, ...given, over],
      { ...orderCells.closed, shopxo: [6, 2], appintf: 10 },
    ],
    [
      "cancelled, and paid after all",
      [...reached("cancelled"), latePaid(later), late, agreed],
      { ...orderCells.cancelled, shopxo: [5, 1] },
    ],
    [
      "cancelled, paid after all, and given its money back",
      [...reached("cancelled"), latePaid(later), late, agreed, ...given],
      { ...orderCells.cancelled, shopxo: [5, 2] },
    ],
    [
      "expired, paid after all, and given its money back",
      [...reached("closed"), latePaid(later), late, agreed, ...given],
      { ...orderCells.closed, shopxo: [6, 2] },
    ],
    [
      "hidden by its buyer",
      [...completed, event("OrderHidden", later, { from: "buyer" })],
      { ...orderCells.completed, baidu: [300, 300] },
    ],
    [
      "hidden by its merchant",
      [...reached("cancelled"), event("OrderHidden", later, { from: "merchant" })],
      orderCells.cancelled,
    ],
  ];

  it.each(cells)("that is %s", (_what, events, cell) => {
    expect(orderCell(after(events))).toEqual(cell);
  });
});

// --- cases ---

interface CaseCell {
  /** type, status. */
  readonly shopxo: readonly [number, number];
  /** type, status, status2. */
  readonly apifm: readonly [number, number, number];
  /** OrderType, SubStatus. */
  readonly baidu: readonly [number, number];
  readonly appintf: number;
}

/** `undefined`: a case of this type is never there. */
const caseCells: Readonly<Record<CaseType, Readonly<Record<CaseStatus, CaseCell | undefined>>>> = {
  refundOnly: {
    requested: { shopxo: [0, 2], apifm: [0, 0, 0], baidu: [1, 400], appintf: 1 },
    awaitingReturn: undefined,
    returnInTransit: undefined,
    refundPending: { shopxo: [0, 2], apifm: [0, 3, 0], baidu: [1, 401], appintf: 2 },
    replacementPending: undefined,
    replacementShipped: undefined,
    refunded: { shopxo: [0, 3], apifm: [0, 4, 0], baidu: [1, 402], appintf: 3 },
    exchanged: undefined,
    rejected: { shopxo: [0, 4], apifm: [0, 2, 0], baidu: [1, 407], appintf: 4 },
    cancelled: { shopxo: [0, 5], apifm: [0, 1, 0], baidu: [1, 404], appintf: 5 },
    closed: { shopxo: [0, 5], apifm: [0, 2, 0], baidu: [1, 404], appintf: 5 },
  },
  returnRefund: {
    requested: { shopxo: [1, 0], apifm: [1, 0, 0], baidu: [3, 400], appintf: 1 },
    awaitingReturn: { shopxo: [1, 1], apifm: [1, 3, 1], baidu: [3, 401], appintf: 2 },
    returnInTransit: { shopxo: [1, 2], apifm: [1, 3, 2], baidu: [3, 401], appintf: 2 },
    refundPending: { shopxo: [1, 2], apifm: [1, 3, 2], baidu: [3, 401], appintf: 2 },
    replacementPending: undefined,
    replacementShipped: undefined,
    refunded: { shopxo: [1, 3], apifm: [1, 4, 2], baidu: [3, 402], appintf: 3 },
    exchanged: undefined,
    rejected: { shopxo: [1, 4], apifm: [1, 2, 0], baidu: [3, 407], appintf: 4 },
    cancelled: { shopxo: [1, 5], apifm: [1, 1, 0], baidu: [3, 404], appintf: 5 },
    closed: { shopxo: [1, 5], apifm: [1, 2, 0], baidu: [3, 404], appintf: 5 },
  },
  exchange: {
    requested: { shopxo: [1, 0], apifm: [2, 0, 0], baidu: [2, 400], appintf: 1 },
    awaitingReturn: { shopxo: [1, 1], apifm: [2, 3, 1], baidu: [2, 401], appintf: 2 },
    returnInTransit: { shopxo: [1, 2], apifm: [2, 3, 2], baidu: [2, 401], appintf: 2 },
    refundPending: undefined,
    replacementPending: { shopxo: [1, 2], apifm: [2, 3, 2], baidu: [2, 401], appintf: 2 },
    replacementShipped: { shopxo: [1, 2], apifm: [2, 3, 2], baidu: [2, 401], appintf: 2 },
    refunded: undefined,
    exchanged: { shopxo: [1, 3], apifm: [2, 4, 2], baidu: [2, 403], appintf: 3 },
    rejected: { shopxo: [1, 4], apifm: [2, 2, 0], baidu: [2, 407], appintf: 4 },
    cancelled: { shopxo: [1, 5], apifm: [2, 1, 0], baidu: [2, 404], appintf: 5 },
    closed: { shopxo: [1, 5], apifm: [2, 2, 0], baidu: [2, 404], appintf: 5 },
  },
};

function caseCell(one: Order["cases"][number]): CaseCell {
  return {
    shopxo: [shopxo.caseTypeOf[one.type], shopxo.caseStatusOf(one)],
    apifm: [apifm.caseTypeNumbers[one.type], apifm.caseNumberOf(one), apifm.returnNumberOf(one)],
    baidu: [baidu.orderTypes[one.type], baidu.subStatusOf(one.status)],
    appintf: appintf.caseStatus(one.status),
  };
}

/** All there is to combine: an order's status with a case's, by type. */
const together = orderStatuses.flatMap((order) =>
  caseTypes.flatMap((type) => caseStatuses.map((status) => ({ order, type, status }))),
);

/** Which orders a buyer's application of a type can be on. */
function takes(order: OrderStatus, type: CaseType): boolean {
  return order === "shipped" || order === "completed" || (order === "paid" && type === "refundOnly");
}

describe("a case together with its order", () => {
  it.each(together)("$order, $type $status", ({ order: orderStatus, type, status }) => {
    const cell = caseCells[type][status];
    expect(cell !== undefined).toBe(canBe(type, status));
    if (!takes(orderStatus, type)) {
      // Cannot occur: the domain takes no such application there.
      const asked = { actor: buyer, command: apply(type), policy };
      const state = after(reached(orderStatus));
      expect(decide(asked, state, now)._tag).toBe("Left");
      return;
    }
    if (cell === undefined) return;
    const order = after(inCase(status, type, reached(orderStatus)));
    const [one] = order.cases;
    expect(one?.status).toBe(status);
    expect(caseCell(one as Order["cases"][number])).toEqual(cell);
    // The case changes nothing of the order's own numbers but how much of its money was given back.
    const paid = status === "refunded" ? 3 : 1;
    const {
      shopxo: [number],
    } = orderCells[orderStatus];
    expect(orderCell(order)).toEqual({ ...orderCells[orderStatus], shopxo: [number, paid] });
    expect(apifm.refundNumberOf(order)).toBe(isOpen(status) ? 1 : 2);
    expect(baidu.aggregateOf([baidu.subStatusOf(status)])).toBe(cell.baidu[1]);
  });

  it("that was closed because its goods never came is withdrawn for apifm", () => {
    const closed = [
      ...inCase("awaitingReturn", "returnRefund"),
      fact("RefundClosed", now, { caseId, cause: "returnOverdue" }),
    ];
    const [one] = after(closed).cases;
    expect(caseCell(one as Order["cases"][number])).toEqual({
      shopxo: [1, 5],
      apifm: [1, 1, 0],
      baidu: [3, 404],
      appintf: 5,
    });
  });

  it("that was an exchange and became a refund is a return for all", () => {
    const converted = [
      ...inCase("replacementPending", "exchange"),
      fact("ExchangeConverted", now, { caseId, toType: "returnRefund", amount: 1_000 }),
    ];
    const [one] = after(converted).cases;
    expect(caseCell(one as Order["cases"][number])).toEqual({
      shopxo: [1, 2],
      apifm: [1, 3, 2],
      baidu: [3, 401],
      appintf: 2,
    });
  });
});

it("Baidu's aggregate is the same in whatever order the cases stand, and only of statuses that there are", () => {
  const rank = [401, 400, 402, 403, 407, 404] as const;
  for (const one of rank) {
    expect(baidu.aggregateOf([one, one])).toBe(one);
    for (const other of rank) {
      const higher = rank.indexOf(one) < rank.indexOf(other) ? one : other;
      expect(baidu.aggregateOf([one, other])).toBe(higher);
      expect(baidu.aggregateOf([other, one])).toBe(higher);
    }
  }
  expect(baidu.aggregateOf([])).toBeUndefined();
  expect(baidu.subStatuses.toSorted((a, b) => a - b)).toEqual([400, 401, 402, 403, 404, 407]);
});
