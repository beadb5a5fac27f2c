// Follows a store whose events are read in pages: catches up, says `live` once, then waits to be woken or looks again.

import { setImmediate as nextTurn } from "node:timers/promises";

import type { EventStore, Message, SubscribeOptions } from "./port.ts";

/** One subscription's alarm clock: the store wakes it after a commit and ends it on close. */
export interface Feed {
  wake(): void;
  end(): void;
}

export async function* follow(
  store: Pick<EventStore, "readAll">,
  { after, prefixes, signal }: SubscribeOptions,
  feeds: Set<Feed>,
  pollMs: number,
): AsyncGenerator<Message, void, void> {
  let ended = false;
  let woken = false;
  let wakeUp: (() => void) | undefined;
  const wake = (): void => {
    woken = true;
    wakeUp?.();
  };
  const end = (): void => {
    ended = true;
    wakeUp?.();
  };
  const feed: Feed = { wake, end };
  feeds.add(feed);
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted === true) ended = true;
  let checkpoint = after;
  let live = false;
  try {
    while (!ended) {
      woken = false;
      const page = await store.readAll({ after: checkpoint, prefixes });
      for (const event of page.events) {
        if (ended) return;
        yield { kind: "event", event };
      }
      if (ended) return;
      if (page.checkpoint !== undefined && page.checkpoint !== checkpoint) {
        checkpoint = page.checkpoint;
        yield { kind: "checkpoint", checkpoint };
      }
      if (!page.end) {
        // Stores in this process answer without a turn of the event loop: an abort or a timer must get its chance.
        await nextTurn();
        continue;
      }
      if (!live) {
        live = true;
        yield { kind: "live" };
      }
      if (ended || woken) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs);
        wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wakeUp = undefined;
    }
  } finally {
    signal?.removeEventListener("abort", end);
    feeds.delete(feed);
  }
}
