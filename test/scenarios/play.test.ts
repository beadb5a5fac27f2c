// Running scenarios: what passes, what fails and how that is shown, the exit codes, and the examples that ship.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";

import { afterAll, describe, expect, it, vi } from "vitest";

import { CliError } from "../../src/cli/exits.ts";
import { type RunOptions, runScenarios } from "../../src/cli/run.ts";
import { CommandHandler } from "../../src/commands/handle.ts";
import { StoredWallet } from "../../src/commands/wallet.ts";
import { openEngine } from "../../src/engine.ts";
import { keptDifference } from "../../src/scenarios/play.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { readBlocks } from "../blocks.ts";

const folder = mkdtempSync(join(tmpdir(), "aftersale-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Paper extends Writable {
  text = "";
  isTTY = false;
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }
}

async function run(
  files: readonly string[],
  options: RunOptions = {},
  { tty = false, env = {}, signal = new AbortController().signal } = {},
) {
  const stdout = new Paper();
  const stderr = new Paper();
  stdout.isTTY = tty;
  const exit = await runScenarios(files, options, { stdout, stderr, env, signal });
  // Paths differ from run to run; the names of the files do not.
  const shown = (text: string) => text.replaceAll(folder, "DIR").replaceAll("\\", "/");
  return { exit, out: shown(stdout.text), err: shown(stderr.text) };
}

let files = 0;

/** A file with this text. */
function file(text: string): string {
  files += 1;
  const path = join(folder, `s${files}.yaml`);
  writeFileSync(path, text);
  return path;
}

const head = `name: S
clock: 2026-01-05T08:00:00Z
order: O1
terms: { main: { redeemStaff: [s1] } }
redeemKey: k
given:
  - CreateOrder:
      currency: CNY
      lines: [{ lineId: L1, goodsId: A, title: Tea, unitPrice: 1000, quantity: 3 }]
      fulfilment: local
      redeemable: true
    as: buyer:b1
steps:
`;
const pay = `  - when: { Pay: { payId: p1, amount: 3000, channel: online } }
    as: buyer:b1
`;

interface Told {
  readonly scenarios: readonly {
    readonly status: string;
    readonly steps: readonly {
      readonly status: string;
      readonly expected?: unknown;
      readonly actual?: unknown;
    }[];
  }[];
}

/** How the last step of a scenario with these steps turned out, and what was expected and seen where it failed. */
async function played(steps: string) {
  const { exit, out, err } = await run([file(head + steps)], { reporter: "json" });
  expect(err).toBe("");
  const [scenario] = (JSON.parse(out) as Told).scenarios;
  const failed = scenario!.steps.find(({ status }) => status === "failed");
  return { exit, status: scenario!.status, expected: failed?.expected, actual: failed?.actual };
}

const paid = "OrderPaid: { payId: p1, amount: 3000, channel: online }";
const deducted = "StockDeducted: { cause: OrderPaid, lines: [{ lineId: L1, quantity: 3 }], rule: payment }";
const good: readonly (readonly [string, string])[] = [
  ["types alone", `${pay}    then: [OrderPaid, StockDeducted]`],
  [
    "all of the data, its keys in any order",
    `${pay}    then: [{ OrderPaid: { channel: online, payId: p1, amount: 3000 } }, { ${deducted} }]`,
  ],
  ["nothing at all", `${pay}    then: [OrderPaid, StockDeducted]\n${pay}    then: nothing`],
  ["a repeat", `${pay}    id: a\n    then: [OrderPaid, StockDeducted]\n${pay}    id: a\n    then: repeat`],
  ["a code", "  - { when: ConfirmReceipt, as: buyer:b1, then: { refused: orderStatusNotEligible } }"],
  [
    "every rule that was broken",
    "  - { when: { Redeem: { code: X } }, as: staff:s2, then: { refused: [orderStatusNotEligible, staffNotListed] } }",
  ],
  [
    "an unreadable command",
    "  - { when: { Pay: { payd: 1 } }, as: buyer:b1, then: { refused: invalidCommand } }",
  ],
  [
    "a view",
    "  - then: { view: order, is: { status: pendingPayment, paidAt: null, payBy: 2026-01-05T08:30:00Z } }",
  ],
  [
    "an order's log",
    "  - then: { view: order, is: { log: [{ event: OrderCreated, at: 2026-01-05T08:00:00Z, by: buyer:b1, from: none, to: pendingPayment }] } }",
  ],
];

it.each(good)("passes %s", async (_what, steps) => {
  expect(await played(steps)).toStrictEqual({
    exit: 0,
    status: "passed",
    expected: undefined,
    actual: undefined,
  });
});

const events = (...list: readonly string[]) => `${pay}    then: [${list.join(", ")}]`;
const bad: readonly (readonly [string, string, unknown, unknown])[] = [
  [
    "the wrong order",
    events("StockDeducted", "OrderPaid"),
    ["StockDeducted", "OrderPaid"],
    ["OrderPaid", "StockDeducted"],
  ],
  [
    "a missing event",
    events("OrderPaid", "StockDeducted", "OrderShipped"),
    ["OrderPaid", "StockDeducted", "OrderShipped"],
    ["OrderPaid", "StockDeducted"],
  ],
  ["an event too many", events("OrderPaid"), ["OrderPaid"], ["OrderPaid", "StockDeducted"]],
  [
    "[A, A] for [A, Z]",
    events("OrderPaid", "OrderPaid"),
    ["OrderPaid", "OrderPaid"],
    ["OrderPaid", "StockDeducted"],
  ],
  [
    "wrong data",
    events("{ OrderPaid: { payId: p1, amount: 2999, channel: online } }", "StockDeducted"),
    [{ OrderPaid: { payId: "p1", amount: 2999, channel: "online" } }, "StockDeducted"],
    [{ OrderPaid: { payId: "p1", amount: 3000, channel: "online" } }, "StockDeducted"],
  ],
  [
    "data with a key missing",
    events("{ OrderPaid: { payId: p1, amount: 3000 } }", "StockDeducted"),
    [{ OrderPaid: { payId: "p1", amount: 3000 } }, "StockDeducted"],
    [{ OrderPaid: { payId: "p1", amount: 3000, channel: "online" } }, "StockDeducted"],
  ],
  [
    "data with a key too many",
    events(`{ OrderPaid: { payId: p1, amount: 3000, channel: online, method: card } }`, "StockDeducted"),
    [{ OrderPaid: { payId: "p1", amount: 3000, channel: "online", method: "card" } }, "StockDeducted"],
    [{ OrderPaid: { payId: "p1", amount: 3000, channel: "online" } }, "StockDeducted"],
  ],
  [
    "a number where text stands",
    events(`{ ${paid.replace("p1", "1")} }`, "StockDeducted"),
    [{ OrderPaid: { payId: 1, amount: 3000, channel: "online" } }, "StockDeducted"],
    [{ OrderPaid: { payId: "p1", amount: 3000, channel: "online" } }, "StockDeducted"],
  ],
  ["events where nothing was expected", `${pay}    then: nothing`, "nothing", ["OrderPaid", "StockDeducted"]],
  ["events where a repeat was expected", `${pay}    then: repeat`, "repeat", ["OrderPaid", "StockDeducted"]],
  [
    "a repeat where nothing was expected",
    `${pay}    id: a\n${pay}    id: a\n    then: nothing`,
    "nothing",
    "repeat",
  ],
  [
    "nothing where a repeat was expected",
    `${pay}    id: a\n${pay}    id: b\n    then: repeat`,
    "repeat",
    "nothing",
  ],
  [
    "events where a refusal was expected",
    `${pay}    then: { refused: notDue }`,
    { refused: "notDue" },
    ["OrderPaid", "StockDeducted"],
  ],
  [
    "a refusal where events were expected",
    "  - { when: ConfirmReceipt, as: buyer:b1, then: [ReceiptConfirmed] }",
    ["ReceiptConfirmed"],
    { refused: "orderStatusNotEligible" },
  ],
  [
    "a refusal where nothing was said",
    "  - { when: ConfirmReceipt, as: buyer:b1 }",
    "accepted",
    { refused: "orderStatusNotEligible" },
  ],
  [
    "another code",
    "  - { when: ConfirmReceipt, as: buyer:b1, then: { refused: notDue } }",
    { refused: "notDue" },
    { refused: "orderStatusNotEligible" },
  ],
  [
    "another fact",
    "  - { when: HideOrder, as: buyer:b2, then: { refused: { notOwner: { orderId: O2, role: buyer } } } }",
    { refused: { notOwner: { orderId: "O2", role: "buyer" } } },
    { refused: { notOwner: { orderId: "O1", role: "buyer" } } },
  ],
  [
    "a fact missing",
    "  - { when: HideOrder, as: buyer:b2, then: { refused: { notOwner: { orderId: O1 } } } }",
    { refused: { notOwner: { orderId: "O1" } } },
    { refused: { notOwner: { orderId: "O1", role: "buyer" } } },
  ],
  [
    "a rule too few",
    "  - { when: { Redeem: { code: X } }, as: staff:s2, then: { refused: [orderStatusNotEligible] } }",
    { refused: ["orderStatusNotEligible"] },
    { refused: ["orderStatusNotEligible", "staffNotListed"] },
  ],
  [
    "rules in the wrong order",
    "  - { when: { Redeem: { code: X } }, as: staff:s2, then: { refused: [staffNotListed, orderStatusNotEligible] } }",
    { refused: ["staffNotListed", "orderStatusNotEligible"] },
    { refused: ["orderStatusNotEligible", "staffNotListed"] },
  ],
  [
    "another value in a view, beside events that were right",
    `${pay}    then: [OrderPaid, StockDeducted]\n    and: { view: statistics, is: { orders: 2, paid: { CNY: 3000 } } }`,
    { orders: 2, paid: { CNY: 3000 } },
    { orders: 1, paid: { CNY: 3000 } },
  ],
  [
    "a part of a value in a view",
    "  - then: { view: order, is: { charges: [], redemption: {} } }",
    { charges: [], redemption: {} },
    { charges: [], redemption: expect.objectContaining({ codeHash: expect.any(String) }) },
  ],
  ["an order that is there", "  - then: { view: order, is: nothing }", "nothing", "an order"],
  [
    "an order that is not there",
    "  - then: { view: order, of: O2, is: { status: paid } }",
    { status: "paid" },
    "nothing",
  ],
  [
    "an order too many in a list",
    "  - then: { view: orders, is: [] }",
    [],
    [{ orderId: "O1", status: "pendingPayment" }],
  ],
  [
    "an order too few in a list",
    "  - then: { view: orders, is: [{ orderId: O1 }, { orderId: O2 }] }",
    [{ orderId: "O1" }, { orderId: "O2" }],
    [{ orderId: "O1" }],
  ],
  [
    "what fell due where nothing should",
    "  - { when: due, after: 31m, then: nothing }",
    "nothing",
    ["OrderExpired"],
  ],
  [
    "nothing due where something should",
    "  - { when: due, after: 30m, then: [OrderExpired] }",
    ["OrderExpired"],
    "nothing",
  ],
];

it.each(bad)("fails %s", async (_what, steps, expected, actual) => {
  expect(await played(steps)).toStrictEqual({ exit: 4, status: "failed", expected, actual });
});

it("fails a list of orders in the wrong order", async () => {
  const second = `  - when: { CreateOrder: { currency: CNY, lines: [{ lineId: L1, goodsId: A, title: Tea, unitPrice: 1, quantity: 1 }], fulfilment: local } }
    as: buyer:b1
    order: O2
    after: 1s
`;
  const list = (...ids: readonly string[]) =>
    `    and: { view: orders, is: [${ids.map((id) => `{ orderId: ${id} }`).join(", ")}] }`;
  expect((await played(second + list("O2", "O1"))).exit).toBe(0);
  expect((await played(second + list("O1", "O2"))).exit).toBe(4);
});

it("fails a scenario whose given command is refused, and runs no step of it", async () => {
  const { exit, out } = await run([
    file(`${head.replace("buyer:b1", "staff:s1")}${pay}    then: [OrderPaid]`),
  ]);
  expect(exit).toBe(4);
  expect(out).toContain("✗ given CreateOrder as staff:s1");
  expect(out).toContain("- Pay as buyer:b1, not run");
});

describe("refunds", () => {
  const refunding =
    head.replace("order: O1\n", "order: O1\ncase: c-1\n") +
    `${pay.replace("channel: online", "channel: wallet")}
  - when: { ApplyRefund: { lineId: L1, caseType: refundOnly, amount: 3000 } }
    as: buyer:b1
    then: [RefundApplied]
  - { when: { ApproveRefund: { destination: wallet } }, as: merchant:main, then: [RefundApproved, RefundIssued] }
`;
  const failed = async (steps: string) => {
    const { exit, out } = await run([file(refunding + steps)], { reporter: "json" });
    const [scenario] = (JSON.parse(out) as Told).scenarios;
    const { expected, actual } = scenario!.steps.find(({ status }) => status === "failed") ?? {};
    return { exit, expected, actual };
  };

  const wrong: readonly (readonly [string, string, unknown, unknown])[] = [
    [
      "events of a run where nothing was expected",
      "  - { when: refunds, then: nothing }",
      "nothing",
      ["RefundSettled", "StockReleased", "OrderClosedByRefund"],
    ],
    [
      "a run that did nothing",
      "  - { when: refunds }\n  - { when: refunds, then: [RefundSettled] }",
      ["RefundSettled"],
      "nothing",
    ],
    ["a case that is there", "  - then: { view: refund, is: nothing }", "nothing", "a case or a line"],
    [
      "a case that is not there",
      "  - then: { view: refund, of: c-2, is: { status: refunded } }",
      { status: "refunded" },
      "nothing",
    ],
    [
      "a history that has a case too many",
      "  - then: { view: refundHistory, is: [] }",
      [],
      [{ caseId: "c-1", status: "refundPending" }],
    ],
    [
      "an attempt too few in a case",
      "  - then: { view: refund, is: { attempts: [] } }",
      { attempts: [] },
      { attempts: [expect.objectContaining({ refundId: "c-1:1", state: "inFlight" })] },
    ],
    [
      "another state of an attempt",
      "  - then: { view: refund, is: { attempts: [{ state: settled }] } }",
      { attempts: [{ state: "settled" }] },
      { attempts: [{ state: "inFlight" }] },
    ],
    [
      "a queue that has a case too many",
      "  - then: { view: queue, is: [] }",
      [],
      [{ orderId: "O1", caseId: "c-1", status: "refundPending" }],
    ],
    [
      "a queue that has a case too few",
      "  - then: { view: queue, where: { waitsFor: [buyer] }, is: [{ caseId: c-1 }] }",
      [{ caseId: "c-1" }],
      [],
    ],
    [
      "calls of a wallet that were not made",
      '  - then: { view: wallet, is: { calls: ["status c-1:1: unknown"] } }',
      { calls: ["status c-1:1: unknown"] },
      { calls: [] },
    ],
  ];

  it.each(wrong)("fail %s", async (_what, steps, expected, actual) => {
    expect(await failed(steps)).toStrictEqual({ exit: 4, expected, actual });
  });

  it("are exact in sum where only the digits are", async () => {
    const order = (id: string, amount: number) => `  - CreateOrder:
      orderId: ${id}
      currency: CNY
      lines: [{ lineId: L1, goodsId: A, title: Palace, unitPrice: ${amount}, quantity: 1 }]
      fulfilment: local
    as: buyer:b1
  - { Pay: { orderId: ${id}, payId: p-${id}, amount: ${amount}, channel: online, tradeNo: T-${id} }, as: buyer:b1 }
  - { ApplyRefund: { orderId: ${id}, caseId: c-${id}, lineId: L1, caseType: refundOnly, amount: ${amount} }, as: buyer:b1 }
  - { ApproveRefund: { orderId: ${id}, caseId: c-${id}, destination: original }, as: merchant:main }
`;
    const text = `name: S
clock: 2026-01-05T08:00:00Z
given:
${order("O1", Number.MAX_SAFE_INTEGER)}${order("O2", 2)}steps:
  - { when: refunds }
  - then: { view: provider, is: { paid: { CNY: "9007199254740993" } } }
    and: { view: statistics, is: { paid: { CNY: "9007199254740993" }, refunded: { CNY: "9007199254740993" } } }
`;
    expect(await run([file(text)])).toMatchObject({ exit: 0, err: "" });
  });

  it("go where they were issued to, once, over restarts too", async () => {
    const steps = `  - { when: refunds, then: [RefundSettled, StockReleased, OrderClosedByRefund] }
  - { when: restart, then: nothing }
  - { when: refunds, after: 1d, then: nothing }
  - then: { view: wallet, is: { calls: ["status c-1:1: unknown", "refund c-1:1: settled"], paid: { CNY: 3000 } } }
    and: { view: provider, is: { calls: [], book: [], paid: {} } }
`;
    for (const store of ["memory:", "sqlite:"])
      expect(await run([file(refunding + steps)], { store })).toMatchObject({ exit: 0, err: "" });
  });
});

describe("commands together", () => {
  const both = (first: string, second: string, and = "") =>
    `  - together:
      - { when: { Pay: { payId: p1, amount: 3000, channel: online } }, as: buyer:b1, ${first} }
      - { when: { Pay: { payId: p2, amount: 3000, channel: online } }, as: buyer:b1, ${second} }
${and}`;
  const paidFirst = "then: [OrderPaid, StockDeducted]";

  it("come to what each of them comes to, in their order", async () => {
    expect(
      await played(
        both(
          paidFirst,
          "then: { refused: orderStatusNotEligible }",
          "    and: { view: order, is: { status: paid, paid: 3000 } }",
        ),
      ),
    ).toMatchObject({ exit: 0, status: "passed" });
    expect(
      await played(both(`expect: 0, ${paidFirst}`, "expect: 0, then: { refused: versionConflict }")),
    ).toMatchObject({ exit: 0, status: "passed" });
  });

  it("are one command under one id", async () => {
    const same = both(`id: a, ${paidFirst}`, "id: a, then: repeat").replace("p2", "p1");
    expect(await played(same)).toMatchObject({ exit: 0, status: "passed" });
    expect(await played(same.replace("repeat", "nothing"))).toMatchObject({
      exit: 4,
      expected: "nothing",
      actual: "repeat",
    });
  });

  it.each([
    [
      both("then: nothing", "then: { refused: orderStatusNotEligible }"),
      "nothing",
      ["OrderPaid", "StockDeducted"],
    ],
    [both(paidFirst, "then: nothing"), "nothing", { refused: "orderStatusNotEligible" }],
    [both(paidFirst, paidFirst), ["OrderPaid", "StockDeducted"], { refused: "orderStatusNotEligible" }],
  ])("fail where one of them comes to something else", async (steps, expected, actual) => {
    expect(await played(steps)).toStrictEqual({ exit: 4, status: "failed", expected, actual });
  });

  it("are told of with the command that failed", async () => {
    const { out } = await run([file(head + both(paidFirst, "then: nothing"))]);
    expect(out).toContain("✗ Pay as buyer:b1 | Pay as buyer:b1");
    expect(out).toContain("      Pay as buyer:b1: ");
  });
});

describe("a restart", () => {
  const restarted = `${pay}    id: a
    then: [OrderPaid, StockDeducted]
  - { when: restart, after: 1d, then: nothing }
${pay}    id: a
    then: repeat
  - when: { Pay: { payId: p1, amount: 3000, channel: online } }
    as: buyer:b2
    order: O2
    then: { refused: orderNotFound }
  - { then: { view: statistics, is: { orders: 1, paid: { CNY: 3000 } } } }
  - { when: { Ship: { code: !code O1 } }, as: merchant:main, then: [OrderShipped] }
`;

  it.each(["memory:", "sqlite:"])("leaves on %s what was stored, and no more", async (store) => {
    expect(await run([file(head + restarted)], { store })).toMatchObject({ exit: 0, err: "" });
    const { exit, out } = await run(
      [file(head + restarted.replace("then: nothing }", "then: [OrderPaid] }"))],
      { store },
    );
    expect(exit).toBe(4);
    expect(out).toContain("✗ restart at 2026-01-06T08:00:00Z");
  });
});

describe("given events", () => {
  const givenEvents = (data: string) => `name: S
clock: 2026-01-05T08:00:00Z
order: O1
given:
  - OrderCreated:
      orderId: O1
      orderNo: O1
      merchantId: main
      buyerId: b1
      currency: CNY
      lines: ${data}
      charges: []
      discount: 0
      lineCount: 1
      units: 2
      goods: 1000
      total: 1000
      fulfilment: local
      terms: { booking: false, autoConfirmDays: 3, stockDeduction: shipping }
  - OrderPaid: { payId: p1, amount: 1000, channel: online }
steps:
  - when: Ship
    as: merchant:main
    then: [OrderShipped, StockDeducted]
  - when: due
    after: 3d 1s
    then: [{ ReceiptConfirmed: { by: system } }]
  - then: { view: statistics, of: buyer:b1, is: { count_id_no_reputation: 1, units: 2 } }
`;

  it.each(["memory:", "sqlite:"])("stand in the store before the first step, on %s", async (store) => {
    const text = givenEvents(
      "[{ lineId: L1, goodsId: A, title: Tea, unitPrice: 500, quantity: 2, allowedTypes: [] }]",
    );
    expect(await run([file(text)], { store, reporter: "spec" })).toMatchObject({ exit: 0 });
  });

  it("are refused before anything is run where no view could keep them", async () => {
    const { exit, out, err } = await run([file(givenEvents("[{ lineId: L1 }]"))]);
    expect({ exit, out }).toStrictEqual({ exit: 3, out: "" });
    expect(err).toMatch(/^DIR\/s\d+\.yaml:\d+:5: given Order(Created|Paid): /);
  });

  it("are refused where two orders claim one payment", async () => {
    const text = givenEvents(
      "[{ lineId: L1, goodsId: A, title: Tea, unitPrice: 500, quantity: 2, allowedTypes: [] }]",
    );
    const twice = text.replace(
      "steps:",
      "  - { OrderPaid: { payId: p1, amount: 1, channel: online }, order: O2 }\nsteps:",
    );
    expect(await run([file(twice)])).toStrictEqual({
      exit: 3,
      out: "",
      err: expect.stringMatching(
        /^DIR\/s\d+\.yaml:21:5: given OrderPaid: payment\/p1 is held by another stream\n$/,
      ),
    });
  });
});

// --- exit codes ---

it("exits 3 on what cannot be read, names all of it, and runs nothing", async () => {
  const right = file(`${head}${pay}    then: [OrderPaid, StockDeducted]`);
  const wrong = file("name: S\nclok: x\n");
  const worse = file("name: S\nname: S\n");
  expect(await run([right, wrong, worse])).toStrictEqual({
    exit: 3,
    out: "",
    err: [
      `DIR/s${files - 1}.yaml:1:1: clock is missing`,
      `DIR/s${files - 1}.yaml:1:1: steps is missing`,
      `DIR/s${files - 1}.yaml:2:1: a scenario: unknown key "clok" (did you mean clock?)`,
      `DIR/s${files}.yaml:2:1: Map keys must be unique`,
      "",
    ].join("\n"),
  });
});

it("exits 9 where nothing was checked", async () => {
  const nothing = { exit: 9, out: "0 scenarios: 0 passed, 0 failed\n", err: "" };
  expect(await run([file("")])).toStrictEqual(nothing);
  expect(await run([file("# only a remark\n")])).toStrictEqual(nothing);
  expect(await run([mkdtempSync(join(folder, "empty-"))])).toStrictEqual(nothing);
  expect((await run([file(head + pay)])).exit).toBe(9);
  expect((await run([file(`${head} []\n`)])).exit).toBe(9);
});

it("lets a failure weigh more than what was not checked", async () => {
  const unchecked = file(head + pay);
  const failing = file(`${head}${pay}    then: nothing`);
  const passing = file(`${head}${pay}    then: [OrderPaid, StockDeducted]`);
  expect((await run([unchecked, failing])).exit).toBe(4);
  expect((await run([passing, unchecked])).exit).toBe(9);
});

it("exits 1 on a defect, and says where it struck", async () => {
  const defect = vi.spyOn(CommandHandler.prototype, "state").mockRejectedValue(new Error("it broke"));
  try {
    const { exit, out } = await run([file(`${head}${pay}    then: [OrderPaid, StockDeducted]`)], {
      reporter: "json",
    });
    expect(exit).toBe(1);
    expect((JSON.parse(out) as Told).scenarios[0]).toMatchObject({
      status: "broken",
      steps: [
        { name: "Pay as buyer:b1", status: "passed" },
        {
          name: "state by replay equals state kept",
          status: "broken",
          defect: expect.stringContaining("it broke"),
        },
      ],
    });
  } finally {
    defect.mockRestore();
  }
});

it("throws on wrong options and on files that are not there", async () => {
  const path = file(`${head}${pay}    then: nothing`);
  const failing = (files: readonly string[], options: RunOptions) =>
    run(files, options).catch((error: unknown) => error);
  expect(await failing([path], { reporter: "junti" })).toMatchObject({
    exit: 2,
    message: '--reporter: no such reporter "junti" (did you mean junit?); there are spec, tap, junit, json',
  });
  expect(await failing([path], { store: "sqlite:./orders.db" })).toMatchObject({ exit: 2 });
  expect(await failing([join(folder, "none.yaml")], {})).toMatchObject({ exit: 3 });
  expect(await failing([join(folder, "none.yaml")], {})).toBeInstanceOf(CliError);
});

it("stops when it is interrupted", async () => {
  const interrupted = new AbortController();
  interrupted.abort(new Error("enough"));
  const path = file(`${head}${pay}    then: nothing`);
  await expect(run([path], {}, { signal: interrupted.signal })).rejects.toThrow("enough");
});

it("colours for a terminal only, and not where NO_COLOR asks for none", async () => {
  const path = file(`${head}${pay}    then: [OrderPaid, StockDeducted]`);
  const { out: plain } = await run([path]);
  expect(plain).not.toContain("\u001b");
  const { out: coloured } = await run([path], {}, { tty: true });
  expect(coloured).toContain("\u001b[32m✓\u001b[39m Pay as buyer:b1");
  expect((await run([path], {}, { tty: true, env: { NO_COLOR: "1" } })).out).toBe(plain);
  expect((await run([path], { reporter: "tap" }, { tty: true })).out).not.toContain("\u001b");
});

// --- the last step ---

describe("the last step of every scenario", () => {
  async function engineWithOrder() {
    const engine = await openEngine({ store: openMemoryStore() });
    const command = {
      type: "CreateOrder",
      orderId: "O1",
      currency: "CNY",
      lines: [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 3 }],
      fulfilment: "local",
    };
    await engine.execute(command, { actor: { role: "buyer", id: "b1" }, commandId: "c1", at: 0 });
    return engine;
  }

  it("finds nothing where all is well", async () => {
    await using engine = await engineWithOrder();
    expect(await keptDifference(engine)).toBeUndefined();
  });

  it("finds a state that is not what the events come to", async () => {
    await using engine = await engineWithOrder();
    const altered = {
      replay: engine.replay.bind(engine),
      check: engine.check.bind(engine),
      state: async (orderId: string) => ({ ...(await engine.state(orderId)), total: 1 }) as never,
    };
    expect(await keptDifference(altered)).toMatchObject({
      expected: { total: 3_000 },
      actual: { total: 1 },
      note: "order O1: its state as replayed, and as kept",
    });
  });

  it("finds a row of a view that a rebuild would not make", async () => {
    await using engine = await engineWithOrder();
    const altered = {
      replay: engine.replay.bind(engine),
      state: engine.state.bind(engine),
      check: async () => [
        { view: "orders", rows: 2, different: 1, differences: [{ kept: "[2]", rebuilt: undefined }] },
      ],
    };
    expect(await keptDifference(altered)).toStrictEqual({
      expected: [],
      actual: ["[2]"],
      note: "view orders: its rows as rebuilt, and as kept",
    });
  });
});

describe("requests in a dialect", () => {
  const ask = (what: string, ...more: readonly string[]) =>
    [`  - ask: { ${what} }`, "    with: { orderId: O1 }", ...more.map((line) => `    ${line}`), ""].join(
      "\n",
    );
  const pays = (...more: readonly string[]) => ask("apifm: /order/pay", "as: buyer:b1", ...more);
  const rich = (steps: string, wallets = "{ b1: 5000 }") =>
    run([file(`shop: { wallets: ${wallets} }\n${head}${steps}`)], { reporter: "json" });

  it.each(["memory:", "sqlite:"])(
    "are answered as over HTTP, and what they append is told, on %s",
    async (store) => {
      const steps =
        pays("reply: { code: 0, msg: success, data: null }", "then: [OrderPaid, StockDeducted]") +
        "  - { when: restart, then: nothing }\n" +
        pays("reply: { code: 0, msg: success, data: null }", "then: nothing") +
        ask("apifm: /order/pay", "has: { code: 2000 }", "then: nothing") +
        ask("apifm: /order/pay", "as: buyer:b2", "has: { code: 700 }") +
        "  - ask: { apifm: GET /order/detail }\n    with: { id: O1 }\n    as: buyer:b1\n" +
        "    has: { data: { orderInfo: { status: 1, dateClose2: null }, goods: [{ number: 3 }] } }\n" +
        "  - ask: { appintf: GET /appIntf/order/orderDetail.jsp }\n    as: buyer:b1\n    has: { x: 1 }\n";
      const { exit, out } = await run([file(`shop: { wallets: { b1: 5000 } }\n${head}${steps}`)], { store });
      // The last one is a page, which is a text and no document.
      expect(exit).toBe(4);
      expect(out.match(/✓/g)).toHaveLength(6);
      expect(out).toMatch(/- x: 1[^]*订单不存在/);
    },
  );

  it.each([
    [
      "another reply",
      "reply: { code: 0, msg: success }",
      { code: 0, msg: "success" },
      { code: 0, msg: "success", data: null },
    ],
    ["a part that is another", "has: { code: 700 }", { code: 700 }, { code: 0 }],
    ["a part that is not there", "has: { core: 0 }", { core: 0 }, { core: null }],
    ["an event too many", "then: [OrderPaid]", ["OrderPaid"], ["OrderPaid", "StockDeducted"]],
    ["anything at all", "then: nothing", "nothing", ["OrderPaid", "StockDeducted"]],
  ])("fail on %s", async (_what, then, expected, actual) => {
    const { exit, out } = await rich(pays(then));
    const [scenario] = (JSON.parse(out) as Told).scenarios;
    expect({ exit, failed: scenario!.steps[0] }).toMatchObject({ exit: 4, failed: { expected, actual } });
  });

  it("make the same ids in every run, and under one id are one request", async () => {
    const create = (more: string) =>
      `  - ask: { apifm: /order/create }\n    with: { goodsJsonStr: [{ goodsId: A, number: 1 }], peisongType: zq }\n` +
      `    as: buyer:b1\n    id: once\n${more}`;
    const text = `shop: { goods: [{ goodsId: A, title: Tea, unitPrice: 1 }] }\n${head}`;
    const shown = await run([file(text + create("    has: { data: { id: 0 } }\n"))], { reporter: "json" });
    const [{ steps }] = (JSON.parse(shown.out) as Told).scenarios as [Told["scenarios"][0]];
    const { id } = (steps[0]!.actual as { data: { id: number } }).data;
    const good =
      create(`    has: { data: { id: ${id}, amountReal: 0.01 } }\n    then: [OrderCreated]\n`) +
      create(`    has: { data: { id: ${id} } }\n    then: nothing\n`);
    expect(await run([file(text + good)])).toMatchObject({ exit: 0 });
  });

  it("end as a defect where the dialect broke", async () => {
    const { pay: original } = StoredWallet.prototype;
    StoredWallet.prototype.pay = async () => {
      throw new Error("the wallet is on fire");
    };
    try {
      const { exit, out } = await rich(pays("then: nothing"));
      expect(exit).toBe(1);
      expect(out).toContain("the wallet is on fire");
    } finally {
      StoredWallet.prototype.pay = original;
    }
  });
});

// --- what ships ---

describe("the examples", () => {
  const examples = fileURLToPath(new URL("../../examples/scenarios", import.meta.url));

  it.each(["memory:", "sqlite:"])("pass on %s", async (store) => {
    const temporary = mkdtempSync(join(folder, "tmp-"));
    for (const name of ["TMPDIR", "TEMP", "TMP"]) vi.stubEnv(name, temporary);
    const { exit, out, err } = await run([examples], { store, reporter: "json" });
    vi.unstubAllEnvs();
    expect(err).toBe("");
    const { passed, scenarios } = JSON.parse(out) as { passed: number; scenarios: { file: string }[] };
    expect({ exit, passed }).toStrictEqual({ exit: 0, passed: scenarios.length });
    expect(new Set(scenarios.map(({ file: path }) => path)).size).toBe(readdirSync(examples).length);
    expect(readdirSync(temporary)).toStrictEqual([]);
  });

  it("of the documentation passes", async () => {
    const page = readFileSync(new URL("../../docs/scenarios.md", import.meta.url), "utf8");
    const scenarios = readBlocks(page).filter(({ language }) => language === "yaml");
    expect(scenarios).toHaveLength(1);
    expect(await run([file(scenarios[0]!.text)])).toMatchObject({ exit: 0, err: "" });
  });

  /** Every expectation of the happy path is one: changed, it fails. */
  const changes: readonly (readonly [string, string])[] = [
    ["          total: 5800", "          total: 5801"],
    ["            evidenceMax: 9\n", ""],
    ["          payBy: 2026-01-05T08:30:00Z", "          payBy: 2026-01-05T08:30:01Z"],
    ["{ lineId: L2, quantity: 1 }]", "{ lineId: L2, quantity: 2 }]"],
    ["count_id_no_pay: 0", "count_id_no_pay: 1"],
    ["paid: { CNY: 5800 }", "paid: { CNY: 5801 }"],
    ["dueAt: 2026-01-21T08:01:00Z", "dueAt: 2026-01-21T08:01:01Z"],
    ["ReceiptConfirmed: { by: buyer }", "ReceiptConfirmed: { by: system }"],
    ["personal: { items: [{ lineId: L1, text: 很香 }] }", "personal: { items: [{ lineId: L1, text: 很 }] }"],
    ["ratings: [neutral, good]", "ratings: [good]"],
    ["where: { text: 观音 }", "where: { text: 观世音 }"],
    ["alreadyReviewed: { at: 2026-01-08T08:01:00Z }", "alreadyReviewed: { at: 2026-01-08T08:01:01Z }"],
    [
      "is: { count_id_no_confirm: 1, count_id_success: 0",
      "is: { count_id_no_confirm: 1, count_id_success: 1",
    ],
  ];

  it.each(changes)("fail with %j changed to %j", async (from, to) => {
    const text = readFileSync(join(examples, "happy-path.yaml"), "utf8");
    expect(text.split(from)).toHaveLength(2);
    expect((await run([file(text.replace(from, to))])).exit).toBe(4);
  });
});
