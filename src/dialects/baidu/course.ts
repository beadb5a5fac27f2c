// The commands that bring an order to where one of Baidu's documents says it is: tried on its state first, given to the engine later.

import * as E from "fp-ts/lib/Either.js";

import type { Actor } from "../../domain/actor.ts";
import type { ImportedStatus } from "../../domain/caseEvents.ts";
import type { Case } from "../../domain/caseState.ts";
import type { Command, CommandData, CommandType } from "../../domain/commands.ts";
import { decide } from "../../domain/decide.ts";
import type { OrderEvent } from "../../domain/events.ts";
import { limits } from "../../domain/limits.ts";
import { refundableOf } from "../../domain/refundable.ts";
import { type Rejection, describeRejection } from "../../domain/refusals.ts";
import { type Order, type OrderState, evolve, isTerminal, openCasesOf } from "../../domain/state.ts";
import { defaultTerms } from "../../domain/terms.ts";
import type { Item } from "./documents.ts";
import { type SubStatus, caseTypeOf, mainStatusOf, orderTypes, refusedThere, subStatusOf } from "./states.ts";
import { productIdOf, subOrderIdOf } from "./views.ts";
import { fittingId } from "./ids.ts";

/** What of a document could not be carried, or was carried as something else: where it stands, and what became of it. */
export interface Loss {
  readonly path: string;
  readonly what: string;
}

export interface Step {
  readonly command: Command;
  readonly actor: Actor;
  readonly at: number;
}

/** Who gives what the documents bring and nobody of this shop asked for. */
export const importer: Actor = { role: "system", id: "baidu" };

/** When an order was paid, and how. */
export interface PaidHow {
  /** Milliseconds UTC. */
  readonly at: number;
  readonly channel: "online" | "offline";
}

/** Where an order is to be. Instants in milliseconds UTC. */
export interface Goal {
  /** `Data.Status`; undefined: where it is. */
  readonly status: number | undefined;
  /** Undefined: as the status says. */
  readonly paid: PaidHow | boolean | undefined;
  /** The number of an online payment. */
  readonly tradeNo: string | undefined;
  /** When it was last changed. */
  readonly changedAt: number;
  readonly items: readonly { readonly item: Item; readonly path: string }[];
  /** Parcels that went to the buyer. */
  readonly parcels: readonly { readonly carrier: string; readonly trackingNumber: string }[];
}

const paidStatuses: readonly number[] = [3, 4, 5, 6, 200];
const sentStatuses: readonly number[] = [4, 6, 200];

/** An order's way, as far as it was tried. */
export class Course {
  state: OrderState;
  readonly steps: Step[];
  readonly losses: Loss[] = [];
  /** How many things that the document says are not so at its end. */
  failures = 0;
  readonly #now: number;

  constructor(state: OrderState, steps: readonly Step[], now: number) {
    this.state = state;
    this.steps = [...steps];
    this.#now = now;
  }

  get order(): Order {
    return this.state as Order;
  }

  /** Takes a step, or says why it cannot be taken. */
  take<T extends CommandType>(
    type: T,
    data: CommandData[T],
    actor: Actor,
    at: number,
  ): Rejection | undefined {
    const { orderId, lastAt } = this.order;
    const command = { type, orderId, ...data } as unknown as Command;
    const when = Math.max(lastAt, Math.min(at, this.#now));
    const decided = decide({ actor, command, policy }, this.state, when);
    if (E.isLeft(decided)) return decided.left;
    this.state = decided.right.reduce<OrderState>(
      (state, event: OrderEvent) => evolve(state, event),
      this.state,
    );
    if (decided.right.length > 0) this.steps.push({ command, actor, at: when });
    return undefined;
  }

  lose(path: string, what: string): void {
    this.losses.push({ path, what });
  }

  fail(path: string, why: Rejection | string): void {
    this.failures += 1;
    this.lose(path, typeof why === "string" ? why : describeRejection(why));
  }
}

const policy = { terms: defaultTerms, redeemStaff: [] };

/** The best of the ways from a state to a goal; `steps` were taken before. */
export function bring(state: OrderState, steps: readonly Step[], goal: Goal, now: number): Course {
  let best: Course | undefined;
  for (const items of sequences(goal.items)) {
    for (const way of waysTo(goal)) {
      const course = new Course(state, steps, now);
      walk(course, { ...goal, items }, way);
      if (best === undefined || course.failures < best.failures) best = course;
      if (course.failures === 0) return course;
    }
  }
  return best as Course;
}

/**
 * In which order sub-orders may have come to where they are; the document does not say. What is open comes last: what has ended makes
 * room for it on its line.
 */
function sequences(items: Goal["items"]): readonly Goal["items"][] {
  const open = ({ item }: Goal["items"][number]): number => Number(isStillOpen(item));
  const failed = ({ item }: Goal["items"][number]): number => Number(item.SubStatus < 404);
  const byEnd = items.toSorted(
    (a, b) => open(a) - open(b) || a.item.MTime - b.item.MTime || a.item.CTime - b.item.CTime,
  );
  if (items.length < 2) return [byEnd];
  const byBeginning = items.toSorted((a, b) => open(a) - open(b) || a.item.CTime - b.item.CTime);
  const failedFirst = byEnd.toSorted((a, b) => failed(a) - failed(b));
  return [byEnd, failedFirst, byBeginning];
}

/** A document does not say between which of its sub-orders the goods were sent, nor whether what is hidden was received. */
interface Way {
  /** Before which of the items; none: never. */
  readonly sendAt: number | undefined;
  readonly receive: boolean;
}

function waysTo({ status, paid, items }: Goal): readonly Way[] {
  if (status === undefined || status < 100) {
    return [{ sendAt: sentStatuses.includes(status ?? 0) ? 0 : undefined, receive: false }];
  }
  if (status === 200) return [{ sendAt: 0, receive: true }];
  if (paid === false) return [{ sendAt: undefined, receive: false }];
  const places = [undefined, ...items.keys()];
  const closed = places.map((sendAt) => ({ sendAt, receive: false }));
  // What is hidden was completed, more often than not.
  return status === 300 ? [{ sendAt: 0, receive: true }, ...closed] : closed;
}

function walk(course: Course, goal: Goal, way: Way): void {
  const { status, changedAt } = goal;
  const buyer = (): Actor => ({ role: "buyer", id: course.order.buyerId });
  const over = status === 100 || status === 300;
  const paid = goal.paid ?? (status !== undefined && paidStatuses.includes(status));
  if (over && paid === false && isPending(course.order)) {
    const first = Math.min(changedAt, ...goal.items.map(({ item }) => item.CTime * 1_000));
    course.take("CancelOrder", {}, merchantOf(course.order), first);
  }
  if (paid !== false) {
    pay(course, paid === true ? { at: changedAt, channel: "online" } : paid, goal.tradeNo);
  }
  const send = (): void => {
    if (course.order.status === "paid") {
      const { orderId, fulfilment } = course.order;
      const unnamed = goal.parcels.length === 0 && fulfilment === "express";
      if (unnamed) course.lose("EXT.MainOrder", "no waybill: the order's id stands for it");
      const parcels = unnamed ? [waybillOf(orderId)] : goal.parcels;
      const shipments = parcels.length === 0 ? {} : { shipments: parcels };
      const refused = course.take("Ship", { ...shipments, force: true }, merchantOf(course.order), changedAt);
      if (refused !== undefined) course.lose("Status", describeRejection(refused));
    }
    if (way.receive && course.order.status === "shipped") {
      course.take("ConfirmReceipt", {}, buyer(), changedAt);
      if (status === 300) course.take("HideOrder", {}, buyer(), changedAt);
    }
  };
  goal.items.forEach(({ item, path }, at) => {
    if (at === way.sendAt) send();
    // What is open keeps an order from being hidden: it was hidden before what is open now was asked for, and before money came late.
    if (status === 300 && (isStillOpen(item) || isLateMoney(course.order, item))) {
      course.take("HideOrder", {}, buyer(), item.CTime * 1_000);
    }
    carry(course, item, path);
  });
  if (way.sendAt === 0 && goal.items.length === 0) send();
  if (status === 300) course.take("HideOrder", {}, buyer(), changedAt);
  const { closedByRefund, endedAt = 0 } = course.order;
  if (closedByRefund && endedAt > changedAt) {
    course.lose("Mtime", "a sub-order ended after its order, which comes in as ending no earlier");
  }
  if (status !== undefined && mainStatusOf(course.order) !== status) {
    course.fail("Status", `${status} is not reached: the order stays ${course.order.status}`);
  }
}

const merchantOf = ({ merchantId }: Order): Actor => ({ role: "merchant", id: merchantId });

const isPending = ({ status }: Order): boolean =>
  status === "pendingConfirmation" || status === "pendingPayment";

function pay(course: Course, { at, channel }: PaidHow, tradeNo: string | undefined): void {
  if (course.order.status === "pendingConfirmation")
    course.take("ConfirmOrder", {}, merchantOf(course.order), at);
  if (course.order.status !== "pendingPayment") return;
  const { orderId, total } = course.order;
  const payId = fittingId(`baidu:${orderId}`);
  const traced = channel === "online" && tradeNo !== undefined ? { tradeNo } : {};
  const refused = course.take("Pay", { payId, amount: total, channel, ...traced }, importer, at);
  if (refused !== undefined) course.lose("EXT.MainOrder.Payment", describeRejection(refused));
}

/** One sub-order: a case that is here is moved on, another is imported. */
function carry(course: Course, item: Item, path: string): void {
  const known = caseCalled(course.order, item.SubOrderID);
  if (known !== undefined) {
    moveOn(course, known, item, path);
    return;
  }
  if (isLateMoney(course.order, item)) payLate(course, item, path);
  else importItem(course, item, path);
}

/** The case that a sub-order is; money that came late keeps no more of the name it came with than its payment's id. */
export function caseCalled({ cases }: Order, SubOrderID: string): Case | undefined {
  return (
    cases.find((one) => subOrderIdOf(one) === SubOrderID) ??
    cases.find(({ caseId }) => caseId === `late:${latePayIdOf(SubOrderID)}`)
  );
}

function latePayIdOf(SubOrderID: string): string {
  return fittingId(SubOrderID.startsWith("late:") ? SubOrderID.slice("late:".length) : SubOrderID);
}

function isStillOpen({ SubStatus }: Item): boolean {
  return SubStatus === 400 || SubStatus === 401;
}

/** Money that went back for an order that was over: it came too late, for what else would be given back. */
function isLateMoney(order: Order, { OrderType, SubStatus, Refund }: Item): boolean {
  const isRefund = OrderType === 1 && (SubStatus === 401 || SubStatus === 402);
  return isTerminal(order) && isRefund && (Refund?.Amount ?? 0) > 0;
}

function payLate(course: Course, item: Item, path: string): void {
  const { SubOrderID, SubStatus, CTime, MTime, Refund } = item;
  const amount = Refund?.Amount ?? 0;
  const payId = latePayIdOf(SubOrderID);
  const refused =
    // By hand: nothing is to be paid again by itself that was paid elsewhere.
    course.take("Pay", { payId, amount, channel: "offline" }, importer, CTime * 1_000) ??
    (SubStatus === 402
      ? course.take(
          "IssueRefund",
          { caseId: `late:${payId}`, destination: "manual" },
          merchantOf(course.order),
          MTime * 1_000,
        )
      : undefined);
  if (refused !== undefined) {
    course.fail(path, refused);
    return;
  }
  course.lose(path, "carried as money that came too late, paid and given back by hand");
  if (SubStatus === 401 && MTime !== CTime) {
    course.lose(`${path}.MTime`, "what became of the money since it came");
  }
  if (`late:${payId}` !== SubOrderID) course.lose(`${path}.SubOrderID`, `it is late:${payId} here`);
}

const importedAs: Readonly<Record<SubStatus, ImportedStatus>> = {
  400: "requested",
  401: "awaitingReturn",
  402: "refunded",
  403: "exchanged",
  404: "closed",
  407: "rejected",
};

function importItem(course: Course, item: Item, path: string): void {
  const { order } = course;
  const { SubOrderID, SubStatus, OrderType, MTime } = item;
  const caseType = caseTypeOf[OrderType];
  const products = item.Refund?.Product ?? item.Aftermarket?.Product ?? [];
  const named = order.lines.filter((line) => products.some(({ ID }) => ID === productIdOf(line)));
  const lines = named.length > 0 ? named : order.lines.length === 1 ? order.lines : [];
  if (lines.length === 0) {
    course.fail(`${path}.Refund.Product`, "names no product of the order");
    return;
  }
  const unsaid = item.Refund === undefined && caseType === "refundOnly" && isStillOpen(item);
  const shared = products.reduce((all, { Amount }) => all + Amount, 0);
  const said = item.Refund?.Amount ?? 0;
  if (item.Refund !== undefined && shared !== said) {
    course.lose(`${path}.Refund.Amount`, `is ${said}, and its products' come to ${shared}: ${said} counts`);
  }
  if (caseType === "exchange" && said > 0)
    course.lose(`${path}.Refund.Amount`, "an exchange gives no money back");
  const status = SubStatus === 401 && caseType === "refundOnly" ? "refundPending" : importedAs[SubStatus];
  let first: Rejection | undefined;
  for (const line of lines) {
    const left = refundableOf(order, line.lineId).amount;
    const amount = caseType === "exchange" ? 0 : unsaid ? left : said;
    const product = products.find(({ ID }) => ID === productIdOf(line));
    const quantity = caseType === "refundOnly" ? 0 : Math.max(1, product?.Quantity ?? 1);
    const refused = course.take(
      "ImportRefund",
      {
        caseId: fittingId(`${order.orderId}.${SubOrderID}`),
        source: "baidu",
        status,
        lineId: line.lineId,
        caseType,
        quantity,
        amount,
        raw: Object.entries(item) as unknown as CommandData["ImportRefund"]["raw"],
      },
      importer,
      MTime * 1_000,
    );
    first ??= refused;
    if (refused === undefined) {
      if (unsaid) course.lose(`${path}.Refund`, `names no sum: ${amount} is what can be refunded`);
      if (products.length > 1) {
        course.lose(
          `${path}.Refund.Product`,
          `the case is about ${productIdOf(line)}; the others ride along`,
        );
      }
      if (SubStatus === 401 && caseType !== "refundOnly") {
        course.lose(`${path}.SubStatus`, "401 does not say how far the return is: it is awaited");
      }
      if (status === "refunded") course.lose(path, "given back by hand, as this shop's books see it");
      return;
    }
  }
  course.fail(path, first as Rejection);
}

/** A waybill where the document names none: by the id of what was sent. */
function waybillOf(id: string): { readonly carrier: string; readonly trackingNumber: string } {
  return { carrier: "百度", trackingNumber: id.slice(0, limits.waybillLength) };
}

function moveOn(course: Course, known: Case, item: Item, path: string): void {
  const { SubStatus, OrderType, Refund } = item;
  const goesOn = SubStatus !== 400 && SubStatus !== 403;
  // An exchange gives no money back, whatever it names.
  const asked = OrderType === orderTypes.exchange ? 0 : (Refund?.Amount ?? known.amount);
  const converts = goesOn && isConverted(known, item);
  const lowers = goesOn && known.status === "requested" && asked < known.amount;
  if (orderTypes[known.type] !== OrderType && !converts) {
    course.fail(`${path}.OrderType`, `is ${orderTypes[known.type]} here, and cannot become ${OrderType}`);
  } else if (asked !== known.amount && !converts && !lowers) {
    course.fail(`${path}.Refund.Amount`, `is ${known.amount} here, and cannot become ${asked}`);
  } else {
    // Each step leads on by one; how many there are depends on where the case is.
    for (let step = 0; step < 8; step += 1) {
      const one = course.order.cases.find(({ caseId }) => caseId === known.caseId) as Case;
      const same = orderTypes[one.type] === OrderType && one.amount === asked;
      if (same && subStatusOf(one.status) === SubStatus) return;
      // What came to nothing was first approved for less, or converted.
      const toward = same || SubStatus === 402 ? item : { ...item, SubStatus: 401 as const };
      const refused = stepToward(course, one, toward, path);
      if (refused !== undefined) {
        course.fail(`${path}.SubStatus`, refused);
        return;
      }
    }
  }
}

/** An exchange of which the document says that it gave money back instead. */
function isConverted({ type }: Case, { OrderType }: Item): boolean {
  return type === "exchange" && OrderType === orderTypes.returnRefund;
}

function stepToward(course: Course, one: Case, item: Item, path: string): Rejection | string | undefined {
  const { order } = course;
  const { caseId, status, quantity, type } = one;
  const at = item.MTime * 1_000;
  const target = item.SubStatus;
  const merchant = merchantOf(order);
  const buyer: Actor = { role: "buyer", id: order.buyerId };
  const no = `is ${subStatusOf(status)} here, and cannot become ${target}`;
  const isOpen = openCasesOf(order).includes(one);
  if (target === 404) {
    const bySelf = status !== "replacementPending" && status !== "replacementShipped";
    if (!isOpen && status !== "rejected") return no;
    return bySelf
      ? course.take("CancelRefund", { caseId }, buyer, at)
      : course.take("CloseRefund", { caseId }, merchant, at);
  }
  if (!isOpen) return no;
  const waybill = waybillOf(item.SubOrderID);
  const sendBack = (): Rejection | undefined => {
    course.lose(path, "no waybill of what was sent back: the sub-order's id stands for it");
    return course.take("ShipReturn", { caseId, ...waybill }, buyer, at);
  };
  if (target === 407) {
    // Goods that are awaited are refused once they are seen.
    if (status === "awaitingReturn") return sendBack();
    course.lose(`${path}.SubStatus`, "407 gives no reason: the document's own words stand for it");
    return course.take("RejectRefund", { caseId, reason: refusedThere }, merchant, at);
  }
  const converts = isConverted(one, item);
  if (target === 400 || (target === 402) === (type === "exchange" && !converts)) {
    if (target !== 401) return no;
  }
  const manual = target === 402 && type !== "exchange" ? { destination: "manual" as const } : {};
  switch (status) {
    case "requested": {
      const amount = type === "exchange" ? {} : { amount: item.Refund?.Amount };
      const payable = type === "refundOnly" ? manual : {};
      return course.take("ApproveRefund", { caseId, ...amount, ...payable }, merchant, at);
    }
    case "awaitingReturn":
      return sendBack();
    case "returnInTransit": {
      course.lose(path, "nothing is said of the goods that came back: they are taken as good");
      const dispositions = [{ kind: "restock" as const, quantity }];
      return course.take("ReceiveReturn", { caseId, dispositions, ...manual }, merchant, at);
    }
    case "refundPending":
      return course.take("IssueRefund", { caseId, destination: "manual" }, merchant, at);
    case "replacementPending":
      if (converts) {
        course.lose(
          path,
          "nothing is said of the buyer's consent to money instead of goods: it is taken as given",
        );
        const amount = item.Refund?.Amount ?? 0;
        return course.take("ConvertToRefund", { caseId, amount, buyerConsents: true }, merchant, at);
      }
      course.lose(path, "no waybill of the replacement: the sub-order's id stands for it");
      return course.take("ShipReplacement", { caseId, ...waybill }, merchant, at);
    case "replacementShipped":
      return course.take("ConfirmReplacement", { caseId }, buyer, at);
    default:
      return no;
  }
}
