// Kill -9 between the two streams of a payment and of a refund: the money is in one place, and once.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { describe, expect, inject, it } from "vitest";

import { issue } from "./commands/paying.ts";
import { buyer } from "./domain/orders.ts";
import type { Engine } from "../src/engine.ts";
import { accepted, by, newOrder, open, tidyEngines } from "./engines.ts";
import { newFile } from "./store/files.ts";

tidyEngines();

const child = fileURLToPath(new URL("wallet-child.mjs", import.meta.url));

/** Runs the child until it is killed, or has ended because it makes fewer appends than that. */
function killed(file: string, at: number, when: string, work: string): boolean {
  const failure = inject("buildFailure");
  if (failure !== "") throw new Error(failure);
  const { signal, status, stderr } = spawnSync(process.execPath, [child, file, String(at), when, work], {
    encoding: "utf8",
  });
  if (signal === null && status !== 0) throw new Error(stderr);
  return signal === "SIGKILL";
}

async function prepared(file: string, paid: boolean): Promise<void> {
  const engine = await open({ store: `sqlite:${file}`, clock: Date.now });
  const actor = { role: "staff", id: "till" } as const;
  await engine.wallet.topUp({ buyerId: buyer.id, topUpId: "in", amount: 10_000, currency: "CNY", actor });
  accepted(await engine.execute(newOrder("o-1"), by(buyer)));
  if (paid) {
    accepted((await engine.wallet.pay({ orderId: "o-1", buyerId: buyer.id })) as never);
    await issue(engine, "o-1", "c-1", { destination: "wallet", amount: 1_000, at: Date.now() });
  }
  await engine.close();
}

async function standing(engine: Engine) {
  const { balances, held } = await engine.wallet.show(buyer.id);
  const order = await engine.state("o-1");
  if (order.status === "none") throw new Error("the order is gone");
  return { left: balances["CNY"], held: held.length, paid: order.paid, refunded: order.refunded };
}

const points = [1, 2, 3].flatMap((at) => (["before", "after"] as const).map((when) => [at, when] as const));

describe.each(points)("killed at append %i, %s it", (at, when) => {
  it.each(["pay", "settle"] as const)("a payment is finished by %s", async (how) => {
    const file = newFile();
    await prepared(file, false);
    expect(killed(file, at, when, "pay")).toBe(true);
    // Whoever goes on is killed too, at the first append it makes, and the next one ends it.
    if (at === 1) killed(file, 1, "after", how);
    const engine = await open({ store: `sqlite:${file}`, clock: Date.now, wallet: "kept" });
    const before = await standing(engine);
    expect((before.left ?? 0) + before.paid + (before.held > 0 && before.paid === 0 ? 5_800 : 0)).toBe(
      10_000,
    );
    if (how === "pay") accepted((await engine.wallet.pay({ orderId: "o-1", buyerId: buyer.id })) as never);
    else for await (const _run of engine.wallet.settleHolds());
    const nothingBegan = how === "settle" && at === 1 && when === "before";
    expect(await standing(engine)).toEqual(
      nothingBegan
        ? { left: 10_000, held: 0, paid: 0, refunded: 0 }
        : { left: 4_200, held: 0, paid: 5_800, refunded: 0 },
    );
  });
});

describe.each(points.slice(0, 4))("killed at append %i, %s it", (at, when) => {
  it("a refund to the wallet is credited once", async () => {
    const file = newFile();
    await prepared(file, true);
    expect(killed(file, at, when, "refund")).toBe(true);
    const engine = await open({ store: `sqlite:${file}`, clock: Date.now, wallet: "kept" });
    const credited = at === 2 || when === "after";
    expect((await standing(engine)).left).toBe(credited ? 5_200 : 4_200);
    for await (const _run of engine.runRefunds());
    expect(await standing(engine)).toEqual({ left: 5_200, held: 0, paid: 5_800, refunded: 1_000 });
  });
});
