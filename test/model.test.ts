// The chart walked through real engines: every path leads where it says, and what it does not list is refused with nothing appended.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import { redemptionCode } from "../src/commands/redemption.ts";
import type { Actor } from "../src/domain/actor.ts";
import type { CommandType } from "../src/domain/commands.ts";
import { rolesFor } from "../src/domain/decide.ts";
import {
  type ChartStatus,
  type Outcome,
  commandTypes,
  isLegal,
  orderMoves,
  orderStatuses,
} from "../src/domain/lifecycle.ts";
import type { Engine } from "../src/engine.ts";
import { admin, buyer, day, merchant, parcel, provider, staff, system, t0 } from "./domain/orders.ts";
import { accepted, by, newOrder, open, refused, stores, tidyEngines } from "./engines.ts";

tidyEngines();

const redeemKey = "model";
/** AFTERSALE_WALK=all walks every path. */
const walksAll = process.env["AFTERSALE_WALK"] === "all";
const people: Readonly<Record<Actor["role"], Actor>> = { buyer, merchant, staff, provider, system, admin };

/** How an order must have been made so that a path's first and second moves come out as they do. */
interface Made {
  readonly booking: boolean;
  readonly free: boolean;
  /** Money that comes too late is none here: what goes back opens a case. */
  readonly late: boolean;
}

function commandOf(type: CommandType, orderId: string, { booking, free, late }: Made): object {
  switch (type) {
    case "CreateOrder":
      return newOrder(orderId, {
        buyerId: buyer.id,
        charges: [{ kind: "tariff", amount: 800 }],
        discount: free ? 5_800 : 0,
        redeemable: true,
        fulfilment: "local",
        terms: { booking },
      });
    case "Pay":
      return { type, orderId, payId: `pay-${orderId}`, amount: free || late ? 0 : 5_800, channel: "online" };
    case "Ship":
    case "CorrectShipment":
      return { type, orderId, shipments: [parcel] };
    case "Redeem":
      return { type, orderId, code: redemptionCode(redeemKey, orderId) };
    case "Review":
      return {
        type,
        orderId,
        items: [
          { lineId: "L1", rating: "good" },
          { lineId: "L2", rating: "bad" },
        ],
      };
    case "RecordTaxSurplus":
    case "RecordTaxRefund":
      return { type, orderId, amount: 800 };
    default:
      return { type, orderId };
  }
}

function actorOf(type: CommandType): Actor {
  // The merchant's hand where terms are overridden; the system only where nobody else may.
  if (type === "CreateOrder") return merchant;
  return people[rolesFor(type)[0] as Actor["role"]];
}

/** Facets have an order of their own: the second of each pair needs the first. */
const needs: Partial<Record<Outcome, Outcome>> = {
  MarkPurchased: "AuditPayment",
  RecordTaxRefund: "RecordTaxSurplus",
};

/** What a case does to its order is walked with the cases. */
const moves = orderMoves.filter(
  ({ outcome }) => !["ApplyRefund", "SettleRefund/closes", "CancelOrder/paid"].includes(outcome),
);
const own = commandTypes.filter((type) => type !== "ApplyRefund" && type !== "SettleRefund");

type Path = readonly (typeof orderMoves)[number][];

/** Every path from the beginning on which no move is taken twice. */
function paths(): readonly Path[] {
  const all: Path[] = [];
  const walk = (status: ChartStatus, taken: Path): void => {
    all.push(taken);
    for (const move of moves) {
      if (move.from !== status || taken.includes(move)) continue;
      const needed = needs[move.outcome];
      if (needed !== undefined && !taken.some(({ outcome }) => outcome === needed)) continue;
      // Where nothing was paid there is no tax to give back.
      if (move.outcome === "RecordTaxSurplus" && taken.some(({ outcome }) => outcome.endsWith("/free")))
        continue;
      // Whether an order is free shows at its creation or its confirmation, and stays so.
      walk(move.to, [...taken, move]);
    }
  };
  walk("none", []);
  return all.filter((path) => path.length > 0);
}

function madeFor(path: Path): Made {
  const outcomes = new Set(path.map(({ outcome }) => outcome));
  return {
    booking: outcomes.has("CreateOrder/booking"),
    free: outcomes.has("CreateOrder/free") || outcomes.has("ConfirmOrder/free"),
    late: path.some(({ outcome, from }) => outcome === "Pay" && from !== "pendingPayment"),
  };
}

function typeOf(outcome: Outcome): CommandType {
  return outcome.split("/")[0] as CommandType;
}

/** When a move is made: late enough for the deadlines, and never backwards. */
function instantOf(at: number): number {
  return t0 + at * 20 * day;
}

/** Lives along a path, and compares after each move. */
async function walk(engine: Engine, orderId: string, path: Path): Promise<void> {
  const made = madeFor(path);
  for (const [at, move] of path.entries()) {
    const type = typeOf(move.outcome);
    const command = commandOf(type, orderId, made);
    const receipt = accepted(await engine.execute(command, by(actorOf(type), { at: instantOf(at) })));
    expect(receipt.events[0]?.type).toBe(move.records);
    expect((await engine.state(orderId)).status).toBe(move.to);
  }
}

const everyPath = paths();
/** The paths that no longer path begins with: walking these walks all. */
const longest = everyPath.filter(
  (path) =>
    !everyPath.some((other) => other.length > path.length && path.every((move, at) => other[at] === move)),
);

/** One path to each status by each of the moves that lead there. */
const ways: readonly Path[] = moves.flatMap((move) => {
  const ending = everyPath.filter((path) => path.at(-1) === move).toSorted((a, b) => a.length - b.length);
  return ending.slice(0, 1);
});

it("the paths reach every status by every move", () => {
  expect(ways).toHaveLength(moves.length);
  expect(new Set(everyPath.flat())).toEqual(new Set(moves));
  expect(new Set(everyPath.flatMap((path) => path.map(({ to }) => to)))).toEqual(new Set(orderStatuses));
});

describe.each(stores)("on %s", (kind, fresh) => {
  it(`every path leads where the chart says, and the state kept is the state by replay`, async () => {
    const engine = await open({ store: fresh(), redeemKey, terms: { "*": { redeemStaff: [staff.id] } } });
    // Some of them, which still is every move many times over.
    const every = walksAll ? 1 : ({ memory: 4, sqlite: 10 }[kind] ?? 40);
    const all = [...longest.filter((_, at) => at % every === 0), ...ways];
    await Promise.all(all.map((path, at) => walk(engine, `path-${at}`, path)));
    let replayed = 0;
    const kept: Promise<void>[] = [];
    const { orders } = await engine.replay({
      onOrder: (orderId, state) => {
        replayed += 1;
        kept.push(engine.state(orderId).then((now) => expect(state).toEqual(now)));
      },
    });
    await Promise.all(kept);
    expect([orders, replayed]).toEqual([all.length, all.length]);
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
  });

  it("every command that a status does not list is refused, by everybody, with nothing appended", async () => {
    const engine = await open({ store: fresh(), redeemKey, terms: { "*": { redeemStaff: [staff.id] } } });
    let pairs = 0;
    for (const [at, path] of [[], ...ways].entries()) {
      const orderId = `way-${at}`;
      await walk(engine, orderId, path);
      const status = path.at(-1)?.to ?? "none";
      const made = madeFor(path);
      const before = await engine.state(orderId);
      const head = await engine.head();
      for (const type of own) {
        if (isLegal(status, type)) continue;
        pairs += 1;
        const command = commandOf(type, orderId, made);
        // Over a wire one of them, each in turn: who may is decided on this side of it.
        const asking = Object.values(people);
        for (const actor of kind === "esdb" ? [asking[pairs % asking.length] as Actor] : asking) {
          const options = by(actor, { at: instantOf(path.length) });
          const answer = await engine.execute(command, options);
          // What was done already is no refusal, and appends nothing either.
          if (E.isRight(answer)) {
            expect(answer.right.events).toEqual([]);
            expect(["Pay", "HideOrder"]).toContain(type);
          } else {
            const codes = [answer.left.code, ...(answer.left.also ?? []).map(({ code }) => code)];
            const expected =
              status === "none"
                ? "orderNotFound"
                : type === "CreateOrder"
                  ? "orderExists"
                  : "orderStatusNotEligible";
            expect(codes).toContain(expected);
          }
          expect(await engine.preview(command, options)).toMatchObject({ _tag: answer._tag });
        }
      }
      expect(await engine.head()).toBe(head);
      expect(await engine.state(orderId)).toEqual(before);
    }
    expect(pairs).toBeGreaterThan(200);
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
  });

  it("every order that is there is refused to be made again, under any id", async () => {
    const engine = await open({ store: fresh(), redeemKey });
    await walk(engine, "o-1", ways[1] as Path);
    expect(refused(await engine.execute(newOrder("o-1"), by(buyer))).code).toBe("orderExists");
  });
});
