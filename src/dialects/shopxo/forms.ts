// The forms of ShopXO's requests: one text a field, `0` and nothing both empty, lengths in characters; checked in ShopXO's own order, the first fault said.

import type * as E from "fp-ts/lib/Either.js";
import { z } from "zod";

import { limits } from "../../domain/limits.ts";
import type { Asked, Reply } from "../dialect.ts";
import { type Fields, parseJson, readBy } from "../request.ts";
import { failed, noteTooLong, priceFormat, reasonTooLong, refuseReason, said, sorry } from "./messages.ts";

function reader<T extends z.ZodType>(form: T) {
  return ({ fields }: Pick<Asked, "fields">): E.Either<Reply, z.infer<T>> =>
    readBy(form, fields, (message = failed.msg) => sorry(said(message)));
}

/** A field's text; undefined where it is not there, or is no text and no number. */
export function textOf(fields: Fields, name: string): string | undefined {
  return asText(fields[name]);
}

function asText(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value : undefined;
}

function isEmpty(text: string | undefined): boolean {
  return text === undefined || text === "" || text === "0";
}

/** A text without tabs and ends of lines. */
function oneLine(text: string): string {
  return text.replaceAll(/[\t\r\n]/g, "");
}

/** A number of ShopXO's that is to be equal; what is none, or below 0, narrows nothing. */
function chosen(text: string | undefined): string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? String(Number(text)) : undefined;
}

/** A list that comes as an array, as its JSON, or as one text: its texts, and how many entries of whatever kind it has. */
function listOf(value: unknown): { readonly count: number; readonly texts: readonly string[] } {
  const parsed = typeof value === "string" ? parsedOf(value) : value;
  const entries = Array.isArray(parsed) ? (parsed as readonly unknown[]) : [parsed];
  const texts = entries.filter((entry): entry is string => typeof entry === "string" && entry !== "");
  return { count: Array.isArray(parsed) ? entries.length : texts.length, texts };
}

/** What is no JSON is a text itself; JSON of no list and no text, such as `null`, is nothing. */
function parsedOf(text: string): unknown {
  const value = parseJson(text);
  return value === undefined ? text : value;
}

const anything = z.unknown().optional();

/** A field that may be left out, or be no text. */
const word = anything.transform(asText);

const number = word.transform(chosen);

const unlessEmpty = word.transform((text) => (isEmpty(text) ? undefined : text));

function text(fault: string, isSound: (text: string) => boolean) {
  return word.pipe(z.string(fault).refine(isSound, fault));
}

function required(fault: string) {
  return text(fault, (given) => !isEmpty(given));
}

/** A text of so many characters. */
function long(least: number, most: number, fault: string) {
  return word.pipe(z.string(fault).min(least, fault).max(most, fault));
}

/** A choice out of a few, by the number that stands for each. */
function oneOf<const T>(choices: Readonly<Record<string, T>>, fault: string) {
  return text(fault, (given) => Object.hasOwn(choices, given)).transform((given) => choices[given] as T);
}

export const readPage = reader(
  z.object({ oid: word.transform((given) => given ?? ""), did: word.transform((given) => given ?? "") }),
);

const listForm = z
  .object({
    page: number.transform((page) => Math.max(1, Number(page ?? 1))),
    keywords: unlessEmpty,
    is_more: word,
    type: number,
    status: word.transform((given = "") => {
      const statuses = new Set(given.split(",").flatMap((one) => chosen(one) ?? []));
      return statuses.size === 0 ? undefined : statuses;
    }),
    refundment: number,
    express_number: unlessEmpty,
    time_start: unlessEmpty,
    time_end: unlessEmpty,
  })
  .transform(({ page, keywords, is_more, ...fields }) => {
    const more: Partial<typeof fields> = is_more === "1" ? fields : {};
    return { page, narrowing: { keywords, ...more } };
  });

export const readList = reader(listForm);

/** What a buyer's list is narrowed to, as far as a row of it tells; the rest is asked of the case. */
export type Narrowing = z.infer<typeof listForm>["narrowing"];

export const readApplication = reader(
  z.object({
    order_id: required("订单id有误"),
    order_detail_id: required("订单详情id有误"),
    type: oneOf({ 0: "refundOnly", 1: "returnRefund" }, "操作类型有误"),
    price: text(priceFormat.msg, (given) => /^\d{1,8}(\.\d{1,2})?$/.test(given)),
    reason: long(0, limits.caseReasonLength, reasonTooLong.msg).transform(oneLine),
    msg: long(0, 200, noteTooLong.msg)
      .nullish()
      .transform((note) => oneLine(note ?? "")),
    // What is no number is none of the goods.
    number: word.transform((given = "") => (/^-?\d{1,9}$/.test(given) ? Number(given) : 0)),
    images: anything.transform(listOf),
  }),
);

/** What is done to a case. */
const caseForm = z.object({ id: required("操作id有误") });

export const readCase = reader(caseForm);

const waybill = (name: string) =>
  long(1, limits.waybillLength, `${name}格式1~${limits.waybillLength}个字符之间`);

export const readDelivery = reader(
  caseForm.extend({ express_name: waybill("快递名称"), express_number: waybill("快递单号") }),
);

export const readAudit = reader(
  caseForm.extend({
    refundment: oneOf({ 0: "original", 1: "wallet", 2: "manual" }, "退款方式选择有误"),
    is_under_line_use_manual: word.transform((given) => given === "1"),
  }),
);

export const readRefusal = reader(
  caseForm.extend({
    refuse_reason: long(limits.rejectReasonMin, limits.rejectReasonLength, refuseReason.msg),
  }),
);
