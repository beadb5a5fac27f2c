// Fires what has fallen due: each deadline once, as an ordinary command of the system with an id made from the deadline itself.

import * as E from "fp-ts/lib/Either.js";

import type { Command } from "../domain/commands.ts";
import { type Deadline, type DeadlineKind, deadlinesOf, isPast } from "../domain/deadlines.ts";
import type { Rejection } from "../domain/refusals.ts";
import type { CommandHandler, Receipt } from "./handle.ts";

/** What became of one deadline. */
export interface Fired extends Deadline {
  readonly orderId: string;
  readonly commandId: string;
  readonly result: E.Either<Rejection, Receipt>;
}

/** Where orders with deadlines before an instant are found, earliest first, a page at a time. */
export type DueOrders = (
  before: number,
  after: DueOrder | undefined,
) => Promise<readonly DueOrder[]>;

export interface DueOrder {
  readonly orderId: string;
  readonly dueAt: number;
}

/**
 * Fires every deadline that lies in an earlier second than `now` (milliseconds UTC), earliest first. Running it twice, or in two
 * processes at once, fires nothing twice: the command id is the deadline's, and the guard stands again in `decide`.
 */
export async function* runDue(
  handler: CommandHandler,
  dueOrders: DueOrders,
  now: number,
  signal?: AbortSignal,
): AsyncGenerator<Fired, void, void> {
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
        const commandId = `due:${found.orderId}:${deadline.kind}:${deadline.dueAt}`;
        const result = await handler.execute(commandOf(deadline.kind, found.orderId), {
          actor: { role: "system", id: "due" },
          commandId,
          at: now,
        });
        yield { ...deadline, orderId: found.orderId, commandId, result };
      }
    }
    if (page.length === 0) return;
  }
}

function commandOf(kind: DeadlineKind, orderId: string): Command {
  switch (kind) {
    case "unpaid":
      return { type: "ExpireOrder", orderId };
    case "autoConfirm":
      return { type: "ConfirmReceipt", orderId };
  }
}
