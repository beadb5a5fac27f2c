// What a view is: a fold of each order's events into a summary, and the rows it keeps of those summaries.

import { createHash } from "node:crypto";

import type { OrderEvent, OrderEventType } from "../domain/events.ts";
import type { Database } from "../store/database.ts";

/**
 * A view folds each order by itself and never refuses an event. Its rows are a function of the summaries, and change by the difference
 * between an order's summary before and after: so they can be kept inside the append, caught up later, or rebuilt beside, all alike.
 */
export interface View<S> {
  readonly name: string;
  /** Raise it when the fold or the rows change their meaning: the rows of another version are left alone, and rebuilt. */
  readonly version: number;
  /**
   * The events it folds: true where it reads their data, false where it needs to know only that they happened, and the name of a field
   * where it reads only what stands before that one (short facts without free text: ids, numbers, words of ours).
   */
  readonly reads: Readonly<Partial<Record<OrderEventType, boolean | { readonly before: string }>>>;
  /** It does not look at when an event happened. */
  readonly timeless?: true;
  /** Its summary is the order's state itself, so that whoever has folded that need not fold it again. */
  readonly ofState?: true;
  /** DDL of its tables; names begin with the prefix given, which is the generation's own. */
  tables(prefix: string): readonly { readonly name: string; readonly sql: string }[];
  /** The summary after one more event; undefined before the order's first. */
  fold(summary: S | undefined, event: OrderEvent): S | undefined;
  /** Opens its tables for writing. */
  writer(database: Database, prefix: string): Writer<S>;
  /** All that its tables say, as texts in ascending order of their bytes: two generations with the same texts are equal. */
  rows(database: Database, prefix: string): Iterable<string>;
}

/** Takes changes of summaries, and writes their rows when told to: several changes of one row are written as one. */
export interface Writer<S> {
  change(orderId: string, before: S | undefined, after: S | undefined): void;
  flush(): void;
  /** How many rows wait to be written. */
  readonly waiting: number;
}

/** An order's summary before the first of its changes and after the last. */
export interface Change<S> {
  readonly before: S | undefined;
  after: S | undefined;
}

/** Takes a change in: several of one order are one. */
export function addChange<S>(
  changes: Map<string, Change<S>>,
  orderId: string,
  before: S | undefined,
  after: S | undefined,
): void {
  const earlier = changes.get(orderId);
  if (earlier === undefined) changes.set(orderId, { before, after });
  else earlier.after = after;
}

export type AnyView = View<unknown>;

/** A view of any summary, for lists of views; the runner hands each only its own summaries. */
export function anyView<S>(view: View<S>): AnyView {
  return view as unknown as AnyView;
}

/** What makes two definitions of a view the same: its name, version, events and tables. */
export function definitionHash(view: AnyView): string {
  const definition = JSON.stringify([view.name, view.version, view.reads, view.tables("")]);
  return createHash("sha256").update(definition).digest("base64url");
}

/** The rows of a query of one column named `row`, one at a time. */
export function* textRows(database: Database, sql: string): Generator<string, void, void> {
  for (const { row } of database.prepare(sql).iterate() as unknown as Iterable<{ row: string }>) yield row;
}
