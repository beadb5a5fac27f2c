// What of the apifm dialect the published client does not send: keys sent again, wrong methods, forms of every wrong kind, whole documents.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import { minorOf } from "../../../src/dialects/apifm/forms.ts";
import { amountOf, idOf } from "../../../src/dialects/numbers.ts";
import type { Caller, Goods } from "../../../src/dialects/ports.ts";
import { buyer, day, merchant, minute, t0 } from "../../domain/orders.ts";
import { accepted, by, live, newOrder, tidyEngines } from "../../engines.ts";
import { type ApifmShop, type Said, ask, home, o1, openShop, stranger, staffToken, token } from "./shop.ts";

tidyEngines();

const no = (msg: string): Said => ({ code: -1, msg, data: null });
const done = { code: 0, msg: "success", data: null };

async function shippedOrder(shop: ApifmShop, fields: object = {}): Promise<string> {
  const { data } = await ask(shop, "/order/create", { token, goodsJsonStr: o1, ...home, ...fields });
  const orderId = String(data.id);
  const amount = Math.round(data.amountReal * 100);
  await shop.command({ type: "Pay", orderId, payId: `p-${orderId}`, amount, channel: "online" }, buyer);
  const shipments = [{ carrier: "EMS", trackingNumber: "1" }];
  await shop.command({ type: "Ship", orderId, shipments });
  return orderId;
}

const application = {
  token,
  type: 1,
  logisticsStatus: 1,
  reason: "质量问题",
  amount: 10,
  orderGoodsId: 1,
} as const;

it("staff who may not write off are told so of every code, so that they cannot find one", async () => {
  const authenticate = async (given: string): Promise<Caller | undefined> =>
    given === "unlisted" ? { role: "staff", id: "staff-9" } : { role: "buyer", id: "buyer-1" };
  const shop = await openShop({ ports: { authentication: { authenticate } } });
  const create = { token, goodsJsonStr: o1, isCanHx: true };
  const { data } = await ask(shop, "/order/create", create);
  const code = (await shop.engine.redemptionCode(String(data.id))) as string;
  for (const hxNumber of [code, "AAAABBBBCCCC"]) {
    for (const path of ["/order/hx", "/order/detail"]) {
      expect(await ask(shop, path, { token: "unlisted", hxNumber })).toEqual(no("暂无核销权限"));
    }
  }
});

describe("the same key", () => {
  const key = { "idempotency-key": "k-1" };
  const events = async (shop: ApifmShop, orderId: string) => (await shop.engine.history(orderId)).length;

  it("makes one order, and answers the same although prices have changed and the order has gone on", async () => {
    let unitPrice = 1_000;
    const find = async (): Promise<Goods> => ({ title: "Tea", unitPrice, currency: "CNY" });
    const shop = await openShop({ ports: { catalog: { find } } });
    const create = (over: object = {}) =>
      ask(shop, "/order/create", { token, goodsJsonStr: o1, ...over }, key);
    const first = await create({ isCanHx: true });
    expect(first.data.amountReal).toBe(48);
    expect(await create({ isCanHx: true })).toEqual(first);
    unitPrice = 2_000;
    shop.at(t0 + minute);
    await ask(shop, "/order/close", { token, orderId: first.data.id });
    expect(await create({ isCanHx: true })).toEqual(first);
    expect(await create({ goodsJsonStr: '[{"goodsId":"A","number":1}]' })).toEqual(no("请勿重复提交"));
    expect(await create({ peisongType: "zq" })).toEqual(no("请勿重复提交"));
    const other = (over: object) =>
      JSON.stringify([
        { goodsId: "A", number: 3 },
        { goodsId: "B", number: 1, ...over },
      ]);
    for (const over of [{ number: 2 }, { goodsId: "C" }, { propertyChildIds: "2:9" }]) {
      expect(await create({ goodsJsonStr: other(over) })).toEqual(no("请勿重复提交"));
    }
    expect(await create({ goodsJsonStr: other({}), isCanHx: true })).toEqual(first);
    for (const over of [
      { isCanHx: false },
      { address: "2 Other Street" },
      { linkMan: "Wang" },
      { remark: "soon" },
      { trips: "5" },
      { shopIdZt: "7" },
      { provinceId: "110000" },
      { extJsonStr: '{"a":1}' },
    ]) {
      expect(await create({ isCanHx: true, ...over })).toEqual(no("请勿重复提交"));
    }
    const another = await create({ token: stranger });
    expect([another.code, another.data.id === first.data.id]).toEqual([0, false]);
    expect((await shop.engine.views.orders()).orders).toHaveLength(2);
  });

  it("answers the same to whoever sends the same, with all that an order can say", async () => {
    const shop = await openShop();
    const whole = {
      isCanHx: true,
      address: "1 Garden Street",
      linkMan: "Li",
      mobile: "13800000000",
      remark: "after six",
      trips: "5",
      shopIdZt: "7",
      shopNameZt: "South",
      provinceId: "110000",
      cityId: "110100",
      idcard: "11010519491231002X",
      extJsonStr: '{"b":2,"a":1}',
    };
    const create = (over: object = {}) =>
      ask(shop, "/order/create", { token, goodsJsonStr: o1, ...whole, ...over }, key);
    const first = await create();
    expect(first.code).toBe(0);
    expect(await create()).toEqual(first);
    for (const name of Object.keys(whole)) {
      expect([name, await create({ [name]: "" })]).toEqual([name, no("请勿重复提交")]);
    }
    expect((await shop.engine.views.orders()).orders).toHaveLength(1);
  });

  it("answers the same although the goods have left the catalog, come in other currencies, or are not brought there", async () => {
    let find = async ({ goodsId }: { goodsId: string }): Promise<Goods | undefined> => ({
      title: goodsId,
      unitPrice: 1_000,
      currency: "CNY",
    });
    let freight: number | undefined = 800;
    const shop = await openShop({
      ports: { catalog: { find: (of) => find(of) }, freight: { costOf: async () => freight } },
    });
    const create = (over: object = {}) =>
      ask(shop, "/order/create", { token, goodsJsonStr: o1, trips: "1.5", ...over }, key);
    const first = await create();
    expect(first.code).toBe(0);
    freight = undefined;
    expect(await create()).toEqual(first);
    find = async ({ goodsId }) => ({
      title: goodsId,
      unitPrice: 1,
      currency: goodsId === "A" ? "JPY" : "EUR",
    });
    expect(await create()).toEqual(first);
    find = async () => ({ title: "茶", unitPrice: 1, currency: "JPY" });
    expect(await create()).toEqual(first);
    find = async () => undefined;
    expect(await create()).toEqual(first);
    expect(await create({ remark: "soon" })).toEqual(no("商品不存在或已下架"));
    expect(await create({ calculate: true })).toEqual(no("商品不存在或已下架"));
    expect((await shop.engine.views.orders()).orders).toHaveLength(1);
  });

  it("applies once, also where the number is all that are left", async () => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop);
    const apply = (headers = key) =>
      ask(shop, "/order/refundApply/apply", { ...application, orderId }, headers);
    const first = await apply();
    expect(first.code).toBe(0);
    expect(await apply()).toEqual(first);
    expect(await apply({ "idempotency-key": "k-2" })).toMatchObject({ code: 20000 });
    await ask(shop, "/order/refundApply/cancel", { token, orderId });
    await ask(shop, "/order/delivery", { token, orderId });
    expect(await ask(shop, "/order/delete", { token, orderId })).toEqual(done);
    expect(await apply()).toEqual(first);
  });

  it.each([
    ["/order/delivery", {}],
    ["/order/refundApply/cancel", { orderGoodsId: 1 }],
  ])("is done once at %s", async (path, over) => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop);
    if (path.endsWith("cancel")) await ask(shop, "/order/refundApply/apply", { ...application, orderId });
    const before = await events(shop, orderId);
    for (let time = 1; time <= 3; time += 1) {
      expect(await ask(shop, path, { token, orderId, ...over }, key)).toEqual(done);
    }
    expect(await events(shop, orderId)).toBe(before + 1);
    expect((await ask(shop, path, { token, orderId, ...over })).code).toBe(-1);
  });

  it("closes, reviews, sends back and hides once, and answers so although the order was hidden since", async () => {
    const shop = await openShop();
    const again = async (path: string, fields: object): Promise<void> => {
      for (let time = 1; time <= 2; time += 1)
        expect(await ask(shop, path, { token, ...fields }, key)).toEqual(done);
    };
    const { data } = await ask(shop, "/order/create", { token, goodsJsonStr: o1 });
    await again("/order/close", { orderId: data.id });
    expect(await events(shop, String(data.id))).toBe(2);
    const orderId = await shippedOrder(shop);
    await again("/order/delivery", { orderId });
    const reputations = [1, 2].map((id) => ({ id, reputation: 2 }));
    const review = { postJsonString: JSON.stringify({ orderId, reputations }) };
    await again("/order/reputation", review);
    const { data: made } = await ask(shop, "/order/refundApply/apply", { ...application, orderId });
    const applied = { orderId, caseId: String(made.id) };
    await shop.command({ type: "ApproveRefund", ...applied });
    const back = { orderId, applyId: made.id, shipperName: "EMS", trackingNumber: "E1" };
    await again("/order/refundApply/setBackLogistics", back);
    await shop.command({ type: "RejectRefund", ...applied, reason: "空包裹" });
    const before = await events(shop, orderId);
    await again("/order/delete", { orderId });
    expect(await events(shop, orderId)).toBe(before + 1);
    await again("/order/delivery", { orderId });
    await again("/order/reputation", review);
    await again("/order/refundApply/setBackLogistics", back);
    expect(await events(shop, orderId)).toBe(before + 1);
  });

  it("writes off once", async () => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop, { isCanHx: "true" });
    const hxNumber = (await shop.engine.redemptionCode(orderId)) as string;
    for (let time = 1; time <= 2; time += 1) {
      expect(await ask(shop, "/order/hx", { token: staffToken, hxNumber }, key)).toEqual(done);
    }
    expect((await ask(shop, "/order/hx", { token: staffToken, hxNumber })).code).toBe(-1);
  });
});

describe("an order that its buyer has hidden", () => {
  const noData = { code: 700, msg: "暂无数据", data: null };

  it.each([
    ["/order/close", {}],
    ["/order/delivery", {}],
    ["/order/detail", {}],
    ["/order/pay", {}],
    [
      "/order/reputation",
      { postJsonString: '{"orderId":"ID","reputations":[{"id":1,"reputation":2},{"id":2,"reputation":2}]}' },
    ],
    ["/order/refundApply/apply", application],
    ["/order/refundApply/info", {}],
    ["/order/refundApply/cancel", {}],
    ["/order/refundApply/setBackLogistics", { applyId: 1, shipperName: "EMS", trackingNumber: "1" }],
    ["/order/refund", {}],
  ])("is none at %s", async (path, over) => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop);
    await ask(shop, "/order/delivery", { token, orderId });
    expect(await ask(shop, "/order/delete", { token, orderId })).toEqual(done);
    const head = await shop.engine.head();
    const fields = JSON.parse(
      JSON.stringify({ token, id: orderId, orderId, ...over }).replaceAll("ID", orderId),
    ) as object;
    expect(await ask(shop, path, { ...fields })).toEqual(noData);
    expect(await shop.engine.head()).toBe(head);
    expect(await ask(shop, "/order/delete", { token, orderId })).toEqual(done);
  });
});

it("an exchange is for no money, and says so", async () => {
  const shop = await openShop();
  const orderId = await shippedOrder(shop);
  const exchange = (amount: number) =>
    ask(shop, "/order/refundApply/apply", { ...application, orderId, type: 2, amount });
  for (const amount of [5, 500]) expect(await exchange(amount)).toEqual(no("换货的退款金额须为0"));
  expect((await exchange(0)).code).toBe(0);
});

describe("what no id can be", () => {
  it.each([" 1", "1\0", "é", "x".repeat(129)])("is none where %j names it", async (id) => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop);
    await ask(shop, "/order/delivery", { token, orderId });
    const back = { applyId: id, shipperName: "EMS", trackingNumber: "1" };
    const reputations = [id, "2"].map((one) => ({ id: one, reputation: 1 }));
    for (const [path, fields] of [
      ["/order/refundApply/apply", { ...application, orderGoodsId: id }],
      ["/order/refundApply/info", { orderGoodsId: id }],
      ["/order/refundApply/cancel", { orderGoodsId: id }],
      ["/order/refundApply/setBackLogistics", back],
      ["/order/reputation", { postJsonString: JSON.stringify({ orderId, reputations }) }],
      ["/order/close", { orderId: id }],
    ] as const)
      expect([path, (await ask(shop, path, { token, orderId, ...fields })).code]).toEqual([path, 700]);
  });
});

it("a fault that the engine finds is told of the request's own field", async () => {
  const shop = await openShop();
  const bad = "a\0b";
  const create = (over: object) => ask(shop, "/order/create", { token, goodsJsonStr: o1, ...over });
  for (const name of ["linkMan", "mobile", "address", "remark"])
    expect(await create({ [name]: bad })).toEqual(no(`参数错误[${name}]`));
  expect(await create({ shopNameZt: bad })).toEqual(no("参数错误"));
  expect(await create({ goodsJsonStr: '[{"goodsId":"A","number":1,"logisticsType":"\\u0000"}]' })).toEqual(
    no("参数错误[goodsJsonStr]"),
  );
  const orderId = await shippedOrder(shop);
  const apply = (over: object) => ask(shop, "/order/refundApply/apply", { ...application, orderId, ...over });
  for (const name of ["reason", "remark", "pic"])
    expect(await apply({ [name]: bad })).toEqual(no(`参数错误[${name}]`));
  const { data } = await apply({});
  await shop.command({ type: "ApproveRefund", orderId, caseId: String(data.id) });
  const back = { token, orderId, applyId: data.id, shipperName: "EMS", trackingNumber: "1" };
  for (const name of ["shipperName", "trackingNumber"])
    expect(await ask(shop, "/order/refundApply/setBackLogistics", { ...back, [name]: bad })).toEqual(
      no(`参数错误[${name}]`),
    );
});

describe("paying by wallet", () => {
  it("an order whose money went back is refused, but answered the same again under the key that paid it", async () => {
    const shop = await openShop();
    const actor = { role: "admin", id: "root" } as const;
    await shop.engine.wallet.topUp({
      buyerId: "buyer-1",
      topUpId: "t",
      amount: 5_800,
      currency: "CNY",
      actor,
    });
    const { data } = await ask(shop, "/order/create", { token, goodsJsonStr: o1 });
    const orderId = String(data.id);
    const pay = (headers = {}) => ask(shop, "/order/pay", { token, orderId }, headers);
    const key = { "idempotency-key": "k-1" };
    expect(await pay(key)).toEqual(done);
    expect(await pay()).toEqual(done);
    await shop.command({ type: "CancelOrder", orderId, caseId: "77", destination: "manual" });
    expect(await pay()).toEqual(no("状态不可操作[已关闭]"));
    expect(await pay({ "idempotency-key": "k-2" })).toEqual(no("状态不可操作[已关闭]"));
    expect(await pay(key)).toEqual(done);
    expect(await ask(shop, "/order/delete", { token, orderId })).toEqual(done);
    expect((await pay()).code).toBe(700);
    expect(await pay(key)).toEqual(done);
    expect(await shop.engine.wallet.balance("buyer-1", "CNY")).toBe(0);
  });
});

describe("withdrawing beside the merchant's approval", () => {
  it("is decided anew, and refused, where the approval came in between", async () => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop);
    const { data } = await ask(shop, "/order/refundApply/apply", { ...application, orderId });
    const caseId = String(data.id);
    const { told } = shop.engine.views;
    let looks = 0;
    const approving: typeof told = async (...of) => {
      const found = await told(...of);
      looks += 1;
      if (looks === 1) await shop.command({ type: "ApproveRefund", orderId, caseId });
      return found;
    };
    Object.assign(shop.engine.views, { told: approving });
    const said = await ask(shop, "/order/refundApply/cancel", { token, orderId, orderGoodsId: 1 });
    expect(said).toEqual(no("状态不可操作[处理中]"));
    expect(looks).toBe(2);
  });

  it("is decided once where anything else refuses it", async () => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop);
    await ask(shop, "/order/refundApply/apply", { ...application, orderId });
    let given = 0;
    shop.engine.execute = async () => {
      given += 1;
      return E.left({ code: "commandIdReused", commandId: "c-1", revision: "0" });
    };
    expect(await ask(shop, "/order/refundApply/cancel", { token, orderId })).toEqual(no("请勿重复提交"));
    expect(given).toBe(1);
  });

  it("gives up where the order moves on each time", async () => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop);
    await ask(shop, "/order/refundApply/apply", { ...application, orderId });
    const { told } = shop.engine.views;
    let looks = 0;
    const moving: typeof told = async (...of) => {
      const found = await told(...of);
      looks += 1;
      const shipments = [{ carrier: "EMS", trackingNumber: `moved-${looks}` }];
      await shop.command({ type: "CorrectShipment", orderId, shipments });
      return found;
    };
    Object.assign(shop.engine.views, { told: moving });
    expect(await ask(shop, "/order/refundApply/cancel", { token, orderId })).toEqual(no("操作失败"));
    expect(looks).toBe(3);
  });
});

describe("a request", () => {
  it.each([
    ["GET", "/order/close", "请求方式有误"],
    ["GET", "/order/hx", "请求方式有误"],
    ["PUT", "/order/list", "请求方式有误"],
    ["POST", "/order/none", "接口不存在"],
    ["POST", "/orders/list", "接口不存在"],
  ])("of %s to %s is told", async (method, path, msg) => {
    const { handler } = await openShop();
    const response = await handler(new Request(`http://shop.example/apifm/tea${path}`, { method }));
    expect(await response.json()).toEqual(no(msg));
  });

  it("without a sub-domain is none", async () => {
    const { handler } = await openShop();
    expect((await handler(new Request("http://shop.example/apifm/order/list"))).status).toBe(404);
  });

  it.each(["/order/list", "/order/statistics", "/order/detail", "/order/refund", "/order/refundApply/info"])(
    "of GET reads %s",
    async (path) => {
      const shop = await openShop();
      const orderId = await shippedOrder(shop);
      await ask(shop, "/order/refundApply/apply", { ...application, orderId });
      const query = new URLSearchParams({ token, id: orderId, orderId }).toString();
      const response = await shop.handler(new Request(`http://shop.example/apifm/tea${path}?${query}`));
      expect(await response.json()).toMatchObject({ code: 0 });
    },
  );

  it("too large or unreadable is told in the dialect's form", async () => {
    const shop = await openShop();
    expect(await ask(shop, "/order/close", { token, orderId: "x".repeat(1024 * 1024) })).toEqual(
      no("请求内容过大"),
    );
    const headers = { "idempotency-key": "k".repeat(256) };
    expect(await ask(shop, "/order/close", { token, orderId: 1 }, headers)).toEqual(no("参数错误"));
  });

  it("of a review is known by the token within it, where none stands beside it", async () => {
    const shop = await openShop();
    const postJsonString = JSON.stringify({ token, orderId: 1, reputations: [{ id: 1, reputation: 1 }] });
    for (const beside of [{}, { token: "" }]) {
      expect((await ask(shop, "/order/reputation", { postJsonString, ...beside })).code).toBe(700);
    }
    expect((await ask(shop, "/order/reputation", { postJsonString, token: "no" })).code).toBe(2000);
  });

  it("of JSON may hold numbers, and no lists", async () => {
    const shop = await openShop();
    const orderId = await shippedOrder(shop);
    const send = async (body: object): Promise<unknown> => {
      const request = new Request("http://shop.example/apifm/tea/order/delivery", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return (await shop.handler(request)).json();
    };
    expect(await send({ token, orderId: [orderId] })).toEqual(no("参数错误"));
    expect(await send({ token, orderId: { id: orderId } })).toEqual(no("参数错误"));
    expect(await send({ token, orderId: null })).toEqual(no("orderId不能为空"));
    expect(await send({ token: [token], orderId })).toMatchObject({ code: 2000 });
    expect(await send({ token, orderId: Number(orderId) })).toEqual(done);
  });

  const nasty = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom(
      "__proto__",
      "[]",
      "{}",
      "null",
      "[null]",
      '[{"goodsId":{},"number":[]}]',
      '{"reputations":1}',
    ),
    fc.constantFrom("-1", "0", "1", "1e9", "9".repeat(30), "NaN", "\0", "<script>", o1, "101", "L1"),
    fc.json({ maxDepth: 3 }),
  );
  const fieldNames = [
    "goodsJsonStr",
    "calculate",
    "extJsonStr",
    "isCanHx",
    "peisongType",
    "remark",
    "trips",
    "status",
    "statusBatch",
    "page",
    "pageSize",
    "hasRefund",
    "goodReputation",
    "orderNumber",
    "id",
    "hxNumber",
    "orderId",
    "orderGoodsId",
    "postJsonString",
    "type",
    "logisticsStatus",
    "reason",
    "amount",
    "number",
    "pic",
    "applyId",
    "shipperName",
    "trackingNumber",
    "address",
    "__proto__",
    "constructor",
  ];
  const paths = [
    "/order/create",
    "/order/list",
    "/order/detail",
    "/order/close",
    "/order/delete",
    "/order/pay",
    "/order/delivery",
    "/order/hx",
    "/order/statistics",
    "/order/reputation",
    "/order/refundApply/apply",
    "/order/refundApply/info",
    "/order/refundApply/cancel",
    "/order/refundApply/setBackLogistics",
    "/order/refund",
  ];

  it("of whatever fields is answered with a code, and is never a defect", async () => {
    const shop = await openShop();
    await live(shop.engine, "101", 4);
    const tokens = [token, stranger, staffToken, "token-of-main", ""];
    const anything = fc.record({
      path: fc.constantFrom(...paths),
      who: fc.constantFrom(...tokens),
      fields: fc.dictionary(fc.constantFrom(...fieldNames), nasty, { maxKeys: 8 }),
      json: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(anything, async ({ path, who, fields, json }) => {
        const given = { ...fields, token: who };
        const body = json ? JSON.stringify(given) : new URLSearchParams(given).toString();
        const type = json ? "application/json" : "application/x-www-form-urlencoded";
        const response = await shop.handler(
          new Request(`http://shop.example/apifm/x${path}`, {
            method: "POST",
            headers: { "content-type": type },
            body,
          }),
        );
        expect(response.status).toBe(200);
        const said = (await response.json()) as Said;
        expect(Object.keys(said)).toEqual(["code", "msg", "data"]);
        expect([0, -1, 700, 2000, 20000]).toContain(said.code);
      }),
      { numRuns: Number(process.env["AFTERSALE_RUNS"] ?? 300) },
    );
    expect(shop.ports.lines).toEqual([]);
  });
});

describe("orderCreate's form", () => {
  const goods = (over: object) => JSON.stringify([{ goodsId: "A", number: 1, ...over }]);

  it.each([
    [{ goodsJsonStr: "{" }, "goodsJsonStr格式有误"],
    [{ goodsJsonStr: "[]" }, "goodsJsonStr不能为空"],
    [{ goodsJsonStr: "[1]" }, "goodsJsonStr格式有误"],
    [{ goodsJsonStr: goods({ goodsId: "" }) }, "goodsId不能为空"],
    [{ goodsJsonStr: goods({ number: 0 }) }, "购买数量有误"],
    [{ goodsJsonStr: goods({ number: 1.5 }) }, "购买数量有误"],
    [{ goodsJsonStr: goods({ number: "-1" }) }, "购买数量有误"],
    [{ goodsJsonStr: goods({ goodsAdditionList: [{ pid: 1, id: 2 }] }) }, "暂不支持商品附加选项"],
    [{ goodsJsonStr: goods({ propertyChildIds: "blue" }) }, "商品不存在或已下架"],
    [{ peisongType: "drone" }, "peisongType参数有误"],
    [{ calculate: "maybe" }, "calculate参数有误"],
    [{ isCanHx: "2" }, "isCanHx参数有误"],
    [{ extJsonStr: "[1]" }, "extJsonStr格式有误"],
    [{ trips: "-1" }, "小费金额有误"],
    [{ trips: "1.005" }, "小费金额有误"],
    [{ trips: "1.005", calculate: "true" }, "小费金额有误"],
    [{ deductionScore: 5 }, "暂不支持积分抵扣"],
    [{ cardId: 5 }, "暂不支持次卡"],
    [{ kjid: 5 }, "暂不支持砍价"],
    [{ pingtuanOpenId: 5 }, "暂不支持拼团"],
    [{ orderPeriod: '{"unit":1}' }, "暂不支持周期订单"],
    [{ payOnDelivery: 1 }, "暂不支持货到付款"],
    [{ autoDeliver: "true" }, "暂不支持自动发货"],
    [{ autoDeliver: 1 }, "暂不支持自动发货"],
    [{ filterShopId: 7 }, "暂不支持按店铺下单"],
    [{ expireMinutes: "x" }, "expireMinutes参数有误"],
    [{ remark: "长".repeat(1_001) }, "参数错误[remark]"],
    // The first in the form's order.
    [{ payOnDelivery: 1, couponId: 1, goodsJsonStr: "" }, "goodsJsonStr不能为空"],
    [{ payOnDelivery: 1, couponId: 1 }, "暂不支持优惠券"],
  ])("refuses %j", async (over, msg) => {
    const shop = await openShop();
    expect(await ask(shop, "/order/create", { token, goodsJsonStr: o1, ...over })).toEqual(no(msg));
    expect(await shop.engine.head()).toBeUndefined();
  });

  it.each(["true", "TRUE", "1", "yes", "on"])("only calculates where it is told %s", async (calculate) => {
    const shop = await openShop();
    const said = await ask(shop, "/order/create", { token, goodsJsonStr: o1, calculate });
    expect(said).toMatchObject({ code: 0, data: { amountReal: 58 } });
    expect(said.data).not.toHaveProperty("id");
    expect(await shop.engine.head()).toBeUndefined();
  });

  it.each(["false", "False", "0", "no", "off", ""])("orders where it is told %j", async (calculate) => {
    const shop = await openShop();
    const said = await ask(shop, "/order/create", { token, goodsJsonStr: o1, calculate });
    expect(said.data).toHaveProperty("id");
  });

  it("takes a tip to the currency's last digit, and none beyond", async () => {
    const find = async (): Promise<Goods> => ({ title: "茶", unitPrice: 500, currency: "JPY" });
    const shop = await openShop({ ports: { catalog: { find } } });
    const tip = async (trips: string): Promise<unknown> => {
      const { code, data } = await ask(shop, "/order/create", {
        token,
        goodsJsonStr: o1,
        peisongType: "zq",
        trips,
      });
      return code === 0 ? [data.trips, data.amountReal] : code;
    };
    expect(await tip("150")).toEqual([150, 2_150]);
    expect(await tip("1.5")).toBe(-1);
    const yuan = await openShop();
    const said = await ask(yuan, "/order/create", { token, goodsJsonStr: o1, trips: "0.30000000000000004" });
    expect(said.data.trips).toBe(0.3);
  });

  it("shows the write-off code where the order is paid, and that is at once only where it costs nothing", async () => {
    const codes = async (unitPrice: number): Promise<readonly unknown[]> => {
      const find = async (): Promise<Goods> => ({ title: "Sample", unitPrice, currency: "CNY" });
      const shop = await openShop({ ports: { catalog: { find } } });
      const { data } = await ask(shop, "/order/create", {
        token,
        goodsJsonStr: o1,
        peisongType: "zq",
        isCanHx: "true",
      });
      return [data.hxNumber, await shop.engine.redemptionCode(String(data.id))];
    };
    const [free, made] = await codes(0);
    expect([free, typeof free]).toEqual([made, "string"]);
    expect((await codes(1))[0]).toBeUndefined();
  });

  it("takes what stands for nothing: no card, no points to deduct, nothing to pay on delivery", async () => {
    const shop = await openShop();
    const nothing = {
      couponId: "",
      cardId: "0",
      deductionScore: "0",
      payOnDelivery: "0",
      kjid: "",
      trips: "",
      autoDeliver: "false",
      filterShopId: "0",
    };
    expect((await ask(shop, "/order/create", { token, goodsJsonStr: o1, ...nothing })).code).toBe(0);
  });

  it("refuses goods of two currencies in one order", async () => {
    const find = async ({ goodsId }: { goodsId: string }): Promise<Goods> => ({
      title: goodsId,
      unitPrice: 1,
      currency: goodsId === "A" ? "CNY" : "EUR",
    });
    const shop = await openShop({ ports: { catalog: { find } } });
    expect(await ask(shop, "/order/create", { token, goodsJsonStr: o1 })).toEqual(
      no("不同币种的商品请分开下单"),
    );
  });

  it("asks freight for all that is sent, and where it goes", async () => {
    const asked: unknown[] = [];
    const costOf = async (parcel: unknown): Promise<number> => asked.push(parcel);
    const shop = await openShop({ ports: { freight: { costOf } } });
    const said = await ask(shop, "/order/create", {
      token,
      goodsJsonStr: '[{"goodsId":"A","number":3}]',
      peisongType: "keloop",
      provinceId: "330000",
      cityId: "330100",
    });
    expect(asked).toEqual([
      {
        fulfilment: "local",
        currency: "CNY",
        goods: 3_000,
        units: 3,
        weight: 300,
        to: { provinceId: "330000", cityId: "330100" },
      },
    ]);
    expect(said.data).toMatchObject({ amountLogistics: 0.01, peisongType: "keloop", isNeedLogistics: true });
    const { data } = await ask(shop, "/order/detail", { token, id: said.data.id });
    expect(data.logistics).toMatchObject({ provinceId: "330000", cityId: "330100" });
  });

  it("asks freight by weight only where all that is sent has one", async () => {
    const asked: unknown[] = [];
    const costOf = async (parcel: unknown): Promise<number> => asked.push(parcel);
    const shop = await openShop({ ports: { freight: { costOf } } });
    await ask(shop, "/order/create", { token, goodsJsonStr: o1 });
    expect(asked).toEqual([{ fulfilment: "express", currency: "CNY", goods: 5_000, units: 4, to: {} }]);
  });

  it("makes an order that costs nothing paid at once", async () => {
    const find = async (): Promise<Goods> => ({ title: "Sample", unitPrice: 0, currency: "CNY" });
    const shop = await openShop({ ports: { catalog: { find } } });
    const said = await ask(shop, "/order/create", { token, goodsJsonStr: o1, peisongType: "zq" });
    expect(said.data).toMatchObject({ status: 1, isPay: true, amountReal: 0 });
    const refund = { ...application, orderId: said.data.id, type: 0, amount: 1 };
    expect(await ask(shop, "/order/refundApply/apply", refund)).toEqual(no("订单没有可退金额"));
  });
});

it("an order in full, as captured replies of apifm have it", async () => {
  const shop = await openShop();
  const { engine } = shop;
  const steps: readonly (readonly [object, typeof buyer, number])[] = [
    [
      {
        ...newOrder("130928", {
          lines: [
            {
              lineId: "145377",
              goodsId: "74844",
              title: "12321",
              unitPrice: 1_000,
              quantity: 2,
              source: { picture: "https://cdn.example/a.png", property: "21321:2132" } as never,
            },
          ],
          charges: [],
          personal: { name: "123", phone: "13512123213", address: "213213" },
        }),
        orderNo: "OD1808010555128559",
      },
      buyer,
      t0,
    ],
    [{ type: "Pay", orderId: "130928", payId: "p", amount: 2_000, channel: "online" }, buyer, t0 + minute],
    [
      {
        type: "Ship",
        orderId: "130928",
        shipments: [{ carrier: "中通速递", trackingNumber: "540738747554" }],
      },
      merchant,
      t0 + 2 * minute,
    ],
    [{ type: "ConfirmReceipt", orderId: "130928" }, buyer, t0 + day],
    [
      {
        type: "Review",
        orderId: "130928",
        items: [{ lineId: "145377", rating: "bad", text: "qwer" }],
      },
      buyer,
      t0 + 2 * day,
    ],
  ];
  for (const [command, actor, at] of steps) accepted(await engine.execute(command, by(actor, { at })));
  const times = {
    created: "2026-01-05 16:00:00",
    paid: "2026-01-05 16:01:00",
    shipped: "2026-01-05 16:02:00",
    received: "2026-01-06 16:00:00",
    reviewed: "2026-01-07 16:00:00",
  };
  const log = (id: number, dateAdd: string, type: number, typeStr: string): object => ({
    dateAdd,
    id,
    orderId: 130928,
    type,
    typeStr,
  });
  expect(await ask(shop, "/order/detail", { token, id: "130928" })).toEqual({
    code: 0,
    msg: "success",
    data: {
      orderInfo: {
        amount: 20,
        amountCoupons: 0,
        amountLogistics: 0,
        amountReal: 20,
        amountRefundTotal: 0,
        amountTax: 0,
        dateAdd: times.created,
        dateClose: "2026-01-05 16:30:00",
        datePay: times.paid,
        dateUpdate: times.reviewed,
        goodsNumber: 2,
        hasRefund: false,
        id: 130928,
        isCanHx: false,
        isDelUser: false,
        isNeedLogistics: true,
        isPay: true,
        orderNumber: "OD1808010555128559",
        peisongType: "kd",
        refundStatus: 0,
        remark: "",
        score: 0,
        shopId: 0,
        shopIdZt: "",
        shopNameZt: "",
        status: 4,
        statusStr: "已评价",
        trips: 0,
        type: 0,
        uid: "buyer-1",
        userId: "main",
      },
      goods: [
        {
          afterSale: "0,1,2",
          amount: 20,
          amountSingle: 10,
          dateAdd: times.created,
          dateReputation: times.reviewed,
          goodReputation: 0,
          goodReputationRemark: "qwer",
          goodReputationStr: "差评",
          goodsId: 74844,
          goodsName: "12321",
          id: 145377,
          number: 2,
          orderId: 130928,
          pic: "https://cdn.example/a.png",
          property: "21321:2132",
          propertyChildIds: "",
          refundStatus: 0,
          score: 0,
          status: 4,
          uid: "buyer-1",
          userId: "main",
        },
      ],
      logs: [
        log(1, times.created, 0, "下单"),
        log(2, times.paid, 1, "支付"),
        log(4, times.shipped, 2, "发货"),
        log(5, times.received, 3, "确认收货"),
        log(6, times.reviewed, 4, "评价"),
      ],
      logistics: {
        address: "213213",
        dateUpdate: times.shipped,
        id: 130928,
        linkMan: "123",
        mobile: "13512123213",
        shipperName: "中通速递",
        trackingNumber: "540738747554",
        status: 4,
        type: 0,
      },
      // Not in the captured reply, but read by apifm's own mall.
      logisticsTraces: [
        { AcceptTime: times.shipped, AcceptStation: "卖家已发货" },
        { AcceptTime: times.received, AcceptStation: "已确认收货" },
      ],
      stores: [
        {
          dateAdd: times.paid,
          goodsId: 74844,
          number: -2,
          orderGoodsId: 145377,
          orderId: 130928,
          type: 0,
          typeStr: "扣减库存",
        },
      ],
      extJson: {},
    },
  });
});

it("shows each kind of charge, and the discount, in a field of its own", async () => {
  const shop = await openShop();
  const charges = [
    { kind: "freight", amount: 800 },
    { kind: "tariff", amount: 120 },
    { kind: "other", amount: 7 },
    { kind: "tariff", amount: 3 },
  ] as const;
  await shop.command(newOrder("1", { charges, discount: 30 }), buyer);
  const { data } = await ask(shop, "/order/detail", { token, id: 1 });
  expect(data.orderInfo).toMatchObject({
    amount: 50,
    amountLogistics: 8,
    amountTax: 1.23,
    trips: 0.07,
    amountCoupons: 0.3,
    amountReal: 59,
  });
});

it("a paid order that the merchant cancels is closed once its money is back, and every attempt at that is shown", async () => {
  const shop = await openShop();
  const { data: made } = await ask(shop, "/order/create", { token, goodsJsonStr: o1 });
  const orderId = String(made.id);
  const pay = { type: "Pay", orderId, payId: "p-1", amount: 5_800, channel: "online", tradeNo: "t-1" };
  await shop.command(pay, buyer);
  await shop.command({ type: "CancelOrder", orderId, caseId: "77", reason: "缺货", destination: "original" });
  const info = async () => (await ask(shop, "/order/detail", { token, id: orderId })).data.orderInfo;
  expect(await info()).toMatchObject({ status: 1, refundStatus: 1 });
  const [{ baseInfo }] = (await ask(shop, "/order/refundApply/info", { token, orderId })).data;
  expect(baseInfo).toMatchObject({
    id: 77,
    type: 0,
    status: 3,
    status2: 0,
    reason: "缺货",
    amount: 58,
    number: 1,
  });
  expect(baseInfo).not.toHaveProperty("orderGoodsId");
  expect(await ask(shop, "/order/refundApply/cancel", { token, orderId })).toEqual(
    no("状态不可操作[处理中]"),
  );
  const bank = { role: "provider", id: "bank" } as const;
  const attempts = async () =>
    (await ask(shop, "/order/refund", { token, orderId })).data[0].refunds.map(
      ({ refundNo, moneyRefund, status, statusStr }: Said["data"]) => [
        refundNo,
        moneyRefund,
        status,
        statusStr,
      ],
    );
  expect(await attempts()).toEqual([["77:1", 58, 2, "银行处理中"]]);
  const failure = { failure: "TIMEOUT", retryable: true };
  await shop.command({ type: "FailRefund", orderId, caseId: "77", refundId: "77:1", ...failure }, bank);
  await shop.command({ type: "IssueRefund", orderId, caseId: "77" });
  await shop.command({ type: "SettleRefund", orderId, caseId: "77", refundId: "77:2", amount: 5_800 }, bank);
  expect(await attempts()).toEqual([
    ["77:1", 58, 4, "失败"],
    ["77:2", 58, 3, "成功"],
  ]);
  expect(await info()).toMatchObject({ status: -1, refundStatus: 2, amountRefundTotal: 58 });
  expect((await ask(shop, "/order/list", { token, status: -1, hasRefund: "true" })).data.totalRow).toBe(1);
});

describe("amounts and ids", () => {
  it.each([
    ["10", 2, 1_000],
    ["10.5", 2, 1_050],
    ["0.30000000000000004", 2, 30],
    ["59.699999999999996", 2, 5_970],
    ["999999999999.99", 2, 99_999_999_999_999],
    ["10.005", 2, undefined],
    ["500", 0, 500],
    ["500.5", 0, undefined],
    ["1.234", 3, 1_234],
    ["1e3", 2, undefined],
    ["-1", 2, undefined],
    ["", 2, undefined],
    [".5", 2, undefined],
    ["1.", 2, undefined],
  ])("%s with %d digits is %s", (text, exponent, minor) => {
    expect(minorOf(text, exponent)).toBe(minor);
  });

  it("whatever a line costs, the client's product of it is taken for what it is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        (price, number) => {
          expect(minorOf(String(amountOf(price, "CNY") * number), 2)).toBe(price * number);
        },
      ),
    );
  });

  it.each([
    ["0", 0],
    ["9007199254740991", 9_007_199_254_740_991],
    ["9007199254740993", "9007199254740993"],
    ["01", "01"],
    ["o-1", "o-1"],
  ])("the id %s stays itself", (id, shown) => {
    expect(idOf(id)).toBe(shown);
  });
});
