// Which refusal comes first: existence, ownership, actor, clock, status, then the command's own guards; the others stand in `also`.

import { describe, expect, it } from "vitest";

import { caseCommandTypes } from "../../src/domain/caseLifecycle.ts";
import type { Command } from "../../src/domain/commands.ts";
import { decide, mayTouch, rolesFor } from "../../src/domain/decide.ts";
import { commandTypes } from "../../src/domain/lifecycle.ts";
import { type Order, fold } from "../../src/domain/state.ts";
import { given } from "./given.ts";
import {
  admin,
  ask,
  buyer,
  merchant,
  orderId,
  parcel,
  policy,
  provider,
  reached,
  receivedAt,
  rival,
  staff,
  stranger,
  system,
} from "./orders.ts";

/** Each command but CreateOrder, with every fault that its own guards can find. */
const faulty: readonly Command[] = [
  ask("ConfirmOrder", {}),
  ask("Pay", { payId: "pay-1", amount: 1, channel: "online", currency: "USD" }),
  ask("CancelOrder", {}),
  ask("ExpireOrder", {}),
  ask("Ship", { shipments: [{}] }),
  ask("CorrectShipment", { shipments: [{}] }),
  ask("ConfirmReceipt", {}),
  ask("Redeem", { code: "nope" }),
  ask("Review", { items: [{ lineId: "L9", rating: "bad" }] }),
  ask("HideOrder", {}),
  ask("AuditPayment", {}),
  ask("MarkPurchased", {}),
  ask("RecordTaxSurplus", { amount: 99_999 }),
  ask("RecordTaxRefund", { amount: 99_999 }),
  ask("ApplyRefund", {
    caseId: "c-9",
    lineId: "L9",
    caseType: "exchange",
    quantity: -1,
    amount: 99_999,
    reason: "x".repeat(181),
    personal: { note: "x".repeat(501), evidence: Array.from({ length: 10 }, () => "e") },
  }),
  ask("ApproveRefund", { caseId: "c-9", amount: 99_999 }),
  ask("RejectRefund", { caseId: "c-9", reason: "" }),
  ask("CancelRefund", { caseId: "c-9" }),
  ask("CloseRefund", { caseId: "c-9" }),
  ask("HideRefund", { caseId: "c-9" }),
  ask("ShipReturn", { caseId: "c-9", ...parcel }),
  ask("CorrectReturnShipment", { caseId: "c-9", ...parcel }),
  ask("ReceiveReturn", { caseId: "c-9", dispositions: [{ kind: "missing", quantity: 9 }] }),
  ask("IssueRefund", { caseId: "c-9" }),
  ask("SettleRefund", { caseId: "c-9", refundId: "c-9:1", amount: 1 }),
  ask("FailRefund", { caseId: "c-9", refundId: "c-9:1", failure: "E1", retryable: true }),
  ask("ShipReplacement", { caseId: "c-9", ...parcel, available: 0 }),
  ask("ConfirmReplacement", { caseId: "c-9" }),
  ask("ConvertToRefund", { caseId: "c-9", amount: 99_999, buyerConsents: false }),
  ask("ImportRefund", {
    caseId: "c-9",
    source: "elsewhere",
    status: "refunded",
    lineId: "L9",
    caseType: "exchange",
    amount: 99_999,
    raw: [],
  }),
];

it("every command but CreateOrder is here", () => {
  expect(["CreateOrder", ...faulty.map((command) => command.type)]).toStrictEqual([
    ...commandTypes.filter((type) => type !== "ApplyRefund" && type !== "SettleRefund"),
    ...caseCommandTypes,
  ]);
});

describe.each(faulty)("$type", (command) => {
  const history = reached("completed");

  it("of an order that is not there is refused as that, to everyone", () => {
    for (const actor of [buyer, stranger, merchant, staff, provider, system, admin]) {
      given([]).when(command, actor, 0).refuses({ code: "orderNotFound", orderId });
    }
  });

  it("of another's order learns nothing else", () => {
    for (const actor of [stranger, rival]) {
      given(history).when(command, actor, 0).refuses({ code: "notOwner", orderId, role: actor.role });
    }
  });

  it("by an admin, who only reads, is refused before the clock and the status are looked at", () => {
    expect(decide({ actor: admin, command, policy }, fold(history), 0)).toMatchObject({
      left: {
        code: "wrongActor",
        command: command.type,
        role: "admin",
        allowed: rolesFor(command.type),
      },
    });
  });

  it("from the past is refused before the status is looked at", () => {
    const entitled = [buyer, merchant, staff, system, provider].find(({ role }) =>
      rolesFor(command.type).includes(role),
    )!;
    const at = receivedAt - 1;
    expect(decide({ actor: entitled, command, policy }, fold(history), at)).toMatchObject({
      left: { code: "timeRunsBackwards", at, lastAt: receivedAt },
    });
  });
});

it("actor, clock, status and two guards of one command, in order", () => {
  const at = receivedAt - 1;
  given(reached("completed"))
    .when(ask("Ship", { shipments: [{ carrier: "EMS", lines: ["L3"] }] }), admin, at)
    .refuses({
      code: "wrongActor",
      command: "Ship",
      role: "admin",
      allowed: ["merchant"],
      also: [
        { code: "timeRunsBackwards", at, lastAt: receivedAt },
        {
          code: "orderStatusNotEligible",
          command: "Ship",
          status: "completed",
          allowed: ["paid"],
        },
        { code: "waybillMissing", field: "shipments[0].trackingNumber" },
        { code: "lineNotInOrder", field: "shipments[0].lines[0]", lineId: "L3" },
      ],
    });
});

it("the very instant of the latest event is not the past", () => {
  given(reached("completed"))
    .when(ask("HideOrder", {}), buyer, receivedAt)
    .gives([{ type: "OrderHidden", at: receivedAt, data: { from: "buyer" } }]);
});

it("a buyer and a merchant touch their own orders, the other roles any", () => {
  const order = fold(reached("paid")) as Order;
  expect(
    [buyer, stranger, merchant, rival, staff, provider, system, admin].map((actor) => mayTouch(order, actor)),
  ).toStrictEqual([true, false, true, false, true, true, true, true]);
  expect(mayTouch(order, { role: "buyer", id: "main" })).toBe(false);
  expect(mayTouch(order, { role: "merchant", id: "buyer-1" })).toBe(false);
});
