// Deadlines: fired in order, each once, at exactly their second, and never against what was decided meanwhile.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Fired } from "../../src/commands/due.ts";
import type { Engine } from "../../src/engine.ts";
import { buyer, day, merchant, minute, parcel, second, system, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, open, refused, stores, tidyEngines } from "../engines.ts";
import { newFile } from "../store/files.ts";

tidyEngines();

async function fire(engine: Engine, now: number, signal?: AbortSignal): Promise<Fired[]> {
  const fired: Fired[] = [];
  for await (const one of engine.runDue(now, { signal })) fired.push(one);
  return fired;
}

describe.each(stores)("on %s", (_kind, fresh) => {
  it("an unpaid order expires in the second after its deadline, not in it", async () => {
    const engine = await open({ store: fresh() });
    const createdAt = t0 + 250;
    accepted(await engine.execute(newOrder("o-1"), by(buyer, { at: createdAt })));
    const dueAt = createdAt + 30 * minute;
    for (const now of [t0, dueAt - 1, dueAt, dueAt + 1, t0 + 30 * minute + 999])
      expect(await fire(engine, now)).toEqual([]);
    const now = t0 + 30 * minute + second;
    const [fired, ...others] = await fire(engine, now);
    expect(others).toEqual([]);
    expect(fired).toMatchObject({
      orderId: "o-1",
      kind: "unpaid",
      dueAt,
      commandId: `due:o-1:unpaid:${dueAt}`,
    });
    const receipt = accepted((fired as Fired).result);
    expect(receipt).toMatchObject({
      replayed: false,
      events: [{ type: "OrderExpired", at: now, data: { payBy: dueAt } }],
    });
    expect((await engine.history("o-1")).at(-1)?.meta.actor).toEqual({ role: "system", id: "due" });
    expect(await fire(engine, now + day)).toEqual([]);
  });

  it("a fraction of a millisecond is no instant of its own", async () => {
    const engine = await open({ store: fresh() });
    accepted(await engine.execute(newOrder("o-1"), by(buyer, { at: t0 })));
    const now = t0 + 30 * minute + second;
    expect(await fire(engine, now - 0.25)).toEqual([]);
    const [fired] = await fire(engine, now + 0.75);
    expect(accepted((fired as Fired).result).events[0]?.at).toBe(now);
  });

  it.each([Number.NaN, Infinity, -1, 253_402_300_800_000])(
    "%s is no instant to fire or list at",
    async (now) => {
      const engine = await open({ store: fresh() });
      const rule = `now: ${now} is no instant from 0 to 253402300799999`;
      await expect(fire(engine, now)).rejects.toThrow(new RangeError(rule));
      await expect(engine.due(now)[Symbol.asyncIterator]().next()).rejects.toThrow(new RangeError(rule));
    },
  );

  it("receipt is confirmed fifteen days and a second after shipping", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 3);
    const dueAt = t0 + 2 * minute + 15 * day;
    expect(await fire(engine, dueAt)).toEqual([]);
    const [fired] = await fire(engine, dueAt + second);
    expect(fired).toMatchObject({ kind: "autoConfirm", dueAt });
    expect((await engine.views.order("o-1"))?.order).toMatchObject({
      status: "completed",
      receivedBy: "system",
    });
  });

  it("all that are due are fired once, the earliest first, over more than a page", async () => {
    const engine = await open({ store: fresh() });
    const count = 230;
    await Promise.all(
      Array.from({ length: count }, (_, at) =>
        engine.execute(newOrder(`o-${at}`), by(buyer, { at: t0 + ((at * 7) % count) * second })),
      ),
    );
    await live(engine, "paid", 2);
    const soon = await fire(engine, t0 + 30 * minute + 100 * second);
    expect(soon).toHaveLength(100);
    const fired = [...soon, ...(await fire(engine, t0 + day))];
    expect(fired).toHaveLength(count);
    expect(fired.map(({ dueAt }) => dueAt)).toEqual(
      fired.map(({ dueAt }) => dueAt).toSorted((a, b) => a - b),
    );
    expect(new Set(fired.map(({ orderId }) => orderId)).size).toBe(count);
    expect(fired.every(({ result }) => E.isRight(result))).toBe(true);
    expect((await engine.views.statistics()).all).toMatchObject({
      count_id_close: count,
      count_id_no_transfer: 1,
    });
  });

  it("of one instant go in the order of their ids, and none is left out", async () => {
    const engine = await open({ store: fresh() });
    const ids = Array.from({ length: 205 }, (_, at) => `o-${String(at).padStart(3, "0")}`);
    await Promise.all(ids.toReversed().map((orderId) => engine.execute(newOrder(orderId), by(buyer))));
    expect((await fire(engine, t0 + day)).map(({ orderId }) => orderId)).toEqual(ids);
  });

  it("what was paid, cancelled or confirmed in time is left alone", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "paid", 2);
    await live(engine, "received", 4);
    await live(engine, "cancelled", 1);
    accepted(await engine.execute({ type: "CancelOrder", orderId: "cancelled" }, by(buyer)));
    expect(await fire(engine, t0 + 365 * day)).toEqual([]);
  });

  it("a deadline that stands again stands in decide: an ExpireOrder too early is refused", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    const expire = { type: "ExpireOrder", orderId: "o-1" };
    expect(refused(await engine.execute(expire, by(system, { at: t0 + 30 * minute })))).toEqual({
      code: "notDue",
      command: "ExpireOrder",
      dueAt: t0 + 30 * minute,
      at: t0 + 30 * minute,
    });
  });

  it("that another settled between the list and the firing is not fired", async () => {
    const engine = await open({ store: fresh() });
    for (const orderId of ["o-1", "o-2", "o-3"]) await live(engine, orderId, 1);
    const seen: string[] = [];
    for await (const { orderId } of engine.runDue(t0 + 31 * minute)) {
      seen.push(orderId);
      const pay = { type: "Pay", orderId: "o-2", payId: "p-2", amount: 5_800, channel: "online" };
      if (orderId === "o-1") accepted(await engine.execute(pay, by(buyer, { at: t0 + 31 * minute })));
    }
    expect(seen).toEqual(["o-1", "o-3"]);
    expect((await engine.state("o-2")).status).toBe("paid");
  });

  it("of an order whose clock is ahead is refused, told, and does not stop the others", async () => {
    const engine = await open({ store: fresh(), terms: { "*": { autoConfirmDays: 1 } } });
    await live(engine, "ahead", 3);
    const correct = { type: "CorrectShipment", orderId: "ahead", shipments: [parcel] };
    accepted(await engine.execute(correct, by(merchant, { at: t0 + 9 * day })));
    await live(engine, "o-1", 3);
    const fired = await fire(engine, t0 + 2 * day);
    expect(fired.map(({ orderId, result }) => [orderId, result._tag])).toEqual([
      ["ahead", "Left"],
      ["o-1", "Right"],
    ]);
    expect(refused((fired[0] as Fired).result).code).toBe("timeRunsBackwards");
  });

  it("of an order whose id leaves no room in a command id is fired too", async () => {
    const engine = await open({ store: fresh() });
    const orderId = "x".repeat(124);
    await live(engine, orderId, 3);
    const dueAt = t0 + 2 * minute + 15 * day;
    const [fired] = await fire(engine, dueAt + second);
    expect(fired).toMatchObject({ orderId, commandId: `due:autoConfirm:${dueAt}` });
    expect(accepted((fired as Fired).result).replayed).toBe(false);
    expect(await fire(engine, dueAt + day)).toEqual([]);
  });

  it("terms without a window set no deadline", async () => {
    const engine = await open({
      store: fresh(),
      terms: { "*": { payWindowMinutes: 0, autoConfirmDays: 0 } },
    });
    await live(engine, "o-1", 1);
    await live(engine, "o-2", 3);
    expect(await fire(engine, t0 + 3_650 * day)).toEqual([]);
  });

  it("can be stopped between two, and taken up again", async () => {
    const engine = await open({ store: fresh() });
    for (const orderId of ["o-1", "o-2", "o-3"]) await live(engine, orderId, 1);
    const reason = new Error("enough");
    const controller = new AbortController();
    const seen: string[] = [];
    const run = (async () => {
      for await (const { orderId } of engine.runDue(t0 + day, { signal: controller.signal })) {
        seen.push(orderId);
        controller.abort(reason);
      }
    })();
    await expect(run).rejects.toBe(reason);
    expect(seen).toEqual(["o-1"]);
    expect((await fire(engine, t0 + day)).map(({ orderId }) => orderId)).toEqual(["o-2", "o-3"]);
  });
});

describe("two engines at once", () => {
  it("fire each deadline once", async () => {
    const store = `sqlite:${newFile()}`;
    const [one, other] = [await open({ store }), await open({ store })];
    await Promise.all(
      Array.from({ length: 120 }, (_, at) =>
        (at % 2 === 0 ? one : other).execute(newOrder(`o-${at}`), by(buyer, { at: t0 + at })),
      ),
    );
    const fired = (await Promise.all([one, other].map((engine) => fire(engine, t0 + day)))).flat();
    const first = fired.filter(({ result }) => E.isRight(result) && !result.right.replayed);
    expect(first).toHaveLength(120);
    // Whoever came second for one was given its receipt, or found nothing to fire any more.
    expect(fired.every(({ result }) => E.isRight(result))).toBe(true);
    for (let at = 0; at < 120; at += 1) {
      expect((await one.history(`o-${at}`)).map(({ event }) => event.type)).toEqual([
        "OrderCreated",
        "OrderExpired",
      ]);
    }
  });
});
