// What a running server does by itself: fires deadlines that have passed, finishes payments, and has refunds paid back.

import * as E from "fp-ts/lib/Either.js";

import type { Log } from "../dialects/ports.ts";
import type { Engine } from "../engine.ts";

/** Once through all of it; what goes wrong is logged, and tried again the next time. */
async function keepUp(engine: Engine, clock: () => number, log: Log, signal: AbortSignal): Promise<void> {
  const part = async (event: string, work: () => Promise<void>): Promise<void> => {
    if (signal.aborted) return;
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) log({ level: "error", event, error });
    }
  };
  await part("deadlinesFailed", async () => {
    for await (const { orderId, kind, result } of engine.runDue(clock(), { signal })) {
      log({ level: "info", event: "deadline", orderId, kind, accepted: E.isRight(result) });
    }
  });
  await part("paymentsFailed", async () => {
    for await (const { payId, orderId, outcome } of engine.wallet.settleHolds({ signal })) {
      log({ level: outcome === "unknown" ? "error" : "info", event: "payment", payId, orderId, outcome });
    }
  });
  await part("refundsFailed", async () => {
    for await (const { orderId, caseId, outcome } of engine.runRefunds({ signal })) {
      const level = outcome === "refused" || outcome === "unknown" ? "error" : "info";
      log({ level, event: "refund", orderId, caseId, outcome });
    }
  });
}

/** Does so every so often, one round at a time; what it gives stops it, and waits for a round under way. */
export function upkeep(
  engine: Engine,
  { everyMs, clock, log }: { readonly everyMs: number; readonly clock: () => number; readonly log: Log },
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let round = Promise.resolve();
  const next = (): void => {
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => {
      round = keepUp(engine, clock, log, stopping.signal).then(next);
    }, everyMs);
    timer.unref();
  };
  next();
  return {
    stop: async () => {
      stopping.abort(new Error("the server stops"));
      clearTimeout(timer);
      await round;
    },
  };
}
