// Many writers on one order at once, in one process and in several on one file or server: whatever comes first, the ledger holds after every event,
// and every receipt stands in the store exactly once.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, inject, it } from "vitest";

import type { OrderEvent } from "../src/domain/events.ts";
import { type Order, type OrderState, evolve, initialState } from "../src/domain/state.ts";
import type { ExecuteOptions } from "../src/commands/parse.ts";
import type { Engine } from "../src/engine.ts";
import { stateHolds } from "./domain/invariants.ts";
import { buyer, merchant, minute, provider, t0 } from "./domain/orders.ts";
import { accepted, by, freshId, live, open, sharedStores, stores, tidyEngines } from "./engines.ts";
import { newFile } from "./store/files.ts";

tidyEngines();

/** What a writer says it was answered. */
interface Answered {
  readonly orderId: string;
  readonly commandId: string;
  readonly refused?: string;
  readonly revision?: string;
  readonly position?: string;
  readonly replayed?: boolean;
  readonly events?: readonly OrderEvent[];
}

/** The ledger after every event; every receipt in the store, once; the views as a rebuild makes them. */
async function holds(
  engine: Engine,
  orderIds: readonly string[],
  answers: readonly Answered[],
): Promise<void> {
  for (const orderId of orderIds) {
    const history = await engine.history(orderId);
    let state: OrderState = initialState;
    for (const [at, { event, meta }] of history.entries()) {
      state = evolve(state, event);
      // Within one append the books may be open: a settlement and the end of the order are one fact.
      if (history[at + 1]?.meta.commandId !== meta.commandId) stateHolds(state as Order);
    }
    expect(await engine.state(orderId)).toEqual(state);

    const receipts = answers.filter((one) => one.orderId === orderId && one.refused === undefined);
    const first = receipts.filter(({ replayed, events }) => replayed === false && events?.length !== 0);
    const commandIds = first.map(({ commandId }) => commandId);
    // No command was accepted twice, and every one that was stands there whole, where its receipt says.
    expect(new Set(commandIds).size).toBe(commandIds.length);
    for (const { commandId, revision, position, events } of first) {
      const stored = history.filter(({ meta }) => meta.commandId === commandId);
      expect(stored.map(({ event }) => event)).toEqual(events);
      expect([String(stored.at(-1)?.revision), stored.at(-1)?.position]).toEqual([revision, position]);
    }
    // A repeat has the first receipt.
    for (const { commandId, revision, replayed } of receipts) {
      if (replayed !== true) continue;
      expect(first.find((one) => one.commandId === commandId)?.revision).toBe(revision);
    }
    // And nothing stands there that nobody was told of, but the order's own beginning.
    const told = new Set(commandIds);
    const untold = history.filter(({ meta, revision }) => !told.has(meta.commandId) && revision >= begunAt);
    expect(untold).toEqual([]);
  }
  for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
}

/** Created, paid and stocked: the revision at which the race begins. */
const begunAt = 3n;

async function begin(engine: Engine, orderIds: readonly string[]): Promise<void> {
  for (const orderId of orderIds) await live(engine, orderId, 2);
}

describe.each(stores)("in one process, on %s", (_kind, fresh) => {
  it("of those who apply for one line one is taken, and the others are told who was first (scenario 14)", async () => {
    const engine = await open({ store: fresh() });
    await begin(engine, ["order-0"]);
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, at) =>
        engine.execute(
          {
            type: "ApplyRefund",
            orderId: "order-0",
            caseId: `k-${at}`,
            lineId: "L1",
            caseType: "refundOnly",
            amount: 3_000,
          },
          by(buyer, { at: t0 + 5 * minute }),
        ),
      ),
    );
    expect(answers.filter(E.isRight)).toHaveLength(1);
    expect(answers.filter(E.isLeft).map(({ left }) => left)).toEqual(
      Array.from({ length: 31 }, () => ({
        code: "caseOpen",
        command: "ApplyRefund",
        caseId: "k-0",
        status: "requested",
        also: [
          {
            code: "amountTooHigh",
            field: "amount",
            amount: 3_000,
            limit: 0,
            claimed: 3_000,
            paid: 5_800,
            currency: "CNY",
          },
        ],
      })),
    );
  });

  it("a case approved, cancelled and rejected at once goes one way, and its money at most once (scenario 15)", async () => {
    const engine = await open({ store: fresh() });
    const orderIds = Array.from({ length: 12 }, (_, at) => `order-${at}`);
    await begin(engine, orderIds);
    const answers: Answered[] = [];
    const does = async (
      orderId: string,
      command: object,
      actor: typeof buyer,
      commandId: string = freshId(),
    ) => {
      const asked = { ...command, orderId, caseId: `k.${orderId}` };
      const answer = await engine.execute(asked, { actor, commandId, at: t0 + 5 * minute });
      answers.push(
        E.isRight(answer)
          ? { ...answer.right, revision: String(answer.right.revision) }
          : { orderId, commandId, refused: answer.left.code },
      );
      return answer;
    };
    await Promise.all(
      orderIds.map(async (orderId, at) => {
        const caseType = "refundOnly";
        accepted(await does(orderId, { type: "ApplyRefund", lineId: "L1", caseType, amount: 3_000 }, buyer));
        const all = [
          () => does(orderId, { type: "ApproveRefund", destination: "wallet" }, merchant),
          () => does(orderId, { type: "CancelRefund" }, buyer),
          () => does(orderId, { type: "RejectRefund", reason: "no proof" }, merchant),
          () => does(orderId, { type: "ApproveRefund", destination: "manual" }, merchant),
          () => does(orderId, { type: "IssueRefund", destination: "original" }, merchant),
        ];
        const turned = [...all.slice(at % all.length), ...all.slice(0, at % all.length)];
        await Promise.all([...turned, ...turned].map((ask) => ask()));
        // Where it flies, the provider calls back many times over, some of them under one id.
        const refundId = `k.${orderId}:1`;
        const callback = { type: "SettleRefund", refundId, amount: 3_000 };
        await Promise.all(
          Array.from({ length: 6 }, (_, time) =>
            does(orderId, callback, provider, time % 2 === 0 ? `cb.${orderId}` : freshId()),
          ),
        );
        const { cases, refunded } = (await engine.state(orderId)) as Order;
        const paid = cases[0]?.attempts.filter(({ state }) => state === "settled") ?? [];
        expect(paid.length).toBeLessThanOrEqual(1);
        expect(refunded).toBe(paid.length * 3_000);
        expect(["refunded", "cancelled"]).toContain(cases[0]?.status);
      }),
    );
    await holds(engine, orderIds, answers);
    const cases = await Promise.all(
      orderIds.map(async (orderId) => ((await engine.state(orderId)) as Order).cases[0]),
    );
    // Whoever was rejected has taken it back as well; and each of the three came first somewhere.
    expect(new Set(cases.map((one) => one?.status))).toEqual(new Set(["refunded", "cancelled"]));
    expect(new Set(cases.map((one) => one?.rejection === undefined))).toEqual(new Set([true, false]));
  });
});

it("what follows a command that another engine has given already rests on nothing that did not come to be", async () => {
  const store = `sqlite:${newFile()}`;
  const orderId = "order-0";
  const first = await open({ store });
  await begin(first, [orderId]);
  const at = t0 + 5 * minute;
  const fly = async (lineId: string): Promise<void> => {
    const of = { orderId, caseId: `k.${lineId}` };
    const caseType = "refundOnly";
    accepted(
      await first.execute({ type: "ApplyRefund", ...of, lineId, caseType, amount: 500 }, by(buyer, { at })),
    );
    accepted(
      await first.execute({ type: "ApproveRefund", ...of, destination: "wallet" }, by(merchant, { at })),
    );
  };
  await fly("L1");
  await fly("L2");
  const settle = (lineId: string): [object, ExecuteOptions] => {
    const refundId = `k.${lineId}:1`;
    const command = { type: "SettleRefund", orderId, caseId: `k.${lineId}`, refundId, amount: 500 };
    return [command, { actor: provider, commandId: `settled:${refundId}`, at }];
  };
  const fail = { type: "FailRefund", orderId, caseId: "k.L2", refundId: "k.L2:1", failure: "BUSY" };
  const other = await open({ store });
  accepted(await other.execute({ ...fail, retryable: true }, by(provider, { at })));
  accepted(await other.execute(...settle("L1")));

  // The first engine does not know yet that the refund of L2 has failed: it takes it for settled, then L1's, and then another case of L2.
  const again = { type: "ApplyRefund", orderId, caseId: "k.again", lineId: "L2" };
  const answers = await Promise.all([
    first.execute(...settle("L2")),
    first.execute(...settle("L1")),
    first.execute({ ...again, caseType: "refundOnly", amount: 100 }, by(buyer, { at })),
  ]);
  expect(answers.map((one) => (E.isRight(one) ? one.right.replayed : one.left.code))).toEqual([
    "refundNotInFlight",
    true,
    "caseOpen",
  ]);
  stateHolds((await first.state(orderId)) as Order);
});

const script = fileURLToPath(new URL("racer.mjs", import.meta.url));

async function race(
  store: string,
  name: string,
  orders: number,
  commands: number,
): Promise<readonly Answered[]> {
  const child = spawn(process.execPath, [script, store, name, String(orders), String(commands)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, [code]] = await Promise.all([
    text(child.stdout),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  expect([name, code]).toEqual([name, 0]);
  const [ready, ...lines] = output.trimEnd().split("\n");
  expect(ready).toBe("open");
  return lines.map((line) => JSON.parse(line) as Answered);
}

it.each(sharedStores)(
  "in several processes on one %s, applying, approving, cancelling, issuing and settling at once",
  async (kind, fresh) => {
    expect(inject("buildFailure")).toBe("");
    const store = await fresh();
    const orderIds = Array.from({ length: 6 }, (_, at) => `order-${at}`);
    const first = await open({ store });
    await begin(first, orderIds);
    await first.close();
    const names = kind === "file" ? ["a", "b", "c", "d"] : ["a", "b"];
    const answers = (await Promise.all(names.map((name) => race(store, name, orderIds.length, 48)))).flat();
    expect(answers).toHaveLength(names.length * orderIds.length * 48);

    const engine = await open({ store });
    await holds(engine, orderIds, answers);
    // It was a race: things were taken, refused and repeated, money moved, and cases went every way.
    const taken = answers.filter(({ refused }) => refused === undefined);
    expect(taken.length).toBeGreaterThan(100);
    expect(taken.some(({ replayed }) => replayed)).toBe(true);
    const refusals = new Set(answers.map(({ refused }) => refused));
    expect(refusals).toContain("caseOpen");
    expect(refusals).toContain("caseStatusNotEligible");
    const states = (await Promise.all(orderIds.map((orderId) => engine.state(orderId)))) as Order[];
    const statuses = new Set(states.flatMap(({ cases }) => cases.map(({ status }) => status)));
    for (const status of ["refunded", "cancelled", "rejected"]) expect(statuses).toContain(status);
    expect(states.every(({ refunded }) => refunded > 0)).toBe(true);
  },
);
