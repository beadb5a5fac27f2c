// Random lives of an order, on a virtual clock and by many hands: what must hold after every command to it, whatever it was.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import { caseEventTypes } from "../../src/domain/caseEvents.ts";
import type { Command, CommandType, Policy } from "../../src/domain/commands.ts";
import { decide, rolesFor } from "../../src/domain/decide.ts";
import { type OrderEvent, fulfilments } from "../../src/domain/events.ts";
import { commandTypes, commandsFor, orderStatuses } from "../../src/domain/lifecycle.ts";
import { formatAmount } from "../../src/domain/money.ts";
import {
  type Rejection,
  type RejectionCode,
  describeRejection,
  rejectionCodes,
} from "../../src/domain/refusals.ts";
import { type OrderState, fold } from "../../src/domain/state.ts";
import { defaultTerms, stockRules } from "../../src/domain/terms.ts";
import { type Told, copy, courseOf, same } from "./course.ts";
import {
  admin,
  apifm,
  ask,
  askForOrder,
  askedLines,
  buyer,
  codeHash,
  day,
  merchant,
  minute,
  parcel,
  provider,
  rival,
  second,
  staff,
  stranger,
  system,
  t0,
} from "./orders.ts";

/** The commands to the order itself; its cases have lives of their own. */
const own = commandTypes.filter((type) => type !== "ApplyRefund" && type !== "SettleRefund");

const people = [buyer, merchant, staff, system, provider, admin, stranger, rival] as const;

const step = fc.record({
  /** Whether the command is one that the status allows, by one who may give it. */
  apt: fc.boolean(),
  pick: fc.nat({ max: 1_000 }),
  who: fc.constantFrom<Actor>(...people),
  gap: fc.constantFrom(0, second, minute, 31 * minute, day, 16 * day, -second),
  /** Which of a command's variants it is; 0 is the sound one. */
  variant: fc.constantFrom(0, 0, 0, 1, 2, 3),
  code: fc.constantFrom(codeHash, codeHash, "another", undefined),
});
const life = fc.record({
  terms: fc.record({
    booking: fc.boolean(),
    payWindowMinutes: fc.constantFrom(0, 30),
    autoConfirmDays: fc.constantFrom(0, 15),
    stockDeduction: fc.constantFrom(...stockRules),
    virtualAutoShip: fc.boolean(),
  }),
  fulfilment: fc.constantFrom(...fulfilments),
  free: fc.constantFrom(false, false, true),
  redeemable: fc.boolean(),
  steps: fc.array(step, { minLength: 4, maxLength: 30 }),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;
type Step = Life["steps"][number];

function commandOf(type: CommandType, { variant, pick }: Step, of: Life): Command {
  switch (type) {
    case "CreateOrder":
      return askForOrder({
        charges: [{ kind: "tariff", amount: 800 }],
        fulfilment: of.fulfilment,
        redeemable: of.redeemable,
        discount: variant === 1 ? 9_999 : of.free ? 5_800 : 0,
        ...(variant === 2 ? { lines: [askedLines[0]!, { ...askedLines[0]!, available: 0 }] } : {}),
        ...(variant === 3 ? { terms: { evidenceMax: 1 } } : { buyerId: "buyer-1" }),
      });
    case "Pay":
      return ask(type, {
        payId: `pay-${pick % 3}`,
        amount: [5_800, 1, 5_800, Number.MAX_SAFE_INTEGER][variant]!,
        channel: "online",
        ...(variant === 2 ? { currency: "USD" } : {}),
      });
    case "CancelOrder":
      return ask(type, variant === 0 ? {} : { reason: "no" });
    case "Ship":
    case "CorrectShipment":
      return ask(type, {
        shipments: [[parcel], [], [{ carrier: "EMS", lines: ["L1", "L9"] }], [{ ...parcel, lines: ["L2"] }]][
          variant
        ]!,
        ...(type === "Ship" && pick % 2 === 0 ? { code: "ABC" } : {}),
      });
    case "Redeem":
      return ask(type, { code: "ABC" });
    case "Review": {
      const first = { lineId: "L1", rating: "good" } as const;
      const other = { lineId: "L2", rating: "bad", text: "small" } as const;
      return ask(type, {
        items: [[first, other], [first], [first, other, other], [{ ...first, lineId: "L9" }]][variant]!,
      });
    }
    case "RecordTaxSurplus":
    case "RecordTaxRefund":
      return ask(type, { amount: [800, 799, 801, 0][variant]! });
    default:
      return ask(type, {});
  }
}

/** Lives one life, and tells every step of it. */
function live(of: Life, told: (step: Told) => void): OrderState {
  const course = courseOf();
  let now = t0;
  for (const one of of.steps) {
    now = Math.max(0, now + one.gap);
    const types = one.apt ? commandsFor(course.state.status).filter((type) => type !== "ApplyRefund") : own;
    const type = types[one.pick % types.length]!;
    const roles = rolesFor(type);
    const actor = one.apt ? people.find(({ role }) => role === roles[one.pick % roles.length])! : one.who;
    const policy: Policy = {
      terms: { ...defaultTerms, ...of.terms },
      redeemStaff: one.variant === 3 ? [] : ["staff-1"],
      ...(one.variant === 2 ? {} : { codeHash }),
      ...(one.code === undefined ? {} : { presentedHash: one.code }),
    };
    const command = commandOf(type, one, of);
    told(course.does(actor, command, policy, now));
  }
  return course.state;
}

function withoutClockAndDice<T>(work: () => T): T {
  const { now } = Date;
  const { random } = Math;
  const never = (): never => {
    throw new Error("decide looked at the clock or threw dice");
  };
  Date.now = never;
  Math.random = never;
  try {
    return work();
  } finally {
    Date.now = now;
    Math.random = random;
  }
}

function unitsOf(history: readonly OrderEvent[], type: "StockDeducted" | "StockReleased", lineId: string) {
  return history
    .flatMap((one) => (one.type === type ? one.data.lines : []))
    .filter((line) => line.lineId === lineId)
    .reduce((units, line) => units + line.quantity, 0);
}

const check = (holds: (step: Told) => void, numRuns = 150): void =>
  fc.assert(
    fc.property(life, (of) => {
      live(of, holds);
    }),
    { numRuns },
  );

describe("after every command of any life", () => {
  it("the same question has the same answer, without a clock or dice, and of a state out of JSON (8)", () => {
    check(({ now, actor, command, policy, before, answer }) => {
      same(
        withoutClockAndDice(() => decide({ actor, command, policy }, before, now)),
        answer,
      );
      const asked = copy({ actor, command, policy });
      same(
        withoutClockAndDice(() => decide(asked, copy(before), now)),
        answer,
      );
    });
  });

  it("apifm's status goes up, or to -1 and never from there (invariant 15)", () => {
    check(({ before, after }) => {
      const from = apifm(before) ?? 0;
      const to = apifm(after) ?? 0;
      if (from === -1) expect(to).toBe(-1);
      else expect(to === -1 || to >= from).toBe(true);
    });
  });

  it("stock is deducted once, and comes back once at the most and only what was deducted (21)", () => {
    check(({ history, after }) => {
      for (const { lineId, quantity } of askedLines) {
        const out = unitsOf(history, "StockDeducted", lineId);
        const back = unitsOf(history, "StockReleased", lineId);
        expect([0, quantity]).toContain(out);
        expect([0, out]).toContain(back);
        if (after.status === "cancelled" || after.status === "closed") expect(back).toBe(out);
        if (after.status === "completed") expect(out - back).toBe(quantity);
      }
    });
  });

  it("what was paid is the total, once, but for what came late (2, 26)", () => {
    check(({ after, history }) => {
      if (after.status === "none") return;
      const inTime = history.filter((one) => one.type === "OrderPaid");
      const late = history.filter((one) => one.type === "LatePaymentReceived");
      const ended = history.filter((one) => one.type === "OrderCancelled" || one.type === "OrderExpired");
      expect(inTime.length + ended.length).toBeLessThanOrEqual(1);
      expect(inTime.every((one) => one.data.amount === after.total)).toBe(true);
      // A free order that the merchant cancels closes by a refund of nothing.
      const ends = ended.length + history.filter((one) => one.type === "OrderClosedByRefund").length;
      expect(late.length === 0 || ends === 1).toBe(true);
      expect(after.paid).toBe([...inTime, ...late].reduce((paid, one) => paid + one.data.amount, 0));
      if (late.length === 0) expect(after.paid).toBeLessThanOrEqual(after.total);
      const payIds = after.payments.map((payment) => payment.payId);
      expect(new Set(payIds).size).toBe(payIds.length);
    });
  });

  it("a refusal or a repeat leaves the state as it was (9), and so does any stranger's command (31)", () => {
    check(({ before, answer, after, actor }) => {
      if (E.isLeft(answer) || answer.right.length === 0) expect(after).toBe(before);
      if (before.status === "none") return;
      const foreign =
        (actor.role === "buyer" && actor.id !== before.buyerId) ||
        (actor.role === "merchant" && actor.id !== before.merchantId);
      if (foreign) {
        expect(answer).toStrictEqual(E.left({ code: "notOwner", orderId: "o-1", role: actor.role }));
      }
    });
  });

  it("the state is the fold of its history, also out of JSON (7, 25)", () => {
    check(({ after, history }) => {
      same(fold(history), after);
      same(fold(copy(history)), after);
    });
  });

  it("the facts are of one instant, plain JSON, and no fact of a life comes twice", () => {
    const often = new Set([
      "LatePaymentReceived",
      ...caseEventTypes,
      "ShipmentCorrected",
      // Once from each side.
      "OrderHidden",
    ]);
    check(({ answer, now, history }) => {
      if (E.isLeft(answer)) return;
      expect(answer.right.every((one) => one.at === now)).toBe(true);
      expect(copy(answer.right)).toStrictEqual(answer.right);
      const once = history.map((one) => one.type).filter((type) => !often.has(type));
      expect(new Set(once).size).toBe(once.length);
      const sides = history.flatMap((one) => (one.type === "OrderHidden" ? [one.data.from] : []));
      expect(new Set(sides).size).toBe(sides.length);
      const instants = history.map((one) => one.at);
      expect(instants.toSorted((a, b) => a - b)).toStrictEqual(instants);
    });
  });

  it("a refusal is in the documented order, and in words with its field and its numbers (29)", () => {
    const ranks = ["wrongActor", "timeRunsBackwards", "orderStatusNotEligible"];
    const rank = ({ code }: Rejection) => (ranks.includes(code) ? ranks.indexOf(code) : ranks.length);
    check(({ answer }) => {
      if (E.isRight(answer)) return;
      const { also = [], ...first } = answer.left;
      const all = [first as Rejection, ...also];
      const order = all.map(rank);
      expect(order.toSorted((a, b) => a - b)).toStrictEqual(order);
      const text = describeRejection(answer.left);
      expect(text).toBe(all.map(describeRejection).join("; also "));
      for (const one of all) {
        const words = describeRejection(one);
        expect(words).not.toMatch(/undefined|NaN|null|\[object|Invalid/);
        for (const [key, value] of Object.entries(one)) {
          if (key === "code" || value === null) continue;
          for (const part of [value].flat()) expect(words).toContain(spelt(one, key, part));
        }
      }
    });
  });

  /** How a fact of a refusal stands in its words; what the words need not repeat is empty. */
  function spelt(one: Rejection, key: string, value: unknown): string {
    if (key === "at" && one.code === "notDue" && one.dueAt === null) return "";
    if (["at", "lastAt", "dueAt"].includes(key)) return new Date(value as number).toISOString();
    return typeof value === "number" && "currency" in one ? formatAmount(value, one.currency) : String(value);
  }
});

it("the lives are not idle: every status, every command and every refusal of decide comes up", () => {
  const statuses = new Set<string>();
  const accepted = new Set<string>();
  const refused = new Set<string>();
  fc.assert(
    fc.property(life, (of) => {
      live(of, ({ after, answer, command }) => {
        statuses.add(after.status);
        if (E.isRight(answer)) accepted.add(command.type);
        else [answer.left, ...(answer.left.also ?? [])].forEach(({ code }) => refused.add(code));
      });
    }),
    { numRuns: 800, seed: 20_260_105 },
  );
  expect(statuses).toStrictEqual(new Set(["none", ...orderStatuses]));
  expect(accepted).toStrictEqual(new Set(own));
  const ofCases: readonly RejectionCode[] = [
    "caseNotFound",
    "caseIdUsed",
    "caseStatusNotEligible",
    "originNotEligible",
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
  ];
  // Not of decide: the form, the revision, the repeat and the order number. Not of these lives: another merchant's name.
  const elsewhere = [
    "invalidCommand",
    "commandIdReused",
    "versionConflict",
    "orderNoUsed",
    "merchantMismatch",
    ...ofCases,
  ];
  expect(rejectionCodes.filter((code) => !refused.has(code)).toSorted()).toStrictEqual(elsewhere.toSorted());
});
