// Baidu's sender beside a running server: it follows the log until the server stops, and begins again where it was stopped by a fault.

import { setTimeout as sleep } from "node:timers/promises";

import { type SenderOptions, defaultMostBackOffMs, followChanges } from "../dialects/baidu/sender.ts";

/** What it gives stops it: what was being told is told again when somebody begins where the checkpoint stands. */
export function sending(options: Omit<SenderOptions, "sleep">): { stop(): Promise<void> } {
  const { log, mostBackOffMs = defaultMostBackOffMs } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const wait = (ms: number, until: AbortSignal) => sleep(ms, undefined, { signal: until, ref: false });
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        for await (const { orderId, operation, outcome, attempts } of followChanges(
          { ...options, sleep: wait },
          { signal },
        )) {
          if (outcome === "sent") log({ level: "info", event: "baiduTold", orderId, operation, attempts });
        }
      } catch (error) {
        if (signal.aborted) return;
        // Nothing was passed over: the checkpoint stands where it stood.
        log({ level: "error", event: "baiduStopped", error });
        await wait(mostBackOffMs, signal).catch(() => undefined);
      }
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort(new Error("the server stops"));
      await running;
    },
  };
}
