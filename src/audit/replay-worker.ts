// One worker of a replay on several cores: opens the file for reading, folds its share of the orders, and sends the totals.

import { parentPort, workerData } from "node:worker_threads";

import { openSqliteStore } from "../store/sqlite.ts";
import { type ReplayAnswer, type ReplayTask, replayOrders } from "./replay.ts";

const { path, index, of, position, time } = workerData as ReplayTask;
const send = (answer: ReplayAnswer): void => parentPort?.postMessage(answer);
const stopped = new AbortController();
parentPort?.once("message", () => stopped.abort());
const store = await openSqliteStore(path, { readOnly: true });
try {
  const totals = await replayOrders(store.local, {
    position,
    time,
    share: { index, of },
    signal: stopped.signal,
    onProgress: (done, total) => send({ kind: "progress", done, total }),
  });
  send({ kind: "totals", totals });
} finally {
  await store.close();
  parentPort?.close();
}
