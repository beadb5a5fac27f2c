// Explains an order: which event set each field of its state, and for every command whether it would be accepted now, or why not.

import type { Actor, Role } from "../domain/actor.ts";
import { destinations } from "../domain/caseEvents.ts";
import { caseCommandTypes, isCaseLegal } from "../domain/caseLifecycle.ts";
import { application, ownerOf, soundest } from "../domain/caseNext.ts";
import type { Case } from "../domain/caseState.ts";
import type { Command, CommandData, Policy } from "../domain/commands.ts";
import { type Decision, decide, rolesFor } from "../domain/decide.ts";
import type { OrderEventType } from "../domain/events.ts";
import { type OrderCommandType, commandTypes, isLegal } from "../domain/lifecycle.ts";
import { type Order, type OrderState, initialState } from "../domain/state.ts";
import { caseTypes } from "../domain/terms.ts";
import type { MerchantPolicy } from "../commands/handle.ts";
import { codeHash, redemptionCode } from "../commands/redemption.ts";
import type { Envelope } from "../store/codec.ts";
import { changesBetween, isEmpty, stepsOf } from "./diff.ts";

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
  /** Every command to the order but its creation and ImportRefund, in the table's order, once for each role that may give it and each way to give it. */
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
  const { now, policyOf, redeemKey } = options;
  const { terms, redeemStaff } = policyOf(order.merchantId);
  const code = redeemKey === undefined ? "none" : redemptionCode(redeemKey, order.orderId);
  const presentedHash = redeemKey === undefined ? undefined : codeHash(redeemKey, code);
  const verdicts = verdictsOn(order, now, { terms, redeemStaff }, presentedHash);
  return {
    orderId: order.orderId,
    revision: last.envelope.revision,
    now,
    fields: originsOf(steps),
    commands: ownTypes.flatMap((type) =>
      verdicts(isLegal(order.status, type), given(order, type, tries[type](order, code))),
    ),
    cases: order.cases.map((one) => ({
      caseId: one.caseId,
      commands: ofCaseTypes.flatMap((type) =>
        verdicts(isCaseLegal(one.status, type), givenTo(order, one, type)),
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

function isWithin(field: string, whole: string): boolean {
  return field.startsWith(`${whole}.`) || field.startsWith(`${whole}[`);
}

// --- commands ---

type OwnType = Exclude<OrderCommandType, "CreateOrder" | "SettleRefund">;

const ownTypes = commandTypes.filter((type) => type !== "CreateOrder" && type !== "SettleRefund");
/** Of a case that is there: those that open one are the order's, and what another system's import would say is that system's to know. */
const ofCaseTypes = caseCommandTypes.filter((type) => type !== "ApplyRefund" && type !== "ImportRefund");

/**
 * Decides each way to give a command by each role that may. In a status that does not allow it one way is enough: whatever it said, it
 * would be refused for that.
 */
function verdictsOn(order: Order, now: number, policy: Policy, presentedHash: string | undefined) {
  return (legal: boolean, ways: Iterable<Command>): readonly Verdict[] => {
    const verdicts: Verdict[] = [];
    for (const command of ways) {
      for (const role of rolesFor(command.type)) {
        const actor = actorOf(role, order, policy.redeemStaff);
        const met = "code" in command ? { ...policy, presentedHash } : policy;
        verdicts.push({ command, actor, decision: decide({ command, actor, policy: met }, order, now) });
      }
      if (!legal) break;
    }
    return verdicts;
  };
}

function actorOf(role: Role, order: Order, redeemStaff: readonly string[]): Actor {
  return role === "staff" ? { role, id: redeemStaff[0] ?? role } : ownerOf(order, role);
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
const tries: { readonly [T in OwnType]: (order: Order, code: string) => Iterable<CommandData[T]> } = {
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
      for (const caseType of caseTypes) yield { caseId, ...application(order, lineId, caseType) };
    }
  },
};

function* given(order: Order, type: OwnType, bodies: Iterable<object>): Generator<Command> {
  for (const body of bodies) yield { type, orderId: order.orderId, ...body } as Command;
}

/** How a command to a case is given; a refund is issued as the attempt before was, where there was one, and each way it might go. */
function* givenTo(order: Order, one: Case, type: (typeof ofCaseTypes)[number]): Generator<Command> {
  const command = soundest(order, one, type);
  if (command.type !== "IssueRefund") {
    yield command;
    return;
  }
  const { destination: _destination, ...asBefore } = command;
  if (one.attempts.length > 0) yield asBefore;
  for (const destination of destinations) yield { ...command, destination };
}
