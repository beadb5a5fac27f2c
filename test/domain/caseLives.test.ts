// Random lives of orders under after-sale, by many hands on a virtual clock: every invariant after every command.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import type { CaseCommandType } from "../../src/domain/caseCommands.ts";
import { destinations, importedStatuses } from "../../src/domain/caseEvents.ts";
import { caseCommandTypes, caseCommandsFor, caseStatuses } from "../../src/domain/caseLifecycle.ts";
import { type Case, inFlight } from "../../src/domain/caseState.ts";
import type { Command, Policy } from "../../src/domain/commands.ts";
import { deadlinesOf, isPast } from "../../src/domain/deadlines.ts";
import { type Decision, decide, rolesFor } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { isLegal } from "../../src/domain/lifecycle.ts";
import { claimedInAll, refundableOf } from "../../src/domain/refundable.ts";
import { type Rejection, describeRejection } from "../../src/domain/refusals.ts";
import { type Order, type OrderState, evolve, fold, initialState, ledgerOf } from "../../src/domain/state.ts";
import { caseTypes, defaultTerms, refundablePolicies, stockRules } from "../../src/domain/terms.ts";
import { waybill } from "./cases.ts";
import { deepFreeze } from "./given.ts";
import { stateHolds, stepHolds } from "./invariants.ts";
import {
  admin,
  ask,
  askForOrder,
  buyer,
  day,
  merchant,
  minute,
  parcel,
  policy,
  provider,
  rightCode,
  second,
  staff,
  stranger,
  system,
  t0,
} from "./orders.ts";

const people = [buyer, merchant, provider, system, staff, admin, stranger] as const;
const lineIds = ["L1", "L2"] as const;

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
const life = fc.record({
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
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;
type Step = Life["steps"][number];

interface Told {
  readonly now: number;
  readonly actor: Actor;
  readonly command: Command;
  readonly before: OrderState;
  readonly answer: Decision;
  readonly after: OrderState;
  readonly history: readonly OrderEvent[];
}

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
function dueOn(order: Order, now: number): Command | undefined {
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

function asked(order: Order, one: Step, now: number): readonly [Actor, Command] {
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
function beginning(of: Life): readonly (readonly [Actor, Command])[] {
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

function live(of: Life, told: (step: Told) => void): Order {
  let state: OrderState = initialState;
  let history: readonly OrderEvent[] = [];
  let now = t0;
  const knowing: Policy = { ...rightCode, terms: { ...defaultTerms, ...of.terms } };
  const does = (actor: Actor, command: Command): Decision => {
    const before = state;
    const answer = decide(deepFreeze({ actor, command, policy: knowing }), before, now);
    const events = E.isRight(answer) ? answer.right : [];
    const after = deepFreeze(events.reduce(evolve, before));
    history = [...history, ...events];
    told({ now, actor, command, before, answer, after, history });
    state = after;
    return answer;
  };
  for (const [actor, command] of beginning(of)) {
    const answer = does(actor, command);
    if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left));
    now += minute;
  }
  for (const one of of.steps) {
    now = Math.max(t0, now + one.gap);
    const [actor, command] = asked(state as Order, one, now);
    does(actor, command);
  }
  return state as Order;
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

const runs = Number(process.env["AFTERSALE_RUNS"] ?? 300);
const check = (holds: (step: Told) => void): void =>
  fc.assert(
    fc.property(life, (of) => {
      live(of, holds);
    }),
    { numRuns: runs },
  );

describe("after every command of any life under after-sale", () => {
  it("the ledger, the caps, the stock and the steps hold (1 to 6, 12, 17, 18, 20 to 23, 27)", () => {
    check(({ command, before, answer, after }) => {
      stepHolds({ command, before, answer, after });
      if (after.status !== "none") stateHolds(after);
    });
  });

  it("the same question has the same answer, of a state out of JSON too (8); a refusal changes nothing (9)", () => {
    check(({ actor, command, before, answer, now, after }) => {
      const again = decide(copy({ actor, command, policy: rightCode }), copy(before), now);
      // CreateOrder alone looks at the policy's terms.
      if (command.type !== "CreateOrder") expect(again).toStrictEqual(answer);
      if (E.isLeft(answer) || answer.right.length === 0) expect(after).toBe(before);
    });
  });

  it("the state is the fold of its history, out of JSON and from any point on (7, 25)", () => {
    check(({ after, history, answer }) => {
      if (E.isLeft(answer)) return;
      expect(fold(history)).toStrictEqual(after);
      expect(fold(copy(history))).toStrictEqual(after);
      const half = Math.floor(history.length / 2);
      expect(history.slice(half).reduce(evolve, fold(history.slice(0, half)))).toStrictEqual(after);
      expect(answer.right.every((one) => JSON.stringify(copy(one)) === JSON.stringify(one))).toBe(true);
    });
  });

  it("what is suggested is accepted, and one more is refused for its amount (18)", () => {
    check(({ now, after }) => {
      if (after.status === "none" || !isLegal(after.status, "ApplyRefund")) return;
      for (const lineId of lineIds) {
        const { quantity, amount } = refundableOf(after, lineId);
        const sent = after.status !== "paid";
        if (sent ? quantity === 0 : amount === 0) continue;
        const caseType = sent ? "returnRefund" : "refundOnly";
        const of = { caseId: "c-new", lineId, caseType, quantity: sent ? quantity : 0 } as const;
        const answer = (more: number): readonly string[] => {
          const command = ask("ApplyRefund", { ...of, amount: amount + more });
          const decided = decide({ actor: buyer, command, policy }, after, Math.max(now, after.lastAt));
          return E.isRight(decided)
            ? []
            : [decided.left, ...(decided.left.also ?? [])].map(({ code }) => code);
        };
        // G1 to G6 may stand in the way of either.
        const earlier = answer(0);
        expect(["windowExpired", "caseOpen"]).toEqual(expect.arrayContaining([...earlier]));
        expect(answer(1).filter((code) => code !== "nothingPaid")).toStrictEqual([
          ...earlier,
          "amountTooHigh",
        ]);
      }
    });
  });

  it("all open cases can be approved and paid, each in full (3)", () => {
    check(({ now, after }) => {
      if (after.status === "none") return;
      let order: Order = after;
      const { reserved, refunded } = ledgerOf(order);
      for (const { caseId, type, status } of order.cases) {
        if (type !== "refundOnly") continue;
        const asking = status === "requested" ? "ApproveRefund" : "IssueRefund";
        if (status !== "requested" && status !== "refundPending") continue;
        if (order.cases.some((one) => one.caseId === caseId && inFlight(one) !== undefined)) continue;
        const command = ask(asking, { caseId, destination: "manual" });
        const answer = decide({ actor: merchant, command, policy }, order, Math.max(now, order.lastAt));
        if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left));
        order = answer.right.reduce(evolve, order) as Order;
      }
      stateHolds(order);
      expect(claimedInAll(order)).toBe(reserved + refunded);
    });
  });

  it("a refund is issued only after an approval, and once per refund id (23, 2)", () => {
    check(({ history }) => {
      const approvals = new Set<string>();
      const ids = new Set<string>();
      for (const one of history) {
        if (one.type === "RefundApproved" || one.type === "ExchangeConverted") approvals.add(one.data.caseId);
        // Approved, or paid already, where it comes from.
        if (one.type === "RefundImported" && one.data.status !== "requested") {
          approvals.add(one.data.caseId);
        }
        if (one.type !== "RefundIssued") continue;
        expect(approvals).toContain(one.data.caseId);
        expect(ids).not.toContain(one.data.refundId);
        ids.add(one.data.refundId);
      }
    });
  });

  it("a deadline that has passed fires, once (27)", () => {
    check(({ now, after }) => {
      if (after.status === "none") return;
      const at = Math.max(now, after.lastAt) + 99 * day;
      let order: Order = after;
      for (let fired = 0; ; fired += 1) {
        const command = dueOn(order, at);
        if (command === undefined) break;
        expect(fired).toBeLessThan(20);
        const answer = decide({ actor: system, command, policy }, order, at);
        if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left));
        expect(answer.right.length).toBeGreaterThan(0);
        order = answer.right.reduce(evolve, order) as Order;
      }
      expect(deadlinesOf(order).filter(({ dueAt }) => isPast(dueAt, at))).toStrictEqual([]);
    });
  });

  it("a refusal is in the documented order, and in words with its field and its numbers (29)", () => {
    const documented = [
      "wrongActor",
      "timeRunsBackwards",
      "orderStatusNotEligible",
      "caseNotFound",
      "caseStatusNotEligible",
      "originNotEligible",
      "nothingPaid",
      "lineNotInOrder",
      "windowExpired",
      "typeNotAllowed",
      "caseOpen",
      "amountTooHigh",
      "amountTooLow",
      "quantityInvalid",
      "quantityTooHigh",
      "reasonLength",
      "noteTooLong",
      "evidenceTooMany",
      "caseIdUsed",
    ];
    check(({ answer, command }) => {
      if (E.isRight(answer)) return;
      const { also = [], ...first } = answer.left;
      const all = [first as Rejection, ...also];
      const words = describeRejection(answer.left);
      expect(words).toBe(all.map(describeRejection).join("; also "));
      expect(words).not.toMatch(/undefined|NaN|null|\[object|Invalid/);
      if (command.type !== "ApplyRefund") return;
      const ranks = all.map(({ code }) => documented.indexOf(code)).filter((rank) => rank !== -1);
      expect(ranks.toSorted((a, b) => a - b)).toStrictEqual(ranks);
    });
  });
});

it("the lives are not idle: every status, every command and every refusal of a case comes up", () => {
  const statuses = new Set<string>();
  const accepted = new Set<string>();
  const refused = new Set<string>();
  const ends = new Set<string>();
  fc.assert(
    fc.property(life, (of) => {
      const order = live(of, ({ after, answer, command }) => {
        if (after.status !== "none") after.cases.forEach(({ status }) => statuses.add(status));
        if (E.isRight(answer)) accepted.add(command.type);
        else [answer.left, ...(answer.left.also ?? [])].forEach(({ code }) => refused.add(code));
      });
      ends.add(`${order.status}${order.closedByRefund ? " by refund" : ""}`);
      for (const one of order.cases) ends.add(one.origin);
    }),
    { numRuns: 600, seed: 20_261_122 },
  );
  expect(statuses).toStrictEqual(new Set(caseStatuses));
  expect(caseCommandTypes.filter((type) => !accepted.has(type))).toStrictEqual([]);
  const wanted = [
    "caseNotFound",
    "caseIdUsed",
    "caseStatusNotEligible",
    "originNotEligible",
    "caseOpen",
    "nothingPaid",
    "statusNotPossible",
    "windowExpired",
    "typeNotAllowed",
    "amountTooLow",
    "amountTooHigh",
    "quantityInvalid",
    "quantityTooHigh",
    "reasonLength",
    "noteTooLong",
    "evidenceTooMany",
    "dispositionsMismatch",
    "consentMissing",
    "destinationMissing",
    "destinationRefused",
    "refundInFlight",
    "refundUnknown",
    "refundNotInFlight",
    "amountMismatch",
    "outOfStock",
    "lineNotInOrder",
    "notDue",
  ];
  expect(wanted.filter((code) => !refused.has(code))).toStrictEqual([]);
  expect(
    ["closed by refund", "application", "cancellation", "latePayment", "import"].filter(
      (end) => !ends.has(end),
    ),
  ).toStrictEqual([]);
});
