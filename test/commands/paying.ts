// Orders with a refund in flight, and the refund process run over them, for the tests of what becomes of the money.

import type { RefundRun } from "../../src/commands/refunds.ts";
import type { Destination } from "../../src/domain/caseEvents.ts";
import type { Attempt, Case } from "../../src/domain/caseState.ts";
import type { Order } from "../../src/domain/state.ts";
import type { Engine } from "../../src/engine.ts";
import { buyer, merchant, t0 } from "../domain/orders.ts";
import { accepted, by, newOrder } from "../engines.ts";

/** O1, paid. */
export async function bought(engine: Engine, orderId: string, at = t0): Promise<void> {
  accepted(await engine.execute(newOrder(orderId), by(buyer, { at })));
  const pay = {
    type: "Pay",
    orderId,
    payId: `pay-${orderId}`,
    amount: 5_800,
    channel: "online",
    tradeNo: `t-${orderId}`,
  };
  accepted(await engine.execute(pay, by(buyer, { at })));
}

/** Applies for a refund of L1 and has it issued; its refund id is `<caseId>:1`. */
export async function issue(
  engine: Engine,
  orderId: string,
  caseId: string,
  {
    destination = "original",
    amount = 1_000,
    lineId = "L1",
    at = t0,
  }: { destination?: Destination; amount?: number; lineId?: string; at?: number } = {},
): Promise<string> {
  const apply = { type: "ApplyRefund", orderId, caseId, lineId, caseType: "refundOnly", amount };
  accepted(await engine.execute(apply, by(buyer, { at })));
  const approve = { type: "ApproveRefund", orderId, caseId, destination };
  accepted(await engine.execute(approve, by(merchant, { at })));
  return `${caseId}:1`;
}

/** An order of its own with a refund of 10.00 in flight. */
export async function flying(
  engine: Engine,
  orderId: string,
  over: Parameters<typeof issue>[3] = {},
): Promise<string> {
  await bought(engine, orderId, over.at);
  return issue(engine, orderId, `c-${orderId}`, over);
}

export async function all<T>(many: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of many) found.push(one);
  return found;
}

/** Runs the process once: what became of each refund, as `c-1:1 settled`, sorted. */
export async function run(engine: Engine): Promise<string[]> {
  return (await all(engine.runRefunds())).map(inWords).toSorted();
}

function inWords(one: RefundRun): string {
  return `${one.refundId} ${one.outcome}`;
}

export async function orderOf(engine: Engine, orderId: string): Promise<Order> {
  return (await engine.state(orderId)) as Order;
}

export async function caseOf(engine: Engine, orderId: string, caseId = `c-${orderId}`): Promise<Case> {
  return (await orderOf(engine, orderId)).cases.find((one) => one.caseId === caseId) as Case;
}

export async function attemptsOf(engine: Engine, orderId: string): Promise<readonly Attempt["state"][]> {
  return (await caseOf(engine, orderId)).attempts.map(({ state }) => state);
}
