// Replays orders from their events alone: every state folded anew, on one core or several, up to any position or instant.

import { Worker } from "node:worker_threads";

import { type ExactSum, exactSum } from "../domain/money.ts";
import { type OrderState, evolve, initialState } from "../domain/state.ts";
import { type Codec, codec as currentCodec, orderPrefix } from "../store/codec.ts";
import type { LocalReads } from "../store/port.ts";

/** What a replay came to; two of them, over different orders, add up. */
export interface ReplayTotals {
  readonly orders: number;
  readonly events: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Minor units by currency. */
  readonly paid: Readonly<Record<string, ExactSum>>;
}

export interface ReplayOptions {
  /** Fold only what was committed up to here (inclusive). */
  readonly position?: string | undefined;
  /** Fold only what happened up to here (inclusive; milliseconds UTC). */
  readonly time?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Called with each order's state, in the order of creation. */
  readonly onOrder?: ((orderId: string, state: OrderState) => void) | undefined;
  readonly share?: { readonly index: number; readonly of: number } | undefined;
  readonly codec?: Codec | undefined;
}

const streamsAPage = 1_000;

/** Folds every order of a store that answers locally. */
export async function replayOrders(local: LocalReads, options: ReplayOptions = {}): Promise<ReplayTotals> {
  const { position, time, signal, onProgress, onOrder, share, codec = currentCodec } = options;
  const statuses = new Map<string, number>();
  const paid = new Map<string, bigint>();
  let orders = 0;
  let events = 0;
  for (let after = 0; ;) {
    signal?.throwIfAborted();
    const page = local.streams({ after, limit: streamsAPage, upTo: position, share, lean: "time" });
    for (const { stream, events: recorded } of page.streams) {
      if (!stream.startsWith(orderPrefix)) continue;
      let state: OrderState = initialState;
      for (const one of recorded) {
        const event = codec.decodeFact(one);
        if (time !== undefined && event.at > time) break;
        state = evolve(state, event);
        events += 1;
      }
      if (state.status === "none") continue;
      orders += 1;
      statuses.set(state.status, (statuses.get(state.status) ?? 0) + 1);
      if (state.paid !== 0) paid.set(state.currency, (paid.get(state.currency) ?? 0n) + BigInt(state.paid));
      onOrder?.(stream.slice(orderPrefix.length), state);
    }
    after = page.next;
    onProgress?.(after, page.total);
    if (page.end) break;
    await new Promise(setImmediate);
  }
  const sums = [...paid].map(([currency, sum]) => [currency, exactSum(sum)] as const);
  return { orders, events, statuses: sorted(statuses), paid: sorted(sums) };
}

function sorted<N extends ExactSum>(counts: Iterable<readonly [string, N]>): Record<string, N> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function added<N extends ExactSum>(
  a: Readonly<Record<string, N>>,
  b: Readonly<Record<string, N>>,
  plus: (sum: N, value: N) => N,
): Record<string, N> {
  const sums = new Map<string, N>(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? value : plus(sum, value));
  }
  return sorted(sums);
}

/** What a worker is given: the file, and which orders are its own. */
export interface ReplayTask {
  readonly path: string;
  readonly index: number;
  readonly of: number;
  readonly position?: string | undefined;
  readonly time?: number | undefined;
}

export type ReplayAnswer =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "totals"; readonly totals: ReplayTotals };

/** Folds every order of a SQLite file on several cores: each worker reads the file for itself and folds its share of the orders. */
export async function replayFile(
  path: string,
  workers: number,
  {
    position,
    time,
    signal,
    onProgress,
  }: Pick<ReplayOptions, "position" | "time" | "signal" | "onProgress"> = {},
): Promise<ReplayTotals> {
  signal?.throwIfAborted();
  const seen = Array.from({ length: workers }, () => 0);
  const running = Array.from({ length: workers }, (_, index) => {
    const task: ReplayTask = { path, index, of: workers, position, time };
    const worker = new Worker(new URL("./replay-worker.js", import.meta.url), { workerData: task });
    const totals = new Promise<ReplayTotals>((resolve, reject) => {
      let sent: ReplayTotals | undefined;
      worker.on("message", (answer: ReplayAnswer) => {
        if (answer.kind === "totals") {
          sent = answer.totals;
          return;
        }
        seen[index] = answer.done;
        // Every worker walks all streams and folds its own, so the slowest tells how far the whole is.
        onProgress?.(Math.min(...seen), answer.total);
      });
      worker.on("error", reject);
      worker.on("exit", (code) => {
        // Only once it has closed its file and gone: to end a thread in the middle of a native call may end the process.
        if (sent === undefined) reject(new Error(`a replay worker stopped with code ${code}`));
        else resolve(sent);
      });
    });
    return { worker, totals };
  });
  const stop = (): void => {
    for (const { worker } of running) worker.postMessage("stop");
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const parts = await Promise.all(running.map(({ totals }) => totals));
    return parts.reduce((a, b) => ({
      orders: a.orders + b.orders,
      events: a.events + b.events,
      statuses: added(a.statuses, b.statuses, (sum, count) => sum + count),
      paid: added(a.paid, b.paid, (sum, amount) => exactSum(BigInt(sum) + BigInt(amount))),
    }));
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
