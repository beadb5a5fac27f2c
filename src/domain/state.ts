// What an order is after its events so far: folded by evolve, which never refuses a known event and throws on an unknown one.

import {
  type Charge,
  type Fulfilment,
  type Line,
  type OrderEvent,
  type OrderEventData,
  type PaymentData,
  type Rating,
  type Shipment,
  isOrderEventType,
} from "./events.ts";
import { type OrderStatus, statusAfter } from "./lifecycle.ts";
import type { Terms } from "./terms.ts";

/** Before creation. */
export interface NoOrder {
  readonly status: "none";
}

export interface Payment extends PaymentData {
  readonly at: number;
  /** It came when the order was cancelled or closed already. */
  readonly late: boolean;
}

export interface Order {
  readonly status: OrderStatus;
  readonly orderId: string;
  readonly orderNo: string;
  readonly merchantId: string;
  readonly buyerId: string;
  readonly currency: string;
  readonly lines: readonly Line[];
  readonly charges: readonly Charge[];
  readonly discount: number;
  readonly goods: number;
  readonly total: number;
  readonly fulfilment: Fulfilment;
  readonly terms: Terms;
  readonly createdAt: number;
  readonly payBy: number | undefined;
  readonly confirmedAt: number | undefined;
  readonly payments: readonly Payment[];
  /** All money that came, late payments included. */
  readonly paid: number;
  readonly paidAt: number | undefined;
  readonly stock: "untouched" | "deducted" | "released";
  readonly shipments: readonly Shipment[];
  readonly shippedAt: number | undefined;
  readonly receivedAt: number | undefined;
  readonly receivedBy: OrderEventData["ReceiptConfirmed"]["by"] | undefined;
  readonly redemption:
    | {
        readonly codeHash: string;
        readonly redeemedAt: number | undefined;
        readonly staffId: string | undefined;
      }
    | undefined;
  readonly endedAt: number | undefined;
  readonly reviewedAt: number | undefined;
  readonly ratings: readonly Rating[];
  readonly hiddenByBuyerAt: number | undefined;
  readonly hiddenByMerchantAt: number | undefined;
  /** The overseas shop's procurement while paid: audited, then purchased. */
  readonly procurement: "none" | "audited" | "purchased";
  /** The overseas shop's tax: a surplus waits, then is paid back. */
  readonly tax: { readonly surplus: number; readonly refunded: boolean } | undefined;
  /** The instant of the latest event; no command may be earlier. */
  readonly lastAt: number;
}

export type OrderState = NoOrder | Order;

export const initialState: OrderState = { status: "none" };

/** Whether the order's life is over: what still may come (a late payment, hiding, a review) is a facet, never another status. */
export function isTerminal(state: OrderState): boolean {
  return state.status === "cancelled" || state.status === "closed";
}

/**
 * The state after one more event. A known event in an odd place (before creation, a second creation) changes nothing but the clock:
 * a stream must stay readable.
 * @throws Error on an event whose type is not of this aggregate: a stream that cannot be understood must not be read as something else.
 */
export function evolve(state: OrderState, event: OrderEvent): OrderState {
  if (state.status !== "none") return evolveOrder(state, event);
  if (event.type === "OrderCreated") return created(event.data, event.at);
  return isOrderEventType(event.type) ? state : unknown(event);
}

function created(data: OrderEventData["OrderCreated"], at: number): Order {
  return {
    status: statusAfter("none", { type: "OrderCreated" }, creationVariant(data)) as OrderStatus,
    orderId: data.orderId,
    orderNo: data.orderNo,
    merchantId: data.merchantId,
    buyerId: data.buyerId,
    currency: data.currency,
    lines: data.lines,
    charges: data.charges,
    discount: data.discount,
    goods: data.goods,
    total: data.total,
    fulfilment: data.fulfilment,
    terms: data.terms,
    createdAt: at,
    payBy: data.payBy,
    confirmedAt: undefined,
    payments: [],
    paid: 0,
    paidAt: undefined,
    stock: "untouched",
    shipments: [],
    shippedAt: undefined,
    receivedAt: undefined,
    receivedBy: undefined,
    redemption:
      data.redemption === undefined
        ? undefined
        : { codeHash: data.redemption.codeHash, redeemedAt: undefined, staffId: undefined },
    endedAt: undefined,
    reviewedAt: undefined,
    ratings: [],
    hiddenByBuyerAt: undefined,
    hiddenByMerchantAt: undefined,
    procurement: "none",
    tax: undefined,
    lastAt: at,
  };
}

/** Which of CreateOrder's outcomes an OrderCreated is. */
export function creationVariant(data: {
  readonly total: number;
  readonly terms: Pick<Terms, "booking">;
}): "booking" | "payable" | "free" {
  if (data.terms.booking) return "booking";
  return data.total === 0 ? "free" : "payable";
}

function evolveOrder(order: Order, event: OrderEvent): Order {
  const { at } = event;
  const status = statusAfter(
    order.status,
    event,
    event.type === "OrderConfirmed" ? (order.total === 0 ? "free" : "payable") : undefined,
  );
  const lastAt = Math.max(order.lastAt, at);
  switch (event.type) {
    case "OrderCreated":
      return { ...order, lastAt };
    case "OrderConfirmed":
      return { ...order, status, lastAt, confirmedAt: at, payBy: event.data.payBy };
    case "OrderPaid":
    case "LatePaymentReceived": {
      const late = event.type === "LatePaymentReceived";
      return {
        ...order,
        status,
        lastAt,
        payments: [...order.payments, { ...event.data, at, late }],
        paid: order.paid + event.data.amount,
        paidAt: late ? order.paidAt : at,
      };
    }
    case "OrderCancelled":
    case "OrderExpired":
      return { ...order, status, lastAt, endedAt: at };
    case "StockDeducted":
      return { ...order, status, lastAt, stock: "deducted" };
    case "StockReleased":
      return { ...order, status, lastAt, stock: "released" };
    case "OrderShipped":
      return { ...order, status, lastAt, shipments: event.data.shipments, shippedAt: at };
    case "ShipmentCorrected":
      return { ...order, status, lastAt, shipments: event.data.shipments };
    case "OrderRedeemed":
      return {
        ...order,
        status,
        lastAt,
        redemption: {
          codeHash: order.redemption?.codeHash ?? "",
          redeemedAt: at,
          staffId: event.data.staffId,
        },
      };
    case "ReceiptConfirmed":
      return { ...order, status, lastAt, receivedAt: at, receivedBy: event.data.by };
    case "OrderReviewed":
      return {
        ...order,
        status,
        lastAt,
        reviewedAt: at,
        ratings: event.data.items.map((item) => item.rating),
      };
    case "OrderHidden":
      return event.data.from === "buyer"
        ? { ...order, status, lastAt, hiddenByBuyerAt: at }
        : { ...order, status, lastAt, hiddenByMerchantAt: at };
    case "PaymentAudited":
      return { ...order, status, lastAt, procurement: "audited" };
    case "GoodsPurchased":
      return { ...order, status, lastAt, procurement: "purchased" };
    case "TaxSurplusRecorded":
      return { ...order, status, lastAt, tax: { surplus: event.data.amount, refunded: false } };
    case "TaxRefunded":
      return {
        ...order,
        status,
        lastAt,
        tax: { surplus: order.tax?.surplus ?? event.data.amount, refunded: true },
      };
    default:
      return unknown(event);
  }
}

function unknown(event: { readonly type: unknown }): never {
  throw new Error(`no such event of an order: ${JSON.stringify(event.type)}`);
}

/** The state after all of these events, from the beginning. */
export function fold(events: Iterable<OrderEvent>): OrderState {
  let state = initialState;
  for (const event of events) state = evolve(state, event);
  return state;
}
