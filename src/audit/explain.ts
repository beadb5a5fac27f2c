// Explains an order: which event set each field of its state, and for every command whether it would be accepted now, or why not.

import type { Actor, Role } from "../domain/actor.ts";
import type { CaseCommandType } from "../domain/caseCommands.ts";
import { destinations } from "../domain/caseEvents.ts";
import { caseCommandTypes, isCaseLegal } from "../domain/caseLifecycle.ts";
import { type Case, inFlight } from "../domain/caseState.ts";
import type { Command, CommandData, CommandType, Policy } from "../domain/commands.ts";
import { type Decision, decide, rolesFor } from "../domain/decide.ts";
import type { OrderEventType } from "../domain/events.ts";
import { type OrderCommandType, commandTypes, isLegal } from "../domain/lifecycle.ts";
import { refundableOf } from "../domain/refundable.ts";
import { type Order, type OrderState, initialState } from "../domain/state.ts";
import { caseTypes } from "../domain/terms.ts";
import type { MerchantPolicy } from "../commands/handle.ts";
import { codeHash, redemptionCode } from "../commands/redemption.ts";
import type { Envelope } from "../store/codec.ts";
import { changesBetween, stepsOf } from "./diff.ts";

/** A field of the state, and the event that made it what it is: no later one changed it. */
export interface FieldOrigin {
  /** Such as `cases[0].amount`. */
  readonly field: string;
  /** Undefined where the event took it away. */
  readonly value: unknown;
  readonly event: OrderEventType;
  readonly revision: bigint;
  /** Milliseconds UTC. */
  readonly at: number;
  readonly actor: Actor;
  readonly commandId: string;
}

/** What a command would come to, as an example of it was decided. */
export interface Verdict {
  /** The least that is well-formed, with what the order offers for its sums, units and ids. */
  readonly command: Command;
  /** Somebody who may give it: the order's buyer, its merchant, staff that is listed where any is. */
  readonly actor: Actor;
  /** The facts that it would record (none: it has been done already), or the refusal. */
  readonly decision: Decision;
}

export interface CaseExplanation {
  readonly caseId: string;
  readonly commands: readonly Verdict[];
}

export interface Explanation {
  readonly orderId: string;
  /** Revision of the last event that was folded. */
  readonly revision: bigint;
  /** The instant at which the commands were decided; milliseconds UTC. */
  readonly now: number;
  /** In the order of the state; those that are gone come last. */
  readonly fields: readonly FieldOrigin[];
  /** Every command to the order but its creation, in the table's order, once for each role that may give it and each way to give it. */
  readonly commands: readonly Verdict[];
  /** Every command to each case that is there, oldest case first. */
  readonly cases: readonly CaseExplanation[];
}

export interface ExplainOptions {
  /** When the commands are decided: milliseconds UTC. */
  readonly now: number;
  readonly policyOf: (merchantId: string) => MerchantPolicy;
  /** With it the order's own write-off code is presented, without it a wrong one. */
  readonly redeemKey?: string | undefined;
}

/** Explains the order that these events make, oldest first; undefined where they make none. */
export function explain(envelopes: readonly Envelope[], options: ExplainOptions): Explanation | undefined {
  const steps = stepsOf(envelopes);
  const last = steps.at(-1);
  if (last === undefined || last.state.status === "none") return undefined;
  const order = last.state;
  const verdicts = verdictsOn(order, options);
  return {
    orderId: order.orderId,
    revision: last.envelope.revision,
    now: options.now,
    fields: originsOf(steps),
    commands: ownTypes.flatMap((type) => verdicts(type, isLegal(order.status, type), tries[type])),
    cases: order.cases.map((one) => ({
      caseId: one.caseId,
      commands: ofCaseTypes.flatMap((type) =>
        verdicts(type, isCaseLegal(one.status, type), () => ofCase(one.caseId, caseTries[type](one, order))),
      ),
    })),
  };
}

// --- fields ---

function originsOf(steps: ReturnType<typeof stepsOf>): readonly FieldOrigin[] {
  const origins = new Map<string, FieldOrigin>();
  let state: OrderState = initialState;
  for (const { envelope, state: after, changes } of steps) {
    state = after;
    const { event, meta, revision } = envelope;
    for (const { field, after: value } of changes) {
      const { actor, commandId } = meta;
      origins.set(field, { field, value, event: event.type, revision, at: event.at, actor, commandId });
    }
  }
  const standing = changesBetween(undefined, state).map(({ field, after: value }) => ({ field, value }));
  const fields = new Set(standing.map(({ field }) => field));
  const whole = [...origins.values()].filter(({ field }) => !fields.has(field));
  return [
    ...standing.map(({ field, value }): FieldOrigin => {
      // A list that was emptied was last changed by what took its parts.
      const parts = isEmpty(value) ? whole.filter((gone) => isWithin(gone.field, field)) : [];
      const [first, ...others] = [origins.get(field), ...parts].filter((origin) => origin !== undefined);
      const latest = others.reduce((a, b) => (b.revision > a.revision ? b : a), first as FieldOrigin);
      return { ...latest, field, value };
    }),
    ...whole.filter(({ field }) => !standing.some((one) => isWithin(one.field, field))),
  ];
}

function isEmpty(value: unknown): boolean {
  return value !== null && typeof value === "object" && Object.keys(value).length === 0;
}

function isWithin(field: string, whole: string): boolean {
  return field.startsWith(`${whole}.`) || field.startsWith(`${whole}[`);
}

// --- commands ---

type OwnType = Exclude<OrderCommandType, "CreateOrder" | "SettleRefund">;
type OfCaseType = Exclude<CaseCommandType, "ApplyRefund">;

const ownTypes = commandTypes.filter((type) => type !== "CreateOrder" && type !== "SettleRefund");
const ofCaseTypes = caseCommandTypes.filter((type) => type !== "ApplyRefund");

/** What a command says beside its type and its order. */
type Body<T extends CommandType> = CommandData[T];
type Try = (order: Order, code: string) => Iterable<object>;

/**
 * Decides each way to give a command by each role that may. In a status that does not allow it one way is enough: whatever it said, it
 * would be refused for that.
 */
function verdictsOn(order: Order, { now, policyOf, redeemKey }: ExplainOptions) {
  const { terms, redeemStaff } = policyOf(order.merchantId);
  const code = redeemKey === undefined ? "none" : redemptionCode(redeemKey, order.orderId);
  const policy: Policy = { terms, redeemStaff };
  const presenting: Policy = {
    ...policy,
    presentedHash: redeemKey === undefined ? undefined : codeHash(redeemKey, code),
  };
  return (type: CommandType, legal: boolean, ways: Try): readonly Verdict[] => {
    const verdicts: Verdict[] = [];
    for (const body of ways(order, code)) {
      const command = { type, orderId: order.orderId, ...body } as Command;
      for (const role of rolesFor(type)) {
        const actor = actorOf(role, order, redeemStaff);
        const request = { command, actor, policy: "code" in command ? presenting : policy };
        verdicts.push({ command, actor, decision: decide(request, order, now) });
      }
      if (!legal) break;
    }
    return verdicts;
  };
}

function actorOf(role: Role, order: Order, redeemStaff: readonly string[]): Actor {
  switch (role) {
    case "buyer":
      return { role, id: order.buyerId };
    case "merchant":
      return { role, id: order.merchantId };
    case "staff":
      return { role, id: redeemStaff[0] ?? role };
    default:
      return { role, id: role };
  }
}

/** An id that none of these is. */
function fresh(name: string, used: readonly string[]): string {
  let number = used.length + 1;
  while (used.includes(`${name}-${number}`)) number += 1;
  return `${name}-${number}`;
}

const parcel = { carrier: "carrier", trackingNumber: "number" } as const;

const parcelsOf = (order: Order) => (order.fulfilment === "express" ? [parcel] : []);

const only = (): readonly object[] => [{}];

/** How a command to the order is given, one way or several; the sums and units are the order's own. */
const tries: { readonly [T in OwnType]: (order: Order, code: string) => Iterable<Body<T>> } = {
  ConfirmOrder: only,
  Pay: (order) => [
    {
      payId: fresh(
        "pay",
        order.payments.map((payment) => payment.payId),
      ),
      amount: order.total,
      channel: "online",
    },
  ],
  CancelOrder: only,
  ExpireOrder: only,
  Ship: (order, code) => [
    {
      shipments: parcelsOf(order),
      ...(order.fulfilment === "pickup" && order.redemption !== undefined ? { code } : {}),
    },
  ],
  CorrectShipment: (order) => [{ shipments: parcelsOf(order) }],
  ConfirmReceipt: only,
  Redeem: (_order, code) => [{ code }],
  Review: (order) => [{ items: order.lines.map(({ lineId }) => ({ lineId, rating: "good" })) }],
  HideOrder: only,
  AuditPayment: only,
  MarkPurchased: only,
  RecordTaxSurplus: () => [{ amount: 1 }],
  RecordTaxRefund: (order) => [{ amount: Math.max(1, order.tax?.surplus ?? 0) }],
  *ApplyRefund(order) {
    const caseId = fresh(
      "case",
      order.cases.map((one) => one.caseId),
    );
    for (const { lineId } of order.lines) {
      const left = refundableOf(order, lineId);
      for (const caseType of caseTypes) {
        yield {
          caseId,
          lineId,
          caseType,
          ...(caseType === "refundOnly" ? {} : { quantity: Math.max(1, left.quantity) }),
          // Of nothing that is left the least is asked: the refusal says what became of the rest.
          amount: { refundOnly: Math.max(1, left.amount), returnRefund: left.amount, exchange: 0 }[caseType],
        };
      }
    }
  },
};

/** The same for a case; its id is added. */
const caseTries: {
  readonly [T in OfCaseType]: (one: Case, order: Order) => Iterable<Omit<Body<T>, "caseId">>;
} = {
  ApproveRefund: only,
  RejectRefund: () => [{ reason: "none given" }],
  CancelRefund: only,
  CloseRefund: only,
  HideRefund: only,
  ShipReturn: () => [parcel],
  CorrectReturnShipment: () => [parcel],
  ReceiveReturn: ({ quantity }) => [{ dispositions: [{ kind: "restock", quantity: Math.max(1, quantity) }] }],
  IssueRefund: ({ attempts }) => [
    // As the attempt before, where there was one.
    ...(attempts.length === 0 ? [] : [{}]),
    ...destinations.map((destination) => ({ destination })),
  ],
  SettleRefund: (one) => {
    const { refundId, amount } = attemptOf(one);
    return [{ refundId, amount }];
  },
  FailRefund: (one) => [{ refundId: attemptOf(one).refundId, failure: "FAILED", retryable: true }],
  ShipReplacement: () => [parcel],
  ConfirmReplacement: only,
  ConvertToRefund: ({ caseId, lineId = "" }, order) => [
    { amount: refundableOf(order, lineId, { without: caseId }).amount, buyerConsents: true },
  ],
};

function* ofCase(caseId: string, bodies: Iterable<object>): Generator<object> {
  for (const body of bodies) yield { caseId, ...body };
}

/** The attempt that a callback would be about: the one in flight, else the last, else the first that there might be. */
function attemptOf(one: Case): { readonly refundId: string; readonly amount: number } {
  const { caseId, amount, attempts } = one;
  return inFlight(one) ?? attempts.at(-1) ?? { refundId: `${caseId}:1`, amount };
}
