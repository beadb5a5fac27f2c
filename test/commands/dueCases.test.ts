// Every kind of deadline: visible before it fires, fired in the order of all, each once, also where an order has several of them.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Due, Fired } from "../../src/commands/due.ts";
import type { Engine } from "../../src/engine.ts";
import { buyer, day, merchant, minute, parcel, second, t0 } from "../domain/orders.ts";
import { accepted, by, open, refused, stores, tidyEngines } from "../engines.ts";
import { awaitReturn, fail, giver, kinds, replace, sent, waiting } from "./deadlines.ts";
import { all, bought, issue } from "./paying.ts";

tidyEngines();

const fires = {
  unpaid: ["OrderExpired"],
  autoConfirm: ["ReceiptConfirmed"],
  returnShip: ["RefundClosed"],
  replacementConfirm: ["ReplacementReceived"],
  refundRetry: ["RefundIssued"],
} as const;

function inWords({ orderId, kind, dueAt, case: of }: Due): string {
  return `${orderId} ${kind}${of === undefined ? "" : ` ${of.caseId}`} ${dueAt - t0}`;
}

async function fire(engine: Engine, now: number): Promise<string[]> {
  return (await all(engine.runDue(now))).map((fired) => {
    accepted(fired.result);
    return inWords(fired);
  });
}

async function listed(engine: Engine, now: number): Promise<string[]> {
  return (await all(engine.due(now))).map(inWords);
}

/** The case is decided by the merchant, so that its order is not kept waiting by it. */
async function reject(engine: Engine, orderId: string, caseId: string, at: number): Promise<void> {
  await giver(engine, at)(merchant, "RejectRefund", { orderId, caseId, reason: "no proof" });
}

describe.each(stores)("on %s", (_kind, fresh) => {
  it.each(kinds)(
    "%s is seen before it is due, by order, list and due, and fires in the second after",
    async (kind) => {
      const engine = await open({ store: fresh() });
      const dueAt = await waiting(engine, kind, "o-1", t0);
      const about =
        kind === "unpaid" || kind === "autoConfirm" ? {} : { case: { caseId: "c-o-1", number: 1 } };
      expect((await engine.views.order("o-1"))?.deadlines).toEqual([{ kind, dueAt, ...about }]);
      expect((await engine.views.orders()).orders[0]?.dueAt).toBe(dueAt);
      expect(await all(engine.due(dueAt))).toEqual([]);
      expect(await all(engine.runDue(dueAt))).toEqual([]);
      const number = "case" in about ? ".1" : "";
      const commandId = `due:o-1:${kind}${number}:${dueAt}`;
      expect(await all(engine.due(dueAt + second))).toEqual([
        { kind, dueAt, ...about, orderId: "o-1", commandId },
      ]);
      const [fired, ...others] = await all(engine.runDue(dueAt + second));
      expect(others).toEqual([]);
      const receipt = accepted((fired as Fired).result);
      expect(receipt.events.map(({ type }) => type)).toEqual(fires[kind]);
      expect(receipt.events[0]?.at).toBe(dueAt + second);
      expect((await engine.history("o-1")).at(-1)?.meta).toMatchObject({
        commandId,
        actor: { role: "system", id: "due" },
      });
      // An order whose case was closed is received by itself in the end; else there is no more to come.
      const later = await fire(engine, t0 + 400 * day);
      expect(later.map((words) => words.split(" ")[1])).toEqual(
        kind === "returnShip" || kind === "replacementConfirm" ? ["autoConfirm"] : [],
      );
      expect(await all(engine.due(t0 + 800 * day))).toEqual([]);
    },
  );

  it("several of one order wait for their turn among all orders, listed as they are fired", async () => {
    const engine = await open({ store: fresh() });
    // A, B and C are each found by the first of theirs alone.
    for (const orderId of ["A", "B", "C"]) await sent(engine, orderId, t0);
    await awaitReturn(engine, "A", "a-1", t0, { lineId: "L1" });
    await awaitReturn(engine, "B", "b-1", t0 + day);
    await awaitReturn(engine, "A", "a-2", t0 + 2 * day, { lineId: "L2" });
    await replace(engine, "C", "c-1", t0 + 3 * day);
    await awaitReturn(engine, "B", "b-2", t0 + 4 * day, { lineId: "L2" });
    await waiting(engine, "unpaid", "D", t0 + 8.5 * day);
    const now = t0 + 30 * day;
    const inOrder = [
      `A returnShip a-1 ${7 * day}`,
      `B returnShip b-1 ${8 * day}`,
      `D unpaid ${8.5 * day + 30 * minute}`,
      `A returnShip a-2 ${9 * day}`,
      `C replacementConfirm c-1 ${10 * day}`,
      `B returnShip b-2 ${11 * day}`,
    ];
    expect(await listed(engine, now)).toEqual(inOrder);
    expect(await fire(engine, now)).toEqual(inOrder);
    for (const orderId of ["A", "B"]) {
      const history = await engine.history(orderId);
      expect(history.filter(({ event }) => event.type === "RefundClosed")).toHaveLength(2);
    }
    expect(await listed(engine, now)).toEqual([]);
  });

  it("of one order and instant fire the order's own first, then the older case's, before the next order's", async () => {
    const engine = await open({ store: fresh() });
    for (const orderId of ["B", "A"]) {
      await sent(engine, orderId, t0);
      for (const [caseId, lineId] of [
        [`${orderId}-2`, "L2"],
        [`${orderId}-1`, "L1"],
      ] as const)
        await awaitReturn(engine, orderId, caseId, t0, { lineId });
    }
    const inOrder = ["A returnShip A-2", "A returnShip A-1", "B returnShip B-2", "B returnShip B-1"];
    const expected = inOrder.map((words) => `${words} ${7 * day}`);
    expect(await listed(engine, t0 + 8 * day)).toEqual(expected);
    expect(await fire(engine, t0 + 8 * day)).toEqual(expected);
  });

  it("are all reached over more than a page, in order, however they interleave", async () => {
    const engine = await open({ store: fresh() });
    const count = 120;
    for (let at = 0; at < count; at += 1) {
      const orderId = `o-${String(at).padStart(3, "0")}`;
      await sent(engine, orderId, t0);
      const apart = ((at * 37) % count) * minute;
      await awaitReturn(engine, orderId, `${orderId}-1`, t0 + apart);
      await awaitReturn(engine, orderId, `${orderId}-2`, t0 + apart + 50 * minute, { lineId: "L2" });
    }
    const due = await all(engine.due(t0 + 9 * day));
    expect(due).toHaveLength(2 * count);
    const places = due.map(({ dueAt, orderId }) => `${String(dueAt).padStart(15, "0")} ${orderId}`);
    expect(places).toEqual(places.toSorted());
    const fired = await all(engine.runDue(t0 + 9 * day));
    expect(fired.map(inWords)).toEqual(due.map(inWords));
    expect(fired.every(({ result }) => E.isRight(result))).toBe(true);
  });

  it("an automatic receipt is kept waiting by a case, and goes on with the time that was left", async () => {
    const engine = await open({ store: fresh() });
    await sent(engine, "o-1", t0);
    const give = giver(engine, t0 + 14 * day);
    const apply = { orderId: "o-1", caseId: "c-1", lineId: "L1", caseType: "refundOnly", amount: 100 };
    await give(buyer, "ApplyRefund", apply);
    expect((await engine.views.order("o-1"))?.deadlines).toEqual([]);
    expect((await engine.views.orders()).orders[0]?.dueAt).toBeUndefined();
    expect(await fire(engine, t0 + 19 * day)).toEqual([]);
    await reject(engine, "o-1", "c-1", t0 + 20 * day);
    expect((await engine.views.orders()).orders[0]?.dueAt).toBe(t0 + 21 * day);
    expect(await fire(engine, t0 + 21 * day)).toEqual([]);
    expect(await fire(engine, t0 + 21 * day + second)).toEqual([`o-1 autoConfirm ${21 * day}`]);
  });

  it("one that stands only once another has fired, earlier than that, is fired in the same run", async () => {
    const engine = await open({ store: fresh() });
    // Twenty days late for its receipt when the case is opened: closing the case makes that overdue again, and long ago.
    await sent(engine, "A", t0);
    await awaitReturn(engine, "A", "a-1", t0 + 35 * day);
    await waiting(engine, "unpaid", "B", t0 + 42.5 * day);
    const now = t0 + 43 * day;
    const first = [`A returnShip a-1 ${42 * day}`];
    const last = [`B unpaid ${42.5 * day + 30 * minute}`];
    expect(await listed(engine, now)).toEqual([...first, ...last]);
    expect(await fire(engine, now)).toEqual([...first, `A autoConfirm ${15 * day + 8 * day}`, ...last]);
    expect(await fire(engine, now)).toEqual([]);
  });

  it("one that is refused is told once a run, and holds up neither its order's others nor another's", async () => {
    const engine = await open({ store: fresh() });
    // A second case of A is further on in time than the clock of the run.
    await sent(engine, "A", t0);
    await awaitReturn(engine, "A", "a-1", t0);
    await awaitReturn(engine, "A", "a-2", t0 + minute, { lineId: "L2" });
    const correct = { type: "CorrectShipment", orderId: "A", shipments: [parcel] };
    accepted(await engine.execute(correct, by(merchant, { at: t0 + 20 * day })));
    await waiting(engine, "unpaid", "B", t0 + 7 * day);
    const now = t0 + 8 * day;
    for (let again = 0; again < 2; again += 1) {
      const fired = await all(engine.runDue(now));
      expect(fired.map(inWords).slice(0, 2)).toEqual([
        `A returnShip a-1 ${7 * day}`,
        `A returnShip a-2 ${7 * day + minute}`,
      ]);
      for (const one of fired.slice(0, 2)) expect(refused(one.result).code).toBe("timeRunsBackwards");
      expect(fired.slice(2).map(inWords)).toEqual(again === 0 ? [`B unpaid ${7 * day + 30 * minute}`] : []);
    }
    // Once the run's clock is there, they fire.
    expect(await fire(engine, t0 + 21 * day)).toHaveLength(2);
  });

  it("a refund is tried again as often as the terms allow, each time later, and never twice for one deadline", async () => {
    const engine = await open({ store: fresh(), terms: { "*": { refundAttempts: 4 } } });
    await bought(engine, "o-1");
    let at = t0;
    let refundId = await issue(engine, "o-1", "c-1");
    const waits: number[] = [];
    for (let attempt = 2; attempt <= 4; attempt += 1) {
      await fail(engine, "o-1", refundId, at);
      const dueAt = (await engine.views.order("o-1"))?.deadlines[0]?.dueAt as number;
      waits.push((dueAt - at) / minute);
      at = dueAt + second;
      expect(await fire(engine, at)).toHaveLength(1);
      expect(await fire(engine, at)).toEqual([]);
      refundId = `c-1:${attempt}`;
    }
    expect(waits).toEqual([1, 2, 4]);
    await fail(engine, "o-1", refundId, at);
    expect((await engine.views.order("o-1"))?.deadlines).toEqual([]);
    expect(await fire(engine, at + 400 * day)).toEqual([]);
  });

  it("one that another ends between the list and its turn is not fired", async () => {
    const engine = await open({ store: fresh() });
    await sent(engine, "A", t0);
    await awaitReturn(engine, "A", "a-1", t0);
    await awaitReturn(engine, "A", "a-2", t0 + minute, { lineId: "L2" });
    const now = t0 + 8 * day;
    const fired: string[] = [];
    for await (const one of engine.runDue(now)) {
      fired.push(inWords(one));
      await giver(engine, now)(buyer, "CancelRefund", { orderId: "A", caseId: "a-2" });
    }
    expect(fired).toEqual([`A returnShip a-1 ${7 * day}`]);
  });
});
