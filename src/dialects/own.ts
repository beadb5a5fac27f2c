// What of the shop a caller may see: their own orders, and nothing that tells another's from none.

import type { Order } from "../domain/state.ts";
import type { Engine } from "../engine.ts";
import type { LogEntry, OrderTold } from "../projections/detail.ts";
import type { Scope } from "../projections/statistics.ts";
import type { AskedBy } from "./dialect.ts";
import type { Caller } from "./ports.ts";

/** Whether a caller is one of the shop's admins and services, who see everything. */
export function isService({ role }: Caller): boolean {
  return role === "admin" || role === "system";
}

/** Whether an order is the caller's to see: a buyer's and a merchant's own, and any for the shop's admins and services. */
export function maySee(caller: Caller, order: Pick<Order, "buyerId" | "merchantId">): boolean {
  if (caller.role === "buyer") return order.buyerId === caller.id;
  if (caller.role === "merchant") return order.merchantId === caller.id;
  return isService(caller);
}

/** Whether there is such an order of the caller's; asked before anything else is read, it takes as long for another's as for none. */
export async function isOwn(engine: Engine, caller: Caller, orderId: string): Promise<boolean> {
  const owner = await engine.views.owner(orderId);
  return owner !== undefined && maySee(caller, owner);
}

/**
 * An order of the caller's with its log; undefined where there is none, it is another's, or the caller has hidden it. `revision`: as it stood
 * then, which is what a command's reply is made from, so that the same request is answered the same again.
 */
export async function ownOrder(
  engine: Engine,
  caller: Caller,
  orderId: string,
  revision?: bigint,
): Promise<OrderTold | undefined> {
  if (!(await isOwn(engine, caller, orderId))) return undefined;
  const detail = await engine.views.told(orderId, revision === undefined ? {} : { at: { revision } });
  if (detail === undefined) return undefined;
  return revision === undefined && hasHidden(caller, detail.order) ? undefined : detail;
}

/** Whether a caller has hidden an order from their own lists: then it is not there for them. */
export function hasHidden(
  { role }: Caller,
  { hiddenByBuyerAt, hiddenByMerchantAt }: Pick<Order, "hiddenByBuyerAt" | "hiddenByMerchantAt">,
): boolean {
  return (
    (role === "buyer" && hiddenByBuyerAt !== undefined) ||
    (role === "merchant" && hiddenByMerchantAt !== undefined)
  );
}

/** An order of the caller's as it stands, and the fact that this very request's command has recorded in it before. */
export interface Standing {
  readonly detail: OrderTold;
  readonly repeated: LogEntry | undefined;
}

/**
 * An order of a buyer's to give a command to; undefined where none is named, there is none, it is another's, or the buyer has hidden it.
 * Where this very request was done before it was hidden, it is there, so that it is answered the same again.
 */
export async function standing(
  engine: Engine,
  { caller, commandId }: Pick<AskedBy, "caller" | "commandId">,
  orderId: string | undefined,
): Promise<Standing | undefined> {
  if (orderId === undefined || !(await isOwn(engine, caller, orderId))) return undefined;
  const detail = await engine.views.told(orderId);
  if (detail === undefined) return undefined;
  const repeated = detail.log.find((entry) => entry.commandId === commandId);
  const hidden = detail.order.hiddenByBuyerAt !== undefined && repeated === undefined;
  return hidden ? undefined : { detail, repeated };
}

/** The scope of a caller's lists and counts; undefined for who has none: staff and payment providers see no lists. */
export function scopeOf(caller: Caller): Scope | undefined {
  if (caller.role === "buyer") return { buyerId: caller.id };
  if (caller.role === "merchant") return { merchantId: caller.id };
  return isService(caller) ? "all" : undefined;
}
