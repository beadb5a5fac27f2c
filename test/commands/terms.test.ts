// Terms: a merchant's own or everybody's, copied into each order, which goes on under them whatever is decreed later.

import { describe, expect, it } from "vitest";

import { defaultReasons, policies } from "../../src/commands/terms.ts";
import type { Order } from "../../src/domain/state.ts";
import { defaultTerms } from "../../src/domain/terms.ts";
import { openEngine } from "../../src/engine.ts";
import { buyer, merchant, minute, rival, second, system, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, open, refused, stores, tidyEngines } from "../engines.ts";
import { newFile } from "../store/files.ts";

tidyEngines();

describe("the terms in force", () => {
  it("are the merchant's, else those of *, else the defaults, field by field", () => {
    const policyOf = policies({
      "*": { payWindowMinutes: 5, redeemStaff: ["s-1"], reasons: { refundOnly: ["late"] } },
      rival: { booking: true, evidenceMax: undefined },
    });
    expect(policyOf("anyone")).toEqual({
      terms: { ...defaultTerms, payWindowMinutes: 5 },
      redeemStaff: ["s-1"],
      reasons: { ...defaultReasons, refundOnly: ["late"] },
    });
    // A merchant that is named is not under the terms of the others.
    expect(policyOf("rival")).toEqual({
      terms: { ...defaultTerms, booking: true },
      redeemStaff: [],
      reasons: defaultReasons,
    });
    expect(policies(undefined)("main")).toEqual({
      terms: defaultTerms,
      redeemStaff: [],
      reasons: defaultReasons,
    });
    expect(policies({})("constructor")).toEqual({
      terms: defaultTerms,
      redeemStaff: [],
      reasons: defaultReasons,
    });
  });

  it.each([
    [null, /^terms: /],
    [[], /^terms: /],
    ["none", /^terms: /],
    [{ main: null }, /^terms: main: /],
    [{ "a/b": {} }, /^terms: a\/b: is no merchant's id, which must be 1 to 128 characters .*, nor \*$/],
    [
      { main: { autoConfirmDays: 1.5 } },
      /^terms: main\.autoConfirmDays: must be a whole number, and is 1\.5$/,
    ],
    [JSON.parse('{"__proto__":{"booking":true}}'), /^terms: __proto__: /],
    [{ "*": { bookin: true } }, /^terms: \*\.bookin: unknown key \(did you mean booking\?\)/],
    [{ main: { payWindowMinutes: -1 } }, /^terms: main\.payWindowMinutes: .*>=0/],
    [{ main: { autoConfirmDays: 36_501 } }, /^terms: main\.autoConfirmDays: .*<=36500/],
    [{ main: { evidenceMax: 10 } }, /^terms: main\.evidenceMax: .*<=9/],
    [{ main: { refundAttempts: 0 } }, /^terms: main\.refundAttempts: .*>=1/],
    [{ main: { stockDeduction: "never" } }, /^terms: main\.stockDeduction: .*"confirmation"/],
    [{ main: { allowedTypes: ["swap"] } }, /^terms: main\.allowedTypes\[0\]: /],
    [
      { main: { reasons: { refundOny: [] } } },
      /^terms: main\.reasons\.refundOny: unknown key \(did you mean refundOnly\?\)/,
    ],
    [{ main: { reasons: { exchange: ["x".repeat(181)] } } }, /^terms: main\.reasons\.exchange\[0\]: .*180/],
    [{ main: { redeemStaff: ["$root"] } }, /^terms: main\.redeemStaff\[0\]: must be 1 to 128/],
    [
      { main: { redeemStaff: Array.from({ length: 1_001 }, (_, at) => `s-${at}`) } },
      /^terms: main\.redeemStaff: .*<=1000/,
    ],
    [{ main: { booking: "yes", evidenceMax: 1.5 } }, /main\.booking: .*; main\.evidenceMax: /],
  ])("%j are refused by name", async (terms, rule) => {
    expect(() => policies(terms)).toThrow(TypeError);
    expect(() => policies(terms)).toThrow(rule);
    await expect(openEngine({ store: "memory:", terms: terms as never })).rejects.toThrow(rule);
  });
});

describe.each(stores)("on %s", (_kind, fresh) => {
  it("are copied into the order, by its merchant", async () => {
    const engine = await open({
      store: fresh(),
      terms: { "*": { payWindowMinutes: 5 }, rival: { booking: true } },
    });
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    accepted(await engine.execute(newOrder("o-2", { merchantId: "rival" }), by(buyer)));
    accepted(await engine.execute(newOrder("o-3", { buyerId: "b" }), by(rival)));
    const stateOf = async (orderId: string) => (await engine.state(orderId)) as Order;
    expect(await stateOf("o-1")).toMatchObject({
      status: "pendingPayment",
      payBy: t0 + 5 * minute,
      terms: { ...defaultTerms, payWindowMinutes: 5 },
    });
    for (const orderId of ["o-2", "o-3"]) {
      expect(await stateOf(orderId)).toMatchObject({
        status: "pendingConfirmation",
        payBy: undefined,
        terms: { ...defaultTerms, booking: true },
      });
    }
  });

  it("may be overridden by merchant and system, not by a buyer", async () => {
    const engine = await open({ store: fresh() });
    const own = { terms: { payWindowMinutes: 1, booking: undefined } };
    expect(refused(await engine.execute(newOrder("o-1", own), by(buyer))).code).toBe("termsOverride");
    for (const [orderId, actor] of [
      ["o-2", merchant],
      ["o-3", system],
    ] as const) {
      accepted(await engine.execute(newOrder(orderId, { ...own, buyerId: "b" }), by(actor)));
      expect((await engine.state(orderId)) as Order).toMatchObject({
        terms: { ...defaultTerms, payWindowMinutes: 1 },
      });
    }
  });
});

it("an old order goes on under its own terms, and replays to the same", async () => {
  const store = `sqlite:${newFile()}`;
  const before = await open({ store, terms: { "*": { payWindowMinutes: 5, stockDeduction: "shipping" } } });
  await live(before, "old", 1);
  await before.close();
  const after = await open({
    store,
    terms: { "*": { payWindowMinutes: 90, stockDeduction: "confirmation" } },
  });
  await live(after, "new", 1);
  expect(await after.replay()).toMatchObject({ orders: 2, statuses: { pendingPayment: 2 } });
  const expired: string[] = [];
  for await (const { orderId } of after.runDue(t0 + 5 * minute + second)) expired.push(orderId);
  expect(expired).toEqual(["old"]);
  // Nothing was deducted under its rule, so nothing is released; the new one's stock went at once.
  expect((await after.history("old")).map(({ event }) => event.type)).toEqual([
    "OrderCreated",
    "OrderExpired",
  ]);
  expect((await after.history("new")).map(({ event }) => event.type)).toEqual([
    "OrderCreated",
    "StockDeducted",
  ]);
});
