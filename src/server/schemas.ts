// The shapes of what the plain API takes beside commands, and of its answers: they check what comes in and are what OpenAPI tells.

import { z } from "zod";

import { actorSchema, amount, expectInJson, id, instant } from "../commands/schemas.ts";
import { roles } from "../domain/actor.ts";
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
  expect: expectInJson.optional(),
  command: z.looseObject({ type: z.string(), orderId: id }),
});

/** A field of a query is a text, or several. */
const many = <T extends z.ZodType>(one: T) =>
  z.preprocess((given) => (given === undefined ? given : [given].flat()), z.array(one).max(20).optional());

/** Digits alone: what else JavaScript takes for a number (`1e3`, `0x10`, nothing at all) is a slip. */
const whole = (least: number, most: number) =>
  z
    .preprocess(
      (given) => (typeof given === "string" && /^\d{1,16}$/.test(given) ? Number(given) : given),
      z.int("must be a whole number, in digits").min(least).max(most),
    )
    .optional();
const when = whole(limits.earliest, limits.latest);
const paging = {
  limit: whole(1, 1_000),
  cursor: z.string().max(1_000).optional(),
};
const owners = {
  buyerId: id.optional().describe("Not beside merchantId."),
  merchantId: id.optional().describe("Not beside buyerId."),
};
const flag = z.enum(["true", "false"]).transform((text) => text === "true");

const oneOwner = z.refine<z.infer<z.ZodObject<typeof owners>>>(
  ({ buyerId, merchantId }) => buyerId === undefined || merchantId === undefined,
  { path: ["merchantId"], error: "must not stand beside buyerId" },
);

export const statisticsQuery = z.strictObject(owners).check(oneOwner);

export const ordersQuery = z
  .strictObject({
    ...owners,
    status: many(z.enum(orderStatuses)),
    rating: z.enum(ratings).optional(),
    hasRefund: flag.optional(),
    from: when,
    to: when,
    text: z.string().min(1).max(200).optional(),
    ...paging,
  })
  .check(oneOwner);

export const refundsQuery = z
  .strictObject({
    ...owners,
    status: many(z.enum(caseStatuses)),
    type: many(z.enum(caseTypes)),
    from: when,
    to: when,
    ...paging,
  })
  .check(oneOwner);

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
    id: z
      .string()
      .optional()
      .describe(
        "Of a 5XX: under this id it stands in the server's log. Of walletIdUsed: the id that was used before.",
      ),
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

const revision = z.string().describe("Of the order's last event, from 0.");
const ledger = z.object({
  paid: z.int(),
  refunded: z.int(),
  inFlight: z.int(),
  retained: z.int(),
  reserved: z.int().describe("Of what is kept or on its way: promised to open cases."),
});
const log = z
  .array(
    z.object({
      revision: z.string(),
      position: z.string().optional().describe("Only for the shop's services and admins."),
      event: z.string(),
      at: z.int(),
      actor: actorSchema,
      commandId: z.string(),
      from: z.string(),
      to: z.string(),
      case: z
        .object({ caseId: z.string(), number: z.int(), from: z.string(), to: z.string() })
        .optional()
        .describe("The case it is about, and the case's status before and after it."),
      reason: z.string().optional(),
      data: anyObject,
    }),
  )
  .describe("Oldest first.");
const deadline = z.object({
  kind: z.string(),
  case: z.object({ caseId: z.string(), number: z.int() }).optional(),
  dueAt: z.int(),
});
const steps = z.record(z.enum(["step0", "step1", "exchange"]), z.array(anyObject));
const nextCommands = z
  .array(z.object({ command: z.string(), roles: z.array(z.enum(roles)) }))
  .describe("What would be accepted now, given soundly, and from whom.");
const progress = {
  caseId: z.string(),
  number: z.int().describe("Its place among the order's cases, from 1."),
  steps,
  waiting: z
    .object({ party: z.enum(parties), since: z.int() })
    .optional()
    .describe("Whom it waits for, until it has ended."),
  commands: nextCommands,
  deadline: deadline.optional(),
};
const caseInFull = z.object({
  ...progress,
  case: anyObject,
  note: z.string().optional(),
  evidence: z.array(z.string()),
  returnAddress: z
    .object({ name: z.string().optional(), phone: z.string().optional(), address: z.string().optional() })
    .optional(),
  log,
});
const refundable = z.object({ quantity: z.int(), amount: z.int() });

export const orderSchema = z.object({
  order: anyObject,
  revision,
  log,
  deadlines: z.array(deadline),
  commands: z.array(z.string()).describe("What the order's status allows."),
  ledger,
  hasRefund: z.boolean(),
  refundStatus: z.enum(["open", "ended", "none"]),
  refunds: z.array(z.object(progress)).describe("How far each of the order's cases is, in the same order."),
});
export const historySchema = z.object({ events: z.array(anyObject) });
export const refundHistorySchema = z.object({
  orderId: z.string(),
  currency: z.string(),
  revision,
  ledger,
  cases: z.array(caseInFull).describe("Newest first."),
});
export const refundSchema = z.object({
  orderId: z.string(),
  orderStatus: z.enum(orderStatuses),
  merchantId: z.string(),
  buyerId: z.string(),
  currency: z.string(),
  revision,
  now: z.int().describe("For when it says what may be done."),
  line: anyObject.optional().describe("Unless the case is about the whole order."),
  refund: caseInFull,
  steps,
  refundable: refundable.optional().describe("What can still be refunded of the line."),
  convertible: refundable
    .optional()
    .describe("What an exchange that waits for its replacement could be converted into."),
  application: z
    .object({
      types: z.array(z.enum(caseTypes)),
      window: z.object({ days: z.int(), until: z.int().optional(), open: z.boolean() }),
      refusal: z.looseObject({ code: z.string() }).optional(),
    })
    .optional()
    .describe("What could be applied for on the line."),
  reasons: z
    .partialRecord(z.enum(caseTypes), z.array(z.string()))
    .describe("What the shop offers to choose from."),
  commands: nextCommands,
});
export const codeSchema = z.object({ code: z.string() });
export const walletSchema = z.object({
  buyerId: z.string(),
  balances: z.record(z.string(), z.int()),
  held: z.array(anyObject),
});

export const healthSchema = z.object({ status: z.literal("ok") });
export const readySchema = z.object({ status: z.literal("ready") });
export const notReadySchema = z.object({ status: z.enum(["stopping", "store"]) });
