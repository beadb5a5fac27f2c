// Ship and CorrectShipment: waybills, the pickup code, and the stock that leaves by the shipping rule.

import { describe, it } from "vitest";

import type { CommandData } from "../../src/domain/commands.ts";
import { fulfilments } from "../../src/domain/events.ts";
import type { StockRule } from "../../src/domain/terms.ts";
import { given } from "./given.ts";
import {
  admin,
  ask,
  buyer,
  codeHash,
  deducted,
  event,
  merchant,
  parcel,
  provider,
  reached,
  rightCode,
  shipped,
  shippedAt,
  staff,
  system,
  wrongCode,
} from "./orders.ts";

const at = shippedAt;

function ship(over: Partial<CommandData["Ship"]> = {}) {
  return ask("Ship", { shipments: [parcel], ...over });
}

describe("Ship", () => {
  it("sends the parcels, each with its lines", () => {
    given(reached("paid")).when(ship(), merchant, at).gives([shipped()]);
    const two = [
      { ...parcel, lines: ["L1"] },
      { carrier: "EMS", trackingNumber: "E1", lines: ["L1", "L2"] },
    ];
    given(reached("paid"))
      .when(ship({ shipments: two }), merchant, at)
      .gives([event("OrderShipped", at, { shipments: two })]);
  });

  it.each<StockRule>(["confirmation", "payment"])("moves no stock by the %s rule", (stockDeduction) => {
    given(reached("paid", { terms: { stockDeduction } }))
      .when(ship(), merchant, at)
      .gives([shipped()]);
  });

  it("deducts the stock by the shipping rule", () => {
    given(reached("paid", { terms: { stockDeduction: "shipping" } }))
      .when(ship(), merchant, at)
      .gives([shipped(), deducted("shipping", "OrderShipped", at)]);
  });

  it("of an express order needs a waybill, carrier and number, for every parcel", () => {
    const paid = given(reached("paid"));
    const missing = { code: "waybillMissing", field: "shipments" } as const;
    paid.when(ship({ shipments: [] }), merchant, at).refuses(missing);
    paid.when(ship({ shipments: undefined }), merchant, at).refuses(missing);
    paid
      .when(ship({ shipments: [parcel, { carrier: "EMS" }] }), merchant, at)
      .refuses({ code: "waybillMissing", field: "shipments[1].trackingNumber" });
    paid
      .when(ship({ shipments: [{ trackingNumber: "E1" }] }), merchant, at)
      .refuses({ code: "waybillMissing", field: "shipments[0].carrier" });
    paid.when(ship({ shipments: [{}] }), merchant, at).refuses({
      code: "waybillMissing",
      field: "shipments[0].carrier",
      also: [{ code: "waybillMissing", field: "shipments[0].trackingNumber" }],
    });
  });

  it.each(fulfilments.filter((f) => f !== "express"))(
    "of a %s order needs none, and may have one",
    (fulfilment) => {
      const paid = given(reached("paid", { fulfilment }));
      const none = [event("OrderShipped", at, { shipments: [] })];
      paid.when(ask("Ship", {}), merchant, at).gives(none);
      paid.when(ship({ shipments: [] }), merchant, at).gives(none);
      paid
        .when(ship({ shipments: [{ carrier: "Wang" }] }), merchant, at)
        .gives([event("OrderShipped", at, { shipments: [{ carrier: "Wang" }] })]);
      paid
        .when(ship({ shipments: [{ trackingNumber: "7" }, { lines: ["L2"] }] }), merchant, at)
        .gives([event("OrderShipped", at, { shipments: [{ trackingNumber: "7" }, { lines: ["L2"] }] })]);
    },
  );

  it("names each line that the order has not", () => {
    given(reached("paid"))
      .when(
        ship({
          shipments: [
            { ...parcel, lines: ["L1", "L3"] },
            { carrier: "EMS", lines: ["toString"] },
          ],
        }),
        merchant,
        at,
      )
      .refuses({
        code: "lineNotInOrder",
        field: "shipments[0].lines[1]",
        lineId: "L3",
        also: [
          { code: "waybillMissing", field: "shipments[1].trackingNumber" },
          { code: "lineNotInOrder", field: "shipments[1].lines[0]", lineId: "toString" },
        ],
      });
  });

  it.each([buyer, staff, provider, system, admin])("is not for $role", (actor) => {
    given(reached("paid"))
      .when(ship(), actor, at)
      .refuses({ code: "wrongActor", command: "Ship", role: actor.role, allowed: ["merchant"] });
  });

  it("comes once; afterwards waybills are corrected", () => {
    given(reached("shipped"))
      .when(ship(), merchant, at)
      .refuses({
        code: "orderStatusNotEligible",
        command: "Ship",
        status: "shipped",
        allowed: ["paid"],
      });
  });
});

describe("the code of a pickup order", () => {
  const pickup = given(reached("paid", { fulfilment: "pickup", redemption: { codeHash } }));
  const handedOver = [event("OrderShipped", at, { shipments: [] })];
  const bare = ask("Ship", {});

  it("hands it over where it is right", () => {
    pickup.when(ask("Ship", { code: "ABC" }), merchant, at, rightCode).gives(handedOver);
  });

  it("is refused where it is wrong", () => {
    pickup
      .when(ask("Ship", { code: "ABD" }), merchant, at, wrongCode)
      .refuses({ code: "redemptionCodeWrong", field: "code" });
  });

  it("must be there, even where some hash was presented", () => {
    pickup.when(bare, merchant, at).refuses({ code: "codeMissing", field: "code" });
    pickup.when(bare, merchant, at, rightCode).refuses({ code: "codeMissing", field: "code" });
  });

  it("comes after the waybills' faults", () => {
    pickup.when(ship({ shipments: [{ lines: ["L9"] }] }), merchant, at).refuses({
      code: "lineNotInOrder",
      field: "shipments[0].lines[0]",
      lineId: "L9",
      also: [{ code: "codeMissing", field: "code" }],
    });
  });

  it("is not asked of a pickup order without one, nor of another order with one", () => {
    given(reached("paid", { fulfilment: "pickup" }))
      .when(bare, merchant, at)
      .gives(handedOver);
    given(reached("paid", { fulfilment: "local", redemption: { codeHash } }))
      .when(bare, merchant, at)
      .gives(handedOver);
    given(reached("paid", { redemption: { codeHash } }))
      .when(ship({ code: "ABD" }), merchant, at, wrongCode)
      .gives([shipped()]);
  });
});

describe("CorrectShipment", () => {
  const later = at + 5;
  const other = { carrier: "EMS", trackingNumber: "E1", lines: ["L2"] };

  it("replaces the waybills and moves no stock", () => {
    for (const stockDeduction of ["payment", "shipping"] as const) {
      given(reached("shipped", { terms: { stockDeduction } }))
        .when(ask("CorrectShipment", { shipments: [other] }), merchant, later)
        .gives([event("ShipmentCorrected", later, { shipments: [other] })]);
    }
  });

  it("asks what Ship asks", () => {
    given(reached("shipped"))
      .when(ask("CorrectShipment", { shipments: [] }), merchant, later)
      .refuses({ code: "waybillMissing", field: "shipments" });
    given(reached("shipped"))
      .when(ask("CorrectShipment", { shipments: [{ ...parcel, lines: ["L3"] }] }), merchant, later)
      .refuses({ code: "lineNotInOrder", field: "shipments[0].lines[0]", lineId: "L3" });
    given(reached("shipped", { fulfilment: "local" }))
      .when(ask("CorrectShipment", { shipments: [] }), merchant, later)
      .gives([event("ShipmentCorrected", later, { shipments: [] })]);
  });

  it("asks no pickup code again", () => {
    given(reached("shipped", { fulfilment: "pickup", redemption: { codeHash } }))
      .when(ask("CorrectShipment", { shipments: [other] }), merchant, later)
      .gives([event("ShipmentCorrected", later, { shipments: [other] })]);
  });

  it.each([buyer, staff, provider, system, admin])("is not for $role", (actor) => {
    given(reached("shipped"))
      .when(ask("CorrectShipment", { shipments: [other] }), actor, later)
      .refuses({
        code: "wrongActor",
        command: "CorrectShipment",
        role: actor.role,
        allowed: ["merchant"],
      });
  });

  it("needs an order under way", () => {
    given(reached("completed"))
      .when(ask("CorrectShipment", { shipments: [other] }), merchant, at + 99_999_999)
      .refuses({
        code: "orderStatusNotEligible",
        command: "CorrectShipment",
        status: "completed",
        allowed: ["shipped"],
      });
  });
});
