// Fires what has fallen due: each deadline once, as an ordinary command of the system with an id made from the deadline itself.

import type * as E from "fp-ts/lib/Either.js";

import type { Command } from "../domain/commands.ts";
import { type Deadline, deadlinesOf, isPast } from "../domain/deadlines.ts";
import { limits } from "../domain/limits.ts";
import type { Rejection } from "../domain/refusals.ts";
import type { CommandHandler, Receipt } from "./handle.ts";
import { duePrefix } from "./parse.ts";

/** A deadline that has passed, and the id of the command that fires it. */
export interface Due extends Deadline {
  readonly orderId: string;
  readonly commandId: string;
}

/** What became of one deadline. */
export interface Fired extends Due {
  readonly result: E.Either<Rejection, Receipt>;
}

/** Where orders with deadlines before an instant are found, earliest first, a page at a time. */
export type DueOrders = (before: number, after: DueOrder | undefined) => Promise<readonly DueOrder[]>;

export interface DueOrder {
  readonly orderId: string;
  readonly dueAt: number;
}

/** Every deadline that lies in an earlier second than `now` (milliseconds UTC), earliest first, as each order stands when it is reached. */
export async function* listDue(
  handler: CommandHandler,
  dueOrders: DueOrders,
  now: number,
  signal?: AbortSignal,
): AsyncGenerator<Due, void, void> {
  const before = Math.floor(now / 1000) * 1000;
  let last: DueOrder | undefined;
  for (;;) {
    const page = await dueOrders(before, last);
    for (const found of page) {
      last = found;
      const state = await handler.state(found.orderId);
      for (const deadline of deadlinesOf(state)) {
        if (!isPast(deadline.dueAt, now)) continue;
        signal?.throwIfAborted();
        yield { ...deadline, orderId: found.orderId, commandId: commandIdOf(found.orderId, deadline) };
      }
    }
    if (page.length === 0) return;
  }
}

/**
 * Fires what `listDue` lists. Running it twice, or in two processes at once, fires nothing twice: the command id is the deadline's, and
 * the guard stands again in `decide`.
 */
export async function* runDue(
  handler: CommandHandler,
  dueOrders: DueOrders,
  now: number,
  signal?: AbortSignal,
): AsyncGenerator<Fired, void, void> {
  for await (const due of listDue(handler, dueOrders, now, signal)) {
    const { commandId } = due;
    const actor = { role: "system", id: "due" } as const;
    yield { ...due, result: await handler.execute(commandOf(due), { actor, commandId, at: now }) };
  }
}

/**
 * Command ids are their order's own, so where the order's id is too long to stand in one, it can be left out. Two cases of an order may
 * fall due at one instant: the kind carries the case's number, which is short whatever the case's id is (`returnShip.2`).
 */
function commandIdOf(orderId: string, { kind, dueAt, case: of }: Deadline): string {
  const what = of === undefined ? kind : `${kind}.${of.number}`;
  const commandId = `${duePrefix}${orderId}:${what}:${dueAt}`;
  return commandId.length <= limits.idLength ? commandId : `${duePrefix}${what}:${dueAt}`;
}

function commandOf({ kind, orderId, case: of }: Due): Command {
  const caseId = of?.caseId ?? "";
  switch (kind) {
    case "unpaid":
      return { type: "ExpireOrder", orderId };
    case "autoConfirm":
      return { type: "ConfirmReceipt", orderId };
    case "returnShip":
      return { type: "CloseRefund", orderId, caseId };
    case "replacementConfirm":
      return { type: "ConfirmReplacement", orderId, caseId };
    case "refundRetry":
      return { type: "IssueRefund", orderId, caseId };
  }
}
