// What apifm's clients read: an order with its goods, logs and parcels, and its cases, as documents made from the engine's views.

import type { Case } from "../../domain/caseState.ts";
import type { Line, OrderEvent, OrderEventData, OrderEventType } from "../../domain/events.ts";
import { type JsonPairs, present } from "../../domain/json.ts";
import { type Order, charged } from "../../domain/state.ts";
import type { LogEntry, OrderTold } from "../../projections/detail.ts";
import type { CaseDetail } from "../../projections/refund.ts";
import type { Statistics } from "../../projections/statistics.ts";
import { amountOf, idOf } from "../numbers.ts";
import type { ReturnAddress, Trace } from "../ports.ts";
import { parseJson } from "../request.ts";
import { wallClock } from "../wallClock.ts";
import {
  caseNumberOf,
  caseTypeNumbers,
  caseTypeWords,
  caseWords,
  orderNumberOf,
  orderWords,
  payoutNumberOf,
  payoutWords,
  peisongTypes,
  ratingNumbers,
  ratingWords,
  refundNumberOf,
  returnNumberOf,
} from "./states.ts";

/** The texts of what rode along, by name. */
function carried(pairs: JsonPairs | undefined): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries((pairs ?? []).filter(([, value]) => typeof value === "string")) as Record<
    string,
    string
  >;
}

/** The data of an order's latest event of a type. */
export function dataOf<T extends OrderEventType>(
  { log }: Pick<OrderTold, "log">,
  type: T,
): OrderEventData[T] | undefined {
  return log.findLast(({ event }) => event === type)?.data as OrderEventData[T] | undefined;
}

function needsLogistics({ fulfilment }: Pick<Order, "fulfilment">): boolean {
  return fulfilment === "express" || fulfilment === "local";
}

/** `code`: the write-off code, where the caller may see it. */
export function orderInfo(detail: OrderTold, zone: string, code?: string): object {
  const { order } = detail;
  const { currency, payBy, paidAt } = order;
  const amount = (minor: number): number => amountOf(minor, currency);
  const status = orderNumberOf(order);
  const source = carried(dataOf(detail, "OrderCreated")?.source);
  return {
    amount: amount(order.goods),
    amountCoupons: amount(order.discount),
    amountLogistics: amount(charged(order, "freight")),
    amountReal: amount(order.total),
    amountRefundTotal: amount(order.refunded),
    amountTax: amount(charged(order, "tariff")),
    dateAdd: wallClock(order.createdAt, zone),
    ...(payBy === undefined ? {} : { dateClose: wallClock(payBy, zone) }),
    ...(paidAt === undefined ? {} : { datePay: wallClock(paidAt, zone) }),
    dateUpdate: wallClock(order.lastAt, zone),
    goodsNumber: order.lines.reduce((units, line) => units + line.quantity, 0),
    hasRefund: order.cases.length > 0,
    ...(code === undefined ? {} : { hxNumber: code }),
    id: idOf(order.orderId),
    isCanHx: order.redemption !== undefined,
    isDelUser: order.hiddenByBuyerAt !== undefined,
    isNeedLogistics: needsLogistics(order),
    isPay: paidAt !== undefined,
    orderNumber: order.orderNo,
    peisongType: peisongTypes[order.fulfilment] ?? "",
    refundStatus: refundNumberOf(order),
    remark: dataOf(detail, "OrderCreated")?.personal?.note ?? "",
    score: 0,
    shopId: 0,
    shopIdZt: source["shopIdZt"] ?? "",
    shopNameZt: source["shopNameZt"] ?? "",
    status,
    statusStr: orderWords[status],
    trips: amount(charged(order, "other")),
    type: 0,
    uid: idOf(order.buyerId),
    userId: idOf(order.merchantId),
  };
}

export function goodsOf(detail: OrderTold, zone: string): readonly object[] {
  const review = detail.log.findLast(({ event }) => event === "OrderReviewed");
  return detail.order.lines.map((line) => goodsOfLine(detail.order, line, review, zone));
}

function goodsOfLine(order: Order, line: Line, review: LogEntry | undefined, zone: string): object {
  const { buyerId, merchantId, currency, orderId } = order;
  const source = carried(line.source);
  return {
    afterSale: line.allowedTypes.map((type) => caseTypeNumbers[type]).join(","),
    amount: amountOf(line.unitPrice * line.quantity, currency),
    amountSingle: amountOf(line.unitPrice, currency),
    dateAdd: wallClock(order.createdAt, zone),
    ...reviewOf(line, review, zone),
    goodsId: idOf(line.goodsId),
    goodsName: line.title,
    id: idOf(line.lineId),
    number: line.quantity,
    orderId: idOf(orderId),
    pic: source["picture"] ?? "",
    property: source["property"] ?? "",
    propertyChildIds: source["propertyChildIds"] ?? "",
    refundStatus: refundNumberOf(order, line.lineId),
    score: 0,
    status: orderNumberOf(order),
    uid: idOf(buyerId),
    userId: idOf(merchantId),
  };
}

function reviewOf({ lineId }: Line, review: LogEntry | undefined, zone: string): object {
  if (review === undefined) return {};
  const { items, personal } = review.data as OrderEventData["OrderReviewed"];
  const given = items.find((item) => item.lineId === lineId);
  if (given === undefined) return {};
  const said = personal?.items.find((item) => item.lineId === lineId);
  return {
    dateReputation: wallClock(review.at, zone),
    goodReputation: ratingNumbers[given.rating],
    goodReputationRemark: said?.text ?? "",
    goodReputationStr: ratingWords[given.rating],
    ...(said?.pictures === undefined ? {} : { reputationPics: said.pictures }),
  };
}

/** apifm's own log has the five steps of an order's life; its end, a write-off and what became of cases stand beside them. */
const logTypes: Readonly<Partial<Record<OrderEventType, readonly [type: number, word: string]>>> = {
  OrderCreated: [0, "下单"],
  OrderPaid: [1, "支付"],
  OrderShipped: [2, "发货"],
  ReceiptConfirmed: [3, "确认收货"],
  OrderReviewed: [4, "评价"],
  OrderCancelled: [-1, "关闭"],
  OrderExpired: [-1, "关闭"],
  OrderClosedByRefund: [-1, "关闭"],
  LatePaymentReceived: [1, "支付"],
  OrderRedeemed: [5, "核销"],
  RefundApplied: [6, "申请售后"],
  RefundImported: [6, "申请售后"],
  RefundSettled: [7, "退款"],
};

export function logsOf({ log, order }: OrderTold, zone: string): readonly object[] {
  return log.flatMap(({ event, at, revision }) => {
    const known = logTypes[event];
    if (known === undefined) return [];
    const [type, typeStr] = known;
    return [
      {
        dateAdd: wallClock(at, zone),
        id: Number(revision) + 1,
        orderId: idOf(order.orderId),
        type,
        typeStr,
      },
    ];
  });
}

/** Where it goes, and with whom; undefined where nothing is brought. Of several parcels the first. */
export function logisticsOf(detail: OrderTold, zone: string): object | undefined {
  const { order } = detail;
  if (!needsLogistics(order)) return undefined;
  const { personal } = dataOf(detail, "OrderCreated") ?? {};
  const { provinceId, cityId, districtId, streetId, code, idcard } = carried(personal?.source);
  const [parcel] = order.shipments;
  return {
    address: personal?.address ?? "",
    ...present({ provinceId, cityId, districtId, streetId, code, idcard }),
    ...(order.shippedAt === undefined ? {} : { dateUpdate: wallClock(order.shippedAt, zone) }),
    id: idOf(order.orderId),
    linkMan: personal?.name ?? "",
    mobile: personal?.phone ?? "",
    ...(parcel?.carrier === undefined ? {} : { shipperName: parcel.carrier }),
    ...(parcel?.trackingNumber === undefined ? {} : { trackingNumber: parcel.trackingNumber }),
    status: orderNumberOf(order),
    type: 0,
  };
}

const stockWords: Readonly<
  Partial<Record<OrderEvent["type"], readonly [type: number, word: string, sign: 1 | -1]>>
> = {
  StockDeducted: [0, "扣减库存", -1],
  StockReleased: [1, "释放库存", 1],
  StockRestored: [2, "退货入库", 1],
};

/** The order's own stock facts (ruling 15), one a line of goods; what was taken out of stock is below zero. */
export function storesOf({ log, order }: OrderTold, zone: string): readonly object[] {
  return log.flatMap(({ event, at, data }) => {
    const known = stockWords[event];
    if (known === undefined) return [];
    const [type, typeStr, sign] = known;
    return (data as OrderEventData["StockReleased"]).lines.map(({ lineId, quantity }) => ({
      dateAdd: wallClock(at, zone),
      goodsId: idOf(order.lines.find((line) => line.lineId === lineId)?.goodsId ?? ""),
      number: sign * quantity,
      orderGoodsId: idOf(lineId),
      orderId: idOf(order.orderId),
      type,
      typeStr,
    }));
  });
}

/** Extension attributes: what the buyer gave with the order, and whoever wrote it off. */
export function extensionOf(detail: OrderTold): object {
  const texts = [
    carried(dataOf(detail, "OrderCreated")?.personal?.source)["extJsonStr"],
    carried(dataOf(detail, "OrderRedeemed")?.source)["extJsonStr"],
  ];
  return Object.assign(
    Object.create(null) as object,
    ...texts.map((text) => (text === undefined ? {} : parseJson(text))),
  ) as object;
}

/** `logisticsTraces` stand beside the parcel, as the client looks for them, the oldest first; an empty list it takes for traces. */
export function detailDocument({
  detail,
  zone,
  code,
  traces,
}: {
  readonly detail: OrderTold;
  readonly zone: string;
  readonly code: string | undefined;
  readonly traces: readonly Trace[];
}): object {
  const logistics = logisticsOf(detail, zone);
  const logisticsTraces = traces.map(({ at, text }) => ({
    AcceptTime: wallClock(at, zone),
    AcceptStation: text,
  }));
  return {
    orderInfo: orderInfo(detail, zone, code),
    goods: goodsOf(detail, zone),
    logs: logsOf(detail, zone),
    ...(logistics === undefined ? {} : { logistics }),
    ...(logisticsTraces.length === 0 ? {} : { logisticsTraces }),
    stores: storesOf(detail, zone),
    extJson: extensionOf(detail),
  };
}

export function listDocument(
  details: readonly OrderTold[],
  { total, pageSize, zone }: { readonly total: number; readonly pageSize: number; readonly zone: string },
): object {
  return {
    totalRow: total,
    totalPage: Math.ceil(total / pageSize),
    orderList: details.map((detail) => orderInfo(detail, zone)),
    logisticsMap: Object.fromEntries(
      details.flatMap((detail) => {
        const logistics = logisticsOf(detail, zone);
        return logistics === undefined ? [] : [[detail.order.orderId, logistics]];
      }),
    ) as object,
    goodsMap: Object.fromEntries(details.map((detail) => [detail.order.orderId, goodsOf(detail, zone)])),
    userMap: {},
  };
}

/** What an order would cost. */
export function previewDocument(order: Order): object {
  const amount = (minor: number): number => amountOf(minor, order.currency);
  return {
    amountTotle: amount(order.goods),
    amountLogistics: amount(charged(order, "freight")),
    amountReal: amount(order.total),
    trips: amount(charged(order, "other")),
    goodsNumber: order.lines.reduce((units, line) => units + line.quantity, 0),
    isNeedLogistics: needsLogistics(order),
    couponAmount: 0,
    deductionMoney: 0,
    score: 0,
  };
}

export function countsDocument(counts: Statistics): object {
  return {
    count_id_no_pay: counts.count_id_no_pay,
    count_id_no_transfer: counts.count_id_no_transfer,
    count_id_no_confirm: counts.count_id_no_confirm,
    count_id_no_reputation: counts.count_id_no_reputation,
    count_id_success: counts.count_id_success,
    count_id_close: counts.count_id_close,
  };
}

// --- after-sale ---

/** Units as the buyer meant them: those sent back; of a refund alone as many as cost what was asked for, where that comes out even. */
function unitsOf({ type, quantity, amountAsked, settledQuantity }: Case, line: Line | undefined): number {
  if (type !== "refundOnly") return quantity;
  const units = line === undefined || line.unitPrice === 0 ? 0 : amountAsked / line.unitPrice;
  return Number.isInteger(units) && units >= 1 && units <= (line as Line).quantity
    ? units
    : Math.max(1, settledQuantity);
}

/** Where goods go back to, and with whom, as JSON in a text. */
function returnContent(one: CaseDetail, fallback: ReturnAddress | undefined): string {
  const { name, phone, address } = one.returnAddress ?? fallback ?? {};
  const { carrier, trackingNumber } = one.case.returnShipment ?? {};
  return JSON.stringify({
    linkMan: name ?? "",
    mobile: phone ?? "",
    address: address ?? "",
    ...(carrier === undefined ? {} : { shipperName: carrier, trackingNumber }),
  });
}

/** `returnTo`: where the shop takes goods back, where the approval does not say. */
export function caseDocument(
  order: Order,
  one: CaseDetail,
  { zone, returnTo }: { readonly zone: string; readonly returnTo: ReturnAddress | undefined },
): object {
  const found = one.case;
  const line = order.lines.find(({ lineId }) => lineId === found.lineId);
  const status = caseNumberOf(found);
  const status2 = returnNumberOf(found);
  return {
    baseInfo: {
      id: idOf(found.caseId),
      orderId: idOf(order.orderId),
      ...(found.lineId === undefined ? {} : { orderGoodsId: idOf(found.lineId) }),
      type: caseTypeNumbers[found.type],
      typeStr: caseTypeWords[found.type],
      status,
      statusStr: caseWords[status],
      status2,
      logisticsStatus: found.goodsReceived ? 1 : 0,
      logisticsStatusStr: found.goodsReceived ? "已收到货" : "未收到货",
      reason: found.reason ?? "",
      remark: one.note ?? "",
      number: unitsOf(found, line),
      amount: amountOf(found.amount, order.currency),
      dateAdd: wallClock(found.appliedAt, zone),
      dateUpdate: wallClock(one.log.at(-1)?.at ?? found.appliedAt, zone),
      ...(found.rejection === undefined ? {} : { refuseReason: found.rejection.reason }),
      ...(status2 === 0 ? {} : { logisticsContent: returnContent(one, returnTo) }),
      uid: idOf(order.buyerId),
      userId: idOf(order.merchantId),
    },
    pics: one.evidence.map((pic, index) => ({ id: index + 1, pic })),
  };
}

/** The same with every attempt to pay it back. */
export function refundDocument(
  order: Order,
  one: CaseDetail,
  with_: { readonly zone: string; readonly returnTo: ReturnAddress | undefined },
): object {
  return {
    ...caseDocument(order, one, with_),
    refunds: one.case.attempts.map(({ refundId, amount, state, issuedAt, endedAt, failure }) => {
      const status = payoutNumberOf(state);
      return {
        refundNo: refundId,
        moneyRefund: amountOf(amount, order.currency),
        status,
        statusStr: payoutWords[status],
        remark: failure ?? "",
        dateAdd: wallClock(issuedAt, with_.zone),
        ...(endedAt === undefined ? {} : { dateUpdate: wallClock(endedAt, with_.zone) }),
      };
    }),
  };
}
