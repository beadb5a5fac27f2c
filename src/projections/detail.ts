// One order in full: its state, and the log of what happened to it: who, when, from what to what, and why.

import type { Actor } from "../domain/actor.ts";
import { type Deadline, deadlinesOf } from "../domain/deadlines.ts";
import type { OrderEvent } from "../domain/events.ts";
import { type ChartStatus, commandsFor } from "../domain/lifecycle.ts";
import type { CommandType } from "../domain/commands.ts";
import { type Order, type OrderState, evolve, initialState } from "../domain/state.ts";
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
  /** The reason that was given, where one was. */
  readonly reason: string | undefined;
  readonly data: OrderEvent["data"];
}

export interface OrderDetail {
  readonly order: Order;
  /** Revision of the last event it was folded from. */
  readonly revision: bigint;
  /** Oldest first. */
  readonly log: readonly LogEntry[];
  readonly deadlines: readonly Deadline[];
  /** The commands that its status allows; a command may still be refused for who asks, when, or with what. */
  readonly commands: readonly CommandType[];
}

/** Folds an order's envelopes into its detail; undefined where there is no order. */
export function detailOf(envelopes: readonly Envelope[]): OrderDetail | undefined {
  let state: OrderState = initialState;
  const log: LogEntry[] = [];
  for (const { event, meta, revision, position } of envelopes) {
    const from = state.status;
    state = evolve(state, event);
    log.push({
      revision,
      position,
      event: event.type,
      at: event.at,
      actor: meta.actor,
      commandId: meta.commandId,
      from,
      to: state.status,
      reason: reasonOf(event),
      data: event.data,
    });
  }
  if (state.status === "none") return undefined;
  return {
    order: state,
    revision: (log.at(-1) as LogEntry).revision,
    log,
    deadlines: deadlinesOf(state),
    commands: commandsFor(state.status),
  };
}

function reasonOf(event: OrderEvent): string | undefined {
  switch (event.type) {
    case "OrderCancelled":
    case "RefundApplied":
    case "RefundImported":
    case "RefundRejected":
    case "RefundClosed":
      return event.data.reason;
    default:
      return undefined;
  }
}
