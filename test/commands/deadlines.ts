// Orders that wait for each kind of deadline, as the package's own commands bring them there.

import type { DeadlineKind } from "../../src/domain/deadlines.ts";
import type { Engine } from "../../src/engine.ts";
import type { Actor } from "../../src/domain/actor.ts";
import { buyer, day, merchant, minute, parcel, provider } from "../domain/orders.ts";
import { accepted, by, newOrder } from "../engines.ts";
import { bought, issue } from "./paying.ts";

export const kinds: readonly DeadlineKind[] = [
  "unpaid",
  "autoConfirm",
  "returnShip",
  "replacementConfirm",
  "refundRetry",
];

const waybill = { carrier: "EMS", trackingNumber: "E-1" };

/** Gives commands of one instant. */
export function giver(engine: Engine, at: number) {
  return async (actor: Actor, type: string, body: object): Promise<void> => {
    accepted(await engine.execute({ type, ...body }, by(actor, { at })));
  };
}

/** O1, paid and shipped. */
export async function sent(engine: Engine, orderId: string, at: number): Promise<void> {
  await bought(engine, orderId, at);
  await giver(engine, at)(merchant, "Ship", { orderId, shipments: [parcel] });
}

/** Opens a case on a shipped order whose goods are to be sent back. */
export async function awaitReturn(
  engine: Engine,
  orderId: string,
  caseId: string,
  at: number,
  { lineId = "L1", caseType = "returnRefund" }: { lineId?: string; caseType?: string } = {},
): Promise<void> {
  const give = giver(engine, at);
  const amount = caseType === "exchange" ? 0 : 500;
  await give(buyer, "ApplyRefund", { orderId, caseId, lineId, caseType, quantity: 1, amount });
  await give(merchant, "ApproveRefund", { orderId, caseId });
}

export async function replace(engine: Engine, orderId: string, caseId: string, at: number): Promise<void> {
  await awaitReturn(engine, orderId, caseId, at, { caseType: "exchange" });
  const give = giver(engine, at);
  await give(buyer, "ShipReturn", { orderId, caseId, ...waybill });
  const dispositions = [{ kind: "restock", quantity: 1 }];
  await give(merchant, "ReceiveReturn", { orderId, caseId, dispositions });
  await give(merchant, "ShipReplacement", { orderId, caseId, ...waybill });
}

export async function fail(engine: Engine, orderId: string, refundId: string, at: number): Promise<void> {
  const caseId = refundId.slice(0, refundId.lastIndexOf(":"));
  const body = { orderId, caseId, refundId, failure: "BUSY", retryable: true };
  await giver(engine, at)(provider, "FailRefund", body);
}

/**
 * An order of which a deadline of this kind is the only one, or the earliest.
 * @returns when it is due.
 */
export async function waiting(
  engine: Engine,
  kind: DeadlineKind,
  orderId: string,
  at: number,
): Promise<number> {
  const caseId = `c-${orderId}`;
  switch (kind) {
    case "unpaid":
      accepted(await engine.execute(newOrder(orderId), by(buyer, { at })));
      return at + 30 * minute;
    case "autoConfirm":
      await sent(engine, orderId, at);
      return at + 15 * day;
    case "returnShip":
      await sent(engine, orderId, at);
      await awaitReturn(engine, orderId, caseId, at);
      return at + 7 * day;
    case "replacementConfirm":
      await sent(engine, orderId, at);
      await replace(engine, orderId, caseId, at);
      return at + 7 * day;
    case "refundRetry":
      await bought(engine, orderId, at);
      await fail(engine, orderId, await issue(engine, orderId, caseId, { at }), at);
      return at + minute;
  }
}
