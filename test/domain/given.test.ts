// The support itself: an answer that is nearly right must fail.

import { describe, expect, it } from "vitest";

import type { OrderEvent } from "../../src/domain/events.ts";
import { deepFreeze, given } from "./given.ts";
import { ask, buyer, deducted, latePaid, paid, paidAt, reached, t0 } from "./orders.ts";

const pay = ask("Pay", { payId: "pay-1", amount: 5_800, channel: "online" });
const answer = given(reached("pendingPayment")).when(pay, buyer, paidAt);
const first = paid();
const then = deducted("payment", "OrderPaid", paidAt);

describe("the facts of an answer", () => {
  it("are accepted whole and in order", () => {
    answer.gives([first, then]);
  });

  it.each<[string, readonly OrderEvent[]]>([
    ["another order", [then, first]],
    ["one missing", [first]],
    ["the first one twice", [first, first]],
    ["one too many", [first, then, then]],
    ["another type", [latePaid(paidAt, { payId: "pay-1" }), then]],
    ["another instant", [paid(paidAt + 1), then]],
    ["another amount", [paid(paidAt, { amount: 5_801 }), then]],
    ["a key that holds undefined", [paid(paidAt, { method: undefined } as object), then]],
    ["a key missing", [{ ...first, data: { payId: "pay-1", amount: 5_800 } } as OrderEvent, then]],
    ["a matcher for a value", [{ ...first, at: expect.any(Number) as number }, then]],
    ["none", []],
  ])("are refused with %s", (_fault, events) => {
    expect(() => answer.gives(events)).toThrow("to strictly equal");
  });

  it("are no refusal and not nothing", () => {
    expect(() => answer.refuses({ code: "orderNotFound", orderId: "o-1" })).toThrow("to strictly equal");
    expect(() => answer.changesNothing()).toThrow("to strictly equal");
  });
});

describe("the refusal of an answer", () => {
  const refused = given([]).when(pay, buyer, t0);

  it("is accepted whole", () => {
    refused.refuses({ code: "orderNotFound", orderId: "o-1" });
  });

  it("is refused with another fact, another code, or more beside it", () => {
    expect(() => refused.refuses({ code: "orderNotFound", orderId: "o-2" })).toThrow("to strictly equal");
    expect(() => refused.refuses({ code: "orderExists", orderId: "o-1" })).toThrow("to strictly equal");
    expect(() => refused.refuses({ code: "orderNotFound", orderId: "o-1", also: [] })).toThrow(
      "to strictly equal",
    );
    expect(() => refused.changesNothing()).toThrow("to strictly equal");
  });
});

it("deepFreeze reaches the inmost value", () => {
  const value = deepFreeze({ a: [{ b: 1 }] });
  expect(() => {
    (value.a[0] as { b: number }).b = 2;
  }).toThrow(TypeError);
});
