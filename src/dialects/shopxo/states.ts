// ShopXO's numbers and names for what an order and a case are (domain 1.1 and 2.4).

import { type CaseStatus, type ShopxoStatus, metaOf } from "../../domain/caseLifecycle.ts";
import type { Destination } from "../../domain/caseEvents.ts";
import type { Case } from "../../domain/caseState.ts";
import type { Fulfilment } from "../../domain/events.ts";
import type { OrderStatus } from "../../domain/lifecycle.ts";
import type { Order } from "../../domain/state.ts";
import type { CaseType } from "../../domain/terms.ts";

interface Named<N extends number> {
  readonly number: N;
  readonly name: string;
}

const orders: Readonly<Record<OrderStatus, Named<0 | 1 | 2 | 3 | 4 | 5 | 6>>> = {
  pendingConfirmation: { number: 0, name: "待确认" },
  pendingPayment: { number: 1, name: "待付款" },
  paid: { number: 2, name: "待发货" },
  shipped: { number: 3, name: "待收货" },
  completed: { number: 4, name: "已完成" },
  cancelled: { number: 5, name: "已取消" },
  closed: { number: 6, name: "已关闭" },
};

/** What an order's status is; goods to be fetched are waited for under another name. */
export function orderStatusOf({
  status,
  fulfilment,
}: Pick<Order, "status" | "fulfilment">): Named<0 | 1 | 2 | 3 | 4 | 5 | 6> {
  const { number, name } = orders[status];
  return { number, name: status === "paid" && fulfilment === "pickup" ? "待取货" : name };
}

const payments = ["待支付", "已支付", "已退款", "部分退款"] as const;

/** Whether an order is paid, and how much of that was given back: 0 to be paid, 1 paid, 2 all of it, 3 some of it. */
export function payStatusOf({
  paid,
  paidAt,
  refunded,
  closedByRefund,
}: Pick<Order, "paid" | "paidAt" | "refunded" | "closedByRefund">): Named<0 | 1 | 2 | 3> {
  const named = (number: 0 | 1 | 2 | 3): Named<0 | 1 | 2 | 3> => ({ number, name: payments[number] });
  if (paidAt === undefined && paid === 0) return named(0);
  if (closedByRefund || (refunded > 0 && refunded >= paid)) return named(2);
  return named(refunded > 0 ? 3 : 1);
}

export const models: Readonly<Record<Fulfilment, Named<0 | 1 | 2 | 3>>> = {
  express: { number: 0, name: "快递" },
  local: { number: 1, name: "同城" },
  pickup: { number: 2, name: "自提" },
  virtual: { number: 3, name: "虚拟销售" },
};

export const caseStatusNames: Readonly<Record<ShopxoStatus, string>> = {
  0: "待确认",
  1: "待退货",
  2: "待审核",
  3: "已完成",
  4: "已拒绝",
  5: "已取消",
};

/** What a case's status is, as the chart says; one that a case of its type never has is shown as 2, which nothing can be done to. */
export function caseStatusOf({
  status,
  type,
}: {
  readonly status: CaseStatus;
  readonly type: CaseType;
}): ShopxoStatus {
  return metaOf(status).shopxo[type] ?? 2;
}

/** ShopXO knows no exchange: it is shown as a return for which no money is asked. */
export const caseTypeOf: Readonly<Record<CaseType, 0 | 1>> = { refundOnly: 0, returnRefund: 1, exchange: 1 };

export const caseTypeNames = ["仅退款", "退款退货"] as const;

export const destinationNumbers: Readonly<Record<Destination, 0 | 1 | 2>> = {
  original: 0,
  wallet: 1,
  manual: 2,
};

/** Which way the money of a case goes, or went, back; an exchange gives none. */
export function destinationOf({ type, attempts }: Pick<Case, "type" | "attempts">): Destination {
  return type === "exchange" ? "manual" : (attempts.at(-1)?.destination ?? "original");
}

export const destinationNames = ["原路退回", "退至钱包", "手动处理"] as const;

/** What the buyer is told of a case. */
export const tips: Readonly<Record<ShopxoStatus, string>> = {
  0: "订单售后已提交申请，等待管理员确认中！",
  1: "订单售后，管理员已确认，请尽快完成退货！",
  2: "订单售后已退货，等待管理员审核中！",
  3: "订单售后已处理结束！",
  4: "订单售后申请已被拒绝！",
  5: "订单售后申请已关闭！",
};
