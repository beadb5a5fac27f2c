// Lives of orders that between them record every fact there is: always the same commands by the same people at the same instants.

import { buyer, day, merchant, minute, parcel, staff, system, t0 } from "../domain/orders.ts";
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
  return await readEverything(store);
}
