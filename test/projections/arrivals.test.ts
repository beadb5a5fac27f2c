// Views that go along with the events of a copy as they come in: nothing is read twice, and nothing counts twice.
//
// AFTERSALE_RUNS sets how many random courses are gone through (25).

import { setTimeout as delay } from "node:timers/promises";

import { fc, it } from "@fast-check/vitest";
import { afterEach, describe, expect, vi } from "vitest";

import { openEngine } from "../../src/engine.ts";
import { Arrivals } from "../../src/projections/arrivals.ts";
import { buildScratch } from "../../src/projections/asof.ts";
import { casesView } from "../../src/projections/cases.ts";
import { ordersView } from "../../src/projections/orders.ts";
import { ViewError, ViewRunner } from "../../src/projections/runner.ts";
import { searchView } from "../../src/projections/search.ts";
import { statisticsView } from "../../src/projections/statistics.ts";
import { type AnyView, anyView } from "../../src/projections/view.ts";
import { encodeMeta } from "../../src/store/codec.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { EsdbStore } from "../../src/store/esdb.ts";
import { type MemoryStore, openMemoryStore } from "../../src/store/memory.ts";
import { type CopyHook, openMirror } from "../../src/store/mirror.ts";
import { StoreError } from "../../src/store/port.ts";
import { buyer, minute, t0 } from "../domain/orders.ts";
import { accepted, by, newCase, stepOf, tidyEngines } from "../engines.ts";
import { newFile } from "../store/files.ts";

tidyEngines();

const numRuns = Number(process.env["AFTERSALE_RUNS"] ?? 25);

const views: readonly AnyView[] = [
  anyView(statisticsView),
  anyView(ordersView),
  anyView(searchView),
  anyView(casesView),
];

/** A server that is not away, on a store of this process. */
function serving(store: MemoryStore): EsdbStore {
  return {
    kind: store.kind,
    append: store.append.bind(store),
    readStream: store.readStream.bind(store),
    readAll: store.readAll.bind(store),
    takenClaim: store.takenClaim.bind(store),
    head: store.head.bind(store),
    subscribe: store.subscribe.bind(store),
    close: async () => undefined,
    place: "here",
    trouble: () => undefined,
    heard: () => true,
    async *subscribeInBulk(options) {
      for await (const message of store.subscribe(options)) {
        yield [message];
      }
    },
  };
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** The steps of a life: created, paid, shipped, received, reviewed, refund asked for. */
const allSteps = 6;

/** A store in which orders live; each call leads an order through its next steps. */
async function lived() {
  const store = openMemoryStore();
  const engine = await openEngine({ store, views: [] });
  closing.push(() => engine.close());
  const taken = new Map<string, number>();
  const lives = async (orderId: string, steps: number): Promise<void> => {
    const from = taken.get(orderId) ?? 0;
    taken.set(orderId, from + steps);
    for (let step = from; step < from + steps; step += 1) {
      const [command, actor] = step === allSteps - 1 ? [newCase(orderId), buyer] : stepOf(orderId, step);
      accepted(await engine.execute(command, by(actor, { at: t0 + step * minute })));
    }
  };
  return { store, lives };
}

/** Undoes the transactions whose end finds it so. */
function failing(fails: (...taken: Parameters<CopyHook>) => boolean): (hook: CopyHook) => CopyHook {
  return (hook) =>
    (...taken) => {
      hook(...taken);
      if (fails(...taken)) throw new StoreError("full", "no room");
    };
}

/** A copy of it and its views, joined as the engine joins them. */
async function copied(
  store: MemoryStore,
  path: string,
  around: (hook: CopyHook) => CopyHook = (hook) => hook,
  mostHeld?: number,
) {
  const mirror = await openMirror(serving(store), { path });
  const { copy } = mirror;
  const runner = await ViewRunner.open({
    store: copy,
    database: copy.database,
    shared: true,
    write: (work) => copy.write(work),
    views,
    mostHeld,
  });
  const arrivals = new Arrivals(runner, copy.local);
  mirror.setHook(
    around((...taken) => arrivals.take(...taken)),
    () => runner.undone(),
  );
  let open = true;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await runner.settle();
    await mirror.close();
  };
  closing.push(close);
  return {
    mirror,
    runner,
    close,
    /** How far each view's rows go, by what it took along alone. */
    reached: async () => {
      await runner.settle();
      return views.map(({ name }) => runner.position(name));
    },
    /** Whether each view's rows are those that the copy's events make. */
    equal: async () => {
      for (const view of views) {
        using scratch = await buildScratch(copy.local, view);
        const rows = [...view.rows(copy.database, runner.tables(view.name))];
        expect(rows).toEqual([...view.rows(scratch.database, scratch.prefix)]);
        expect(rows).not.toEqual([]);
      }
    },
  };
}

describe("views over a copy", () => {
  it("go along from the first event on", async () => {
    const { store, lives } = await lived();
    for (let order = 0; order < 40; order += 1) await lives(`o-${order}`, 1 + (order % allSteps));
    const there = await copied(store, newFile());
    await there.mirror.catchUp();
    const head = await store.head();
    const scans = vi.spyOn(there.mirror.copy.local, "streams");
    await there.runner.catchUpAll();
    expect(scans).not.toHaveBeenCalled();
    expect(await there.reached()).toEqual(views.map(() => head));
    await there.equal();
    // What is no order's moves the place up to which all was looked at, and no view.
    const id = "00000000-0000-4000-8000-000000000001";
    await store.append("wallet-b-1", "none", [{ id, type: "WalletOpened", data: "{}", meta: "{}" }]);
    await expect.poll(async () => (await there.mirror.status()).position).toBe(await store.head());
    await lives("o-new", allSteps);
    await lives("o-0", allSteps - 1);
    await there.mirror.catchUp();
    const now = await store.head();
    expect(now).not.toBe(head);
    expect(await there.reached()).toEqual(views.map(() => now));
    await there.equal();
  });

  it("go on with orders of which they have seen the beginning only in their file", async () => {
    const { store, lives } = await lived();
    for (let order = 0; order < 12; order += 1) await lives(`o-${order}`, order % allSteps);
    const path = newFile();
    const before = await copied(store, path);
    await before.mirror.catchUp();
    await before.close();
    for (let order = 0; order < 12; order += 1) await lives(`o-${order}`, allSteps - (order % allSteps));
    const after = await copied(store, path);
    await after.mirror.catchUp();
    const head = await store.head();
    expect(await after.reached()).toEqual(views.map(() => head));
    await after.equal();
  });

  it("take along once what came in with a transaction that was undone", async () => {
    const { store, lives } = await lived();
    for (let order = 0; order < 9; order += 1) await lives(`o-${order}`, allSteps);
    let failures = 0;
    const there = await copied(
      store,
      newFile(),
      failing(() => (failures += 1) <= 2),
    );
    await there.mirror.catchUp();
    expect(failures).toBe(3);
    const head = await store.head();
    expect(await there.reached()).toEqual(views.map(() => head));
    await there.equal();
  });

  it("forget the rows that went with a transaction that was undone", async () => {
    const { store, lives } = await lived();
    let failed = false;
    let written: string | undefined;
    const around = failing(() => {
      const before = written;
      written = there.runner.position("orders");
      if (failed || before === undefined || written === before) return false;
      // Rows were written, and are not there.
      failed = true;
      return true;
    });
    const there = await copied(store, newFile(), around, 2);
    for (let order = 0; order < 8; order += 1) {
      await lives(`o-${order}`, allSteps);
      await there.mirror.catchUp();
    }
    expect(failed).toBe(true);
    await there.runner.catchUpAll();
    await there.equal();
  });

  it("that are behind take nothing along, and are brought on by whoever reads them", async () => {
    const { store, lives } = await lived();
    for (let order = 0; order < 9; order += 1) await lives(`o-${order}`, allSteps - 1);
    const path = newFile();
    const before = await copied(store, path, () => () => undefined);
    await before.mirror.catchUp();
    expect(await before.reached()).toEqual(views.map(() => undefined));
    await before.close();
    const after = await copied(store, path);
    const reads = vi.spyOn(after.mirror.copy.local, "readStream");
    await lives("o-8", 1);
    await lives("o-9", allSteps - 1);
    await after.mirror.catchUp();
    expect(await after.reached()).toEqual(views.map(() => undefined));
    expect(reads).not.toHaveBeenCalled();
    await after.runner.catchUpAll();
    await after.equal();
    // From then on they go along again.
    await lives("o-9", 1);
    await after.mirror.catchUp();
    const head = await store.head();
    expect(await after.reached()).toEqual(views.map(() => head));
    await after.equal();
  });

  it("stay behind an event that no order can have, which holds up nothing but them", async () => {
    const { store, lives } = await lived();
    const there = await copied(store, newFile());
    await lives("o-1", 5);
    await there.mirror.catchUp();
    const head = await store.head();
    const meta = encodeMeta({
      v: 1,
      at: t0,
      actor: { role: "system", id: "stranger" },
      commandId: "c-1",
      commandHash: "00",
    });
    const id = "00000000-0000-4000-8000-000000000001";
    await store.append("order-o-2", "none", [{ id, type: "OrderCreated", data: '{"lines":null}', meta }]);
    await lives("o-3", 5);
    await there.mirror.catchUp();
    expect((await there.mirror.status()).behind).toBe(0);
    expect(await there.reached()).toEqual(views.map(() => head));
    await expect(there.runner.ready("orders")).rejects.toBeInstanceOf(ViewError);
  });

  const doings = fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ order: fc.nat({ max: 5 }), steps: fc.integer({ min: 1, max: 3 }) }),
      },
      {
        weight: 4,
        arbitrary: fc.constantFrom("copy", "settle", "catchUpAll", "ready", "reopen", "fail", "rebuild"),
      },
    ),
    { minLength: 5, maxLength: 30 },
  );

  it.prop({ doings, mostHeld: fc.integer({ min: 1, max: 6 }) }, { numRuns })(
    "hold each event once, whatever happens in between",
    async (given) => {
      const { store, lives } = await lived();
      const path = newFile();
      const steps = new Map<number, number>();
      let fails = false;
      const around = failing(() => {
        const now = fails;
        fails = false;
        return now;
      });
      let there = await copied(store, path, around, given.mostHeld);
      const doing = {
        copy: () => there.mirror.catchUp(),
        settle: () => there.runner.settle(),
        catchUpAll: () => there.runner.catchUpAll(),
        ready: () => there.runner.ready("orders"),
        rebuild: () => there.runner.rebuild("statistics"),
        fail: async () => {
          fails = true;
        },
        reopen: async () => {
          await there.close();
          there = await copied(store, path, around, given.mostHeld);
        },
      };
      for (const one of given.doings) {
        if (typeof one === "string") await doing[one]();
        else {
          const taken = steps.get(one.order) ?? 0;
          const more = Math.min(one.steps, allSteps - taken);
          steps.set(one.order, taken + more);
          await lives(`o-${one.order}`, more);
        }
      }
      fails = false;
      await lives("o-last", allSteps);
      await there.mirror.catchUp();
      await there.runner.catchUpAll();
      await there.equal();
      await there.close();
    },
  );
});

describe("a copy whose file another one locks", () => {
  /** A copy that follows, with a second connection to its file that holds the lock. */
  async function locked(around?: (hook: CopyHook) => CopyHook) {
    const { store, lives } = await lived();
    const path = newFile();
    await lives("o-1", 1);
    const there = await copied(store, path, around);
    await there.mirror.catchUp();
    const other = openDatabase(path);
    closing.push(async () => other.close());
    other.exec("BEGIN IMMEDIATE");
    // The first waits for the lock before the second comes in.
    const comeIn = async (orderId: string): Promise<void> => {
      await lives(orderId, 1);
      await delay(60);
    };
    return { store, there, other, comeIn };
  }

  it("misses nothing of what comes in while another process copies the same", async () => {
    const { store, there, other, comeIn } = await locked();
    await comeIn("o-1");
    const theirs = await store.readStream("order-o-1", { from: 1n });
    await comeIn("o-1");
    const position = theirs.at(-1)?.position as string;
    const insert = other.prepare(
      `INSERT INTO events (position, stream_id, revision, type_id, id, meta, data)
       SELECT ?, streams.id, ?, types.id, ?, ?, ? FROM streams, types WHERE streams.name = ? AND types.name = ?`,
    );
    for (const { position: at, revision, id, meta, data, stream, type } of theirs) {
      other.prepare("INSERT INTO types (name) VALUES (?) ON CONFLICT DO NOTHING").run(type);
      insert.run(Number(at), Number(revision), id, meta, data, stream, type);
    }
    other.prepare("UPDATE copied SET checkpoint = ?").run(position);
    other.exec("COMMIT");
    await there.mirror.catchUp();
    expect(there.mirror.setAside()).toEqual([]);
    const all = await store.readAll();
    expect(all.events.length).toBeGreaterThan(theirs.length + 1);
    expect((await there.mirror.copy.readAll()).events).toEqual(all.events);
  });

  it("misses nothing of a transaction that fails while more comes in", async () => {
    let fails = false;
    let told: Promise<bigint | undefined> | undefined;
    const around = failing((taken) => {
      if (!fails) return false;
      fails = false;
      const position = taken.at(-1)?.recorded.position;
      // Who waits for what is being undone is not told that it is there.
      told = Promise.resolve()
        .then(() => there.mirror.reached(position))
        .then(() => there.mirror.copy.local.revision("order-o-2"));
      return true;
    });
    const { store, there, other, comeIn } = await locked(around);
    await comeIn("o-2");
    await comeIn("o-3");
    fails = true;
    other.exec("ROLLBACK");
    await expect.poll(() => fails).toBe(false);
    expect(await told).toBe(0n);
    await there.mirror.catchUp();
    expect(there.mirror.setAside()).toEqual([]);
    expect((await there.mirror.copy.readAll()).events).toEqual((await store.readAll()).events);
    await there.runner.catchUpAll();
  });
});
