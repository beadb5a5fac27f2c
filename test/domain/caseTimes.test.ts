// The clocks of after-sale, whatever the times are: the window to apply in, and the automatic receipt with the time that cases took.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import { autoConfirmAt, deadlinesOf } from "../../src/domain/deadlines.ts";
import { decide } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { type Order, fold } from "../../src/domain/state.ts";
import { applied, apply } from "./cases.ts";
import {
  ask,
  buyer,
  created,
  day,
  event,
  paid,
  policy,
  received,
  second,
  shipped,
  system,
  t0,
} from "./orders.ts";

function codesOf(
  history: readonly OrderEvent[],
  command: Parameters<typeof decide>[0]["command"],
  at: number,
) {
  const actor = command.type === "ApplyRefund" ? buyer : system;
  const answer = decide({ actor, command, policy }, fold(history), at);
  return E.isLeft(answer) ? [answer.left.code, ...(answer.left.also ?? []).map(({ code }) => code)] : [];
}

const days = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(365, 36_500));
const instant = fc.integer({ min: t0 + day, max: t0 + 400 * day });

describe("the window to apply in (24)", () => {
  it("is open to its last second, closed from the next on, and never closes before receipt", () => {
    fc.assert(
      fc.property(days, instant, fc.nat({ max: 999 }), (afterSaleDays, at, within) => {
        const sent = [created({ terms: { afterSaleDays } }), paid(), shipped(t0 + 1)];
        const history = [...sent, received(at)];
        const last = (Math.floor((at + afterSaleDays * day) / second) + 1) * second;
        const asked = apply("refundOnly");
        expect(codesOf(history, asked, at)).toEqual([]);
        expect(codesOf(history, asked, last - 1 - within)).toEqual([]);
        expect(codesOf(history, asked, last + within)).toEqual(["windowExpired"]);
        expect(codesOf(sent, asked, last + 10_000 * day)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("of no days is never open", () => {
    fc.assert(
      fc.property(instant, fc.boolean(), (at, came) => {
        const sent = [created({ terms: { afterSaleDays: 0 } }), paid(), shipped(t0 + 1)];
        const history = came ? [...sent, received(at)] : sent;
        expect(codesOf(history, apply("refundOnly"), at)).toEqual(["windowExpired"]);
      }),
    );
  });
});

describe("the automatic receipt (27)", () => {
  /** Cases one after the other or over one another, each open for a while. */
  const cases = fc.array(
    fc.record({
      lineId: fc.constantFrom("L1", "L2"),
      from: fc.integer({ min: 0, max: 40 * day }),
      length: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 * day })),
      ends: fc.boolean(),
    }),
    { maxLength: 6 },
  );

  it("comes when the order has waited its days without a case, and never while one is open", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), instant, cases, (autoConfirmDays, at, given) => {
        const moments = given.flatMap(({ lineId, from, length, ends }, index) => {
          const caseId = `c-${index}`;
          const opened = applied("refundOnly", { caseId, lineId, amount: 1 }, at + from);
          const over = event("RefundCancelled", at + from + length, { caseId, from: "requested" });
          return ends ? [opened, over] : [opened];
        });
        const facts = moments.toSorted((a, b) => a.at - b.at);
        const history = [created({ terms: { autoConfirmDays } }), paid(), shipped(at), ...facts];
        // The time between two facts is waited where no case is open between them.
        let open = 0;
        let since = at;
        let waited = 0;
        for (const one of facts) {
          if (open === 0) waited += one.at - since;
          open += one.type === "RefundApplied" ? 1 : -1;
          since = one.at;
        }
        const order = fold(history) as Order;
        const confirm = ask("ConfirmReceipt", {});
        if (open > 0) {
          expect(autoConfirmAt(order)).toBe(undefined);
          expect(codesOf(history, confirm, at + 9_999 * day)).toEqual(["notDue"]);
          expect(deadlinesOf(order).some(({ kind }) => kind === "autoConfirm")).toBe(false);
          return;
        }
        const due = since + autoConfirmDays * day - waited;
        expect(autoConfirmAt(order)).toBe(due);
        expect(deadlinesOf(order)).toContainEqual({ kind: "autoConfirm", dueAt: due });
        const first = (Math.floor(due / second) + 1) * second;
        if (first <= order.lastAt) return;
        expect(codesOf(history, confirm, first)).toEqual([]);
        expect(codesOf(history, confirm, Math.max(order.lastAt, first - 1))).toEqual(["notDue"]);
      }),
      { numRuns: 1_000 },
    );
  });
});
