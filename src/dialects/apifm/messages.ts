// What apifm says: its envelope, its codes, and every refusal in its words.

import { formatAmount } from "../../domain/money.ts";
import type { Rejection } from "../../domain/refusals.ts";
import type { WalletRefusal } from "../../domain/wallet.ts";
import type { Reply } from "../dialect.ts";
import { caseWords, wordOfCaseStatus, wordOfStatus } from "./states.ts";

/** What its client knows to tell apart: done, no data, login expired, the line is in after-sale already, and all else. */
export const codes = { success: 0, noData: 700, loginExpired: 2000, inAfterSale: 20000, failed: -1 } as const;

function envelope(code: number, msg: string, data: unknown = null): Reply {
  return { json: { code, msg, data } };
}

export function success(data: unknown = null): Reply {
  return envelope(codes.success, "success", data);
}

export function failed(msg: string, data?: unknown): Reply {
  return envelope(codes.failed, msg, data);
}

export const noData: Reply = envelope(codes.noData, "暂无数据");
export const loginExpired: Reply = envelope(codes.loginExpired, "登录已失效，请重新登录");
export const inAfterSale: Reply = envelope(
  codes.inAfterSale,
  "当前商品正在售后中，如需重新申请，请先撤销之前的售后申请",
);

/** What this dialect finds amiss beside what the engine refuses. */
export type OwnFault =
  /** Nothing of the caller's is there. */
  | { readonly code: "nothing" }
  | { readonly code: "goodsUnknown"; readonly goodsId: string }
  | { readonly code: "currenciesDiffer" }
  /** The shop brings nothing to this address. */
  | { readonly code: "notDelivered" }
  | { readonly code: "amountFormat" }
  /** Goods for goods, and money asked for. */
  | { readonly code: "exchangeAmount" }
  /** No amount, or one with more digits than the currency has. */
  | { readonly code: "tipFormat" }
  /** An order of several lines, and none is named. */
  | { readonly code: "lineUnnamed" }
  /** Not to be done to a case where it stands, as it is shown: of two that are closed one may count as withdrawn, the other as refused. */
  | { readonly code: "caseAt"; readonly number: keyof typeof caseWords };

export type Fault = Rejection | WalletRefusal | OwnFault;

type FactsOf<C extends Fault["code"]> = Extract<Fault, { readonly code: C }>;

const broken = (): Reply => failed("操作失败");
const missing = (): Reply => noData;
const inStatus = (word: string): Reply => failed(`状态不可操作[${word}]`);

/**
 * What no operation of this dialect can be refused with: it gives no such command, or always gives it soundly. Said as a defect would
 * be, should it come nevertheless.
 */
export const cannotOccur = (): Reply => broken();

/** What the request calls the fields of its command; that of a part by the whole. */
const fields: Readonly<Record<string, string>> = {
  lines: "goodsJsonStr",
  items: "postJsonString",
  reason: "reason",
  carrier: "shipperName",
  trackingNumber: "trackingNumber",
  "personal.name": "linkMan",
  "personal.phone": "mobile",
  "personal.address": "address",
  "personal.note": "remark",
  "personal.evidence": "pic",
};

/** Every refusal in apifm's words; where S0 and its client have none, those of ShopXO (domain 2.6), and then our own. */
export const words: { readonly [C in Fault["code"]]: (facts: FactsOf<C>) => Reply } = {
  invalidCommand: ({ issues }) => {
    const field = issues[0]?.field ?? "";
    const name = Object.keys(fields).find((one) => field.startsWith(one));
    return failed(name === undefined ? "参数错误" : `参数错误[${fields[name]}]`);
  },
  commandIdReused: () => failed("请勿重复提交"),
  versionConflict: broken,
  orderNotFound: missing,
  notOwner: missing,
  orderExists: broken,
  orderNoUsed: broken,
  wrongActor: cannotOccur,
  timeRunsBackwards: broken,
  orderStatusNotEligible: ({ status }) => inStatus(wordOfStatus(status)),

  buyerMismatch: cannotOccur,
  buyerMissing: cannotOccur,
  merchantMismatch: cannotOccur,
  termsOverride: ({ field }) =>
    failed(field === "terms" ? "不支持自定义订单关闭时间" : "商品支持的售后类型有误"),
  lineIdTwice: () => failed("商品重复"),
  amountTooLarge: () => failed("金额超出范围"),
  discountTooHigh: cannotOccur,
  outOfStock: ({ available }) => failed(`库存不足[ 剩余${available} ]`),
  redeemKeyMissing: () => failed("暂不支持核销"),

  amountMismatch: cannotOccur,
  currencyMismatch: cannotOccur,
  paymentIdUsed: broken,
  notDue: cannotOccur,

  waybillMissing: cannotOccur,
  lineNotInOrder: missing,
  codeMissing: cannotOccur,
  noRedemptionCode: cannotOccur,
  redemptionCodeWrong: () => failed("核销码不正确"),
  staffNotListed: () => failed("暂无核销权限"),
  alreadyRedeemed: () => failed("订单已核销"),

  alreadyReviewed: () => failed("订单已评价"),
  reviewIncomplete: () => failed("请评价订单中的全部商品"),
  stepOutOfOrder: cannotOccur,
  surplusTooHigh: cannotOccur,

  caseNotFound: missing,
  caseIdUsed: broken,
  caseStatusNotEligible: ({ status }) => inStatus(wordOfCaseStatus(status)),
  originNotEligible: cannotOccur,
  caseOpen: ({ command }) => (command === "ApplyRefund" ? inAfterSale : failed("订单售后正在进行中")),

  nothingPaid: () => failed("订单没有可退金额"),
  windowExpired: () => failed("订单已过售后期，请联系客服处理"),
  typeNotAllowed: () => failed("操作类型有误"),
  amountTooLow: () => failed("退款金额格式有误"),
  amountTooHigh: ({ claimed, paid, currency }) =>
    failed(
      `退款金额大于订单支付金额[ 历史退款${formatAmount(claimed, currency)}, 订单金额${formatAmount(paid, currency)} ]`,
    ),
  quantityInvalid: () => failed("退货数量有误"),
  quantityTooHigh: ({ claimed, bought }) =>
    failed(`退货数量大于购买数量[ 历史退货数量${claimed}, 订单商品数量${bought} ]`),
  reasonLength: ({ limit }) => failed(`退款原因最多${limit}个字符`),
  noteTooLong: ({ limit }) => failed(`退款说明最多${limit}个字符`),
  evidenceTooMany: ({ limit }) => failed(`凭证最多上传${limit}张图片`),

  statusNotPossible: cannotOccur,
  dispositionsMismatch: cannotOccur,
  consentMissing: cannotOccur,
  destinationMissing: cannotOccur,
  destinationRefused: cannotOccur,
  refundInFlight: cannotOccur,
  refundUnknown: cannotOccur,
  refundNotInFlight: cannotOccur,

  balanceTooLow: () => failed("余额不足"),
  walletIdUsed: broken,
  walletFull: cannotOccur,
  holdUnknown: cannotOccur,
  holdEnded: broken,

  nothing: missing,
  goodsUnknown: () => failed("商品不存在或已下架"),
  currenciesDiffer: () => failed("不同币种的商品请分开下单"),
  notDelivered: () => failed("该地区暂不支持配送"),
  amountFormat: () => failed("退款金额格式有误"),
  exchangeAmount: () => failed("换货的退款金额须为0"),
  tipFormat: () => failed("小费金额有误"),
  lineUnnamed: () => failed("请选择需要售后的商品"),
  caseAt: ({ number }) => inStatus(caseWords[number]),
};

/** What is said before all else where it was broken, too. */
const first: readonly string[] = ["staffNotListed", "alreadyRedeemed"];

/**
 * Says why something was refused: the rule that stands first in this dialect's own order among all that were broken, else the one that
 * the engine names first. S0 documents one order alone: who may redeem is asked before all else (its client's scan-result.js). An order
 * whose goods were handed over is completed by that: what is said is why (ruling 18).
 */
export function refuse(fault: Fault): Reply {
  const all = [fault, ...("also" in fault ? (fault.also ?? []) : [])];
  const said = first.flatMap((one) => all.find(({ code }) => code === one) ?? []).at(0) ?? fault;
  return (words[said.code] as (facts: Fault) => Reply)(said);
}
