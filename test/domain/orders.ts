// The order O1 of domain 5 in every status, as literal facts, with the people around it and the commands they give.

import type { Actor } from "../../src/domain/actor.ts";
import type { Command, CommandData, CommandType, LineAsked, Policy } from "../../src/domain/commands.ts";
import type { Line, OrderEvent, OrderEventData, OrderEventType } from "../../src/domain/events.ts";
import type { ChartStatus } from "../../src/domain/lifecycle.ts";
import type { OrderState } from "../../src/domain/state.ts";
import { type StockRule, type Terms, defaultTerms } from "../../src/domain/terms.ts";

export const second = 1_000;
export const minute = 60_000;
export const day = 86_400_000;
export const t0 = Date.UTC(2026, 0, 5, 8, 0, 0);

export const orderId = "o-1";
export const buyer: Actor = { role: "buyer", id: "buyer-1" };
export const stranger: Actor = { role: "buyer", id: "buyer-2" };
export const merchant: Actor = { role: "merchant", id: "main" };
export const rival: Actor = { role: "merchant", id: "rival" };
export const staff: Actor = { role: "staff", id: "staff-1" };
export const provider: Actor = { role: "provider", id: "bank" };
export const system: Actor = { role: "system", id: "clock" };
export const admin: Actor = { role: "admin", id: "root" };

export const codeHash = "hash-of-the-code";
export const policy: Policy = { terms: defaultTerms, redeemStaff: ["staff-1"], codeHash };
/** The policy at a moment when the right write-off code is presented. */
export const rightCode: Policy = { ...policy, presentedHash: codeHash };
export const wrongCode: Policy = { ...policy, presentedHash: "hash-of-another-code" };

export function withTerms(terms: Partial<Terms>): Policy {
  return { ...policy, terms: { ...defaultTerms, ...terms } };
}

/** A command for O1. */
export function ask<T extends CommandType>(type: T, data: CommandData[T]): Command {
  return { type, orderId, ...data } as unknown as Command;
}

export const askedLines: readonly LineAsked[] = [
  { lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 3 },
  { lineId: "L2", goodsId: "B", title: "Cup", unitPrice: 2_000, quantity: 1 },
];

/** CreateOrder as the buyer of O1 asks for it: 3 x 10.00 + 1 x 20.00 + 8.00 freight = 58.00. */
export function askForOrder(over: Partial<CommandData["CreateOrder"]> = {}): Command {
  return ask("CreateOrder", {
    currency: "CNY",
    lines: askedLines,
    charges: [{ kind: "freight", amount: 800 }],
    fulfilment: "express",
    ...over,
  });
}

export function event<T extends OrderEventType>(type: T, at: number, data: OrderEventData[T]): OrderEvent<T> {
  return { type, at, data } as unknown as OrderEvent<T>;
}

const allowedTypes = ["refundOnly", "returnRefund", "exchange"] as const;
export const lines: readonly Line[] = [
  { lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 3, allowedTypes },
  { lineId: "L2", goodsId: "B", title: "Cup", unitPrice: 2_000, quantity: 1, allowedTypes },
];
export const quantities = [
  { lineId: "L1", quantity: 3 },
  { lineId: "L2", quantity: 1 },
] as const;

type Created = OrderEventData["OrderCreated"];
type CreatedOver = Omit<Partial<Created>, "terms"> & { readonly terms?: Partial<Terms> };

/** OrderCreated of O1 in literal figures; what differs is given. Without a `payBy` of its own it gets the default window's. */
export function created(over: CreatedOver = {}, at = t0): OrderEvent<"OrderCreated"> {
  const { terms, ...data } = over;
  const free = over.total === 0;
  const unpaid = terms?.booking !== true && !free && terms?.payWindowMinutes !== 0;
  return event("OrderCreated", at, {
    orderId,
    orderNo: orderId,
    merchantId: "main",
    buyerId: "buyer-1",
    currency: "CNY",
    lines,
    charges: [{ kind: "freight", amount: 800 }],
    discount: free ? 5_800 : 0,
    lineCount: (over.lines ?? lines).length,
    units: (over.lines ?? lines).reduce((units, line) => units + line.quantity, 0),
    goods: 5_000,
    total: 5_800,
    fulfilment: "express",
    terms: { ...defaultTerms, ...terms },
    ...(unpaid ? { payBy: at + 30 * minute } : {}),
    ...data,
  });
}

export const paidAt = t0 + minute;
export const shippedAt = t0 + day;
export const receivedAt = t0 + 2 * day;
export const endedAt = t0 + 31 * minute;

export function paid(at = paidAt, over: Partial<OrderEventData["OrderPaid"]> = {}) {
  return event("OrderPaid", at, { payId: "pay-1", amount: 5_800, channel: "online", ...over });
}

export function latePaid(at: number, over: Partial<OrderEventData["OrderPaid"]> = {}) {
  return event("LatePaymentReceived", at, {
    payId: "pay-late",
    amount: 5_800,
    channel: "online",
    ...over,
  });
}

export function deducted(rule: StockRule, cause: OrderEventType, at: number) {
  return event("StockDeducted", at, { cause, lines: quantities, rule });
}

export function released(cause: OrderEventType, at: number) {
  return event("StockReleased", at, { cause, lines: quantities });
}

export const parcel = { carrier: "SF Express", trackingNumber: "SF100" } as const;

export function shipped(at = shippedAt) {
  return event("OrderShipped", at, { shipments: [parcel] });
}

export function received(at = receivedAt) {
  return event("ReceiptConfirmed", at, { by: "buyer" });
}

/** O1 brought to a status on its plainest way; `over` changes how it was created. */
export function reached(status: ChartStatus, over: CreatedOver = {}): readonly OrderEvent[] {
  const unpaid = [created(over)];
  const bought = [...unpaid, paid(), deducted("payment", "OrderPaid", paidAt)];
  switch (status) {
    case "none":
      return [];
    case "pendingConfirmation":
      return [created({ ...over, terms: { ...over.terms, booking: true } })];
    case "pendingPayment":
      return unpaid;
    case "paid":
      return bought;
    case "shipped":
      return [...bought, shipped()];
    case "completed":
      return [...bought, shipped(), received()];
    case "cancelled":
      return [...unpaid, event("OrderCancelled", endedAt, { by: "buyer" })];
    case "closed":
      return [...unpaid, event("OrderExpired", endedAt, { payBy: t0 + 30 * minute })];
  }
}

/** The order status of apifm, by domain 2.4. */
export function apifm(state: OrderState): number | undefined {
  switch (state.status) {
    case "none":
      return undefined;
    case "pendingConfirmation":
    case "pendingPayment":
      return 0;
    case "paid":
      return 1;
    case "shipped":
      return 2;
    case "completed":
      return state.reviewedAt === undefined ? 3 : 4;
    case "cancelled":
    case "closed":
      return -1;
  }
}
