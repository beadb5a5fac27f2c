// What a status of ours is in Baidu's order centre: an order's by its kind of goods, a case's, and what all cases of an order come to.

import type { CaseStatus } from "../../domain/caseLifecycle.ts";
import type { OrderStatus } from "../../domain/lifecycle.ts";
import type { Order } from "../../domain/state.ts";
import type { CaseType } from "../../domain/terms.ts";

/** 1: goods that are sent, 2: goods that are not. */
export type CateId = 1 | 2;

export function cateOf({ fulfilment }: Pick<Order, "fulfilment">): CateId {
  return fulfilment === "virtual" ? 2 : 1;
}

/** Every status that an order can have there, by CateID. */
export const mainStatuses: Readonly<Record<CateId, readonly number[]>> = {
  1: [1, 5, 6, 100, 200, 300],
  2: [1, 2, 3, 4, 100, 200, 300],
};

const mainOf: Readonly<Record<OrderStatus, Readonly<Record<CateId, number>>>> = {
  pendingConfirmation: { 1: 1, 2: 2 },
  pendingPayment: { 1: 1, 2: 1 },
  paid: { 1: 5, 2: 3 },
  shipped: { 1: 6, 2: 4 },
  completed: { 1: 200, 2: 200 },
  cancelled: { 1: 100, 2: 100 },
  closed: { 1: 100, 2: 100 },
};

/** An order's `Status`: 300 once its buyer has hidden it. */
export function mainStatusOf(order: Pick<Order, "status" | "fulfilment" | "hiddenByBuyerAt">): number {
  return order.hiddenByBuyerAt === undefined ? mainOf[order.status][cateOf(order)] : 300;
}

/** Every status of a sub-order: 405 and 406 are none. */
export const subStatuses = [400, 401, 402, 403, 404, 407] as const;
export type SubStatus = (typeof subStatuses)[number];

const subOf: Readonly<Record<CaseStatus, SubStatus>> = {
  requested: 400,
  awaitingReturn: 401,
  returnInTransit: 401,
  refundPending: 401,
  replacementPending: 401,
  replacementShipped: 401,
  refunded: 402,
  exchanged: 403,
  cancelled: 404,
  closed: 404,
  rejected: 407,
};

export function subStatusOf(status: CaseStatus): SubStatus {
  return subOf[status];
}

/** What the document says of a status, for a reason where a rule asks for one. */
export const refusedThere = "卖家已拒绝";

/** An open case wins over all that ended, and a success over what came to nothing. */
const byRank: readonly SubStatus[] = [401, 400, 402, 403, 407, 404];

/** `SubsOrder.Status`: what the sub-orders come to together; undefined of none. */
export function aggregateOf(statuses: readonly SubStatus[]): SubStatus | undefined {
  return byRank.find((status) => statuses.includes(status));
}

export const orderTypes: Readonly<Record<CaseType, 1 | 2 | 3>> = {
  refundOnly: 1,
  exchange: 2,
  returnRefund: 3,
};

export const caseTypeOf: Readonly<Record<1 | 2 | 3, CaseType>> = {
  1: "refundOnly",
  2: "exchange",
  3: "returnRefund",
};
