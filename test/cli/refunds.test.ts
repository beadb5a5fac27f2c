// `refunds`, `refund show` and `queue`, and what `orders` and `show` say of refunds: in words and as documents, now and as of then.

import { beforeAll, describe, expect, test } from "vitest";

import { widthOf } from "../../src/cli/output.ts";
import { aftersale, create, day, executed, folder, minute, noon, pay, ship } from "./aftersale.ts";

let store: string;

const buyer = { role: "buyer", id: "li" };
const merchant = { role: "merchant", id: "main" };
const provider = { role: "provider", id: "bank" };

let minutes = 3;

/** A command to a case of order a, a minute after the one before. */
function ask(actor: object, type: string, caseId: string, data: object = {}) {
  minutes += 1;
  return {
    commandId: `m-${minutes}`,
    at: noon + minutes * minute,
    actor,
    command: { type, orderId: "a", caseId, ...data },
  };
}

beforeAll(async () => {
  const here = folder();
  store = `sqlite:${here.file("a.db")}`;
  const { exit } = await executed(
    store,
    [
      create("a"),
      pay("a"),
      ship("a"),
      ask(buyer, "ApplyRefund", "c1", {
        lineId: "2",
        caseType: "returnRefund",
        quantity: 1,
        amount: 150,
        reason: "破了",
        personal: { note: "see picture", evidence: ["https://x/1.jpg"] },
      }),
      ask(merchant, "ApproveRefund", "c1", {
        amount: 100,
        personal: { note: "two thirds, as agreed", returnAddress: { name: "仓库", address: "杭州" } },
      }),
      ask(buyer, "ShipReturn", "c1", { carrier: "顺丰", trackingNumber: "E1" }),
      ask(merchant, "ReceiveReturn", "c1", {
        dispositions: [{ kind: "damaged", quantity: 1 }],
        destination: "wallet",
        personal: { note: "handle off" },
      }),
      ask(provider, "FailRefund", "c1", { refundId: "c1:1", failure: "NOFUNDS", retryable: true }),
      ask(merchant, "IssueRefund", "c1"),
      ask(provider, "SettleRefund", "c1", { refundId: "c1:2", amount: 100 }),
      ask(buyer, "ApplyRefund", "c2", { lineId: "1", caseType: "refundOnly", amount: 5800 }),
      ask(merchant, "RejectRefund", "c2", { reason: "not so" }),
      ask(buyer, "ApplyRefund", "c3", {
        lineId: "1",
        caseType: "exchange",
        quantity: 1,
        amount: 0,
        reason: "bent",
      }),
      create("b", noon + day, { merchantId: "rival" }),
    ],
    ["--in-flight", "1"],
  );
  expect(exit).toBe(0);
  return () => here[Symbol.dispose]();
});

const run = (...args: string[]) => aftersale([...args, "--store", store]);
const json = async (...args: string[]) =>
  JSON.parse((await run(...args, "--json")).stdout) as Record<string, unknown>;
const ids = async (...args: string[]) =>
  ((await json(...args))["cases"] as { caseId: string }[]).map(({ caseId }) => caseId);

describe("refunds", () => {
  test.each([
    [[], ["c3", "c2", "c1"]],
    [
      ["--buyer", "li"],
      ["c3", "c2", "c1"],
    ],
    [["--buyer", "nobody"], []],
    [
      ["--merchant", "main"],
      ["c3", "c2", "c1"],
    ],
    [["--merchant", "rival"], []],
    [
      ["--status", "requested, refunded"],
      ["c3", "c1"],
    ],
    [
      ["--type", "refundOnly,exchange"],
      ["c3", "c2"],
    ],
    [["--type", "exchange", "--status", "refunded"], []],
    [
      ["--from", "2026-01-05T12:11:00Z"],
      ["c3", "c2"],
    ],
    [["--to", "2026-01-05T12:11:00Z"], ["c1"]],
    [["--as-of", "2026-01-05T12:04:00Z"], ["c1"]],
    [["--as-of", "2026-01-05T12:04:00Z", "--status", "refunded"], []],
  ])("%j: %j", async (args, found) => {
    expect(await ids("refunds", ...args)).toEqual(found);
  });

  test("pages by cursor, to the end", async () => {
    const first = await json("refunds", "--limit", "2");
    expect(first).toMatchObject({ v: 1, next: expect.any(String) as string });
    const second = await json("refunds", "--limit", "2", "--cursor", String(first["next"]));
    expect(second).toMatchObject({ cases: [{ caseId: "c1" }], next: null });
    expect((await run("refunds", "--limit", "2")).stderr).toBe(`more: --cursor ${String(first["next"])}\n`);
    const wrong = await run("queue", "--cursor", String(first["next"]));
    expect([wrong.exit, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toMatch(/^aftersale: --cursor ".*" is none that a page gave\n$/);
  });

  test("the table is for people", async () => {
    expect(await run("refunds")).toEqual({
      exit: 0,
      stderr: "",
      stdout: `applied               order  case  line  type          status     waits for  amount       title
2026-01-05T12:13:00Z  a      c3    1     exchange      requested  merchant     0.00  CNY  龙井茶 250g
2026-01-05T12:11:00Z  a      c2    1     refundOnly    rejected               58.00  CNY  龙井茶 250g
2026-01-05T12:04:00Z  a      c1    2     returnRefund  refunded                1.00  CNY  Cup
`,
    });
    expect(await run("refunds", "--buyer", "nobody")).toEqual({
      exit: 0,
      stdout: "",
      stderr: "no refunds\n",
    });
  });

  test("--order prints all of one order, with the log of each case", async () => {
    const { stdout } = await run("refunds", "--order", "a");
    const [head = "", ...cases] = stdout.split(/^(?=\d\. )/m);
    expect(head).toBe(`Refunds of order a
  paid       61.00 CNY
  refunded   1.00 CNY
  in flight  0.00 CNY
  retained   60.00 CNY
  reserved   0.00 CNY

`);
    expect(cases.map((text) => text.split("\n")[0])).toEqual([
      "3. c3, line 1",
      "2. c2, line 1",
      "1. c1, line 2",
    ]);
    expect(cases[1]).toBe(`2. c2, line 1
  type            refundOnly
  status          rejected
  amount          58.00 CNY
  goods received  no
  applied         2026-01-05T12:11:00Z
  rejected        not so (application)

Log
  rev  at                    who            event           status                 reason
   12  2026-01-05T12:11:00Z  buyer li       RefundApplied   none -> requested
   13  2026-01-05T12:12:00Z  merchant main  RefundRejected  requested -> rejected  not so

`);
    expect(await json("refunds", "--order", "a", "--as-of", "rev:4")).toMatchObject({
      v: 1,
      orderId: "a",
      revision: "4",
      cases: [{ number: 1, case: { caseId: "c1", status: "requested" }, log: [{ event: "RefundApplied" }] }],
    });
    expect((await run("refunds", "--order", "b")).stderr).toBe("no refunds\n");
  });
});

describe("refund show", () => {
  test("draws a case: progress, money, log and attempts, columns right under Chinese text", async () => {
    const { exit, stdout } = await run("refund", "show", "a", "--case", "c1", "--at", "2026-01-06");
    expect(exit).toBe(0);
    expect(stdout).toBe(`Refund c1 of order a
  order status    shipped
  merchant        main
  buyer           li
  line            2  Cup x 2
  type            returnRefund
  status          refunded
  amount          1.00 CNY, 1.50 CNY asked for
  units           1
  goods received  yes
  reason          破了
  note            see picture
  evidence        https://x/1.jpg
  applied         2026-01-05T12:04:00Z
  return address  仓库, 杭州
  sent back       顺丰 E1
  came back       1 damaged

Progress
  [x]  1  申请退货退款  Return and refund applied for
  [x]  2  管理员确认    Confirmed by the merchant
  [x]  3  用户退货      Sent back by the buyer
  [x]  4  管理员审核    Reviewed by the merchant
  [x]  5  退款完毕      Refunded

Refundable at 2026-01-06T00:00:00Z
  amount                 1.50 CNY
  units                  1
  types                  refundOnly, returnRefund, exchange
  reasons, refundOnly    活动/优惠未生效, 空包裹, 包裹丢失, 配送超时, 未按约定时间发货, 未送货上门, 物流显示签收但实际未收到货, 不喜欢/不想要
  reasons, returnRefund  7天无理由退换货, 配送超时, 未按约定时间发货, 未送货上门, 卖家发错货, 少件/漏发, 包装/商品破损/污渍, 商品信息描述不符, 使用后过敏, 已过/临近保质期, 无法溶解/结块/有异物
  window                 30 days from receipt: open

What may be done at 2026-01-06T00:00:00Z
  ApplyRefund  buyer

Attempts
  refund    amount  to      state    issued                ended                 failure
  c1:1    1.00 CNY  wallet  failed   2026-01-05T12:07:00Z  2026-01-05T12:08:00Z  NOFUNDS
  c1:2    1.00 CNY  wallet  settled  2026-01-05T12:09:00Z  2026-01-05T12:10:00Z

Log
  rev  at                    who            event           status                             reason
    4  2026-01-05T12:04:00Z  buyer li       RefundApplied   none -> requested                  破了
    5  2026-01-05T12:05:00Z  merchant main  RefundApproved  requested -> awaitingReturn        two thirds, as agreed
    6  2026-01-05T12:06:00Z  buyer li       ReturnShipped   awaitingReturn -> returnInTransit
    7  2026-01-05T12:07:00Z  merchant main  ReturnReceived  returnInTransit -> refundPending   handle off
    8  2026-01-05T12:07:00Z  merchant main  RefundIssued
    9  2026-01-05T12:08:00Z  provider bank  RefundFailed                                       NOFUNDS
   10  2026-01-05T12:09:00Z  merchant main  RefundIssued
   11  2026-01-05T12:10:00Z  provider bank  RefundSettled   refundPending -> refunded
`);
    const names = stdout.split("\n").filter((line) => line.startsWith("  [x]"));
    // Wide characters take two columns: the English begins at the same one in every line.
    expect(new Set(names.map((line) => widthOf(line.slice(0, line.search(/[A-Z]/))))).size).toBe(1);
  });

  const bar = async (...args: string[]) =>
    [...(await run("refund", "show", "a", ...args)).stdout.matchAll(/^ {2}(\[.\]) {2}\d {2}(\S+)/gm)].map(
      ([, mark, name]) => `${mark}${name}`,
    );

  test.each([
    [
      ["--case", "c1", "--as-of", "rev:4"],
      ["[x]申请退货退款", "[>]管理员确认", "[ ]用户退货", "[ ]管理员审核", "[ ]退款完毕"],
    ],
    [
      ["--line", "2", "--as-of", "rev:6"],
      ["[x]申请退货退款", "[x]管理员确认", "[x]用户退货", "[>]管理员审核", "[ ]退款完毕"],
    ],
    [
      ["--line", "1"],
      ["[x]申请换货", "[>]管理员确认", "[ ]用户退货", "[ ]管理员换货", "[ ]用户收货", "[ ]换货完毕"],
    ],
    [
      ["--case", "c2"],
      ["[>]申请仅退款", "[ ]管理员审核", "[ ]退款完毕"],
    ],
    [
      ["--line", "1", "--as-of", "rev:2"],
      ["[>]申请仅退款", "[ ]管理员审核", "[ ]退款完毕"],
    ],
  ])("%j: %j", async (args, steps) => {
    expect(await bar(...args)).toEqual(steps);
  });

  test("says why nothing can be applied for, whom a case waits for, until when, and who may do what", async () => {
    const { stdout } = await run("refund", "show", "a", "--line", "1");
    expect(stdout).toMatch(/^ {2}refused +ApplyRefund: case c3 is open, requested; also .* \(caseOpen\)$/m);
    expect(stdout).toContain("  waits for       merchant, since 2026-01-05T12:13:00Z\n");
    expect(stdout).toMatch(/^ {2}ApproveRefund +merchant$/m);
    const then = await run("refund", "show", "a", "--line", "2", "--as-of", "rev:5");
    expect(then.stdout).toContain("  next deadline   returnShip 2026-01-12T12:05:00Z\n");
    expect(then.stdout).toMatch(/^ {2}CloseRefund +merchant$/m);
    const late = await run("refund", "show", "a", "--line", "2", "--as-of", "rev:5", "--at", "2026-01-13");
    expect(late.stdout).toMatch(/^ {2}CloseRefund +system, merchant$/m);
  });

  test("a line without a case shows the bars of what can be applied for", async () => {
    const { stdout } = await run("refund", "show", "a", "--line", "1", "--as-of", "rev:3");
    expect(stdout).toContain("  status        no case yet\n");
    expect(stdout.match(/^Progress.*$/gm)).toEqual([
      "Progress (refundOnly)",
      "Progress (returnRefund)",
      "Progress (exchange)",
    ]);
  });

  test("a document has it all", async () => {
    expect(await json("refund", "show", "a", "--case", "c1")).toMatchObject({
      v: 1,
      orderId: "a",
      revision: "14",
      line: { lineId: "2" },
      refund: { case: { caseId: "c1", status: "refunded" }, log: expect.any(Array) as object },
      steps: { step0: [{}, {}, {}], step1: [{}, {}, {}, {}, {}], exchange: [{}, {}, {}, {}, {}, {}] },
      refundable: { quantity: 1, amount: 150 },
      commands: [{ command: "ApplyRefund", roles: ["buyer"] }],
    });
  });

  test.each([
    [["z", "--case", "c1"], "orderNotFound", "orderId: there is no order z"],
    [["a", "--case", "c9"], "caseNotFound", "caseId: the order has no case c9"],
    [["a", "--line", "9"], "lineNotInOrder", "lineId: the order has no line 9"],
    [
      ["a", "--case", "c3", "--as-of", "rev:3"],
      "caseNotFound",
      "caseId: the order has no case c3 (at that time)",
    ],
  ])("%j: refused with 5, and as a document where asked", async (args, code, words) => {
    expect(await run("refund", "show", ...args)).toEqual({
      exit: 5,
      stdout: "",
      stderr: `aftersale: ${words}\n`,
    });
    expect(await json("refund", "show", ...args)).toMatchObject({ v: 1, error: { code, message: words } });
  });
});

describe("queue", () => {
  test.each([
    [[], ["c3"]],
    [["--merchant", "main"], ["c3"]],
    [["--merchant", "rival"], []],
    [["--for", "merchant"], ["c3"]],
    [["--for", "buyer, provider"], []],
    [["--as-of", "2026-01-05T12:05:00Z"], ["c1"]],
    [["--as-of", "2026-01-05T12:05:00Z", "--for", "buyer"], ["c1"]],
    [["--as-of", "2026-01-05T12:09:00Z", "--for", "provider"], ["c1"]],
  ])("%j: %j", async (args, found) => {
    expect(await ids("queue", ...args)).toEqual(found);
  });

  test("the table is for people", async () => {
    expect((await run("queue", "--as-of", "2026-01-05T12:05:00Z")).stdout).toBe(
      `since                 waits for  order  case  line  type          status          amount       due                              title
2026-01-05T12:05:00Z  buyer      a      c1    2     returnRefund  awaitingReturn    1.00  CNY  returnShip 2026-01-12T12:05:00Z  Cup
`,
    );
    expect(await run("queue", "--for", "buyer")).toEqual({ exit: 0, stdout: "", stderr: "nothing waits\n" });
  });
});

describe("orders and show", () => {
  test("a list with refunds says what was given back, and whether a case is open", async () => {
    expect((await run("orders")).stdout).toBe(
      `order  created              status          buyer  total       refunded  cases  lines  ratings  title
b      2026-01-06 12:00:00  pendingPayment  li     61.00  CNY                       2           龙井茶 250g
a      2026-01-05 12:00:00  shipped         li     61.00  CNY      1.00  open       2           龙井茶 250g
`,
    );
    expect((await run("orders", "--merchant", "rival")).stdout).not.toContain("refunded");
    expect(await json("orders", "--as-of", "2026-01-05T12:12:00Z")).toMatchObject({
      orders: [{ orderId: "a", refunded: 100, hasRefund: true, refundStatus: "ended" }],
    });
  });

  test("an order shows its cases, what went back, and each case's moves", async () => {
    const { stdout } = await run("show", "a");
    expect(stdout).toContain(`  paid       61.00 CNY
  refunded    1.00 CNY
  in flight   0.00 CNY
  retained   60.00 CNY
`);
    expect(stdout).toContain(`Refunds
  case  line  type          status     amount  waits for  since
  c1    2     returnRefund  refunded     1.00
  c2    1     refundOnly    rejected    58.00
  c3    1     exchange      requested    0.00  merchant   2026-01-05T12:13:00Z
`);
    expect(stdout).toMatch(/RefundApproved +c1: requested -> awaitingReturn +two thirds, as agreed\n/);
    expect((await run("show", "a", "--as-of", "rev:5")).stdout).toContain(
      "Deadlines\n  returnShip  2026-01-12T12:05:00Z  c1\n",
    );
  });
});
