// `replay`, `rebuild`, `due` and `doctor`: what keeps a store right, and what tells that it is not.

import { closeSync, openSync, writeSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { openDatabase } from "../../src/store/database.ts";
import { aftersale, create, day, executed, folder, minute, noon, parsed, pay, ship } from "./aftersale.ts";

function altered(path: string, sql: string): void {
  const database = openDatabase(path);
  database.exec(sql);
  database.close();
}

async function filled(path: string): Promise<string> {
  const store = `sqlite:${path}`;
  await executed(store, [create("a"), pay("a"), create("b"), create("c", noon + day), ship("a")]);
  return store;
}

describe("replay", () => {
  test("prints what the events come to", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    expect(await aftersale(["replay", "--store", store])).toEqual({
      exit: 0,
      stdout:
        "orders              3\nevents              6\npendingPayment      2\nshipped             1\npaid, CNY       61.00\n",
      stderr: "",
    });
    const then = await aftersale(["replay", "--as-of", "2026-01-05T12:01:00Z", "--json", "--store", store]);
    expect(JSON.parse(then.stdout)).toEqual({
      v: 1,
      replay: { orders: 2, events: 4, statuses: { paid: 1, pendingPayment: 1 }, paid: { CNY: 6100 } },
    });
  });

  test("--check compares every view, and exits 0 where they are equal", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const { exit, stdout } = await aftersale(["replay", "--check", "--store", store]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(
      /statistics: equal, 3 rows\norders: equal, 3 rows\nsearch: equal, \d+ rows\ncases: equal, 0 rows\n$/,
    );
    const json = await aftersale(["replay", "--check", "--json", "--store", store]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      v: 1,
      checks: ["statistics", "orders", "search", "cases"].map((view) => ({ view, different: 0 })),
    });
  });

  test("--check exits 8 where one differs, shows how, and `rebuild` puts it right", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    altered(here.file("a.db"), "UPDATE orders_1 SET paid = 1 WHERE order_id = 'a'");
    const { exit, stdout, stderr } = await aftersale(["replay", "--check", "--store", store]);
    expect(exit).toBe(8);
    expect(stdout).toMatch(
      /orders: different, 2 of 4 rows\n {2}kept only: {4}\["a".*\n {2}rebuilt only: \["a"/,
    );
    expect(stderr).toContain("aftersale: kept and rebuilt differ: orders (the events are right");
    const json = await aftersale(["replay", "--check", "--json", "--store", store]);
    expect(json.exit).toBe(8);
    expect(JSON.parse(json.stdout)).toMatchObject({ checks: [{}, { view: "orders", different: 2 }, {}, {}] });
    expect((await aftersale(["rebuild", "orders", "--store", store])).exit).toBe(0);
    expect((await aftersale(["replay", "--check", "--store", store])).exit).toBe(0);
  });

  test("--check of an empty store is 9: nothing was checked", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, []);
    expect(await aftersale(["replay", "--check", "--store", store])).toMatchObject({
      exit: 9,
      stderr: "aftersale: the store is empty: nothing was checked\n",
    });
    expect((await aftersale(["replay", "--store", store])).exit).toBe(0);
  });

  test("shows progress on a terminal only, and wipes it away", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const { stderr } = await aftersale(["replay", "--store", store], { terminal: 80 });
    expect(stderr).toBe("\r\u001b[2Kreplaying: 3 of 3 orders (100 %)\r\u001b[2K");
  });
});

describe("rebuild", () => {
  test("rebuilds the views named, or all", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    expect((await aftersale(["rebuild", "--store", store])).stdout).toBe(
      "statistics: generation 2, 3 orders\norders: generation 2, 3 orders\nsearch: generation 2, 3 orders\ncases: generation 2, 3 orders\n",
    );
    const one = await aftersale(["rebuild", "search", "--json", "--store", store]);
    expect(parsed(one.stdout)).toEqual([
      { v: 1, rebuilt: { view: "search", generation: 3, done: 3, total: 3 } },
    ]);
    expect((await aftersale(["replay", "--check", "--store", store])).exit).toBe(0);
  });

  test("drops what other versions left, when told to", async () => {
    using here = folder();
    const path = here.file("a.db");
    const store = await filled(path);
    altered(path, "UPDATE views SET hash = 'of an older version' WHERE name IN ('search', 'orders')");
    const doctor = await aftersale(["doctor", "--no-integrity", "--store", store]);
    expect(doctor.stdout).toMatch(/^view search +generation 1 of another version \(.*--prune.*\)$/m);
    expect((await aftersale(["rebuild", "search", "--store", store])).stdout).not.toContain("dropped");
    expect((await aftersale(["rebuild", "search", "--prune", "--store", store])).stdout).toBe(
      "search: generation 4, 3 orders\norders: generation 1 of another version dropped\nsearch: generation 1 of another version dropped\n",
    );
    expect((await aftersale(["replay", "--check", "--store", store])).exit).toBe(0);
    expect((await aftersale(["doctor", "--store", store])).stdout).not.toContain("another version");
  });

  test("an unknown view is wrong usage, with a suggestion", async () => {
    expect(await aftersale(["rebuild", "statistic", "--store", "memory:"])).toEqual({
      exit: 2,
      stdout: "",
      stderr:
        'aftersale: there is no view "statistic" (did you mean statistics?); there are statistics, orders, search, cases\n',
    });
  });

  test("interrupted, it exits 130 and goes on next time", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const signal = AbortSignal.abort(new Error("interrupted"));
    expect((await aftersale(["rebuild", "--store", store], { signal })).exit).toBe(130);
    expect((await aftersale(["rebuild", "--store", store])).exit).toBe(0);
    expect((await aftersale(["replay", "--check", "--store", store])).exit).toBe(0);
  });
});

describe("due", () => {
  const later = new Date(noon + 31 * minute).toISOString();

  test("--dry-run lists what has passed, and fires nothing", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const list = ["due", "--dry-run", "--at", later, "--store", store];
    const expected = { exit: 0, stdout: "b  unpaid  due 2026-01-05T12:30:00.000Z\n", stderr: "1 due\n" };
    expect(await aftersale(list)).toEqual(expected);
    expect(await aftersale(list)).toEqual(expected);
    const { stdout } = await aftersale([...list, "--json"]);
    expect(parsed(stdout)).toEqual([
      {
        v: 1,
        orderId: "b",
        kind: "unpaid",
        dueAt: noon + 30 * minute,
        commandId: `due:b:unpaid:${noon + 30 * minute}`,
      },
    ]);
  });

  test("fires what has passed, once", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const fire = ["due", "--at", later, "--store", store];
    expect(await aftersale(fire)).toEqual({
      exit: 0,
      stdout: "b  unpaid  due 2026-01-05T12:30:00.000Z  OrderExpired\n",
      stderr: "1 fired\n",
    });
    expect(await aftersale(fire)).toEqual({ exit: 0, stdout: "", stderr: "0 fired\n" });
    expect((await aftersale(["show", "b", "--store", store])).stdout).toContain("closed");
  });

  test("--json prints a document for each; without --at it is now", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const { stdout } = await aftersale(["due", "--json", "--store", store, "--at", String(noon + 40 * day)]);
    expect(parsed<object>(stdout)).toMatchObject([
      {
        v: 1,
        orderId: "b",
        kind: "unpaid",
        ok: true,
        receipt: { revision: "1", events: ["OrderExpired"], replayed: false },
      },
      { v: 1, orderId: "c", kind: "unpaid", ok: true },
      { v: 1, orderId: "a", kind: "autoConfirm", ok: true, receipt: { events: ["ReceiptConfirmed"] } },
    ]);
    const now = Date.now();
    await executed(store, [create("old", now - 2 * 60 * minute), create("new", now)]);
    expect((await aftersale(["due", "--dry-run", "--store", store])).stdout).toMatch(
      /^old {2}unpaid [^\n]*\n$/,
    );
  });

  test("what is refused is told, with 5", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const late = { ...ship("a"), commandId: "correct", at: noon + 20 * day };
    await executed(store, [{ ...late, command: { ...(late.command as object), type: "CorrectShipment" } }]);
    const fire = ["due", "--at", String(noon + 16 * day), "--store", store];
    const { exit, stdout, stderr } = await aftersale(fire);
    expect([exit, stderr]).toEqual([5, "2 fired, 1 refused\n"]);
    expect(stdout).toMatch(
      /^a {2}autoConfirm {2}due \S+ {2}refused: at: 2026-01-21T12:00:00.000Z is before the order's latest event/m,
    );
    expect(parsed((await aftersale([...fire, "--json"])).stdout)).toMatchObject([
      {
        orderId: "a",
        ok: false,
        error: { code: "timeRunsBackwards", message: expect.stringContaining("is before") as string },
      },
    ]);
  });
});

describe("doctor", () => {
  test("says what runs here, on which store, and that it is whole", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const { exit, stdout } = await aftersale(["doctor", "--store", store]);
    expect(exit).toBe(0);
    for (const words of [
      /^aftersale +\d+\.\d+\.\d+$/m,
      new RegExp(`^node +${process.version}$`, "m"),
      new RegExp(`^store +${store}$`, "m"),
      /^driver +\S+, SQLite 3\.\d+/m,
      /^durability +journal wal, appends synchronous=FULL$/m,
      /^events +6$/m,
      /^orders +3$/m,
      /^claims +4$/m,
      /^integrity +ok$/m,
      /^view statistics +generation 1, current$/m,
    ]) {
      expect(stdout).toMatch(words);
    }
    const json = await aftersale(["doctor", "--json", "--no-integrity", "--store", store]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      v: 1,
      node: process.version,
      file: { events: 6, orders: 3, claims: 4, journalMode: "wal" },
      views: [
        { view: "statistics", current: true },
        { view: "orders" },
        { view: "search" },
        { view: "cases" },
      ],
    });
    expect((await aftersale(["doctor", "--no-integrity", "--store", store])).stdout).toMatch(
      /^integrity +not checked$/m,
    );
  });

  test("says what runs here also where there is no store", async () => {
    using here = folder();
    const { exit, stdout, stderr } = await aftersale(["doctor", "--store", `sqlite:${here.file("none.db")}`]);
    expect(exit).toBe(10);
    expect(stdout).toContain(process.version);
    expect(stderr).toContain("there is no store at");
  });

  test("tells of a damaged file with 10", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    const write = (at: number, bytes: Buffer) => {
      const file = openSync(here.file("a.db"), "r+");
      writeSync(file, bytes, 0, bytes.length, at);
      closeSync(file);
    };
    // The header's count of free pages.
    write(36, Buffer.from([0, 0, 0, 7]));
    const counted = await aftersale(["doctor", "--store", store]);
    expect(counted.exit).toBe(10);
    expect(counted.stdout).toMatch(/^integrity +\S/m);
    expect(counted.stdout).not.toMatch(/^integrity +ok$/m);
    expect(counted.stderr).toMatch(/^aftersale: \S+ is damaged: [^\n]*\n$/);

    const database = openDatabase(here.file("a.db"));
    const { rootpage } = database
      .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'events'")
      .get() as { rootpage: number };
    database.close();
    write((rootpage - 1) * 4096, Buffer.alloc(4096, 0xee));
    const page = await aftersale(["replay", "--store", store]);
    expect(page).toMatchObject({
      exit: 10,
      stdout: "",
      stderr: expect.stringMatching(/^aftersale: [^\n]*malformed[^\n]*\n$/) as string,
    });
  });

  test("tells of events that somebody took away, as whoever reads their order does", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    altered(here.file("a.db"), "DELETE FROM events WHERE stream_id = 1 AND revision = 1");
    const missing = (says: string) => ({ exit: 10, stderr: `aftersale: ${says}\n` });
    const gone = missing("order-a: its event at revision 1 is missing");
    expect(await aftersale(["show", "a", "--store", store])).toMatchObject(gone);
    expect(await aftersale(["history", "a", "--store", store])).toMatchObject(gone);
    expect(await aftersale(["replay", "--store", store])).toMatchObject(gone);
    expect(await aftersale(["replay", "--check", "--store", store])).toMatchObject(gone);
    const doctor = await aftersale(["doctor", "--store", store]);
    expect(doctor).toMatchObject(
      missing(`${here.file("a.db")} is damaged: order-a: 1 of its events are missing`),
    );
    expect(doctor.stdout).toMatch(/^integrity +order-a: 1 of its events are missing$/m);
    expect((await aftersale(["show", "b", "--store", store])).exit).toBe(0);
  });

  test("tells of a view that stopped following with 8", async () => {
    using here = folder();
    const store = await filled(here.file("a.db"));
    altered(
      here.file("a.db"),
      "UPDATE views SET fault = 'Error: poison', position = '1' WHERE name = 'search'",
    );
    const { exit, stdout, stderr } = await aftersale(["doctor", "--store", store]);
    expect(exit).toBe(8);
    expect(stdout).toMatch(/^view search +generation 1, stopped: Error: poison$/m);
    expect(stderr).toBe("aftersale: views that stopped following (rebuild them): search: Error: poison\n");
  });
});
