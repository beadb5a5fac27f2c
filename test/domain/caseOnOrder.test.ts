// What a case does to its order: cancelling what was paid, shipping, stock, the automatic quantity, and the end of the order.

import { describe, expect, it } from "vitest";

import type { OrderEvent } from "../../src/domain/events.ts";
import { type Order, fold, ledgerOf, tallyOf } from "../../src/domain/state.ts";
import {
  applied,
  approved,
  back,
  caseId,
  failed,
  inCase,
  issued,
  now,
  overAt,
  refundId,
  sent,
  settled,
} from "./cases.ts";
import { given } from "./given.ts";
import {
  ask,
  buyer,
  codeHash,
  created,
  deducted,
  event,
  latePaid,
  merchant,
  minute,
  paid,
  paidAt,
  parcel,
  provider,
  reached,
  received,
  rightCode,
  shipped,
  staff,
  t0,
} from "./orders.ts";

const at = paidAt + minute;
const key = "cancel:1:o-1";

function cancelling(over: object = {}, id = key, when = at) {
  return [
    event("RefundApplied", when, {
      caseId: id,
      origin: "cancellation",
      caseType: "refundOnly",
      quantity: 0,
      amount: 5_800,
      goodsReceived: false,
      ...over,
    }),
    event("RefundApproved", when, { caseId: id, by: "merchant", amount: 5_800 }),
  ];
}

function closed(when: number, refunded = 5_800) {
  return event("OrderClosedByRefund", when, { refunded, returnedUnits: 4 });
}

function freed(
  cause: "RefundSettled" | "OrderClosedByRefund",
  lines: readonly (readonly [string, number])[],
  when: number,
) {
  return event("StockReleased", when, {
    cause,
    lines: lines.map(([lineId, quantity]) => ({ lineId, quantity })),
  });
}

describe("CancelOrder of a paid order (ruling 1, scenario 25)", () => {
  const bought = reached("paid");
  const cancel = (over: object = {}) => ask("CancelOrder", over);

  it("opens and approves one case for all that is left; the order stays paid until the money is back", () => {
    given(bought).when(cancel(), merchant, at).gives(cancelling());
    const order = fold([...bought, ...cancelling()]) as Order;
    expect(order).toMatchObject({ status: "paid", cancelRequestedAt: at, closedByRefund: false });
    expect(order.cases).toMatchObject([{ status: "refundPending", lineId: undefined, amount: 5_800 }]);
    const flight = event("RefundIssued", at, {
      caseId: key,
      refundId: `${key}:1`,
      attempt: 1,
      amount: 5_800,
      destination: "wallet",
      payId: "pay-1",
    });
    given(bought)
      .when(cancel({ destination: "wallet" }), merchant, at)
      .gives([...cancelling(), flight]);
    given([...bought, ...cancelling(), flight])
      .when(ask("SettleRefund", { caseId: key, refundId: `${key}:1`, amount: 5_800 }), provider, now)
      .gives([
        event("RefundSettled", now, { caseId: key, refundId: `${key}:1`, amount: 5_800, quantity: 4 }),
        closed(now),
        freed(
          "OrderClosedByRefund",
          [
            ["L1", 3],
            ["L2", 1],
          ],
          now,
        ),
      ]);
  });

  it("is named and explained by the command, and is the merchant's", () => {
    given(bought)
      .when(cancel({ caseId: "k-1", reason: "sold out" }), merchant, at)
      .gives(cancelling({ reason: "sold out" }, "k-1"));
    given(bought)
      .when(cancel(), buyer, at)
      .refuses({
        code: "orderStatusNotEligible",
        command: "CancelOrder",
        status: "paid",
        allowed: ["pendingConfirmation", "pendingPayment"],
      });
  });

  it("needs that no case is open, a new id, and a way for the money", () => {
    const open = [...bought, applied("refundOnly", {}, at)];
    given(open)
      .when(cancel({ caseId, destination: "original" }), merchant, at)
      .refuses({
        code: "caseOpen",
        command: "CancelOrder",
        caseId,
        status: "requested",
        also: [
          { code: "caseIdUsed", field: "caseId", caseId },
          { code: "destinationRefused", field: "destination", destination: "original", because: "noTradeNo" },
        ],
      });
  });

  it("pays nothing out where nothing was paid in", () => {
    const nothing = {
      code: "destinationRefused",
      field: "destination",
      destination: "manual",
      because: "notPayable",
    } as const;
    for (const actor of [buyer, merchant]) {
      given(reached("pendingPayment"))
        .when(cancel({ destination: "manual" }), actor, at)
        .refuses(nothing);
    }
  });

  it("is not the buyer's to take back; rejected or closed by the merchant, the order goes on, and may be cancelled again", () => {
    const order = [...bought, ...cancelling()];
    given(order)
      .when(ask("CancelRefund", { caseId: key }), buyer, at)
      .refuses({
        code: "originNotEligible",
        command: "CancelRefund",
        caseId: key,
        origin: "cancellation",
        allowed: ["application", "import"],
      });
    const undone = [...order, event("RefundClosed", at, { caseId: key, cause: "merchant" })];
    given(order)
      .when(ask("CloseRefund", { caseId: key }), merchant, at)
      .gives(undone.slice(-1));
    expect(fold(undone)).toMatchObject({ status: "paid", cancelRequestedAt: undefined });
    given(undone).when(cancel(), merchant, at).gives(cancelling({}, "cancel:2:o-1"));
    given(undone)
      .when(ask("Ship", { shipments: [parcel] }), merchant, at)
      .gives([shipped(at)]);
  });

  it("takes what an earlier case left", () => {
    const part = [
      ...bought,
      applied("refundOnly", {}, at),
      approved("refundOnly", {}, at),
      issued({}, at),
      settled({}, at),
    ];
    given(part)
      .when(cancel({ destination: "manual" }), merchant, at)
      .gives([
        event("RefundApplied", at, { ...cancelling()[0]!.data, amount: 4_800 } as never),
        event("RefundApproved", at, { caseId: key, by: "merchant", amount: 4_800 }),
        event("RefundIssued", at, {
          caseId: key,
          refundId: `${key}:1`,
          attempt: 1,
          amount: 4_800,
          destination: "manual",
          payId: "pay-1",
        }),
        event("RefundSettled", at, { caseId: key, refundId: `${key}:1`, amount: 4_800, quantity: 4 }),
        closed(at),
        freed(
          "OrderClosedByRefund",
          [
            ["L1", 3],
            ["L2", 1],
          ],
          at,
        ),
      ]);
  });
});

describe("while a case is open", () => {
  const open = (caseType: "refundOnly" | "exchange", history: readonly OrderEvent[]) => [
    ...history,
    applied(caseType, {}, at),
  ];
  const waiting = (command: string) => ({ code: "caseOpen", command, caseId, status: "requested" }) as const;

  it("its line is not sent, unless the merchant insists; another line is", () => {
    const history = given(open("refundOnly", reached("paid")));
    const refusals: readonly object[] = [
      { shipments: [parcel] },
      { shipments: [{ ...parcel, lines: ["L2", "L1"] }] },
    ];
    for (const over of refusals) {
      history.when(ask("Ship", over), merchant, at).refuses(waiting("Ship"));
    }
    history.when(ask("Ship", { shipments: [parcel], force: true }), merchant, at).gives([shipped(at)]);
    const other = { ...parcel, lines: ["L2"] };
    history
      .when(ask("Ship", { shipments: [other] }), merchant, at)
      .gives([event("OrderShipped", at, { shipments: [other] })]);
    history
      .when(ask("Ship", { shipments: [other], force: false }), merchant, at)
      .gives([event("OrderShipped", at, { shipments: [other] })]);
    given(open("refundOnly", reached("paid", { fulfilment: "local" })))
      .when(ask("Ship", {}), merchant, at)
      .refuses(waiting("Ship"));
  });

  it("a cancelled order is not sent at all", () => {
    for (const over of [{}, { force: true }]) {
      given([...reached("paid"), ...cancelling()])
        .when(ask("Ship", { shipments: [{ ...parcel, lines: ["L2"] }], ...over }), merchant, at)
        .refuses({ code: "caseOpen", command: "Ship", caseId: key, status: "refundPending" });
    }
  });

  it("nothing is written off (scenario 17)", () => {
    given(open("refundOnly", reached("paid", { redemption: { codeHash } })))
      .when(ask("Redeem", { code: "ABC" }), staff, at, rightCode)
      .refuses(waiting("Redeem"));
  });

  it("nothing is hidden, by either side (scenario 19)", () => {
    given(inCase("requested", "exchange"))
      .when(ask("HideOrder", {}), buyer, now)
      .refuses(waiting("HideOrder"));
    given(inCase("cancelled", "exchange"))
      .when(ask("HideOrder", {}), buyer, now)
      .gives([event("OrderHidden", now, { from: "buyer" })]);
    const late = [
      ...reached("cancelled"),
      latePaid(now),
      event("RefundApplied", now, {
        caseId: "late:pay-late",
        origin: "latePayment",
        payId: "pay-late",
        caseType: "refundOnly",
        quantity: 0,
        amount: 5_800,
        goodsReceived: false,
      }),
    ];
    given(late)
      .when(ask("HideOrder", {}), merchant, now)
      .refuses({ code: "caseOpen", command: "HideOrder", caseId: "late:pay-late", status: "requested" });
  });
});

describe("late money", () => {
  const at = now;
  const id = "late:pay-late";
  const history = [
    ...reached("cancelled"),
    latePaid(at, { tradeNo: "T-9" }),
    event("RefundApplied", at, {
      caseId: id,
      origin: "latePayment",
      payId: "pay-late",
      caseType: "refundOnly",
      quantity: 0,
      amount: 5_800,
      goodsReceived: false,
    }),
    event("RefundApproved", at, { caseId: id, by: "system", amount: 5_800 }),
  ];
  const flight = event("RefundIssued", at, {
    caseId: id,
    refundId: `${id}:1`,
    attempt: 1,
    amount: 5_800,
    destination: "original",
    payId: "pay-late",
  });

  it("goes back to the payment it came by; the order's status stays", () => {
    given(history)
      .when(ask("IssueRefund", { caseId: id, destination: "original" }), merchant, at)
      .gives([flight]);
    given([...history, flight])
      .when(ask("SettleRefund", { caseId: id, refundId: `${id}:1`, amount: 5_800 }), provider, at)
      .gives([event("RefundSettled", at, { caseId: id, refundId: `${id}:1`, amount: 5_800, quantity: 0 })]);
  });

  it("cannot be kept: its case is neither rejected, nor cancelled, nor closed", () => {
    const refused = (command: string, allowed: readonly string[]) =>
      ({ code: "originNotEligible", command, caseId: id, origin: "latePayment", allowed }) as const;
    given(history)
      .when(ask("RejectRefund", { caseId: id, reason: "no, no" }), merchant, at)
      .refuses(refused("RejectRefund", ["application", "cancellation", "import"]));
    given(history)
      .when(ask("CloseRefund", { caseId: id }), merchant, at)
      .refuses(refused("CloseRefund", ["application", "cancellation", "import"]));
    given(history)
      .when(ask("CancelRefund", { caseId: id }), buyer, at)
      .refuses(refused("CancelRefund", ["application", "import"]));
  });

  it("of the whole order is no exchange", () => {
    given(history)
      .when(ask("ConvertToRefund", { caseId: id, amount: 1, buyerConsents: true }), merchant, at)
      .refuses({
        code: "caseStatusNotEligible",
        command: "ConvertToRefund",
        caseId: id,
        status: "refundPending",
        allowed: ["replacementPending"],
        also: [
          {
            code: "amountTooHigh",
            field: "amount",
            amount: 1,
            limit: 0,
            claimed: 0,
            paid: 5_800,
            currency: "CNY",
          },
        ],
      });
  });
});

describe("the automatic quantity (ruling 3)", () => {
  const settle = (amount: number) => ask("SettleRefund", { caseId, refundId, amount });
  const flight = (amount: number, history: readonly OrderEvent[] = reached("paid")) => [
    ...history,
    applied("refundOnly", { amount }, at),
    approved("refundOnly", { amount }, at),
    issued({ amount }, at),
  ];

  it("is all units of a line not sent that has nothing left, and their stock is free", () => {
    given(flight(3_000))
      .when(settle(3_000), provider, now)
      .gives([settled({ amount: 3_000, quantity: 3 }, now), freed("RefundSettled", [["L1", 3]], now)]);
  });

  it("is none of a line that has something left", () => {
    given(flight(2_999))
      .when(settle(2_999), provider, now)
      .gives([settled({ amount: 2_999 }, now)]);
  });

  it("is none of goods that were sent, all money back or not (scenario 6)", () => {
    for (const status of ["shipped", "completed"] as const) {
      given(flight(3_000, reached(status)))
        .when(settle(3_000), provider, now)
        .gives([settled({ amount: 3_000 }, now)]);
    }
  });

  it("is all of a virtual line, though it was sent", () => {
    given(flight(3_000, reached("completed", { fulfilment: "virtual" })))
      .when(settle(3_000), provider, now)
      .gives([settled({ amount: 3_000, quantity: 3 }, now), freed("RefundSettled", [["L1", 3]], now)]);
  });

  it("is none where all units are back already and only money was left", () => {
    const virtual = reached("completed", { fulfilment: "virtual", terms: { refundable: "prorated" } });
    const returned = [
      ...inCase("returnInTransit", "returnRefund", virtual).slice(0, -3),
      applied("returnRefund", { caseId: "c-2", quantity: 3, amount: 1_000 }, at),
      approved("returnRefund", { caseId: "c-2" }, at),
      event("ReturnShipped", at, { caseId: "c-2", ...parcel }),
      back({ caseId: "c-2", dispositions: [{ kind: "missing", quantity: 3 }] }, at),
      issued({ caseId: "c-2", refundId: "c-2:1" }, at),
      settled({ caseId: "c-2", refundId: "c-2:1", quantity: 3 }, at),
    ];
    // L1's share of 58.00 by its 30.00 of 50.00 is 34.80.
    given(flight(2_480, returned))
      .when(settle(2_480), provider, now)
      .gives([settled({ amount: 2_480 }, now)]);
  });

  it("is all of a line that no parcel took along, when others were sent (scenario 4 while L2 goes out)", () => {
    const parcels = (...named: readonly string[][]) =>
      event("OrderShipped", at, {
        shipments: named.map((sentLines) =>
          sentLines.length === 0 ? parcel : { ...parcel, lines: sentLines },
        ),
      });
    const whole = [settled({ amount: 3_000, quantity: 3 }, now), freed("RefundSettled", [["L1", 3]], now)];
    const kept = [settled({ amount: 3_000 }, now)];
    const sendings: readonly (readonly [readonly string[][], readonly OrderEvent[]])[] = [
      [[["L2"]], whole],
      [[["L2"], ["L2"]], whole],
      [[["L2"], ["L1"]], kept],
      // A parcel that names no lines may hold any.
      [[["L2"], []], kept],
      [[], kept],
    ];
    for (const [named, end] of sendings) {
      const out = [...flight(3_000), parcels(...named)];
      given(out).when(settle(3_000), provider, now).gives(end);
      given([...out, received(at)])
        .when(settle(3_000), provider, now)
        .gives(end);
    }
  });

  it("is of the line's own money: what another case has reserved may yet be rejected, and is no refund", () => {
    // V11: L1 10.00 and L2 90.00 for 50.00. L1 has 5.00 of its 10.00 back while L2 has claimed all the rest.
    const one = { goodsId: "A", title: "Tea", quantity: 1, allowedTypes: ["refundOnly"] } as const;
    const v11 = [
      created({
        lines: [
          { ...one, lineId: "L1", unitPrice: 1_000 },
          { ...one, lineId: "L2", unitPrice: 9_000 },
        ],
        charges: [],
        goods: 10_000,
        discount: 5_000,
        total: 5_000,
      }),
      paid(paidAt, { amount: 5_000 }),
    ];
    const l2 = { caseId: "c-2", lineId: "L2", amount: 4_500 } as const;
    const both = [...flight(500, v11), applied("refundOnly", l2, at)];
    given(both)
      .when(settle(500), provider, now)
      .gives([settled({ amount: 500 }, now)]);
    // With L2 rejected, the rest of L1 can still be claimed, and only then it is cancelled.
    const rejected = [
      ...both,
      settled({ amount: 500 }, at),
      event("RefundRejected", at, { caseId: "c-2", stage: "application", reason: "no proof" }),
    ];
    const rest = { caseId: "c-3", amount: 500 } as const;
    given([
      ...rejected,
      applied("refundOnly", rest, at),
      approved("refundOnly", rest, at),
      issued({ ...rest, refundId: "c-3:1" }, at),
    ])
      .when(ask("SettleRefund", { caseId: "c-3", refundId: "c-3:1", amount: 500 }), provider, now)
      .gives([event("RefundSettled", now, { ...rest, refundId: "c-3:1", quantity: 1 })]);
  });

  it("frees no stock that was never taken, and what is left is taken when it is sent", () => {
    const unstocked = [created({ terms: { stockDeduction: "shipping" } }), paid()];
    const settling = [...flight(3_000, unstocked), settled({ amount: 3_000, quantity: 3 }, at)];
    given(flight(3_000, unstocked)).when(settle(3_000), provider, at).gives(settling.slice(-1));
    given(settling)
      .when(ask("Ship", { shipments: [parcel] }), merchant, now)
      .gives([
        shipped(now),
        event("StockDeducted", now, {
          cause: "OrderShipped",
          lines: [{ lineId: "L2", quantity: 1 }],
          rule: "shipping",
        }),
      ]);
    const order = fold([
      ...settling,
      shipped(now),
      event("StockDeducted", now, {
        cause: "OrderShipped",
        lines: [{ lineId: "L2", quantity: 1 }],
        rule: "shipping",
      }),
    ]) as Order;
    expect(tallyOf(order, "L1")).toMatchObject({ deducted: 0, returned: 3 });
    expect(tallyOf(order, "L2")).toMatchObject({ deducted: 1, returned: 0 });
    expect(tallyOf(order, "L9")).toStrictEqual({
      lineId: "L9",
      refunded: 0,
      returned: 0,
      deducted: 0,
      released: 0,
      restocked: 0,
    });
  });

  it("a line touched before it is stocked is counted once", () => {
    const both = [
      ...flight(3_000, [created({ terms: { stockDeduction: "shipping" } }), paid()]),
      settled({ amount: 3_000, quantity: 0 }, at),
      shipped(now),
      deducted("shipping", "OrderShipped", now),
    ];
    expect((fold(both) as Order).tallies).toMatchObject([{ lineId: "L1", deducted: 3, refunded: 3_000 }]);
  });
});

describe("the end of an order by refunds", () => {
  const l2 = { caseId: "c-2", lineId: "L2" } as const;
  const l2Settled = [
    applied("refundOnly", { ...l2, amount: 2_800 }, at),
    approved("refundOnly", { caseId: "c-2", amount: 2_800 }, at),
    issued({ caseId: "c-2", refundId: "c-2:1", amount: 2_800 }, at),
  ];
  const l1 = [
    applied("refundOnly", { amount: 3_000 }, at),
    approved("refundOnly", { amount: 3_000 }, at),
    issued({ amount: 3_000 }, at),
    settled({ amount: 3_000, quantity: 3 }, at),
    freed("RefundSettled", [["L1", 3]], at),
  ];

  it("comes before shipping with the last of the money (scenarios 4 and 5)", () => {
    const history = [...reached("paid"), ...l1, ...l2Settled];
    const end = [
      event("RefundSettled", now, { caseId: "c-2", refundId: "c-2:1", amount: 2_800, quantity: 1 }),
      freed("RefundSettled", [["L2", 1]], now),
      closed(now),
    ];
    given(history)
      .when(ask("SettleRefund", { caseId: "c-2", refundId: "c-2:1", amount: 2_800 }), provider, now)
      .gives(end);
    expect(fold([...history, ...end])).toMatchObject({
      status: "closed",
      closedByRefund: true,
      endedAt: now,
      refunded: 5_800,
      stock: "deducted",
      tallies: [
        { lineId: "L1", returned: 3, released: 3 },
        { lineId: "L2", returned: 1, released: 1 },
      ],
    });
  });

  it("cancels before shipping whatever was too cheap to be refunded (ruling 2, V11)", () => {
    const half = {
      lines: [
        {
          lineId: "L1",
          goodsId: "A",
          title: "Tea",
          unitPrice: 1_000,
          quantity: 1,
          allowedTypes: ["refundOnly"],
        },
        {
          lineId: "L2",
          goodsId: "B",
          title: "Cup",
          unitPrice: 9_000,
          quantity: 1,
          allowedTypes: ["refundOnly"],
        },
      ] as const,
      charges: [],
      goods: 10_000,
      discount: 5_000,
      total: 5_000,
    };
    const stocked = event("StockDeducted", paidAt, {
      cause: "OrderPaid",
      lines: [
        { lineId: "L1", quantity: 1 },
        { lineId: "L2", quantity: 1 },
      ],
      rule: "payment",
    });
    const history = [
      created(half),
      paid(paidAt, { amount: 5_000 }),
      stocked,
      applied("refundOnly", { lineId: "L2", amount: 5_000 }, at),
    ];
    given(history)
      .when(ask("ApproveRefund", { caseId, destination: "manual" }), merchant, now)
      .gives([
        approved("refundOnly", { amount: 5_000 }, now),
        issued({ amount: 5_000, destination: "manual" }, now),
        settled({ amount: 5_000, quantity: 1 }, now),
        freed("RefundSettled", [["L2", 1]], now),
        event("OrderClosedByRefund", now, { refunded: 5_000, returnedUnits: 2 }),
        freed("OrderClosedByRefund", [["L1", 1]], now),
      ]);
  });

  it("does not come after shipping while goods are out, and comes with the last of them (20)", () => {
    const kept = [
      ...reached("completed"),
      ...l1.slice(0, 3),
      settled({ amount: 3_000, quantity: 0 }, at),
      ...l2Settled,
      settled({ caseId: "c-2", refundId: "c-2:1", amount: 2_800, quantity: 0 }, at),
    ];
    expect(fold(kept)).toMatchObject({ status: "completed", refunded: 5_800 });
    expect(ledgerOf(fold(kept) as Order).retained).toBe(0);
    const backHome = (id: string, lineId: string, quantity: number) => [
      applied("returnRefund", { caseId: id, lineId, quantity, amount: 0 }, at),
      approved("returnRefund", { caseId: id, amount: 0 }, at),
      { ...sent(at), data: { ...sent(at).data, caseId: id } },
    ];
    const receive = (id: string, quantity: number) =>
      ask("ReceiveReturn", { caseId: id, dispositions: [{ kind: "damaged", quantity }] });
    const facts = (id: string, quantity: number, when: number) => [
      back({ caseId: id, dispositions: [{ kind: "damaged", quantity }] }, when),
      issued({ caseId: id, refundId: `${id}:1`, amount: 0, destination: "manual" }, when),
      settled({ caseId: id, refundId: `${id}:1`, amount: 0, quantity }, when),
    ];
    const first = [...kept, ...backHome("c-3", "L1", 3)];
    given(first)
      .when(receive("c-3", 3), merchant, now)
      .gives(facts("c-3", 3, now));
    const last = [...first, ...facts("c-3", 3, at), ...backHome("c-4", "L2", 1)];
    given(last)
      .when(receive("c-4", 1), merchant, now)
      .gives([...facts("c-4", 1, now), closed(now)]);
  });

  it("does not come where money is left, though all goods are back", () => {
    const cheap = [
      ...reached("completed"),
      applied("returnRefund", { quantity: 3, amount: 100 }, at),
      approved("returnRefund", { amount: 100 }, at),
      sent(at),
    ];
    given(cheap)
      .when(
        ask("ReceiveReturn", {
          caseId,
          dispositions: [{ kind: "missing", quantity: 3 }],
          destination: "manual",
        }),
        merchant,
        now,
      )
      .gives([
        back({ dispositions: [{ kind: "missing", quantity: 3 }] }, now),
        issued({ amount: 100, destination: "manual" }, now),
        settled({ amount: 100, quantity: 3 }, now),
      ]);
  });
});

describe("facts in places where no decision puts them", () => {
  it("of a case that is over, or is not so far yet, leave it and the books as they were", () => {
    for (const [history, fact] of [
      [inCase("cancelled", "refundOnly"), issued({}, now)],
      [inCase("requested", "refundOnly"), issued({}, now)],
      [inCase("refunded", "refundOnly"), issued({ refundId: "c-1:2" }, now)],
      [inCase("rejected", "returnRefund"), sent(now)],
      [inCase("requested", "exchange"), back({}, now)],
    ] as const) {
      const before = fold(history) as Order;
      expect(fold([...history, fact])).toStrictEqual({ ...before, lastAt: now });
    }
  });

  const odd = (history: readonly OrderEvent[], one: OrderEvent) => {
    const before = fold(history) as Order;
    expect(fold([...history, one])).toStrictEqual({ ...before, lastAt: Math.max(before.lastAt, one.at) });
  };

  it("change nothing but the clock", () => {
    odd(reached("completed"), approved("refundOnly"));
    odd(inCase("requested", "refundOnly"), applied("exchange", { lineId: "L2" }));
    odd(inCase("requested", "refundOnly"), settled());
    odd(inCase("refundPending", "refundOnly"), settled());
    odd([...inCase("refundPending", "refundOnly"), issued()], settled({ refundId: "c-1:2" }));
    odd([...inCase("refundPending", "refundOnly"), issued(), failed()], failed());
    odd(reached("pendingPayment"), closed(overAt));
  });

  it("of a pause that seems to end before it began count for no time", () => {
    const history = [
      ...reached("shipped"),
      applied("refundOnly", {}, now),
      event("RefundCancelled", t0, { caseId, from: "requested" }),
    ];
    expect(fold(history)).toMatchObject({ pausedSince: undefined, pausedFor: 0, lastAt: now });
  });
});
