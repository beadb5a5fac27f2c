// The scenarios of domain 5 about after-sale (4-16, 18-22, 25), played command by command, with what the source systems would show.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import { metaOf } from "../../src/domain/caseLifecycle.ts";
import type { Case } from "../../src/domain/caseState.ts";
import type { Command, CommandData, Policy } from "../../src/domain/commands.ts";
import { refundableOf } from "../../src/domain/refundable.ts";
import { type Order, ledgerOf } from "../../src/domain/state.ts";
import { stepsOf } from "../../src/domain/steps.ts";
import { waybill } from "./cases.ts";
import { courseOf, outcomeOf } from "./course.ts";
import {
  apifm,
  ask,
  askForOrder,
  buyer,
  day,
  merchant,
  minute,
  parcel,
  policy,
  provider,
  second,
  system,
  t0,
  withTerms,
} from "./orders.ts";

/** apifm's (status, status2) of a case, by domain 2.4. */
function ap({ status, type, closedBy }: Case): string {
  switch (status) {
    case "requested":
      return "0,0";
    case "awaitingReturn":
      return "3,1";
    case "returnInTransit":
    case "replacementPending":
    case "replacementShipped":
      return "3,2";
    case "refundPending":
      return type === "refundOnly" ? "3,0" : "3,2";
    case "refunded":
    case "exchanged":
      return type === "refundOnly" ? "4,0" : "4,2";
    case "rejected":
      return "2,0";
    case "cancelled":
      return "1,0";
    case "closed":
      return closedBy === "returnOverdue" ? "1,0" : "2,0";
  }
}

const baidu = {
  requested: 400,
  awaitingReturn: 401,
  returnInTransit: 401,
  refundPending: 401,
  replacementPending: 401,
  replacementShipped: 401,
  refunded: 402,
  exchanged: 403,
  rejected: 407,
  cancelled: 404,
  closed: 404,
} as const;

/** Baidu's status of all cases together: the first of these that any of them has (domain 2.4). */
function aggregate(cases: readonly Case[]): number | undefined {
  return [401, 400, 402, 403, 407, 404].find((status) => cases.some((one) => baidu[one.status] === status));
}

/** ShopXO's status and pay_status of an order, where it was paid. */
function sx({ status, refunded, paid, closedByRefund }: Order): string {
  const pay = paid === 0 ? 0 : refunded === 0 ? 1 : refunded < paid ? 3 : 2;
  const own = { paid: 2, shipped: 3, completed: 4, cancelled: 5, closed: 6 } as const;
  if (status === "pendingConfirmation" || status === "pendingPayment") return "1/0";
  return `${own[status]}/${status === "closed" && !closedByRefund && refunded === 0 ? 0 : pay}`;
}

/** Plays commands on one order and keeps what was said of each: its facts or its refusal, and how the case it names stands. */
function play(bought: Partial<CommandData["CreateOrder"]> = {}, terms: Policy = policy) {
  const course = courseOf();
  let now = t0;
  const scene = {
    said: [] as string[],
    get order(): Order {
      return course.state as Order;
    },
    case(caseId: string): Case {
      return scene.order.cases.find((one) => one.caseId === caseId)!;
    },
    at(instant: number) {
      now = instant;
      return scene;
    },
    after(time: number) {
      return scene.at(now + time);
    },
    does(actor: Actor, command: Command) {
      const { answer, after } = course.does(actor, command, terms, now);
      const of =
        "caseId" in command ? scene.order.cases.find((one) => one.caseId === command.caseId) : undefined;
      const shown =
        of === undefined
          ? ""
          : ` | ap ${ap(of)} sx ${metaOf(of.status).shopxo[of.type]} bd ${baidu[of.status]}, order ap ${apifm(after)} sx ${sx(scene.order)}`;
      scene.said.push(outcomeOf(answer) + shown);
      return scene;
    },
    /** What was said since the last time of asking. */
    tell(): readonly string[] {
      return scene.said.splice(0);
    },
    suggested(lineId: string): string {
      const { quantity, amount } = refundableOf(scene.order, lineId);
      return `${quantity}/${amount}`;
    },
    digits(lineId: string, which: "step0" | "step1"): string {
      const latest = scene.order.cases.findLast((one) => one.lineId === lineId);
      return stepsOf(latest)
        [which].map((step) => `${step.is_caret}${step.is_angle}${step.is_active}${step.is_end}`)
        .join(" ");
    },
  };
  const total = bought.lines === undefined ? 5_800 : undefined;
  scene.does(buyer, askForOrder(bought));
  scene
    .after(minute)
    .does(
      buyer,
      ask("Pay", { payId: "pay-1", amount: total ?? scene.order.total, channel: "online", tradeNo: "T-1" }),
    );
  return scene;
}

type Scene = ReturnType<typeof play>;

const ship = ask("Ship", { shipments: [parcel] });
const confirm = ask("ConfirmReceipt", {});
const shipped = (bought?: Partial<CommandData["CreateOrder"]>, terms?: Policy): Scene =>
  play(bought, terms)
    .at(t0 + day)
    .does(merchant, ship);
const completed = (bought?: Partial<CommandData["CreateOrder"]>, terms?: Policy): Scene =>
  shipped(bought, terms).after(day).does(buyer, confirm);

const c1 = { caseId: "c-1" } as const;
const apply = (over: Partial<CommandData["ApplyRefund"]> = {}) =>
  ask("ApplyRefund", { ...c1, lineId: "L1", caseType: "refundOnly", amount: 3_000, ...over });
const back = (over: Partial<CommandData["ApplyRefund"]> = {}) =>
  apply({ caseType: "returnRefund", quantity: 1, amount: 1_000, ...over });
const approve = (over: object = {}) => ask("ApproveRefund", { ...c1, ...over });
const send = ask("ShipReturn", { ...c1, ...waybill });
const receive = (quantity: number, over: object = {}) =>
  ask("ReceiveReturn", { ...c1, dispositions: [{ kind: "restock", quantity }], ...over });
const settle = (over: object = {}) =>
  ask("SettleRefund", { ...c1, refundId: "c-1:1", amount: 3_000, ...over });

const deducted = "StockReleased";

it("4 and 5. refund-only before shipping, one line and then the other: the order closes", () => {
  const scene = play().does(buyer, apply());
  expect(scene.digits("L1", "step0")).toBe("1110 1111 0000");
  scene.does(merchant, approve({ destination: "original" })).does(provider, settle());
  expect(scene.tell().slice(2)).toStrictEqual([
    "RefundApplied | ap 0,0 sx 2 bd 400, order ap 1 sx 2/1",
    "RefundApproved + RefundIssued | ap 3,0 sx 2 bd 401, order ap 1 sx 2/1",
    `RefundSettled + ${deducted} | ap 4,0 sx 3 bd 402, order ap 1 sx 2/3`,
  ]);
  expect([scene.suggested("L1"), scene.suggested("L2")]).toStrictEqual(["0/0", "1/2800"]);
  expect(scene.case("c-1").settledQuantity).toBe(3);
  const other = { caseId: "c-2" } as const;
  scene
    .does(buyer, apply({ ...other, lineId: "L2", amount: 2_800 }))
    .does(merchant, approve({ ...other, destination: "manual" }))
    .does(buyer, apply({ caseId: "c-3", amount: 1 }));
  expect(scene.tell()).toStrictEqual([
    "RefundApplied | ap 0,0 sx 2 bd 400, order ap 1 sx 2/3",
    `RefundApproved + RefundIssued + RefundSettled + ${deducted} + OrderClosedByRefund | ap 4,0 sx 3 bd 402, order ap -1 sx 6/2`,
    "orderStatusNotEligible",
  ]);
  expect(aggregate(scene.order.cases)).toBe(402);
  expect(scene.order.endedAt).toBe(t0 + minute);
});

it("6. refunded after shipping, the goods kept: the order goes on to its end, and never closes", () => {
  const scene = shipped();
  for (const [caseId, lineId, amount] of [
    ["c-1", "L1", 3_000],
    ["c-2", "L2", 2_800],
  ] as const) {
    scene
      .does(buyer, apply({ caseId, lineId, amount }))
      .does(merchant, approve({ caseId, destination: "manual" }));
  }
  scene.does(buyer, confirm);
  expect(scene.tell().slice(3)).toStrictEqual([
    "RefundApplied | ap 0,0 sx 2 bd 400, order ap 2 sx 3/1",
    "RefundApproved + RefundIssued + RefundSettled | ap 4,0 sx 3 bd 402, order ap 2 sx 3/3",
    "RefundApplied | ap 0,0 sx 2 bd 400, order ap 2 sx 3/3",
    "RefundApproved + RefundIssued + RefundSettled | ap 4,0 sx 3 bd 402, order ap 2 sx 3/2",
    "ReceiptConfirmed",
  ]);
  expect(sx(scene.order)).toBe("4/2");
});

it("7. a partial return, with ShopXO's bar at each step", () => {
  const scene = completed();
  const bars: string[] = [];
  for (const [actor, command] of [
    [buyer, back()],
    [merchant, approve()],
    [buyer, send],
    [merchant, receive(1, { destination: "manual" })],
  ] as const) {
    scene.does(actor, command);
    bars.push(scene.digits("L1", "step1"));
  }
  expect(scene.tell().slice(4)).toStrictEqual([
    "RefundApplied | ap 0,0 sx 0 bd 400, order ap 3 sx 4/1",
    "RefundApproved | ap 3,1 sx 1 bd 401, order ap 3 sx 4/1",
    "ReturnShipped | ap 3,2 sx 2 bd 401, order ap 3 sx 4/1",
    "ReturnReceived + StockRestored + RefundIssued + RefundSettled | ap 4,2 sx 3 bd 402, order ap 3 sx 4/3",
  ]);
  expect(bars).toStrictEqual([
    "1110 1111 0100 0100 0000",
    "1110 1110 1111 0100 0000",
    "1110 1110 1110 1111 0000",
    "1110 0110 1110 1110 0010",
  ]);
  expect([scene.suggested("L1"), scene.suggested("L2")]).toStrictEqual(["2/2000", "1/2000"]);
});

it("8. a single line returned in parts: 2/15.00 is left, not 3/25.00, and with it the order closes", () => {
  const scene = completed({
    lines: [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 3 }],
    charges: [],
    discount: 500,
  });
  scene.does(buyer, back()).does(merchant, approve()).does(buyer, send);
  scene.does(merchant, receive(1, { destination: "manual" }));
  expect(scene.suggested("L1")).toBe("2/1500");
  const rest = { caseId: "c-2" } as const;
  scene
    .does(buyer, back({ ...rest, quantity: 2, amount: 1_500 }))
    .does(merchant, approve(rest))
    .does(buyer, ask("ShipReturn", { ...rest, ...waybill }))
    .does(merchant, receive(2, { ...rest, destination: "manual" }));
  expect(scene.said.at(-1)).toBe(
    "ReturnReceived + StockRestored + RefundIssued + RefundSettled + OrderClosedByRefund | ap 4,2 sx 3 bd 402, order ap -1 sx 6/2",
  );
});

describe("9. an exchange", () => {
  const l2 = { lineId: "L2", caseType: "exchange", quantity: 1 } as const;
  const begun = () =>
    completed()
      .does(buyer, apply({ ...l2, amount: 1 }))
      .does(buyer, apply({ ...l2, amount: 0 }))
      .does(merchant, approve())
      .does(buyer, send)
      .does(merchant, receive(1));

  it("goes round: sent back, replaced, confirmed; no money moves", () => {
    const scene = begun()
      .does(merchant, ask("ShipReplacement", { ...c1, ...waybill }))
      .does(buyer, ask("ConfirmReplacement", c1));
    expect(scene.tell().slice(4)).toStrictEqual([
      "amountTooHigh",
      "RefundApplied | ap 0,0 sx 0 bd 400, order ap 3 sx 4/1",
      "RefundApproved | ap 3,1 sx 1 bd 401, order ap 3 sx 4/1",
      "ReturnShipped | ap 3,2 sx 2 bd 401, order ap 3 sx 4/1",
      "ReturnReceived + StockRestored | ap 3,2 sx 2 bd 401, order ap 3 sx 4/1",
      "ReplacementShipped + StockDeducted | ap 3,2 sx 2 bd 401, order ap 3 sx 4/1",
      "ReplacementReceived | ap 4,2 sx 3 bd 403, order ap 3 sx 4/1",
    ]);
    expect(ledgerOf(scene.order).refunded).toBe(0);
    expect(scene.order.tallies).toMatchObject([{ lineId: "L2", deducted: 2, restocked: 1, returned: 0 }]);
  });

  it("becomes a refund where there is no replacement", () => {
    const scene = begun()
      .does(merchant, ask("ShipReplacement", { ...c1, ...waybill, available: 0 }))
      .does(
        merchant,
        ask("ConvertToRefund", { ...c1, amount: 2_000, buyerConsents: true, destination: "manual" }),
      );
    expect(scene.tell().slice(-2)).toStrictEqual([
      "outOfStock | ap 3,2 sx 2 bd 401, order ap 3 sx 4/1",
      "ExchangeConverted + RefundIssued + RefundSettled | ap 4,2 sx 3 bd 402, order ap 3 sx 4/3",
    ]);
    expect(scene.suggested("L2")).toBe("0/0");
  });
});

it("10. withdrawn before approval: as before, and not twice", () => {
  const scene = completed();
  const before = scene.suggested("L1");
  const cancel = ask("CancelRefund", c1);
  scene.does(buyer, back()).does(buyer, cancel);
  expect(scene.suggested("L1")).toBe(before);
  scene.does(buyer, cancel);
  expect(scene.tell().slice(5)).toStrictEqual([
    "RefundCancelled | ap 1,0 sx 5 bd 404, order ap 3 sx 4/1",
    "caseStatusNotEligible | ap 1,0 sx 5 bd 404, order ap 3 sx 4/1",
  ]);
});

it("11. withdrawn late: while the goods are awaited yes, with the money on its way no", () => {
  const cancel = ask("CancelRefund", c1);
  const awaited = completed().does(buyer, back()).does(merchant, approve()).does(buyer, cancel);
  expect(awaited.said.at(-1)).toBe("RefundCancelled | ap 1,0 sx 5 bd 404, order ap 3 sx 4/1");
  const flying = completed()
    .does(buyer, apply())
    .does(merchant, approve({ destination: "original" }));
  expect(flying.does(buyer, cancel).said.at(-1)).toBe(
    "refundInFlight | ap 3,0 sx 2 bd 401, order ap 3 sx 4/1",
  );
});

it("12. rejected, then applied for again", () => {
  const reject = (reason: string) => ask("RejectRefund", { ...c1, reason });
  const scene = completed()
    .does(buyer, back())
    .does(merchant, reject("x"))
    .does(merchant, reject("凭证不清"));
  scene.does(buyer, back({ caseId: "c-2" }));
  expect(scene.order.cases.map((one) => baidu[one.status])).toStrictEqual([407, 400]);
  expect(aggregate(scene.order.cases)).toBe(400);
  scene
    .does(merchant, approve({ caseId: "c-2" }))
    .does(merchant, ask("RejectRefund", { caseId: "c-2", reason: "no, no" }))
    .does(buyer, ask("ShipReturn", { caseId: "c-2", ...waybill }))
    .does(merchant, receive(1, { caseId: "c-2", destination: "manual" }));
  expect(aggregate(scene.order.cases)).toBe(402);
  expect(scene.tell().slice(5)).toStrictEqual([
    "reasonLength | ap 0,0 sx 0 bd 400, order ap 3 sx 4/1",
    "RefundRejected | ap 2,0 sx 4 bd 407, order ap 3 sx 4/1",
    "RefundApplied | ap 0,0 sx 0 bd 400, order ap 3 sx 4/1",
    "RefundApproved | ap 3,1 sx 1 bd 401, order ap 3 sx 4/1",
    "caseStatusNotEligible | ap 3,1 sx 1 bd 401, order ap 3 sx 4/1",
    "ReturnShipped | ap 3,2 sx 2 bd 401, order ap 3 sx 4/1",
    "ReturnReceived + StockRestored + RefundIssued + RefundSettled | ap 4,2 sx 3 bd 402, order ap 3 sx 4/3",
  ]);
});

it("13 and 14. applied twice: the second is refused for the line, and for the money that the first reserved", () => {
  const scene = completed()
    .does(buyer, back())
    .does(buyer, back({ caseId: "c-2" }));
  expect(scene.said.at(-1)).toBe("caseOpen");
  const halves = {
    lines: [
      { lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 5_000, quantity: 1 },
      { lineId: "L2", goodsId: "B", title: "Cup", unitPrice: 5_000, quantity: 1 },
    ],
    charges: [],
    discount: 2_000,
  };
  const both = completed(halves)
    .does(buyer, apply({ amount: 5_000 }))
    .does(buyer, apply({ caseId: "c-2", lineId: "L2", amount: 5_000 }));
  expect(both.said.at(-1)).toBe("amountTooHigh");
  expect(both.suggested("L2")).toBe("1/3000");
});

describe("15. approving against withdrawing", () => {
  const cancel = ask("CancelRefund", c1);

  it("one after the other, both for a return; the other way round only the first", () => {
    const approved = completed().does(buyer, back()).does(merchant, approve()).does(buyer, cancel);
    expect(approved.tell().slice(5)).toStrictEqual([
      "RefundApproved | ap 3,1 sx 1 bd 401, order ap 3 sx 4/1",
      "RefundCancelled | ap 1,0 sx 5 bd 404, order ap 3 sx 4/1",
    ]);
    const cancelled = completed().does(buyer, back()).does(buyer, cancel).does(merchant, approve());
    expect(cancelled.said.at(-1)).toBe("caseStatusNotEligible | ap 1,0 sx 5 bd 404, order ap 3 sx 4/1");
  });

  it("approved twice with another command id: refused, and the provider sees one refund", () => {
    const scene = completed()
      .does(buyer, apply())
      .does(merchant, approve({ destination: "manual" }))
      .does(merchant, approve({ destination: "manual" }));
    expect(scene.said.at(-1)).toBe("caseStatusNotEligible | ap 4,0 sx 3 bd 402, order ap 3 sx 4/3");
    expect(scene.case("c-1").attempts.map(({ refundId }) => refundId)).toStrictEqual(["c-1:1"]);
  });
});

it("16. the gateway fails, then does not; callbacks come twice and with another amount", () => {
  const fail = ask("FailRefund", { ...c1, refundId: "c-1:1", failure: "TIMEOUT", retryable: true });
  const retry = { refundId: "c-1:2" };
  const scene = completed()
    .does(buyer, apply())
    .does(merchant, approve({ destination: "original" }))
    .does(provider, fail)
    .does(provider, fail)
    .does(system, ask("IssueRefund", c1))
    .after(minute + second)
    .does(system, ask("IssueRefund", c1))
    .does(provider, settle({ ...retry, amount: 2_999 }))
    .does(provider, settle(retry))
    .does(provider, settle(retry));
  expect(scene.tell().slice(6)).toStrictEqual([
    "RefundFailed | ap 3,0 sx 2 bd 401, order ap 3 sx 4/1",
    "nothing | ap 3,0 sx 2 bd 401, order ap 3 sx 4/1",
    "notDue | ap 3,0 sx 2 bd 401, order ap 3 sx 4/1",
    "RefundIssued | ap 3,0 sx 2 bd 401, order ap 3 sx 4/1",
    "amountMismatch | ap 3,0 sx 2 bd 401, order ap 3 sx 4/1",
    "RefundSettled | ap 4,0 sx 3 bd 402, order ap 3 sx 4/3",
    "nothing | ap 4,0 sx 3 bd 402, order ap 3 sx 4/3",
  ]);
  expect(scene.case("c-1").attempts.map(({ state }) => state)).toStrictEqual(["failed", "settled"]);
  expect(ledgerOf(scene.order)).toMatchObject({ refunded: 3_000, inFlight: 0 });
});

it("18. the automatic receipt waits for the case, and comes after the day that was left", () => {
  const shippedAt = t0 + day;
  const scene = shipped()
    .at(shippedAt + 14 * day)
    .does(buyer, back())
    .at(shippedAt + 15 * day + second)
    .does(system, confirm)
    .at(shippedAt + 20 * day)
    .does(merchant, ask("RejectRefund", { ...c1, reason: "no proof" }))
    .at(shippedAt + 21 * day)
    .does(system, confirm)
    .after(second)
    .does(system, confirm);
  expect(
    scene
      .tell()
      .slice(4)
      .map((line) => line.split(" | ")[0]),
  ).toStrictEqual(["notDue", "RefundRejected", "notDue", "ReceiptConfirmed"]);
});

it("19. not hidden with a case open", () => {
  const hide = ask("HideOrder", {});
  const scene = completed()
    .does(buyer, back())
    .does(buyer, hide)
    .does(buyer, ask("CancelRefund", c1))
    .does(buyer, hide);
  expect(
    scene
      .tell()
      .slice(5)
      .map((line) => line.split(" | ")[0]),
  ).toStrictEqual(["caseOpen", "RefundCancelled", "OrderHidden"]);
});

it("20. the window closes with the second after thirty days, and of no days is never open", () => {
  const receivedAt = t0 + 2 * day;
  const scene = completed()
    .at(receivedAt + 30 * day + second)
    .does(buyer, back());
  expect(scene.said.at(-1)).toBe("windowExpired");
  const inTime = completed()
    .at(receivedAt + 30 * day)
    .does(buyer, back());
  expect(inTime.said.at(-1)).toMatch(/^RefundApplied/);
  expect(
    completed({}, withTerms({ afterSaleDays: 0 }))
      .does(buyer, back())
      .said.at(-1),
  ).toBe("windowExpired");
});

it("21. asked for too much: of money, of units, of none", () => {
  const scene = completed({}, withTerms({ evidenceMax: 3 }))
    .does(buyer, apply({ amount: 3_001 }))
    .does(buyer, back({ quantity: 4 }))
    .does(buyer, back({ quantity: 0 }))
    .does(buyer, apply({ personal: { evidence: ["1", "2", "3", "4"] } }));
  expect(scene.tell().slice(4)).toStrictEqual([
    "amountTooHigh",
    "quantityTooHigh",
    "quantityInvalid",
    "evidenceTooMany",
  ]);
});

it("22. paid offline: not back the way it came, by hand it is", () => {
  const course = courseOf();
  for (const command of [
    askForOrder(),
    ask("Pay", { payId: "p", amount: 5_800, channel: "offline", method: "cash" }),
    apply(),
  ]) {
    course.does(buyer, command, policy, t0);
  }
  const asks = (destination: "original" | "manual") =>
    course.does(merchant, approve({ destination }), policy, t0).answer;
  expect(asks("original")).toStrictEqual(
    E.left({
      code: "destinationRefused",
      field: "destination",
      destination: "original",
      because: "paidOffline",
    }),
  );
  expect(outcomeOf(asks("manual"))).toBe("RefundApproved + RefundIssued + RefundSettled + StockReleased");
  expect(sx(course.state as Order)).toBe("2/3");
});

it("25. the merchant cancels a paid order: back in full, and then it closes", () => {
  const scene = play().does(merchant, ask("CancelOrder", { ...c1, destination: "original" }));
  expect(scene.order.cancelRequestedAt).toBe(t0 + minute);
  scene.does(merchant, ship).does(provider, settle({ amount: 5_800 }));
  expect(scene.tell().slice(2)).toStrictEqual([
    "RefundApplied + RefundApproved + RefundIssued | ap 3,0 sx 2 bd 401, order ap 1 sx 2/1",
    "caseOpen",
    "RefundSettled + OrderClosedByRefund + StockReleased | ap 4,0 sx 3 bd 402, order ap -1 sx 6/2",
  ]);
});
