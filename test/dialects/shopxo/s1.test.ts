// S1's own sample, rebuilt from commands: the page of order 112 is the document as it was published, key by key and in its order.

import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import type { Caller } from "../../../src/dialects/ports.ts";
import { instantOf } from "../../../src/dialects/wallClock.ts";
import { merchant } from "../../domain/orders.ts";
import { tidyEngines } from "../../engines.ts";
import { type Shop, openShop, refusedWith } from "./shop.ts";

tidyEngines();

const text = readFileSync(new URL("s1.json", import.meta.url), "utf8");
const s1 = JSON.parse(text) as { readonly data: Sample };

interface Sample {
  readonly order_data: { readonly items: Readonly<Record<string, unknown>> } & Readonly<
    Record<string, unknown>
  >;
  readonly return_only_money_reason: readonly string[];
  readonly return_money_goods_reason: readonly string[];
}

const at = (clock: string): number => instantOf(`2021-10-10 ${clock}`, "Asia/Shanghai") as number;

const pick = (from: Readonly<Record<string, unknown>>, names: readonly string[]): object =>
  Object.fromEntries(names.map((name) => [name, from[name]]));

const user: Caller = { role: "buyer", id: "41" };

/** The order of the sample, from the commands that a shop would give. */
async function sample(reasons?: object): Promise<Shop> {
  const options = reasons === undefined ? {} : { terms: { main: { reasons } } };
  const shop = await openShop(at("17:34:22"), options, {
    authentication: { authenticate: async (token) => (token === "t-41" ? user : undefined) },
    addresses: { returnTo: async () => ({ name: "", phone: "", address: "上海市 浦东新区" }) },
  });
  const { order_data: order } = s1.data;
  const { items } = order;
  await shop.give(
    [
      {
        type: "CreateOrder",
        orderId: "112",
        orderNo: "20211010105358916225",
        buyerId: "41",
        currency: "CNY",
        fulfilment: "virtual",
        terms: { virtualAutoShip: false },
        lines: [
          {
            lineId: "124",
            goodsId: "12",
            title: items["title"],
            unitPrice: 1,
            quantity: 1,
            source: pick(items, ["images", "spec", "model", "goods_url", "fictitious_goods_value"]),
          },
        ],
        source: pick(order, [
          "warehouse_id",
          "warehouse_name",
          "warehouse_icon",
          "express_id",
          "payment_id",
          "client_type",
        ]),
      },
      merchant,
      at("10:53:58"),
    ],
    [
      { type: "Pay", orderId: "112", payId: "p-112", amount: 1, channel: "offline", method: "现金支付" },
      { role: "system", id: "till" },
      at("10:55:55"),
    ],
    [
      { type: "Ship", orderId: "112", shipments: [{ carrier: "全峰快递", trackingNumber: "sss" }] },
      merchant,
      at("11:21:36"),
    ],
    [{ type: "ConfirmReceipt", orderId: "112" }, user, at("17:34:22")],
  );
  return shop;
}

it("is answered as it was published, to the byte", async () => {
  const shop = await sample();
  const answer = await shop.ask("orderaftersale/aftersale", { oid: "112", did: "124" }, "t-41");
  expect(answer).toEqual(s1);
  expect(`${JSON.stringify(answer, null, 2)}\n`).toBe(text);
});

it("has the merchant's own reasons where there are some", async () => {
  const shop = await sample({ refundOnly: ["太晚"], returnRefund: [] });
  const { data } = await shop.ask("orderaftersale/aftersale", { oid: "112", did: "124" }, "t-41");
  expect(data).toEqual({
    ...s1.data,
    return_only_money_reason: ["太晚"],
    return_money_goods_reason: [],
  });
});

it.each([
  ["oid 113", { oid: "113", did: "124" }],
  ["did 125", { oid: "112", did: "125" }],
  ["nothing", {}],
  ["no id at all", { oid: "'", did: "124" }],
])("of %s there is no data", async (_what, fields) => {
  const shop = await sample();
  expect(await shop.ask("orderaftersale/aftersale", fields as Record<string, string>, "t-41")).toEqual(
    refusedWith("没有相关数据"),
  );
});

it("is within reach as every client of ShopXO writes it", async () => {
  const shop = await sample();
  const of = { oid: "112", did: "124" };
  for (const path of [
    "api.php?s=orderaftersale/aftersale",
    "api.php?s=/api/orderaftersale/aftersale.html&application=app&application_client_type=weixin",
    "api.php/orderaftersale/aftersale",
    "api/orderaftersale/aftersale",
    "orderaftersale/aftersale.html",
  ]) {
    expect((await shop.ask(path, of, "t-41")).code, path).toBe(0);
  }
  for (const path of ["orderaftersale/none", "api.php", "", "admin.php?s=orderaftersale/aftersale"]) {
    expect(await shop.ask(path, of, "t-41"), path).toEqual(refusedWith("非法访问", -1000));
  }
});

it("can be applied for until its window ends, and after that second no more", async () => {
  const shop = await sample();
  const launch = async (clock: string): Promise<unknown> => {
    shop.clock.now = instantOf(clock, "Asia/Shanghai") as number;
    const { data } = await shop.ask("orderaftersale/aftersale", { oid: "112", did: "124" }, "t-41");
    return (data as Sample).order_data["is_can_launch_aftersale"];
  };
  const apply = async (): Promise<string> =>
    (
      await shop.ask(
        "orderaftersale/create",
        { order_id: "112", order_detail_id: "124", type: "0", price: "0.01", reason: "" },
        "t-41",
      )
    ).msg;
  expect(await launch("2021-11-09 17:34:23")).toBe(0);
  expect(await apply()).toBe("订单已过售后期，请联系客服处理");
  expect(await launch("2021-11-09 17:34:22")).toBe(1);
  expect(await apply()).toBe("申请成功");
});
