// What may follow a received or ended order: Review, HideOrder and the overseas shop's facets.

import { describe, expect, it } from "vitest";

import type { CommandData } from "../../src/domain/commands.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { refundableOf } from "../../src/domain/refundable.ts";
import { type Order, fold } from "../../src/domain/state.ts";
import { applied, apply, approved, issued, waybill } from "./cases.ts";
import { given } from "./given.ts";
import {
  admin,
  ask,
  buyer,
  created,
  day,
  endedAt,
  event,
  merchant,
  minute,
  provider,
  reached,
  receivedAt,
  staff,
  system,
} from "./orders.ts";

const at = receivedAt + day;
const completed = given(reached("completed"));

describe("Review", () => {
  function review(...items: CommandData["Review"]["items"]) {
    return ask("Review", { items });
  }
  const good = { lineId: "L1", rating: "good" } as const;
  const bad = { lineId: "L2", rating: "bad" } as const;

  it("rates every line, in the order given", () => {
    completed.when(review(bad, good), buyer, at).gives([event("OrderReviewed", at, { items: [bad, good] })]);
  });

  it("keeps what was said and shown apart from the ratings", () => {
    completed
      .when(review({ ...good, text: "lovely" }, { ...bad, pictures: ["https://a.example/1"] }), buyer, at)
      .gives([
        event("OrderReviewed", at, {
          items: [good, bad],
          personal: {
            items: [
              { lineId: "L1", text: "lovely" },
              { lineId: "L2", pictures: ["https://a.example/1"] },
            ],
          },
        }),
      ]);
    completed.when(review(good, { ...bad, text: "cracked", pictures: [] }), buyer, at).gives([
      event("OrderReviewed", at, {
        items: [good, bad],
        personal: { items: [{ lineId: "L2", text: "cracked", pictures: [] }] },
      }),
    ]);
  });

  it("names the lines left out", () => {
    completed
      .when(review(), buyer, at)
      .refuses({ code: "reviewIncomplete", field: "items", missing: ["L1", "L2"] });
    completed
      .when(review(good), buyer, at)
      .refuses({ code: "reviewIncomplete", field: "items", missing: ["L2"] });
  });

  it("names a line rated twice and a line that is not the order's", () => {
    completed
      .when(review(good, bad, good), buyer, at)
      .refuses({ code: "lineIdTwice", field: "items[2].lineId", lineId: "L1" });
    completed
      .when(review(good, bad, { lineId: "L3", rating: "neutral" }), buyer, at)
      .refuses({ code: "lineNotInOrder", field: "items[2].lineId", lineId: "L3" });
    const strange = { lineId: "L3", rating: "neutral" } as const;
    completed.when(review(strange, strange), buyer, at).refuses({
      code: "lineNotInOrder",
      field: "items[0].lineId",
      lineId: "L3",
      also: [
        { code: "lineNotInOrder", field: "items[1].lineId", lineId: "L3" },
        { code: "lineIdTwice", field: "items[1].lineId", lineId: "L3" },
        { code: "reviewIncomplete", field: "items", missing: ["L1", "L2"] },
      ],
    });
  });

  it("comes once, and the instant of the first is named", () => {
    const reviewed = [...reached("completed"), event("OrderReviewed", at, { items: [good, bad] })];
    given(reviewed)
      .when(review(good, bad), buyer, at + day)
      .refuses({ code: "alreadyReviewed", at });
    given(reviewed)
      .when(review(good), buyer, at + day)
      .refuses({
        code: "alreadyReviewed",
        at,
        also: [{ code: "reviewIncomplete", field: "items", missing: ["L2"] }],
      });
    expect((fold(reviewed) as Order).ratings).toStrictEqual(["good", "bad"]);
  });

  it("waits for the receipt", () => {
    given(reached("shipped"))
      .when(review(good, bad), buyer, at)
      .refuses({
        code: "orderStatusNotEligible",
        command: "Review",
        status: "shipped",
        allowed: ["completed"],
      });
  });

  it.each([merchant, staff, provider, system, admin])("is not for $role", (actor) => {
    completed
      .when(review(good, bad), actor, at)
      .refuses({ code: "wrongActor", command: "Review", role: actor.role, allowed: ["buyer"] });
  });
});

describe("HideOrder", () => {
  const hide = ask("HideOrder", {});
  const fromBuyer = event("OrderHidden", at, { from: "buyer" });
  const fromMerchant = event("OrderHidden", at, { from: "merchant" });

  it.each(["completed", "cancelled", "closed"] as const)("by the buyer, once %s", (status) => {
    given(reached(status)).when(hide, buyer, at).gives([fromBuyer]);
  });

  it.each(["cancelled", "closed"] as const)("by the merchant, once %s", (status) => {
    given(reached(status)).when(hide, merchant, at).gives([fromMerchant]);
  });

  it.each(["pendingConfirmation", "pendingPayment", "paid", "shipped"] as const)(
    "is refused while %s, to each with the statuses that are open to them",
    (status) => {
      const refusal = { code: "orderStatusNotEligible", command: "HideOrder", status } as const;
      given(reached(status))
        .when(hide, buyer, at)
        .refuses({ ...refusal, allowed: ["completed", "cancelled", "closed"] });
      given(reached(status))
        .when(hide, merchant, at)
        .refuses({ ...refusal, allowed: ["cancelled", "closed"] });
    },
  );

  it("leaves a completed order in the merchant's lists", () => {
    const refusal = {
      code: "orderStatusNotEligible",
      command: "HideOrder",
      status: "completed",
      allowed: ["cancelled", "closed"],
    } as const;
    completed.when(hide, merchant, at).refuses(refusal);
    given([...reached("completed"), fromBuyer])
      .when(hide, merchant, at)
      .refuses(refusal);
  });

  it("twice from one side changes nothing, and the other side is asked on its own", () => {
    const hidden = [...reached("cancelled"), fromBuyer];
    given(hidden)
      .when(hide, buyer, at + day)
      .changesNothing();
    given(hidden).when(hide, merchant, at).gives([fromMerchant]);
    given([...hidden, fromMerchant])
      .when(hide, merchant, at + day)
      .changesNothing();
    given([...reached("closed"), fromMerchant])
      .when(hide, buyer, at)
      .gives([fromBuyer]);
  });

  it("again from before the latest event is no news, and anything new from there is refused", () => {
    given([...reached("cancelled"), fromBuyer])
      .when(hide, buyer, endedAt)
      .changesNothing();
    given([...reached("cancelled"), fromBuyer])
      .when(hide, merchant, endedAt)
      .refuses({ code: "timeRunsBackwards", at: endedAt, lastAt: at });
  });

  it.each([staff, provider, system, admin])("is not for $role, hidden already or not", (actor) => {
    for (const history of [reached("cancelled"), [...reached("cancelled"), fromBuyer, fromMerchant]]) {
      given(history)
        .when(hide, actor, at)
        .refuses({
          code: "wrongActor",
          command: "HideOrder",
          role: actor.role,
          allowed: ["buyer", "merchant"],
        });
    }
  });
});

describe("procurement of a paid order", () => {
  const now = endedAt;
  const audit = ask("AuditPayment", {});
  const purchase = ask("MarkPurchased", { reference: "amazon-1" });
  const audited = event("PaymentAudited", now, {});
  const purchased = event("GoodsPurchased", now, { reference: "amazon-1" });
  const paid = reached("paid");

  it("is audited, then purchased", () => {
    given(paid).when(audit, merchant, now).gives([audited]);
    given([...paid, audited])
      .when(purchase, merchant, now)
      .gives([purchased]);
    given([...paid, audited])
      .when(ask("MarkPurchased", {}), merchant, now)
      .gives([event("GoodsPurchased", now, {})]);
  });

  it("is not purchased before the audit, nor twice", () => {
    const out = { code: "stepOutOfOrder", command: "MarkPurchased", needs: "audited" } as const;
    given(paid)
      .when(purchase, merchant, now)
      .refuses({ ...out, step: "none" });
    given([...paid, audited, purchased])
      .when(purchase, merchant, now)
      .refuses({ ...out, step: "purchased" });
  });

  it("is not audited twice", () => {
    const out = { code: "stepOutOfOrder", command: "AuditPayment", needs: "none" } as const;
    given([...paid, audited])
      .when(audit, merchant, now)
      .refuses({ ...out, step: "audited" });
    given([...paid, audited, purchased])
      .when(audit, merchant, now)
      .refuses({ ...out, step: "purchased" });
  });

  it("does not hold up the shipping", () => {
    given(paid)
      .when(ask("Ship", { shipments: [{ carrier: "EMS", trackingNumber: "1" }] }), merchant, now)
      .gives([event("OrderShipped", now, { shipments: [{ carrier: "EMS", trackingNumber: "1" }] })]);
  });

  it.each([buyer, staff, provider, system, admin])("is not for $role", (actor) => {
    for (const command of [audit, purchase]) {
      given([...paid, ...(command === audit ? [] : [audited])])
        .when(command, actor, now)
        .refuses({
          code: "wrongActor",
          command: command.type,
          role: actor.role,
          allowed: ["merchant"],
        });
    }
  });
});

describe("tax of a completed order", () => {
  const taxed = reached("completed", {
    charges: [
      { kind: "tariff", amount: 300 },
      { kind: "freight", amount: 400 },
      { kind: "tariff", amount: 100 },
    ],
  });
  const surplus = (amount: number) => ask("RecordTaxSurplus", { amount });
  const refund = (amount: number) => ask("RecordTaxRefund", { amount });
  const recorded = event("TaxSurplusRecorded", at, { amount: 400 });
  const refunded = event("TaxRefunded", at, { amount: 400 });

  it("has a surplus up to all its tariffs, then pays it back", () => {
    given(taxed).when(surplus(400), merchant, at).gives([recorded]);
    given(taxed)
      .when(surplus(1), merchant, at)
      .gives([event("TaxSurplusRecorded", at, { amount: 1 })]);
    given([...taxed, recorded])
      .when(refund(400), merchant, at)
      .gives([refunded]);
  });

  it("has no surplus over its tariffs; freight is none", () => {
    const high = { code: "surplusTooHigh", field: "amount", currency: "CNY" } as const;
    given(taxed)
      .when(surplus(401), merchant, at)
      .refuses({ ...high, amount: 401, limit: 400 });
    completed.when(surplus(1), merchant, at).refuses({ ...high, amount: 1, limit: 0 });
  });

  it("has one surplus, and is told at which step it stands", () => {
    const out = { code: "stepOutOfOrder", command: "RecordTaxSurplus", needs: "none" } as const;
    given([...taxed, recorded])
      .when(surplus(1), merchant, at)
      .refuses({ ...out, step: "surplusPending" });
    given([...taxed, recorded, refunded])
      .when(surplus(500), merchant, at)
      .refuses({
        ...out,
        step: "taxRefunded",
        also: [{ code: "surplusTooHigh", field: "amount", amount: 500, limit: 400, currency: "CNY" }],
      });
  });

  it("is paid back once, in full, and after a surplus only", () => {
    const out = { code: "stepOutOfOrder", command: "RecordTaxRefund", needs: "surplusPending" } as const;
    const mismatch = { code: "amountMismatch", field: "amount", due: 400, currency: "CNY" } as const;
    given(taxed)
      .when(refund(400), merchant, at)
      .refuses({ ...out, step: "none" });
    for (const amount of [399, 401]) {
      given([...taxed, recorded])
        .when(refund(amount), merchant, at)
        .refuses({ ...mismatch, amount });
    }
    given([...taxed, recorded, refunded])
      .when(refund(400), merchant, at)
      .refuses({ ...out, step: "taxRefunded" });
    given([...taxed, recorded, refunded])
      .when(refund(1), merchant, at)
      .refuses({ ...out, step: "taxRefunded", also: [{ ...mismatch, amount: 1 }] });
  });

  it("goes back once: no refund reaches into a surplus, and no surplus into what is refunded or reserved", () => {
    const first = applied("refundOnly", { amount: 3_000 }, at);
    const rest = { caseId: "c-2", lineId: "L2" } as const;
    const left = (history: readonly OrderEvent[]) => refundableOf(fold(history) as Order, "L2").amount;
    expect(left([...taxed, first])).toBe(2_800);
    for (const facts of [[recorded], [recorded, refunded]]) {
      const history = [...taxed, ...facts, first];
      expect(left(history)).toBe(2_400);
      given(history)
        .when(apply("refundOnly", { ...rest, amount: 2_401 }), buyer, at)
        .refuses({
          code: "amountTooHigh",
          field: "amount",
          amount: 2_401,
          limit: 2_400,
          claimed: 3_000,
          paid: 5_800,
          currency: "CNY",
        });
    }
    for (const [amount, limit] of [
      [2_700, 100],
      [2_800, 0],
    ] as const) {
      const history = [...taxed, first, applied("refundOnly", { ...rest, amount }, at)];
      const high = { code: "surplusTooHigh", field: "amount", currency: "CNY", limit } as const;
      given(history)
        .when(surplus(limit + 1), merchant, at)
        .refuses({ ...high, amount: limit + 1 });
    }
  });

  it("is looked at again before money moves, and where another system's case is taken over", () => {
    const high = { code: "amountTooHigh", field: "amount", amount: 5_401, limit: 5_400 } as const;
    const whole = [
      applied("refundOnly", { amount: 5_401 }, at),
      approved("refundOnly", { amount: 5_401 }, at),
    ];
    given([...taxed, ...whole, recorded])
      .when(ask("IssueRefund", { caseId: "c-1", destination: "manual" }), merchant, at)
      .refuses({ ...high, claimed: 0, paid: 5_800, currency: "CNY" });
    const of = { caseId: "c-1", source: "baidu", status: "refunded", lineId: "L1" } as const;
    const imported = { ...of, caseType: "refundOnly", amount: 5_401, raw: [] } as const;
    given([...taxed, recorded])
      .when(ask("ImportRefund", imported), system, at)
      .refuses({ ...high, claimed: 0, paid: 5_800, currency: "CNY" });
  });

  it("counts as gone back where all the rest is: the order closes", () => {
    const back = (caseId: string, lineId: string, quantity: number, amount: number) => [
      applied("returnRefund", { caseId, lineId, quantity, amount }, at),
      approved("returnRefund", { caseId, amount }, at),
      event("ReturnShipped", at, { caseId, ...waybill }),
      event("ReturnReceived", at, { caseId, dispositions: [{ kind: "damaged", quantity }] }),
      issued({ caseId, refundId: `${caseId}:1`, amount }, at),
    ];
    const one = { caseId: "c-1", refundId: "c-1:1", amount: 3_000, quantity: 3 };
    const all = (facts: readonly OrderEvent[]) => [
      ...taxed,
      ...facts,
      ...back("c-1", "L1", 3, 3_000),
      event("RefundSettled", at, one),
      ...back("c-2", "L2", 1, 2_400),
    ];
    const last = { caseId: "c-2", refundId: "c-2:1", amount: 2_400 };
    const settle = ask("SettleRefund", last);
    const settledLast = event("RefundSettled", at, { ...last, quantity: 1 });
    given(all([recorded]))
      .when(settle, provider, at)
      .gives([settledLast]);
    given(all([recorded, refunded]))
      .when(settle, provider, at)
      .gives([settledLast, event("OrderClosedByRefund", at, { refunded: 5_400, returnedUnits: 4 })]);
  });

  it("waits for the receipt", () => {
    for (const command of [surplus(1), refund(1)]) {
      const answer = given(reached("shipped", { charges: [{ kind: "tariff", amount: 1 }] })).when(
        command,
        merchant,
        at,
      );
      const status = {
        code: "orderStatusNotEligible",
        command: command.type,
        status: "shipped",
        allowed: ["completed"],
      } as const;
      answer.refuses(
        command.type === "RecordTaxSurplus"
          ? status
          : {
              ...status,
              also: [
                {
                  code: "stepOutOfOrder",
                  command: "RecordTaxRefund",
                  step: "none",
                  needs: "surplusPending",
                },
              ],
            },
      );
    }
  });

  it.each([buyer, staff, provider, system, admin])("is not for $role", (actor) => {
    given(taxed)
      .when(surplus(1), actor, at)
      .refuses({
        code: "wrongActor",
        command: "RecordTaxSurplus",
        role: actor.role,
        allowed: ["merchant"],
      });
    given([...taxed, recorded])
      .when(refund(400), actor, at)
      .refuses({
        code: "wrongActor",
        command: "RecordTaxRefund",
        role: actor.role,
        allowed: ["merchant"],
      });
  });
});

describe("the facets beside the status", () => {
  it("stand in the state, and the status stays", () => {
    const state = fold([
      ...reached("completed", { charges: [{ kind: "tariff", amount: 400 }] }),
      event("TaxSurplusRecorded", at, { amount: 400 }),
      event("TaxRefunded", at + 1, { amount: 400 }),
      event("OrderReviewed", at + 2, { items: [{ lineId: "L1", rating: "neutral" }] }),
      event("OrderHidden", at + 3, { from: "buyer" }),
      event("OrderHidden", at + 4, { from: "merchant" }),
    ]);
    expect(state).toMatchObject({
      status: "completed",
      tax: { surplus: 400, refunded: true },
      reviewedAt: at + 2,
      ratings: ["neutral"],
      hiddenByBuyerAt: at + 3,
      hiddenByMerchantAt: at + 4,
      lastAt: at + 4,
    });
    expect(
      fold([created(), event("PaymentAudited", endedAt, {}), event("GoodsPurchased", endedAt + minute, {})]),
    ).toMatchObject({ status: "pendingPayment", procurement: "purchased" });
  });
});
