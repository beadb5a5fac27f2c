// Lives of orders that between them record every fact there is: always the same commands by the same people at the same instants.

import { buyer, day, merchant, minute, parcel, provider, staff, system, t0 } from "../domain/orders.ts";
import type { Actor } from "../../src/domain/actor.ts";
import { redemptionCode } from "../../src/commands/redemption.ts";
import { openEngine } from "../../src/engine.ts";
import type { RecordedEvent } from "../../src/store/port.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { accepted } from "../engines.ts";
import { readEverything } from "../store/samples.ts";

const redeemKey = "the key of the frozen histories";

const lines = [
  {
    lineId: "L1",
    goodsId: "A",
    sku: "A-red",
    title: '茶 "Tea" \\ 🍵\u2028',
    unitPrice: 1_000,
    quantity: 3,
    available: 10,
    allowedTypes: ["exchange", "refundOnly"],
    source: { spec: [{ type: "色", value: "红" }], price: 12.5 },
  },
  { lineId: "L2", goodsId: "B", title: "Cup", unitPrice: 2_000, quantity: 1 },
];

const whole = {
  type: "CreateOrder",
  orderNo: "N-1",
  buyerId: "buyer-1",
  currency: "CNY",
  lines,
  charges: [
    { kind: "freight", amount: 800 },
    { kind: "tariff", amount: 500 },
    { kind: "other", amount: 1 },
  ],
  discount: 301,
  fulfilment: "express",
  terms: { booking: true, stockDeduction: "confirmation", payWindowMinutes: 60, evidenceMax: 3 },
  personal: { name: "王小明", phone: "13800000000", address: "北京市 海淀区 1 号", note: "" },
  source: { client_type: "weixin", 10: "ten", nested: { z: 1, a: [null, true, 1e21] } },
};

const plain = {
  type: "CreateOrder",
  currency: "JPY",
  lines: [lines[1]],
  fulfilment: "pickup",
  redeemable: true,
};
const quick = { ...plain, redeemable: false, currency: "GBP", terms: { stockDeduction: "confirmation" } };
const pay = { type: "Pay", channel: "online" };

/** An order whose cases record every fact of after-sale but the closing of an order, and one that is closed so. */
export const cases = "life-5";
const waybill = { carrier: "顺丰", trackingNumber: "SF200" };
const caseSteps: readonly Step[] = [
  [
    { ...whole, orderId: cases, orderNo: "N-5", terms: { booking: false, stockDeduction: "payment" } },
    merchant,
    t0,
  ],
  [
    { ...pay, orderId: cases, payId: "pay-5", amount: 6_000, method: "wxpay", tradeNo: "4200005" },
    buyer,
    t0 + minute,
  ],
  [{ type: "Ship", orderId: cases, shipments: [parcel] }, merchant, t0 + day],
  [
    {
      type: "ApplyRefund",
      orderId: cases,
      caseId: "case-1",
      lineId: "L2",
      caseType: "returnRefund",
      quantity: 1,
      amount: 2_000,
      goodsReceived: true,
      reason: "包装/商品破损/污渍",
      causeType: 3,
      personal: { note: '碎了 "2" 个', evidence: ["https://img.example/1.jpg", "/static/upload/2.png"] },
    },
    buyer,
    t0 + 2 * day,
  ],
  [
    {
      type: "ApproveRefund",
      orderId: cases,
      caseId: "case-1",
      amount: 1_900,
      personal: { note: "请寄回", returnAddress: { name: "仓库", phone: "021-1", address: "上海市" } },
    },
    merchant,
    t0 + 3 * day,
  ],
  [{ type: "ShipReturn", orderId: cases, caseId: "case-1", ...waybill }, buyer, t0 + 4 * day],
  [
    { type: "CorrectReturnShipment", orderId: cases, caseId: "case-1", ...waybill, carrier: "EMS" },
    buyer,
    t0 + 4 * day,
  ],
  [
    {
      type: "ReceiveReturn",
      orderId: cases,
      caseId: "case-1",
      dispositions: [{ kind: "restock", quantity: 1 }],
      destination: "original",
      personal: { note: "完好" },
    },
    merchant,
    t0 + 5 * day,
  ],
  [
    {
      type: "FailRefund",
      orderId: cases,
      caseId: "case-1",
      refundId: "case-1:1",
      failure: "TIMEOUT",
      retryable: true,
      message: "超时",
    },
    provider,
    t0 + 6 * day,
  ],
  [{ type: "IssueRefund", orderId: cases, caseId: "case-1" }, merchant, t0 + 6 * day],
  [
    {
      type: "SettleRefund",
      orderId: cases,
      caseId: "case-1",
      refundId: "case-1:2",
      amount: 1_900,
      tradeNo: "R-1",
    },
    provider,
    t0 + 7 * day,
  ],
  [exchange("case-2"), buyer, t0 + 8 * day],
  [{ type: "ApproveRefund", orderId: cases, caseId: "case-2" }, merchant, t0 + 8 * day],
  [{ type: "ShipReturn", orderId: cases, caseId: "case-2", ...waybill }, buyer, t0 + 8 * day],
  [received("case-2"), merchant, t0 + 8 * day],
  [{ type: "ShipReplacement", orderId: cases, caseId: "case-2", ...waybill }, merchant, t0 + 8 * day],
  [{ type: "ConfirmReplacement", orderId: cases, caseId: "case-2" }, buyer, t0 + 9 * day],
  [exchange("case-3"), buyer, t0 + 9 * day],
  [{ type: "RejectRefund", orderId: cases, caseId: "case-3", reason: "凭证不清" }, merchant, t0 + 9 * day],
  [{ type: "HideRefund", orderId: cases, caseId: "case-3" }, merchant, t0 + 9 * day],
  [{ type: "CancelRefund", orderId: cases, caseId: "case-3" }, buyer, t0 + 9 * day],
  [exchange("case-4"), buyer, t0 + 9 * day],
  [{ type: "CloseRefund", orderId: cases, caseId: "case-4", reason: "另议" }, merchant, t0 + 9 * day],
  [exchange("case-5"), buyer, t0 + 9 * day],
  [{ type: "ApproveRefund", orderId: cases, caseId: "case-5" }, merchant, t0 + 9 * day],
  [{ type: "ShipReturn", orderId: cases, caseId: "case-5", ...waybill }, buyer, t0 + 9 * day],
  [received("case-5"), merchant, t0 + 9 * day],
  [
    {
      type: "ConvertToRefund",
      orderId: cases,
      caseId: "case-5",
      amount: 1_000,
      buyerConsents: true,
      destination: "manual",
    },
    merchant,
    t0 + 9 * day,
  ],
  [{ ...plain, redeemable: false, orderId: "life-6" }, buyer, t0],
  [{ ...pay, orderId: "life-6", payId: "pay-6", amount: 2_000 }, buyer, t0],
  [{ type: "CancelOrder", orderId: "life-6", reason: "缺货", destination: "manual" }, merchant, t0 + 1],
  [{ ...plain, redeemable: false, orderId: "life-7" }, buyer, t0],
  [{ ...pay, orderId: "life-7", payId: "pay-7", amount: 2_000 }, buyer, t0],
  [
    {
      type: "ImportRefund",
      orderId: "life-7",
      caseId: "baidu-1",
      source: "baidu",
      status: "refunded",
      lineId: "L2",
      caseType: "refundOnly",
      quantity: 0,
      amount: 500,
      goodsReceived: false,
      reason: "少发",
      raw: { SubOrderID: "1", SubStatus: 402, Refund: { Amount: 500, Product: [{ ID: "B", Quantity: 1 }] } },
    },
    system,
    t0 + 1,
  ],
];

function exchange(caseId: string): object {
  const asked = { lineId: "L1", caseType: "exchange", quantity: 1, amount: 0 };
  return { type: "ApplyRefund", orderId: cases, caseId, ...asked };
}

function received(caseId: string): object {
  return { type: "ReceiveReturn", orderId: cases, caseId, dispositions: [{ kind: "damaged", quantity: 1 }] };
}

type Step = readonly [command: object, actor: Actor, at: number];

const steps: readonly Step[] = [
  [{ ...whole, orderId: "life-1" }, merchant, t0],
  [{ type: "ConfirmOrder", orderId: "life-1" }, merchant, t0 + 1],
  [
    { ...pay, orderId: "life-1", payId: "pay-1", amount: 6_000, method: "wxpay", tradeNo: "4200001" },
    buyer,
    t0 + minute,
  ],
  [{ type: "AuditPayment", orderId: "life-1" }, merchant, t0 + 2 * minute],
  [{ type: "MarkPurchased", orderId: "life-1", reference: "PO-7" }, merchant, t0 + 3 * minute],
  [
    { type: "Ship", orderId: "life-1", shipments: [{ ...parcel, lines: ["L1"] }, parcel] },
    merchant,
    t0 + day,
  ],
  [{ type: "CorrectShipment", orderId: "life-1", shipments: [parcel] }, merchant, t0 + day + 1],
  [{ type: "ConfirmReceipt", orderId: "life-1" }, buyer, t0 + 2 * day],
  [
    {
      type: "Review",
      orderId: "life-1",
      items: [
        { lineId: "L1", rating: "good", text: "好茶 🍵", pictures: ["https://img.example/1.jpg"] },
        { lineId: "L2", rating: "neutral" },
      ],
    },
    buyer,
    t0 + 3 * day,
  ],
  [{ type: "RecordTaxSurplus", orderId: "life-1", amount: 200 }, merchant, t0 + 4 * day],
  [{ type: "RecordTaxRefund", orderId: "life-1", amount: 200 }, merchant, t0 + 5 * day],
  [{ type: "HideOrder", orderId: "life-1" }, buyer, t0 + 6 * day],
  [{ ...plain, orderId: "life-2" }, buyer, t0],
  [{ ...pay, orderId: "life-2", payId: "pay-2", amount: 2_000 }, buyer, t0 + minute],
  [
    {
      type: "Redeem",
      orderId: "life-2",
      code: redemptionCode(redeemKey, "life-2"),
      source: { ext: "counter 3" },
    },
    staff,
    t0 + day,
  ],
  [{ ...quick, orderId: "life-3", buyerId: "buyer-1" }, system, t0],
  [{ type: "CancelOrder", orderId: "life-3", reason: "不想要了" }, buyer, t0 + minute],
  [{ ...pay, orderId: "life-3", payId: "pay-3", amount: 1_999, channel: "wallet" }, buyer, t0 + 2 * minute],
  [{ ...plain, redeemable: false, orderId: "life-4" }, buyer, t0],
  [{ type: "ExpireOrder", orderId: "life-4" }, system, t0 + 31 * minute],
];

/** Lives through all of them on a fresh store, and gives what it then holds. */
export async function recordedLives(): Promise<readonly RecordedEvent[]> {
  const store = openMemoryStore();
  await using engine = await openEngine({ store, redeemKey, terms: { "*": { redeemStaff: [staff.id] } } });
  for (const [at, [command, actor, instant]] of steps.entries()) {
    accepted(await engine.execute(command, { actor, commandId: `frozen-${at}`, at: instant }));
  }
  for (const [at, [command, actor, instant]] of caseSteps.entries()) {
    accepted(await engine.execute(command, { actor, commandId: `frozen-case-${at}`, at: instant }));
  }
  return await readEverything(store);
}
