// Every cell of domain 2.4 in the wiki's column: order states with their facets, and case states.

import { describe, expect, it } from "vitest";

import { caseStatus, orderStatus, statusTexts } from "../../../src/dialects/appintf/states.ts";
import { type CaseStatus, caseStatuses } from "../../../src/domain/caseLifecycle.ts";
import { type OrderStatus, orderStatuses } from "../../../src/domain/lifecycle.ts";
import type { Order } from "../../../src/domain/state.ts";
import { get, order, post, shop, form, handle, type Step, pageOf } from "./shop.ts";
import { day, minute, second, system } from "../../domain/orders.ts";
import { accepted, by, tidyEngines } from "../../engines.ts";

tidyEngines();

const facets = {
  procurement: ["none", "audited", "purchased"],
  tax: [undefined, { surplus: 5, refunded: false }, { surplus: 5, refunded: true }],
  cancelRequestedAt: [undefined, 1],
  closedByRefund: [false, true],
} as const;

/** What a status is without any facet, and where one changes it. */
const expected: Readonly<Record<OrderStatus, (order: Facets) => number>> = {
  pendingConfirmation: () => 0,
  pendingPayment: () => 0,
  paid: ({ procurement, cancelRequestedAt }) =>
    cancelRequestedAt === 1 ? 5 : { none: 1, audited: 9, purchased: 2 }[procurement],
  shipped: () => 7,
  completed: ({ tax }) => (tax === undefined ? 3 : tax.refunded ? 4 : 8),
  cancelled: () => -1,
  closed: ({ closedByRefund }) => (closedByRefund ? 10 : -1),
};

type Facets = Pick<Order, "procurement" | "tax" | "cancelRequestedAt" | "closedByRefund">;

const cells = orderStatuses.flatMap((status) =>
  facets.procurement.flatMap((procurement) =>
    facets.tax.flatMap((tax) =>
      facets.cancelRequestedAt.flatMap((cancelRequestedAt) =>
        facets.closedByRefund.map((closedByRefund) => ({
          status,
          procurement,
          tax,
          cancelRequestedAt,
          closedByRefund,
        })),
      ),
    ),
  ),
);

it.each(cells)("an order that is %j has one number and its text", (cell) => {
  const number = orderStatus(cell);
  expect(number).toBe(expected[cell.status](cell));
  expect(statusTexts[number]).toMatch(/^\p{Script=Han}+$/u);
});

const numbers: Readonly<Record<CaseStatus, number>> = {
  requested: 1,
  awaitingReturn: 2,
  returnInTransit: 2,
  refundPending: 2,
  replacementPending: 2,
  replacementShipped: 2,
  refunded: 3,
  exchanged: 3,
  rejected: 4,
  cancelled: 5,
  closed: 5,
};

it.each(caseStatuses)("a case that is %s has its number", (status) => {
  expect(caseStatus(status)).toBe(numbers[status]);
});

describe("an order that was brought there by commands", () => {
  const lives: readonly (readonly [number, number | undefined, readonly Step[]])[] = [
    [0, 1, []],
    [1, 2, ["pay"]],
    [9, 2, ["pay", "audit"]],
    [2, 2, ["pay", "audit", "purchase"]],
    [7, 3, ["pay", "audit", "purchase", "ship"]],
    [3, 4, ["pay", "ship", "receive"]],
    [3, 4, ["pay", "ship", "receive", "review"]],
    [8, 4, ["pay", "ship", "receive", "surplus"]],
    [4, 4, ["pay", "ship", "receive", "surplus", "taxRefund"]],
    [-1, undefined, ["cancel"]],
    [5, undefined, ["pay", "audit", "cancelPaid"]],
  ];

  it.each(lives)("shows %i, and stands in the list of type %s: %j", async (status, type, steps) => {
    const at = await shop();
    await order(at, "7001", steps);
    const { data } = await get(at, "order/orderInfo", { orderId: 7001 });
    expect(data).toMatchObject({ orderId: 7001, status, statusDesc: statusTexts[status as 0] });
    expect(await pageOf(at, 7001, "token-of-buyer-1")).toContain(statusTexts[status as 0]);
    for (const asked of [0, 1, 2, 3, 4]) {
      const list = await get(at, "order/orderList", { type: asked });
      const there = asked === 0 || asked === type;
      expect([asked, list["total"], (list.data as unknown[]).length]).toEqual([
        asked,
        there ? 1 : 0,
        there ? 1 : 0,
      ]);
    }
  });

  it("shows 10 once the money of a cancelled order is back, whoever cancelled it", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "cancelPaid"]);
    await handle(at, "7001", "IssueRefund", { destination: "manual" });
    await order(at, "7002", ["pay"]);
    expect(await post(at, "refund/submitRefund", form(7002))).toEqual({ status: 1, msg: "请求成功" });
    await handle(at, "7002", "ApproveRefund", { destination: "manual" });
    const list = await get(at, "order/orderList");
    expect((list.data as { status: number }[]).map(({ status }) => status)).toEqual([10, 10]);
  });

  it("is -1 once it has expired, and stays so when money comes after all", async () => {
    const at = await shop();
    await order(at, "7001");
    at.clock.now += 30 * minute + second;
    accepted(await at.engine.execute({ type: "ExpireOrder", orderId: "7001" }, by(system)));
    expect((await get(at, "order/orderInfo", { orderId: 7001 })).data).toMatchObject({ status: -1 });
    const { pastDate, serviceDate } = (await get(at, "order/payDate", { orderId: 7001 })).data as Record<
      string,
      number
    >;
    expect(pastDate).toBeLessThan(serviceDate as number);
    at.clock.now += day;
    const pay = { type: "Pay", orderId: "7001", payId: "late", amount: 26_600, channel: "online" };
    accepted(await at.engine.execute(pay, by(system)));
    expect((await get(at, "order/orderInfo", { orderId: 7001 })).data).toMatchObject({ status: -1 });
  });

  it("is nowhere once its buyer has hidden it", async () => {
    const at = await shop();
    await order(at, "7001", ["pay", "ship", "receive", "hide"]);
    expect(await get(at, "order/orderList")).toMatchObject({ total: 0, pageTotal: 0, data: [] });
    const none = { status: 17, msg: "订单不存在!" };
    for (const path of ["order/orderInfo", "order/payDate", "refund/getRefund"]) {
      expect(await get(at, path, { orderId: 7001 })).toEqual(none);
    }
    expect(await post(at, "order/confirmReceive", { orderId: 7001 })).toEqual(none);
    expect(await post(at, "refund/submitRefund", form(7001))).toEqual(none);
    expect(await pageOf(at, 7001, "token-of-buyer-1")).toContain("订单不存在!");
  });
});
