// What Baidu is told of an order and its cases: every status by every other, and the documents word for word.

import { describe, expect, it } from "vitest";

import { fittingId } from "../../../src/dialects/baidu/ids.ts";
import { importDocument } from "../../../src/dialects/baidu/imports.ts";
import { aggregateOf, mainStatusOf, subStatusOf, subStatuses } from "../../../src/dialects/baidu/states.ts";
import { postsOf, toldOf } from "../../../src/dialects/baidu/views.ts";
import { caseStatuses } from "../../../src/domain/caseLifecycle.ts";
import { fulfilments } from "../../../src/domain/events.ts";
import { orderStatuses } from "../../../src/domain/lifecycle.ts";
import type { Engine } from "../../../src/engine.ts";
import { buyer, day, merchant, minute, parcel, t0 } from "../../domain/orders.ts";
import { accepted, by, caseOf, live, newCase, open, tidyEngines } from "../../engines.ts";
import { shop } from "./lives.ts";

tidyEngines();

describe("an order's Status", () => {
  const expected: Readonly<Record<(typeof orderStatuses)[number], readonly [sent: number, virtual: number]>> =
    {
      pendingConfirmation: [1, 2],
      pendingPayment: [1, 1],
      paid: [5, 3],
      shipped: [6, 4],
      completed: [200, 200],
      cancelled: [100, 100],
      closed: [100, 100],
    };

  it.each(orderStatuses.flatMap((status) => fulfilments.map((fulfilment) => [status, fulfilment] as const)))(
    "%s, of %s",
    (status, fulfilment) => {
      const [sent, virtual] = expected[status];
      const order = { status, fulfilment, hiddenByBuyerAt: undefined };
      expect(mainStatusOf(order)).toBe(fulfilment === "virtual" ? virtual : sent);
      expect(mainStatusOf({ ...order, hiddenByBuyerAt: t0 })).toBe(300);
    },
  );
});

describe("a sub-order's", () => {
  it("SubStatus is one for each status of a case, and never 405 or 406", () => {
    expect(Object.fromEntries(caseStatuses.map((status) => [status, subStatusOf(status)]))).toEqual({
      requested: 400,
      awaitingReturn: 401,
      returnInTransit: 401,
      refundPending: 401,
      replacementPending: 401,
      replacementShipped: 401,
      refunded: 402,
      exchanged: 403,
      rejected: 407,
      cancelled: 404,
      closed: 404,
    });
  });

  it("sum is by rank, whatever their order and however often (14)", () => {
    expect(aggregateOf([])).toBeUndefined();
    const rank = [401, 400, 402, 403, 407, 404] as const;
    for (const [at, status] of rank.entries()) {
      for (const [other, second] of rank.entries()) {
        const first = rank[Math.min(at, other)];
        expect(aggregateOf([status, second])).toBe(first);
        expect(aggregateOf([second, status, second])).toBe(first);
      }
    }
    expect(aggregateOf([...subStatuses])).toBe(401);
  });
});

async function told(engine: Engine, orderId = "o-1") {
  return toldOf((await engine.views.order(orderId))!, shop)!;
}

describe("the document of O1", () => {
  it("says it all", async () => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 2);
    accepted(await engine.execute(newCase("o-1", { amount: 3_000 }), by(buyer, { at: t0 + 2 * minute })));
    expect(await told(engine)).toStrictEqual({
      open_id: "buyer-1",
      scene_type: 2,
      Data: [
        {
          CateID: 1,
          BizAPPID: shop.appKey,
          Title: "Tea",
          ResourceID: "o-1",
          Ctime: t0 / 1_000,
          Mtime: t0 / 1_000 + 60,
          Status: 5,
          EXT: {
            MainOrder: {
              Products: [
                { ID: "A", Name: "Tea", Quantity: 3, Price: 1_000, PayPrice: 1_000 },
                { ID: "B", Name: "Cup", Quantity: 1, Price: 2_000, PayPrice: 2_000 },
              ],
              Payment: {
                Time: t0 / 1_000 + 60,
                Method: 1,
                Amount: 5_800,
                IsPayment: true,
                PreferentialInfo: [],
                PaymentInfo: [{ Name: "运费", Value: 800, Quantity: 1 }],
              },
              Appraise: { Name: "", SwanSchema: "", Status: 0 },
              OrderDetail: {
                Status: 2,
                Name: "",
                SwanSchema: "baiduboxapp://swan/app/order-detail?orderId=o-1",
              },
            },
            SubsOrder: {
              Status: 400,
              Items: [
                {
                  SubOrderID: caseOf("o-1"),
                  SubStatus: 400,
                  CTime: t0 / 1_000 + 120,
                  MTime: t0 / 1_000 + 120,
                  // All three would be cancelled with it: they are not sent yet.
                  Refund: { Amount: 3_000, Product: [{ ID: "A", Quantity: 3, Amount: 3_000 }] },
                  OrderType: 1,
                },
              ],
            },
          },
        },
      ],
    });
  });

  it("goes through its life (scenarios 1 and 19)", async () => {
    const engine = await open({ store: "memory:" });
    const statuses: unknown[] = [];
    for (let steps = 1; steps <= 6; steps += 1) {
      await live(engine, `o-${steps}`, steps);
      const { Status, EXT } = (await told(engine, `o-${steps}`)).Data[0]!;
      statuses.push([Status, EXT.MainOrder.Appraise?.Status, EXT.SubsOrder]);
    }
    expect(statuses).toEqual([
      [1, 0, undefined],
      [5, 0, undefined],
      [6, 0, undefined],
      [200, 2, undefined],
      [200, 0, undefined],
      [300, 0, undefined],
    ]);
  });

  it("follows a return and an exchange (scenarios 7 and 9)", async () => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 4);
    const seen: unknown[] = [];
    let at = t0 + day;
    const does = async (command: object, actor: typeof buyer): Promise<void> => {
      at += minute;
      accepted(await engine.execute({ orderId: "o-1", ...command }, by(actor, { at })));
      const { SubsOrder } = (await told(engine)).Data[0]!.EXT;
      const item = SubsOrder!.Items.at(-1)!;
      seen.push([
        item.OrderType,
        item.SubStatus,
        SubsOrder!.Status,
        item.Refund?.Amount,
        item.Aftermarket?.Product,
      ]);
      expect(item.MTime).toBe(at / 1_000);
    };
    const waybill = { carrier: "SF", trackingNumber: "1" };
    const dispositions = [{ kind: "restock", quantity: 1 }];
    const of = { type: "ApplyRefund", lineId: "L1", caseType: "returnRefund", quantity: 1, amount: 1_000 };
    await does({ ...of, caseId: "c-1" }, buyer);
    await does({ type: "ApproveRefund", caseId: "c-1" }, merchant);
    await does({ type: "ShipReturn", caseId: "c-1", ...waybill }, buyer);
    await does({ type: "ReceiveReturn", caseId: "c-1", dispositions, destination: "manual" }, merchant);
    const tea = [{ ID: "A", Quantity: 1, Amount: 1_000 }];
    expect(seen.splice(0)).toEqual([400, 401, 401, 402].map((status) => [3, status, status, 1_000, tea]));
    const other = { type: "ApplyRefund", lineId: "L2", caseType: "exchange", quantity: 1, amount: 0 };
    await does({ ...other, caseId: "c-2" }, buyer);
    await does({ type: "ApproveRefund", caseId: "c-2" }, merchant);
    await does({ type: "ShipReturn", caseId: "c-2", ...waybill }, buyer);
    await does({ type: "ReceiveReturn", caseId: "c-2", dispositions }, merchant);
    await does({ type: "ShipReplacement", caseId: "c-2", ...waybill }, merchant);
    await does({ type: "ConfirmReplacement", caseId: "c-2" }, buyer);
    const cup = [{ ID: "B", Quantity: 1, Amount: 0 }];
    expect(seen).toEqual([
      ...[400, 401, 401, 401, 401].map((status) => [2, status, status, 0, cup]),
      [2, 403, 402, 0, cup],
    ]);
  });

  it("tells of a cancellation as of all goods (scenario 25)", async () => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 2);
    const cancel = { type: "CancelOrder", orderId: "o-1", caseId: "x", destination: "wallet" };
    accepted(await engine.execute(cancel, by(merchant, { at: t0 + day })));
    const products = [
      { ID: "A", Quantity: 3, Amount: 3_480 },
      { ID: "B", Quantity: 1, Amount: 2_320 },
    ];
    const before = (await told(engine)).Data[0]!;
    expect(before).toMatchObject({
      Status: 5,
      EXT: {
        SubsOrder: { Status: 401, Items: [{ OrderType: 1, Refund: { Amount: 5_800, Product: products } }] },
      },
    });
    const settle = { type: "SettleRefund", orderId: "o-1", caseId: "x", refundId: "x:1", amount: 5_800 };
    accepted(await engine.execute(settle, by({ role: "provider", id: "p" }, { at: t0 + 2 * day })));
    expect((await told(engine)).Data[0]).toMatchObject({
      Status: 100,
      EXT: { SubsOrder: { Status: 402, Items: [{ Refund: { Amount: 5_800, Product: products } }] } },
    });
  });

  it("has one unit at least of what is refunded, though none comes back (ruling 3)", async () => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 3);
    accepted(await engine.execute(newCase("o-1", { amount: 3_000 }), by(buyer, { at: t0 + day })));
    expect((await told(engine)).Data[0]!.EXT.SubsOrder!.Items[0]).toMatchObject({
      Refund: { Amount: 3_000, Product: [{ ID: "A", Quantity: 1, Amount: 3_000 }] },
    });
  });

  it("is none of an order in another currency", async () => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 1);
    expect(toldOf((await engine.views.order("o-1"))!, { ...shop, currency: "GBP" })).toBeUndefined();
  });
});

it("only what changed is told: an order, its sub-orders, or nothing", async () => {
  const engine = await open({ store: "memory:" });
  await live(engine, "o-1", 1);
  const first = (await told(engine)).Data[0]!;
  expect(postsOf(undefined, first)).toEqual([{ operation: "add/main/info", body: { Data: [first] } }]);
  expect(postsOf(first, first)).toEqual([]);
  const at = (minutes: number) => ({ at: t0 + minutes * minute });
  accepted(
    await engine.execute(
      { type: "Pay", orderId: "o-1", payId: "p", amount: 5_800, channel: "online" },
      by(buyer, at(1)),
    ),
  );
  const paid = (await told(engine)).Data[0]!;
  expect(postsOf(first, paid)).toEqual([{ operation: "update/main/info", body: { Data: [paid] } }]);
  accepted(await engine.execute(newCase("o-1"), by(buyer, at(2))));
  const applied = (await told(engine)).Data[0]!;
  const ids = { CateID: 1, BizAPPID: shop.appKey, ResourceID: "o-1" };
  const item = applied.EXT.SubsOrder!.Items[0]!;
  expect(postsOf(paid, applied)).toEqual([
    {
      operation: "append/sub/info",
      body: { Data: [{ ...ids, EXT: { SubsOrder: { Status: 400, Items: [item] } } }] },
    },
  ]);
  const reject = { type: "RejectRefund", orderId: "o-1", caseId: caseOf("o-1"), reason: "no proof" };
  accepted(await engine.execute(reject, by(merchant, at(3))));
  const rejected = (await told(engine)).Data[0]!;
  const after = { ...item, SubStatus: 407, MTime: item.MTime + 60 };
  // It would have cancelled nothing after all.
  expect(postsOf(applied, rejected)).toEqual([
    {
      operation: "update/sub/info",
      body: {
        Data: [{ ...ids, EXT: { SubsOrder: { Status: 407, Items: [after] } } }],
      },
    },
  ]);
});

it.each(["late:1", "cancel:1", "due:1", "refund:1", "", "订单1", "a b", "x".repeat(129)])(
  "a name such as %j is no id of ours: it is made one, always the same",
  (name) => {
    expect(fittingId(name)).toMatch(/^baidu:[0-9a-f]{40}$/);
    expect(fittingId(name)).toBe(fittingId(name));
    expect(fittingId(name)).not.toBe(fittingId(`${name}2`));
    expect(fittingId("o-1:late:1")).toBe("o-1:late:1");
  },
);

describe("the import says what it could not carry", () => {
  const intake = async (store = "memory:") => ({
    engine: await open({ store }),
    shop,
    merchantId: "main",
    now: t0 + 100 * day,
  });
  const item = { SubOrderID: "s-1", SubStatus: 402, CTime: 1, MTime: 2, OrderType: 1 };

  async function whole() {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 4);
    return structuredClone((await told(engine)).Data[0]!);
  }

  it("and a field that nobody knows", async () => {
    const document = { ...(await whole()), Extra: 1 };
    const report = await importDocument(await intake(), "buyer-1", document);
    expect(report).toEqual({
      orderId: "o-1",
      outcome: "created",
      whole: true,
      losses: [
        { path: "Extra", what: "no field that is known" },
        { path: "EXT.MainOrder", what: "no waybill: brought by the shop itself" },
      ],
    });
  });

  it("and waybills are carried where they are named", async () => {
    const document = await whole();
    document.EXT.MainOrder.Express = [{ ID: "SF100", Name: "SF Express", Type: 1 }];
    const given = await intake();
    expect(await importDocument(given, "buyer-1", document)).toMatchObject({ whole: true, losses: [] });
    expect(await given.engine.state("o-1")).toMatchObject({ shipments: [parcel], fulfilment: "express" });
  });

  it("and a sub-order of goods that the order has not", async () => {
    const document = await whole();
    const Refund = { Amount: 1, Product: [{ ID: "Z", Quantity: 1, Amount: 1 }] };
    document.EXT.SubsOrder = { Status: 402, Items: [{ ...item, SubStatus: 402, OrderType: 1, Refund }] };
    const report = await importDocument(await intake(), "buyer-1", document);
    expect(report).toMatchObject({ outcome: "created", whole: false });
    expect(report.losses).toContainEqual({
      path: "EXT.SubsOrder.Items[0].Refund.Product",
      what: "names no product of the order",
    });
  });

  it("and a sub-order that stands twice, at its place in the document", async () => {
    const document = await whole();
    const of = (SubOrderID: string, ID: string) => ({
      ...item,
      SubOrderID,
      SubStatus: 402 as const,
      OrderType: 1 as const,
      Refund: { Amount: 1, Product: [{ ID, Quantity: 1, Amount: 1 }] },
    });
    document.EXT.SubsOrder = { Status: 402, Items: [of("s-1", "A"), of("s-1", "Z"), of("s-2", "Z")] };
    const { losses } = await importDocument(await intake(), "buyer-1", document);
    expect(losses.slice(0, 1)).toEqual([
      { path: "EXT.SubsOrder.Items[1]", what: "stands twice: the first counts" },
    ]);
    expect(losses.map(({ path }) => path)).toContain("EXT.SubsOrder.Items[2].Refund.Product");
  });

  it("and sums that do not add up", async () => {
    const document = await whole();
    document.EXT.MainOrder.Payment.Amount += 1;
    const Refund = { Amount: 10, Product: [{ ID: "A", Quantity: 1, Amount: 0 }] };
    document.EXT.SubsOrder = { Status: 400, Items: [{ ...item, SubStatus: 402, OrderType: 1, Refund }] };
    const given = await intake();
    const report = await importDocument(given, "buyer-1", document);
    expect(report.whole).toBe(true);
    expect(report.losses.map(({ path }) => path)).toEqual([
      "EXT.SubsOrder.Status",
      "EXT.MainOrder.Payment.Amount",
      "EXT.MainOrder",
      "EXT.SubsOrder.Items[0].Refund.Amount",
      "EXT.SubsOrder.Items[0]",
    ]);
    expect(await given.engine.state("o-1")).toMatchObject({ total: 5_801, refunded: 10 });
  });

  it.each([100, 300])("and no parcel of what was never paid for: Status %i", async (Status) => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 1);
    const document = { ...(await told(engine)).Data[0]!, Status };
    const given = await intake();
    const { whole, losses } = await importDocument(given, "buyer-1", document);
    expect({ whole, losses: losses.filter(({ path }) => path !== "Status") }).toEqual({
      whole: true,
      losses: [],
    });
    expect(await given.engine.state("o-1")).toMatchObject({ status: "cancelled", fulfilment: "express" });
  });

  it("and what stays as it was of an order that is here", async () => {
    const document = await whole();
    document.EXT.MainOrder.Express = [{ ID: "SF100", Name: "SF Express", Type: 1 }];
    const Refund = { Amount: 10, Product: [{ ID: "A", Quantity: 1, Amount: 10 }] };
    const Items = [{ ...item, SubStatus: 402 as const, OrderType: 1 as const, Refund }];
    document.EXT.SubsOrder = { Status: 402, Items };
    const given = await intake();
    await importDocument(given, "buyer-1", document);
    expect(await importDocument(given, "buyer-1", document)).toEqual({
      orderId: "o-1",
      outcome: "unchanged",
      whole: true,
      losses: [],
    });
    const other = structuredClone(document);
    Object.assign(other, { Title: "another", Ctime: 5, Mtime: document.Mtime + 5, BizAPPID: "another" });
    const { MainOrder, SubsOrder } = other.EXT;
    MainOrder.Products[0]!.Desc = "another";
    MainOrder.Payment.Method = 2;
    MainOrder.Payment.PaymentInfo = [{ Name: "包装", Value: 800, Quantity: 1 }];
    MainOrder.Appraise!.SwanSchema = "another";
    MainOrder.OrderDetail!.SwanSchema = "another";
    MainOrder.Express![0]!.ID = "SF101";
    Object.assign(SubsOrder!.Items[0]!, { CTime: 2, OrderDetail: { Status: 2, SwanSchema: "another" } });
    const report = await importDocument(given, "buyer-1", other);
    expect(report).toMatchObject({ outcome: "unchanged", whole: true });
    const stays = "stays as it was";
    expect(report.losses).toEqual([
      { path: "BizAPPID", what: stays },
      { path: "Title", what: stays },
      { path: "Ctime", what: stays },
      { path: "EXT.MainOrder.Products", what: stays },
      { path: "EXT.MainOrder.Payment.Method", what: stays },
      { path: "EXT.MainOrder.Payment.PaymentInfo", what: stays },
      { path: "EXT.MainOrder.Appraise.SwanSchema", what: stays },
      { path: "EXT.MainOrder.OrderDetail.SwanSchema", what: stays },
      { path: "EXT.MainOrder.Express", what: stays },
      { path: "EXT.SubsOrder.Items[0].CTime", what: stays },
      { path: "EXT.SubsOrder.Items[0].OrderDetail", what: stays },
    ]);
  });

  it.each([
    [2, "pendingConfirmation"],
    [1, "pendingPayment"],
    [3, "paid"],
    [4, "shipped"],
    [200, "completed"],
    [100, "cancelled"],
  ] as const)("and nothing of goods that are not sent, with Status %i", async (Status, status) => {
    const { SubsOrder: _none, ...EXT } = (await whole()).EXT;
    const IsPayment = [3, 4, 200].includes(Status);
    Object.assign(EXT.MainOrder.Payment, { IsPayment, Time: IsPayment ? t0 / 1_000 + 1 : 0 });
    Object.assign(EXT.MainOrder.Appraise!, { Status: Status === 200 ? 2 : 0 });
    // Changed last for a reason that is none here.
    const document = { ...(await whole()), CateID: 2, Status, Mtime: t0 / 1_000 + 7_777, EXT };
    const given = await intake();
    expect(await importDocument(given, "buyer-1", document)).toMatchObject({ whole: true, losses: [] });
    expect(await given.engine.state("o-1")).toMatchObject({ status });
    expect((await told(given.engine)).Data[0]).toEqual(document);
  });

  it("and instants that are not known, or not yet", async () => {
    const document = await whole();
    document.EXT.MainOrder.Payment.Time = 0;
    const given = await intake();
    const { losses } = await importDocument(given, "buyer-1", document);
    expect(losses).toContainEqual({
      path: "EXT.MainOrder.Payment.Time",
      what: "is not known: taken as Mtime",
    });
    expect(await given.engine.state("o-1")).toMatchObject({ createdAt: t0, paidAt: document.Mtime * 1_000 });
    const early = { ...(await intake()), now: t0 - day };
    await importDocument(early, "buyer-1", await whole());
    expect(await early.engine.state("o-1")).toMatchObject({ createdAt: t0 - day, receivedAt: t0 - day });
  });

  it("and nothing of an order in another currency", async () => {
    const document = await whole();
    const given = await intake();
    await importDocument(given, "buyer-1", document);
    const abroad = { ...given, shop: { ...shop, currency: "JPY" } };
    expect(await importDocument(abroad, "buyer-1", document)).toEqual({
      orderId: "o-1",
      outcome: "refused",
      whole: false,
      losses: [{ path: "", what: "the order is in CNY, and documents are in JPY" }],
    });
  });

  it("and nothing befalls what was imported by itself", async () => {
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 1);
    await live(engine, "o-2", 3);
    const given = await intake();
    for (const orderId of ["o-1", "o-2"]) {
      const { Data, open_id } = await told(engine, orderId);
      await importDocument(given, open_id, Data[0]);
    }
    const fired: unknown[] = [];
    for await (const one of given.engine.runDue(t0 + 1_000 * day)) fired.push(one);
    expect(fired).toEqual([]);
  });

  it.each([405, 406, 399, 408, "", "400", null])("and nothing at all of SubStatus %j", async (SubStatus) => {
    const document = await whole();
    (document.EXT as Record<string, unknown>)["SubsOrder"] = { Items: [{ ...item, SubStatus }] };
    const given = await intake();
    const report = await importDocument(given, "buyer-1", document);
    expect(report.outcome).toBe("refused");
    expect(report.losses[0]!.what).toContain("EXT.SubsOrder.Items[0].SubStatus");
    expect(await given.engine.state("o-1")).toEqual({ status: "none" });
  });
});
