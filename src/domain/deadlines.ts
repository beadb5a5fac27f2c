// What falls due on an order by itself: data that a view keeps and `runDue` fires, guarded again when the command is decided.

import type { Order, OrderState } from "./state.ts";

export type DeadlineKind = "unpaid" | "autoConfirm";

export interface Deadline {
  readonly kind: DeadlineKind;
  /** Milliseconds UTC; it may fire in any later second. */
  readonly dueAt: number;
}

const minute = 60_000;
const day = 86_400_000;

/** Whether a deadline has passed: strictly later, compared in whole seconds as the sources do (domain 5, scenarios 2 and 18). */
export function isPast(dueAt: number, now: number): boolean {
  return Math.floor(now / 1000) > Math.floor(dueAt / 1000);
}

/** When an order that can be paid from `at` on expires; undefined where the terms set no window. */
export function payByOf(at: number, payWindowMinutes: number): number | undefined {
  return payWindowMinutes === 0 ? undefined : at + payWindowMinutes * minute;
}

/** When receipt of a shipped order is confirmed by the system; undefined where the terms set no term. */
export function autoConfirmAt(order: Pick<Order, "shippedAt" | "terms">): number | undefined {
  return order.shippedAt === undefined || order.terms.autoConfirmDays === 0
    ? undefined
    : order.shippedAt + order.terms.autoConfirmDays * day;
}

/** The deadlines that stand now, earliest first. */
export function deadlinesOf(state: OrderState): readonly Deadline[] {
  if (state.status === "pendingPayment") {
    return state.payBy === undefined ? [] : [{ kind: "unpaid", dueAt: state.payBy }];
  }
  if (state.status === "shipped") {
    const dueAt = autoConfirmAt(state);
    return dueAt === undefined ? [] : [{ kind: "autoConfirm", dueAt }];
  }
  return [];
}
