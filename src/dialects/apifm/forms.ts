// The forms of apifm's requests: every field a text, checked in the order in which its document lists them, the first fault said.

import type * as E from "fp-ts/lib/Either.js";
import { z } from "zod";

import { isObject } from "../../domain/json.ts";
import { limits } from "../../domain/limits.ts";
import { type Asked, type Reply } from "../dialect.ts";
import { compiledOf, parseJson, readBy } from "../request.ts";
import { failed } from "./messages.ts";
import { type OrderNumber, caseTypeOf, fulfilmentOf, orderNumbers, ratingOf } from "./states.ts";

export function read<T extends z.ZodType>(
  form: T,
  { fields }: Pick<Asked, "fields">,
): E.Either<Reply, z.infer<T>> {
  return readBy(form, fields, (message = "参数错误") => failed(message));
}

/** A field as text; what was not sent is empty, as apifm's client sends what it has not. */
const word = z
  .unknown()
  .optional()
  .transform((value, context) => {
    if (value === undefined || value === null) return "";
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    context.addIssue({ code: "custom", message: "参数错误" });
    return z.NEVER;
  });

/** Undefined where it is empty. */
const optional = word.transform((text) => (text === "" ? undefined : text));

function required(name: string) {
  return word.refine((text) => text !== "", `${name}不能为空`);
}

const truths = new Map([
  ...["true", "1", "yes", "on"].map((text) => [text, true] as const),
  ...["false", "0", "no", "off"].map((text) => [text, false] as const),
]);

/** Undefined where it is empty. What is neither is refused: a preview that is not taken for one would be an order. */
function flag(name: string) {
  return optional
    .transform((text) => text?.toLowerCase())
    .refine((text) => text === undefined || truths.has(text), `${name}参数有误`)
    .transform((text) => (text === undefined ? undefined : truths.get(text)));
}

/** Code points, as the client's own boxes count. */
function within(text: string, most: number): boolean {
  return text.length <= most || [...text].length <= most;
}

function whole(name: string, least: number, most: number) {
  return optional
    .refine(
      (text) =>
        text === undefined || (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most),
      `${name}参数有误`,
    )
    .transform((text) => (text === undefined ? undefined : Number(text)));
}

/** A choice out of a few, by what stands for each. */
function oneOf<T>(name: string, choices: Readonly<Record<string, T>>) {
  return required(name).transform((text, context): T => {
    if (Object.hasOwn(choices, text)) return choices[text] as T;
    context.addIssue({ code: "custom", message: `${name}参数有误` });
    return z.NEVER;
  });
}

/** JSON within a field. */
function json<T extends z.ZodType>(name: string, shape: T) {
  return required(name).transform((text, context): z.infer<T> => {
    const result = compiledOf(shape).safeParse(parseJson(text));
    if (result.success) return result.data;
    context.addIssue({ code: "custom", message: result.error.issues[0]?.message ?? `${name}格式有误` });
    return z.NEVER;
  });
}

/** What the engine knows nothing of: asked for, it would cost the buyer more, or come otherwise, than was asked. */
function unsupported(said: string, means: (text: string) => boolean = (text) => text !== "") {
  return word.refine((text) => !means(text), said);
}

const amountPattern = /^(\d{1,12})(?:\.(\d{1,20}))?$/;

/**
 * An amount in major units as minor ones, of a currency with so many digits after the point. The client multiplies floats and sends what
 * comes out, such as 0.30000000000000004: what is that near to an amount is that amount. Undefined for what is none.
 */
export function minorOf(text: string, exponent: number): number | undefined {
  const [, major, fraction = ""] = amountPattern.exec(text) ?? [];
  if (major === undefined) return undefined;
  if (fraction.length <= exponent) return Number(major + fraction.padEnd(exponent, "0"));
  const minor = Number(text) * 10 ** exponent;
  const nearest = Math.round(minor);
  return Math.abs(minor - nearest) <= 1e-4 ? nearest : undefined;
}

// --- orders ---

const choice = z.object(
  {
    goodsId: required("goodsId"),
    number: required("number")
      .refine((text) => /^[1-9]\d{0,9}$/.test(text) && Number(text) <= limits.quantity, "购买数量有误")
      .transform(Number),
    // The client writes a comma before each option.
    propertyChildIds: word.transform((text) => text.replace(/^,+|,+$/g, "") || undefined),
    logisticsType: optional,
    inviter_id: optional,
    days: z.array(z.string()).optional().catch(undefined),
    goodsAdditionList: z
      .unknown()
      .optional()
      .refine(
        (list) => list === undefined || (Array.isArray(list) && list.length === 0),
        "暂不支持商品附加选项",
      ),
  },
  "goodsJsonStr格式有误",
);

/** Fields of an address that only the freight port and the detail's `logistics` know. */
const places = {
  provinceId: optional,
  cityId: optional,
  districtId: optional,
  streetId: optional,
  code: optional,
  idcard: optional,
};

export const createForm = z.object({
  goodsJsonStr: json(
    "goodsJsonStr",
    z
      .array(choice, "goodsJsonStr格式有误")
      .min(1, "goodsJsonStr不能为空")
      .max(limits.linesPerOrder, "商品过多"),
  ),
  calculate: flag("calculate"),
  address: optional,
  ...places,
  autoDeliver: unsupported(
    "暂不支持自动发货",
    (text) => truths.get(text.toLowerCase()) !== false && text !== "",
  ),
  couponId: unsupported("暂不支持优惠券"),
  cardId: unsupported("暂不支持次卡", (text) => text !== "" && text !== "0"),
  // 0 deducts as many points as there are, and there are none; -1 deducts none.
  deductionScore: unsupported("暂不支持积分抵扣", (text) => !["", "0", "-1"].includes(text)),
  expireMinutes: whole("expireMinutes", 0, limits.termMinutes),
  extJsonStr: optional.refine(
    (text) => text === undefined || isObject(parseJson(text)),
    "extJsonStr格式有误",
  ),
  // The official shop sends all goods once for each shop: taken for one order each, all would be ordered as often.
  filterShopId: unsupported("暂不支持按店铺下单", (text) => text !== "" && text !== "0"),
  isCanHx: flag("isCanHx"),
  kjid: unsupported("暂不支持砍价"),
  linkMan: optional,
  mobile: optional,
  orderPeriod: unsupported("暂不支持周期订单"),
  payOnDelivery: unsupported("暂不支持货到付款", (text) => text === "1"),
  peisongType: word
    .transform((text) => (text === "" ? "kd" : text))
    .refine((text) => Object.hasOwn(fulfilmentOf, text), "peisongType参数有误"),
  pingtuanOpenId: unsupported("暂不支持拼团"),
  remark: optional,
  shopIdZt: optional,
  shopNameZt: optional,
  trips: optional,
});

export type CreateQuery = z.infer<typeof createForm>;

/** A page of a list of orders may have as many as the engine's own. */
const mostRows = 1_000;

const statusOf = (text: string): OrderNumber | undefined =>
  orderNumbers.find((number) => String(number) === text);

export const listForm = z.object({
  goodReputation: optional
    .refine((text) => text === undefined || Object.hasOwn(ratingOf, text), "goodReputation参数有误")
    .transform((text) => (text === undefined ? undefined : ratingOf[text])),
  hasRefund: flag("hasRefund"),
  orderNumber: optional,
  shopId: optional,
  status: optional
    .refine((text) => text === undefined || statusOf(text) !== undefined, "status参数有误")
    .transform((text) => (text === undefined ? undefined : statusOf(text))),
  statusBatch: optional
    .transform((text) => text?.split(",").map((one) => statusOf(one.trim())))
    .refine((found) => found?.includes(undefined) !== true, "statusBatch参数有误")
    .transform((found) => found as readonly OrderNumber[] | undefined),
  page: whole("page", 1, 1_000_000_000).transform((page) => page ?? 1),
  pageSize: whole("pageSize", 1, mostRows).transform((size) => size ?? 20),
});

/** The code wins where both are sent. */
export const detailForm = z
  .object({ id: optional, hxNumber: optional })
  .refine(({ id, hxNumber }) => id !== undefined || hxNumber !== undefined, "订单id不能为空");

export const orderForm = z.object({ orderId: required("orderId") });

export const redeemForm = z.object({
  hxNumber: required("hxNumber"),
  extJsonStr: createForm.shape.extJsonStr,
});

const reputation = z.object(
  {
    id: required("id"),
    reputation: oneOf("reputation", ratingOf),
    remark: optional.refine(
      (text) => text === undefined || within(text, limits.reviewTextLength),
      `评价备注最多${limits.reviewTextLength}个字符`,
    ),
    pics: z
      .array(z.string("pics格式有误"), "pics格式有误")
      .max(limits.reviewPictures, `评价图片最多${limits.reviewPictures}张`)
      .nullish(),
  },
  "reputations格式有误",
);

export const reputationForm = z.object({
  postJsonString: json(
    "postJsonString",
    z.object(
      {
        orderId: required("orderId"),
        reputations: z.array(reputation, "reputations格式有误").min(1, "reputations不能为空"),
      },
      "postJsonString格式有误",
    ),
  ),
});

// --- after-sale ---

const mostPictures = 9;

export const applyForm = z.object({
  orderId: required("orderId"),
  type: oneOf("type", caseTypeOf),
  logisticsStatus: oneOf("logisticsStatus", { 0: false, 1: true }),
  reason: required("退款原因"),
  amount: required("退款金额"),
  remark: optional.refine(
    (text) => text === undefined || within(text, limits.caseNoteLength),
    `退款说明最多${limits.caseNoteLength}个字符`,
  ),
  pic: word
    .transform((text) => text.split(",").filter((one) => one !== ""))
    .refine((pictures) => pictures.length <= mostPictures, `凭证最多上传${mostPictures}张图片`),
  orderGoodsId: optional,
  number: optional
    .refine((text) => text === undefined || /^\d{1,10}$/.test(text), "退货数量有误")
    .transform((text) => (text === undefined ? undefined : Number(text))),
});

export type ApplyQuery = z.infer<typeof applyForm>;

export const casesForm = z.object({ orderId: required("orderId"), orderGoodsId: optional });

const waybill = (name: string) =>
  word.refine(
    (text) => text !== "" && within(text, limits.waybillLength),
    `${name}格式1~${limits.waybillLength}个字符之间`,
  );

export const backForm = z.object({
  orderId: required("orderId"),
  applyId: required("applyId"),
  shipperName: waybill("快递名称"),
  trackingNumber: waybill("快递单号"),
});
