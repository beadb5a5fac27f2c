// Order statistics: the six counts by S0's names, per buyer, per merchant and in all, always as a scan would count them.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Engine } from "../../src/engine.ts";
import {
  type Scope,
  type Statistics,
  type Tally,
  readStatistics,
  statisticsView,
} from "../../src/projections/statistics.ts";
import { openDatabase } from "../../src/store/database.ts";
import { buyer, merchant, minute, system, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, open, stores, tidyEngines } from "../engines.ts";
import { buyers, counted, livesOptions, merchants, play, statesOf, step } from "./lives.ts";

tidyEngines();

const six = [
  "count_id_no_pay",
  "count_id_no_transfer",
  "count_id_no_confirm",
  "count_id_no_reputation",
  "count_id_success",
  "count_id_close",
] as const;

function sixOf(statistics: Statistics): number[] {
  return six.map((name) => statistics[name]);
}

async function compareWithScan(engine: Engine): Promise<void> {
  const orders = await statesOf(engine);
  for (const buyerId of buyers) {
    for (const merchantId of merchants) {
      const answer = await engine.views.statistics({ buyerId, merchantId });
      expect(answer.all).toEqual(counted(orders, "all"));
      expect(answer.buyer).toEqual(counted(orders, { buyerId }));
      expect(answer.merchant).toEqual(counted(orders, { merchantId }));
    }
  }
}

describe.each(stores)("on %s", (kind, fresh) => {
  it("the counters move one unit a step along the plainest life", async () => {
    const engine = await open({ store: fresh() });
    const seen: number[][] = [];
    for (let step = 1; step <= 5; step += 1) {
      await using other = await open({ store: fresh() });
      await live(other, "o-1", step);
      seen.push(sixOf((await other.views.statistics()).all));
    }
    expect(seen).toEqual([
      [1, 0, 0, 0, 0, 0],
      [0, 1, 0, 0, 0, 0],
      [0, 0, 1, 0, 0, 0],
      [0, 0, 0, 1, 0, 0],
      [0, 0, 0, 0, 1, 0],
    ]);
    expect(sixOf((await engine.views.statistics()).all)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("an empty store has all figures, and they are none", async () => {
    const engine = await open({ store: fresh() });
    const none = {
      ...Object.fromEntries(six.map((name) => [name, 0])),
      orders: 0,
      lines: 0,
      units: 0,
      paid: {},
      refunded: {},
      cases: {},
      casesOpen: 0,
      unitsReturned: 0,
      closedByRefund: 0,
    };
    expect(await engine.views.statistics({ buyerId: "nobody", merchantId: "none" })).toEqual({
      all: none,
      buyer: none,
      merchant: none,
    });
  });

  it("cancelled and expired orders count as closed, and a late payment as money", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    accepted(await engine.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer)));
    await live(engine, "o-2", 1);
    const late = { at: t0 + 31 * minute };
    accepted(await engine.execute({ type: "ExpireOrder", orderId: "o-2" }, by(system, late)));
    const pay = { type: "Pay", orderId: "o-2", payId: "p", amount: 5, channel: "wallet" };
    accepted(await engine.execute(pay, by(buyer, late)));
    const { all } = await engine.views.statistics();
    expect(sixOf(all)).toEqual([0, 0, 0, 0, 0, 2]);
    expect(all.paid).toEqual({ CNY: 5 });
  });

  it("what a buyer hides leaves the buyer's counts, what a merchant hides the merchant's, and nothing leaves all", async () => {
    const engine = await open({ store: fresh() });
    for (const orderId of ["o-1", "o-2"]) {
      await live(engine, orderId, 1);
      accepted(await engine.execute({ type: "CancelOrder", orderId }, by(buyer)));
    }
    const asked = { buyerId: "buyer-1", merchantId: "main" };
    const ordersIn = async () => {
      const { all, buyer: mine, merchant: theirs } = await engine.views.statistics(asked);
      return [all.count_id_close, mine?.count_id_close, theirs?.count_id_close];
    };
    expect(await ordersIn()).toEqual([2, 2, 2]);
    accepted(await engine.execute({ type: "HideOrder", orderId: "o-1" }, by(buyer)));
    expect(await ordersIn()).toEqual([2, 1, 2]);
    accepted(await engine.execute({ type: "HideOrder", orderId: "o-2" }, by(merchant)));
    expect(await ordersIn()).toEqual([2, 1, 1]);
    // Hidden twice is hidden once.
    accepted(await engine.execute({ type: "HideOrder", orderId: "o-2" }, by(merchant)));
    expect(await ordersIn()).toEqual([2, 1, 1]);
  });

  it("money is counted by its currency", async () => {
    const engine = await open({ store: fresh() });
    for (const [orderId, currency] of [
      ["o-1", "CNY"],
      ["o-2", "JPY"],
      ["o-3", "CNY"],
      ["o-4", "BHD"],
    ] as const) {
      accepted(await engine.execute(newOrder(orderId, { currency }), by(buyer)));
      if (orderId === "o-4") continue;
      const pay = { type: "Pay", orderId, payId: `p-${orderId}`, amount: 5_800, channel: "online" };
      accepted(await engine.execute(pay, by(buyer)));
    }
    const { all } = await engine.views.statistics();
    expect(all.paid).toEqual({ CNY: 11_600, JPY: 5_800 });
    expect([all.orders, all.lines, all.units]).toEqual([4, 8, 16]);
  });

  it("sums beyond what a number holds exactly are kept and answered exactly, by every way to ask", async () => {
    const engine = await open({ store: fresh() });
    const dear = {
      lineId: "L1",
      goodsId: "A",
      title: "Palace",
      unitPrice: Number.MAX_SAFE_INTEGER,
      quantity: 1,
    };
    for (const orderId of ["o-1", "o-2", "o-3"]) {
      accepted(await engine.execute(newOrder(orderId, { lines: [dear], charges: [] }), by(buyer)));
      const pay = {
        type: "Pay",
        orderId,
        payId: `p-${orderId}`,
        amount: Number.MAX_SAFE_INTEGER,
        channel: "online",
      };
      accepted(await engine.execute(pay, by(buyer)));
    }
    const { all } = await engine.views.statistics();
    expect(all.orders).toBe(3);
    expect(all.paid).toEqual({ CNY: "27021597764222973" });
    expect((await engine.views.statistics({ at: { time: t0 } })).all.paid).toEqual(all.paid);
    expect((await engine.replay()).paid).toEqual(all.paid);
    await engine.rebuild("statistics");
    expect((await engine.views.statistics()).all.paid).toEqual(all.paid);
    expect(await engine.check({ views: ["statistics"] })).toMatchObject([{ different: 0 }]);
  });

  it("names that look like SQL or like another scope are only names", async () => {
    const engine = await open({ store: fresh() });
    for (const id of ["all", "merchant:main", "buyer:all", "a|b=c"]) {
      accepted(await engine.execute(newOrder(`o-${id}`), by({ role: "buyer", id })));
      expect((await engine.views.statistics({ buyerId: id })).buyer?.orders).toBe(1);
    }
    expect((await engine.views.statistics({ buyerId: "' OR 1=1 --" })).buyer?.orders).toBe(0);
    expect((await engine.views.statistics()).all.orders).toBe(4);
  });

  it(`equal a scan after every step of random lives, and sum up to the visible orders (invariant 16)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await using engine = await open({ store: fresh(), ...livesOptions });
        let before = await engine.views.statistics({ buyerId: "buyer-1", merchantId: "main" });
        await play(engine, steps, async (_at, orderId, changed) => {
          const after = await engine.views.statistics({ buyerId: "buyer-1", merchantId: "main" });
          for (const scope of [after.all, after.buyer, after.merchant] as Statistics[]) {
            expect(sixOf(scope).reduce((sum, count) => sum + count, 0)).toBe(scope.orders);
          }
          const last = (await engine.history(orderId)).at(-1)?.event;
          if (changed && last?.type === "OrderHidden") {
            // Hiding lowers exactly one count of one list by one.
            const moved = [
              [before.all, after.all],
              [before.buyer, after.buyer],
              [before.merchant, after.merchant],
            ].flatMap(([a, b]) => six.map((name) => (b as Statistics)[name] - (a as Statistics)[name]));
            const state = (await statesOf(engine)).find((order) => order.orderId === orderId);
            const counts =
              last.data.from === "buyer" ? state?.buyerId === "buyer-1" : state?.merchantId === "main";
            expect(moved.filter((by) => by !== 0)).toEqual(counts ? [-1] : []);
          }
          before = after;
        });
        await compareWithScan(engine);
      }),
      { numRuns: kind === "memory" ? 60 : 12 },
    );
  });
});

describe("sums of money, whatever they come to", () => {
  const max = Number.MAX_SAFE_INTEGER;
  const plain: Tally = {
    merchantId: "main",
    buyerId: "li",
    currency: "CNY",
    status: "paid",
    reviewed: false,
    hiddenByBuyer: false,
    hiddenByMerchant: false,
    lines: 1,
    units: 1,
    paid: max,
    refunded: 0,
    unitsReturned: 0,
    closedByRefund: false,
    cases: [{ caseId: "c-1", type: "refundOnly", status: "refunded", hidden: false }],
  };

  /** Rows of their own, written through the view's own writer. */
  function generation() {
    const database = openDatabase(":memory:");
    for (const { sql } of statisticsView.tables("statistics_1")) database.exec(sql);
    const writer = statisticsView.writer(database, "statistics_1");
    const read = (scope: Scope): Statistics => readStatistics(database, "statistics_1", scope);
    return {
      writer,
      read,
      rows: () => [...statisticsView.rows(database, "statistics_1")],
      money: () => {
        const { paid, refunded } = read("all");
        return { paid, refunded };
      },
      [Symbol.dispose]: () => database.close(),
    };
  }

  /** As it must be told: a number where one is exact, else the digits. */
  function told(exact: bigint): number | string {
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : String(exact);
  }

  it.each([1, 7, 1_200])("of 1,200 orders beyond 2^63, %d a flush", (aFlush) => {
    using kept = generation();
    const dear = { ...plain, refunded: max - 1 };
    for (let order = 1; order <= 1_200; order += 1) {
      kept.writer.change(`o-${order}`, undefined, dear);
      if (order % aFlush === 0) kept.writer.flush();
    }
    kept.writer.flush();
    expect(kept.money()).toEqual({
      paid: { CNY: String(1_200n * BigInt(max)) },
      refunded: { CNY: String(1_200n * BigInt(max - 1)) },
    });
    // And back to nothing: every order is hidden by its buyer, whose rows are then as if they had never been.
    for (let order = 1; order <= 1_200; order += 1) {
      kept.writer.change(`o-${order}`, dear, { ...dear, hiddenByBuyer: true });
      if (order % aFlush === 0) kept.writer.flush();
    }
    kept.writer.flush();
    expect(kept.read({ buyerId: "li" })).toMatchObject({ orders: 0, paid: {}, refunded: {} });
    expect(kept.rows().filter((row) => row.includes("buyer:"))).toEqual([]);
    expect(kept.read({ merchantId: "main" }).paid).toEqual({ CNY: String(1_200n * BigInt(max)) });
  });

  it.each([
    [10 ** 15 - 1, 1],
    [10 ** 15, -1],
    [1, -1],
    [-1, 10 ** 15],
    [max, 1],
    [max, max, -max, -max, -5],
    [-(10 ** 15), -(10 ** 15)],
    [9 * 10 ** 15, -1],
    [-max, -1, -max],
  ])("one change after the other: %d, %d ...", (...changes) => {
    using kept = generation();
    let exact = 0n;
    for (const by of changes) {
      // An order that some other row counts already, so that a sum can go below nothing.
      const before = { ...plain, paid: Math.max(0, -by), refunded: Math.max(0, -by) };
      kept.writer.change("o", before, { ...plain, paid: Math.max(0, by), refunded: Math.max(0, by) });
      kept.writer.flush();
      exact += BigInt(by);
      const sums = exact === 0n ? {} : { CNY: told(exact) };
      expect(kept.money()).toEqual({ paid: sums, refunded: sums });
      expect(kept.rows()).toHaveLength(exact === 0n ? 0 : 6);
    }
  });

  const amount = fc.oneof(
    fc.constantFrom(0, 1, 10 ** 15 - 1, 10 ** 15, 10 ** 15 + 1, max - 1, max),
    fc.maxSafeNat(),
    fc.nat({ max: 10_000 }),
  );
  const tally = fc
    .record({ paid: amount, refunded: amount, currency: fc.constantFrom("CNY", "JPY"), hidden: fc.nat(3) })
    .map(({ hidden, ...money }): Tally => ({
      ...plain,
      ...money,
      hiddenByBuyer: hidden === 1,
      hiddenByMerchant: hidden === 2,
    }));

  it("are the exact sums after any changes, and the rows those of a rebuild", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ order: fc.nat({ max: 30 }), after: tally, flush: fc.boolean() }), {
          maxLength: 120,
        }),
        (steps) => {
          using kept = generation();
          const orders = new Map<number, Tally>();
          for (const { order, after, flush } of steps) {
            const before = orders.get(order);
            // An order keeps its currency.
            const next = before === undefined ? after : { ...after, currency: before.currency };
            kept.writer.change(String(order), before, next);
            orders.set(order, next);
            if (flush) kept.writer.flush();
          }
          kept.writer.flush();
          using rebuilt = generation();
          for (const [order, last] of orders) rebuilt.writer.change(String(order), undefined, last);
          rebuilt.writer.flush();
          expect(kept.rows()).toEqual(rebuilt.rows());
          for (const [scope, counts] of [
            ["all", () => true],
            [{ buyerId: "li" }, ({ hiddenByBuyer }: Tally) => !hiddenByBuyer],
            [{ merchantId: "main" }, ({ hiddenByMerchant }: Tally) => !hiddenByMerchant],
          ] as const) {
            const own = [...orders.values()].filter((one) => counts(one));
            for (const money of ["paid", "refunded"] as const) {
              const exact: Record<string, bigint> = {};
              for (const one of own) {
                if (one[money] !== 0) exact[one.currency] = (exact[one.currency] ?? 0n) + BigInt(one[money]);
              }
              const expected = Object.entries(exact).map(([currency, sum]) => [currency, told(sum)]);
              expect(kept.read(scope)[money]).toEqual(Object.fromEntries(expected));
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("stay numbers up to the greatest that is exact", () => {
    using kept = generation();
    kept.writer.change("o-1", undefined, plain);
    kept.writer.flush();
    expect(kept.read("all").paid).toEqual({ CNY: max });
    kept.writer.change("o-2", undefined, { ...plain, paid: 1 });
    kept.writer.flush();
    expect(kept.read("all").paid).toEqual({ CNY: "9007199254740992" });
  });
});
