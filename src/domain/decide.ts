// Decides one command against an order's state: the facts it leads to, nothing where it has been done already, or a refusal.

import * as E from "fp-ts/lib/Either.js";

import type { Actor, Role } from "./actor.ts";
import type { CaseCommandType } from "./caseCommands.ts";
import {
  type Decision,
  backwards,
  casesOpen,
  decideCase,
  isCaseCommand,
  payoutRefused,
  rolesForCase,
  wholeOrderCase,
} from "./caseDecide.ts";
import type { Command, CommandType, LineAsked, Policy, Request } from "./commands.ts";
import { autoConfirmAt, autoConfirmWaits, isPast, payByOf } from "./deadlines.ts";
import {
  type Line,
  type OrderEvent,
  type OrderEventData,
  type OrderEventType,
  type Shipment,
  fact,
} from "./events.ts";
import { present } from "./json.ts";
import { type OrderStatus, isLegal, statusesFor } from "./lifecycle.ts";
import { sum, times } from "./money.ts";
import { claimedInAll } from "./refundable.ts";
import { type Refusal, type Rejection, firstRefusal } from "./refusals.ts";
import {
  type Order,
  type OrderState,
  type Payment,
  charged,
  creationVariant,
  evolve,
  hasOpenCase,
  isTerminal,
  tallyOf,
} from "./state.ts";
import { type CaseType, type StockRule, type Terms, caseTypes } from "./terms.ts";

export type { Decision } from "./caseDecide.ts";

type OwnCommandType = Exclude<CommandType, CaseCommandType>;

/** How one command is decided on an existing order. */
interface Rule<T extends OwnCommandType> {
  readonly by: readonly Role[];
  /** Done already by an earlier command: nothing to record, nothing to refuse. */
  readonly done?: (order: Order, request: Request<T>) => boolean;
  /** A status in which the chart allows the command, though not to this actor. */
  readonly barred?: (actor: Actor) => OrderStatus | undefined;
  /** The command's own guards, in their documented order; all are evaluated. */
  readonly guards: (order: Order, request: Request<T>, now: number) => readonly Refusal[];
  readonly facts: (order: Order, request: Request<T>, now: number) => readonly OrderEvent[];
}

/**
 * Decides a command at an instant (milliseconds UTC). Pure: the same request, state and instant give the same answer.
 * @returns the events to append (none: no-op), or a Rejection whose `code` is the first broken rule in order: existence, ownership,
 * actor, clock, status (an order's, or the case's), then the command's own guards; `also` names the others.
 */
export function decide(request: Request, state: OrderState, now: number): Decision {
  const { command, actor } = request;
  if (command.type === "CreateOrder") {
    return create(request as Request<"CreateOrder">, state, now);
  }
  if (state.status === "none") {
    return E.left({ code: "orderNotFound", orderId: command.orderId });
  }
  if (!mayTouch(state, actor)) {
    return E.left({ code: "notOwner", orderId: command.orderId, role: actor.role });
  }
  if (isCaseCommand(request)) return decideCase(request, state, now);
  return decideOwn(request as Request<OwnCommandType>, state, now);
}

function decideOwn(request: Request<OwnCommandType>, state: Order, now: number): Decision {
  const { command, actor } = request;
  const rule = rules[command.type as keyof typeof rules] as Rule<OwnCommandType>;
  const wrongActor: Refusal = rule.by.includes(actor.role)
    ? undefined
    : { code: "wrongActor", command: command.type, role: actor.role, allowed: rule.by };
  // Whoever tells it again may tell it with its own time, which by now is past.
  if (wrongActor === undefined && rule.done?.(state, request) === true) return E.right([]);
  const refused = firstRefusal([
    wrongActor,
    backwards(state, now),
    illegal(state, command.type, rule.barred?.(actor)),
    ...rule.guards(state, request, now),
  ]);
  return refused === undefined ? E.right(rule.facts(state, request, now)) : E.left(refused);
}

/** Whether a buyer's or merchant's order is their own; the other roles are not bound to one. */
export function mayTouch(order: Order, actor: Actor): boolean {
  if (actor.role === "buyer") return actor.id === order.buyerId;
  if (actor.role === "merchant") return actor.id === order.merchantId;
  return true;
}

function illegal(order: Order, command: OwnCommandType, barred: OrderStatus | undefined): Refusal {
  return isLegal(order.status, command) && order.status !== barred
    ? undefined
    : {
        code: "orderStatusNotEligible",
        command,
        status: order.status,
        allowed: statusesFor(command).filter((status) => status !== barred),
      };
}

// --- CreateOrder ---

const creators: readonly Role[] = ["buyer", "merchant", "system"];

function create(request: Request<"CreateOrder">, state: OrderState, now: number): Decision {
  const { command, actor, policy } = request;
  if (state.status !== "none") {
    return E.left(
      mayTouch(state, actor)
        ? { code: "orderExists", orderId: command.orderId }
        : { code: "notOwner", orderId: command.orderId, role: actor.role },
    );
  }
  const merchantId = merchantOf(command, actor);
  const buyerId = command.buyerId ?? (actor.role === "buyer" ? actor.id : undefined);
  const goods = goodsOf(command.lines);
  const gross =
    goods === undefined ? undefined : sum([goods, ...(command.charges ?? []).map((c) => c.amount)]);
  const discount = command.discount ?? 0;
  const refused = firstRefusal([
    creators.includes(actor.role)
      ? undefined
      : { code: "wrongActor", command: command.type, role: actor.role, allowed: creators },
    buyerId === undefined ? { code: "buyerMissing", field: "buyerId" } : undefined,
    actor.role === "buyer" && buyerId !== undefined && buyerId !== actor.id
      ? { code: "buyerMismatch", field: "buyerId", buyerId, actorId: actor.id }
      : undefined,
    actor.role === "merchant" && merchantId !== actor.id
      ? { code: "merchantMismatch", field: "merchantId", merchantId, actorId: actor.id }
      : undefined,
    ...(actor.role === "merchant" || actor.role === "system"
      ? []
      : termsOverridden(command, actor, policy.terms)),
    ...lineIdsTwice(command.lines),
    goods === undefined
      ? { code: "amountTooLarge", field: "lines", limit: Number.MAX_SAFE_INTEGER }
      : undefined,
    goods !== undefined && gross === undefined
      ? { code: "amountTooLarge", field: "charges", limit: Number.MAX_SAFE_INTEGER }
      : undefined,
    gross !== undefined && discount > gross
      ? {
          code: "discountTooHigh",
          field: "discount",
          discount,
          limit: gross,
          currency: command.currency,
        }
      : undefined,
    ...outOfStock(command.lines),
    command.redeemable === true && policy.codeHash === undefined
      ? { code: "redeemKeyMissing", field: "redeemable" }
      : undefined,
  ]);
  if (refused !== undefined) return E.left(refused);
  const terms = termsOf(policy.terms, command.terms);
  const total = (gross as number) - discount;
  const variant = creationVariant({ total, terms });
  const payBy = variant === "payable" ? payByOf(now, terms.payWindowMinutes) : undefined;
  const lines = command.lines.map((line) => lineOf(line, terms));
  const created = fact("OrderCreated", now, {
    orderId: command.orderId,
    orderNo: command.orderNo ?? command.orderId,
    merchantId,
    buyerId: buyerId as string,
    currency: command.currency,
    fulfilment: command.fulfilment,
    lineCount: lines.length,
    units: lines.reduce((units, line) => units + line.quantity, 0),
    goods: goods as number,
    discount,
    total,
    ...(payBy === undefined ? {} : { payBy }),
    lines,
    charges: command.charges ?? [],
    terms,
    ...(command.redeemable === true ? { redemption: { codeHash: policy.codeHash as string } } : {}),
    // Without undefined: what is recorded must be what is stored.
    ...(command.personal === undefined ? {} : { personal: present(command.personal) }),
    ...(command.source === undefined ? {} : { source: command.source }),
  } as OrderEventData["OrderCreated"]);
  if (variant === "booking") return E.right([created]);
  const confirmed = deduct("confirmation", terms, "OrderCreated", lines, now);
  return E.right(
    variant === "payable"
      ? [created, ...confirmed]
      : [created, ...confirmed, ...paidForNothing(command.orderId, terms, command.fulfilment, lines, now)],
  );
}

/** Whose order it becomes: as the command says, else the merchant's who asks, else the only one there is. */
export function merchantOf(command: Command<"CreateOrder">, actor: Actor): string {
  return command.merchantId ?? (actor.role === "merchant" ? actor.id : "main");
}

function goodsOf(lines: readonly LineAsked[]): number | undefined {
  const products = lines.map((line) => times(line.unitPrice, line.quantity));
  return products.includes(undefined) ? undefined : sum(products as readonly number[]);
}

/** Only a merchant or the system may leave the merchant's terms, for the order or for a line of it (ruling 10). */
function termsOverridden(
  { terms, lines }: Command<"CreateOrder">,
  { role }: Actor,
  inForce: Terms,
): readonly Refusal[] {
  const overridden = (field: string): Rejection => ({ code: "termsOverride", field, role });
  return [
    terms === undefined ? undefined : overridden("terms"),
    ...lines.map(({ allowedTypes = [] }, index) =>
      allowedTypes.every((type) => inForce.allowedTypes.includes(type))
        ? undefined
        : overridden(`lines[${index}].allowedTypes`),
    ),
  ];
}

function lineIdsTwice(lines: readonly LineAsked[]): readonly Refusal[] {
  const seen = new Set<string>();
  const twice: Rejection[] = [];
  lines.forEach(({ lineId }, index) => {
    if (seen.has(lineId)) twice.push({ code: "lineIdTwice", field: `lines[${index}].lineId`, lineId });
    seen.add(lineId);
  });
  return twice;
}

/** Lines of the same goods draw on the same stock: what the lines up to and with this one ask for is what must be there. */
function outOfStock(lines: readonly LineAsked[]): readonly Refusal[] {
  if (lines.every(({ available }) => available === undefined)) return [];
  const asked = new Map<string, number>();
  return lines.map(({ lineId, goodsId, sku, quantity: own, available }, index) => {
    const goods = JSON.stringify([goodsId, sku]);
    const quantity = (asked.get(goods) ?? 0) + own;
    asked.set(goods, quantity);
    return available === undefined || quantity <= available
      ? undefined
      : { code: "outOfStock", field: `lines[${index}].quantity`, lineId, quantity, available };
  });
}

/** The terms an order is made under: the merchant's, with what the command overrides. */
function termsOf(inForce: Terms, asked: Command<"CreateOrder">["terms"]): Terms {
  if (asked === undefined) return inForce;
  const terms = { ...inForce, ...present(asked) };
  return { ...terms, allowedTypes: inOrder(terms.allowedTypes) };
}

/** Types of cases, each once, in the order of the domain. */
function inOrder(types: readonly CaseType[]): readonly CaseType[] {
  return caseTypes.filter((type) => types.includes(type));
}

function lineOf(asked: LineAsked, terms: Terms): Line {
  const { lineId, goodsId, sku, title, unitPrice, quantity, source } = asked;
  return {
    lineId,
    goodsId,
    ...(sku === undefined ? {} : { sku }),
    title,
    unitPrice,
    quantity,
    allowedTypes: asked.allowedTypes === undefined ? terms.allowedTypes : inOrder(asked.allowedTypes),
    ...(source === undefined ? {} : { source }),
  };
}

// --- stock, payment and shipping as they stand in several appends ---

function deduct(
  rule: StockRule,
  terms: Pick<Terms, "stockDeduction">,
  cause: OrderEventType,
  lines: readonly Line[],
  now: number,
): readonly OrderEvent[] {
  if (terms.stockDeduction !== rule) return [];
  return [fact("StockDeducted", now, { cause, lines: quantitiesOf(lines), rule })];
}

function release(order: Order, cause: OrderEventType, now: number): readonly OrderEvent[] {
  if (order.stock !== "deducted") return [];
  return [fact("StockReleased", now, { cause, lines: quantitiesOf(order.lines) })];
}

function quantitiesOf(lines: readonly Line[]): OrderEventData["StockReleased"]["lines"] {
  return lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
}

/** The lines with what is left of them: units cancelled before shipping are not sent. */
function linesLeft(order: Order): readonly Line[] {
  if (order.tallies.length === 0) return order.lines;
  return order.lines
    .map((line) => ({ ...line, quantity: line.quantity - tallyOf(order, line.lineId).returned }))
    .filter(({ quantity }) => quantity > 0);
}

/** What follows a payment in the same append: stock by the payment rule, and a virtual order ships itself. */
function afterPayment(
  terms: Terms,
  fulfilment: Order["fulfilment"],
  lines: readonly Line[],
  now: number,
): readonly OrderEvent[] {
  const deducted = deduct("payment", terms, "OrderPaid", lines, now);
  if (fulfilment !== "virtual" || !terms.virtualAutoShip) return deducted;
  return [...deducted, ...shipped(terms, lines, [], now)];
}

/** A total of zero is paid at once, with a payment of nothing (ruling 4). */
function paidForNothing(
  orderId: string,
  terms: Terms,
  fulfilment: Order["fulfilment"],
  lines: readonly Line[],
  now: number,
): readonly OrderEvent[] {
  const paid = fact("OrderPaid", now, { payId: `free:${orderId}`, amount: 0, channel: "none" });
  return [paid, ...afterPayment(terms, fulfilment, lines, now)];
}

function shipped(
  terms: Terms,
  lines: readonly Line[],
  shipments: readonly Shipment[],
  now: number,
): readonly OrderEvent[] {
  return [fact("OrderShipped", now, { shipments }), ...deduct("shipping", terms, "OrderShipped", lines, now)];
}

// --- guards used by several commands ---

type ShipmentAsked = NonNullable<Command<"Ship">["shipments"]>[number];

function waybills(order: Order, shipments: readonly ShipmentAsked[] | undefined): readonly Refusal[] {
  const given = shipments ?? [];
  const missing: Refusal[] =
    order.fulfilment === "express" && given.length === 0
      ? [{ code: "waybillMissing", field: "shipments" }]
      : [];
  const lineIds = new Set(order.lines.map((line) => line.lineId));
  given.forEach((shipment, index) => {
    if (order.fulfilment === "express") {
      if (shipment.carrier === undefined) {
        missing.push({ code: "waybillMissing", field: `shipments[${index}].carrier` });
      }
      if (shipment.trackingNumber === undefined) {
        missing.push({ code: "waybillMissing", field: `shipments[${index}].trackingNumber` });
      }
    }
    (shipment.lines ?? []).forEach((lineId, place) => {
      if (!lineIds.has(lineId)) {
        missing.push({ code: "lineNotInOrder", field: `shipments[${index}].lines[${place}]`, lineId });
      }
    });
  });
  return missing;
}

function shipmentsOf(asked: readonly ShipmentAsked[] | undefined): readonly Shipment[] {
  return (asked ?? []).map(({ carrier, trackingNumber, lines }) => ({
    ...(carrier === undefined ? {} : { carrier }),
    ...(trackingNumber === undefined ? {} : { trackingNumber }),
    ...(lines === undefined ? {} : { lines }),
  }));
}

function codeWrong(order: Order, policy: Policy): Refusal {
  return order.redemption !== undefined &&
    !isSameDigest(order.redemption.codeHash, policy.presentedHash ?? "")
    ? { code: "redemptionCodeWrong", field: "code" }
    : undefined;
}

/** Looks at every character, so that the time it takes tells nothing of how much of it was right. */
function isSameDigest(one: string, other: string): boolean {
  let different = one.length ^ other.length;
  for (let at = 0; at < one.length; at += 1) different |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return different === 0;
}

/** No more than the tariff, and than what is neither refunded nor reserved. */
function taxLimit(order: Order, amount: number): Refusal {
  const limit = Math.min(charged(order, "tariff"), order.paid - claimedInAll(order));
  return amount > limit
    ? { code: "surplusTooHigh", field: "amount", amount, limit, currency: order.currency }
    : undefined;
}

/** Goods under refund are not sent, unless the merchant insists; those of a cancelled order are not sent at all. */
function openOnLines(order: Order, { type, shipments, force }: Command<"Ship">): readonly Refusal[] {
  if (!hasOpenCase(order)) return [];
  const every = order.lines.map((line) => line.lineId);
  const named = shipments ?? [];
  // A parcel that names no lines may hold any.
  const sent = new Set(named.length === 0 ? every : named.flatMap(({ lines }) => lines ?? every));
  return casesOpen(order, type, ({ lineId }) => lineId === undefined || (force !== true && sent.has(lineId)));
}

/** The id of the next case that a cancellation opens, where the command gives none: an order may be cancelled again after a rejection. */
function cancellationId({ orderId, cases }: Order): string {
  return `cancel:${cases.filter(({ origin }) => origin === "cancellation").length + 1}:${orderId}`;
}

/** Late money is recorded, and goes back by itself the way it came; what has no such way waits for the merchant (ruling 1). */
function latePayment(
  order: Order,
  payment: Omit<Payment, "at" | "late">,
  now: number,
): readonly OrderEvent[] {
  const received = fact("LatePaymentReceived", now, payment);
  const { payId, amount, channel, tradeNo } = payment;
  if (amount === 0) return [received];
  const traced = channel === "wallet" || (channel === "online" && tradeNo !== undefined);
  const back = traced ? "original" : undefined;
  const opened = wholeOrderCase(
    evolve(order, received) as Order,
    { origin: "latePayment", caseId: `late:${payId}`, payId, amount },
    { by: "system", destination: back },
    now,
  );
  return [received, ...opened];
}

// --- the rule book ---

const nothingMore = (): readonly Refusal[] => [];

const rules: { readonly [T in Exclude<OwnCommandType, "CreateOrder">]: Rule<T> } = {
  ConfirmOrder: {
    by: ["merchant"],
    guards: nothingMore,
    facts: (order, { command }, now) => {
      const payBy = order.total === 0 ? undefined : payByOf(now, order.terms.payWindowMinutes);
      return [
        fact("OrderConfirmed", now, payBy === undefined ? {} : { payBy }),
        ...deduct("confirmation", order.terms, "OrderConfirmed", order.lines, now),
        ...(order.total === 0
          ? paidForNothing(command.orderId, order.terms, order.fulfilment, order.lines, now)
          : []),
      ];
    },
  },

  Pay: {
    by: ["buyer", "system"],
    // The payment platform calls back more than once: one payment id, one payment (domain 2.2).
    done: (order, { command }) =>
      order.payments.some(
        (payment) =>
          payment.payId === command.payId &&
          payment.amount === command.amount &&
          (command.currency ?? order.currency) === order.currency,
      ),
    guards: (order, { command }) => [
      order.payments.some((payment) => payment.payId === command.payId)
        ? { code: "paymentIdUsed", field: "payId", payId: command.payId }
        : undefined,
      command.currency !== undefined && command.currency !== order.currency
        ? {
            code: "currencyMismatch",
            field: "currency",
            currency: command.currency,
            expected: order.currency,
          }
        : undefined,
      // Late money is recorded whatever its amount: refusing it would make it vanish.
      command.amount !== order.total && !isTerminal(order)
        ? {
            code: "amountMismatch",
            field: "amount",
            amount: command.amount,
            due: order.total,
            currency: order.currency,
          }
        : undefined,
      sum([order.paid, command.amount]) === undefined
        ? { code: "amountTooLarge", field: "amount", limit: Number.MAX_SAFE_INTEGER }
        : undefined,
    ],
    facts: (order, { command }, now) => {
      const { payId, amount, channel, method, tradeNo } = command;
      const payment = {
        payId,
        amount,
        channel,
        ...(method === undefined ? {} : { method }),
        ...(tradeNo === undefined ? {} : { tradeNo }),
      };
      return isTerminal(order)
        ? latePayment(order, payment, now)
        : [fact("OrderPaid", now, payment), ...afterPayment(order.terms, order.fulfilment, order.lines, now)];
    },
  },

  CancelOrder: {
    by: ["buyer", "merchant"],
    // Money has to go back: that is the merchant's (ruling 1).
    barred: ({ role }) => (role === "buyer" ? "paid" : undefined),
    guards: (order, { command }) => {
      const { caseId, destination } = command;
      if (order.status !== "paid") {
        return [
          destination === undefined
            ? undefined
            : { code: "destinationRefused", field: "destination", destination, because: "notPayable" },
        ];
      }
      return [
        ...casesOpen(order, command.type),
        caseId !== undefined && order.cases.some((one) => one.caseId === caseId)
          ? { code: "caseIdUsed", field: "caseId", caseId }
          : undefined,
        payoutRefused(order, undefined, order.paid - order.refunded, destination),
      ];
    },
    facts: (order, { actor, command }, now) => {
      const { reason, caseId, destination } = command;
      if (order.status === "paid") {
        const origin = { origin: "cancellation", ...(reason === undefined ? {} : { reason }) } as const;
        return wholeOrderCase(
          order,
          { ...origin, caseId: caseId ?? cancellationId(order), amount: order.paid - order.refunded },
          { by: actor.role, destination },
          now,
        );
      }
      return [
        fact("OrderCancelled", now, { by: actor.role, ...(reason === undefined ? {} : { reason }) }),
        ...release(order, "OrderCancelled", now),
      ];
    },
  },

  ExpireOrder: {
    by: ["system"],
    guards: (order, { command }, now) => [
      order.payBy !== undefined && isPast(order.payBy, now)
        ? undefined
        : { code: "notDue", command: command.type, dueAt: order.payBy ?? null, at: now },
    ],
    facts: (order, _request, now) => [
      fact("OrderExpired", now, { payBy: order.payBy as number }),
      ...release(order, "OrderExpired", now),
    ],
  },

  Ship: {
    by: ["merchant"],
    guards: (order, { command, policy }) => [
      ...waybills(order, command.shipments),
      ...(order.fulfilment === "pickup" && order.redemption !== undefined
        ? [
            command.code === undefined
              ? ({ code: "codeMissing", field: "code" } as const)
              : codeWrong(order, policy),
          ]
        : []),
      ...openOnLines(order, command),
    ],
    facts: (order, { command }, now) =>
      shipped(order.terms, linesLeft(order), shipmentsOf(command.shipments), now),
  },

  CorrectShipment: {
    by: ["merchant"],
    guards: (order, { command }) => waybills(order, command.shipments),
    facts: (_order, { command }, now) => [
      fact("ShipmentCorrected", now, { shipments: shipmentsOf(command.shipments) }),
    ],
  },

  ConfirmReceipt: {
    by: ["buyer", "system"],
    guards: (order, { actor, command }, now) => {
      if (actor.role !== "system") return [];
      const dueAt = autoConfirmAt(order);
      return [
        dueAt !== undefined && isPast(dueAt, now)
          ? undefined
          : {
              code: "notDue",
              command: command.type,
              dueAt: dueAt ?? null,
              at: now,
              ...autoConfirmWaits(order),
            },
      ];
    },
    facts: (_order, { actor }, now) => [
      fact("ReceiptConfirmed", now, { by: actor.role === "system" ? "system" : "buyer" }),
    ],
  },

  Redeem: {
    by: ["staff"],
    guards: (order, { actor, policy }) => {
      const listed = policy.redeemStaff.includes(actor.id);
      return [
        order.redemption === undefined ? { code: "noRedemptionCode", orderId: order.orderId } : undefined,
        listed ? undefined : { code: "staffNotListed", staffId: actor.id },
        // Who may not redeem is not told whether the code would have been right.
        listed && actor.role === "staff" ? codeWrong(order, policy) : undefined,
        order.redemption?.redeemedAt === undefined
          ? undefined
          : { code: "alreadyRedeemed", at: order.redemption.redeemedAt },
        ...casesOpen(order, "Redeem"),
      ];
    },
    facts: (order, { actor, command }, now) => [
      fact("OrderRedeemed", now, {
        staffId: actor.id,
        ...(command.source === undefined ? {} : { source: command.source }),
      }),
      // Handed over without ever being shipped: the shipping rule deducts here.
      ...(order.shippedAt === undefined
        ? deduct("shipping", order.terms, "OrderRedeemed", linesLeft(order), now)
        : []),
      fact("ReceiptConfirmed", now, { by: "writeOff" }),
    ],
  },

  Review: {
    by: ["buyer"],
    guards: (order, { command }) => {
      const lineIds = new Set(order.lines.map((line) => line.lineId));
      const seen = new Set<string>();
      const faults: Refusal[] = [
        order.reviewedAt === undefined ? undefined : { code: "alreadyReviewed", at: order.reviewedAt },
      ];
      command.items.forEach(({ lineId }, index) => {
        const field = `items[${index}].lineId`;
        if (!lineIds.has(lineId)) faults.push({ code: "lineNotInOrder", field, lineId });
        if (seen.has(lineId)) faults.push({ code: "lineIdTwice", field, lineId });
        seen.add(lineId);
      });
      const missing = [...lineIds].filter((lineId) => !seen.has(lineId));
      if (missing.length > 0) faults.push({ code: "reviewIncomplete", field: "items", missing });
      return faults;
    },
    facts: (_order, { command }, now) => {
      const said = command.items.filter((item) => item.text !== undefined || item.pictures !== undefined);
      return [
        fact("OrderReviewed", now, {
          items: command.items.map(({ lineId, rating }) => ({ lineId, rating })),
          ...(said.length === 0
            ? {}
            : {
                personal: {
                  items: said.map(({ lineId, text, pictures }) => ({
                    lineId,
                    ...(text === undefined ? {} : { text }),
                    ...(pictures === undefined ? {} : { pictures }),
                  })),
                },
              }),
        }),
      ];
    },
  },

  HideOrder: {
    by: ["buyer", "merchant"],
    done: (order, { actor }) =>
      (actor.role === "buyer" ? order.hiddenByBuyerAt : order.hiddenByMerchantAt) !== undefined,
    // A merchant hides what came to nothing; what was completed stays in the merchant's lists (domain 2.2).
    barred: (actor) => (actor.role === "merchant" ? "completed" : undefined),
    guards: (order, { command }) => casesOpen(order, command.type),
    facts: (_order, { actor }, now) => [
      fact("OrderHidden", now, { from: actor.role === "buyer" ? "buyer" : "merchant" }),
    ],
  },

  AuditPayment: {
    by: ["merchant"],
    guards: (order, { command }) => [
      order.procurement === "none"
        ? undefined
        : { code: "stepOutOfOrder", command: command.type, step: order.procurement, needs: "none" },
    ],
    facts: (_order, _request, now) => [fact("PaymentAudited", now, {})],
  },

  MarkPurchased: {
    by: ["merchant"],
    guards: (order, { command }) => [
      order.procurement === "audited"
        ? undefined
        : {
            code: "stepOutOfOrder",
            command: command.type,
            step: order.procurement,
            needs: "audited",
          },
    ],
    facts: (_order, { command }, now) => [
      fact("GoodsPurchased", now, command.reference === undefined ? {} : { reference: command.reference }),
    ],
  },

  RecordTaxSurplus: {
    by: ["merchant"],
    guards: (order, { command }) => [
      order.tax === undefined
        ? undefined
        : {
            code: "stepOutOfOrder",
            command: command.type,
            step: order.tax.refunded ? "taxRefunded" : "surplusPending",
            needs: "none",
          },
      taxLimit(order, command.amount),
    ],
    facts: (_order, { command }, now) => [fact("TaxSurplusRecorded", now, { amount: command.amount })],
  },

  RecordTaxRefund: {
    by: ["merchant"],
    guards: (order, { command }) => [
      order.tax !== undefined && !order.tax.refunded
        ? undefined
        : {
            code: "stepOutOfOrder",
            command: command.type,
            step: order.tax === undefined ? "none" : "taxRefunded",
            needs: "surplusPending",
          },
      order.tax !== undefined && command.amount !== order.tax.surplus
        ? {
            code: "amountMismatch",
            field: "amount",
            amount: command.amount,
            due: order.tax.surplus,
            currency: order.currency,
          }
        : undefined,
    ],
    facts: (_order, { command }, now) => [fact("TaxRefunded", now, { amount: command.amount })],
  },
};

/** Who may give a command. */
export function rolesFor(command: CommandType): readonly Role[] {
  if (command === "CreateOrder") return creators;
  return rolesForCase(command) ?? rules[command as keyof typeof rules].by;
}
