// No reply tells another buyer's order from none: whatever is asked by whomever, another's orders are as if they were not there.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { buyer, merchant, stranger as other } from "../../domain/orders.ts";
import { accepted, by, newOrder, tidyEngines } from "../../engines.ts";
import { type ApifmShop, ask, openShop } from "./shop.ts";

tidyEngines();

const owners = { "buyer-1": buyer, "buyer-2": other } as const;
type Owner = keyof typeof owners;

/** An order of each kind for each of the buyers named: to be paid, paid with a code, shipped, and with a case under way. */
async function fill({ engine }: ApifmShop, whose: readonly Owner[]): Promise<void> {
  for (const owner of whose) {
    const as = owners[owner];
    const give = async (command: object, actor: typeof merchant = as): Promise<void> =>
      void accepted(await engine.execute(command, by(actor)));
    for (const number of [1, 2, 3, 4]) {
      const orderId = orderOf(owner, number);
      await give(newOrder(orderId, number === 2 ? { redeemable: true } : {}));
      if (number === 1) continue;
      await give({ type: "Pay", orderId, payId: `p-${orderId}`, amount: 5_800, channel: "online" });
      if (number === 2) continue;
      await give({ type: "Ship", orderId, shipments: [{ carrier: "EMS", trackingNumber: "1" }] }, merchant);
      if (number === 3) continue;
      const caseId = `${orderId}1`;
      const asked = { caseId, lineId: "L1", caseType: "returnRefund", quantity: 1, amount: 1_000 };
      await give({ type: "ApplyRefund", orderId, ...asked });
      await give({ type: "ApproveRefund", orderId, caseId }, merchant);
    }
  }
}

const orderOf = (owner: Owner, number: number): string => `${owner === "buyer-1" ? 1 : 2}0${number}`;

const anOrder = fc.constantFrom(
  ...(["buyer-1", "buyer-2"] as const).flatMap((owner) =>
    [1, 2, 3, 4, 5].map((number) => orderOf(owner, number)),
  ),
);
const aLine = fc.constantFrom("L1", "L2", "", "9");
const aCase = anOrder.map((orderId) => `${orderId}1`);

const question = fc.oneof(
  fc.record({
    path: fc.constantFrom(
      "/order/close",
      "/order/delete",
      "/order/pay",
      "/order/delivery",
      "/order/refund",
      "/order/refundApply/info",
      "/order/refundApply/cancel",
    ),
    fields: fc.record({ orderId: anOrder, orderGoodsId: aLine }),
  }),
  fc.record({
    path: fc.constant("/order/refundApply/apply"),
    fields: fc.record({
      orderId: anOrder,
      orderGoodsId: aLine,
      type: fc.constantFrom("0", "1", "2"),
      logisticsStatus: fc.constantFrom("0", "1"),
      reason: fc.constant("质量问题"),
      amount: fc.constantFrom("0", "10", "99"),
      number: fc.constantFrom("1", "4"),
    }),
  }),
  fc.record({
    path: fc.constant("/order/refundApply/setBackLogistics"),
    fields: fc.record({
      orderId: anOrder,
      applyId: aCase,
      shipperName: fc.constant("EMS"),
      trackingNumber: fc.constant("1"),
    }),
  }),
  fc.record({ path: fc.constant("/order/detail"), fields: fc.record({ id: anOrder }) }),
  fc.record({ path: fc.constant("/order/detail"), fields: fc.record({ hxNumber: anOrder }) }),
  fc.record({
    path: fc.constant("/order/list"),
    fields: fc.record({
      status: fc.constantFrom("", "0", "1", "2"),
      orderNumber: fc.oneof(fc.constant(""), anOrder),
      pageSize: fc.constantFrom("1", "20"),
      page: fc.constantFrom("1", "2"),
    }),
  }),
  fc.record({ path: fc.constant("/order/statistics"), fields: fc.constant({}) }),
  fc.record({
    path: fc.constant("/order/reputation"),
    fields: anOrder.map((orderId) => ({
      postJsonString: JSON.stringify({ orderId, reputations: [{ id: "L1", reputation: 1 }] }),
    })),
  }),
);

describe.each(["buyer-1", "buyer-2"] as const)("%s", (who) => {
  it("is answered word for word as if nobody else's orders were there", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(question, { minLength: 5, maxLength: 25 }), async (questions) => {
        const [crowded, alone] = [await openShop(), await openShop()];
        await fill(crowded, ["buyer-1", "buyer-2"]);
        await fill(alone, [who]);
        for (const { path, fields } of questions) {
          // A write-off code stands for the order that it is of.
          const codeOf = async ({ engine }: ApifmShop) =>
            "hxNumber" in fields
              ? { hxNumber: (await engine.redemptionCode(fields.hxNumber)) ?? `none-${fields.hxNumber}` }
              : fields;
          const asked = { ...(await codeOf(crowded)), token: `token-of-${who}` };
          expect(await ask(crowded, path, asked)).toEqual(await ask(alone, path, asked));
        }
        expect(crowded.ports.lines).toEqual([]);
      }),
      { numRuns: Number(process.env["AFTERSALE_RUNS"] ?? 15) },
    );
  });
});
