// Kill -9 at any moment: what was acknowledged is there, once and whole, and the file opens.
//
// AFTERSALE_CRASH_ROUNDS sets how many rounds (10).

import { describe, expect, it } from "vitest";

import type { RecordedEvent } from "../../src/store/port.ts";
import { newFile, openFile, tidyFiles } from "./files.ts";
import { type Acknowledged, startWriter } from "./processes.ts";
import { readEverything } from "./samples.ts";

tidyFiles();

const rounds = Number(process.env["AFTERSALE_CRASH_ROUNDS"] ?? 10);

/** Acknowledged events that are not stored just as it was said. */
function missing(acknowledged: readonly Acknowledged[], all: readonly RecordedEvent[]): unknown[] {
  const stored = new Map(all.map((event) => [event.id, event]));
  return acknowledged.flatMap(({ stream, events, revision, position }) =>
    events.filter(({ id, type, data, meta }, at) => {
      const found = stored.get(id);
      const behind = events.length - 1 - at;
      return (
        found?.stream !== stream ||
        found.type !== type ||
        found.data !== data ||
        found.meta !== meta ||
        found.revision !== BigInt(revision) - BigInt(behind) ||
        (behind === 0 && found.position !== position)
      );
    }),
  );
}

/** Events that leave a hole before them in their stream. */
function behindHoles(all: readonly RecordedEvent[]): RecordedEvent[] {
  const next = new Map<string, bigint>();
  return all.filter(({ stream, revision }) => {
    const wanted = next.get(stream) ?? 0n;
    next.set(stream, revision + 1n);
    return revision !== wanted;
  });
}

/** Batches of which a part is missing. Each event says its place in its batch, which stands together in the global order. */
function torn(all: readonly RecordedEvent[]): RecordedEvent[] {
  let place = 0;
  let size = 0;
  const broken = all.filter(({ data }) => {
    const own = JSON.parse(data) as { at: number; size: number };
    if (place === size) [place, size] = [0, own.size];
    place += 1;
    return own.at !== place - 1 || own.size !== size;
  });
  return place === size ? broken : [...broken, ...all.slice(-1)];
}

describe("a process killed while it writes", () => {
  it(
    `loses nothing that it acknowledged, and leaves nothing half-written (${rounds} rounds)`,
    async () => {
      const path = newFile();
      const acknowledged: Acknowledged[] = [];
      for (let round = 0; round < rounds; round += 1) {
        // Two writers, so that one goes on, and recovers, where the other was killed.
        const one = startWriter(path, `a${round}`, "own", 32);
        const two = startWriter(path, `b${round}`, "own", 32);
        // At once, in the first commits, or later; how far into the work of that moment is chance.
        await one.reached(Math.floor(Math.random() * (round % 3 === 0 ? 2 : 400)));
        await one.kill();
        await two.reached(two.acknowledged.length + 64);
        await two.kill();
        acknowledged.push(...one.acknowledged, ...two.acknowledged);

        const store = await openFile(path);
        const all = await readEverything(store);
        expect(store.database.prepare("PRAGMA integrity_check").get()).toMatchObject({
          integrity_check: "ok",
        });
        await store.close();
        expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
        expect(missing(acknowledged, all)).toEqual([]);
        expect(behindHoles(all)).toEqual([]);
        expect(torn(all)).toEqual([]);
      }
      expect(acknowledged.length).toBeGreaterThan(rounds * 64);
    },
    60_000 + rounds * 10_000,
  );
});
