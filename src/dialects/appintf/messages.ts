// The wiki's codes with their messages, and which of them each refusal of the domain is.

import type { Rejection, RejectionCode } from "../../domain/refusals.ts";
import type { Reply } from "../dialect.ts";

export const messages = {
  1: "请求成功",
  [-1]: "请求失败",
  [-2]: "未登录",
  [-3]: "非法请求!",
  [-4]: "验证出错!",
  17: "订单不存在!",
  18: "当前的订单状态不支持取消",
  19: "不能执行该操作,订单未发货!",
  41: "请勿重复提交!",
  50: "赔付理由不能为空",
  51: "赔付说明不能超过200字",
  52: "赔付凭证照片不能为空",
  53: "当前订单不能申请赔付!",
  54: "不能修改赔付申请!",
} as const;

export type Code = keyof typeof messages;

/** The envelope of every answer. */
export function says(code: Code, more: object = {}): Reply {
  return { json: { status: code, msg: messages[code], ...more } };
}

/** What a command is given for: an application, its cancellation, a receipt. */
export type Act = "submit" | "cancel" | "receive";

/** The document's own order among what the domain can refuse; -1 is said only where nothing else is to say. */
const order: readonly Code[] = [17, 18, 19, 50, 51, 52, 53, 54, -1];

const unknown = { submit: 17, cancel: 17, receive: 17 } as const;
const notNow = { submit: 53, cancel: 18 } as const;

/** What is not here is -1. */
const codes: Readonly<Partial<Record<RejectionCode, Readonly<Partial<Record<Act, Code>>>>>> = {
  orderNotFound: unknown,
  notOwner: unknown,
  caseNotFound: unknown,
  lineNotInOrder: { submit: 17 },
  orderStatusNotEligible: { submit: 53, receive: 19 },
  wrongActor: notNow,
  nothingPaid: { submit: 53 },
  windowExpired: { submit: 53 },
  typeNotAllowed: { submit: 53 },
  caseOpen: { submit: 54 },
  // All that the line had was claimed by an application that was approved.
  amountTooHigh: { submit: 54 },
  reasonLength: { submit: 51 },
  noteTooLong: { submit: 51 },
  refundInFlight: notNow,
  caseStatusNotEligible: { cancel: 18 },
  originNotEligible: { cancel: 18 },
};

/** The first, in the document's order, of codes of which each could be said. */
export function firstOf(found: readonly Code[]): Code {
  return order.find((code) => found.includes(code)) as Code;
}

/** The first, in the document's order, of all that stood in a command's way. */
export function codeOf(act: Act, rejection: Rejection): Code {
  return firstOf([rejection, ...(rejection.also ?? [])].map(({ code }) => codes[code]?.[act] ?? -1));
}
