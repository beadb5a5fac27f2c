// apifm's own published client, unmodified, against the dialect over HTTP: every call in success and in refusal, and a whole journey.

import { describe, expect, it } from "vitest";

import { day, minute, t0 } from "../../domain/orders.ts";
import { tidyEngines } from "../../engines.ts";
import {
  type ApifmShop,
  type Said,
  client,
  home,
  o1,
  serveShop,
  staffToken,
  stranger,
  tidyServers,
  token,
} from "./shop.ts";

tidyServers();
tidyEngines();

const done = { code: 0, msg: "success", data: null };
const noData = { code: 700, msg: "暂无数据", data: null };
const login = { code: 2000, msg: "登录已失效，请重新登录", data: null };
const no = (msg: string): Said => ({ code: -1, msg, data: null });

const counts = (over: object = {}): object => ({
  count_id_no_pay: 0,
  count_id_no_transfer: 0,
  count_id_no_confirm: 0,
  count_id_no_reputation: 0,
  count_id_success: 0,
  count_id_close: 0,
  ...over,
});

async function create(over: object = {}): Promise<number> {
  const said = await client.orderCreate({ token, goodsJsonStr: o1, ...home, peisongType: "kd", ...over });
  expect(said).toMatchObject({ code: 0 });
  return said.data.id as number;
}

async function topUp({ engine }: ApifmShop, amount: number, buyerId = "buyer-1"): Promise<void> {
  const actor = { role: "admin", id: "root" } as const;
  await engine.wallet.topUp({ buyerId, topUpId: `top-${buyerId}-${amount}`, amount, currency: "CNY", actor });
}

async function bought(shop: ApifmShop, over: object = {}): Promise<number> {
  const id = await create(over);
  await topUp(shop, 1_000_000);
  expect(await client.orderPay(token, id)).toEqual(done);
  return id;
}

async function shipped(shop: ApifmShop): Promise<number> {
  const id = await bought(shop);
  await ship(shop, id);
  return id;
}

function ship(shop: ApifmShop, id: number): Promise<void> {
  const shipments = [{ carrier: "中通速递", trackingNumber: "540738747554" }];
  return shop.command({ type: "Ship", orderId: String(id), shipments });
}

const application = {
  type: 1,
  logisticsStatus: 1,
  reason: "质量问题",
  amount: 10,
  remark: "",
  pic: "",
  orderGoodsId: 1,
  number: 1,
} as const;

it("a parcel's way is the carrier's to tell, and an order is shown without it where the carrier does not answer", async () => {
  const asked: object[] = [];
  const tracking = {
    traces: async (parcel: object) => {
      asked.push(parcel);
      if (asked.length > 1) throw new Error("out of order");
      return [{ at: t0 + minute, text: "杭州转运中心" }];
    },
  };
  const shop = await serveShop({ ports: { tracking } });
  const id = await bought(shop);
  const traces = async () => (await client.orderDetail(token, id)).data.logisticsTraces;
  expect((await client.orderDetail(token, id)).data).not.toHaveProperty("logisticsTraces");
  expect(asked).toEqual([]);
  await ship(shop, id);
  const sent = { AcceptTime: "2026-01-05 16:00:00", AcceptStation: "卖家已发货" };
  expect(await traces()).toEqual([
    sent,
    { AcceptTime: "2026-01-05 16:01:00", AcceptStation: "杭州转运中心" },
  ]);
  expect(asked).toEqual([{ carrier: "中通速递", trackingNumber: "540738747554" }]);
  expect(await traces()).toEqual([sent]);
  const failed = shop.ports.lines.filter(({ event }) => event === "trackingFailed");
  expect(failed).toMatchObject([{ level: "warn", orderId: String(id) }]);
});

async function reviewed(id: number): Promise<Said> {
  return client.orderReputation({
    postJsonString: JSON.stringify({
      token,
      orderId: id,
      reputations: [
        { id: 1, reputation: "2", remark: "好茶", pics: ["https://img.example/1.jpg"] },
        { id: 2, reputation: "0", remark: "" },
      ],
    }),
  });
}

it("a whole journey: preview, order, pay, receive, review, apply, send back, refund, count, hide", async () => {
  const shop = await serveShop();
  await topUp(shop, 6_000);

  const asked = { token, goodsJsonStr: o1, ...home, peisongType: "kd", remark: "请快点" };
  const head = await shop.engine.head();
  expect(await client.orderCreate({ ...asked, calculate: "true" })).toEqual({
    code: 0,
    msg: "success",
    data: {
      amountTotle: 50,
      amountLogistics: 8,
      amountReal: 58,
      trips: 0,
      goodsNumber: 4,
      isNeedLogistics: true,
      couponAmount: 0,
      deductionMoney: 0,
      score: 0,
    },
  });
  expect(await shop.engine.head()).toBe(head);
  expect((await client.orderStatistics(token)).data).toEqual(counts());

  const created = await client.orderCreate(asked);
  expect(created).toMatchObject({
    code: 0,
    data: { status: 0, statusStr: "待支付", amountReal: 58, isPay: false },
  });
  const id = created.data.id as number;
  expect(Number.isSafeInteger(id)).toBe(true);
  expect((await client.orderStatistics(token)).data).toEqual(counts({ count_id_no_pay: 1 }));

  shop.at(t0 + minute);
  expect(await client.orderPay(token, id)).toEqual(done);
  expect(await shop.engine.wallet.balance("buyer-1", "CNY")).toBe(200);
  expect((await client.orderStatistics(token)).data).toEqual(counts({ count_id_no_transfer: 1 }));

  shop.at(t0 + day);
  await ship(shop, id);
  expect((await client.orderStatistics(token)).data).toEqual(counts({ count_id_no_confirm: 1 }));

  shop.at(t0 + 2 * day);
  expect(await client.orderDelivery(token, id)).toEqual(done);
  expect((await client.orderStatistics(token)).data).toEqual(counts({ count_id_no_reputation: 1 }));

  shop.at(t0 + 3 * day);
  expect(await reviewed(id)).toEqual(done);
  expect((await client.orderStatistics(token)).data).toEqual(counts({ count_id_success: 1 }));

  shop.at(t0 + 4 * day);
  const applied = await client.refundApply({
    ...application,
    token,
    orderId: id,
    remark: "漏了",
    pic: "https://img.example/2.jpg,https://img.example/3.jpg",
  });
  expect(applied.code).toBe(0);
  const applyId = applied.data.id as number;
  const standing = async () => {
    const [one] = (await client.refundApplyDetail(token, id, 1)).data as Said["data"];
    return [one.baseInfo.status, one.baseInfo.status2] as const;
  };
  expect(await standing()).toEqual([0, 0]);
  expect((await client.orderDetail(token, id)).data.orderInfo).toMatchObject({
    refundStatus: 1,
    hasRefund: true,
  });

  const ofCase = { orderId: String(id), caseId: String(applyId) };
  await shop.command({ type: "ApproveRefund", ...ofCase });
  expect(await standing()).toEqual([3, 1]);
  const waybill = { shipperName: "顺丰速运", trackingNumber: "SF1" };
  expect(await client.refundApplySetBackLogistics({ token, orderId: id, applyId, ...waybill })).toEqual(done);
  expect(await standing()).toEqual([3, 2]);
  const dispositions = [{ kind: "restock", quantity: 1 }];
  await shop.command({ type: "ReceiveReturn", ...ofCase, dispositions, destination: "wallet" });
  expect(await standing()).toEqual([3, 2]);
  for await (const run of shop.engine.runRefunds()) expect(run.outcome).toBe("settled");
  expect(await standing()).toEqual([4, 2]);
  expect(await shop.engine.wallet.balance("buyer-1", "CNY")).toBe(1_200);

  expect((await client.orderRefunds(token, id)).data).toEqual([
    {
      baseInfo: {
        id: applyId,
        orderId: id,
        orderGoodsId: 1,
        type: 1,
        typeStr: "退款退货",
        status: 4,
        statusStr: "处理完成",
        status2: 2,
        logisticsStatus: 1,
        logisticsStatusStr: "已收到货",
        reason: "质量问题",
        remark: "漏了",
        number: 1,
        amount: 10,
        dateAdd: "2026-01-09 16:00:00",
        dateUpdate: "2026-01-09 16:00:00",
        logisticsContent: JSON.stringify({
          linkMan: "Shop",
          mobile: "021-5555",
          address: "Shanghai, Road 1",
          shipperName: "顺丰速运",
          trackingNumber: "SF1",
        }),
        uid: "buyer-1",
        userId: "main",
      },
      pics: [
        { id: 1, pic: "https://img.example/2.jpg" },
        { id: 2, pic: "https://img.example/3.jpg" },
      ],
      refunds: [
        {
          refundNo: `${applyId}:1`,
          moneyRefund: 10,
          status: 3,
          statusStr: "成功",
          remark: "",
          dateAdd: "2026-01-09 16:00:00",
          dateUpdate: "2026-01-09 16:00:00",
        },
      ],
    },
  ]);
  const { data } = await client.orderDetail(token, id);
  const { orderInfo, goods, logs, logistics, logisticsTraces, stores, extJson } = data;
  expect(orderInfo).toMatchObject({
    status: 4,
    statusStr: "已评价",
    refundStatus: 2,
    amountRefundTotal: 10,
    dateAdd: "2026-01-05 16:00:00",
    dateClose: "2026-01-05 16:30:00",
    datePay: "2026-01-05 16:01:00",
    remark: "请快点",
  });
  expect(goods).toMatchObject([
    {
      id: 1,
      number: 3,
      amountSingle: 10,
      amount: 30,
      refundStatus: 2,
      goodReputation: 2,
      goodReputationStr: "好评",
      goodReputationRemark: "好茶",
      reputationPics: ["https://img.example/1.jpg"],
    },
    {
      id: 2,
      number: 1,
      refundStatus: 0,
      goodReputation: 0,
      goodReputationStr: "差评",
      goodReputationRemark: "",
    },
  ]);
  expect(logs.map(({ type, typeStr }: Said["data"]) => [type, typeStr])).toEqual([
    [0, "下单"],
    [1, "支付"],
    [2, "发货"],
    [3, "确认收货"],
    [4, "评价"],
    [6, "申请售后"],
    [7, "退款"],
  ]);
  expect(logistics).toMatchObject({ ...home, shipperName: "中通速递", trackingNumber: "540738747554" });
  expect(logisticsTraces).toEqual([
    { AcceptTime: "2026-01-06 16:00:00", AcceptStation: "卖家已发货" },
    { AcceptTime: "2026-01-07 16:00:00", AcceptStation: "已确认收货" },
  ]);
  expect(
    stores.map(({ number, orderGoodsId, typeStr }: Said["data"]) => [orderGoodsId, number, typeStr]),
  ).toEqual([
    [1, -3, "扣减库存"],
    [2, -1, "扣减库存"],
    [1, 1, "退货入库"],
  ]);
  expect(extJson).toEqual({});

  expect(await client.orderDelete(token, id)).toEqual(done);
  expect((await client.orderStatistics(token)).data).toEqual(counts());
  expect(await client.orderDetail(token, id)).toEqual(noData);
  expect(await client.orderList({ token })).toEqual(noData);
  expect((await shop.engine.views.orders({ scope: { merchantId: "main" } })).orders).toHaveLength(1);
  expect(shop.ports.lines.filter(({ level }) => level !== "info")).toEqual([]);
});

describe("orderCreate", () => {
  it("prices what is chosen, with its options, and carries what the order's people need", async () => {
    const shop = await serveShop();
    const goodsJsonStr = JSON.stringify([{ goodsId: "C", number: 2, propertyChildIds: ",red" }]);
    const extJsonStr = JSON.stringify({ 联系人: "王", 1: "x" });
    const said = await client.orderCreate({
      token,
      goodsJsonStr,
      peisongType: "zq",
      isCanHx: true,
      extJsonStr,
      shopIdZt: 7,
      shopNameZt: "龙楼店",
      trips: "1.5",
      idcard: "110101",
    });
    expect(said.data).toMatchObject({
      amount: 198,
      amountLogistics: 0,
      trips: 1.5,
      amountReal: 199.5,
      isCanHx: true,
      isNeedLogistics: false,
      peisongType: "zq",
      shopIdZt: "7",
      shopNameZt: "龙楼店",
    });
    expect(said.data).not.toHaveProperty("logistics");
    const { data } = await client.orderDetail(token, said.data.id);
    expect(data.extJson).toEqual({ 联系人: "王", 1: "x" });
    expect(data.goods[0]).toMatchObject({ goodsName: "Kettle, red", propertyChildIds: "red" });
    expect(data).not.toHaveProperty("logistics");
    const [made] = await shop.engine.history(String(said.data.id));
    expect(made?.event.data).toMatchObject({
      personal: {
        source: [
          ["extJsonStr", extJsonStr],
          ["idcard", "110101"],
        ],
      },
    });
  });

  it.each([
    ["nobody", { token: "no" }, login],
    ["a merchant", { token: "token-of-main" }, no("没有操作权限")],
    ["no goods", { goodsJsonStr: "" }, no("goodsJsonStr不能为空")],
    ["goods that are none", { goodsJsonStr: '[{"goodsId":"X","number":1}]' }, no("商品不存在或已下架")],
    [
      "more than there are",
      { goodsJsonStr: '[{"goodsId":"C","number":3,"propertyChildIds":"red"}]' },
      no("库存不足[ 剩余2 ]"),
    ],
    ["a time of the buyer's own", { expireMinutes: 5 }, no("不支持自定义订单关闭时间")],
    ["a coupon", { couponId: "1,2" }, no("暂不支持优惠券")],
  ])("is refused to %s", async (_who, over, said) => {
    const shop = await serveShop();
    for (const calculate of ["false", "true"]) {
      expect(await client.orderCreate({ token, goodsJsonStr: o1, calculate, ...over })).toEqual(said);
    }
    expect(await shop.engine.head()).toBeUndefined();
  });

  it("is refused where the shop brings nothing, and where it has no key for codes", async () => {
    await serveShop({ ports: { freight: { costOf: async () => undefined } } });
    expect(await client.orderCreate({ token, goodsJsonStr: o1 })).toEqual(no("该地区暂不支持配送"));
    await serveShop({ redeemKey: undefined });
    expect(await client.orderCreate({ token, goodsJsonStr: o1, isCanHx: true })).toEqual(no("暂不支持核销"));
  });
});

describe("orderList", () => {
  async function many(shop: ApifmShop): Promise<Record<string, number>> {
    const ids: Record<string, number> = {};
    const next = (minutes: number): void => shop.at(t0 + minutes * minute);
    ids["closed"] = await create();
    await client.orderClose(token, ids["closed"]);
    next(1);
    ids["unpaid"] = await create();
    next(2);
    ids["paid"] = await bought(shop);
    next(3);
    ids["shipped"] = await shipped(shop);
    next(4);
    ids["received"] = await shipped(shop);
    await client.orderDelivery(token, ids["received"]);
    next(5);
    ids["reviewed"] = await shipped(shop);
    await client.orderDelivery(token, ids["reviewed"]);
    await reviewed(ids["reviewed"]);
    await client.refundApply({ ...application, token, orderId: ids["reviewed"] });
    await topUp(shop, 6_000, "buyer-2");
    await client.orderCreate({ token: stranger, goodsJsonStr: o1 });
    return ids;
  }

  it("finds by status, statuses, review, after-sale and number, newest first, in pages", async () => {
    const shop = await serveShop();
    const ids = await many(shop);
    const names = async (query: object): Promise<string[] | number> => {
      const said = await client.orderList({ token, ...query });
      if (said.code !== 0) return said.code;
      return said.data.orderList.map(({ id }: Said["data"]) =>
        Object.keys(ids).find((name) => ids[name] === id),
      );
    };
    expect(await names({})).toEqual(["reviewed", "received", "shipped", "paid", "unpaid", "closed"]);
    for (const [status, name] of [
      [-1, "closed"],
      [0, "unpaid"],
      [1, "paid"],
      [2, "shipped"],
      [3, "received"],
      [4, "reviewed"],
    ] as const) {
      expect(await names({ status })).toEqual([name]);
    }
    expect(await names({ statusBatch: "3,1" })).toEqual(["received", "paid"]);
    expect(await names({ statusBatch: "-1,4" })).toEqual(["reviewed", "closed"]);
    expect(await names({ statusBatch: "3,4" })).toEqual(["reviewed", "received"]);
    expect(await names({ statusBatch: "1,2", status: 2 })).toEqual(["shipped"]);
    expect(await names({ statusBatch: "1", status: 2 })).toBe(700);
    expect(await names({ goodReputation: 2 })).toEqual(["reviewed"]);
    expect(await names({ goodReputation: 0 })).toEqual(["reviewed"]);
    expect(await names({ goodReputation: 1 })).toBe(700);
    expect(await names({ hasRefund: true })).toEqual(["reviewed"]);
    expect(await names({ hasRefund: false, status: 4 })).toBe(700);
    expect(await names({ orderNumber: String(ids["paid"]) })).toEqual(["paid"]);
    expect(await names({ orderNumber: "OD1703281618955938" })).toBe(700);
    expect(await names({ shopId: "0", status: 1 })).toEqual(["paid"]);
    expect(await names({ shopId: "7", status: 1 })).toBe(700);
    expect(await names({ page: 2, pageSize: 4 })).toEqual(["unpaid", "closed"]);
    expect(await names({ page: 3, pageSize: 4 })).toBe(700);
    const { data } = await client.orderList({ token, pageSize: 4 });
    expect([data.totalRow, data.totalPage]).toEqual([6, 2]);
    expect(Object.keys(data)).toEqual([
      "totalRow",
      "totalPage",
      "orderList",
      "logisticsMap",
      "goodsMap",
      "userMap",
    ]);
    expect(data.goodsMap[String(ids["paid"])]).toMatchObject([
      { goodsName: "Tea", number: 3, pic: "https://shop.example/tea.png" },
      { goodsName: "Cup", number: 1, pic: "" },
    ]);
    expect(data.logisticsMap[String(ids["paid"])]).toMatchObject(home);
  });

  it.each([
    [{ token: "no" }, login],
    [{ status: 5 }, no("status参数有误")],
    [{ statusBatch: "1,x" }, no("statusBatch参数有误")],
    [{ goodReputation: 3 }, no("goodReputation参数有误")],
    [{ hasRefund: "maybe" }, no("hasRefund参数有误")],
    [{ page: 0 }, no("page参数有误")],
    [{ pageSize: 1_001 }, no("pageSize参数有误")],
  ])("refuses %j", async (over, said) => {
    await serveShop();
    expect(await client.orderList({ token, ...over })).toEqual(said);
  });
});

describe("orderDetail", () => {
  it("shows the write-off code to its buyer from payment on until the goods are there", async () => {
    const shop = await serveShop();
    const id = await create({ peisongType: "zq", isCanHx: true });
    const shown = async () =>
      (await client.orderDetail(token, id)).data.orderInfo.hxNumber as string | undefined;
    const code = await shop.engine.redemptionCode(String(id));
    expect(await shown()).toBeUndefined();
    await topUp(shop, 10_000);
    await client.orderPay(token, id);
    expect(await shown()).toBe(code);
    expect(await client.orderHXV2({ token: staffToken, hxNumber: code })).toEqual(done);
    expect(await shown()).toBeUndefined();
  });

  it("goes by the code where both are sent, for its buyer and for staff who may redeem it", async () => {
    const shop = await serveShop();
    const other = await create();
    const id = await bought(shop, { isCanHx: true });
    const code = (await shop.engine.redemptionCode(String(id))) as string;
    for (const who of [token, staffToken]) {
      const { data } = await client.orderDetail(who, other, code);
      expect(data.orderInfo.id).toBe(id);
    }
    expect((await client.orderDetail(staffToken, "", code)).data.orderInfo).not.toHaveProperty("hxNumber");
    expect(await client.orderDetail(stranger, "", code)).toEqual(noData);
    expect(await client.orderDetail(token, other, "AAAAAAAAAAAA")).toEqual(noData);
    expect(await client.orderDetail(staffToken, id)).toEqual(noData);
    const unlisted = await serveShop({ terms: {} });
    const theirs = await bought(unlisted, { isCanHx: true });
    const theirCode = (await unlisted.engine.redemptionCode(String(theirs))) as string;
    expect(await client.orderDetail(staffToken, "", theirCode)).toEqual(no("暂无核销权限"));
  });

  it("refuses strangers, nobody, and a request without any number", async () => {
    await serveShop();
    const id = await create();
    expect(await client.orderDetail(stranger, id)).toEqual(noData);
    expect(await client.orderDetail(token, 1)).toEqual(noData);
    expect(await client.orderDetail("", id)).toEqual(login);
    expect(await client.orderDetail(token, "")).toEqual(no("订单id不能为空"));
  });
});

describe("orderClose", () => {
  it("closes what is unpaid, by both of the client's calls", async () => {
    await serveShop();
    for (const close of [
      (orderId: number) => client.orderClose(token, orderId),
      (orderId: number) => client.orderCloseV2({ token, orderId }),
    ]) {
      const id = await create();
      expect(await close(id)).toEqual(done);
      expect((await client.orderDetail(token, id)).data.orderInfo).toMatchObject({
        status: -1,
        statusStr: "已关闭",
      });
      expect(await close(id)).toEqual(no("状态不可操作[已关闭]"));
    }
  });

  it("refuses what is paid, another's, and nobody", async () => {
    const shop = await serveShop();
    const id = await bought(shop);
    expect(await client.orderClose(token, id)).toEqual(no("状态不可操作[已支付待发货]"));
    expect(await client.orderClose(stranger, id)).toEqual(noData);
    expect(await client.orderClose("", id)).toEqual(login);
    expect(await client.orderClose(token, "")).toEqual(no("orderId不能为空"));
  });
});

it("orderDelete hides what is over from its buyer alone, once for all", async () => {
  const shop = await serveShop();
  const id = await create();
  expect(await client.orderDelete(token, id)).toEqual(no("状态不可操作[待支付]"));
  expect(await client.orderDelete(stranger, id)).toEqual(noData);
  await client.orderClose(token, id);
  expect(await client.orderDelete(token, id)).toEqual(done);
  expect(await client.orderDelete(token, id)).toEqual(done);
  expect(await client.orderDetail(token, id)).toEqual(noData);
  const open = await shipped(shop);
  await client.orderDelivery(token, open);
  await client.refundApply({ ...application, token, orderId: open });
  expect(await client.orderDelete(token, open)).toEqual(no("订单售后正在进行中"));
});

it("orderPay takes an order's price out of the wallet once, and refuses what the wallet or the order does not bear", async () => {
  const shop = await serveShop();
  const id = await create();
  await topUp(shop, 5_799);
  expect(await client.orderPay(token, id)).toEqual(no("余额不足"));
  await topUp(shop, 1);
  expect(await client.orderPay(stranger, id)).toEqual(noData);
  expect(await client.orderPayV2({ token, orderId: id })).toEqual(done);
  expect(await client.orderPay(token, id)).toEqual(done);
  expect(await shop.engine.wallet.balance("buyer-1", "CNY")).toBe(0);
  const closed = await create();
  await client.orderClose(token, closed);
  expect(await client.orderPay(token, closed)).toEqual(no("状态不可操作[已关闭]"));
});

it("orderDelivery confirms what was shipped", async () => {
  const shop = await serveShop();
  const id = await bought(shop);
  expect(await client.orderDelivery(token, id)).toEqual(no("状态不可操作[已支付待发货]"));
  await ship(shop, id);
  expect(await client.orderDelivery(stranger, id)).toEqual(noData);
  expect(await client.orderDelivery(token, id)).toEqual(done);
  expect(await client.orderDelivery(token, id)).toEqual(no("状态不可操作[交易成功]"));
});

describe("orderHX", () => {
  it("sends no token, and so is told to log in", async () => {
    const shop = await serveShop();
    const id = await bought(shop, { isCanHx: true });
    const code = (await shop.engine.redemptionCode(String(id))) as string;
    expect(await client.orderHX(code)).toEqual(login);
    expect(await client.orderHX("AAAAAAAAAAAA")).toEqual(login);
  });

  it("writes off where the shop has named who stands for it", async () => {
    const shop = await serveShop({ options: { anonymousRedeem: "staff-1" } });
    const id = await bought(shop, { isCanHx: true });
    const code = (await shop.engine.redemptionCode(String(id))) as string;
    expect(await client.orderHX("AAAAAAAAAAAA")).toEqual(no("核销码不正确"));
    // A token that is none is no leave to go without one.
    expect(await client.orderHXV2({ token: "no", hxNumber: code })).toEqual(login);
    expect(await client.orderHX(code.toLowerCase())).toEqual(done);
    expect(await client.orderHX(code)).toEqual(no("订单已核销"));
    expect((await shop.engine.state(String(id))) as object).toMatchObject({
      redemption: { staffId: "staff-1" },
    });
  });

  it("writes off by the staff's own token, with what they add to the order", async () => {
    const shop = await serveShop();
    const id = await bought(shop, { isCanHx: true, extJsonStr: '{"a":"1","c":"3"}' });
    const code = (await shop.engine.redemptionCode(String(id))) as string;
    const redeem = (over: object) => client.orderHXV2({ token: staffToken, hxNumber: code, ...over });
    expect(await redeem({ token })).toEqual(no("暂无核销权限"));
    expect(await redeem({ hxNumber: "AAAAAAAAAAAA" })).toEqual(no("核销码不正确"));
    expect(await redeem({ hxNumber: "" })).toEqual(no("hxNumber不能为空"));
    expect(await redeem({ extJsonStr: "[]" })).toEqual(no("extJsonStr格式有误"));
    await client.refundApply({ ...application, token, orderId: id, type: 0, logisticsStatus: 0 });
    expect(await redeem({})).toEqual(no("订单售后正在进行中"));
    await client.refundApplyCancel(token, id, 1);
    // What is said last of an attribute stands.
    expect(await redeem({ extJsonStr: '{"b":"2","c":"4"}' })).toEqual(done);
    const { data } = await client.orderDetail(token, id);
    expect([data.orderInfo.status, data.extJson]).toEqual([3, { a: "1", b: "2", c: "4" }]);
    expect(data.logs.map(({ typeStr }: Said["data"]) => typeStr)).toContain("核销");
  });

  it("tells staff who are not listed nothing of the order", async () => {
    const shop = await serveShop({ terms: {} });
    const id = await bought(shop, { isCanHx: true });
    const code = (await shop.engine.redemptionCode(String(id))) as string;
    const redeem = () => client.orderHXV2({ token: staffToken, hxNumber: code });
    expect(await redeem()).toEqual(no("暂无核销权限"));
    await ship(shop, id);
    await client.orderDelivery(token, id);
    expect(await redeem()).toEqual(no("暂无核销权限"));
  });
});

it("orderStatistics counts a buyer's own, by both of the client's calls", async () => {
  await serveShop();
  await create();
  expect(await client.orderStatistics(token)).toEqual({
    code: 0,
    msg: "success",
    data: counts({ count_id_no_pay: 1 }),
  });
  expect((await client.orderStatisticsv2({ token: stranger })).data).toEqual(counts());
  expect(await client.orderStatistics("")).toEqual(login);
});

describe("orderReputation", () => {
  it("refuses what is not received, is reviewed, or is reviewed in part", async () => {
    const shop = await serveShop();
    const id = await shipped(shop);
    expect(await reviewed(id)).toEqual(no("状态不可操作[已发货待确认]"));
    await client.orderDelivery(token, id);
    const review = (reputations: unknown, who = token) =>
      client.orderReputation({ postJsonString: JSON.stringify({ token: who, orderId: id, reputations }) });
    const [one, two] = [
      { id: 1, reputation: 2 },
      { id: 2, reputation: 1 },
    ];
    expect(await review([one])).toEqual(no("请评价订单中的全部商品"));
    expect(await review([one, one, two])).toEqual(no("商品重复"));
    expect(await review([one, two, { id: 3, reputation: 1 }])).toEqual(noData);
    expect(await review([one, two], stranger)).toEqual(noData);
    expect(await review([one, two], "no")).toEqual(login);
    expect(await review([])).toEqual(no("reputations不能为空"));
    expect(await review([{ id: 1, reputation: 3 }])).toEqual(no("reputation参数有误"));
    expect(await review([{ ...one, remark: "好".repeat(201) }])).toEqual(no("评价备注最多200个字符"));
    expect(await review([{ ...one, pics: Array.from({ length: 10 }, () => "x") }])).toEqual(
      no("评价图片最多9张"),
    );
    expect(await review([{ ...one, pics: ["javascript:1"] }, two])).toEqual(no("参数错误[postJsonString]"));
    expect(await client.orderReputation({ token, postJsonString: "{" })).toEqual(
      no("postJsonString格式有误"),
    );
    expect(await review([{ ...one, remark: "好".repeat(200) }, two])).toEqual(done);
    expect(await review([one, two])).toEqual(no("订单已评价"));
  });
});

it("orderReputation takes the form of its own document: pictures by their names", async () => {
  const shop = await serveShop();
  const id = await shipped(shop);
  await client.orderDelivery(token, id);
  const remark = "评价备注，限200字符";
  const pics = ["1.jpg", "2.jpg"];
  const reputations = [1, 2].map((line) => ({ id: String(line), reputation: "2", remark, pics }));
  const postJsonString = JSON.stringify({ token, orderId: String(id), reputations });
  expect(await client.orderReputation({ postJsonString })).toEqual(done);
  const { goods } = (await client.orderDetail(token, id)).data;
  for (const line of goods)
    expect(line).toMatchObject({ goodReputationRemark: remark, reputationPics: pics });
});

describe("refundApply", () => {
  it("applies per line and number, once at a time", async () => {
    const shop = await serveShop();
    const id = await shipped(shop);
    const apply = (over: object = {}) => client.refundApply({ ...application, token, orderId: id, ...over });
    expect(await apply({ number: 4 })).toEqual(no("退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]"));
    expect(await apply({ number: 0 })).toEqual(no("退货数量有误"));
    expect(await apply({ amount: 30.01 })).toEqual(
      no("退款金额大于订单支付金额[ 历史退款0.00, 订单金额58.00 ]"),
    );
    expect(await apply({ amount: 0 })).toEqual(no("退款金额格式有误"));
    expect(await apply({ amount: "1e3" })).toEqual(no("退款金额格式有误"));
    expect(await apply({ type: 2, amount: 1 })).toMatchObject({ code: -1 });
    expect(await apply({ reason: "" })).toEqual(no("退款原因不能为空"));
    expect(await apply({ reason: "因".repeat(181) })).toEqual(no("退款原因最多180个字符"));
    expect(await apply({ remark: "因".repeat(501) })).toEqual(no("退款说明最多500个字符"));
    expect(await apply({ pic: Array.from({ length: 10 }, () => "x").join(",") })).toEqual(
      no("凭证最多上传9张图片"),
    );
    expect(await apply({ type: 3 })).toEqual(no("type参数有误"));
    expect(await apply({ logisticsStatus: "" })).toEqual(no("logisticsStatus不能为空"));
    expect(await apply({ orderGoodsId: "" })).toEqual(no("请选择需要售后的商品"));
    expect(await apply({ orderGoodsId: 9 })).toEqual(noData);
    expect(await apply({ token: stranger })).toEqual(noData);
    expect(await apply({ token: "" })).toEqual(login);
    expect((await apply()).code).toBe(0);
    expect(await apply()).toEqual({
      code: 20000,
      msg: "当前商品正在售后中，如需重新申请，请先撤销之前的售后申请",
      data: null,
    });
    expect((await apply({ orderGoodsId: 2, type: 2, amount: 0 })).code).toBe(0);
  });

  it("of a refund alone counts units too, which are no more than were bought", async () => {
    const shop = await serveShop();
    const id = await shipped(shop);
    const asked = { ...application, token, orderId: id, type: 0, logisticsStatus: 0 };
    const apply = (over: object) => client.refundApply({ ...asked, ...over });
    expect(await apply({ number: 0 })).toEqual(no("退货数量有误"));
    expect(await apply({ number: 4 })).toEqual(no("退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]"));
    expect(await apply({ number: 4, amount: 58.01 })).toEqual(
      no("退款金额大于订单支付金额[ 历史退款0.00, 订单金额58.00 ]"),
    );
    expect((await apply({ number: 3 })).code).toBe(0);
    expect(await apply({ number: 4 })).toMatchObject({ code: 20000 });
    expect(await apply({ number: 4, orderGoodsId: 9 })).toEqual(noData);
  });

  it("is refused before payment, for goods to be sent back before they are sent, and after the window", async () => {
    const shop = await serveShop();
    const id = await create();
    const apply = (over: object = {}) => client.refundApply({ ...application, token, orderId: id, ...over });
    expect(await apply()).toEqual(no("状态不可操作[待支付]"));
    await topUp(shop, 5_800);
    await client.orderPay(token, id);
    expect(await apply()).toEqual(no("操作类型有误"));
    await ship(shop, id);
    await client.orderDelivery(token, id);
    shop.at(t0 + 30 * day + 1_000);
    expect(await apply()).toEqual(no("订单已过售后期，请联系客服处理"));
    shop.at(t0 + 30 * day);
    expect((await apply()).code).toBe(0);
  });

  it("takes amounts as the client's own arithmetic makes them", async () => {
    const goods = { title: "Sweet", unitPrice: 10, currency: "CNY" };
    const shop = await serveShop({ ports: { catalog: { find: async () => goods } } });
    const id = await bought(shop, { goodsJsonStr: '[{"goodsId":"S","number":3}]' });
    await ship(shop, id);
    const amount = 0.1 * 3;
    expect(String(amount)).toBe("0.30000000000000004");
    const said = await client.refundApply({ ...application, token, orderId: id, number: 3, amount, type: 0 });
    expect(said.code).toBe(0);
    const [{ baseInfo }] = (await client.refundApplyDetail(token, id)).data;
    expect([baseInfo.amount, baseInfo.number]).toEqual([0.3, 3]);
  });

  it("takes an old client's word, without line or number, for the one line there is, and all of it", async () => {
    const shop = await serveShop();
    const id = await bought(shop, { goodsJsonStr: '[{"goodsId":"A","number":3}]' });
    await ship(shop, id);
    const { orderGoodsId: _line, number: _number, ...old } = application;
    expect((await client.refundApply({ ...old, token, orderId: id, amount: 30 })).code).toBe(0);
    const [{ baseInfo }] = (await client.refundApplyDetail(token, id)).data;
    expect([baseInfo.orderGoodsId, baseInfo.number, baseInfo.amount]).toEqual([1, 3, 30]);
    expect(await client.refundApplyCancel(token, id)).toEqual(done);
  });
});

it("refundApplyDetail and orderRefunds show an order's cases, newest first, or that there are none", async () => {
  const shop = await serveShop();
  const id = await shipped(shop);
  expect(await client.refundApplyDetail(token, id)).toEqual(noData);
  expect(await client.orderRefunds(token, id)).toEqual(noData);
  await client.refundApply({ ...application, token, orderId: id });
  await client.refundApply({
    ...application,
    token,
    orderId: id,
    orderGoodsId: 2,
    type: 0,
    logisticsStatus: 0,
    amount: 20,
  });
  const lines = (said: Said) => said.data.map(({ baseInfo }: Said["data"]) => baseInfo.orderGoodsId);
  expect(lines(await client.refundApplyDetail(token, id))).toEqual([2, 1]);
  expect(lines(await client.refundApplyDetail(token, id, 1))).toEqual([1]);
  expect(lines(await client.orderRefunds(token, id))).toEqual([2, 1]);
  expect(await client.refundApplyDetail(token, id, 3)).toEqual(noData);
  for (const look of [
    (who: string) => client.refundApplyDetail(who, id),
    (who: string) => client.orderRefunds(who, id),
  ]) {
    expect(await look(stranger)).toEqual(noData);
    expect(await look("")).toEqual(login);
  }
  expect(await client.orderRefunds(token, "")).toEqual(no("orderId不能为空"));
});

it("refundApplyCancel withdraws only what the merchant has not looked at", async () => {
  const shop = await serveShop();
  const id = await shipped(shop);
  expect(await client.refundApplyCancel(token, id, 1)).toEqual(noData);
  const apply = async (orderGoodsId: number) =>
    (await client.refundApply({ ...application, token, orderId: id, orderGoodsId })).data.id as number;
  const first = await apply(1);
  expect(await client.refundApplyCancel(stranger, id, 1)).toEqual(noData);
  expect(await client.refundApplyCancel("", id, 1)).toEqual(login);
  expect(await client.refundApplyCancel(token, id, 1)).toEqual(done);
  expect(await client.refundApplyCancel(token, id, 1)).toEqual(no("状态不可操作[您已撤销]"));
  const second = await apply(1);
  expect(second).not.toBe(first);
  await apply(2);
  expect(await client.refundApplyCancel(token, id)).toEqual(no("请选择需要售后的商品"));
  expect(await client.refundApplyCancel(token, id, 2)).toEqual(done);
  const third = await shipped(shop);
  for (const orderGoodsId of [1, 2])
    await client.refundApply({ ...application, token, orderId: third, orderGoodsId });
  await client.refundApplyCancel(token, third, 2);
  // The only one that is open is meant, whichever came last.
  expect(await client.refundApplyCancel(token, third)).toEqual(done);
  await apply(2);
  await shop.command({ type: "ApproveRefund", orderId: String(id), caseId: String(second) });
  expect(await client.refundApplyCancel(token, id, 1)).toEqual(no("状态不可操作[处理中]"));
  expect(await client.refundApplyCancel(token, id, 2)).toEqual(done);
});

it("refundApplySetBackLogistics takes the waybill of what the merchant lets come back", async () => {
  const shop = await serveShop();
  const id = await shipped(shop);
  const applyId = (await client.refundApply({ ...application, token, orderId: id })).data.id as number;
  const send = (over: object = {}) =>
    client.refundApplySetBackLogistics({
      token,
      orderId: id,
      applyId,
      shipperName: "EMS",
      trackingNumber: "E1",
      ...over,
    });
  expect(await send()).toEqual(no("状态不可操作[已申请待商家处理]"));
  const content = async (line: number) => {
    const [one] = (await client.refundApplyDetail(token, id, line)).data;
    return (
      one.baseInfo.logisticsContent === undefined ? undefined : JSON.parse(one.baseInfo.logisticsContent)
    ) as unknown;
  };
  expect(await content(1)).toBeUndefined();
  await shop.command({ type: "ApproveRefund", orderId: String(id), caseId: String(applyId) });
  expect(await send({ shipperName: "" })).toEqual(no("快递名称格式1~60个字符之间"));
  expect(await send({ trackingNumber: "1".repeat(61) })).toEqual(no("快递单号格式1~60个字符之间"));
  expect(await send({ applyId: 1 })).toEqual(noData);
  expect(await send({ token: stranger })).toEqual(noData);
  expect(await send({ token: "" })).toEqual(login);
  expect(await send()).toEqual(done);
  expect(await send()).toEqual(no("状态不可操作[处理中]"));
  // What was not sent in time counts as withdrawn, here as where it is shown.
  const late = await client.refundApply({ ...application, token, orderId: id, orderGoodsId: 2 });
  const lateCase = { orderId: String(id), caseId: String(late.data.id) };
  const returnAddress = { name: "仓库", phone: "0571-1", address: "滨江路 2 号" };
  await shop.command({ type: "ApproveRefund", ...lateCase, personal: { returnAddress } });
  // Where the merchant names no place, it is the shop's own.
  const own = { linkMan: "Shop", mobile: "021-5555", address: "Shanghai, Road 1" };
  expect(await content(1)).toEqual({ ...own, shipperName: "EMS", trackingNumber: "E1" });
  expect(await content(2)).toEqual({ linkMan: "仓库", mobile: "0571-1", address: "滨江路 2 号" });
  shop.at(t0 + 8 * day);
  for await (const run of shop.engine.runDue(t0 + 8 * day)) expect(run.orderId).toBe(String(id));
  expect(await send({ applyId: late.data.id })).toEqual(no("状态不可操作[您已撤销]"));
});
