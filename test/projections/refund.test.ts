// One order's after-sale in full: the case detail, the history with its log, what the order's own detail says of it, and all of it as of then.

import { describe, expect, it } from "vitest";

import type { Step } from "../../src/domain/steps.ts";
import type { Engine, RefundQuery } from "../../src/engine.ts";
import { waybill } from "../domain/cases.ts";
import { buyer, day, merchant, minute, provider, second, t0 } from "../domain/orders.ts";
import { accepted, by, caseOf, live, newCase, open, refused, stores, tidyEngines } from "../engines.ts";
import { newFile } from "../store/files.ts";

tidyEngines();

const caseId = caseOf("o-1");
const of = { orderId: "o-1", caseId };
const from = t0 + day;
const address = { name: "仓库", phone: "021-1", address: "上海市" };

/** A return and refund whose first payment fails: a step a minute. */
const steps = [
  [
    newCase("o-1", {
      caseType: "returnRefund",
      quantity: 1,
      reason: "broken",
      personal: { note: "碎了", evidence: ["https://img.example/1.jpg"] },
    }),
    buyer,
  ],
  [{ type: "ApproveRefund", ...of, amount: 900, personal: { returnAddress: address } }, merchant],
  [{ type: "ShipReturn", ...of, ...waybill }, buyer],
  [{ type: "ReceiveReturn", ...of, dispositions: [{ kind: "restock", quantity: 1 }] }, merchant],
  [{ type: "IssueRefund", ...of, destination: "original" }, merchant],
  [{ type: "FailRefund", ...of, refundId: `${caseId}:1`, failure: "BUSY", retryable: true }, provider],
  [{ type: "IssueRefund", ...of }, merchant],
  [{ type: "SettleRefund", ...of, refundId: `${caseId}:2`, amount: 900 }, provider],
] as const;

async function go(engine: Engine, until: number = steps.length): Promise<void> {
  for (const [index, [command, actor]] of steps.slice(0, until).entries()) {
    accepted(await engine.execute(command, by(actor, { at: from + index * minute })));
  }
}

/** One type offers none. */
const reasons = { refundOnly: ["Came late", "少件"], returnRefund: ["Another colour"] };

/** A paid order's own payment has a trade number here, so that it can be paid back the way it came. */
async function house(fresh: () => string): Promise<Engine> {
  const engine = await open({ store: fresh(), clock: () => from + day, terms: { "*": { reasons } } });
  await live(engine, "o-1", 1);
  const pay = {
    type: "Pay",
    orderId: "o-1",
    payId: "pay-1",
    amount: 5_800,
    channel: "online",
    tradeNo: "T-1",
  };
  accepted(await engine.execute(pay, by(buyer, { at: t0 + minute })));
  const ship = { type: "Ship", orderId: "o-1", shipments: [{ carrier: "SF", trackingNumber: "1" }] };
  accepted(await engine.execute(ship, by(merchant, { at: t0 + 2 * minute })));
  accepted(
    await engine.execute({ type: "ConfirmReceipt", orderId: "o-1" }, by(buyer, { at: t0 + 3 * minute })),
  );
  return engine;
}

async function refund(engine: Engine, query: RefundQuery) {
  const detail = await engine.views.refund(query);
  if (detail === undefined) throw new Error("there is none");
  return detail;
}

const standing = (bar: readonly Step[]): string =>
  bar.map((one) => `${one.is_active}${one.is_end}`).join(" ");

describe.each(stores)("on %s", (_kind, fresh) => {
  it("a line without a case says what could be applied for, and its bars invite to", async () => {
    const engine = await house(fresh);
    const detail = await refund(engine, { orderId: "o-1", lineId: "L1" });
    const { steps: bars, ...rest } = detail;
    expect(rest).toEqual({
      orderId: "o-1",
      orderStatus: "completed",
      merchantId: "main",
      buyerId: "buyer-1",
      currency: "CNY",
      revision: 4n,
      now: from + day,
      line: {
        lineId: "L1",
        goodsId: "A",
        title: "Tea",
        unitPrice: 1_000,
        quantity: 3,
        allowedTypes: ["refundOnly", "returnRefund", "exchange"],
      },
      refund: undefined,
      refundable: { quantity: 3, amount: 3_000 },
      application: {
        types: ["refundOnly", "returnRefund", "exchange"],
        window: { days: 30, until: t0 + 3 * minute + 30 * day, open: true },
        refusal: undefined,
      },
      reasons: { ...reasons, exchange: [] },
      commands: [{ command: "ApplyRefund", roles: ["buyer"] }],
    });
    // Whatever the line allows, these are what the merchant offers.
    expect(engine.reasons("main")).toEqual(reasons);
    // The row "none" of the golden table.
    expect(standing(bars.step0)).toBe("11 00 00");
    expect(standing(bars.step1)).toBe("11 00 00 00 00");
    expect(standing(bars.exchange)).toBe("11 00 00 00 00 00");
    const closed = await refund(engine, {
      orderId: "o-1",
      lineId: "L1",
      now: t0 + 3 * minute + 30 * day + second,
    });
    expect(closed).toMatchObject({
      application: { window: { open: false }, refusal: { code: "windowExpired" } },
      commands: [],
    });
  });

  it("a case says how far it is, what may be done and by whom, and all that was said and done", async () => {
    const engine = await house(fresh);
    await go(engine, 6);
    const detail = await refund(engine, { ...of, now: from + 5 * minute });
    expect(detail).toMatchObject({
      line: { lineId: "L1" },
      refundable: { quantity: 2, amount: 2_000 },
      application: { refusal: { code: "caseOpen", caseId } },
      commands: [
        { command: "RejectRefund", roles: ["merchant"] },
        { command: "CancelRefund", roles: ["buyer"] },
        { command: "CloseRefund", roles: ["merchant"] },
        { command: "IssueRefund", roles: ["merchant"] },
      ],
      refund: {
        caseId,
        number: 1,
        note: "碎了",
        evidence: ["https://img.example/1.jpg"],
        returnAddress: address,
        waiting: { party: "provider", since: from + 5 * minute },
        deadline: { kind: "refundRetry", case: { caseId, number: 1 }, dueAt: from + 6 * minute },
        case: { status: "refundPending", amount: 900, amountAsked: 1_000 },
      },
    });
    expect(detail.refund?.commands).toEqual(detail.commands);
    expect(standing(detail.steps.step1)).toBe("10 10 10 11 00");
    expect(detail.refund?.steps).toEqual(detail.steps);
    expect(
      detail.refund?.log.map((entry) => [
        entry.event,
        entry.at - from,
        `${entry.actor.role} ${entry.actor.id}`,
        `${entry.case?.from} -> ${entry.case?.to}`,
        entry.reason,
      ]),
    ).toEqual([
      ["RefundApplied", 0, "buyer buyer-1", "none -> requested", "broken"],
      ["RefundApproved", minute, "merchant main", "requested -> awaitingReturn", undefined],
      ["ReturnShipped", 2 * minute, "buyer buyer-1", "awaitingReturn -> returnInTransit", undefined],
      ["ReturnReceived", 3 * minute, "merchant main", "returnInTransit -> refundPending", undefined],
      ["RefundIssued", 4 * minute, "merchant main", "refundPending -> refundPending", undefined],
      ["RefundFailed", 5 * minute, "provider bank", "refundPending -> refundPending", "BUSY"],
    ]);
  });

  it("of a line it is the latest case, of an id that one", async () => {
    const engine = await house(fresh);
    await go(engine);
    const again = newCase("o-1", { caseId: "c-2", amount: 500 });
    accepted(await engine.execute(again, by(buyer, { at: from + day })));
    const latest = await refund(engine, { orderId: "o-1", lineId: "L1" });
    expect(latest.refund?.caseId).toBe("c-2");
    expect(latest.refundable).toEqual({ quantity: 2, amount: 1_600 });
    const first = await refund(engine, of);
    expect(first.refund).toMatchObject({ caseId, waiting: undefined, deadline: undefined, commands: [] });
    expect(standing(first.steps.step1)).toBe("10 10 10 10 10");
    expect(first.refundable).toEqual(latest.refundable);
  });

  it("an exchange that waits for its replacement says what it could be converted into", async () => {
    const engine = await house(fresh);
    const exchange = {
      type: "ApplyRefund",
      ...of,
      lineId: "L1",
      caseType: "exchange",
      quantity: 3,
      amount: 0,
    };
    const dispositions = [{ kind: "restock", quantity: 3 }];
    const steps = [
      [exchange, buyer],
      [{ type: "ApproveRefund", ...of }, merchant],
      [{ type: "ShipReturn", ...of, ...waybill }, buyer],
      [{ type: "ReceiveReturn", ...of, dispositions }, merchant],
    ] as const;
    for (const [command, actor] of steps) {
      expect((await refund(engine, { orderId: "o-1", lineId: "L1" })).convertible).toBeUndefined();
      accepted(await engine.execute(command, by(actor, { at: from })));
    }
    expect(await refund(engine, of)).toMatchObject({
      refundable: { quantity: 0, amount: 0 },
      convertible: { quantity: 3, amount: 3_000 },
    });
    const convert = { type: "ConvertToRefund", ...of, amount: 3_001, buyerConsents: true };
    expect(refused(await engine.execute(convert, by(merchant, { at: from })))).toMatchObject({
      limit: 3_000,
    });
  });

  it("a case about a whole order has neither line nor anything to apply for", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 2);
    const cancel = { type: "CancelOrder", orderId: "o-1", caseId: "c-all", reason: "sold out" };
    accepted(await engine.execute(cancel, by(merchant, { at: from })));
    const detail = await refund(engine, { orderId: "o-1", caseId: "c-all" });
    expect(detail).toMatchObject({
      line: undefined,
      refundable: undefined,
      application: undefined,
      refund: { case: { origin: "cancellation", amount: 5_800 }, evidence: [] },
    });
    expect(detail.refund?.note).toBeUndefined();
    expect(detail.refund?.log.map(({ event, reason }) => [event, reason])).toEqual([
      ["RefundApplied", "sold out"],
      ["RefundApproved", undefined],
    ]);
    // The line's own: no case of its own, and none can be opened beside it.
    const line = await refund(engine, { orderId: "o-1", lineId: "L1" });
    expect(line.refund).toBeUndefined();
    expect(line.application?.refusal).toMatchObject({ code: "caseOpen", caseId: "c-all" });
  });

  it("what is not there is undefined", async () => {
    const engine = await house(fresh);
    expect(await engine.views.refund({ orderId: "o-1", caseId: "c-none" })).toBeUndefined();
    expect(await engine.views.refund({ orderId: "o-1", lineId: "L9" })).toBeUndefined();
    expect(await engine.views.refund({ orderId: "o-9", lineId: "L1" })).toBeUndefined();
    expect(await engine.views.refundHistory({ orderId: "o-9" })).toBeUndefined();
    expect((await engine.views.refundHistory({ orderId: "o-1" }))?.cases).toEqual([]);
  });

  it("an order's history is every case, newest first, each with its own log, and where the money is", async () => {
    const engine = await house(fresh);
    await go(engine);
    for (const [caseNo, lineId] of [
      ["c-2", "L2"],
      ["c-3", "L1"],
    ] as const) {
      const more = newCase("o-1", { caseId: caseNo, lineId, amount: 500 });
      accepted(await engine.execute(more, by(buyer, { at: from + day })));
    }
    const reject = { type: "RejectRefund", orderId: "o-1", caseId: "c-2", reason: "no proof" };
    accepted(await engine.execute(reject, by(merchant, { at: from + day })));
    const history = await engine.views.refundHistory({ orderId: "o-1" });
    expect(history).toMatchObject({
      orderId: "o-1",
      currency: "CNY",
      ledger: { paid: 5_800, refunded: 900, inFlight: 0, retained: 4_900, reserved: 500 },
      cases: [
        { caseId: "c-3", waiting: { party: "merchant" }, log: [{ event: "RefundApplied" }] },
        {
          caseId: "c-2",
          waiting: undefined,
          log: [{ event: "RefundApplied" }, { event: "RefundRejected", reason: "no proof", actor: merchant }],
        },
        { caseId, case: { attempts: [{ failure: "BUSY" }, { state: "settled" }] } },
      ],
    });
    expect(history?.cases[2]?.log.map(({ event }) => event)).toEqual([
      "RefundApplied",
      "RefundApproved",
      "ReturnShipped",
      "ReturnReceived",
      "RefundIssued",
      "RefundFailed",
      "RefundIssued",
      "RefundSettled",
    ]);
    const head = await engine.views.order("o-1");
    expect(history?.revision).toBe(head?.revision);
  });

  it("an order's detail shows its cases, its ledger, and in its log what became of a case", async () => {
    const engine = await house(fresh);
    const without = await engine.views.order("o-1");
    expect(without).toMatchObject({ hasRefund: false, refundStatus: "none", refunds: [] });
    expect(without?.log.every((entry) => entry.case === undefined)).toBe(true);
    await go(engine, 5);
    const open5 = await engine.views.order("o-1");
    expect(open5).toMatchObject({
      hasRefund: true,
      refundStatus: "open",
      ledger: { paid: 5_800, refunded: 0, inFlight: 900, retained: 4_900, reserved: 900 },
      refunds: [
        {
          caseId,
          number: 1,
          waiting: { party: "provider", since: from + 4 * minute },
          commands: [
            { command: "SettleRefund", roles: ["provider", "system"] },
            { command: "FailRefund", roles: ["provider", "system"] },
          ],
          deadline: undefined,
        },
      ],
    });
    expect(standing(open5?.refunds[0]?.steps.step1 ?? [])).toBe("10 10 10 11 00");
    // Goods that come back to stock are the order's own affair.
    expect(open5?.log.slice(-3).map((entry) => [entry.event, entry.case?.to])).toEqual([
      ["ReturnReceived", "refundPending"],
      ["StockRestored", undefined],
      ["RefundIssued", "refundPending"],
    ]);
    for (const [command, actor] of steps.slice(5)) {
      accepted(await engine.execute(command, by(actor, { at: from + day })));
    }
    const ended = await engine.views.order("o-1");
    expect(ended).toMatchObject({
      hasRefund: true,
      refundStatus: "ended",
      ledger: { paid: 5_800, refunded: 900, inFlight: 0, retained: 4_900, reserved: 0 },
      refunds: [{ caseId, waiting: undefined, commands: [] }],
    });
  });

  it("as of a revision, a position or an instant it is what it was then", async () => {
    const engine = await house(fresh);
    const then: { revision: bigint; position: string; time: number; told: unknown; all: unknown }[] = [];
    for (const [index, [command, actor]] of steps.entries()) {
      const time = from + index * minute;
      const receipt = accepted(await engine.execute(command, by(actor, { at: time })));
      then.push({
        revision: receipt.revision,
        position: receipt.position,
        time,
        told: await engine.views.refund({ orderId: "o-1", lineId: "L1", now: time }),
        all: await engine.views.refundHistory({ orderId: "o-1", now: time }),
      });
    }
    for (const { revision, position, time, told, all } of then) {
      for (const at of [{ revision }, { position }, { time }, { time, position, revision }]) {
        expect(await engine.views.refund({ orderId: "o-1", lineId: "L1", at })).toEqual(told);
        expect(await engine.views.refundHistory({ orderId: "o-1", at })).toEqual(all);
      }
    }
    expect(await engine.views.refund({ ...of, at: { time: from - 1 } })).toBeUndefined();
    expect(
      new Set(
        then.map(({ told }) =>
          JSON.stringify(told, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
        ),
      ).size,
    ).toBe(steps.length);
  });

  it("what may be done is never said for an instant before the last thing done", async () => {
    const engine = await house(fresh);
    await go(engine, 1);
    const early = await refund(engine, { ...of, now: t0 });
    expect(early.now).toBe(from);
    expect(early.commands.map(({ command }) => command)).toContain("ApproveRefund");
  });
});

it("a file that is only read answers, though its cases are behind", async () => {
  const store = `sqlite:${newFile()}`;
  const writing = await open({ store, views: ["orders"] });
  await live(writing, "o-1", 4);
  await go(writing, 3);
  await writing.close();
  const reading = await open({ store, readOnly: true });
  expect((await reading.views.queue()).cases).toMatchObject([{ caseId, waitsFor: "merchant" }]);
  expect((await reading.views.refundHistory({ scope: { buyerId: "buyer-1" } })).cases).toHaveLength(1);
  expect((await reading.views.refundHistory({ orderId: "o-1" }))?.cases).toHaveLength(1);
  expect(await reading.views.refund(of)).toMatchObject({ refund: { caseId } });
});
