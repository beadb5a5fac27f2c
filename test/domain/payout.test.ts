// Approving, rejecting, returning, and paying out: what each decision of a case records, and when it is refused.

import { describe, expect, it } from "vitest";

import type { CaseEventData } from "../../src/domain/caseEvents.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { type Order, fold, ledgerOf } from "../../src/domain/state.ts";
import {
  applied,
  approved,
  back,
  backAt,
  caseId,
  failed,
  inCase,
  issued,
  now,
  overAt,
  refundId,
  restocked,
  sent,
  settled,
  waybill,
} from "./cases.ts";
import { given } from "./given.ts";
import {
  ask,
  buyer,
  created,
  event,
  merchant,
  minute,
  paid,
  paidAt,
  provider,
  reached,
  receivedAt,
  system,
} from "./orders.ts";

const paidBy = (over: Partial<CaseEventData["RefundIssued"]> | object): readonly OrderEvent[] =>
  reached("completed").map((one) => (one.type === "OrderPaid" ? paid(paidAt, over) : one));
const online = paidBy({ tradeNo: "T-1" });
const cash = paidBy({ channel: "offline" });
const wallet = paidBy({ channel: "wallet" });
const high = (amount: number, limit: number) =>
  ({
    code: "amountTooHigh",
    field: "amount",
    amount,
    limit,
    claimed: 1_000,
    paid: 5_800,
    currency: "CNY",
  }) as const;
const flying = { code: "refundInFlight", caseId, refundId } as const;
const refusedTo = (destination: string, because: "notPayable" | "paidOffline" | "noTradeNo") =>
  ({ code: "destinationRefused", field: "destination", destination, because }) as const;

describe("ApproveRefund", () => {
  const approve = (over: object = {}) => ask("ApproveRefund", { caseId, ...over });

  it("of a refund alone makes it payable, and waits for a destination", () => {
    given(inCase("requested", "refundOnly"))
      .when(approve(), merchant, now)
      .gives([approved("refundOnly", {}, now)]);
  });

  it("with a destination issues it in the same append, and by hand settles it too (ruling 4)", () => {
    const requested = given(inCase("requested", "refundOnly", online));
    for (const destination of ["original", "wallet"] as const) {
      requested
        .when(approve({ destination }), merchant, now)
        .gives([approved("refundOnly", {}, now), issued({ destination }, now)]);
    }
    requested
      .when(approve({ destination: "manual" }), merchant, now)
      .gives([approved("refundOnly", {}, now), issued({ destination: "manual" }, now), settled({}, now)]);
  });

  it("of a return or an exchange asks for the goods first, and says where they go", () => {
    const personal = {
      note: "Mind the handle",
      returnAddress: { name: "Depot", phone: "1", address: "Shanghai" },
    };
    for (const caseType of ["returnRefund", "exchange"] as const) {
      const requested = given(inCase("requested", caseType));
      requested.when(approve(), merchant, now).gives([approved(caseType, {}, now)]);
      requested.when(approve({ personal }), merchant, now).gives([approved(caseType, { personal }, now)]);
      requested
        .when(approve({ personal: { returnAddress: {} } }), merchant, now)
        .gives([approved(caseType, {}, now)]);
      requested
        .when(approve({ destination: "wallet" }), merchant, now)
        .refuses(refusedTo("wallet", "notPayable"));
    }
  });

  it("may approve less than was asked for, and not nothing, and not more", () => {
    for (const caseType of ["refundOnly", "returnRefund"] as const) {
      const requested = given(inCase("requested", caseType));
      requested.when(approve({ amount: 1 }), merchant, now).gives([approved(caseType, { amount: 1 }, now)]);
      requested.when(approve({ amount: 1_001 }), merchant, now).refuses(high(1_001, 1_000));
      requested
        .when(approve({ amount: 0 }), merchant, now)
        .refuses({ code: "amountTooLow", field: "amount", amount: 0, least: 1, currency: "CNY" });
    }
    given(inCase("requested", "exchange"))
      .when(approve({ amount: 1 }), merchant, now)
      .refuses({ ...high(1, 0), claimed: 0 });
    const less = fold([
      ...inCase("requested", "refundOnly"),
      approved("refundOnly", { amount: 400 }),
    ]) as Order;
    expect(less.cases).toMatchObject([{ amount: 400, amountAsked: 1_000 }]);
    expect(ledgerOf(less).reserved).toBe(400);
  });

  it("pays back only a way that the money can go", () => {
    const original = approve({ destination: "original" });
    given(inCase("requested", "refundOnly", cash))
      .when(original, merchant, now)
      .refuses(refusedTo("original", "paidOffline"));
    given(inCase("requested", "refundOnly"))
      .when(original, merchant, now)
      .refuses(refusedTo("original", "noTradeNo"));
    // What came from the wallet goes back there: no provider ever had it.
    given(inCase("requested", "refundOnly", wallet))
      .when(original, merchant, now)
      .gives([approved("refundOnly", {}, now), issued({ destination: "wallet" }, now)]);
    given(inCase("requested", "refundOnly", cash))
      .when(approve({ destination: "wallet" }), merchant, now)
      .gives([approved("refundOnly", {}, now), issued({ destination: "wallet" }, now)]);
  });
});

describe("RejectRefund", () => {
  const reject = (reason = "凭证不清") => ask("RejectRefund", { caseId, reason });
  const rejected = (stage: "application" | "inspection" | "refund") =>
    event("RefundRejected", now, { caseId, stage, reason: "凭证不清" });

  it("has the stage that the case stands at", () => {
    given(inCase("requested", "exchange"))
      .when(reject(), merchant, now)
      .gives([rejected("application")]);
    given(inCase("returnInTransit", "exchange"))
      .when(reject(), merchant, now)
      .gives([rejected("inspection")]);
    given(inCase("refundPending", "returnRefund"))
      .when(reject(), merchant, now)
      .gives([rejected("refund")]);
  });

  it("says why, in 2 to 230 characters", () => {
    const requested = given(inCase("requested", "refundOnly"));
    for (const length of [1, 231]) {
      requested
        .when(reject("否".repeat(length)), merchant, now)
        .refuses({ code: "reasonLength", field: "reason", length, least: 2, limit: 230 });
    }
    for (const length of [2, 230]) {
      const reason = "否".repeat(length);
      requested
        .when(reject(reason), merchant, now)
        .gives([event("RefundRejected", now, { caseId, stage: "application", reason })]);
    }
  });

  it("comes too late where the money is on its way", () => {
    given([...inCase("refundPending", "refundOnly"), issued()])
      .when(reject(), merchant, now)
      .refuses(flying);
  });

  it("gives back what was reserved (22)", () => {
    const order = fold([...inCase("requested", "refundOnly"), rejected("application")]) as Order;
    expect(ledgerOf(order).reserved).toBe(0);
    expect(order.cases[0]).toMatchObject({
      status: "rejected",
      rejection: { stage: "application", reason: "凭证不清", at: now },
      endedAt: now,
    });
  });
});

describe("CancelRefund, CloseRefund and HideRefund", () => {
  const cancel = ask("CancelRefund", { caseId });
  const close = ask("CloseRefund", { caseId });
  const hide = ask("HideRefund", { caseId });

  it("cancel says from where, also from a rejection, which it acknowledges (ruling 7)", () => {
    for (const from of [
      "requested",
      "awaitingReturn",
      "returnInTransit",
      "refundPending",
      "rejected",
    ] as const) {
      given(inCase(from, "returnRefund"))
        .when(cancel, buyer, now)
        .gives([event("RefundCancelled", now, { caseId, from })]);
    }
  });

  it("a merchant closes any open case, and says why or not", () => {
    given(inCase("replacementShipped", "exchange"))
      .when(close, merchant, now)
      .gives([event("RefundClosed", now, { caseId, cause: "merchant" })]);
    given(inCase("requested", "exchange"))
      .when(ask("CloseRefund", { caseId, reason: "another way" }), merchant, now)
      .gives([event("RefundClosed", now, { caseId, cause: "merchant", reason: "another way" })]);
  });

  it("neither comes while the money is on its way", () => {
    const history = [...inCase("refundPending", "refundOnly"), issued()];
    given(history).when(cancel, buyer, now).refuses(flying);
    given(history).when(close, merchant, now).refuses(flying);
    given(history)
      .when(close, system, now)
      .refuses({ ...flying, also: [{ code: "notDue", command: "CloseRefund", dueAt: null, at: now }] });
  });

  it("hides once, and again for nothing; nothing else is left of the case", () => {
    const hidden = event("RefundHidden", now, { caseId });
    given(inCase("closed", "exchange")).when(hide, merchant, now).gives([hidden]);
    given([...inCase("closed", "exchange"), hidden])
      .when(hide, merchant, now)
      .changesNothing();
    expect((fold([...inCase("closed", "exchange"), hidden]) as Order).cases[0]!.hiddenAt).toBe(now);
  });
});

describe("a return", () => {
  it("is sent, and its waybill corrected", () => {
    given(inCase("awaitingReturn", "exchange"))
      .when(ask("ShipReturn", { caseId, ...waybill }), buyer, now)
      .gives([sent(now)]);
    const other = { carrier: "SF", trackingNumber: "S-9" };
    const corrected = event("ReturnShipmentCorrected", now, { caseId, ...other });
    given(inCase("returnInTransit", "exchange"))
      .when(ask("CorrectReturnShipment", { caseId, ...other }), buyer, now)
      .gives([corrected]);
    const order = fold([...inCase("returnInTransit", "exchange"), corrected]) as Order;
    expect(order.cases[0]!.returnShipment).toStrictEqual({ ...other, at: now });
  });

  const three = [
    ...reached("completed"),
    applied("returnRefund", { quantity: 3, amount: 3_000 }),
    approved("returnRefund", { amount: 3_000 }),
    sent(),
  ];
  const receive = (dispositions: CaseEventData["ReturnReceived"]["dispositions"], over: object = {}) =>
    ask("ReceiveReturn", { caseId, dispositions, ...over });

  it("is received unit by unit, and only what is sound goes back to stock", () => {
    const dispositions = [
      { kind: "restock", quantity: 1 },
      { kind: "damaged", quantity: 1 },
      { kind: "missing", quantity: 1 },
    ] as const;
    given(three)
      .when(receive(dispositions, { personal: { note: "one broken" } }), merchant, now)
      .gives([back({ dispositions, personal: { note: "one broken" } }, now), restocked("L1", 1, now)]);
    const gone = [{ kind: "damaged", quantity: 3 }] as const;
    given(three)
      .when(receive(gone), merchant, now)
      .gives([back({ dispositions: gone }, now)]);
  });

  it("must account for every unit", () => {
    for (const quantity of [2, 4]) {
      given(three)
        .when(receive([{ kind: "restock", quantity }]), merchant, now)
        .refuses({ code: "dispositionsMismatch", field: "dispositions", quantity, expected: 3 });
    }
  });

  it("is paid where it is received, by hand at once", () => {
    const dispositions = [{ kind: "restock", quantity: 3 }] as const;
    given(three)
      .when(receive(dispositions, { destination: "manual" }), merchant, now)
      .gives([
        back({ dispositions }, now),
        restocked("L1", 3, now),
        issued({ amount: 3_000, destination: "manual" }, now),
        settled({ amount: 3_000, quantity: 3 }, now),
      ]);
    given(three)
      .when(receive(dispositions, { destination: "original" }), merchant, now)
      .refuses(refusedTo("original", "noTradeNo"));
    given(inCase("returnInTransit", "exchange"))
      .when(receive([{ kind: "restock", quantity: 1 }], { destination: "manual" }), merchant, now)
      .refuses(refusedTo("manual", "notPayable"));
  });

  it("of nothing to pay is settled as it is received, wherever it was to go (ruling 4)", () => {
    const history = [
      ...reached("completed"),
      applied("returnRefund", { amount: 0 }),
      approved("returnRefund", { amount: 0 }),
      sent(),
    ];
    const dispositions = [{ kind: "restock", quantity: 1 }] as const;
    for (const over of [{}, { destination: "original" }]) {
      given(history)
        .when(receive(dispositions, over), merchant, now)
        .gives([
          back({}, now),
          restocked("L1", 1, now),
          issued({ amount: 0, destination: "manual" }, now),
          settled({ amount: 0, quantity: 1 }, now),
        ]);
    }
  });

  it("goes back to stock no more than was taken from it, however often it comes back (21)", () => {
    // Received, and then withdrawn: the goods are the buyer's again, and may come back a second time.
    const again = [
      ...inCase("refundPending", "returnRefund"),
      event("RefundCancelled", backAt, { caseId, from: "refundPending" }),
      applied("returnRefund", { caseId: "c-2", quantity: 3, amount: 3_000 }, overAt),
      approved("returnRefund", { caseId: "c-2", amount: 3_000 }, overAt),
      event("ReturnShipped", overAt, { caseId: "c-2", ...waybill }),
    ];
    const dispositions = [{ kind: "restock", quantity: 3 }] as const;
    given(again)
      .when(ask("ReceiveReturn", { caseId: "c-2", dispositions }), merchant, now)
      .gives([event("ReturnReceived", now, { caseId: "c-2", dispositions }), restocked("L1", 2, now)]);
  });
});

describe("IssueRefund", () => {
  const issue = (over: object = {}) => ask("IssueRefund", { caseId, ...over });
  const pending = inCase("refundPending", "refundOnly");

  it("sends the money, once; by hand it is settled at once", () => {
    given(pending)
      .when(issue({ destination: "wallet" }), merchant, now)
      .gives([issued({}, now)]);
    given(pending)
      .when(issue({ destination: "manual" }), merchant, now)
      .gives([issued({ destination: "manual" }, now), settled({}, now)]);
    given([...pending, issued()])
      .when(issue({ destination: "wallet" }), merchant, now)
      .refuses(flying);
  });

  it("must know where to, the first time; later it goes where it was to go", () => {
    given(pending).when(issue(), merchant, now).refuses({ code: "destinationMissing", field: "destination" });
    given([...pending, issued(), failed()])
      .when(issue(), merchant, now)
      .gives([issued({ refundId: "c-1:2", attempt: 2 }, now)]);
    given([...pending, issued(), failed()])
      .when(issue({ destination: "original" }), merchant, now)
      .refuses(refusedTo("original", "noTradeNo"));
  });

  it("is the merchant's at any time, and the system's when it is due", () => {
    const retry = [...pending, issued(), failed({}, now)];
    const dueAt = now + minute;
    given(pending)
      .when(issue({ destination: "wallet" }), system, now)
      .gives([issued({}, now)]);
    given(retry)
      .when(issue(), merchant, now)
      .gives([issued({ refundId: "c-1:2", attempt: 2 }, now)]);
    given(retry)
      .when(issue(), system, dueAt)
      .refuses({ code: "notDue", command: "IssueRefund", dueAt, at: dueAt });
    given(retry)
      .when(issue(), system, dueAt + 1_000)
      .gives([issued({ refundId: "c-1:2", attempt: 2 }, dueAt + 1_000)]);
    given([...pending, issued(), failed({ retryable: false }, now)])
      .when(issue(), system, dueAt + 1_000)
      .refuses({ code: "notDue", command: "IssueRefund", dueAt: null, at: dueAt + 1_000 });
  });

  it("looks again at what there is before money moves, though it was reserved", () => {
    // No decision leads here: another refund of more than was left.
    const odd = [
      ...pending,
      applied("refundOnly", { caseId: "c-2", lineId: "L2", amount: 5_000 }),
      approved("refundOnly", { caseId: "c-2", amount: 5_000 }),
      issued({ caseId: "c-2", refundId: "c-2:1", amount: 5_000 }),
    ];
    given(odd)
      .when(issue({ destination: "wallet" }), merchant, now)
      .refuses({ ...high(1_000, 800), claimed: 5_000 });
  });
});

describe("the provider's answer", () => {
  const flight = [...inCase("refundPending", "refundOnly"), issued()];
  const settle = (over: object = {}) => ask("SettleRefund", { caseId, refundId, amount: 1_000, ...over });
  const fail = (over: object = {}) =>
    ask("FailRefund", { caseId, refundId, failure: "TIMEOUT", retryable: true, ...over });

  it("settles it", () => {
    given(flight)
      .when(settle(), provider, now)
      .gives([settled({}, now)]);
    given(flight)
      .when(settle({ tradeNo: "R-1" }), system, now)
      .gives([settled({ tradeNo: "R-1" }, now)]);
    const order = fold([...flight, settled({ tradeNo: "R-1" })]) as Order;
    expect(order.cases[0]).toMatchObject({
      status: "refunded",
      attempts: [{ state: "settled", tradeNo: "R-1", endedAt: overAt }],
    });
    expect(ledgerOf(order)).toStrictEqual({
      paid: 5_800,
      refunded: 1_000,
      inFlight: 0,
      retained: 4_800,
      reserved: 0,
    });
    expect(ledgerOf(fold(flight) as Order)).toStrictEqual({
      paid: 5_800,
      refunded: 0,
      inFlight: 1_000,
      retained: 4_800,
      reserved: 1_000,
    });
  });

  it("twice is nothing new, and with another amount is refused (scenario 16)", () => {
    given([...flight, settled()])
      .when(settle(), provider, now)
      .changesNothing();
    // A callback that comes again comes with its own time.
    given([...flight, settled(), applied("refundOnly", { caseId: "c-2", lineId: "L2" }, now)])
      .when(settle(), provider, now - 1)
      .changesNothing();
    const mismatch = {
      code: "amountMismatch",
      field: "amount",
      amount: 999,
      due: 1_000,
      currency: "CNY",
    } as const;
    given(flight)
      .when(settle({ amount: 999 }), provider, now)
      .refuses(mismatch);
    given([...flight, settled()])
      .when(settle({ amount: 999 }), provider, now)
      .refuses({
        code: "caseStatusNotEligible",
        command: "SettleRefund",
        caseId,
        status: "refunded",
        allowed: ["refundPending"],
        also: [{ code: "refundNotInFlight", field: "refundId", refundId, state: "settled" }, mismatch],
      });
  });

  it("fails it, and it may be tried again; the money stays", () => {
    given(flight)
      .when(fail(), provider, now)
      .gives([failed({}, now)]);
    given(flight)
      .when(fail({ message: "no answer", retryable: false }), system, now)
      .gives([failed({ message: "no answer", retryable: false }, now)]);
    given([...flight, failed()])
      .when(fail(), provider, now)
      .changesNothing();
    const order = fold([...flight, failed()]) as Order;
    expect(order.cases[0]).toMatchObject({
      status: "refundPending",
      attempts: [{ state: "failed", failure: "TIMEOUT", retryable: true, endedAt: overAt }],
    });
    expect(ledgerOf(order)).toStrictEqual({
      paid: 5_800,
      refunded: 0,
      inFlight: 0,
      retained: 5_800,
      reserved: 1_000,
    });
  });

  it("is of the attempt that it names, whatever became of another", () => {
    const second = { refundId: "c-1:2", attempt: 2 };
    const again = [...flight, failed(), issued(second)];
    given(again)
      .when(fail({ refundId: "c-1:2" }), provider, now)
      .gives([failed({ refundId: "c-1:2" }, now)]);
    given(again)
      .when(settle({ refundId: "c-1:2" }), provider, now)
      .gives([settled({ refundId: "c-1:2" }, now)]);
    given(again).when(fail(), provider, now).changesNothing();
    given(again)
      .when(settle(), provider, now)
      .refuses({ code: "refundNotInFlight", field: "refundId", refundId, state: "failed" });
    const unknown = { code: "refundUnknown", field: "refundId", refundId: "c-1:9", caseId } as const;
    given([...flight, failed()])
      .when(fail({ refundId: "c-1:9" }), provider, now)
      .refuses(unknown);
    const over = { caseId, status: "refunded", allowed: ["refundPending"] } as const;
    given([...flight, settled()])
      .when(settle({ refundId: "c-1:9" }), provider, now)
      .refuses({ code: "caseStatusNotEligible", command: "SettleRefund", ...over, also: [unknown] });
  });

  it("repeated by whoever may not call back is refused all the same", () => {
    const wrong = (command: string, actor: typeof buyer) =>
      ({ code: "wrongActor", command, role: actor.role, allowed: ["provider", "system"] }) as const;
    const notInFlight = (state: string) =>
      ({ code: "refundNotInFlight", field: "refundId", refundId, state }) as const;
    given([...flight, failed()])
      .when(fail(), merchant, now)
      .refuses({ ...wrong("FailRefund", merchant), also: [notInFlight("failed")] });
    given([...flight, settled()])
      .when(settle(), buyer, now)
      .refuses({
        ...wrong("SettleRefund", buyer),
        also: [
          {
            code: "caseStatusNotEligible",
            command: "SettleRefund",
            caseId,
            status: "refunded",
            allowed: ["refundPending"],
          },
          notInFlight("settled"),
        ],
      });
  });

  it("about a refund that is not there, or no longer on its way, is refused", () => {
    const unknown = { code: "refundUnknown", field: "refundId", refundId: "c-1:9", caseId } as const;
    given(flight)
      .when(settle({ refundId: "c-1:9" }), provider, now)
      .refuses(unknown);
    given(flight)
      .when(fail({ refundId: "c-1:9" }), provider, now)
      .refuses(unknown);
    given([...flight, failed()])
      .when(settle(), provider, now)
      .refuses({ code: "refundNotInFlight", field: "refundId", refundId, state: "failed" });
    given([...flight, settled()])
      .when(fail(), provider, now)
      .refuses({
        code: "caseStatusNotEligible",
        command: "FailRefund",
        caseId,
        status: "refunded",
        allowed: ["refundPending"],
        also: [{ code: "refundNotInFlight", field: "refundId", refundId, state: "settled" }],
      });
  });

  it("after the case was cancelled is refused, and nothing moves", () => {
    const gone = [
      ...inCase("refundPending", "refundOnly"),
      issued(),
      failed(),
      event("RefundCancelled", overAt, { caseId, from: "refundPending" }),
    ];
    given(gone)
      .when(settle(), provider, now)
      .refuses({
        code: "caseStatusNotEligible",
        command: "SettleRefund",
        caseId,
        status: "cancelled",
        allowed: ["refundPending"],
        also: [{ code: "refundNotInFlight", field: "refundId", refundId, state: "failed" }],
      });
  });
});

describe("an exchange", () => {
  const received = inCase("replacementPending", "exchange");
  const ship = (over: object = {}) => ask("ShipReplacement", { caseId, ...waybill, ...over });

  it("sends a replacement out of stock, where there is one", () => {
    const sentOut = [
      event("ReplacementShipped", now, { caseId, ...waybill }),
      event("StockDeducted", now, {
        cause: "ReplacementShipped",
        lines: [{ lineId: "L1", quantity: 1 }],
        rule: "replacement",
      }),
    ];
    given(received).when(ship(), merchant, now).gives(sentOut);
    given(received)
      .when(ship({ available: 1 }), merchant, now)
      .gives(sentOut);
    given(received)
      .when(ship({ available: 0 }), merchant, now)
      .refuses({ code: "outOfStock", field: "available", lineId: "L1", quantity: 1, available: 0 });
  });

  it("is over when the buyer has the replacement, and moves no money (23)", () => {
    given(inCase("replacementShipped", "exchange"))
      .when(ask("ConfirmReplacement", { caseId }), buyer, now)
      .gives([event("ReplacementReceived", now, { caseId, by: "buyer" })]);
    const order = fold(inCase("exchanged", "exchange")) as Order;
    expect(ledgerOf(order)).toStrictEqual({
      paid: 5_800,
      refunded: 0,
      inFlight: 0,
      retained: 5_800,
      reserved: 0,
    });
    expect(order.tallies).toStrictEqual([
      { lineId: "L1", refunded: 0, returned: 0, deducted: 4, released: 0, restocked: 1 },
    ]);
    expect(order.cases[0]!.replacement).toStrictEqual({
      ...waybill,
      at: overAt - 86_400_000,
      receivedAt: overAt,
    });
  });

  const convert = (over: object = {}) =>
    ask("ConvertToRefund", { caseId, amount: 1_000, buyerConsents: true, ...over });
  const converted = event("ExchangeConverted", now, { caseId, toType: "returnRefund", amount: 1_000 });

  it("becomes a refund where the buyer agrees, and is then a return (ruling 8)", () => {
    given(received).when(convert(), merchant, now).gives([converted]);
    given(received)
      .when(convert({ destination: "manual" }), merchant, now)
      .gives([converted, issued({ destination: "manual" }, now), settled({ quantity: 1 }, now)]);
    given(received)
      .when(convert({ buyerConsents: false, destination: "original" }), merchant, now)
      .refuses({
        code: "consentMissing",
        field: "buyerConsents",
        also: [refusedTo("original", "noTradeNo")],
      });
    expect((fold([...received, converted]) as Order).cases[0]).toMatchObject({
      type: "returnRefund",
      status: "refundPending",
      amount: 1_000,
      amountAsked: 0,
      convertedAt: now,
    });
  });

  it("becomes a refund of nothing where the line's money is back already, and its units with it then", () => {
    const c2 = { caseId: "c-2", amount: 3_000 } as const;
    const earlier = [
      applied("refundOnly", c2, receivedAt),
      approved("refundOnly", c2, receivedAt),
      issued({ ...c2, refundId: "c-2:1" }, receivedAt),
      settled({ ...c2, refundId: "c-2:1" }, receivedAt),
    ];
    const paidBack = inCase("replacementPending", "exchange", [...reached("completed"), ...earlier]);
    given(paidBack)
      .when(convert({ amount: 0 }), merchant, now)
      .gives([
        event("ExchangeConverted", now, { caseId, toType: "returnRefund", amount: 0 }),
        issued({ amount: 0, destination: "manual" }, now),
        settled({ amount: 0, quantity: 1 }, now),
      ]);
    given(paidBack)
      .when(convert({ amount: 1 }), merchant, now)
      .refuses({ ...high(1, 0), claimed: 3_000 });
  });

  it("becomes a refund of no more than the line has left, and of something", () => {
    given(received)
      .when(convert({ amount: 3_000 }), merchant, now)
      .gives([event("ExchangeConverted", now, { caseId, toType: "returnRefund", amount: 3_000 })]);
    given(received)
      .when(convert({ amount: 3_001 }), merchant, now)
      .refuses({ ...high(3_001, 3_000), claimed: 0 });
    given(received)
      .when(convert({ amount: 0 }), merchant, now)
      .refuses({ code: "amountTooLow", field: "amount", amount: 0, least: 1, currency: "CNY" });
  });
});

it("a free order's payment of nothing is what its refunds of nothing give back, and without any they name none", () => {
  const history = (payments: readonly OrderEvent[]) => [created({ total: 0 }), ...payments];
  const cancel = ask("CancelOrder", { caseId: "k-1" });
  for (const [payments, payId] of [
    [[paid(paidAt, { payId: "free:o-1", amount: 0, channel: "none" })], "free:o-1"],
    [[], ""],
  ] as const) {
    given(history(payments))
      .when(cancel, merchant, now)
      .gives([
        event("RefundApplied", now, {
          caseId: "k-1",
          origin: "cancellation",
          caseType: "refundOnly",
          quantity: 0,
          amount: 0,
          goodsReceived: false,
        }),
        event("RefundApproved", now, { caseId: "k-1", by: "merchant", amount: 0 }),
        event("RefundIssued", now, {
          caseId: "k-1",
          refundId: "k-1:1",
          attempt: 1,
          amount: 0,
          destination: "manual",
          payId,
        }),
        event("RefundSettled", now, { caseId: "k-1", refundId: "k-1:1", amount: 0, quantity: 4 }),
        event("OrderClosedByRefund", now, { refunded: 0, returnedUnits: 4 }),
      ]);
  }
});
