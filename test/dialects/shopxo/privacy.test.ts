// What others have is not there: no reply tells another buyer's order or case from none, nor another merchant's.

import fc from "fast-check";
import { expect, it } from "vitest";

import { buyer, merchant, minute, stranger, t0 } from "../../domain/orders.ts";
import { live, tidyEngines } from "../../engines.ts";
import { openShop } from "./shop.ts";

tidyEngines();

const paths = [
  ["orderaftersale/aftersale", ["oid", "did"]],
  ["orderaftersale/index", ["keywords", "express_number"]],
  ["orderaftersale/create", ["order_id", "order_detail_id"]],
  ["orderaftersale/delivery", ["id"]],
  ["orderaftersale/cancel", ["id"]],
  ["admin/orderaftersale/confirm", ["id"]],
  ["admin/orderaftersale/audit", ["id"]],
  ["admin/orderaftersale/refuse", ["id"]],
  ["admin/orderaftersale/delete", ["id"]],
] as const;

const sound = {
  type: "0",
  price: "1.00",
  reason: "x",
  express_name: "SF",
  express_number: "1",
  refundment: "2",
  refuse_reason: "不行",
  is_more: "1",
};

/** Theirs, and what there is nowhere: in these words alone may the two differ. */
const pairs = [
  ["o-1", "o-9"],
  ["L1", "L1"],
  ["c-1", "c-9"],
  ["o-hidden", "o-8"],
  ["c-2", "c-8"],
] as const;

it("to whoever is a stranger there, all of it is as if it were not", async () => {
  const shop = await openShop(t0 + 4 * minute);
  await live(shop.engine, "o-1", 4);
  await live(shop.engine, "o-hidden", 6);
  const apply = (orderId: string, caseId: string): object => ({
    type: "ApplyRefund",
    orderId,
    caseId,
    lineId: "L2",
    caseType: "returnRefund",
    quantity: 1,
    amount: 1_000,
  });
  await shop.give(
    [apply("o-1", "c-1"), buyer],
    [{ type: "ApproveRefund", orderId: "o-1", caseId: "c-1" }, merchant],
    [{ type: "ShipReturn", orderId: "o-1", caseId: "c-1", carrier: "SF", trackingNumber: "1" }, buyer],
    [
      {
        type: "CreateOrder",
        orderId: "o-own",
        currency: "CNY",
        fulfilment: "express",
        lines: [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 1 }],
      },
      stranger,
    ],
  );
  const before = await shop.engine.head();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.constantFrom(...pairs),
      fc.constantFrom(...pairs),
      fc.constantFrom("token-of-buyer-2", "token-of-rival", "token-of-staff-1", "token-of-root", "none", ""),
      async ([path, names], first, second, as) => {
        const [theirs, nobodys] = [0, 1].map((which) => {
          const values = [first, second].map((pair) => pair[which] as string);
          const fields = Object.fromEntries(names.map((name, at) => [name, values[at] as string]));
          return shop.ask(path, { ...sound, ...fields }, as);
        }) as [ReturnType<typeof shop.ask>, ReturnType<typeof shop.ask>];
        expect(await theirs).toEqual(await nobodys);
      },
    ),
    { numRuns: 400 },
  );
  expect(await shop.engine.head()).toBe(before);
});

it("whatever is sent is answered in the envelope, and breaks nothing", async () => {
  const shop = await openShop(t0 + 4 * minute);
  await live(shop.engine, "o-1", 4);
  const names = [
    ...new Set(paths.flatMap(([, fields]) => fields)),
    ...Object.keys(sound),
    "page",
    "status",
    "number",
    "msg",
    "images",
    "time_start",
    "time_end",
    "is_under_line_use_manual",
  ];
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "o-1",
      "L1",
      "0",
      "1",
      "-1",
      "1e309",
      "\ud800",
      "\0",
      "[",
      '["a"]',
      "2026-02-30",
      "9".repeat(30),
    ),
    fc.jsonValue() as fc.Arbitrary<unknown>,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] }),
      async ([path], fields) => {
        const token = path.startsWith("admin/") ? "token-of-main" : "token-of-buyer-1";
        const response = await shop.handler(
          new Request(`http://shop.example/shopxo/${path}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ ...fields, token }),
          }),
        );
        expect(response.status).toBe(200);
        const body = (await response.json()) as object;
        expect(Object.keys(body)).toEqual(["msg", "code", "data"]);
      },
    ),
    { numRuns: 1_000 },
  );
  expect(shop.ports.lines).toEqual([]);
});
