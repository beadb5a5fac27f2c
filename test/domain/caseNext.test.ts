// What may be done next and by whom: of every status, and never at odds with what `decide` then says.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import type { CaseCommandType } from "../../src/domain/caseCommands.ts";
import { caseCommandTypes, caseStatuses } from "../../src/domain/caseLifecycle.ts";
import { applicationOf, nextOf } from "../../src/domain/caseNext.ts";
import type { CommandData } from "../../src/domain/commands.ts";
import { decide } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { type Order, fold } from "../../src/domain/state.ts";
import { caseTypes } from "../../src/domain/terms.ts";
import {
  applied,
  approvedAt,
  backAt,
  canBe,
  caseId,
  failed,
  inCase,
  issued,
  now,
  overAt,
  refundId,
  replacedAt,
  settled,
  waybill,
} from "./cases.ts";
import {
  admin,
  ask,
  buyer,
  day,
  event,
  latePaid,
  lines,
  merchant,
  minute,
  policy,
  provider,
  reached,
  receivedAt,
  second,
  staff,
  system,
  withTerms,
} from "./orders.ts";

function next(history: readonly OrderEvent[], at = now): Record<string, string> {
  const order = fold(history) as Order;
  const found = nextOf(order, order.cases[0] as Order["cases"][number], at);
  return Object.fromEntries(found.map(({ command, roles }) => [command, roles.join(" ")]));
}

describe("what may be done about a case", () => {
  it.each([
    [
      "requested",
      "refundOnly",
      {
        ApproveRefund: "merchant",
        RejectRefund: "merchant",
        CancelRefund: "buyer",
        CloseRefund: "merchant",
      },
    ],
    [
      "awaitingReturn",
      "returnRefund",
      { CancelRefund: "buyer", CloseRefund: "merchant", ShipReturn: "buyer" },
    ],
    [
      "returnInTransit",
      "exchange",
      {
        RejectRefund: "merchant",
        CancelRefund: "buyer",
        CloseRefund: "merchant",
        CorrectReturnShipment: "buyer",
        ReceiveReturn: "merchant",
      },
    ],
    [
      "refundPending",
      "refundOnly",
      {
        RejectRefund: "merchant",
        CancelRefund: "buyer",
        CloseRefund: "merchant",
        IssueRefund: "merchant system",
      },
    ],
    [
      "replacementPending",
      "exchange",
      { CloseRefund: "merchant", ShipReplacement: "merchant", ConvertToRefund: "merchant" },
    ],
    ["replacementShipped", "exchange", { CloseRefund: "merchant", ConfirmReplacement: "buyer" }],
    ["refunded", "returnRefund", {}],
    ["exchanged", "exchange", {}],
    ["rejected", "refundOnly", { CancelRefund: "buyer", HideRefund: "merchant" }],
    ["cancelled", "refundOnly", { HideRefund: "merchant" }],
    ["closed", "refundOnly", { HideRefund: "merchant" }],
  ] as const)("that is %s", (status, type, expected) => {
    expect(next(inCase(status, type))).toEqual(expected);
  });

  it("while its money is on its way is to say how that ended", () => {
    const flying = [...inCase("refundPending", "refundOnly"), issued()];
    const callback = { SettleRefund: "provider system", FailRefund: "provider system" };
    expect(next(flying)).toEqual(callback);
    // By itself it is tried again only when that is due; a merchant need not wait.
    const again = [...flying, failed()];
    expect(next(again, overAt + minute)["IssueRefund"]).toBe("merchant");
    expect(next(again, overAt + minute + second)["IssueRefund"]).toBe("merchant system");
  });

  it("by the system begins when its deadline has passed", () => {
    const awaiting = inCase("awaitingReturn", "returnRefund");
    expect(next(awaiting, approvedAt + 7 * day)["CloseRefund"]).toBe("merchant");
    expect(next(awaiting, approvedAt + 7 * day + second)["CloseRefund"]).toBe("system merchant");
    const replaced = inCase("replacementShipped", "exchange");
    expect(next(replaced, replacedAt + 7 * day)["ConfirmReplacement"]).toBe("buyer");
    expect(next(replaced, replacedAt + 7 * day + second)["ConfirmReplacement"]).toBe("buyer system");
  });

  it("that gives back late money leaves out what such a case is refused", () => {
    const { cases } = fold(lateHistory()) as Order;
    expect(cases[0]).toMatchObject({ origin: "latePayment", status: "refundPending" });
    expect(next(lateHistory())).toEqual({ IssueRefund: "merchant system" });
  });

  it("that is hidden is nothing more", () => {
    const hidden = [...inCase("closed", "refundOnly"), event("RefundHidden", overAt, { caseId })];
    expect(next(hidden)).toEqual({});
  });

  it("before what has happened is nothing", () => {
    expect(next(inCase("requested", "refundOnly"), receivedAt)).toEqual({});
  });
});

function lateHistory(): readonly OrderEvent[] {
  const cancelled = reached("cancelled");
  const at = backAt;
  return [
    ...cancelled,
    latePaid(at),
    event("RefundApplied", at, {
      caseId,
      origin: "latePayment",
      payId: "late-1",
      caseType: "refundOnly",
      quantity: 0,
      amount: 5_800,
      goodsReceived: false,
    }),
    event("RefundApproved", at, { caseId, by: "system", amount: 5_800 }),
  ];
}

/** Sound commands of each kind, put another way than the code under test puts them. */
function sound(type: Exclude<CaseCommandType, "ApplyRefund">, one: Order["cases"][number]) {
  const data: { readonly [T in Exclude<CaseCommandType, "ApplyRefund">]: CommandData[T] } = {
    ApproveRefund: { caseId, amount: Math.max(one.type === "refundOnly" ? 1 : 0, one.amount - 1) },
    RejectRefund: { caseId, reason: "not as described" },
    CancelRefund: { caseId },
    CloseRefund: { caseId, reason: "out of business" },
    HideRefund: { caseId },
    ShipReturn: { caseId, ...waybill },
    CorrectReturnShipment: { caseId, ...waybill },
    ReceiveReturn: { caseId, dispositions: [{ kind: "missing", quantity: one.quantity }] },
    IssueRefund: { caseId, destination: "wallet" },
    SettleRefund: { caseId, refundId, amount: one.amount, tradeNo: "T-1" },
    FailRefund: { caseId, refundId, failure: "NO", retryable: true },
    ShipReplacement: { caseId, ...waybill, available: 9 },
    ConfirmReplacement: { caseId },
    ConvertToRefund: { caseId, amount: 1, buyerConsents: true },
  };
  return ask(type, data[type]);
}

describe("decide", () => {
  const people: readonly Actor[] = [buyer, merchant, staff, provider, system, admin];
  const instants = [now, now + 40 * day];
  const histories = caseTypes.flatMap((type) =>
    caseStatuses.filter((status) => canBe(type, status)).map((status) => inCase(status, type)),
  );
  const paying = inCase("refundPending", "returnRefund");
  const all = [
    ...histories,
    [...paying, issued()],
    [...paying, issued(), failed()],
    [...paying, issued(), failed({ retryable: false })],
    [...paying, issued(), settled()],
    lateHistory(),
  ];

  it("accepts a sound command exactly from those who may give it, whatever the case has been through", () => {
    let accepted = 0;
    for (const history of all) {
      const order = fold(history) as Order;
      const one = order.cases[0] as Order["cases"][number];
      for (const at of instants) {
        const may = new Map(nextOf(order, one, at).map(({ command, roles }) => [command, roles]));
        for (const type of caseCommandTypes) {
          if (type === "ApplyRefund") continue;
          for (const actor of people) {
            const answer = decide({ command: sound(type, one), actor, policy }, order, at);
            const does = E.isRight(answer) && answer.right.length > 0;
            expect([type, actor.role, one.status, does]).toEqual([
              type,
              actor.role,
              one.status,
              may.get(type)?.includes(actor.role) ?? false,
            ]);
            if (does) accepted += 1;
          }
        }
      }
    }
    expect(accepted).toBeGreaterThan(80);
  });
});

describe("what could be applied for", () => {
  const of = (history: readonly OrderEvent[], lineId = "L1", at = now) =>
    applicationOf(fold(history) as Order, lineId, at);
  const until = receivedAt + 30 * day;

  it("is what the line allows while the order stands as it does, until the window closes", () => {
    expect(of(reached("paid"))).toEqual({
      types: ["refundOnly"],
      window: { days: 30, until: undefined, open: true },
      refusal: undefined,
    });
    expect(of(reached("shipped")).types).toEqual(["refundOnly", "returnRefund", "exchange"]);
    const narrow = lines.map((line) => ({ ...line, allowedTypes: ["exchange" as const] }));
    expect(of(reached("completed", { lines: narrow })).types).toEqual(["exchange"]);
    expect(of(reached("paid", { lines: narrow }))).toMatchObject({
      types: [],
      refusal: { code: "typeNotAllowed", caseType: "refundOnly", allowed: [] },
    });
    expect(of(reached("completed"), "L1", until)).toMatchObject({
      window: { days: 30, until, open: true },
      refusal: undefined,
    });
    expect(of(reached("completed"), "L1", until + second)).toMatchObject({
      types: ["refundOnly", "returnRefund", "exchange"],
      window: { days: 30, until, open: false },
      refusal: { code: "windowExpired", days: 30, until },
    });
  });

  it("is nothing under terms without after-sale", () => {
    const { terms } = withTerms({ afterSaleDays: 0 });
    expect(of(reached("completed", { terms }))).toMatchObject({
      window: { days: 0, until: undefined, open: false },
      refusal: { code: "windowExpired", until: null },
    });
  });

  it("is nothing while the line has an open case, or an order cannot have one, or nothing is left", () => {
    expect(of(inCase("requested", "refundOnly")).refusal).toMatchObject({ code: "caseOpen", caseId });
    expect(of(inCase("requested", "refundOnly"), "L2").refusal).toBeUndefined();
    expect(of(reached("pendingPayment")).refusal).toMatchObject({ code: "orderStatusNotEligible" });
    const back = [
      ...reached("completed"),
      applied("returnRefund", { quantity: 3, amount: 3_000 }),
      event("RefundApproved", approvedAt, { caseId, by: "merchant", amount: 3_000 }),
      event("ReturnShipped", approvedAt, { caseId, ...waybill }),
      event("ReturnReceived", backAt, { caseId, dispositions: [{ kind: "restock", quantity: 3 }] }),
      issued({ amount: 3_000 }),
      settled({ amount: 3_000, quantity: 3 }),
    ];
    expect(of(back).refusal).toMatchObject({ code: "amountTooHigh", limit: 0 });
    // An exchange is still possible where units are left though no money is.
    const spent = [
      ...reached("completed"),
      applied("refundOnly", { amount: 3_000 }),
      event("RefundApproved", approvedAt, { caseId, by: "merchant", amount: 3_000 }),
      issued({ amount: 3_000 }),
      settled({ amount: 3_000 }),
    ];
    expect(of(spent).refusal).toBeUndefined();
  });
});
