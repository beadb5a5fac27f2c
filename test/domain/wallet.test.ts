// The wallet's rules, one by one: what each command leads to on a wallet as it stands, and what it is refused with.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import {
  type WalletCommand,
  type WalletState,
  decideWallet,
  describeWalletRefusal,
  evolveWallet,
  initialWallet,
  isWalletRefusal,
  walletRefusalCodes,
} from "../../src/domain/wallet.ts";

function after(...commands: readonly WalletCommand[]): WalletState {
  return commands.reduce((state, command) => {
    const decided = decideWallet(command, state, 1);
    if (E.isLeft(decided)) throw new Error(decided.left.code);
    return decided.right.reduce(evolveWallet, state);
  }, initialWallet);
}

const topUp = (amount = 100, topUpId = "t-1", currency = "CNY"): WalletCommand => ({
  type: "TopUp",
  topUpId,
  amount,
  currency,
});
const hold = (amount = 60, payId = "p-1", orderId = "o-1"): WalletCommand => ({
  type: "Hold",
  payId,
  orderId,
  amount,
  currency: "CNY",
});
const take = (payId = "p-1"): WalletCommand => ({ type: "Take", payId });
const release = (payId = "p-1"): WalletCommand => ({ type: "Release", payId });
const credit = (amount = 10, refundId = "r-1", orderId = "o-1"): WalletCommand => ({
  type: "Credit",
  refundId,
  orderId,
  amount,
  currency: "CNY",
});

const most = Number.MAX_SAFE_INTEGER;

const table: readonly (readonly [string, readonly WalletCommand[], WalletCommand, string, number?])[] = [
  ["a first top-up", [], topUp(), "WalletToppedUp", 100],
  ["a second top-up", [topUp()], topUp(5, "t-2"), "WalletToppedUp", 105],
  ["a top-up again", [topUp()], topUp(), "nothing", 100],
  ["a top-up of another amount", [topUp()], topUp(99), "walletIdUsed"],
  ["a top-up of another currency", [topUp()], topUp(100, "t-1", "JPY"), "walletIdUsed"],
  ["a top-up that fills it", [topUp(most - 1)], topUp(1, "t-2"), "WalletToppedUp", most],
  ["a top-up over all that can be counted", [topUp(most)], topUp(1, "t-2"), "walletFull"],
  ["a top-up over it with what is held", [topUp(most), hold(most)], topUp(1, "t-2"), "walletFull"],
  ["a hold of all", [topUp()], hold(100), "WalletHeld", 0],
  ["a hold of more", [topUp()], hold(101), "balanceTooLow"],
  ["a hold of what is held", [topUp(), hold()], hold(41, "p-2"), "balanceTooLow"],
  ["a hold of the rest", [topUp(), hold()], hold(40, "p-2"), "WalletHeld", 0],
  ["a hold again", [topUp(), hold()], hold(), "nothing", 40],
  ["a hold again, though taken", [topUp(), hold(), take()], hold(), "nothing", 40],
  ["a hold again, though released", [topUp(), hold(), release()], hold(), "holdEnded"],
  ["a hold for another order", [topUp(), hold()], hold(60, "p-1", "o-2"), "walletIdUsed"],
  ["a hold of another amount", [topUp(), hold(), release()], hold(61), "walletIdUsed"],
  ["taking what is held", [topUp(), hold()], take(), "WalletTaken", 40],
  ["taking again", [topUp(), hold(), take()], take(), "nothing", 40],
  ["taking what was released", [topUp(), hold(), release()], take(), "holdEnded"],
  ["taking what is not held", [topUp()], take(), "holdUnknown"],
  ["releasing what is held", [topUp(), hold()], release(), "WalletReleased", 100],
  ["releasing again", [topUp(), hold(), release()], release(), "nothing", 100],
  ["releasing what was taken", [topUp(), hold(), take()], release(), "holdEnded"],
  ["a credit", [], credit(), "WalletCredited", 10],
  ["a credit again", [credit()], credit(), "nothing", 10],
  ["a credit of another amount", [credit()], credit(11), "walletIdUsed"],
  ["a credit for another order", [credit()], credit(10, "r-1", "o-2"), "walletIdUsed"],
  ["a credit under a top-up's id", [topUp(5, "x")], credit(10, "x"), "WalletCredited", 15],
];

describe("a wallet", () => {
  it.each(table.map(([what, before, command, outcome, left]) => ({ what, before, command, outcome, left })))(
    "$what",
    ({ before, command, outcome, left }) => {
      const state = after(...before);
      const decided = decideWallet(command, state, 1);
      if (E.isLeft(decided)) {
        expect(decided.left.code).toBe(outcome);
        expect(isWalletRefusal(decided.left)).toBe(true);
        expect(describeWalletRefusal(decided.left)).toMatch(/^[a-zA-Z]+: \S/);
        return;
      }
      expect(decided.right.map(({ type }) => type)).toEqual(outcome === "nothing" ? [] : [outcome]);
      expect(decided.right.reduce(evolveWallet, state).balances.get("CNY")).toBe(left);
    },
  );

  it("is refused for every reason there is", () => {
    const met = new Set(table.map(([, , , outcome]) => outcome));
    expect(walletRefusalCodes.filter((code) => !met.has(code))).toEqual([]);
    expect(isWalletRefusal({ code: "orderNotFound" })).toBe(false);
  });
});
