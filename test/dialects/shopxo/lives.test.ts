// Whole lives of cases as ShopXO's buyers and merchants lead them: every operation in success, and what the page shows at each step.

import { describe, expect, it } from "vitest";

import { buyer, day, merchant, minute, provider, t0 } from "../../domain/orders.ts";
import { live, tidyEngines } from "../../engines.ts";
import { type Answered, type Shop, merchantToken, openShop, refusedWith } from "./shop.ts";

tidyEngines();

interface Page {
  readonly order_data: Readonly<Record<string, unknown>> & {
    readonly items: Readonly<Record<string, unknown>>;
  };
  readonly new_aftersale_data: Readonly<Record<string, unknown>>;
  readonly step_data: Readonly<Record<"step0" | "step1", readonly Readonly<Record<string, unknown>>[]>>;
  readonly returned_data: object;
  readonly return_goods_address: string;
}

async function pageOf(shop: Shop, line = "L1"): Promise<Page> {
  const { data, msg } = await shop.ask("orderaftersale/aftersale", { oid: "o-1", did: line });
  expect(msg).toBe("success");
  return data as Page;
}

/** The order's status and payment, the case's status, and both bars as the digits of domain 1.1. */
async function standing(shop: Shop, line = "L1"): Promise<readonly unknown[]> {
  const { order_data: order, new_aftersale_data: one, step_data: bars } = await pageOf(shop, line);
  const digits = (bar: "step0" | "step1"): string =>
    bars[bar]
      .map((step) => ["is_caret", "is_angle", "is_active", "is_end"].map((name) => step[name]).join(""))
      .join(" ");
  return [
    `${order["status"] as string}/${order["pay_status"] as string}`,
    one["status"],
    digits("step0"),
    digits("step1"),
  ];
}

async function apply(shop: Shop, over: Readonly<Record<string, string>> = {}): Promise<string> {
  const answer = await shop.ask("orderaftersale/create", {
    order_id: "o-1",
    order_detail_id: "L1",
    type: "0",
    price: "30.00",
    reason: "包裹丢失",
    ...over,
  });
  expect(answer).toMatchObject({ msg: "申请成功", code: 0 });
  return answer.data as string;
}

const asMerchant = (shop: Shop, what: string, fields: Readonly<Record<string, string>>): Promise<Answered> =>
  shop.ask(`admin/orderaftersale/${what}`, fields, merchantToken);

const none = "1111 0100 0000";
const waiting = "1110 1111 0000";

describe("a return", () => {
  it("is applied for, confirmed, sent back and audited; the order goes on with less", async () => {
    const shop = await openShop(t0 + 4 * minute);
    await live(shop.engine, "o-1", 4);
    expect(await standing(shop)).toEqual(["4/1", undefined, none, "1111 0100 0100 0100 0000"]);

    const id = await apply(shop, { type: "1", price: "10.00", number: "1", msg: "破了" });
    expect(await standing(shop)).toEqual(["4/1", "0", waiting, "1110 1111 0100 0100 0000"]);
    expect((await pageOf(shop)).returned_data).toEqual({ returned_quantity: 2, refund_price: "20.00" });

    shop.clock.now += minute;
    expect(await asMerchant(shop, "confirm", { id })).toEqual({ msg: "确认成功", code: 0, data: "" });
    expect(await standing(shop)).toEqual(["4/1", "1", waiting, "1110 1110 1111 0100 0000"]);
    expect((await pageOf(shop)).return_goods_address).toBe(
      "收件人：Shop，电话：021-5555，地址：Shanghai, Road 1",
    );

    shop.clock.now += minute;
    const parcel = { id, express_name: "顺丰", express_number: "SF1" };
    expect(await shop.ask("orderaftersale/delivery", parcel)).toEqual({ msg: "操作成功", code: 0, data: "" });
    expect(await standing(shop)).toEqual(["4/1", "2", waiting, "1110 1110 1110 1111 0000"]);

    shop.clock.now += minute;
    expect(await asMerchant(shop, "audit", { id, refundment: "2" })).toEqual({
      msg: "退款成功",
      code: 0,
      data: "",
    });
    expect(await standing(shop)).toEqual(["4/3", "3", "1110 1110 0010", "1110 0110 1110 1110 0010"]);

    const { order_data, ...page } = await pageOf(shop);
    const { order_data: again, ...one } = page.new_aftersale_data as Record<string, unknown>;
    expect(again).toEqual(order_data);
    expect(order_data).toMatchObject({ refund_price: "10.00", returned_quantity: "1", pay_price: "58.00" });
    expect(order_data["upd_time"]).toBe("2026-01-05 16:07:00");
    expect(order_data.items).toMatchObject({
      refund_price: "10.00",
      returned_quantity: "1",
      upd_time: "1767600420",
    });
    expect(one).toEqual({
      id,
      order_no: "o-1",
      order_detail_id: "L1",
      order_id: "o-1",
      goods_id: "A",
      user_id: "buyer-1",
      status: "3",
      type: "1",
      refundment: "2",
      reason: "包裹丢失",
      number: "1",
      price: "10.00",
      msg: "破了",
      images: [],
      refuse_reason: "",
      express_name: "顺丰",
      express_number: "SF1",
      apply_time: "1767600240",
      confirm_time: "1767600300",
      delivery_time: "1767600360",
      audit_time: "1767600420",
      cancel_time: "0",
      add_time: "1767600240",
      upd_time: "1767600420",
      user: null,
      type_text: "退款退货",
      status_text: "已完成",
      refundment_text: "手动处理",
      apply_time_time: "2026-01-05 16:04:00",
      apply_time_date: "2026-01-05",
      confirm_time_time: "2026-01-05 16:05:00",
      confirm_time_date: "2026-01-05",
      delivery_time_time: "2026-01-05 16:06:00",
      delivery_time_date: "2026-01-05",
      audit_time_time: "2026-01-05 16:07:00",
      audit_time_date: "2026-01-05",
      cancel_time_time: null,
      cancel_time_date: null,
      add_time_time: "2026-01-05 16:04:00",
      add_time_date: "2026-01-05",
      upd_time_time: "2026-01-05 16:07:00",
      upd_time_date: "2026-01-05",
      tips_msg: "订单售后已处理结束！",
    });
    const state = await shop.engine.state("o-1");
    expect(state).toMatchObject({ tallies: [{ lineId: "L1", restocked: 1, returned: 1, refunded: 1_000 }] });
  });

  it("goes to the address that its approval named, whatever the shop says later", async () => {
    const away = { name: "", phone: "", address: "Hangzhou" };
    const addresses = { now: away };
    const shop = await openShop(t0 + 4 * minute, {}, { addresses: { returnTo: async () => addresses.now } });
    await live(shop.engine, "o-1", 4);
    const id = await apply(shop, { type: "1", price: "10.00", number: "1" });
    await asMerchant(shop, "confirm", { id });
    addresses.now = { ...away, address: "Suzhou" };
    expect((await pageOf(shop)).return_goods_address).toBe("Hangzhou");
    expect((await pageOf(shop, "L2")).return_goods_address).toBe("Suzhou");
  });

  it("of every unit closes the order (scenarios 7 and 8)", async () => {
    const shop = await openShop(t0 + 4 * minute);
    await live(shop.engine, "o-1", 4);
    for (const [line, number, price] of [
      ["L1", "1", "10.00"],
      ["L1", "2", "20.00"],
      ["L2", "1", "28.00"],
    ] as const) {
      expect((await pageOf(shop, line)).returned_data).toEqual(
        line === "L2"
          ? { returned_quantity: 1, refund_price: "28.00" }
          : { returned_quantity: number === "1" ? 3 : 2, refund_price: number === "1" ? "30.00" : "20.00" },
      );
      const id = await apply(shop, { type: "1", price, number, order_detail_id: line });
      await asMerchant(shop, "confirm", { id });
      await shop.ask("orderaftersale/delivery", { id, express_name: "顺丰", express_number: "SF1" });
      expect((await asMerchant(shop, "audit", { id, refundment: "2" })).msg).toBe("退款成功");
    }
    expect(await standing(shop, "L2")).toEqual(["6/2", "3", "1110 1110 0010", "1110 0110 1110 1110 0010"]);
    const { order_data } = await pageOf(shop);
    expect(order_data).toMatchObject({ close_time: "2026-01-05 16:04:00", status_name: "已关闭" });
  });
});

describe("a refund alone", () => {
  it("waits for its audit at once; both lines before shipping close the order (scenarios 4 and 5)", async () => {
    const shop = await openShop(t0 + 2 * minute);
    await live(shop.engine, "o-1", 2);
    const first = await apply(shop);
    expect(await standing(shop)).toEqual(["2/1", "2", waiting, "1110 1110 1110 1111 0000"]);
    expect((await pageOf(shop)).new_aftersale_data).toMatchObject({
      type_text: "仅退款",
      refundment_text: "",
      confirm_time: "0",
      upd_time: "0",
      upd_time_time: null,
      tips_msg: "订单售后已退货，等待管理员审核中！",
    });
    await asMerchant(shop, "audit", { id: first, refundment: "2" });
    const { order_data, returned_data } = await pageOf(shop);
    expect([order_data["status"], order_data["pay_status"]]).toEqual(["2", "3"]);
    expect(order_data.items).toMatchObject({ returned_quantity: "3", refund_price: "30.00" });
    // With the last of a line's money all its units go back (ruling 3), and the case says how many.
    expect((await pageOf(shop)).new_aftersale_data).toMatchObject({ type: "0", status: "3", number: "3" });
    expect(returned_data).toEqual({ returned_quantity: 0, refund_price: "0.00" });
    expect((await pageOf(shop, "L2")).returned_data).toEqual({ returned_quantity: 1, refund_price: "28.00" });
    const second = await apply(shop, { order_detail_id: "L2", price: "28.00" });
    await asMerchant(shop, "audit", { id: second, refundment: "2" });
    expect((await standing(shop))[0]).toBe("6/2");
    // The unified rules refuse it by the order's status, before ShopXO's own by the amount.
    expect(
      await shop.ask("orderaftersale/create", {
        order_id: "o-1",
        order_detail_id: "L1",
        type: "0",
        price: "0.01",
        reason: "",
      }),
    ).toEqual(refusedWith("状态不可操作[已关闭]"));
  });

  it("after shipping never closes the order (scenario 6)", async () => {
    const shop = await openShop(t0 + 3 * minute);
    await live(shop.engine, "o-1", 3);
    for (const [line, price] of [
      ["L1", "30.00"],
      ["L2", "28.00"],
    ] as const) {
      const id = await apply(shop, { order_detail_id: line, price });
      await asMerchant(shop, "audit", { id, refundment: "2" });
    }
    expect((await standing(shop))[0]).toBe("3/2");
    expect((await pageOf(shop)).order_data).toMatchObject({ returned_quantity: "0", refund_price: "58.00" });
    await shop.give([{ type: "ConfirmReceipt", orderId: "o-1" }, buyer]);
    expect((await standing(shop))[0]).toBe("4/2");
  });

  it("goes back the way it came, and is on its way until that is done (scenario 16)", async () => {
    const shop = await openShop(t0 + 2 * minute, {}, { payments: never });
    await live(shop.engine, "o-1", 1);
    const pay = {
      type: "Pay",
      orderId: "o-1",
      payId: "p-1",
      amount: 5_800,
      channel: "online",
      tradeNo: "T1",
    };
    await shop.give([pay, buyer]);
    const id = await apply(shop);
    expect(await asMerchant(shop, "audit", { id, refundment: "0" })).toEqual({
      msg: "操作成功",
      code: 0,
      data: "",
    });
    const flying = (await pageOf(shop)).new_aftersale_data;
    expect(flying).toMatchObject({ status: "2", refundment: "0", audit_time: "0" });
    for (const [what, more] of [
      ["audit", { refundment: "2" }],
      ["refuse", { refuse_reason: "不行" }],
    ] as const) {
      expect(await asMerchant(shop, what, { id, ...more })).toEqual(refusedWith("状态不可操作[待审核]"));
    }
    expect(await shop.ask("orderaftersale/cancel", { id })).toEqual(refusedWith("状态不可操作[待审核]"));
    const of = { orderId: "o-1", caseId: id };
    await shop.give([
      { type: "FailRefund", ...of, refundId: `${id}:1`, failure: "BUSY", retryable: true },
      provider,
    ]);
    expect((await pageOf(shop)).new_aftersale_data).toMatchObject({ status: "2" });
    expect((await asMerchant(shop, "audit", { id, refundment: "0" })).msg).toBe("操作成功");
    await shop.give([{ type: "SettleRefund", ...of, refundId: `${id}:2`, amount: 3_000 }, provider]);
    expect((await pageOf(shop)).new_aftersale_data).toMatchObject({
      status: "3",
      refundment_text: "原路退回",
    });
  });

  it("of what was paid from the wallet goes back there", async () => {
    const shop = await openShop(t0 + 2 * minute);
    await live(shop.engine, "o-1", 1);
    const pay = { type: "Pay", orderId: "o-1", payId: "p-1", amount: 5_800, channel: "wallet" };
    await shop.give([pay, { role: "system", id: "till" }]);
    const id = await apply(shop);
    await asMerchant(shop, "audit", { id, refundment: "0" });
    expect((await pageOf(shop)).new_aftersale_data).toMatchObject({ refundment: "1", status: "2" });
  });
});

const never = {
  name: "bank",
  refund: async () => ({ status: "pending" as const }),
  status: async () => ({ status: "pending" as const }),
};

describe("a case that comes to nothing", () => {
  it("rejected, is acknowledged, deleted by the merchant, and applied for again (scenario 12)", async () => {
    const shop = await openShop(t0 + 4 * minute);
    await live(shop.engine, "o-1", 4);
    const id = await apply(shop, { type: "1", number: "3" });
    shop.clock.now += minute;
    expect(await asMerchant(shop, "refuse", { id, refuse_reason: "凭证不清" })).toEqual({
      msg: "拒绝成功",
      code: 0,
      data: "",
    });
    expect(await standing(shop)).toEqual(["4/1", "4", none, "1111 0100 0100 0100 0000"]);
    expect((await pageOf(shop)).new_aftersale_data).toMatchObject({
      refuse_reason: "凭证不清",
      audit_time_time: "2026-01-05 16:05:00",
      tips_msg: "订单售后申请已被拒绝！",
    });
    expect((await pageOf(shop)).returned_data).toEqual({ returned_quantity: 3, refund_price: "30.00" });
    expect(await shop.ask("orderaftersale/cancel", { id })).toEqual({ msg: "取消成功", code: 0, data: "" });
    expect(await standing(shop)).toEqual(["4/1", "5", none, "1111 0100 0100 0100 0000"]);
    expect(await asMerchant(shop, "delete", { id })).toEqual({ msg: "删除成功", code: 0, data: "" });
    for (const what of ["delete", "confirm"]) {
      expect(await asMerchant(shop, what, { id })).toEqual(refusedWith("数据不存在或已删除"));
    }
    const again = await apply(shop, { type: "1", number: "3" });
    expect((await pageOf(shop)).new_aftersale_data).toMatchObject({ id: again, status: "0" });
  });
});

describe("an exchange, which ShopXO has not", () => {
  it("is shown as a return of no money; its parcel and its refusal are dealt with, its audit is not", async () => {
    const shop = await openShop(t0 + 4 * minute);
    await live(shop.engine, "o-1", 4);
    const of = { orderId: "o-1", caseId: "c-1" };
    const id = "c-1";
    await shop.give([
      { type: "ApplyRefund", ...of, lineId: "L2", caseType: "exchange", quantity: 1, amount: 0 },
      buyer,
    ]);
    const shown = async (): Promise<readonly unknown[]> => {
      const { new_aftersale_data: one, order_data: order } = await pageOf(shop, "L2");
      return ["type", "status", "price", "refundment"].map((name) => one[name]).concat(order["pay_status"]);
    };
    const seen = [await shown()];
    expect((await asMerchant(shop, "confirm", { id })).msg).toBe("确认成功");
    seen.push(await shown());
    await shop.ask("orderaftersale/delivery", { id, express_name: "顺丰", express_number: "SF1" });
    seen.push(await shown());
    const noAudit = refusedWith("类型不可操作[换货]");
    expect(await asMerchant(shop, "audit", { id, refundment: "2" })).toEqual(noAudit);
    await shop.give([
      { type: "ReceiveReturn", ...of, dispositions: [{ kind: "restock", quantity: 1 }] },
      merchant,
    ]);
    seen.push(await shown());
    expect(await asMerchant(shop, "audit", { id, refundment: "2" })).toEqual(noAudit);
    expect(await shop.ask("orderaftersale/cancel", { id })).toEqual(noAudit);
    await shop.give([{ type: "ShipReplacement", ...of, carrier: "顺丰", trackingNumber: "SF2" }, merchant]);
    seen.push(await shown());
    await shop.give([{ type: "ConfirmReplacement", ...of }, buyer]);
    seen.push(await shown());
    expect(seen).toEqual(["0", "1", "2", "2", "2", "3"].map((status) => ["1", status, "0.00", "2", "1"]));
  });
});

describe("money of a whole order", () => {
  it("that the merchant cancelled is shown in the list with the first line (scenario 25)", async () => {
    const shop = await openShop(t0 + 2 * minute);
    await live(shop.engine, "o-1", 2);
    await shop.give([{ type: "CancelOrder", orderId: "o-1", caseId: "c-all" }, merchant]);
    expect((await standing(shop))[0]).toBe("2/1");
    expect((await pageOf(shop)).new_aftersale_data).toEqual([]);
    const [row] = await listOf(shop);
    expect(row).toMatchObject({ id: "c-all", status: "2", type: "0", order_detail_id: "0", price: "58.00" });
    expect(await shop.ask("orderaftersale/cancel", { id: "c-all" })).toEqual(
      refusedWith("状态不可操作[待审核]"),
    );
    expect((await asMerchant(shop, "audit", { id: "c-all", refundment: "2" })).msg).toBe("退款成功");
    expect((await standing(shop))[0]).toBe("6/2");
  });

  it("that came too late leaves the order's status, and is paid back (scenario 2)", async () => {
    const shop = await openShop(t0 + 32 * minute);
    await live(shop.engine, "o-1", 1);
    await shop.give([
      { type: "ExpireOrder", orderId: "o-1" },
      { role: "system", id: "clock" },
    ]);
    expect((await standing(shop))[0]).toBe("6/0");
    await shop.give([
      { type: "Pay", orderId: "o-1", payId: "p-late", amount: 5_800, channel: "offline", method: "现金支付" },
      { role: "system", id: "till" },
    ]);
    expect((await standing(shop))[0]).toBe("6/1");
    const [row] = await listOf(shop);
    const id = String(row?.["id"]);
    expect(await asMerchant(shop, "audit", { id, refundment: "0" })).toEqual(
      refusedWith("线下支付方式不能原路退回[ 现金支付 ]"),
    );
    expect(await asMerchant(shop, "refuse", { id, refuse_reason: "不行" })).toEqual(
      refusedWith("状态不可操作[待审核]"),
    );
    const byHand = { id, refundment: "0", is_under_line_use_manual: "1" };
    expect((await asMerchant(shop, "audit", byHand)).msg).toBe("退款成功");
    expect((await standing(shop))[0]).toBe("6/2");
  });
});

async function listOf(
  shop: Shop,
  fields: Readonly<Record<string, string>> = {},
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { data } = await shop.ask("orderaftersale/index", fields);
  return (data as { data: readonly Readonly<Record<string, unknown>>[] }).data;
}

describe("a buyer's list", () => {
  /** 13 orders with a case each, a day apart; the first ones rejected, sent back and refunded. */
  async function many(): Promise<Shop> {
    const shop = await openShop(t0);
    for (let number = 1; number <= 13; number += 1) {
      const orderId = `o-${number}`;
      const from = t0 + number * day;
      await live(shop.engine, orderId, 4, from);
      const returning = number === 2;
      await shop.give([
        {
          type: "ApplyRefund",
          orderId,
          caseId: `c-${number}`,
          lineId: "L1",
          caseType: returning ? "returnRefund" : "refundOnly",
          quantity: returning ? 1 : 0,
          amount: 1_000,
        },
        buyer,
        from + 4 * minute,
      ]);
    }
    shop.clock.now = t0 + 20 * day;
    await asMerchant(shop, "refuse", { id: "c-1", refuse_reason: "不行" });
    await asMerchant(shop, "confirm", { id: "c-2" });
    await shop.ask("orderaftersale/delivery", { id: "c-2", express_name: "顺丰", express_number: "SF9" });
    await asMerchant(shop, "audit", { id: "c-3", refundment: "2" });
    return shop;
  }

  it("has pages of ten, newest first, and counts them", async () => {
    const shop = await many();
    const { data } = await shop.ask("orderaftersale/index", { page: "1" });
    expect(data).toMatchObject({ total: 13, page_total: 2 });
    const ids = async (page: string): Promise<readonly unknown[]> =>
      (await listOf(shop, { page })).map(({ id }) => id);
    expect(await ids("1")).toEqual(Array.from({ length: 10 }, (_, at) => `c-${13 - at}`));
    expect(await ids("2")).toEqual(["c-3", "c-2", "c-1"]);
    expect(await ids("3")).toEqual([]);
    expect(await ids("-4")).toEqual(await ids("x"));
    const [newest] = await listOf(shop);
    expect(newest).toMatchObject({ order_data: { id: "o-13", items: { id: "L1" } } });
  });

  it.each([
    [{ keywords: "o-5" }, ["c-5"]],
    [{ keywords: "SF9" }, ["c-2"]],
    [{ keywords: "o-" }, []],
    [{ is_more: "1", type: "1" }, ["c-2"]],
    [{ is_more: "1", status: "3,4" }, ["c-3", "c-1"]],
    [{ is_more: "1", status: "2", time_end: "2026-01-08 16:05:00" }, ["c-2"]],
    [{ is_more: "1", refundment: "2" }, ["c-3"]],
    [{ is_more: "1", express_number: "SF9" }, ["c-2"]],
    [{ is_more: "1", time_start: "2026-01-17 16:04:00" }, ["c-13"]],
    [{ is_more: "1", time_start: "2026-01-17 16:03:59", time_end: "2026-01-18" }, ["c-12"]],
    [{ is_more: "1", type: "-1", status: "-1", refundment: "", time_start: "x", keywords: "o-7" }, ["c-7"]],
  ])("narrowed by %j", async (fields, ids) => {
    const shop = await many();
    const { data } = await shop.ask("orderaftersale/index", fields as Record<string, string>);
    expect((data as { data: readonly { id: string }[] }).data.map(({ id }) => id)).toEqual(ids);
    expect(data).toMatchObject({ total: ids.length, page_total: ids.length === 0 ? 0 : 1 });
  });

  it("is narrowed only where more is asked for, and leaves out what its buyer hid", async () => {
    const shop = await many();
    expect(await listOf(shop, { type: "1", status: "4", express_number: "SF9" })).toHaveLength(10);
    await shop.give([{ type: "HideOrder", orderId: "o-1" }, buyer]);
    expect((await shop.ask("orderaftersale/index")).data).toMatchObject({ total: 12 });
    expect(await shop.ask("orderaftersale/aftersale", { oid: "o-1", did: "L1" })).toEqual(
      refusedWith("没有相关数据"),
    );
    expect(await shop.ask("orderaftersale/cancel", { id: "c-1" })).toEqual(refusedWith("数据不存在或已删除"));
  });
});
