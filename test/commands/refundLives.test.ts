// Random providers, random faults of the store and random restarts: whatever happened, in the end every refund is paid once, by asking
// before paying, and the ledger says what the provider's and the wallet's books say.
//
// AFTERSALE_RUNS sets how many lives are played (60).

import fc from "fast-check";
import { expect, it } from "vitest";

import type { PaymentProvider, RefundRequest, Wallet } from "../../src/commands/refundPorts.ts";
import {
  type RefundScript,
  type ScriptStep,
  type Scripted,
  memoryWallet,
  scriptedProvider,
} from "../../src/commands/scripted.ts";
import type { Engine } from "../../src/engine.ts";
import { type MemoryStore, openMemoryStore } from "../../src/store/memory.ts";
import { StoreError } from "../../src/store/port.ts";
import { minute, provider as bank, second, t0 } from "../domain/orders.ts";
import { accepted, by, open, tidyEngines } from "../engines.ts";
import { all, caseOf, flying, orderOf } from "./paying.ts";

tidyEngines();

const numRuns = Number(process.env["AFTERSALE_RUNS"] ?? 60);

const stepOf = fc.constantFrom<ScriptStep>("settle", "pending", "refuse", "throw", "payThenThrow", {
  refuse: "BUSY",
});
/** What the ports do in each attempt of a case; later ones succeed. */
const attempts = fc.array(fc.array(stepOf, { maxLength: 4 }), { maxLength: 3 });
const refund = fc.record({ toWallet: fc.boolean(), attempts });

const happening = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("run" as const), faults: fc.array(fc.nat({ max: 5 })) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), minutes: fc.nat({ max: 90 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("callback" as const), pick: fc.nat() }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

const life = fc.record({
  refunds: fc.array(refund, { minLength: 1, maxLength: 4 }),
  happenings: fc.array(happening, { maxLength: 12 }),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

function scriptOf(refunds: Life["refunds"]): RefundScript {
  const steps = refunds.flatMap((one, at) =>
    one.attempts.map((script, index): [string, readonly ScriptStep[]] => [
      `c-o-${at}:${index + 1}`,
      [...script, "settle"],
    ]),
  );
  return Object.fromEntries(steps);
}

/** Appends that fail, by how many come before the next: even ones before anything is written, odd ones afterwards. */
function faulty(store: MemoryStore): { faults: number[] } {
  const plan: { faults: number[] } = { faults: [] };
  const append = store.append.bind(store);
  store.append = async (...args) => {
    const fault = plan.faults.shift();
    if (fault === 0) throw new StoreError("unavailable", "not written");
    const appended = await append(...args);
    if (fault === 1) throw new StoreError("unavailable", "written, and no answer");
    return appended;
  };
  return plan;
}

class Lived {
  readonly store = openMemoryStore();
  readonly #plan = faulty(this.store);
  readonly provider: PaymentProvider & Scripted;
  readonly wallet: Wallet & Scripted;
  engine!: Engine;
  now = t0;
  /** Refund ids that were asked to be paid when their outcome was in the book already. */
  readonly askedInVain: string[] = [];

  constructor(script: RefundScript) {
    const watched =
      <R>(scripted: Scripted, pay: (request: RefundRequest) => Promise<R>) =>
      (request: RefundRequest): Promise<R> => {
        if (scripted.book.has(request.refundId)) this.askedInVain.push(request.refundId);
        return pay(request);
      };
    this.provider = scriptedProvider(script);
    this.provider.refund = watched(this.provider, this.provider.refund);
    this.wallet = memoryWallet(script);
    this.wallet.credit = watched(this.wallet, this.wallet.credit);
  }

  /** The engine before is left as a crash leaves it: what it knew is gone, and what it had not written too. */
  async restart(): Promise<void> {
    this.engine = await open({
      store: this.store,
      clock: () => this.now,
      terms: { "*": { refundAttempts: 100 } },
      payments: this.provider,
      wallet: this.wallet,
    });
  }

  async run(faults: readonly number[] = []): Promise<void> {
    this.#plan.faults = [...faults];
    await all(this.engine.runDue(this.now)).catch(() => undefined);
    for (const { outcome } of await all(this.engine.runRefunds())) expect(outcome).not.toBe("refused");
    this.#plan.faults = [];
  }

  async isPaying(orders: number): Promise<boolean> {
    for (let at = 0; at < orders; at += 1) {
      if ((await caseOf(this.engine, `o-${at}`)).status === "refundPending") return true;
    }
    return false;
  }

  async take(one: Happening): Promise<void> {
    switch (one.type) {
      case "run":
        return this.run(one.faults);
      case "restart":
        return this.restart();
      case "wait":
        this.now += one.minutes * minute;
        return undefined;
      case "callback":
        return this.callBack(one.pick);
    }
  }

  /** A pending refund is settled, and the shop records it. */
  async callBack(pick: number): Promise<void> {
    const pending = [this.provider, this.wallet].flatMap((scripted) =>
      [...scripted.book.values()]
        .filter(({ answer }) => answer.status === "pending")
        .map((entry) => ({ scripted, entry })),
    );
    const chosen = pending[pick % Math.max(1, pending.length)];
    if (chosen === undefined) return;
    const { refundId, orderId, caseId, amount } = chosen.scripted.settle(chosen.entry.refundId);
    const settle = { type: "SettleRefund", orderId, caseId, refundId, amount };
    accepted(await this.engine.execute(settle, by(bank, { commandId: refundId })));
  }
}

async function play({ refunds, happenings }: Life): Promise<void> {
  const lived = new Lived(scriptOf(refunds));
  await lived.restart();
  for (const [at, { toWallet }] of refunds.entries()) {
    await flying(lived.engine, `o-${at}`, { destination: toWallet ? "wallet" : "original" });
  }
  for (const one of happenings) {
    lived.now += second;
    await lived.take(one);
  }
  // In the end nothing fails any more.
  for (let runs = 0; runs < 60 && (await lived.isPaying(refunds.length)); runs += 1) {
    lived.now += 2 * 60 * minute;
    await lived.run();
  }

  expect(lived.askedInVain).toEqual([]);
  expect(await all(lived.engine.refundsInFlight())).toEqual([]);
  for (const [at, { toWallet }] of refunds.entries()) {
    const orderId = `o-${at}`;
    const entries = [...(toWallet ? lived.wallet : lived.provider).book.values()].filter(
      (entry) => entry.orderId === orderId,
    );
    const paid = entries.filter(({ answer }) => answer.status === "settled");
    expect(paid.map(({ amount }) => amount)).toEqual([1_000]);
    expect(await orderOf(lived.engine, orderId)).toMatchObject({ refunded: 1_000, inFlight: 0 });
    const one = await caseOf(lived.engine, orderId);
    expect(one.status).toBe("refunded");
    const words = { settled: "settled", failed: "refused", inFlight: "pending" };
    expect(one.attempts.map(({ refundId, state }) => [refundId, words[state]])).toEqual(
      entries.map(({ refundId, answer }) => [refundId, answer.status]),
    );
    const recorded = (await lived.engine.history(orderId)).filter(({ event }) =>
      ["RefundSettled", "RefundFailed"].includes(event.type),
    );
    expect(recorded).toHaveLength(one.attempts.length);
  }
  for (const { view, different } of await lived.engine.check()) expect([view, different]).toEqual([view, 0]);
}

it(
  `ends with every refund paid once and the books in agreement (${numRuns} lives)`,
  async () => {
    await fc.assert(fc.asyncProperty(life, play), { numRuns });
  },
  60_000 + numRuns * 100,
);
