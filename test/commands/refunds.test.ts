// The refund process: what is asked of whom, what is recorded of the answer, and what is left alone.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, expectTypeOf, it } from "vitest";

import type { PaymentProvider, RefundRequest } from "../../src/commands/refundPorts.ts";
import type { RefundRun } from "../../src/commands/refunds.ts";
import { memoryWallet, scriptedProvider } from "../../src/commands/scripted.ts";
import type { Engine, EngineOptions } from "../../src/engine.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { StoreError } from "../../src/store/port.ts";
import { buyer, day, merchant, minute, provider as bank, second, t0 } from "../domain/orders.ts";
import { accepted, by, newOrder, open, refused, stores, tidyEngines } from "../engines.ts";
import { newFile } from "../store/files.ts";
import { all, attemptsOf, bought, caseOf, flying, issue, orderOf, run } from "./paying.ts";

tidyEngines();

/** An engine with a clock that a test can set. */
async function house(
  options: Partial<EngineOptions> = {},
): Promise<{ engine: Engine; clock: { now: number } }> {
  const clock = { now: t0 };
  const engine = await open({ store: "memory:", clock: () => clock.now, ...options });
  return { engine, clock };
}

describe.each(stores)("on %s", (_kind, fresh) => {
  it("a refund is asked for, paid and recorded, in the provider's name, under an id made from it", async () => {
    const payments = scriptedProvider();
    const { engine } = await house({ store: fresh(), payments });
    const refundId = await flying(engine, "o-1");
    const [ran, ...others] = await all(engine.runRefunds());
    expect(others).toEqual([]);
    expect(ran).toMatchObject({ orderId: "o-1", caseId: "c-o-1", refundId, outcome: "settled" });
    expect(payments.calls.map(({ method, refundId: id }) => [method, id])).toEqual([
      ["status", refundId],
      ["refund", refundId],
    ]);
    const last = (await engine.history("o-1")).at(-1);
    expect(last).toMatchObject({
      event: {
        type: "RefundSettled",
        at: t0,
        data: { caseId: "c-o-1", refundId, amount: 1_000, tradeNo: `paid-${refundId}` },
      },
      meta: { actor: { role: "provider", id: "provider" }, commandId: "refund:1.1:settled" },
    });
    expect(await orderOf(engine, "o-1")).toMatchObject({ refunded: 1_000, inFlight: 0 });
    expect(await run(engine)).toEqual([]);
    expect(payments.calls).toHaveLength(2);
  });

  it("what was paid from the wallet goes back there, also where it is to go back the way it came", async () => {
    const payments = scriptedProvider({ "*": "settle" });
    const wallet = memoryWallet();
    const { engine } = await house({ store: fresh(), payments, wallet });
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    const pay = { type: "Pay", orderId: "o-1", payId: "w-1", amount: 5_800, channel: "wallet" };
    accepted(await engine.execute(pay, by(buyer)));
    await issue(engine, "o-1", "c-o-1", { destination: "original" });
    expect(await run(engine)).toEqual(["c-o-1:1 settled"]);
    expect(payments.calls).toEqual([]);
    expect(await wallet.balance(buyer.id, "CNY")).toBe(1_000);
  });

  it("each goes to whom it is for: original to the provider, wallet to the wallet, and by hand to nobody", async () => {
    const payments = scriptedProvider();
    const wallet = memoryWallet();
    const { engine } = await house({ store: fresh(), payments, wallet });
    await flying(engine, "o-1");
    await flying(engine, "o-2", { destination: "wallet", amount: 700 });
    await flying(engine, "o-3", { destination: "manual" });
    expect(await run(engine)).toEqual(["c-o-1:1 settled", "c-o-2:1 settled"]);
    expect([...payments.book.keys()]).toEqual(["c-o-1:1"]);
    expect([...wallet.book.keys()]).toEqual(["c-o-2:1"]);
    expect(await wallet.balance("buyer-1", "CNY")).toBe(700);
    expect(await wallet.balance("buyer-1", "JPY")).toBe(0);
    expect(await wallet.balance("buyer-2", "CNY")).toBe(0);
    expect((await engine.history("o-2")).at(-1)?.meta.actor).toEqual({ role: "provider", id: "wallet" });
  });

  it("those in flight are listed, the longest waiting first, over more than a page, and nobody is asked", async () => {
    const payments = scriptedProvider();
    const { engine } = await house({ store: fresh(), payments });
    const ids = Array.from({ length: 130 }, (_, at) => `o-${String(at).padStart(3, "0")}`);
    for (const [at, orderId] of ids.entries()) {
      await flying(engine, orderId, {
        at: t0 + (130 - at) * second,
        ...(at === 7 ? { destination: "manual" } : {}),
      });
    }
    const listed = await all(engine.refundsInFlight());
    expect(listed.map(({ orderId }) => orderId)).toEqual(ids.filter((_, at) => at !== 7).toReversed());
    expect(listed[0]).toEqual({
      orderId: "o-129",
      caseId: "c-o-129",
      refundId: "c-o-129:1",
      attempt: 1,
      destination: "original",
      amount: 1_000,
      currency: "CNY",
      merchantId: "main",
      buyerId: "buyer-1",
      payId: "pay-o-129",
      tradeNo: "t-o-129",
      issuedAt: t0 + second,
    });
    expect(payments.calls).toEqual([]);
    expect(await run(engine)).toHaveLength(129);
    expect(await all(engine.refundsInFlight())).toEqual([]);
  });

  it("with no ports nothing is recorded, and each is told of", async () => {
    const { engine } = await house({ store: fresh() });
    await flying(engine, "o-1");
    await flying(engine, "o-2", { destination: "wallet" });
    const head = await engine.head();
    const ran = await all(engine.runRefunds());
    expect(ran).toEqual([
      { orderId: "o-1", caseId: "c-o-1", refundId: "c-o-1:1", outcome: "noPort", destination: "original" },
      { orderId: "o-2", caseId: "c-o-2", refundId: "c-o-2:1", outcome: "noPort", destination: "wallet" },
    ]);
    expect(await engine.head()).toBe(head);
    expect(await all(engine.refundsInFlight())).toHaveLength(2);
    // The shop pays by itself, and says so.
    const settle = {
      type: "SettleRefund",
      orderId: "o-1",
      caseId: "c-o-1",
      refundId: "c-o-1:1",
      amount: 1_000,
    };
    accepted(await engine.execute(settle, by(bank)));
    expect((await all(engine.refundsInFlight())).map(({ orderId }) => orderId)).toEqual(["o-2"]);
  });

  it("the refunds of a late payment and of a merchant's cancellation are paid too, and end the order", async () => {
    const payments = scriptedProvider();
    const { engine, clock } = await house({ store: fresh(), payments });
    accepted(await engine.execute(newOrder("late"), by(buyer)));
    clock.now = t0 + day;
    await all(engine.runDue(clock.now));
    const pay = { type: "Pay", orderId: "late", payId: "p", amount: 5_800, channel: "online", tradeNo: "t" };
    accepted(await engine.execute(pay, by(buyer)));
    await bought(engine, "gone", clock.now);
    const cancel = { type: "CancelOrder", orderId: "gone", destination: "original" };
    accepted(await engine.execute(cancel, by(merchant)));
    expect((await run(engine)).map((words) => words.split(" ")[1])).toEqual(["settled", "settled"]);
    expect(
      [...payments.book.values()].map(({ orderId, amount }) => `${orderId} ${amount}`).toSorted(),
    ).toEqual(["gone 5800", "late 5800"]);
    expect(await orderOf(engine, "late")).toMatchObject({ paid: 5_800, refunded: 5_800, status: "closed" });
    expect(await orderOf(engine, "gone")).toMatchObject({ paid: 5_800, refunded: 5_800, status: "closed" });
  });
});

describe("an answer", () => {
  it("refused is recorded as a failure; the deadline issues it again, and the next attempt is paid under its own id", async () => {
    const payments = scriptedProvider({ "c-o-1:1": { refuse: "BUSY", message: "later" }, "*": "settle" });
    const { engine, clock } = await house({ payments });
    await flying(engine, "o-1");
    expect(await run(engine)).toEqual(["c-o-1:1 failed"]);
    expect((await engine.history("o-1")).at(-1)).toMatchObject({
      event: { type: "RefundFailed", data: { failure: "BUSY", retryable: true, message: "later" } },
      meta: { commandId: "refund:1.1:failed" },
    });
    expect(await orderOf(engine, "o-1")).toMatchObject({ refunded: 0, inFlight: 0 });
    // Nothing is in flight until the deadline, and a run finds nothing to ask.
    expect(await run(engine)).toEqual([]);
    expect(await all(engine.refundsInFlight())).toEqual([]);
    clock.now = t0 + minute + second;
    expect((await all(engine.runDue(clock.now))).map(({ kind }) => kind)).toEqual(["refundRetry"]);
    expect(await run(engine)).toEqual(["c-o-1:2 settled"]);
    expect(await attemptsOf(engine, "o-1")).toEqual(["failed", "settled"]);
    expect(await orderOf(engine, "o-1")).toMatchObject({ refunded: 1_000, inFlight: 0 });
  });

  it("refused for good waits for a person", async () => {
    const { engine, clock } = await house({ payments: scriptedProvider({ "*": "refuseForGood" }) });
    await flying(engine, "o-1");
    expect(await run(engine)).toEqual(["c-o-1:1 failed"]);
    clock.now = t0 + 300 * day;
    expect(await all(engine.runDue(clock.now))).toEqual([]);
    expect((await caseOf(engine, "o-1")).status).toBe("refundPending");
  });

  it("pending is left in flight, and settles by a callback or by a later run", async () => {
    const payments = scriptedProvider({ "c-o-1:1": "pending", "c-o-2:1": ["pending", "settle"] });
    const { engine, clock } = await house({ payments });
    await flying(engine, "o-1");
    await flying(engine, "o-2");
    expect(await run(engine)).toEqual(["c-o-1:1 pending", "c-o-2:1 pending"]);
    expect(await attemptsOf(engine, "o-1")).toEqual(["inFlight"]);
    const { refundId, amount } = payments.settle("c-o-1:1");
    const settle = { type: "SettleRefund", orderId: "o-1", caseId: "c-o-1", refundId, amount };
    accepted(await engine.execute(settle, by(bank, { commandId: refundId })));
    clock.now += minute;
    expect(await run(engine)).toEqual(["c-o-2:1 settled"]);
    expect(payments.calls.filter(({ method }) => method === "refund")).toHaveLength(2);
  });

  it("that does not come leaves it in flight, never failed; what was paid is found by asking", async () => {
    const payments = scriptedProvider({ "c-o-1:1": "payThenThrow", "c-o-2:1": ["throw", "settle"] });
    const { engine, clock } = await house({ payments });
    await flying(engine, "o-1");
    await flying(engine, "o-2");
    const ran = await all(engine.runRefunds());
    expect(ran.map(({ outcome }) => outcome)).toEqual(["unknown", "unknown"]);
    expect(ran[0]).toMatchObject({ error: new Error("no answer about refund c-o-1:1") });
    expect(ran[0]).not.toHaveProperty("answer");
    for (const orderId of ["o-1", "o-2"]) expect(await attemptsOf(engine, orderId)).toEqual(["inFlight"]);
    clock.now += minute;
    expect(await run(engine)).toEqual(["c-o-1:1 settled", "c-o-2:1 settled"]);
    const asked = (id: string) =>
      payments.calls.filter((call) => call.refundId === id).map(({ method }) => method);
    expect(asked("c-o-1:1")).toEqual(["status", "refund", "status"]);
    expect(asked("c-o-2:1")).toEqual(["status", "refund", "status", "refund"]);
  });

  it("of another amount is refused by the order, told aloud, and nothing is appended", async () => {
    const { engine } = await house({ payments: scriptedProvider({ "*": { settle: 999 } }) });
    await flying(engine, "o-1");
    const head = await engine.head();
    const [ran] = await all(engine.runRefunds());
    expect(ran).toMatchObject({
      refundId: "c-o-1:1",
      outcome: "refused",
      answer: { status: "settled", amount: 999 },
      rejection: { code: "amountMismatch", amount: 999, due: 1_000, currency: "CNY" },
    });
    expect(await engine.head()).toBe(head);
    expect(await attemptsOf(engine, "o-1")).toEqual(["inFlight"]);
  });

  it.each([Number.NaN, -1_000, 0.5, "1000"])(
    "of an amount that is none (%s) records nothing",
    async (amount) => {
      const answer = { status: "settled", amount: amount as number } as const;
      const { engine } = await house({ payments: answering(async () => answer) });
      await flying(engine, "o-1");
      const [ran] = await all(engine.runRefunds());
      expect(ran).toMatchObject({ outcome: "refused", rejection: { code: "invalidCommand" } });
      expect(await attemptsOf(engine, "o-1")).toEqual(["inFlight"]);
    },
  );

  it.each([undefined, {}, { status: "unknown" }, { status: "paid" }])(
    "that is none (%j) is no outcome",
    async (answer) => {
      const { engine } = await house({ payments: answering(async () => answer as never) });
      await flying(engine, "o-1");
      const [ran] = await all(engine.runRefunds());
      expect(ran?.outcome).toBe("unknown");
      expect((ran as { error: unknown }).error).toBeInstanceOf(TypeError);
      expect(await attemptsOf(engine, "o-1")).toEqual(["inFlight"]);
    },
  );

  it("with an explanation that is too long or ill-formed is recorded all the same", async () => {
    const message = `\ud800${"钱".repeat(2_000)}\0`;
    const { engine } = await house({ payments: scriptedProvider({ "*": { refuse: "X", message } }) });
    await flying(engine, "o-1");
    expect(await run(engine)).toEqual(["c-o-1:1 failed"]);
    const recorded = `\ufffd${"钱".repeat(999)}`;
    expect((await engine.history("o-1")).at(-1)?.event.data).toMatchObject({ message: recorded });
    expect((await engine.views.order("o-1"))?.log.at(-1)?.reason).toBe(recorded);
  });

  it.each([
    ["t".repeat(200), "t".repeat(128)],
    ["", undefined],
    [null, undefined],
    [42, undefined],
    ["\ud800", "\ufffd"],
  ])("settled with a trade number like %j is recorded all the same", async (given, tradeNo) => {
    const payments = answering(async ({ amount }) => ({
      status: "settled",
      amount,
      tradeNo: given as string,
    }));
    const { engine } = await house({ payments });
    await flying(engine, "o-1");
    expect(await run(engine)).toEqual(["c-o-1:1 settled"]);
    expect((await caseOf(engine, "o-1")).attempts[0]?.tradeNo).toBe(tradeNo);
  });

  it.each([
    ["F".repeat(180), "F".repeat(128)],
    ["", "refused"],
    [undefined, "refused"],
  ])("refused with a code like %j is recorded, and goes on by its deadline", async (given, failure) => {
    const answer = { status: "refused", failure: given as string, retryable: true } as const;
    const { engine, clock } = await house({ payments: answering(async () => answer) });
    await flying(engine, "o-1");
    expect(await run(engine)).toEqual(["c-o-1:1 failed"]);
    expect((await engine.history("o-1")).at(-1)?.event.data).toMatchObject({ failure });
    clock.now = t0 + minute + second;
    expect((await all(engine.runDue(clock.now))).map(({ kind }) => kind)).toEqual(["refundRetry"]);
  });

  it("refused that does not say whether to try again is no outcome", async () => {
    const answer = { status: "refused", failure: "X" } as never;
    const { engine } = await house({ payments: answering(async () => answer) });
    await flying(engine, "o-1");
    const [ran] = await all(engine.runRefunds());
    expect(ran).toMatchObject({ outcome: "unknown", error: expect.any(TypeError) as TypeError });
  });

  it("that comes when its attempt was called failed by somebody else is told aloud: the money has moved", async () => {
    const { engine } = await house({
      payments: answering(async ({ orderId, caseId, refundId, amount }) => {
        const fail = { type: "FailRefund", orderId, caseId, refundId, failure: "GUESS", retryable: false };
        accepted(await engine.execute(fail, by(bank)));
        return { status: "settled", amount };
      }),
    });
    await flying(engine, "o-1");
    expect(await all(engine.runRefunds())).toMatchObject([
      { outcome: "refused", rejection: { code: "refundNotInFlight", state: "failed" } },
    ]);
  });

  it("that a callback brought first is recorded once, and not told of again", async () => {
    const { engine } = await house({
      payments: answering(async ({ orderId, caseId, refundId, amount }) => {
        const settle = { type: "SettleRefund", orderId, caseId, refundId, amount, tradeNo: "by callback" };
        accepted(await engine.execute(settle, by(bank, { commandId: "refund:1.1:settled" })));
        return { status: "settled", amount, tradeNo: "by answer" };
      }),
    });
    await flying(engine, "o-1");
    expect(await all(engine.runRefunds())).toEqual([]);
    expect((await engine.history("o-1")).filter(({ event }) => event.type === "RefundSettled")).toHaveLength(
      1,
    );
  });

  it("that says something else than the callback that came first is told aloud, and nothing is appended", async () => {
    for (const answer of [
      { status: "settled", amount: 999 },
      { status: "refused", failure: "CLOSED", retryable: false },
    ] as const) {
      let head: string | undefined;
      const { engine } = await house({
        payments: answering(async ({ orderId, caseId, refundId, amount }) => {
          accepted(
            await engine.execute({ type: "SettleRefund", orderId, caseId, refundId, amount }, by(bank)),
          );
          head = await engine.head();
          return answer;
        }),
      });
      await flying(engine, "o-1");
      expect(await all(engine.runRefunds())).toMatchObject([{ outcome: "refused", answer }]);
      expect(await engine.head()).toBe(head);
      expect(await attemptsOf(engine, "o-1")).toEqual(["settled"]);
    }
  });
});

/** A provider that knows nothing and answers so. */
function answering(refund: PaymentProvider["refund"]): PaymentProvider {
  return { name: "provider", refund, status: async () => ({ status: "unknown" }) };
}

describe("one without an outcome", () => {
  it("is asked about again after a minute, then two, four ... an hour at the most; a new attempt at once", async () => {
    const payments = scriptedProvider({ "*": "pending" });
    const { engine, clock } = await house({ payments });
    await flying(engine, "o-1");
    const asked: number[] = [];
    for (; clock.now < t0 + 4 * 60 * minute; clock.now += minute) {
      if ((await run(engine)).length > 0) asked.push((clock.now - t0) / minute);
    }
    expect(asked).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    payments.refuse("c-o-1:1");
    clock.now += 60 * minute;
    expect(await run(engine)).toEqual(["c-o-1:1 failed"]);
    clock.now += 2 * minute;
    await all(engine.runDue(clock.now));
    expect(await run(engine)).toEqual(["c-o-1:2 pending"]);
  });

  it("is asked about at once by a process that starts", async () => {
    const store = `sqlite:${newFile()}`;
    const payments = scriptedProvider({ "*": ["throw", "settle"] });
    const { engine } = await house({ store, payments });
    await flying(engine, "o-1");
    expect(await run(engine)).toEqual(["c-o-1:1 unknown"]);
    expect(await run(engine)).toEqual([]);
    await engine.close();
    expect(await run((await house({ store, payments })).engine)).toEqual(["c-o-1:1 settled"]);
  });

  it("does not hold up the others", async () => {
    const payments = scriptedProvider({ "c-o-1:1": "throw", "c-o-2:1": { settle: 1 }, "*": "settle" });
    const { engine } = await house({ payments });
    for (const orderId of ["o-1", "o-2", "o-3", "o-4"]) await flying(engine, orderId);
    const ran: RefundRun[] = await all(engine.runRefunds({ concurrency: 1 }));
    expect(ran.map(({ outcome }) => outcome)).toEqual(["unknown", "refused", "settled", "settled"]);
  });
});

describe("a run", () => {
  /** A provider whose answers a test gives when it wants to. */
  function slow(): {
    payments: PaymentProvider;
    waiting: Map<string, (request?: unknown) => void>;
    most: () => number;
  } {
    const waiting = new Map<string, () => void>();
    let most = 0;
    const payments = answering(async ({ refundId, amount }) => {
      await new Promise<void>((resolve) => {
        waiting.set(refundId, () => {
          waiting.delete(refundId);
          resolve();
        });
        most = Math.max(most, waiting.size);
      });
      return { status: "settled", amount };
    });
    return { payments, waiting, most: () => most };
  }

  it("asks about so many at a time and no more", async () => {
    for (const concurrency of [1, 3, undefined]) {
      const { payments, waiting, most } = slow();
      const { engine } = await house({ payments });
      for (let at = 0; at < 10; at += 1) await flying(engine, `o-${at}`);
      let done = false;
      const running = all(engine.runRefunds({ concurrency })).finally(() => {
        done = true;
      });
      while (!done) {
        await new Promise(setImmediate);
        waiting.values().next().value?.();
      }
      expect(await running).toHaveLength(10);
      expect(most()).toBe(concurrency ?? 8);
    }
    const { engine } = await house();
    for (const concurrency of [0, -1, 1.5, Number.NaN]) {
      await expect(all(engine.runRefunds({ concurrency }))).rejects.toThrow(RangeError);
    }
  });

  it("at the same time as another of the same engine does not ask twice", async () => {
    const { payments, waiting } = slow();
    const { engine } = await house({ payments });
    await flying(engine, "o-1");
    const first = all(engine.runRefunds());
    while (waiting.size === 0) await new Promise(setImmediate);
    expect(await all(engine.runRefunds())).toEqual([]);
    waiting.get("c-o-1:1")?.();
    expect(await first).toHaveLength(1);
  });

  it("that is told to stop begins no more, tells of those it had begun, and says why", async () => {
    const { payments, waiting } = slow();
    const { engine } = await house({ payments });
    for (let at = 0; at < 5; at += 1) await flying(engine, `o-${at}`);
    const controller = new AbortController();
    const reason = new Error("enough");
    const ran: RefundRun[] = [];
    const running = (async () => {
      for await (const one of engine.runRefunds({ concurrency: 2, signal: controller.signal })) ran.push(one);
    })();
    while (waiting.size < 2) await new Promise(setImmediate);
    controller.abort(reason);
    for (const answer of waiting.values()) answer();
    await expect(running).rejects.toBe(reason);
    expect(ran.map(({ refundId, outcome }) => [refundId, outcome])).toEqual([
      ["c-o-0:1", "settled"],
      ["c-o-1:1", "settled"],
    ]);
    expect(await all(engine.refundsInFlight())).toHaveLength(3);
  });

  it("hands its signal to the port, with all that it may need to know", async () => {
    const seen: RefundRequest[] = [];
    const { engine } = await house({
      payments: answering(async (request) => {
        seen.push(request);
        return { status: "pending" };
      }),
    });
    await flying(engine, "o-1");
    const { signal } = new AbortController();
    await all(engine.runRefunds({ signal }));
    expect(seen).toEqual([
      {
        refundId: "c-o-1:1",
        amount: 1_000,
        currency: "CNY",
        orderId: "o-1",
        caseId: "c-o-1",
        merchantId: "main",
        buyerId: "buyer-1",
        payId: "pay-o-1",
        tradeNo: "t-o-1",
        signal,
      },
    ]);
  });

  it("nobody listens to any more ends once what it had begun is finished", async () => {
    const { payments, waiting } = slow();
    const { engine } = await house({ payments });
    for (let at = 0; at < 5; at += 1) await flying(engine, `o-${at}`);
    let over = false;
    const listening = (async () => {
      for await (const _one of engine.runRefunds({ concurrency: 3 })) break;
      over = true;
    })();
    while (waiting.size < 3) await new Promise(setImmediate);
    waiting.get("c-o-0:1")?.();
    while ((await attemptsOf(engine, "o-0"))[0] === "inFlight") await new Promise(setImmediate);
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    expect(over).toBe(false);
    for (const answer of waiting.values()) answer();
    await listening;
    expect((await all(engine.refundsInFlight())).map(({ orderId }) => orderId)).toEqual(["o-3", "o-4"]);
  });

  it("whose order cannot be stored tells of the answer, and the next run finds it by asking", async () => {
    const store = openMemoryStore();
    const payments = scriptedProvider();
    const { engine, clock } = await house({ store, payments });
    await flying(engine, "o-1");
    await flying(engine, "o-2");
    const { append } = store;
    const full = new StoreError("full", "no space left");
    store.append = (stream, ...rest) =>
      stream === "order-o-1" ? Promise.reject(full) : append.call(store, stream, ...rest);
    const ran = await all(engine.runRefunds());
    expect(ran.find(({ orderId }) => orderId === "o-1")).toEqual({
      orderId: "o-1",
      caseId: "c-o-1",
      refundId: "c-o-1:1",
      outcome: "unknown",
      error: full,
      answer: { status: "settled", amount: 1_000, tradeNo: "paid-c-o-1:1" },
    });
    expect(await attemptsOf(engine, "o-2")).toEqual(["settled"]);
    store.append = append;
    clock.now += minute;
    expect(await run(engine)).toEqual(["c-o-1:1 settled"]);
    expect(payments.calls.filter(({ method }) => method === "refund")).toHaveLength(2);
  });

  it("on a store that is only read is refused before anybody is asked", async () => {
    const path = newFile();
    const { engine } = await house({ store: `sqlite:${path}` });
    await flying(engine, "o-1");
    await engine.close();
    const payments = scriptedProvider();
    const { engine: reader } = await house({ store: `sqlite:${path}`, payments, readOnly: true });
    expect(() => reader.runRefunds()).toThrow(expect.objectContaining({ code: "denied" }));
    expect(payments.calls).toEqual([]);
    expect(await all(reader.refundsInFlight())).toHaveLength(1);
  });
});

it("nothing but a run calls a port: no command, preview, deadline, replay, check, rebuild or look back", async () => {
  const payments = scriptedProvider();
  const wallet = memoryWallet();
  const { engine, clock } = await house({ store: `sqlite:${newFile()}`, payments, wallet });
  const refundId = await flying(engine, "o-1");
  await flying(engine, "o-2", { destination: "wallet" });
  const fail = {
    type: "FailRefund",
    orderId: "o-2",
    caseId: "c-o-2",
    refundId: "c-o-2:1",
    failure: "X",
    retryable: true,
  };
  accepted(await engine.execute(fail, by(bank)));
  const settle = { type: "SettleRefund", orderId: "o-1", caseId: "c-o-1", refundId, amount: 1_000 };
  expect(E.isRight(await engine.preview(settle, by(bank)))).toBe(true);
  clock.now += day;
  expect(await all(engine.runDue(clock.now))).toHaveLength(1);
  await engine.replay();
  await engine.check();
  for (const { view } of await engine.views.status()) await engine.rebuild(view);
  await engine.views.order("o-1", { at: { time: t0 } });
  await engine.views.orders({ at: { time: t0 } });
  await all(engine.refundsInFlight());
  const last = (await engine.history("o-2")).at(-1)?.position;
  for await (const { position } of engine.subscribe()) if (position === last) break;
  expect([...payments.calls, ...wallet.calls]).toEqual([]);
  await run(engine);
  expect([...payments.calls, ...wallet.calls]).not.toEqual([]);
});

it("ids that begin with refund: are kept for the provider and the system", async () => {
  const { engine } = await house();
  await flying(engine, "o-1");
  const hide = { type: "HideOrder", orderId: "o-1" };
  for (const actor of [buyer, merchant]) {
    expect(refused(await engine.execute(hide, by(actor, { commandId: "refund:1.1:settled" })))).toMatchObject(
      {
        code: "invalidCommand",
        issues: [{ field: "commandId", rule: "ids that begin with refund: are the refund process's own" }],
      },
    );
  }
});

it.each(["", "two words", "x".repeat(129)])(
  "a port named %j is not taken: nothing could be recorded in its name",
  async (name) => {
    const payments = { ...scriptedProvider(), name };
    await expect(open({ store: "memory:", payments })).rejects.toThrow(TypeError);
    await expect(open({ store: "memory:", wallet: { ...memoryWallet(), name } })).rejects.toThrow(TypeError);
  },
);

it("several refunds of one order are each recorded", async () => {
  const payments = scriptedProvider();
  const { engine } = await house({ payments });
  await bought(engine, "o-1");
  await issue(engine, "o-1", "a", { lineId: "L1", amount: 3_000 });
  await issue(engine, "o-1", "b", { lineId: "L2", amount: 2_000 });
  expect(await run(engine)).toEqual(["a:1 settled", "b:1 settled"]);
  expect(await orderOf(engine, "o-1")).toMatchObject({ refunded: 5_000, inFlight: 0 });
});

it("says what ports are at the level of types", () => {
  expectTypeOf(scriptedProvider()).toExtend<PaymentProvider>();
  expectTypeOf<RefundRun["outcome"]>().toEqualTypeOf<
    "settled" | "failed" | "pending" | "refused" | "unknown" | "noPort"
  >();
});
