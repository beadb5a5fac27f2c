// What ShopXO says: its envelope, and every refusal of the domain in its own words, the first in its own order of checks.

import type { CaseStatus } from "../../domain/caseLifecycle.ts";
import type { Case } from "../../domain/caseState.ts";
import { orderStatuses, type OrderStatus } from "../../domain/lifecycle.ts";
import { formatAmount } from "../../domain/money.ts";
import { claimedOf } from "../../domain/refundable.ts";
import type { RefusalFacts, Rejection, RejectionCode } from "../../domain/refusals.ts";
import type { Order } from "../../domain/state.ts";
import type { Reply } from "../dialect.ts";
import { caseStatusNames, caseStatusOf, orderStatusOf } from "./states.ts";

/** A message with its code. */
export interface Said {
  readonly msg: string;
  readonly code: number;
}

export function said(msg: string, code = -1): Said {
  return { msg, code };
}

export function done(msg: string, data: unknown = ""): Reply {
  return { json: { msg, code: 0, data } };
}

export function sorry({ msg, code }: Said): Reply {
  return { json: { msg, code, data: [] } };
}

export const noData = said("没有相关数据");
export const noCase = said("数据不存在或已删除");
export const failed = said("操作失败");
export const priceFormat = said("退款金额格式有误");

export function tooManyImages(limit: number): Said {
  return said(`凭证最多上传${limit}张图片`);
}

/** What a refusal is about, as it stands. */
export interface About {
  readonly order: Order;
  readonly one?: Case | undefined;
  readonly lineId?: string | undefined;
  /** By which name the shop knows how it was paid. */
  readonly paidBy?: string | undefined;
}

/**
 * The domain's rules in the order of ShopXO's own checks. What ShopXO does not check itself stands where the domain has it: the order's
 * status before the window, the kinds of after-sale that are allowed behind it. Of a case that is there, its status comes before all else.
 */
const precedence: readonly RejectionCode[] = [
  "orderNotFound",
  "notOwner",
  "lineNotInOrder",
  "caseNotFound",
  "wrongActor",
  "caseStatusNotEligible",
  "originNotEligible",
  "refundInFlight",
  "orderStatusNotEligible",
  "windowExpired",
  "typeNotAllowed",
  "caseOpen",
  "nothingPaid",
  "amountTooHigh",
  "amountTooLow",
  "quantityInvalid",
  "quantityTooHigh",
  "evidenceTooMany",
  "reasonLength",
  "noteTooLong",
  "destinationRefused",
];

/** A refusal in ShopXO's words. */
export function inWords(rejection: Rejection, about: About): Said {
  const broken = [rejection, ...(rejection.also ?? [])];
  const first = precedence.flatMap((code) => broken.filter((one) => one.code === code))[0] ?? rejection;
  const say = words[first.code] as ((facts: Rejection, about: About) => Said) | undefined;
  return say?.(first, about) ?? failed;
}

const notNow = (name: string): Said => said(`状态不可操作[${name}]`);

/** The case's status stands in the way; ShopXO has no word for where an exchange waits for its replacement. */
function caseNotNow({ one }: About): Said {
  if (one === undefined) return failed;
  if (one.status === "replacementPending" || one.status === "replacementShipped") return noExchange;
  return notNow(statusName(one));
}

export function statusName(one: { readonly status: CaseStatus; readonly type: Case["type"] }): string {
  return caseStatusNames[caseStatusOf(one)];
}

const noExchange = said("类型不可操作[换货]");

function quantities({ order, lineId }: About, claimed?: number, bought?: number): Said {
  const line = order.lines.find((known) => known.lineId === lineId);
  const before = claimed ?? (lineId === undefined ? 0 : claimedOf(order, lineId).quantity);
  return said(`退货数量大于购买数量[ 历史退货数量${before}, 订单商品数量${bought ?? line?.quantity ?? 0} ]`);
}

/** What is not here is said as `failed`: what cannot be told better, and most of what cannot occur here. */
const words: { readonly [K in RejectionCode]?: (facts: RefusalFacts[K], about: About) => Said } = {
  orderNotFound: () => noData,
  notOwner: () => noData,
  lineNotInOrder: () => noData,
  caseNotFound: () => noCase,
  wrongActor: () => said("无权限"),
  orderStatusNotEligible: ({ status }, { order }) => {
    const known = orderStatuses.find((one): one is OrderStatus => one === status) ?? order.status;
    return notNow(orderStatusOf({ status: known, fulfilment: order.fulfilment }).name);
  },
  windowExpired: () => said("订单已过售后期，请联系客服处理"),
  caseOpen: () => said("订单售后正在进行中，请勿重复申请"),
  typeNotAllowed: () => said("操作类型有误"),
  amountTooHigh: ({ claimed, paid, currency }) => amounts(claimed, paid, currency),
  nothingPaid: (_facts, { order }) => amounts(0, order.paid, order.currency),
  amountTooLow: () => priceFormat,
  quantityInvalid: (_facts, about) => quantities(about),
  quantityTooHigh: ({ claimed, bought }, about) => quantities(about, claimed, bought),
  evidenceTooMany: ({ limit }) => tooManyImages(limit),
  reasonLength: ({ least }) => (least === 0 ? reasonTooLong : refuseReason),
  noteTooLong: () => noteTooLong,
  caseStatusNotEligible: (_facts, about) => caseNotNow(about),
  originNotEligible: (_facts, about) => caseNotNow(about),
  refundInFlight: (_facts, about) => caseNotNow(about),
  destinationRefused: ({ because }, about) => {
    const { one, paidBy = "" } = about;
    if (because === "paidOffline") return said(`线下支付方式不能原路退回[ ${paidBy} ]`);
    if (because === "noTradeNo") return said("平台单号为空，请确认支付日志是否存在");
    return one?.type === "exchange" && caseStatusOf(one) === 2 ? noExchange : caseNotNow(about);
  },
  redemptionCodeWrong: () => said("核销码不正确"),
  staffNotListed: () => said("暂无核销权限"),
  alreadyRedeemed: () => said("该订单已核销", -10),
  alreadyReviewed: () => said("该订单已评论", -10),
};

export const reasonTooLong = said("退款原因最多180个字符");
export const noteTooLong = said("退款说明最多200个字符");
export const refuseReason = said("拒绝原因格式1~230个字符");

function amounts(claimed: number, paid: number, currency: string): Said {
  const [before, of] = [formatAmount(claimed, currency), formatAmount(paid, currency)];
  return said(`退款金额大于订单支付金额[ 历史退款${before}, 订单金额${of} ]`);
}
