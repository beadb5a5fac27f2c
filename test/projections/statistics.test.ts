// Order statistics: the six counts by S0's names, per buyer, per merchant and in all, always as a scan would count them.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Engine } from "../../src/engine.ts";
import type { Statistics } from "../../src/projections/statistics.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
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

  it("sums beyond what a number holds exactly are kept exactly and answered all the same", async () => {
    const url = fresh();
    const store = kind === "sqlite" ? await openSqliteStore(url.slice("sqlite:".length)) : url;
    const engine = await open({ store });
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
    expect(all.paid["CNY"]).toBeCloseTo(3 * Number.MAX_SAFE_INTEGER, -3);
    if (store instanceof Object) {
      const kept = store.database.prepare("SELECT paid FROM statistics_1 WHERE scope = 'all'");
      kept.setReadBigInts(true);
      // Written together, and still exact: no double holds an odd number beyond 2^53.
      expect(kept.get()).toEqual({ paid: 3n * BigInt(Number.MAX_SAFE_INTEGER) });
    }
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
