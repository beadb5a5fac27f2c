// apifm's operations on after-sale: apply for a line, look, withdraw, send back, and all that an order has had.

import * as E from "fp-ts/lib/Either.js";

import { isOpen } from "../../domain/caseLifecycle.ts";
import type { CaseEventData } from "../../domain/caseEvents.ts";
import { exponentOf } from "../../domain/currencies.ts";
import { isId } from "../../domain/limits.ts";
import { refundableOf } from "../../domain/refundable.ts";
import type { Rejection } from "../../domain/refusals.ts";
import type { Order } from "../../domain/state.ts";
import type { CaseDetail } from "../../projections/refund.ts";
import { type AnyOperation, type AskedBy, type Shop, operation } from "../dialect.ts";
import { idOf } from "../numbers.ts";
import { ownOrder, standing } from "../own.ts";
import type { ReturnAddress } from "../ports.ts";
import { type ApplyQuery, applyForm, backForm, casesForm, minorOf, orderForm, read } from "./forms.ts";
import { type Fault, noData, refuse, success } from "./messages.ts";
import { type Done, give, told } from "./operations.ts";
import { caseNumberOf } from "./states.ts";
import { caseDocument, refundDocument } from "./views.ts";

/** The line that is meant: the one that is named, else the only one there is (clients of before cases were a line's name none). */
function lineMeant({ lines }: Order, orderGoodsId: string | undefined): string | undefined {
  return orderGoodsId ?? (lines.length === 1 ? lines[0]?.lineId : undefined);
}

/**
 * What is amiss with the units that a refund alone is for. They are the buyer's word beside the amount, of which the engine knows nothing:
 * in it a refund alone sends no units back.
 */
function unitsAmiss(order: Order, lineId: string, { type, number }: ApplyQuery): Rejection | undefined {
  const line = order.lines.find((one) => one.lineId === lineId);
  if (type !== "refundOnly" || number === undefined || line === undefined) return undefined;
  if (number === 0) return { code: "quantityInvalid", field: "quantity", quantity: number, caseType: type };
  const { quantity: bought } = line;
  const claimed = bought - refundableOf(order, lineId).quantity;
  return number > bought
    ? { code: "quantityTooHigh", field: "quantity", quantity: number, limit: bought, claimed, bought }
    : undefined;
}

async function apply(
  query: ApplyQuery,
  shop: Shop,
  asked: AskedBy,
): Promise<E.Either<Fault, { readonly caseId: string }>> {
  const { caller, commandId } = asked;
  const { orderId, type, logisticsStatus, reason, remark, pic, orderGoodsId, number } = query;
  const { engine } = shop;
  const found = await standing(engine, asked, orderId);
  if (found === undefined) return E.left({ code: "nothing" });
  const { order } = found.detail;
  const lineId = lineMeant(order, orderGoodsId);
  if (lineId === undefined) return E.left({ code: "lineUnnamed" });
  if (!isId(lineId)) return E.left({ code: "nothing" });
  const amount = minorOf(query.amount, exponentOf(order.currency) ?? 2);
  if (amount === undefined) return E.left({ code: "amountFormat" });
  // How many units are left is another number once the same request has applied for them.
  const before = found.repeated?.data as Partial<CaseEventData["RefundApplied"]> | undefined;
  const all = (): number => before?.quantity ?? refundableOf(order, lineId).quantity;
  const caseId = asked.newId("case");
  const command = {
    type: "ApplyRefund",
    orderId,
    caseId,
    lineId,
    caseType: type,
    // The client counts units of a refund alone, too; here those are what the money is for, and nothing is sent back.
    quantity: type === "refundOnly" ? 0 : (number ?? all()),
    amount,
    goodsReceived: logisticsStatus,
    reason,
    personal: {
      ...(remark === undefined ? {} : { note: remark }),
      ...(pic.length === 0 ? {} : { evidence: pic }),
    },
  };
  const options = { actor: caller, commandId };
  const amiss = unitsAmiss(order, lineId, query);
  if (amiss !== undefined) {
    // What the engine refuses is said first.
    const preview = await engine.preview(command, options);
    return E.left(E.isLeft(preview) ? preview.left : amiss);
  }
  const answer = await engine.execute(command, options);
  if (E.isLeft(answer) && answer.left.code === "amountTooHigh" && type === "exchange") {
    return E.left({ code: "exchangeAmount" });
  }
  return E.map(() => ({ caseId }))(answer);
}

const refundApply = operation({
  methods: ["POST"],
  path: "/order/refundApply/apply",
  by: ["buyer"],
  read: (asked) => read(applyForm, asked),
  run: apply,
  reply: (found) => (E.isLeft(found) ? refuse(found.left) : success({ id: idOf(found.right.caseId) })),
});

interface Cases {
  readonly order: Order;
  readonly cases: readonly CaseDetail[];
  readonly returnTo: ReturnAddress | undefined;
  readonly zone: string;
}

/** The cases of an order of the caller's, newest first. */
async function casesOf(
  orderId: string,
  { engine, ports }: Shop,
  { caller }: AskedBy,
): Promise<Cases | undefined> {
  const detail = await ownOrder(engine, caller, orderId);
  if (detail === undefined) return undefined;
  const { order } = detail;
  const history = await engine.views.refundHistory({ orderId, at: { revision: detail.revision } });
  return {
    order,
    cases: history?.cases ?? [],
    returnTo: await ports.addresses.returnTo(order.merchantId),
    zone: ports.timeZone,
  };
}

const refundApplyDetail = operation({
  methods: ["GET", "POST"],
  path: "/order/refundApply/info",
  by: ["buyer"],
  read: (asked) => read(casesForm, asked),
  run: async ({ orderId }, shop, asked) => casesOf(orderId, shop, asked),
  reply: (found, { orderGoodsId }) => {
    const cases = (found?.cases ?? []).filter(
      (one) => orderGoodsId === undefined || one.case.lineId === orderGoodsId,
    );
    if (found === undefined || cases.length === 0) return noData;
    return success(cases.map((one) => caseDocument(found.order, one, found)));
  },
});

const orderRefunds = operation({
  methods: ["GET", "POST"],
  path: "/order/refund",
  by: ["buyer"],
  read: (asked) => read(orderForm, asked),
  run: async ({ orderId }, shop, asked) => casesOf(orderId, shop, asked),
  reply: (found) =>
    found === undefined || found.cases.length === 0
      ? noData
      : success(found.cases.map((one) => refundDocument(found.order, one, found))),
});

/** After so many decisions on an order that others change meanwhile, the conflict is what is told. */
const mostAttempts = 3;

/**
 * Withdraws the open case of a line. The engine would let a buyer withdraw later, too; here only what the merchant has not looked at yet
 * (ruling 7): as it was seen to be, so it must still stand when it is withdrawn.
 */
async function withdraw(
  { orderId, orderGoodsId }: { readonly orderId: string; readonly orderGoodsId?: string | undefined },
  shop: Shop,
  asked: AskedBy,
): Promise<Done> {
  const { engine } = shop;
  const { caller, commandId } = asked;
  const options = { actor: caller, commandId };
  for (let attempt = 1; ; attempt += 1) {
    const found = await standing(engine, asked, orderId);
    if (found === undefined) return E.left({ code: "nothing" });
    const { detail, repeated } = found;
    const before = repeated?.case?.caseId;
    if (before !== undefined) {
      return engine.execute({ type: "CancelRefund", orderId, caseId: before }, options);
    }
    const cases = detail.order.cases.filter(
      ({ lineId }) => orderGoodsId === undefined || lineId === orderGoodsId,
    );
    const open = cases.filter(({ status }) => isOpen(status));
    if (open.length > 1) return E.left({ code: "lineUnnamed" });
    const one = open[0] ?? cases.at(-1);
    if (one === undefined) return E.left({ code: "nothing" });
    const number = caseNumberOf(one);
    if (number !== 0) return E.left({ code: "caseAt", number });
    const command = { type: "CancelRefund", orderId, caseId: one.caseId };
    const answer = await engine.execute(command, { ...options, expect: detail.revision });
    if (E.isRight(answer) || answer.left.code !== "versionConflict" || attempt === mostAttempts)
      return answer;
  }
}

const refundApplyCancel = operation({
  methods: ["POST"],
  path: "/order/refundApply/cancel",
  by: ["buyer"],
  read: (asked) => read(casesForm, asked),
  run: withdraw,
  reply: told,
});

const refundApplySetBackLogistics = operation({
  methods: ["POST"],
  path: "/order/refundApply/setBackLogistics",
  by: ["buyer"],
  read: (asked) => read(backForm, asked),
  run: async ({ orderId, applyId, shipperName, trackingNumber }, shop, asked): Promise<Done> => {
    if (!isId(applyId)) return E.left({ code: "nothing" });
    const command = { type: "ShipReturn", orderId, caseId: applyId, carrier: shipperName, trackingNumber };
    const answer = await give(shop, asked, command);
    if (E.isRight(answer) || answer.left.code !== "caseStatusNotEligible") return answer;
    const found = await shop.engine.views.refund({ orderId, caseId: applyId });
    return found?.refund === undefined
      ? answer
      : E.left({ code: "caseAt", number: caseNumberOf(found.refund.case) });
  },
  reply: told,
});

export const refundOperations: readonly AnyOperation[] = [
  refundApply,
  refundApplyDetail,
  refundApplyCancel,
  refundApplySetBackLogistics,
  orderRefunds,
];
