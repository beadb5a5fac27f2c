// Every operation of the wiki over its handler: what it answers literally, every code it lists, and which of several it says first.

import { describe, expect, it, onTestFinished } from "vitest";

import { type Answer, form, get, handle, mine, order, pageOf, post, shop, source, theirs } from "./shop.ts";
import { buyer, day, merchant, minute, second, stranger, t0 } from "../../domain/orders.ts";
import type { Order } from "../../../src/domain/state.ts";
import { accepted, by, tidyEngines } from "../../engines.ts";

tidyEngines();

const ok = { status: 1, msg: "请求成功" };
const failed = { status: -1, msg: "请求失败" };
const notLoggedIn = { status: -2, msg: "未登录" };
const wrongMethod = { status: -3, msg: "非法请求!" };
const badSignature = { status: -4, msg: "验证出错!" };
const noOrder = { status: 17, msg: "订单不存在!" };
const notCancellable = { status: 18, msg: "当前的订单状态不支持取消" };
const notShipped = { status: 19, msg: "不能执行该操作,订单未发货!" };
const tooSoon = { status: 41, msg: "请勿重复提交!" };
const noCause = { status: 50, msg: "赔付理由不能为空" };
const longCause = { status: 51, msg: "赔付说明不能超过200字" };
const noProofs = { status: 52, msg: "赔付凭证照片不能为空" };
const notEligible = { status: 53, msg: "当前订单不能申请赔付!" };
const notChangeable = { status: 54, msg: "不能修改赔付申请!" };

const gets = [
  "refund/refundList",
  "refund/getRefund",
  "order/orderList",
  "order/payDate",
  "order/orderInfo",
] as const;
const posts = [
  "refund/submitRefund",
  "refund/refundList",
  "refund/cancelRefund",
  "order/confirmReceive",
] as const;

describe("whoever asks", () => {
  it.each(gets)("GET %s only logged in", async (path) => {
    const at = await shop();
    for (const token of ["", "nobody's", "token-of-main", "token-of-staff-1", "token-of-root"]) {
      expect(await get(at, path, {}, token)).toEqual(notLoggedIn);
    }
    expect((await get(at, path)).status).not.toBe(-2);
  });

  it.each(posts)("POST %s only logged in, which is said before anything of the form", async (path) => {
    const at = await shop({ signatures: { verify: async () => false } });
    for (const token of ["", "nobody's", "token-of-main"]) {
      expect(await post(at, path, {}, token)).toEqual(notLoggedIn);
    }
    expect(await post(at, path)).toEqual(badSignature);
  });

  it("a page says so as a page, and so what else is amiss with a request for it", async () => {
    const at = await shop();
    expect(await pageOf(at, 1)).toContain("<p>未登录</p>");
    const url = "http://shop.example/shop/appIntf/order/orderDetail.jsp";
    const put = await at.handler(new Request(url, { method: "PUT" }));
    expect(await put.text()).toContain("<p>非法请求!</p>");
    const unreadable = await at.handler(new Request(`${url}?orderId=%ff`));
    expect(await unreadable.text()).toContain("<p>请求失败</p>");
    expect(unreadable.headers.get("content-type")).toBe("text/html; charset=utf-8");
  });

  it("is asked for no token but the cookie, quoted or not", async () => {
    const at = await shop();
    const ask = async (headers: Record<string, string>, query = "") => {
      const url = `http://shop.example/shop/appIntf/order/orderList.jsp${query}`;
      return ((await (await at.handler(new Request(url, { headers }))).json()) as { status: number }).status;
    };
    expect(await ask({ cookie: `common_session_id="${mine}"` })).toBe(1);
    expect(await ask({ cookie: `a=1;common_session_id=${mine}` })).toBe(1);
    expect(await ask({ cookie: `xcommon_session_id=${mine}` })).toBe(-2);
    for (const [site, status] of [
      ["cross-site", -2],
      ["same-site", 1],
      ["same-origin", 1],
      ["none", 1],
    ] as const) {
      expect(await ask({ cookie: `common_session_id=${mine}`, "sec-fetch-site": site })).toBe(status);
    }
    expect(
      await ask({ "x-token": mine, authorization: `Bearer ${mine}` }, `?common_session_id=${mine}`),
    ).toBe(-2);
  });

  it.each(["refund/submitRefund", "refund/cancelRefund", "order/confirmReceive"])(
    "GET %s is no POST, logged in or not",
    async (path) => {
      const at = await shop();
      expect(await get(at, path)).toEqual(wrongMethod);
      expect(await get(at, path, {}, "")).toEqual(wrongMethod);
    },
  );

  it("other methods and other paths are nothing here", async () => {
    const at = await shop();
    const to = (method: string, path: string) =>
      at.handler(new Request(`http://shop.example/shop/appIntf/${path}`, { method }));
    expect(await (await to("PUT", "order/orderList.jsp")).json()).toEqual(wrongMethod);
    const nowhere = await to("GET", "order/nothing.jsp");
    expect([nowhere.status, await nowhere.json()]).toEqual([404, failed]);
  });

  it("a reading is asked for by either method but the list of applications, whose POST cancels", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    expect(await post(at, "order/orderInfo", { orderId: 7001 })).toEqual(
      await get(at, "order/orderInfo", { orderId: 7001 }),
    );
  });
});

describe("a signature", () => {
  const signed = [
    ["GET", "refund/refundList"],
    ["GET", "refund/getRefund"],
    ["POST", "refund/submitRefund"],
    ["POST", "refund/refundList"],
    ["POST", "refund/cancelRefund"],
    ["POST", "order/confirmReceive"],
  ] as const;

  it.each(signed)("is checked on %s %s, whatever else is wrong", async (method, path) => {
    const seen: unknown[] = [];
    const at = await shop({
      signatures: {
        verify: async ({ method: sent, path: to, fields }) => {
          seen.push([sent, to]);
          return fields["sign"] === "good";
        },
      },
    });
    const ask = method === "GET" ? get : post;
    expect(await ask(at, path)).toEqual(badSignature);
    expect(await ask(at, path, { sign: "good" })).not.toEqual(badSignature);
    expect(seen).toEqual(Array.from({ length: 2 }, () => [method, `/appIntf/${path}.jsp`]));
  });

  it.each(["order/orderList", "order/payDate", "order/orderInfo"])("is not asked for on %s", async (path) => {
    const at = await shop({ signatures: { verify: async () => false } });
    expect(await get(at, path)).not.toEqual(badSignature);
  });
});

describe("an application", () => {
  it("is taken, listed, told in full, and gone on with", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    at.clock.now = Date.UTC(2016, 0, 27, 3, 23, 15) + 11 * 365 * day;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(ok);
    const list = await get(at, "refund/refundList");
    const [{ refundId }] = list.data as [{ refundId: number }];
    expect(list).toEqual({
      ...ok,
      data: [
        {
          orderId: 7001,
          refundId,
          refundNo: refundId,
          status: "1",
          imgUrl: source.imgUrl,
          enName: source.enName,
          property: source.property,
        },
      ],
    });
    expect(Number.isSafeInteger(refundId)).toBe(true);
    const entry = {
      causeType: 1,
      causeTypeDesc: "商品损坏",
      proofs: "https://img.example/a.jpg,https://img.example/b.jpg",
    };
    const applied = {
      refundStatus: 1,
      aduitcustomer: "buyer-1",
      processingDate: "2027-01-24 11:23:15",
      processingReason: "鞋子坏了",
      ...entry,
    };
    const told = { refundId, orderId: 7001, refundNo: String(refundId) };
    for (const named of [
      { refundId },
      { orderId: 7001 },
      { refundId, orderId: 7001 },
      { refundId, orderId: 0 },
    ]) {
      expect(await get(at, "refund/getRefund", named)).toEqual({
        ...ok,
        data: { ...told, status: 1, refund: [applied] },
      });
    }
    at.clock.now += minute;
    await handle(at, "7001", "ApproveRefund", { amount: 10_000, personal: { note: "laalla" } });
    const approved = {
      ...applied,
      refundStatus: 2,
      aduitcustomer: "main",
      processingDate: "2027-01-24 11:24:15",
      processingReason: "laalla",
    };
    expect((await get(at, "refund/getRefund", { refundId })).data).toEqual({
      ...told,
      status: 2,
      refund: [applied, approved],
    });
    await handle(at, "7001", "IssueRefund", { destination: "manual" });
    const paid = (await get(at, "refund/getRefund", { refundId })).data as {
      status: number;
      refund: { refundStatus: number }[];
    };
    expect(paid.status).toBe(3);
    expect(paid.refund.map(({ refundStatus }) => refundStatus)).toEqual([1, 2, 2, 3]);
    // What the handler fixed is what was paid, of all that the order had.
    const after = (await at.engine.views.order("7001"))?.order;
    expect(after?.refunded).toBe(10_000);
    expect(after?.cases).toMatchObject([
      { type: "refundOnly", amountAsked: 26_600, causeType: 1, reason: "商品损坏" },
    ]);
  });

  it("says nothing of what a provider said, nor that the merchant hid it", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    await post(at, "refund/submitRefund", form(7001));
    await handle(at, "7001", "ApproveRefund", { destination: "wallet" });
    const caseId = (await at.engine.views.order("7001"))?.order.cases[0]?.caseId ?? "";
    const attempt = (await at.engine.views.order("7001"))?.order.cases[0]?.attempts[0]?.refundId;
    const fail = {
      type: "FailRefund",
      orderId: "7001",
      caseId,
      refundId: attempt,
      failure: "E42",
      message: "secret host down",
      retryable: false,
    };
    accepted(await at.engine.execute(fail, by({ role: "provider", id: "bank" })));
    await handle(at, "7001", "RejectRefund", { reason: "凭证不清" });
    await handle(at, "7001", "HideRefund");
    const answer = await get(at, "refund/getRefund", { orderId: 7001 });
    expect(JSON.stringify(answer)).not.toMatch(/secret|E42/);
    const { status, refund } = answer.data as { status: number; refund: Record<string, unknown>[] };
    expect([status, refund.map(({ refundStatus }) => refundStatus)]).toEqual([4, [1, 2, 2, 2, 4]]);
    expect(refund.at(-1)).toMatchObject({ aduitcustomer: "main", processingReason: "凭证不清" });
  });

  it("names its type as the shop does, or not at all", async () => {
    const at = await shop({ causeTypes: { 2: "发错货" } });
    for (const [orderId, causeType, name] of [
      ["7001", 2, "发错货"],
      ["7002", 1, ""],
    ] as const) {
      await order(at, orderId, ["pay"]);
      expect(await post(at, "refund/submitRefund", form(orderId, { causeType }))).toEqual(ok);
      const { data } = await get(at, "refund/getRefund", { orderId });
      expect((data as { refund: unknown[] }).refund[0]).toMatchObject({ causeType, causeTypeDesc: name });
    }
  });

  it.each([
    [17, noOrder, { orderId: 404 }],
    [17, noOrder, { orderId: 0 }],
    [17, noOrder, { orderId: "" }],
    [17, noOrder, { orderId: "../etc" }],
    [50, noCause, { causeType: 0 }],
    [50, noCause, { causeType: "" }],
    [50, noCause, { causeType: "x" }],
    [50, noCause, { causeType: -1 }],
    [50, noCause, { causeType: 2 ** 31 }],
    [50, noCause, { cause: "" }],
    [50, noCause, { cause: "  " }],
    [51, longCause, { cause: "字".repeat(201) }],
    [52, noProofs, { proofs: "" }],
    [52, noProofs, { proofs: " , ," }],
    [-1, failed, { proofs: Array.from({ length: 10 }, (_, at) => `https://img.example/${at}`).join(",") }],
    [-1, failed, { proofs: `https://img.example/${"x".repeat(1_000)}` }],
  ])("is refused with %i: %j of %j, and leaves nothing behind", async (_code, answer, over) => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    const head = await at.engine.head();
    expect(await post(at, "refund/submitRefund", form(7001, over))).toEqual(answer);
    expect(await at.engine.head()).toBe(head);
    // Only what was accepted starts the window.
    expect(await post(at, "refund/submitRefund", form(7001, { cause: "😀".repeat(200) }))).toEqual(ok);
  });

  it.each([
    ["not paid", []],
    ["cancelled", ["cancel"]],
    ["closed, its money back", ["pay", "cancelPaid"]],
  ] as const)("is refused with 53 for an order that is %s", async (what, steps) => {
    const at = await shop();
    await order(at, "7001", steps);
    if (what.startsWith("closed")) await handle(at, "7001", "IssueRefund", { destination: "manual" });
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notEligible);
  });

  it("is refused with 53 once its window is over, to the second", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "ship", "receive"]);
    await order(at, "7002", ["pay", "ship", "receive"]);
    at.clock.now += 30 * day;
    expect(await post(at, "refund/submitRefund", form(7002))).toEqual(ok);
    at.clock.now += second;
    expect(await post(at, "refund/submitRefund", form(7002))).toEqual(tooSoon);
    at.clock.now += 3 * second;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notEligible);
    expect(await post(at, "refund/submitRefund", form(7002))).toEqual(notEligible);
  });

  it("is refused with 53 for an order that cost nothing", async () => {
    const at = await shop();
    await order(at, "7001", [], { over: { charges: [], discount: 24_600 } });
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notEligible);
  });

  it("is refused with 53 for an order of several lines, which one application cannot speak of", async () => {
    const at = await shop();
    const line = { lineId: "1", goodsId: "A", title: "Shoe", unitPrice: 13_300, quantity: 1 };
    await order(at, "7001", ["pay"], { over: { lines: [line, { ...line, lineId: "2" }], charges: [] } });
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notEligible);
  });

  it("cannot be changed while it is open, nor once it took all there was", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "ship"]);
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(ok);
    at.clock.now += 3 * second;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notChangeable);
    await handle(at, "7001", "ApproveRefund", { destination: "manual" });
    at.clock.now += minute;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notChangeable);
  });

  it("may be made again after it was rejected or cancelled, but not once it was approved, whatever of it was paid", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    const again = async () => {
      at.clock.now += 3 * second;
      return post(at, "refund/submitRefund", form(7001));
    };
    expect(await again()).toEqual(ok);
    await handle(at, "7001", "RejectRefund", { reason: "凭证不清" });
    expect(await again()).toEqual(ok);
    expect(await post(at, "refund/cancelRefund", { orderId: 7001 })).toEqual(ok);
    expect(await again()).toEqual(ok);
    await handle(at, "7001", "ApproveRefund", { amount: 600, destination: "manual" });
    expect(await again()).toEqual(notChangeable);
    const cases = (await at.engine.views.order("7001"))?.order.cases;
    expect(cases?.map(({ amountAsked }) => amountAsked)).toEqual([26_600, 26_600, 26_600]);
    const list = await get(at, "refund/refundList");
    expect((list.data as { status: string }[]).map(({ status }) => status)).toEqual(["3", "5", "4"]);
  });

  it("is not taken beside an exchange that was made through another interface, open or over", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "ship", "receive"]);
    const exchange = { lineId: "1", caseType: "exchange", quantity: 1, amount: 0 };
    const of = { orderId: "7001", caseId: "9" };
    accepted(await at.engine.execute({ type: "ApplyRefund", ...of, ...exchange }, by(buyer)));
    const again = () => {
      at.clock.now += minute;
      return post(at, "refund/submitRefund", form(7001));
    };
    expect(await again()).toEqual(notChangeable);
    await handle(at, "7001", "ApproveRefund");
    const parcel = { carrier: "EMS", trackingNumber: "1" };
    accepted(await at.engine.execute({ type: "ShipReturn", ...of, ...parcel }, by(buyer)));
    await handle(at, "7001", "ReceiveReturn", { dispositions: [{ kind: "restock", quantity: 1 }] });
    await handle(at, "7001", "ShipReplacement", parcel);
    accepted(await at.engine.execute({ type: "ConfirmReplacement", ...of }, by(buyer)));
    expect((await get(at, "refund/getRefund", { orderId: 7001 })).data).toMatchObject({ status: 3 });
    expect(await again()).toEqual(notChangeable);
  });

  it("once approved is told apart from an order that takes none any more, which is said first", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "ship", "receive"]);
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(ok);
    await handle(at, "7001", "ApproveRefund", { amount: 600, destination: "manual" });
    at.clock.now += 30 * day;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notChangeable);
    at.clock.now += second;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notEligible);
  });
});

describe("the window of three seconds", () => {
  it("stands from what was accepted, before every check of the form", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    await order(at, "7002", ["pay"]);
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(ok);
    at.clock.now += 2_999;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(tooSoon);
    expect(await post(at, "refund/submitRefund", { orderId: 7001 })).toEqual(tooSoon);
    expect(await post(at, "refund/submitRefund", form(7001), theirs)).toEqual(noOrder);
    expect(await post(at, "refund/submitRefund", form(7002))).toEqual(ok);
    at.clock.now += 1;
    expect(await post(at, "refund/submitRefund", { orderId: 7001 })).toEqual(noCause);
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(notChangeable);
  });

  it("stands although what was accepted is cancelled already", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(ok);
    expect(await post(at, "refund/cancelRefund", { orderId: 7001 })).toEqual(ok);
    at.clock.now += 2_999;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(tooSoon);
    at.clock.now += 1;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(ok);
  });

  it("answers the same request the same again, whenever it comes", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    const key = { "idempotency-key": "k-1" };
    const submit = (over = {}, headers = key) =>
      post(at, "refund/submitRefund", form(7001, over), mine, headers);
    expect(await submit()).toEqual(ok);
    expect(await submit()).toEqual(ok);
    expect(await submit({}, { "idempotency-key": "k-2" })).toEqual(tooSoon);
    await handle(at, "7001", "ApproveRefund", { amount: 600, destination: "manual" });
    at.clock.now += day;
    expect(await submit()).toEqual(ok);
    expect(await submit({ cause: "other" })).toEqual(failed);
    expect((await at.engine.views.order("7001"))?.order.cases).toHaveLength(1);
  });

  it("is looked at again where the order has moved meanwhile", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    const { execute } = at.engine;
    // Between the look and the command another application is made, and cancelled.
    at.engine.execute = async (...given: Parameters<typeof execute>) => {
      at.engine.execute = execute;
      expect(await post(at, "refund/submitRefund", form(7001))).toEqual(ok);
      expect(await post(at, "refund/cancelRefund", { orderId: 7001 })).toEqual(ok);
      return execute.apply(at.engine, given);
    };
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(tooSoon);
  });

  it("is given up where the order moves each time it is looked at", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "ship"]);
    const { execute } = at.engine;
    let given = 0;
    at.engine.execute = async (...of: Parameters<typeof execute>) => {
      given += 1;
      if (given > 5) throw new Error("asked without end");
      const shipments = [{ carrier: "EMS", trackingNumber: `moved-${given}` }];
      const corrected = { type: "CorrectShipment", orderId: "7001", shipments };
      accepted(await execute.call(at.engine, corrected, by(merchant)));
      return execute.apply(at.engine, of);
    };
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(failed);
    expect(given).toBe(3);
  });

  it("lets one of many at once through", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post(at, "refund/submitRefund", form(7001))),
    );
    expect(answers.filter(({ status }) => status === 1)).toEqual([ok]);
    expect(answers.filter(({ status }) => status !== 1 && status !== 41)).toEqual([]);
  });
});

it("the codes of an application are said in the document's order", async () => {
  const faults = [
    ["signature", -4, { sign: "bad" }],
    ["soon", 41, {}],
    ["cause", 50, { causeType: 0 }],
    ["long", 51, { cause: "x".repeat(201) }],
    ["proofs", 52, { proofs: "" }],
    ["order", 17, { orderId: 404 }],
    ["status", 53, {}],
  ] as const;
  const signatures = {
    verify: async ({ fields }: { fields: Readonly<Record<string, unknown>> }) => fields["sign"] !== "bad",
  };
  // 41 needs an order with an application, 53 one that takes none, 17 none at all: of these only one is true at once.
  for (const state of ["soon", "order", "status"] as const) {
    const at = await shop({ signatures });
    await order(at, "7001", state === "status" ? [] : ["pay"]);
    if (state === "soon") await post(at, "refund/submitRefund", form(7001));
    const possible = faults.filter(([name]) => name === state || !["soon", "order", "status"].includes(name));
    for (let mask = 1; mask < 2 ** possible.length; mask += 1) {
      const chosen = possible.filter((_fault, bit) => (mask & (2 ** bit)) !== 0);
      if (!chosen.some(([name]) => name === state)) continue;
      const over = Object.assign({}, ...chosen.map(([, , fields]) => fields)) as Record<string, string>;
      const { status } = await post(at, "refund/submitRefund", form(7001, over));
      expect([chosen.map(([name]) => name), status]).toEqual([chosen.map(([name]) => name), chosen[0]?.[1]]);
    }
  }
});

describe("cancelling an application", () => {
  it.each(["refund/refundList", "refund/cancelRefund"])("POST %s, by either id", async (path) => {
    const at = await shop();
    for (const [orderId, by] of [
      ["7001", "order"],
      ["7002", "refund"],
      ["7003", "both"],
    ] as const) {
      await order(at, orderId, ["pay"]);
      await post(at, "refund/submitRefund", form(orderId));
      const caseId = (await at.engine.views.order(orderId))?.order.cases[0]?.caseId ?? "";
      const named = {
        ...(by === "refund" ? {} : { orderId }),
        ...(by === "order" ? {} : { refundId: caseId }),
      };
      expect(await post(at, path, named)).toEqual(ok);
      expect(await get(at, "refund/getRefund", { orderId })).toMatchObject({ data: { status: 5 } });
      expect(await post(at, path, named)).toEqual(notCancellable);
    }
  });

  it("is answered the same again under the same key, although another came after it", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    await post(at, "refund/submitRefund", form(7001));
    const cancel = () => post(at, "refund/cancelRefund", { orderId: 7001 }, mine, { "idempotency-key": "k" });
    expect(await cancel()).toEqual(ok);
    at.clock.now += minute;
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(ok);
    expect(await cancel()).toEqual(ok);
    expect((await get(at, "refund/getRefund", { orderId: 7001 })).data).toMatchObject({ status: 1 });
  });

  it("is refused with 18 once it is paid or being paid, and with 17 where there is none", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    await order(at, "7002", ["pay"]);
    const cancel = (named: object) => post(at, "refund/refundList", { ...named });
    expect(await cancel({ orderId: 7001 })).toEqual(noOrder);
    expect(await cancel({})).toEqual(noOrder);
    await post(at, "refund/submitRefund", form(7001));
    await post(at, "refund/submitRefund", form(7002));
    const refundId = (await at.engine.views.order("7001"))?.order.cases[0]?.caseId ?? "";
    expect(await cancel({ orderId: 7002, refundId })).toEqual(noOrder);
    expect(await cancel({ orderId: 7002, refundId: 404 })).toEqual(noOrder);
    await handle(at, "7001", "ApproveRefund", { destination: "wallet" });
    expect(await cancel({ refundId })).toEqual(notCancellable);
    await handle(at, "7002", "ApproveRefund", { destination: "manual" });
    expect(await cancel({ orderId: 7002 })).toEqual(notCancellable);
  });

  it("is the merchant's own cancellation's to refuse", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "cancelPaid"]);
    expect(await post(at, "refund/cancelRefund", { orderId: 7001 })).toEqual(notCancellable);
  });
});

describe("confirming receipt", () => {
  it("of a parcel that is on its way, once", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "audit", "purchase"]);
    const confirm = (orderId: number, key?: string) =>
      post(
        at,
        "order/confirmReceive",
        { orderId },
        mine,
        key === undefined ? {} : { "idempotency-key": key },
      );
    expect(await confirm(7001)).toEqual(notShipped);
    await order(at, "7002", ["pay", "ship"]);
    expect(await confirm(7002, "k")).toEqual({ ...ok, data: { orderId: 7002 } });
    expect(await confirm(7002, "k")).toEqual({ ...ok, data: { orderId: 7002 } });
    expect(await confirm(7002)).toEqual(notShipped);
    expect(await confirm(404)).toEqual(noOrder);
    expect(await confirm(0)).toEqual(noOrder);
    expect((await get(at, "order/orderInfo", { orderId: 7002 })).data).toMatchObject({ status: 3 });
  });

  it("is answered the same again under the same key, although the order is hidden since", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "ship"]);
    const confirm = (key: string) =>
      post(at, "order/confirmReceive", { orderId: 7001 }, mine, { "idempotency-key": key });
    expect(await confirm("k")).toEqual({ ...ok, data: { orderId: 7001 } });
    accepted(await at.engine.execute({ type: "HideOrder", orderId: "7001" }, by(buyer)));
    expect(await confirm("k")).toEqual({ ...ok, data: { orderId: 7001 } });
    expect(await confirm("other")).toEqual(noOrder);
  });

  it("of another's is of none", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "ship"], { who: stranger });
    expect(await post(at, "order/confirmReceive", { orderId: 7001 })).toEqual(noOrder);
    expect((await at.engine.views.order("7001"))?.order.status).toBe("shipped");
  });
});

describe("an order", () => {
  const item = {
    orderId: 7001,
    orderNo: "20151111123321",
    enName: source.enName,
    property: source.property,
    imgUrl: source.imgUrl,
    cnPrice: 123,
    frPrice: 20,
    itemCnPrice: 246,
    tariffAmountprice: 12,
    expAmountprice: 8,
    amountPrice: 266,
    status: 0,
    statusDesc: "待付款",
    pastDate: t0 + 30 * minute,
    quantity: 2,
    mallId: 123,
    mallName: "美国亚马逊",
  };

  it("is listed and told with the same facts", async () => {
    const at = await shop();
    await order(at, "7001", [], { over: { orderNo: "20151111123321" } });
    at.clock.now += second;
    expect(await get(at, "order/orderList")).toEqual({
      ...ok,
      pageNo: 1,
      pageSize: 10,
      total: 1,
      pageTotal: 1,
      serviceDate: t0 + second,
      data: [item],
    });
    expect(await get(at, "order/orderInfo", { orderId: 7001 })).toEqual({
      ...ok,
      serviceDate: t0 + second,
      data: item,
    });
    expect(await get(at, "order/payDate", { orderId: 7001 })).toEqual({
      ...ok,
      data: { pastDate: t0 + 30 * minute, serviceDate: t0 + second, orderId: 7001 },
    });
  });

  it("has every field of the document, each of its kind, whatever the order is like", async () => {
    const at = await shop();
    await order(at, "no-number", ["pay"], {
      over: {
        charges: [{ kind: "other", amount: 19 }],
        lines: [
          { lineId: "1", goodsId: "A", title: "Plain", unitPrice: 19_999, quantity: 1 },
          { lineId: "2", goodsId: "B", title: "Other", unitPrice: 2_194, quantity: 3 },
        ],
      },
    });
    const { data } = await get(at, "order/orderInfo", { orderId: "no-number" });
    expect(data).toEqual({
      ...item,
      orderId: "no-number",
      orderNo: "no-number",
      enName: "Plain",
      property: "",
      imgUrl: "",
      cnPrice: 199.99,
      frPrice: 0,
      itemCnPrice: 265.81,
      tariffAmountprice: 0,
      expAmountprice: 0,
      status: 1,
      statusDesc: "已付款待审",
      quantity: 4,
      mallId: 0,
      mallName: "",
    });
  });

  it("has the picture that the shop's catalog knows, where it has none of the wiki's own", async () => {
    const at = await shop();
    const line = { lineId: "1", goodsId: "A", title: "Shoe", unitPrice: 12_300, quantity: 2 };
    const pictures = { picture: "https://img.example/2.jpg" };
    await order(at, "7001", [], { over: { lines: [{ ...line, source: pictures }] } });
    await order(at, "7002", [], { over: { lines: [{ ...line, source: { ...source, ...pictures } }] } });
    const list = (await get(at, "order/orderList")).data as { orderId: number; imgUrl: string }[];
    expect(Object.fromEntries(list.map(({ orderId, imgUrl }) => [orderId, imgUrl]))).toEqual({
      7001: "https://img.example/2.jpg",
      7002: source.imgUrl,
    });
  });

  it("that never expires is payable to the end of time, and one that was free never was", async () => {
    const at = await shop();
    const endless = { terms: { payWindowMinutes: 0 }, buyerId: "buyer-1" };
    await order(at, "7001", [], { who: merchant, over: endless });
    await order(at, "7002", [], { over: { charges: [], discount: 24_600 } });
    const pastDate = async (orderId: number) =>
      ((await get(at, "order/payDate", { orderId })).data as { pastDate: number }).pastDate;
    expect(await pastDate(7001)).toBe(Date.parse("9999-12-31T23:59:59Z"));
    expect(await pastDate(7002)).toBe(0);
  });

  it("has a page with its facts, in which texts are texts", async () => {
    const at = await shop();
    const line = {
      lineId: "1",
      goodsId: "A",
      title: "<script>alert('x')</script>",
      unitPrice: 100,
      quantity: 1,
      source: { imgUrl: `javascript:alert("x")`, mallName: `"A" & 'B'` },
    };
    await order(at, "7001", [], { over: { lines: [line] } });
    await order(at, "7002");
    const page = await pageOf(at, 7001, mine);
    expect(page).toContain("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    expect(page).toContain("&quot;A&quot; &amp; &#39;B&#39;");
    expect(page).not.toMatch(/<script|javascript:|<img/);
    const other = await pageOf(at, 7002, mine);
    const { payBy } = (await at.engine.state("7002")) as Order;
    for (const fact of [
      "7002",
      "待付款",
      "ECCO Men&#39;s",
      "Size: 42",
      "美国亚马逊",
      "123.00",
      "246.00",
      "12.00",
      "8.00",
      "266.00",
      "<dt>美元单价</dt><dd>20</dd>",
      `<dt>最晚付款时间</dt><dd>${new Date(payBy as number).toISOString()}</dd>`,
    ]) {
      expect(other).toContain(fact);
    }
    expect(other).toContain(`<img src="${source.imgUrl}"`);
    expect(await pageOf(at, 404, mine)).toContain("订单不存在!");
  });
});

describe("lists", () => {
  it("are paged, newest first", async () => {
    const at = await shop();
    for (let number = 1; number <= 12; number += 1) {
      at.clock.now += second;
      await order(at, `70${String(number).padStart(2, "0")}`, ["pay"]);
      await post(at, "refund/submitRefund", form(`70${String(number).padStart(2, "0")}`));
    }
    const ids = async (path: string, fields: object) => {
      const answer = await get(at, path, { ...fields });
      return (answer.data as { orderId: number }[]).map(({ orderId }) => orderId);
    };
    for (const path of ["order/orderList", "refund/refundList"]) {
      const all = Array.from({ length: 12 }, (_, index) => 7012 - index);
      expect(await ids(path, {})).toEqual(all.slice(0, 10));
      expect(await ids(path, { pageNo: 2 })).toEqual(all.slice(10));
      expect(await ids(path, { pageNo: 3, pageSize: 5 })).toEqual(all.slice(10));
      expect(await ids(path, { pageNo: 99_999_999, pageSize: 1_000 })).toEqual([]);
      for (const fields of [
        { pageNo: 0 },
        { pageNo: -1 },
        { pageNo: "x" },
        { pageSize: 0 },
        { pageSize: 1_001 },
        { pageSize: "1e2" },
        { pageNo: 2 ** 31 },
      ]) {
        expect(await get(at, path, fields)).toEqual(failed);
      }
      expect(await ids(path, { pageNo: 2 ** 31 - 1, pageSize: 1_000 })).toEqual([]);
    }
    expect(await get(at, "order/orderList", { pageNo: 2, pageSize: 5 })).toMatchObject({
      pageNo: 2,
      pageSize: 5,
      total: 12,
      pageTotal: 3,
    });
    for (const type of [-1, 5, "x"]) expect(await get(at, "order/orderList", { type })).toEqual(failed);
  });

  it("show of a case the goods that it is about", async () => {
    const at = await shop();
    const line = { goodsId: "A", unitPrice: 13_300, quantity: 1 };
    const lines = ["鞋", "帽"].map((title, index) => ({ ...line, lineId: String(index + 1), title }));
    await order(at, "7001", ["pay"], { over: { lines, charges: [] } });
    const applied = { orderId: "7001", caseId: "9", lineId: "2", caseType: "refundOnly", amount: 100 };
    accepted(await at.engine.execute({ type: "ApplyRefund", ...applied }, by(buyer)));
    expect((await get(at, "refund/refundList")).data).toMatchObject([{ refundId: 9, enName: "帽" }]);
  });

  it("take numbers of JSON as those of a form, and are never asked for more than an int holds", async () => {
    const at = await shop();
    await order(at, "7001");
    const list = async (body: object) => {
      const url = "http://shop.example/shop/appIntf/order/orderList.jsp";
      const headers = { cookie: `common_session_id=${mine}`, "content-type": "application/json" };
      const response = await at.handler(
        new Request(url, { method: "POST", headers, body: JSON.stringify(body) }),
      );
      return (await response.json()) as Answer;
    };
    expect(await list({ pageNo: 1, pageSize: null, type: "1" })).toMatchObject({
      status: 1,
      pageSize: 10,
      total: 1,
    });
    expect(await list({ pageNo: 2 ** 31 - 1, pageSize: 1_000 })).toMatchObject({
      status: 1,
      total: 1,
      data: [],
    });
    for (const pageNo of [Number.MAX_SAFE_INTEGER, 2 ** 31, 1.5, true, [1]]) {
      expect(await list({ pageNo, pageSize: 1_000 })).toEqual(failed);
    }
    expect(at.ports.lines).toEqual([]);
  });

  it("of one buyer hold no other's", async () => {
    const at = await shop();
    await order(at, "7001", ["pay"]);
    await post(at, "refund/submitRefund", form(7001));
    expect(await get(at, "order/orderList", {}, theirs)).toMatchObject({ total: 0, data: [] });
    expect(await get(at, "refund/refundList", {}, theirs)).toEqual({ ...ok, data: [] });
  });
});

it("what breaks is -1, and only the log knows why", async () => {
  const at = await shop();
  await order(at, "7001");
  const { views } = at.engine;
  const own = views.owner;
  onTestFinished(() => void Object.assign(views, { owner: own }));
  Object.assign(views, { owner: () => Promise.reject(new Error("secret")) });
  expect(await get(at, "order/orderInfo", { orderId: 7001 })).toEqual(failed);
  expect(at.ports.lines).toMatchObject([{ level: "error", event: "defect", dialect: "appintf" }]);
});
