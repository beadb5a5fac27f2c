// The deadlines of cases, and the automatic receipt that a case keeps waiting: seen before they are due, and fired once they are.

import { describe, expect, it } from "vitest";

import { autoConfirmAt, deadlinesOf, refundRetryAt } from "../../src/domain/deadlines.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { type Order, fold } from "../../src/domain/state.ts";
import type { Terms } from "../../src/domain/terms.ts";
import {
  applied,
  approved,
  approvedAt,
  caseId,
  failed,
  inCase,
  issued,
  now,
  replacedAt,
  sentAt,
} from "./cases.ts";
import { given } from "./given.ts";
import {
  ask,
  buyer,
  day,
  event,
  merchant,
  minute,
  reached,
  second,
  shipped,
  shippedAt,
  system,
} from "./orders.ts";

const first = { caseId, number: 1 } as const;
const under = (terms: Partial<Terms>) => reached("completed", { terms });
const due = (history: readonly OrderEvent[]) => deadlinesOf(fold(history));

describe("a return that is not sent", () => {
  const dueAt = approvedAt + 7 * day;
  const close = ask("CloseRefund", { caseId });

  it("is closed after seven days, by the system, in the second after them", () => {
    const history = inCase("awaitingReturn", "returnRefund");
    expect(due(history)).toStrictEqual([{ kind: "returnShip", case: first, dueAt }]);
    given(history)
      .when(close, system, dueAt)
      .refuses({ code: "notDue", command: "CloseRefund", dueAt, at: dueAt });
    given(history)
      .when(close, system, dueAt + second)
      .gives([event("RefundClosed", dueAt + second, { caseId, cause: "returnOverdue" })]);
  });

  it("has no deadline once it is sent, nor where the terms set none", () => {
    expect(due(inCase("returnInTransit", "returnRefund"))).toStrictEqual([]);
    const free = inCase("awaitingReturn", "exchange", under({ returnShipDays: 0 }));
    expect(due(free)).toStrictEqual([]);
    given(free)
      .when(close, system, now)
      .refuses({ code: "notDue", command: "CloseRefund", dueAt: null, at: now });
  });
});

describe("a replacement that is not confirmed", () => {
  const dueAt = replacedAt + 7 * day;
  const confirm = ask("ConfirmReplacement", { caseId });

  it("is confirmed by the system after seven days", () => {
    const history = inCase("replacementShipped", "exchange");
    expect(due(history)).toStrictEqual([{ kind: "replacementConfirm", case: first, dueAt }]);
    given(history)
      .when(confirm, system, dueAt)
      .refuses({ code: "notDue", command: "ConfirmReplacement", dueAt, at: dueAt });
    given(history)
      .when(confirm, system, dueAt + second)
      .gives([event("ReplacementReceived", dueAt + second, { caseId, by: "system" })]);
  });

  it("is not, where the terms set no deadline", () => {
    const free = inCase("replacementShipped", "exchange", under({ replacementConfirmDays: 0 }));
    expect(due(free)).toStrictEqual([]);
    given(free)
      .when(confirm, system, now)
      .refuses({ code: "notDue", command: "ConfirmReplacement", dueAt: null, at: now });
  });
});

describe("a refund that failed", () => {
  const pending = (terms: Partial<Terms> = {}) => inCase("refundPending", "refundOnly", under(terms));
  /** So many attempts, each failed at `now`. */
  const tried = (times: number, terms: Partial<Terms> = {}, retryable = true): readonly OrderEvent[] => [
    ...pending(terms),
    ...Array.from({ length: times }, (_, index) => {
      const refundId = `c-1:${index + 1}`;
      return [issued({ refundId, attempt: index + 1 }, now), failed({ refundId, retryable }, now)];
    }).flat(),
  ];

  it("is tried again after a minute, then after two, and then waits for a person", () => {
    expect(due(pending())).toStrictEqual([]);
    expect(due([...pending(), issued()])).toStrictEqual([]);
    expect(due(tried(1))).toStrictEqual([{ kind: "refundRetry", case: first, dueAt: now + minute }]);
    expect(due(tried(2))).toStrictEqual([{ kind: "refundRetry", case: first, dueAt: now + 2 * minute }]);
    expect(due(tried(3))).toStrictEqual([]);
  });

  it("is not tried again where the provider says that it is no use", () => {
    expect(due(tried(1, {}, false))).toStrictEqual([]);
  });

  it("waits a day at the most, however often it failed", () => {
    const terms = { refundAttempts: 100 };
    const order = fold(tried(12, terms)) as Order;
    expect(refundRetryAt(order, order.cases[0]!)).toBe(now + day);
    const eleven = fold(tried(11, terms)) as Order;
    expect(refundRetryAt(eleven, eleven.cases[0]!)).toBe(now + 1_024 * minute);
  });

  it("of a case that is over is not tried again", () => {
    const over = [...tried(1), event("RefundCancelled", now, { caseId, from: "refundPending" })];
    expect(due(over)).toStrictEqual([]);
    given(tried(1)).when(ask("CancelRefund", { caseId }), buyer, now).gives(over.slice(-1));
  });
});

describe("the automatic receipt (27, scenario 18)", () => {
  const opened = shippedAt + 14 * day;
  const rejectedAt = shippedAt + 20 * day;
  const waiting = [...reached("shipped"), applied("refundOnly", {}, opened)];
  const free = [
    ...waiting,
    event("RefundRejected", rejectedAt, { caseId, stage: "application", reason: "no proof" }),
  ];
  const confirm = ask("ConfirmReceipt", {});

  it("waits while a case is open, and comes after the time that was left", () => {
    expect(due(waiting)).toStrictEqual([]);
    given(waiting)
      .when(confirm, system, shippedAt + 99 * day)
      .refuses({
        code: "notDue",
        command: "ConfirmReceipt",
        dueAt: null,
        at: shippedAt + 99 * day,
        caseId,
        left: day,
      });
    const dueAt = shippedAt + 21 * day;
    expect(due(free)).toStrictEqual([{ kind: "autoConfirm", dueAt }]);
    given(free)
      .when(confirm, system, dueAt)
      .refuses({ code: "notDue", command: "ConfirmReceipt", dueAt, at: dueAt });
    given(free)
      .when(confirm, system, dueAt + second)
      .gives([event("ReceiptConfirmed", dueAt + second, { by: "system" })]);
  });

  it("says for which case it waits, and how long it does once that is over", () => {
    const at = shippedAt + 99 * day;
    const notDue = { code: "notDue", command: "ConfirmReceipt", dueAt: null, at } as const;
    // Of several the oldest that is open; a wait before has not used any of the time up.
    const again = [
      ...free,
      applied("refundOnly", { caseId: "c-2", lineId: "L2" }, rejectedAt + second),
      applied("refundOnly", { caseId: "c-3" }, rejectedAt + minute),
    ];
    given(again)
      .when(confirm, system, at)
      .refuses({ ...notDue, caseId: "c-2", left: day - second });
    // It was over, and nobody had confirmed yet, when the case was opened.
    given([...reached("shipped"), applied("refundOnly", {}, shippedAt + 16 * day)])
      .when(confirm, system, at)
      .refuses({ ...notDue, caseId, left: 0 });
    // Where nothing would come of its end, the case is not to blame.
    given([...reached("shipped", { terms: { autoConfirmDays: 0 } }), applied("exchange", {}, opened)])
      .when(confirm, system, at)
      .refuses(notDue);
  });

  it("does not wait where the terms say so", () => {
    const history = [
      ...reached("shipped", { terms: { autoConfirmPauses: false } }),
      applied("refundOnly", {}, opened),
    ];
    const dueAt = shippedAt + 15 * day;
    expect(due(history)).toContainEqual({ kind: "autoConfirm", dueAt });
    given(history)
      .when(confirm, system, dueAt + second)
      .gives([event("ReceiptConfirmed", dueAt + second, { by: "system" })]);
    const rejected = event("RefundRejected", dueAt, { caseId, stage: "application", reason: "no proof" });
    expect(due([...history, rejected])).toContainEqual({ kind: "autoConfirm", dueAt });
  });

  it("does not wait for a buyer who confirms", () => {
    given(waiting)
      .when(confirm, buyer, opened)
      .gives([event("ReceiptConfirmed", opened, { by: "buyer" })]);
    expect(fold([...waiting, event("ReceiptConfirmed", opened + day, { by: "buyer" })])).toMatchObject({
      pausedSince: undefined,
      pausedFor: day,
    });
  });

  it("adds up several waits, overlapping ones once", () => {
    const other = { caseId: "c-2", lineId: "L2" };
    const twice = [
      ...free,
      applied("exchange", other, rejectedAt + 2 * day),
      applied("refundOnly", { caseId: "c-3" }, rejectedAt + 3 * day),
      event("RefundCancelled", rejectedAt + 4 * day, { caseId: "c-2", from: "requested" }),
      event("RefundCancelled", rejectedAt + 5 * day, { caseId: "c-3", from: "requested" }),
    ];
    expect(autoConfirmAt(fold(twice) as Order)).toBe(shippedAt + (15 + 6 + 3) * day);
  });

  it("waits from the moment of shipping for a case that was open before", () => {
    const before = shippedAt - 1;
    const history = [...reached("paid"), applied("refundOnly", {}, before), shipped()];
    expect(fold(history)).toMatchObject({ pausedSince: shippedAt, pausedFor: 0 });
    given([...reached("paid"), applied("refundOnly", {}, before)])
      .when(ask("Ship", { shipments: shipped().data.shipments, force: true }), merchant, shippedAt)
      .gives([shipped()]);
    const over = [...history, event("RefundClosed", shippedAt + day, { caseId, cause: "merchant" })];
    expect(autoConfirmAt(fold(over) as Order)).toBe(shippedAt + 16 * day);
  });

  it("has no term where the terms set none, case or not", () => {
    expect(
      due([...reached("shipped", { terms: { autoConfirmDays: 0 } }), applied("exchange", {}, opened)]),
    ).toStrictEqual([]);
  });
});

it("stand together, earliest first, each with its case", () => {
  const two = { caseId: "c-2", lineId: "L2" } as const;
  const history = [
    ...inCase("replacementShipped", "exchange"),
    applied("returnRefund", two, sentAt),
    approved("returnRefund", { caseId: "c-2" }, sentAt),
  ];
  expect(due(history)).toStrictEqual([
    { kind: "returnShip", case: { caseId: "c-2", number: 2 }, dueAt: sentAt + 7 * day },
    { kind: "replacementConfirm", case: first, dueAt: replacedAt + 7 * day },
  ]);
});
