// Lives of orders under after-sale, by many hands on a virtual clock: what is asked next, given how the order stands.

import fc from "fast-check";

import type { Actor } from "../../src/domain/actor.ts";
import type { CaseCommandType } from "../../src/domain/caseCommands.ts";
import { destinations, importedStatuses } from "../../src/domain/caseEvents.ts";
import { caseCommandTypes, caseCommandsFor } from "../../src/domain/caseLifecycle.ts";
import { type Case, inFlight } from "../../src/domain/caseState.ts";
import type { Command } from "../../src/domain/commands.ts";
import { deadlinesOf, isPast } from "../../src/domain/deadlines.ts";
import { rolesFor } from "../../src/domain/decide.ts";
import { claimedInAll, refundableOf } from "../../src/domain/refundable.ts";
import type { Order } from "../../src/domain/state.ts";
import { caseTypes, refundablePolicies, stockRules } from "../../src/domain/terms.ts";
import { waybill } from "./cases.ts";
import {
  admin,
  ask,
  askForOrder,
  buyer,
  day,
  merchant,
  minute,
  parcel,
  provider,
  second,
  staff,
  stranger,
  system,
} from "./orders.ts";

export const people = [buyer, merchant, provider, system, staff, admin, stranger] as const;
export const lineIds = ["L1", "L2"] as const;

const step = fc.record({
  /** What is asked: mostly of a case that is there, what its status allows, and there what brings it on. */
  kind: fc.constantFrom(
    "forward",
    "forward",
    "forward",
    "case",
    "case",
    "apply",
    "apply",
    "order",
    "due",
    "import",
    "wild",
  ),
  pick: fc.nat({ max: 999 }),
  which: fc.nat({ max: 9 }),
  who: fc.constantFrom<Actor>(...people),
  gap: fc.constantFrom(0, 0, second, minute, day, day, 8 * day, 16 * day, -second),
  /** Which of a command's variants it is; 0 is the sound one. */
  variant: fc.constantFrom(0, 0, 0, 0, 1, 2, 3),
});
/** An order and what is asked of it, by whom and how far apart. */
export const life = fc.record({
  terms: fc.record({
    refundable: fc.constantFrom(...refundablePolicies),
    stockDeduction: fc.constantFrom(...stockRules),
    afterSaleDays: fc.constantFrom(30, 30, 30, 0),
    returnShipDays: fc.constantFrom(7, 0),
    replacementConfirmDays: fc.constantFrom(7, 0),
    refundAttempts: fc.constantFrom(1, 3),
    evidenceMax: fc.constantFrom(9, 1),
  }),
  fulfilment: fc.constantFrom("express", "express", "pickup", "virtual"),
  prices: fc.tuple(fc.constantFrom(0, 1, 333, 1_000), fc.constantFrom(0, 1, 500, 2_000)),
  quantities: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
  freight: fc.constantFrom(0, 1, 800),
  /** Percent of what it would cost. */
  discount: fc.constantFrom(0, 0, 10, 50, 100),
  channel: fc.constantFrom("online", "wallet", "offline"),
  traded: fc.boolean(),
  /** How far it is when the steps begin. */
  begun: fc.constantFrom("paid", "shipped", "completed"),
  steps: fc.array(step, { minLength: 10, maxLength: 40 }),
});
export type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;
type Step = Life["steps"][number];

const personOf = (role: Actor["role"]): Actor => people.find((one) => one.role === role) as Actor;

function giver(command: Command, pick: number): Actor {
  const roles = rolesFor(command.type);
  return personOf(roles[pick % roles.length] as Actor["role"]);
}

function applyAs(order: Order, { pick, which, variant }: Step): Command {
  const lineId = lineIds[pick % 2] as string;
  const caseType = caseTypes[which % 3] as (typeof caseTypes)[number];
  const { quantity, amount } = refundableOf(order, lineId);
  const sendsBack = caseType !== "refundOnly";
  const units = sendsBack ? Math.max(1, pick % 3 === 0 ? quantity : 1) : 0;
  const asked = caseType === "exchange" ? 0 : pick % 5 === 0 ? Math.ceil(amount / 2) : amount;
  return ask("ApplyRefund", {
    caseId: variant === 3 ? "c-1" : `c-${order.cases.length + 1}`,
    lineId: variant === 2 && pick % 4 === 0 ? "L9" : lineId,
    caseType,
    quantity: variant === 2 ? [0, units + 3, -1, 1][pick % 4] : units,
    amount: variant === 1 ? [asked + 1, 0][pick % 2]! : asked,
    reason: variant === 1 && pick % 3 === 0 ? "r".repeat(181) : "broken",
    personal:
      variant === 3
        ? { note: "n".repeat(501), evidence: Array.from({ length: pick % 12 }, () => "e") }
        : { note: "n" },
  });
}

/** Another system's snapshot: mostly one that could be, of an amount that this shop's policy might not give. */
function importAs(order: Order, { pick, which, variant }: Step): Command {
  const caseType = caseTypes[which % 3] as (typeof caseTypes)[number];
  const left = order.paid - claimedInAll(order);
  const amount = caseType === "exchange" ? 0 : [left, 1, Math.ceil(left / 2), left + 1][pick % 4]!;
  return ask("ImportRefund", {
    caseId: variant === 3 ? "c-1" : `c-${order.cases.length + 1}`,
    source: "elsewhere",
    status: importedStatuses[pick % importedStatuses.length]!,
    lineId: variant === 2 ? "L9" : (lineIds[(pick >> 3) % 2] as string),
    caseType,
    quantity: caseType === "refundOnly" ? 0 : 1 + (pick % 2),
    amount,
    raw: [["pick", pick % 2]],
  });
}

function toCase(type: CaseCommandType, one: Case | undefined, { pick, variant }: Step): Command {
  const caseId = variant === 3 && pick % 7 === 0 ? "c-none" : (one?.caseId ?? "c-none");
  const destination = [...destinations, undefined][pick % 4];
  const known =
    one === undefined ? undefined : (inFlight(one) ?? one.attempts[pick % Math.max(1, one.attempts.length)]);
  const refundId = variant === 3 ? "c-x:1" : (known?.refundId ?? `${caseId}:1`);
  const amount = one?.amount ?? 1;
  const quantity = one?.quantity ?? 1;
  switch (type) {
    case "ApplyRefund":
    case "ImportRefund":
      throw new Error(`${type} is to no case yet`);
    case "ApproveRefund":
      return ask(type, {
        caseId,
        destination: one?.type === "refundOnly" || variant === 2 ? destination : undefined,
        ...(variant === 1 ? { amount: [amount + 1, Math.ceil(amount / 2), 0][pick % 3]! } : {}),
      });
    case "RejectRefund":
      return ask(type, { caseId, reason: variant === 1 ? "x" : "no proof" });
    case "ShipReturn":
    case "CorrectReturnShipment":
      return ask(type, { caseId, ...waybill });
    case "ReceiveReturn": {
      const kind = (["restock", "damaged", "missing"] as const)[pick % 3]!;
      const rest = quantity > 1 ? [{ kind: "restock" as const, quantity: quantity - 1 }] : [];
      return ask(type, {
        caseId,
        dispositions: [{ kind, quantity: variant === 1 ? quantity + 1 : 1 }, ...rest],
        destination: one?.type === "exchange" && variant !== 2 ? undefined : destination,
      });
    }
    case "IssueRefund":
      return ask(type, { caseId, destination });
    case "SettleRefund":
      return ask(type, { caseId, refundId, amount: (known?.amount ?? amount) + (variant === 1 ? 1 : 0) });
    case "FailRefund":
      return ask(type, { caseId, refundId, failure: "NO", retryable: pick % 2 === 0 });
    case "ShipReplacement":
      return ask(type, { caseId, ...waybill, ...(variant === 1 ? { available: 0 } : {}) });
    case "ConvertToRefund":
      return ask(type, {
        caseId,
        amount: variant === 1 ? 999_999 : [1, 0, 333][pick % 3]!,
        buyerConsents: variant !== 2,
        destination,
      });
    default:
      return ask(type, { caseId });
  }
}

function toOrder({ pick, variant }: Step): Command {
  const commands: readonly Command[] = [
    ask("Ship", { shipments: [parcel], code: "ABC", force: variant !== 1 }),
    ask("ConfirmReceipt", {}),
    ask("CancelOrder", { destination: [...destinations, undefined][pick % 4] }),
    ask("Redeem", { code: "ABC" }),
    ask("HideOrder", {}),
    ask("Pay", {
      payId: `late-${pick % 3}`,
      amount: [0, 1, 700][pick % 3]!,
      channel: (["online", "wallet", "offline"] as const)[pick % 3]!,
      ...(pick % 2 === 0 ? { tradeNo: "T" } : {}),
    }),
  ];
  return commands[(pick >> 2) % commands.length] as Command;
}

/** The command that fires a case's or the order's deadline, where one has passed. */
export function dueOn(order: Order, now: number): Command | undefined {
  const due = deadlinesOf(order).find(({ dueAt }) => isPast(dueAt, now));
  if (due === undefined) return undefined;
  const caseId = due.case?.caseId ?? "";
  switch (due.kind) {
    case "unpaid":
      return ask("ExpireOrder", {});
    case "autoConfirm":
      return ask("ConfirmReceipt", {});
    case "returnShip":
      return ask("CloseRefund", { caseId });
    case "replacementConfirm":
      return ask("ConfirmReplacement", { caseId });
    case "refundRetry":
      return ask("IssueRefund", { caseId });
  }
}

/** What is asked of an order as it stands, and by whom. */
export function asked(order: Order, one: Step, now: number): readonly [Actor, Command] {
  const of = order.cases[one.which % Math.max(1, order.cases.length)];
  const whole = (type: CaseCommandType): Command =>
    type === "ApplyRefund"
      ? applyAs(order, one)
      : type === "ImportRefund"
        ? importAs(order, one)
        : toCase(type, of, one);
  if (one.kind === "due") {
    const due = dueOn(order, now);
    if (due !== undefined) return [system, due];
  }
  if (one.kind === "order") {
    const command = toOrder(one);
    return [giver(command, one.which), command];
  }
  if ((one.kind === "case" || one.kind === "forward") && of !== undefined) {
    const legal = caseCommandsFor(of.status).filter(
      (type) => one.kind === "case" || !backwards.includes(type),
    );
    if (legal.length > 0) {
      const command = whole(legal[one.pick % legal.length] as CaseCommandType);
      return [giver(command, one.which), command];
    }
  }
  if (one.kind === "import") return [system, importAs(order, one)];
  if (one.kind === "wild") {
    const command = whole(caseCommandTypes[one.pick % caseCommandTypes.length] as CaseCommandType);
    return [one.variant === 0 ? giver(command, one.which) : one.who, command];
  }
  const command = applyAs(order, one);
  return [giver(command, one.which), command];
}

const backwards: readonly CaseCommandType[] = ["RejectRefund", "CancelRefund", "CloseRefund", "HideRefund"];

/** The order as it is when its after-sale begins: paid, shipped or completed. */
export function beginning(of: Life): readonly (readonly [Actor, Command])[] {
  const goods = of.prices[0] * of.quantities[0] + of.prices[1] * of.quantities[1];
  const discount = Math.floor(((goods + of.freight) * of.discount) / 100);
  const amount = goods + of.freight - discount;
  const create = askForOrder({
    lines: lineIds.map((lineId, index) => ({
      lineId,
      goodsId: lineId,
      title: "Goods",
      unitPrice: of.prices[index]!,
      quantity: of.quantities[index]!,
    })),
    charges: [{ kind: "freight", amount: of.freight }],
    discount,
    fulfilment: of.fulfilment,
    redeemable: true,
  });
  const paying = ask("Pay", {
    payId: "pay-1",
    amount,
    channel: of.channel,
    ...(of.traded ? { tradeNo: "T-1" } : {}),
  });
  const all: (readonly [Actor, Command])[] = [[buyer, create]];
  if (amount > 0) all.push([buyer, paying]);
  if (of.begun !== "paid" && of.fulfilment !== "virtual") {
    all.push([merchant, ask("Ship", { shipments: [parcel], code: "ABC" })]);
  }
  if (of.begun === "completed") all.push([buyer, ask("ConfirmReceipt", {})]);
  return all;
}
