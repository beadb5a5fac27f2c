// The chart against XState itself, against the rules' own table, and along every path that it has.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { createActor, transition } from "xstate";

import type { Actor } from "../../src/domain/actor.ts";
import type { Command } from "../../src/domain/commands.ts";
import { decide } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { type Move, movesOf } from "../../src/domain/chart.ts";
import {
  type ChartStatus,
  type OrderCommandType,
  type Outcome,
  commandTypes,
  commandsFor,
  isLegal,
  orderMachine,
  orderMoves,
  orderStatuses,
  statusAfter,
  statusesFor,
} from "../../src/domain/lifecycle.ts";
import { evolve, fold } from "../../src/domain/state.ts";
import { given } from "./given.ts";
import {
  ask,
  askForOrder,
  buyer,
  codeHash,
  day,
  event,
  merchant,
  minute,
  orderId,
  parcel,
  reached,
  rightCode,
  staff,
  system,
  t0,
} from "./orders.ts";

type OrderMove = (typeof orderMoves)[number];

const statuses: readonly ChartStatus[] = ["none", ...orderStatuses];

const everyOutcome: Readonly<Record<Outcome, true>> = {
  "CreateOrder/booking": true,
  "CreateOrder/payable": true,
  "CreateOrder/free": true,
  "ConfirmOrder/payable": true,
  "ConfirmOrder/free": true,
  Pay: true,
  "CancelOrder/unpaid": true,
  "CancelOrder/paid": true,
  ExpireOrder: true,
  Ship: true,
  CorrectShipment: true,
  ConfirmReceipt: true,
  Redeem: true,
  Review: true,
  HideOrder: true,
  AuditPayment: true,
  MarkPurchased: true,
  RecordTaxSurplus: true,
  RecordTaxRefund: true,
  ApplyRefund: true,
  "SettleRefund/closes": true,
};
const outcomes = Object.keys(everyOutcome) as readonly Outcome[];

/** The table of domain 2.2 as it is written there: from which statuses each command may come. */
const legal: Readonly<Record<OrderCommandType, readonly ChartStatus[]>> = {
  CreateOrder: ["none"],
  ConfirmOrder: ["pendingConfirmation"],
  Pay: ["pendingPayment", "cancelled", "closed"],
  // Of a paid order by ruling 1.
  CancelOrder: ["pendingConfirmation", "pendingPayment", "paid"],
  ExpireOrder: ["pendingPayment"],
  Ship: ["paid"],
  CorrectShipment: ["shipped"],
  ConfirmReceipt: ["shipped"],
  Redeem: ["paid", "shipped"],
  Review: ["completed"],
  HideOrder: ["completed", "cancelled", "closed"],
  AuditPayment: ["paid"],
  MarkPurchased: ["paid"],
  RecordTaxSurplus: ["completed"],
  RecordTaxRefund: ["completed"],
  ApplyRefund: ["paid", "shipped", "completed"],
  SettleRefund: ["paid", "shipped", "completed"],
};

const pairs = statuses.flatMap((status) => outcomes.map((outcome) => ({ status, outcome })));

describe("the moves", () => {
  it.each(pairs)("agree with XState on $outcome from $status", ({ status, outcome }) => {
    const snapshot = orderMachine.resolveState({ value: status });
    const moves = orderMoves.filter((move) => move.from === status && move.outcome === outcome);
    expect(snapshot.can({ type: outcome })).toBe(moves.length === 1);
    const [next] = transition(orderMachine, snapshot, { type: outcome });
    expect(next.value).toBe(moves[0]?.to ?? status);
    const actor = createActor(orderMachine, { snapshot }).start();
    actor.send({ type: outcome });
    expect(actor.getSnapshot().value).toBe(moves[0]?.to ?? status);
  });

  it("are 31, each outcome of a status once, each frozen, and no other", () => {
    expect(orderMoves).toHaveLength(31);
    expect(new Set(orderMoves.map(({ from, outcome }) => `${from} ${outcome}`)).size).toBe(31);
    expect(Object.isFrozen(orderMoves) && orderMoves.every(Object.isFrozen)).toBe(true);
    expect(new Set(orderMoves.map((move) => move.outcome))).toStrictEqual(new Set(outcomes));
  });

  it("are these", () => {
    expect(
      orderMoves.map(({ from, outcome, records, to }) => `${from} --${outcome}--> ${to}: ${records}`),
    ).toStrictEqual([
      "none --CreateOrder/booking--> pendingConfirmation: OrderCreated",
      "none --CreateOrder/payable--> pendingPayment: OrderCreated",
      "none --CreateOrder/free--> paid: OrderCreated",
      "pendingConfirmation --ConfirmOrder/payable--> pendingPayment: OrderConfirmed",
      "pendingConfirmation --ConfirmOrder/free--> paid: OrderConfirmed",
      "pendingConfirmation --CancelOrder/unpaid--> cancelled: OrderCancelled",
      "pendingPayment --Pay--> paid: OrderPaid",
      "pendingPayment --CancelOrder/unpaid--> cancelled: OrderCancelled",
      "pendingPayment --ExpireOrder--> closed: OrderExpired",
      "paid --CancelOrder/paid--> paid: RefundApplied",
      "paid --ApplyRefund--> paid: RefundApplied",
      "paid --SettleRefund/closes--> closed: OrderClosedByRefund",
      "paid --Ship--> shipped: OrderShipped",
      "paid --Redeem--> completed: OrderRedeemed",
      "paid --AuditPayment--> paid: PaymentAudited",
      "paid --MarkPurchased--> paid: GoodsPurchased",
      "shipped --ApplyRefund--> shipped: RefundApplied",
      "shipped --SettleRefund/closes--> closed: OrderClosedByRefund",
      "shipped --CorrectShipment--> shipped: ShipmentCorrected",
      "shipped --ConfirmReceipt--> completed: ReceiptConfirmed",
      "shipped --Redeem--> completed: OrderRedeemed",
      "completed --ApplyRefund--> completed: RefundApplied",
      "completed --SettleRefund/closes--> closed: OrderClosedByRefund",
      "completed --Review--> completed: OrderReviewed",
      "completed --HideOrder--> completed: OrderHidden",
      "completed --RecordTaxSurplus--> completed: TaxSurplusRecorded",
      "completed --RecordTaxRefund--> completed: TaxRefunded",
      "cancelled --Pay--> cancelled: LatePaymentReceived",
      "cancelled --HideOrder--> cancelled: OrderHidden",
      "closed --Pay--> closed: LatePaymentReceived",
      "closed --HideOrder--> closed: OrderHidden",
    ]);
  });

  it("name the fact that XState's own transition names", () => {
    const facts = orderMoves.map(({ from, outcome }) => {
      const node = orderMachine.getStateNodeById(`order.${from}`);
      return node.transitions.get(outcome)?.[0]?.meta?.records;
    });
    expect(facts).toStrictEqual(orderMoves.map((move) => move.records));
  });

  it("are legal exactly where domain 2.2 says so", () => {
    expect(Object.keys(legal)).toStrictEqual(commandTypes);
    for (const type of commandTypes) {
      expect([type, statusesFor(type)]).toStrictEqual([type, legal[type]]);
      for (const status of statuses) {
        expect([type, status, isLegal(status, type)]).toStrictEqual([
          type,
          status,
          legal[type].includes(status),
        ]);
      }
    }
    for (const status of statuses) {
      expect([status, commandsFor(status)]).toStrictEqual([
        status,
        commandTypes.filter((type) => type !== "SettleRefund" && legal[type].includes(status)),
      ]);
    }
  });

  it("give the status after a fact, and leave it after any other", () => {
    for (const { from, outcome, records, to } of orderMoves) {
      const told = records === "OrderCreated" || records === "OrderConfirmed";
      const variant = told ? (outcome.split("/")[1] as "booking" | "payable" | "free") : undefined;
      expect([from, outcome, statusAfter(from, { type: records }, variant)]).toStrictEqual([
        from,
        outcome,
        to,
      ]);
    }
    expect(statusAfter("paid", { type: "OrderExpired" })).toBe("paid");
    expect(statusAfter("completed", { type: "OrderConfirmed" }, "free")).toBe("completed");
    expect(statusAfter("pendingPayment", { type: "OrderCreated" }, "free")).toBe("pendingPayment");
  });
});

describe("the boot check", () => {
  const fine = {
    initial: "a",
    states: {
      a: { on: { Go: { target: "b", meta: { records: "Gone" } } } },
      b: { on: { "Turn/left": { target: "a", meta: { records: "Turned" } } } },
      // The end, without an `on`.
      c: {},
    },
  };
  const end = { ...fine.states.b.on, Stop: { target: "c", meta: { records: "Stopped" } } };
  const commands = ["Go", "Turn", "Stop"];
  const walk = (states: object, of: readonly string[] = commands, initial = "a") =>
    movesOf({ config: { initial, states } }, of);

  it("walks a chart in its own order", () => {
    const moves: readonly Move[] = walk({ ...fine.states, b: { on: end } });
    expect(moves).toStrictEqual([
      { from: "a", outcome: "Go", records: "Gone", to: "b" },
      { from: "b", outcome: "Turn/left", records: "Turned", to: "a" },
      { from: "b", outcome: "Stop", records: "Stopped", to: "c" },
    ]);
  });

  it("finds a status over several moves, whatever the order they stand in", () => {
    expect(walk({ c: {}, b: { on: end }, a: fine.states.a }).map((move) => move.to)).toStrictEqual([
      "a",
      "c",
      "b",
    ]);
  });

  it("names every status that no path leads to", () => {
    expect(() => walk({ ...fine.states, d: {} }, ["Go", "Turn"])).toThrow(
      new Error("chart: no path leads to c, d"),
    );
    expect(() => walk({ ...fine.states, b: { on: end } }, commands, "b")).not.toThrow();
    expect(() => walk({ ...fine.states, b: { on: end } }, commands, "c")).toThrow(
      new Error("chart: no path leads to a, b"),
    );
  });

  it("names a status that only leads to itself", () => {
    const alone = { on: { Go: { target: "d", meta: { records: "Gone" } } } };
    expect(() => walk({ ...fine.states, b: { on: end }, d: alone })).toThrow(
      new Error("chart: no path leads to d"),
    );
  });

  it("names every command that no status uses", () => {
    expect(() => walk({ ...fine.states, b: { on: end } }, [...commands, "Jump", "Tur"])).toThrow(
      new Error("chart: no status uses Jump, Tur"),
    );
  });

  it("names what is no command", () => {
    expect(() => walk({ ...fine.states, b: { on: end } }, ["Go", "Stop"])).toThrow(
      new Error("chart: Turn is no command"),
    );
  });

  it.each<[string, unknown]>([
    ["a target in a list", { target: ["b"], meta: { records: "Gone" } }],
    ["a list of transitions", [{ target: "b", meta: { records: "Gone" } }]],
    ["a bare target", "b"],
    ["no target", { meta: { records: "Gone" } }],
    ["a target that is no status", { target: "z", meta: { records: "Gone" } }],
    ["no meta", { target: "b" }],
    ["a meta without its fact", { target: "b", meta: {} }],
    ["a fact that is no text", { target: "b", meta: { records: 1 } }],
  ])("names a transition with %s", (_fault, transitionGiven) => {
    expect(() => walk({ ...fine.states, a: { on: { Go: transitionGiven } } })).toThrow(
      new Error("chart: a --Go--> has no plain target with a recorded fact"),
    );
  });
});

type OwnCommandType = Exclude<OrderCommandType, "ApplyRefund" | "SettleRefund">;

/** The commands to the order itself: applying and settling are a case's, and tested with it. */
const own = commandTypes.filter(
  (type): type is OwnCommandType => type !== "ApplyRefund" && type !== "SettleRefund",
);

/** A command that would do, were the status right, with an actor who may give it and a policy that lets it. */
function suitable(type: OwnCommandType, nth: number, free = false): { command: Command; actor: Actor } {
  switch (type) {
    case "CreateOrder":
      return {
        command: askForOrder({
          charges: [{ kind: "tariff", amount: 800 }],
          discount: free ? 5_800 : 0,
          redeemable: true,
        }),
        actor: buyer,
      };
    case "ConfirmOrder":
      return { command: ask(type, {}), actor: merchant };
    case "Pay":
      return {
        command: ask(type, { payId: `pay-x${nth}`, amount: 5_800, channel: "online" }),
        actor: buyer,
      };
    case "CancelOrder":
      return { command: ask(type, {}), actor: nth % 2 === 0 ? buyer : merchant };
    case "ExpireOrder":
      return { command: ask(type, {}), actor: system };
    case "Ship":
    case "CorrectShipment":
      return { command: ask(type, { shipments: [parcel] }), actor: merchant };
    case "ConfirmReceipt":
      return { command: ask(type, {}), actor: nth % 2 === 0 ? buyer : system };
    case "Redeem":
      return { command: ask(type, { code: "ABC" }), actor: staff };
    case "Review":
      return {
        command: ask(type, {
          items: [
            { lineId: "L1", rating: "good" },
            { lineId: "L2", rating: "bad" },
          ],
        }),
        actor: buyer,
      };
    case "HideOrder":
      return { command: ask(type, {}), actor: buyer };
    case "AuditPayment":
    case "MarkPurchased":
      return { command: ask(type, {}), actor: merchant };
    case "RecordTaxSurplus":
    case "RecordTaxRefund":
      return { command: ask(type, { amount: 800 }), actor: merchant };
  }
}

describe("every pair of status and command that the chart has not", () => {
  const illegal = statuses.flatMap((status) =>
    own.filter((type) => !legal[type].includes(status)).map((type) => ({ status, type })),
  );

  it("there are 98 of 120", () => {
    expect(illegal).toHaveLength(98);
  });

  it.each(illegal)("$type of an order that is $status is refused", ({ status, type }) => {
    const { command, actor } = suitable(type, 0);
    const history = reached(status, { redemption: { codeHash }, charges: [{ kind: "tariff", amount: 800 }] });
    const answer = decide({ actor, command, policy: rightCode }, fold(history), t0 + 99 * day);
    expect(E.isLeft(answer) && answer.left).toMatchObject(
      status === "none"
        ? { code: "orderNotFound", orderId }
        : type === "CreateOrder"
          ? { code: "orderExists", orderId }
          : {
              code: "orderStatusNotEligible",
              command: type,
              status,
              // A paid order is not the buyer's to cancel.
              allowed: legal[type].filter((from) => type !== "CancelOrder" || from !== "paid"),
            },
    );
  });
});

describe("every path of the chart", () => {
  /** What a case does to its order is played by the cases' own tests. */
  const ownMoves = orderMoves.filter(
    ({ outcome }) => !["ApplyRefund", "SettleRefund/closes", "CancelOrder/paid"].includes(outcome),
  );

  /** All walks from `none` that use no move twice (loops at a status among them), each with its last move. */
  function* trails(done: readonly OrderMove[], at: ChartStatus): Generator<readonly OrderMove[]> {
    for (const move of ownMoves) {
      if (move.from !== at || done.includes(move)) continue;
      const trail = [...done, move];
      yield trail;
      yield* trails(trail, move.to);
    }
  }

  /** What one loop at a status needs of another: the order of the overseas shop's steps. */
  const needs: Partial<Record<Outcome, Outcome>> = {
    MarkPurchased: "AuditPayment",
    RecordTaxRefund: "RecordTaxSurplus",
  };

  it("leads, decided and folded on a virtual clock, to the very status it names", () => {
    let walked = 0;
    let outOfStep = 0;
    let longest = 0;
    const taken = new Set<OrderMove>();
    for (const trail of trails([], "none")) {
      const names = trail.map((move) => move.outcome);
      const total = names.some((name) => name.endsWith("/free")) ? 0 : 5_800;
      const contradicted = total === 0 && names.some((name) => name.endsWith("/payable") || name === "Pay");
      if (contradicted) continue;
      // A step that lacks the one before it: refused where it stands, and the trail ends there.
      const early = names.findIndex(
        (name, index) => needs[name] !== undefined && !names.slice(0, index).includes(needs[name]),
      );
      if (early !== -1 && early !== names.length - 1) continue;
      const state = drive(trail, total, early);
      if (early === -1) {
        walked += 1;
        longest = Math.max(longest, trail.length);
        taken.add(trail.at(-1)!);
        expect(state.status).toBe(trail.at(-1)!.to);
      } else {
        outOfStep += 1;
      }
    }
    expect(taken).toStrictEqual(new Set(ownMoves));
    // Counted by hand: 35 orders of the loops at completed, 2 x (1 + 2 x 35) walks from shipped, 3 x (1 + 142 + 35) from paid, which is
    // reached in 4 ways, 5 from an ended order, which is reached in 5; 3 walks end before. Out of step: 4 x 1 at paid, 60 x 5 at completed.
    expect({ walked, outOfStep, longest }).toStrictEqual({
      walked: 4 * 534 + 5 * 5 + 3,
      outOfStep: 4 + 300,
      longest: 12,
    });
  });

  function drive(trail: readonly OrderMove[], total: number, early: number) {
    let now = t0;
    let history: readonly OrderEvent[] = [];
    let state = fold(history);
    const booking = trail[0]!.outcome === "CreateOrder/booking";
    const policy = { ...rightCode, terms: { ...rightCode.terms, booking } };
    trail.forEach((move, index) => {
      const type = move.outcome.split("/")[0] as OwnCommandType;
      now += type === "ExpireOrder" ? 31 * minute : type === "ConfirmReceipt" ? 16 * day : 1_000;
      const fit = suitable(type, index, total === 0);
      // Late money that is to go back opens a case, and that is another story.
      const late = type === "Pay" && move.from !== "pendingPayment";
      const request = { ...fit, policy, command: late ? { ...fit.command, amount: 0 } : fit.command };
      // Nothing was paid, so nothing goes back: the chart's move is taken by the fact alone.
      const byFact = total === 0 && type === "RecordTaxSurplus" && index !== early;
      const decided = decide(request, state, now);
      if (byFact) expect(decided).toMatchObject(E.left({ code: "surplusTooHigh", limit: 0 }));
      const answer = byFact ? E.right([event("TaxSurplusRecorded", now, { amount: 800 })]) : decided;
      if (index === early) {
        if (E.isRight(answer)) throw new Error(`${names(trail)}: nothing refused`);
        expect(answer.left).toMatchObject({ code: "stepOutOfOrder", step: "none" });
        return;
      }
      if (E.isLeft(answer)) throw new Error(`${names(trail)}: ${JSON.stringify(answer.left)}`);
      if (answer.right[0]?.type !== move.records) throw new Error(`${names(trail)}: another fact`);
      history = [...history, ...answer.right];
      const next = answer.right.reduce(evolve, state);
      if (next.status !== move.to) throw new Error(`${names(trail)}: ${next.status}`);
      state = next;
    });
    return fold(history);
  }

  function names(trail: readonly OrderMove[]): string {
    return trail.map((move) => move.outcome).join(" > ");
  }

  it("and a virtual order goes two moves in one append", () => {
    const order = [event("OrderPaid", t0, { payId: "p", amount: 5_800, channel: "wallet" })];
    const history = [...reached("pendingPayment", { fulfilment: "virtual" }), ...order];
    expect(fold(history).status).toBe("paid");
    expect(fold([...history, event("OrderShipped", t0, { shipments: [] })]).status).toBe("shipped");
    given(reached("pendingPayment", { fulfilment: "virtual", terms: { stockDeduction: "confirmation" } }))
      .when(ask("Pay", { payId: "p", amount: 5_800, channel: "wallet" }), buyer, t0)
      .gives([...order, event("OrderShipped", t0, { shipments: [] })]);
  });
});
