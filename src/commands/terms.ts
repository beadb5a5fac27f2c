// The merchants' side of decisions, from the engine's `terms` option: whose terms and redeeming staff are in force.

import { z } from "zod";

import { present } from "../domain/json.ts";
import { limits } from "../domain/limits.ts";
import { describeIssue } from "../domain/refusals.ts";
import { type CaseType, type Terms, caseTypes, defaultTerms } from "../domain/terms.ts";
import type { MerchantPolicy } from "./handle.ts";
import { issuesOf } from "./parse.ts";
import { id, idRule, termsOverride, text } from "./schemas.ts";

/** What a buyer chooses from where the merchant says nothing else: ShopXO's own lists (S1:226-248). */
export const defaultReasons: MerchantPolicy["reasons"] = {
  refundOnly: [
    "活动/优惠未生效",
    "空包裹",
    "包裹丢失",
    "配送超时",
    "未按约定时间发货",
    "未送货上门",
    "物流显示签收但实际未收到货",
    "不喜欢/不想要",
  ],
  returnRefund: [
    "7天无理由退换货",
    "配送超时",
    "未按约定时间发货",
    "未送货上门",
    "卖家发错货",
    "少件/漏发",
    "包装/商品破损/污渍",
    "商品信息描述不符",
    "使用后过敏",
    "已过/临近保质期",
    "无法溶解/结块/有异物",
  ],
};

/** What may be said of a merchant: any of the terms, who may redeem write-off codes, and which reasons a buyer is offered to choose from. */
export type MerchantTerms = { readonly [K in keyof Terms]?: Terms[K] | undefined } & {
  readonly redeemStaff?: readonly string[] | undefined;
  readonly reasons?: { readonly [T in CaseType]?: readonly string[] | undefined } | undefined;
};

/** By merchant id; `*` stands for every merchant that is not named. */
export type TermsOption = Readonly<Record<string, MerchantTerms>>;

const reasons = z.array(text(limits.caseReasonLength, 1)).max(limits.reasons).optional();

const merchantTerms = termsOverride.extend({
  redeemStaff: z.array(id).max(limits.redeemStaff).optional(),
  reasons: z.strictObject({ refundOnly: reasons, returnRefund: reasons, exchange: reasons }).optional(),
});

/** The schema of a terms file. */
export const termsSchema = z.record(z.union([z.literal("*"), id]), merchantTerms, {
  error: ({ code }) => (code === "invalid_key" ? `is no merchant's id, which ${idRule}, nor *` : undefined),
});

/**
 * Reads the terms of every merchant.
 * @throws TypeError naming each field that is wrong and its rule.
 */
export function policies(option: unknown): (merchantId: string) => MerchantPolicy {
  const read = termsSchema.safeParse(option === undefined ? {} : option);
  if (!read.success) {
    const known = (path: readonly PropertyKey[]): readonly string[] =>
      path.length === 1
        ? Object.keys(merchantTerms.shape)
        : path.length === 2 && path[1] === "reasons"
          ? caseTypes
          : [];
    throw new TypeError(`terms: ${issuesOf(read.error, known).map(describeIssue).join("; ")}`);
  }
  // The schema passes over this key, and terms must not be passed over in silence.
  if (option !== undefined && Object.hasOwn(option as object, "__proto__")) {
    throw new TypeError("terms: __proto__: is no merchant's id");
  }
  const byMerchant = new Map(
    Object.entries(read.data).map(([merchantId, given]) => [merchantId, policyOf(given)]),
  );
  const others = byMerchant.get("*") ?? policyOf({});
  return (merchantId) => byMerchant.get(merchantId) ?? others;
}

function policyOf({ redeemStaff = [], reasons = {}, ...terms }: MerchantTerms): MerchantPolicy {
  return {
    terms: { ...defaultTerms, ...present(terms) },
    redeemStaff,
    reasons: { ...defaultReasons, ...present(reasons) },
  };
}
