// Random lives of a few orders on a real engine, and what their states say the views must answer: counted by scanning, as nobody may.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";

import { redemptionCode } from "../../src/commands/redemption.ts";
import type { Actor } from "../../src/domain/actor.ts";
import type { CaseCommandType } from "../../src/domain/caseCommands.ts";
import { importedStatuses } from "../../src/domain/caseEvents.ts";
import { caseCommandTypes, caseCommandsFor } from "../../src/domain/caseLifecycle.ts";
import type { Case } from "../../src/domain/caseState.ts";
import type { CommandType } from "../../src/domain/commands.ts";
import { rolesFor } from "../../src/domain/decide.ts";
import { commandTypes, commandsFor, isLegal } from "../../src/domain/lifecycle.ts";
import { refundableOf } from "../../src/domain/refundable.ts";
import type { Order, OrderState } from "../../src/domain/state.ts";
import { caseTypes } from "../../src/domain/terms.ts";
import type { Engine, EngineOptions } from "../../src/engine.ts";
import type { Scope, Statistics } from "../../src/projections/statistics.ts";
import { by } from "../engines.ts";
import { day, minute, parcel, provider, second, staff, system, t0 } from "../domain/orders.ts";
import { waybill } from "../domain/cases.ts";

const orderIds = ["o-1", "o-2", "o-3", "o-4"] as const;
export const buyers = ["buyer-1", "buyer-2"] as const;
export const merchants = ["main", "rival"] as const;
const redeemKey = "lives";

export const livesOptions: Pick<EngineOptions, "redeemKey" | "terms"> = {
  redeemKey,
  terms: { "*": { redeemStaff: [staff.id] }, rival: { booking: true, redeemStaff: [staff.id] } },
};

/** One step of one order's life, and how long after the one before. */
export const step = fc.record({
  order: fc.nat({ max: orderIds.length - 1 }),
  apt: fc.constantFrom(true, true, true, false),
  pick: fc.nat({ max: 999 }),
  gap: fc.constantFrom(1, second, minute, 31 * minute, 16 * day),
});
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function ownerOf(index: number): { readonly buyerId: string; readonly merchantId: string } {
  return { buyerId: buyers[index % 2] as string, merchantId: merchants[index >> 1] as string };
}

function actorOf(type: CommandType, { order, pick }: Step): Actor {
  const roles = rolesFor(type);
  const role = roles[pick % roles.length] as Actor["role"];
  const { buyerId, merchantId } = ownerOf(order);
  if (role === "buyer") return { role, id: buyerId };
  if (role === "merchant") return { role, id: merchantId };
  if (role === "provider") return provider;
  return role === "staff" ? staff : system;
}

/** An application, sound unless the line has nothing left. */
function applicationTo(state: OrderState, orderId: string, { pick }: Step): object {
  const order = state as Partial<Order>;
  const lineId = pick % 7 === 0 ? "L2" : "L1";
  const caseType = caseTypes[pick % 3] as (typeof caseTypes)[number];
  const { amount } = state.status === "none" ? { amount: 1 } : refundableOf(state, lineId);
  return {
    caseId: `${orderId}-c${(order.cases?.length ?? 0) + 1}`,
    lineId,
    caseType,
    quantity: caseType === "refundOnly" ? 0 : 1,
    amount: caseType === "exchange" ? 0 : Math.min(amount, pick % 2 === 0 ? amount : 700),
    ...(pick % 5 === 0 ? { reason: `broken ${pick}` } : {}),
  };
}

/** A case as another system might have it. */
function snapshotOf(state: OrderState, orderId: string, one: Step): object {
  const status = importedStatuses[one.pick % importedStatuses.length];
  return { ...applicationTo(state, orderId, one), source: "elsewhere", status, raw: { pick: one.pick } };
}

function caseBodyOf(type: CaseCommandType, one: Case | undefined, { pick }: Step): object {
  const caseId = one?.caseId ?? "c-1";
  const destination = (["original", "wallet", "manual", undefined] as const)[pick % 4];
  const attempt = one?.attempts.at(-1);
  const refund = { refundId: attempt?.refundId ?? "c-1:1", amount: attempt?.amount ?? 1 };
  switch (type) {
    case "ApproveRefund":
      return { caseId, ...(one?.type === "refundOnly" ? { destination } : {}) };
    case "RejectRefund":
      return { caseId, reason: `no proof ${pick}` };
    case "ShipReturn":
    case "CorrectReturnShipment":
    case "ShipReplacement":
      return { caseId, ...waybill };
    case "ReceiveReturn":
      return {
        caseId,
        dispositions: [{ kind: "restock", quantity: Math.max(1, one?.quantity ?? 1) }],
        ...(one?.type === "exchange" ? {} : { destination }),
      };
    case "IssueRefund":
      return { caseId, destination };
    case "SettleRefund":
      return { caseId, ...refund };
    case "FailRefund":
      return { caseId, refundId: refund.refundId, failure: "NO", retryable: pick % 3 > 0 };
    case "ConvertToRefund":
      return { caseId, amount: 300, buyerConsents: true, destination };
    default:
      return { caseId };
  }
}

function bodyOf(type: CommandType, orderId: string, { order, pick }: Step, state: OrderState): object {
  switch (type) {
    case "CreateOrder":
      return {
        ...ownerOf(order),
        currency: ["CNY", "JPY"][pick % 2],
        lines: [
          { lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 1 + (pick % 3) },
          { lineId: "L2", goodsId: "B", title: "Cup", unitPrice: 0, quantity: 1 },
        ],
        charges: [{ kind: "tariff", amount: 100 }],
        discount: pick % 5 === 0 ? 100 + 1_000 * (1 + (pick % 3)) : 0,
        fulfilment: ["express", "virtual"][(pick >> 2) % 2],
        redeemable: true,
      };
    case "Pay":
      return {
        payId: `pay-${orderId}-${pick % 3}`,
        amount: (state as Partial<Order>).total ?? 1,
        channel: "online",
      };
    case "Ship":
    case "CorrectShipment":
      return { shipments: [{ ...parcel, trackingNumber: `SF${pick}` }] };
    case "Redeem":
      return { code: redemptionCode(redeemKey, orderId) };
    case "Review":
      return {
        items: [
          { lineId: "L1", rating: (["good", "neutral", "bad"] as const)[pick % 3] },
          { lineId: "L2", rating: "good" },
        ],
      };
    case "RecordTaxSurplus":
    case "RecordTaxRefund":
      return { amount: 100 };
    default:
      return {};
  }
}

type Choice = readonly [type: CommandType, of?: Case];

function isToCase(type: CommandType): type is CaseCommandType {
  return (caseCommandTypes as readonly CommandType[]).includes(type);
}

/** What ends a case before its time. */
const endings: readonly CommandType[] = ["RejectRefund", "CancelRefund", "CloseRefund"];

/** What is asked next: mostly what some status allows, of an open case, and there what brings it on. */
function choice(state: OrderState, { apt, pick }: Step): Choice {
  const cases = state.status === "none" ? [] : state.cases;
  const latest = cases.at(-1);
  const any = (choices: readonly Choice[]): Choice => choices[(pick >> 2) % choices.length] as Choice;
  if (!apt) {
    return any([
      ...commandTypes.map((type): Choice => [type]),
      ...caseCommandTypes.map((type): Choice => (latest === undefined ? [type] : [type, latest])),
    ]);
  }
  const ofCases = cases.flatMap((one) => caseCommandsFor(one.status).map((type): Choice => [type, one]));
  const onward = ofCases.filter(([type]) => !endings.includes(type));
  if (onward.length > 0 && pick % 8 > 1) return any(onward);
  if (ofCases.length > 0 && pick % 4 !== 0) return any(ofCases);
  const own = commandsFor(state.status).map((type): Choice => [type]);
  if (pick % 4 === 1 && isLegal(state.status, "ApplyRefund"))
    return [pick % 16 === 13 ? "ImportRefund" : "ApplyRefund"];
  return any(own);
}

/** Has every order paid and every other one sent, so that cases come soon. */
export async function begin(engine: Engine): Promise<void> {
  for (const [order, orderId] of orderIds.entries()) {
    const one: Step = { order, apt: true, pick: 2, gap: 1 };
    for (const type of [
      "CreateOrder",
      "ConfirmOrder",
      "Pay",
      ...(order % 2 === 0 ? ["Ship"] : []),
    ] as const) {
      const state = await engine.state(orderId);
      const command = { type, orderId, ...bodyOf(type as CommandType, orderId, one, state) };
      await engine.execute(command, by(actorOf(type as CommandType, one), { at: t0 }));
    }
  }
}

/** Plays the steps one after the other; the instant of each goes to `afterStep`, with whether it was accepted. */
export async function play(
  engine: Engine,
  steps: readonly Step[],
  afterStep: (at: number, orderId: string, accepted: boolean) => void | Promise<void> = () => undefined,
): Promise<void> {
  let at = t0;
  for (const one of steps) {
    at += one.gap;
    const orderId = orderIds[one.order] as string;
    const state = await engine.state(orderId);
    const [type, of] = choice(state, one);
    const body =
      type === "ApplyRefund"
        ? applicationTo(state, orderId, one)
        : type === "ImportRefund"
          ? snapshotOf(state, orderId, one)
          : isToCase(type)
            ? caseBodyOf(type, of, one)
            : bodyOf(type, orderId, one, state);
    const command = { type, orderId, ...body };
    const answer = await engine.execute(command, by(actorOf(type, one), { at }));
    if (E.isLeft(answer) && answer.left.code === "invalidCommand")
      throw new Error(JSON.stringify(answer.left));
    await afterStep(at, orderId, E.isRight(answer) && answer.right.events.length > 0);
  }
}

export async function statesOf(engine: Engine): Promise<readonly Order[]> {
  const states = await Promise.all(orderIds.map((orderId) => engine.state(orderId)));
  return states.filter((state): state is Order => state.status !== "none");
}

const ended = new Set(["refunded", "exchanged", "rejected", "cancelled", "closed"]);

function casesOf(orders: readonly Order[], scope: Scope): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, hiddenAt } of orders.flatMap(({ cases }) => cases)) {
    if (hiddenAt !== undefined && scope !== "all" && "merchantId" in scope) continue;
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** The statistics that these orders come to in a scope. */
export function counted(orders: readonly Order[], scope: Scope): Statistics {
  const own = orders.filter((order) => {
    if (scope === "all") return true;
    if ("buyerId" in scope) return order.buyerId === scope.buyerId && order.hiddenByBuyerAt === undefined;
    return order.merchantId === scope.merchantId && order.hiddenByMerchantAt === undefined;
  });
  const count = (is: (order: Order) => boolean): number => own.filter(is).length;
  const paid: Record<string, number> = {};
  const refunded: Record<string, number> = {};
  for (const order of own) {
    if (order.refunded !== 0) refunded[order.currency] = (refunded[order.currency] ?? 0) + order.refunded;
    if (order.paid !== 0) paid[order.currency] = (paid[order.currency] ?? 0) + order.paid;
  }
  return {
    count_id_no_pay: count(({ status }) => status === "pendingConfirmation" || status === "pendingPayment"),
    count_id_no_transfer: count(({ status }) => status === "paid"),
    count_id_no_confirm: count(({ status }) => status === "shipped"),
    count_id_no_reputation: count(
      ({ status, reviewedAt }) => status === "completed" && reviewedAt === undefined,
    ),
    count_id_success: count(({ status, reviewedAt }) => status === "completed" && reviewedAt !== undefined),
    count_id_close: count(({ status }) => status === "cancelled" || status === "closed"),
    orders: own.length,
    lines: own.reduce((sum, { lines }) => sum + lines.length, 0),
    units: own.reduce((sum, { lines }) => sum + lines.reduce((all, { quantity }) => all + quantity, 0), 0),
    paid,
    refunded,
    cases: casesOf(own, scope),
    casesOpen: Object.entries(casesOf(own, scope))
      .filter(([status]) => !ended.has(status))
      .reduce((sum, [, count]) => sum + count, 0),
    unitsReturned: own.reduce(
      (sum, { tallies }) => sum + tallies.reduce((all, { returned }) => all + returned, 0),
      0,
    ),
    closedByRefund: count(({ closedByRefund }) => closedByRefund),
  };
}
