// Folds a page of the global order into a view's rows: every order in it from its own stream, before and after the page.

import { type Codec, orderPrefix } from "../store/codec.ts";
import type { OrderEventType } from "../domain/events.ts";
import { type LocalReads, type RecordedEvent, type StreamsRead, isAfter } from "../store/port.ts";
import type { AnyView, Writer } from "./view.ts";

/** What a view's fold reads of a whole stream, and no more; an event that may have to be lifted from an earlier shape is read whole. */
export function scanOf(
  view: AnyView,
  codec: Codec,
): Pick<StreamsRead, "types" | "dataOf" | "headOf" | "lean"> {
  const reads = Object.entries(view.reads) as [OrderEventType, boolean | { readonly before: string }][];
  const heads = reads.flatMap(([type, read]): [string, string][] =>
    typeof read === "object" && codec.versionOf(type) === 1 ? [[type, read.before]] : [],
  );
  return {
    types: reads.map(([type]) => type),
    dataOf: reads.filter(([, read]) => read !== false).map(([type]) => type),
    headOf: Object.fromEntries(heads),
    lean: view.timeless === true ? "timeless" : "time",
  };
}

/** Events to fold at a time: few enough that whoever waits meanwhile does not wait long. */
export const eventsAPage = 1_000;

/**
 * Brings rows on from a position (undefined: the beginning) by one page.
 * @returns the position after it, and whether the end was reached.
 */
export function foldPage(
  local: LocalReads,
  codec: Codec,
  view: AnyView,
  writer: Writer<unknown>,
  from: string | undefined,
): { readonly position: string | undefined; readonly end: boolean } {
  const { events, end } = local.readAll({ after: from, limit: eventsAPage });
  const last: RecordedEvent | undefined = events.at(-1);
  if (last === undefined) return { position: from, end: true };
  for (const stream of new Set(events.map((event) => event.stream))) {
    if (!stream.startsWith(orderPrefix)) continue;
    let before: unknown;
    let after: unknown;
    for (const recorded of local.readStream(stream)) {
      if (isAfter(recorded.position, last.position)) break;
      if (Object.hasOwn(view.reads, recorded.type)) after = view.fold(after, codec.decode(recorded).event);
      if (!isAfter(recorded.position, from)) before = after;
    }
    writer.change(stream.slice(orderPrefix.length), before, after);
  }
  writer.flush();
  return { position: last.position, end };
}
