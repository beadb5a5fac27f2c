// ImportRefund: a case that another system has opened, taken over as far as it was there, once, and never for more than there is.

import { describe, expect, it } from "vitest";

import { type ImportedStatus, importedStatuses } from "../../src/domain/caseEvents.ts";
import { caseStatusImported } from "../../src/domain/caseLifecycle.ts";
import type { CommandData } from "../../src/domain/commands.ts";
import { deadlinesOf } from "../../src/domain/deadlines.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { refundableOf } from "../../src/domain/refundable.ts";
import { type Order, fold, ledgerOf, tallyOf } from "../../src/domain/state.ts";
import type { CaseType } from "../../src/domain/terms.ts";
import { applied, apply, approved, caseId, inCase, refundId, waybill } from "./cases.ts";
import { given } from "./given.ts";
import {
  ask,
  buyer,
  created,
  day,
  event,
  merchant,
  minute,
  paid,
  paidAt,
  provider,
  reached,
  receivedAt,
  shipped,
  system,
} from "./orders.ts";

const at = receivedAt + 99 * day;
const raw = [["SubOrderID", "S-1"]] as const;

type Asked = CommandData["ImportRefund"];

function importing(status: ImportedStatus, caseType: CaseType = "refundOnly", over: Partial<Asked> = {}) {
  const quantity = caseType === "refundOnly" ? 0 : 1;
  const amount = caseType === "exchange" ? 0 : 1_000;
  const of = { caseId, source: "baidu", status, lineId: "L1", caseType, quantity, amount, raw };
  return ask("ImportRefund", { ...of, ...over });
}

function imported(
  status: ImportedStatus,
  caseType: CaseType = "refundOnly",
  over: Partial<Asked> = {},
  when = at,
) {
  const {
    type: _type,
    orderId: _orderId,
    ...data
  } = importing(status, caseType) as Asked & {
    type: string;
    orderId: string;
  };
  const { raw: whole, ...rest } = data;
  return event("RefundImported", when, {
    ...rest,
    quantity: rest.quantity as number,
    goodsReceived: caseType !== "refundOnly",
    raw: whole,
    ...over,
  } as never);
}

/** The payment that was made elsewhere. */
function paidElsewhere(amount: number, quantity: number, when = at): readonly OrderEvent[] {
  const attempt = { caseId, refundId, attempt: 1, amount, destination: "manual", payId: "pay-1" } as const;
  return [
    event("RefundIssued", when, attempt),
    event("RefundSettled", when, { caseId, refundId, amount, quantity }),
  ];
}

/** Which statuses a case of each type can come in, and where it then stands. */
const table: Readonly<Record<CaseType, readonly ImportedStatus[]>> = {
  refundOnly: ["requested", "refundPending", "refunded", "rejected", "closed"],
  returnRefund: ["requested", "awaitingReturn", "refundPending", "refunded", "rejected", "closed"],
  exchange: ["requested", "awaitingReturn", "exchanged", "rejected", "closed"],
};
const completed = given(reached("completed"));

describe("ImportRefund", () => {
  const cells = (Object.keys(table) as CaseType[]).flatMap((caseType) =>
    importedStatuses.map((status) => ({ caseType, status })),
  );

  it.each(cells)("takes a $caseType case that is $status where there is such a thing", (cell) => {
    const { caseType, status } = cell;
    const asked = completed.when(importing(status, caseType), system, at);
    if (!table[caseType].includes(status)) {
      asked.refuses({
        code: "statusNotPossible",
        field: "status",
        status,
        caseType,
        allowed: table[caseType],
      });
      return;
    }
    const fact = imported(status, caseType);
    const settledUnits = caseType === "returnRefund" ? 1 : 0;
    asked.gives(status === "refunded" ? [fact, ...paidElsewhere(1_000, settledUnits)] : [fact]);
    const one = (fold([...reached("completed"), fact]) as Order).cases[0];
    const agreed = ["awaitingReturn", "refundPending", "refunded"].includes(status);
    const over = ["exchanged", "rejected", "closed"].includes(status);
    expect(one).toMatchObject({
      caseId,
      number: 1,
      origin: "import",
      status: status === "refunded" ? "refundPending" : status,
      type: caseType,
      amount: caseType === "exchange" ? 0 : 1_000,
      appliedAt: at,
      imported: fact.data,
    });
    expect([one?.approvedAt, one?.endedAt]).toStrictEqual([agreed ? at : undefined, over ? at : undefined]);
  });

  it("keeps what came with it, and takes no quantity as none", () => {
    const over = { goodsReceived: true, reason: "少发" };
    completed.when(importing("requested", "refundOnly", { ...over, quantity: undefined }), system, at).gives([
      event("RefundImported", at, {
        caseId,
        source: "baidu",
        status: "requested",
        lineId: "L1",
        caseType: "refundOnly",
        quantity: 0,
        amount: 1_000,
        goodsReceived: true,
        reason: "少发",
        raw,
      }),
    ]);
  });

  it("is the system's alone", () => {
    for (const actor of [buyer, merchant, provider]) {
      completed.when(importing("requested"), actor, at).refuses({
        code: "wrongActor",
        command: "ImportRefund",
        role: actor.role,
        allowed: ["system"],
      });
    }
  });

  it("asks for no window and no allowed type: it has happened", () => {
    const terms = { afterSaleDays: 0, allowedTypes: [] };
    const none = created().data.lines.map((line) => ({ ...line, allowedTypes: [] }));
    given(reached("shipped", { terms, lines: none }))
      .when(importing("requested", "returnRefund"), system, at)
      .gives([imported("requested", "returnRefund")]);
    given(reached("paid", { terms, lines: none }))
      .when(importing("requested", "refundOnly"), system, at)
      .gives([imported("requested", "refundOnly")]);
  });

  it("of goods that were never sent cannot be one that sends them back", () => {
    for (const [caseType, status] of [
      ["returnRefund", "requested"],
      ["returnRefund", "refunded"],
      ["exchange", "exchanged"],
    ] as const) {
      given(reached("paid"))
        .when(importing(status, caseType), system, at)
        .refuses({ code: "typeNotAllowed", field: "caseType", caseType, allowed: ["refundOnly"] });
    }
  });

  it("the same snapshot again changes nothing, whatever became of the case; another under its id is refused", () => {
    const history = [...reached("completed"), imported("requested")];
    given(history).when(importing("requested"), system, at).changesNothing();
    const rejected = event("RefundRejected", at, { caseId, stage: "application", reason: "no proof" });
    given([...history, rejected])
      .when(importing("requested"), system, at)
      .changesNothing();
    for (const over of [{ source: "wiki" }, { raw: [] }, { amount: 999 }] as const) {
      given([...history, rejected])
        .when(importing("requested", "refundOnly", over), system, at)
        .refuses({ code: "caseIdUsed", field: "caseId", caseId });
    }
    // Not the clock's way round, and not by somebody else.
    given(history)
      .when(importing("requested"), system, at - 1)
      .refuses({
        code: "timeRunsBackwards",
        at: at - 1,
        lastAt: at,
        also: [
          { code: "caseOpen", command: "ImportRefund", caseId, status: "requested" },
          { code: "caseIdUsed", field: "caseId", caseId },
        ],
      });
    given(inCase("rejected", "refundOnly"))
      .when(importing("rejected"), system, at)
      .refuses({ code: "caseIdUsed", field: "caseId", caseId });
  });
});

describe("what an imported case claims", () => {
  it("an open one is promised, a refunded one is paid, one that came to nothing is neither", () => {
    const ledger = (events: readonly OrderEvent[]) => {
      const order = fold([...reached("completed"), ...events]) as Order;
      const { refunded, reserved } = ledgerOf(order);
      return [refunded, reserved, tallyOf(order, "L1").returned, refundableOf(order, "L1").quantity];
    };
    expect(ledger([imported("requested", "returnRefund")])).toStrictEqual([0, 1_000, 0, 2]);
    expect(ledger([imported("refundPending", "returnRefund")])).toStrictEqual([0, 1_000, 0, 2]);
    const back = [imported("refunded", "returnRefund"), ...paidElsewhere(1_000, 1)];
    expect(ledger(back)).toStrictEqual([1_000, 0, 1, 2]);
    for (const status of ["rejected", "closed"] as const) {
      expect(ledger([imported(status, "returnRefund")])).toStrictEqual([0, 0, 0, 3]);
    }
  });

  it("is no more than what was paid and is claimed by nobody else, whatever this shop's policy would give", () => {
    const high = (amount: number, limit: number, claimed: number) =>
      ({
        code: "amountTooHigh",
        field: "amount",
        amount,
        limit,
        claimed,
        paid: 5_800,
        currency: "CNY",
      }) as const;
    const asked = (status: ImportedStatus, amount: number) => importing(status, "refundOnly", { amount });
    // L1 has 30.00 by shopxoLast; elsewhere all 58.00 went back for it.
    completed
      .when(asked("refunded", 5_800), system, at)
      .gives([imported("refunded", "refundOnly", { amount: 5_800 }), ...paidElsewhere(5_800, 0)]);
    for (const status of ["requested", "refunded"] as const) {
      completed.when(asked(status, 5_801), system, at).refuses(high(5_801, 5_800, 0));
    }
    completed.when(asked("requested", 0), system, at).refuses({
      code: "amountTooLow",
      field: "amount",
      amount: 0,
      least: 1,
      currency: "CNY",
    });
    // What is over there may have been over for nothing.
    completed
      .when(asked("refunded", 0), system, at)
      .gives([imported("refunded", "refundOnly", { amount: 0 }), ...paidElsewhere(0, 0)]);
    // Nothing that is to be paid is paid at once (ruling 4).
    completed
      .when(importing("refundPending", "returnRefund", { amount: 0 }), system, at)
      .gives([imported("refundPending", "returnRefund", { amount: 0 }), ...paidElsewhere(0, 1)]);
    const l2 = applied("refundOnly", { caseId: "c-2", lineId: "L2", amount: 2_000 }, at);
    given([...reached("completed"), l2])
      .when(asked("refunded", 3_801), system, at)
      .refuses(high(3_801, 3_800, 2_000));
    completed.when(importing("exchanged", "exchange", { amount: 1 }), system, at).refuses(high(1, 0, 0));
    // What came to nothing claimed what it liked.
    completed
      .when(asked("rejected", 9_999), system, at)
      .gives([imported("rejected", "refundOnly", { amount: 9_999 })]);
  });

  it("is no more units than the line has left, and its own kind of number", () => {
    const asked = (status: ImportedStatus, quantity: number) =>
      importing(status, "returnRefund", { caseId: "c-2", quantity });
    const one = given(inCase("refunded", "returnRefund"));
    one
      .when(asked("requested", 3), system, at)
      .refuses({ code: "quantityTooHigh", field: "quantity", quantity: 3, limit: 2, claimed: 1, bought: 3 });
    one
      .when(asked("closed", 3), system, at)
      .gives([imported("closed", "returnRefund", { caseId: "c-2", quantity: 3 })]);
    one
      .when(asked("closed", 4), system, at)
      .refuses({ code: "quantityTooHigh", field: "quantity", quantity: 4, limit: 3, claimed: 0, bought: 3 });
    one
      .when(asked("closed", 0), system, at)
      .refuses({ code: "quantityInvalid", field: "quantity", quantity: 0, caseType: "returnRefund" });
    completed
      .when(importing("refunded", "refundOnly", { quantity: 1 }), system, at)
      .refuses({ code: "quantityInvalid", field: "quantity", quantity: 1, caseType: "refundOnly" });
  });

  it("comes alone to its line, but for what came to nothing: that may come beside an open one", () => {
    const open = given(inCase("requested", "returnRefund"));
    const stands = { code: "caseOpen", command: "ImportRefund", caseId, status: "requested" } as const;
    const second = { caseId: "c-2" };
    for (const status of ["requested", "refunded"] as const) {
      open.when(importing(status, "refundOnly", second), system, at).refuses(stands);
    }
    open.when(importing("exchanged", "exchange", second), system, at).refuses(stands);
    open
      .when(importing("requested", "refundOnly", { ...second, lineId: "L2" }), system, at)
      .gives([imported("requested", "refundOnly", { ...second, lineId: "L2" })]);
    open
      .when(importing("rejected", "refundOnly", second), system, at)
      .gives([imported("rejected", "refundOnly", second)]);
    given([...reached("completed"), imported("requested")])
      .when(apply("refundOnly", { caseId: "c-3" }), buyer, receivedAt + 100 * day)
      .refuses({
        code: "windowExpired",
        days: 30,
        until: receivedAt + 30 * day,
        at: receivedAt + 100 * day,
        also: [{ code: "caseOpen", command: "ApplyRefund", caseId, status: "requested" }],
      });
  });

  it("stands in the way of a cancelled order's case, and the other way round", () => {
    const cancelling = [
      event("RefundApplied", at, {
        caseId: "k-1",
        origin: "cancellation",
        caseType: "refundOnly",
        quantity: 0,
        amount: 5_800,
        goodsReceived: false,
      }),
      event("RefundApproved", at, { caseId: "k-1", by: "merchant", amount: 5_800 }),
    ];
    given([...reached("paid"), ...cancelling])
      .when(importing("requested"), system, at)
      .refuses({
        code: "caseOpen",
        command: "ImportRefund",
        caseId: "k-1",
        status: "refundPending",
        also: [
          {
            code: "amountTooHigh",
            field: "amount",
            amount: 1_000,
            limit: 0,
            claimed: 5_800,
            paid: 5_800,
            currency: "CNY",
          },
        ],
      });
    given([...reached("paid"), imported("requested")])
      .when(ask("CancelOrder", {}), merchant, at)
      .refuses({ code: "caseOpen", command: "CancelOrder", caseId, status: "requested" });
  });
});

describe("an order", () => {
  it.each(["pendingConfirmation", "pendingPayment", "cancelled", "closed"] as const)(
    "that is %s has no case to import",
    (status) => {
      given(reached(status))
        .when(importing("rejected"), system, at)
        .refuses({
          code: "orderStatusNotEligible",
          command: "ImportRefund",
          status,
          allowed: ["paid", "shipped", "completed"],
          also: [{ code: "nothingPaid", orderId: "o-1" }],
        });
    },
  );

  it("must have the line", () => {
    completed
      .when(importing("awaitingReturn", "refundOnly", { lineId: "L9", amount: 99_999 }), system, at)
      .refuses({
        code: "lineNotInOrder",
        field: "lineId",
        lineId: "L9",
        also: [
          {
            code: "statusNotPossible",
            field: "status",
            status: "awaitingReturn",
            caseType: "refundOnly",
            allowed: table.refundOnly,
          },
        ],
      });
  });

  it("ends by what was refunded elsewhere, as by a settlement here, and its stock is free (2, 3)", () => {
    const only = [
      created({ lines: created().data.lines.slice(1), charges: [], goods: 2_000, total: 2_000 }),
      paid(paidAt, { amount: 2_000 }),
      event("StockDeducted", paidAt, {
        cause: "OrderPaid",
        lines: [{ lineId: "L2", quantity: 1 }],
        rule: "payment",
      }),
    ];
    const whole = { lineId: "L2", amount: 2_000 };
    given(only)
      .when(importing("refunded", "refundOnly", whole), system, at)
      .gives([
        imported("refunded", "refundOnly", whole),
        ...paidElsewhere(2_000, 1),
        event("StockReleased", at, { cause: "RefundSettled", lines: [{ lineId: "L2", quantity: 1 }] }),
        event("OrderClosedByRefund", at, { refunded: 2_000, returnedUnits: 1 }),
      ]);
  });

  it("that cost nothing has returns of nothing", () => {
    const free = [
      created({ total: 0 }),
      paid(paidAt, { amount: 0, channel: "none", payId: "pay-1" }),
      shipped(),
    ];
    given(free)
      .when(importing("refunded", "returnRefund", { amount: 0 }), system, at)
      .gives([imported("refunded", "returnRefund", { amount: 0 }), ...paidElsewhere(0, 1)]);
    given(free)
      .when(importing("refunded", "returnRefund", { amount: 1 }), system, at)
      .refuses({
        code: "nothingPaid",
        orderId: "o-1",
        also: [
          {
            code: "amountTooHigh",
            field: "amount",
            amount: 1,
            limit: 0,
            claimed: 0,
            paid: 0,
            currency: "CNY",
          },
        ],
      });
  });
});

describe("from then on it is a case like any other", () => {
  const later = at + minute;

  it("decided by the merchant, cancelled by the buyer, closed by either", () => {
    const requested = given([...reached("completed"), imported("requested")]);
    requested
      .when(ask("ApproveRefund", { caseId }), merchant, later)
      .gives([approved("refundOnly", {}, later)]);
    requested
      .when(ask("RejectRefund", { caseId, reason: "no proof" }), merchant, later)
      .gives([event("RefundRejected", later, { caseId, stage: "application", reason: "no proof" })]);
    requested
      .when(ask("CancelRefund", { caseId }), buyer, later)
      .gives([event("RefundCancelled", later, { caseId, from: "requested" })]);
    requested
      .when(ask("CloseRefund", { caseId }), merchant, later)
      .gives([event("RefundClosed", later, { caseId, cause: "merchant" })]);
  });

  it("its goods are awaited from the day it came", () => {
    const awaiting = [...reached("completed"), imported("awaitingReturn", "exchange")];
    expect(deadlinesOf(fold(awaiting))).toStrictEqual([
      { kind: "returnShip", case: { caseId, number: 1 }, dueAt: at + 7 * day },
    ]);
    given(awaiting)
      .when(ask("ShipReturn", { caseId, ...waybill }), buyer, later)
      .gives([event("ReturnShipped", later, { caseId, ...waybill })]);
  });

  it("its refund is issued where the merchant says", () => {
    given([...reached("completed"), imported("refundPending", "returnRefund")])
      .when(ask("IssueRefund", { caseId, destination: "manual" }), merchant, later)
      .gives(paidElsewhere(1_000, 1, later));
  });
});

it("a status leads where the chart says", () => {
  expect(importedStatuses.map((status) => [status, caseStatusImported(status)])).toStrictEqual([
    ["requested", "requested"],
    ["awaitingReturn", "awaitingReturn"],
    ["refundPending", "refundPending"],
    ["refunded", "refundPending"],
    ["exchanged", "exchanged"],
    ["rejected", "rejected"],
    ["closed", "closed"],
  ]);
});
