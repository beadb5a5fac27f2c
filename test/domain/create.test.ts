// CreateOrder and ConfirmOrder: what an order is made of, who may make it, and what each stock rule adds.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import type { LineAsked } from "../../src/domain/commands.ts";
import { decide, rolesFor } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { caseCommandTypes } from "../../src/domain/caseLifecycle.ts";
import { commandTypes } from "../../src/domain/lifecycle.ts";
import { initialState } from "../../src/domain/state.ts";
import { type StockRule, defaultTerms } from "../../src/domain/terms.ts";
import { given } from "./given.ts";
import {
  admin,
  ask,
  askForOrder,
  askedLines,
  buyer,
  codeHash,
  created,
  deducted,
  event,
  lines,
  merchant,
  minute,
  orderId,
  paid,
  provider,
  reached,
  rival,
  staff,
  stranger,
  system,
  t0,
  withTerms,
  policy,
} from "./orders.ts";

const max = Number.MAX_SAFE_INTEGER;
const nothing = given([]);

function free(at: number): OrderEvent {
  return event("OrderPaid", at, { payId: "free:o-1", amount: 0, channel: "none" });
}

function shippedItself(at: number): OrderEvent {
  return event("OrderShipped", at, { shipments: [] });
}

describe("a buyer's order", () => {
  it("waits for its payment for thirty minutes", () => {
    nothing.when(askForOrder(), buyer, t0).gives([created({ payBy: t0 + 30 * minute })]);
  });

  it("keeps all that came with it, and nothing that was undefined", () => {
    const source = [["warehouse", 7]] as const;
    nothing
      .when(
        askForOrder({
          orderNo: "2026-1",
          merchantId: "tea-house",
          buyerId: "buyer-1",
          lines: [
            {
              ...askedLines[0]!,
              sku: "A-red",
              available: 3,
              allowedTypes: ["exchange", "refundOnly"],
              source,
            },
          ],
          charges: [
            { kind: "freight", amount: 800 },
            { kind: "tariff", amount: 200 },
            { kind: "other", amount: 1 },
          ],
          discount: 1_001,
          personal: { name: "Li", note: "ring twice", source },
          source,
          redeemable: true,
        }),
        buyer,
        t0,
      )
      .gives([
        created({
          orderNo: "2026-1",
          merchantId: "tea-house",
          lines: [{ ...lines[0]!, sku: "A-red", allowedTypes: ["refundOnly", "exchange"], source }],
          charges: [
            { kind: "freight", amount: 800 },
            { kind: "tariff", amount: 200 },
            { kind: "other", amount: 1 },
          ],
          discount: 1_001,
          goods: 3_000,
          total: 3_000,
          redemption: { codeHash },
          personal: { name: "Li", note: "ring twice", source },
          source,
        }),
      ]);
  });

  it("has no charges, no discount and no code unless asked for", () => {
    nothing
      .when(askForOrder({ charges: undefined, redeemable: false }), buyer, t0)
      .gives([created({ charges: [], total: 5_000 })]);
  });

  it("never expires where the terms set no window", () => {
    nothing
      .when(askForOrder(), buyer, t0, withTerms({ payWindowMinutes: 0 }))
      .gives([created({ terms: { payWindowMinutes: 0 } })]);
  });

  it("carries the terms in force, and its lines the types they allow", () => {
    nothing
      .when(askForOrder(), buyer, t0, withTerms({ allowedTypes: ["returnRefund"], evidenceMax: 3 }))
      .gives([
        created({
          lines: lines.map((line) => ({ ...line, allowedTypes: ["returnRefund"] as const })),
          terms: { allowedTypes: ["returnRefund"], evidenceMax: 3 },
        }),
      ]);
  });

  it("cannot be made in another's name", () => {
    nothing.when(askForOrder({ buyerId: "buyer-2" }), buyer, t0).refuses({
      code: "buyerMismatch",
      field: "buyerId",
      buyerId: "buyer-2",
      actorId: "buyer-1",
    });
  });

  it("cannot override the terms", () => {
    nothing
      .when(askForOrder({ terms: {} }), buyer, t0)
      .refuses({ code: "termsOverride", field: "terms", role: "buyer" });
  });

  it("cannot have a line allow what the terms do not", () => {
    const line = { lineId: "L1", goodsId: "A", title: "A", unitPrice: 1, quantity: 1 };
    const policy = { terms: { ...defaultTerms, allowedTypes: ["refundOnly"] as const }, redeemStaff: [] };
    const asked = askForOrder({ lines: [line, { ...line, lineId: "L2", allowedTypes: ["exchange"] }] });
    nothing
      .when(asked, buyer, t0, policy)
      .refuses({ code: "termsOverride", field: "lines[1].allowedTypes", role: "buyer" });
  });
});

describe("an order made for a buyer", () => {
  it("is the merchant's own where the merchant makes it", () => {
    nothing.when(askForOrder({ buyerId: "buyer-1" }), rival, t0).gives([created({ merchantId: "rival" })]);
    nothing
      .when(askForOrder({ buyerId: "buyer-1", merchantId: "rival" }), rival, t0)
      .gives([created({ merchantId: "rival" })]);
  });

  it("is the main merchant's where the system names none", () => {
    nothing.when(askForOrder({ buyerId: "buyer-1" }), system, t0).gives([created()]);
    nothing
      .when(askForOrder({ buyerId: "buyer-1", merchantId: "rival" }), system, t0)
      .gives([created({ merchantId: "rival" })]);
  });

  it.each([merchant, system])("takes the terms that $role overrides, and the others as in force", (actor) => {
    nothing
      .when(
        askForOrder({ buyerId: "buyer-1", terms: { payWindowMinutes: 5, evidenceMax: undefined } }),
        actor,
        t0,
        withTerms({ evidenceMax: 4 }),
      )
      .gives([created({ terms: { payWindowMinutes: 5, evidenceMax: 4 }, payBy: t0 + 5 * minute })]);
  });

  it("can be one to be confirmed, by an override", () => {
    nothing
      .when(askForOrder({ buyerId: "buyer-1", terms: { booking: true } }), merchant, t0)
      .gives([created({ terms: { booking: true } })]);
  });

  it.each([merchant, system])("names its buyer where $role makes it", (actor) => {
    nothing.when(askForOrder(), actor, t0).refuses({ code: "buyerMissing", field: "buyerId" });
  });

  it("is never another merchant's", () => {
    nothing.when(askForOrder({ buyerId: "buyer-1", merchantId: "main" }), rival, t0).refuses({
      code: "merchantMismatch",
      field: "merchantId",
      merchantId: "main",
      actorId: "rival",
    });
  });

  it.each([staff, provider, admin])("is not made by $role", (actor) => {
    nothing.when(askForOrder({ buyerId: "buyer-1" }), actor, t0).refuses({
      code: "wrongActor",
      command: "CreateOrder",
      role: actor.role,
      allowed: ["buyer", "merchant", "system"],
    });
  });
});

describe("an order is refused", () => {
  it("with a line id that stands twice, at each place", () => {
    const line = askedLines[0]!;
    nothing.when(askForOrder({ lines: [line, line, askedLines[1]!, line] }), buyer, t0).refuses({
      code: "lineIdTwice",
      field: "lines[1].lineId",
      lineId: "L1",
      also: [{ code: "lineIdTwice", field: "lines[3].lineId", lineId: "L1" }],
    });
  });

  it("where a product, the goods or the charges leave the safe integers", () => {
    const line = { ...askedLines[0]!, unitPrice: max, quantity: 1 };
    const tooMuch = { code: "amountTooLarge", field: "lines", limit: max } as const;
    nothing.when(askForOrder({ lines: [{ ...line, quantity: 2 }] }), buyer, t0).refuses(tooMuch);
    nothing
      .when(askForOrder({ lines: [line, { ...askedLines[1]!, unitPrice: 1 }] }), buyer, t0)
      .refuses(tooMuch);
    nothing
      .when(askForOrder({ lines: [line], charges: [{ kind: "tariff", amount: 1 }] }), buyer, t0)
      .refuses({ code: "amountTooLarge", field: "charges", limit: max });
  });

  it("not at the greatest safe amount itself", () => {
    const line = { ...lines[0]!, unitPrice: max - 1, quantity: 1 };
    nothing.when(askForOrder({ lines: [line], charges: [{ kind: "other", amount: 1 }] }), buyer, t0).gives([
      created({
        lines: [line],
        charges: [{ kind: "other", amount: 1 }],
        goods: max - 1,
        total: max,
      }),
    ]);
  });

  it("with a discount over goods and charges, at one minor unit", () => {
    nothing.when(askForOrder({ discount: 5_801 }), buyer, t0).refuses({
      code: "discountTooHigh",
      field: "discount",
      discount: 5_801,
      limit: 5_800,
      currency: "CNY",
    });
    nothing.when(askForOrder({ discount: 5_799 }), buyer, t0).gives([created({ discount: 5_799, total: 1 })]);
  });

  it("where stock is short, line by line; what is enough to the piece is enough", () => {
    const short = [
      { ...askedLines[0]!, available: 2 },
      { ...askedLines[1]!, available: 0 },
    ];
    nothing.when(askForOrder({ lines: short }), buyer, t0).refuses({
      code: "outOfStock",
      field: "lines[0].quantity",
      lineId: "L1",
      quantity: 3,
      available: 2,
      also: [{ code: "outOfStock", field: "lines[1].quantity", lineId: "L2", quantity: 1, available: 0 }],
    });
    nothing
      .when(askForOrder({ lines: askedLines.map((l) => ({ ...l, available: l.quantity })) }), buyer, t0)
      .gives([created()]);
  });

  it("where lines of the same goods together ask for more than there is", () => {
    const [one] = askedLines as readonly [LineAsked, ...LineAsked[]];
    const of = (lineId: string, quantity: number, sku?: string) => ({
      ...one,
      lineId,
      quantity,
      available: 4,
      ...(sku === undefined ? {} : { sku }),
    });
    nothing.when(askForOrder({ lines: [of("L1", 3), of("L2", 2)] }), buyer, t0).refuses({
      code: "outOfStock",
      field: "lines[1].quantity",
      lineId: "L2",
      quantity: 5,
      available: 4,
    });
    const request = {
      actor: buyer,
      policy,
      command: askForOrder({ lines: [of("L1", 3), of("L2", 2, "red")] }),
    };
    expect(decide(request, initialState, t0)).toMatchObject(E.right([{ type: "OrderCreated" }]));
  });

  it("with a write-off code where no key is set", () => {
    nothing
      .when(askForOrder({ redeemable: true }), buyer, t0, { terms: defaultTerms, redeemStaff: [] })
      .refuses({ code: "redeemKeyMissing", field: "redeemable" });
  });

  it("naming every broken rule, in order", () => {
    const line = { ...askedLines[0]!, available: 1 };
    nothing
      .when(askForOrder({ lines: [line, line], discount: 99_999, terms: {}, redeemable: true }), admin, t0, {
        terms: defaultTerms,
        redeemStaff: [],
      })
      .refuses({
        code: "wrongActor",
        command: "CreateOrder",
        role: "admin",
        allowed: ["buyer", "merchant", "system"],
        also: [
          { code: "buyerMissing", field: "buyerId" },
          { code: "termsOverride", field: "terms", role: "admin" },
          { code: "lineIdTwice", field: "lines[1].lineId", lineId: "L1" },
          {
            code: "discountTooHigh",
            field: "discount",
            discount: 99_999,
            limit: 6_800,
            currency: "CNY",
          },
          { code: "outOfStock", field: "lines[0].quantity", lineId: "L1", quantity: 3, available: 1 },
          { code: "outOfStock", field: "lines[1].quantity", lineId: "L1", quantity: 6, available: 1 },
          { code: "redeemKeyMissing", field: "redeemable" },
        ],
      });
    nothing
      .when(
        askForOrder({ buyerId: "buyer-1", merchantId: "main", lines: [line], discount: 1, terms: {} }),
        rival,
        t0,
      )
      .refuses({
        code: "merchantMismatch",
        field: "merchantId",
        merchantId: "main",
        actorId: "rival",
        also: [{ code: "outOfStock", field: "lines[0].quantity", lineId: "L1", quantity: 3, available: 1 }],
      });
  });
});

describe("an order id that is taken", () => {
  it("is refused to those whose order it is, in any status and before any other rule", () => {
    for (const status of ["pendingPayment", "completed", "cancelled"] as const) {
      for (const actor of [buyer, merchant, system, admin]) {
        given(reached(status))
          .when(askForOrder({ discount: 99_999 }), actor, 0)
          .refuses({ code: "orderExists", orderId });
      }
    }
  });

  it("says no more than that to others", () => {
    for (const actor of [stranger, rival]) {
      given(reached("paid"))
        .when(askForOrder({ discount: 99_999 }), actor, 0)
        .refuses({ code: "notOwner", orderId, role: actor.role });
    }
  });
});

describe("stock at creation", () => {
  const at = t0;
  const zero = { discount: 5_800 };

  it.each<[StockRule, readonly OrderEvent[]]>([
    ["confirmation", [deducted("confirmation", "OrderCreated", at)]],
    ["payment", []],
    ["shipping", []],
  ])("by the %s rule of an order to be paid", (stockDeduction, then) => {
    nothing
      .when(askForOrder(), buyer, at, withTerms({ stockDeduction }))
      .gives([created({ terms: { stockDeduction } }), ...then]);
  });

  it.each<StockRule>(["confirmation", "payment", "shipping"])(
    "by the %s rule of an order to be confirmed: none yet, and no deadline",
    (stockDeduction) => {
      const terms = { stockDeduction, booking: true };
      nothing.when(askForOrder(), buyer, at, withTerms(terms)).gives([created({ terms })]);
      nothing.when(askForOrder(zero), buyer, at, withTerms(terms)).gives([created({ terms, total: 0 })]);
    },
  );

  it.each<[StockRule, readonly OrderEvent[]]>([
    ["confirmation", [deducted("confirmation", "OrderCreated", at), free(at)]],
    ["payment", [free(at), deducted("payment", "OrderPaid", at)]],
    ["shipping", [free(at)]],
  ])("by the %s rule of an order of nothing, which is paid at once", (stockDeduction, then) => {
    nothing
      .when(askForOrder(zero), buyer, at, withTerms({ stockDeduction }))
      .gives([created({ total: 0, terms: { stockDeduction } }), ...then]);
  });

  it.each<[StockRule, readonly OrderEvent[]]>([
    ["confirmation", [deducted("confirmation", "OrderCreated", at), free(at), shippedItself(at)]],
    ["payment", [free(at), deducted("payment", "OrderPaid", at), shippedItself(at)]],
    ["shipping", [free(at), shippedItself(at), deducted("shipping", "OrderShipped", at)]],
  ])("by the %s rule of a virtual order of nothing, which ships itself", (stockDeduction, then) => {
    nothing
      .when(askForOrder({ ...zero, fulfilment: "virtual" }), buyer, at, withTerms({ stockDeduction }))
      .gives([created({ total: 0, fulfilment: "virtual", terms: { stockDeduction } }), ...then]);
  });

  it("of a virtual order of nothing that does not ship itself", () => {
    const terms = { virtualAutoShip: false };
    nothing
      .when(askForOrder({ ...zero, fulfilment: "virtual" }), buyer, at, withTerms(terms))
      .gives([
        created({ total: 0, fulfilment: "virtual", terms }),
        free(at),
        deducted("payment", "OrderPaid", at),
      ]);
  });
});

describe("ConfirmOrder", () => {
  const at = t0 + 10 * minute;
  const confirm = ask("ConfirmOrder", {});
  const confirmed = event("OrderConfirmed", at, { payBy: at + 30 * minute });

  it("starts the payment window at the confirmation, not at the creation", () => {
    given(reached("pendingConfirmation")).when(confirm, merchant, at).gives([confirmed]);
  });

  it("sets no deadline where the terms have no window", () => {
    given(reached("pendingConfirmation", { terms: { payWindowMinutes: 0 } }))
      .when(confirm, merchant, at)
      .gives([event("OrderConfirmed", at, {})]);
  });

  it("goes by the order's own terms, not by those in force now", () => {
    given(reached("pendingConfirmation", { terms: { stockDeduction: "shipping" } }))
      .when(confirm, merchant, at, withTerms({ payWindowMinutes: 1, stockDeduction: "confirmation" }))
      .gives([confirmed]);
  });

  it.each<[StockRule, readonly OrderEvent[]]>([
    ["confirmation", [deducted("confirmation", "OrderConfirmed", at)]],
    ["payment", []],
    ["shipping", []],
  ])("by the %s rule", (stockDeduction, then) => {
    given(reached("pendingConfirmation", { terms: { stockDeduction } }))
      .when(confirm, merchant, at)
      .gives([confirmed, ...then]);
  });

  it.each<[StockRule, readonly OrderEvent[]]>([
    ["confirmation", [deducted("confirmation", "OrderConfirmed", at), free(at)]],
    ["payment", [free(at), deducted("payment", "OrderPaid", at)]],
    ["shipping", [free(at)]],
  ])("by the %s rule of an order of nothing, which is paid at once", (stockDeduction, then) => {
    given(reached("pendingConfirmation", { total: 0, terms: { stockDeduction } }))
      .when(confirm, merchant, at)
      .gives([event("OrderConfirmed", at, {}), ...then]);
  });

  it("ships a virtual order of nothing", () => {
    given(reached("pendingConfirmation", { total: 0, fulfilment: "virtual" }))
      .when(confirm, merchant, at)
      .gives([
        event("OrderConfirmed", at, {}),
        free(at),
        deducted("payment", "OrderPaid", at),
        shippedItself(at),
      ]);
  });

  it("is the merchant's alone", () => {
    for (const actor of [buyer, staff, provider, system, admin]) {
      given(reached("pendingConfirmation"))
        .when(confirm, actor, at)
        .refuses({
          code: "wrongActor",
          command: "ConfirmOrder",
          role: actor.role,
          allowed: ["merchant"],
        });
    }
  });

  it("is not given twice", () => {
    given([...reached("pendingConfirmation"), confirmed])
      .when(confirm, merchant, at)
      .refuses({
        code: "orderStatusNotEligible",
        command: "ConfirmOrder",
        status: "pendingPayment",
        allowed: ["pendingConfirmation"],
      });
  });

  it("has the payment of nothing keep its payment id", () => {
    given([created({ total: 0 }), paid(t0, { payId: "free:o-1", amount: 0 })])
      .when(ask("Pay", { payId: "free:o-1", amount: 0, channel: "online" }), buyer, t0)
      .changesNothing();
  });
});

it("who may give each command (design 2)", () => {
  const all = new Set([...commandTypes, ...caseCommandTypes]);
  expect(Object.fromEntries([...all].map((type) => [type, rolesFor(type)]))).toStrictEqual({
    CreateOrder: ["buyer", "merchant", "system"],
    ConfirmOrder: ["merchant"],
    Pay: ["buyer", "system"],
    CancelOrder: ["buyer", "merchant"],
    ExpireOrder: ["system"],
    Ship: ["merchant"],
    CorrectShipment: ["merchant"],
    ConfirmReceipt: ["buyer", "system"],
    Redeem: ["staff"],
    Review: ["buyer"],
    HideOrder: ["buyer", "merchant"],
    AuditPayment: ["merchant"],
    MarkPurchased: ["merchant"],
    RecordTaxSurplus: ["merchant"],
    RecordTaxRefund: ["merchant"],
    ApplyRefund: ["buyer"],
    ApproveRefund: ["merchant"],
    RejectRefund: ["merchant"],
    CancelRefund: ["buyer"],
    CloseRefund: ["system", "merchant"],
    HideRefund: ["merchant"],
    ShipReturn: ["buyer"],
    CorrectReturnShipment: ["buyer"],
    ReceiveReturn: ["merchant"],
    IssueRefund: ["merchant", "system"],
    SettleRefund: ["provider", "system"],
    FailRefund: ["provider", "system"],
    ShipReplacement: ["merchant"],
    ConfirmReplacement: ["buyer", "system"],
    ConvertToRefund: ["merchant"],
    ImportRefund: ["system"],
  });
});
