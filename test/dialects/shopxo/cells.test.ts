// Every status of an order beside every status of a case, as the page shows them: the tables of domain 1.1 and 2.4, literally.

import { expect, it } from "vitest";

import { pageDocument } from "../../../src/dialects/shopxo/views.ts";
import { type CaseStatus, caseStatuses } from "../../../src/domain/caseLifecycle.ts";
import type { Case } from "../../../src/domain/caseState.ts";
import { type OrderStatus, orderStatuses } from "../../../src/domain/lifecycle.ts";
import type { Order } from "../../../src/domain/state.ts";
import { type CaseType, caseTypes } from "../../../src/domain/terms.ts";
import type { OrderDetail } from "../../../src/projections/detail.ts";
import { minute, t0 } from "../../domain/orders.ts";
import { live, tidyEngines } from "../../engines.ts";
import { openShop } from "./shop.ts";

tidyEngines();

const orders: Readonly<Record<OrderStatus, readonly [status: string, name: string, ofPickup?: string]>> = {
  pendingConfirmation: ["0", "待确认"],
  pendingPayment: ["1", "待付款"],
  paid: ["2", "待发货", "待取货"],
  shipped: ["3", "待收货"],
  completed: ["4", "已完成"],
  cancelled: ["5", "已取消"],
  closed: ["6", "已关闭"],
};

const never = "never";
type Cell = "0" | "1" | "2" | "3" | "4" | "5" | typeof never;

/** A refund alone, a return, an exchange; `never`: no case of the type is ever so, and it is shown as 2. */
const cases: Readonly<Record<CaseStatus, readonly [refundOnly: Cell, returnRefund: Cell, exchange: Cell]>> = {
  requested: ["2", "0", "0"],
  awaitingReturn: [never, "1", "1"],
  returnInTransit: [never, "2", "2"],
  refundPending: ["2", "2", never],
  replacementPending: [never, never, "2"],
  replacementShipped: [never, never, "2"],
  refunded: ["3", "3", never],
  exchanged: [never, never, "3"],
  rejected: ["4", "4", "4"],
  cancelled: ["5", "5", "5"],
  closed: ["5", "5", "5"],
};

const shown: Readonly<Record<string, readonly [name: string, step0: string, step1: string, tip: string]>> = {
  0: ["待确认", "1110 1111 0000", "1110 1111 0100 0100 0000", "订单售后已提交申请，等待管理员确认中！"],
  1: ["待退货", "1110 1111 0000", "1110 1110 1111 0100 0000", "订单售后，管理员已确认，请尽快完成退货！"],
  2: ["待审核", "1110 1111 0000", "1110 1110 1110 1111 0000", "订单售后已退货，等待管理员审核中！"],
  3: ["已完成", "1110 1110 0010", "1110 0110 1110 1110 0010", "订单售后已处理结束！"],
  4: ["已拒绝", "1111 0100 0000", "1111 0100 0100 0100 0000", "订单售后申请已被拒绝！"],
  5: ["已取消", "1111 0100 0000", "1111 0100 0100 0100 0000", "订单售后申请已关闭！"],
};

async function told(): Promise<OrderDetail> {
  const { engine, give } = await openShop(t0 + 4 * minute);
  await live(engine, "o-1", 4);
  const command = {
    type: "ApplyRefund",
    orderId: "o-1",
    caseId: "c-1",
    lineId: "L1",
    caseType: "returnRefund",
    quantity: 1,
    amount: 1_000,
  };
  await give([command, { role: "buyer", id: "buyer-1" }]);
  return (await engine.views.order("o-1")) as OrderDetail;
}

function pageOf(detail: OrderDetail, order: Partial<Order>) {
  const changed = { ...detail.order, ...order };
  const [line] = changed.lines;
  const asked = { now: t0 + 4 * minute, timeZone: "Asia/Shanghai", reasons: {}, address: undefined };
  return pageDocument({ ...detail, order: changed }, line as Order["lines"][number], asked);
}

const digits = (bar: readonly Record<string, unknown>[]): string =>
  bar
    .map((step) => ["is_caret", "is_angle", "is_active", "is_end"].map((name) => step[name]).join(""))
    .join(" ");

it.each(orderStatuses)("an order that is %s, with a case in every status", async (orderStatus) => {
  const detail = await told();
  const [status, name, ofPickup = name] = orders[orderStatus];
  for (const caseStatus of caseStatuses) {
    for (const [at, type] of caseTypes.entries()) {
      const one = { ...detail.order.cases[0], status: caseStatus, type } as Case;
      const page = pageOf(detail, { status: orderStatus, cases: [one] });
      expect(page.order_data).toMatchObject({ status, status_name: name });
      const cell = cases[caseStatus][at] as Cell;
      const number = cell === never ? "2" : cell;
      const [text, step0, step1, tip] = shown[number] as (typeof shown)[string];
      expect(page.new_aftersale_data).toMatchObject({
        status: number,
        status_text: text,
        type: type === "refundOnly" ? "0" : "1",
        type_text: type === "refundOnly" ? "仅退款" : "退款退货",
        tips_msg: tip,
        order_data: { status },
      });
      expect([page.step_data.step0, page.step_data.step1].map(digits)).toEqual([step0, step1]);
    }
  }
  const waiting = pageOf(detail, { status: orderStatus, cases: [], fulfilment: "pickup" });
  expect(waiting.order_data).toMatchObject({ status_name: ofPickup, order_model: "2" });
  expect(waiting.new_aftersale_data).toEqual([]);
});

it("a case is never where the domain has it never", () => {
  const reachable: Readonly<Record<CaseType, readonly CaseStatus[]>> = {
    refundOnly: ["requested", "refundPending", "refunded", "rejected", "cancelled", "closed"],
    returnRefund: [
      "requested",
      "awaitingReturn",
      "returnInTransit",
      "refundPending",
      "refunded",
      "rejected",
      "cancelled",
      "closed",
    ],
    exchange: [
      "requested",
      "awaitingReturn",
      "returnInTransit",
      "replacementPending",
      "replacementShipped",
      "exchanged",
      "rejected",
      "cancelled",
      "closed",
    ],
  };
  for (const [at, type] of caseTypes.entries()) {
    const possible = caseStatuses.filter((status) => cases[status][at] !== never);
    expect(possible).toEqual(reachable[type]);
  }
});

it.each([
  [{ paid: 0, paidAt: undefined, refunded: 0, payments: [] }, "0", "待支付"],
  [{ paid: 5_800, refunded: 0 }, "1", "已支付"],
  [{ paid: 5_800, refunded: 1 }, "3", "部分退款"],
  [{ paid: 5_800, refunded: 5_799 }, "3", "部分退款"],
  [{ paid: 5_800, refunded: 5_800 }, "2", "已退款"],
  [{ paid: 0, refunded: 0 }, "1", "已支付"],
  [{ paid: 0, refunded: 0, closedByRefund: true }, "2", "已退款"],
  [{ paid: 5_800, paidAt: undefined, refunded: 0 }, "1", "已支付"],
])("%j is paid as %s", async (order, number, name) => {
  const { order_data } = pageOf(await told(), order as Partial<Order>);
  expect(order_data).toMatchObject({ pay_status: number, pay_status_name: name });
});

it.each([
  ["0", 0],
  ["23", 0],
  ["24", 1],
  ["47", 1],
  ["48", 2],
  ["71", 2],
  ["72", 0],
  ["1152921504606846984", 0],
  ["u-48", 0],
])("attachments of user %s are kept in folder %i", async (buyerId, folder) => {
  const { editor_path_type } = pageOf(await told(), { buyerId });
  expect(editor_path_type).toBe(`order_aftersale-${folder}-o-1-L1`);
});

it("what was bought is told only while it is delivered and paid for", async () => {
  const detail = await told();
  const of = (order: Partial<Order>): boolean =>
    "fictitious_goods_value" in pageOf(detail, { fulfilment: "virtual", ...order }).order_data.items;
  const told_ = orderStatuses.filter((status) => of({ status }));
  expect(told_).toEqual(["shipped", "completed"]);
  expect(of({ fulfilment: "express" })).toBe(false);
  expect(of({ refunded: 1 })).toBe(false);
});
