// The wiki's own sample documents, word by word: a reply has their fields and no others, each of the same kind.

import { expect, it } from "vitest";

import { form, get, handle, order, post, shop } from "./shop.ts";
import { tidyEngines } from "../../engines.ts";

tidyEngines();

/** A document with a kind where a value stood; of a list the kind of its elements. */
function kinds(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((one) => JSON.stringify(kinds(one))))];
  if (value === null || typeof value !== "object") return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, one]): [string, unknown] => [key, kinds(one)])
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
}

const orderSample = {
  orderId: 123456,
  orderNo: "20151111123321",
  enName: "ECCO Men's Dress Moccasin Penny Loafer",
  property: "Size: 42 M EU / 8-8.5 D(M) US|Color: Black",
  imgUrl: "xxx.xxxx...",
  cnPrice: 123.0,
  frPrice: 20.0,
  itemCnPrice: 123.0,
  tariffAmountprice: 120.0,
  expAmountprice: 123.0,
  amountPrice: 100000.0,
  status: 1,
  statusDesc: "已取消",
  pastDate: 1_446_000_000_000,
  quantity: 1,
  mallId: 123,
  mallName: "美国亚马逊",
};

const samples = {
  refundList: {
    status: 1,
    msg: "请求成功",
    data: [
      {
        orderId: 123456,
        refundId: 123456,
        refundNo: 1482817,
        status: "1",
        imgUrl: "xxx.xxxx...",
        enName: "ECCO Men's Dress Moccasin Penny Loafer",
        property: "Size: 42 M EU / 8-8.5 D(M) US|Color: Black",
      },
    ],
  },
  getRefund: {
    status: 1,
    msg: "请求成功",
    data: {
      refundId: 123456,
      orderId: 123456,
      refundNo: "1111111111",
      status: 1,
      refund: [
        {
          refundStatus: 1,
          aduitcustomer: "rico",
          processingDate: "2016-01-27 11:23:15",
          processingReason: "laalla",
          causeType: 1,
          causeTypeDesc: "商品损坏",
          proofs: "http://url,http://url",
        },
      ],
    },
  },
  done: { status: 1, msg: "请求成功" },
  confirmReceive: { status: 1, msg: "请求成功", data: { orderId: 123456 } },
  orderList: {
    status: 1,
    msg: "请求成功",
    pageNo: 1,
    pageSize: 10,
    total: 20,
    pageTotal: 2,
    serviceDate: 1_446_000_000_000,
    data: [orderSample],
  },
  payDate: {
    status: 1,
    msg: "请求成功",
    data: { pastDate: 1_446_000_000_000, serviceDate: 1_446_000_000_000, orderId: 123456 },
  },
  orderInfo: { status: 1, msg: "请求成功", serviceDate: 1_446_000_000_000, data: orderSample },
};

it("every operation answers with the fields of its sample", async () => {
  const at = await shop();
  await order(at, "123456", ["pay", "ship"]);
  const replies: Record<keyof typeof samples, unknown[]> = {
    refundList: [],
    getRefund: [],
    done: [],
    confirmReceive: [],
    orderList: [],
    payDate: [],
    orderInfo: [],
  };
  const named = { orderId: 123456 };
  const look = async () => {
    for (const path of [
      "refund/refundList",
      "refund/getRefund",
      "order/orderList",
      "order/payDate",
      "order/orderInfo",
    ]) {
      replies[path.split("/")[1] as keyof typeof samples].push(await get(at, path, named));
    }
  };
  replies.done.push(await post(at, "refund/submitRefund", form(123456)));
  await look();
  replies.done.push(await post(at, "refund/refundList", named));
  await look();
  at.clock.now += 3_000;
  replies.done.push(await post(at, "refund/submitRefund", form(123456)));
  await handle(at, "123456", "ApproveRefund", { amount: 100, destination: "manual" });
  replies.confirmReceive.push(await post(at, "order/confirmReceive", named));
  await look();
  for (const [name, sample] of Object.entries(samples)) {
    const given = replies[name as keyof typeof samples];
    expect(given.length).toBeGreaterThan(0);
    for (const reply of given) expect([name, kinds(reply)]).toEqual([name, kinds(sample)]);
  }
});
