// Reading scenario files: what is understood, and every fault by its line, its column and its words.

import { expect, it } from "vitest";

import { readScenarios } from "../../src/scenarios/read.ts";
import { expectsAnything } from "../../src/scenarios/scenario.ts";

/** A scenario's head, in four lines, so that its steps begin on the fifth. */
const head = "name: S\nclock: 2026-01-01T00:00:00Z\norder: O1\nsteps:\n";

function faultsOf(text: string): readonly string[] {
  return readScenarios(text).faults.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

/** The faults of one step, whose first line is the fifth and whose keys stand in column 5. */
function faultsOfStep(...lines: readonly string[]): readonly string[] {
  return faultsOf(`${head}  - ${lines.join("\n    ")}\n`);
}

function stepOf(...lines: readonly string[]) {
  const { scenarios, faults } = readScenarios(`${head}  - ${lines.join("\n    ")}\n`);
  expect(faults).toStrictEqual([]);
  return scenarios[0]!.steps[0]!;
}

const pay = "when: { Pay: { payId: p1, amount: 100, channel: online } }";
const t0 = Date.UTC(2026, 0, 1);

it("reads a command with who, when, under which id and what is expected of it", () => {
  expect(
    stepOf(
      pay,
      "as: buyer:b:1",
      "after: 1h 30m 1s",
      "id: cmd-1",
      "expect: 0",
      "then: [OrderPaid, { OrderExpired: { payBy: 2026-01-01T00:30:00Z } }]",
    ),
  ).toStrictEqual({
    line: 5,
    column: 5,
    kind: "command",
    name: "Pay as buyer:b:1",
    at: t0 + 5_401_000,
    command: { type: "Pay", orderId: "O1", payId: "p1", amount: 100, channel: "online" },
    actor: { role: "buyer", id: "b:1" },
    commandId: "cmd-1",
    expect: 0n,
    outcome: {
      kind: "events",
      events: [
        { type: "OrderPaid", data: undefined },
        { type: "OrderExpired", data: { payBy: t0 + 1_800_000 } },
      ],
    },
    views: [],
  });
});

it("gives a command to the case that is meant, but for one that names its own", () => {
  const text = (steps: string) =>
    `name: S\nclock: 2026-01-01T00:00:00Z\norder: O1\ncase: c-1\nsteps:\n${steps}`;
  const { scenarios, faults: found } = readScenarios(
    text(
      "  - { when: CancelRefund, as: buyer:b1 }\n" +
        "  - { when: CancelRefund, as: buyer:b1, case: c-2 }\n" +
        "  - { when: { CancelRefund: { caseId: c-3 } }, as: buyer:b1, case: c-2 }\n" +
        "  - { when: ConfirmReceipt, as: buyer:b1 }\n",
    ),
  );
  expect(found).toStrictEqual([]);
  expect(scenarios[0]!.steps).toMatchObject([
    { name: "CancelRefund as buyer:b1", command: { caseId: "c-1" } },
    { name: "CancelRefund of c-2 as buyer:b1", command: { caseId: "c-2" } },
    { name: "CancelRefund of c-3 as buyer:b1", command: { caseId: "c-3" } },
    { name: "ConfirmReceipt as buyer:b1", command: { type: "ConfirmReceipt", orderId: "O1" } },
  ]);
  expect(scenarios[0]!.steps[3]).not.toHaveProperty("command.caseId");
});

it("reads commands of one instant, each with an outcome and an id of its own", () => {
  const step = stepOf(
    "after: 1m",
    "order: O2",
    "together:",
    "  - { when: ConfirmReceipt, as: buyer:b1, then: nothing }",
    "  - { when: HideOrder, as: buyer:b1, order: O3, id: hide }",
    "and: { view: orders, is: [] }",
  );
  expect(step).toMatchObject({
    kind: "together",
    name: "ConfirmReceipt on O2 as buyer:b1 | HideOrder on O3 as buyer:b1",
    at: t0 + 60_000,
    outcome: undefined,
    attempts: [
      { at: t0 + 60_000, commandId: "step-1.1", outcome: { kind: "events", events: [] } },
      { at: t0 + 60_000, commandId: "hide", command: { orderId: "O3" }, outcome: { kind: "accepted" } },
    ],
    views: [{ view: "orders" }],
  });
});

it("reads a request in a dialect", () => {
  const asked = ["ask: { shopxo: /orderaftersale/cancel }", "with: { id: c-1 }", "as: buyer:b1"];
  expect(stepOf(...asked, "reply: { code: 0 }", "then: [RefundCancelled]")).toStrictEqual({
    line: 5,
    column: 5,
    kind: "ask",
    name: "shopxo /orderaftersale/cancel as buyer:b1",
    at: t0,
    dialect: "shopxo",
    method: "POST",
    path: "/orderaftersale/cancel",
    fields: { id: "c-1" },
    actor: { role: "buyer", id: "b1" },
    key: "step-1",
    reply: { kind: "reply", is: { code: 0 } },
    outcome: { kind: "events", events: [{ type: "RefundCancelled", data: undefined }] },
    views: [],
  });
  expect(stepOf("ask: { apifm: GET /order/list }", "id: k", "has: { code: 2000 }")).toMatchObject({
    method: "GET",
    path: "/order/list",
    fields: {},
    actor: undefined,
    key: "k",
    reply: { kind: "has" },
    outcome: undefined,
  });
});

it.each([
  [
    ["ask: { apifn: /order/pay }", "then: nothing"],
    '5:12: ask: no such "apifn" (did you mean apifm?); there are apifm, shopxo, baidu, appintf',
  ],
  [
    ["ask: { apifm: order/pay }", "then: nothing"],
    "5:19: apifm: a path such as /order/pay, or GET /order/detail",
  ],
  [
    ["ask: { apifm: PUT /order/pay }", "then: nothing"],
    "5:19: apifm: a path such as /order/pay, or GET /order/detail",
  ],
  [
    ["ask: { appintf: GET /appIntf/refund/refundLst.jsp }", "then: nothing"],
    '5:21: appintf: no such "/appIntf/refund/refundLst.jsp" (did you mean /appIntf/refund/refundList.jsp?)',
  ],
  [
    ["ask: { baidu: /rest/2.0/smartapp/ordercenter/app/add/main/inof }", "then: nothing"],
    '5:19: baidu: no such "/rest/2.0/smartapp/ordercenter/app/add/main/inof" (did you mean /rest/2.0/smartapp/ordercenter/app/add/main/info?)',
  ],
  [["ask: { apifm: GET /nope }", "then: nothing"], '5:19: apifm: no such "/nope"'],
  [
    ["ask: { apifm: //order/pay }", "then: nothing"],
    "5:19: apifm: a path such as /order/pay, or GET /order/detail",
  ],
  [
    ["ask: { shopxo: /orderaftersale/cancle }", "then: nothing"],
    '5:20: shopxo: no such "/orderaftersale/cancle" (did you mean /orderaftersale/cancel?)',
  ],
  [
    ["ask: { shopxo: GET /orderaftersale/cancel }", "then: nothing"],
    "5:20: shopxo: /orderaftersale/cancel is asked with POST",
  ],
  [
    ["ask: { apifm: /order/pay }"],
    "5:5: ask: what must come of it is missing: `reply`, `has`, `then` or `and`",
  ],
  [
    ["ask: { apifm: /order/pay }", "then: repeat"],
    "6:11: then: of a request, the events or `nothing`; the rest is its reply",
  ],
  [["ask: { apifm: /order/pay }", "has: {}"], "6:5: has: names no key, and so checks nothing"],
  [
    ["ask: { apifm: /order/pay }", "has: { code: 0 }", "reply: {}"],
    "6:5: has: stands beside `reply`, and only one of them can be meant",
  ],
  [["ask: { apifm: /order/pay }", "with: [1]", "then: nothing"], "6:11: with: must be a mapping"],
  [["ask: { apifm: /order/pay }", "expect: 1", "then: nothing"], "6:5: expect: has no meaning for a request"],
  [[pay, "as: buyer:b1", "reply: {}"], "7:5: reply: stands only beside an `ask`"],
])("finds what is wrong with a request: %j", (lines, fault) => {
  expect(faultsOfStep(...lines)).toStrictEqual([fault]);
});

it.each([
  ["appintf", "GET /appIntf/refund/refundList.jsp?page=1"],
  ["shopxo", "/api.php?s=orderaftersale/index"],
  ["shopxo", "/admin.php/orderaftersale/confirm.html"],
  ["shopxo", "/api/orderaftersale/cancel"],
  ["baidu", "/rest/2.0/smartapp/ordercenter/app/add/main/info"],
  ["apifm", "GET /order/statistics"],
])("takes an operation's path in every form that the dialect takes: %s %s", (dialect, asked) => {
  expect(faultsOfStep(`ask: { ${dialect}: "${asked}" }`, "then: nothing")).toEqual([]);
});

it("finds what is wrong with a shop", () => {
  const shop = (text: string) =>
    faultsOf(`shop: ${text}\n${head}  - { ask: { apifm: /order/pay }, then: nothing }\n`);
  expect(shop("{ goods: [{ goodsId: A, title: Tea, unitPrice: 1 }], wallets: { b1: 1 } }")).toEqual([]);
  expect(shop("{ good: [] }")).toEqual(["1:9: shop: good: unknown key (did you mean goods?)"]);
  expect(shop("{ goods: [{ goodsId: A, title: Tea, unitPrice: 0.5 }] }")).toEqual([
    expect.stringContaining("unitPrice"),
  ]);
  const tea = "{ goodsId: A, title: Tea, unitPrice: 1 }";
  expect(shop(`{ goods: [${tea}, ${tea}] }`)).toEqual(["1:59: shop: goods[1]: A stands at goods[0] already"]);
  for (const wallets of ["{ b1: 0 }", "{ b1: 1.5 }", "{}", "[1]", "{ a/b: 1 }"]) {
    expect(shop(`{ wallets: ${wallets} }`)).toEqual([
      "1:9: wallets: amounts in minor units by the buyers' ids",
    ]);
  }
  expect(
    faultsOf(
      `wallet: { "*": settle }\nshop: { wallets: { b1: 1 } }\n${head}  - { when: due, then: nothing }\n`,
    ),
  ).toEqual(["1:1: wallet: what the shop's own wallets do needs no script"]);
});

it("reads a restart", () => {
  expect(stepOf("when: restart", "then: nothing")).toMatchObject({
    kind: "restart",
    name: "restart at 2026-01-01T00:00:00Z",
    outcome: { kind: "events", events: [] },
  });
});

it("reads every form of an outcome", () => {
  const outcome = (then: string) => stepOf("when: ConfirmReceipt", "as: buyer:b1", `then: ${then}`).outcome;
  expect(outcome("nothing")).toStrictEqual({ kind: "events", events: [] });
  expect(outcome("[]")).toStrictEqual({ kind: "events", events: [] });
  expect(outcome("repeat")).toStrictEqual({ kind: "repeat" });
  expect(outcome("{ refused: notDue }")).toStrictEqual({
    kind: "refused",
    rules: [{ code: "notDue", facts: undefined }],
    all: false,
  });
  expect(outcome("{ refused: [notDue, { wrongActor: { role: buyer } }] }")).toStrictEqual({
    kind: "refused",
    rules: [
      { code: "notDue", facts: undefined },
      { code: "wrongActor", facts: { role: "buyer" } },
    ],
    all: true,
  });
  expect(stepOf("when: ConfirmReceipt", "as: buyer:b1").outcome).toStrictEqual({ kind: "accepted" });
});

it("reads a look at views, before or beside a command", () => {
  const step = stepOf(
    "then: { view: orders, of: merchant:m1, where: { statuses: [paid], text: tea }, is: [] }",
    "and:",
    "  - { view: order, of: O2, is: nothing }",
    "  - { view: statistics, asOf: 2026-01-01T00:00:01Z, is: { orders: 1 } }",
  );
  expect(step).toStrictEqual({
    line: 5,
    column: 5,
    kind: "look",
    name: "orders of merchant:m1, order O2, statistics",
    at: t0,
    outcome: undefined,
    views: [
      {
        asOf: undefined,
        view: "orders",
        filter: {
          statuses: ["paid"],
          rating: undefined,
          hasRefund: undefined,
          from: undefined,
          to: undefined,
          text: "tea",
          scope: { merchantId: "m1" },
        },
        is: [],
      },
      { asOf: undefined, view: "order", orderId: "O2", is: undefined },
      { asOf: t0 + 1_000, view: "statistics", scope: "all", is: { orders: 1 } },
    ],
  });
});

it("reads looks at refunds", () => {
  const step = stepOf(
    "then: { view: refund, of: c-1, is: { status: refunded } }",
    "and:",
    "  - { view: refund, line: L1, is: nothing }",
    "  - { view: refundHistory, is: [{ caseId: c-1, log: [] }] }",
    "  - { view: refundHistory, of: O2, is: nothing }",
    "  - { view: refundHistory, of: buyer:b1, where: { statuses: [refunded], types: [exchange], from: 2026-01-01 }, is: [] }",
    "  - { view: queue, of: merchant:m1, where: { waitsFor: [buyer] }, is: [{ since: 2026-01-01T00:00:01Z }] }",
    "  - { view: queue, is: [] }",
    "  - { view: provider, is: { calls: [] } }",
    "  - { view: wallet, is: { paid: {} } }",
  );
  expect(step.name).toBe(
    "refund c-1, refund of line L1, refundHistory of O1, refundHistory of O2, refundHistory of buyer:b1, " +
      "queue of merchant:m1, queue, provider, wallet",
  );
  expect(step.views).toStrictEqual([
    { asOf: undefined, view: "refund", of: { orderId: "O1", caseId: "c-1" }, is: { status: "refunded" } },
    { asOf: undefined, view: "refund", of: { orderId: "O1", lineId: "L1" }, is: undefined },
    { asOf: undefined, view: "refundHistory", orderId: "O1", is: [{ caseId: "c-1", log: [] }] },
    { asOf: undefined, view: "refundHistory", orderId: "O2", is: undefined },
    {
      asOf: undefined,
      view: "refundHistory",
      filter: {
        statuses: ["refunded"],
        types: ["exchange"],
        from: t0,
        to: undefined,
        scope: { buyerId: "b1" },
      },
      is: [],
    },
    {
      asOf: undefined,
      view: "queue",
      filter: { merchantId: "m1", waitsFor: ["buyer"] },
      is: [{ since: t0 + 1_000 }],
    },
    { asOf: undefined, view: "queue", filter: { merchantId: undefined, waitsFor: undefined }, is: [] },
    { asOf: undefined, view: "provider", is: { calls: [] } },
    { asOf: undefined, view: "wallet", is: { paid: {} } },
  ]);
});

it("reads what the payment provider and the wallet do", () => {
  const text = (script: string) =>
    `name: S\nclock: 2026-01-01T00:00:00Z\n${script}\nsteps:\n  - { when: refunds, then: nothing }\n`;
  const { scenarios } = readScenarios(
    text('provider: { "c-1:1": [throw, { settle: 900 }] }\nwallet: { "*": pending }'),
  );
  expect(scenarios[0]).toMatchObject({
    provider: { "c-1:1": ["throw", { settle: 900 }] },
    wallet: { "*": "pending" },
    steps: [{ kind: "refunds", name: "refunds at 2026-01-01T00:00:00Z" }],
  });
  expect(faultsOf(text("provider: { c-1: setle }"))).toStrictEqual([
    expect.stringMatching(/^3:11: provider: c-1: "setle" is no step \(settle\?\); steps are /),
  ]);
  expect(faultsOf(text("wallet: { c-1: [] }"))).toStrictEqual(["3:9: wallet: c-1: no steps"]);
});

it("lets the clock go on, and never back", () => {
  const { scenarios } = readScenarios(
    `${head}  - { when: due, after: 1d }\n  - { when: due, at: 2025-12-31T00:00:00Z }\n  - { when: due, after: 1s }\n`,
  );
  expect(scenarios[0]!.steps.map(({ at }) => at)).toStrictEqual([
    t0 + 86_400_000,
    Date.UTC(2025, 11, 31),
    t0 + 86_401_000,
  ]);
});

it("reads several documents of a file, and leaves empty ones out", () => {
  const text = `${head}  - when: due\n---\n# nothing here\n---\nname: T\nclock: 2026-01-01T00:00:00Z\nsteps: []\n`;
  const { scenarios, faults } = readScenarios(text);
  expect(faults).toStrictEqual([]);
  expect(scenarios.map(({ name, line }) => [name, line])).toStrictEqual([
    ["S", 1],
    ["T", 9],
  ]);
  expect(readScenarios("")).toStrictEqual({ scenarios: [], faults: [] });
});

it("derives write-off codes from the scenario's key", () => {
  const text = (key: string) =>
    `name: S\nclock: 2026-01-01T00:00:00Z\norder: O1\n${key}steps:\n  - when: { Redeem: { code: !code O1 } }\n    as: staff:s1\n`;
  const { scenarios, faults } = readScenarios(text("redeemKey: k\n"));
  expect(faults).toStrictEqual([]);
  expect(scenarios[0]!.steps[0]).toMatchObject({
    command: { code: expect.stringMatching(/^[A-Z2-7]{12}$/) },
  });
  expect(faultsOf(text(""))).toStrictEqual(["5:35: !code: the scenario has no redeemKey"]);
});

it("knows whether a scenario expects anything", () => {
  const expects = (step: string) => expectsAnything(readScenarios(`${head}  - ${step}\n`).scenarios[0]!);
  expect(expects("{ when: ConfirmReceipt, as: buyer:b1 }")).toBe(false);
  expect(expects("{ when: ConfirmReceipt, as: buyer:b1, then: nothing }")).toBe(true);
  expect(expects("{ then: { view: orders, is: [] } }")).toBe(true);
  const hide = "{ when: HideOrder, as: buyer:b1 }";
  expect(expects(`{ together: [${hide}, ${hide}] }`)).toBe(false);
  expect(expects(`{ together: [${hide}, ${hide.replace(" }", ", then: nothing }")}] }`)).toBe(true);
});

const faults: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  [
    "an unknown key of a step",
    ["when: ConfirmReceipt", "as: buyer:b1", "thn: nothing"],
    ['7:5: a step: unknown key "thn" (did you mean then?)'],
  ],
  [
    "an unknown command",
    ["when: ConfirmReceit", "as: buyer:b1"],
    ['5:11: ConfirmReceit: type: no such command "ConfirmReceit" (did you mean ConfirmReceipt?)'],
  ],
  [
    "an event where a command should stand",
    ["when: ReceiptConfirmed", "as: buyer:b1"],
    [
      '5:11: ReceiptConfirmed (that is an event; a command is in the imperative): type: no such command "ReceiptConfirmed"',
    ],
  ],
  [
    "an unknown key deep in a command",
    ["when: { Ship: { shipments: [{ carrier: SF }, { carier: SF }] } }", "as: merchant:main"],
    ["5:52: Ship: shipments[1].carier: unknown key (did you mean carrier?)"],
  ],
  [
    "two commands in one step",
    ["when: { ConfirmReceipt: {}, HideOrder: {} }", "as: buyer:b1"],
    ["5:11: when: must be a name, or one name with its data"],
  ],
  ["nobody who gives it", ["when: ConfirmReceipt"], ["5:11: ConfirmReceipt: who gives it is missing: as"]],
  [
    "a role that is none",
    ["when: ConfirmReceipt", "as: byer:b1"],
    [
      '6:9: as: no such role "byer" (did you mean buyer?); there are buyer, merchant, staff, provider, system, admin',
    ],
  ],
  [
    "a role without an id",
    ["when: ConfirmReceipt", "as: buyer"],
    ["6:9: as: a role and an id, such as buyer:b1"],
  ],
  [
    "an instant on no calendar",
    ["when: due", "at: 2026-02-30T00:00:00Z"],
    ['6:9: at: an instant such as 2026-01-31T08:00:00Z, and is "2026-02-30T00:00:00Z"'],
  ],
  [
    "a duration in no unit",
    ["when: due", "after: 3 weeks"],
    ['6:12: after: a duration such as 30m, 15d or 1h 30m 1s, and is "3 weeks"'],
  ],
  [
    "a duration past the calendar",
    ["when: due", "after: 999999999d"],
    ["6:12: after: leads past the year 9999"],
  ],
  [
    "two moments at once",
    ["when: due", "at: 2026-01-02T00:00:00Z", "after: 1s"],
    ["7:5: after: stands beside `at`, and only one of them can be meant"],
  ],
  [
    "an expectation of no revision",
    [pay, "as: buyer:b1", "expect: -1"],
    ["7:13: expect: `none`, or a revision such as 0"],
  ],
  ["an id that is none", [pay, "as: buyer:b1", "id: a b"], ['7:9: id: must be an id, and is "a b"']],
  [
    "what has no meaning for what falls due",
    ["when: due", "as: buyer:b1"],
    ["6:5: as: has no meaning for `due`"],
  ],
  [
    "what has no meaning for a restart",
    ["when: restart", "id: x"],
    ["6:5: id: has no meaning for `restart`"],
  ],
  [
    "one command alone together",
    ["together: [{ when: ConfirmReceipt, as: buyer:b1 }]"],
    ["5:15: together: two commands or more"],
  ],
  [
    "an unknown key together",
    ["together: [{ when: HideOrder, as: buyer:b1, at: x }, { when: HideOrder, as: buyer:b1 }]"],
    ['5:49: a step of together: unknown key "at" (did you mean as?)'],
  ],
  [
    "an outcome of all that is done together",
    ["together: [{ when: HideOrder, as: buyer:b1 }, { when: HideOrder, as: buyer:b1 }]", "then: nothing"],
    ["6:5: then: stands in each step of `together` itself"],
  ],
  [
    "no command together",
    ["together: [{ when: HideOrder, as: buyer:b1 }, { as: buyer:b1 }]"],
    ["5:51: when is missing"],
  ],
  [
    "a command to no case",
    ["when: CancelRefund", "as: buyer:b1"],
    ["5:11: CancelRefund: which case is missing: `case`, here or for the whole scenario"],
  ],
  [
    "neither a command nor a view",
    ["at: 2026-01-02T00:00:00Z"],
    ["5:5: a step has a `when`, or a `then` that looks at a view"],
  ],
  [
    "events without a command",
    ["then: [OrderPaid]"],
    ["5:5: then: without a `when` only a view can be looked at"],
  ],
  [
    "an actor without a command",
    ["as: buyer:b1", "then: { view: orders, is: [] }"],
    ["5:5: as: stands only beside a `when`"],
  ],
  [
    "an unknown event",
    [pay, "as: buyer:b1", "then: [OrderPayed]"],
    ['7:12: no such event "OrderPayed" (did you mean OrderPaid?)'],
  ],
  [
    "an unknown key of an event",
    [pay, "as: buyer:b1", "then: [{ OrderPaid: { payid: p1 } }]"],
    ['7:27: OrderPaid: its data: unknown key "payid" (did you mean payId?)'],
  ],
  [
    "an ellipsis",
    [pay, "as: buyer:b1", "then: [{ OrderPaid: { payId: p1, ...: 1 } }]"],
    ['7:38: OrderPaid: its data: unknown key "..."'],
  ],
  [
    "an event with an empty place for its data",
    [pay, "as: buyer:b1", "then:", "  - OrderPaid:"],
    ["8:9: OrderPaid: its data must be a mapping; {} where it has none"],
  ],
  ["an empty command", ["when:", "as: buyer:b1"], ["5:5: when is empty"]],
  [
    "a rule with an empty place for its facts",
    [pay, "as: buyer:b1", "then: { refused: { notDue: } }"],
    ["7:24: notDue: its facts must be a mapping; {} where it has none"],
  ],
  [
    "an outcome that is no outcome",
    [pay, "as: buyer:b1", "then: OrderPaid"],
    ["7:11: then: a list of events, `nothing`, `repeat`, `refused: CODE`, or a `view`"],
  ],
  [
    "an empty outcome",
    [pay, "as: buyer:b1", "then:"],
    ["7:5: then: a list of events, `nothing`, `repeat`, `refused: CODE`, or a `view`"],
  ],
  [
    "an unknown code",
    [pay, "as: buyer:b1", "then: { refused: notDu }"],
    ['7:22: refused: no such code "notDu" (did you mean notDue?)'],
  ],
  [
    "a refusal by no rule",
    [pay, "as: buyer:b1", "then: { refused: [] }"],
    ["7:22: refused: which rule is missing"],
  ],
  [
    "an unknown view",
    ["then: { view: statistic, is: {} }"],
    [
      '5:19: view: no such "statistic" (did you mean statistics?); there are statistics, orders, order, refundHistory, refund, queue, provider, wallet',
    ],
  ],
  [
    "an unknown key of a view's document",
    ["then: { view: order, is: { stauts: paid } }"],
    ['5:32: is: order: unknown key "stauts" (did you mean status?)'],
  ],
  [
    "a document that names nothing",
    ["then: { view: statistics, is: {} }"],
    ["5:35: is: names no key, and so checks nothing"],
  ],
  [
    "a list that is none",
    ["then: { view: orders, is: nothing }"],
    ["5:31: is: a list of orders, [] for none"],
  ],
  [
    "a list longer than a page",
    [`then: { view: orders, is: [${"{ status: paid }, ".repeat(1_000)}] }`],
    ["5:31: is: at most 999 orders"],
  ],
  [
    "a filter on what is no list",
    ["then: { view: order, where: { text: tea }, is: nothing }"],
    ["5:26: where: narrows a list of orders or of cases, nothing else"],
  ],
  [
    "a scope of nobody's",
    ["then: { view: orders, of: staff:s1, is: [] }"],
    ["5:31: of: a buyer or a merchant"],
  ],
  [
    "an unknown key of a case",
    ["then: { view: refund, of: c-1, is: { stauts: refunded } }"],
    ['5:42: is: refund: unknown key "stauts" (did you mean status?)'],
  ],
  [
    "an unknown key of a case in an order's history",
    ["then: { view: refundHistory, is: [{ attemts: [] }] }"],
    ['5:41: is: refundHistory: unknown key "attemts" (did you mean attempts?)'],
  ],
  [
    "what no row of a history has",
    ["then: { view: refundHistory, of: buyer:b1, is: [{ attempts: [] }] }"],
    ['5:55: is: refundHistory: unknown key "attempts"'],
  ],
  [
    "a look at no case",
    ["then: { view: refund, is: { status: refunded } }"],
    ["5:11: which case is missing: `of`, or `line`, or `case` for the whole scenario"],
  ],
  [
    "a line of what has none",
    ["then: { view: order, line: L1, is: { status: paid } }"],
    ["5:26: line: `refund` looks at a line, nothing else does"],
  ],
  [
    "a filter on one order's history",
    ["then: { view: refundHistory, where: { types: [exchange] }, is: [] }"],
    ["5:34: where: narrows a list of orders or of cases, nothing else"],
  ],
  [
    "a case's status that is none",
    ["then: { view: refundHistory, of: buyer:b1, where: { statuses: [paid] }, is: [] }"],
    [expect.stringMatching(/^5:68: statuses: no such "paid"/) as unknown as string],
  ],
  [
    "somebody whom nothing waits for",
    ["then: { view: queue, where: { waitsFor: [merchnt] }, is: [] }"],
    ['5:46: waitsFor: no such "merchnt" (did you mean merchant?); there are merchant, buyer, provider'],
  ],
  ["a buyer's queue", ["then: { view: queue, of: buyer:b1, is: [] }"], ["5:30: of: a merchant"]],
  [
    "somebody's provider",
    ["then: { view: provider, of: buyer:b1, is: { paid: {} } }"],
    ["5:29: of: has no meaning for the provider"],
  ],
  [
    "a past of the wallet",
    ["then: { view: wallet, asOf: 2026-01-01, is: { paid: {} } }"],
    ["5:27: asOf: has no meaning for the wallet"],
  ],
  [
    "an alias without its anchor",
    ["when: *basket", "as: buyer:b1"],
    ["5:11: no anchor &basket stands before this"],
  ],
];

it.each(faults)("names %s", (_what, lines, expected) => {
  expect(faultsOfStep(...lines)).toStrictEqual(expected);
});

it("checks a command whose refusal as invalid is expected by running it, not by reading it", () => {
  const step = ["when: { Pay: { payId: p1, ammount: 1 } }", "as: buyer:b1"];
  expect(faultsOfStep(...step, "then: { refused: invalidCommand }")).toStrictEqual([]);
  expect(faultsOfStep(...step, "then: { refused: amountMismatch }")).not.toStrictEqual([]);
});

it("names the faults of the head", () => {
  expect(faultsOf("name: S\nclok: 2026-01-01T00:00:00Z\nsteps: 5\n")).toStrictEqual([
    "1:1: clock is missing",
    '2:1: a scenario: unknown key "clok" (did you mean clock?)',
    "3:8: steps: must be a list",
  ]);
  expect(faultsOf("- 1\n")).toStrictEqual(["1:1: a scenario: must be a mapping"]);
  expect(faultsOf("name:\nclock: 2026-01-01T00:00:00Z\nsteps: []\n")).toStrictEqual(["1:1: name is empty"]);
  expect(
    faultsOf(
      "name: S\nclock: 2026-01-01T00:00:00Z\nsteps: []\nterms:\n  main: { bookin: true, afterSaleDays: -1 }\n",
    ),
  ).toEqual(expect.arrayContaining(["5:11: terms: main.bookin: unknown key (did you mean booking?)"]));
});

it("names the faults of what is given", () => {
  const given = (entry: string) =>
    faultsOf(`name: S\nclock: 2026-01-01T00:00:00Z\norder: O1\ngiven:\n  - ${entry}\nsteps: []\n`);
  expect(given("as: buyer:b1")).toStrictEqual([
    "5:5: what is given is one event or command, and what stands beside it",
  ]);
  expect(given("{ ConfirmReceipt: {}, as: buyer:b1, aftr: 1d }")).toStrictEqual([
    '5:41: unknown key "aftr" (did you mean after?)',
  ]);
  expect(given("OrderExpired: { payby: 1 }")).toEqual(
    expect.arrayContaining(['5:21: OrderExpired: its data: unknown key "payby" (did you mean payBy?)']),
  );
  expect(given("OrderPaid: { payId: p1 }")).toStrictEqual([
    "5:5: OrderPaid: what is given is given whole; missing: amount, channel",
  ]);
  expect(given("{ ConfirmReceipt: {}, as: buyer:b1 }\n  - OrderHidden: { from: buyer }")).toStrictEqual([
    "6:5: given: events come before commands",
  ]);
});

it("refuses what is no YAML, with its place", () => {
  expect(faultsOf("name: [1\nclock: 2")).toEqual(expect.arrayContaining([expect.stringMatching(/^2:\d+: /)]));
  expect(faultsOf("name: S\nname: T\n")).toStrictEqual(["2:1: Map keys must be unique"]);
  expect(faultsOf("name: !secret S\n")).toStrictEqual(["1:7: Unresolved tag: !secret"]);
  expect(faultsOf("? [a, b]\n: 1\n")).toEqual(
    expect.arrayContaining([expect.stringMatching(/^1:3: .*string/)]),
  );
});

it("refuses documents that would not end, or hardly", () => {
  const levels = Array.from({ length: 12 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(10)}]`);
  const bomb = `name: S\nclock: 2026-01-01T00:00:00Z\nl0: &l0 x\n${levels.join("\n")}\nsteps:\n  - when: { Review: { items: *l12 } }\n    as: buyer:b1\n`;
  expect(faultsOf(bomb)).toEqual(
    expect.arrayContaining([expect.stringContaining("the document comes to more than 200000 nodes")]),
  );
  expect(faultsOfStep("when: &loop { Review: { items: [*loop] } }", "as: buyer:b1")).toEqual(
    expect.arrayContaining([expect.stringContaining("nested deeper than 64 levels")]),
  );
  expect(faultsOf(`name: ${"[".repeat(100_000)}`)).not.toStrictEqual([]);
});
