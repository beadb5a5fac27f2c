// Checking: the kept views against the events, row by row; a changed row is named, and appends meanwhile are no difference.

import { describe, expect, it } from "vitest";

import { compare } from "../../src/audit/check.ts";
import type { SqliteStore } from "../../src/store/sqlite.ts";
import { buyer, minute, t0 } from "../domain/orders.ts";
import { accepted, by, live, newCase, newOrder, open, stores, tidyEngines } from "../engines.ts";
import { newFile, openFile } from "../store/files.ts";
import { turn } from "../store/samples.ts";

tidyEngines();

describe("comparing rows", () => {
  it.each([
    [[], [], 0, 0, []],
    [["a", "b"], ["a", "b"], 2, 0, []],
    [["a", "b"], ["b"], 2, 1, [{ kept: "a", rebuilt: undefined }]],
    [["b"], ["a", "b"], 2, 1, [{ kept: undefined, rebuilt: "a" }]],
    [
      ["a", "c"],
      ["b"],
      3,
      3,
      [
        { kept: "a", rebuilt: undefined },
        { kept: undefined, rebuilt: "b" },
        { kept: "c", rebuilt: undefined },
      ],
    ],
    [[], ["a"], 1, 1, [{ kept: undefined, rebuilt: "a" }]],
    [["a"], [], 1, 1, [{ kept: "a", rebuilt: undefined }]],
    [["a", "a"], ["a"], 2, 1, [{ kept: "a", rebuilt: undefined }]],
  ])("%j with %j", (kept, rebuilt, rows, different, differences) => {
    expect(compare("v", kept, rebuilt)).toEqual({ view: "v", rows, different, differences });
  });

  it("counts all differences and shows ten", () => {
    const rows = Array.from({ length: 25 }, (_, at) => String(at).padStart(2, "0"));
    const { different, differences } = compare("v", rows, []);
    expect([different, differences.length]).toEqual([25, 10]);
  });

  it.each([
    ["🍵", "售"],
    ["\uffff", "😀"],
  ])("knows in which order SQLite gives %s and %s", async (a, b) => {
    const engine = await open({ store: "memory:" });
    for (const [at, title] of [a, b].entries()) {
      const lines = [{ lineId: "L", goodsId: "G", title, unitPrice: 1, quantity: 1 }];
      accepted(await engine.execute(newOrder(`o-${at}`, { lines, charges: [] }), by(buyer)));
    }
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
    // Text in SQLite is ordered by bytes of UTF-8, in JavaScript by halves of UTF-16: rows that differ must still be told one by one.
    const [first = "", second = ""] = [a, b].toSorted((x, y) =>
      Buffer.compare(Buffer.from(x), Buffer.from(y)),
    );
    expect(compare("v", [first, second], [second])).toMatchObject({
      different: 1,
      differences: [{ kept: first }],
    });
  });
});

describe.each(stores)("on %s", (_kind, fresh) => {
  it("views that were kept are as rebuilt, and are counted", async () => {
    const engine = await open({ store: fresh() });
    for (const [orderId, steps] of [
      ["o-1", 6],
      ["o-2", 2],
      ["o-3", 1],
    ] as const)
      await live(engine, orderId, steps);
    accepted(await engine.execute(newCase("o-2"), by(buyer, { at: t0 + minute })));
    const checked = await engine.check();
    expect(checked.map(({ view, different }) => [view, different])).toEqual([
      ["statistics", 0],
      ["orders", 0],
      ["search", 0],
      ["cases", 0],
    ]);
    expect(checked[1]?.rows).toBe(3);
    expect(checked.every(({ rows }) => rows > 0)).toBe(true);
  });

  it("an empty store has nothing that differs", async () => {
    const engine = await open({ store: fresh() });
    expect(await engine.check()).toEqual(
      ["statistics", "orders", "search", "cases"].map((view) => ({
        view,
        rows: 0,
        different: 0,
        differences: [],
      })),
    );
  });

  it("an empty store that gets its first orders meanwhile is no false alarm", async () => {
    const engine = await open({ store: fresh() });
    const checking = engine.check();
    const living = Promise.all(["o-1", "o-2", "o-3"].map((orderId) => live(engine, orderId, 3)));
    for (const { view, different } of await checking) expect([view, different]).toEqual([view, 0]);
    await living;
  });

  it("appends meanwhile are no false alarm", async () => {
    const engine = await open({ store: fresh() });
    await Promise.all(Array.from({ length: 200 }, (_, at) => live(engine, `o-${at}`, 2)));
    let living = true;
    const appending = (async () => {
      for (let n = 0; living; n += 1) {
        await Promise.all([live(engine, `more-${n}`, 4), live(engine, `also-${n}`, 1)]);
        await turn();
      }
    })();
    for (let round = 0; round < 5; round += 1) {
      for (const { view, different, differences } of await engine.check()) {
        expect({ view, different, differences }).toEqual({ view, different: 0, differences: [] });
      }
    }
    living = false;
    await appending;
  });

  it("one view can be checked alone, told how far it is, and stopped", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 3);
    const done: number[] = [];
    const checked = await engine.check({ views: ["orders"], onProgress: (orders) => done.push(orders) });
    expect(checked.map(({ view }) => view)).toEqual(["orders"]);
    expect(done).toEqual([1]);
    const reason = new Error("enough");
    await expect(engine.check({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("a row that was tampered with", () => {
  async function house() {
    const store: SqliteStore = await openFile(newFile());
    const engine = await open({ store });
    for (const [orderId, steps] of [
      ["o-1", 5],
      ["o-2", 2],
      ["o-3", 1],
    ] as const)
      await live(engine, orderId, steps);
    accepted(await engine.execute(newCase("o-2"), by(buyer, { at: t0 + minute })));
    await engine.caughtUp({ position: (await engine.head()) as string });
    return { engine, sql: (text: string) => store.database.exec(text) };
  }

  it.each([
    ["statistics", "UPDATE statistics_1 SET paid_low = paid_low + 1 WHERE scope = 'all'", 2, "all"],
    ["statistics", "DELETE FROM statistics_1 WHERE scope = 'buyer:buyer-1'", 1, "buyer:buyer-1"],
    [
      "statistics",
      "INSERT INTO statistics_1 VALUES ('buyer:ghost', 'CNY', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
      1,
      "ghost",
    ],
    ["orders", "UPDATE orders_1 SET status = 6 WHERE order_id = 'o-2'", 2, "o-2"],
    ["orders", "UPDATE orders_1 SET due_at = NULL WHERE order_id = 'o-3'", 2, "o-3"],
    ["orders", "DELETE FROM orders_1 WHERE order_id = 'o-1'", 1, "o-1"],
    [
      "search",
      "DELETE FROM search_1 WHERE rowid = (SELECT id FROM search_1_ids WHERE order_id = 'o-2')",
      undefined,
      "o-2",
    ],
    [
      "search",
      "INSERT INTO search_1 (rowid, owner, body) SELECT 99, 'x', 'x'; INSERT INTO search_1_ids VALUES (99, 'ghost')",
      2,
      "ghost",
    ],
    ["cases", "UPDATE cases_1 SET waits_for = NULL WHERE order_id = 'o-2'", 2, "o-2"],
    ["cases", "UPDATE cases_1 SET hidden = 2", 2, "o-2"],
    ["cases", "DELETE FROM cases_1", 1, "o-2"],
  ])("in %s by %s is found and named, and a rebuild mends it", async (view, tampering, different, named) => {
    const { engine, sql } = await house();
    sql(tampering);
    const found = (await engine.check()).filter((comparison) => comparison.different > 0);
    expect(found.map((comparison) => comparison.view)).toEqual([view]);
    if (different !== undefined) expect(found[0]?.different).toBe(different);
    const told = found[0]?.differences.map(({ kept, rebuilt }) => kept ?? rebuilt);
    expect(told?.every((row) => row?.includes(named))).toBe(true);
    // Going on living does not hide it.
    await live(engine, "o-4", 2);
    expect((await engine.check({ views: [view] }))[0]?.different).toBeGreaterThan(0);
    await engine.rebuild(view);
    for (const comparison of await engine.check())
      expect([comparison.view, comparison.different]).toEqual([comparison.view, 0]);
  });

  it("in the events is found in the views that tell of it", async () => {
    const { engine, sql } = await house();
    sql(`UPDATE events SET data = replace(data, '"unitPrice":2000', '"unitPrice":2001') WHERE revision = 0`);
    sql(`UPDATE events SET data = replace(data, '"Tea"', '"Coffee"') WHERE revision = 0`);
    const found = (await engine.check()).filter(({ different }) => different > 0).map(({ view }) => view);
    expect(found).toEqual(["orders", "search", "cases"]);
    expect(t0 + minute).toBeGreaterThan(t0);
  });
});
