// CancelOrder and ExpireOrder: how an unpaid order ends, to the second, and its stock comes back.

import { describe, expect, it } from "vitest";

import { autoConfirmAt, deadlinesOf, isPast, payByOf } from "../../src/domain/deadlines.ts";
import { type OrderState, type Order, fold, isTerminal } from "../../src/domain/state.ts";
import { given } from "./given.ts";
import {
  admin,
  ask,
  buyer,
  created,
  day,
  deducted,
  endedAt,
  event,
  merchant,
  minute,
  provider,
  reached,
  released,
  second,
  shippedAt,
  staff,
  system,
  t0,
} from "./orders.ts";

const at = t0 + minute;
const payBy = t0 + 30 * minute;

describe("CancelOrder", () => {
  const cancel = ask("CancelOrder", {});

  it.each([buyer, merchant])("by $role, before and after the confirmation", (actor) => {
    const cancelled = event("OrderCancelled", at, { by: actor.role });
    given(reached("pendingConfirmation")).when(cancel, actor, at).gives([cancelled]);
    given(reached("pendingPayment")).when(cancel, actor, at).gives([cancelled]);
  });

  it("says why, where a reason is given", () => {
    given(reached("pendingPayment"))
      .when(ask("CancelOrder", { reason: "too dear" }), buyer, at)
      .gives([event("OrderCancelled", at, { by: "buyer", reason: "too dear" })]);
  });

  it("gives back the stock that was deducted, once", () => {
    const deductedAtOnce = [
      created({ terms: { stockDeduction: "confirmation" } }),
      deducted("confirmation", "OrderCreated", t0),
    ];
    const cancelled = event("OrderCancelled", at, { by: "buyer" });
    given(deductedAtOnce)
      .when(cancel, buyer, at)
      .gives([cancelled, released("OrderCancelled", at)]);
    given([...deductedAtOnce, released("OrderCancelled", t0)])
      .when(cancel, buyer, at)
      .gives([cancelled]);
  });

  it.each([staff, provider, system, admin])("is not for $role", (actor) => {
    given(reached("pendingPayment"))
      .when(cancel, actor, at)
      .refuses({
        code: "wrongActor",
        command: "CancelOrder",
        role: actor.role,
        allowed: ["buyer", "merchant"],
      });
  });

  it("of a paid order is not the buyer's", () => {
    given(reached("paid"))
      .when(cancel, buyer, t0 + 2 * minute)
      .refuses({
        code: "orderStatusNotEligible",
        command: "CancelOrder",
        status: "paid",
        allowed: ["pendingConfirmation", "pendingPayment"],
      });
  });
});

describe("ExpireOrder", () => {
  const expire = ask("ExpireOrder", {});
  const unpaid = given(reached("pendingPayment"));

  // Domain 5, scenario 2: strictly later, in whole seconds.
  it.each([
    ["at once", t0],
    ["a second early", payBy - second],
    ["at +30:00", payBy],
    ["at +30:00.999", payBy + 999],
  ])("is not due %s", (_when, now) => {
    unpaid
      .when(expire, system, now)
      .refuses({ code: "notDue", command: "ExpireOrder", dueAt: payBy, at: now });
  });

  it.each([payBy + second, payBy + day])("is due at +30:01 and after (%d)", (now) => {
    unpaid.when(expire, system, now).gives([event("OrderExpired", now, { payBy })]);
  });

  it("compares whole seconds where the order was created within one", () => {
    const odd = given([created({}, t0 + 700)]);
    odd
      .when(expire, system, payBy + 999)
      .refuses({ code: "notDue", command: "ExpireOrder", dueAt: payBy + 700, at: payBy + 999 });
    odd
      .when(expire, system, payBy + second)
      .gives([event("OrderExpired", payBy + second, { payBy: payBy + 700 })]);
  });

  it("gives back the stock that was deducted", () => {
    const now = payBy + second;
    given([
      created({ terms: { stockDeduction: "confirmation" } }),
      deducted("confirmation", "OrderCreated", t0),
    ])
      .when(expire, system, now)
      .gives([event("OrderExpired", now, { payBy }), released("OrderExpired", now)]);
  });

  it("goes by the deadline that the confirmation set", () => {
    const confirmed = event("OrderConfirmed", at, { payBy: at + 30 * minute });
    const booked = given([...reached("pendingConfirmation"), confirmed]);
    booked.when(expire, system, payBy + second).refuses({
      code: "notDue",
      command: "ExpireOrder",
      dueAt: at + 30 * minute,
      at: payBy + second,
    });
    const now = at + 30 * minute + second;
    booked.when(expire, system, now).gives([event("OrderExpired", now, { payBy: at + 30 * minute })]);
  });

  it("never comes where the terms set no window, nor before the confirmation", () => {
    given(reached("pendingPayment", { terms: { payWindowMinutes: 0 } }))
      .when(expire, system, t0 + 1_000 * day)
      .refuses({ code: "notDue", command: "ExpireOrder", dueAt: null, at: t0 + 1_000 * day });
    given(reached("pendingConfirmation"))
      .when(expire, system, at)
      .refuses({
        code: "orderStatusNotEligible",
        command: "ExpireOrder",
        status: "pendingConfirmation",
        allowed: ["pendingPayment"],
        also: [{ code: "notDue", command: "ExpireOrder", dueAt: null, at }],
      });
  });

  it.each([buyer, merchant, staff, provider, admin])("is not for $role", (actor) => {
    unpaid.when(expire, actor, payBy + second).refuses({
      code: "wrongActor",
      command: "ExpireOrder",
      role: actor.role,
      allowed: ["system"],
    });
  });

  it("does not close what was cancelled", () => {
    given(reached("cancelled"))
      .when(expire, system, endedAt)
      .refuses({
        code: "orderStatusNotEligible",
        command: "ExpireOrder",
        status: "cancelled",
        allowed: ["pendingPayment"],
      });
  });
});

describe("deadlines", () => {
  it("pass in a later whole second only", () => {
    expect(isPast(5_000, 5_000)).toBe(false);
    expect(isPast(5_000, 5_999)).toBe(false);
    expect(isPast(5_999, 5_999)).toBe(false);
    expect(isPast(5_999, 6_000)).toBe(true);
    expect(isPast(5_000, 6_000)).toBe(true);
    expect(isPast(6_000, 5_999)).toBe(false);
  });

  it("are set by the terms, and by none at 0", () => {
    expect(payByOf(t0, 30)).toBe(t0 + 1_800_000);
    expect(payByOf(t0, 0)).toBeUndefined();
    expect(autoConfirmAt(fold(reached("shipped")) as Order)).toBe(shippedAt + 1_296_000_000);
    expect(autoConfirmAt(fold(reached("paid")) as Order)).toBeUndefined();
    expect(
      autoConfirmAt(fold(reached("shipped", { terms: { autoConfirmDays: 0 } })) as Order),
    ).toBeUndefined();
  });

  it("stand in pendingPayment and shipped, and nowhere else", () => {
    const stand = (state: OrderState) => deadlinesOf(state);
    expect(stand(fold(reached("pendingPayment")))).toStrictEqual([{ kind: "unpaid", dueAt: payBy }]);
    expect(stand(fold(reached("shipped")))).toStrictEqual([
      { kind: "autoConfirm", dueAt: shippedAt + 15 * day },
    ]);
    for (const status of [
      "none",
      "pendingConfirmation",
      "paid",
      "completed",
      "cancelled",
      "closed",
    ] as const) {
      expect(stand(fold(reached(status)))).toStrictEqual([]);
    }
  });

  it("do not stand where the terms set none", () => {
    const terms = { payWindowMinutes: 0, autoConfirmDays: 0 };
    expect(deadlinesOf(fold(reached("pendingPayment", { terms })))).toStrictEqual([]);
    expect(deadlinesOf(fold(reached("shipped", { terms })))).toStrictEqual([]);
  });
});

it("an order's life is over when it is cancelled or closed", () => {
  const over = [
    "none",
    "pendingConfirmation",
    "pendingPayment",
    "paid",
    "shipped",
    "completed",
    "cancelled",
    "closed",
  ] as const;
  expect(over.filter((status) => isTerminal(fold(reached(status))))).toStrictEqual(["cancelled", "closed"]);
});
