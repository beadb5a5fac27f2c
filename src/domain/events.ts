// The facts an order's stream is made of, in the past tense; a fact, once stored, never changes its meaning.

import type { Role } from "./actor.ts";
import { type CaseEventData, caseEventTypes } from "./caseEvents.ts";
import type { JsonPairs } from "./json.ts";
import type { CaseType, StockRule, Terms } from "./terms.ts";

export const fulfilments = ["express", "local", "pickup", "virtual"] as const;
export type Fulfilment = (typeof fulfilments)[number];

export const chargeKinds = ["freight", "tariff", "other"] as const;
export type ChargeKind = (typeof chargeKinds)[number];

export const channels = ["online", "wallet", "offline"] as const;
/** By what a payment came; `none` stands for the payment of nothing (a zero-total order). */
export type Channel = (typeof channels)[number] | "none";

export const ratings = ["good", "neutral", "bad"] as const;
export type Rating = (typeof ratings)[number];

/** An amount beside the goods: freight, tariff or another charge, in minor units. */
export interface Charge {
  readonly kind: ChargeKind;
  readonly amount: number;
}

/** One line of an order. `unitPrice` in minor units of the order's currency. */
export interface Line {
  readonly lineId: string;
  readonly goodsId: string;
  readonly sku?: string;
  readonly title: string;
  readonly unitPrice: number;
  readonly quantity: number;
  readonly allowedTypes: readonly CaseType[];
  readonly source?: JsonPairs;
}

/** One parcel: who carries it and under which number; `lines` where it holds only some of them. */
export interface Shipment {
  readonly carrier?: string;
  readonly trackingNumber?: string;
  readonly lines?: readonly string[];
}

/** What identifies a person; no rule reads it. */
export interface Recipient {
  readonly name?: string;
  readonly phone?: string;
  readonly address?: string;
  readonly note?: string;
  /** What else a source system asked of the person: region codes, a number of an identity card. */
  readonly source?: JsonPairs;
}

export interface PaymentData {
  readonly payId: string;
  readonly amount: number;
  readonly channel: Channel;
  readonly method?: string;
  /** The payment platform's own number for the trade. */
  readonly tradeNo?: string;
}

export interface StockData {
  /** The event in the same append that moved the stock. */
  readonly cause: string;
  readonly lines: readonly { readonly lineId: string; readonly quantity: number }[];
}

/** What each event carries. Amounts are minor units, instants milliseconds UTC. */
export interface OrderEventData extends CaseEventData {
  /** Its short facts come first, `lines` and what is long after them: who reads only the head need not parse the rest. */
  readonly OrderCreated: {
    readonly orderId: string;
    readonly orderNo: string;
    readonly merchantId: string;
    readonly buyerId: string;
    readonly currency: string;
    readonly fulfilment: Fulfilment;
    readonly lineCount: number;
    /** Sum of the lines' quantities. */
    readonly units: number;
    /** Sum of unitPrice x quantity. */
    readonly goods: number;
    readonly discount: number;
    /** goods + charges - discount. */
    readonly total: number;
    /** Until when it can be paid; absent while unconfirmed, when free, and when the terms set no window. */
    readonly payBy?: number;
    readonly lines: readonly Line[];
    readonly charges: readonly Charge[];
    readonly terms: Terms;
    /** HMAC of the write-off code; absent where none was asked for. */
    readonly redemption?: { readonly codeHash: string };
    readonly personal?: Recipient;
    readonly source?: JsonPairs;
  };
  readonly OrderConfirmed: { readonly payBy?: number };
  readonly OrderPaid: PaymentData;
  /** Money that came for an order already cancelled or closed: it must not vanish (domain 2.2). */
  readonly LatePaymentReceived: PaymentData;
  readonly OrderCancelled: { readonly by: Role; readonly reason?: string };
  readonly OrderExpired: { readonly payBy: number };
  /** By one of the order's rules, or for the replacement that an exchange sends. */
  readonly StockDeducted: StockData & { readonly rule: StockRule | "replacement" };
  /** Units that were never sent. */
  readonly StockReleased: StockData;
  /** Units that were sent back and can be sold again. */
  readonly StockRestored: StockData;
  readonly OrderShipped: { readonly shipments: readonly Shipment[] };
  readonly ShipmentCorrected: { readonly shipments: readonly Shipment[] };
  readonly OrderRedeemed: { readonly staffId: string; readonly source?: JsonPairs };
  readonly ReceiptConfirmed: { readonly by: "buyer" | "system" | "writeOff" };
  readonly OrderReviewed: {
    readonly items: readonly { readonly lineId: string; readonly rating: Rating }[];
    readonly personal?: {
      readonly items: readonly {
        readonly lineId: string;
        readonly text?: string;
        readonly pictures?: readonly string[];
      }[];
    };
  };
  /** All money is back, and all units with it; whatever was not shipped yet counts as cancelled (ruling 2). */
  readonly OrderClosedByRefund: { readonly refunded: number; readonly returnedUnits: number };
  readonly OrderHidden: { readonly from: "buyer" | "merchant" };
  readonly PaymentAudited: Readonly<Record<string, never>>;
  readonly GoodsPurchased: { readonly reference?: string };
  readonly TaxSurplusRecorded: { readonly amount: number };
  readonly TaxRefunded: { readonly amount: number };
}

export type OrderEventType = keyof OrderEventData;

/** One fact: what happened, when (milliseconds UTC), and with which data. */
export type OrderEvent<T extends OrderEventType = OrderEventType> = {
  readonly [K in T]: { readonly type: K; readonly at: number; readonly data: OrderEventData[K] };
}[T];

const everyEvent: Readonly<Record<Exclude<OrderEventType, keyof CaseEventData>, true>> = {
  OrderCreated: true,
  OrderConfirmed: true,
  OrderPaid: true,
  LatePaymentReceived: true,
  OrderCancelled: true,
  OrderExpired: true,
  StockDeducted: true,
  StockReleased: true,
  OrderShipped: true,
  ShipmentCorrected: true,
  OrderRedeemed: true,
  ReceiptConfirmed: true,
  OrderReviewed: true,
  OrderHidden: true,
  PaymentAudited: true,
  GoodsPurchased: true,
  TaxSurplusRecorded: true,
  TaxRefunded: true,
  StockRestored: true,
  OrderClosedByRefund: true,
};

/** The order's own events, then those of its cases. */
export const orderEventTypes = [...Object.keys(everyEvent), ...caseEventTypes] as readonly OrderEventType[];

const known: ReadonlySet<string> = new Set(orderEventTypes);

export function isOrderEventType(type: string): type is OrderEventType {
  return known.has(type);
}

/** One fact at an instant. */
export function fact<T extends OrderEventType>(type: T, at: number, data: OrderEventData[T]): OrderEvent {
  return { type, at, data } as OrderEvent;
}
