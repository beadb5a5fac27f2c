// The engine as a service sees it: opening, subscribing, reading only, looking up codes, closing.

import { copyFileSync } from "node:fs";

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import { redemptionCode } from "../src/commands/redemption.ts";
import type { Command } from "../src/domain/commands.ts";
import { limits } from "../src/domain/limits.ts";
import { openEngine } from "../src/engine.ts";
import type { Envelope } from "../src/store/codec.ts";
import { openMemoryStore } from "../src/store/memory.ts";
import { buyer, merchant, minute, parcel, staff, t0 } from "./domain/orders.ts";
import {
  accepted,
  answers,
  by,
  live,
  newCase,
  newOrder,
  open,
  refused,
  stores,
  tidyEngines,
} from "./engines.ts";
import { newFile, openFile } from "./store/files.ts";

tidyEngines();

async function take(from: AsyncIterable<Envelope>, count: number): Promise<Envelope[]> {
  const taken: Envelope[] = [];
  for await (const envelope of from) {
    taken.push(envelope);
    if (taken.length === count) break;
  }
  return taken;
}

describe("opening", () => {
  it.each(["", "memory", "sqlite:", "postgres://x", "MEMORY:"])(
    "refuses the store %j by name",
    async (store) => {
      await expect(openEngine({ store })).rejects.toThrow(
        `store: ${JSON.stringify(store)} is none of memory:, sqlite:FILE, esdb://HOST:PORT and esdb+discover://HOST:PORT`,
      );
    },
  );

  it("takes a store that is open, and closes it", async () => {
    for (const store of [openMemoryStore(), await openFile(newFile())]) {
      const engine = await openEngine({ store, clock: () => t0 });
      accepted(await engine.execute(newOrder("o-1"), by(buyer)));
      expect((await engine.views.statistics()).all.orders).toBe(1);
      await engine.close();
      await expect(store.head()).rejects.toMatchObject({ code: "closed" });
    }
  });

  it("uses the machine's clock without another", async () => {
    const before = Date.now();
    await using engine = await openEngine({ store: "memory:" });
    const { events } = accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    expect(events[0]?.at).toBeGreaterThanOrEqual(before);
    expect(events[0]?.at).toBeLessThanOrEqual(Date.now());
  });

  it("answers what was asked before it was closed", async () => {
    for (const [, fresh] of stores) {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 2);
      await engine.caughtUp();
      const { views } = engine;
      const asked = [
        views.told("o-1"),
        views.owner("o-1"),
        views.orders(),
        views.counts("all"),
        views.refundHistory(),
      ];
      await engine.close();
      for (const settled of await Promise.allSettled(asked)) expect(settled.status).toBe("fulfilled");
    }
  });

  it("is done with once it is closed, and closing again is nothing", async () => {
    for (const [, fresh] of stores) {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 2);
      await Promise.all([engine.close(), engine.close()]);
      await engine.close();
      const closed = { code: "closed" };
      await expect(engine.execute(newOrder("o-2"), by(buyer))).rejects.toMatchObject(closed);
      await expect(
        engine.execute({ type: "Pay", orderId: "o-1", payId: "p", amount: 1, channel: "online" }, by(buyer)),
      ).rejects.toMatchObject(closed);
      await expect(engine.preview(newOrder("o-1"), by(buyer))).rejects.toMatchObject(closed);
      await expect(engine.views.statistics()).rejects.toMatchObject(closed);
      await expect(engine.history("o-1")).rejects.toMatchObject(closed);
      await expect(engine.head()).rejects.toMatchObject(closed);
    }
  });

  it("finishes what is in flight before it closes", async () => {
    const path = newFile();
    const engine = await open({ store: `sqlite:${path}` });
    const sent = Array.from({ length: 20 }, (_, at) => engine.execute(newOrder(`o-${at}`), by(buyer)));
    await engine.close();
    const receipts = (await Promise.all(sent)).map(accepted);
    const again = await open({ store: `sqlite:${path}` });
    expect((await again.views.statistics()).all.orders).toBe(receipts.length);
  });
});

describe.each(stores)("a subscription on %s", (_kind, fresh) => {
  it("catches up, then goes on live, in the order of commits", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 3);
    const subscription = engine.subscribe()[Symbol.asyncIterator]();
    const seen: string[] = [];
    const next = async () => {
      const { value, done } = await subscription.next();
      if (done === true) throw new Error("ended");
      seen.push(`${value.stream}@${value.revision} ${value.event.type}`);
    };
    for (let at = 0; at < 4; at += 1) await next();
    const coming = next();
    await live(engine, "o-2", 2);
    await coming;
    await next();
    await next();
    expect(seen).toEqual([
      "order-o-1@0 OrderCreated",
      "order-o-1@1 OrderPaid",
      "order-o-1@2 StockDeducted",
      "order-o-1@3 OrderShipped",
      "order-o-2@0 OrderCreated",
      "order-o-2@1 OrderPaid",
      "order-o-2@2 StockDeducted",
    ]);
    await subscription.return?.();
  });

  it("resumes behind a position", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 3);
    const [first, second] = await take(engine.subscribe(), 4);
    expect(first?.event.type).toBe("OrderCreated");
    const rest = await take(engine.subscribe({ after: second?.position }), 2);
    expect(rest.map(({ event }) => event.type)).toEqual(["StockDeducted", "OrderShipped"]);
  });

  it("ends when its signal aborts, and when the engine closes", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    const controller = new AbortController();
    let given = 0;
    const until = async (signal?: AbortSignal) => {
      const types: string[] = [];
      for await (const { event } of engine.subscribe({ signal })) {
        types.push(event.type);
        given += 1;
        if (signal !== undefined) controller.abort();
      }
      return types;
    };
    expect(await until(controller.signal)).toEqual(["OrderCreated"]);
    expect(await until(AbortSignal.abort())).toEqual([]);
    given = 0;
    const waiting = until();
    await live(engine, "o-2", 1);
    await expect.poll(() => given).toBeGreaterThan(0);
    await engine.close();
    expect(await waiting).toEqual(expect.arrayContaining(["OrderCreated"]));
  });

  it("refuses a position that no receipt gave", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    await expect(take(engine.subscribe({ after: "yesterday" }), 1)).rejects.toMatchObject({
      code: "invalid",
    });
  });
});

describe("a store opened for reading only", () => {
  it("answers everything, and refuses to append", async () => {
    const path = newFile();
    const writer = await open({ store: `sqlite:${path}` });
    await live(writer, "o-1", 5);
    await live(writer, "o-2", 2);
    // The views may not have written what they hold: whoever reads only must not be behind for that.
    const reader = await open({ store: `sqlite:${path}`, readOnly: true });
    expect(await answers(reader)).toEqual(await answers(writer));
    await live(writer, "o-3", 1);
    const created = by(buyer);
    accepted(await writer.execute(newOrder("o-5"), created));
    expect(accepted(await reader.execute(newOrder("o-5"), created)).replayed).toBe(true);
    expect((await reader.views.statistics({ buyerId: "buyer-1" })).buyer?.orders).toBe(4);
    expect((await reader.views.orders({ text: "o-3" })).orders).toHaveLength(1);
    expect((await reader.views.orders({ limit: 1 })).orders[0]?.orderId).toBe("o-5");
    expect((await reader.views.order("o-1"))?.order.status).toBe("completed");
    expect((await reader.replay()).orders).toBe(4);
    for (const { view, different } of await reader.check()) expect([view, different]).toEqual([view, 0]);
    await expect(reader.execute(newOrder("o-4"), by(buyer))).rejects.toMatchObject({ code: "denied" });
    expect(E.isRight(await reader.preview(newOrder("o-4"), by(buyer)))).toBe(true);
    expect(await reader.execute(newOrder("o-3"), by(buyer))).toMatchObject({ left: { code: "orderExists" } });
    expect(refused(await reader.preview(newOrder("o-4", { orderNo: "o-1" }), by(buyer))).code).toBe(
      "orderNoUsed",
    );
    await expect(reader.rebuild("orders")).rejects.toMatchObject({ code: "denied" });
  });

  it("may be a copy that was taken while its views were behind", async () => {
    const path = newFile();
    const some = await open({ store: `sqlite:${path}`, views: ["statistics"] });
    await live(some, "o-1", 1);
    await some.close();
    const copy = newFile();
    copyFileSync(path, copy);
    const reader = await open({ store: `sqlite:${copy}`, readOnly: true });
    expect((await reader.views.statistics()).all.orders).toBe(1);
    expect((await reader.views.orders({ text: "tea" })).orders).toHaveLength(1);
    expect(await reader.views.status()).toHaveLength(1);
    const due: unknown[] = [];
    for await (const one of reader.due(t0 + 31 * minute)) due.push(one);
    expect(due).toMatchObject([{ orderId: "o-1", kind: "unpaid", dueAt: t0 + 30 * minute }]);
  });

  it("must be there", async () => {
    const missing = newFile();
    await expect(openEngine({ store: `sqlite:${missing}`, readOnly: true })).rejects.toMatchObject({
      name: "StoreError",
    });
  });
});

describe("write-off codes", () => {
  const redeemKey = "a key for tests";
  const pickup = { redeemable: true, fulfilment: "pickup" as const };

  it.each(stores)("are derived, found and redeemed on %s", async (_kind, fresh) => {
    const engine = await open({ store: fresh(), redeemKey, terms: { "*": { redeemStaff: [staff.id] } } });
    accepted(await engine.execute(newOrder("o-1", pickup), by(buyer)));
    const code = await engine.redemptionCode("o-1");
    expect(code).toMatch(/^[A-Z2-7]{12}$/);
    expect(code).toBe(redemptionCode(redeemKey, "o-1"));
    expect(await engine.orderByCode(code as string)).toBe("o-1");
    expect(await engine.orderByCode(` ${(code as string).toLowerCase()} `)).toBe("o-1");
    expect(await engine.orderByCode("AAAAAAAAAAAA")).toBeUndefined();
    expect(await engine.redemptionCode("o-9")).toBeUndefined();
    // Neither the code nor anything that gives it away is stored.
    expect(JSON.stringify((await engine.history("o-1")).map(({ event }) => event))).not.toContain(code);
    accepted(
      await engine.execute(
        { type: "Pay", orderId: "o-1", payId: "p", amount: 5_800, channel: "online" },
        by(buyer),
      ),
    );
    const redeem = { type: "Redeem", orderId: "o-1", code };
    expect(refused(await engine.execute({ ...redeem, code: "WRONG" }, by(staff))).code).toBe(
      "redemptionCodeWrong",
    );
    expect(refused(await engine.execute(redeem, by({ role: "staff", id: "other" }))).code).toBe(
      "staffNotListed",
    );
    accepted(await engine.execute(redeem, by(staff)));
    expect(refused(await engine.execute(redeem, by(staff)))).toMatchObject({
      code: "orderStatusNotEligible",
      also: [{ code: "alreadyRedeemed", at: t0 }],
    });
  });

  it("are refused without a key, and unknown without one", async () => {
    const engine = await open({ store: "memory:" });
    expect(refused(await engine.execute(newOrder("o-1", pickup), by(buyer))).code).toBe("redeemKeyMissing");
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    expect(await engine.redemptionCode("o-1")).toBeUndefined();
    expect(await engine.orderByCode("AAAAAAAAAAAA")).toBeUndefined();
  });

  it("of orders without one are none", async () => {
    const engine = await open({ store: "memory:", redeemKey });
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    expect(await engine.redemptionCode("o-1")).toBeUndefined();
    expect(await engine.orderByCode(redemptionCode(redeemKey, "o-1"))).toBeUndefined();
  });
});

describe("an order of as many lines as there may be", () => {
  it("goes its whole way, is seen in every view, and its last line is as good as its first", async () => {
    const engine = await open({ store: `sqlite:${newFile()}` });
    const lines = Array.from({ length: limits.linesPerOrder }, (_, at) => ({
      lineId: `L${at}`,
      goodsId: `G${at}`,
      title: `Tea ${at}`,
      unitPrice: 1_000 + at,
      quantity: 2,
    }));
    const total = lines.reduce((sum, { unitPrice }) => sum + unitPrice * 2, 0);
    const orderId = "o-1";
    const last = "L1999";
    for (const [command, actor] of [
      [newOrder(orderId, { lines, charges: [] }), buyer],
      [{ type: "Pay", orderId, payId: "p", amount: total, channel: "online" }, buyer],
      [{ type: "Ship", orderId, shipments: [parcel] }, merchant],
      [{ type: "ConfirmReceipt", orderId }, buyer],
      [{ type: "Review", orderId, items: lines.map(({ lineId }) => ({ lineId, rating: "neutral" })) }, buyer],
      [newCase(orderId, { lineId: last, caseType: "returnRefund", quantity: 2, amount: 5_998 }), buyer],
    ] as const) {
      accepted(await engine.execute(command, by(actor, { at: t0 })));
    }
    expect((await engine.views.orders({ text: "tea 1999" })).orders).toMatchObject([{ orderId }]);
    expect(await engine.views.refund({ orderId, lineId: last })).toMatchObject({
      line: { lineId: last },
      refund: { case: { amount: 5_998, status: "requested" } },
      refundable: { quantity: 0, amount: 0 },
    });
    expect((await engine.views.statistics()).all).toMatchObject({
      lines: 2_000,
      units: 4_000,
      cases: { requested: 1 },
    });
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
    const line = { ...lines[0], lineId: "one-more" };
    expect(
      refused(await engine.execute(newOrder("o-2", { lines: [...lines, line] as never }), by(buyer))),
    ).toMatchObject({ code: "invalidCommand", issues: [{ field: "lines" }] });
  });
});

describe("bad input", () => {
  it.each(stores)("writes nothing, and the engine goes on, on %s", async (_kind, fresh) => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    const head = await engine.head();
    const bad: unknown[] = [null, 5, "x", [], {}, { type: "Vanish", orderId: "o-1" }, { type: "Pay" }];
    for (const command of bad) {
      expect(refused(await engine.execute(command, by(buyer))).code).toBe("invalidCommand");
      expect(refused(await engine.preview(command, by(buyer))).code).toBe("invalidCommand");
    }
    const huge = { lineId: "L", goodsId: "G", title: "T", unitPrice: Number.MAX_SAFE_INTEGER, quantity: 2 };
    expect(refused(await engine.execute(newOrder("o-2", { lines: [huge] }), by(buyer)))).toMatchObject({
      code: "amountTooLarge",
    });
    const once = { ...huge, quantity: 1 };
    expect(refused(await engine.execute(newOrder("o-2", { lines: [once] }), by(buyer)))).toMatchObject({
      code: "amountTooLarge",
      field: "charges",
    });
    expect(refused(await engine.execute(newOrder("o-2", { lines: [once, once] }), by(buyer))).code).toBe(
      "lineIdTwice",
    );
    expect(refused(await engine.execute(newOrder("o-1"), undefined as never)).code).toBe("invalidCommand");
    expect(await engine.head()).toBe(head);
    accepted(
      await engine.execute(
        { type: "Pay", orderId: "o-1", payId: "p", amount: 5_800, channel: "online" },
        by(buyer),
      ),
    );
  });

  it("that changes after it was given is not what is recorded", async () => {
    const engine = await open({ store: "memory:" });
    const line = { lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 1 };
    const command = { ...newOrder("o-1", { lines: [line], charges: [] }), source: { deep: { list: [1] } } };
    const running = engine.execute(command, { actor: buyer, commandId: "c-1" });
    command.source.deep.list.push(2);
    line.unitPrice = 5;
    accepted(await running);
    expect((await engine.history("o-1"))[0]?.event.data).toMatchObject({
      total: 1_000,
      source: [["deep", { list: [1] }]],
    });
  });
});

describe("the types of the door", () => {
  it("let a typed command through as it is", async () => {
    const engine = await open({ store: "memory:" });
    const command: Command = {
      type: "CreateOrder",
      orderId: "o-1",
      currency: "CNY",
      lines: [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 1 }],
      fulfilment: "express",
    };
    accepted(await engine.execute(command, by(buyer)));
    const shipping: Command = { type: "Ship", orderId: "o-1", shipments: [parcel] };
    expect(refused(await engine.execute(shipping, by(merchant, { at: t0 + minute }))).code).toBe(
      "orderStatusNotEligible",
    );
  });
});

describe.each(stores)("the orders that changed, on %s", (_kind, fresh) => {
  it("come page by page, each once in a page, and nothing after the last", async () => {
    const engine = await open({ store: fresh() });
    expect(await engine.changes()).toEqual({ orderIds: [], position: undefined, end: true });
    await live(engine, "o-2", 2);
    await live(engine, "o-1", 1);
    const all = await engine.changes();
    expect(all).toEqual({ orderIds: ["o-2", "o-1"], position: await engine.head(), end: true });
    const first = await engine.changes({ limit: 2 });
    expect(first).toMatchObject({ orderIds: ["o-2"], end: false });
    const found = [...first.orderIds];
    let page = first;
    while (!page.end) {
      page = await engine.changes({ after: page.position, limit: 2 });
      found.push(...page.orderIds);
    }
    expect([...new Set(found)]).toEqual(["o-2", "o-1"]);
    expect(await engine.changes({ after: all.position })).toEqual({
      orderIds: [],
      position: all.position,
      end: true,
    });
  });

  it("come up to the end of an append, wherever the page ends", async () => {
    const engine = await open({ store: fresh() });
    const lines = [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 0, quantity: 1 }];
    // What costs nothing is paid at once: several events in one append.
    for (const orderId of ["o-1", "o-2"]) {
      accepted(await engine.execute(newOrder(orderId, { lines, charges: [] }), by(buyer)));
    }
    expect((await engine.history("o-1")).length).toBeGreaterThan(1);
    const { position: head } = await engine.changes();
    for (const limit of [1, 2, 3]) {
      const found: string[] = [];
      let after: string | undefined;
      for (;;) {
        const page = await engine.changes({ after, limit });
        for (const orderId of page.orderIds) {
          const told = await engine.views.order(orderId, { at: { position: page.position as string } });
          expect(told?.order.paidAt).toBe(t0);
        }
        found.push(...page.orderIds);
        after = page.position;
        if (page.end) break;
      }
      expect([...new Set(found)]).toEqual(["o-1", "o-2"]);
      expect(after).toBe(head);
    }
  });
});
