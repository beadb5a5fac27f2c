// What falls due on an order by itself: data that a view keeps and `runDue` fires, guarded again when the command is decided.

import { type Case, inFlight } from "./caseState.ts";
import { type Order, type OrderState, hasOpenCase, openCasesOf } from "./state.ts";

export type DeadlineKind = "unpaid" | "autoConfirm" | CaseDeadlineKind;

/** A return that is not sent, a replacement that is not confirmed, a refund that failed and may be tried again. */
export type CaseDeadlineKind = "returnShip" | "replacementConfirm" | "refundRetry";

export interface Deadline {
  readonly kind: DeadlineKind;
  /** The case it is about, by its id and by its number within the order; absent where it is the order's own. */
  readonly case?: { readonly caseId: string; readonly number: number };
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

/**
 * When receipt of a shipped order is confirmed by the system, all the time added that cases kept it waiting; undefined while one does,
 * and where the terms set no term.
 */
export function autoConfirmAt(
  order: Pick<Order, "shippedAt" | "terms" | "pausedSince" | "pausedFor">,
): number | undefined {
  return order.pausedSince === undefined ? confirmAt(order) : undefined;
}

/** While a case keeps the automatic receipt waiting: the oldest that does, and how many milliseconds are left when it is over. */
export function autoConfirmWaits(
  order: Order,
): { readonly caseId: string; readonly left: number } | undefined {
  const [oldest] = openCasesOf(order);
  const at = confirmAt(order);
  return order.pausedSince === undefined || oldest === undefined || at === undefined
    ? undefined
    : { caseId: oldest.caseId, left: Math.max(0, at - order.pausedSince) };
}

function confirmAt({
  shippedAt,
  terms,
  pausedFor,
}: Pick<Order, "shippedAt" | "terms" | "pausedFor">): number | undefined {
  return shippedAt === undefined || terms.autoConfirmDays === 0
    ? undefined
    : shippedAt + terms.autoConfirmDays * day + pausedFor;
}

/** Until when after-sale can be applied for; undefined before receipt, and where it never can be. */
export function afterSaleUntil({
  terms,
  receivedAt,
}: Pick<Order, "terms" | "receivedAt">): number | undefined {
  return receivedAt === undefined || terms.afterSaleDays === 0
    ? undefined
    : receivedAt + terms.afterSaleDays * day;
}

/** When a case whose goods should be on their way back is closed. */
export function returnShipBy(order: Pick<Order, "terms">, one: Case): number | undefined {
  const { returnShipDays } = order.terms;
  return one.status !== "awaitingReturn" || returnShipDays === 0
    ? undefined
    : (one.approvedAt as number) + returnShipDays * day;
}

/** When receipt of a replacement is confirmed by the system. */
export function replacementConfirmAt(order: Pick<Order, "terms">, one: Case): number | undefined {
  const { replacementConfirmDays } = order.terms;
  return one.status !== "replacementShipped" || replacementConfirmDays === 0
    ? undefined
    : (one.replacement?.at as number) + replacementConfirmDays * day;
}

/**
 * When a failed refund is tried again: after a minute, then twice as long each time, a day at the most. Undefined where it is not to
 * be, or as often as the terms allow was: then it waits for a person.
 */
export function refundRetryAt(order: Pick<Order, "terms">, one: Case): number | undefined {
  const last = one.attempts.at(-1);
  if (one.status !== "refundPending" || last === undefined || inFlight(one) !== undefined) return undefined;
  if (!last.retryable || one.attempts.length >= order.terms.refundAttempts) return undefined;
  return (last.endedAt as number) + Math.min(day, minute * 2 ** (one.attempts.length - 1));
}

function caseDeadlines(order: Order): readonly Deadline[] {
  return order.cases.flatMap((one): Deadline[] => {
    const due = {
      returnShip: returnShipBy(order, one),
      replacementConfirm: replacementConfirmAt(order, one),
      refundRetry: refundRetryAt(order, one),
    };
    return (Object.keys(due) as CaseDeadlineKind[]).flatMap((kind) => {
      const dueAt = due[kind];
      return dueAt === undefined ? [] : [{ kind, case: { caseId: one.caseId, number: one.number }, dueAt }];
    });
  });
}

function ownDeadline(order: Order): readonly Deadline[] {
  if (order.status === "pendingPayment") {
    return order.payBy === undefined ? [] : [{ kind: "unpaid", dueAt: order.payBy }];
  }
  if (order.status === "shipped") {
    const dueAt = autoConfirmAt(order);
    return dueAt === undefined ? [] : [{ kind: "autoConfirm", dueAt }];
  }
  return [];
}

/** The deadlines that stand now, earliest first; of one instant, the order's own, then the older case's. */
export function deadlinesOf(state: OrderState): readonly Deadline[] {
  if (state.status === "none") return [];
  const own = ownDeadline(state);
  if (!hasOpenCase(state)) return own;
  return [...own, ...caseDeadlines(state)].toSorted((a, b) => a.dueAt - b.dueAt);
}
