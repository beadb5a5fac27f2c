// One order in full: its state, and the log of what happened to it: who, when, from what to what, and why.

import type { Actor } from "../domain/actor.ts";
import { isCaseEvent } from "../domain/caseEvents.ts";
import type { CaseChartStatus } from "../domain/caseLifecycle.ts";
import { type NextCommand, nextOf } from "../domain/caseNext.ts";
import type { Case } from "../domain/caseState.ts";
import { type Deadline, deadlinesOf } from "../domain/deadlines.ts";
import type { OrderEvent } from "../domain/events.ts";
import { type ChartStatus, commandsFor } from "../domain/lifecycle.ts";
import type { CommandType } from "../domain/commands.ts";
import {
  type Ledger,
  type Order,
  type OrderState,
  evolve,
  hasOpenCase,
  initialState,
  ledgerOf,
} from "../domain/state.ts";
import { type Steps, stepsOf } from "../domain/steps.ts";
import { type Waiting, waitingOf } from "../domain/waiting.ts";
import type { Envelope } from "../store/codec.ts";

/** One line of an order's log. */
export interface LogEntry {
  readonly revision: bigint;
  readonly position: string;
  readonly event: OrderEvent["type"];
  /** Milliseconds UTC. */
  readonly at: number;
  readonly actor: Actor;
  readonly commandId: string;
  readonly from: ChartStatus;
  readonly to: ChartStatus;
  /** The case it is about, and the case's status before and after it; undefined where it is the order's own. */
  readonly case:
    | {
        readonly caseId: string;
        readonly number: number;
        readonly from: CaseChartStatus;
        readonly to: CaseChartStatus;
      }
    | undefined;
  /** The reason that was given, where one was; of an approval or a receipt the merchant's note. */
  readonly reason: string | undefined;
  readonly data: OrderEvent["data"];
}

/** How far a case is. */
export interface CaseProgress {
  readonly caseId: string;
  /** Its place among the order's cases, from 1. */
  readonly number: number;
  readonly steps: Steps;
  /** Whom it waits for; undefined once it has ended. */
  readonly waiting: Waiting | undefined;
  /** What would be accepted now, given soundly, and from whom. */
  readonly commands: readonly NextCommand[];
  /** The next one that stands. */
  readonly deadline: Deadline | undefined;
}

/** An order's state with the log that led there. */
export interface OrderTold {
  readonly order: Order;
  /** Revision of the last event it was folded from. */
  readonly revision: bigint;
  /** Oldest first. */
  readonly log: readonly LogEntry[];
}

export interface OrderDetail extends OrderTold {
  readonly deadlines: readonly Deadline[];
  /** The commands that its status allows; a command may still be refused for who asks, when, or with what. */
  readonly commands: readonly CommandType[];
  readonly ledger: Ledger;
  /** It has a case, whatever became of it. */
  readonly hasRefund: boolean;
  /** Whether one of its cases waits for somebody, all have ended, or there are none. */
  readonly refundStatus: "open" | "ended" | "none";
  /** How far each of `order.cases` is, in the same order, and what may be done about it and by whom. */
  readonly refunds: readonly CaseProgress[];
}

/** Folds an order's envelopes, oldest first; undefined where there is no order. */
export function tell(envelopes: readonly Envelope[]): OrderTold | undefined {
  let state: OrderState = initialState;
  const log: LogEntry[] = [];
  for (const { event, meta, revision, position } of envelopes) {
    const before = state;
    state = evolve(state, event);
    log.push({
      revision,
      position,
      event: event.type,
      at: event.at,
      actor: meta.actor,
      commandId: meta.commandId,
      from: before.status,
      to: state.status,
      case: caseMoved(before, state, event),
      reason: reasonOf(event),
      data: event.data,
    });
  }
  if (state.status === "none") return undefined;
  return { order: state, revision: (log.at(-1) as LogEntry).revision, log };
}

/**
 * Folds an order's envelopes into its detail; undefined where there is no order.
 * @param now for when to say what may be done about its cases: milliseconds UTC.
 */
export function detailOf(envelopes: readonly Envelope[], now: number): OrderDetail | undefined {
  const told = tell(envelopes);
  if (told === undefined) return undefined;
  const { order, revision, log } = told;
  const hasRefund = order.cases.length > 0;
  return {
    order,
    revision,
    log,
    deadlines: deadlinesOf(order),
    commands: commandsFor(order.status),
    ledger: ledgerOf(order),
    hasRefund,
    refundStatus: hasOpenCase(order) ? "open" : hasRefund ? "ended" : "none",
    refunds: order.cases.map((one) => progressOf(order, one, now)),
  };
}

/** How far a case of an order is, and what may be done about it at an instant. */
export function progressOf(order: Order, one: Case, now: number): CaseProgress {
  const { caseId, number } = one;
  return {
    caseId,
    number,
    steps: stepsOf(one),
    waiting: waitingOf(order, one),
    commands: nextOf(order, one, now),
    deadline: deadlinesOf(order).find((due) => due.case?.caseId === caseId),
  };
}

function caseMoved(before: OrderState, after: OrderState, event: OrderEvent): LogEntry["case"] {
  if (!isCaseEvent(event) || after.status === "none") return undefined;
  const { caseId } = event.data;
  const moved = after.cases.find((one) => one.caseId === caseId);
  if (moved === undefined) return undefined;
  const was = before.status === "none" ? undefined : before.cases.find((one) => one.caseId === caseId);
  return { caseId, number: moved.number, from: was?.status ?? "none", to: moved.status };
}

function reasonOf(event: OrderEvent): string | undefined {
  switch (event.type) {
    case "OrderCancelled":
    case "RefundApplied":
    case "RefundImported":
    case "RefundRejected":
    case "RefundClosed":
      return event.data.reason;
    case "RefundApproved":
    case "ReturnReceived":
      return event.data.personal?.note;
    case "RefundFailed":
      return event.data.message ?? event.data.failure;
    default:
      return undefined;
  }
}
