// What must hold of an order and its cases after every command, whatever came before (domain 3).

import * as E from "fp-ts/lib/Either.js";

import type { CaseCommandType } from "../../src/domain/caseCommands.ts";
import { caseCommandTypes, isCaseLegal, isOpen } from "../../src/domain/caseLifecycle.ts";
import type { Command } from "../../src/domain/commands.ts";
import type { Decision } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { ceilingOf, claimedOf, refundableOf } from "../../src/domain/refundable.ts";
import { type Order, type OrderState, hasOpenCase, ledgerOf, tallyOf } from "../../src/domain/state.ts";
import { stepsOf } from "../../src/domain/steps.ts";

/** Thrown by name and number, so that whoever searches sees at once which one it is. */
function must(invariant: number, holds: boolean, said: () => unknown): void {
  if (!holds) throw new Error(`invariant ${invariant}: ${JSON.stringify(said())}`);
}

/** Of a state alone. */
export function stateHolds(order: Order): void {
  const ledger = ledgerOf(order);
  const { paid, refunded, inFlight, retained } = ledger;
  must(
    1,
    paid === refunded + inFlight + retained && Math.min(refunded, inFlight, retained) >= 0,
    () => ledger,
  );
  const came = order.payments.reduce((all, { amount }) => all + amount, 0);
  must(1, came === paid, () => order.payments);

  const attempts = order.cases.flatMap((one) => one.attempts);
  const settled = attempts.filter(({ state }) => state === "settled");
  const given = settled.reduce((all, { amount }) => all + amount, 0);
  must(2, given === refunded && given <= paid, () => ({ given, ledger }));
  for (const { payId, amount } of order.payments) {
    const back = attempts.filter((one) => one.payId === payId && one.state !== "failed");
    must(2, back.reduce((all, one) => all + one.amount, 0) <= amount, () => ({ payId, amount, back }));
  }

  const claimed = order.cases
    .filter(({ status }) => isOpen(status) || status === "refunded")
    .reduce((all, { amount }) => all + amount, 0);
  must(3, claimed <= paid, () => ({ claimed, paid }));

  for (const { lineId, quantity } of order.lines) {
    const tally = tallyOf(order, lineId);
    const units = claimedOf(order, lineId).quantity;
    must(4, units <= quantity && tally.returned <= quantity, () => ({ lineId, units, quantity, tally }));
    // What another system gave back went by its own policy.
    const own = order.cases.every((one) => one.lineId !== lineId || one.imported === undefined);
    if (order.terms.refundable === "prorated" && own) {
      must(5, tally.refunded <= ceilingOf(order, lineId), () => ({ lineId, tally }));
    }
    const open = order.cases.filter((one) => one.lineId === lineId && isOpen(one.status));
    must(6, open.length <= 1, () => open);
    must(21, tally.released + tally.restocked <= tally.deducted, () => tally);
    const { step0, step1 } = stepsOf(order.cases.findLast((one) => one.lineId === lineId));
    for (const steps of [step0, step1]) {
      const ends = steps.filter(({ is_end }) => is_end === 1).length;
      const done = steps.at(-1)?.is_active === 1;
      must(17, ends === (done ? 0 : 1), () => steps);
    }
    const suggested = refundableOf(order, lineId);
    must(
      18,
      suggested.quantity >= 0 &&
        suggested.quantity <= quantity &&
        suggested.amount >= 0 &&
        suggested.amount <= Math.max(0, paid - claimed),
      () => ({ lineId, suggested, paid, claimed }),
    );
  }
  for (const one of order.cases) {
    must(6, one.attempts.filter(({ state }) => state === "inFlight").length <= 1, () => one);
    must(23, one.attempts.length === 0 || one.approvedAt !== undefined, () => one);
    must(23, one.type !== "exchange" || one.attempts.length === 0, () => one);
  }

  const units = order.lines.every(({ lineId, quantity }) => tallyOf(order, lineId).returned === quantity);
  must(20, !order.closedByRefund || (order.status === "closed" && units), () => order);
  const settledAtAll = order.cases.some(({ status }) => status === "refunded");
  if (
    !order.closedByRefund &&
    settledAtAll &&
    (order.status === "paid" || units) &&
    order.status !== "cancelled"
  ) {
    must(20, order.status === "closed" || refunded < paid, () => order);
  }
  if (order.closedByRefund) {
    const open = order.cases.filter(({ status, origin }) => isOpen(status) && origin !== "latePayment");
    must(3, open.length === 0, () => open);
  }
  must(
    27,
    (order.pausedSince !== undefined) === (order.status === "shipped" && hasOpenCase(order)),
    () => order,
  );
}

export interface Step {
  readonly command: Command;
  readonly before: OrderState;
  readonly answer: Decision;
  readonly after: OrderState;
}

const cased: readonly string[] = caseCommandTypes;
const opening: readonly string[] = ["ApplyRefund", "ImportRefund"];

/** Of one decision and what it led to. */
export function stepHolds({ command, before, answer, after }: Step): void {
  if (E.isLeft(answer)) {
    must(9, before === after, () => answer.left);
    return;
  }
  const facts: readonly OrderEvent[] = answer.right;
  if (before.status === "none" || after.status === "none") return;
  for (const one of before.cases) {
    const now = after.cases.find(({ caseId }) => caseId === one.caseId);
    // 12: what is over for good stays as it is.
    if (one.status === "refunded" || one.status === "exchanged") must(12, now === one, () => [one, now]);
    if (!isOpen(one.status)) must(12, now !== undefined && !isOpen(now.status), () => [one, now]);
  }
  if (facts.length > 0 && cased.includes(command.type) && !opening.includes(command.type)) {
    const { caseId, type } = command as Command<Exclude<CaseCommandType, "ApplyRefund" | "ImportRefund">>;
    const one = before.cases.find((known) => known.caseId === caseId);
    must(12, one !== undefined && isCaseLegal(one.status, type), () => command);
  }
  const types = facts.map(({ type }) => type);
  if (["RejectRefund", "CancelRefund", "CloseRefund", "HideRefund"].includes(command.type)) {
    must(21, !types.some((type) => type.startsWith("Stock")), () => types);
    for (const { lineId } of before.lines) {
      const { caseId } = command as Command<"CancelRefund">;
      const was = refundableOf(before, lineId, { without: caseId });
      const is = refundableOf(after, lineId);
      must(22, was.amount === is.amount && was.quantity === is.quantity, () => ({ lineId, was, is }));
    }
  }
  const receipt = facts.find((one) => one.type === "ReceiptConfirmed");
  if (receipt?.type === "ReceiptConfirmed" && receipt.data.by === "system") {
    must(27, !hasOpenCase(before), () => before);
  }
  // 20: money that comes back for goods that were sent, and not sent back, closes nothing.
  const closes = types.includes("OrderClosedByRefund");
  if (closes) must(20, after.refunded === after.paid, () => ledgerOf(after));
}
