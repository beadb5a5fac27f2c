// Random lives of orders under after-sale through real engines, many orders at once: every invariant after every command, and in the end
// the state kept, the state by replay and the views rebuilt are one.
//
// AFTERSALE_RUNS=1000 lives so many instead of the usual number, for as long as it takes.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import { redemptionCode } from "../src/commands/redemption.ts";
import type { Actor } from "../src/domain/actor.ts";
import type { Command } from "../src/domain/commands.ts";
import { type Decision, decide } from "../src/domain/decide.ts";
import { type Order, evolve, fold } from "../src/domain/state.ts";
import type { Engine } from "../src/engine.ts";
import { type Life, asked, beginning, life } from "./domain/caseLife.ts";
import { stateHolds, stepHolds } from "./domain/invariants.ts";
import { minute, policy, staff, t0 } from "./domain/orders.ts";
import { open, stores, tidyEngines } from "./engines.ts";

tidyEngines();

const redeemKey = "lives";
const opening = { redeemKey, terms: { "*": { redeemStaff: [staff.id] } } };
const runs = process.env["AFTERSALE_RUNS"];

/** The command as it is given to one order among others: ids that are the store's own are made the order's. */
function forOrder(command: Command, orderId: string): Command {
  const owned = (id: string): string => (/^(?:late:|cancel:)|^life-/.test(id) ? id : `${orderId}.${id}`);
  const given: Record<string, unknown> = { ...command, orderId };
  for (const key of ["caseId", "payId", "refundId"]) {
    const id = given[key];
    if (typeof id === "string") given[key] = owned(id);
  }
  if (given["code"] !== undefined) given["code"] = redemptionCode(redeemKey, orderId);
  return given as unknown as Command;
}

/** A snapshot rides in as the open map that it is, and is kept as pairs. */
function asSent(command: Command): object {
  return command.type === "ImportRefund" ? { ...command, raw: Object.fromEntries(command.raw) } : command;
}

/** Lives a life as one order of an engine, whatever else the engine does meanwhile. */
async function live(engine: Engine, orderId: string, of: Life): Promise<number> {
  let now = t0;
  let commands = 0;
  const does = async (actor: Actor, asking: Command): Promise<void> => {
    const command = forOrder(asking, orderId);
    commands += 1;
    const options = { actor, commandId: `${orderId}-${commands}`, at: now };
    const before = await engine.state(orderId);
    const sent = asSent(command);
    const preview = await engine.preview(sent, options);
    const answer = await engine.execute(sent, options);
    const after = await engine.state(orderId);
    // The preview was the decision, and the domain alone decides the same.
    if (E.isLeft(answer)) {
      expect(preview).toEqual(answer);
      expect(after).toEqual(before);
    } else {
      expect(E.isRight(preview) && preview.right.events).toEqual(answer.right.events);
      expect(answer.right.events.reduce(evolve, before)).toEqual(after);
    }
    if (!["CreateOrder", "Redeem", "Ship"].includes(command.type)) {
      const decided = decide({ actor, command, policy }, before, now);
      expect(E.isLeft(answer) ? answer.left : answer.right.events).toEqual(
        E.isLeft(decided) ? decided.left : decided.right,
      );
    }
    const decision: Decision = E.isLeft(answer) ? answer : E.right(answer.right.events);
    stepHolds({ command, before: E.isLeft(answer) ? after : before, answer: decision, after });
    if (after.status !== "none") stateHolds(after);
    // Sent again, it is the same command.
    if (E.isRight(answer) && answer.right.events.length > 0 && commands % 5 === 0) {
      expect(await engine.execute(sent, options)).toEqual(E.right({ ...answer.right, replayed: true }));
    }
  };
  for (const [actor, command] of beginning(of)) {
    // Terms are an order's own, and only the merchant's hand overrides them.
    const create = command.type === "CreateOrder";
    const merchant: Actor = { role: "merchant", id: "main" };
    const asking = create ? ({ ...command, buyerId: actor.id, terms: of.terms } as Command) : command;
    await does(create ? merchant : actor, asking);
    now += minute;
  }
  for (const one of of.steps) {
    now = Math.max(t0, now + one.gap);
    const [actor, command] = asked((await engine.state(orderId)) as Order, one, now);
    await does(actor, command);
  }
  return commands;
}

/** In all lives on all stores: so few of them run over a server that none may come to a refund there. */
let refundedInAll = 0;

describe.each(stores)("on %s", (kind, fresh) => {
  it(
    "lives side by side keep every invariant, and are what a replay and a rebuild make of them",
    { timeout: 0 },
    async () => {
      let orders = 0;
      let commands = 0;
      let refunded = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(life, { minLength: 8, maxLength: 8 }), async (lives) => {
          await using engine = await open({ ...opening, store: fresh() });
          const orderIds = lives.map((_, at) => `life-${at}`);
          const given = await Promise.all(lives.map((of, at) => live(engine, `life-${at}`, of)));
          for (const orderId of orderIds) {
            const state = await engine.state(orderId);
            expect(fold((await engine.history(orderId)).map(({ event }) => event))).toStrictEqual(state);
            refunded += (state as Order).refunded;
          }
          for (const { view, different } of await engine.check())
            expect([view, different]).toEqual([view, 0]);
          // The book of all orders is the sum of theirs.
          const { all } = await engine.views.statistics();
          const states = (await Promise.all(orderIds.map((id) => engine.state(id)))) as Order[];
          expect([all.paid["CNY"] ?? 0, all.refunded["CNY"] ?? 0]).toEqual([
            states.reduce((sum, order) => sum + order.paid, 0),
            states.reduce((sum, order) => sum + order.refunded, 0),
          ]);
          orders += lives.length;
          commands += given.reduce((sum, n) => sum + n, 0);
        }),
        {
          numRuns: runs === undefined ? ({ memory: 12, sqlite: 8 }[kind] ?? 2) : Number(runs),
          // A life of eight orders is shrunk for minutes; the seed says which it was.
          endOnFailure: true,
        },
      );
      console.log(`${kind}: ${orders} orders, ${commands} commands, ${refunded} refunded`);
      refundedInAll += refunded;
    },
  );
});

it("some of these lives had their money back", () => {
  expect(refundedInAll).toBeGreaterThan(0);
});
