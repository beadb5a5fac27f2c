// The order centre's own side: add, append and update by rows, the document's faults, and nothing of anybody else's.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { FetchHandler } from "../../../src/dialects/dialect.ts";
import { baidu } from "../../../src/dialects/baidu/index.ts";
import { toldOf } from "../../../src/dialects/baidu/views.ts";
import type { Engine } from "../../../src/engine.ts";
import { buyer, day, t0 } from "../../domain/orders.ts";
import { accepted, by, live, newCase, newOrder, open, tidyEngines } from "../../engines.ts";
import { portsFor } from "../ports.ts";
import { shop } from "./lives.ts";

tidyEngines();

const base = "http://centre.example/baidu/rest/2.0/smartapp/ordercenter/app";

async function stand() {
  const engine = await open({ store: "memory:" });
  const ports = portsFor(engine, { clock: () => t0 + 100 * day });
  return { engine, ports, handler: baidu(engine, ports, { prefix: "/baidu", ...shop }) };
}

async function ask(
  handler: FetchHandler,
  operation: string,
  Data: unknown,
  query: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const search = new URLSearchParams({
    access_token: "token-of-main",
    open_id: "buyer-1",
    scene_type: "2",
    ...query,
  }).toString();
  const response = await handler(
    new Request(`${base}/${operation}?${search}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ Data }),
    }),
  );
  expect(response.status).toBe(200);
  return response.json();
}

const row = (resource_id: string, rows_affected: string, cate_id = "1"): object => ({
  errno: 0,
  msg: "success",
  data: [{ biz_app_id: shop.appKey, cate_id, resource_id, rows_affected }],
});

/** The document of an order somewhere else. */
async function elsewhere(steps: number, work?: (engine: Engine) => Promise<void>) {
  const engine = await open({ store: "memory:" });
  await live(engine, "o-1", steps);
  await work?.(engine);
  return toldOf((await engine.views.order("o-1"))!, shop)!.Data[0]!;
}

const ids = { CateID: 1, BizAPPID: shop.appKey, ResourceID: "o-1" };
const item = {
  SubOrderID: "onlyOne",
  SubStatus: 400,
  CTime: t0 / 1_000 + 600,
  MTime: t0 / 1_000 + 600,
  OrderType: 1,
  Refund: { Amount: 1_000, Product: [{ ID: "A", Quantity: 1, Amount: 1_000 }] },
};
const subs = (over: object = {}) => [{ ...ids, EXT: { SubsOrder: { Items: [{ ...item, ...over }] } } }];

describe("scenario 24", () => {
  it("append before main fails; after it, the same again is no duplicate", async () => {
    const { engine, handler } = await stand();
    expect(await ask(handler, "append/sub/info", subs())).toEqual(row("o-1", "0"));
    expect(await ask(handler, "add/main/info", [await elsewhere(2)])).toEqual(row("o-1", "1"));
    for (let time = 0; time < 3; time += 1) {
      expect(await ask(handler, "append/sub/info", subs())).toEqual(row("o-1", "1"));
    }
    expect(await engine.state("o-1")).toMatchObject({
      status: "paid",
      cases: [{ caseId: "o-1.onlyOne", status: "requested", amount: 1_000 }],
    });
    expect(await engine.history("o-1")).toHaveLength(4);
  });

  it.each([405, 406])("%d is no status, and nothing is written", async (SubStatus) => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(2)]);
    const head = await engine.head();
    for (const operation of ["append/sub/info", "update/sub/info", "update/sub/status"]) {
      expect(await ask(handler, operation, subs({ SubStatus }))).toMatchObject({
        errno: 100,
        msg: expect.stringContaining("Data[0].EXT.SubsOrder.Items[0].SubStatus") as string,
        data: [],
      });
    }
    const document = await elsewhere(2);
    Object.assign(document.EXT, { SubsOrder: { Items: [{ ...item, SubStatus }] } });
    expect(await ask(handler, "add/main/info", [document])).toMatchObject({ errno: 100 });
    expect(await engine.head()).toBe(head);
  });

  it("add again brings order and sub-orders to where they are; what cannot be so changes nothing", async () => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(2)]);
    const later = await elsewhere(2, async (there) => {
      accepted(await there.execute(newCase("o-1"), by(buyer, { at: t0 + day })));
    });
    expect(await ask(handler, "add/main/info", [later])).toEqual(row("o-1", "1"));
    expect(await engine.state("o-1")).toMatchObject({ status: "paid", cases: [{ status: "requested" }] });
    const head = await engine.head();
    const other = structuredClone(later);
    other.EXT.MainOrder.Products[0]!.Quantity = 4;
    expect(await ask(handler, "add/main/info", [other])).toEqual(row("o-1", "0"));
    // Back to unpaid: a history is not undone.
    expect(await ask(handler, "add/main/info", [await elsewhere(1)])).toEqual(row("o-1", "0"));
    expect(await engine.head()).toBe(head);
  });

  it("what cannot be carried is logged, though the order is where it should be", async () => {
    const { ports, handler } = await stand();
    const document = await elsewhere(2);
    await ask(handler, "add/main/info", [document]);
    expect(ports.lines).toEqual([]);
    const renamed = { ...structuredClone(document), Title: "another" };
    renamed.EXT.MainOrder.Products[0]!.Name = "Coffee";
    for (const operation of ["update/main/info", "add/main/info"]) {
      expect(await ask(handler, operation, [renamed])).toEqual(row("o-1", "1"));
    }
    const losses = expect.arrayContaining([{ path: "Title", what: "stays as it was" }]) as unknown;
    const line = { level: "warn", event: "baiduLosses", orderId: "o-1", outcome: "unchanged", losses };
    expect(ports.lines).toEqual([line, line]);
  });

  it("add again without a sub-order that is here, or about other goods, changes nothing", async () => {
    const { engine, handler } = await stand();
    const document = await elsewhere(2);
    await ask(handler, "add/main/info", [document]);
    const Other = {
      ...item,
      SubOrderID: "other",
      Refund: { Amount: 5, Product: [{ ID: "B", Quantity: 1, Amount: 5 }] },
    };
    await ask(handler, "append/sub/info", [{ ...ids, EXT: { SubsOrder: { Items: [item, Other] } } }]);
    const head = await engine.head();
    const again = (SubsOrder?: object) =>
      ask(handler, "add/main/info", [{ ...document, EXT: { ...document.EXT, SubsOrder } }]);
    // All of it would be written over, and a case is not undone.
    for (const given of [undefined, { Status: 0, Items: [] }, { Items: [Other] }]) {
      expect(await again(given)).toEqual(row("o-1", "0"));
    }
    expect(await again({ Status: 400, Items: [Other, item] })).toEqual(row("o-1", "1"));
    expect(await engine.head()).toBe(head);
  });

  it("money that came late is the same sub-order again under the name it came with", async () => {
    const { engine, handler } = await stand();
    const document = await elsewhere(1, async (there) => {
      accepted(await there.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer, { at: t0 + day })));
    });
    const late = {
      ...item,
      SubOrderID: "R/1",
      SubStatus: 401,
      CTime: t0 / 1_000 + 90_000,
      MTime: t0 / 1_000 + 90_000,
    };
    const add = (SubStatus: number) =>
      ask(handler, "add/main/info", [
        { ...document, EXT: { ...document.EXT, SubsOrder: { Items: [{ ...late, SubStatus }] } } },
      ]);
    expect(await add(401)).toEqual(row("o-1", "1"));
    const head = await engine.head();
    expect(await add(401)).toEqual(row("o-1", "1"));
    const append = [{ ...ids, EXT: { SubsOrder: { Items: [late] } } }];
    for (const operation of ["append/sub/info", "update/sub/info", "update/sub/status"]) {
      expect(await ask(handler, operation, append)).toEqual(row("o-1", "1"));
    }
    expect(await engine.head()).toBe(head);
    const settled = [{ ...ids, EXT: { SubsOrder: { Items: [{ SubOrderID: "R/1", SubStatus: 402 }] } } }];
    expect(await ask(handler, "update/sub/status", settled)).toEqual(row("o-1", "1"));
    expect(await add(402)).toEqual(row("o-1", "1"));
    expect(await engine.state("o-1")).toMatchObject({ refunded: 1_000, cases: [{ status: "refunded" }] });
  });

  it("append of several is all of them or none", async () => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(2)]);
    const head = await engine.head();
    const Refund = { Amount: 1, Product: [{ ID: "Z", Quantity: 1, Amount: 1 }] };
    const Items = [item, { ...item, SubOrderID: "other", Refund }];
    const append = (items: object[]) =>
      ask(handler, "append/sub/info", [{ ...ids, EXT: { SubsOrder: { Items: items } } }]);
    expect(await append(Items)).toEqual(row("o-1", "0"));
    expect(await engine.head()).toBe(head);
    Refund.Product[0]!.ID = "B";
    expect(await append(Items)).toEqual(row("o-1", "1"));
    expect(await engine.state("o-1")).toMatchObject({ cases: [{ lineId: "L1" }, { lineId: "L2" }] });
  });

  it("update of a sub-order that is not there fails, whole", async () => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(2)]);
    await ask(handler, "append/sub/info", subs());
    const head = await engine.head();
    const Items = [
      { ...item, SubStatus: 401 },
      { ...item, SubOrderID: "other" },
    ];
    for (const operation of ["update/sub/info", "update/sub/status"]) {
      expect(await ask(handler, operation, [{ ...ids, EXT: { SubsOrder: { Items } } }])).toEqual(
        row("o-1", "0"),
      );
    }
    expect(await engine.head()).toBe(head);
  });
});

describe("what is said otherwise of a sub-order that is here is named, though it is taken for done", () => {
  const goods = (ID: string, Quantity: number) => ({ Product: [{ ID, Quantity, Amount: 1_000 }] });
  const known = {
    ...item,
    SubStatus: 401,
    OrderType: 3,
    Refund: { Amount: 1_000, ...goods("A", 1) },
    Aftermarket: goods("A", 1),
  };
  const other = {
    SubOrderID: "other",
    Refund: { Amount: 5, Product: [{ ID: "B", Quantity: 1, Amount: 5 }] },
  };
  const ofStatus = { SubOrderID: "onlyOne" };
  const give = async (operation: string, over: object) => {
    const { engine, ports, handler } = await stand();
    const document = await elsewhere(3);
    await ask(handler, "add/main/info", [document]);
    await ask(handler, "append/sub/info", subs(known));
    const before = toldOf((await engine.views.order("o-1"))!, shop);
    const lines = ports.lines.length;
    const SubsOrder = { Status: 401, Items: [{ ...known, ...over }] };
    const element = operation.startsWith("add")
      ? { ...document, EXT: { ...document.EXT, SubsOrder } }
      : { ...ids, EXT: { SubsOrder } };
    expect(await ask(handler, operation, [element])).toEqual(row("o-1", "1"));
    expect(toldOf((await engine.views.order("o-1"))!, shop)).toEqual(before);
    return ports.lines.slice(lines).flatMap(({ losses }) => losses as { path: string; what: string }[]);
  };

  it.each(
    ["append/sub/info", "update/sub/info", "add/main/info"].flatMap((operation) =>
      (
        [
          [{}, []],
          [{ Refund: { Amount: 1_000, ...goods("A", 2) } }, ["Refund.Product"]],
          [{ Refund: { Amount: 1_000, ...goods("B", 1) } }, ["Refund.Product"]],
          [{ Aftermarket: goods("A", 2) }, ["Aftermarket.Product"]],
          [{ Aftermarket: goods("B", 1), Refund: undefined }, ["Aftermarket.Product"]],
          [{ OrderDetail: { Status: 2, SwanSchema: "another" } }, ["OrderDetail"]],
        ] as const
      ).map(([over, paths]) => [operation, over, paths] as const),
    ),
  )("%s, %j", async (operation, over, paths) => {
    expect(await give(operation, over)).toEqual(
      paths.map((path) => ({ path: `EXT.SubsOrder.Items[0].${path}`, what: "stays as it was" })),
    );
  });

  it.each([
    ["append/sub/info", { Status: 401, Items: [{ ...item, ...other }] }, []],
    [
      "append/sub/info",
      { Status: 400, Items: [{ ...item, ...other }] },
      ["is 400, and its items come to 401"],
    ],
    ["update/sub/info", { Status: 402, Items: [{ ...known, SubStatus: 402 }] }, []],
    ["update/sub/status", { Status: 404, Items: [{ ...ofStatus, SubStatus: 404 }] }, []],
    [
      "update/sub/status",
      { Status: 401, Items: [{ ...ofStatus, SubStatus: 404 }] },
      ["is 401, and its items come to 404"],
    ],
  ] as const)("and Status is what all come to: %s %j", async (operation, SubsOrder, faults) => {
    const { ports, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(3)]);
    await ask(handler, "append/sub/info", subs(known));
    const lines = ports.lines.length;
    expect(await ask(handler, operation, [{ ...ids, EXT: { SubsOrder } }])).toEqual(row("o-1", "1"));
    const losses = ports.lines
      .slice(lines)
      .flatMap((line) => line["losses"] as { path: string; what: string }[]);
    const named = losses.filter(({ path }) => path === "EXT.SubsOrder.Status").map(({ what }) => what);
    expect(named).toEqual(faults);
  });

  it("but nothing of an update that names a status alone", async () => {
    const { ports, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(3)]);
    // A quantity and a sum that would be written otherwise once it has ended.
    const Refund = { Amount: 1_000, Product: [{ ID: "A", Quantity: 3, Amount: 0 }] };
    await ask(handler, "append/sub/info", subs({ Refund }));
    const lines = ports.lines.length;
    const Items = [{ SubOrderID: "onlyOne", SubStatus: 404 }];
    expect(await ask(handler, "update/sub/status", [{ ...ids, EXT: { SubsOrder: { Items } } }])).toEqual(
      row("o-1", "1"),
    );
    expect(ports.lines.slice(lines)).toEqual([]);
  });

  it("an exchange that names money is the same exchange again", async () => {
    const { ports, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(3)]);
    const exchange = (Amount: number) => subs({ OrderType: 2, Refund: { Amount, ...goods("A", 1) } });
    await ask(handler, "append/sub/info", exchange(500));
    const lines = ports.lines.length;
    expect(await ask(handler, "append/sub/info", exchange(500))).toEqual(row("o-1", "1"));
    expect(ports.lines.slice(lines)).toEqual([]);
    expect(await ask(handler, "append/sub/info", exchange(600))).toEqual(row("o-1", "1"));
    expect(ports.lines.slice(lines)).toMatchObject([
      { losses: [{ path: "EXT.SubsOrder.Items[0].Refund.Amount", what: "stays as it was" }] },
    ]);
  });
});

describe("a sub-order without Refund, which the document leaves open", () => {
  const bare = (SubStatus: number, over: object = {}) =>
    subs({ SubStatus, Refund: undefined, Aftermarket: item.Refund, ...over });

  it.each([
    [400, 3_000],
    [401, 3_000],
    [402, 0],
    [404, 0],
    [407, 0],
  ])("%d: open, it asks for what is left of its line", async (SubStatus, amount) => {
    const { engine, ports, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(2)]);
    for (let time = 0; time < 2; time += 1) {
      expect(await ask(handler, "append/sub/info", bare(SubStatus))).toEqual(row("o-1", "1"));
    }
    expect(await engine.state("o-1")).toMatchObject({ cases: [{ amount }] });
    const named = ports.lines.flatMap(({ losses }) => losses as { path: string; what: string }[]);
    expect(named.filter(({ path }) => path.endsWith(".Refund"))).toEqual(
      amount === 0
        ? []
        : [{ path: "EXT.SubsOrder.Items[0].Refund", what: "names no sum: 3000 is what can be refunded" }],
    );
    const held = toldOf((await engine.views.order("o-1"))!, shop)!.Data[0]!.EXT.SubsOrder!.Items[0]!;
    expect(held).not.toHaveProperty("Refund");
    // Of an export that is imported, the same comes out.
    const other = await stand();
    const document = toldOf((await engine.views.order("o-1"))!, shop)!.Data[0]!;
    expect(await ask(other.handler, "add/main/info", [document])).toEqual(row("o-1", "1"));
    expect(toldOf((await other.engine.views.order("o-1"))!, shop)!.Data[0]).toEqual(document);
  });

  it("is of the only line where it names no goods at all, and told with its sum once it goes on", async () => {
    const { engine, handler } = await stand();
    const document = await elsewhere(2);
    document.EXT.MainOrder.Products.splice(1);
    document.EXT.MainOrder.Payment.Amount -= 2_000;
    expect(await ask(handler, "add/main/info", [document])).toEqual(row("o-1", "1"));
    const none = { Aftermarket: undefined };
    expect(await ask(handler, "append/sub/info", bare(400, none))).toEqual(row("o-1", "1"));
    expect(await ask(handler, "update/sub/info", bare(402, none))).toEqual(row("o-1", "1"));
    expect(await engine.state("o-1")).toMatchObject({ refunded: 3_800 });
    expect(toldOf((await engine.views.order("o-1"))!, shop)!.Data[0]!.EXT.SubsOrder!.Items).toMatchObject([
      { SubStatus: 402, Refund: { Amount: 3_800, Product: [{ ID: "A", Amount: 3_800 }] } },
    ]);
  });
});

describe("a sub-order whose sums are unequal", () => {
  it("is told as it came until something follows, then with equal ones", async () => {
    const { engine, ports, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(3)]);
    const unequal = { Refund: { Amount: 10, Product: [{ ID: "A", Quantity: 1, Amount: 0 }] } };
    await ask(handler, "append/sub/info", subs(unequal));
    const refund = async () =>
      toldOf((await engine.views.order("o-1"))!, shop)!.Data[0]!.EXT.SubsOrder!.Items[0]!.Refund;
    expect(await refund()).toEqual(unequal.Refund);
    const lines = ports.lines.length;
    expect(await ask(handler, "update/sub/info", subs({ ...unequal, SubStatus: 402 }))).toEqual(
      row("o-1", "1"),
    );
    expect(await refund()).toEqual({ Amount: 10, Product: [{ ID: "A", Quantity: 1, Amount: 10 }] });
    expect(ports.lines.slice(lines)).toMatchObject([
      { losses: [{ path: "EXT.SubsOrder.Items[0].Refund.Product", what: "stays as it was" }] },
    ]);
  });
});

describe("a sub-order is moved on", () => {
  const of = (OrderType: 1 | 2 | 3) =>
    OrderType === 1
      ? {}
      : { OrderType, Refund: { Amount: OrderType === 2 ? 0 : 1_000, Product: item.Refund.Product } };
  const allowed: Readonly<Record<number, Readonly<Record<number, readonly number[]>>>> = {
    1: { 400: [400, 401, 402, 404, 407], 401: [401, 402, 404, 407] },
    2: { 400: [400, 401, 403, 404, 407], 401: [401, 403, 404, 407] },
    3: { 400: [400, 401, 402, 404, 407], 401: [401, 402, 404, 407] },
  };
  const all = [400, 401, 402, 403, 404, 407];
  const ended = (type: number) => (type === 2 ? [403, 404, 407] : [402, 404, 407]);
  const cells = ([1, 2, 3] as const).flatMap((type) =>
    [400, 401, ...ended(type)].flatMap((from) =>
      all.map((to) => {
        const wanted = allowed[type]?.[from] ?? (from === 407 ? [407, 404] : [from]);
        return [type, from, to, wanted.includes(to) ? "1" : "0"] as const;
      }),
    ),
  );

  it.each(cells)("OrderType %d, %d to %d: %s", async (type, from, to, affected) => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(4)]);
    expect(await ask(handler, "append/sub/info", subs({ ...of(type), SubStatus: from }))).toEqual(
      row("o-1", "1"),
    );
    const head = await engine.head();
    const Items = [{ SubOrderID: "onlyOne", SubStatus: to }];
    const answer = await ask(handler, "update/sub/status", [
      { ...ids, EXT: { SubsOrder: { Status: 0, Items } } },
    ]);
    expect(answer).toEqual(row("o-1", affected));
    const { EXT } = toldOf((await engine.views.order("o-1"))!, shop)!.Data[0]!;
    expect(EXT.SubsOrder!.Items[0]!.SubStatus).toBe(affected === "1" ? to : from);
    if (affected === "0") expect(await engine.head()).toBe(head);
  });
});

describe("a sub-order becomes another", () => {
  const at = async (over: object) => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(4)]);
    expect(await ask(handler, "append/sub/info", subs(over))).toEqual(row("o-1", "1"));
    const update = async (more: object) => {
      const { data } = (await ask(handler, "update/sub/info", subs({ ...over, ...more }))) as {
        data: { rows_affected: string }[];
      };
      const { EXT } = toldOf((await engine.views.order("o-1"))!, shop)!.Data[0]!;
      const { SubStatus, OrderType, Refund } = EXT.SubsOrder!.Items[0]!;
      return [data[0]!.rows_affected, OrderType, SubStatus, Refund?.Amount];
    };
    return { engine, update };
  };
  const worth = (Amount: number) => ({ Refund: { Amount, Product: [{ ID: "A", Quantity: 1, Amount }] } });

  it.each([1, 3])("of less, where it is approved so: OrderType %d", async (OrderType) => {
    const { engine, update } = await at({ OrderType });
    expect(await update(worth(700))).toEqual(["0", OrderType, 400, 1_000]);
    expect(await update({ SubStatus: 401, ...worth(1_001) })).toEqual(["0", OrderType, 400, 1_000]);
    expect(await update({ SubStatus: 401, ...worth(700) })).toEqual(["1", OrderType, 401, 700]);
    expect(await update({ SubStatus: 402, ...worth(600) })).toEqual(["0", OrderType, 401, 700]);
    expect(await update({ SubStatus: 402, ...worth(700) })).toEqual(["1", OrderType, 402, 700]);
    expect(await engine.state("o-1")).toMatchObject({ refunded: 700 });
    for (const SubStatus of [404, 407]) {
      const ended = await at({ OrderType });
      expect(await ended.update({ SubStatus, ...worth(700) })).toEqual(["1", OrderType, SubStatus, 700]);
    }
  });

  it("of money instead of goods, where an exchange is converted", async () => {
    const { engine, update } = await at({ OrderType: 2, ...worth(0) });
    const into = { OrderType: 3, ...worth(1_000) };
    for (const SubStatus of [400, 403]) {
      expect(await update({ ...into, SubStatus })).toEqual(["0", 2, 400, 0]);
    }
    for (const SubStatus of [404, 407]) {
      const ended = await at({ OrderType: 2, ...worth(0) });
      expect(await ended.update({ ...into, SubStatus })).toEqual(["1", 3, SubStatus, 1_000]);
    }
    expect(await update({ ...into, OrderType: 1, SubStatus: 401 })).toEqual(["0", 2, 400, 0]);
    expect(await update({ ...into, ...worth(3_001), SubStatus: 401 })).toEqual(["0", 2, 400, 0]);
    expect(await update({ ...into, SubStatus: 401 })).toEqual(["1", 3, 401, 1_000]);
    expect(await update({ ...into, SubStatus: 402 })).toEqual(["1", 3, 402, 1_000]);
    expect(await engine.state("o-1")).toMatchObject({ refunded: 1_000, cases: [{ type: "returnRefund" }] });
    const other = await at({ OrderType: 2, ...worth(0) });
    expect(await other.update({ ...into, SubStatus: 402 })).toEqual(["1", 3, 402, 1_000]);
    // What has been exchanged is not converted any more.
    const exchanged = await at({ OrderType: 2, SubStatus: 403, ...worth(0) });
    expect(await exchanged.update({ ...into, SubStatus: 402 })).toEqual(["0", 2, 403, 0]);
  });
});

describe("an order is moved on", () => {
  it("by its status alone, several at once, each with a row of its own", async () => {
    const { engine, handler } = await stand();
    const document = await elsewhere(1);
    document.CateID = 2;
    for (const ResourceID of ["o-1", "o-2"])
      await ask(handler, "add/main/info", [{ ...document, ResourceID }]);
    const rows = async (...given: readonly (readonly [string, number])[]) => {
      const Data = given.map(([ResourceID, Status]) => ({ ...ids, CateID: 2, ResourceID, Status }));
      const { data } = (await ask(handler, "update/main/status", Data)) as {
        data: { rows_affected: string }[];
      };
      return data.map(({ rows_affected }) => rows_affected);
    };
    expect(await rows(["o-1", 3], ["none", 3], ["o-2", 100])).toEqual(["1", "0", "1"]);
    expect(await rows(["o-1", 4], ["o-2", 3])).toEqual(["1", "0"]);
    expect(await rows(["o-1", 200], ["o-2", 300])).toEqual(["1", "1"]);
    expect(await rows(["o-1", 3], ["o-1", 300], ["o-1", 300])).toEqual(["0", "1", "1"]);
    expect(await engine.state("o-1")).toMatchObject({ status: "completed", hiddenByBuyerAt: t0 + 100 * day });
  });

  it("by all of it", async () => {
    const { handler } = await stand();
    expect(await ask(handler, "update/main/info", [await elsewhere(2)])).toEqual(row("o-1", "0"));
    await ask(handler, "add/main/info", [await elsewhere(1)]);
    expect(await ask(handler, "update/main/info", [await elsewhere(2)])).toEqual(row("o-1", "1"));
    const other = await elsewhere(2);
    other.EXT.MainOrder.Payment.Amount -= 1;
    expect(await ask(handler, "update/main/info", [other])).toEqual(row("o-1", "0"));
  });

  it("when and how the document says", async () => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(1)]);
    const paid = await elsewhere(2);
    paid.EXT.MainOrder.Payment.Method = 2;
    expect(await ask(handler, "update/main/info", [paid])).toEqual(row("o-1", "1"));
    const told = async () => toldOf((await engine.views.order("o-1"))!, shop)!.Data[0]!;
    expect(await told()).toMatchObject({
      Mtime: paid.Mtime,
      EXT: { MainOrder: { Payment: paid.EXT.MainOrder.Payment } },
    });
    const received = await elsewhere(4);
    expect(await ask(handler, "update/main/info", [received])).toEqual(row("o-1", "1"));
    expect(await told()).toMatchObject({ Mtime: received.Mtime, Status: 200 });
    // Its own instants are left out in the document's examples.
    const { Mtime: _left, ...hidden } = { ...received, Status: 300 };
    expect(await ask(handler, "update/main/info", [hidden])).toEqual(row("o-1", "1"));
    expect(await engine.state("o-1")).toMatchObject({ hiddenByBuyerAt: t0 + 100 * day });
  });

  it("and is one of other goods by no CateID", async () => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(2)]);
    await ask(handler, "append/sub/info", subs());
    const head = await engine.head();
    const document = await elsewhere(2);
    const Items = [{ ...item, SubStatus: 401 }];
    for (const [operation, more] of [
      ["update/main/status", { Status: 100 }],
      ["update/main/status", { Status: 300 }],
      ["update/main/info", { Status: 100, EXT: document.EXT }],
      ["append/sub/info", { EXT: { SubsOrder: { Items: [{ ...item, SubOrderID: "other" }] } } }],
      ["update/sub/info", { EXT: { SubsOrder: { Items } } }],
      ["update/sub/status", { EXT: { SubsOrder: { Items } } }],
    ] as const) {
      const answer = await ask(handler, operation, [{ ...ids, CateID: 2, ...more }]);
      expect(answer, operation).toEqual(row("o-1", "0", "2"));
    }
    expect(await engine.head()).toBe(head);
  });

  it.each([0, 2, 3, 4, 7, 101])("never to Status %d of goods that are sent", async (Status) => {
    const { handler } = await stand();
    expect(await ask(handler, "update/main/status", [{ ...ids, Status }])).toMatchObject({ errno: 100 });
  });
});

describe("a request", () => {
  it("as the document has it is taken, but for the status that the document leaves empty", async () => {
    const { handler } = await stand();
    const document = (SubStatus: unknown) => [
      {
        CateID: 2,
        BizAPPID: "a392qXwK8L5GDUWhFoC01cKwoy7tmehg",
        ResourceID: "2221554346520",
        EXT: {
          SubsOrder: {
            Items: [
              {
                SubOrderID: "onlyOne",
                SubStatus,
                CTime: 1571026201,
                MTime: 1571026201,
                OrderDetail: {
                  Status: 2,
                  Name: "",
                  SwanSchema:
                    "baiduboxapp://swan/B3GF3AWvCSr59myIs61uqaoYz7pPCSY1/wjz/bdxd/order-detail/order-detail?orderId=159259079195",
                },
                Refund: { Amount: 10, Product: [{ ID: "1014093064", Quantity: 1, Amount: 0 }] },
                OrderType: 1,
              },
            ],
          },
        },
      },
    ];
    expect(await ask(handler, "append/sub/info", document(""))).toMatchObject({ errno: 100 });
    expect(await ask(handler, "append/sub/info", document(400))).toEqual(row("2221554346520", "0", "2"));
  });

  it.each([
    ["CTime", t0],
    ["MTime", t0],
    ["CTime", -1],
    ["CTime", 1.5],
    ["MTime", "1571026201"],
    ["CTime", null],
  ])("has its times in seconds: %s %j is none", async (field, value) => {
    const { handler } = await stand();
    expect(await ask(handler, "append/sub/info", subs({ [field]: value }))).toMatchObject({
      errno: 100,
      msg: expect.stringContaining(`Data[0].EXT.SubsOrder.Items[0].${field}: `) as string,
    });
  });

  it.each([
    ["OrderType", { OrderType: 4 }, "1|2|3"],
    ["OrderDetail.Status", { OrderDetail: { Status: 3 } }, '0|1|2|"0"|"1"|"2"'],
  ])("says what %s may be", async (field, over, words) => {
    const { handler } = await stand();
    expect(await ask(handler, "append/sub/info", subs(over))).toMatchObject({
      errno: 100,
      msg: `Invalid parameter: Data[0].EXT.SubsOrder.Items[0].${field}: Invalid option: expected one of ${words}`,
    });
  });

  it("adds one order at a time", async () => {
    const { handler } = await stand();
    const one = await elsewhere(1);
    expect(await ask(handler, "add/main/info", [one, { ...one, ResourceID: "o-2" }])).toMatchObject({
      errno: 100,
    });
  });

  it.each([
    ["without a token", { access_token: "" }, 110],
    ["with a token of nobody's", { access_token: "no" }, 110],
    ["of a buyer", { access_token: "token-of-buyer-1" }, 6],
    ["of staff", { access_token: "token-of-staff-1" }, 6],
    ["of another merchant", { access_token: "token-of-rival" }, 6],
  ])("%s is the platform's to refuse", async (_what, query, error_code) => {
    const { handler } = await stand();
    expect(await ask(handler, "append/sub/info", subs(), query)).toMatchObject({ error_code });
  });

  it("names the cashier's number of the payment, which is told of again", async () => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(1)], { scene_id: "" });
    expect(toldOf((await engine.views.order("o-1"))!, shop)).not.toHaveProperty("scene_id");
    await ask(handler, "update/main/status", [{ ...ids, Status: 5 }], { scene_id: "20201014-7" });
    expect(toldOf((await engine.views.order("o-1"))!, shop)).toMatchObject({ scene_id: "20201014-7" });
    const offline = { ...(await elsewhere(2)), ResourceID: "o-2" };
    offline.EXT.MainOrder.Payment.Method = 2;
    expect(await ask(handler, "add/main/info", [offline], { scene_id: "8" })).toEqual(row("o-2", "1"));
    expect(toldOf((await engine.views.order("o-2"))!, shop)).not.toHaveProperty("scene_id");
    expect(await ask(handler, "append/sub/info", subs(), { scene_id: "x".repeat(129) })).toMatchObject({
      errno: 100,
      msg: "Invalid parameter: scene_id: must be one text of at most 128",
    });
  });

  it("names its user", async () => {
    const { handler } = await stand();
    for (const open_id of ["", "a b", "x".repeat(129)]) {
      expect(await ask(handler, "append/sub/info", subs(), { open_id })).toMatchObject({ errno: 100 });
    }
  });

  it("below no other path, and by no other method", async () => {
    const { handler } = await stand();
    expect(await ask(handler, "remove/main/info", [])).toMatchObject({ error_code: 3 });
    const got = await handler(new Request(`${base}/append/sub/info`));
    expect(await got.json()).toMatchObject({ error_code: 3 });
  });

  it("of another mini-program, or for another user's order, is answered as for none", async () => {
    const { engine, handler } = await stand();
    await live(engine, "o-1", 2);
    accepted(await engine.execute({ ...newOrder("o-9"), merchantId: "rival" }, by(buyer)));
    const other = { ...ids, BizAPPID: "another" };
    const fields = { data: [{ rows_affected: "0" }] };
    expect(await ask(handler, "update/main/status", [{ ...other, Status: 5 }])).toMatchObject(fields);
    const asStranger = (ResourceID: string) =>
      ask(handler, "update/main/status", [{ ...ids, ResourceID, Status: 5 }], { open_id: "buyer-2" });
    const none = JSON.stringify(await asStranger("o-none"));
    for (const ResourceID of ["o-1", "o-9"]) {
      expect(JSON.stringify(await asStranger(ResourceID)).replaceAll(ResourceID, "o-none")).toBe(none);
    }
  });
});

describe("a key", () => {
  it("answers the same again, whatever has become of the order", async () => {
    const { engine, handler } = await stand();
    const sent: (readonly [operation: string, Data: unknown])[] = [
      ["add/main/info", [await elsewhere(2)]],
      ["append/sub/info", subs()],
      [
        "update/sub/status",
        [{ ...ids, EXT: { SubsOrder: { Items: [{ SubOrderID: "onlyOne", SubStatus: 407 }] } } }],
      ],
      ["update/main/status", [{ ...ids, Status: 6 }]],
      ["update/main/status", [{ ...ids, Status: 200 }]],
    ];
    const again = (key: string) => async (one: (typeof sent)[number]) =>
      ask(handler, one[0], one[1], {}, { "idempotency-key": `${key}-${sent.indexOf(one)}` });
    for (const one of sent) expect(await again("k")(one)).toEqual(row("o-1", "1"));
    const head = await engine.head();
    for (const one of sent) expect(await again("k")(one)).toEqual(row("o-1", "1"));
    // Under another key they are asked anew, and no order goes back.
    const anew = [];
    for (const one of sent) {
      const { data } = (await again("other")(one)) as { data: { rows_affected: string }[] };
      anew.push(data[0]!.rows_affected);
    }
    expect(anew).toEqual(["0", "0", "1", "0", "1"]);
    expect(await engine.head()).toBe(head);
  });

  it("is for what is asked under it, and something else is asked anew", async () => {
    const { engine, handler } = await stand();
    await ask(handler, "add/main/info", [await elsewhere(2)]);
    for (const Status of [6, 200]) {
      const headers = { "idempotency-key": "k" };
      const answer = await ask(handler, "update/main/status", [{ ...ids, Status }], {}, headers);
      expect(answer).toEqual(row("o-1", "1"));
    }
    expect(await engine.state("o-1")).toMatchObject({ status: "completed" });
  });

  it("is for each of several elements, and goes on where it was cut off", async () => {
    const { engine, handler } = await stand();
    const documents = [await elsewhere(1), { ...(await elsewhere(1)), ResourceID: "o-2" }];
    for (const document of documents) await ask(handler, "add/main/info", [document]);
    const received = ["o-1", "none", "o-2", "o-1"].map((ResourceID) => ({ ...ids, ResourceID, Status: 200 }));
    const give = async () => {
      const headers = { "idempotency-key": "k" };
      const { data } = (await ask(handler, "update/main/status", received, {}, headers)) as {
        data: { rows_affected: string }[];
      };
      return data.map(({ rows_affected }) => rows_affected);
    };
    const { execute } = engine;
    let commands = 0;
    (engine as { execute: typeof execute }).execute = async (...given) => {
      commands += 1;
      if (commands === 5) throw new Error("cut off");
      return execute.apply(engine, given);
    };
    expect(
      await ask(handler, "update/main/status", received, {}, { "idempotency-key": "k" }).catch(
        () => "cut off",
      ),
    ).toBe("cut off");
    expect(await engine.state("o-1")).toMatchObject({ status: "completed" });
    expect(await engine.state("o-2")).toMatchObject({ status: "paid" });
    expect(await give()).toEqual(["1", "0", "1", "1"]);
    await ask(handler, "update/main/status", [{ ...ids, ResourceID: "o-2", Status: 300 }]);
    const head = await engine.head();
    expect(await give()).toEqual(["1", "0", "1", "1"]);
    expect(await engine.head()).toBe(head);
  });
});

it("whatever is asked in whosever name, nothing of another's order is in the answer", async () => {
  const { engine, handler } = await stand();
  await live(engine, "o-1", 4);
  accepted(await engine.execute(newCase("o-1"), by(buyer, { at: t0 + day })));
  const answerOf = (resource: string, operation: string, element: object, query: Record<string, string>) =>
    ask(handler, operation, [{ ...element, ResourceID: resource }], query);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("append/sub/info", "update/sub/info", "update/sub/status", "update/main/status"),
      fc.constantFrom(1, 5, 6, 100, 200, 300),
      fc.constantFrom(400, 401, 402, 404, 407, 405),
      fc.constantFrom("c-o-1", "onlyOne"),
      fc.constantFrom("buyer-2", "buyer-3"),
      fc.constantFrom("token-of-main", "token-of-rival", "token-of-buyer-2", "token-of-service"),
      async (operation, Status, SubStatus, SubOrderID, open_id, access_token) => {
        const element = { ...subs({ SubStatus, SubOrderID })[0], Status };
        const head = await engine.head();
        const theirs = await answerOf("o-1", operation, element, { open_id, access_token });
        const nobodys = await answerOf("o-0", operation, element, { open_id, access_token });
        expect(JSON.stringify(theirs).replaceAll("o-1", "o-0")).toBe(JSON.stringify(nobodys));
        expect(await engine.head()).toBe(head);
      },
    ),
    { numRuns: 100 },
  );
});
