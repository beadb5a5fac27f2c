// The event feed as server-sent events: every order's events from a position on, then live, as fast as the reader takes them.

import type { Engine } from "../engine.ts";
import type { Envelope } from "../store/codec.ts";

export interface FeedOptions {
  /** The position after which to begin; the beginning without it. */
  readonly after: string | undefined;
  /** Each ends the feed: the client has gone, or the server stops. */
  readonly ends: readonly AbortSignal[];
  /** After how long a silence a line is sent that says only that somebody is there. */
  readonly heartbeatMs: number;
}

/**
 * The feed as a response.
 * @throws StoreError `invalid` for a position that the store never gave out.
 */
export async function feed(
  engine: Engine,
  { after, ends, heartbeatMs }: FeedOptions,
): Promise<ReadableStream<Uint8Array>> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const signal of ends) {
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  }
  const events = engine.subscribe({ after, signal: ending.signal })[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let next = events.next();
  // A position that is none is found out at once, while a status can still say so.
  await Promise.race([next, new Promise((resolve) => setImmediate(() => setImmediate(resolve)))]);
  const close = async (): Promise<void> => {
    for (const signal of ends) signal.removeEventListener("abort", end);
    end();
    next.catch(() => undefined);
    await events.return?.();
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(encoder.encode(": aftersale\n\n")),
      pull: async (controller) => {
        let timer: NodeJS.Timeout | undefined;
        const silence = new Promise<"silence">((resolve) => {
          timer = setTimeout(() => resolve("silence"), heartbeatMs);
          timer.unref();
        });
        try {
          const come = await Promise.race([next, silence]);
          if (come === "silence") {
            controller.enqueue(encoder.encode(": still here\n\n"));
          } else if (come.done === true) {
            controller.close();
            await close();
          } else {
            next = events.next();
            controller.enqueue(encoder.encode(message(come.value)));
          }
        } catch (error) {
          const asked = ending.signal.aborted;
          await close().catch(() => undefined);
          // An end that was asked for is no fault.
          if (asked) controller.close();
          else controller.error(error);
        } finally {
          clearTimeout(timer);
        }
      },
      cancel: close,
    },
    { highWaterMark: 16 },
  );
}

function message(envelope: Envelope): string {
  return `id: ${envelope.position}\nevent: ${envelope.event.type}\ndata: ${JSON.stringify(eventDocument(envelope))}\n\n`;
}

/** An event as the API tells it. */
export function eventDocument({ event, meta, stream, revision, id }: Envelope): object {
  const { type, at, data } = event;
  const { actor, commandId, v } = meta;
  return { id, stream, revision: String(revision), type, version: v, at, actor, commandId, data };
}
