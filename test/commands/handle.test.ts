// Handling one command: receipts, repeats, expectations, races, and what happens when the store cannot.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import { CommandHandler, type HandlerOptions } from "../../src/commands/handle.ts";
import { policies } from "../../src/commands/terms.ts";
import type { Actor } from "../../src/domain/actor.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import type { Order } from "../../src/domain/state.ts";
import type { Engine } from "../../src/engine.ts";
import { codec } from "../../src/store/codec.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { type EventStore, StoreError, isStoreError } from "../../src/store/port.ts";
import type { SqliteStore } from "../../src/store/sqlite.ts";
import { accepted, by, live, newOrder, open, refused, stepOf, stores, tidyEngines } from "../engines.ts";
import {
  buyer,
  merchant,
  minute,
  parcel,
  rival,
  second,
  staff,
  stranger,
  system,
  t0,
} from "../domain/orders.ts";
import { newFile, openFile } from "../store/files.ts";
import { readEverything } from "../store/samples.ts";

tidyEngines();

const payment = { type: "Pay", orderId: "o-1", payId: "pay-1", amount: 5_800, channel: "online" };
const shipping = { type: "Ship", orderId: "o-1", shipments: [parcel] };

function handlerOn(store: EventStore, over: Partial<HandlerOptions> = {}): CommandHandler {
  return new CommandHandler({
    store,
    clock: () => t0,
    policyOf: policies(undefined),
    companion: { empty: undefined, evolve: () => undefined },
    ...over,
  });
}

function types(events: readonly OrderEvent[]): string[] {
  return events.map(({ type }) => type);
}

async function countOf(store: Pick<EventStore, "readAll">): Promise<number> {
  return (await readEverything(store)).length;
}

/** A store in memory whose appends wait until they are let go, or fail as they are told to. */
function gated() {
  const store = openMemoryStore();
  const waiting: (() => void)[] = [];
  const failures: Error[] = [];
  let gate = false;
  const wrapped: EventStore = {
    kind: store.kind,
    local: store.local,
    append: async (stream, expected, events, options) => {
      if (gate) await new Promise<void>((resolve) => waiting.push(resolve));
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return store.append(stream, expected, events, options);
    },
    readStream: (stream, read) => store.readStream(stream, read),
    readAll: (read) => store.readAll(read),
    takenClaim: (claims, stream) => store.takenClaim(claims, stream),
    head: () => store.head(),
    subscribe: (options) => store.subscribe(options),
    close: () => store.close(),
  };
  return {
    store: wrapped,
    /** From now on appends wait. */
    shut: () => {
      gate = true;
    },
    /** Lets all go that wait, in order, and no append waits any more. */
    letGo: () => {
      gate = false;
      for (const go of waiting.splice(0)) go();
    },
    /** The next append fails, and writes nothing. */
    failNext: (failure: Error) => {
      failures.push(failure);
    },
    waiting: () => waiting.length,
  };
}

/** Lets every promise that can settle now settle. */
async function settledNow(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(stores)("on %s", (_kind, fresh) => {
  describe("a receipt", () => {
    it("names the order, the command, its events and where they stand", async () => {
      const engine = await open({ store: fresh() });
      const created = accepted(await engine.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" }));
      expect(created).toMatchObject({ orderId: "o-1", commandId: "c-1", revision: 0n, replayed: false });
      expect(types(created.events)).toEqual(["OrderCreated"]);
      const paid = accepted(await engine.execute(payment, { actor: buyer, commandId: "c-2" }));
      expect(paid).toMatchObject({ revision: 2n, replayed: false });
      expect(types(paid.events)).toEqual(["OrderPaid", "StockDeducted"]);
      expect(paid.position).toBe(await engine.head());
      const history = await engine.history("o-1");
      expect(history.map(({ event }) => event)).toEqual([...created.events, ...paid.events]);
      expect(history.map(({ revision }) => revision)).toEqual([0n, 1n, 2n]);
      expect(history.map(({ meta }) => meta.commandId)).toEqual(["c-1", "c-2", "c-2"]);
      expect(history.map(({ meta }) => meta.actor)).toEqual([buyer, buyer, buyer]);
      expect(new Set(history.map(({ id }) => id)).size).toBe(3);
    });

    it("of nothing to do has no events and the revision as it stands", async () => {
      const engine = await open({ store: fresh() });
      const before = await live(engine, "o-1", 2);
      const again = accepted(
        await engine.execute({ ...payment, payId: "pay-o-1" }, by(buyer, { at: t0 + minute })),
      );
      expect(again).toMatchObject({
        events: [],
        revision: before.revision,
        position: before.position,
        replayed: false,
      });
      expect(await engine.head()).toBe(before.position);
    });
  });

  describe("a command id given again", () => {
    it("is answered with the first receipt, whatever was appended behind it", async () => {
      const engine = await open({ store: fresh() });
      const first = accepted(await engine.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" }));
      const paid = accepted(await engine.execute(payment, { actor: buyer, commandId: "c-2" }));
      accepted(await engine.execute(shipping, by(merchant)));
      const head = await engine.head();
      const later = { at: t0 + 40 * minute };
      expect(
        accepted(await engine.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1", ...later })),
      ).toEqual({
        ...first,
        replayed: true,
      });
      // Neither another instant nor another expectation makes it another command.
      expect(
        accepted(await engine.execute(payment, { actor: buyer, commandId: "c-2", expect: "none", ...later })),
      ).toEqual({ ...paid, replayed: true });
      expect(await engine.head()).toBe(head);
    });

    it("is answered so while the first is still on its way", async () => {
      const engine = await open({ store: fresh() });
      const asked = { actor: buyer, commandId: "c-1" };
      const [one, two, three] = await Promise.all([
        engine.execute(newOrder("o-1"), asked),
        engine.execute(newOrder("o-1"), asked),
        engine.execute(newOrder("o-1"), asked),
      ]);
      const first = accepted(one);
      expect(first.replayed).toBe(false);
      for (const again of [two, three]) expect(accepted(again)).toEqual({ ...first, replayed: true });
      expect(await engine.history("o-1")).toHaveLength(1);
    });

    it("is another command's, where the command is another", async () => {
      const engine = await open({ store: fresh() });
      accepted(await engine.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" }));
      accepted(await engine.execute(payment, { actor: buyer, commandId: "c-2" }));
      const head = await engine.head();
      const used = { code: "commandIdReused", commandId: "c-2", revision: "1" };
      expect(
        refused(await engine.execute({ ...payment, payId: "pay-2" }, { actor: buyer, commandId: "c-2" })),
      ).toEqual(used);
      expect(refused(await engine.execute(shipping, { actor: merchant, commandId: "c-2" }))).toEqual(used);
      // The same words by somebody else are another command.
      expect(refused(await engine.execute(payment, { actor: system, commandId: "c-2" }))).toEqual(used);
      // It comes before every other rule, the caller's own expectation included.
      expect(
        refused(await engine.execute(shipping, { actor: merchant, commandId: "c-2", expect: 0n })),
      ).toEqual(used);
      expect(await engine.head()).toBe(head);
    });

    it("tells a stranger nothing", async () => {
      const engine = await open({ store: fresh() });
      accepted(await engine.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" }));
      accepted(await engine.execute(payment, { actor: buyer, commandId: "c-2" }));
      const asStranger = async (commandId: string, expect?: bigint) =>
        refused(await engine.execute(payment, { actor: stranger, commandId, expect }));
      const told = await asStranger("never-used");
      expect(told).toEqual({ code: "notOwner", orderId: "o-1", role: "buyer" });
      expect(await asStranger("c-2")).toEqual(told);
      expect(await asStranger("c-1")).toEqual(told);
      expect(await asStranger("never-used", 77n)).toEqual(told);
      expect(refused(await engine.execute(shipping, { actor: rival, commandId: "c-2", expect: 0n }))).toEqual(
        {
          ...told,
          role: "merchant",
        },
      );
    });

    it("is the order's own: another order may use it too", async () => {
      const engine = await open({ store: fresh() });
      accepted(await engine.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" }));
      expect(
        accepted(await engine.execute(newOrder("o-2"), { actor: buyer, commandId: "c-1" })).replayed,
      ).toBe(false);
    });

    it("is not remembered from a refusal", async () => {
      const engine = await open({ store: fresh() });
      accepted(await engine.execute(newOrder("o-1"), by(buyer)));
      const asked = { actor: merchant, commandId: "c-9" };
      expect(refused(await engine.execute(shipping, asked)).code).toBe("orderStatusNotEligible");
      accepted(await engine.execute(payment, by(buyer)));
      expect(accepted(await engine.execute(shipping, asked))).toMatchObject({ replayed: false });
    });

    it("is not remembered from nothing to do", async () => {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 2);
      const asked = { actor: buyer, commandId: "c-9", at: t0 + 5 * minute };
      const again = { ...payment, payId: "pay-o-1" };
      expect(accepted(await engine.execute(again, asked)).events).toEqual([]);
      expect(accepted(await engine.execute(again, asked))).toMatchObject({ events: [], replayed: false });
      // The id is free for another command.
      const shipped = accepted(await engine.execute(shipping, { ...asked, actor: merchant }));
      expect(types(shipped.events)).toEqual(["OrderShipped"]);
    });
  });

  describe("an expectation", () => {
    it("of no order, or of a revision, holds or is a conflict", async () => {
      const engine = await open({ store: fresh() });
      const at = async (command: object, actor: Actor, expect: bigint | "none") =>
        engine.execute(command, by(actor, { expect }));
      expect(refused(await at(payment, buyer, 0n))).toEqual({
        code: "versionConflict",
        expected: "0",
        actual: "none",
      });
      accepted(await at(newOrder("o-1"), buyer, "none"));
      expect(refused(await at(newOrder("o-1"), buyer, "none"))).toEqual({
        code: "versionConflict",
        expected: "none",
        actual: "0",
      });
      expect(refused(await at(payment, buyer, 1n))).toEqual({
        code: "versionConflict",
        expected: "1",
        actual: "0",
      });
      accepted(await at(payment, buyer, 0n));
      expect(refused(await at(shipping, merchant, 0n))).toEqual({
        code: "versionConflict",
        expected: "0",
        actual: "2",
      });
      accepted(await at(shipping, merchant, 2n));
      // A command that would change nothing is held to it too.
      expect(refused(await at({ ...payment, payId: "pay-1" }, buyer, 1n)).code).toBe("versionConflict");
    });

    it("that several share is met by one of them", async () => {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 1);
      const asked = await Promise.all(
        Array.from({ length: 6 }, (_, at) =>
          engine.execute({ ...payment, payId: `pay-${at}` }, by(buyer, { expect: 0n })),
        ),
      );
      expect(asked.filter(E.isRight)).toHaveLength(1);
      for (const answer of asked.filter(E.isLeft)) {
        expect(answer.left).toEqual({ code: "versionConflict", expected: "0", actual: "2" });
      }
    });
  });

  describe("what is returned", () => {
    it("cannot be used to change the order", async () => {
      const engine = await open({ store: fresh() });
      const receipt = accepted(await engine.execute(newOrder("o-1"), by(buyer)));
      const events = receipt.events as unknown as {
        data: { total: number; lines: { unitPrice: number }[] };
      }[];
      expect(receipt.events).toBe(events);
      events[0]!.data.lines[0]!.unitPrice = 1;
      events[0]!.data.lines.pop();
      const kept = (await engine.state("o-1")) as Order;
      expect(kept).toEqual((await engine.views.order("o-1"))?.order);
      const state = (await engine.state("o-1")) as { status: string };
      expect(() => (state.status = "paid")).toThrow(TypeError);
      const { state: next } = accepted(await engine.preview(payment, by(buyer)));
      expect(() => ((next as { status: string }).status = "closed")).toThrow(TypeError);
      accepted(await engine.execute(payment, by(buyer, { commandId: "pay" })));
    });
  });

  describe("a preview", () => {
    it("knows a command id again: nothing comes of the same command, and another is refused it", async () => {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 1);
      const options = { actor: buyer, commandId: "pay-once", at: t0 + minute };
      accepted(await engine.execute(payment, options));
      const again = accepted(await engine.preview(payment, options));
      expect(again).toMatchObject({ revision: 2n, events: [], state: { status: "paid" } });
      const other = { type: "CancelOrder", orderId: "o-1" };
      expect(await engine.preview(other, options)).toEqual(await engine.execute(other, options));
      expect(refused(await engine.preview(other, options)).code).toBe("commandIdReused");
      // A stranger is told what a stranger is told.
      const stranger = { ...options, actor: { role: "buyer", id: "buyer-2" } } as const;
      expect(refused(await engine.preview(other, stranger)).code).toBe("notOwner");
    });

    it("appends nothing, and is what execute then does", async () => {
      const engine = await open({ store: fresh() });
      const life = [0, 1, 2, 3, 4, 5];
      for (const step of life) {
        const [command, actor] = stepOf("o-1", step);
        const at = t0 + step * minute;
        const before = await engine.history("o-1");
        const preview = accepted(await engine.preview(command, by(actor, { at })));
        expect(preview.revision).toBe(before.length === 0 ? "none" : BigInt(before.length - 1));
        expect(await engine.history("o-1")).toEqual(before);
        const receipt = accepted(await engine.execute(command, by(actor, { at })));
        expect(receipt.events).toEqual(preview.events);
        expect((await engine.views.order("o-1"))?.order).toEqual(preview.state);
      }
    });

    it("gives the refusal that execute would", async () => {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 1);
      for (const [command, options] of [
        [shipping, by(merchant)],
        [payment, by(stranger)],
        [{ ...payment, amount: 1 }, by(buyer)],
        [payment, by(buyer, { expect: 5n })],
        [{ ...payment, amount: -1 }, by(buyer)],
      ] as const) {
        const preview = await engine.preview(command, options);
        expect(E.isLeft(preview)).toBe(true);
        expect(await engine.execute(command, options)).toEqual(preview);
      }
    });

    it("of an order of nothing is not stood in the way of by what others name their payments", async () => {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 1);
      accepted(await engine.execute({ ...payment, payId: "free:o-2" }, by(buyer)));
      const free = newOrder("o-2", { discount: 5_800 });
      expect(accepted(await engine.preview(free, by(buyer))).events).toContainEqual(
        expect.objectContaining({
          type: "OrderPaid",
          data: { payId: "free:o-2", amount: 0, channel: "none" },
        }),
      );
      accepted(await engine.execute(free, by(buyer)));
    });

    it("sees what another order has taken, and takes nothing", async () => {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 2);
      accepted(await engine.execute(newOrder("o-2"), by(buyer)));
      for (const [command, code] of [
        [newOrder("o-3", { orderNo: "o-1" }), "orderNoUsed"],
        [{ ...payment, orderId: "o-2", payId: "pay-o-1" }, "paymentIdUsed"],
      ] as const) {
        const preview = await engine.preview(command, by(buyer));
        expect(refused(preview).code).toBe(code);
        expect(await engine.execute(command, by(buyer))).toEqual(preview);
      }
      accepted(await engine.preview({ ...payment, orderId: "o-2", payId: "pay-o-2" }, by(buyer)));
      accepted(await engine.execute(newOrder("o-3", { orderNo: "pay-o-2" }), by(buyer)));
      accepted(await engine.execute({ ...payment, orderId: "o-3", payId: "pay-o-2" }, by(buyer)));
    });

    it("does not use its command id up", async () => {
      const engine = await open({ store: fresh() });
      accepted(await engine.preview(newOrder("o-1"), { actor: buyer, commandId: "c-1" }));
      const receipt = accepted(await engine.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" }));
      expect(receipt.replayed).toBe(false);
    });
  });

  describe("an aborted signal", () => {
    it("stops a command before anything is appended", async () => {
      const engine = await open({ store: fresh() });
      const reason = new Error("enough");
      await expect(
        engine.execute(newOrder("o-1"), by(buyer, { signal: AbortSignal.abort(reason) })),
      ).rejects.toBe(reason);
      await expect(
        engine.preview(newOrder("o-1"), by(buyer, { signal: AbortSignal.abort(reason) })),
      ).rejects.toBe(reason);
      expect(await engine.head()).toBeUndefined();
    });

    it("during a command stops it, or comes too late: never both, and what it was is told", async () => {
      const engine = await open({ store: fresh() });
      const reason = new Error("enough");
      for (const [index, turns] of [0, 1, 2, 5, 20].entries()) {
        const orderId = `o-${index}`;
        const controller = new AbortController();
        const running = engine
          .execute(newOrder(orderId), by(buyer, { signal: controller.signal }))
          .then(accepted, (error: unknown) => error);
        // Decided on what may never be.
        const next = engine.execute({ ...payment, orderId, payId: orderId }, by(buyer));
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
        controller.abort(reason);
        const answer = await running;
        const paid = E.isRight(await next);
        expect((await engine.history(orderId)).length).toBe(answer === reason ? 0 : paid ? 3 : 1);
        if (answer !== reason) expect(answer).toMatchObject({ revision: 0n });
        else expect(paid).toBe(false);
      }
    });
  });

  describe("commands sent without waiting", () => {
    it("on one order are decided in the order in which they were sent", async () => {
      const engine = await open({ store: fresh() });
      const sent = [0, 1, 2, 3, 4, 5].map((step) => {
        const [command, actor] = stepOf("o-1", step);
        return engine.execute(command, by(actor, { at: t0 + step * minute }));
      });
      const receipts = (await Promise.all(sent)).map(accepted);
      expect(receipts.map(({ revision }) => revision)).toEqual([0n, 2n, 3n, 4n, 5n, 6n]);
      expect(receipts.flatMap(({ events }) => types(events))).toEqual(
        (await engine.history("o-1")).map(({ event }) => event.type),
      );
    });

    it("mix with refusals, each decided on what came before it", async () => {
      const engine = await open({ store: fresh() });
      const [created, early, paid, again, shipped, late] = await Promise.all([
        engine.execute(newOrder("o-1"), by(buyer)),
        engine.execute(shipping, by(merchant)),
        engine.execute(payment, by(buyer)),
        engine.execute(payment, by(buyer)),
        engine.execute(shipping, by(merchant)),
        engine.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer)),
      ]);
      accepted(created);
      expect(refused(early)).toMatchObject({ code: "orderStatusNotEligible", status: "pendingPayment" });
      expect(accepted(paid).revision).toBe(2n);
      expect(accepted(again)).toMatchObject({ events: [], revision: 2n, position: accepted(paid).position });
      expect(accepted(shipped).revision).toBe(3n);
      expect(refused(late)).toMatchObject({ code: "orderStatusNotEligible", status: "shipped" });
    });

    it("of which N confirm one order: one does", async () => {
      const engine = await open({ store: fresh(), terms: { "*": { booking: true } } });
      await live(engine, "o-1", 1);
      const asked = await Promise.all(
        Array.from({ length: 8 }, () =>
          engine.execute({ type: "ConfirmOrder", orderId: "o-1" }, by(merchant)),
        ),
      );
      expect(asked.filter(E.isRight)).toHaveLength(1);
      for (const answer of asked.filter(E.isLeft)) {
        expect(answer.left).toMatchObject({ code: "orderStatusNotEligible", status: "pendingPayment" });
      }
      expect(await engine.history("o-1")).toHaveLength(2);
    });
  });

  describe("a claim", () => {
    it("keeps a payment's id to one order", async () => {
      const engine = await open({ store: fresh() });
      await live(engine, "o-1", 2);
      await live(engine, "o-2", 1);
      const taken = { ...payment, orderId: "o-2", payId: "pay-o-1" };
      const refusal = { code: "paymentIdUsed", field: "payId", payId: "pay-o-1" };
      expect(refused(await engine.execute(taken, by(buyer)))).toEqual(refusal);
      expect(await engine.history("o-2")).toHaveLength(1);
      // The order is not harmed by it.
      const own = await engine.execute({ ...taken, payId: "pay-2" }, by(buyer));
      expect(accepted(own).revision).toBe(2n);
    });

    it("keeps an order number to one order of its merchant", async () => {
      const engine = await open({ store: fresh() });
      accepted(await engine.execute(newOrder("o-1", { orderNo: "N1" }), by(buyer)));
      expect(refused(await engine.execute(newOrder("o-2", { orderNo: "N1" }), by(buyer)))).toEqual({
        code: "orderNoUsed",
        orderNo: "N1",
      });
      expect(await engine.history("o-2")).toEqual([]);
      expect((await engine.views.statistics()).all.orders).toBe(1);
      accepted(await engine.execute(newOrder("o-3", { orderNo: "N1", merchantId: "other" }), by(buyer)));
    });

    it("taken in the same moment refuses all but one, and whatever was decided on the others", async () => {
      const engine = await open({ store: fresh() });
      const [one, two, onTwo] = await Promise.all([
        engine.execute(newOrder("o-1", { orderNo: "N1" }), by(buyer)),
        engine.execute(newOrder("o-2", { orderNo: "N1" }), by(buyer)),
        engine.execute({ ...payment, orderId: "o-2" }, by(buyer)),
      ]);
      accepted(one);
      expect(refused(two).code).toBe("orderNoUsed");
      expect(refused(onTwo)).toEqual({ code: "orderNotFound", orderId: "o-2" });
    });

    it("lets payments of nothing be many", async () => {
      const engine = await open({ store: fresh() });
      for (const orderId of ["o-1", "o-2"]) {
        expect(
          accepted(await engine.execute(newOrder(orderId, { discount: 5_800 }), by(buyer))).revision,
        ).toBe(2n);
      }
    });
  });

  describe("the clock", () => {
    it("never runs backwards for who gives no instant", async () => {
      let now = t0 + 10 * minute;
      const engine = await open({ store: fresh(), clock: () => now });
      accepted(await engine.execute(newOrder("o-1"), by(buyer)));
      now = t0;
      const paid = accepted(await engine.execute(payment, by(buyer)));
      expect(paid.events.map(({ at }) => at)).toEqual([t0 + 10 * minute, t0 + 10 * minute]);
      // Who gives an instant is told.
      expect(refused(await engine.execute(shipping, by(merchant, { at: t0 }))).code).toBe(
        "timeRunsBackwards",
      );
    });

    it("that gives fractions is read in whole milliseconds", async () => {
      const engine = await open({ store: fresh(), clock: () => t0 + 0.75 });
      const created = accepted(await engine.execute(newOrder("o-1"), by(buyer)));
      expect(created.events[0]?.at).toBe(t0);
      expect((await engine.replay()).orders).toBe(1);
      const explained = await engine.explain("o-1");
      expect(explained?.now).toBe(t0);
      const facts = (explained?.commands ?? []).flatMap(({ decision }) =>
        E.isRight(decision) ? decision.right : [],
      );
      expect(facts.length).toBeGreaterThan(0);
      expect(facts.every(({ at }) => at === t0)).toBe(true);
    });

    it.each([Number.NaN, -1, 1e15])("that gives %s is a defect of its owner's", async (now) => {
      const engine = await open({ store: fresh(), clock: () => now });
      await expect(engine.execute(newOrder("o-1"), by(buyer))).rejects.toThrow(/^clock: /);
      expect(await engine.head()).toBeUndefined();
    });
  });

  describe("few orders in memory", () => {
    it("change no answer", async () => {
      const few = await open({ store: fresh(), cachedOrders: 2 });
      const many = await open({ store: fresh() });
      const orders = ["o-1", "o-2", "o-3", "o-4", "o-5"];
      for (let step = 0; step < 6; step += 1) {
        for (const orderId of orders) {
          const [command, actor] = stepOf(orderId, step);
          for (const over of [{}, {}, { expect: 99n }]) {
            const options = { actor, commandId: `${step}`, at: t0 + step * minute, ...over };
            // Where an event stands is the store's own affair.
            const [one, other] = [await few.execute(command, options), await many.execute(command, options)];
            const placeless = (answer: typeof one) =>
              E.isRight(answer) ? { ...answer.right, position: "" } : answer.left;
            expect(placeless(one)).toEqual(placeless(other));
          }
        }
      }
    });

    it("change no answer when all are asked at once", async () => {
      const engine = await open({ store: fresh(), cachedOrders: 1 });
      const orders = Array.from({ length: 12 }, (_, at) => `o-${at}`);
      const sent = [0, 1, 2, 3].flatMap((step) =>
        orders.flatMap((orderId) => {
          const [command, actor] = stepOf(orderId, step);
          return [
            engine.execute(command, by(actor, { at: t0 + step * minute })),
            // Decided on what it meets, and dropped from memory by the next.
            engine.execute(
              { type: "CorrectShipment", orderId, shipments: [] },
              by(merchant, { at: t0 + step * minute }),
            ),
          ];
        }),
      );
      const answers = await Promise.all(sent);
      expect(answers.filter((_, at) => at % 2 === 0).every(E.isRight)).toBe(true);
      for (const orderId of orders) {
        expect((await engine.state(orderId)).status).toBe("completed");
        expect(
          refused(await engine.execute({ ...shipping, orderId }, by(merchant, { at: t0 + 9 * minute }))),
        ).toMatchObject({
          status: "completed",
        });
      }
    });
  });
});

describe("after a restart", () => {
  it("repeats are known, and so is what they were", async () => {
    const store = `sqlite:${newFile()}`;
    const before = await open({ store });
    const first = accepted(await before.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" }));
    const paid = accepted(await before.execute(payment, { actor: buyer, commandId: "c-2" }));
    await before.close();
    const after = await open({ store, clock: () => t0 + 90 * minute });
    expect(accepted(await after.execute(payment, { actor: buyer, commandId: "c-2" }))).toEqual({
      ...paid,
      replayed: true,
    });
    expect(accepted(await after.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" }))).toEqual({
      ...first,
      replayed: true,
    });
    expect(refused(await after.execute(shipping, { actor: merchant, commandId: "c-1" }))).toEqual({
      code: "commandIdReused",
      commandId: "c-1",
      revision: "0",
    });
    expect(await after.head()).toBe(paid.position);
  });
});

describe("two engines on one file", () => {
  async function two() {
    const store = `sqlite:${newFile()}`;
    return { store, one: await open({ store }), other: await open({ store, clock: () => t0 + 7 * second }) };
  }

  it("answer a repeat of the other's command with the first receipt", async () => {
    const { one, other } = await two();
    await live(one, "o-1", 1);
    // Both have the order in memory now.
    expect(refused(await other.execute(shipping, by(merchant))).code).toBe("orderStatusNotEligible");
    const paid = accepted(await one.execute(payment, { actor: buyer, commandId: "pay" }));
    expect(accepted(await other.execute(payment, { actor: buyer, commandId: "pay" }))).toEqual({
      ...paid,
      replayed: true,
    });
    expect(await other.history("o-1")).toHaveLength(3);
    // What it holds in memory is what is stored, not what it would have recorded itself.
    expect(((await other.state("o-1")) as Order).paidAt).toBe(t0);
  });

  it("do not take another command under the other's id for a repeat", async () => {
    const { one, other } = await two();
    await live(one, "o-1", 1);
    expect(refused(await other.execute(shipping, by(merchant))).code).toBe("orderStatusNotEligible");
    accepted(await one.execute({ type: "CancelOrder", orderId: "o-1" }, { actor: buyer, commandId: "c-9" }));
    // One event as well, so that the ids of the events are the same.
    const answer = await other.execute(
      { type: "CancelOrder", orderId: "o-1", reason: "another" },
      { actor: buyer, commandId: "c-9" },
    );
    expect(refused(answer)).toEqual({ code: "commandIdReused", commandId: "c-9", revision: "1" });
  });

  it("see the other's appends in refusals, no-ops, previews and states", async () => {
    const { one, other } = await two();
    await live(one, "o-1", 1);
    expect((await other.state("o-1")).status).toBe("pendingPayment");
    accepted(await one.execute(payment, by(buyer)));
    expect(accepted(await other.execute(payment, by(buyer))).events).toEqual([]);
    accepted(await one.execute(shipping, by(merchant)));
    expect(refused(await other.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer)))).toMatchObject({
      status: "shipped",
    });
    accepted(await one.execute({ type: "ConfirmReceipt", orderId: "o-1" }, by(buyer)));
    expect((await other.state("o-1")).status).toBe("completed");
    accepted(await one.execute({ type: "HideOrder", orderId: "o-1" }, by(buyer)));
    expect(accepted(await other.preview({ type: "HideOrder", orderId: "o-1" }, by(buyer))).events).toEqual(
      [],
    );
  });

  it("let exactly one of payment and timeout win, and never lose money", async () => {
    const { one, other } = await two();
    const late = t0 + 31 * minute;
    for (let round = 0; round < 20; round += 1) {
      const orderId = `o-${round}`;
      await live(one, orderId, 1);
      await other.state(orderId);
      const pay = { ...payment, orderId, payId: `pay-${round}` };
      const expire = { type: "ExpireOrder", orderId };
      const [payer, timer] = round % 2 === 0 ? [one, other] : [other, one];
      const asked = [
        () => payer.execute(pay, by(buyer, { at: late })),
        () => timer.execute(expire, by(system, { at: late })),
      ];
      const [paid, expired] = (
        round % 3 === 0
          ? (await Promise.all(asked.toReversed().map((ask) => ask()))).toReversed()
          : await Promise.all(asked.map((ask) => ask()))
      ) as [Awaited<ReturnType<typeof one.execute>>, Awaited<ReturnType<typeof one.execute>>];
      const facts = (await one.history(orderId)).map(({ event }) => event.type);
      // The loser decides again on what it finds: a late payment is recorded, a timeout of a paid order refused.
      if (E.isRight(expired)) {
        expect(facts).toEqual([
          "OrderCreated",
          "OrderExpired",
          "LatePaymentReceived",
          "RefundApplied",
          "RefundApproved",
        ]);
      } else {
        expect(expired.left).toMatchObject({ code: "orderStatusNotEligible", status: "paid" });
        expect(facts).toEqual(["OrderCreated", "OrderPaid", "StockDeducted"]);
      }
      expect(accepted(paid).events).not.toEqual([]);
      expect(await other.state(orderId)).toEqual(await one.state(orderId));
    }
  });

  it("confirm an order once, however many ask", async () => {
    const store = `sqlite:${newFile()}`;
    const terms = { "*": { booking: true } };
    const engines = [
      await open({ store, terms }),
      await open({ store, terms }),
      await open({ store, terms }),
    ];
    for (let round = 0; round < 10; round += 1) {
      const orderId = `o-${round}`;
      await live(engines[0] as (typeof engines)[0], orderId, 1);
      const asked = await Promise.all(
        engines.flatMap((engine) =>
          [1, 2, 3].map(() => engine.execute({ type: "ConfirmOrder", orderId }, by(merchant))),
        ),
      );
      expect(asked.filter(E.isRight)).toHaveLength(1);
      for (const answer of asked.filter(E.isLeft)) expect(answer.left.code).toBe("orderStatusNotEligible");
      expect(await engines[1]?.history(orderId)).toHaveLength(2);
    }
  });

  it("retry a lost race with a fresh decision, but never against the caller's expectation", async () => {
    const { one, other } = await two();
    await live(one, "o-1", 3);
    await other.state("o-1");
    const correct = (n: number) => ({
      type: "CorrectShipment",
      orderId: "o-1",
      shipments: [{ ...parcel, carrier: `C${n}` }],
    });
    const at = t0 + 9 * minute;
    const all = await Promise.all(
      [one, other, one, other].map((engine, n) => engine.execute(correct(n), by(merchant, { at }))),
    );
    expect(new Set(all.map(accepted).map(({ revision }) => revision))).toEqual(new Set([4n, 5n, 6n, 7n]));
    const held = await Promise.all(
      [one, other, one, other].map((engine, n) =>
        engine.execute(correct(n), by(merchant, { at, expect: 7n })),
      ),
    );
    expect(held.filter(E.isRight)).toHaveLength(1);
    for (const answer of held.filter(E.isLeft)) {
      expect(answer.left).toEqual({ code: "versionConflict", expected: "7", actual: "8" });
    }
  });

  it("answer what was sent behind a repeat of the other's command from what is stored", async () => {
    const { one, other } = await two();
    await live(one, "o-1", 1);
    await other.state("o-1");
    const cancel = { type: "CancelOrder", orderId: "o-1" };
    accepted(await one.execute(cancel, { actor: buyer, commandId: "c-9" }));
    const [again, state, pay] = await Promise.all([
      other.execute(cancel, { actor: buyer, commandId: "c-9" }),
      other.state("o-1"),
      other.preview({ ...payment, amount: 1 }, by(buyer)),
    ]);
    expect(accepted(again).replayed).toBe(true);
    // It would have been seven seconds later by its own clock.
    expect((state as Order).endedAt).toBe(t0);
    expect((accepted(pay).state as Order).endedAt).toBe(t0);
  });

  it("append nothing that was decided on what the other's append made untrue", async () => {
    const { one, other } = await two();
    await live(one, "o-1", 3);
    await other.state("o-1");
    const at = t0 + 9 * minute;
    const receive = { type: "ConfirmReceipt", orderId: "o-1" };
    const [received, corrected, behind] = await Promise.all([
      one.execute(receive, by(buyer, { at })),
      other.execute({ type: "CorrectShipment", orderId: "o-1", shipments: [parcel] }, by(merchant, { at })),
      // Its revision is right by the number alone.
      other.execute(receive, by(buyer, { at })),
    ]);
    expect(accepted(received).revision).toBe(4n);
    for (const answer of [corrected, behind]) {
      expect(refused(answer)).toMatchObject({ code: "orderStatusNotEligible", status: "completed" });
    }
    expect(await one.history("o-1")).toHaveLength(5);
  });

  it("that both create one order make it once", async () => {
    const { one, other } = await two();
    const [a, b] = await Promise.all([
      one.execute(newOrder("o-1"), by(buyer)),
      other.execute(newOrder("o-1"), by(stranger)),
    ]);
    expect([a, b].filter(E.isRight)).toHaveLength(1);
    const lost = E.isLeft(a) ? a : b;
    expect(refused(lost)).toMatchObject({ code: "notOwner", orderId: "o-1" });
  });
});

describe("what was decided on an append that fails", () => {
  const failure = new StoreError("full", "no space left", { cause: new Error("SQLITE_FULL") });

  it("is never answered from it", async () => {
    const { store, shut, letGo, failNext, waiting } = gated();
    const handler = handlerOn(store);
    accepted(await handler.execute(newOrder("o-1"), by(buyer)));
    shut();
    failNext(failure);
    const paid = handler.execute(payment, { actor: buyer, commandId: "pay" });
    const repeat = handler.execute(payment, { actor: buyer, commandId: "pay" });
    const nothing = handler.execute(payment, by(buyer));
    const refusal = handler.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer));
    const shipped = handler.execute(shipping, by(merchant));
    const preview = handler.preview(shipping, by(merchant));
    const state = handler.state("o-1");
    let answered = 0;
    for (const one of [repeat, nothing, refusal, preview, state]) {
      void Promise.resolve(one).then(
        () => (answered += 1),
        () => (answered += 1),
      );
    }
    await settledNow();
    expect(waiting()).toBe(2);
    expect(answered).toBe(0);
    letGo();
    await expect(paid).rejects.toBe(failure);
    // Each was decided again on what the store holds: an unpaid order. The repeat was the first that came to be.
    const facts = (await store.readStream("order-o-1")).map((one) => codec.decode(one));
    expect(accepted(await repeat)).toMatchObject({ replayed: false, revision: 2n });
    expect(accepted(await nothing).events).toEqual([]);
    expect(facts.map(({ event }) => event.type)).toEqual([
      "OrderCreated",
      "OrderPaid",
      "StockDeducted",
      "OrderShipped",
    ]);
    expect(accepted(await shipped).revision).toBe(3n);
    expect(refused(await refusal).code).toBe("orderStatusNotEligible");
    expect((await state).status).not.toBe("none");
    await preview;
  });

  it("is refused where it no longer holds", async () => {
    const { store, shut, letGo, failNext } = gated();
    const handler = handlerOn(store);
    accepted(await handler.execute(newOrder("o-1"), by(buyer)));
    shut();
    failNext(failure);
    const paid = handler.execute(payment, by(buyer));
    const shipped = handler.execute(shipping, by(merchant));
    const preview = handler.preview(shipping, by(merchant));
    letGo();
    await expect(paid).rejects.toBe(failure);
    expect(refused(await shipped)).toMatchObject({
      code: "orderStatusNotEligible",
      status: "pendingPayment",
    });
    expect(refused(await preview)).toMatchObject({
      code: "orderStatusNotEligible",
      status: "pendingPayment",
    });
    expect(await countOf(store)).toBe(1);
  });

  it("does not stop the handler, which says the cause", async () => {
    const { store, failNext } = gated();
    const handler = handlerOn(store);
    failNext(failure);
    const error: unknown = await handler
      .execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" })
      .catch((e: unknown) => e);
    expect(isStoreError(error, "full")).toBe(true);
    expect((error as Error).cause).toBeInstanceOf(Error);
    expect(
      accepted(await handler.execute(newOrder("o-1"), { actor: buyer, commandId: "c-1" })).replayed,
    ).toBe(false);
    expect(accepted(await handler.execute(payment, by(buyer))).revision).toBe(2n);
  });

  it("whose events were written after all is a repeat when it is sent again", async () => {
    const { store } = gated();
    let lose = true;
    const losing: EventStore = {
      ...store,
      append: async (...append) => {
        const appended = await store.append(...append);
        if (!lose) return appended;
        lose = false;
        throw new StoreError("unavailable", "the answer was lost");
      },
    };
    const handler = handlerOn(losing);
    const asked = { actor: buyer, commandId: "c-1" };
    await expect(handler.execute(newOrder("o-1"), asked)).rejects.toMatchObject({ code: "unavailable" });
    expect(accepted(await handler.execute(newOrder("o-1"), asked))).toMatchObject({
      revision: 0n,
      replayed: true,
    });
    expect(await countOf(store)).toBe(1);
  });

  it("on a full disk leaves events, views and answers as they were, and goes on when there is room", async () => {
    const path = newFile();
    const store = await openFile(path);
    const engine = await open({ store });
    await live(engine, "o-1", 1);
    const pages = store.database.prepare("PRAGMA page_count").get() as { page_count: number };
    store.database.exec(`PRAGMA max_page_count = ${pages.page_count}`);
    const big = (n: number) =>
      newOrder(`big-${n}`, { personal: { note: "x".repeat(1_000) }, source: [["a", "y".repeat(9_000)]] });
    let written = 0;
    let full = 0;
    for (let n = 0; n < 40; n += 1) {
      const [a, b] = await Promise.allSettled([
        engine.execute({ ...big(n), source: { a: "y".repeat(9_000) } }, by(buyer)),
        engine.execute({ ...payment, orderId: `big-${n}`, payId: `pay-${n}` }, by(buyer)),
      ]);
      if (a.status === "fulfilled") {
        accepted(a.value);
        written += 1;
      } else {
        expect(a.reason).toMatchObject({ code: "full", cause: expect.any(Error) as unknown });
        full += 1;
        // Nothing rests on the order that did not come to be.
        if (b.status === "fulfilled") expect(refused(b.value).code).toBe("orderNotFound");
        else expect(b.reason).toMatchObject({ code: "full" });
      }
    }
    expect(full).toBeGreaterThan(0);
    store.database.exec("PRAGMA max_page_count = 1073741823");
    for (let n = 100; n < 140; n += 1) accepted(await engine.execute(newOrder(`o-${n}`), by(buyer)));
    expect((await engine.views.statistics()).all.orders).toBe(1 + written + 40);
    for (const { view, different, differences } of await engine.check()) {
      expect({ view, different, differences }).toEqual({ view, different: 0, differences: [] });
    }
    expect((await engine.views.status()).filter(({ fault }) => fault !== undefined)).toEqual([]);
  });
});

describe("a disk that is full when the views are written", () => {
  it("ends the append with them, is no fault of theirs, and leaves nothing counted wrong", async () => {
    // As many as the views hold before they write: it is in the last of these commits that they do.
    const orders = Array.from({ length: 4_096 }, (_, at) => `o-${at}`);
    const pagesOf = (store: SqliteStore) =>
      (store.database.prepare("PRAGMA page_count").get() as { page_count: number }).page_count;
    const line = { lineId: "L1", goodsId: "A", title: "T", unitPrice: 1, quantity: 1 };
    const small = (orderId: string) => newOrder(orderId, { lines: [line], charges: [] });
    const create = (engine: Engine) =>
      Promise.allSettled(
        orders.map((orderId) => engine.execute(small(orderId), { actor: buyer, commandId: "new" })),
      );

    // How much room the events alone take.
    const bare = await openFile(newFile());
    const without = await open({ store: bare, views: [] });
    const empty = pagesOf(bare);
    await create(without);
    const room = pagesOf(bare) - empty;

    const store = await openFile(newFile());
    const engine = await open({ store });
    accepted(await engine.execute(newOrder("first"), by(buyer)));
    expect((await engine.views.statistics()).all.orders).toBe(1);
    store.database.exec(`PRAGMA max_page_count = ${pagesOf(store) + room + 5}`);
    const rejected: string[] = [];
    for (const [at, answer] of (await create(engine)).entries()) {
      if (answer.status === "fulfilled") continue;
      expect(answer.reason).toMatchObject({ code: "full" });
      rejected.push(orders[at] as string);
    }
    expect(rejected.length).toBeGreaterThan(0);
    for (const orderId of rejected) expect(await engine.history(orderId)).toEqual([]);
    store.database.exec("PRAGMA max_page_count = 1073741823");
    expect((await engine.views.status()).filter(({ fault }) => fault !== undefined)).toEqual([]);
    for (const answer of await create(engine))
      expect(answer).toMatchObject({ status: "fulfilled", value: { _tag: "Right" } });
    // So many more that the views write again, before anybody has read them.
    await Promise.all(orders.map((orderId) => engine.execute(small(`more-${orderId}`), by(buyer))));
    expect((await engine.views.statistics()).all.orders).toBe(1 + 2 * orders.length);
    for (const { view, different, differences } of await engine.check()) {
      expect({ view, different, differences }).toEqual({ view, different: 0, differences: [] });
    }
  });
});

describe("roles", () => {
  it("that a stranger takes on tell no more than that role may know", async () => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 1);
    expect(refused(await engine.execute({ type: "Redeem", orderId: "o-1", code: "X" }, by(staff))).code).toBe(
      "orderStatusNotEligible",
    );
    expect(refused(await engine.execute(payment, by({ role: "admin", id: "root" }))).code).toBe("wrongActor");
  });
});
