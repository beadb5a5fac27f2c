// What of a line can still be refunded, under either policy, beside all that was refunded and all that open cases have reserved.

import type { Case } from "./caseState.ts";
import { allocate } from "./money.ts";
import { type Order, openCasesOf, tallyOf } from "./state.ts";
import type { RefundablePolicy } from "./terms.ts";

export interface Refundable {
  /** Units that can still be sent back. */
  readonly quantity: number;
  readonly amount: number;
}

/** What is claimed of a line or an order: refunded already, or reserved by an open case. */
export interface Claimed {
  readonly quantity: number;
  readonly amount: number;
}

const nothing: Refundable = { quantity: 0, amount: 0 };

/** What is claimed of a line; `without` leaves one case out. */
export function claimedOf(order: Order, lineId: string, without?: string): Claimed {
  const tally = tallyOf(order, lineId);
  let quantity = tally.returned;
  let amount = tally.refunded;
  for (const one of openCasesOf(order)) {
    if (one.lineId !== lineId || one.caseId === without) continue;
    quantity += one.quantity;
    amount += one.amount;
  }
  return { quantity, amount };
}

/** What is claimed of all that was paid; `without` leaves one case out. */
export function claimedInAll(order: Order, without?: string): number {
  let amount = order.refunded;
  for (const one of openCasesOf(order)) if (one.caseId !== without) amount += one.amount;
  return amount;
}

/** What the overseas shop gives back of the tax, or is about to: it is no refund, and no refund may give it back again. */
export function taxBack({ tax }: Order): number {
  return tax?.surplus ?? 0;
}

/**
 * What can be refunded of a line now: the units left and their amount; or the amount of so many of them. `without` leaves out what
 * one case has reserved. A line that the order has not has nothing.
 */
export function refundableOf(
  order: Order,
  lineId: string,
  { units, without }: { readonly units?: number; readonly without?: string } = {},
): Refundable {
  const line = order.lines.find((one) => one.lineId === lineId);
  if (line === undefined) return nothing;
  const claimed = claimedOf(order, lineId, without);
  const left = Math.max(0, line.quantity - claimed.quantity);
  const quantity = units === undefined ? left : Math.min(units, left);
  const inAll = claimedInAll(order, without);
  const amount = policies[order.terms.refundable]({ order, lineId, line, claimed, inAll, left, quantity });
  // Late money is none of any line's: it has a case of its own.
  const paid = order.paidAt === undefined ? 0 : order.total;
  return { quantity, amount: Math.max(0, Math.min(amount, paid - inAll - taxBack(order))) };
}

/** What a case's own claim could be exchanged for in money: what its line has left, and what it has reserved itself. */
export function convertibleOf(order: Order, { caseId, lineId }: Pick<Case, "caseId" | "lineId">): Refundable {
  return lineId === undefined ? nothing : refundableOf(order, lineId, { without: caseId });
}

interface Question {
  readonly order: Order;
  readonly lineId: string;
  readonly line: Order["lines"][number];
  readonly claimed: Claimed;
  readonly inAll: number;
  readonly left: number;
  readonly quantity: number;
}

const policies: Readonly<Record<RefundablePolicy, (question: Question) => number>> = {
  /**
   * ShopXO 2.2.0 (domain 1.1): the goods at their price, freight added and discount taken only with the last goods. Its clause on lines
   * without any claim never applies: what is refunded of a line is no more than the line.
   */
  shopxoLast: ({ order, line, claimed, inAll, quantity }) => {
    const goods = Math.min(line.unitPrice * quantity, line.unitPrice * line.quantity - claimed.amount);
    return inAll + goods >= order.goods ? goods + (order.total - order.goods) : goods;
  },
  /** What was paid, shared over the lines by largest remainder: no line's share depends on another's refunds. */
  prorated: ({ order, lineId, line, claimed, left, quantity }) => {
    const ceiling = ceilingOf(order, lineId);
    const open = ceiling - claimed.amount;
    if (quantity === left) return open;
    return Math.min(open, Number((BigInt(ceiling) * BigInt(quantity)) / BigInt(line.quantity)));
  },
};

/** Shared out once for the same lines and sum: an order is asked for many a line's share. */
const shares = new WeakMap<
  Order["lines"],
  { readonly total: number; readonly byLine: ReadonlyMap<string, number> }
>();

/** A line's share of what the order costs. */
export function ceilingOf({ lines, total }: Order, lineId: string): number {
  let shared = shares.get(lines);
  if (shared?.total !== total) {
    const amounts = allocate(
      total,
      lines.map((line) => line.unitPrice * line.quantity),
    );
    shared = { total, byLine: new Map(lines.map((line, index) => [line.lineId, amounts[index] as number])) };
    shares.set(lines, shared);
  }
  return shared.byLine.get(lineId) as number;
}
