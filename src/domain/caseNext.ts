// What may be done next about a case or a line, and by whom: `decide` is asked itself, with the soundest command of each kind.

import * as E from "fp-ts/lib/Either.js";

import type { Actor, Role } from "./actor.ts";
import type { CaseCommandType } from "./caseCommands.ts";
import { type CaseStatus, caseCommandsFor } from "./caseLifecycle.ts";
import { type Case, inFlight } from "./caseState.ts";
import type { Command, CommandData } from "./commands.ts";
import { afterSaleUntil, isPast } from "./deadlines.ts";
import { type Decision, decide, rolesFor } from "./decide.ts";
import { convertibleOf, refundableOf } from "./refundable.ts";
import type { Rejection } from "./refusals.ts";
import type { Order } from "./state.ts";
import { type CaseType, caseTypes } from "./terms.ts";

/** A command that would be accepted, given soundly, from each of these roles. */
export interface NextCommand {
  readonly command: CaseCommandType;
  readonly roles: readonly Role[];
}

/** What could be applied for on a line. */
export interface Application {
  /** The types that the line allows while the order stands as it does. */
  readonly types: readonly CaseType[];
  /** Days from receipt; until when that is, once it is received (milliseconds UTC, that second included); whether it is open. */
  readonly window: { readonly days: number; readonly until: number | undefined; readonly open: boolean };
  /** Why no application would be accepted now; undefined where one would be. */
  readonly refusal: Rejection | undefined;
}

/** To a case that is there: these two open one. */
type OwnCaseCommand = Exclude<CaseCommandType, "ApplyRefund" | "ImportRefund">;

function ownCommandsFor(status: CaseStatus): readonly OwnCaseCommand[] {
  return caseCommandsFor(status).filter((type) => type !== "ApplyRefund" && type !== "ImportRefund");
}

/** The commands to a case that would be accepted at an instant (milliseconds UTC) and change something, in the table's order. */
export function nextOf(order: Order, one: Case, now: number): readonly NextCommand[] {
  return ownCommandsFor(one.status).flatMap((type) => {
    const command = soundest(order, one, type);
    const roles = rolesFor(type).filter((role) => {
      const answer = ask(order, command, role, now);
      return E.isRight(answer) && answer.right.length > 0;
    });
    return roles.length === 0 ? [] : [{ command: type, roles }];
  });
}

/** What could be applied for on a line at an instant (milliseconds UTC). */
export function applicationOf(order: Order, lineId: string, now: number): Application {
  const answers = caseTypes.map((caseType) => {
    const command: Command = {
      type: "ApplyRefund",
      orderId: order.orderId,
      caseId: noCase,
      ...application(order, lineId, caseType),
    };
    const answer = ask(order, command, "buyer", now);
    return { caseType, refusal: E.isLeft(answer) ? answer.left : undefined };
  });
  const allowed = answers.filter(({ refusal }) => !breaks(refusal, "typeNotAllowed"));
  const accepted = answers.some(({ refusal }) => refusal === undefined);
  const days = order.terms.afterSaleDays;
  const until = afterSaleUntil(order);
  return {
    types: allowed.map(({ caseType }) => caseType),
    window: { days, until, open: days > 0 && (until === undefined || !isPast(until, now)) },
    refusal: accepted ? undefined : (allowed[0] ?? answers[0])?.refusal,
  };
}

function breaks(refusal: Rejection | undefined, code: Rejection["code"]): boolean {
  return refusal !== undefined && [refusal, ...(refusal.also ?? [])].some((rule) => rule.code === code);
}

function ask(order: Order, command: Command, role: Role, now: number): Decision {
  const policy = { terms: order.terms, redeemStaff: [] };
  return decide({ command, actor: ownerOf(order, role), policy }, order, now);
}

/** Who of a role may give commands to an order. */
export function ownerOf({ buyerId, merchantId }: Order, role: Role): Actor {
  return { role, id: role === "buyer" ? buyerId : role === "merchant" ? merchantId : role };
}

/** No case has this id: ids are never empty. */
const noCase = "";

/** An application for all that is left of a line; of nothing that is left the least is asked, and the refusal says what became of the rest. */
export function application(
  order: Order,
  lineId: string,
  caseType: CaseType,
): Omit<CommandData["ApplyRefund"], "caseId"> {
  const left = refundableOf(order, lineId);
  return {
    lineId,
    caseType,
    ...(caseType === "refundOnly" ? {} : { quantity: Math.max(1, left.quantity) }),
    amount: { refundOnly: Math.max(1, left.amount), returnRefund: left.amount, exchange: 0 }[caseType],
  };
}

/** A command to a case, refused for nothing that its giver could put better; well-formed whatever the case's status is. */
export function soundest(order: Order, one: Case, type: OwnCaseCommand): Command {
  const of = { orderId: order.orderId, caseId: one.caseId };
  const waybill = { carrier: "-", trackingNumber: "-" };
  // The attempt that a callback would be about: the one in flight, else the last, else the first that there might be.
  const { refundId, amount } = inFlight(one) ??
    one.attempts.at(-1) ?? { refundId: `${one.caseId}:1`, amount: one.amount };
  switch (type) {
    case "ApproveRefund":
    case "CancelRefund":
    case "CloseRefund":
    case "HideRefund":
    case "ConfirmReplacement":
      return { type, ...of };
    case "RejectRefund":
      return { type, ...of, reason: "--" };
    case "ShipReturn":
    case "CorrectReturnShipment":
    case "ShipReplacement":
      return { type, ...of, ...waybill };
    case "ReceiveReturn":
      return { type, ...of, dispositions: [{ kind: "restock", quantity: Math.max(1, one.quantity) }] };
    case "IssueRefund":
      return { type, ...of, destination: "manual" };
    case "SettleRefund":
      return { type, ...of, refundId, amount };
    case "FailRefund":
      return { type, ...of, refundId, failure: "-", retryable: false };
    case "ConvertToRefund":
      return { type, ...of, amount: convertibleOf(order, one).amount, buyerConsents: true };
  }
}
