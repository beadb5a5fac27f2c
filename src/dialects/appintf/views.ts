// The wiki's documents of orders and of cases, made from the engine's own.

import type { Case } from "../../domain/caseState.ts";
import type { Line } from "../../domain/events.ts";
import { type Json, under } from "../../domain/json.ts";
import { formatAmount } from "../../domain/money.ts";
import { type Order, charged } from "../../domain/state.ts";
import type { LogEntry } from "../../projections/detail.ts";
import type { CaseDetail } from "../../projections/refund.ts";
import type { Reply } from "../dialect.ts";
import { amountOf, idOf } from "../numbers.ts";
import { wallClock } from "../wallClock.ts";
import { type Code, messages } from "./messages.ts";
import { type WikiStatus, caseStatus, orderStatus, statusTexts } from "./states.ts";

/** Until when an order without such a limit may be paid: the last second that a date has. */
const never = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Until when it can be paid, in milliseconds; 0 where nothing ever had to be. */
export function pastDateOf({ payBy, status }: Pick<Order, "payBy" | "status">): number {
  const waits = status === "pendingConfirmation" || status === "pendingPayment";
  return payBy ?? (waits ? never : 0);
}

/** What rides along with a line (ruling 13). */
function carried(line: Line | undefined, key: string): Json | undefined {
  return under(line?.source, key);
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

interface WikiGoods {
  readonly imgUrl: string;
  readonly enName: string;
  readonly property: string;
}

/** What goods look like: those of a line, or the order's first. */
function goodsOf(order: Order, lineId?: string): WikiGoods {
  const line = order.lines.find((one) => one.lineId === lineId) ?? order.lines[0];
  const shown = (key: string) => text(carried(line, key));
  return {
    imgUrl: shown("imgUrl") ?? shown("picture") ?? "",
    enName: shown("enName") ?? line?.title ?? "",
    property: shown("property") ?? "",
  };
}

export interface WikiOrder extends WikiGoods {
  readonly orderId: number | string;
  readonly orderNo: string;
  readonly cnPrice: number;
  readonly frPrice: number;
  readonly itemCnPrice: number;
  readonly tariffAmountprice: number;
  readonly expAmountprice: number;
  readonly amountPrice: number;
  readonly status: WikiStatus;
  readonly statusDesc: string;
  readonly pastDate: number;
  readonly quantity: number;
  readonly mallId: number | string;
  readonly mallName: string;
}

/**
 * An order as its list and its detail show it. The wiki's orders have one line: of one with several, the first gives name, picture and
 * unit price, and quantity and itemCnPrice are those of all.
 */
export function orderItem(order: Order): WikiOrder {
  const { currency } = order;
  const line = order.lines[0];
  const status = orderStatus(order);
  const mallId = carried(line, "mallId");
  return {
    orderId: idOf(order.orderId),
    orderNo: order.orderNo,
    ...goodsOf(order),
    cnPrice: amountOf(line?.unitPrice ?? 0, currency),
    frPrice: number(carried(line, "frPrice")) ?? 0,
    itemCnPrice: amountOf(order.goods, currency),
    tariffAmountprice: amountOf(charged(order, "tariff"), currency),
    expAmountprice: amountOf(charged(order, "freight"), currency),
    amountPrice: amountOf(order.total, currency),
    status,
    statusDesc: statusTexts[status],
    pastDate: pastDateOf(order),
    quantity: order.lines.reduce((units, { quantity }) => units + quantity, 0),
    mallId: number(mallId) ?? text(mallId) ?? 0,
    mallName: text(carried(line, "mallName")) ?? "",
  };
}

/** A case in the list: its status is a text there, its number a number. */
export function refundItem(order: Order, { caseId, lineId, status }: Case): object {
  return {
    orderId: idOf(order.orderId),
    refundId: idOf(caseId),
    refundNo: idOf(caseId),
    status: String(caseStatus(status)),
    ...goodsOf(order, lineId),
  };
}

/** A case in full: its status is a number here, its number a text; `refund` says what was done about it, oldest first. */
export function refundDetail(
  orderId: string,
  { case: one, note, evidence, log }: CaseDetail,
  timeZone: string,
): object {
  return {
    refundId: idOf(one.caseId),
    orderId: idOf(orderId),
    refundNo: one.caseId,
    status: caseStatus(one.status),
    refund: log.filter(isStep).map((entry) => ({
      refundStatus: caseStatus(entry.case.to),
      aduitcustomer: entry.actor.id,
      processingDate: wallClock(entry.at, timeZone),
      processingReason: reasonOf(entry, note),
      causeType: one.causeType ?? 0,
      causeTypeDesc: one.reason ?? "",
      proofs: evidence.join(","),
    })),
  };
}

type Step = LogEntry & { readonly case: { readonly to: Case["status"] } };

/** What happened to the case; that it was hidden from the merchant's lists is nothing that happened to it. */
function isStep(entry: LogEntry): entry is Step {
  return entry.case !== undefined && entry.case.to !== "none" && entry.event !== "RefundHidden";
}

/** What was said: of the application what the buyer wrote, of anything else its reason. Providers' own words stay in the shop. */
function reasonOf(entry: LogEntry, note: string | undefined): string {
  if (entry.event === "RefundApplied") return note ?? "";
  if (entry.event === "RefundFailed") return "";
  return entry.reason ?? "";
}

// --- pages ---

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(value: string | number): string {
  return String(value).replaceAll(/[&<>"']/g, (character) => entities[character] as string);
}

function page(title: string, body: string): Reply {
  return {
    html: `<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title></head>
<body>
${body}
</body>
</html>
`,
  };
}

/** An order's page, with the facts of its document; what is text is shown as text. */
export function orderPage(order: Order): Reply {
  const item = orderItem(order);
  const amount = (minor: number) => formatAmount(minor, order.currency);
  const facts: readonly (readonly [string, string | number])[] = [
    ["订单编号", item.orderNo],
    ["订单状态", item.statusDesc],
    ["商品", item.enName],
    ["参数", item.property],
    ["电商", item.mallName],
    ["单价", amount(order.lines[0]?.unitPrice ?? 0)],
    ["美元单价", item.frPrice],
    ["数量", item.quantity],
    ["商品总价", amount(order.goods)],
    ["关税", amount(charged(order, "tariff"))],
    ["运费", amount(charged(order, "freight"))],
    ["订单总价", amount(order.total)],
    // The page is the same wherever it is read: an instant, in UTC.
    ...(order.payBy === undefined
      ? []
      : [["最晚付款时间", new Date(order.payBy).toISOString()] satisfies [string, string]]),
  ];
  const picture = /^https?:\/\//i.test(item.imgUrl) ? `<img src="${escaped(item.imgUrl)}" alt="">\n` : "";
  const list = facts.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join("\n");
  return page("订单详情", `<h1>订单详情</h1>\n${picture}<dl>\n${list}\n</dl>`);
}

/** A page that says no more than a code's message. */
export function messagePage(code: Code): Reply {
  return page("订单详情", `<p>${escaped(messages[code])}</p>`);
}
