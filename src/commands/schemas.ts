// The shapes in which commands are accepted: strict, bounded, and the source of the JSON Schema for other languages.

import { z } from "zod";

import { roles } from "../domain/actor.ts";
import { destinations, dispositionKinds, importedStatuses } from "../domain/caseEvents.ts";
import type { CommandType } from "../domain/commands.ts";
import { currencies, currencyFault } from "../domain/currencies.ts";
import { channels, chargeKinds, fulfilments, ratings } from "../domain/events.ts";
import type { Json, JsonPairs } from "../domain/json.ts";
import { idPattern, limits } from "../domain/limits.ts";
import { caseTypes, refundablePolicies, stockRules } from "../domain/terms.ts";

export const idRule = `must be 1 to ${limits.idLength} characters of A-Z a-z 0-9 . _ : @ | + = - and begin with a letter or digit`;

export const id = z.string().max(limits.idLength, idRule).regex(idPattern, idRule);

/** An integer; -0 is stored as 0, so it is read so at once, or the state kept would differ from the state by replay. */
const integer = (what = "a whole number") =>
  z
    .int({
      error: ({ expected, input }) =>
        expected === "int" ? `must be ${what}, and is ${String(input)}` : undefined,
    })
    .overwrite((value) => value + 0);

export const amount = integer("whole minor units").min(0);
const quantity = integer().min(1).max(limits.quantity);

/** Why a text cannot be kept, or undefined. Lengths are code points, as the limits of the sources are. */
function textFault(value: string, min: number, max: number): string | undefined {
  if (!value.isWellFormed()) return "must be well-formed Unicode, and holds a lone surrogate";
  if (value.includes("\0")) return "must not hold a NUL character";
  // UTF-16 units are never fewer than code points, so most texts need no count.
  const length = value.length <= max && value.length >= min * 2 ? value.length : [...value].length;
  if (length < min || length > max) return `must be ${min} to ${max} characters, and is ${length}`;
  return undefined;
}

/** A text of so many code points, well-formed and without NUL: one expression says it all, and is quick to check. */
export function text(max: number, min = 0) {
  const good = new RegExp(`^[^\\0\\ud800-\\udfff]{${min},${max}}$`, "u");
  return z
    .string()
    .regex(good, { error: ({ input }) => textFault(String(input), min, max) ?? "is not acceptable" })
    .meta({ maxLength: max, ...(min > 0 ? { minLength: min } : {}) });
}

/** Whole, or relative to wherever a shop keeps its pictures, as apifm's clients send theirs: `1.jpg`. */
const pictureUrl = z.string().superRefine((value, context) => {
  const good =
    value.length <= 2_000 &&
    /^(https?:\/\/|(?![^/?#]*:)[^\s\0])[^\0]*$/i.test(value) &&
    value.isWellFormed() &&
    URL.canParse(value, "https://pictures.invalid/");
  if (!good)
    context.addIssue({ code: "custom", message: "must be a URL of http or https, at most 2000 characters" });
});

const currency = z.string().superRefine((value, context) => {
  const fault = currencyFault(value);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
});

const sourceDepth = 16;

/** What cannot ride along in `source`: thrown while copying, and made an issue. */
class NoJson extends Error {}

/** How many more values a copy may hold: no command within its size has more, and a cyclic or shared one ends here. */
interface Budget {
  left: number;
}

/**
 * A value of `source` as its own plain copy, keys sorted, so that the same data is the same text whoever wrote it down, and stays so
 * whatever the caller does to the original. Keys that look like array indexes would change their place when parsed, so that the stored
 * bytes would no longer be canonical.
 * @throws NoJson naming the path and the rule.
 */
function copied(value: unknown, path: string, depth: number, budget: Budget): Json {
  budget.left -= 1;
  if (budget.left < 0) throw new NoJson("holds more values than any command may");
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new NoJson(`${path}: ${value} is no number of JSON`);
    // -0 is written as 0, and shall be read so at once.
    return value === 0 ? 0 : value;
  }
  if (typeof value === "string") {
    const fault = textFault(value, 0, limits.commandBytes);
    if (fault !== undefined) throw new NoJson(`${path}: ${fault}`);
    return value;
  }
  if (typeof value !== "object") throw new NoJson(`${path}: a ${typeof value} is no JSON`);
  if (depth === 0) throw new NoJson(`${path}: nested deeper than ${sourceDepth} levels`);
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const [index, item] of value.entries()) {
      items.push(copied(item, `${path}[${index}]`, depth - 1, budget));
    }
    return items;
  }
  if (!isPlain(value)) throw new NoJson(`${path}: neither an array nor a plain object`);
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(value).sort()) {
    if (key === "__proto__") throw new NoJson(`${path}: __proto__ is no key`);
    if (indexLike.test(key)) {
      throw new NoJson(`${path}: key ${key} looks like an array index; use an array of pairs`);
    }
    const fault = textFault(key, 0, limits.textLength);
    if (fault !== undefined) throw new NoJson(`${path}: a key ${fault}`);
    copy[key] = copied((value as Record<string, unknown>)[key], `${path}.${key}`, depth - 1, budget);
  }
  return copy;
}

/** A Date or a Map would be written as something else than it is. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const indexLike = /^(0|[1-9]\d*)$/;

/** An open map as pairs sorted by key. */
function pairsOf(value: unknown): JsonPairs {
  if (value === null || typeof value !== "object" || Array.isArray(value) || !isPlain(value)) {
    throw new NoJson("must be an object");
  }
  const budget: Budget = { left: limits.commandBytes / 2 };
  return Object.keys(value)
    .sort()
    .map((key) => {
      if (key === "__proto__") throw new NoJson("__proto__ is no key");
      const fault = textFault(key, 1, limits.textLength);
      if (fault !== undefined) throw new NoJson(`a key ${fault}`);
      const item: unknown = (value as Record<string, unknown>)[key];
      return [key, copied(item, JSON.stringify(key), sourceDepth, budget)] as const;
    });
}

/** What no rule reads (ruling 13): an open map, kept as pairs sorted by key. */
const source = z.unknown().transform((value, context): JsonPairs => {
  try {
    return pairsOf(value);
  } catch (error) {
    if (!(error instanceof NoJson)) throw error;
    context.addIssue({ code: "custom", message: error.message });
    return [];
  }
});

const line = z.strictObject({
  lineId: id,
  goodsId: id,
  sku: text(limits.idLength, 1).optional(),
  title: text(limits.titleLength, 1),
  unitPrice: amount,
  quantity,
  available: integer().min(0).optional(),
  allowedTypes: z.array(z.enum(caseTypes)).max(caseTypes.length).optional(),
  source: source.optional(),
});

const charge = z.strictObject({ kind: z.enum(chargeKinds), amount });

const shipment = z.strictObject({
  carrier: text(limits.waybillLength, 1).optional(),
  trackingNumber: text(limits.waybillLength, 1).optional(),
  lines: z.array(id).min(1).max(limits.linesPerOrder).optional(),
});

const shipments = z.array(shipment).max(limits.shipmentsPerOrder);

const days = integer().min(0).max(limits.termDays);

/** Terms as a merchant's file or an order may state them: any of them, the rest as they are. */
export const termsOverride = z.strictObject({
  booking: z.boolean().optional(),
  payWindowMinutes: integer().min(0).max(limits.termMinutes).optional(),
  autoConfirmDays: days.optional(),
  autoConfirmPauses: z.boolean().optional(),
  afterSaleDays: days.optional(),
  refundable: z.enum(refundablePolicies).optional(),
  evidenceMax: integer().min(0).max(9).optional(),
  allowedTypes: z.array(z.enum(caseTypes)).max(caseTypes.length).optional(),
  stockDeduction: z.enum(stockRules).optional(),
  virtualAutoShip: z.boolean().optional(),
  returnShipDays: days.optional(),
  replacementConfirmDays: days.optional(),
  refundAttempts: integer().min(1).max(100).optional(),
});

const code = text(limits.idLength, 1);

/** The id of a new case; two beginnings are kept for the cases that the engine opens itself. */
const newCaseId = id.regex(/^(?!late:|cancel:)/, "must not begin with late: or cancel:");

/** What a case or a refund is called that is there: longer than an id may be, since the engine makes it from one. */
const known = z.string().max(limits.refundIdLength).regex(idPattern, idRule);

const ofCase = { caseId: known };
const payable = { destination: z.enum(destinations).optional() };
const waybill = { carrier: text(limits.waybillLength, 1), trackingNumber: text(limits.waybillLength, 1) };
const someText = text(limits.textLength).optional();

const reason = text(limits.textLength);

const bodies = {
  CreateOrder: {
    orderNo: id.optional(),
    merchantId: id.optional(),
    buyerId: id.optional(),
    currency: currency.meta({ enum: [...currencies] }),
    lines: z.array(line).min(1).max(limits.linesPerOrder),
    charges: z.array(charge).max(limits.chargesPerOrder).optional(),
    discount: amount.optional(),
    fulfilment: z.enum(fulfilments),
    redeemable: z.boolean().optional(),
    terms: termsOverride.optional(),
    personal: z
      .strictObject({
        name: text(limits.textLength).optional(),
        phone: text(limits.textLength).optional(),
        address: text(limits.textLength).optional(),
        note: text(limits.textLength).optional(),
        source: source.optional(),
      })
      .optional(),
    source: source.optional(),
  },
  ConfirmOrder: {},
  Pay: {
    payId: id,
    amount,
    currency: currency.optional(),
    channel: z.enum(channels),
    method: text(limits.idLength, 1).optional(),
    tradeNo: text(limits.idLength, 1).optional(),
  },
  CancelOrder: { reason: reason.optional(), caseId: newCaseId.optional(), ...payable },
  ExpireOrder: {},
  Ship: { shipments: shipments.optional(), code: code.optional(), force: z.boolean().optional() },
  CorrectShipment: { shipments },
  ConfirmReceipt: {},
  Redeem: { code, source: source.optional() },
  Review: {
    items: z
      .array(
        z.strictObject({
          lineId: id,
          rating: z.enum(ratings),
          text: text(limits.reviewTextLength).optional(),
          pictures: z.array(pictureUrl).max(limits.reviewPictures).optional(),
        }),
      )
      .min(1)
      .max(limits.linesPerOrder),
  },
  HideOrder: {},
  AuditPayment: {},
  MarkPurchased: { reference: text(limits.idLength, 1).optional() },
  RecordTaxSurplus: { amount: amount.min(1) },
  RecordTaxRefund: { amount: amount.min(1) },
  // How long a reason or a note may be, how much evidence and how many units, is the domain's to say, with its numbers.
  ApplyRefund: {
    caseId: newCaseId,
    lineId: id,
    caseType: z.enum(caseTypes),
    quantity: integer().optional(),
    amount,
    goodsReceived: z.boolean().optional(),
    reason: someText,
    causeType: integer().optional(),
    personal: z
      .strictObject({
        note: someText,
        evidence: z.array(text(limits.textLength, 1)).max(limits.evidence).optional(),
      })
      .optional(),
  },
  ApproveRefund: {
    ...ofCase,
    ...payable,
    amount: amount.optional(),
    personal: z
      .strictObject({
        note: someText,
        returnAddress: z.strictObject({ name: someText, phone: someText, address: someText }).optional(),
      })
      .optional(),
  },
  RejectRefund: { ...ofCase, reason },
  CancelRefund: ofCase,
  CloseRefund: { ...ofCase, reason: reason.optional() },
  HideRefund: ofCase,
  ShipReturn: { ...ofCase, ...waybill },
  CorrectReturnShipment: { ...ofCase, ...waybill },
  ReceiveReturn: {
    ...ofCase,
    ...payable,
    dispositions: z
      .array(z.strictObject({ kind: z.enum(dispositionKinds), quantity }))
      .min(1)
      .max(limits.dispositions),
    personal: z.strictObject({ note: someText }).optional(),
  },
  IssueRefund: { ...ofCase, ...payable },
  SettleRefund: { ...ofCase, refundId: known, amount, tradeNo: text(limits.idLength, 1).optional() },
  FailRefund: {
    ...ofCase,
    refundId: known,
    failure: text(limits.idLength, 1),
    retryable: z.boolean(),
    message: someText,
  },
  ShipReplacement: { ...ofCase, ...waybill, available: integer().min(0).optional() },
  ConfirmReplacement: ofCase,
  ConvertToRefund: { ...ofCase, ...payable, amount, buyerConsents: z.boolean() },
  ImportRefund: {
    caseId: newCaseId,
    source: text(limits.idLength, 1),
    status: z.enum(importedStatuses),
    lineId: id,
    caseType: z.enum(caseTypes),
    quantity: integer().optional(),
    amount,
    goodsReceived: z.boolean().optional(),
    reason: someText,
    raw: source,
  },
} satisfies Record<CommandType, z.core.$ZodLooseShape>;

function schemaOf<T extends CommandType>(type: T) {
  return z.strictObject({ type: z.literal(type), orderId: id, ...bodies[type] });
}

/** One strict schema a command, uncompiled: what JSON Schema is made from. */
export const commandSchemas = Object.fromEntries(
  (Object.keys(bodies) as CommandType[]).map((type) => [type, schemaOf(type)]),
) as { readonly [T in CommandType]: ReturnType<typeof schemaOf<T>> };

export const actorSchema = z.strictObject({ role: z.enum(roles), id });

/** An instant: milliseconds UTC. */
export const instant = integer().min(limits.earliest).max(limits.latest);

const expectRule = 'must be "none" or a revision, a whole number from 0';

const expectations = [
  z.literal("none"),
  z.string().regex(/^(0|[1-9]\d{0,18})$/, expectRule),
  z.int().min(0),
] as const;

/** What an expectation may be in JSON: `none`, or a revision as text or number. */
export const expectInJson = z.union(expectations, expectRule);

/** The same in a program, where a revision is a bigint. */
export const expectSchema = z.union([...expectations, z.bigint().min(0n)], expectRule);
