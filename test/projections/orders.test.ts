// The order list: filters, and pages that stay where they are while orders come in.

import { describe, expect, it } from "vitest";

import { type OrderStatus, orderStatuses } from "../../src/domain/lifecycle.ts";
import type { Engine } from "../../src/engine.ts";
import {
  type OrderFilter,
  type OrderRow,
  ordersView,
  readOrderCount,
  readOrders,
} from "../../src/projections/orders.ts";
import { buyer, day, merchant, minute, rival, second, stranger, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, open, stores, tidyEngines } from "../engines.ts";
import { plan } from "./plans.ts";

tidyEngines();

async function idsIn(engine: Engine, filter: OrderFilter = {}): Promise<string[]> {
  return (await engine.views.orders({ limit: 1_000, ...filter })).orders.map(({ orderId }) => orderId);
}

/** Every page of a list, one after the other; `between` runs before each next page. */
async function pages(
  engine: Engine,
  filter: OrderFilter,
  between: (page: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<string[][]> {
  const all: string[][] = [];
  for (let cursor: string | undefined; ;) {
    const { orders, next } = await engine.views.orders({ ...filter, cursor });
    all.push(orders.map(({ orderId }) => orderId));
    if (next === undefined) return all;
    cursor = next;
    await between(all.length);
  }
}

describe.each(stores)("on %s", (_kind, fresh) => {
  it("a row says what stands of an order", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 5);
    expect((await engine.views.orders()).orders).toEqual([
      {
        orderId: "o-1",
        orderNo: "o-1",
        merchantId: "main",
        buyerId: "buyer-1",
        status: "completed",
        createdAt: t0,
        updatedAt: t0 + 4 * minute,
        currency: "CNY",
        total: 5_800,
        paid: 5_800,
        lines: 2,
        units: 4,
        title: "Tea",
        fulfilment: "express",
        ratings: ["bad", "good"],
        refunded: 0,
        hasRefund: false,
        refundStatus: "none",
        hiddenByBuyer: false,
        hiddenByMerchant: false,
        dueAt: undefined,
      } satisfies OrderRow,
    ]);
  });

  it("says when the next deadline of an order passes", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "unpaid", 1);
    await live(engine, "paid", 2);
    await live(engine, "shipped", 3);
    const due = Object.fromEntries(
      (await engine.views.orders()).orders.map(({ orderId, dueAt }) => [orderId, dueAt]),
    );
    expect(due).toEqual({ unpaid: t0 + 30 * minute, paid: undefined, shipped: t0 + 2 * minute + 15 * day });
  });

  it("tells paid orders that the merchant has cancelled from others, until their money is back", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "paid", 2);
    await live(engine, "cancelled", 2, t0 + second);
    const cancel = { type: "CancelOrder", orderId: "cancelled", caseId: "c-1" };
    accepted(await engine.execute(cancel, by(merchant, { at: t0 + day })));
    expect(await idsIn(engine, { cancelRequested: true })).toEqual(["cancelled"]);
    expect(await idsIn(engine, { cancelRequested: false })).toEqual(["paid"]);
    expect((await engine.views.orders()).orders.map(({ refundStatus }) => refundStatus)).toEqual([
      "open",
      "none",
    ]);
    const issue = { type: "IssueRefund", orderId: "cancelled", caseId: "c-1", destination: "manual" };
    accepted(await engine.execute(issue, by(merchant, { at: t0 + day })));
    expect(await idsIn(engine, { cancelRequested: true, statuses: ["paid"] })).toEqual([]);
    expect((await engine.views.orders()).orders[0]?.refundStatus).toBe("ended");
  });

  it("filters by status, rating, time and scope, and by all of them at once", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "created", 1, t0);
    await live(engine, "paid", 2, t0 + second);
    await live(engine, "shipped", 3, t0 + 2 * second);
    await live(engine, "received", 4, t0 + 3 * second);
    await live(engine, "reviewed", 5, t0 + 4 * second);
    accepted(await engine.execute(newOrder("foreign"), by(stranger, { at: t0 + 5 * second })));
    accepted(
      await engine.execute(newOrder("rival", { merchantId: "rival" }), by(buyer, { at: t0 + 6 * second })),
    );
    const newestFirst = ["rival", "foreign", "reviewed", "received", "shipped", "paid", "created"];
    expect(await idsIn(engine)).toEqual(newestFirst);
    expect(await idsIn(engine, { statuses: ["paid", "shipped"] })).toEqual(["shipped", "paid"]);
    expect(await idsIn(engine, { statuses: [] })).toEqual([]);
    expect(await idsIn(engine, { statuses: orderStatuses })).toEqual(newestFirst);
    expect(await idsIn(engine, { rating: "good" })).toEqual(["reviewed"]);
    expect(await idsIn(engine, { rating: "bad" })).toEqual(["reviewed"]);
    expect(await idsIn(engine, { rating: "neutral" })).toEqual([]);
    expect(await idsIn(engine, { reviewed: true })).toEqual(newestFirst.filter((id) => id !== "received"));
    expect(await idsIn(engine, { reviewed: false })).toEqual(newestFirst.filter((id) => id !== "reviewed"));
    expect(await idsIn(engine, { reviewed: false, statuses: ["completed"] })).toEqual(["received"]);
    expect(await engine.views.orderCount({ reviewed: true, statuses: ["completed", "paid"] })).toBe(2);
    expect(await idsIn(engine, { orderNo: "paid" })).toEqual(["paid"]);
    expect(await idsIn(engine, { orderNo: "foreign", scope: { buyerId: "buyer-1" } })).toEqual([]);
    expect(await idsIn(engine, { orderNo: "pai" })).toEqual([]);
    expect(await idsIn(engine, { hasRefund: true })).toEqual([]);
    expect(await idsIn(engine, { hasRefund: false })).toEqual(newestFirst);
    expect(await idsIn(engine, { from: t0 + second, to: t0 + 3 * second })).toEqual(["shipped", "paid"]);
    expect(await idsIn(engine, { from: t0 + 3 * second, to: t0 + 3 * second })).toEqual([]);
    expect(await idsIn(engine, { scope: { buyerId: "buyer-2" } })).toEqual(["foreign"]);
    expect(await idsIn(engine, { scope: { merchantId: "rival" } })).toEqual(["rival"]);
    expect(await idsIn(engine, { scope: { merchantId: "main" }, statuses: ["pendingPayment"] })).toEqual([
      "foreign",
      "created",
    ]);
    expect(
      await idsIn(engine, {
        scope: { buyerId: "buyer-1" },
        statuses: ["completed"],
        rating: "bad",
        from: t0,
        to: t0 + day,
        text: "tea",
      }),
    ).toEqual(["reviewed"]);
    expect(await idsIn(engine, { scope: { merchantId: "main" }, statuses: [] })).toEqual([]);
  });

  it("leaves out what its owner hid, and shows it to all others", async () => {
    const engine = await open({ store: fresh() });
    for (const orderId of ["o-1", "o-2"]) {
      await live(engine, orderId, 1);
      accepted(await engine.execute({ type: "CancelOrder", orderId }, by(buyer)));
    }
    accepted(await engine.execute({ type: "HideOrder", orderId: "o-1" }, by(buyer)));
    accepted(await engine.execute({ type: "HideOrder", orderId: "o-2" }, by(merchant)));
    expect(await idsIn(engine, { scope: { buyerId: "buyer-1" } })).toEqual(["o-2"]);
    expect(await idsIn(engine, { scope: { merchantId: "main" } })).toEqual(["o-1"]);
    const { orders } = await engine.views.orders();
    expect(
      orders.map(({ orderId, hiddenByBuyer, hiddenByMerchant }) => [
        orderId,
        hiddenByBuyer,
        hiddenByMerchant,
      ]),
    ).toEqual([
      ["o-2", false, true],
      ["o-1", true, false],
    ]);
    expect(await idsIn(engine, { scope: { buyerId: "buyer-1" }, text: "o-1" })).toEqual([]);
    expect(await idsIn(engine, { text: "o-1" })).toEqual(["o-1"]);
  });

  describe("pages", () => {
    async function many(engine: Engine): Promise<string[]> {
      // Ten of one instant among others: they stand in the order of their ids.
      const ids = ["a9", "a10", "B1", "b1", "c", "c:1", "c-1", "c.1", "d", "e"];
      for (const orderId of ids) accepted(await engine.execute(newOrder(orderId), by(buyer, { at: t0 + 5 })));
      accepted(await engine.execute(newOrder("z-old"), by(buyer, { at: t0 })));
      accepted(await engine.execute(newOrder("a-new"), by(buyer, { at: t0 + 9 })));
      return ["a-new", ...ids.toSorted().toReversed(), "z-old"];
    }

    it.each([1, 2, 5, 11, 12, 13])("of %i hold every order once, in order", async (limit) => {
      const engine = await open({ store: fresh() });
      const expected = await many(engine);
      for (const scope of ["all", { buyerId: "buyer-1" }, { merchantId: "main" }] as const) {
        const all = await pages(engine, { limit, scope });
        expect(all.flat()).toEqual(expected);
        expect(all.slice(0, -1).every((page) => page.length === limit)).toBe(true);
        expect(all.at(-1)?.length).toBeGreaterThan(0);
      }
    });

    it.each([1, 3, 12, 13])(
      "by number, of %i, hold every order once, in order, and are counted",
      async (limit) => {
        const engine = await open({ store: fresh() });
        const expected = await many(engine);
        for (const scope of ["all", { buyerId: "buyer-1" }, { merchantId: "main" }] as const) {
          const seen: string[] = [];
          for (let offset = 0; offset < expected.length + limit; offset += limit) {
            seen.push(...(await idsIn(engine, { limit, scope, offset })));
          }
          expect(seen).toEqual(expected);
          expect(await engine.views.orderCount({ scope, limit, offset: 2 })).toBe(expected.length);
        }
        expect(await engine.views.orderCount({ statuses: ["paid"] })).toBe(0);
        expect(await engine.views.orderCount({ statuses: [] })).toBe(0);
        expect(await engine.views.orderCount({ text: "tea", from: t0 + 9 })).toBe(1);
        expect(await engine.views.orderCount({ at: { time: t0 + 5 } })).toBe(expected.length - 1);
      },
    );

    it.each([-1, 1.5, Number.NaN])("from the offset %d are refused", async (offset) => {
      const engine = await open({ store: fresh() });
      await expect(engine.views.orders({ offset })).rejects.toThrow(/^offset must be 0 or more, and is/);
    });

    it("stay where they are while orders come in and change", async () => {
      const engine = await open({ store: fresh() });
      const expected = await many(engine);
      const seen = await pages(engine, { limit: 2 }, async (page) => {
        accepted(await engine.execute(newOrder(`later-${page}`), by(buyer, { at: t0 + day })));
        const pay = {
          type: "Pay",
          orderId: expected[page],
          payId: `p-${page}`,
          amount: 5_800,
          channel: "online",
        };
        accepted(await engine.execute(pay, by(buyer, { at: t0 + day })));
      });
      expect(seen.flat()).toEqual(expected);
    });

    it("hold twenty unless told otherwise", async () => {
      const engine = await open({ store: fresh() });
      for (let at = 0; at < 21; at += 1) accepted(await engine.execute(newOrder(`o-${at}`), by(buyer)));
      const { orders, next } = await engine.views.orders();
      expect([orders.length, next === undefined]).toEqual([20, false]);
      expect((await engine.views.orders({ limit: 21 })).next).toBeUndefined();
    });

    it.each([0, -1, 1.5, 1_001, Number.NaN, Infinity])("of %s are refused", async (limit) => {
      const engine = await open({ store: fresh() });
      await expect(engine.views.orders({ limit })).rejects.toThrow(/^limit must be 1 to 1000/);
    });

    it.each(["", "x", "bnVsbA", "W10", "WzEsMl0", "'; DROP TABLE orders_1; --"])(
      "after the cursor %j are refused",
      async (cursor) => {
        const engine = await open({ store: fresh() });
        await live(engine, "o-1", 1);
        await expect(engine.views.orders({ cursor })).rejects.toThrow(RangeError);
      },
    );

    it.each(['[1e999,"x"]', '[1.5,"x"]', '[-1,"x"]', '[1e16,"x"]', '["5","x"]', "[5,1]"])(
      "after the place %s are refused: no order was made there",
      async (place) => {
        const engine = await open({ store: fresh() });
        const cursor = Buffer.from(place).toString("base64url");
        await expect(engine.views.orders({ cursor })).rejects.toThrow(/is none that a page gave$/);
      },
    );
  });

  it("a status that is none is refused, not overlooked", async () => {
    const engine = await open({ store: fresh() });
    await expect(engine.views.orders({ statuses: ["payed" as OrderStatus] })).rejects.toThrow(/payed/);
  });

  it("a rival's list is not one's own", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    expect(await idsIn(engine, { scope: { merchantId: rival.id } })).toEqual([]);
  });
});

describe("the detail of an order", () => {
  it("has its state, its log, its deadlines and what may come next", async () => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 3);
    const cancelled = await live(engine, "o-2", 1);
    accepted(
      await engine.execute(
        { type: "CancelOrder", orderId: "o-2", reason: "too dear" },
        by(buyer, { commandId: "no" }),
      ),
    );
    const detail = await engine.views.order("o-1");
    expect(detail).toMatchObject({
      revision: 3n,
      commands: ["CorrectShipment", "ConfirmReceipt", "Redeem", "ApplyRefund"],
    });
    expect(detail?.deadlines).toEqual([{ kind: "autoConfirm", dueAt: t0 + 2 * minute + 15 * day }]);
    expect(detail?.order).toEqual(await engine.state("o-1"));
    expect(detail?.log.map(({ event, from, to, actor }) => [event, from, to, actor.id])).toEqual([
      ["OrderCreated", "none", "pendingPayment", "buyer-1"],
      ["OrderPaid", "pendingPayment", "paid", "buyer-1"],
      ["StockDeducted", "paid", "paid", "buyer-1"],
      ["OrderShipped", "paid", "shipped", "main"],
    ]);
    expect((await engine.views.order("o-2"))?.log.at(-1)).toEqual({
      revision: 1n,
      position: await engine.head(),
      event: "OrderCancelled",
      at: t0,
      actor: buyer,
      commandId: "no",
      from: "pendingPayment",
      to: "cancelled",
      reason: "too dear",
      data: { by: "buyer", reason: "too dear" },
    });
    expect(cancelled.revision).toBe(0n);
    expect(await engine.views.order("o-9")).toBeUndefined();
    expect(await engine.views.order("../x")).toBeUndefined();
  });
});

describe("what stands before a page is passed over in an index, without a look at a row or a sort", () => {
  const owners = [{ buyerId: "b" }, { merchantId: "m" }] as const;
  const narrowings: readonly OrderFilter[] = [
    {},
    { statuses: ["paid"] },
    { statuses: ["shipped", "completed"], reviewed: false },
    { statuses: orderStatuses, hasRefund: true, rating: "good", cancelRequested: false },
    { from: 1, to: 9, cursor: Buffer.from('[5,"o-1"]').toString("base64url") },
  ];
  const filters: readonly OrderFilter[] = [
    ...owners.flatMap((scope) => narrowings.map((filter) => ({ ...filter, scope }))),
    {},
    { scope: "all", from: 1, to: 9 },
  ];
  const page = [
    /^(CO-ROUTINE page|SCAN page|SEARCH whole USING PRIMARY KEY \(order_id=\?\)|MERGE \(UNION ALL\)|LEFT|RIGHT)$/,
    /^(SEARCH|SCAN) orders_1 USING COVERING INDEX orders_1_(buyer|status|created)( \(.+\))?$/,
  ];

  it.each(filters)("%j", (filter) => {
    const details = plan(ordersView, (database, prefix) =>
      readOrders(database, prefix, { ...filter, offset: 20_000 }),
    );
    expect(details.filter((detail) => !page.some((known) => known.test(detail)))).toEqual([]);
    expect(details.filter((detail) => detail.includes("orders_1"))).not.toHaveLength(0);
    for (const detail of plan(ordersView, (database, prefix) => readOrderCount(database, prefix, filter))) {
      if (detail.includes("orders_1")) expect(detail).toContain("USING COVERING INDEX");
    }
  });
});
