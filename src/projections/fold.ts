// Folds a page of the global order into a view's rows: every order in it from its own stream, before and after the page.

import { type Codec, orderPrefix } from "../store/codec.ts";
import type { OrderEventType } from "../domain/events.ts";
import { type LocalReads, type RecordedEvent, type StreamsRead, isAfter } from "../store/port.ts";
import type { AnyView, Writer } from "./view.ts";

/** How much of an event's data a fold reads: nothing, all, or what stands before a field. */
type Read = boolean | { readonly before: string };

/** What the folds of these views read of a whole stream, and no more; an event that may have to be lifted from an earlier shape is read whole. */
export function scanOf(
  views: readonly AnyView[],
  codec: Codec,
): Pick<StreamsRead, "types" | "dataOf" | "headOf" | "lean"> {
  const reads = new Map<OrderEventType, Read>();
  for (const view of views) {
    for (const [type, read] of Object.entries(view.reads) as [OrderEventType, Read][]) {
      reads.set(type, both(reads.get(type), read));
    }
  }
  const heads = [...reads].flatMap(([type, read]): [string, string][] =>
    typeof read === "object" && codec.versionOf(type) === 1 ? [[type, read.before]] : [],
  );
  return {
    types: [...reads.keys()],
    dataOf: [...reads].filter(([, read]) => read !== false).map(([type]) => type),
    headOf: Object.fromEntries(heads),
    lean: views.every(({ timeless }) => timeless === true) ? "timeless" : "time",
  };
}

/** As much of an event's data as two views read of it. */
function both(one: Read | undefined, other: Read): Read {
  if (one === undefined || one === false) return other;
  if (other === false) return one;
  return typeof one === "object" && typeof other === "object" && one.before === other.before ? one : true;
}

/** A whole order's summary in each of these views; each event is read once, and the state folded once for all whose summary it is. */
export function foldStream(
  views: readonly AnyView[],
  events: readonly RecordedEvent[],
  codec: Codec,
): readonly unknown[] {
  const [only, ...others] = views;
  if (only !== undefined && others.length === 0) {
    let summary: unknown;
    for (const recorded of events) summary = only.fold(summary, codec.decodeFact(recorded));
    return [summary];
  }
  const summaries: unknown[] = views.map(() => undefined);
  const first = views.findIndex((view) => view.ofState === true);
  for (const recorded of events) {
    const event = codec.decodeFact(recorded);
    views.forEach((view, index) => {
      const before = summaries[index];
      if (view.ofState === true && index !== first) summaries[index] = summaries[first];
      else if (index === first || view.reads[event.type] !== undefined)
        summaries[index] = view.fold(before, event);
    });
  }
  return summaries;
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
