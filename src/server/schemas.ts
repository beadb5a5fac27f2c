// The shapes of what the plain API takes beside commands, and of its answers: they check what comes in and are what OpenAPI tells.

import { z } from "zod";

import { actorSchema, amount, expectSchema, id, instant } from "../commands/schemas.ts";
import { caseStatuses } from "../domain/caseLifecycle.ts";
import { ratings } from "../domain/events.ts";
import { orderStatuses } from "../domain/lifecycle.ts";
import { limits } from "../domain/limits.ts";
import { caseTypes } from "../domain/terms.ts";
import { parties } from "../domain/waiting.ts";

/** A command with its circumstances, as a line of `aftersale exec --stdin`. */
export const envelopeSchema = z.strictObject({
  commandId: id.optional(),
  at: instant.optional(),
  actor: actorSchema.optional(),
  expect: expectSchema.optional(),
  command: z.looseObject({ type: z.string(), orderId: id }),
});

/** A field of a query is a text, or several. */
const many = <T extends z.ZodType>(one: T) =>
  z.preprocess((given) => (given === undefined ? given : [given].flat()), z.array(one).max(20).optional());

const whole = z.coerce.number().int();
const when = whole.min(limits.earliest).max(limits.latest).optional();
const paging = {
  limit: whole.min(1).max(1_000).optional(),
  cursor: z.string().max(1_000).optional(),
};
const owners = { buyerId: id.optional(), merchantId: id.optional() };
const flag = z.enum(["true", "false"]).transform((text) => text === "true");

export const statisticsQuery = z.strictObject(owners);

export const ordersQuery = z.strictObject({
  ...owners,
  status: many(z.enum(orderStatuses)),
  rating: z.enum(ratings).optional(),
  hasRefund: flag.optional(),
  from: when,
  to: when,
  text: z.string().min(1).max(200).optional(),
  ...paging,
});

export const refundsQuery = z.strictObject({
  ...owners,
  status: many(z.enum(caseStatuses)),
  type: many(z.enum(caseTypes)),
  from: when,
  to: when,
  ...paging,
});

export const queueQuery = z.strictObject({
  merchantId: id.optional(),
  waitsFor: many(z.enum(parties)),
  ...paging,
});

export const eventsQuery = z.strictObject({ after: z.string().max(100).optional() });

export const walletQuery = z.strictObject({ buyerId: id.optional() });

export const nothing = z.strictObject({});

export const topUpSchema = z.strictObject({
  buyerId: id,
  topUpId: id,
  amount: amount.min(1),
  currency: z.string(),
  note: z.string().max(limits.textLength).optional(),
});

// --- answers, for those who read the document ---

const anyObject = z.looseObject({});

export const receiptSchema = z.object({
  orderId: z.string(),
  commandId: z.string(),
  revision: z.string().describe("The order's revision after the command, from 0."),
  position: z.string().optional().describe("Only for the shop's services and admins."),
  events: z.array(z.object({ type: z.string(), at: z.int(), data: anyObject })),
});

export const errorSchema = z.object({
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    id: z.string().optional().describe("Of a defect: under this id it stands in the server's log."),
  }),
});

const exactSums = z
  .record(z.string(), z.union([z.int(), z.string().regex(/^-?\d+$/)]))
  .describe("Minor units by currency; beyond 2^53 - 1 the digits of the sum as text.");

const counts = z.looseObject({ paid: exactSums, refunded: exactSums });

export const statisticsSchema = z.object({
  all: counts.optional(),
  buyer: counts.optional(),
  merchant: counts.optional(),
});

export const orderPageSchema = z.object({ orders: z.array(anyObject), next: z.string().optional() });
export const casePageSchema = z.object({ cases: z.array(anyObject), next: z.string().optional() });
export const orderSchema = z.object({ order: anyObject, revision: z.string(), log: z.array(anyObject) });
export const historySchema = z.object({ events: z.array(anyObject) });
export const refundHistorySchema = z.object({ orderId: z.string(), cases: z.array(anyObject) });
export const refundSchema = z.object({ orderId: z.string(), refund: anyObject.optional() });
export const codeSchema = z.object({ code: z.string() });
export const walletSchema = z.object({
  buyerId: z.string(),
  balances: z.record(z.string(), z.int()),
  held: z.array(anyObject),
});
