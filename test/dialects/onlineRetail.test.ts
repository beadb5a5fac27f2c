// Real orders and returns, read through all four dialects: they agree with each other, order by order, and with the data's own figures.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { invoices } from "../../examples/online-retail/invoices.ts";
import { Mapping } from "../../examples/online-retail/mapping.ts";
import { apifm } from "../../src/dialects/apifm/index.ts";
import { appintf } from "../../src/dialects/appintf/index.ts";
import { toldOf } from "../../src/dialects/baidu/views.ts";
import type { FetchHandler } from "../../src/dialects/dialect.ts";
import { shopxo } from "../../src/dialects/shopxo/index.ts";
import type { Engine } from "../../src/engine.ts";
import { accepted, open, tidyEngines } from "../engines.ts";
import { portsFor } from "./ports.ts";

tidyEngines();

const root = fileURLToPath(new URL("../..", import.meta.url));
const sample = join(root, "examples/online-retail/sample");
const december = process.env["ONLINE_RETAIL"] ?? join(root, "../shared/data/online-retail");

/** Long after everything that is in the data. */
const later = Date.UTC(2011, 0, 31);

/** What a dialect says of an order. Amounts in pence; undefined: it has no word for it. */
interface Said {
  readonly buyerId: string;
  readonly total: number;
  readonly units: number;
  readonly closed: boolean;
  readonly refunded?: number;
  readonly returned?: number;
  /** The ids of its cases, all of them paid back, with what each says of itself. */
  readonly cases: ReadonlyMap<string, { readonly amount?: number; readonly units?: number }>;
}

type Book = Map<string, Said>;

const pence = (pounds: unknown): number => Math.round(Number(pounds) * 100);

function sum<T>(of: Iterable<T>, amount: (one: T) => number): number {
  let total = 0;
  for (const one of of) total += amount(one);
  return total;
}

// --- what each dialect is asked, by each buyer with the buyer's own token ---

type Row = Readonly<Record<string, unknown>>;

interface Asking {
  readonly handler: FetchHandler;
  readonly buyerId: string;
}

async function ask({ handler, buyerId }: Asking, path: string, fields: Record<string, string>): Promise<Row> {
  const form = new URLSearchParams({ token: `token-of-${buyerId}`, ...fields }).toString();
  const response = await handler(
    new Request(`http://shop.example${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        cookie: `common_session_id=token-of-${buyerId}`,
      },
      body: form,
    }),
  );
  expect(response.status).toBe(200);
  return (await response.json()) as Row;
}

async function apifmSays(asking: Asking): Promise<Book> {
  const book: Book = new Map();
  const counted = (await ask(asking, "/x/order/statistics", {}))["data"] as Record<string, number>;
  for (let page = 1; ; page += 1) {
    const { code, data } = await ask(asking, "/x/order/list", { page: String(page), pageSize: "10" });
    if (code === 700) break;
    for (const info of (data as { orderList: Row[] }).orderList) {
      const orderId = String(info["id"]);
      expect([-1, 3]).toContain(info["status"]);
      expect(info["refundStatus"]).toBe(info["hasRefund"] === true ? 2 : 0);
      const cases = new Map<string, { amount: number; units: number }>();
      if (info["hasRefund"] === true) {
        const told = await ask(asking, "/x/order/refundApply/info", { orderId });
        for (const { baseInfo } of told["data"] as { baseInfo: Row }[]) {
          expect([baseInfo["type"], baseInfo["status"], baseInfo["status2"]]).toEqual([1, 4, 2]);
          cases.set(String(baseInfo["id"]), {
            amount: pence(baseInfo["amount"]),
            units: baseInfo["number"] as number,
          });
        }
      }
      book.set(orderId, {
        buyerId: asking.buyerId,
        total: pence(info["amountReal"]),
        units: info["goodsNumber"] as number,
        closed: info["status"] === -1,
        refunded: pence(info["amountRefundTotal"]),
        returned: sum(cases.values(), ({ units }) => units),
        cases,
      });
    }
  }
  const closed = [...book.values()].filter((order) => order.closed).length;
  expect(counted).toEqual({
    count_id_no_pay: 0,
    count_id_no_transfer: 0,
    count_id_no_confirm: 0,
    count_id_no_reputation: book.size - closed,
    count_id_success: 0,
    count_id_close: closed,
  });
  return book;
}

/** ShopXO's after-sale interface shows an order from one of its lines: of each order its first, and every line that has a case. */
async function shopxoSays(asking: Asking, orderIds: Iterable<string>): Promise<Book> {
  const cases = new Map<string, Map<string, { amount: number; units: number }>>();
  const lines = new Map<string, Set<string>>();
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const { data } = await ask(asking, "/orderaftersale/index", { page: String(page) });
    pages = (data as { page_total: number }).page_total;
    for (const one of (data as { data: Row[] }).data) {
      const orderId = one["order_id"] as string;
      expect([one["type"], one["status"], one["refundment"]]).toEqual(["1", "3", "2"]);
      const known = cases.get(orderId) ?? new Map<string, { amount: number; units: number }>();
      known.set(one["id"] as string, { amount: pence(one["price"]), units: Number(one["number"]) });
      cases.set(orderId, known);
      lines.set(orderId, (lines.get(orderId) ?? new Set()).add(one["order_detail_id"] as string));
    }
  }
  const book: Book = new Map();
  for (const orderId of orderIds) {
    const told = cases.get(orderId) ?? new Map<string, { amount: number; units: number }>();
    const shown: [refunded: number, returned: number][] = [];
    let order: Row = {};
    for (const did of new Set(["1", ...(lines.get(orderId) ?? [])])) {
      const { data } = await ask(asking, "/orderaftersale/aftersale", { oid: orderId, did });
      order = (data as { order_data: Row }).order_data;
      const items = order["items"] as Row;
      shown.push([pence(items["refund_price"]), Number(items["returned_quantity"])]);
    }
    const refunded = pence(order["refund_price"]);
    const returned = Number(order["returned_quantity"]);
    // What its lines show comes to what the order shows.
    expect([sum(shown, ([price]) => price), sum(shown, ([, units]) => units)]).toEqual([refunded, returned]);
    const all = refunded === pence(order["pay_price"]);
    expect(order["pay_status"]).toBe(refunded === 0 ? "1" : all ? "2" : "3");
    expect(["4", "6"]).toContain(order["status"]);
    book.set(orderId, {
      buyerId: order["user_id"] as string,
      total: pence(order["pay_price"]),
      units: Number(order["buy_number_count"]),
      closed: order["status"] === "6",
      refunded,
      returned,
      cases: told,
    });
  }
  return book;
}

/** The wiki's cases name no amount and no units. */
async function appintfSays(asking: Asking): Promise<Book> {
  const cases = new Map<string, Map<string, object>>();
  for (let pageNo = 1, more = true; more; pageNo += 1) {
    const url = `http://shop.example/appIntf/refund/refundList.jsp?pageNo=${pageNo}`;
    const headers = { cookie: `common_session_id=token-of-${asking.buyerId}` };
    const answer = (await (await asking.handler(new Request(url, { headers }))).json()) as { data: Row[] };
    for (const one of answer.data) {
      const orderId = String(one["orderId"]);
      expect(one["status"]).toBe("3");
      cases.set(orderId, (cases.get(orderId) ?? new Map<string, object>()).set(String(one["refundId"]), {}));
    }
    more = answer.data.length === 10;
  }
  const book: Book = new Map();
  for (let pageNo = 1, pages = 1; pageNo <= pages; pageNo += 1) {
    const list = await ask(asking, "/appIntf/order/orderList.jsp", { pageNo: String(pageNo) });
    pages = list["pageTotal"] as number;
    for (const one of list["data"] as Row[]) {
      const orderId = String(one["orderId"]);
      expect([3, 10]).toContain(one["status"]);
      book.set(orderId, {
        buyerId: asking.buyerId,
        total: pence(one["amountPrice"]),
        units: one["quantity"] as number,
        closed: one["status"] === 10,
        cases: cases.get(orderId) ?? new Map<string, object>(),
      });
    }
    const received = await ask(asking, "/appIntf/order/orderList.jsp", { type: "4", pageSize: "1" });
    if (pageNo === pages)
      expect(received["total"]).toBe([...book.values()].filter((one) => !one.closed).length);
  }
  return book;
}

async function baiduSays(engine: Engine, orderIds: Iterable<string>): Promise<Book> {
  const book: Book = new Map();
  for (const orderId of orderIds) {
    const detail = await engine.views.order(orderId);
    const told = detail && toldOf(detail, { appKey: "key", currency: "GBP" });
    const [document] = told?.Data ?? [];
    if (document === undefined) throw new Error(`no document of ${orderId}`);
    const { MainOrder, SubsOrder } = document.EXT;
    expect([100, 200]).toContain(document.Status);
    expect(SubsOrder?.Status).toBe(SubsOrder === undefined ? undefined : 402);
    const cases = new Map<string, { amount: number; units: number }>();
    for (const item of SubsOrder?.Items ?? []) {
      expect([item.OrderType, item.SubStatus]).toEqual([3, 402]);
      expect(sum(item.Refund?.Product ?? [], ({ Amount }) => Amount)).toBe(item.Refund?.Amount);
      cases.set(item.SubOrderID, {
        amount: item.Refund?.Amount ?? 0,
        units: sum(item.Aftermarket?.Product ?? [], ({ Quantity }) => Quantity),
      });
    }
    expect(MainOrder.Payment.Amount).toBe(
      sum(MainOrder.Products, ({ PayPrice, Quantity }) => PayPrice * Quantity),
    );
    book.set(orderId, {
      buyerId: told?.open_id ?? "",
      total: MainOrder.Payment.Amount,
      units: sum(MainOrder.Products, ({ Quantity }) => Quantity),
      closed: document.Status === 100,
      refunded: sum(cases.values(), ({ amount }) => amount),
      returned: sum(cases.values(), ({ units }) => units),
      cases,
    });
  }
  return book;
}

// --- agreement ---

interface Figures {
  readonly orders: number;
  readonly buyers: number;
  readonly units: number;
  readonly paid: number;
  readonly cases: number;
  readonly unitsReturned: number;
  readonly refunded: number;
  readonly closed: number;
}

async function agree(folder: string, figures: Figures): Promise<void> {
  const engine = await open({ store: "memory:", clock: () => later });
  const mapping = new Mapping();
  const buyers = new Map<string, string[]>();
  for await (const invoice of invoices(folder)) {
    for (const { command, ...options } of mapping.commands(invoice)) {
      accepted(await engine.execute(command, options));
      if (command.type !== "CreateOrder") continue;
      buyers.set(command.buyerId, [...(buyers.get(command.buyerId) ?? []), command.orderId]);
    }
  }
  const ports = portsFor(engine, {
    authentication: {
      authenticate: async (token) => ({ role: "buyer", id: token.replace("token-of-", "") }),
    },
    currency: "GBP",
    timeZone: "Europe/London",
    clock: () => later,
  });
  const speakers = {
    apifm: apifm(engine, ports),
    shopxo: shopxo(engine, ports),
    appintf: appintf(engine, ports),
  };
  const books = {
    apifm: new Map(),
    shopxo: new Map(),
    baidu: new Map(),
    appintf: new Map(),
  } satisfies Record<string, Book>;
  for (const [buyerId, orderIds] of buyers) {
    const said = {
      apifm: await apifmSays({ handler: speakers.apifm, buyerId }),
      shopxo: await shopxoSays({ handler: speakers.shopxo, buyerId }, orderIds),
      baidu: await baiduSays(engine, orderIds),
      appintf: await appintfSays({ handler: speakers.appintf, buyerId }),
    };
    for (const [name, book] of Object.entries(said)) {
      for (const [orderId, order] of book) (books as Record<string, Book>)[name]?.set(orderId, order);
    }
  }
  expect(ports.lines).toEqual([]);

  // Each with each, order by order, in all that both have a word for.
  const { apifm: first, ...others } = books as Record<"apifm" | "shopxo" | "baidu" | "appintf", Book>;
  for (const [name, book] of Object.entries(others)) {
    expect([name, [...book.keys()].toSorted()]).toEqual([name, [...first.keys()].toSorted()]);
    for (const [orderId, { cases, ...said }] of book) {
      const { cases: firstCases, ...firstSaid } = first.get(orderId) as Said;
      expect([name, orderId, firstSaid]).toEqual([name, orderId, { ...firstSaid, ...said }]);
      expect([name, orderId, [...cases.keys()].toSorted()]).toEqual([
        name,
        orderId,
        [...firstCases.keys()].toSorted(),
      ]);
      for (const [caseId, one] of cases) {
        expect([name, caseId, firstCases.get(caseId)]).toEqual([
          name,
          caseId,
          { ...firstCases.get(caseId), ...one },
        ]);
      }
    }
  }

  // And each with the data.
  for (const [name, book] of Object.entries({ apifm: first, ...others })) {
    const orders = [...book.values()];
    const bare = name === "appintf";
    expect([
      name,
      {
        orders: orders.length,
        buyers: new Set(orders.map(({ buyerId }) => buyerId)).size,
        units: sum(orders, ({ units }) => units),
        paid: sum(orders, ({ total }) => total),
        cases: sum(orders, ({ cases }) => cases.size),
        unitsReturned: bare ? figures.unitsReturned : sum(orders, ({ returned = 0 }) => returned),
        refunded: bare ? figures.refunded : sum(orders, ({ refunded = 0 }) => refunded),
        closed: orders.filter(({ closed }) => closed).length,
      },
    ]).toEqual([name, figures]);
  }
}

describe("Online Retail through all four dialects", () => {
  test("its sample agrees with each other and with its README", { timeout: 60_000 }, async () => {
    await agree(sample, {
      orders: 36,
      buyers: 33,
      units: 6_104,
      paid: 1_416_789,
      cases: 17,
      unitsReturned: 187,
      refunded: 62_510,
      closed: 1,
    });
  });

  test.skipIf(!existsSync(december))(
    "December 2010 agrees with each other and with its README (skipped without ../shared/data/online-retail or ONLINE_RETAIL=FOLDER)",
    { timeout: 300_000 },
    async () => {
      await agree(december, {
        orders: 1_550,
        buyers: 1_040,
        units: 358_743,
        paid: 77_786_564,
        cases: 302,
        unitsReturned: 3_240,
        refunded: 813_070,
        closed: 5,
      });
    },
  );
});
