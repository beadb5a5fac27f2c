// The wallets' events, frozen as they were first written: they stay readable, and are written so today.

import { expect, it } from "vitest";

import { decideWallet, evolveWallet, initialWallet, walletEventTypes } from "../../src/domain/wallet.ts";
import { walletCodec } from "../../src/store/codec.ts";
import { buyer, minute, t0 } from "../domain/orders.ts";
import { accepted, by, newOrder, open, tidyEngines } from "../engines.ts";
import { flying } from "../commands/paying.ts";

tidyEngines();

const pay1 = "wallet:bd9c6bb37ebf7fa21bd87b1edd6b4b23c0ab5d32:1";

const frozen: readonly (readonly [type: string, data: string])[] = [
  ["WalletToppedUp", '{"topUpId":"in-1","amount":9000,"currency":"CNY","note":"cash"}'],
  ["WalletHeld", `{"payId":"${pay1}","orderId":"o-1","amount":5800,"currency":"CNY"}`],
  ["WalletTaken", `{"payId":"${pay1}"}`],
  ["WalletCredited", '{"refundId":"c-o-2:1","orderId":"o-2","amount":1000,"currency":"CNY"}'],
];

it("is written today as it was at first", async () => {
  const engine = await open({ store: "memory:", wallet: "kept" });
  const actor = { role: "staff", id: "till" } as const;
  const topUp = { buyerId: buyer.id, topUpId: "in-1", amount: 9_000, currency: "CNY", note: "cash", actor };
  await engine.wallet.topUp(topUp);
  accepted(await engine.execute(newOrder("o-1"), by(buyer)));
  accepted((await engine.wallet.pay({ orderId: "o-1", buyerId: buyer.id })) as never);
  await flying(engine, "o-2", { destination: "wallet" });
  for await (const _run of engine.runRefunds());
  const written = (await engine.wallet.history(buyer.id)).map(({ event }) => [
    event.type,
    JSON.stringify(event.data),
  ]);
  expect(written.map(([type, data]) => [type, data?.replace(/wallet:[0-9a-f]{40}:1/, pay1)])).toEqual(frozen);
});

const meta =
  '{"v":1,"at":1767600000000,"actor":{"role":"staff","id":"till"},"commandId":"c","commandHash":"h"}';

function recorded(type: string, data: string) {
  return { stream: "wallet-b", revision: 0n, position: "1", id: "0-0", type, data, meta };
}

it("is read as it was meant, every kind of it", () => {
  const all = [...frozen, ["WalletReleased", `{"payId":"${pay1}"}`] as const];
  expect(all.map(([type]) => type).toSorted()).toEqual([...walletEventTypes].toSorted());
  const events = all.map(([type, data]) => walletCodec.decode(recorded(type, data)).event);
  const state = events.reduce(evolveWallet, initialWallet);
  // Taken is taken: what says otherwise later changes nothing.
  expect([...state.balances]).toEqual([["CNY", 9_000 - 5_800 + 1_000]]);
  expect(state.holds.get(pay1)?.state).toBe("taken");
});

it("of another kind is refused by name", () => {
  expect(() => walletCodec.decode(recorded("OrderPaid", "{}"))).toThrow('no such event type "OrderPaid"');
  expect(() => evolveWallet(initialWallet, { type: "Gone", at: 0, data: {} } as never)).toThrow('"Gone"');
});

it("never runs backwards: a clock that does is taken to stand", () => {
  const command = { type: "TopUp", topUpId: "t", amount: 1, currency: "CNY" } as const;
  const decided = decideWallet(command, { ...initialWallet, lastAt: t0 + minute }, t0);
  expect(decided).toMatchObject({ right: [{ at: t0 + minute }] });
});
