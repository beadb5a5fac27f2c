// ShopXO's form checks: each message, and of several faults the first in the document's own order.

import { describe, expect, it } from "vitest";

import { t0 } from "../../domain/orders.ts";
import { live, tidyEngines } from "../../engines.ts";
import { merchantToken, openShop, refusedWith, token } from "./shop.ts";

tidyEngines();

const sound = {
  order_id: "o-1",
  order_detail_id: "L1",
  type: "0",
  price: "10.00",
  reason: "不喜欢/不想要",
  msg: "",
  number: "0",
  images: "[]",
};

const long = (length: number): string => "字".repeat(length);

/** In the order of checks: with this and every later fault at once, this is what is said. */
const createFaults: readonly (readonly [fault: Record<string, string | undefined>, msg: string])[] = [
  [{ order_id: undefined }, "订单id有误"],
  [{ order_detail_id: "0" }, "订单详情id有误"],
  [{ type: "2" }, "操作类型有误"],
  [{ price: "-1" }, "退款金额格式有误"],
  [{ reason: undefined }, "退款原因最多180个字符"],
  [{ msg: long(201) }, "退款说明最多200个字符"],
];

const fields = (...faults: readonly Record<string, string | undefined>[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(Object.assign({}, sound, ...faults) as Record<string, string | undefined>).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );

describe("an application", () => {
  it.each(createFaults.map(([fault, msg], at) => [at, fault, msg] as const))(
    "with fault %i: %j",
    async (at, fault, msg) => {
      const shop = await openShop(t0 + 60_000);
      await live(shop.engine, "o-1", 2);
      expect(await shop.ask("orderaftersale/create", fields(fault))).toEqual(refusedWith(msg));
      const later = createFaults.slice(at).map(([one]) => one);
      expect(await shop.ask("orderaftersale/create", fields(...later))).toEqual(refusedWith(msg));
      expect((await shop.engine.history("o-1")).length).toBe(3);
    },
  );

  it.each(["1.000", "+1", "1e1", " 1", "1.", ".5", "123456789", "1,00", "", "NaN"])(
    "of %j is of no amount",
    async (price) => {
      const shop = await openShop(t0 + 60_000);
      await live(shop.engine, "o-1", 2);
      expect(await shop.ask("orderaftersale/create", fields({ price }))).toEqual(
        refusedWith("退款金额格式有误"),
      );
    },
  );

  it.each([
    [{ reason: "" }],
    [{ reason: long(180), msg: long(200) }],
    [{ reason: "😀".repeat(180) }],
    [{ msg: undefined, number: undefined, images: undefined }],
    [{ price: "10" }],
    [{ price: "10.0" }],
    [{ type: "1", number: "3", price: "0.01" }],
    [{ images: JSON.stringify(["https://shop.example/1.png", "a", "b"]) }],
  ])("with %j is taken", async (over) => {
    const shop = await openShop(t0 + 3 * 60_000);
    await live(shop.engine, "o-1", 4);
    expect(await shop.ask("orderaftersale/create", fields(over))).toEqual({
      msg: "申请成功",
      code: 0,
      data: expect.stringMatching(/^\d{1,16}$/) as unknown,
    });
  });

  it("keeps its texts on one line, and its pictures as they came", async () => {
    const shop = await openShop(t0 + 60_000);
    await live(shop.engine, "o-1", 2);
    const images = ["https://shop.example/1.png", "<b>"];
    const over = { reason: "a\tb\r\nc", msg: "<i>d</i>\ne", images: JSON.stringify(images) };
    await shop.ask("orderaftersale/create", fields(over));
    const { data } = await shop.ask("orderaftersale/aftersale", { oid: "o-1", did: "L1" });
    expect(data).toMatchObject({ new_aftersale_data: { reason: "abc", msg: "<i>d</i>e", images } });
  });

  it("in JSON may have numbers and arrays; lists, maps and truths are no texts", async () => {
    const shop = await openShop(t0 + 60_000);
    await live(shop.engine, "o-1", 2);
    const ask = async (over: object): Promise<unknown> => {
      const request = new Request("http://shop.example/shopxo/orderaftersale/create", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...sound, token, ...over }),
      });
      return ((await (await shop.handler(request)).json()) as { msg: string }).msg;
    };
    expect(await ask({ order_id: ["o-1"] })).toBe("订单id有误");
    expect(await ask({ order_detail_id: { a: 1 } })).toBe("订单详情id有误");
    expect(await ask({ type: true })).toBe("操作类型有误");
    expect(await ask({ price: ["10.00"] })).toBe("退款金额格式有误");
    expect(await ask({ price: 1e21 })).toBe("退款金额格式有误");
    expect(await ask({ reason: null })).toBe("退款原因最多180个字符");
    for (const msg of [["a"], { a: 1 }, true]) expect(await ask({ msg })).toBe("退款说明最多200个字符");
    for (const images of [["", "", "", ""], [1, 2, 3, 4], "[1,2,3,4]", [null, {}, [], "x"]]) {
      expect(await ask({ images })).toBe("凭证最多上传3张图片");
    }
    expect(await ask({ type: 0, price: 9.99, images: ["x", 1, null] })).toBe("申请成功");
  });
});

it.each([
  ["", []],
  ["[]", []],
  ["null", []],
  ["true", []],
  ["7", []],
  ["{}", []],
  ['"https://shop.example/1.png"', ["https://shop.example/1.png"]],
  ["https://shop.example/1.png", ["https://shop.example/1.png"]],
  ['["a",null,"b"]', ["a", "b"]],
])("images of %s are %j", async (images, kept) => {
  const shop = await openShop(t0 + 60_000);
  await live(shop.engine, "o-1", 2);
  const applied = await shop.ask("orderaftersale/create", fields({ images }));
  expect(applied.msg).toBe("申请成功");
  const { data } = await shop.ask("orderaftersale/aftersale", { oid: "o-1", did: "L1" });
  expect(data).toMatchObject({ new_aftersale_data: { images: kept } });
});

describe.each([
  ["orderaftersale/delivery", token, { express_name: "SF", express_number: "1" }],
  ["orderaftersale/cancel", token, {}],
  ["admin/orderaftersale/confirm", merchantToken, {}],
  ["admin/orderaftersale/audit", merchantToken, { refundment: "2" }],
  ["admin/orderaftersale/refuse", merchantToken, { refuse_reason: "凭证不清" }],
  ["admin/orderaftersale/delete", merchantToken, {}],
])("%s", (path, as, form) => {
  it("asks for an id first, and knows none that is not there", async () => {
    const shop = await openShop(t0);
    for (const id of [{}, { id: "" }, { id: "0" }] as readonly Record<string, string>[]) {
      expect(await shop.ask(path, id, as)).toEqual(refusedWith("操作id有误"));
    }
    for (const id of ["7", "c'1", "漢", "x".repeat(400)]) {
      expect(await shop.ask(path, { ...form, id }, as)).toEqual(refusedWith("数据不存在或已删除"));
    }
  });

  it("is for its own callers", async () => {
    const shop = await openShop(t0);
    expect(await shop.ask(path, { id: "7" }, "")).toEqual(refusedWith("登录失效，请重新登录", -400));
    expect(await shop.ask(path, { id: "7" }, "no-token")).toEqual(refusedWith("登录失效，请重新登录", -400));
    const others = ["token-of-staff-1", "token-of-root", as === token ? merchantToken : token];
    for (const other of others) {
      expect(await shop.ask(path, { id: "7" }, other)).toEqual(refusedWith("无权限"));
    }
  });
});

it.each([
  ["orderaftersale/delivery", token, { express_number: "" }, "快递名称格式1~60个字符之间"],
  ["orderaftersale/delivery", token, { express_name: long(61) }, "快递名称格式1~60个字符之间"],
  ["orderaftersale/delivery", token, { express_name: long(60) }, "快递单号格式1~60个字符之间"],
  [
    "orderaftersale/delivery",
    token,
    { express_name: "a", express_number: long(61) },
    "快递单号格式1~60个字符之间",
  ],
  ["admin/orderaftersale/audit", merchantToken, {}, "退款方式选择有误"],
  ["admin/orderaftersale/audit", merchantToken, { refundment: "3" }, "退款方式选择有误"],
  ["admin/orderaftersale/refuse", merchantToken, {}, "拒绝原因格式1~230个字符"],
  ["admin/orderaftersale/refuse", merchantToken, { refuse_reason: "短" }, "拒绝原因格式1~230个字符"],
  ["admin/orderaftersale/refuse", merchantToken, { refuse_reason: long(231) }, "拒绝原因格式1~230个字符"],
])("%s as %s with %j: %s", async (path, as, form, msg) => {
  const shop = await openShop(t0);
  expect(await shop.ask(path, { id: "7", ...form } as Record<string, string>, as)).toEqual(refusedWith(msg));
});

it("what cannot be read is said to be so, and nothing but POST is taken", async () => {
  const { handler } = await openShop(t0);
  const ask = async (init: RequestInit): Promise<unknown> =>
    (await handler(new Request("http://shop.example/shopxo/orderaftersale/create", init))).json();
  expect(await ask({ method: "POST", body: "{", headers: { "content-type": "application/json" } })).toEqual(
    refusedWith("请求参数有误"),
  );
  expect(await ask({ method: "GET" })).toEqual(refusedWith("非法访问", -1000));
});
