// Orders that know less than S1's, or more: what is shown where nothing rides along, and each field that the engine itself tells.

import { expect, it } from "vitest";

import { buyer, merchant, minute, t0 } from "../../domain/orders.ts";
import { live, newOrder, tidyEngines } from "../../engines.ts";
import { type Shop, openShop } from "./shop.ts";

tidyEngines();

async function orderOf(shop: Shop, did = "L1"): Promise<Readonly<Record<string, unknown>>> {
  const { data } = await shop.ask("orderaftersale/aftersale", { oid: "o-1", did });
  return (data as { order_data: Readonly<Record<string, unknown>> }).order_data;
}

it("an order of which nothing rides along is shown in full all the same", async () => {
  const shop = await openShop(t0 + 3 * minute);
  await live(shop.engine, "o-1", 3);
  expect(await orderOf(shop)).toEqual({
    id: "o-1",
    order_no: "o-1",
    user_id: "buyer-1",
    shop_id: "0",
    shop_user_id: "0",
    warehouse_id: "0",
    user_note: null,
    express_id: "0",
    express_number: "SF100",
    payment_id: "0",
    status: "3",
    pay_status: "1",
    extension_data: null,
    buy_number_count: "4",
    increase_price: "8.00",
    preferential_price: "0.00",
    price: "50.00",
    total_price: "58.00",
    pay_price: "58.00",
    refund_price: "0.00",
    returned_quantity: "0",
    client_type: "",
    order_model: "0",
    is_under_line: "0",
    pay_time: "2026-01-05 16:01:00",
    confirm_time: "2026-01-05 16:00:00",
    delivery_time: "2026-01-05 16:02:00",
    cancel_time: null,
    collect_time: null,
    close_time: null,
    comments_time: "0",
    is_comments: "0",
    user_is_comments: "0",
    is_delete_time: "0",
    user_is_delete_time: "0",
    shop_is_delete_time: "0",
    add_time: "2026-01-05 16:00:00",
    upd_time: "2026-01-05 16:02:00",
    zycg_no: "",
    currency_data: {
      id: "o-1",
      order_id: "o-1",
      user_id: "buyer-1",
      currency_name: "人民币",
      currency_code: "RMB",
      currency_symbol: "¥",
      currency_rate: "0.000000",
      add_time: "1767600000",
    },
    warehouse_name: "",
    warehouse_icon: "",
    warehouse_url: "",
    order_model_name: "快递",
    client_type_name: "",
    status_name: "待收货",
    pay_status_name: "已支付",
    express_name: "SF Express",
    payment_name: null,
    is_under_line_text: null,
    is_can_launch_aftersale: 1,
    add_time_time: "2026-01-05 16:00:00",
    add_time_date: "2026-01-05",
    user_is_comments_time: null,
    items: {
      id: "L1",
      user_id: "buyer-1",
      order_id: "o-1",
      goods_id: "A",
      title: "Tea",
      images: "",
      original_price: "0.00",
      price: "10.00",
      total_price: "30.00",
      spec: null,
      buy_number: "3",
      model: "",
      spec_weight: "0.00",
      spec_coding: "",
      spec_barcode: "",
      refund_price: "0.00",
      returned_quantity: "0",
      add_time: "1767600000",
      upd_time: "0",
      zycg_skuid: "",
      goods_url: "",
      spec_text: null,
    },
    items_count: 2,
    describe: "共4件 合计:¥58.00元",
  });
});

it("an order that nothing has happened to has few times", async () => {
  const shop = await openShop(t0, { terms: { "*": { booking: true, afterSaleDays: 0 } } });
  await live(shop.engine, "o-1", 1);
  const times = ["confirm_time", "pay_time", "delivery_time", "upd_time", "express_number", "express_name"];
  const order = await orderOf(shop);
  for (const name of times) expect(order[name], name).toBeNull();
  expect(order).toMatchObject({
    status: "0",
    pay_status: "0",
    pay_price: "0.00",
    is_can_launch_aftersale: 0,
  });
  shop.clock.now += minute;
  await shop.give([{ type: "ConfirmOrder", orderId: "o-1" }, merchant]);
  expect(await orderOf(shop)).toMatchObject({ status: "1", confirm_time: "2026-01-05 16:01:00" });
  shop.clock.now += minute;
  await shop.give([{ type: "CancelOrder", orderId: "o-1" }, buyer]);
  expect(await orderOf(shop)).toMatchObject({
    status: "5",
    cancel_time: "2026-01-05 16:02:00",
    upd_time: "2026-01-05 16:02:00",
    close_time: null,
  });
});

it("what rides along is shown as text, and HTML in it as it came", async () => {
  const shop = await openShop(t0);
  await shop.give([
    newOrder("o-1", {
      personal: { note: "<b>先打电话</b>" },
      discount: 300,
      lines: [
        {
          lineId: "L1",
          goodsId: "A",
          title: "Tea",
          sku: "T-1",
          unitPrice: 1_000,
          quantity: 1,
          source: {
            images: "https://shop.example/a.png",
            spec: [{ type: "色", value: 7 }, null, { value: "x" }],
            original_price: 12,
            spec_weight: "0.10",
          } as never,
        },
      ],
      source: {
        shop_id: 3,
        client_type: "h5",
        is_under_line: "1",
        payment_name: "现金支付",
        extension_data: [{ name: "满减", price: 3 }],
        currency_data: { currency_rate: "0.140000", currency_symbol: "￥" },
        secret: "never shown",
      } as never,
    }),
    buyer,
  ]);
  const order = await orderOf(shop);
  expect(order).toMatchObject({
    user_note: "<b>先打电话</b>",
    preferential_price: "3.00",
    shop_id: "3",
    client_type: "h5",
    client_type_name: "H5手机网站",
    is_under_line: "1",
    is_under_line_text: "线下支付",
    payment_name: "现金支付",
    extension_data: [{ name: "满减", price: 3 }],
    currency_data: { currency_code: "RMB", currency_rate: "0.140000" },
    describe: "共1件 合计:￥15.00元",
    items: {
      spec_text: "色:7,:,:x",
      spec_coding: "T-1",
      original_price: "12",
      spec_weight: "0.10",
      images: "https://shop.example/a.png",
    },
  });
  expect(JSON.stringify(order)).not.toContain("never shown");
});

it("a review is told by its instant, and other currencies by their own signs", async () => {
  const shop = await openShop(t0 + 5 * minute);
  await live(shop.engine, "o-1", 5);
  expect(await orderOf(shop)).toMatchObject({
    status: "4",
    user_is_comments: "1767600240",
    user_is_comments_time: "2026-01-05 16:04:00",
    collect_time: "2026-01-05 16:03:00",
  });
  await shop.give([
    {
      type: "CreateOrder",
      orderId: "o-2",
      currency: "JPY",
      fulfilment: "pickup",
      lines: [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 500, quantity: 1 }],
    },
    buyer,
  ]);
  const { data } = await shop.ask("orderaftersale/aftersale", { oid: "o-2", did: "L1" });
  expect(data).toMatchObject({
    order_data: {
      total_price: "500",
      order_model_name: "自提",
      currency_data: { currency_code: "JPY", currency_name: "日元" },
    },
    return_goods_address: "收件人：Shop，电话：021-5555，地址：Shanghai, Road 1",
    editor_path_type: "order_aftersale-0-o-2-L1",
  });
});

it.each([
  [
    { name: "张三", phone: "138", address: "上海市 浦东新区" },
    "收件人：张三，电话：138，地址：上海市 浦东新区",
  ],
  [{ name: "", phone: "", address: "上海市 浦东新区" }, "上海市 浦东新区"],
  [{ name: "张三", phone: "", address: "上海市 浦东新区" }, "上海市 浦东新区 张三"],
  [{ name: "", phone: "", address: "" }, "管理员未填写"],
  [undefined, "管理员未填写"],
])("the merchant's address %j is told as %s", async (address, text) => {
  const shop = await openShop(t0 + 4 * minute, {}, { addresses: { returnTo: async () => address } });
  await live(shop.engine, "o-1", 4);
  const { data } = await shop.ask("orderaftersale/aftersale", { oid: "o-1", did: "L1" });
  expect((data as { return_goods_address: string }).return_goods_address).toBe(text);
});
