// Malformed requests by the thousand, to the plain API and to each dialect: no defect, no wait without end, nothing written.
//
// AFTERSALE_MALFORMED sets how many for each (600), AFTERSALE_SEED which.

import { describe, expect, it } from "vitest";

import type { FetchHandler } from "../../src/dialects/dialect.ts";
import { dialects } from "../../src/dialects/byName.ts";
import { buyer, merchant } from "../domain/orders.ts";
import { accepted, by, caseOf, live, newCase, tidyEngines } from "../engines.ts";
import { type Sound, dice, pick, spoiled } from "./malformed.ts";
import { type TestShop, openShop } from "./shop.ts";

tidyEngines();

const many = Number(process.env["AFTERSALE_MALFORMED"] ?? 600);
const seed = Number(process.env["AFTERSALE_SEED"] ?? 20_261_122);

type Roll = () => number;
type Fields = Readonly<Record<string, unknown>>;

/** o-1 is to be paid; o-2 is completed and reviewed, and a case of it was paid back. */
async function shopWithOrders(): Promise<TestShop> {
  const shop = await openShop();
  const { engine } = shop;
  await live(engine, "o-1", 1);
  await live(engine, "o-2", 4);
  accepted(await engine.execute(newCase("o-2"), by(buyer)));
  const caseId = caseOf("o-2");
  const approve = { type: "ApproveRefund", orderId: "o-2", caseId, destination: "manual" };
  accepted(await engine.execute(approve, by(merchant)));
  const items = [
    { lineId: "L1", rating: "good" },
    { lineId: "L2", rating: "good" },
  ];
  accepted(await engine.execute({ type: "Review", orderId: "o-2", items }, by(buyer)));
  return shop;
}

// None of what follows can be carried out as it stands, so that whatever is left of it after spoiling cannot either.

const commands: readonly Fields[] = [
  { command: { type: "CancelOrder", orderId: "o-9" } },
  { command: { type: "ConfirmReceipt", orderId: "o-1" }, expect: "77" },
  { command: { type: "CreateOrder", orderId: "o-1", currency: "CNY", lines: [], fulfilment: "express" } },
  {
    command: {
      type: "ApplyRefund",
      orderId: "o-1",
      caseId: "o-1.1",
      lineId: "L1",
      caseType: "refundOnly",
      amount: 1,
    },
  },
  { actor: { role: "buyer", id: "buyer-1" }, command: { type: "Ship", orderId: "o-1" } },
];

function toApi(roll: Roll): Sound {
  const headers = {
    authorization: `Bearer token-of-${pick(roll, ["buyer-1", "main", "staff-1", "root", "service"])}`,
  };
  const kind = roll();
  if (kind < 0.5)
    return { method: "POST", path: "/commands", headers, body: pick(roll, commands), as: "json" };
  if (kind < 0.6) {
    const body = { buyerId: "a/b", topUpId: "t-1", amount: 0, currency: "CNY" };
    return { method: "POST", path: "/wallet/top-ups", headers, body, as: "json" };
  }
  if (kind < 0.65) return { method: "POST", path: "/orders/o-1/pay", headers, body: {}, as: "json" };
  const path = pick(roll, [
    "/orders",
    "/orders?limit=1",
    "/orders/o-1",
    "/orders/o-1/history",
    "/statistics",
    "/refunds",
    "/refunds/o-1",
    "/refunds/o-1/c-1",
    "/queue",
    "/wallet",
    "/openapi.json",
    "/health",
    "/nowhere",
  ]);
  return { method: "GET", path, headers, as: "json" };
}

const choice = { number: 1, propertyChildIds: "", logisticsType: 0 };
const application = {
  type: 0,
  logisticsStatus: 0,
  reason: "x",
  amount: 1,
  pic: "",
  orderGoodsId: "L1",
  number: 1,
};

const apifm: readonly (readonly [path: string, fields: Fields])[] = [
  ["create", { goodsJsonStr: JSON.stringify([{ goodsId: "Z", ...choice }]), remark: "r", peisongType: "kd" }],
  [
    "create",
    {
      goodsJsonStr: JSON.stringify([
        { goodsId: "A", ...choice },
        { goodsId: "Z", ...choice },
      ]),
      extJsonStr: '{"a":1}',
    },
  ],
  ["list", { page: 1, pageSize: 5, status: 0, statusBatch: "0,1", hasRefund: "true" }],
  ["detail", { id: "o-1" }],
  ["detail", { hxNumber: "ABCDEFGHJKMN" }],
  ["close", { orderId: "o-2" }],
  ["delete", { orderId: "o-1" }],
  ["pay", { orderId: "o-1" }],
  ["delivery", { orderId: "o-1" }],
  ["hx", { hxNumber: "ABCDEFGHJKMN", extJsonStr: "{}" }],
  ["statistics", {}],
  [
    "reputation",
    {
      postJsonString: JSON.stringify({
        token: "token-of-buyer-1",
        orderId: "o-2",
        reputations: [{ id: "L1", reputation: "2", remark: "", pics: [] }],
      }),
    },
  ],
  ["refundApply/apply", { orderId: "o-1", ...application }],
  ["refundApply/apply", { orderId: "o-9", ...application }],
  ["refundApply/info", { orderId: "o-2", orderGoodsId: "L1" }],
  ["refundApply/cancel", { orderId: "o-2", orderGoodsId: "L1" }],
  [
    "refundApply/setBackLogistics",
    { orderId: "o-2", applyId: "c-o-2", shipperName: "SF", trackingNumber: "1" },
  ],
  ["refund", { orderId: "o-2" }],
];

function toApifm(roll: Roll): Sound {
  const [path, fields] = pick(roll, apifm);
  const token = `token-of-${pick(roll, ["buyer-1", "buyer-1", "buyer-2", "staff-1", "main"])}`;
  const reads = ["list", "detail", "statistics", "refundApply/info", "refund"].includes(path);
  const at = `/apifm/tea/order/${path}`;
  const form = { token, ...fields };
  if (reads && roll() < 0.5)
    return { method: "GET", path: `${at}?${queryOf(form)}`, headers: {}, as: "form" };
  return { method: "POST", path: at, headers: {}, body: form, as: roll() < 0.8 ? "form" : "json" };
}

function queryOf(fields: Fields): string {
  return new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
}

const shopxo: readonly (readonly [path: string, fields: Fields])[] = [
  ["orderaftersale/aftersale", { oid: "o-1", did: "L1" }],
  ["orderaftersale/index", { page: 1, is_more: 1, status: "0,1", type: 0, time_start: "2026-01-01" }],
  [
    "orderaftersale/create",
    {
      order_id: "o-1",
      order_detail_id: "L1",
      type: 0,
      price: "1.00",
      reason: "",
      msg: "m",
      number: 1,
      images: "[]",
    },
  ],
  [
    "orderaftersale/create",
    {
      order_id: "o-9",
      order_detail_id: "L1",
      type: 1,
      price: "1.00",
      reason: "",
      number: 1,
      images: '["https://p.example/1.png"]',
    },
  ],
  ["orderaftersale/delivery", { id: "c-o-2", express_name: "SF", express_number: "1" }],
  ["orderaftersale/cancel", { id: "c-o-2" }],
  ["admin/orderaftersale/confirm", { id: "c-o-2" }],
  ["admin/orderaftersale/audit", { id: "c-o-2", refundment: 2, is_under_line_use_manual: 1 }],
  ["admin/orderaftersale/refuse", { id: "c-o-2", refuse_reason: "because" }],
  ["admin/orderaftersale/delete", { id: "c-o-2" }],
];

function toShopxo(roll: Roll): Sound {
  const [path, fields] = pick(roll, shopxo);
  const form = { token: `token-of-${pick(roll, ["buyer-1", "main", "buyer-2"])}`, ...fields };
  const at = pick(roll, ["/shopxo/", "/shopxo/api.php?s=", "/shopxo/api/"]);
  return { method: "POST", path: at + path, headers: {}, body: form, as: roll() < 0.8 ? "form" : "json" };
}

const page = { Status: 2, Name: "n", SwanSchema: "s" };
const item = {
  SubOrderID: "c-o-2",
  // No status of a sub-order that anybody can be told of.
  SubStatus: 405,
  CTime: 1,
  MTime: 2,
  OrderDetail: page,
  Refund: { Amount: 1, Product: [{ ID: "A", Quantity: 1, Amount: 1 }] },
  OrderType: 1,
};
const ofOrder = { CateID: 1, BizAPPID: "main", ResourceID: "o-2" };
const dated = { Title: "t", Ctime: 1, Mtime: 2, Status: 999 };
const MainOrder = {
  Products: [{ ID: "A", Name: "Tea", Quantity: 1, Price: 1, PayPrice: 1, ImgList: ["p"] }],
  Payment: { Amount: 1, IsPayment: true, Method: 1, Time: 1 },
  Appraise: page,
};

const baidu: readonly (readonly [operation: string, document: Fields])[] = [
  ["add/main/info", { ...ofOrder, ...dated, EXT: { MainOrder, SubsOrder: { Status: 400, Items: [item] } } }],
  ["add/main/info", { ...ofOrder, ...dated, BizAPPID: "other", Status: 200, EXT: { MainOrder } }],
  ["update/main/info", { ...ofOrder, ...dated, EXT: { MainOrder } }],
  ["update/main/status", { ...ofOrder, Status: 999 }],
  ["update/main/status", { ...ofOrder, ResourceID: "o-9", Status: 200 }],
  ["append/sub/info", { ...ofOrder, EXT: { SubsOrder: { Status: 400, Items: [item] } } }],
  [
    "append/sub/info",
    { ...ofOrder, BizAPPID: "other", EXT: { SubsOrder: { Items: [{ ...item, SubStatus: 400 }] } } },
  ],
  ["update/sub/info", { ...ofOrder, EXT: { SubsOrder: { Status: 400, Items: [item] } } }],
  [
    "update/sub/status",
    { ...ofOrder, EXT: { SubsOrder: { Items: [{ SubOrderID: "c-o-2", SubStatus: 405 }] } } },
  ],
];

function toBaidu(roll: Roll): Sound {
  const [operation, document] = pick(roll, baidu);
  const token = `token-of-${pick(roll, ["main", "main", "service", "rival", "nobody"])}`;
  const query = queryOf({ access_token: token, open_id: pick(roll, ["buyer-1", "buyer-2"]), scene_type: 2 });
  return {
    method: "POST",
    path: `/baidu/rest/2.0/smartapp/ordercenter/app/${operation}?${query}`,
    headers: {},
    body: { Data: [document] },
    as: "json",
  };
}

const appintf: readonly (readonly ["GET" | "POST", path: string, fields: Fields])[] = [
  ["GET", "refund/refundList", { pageNo: 1, pageSize: 2 }],
  ["POST", "refund/refundList", { orderId: "o-2" }],
  ["POST", "refund/submitRefund", { orderId: "o-1", causeType: 1, cause: "x", proofs: "p" }],
  ["POST", "refund/submitRefund", { orderId: "o-9", causeType: 1, cause: "x", proofs: "p" }],
  ["GET", "refund/getRefund", { orderId: "o-2", refundId: "c-o-2" }],
  ["POST", "refund/cancelRefund", { orderId: "o-2" }],
  ["POST", "order/confirmReceive", { orderId: "o-1" }],
  ["GET", "order/orderList", { type: 2, pageNo: 1 }],
  ["GET", "order/payDate", { orderId: "o-1" }],
  ["GET", "order/orderDetail", { orderId: "o-1" }],
  ["POST", "order/orderInfo", { orderId: "o-2" }],
];

function toAppintf(roll: Roll): Sound {
  const [method, path, fields] = pick(roll, appintf);
  const at = `/appintf/appIntf/${path}.jsp`;
  const headers = {
    cookie: `lang=zh; common_session_id=token-of-${pick(roll, ["buyer-1", "buyer-2", "main"])}`,
  };
  return method === "GET"
    ? { method, path: `${at}?${queryOf(fields)}`, headers, as: "form" }
    : { method, path: at, headers, body: fields, as: roll() < 0.8 ? "form" : "json" };
}

interface Subject {
  readonly sound: (roll: Roll) => Sound;
  /** What of an answer's document says which it is, beside its status. */
  readonly codeOf: (document: unknown) => unknown;
  /** It would prove nothing if all were turned away at the door: these are answered too. */
  readonly seen: readonly string[];
}

const field = (name: string) => (document: unknown) =>
  document !== null && typeof document === "object" ? (document as Fields)[name] : undefined;

const subjects: Readonly<Record<string, Subject>> = {
  api: {
    sound: toApi,
    codeOf: () => "",
    seen: ["200 ", "400 ", "401 ", "403 ", "404 ", "405 ", "413 ", "415 "],
  },
  apifm: {
    sound: toApifm,
    codeOf: field("code"),
    seen: ["200 0", "200 -1", "200 700", "200 2000", "404 -1"],
  },
  shopxo: {
    sound: toShopxo,
    codeOf: field("msg"),
    seen: [
      "200 success",
      "200 请求参数有误",
      "200 登录失效，请重新登录",
      "200 无权限",
      "200 非法访问",
      "200 状态不可操作[已完成]",
      "200 状态不可操作[待付款]",
      "200 没有相关数据",
    ],
  },
  baidu: {
    sound: toBaidu,
    codeOf: (document) => field("error_code")(document) ?? field("errno")(document),
    seen: ["200 0", "200 100", "200 3", "200 6", "200 110"],
  },
  appintf: {
    sound: toAppintf,
    codeOf: field("status"),
    seen: ["200 1", "200 -1", "200 -2", "200 -3", "200 17", "200 18", "200 50", "200 53", "404 -1"],
  },
};

function served({ engine, ports, handler }: TestShop, name: string): FetchHandler {
  if (name === "api") return handler;
  return dialects[name as keyof typeof dialects](engine, ports, { prefix: `/${name}` });
}

describe.each(Object.entries(subjects))("%s", (name, { sound, codeOf, seen }) => {
  it(
    `${many} malformed requests (seed ${seed}) leave no trace`,
    async () => {
      const roll = dice(seed);
      const shop = await shopWithOrders();
      const handler = served(shop, name);
      const head = await shop.engine.head();
      const answers = new Map<string, number>();
      for (let count = 0; count < many; count += 1) {
        const request = spoiled(sound(roll), roll);
        const response = await handler(request);
        const text = await response.text();
        const place = `request ${count}: ${request.method} ${request.url.slice(0, 200)}: ${text.slice(0, 500)}`;
        if (response.status >= 500) throw new Error(place);
        // A write is told apart from all others, so that it is found where it was made.
        if ((await shop.engine.head()) !== head) throw new Error(`${place}: written`);
        const html = response.headers.get("content-type")?.startsWith("text/html") === true;
        const answer = `${response.status} ${String(codeOf(html || text === "" ? undefined : JSON.parse(text)))}`;
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
      expect(shop.ports.lines).toEqual([]);
      expect([...answers.keys()]).toEqual(expect.arrayContaining([...seen]));
    },
    60_000 + many * 50,
  );
});
