// Decides a command to an after-sale case: its guards in the order of domain 2.3, and the facts it leads to, settlement included.

import * as E from "fp-ts/lib/Either.js";

import type { Role } from "./actor.ts";
import type { CaseCommandType } from "./caseCommands.ts";
import type { CaseEventData, Destination, ImportedStatus, Origin } from "./caseEvents.ts";
import { caseCommandTypes, caseStatusesFor, isCaseLegal, isOpen } from "./caseLifecycle.ts";
import { type Case, inFlight } from "./caseState.ts";
import type { CommandType, Request } from "./commands.ts";
import { afterSaleUntil, isPast, refundRetryAt, replacementConfirmAt, returnShipBy } from "./deadlines.ts";
import { type OrderEvent, fact } from "./events.ts";
import { isLegal, statusesFor } from "./lifecycle.ts";
import { limits } from "./limits.ts";
import { claimedInAll, claimedOf, convertibleOf, refundableOf, taxBack } from "./refundable.ts";
import { type Refusal, type Rejection, firstRefusal } from "./refusals.ts";
import { type Order, evolve, openCasesOf, paymentOf, tallyOf } from "./state.ts";
import { type CaseType, caseTypes } from "./terms.ts";

/** The facts of one decision, in order; empty where the command changes nothing (a payment or a hiding repeated). */
export type Decision = E.Either<Rejection, readonly OrderEvent[]>;

/** How one command is decided on a case that is there. */
interface Rule<T extends CaseCommandType> {
  readonly by: readonly Role[];
  /** Cases of any other origin are refused it. */
  readonly origins?: readonly Origin[];
  /** Done already by an earlier command: nothing to record, nothing to refuse. */
  readonly done?: (one: Case, request: Request<T>) => boolean;
  /** The command's own guards, in their documented order; all are evaluated. */
  readonly guards: (order: Order, one: Case, request: Request<T>, now: number) => readonly Refusal[];
  readonly facts: (order: Order, one: Case, request: Request<T>, now: number) => readonly OrderEvent[];
}

const cased: ReadonlySet<CommandType> = new Set(caseCommandTypes);

export function isCaseCommand(request: Request): request is Request<CaseCommandType> {
  return cased.has(request.command.type);
}

/** Who may give a command to a case; undefined where the command is not to a case. */
export function rolesForCase(command: CommandType): readonly Role[] | undefined {
  if (!cased.has(command)) return undefined;
  if (command === "ApplyRefund") return applicants;
  return command === "ImportRefund" ? importers : rules[command as keyof typeof rules].by;
}

/** Decides a command to a case of an order whose existence and ownership are established. */
export function decideCase(request: Request<CaseCommandType>, order: Order, now: number): Decision {
  const { command, actor } = request;
  if (command.type === "ApplyRefund") return apply(request as Request<"ApplyRefund">, order, now);
  if (command.type === "ImportRefund") return importCase(request as Request<"ImportRefund">, order, now);
  const rule = rules[command.type] as Rule<CaseCommandType>;
  const { caseId } = command;
  const one = order.cases.find((known) => known.caseId === caseId);
  const stranger = wrongActor(command.type, actor.role, rule.by);
  const asked = [stranger, backwards(order, now)];
  if (one === undefined)
    return E.left(firstRefusal([...asked, { code: "caseNotFound", caseId }]) as Rejection);
  // Whoever tells it again may tell it with its own time, which by now is past.
  if (stranger === undefined && rule.done?.(one, request) === true) return E.right([]);
  const origins = rule.origins ?? [one.origin];
  const refused = firstRefusal([
    ...asked,
    isCaseLegal(one.status, command.type)
      ? undefined
      : {
          code: "caseStatusNotEligible",
          command: command.type,
          caseId,
          status: one.status,
          allowed: caseStatusesFor(command.type),
        },
    origins.includes(one.origin)
      ? undefined
      : { code: "originNotEligible", command: command.type, caseId, origin: one.origin, allowed: origins },
    ...rule.guards(order, one, request, now),
  ]);
  return refused === undefined ? E.right(rule.facts(order, one, request, now)) : E.left(refused);
}

function wrongActor(command: string, role: Role, allowed: readonly Role[]): Refusal {
  return allowed.includes(role) ? undefined : { code: "wrongActor", command, role, allowed };
}

/** No command may be earlier than what happened. */
export function backwards(order: Order, now: number): Refusal {
  return now < order.lastAt ? { code: "timeRunsBackwards", at: now, lastAt: order.lastAt } : undefined;
}

/** A refusal for each open case that stands in the command's way. */
export function casesOpen(
  order: Order,
  command: CommandType,
  inTheWay: (one: Case) => boolean = () => true,
): readonly Refusal[] {
  return openCasesOf(order)
    .filter((one) => inTheWay(one))
    .map(({ caseId, status }) => ({ code: "caseOpen", command, caseId, status }));
}

// --- ApplyRefund ---

const applicants: readonly Role[] = ["buyer"];

/** G2 to G10 of domain 2.3, in that order; those about a line only where the order has it. */
function apply(request: Request<"ApplyRefund">, order: Order, now: number): Decision {
  const { command, actor } = request;
  const { caseId, lineId, caseType, amount, quantity = 0, personal } = command;
  const line = order.lines.find((known) => known.lineId === lineId);
  const refused = firstRefusal([
    wrongActor(command.type, actor.role, applicants),
    backwards(order, now),
    ...noCaseHere(order, command.type, amount),
    line === undefined ? { code: "lineNotInOrder", field: "lineId", lineId } : undefined,
    windowExpired(order, now),
    ...(line === undefined
      ? []
      : [
          typeNotAllowed(order, line.allowedTypes, caseType),
          ...casesOpen(order, command.type, (one) => one.lineId === lineId || one.lineId === undefined),
          amountRefused(order, caseType, amount, refundableOf(order, lineId).amount, {
            // A unit's share may be nothing, as a line's may.
            share: refundableOf(order, lineId, { units: soundQuantity(quantity) }).amount,
          }),
          ...quantityRefused(order, line, caseType, quantity),
        ]),
    tooLong("reason", command.reason, 0, limits.caseReasonLength),
    tooLong("personal.note", personal?.note, 0, limits.caseNoteLength),
    tooMuchEvidence(order, personal?.evidence),
    order.cases.some((known) => known.caseId === caseId)
      ? { code: "caseIdUsed", field: "caseId", caseId }
      : undefined,
  ]);
  if (refused !== undefined) return E.left(refused);
  const { reason, causeType, goodsReceived } = command;
  const said = {
    ...(personal?.note === undefined ? {} : { note: personal.note }),
    ...(personal?.evidence === undefined ? {} : { evidence: personal.evidence }),
  };
  return E.right([
    fact("RefundApplied", now, {
      caseId,
      origin: "application",
      lineId,
      caseType,
      quantity,
      amount,
      goodsReceived: goodsReceived ?? caseType !== "refundOnly",
      ...(reason === undefined ? {} : { reason }),
      ...(causeType === undefined ? {} : { causeType }),
      ...personalOf(said),
    }),
  ]);
}

function personalOf<T extends object>(said: T): { readonly personal?: T } {
  return Object.keys(said).length === 0 ? {} : { personal: said };
}

/** G2: an order that was paid, and is not over. */
function noCaseHere(
  { status, paid, orderId }: Order,
  command: "ApplyRefund" | "ImportRefund",
  amount: number,
): readonly Refusal[] {
  return [
    isLegal(status, "ApplyRefund")
      ? undefined
      : { code: "orderStatusNotEligible", command, status, allowed: statusesFor("ApplyRefund") },
    paid === 0 && amount > 0 ? { code: "nothingPaid", orderId } : undefined,
  ];
}

/** G4: open from the first day, until so many days after receipt; in whole seconds, as ShopXO counts. */
function windowExpired(order: Order, now: number): Refusal {
  const days = order.terms.afterSaleDays;
  if (days === 0) return { code: "windowExpired", days, until: null, at: now };
  const until = afterSaleUntil(order);
  return until === undefined || !isPast(until, now)
    ? undefined
    : { code: "windowExpired", days, until, at: now };
}

/** G5: goods that were not sent cannot be sent back. */
function typeNotAllowed({ status }: Order, types: readonly CaseType[], caseType: CaseType): Refusal {
  const sent = status === "shipped" || status === "completed";
  const allowed = types.filter((type) => sent || type === "refundOnly");
  return allowed.includes(caseType)
    ? undefined
    : { code: "typeNotAllowed", field: "caseType", caseType, allowed };
}

/**
 * G7: something, and no more than the line has left; nothing of a return whose units have nothing left, nor of an exchange. `share` is
 * what the units come to, `without` a case whose own claim is left out.
 */
function amountRefused(
  order: Order,
  caseType: CaseType,
  amount: number,
  left: number,
  { share = left, without }: { readonly share?: number; readonly without?: string } = {},
): Refusal {
  const limit = caseType === "exchange" ? 0 : left;
  const least = caseType === "refundOnly" ? 1 : Math.min(1, limit, share);
  const { currency, paid } = order;
  if (amount > limit) {
    const claimed = claimedInAll(order, without);
    return { code: "amountTooHigh", field: "amount", amount, limit, claimed, paid, currency };
  }
  return amount < least ? { code: "amountTooLow", field: "amount", amount, least, currency } : undefined;
}

/** As many units as can be asked about, whatever was asked: what is wrong with that is another guard's to say. */
function soundQuantity(quantity: number): number {
  return Number.isSafeInteger(quantity) ? Math.max(1, quantity) : 1;
}

/** G8. */
function quantityRefused(
  order: Order,
  { lineId, quantity: bought }: Order["lines"][number],
  caseType: CaseType,
  quantity: number,
  over = false,
): readonly Refusal[] {
  const sendsBack = caseType !== "refundOnly";
  if (!Number.isSafeInteger(quantity) || quantity < 0 || (quantity === 0) === sendsBack) {
    return [{ code: "quantityInvalid", field: "quantity", quantity, caseType }];
  }
  // A case that came to nothing claims nothing.
  const claimed = over ? 0 : claimedOf(order, lineId).quantity;
  const limit = Math.max(0, bought - claimed);
  return sendsBack && quantity > limit
    ? [{ code: "quantityTooHigh", field: "quantity", quantity, limit, claimed, bought }]
    : [];
}

function tooLong(
  field: "reason" | "personal.note",
  text: string | undefined,
  least: number,
  limit: number,
): Refusal {
  const length = [...(text ?? "")].length;
  if (length <= limit && length >= least) return undefined;
  return field === "reason"
    ? { code: "reasonLength", field, length, least, limit }
    : { code: "noteTooLong", field, length, limit };
}

function tooMuchEvidence(order: Order, evidence: readonly string[] | undefined): Refusal {
  const count = evidence?.length ?? 0;
  const limit = order.terms.evidenceMax;
  return count > limit ? { code: "evidenceTooMany", field: "personal.evidence", count, limit } : undefined;
}

// --- ImportRefund ---

const importers: readonly Role[] = ["system"];

/** How far a case of each type can be elsewhere, so that it means something here. */
const importable: Readonly<Record<CaseType, readonly ImportedStatus[]>> = {
  refundOnly: ["requested", "refundPending", "refunded", "rejected", "closed"],
  returnRefund: ["requested", "awaitingReturn", "refundPending", "refunded", "rejected", "closed"],
  exchange: ["requested", "awaitingReturn", "exchanged", "rejected", "closed"],
};

/**
 * Takes over a case that another system has opened. What happened there is no matter of this shop's window, allowed types or policy;
 * but goods must have been sent to be sent back, and what it claims must be there: of all that was paid, and of the line's units, with
 * no case open beside it. A snapshot that is here already is no news.
 */
function importCase(request: Request<"ImportRefund">, order: Order, now: number): Decision {
  const { command, actor } = request;
  const { caseId, source, status, lineId, caseType, amount, quantity = 0, goodsReceived, reason } = command;
  const data: CaseEventData["RefundImported"] = {
    caseId,
    source,
    status,
    lineId,
    caseType,
    quantity,
    amount,
    goodsReceived: goodsReceived ?? caseType !== "refundOnly",
    ...(reason === undefined ? {} : { reason }),
    raw: command.raw,
  };
  const asked = [wrongActor(command.type, actor.role, importers), backwards(order, now)];
  const known = order.cases.find((one) => one.caseId === caseId);
  if (
    firstRefusal(asked) === undefined &&
    known?.imported !== undefined &&
    JSON.stringify(known.imported) === JSON.stringify(data)
  ) {
    return E.right([]);
  }
  const line = order.lines.find((one) => one.lineId === lineId);
  const over = status === "rejected" || status === "closed";
  const left = Math.max(0, order.total - claimedInAll(order) - taxBack(order));
  // A line that had nothing left may have been sent back all the same, and an order of nothing cancelled.
  const backForNothing = amount === 0 && (status === "refunded" || caseType === "returnRefund");
  const refused = firstRefusal([
    ...asked,
    ...noCaseHere(order, command.type, amount),
    line === undefined ? { code: "lineNotInOrder", field: "lineId", lineId } : undefined,
    importable[caseType].includes(status)
      ? undefined
      : { code: "statusNotPossible", field: "status", status, caseType, allowed: importable[caseType] },
    ...(line === undefined
      ? []
      : [
          typeNotAllowed(order, caseTypes, caseType),
          ...casesOpen(order, command.type, (one) => !over && (one.lineId ?? lineId) === lineId),
          over || backForNothing ? undefined : amountRefused(order, caseType, amount, left),
          ...quantityRefused(order, line, caseType, quantity, over),
        ]),
    known === undefined ? undefined : { code: "caseIdUsed", field: "caseId", caseId },
  ]);
  if (refused !== undefined) return E.left(refused);
  const imported = fact("RefundImported", now, data);
  if (status !== "refunded" && status !== "refundPending") return E.right([imported]);
  // What is refunded there was paid there: by hand, as this shop sees it. What is to be paid waits for a way, unless it is nothing.
  return E.right(paidOut(order, caseId, [imported], status === "refunded" ? "manual" : undefined, now));
}

// --- paying out, as it stands at the end of several appends ---

/** The payout checks of ruling 5: money goes back only a way that it can go. Nothing goes any way. */
export function payoutRefused(
  order: Order,
  one: Case | undefined,
  amount: number,
  destination: Destination | undefined,
): Refusal {
  if (destination !== "original" || amount === 0) return undefined;
  const payment = paymentOf(order, one);
  const because =
    payment?.channel === "online" && payment.tradeNo === undefined
      ? "noTradeNo"
      : payment?.channel === "offline"
        ? "paidOffline"
        : undefined;
  return because === undefined
    ? undefined
    : { code: "destinationRefused", field: "destination", destination, because };
}

/** The same for a command whose case may not be payable by it. */
function earlyPayout(destination: Destination | undefined): Refusal {
  return destination === undefined
    ? undefined
    : { code: "destinationRefused", field: "destination", destination, because: "notPayable" };
}

/** The facts with what they make payable: issued where it goes somewhere, and settled where that is by hand, or nothing (ruling 4). */
function paidOut(
  order: Order,
  caseId: string,
  facts: readonly OrderEvent[],
  destination: Destination | undefined,
  now: number,
): readonly OrderEvent[] {
  const payable = facts.reduce(evolve, order) as Order;
  const one = payable.cases.find((known) => known.caseId === caseId) as Case;
  const { amount } = one;
  if (destination === undefined && amount > 0) return facts;
  const attempt = one.attempts.length + 1;
  const refundId = `${caseId}:${attempt}`;
  const payment = paymentOf(order, one);
  const payId = payment?.payId ?? "";
  // What was paid from the wallet came from there: a provider knows nothing of it (domain 1.1, what an audit does).
  const back = destination === "original" && payment?.channel === "wallet" ? "wallet" : destination;
  const way = amount === 0 ? "manual" : (back as Destination);
  const issued = fact("RefundIssued", now, { caseId, refundId, attempt, amount, destination: way, payId });
  if (way !== "manual") return [...facts, issued];
  const settling = evolve(payable, issued) as Order;
  return [...facts, issued, ...settled(settling, { caseId, refundId, amount }, now)];
}

/** A refund settled, the stock that it frees, and the end of the order where it was the last. */
function settled(
  order: Order,
  data: Omit<CaseEventData["RefundSettled"], "quantity">,
  now: number,
): readonly OrderEvent[] {
  const settledWith = (quantity: number) => {
    const { caseId, refundId, amount, ...rest } = data;
    return fact("RefundSettled", now, { caseId, refundId, amount, quantity, ...rest });
  };
  const one = order.cases.find(({ caseId }) => caseId === data.caseId) as Case;
  const quantity = affectedBy(evolve(order, settledWith(0)) as Order, one);
  const events: OrderEvent[] = [settledWith(quantity)];
  if (one.type === "refundOnly" && one.lineId !== undefined) {
    events.push(...released(order, "RefundSettled", [{ lineId: one.lineId, quantity }], now));
  }
  const after = events.reduce(evolve, order) as Order;
  if (closes(after)) {
    const returnedUnits = after.lines.reduce((units, line) => units + line.quantity, 0);
    events.push(fact("OrderClosedByRefund", now, { refunded: after.refunded, returnedUnits }));
    events.push(...released(after, "OrderClosedByRefund", unitsLeft(after), now));
  }
  return events;
}

/**
 * Units that count as returned or cancelled by a settlement (ruling 3), asked of the order as it stands after it: those sent back; of
 * goods that were never sent, or cannot be, all that are left where the line has nothing left to refund; of a cancellation, all. What
 * other cases have reserved is not refunded yet, and is left out.
 */
function affectedBy(after: Order, { origin, type, lineId, quantity }: Case): number {
  if (type !== "refundOnly") return quantity;
  if (lineId === undefined) {
    if (origin !== "cancellation") return 0;
    return unitsLeft(after).reduce((units, line) => units + line.quantity, 0);
  }
  if (!neverSent(after, lineId) || refundableOf({ ...after, cases: [] }, lineId).amount > 0) return 0;
  return unitsLeft(after).find((left) => left.lineId === lineId)?.quantity ?? 0;
}

/** The units of a case: as it was settled, else as they would be were it settled now (ruling 3); of one that came to nothing, none. */
export function affectedUnits(order: Order, one: Case): number {
  if (one.status === "refunded") return one.settledQuantity;
  if (one.type === "refundOnly" && !isOpen(one.status)) return 0;
  if (one.lineId === undefined) return affectedBy(order, one);
  const tally = tallyOf(order, one.lineId);
  const tallies = order.tallies.filter(({ lineId }) => lineId !== one.lineId);
  return affectedBy(
    {
      ...order,
      refunded: order.refunded + one.amount,
      tallies: [...tallies, { ...tally, refunded: tally.refunded + one.amount }],
    },
    one,
  );
}

/** Goods not shipped yet, or of a line that no parcel took along, or that are no goods to be sent. A parcel naming no lines may hold any. */
function neverSent({ status, fulfilment, shipments }: Order, lineId: string): boolean {
  if (status === "paid" || fulfilment === "virtual") return true;
  return shipments.length > 0 && shipments.every(({ lines }) => lines?.includes(lineId) === false);
}

type Units = readonly { readonly lineId: string; readonly quantity: number }[];

function unitsLeft(order: Order): Units {
  return order.lines
    .map(({ lineId, quantity }) => ({ lineId, quantity: quantity - tallyOf(order, lineId).returned }))
    .filter(({ quantity }) => quantity > 0);
}

/** Whether all money is back: before shipping that is enough (ruling 2), afterwards all units must be back too. */
function closes(order: Order): boolean {
  return (
    isLegal(order.status, "SettleRefund") &&
    order.refunded + (order.tax?.refunded === true ? order.tax.surplus : 0) === order.paid &&
    (order.status === "paid" || unitsLeft(order).length === 0)
  );
}

/** Units given back to stock, as far as they were taken from it and have not come back. */
function stocked(order: Order, units: Units): Units {
  return units
    .map(({ lineId, quantity }) => {
      const tally = tallyOf(order, lineId);
      const out = tally.deducted - tally.released - tally.restocked;
      return { lineId, quantity: Math.min(quantity, out) };
    })
    .filter(({ quantity }) => quantity > 0);
}

function released(
  order: Order,
  cause: "RefundSettled" | "OrderClosedByRefund",
  units: Units,
  now: number,
): readonly OrderEvent[] {
  const lines = stocked(order, units);
  return lines.length === 0 ? [] : [fact("StockReleased", now, { cause, lines })];
}

/** A case about a whole order, approved as it is opened: of a merchant's cancellation, or of money that came late (ruling 1). */
export function wholeOrderCase(
  order: Order,
  opened: Pick<CaseEventData["RefundApplied"], "caseId" | "origin" | "amount" | "payId" | "reason">,
  { by, destination }: { readonly by: Role; readonly destination: Destination | undefined },
  now: number,
): readonly OrderEvent[] {
  const { caseId, origin, payId, amount, reason } = opened;
  const facts = [
    fact("RefundApplied", now, {
      caseId,
      origin,
      ...(payId === undefined ? {} : { payId }),
      caseType: "refundOnly",
      quantity: 0,
      amount,
      goodsReceived: false,
      ...(reason === undefined ? {} : { reason }),
    }),
    fact("RefundApproved", now, { caseId, by, amount }),
  ];
  return paidOut(order, caseId, facts, destination, now);
}

// --- guards used by several commands ---

/** Nothing else may become of a case while its money is on its way. */
function flying(one: Case): Refusal {
  const attempt = inFlight(one);
  return attempt === undefined
    ? undefined
    : { code: "refundInFlight", caseId: one.caseId, refundId: attempt.refundId };
}

function notDue(command: string, dueAt: number | undefined, now: number): Refusal {
  return dueAt !== undefined && isPast(dueAt, now)
    ? undefined
    : { code: "notDue", command, dueAt: dueAt ?? null, at: now };
}

/** A callback must be about an attempt that is there, and still on its way. */
function attemptRefused(one: Case, refundId: string): Refusal {
  const attempt = one.attempts.find((known) => known.refundId === refundId);
  if (attempt === undefined)
    return { code: "refundUnknown", field: "refundId", refundId, caseId: one.caseId };
  return attempt.state === "inFlight"
    ? undefined
    : { code: "refundNotInFlight", field: "refundId", refundId, state: attempt.state };
}

function waybillOf({
  carrier,
  trackingNumber,
}: {
  readonly carrier: string;
  readonly trackingNumber: string;
}) {
  return { carrier, trackingNumber };
}

const nothingMore = (): readonly Refusal[] => [];
const stages = { requested: "application", returnInTransit: "inspection" } as const;

// --- the rule book ---

const rules: { readonly [T in Exclude<CaseCommandType, "ApplyRefund" | "ImportRefund">]: Rule<T> } = {
  ApproveRefund: {
    by: ["merchant"],
    guards: (order, one, { command }) => {
      const { amount = one.amount, destination } = command;
      return [
        amountRefused(order, one.type, amount, one.amount),
        one.type === "refundOnly" ? payoutRefused(order, one, amount, destination) : earlyPayout(destination),
      ];
    },
    facts: (order, one, { actor, command }, now) => {
      const { amount = one.amount, destination, personal } = command;
      const { name, phone, address } = personal?.returnAddress ?? {};
      const returnAddress = {
        ...(name === undefined ? {} : { name }),
        ...(phone === undefined ? {} : { phone }),
        ...(address === undefined ? {} : { address }),
      };
      const approved = fact("RefundApproved", now, {
        caseId: one.caseId,
        by: actor.role,
        amount,
        ...personalOf({
          ...(personal?.note === undefined ? {} : { note: personal.note }),
          ...(Object.keys(returnAddress).length === 0 ? {} : { returnAddress }),
        }),
      });
      return one.type === "refundOnly"
        ? paidOut(order, one.caseId, [approved], destination, now)
        : [approved];
    },
  },

  RejectRefund: {
    by: ["merchant"],
    // Late money goes back: there is no case to reject.
    origins: ["application", "cancellation", "import"],
    guards: (_order, one, { command }) => [
      flying(one),
      tooLong("reason", command.reason, limits.rejectReasonMin, limits.rejectReasonLength),
    ],
    facts: (_order, { caseId, status }, { command }, now) => {
      const stage = stages[status as keyof typeof stages] ?? "refund";
      return [fact("RefundRejected", now, { caseId, stage, reason: command.reason })];
    },
  },

  CancelRefund: {
    by: ["buyer"],
    origins: ["application", "import"],
    guards: (_order, one) => [flying(one)],
    facts: (_order, { caseId, status }, _request, now) => [
      fact("RefundCancelled", now, { caseId, from: status }),
    ],
  },

  CloseRefund: {
    by: ["system", "merchant"],
    origins: ["application", "cancellation", "import"],
    guards: (order, one, { actor, command }, now) => [
      flying(one),
      actor.role === "system" ? notDue(command.type, returnShipBy(order, one), now) : undefined,
    ],
    facts: (_order, { caseId }, { actor, command }, now) => [
      fact("RefundClosed", now, {
        caseId,
        cause: actor.role === "system" ? "returnOverdue" : "merchant",
        ...(command.reason === undefined ? {} : { reason: command.reason }),
      }),
    ],
  },

  HideRefund: {
    by: ["merchant"],
    done: (one) => one.hiddenAt !== undefined,
    guards: nothingMore,
    facts: (_order, { caseId }, _request, now) => [fact("RefundHidden", now, { caseId })],
  },

  ShipReturn: {
    by: ["buyer"],
    guards: nothingMore,
    facts: (_order, { caseId }, { command }, now) => [
      fact("ReturnShipped", now, { caseId, ...waybillOf(command) }),
    ],
  },

  CorrectReturnShipment: {
    by: ["buyer"],
    guards: nothingMore,
    facts: (_order, { caseId }, { command }, now) => [
      fact("ReturnShipmentCorrected", now, { caseId, ...waybillOf(command) }),
    ],
  },

  ReceiveReturn: {
    by: ["merchant"],
    guards: (order, one, { command }) => {
      const { dispositions, destination } = command;
      const quantity = dispositions.reduce((units, disposition) => units + disposition.quantity, 0);
      return [
        quantity === one.quantity
          ? undefined
          : { code: "dispositionsMismatch", field: "dispositions", quantity, expected: one.quantity },
        one.type === "exchange"
          ? earlyPayout(destination)
          : payoutRefused(order, one, one.amount, destination),
      ];
    },
    facts: (order, one, { command }, now) => {
      const { caseId, lineId } = one;
      const { dispositions, destination, personal } = command;
      const received = fact("ReturnReceived", now, {
        caseId,
        dispositions: dispositions.map(({ kind, quantity }) => ({ kind, quantity })),
        ...personalOf(personal?.note === undefined ? {} : { note: personal.note }),
      });
      const sound = dispositions
        .filter(({ kind }) => kind === "restock")
        .reduce((units, { quantity }) => units + quantity, 0);
      const lines = stocked(order, [{ lineId: lineId as string, quantity: sound }]);
      const facts =
        lines.length === 0
          ? [received]
          : [received, fact("StockRestored", now, { cause: "ReturnReceived", lines })];
      return one.type === "exchange" ? facts : paidOut(order, caseId, facts, destination, now);
    },
  },

  IssueRefund: {
    by: ["merchant", "system"],
    guards: (order, one, { actor, command }, now) => {
      const before = one.attempts.at(-1);
      const destination = command.destination ?? before?.destination;
      const left = order.paid - order.refunded - order.inFlight - taxBack(order);
      const { currency, paid } = order;
      return [
        flying(one),
        actor.role === "system" && before !== undefined
          ? notDue(command.type, refundRetryAt(order, one), now)
          : undefined,
        // Reserved since it was applied for; looked at again before money moves.
        one.amount > left
          ? {
              code: "amountTooHigh",
              field: "amount",
              amount: one.amount,
              limit: left,
              claimed: claimedInAll(order, one.caseId),
              paid,
              currency,
            }
          : undefined,
        destination === undefined ? { code: "destinationMissing", field: "destination" } : undefined,
        payoutRefused(order, one, one.amount, destination),
      ];
    },
    facts: (order, one, { command }, now) =>
      paidOut(order, one.caseId, [], command.destination ?? one.attempts.at(-1)?.destination, now),
  },

  SettleRefund: {
    by: ["provider", "system"],
    // The provider calls back more than once: one refund id, one settlement.
    done: (one, { command }) =>
      one.attempts.some(
        ({ refundId, state, amount }) =>
          refundId === command.refundId && state === "settled" && amount === command.amount,
      ),
    guards: (order, one, { command }) => {
      const due = one.attempts.find(({ refundId }) => refundId === command.refundId)?.amount;
      return [
        attemptRefused(one, command.refundId),
        due === undefined || due === command.amount
          ? undefined
          : {
              code: "amountMismatch",
              field: "amount",
              amount: command.amount,
              due,
              currency: order.currency,
            },
      ];
    },
    facts: (order, { caseId }, { command }, now) => {
      const { refundId, amount, tradeNo } = command;
      return settled(order, { caseId, refundId, amount, ...(tradeNo === undefined ? {} : { tradeNo }) }, now);
    },
  },

  FailRefund: {
    by: ["provider", "system"],
    done: (one, { command }) =>
      one.attempts.some(({ refundId, state }) => refundId === command.refundId && state === "failed"),
    guards: (_order, one, { command }) => [attemptRefused(one, command.refundId)],
    facts: (_order, { caseId }, { command }, now) => {
      const { refundId, failure, retryable, message } = command;
      return [
        fact("RefundFailed", now, {
          caseId,
          refundId,
          failure,
          retryable,
          ...(message === undefined ? {} : { message }),
        }),
      ];
    },
  },

  ShipReplacement: {
    by: ["merchant"],
    guards: (_order, { lineId, quantity }, { command }) => {
      const { available } = command;
      return [
        available === undefined || quantity <= available
          ? undefined
          : { code: "outOfStock", field: "available", lineId: lineId as string, quantity, available },
      ];
    },
    facts: (_order, { caseId, lineId, quantity }, { command }, now) => [
      fact("ReplacementShipped", now, { caseId, ...waybillOf(command) }),
      fact("StockDeducted", now, {
        cause: "ReplacementShipped",
        lines: [{ lineId: lineId as string, quantity }],
        rule: "replacement",
      }),
    ],
  },

  ConfirmReplacement: {
    by: ["buyer", "system"],
    guards: (order, one, { actor, command }, now) => [
      actor.role === "system" ? notDue(command.type, replacementConfirmAt(order, one), now) : undefined,
    ],
    facts: (_order, { caseId }, { actor }, now) => [
      fact("ReplacementReceived", now, { caseId, by: actor.role === "system" ? "system" : "buyer" }),
    ],
  },

  ConvertToRefund: {
    by: ["merchant"],
    guards: (order, one, { command }) => {
      const { amount, buyerConsents, destination } = command;
      const left = convertibleOf(order, one).amount;
      return [
        amountRefused(order, "returnRefund", amount, left, { without: one.caseId }),
        buyerConsents ? undefined : { code: "consentMissing", field: "buyerConsents" },
        payoutRefused(order, one, amount, destination),
      ];
    },
    facts: (order, { caseId }, { command }, now) => {
      const { amount, destination } = command;
      const converted = fact("ExchangeConverted", now, { caseId, toType: "returnRefund", amount });
      return paidOut(order, caseId, [converted], destination, now);
    },
  },
};
