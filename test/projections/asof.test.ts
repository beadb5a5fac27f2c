// Looking back: what the views answer for a position, an instant or a revision is what they answered then (invariant 25).

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { buildScratch } from "../../src/projections/asof.ts";
import { type OrderPage, ordersView } from "../../src/projections/orders.ts";
import { anyView } from "../../src/projections/view.ts";
import { openDatabase } from "../../src/store/database.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import type { StatisticsAnswer } from "../../src/engine.ts";
import { buyer, minute, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, open, stores, tidyEngines } from "../engines.ts";
import { livesOptions, play, statesOf, step } from "./lives.ts";

tidyEngines();

const asked = { buyerId: "buyer-1", merchantId: "main" };

it("a view folded apart is gone when it is done with, unless its database is the caller's", async () => {
  const { local } = openMemoryStore();
  const into = openDatabase(":memory:");
  for (const given of [undefined, into]) {
    const scratch = await buildScratch(local, anyView(ordersView), {}, { into: given });
    const ask = () => scratch.database.prepare(`SELECT count(*) AS n FROM ${scratch.prefix}`).get();
    expect(ask()).toEqual({ n: 0 });
    scratch[Symbol.dispose]();
    if (given === undefined) expect(ask).toThrow(/not open|closed/);
    else expect(ask()).toEqual({ n: 0 });
  }
  into.close();
});

describe.each(stores)("on %s", (kind, fresh) => {
  it("answers as of a position or an instant are those that were given then", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), async (steps) => {
        await using engine = await open({ store: fresh(), ...livesOptions });
        interface Moment {
          readonly at: number;
          readonly position: string;
          readonly statistics: StatisticsAnswer;
          readonly orders: OrderPage;
          readonly mine: OrderPage;
          readonly statuses: Record<string, number>;
        }
        const moments: Moment[] = [];
        await play(engine, steps, async (at) => {
          const position = await engine.head();
          if (position === undefined) return;
          moments.push({
            at,
            position,
            statistics: await engine.views.statistics(asked),
            orders: await engine.views.orders({ limit: 100 }),
            mine: await engine.views.orders({ limit: 100, scope: { buyerId: "buyer-1" }, text: "tea" }),
            statuses: { ...(await engine.replay()).statuses },
          });
        });
        for (const { at: time, position, statistics, orders, mine, statuses } of moments) {
          for (const at of [{ position }, { time }, { position, time }]) {
            expect(await engine.views.statistics({ ...asked, at })).toEqual(statistics);
            expect(await engine.views.orders({ limit: 100, at })).toEqual(orders);
            expect(
              await engine.views.orders({ limit: 100, scope: { buyerId: "buyer-1" }, text: "tea", at }),
            ).toEqual(mine);
            expect((await engine.replay({ at })).statuses).toEqual(statuses);
          }
        }
      }),
      { numRuns: kind === "memory" ? 12 : 4 },
    );
  });

  it("an order as of a revision, a position or an instant is what it was then", async () => {
    const engine = await open({ store: fresh() });
    const seen: unknown[] = [];
    const positions: string[] = [];
    for (let steps = 1; steps <= 6; steps += 1) {
      await live(engine, `other-${steps}`, 1);
      const receipt = await live(engine, `o-${steps}`, steps);
      positions.push(receipt.position);
    }
    // One life, looked at from its end.
    const history = await engine.history("o-6");
    for (const { revision, position } of history) {
      const detail = await engine.views.order("o-6", { at: { revision } });
      expect(detail?.revision).toBe(revision);
      expect(detail?.log).toHaveLength(Number(revision) + 1);
      expect(await engine.views.order("o-6", { at: { position } })).toEqual(detail);
      seen.push(detail?.order.status);
    }
    expect(seen).toEqual([
      "pendingPayment",
      "paid",
      "paid",
      "shipped",
      "completed",
      "completed",
      "completed",
    ]);
    for (let steps = 0; steps < 6; steps += 1) {
      const then = await engine.views.order("o-6", { at: { time: t0 + steps * minute } });
      expect(then?.log.at(-1)?.at).toBe(t0 + steps * minute);
      const { log: _log, ...past } = then as NonNullable<typeof then>;
      const { log: _other, ...same } = (await engine.views.order(`o-${steps + 1}`)) as NonNullable<
        typeof then
      >;
      expect(past).toEqual({
        ...same,
        order: { ...same.order, orderId: "o-6", orderNo: "o-6", payments: past.order.payments },
      });
    }
    expect(await engine.views.order("o-6", { at: { time: t0 - 1 } })).toBeUndefined();
    expect(await engine.views.order("o-6", { at: { position: positions[0] } })).toBeUndefined();
    expect((await engine.views.order("o-6", { at: { revision: 99n } }))?.revision).toBe(6n);
  });

  it("before the first order there is none, after the last are all", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 3);
    const ordersAt = async (time: number) => (await engine.views.statistics({ at: { time } })).all.orders;
    expect([await ordersAt(t0 - 1), await ordersAt(t0), await ordersAt(t0 + 99 * minute)]).toEqual([0, 1, 1]);
    expect((await engine.views.orders({ at: { time: t0 - 1 } })).orders).toEqual([]);
  });

  it("leaves the present as it is, and can be stopped", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 3);
    const before = await statesOf(engine);
    const done: number[] = [];
    await engine.views.statistics({ at: { time: t0 }, onProgress: (orders) => done.push(orders) });
    expect(done).toEqual([1]);
    expect(await statesOf(engine)).toEqual(before);
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(engine.views.statistics({ at: { time: t0 }, signal })).rejects.toBe(reason);
    await expect(engine.views.orders({ at: { time: t0 }, text: "tea", signal })).rejects.toBe(reason);
  });

  it("pages as of then do not see what came since", async () => {
    const engine = await open({ store: fresh() });
    for (let n = 0; n < 5; n += 1)
      accepted(await engine.execute(newOrder(`o-${n}`), by(buyer, { at: t0 + n })));
    const at = { position: await engine.head() };
    const one = await engine.views.orders({ limit: 3, at });
    for (let n = 5; n < 9; n += 1) accepted(await engine.execute(newOrder(`o-${n}`), by(buyer, { at: t0 })));
    const two = await engine.views.orders({ limit: 3, at, cursor: one.next });
    expect([...one.orders, ...two.orders].map(({ orderId }) => orderId)).toEqual([
      "o-4",
      "o-3",
      "o-2",
      "o-1",
      "o-0",
    ]);
    expect(two.next).toBeUndefined();
  });

  it("a position that no receipt gave is refused", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    await expect(engine.views.statistics({ at: { position: "yesterday" } })).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(engine.replay({ at: { position: "-1" } })).rejects.toMatchObject({ code: "invalid" });
  });
});
