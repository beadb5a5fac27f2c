// `show`, `history`, `stats` and `orders`: what they print, in words and as documents, now and as of then.

import { statSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import { openEngine } from "../../src/engine.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { widthOf } from "../../src/cli/output.ts";
import {
  aftersale,
  cancel,
  create,
  day,
  executed,
  folder,
  minute,
  noon,
  pay,
  receive,
  review,
  ship,
} from "./aftersale.ts";

let store: string;
let file: string;

beforeAll(async () => {
  const here = folder();
  file = here.file("a.db");
  store = `sqlite:${file}`;
  const { exit } = await executed(
    store,
    [
      create("a"),
      pay("a"),
      ship("a"),
      receive("a"),
      review("a"),
      create("b", noon + day),
      cancel("b", noon + day + minute),
      create("c", noon + 2 * day, {
        lines: [{ lineId: "1", goodsId: "x", title: "Evil\u001b[2J\nname", unitPrice: 500, quantity: 1 }],
        currency: "JPY",
        fulfilment: "virtual",
      }),
    ],
    ["--in-flight", "1"],
  );
  expect(exit).toBe(0);
  return () => here[Symbol.dispose]();
});

const run = (...args: string[]) => aftersale([...args, "--store", store]);
const json = async (...args: string[]) =>
  JSON.parse((await run(...args, "--json")).stdout) as Record<string, unknown>;

describe("show", () => {
  test("prints an order in full, columns right under Chinese titles", async () => {
    const { exit, stdout } = await run("show", "a");
    expect(exit).toBe(0);
    expect(stdout).toBe(
      `Order a
  status        completed
  order number  a
  merchant      main
  buyer         li
  fulfilment    express
  created       2026-01-05T12:00:00Z
  stock         deducted
  revision      5

Lines
  line  goods  title        price  quantity  amount
  1     tea    龙井茶 250g  58.00         1   58.00
  2     cup    Cup           1.50         2    3.00

Money
  goods  61.00 CNY
  total  61.00 CNY
  paid   61.00 CNY

Parcels
  SF  SF1  all lines

Log
  rev  at                    who            event             status                  reason
    0  2026-01-05T12:00:00Z  buyer li       OrderCreated      none -> pendingPayment
    1  2026-01-05T12:01:00Z  buyer li       OrderPaid         pendingPayment -> paid
    2  2026-01-05T12:01:00Z  buyer li       StockDeducted
    3  2026-01-05T12:02:00Z  merchant main  OrderShipped      paid -> shipped
    4  2026-01-05T12:03:00Z  buyer li       ReceiptConfirmed  shipped -> completed
    5  2026-01-05T12:04:00Z  buyer li       OrderReviewed

Deadlines
  none

Legal commands
  Review, HideOrder, RecordTaxSurplus, RecordTaxRefund, ApplyRefund
`,
    );
    const widths = stdout
      .split("\n")
      .filter((text) => text.includes("tea ") || text.includes("cup "))
      .map(widthOf);
    expect(new Set(widths).size).toBe(1);
  });

  test.each([
    [noon, "pendingPayment"],
    [new Date(noon + minute).toISOString(), "paid"],
    [new Date(noon + minute + 59_999).toISOString(), "paid"],
    ["2026-01-05T20:02:00+08:00", "shipped"],
    ["2026-01-06", "completed"],
    ["rev:0", "pendingPayment"],
    ["rev:3", "shipped"],
    ["rev:99", "completed"],
    ["pos:1", "pendingPayment"],
    ["pos:3", "paid"],
  ])("--as-of %s: %s", async (when, status) => {
    expect(await json("show", "a", "--as-of", String(when))).toMatchObject({
      v: 1,
      order: { orderId: "a", status },
    });
  });

  test("a document has it all, bigints as strings", async () => {
    const { log, ...shown } = await json("show", "a");
    expect(shown).toMatchObject({
      v: 1,
      order: { orderId: "a", status: "completed", ratings: ["good", "bad"], paid: 6100 },
      revision: "5",
      deadlines: [],
      commands: ["Review", "HideOrder", "RecordTaxSurplus", "RecordTaxRefund", "ApplyRefund"],
    });
    expect(log).toHaveLength(6);
    expect((log as object[])[0]).toMatchObject({
      revision: "0",
      position: "1",
      event: "OrderCreated",
      from: "none",
      to: "pendingPayment",
    });
  });

  test("tells the deadline that stands and the reason that was given", async () => {
    expect((await run("show", "a", "--as-of", "rev:0")).stdout).toContain("unpaid  2026-01-05T12:30:00Z");
    expect((await run("show", "b")).stdout).toMatch(
      /OrderCancelled +pendingPayment -> cancelled +changed my mind\n/,
    );
  });

  test("what others wrote does not act on the terminal", async () => {
    const { stdout } = await run("show", "c");
    expect(stdout).toContain("Evil\\u001b[2J\\u000aname");
    expect(stdout).toContain("500 JPY");
  });

  test("on a terminal headings are bold, and titles are cut to fit; not with NO_COLOR", async () => {
    const on = await aftersale(["show", "a", "--store", store], { terminal: 70 });
    expect(on.stdout).toContain("\u001b[1mLines\u001b[22m");
    const off = await aftersale(["show", "a", "--store", store], { terminal: 70, env: { NO_COLOR: "1" } });
    expect(off.stdout).not.toContain("\u001b");
  });

  test.each([
    [["show", "nobody"], "orderId: there is no order nobody"],
    [["history", "nobody"], "orderId: there is no order nobody"],
    [["show", "a", "--as-of", "2025-01-01"], "orderId: there is no order a (at that time)"],
  ])("%j: refused with 5, and as a document where asked", async (args, words) => {
    expect(await run(...args)).toEqual({ exit: 5, stdout: "", stderr: `aftersale: ${words}\n` });
    expect(await json(...args)).toMatchObject({ v: 1, error: { code: "orderNotFound", message: words } });
  });
});

describe("history", () => {
  test("prints each event", async () => {
    const { stdout } = await run("history", "b");
    expect(stdout).toBe(
      "0  2026-01-06T12:00:00Z  OrderCreated  by buyer li  (command b-create, position 7)\n" +
        "1  2026-01-06T12:01:00Z  OrderCancelled  by buyer li  (command b-cancel, position 8)\n",
    );
  });

  test("--diff says what each changed, old and new", async () => {
    const { stdout } = await run("history", "a", "--diff");
    const [created = "", paid = "", deducted = "", shipped = ""] = stdout.split(/^(?=\d)/m);
    expect(created).toContain("      status: none -> pendingPayment\n");
    expect(created).toContain("    + lines[0].title: 龙井茶 250g\n");
    expect(created).toContain('    + lines[0].allowedTypes: ["refundOnly","returnRefund","exchange"]\n');
    expect(paid.split("\n").slice(1)).toEqual([
      "      status: pendingPayment -> paid",
      "    + payments[0].at: 1767614460000",
      "    + payments[0].late: false",
      "    + payments[0].payId: a-pay",
      "    + payments[0].amount: 6100",
      "    + payments[0].channel: online",
      "      paid: 0 -> 6100",
      "    + paidAt: 1767614460000",
      "      lastAt: 1767614400000 -> 1767614460000",
      "",
    ]);
    expect(deducted.split("\n").slice(1)).toEqual(["      stock: untouched -> deducted", ""]);
    expect(shipped).toContain("    + shipments[0].trackingNumber: SF1\n");
  });

  test("a document has the envelopes, and the changes with --diff", async () => {
    const plain = await json("history", "b");
    expect(plain).toMatchObject({
      v: 1,
      orderId: "b",
      events: [{ revision: "0", meta: { commandId: "b-create" } }, {}],
    });
    expect(JSON.stringify(plain)).not.toContain("changes");
    const { events } = (await json("history", "b", "--diff")) as { events: { changes: object[] }[] };
    expect(events[1]?.changes).toContainEqual({
      field: "status",
      before: "pendingPayment",
      after: "cancelled",
    });
  });
});

describe("stats", () => {
  const zero = {
    count_id_no_pay: 0,
    count_id_no_transfer: 0,
    count_id_no_confirm: 0,
    count_id_no_reputation: 0,
    count_id_success: 0,
    count_id_close: 0,
    orders: 0,
    lines: 0,
    units: 0,
    paid: {},
    refunded: {},
    cases: {},
    casesOpen: 0,
    unitsReturned: 0,
    closedByRefund: 0,
  };

  test("--json is one document of S0's names", async () => {
    const { exit, stdout, stderr } = await run("stats", "--json");
    expect([exit, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(stdout)).toEqual({
      v: 1,
      all: {
        ...zero,
        count_id_no_pay: 1,
        count_id_success: 1,
        count_id_close: 1,
        orders: 3,
        lines: 5,
        units: 7,
        paid: { CNY: 6100 },
      },
    });
  });

  test("--buyer and --merchant add documents of the same shape", async () => {
    const { all, buyer, merchant } = await json("stats", "--buyer", "li", "--merchant", "nobody");
    expect(buyer).toEqual(all);
    expect(merchant).toEqual(zero);
  });

  test("--as-of counts what was there then", async () => {
    expect(await json("stats", "--as-of", "2026-01-06")).toEqual({
      v: 1,
      all: { ...zero, count_id_success: 1, orders: 1, lines: 2, units: 3, paid: { CNY: 6100 } },
    });
    expect(await json("stats", "--as-of", "pos:3")).toMatchObject({
      all: { count_id_no_transfer: 1, orders: 1 },
    });
  });

  test("the table is for people", async () => {
    expect((await run("stats", "--buyer", "li")).stdout).toBe(
      `                            all  buyer li
to be confirmed or paid       1         1
paid, to be shipped           0         0
shipped, to be received       0         0
received, to be reviewed      0         0
reviewed                      1         1
cancelled or closed           1         1
orders                        3         3
lines                         5         5
units                         7         7
paid, CNY                 61.00     61.00
`,
    );
  });
});

test("sums beyond 2^63 are exact in every answer, rebuilt and replayed", async () => {
  using here = folder();
  const rich = `sqlite:${here.file("rich.db")}`;
  const amount = Number.MAX_SAFE_INTEGER;
  const lines = [{ lineId: "1", goodsId: "x", title: "Palace", unitPrice: amount, quantity: 1 }];
  const lives = Array.from({ length: 1_100 }, (_, order) => {
    const paying = pay(`o-${order}`);
    return [
      create(`o-${order}`, noon, { lines }),
      { ...paying, command: { ...(paying.command as object), amount } },
    ];
  });
  expect((await executed(rich, lives.flat())).exit).toBe(0);
  const digits = String(1_100n * BigInt(amount));
  const on = (...args: string[]) => aftersale([...args, "--store", rich]);
  const kept = await on("stats", "--json", "--buyer", "li", "--merchant", "main");
  expect(kept.exit).toBe(0);
  const { all, ...scopes } = JSON.parse(kept.stdout) as { all: { paid: unknown } };
  expect(all.paid).toEqual({ CNY: digits });
  expect(scopes).toEqual({ v: 1, buyer: all, merchant: all });
  for (const args of [["rebuild"], ["replay", "--check"], ["replay", "--check", "--json"]]) {
    expect(await on(...args)).toMatchObject({ exit: 0, stderr: "" });
  }
  expect(JSON.parse((await on("replay", "--json")).stdout)).toMatchObject({ replay: { paid: all.paid } });
  expect((await on("replay")).stdout).toMatch(/^paid, CNY +99079191802150901\.00$/m);
  for (const asOf of [[], ["--as-of", "2026-01-06"]]) {
    expect(JSON.parse((await on("stats", "--json", ...asOf)).stdout)).toEqual({ v: 1, all });
    expect((await on("stats", ...asOf)).stdout).toMatch(/^paid, CNY +99,079,191,802,150,901\.00$/m);
  }
});

describe("orders", () => {
  const ids = async (...args: string[]) =>
    ((await json("orders", ...args))["orders"] as { orderId: string }[]).map(({ orderId }) => orderId);

  test.each([
    [[], ["c", "b", "a"]],
    [
      ["--buyer", "li"],
      ["c", "b", "a"],
    ],
    [["--buyer", "nobody"], []],
    [
      ["--merchant", "main"],
      ["c", "b", "a"],
    ],
    [
      ["--status", "completed, cancelled"],
      ["b", "a"],
    ],
    [["--rating", "bad"], ["a"]],
    [["--rating", "neutral"], []],
    [["--has-refund"], []],
    [
      ["--from", "2026-01-06"],
      ["c", "b"],
    ],
    [["--to", "2026-01-06"], ["a"]],
    [
      ["--text", "龙井"],
      ["b", "a"],
    ],
    [
      ["--text", "井"],
      ["b", "a"],
    ],
    [["--text", "evil"], ["c"]],
    [["--as-of", "2026-01-06"], ["a"]],
    [["--as-of", "2026-01-06", "--text", "cup"], ["a"]],
  ])("%j: %j", async (args, found) => {
    expect(await ids(...args)).toEqual(found);
  });

  test("pages by cursor, to the end", async () => {
    const first = await json("orders", "--limit", "2");
    expect(first).toMatchObject({ v: 1, next: expect.any(String) as string });
    const second = await json("orders", "--limit", "2", "--cursor", String(first["next"]));
    expect(second).toMatchObject({ orders: [{ orderId: "a" }], next: null });
    expect((await run("orders", "--limit", "2")).stderr).toBe(`more: --cursor ${String(first["next"])}\n`);
  });

  test("the table is for people", async () => {
    expect((await run("orders")).stdout).toBe(
      `order  created              status          buyer  total       lines  ratings   title
c      2026-01-07 12:00:00  pendingPayment  li       500  JPY      1            Evil\\u001b[2J\\u000aname
b      2026-01-06 12:00:00  cancelled       li     61.00  CNY      2            龙井茶 250g
a      2026-01-05 12:00:00  completed       li     61.00  CNY      2  bad,good  龙井茶 250g
`,
    );
    expect(await run("orders", "--buyer", "nobody")).toEqual({ exit: 0, stdout: "", stderr: "no orders\n" });
  });

  test.each([
    [
      ["--status", "payed"],
      '--status: there is no "payed" (did you mean paid?); there are pendingConfirmation,',
    ],
    [["--cursor", "nonsense"], '--cursor "nonsense" is none that a page gave\n'],
    [["--cursor", "G1szMW1Y"], '--cursor "G1szMW1Y" is none that a page gave\n'],
    [["--cursor", "\u009b31m"], '--cursor "\\u009b31m" is none that a page gave\n'],
    [["--buyer\u001b[31m"], "aftersale: unknown option '--buyer\\u001b[31m'"],
  ])("%j is wrong usage", async (args, words) => {
    const ran = await run("orders", ...args);
    expect([ran.exit, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain(words);
  });
});

describe("a store whose views are behind", () => {
  test("is caught up by the first who asks, and only read from then on", async () => {
    using here = folder();
    const path = here.file("a.db");
    const url = `sqlite:${path}`;
    await executed(url, [create("a")]);
    const partial = await openEngine({ store: url, views: ["orders"] });
    const { commandId, actor, at, command } = create("b") as {
      commandId: string;
      actor: Actor;
      at: number;
      command: unknown;
    };
    await partial.execute(command, { commandId, actor, at });
    await partial.close();
    const standing = async () => {
      const { stdout } = await aftersale(["doctor", "--json", "--store", url]);
      const { views } = JSON.parse(stdout) as { views: { view: string; current: boolean }[] };
      return views.filter(({ current }) => current).map(({ view }) => view);
    };
    expect(await standing()).toEqual(["orders"]);
    expect((await aftersale(["stats", "--json", "--store", url])).stdout).toContain('"orders":2');
    expect(await standing()).toEqual(["statistics", "orders"]);
    expect(
      (await aftersale(["orders", "--text", "cup", "--json", "--store", url])).stdout.match(/"orderId"/g),
    ).toHaveLength(2);
    expect(await standing()).toEqual(["statistics", "orders", "search"]);
    expect((await aftersale(["rebuild", "cases", "--store", url])).exit).toBe(0);
    expect(await standing()).toEqual(["statistics", "orders", "search", "cases"]);
    const before = statSync(path).mtimeMs;
    expect((await aftersale(["replay", "--check", "--store", url])).exit).toBe(0);
    expect(statSync(path).mtimeMs).toBe(before);
  });

  test("is read, too, where it never had any", async () => {
    using here = folder();
    const path = here.file("a.db");
    await (await openSqliteStore(path)).close();
    expect((await aftersale(["show", "a", "--store", `sqlite:${path}`])).exit).toBe(5);
    expect((await aftersale(["stats", "--store", `sqlite:${path}`])).exit).toBe(0);
  });
});
