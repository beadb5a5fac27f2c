// The wiki's numbers for what an order and a case are (domain 2.4), their texts, and which orders each type of its list holds.

import type { CaseStatus } from "../../domain/caseLifecycle.ts";
import type { Order } from "../../domain/state.ts";
import type { OrderFilter } from "../../projections/orders.ts";

/** The order's status codes with their texts; 11 订单已结束 is the source's too, and never produced here. */
export const statusTexts = {
  0: "待付款",
  1: "已付款待审",
  9: "已付款官方已审",
  2: "已下单",
  7: "已发货",
  3: "已收货交易完成",
  8: "税费有余等待退税",
  4: "已退税交易完成",
  [-1]: "订单取消",
  5: "订单取消等待退款",
  10: "订单取消已退款",
} as const;

export type WikiStatus = keyof typeof statusTexts;

const procured = { none: 1, audited: 9, purchased: 2 } as const;

export function orderStatus(
  order: Pick<Order, "status" | "procurement" | "tax" | "cancelRequestedAt" | "closedByRefund">,
): WikiStatus {
  switch (order.status) {
    case "pendingConfirmation":
    case "pendingPayment":
      return 0;
    case "paid":
      return order.cancelRequestedAt === undefined ? procured[order.procurement] : 5;
    case "shipped":
      return 7;
    case "completed":
      if (order.tax === undefined) return 3;
      return order.tax.refunded ? 4 : 8;
    case "cancelled":
      return -1;
    case "closed":
      return order.closedByRefund ? 10 : -1;
  }
}

/** 1 待审核, 2 处理中, 3 已赔付, 4 已拒绝, 5 已取消. */
export type WikiCaseStatus = 1 | 2 | 3 | 4 | 5;

const caseNumbers: Readonly<Record<CaseStatus, WikiCaseStatus>> = {
  requested: 1,
  awaitingReturn: 2,
  returnInTransit: 2,
  refundPending: 2,
  replacementPending: 2,
  replacementShipped: 2,
  refunded: 3,
  exchanged: 3,
  rejected: 4,
  cancelled: 5,
  closed: 5,
};

export function caseStatus(status: CaseStatus): WikiCaseStatus {
  return caseNumbers[status];
}

/** What each type of the list holds: 0 全部, 1 待付款, 2 待发货, 3 待收货, 4 已完成. An order being cancelled waits for no parcel. */
export const listTypes: readonly Pick<OrderFilter, "statuses" | "cancelRequested">[] = [
  {},
  { statuses: ["pendingConfirmation", "pendingPayment"] },
  { statuses: ["paid"], cancelRequested: false },
  { statuses: ["shipped"] },
  { statuses: ["completed"] },
];
