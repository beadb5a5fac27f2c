// Kill -9 of the refund process at any moment, above all between the provider's answer and the append: no refund is paid twice, none is
// lost, and in the end the provider's book and the ledger say the same.
//
// AFTERSALE_CRASH_ROUNDS sets how many rounds (3).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { expect, inject, it } from "vitest";

import type { RefundAnswer } from "../../src/commands/refundPorts.ts";
import { t0 } from "../domain/orders.ts";
import { open, sharedStores, tidyEngines } from "../engines.ts";
import { newFolder } from "../store/files.ts";
import { all, caseOf, flying, orderOf } from "./paying.ts";

tidyEngines();

const rounds = Number(process.env["AFTERSALE_CRASH_ROUNDS"] ?? 3);
const refundsARound = 16;
const hour = 3_600_000;

interface House {
  readonly store: string;
  readonly book: string;
}

/** What the provider's book says of each refund that it knows. */
function bookOf({ book }: House): Map<string, RefundAnswer> {
  const entries = readdirSync(book).filter((name) => name.endsWith(".json"));
  return new Map(
    entries.map((name) => [
      name.slice(0, -".json".length).replace("_", ":"),
      JSON.parse(readFileSync(join(book, name), "utf8")) as RefundAnswer,
    ]),
  );
}

/** Runs the process until it has said so many lines, and kills it; or, without a number, to its end. Gives what it said. */
async function runChild(
  { store, book }: House,
  now: number,
  mode: "race" | "hang",
  lines?: number,
): Promise<string[]> {
  const script = fileURLToPath(new URL("refund-child.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, store, book, String(now), mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    said.push(line);
    if (lines !== undefined && said.length >= lines) child.kill("SIGKILL");
  });
  const [[code]] = (await Promise.all([once(child, "exit"), once(reader, "close")])) as [
    [number | null],
    unknown,
  ];
  if (code !== null) expect(code).toBe(0);
  if (lines === undefined) expect(code).toBe(0);
  return said;
}

function asked(said: readonly string[]): string[] {
  return said.filter((line) => line.startsWith("pay ")).map((line) => line.slice("pay ".length));
}

it.each(sharedStores)(
  `pays each refund once and records it once, on one %s (${rounds} rounds)`,
  async (_kind, fresh) => {
    const failure = inject("buildFailure");
    if (failure !== "") throw new Error(failure);
    const house: House = { store: await fresh(), book: join(newFolder(), "book") };
    mkdirSync(house.book);
    const orders: string[] = [];
    const moved: string[] = [];
    let unrecorded = 0;
    for (let round = 0; round < rounds; round += 1) {
      const engine = await open({
        store: house.store,
        terms: { "*": { refundAttempts: 100 } },
      });
      const added = Array.from({ length: refundsARound }, (_, at) => `o-${round}-${at}`);
      await Promise.all(added.map((orderId) => flying(engine, orderId)));
      orders.push(...added);
      await engine.close();

      const known = bookOf(house);
      const now = t0 + round * 10_000 * hour;
      // One that never answers, one that is killed somewhere, or two at once on the same store and book. Of those that are never
      // answered there are eight at a time: from the tenth line on, at least one has moved its money.
      const kind = round % 3;
      const runs = await Promise.all(
        kind === 0
          ? [runChild(house, now, "hang", 10 + Math.floor(Math.random() * 8))]
          : Array.from({ length: kind }, () =>
              runChild(house, now, "race", 2 + Math.floor(Math.random() * 50)),
            ),
      );
      for (const said of runs) {
        moved.push(...said.filter((line) => line.startsWith("moved ")));
        // It asks before it pays: what the book knew when the process began is not asked to be paid again.
        expect(asked(said).filter((refundId) => known.has(refundId))).toEqual([]);
      }
      const after = await open({ store: house.store });
      const book = bookOf(house);
      for (const { refundId } of await all(after.refundsInFlight())) if (book.has(refundId)) unrecorded += 1;
      await after.close();
    }
    // That is what was to be survived: money that has moved, and of which nothing is recorded yet.
    expect(unrecorded).toBeGreaterThan(0);

    // Two at once come to the end of it together.
    const ends = await Promise.all([1, 2].map(() => runChild(house, t0 + rounds * 10_000 * hour, "race")));
    moved.push(...ends.flat().filter((line) => line.startsWith("moved ")));
    const recorded = ends.flat().filter((line) => line.startsWith("recorded "));
    expect(new Set(recorded).size).toBe(recorded.length);
    expect(new Set(moved).size).toBe(moved.length);

    const engine = await open({ store: house.store });
    expect(await all(engine.refundsInFlight())).toEqual([]);
    const book = bookOf(house);
    const ledger = new Map<string, string>();
    let refunded = 0;
    for (const orderId of orders) {
      const one = await caseOf(engine, orderId);
      expect(one.status).toBe("refunded");
      for (const { refundId, state } of one.attempts) ledger.set(refundId, state);
      expect(one.attempts.filter(({ state }) => state === "settled")).toHaveLength(1);
      const history = await engine.history(orderId);
      expect(history.filter(({ event }) => event.type === "RefundSettled")).toHaveLength(1);
      refunded += (await orderOf(engine, orderId)).refunded;
    }
    const words = { settled: "settled", refused: "failed", pending: "inFlight" };
    expect(new Map([...book].map(([refundId, { status }]) => [refundId, words[status]]))).toEqual(ledger);
    const paid = [...book.values()].reduce(
      (sum, answer) => sum + (answer.status === "settled" ? answer.amount : 0),
      0,
    );
    expect(paid).toBe(refunded);
    expect(refunded).toBe(orders.length * 1_000);
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
  },
  60_000 + rounds * 20_000,
);
