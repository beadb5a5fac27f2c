// Every refusal of the domain in ShopXO's words: which come up in it and how, which cannot, and of several the first in its own order.

import { describe, expect, it } from "vitest";

import { type Said, inWords } from "../../../src/dialects/shopxo/messages.ts";
import { type RejectionCode, type Rejection, rejectionCodes } from "../../../src/domain/refusals.ts";
import type { Order } from "../../../src/domain/state.ts";
import { buyer, day, merchant, minute, t0 } from "../../domain/orders.ts";
import { live, tidyEngines } from "../../engines.ts";
import { type Shop, merchantToken, openShop, refusedWith } from "./shop.ts";

tidyEngines();

const noData = "没有相关数据";
const failed = "操作失败";

/** Facts for codes whose words read them. */
const facts: Readonly<Record<string, object>> = {
  orderStatusNotEligible: { status: "pendingPayment" },
  amountTooHigh: { claimed: 3_000, paid: 5_800, currency: "CNY" },
  quantityTooHigh: { claimed: 2, bought: 3 },
  evidenceTooMany: { limit: 2 },
  reasonLength: { least: 2 },
  destinationRefused: { because: "paidOffline" },
};

/**
 * The message, its code where it is not -1, and how it comes up; `never` where it cannot: because its command is given by no operation
 * of this dialect, or because the dialect asks so that the domain has nothing to say.
 */
const cells: Readonly<Record<RejectionCode, readonly [msg: string, how: string, code?: number]>> = {
  invalidCommand: [failed, "an image's address of more than 1000 characters"],
  commandIdReused: [failed, "an Idempotency-Key sent again with another form"],
  versionConflict: [failed, "three decisions, each on an order that others have changed meanwhile"],
  orderNotFound: [noData, "never: looked up before"],
  notOwner: [noData, "never: looked up before, and said in the same words"],
  orderExists: [failed, "never: no order is made here"],
  orderNoUsed: [failed, "never: no order is made here"],
  wrongActor: ["无权限", "never: operations are for one role"],
  timeRunsBackwards: [failed, "never: the engine's clock is used"],
  orderStatusNotEligible: ["状态不可操作[待付款]", "create on an order that is not paid, or is over"],
  buyerMismatch: [failed, "never: no order is made here"],
  buyerMissing: [failed, "never: no order is made here"],
  merchantMismatch: [failed, "never: no order is made here"],
  termsOverride: [failed, "never: no order is made here"],
  lineIdTwice: [failed, "never: no order is made here"],
  amountTooLarge: [failed, "never: no order is made here"],
  discountTooHigh: [failed, "never: no order is made here"],
  outOfStock: [failed, "never: nothing is sold or replaced here"],
  redeemKeyMissing: [failed, "never: no order is made here"],
  amountMismatch: [failed, "never: nothing is paid or settled here"],
  currencyMismatch: [failed, "never: nothing is paid here"],
  paymentIdUsed: [failed, "never: nothing is paid here"],
  notDue: [failed, "never: no deadline is fired here"],
  waybillMissing: [failed, "never: no order is shipped here"],
  lineNotInOrder: [noData, "create with another order's detail"],
  codeMissing: [failed, "never: no order is shipped here"],
  noRedemptionCode: [failed, "never: nothing is redeemed here"],
  redemptionCodeWrong: ["核销码不正确", "never: nothing is redeemed here"],
  staffNotListed: ["暂无核销权限", "never: nothing is redeemed here"],
  alreadyRedeemed: ["该订单已核销", "never: nothing is redeemed here", -10],
  alreadyReviewed: ["该订单已评论", "never: nothing is reviewed here", -10],
  reviewIncomplete: [failed, "never: nothing is reviewed here"],
  stepOutOfOrder: [failed, "never: no step of procurement is taken here"],
  surplusTooHigh: [failed, "never: no tax is recorded here"],
  caseNotFound: ["数据不存在或已删除", "never: looked up before, and said in the same words"],
  caseIdUsed: [failed, "never: the ids of cases are made of 53 random bits"],
  caseStatusNotEligible: ["状态不可操作[待退货]", "any operation on a case that stands elsewhere"],
  originNotEligible: ["状态不可操作[待退货]", "cancel of what the merchant cancelled, refuse of late money"],
  caseOpen: ["订单售后正在进行中，请勿重复申请", "create while a case of the line is open"],
  nothingPaid: [
    "退款金额大于订单支付金额[ 历史退款0.00, 订单金额58.00 ]",
    "create on an order that cost nothing",
  ],
  windowExpired: ["订单已过售后期，请联系客服处理", "create after the window"],
  typeNotAllowed: ["操作类型有误", "create of a return of what was not shipped"],
  amountTooLow: ["退款金额格式有误", "create of a refund of nothing"],
  amountTooHigh: ["退款金额大于订单支付金额[ 历史退款30.00, 订单金额58.00 ]", "create of more than is left"],
  quantityInvalid: ["退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]", "create of a return of no units"],
  quantityTooHigh: ["退货数量大于购买数量[ 历史退货数量2, 订单商品数量3 ]", "create of a return of too many"],
  reasonLength: ["拒绝原因格式1~230个字符", "never: the form has the same limit"],
  noteTooLong: ["退款说明最多200个字符", "never: the form's limit is narrower"],
  evidenceTooMany: ["凭证最多上传2张图片", "create with more images than the terms allow"],
  statusNotPossible: [failed, "never: nothing is imported here"],
  dispositionsMismatch: [failed, "never: an audit takes all units back to stock"],
  consentMissing: [failed, "never: no exchange is converted here"],
  destinationMissing: [failed, "never: an audit names one"],
  destinationRefused: ["线下支付方式不能原路退回[ 现金支付 ]", "audit the way the payment did not come"],
  refundInFlight: ["状态不可操作[待退货]", "any operation while the money is on its way"],
  refundUnknown: [failed, "never: no outcome is recorded here"],
  refundNotInFlight: [failed, "never: no outcome is recorded here"],
};

const order = {
  currency: "CNY",
  paid: 5_800,
  refunded: 0,
  fulfilment: "express",
  status: "paid",
  lines: [{ lineId: "L1", quantity: 3 }],
  tallies: [],
  cases: [],
  stock: "deducted",
} as unknown as Order;
const one = { status: "awaitingReturn", type: "returnRefund" } as Order["cases"][number];

describe("every refusal has its words", () => {
  it.each(rejectionCodes)("%s", (code) => {
    const rejection = { code, ...facts[code] } as unknown as Rejection;
    const [msg, , number = -1] = cells[code];
    expect(inWords(rejection, { order, one, lineId: "L1", paidBy: "现金支付" })).toEqual({
      msg,
      code: number,
    } satisfies Said);
  });

  it("and a reason too long is the buyer's where none need be given, else the merchant's", () => {
    const rejection = { code: "reasonLength", least: 0, limit: 180 } as unknown as Rejection;
    expect(inWords(rejection, { order })).toEqual({ msg: "退款原因最多180个字符", code: -1 });
  });

  it("and no words are for what is none", () => {
    expect(Object.keys(cells).toSorted()).toEqual([...rejectionCodes].toSorted());
  });
});

const sound = {
  order_id: "o-1",
  order_detail_id: "L1",
  type: "0",
  price: "10.00",
  reason: "",
};

const create = (shop: Shop, over: Readonly<Record<string, string>> = {}, key?: string) =>
  shop.ask("orderaftersale/create", { ...sound, ...over }, undefined, key);

const four = JSON.stringify(["1", "2", "3", "4"]);
const tooMany = refusedWith("凭证最多上传3张图片");

/** A shop whose order has gone so many steps of its life, and stands a minute later. */
async function after(steps: number, ...options: readonly object[]): Promise<Shop> {
  const shop = await openShop(t0 + steps * minute, ...options);
  await live(shop.engine, "o-1", steps);
  return shop;
}

describe("create refuses", () => {
  it.each([
    [1, "状态不可操作[待付款]"],
    [2, "申请成功"],
    [3, "申请成功"],
    [4, "申请成功"],
    [5, "申请成功"],
    [6, noData],
  ])("an order after %i steps of its life: %s", async (steps, msg) => {
    const shop = await after(steps);
    expect((await create(shop)).msg).toBe(msg);
  });

  it.each([
    [{ booking: true }, [], "状态不可操作[待确认]"],
    [{}, [{ type: "CancelOrder", orderId: "o-1" }], "状态不可操作[已取消]"],
  ])("an order with terms %j after %j: %s", async (terms, commands, msg) => {
    const shop = await after(1, { terms: { main: terms } });
    for (const command of commands) await shop.give([command, buyer]);
    expect((await create(shop)).msg).toBe(msg);
  });

  it.each([
    [{ order_id: "o-2" }, noData],
    [{ order_id: "'" }, noData],
    [{ order_detail_id: "L9" }, noData],
    [{ order_detail_id: "漢" }, noData],
    [{ type: "1", number: "1" }, "操作类型有误"],
    [{ price: "0.00" }, "退款金额格式有误"],
    [{ price: "30.01" }, "退款金额大于订单支付金额[ 历史退款0.00, 订单金额58.00 ]"],
    [{ images: four }, "凭证最多上传3张图片"],
    [{ images: JSON.stringify(["x".repeat(1_001)]) }, failed],
    [{ images: four, price: "30.01" }, "退款金额大于订单支付金额[ 历史退款0.00, 订单金额58.00 ]"],
  ])("before shipping, %j: %s", async (over, msg) => {
    const shop = await after(2);
    expect(await create(shop, over as Record<string, string>)).toEqual(refusedWith(msg));
    expect(await shop.engine.history("o-1")).toHaveLength(3);
  });

  it.each([
    ["0", "退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]"],
    ["-1", "退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]"],
    ["1.5", "退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]"],
    ["", "退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]"],
    ["4", "退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]"],
    ["9999999999", "退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]"],
  ])("a return of %j units", async (number, msg) => {
    const shop = await after(4);
    expect(await create(shop, { type: "1", number })).toEqual(refusedWith(msg));
  });

  it("in ShopXO's order where several rules are broken", async () => {
    const shop = await after(4);
    const worst = { type: "1", number: "4", price: "99.00", images: four };
    const msgs: string[] = [];
    const next = async (over: object): Promise<void> => {
      msgs.push((await create(shop, { ...worst, ...over })).msg);
    };
    const { data } = await create(shop);
    shop.clock.now = t0 + 40 * day;
    await next({});
    shop.clock.now = t0 + day;
    await next({});
    await shop.ask("admin/orderaftersale/audit", { id: String(data), refundment: "2" }, merchantToken);
    await next({});
    await next({ price: "20.00" });
    await next({ price: "20.00", number: "3" });
    await next({ price: "20.00", number: "3", images: "[]" });
    expect(msgs).toEqual([
      "订单已过售后期，请联系客服处理",
      "订单售后正在进行中，请勿重复申请",
      "退款金额大于订单支付金额[ 历史退款10.00, 订单金额58.00 ]",
      "退货数量大于购买数量[ 历史退货数量0, 订单商品数量3 ]",
      "凭证最多上传3张图片",
      "申请成功",
    ]);
  });

  it("what the terms do not allow", async () => {
    const shop = await after(4, { terms: { main: { evidenceMax: 2, afterSaleDays: 1 } } });
    expect(await create(shop, { images: JSON.stringify(["1", "2", "3"]) })).toEqual(
      refusedWith("凭证最多上传2张图片"),
    );
    expect(await create(shop, { images: four })).toEqual(tooMany);
    shop.clock.now += day + minute;
    expect((await create(shop)).msg).toBe("订单已过售后期，请联系客服处理");
  });

  it("money of an order that cost nothing, but not the goods", async () => {
    const shop = await openShop(t0);
    const lines = [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 0, quantity: 1 }];
    await shop.give(
      [{ type: "CreateOrder", orderId: "o-1", currency: "CNY", fulfilment: "express", lines }, buyer],
      [{ type: "Ship", orderId: "o-1", shipments: [{ carrier: "SF", trackingNumber: "1" }] }, merchant],
    );
    expect((await create(shop)).msg).toBe("退款金额大于订单支付金额[ 历史退款0.00, 订单金额0.00 ]");
    const { msg, data } = await create(shop, { type: "1", number: "1", price: "0" });
    expect(msg).toBe("申请成功");
    const id = String(data);
    await shop.ask("admin/orderaftersale/confirm", { id }, merchantToken);
    await shop.ask("orderaftersale/delivery", { id, express_name: "SF", express_number: "2" });
    const audit = async (refundment: string) =>
      (await shop.ask("admin/orderaftersale/audit", { id, refundment }, merchantToken)).msg;
    expect(await audit("1")).toBe("支付日志不存在，请使用手动处理方式");
    expect(await audit("2")).toBe("退款成功");
  });

  it("amounts that the order's currency has not", async () => {
    const shop = await openShop(t0);
    const lines = [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 500, quantity: 1 }];
    await shop.give(
      [{ type: "CreateOrder", orderId: "o-1", currency: "JPY", fulfilment: "express", lines }, buyer],
      [{ type: "Pay", orderId: "o-1", payId: "p", amount: 500, channel: "online" }, buyer],
    );
    expect((await create(shop, { price: "500.00" })).msg).toBe("退款金额格式有误");
    expect((await create(shop, { price: "501" })).msg).toBe(
      "退款金额大于订单支付金额[ 历史退款0, 订单金额500 ]",
    );
    expect((await create(shop, { price: "500" })).msg).toBe("申请成功");
  });
});

describe("the merchant's audit is refused", () => {
  async function paidBy(pay: object, over: object = {}): Promise<readonly [Shop, string]> {
    const shop = await openShop(t0 + 2 * minute, {}, over);
    await live(shop.engine, "o-1", 1);
    await shop.give([
      { type: "Pay", orderId: "o-1", payId: "p-1", amount: 5_800, ...pay },
      { role: "system", id: "till" },
    ]);
    return [shop, String((await create(shop)).data)];
  }

  const audit = (shop: Shop, id: string, refundment: string) =>
    shop.ask("admin/orderaftersale/audit", { id, refundment }, merchantToken);

  it("for a way back that there is not", async () => {
    const offline = await paidBy({ channel: "offline", method: "现金支付" });
    expect(await audit(...offline, "0")).toEqual(refusedWith("线下支付方式不能原路退回[ 现金支付 ]"));
    const wechat = { channel: "online", method: "微信" };
    const pending = async () => ({ status: "pending" as const });
    const untraced = await paidBy(wechat, { payments: { name: "bank", refund: pending, status: pending } });
    expect(await audit(...untraced, "0")).toEqual(refusedWith("平台单号为空，请确认支付日志是否存在"));
    const noProvider = await paidBy({ ...wechat, tradeNo: "T" });
    expect(await audit(...noProvider, "0")).toEqual(refusedWith("支付插件没退款功能[微信]"));
    // The plugin is asked before the number of the trade.
    const neither = await paidBy(wechat);
    expect(await audit(...neither, "0")).toEqual(refusedWith("支付插件没退款功能[微信]"));
    // Only of what was paid offline can be said that it goes back by hand.
    const byHand = { refundment: "0", is_under_line_use_manual: "1" };
    const [traced, id_] = noProvider;
    expect(await traced.ask("admin/orderaftersale/audit", { id: id_, ...byHand }, merchantToken)).toEqual(
      refusedWith("支付插件没退款功能[微信]"),
    );
    for (const [shop, id] of [offline, untraced, noProvider, neither]) {
      expect((await audit(shop, id, "2")).msg).toBe("退款成功");
      // The status comes before the way back.
      expect(await audit(shop, id, "0")).toEqual(refusedWith("状态不可操作[已完成]"));
    }
  });

  it("for a wallet that the shop does not keep", async () => {
    const noWallet = { wallet: undefined };
    const online = await paidBy({ channel: "online", method: "微信", tradeNo: "T" }, noWallet);
    expect(await audit(...online, "1")).toEqual(refusedWith("请先安装钱包插件[ Wallet ]"));
    // What was paid from a wallet goes back there, whichever of the two is asked for.
    const fromWallet = await paidBy({ channel: "wallet" }, noWallet);
    for (const refundment of ["0", "1"]) {
      expect(await audit(...fromWallet, refundment)).toEqual(refusedWith("请先安装钱包插件[ Wallet ]"));
    }
    expect((await audit(...fromWallet, "2")).msg).toBe("退款成功");
    const kept = await paidBy({ channel: "online", method: "微信", tradeNo: "T" });
    expect((await audit(...kept, "1")).msg).toBe("操作成功");
  });
});

/** What each operation says to a case of each status; undefined: it is done. */
const ended = { 3: "状态不可操作[已完成]", 4: "状态不可操作[已拒绝]", 5: "状态不可操作[已取消]" } as const;
const operations: Readonly<
  Record<
    string,
    readonly [form: Readonly<Record<string, string>>, Readonly<Record<string, string | undefined>>]
  >
> = {
  "orderaftersale/delivery": [
    { express_name: "SF", express_number: "1" },
    {
      "0/2": "该售后订单为仅退款，不能操作退货操作",
      "0/3": "该售后订单为仅退款，不能操作退货操作",
      "0/4": "该售后订单为仅退款，不能操作退货操作",
      "0/5": "该售后订单为仅退款，不能操作退货操作",
      "1/0": "该售后订单状态不可操作[待确认]",
      "1/1": undefined,
      "1/2": "该售后订单状态不可操作[待审核]",
      "1/3": "该售后订单状态不可操作[已完成]",
      "1/4": "该售后订单状态不可操作[已拒绝]",
      "1/5": "该售后订单状态不可操作[已取消]",
    },
  ],
  "orderaftersale/cancel": [{}, { ...same({ 3: ended[3], 5: ended[5] }) }],
  "admin/orderaftersale/confirm": [
    {},
    { ...same({ 1: "状态不可操作[待退货]", 2: "状态不可操作[待审核]", ...ended }) },
  ],
  "admin/orderaftersale/audit": [
    { refundment: "2" },
    { ...same({ 0: "状态不可操作[待确认]", 1: "状态不可操作[待退货]", ...ended }) },
  ],
  "admin/orderaftersale/refuse": [
    { refuse_reason: "不行" },
    { ...same({ 1: "状态不可操作[待退货]", ...ended }) },
  ],
  "admin/orderaftersale/delete": [
    {},
    {
      ...same({
        0: "状态不可操作[待确认]",
        1: "状态不可操作[待退货]",
        2: "状态不可操作[待审核]",
        3: ended[3],
      }),
    },
  ],
};

/** The same for both types. */
function same(msgs: Readonly<Record<number, string>>): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    [0, 1].flatMap((type) => [0, 1, 2, 3, 4, 5].map((at) => [`${type}/${at}`, msgs[at]])),
  );
}

/** Brings a case of a type to a status. */
async function standing(type: string, status: string): Promise<readonly [Shop, string]> {
  const shop = await after(4);
  const { data } = await create(shop, { type, number: "1" });
  const id = String(data);
  const admin = (what: string, form: Readonly<Record<string, string>> = {}) =>
    shop.ask(`admin/orderaftersale/${what}`, { id, ...form }, merchantToken);
  if (type === "1" && ["1", "2", "3"].includes(status)) await admin("confirm");
  if (type === "1" && ["2", "3"].includes(status)) {
    await shop.ask("orderaftersale/delivery", { id, express_name: "SF", express_number: "1" });
  }
  if (status === "3") await admin("audit", { refundment: "2" });
  if (status === "4") await admin("refuse", { refuse_reason: "不行" });
  if (status === "5") await shop.ask("orderaftersale/cancel", { id });
  return [shop, id];
}

const reached = ["0/2", "0/3", "0/4", "0/5", "1/0", "1/1", "1/2", "1/3", "1/4", "1/5"];

describe.each(Object.entries(operations))("%s", (path, [form, msgs]) => {
  it.each(reached)("of a case of type and status %s", async (cell) => {
    const [type = "", status = ""] = cell.split("/");
    const [shop, id] = await standing(type, status);
    const as = path.startsWith("admin/") ? merchantToken : undefined;
    const answer = await shop.ask(path, { id, ...form }, as);
    const msg = msgs[cell];
    if (msg === undefined) expect(answer.code).toBe(0);
    else expect(answer).toEqual(refusedWith(msg, msg.startsWith("该售后订单状态") ? -10 : -1));
  });
});

describe("a key", () => {
  it("answers the same again, whatever has become of it", async () => {
    const shop = await after(4);
    const applied = await create(shop, { type: "1", number: "1" }, "k-1");
    const again = () => create(shop, { type: "1", number: "1" }, "k-1");
    expect(await again()).toEqual(applied);
    const id = String(applied.data);
    const steps: readonly (readonly [string, Readonly<Record<string, string>>, string?])[] = [
      ["admin/orderaftersale/confirm", { id }, merchantToken],
      ["orderaftersale/delivery", { id, express_name: "SF", express_number: "1" }],
      ["admin/orderaftersale/audit", { id, refundment: "2" }, merchantToken],
    ];
    for (const [path, form, as] of steps) {
      const first = await shop.ask(path, form, as, "k-2");
      expect(first.code, path).toBe(0);
      expect(await shop.ask(path, form, as, "k-2"), path).toEqual(first);
    }
    const events = (await shop.engine.history("o-1")).length;
    for (const [path, form, as] of steps) {
      expect((await shop.ask(path, form, as, "k-2")).code, path).toBe(0);
      expect((await shop.ask(path, form, as, "k-3")).code, path).not.toBe(0);
    }
    expect(await again()).toEqual(applied);
    expect(await create(shop, { type: "1", number: "2" }, "k-1")).toEqual(refusedWith(failed));
    await shop.give([{ type: "HideOrder", orderId: "o-1" }, buyer]);
    expect(await again()).toEqual(applied);
    expect(await create(shop, { type: "1", number: "1" })).toEqual(refusedWith(noData));
    expect(await shop.engine.history("o-1")).toHaveLength(events + 1);
  });

  it("is the same command again though the shop has moved meanwhile", async () => {
    const [shop, id] = await standing("1", "0");
    const confirm = () => shop.ask("admin/orderaftersale/confirm", { id }, merchantToken, "k");
    const first = await confirm();
    expect(first.code).toBe(0);
    const addresses = shop.ports.addresses as { returnTo: () => Promise<undefined> };
    addresses.returnTo = async () => undefined;
    expect(await confirm()).toEqual(first);
  });

  it("of what was refused and deleted answers the same again", async () => {
    const [shop, id] = await standing("1", "0");
    for (const [what, form] of [
      ["refuse", { refuse_reason: "不行" }],
      ["delete", {}],
    ] as const) {
      const ask = () => shop.ask(`admin/orderaftersale/${what}`, { id, ...form }, merchantToken, "k");
      const first = await ask();
      expect(first.code).toBe(0);
      expect(await ask()).toEqual(first);
    }
    expect((await shop.ask("admin/orderaftersale/delete", { id }, merchantToken, "k")).msg).toBe("删除成功");
    expect((await shop.ask("admin/orderaftersale/delete", { id }, merchantToken)).msg).toBe(
      "数据不存在或已删除",
    );
  });
});

it("an order that others keep changing fails after three decisions", async () => {
  const [shop, id] = await standing("0", "2");
  const order_ = await shop.engine.views.told("o-1");
  const engine = shop.engine as { views: { told: unknown } };
  const { told: read } = engine.views;
  let reads = 0;
  engine.views.told = async () => {
    reads += 1;
    return order_ === undefined ? undefined : { ...order_, revision: order_.revision - 1n };
  };
  expect(await shop.ask("orderaftersale/cancel", { id })).toEqual(refusedWith(failed));
  expect(reads).toBe(3);
  engine.views.told = read;
  expect((await shop.ask("orderaftersale/cancel", { id })).msg).toBe("取消成功");
});

it("a case that changes between the look and the command is looked at again", async () => {
  const [shop, id] = await standing("1", "0");
  const engine = shop.engine as { views: { told: (orderId: string) => Promise<unknown> } };
  const { told: read } = engine.views;
  engine.views.told = async (orderId) => {
    engine.views.told = read;
    const before = await read(orderId);
    await shop.give([{ type: "CancelRefund", orderId: "o-1", caseId: id }, buyer]);
    return before;
  };
  expect(await shop.ask("admin/orderaftersale/confirm", { id }, merchantToken)).toEqual(
    refusedWith("状态不可操作[已取消]"),
  );
});

describe("at the same moment", () => {
  it("one of two applications for a line is taken, and of two lines no more than was paid (scenario 14)", async () => {
    const shop = await after(4);
    const twice = await Promise.all([create(shop), create(shop)]);
    expect(twice.map(({ msg }) => msg).toSorted()).toEqual(["申请成功", "订单售后正在进行中，请勿重复申请"]);
    const other = await openShop(t0 + 4 * minute);
    const lines = ["L1", "L2"].map((lineId) => ({
      lineId,
      goodsId: lineId,
      title: "Tea",
      unitPrice: 5_000,
      quantity: 1,
    }));
    const order_ = { type: "CreateOrder", orderId: "o-1", currency: "CNY", fulfilment: "express", lines };
    await other.give(
      [{ ...order_, discount: 2_000 }, buyer],
      [{ type: "Pay", orderId: "o-1", payId: "p-1", amount: 8_000, channel: "online" }, buyer],
    );
    const [first, second] = await Promise.all(
      ["L1", "L2"].map((order_detail_id) => create(other, { order_detail_id, price: "50.00" })),
    );
    expect(first?.msg).toBe("申请成功");
    expect(second).toEqual(refusedWith("退款金额大于订单支付金额[ 历史退款50.00, 订单金额80.00 ]"));
  });

  it("one of two audits pays, and one of a withdrawal and an audit is taken (scenario 15)", async () => {
    const [shop, id] = await standing("0", "2");
    const audit = () => shop.ask("admin/orderaftersale/audit", { id, refundment: "2" }, merchantToken);
    const msgs = (await Promise.all([audit(), audit()])).map(({ msg }) => msg);
    expect(msgs.toSorted()).toEqual(["状态不可操作[已完成]", "退款成功"]);
    expect(await shop.engine.state("o-1")).toMatchObject({ refunded: 1_000 });
    const [other, otherId] = await standing("0", "2");
    const answers = await Promise.all([
      other.ask("orderaftersale/cancel", { id: otherId }),
      other.ask("admin/orderaftersale/audit", { id: otherId, refundment: "2" }, merchantToken),
    ]);
    expect(answers.map(({ code }) => code).toSorted((a, b) => Number(a) - Number(b))).toEqual([-1, 0]);
  });
});
