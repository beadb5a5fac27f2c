// The runner: views that throw, views of another definition, rebuilding beside and swapping, and two processes on one file.

import { afterEach, describe, expect, it, vi } from "vitest";

import { CommandHandler } from "../../src/commands/handle.ts";
import { policies } from "../../src/commands/terms.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import type { Engine } from "../../src/engine.ts";
import { buildScratch } from "../../src/projections/asof.ts";
import { casesView } from "../../src/projections/cases.ts";
import { ordersView } from "../../src/projections/orders.ts";
import { type RebuildProgress, type Summaries, ViewError, ViewRunner } from "../../src/projections/runner.ts";
import { searchView } from "../../src/projections/search.ts";
import { statisticsView } from "../../src/projections/statistics.ts";
import { type AnyView, type View, anyView, textRows } from "../../src/projections/view.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import type { SqliteStore } from "../../src/store/sqlite.ts";
import { buyer, merchant, minute, t0 } from "../domain/orders.ts";
import {
  accepted,
  answers,
  by,
  live,
  newCase,
  newOrder,
  open,
  stepOf,
  stores,
  tidyEngines,
} from "../engines.ts";
import { newFile, openFile } from "../store/files.ts";

tidyEngines();

interface Counter {
  readonly events: number;
  readonly last: string;
}

interface Faults {
  /** Throws where it is true. */
  fold: (event: OrderEvent) => boolean;
  write: (orderId: string) => boolean;
}

/** A view that counts each order's events, and fails when it is told to. */
function counting(faults: Faults, over: Partial<View<Counter>> = {}): AnyView {
  return anyView<Counter>({
    name: "counting",
    version: 1,
    reads: { OrderCreated: true, OrderPaid: true, OrderShipped: false, ReceiptConfirmed: false },
    tables: (prefix) => [
      {
        name: prefix,
        sql: `CREATE TABLE ${prefix} (order_id TEXT PRIMARY KEY, events INTEGER NOT NULL, last TEXT NOT NULL)`,
      },
    ],
    fold: (counter, event) => {
      if (faults.fold(event)) throw new RangeError(`cannot fold ${event.type}`);
      return { events: (counter?.events ?? 0) + 1, last: event.type };
    },
    writer: (database, prefix) => {
      const changes: [string, Counter | undefined, Counter | undefined][] = [];
      return {
        change: (orderId, before, after) => void changes.push([orderId, before, after]),
        get waiting() {
          return changes.length;
        },
        flush: () => {
          // By differences, so that what is written twice or left out shows.
          const add = database.prepare(
            `INSERT INTO ${prefix} VALUES (?, ?, ?) ON CONFLICT (order_id) DO UPDATE SET events = events + excluded.events, last = excluded.last`,
          );
          for (const [orderId, before, after] of changes) {
            if (faults.write(orderId)) throw new RangeError(`cannot write ${orderId}`);
            if (after !== undefined) add.run(orderId, after.events - (before?.events ?? 0), after.last);
          }
          changes.length = 0;
        },
      };
    },
    rows: (database, prefix) =>
      textRows(database, `SELECT json_array(order_id, events, last) AS row FROM ${prefix} ORDER BY row`),
    ...over,
  });
}

const sound: Faults = { fold: () => false, write: () => false };

/** Commands and these views on one store, joined as the engine joins them. */
async function joined(store: SqliteStore | undefined, views: readonly AnyView[]) {
  const memory = store === undefined ? openMemoryStore() : undefined;
  const database: Database = store?.database ?? openDatabase(":memory:");
  const write: <T>(work: () => T) => Promise<T> =
    store !== undefined
      ? (work) => store.write(work)
      : async (work) => {
          database.exec("BEGIN IMMEDIATE");
          try {
            const result = work();
            database.exec("COMMIT");
            return result;
          } catch (error) {
            database.exec("ROLLBACK");
            throw error;
          }
        };
  const events = store ?? (memory as NonNullable<typeof memory>);
  const runner = await ViewRunner.open({
    store: events,
    database,
    shared: store !== undefined,
    write,
    views,
  });
  events.setTransactionHook(
    (appended, epoch) => runner.keep(appended, epoch),
    () => runner.undone(),
  );
  const handler = new CommandHandler({
    store: events,
    clock: () => t0,
    policyOf: policies(undefined),
    companion: {
      empty: runner.emptySummaries,
      evolve: (summaries, event, state) => runner.evolve(summaries as Summaries, event, state),
    },
  });
  const step = async (orderId: string, at: number) => {
    const [command, actor] = stepOf(orderId, at);
    return accepted(await handler.execute(command, by(actor, { at: t0 + at * minute })));
  };
  const rows = async (name = "counting"): Promise<string[]> => {
    const view = views.find((one) => one.name === name) as AnyView;
    return [...view.rows(database, await runner.ready(name))];
  };
  /** What the view's rows would be, folded anew by a view that does not fail. */
  const expected = async (): Promise<string[]> => {
    using scratch = await buildScratch(events.local, counting(sound));
    return [...counting(sound).rows(scratch.database, scratch.prefix)];
  };
  const generations = () =>
    database
      .prepare("SELECT name, generation, hash, state, position, fault FROM views ORDER BY name, generation")
      .all();
  const others = (more: readonly AnyView[]) =>
    ViewRunner.open({ store: events, database, shared: store !== undefined, write, views: more });
  return { runner, handler, step, rows, expected, generations, database, events, others };
}

const kinds = [
  ["memory", () => Promise.resolve(undefined)],
  ["sqlite", () => openFile(newFile())],
] as const;

describe.each(kinds)("on %s", (_kind, fresh) => {
  describe("a view", () => {
    it("is right after every append", async () => {
      const house = await joined(await fresh(), [counting(sound)]);
      for (const orderId of ["o-1", "o-2"]) {
        for (let at = 0; at < 5; at += 1) {
          await house.step(orderId, at);
          if (at % 2 === 0) expect(await house.rows()).toEqual(await house.expected());
        }
      }
      expect(await house.rows()).toEqual(['["o-1",4,"ReceiptConfirmed"]', '["o-2",4,"ReceiptConfirmed"]']);
      expect(await house.runner.status()).toMatchObject([
        { view: "counting", current: true, fault: undefined },
      ]);
    });

    it("whose fold throws lets appends go on, is named with its fault, throws when read, and recovers", async () => {
      const faults = { ...sound };
      const house = await joined(await fresh(), [counting(faults)]);
      await house.step("o-1", 0);
      await house.rows();
      faults.fold = (event) => event.type === "OrderPaid";
      await house.step("o-1", 1);
      await house.step("o-1", 2);
      await house.step("o-2", 0);
      expect((await house.events.readStream("order-o-1")).length).toBe(4);
      const [status] = await house.runner.status();
      expect(status).toMatchObject({ current: false, fault: "RangeError: cannot fold OrderPaid" });
      const error: unknown = await house.rows().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ViewError);
      expect(error).toMatchObject({
        view: "counting",
        cause: expect.objectContaining({ message: "cannot fold OrderPaid" }) as unknown,
      });
      // Reading it again is no better, and makes nothing worse.
      await expect(house.rows()).rejects.toThrow(ViewError);
      faults.fold = sound.fold;
      expect(await house.rows()).toEqual(await house.expected());
      expect(await house.runner.status()).toMatchObject([{ current: true, fault: undefined }]);
      await house.step("o-1", 3);
      await house.step("o-2", 1);
      expect(await house.rows()).toEqual(await house.expected());
    });

    it("whose very first event throws is no other", async () => {
      const faults: Faults = { ...sound, fold: () => true };
      const house = await joined(await fresh(), [counting(faults)]);
      await house.step("o-1", 0);
      await expect(house.rows()).rejects.toThrow(ViewError);
      expect(await house.runner.status()).toMatchObject([
        { current: false, fault: "RangeError: cannot fold OrderCreated" },
      ]);
      await house.step("o-2", 0);
      faults.fold = sound.fold;
      expect(await house.rows()).toEqual(await house.expected());
      expect(await house.runner.status()).toMatchObject([{ current: true, fault: undefined }]);
    });

    it("whose rows cannot be written recovers too, and counts nothing twice", async () => {
      const faults = { ...sound };
      const house = await joined(await fresh(), [counting(faults)]);
      await house.step("o-1", 0);
      faults.write = (orderId) => orderId === "o-2";
      await house.step("o-1", 1);
      await house.step("o-2", 0);
      await house.step("o-3", 0);
      for (let again = 0; again < 3; again += 1) await expect(house.rows()).rejects.toThrow(ViewError);
      await house.step("o-3", 1);
      await expect(house.rows()).rejects.toThrow(ViewError);
      faults.write = sound.write;
      expect(await house.rows()).toEqual(await house.expected());
    });

    it("stands beside one that throws, and is not held up", async () => {
      const house = await joined(await fresh(), [
        counting({ ...sound, fold: () => true }, { name: "broken" }),
        counting(sound),
      ]);
      for (let at = 0; at < 4; at += 1) await house.step("o-1", at);
      expect(await house.rows()).toEqual(await house.expected());
      await expect(house.rows("broken")).rejects.toThrow(ViewError);
    });

    it("that is new to a store is built from what is there", async () => {
      const house = await joined(await fresh(), [counting(sound)]);
      const [first] = await house.runner.status();
      expect(first).toMatchObject({ generation: 1, position: undefined, current: true });
    });
  });

  describe("views of which there is nothing yet", () => {
    it("are made in one pass over the events, each as by itself", async () => {
      const house = await joined(await fresh(), []);
      for (const orderId of ["o-1", "o-2", "o-3"])
        for (let at = 0; at < 5; at += 1) await house.step(orderId, at);
      accepted(await house.handler.execute(newCase("o-2"), by(buyer, { at: t0 + 9 * minute })));
      const views = [
        anyView(statisticsView),
        anyView(casesView),
        anyView(searchView),
        anyView(ordersView),
        counting(sound),
      ];
      const runner = await house.others(views);
      const pages = vi.spyOn(house.events.local, "streams");
      await runner.catchUpAll();
      expect(pages).toHaveBeenCalledTimes(1);
      pages.mockRestore();
      for (const view of views) {
        using scratch = await buildScratch(house.events.local, view);
        const alone = [...view.rows(scratch.database, scratch.prefix)];
        expect(alone.length).toBeGreaterThan(0);
        expect([...view.rows(house.database, runner.tables(view.name))]).toEqual(alone);
      }
      expect((await runner.status()).every(({ current }) => current)).toBe(true);
    });

    it("are made though one of them cannot be, which is named alone", async () => {
      const house = await joined(await fresh(), []);
      for (let at = 0; at < 4; at += 1) await house.step("o-1", at);
      const runner = await house.others([
        anyView(ordersView),
        counting({ ...sound, write: () => true }),
        counting({ ...sound, fold: ({ type }) => type === "OrderPaid" }, { name: "broken" }),
        counting(sound, { name: "last" }),
      ]);
      await expect(runner.catchUpAll()).rejects.toMatchObject({ name: "ViewError", view: "counting" });
      await expect(runner.ready("broken")).rejects.toMatchObject({ name: "ViewError", view: "broken" });
      expect(await runner.ready("orders")).toBe("orders_1");
      await runner.ready("last");
      expect(await runner.status()).toMatchObject([
        { view: "orders", current: true, fault: undefined },
        { view: "counting", current: false, fault: "RangeError: cannot write o-1" },
        { view: "broken", current: false, fault: "RangeError: cannot fold OrderPaid" },
        { view: "last", current: true, fault: undefined },
      ]);
    });
  });

  it("a view of that name that is not kept here is named, with those that are", async () => {
    const house = await joined(await fresh(), [counting(sound)]);
    await expect(house.runner.ready("listing")).rejects.toThrow(
      new ViewError("listing", "is not kept here; these are: counting"),
    );
    await expect(house.runner.rebuild("listing")).rejects.toThrow(ViewError);
  });
});

describe("processes with different definitions of one view", () => {
  it("leave each other's rows alone, and catch up their own", async () => {
    const path = newFile();
    const old = await joined(await openFile(path), [counting(sound)]);
    for (let at = 0; at < 3; at += 1) await old.step("o-1", at);
    const oldRows = await old.rows();
    const next = await joined(await openFile(path), [
      counting(sound, {
        version: 2,
        fold: (counter, event) => ({ events: (counter?.events ?? 0) + 10, last: event.type }),
      }),
    ]);
    expect(await next.rows()).toEqual(['["o-1",30,"OrderShipped"]']);
    expect(await old.rows()).toEqual(oldRows);
    // Each appends: its own rows move on at once, the other's when the other reads.
    await next.step("o-1", 3);
    await next.step("o-2", 0);
    expect(await old.rows()).toEqual(['["o-1",4,"ReceiptConfirmed"]', '["o-2",1,"OrderCreated"]']);
    await old.step("o-2", 1);
    expect(await next.rows()).toEqual(['["o-1",40,"ReceiptConfirmed"]', '["o-2",20,"OrderPaid"]']);
    expect(next.generations()).toMatchObject([
      { generation: 1, state: "active" },
      { generation: 2, state: "active" },
    ]);
    await next.runner.rebuild("counting");
    expect(next.generations()).toMatchObject([
      { generation: 1, state: "active" },
      { generation: 3, state: "active" },
    ]);
    expect(await old.rows()).toEqual(['["o-1",4,"ReceiptConfirmed"]', '["o-2",2,"OrderPaid"]']);
    expect(await next.rows()).toEqual(['["o-1",40,"ReceiptConfirmed"]', '["o-2",20,"OrderPaid"]']);
  });

  it("may be told to drop the other's rows, which the other then makes anew", async () => {
    const path = newFile();
    const views = [counting(sound, { version: 2 })];
    const old = await joined(await openFile(path), [counting(sound)]);
    await old.step("o-1", 0);
    const next = await joined(await openFile(path), views);
    const rows = await next.rows();
    expect(next.runner.foreign(views)).toEqual([{ view: "counting", generation: 1 }]);
    expect(await next.runner.prune(views)).toEqual([{ view: "counting", generation: 1 }]);
    expect([next.runner.foreign(views), next.generations()]).toMatchObject([[], [{ generation: 2 }]]);
    const tables = "SELECT name FROM sqlite_schema WHERE name LIKE 'counting%' AND type = 'table'";
    expect(next.database.prepare(tables).all()).toEqual([{ name: "counting_2" }]);
    expect(await next.rows()).toEqual(rows);
    await old.step("o-1", 1);
    expect(await old.rows()).toEqual(['["o-1",2,"OrderPaid"]']);
  });
});

describe("a rebuild", () => {
  /** So many orders that it takes more than one chunk. */
  const many = 9_000;
  const engines: Engine[] = [];
  afterEach(() => void engines.splice(0));

  async function full(path = newFile()): Promise<Engine> {
    const engine = await open({ store: `sqlite:${path}` });
    await Promise.all(
      Array.from({ length: many }, (_, at) =>
        engine.execute(newOrder(`o-${at}`), by(buyer, { at: t0 + at })),
      ),
    );
    return engine;
  }

  it.each(stores)(
    "on %s ends in the same answers, in a new generation, and leaves no old tables",
    async (_kind, fresh) => {
      const engine = await open({ store: fresh() });
      for (const [orderId, steps] of [
        ["o-1", 6],
        ["o-2", 3],
        ["o-3", 1],
      ] as const)
        await live(engine, orderId, steps);
      const before = await answers(engine);
      for (const view of ["statistics", "orders", "search", "cases"]) {
        const progress: RebuildProgress[] = [];
        const done = await engine.rebuild(view, { onProgress: (one) => progress.push(one) });
        expect(done).toEqual({ view, generation: 2, done: 3, total: 3 });
        expect(progress).toEqual([done]);
      }
      expect(await answers(engine)).toEqual(before);
      expect((await engine.views.status()).map(({ generation, current }) => [generation, current])).toEqual([
        [2, true],
        [2, true],
        [2, true],
        [2, true],
      ]);
      for (const { different } of await engine.check()) expect(different).toBe(0);
      await live(engine, "o-4", 2);
      for (const { different } of await engine.check()) expect(different).toBe(0);
    },
  );

  it.each(stores)("of nothing is done at once, on %s", async (_kind, fresh) => {
    const engine = await open({ store: fresh() });
    expect(await engine.rebuild("statistics")).toMatchObject({ generation: 2, done: 0 });
    await live(engine, "o-1", 2);
    expect((await engine.views.statistics()).all.orders).toBe(1);
  });

  it("lets appends and readers go on meanwhile, and holds what they brought", async () => {
    const engine = await full();
    let during = 0;
    let reads: Promise<unknown>[] = [];
    for (const view of ["statistics", "orders", "search", "cases"]) {
      const rebuilding = engine.rebuild(view, {
        onProgress: () => {
          during += 1;
          reads = [
            ...reads,
            engine.execute(newOrder(`during-${during}`), by(buyer, { at: t0 + 9 * minute })).then(accepted),
            engine.execute(stepOf(`o-${during}`, 1)[0], by(buyer, { at: t0 + 9 * minute })).then(accepted),
            engine.views.statistics().then(({ all }) => expect(all.orders).toBeGreaterThanOrEqual(many)),
          ];
        },
      });
      const appends = Promise.all(
        Array.from({ length: 50 }, (_, at) =>
          engine.execute(stepOf(`o-${100 + at}`, 1)[0], by(buyer, { commandId: "pay", at: t0 + 9 * minute })),
        ),
      );
      await rebuilding;
      (await appends).map(accepted);
      await Promise.all(reads);
    }
    expect(during).toBeGreaterThanOrEqual(6);
    expect((await engine.views.statistics()).all).toMatchObject({
      orders: many + during,
      count_id_no_transfer: 50 + during,
    });
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
  });

  it("that is broken off goes on where it stood", async () => {
    const path = newFile();
    const engine = await full(path);
    const controller = new AbortController();
    const reason = new Error("enough for now");
    const first: RebuildProgress[] = [];
    await expect(
      engine.rebuild("orders", {
        signal: controller.signal,
        onProgress: (progress) => {
          first.push(progress);
          controller.abort(reason);
        },
      }),
    ).rejects.toBe(reason);
    expect(first).toMatchObject([{ view: "orders", generation: 2, total: many }]);
    const stood = first[0]?.done ?? 0;
    expect(stood).toBeGreaterThan(0);
    expect(stood).toBeLessThan(many);
    // The present one goes on answering, and being kept.
    await live(engine, "more", 2);
    expect((await engine.views.orders({ text: "more" })).orders).toHaveLength(1);
    await engine.close();
    const after = await open({ store: `sqlite:${path}` });
    const second: RebuildProgress[] = [];
    const done = await after.rebuild("orders", { onProgress: (progress) => second.push(progress) });
    expect(done.generation).toBe(2);
    expect(second[0]?.done).toBeGreaterThan(stood);
    // What came in between is behind the mark that the rebuild set itself when it began.
    expect(second.at(-1)?.done).toBe(many + 1);
    for (const { view, different } of await after.check()) expect([view, different]).toEqual([view, 0]);
    expect((await after.views.orders({ text: "more" })).orders).toMatchObject([{ status: "paid" }]);
  });

  it("by two engines at once is one rebuild, and both see the swap", async () => {
    const path = newFile();
    const one = await full(path);
    const other = await open({ store: `sqlite:${path}` });
    await other.views.statistics();
    const [a, b] = await Promise.all([one.rebuild("statistics"), other.rebuild("statistics")]);
    expect([a.generation, b.generation]).toEqual([2, 2]);
    await live(one, "after-1", 1);
    await live(other, "after-2", 2);
    for (const engine of [one, other]) {
      expect((await engine.views.statistics()).all).toMatchObject({
        orders: many + 2,
        count_id_no_transfer: 1,
      });
      expect(await engine.check({ views: ["statistics"] })).toMatchObject([{ different: 0 }]);
    }
  });

  it("by one engine is seen by another that has changes of its own under way", async () => {
    const path = newFile();
    const one = await open({ store: `sqlite:${path}` });
    const other = await open({ store: `sqlite:${path}` });
    for (let round = 0; round < 4; round += 1) {
      await live(other, `other-${round}`, 2);
      for (const view of ["statistics", "orders", "search", "cases"]) await one.rebuild(view);
      // Appended before it has looked at the views again.
      await live(other, `later-${round}`, 1);
      await live(one, `one-${round}`, 1);
      expect(await answers(one)).toEqual(await answers(other));
      expect((await other.views.statistics()).all.orders).toBe(3 * (round + 1));
    }
    for (const engine of [one, other]) {
      for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
    }
  });
});

describe("a view that is asked for without waiting", () => {
  it("names its tables while its rows hold everything, and nothing while they do not", async () => {
    const path = newFile();
    const store = await openFile(path);
    const house = await joined(store, [counting(sound)]);
    const name = "counting";
    expect([house.runner.holds(name), house.runner.current(name)]).toEqual([false, "counting_1"]);
    await house.step("o-1", 0);
    // Taken along with the append, and in no row yet.
    expect([house.runner.holds(name), house.runner.current(name)]).toEqual([true, undefined]);
    expect(await house.runner.ready(name)).toBe("counting_1");
    expect([house.runner.holds(name), house.runner.current(name)]).toEqual([false, "counting_1"]);
    // Another process appends: this one knows nothing of it without looking.
    const other = await joined(await openFile(path), []);
    await other.step("o-2", 0);
    expect([house.runner.holds(name), house.runner.current(name)]).toEqual([false, undefined]);
    await house.runner.ready(name);
    // And another swaps the rows away.
    const beside = await other.others([counting(sound)]);
    await beside.rebuild(name);
    expect([house.runner.holds(name), house.runner.current(name)]).toEqual([false, undefined]);
    expect(await house.runner.ready(name)).toBe("counting_2");
    expect(house.runner.current(name)).toBe("counting_2");
    expect(() => house.runner.current("listing")).toThrow("is not kept here");
  });
});

describe("two engines on one file", () => {
  it("count right at once in both, whoever appends", async () => {
    const path = newFile();
    const one = await open({ store: `sqlite:${path}` });
    const other = await open({ store: `sqlite:${path}` });
    for (let round = 0; round < 30; round += 1) {
      const engine = round % 3 === 0 ? other : one;
      await live(engine, `o-${round}`, 1 + (round % 5));
      const reader = round % 2 === 0 ? one : other;
      expect((await reader.views.statistics()).all.orders).toBe(round + 1);
      expect((await reader.views.orders({ limit: 1, text: `o-${round}` })).orders).toHaveLength(1);
    }
    expect(await answers(one)).toEqual(await answers(other));
    for (const { view, different } of await other.check()) expect([view, different]).toEqual([view, 0]);
  });

  it("count right when both append at once", async () => {
    const path = newFile();
    const engines = [await open({ store: `sqlite:${path}` }), await open({ store: `sqlite:${path}` })];
    await Promise.all(
      engines.flatMap((engine, which) =>
        Array.from({ length: 60 }, (_, at) => live(engine, `o-${which}-${at}`, 3)),
      ),
    );
    for (const engine of engines) {
      expect((await engine.views.statistics()).all).toMatchObject({ orders: 120, count_id_no_confirm: 120 });
      for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
    }
  });

  it("of which one keeps fewer views leave them to be caught up by the one that keeps them", async () => {
    const path = newFile();
    const some = await open({ store: `sqlite:${path}`, views: ["statistics"] });
    const all = await open({ store: `sqlite:${path}` });
    await live(all, "o-1", 2);
    await live(some, "o-2", 3);
    await live(some, "o-3", 1);
    await expect(some.views.orders()).rejects.toThrow(/orders: is not kept here; these are: statistics/);
    expect((await some.views.statistics()).all.orders).toBe(3);
    expect((await all.views.statistics()).all.orders).toBe(3);
    expect((await all.views.orders()).orders.map(({ orderId }) => orderId)).toEqual(["o-3", "o-2", "o-1"]);
    for (const { view, different } of await all.check()) expect([view, different]).toEqual([view, 0]);
    expect((await some.views.status()).map(({ view }) => view)).toEqual(["statistics"]);
  });

  it("keep their receipts' promise: what a receipt tells is in the views of the other", async () => {
    const path = newFile();
    const one = await open({ store: `sqlite:${path}` });
    const other = await open({ store: `sqlite:${path}` });
    const receipt = await live(one, "o-1", 3);
    await other.caughtUp(receipt);
    for (const status of await other.views.status()) {
      expect(status).toMatchObject({ current: true, position: receipt.position });
    }
    accepted(
      await other.execute({ type: "ConfirmReceipt", orderId: "o-1" }, by(buyer, { at: t0 + 9 * minute })),
    );
    expect((await one.views.statistics()).all.count_id_no_reputation).toBe(1);
    expect(merchant.id).toBe("main");
  });
});

describe("an unknown view", () => {
  it("is named when the engine is opened, rebuilt or checked", async () => {
    await expect(open({ store: "memory:", views: ["orders", "listing"] })).rejects.toThrow(
      'views: there is no view "listing"; there are statistics, orders, search, cases',
    );
    const engine = await open({ store: "memory:" });
    await expect(engine.rebuild("listing")).rejects.toThrow(ViewError);
    await expect(engine.check({ views: ["listing"] })).rejects.toThrow(TypeError);
  });
});
