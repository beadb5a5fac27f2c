// Views as they stood: folded from the events up to a position or an instant, into rows of their own that are thrown away afterwards.

import { type Codec, codec as currentCodec, orderPrefix } from "../store/codec.ts";
import { type Database, openDatabase } from "../store/database.ts";
import type { LocalReads } from "../store/port.ts";
import { foldPage, scanOf } from "./fold.ts";
import type { AnyView } from "./view.ts";

/** Up to where to fold; everything without either. */
export interface Bound {
  /** Inclusive. */
  readonly position?: string | undefined;
  /** Inclusive; milliseconds UTC. */
  readonly time?: number | undefined;
}

export interface Scratch extends Disposable {
  readonly database: Database;
  readonly prefix: string;
  /** Brings it on to the store's end, in this tick, and says where that is; only for one that was folded up to a position. */
  advance(): string | undefined;
}

const streamsAPage = 2_000;

/**
 * Folds a view from nothing, in memory, in one pass over all orders; `nothing` leaves it empty, to be brought on.
 * @param onProgress called after each chunk with the orders seen and how many there are.
 */
export async function buildScratch(
  local: LocalReads,
  view: AnyView,
  bound: Bound | "nothing" = {},
  {
    signal,
    onProgress,
    into,
    codec = currentCodec,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((done: number, total: number) => void) | undefined;
    /** A database of the caller's to fold into, which the caller closes. */
    readonly into?: Database | undefined;
    readonly codec?: Codec | undefined;
  } = {},
): Promise<Scratch> {
  const database = into ?? openDatabase(":memory:");
  const prefix = `${view.name}_0`;
  for (const { sql } of view.tables(prefix)) database.exec(sql);
  const writer = view.writer(database, prefix);
  const scan = scanOf([view], codec);
  const { position: upTo, time }: Bound = bound === "nothing" ? {} : bound;
  for (let after = 0; bound !== "nothing";) {
    signal?.throwIfAborted();
    const page = local.streams({
      ...scan,
      ...(bound.time === undefined ? {} : { lean: "time" }),
      after,
      limit: streamsAPage,
      upTo,
    });
    database.exec("BEGIN");
    for (const { stream, events } of page.streams) {
      if (!stream.startsWith(orderPrefix)) continue;
      let summary: unknown;
      for (const recorded of events) {
        const event = codec.decodeFact(recorded);
        if (time !== undefined && event.at > time) break;
        summary = view.fold(summary, event);
      }
      if (summary === undefined) continue;
      writer.change(stream.slice(orderPrefix.length), undefined, summary);
    }
    writer.flush();
    database.exec("COMMIT");
    after = page.next;
    onProgress?.(after, page.total);
    if (page.end) break;
    // Others in this process get their turn between two chunks.
    await new Promise(setImmediate);
  }
  let position = upTo;
  return {
    database,
    prefix,
    advance: () => {
      for (let end = false; !end;) ({ position, end } = foldPage(local, codec, view, writer, position));
      return position;
    },
    [Symbol.dispose]: () => {
      if (into === undefined) database.close();
    },
  };
}
