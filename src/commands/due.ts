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

/**
 * Every deadline that lies in an earlier second than `now` (milliseconds UTC), earliest first, and of one instant in the order of the
 * orders' ids; each once, if it still stands when it is reached. One that comes to stand only by the firing of another, at an instant
 * that was passed already, comes next.
 */
export async function* listDue(
  handler: CommandHandler,
  dueOrders: DueOrders,
  now: number,
  signal?: AbortSignal,
): AsyncGenerator<Due, void, void> {
  const before = Math.floor(now / 1000) * 1000;
  const standing = async (orderId: string): Promise<readonly Due[]> =>
    deadlinesOf(await handler.state(orderId))
      .filter(({ dueAt }) => isPast(dueAt, now))
      .map((deadline) => ({ ...deadline, orderId, commandId: commandIdOf(orderId, deadline) }));
  const ahead = new Ahead();
  async function* until(place: DueOrder | undefined): AsyncGenerator<Due, void, void> {
    for (let due = ahead.take(place); due !== undefined; due = ahead.take(place)) {
      const { orderId, commandId } = due;
      const earlier = await standing(orderId);
      if (!earlier.some((one) => one.commandId === commandId)) continue;
      signal?.throwIfAborted();
      yield due;
      for (const one of await standing(orderId)) {
        if (!earlier.some((known) => known.commandId === one.commandId)) ahead.add(one);
      }
    }
  }
  // An order is found by its earliest deadline alone; the others wait until it is their turn among all.
  let last: DueOrder | undefined;
  for (;;) {
    const page = await dueOrders(before, last);
    for (const found of page) {
      yield* until(found);
      for (const due of await standing(found.orderId)) ahead.add(due);
    }
    last = page.at(-1);
    if (last === undefined) return yield* until(undefined);
  }
}

/** Deadlines whose turn has not come: a binary heap, each deadline in it once. */
class Ahead {
  readonly #heap: (Due & { readonly place: number })[] = [];
  readonly #held = new Set<string>();
  #added = 0;

  add(due: Due): void {
    const key = heldAs(due);
    if (this.#held.has(key)) return;
    this.#held.add(key);
    const heap = this.#heap;
    // Of one order and instant they keep the order in which they were added.
    this.#added += 1;
    const one = { ...due, place: this.#added };
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!comesBefore(one, heap[above] as typeof one)) break;
      heap[at] = heap[above] as typeof one;
      at = above;
    }
    heap[at] = one;
  }

  /** The first of all, if it comes before a place (undefined: the end of all). */
  take(place: DueOrder | undefined): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || (place !== undefined && !comesBefore(first, place))) return undefined;
    const last = heap.pop() as typeof first;
    if (heap.length > 0) {
      let at = 0;
      for (;;) {
        let below = at * 2 + 1;
        const right = heap[below + 1];
        if (right !== undefined && comesBefore(right, heap[below] as typeof first)) below += 1;
        const next = heap[below];
        if (next === undefined || !comesBefore(next, last)) break;
        heap[at] = next;
        at = below;
      }
      heap[at] = last;
    }
    this.#held.delete(heldAs(first));
    const { place: _place, ...due } = first;
    return due;
  }
}

function heldAs({ orderId, commandId }: Due): string {
  return `${orderId}/${commandId}`;
}

function comesBefore(
  a: DueOrder & { readonly place?: number },
  b: DueOrder & { readonly place?: number },
): boolean {
  if (a.dueAt !== b.dueAt) return a.dueAt < b.dueAt;
  if (a.orderId !== b.orderId) return a.orderId < b.orderId;
  return (a.place ?? 0) < (b.place ?? 0);
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
