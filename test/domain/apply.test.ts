// ApplyRefund: the guards G2 to G10 of domain 2.3 in their order, each with its numbers.

import { describe, expect, it } from "vitest";

import type { CommandData } from "../../src/domain/commands.ts";
import { type Order, fold } from "../../src/domain/state.ts";
import type { CaseType } from "../../src/domain/terms.ts";
import { applied, apply, approved, caseId, inCase, issued, settled } from "./cases.ts";
import { given } from "./given.ts";
import {
  ask,
  buyer,
  created,
  day,
  event,
  lines,
  merchant,
  paid,
  paidAt,
  reached,
  received,
  receivedAt,
  second,
  shipped,
  shippedAt,
  system,
} from "./orders.ts";

const at = receivedAt + 10 * day;
const completed = given(reached("completed"));

const high = (amount: number, limit: number, claimed = 0) =>
  ({ code: "amountTooHigh", field: "amount", amount, limit, claimed, paid: 5_800, currency: "CNY" }) as const;
const low = { code: "amountTooLow", field: "amount", amount: 0, least: 1, currency: "CNY" } as const;

describe("ApplyRefund", () => {
  it.each<CaseType>(["refundOnly", "returnRefund", "exchange"])("opens a %s case", (caseType) => {
    completed.when(apply(caseType), buyer, at).gives([applied(caseType, {}, at)]);
  });

  it("keeps what was said: in the open what it is about, and apart what names a person", () => {
    const personal = { note: "碎了", evidence: ["https://img.example/1.jpg"] };
    const over = { goodsReceived: false, reason: "包装/商品破损/污渍", causeType: 3, personal };
    completed.when(apply("returnRefund", over), buyer, at).gives([applied("returnRefund", over, at)]);
    completed
      .when(apply("refundOnly", { goodsReceived: true, personal: { note: "" } }), buyer, at)
      .gives([applied("refundOnly", { goodsReceived: true, personal: { note: "" } }, at)]);
    completed.when(apply("refundOnly", { personal: {} }), buyer, at).gives([applied("refundOnly", {}, at)]);
  });

  it("takes no quantity as none", () => {
    completed
      .when(apply("refundOnly", { quantity: undefined }), buyer, at)
      .gives([applied("refundOnly", {}, at)]);
  });

  it.each([merchant, system])("is not for $role", (actor) => {
    completed
      .when(apply("refundOnly"), actor, at)
      .refuses({ code: "wrongActor", command: "ApplyRefund", role: actor.role, allowed: ["buyer"] });
  });

  it("comes again under another id, and no id twice", () => {
    const again = given(inCase("rejected", "refundOnly"));
    again
      .when(apply("refundOnly", { caseId: "c-2" }), buyer, at)
      .gives([applied("refundOnly", { caseId: "c-2" }, at)]);
    again.when(apply("refundOnly"), buyer, at).refuses({ code: "caseIdUsed", field: "caseId", caseId });
  });
});

describe("G2: the order", () => {
  it.each(["pendingConfirmation", "pendingPayment", "cancelled", "closed"] as const)(
    "that is %s has none",
    (status) => {
      given(reached(status))
        .when(apply("refundOnly"), buyer, at)
        .refuses({
          code: "orderStatusNotEligible",
          command: "ApplyRefund",
          status,
          allowed: ["paid", "shipped", "completed"],
          also: [
            { code: "nothingPaid", orderId: "o-1" },
            { ...high(1_000, 0), paid: 0 },
          ],
        });
    },
  );

  it("that cost nothing has returns and exchanges of nothing, and no refund", () => {
    const free = given([
      created({ total: 0 }),
      paid(paidAt, { amount: 0, channel: "none", payId: "free:o-1" }),
      shipped(),
      received(),
    ]);
    free
      .when(apply("returnRefund", { amount: 0 }), buyer, at)
      .gives([applied("returnRefund", { amount: 0 }, at)]);
    free.when(apply("exchange"), buyer, at).gives([applied("exchange", {}, at)]);
    const nothing = { ...high(1_000, 0), paid: 0 };
    free
      .when(apply("returnRefund"), buyer, at)
      .refuses({ code: "nothingPaid", orderId: "o-1", also: [nothing] });
    free.when(apply("refundOnly", { amount: 0 }), buyer, at).refuses(low);
  });
});

describe("G3: the line", () => {
  it("must be the order's, and without it nothing about a line can be said", () => {
    completed
      .when(apply("refundOnly", { lineId: "L9", amount: 99_999, quantity: -1 }), buyer, at)
      .refuses({ code: "lineNotInOrder", field: "lineId", lineId: "L9" });
  });
});

describe("G4: the window", () => {
  // Domain 5, scenario 20: received 2021-10-10 17:34:22 in Shanghai, 30 days.
  const receipt = Date.UTC(2021, 9, 10, 9, 34, 22);
  const then = (terms: { readonly afterSaleDays: number }) =>
    given([
      created({ terms }, receipt - day),
      paid(receipt - day),
      shipped(receipt - day),
      received(receipt),
    ]);

  it("is open in its very last second, and shut in the next", () => {
    const last = Date.UTC(2021, 10, 9, 9, 34, 22);
    const month = then({ afterSaleDays: 30 });
    month.when(apply("refundOnly"), buyer, last).gives([applied("refundOnly", {}, last)]);
    month.when(apply("refundOnly"), buyer, last + 999).gives([applied("refundOnly", {}, last + 999)]);
    month
      .when(apply("refundOnly"), buyer, last + second)
      .refuses({ code: "windowExpired", days: 30, until: last, at: last + second });
  });

  it("of no days is never open, of goods not received always", () => {
    then({ afterSaleDays: 0 })
      .when(apply("refundOnly"), buyer, receipt)
      .refuses({ code: "windowExpired", days: 0, until: null, at: receipt });
    const late = shippedAt + 3_000 * day;
    given(reached("shipped"))
      .when(apply("refundOnly"), buyer, late)
      .gives([applied("refundOnly", {}, late)]);
  });
});

describe("G5: the type", () => {
  it("must be one that the line allows", () => {
    const [first] = lines;
    const only = { lines: [{ ...first!, allowedTypes: ["exchange"] as const }, lines[1]!] };
    given(reached("completed", only))
      .when(apply("refundOnly"), buyer, at)
      .refuses({ code: "typeNotAllowed", field: "caseType", caseType: "refundOnly", allowed: ["exchange"] });
  });

  it.each<CaseType>(["returnRefund", "exchange"])("%s needs goods that were sent", (caseType) => {
    given(reached("paid"))
      .when(apply(caseType), buyer, paidAt)
      .refuses({ code: "typeNotAllowed", field: "caseType", caseType, allowed: ["refundOnly"] });
    given(reached("shipped"))
      .when(apply(caseType), buyer, at)
      .gives([applied(caseType, {}, at)]);
  });
});

describe("G6: one open case a line", () => {
  it("is refused a second, and the other line is not", () => {
    const open = given(inCase("requested", "refundOnly"));
    const other = { caseId: "c-2" };
    open
      .when(apply("exchange", other), buyer, at)
      .refuses({ code: "caseOpen", command: "ApplyRefund", caseId, status: "requested" });
    open
      .when(apply("exchange", { ...other, lineId: "L2" }), buyer, at)
      .gives([applied("exchange", { ...other, lineId: "L2" }, at)]);
  });

  it("is refused where the whole order is being cancelled, with all that is claimed", () => {
    const cancelled = [
      ...reached("paid"),
      event("RefundApplied", paidAt, {
        caseId: "k-1",
        origin: "cancellation",
        caseType: "refundOnly",
        quantity: 0,
        amount: 5_800,
        goodsReceived: false,
      }),
    ];
    given(cancelled)
      .when(apply("refundOnly"), buyer, paidAt)
      .refuses({
        code: "caseOpen",
        command: "ApplyRefund",
        caseId: "k-1",
        status: "requested",
        also: [high(1_000, 0, 5_800)],
      });
  });
});

describe("G7: the amount", () => {
  it("of a refund is at least 1 and at most what the line has left (scenario 21)", () => {
    for (const caseType of ["refundOnly", "returnRefund"] as const) {
      completed.when(apply(caseType, { amount: 3_001 }), buyer, at).refuses(high(3_001, 3_000));
      completed.when(apply(caseType, { amount: 0 }), buyer, at).refuses(low);
      for (const amount of [1, 3_000]) {
        completed.when(apply(caseType, { amount }), buyer, at).gives([applied(caseType, { amount }, at)]);
      }
    }
  });

  it("of an exchange is none", () => {
    completed.when(apply("exchange", { amount: 1 }), buyer, at).refuses(high(1, 0));
  });

  it("of a return is nothing where the line has nothing left (V12)", () => {
    const history = [
      ...reached("completed"),
      applied("refundOnly", { amount: 3_000 }),
      approved("refundOnly", { amount: 3_000 }),
      issued({ amount: 3_000 }),
      settled({ amount: 3_000 }),
    ];
    const back = { caseId: "c-2", amount: 0 };
    given(history)
      .when(apply("returnRefund", back), buyer, at)
      .gives([applied("returnRefund", back, at)]);
    given(history)
      .when(apply("returnRefund", { caseId: "c-2", amount: 1 }), buyer, at)
      .refuses(high(1, 0, 3_000));
    given(history).when(apply("refundOnly", back), buyer, at).refuses(low);
  });

  it("counts what another line has asked for (scenario 14: V3)", () => {
    const halves = {
      lines: [
        { ...lines[0]!, unitPrice: 5_000, quantity: 1 },
        { ...lines[1]!, unitPrice: 5_000 },
      ],
      charges: [],
      goods: 10_000,
      discount: 2_000,
      total: 8_000,
    };
    const history = [
      created(halves),
      paid(paidAt, { amount: 8_000 }),
      applied("refundOnly", { lineId: "L1", amount: 5_000 }),
    ];
    const asked = { caseId: "c-2", lineId: "L2" };
    given(history)
      .when(apply("refundOnly", { ...asked, amount: 5_000 }), buyer, at)
      .refuses({ ...high(5_000, 3_000, 5_000), paid: 8_000 });
    given(history)
      .when(apply("refundOnly", { ...asked, amount: 3_000 }), buyer, at)
      .gives([applied("refundOnly", { ...asked, amount: 3_000 }, at)]);
  });
});

describe("G8: the quantity", () => {
  const invalid = (quantity: number, caseType: CaseType) =>
    ({ code: "quantityInvalid", field: "quantity", quantity, caseType }) as const;

  it.each<CaseType>(["returnRefund", "exchange"])(
    "of a %s is at least 1 and at most what was bought",
    (caseType) => {
      const most = apply(caseType, { quantity: 3 });
      completed.when(most, buyer, at).gives([applied(caseType, { quantity: 3 }, at)]);
      completed.when(apply(caseType, { quantity: 4 }), buyer, at).refuses({
        code: "quantityTooHigh",
        field: "quantity",
        quantity: 4,
        limit: 3,
        claimed: 0,
        bought: 3,
      });
      for (const quantity of [0, -1, 0.5, Number.NaN]) {
        completed.when(apply(caseType, { quantity }), buyer, at).refuses(invalid(quantity, caseType));
      }
      completed.when(apply(caseType, { quantity: undefined }), buyer, at).refuses(invalid(0, caseType));
    },
  );

  it("of a refund alone is none", () => {
    completed.when(apply("refundOnly", { quantity: 1 }), buyer, at).refuses(invalid(1, "refundOnly"));
  });

  it("counts the units that came back, and not those that were exchanged (ruling 8)", () => {
    const again = { caseId: "c-2", quantity: 3 } as const;
    given(inCase("refunded", "returnRefund"))
      .when(apply("exchange", again), buyer, at)
      .refuses({ code: "quantityTooHigh", field: "quantity", quantity: 3, limit: 2, claimed: 1, bought: 3 });
    given(inCase("exchanged", "exchange"))
      .when(apply("exchange", again), buyer, at)
      .gives([applied("exchange", again, at)]);
  });
});

describe("G9 and G10: what is said", () => {
  const said = (over: Partial<CommandData["ApplyRefund"]>) =>
    completed.when(apply("refundOnly", over), buyer, at);

  it("is at most 180 and 500 characters, counted as characters", () => {
    said({ reason: "🍵".repeat(180) }).gives([applied("refundOnly", { reason: "🍵".repeat(180) }, at)]);
    said({ reason: "🍵".repeat(181) }).refuses({
      code: "reasonLength",
      field: "reason",
      length: 181,
      least: 0,
      limit: 180,
    });
    const note = "字".repeat(500);
    said({ personal: { note } }).gives([applied("refundOnly", { personal: { note } }, at)]);
    said({ personal: { note: `${note}字` } }).refuses({
      code: "noteTooLong",
      field: "personal.note",
      length: 501,
      limit: 500,
    });
  });

  it("has as much evidence as the order's terms allow", () => {
    const evidence = ["1", "2", "3"];
    const three = given(reached("completed", { terms: { evidenceMax: 3 } }));
    three
      .when(apply("refundOnly", { personal: { evidence } }), buyer, at)
      .gives([applied("refundOnly", { personal: { evidence } }, at)]);
    three.when(apply("refundOnly", { personal: { evidence: [...evidence, "4"] } }), buyer, at).refuses({
      code: "evidenceTooMany",
      field: "personal.evidence",
      count: 4,
      limit: 3,
    });
  });
});

it("everything at once is named in the order of the guards (ruling 5)", () => {
  const late = receivedAt + 31 * day;
  given([...inCase("requested", "exchange"), event("OrderHidden", at, { from: "buyer" })])
    .when(
      ask("ApplyRefund", {
        caseId,
        lineId: "L1",
        caseType: "exchange",
        quantity: 4,
        amount: 9_000,
        reason: "r".repeat(181),
        personal: { note: "n".repeat(501), evidence: Array.from({ length: 10 }, () => "e") },
      }),
      merchant,
      late,
    )
    .refuses({
      code: "wrongActor",
      command: "ApplyRefund",
      role: "merchant",
      allowed: ["buyer"],
      also: [
        { code: "windowExpired", days: 30, until: receivedAt + 30 * day, at: late },
        { code: "caseOpen", command: "ApplyRefund", caseId, status: "requested" },
        high(9_000, 0),
        { code: "quantityTooHigh", field: "quantity", quantity: 4, limit: 2, claimed: 1, bought: 3 },
        { code: "reasonLength", field: "reason", length: 181, least: 0, limit: 180 },
        { code: "noteTooLong", field: "personal.note", length: 501, limit: 500 },
        { code: "evidenceTooMany", field: "personal.evidence", count: 10, limit: 9 },
        { code: "caseIdUsed", field: "caseId", caseId },
      ],
    });
});

it("a case begins with what was asked, and what only names a person is not in the state", () => {
  const order = fold([
    ...reached("completed"),
    applied("returnRefund", {
      reason: "broken",
      causeType: 2,
      personal: { note: "secret", evidence: ["e"] },
    }),
  ]) as Order;
  expect(order.cases).toMatchObject([
    {
      caseId,
      number: 1,
      origin: "application",
      lineId: "L1",
      type: "returnRefund",
      status: "requested",
      quantity: 1,
      amount: 1_000,
      amountAsked: 1_000,
      goodsReceived: true,
      reason: "broken",
      causeType: 2,
    },
  ]);
  expect(JSON.stringify(order)).not.toContain("secret");
});
