// What is exported, imported into an empty store and exported again is the same document, byte for byte, whatever the order went through.
//
// AFTERSALE_RUNS sets how many lives are lived (150).

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { expect, it } from "vitest";

import type { Actor } from "../../../src/domain/actor.ts";
import type { Command } from "../../../src/domain/commands.ts";
import type { Loss } from "../../../src/dialects/baidu/course.ts";
import { importDocument } from "../../../src/dialects/baidu/imports.ts";
import { type Told, toldOf } from "../../../src/dialects/baidu/views.ts";
import { type Engine, openEngine } from "../../../src/engine.ts";
import { life } from "../../domain/caseLife.ts";
import { ask, askForOrder, buyer, merchant, minute, t0 } from "../../domain/orders.ts";
import { later, live, redeemKey, shop } from "./lives.ts";

const numRuns = Number(process.env["AFTERSALE_RUNS"] ?? 150);

/** Of money that came late and is on its way back, the order remembers when it came, and the report says so. */
function asCarried(told: Told, losses: readonly Loss[]): Told {
  const copy = structuredClone(told);
  // What was open when its order ended, and ended later, has to come in first: the order ends no earlier, and the report says so.
  if (losses.some(({ path }) => path === "Mtime")) {
    const [document] = copy.Data;
    const last = Math.max(...(document!.EXT.SubsOrder?.Items ?? []).map(({ MTime }) => MTime));
    expect(last).toBeGreaterThan(document!.Mtime);
    document!.Mtime = last;
  }
  for (const { path } of losses) {
    const place = /^EXT\.SubsOrder\.Items\[(\d+)\]\.MTime$/.exec(path)?.[1];
    const item = copy.Data[0]!.EXT.SubsOrder?.Items[Number(place)];
    if (place !== undefined && item !== undefined) {
      expect(item).toMatchObject({ SubStatus: 401, OrderType: 1 });
      item.MTime = item.CTime;
    }
  }
  return copy;
}

async function trip(lived: (here: Engine) => Promise<void>): Promise<readonly Loss[]> {
  await using here = await openEngine({ store: "memory:", redeemKey, clock: () => later });
  await using there = await openEngine({ store: "memory:", redeemKey, clock: () => later });
  await lived(here);
  const told = toldOf((await here.views.order("o-1"))!, shop)!;
  const intake = { engine: there, shop, merchantId: "main", now: later, sceneId: told.scene_id };
  const given = JSON.parse(JSON.stringify(told.Data[0])) as unknown;
  const report = await importDocument(intake, told.open_id, given);
  const detail = await there.views.order("o-1");
  expect(report).toMatchObject({ outcome: "created", whole: true });
  const again = toldOf(detail!, shop)!;
  expect(JSON.stringify(again, null, 1)).toBe(JSON.stringify(asCarried(told, report.losses), null, 1));
  // Once more it is no news.
  const repeated = await importDocument(intake, told.open_id, given);
  expect(repeated).toMatchObject({ outcome: "unchanged", whole: true });
  expect(repeated.losses.filter(({ what }) => what === "stays as it was")).toEqual([]);
  for (const { Status, EXT } of told.Data) {
    seen.add(`main ${Status}`);
    for (const { SubStatus, OrderType } of EXT.SubsOrder?.Items ?? []) seen.add(`${OrderType}/${SubStatus}`);
  }
  return report.losses;
}

/** What the documents of all lives came to say. */
const seen = new Set<string>();

it("every life makes the round", { timeout: 0 }, async () => {
  await fc.assert(
    fc.asyncProperty(life, async (of) => {
      await trip((here) => live(here, "o-1", of));
    }),
    { numRuns, endOnFailure: process.env["SHRINK"] === undefined },
  );
  console.log([...seen].toSorted().join(", "));
});

it("an order whose refunds its shop's policy would not have left room for is taken in under the other", async () => {
  const losses = await trip(async (here) => {
    const give = async (actor: Actor, command: Command, at: number): Promise<void> => {
      const done = await here.execute(command, { actor, commandId: `${command.type}-${at}`, at });
      if (E.isLeft(done)) throw new Error(JSON.stringify(done.left));
    };
    // The line's share of what was paid is 1,128; by the default policy no more than its own price could come back.
    const lines = [
      { lineId: "L1", goodsId: "L1", title: "Goods", unitPrice: 333, quantity: 1 },
      { lineId: "L2", goodsId: "L2", title: "Goods", unitPrice: 1, quantity: 2 },
    ];
    const fulfilment = "virtual";
    const order = askForOrder({ lines, fulfilment, buyerId: buyer.id, terms: { refundable: "prorated" } });
    const asked = { lineId: "L1", reason: "broken" };
    const first = { ...asked, caseId: "o-1.c-1", caseType: "refundOnly", amount: 568 } as const;
    const second = {
      ...asked,
      caseId: "o-1.c-2",
      caseType: "returnRefund",
      quantity: 1,
      amount: 560,
      goodsReceived: true,
    } as const;
    await give(merchant, order, t0);
    await give(buyer, ask("Pay", { payId: "o-1.p", amount: 1_135, channel: "online" }), t0 + minute);
    await give(buyer, ask("ApplyRefund", first), t0 + 2 * minute);
    await give(
      merchant,
      ask("ApproveRefund", { caseId: first.caseId, destination: "manual" }),
      t0 + 3 * minute,
    );
    await give(buyer, ask("ConfirmReceipt", {}), t0 + 4 * minute);
    await give(buyer, ask("ApplyRefund", second), t0 + 5 * minute);
  });
  expect(losses).toContainEqual({
    path: "",
    what: "taken in under the policy prorated: the shop's own leaves no room for what is said",
  });
});
