// Whom a case waits for: of every status, and of every turn that paying out takes.

import { describe, expect, it } from "vitest";

import { caseStatuses } from "../../src/domain/caseLifecycle.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { type Order, fold } from "../../src/domain/state.ts";
import { type CaseType, caseTypes } from "../../src/domain/terms.ts";
import { waitingOf } from "../../src/domain/waiting.ts";
import {
  appliedAt,
  approvedAt,
  backAt,
  canBe,
  caseId,
  failed,
  inCase,
  issued,
  overAt,
  replacedAt,
  sentAt,
  settled,
} from "./cases.ts";
import { event, reached } from "./orders.ts";

function waits(history: readonly OrderEvent[]) {
  const order = fold(history) as Order;
  return waitingOf(order, order.cases[0] as Order["cases"][number]);
}

const merchant = (since: number) => ({ party: "merchant", since });
const buyer = (since: number) => ({ party: "buyer", since });
const provider = (since: number) => ({ party: "provider", since });

describe("a case waits", () => {
  const expected = (type: CaseType) =>
    ({
      requested: merchant(appliedAt),
      awaitingReturn: buyer(approvedAt),
      returnInTransit: merchant(sentAt),
      refundPending: merchant(type === "refundOnly" ? approvedAt : backAt),
      replacementPending: merchant(backAt),
      replacementShipped: buyer(replacedAt),
      refunded: undefined,
      exchanged: undefined,
      rejected: undefined,
      cancelled: undefined,
      closed: undefined,
    }) as const;
  it.each(
    caseTypes.flatMap((type) =>
      caseStatuses.filter((status) => canBe(type, status)).map((status) => [type, status] as const),
    ),
  )("as a %s that is %s", (type, status) => {
    expect(waits(inCase(status, type))).toEqual(expected(type)[status]);
  });

  it("for the provider while money is on its way, and while it is to be tried again; then for the merchant", () => {
    const pending = inCase("refundPending", "refundOnly");
    const flying = [...pending, issued()];
    expect(waits(flying)).toEqual(provider(replacedAt));
    const again = [...flying, failed()];
    expect(waits(again)).toEqual(provider(overAt));
    expect(waits([...flying, failed({ retryable: false })])).toEqual(merchant(overAt));
    const second = { refundId: `${caseId}:2`, attempt: 2 };
    const third = { refundId: `${caseId}:3`, attempt: 3 };
    const twice = [...again, issued(second, overAt + 1), failed(second, overAt + 2)];
    expect(waits(twice)).toEqual(provider(overAt + 2));
    const thrice = [...twice, issued(third, overAt + 3), failed(third, overAt + 4)];
    expect(waits(thrice)).toEqual(merchant(overAt + 4));
    expect(waits([...twice, issued(third, overAt + 3), settled(third, overAt + 4)])).toBeUndefined();
  });

  it("for the merchant since an exchange was converted", () => {
    const pending = inCase("replacementPending", "exchange");
    const converted = event("ExchangeConverted", overAt, { caseId, toType: "returnRefund", amount: 900 });
    expect(waits([...pending, converted])).toEqual(merchant(overAt));
  });

  it("since a waybill was corrected", () => {
    const sent = inCase("returnInTransit", "returnRefund", reached("shipped"));
    const corrected = event("ReturnShipmentCorrected", sentAt + 5, {
      caseId,
      carrier: "EMS",
      trackingNumber: "2",
    });
    expect(waits([...sent, corrected])).toEqual(merchant(sentAt + 5));
  });
});
