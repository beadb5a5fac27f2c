// Bad input to after-sale, through an engine and through `exec --stdin`: each refused by its code and numbers, and nothing written.

import { describe, expect, it } from "vitest";

import type { Actor } from "../src/domain/actor.ts";
import { type Rejection, describeRejection } from "../src/domain/refusals.ts";
import { type Engine, openEngine } from "../src/engine.ts";
import { executed, folder } from "./cli/aftersale.ts";
import { buyer, day, merchant, minute, parcel, provider, stranger, system, t0 } from "./domain/orders.ts";
import { accepted, newOrder, open, refused, tidyEngines } from "./engines.ts";

tidyEngines();

type Asked = readonly [command: object, actor: Actor];

const at = t0 + 2 * day;
const currency = "CNY";

const apply = (caseId: string, over: object = {}, orderId = "o-1") => ({
  type: "ApplyRefund",
  orderId,
  caseId,
  lineId: "L1",
  caseType: "refundOnly",
  amount: 1_000,
  ...over,
});
const to = (type: string, caseId: string, over: object = {}, orderId = "o-1") => ({
  type,
  orderId,
  caseId,
  ...over,
});
const back = (caseId: string, over: object = {}) =>
  apply(caseId, { caseType: "returnRefund", quantity: 1, ...over });
const settle = (caseId: string, over: object = {}, orderId = "o-1") =>
  to("SettleRefund", caseId, { refundId: `${caseId}:1`, amount: 1_000, ...over }, orderId);
const fail = (caseId: string, over: object = {}) =>
  to("FailRefund", caseId, { refundId: `${caseId}:1`, failure: "NO", retryable: true, ...over });

/** O1 completed, its L2 under an open case; of L1 10.00 are back, and another case was cancelled after its refund failed. */
const scene: readonly Asked[] = [
  [newOrder("o-1"), buyer],
  [{ type: "Pay", orderId: "o-1", payId: "p-1", amount: 5_800, channel: "online" }, buyer],
  [{ type: "Ship", orderId: "o-1", shipments: [parcel] }, merchant],
  [{ type: "ConfirmReceipt", orderId: "o-1" }, buyer],
  [apply("open", { lineId: "L2", amount: 2_000 }), buyer],
  [apply("done"), buyer],
  [to("ApproveRefund", "done", { destination: "wallet" }), merchant],
  [settle("done"), provider],
  [apply("gone"), buyer],
  [to("ApproveRefund", "gone", { destination: "wallet" }), merchant],
  [fail("gone"), provider],
  [to("CancelRefund", "gone"), buyer],
  // Another order, one case of which is on its way, and one on its way back.
  [
    newOrder("o-2", {
      lines: [
        { lineId: "X1", goodsId: "A", title: "Pot", unitPrice: 1_000, quantity: 2 },
        { lineId: "X2", goodsId: "B", title: "Lid", unitPrice: 500, quantity: 2 },
      ],
      charges: [],
    }),
    buyer,
  ],
  [{ type: "Pay", orderId: "o-2", payId: "p-2", amount: 3_000, channel: "offline" }, buyer],
  [{ type: "Ship", orderId: "o-2", shipments: [parcel] }, merchant],
  [apply("flies", { lineId: "X1" }, "o-2"), buyer],
  [to("ApproveRefund", "flies", { destination: "wallet" }, "o-2"), merchant],
  [{ ...apply("sent", {}, "o-2"), lineId: "X2", caseType: "returnRefund", quantity: 2 }, buyer],
  [to("ApproveRefund", "sent", {}, "o-2"), merchant],
  [to("ShipReturn", "sent", { carrier: "EMS", trackingNumber: "E1" }, "o-2"), buyer],
];

const received = t0 + 3 * minute;
const high = (amount: number, limit: number, claimed: number, paid = 5_800) =>
  ({ code: "amountTooHigh", field: "amount", amount, limit, claimed, paid, currency }) as const;
const low = { code: "amountTooLow", field: "amount", amount: 0, least: 1, currency } as const;
const many = (quantity: number) =>
  ({ code: "quantityTooHigh", field: "quantity", quantity, limit: 3, claimed: 0, bought: 3 }) as const;
const wrongUnits = (quantity: number, caseType: string) =>
  ({ code: "quantityInvalid", field: "quantity", quantity, caseType }) as const;
const stillOpen = { code: "caseOpen", command: "ApplyRefund", caseId: "open", status: "requested" } as const;
const notInFlight = (refundId: string, state: string) =>
  ({ code: "refundNotInFlight", field: "refundId", refundId, state }) as const;
const notPending = (command: string, caseId: string, status: string) =>
  ({ code: "caseStatusNotEligible", command, caseId, status, allowed: ["refundPending"] }) as const;
const flying = { code: "refundInFlight", caseId: "flies", refundId: "flies:1" } as const;
const issue = (field: string, rule: RegExp): Rejection =>
  ({ code: "invalidCommand", issues: [{ field, rule: expect.stringMatching(rule) as string }] }) as never;
const long = (length: number) =>
  ({ code: "reasonLength", field: "reason", length, least: 0, limit: 180 }) as const;
const short = (length: number) =>
  ({ code: "reasonLength", field: "reason", length, least: 2, limit: 230 }) as const;

const bad: readonly (readonly [what: string, asked: Asked, refusal: Rejection])[] = [
  // With L2 claimed whole, L1 is the last of the goods, and takes the freight with it: 20.00 + 8.00.
  ["one minor unit above what is left", [apply("n", { amount: 2_801 }), buyer], high(2_801, 2_800, 3_000)],
  ["the same of a return", [back("n", { amount: 2_801 }), buyer], high(2_801, 2_800, 3_000)],
  ["all that was paid", [apply("n", { amount: 5_800 }), buyer], high(5_800, 2_800, 3_000)],
  [
    "the greatest amount there is",
    [apply("n", { amount: Number.MAX_SAFE_INTEGER }), buyer],
    high(Number.MAX_SAFE_INTEGER, 2_800, 3_000),
  ],
  ["nothing", [apply("n", { amount: 0 }), buyer], low],
  ["nothing for a return", [back("n", { amount: 0 }), buyer], low],
  ["money for an exchange", [back("n", { caseType: "exchange", amount: 1 }), buyer], high(1, 0, 3_000)],
  ["less than nothing", [apply("n", { amount: -1 }), buyer], issue("amount", /0/)],
  [
    "half a minor unit",
    [apply("n", { amount: 0.5 }), buyer],
    issue("amount", /^must be whole minor units, and is 0\.5$/),
  ],
  ["an amount as text", [apply("n", { amount: "10" }), buyer], issue("amount", /number/)],
  ["no unit of a return", [back("n", { quantity: 0 }), buyer], wrongUnits(0, "returnRefund")],
  ["no quantity of a return", [back("n", { quantity: undefined }), buyer], wrongUnits(0, "returnRefund")],
  ["a negative quantity", [back("n", { quantity: -1 }), buyer], wrongUnits(-1, "returnRefund")],
  ["one unit too many", [back("n", { quantity: 4 }), buyer], many(4)],
  [
    "one unit too many of an exchange",
    [back("n", { quantity: 4, caseType: "exchange", amount: 0 }), buyer],
    many(4),
  ],
  ["units of a refund alone", [apply("n", { quantity: 1 }), buyer], wrongUnits(1, "refundOnly")],
  [
    "half a unit",
    [back("n", { quantity: 0.5 }), buyer],
    issue("quantity", /^must be a whole number, and is 0\.5$/),
  ],
  ["another buyer's order", [apply("n"), stranger], { code: "notOwner", orderId: "o-1", role: "buyer" }],
  ["no order", [apply("n", {}, "o-9"), buyer], { code: "orderNotFound", orderId: "o-9" }],
  [
    "a line of another order",
    [apply("n", { lineId: "X1" }), buyer],
    { code: "lineNotInOrder", field: "lineId", lineId: "X1" },
  ],
  [
    "a line that has a case",
    [apply("n", { lineId: "L2", amount: 1 }), buyer],
    { ...stillOpen, also: [high(1, 0, 3_000)] },
  ],
  ["an id that a case has", [apply("gone"), buyer], { code: "caseIdUsed", field: "caseId", caseId: "gone" }],
  [
    "an id that another order's case has",
    [apply("flies"), buyer],
    { code: "caseIdUsed", field: "caseId", caseId: "flies" },
  ],
  [
    "an id of the engine's own",
    [apply("late:p-1"), buyer],
    issue("caseId", /must not begin with late: or cancel:/),
  ],
  [
    "evidence beyond the cap",
    [apply("n", { personal: { evidence: Array.from({ length: 10 }, (_, n) => `e${n}`) } }), buyer],
    { code: "evidenceTooMany", field: "personal.evidence", count: 10, limit: 9 },
  ],
  ["a reason of 181 characters", [apply("n", { reason: "退".repeat(181) }), buyer], long(181)],
  // 362 units of UTF-16, and 181 characters.
  ["the same in astral characters", [apply("n", { reason: "🍵".repeat(181) }), buyer], long(181)],
  [
    "a note of 501 astral characters",
    [apply("n", { personal: { note: "🍵".repeat(501) } }), buyer],
    { code: "noteTooLong", field: "personal.note", length: 501, limit: 500 },
  ],
  ["half a character", [apply("n", { reason: "\ud83c" }), buyer], issue("reason", /lone surrogate/)],
  [
    "a type that is none",
    [apply("n", { caseType: "gift" }), buyer],
    issue("caseType", /refundOnly.*returnRefund.*exchange/),
  ],
  [
    "the window's first second after its end",
    [{ ...apply("n"), at: received + 30 * day + 1_000 }, buyer],
    {
      code: "windowExpired",
      days: 30,
      until: received + 30 * day,
      at: received + 30 * day + 1_000,
    },
  ],
  [
    "a settlement of an unknown refund",
    [settle("flies", { refundId: "flies:9" }, "o-2"), provider],
    { code: "refundUnknown", field: "refundId", refundId: "flies:9", caseId: "flies" },
  ],
  [
    "a settlement in an unknown case",
    [settle("nobody"), provider],
    { code: "caseNotFound", caseId: "nobody" },
  ],
  [
    "a settlement of another amount",
    [settle("flies", { amount: 999 }, "o-2"), provider],
    { code: "amountMismatch", field: "amount", amount: 999, due: 1_000, currency },
  ],
  [
    "a settlement of nothing issued",
    [settle("open"), provider],
    {
      ...notPending("SettleRefund", "open", "requested"),
      also: [{ code: "refundUnknown", field: "refundId", refundId: "open:1", caseId: "open" }],
    },
  ],
  [
    "a callback after cancellation",
    [settle("gone"), provider],
    { ...notPending("SettleRefund", "gone", "cancelled"), also: [notInFlight("gone:1", "failed")] },
  ],
  [
    "a callback repeated with another amount",
    [settle("done", { amount: 1_001 }), provider],
    {
      ...notPending("SettleRefund", "done", "refunded"),
      also: [
        notInFlight("done:1", "settled"),
        { code: "amountMismatch", field: "amount", amount: 1_001, due: 1_000, currency },
      ],
    },
  ],
  [
    "a failure of what was settled",
    [fail("done"), provider],
    { ...notPending("FailRefund", "done", "refunded"), also: [notInFlight("done:1", "settled")] },
  ],
  [
    "a callback of the buyer's",
    [settle("flies", {}, "o-2"), buyer],
    { code: "wrongActor", command: "SettleRefund", role: "buyer", allowed: ["provider", "system"] },
  ],
  [
    "a second issue while the first flies",
    [to("IssueRefund", "flies", { destination: "manual" }, "o-2"), merchant],
    flying,
  ],
  ["taking back what flies", [to("CancelRefund", "flies", {}, "o-2"), buyer], flying],
  [
    "an approval of more than was asked",
    [to("ApproveRefund", "open", { amount: 2_001 }), merchant],
    high(2_001, 2_000, 3_000),
  ],
  [
    "a destination that the payment has not",
    [to("ApproveRefund", "open", { destination: "original" }), merchant],
    { code: "destinationRefused", field: "destination", destination: "original", because: "noTradeNo" },
  ],
  ["a rejection in one character", [to("RejectRefund", "open", { reason: "🍵" }), merchant], short(1)],
  [
    "a rejection in 231 characters",
    [to("RejectRefund", "open", { reason: "🍵".repeat(231) }), merchant],
    short(231),
  ],
  [
    "a parcel that holds less than was sent back",
    [to("ReceiveReturn", "sent", { dispositions: [{ kind: "restock", quantity: 1 }] }, "o-2"), merchant],
    { code: "dispositionsMismatch", field: "dispositions", quantity: 1, expected: 2 },
  ],
  [
    "a disposition of nothing",
    [to("ReceiveReturn", "sent", { dispositions: [{ kind: "restock", quantity: 0 }] }, "o-2"), merchant],
    issue("dispositions[0].quantity", /1/),
  ],
  [
    "a snapshot of more than is left",
    [
      to("ImportRefund", "n", {
        source: "elsewhere",
        status: "refunded",
        lineId: "L1",
        caseType: "refundOnly",
        amount: 2_801,
        raw: {},
      }),
      system,
    ],
    high(2_801, 2_800, 3_000),
  ],
  [
    "a snapshot that is no object",
    [
      to("ImportRefund", "n", {
        source: "elsewhere",
        status: "requested",
        lineId: "L1",
        caseType: "refundOnly",
        amount: 1,
        raw: "all of it",
      }),
      system,
    ],
    issue("raw", /must be an object/),
  ],
];

/** What looks bad and is not. */
const good: readonly (readonly [what: string, asked: Asked])[] = [
  ["all that is left", [apply("n", { amount: 2_800 }), buyer]],
  ["a reason of 180 astral characters, 360 units", [apply("n", { reason: "🍵".repeat(180) }), buyer]],
  ["a note of 500", [apply("n", { personal: { note: "🍵".repeat(500) } }), buyer]],
  ["the last second of the window", [{ ...apply("n"), at: received + 30 * day + 999 }, buyer]],
];

/** Some are asked at an instant of their own. */
function timed(command: object): readonly [command: object, at: number] {
  const { at: own = at, ...rest } = command as { readonly at?: number };
  return [rest, own];
}

async function begun(): Promise<Engine> {
  const engine = await open({ store: "memory:" });
  for (const [step, [command, actor]] of scene.entries()) {
    const options = { actor, commandId: `scene-${step}`, at: t0 + Math.min(step, 30) * minute };
    accepted(await engine.execute(command, options));
  }
  return engine;
}

describe("an engine", () => {
  it.each(bad)("refuses %s", async (_what, [asked, actor], refusal) => {
    const engine = await begun();
    const [command, when] = timed(asked);
    const head = await engine.head();
    const states = await Promise.all(["o-1", "o-2"].map((orderId) => engine.state(orderId)));
    const options = { actor, commandId: "bad", at: when };
    const answer = refused(await engine.execute(command, options));
    expect(answer).toEqual(refusal);
    expect(refused(await engine.preview(command, options))).toEqual(refusal);
    // A refusal is not remembered: the id is free for what is right.
    expect(refused(await engine.execute(command, options))).toEqual(refusal);
    expect(await engine.head()).toBe(head);
    expect(await Promise.all(["o-1", "o-2"].map((orderId) => engine.state(orderId)))).toEqual(states);
    expect(describeRejection(answer)).not.toMatch(/undefined|NaN|\[object/);
  });

  it.each(good)("takes %s", async (_what, [asked, actor]) => {
    const engine = await begun();
    const [command, when] = timed(asked);
    const receipt = accepted(await engine.execute(command, { actor, commandId: "good", at: when }));
    expect(receipt.events.map(({ type }) => type)).toEqual(["RefundApplied"]);
  });

  it("takes a callback repeated as no news, under any id", async () => {
    const engine = await begun();
    const head = await engine.head();
    for (const [command, events] of [
      [settle("done"), []],
      [fail("gone"), []],
    ] as const) {
      const receipt = accepted(await engine.execute(command, { actor: provider, commandId: "again", at }));
      expect(receipt).toMatchObject({ events, replayed: false });
    }
    expect(await engine.head()).toBe(head);
  });
});

it("`exec --stdin` answers each on its line, goes on, and writes nothing of them", async () => {
  using here = folder();
  const store = `sqlite:${here.file("bad.db")}`;
  const ran = await executed(
    store,
    scene.map(([command, actor], step) => ({
      commandId: `scene-${step}`,
      at: t0 + Math.min(step, 30) * minute,
      actor,
      command,
    })),
  );
  expect(ran.exit).toBe(0);
  // Text of a half character is no JSON of a harness.
  const lines = bad.filter(([what]) => what !== "half a character");
  const { exit, results } = await executed(
    store,
    lines.map(([, [asked, actor]], line) => {
      const [command, when] = timed(asked);
      return { commandId: `bad-${line}`, at: when, actor, command };
    }),
  );
  expect(exit).toBe(5);
  expect(results).toHaveLength(lines.length);
  for (const [line, [what, , refusal]] of lines.entries()) {
    expect([what, results[line]]).toMatchObject([what, { line: line + 1, ok: false, error: refusal }]);
  }
  await using after = await openEngine({ store });
  const events = await Promise.all(["o-1", "o-2"].map((orderId) => after.history(orderId)));
  expect(events.flat().every(({ meta }) => meta.commandId.startsWith("scene-"))).toBe(true);
  for (const { view, different } of await after.check()) expect([view, different]).toEqual([view, 0]);
});
