// The case's chart walked through real engines: every path leads where it says, and what it does not list is refused with nothing
// appended.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { Actor } from "../src/domain/actor.ts";
import type { CaseCommandType } from "../src/domain/caseCommands.ts";
import {
  type CaseChartStatus,
  type CaseOutcome,
  caseCommandTypes,
  caseMoves,
  caseStatuses,
  isCaseLegal,
} from "../src/domain/caseLifecycle.ts";
import { inFlight } from "../src/domain/caseState.ts";
import { rolesFor } from "../src/domain/decide.ts";
import type { Rejection } from "../src/domain/refusals.ts";
import type { Order } from "../src/domain/state.ts";
import type { CaseType } from "../src/domain/terms.ts";
import type { Engine } from "../src/engine.ts";
import { waybill } from "./domain/cases.ts";
import { stateHolds } from "./domain/invariants.ts";
import { admin, buyer, merchant, minute, provider, staff, system, t0 } from "./domain/orders.ts";
import { accepted, by, live, open, stores, tidyEngines } from "./engines.ts";

tidyEngines();

/** AFTERSALE_WALK=all walks every path. */
const walksAll = process.env["AFTERSALE_WALK"] === "all";
const people: Readonly<Record<Actor["role"], Actor>> = { buyer, merchant, staff, provider, system, admin };
type CaseMove = (typeof caseMoves)[number];
type Path = readonly CaseMove[];

const exchanging: ReadonlySet<CaseOutcome> = new Set<CaseOutcome>([
  "ReceiveReturn/exchange",
  "ImportRefund/exchanged",
]);
const refunding: ReadonlySet<CaseOutcome> = new Set<CaseOutcome>([
  "ApproveRefund/refund",
  "ImportRefund/refundPending",
]);

/** A path tells the type of its case by where an approval or a receipt led. */
function typeOf(path: Path): CaseType {
  if (path.some(({ outcome }) => exchanging.has(outcome))) return "exchange";
  return path.some(({ outcome }) => refunding.has(outcome)) ? "refundOnly" : "returnRefund";
}

/** Whether money is on its way at the end of a path. */
function flies(path: Path): boolean {
  return (
    path.findLast(({ records }) => /^Refund(Issued|Settled|Failed)$/.test(records))?.records ===
    "RefundIssued"
  );
}

/** While money is on its way only the provider's answer moves the case; without it there is no answer. */
const answers: ReadonlySet<CaseOutcome> = new Set<CaseOutcome>(["SettleRefund", "FailRefund"]);

/** Every path from the beginning on which no move is taken twice. */
function paths(): readonly Path[] {
  const all: Path[] = [];
  const walk = (status: CaseChartStatus, taken: Path): void => {
    if (taken.length > 0) all.push(taken);
    for (const move of caseMoves) {
      if (move.from !== status || taken.includes(move)) continue;
      // What is hidden stays so.
      if (move.outcome === "HideRefund" && taken.some(({ outcome }) => outcome === "HideRefund")) continue;
      if (status === "refundPending" && answers.has(move.outcome) !== flies(taken)) continue;
      walk(move.to, [...taken, move]);
    }
  };
  walk("none", []);
  return all;
}

interface Walked {
  readonly orderId: string;
  readonly caseType: CaseType;
  /** The attempt that is in flight, or was last. */
  readonly attempt: number;
  readonly status: CaseChartStatus;
}

const caseOf = (orderId: string): string => `case-${orderId}`;

function commandOf(type: CaseCommandType, { orderId, caseType, attempt, status }: Walked): object {
  const caseId = caseOf(orderId);
  const of = { type, orderId, caseId };
  const quantity = caseType === "refundOnly" ? 0 : 1;
  const amount = caseType === "exchange" ? 0 : 1_000;
  const refundId = `${caseId}:${Math.max(1, attempt)}`;
  switch (type) {
    case "ApplyRefund":
      return { ...of, lineId: "L1", caseType, quantity, amount };
    case "ImportRefund":
      return { ...of, source: "elsewhere", status, lineId: "L1", caseType, quantity, amount, raw: {} };
    case "RejectRefund":
      return { ...of, reason: "no proof" };
    case "ShipReturn":
    case "CorrectReturnShipment":
    case "ShipReplacement":
      return { ...of, ...waybill };
    case "ReceiveReturn":
      return { ...of, dispositions: [{ kind: "restock", quantity: 1 }] };
    case "IssueRefund":
      return { ...of, destination: "wallet" };
    case "SettleRefund":
      return { ...of, refundId, amount: 1_000 };
    case "FailRefund":
      return { ...of, refundId, failure: "NO", retryable: true };
    case "ConvertToRefund":
      return { ...of, amount: 1_000, buyerConsents: true };
    default:
      return of;
  }
}

function giverOf(type: CaseCommandType): Actor {
  return people[type === "CloseRefund" ? "merchant" : (rolesFor(type)[0] as Actor["role"])];
}

function commandType(outcome: CaseOutcome): CaseCommandType {
  return outcome.split("/")[0] as CaseCommandType;
}

const begun = t0 + 10 * minute;

/** Lives along a path, and compares after each move. */
async function walk(engine: Engine, orderId: string, path: Path): Promise<Walked> {
  await live(engine, orderId, 4);
  const caseType = typeOf(path);
  let walked: Walked = { orderId, caseType, attempt: 0, status: "none" };
  for (const [at, move] of path.entries()) {
    const type = commandType(move.outcome);
    const command = commandOf(type, { ...walked, status: move.to });
    const receipt = accepted(await engine.execute(command, by(giverOf(type), { at: begun + at * minute })));
    expect(receipt.events[0]?.type).toBe(move.records);
    const order = (await engine.state(orderId)) as Order;
    expect(order.cases[0]?.status).toBe(move.to);
    stateHolds(order);
    walked = { ...walked, attempt: order.cases[0]?.attempts.length ?? 0, status: move.to };
  }
  return walked;
}

const everyPath = paths();
/** The paths that no longer path begins with: walking these walks all. */
const longest = everyPath.filter(
  (path) =>
    !everyPath.some((other) => other.length > path.length && path.every((move, at) => other[at] === move)),
);
/** One path by each of the moves, the shortest. */
const ways: readonly Path[] = caseMoves.flatMap((move) =>
  everyPath
    .filter((path) => path.at(-1) === move)
    .toSorted((a, b) => a.length - b.length)
    .slice(0, 1),
);

it("the paths reach every status by every move", () => {
  expect(ways).toHaveLength(caseMoves.length);
  expect(new Set(everyPath.flat())).toEqual(new Set(caseMoves));
  expect(new Set(everyPath.flatMap((path) => path.map(({ to }) => to)))).toEqual(new Set(caseStatuses));
});

describe.each(stores)("on %s", (kind, fresh) => {
  it("every path leads where the chart says, and the state kept is the state by replay", async () => {
    const engine = await open({ store: fresh() });
    // Some of them, and each move at least once.
    const every = walksAll ? 1 : ({ memory: 4, sqlite: 10 }[kind] ?? 40);
    const all = [...longest.filter((_, at) => at % every === 0), ...ways];
    await Promise.all(all.map((path, at) => walk(engine, `path-${at}`, path)));
    const kept: Promise<void>[] = [];
    const { orders } = await engine.replay({
      onOrder: (orderId, state) => {
        kept.push(engine.state(orderId).then((now) => expect(state).toEqual(now)));
      },
    });
    await Promise.all(kept);
    expect([orders, kept.length]).toEqual([all.length, all.length]);
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
  });

  it("every pair of a status and a command: what is listed is taken, all else refused by everybody, nothing appended", async () => {
    const engine = await open({ store: fresh() });
    let pairs = 0;
    // Each way there is, and those that end with money on its way or back again.
    for (const [at, path] of ways.entries()) {
      const walked = await walk(engine, `way-${at}`, path);
      const { status, orderId } = walked;
      const before = (await engine.state(orderId)) as Order;
      const one = before.cases[0];
      const head = await engine.head();
      for (const type of caseCommandTypes) {
        // A second application or snapshot is no command to this case.
        if (type === "ApplyRefund" || type === "ImportRefund") continue;
        pairs += 1;
        const command = commandOf(type, walked);
        // Over a wire one of them, each in turn: who may is decided on this side of it.
        const asking = Object.values(people);
        for (const actor of kind === "esdb" ? [asking[pairs % asking.length] as Actor] : asking) {
          const options = by(actor, { at: begun + path.length * minute });
          const legal = isCaseLegal(status, type) && rolesFor(type).includes(actor.role);
          const flight = one !== undefined && inFlight(one) !== undefined;
          const answer: E.Either<Rejection, { readonly events: readonly unknown[] }> = legal
            ? await engine.preview(command, options)
            : await engine.execute(command, options);
          if (E.isRight(answer)) {
            // What was done already is no refusal, and appends nothing either.
            if (!legal) expect([type, answer.right.events]).toEqual([type, []]);
            continue;
          }
          const codes = [answer.left.code, ...(answer.left.also ?? []).map(({ code }) => code)];
          if (!rolesFor(type).includes(actor.role)) expect(codes[0]).toBe("wrongActor");
          else if (!isCaseLegal(status, type)) expect(codes).toContain("caseStatusNotEligible");
          else if (answers.has(type as CaseOutcome)) {
            expect(flight).toBe(false);
            expect(["refundUnknown", "refundNotInFlight"]).toContain(codes[0]);
          } else if (actor.role === "system") expect(codes).toContain("notDue");
          else {
            expect(status).toBe("refundPending");
            expect([type, flight, codes]).toEqual([type, true, ["refundInFlight"]]);
          }
        }
      }
      expect(await engine.head()).toBe(head);
      expect(await engine.state(orderId)).toEqual(before);
    }
    expect(pairs).toBe(ways.length * (caseCommandTypes.length - 2));
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
  });
});
