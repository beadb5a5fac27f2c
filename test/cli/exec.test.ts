// `exec` of one command: receipts, previews, refusals, and how a line is put together from options.

import { describe, expect, test } from "vitest";

import { aftersale, create, executed, folder, noon, pay, ship } from "./aftersale.ts";

const cancelA = '{"type":"CancelOrder","orderId":"a"}';

describe("a receipt", () => {
  test("of a harness line, in words and as a document; again it is a repeat", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    const line = JSON.stringify(create("a"));
    expect(await aftersale(["exec", line, "--store", store])).toEqual({
      exit: 0,
      stdout: "accepted: order a at revision 0, position 1 (command a-create)\n  OrderCreated\n",
      stderr: "",
    });
    expect((await aftersale(["exec", line, "--store", store])).stdout).toMatch(
      /^accepted before: order a at revision 0/,
    );
    const json = await aftersale(["exec", line, "--json", "--store", store]);
    expect(json.exit).toBe(0);
    expect(JSON.parse(json.stdout)).toEqual({
      v: 1,
      receipt: {
        orderId: "a",
        commandId: "a-create",
        revision: "0",
        position: "1",
        events: ["OrderCreated"],
        replayed: true,
      },
    });
    const whole = await aftersale(["exec", line, "--json", "--events", "--store", store]);
    expect(JSON.parse(whole.stdout)).toMatchObject({
      receipt: { events: [{ type: "OrderCreated", at: noon, data: { orderId: "a", total: 6100 } }] },
    });
    expect((await aftersale(["exec", line, "--events", "--store", store])).stdout).toContain('"total":6100');
  });

  test("of a command alone, with --as, --id, --at and --expect", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a")]);
    const at = new Date(noon + 1).toISOString();
    const args = ["--as", "buyer:li", "--id", "c1", "--at", at, "--expect", "0", "--store", store];
    expect(await aftersale(["exec", cancelA, ...args])).toMatchObject({
      exit: 0,
      stdout: "accepted: order a at revision 1, position 2 (command c1)\n  OrderCancelled\n",
    });
    const { stdout } = await aftersale(["history", "a", "--json", "--store", store]);
    const { events } = JSON.parse(stdout) as { events: { event: { at: number }; meta: object }[] };
    expect(events[1]).toMatchObject({
      event: { at: noon + 1 },
      meta: { commandId: "c1", actor: { role: "buyer", id: "li" } },
    });
  });

  test("without --id the command gets a new id, without --at it is given now", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a")]);
    const before = Date.now();
    const ran = await aftersale(["exec", cancelA, "--as", "buyer:li", "--store", store]);
    expect(ran.stdout).toMatch(/\(command cli:[0-9a-f-]{36}\)/);
    const { stdout } = await aftersale(["history", "a", "--json", "--store", store]);
    const { events } = JSON.parse(stdout) as { events: { event: { at: number } }[] };
    expect(events[1]?.event.at).toBeGreaterThanOrEqual(before);
  });

  test("of what changes nothing says so", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a"), pay("a")]);
    const again = JSON.stringify({ ...pay("a"), commandId: "another" });
    expect((await aftersale(["exec", again, "--store", store])).stdout).toBe(
      "nothing to do: order a at revision 2, position 3 (command another)\n",
    );
    expect((await aftersale(["exec", again, "--preview", "--store", store])).stdout).toBe(
      "would change nothing: order a is paid, at revision 2\n",
    );
  });
});

describe("a preview", () => {
  test("shows what would be, and appends nothing", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a")]);
    const line = JSON.stringify(pay("a"));
    const words = await aftersale(["exec", line, "--preview", "--store", store]);
    expect(words.exit).toBe(0);
    expect(words.stdout).toMatch(
      /^would be accepted: order a, now at revision 0, would be paid\n {2}\{"type":"OrderPaid"/,
    );
    const json = JSON.parse(
      (await aftersale(["exec", line, "--preview", "--json", "--store", store])).stdout,
    ) as object;
    expect(json).toMatchObject({
      v: 1,
      preview: {
        orderId: "a",
        revision: "0",
        events: [{ type: "OrderPaid" }, { type: "StockDeducted" }],
        state: { status: "paid" },
      },
    });
    const { stdout } = await aftersale(["replay", "--json", "--store", store]);
    expect(JSON.parse(stdout)).toMatchObject({ replay: { events: 1 } });
  });

  test("is refused as the command would be", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a")]);
    const ran = await aftersale(["exec", JSON.stringify(ship("a")), "--preview", "--store", store]);
    expect([ran.exit, ran.stdout]).toEqual([5, ""]);
    expect(ran.stderr).toBe(
      "aftersale: refused: Ship needs an order that is paid; this one is pendingPayment\n",
    );
  });
});

describe("a refusal", () => {
  test("is words on stderr, and a document on stdout where asked; exit 5", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a")]);
    const line = JSON.stringify({ ...pay("a"), command: { ...(pay("a").command as object), amount: 1 } });
    const words = "amount: 0.01 CNY was given, 61.00 CNY is due";
    expect(await aftersale(["exec", line, "--store", store])).toEqual({
      exit: 5,
      stdout: "",
      stderr: `aftersale: refused: ${words}\n`,
    });
    const json = await aftersale(["exec", line, "--json", "--store", store]);
    expect(json.exit).toBe(5);
    expect(JSON.parse(json.stdout)).toEqual({
      v: 1,
      error: {
        code: "amountMismatch",
        field: "amount",
        amount: 1,
        due: 6100,
        currency: "CNY",
        message: words,
      },
    });
  });

  test("because the order has moved on exits 6", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a"), pay("a")]);
    const ran = await aftersale(["exec", JSON.stringify({ ...ship("a"), expect: "0" }), "--store", store]);
    expect(ran).toEqual({
      exit: 6,
      stdout: "",
      stderr: "aftersale: refused: expect: the order is at revision 2, not at 0\n",
    });
    expect(
      (await aftersale(["exec", JSON.stringify(ship("a")), "--expect", "7", "--store", store])).exit,
    ).toBe(6);
  });

  test("names unknown keys of the line and of the command, with suggestions", async () => {
    const line =
      '{"commandID":"c","actor":{"role":"buyer","id":"li"},"command":{"type":"HideOrder","orderid":"a"}}';
    const ran = await aftersale(["exec", line, "--json", "--store", "memory:"]);
    expect(ran.exit).toBe(5);
    const { error } = JSON.parse(ran.stdout) as { error: { message: string } };
    expect(error.message).toContain("commandID: unknown key (did you mean commandId?)");
    expect(error.message).toContain("orderid: unknown key (did you mean orderId?)");
  });
});

test("a line of very many unknown keys names twenty, and counts the rest", async () => {
  const keys = Object.fromEntries(Array.from({ length: 300_000 }, (_, at) => [`k${at}`, 1]));
  const ran = await executed("memory:", [{ ...create("a"), ...keys }]);
  const issues = ran.results[0]?.error?.["issues"] as readonly object[];
  expect([issues.length, issues[0], issues.at(-1)]).toEqual([
    21,
    { field: "k0", rule: "unknown key" },
    { field: "", rule: "and 299980 more" },
  ]);
});

describe("an argument that cannot be used", () => {
  test.each([
    ['{"type":', 3, "argument:1:9: not JSON: the text ends where there must be a value"],
    ["[1]", 3, "argument:1:1: a command is a JSON object"],
    ["null", 3, "argument:1:1: a command is a JSON object"],
    [cancelA, 2, "exec: say who gives the command, such as --as buyer:17850"],
  ])("%s: exit %i", async (json, exit, words) => {
    expect(await aftersale(["exec", json, "--store", "memory:"])).toEqual({
      exit,
      stdout: "",
      stderr: `aftersale: ${words}\n`,
    });
  });

  test.each([
    [["exec"], "exec: give a command as JSON, or --stdin"],
    [["exec", cancelA, "--stdin"], "exec: give a command or --stdin, not both"],
    [["exec", "--stdin", "--as", "buyer:li"], "cannot be used with option"],
    [["exec", cancelA, "--in-flight", "8"], "exec: --in-flight and --no-results go with --stdin"],
    [["exec", JSON.stringify(create("a")), "--as", "buyer:li"], "exec: --as, and the line has its own actor"],
    [["exec", JSON.stringify(create("a")), "--id", "x"], "exec: --id, and the line has its own commandId"],
  ])("%j is wrong usage", async (args, words) => {
    const ran = await aftersale([...args, "--store", "memory:"]);
    expect([ran.exit, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain(words);
  });
});
