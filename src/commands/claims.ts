// What only one order of a store may hold: a payment's id, an order number within its merchant, and a case's id.

import type { OrderEvent } from "../domain/events.ts";
import type { Rejection } from "../domain/refusals.ts";
import type { EventStore } from "../store/port.ts";

/** The claims that these facts make; ids hold no slash, so that no two claims read alike. */
export function claimsOf(events: readonly OrderEvent[]): readonly string[] {
  const claims: string[] = [];
  for (const event of events) {
    if (event.type === "OrderCreated") {
      claims.push(`orderNo/${event.data.merchantId}/${event.data.orderNo}`);
    } else if (event.type === "OrderPaid" || event.type === "LatePaymentReceived") {
      if (event.data.channel !== "none") claims.push(paymentClaim(event.data.payId));
    } else if (event.type === "RefundApplied" || event.type === "RefundImported") {
      // Refunds are named after their case, and the payment provider knows them by that name alone.
      claims.push(`case/${event.data.caseId}`);
    }
  }
  return claims;
}

/** The refusal that these facts would meet, were they appended now, because another order has taken what they claim. */
export async function refusalElsewhere(
  store: Pick<EventStore, "takenClaim">,
  stream: string,
  events: readonly OrderEvent[],
): Promise<Rejection | undefined> {
  const claims = claimsOf(events);
  const taken = claims.length === 0 ? undefined : await store.takenClaim(claims, stream);
  return taken === undefined ? undefined : refusalOf(taken);
}

/** The claim on a payment's id. */
export function paymentClaim(payId: string): string {
  return `payment/${payId}`;
}

/** The refusal for a claim that another order holds. */
export function refusalOf(claim: string): Rejection {
  const [kind, ...rest] = claim.split("/");
  if (kind === "case") return { code: "caseIdUsed", field: "caseId", caseId: rest.join("/") };
  return kind === "payment"
    ? { code: "paymentIdUsed", field: "payId", payId: rest.join("/") }
    : { code: "orderNoUsed", orderNo: rest.at(-1) as string };
}
