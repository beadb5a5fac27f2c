// Nobody learns of another's order: whatever is asked by whomever, an order of somebody else's is answered as one that does not exist.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Engine } from "../../src/engine.ts";
import { routes } from "../../src/server/routes.ts";
import { accepted, by, newOrder, tidyEngines } from "../engines.ts";
import { type TestShop, ask, openShop } from "./shop.ts";

tidyEngines();

const buyers = ["buyer-1", "buyer-2"] as const;
const merchants = ["main", "rival"] as const;

/** The same questions are asked of a shop with the stranger's orders in it, and of one without them. */
async function fill(engine: Engine, whose: readonly string[]): Promise<void> {
  for (const [at, buyerId] of buyers.entries()) {
    for (const merchantId of merchants) {
      if (!whose.includes(buyerId) && !whose.includes(merchantId)) continue;
      for (let number = 1; number <= 3; number += 1) {
        const orderId = `${merchantId}-${at + 1}-${number}`;
        const buyer = { role: "buyer", id: buyerId } as const;
        const create = { ...newOrder(orderId), buyerId, merchantId };
        accepted(await engine.execute(create, by({ role: "system", id: "clock" }, { commandId: "make" })));
        if (number === 1) continue;
        const pay = { type: "Pay", orderId, payId: `p-${orderId}`, amount: 5_800, channel: "online" };
        accepted(await engine.execute(pay, by(buyer, { commandId: "pay" })));
        const apply = {
          type: "ApplyRefund",
          orderId,
          caseId: `${orderId}.1`,
          lineId: "L1",
          caseType: "refundOnly",
          amount: 1_000,
        };
        if (number === 3) accepted(await engine.execute(apply, by(buyer, { commandId: "apply" })));
      }
    }
  }
}

const orderIds = merchants.flatMap((merchant) =>
  [1, 2].flatMap((buyer) => [1, 2, 3, 4].map((number) => `${merchant}-${buyer}-${number}`)),
);

const anId = fc.constantFrom(...orderIds);

const aCommand = fc.record({
  orderId: anId,
  expect: fc.option(fc.constantFrom("none", "0", "3", "9"), { nil: undefined }),
  body: fc.constantFrom<Record<string, unknown>>(
    { type: "CancelOrder" },
    { type: "ConfirmReceipt" },
    { type: "HideOrder" },
    { type: "Review", items: [{ lineId: "L1", rating: "good" }] },
    { type: "CancelRefund" },
    { type: "ShipReturn", carrier: "SF", trackingNumber: "1" },
    { type: "ConfirmReplacement" },
    { type: "ApplyRefund", lineId: "L1", caseType: "refundOnly", amount: 1 },
    { type: "ApplyRefund", lineId: "L9", caseType: "exchange", amount: 7 },
    { type: "Ship", shipments: [{ carrier: "SF", trackingNumber: "1" }] },
    { type: "ApproveRefund" },
    { type: "RejectRefund", reason: "no" },
    { type: "ConfirmOrder" },
    { type: "IssueRefund", destination: "manual" },
  ),
  caseOf: anId,
});

const aPath = fc.oneof(
  fc.record({
    path: fc.constantFrom(
      ...routes.filter(({ method, path }) => method === "GET" && path !== "/events").map(({ path }) => path),
    ),
    orderId: anId,
    caseOf: anId,
    query: fc.constantFrom(
      "",
      "?limit=1",
      "?limit=1000",
      "?hasRefund=true",
      "?status=paid",
      "?text=Tea",
      "?text=rival",
      "?buyerId=buyer-2",
      "?merchantId=rival",
    ),
  }),
);

type Question =
  | {
      readonly of: "command";
      readonly with: {
        orderId: string;
        expect: string | undefined;
        body: Record<string, unknown>;
        caseOf: string;
      };
    }
  | { readonly of: "view"; readonly with: { path: string; orderId: string; caseOf: string; query: string } }
  | { readonly of: "pay"; readonly with: { orderId: string } };

const question: fc.Arbitrary<Question> = fc.oneof(
  aCommand.map((given): Question => ({ of: "command", with: given })),
  aPath.map((given): Question => ({ of: "view", with: given })),
  fc.record({ orderId: anId }).map((given): Question => ({ of: "pay", with: given })),
);

async function answerTo(shop: TestShop, who: string, key: number, asked: Question): Promise<unknown> {
  const headers = { "idempotency-key": `k-${key}` };
  const said = async () => {
    switch (asked.of) {
      case "command": {
        const { orderId, expect: revision, body, caseOf } = asked.with;
        const needsCase = /Refund|Return|Replacement/.test(String(body["type"]));
        const own = body["type"] === "ApplyRefund" ? `${orderId}.7` : `${caseOf}.1`;
        const command = { ...body, orderId, ...(needsCase ? { caseId: own } : {}) };
        return ask(shop, who, "/commands", { command, expect: revision }, headers);
      }
      case "view": {
        const { path, orderId, caseOf, query } = asked.with;
        const at = path.replace("{orderId}", orderId).replace("{caseId}", `${caseOf}.1`);
        return ask(shop, who, at + query);
      }
      case "pay":
        return ask(shop, who, `/orders/${asked.with.orderId}/pay`, {}, headers);
    }
  };
  const { status, body } = await said();
  return { status, body };
}

describe.each([
  ["buyer-1", ["buyer-1"]],
  ["buyer-2", ["buyer-2"]],
  ["main", ["main"]],
  ["rival", ["rival"]],
] as const)("%s", (who, own) => {
  it("is answered word for word as if nobody else's orders were there", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(question, { minLength: 5, maxLength: 25 }), async (questions) => {
        const [crowded, alone] = [await openShop(), await openShop()];
        await fill(crowded.engine, [...buyers, ...merchants]);
        await fill(alone.engine, own);
        for (const [key, asked] of questions.entries()) {
          const there = await answerTo(crowded, who, key, asked);
          expect(there).toEqual(await answerTo(alone, who, key, asked));
          expect((there as { status: number }).status).not.toBe(500);
        }
      }),
      { numRuns: Number(process.env["AFTERSALE_RUNS"] ?? 15) },
    );
  });
});
