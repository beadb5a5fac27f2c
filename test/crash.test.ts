// Kill -9 of a whole engine at any moment: every receipt that was printed has its events, once, and the views are what the events say.
//
// AFTERSALE_CRASH_ROUNDS sets how many rounds (8).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { expect, inject, it } from "vitest";

import { open, tidyEngines } from "./engines.ts";
import { newFile } from "./store/files.ts";

tidyEngines();

const rounds = Number(process.env["AFTERSALE_CRASH_ROUNDS"] ?? 8);

interface Printed {
  readonly orderId: string;
  readonly commandId: string;
  readonly revision: string;
  readonly position: string;
  readonly types: readonly string[];
  readonly replayed: boolean;
}

/** Runs the child until it has printed so many receipts, and kills it; gives all that it printed. */
async function killedAfter(file: string, name: string, receipts: number): Promise<Printed[]> {
  const script = fileURLToPath(new URL("crash-child.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, file, name, "16"], { stdio: ["ignore", "pipe", "inherit"] });
  const printed: Printed[] = [];
  let killed = false;
  const lines = createInterface({ input: child.stdout });
  const kill = (): void => {
    killed = true;
    child.kill("SIGKILL");
  };
  lines.on("line", (line) => {
    if (line !== "open") {
      try {
        printed.push(JSON.parse(line) as Printed);
      } catch {
        // The line during which it was killed: a receipt that nobody has read.
      }
    }
    if (!killed && printed.length >= receipts) kill();
  });
  await Promise.all([once(child, "exit"), once(lines, "close")]);
  if (!killed) throw new Error(`the child ended by itself after ${printed.length} receipts`);
  return printed;
}

it(
  `loses no receipt, doubles no event and leaves no view wrong (${rounds} rounds)`,
  async () => {
    const failure = inject("buildFailure");
    if (failure !== "") throw new Error(failure);
    const file = newFile();
    const printed: Printed[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // In the first moments, or well into it; at which step of which commit is chance.
      const receipts =
        round % 3 === 0 ? Math.floor(Math.random() * 20) : 100 + Math.floor(Math.random() * 900);
      const two = round % 4 === 3;
      const runs = [killedAfter(file, `a${round}`, receipts)];
      if (two) runs.push(killedAfter(file, `b${round}`, receipts));
      for (const run of await Promise.all(runs)) printed.push(...run);

      const engine = await open({ store: `sqlite:${file}` });
      const ids = new Set<string>();
      let events = 0;
      const byOrder = new Map<string, Printed[]>();
      for (const one of printed) byOrder.set(one.orderId, [...(byOrder.get(one.orderId) ?? []), one]);
      for (const [orderId, receiptsOf] of byOrder) {
        const history = await engine.history(orderId);
        expect(history.map(({ revision }) => revision)).toEqual(history.map((_, at) => BigInt(at)));
        for (const { id } of history) ids.add(id);
        events += history.length;
        for (const { commandId, revision, position, types, replayed } of receiptsOf) {
          const own = history.filter(({ meta }) => meta.commandId === commandId);
          expect(replayed).toBe(false);
          expect(own.map(({ event }) => event.type)).toEqual(types);
          expect(own.at(-1)).toMatchObject({ revision: BigInt(revision), position });
        }
      }
      expect(ids.size).toBe(events);
      for (const { view, different, differences } of await engine.check()) {
        expect({ view, different, differences }).toEqual({ view, different: 0, differences: [] });
      }
      expect((await engine.views.statistics()).all.orders).toBe((await engine.replay()).orders);
      await engine.close();
    }
    expect(printed.length).toBeGreaterThan(rounds * 50);
  },
  60_000 + rounds * 20_000,
);
