// How orders and cases stand in apifm's numbers and words (the client's index.d.ts:1195-1196; refundApply.wxml of its official shop).

import type { Case } from "../../domain/caseState.ts";
import type { CaseStatus } from "../../domain/caseLifecycle.ts";
import type { Fulfilment, Rating } from "../../domain/events.ts";
import type { OrderStatus } from "../../domain/lifecycle.ts";
import { type Order, openCasesOf } from "../../domain/state.ts";
import type { CaseType } from "../../domain/terms.ts";
import type { OrderFilter } from "../../projections/orders.ts";

/** -1 closed, 0 to be paid, 1 to be shipped, 2 to be received, 3 to be reviewed, 4 reviewed. */
export const orderNumbers = [-1, 0, 1, 2, 3, 4] as const;
export type OrderNumber = (typeof orderNumbers)[number];

export const orderWords: Readonly<Record<OrderNumber, string>> = {
  [-1]: "已关闭",
  0: "待支付",
  1: "已支付待发货",
  2: "已发货待确认",
  3: "确认收货待评价",
  4: "已评价",
};

const numberOfStatus: Readonly<Record<OrderStatus, OrderNumber>> = {
  pendingConfirmation: 0,
  pendingPayment: 0,
  paid: 1,
  shipped: 2,
  completed: 3,
  cancelled: -1,
  closed: -1,
};

export function orderNumberOf({ status, reviewedAt }: Pick<Order, "status" | "reviewedAt">): OrderNumber {
  return status === "completed" && reviewedAt !== undefined ? 4 : numberOfStatus[status];
}

/** A status in words where no order is at hand: that it was reviewed is not known then. */
export function wordOfStatus(status: string): string {
  if (status === "completed") return "交易成功";
  return Object.hasOwn(numberOfStatus, status)
    ? orderWords[numberOfStatus[status as OrderStatus]]
    : orderWords[-1];
}

/** The orders that stand at any of these numbers. */
export function standingAt(numbers: readonly OrderNumber[]): Pick<OrderFilter, "statuses" | "reviewed"> {
  const statuses = (Object.keys(numberOfStatus) as OrderStatus[]).filter(
    (status) => numbers.includes(numberOfStatus[status]) || (status === "completed" && numbers.includes(4)),
  );
  const [unreviewed, reviewed] = [numbers.includes(3), numbers.includes(4)];
  return unreviewed === reviewed ? { statuses } : { statuses, reviewed };
}

export const caseTypeNumbers: Readonly<Record<CaseType, 0 | 1 | 2>> = {
  refundOnly: 0,
  returnRefund: 1,
  exchange: 2,
};

export const caseTypeWords: Readonly<Record<CaseType, string>> = {
  refundOnly: "仅退款",
  returnRefund: "退款退货",
  exchange: "换货",
};

/** 0 applied for, 1 withdrawn, 2 refused, 3 under way, 4 done. */
export type CaseNumber = 0 | 1 | 2 | 3 | 4;

export const caseWords: Readonly<Record<CaseNumber, string>> = {
  0: "已申请待商家处理",
  1: "您已撤销",
  2: "商家拒绝",
  3: "处理中",
  4: "处理完成",
};

const numberOfCaseStatus: Readonly<Record<CaseStatus, CaseNumber>> = {
  requested: 0,
  awaitingReturn: 3,
  returnInTransit: 3,
  refundPending: 3,
  replacementPending: 3,
  replacementShipped: 3,
  refunded: 4,
  exchanged: 4,
  rejected: 2,
  cancelled: 1,
  closed: 2,
};

export function caseNumberOf({ status, closedBy }: Pick<Case, "status" | "closedBy">): CaseNumber {
  // Who lets the day pass on which goods were to be sent back has withdrawn.
  return status === "closed" && closedBy === "returnOverdue" ? 1 : numberOfCaseStatus[status];
}

export function wordOfCaseStatus(status: string): string {
  return caseWords[numberOfCaseStatus[status as CaseStatus]];
}

/** The return's own status (`status2`): 0 nothing to send, 1 the waybill is to be entered, 2 it is. */
export function returnNumberOf({
  status,
  returnShipment,
}: Pick<Case, "status" | "returnShipment">): 0 | 1 | 2 {
  if (returnShipment !== undefined) return 2;
  return status === "awaitingReturn" ? 1 : 0;
}

/** An order's or a line's `refundStatus`: 0 no case, 1 one that waits for somebody, 2 all have ended. */
export function refundNumberOf(order: Order, lineId?: string): 0 | 1 | 2 {
  const mine = (one: Case): boolean => lineId === undefined || one.lineId === lineId;
  if (openCasesOf(order).some(mine)) return 1;
  return order.cases.some(mine) ? 2 : 0;
}

/** Of a payment back: 1 to be paid, 2 on its way, 3 done, 4 failed. */
export function payoutNumberOf(state: Case["attempts"][number]["state"]): 2 | 3 | 4 {
  return state === "settled" ? 3 : state === "failed" ? 4 : 2;
}

export const payoutWords: Readonly<Record<2 | 3 | 4, string>> = { 2: "银行处理中", 3: "成功", 4: "失败" };

export const ratingNumbers: Readonly<Record<Rating, 0 | 1 | 2>> = { bad: 0, neutral: 1, good: 2 };
export const ratingWords: Readonly<Record<Rating, string>> = { bad: "差评", neutral: "中评", good: "好评" };

/** By apifm's number, as text. */
export const ratingOf: Readonly<Record<string, Rating>> = { 0: "bad", 1: "neutral", 2: "good" };
export const caseTypeOf: Readonly<Record<string, CaseType>> = {
  0: "refundOnly",
  1: "returnRefund",
  2: "exchange",
};

/** `peisongType`: a courier, to be fetched, or a local courier's service. */
export const fulfilmentOf: Readonly<Record<string, Fulfilment>> = {
  kd: "express",
  zq: "pickup",
  keloop: "local",
};

export const peisongTypes: Readonly<Partial<Record<Fulfilment, string>>> = {
  express: "kd",
  pickup: "zq",
  local: "keloop",
};
