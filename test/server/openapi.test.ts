// The OpenAPI document is true: every route's real replies are what it says, to the last field, and what it forbids is refused.

import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";

import type { CaseProgress, LogEntry, OrderDetail } from "../../src/projections/detail.ts";
import type { CaseDetail, RefundDetail, RefundHistory } from "../../src/projections/refund.ts";
import { routes } from "../../src/server/routes.ts";
import type { orderSchema, refundHistorySchema, refundSchema } from "../../src/server/schemas.ts";
import { accepted, by, live, newOrder, tidyEngines } from "../engines.ts";
import { type TestShop, ask, openShop } from "./shop.ts";

tidyEngines();

type Parsed = ReturnType<typeof JSON.parse>;

let document: Parsed;

beforeAll(async () => {
  document = (await ask(await openShop(), "service", "/openapi.json")).body;
});

/** What a schema of the document says of a value: no issue, or all of them. */
function issuesOf(schema: object, value: unknown): readonly object[] {
  const local = (of: unknown): Parsed =>
    JSON.parse(JSON.stringify(of).replaceAll("#/components/schemas/", "#/$defs/"));
  const read = z.fromJSONSchema({ ...local(schema), $defs: local(document.components.schemas) });
  return read.safeParse(value).error?.issues ?? [];
}

async function withCase(): Promise<TestShop> {
  const shop = await openShop();
  const buyer = by({ role: "buyer", id: "buyer-1" });
  await live(shop.engine, "o-1", 1);
  await live(shop.engine, "o-2", 2);
  const apply = { type: "ApplyRefund", orderId: "o-2", caseId: "o-2.1", lineId: "L1" };
  accepted(
    await shop.engine.execute(
      { ...apply, caseType: "refundOnly", amount: 1_000, reason: "冷了", personal: { note: "冷了" } },
      buyer,
    ),
  );
  accepted(await shop.engine.execute({ ...newOrder("o-3"), redeemable: true }, buyer));
  await ask(shop, "service", "/wallet/top-ups", topUp);
  return shop;
}

const topUp = { buyerId: "buyer-1", topUpId: "in-1", amount: 6_000, currency: "CNY", note: "cash" };
const cancel = { command: { type: "CancelOrder", orderId: "o-1" } };

type Request = readonly [who: string, path: string, body?: object];

/** Of each route what is answered, and what is refused. */
const requests: Readonly<Record<string, { readonly done: readonly Request[]; readonly refused: Request }>> = {
  execute: {
    done: [
      ["buyer-1", "/commands", cancel],
      ["service", "/commands", { ...cancel, actor: { role: "buyer", id: "buyer-1" } }],
    ],
    refused: ["buyer-1", "/commands", { ...cancel, expect: { a: 1 } }],
  },
  statistics: {
    done: [
      ["buyer-1", "/statistics"],
      ["service", "/statistics?merchantId=main"],
    ],
    refused: ["buyer-1", "/statistics?buyerId=buyer-2"],
  },
  orders: { done: [["main", "/orders?limit=1"]], refused: ["main", "/orders?limit=0"] },
  order: {
    done: [
      ["buyer-1", "/orders/o-2"],
      ["service", "/orders/o-1"],
    ],
    refused: ["buyer-1", "/orders/o-9"],
  },
  history: { done: [["main", "/orders/o-2/history"]], refused: ["rival", "/orders/o-2/history"] },
  redemptionCode: { done: [["buyer-1", "/orders/o-3/code"]], refused: ["buyer-1", "/orders/o-2/code"] },
  payByWallet: {
    done: [["buyer-1", "/orders/o-1/pay", {}]],
    refused: ["buyer-1", "/orders/o-2/pay", {}],
  },
  refunds: { done: [["main", "/refunds?limit=1"]], refused: ["main", "/refunds?type=gift"] },
  orderRefunds: {
    done: [
      ["main", "/refunds/o-2"],
      ["service", "/refunds/o-1"],
    ],
    refused: ["main", "/refunds/o-9"],
  },
  refund: { done: [["main", "/refunds/o-2/o-2.1"]], refused: ["main", "/refunds/o-2/o-2.2"] },
  queue: { done: [["main", "/queue"]], refused: ["main", "/queue?merchantId=rival"] },
  events: { done: [], refused: ["service", "/events?after=here"] },
  wallet: { done: [["buyer-1", "/wallet"]], refused: ["root", "/wallet"] },
  topUp: {
    done: [["service", "/wallet/top-ups", topUp]],
    refused: ["service", "/wallet/top-ups", { ...topUp, amount: 1 }],
  },
};

describe("what is answered is what the document says", () => {
  it.each(routes.map(({ name, method, path }) => ({ name, method, path })))(
    "$method $path",
    async ({ name, method, path }) => {
      const { responses } = document.paths[path][method.toLowerCase()];
      const schemaOf = (status: string) => responses[status].content["application/json"].schema as object;
      const { done, refused } = requests[name] as (typeof requests)[string];
      for (const [who, at, given] of done) {
        const { status, body } = await ask(await withCase(), who, at, given);
        expect({ status, issues: issuesOf(schemaOf("200"), body) }).toEqual({ status: 200, issues: [] });
      }
      const { status, body } = await ask(await withCase(), ...refused);
      expect(Math.floor(status / 100)).toBe(4);
      expect(issuesOf(schemaOf("4XX"), body)).toEqual([]);
    },
  );

  it("without a field more: the check would find it", async () => {
    const { body } = await ask(await withCase(), "buyer-1", "/orders/o-2");
    const schema = { $ref: "#/components/schemas/Order" };
    expect(issuesOf(schema, { ...body, more: 1 })).not.toEqual([]);
    expect(issuesOf(schema, { ...body, order: 1 })).not.toEqual([]);
  });

  it("also where a field is there now and then: the compiler compares the names", () => {
    type Order = z.infer<typeof orderSchema>;
    type Refund = z.infer<typeof refundSchema>;
    expectTypeOf<keyof Order>().toEqualTypeOf<keyof OrderDetail>();
    expectTypeOf<keyof Order["log"][number]>().toEqualTypeOf<keyof LogEntry>();
    expectTypeOf<keyof Order["refunds"][number]>().toEqualTypeOf<keyof CaseProgress>();
    expectTypeOf<keyof Refund>().toEqualTypeOf<keyof RefundDetail>();
    expectTypeOf<keyof Refund["refund"]>().toEqualTypeOf<keyof CaseDetail>();
    expectTypeOf<keyof z.infer<typeof refundHistorySchema>>().toEqualTypeOf<keyof RefundHistory>();
  });

  it("and a feed is a feed", async () => {
    const { handler } = await withCase();
    const headers = { authorization: "Bearer token-of-service" };
    const response = await handler(new Request("http://shop.example/events", { headers }));
    const { content } = document.paths["/events"].get.responses["200"];
    expect(Object.keys(content)).toEqual([response.headers.get("content-type")?.split(";")[0]]);
    await response.body?.cancel();
  });

  it("also whether the server is ready, and who may read the document", async () => {
    const stopping = new AbortController();
    const shop = await openShop({ app: { stopping: stopping.signal } });
    for (const path of ["/health", "/ready", "/openapi.json"]) {
      for (const who of ["service", ""]) {
        const { status, body } = await ask(shop, who, path);
        const { responses } = document.paths[path].get;
        const { content } = responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
        expect(issuesOf(content["application/json"].schema, body)).toEqual([]);
      }
    }
    stopping.abort();
    const { status, body } = await ask(shop, "", "/ready");
    const { content } = document.paths["/ready"].get.responses[status];
    expect(issuesOf(content["application/json"].schema, body)).toEqual([]);
    expect(issuesOf(content["application/json"].schema, { status: "ready" })).not.toEqual([]);
  });
});

it("an expectation is what the server takes, and nothing else", async () => {
  const envelope = { $ref: "#/components/schemas/Envelope" };
  for (const expected of ["none", "7", 7])
    expect(issuesOf(envelope, { ...cancel, expect: expected })).toEqual([]);
  for (const expected of [{ a: 1 }, null, "seven", -1])
    expect(issuesOf(envelope, { ...cancel, expect: expected })).not.toEqual([]);
});

it("numbers of a query are whole ones, within their bounds", () => {
  const { parameters } = document.paths["/orders"].get;
  const schemaOf = (name: string) => parameters.find((one: { name: string }) => one.name === name).schema;
  expect(schemaOf("limit")).toEqual({ type: "integer", minimum: 1, maximum: 1_000 });
  expect(schemaOf("from")).toMatchObject({ type: "integer", minimum: 0 });
  expect(schemaOf("merchantId").description).toBe("Not beside buyerId.");
});
