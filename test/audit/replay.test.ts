// Replaying: every order folded anew from its events alone comes to the state that is kept, on one core or several.

import { fileURLToPath } from "node:url";

import { describe, expect, inject, it } from "vitest";

import type * as Door from "../../src/index.ts";
import type { OrderState } from "../../src/domain/state.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { buyer, minute, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, open, stores, tidyEngines } from "../engines.ts";
import { newFile } from "../store/files.ts";

tidyEngines();

describe.each(stores)("on %s", (_kind, fresh) => {
  it("each order's state is the one that is kept, and the totals add up", async () => {
    const engine = await open({ store: fresh() });
    const lives = [
      ["o-1", 6],
      ["o-2", 3],
      ["o-3", 2],
      ["o-4", 1],
      ["o-5", 2],
    ] as const;
    for (const [orderId, steps] of lives) await live(engine, orderId, steps);
    const states = new Map<string, OrderState>();
    const totals = await engine.replay({ onOrder: (orderId, state) => states.set(orderId, state) });
    expect([...states.keys()]).toEqual(lives.map(([orderId]) => orderId));
    for (const [orderId, state] of states) expect(state).toEqual(await engine.state(orderId));
    expect(totals).toEqual({
      orders: 5,
      events: 7 + 4 + 3 + 1 + 3,
      statuses: { completed: 1, paid: 2, pendingPayment: 1, shipped: 1 },
      paid: { CNY: 4 * 5_800 },
    });
  });

  it("stops at a position or an instant", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 2);
    const position = await engine.head();
    await live(engine, "o-2", 3);
    expect(await engine.replay({ at: { position } })).toMatchObject({
      orders: 1,
      events: 3,
      statuses: { paid: 1 },
    });
    expect(await engine.replay({ at: { time: t0 } })).toMatchObject({
      orders: 2,
      events: 2,
      statuses: { pendingPayment: 2 },
    });
    expect(await engine.replay({ at: { time: t0 + minute } })).toMatchObject({ statuses: { paid: 2 } });
    expect(await engine.replay({ at: { time: t0 - 1 } })).toEqual({
      orders: 0,
      events: 0,
      statuses: {},
      paid: {},
    });
  });

  it("of an empty store comes to nothing", async () => {
    const engine = await open({ store: fresh() });
    expect(await engine.replay()).toEqual({ orders: 0, events: 0, statuses: {}, paid: {} });
  });

  it("can be stopped, and tells how far it is", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    const done: (readonly [number, number])[] = [];
    await engine.replay({ onProgress: (orders, total) => done.push([orders, total]) });
    expect(done).toEqual([[1, 1]]);
    const reason = new Error("enough");
    await expect(engine.replay({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it.each([0, -1, 1.5, Number.NaN])("with %s workers is refused", async (workers) => {
    const engine = await open({ store: fresh() });
    await expect(engine.replay({ workers })).rejects.toThrow(/^workers must be 1 or more/);
  });
});

describe("on several cores", () => {
  async function built(): Promise<typeof Door> {
    const failure = inject("buildFailure");
    if (failure !== "") throw new Error(failure);
    return (await import(fileURLToPath(new URL("../../dist/index.js", import.meta.url)))) as typeof Door;
  }

  it("comes to the same as on one, also as of then", async () => {
    const { openEngine } = await built();
    const path = newFile();
    const written = await open({ store: `sqlite:${path}` });
    await Promise.all(Array.from({ length: 60 }, (_, at) => live(written, `o-${at}`, 1 + (at % 6))));
    const position = await written.head();
    await Promise.all(Array.from({ length: 30 }, (_, at) => live(written, `later-${at}`, 2)));
    await written.close();
    await using engine = await openEngine({ store: `sqlite:${path}` });
    for (const at of [
      undefined,
      { position },
      { time: t0 + 2 * minute },
      { position, time: t0 },
      { time: t0 - 1 },
    ]) {
      const one = await engine.replay({ at });
      const progress: number[] = [];
      for (const workers of [2, 3]) {
        expect(await engine.replay({ at, workers, onProgress: (done) => progress.push(done) })).toEqual(one);
      }
      expect(progress.length).toBeGreaterThan(0);
      expect(progress.at(-1)).toBe(90);
    }
    const reason = new Error("enough");
    await expect(engine.replay({ workers: 2, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("sums money exactly where a number no longer does", async () => {
    const { openEngine } = await built();
    const path = newFile();
    const written = await open({ store: `sqlite:${path}` });
    for (const [at, amount] of [Number.MAX_SAFE_INTEGER, 1, 2, 1].entries()) {
      const orderId = `o-${at}`;
      const lines = [{ lineId: "L1", goodsId: "A", title: "Palace", unitPrice: amount, quantity: 1 }];
      accepted(await written.execute(newOrder(orderId, { lines, charges: [] }), by(buyer)));
      const pay = { type: "Pay", orderId, payId: `p-${at}`, amount, channel: "online" };
      accepted(await written.execute(pay, by(buyer)));
    }
    await written.close();
    await using engine = await openEngine({ store: `sqlite:${path}` });
    for (const workers of [1, 2, 3]) {
      expect((await engine.replay({ workers })).paid).toEqual({ CNY: "9007199254740995" });
    }
  });

  it("names the event that cannot be read", async () => {
    const { openEngine } = await built();
    const path = newFile();
    const written = await open({ store: `sqlite:${path}` });
    await live(written, "o-1", 2);
    await written.close();
    const { openDatabase } = await import("../../src/store/database.ts");
    const database = openDatabase(path);
    database.exec("UPDATE events SET data = '{' WHERE revision = 1");
    database.close();
    await using engine = await openEngine({ store: `sqlite:${path}` });
    await expect(engine.replay({ workers: 2 })).rejects.toThrow(
      "order-o-1@1 (OrderPaid): its data is no JSON",
    );
    await expect(engine.replay()).rejects.toMatchObject({ code: "corrupt" });
  });
});

describe("a stream that is no order's", () => {
  it("is passed over by replay and views", async () => {
    const store = openMemoryStore();
    const engine = await open({ store });
    await live(engine, "o-1", 1);
    await store.append("checkpoint-1", "none", [
      { id: "00000000-0000-4000-8000-000000000001", type: "Noted", data: "{}", meta: "{}" },
    ]);
    await live(engine, "o-2", 1);
    expect((await engine.replay()).orders).toBe(2);
    expect((await engine.views.statistics()).all.orders).toBe(2);
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
    for (const view of ["statistics", "orders", "search", "cases"]) await engine.rebuild(view);
    expect((await engine.views.statistics()).all.orders).toBe(2);
  });
});
