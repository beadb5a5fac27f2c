// The cases' view: a row a case, histories by owner, status, type and time, the queue of what waits for whom, and pages of index ranges.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type CaseEvent, isCaseEvent } from "../../src/domain/caseEvents.ts";
import { type CaseStatus, caseStatuses, endedCaseStatuses } from "../../src/domain/caseLifecycle.ts";
import type { Order } from "../../src/domain/state.ts";
import { caseTypes } from "../../src/domain/terms.ts";
import { type Party, parties } from "../../src/domain/waiting.ts";
import type { CasesQuery, Engine } from "../../src/engine.ts";
import {
  type CaseFilter,
  type CasePage,
  type CaseRow,
  type QueueFilter,
  casesView,
  readCaseOwner,
  readCases,
  readQueue,
} from "../../src/projections/cases.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { waybill } from "../domain/cases.ts";
import { buyer, day, merchant, minute, provider, stranger, system, t0 } from "../domain/orders.ts";
import {
  accepted,
  answers,
  by,
  caseOf,
  live,
  newCase,
  newOrder,
  open,
  stores,
  tidyEngines,
} from "../engines.ts";
import { newFile } from "../store/files.ts";
import { plan } from "./plans.ts";
import { begin, buyers, livesOptions, merchants, play, statesOf, step } from "./lives.ts";

tidyEngines();

/** AFTERSALE_RUNS sets how many random lives are led, on every store alike. */
const runs = process.env["AFTERSALE_RUNS"] === undefined ? undefined : Number(process.env["AFTERSALE_RUNS"]);

type Line = readonly [command: object, actor: typeof buyer, at: number];

async function doAll(engine: Engine, steps: readonly Line[]): Promise<void> {
  for (const [command, actor, at] of steps) accepted(await engine.execute(command, by(actor, { at })));
}

/** A case of an order that is on its way back from the buyer. */
function returning(orderId: string, from: number): readonly Line[] {
  const of = { orderId, caseId: caseOf(orderId) };
  return [
    [newCase(orderId, { caseType: "returnRefund", quantity: 2, reason: "broken" }), buyer, from],
    [{ type: "ApproveRefund", ...of, amount: 900 }, merchant, from + minute],
    [{ type: "ShipReturn", ...of, ...waybill }, buyer, from + 2 * minute],
  ];
}

/** An order's first case by the order's name; a later one by both. */
function rowName(orderId: string, caseId: string): string {
  return caseId === caseOf(orderId) ? orderId : `${orderId}/${caseId}`;
}

const idsOf = ({ cases }: CasePage): string[] => cases.map(({ orderId, caseId }) => rowName(orderId, caseId));

async function history(engine: Engine, query: CasesQuery = {}): Promise<string[]> {
  return idsOf(await engine.views.refundHistory({ limit: 1_000, ...query }));
}

async function queue(engine: Engine, filter: QueueFilter = {}): Promise<string[]> {
  return idsOf(await engine.views.queue({ limit: 1_000, ...filter }));
}

/** Every page of a list, one after the other; `between` runs before each next page. */
async function pages(
  read: (cursor: string | undefined) => Promise<CasePage>,
  between: (page: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<readonly CaseRow[]> {
  const all: CaseRow[] = [];
  for (let cursor: string | undefined, page = 1; ; page += 1) {
    const { cases, next } = await read(cursor);
    all.push(...cases);
    if (next === undefined) return all;
    expect(cases.length).toBeGreaterThan(0);
    // Pages that began again where they were would never end.
    expect(page).toBeLessThan(100);
    cursor = next;
    await between(page);
  }
}

describe.each(stores)("on %s", (_kind, fresh) => {
  it("a row says what stands of a case", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 4);
    await doAll(engine, returning("o-1", t0 + day));
    expect((await engine.views.refundHistory()).cases).toEqual([
      {
        orderId: "o-1",
        caseId: caseOf("o-1"),
        number: 1,
        orderNo: "o-1",
        merchantId: "main",
        buyerId: "buyer-1",
        lineId: "L1",
        title: "Tea",
        origin: "application",
        type: "returnRefund",
        status: "returnInTransit",
        quantity: 2,
        currency: "CNY",
        amount: 900,
        amountAsked: 1_000,
        reason: "broken",
        appliedAt: t0 + day,
        waitsFor: "merchant",
        since: t0 + day + 2 * minute,
        deadline: undefined,
        hiddenByMerchant: false,
        hiddenByBuyer: false,
      } satisfies CaseRow,
    ]);
  });

  it("a case about a whole order has no line, and the title of the first", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 2);
    const cancel = { type: "CancelOrder", orderId: "o-1", caseId: "c-all" };
    await doAll(engine, [[cancel, merchant, t0 + day]]);
    expect((await engine.views.refundHistory()).cases).toMatchObject([
      { caseId: "c-all", lineId: undefined, title: "Tea", origin: "cancellation", amount: 5_800 },
    ]);
  });

  it("says whom each waits for, since when and until when, as it goes on", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 4);
    const from = t0 + day;
    const of = { orderId: "o-1", caseId: caseOf("o-1") };
    const refund = { ...of, refundId: "c-o-1:1" };
    const seen: unknown[] = [];
    const steps: readonly Line[] = [
      [newCase("o-1", { caseType: "returnRefund", quantity: 1 }), buyer, from],
      [{ type: "ApproveRefund", ...of }, merchant, from + 1],
      [{ type: "ShipReturn", ...of, ...waybill }, buyer, from + 2],
      [{ type: "CorrectReturnShipment", ...of, ...waybill }, buyer, from + 3],
      [
        { type: "ReceiveReturn", ...of, dispositions: [{ kind: "damaged", quantity: 1 }] },
        merchant,
        from + 4,
      ],
      [{ type: "IssueRefund", ...of, destination: "wallet" }, merchant, from + 5],
      [{ type: "FailRefund", ...refund, failure: "BUSY", retryable: true }, provider, from + 6],
      [{ type: "IssueRefund", ...of }, merchant, from + 7],
      [
        { type: "FailRefund", ...of, refundId: "c-o-1:2", failure: "GONE", retryable: false },
        system,
        from + 8,
      ],
      [{ type: "IssueRefund", ...of, destination: "manual" }, merchant, from + 9],
    ];
    for (const one of steps) {
      await doAll(engine, [one]);
      const [row] = (await engine.views.refundHistory()).cases as [CaseRow];
      seen.push([row.status, row.waitsFor, row.since - from, row.deadline]);
      // What waits is in the queue, and in that of its party alone.
      for (const party of parties) {
        expect(await queue(engine, { waitsFor: [party] })).toEqual(row.waitsFor === party ? ["o-1"] : []);
      }
      expect(await queue(engine)).toEqual(row.waitsFor === undefined ? [] : ["o-1"]);
    }
    expect(seen).toEqual([
      ["requested", "merchant", 0, undefined],
      ["awaitingReturn", "buyer", 1, { kind: "returnShip", dueAt: from + 1 + 7 * day }],
      ["returnInTransit", "merchant", 2, undefined],
      ["returnInTransit", "merchant", 3, undefined],
      ["refundPending", "merchant", 4, undefined],
      ["refundPending", "provider", 5, undefined],
      ["refundPending", "provider", 6, { kind: "refundRetry", dueAt: from + 6 + minute }],
      ["refundPending", "provider", 7, undefined],
      ["refundPending", "merchant", 8, undefined],
      ["refunded", undefined, 9, undefined],
    ]);
  });

  it("a replacement waits for its buyer until the system confirms it", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 4);
    const from = t0 + day;
    const of = { orderId: "o-1", caseId: caseOf("o-1") };
    await doAll(engine, [
      [newCase("o-1", { caseType: "exchange", quantity: 1, amount: 0 }), buyer, from],
      [{ type: "ApproveRefund", ...of }, merchant, from + 1],
      [{ type: "ShipReturn", ...of, ...waybill }, buyer, from + 2],
      [
        { type: "ReceiveReturn", ...of, dispositions: [{ kind: "restock", quantity: 1 }] },
        merchant,
        from + 3,
      ],
    ]);
    expect((await engine.views.queue()).cases).toMatchObject([
      { status: "replacementPending", waitsFor: "merchant", since: from + 3, deadline: undefined },
    ]);
    await doAll(engine, [[{ type: "ShipReplacement", ...of, ...waybill }, merchant, from + 4]]);
    expect((await engine.views.queue()).cases).toMatchObject([
      {
        status: "replacementShipped",
        waitsFor: "buyer",
        since: from + 4,
        deadline: { kind: "replacementConfirm", dueAt: from + 4 + 7 * day },
      },
    ]);
  });

  it("filters a history by owner, status, type and time, and by all of them at once", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "tea", 4, t0);
    await live(engine, "cup", 4, t0);
    for (const [orderId, over, who] of [
      ["theirs", {}, stranger],
      ["away", { merchantId: "rival" }, buyer],
    ] as const) {
      const pay = { type: "Pay", orderId, payId: `pay-${orderId}`, amount: 5_800, channel: "online" };
      await doAll(engine, [
        [newOrder(orderId, over), who, t0],
        [pay, who, t0],
      ]);
    }
    const of = { orderId: "tea", caseId: caseOf("tea") };
    await doAll(engine, [
      [newCase("tea"), buyer, t0 + day],
      [{ type: "RejectRefund", ...of, reason: "no proof" }, merchant, t0 + day + minute],
      [newCase("tea", { caseId: "c-2", caseType: "exchange", quantity: 1, amount: 0 }), buyer, t0 + 2 * day],
      [newCase("cup"), buyer, t0 + 3 * day],
      [newCase("theirs"), stranger, t0 + 4 * day],
      [newCase("away"), buyer, t0 + 5 * day],
    ]);
    expect(await engine.views.caseOwner("c-2")).toEqual({
      orderId: "tea",
      buyerId: "buyer-1",
      merchantId: "main",
    });
    expect(await engine.views.caseOwner(caseOf("away"))).toEqual({
      orderId: "away",
      buyerId: "buyer-1",
      merchantId: "rival",
    });
    expect(await engine.views.caseOwner("tea")).toBeUndefined();
    const newestFirst = ["away", "theirs", "cup", "tea/c-2", "tea"];
    expect(await history(engine)).toEqual(newestFirst);
    expect(await history(engine, { scope: { buyerId: "buyer-2" } })).toEqual(["theirs"]);
    expect(await history(engine, { scope: { merchantId: "rival" } })).toEqual(["away"]);
    expect(await history(engine, { scope: { merchantId: "main" } })).toEqual(newestFirst.slice(1));
    expect(await history(engine, { statuses: ["rejected"] })).toEqual(["tea"]);
    expect(await history(engine, { statuses: [] })).toEqual([]);
    expect(await history(engine, { types: [] })).toEqual([]);
    expect(await history(engine, { statuses: caseStatuses, types: caseTypes })).toEqual(newestFirst);
    expect(await history(engine, { types: ["exchange"] })).toEqual(["tea/c-2"]);
    expect(await history(engine, { types: ["refundOnly", "refundOnly"] })).toEqual([
      "away",
      "theirs",
      "cup",
      "tea",
    ]);
    expect(await history(engine, { from: t0 + 2 * day, to: t0 + 4 * day })).toEqual(["cup", "tea/c-2"]);
    expect(await history(engine, { from: t0 + 2 * day, to: t0 + 2 * day })).toEqual([]);
    const all: CaseFilter = {
      statuses: ["requested"],
      types: ["refundOnly", "exchange"],
      from: t0 + day,
      to: t0 + 4 * day,
    };
    expect(await history(engine, { ...all, scope: { merchantId: "main" } })).toEqual(["cup", "tea/c-2"]);
    expect(await history(engine, { ...all, scope: { buyerId: "buyer-1" } })).toEqual(["cup", "tea/c-2"]);
    expect(await queue(engine, { merchantId: "rival" })).toEqual(["away"]);
    expect(await queue(engine, { merchantId: "main", waitsFor: ["merchant"] })).toEqual([
      "tea/c-2",
      "cup",
      "theirs",
    ]);
    expect(await queue(engine, { merchantId: "main", waitsFor: ["buyer", "provider"] })).toEqual([]);
    expect(await queue(engine, { waitsFor: [] })).toEqual([]);
  });

  it("leaves out of a merchant's what the merchant hid, of a buyer's what the buyer hid, and nothing of an order's own", async () => {
    const engine = await open({ store: fresh() });
    const cancel = (orderId: string) => ({ type: "CancelOrder", orderId });
    const late = (orderId: string) => ({
      type: "Pay",
      orderId,
      payId: `late-${orderId}`,
      amount: 5_800,
      channel: "wallet",
    });
    await live(engine, "case", 2);
    await doAll(engine, [
      [newCase("case"), buyer, t0 + minute],
      [
        { type: "RejectRefund", orderId: "case", caseId: caseOf("case"), reason: "no proof" },
        merchant,
        t0 + minute,
      ],
      [{ type: "HideRefund", orderId: "case", caseId: caseOf("case") }, merchant, t0 + minute],
      [newCase("case", { caseId: "c-2" }), buyer, t0 + minute],
    ]);
    for (const [orderId, who] of [
      ["buyers", buyer],
      ["merchants", merchant],
    ] as const) {
      await live(engine, orderId, 1);
      await doAll(engine, [
        [cancel(orderId), buyer, t0 + minute],
        [{ type: "HideOrder", orderId }, who, t0 + minute],
        // Money that comes late for an order that was hidden has a case all the same.
        [late(orderId), buyer, t0 + 2 * minute],
      ]);
    }
    const all = (await engine.views.refundHistory()).cases;
    const ids = idsOf({ cases: all, next: undefined });
    expect(ids).toHaveLength(4);
    const lateIds = ids.filter((id) => !id.startsWith("case"));
    expect(lateIds).toHaveLength(2);
    const [ofMerchants, ofBuyers] = lateIds as [string, string];
    expect([ofMerchants, ofBuyers].map((id) => id.split("/")[0])).toEqual(["merchants", "buyers"]);
    expect(await history(engine, { scope: { merchantId: "main" } })).toEqual([ofBuyers, "case/c-2"]);
    expect(await history(engine, { scope: { buyerId: "buyer-1" } })).toEqual([
      ofMerchants,
      "case/c-2",
      "case",
    ]);
    expect(await history(engine, { scope: { merchantId: "main" }, statuses: ["rejected"] })).toEqual([]);
    expect(all.map(({ hiddenByMerchant, hiddenByBuyer }) => [hiddenByMerchant, hiddenByBuyer])).toEqual([
      [true, false],
      [false, true],
      [false, false],
      [true, false],
    ]);
    const own = await engine.views.refundHistory({ orderId: "case" });
    expect(own?.cases.map(({ caseId }) => caseId)).toEqual(["c-2", caseOf("case")]);
  });

  it("an order that is hidden later takes its cases along", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 4);
    const of = { orderId: "o-1", caseId: caseOf("o-1") };
    await doAll(engine, [
      [newCase("o-1"), buyer, t0 + day],
      [{ type: "CancelRefund", ...of }, buyer, t0 + day],
    ]);
    expect(await history(engine, { scope: { buyerId: "buyer-1" } })).toEqual(["o-1"]);
    await doAll(engine, [[{ type: "HideOrder", orderId: "o-1" }, buyer, t0 + day]]);
    expect(await history(engine, { scope: { buyerId: "buyer-1" } })).toEqual([]);
    expect(await history(engine, { scope: { merchantId: "main" } })).toEqual(["o-1"]);
    for (const { view, different } of await engine.check()) expect([view, different]).toEqual([view, 0]);
  });

  describe("pages", () => {
    /** Cases of three instants, many of one, their orders' ids in no order. */
    async function many(engine: Engine): Promise<readonly string[]> {
      const ids = ["a9", "a10", "B1", "b1", "c", "c:1", "c-1"];
      for (const orderId of [...ids, "z", "A"]) {
        const pay = { type: "Pay", orderId, payId: `pay-${orderId}`, amount: 5_800, channel: "online" };
        await doAll(engine, [
          [newOrder(orderId), buyer, t0],
          [pay, buyer, t0],
        ]);
      }
      const two = newCase("b1", { caseId: "c-2", lineId: "L2" });
      await doAll(engine, [
        ...ids.map((orderId): Line => [newCase(orderId), buyer, t0 + day]),
        [two, buyer, t0 + day],
        [newCase("z"), buyer, t0 + minute],
        [newCase("A"), buyer, t0 + 2 * day],
      ]);
      const atOnce = ids.toSorted().flatMap((id) => (id === "b1" ? [id, "b1/c-2"] : [id]));
      return ["z", ...atOnce, "A"];
    }

    it.each([1, 2, 3, 9, 10, 11])("of %i hold every case once, in order", async (limit) => {
      const engine = await open({ store: fresh() });
      const oldestFirst = await many(engine);
      const filters: readonly CaseFilter[] = [
        {},
        { scope: { buyerId: "buyer-1" } },
        { scope: { merchantId: "main" } },
        { scope: { merchantId: "main" }, statuses: ["requested", "refunded"], to: t0 + 3 * day },
        { types: caseTypes, from: t0 },
      ];
      for (const filter of filters) {
        const all = await pages((cursor) => engine.views.refundHistory({ ...filter, limit, cursor }));
        expect(idsOf({ cases: all, next: undefined })).toEqual(oldestFirst.toReversed());
        const numbered: string[] = [];
        for (let offset = 0; offset < oldestFirst.length + limit; offset += limit) {
          numbered.push(...idsOf(await engine.views.refundHistory({ ...filter, limit, offset })));
        }
        expect(numbered).toEqual(oldestFirst.toReversed());
      }
      for (const filter of [{}, { merchantId: "main" }, { waitsFor: ["merchant"] as const }]) {
        const all = await pages((cursor) => engine.views.queue({ ...filter, limit, cursor }));
        expect(idsOf({ cases: all, next: undefined })).toEqual(oldestFirst);
      }
    });

    it("stay where they are while cases come in and go on", async () => {
      const engine = await open({ store: fresh() });
      const oldestFirst = await many(engine);
      await live(engine, "later", 2);
      const seen = await pages(
        (cursor) => engine.views.refundHistory({ limit: 3, cursor }),
        async (page) => {
          const over = { caseId: `n-${page}`, lineId: page === 1 ? "L1" : "L2" };
          const [orderId = "", caseId = caseOf(orderId)] = oldestFirst[page]?.split("/") ?? [];
          if (page < 3) await doAll(engine, [[newCase("later", over), buyer, t0 + 9 * day]]);
          await doAll(engine, [
            [{ type: "RejectRefund", orderId, caseId, reason: "no proof" }, merchant, t0 + 9 * day],
          ]);
        },
      );
      expect(idsOf({ cases: seen, next: undefined })).toEqual(oldestFirst.toReversed());
    });

    it("go on from a cursor under a narrower time too", async () => {
      const engine = await open({ store: fresh() });
      await many(engine);
      const { cases, next } = await engine.views.refundHistory({ limit: 2 });
      const behind = (await engine.views.refundHistory({ limit: 1_000, cursor: next })).cases;
      const to = behind[1]?.appliedAt as number;
      expect((await engine.views.refundHistory({ limit: 1_000, cursor: next, to })).cases).toEqual(
        behind.filter(({ appliedAt }) => appliedAt < to),
      );
      // What was seen is not seen again for a bound that lies behind the cursor.
      const later = (cases[0]?.appliedAt as number) + 1;
      expect((await engine.views.refundHistory({ limit: 1_000, cursor: next, to: later })).cases).toEqual(
        behind,
      );
    });

    it.each([-1, 1.5, Number.NaN])("from the offset %d are refused", async (offset) => {
      const engine = await open({ store: fresh() });
      await expect(engine.views.refundHistory({ offset })).rejects.toThrow(
        /^offset must be 0 or more, and is/,
      );
    });

    it.each([0, -1, 1.5, 1_001, Number.NaN])("of %d are refused", async (limit) => {
      const engine = await open({ store: fresh() });
      await expect(engine.views.refundHistory({ limit })).rejects.toThrow(/^limit must be 1 to 1000, and is/);
      await expect(engine.views.queue({ limit })).rejects.toThrow(/^limit must be 1 to 1000, and is/);
    });

    it("begin only where another page of the same list ended", async () => {
      const engine = await open({ store: fresh() });
      await many(engine);
      const ofHistory = (await engine.views.refundHistory({ limit: 1 })).next;
      const ofQueue = (await engine.views.queue({ limit: 1 })).next;
      for (const cursor of ["", "x", "bnVsbA", "e30", "WzEsMl0", ofQueue]) {
        await expect(engine.views.refundHistory({ cursor })).rejects.toThrow(/is none that a page gave$/);
      }
      await expect(engine.views.queue({ cursor: ofHistory })).rejects.toThrow(/is none that a page gave$/);
    });

    it.each(['1e999,"x",1', '1.5,"x",1', '-1,"x",1', '5,"x",1e999', '5,"x",0.5', '5,"x",-1'])(
      "begin at no place such as %s, where no case stands",
      async (place) => {
        const engine = await open({ store: fresh() });
        const cursorOf = (by: string) => Buffer.from(`["${by}",${place}]`).toString("base64url");
        const none = /is none that a page gave$/;
        await expect(engine.views.refundHistory({ cursor: cursorOf("applied_at") })).rejects.toThrow(none);
        await expect(engine.views.queue({ cursor: cursorOf("since") })).rejects.toThrow(none);
      },
    );
  });

  it.each([
    [{ statuses: ["open" as "requested"] }, '"open" is no status of a case'],
    [{ types: ["swap" as "exchange"] }, '"swap" is no type of a case'],
    [{ scope: { buyerId: "b" }, types: ["swap" as "exchange"] }, '"swap" is no type of a case'],
  ])("%j is refused", async (filter, words) => {
    const engine = await open({ store: fresh() });
    await expect(engine.views.refundHistory(filter)).rejects.toThrow(new RangeError(words));
    await expect(engine.views.queue({ waitsFor: ["staff" as Party] })).rejects.toThrow(
      new RangeError('"staff" is no party of a case'),
    );
  });
});

describe("every list", () => {
  const past = (by: string): string => Buffer.from(JSON.stringify([by, 5, "o-1", 1])).toString("base64url");
  const scopes = [undefined, "all", { buyerId: "b" }, { merchantId: "m" }] as const;
  const narrowings: readonly CaseFilter[] = [
    {},
    { statuses: ["refunded"] },
    { types: ["exchange"] },
    { statuses: ["requested", "closed"], types: caseTypes },
    { from: 1 },
    { from: 1, to: 9, cursor: past("applied_at"), statuses: endedCaseStatuses },
    { cursor: past("applied_at") },
  ];
  const histories = scopes.flatMap((scope) => narrowings.map((filter) => [{ ...filter, scope }] as const));
  const queues: readonly QueueFilter[] = [{}, { merchantId: "m" }].flatMap((of) =>
    [undefined, ["merchant"] as const].flatMap((waitsFor) => [
      { ...of, waitsFor },
      { ...of, waitsFor, cursor: past("since") },
    ]),
  );

  // A range of an index that is in the order asked for already, or several of them merged: never a look through the table, never a sort;
  // and of what stands before the page never a row.
  const ranged = [
    /^(CO-ROUTINE page|SCAN page|SEARCH whole USING PRIMARY KEY \(order_id=\? AND number=\?\))$/,
    /^(SEARCH cases_1 USING COVERING INDEX cases_1_\w+ \(.+\)|MERGE \(UNION ALL\)|LEFT|RIGHT)$/,
  ];
  const others = (details: readonly string[]): readonly string[] =>
    details.filter((detail) => !ranged.some((known) => known.test(detail)));

  it.each(histories)("%j is ranges of an index, begun where the page begins", (filter) => {
    const details = plan(casesView, (database, prefix) => readCases(database, prefix, filter));
    expect(others(details)).toEqual([]);
    const ranges = details.filter((detail) => detail.startsWith("SEARCH cases_1"));
    expect(ranges.length).toBeGreaterThan(0);
    for (const range of ranges) expect(range).toContain("(applied_at,order_id,number)<(?,?,?)");
  });

  it("a case is found by its id in an index", () => {
    const details = plan(casesView, (database, prefix) => readCaseOwner(database, prefix, "c-1"));
    expect(details).toEqual(["SEARCH cases_1 USING INDEX cases_1_id (case_id=?)"]);
  });

  it.each(queues)("the queue %j is ranges of an index", (filter) => {
    const details = plan(casesView, (database, prefix) => readQueue(database, prefix, filter));
    expect(others(details)).toEqual([]);
    expect(details.filter((detail) => detail.startsWith("SEARCH cases_1"))).toHaveLength(
      filter.waitsFor?.length ?? 3,
    );
  });
});

describe("an order without a case", () => {
  it("is written nothing, whatever happens to it", () => {
    const database = openDatabase(":memory:");
    const prepared: string[] = [];
    const noting = {
      prepare: (sql: string) => {
        prepared.push(sql);
        return { run: () => expect.unreachable(sql) };
      },
    };
    const writer = casesView.writer(noting as unknown as Database, "cases_1");
    const order = { status: "completed", cases: [] } as unknown as Order;
    writer.change("o-1", undefined, order);
    writer.change("o-1", order, { ...order, hiddenByBuyerAt: 1, cases: [] });
    writer.flush();
    expect(prepared).not.toHaveLength(0);
    database.close();
  });
});

// --- random lives ---

/** What the events say of the cases, told from nothing but the events: by the last of each. */
async function oracle(engine: Engine): Promise<readonly CaseRow[]> {
  const rows: CaseRow[] = [];
  for (const order of await statesOf(engine)) {
    const events = (await engine.history(order.orderId)).map(({ event }) => event).filter(isCaseEvent);
    for (const one of order.cases) {
      const own = events.filter(({ data }) => data.caseId === one.caseId);
      const last = own.findLast(({ type }) => type !== "RefundHidden") as CaseEvent;
      const due = dueAfter(last, own);
      rows.push({
        orderId: order.orderId,
        caseId: one.caseId,
        number: one.number,
        orderNo: order.orderNo,
        merchantId: order.merchantId,
        buyerId: order.buyerId,
        lineId: one.lineId,
        title: one.lineId === "L2" ? "Cup" : "Tea",
        origin: one.origin,
        type: one.type,
        status: one.status,
        quantity: one.quantity,
        currency: order.currency,
        amount: one.amount,
        amountAsked: one.amountAsked,
        reason: one.reason,
        appliedAt: one.appliedAt,
        waitsFor: partyAfter(last, own),
        since: last.at,
        deadline: due,
        hiddenByMerchant:
          order.hiddenByMerchantAt !== undefined || own.some(({ type }) => type === "RefundHidden"),
        hiddenByBuyer: order.hiddenByBuyerAt !== undefined,
      });
    }
  }
  return rows;
}

function attemptsOf(own: readonly CaseEvent[]): number {
  return own.filter(({ type }) => type === "RefundIssued").length;
}

/** Whom a case waits for that another system had brought so far. */
const importedFor: Readonly<Partial<Record<CaseStatus, Party>>> = {
  requested: "merchant",
  awaitingReturn: "buyer",
  refundPending: "merchant",
};

function partyAfter(last: CaseEvent, own: readonly CaseEvent[]): Party | undefined {
  switch (last.type) {
    case "RefundApplied":
    case "ReturnShipped":
    case "ReturnShipmentCorrected":
    case "ReturnReceived":
    case "ExchangeConverted":
      return "merchant";
    case "RefundApproved": {
      const applied = own[0] as CaseEvent<"RefundApplied">;
      return applied.data.caseType === "refundOnly" ? "merchant" : "buyer";
    }
    case "RefundImported":
      return importedFor[last.data.status];
    case "ReplacementShipped":
      return "buyer";
    case "RefundIssued":
      return "provider";
    case "RefundFailed":
      return last.data.retryable && attemptsOf(own) < 3 ? "provider" : "merchant";
    default:
      return undefined;
  }
}

function dueAfter(last: CaseEvent, own: readonly CaseEvent[]): CaseRow["deadline"] {
  const party = partyAfter(last, own);
  if ((last.type === "RefundApproved" || last.type === "RefundImported") && party === "buyer")
    return { kind: "returnShip", dueAt: last.at + 7 * day };
  if (last.type === "ReplacementShipped") return { kind: "replacementConfirm", dueAt: last.at + 7 * day };
  if (last.type === "RefundFailed" && party === "provider")
    return { kind: "refundRetry", dueAt: last.at + minute * 2 ** (attemptsOf(own) - 1) };
  return undefined;
}

/** In the order of these, ascending. */
function sorted(rows: readonly CaseRow[], by: "appliedAt" | "since"): readonly CaseRow[] {
  return rows.toSorted(
    (a, b) =>
      a[by] - b[by] || (a.orderId < b.orderId ? -1 : Number(a.orderId > b.orderId)) || a.number - b.number,
  );
}

const filters = fc.record(
  {
    statuses: fc.subarray([...caseStatuses]),
    types: fc.subarray([...caseTypes]),
    from: fc.integer({ min: 0, max: 60 }).map((days) => t0 + days * day),
    to: fc.integer({ min: 0, max: 200 }).map((days) => t0 + days * day),
  },
  { requiredKeys: [] },
);
const scopesOf = fc.constantFrom<NonNullable<CaseFilter["scope"]>>(
  "all",
  { buyerId: buyers[0] },
  { buyerId: buyers[1] },
  { merchantId: merchants[0] },
  { merchantId: merchants[1] },
);

describe.each(stores)("random lives on %s", (kind, fresh) => {
  it("leave rows as their events say, however they are listed, kept, caught up, rebuilt or looked back at", async () => {
    let most = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 60 }),
        filters,
        scopesOf,
        fc.integer({ min: 1, max: 4 }),
        async (steps, filter, scope, limit) => {
          await using engine = await open({ store: fresh(), ...livesOptions });
          const half = Math.floor(steps.length / 2);
          let then: { readonly position: string | undefined; readonly answers: unknown } | undefined;
          let played = 0;
          await begin(engine);
          await play(engine, steps, async () => {
            played += 1;
            if (played === half) then = { position: await engine.head(), answers: await lists(engine) };
          });
          const rows = await oracle(engine);
          most = Math.max(most, rows.length);
          const newest = sorted(rows, "appliedAt").toReversed();
          expect((await engine.views.refundHistory({ limit: 1_000 })).cases).toEqual(newest);

          const wanted = newest.filter(
            (row) =>
              (filter.statuses?.includes(row.status) ?? true) &&
              (filter.types?.includes(row.type) ?? true) &&
              row.appliedAt >= (filter.from ?? 0) &&
              row.appliedAt < (filter.to ?? Infinity) &&
              (scope === "all" ||
                ("buyerId" in scope
                  ? row.buyerId === scope.buyerId && !row.hiddenByBuyer
                  : row.merchantId === scope.merchantId && !row.hiddenByMerchant)),
          );
          expect(
            await pages((cursor) => engine.views.refundHistory({ ...filter, scope, limit, cursor })),
          ).toEqual(wanted);

          const oldest = sorted(rows, "since").filter(({ waitsFor }) => waitsFor !== undefined);
          expect(await pages((cursor) => engine.views.queue({ limit, cursor }))).toEqual(oldest);
          for (const merchantId of merchants) {
            for (const party of parties) {
              const waiting = await engine.views.queue({ merchantId, waitsFor: [party], limit: 1_000 });
              expect(waiting.cases).toEqual(
                oldest.filter((row) => row.merchantId === merchantId && row.waitsFor === party),
              );
            }
          }

          const before = await answers(engine);
          for (const { view, different } of await engine.check())
            expect([view, different]).toEqual([view, 0]);
          await engine.rebuild("cases");
          expect(await answers(engine)).toEqual(before);
          if (then?.position !== undefined)
            expect(await lists(engine, { position: then.position })).toEqual(then.answers);
        },
      ),
      { numRuns: runs ?? { memory: 40, sqlite: 10 }[kind] ?? 5 },
    );
    expect(most).toBeGreaterThan(2);
  });
});

async function lists(engine: Engine, at?: { readonly position: string }): Promise<unknown> {
  return [
    await engine.views.refundHistory({ limit: 1_000, at }),
    await engine.views.refundHistory({ limit: 1_000, scope: { merchantId: "main" }, at }),
    await engine.views.queue({ limit: 1_000, at }),
  ];
}

it("random lives that one engine led without this view are caught up with by another, page by page and in one go", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 50 }),
      fc.nat({ max: 49 }),
      async (steps, looked) => {
        const store = `sqlite:${newFile()}`;
        await using keeping = await open({ store, ...livesOptions });
        await using leading = await open({ store, ...livesOptions, views: ["statistics"] });
        let played = 0;
        await begin(leading);
        await play(leading, steps, async () => {
          played += 1;
          // Looked at once in between: what came before is scanned, and what comes after is paged.
          if (played === looked) await keeping.views.queue();
        });
        const newest = sorted(await oracle(leading), "appliedAt").toReversed();
        expect((await keeping.views.refundHistory({ limit: 1_000 })).cases).toEqual(newest);
        for (const { view, different } of await keeping.check()) expect([view, different]).toEqual([view, 0]);
      },
    ),
    { numRuns: runs ?? 5 },
  );
});
