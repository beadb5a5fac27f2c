// Two processes that fire all five kinds of deadlines of one file, or server, at once: each fires once, and each process keeps the order.
//
// AFTERSALE_CRASH_ROUNDS sets how many rounds (2).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { expect, inject, it } from "vitest";

import { day, minute, t0 } from "../domain/orders.ts";
import { open, sharedStores, tidyEngines } from "../engines.ts";
import { awaitReturn, kinds, waiting } from "./deadlines.ts";
import { all } from "./paying.ts";

tidyEngines();

const rounds = Number(process.env["AFTERSALE_CRASH_ROUNDS"] ?? 2);
const ordersAKind = 8;
const now = t0 + 60 * day;

interface Told {
  readonly orderId: string;
  readonly commandId: string;
  readonly dueAt: number;
  readonly outcome: string;
}

/** Starts a process that waits to be let go; gives what it told in the end. */
async function start(store: string): Promise<() => Promise<Told[]>> {
  const script = fileURLToPath(new URL("due-child.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, store, String(now)], { stdio: ["pipe", "pipe", "inherit"] });
  const told: Told[] = [];
  const reader = createInterface({ input: child.stdout });
  const opened = once(reader, "line");
  const ended = Promise.all([once(child, "exit"), once(reader, "close")]);
  await opened;
  reader.on("line", (line) => told.push(JSON.parse(line) as Told));
  return async () => {
    child.stdin.end();
    const [[code]] = (await ended) as [[number | null], unknown];
    expect(code).toBe(0);
    return told;
  };
}

it.each(sharedStores)(
  `each deadline fires once on one %s (${rounds} rounds)`,
  async (_kind, fresh) => {
    const failure = inject("buildFailure");
    if (failure !== "") throw new Error(failure);
    for (let round = 0; round < rounds; round += 1) {
      const store = await fresh();
      const engine = await open({ store });
      await Promise.all(
        Array.from({ length: ordersAKind }, async (_, at) => {
          for (const kind of kinds) {
            const orderId = `${kind}-${at}`;
            await waiting(engine, kind, orderId, t0 + ((at * 7) % ordersAKind) * minute);
            // A second case of the order falls due later than many other orders.
            if (kind === "returnShip") {
              const of = { lineId: "L2" };
              await awaitReturn(engine, orderId, `d-${orderId}`, t0 + ordersAKind * minute, of);
            }
          }
        }),
      );
      const due = await all(engine.due(now));
      expect(due).toHaveLength(ordersAKind * 6);
      expect(new Set(due.map(({ kind }) => kind))).toEqual(new Set(kinds));
      const before = new Map<string, number>();
      for (const { orderId } of due) before.set(orderId, (await engine.history(orderId)).length);

      const go = await Promise.all([start(store), start(store)]);
      const told = await Promise.all(go.map((run) => run()));

      for (const run of told) {
        const places = run.map(({ dueAt, orderId }) => `${String(dueAt).padStart(15, "0")} ${orderId}`);
        expect(places).toEqual(places.toSorted());
        expect(run.filter(({ outcome }) => !["fired", "replayed"].includes(outcome))).toEqual([]);
      }
      const fired = told.flat().filter(({ outcome }) => outcome === "fired");
      expect(fired.map(({ commandId }) => commandId).toSorted()).toEqual(
        due.map(({ commandId }) => commandId).toSorted(),
      );
      for (const [orderId, events] of before) {
        const added = (await engine.history(orderId)).slice(events);
        const expected = due.filter((one) => one.orderId === orderId).map(({ commandId }) => commandId);
        expect(added.map(({ meta }) => meta.commandId)).toEqual(expected);
      }
      // What is left of the returns that were closed is the receipt that they had kept waiting.
      expect(await all(engine.due(now))).toEqual([]);
      expect((await all(engine.due(now + 16 * day))).map(({ kind }) => kind)).toEqual(
        Array.from({ length: 2 * ordersAKind }, () => "autoConfirm"),
      );
      await engine.close();
    }
  },
  60_000 + rounds * 20_000,
);
