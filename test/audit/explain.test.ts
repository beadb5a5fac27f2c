// Explaining an order: which event made each field what it is, and what every command would come to, which the engine must then say too.

import { isDeepStrictEqual } from "node:util";

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Explanation, Verdict } from "../../src/audit/explain.ts";
import { caseCommandTypes } from "../../src/domain/caseLifecycle.ts";
import { nextOf } from "../../src/domain/caseNext.ts";
import type { CommandType } from "../../src/domain/commands.ts";
import { rolesFor } from "../../src/domain/decide.ts";
import { fulfilments } from "../../src/domain/events.ts";
import { commandTypes } from "../../src/domain/lifecycle.ts";
import { type Order, type OrderState, evolve, initialState } from "../../src/domain/state.ts";
import { refundablePolicies } from "../../src/domain/terms.ts";
import type { Engine } from "../../src/engine.ts";
import type { Envelope } from "../../src/store/codec.ts";
import { buyer, day, merchant, minute, provider, second, staff, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, open, stepOf, stores, tidyEngines } from "../engines.ts";

tidyEngines();

/** What stands at a path such as `cases[0].amount`; undefined where it leads nowhere. */
function at(value: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter((key) => key !== "")
    .reduce((part: unknown, key) => (part as Record<string, unknown> | undefined)?.[key], value);
}

/** Every path to a value that has no parts, or is a list of plain ones. */
function leaves(value: unknown, path = ""): readonly string[] {
  if (value === undefined) return [];
  const inner = value !== null && typeof value === "object" ? Object.entries(value) : [];
  const whole = Array.isArray(value) && !value.some((part) => part !== null && typeof part === "object");
  if (inner.length === 0 || whole) return [path];
  return inner.flatMap(([key, part]) =>
    leaves(part, Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`),
  );
}

const same = isDeepStrictEqual;

function statesOf(history: readonly Envelope[]): readonly OrderState[] {
  let state: OrderState = initialState;
  return history.map(({ event }) => (state = evolve(state, event)));
}

/** Each field is as the named event left it, the event before had it otherwise, and none later touched it. */
function fieldsHold({ fields }: Explanation, history: readonly Envelope[]): void {
  const states = statesOf(history);
  const last = states.at(-1) as OrderState;
  const wrong = fields.filter(({ field, value, revision, event, at: when, actor, commandId }) => {
    const [place, of] = [Number(revision), history[Number(revision)] as Envelope];
    return (
      same(at(place === 0 ? undefined : states[place - 1], field), value) ||
      states.slice(place).some((state) => !same(at(state, field), value)) ||
      !same([event, when, actor, commandId], [of.event.type, of.event.at, of.meta.actor, of.meta.commandId])
    );
  });
  expect(wrong).toEqual([]);
  const standing = leaves(last);
  const gone = fields.slice(standing.length);
  expect(fields.slice(0, standing.length).map(({ field }) => field)).toEqual(standing);
  // What is named beside the fields that stand was there once, and is gone.
  expect(gone.filter(({ value }) => value !== undefined)).toEqual([]);
  expect(gone.filter(({ field }) => states.every((state) => at(state, field) === undefined))).toEqual([]);
}

const verdictsOf = ({ commands, cases }: Explanation): readonly Verdict[] => [
  ...commands,
  ...cases.flatMap((one) => one.commands),
];

const pairsOf = (verdicts: readonly Verdict[]): ReadonlySet<string> =>
  new Set(verdicts.map(({ command, actor }) => `${command.type} ${actor.role}`));

/** Every command is there for every role that may give it, and the engine answers it as was said. */
async function verdictsHold(engine: Engine, explanation: Explanation): Promise<void> {
  const { now, commands, cases } = explanation;
  const every = (types: readonly CommandType[]): unknown =>
    new Set(types.flatMap((type) => rolesFor(type).map((role) => `${type} ${role}`)));
  expect(pairsOf(commands)).toEqual(every(toOrder));
  for (const one of cases) {
    expect(pairsOf(one.commands)).toEqual(every(toCase));
    expect(one.commands.filter(({ command }) => at(command, "caseId") !== one.caseId)).toEqual([]);
  }
  for (const verdict of verdictsOf(explanation)) {
    const preview = await engine.preview(verdict.command, by(verdict.actor, { at: now }));
    const answer = E.isRight(preview) ? E.right(preview.right.events) : preview;
    if (!same(answer, verdict.decision)) expect({ ...verdict, decision: answer }).toEqual(verdict);
  }
}

const toOrder = commandTypes.filter((type) => type !== "CreateOrder" && type !== "SettleRefund");
const toCase = caseCommandTypes.filter((type) => type !== "ApplyRefund" && type !== "ImportRefund");

/** One thing that the explanation says can be done now; with a number, of those of its kind that change something. */
type Step = readonly [type: CommandType, pick?: number];

async function explained(engine: Engine, now: number): Promise<Explanation> {
  const explanation = (await engine.explain("o-1", { now })) as Explanation;
  fieldsHold(explanation, await engine.history("o-1"));
  await verdictsHold(engine, explanation);
  nextHolds(explanation, await engine.state("o-1"));
  return explanation;
}

/** What the views say may be done about a case is what the explanation says. */
function nextHolds({ now, cases }: Explanation, state: OrderState): void {
  if (state.status === "none") throw new Error("there is no order");
  const said = cases.map(({ commands }) =>
    pairsOf(commands.filter(({ decision }) => E.isRight(decision) && decision.right.length > 0)),
  );
  const next = state.cases.map(
    (one) =>
      new Set(
        nextOf(state, one, now).flatMap(({ command, roles }) => roles.map((role) => `${command} ${role}`)),
      ),
  );
  expect(said).toEqual(next);
}

/** Does what was said to be possible, and finds that it is. */
async function done(engine: Engine, { command, actor, decision }: Verdict, now: number): Promise<void> {
  const receipt = accepted(await engine.execute(command, by(actor, { at: now })));
  expect(receipt.events).toEqual(E.toUnion(decision));
}

const settle: Step = ["SettleRefund"];
const shipped: readonly Step[] = [["Pay"], ["Ship"]];
const exchanging: readonly Step[] = [
  ...shipped,
  ["ApplyRefund", 2],
  ["ApproveRefund"],
  ["ShipReturn"],
  ["CorrectReturnShipment"],
  ["ReceiveReturn"],
];

const routes: readonly {
  readonly ends: string;
  readonly steps: readonly Step[];
  readonly order?: Parameters<typeof newOrder>[1];
}[] = [
  {
    ends: "completed",
    steps: [...shipped, ["CorrectShipment"], ["ConfirmReceipt"], ["Review"], ["HideOrder"]],
  },
  { ends: "completed", steps: [["Pay"], ["AuditPayment"], ["MarkPurchased"], ["Ship"], ["ConfirmReceipt"]] },
  { ends: "completed", steps: [["Pay"], ["Redeem"]], order: { fulfilment: "pickup", redeemable: true } },
  { ends: "cancelled, refunded", steps: [["CancelOrder"], ["Pay"], ["IssueRefund", 1], settle] },
  {
    ends: "closed, refunded",
    steps: [["Pay"], ["CancelOrder"], ["IssueRefund", 1], ["FailRefund"], ["IssueRefund"], settle],
  },
  {
    ends: "shipped, refunded",
    steps: [...shipped, ["ApplyRefund", 0], ["ApproveRefund"], ["IssueRefund", 3]],
  },
  { ends: "shipped, rejected", steps: [...shipped, ["ApplyRefund", 1], ["RejectRefund"], ["HideRefund"]] },
  {
    ends: "shipped, cancelled",
    steps: [...shipped, ["ApplyRefund", 4], ["ApproveRefund"], ["CancelRefund"]],
  },
  { ends: "shipped, closed", steps: [...shipped, ["ApplyRefund", 5], ["CloseRefund"]] },
  { ends: "shipped, exchanged", steps: [...exchanging, ["ShipReplacement"], ["ConfirmReplacement"]] },
  { ends: "shipped, refundPending", steps: [...exchanging, ["ConvertToRefund"]] },
];

it.each(routes)("$ends: by $steps", async ({ ends, steps, order }) => {
  const engine = await open({
    store: "memory:",
    redeemKey: "k",
    terms: { "*": { redeemStaff: [staff.id] } },
  });
  accepted(await engine.execute(newOrder("o-1", order), by(buyer, { at: t0 })));
  let now = t0;
  for (const [type, pick = 0] of steps) {
    now += second;
    const can = verdictsOf(await explained(engine, now)).filter(
      ({ command, decision }) => command.type === type && E.isRight(decision) && decision.right.length > 0,
    );
    expect(can.length, `${type} at ${now}`).toBeGreaterThan(pick);
    await done(engine, can[pick] as Verdict, now);
  }
  await explained(engine, now + day);
  const { status, cases } = (await engine.state("o-1")) as Order;
  expect([status, ...cases.map((one) => one.status)].join(", ")).toBe(ends);
});

/** What ends a life early: passed over where something else can be done, now and then. */
const endings: ReadonlySet<CommandType> = new Set([
  "CancelOrder",
  "ExpireOrder",
  "CancelRefund",
  "CloseRefund",
]);

const life = fc.record({
  fulfilment: fc.constantFrom("express", ...fulfilments),
  redeemable: fc.boolean(),
  booking: fc.constantFrom(false, false, false, true),
  refundable: fc.constantFrom(...refundablePolicies),
  discount: fc.constantFrom(0, 0, 0, 5_800),
  steps: fc.array(
    fc.record({
      pick: fc.nat({ max: 9_999 }),
      gap: fc.constantFrom(0, second, minute, 31 * minute, day, 8 * day),
      mild: fc.boolean(),
    }),
    { minLength: 3, maxLength: 14 },
  ),
});

it("holds at every step of a life that does what it says can be done", async () => {
  let decided = 0;
  await fc.assert(
    fc.asyncProperty(life, async ({ steps, booking, refundable, ...order }) => {
      const terms = { "*": { redeemStaff: [staff.id], booking, refundable } };
      const engine = await open({ store: "memory:", redeemKey: "lives", terms });
      accepted(await engine.execute(newOrder("o-1", order), by(buyer, { at: t0 })));
      let now = t0;
      for (const { pick, gap, mild } of steps) {
        now += gap;
        const verdicts = verdictsOf(await explained(engine, now));
        decided += verdicts.length;
        const can = verdicts.filter(({ decision }) => E.isRight(decision));
        const milder = can.filter(({ command }) => !endings.has(command.type));
        const from = mild && milder.length > 0 ? milder : can;
        const chosen = from[pick % Math.max(1, from.length)];
        if (chosen !== undefined) await done(engine, chosen, now);
      }
      await engine.close();
    }),
    { numRuns: 30 },
  );
  expect(decided).toBeGreaterThan(2_000);
});

describe.each(stores)("on %s", (_kind, fresh) => {
  const ofField = (explanation: Explanation | undefined, field: string) =>
    explanation?.fields.find((one) => one.field === field);
  const ofCommand = (explanation: Explanation | undefined, type: CommandType, role: string) =>
    explanation?.commands.find(({ command, actor }) => command.type === type && actor.role === role)
      ?.decision;

  it("looks back to a revision, a position or an instant, and then decides as of then", async () => {
    const engine = await open({ store: fresh(), clock: () => t0 + day });
    await live(engine, "o-1", 1);
    const position = await engine.head();
    await live(engine, "o-2", 1);
    for (const [step, [command, actor]] of [stepOf("o-1", 1), stepOf("o-1", 2)].entries())
      accepted(await engine.execute(command, by(actor, { at: t0 + (step + 1) * minute })));
    for (const at of [{ revision: 0n }, { position }, { time: t0 + 1 }]) {
      const then = await engine.explain("o-1", { at });
      expect([then?.revision, then?.now]).toEqual([0n, at.time ?? t0]);
      expect(ofField(then, "status")).toMatchObject({ value: "pendingPayment", event: "OrderCreated" });
      expect(ofCommand(then, "Pay", "buyer")).toMatchObject(E.right([{ type: "OrderPaid" }, {}]));
      expect(ofCommand(then, "ExpireOrder", "system")).toMatchObject(
        E.left({ code: "notDue", dueAt: t0 + 30 * minute, at: at.time ?? t0 }),
      );
    }
    const later = await engine.explain("o-1", { at: { revision: 0n }, now: t0 + 31 * minute });
    expect(ofCommand(later, "ExpireOrder", "system")).toMatchObject(E.right([{ type: "OrderExpired" }]));
    const present = await engine.explain("o-1");
    expect([present?.revision, present?.now]).toEqual([3n, t0 + day]);
    expect(ofField(present, "status")).toEqual({
      field: "status",
      value: "shipped",
      event: "OrderShipped",
      revision: 3n,
      at: t0 + 2 * minute,
      actor: merchant,
      commandId: expect.any(String) as string,
    });
  });

  it("knows no order that was not there, or not yet", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    expect(await engine.explain("o-2")).toBeUndefined();
    expect(await engine.explain("o-1", { at: { time: t0 - 1 } })).toBeUndefined();
  });

  it("names what took a field away", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 3);
    const ask = { orderId: "o-1", caseId: "c-1" };
    const apply = { type: "ApplyRefund", ...ask, lineId: "L1", caseType: "refundOnly", amount: 1 };
    accepted(await engine.execute(apply, by(buyer, { at: t0 + 3 * minute })));
    accepted(await engine.execute({ type: "CancelRefund", ...ask }, by(buyer, { at: t0 + 4 * minute })));
    const explanation = await engine.explain("o-1");
    expect(ofField(explanation, "pausedSince")).toMatchObject({
      value: undefined,
      event: "RefundCancelled",
      revision: 5n,
    });
    expect(ofField(explanation, "pausedFor")).toMatchObject({ value: minute, event: "RefundCancelled" });
  });

  it("gives a command each of its ways where the status allows it, else one: it is refused for that in any", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 1);
    const applications = async () =>
      (await engine.explain("o-1"))?.commands.filter(({ command }) => command.type === "ApplyRefund");
    expect(await applications()).toMatchObject([{ decision: { left: { code: "orderStatusNotEligible" } } }]);
    const [pay, payer] = stepOf("o-1", 1);
    accepted(await engine.execute(pay, by(payer)));
    // Three types of two lines each.
    expect(await applications()).toHaveLength(6);
  });

  it("names what emptied a list", async () => {
    const engine = await open({ store: fresh() });
    const ask = { orderId: "o-1" };
    const emptied = { type: "CorrectShipment", ...ask, shipments: [] };
    const shipments = [{ carrier: "SF", trackingNumber: "1" }, { carrier: "EMS" }];
    accepted(await engine.execute(newOrder("o-1", { fulfilment: "pickup" }), by(buyer)));
    const pay = { type: "Pay", ...ask, payId: "p", amount: 5_800, channel: "wallet" };
    accepted(await engine.execute(pay, by(buyer)));
    accepted(await engine.execute({ type: "Ship", ...ask, shipments }, by(merchant)));
    accepted(await engine.execute(emptied, by(merchant)));
    const explanation = await explained(engine, t0);
    expect(ofField(explanation, "shipments")).toMatchObject({ value: [], event: "ShipmentCorrected" });
    expect(ofField(explanation, "shipments[1].carrier")).toMatchObject({ value: undefined, revision: 4n });
  });

  it("asks for what is left, under ids of its own, and each way that money may go", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 3);
    const ask = { orderId: "o-1", caseId: "case-2" };
    const back = { type: "ApplyRefund", ...ask, lineId: "L2", caseType: "returnRefund", quantity: 1 };
    const at = { at: t0 + day };
    accepted(await engine.execute({ ...back, amount: 2_000 }, by(buyer, at)));
    const applications = (await explained(engine, t0 + day)).commands.filter(
      ({ command }) => command.type === "ApplyRefund",
    );
    expect(applications.map(({ decision }) => decision._tag)).toEqual([
      "Right",
      "Right",
      "Right",
      "Left",
      "Left",
      "Left",
    ]);
    accepted(await engine.execute({ type: "ApproveRefund", ...ask }, by(merchant, at)));
    accepted(
      await engine.execute({ type: "ShipReturn", ...ask, carrier: "a", trackingNumber: "b" }, by(buyer, at)),
    );
    const dispositions = [{ kind: "restock", quantity: 1 }];
    accepted(await engine.execute({ type: "ReceiveReturn", ...ask, dispositions }, by(merchant, at)));
    const ways = async () =>
      (await explained(engine, t0 + day)).cases[0]?.commands.flatMap(({ command, actor, decision }) =>
        command.type === "IssueRefund" && actor.role === "merchant"
          ? [`${command.destination ?? "as before"}: ${decision._tag}`]
          : [],
      );
    expect(await ways()).toEqual(["original: Left", "wallet: Right", "manual: Right"]);
    accepted(await engine.execute({ type: "IssueRefund", ...ask, destination: "wallet" }, by(merchant, at)));
    const callback = { ...ask, refundId: "case-2:1" };
    const failed = { type: "FailRefund", ...callback, failure: "X", retryable: false };
    accepted(await engine.execute(failed, by(provider, at)));
    expect(await ways()).toEqual(["as before: Right", "original: Left", "wallet: Right", "manual: Right"]);
    accepted(await engine.execute({ type: "IssueRefund", ...ask }, by(merchant, at)));
    const settled = { type: "SettleRefund", ...callback, refundId: "case-2:2", amount: 2_000 };
    accepted(await engine.execute(settled, by(provider, at)));
    const after = await explained(engine, t0 + day);
    const again = after.cases[0]?.commands.find(({ command }) => command.type === "SettleRefund");
    expect(again?.decision).toEqual(E.right([]));
    expect(
      after.commands.flatMap(({ command, decision }) =>
        command.type === "ApplyRefund" && command.lineId === "L2" && E.isLeft(decision)
          ? [decision.left]
          : [],
      ),
    ).toMatchObject([
      { code: "amountTooHigh", amount: 1, limit: 0, claimed: 2_000, paid: 5_800 },
      { code: "quantityTooHigh", quantity: 1, limit: 0, claimed: 1, bought: 1 },
      { code: "quantityTooHigh", quantity: 1, limit: 0, claimed: 1, bought: 1 },
    ]);
  });

  it("presents the order's own write-off code only where the engine has the key", async () => {
    const store = fresh();
    const terms = { "*": { redeemStaff: ["anna"] } };
    const engine = await open({ store, terms, redeemKey: "k" });
    accepted(await engine.execute(newOrder("o-1", { fulfilment: "pickup", redeemable: true }), by(buyer)));
    accepted(
      await engine.execute(
        { type: "Pay", orderId: "o-1", payId: "p", amount: 5_800, channel: "online" },
        by(buyer),
      ),
    );
    const known = await engine.explain("o-1");
    expect(ofCommand(known, "Redeem", "staff")).toMatchObject(E.right([{ type: "OrderRedeemed" }, {}]));
    expect(known?.commands.find(({ command }) => command.type === "Redeem")?.actor).toEqual({
      role: "staff",
      id: "anna",
    });
    if (store === "memory:") return;
    const keyless = await open({ store, terms });
    expect(ofCommand(await keyless.explain("o-1"), "Redeem", "staff")).toMatchObject(
      E.left({ code: "redemptionCodeWrong" }),
    );
  });
});
