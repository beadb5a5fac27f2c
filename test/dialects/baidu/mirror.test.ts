// What one shop's sender tells, another's receiving side takes in: after every step of a life the other tells of its order in the same words.
//
// AFTERSALE_RUNS sets how many lives are lived at random (25).

import fc from "fast-check";
import { expect, it } from "vitest";

import { baidu } from "../../../src/dialects/baidu/index.ts";
import type { Loss } from "../../../src/dialects/baidu/course.ts";
import { type SenderOptions, sendChanges } from "../../../src/dialects/baidu/sender.ts";
import type { OrderDocument } from "../../../src/dialects/baidu/documents.ts";
import { orderDocument } from "../../../src/dialects/baidu/views.ts";
import type { LogLine } from "../../../src/dialects/ports.ts";
import type { Actor } from "../../../src/domain/actor.ts";
import { type Engine, openEngine } from "../../../src/engine.ts";
import { life } from "../../domain/caseLife.ts";
import { buyer, merchant, minute, provider, t0 } from "../../domain/orders.ts";
import { accepted, by, newOrder, open, tidyEngines } from "../../engines.ts";
import { portsFor } from "../ports.ts";
import { later, live, redeemKey, shop } from "./lives.ts";

tidyEngines();

const of = { orderId: "o-1" };
const pay = { type: "Pay", ...of, payId: "p-1", amount: 5_800, channel: "online" };
const ship = { type: "Ship", ...of, shipments: [{ carrier: "SF", trackingNumber: "SF1" }] };
const confirm = { type: "ConfirmReceipt", ...of };
const waybill = { carrier: "SF", trackingNumber: "SF2" };
const apply = (caseId: string, over: object = {}) => ({
  type: "ApplyRefund",
  ...of,
  caseId,
  lineId: "L1",
  caseType: "refundOnly",
  quantity: 0,
  amount: 3_000,
  ...over,
});
const approve = (caseId: string, over: object = {}) => ({ type: "ApproveRefund", ...of, caseId, ...over });
const back = (caseId: string, quantity: number, over: object = {}) => ({
  type: "ReceiveReturn",
  ...of,
  caseId,
  dispositions: [{ kind: "restock", quantity }],
  ...over,
});
const manual = { destination: "manual" };

type Life = readonly (readonly [command: object, actor: Actor])[];
const paid: Life = [
  [newOrder("o-1"), buyer],
  [pay, buyer],
];
const sent: Life = [...paid, [ship, merchant]];
const received: Life = [...sent, [confirm, buyer]];

const lives: Readonly<Record<string, Life>> = {
  "1. happy": [
    ...received,
    [
      {
        type: "Review",
        ...of,
        items: [
          { lineId: "L1", rating: "good" },
          { lineId: "L2", rating: "good" },
        ],
      },
      buyer,
    ],
    [{ type: "HideOrder", ...of }, buyer],
  ],
  "cancelled by its buyer": [
    [newOrder("o-1"), buyer],
    [{ type: "CancelOrder", ...of }, buyer],
    [{ type: "HideOrder", ...of }, buyer],
  ],
  "2. late": [
    [newOrder("o-1"), buyer],
    [{ type: "CancelOrder", ...of }, buyer],
    [
      { ...pay, channel: "offline" },
      { role: "system", id: "till" },
    ],
    [{ type: "IssueRefund", ...of, caseId: "late:p-1", ...manual }, merchant],
  ],
  "4. and 5. before it is sent": [
    ...paid,
    [apply("c-1"), buyer],
    [approve("c-1", manual), merchant],
    [apply("c-2", { lineId: "L2", amount: 2_800 }), buyer],
    [approve("c-2", manual), merchant],
  ],
  "6. goods kept": [...sent, [apply("c-1"), buyer], [approve("c-1", manual), merchant], [confirm, buyer]],
  "7. a return of one": [
    ...received,
    [apply("c-1", { caseType: "returnRefund", quantity: 1, amount: 1_000 }), buyer],
    [approve("c-1"), merchant],
    [{ type: "ShipReturn", ...of, caseId: "c-1", ...waybill }, buyer],
    [back("c-1", 1, manual), merchant],
  ],
  "9. an exchange": [
    ...received,
    [apply("c-1", { lineId: "L2", caseType: "exchange", quantity: 1, amount: 0 }), buyer],
    [approve("c-1"), merchant],
    [{ type: "ShipReturn", ...of, caseId: "c-1", ...waybill }, buyer],
    [back("c-1", 1), merchant],
    [{ type: "ShipReplacement", ...of, caseId: "c-1", ...waybill }, merchant],
    [{ type: "ConfirmReplacement", ...of, caseId: "c-1" }, buyer],
  ],
  "10. withdrawn": [...sent, [apply("c-1"), buyer], [{ type: "CancelRefund", ...of, caseId: "c-1" }, buyer]],
  "12. rejected and asked again": [
    ...sent,
    [apply("c-1"), buyer],
    [{ type: "RejectRefund", ...of, caseId: "c-1", reason: "凭证不清" }, merchant],
    [apply("c-2"), buyer],
    [{ type: "CancelRefund", ...of, caseId: "c-1" }, buyer],
    [approve("c-2", manual), merchant],
  ],
  "a cancellation rejected, and then a line refunded": [
    ...paid,
    [{ type: "CancelOrder", ...of, caseId: "c-1" }, merchant],
    [{ type: "RejectRefund", ...of, caseId: "c-1", reason: "still to be had" }, merchant],
    [apply("c-2"), buyer],
    [approve("c-2", manual), merchant],
  ],
  "hidden after a case, and a case after that": [
    ...received,
    [apply("c-1"), buyer],
    [approve("c-1", manual), merchant],
    [{ type: "HideOrder", ...of }, buyer],
    [apply("c-2", { lineId: "L2", amount: 2_800 }), buyer],
  ],
  "25. cancelled by the merchant": [
    ...paid,
    [{ type: "CancelOrder", ...of, caseId: "c-1", destination: "wallet" }, merchant],
    [{ type: "SettleRefund", ...of, caseId: "c-1", refundId: "c-1:1", amount: 5_800 }, provider],
  ],
};

/** What was said to stay otherwise than the sender tells of sub-orders. */
const falseLosses = (said: readonly Loss[]): readonly Loss[] =>
  said.filter(
    ({ path, what }) =>
      path === "EXT.SubsOrder.Status" || (path.startsWith("EXT.SubsOrder") && what === "stays as it was"),
  );

/** A sender's options with which it tells the receiving side of another engine. */
function telling(engine: Engine, other: Engine, clock: () => number, said: Loss[] = []): SenderOptions {
  const log = ({ losses = [] }: LogLine): void => void said.push(...(losses as readonly Loss[]));
  const handler = baidu(other, portsFor(other, { clock, log }), shop);
  let position: string | undefined;
  return {
    engine,
    shop,
    baseUrl: "https://centre.example",
    token: async () => "token-of-main",
    checkpoint: {
      load: async () => position,
      save: async (at) => {
        position = at;
      },
    },
    log: () => undefined,
    sleep: async () => undefined,
    fetch: (async (url: URL, init: RequestInit) => handler(new Request(url, init))) as typeof fetch,
  };
}

async function documentsOf(...engines: readonly Engine[]): Promise<readonly OrderDocument[]> {
  const details = await Promise.all(engines.map((engine) => engine.views.order("o-1")));
  return details.map((detail) => orderDocument(detail!, shop)!);
}

it.each(Object.entries(lives))("%s", async (_name, life_) => {
  const engine = await open({ store: "memory:" });
  const other = await open({ store: "memory:" });
  const clock = { now: t0 };
  const said: Loss[] = [];
  const options = telling(engine, other, () => clock.now, said);
  const outcomes: string[] = [];
  for (const [command, actor] of life_) {
    accepted(await engine.execute(command, by(actor, { at: clock.now })));
    for await (const { outcome } of sendChanges(options)) outcomes.push(outcome);
    const [told, held] = (await documentsOf(engine, other)) as [OrderDocument, OrderDocument];
    expect(held).toEqual(asHeld(told, held));
    clock.now += minute;
  }
  expect(new Set(outcomes)).toEqual(new Set(["sent"]));
  expect(falseLosses(said)).toEqual([]);
});

/** What no document says: how far within 401 a sub-order is, and what was said in a review. */
function asHeld(told: OrderDocument, held: OrderDocument): OrderDocument {
  const copy = structuredClone(told);
  for (const [at, item] of (copy.EXT.SubsOrder?.Items ?? []).entries()) {
    const known = held.EXT.SubsOrder?.Items[at];
    if (item.SubStatus === 401 && known !== undefined) item.MTime = Math.min(item.MTime, known.MTime);
  }
  if (copy.Status === 200 && copy.EXT.MainOrder.Appraise?.Status === 0) {
    copy.EXT.MainOrder.Appraise.Status = 2;
    copy.Mtime = held.Mtime;
  }
  return copy;
}

it.each(Object.entries(lives))("%s, told of in the middle and at the end", async (_name, life_) => {
  for (let middle = 1; middle < life_.length; middle += 1) {
    const engine = await open({ store: "memory:" });
    const other = await open({ store: "memory:" });
    const clock = { now: t0 };
    const options = telling(engine, other, () => clock.now);
    for (const [index, [command, actor]] of life_.entries()) {
      accepted(await engine.execute(command, by(actor, { at: clock.now })));
      clock.now += minute;
      if (index !== middle && index !== life_.length - 1) continue;
      for await (const { outcome } of sendChanges(options)) expect(outcome).toBe("sent");
    }
    const [told, held] = (await documentsOf(engine, other)) as [OrderDocument, OrderDocument];
    expect(plain(held)).toEqual(plain(told));
  }
});

/** The same of any life, with what an estimate was that has changed since without the case itself. */
function plain(document: OrderDocument): OrderDocument {
  const copy = structuredClone(document);
  copy.Mtime = 0;
  if (copy.EXT.MainOrder.Appraise !== undefined) copy.EXT.MainOrder.Appraise.Status = 0;
  for (const item of copy.EXT.SubsOrder?.Items ?? []) {
    item.MTime = 0;
    if (item.OrderType === 1) for (const product of item.Refund?.Product ?? []) product.Quantity = 1;
  }
  return copy;
}

it("any life is taken in, however it is cut into pieces", { timeout: 0 }, async () => {
  await fc.assert(
    fc.asyncProperty(life, fc.integer({ min: 1, max: 12 }), async (of_, pageEvents) => {
      await using engine = await openEngine({ store: "memory:", redeemKey, clock: () => later });
      await using other = await openEngine({ store: "memory:", redeemKey, clock: () => later });
      await live(engine, "o-1", of_);
      const said: Loss[] = [];
      const options = { ...telling(engine, other, () => later, said), pageEvents };
      for await (const { outcome } of sendChanges(options)) expect(outcome).toBe("sent");
      const [told, held] = (await documentsOf(engine, other)) as [OrderDocument, OrderDocument];
      expect(plain(held)).toEqual(plain(told));
      expect(falseLosses(said)).toEqual([]);
    }),
    { numRuns: Number(process.env["AFTERSALE_RUNS"] ?? 25), endOnFailure: true },
  );
});
