// The case's chart against XState itself, against the table of domain 2.3, and every pair of status and command that it has not.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { createActor, transition } from "xstate";

import type { Actor } from "../../src/domain/actor.ts";
import type { CaseCommandType } from "../../src/domain/caseCommands.ts";
import {
  type CaseChartStatus,
  type CaseOutcome,
  caseCommandTypes,
  caseCommandsFor,
  caseMachine,
  caseMoves,
  caseStatusAfter,
  caseStatuses,
  caseStatusesFor,
  endedCaseStatuses,
  isCaseLegal,
  isOpen,
  openCaseStatuses,
} from "../../src/domain/caseLifecycle.ts";
import type { Command } from "../../src/domain/commands.ts";
import { decide, rolesFor } from "../../src/domain/decide.ts";
import { type Order, evolve, fold } from "../../src/domain/state.ts";
import { caseTypes } from "../../src/domain/terms.ts";
import { apply, canBe, caseId, inCase, issued, now, refundId, waybill } from "./cases.ts";
import { ask, buyer, merchant, policy, provider, reached, system } from "./orders.ts";

const statuses: readonly CaseChartStatus[] = ["none", ...caseStatuses];

const everyOutcome: Readonly<Record<CaseOutcome, true>> = {
  ApplyRefund: true,
  "ApproveRefund/refund": true,
  "ApproveRefund/return": true,
  RejectRefund: true,
  CancelRefund: true,
  CloseRefund: true,
  HideRefund: true,
  ShipReturn: true,
  CorrectReturnShipment: true,
  "ReceiveReturn/refund": true,
  "ReceiveReturn/exchange": true,
  IssueRefund: true,
  SettleRefund: true,
  FailRefund: true,
  ShipReplacement: true,
  ConfirmReplacement: true,
  ConvertToRefund: true,
  "ImportRefund/requested": true,
  "ImportRefund/awaitingReturn": true,
  "ImportRefund/refundPending": true,
  "ImportRefund/exchanged": true,
  "ImportRefund/rejected": true,
  "ImportRefund/closed": true,
};
const outcomes = Object.keys(everyOutcome) as readonly CaseOutcome[];

/** Domain 2.3 with rulings 7 and 8: from which statuses each command may come. */
const legal: Readonly<Record<CaseCommandType, readonly CaseChartStatus[]>> = {
  ApplyRefund: ["none"],
  ApproveRefund: ["requested"],
  RejectRefund: ["requested", "returnInTransit", "refundPending"],
  CancelRefund: ["requested", "awaitingReturn", "returnInTransit", "refundPending", "rejected"],
  CloseRefund: [...openCaseStatuses],
  HideRefund: ["rejected", "cancelled", "closed"],
  ShipReturn: ["awaitingReturn"],
  CorrectReturnShipment: ["returnInTransit"],
  ReceiveReturn: ["returnInTransit"],
  IssueRefund: ["refundPending"],
  SettleRefund: ["refundPending"],
  FailRefund: ["refundPending"],
  ShipReplacement: ["replacementPending"],
  ConfirmReplacement: ["replacementShipped"],
  ConvertToRefund: ["replacementPending"],
  ImportRefund: ["none"],
};

describe("the moves of a case", () => {
  it.each(statuses.flatMap((status) => outcomes.map((outcome) => ({ status, outcome }))))(
    "agree with XState on $outcome from $status",
    ({ status, outcome }) => {
      const snapshot = caseMachine.resolveState({ value: status });
      const moves = caseMoves.filter((move) => move.from === status && move.outcome === outcome);
      expect(snapshot.can({ type: outcome })).toBe(moves.length === 1);
      const [next] = transition(caseMachine, snapshot, { type: outcome });
      expect(next.value).toBe(moves[0]?.to ?? status);
      const actor = createActor(caseMachine, { snapshot }).start();
      actor.send({ type: outcome });
      expect(actor.getSnapshot().value).toBe(moves[0]?.to ?? status);
    },
  );

  it("are these", () => {
    expect(
      caseMoves.map(({ from, outcome, records, to }) => `${from} --${outcome}--> ${to}: ${records}`),
    ).toStrictEqual([
      "none --ApplyRefund--> requested: RefundApplied",
      "none --ImportRefund/requested--> requested: RefundImported",
      "none --ImportRefund/awaitingReturn--> awaitingReturn: RefundImported",
      "none --ImportRefund/refundPending--> refundPending: RefundImported",
      "none --ImportRefund/exchanged--> exchanged: RefundImported",
      "none --ImportRefund/rejected--> rejected: RefundImported",
      "none --ImportRefund/closed--> closed: RefundImported",
      "requested --ApproveRefund/refund--> refundPending: RefundApproved",
      "requested --ApproveRefund/return--> awaitingReturn: RefundApproved",
      "requested --RejectRefund--> rejected: RefundRejected",
      "requested --CancelRefund--> cancelled: RefundCancelled",
      "requested --CloseRefund--> closed: RefundClosed",
      "awaitingReturn --ShipReturn--> returnInTransit: ReturnShipped",
      "awaitingReturn --CancelRefund--> cancelled: RefundCancelled",
      "awaitingReturn --CloseRefund--> closed: RefundClosed",
      "returnInTransit --CorrectReturnShipment--> returnInTransit: ReturnShipmentCorrected",
      "returnInTransit --ReceiveReturn/refund--> refundPending: ReturnReceived",
      "returnInTransit --ReceiveReturn/exchange--> replacementPending: ReturnReceived",
      "returnInTransit --RejectRefund--> rejected: RefundRejected",
      "returnInTransit --CancelRefund--> cancelled: RefundCancelled",
      "returnInTransit --CloseRefund--> closed: RefundClosed",
      "refundPending --IssueRefund--> refundPending: RefundIssued",
      "refundPending --SettleRefund--> refunded: RefundSettled",
      "refundPending --FailRefund--> refundPending: RefundFailed",
      "refundPending --RejectRefund--> rejected: RefundRejected",
      "refundPending --CancelRefund--> cancelled: RefundCancelled",
      "refundPending --CloseRefund--> closed: RefundClosed",
      "replacementPending --ShipReplacement--> replacementShipped: ReplacementShipped",
      "replacementPending --ConvertToRefund--> refundPending: ExchangeConverted",
      "replacementPending --CloseRefund--> closed: RefundClosed",
      "replacementShipped --ConfirmReplacement--> exchanged: ReplacementReceived",
      "replacementShipped --CloseRefund--> closed: RefundClosed",
      "rejected --CancelRefund--> cancelled: RefundCancelled",
      "rejected --HideRefund--> rejected: RefundHidden",
      "cancelled --HideRefund--> cancelled: RefundHidden",
      "closed --HideRefund--> closed: RefundHidden",
    ]);
    expect(Object.isFrozen(caseMoves) && caseMoves.every(Object.isFrozen)).toBe(true);
    expect(new Set(caseMoves.map((move) => move.outcome))).toStrictEqual(new Set(outcomes));
  });

  it("name the fact that XState's own transition names", () => {
    const facts = caseMoves.map(({ from, outcome }) => {
      const node = caseMachine.getStateNodeById(`case.${from}`);
      return node.transitions.get(outcome)?.[0]?.meta?.records;
    });
    expect(facts).toStrictEqual(caseMoves.map((move) => move.records));
  });

  it("are legal exactly where domain 2.3 and the rulings say so", () => {
    expect(Object.keys(legal)).toStrictEqual(caseCommandTypes);
    for (const type of caseCommandTypes) {
      expect([type, caseStatusesFor(type)]).toStrictEqual([type, legal[type]]);
      for (const status of statuses) {
        expect([type, status, isCaseLegal(status, type)]).toStrictEqual([
          type,
          status,
          legal[type].includes(status),
        ]);
      }
    }
    for (const status of statuses) {
      expect(caseCommandsFor(status)).toStrictEqual(
        caseCommandTypes.filter((type) => legal[type].includes(status)),
      );
    }
  });

  it("give the status after a fact by the case's type, and leave it after any other", () => {
    expect(caseTypes.map((type) => caseStatusAfter("requested", "RefundApproved", type))).toStrictEqual([
      "refundPending",
      "awaitingReturn",
      "awaitingReturn",
    ]);
    expect(caseStatusAfter("returnInTransit", "ReturnReceived", "returnRefund")).toBe("refundPending");
    expect(caseStatusAfter("returnInTransit", "ReturnReceived", "exchange")).toBe("replacementPending");
    expect(caseStatusAfter("refunded", "RefundCancelled", "refundOnly")).toBe("refunded");
  });

  it("tell open from ended, and nothing leads from an ended case into an open one", () => {
    expect(openCaseStatuses.every(isOpen)).toBe(true);
    expect(endedCaseStatuses.some(isOpen)).toBe(false);
    for (const { from, to } of caseMoves) {
      if (from !== "none" && !isOpen(from)) expect(isOpen(to as (typeof caseStatuses)[number])).toBe(false);
    }
    // Invariant 12: a case that came to something is over for good.
    expect(caseMoves.filter(({ from }) => from === "refunded" || from === "exchanged")).toStrictEqual([]);
  });
});

/** A command to c-1 that would do, were the status right. */
const suitable: Readonly<Record<CaseCommandType, Command>> = {
  ApplyRefund: apply("refundOnly", { caseId: "c-2", lineId: "L2" }),
  ApproveRefund: ask("ApproveRefund", { caseId }),
  RejectRefund: ask("RejectRefund", { caseId, reason: "no proof" }),
  CancelRefund: ask("CancelRefund", { caseId }),
  CloseRefund: ask("CloseRefund", { caseId }),
  HideRefund: ask("HideRefund", { caseId }),
  ShipReturn: ask("ShipReturn", { caseId, ...waybill }),
  CorrectReturnShipment: ask("CorrectReturnShipment", { caseId, ...waybill }),
  ReceiveReturn: ask("ReceiveReturn", { caseId, dispositions: [{ kind: "restock", quantity: 1 }] }),
  IssueRefund: ask("IssueRefund", { caseId, destination: "wallet" }),
  SettleRefund: ask("SettleRefund", { caseId, refundId, amount: 1_000 }),
  FailRefund: ask("FailRefund", { caseId, refundId, failure: "NO", retryable: false }),
  ShipReplacement: ask("ShipReplacement", { caseId, ...waybill }),
  ConfirmReplacement: ask("ConfirmReplacement", { caseId }),
  ConvertToRefund: ask("ConvertToRefund", { caseId, amount: 1_000, buyerConsents: true }),
  ImportRefund: ask("ImportRefund", {
    caseId: "c-2",
    source: "elsewhere",
    status: "requested",
    lineId: "L2",
    caseType: "refundOnly",
    amount: 100,
    raw: [],
  }),
};
const people: Readonly<Partial<Record<Actor["role"], Actor>>> = { buyer, merchant, provider, system };

/** Who gives a command first of all; where the system gives it for a deadline, the merchant. */
function giver(type: CaseCommandType): Actor {
  const role = type === "CloseRefund" ? "merchant" : rolesFor(type)[0];
  return people[role as Actor["role"]] as Actor;
}

/** The commands to a case that is there. */
const toCases = caseCommandTypes.filter((type) => type !== "ApplyRefund" && type !== "ImportRefund");

describe("every status of every type of case, with every command", () => {
  const cells = caseTypes.flatMap((caseType) =>
    caseStatuses
      .filter((status) => canBe(caseType, status))
      .flatMap((status) => toCases.map((type) => ({ caseType, status, type }))),
  );

  it.each(cells)("$caseType, $status: $type", ({ caseType, status, type }) => {
    const callback = type === "SettleRefund" || type === "FailRefund";
    const history = inCase(status, caseType);
    const flying = callback && status === "refundPending" ? [...history, issued()] : history;
    const before = fold(flying) as Order;
    const answer = decide({ actor: giver(type), command: suitable[type], policy }, before, now);
    if (legal[type].includes(status)) {
      if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left));
      const move = caseMoves.find(
        ({ from, records }) => from === status && records === answer.right[0]?.type,
      );
      expect(move?.outcome.split("/")[0]).toBe(type);
      const after = answer.right.reduce(evolve, before) as Order;
      const to = after.cases[0]?.status as CaseChartStatus;
      // Some commands go two moves in one append: what is paid by hand, or comes to nothing, is settled at once.
      expect([
        caseStatusAfter(status, answer.right[0]?.type as "RefundApproved", caseType),
        "refunded",
      ]).toContain(to);
      expect(after.cases).toHaveLength(1);
    } else if (type === "SettleRefund" && status === "refunded") {
      expect(answer).toStrictEqual(E.right([]));
    } else {
      expect(E.isLeft(answer) && answer.left).toMatchObject({
        code: "caseStatusNotEligible",
        command: type,
        caseId,
        status,
        allowed: legal[type],
      });
    }
  });

  it.each(toCases)("%s of a case that is not there", (type) => {
    const answer = decide(
      { actor: giver(type), command: suitable[type], policy },
      fold(reached("completed")),
      now,
    );
    expect(answer).toStrictEqual(E.left({ code: "caseNotFound", caseId }));
  });

  it.each(caseCommandTypes)("%s by whoever may not is refused, whatever else", (type) => {
    for (const actor of [buyer, merchant, provider, system]) {
      if (rolesFor(type).includes(actor.role)) continue;
      const answer = decide(
        { actor, command: suitable[type], policy },
        fold(inCase("requested", "exchange")),
        0,
      );
      expect(E.isLeft(answer) && answer.left).toMatchObject({
        code: "wrongActor",
        command: type,
        role: actor.role,
        allowed: rolesFor(type),
      });
    }
  });
});
