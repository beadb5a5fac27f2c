// Whom an open case waits for, and since when.

import { type Case, inFlight } from "./caseState.ts";
import { refundRetryAt } from "./deadlines.ts";
import type { Order } from "./state.ts";

/** Who brings a case on: the merchant decides, receives, pays and replaces; the buyer sends back and confirms; the provider pays out. */
export const parties = ["merchant", "buyer", "provider"] as const;
export type Party = (typeof parties)[number];

export interface Waiting {
  readonly party: Party;
  /** Milliseconds UTC. */
  readonly since: number;
}

/**
 * Undefined for a case that has ended. A refund that failed waits for the provider while it is to be tried again by itself, then for the
 * merchant. A corrected waybill is waited for since it was corrected.
 */
export function waitingOf(order: Pick<Order, "terms">, one: Case): Waiting | undefined {
  switch (one.status) {
    case "requested":
      return { party: "merchant", since: one.appliedAt };
    case "awaitingReturn":
      return { party: "buyer", since: one.approvedAt ?? one.appliedAt };
    case "returnInTransit":
      return { party: "merchant", since: one.returnShipment?.at ?? one.appliedAt };
    case "refundPending":
      return payoutOf(order, one);
    case "replacementPending":
      return { party: "merchant", since: one.returned?.at ?? one.appliedAt };
    case "replacementShipped":
      return { party: "buyer", since: one.replacement?.at ?? one.appliedAt };
    case "refunded":
    case "exchanged":
    case "rejected":
    case "cancelled":
    case "closed":
      return undefined;
  }
}

function payoutOf(order: Pick<Order, "terms">, one: Case): Waiting {
  const flying = inFlight(one);
  if (flying !== undefined) return { party: "provider", since: flying.issuedAt };
  const failed = one.attempts.at(-1)?.endedAt;
  if (failed !== undefined) {
    return { party: refundRetryAt(order, one) === undefined ? "merchant" : "provider", since: failed };
  }
  return {
    party: "merchant",
    since: one.convertedAt ?? one.returned?.at ?? one.approvedAt ?? one.appliedAt,
  };
}
