// Every way that a small order can go, up to a depth: two lines, quantities up to two, and no invariant broken on any of them.
//
// AFTERSALE_EXPLORE=6 goes six commands deep instead of the usual number, for as long as it takes.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import { type Case, inFlight } from "../../src/domain/caseState.ts";
import { caseCommandsFor, caseStatuses } from "../../src/domain/caseLifecycle.ts";
import type { Command } from "../../src/domain/commands.ts";
import { decide } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { refundableOf } from "../../src/domain/refundable.ts";
import { type Order, evolve, fold } from "../../src/domain/state.ts";
import { type RefundablePolicy, refundablePolicies } from "../../src/domain/terms.ts";
import { waybill } from "./cases.ts";
import { stateHolds, stepHolds } from "./invariants.ts";
import {
  ask,
  buyer,
  created,
  event,
  merchant,
  paid,
  parcel,
  policy,
  provider,
  received,
  shipped,
  system,
  t0,
} from "./orders.ts";

type Asked = readonly [actor: Actor, command: Command];

const allowedTypes = ["refundOnly", "returnRefund", "exchange"] as const;

/** 2 x 3.00 + 1 x 5.00 + 1.00 freight - 2.00 discount = 10.00, paid at one instant, which all else happens at too. */
function small(refundable: RefundablePolicy, fulfilment: "express" | "virtual"): readonly OrderEvent[] {
  return [
    created({
      lines: [
        { lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 300, quantity: 2, allowedTypes },
        { lineId: "L2", goodsId: "B", title: "Cup", unitPrice: 500, quantity: 1, allowedTypes },
      ],
      charges: [{ kind: "freight", amount: 100 }],
      discount: 200,
      goods: 1_100,
      total: 1_000,
      fulfilment,
      terms: { refundable },
    }),
    paid(t0, { amount: 1_000, channel: "wallet" }),
    event("StockDeducted", t0, {
      cause: "OrderPaid",
      lines: [
        { lineId: "L1", quantity: 2 },
        { lineId: "L2", quantity: 1 },
      ],
      rule: "payment",
    }),
  ];
}

function begun(status: "paid" | "shipped" | "completed", of: readonly OrderEvent[]): Order {
  const sent = status === "paid" ? of : [...of, shipped(t0)];
  return fold(status === "completed" ? [...sent, received(t0)] : sent) as Order;
}

/** What anybody may ask next, sound or one too much. */
function* menu(order: Order): Generator<Asked> {
  yield [merchant, ask("Ship", { shipments: [parcel] })];
  yield [merchant, ask("Ship", { shipments: [parcel], force: true })];
  yield [buyer, ask("ConfirmReceipt", {})];
  yield [merchant, ask("CancelOrder", { destination: "wallet" })];
  yield [merchant, ask("CancelOrder", { destination: "manual" })];
  if (order.payments.length < 2) yield [system, ask("Pay", { payId: "late", amount: 7, channel: "wallet" })];
  const caseId = `c${order.cases.length + 1}`;
  for (const { lineId } of order.lines) {
    const { amount } = refundableOf(order, lineId);
    const whole = { caseId, lineId };
    for (const asked of new Set([amount, Math.floor(amount / 2), amount + 1])) {
      yield [buyer, ask("ApplyRefund", { ...whole, caseType: "refundOnly", amount: asked })];
      for (const quantity of [1, 2]) {
        yield [buyer, ask("ApplyRefund", { ...whole, caseType: "returnRefund", quantity, amount: asked })];
      }
    }
    yield [buyer, ask("ApplyRefund", { ...whole, caseType: "exchange", quantity: 1, amount: 0 })];
  }
  for (const one of order.cases) yield* toCase(one);
}

function* toCase(one: Case): Generator<Asked> {
  const { caseId, quantity, amount } = one;
  const refundId = inFlight(one)?.refundId ?? one.attempts.at(-1)?.refundId ?? `${caseId}:1`;
  for (const type of caseCommandsFor(one.status)) {
    switch (type) {
      case "ApproveRefund":
        yield [merchant, ask(type, { caseId })];
        yield [merchant, ask(type, { caseId, destination: "manual" })];
        yield [merchant, ask(type, { caseId, amount: Math.ceil(amount / 2) })];
        break;
      case "RejectRefund":
        yield [merchant, ask(type, { caseId, reason: "no proof" })];
        break;
      case "CancelRefund":
      case "ConfirmReplacement":
        yield [buyer, ask(type, { caseId })];
        break;
      case "CloseRefund":
        yield [merchant, ask(type, { caseId })];
        break;
      case "ShipReturn":
        yield [buyer, ask(type, { caseId, ...waybill })];
        break;
      case "ReceiveReturn":
        yield [merchant, ask(type, { caseId, dispositions: [{ kind: "restock", quantity }] })];
        yield [
          merchant,
          ask(type, { caseId, dispositions: [{ kind: "missing", quantity }], destination: "manual" }),
        ];
        break;
      case "IssueRefund":
        if (one.attempts.length < 2) yield [merchant, ask(type, { caseId, destination: "wallet" })];
        yield [merchant, ask(type, { caseId, destination: "manual" })];
        break;
      case "SettleRefund":
        yield [provider, ask(type, { caseId, refundId, amount })];
        yield [provider, ask(type, { caseId, refundId, amount: amount + 1 })];
        break;
      case "FailRefund":
        yield [provider, ask(type, { caseId, refundId, failure: "NO", retryable: true })];
        break;
      case "ShipReplacement":
        yield [merchant, ask(type, { caseId, ...waybill })];
        break;
      case "ConvertToRefund":
        yield [merchant, ask(type, { caseId, amount: 300, buyerConsents: true })];
        yield [merchant, ask(type, { caseId, amount: 1, buyerConsents: true, destination: "manual" })];
        break;
      // Hiding changes no rule, and neither does another waybill.
      default:
        break;
    }
  }
}

const depth = Number(process.env["AFTERSALE_EXPLORE"] ?? 4);

interface Found {
  states: number;
  decisions: number;
  readonly statuses: Set<string>;
}

/** All states within so many commands, each looked at once. */
function explore(from: Order): Found {
  const found: Found = { states: 0, decisions: 0, statuses: new Set() };
  const seen = new Set<string>([JSON.stringify(from)]);
  let edge: readonly Order[] = [from];
  for (let step = 0; step <= depth; step += 1) {
    const next: Order[] = [];
    for (const before of edge) {
      stateHolds(before);
      found.states += 1;
      found.statuses.add(before.status);
      for (const one of before.cases) found.statuses.add(one.status);
      if (step === depth) continue;
      for (const [actor, command] of menu(before)) {
        found.decisions += 1;
        const answer = decide({ actor, command, policy }, before, t0);
        const after = E.isLeft(answer) ? before : (answer.right.reduce(evolve, before) as Order);
        stepHolds({ command, before, answer, after });
        if (after === before) continue;
        const key = JSON.stringify(after);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(after);
      }
    }
    edge = next;
  }
  return found;
}

const beginnings = refundablePolicies.flatMap((refundable) =>
  (["paid", "shipped", "completed"] as const).map((status) => ({ refundable, status })),
);

describe(`every way of a small order, ${depth} commands deep`, () => {
  let all = 0;
  const statuses = new Set<string>();

  it.each(beginnings)(
    "from $status by $refundable breaks no invariant",
    { timeout: 0 },
    ({ refundable, status }) => {
      const { states, decisions, statuses: seen } = explore(begun(status, small(refundable, "express")));
      console.log(`${status}, ${refundable}: ${states} states, ${decisions} decisions`);
      expect(states).toBeGreaterThan(1_000);
      all += states;
      seen.forEach((one) => statuses.add(one));
    },
  );

  it("from the middle of an exchange, a return and a refund in flight breaks none", { timeout: 0 }, () => {
    const completed = begun("completed", small("shopxoLast", "express"));
    const l1 = { caseId: "c1", lineId: "L1" } as const;
    const l2 = { caseId: "c2", lineId: "L2" } as const;
    const middle: readonly (readonly Asked[])[] = [
      [
        [buyer, ask("ApplyRefund", { ...l1, caseType: "exchange", quantity: 2, amount: 0 })],
        [merchant, ask("ApproveRefund", { caseId: "c1" })],
        [buyer, ask("ShipReturn", { caseId: "c1", ...waybill })],
        [merchant, ask("ReceiveReturn", { caseId: "c1", dispositions: [{ kind: "restock", quantity: 2 }] })],
      ],
      [
        [buyer, ask("ApplyRefund", { ...l1, caseType: "returnRefund", quantity: 2, amount: 600 })],
        [merchant, ask("ApproveRefund", { caseId: "c1" })],
        [buyer, ask("ShipReturn", { caseId: "c1", ...waybill })],
        [buyer, ask("ApplyRefund", { ...l2, caseType: "refundOnly", amount: 400 })],
        [merchant, ask("ApproveRefund", { caseId: "c2", destination: "wallet" })],
      ],
    ];
    for (const way of middle) {
      const from = way.reduce((order, [actor, command]) => {
        const answer = decide({ actor, command, policy }, order, t0);
        if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left));
        return answer.right.reduce(evolve, order) as Order;
      }, completed);
      const { states, statuses: seen } = explore(from);
      expect(states).toBeGreaterThan(500);
      all += states;
      seen.forEach((one) => statuses.add(one));
    }
  });

  it("from a virtual order breaks no invariant either", { timeout: 0 }, () => {
    const { states, statuses: seen } = explore(begun("completed", small("shopxoLast", "virtual")));
    expect(states).toBeGreaterThan(1_000);
    all += states;
    seen.forEach((one) => statuses.add(one));
  });

  it("reaches every status of a case, and every one of an order that was paid", () => {
    console.log(`${all} states in all`);
    const wanted = [...caseStatuses, "paid", "shipped", "completed", "closed"];
    expect(wanted.filter((status) => !statuses.has(status))).toStrictEqual([]);
  });
});
