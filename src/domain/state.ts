// What an order is after its events so far: folded by evolve, which never refuses a known event and throws on an unknown one.

import { type CaseEvent, isCaseEvent } from "./caseEvents.ts";
import { isOpen } from "./caseLifecycle.ts";
import { type Case, caseApplied, caseImported, evolveCase, inFlight } from "./caseState.ts";
import {
  type Charge,
  type ChargeKind,
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

/** What after-sale has done to one line; a line without any has no tally. Units, but for `refunded`. */
export interface LineTally {
  readonly lineId: string;
  /** Minor units settled. */
  readonly refunded: number;
  /** Sent back and refunded, or cancelled before shipping. */
  readonly returned: number;
  /** Taken out of stock, replacements included. */
  readonly deducted: number;
  /** Given back to stock before they were shipped, and after they came back. */
  readonly released: number;
  readonly restocked: number;
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
  /** Its after-sale cases, oldest first. */
  readonly cases: readonly Case[];
  readonly tallies: readonly LineTally[];
  /** Settled refunds, and those issued whose outcome is not known yet; paid = refunded + inFlight + retained. */
  readonly refunded: number;
  readonly inFlight: number;
  /** Since when, while shipped, a case keeps the automatic receipt waiting; and for how long earlier cases did. */
  readonly pausedSince: number | undefined;
  readonly pausedFor: number;
  /** The merchant has cancelled it though it was paid: it closes when the money is back (ruling 1). */
  readonly cancelRequestedAt: number | undefined;
  readonly closedByRefund: boolean;
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
  if (state.status !== "none") return paused(state, evolveOrder(state, event), event.at);
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
    cases: [],
    tallies: [],
    refunded: 0,
    inFlight: 0,
    pausedSince: undefined,
    pausedFor: 0,
    cancelRequestedAt: undefined,
    closedByRefund: false,
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
        payments: [...order.payments, { at, late, ...event.data }],
        paid: order.paid + event.data.amount,
        paidAt: late ? order.paidAt : at,
      };
    }
    case "OrderCancelled":
    case "OrderExpired":
      return { ...order, status, lastAt, endedAt: at };
    case "StockDeducted": {
      const { rule, lines } = event.data;
      if (rule === "replacement") return { ...order, lastAt, tallies: tallied(order, lines, "deducted") };
      const known = lines.filter(({ lineId }) => order.tallies.some((tally) => tally.lineId === lineId));
      return { ...order, status, lastAt, stock: "deducted", tallies: tallied(order, known, "deducted") };
    }
    case "StockReleased": {
      const { cause, lines } = event.data;
      if (cause !== "RefundSettled" && cause !== "OrderClosedByRefund") {
        return { ...order, status, lastAt, stock: "released" };
      }
      const tallies = tallied(order, lines, "released");
      return { ...order, lastAt, tallies, stock: cause === "RefundSettled" ? order.stock : "released" };
    }
    case "StockRestored":
      return { ...order, lastAt, tallies: tallied(order, event.data.lines, "restocked") };
    case "OrderClosedByRefund": {
      if (status === order.status) return { ...order, lastAt };
      // Whatever had not been sent back counts as cancelled (ruling 2).
      const left = order.lines
        .map(({ lineId, quantity }) => ({ lineId, quantity: quantity - returnedOf(order, lineId) }))
        .filter(({ quantity }) => quantity > 0);
      const tallies = tallied(order, left, "returned");
      return { ...order, status, lastAt, tallies, endedAt: at, closedByRefund: true };
    }
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
      return isCaseEvent(event) ? caseMoved(order, event, lastAt) : unknown(event);
  }
}

/** The order after an event of one of its cases; one that has no place there changes nothing but the clock. */
function caseMoved(order: Order, event: CaseEvent, lastAt: number): Order {
  const { caseId } = event.data;
  const place = order.cases.findIndex((one) => one.caseId === caseId);
  const before = order.cases[place];
  if (event.type === "RefundApplied" || event.type === "RefundImported") {
    if (before !== undefined) return { ...order, lastAt };
    const number = order.cases.length + 1;
    const opened =
      event.type === "RefundApplied"
        ? caseApplied(event.data, event.at, number)
        : caseImported(event.data, event.at, number);
    return {
      ...order,
      lastAt,
      cases: [...order.cases, opened],
      cancelRequestedAt: opened.origin === "cancellation" ? event.at : order.cancelRequestedAt,
    };
  }
  if (before === undefined) return { ...order, lastAt };
  const after = evolveCase(before, event);
  if (after === before) return { ...order, lastAt };
  const refund = event.type === "RefundSettled" ? event.data : undefined;
  const of = refund === undefined ? undefined : before.lineId;
  const tallies =
    of === undefined || refund === undefined
      ? order.tallies
      : withTally(
          withTally(order.tallies, order, of, "refunded", refund.amount),
          order,
          of,
          "returned",
          refund.quantity,
        );
  const undone = before.origin === "cancellation" && !isOpen(after.status) && after.status !== "refunded";
  return {
    ...order,
    lastAt,
    cases: order.cases.with(place, after),
    tallies,
    refunded: order.refunded + (refund === undefined ? 0 : refund.amount),
    inFlight: order.inFlight + (inFlight(after)?.amount ?? 0) - (inFlight(before)?.amount ?? 0),
    cancelRequestedAt: undone ? undefined : order.cancelRequestedAt,
  };
}

type Units = readonly { readonly lineId: string; readonly quantity: number }[];

/** Adds units to the tallies of their lines. */
function tallied(
  order: Order,
  units: Units,
  column: Exclude<keyof LineTally, "lineId">,
): readonly LineTally[] {
  let { tallies } = order;
  for (const { lineId, quantity } of units) tallies = withTally(tallies, order, lineId, column, quantity);
  return tallies;
}

function withTally(
  tallies: readonly LineTally[],
  order: Order,
  lineId: string,
  column: Exclude<keyof LineTally, "lineId">,
  more: number,
): readonly LineTally[] {
  if (more === 0) return tallies;
  const place = tallies.findIndex((tally) => tally.lineId === lineId);
  const tally = tallies[place] ?? tallyOf(order, lineId);
  const next = { ...tally, [column]: tally[column] + more };
  return place === -1 ? [...tallies, next] : tallies.with(place, next);
}

/** The tally of a line, also of one that no case has touched. */
export function tallyOf(order: Order, lineId: string): LineTally {
  const known = order.tallies.find((tally) => tally.lineId === lineId);
  if (known !== undefined) return known;
  const quantity = order.lines.find((line) => line.lineId === lineId)?.quantity ?? 0;
  const deducted = order.stock === "untouched" ? 0 : quantity;
  return { lineId, refunded: 0, returned: 0, deducted, released: 0, restocked: 0 };
}

function returnedOf(order: Order, lineId: string): number {
  return order.tallies.find((tally) => tally.lineId === lineId)?.returned ?? 0;
}

/** Looked for once in each list of cases: a decision asks several times, and an order may have many cases behind it. */
const openCases = new WeakMap<readonly Case[], readonly Case[]>();

/** Its cases that wait for somebody, oldest first. */
export function openCasesOf({ cases }: Order): readonly Case[] {
  if (cases.length === 0) return cases;
  let open = openCases.get(cases);
  if (open === undefined) {
    open = cases.filter((one) => isOpen(one.status));
    openCases.set(cases, open);
  }
  return open;
}

/** Whether a case of the order waits for somebody. */
export function hasOpenCase(order: Order): boolean {
  return openCasesOf(order).length > 0;
}

/** Keeps count of how long a case has kept the automatic receipt of a shipped order waiting. */
function paused(before: Order, after: Order, at: number): Order {
  if (after.cases === before.cases && after.status === before.status) return after;
  const waits = after.status === "shipped" && after.terms.autoConfirmPauses !== false && hasOpenCase(after);
  if (waits === (after.pausedSince !== undefined)) return after;
  return waits
    ? { ...after, pausedSince: at }
    : {
        ...after,
        pausedSince: undefined,
        pausedFor: after.pausedFor + Math.max(0, at - (after.pausedSince as number)),
      };
}

/** What an order charges of one kind beside its goods, in minor units. */
export function charged({ charges }: Order, kind: ChargeKind): number {
  return charges.reduce((sum, charge) => (charge.kind === kind ? sum + charge.amount : sum), 0);
}

/** The payment that a case gives back; without a case, the order's own. */
export function paymentOf({ payments }: Order, one?: Pick<Case, "payId">): Payment | undefined {
  return payments.find(({ payId, late }) => (one?.payId === undefined ? !late : payId === one.payId));
}

/** Where all money that came is: given back, on its way back, or kept. */
export interface Ledger {
  readonly paid: number;
  readonly refunded: number;
  readonly inFlight: number;
  readonly retained: number;
  /** Of what is kept or on its way: promised to open cases. */
  readonly reserved: number;
}

export function ledgerOf(order: Order): Ledger {
  const { paid, refunded } = order;
  let reserved = 0;
  for (const one of openCasesOf(order)) reserved += one.amount;
  return { paid, refunded, inFlight: order.inFlight, retained: paid - refunded - order.inFlight, reserved };
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
