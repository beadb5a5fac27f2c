// The wallets: money in, money out, and an order paid out of one, whatever fails between the two streams.

import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Receipt } from "../../src/commands/handle.ts";
import type { HoldRun, TopUp } from "../../src/commands/wallet.ts";
import type { Engine } from "../../src/engine.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { type EventStore, StoreError } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { buyer, merchant, minute, stranger, system, t0 } from "../domain/orders.ts";
import { accepted, by, newOrder, open, stores, tidyEngines } from "../engines.ts";
import { newFile } from "../store/files.ts";
import { flying } from "./paying.ts";

tidyEngines();

const clerk = { role: "staff", id: "till" } as const;

function paidIn(amount: number, over: Partial<TopUp> = {}): TopUp {
  return { buyerId: buyer.id, topUpId: "in-1", amount, currency: "CNY", actor: clerk, ...over };
}

async function rich(engine: Engine, amount = 10_000, topUpId = "in-1"): Promise<void> {
  const done = await engine.wallet.topUp(paidIn(amount, { topUpId }));
  if (E.isLeft(done)) throw new Error(done.left.code);
}

function pay(engine: Engine, orderId = "o-1") {
  return engine.wallet.pay({ orderId, buyerId: buyer.id });
}

async function kinds(engine: Engine): Promise<string[]> {
  return (await engine.wallet.history(buyer.id)).map(({ event }) => event.type);
}

async function settled(engine: Engine): Promise<HoldRun["outcome"][]> {
  const outcomes: HoldRun["outcome"][] = [];
  for await (const { outcome } of engine.wallet.settleHolds()) outcomes.push(outcome);
  return outcomes;
}

/** What an order has been paid out of the wallet, and what the wallet has left and set aside: together always what was paid in. */
async function money(engine: Engine): Promise<{ left: number; held: number; paid: number }> {
  const { balances, held } = await engine.wallet.show(buyer.id);
  const order = await engine.state("o-1");
  return {
    left: balances["CNY"] ?? 0,
    held: held.reduce((sum, { amount }) => sum + amount, 0),
    paid: order.status === "none" ? 0 : order.paid,
  };
}

describe.each(stores)("on %s", (_kind, fresh) => {
  it("what is paid in can be spent, once for each id, and is told apart by currency", async () => {
    const engine = await open({ store: fresh() });
    expect(await engine.wallet.topUp(paidIn(700))).toEqual(
      E.right({ balances: { CNY: 700 }, held: [], replayed: false }),
    );
    expect(await engine.wallet.topUp(paidIn(700))).toEqual(
      E.right({ balances: { CNY: 700 }, held: [], replayed: true }),
    );
    expect(await engine.wallet.topUp(paidIn(701))).toEqual(E.left({ code: "walletIdUsed", id: "in-1" }));
    await engine.wallet.topUp(paidIn(5, { topUpId: "in-2", currency: "JPY" }));
    expect(await engine.wallet.balance(buyer.id, "CNY")).toBe(700);
    expect(await engine.wallet.balance(buyer.id, "JPY")).toBe(5);
    expect(await engine.wallet.balance(stranger.id, "CNY")).toBe(0);
    const [first] = await engine.wallet.history(buyer.id);
    expect(first).toMatchObject({
      stream: "wallet-buyer-1",
      event: { type: "WalletToppedUp", at: t0, data: { topUpId: "in-1", amount: 700, currency: "CNY" } },
      meta: { actor: clerk, commandId: "in-1" },
    });
  });

  it("a payment takes what the order costs, and asked for again is the same payment", async () => {
    const engine = await open({ store: fresh() });
    await rich(engine);
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    const [first, second] = await Promise.all([pay(engine), pay(engine)]);
    const again = await pay(engine);
    const receipts = [first, second, again].map((one) => accepted(one as typeof again & E.Right<never>));
    expect(new Set(receipts.map(({ revision }) => revision)).size).toBe(1);
    expect(receipts.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await money(engine)).toEqual({ left: 4_200, held: 0, paid: 5_800 });
    expect(await kinds(engine)).toEqual(["WalletToppedUp", "WalletHeld", "WalletTaken"]);
    const state = await engine.state("o-1");
    expect(state.status === "none" ? [] : state.payments).toMatchObject([
      { channel: "wallet", amount: 5_800 },
    ]);
    expect(await settled(engine)).toEqual([]);
  });

  it("of several who pay at once under ids of their own one does, and all are told which", async () => {
    const engine = await open({ store: fresh() });
    await rich(engine);
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    const payUnder = (commandId: string) =>
      engine.wallet.pay({ orderId: "o-1", buyerId: buyer.id, commandId });
    const ids = ["k-1", "k-2", "k-3"];
    const receipts = (await Promise.all(ids.map(payUnder))).map((paid) => accepted(paid as E.Right<Receipt>));
    const first = receipts.filter(({ replayed }) => !replayed);
    expect(first).toHaveLength(1);
    expect(ids).toContain(first[0]?.commandId);
    for (const receipt of [...receipts, accepted((await payUnder("k-9")) as E.Right<Receipt>)]) {
      const { commandId, revision, events } = first[0] as Receipt;
      expect(receipt).toMatchObject({ commandId, revision, events });
    }
    expect(await money(engine)).toEqual({ left: 4_200, held: 0, paid: 5_800 });
  });

  it("too little money, a stranger's order and one that cannot be paid move nothing", async () => {
    const engine = await open({ store: fresh() });
    await rich(engine, 5_799);
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    expect(await pay(engine)).toEqual(
      E.left({ code: "balanceTooLow", balance: 5_799, due: 5_800, currency: "CNY" }),
    );
    expect(await engine.wallet.pay({ orderId: "o-1", buyerId: stranger.id })).toEqual(
      E.left({ code: "notOwner", orderId: "o-1", role: "buyer" }),
    );
    expect(await pay(engine, "o-9")).toEqual(E.left({ code: "orderNotFound", orderId: "o-9" }));
    await rich(engine, 10_000, "in-2");
    accepted(await engine.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer)));
    expect(await pay(engine)).toMatchObject(E.left({ code: "orderStatusNotEligible", status: "cancelled" }));
    expect(await kinds(engine)).toEqual(["WalletToppedUp", "WalletToppedUp"]);
  });

  it("a refund to the wallet is credited once, and can be spent", async () => {
    const engine = await open({ store: fresh(), wallet: "kept" });
    await flying(engine, "o-1", { destination: "wallet", amount: 700 });
    const runs = [];
    for await (const { outcome } of engine.runRefunds()) runs.push(outcome);
    for await (const { outcome } of engine.runRefunds()) runs.push(outcome);
    expect(runs).toEqual(["settled"]);
    expect(await engine.wallet.balance(buyer.id, "CNY")).toBe(700);
    expect(await kinds(engine)).toEqual(["WalletCredited"]);
  });
});

it("names every fault of a top-up", async () => {
  const engine = await open({ store: "memory:" });
  const faults = async (over: object): Promise<unknown> => {
    const done = await engine.wallet.topUp({ ...paidIn(1), ...over } as TopUp);
    return E.isLeft(done) && done.left.code === "invalidCommand"
      ? done.left.issues.map(({ field }) => field)
      : done;
  };
  expect(await faults({ amount: 0 })).toEqual(["amount"]);
  expect(await faults({ amount: 0.5 })).toEqual(["amount"]);
  expect(await faults({ currency: "XXX", buyerId: "a/b" })).toEqual(["buyerId", "currency"]);
  expect(await faults({ note: "x".repeat(1_001) })).toEqual(["note"]);
  expect(await faults({ amuont: 1 })).toEqual(["amuont"]);
  await rich(engine, Number.MAX_SAFE_INTEGER);
  expect(await engine.wallet.topUp(paidIn(1, { topUpId: "in-2" }))).toMatchObject(
    E.left({ code: "walletFull" }),
  );
});

/** A store whose n-th append from now fails: before it is made, or after it was, its answer being lost. */
function failing(store: EventStore, at: number, when: "before" | "after"): void {
  const append = store.append.bind(store);
  let made = 0;
  store.append = async (...given) => {
    made += 1;
    if (made === at && when === "before") throw new StoreError("unavailable", "before");
    const appended = await append(...given);
    if (made === at) throw new StoreError("unavailable", "after");
    return appended;
  };
}

const faults = [1, 2, 3].flatMap((at) => (["before", "after"] as const).map((when) => [at, when] as const));

describe.each(faults)("where append %i of a payment fails %s it is made", (at, when) => {
  const kindsOfStore = [
    ["memory", async () => openMemoryStore()],
    ["sqlite", async () => openSqliteStore(newFile())],
  ] as const;

  describe.each(kindsOfStore)("on %s", (_kind, fresh) => {
    it.each(["asked for again", "settled"] as const)("ends paid when it is %s", async (how) => {
      const store = await fresh();
      const engine = await open({ store });
      await rich(engine);
      accepted(await engine.execute(newOrder("o-1"), by(buyer)));
      failing(store, at, when);
      await pay(engine).catch((error: unknown) => expect(error).toMatchObject({ code: "unavailable" }));
      const { left, held, paid } = await money(engine);
      // The held money is either the order's already, or still the buyer's.
      expect([10_000, 10_000 + paid]).toContain(left + held + paid);
      if (how === "asked for again") accepted((await pay(engine)) as never);
      else await settled(engine);
      const nothingBegan = at === 1 && when === "before" && how === "settled";
      expect(await money(engine)).toEqual(
        nothingBegan ? { left: 10_000, held: 0, paid: 0 } : { left: 4_200, held: 0, paid: 5_800 },
      );
      expect(await settled(engine)).toEqual([]);
    });

    it("ends with the money back where the order has been closed meanwhile", async () => {
      const store = await fresh();
      const clock = { now: t0 };
      const engine = await open({ store, wallet: "kept", clock: () => clock.now });
      await rich(engine);
      accepted(await engine.execute(newOrder("o-1"), by(buyer)));
      failing(store, at, when);
      await pay(engine).catch(() => undefined);
      clock.now = t0 + 31 * minute;
      const expired = await engine.execute(
        { type: "ExpireOrder", orderId: "o-1" },
        by(system, { at: clock.now }),
      );
      await settled(engine);
      const recorded = at === 3 || (at === 2 && when === "after");
      expect(E.isLeft(expired)).toBe(recorded);
      expect(await money(engine)).toEqual(
        recorded ? { left: 4_200, held: 0, paid: 5_800 } : { left: 10_000, held: 0, paid: 0 },
      );
      expect(await kinds(engine)).not.toContain(recorded ? "WalletReleased" : "WalletTaken");
    });
  });
});

it("money that was released can never be recorded by the order, though its payment was on its way", async () => {
  const store = openMemoryStore();
  const clock = { now: t0 };
  const slow = await open({ store, clock: () => clock.now });
  await rich(slow);
  accepted(await slow.execute(newOrder("o-1"), by(buyer)));
  // Held, and then the process stands still just before the order's append.
  const append = store.append.bind(store);
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  let reached: () => void = () => undefined;
  const there = new Promise<void>((resolve) => (reached = resolve));
  store.append = async (stream, ...rest) => {
    if (stream === "order-o-1") {
      reached();
      await gate;
    }
    return append(stream, ...rest);
  };
  const paying = pay(slow);
  await there;
  store.append = append;
  clock.now = t0 + 31 * minute;
  const other = await open({ store, clock: () => clock.now });
  accepted(await other.execute({ type: "ExpireOrder", orderId: "o-1" }, by(system, { at: clock.now })));
  expect(await settled(other)).toEqual(["released"]);
  go();
  expect(E.isLeft(await paying)).toBe(true);
  expect(await money(other)).toEqual({ left: 10_000, held: 0, paid: 0 });
  expect((await other.history("o-1")).map(({ event }) => event.type)).not.toContain("LatePaymentReceived");
});

it("late money that the order did record goes back through its refund, once", async () => {
  const store = openMemoryStore();
  const engine = await open({ store, wallet: "kept" });
  await rich(engine);
  accepted(await engine.execute(newOrder("o-1"), by(buyer)));
  const append = store.append.bind(store);
  let cancelled = false;
  store.append = async (stream, ...rest) => {
    const appended = await append(stream, ...rest);
    if (stream === "wallet-buyer-1" && !cancelled) {
      cancelled = true;
      accepted(await engine.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer)));
    }
    return appended;
  };
  expect(await pay(engine)).toMatchObject(E.left({ code: "orderStatusNotEligible", status: "cancelled" }));
  for await (const _run of engine.runRefunds());
  for await (const _run of engine.runRefunds());
  expect(await engine.wallet.balance(buyer.id, "CNY")).toBe(10_000);
  expect(await kinds(engine)).toEqual(["WalletToppedUp", "WalletHeld", "WalletTaken", "WalletCredited"]);
});

it("a payment id that another order has taken gives the money back", async () => {
  const one = await open({ store: "memory:" });
  await rich(one);
  accepted(await one.execute(newOrder("o-1"), by(buyer)));
  accepted((await pay(one)) as never);
  const state = await one.state("o-1");
  const payId = state.status === "none" ? "" : (state.payments[0]?.payId ?? "");
  // Somebody who knows how the ids are made uses that one for an order of their own.
  const engine = await open({ store: "memory:" });
  await rich(engine);
  for (const orderId of ["o-1", "o-2"]) accepted(await engine.execute(newOrder(orderId), by(buyer)));
  const squatting = { type: "Pay", orderId: "o-2", payId, amount: 5_800, channel: "online" };
  accepted(await engine.execute(squatting, by(buyer)));
  expect(await pay(engine)).toMatchObject(E.left({ code: "paymentIdUsed", payId }));
  expect(await money(engine)).toEqual({ left: 10_000, held: 0, paid: 0 });
  accepted((await pay(engine)) as never);
  expect(await money(engine)).toEqual({ left: 4_200, held: 0, paid: 5_800 });
});

it("whatever order of payments, faults and cancellations, no money is lost and none is made", async () => {
  type Step = "pay" | "settle" | "cancel" | "refund" | "expire";
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          order: fc.constantFrom("o-1", "o-2", "o-3"),
          step: fc.constantFrom<Step>("pay", "pay", "settle", "cancel", "refund", "expire"),
          fail: fc.option(
            fc.record({
              at: fc.integer({ min: 1, max: 3 }),
              when: fc.constantFrom("before" as const, "after" as const),
            }),
          ),
        }),
        { minLength: 3, maxLength: 14 },
      ),
      async (steps) => {
        const store = openMemoryStore();
        const append = store.append.bind(store);
        const clock = { now: t0 };
        const engine = await open({ store, wallet: "kept", clock: () => clock.now });
        await rich(engine, 12_000);
        for (const orderId of ["o-1", "o-2", "o-3"])
          accepted(await engine.execute(newOrder(orderId), by(buyer)));
        const cancel = async (orderId: string) => {
          const paid = await engine.state(orderId);
          const actor = paid.status === "paid" ? merchant : buyer;
          const destination = paid.status === "paid" ? { destination: "wallet" } : {};
          await engine.execute({ type: "CancelOrder", orderId, ...destination }, by(actor));
        };
        for (const { order, step, fail } of steps) {
          store.append = append;
          if (fail !== null) failing(store, fail.at, fail.when);
          try {
            if (step === "pay") await pay(engine, order);
            else if (step === "cancel") await cancel(order);
            else if (step === "settle") await settled(engine);
            else if (step === "refund") for await (const _run of engine.runRefunds());
            else if (step === "expire") {
              clock.now += 31 * minute;
              await engine.execute({ type: "ExpireOrder", orderId: order }, by(system));
            }
          } catch (error) {
            expect(error).toMatchObject({ code: "unavailable" });
          }
        }
        store.append = append;
        await settled(engine);
        clock.now += 60 * minute;
        for await (const _run of engine.runRefunds());
        const { balances, held } = await engine.wallet.show(buyer.id);
        let kept = 0;
        for (const orderId of ["o-1", "o-2", "o-3"]) {
          const order = await engine.state(orderId);
          if (order.status !== "none") kept += order.paid - order.refunded;
        }
        expect(held).toEqual([]);
        expect((balances["CNY"] ?? 0) + kept).toBe(12_000);
      },
    ),
    { numRuns: Number(process.env["AFTERSALE_RUNS"] ?? 60) },
  );
});
