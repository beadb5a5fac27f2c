// The scripted provider and the wallet in memory: they do what the script says, once for each refund, and refuse what is no script.

import { describe, expect, it } from "vitest";

import type { RefundRequest } from "../../src/commands/refundPorts.ts";
import { type RefundScript, memoryWallet, scriptedProvider } from "../../src/commands/scripted.ts";

function about(refundId: string, over: Partial<RefundRequest> = {}): RefundRequest {
  return {
    refundId,
    amount: 1_000,
    currency: "CNY",
    orderId: "o-1",
    caseId: "c-1",
    merchantId: "main",
    buyerId: "buyer-1",
    payId: "pay-1",
    tradeNo: "t-1",
    signal: undefined,
    ...over,
  };
}

const paid = (refundId: string, amount = 1_000) => ({
  status: "settled",
  amount,
  tradeNo: `paid-${refundId}`,
});

describe("a script", () => {
  it("settles where it says nothing", async () => {
    const provider = scriptedProvider();
    expect(await provider.status("r", about("r"))).toEqual({ status: "unknown" });
    expect(await provider.refund(about("r"))).toEqual(paid("r"));
    expect(await provider.status("r", about("r"))).toEqual(paid("r"));
    expect(provider.calls).toEqual([
      { method: "status", refundId: "r", answer: { status: "unknown" } },
      { method: "refund", refundId: "r", answer: paid("r") },
      { method: "status", refundId: "r", answer: paid("r") },
    ]);
  });

  it("pays once, however often it is asked, and for whichever amount afterwards", async () => {
    const wallet = memoryWallet();
    for (const amount of [1_000, 1_000, 5])
      expect(await wallet.credit(about("r", { amount }))).toEqual(paid("r"));
    expect(await wallet.balance("buyer-1", "CNY")).toBe(1_000);
    await wallet.credit(about("s", { amount: 5 }));
    await wallet.credit(about("t", { currency: "JPY" }));
    await wallet.credit(about("u", { buyerId: "buyer-2" }));
    expect(await wallet.balance("buyer-1", "CNY")).toBe(1_005);
  });

  it("takes a step a call until the refund has ended, and repeats the last", async () => {
    const provider = scriptedProvider({
      r: ["throw", "pending", "throw", "pending", "refuseForGood"],
      s: "pending",
    });
    await expect(provider.refund(about("r"))).rejects.toThrow("no answer about refund r");
    expect(await provider.status("r", about("r"))).toEqual({ status: "unknown" });
    expect(await provider.refund(about("r"))).toEqual({ status: "pending" });
    await expect(provider.status("r", about("r"))).rejects.toThrow("no answer");
    expect(await provider.status("r", about("r"))).toEqual({ status: "pending" });
    const refused = { status: "refused", failure: "refused", retryable: false };
    for (let again = 0; again < 3; again += 1)
      expect(await provider.status("r", about("r"))).toEqual(refused);
    await provider.refund(about("s"));
    for (let again = 0; again < 3; again += 1) {
      expect(await provider.status("s", about("s"))).toEqual({ status: "pending" });
    }
  });

  it("pays and says nothing, pays another amount, or refuses with a code of its own", async () => {
    const provider = scriptedProvider({
      r: "payThenThrow",
      s: { settle: 900 },
      t: { refuse: "BUSY", retryable: false, message: "later" },
      "*": { refuse: "CLOSED" },
    });
    await expect(provider.refund(about("r"))).rejects.toThrow("no answer");
    expect(await provider.status("r", about("r"))).toEqual(paid("r"));
    expect(await provider.refund(about("s"))).toEqual(paid("s", 900));
    expect(await provider.refund(about("t"))).toEqual({
      status: "refused",
      failure: "BUSY",
      retryable: false,
      message: "later",
    });
    expect(await provider.refund(about("u"))).toEqual({
      status: "refused",
      failure: "CLOSED",
      retryable: true,
    });
    expect(await provider.refund(about("v"))).toEqual({
      status: "refused",
      failure: "CLOSED",
      retryable: true,
    });
  });

  it("leaves a pending one to be ended from outside, once", async () => {
    const provider = scriptedProvider({ "*": "pending" });
    expect(() => provider.settle("r")).toThrow(RangeError);
    for (const refundId of ["r", "s"]) await provider.refund(about(refundId));
    expect(provider.settle("r")).toMatchObject({
      refundId: "r",
      orderId: "o-1",
      caseId: "c-1",
      amount: 1_000,
    });
    expect(await provider.status("r", about("r"))).toEqual(paid("r"));
    expect(provider.refuse("s").answer).toEqual({ status: "refused", failure: "refused", retryable: true });
    for (const refundId of ["r", "s"]) expect(() => provider.refuse(refundId)).toThrow(RangeError);
  });
});

it.each([
  [null, "script: must map refund ids, or *, to steps"],
  [["settle"], "script: must map refund ids, or *, to steps"],
  [{ r: [] }, "script: r: no steps"],
  [{ r: "setle" }, 'script: r: "setle" is no step (settle?); steps are settle, pending, '],
  [{ r: ["settle", 5] }, "script: r: 5 is no step; "],
  [{ r: { settle: 0.5 } }, 'script: r: {"settle":0.5} is no step'],
  [{ r: { settle: 5, retryable: true } }, "is no step"],
  [{ r: { settle: 5, refuse: "X" } }, "is no step"],
  [{ r: { refuse: 5 } }, "is no step"],
  [{ r: { refuse: "X", retryable: "yes" } }, "is no step"],
  [{ r: { refuse: "X", message: 5 } }, "is no step"],
  [{ r: { refuse: "X", why: "" } }, "is no step"],
  [{ r: {} }, "is no step"],
])("%j is no script", (script, words) => {
  for (const scripted of [scriptedProvider, memoryWallet]) {
    expect(() => scripted(script as unknown as RefundScript)).toThrow(TypeError);
    expect(() => scripted(script as unknown as RefundScript)).toThrow(words);
  }
});
