// Folds a copy's events as they come in, so that the views go along with them and need not read them again.

import type { OrderEvent } from "../domain/events.ts";
import { type OrderState, evolve, initialState } from "../domain/state.ts";
import { codec } from "../store/codec.ts";
import type { Copied } from "../store/mirror.ts";
import { type LocalReads, isStoreError } from "../store/port.ts";
import type { Summaries, Taken, ViewRunner } from "./runner.ts";

/** An order as far as it has come in. */
interface Folded {
  state: OrderState;
  summaries: Summaries;
  /** -1: no events. */
  revision: bigint;
}

/** How many orders stay folded: those whose next event is likely to come soon. */
const mostFolded = 10_000;

export class Arrivals {
  readonly #runner: ViewRunner;
  readonly #local: LocalReads;
  /** The orders that came in lately, and those before them: when the first are half of what may be kept, the others go. */
  #folded = new Map<string, Folded>();
  #older = new Map<string, Folded>();

  constructor(runner: ViewRunner, local: LocalReads) {
    this.#runner = runner;
    this.#local = local;
  }

  /** The copy's hook: hands each order's summaries before and after to the views, inside the transaction that adds its events. */
  take(copied: readonly Copied[], after: string | undefined, epoch: number): void {
    if (!this.#runner.follows(after, epoch)) return;
    const taken = this.#foldAll(copied, after);
    if (taken !== undefined) this.#runner.keep(taken, epoch);
  }

  /** A change of each order; undefined where an event cannot be folded: who brings the views on meets it again, and says what is wrong. */
  #foldAll(copied: readonly Copied[], after: string | undefined): readonly Taken[] | undefined {
    const orders = new Map<string, { readonly before: Summaries; readonly folded: Folded }>();
    try {
      for (const { recorded, fact } of copied) {
        const { stream, revision } = recorded;
        const order = orders.get(stream) ?? this.#begin(stream, revision);
        orders.set(stream, order);
        this.#fold(order.folded, fact, revision);
      }
    } catch (fault) {
      if (isStoreError(fault) && fault.code !== "newer" && fault.code !== "corrupt") throw fault;
      return undefined;
    }
    const lastPosition = (copied.at(-1) as Copied).recorded.position;
    return Array.from(orders, ([stream, { before, folded }]) => ({
      stream,
      after,
      lastPosition,
      context: { before, after: folded.summaries },
    }));
  }

  #begin(stream: string, revision: bigint): { readonly before: Summaries; readonly folded: Folded } {
    const folded = this.#before(stream, revision);
    if (this.#folded.size * 2 >= mostFolded) {
      this.#older = this.#folded;
      this.#folded = new Map();
    }
    this.#folded.set(stream, folded);
    return { before: folded.summaries, folded };
  }

  /**
   * The order as it stood before this revision: as it is known, or read from the copy. What has come in without being taken along, or with
   * a transaction that was undone, is known by its end.
   */
  #before(stream: string, revision: bigint): Folded {
    const known = this.#folded.get(stream) ?? this.#older.get(stream);
    if (known?.revision === revision - 1n) return known;
    const fresh: Folded = { state: initialState, summaries: this.#runner.emptySummaries, revision: -1n };
    if (revision > 0n) {
      for (const recorded of this.#local.readStream(stream, { to: revision - 1n })) {
        this.#fold(fresh, codec.decode(recorded).event, recorded.revision);
      }
    }
    return fresh;
  }

  #fold(folded: Folded, fact: OrderEvent, revision: bigint): void {
    folded.state = evolve(folded.state, fact);
    folded.summaries = this.#runner.evolve(folded.summaries, fact, folded.state);
    folded.revision = revision;
  }
}
