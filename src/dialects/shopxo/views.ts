// What ShopXO shows: an order with one of its lines, a case, and the page on which after-sale is applied for, field by field as S1 has them.

import type { Case } from "../../domain/caseState.ts";
import { afterSaleUntil, isPast } from "../../domain/deadlines.ts";
import type { Line, OrderEventData } from "../../domain/events.ts";
import { type Json, type JsonPairs, isObject } from "../../domain/json.ts";
import { formatAmount } from "../../domain/money.ts";
import { refundableOf } from "../../domain/refundable.ts";
import { type Order, paymentOf, tallyOf } from "../../domain/state.ts";
import { shopxoSteps } from "../../domain/steps.ts";
import type { CaseType } from "../../domain/terms.ts";
import type { LogEntry, OrderTold } from "../../projections/detail.ts";
import type { ReturnAddress } from "../../domain/caseEvents.ts";
import { wallClock } from "../wallClock.ts";
import {
  caseStatusNames,
  caseStatusOf,
  caseTypeNames,
  caseTypeOf,
  destinationNames,
  destinationNumbers,
  destinationOf,
  models,
  orderStatusOf,
  payStatusOf,
  tips,
} from "./states.ts";

/** When and where a document is read. */
export interface Reading {
  /** Milliseconds UTC. */
  readonly now: number;
  readonly timeZone: string;
}

// --- what rides along unread (ruling 13) ---

type Source = ReadonlyMap<string, Json>;

function sourceOf(pairs: JsonPairs | undefined): Source {
  return new Map(pairs);
}

/** A value that rides along; ShopXO writes numbers as texts. */
function carried(source: Source, name: string, otherwise: Json): Json {
  const value = source.get(name);
  if (value === undefined) return otherwise;
  return typeof value === "number" ? String(value) : value;
}

function creationOf({ log }: OrderTold): OrderEventData["OrderCreated"] {
  return log[0]?.data as OrderEventData["OrderCreated"];
}

/** By which name the shop knows how an order was paid. */
export function paidByOf(told: OrderTold, one?: Pick<Case, "payId">): string | undefined {
  const method = paymentOf(told.order, one)?.method;
  const name = carried(sourceOf(creationOf(told).source), "payment_name", method ?? null);
  return typeof name === "string" ? name : method;
}

// --- times ---

const seconds = (at: number | undefined): string => (at === undefined ? "0" : String(Math.floor(at / 1_000)));

function timesIn({ timeZone }: Reading): {
  readonly time: (at: number | undefined) => string | null;
  readonly date: (at: number | undefined) => string | null;
} {
  const time = (at: number | undefined): string | null => (at === undefined ? null : wallClock(at, timeZone));
  return { time, date: (at) => time(at)?.slice(0, 10) ?? null };
}

/** When the order itself last changed, cases aside as long as they have paid nothing; undefined where it has not since it was made. */
function changedAt({ order, log }: OrderTold): number | undefined {
  const last = log.findLast(
    ({ case: one, event }) => event !== "OrderCreated" && (one === undefined || event === "RefundSettled"),
  );
  return last === undefined || last.at === order.createdAt ? undefined : last.at;
}

function settledAt({ order, log }: OrderTold, lineId: string): number | undefined {
  const ofLine = new Set(order.cases.filter((one) => one.lineId === lineId).map(({ caseId }) => caseId));
  return log.findLast(({ case: one, event }) => event === "RefundSettled" && ofLine.has(one?.caseId ?? ""))
    ?.at;
}

// --- the order ---

/** ISO 4217's codes as ShopXO has them (ruling 13). */
const currencies: Readonly<Record<string, readonly [name: string, code: string, symbol: string]>> = {
  CNY: ["人民币", "RMB", "¥"],
  EUR: ["欧元", "EUR", "€"],
  GBP: ["英镑", "GBP", "£"],
  HKD: ["港元", "HKD", "HK$"],
  JPY: ["日元", "JPY", "¥"],
  USD: ["美元", "USD", "$"],
};

const clients: Readonly<Record<string, string>> = {
  pc: "PC网站",
  h5: "H5手机网站",
  ios: "苹果APP",
  android: "安卓APP",
  weixin: "微信小程序",
  alipay: "支付宝小程序",
  baidu: "百度小程序",
  toutiao: "头条小程序",
  qq: "QQ小程序",
  kuaishou: "快手小程序",
};

function currencyData({ orderId, buyerId, currency, createdAt }: Order, source: Source) {
  const kept = source.get("currency_data");
  const [name, code, symbol] = currencies[currency] ?? [currency, currency, currency];
  return {
    id: orderId,
    order_id: orderId,
    user_id: buyerId,
    currency_name: name,
    currency_code: code,
    currency_symbol: symbol,
    currency_rate: "0.000000",
    add_time: seconds(createdAt),
    ...(isObject(kept) ? kept : {}),
  };
}

/** Whether the window is open, whatever the order's status is: ShopXO asks for no more here. */
function canLaunch(order: Order, now: number): 0 | 1 {
  const until = afterSaleUntil(order);
  return order.terms.afterSaleDays > 0 && (until === undefined || !isPast(until, now)) ? 1 : 0;
}

/** An order with one of its lines, `items`. */
export function orderDocument(told: OrderTold, line: Line, reading: Reading) {
  const { order } = told;
  const { personal, source: pairs } = creationOf(told);
  const source = sourceOf(pairs);
  const { time, date } = timesIn(reading);
  const money = (minor: number): string => formatAmount(minor, order.currency);
  const status = orderStatusOf(order);
  const payStatus = payStatusOf(order);
  const model = models[order.fulfilment];
  const currency = currencyData(order, source);
  const units = order.lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const parcel = order.shipments[0];
  const paidOffline = paymentOf(order)?.channel === "offline";
  const underLine = paidOffline
    ? "1"
    : order.paidAt === undefined
      ? carried(source, "is_under_line", "0")
      : "0";
  const clientType = carried(source, "client_type", "");
  const late = order.payments.find((payment) => payment.late);
  return {
    id: order.orderId,
    order_no: order.orderNo,
    user_id: order.buyerId,
    shop_id: carried(source, "shop_id", "0"),
    shop_user_id: carried(source, "shop_user_id", "0"),
    warehouse_id: carried(source, "warehouse_id", "0"),
    user_note: personal?.note || null,
    express_id: carried(source, "express_id", "0"),
    express_number: parcel?.trackingNumber ?? null,
    payment_id: carried(source, "payment_id", "0"),
    status: String(status.number),
    pay_status: String(payStatus.number),
    extension_data: carried(source, "extension_data", null),
    buy_number_count: String(units),
    increase_price: money(order.charges.reduce((sum, { amount }) => sum + amount, 0)),
    preferential_price: money(order.discount),
    price: money(order.goods),
    total_price: money(order.total),
    pay_price: money(order.paid),
    refund_price: money(order.refunded),
    returned_quantity: String(
      order.lines.reduce((sum, { lineId }) => sum + tallyOf(order, lineId).returned, 0),
    ),
    client_type: clientType,
    order_model: String(model.number),
    is_under_line: underLine,
    pay_time: time(order.paidAt ?? late?.at),
    confirm_time: time(order.confirmedAt ?? (order.terms.booking ? undefined : order.createdAt)),
    delivery_time: time(order.shippedAt),
    cancel_time: time(order.status === "cancelled" ? order.endedAt : undefined),
    collect_time: time(order.receivedAt),
    close_time: time(order.status === "closed" ? order.endedAt : undefined),
    comments_time: "0",
    is_comments: "0",
    user_is_comments: seconds(order.reviewedAt),
    is_delete_time: "0",
    user_is_delete_time: seconds(order.hiddenByBuyerAt),
    shop_is_delete_time: seconds(order.hiddenByMerchantAt),
    add_time: time(order.createdAt),
    upd_time: time(changedAt(told)),
    zycg_no: carried(source, "zycg_no", ""),
    currency_data: currency,
    warehouse_name: carried(source, "warehouse_name", ""),
    warehouse_icon: carried(source, "warehouse_icon", ""),
    warehouse_url: carried(source, "warehouse_url", ""),
    order_model_name: model.name,
    client_type_name: typeof clientType === "string" ? (clients[clientType] ?? "") : "",
    status_name: status.name,
    pay_status_name: payStatus.name,
    express_name: parcel?.carrier ?? carried(source, "express_name", null),
    payment_name: paidByOf(told) ?? null,
    is_under_line_text: underLine === "1" ? "线下支付" : null,
    is_can_launch_aftersale: canLaunch(order, reading.now),
    add_time_time: time(order.createdAt),
    add_time_date: date(order.createdAt),
    user_is_comments_time: time(order.reviewedAt),
    items: lineDocument(told, line),
    items_count: order.lines.length,
    describe: `共${units}件 合计:${String(currency.currency_symbol)}${money(order.total)}元`,
  };
}

function lineDocument(told: OrderTold, line: Line) {
  const { order } = told;
  const { lineId, goodsId, sku, title, unitPrice, quantity } = line;
  const source = sourceOf(line.source);
  const money = (minor: number): string => formatAmount(minor, order.currency);
  const tally = tallyOf(order, lineId);
  const spec = carried(source, "spec", null);
  const sold = order.status === "shipped" || order.status === "completed";
  return {
    id: lineId,
    user_id: order.buyerId,
    order_id: order.orderId,
    goods_id: goodsId,
    title,
    images: carried(source, "images", carried(source, "picture", "")),
    original_price: carried(source, "original_price", money(0)),
    price: money(unitPrice),
    total_price: money(unitPrice * quantity),
    spec,
    buy_number: String(quantity),
    model: carried(source, "model", ""),
    spec_weight: carried(source, "spec_weight", "0.00"),
    spec_coding: carried(source, "spec_coding", sku ?? ""),
    spec_barcode: carried(source, "spec_barcode", ""),
    refund_price: money(tally.refunded),
    returned_quantity: String(tally.returned),
    add_time: seconds(order.createdAt),
    upd_time: seconds(settledAt(told, lineId)),
    zycg_skuid: carried(source, "zycg_skuid", ""),
    goods_url: carried(source, "goods_url", ""),
    spec_text: specText(spec),
    // What was bought, a code or a link: it is told once it was paid and delivered, and no longer when the money is back.
    ...(order.fulfilment === "virtual" && sold && payStatusOf(order).number === 1
      ? { fictitious_goods_value: carried(source, "fictitious_goods_value", "") }
      : {}),
  };
}

/** `颜色:白色,尺,码:L+L`; null where there is nothing to tell apart. */
function specText(spec: Json): string | null {
  if (!Array.isArray(spec) || spec.length === 0) return null;
  return (spec as readonly Json[])
    .map((one) => {
      const { type, value } = (one ?? {}) as Readonly<Record<string, Json | undefined>>;
      return `${wordOf(type)}:${wordOf(value)}`;
    })
    .join(",");
}

function wordOf(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

// --- the case ---

function ownLog({ log }: OrderTold, caseId: string): readonly LogEntry[] {
  return log.filter((entry) => entry.case?.caseId === caseId);
}

/** What was said when it was applied for, and where the goods are to go: no rule reads it, so it stands in the events alone. */
function personalOf<T extends "RefundApplied" | "RefundApproved">(
  own: readonly LogEntry[],
  event: T,
): NonNullable<OrderEventData[T]["personal"]> {
  const data = own.find((entry) => entry.event === event)?.data as OrderEventData[T] | undefined;
  return data?.personal ?? {};
}

/** Where the buyer was told to send the goods of a case. */
export function returnAddressOf(told: OrderTold, caseId: string): ReturnAddress | undefined {
  return personalOf(ownLog(told, caseId), "RefundApproved").returnAddress;
}

/** A case with its order; one about a whole order is shown with the order's first line. */
export function caseDocument(told: OrderTold, one: Case, reading: Reading) {
  const line = told.order.lines.find(({ lineId }) => lineId === one.lineId);
  return caseWith(orderDocument(told, line ?? (told.order.lines[0] as Line), reading), told, one, reading);
}

function caseWith(orderData: ReturnType<typeof orderDocument>, told: OrderTold, one: Case, reading: Reading) {
  const { order } = told;
  const { time } = timesIn(reading);
  const line = order.lines.find(({ lineId }) => lineId === one.lineId);
  const status = caseStatusOf(one);
  const type = caseTypeOf[one.type];
  const own = ownLog(told, one.caseId);
  const { note = "", evidence = [] } = personalOf(own, "RefundApplied");
  const refundment = destinationNumbers[destinationOf(one)];
  const over = status === 3 ? one.endedAt : undefined;
  const at = {
    apply_time: one.appliedAt,
    confirm_time: type === 1 ? one.approvedAt : undefined,
    delivery_time: one.returnShipment?.at,
    audit_time: one.rejection?.at ?? over,
    cancel_time: status === 5 ? one.endedAt : undefined,
    add_time: one.appliedAt,
    upd_time: own.length > 1 ? own.at(-1)?.at : undefined,
  };
  const numbers: Record<string, string> = {};
  const texts: Record<string, string | null> = {};
  for (const [name, instant] of Object.entries(at)) {
    const text = time(instant);
    numbers[name] = seconds(instant);
    texts[`${name}_time`] = text;
    texts[`${name}_date`] = text?.slice(0, 10) ?? null;
  }
  return {
    id: one.caseId,
    order_no: order.orderNo,
    order_detail_id: one.lineId ?? "0",
    order_id: order.orderId,
    goods_id: line?.goodsId ?? "0",
    user_id: order.buyerId,
    status: String(status),
    type: String(type),
    refundment: String(refundment),
    reason: one.reason ?? "",
    // A refund alone is asked for no units; those that went back with the money are known once it is paid.
    number: String(one.status === "refunded" ? one.settledQuantity : one.quantity),
    price: formatAmount(one.amount, order.currency),
    msg: note,
    images: evidence,
    refuse_reason: one.rejection?.reason ?? "",
    express_name: one.returnShipment?.carrier ?? "",
    express_number: one.returnShipment?.trackingNumber ?? "",
    ...numbers,
    order_data: orderData,
    user: null,
    type_text: caseTypeNames[type],
    status_text: caseStatusNames[status],
    refundment_text: status === 3 ? destinationNames[refundment] : "",
    ...texts,
  };
}

// --- the page ---

const typeList = [
  {
    value: 0,
    name: "仅退款",
    desc: "未收到货(未签收),协商同意前提下",
    icon: "am-icon-random",
    class: "am-fl",
  },
  {
    value: 1,
    name: "退款退货",
    desc: "已收到货,需要退换已收到的货物",
    icon: "am-icon-retweet",
    class: "am-fr",
  },
] as const;

/** The latest case of a line; a case about the whole order is none of it. */
export function latestOf({ cases }: Order, lineId: string): Case | undefined {
  return cases.findLast((one) => one.lineId === lineId);
}

/** All that the page on which after-sale is applied for needs to know. */
export function pageDocument(
  told: OrderTold,
  line: Line,
  {
    reasons,
    address,
    ...reading
  }: Reading & {
    readonly reasons: { readonly [T in CaseType]?: readonly string[] | undefined };
    readonly address: ReturnAddress | undefined;
  },
) {
  const { order } = told;
  const latest = latestOf(order, line.lineId);
  const status = latest === undefined ? "none" : caseStatusOf(latest);
  const bars = shopxoSteps(status);
  const { quantity, amount } = refundableOf(order, line.lineId);
  const orderData = orderDocument(told, line, reading);
  return {
    order_data: orderData,
    new_aftersale_data:
      latest === undefined || status === "none"
        ? []
        : Object.assign(caseWith(orderData, told, latest, reading), { tips_msg: tips[status] }),
    step_data: { step0: bars.step0.map(withoutEnglish), step1: bars.step1.map(withoutEnglish) },
    returned_data: { returned_quantity: quantity, refund_price: formatAmount(amount, order.currency) },
    return_only_money_reason: reasons.refundOnly ?? [],
    return_money_goods_reason: reasons.returnRefund ?? [],
    aftersale_type_list: typeList,
    return_goods_address: addressText(address),
    editor_path_type: `order_aftersale-${bucketOf(order.buyerId)}-${order.orderId}-${line.lineId}`,
  };
}

function addressText({ name, phone, address }: Partial<ReturnAddress> = {}): string {
  if (name && phone && address) return `收件人：${name}，电话：${phone}，地址：${address}`;
  return [address, name, phone].filter(Boolean).join(" ") || "管理员未填写";
}

function withoutEnglish({ name_en: _english, ...step }: ReturnType<typeof shopxoSteps>["step0"][number]) {
  return step;
}

/** ShopXO keeps attachments of every 24 users out of 72 together; of an id that is no number, all. */
function bucketOf(buyerId: string): number {
  return /^\d+$/.test(buyerId) ? Number((BigInt(buyerId) % 72n) / 24n) : 0;
}
