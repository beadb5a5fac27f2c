// Random lives of orders under after-sale, by many hands on a virtual clock: every invariant after every command.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import { caseCommandTypes, caseStatuses } from "../../src/domain/caseLifecycle.ts";
import { inFlight } from "../../src/domain/caseState.ts";
import type { Command, Policy } from "../../src/domain/commands.ts";
import { deadlinesOf, isPast } from "../../src/domain/deadlines.ts";
import { type Decision, decide } from "../../src/domain/decide.ts";
import { isLegal } from "../../src/domain/lifecycle.ts";
import { claimedInAll, refundableOf } from "../../src/domain/refundable.ts";
import { type Rejection, describeRejection } from "../../src/domain/refusals.ts";
import { type Order, evolve, fold, ledgerOf } from "../../src/domain/state.ts";
import { defaultTerms } from "../../src/domain/terms.ts";
import { type Life, asked, beginning, dueOn, life, lineIds } from "./caseLife.ts";
import { type Told, copy, courseOf, same } from "./course.ts";
import { stateHolds, stepHolds } from "./invariants.ts";
import { ask, buyer, day, merchant, minute, policy, rightCode, system, t0 } from "./orders.ts";

function live(of: Life, told: (step: Told) => void): Order {
  const course = courseOf();
  let now = t0;
  const knowing: Policy = { ...rightCode, terms: { ...defaultTerms, ...of.terms } };
  const does = (actor: Actor, command: Command): Decision => {
    const step = course.does(actor, command, knowing, now);
    told(step);
    return step.answer;
  };
  for (const [actor, command] of beginning(of)) {
    const answer = does(actor, command);
    if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left));
    now += minute;
  }
  for (const one of of.steps) {
    now = Math.max(t0, now + one.gap);
    const [actor, command] = asked(course.state as Order, one, now);
    does(actor, command);
  }
  return course.state as Order;
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
      if (command.type !== "CreateOrder") same(again, answer);
      if (E.isLeft(answer) || answer.right.length === 0) expect(after).toBe(before);
    });
  });

  it("the state is the fold of its history, out of JSON and from any point on (7, 25)", () => {
    check(({ after, history, answer }) => {
      if (E.isLeft(answer)) return;
      same(fold(history), after);
      same(fold(copy(history)), after);
      const half = Math.floor(history.length / 2);
      same(history.slice(half).reduce(evolve, fold(history.slice(0, half))), after);
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
