// Every status of an order and of a case in apifm's numbers, and every refusal in its words: the rows of domain 2.4, 2.6 and ruling 18.

import { describe, expect, it } from "vitest";

import { cannotOccur, refuse, words } from "../../../src/dialects/apifm/messages.ts";
import {
  caseNumberOf,
  caseWords,
  orderNumberOf,
  orderWords,
  refundNumberOf,
  returnNumberOf,
  standingAt,
  wordOfStatus,
} from "../../../src/dialects/apifm/states.ts";
import { type CaseStatus, caseStatuses, isOpen } from "../../../src/domain/caseLifecycle.ts";
import { type OrderStatus, orderStatuses } from "../../../src/domain/lifecycle.ts";
import { type RejectionCode, rejectionCodes } from "../../../src/domain/refusals.ts";
import { type Order, fold } from "../../../src/domain/state.ts";
import { type CaseType, caseTypes } from "../../../src/domain/terms.ts";
import { type WalletRefusalCode, walletRefusalCodes } from "../../../src/domain/wallet.ts";
import { approvedAt, canBe, caseId, inCase } from "../../domain/cases.ts";
import { event, reached, receivedAt } from "../../domain/orders.ts";

const order = (...events: Parameters<typeof fold>[0] extends Iterable<infer E> ? E[] : never): Order =>
  fold(events) as Order;

const reviewed = event("OrderReviewed", receivedAt, { items: [{ lineId: "L1", rating: "good" }] });

describe("an order stands at", () => {
  const cells: Readonly<Record<OrderStatus, readonly [number: number, word: string]>> = {
    pendingConfirmation: [0, "待支付"],
    pendingPayment: [0, "待支付"],
    paid: [1, "已支付待发货"],
    shipped: [2, "已发货待确认"],
    completed: [3, "确认收货待评价"],
    cancelled: [-1, "已关闭"],
    closed: [-1, "已关闭"],
  };

  it.each(orderStatuses)("%s", (status) => {
    const number = orderNumberOf(order(...reached(status)));
    expect([number, orderWords[number]]).toEqual(cells[status]);
  });

  it("completed and reviewed", () => {
    const number = orderNumberOf(order(...reached("completed"), reviewed));
    expect([number, orderWords[number]]).toEqual([4, "已评价"]);
  });

  it.each([
    [[-1], { statuses: ["cancelled", "closed"] }],
    [[0], { statuses: ["pendingConfirmation", "pendingPayment"] }],
    [[1], { statuses: ["paid"] }],
    [[2], { statuses: ["shipped"] }],
    [[3], { statuses: ["completed"], reviewed: false }],
    [[4], { statuses: ["completed"], reviewed: true }],
    [[4, 3, 2], { statuses: ["shipped", "completed"] }],
    [[], { statuses: [] }],
  ] as const)("any of %j", (numbers, filter) => {
    expect(standingAt(numbers)).toEqual(filter);
  });

  it("a status in words, whether reviewed or not", () => {
    expect(orderStatuses.map(wordOfStatus)).toEqual([
      "待支付",
      "待支付",
      "已支付待发货",
      "已发货待确认",
      "交易成功",
      "已关闭",
      "已关闭",
    ]);
  });
});

/** Status and status2 of a case, by its type; undefined where it cannot be. */
const cases: Readonly<
  Record<CaseStatus, readonly (readonly [status: number, status2: number] | undefined)[]>
> = {
  requested: [
    [0, 0],
    [0, 0],
    [0, 0],
  ],
  awaitingReturn: [undefined, [3, 1], [3, 1]],
  returnInTransit: [undefined, [3, 2], [3, 2]],
  refundPending: [[3, 0], [3, 2], undefined],
  replacementPending: [undefined, undefined, [3, 2]],
  replacementShipped: [undefined, undefined, [3, 2]],
  refunded: [[4, 0], [4, 2], undefined],
  exchanged: [undefined, undefined, [4, 2]],
  rejected: [
    [2, 0],
    [2, 0],
    [2, 0],
  ],
  cancelled: [
    [1, 0],
    [1, 0],
    [1, 0],
  ],
  closed: [
    [2, 0],
    [2, 0],
    [2, 0],
  ],
};

describe.each(caseTypes.map((type, index) => [type, index] as const))(
  "a case of %s",
  (type: CaseType, index) => {
    it.each(caseStatuses)("stands, when %s, in its cell", (status) => {
      const cell = cases[status][index];
      expect(canBe(type, status)).toBe(cell !== undefined);
      if (cell === undefined) return;
      const [found] = order(...inCase(status, type)).cases;
      expect(found && [caseNumberOf(found), returnNumberOf(found)]).toEqual(cell);
    });

    const bought = { paid: reached("paid"), shipped: reached("shipped"), completed: reached("completed") };

    // An order that is not paid has no case, and one that is over has none that is open: those cells cannot occur.
    it.each(caseStatuses.filter((status) => canBe(type, status)))(
      "leaves the order, when %s, its own number, and tells of it beside that",
      (status) => {
        for (const events of Object.values(bought)) {
          const before = orderNumberOf(order(...events));
          const after = order(...inCase(status, type, events));
          expect(orderNumberOf(after)).toBe(before);
          expect([refundNumberOf(order(...events)), refundNumberOf(after)]).toEqual([
            0,
            isOpen(status) ? 1 : 2,
          ]);
          expect([refundNumberOf(after, "L1"), refundNumberOf(after, "L2")]).toEqual([
            isOpen(status) ? 1 : 2,
            0,
          ]);
        }
      },
    );
  },
);

it("a case that was not sent back in time counts as withdrawn", () => {
  const closed = event("RefundClosed", approvedAt, { caseId, cause: "returnOverdue" });
  const [found] = order(...inCase("awaitingReturn", "returnRefund"), closed).cases;
  expect(found && [caseNumberOf(found), caseWords[caseNumberOf(found)]]).toEqual([1, "您已撤销"]);
});

const failed = (msg: string) => [-1, msg] as const;
const noData = [700, "暂无数据"] as const;
const broken = failed("操作失败");
const never = "cannot occur";

type Cell = readonly [code: number, msg: string] | typeof never;

/** Facts are those that the message reads. */
const refusals: Readonly<
  Record<RejectionCode | WalletRefusalCode, Cell | readonly [facts: object, cell: Cell]>
> = {
  invalidCommand: [{ issues: [{ field: "lines[0].title", rule: "" }] }, failed("参数错误[goodsJsonStr]")],
  commandIdReused: failed("请勿重复提交"),
  versionConflict: broken,
  orderNotFound: noData,
  notOwner: noData,
  orderExists: broken,
  orderNoUsed: broken,
  wrongActor: never,
  timeRunsBackwards: broken,
  orderStatusNotEligible: [{ status: "shipped" }, failed("状态不可操作[已发货待确认]")],
  buyerMismatch: never,
  buyerMissing: never,
  merchantMismatch: never,
  termsOverride: [{ field: "terms" }, failed("不支持自定义订单关闭时间")],
  lineIdTwice: failed("商品重复"),
  amountTooLarge: failed("金额超出范围"),
  discountTooHigh: never,
  outOfStock: [{ available: 2 }, failed("库存不足[ 剩余2 ]")],
  redeemKeyMissing: failed("暂不支持核销"),
  amountMismatch: never,
  currencyMismatch: never,
  paymentIdUsed: broken,
  notDue: never,
  waybillMissing: never,
  lineNotInOrder: noData,
  codeMissing: never,
  noRedemptionCode: never,
  redemptionCodeWrong: failed("核销码不正确"),
  staffNotListed: failed("暂无核销权限"),
  alreadyRedeemed: failed("订单已核销"),
  alreadyReviewed: failed("订单已评价"),
  reviewIncomplete: failed("请评价订单中的全部商品"),
  stepOutOfOrder: never,
  surplusTooHigh: never,
  caseNotFound: noData,
  caseIdUsed: broken,
  caseStatusNotEligible: [{ status: "returnInTransit" }, failed("状态不可操作[处理中]")],
  originNotEligible: never,
  caseOpen: [{ command: "HideOrder" }, failed("订单售后正在进行中")],
  nothingPaid: failed("订单没有可退金额"),
  windowExpired: failed("订单已过售后期，请联系客服处理"),
  typeNotAllowed: failed("操作类型有误"),
  amountTooLow: failed("退款金额格式有误"),
  amountTooHigh: [
    { claimed: 2_000, paid: 5_800, currency: "CNY" },
    failed("退款金额大于订单支付金额[ 历史退款20.00, 订单金额58.00 ]"),
  ],
  quantityInvalid: failed("退货数量有误"),
  quantityTooHigh: [
    { claimed: 1, bought: 3 },
    failed("退货数量大于购买数量[ 历史退货数量1, 订单商品数量3 ]"),
  ],
  reasonLength: [{ limit: 180 }, failed("退款原因最多180个字符")],
  noteTooLong: [{ limit: 500 }, failed("退款说明最多500个字符")],
  evidenceTooMany: [{ limit: 9 }, failed("凭证最多上传9张图片")],
  statusNotPossible: never,
  dispositionsMismatch: never,
  consentMissing: never,
  destinationMissing: never,
  destinationRefused: never,
  refundInFlight: never,
  refundUnknown: never,
  refundNotInFlight: never,
  balanceTooLow: failed("余额不足"),
  walletIdUsed: broken,
  walletFull: never,
  holdUnknown: never,
  holdEnded: broken,
};

describe("a refusal", () => {
  it.each([...rejectionCodes, ...walletRefusalCodes])("as %s has its cell", (code) => {
    const row = refusals[code];
    const [facts, cell] = Array.isArray(row) && typeof row[0] === "object" ? row : [{}, row];
    expect(words[code] === cannotOccur).toBe(cell === never);
    const said = refuse({ code, ...(facts as object) } as unknown as Parameters<typeof refuse>[0]);
    const [number, msg] = (cell === never ? broken : cell) as readonly [number, string];
    expect(said).toEqual({ json: { code: number, msg, data: null } });
  });

  it("of the whole command names no field", () => {
    const facts = {
      code: "invalidCommand",
      command: "CreateOrder",
      issues: [{ field: "", rule: "too long" }],
    };
    expect(refuse(facts as Parameters<typeof refuse>[0])).toMatchObject({ json: { msg: "参数错误" } });
  });

  it("for an open case is told apart where it is applied for", () => {
    expect(refuse({ code: "caseOpen", command: "ApplyRefund", caseId, status: "requested" })).toMatchObject({
      json: { code: 20000 },
    });
  });

  it("says the first of several, but who may redeem before all", () => {
    const status = {
      code: "orderStatusNotEligible",
      command: "Redeem",
      status: "completed",
      allowed: [],
    } as const;
    const wrong = { code: "redemptionCodeWrong", field: "code" } as const;
    const staff = { code: "staffNotListed", staffId: "s" } as const;
    expect(refuse({ ...status, also: [wrong] })).toMatchObject({ json: { msg: "状态不可操作[交易成功]" } });
    expect(refuse({ ...status, also: [wrong, staff] })).toMatchObject({ json: { msg: "暂无核销权限" } });
  });
});
