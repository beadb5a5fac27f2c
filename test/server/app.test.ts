// The plain API: what it answers to whom, by which status, and that it is what its OpenAPI document says.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import { routes } from "../../src/server/routes.ts";
import { StoreError } from "../../src/store/port.ts";
import { buyer, merchant, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, tidyEngines } from "../engines.ts";
import { type TestShop, ask, openShop } from "./shop.ts";

tidyEngines();

const command = (of: object, over: object = {}): object => ({ command: of, ...over });

async function withOrders(): Promise<TestShop> {
  const shop = await openShop();
  await live(shop.engine, "o-1", 1);
  await live(shop.engine, "o-2", 2);
  const other = { ...(newOrder("x-1") as object), buyerId: "buyer-2" };
  accepted(await shop.engine.execute(other, by({ role: "system", id: "clock" })));
  return shop;
}

describe("who may ask", () => {
  it.each(routes.map(({ method, path, by: roles }) => ({ method, path, roles })))(
    "$method $path: $roles",
    async ({ method, path, roles }) => {
      const shop = await withOrders();
      const at = path.replace("{orderId}", "o-2").replace("{caseId}", "c-1");
      const request = (who: string) => ask(shop, who, at, method === "POST" ? {} : undefined);
      expect(await request("")).toMatchObject({ status: 401, body: { error: { code: "notAuthenticated" } } });
      expect((await request("nobody")).status).toBe(401);
      const tried = {
        buyer: "buyer-1",
        merchant: "main",
        staff: "staff-1",
        system: "service",
        admin: "root",
      };
      for (const [role, who] of Object.entries(tried)) {
        if (at === "/events") continue;
        const { status, body } = await request(who);
        const turnedAway = status === 403 && body["error"].message.endsWith(`not for ${role}`);
        expect({ role, turnedAway }).toEqual({
          role,
          turnedAway: !(roles as readonly string[]).includes(role),
        });
        expect(status).not.toBe(401);
        expect(status).not.toBe(500);
      }
    },
  );

  it("health and readiness are for everybody, and nothing else is", async () => {
    const shop = await openShop();
    expect(await ask(shop, "", "/health")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await ask(shop, "", "/ready")).toMatchObject({ status: 200, body: { status: "ready" } });
    expect((await ask(shop, "", "/openapi.json")).status).toBe(401);
    expect((await ask(shop, "", "/none")).status).toBe(404);
    await shop.engine.close();
    expect((await ask(shop, "", "/ready")).status).toBe(503);
  });
});

describe("a command", () => {
  it("is answered with its receipt, and under the same key with the same again", async () => {
    const shop = await withOrders();
    const cancel = command({ type: "CancelOrder", orderId: "o-1", reason: "买错了" });
    const first = await ask(shop, "buyer-1", "/commands", cancel, { "idempotency-key": "k" });
    expect(first).toMatchObject({
      status: 200,
      body: {
        orderId: "o-1",
        revision: "1",
        events: [{ type: "OrderCancelled", at: t0, data: { reason: "买错了" } }],
      },
    });
    expect(first.body).not.toHaveProperty("position");
    const again = await ask(shop, "buyer-1", "/commands", cancel, { "idempotency-key": "k" });
    expect({ status: again.status, body: again.body }).toEqual({ status: 200, body: first.body });
    expect([first, again].map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true"]);
    const other = command({ type: "HideOrder", orderId: "o-1" });
    expect(await ask(shop, "buyer-1", "/commands", other, { "idempotency-key": "k" })).toMatchObject({
      status: 409,
      body: { error: { code: "commandIdReused" } },
    });
  });

  it("has under a key the id that it has always had", async () => {
    const shop = await withOrders();
    const cancel = command({ type: "CancelOrder", orderId: "o-1" });
    const { body } = await ask(shop, "buyer-1", "/commands", cancel, { "idempotency-key": "k" });
    expect(body["commandId"]).toBe("http:64ea9eed6e4088092357e37353fc32ad76b9fba3");
  });

  const cases: readonly (readonly [string, string, object, number, string])[] = [
    ["a stranger's order", "buyer-1", command({ type: "CancelOrder", orderId: "x-1" }), 404, "orderNotFound"],
    ["no order", "buyer-1", command({ type: "CancelOrder", orderId: "o-9" }), 404, "orderNotFound"],
    ["a rival's order", "rival", command({ type: "ConfirmOrder", orderId: "o-1" }), 404, "orderNotFound"],
    ["a buyer's price", "buyer-1", command(newOrder("o-3")), 403, "forbidden"],
    [
      "a buyer's word for a payment",
      "buyer-1",
      command({ type: "Pay", orderId: "o-1", payId: "p", amount: 5_800, channel: "online" }),
      403,
      "forbidden",
    ],
    [
      "another's name",
      "main",
      command({ type: "HideOrder", orderId: "o-1" }, { actor: { role: "buyer", id: "buyer-1" } }),
      403,
      "forbidden",
    ],
    ["another time", "main", command({ type: "HideOrder", orderId: "o-1" }, { at: t0 }), 403, "forbidden"],
    ["another's work", "main", command({ type: "ConfirmReceipt", orderId: "o-1" }), 403, "wrongActor"],
    [
      "a wrong status",
      "buyer-1",
      command({ type: "ConfirmReceipt", orderId: "o-1" }),
      422,
      "orderStatusNotEligible",
    ],
    [
      "an old revision",
      "buyer-1",
      command({ type: "CancelOrder", orderId: "o-1" }, { expect: "7" }),
      409,
      "versionConflict",
    ],
    ["no such command", "main", command({ type: "Shipp", orderId: "o-1" }), 400, "invalidCommand"],
    [
      "an unknown key",
      "main",
      command({ type: "Ship", orderId: "o-1" }, { comand: 1 }),
      400,
      "invalidRequest",
    ],
    ["an id that is none", "main", command({ type: "Ship", orderId: "a/b" }), 400, "invalidRequest"],
    [
      "a case id that may be another's",
      "buyer-1",
      command({
        type: "ApplyRefund",
        orderId: "o-2",
        caseId: "c-1",
        lineId: "L1",
        caseType: "refundOnly",
        amount: 1,
      }),
      400,
      "invalidCommand",
    ],
  ];

  it.each(cases)("of %s is refused", async (_what, who, body, status, code) => {
    const shop = await withOrders();
    const head = await shop.engine.head();
    expect(await ask(shop, who, "/commands", body)).toMatchObject({ status, body: { error: { code } } });
    expect(await shop.engine.head()).toBe(head);
  });

  it("of the shop's own service is given in anybody's name, at any time", async () => {
    const shop = await openShop();
    const at = t0 - 60_000;
    const made = await ask(
      shop,
      "service",
      "/commands",
      command(newOrder("o-1"), { actor: { role: "buyer", id: "buyer-1" }, at, commandId: "c-1" }),
    );
    expect(made).toMatchObject({ status: 200, body: { commandId: "c-1", position: "1" } });
    const [created] = await shop.engine.history("o-1");
    expect(created).toMatchObject({ event: { at }, meta: { actor: { role: "buyer", id: "buyer-1" } } });
  });

  it("of a buyer names its case as a text", async () => {
    const shop = await openShop();
    for (const caseId of [{ toString: 1 }, null, [], 7, "c-1"]) {
      const command = { type: "ApplyRefund", orderId: "o-1", caseId };
      const { status, body } = await ask(shop, "buyer-1", "/commands", { command });
      expect({ status, body }).toMatchObject({ status: 400, body: { error: { code: "invalidCommand" } } });
    }
    expect(shop.ports.lines).toEqual([]);
  });

  it("that cannot be read says why", async () => {
    const shop = await withOrders();
    const said = async (body: string, type = "application/json") =>
      (await ask(shop, "main", "/commands", body, { "content-type": type })).status;
    expect(await said("[]")).toBe(400);
    expect(await said("{")).toBe(400);
    expect(await said("{}", "text/plain")).toBe(415);
    expect(await said("{}")).toBe(400);
    expect(await said(`"${"x".repeat(1024 * 1024)}"`)).toBe(413);
  });
});

describe("views", () => {
  it("are each caller's own", async () => {
    const shop = await withOrders();
    const ids = async (who: string, query = "") =>
      (await ask(shop, who, `/orders${query}`)).body["orders"]
        .map((one: { orderId: string }) => one.orderId)
        .toSorted();
    expect(await ids("buyer-1")).toEqual(["o-1", "o-2"]);
    expect(await ids("buyer-2")).toEqual(["x-1"]);
    expect(await ids("rival")).toEqual([]);
    expect(await ids("main")).toEqual(["o-1", "o-2", "x-1"]);
    expect(await ids("root", "?buyerId=buyer-2")).toEqual(["x-1"]);
    expect(await ids("buyer-1", "?status=paid&status=shipped")).toEqual(["o-2"]);
    expect((await ask(shop, "buyer-1", "/orders?buyerId=buyer-2")).status).toBe(403);
    expect((await ask(shop, "main", "/orders?merchantId=rival")).status).toBe(403);
    expect((await ask(shop, "main", "/orders?merchantId=main")).status).toBe(200);
    expect((await ask(shop, "main", "/orders?buyerId=buyer-1")).status).toBe(403);
    expect((await ask(shop, "buyer-1", "/statistics")).body).toEqual({
      buyer: (await shop.engine.views.statistics({ buyerId: "buyer-1" })).buyer,
    });
    expect((await ask(shop, "root", "/statistics")).body).toHaveProperty("all");
  });

  it.each([
    "limit=0",
    "limit=x",
    "limit=1001",
    "limit=",
    "limit=1e2",
    "limit=0x10",
    "limit=1&limit=2",
    "from=",
    "from=%201",
    "to=1.0",
    "buyerId=buyer-1&merchantId=main",
    "cursor=%21",
    "cursor=e30",
    "status=gone",
    "from=-1",
    "text=",
    "colour=red",
    "hasRefund=1",
  ])("refuse ?%s", async (query) => {
    const shop = await withOrders();
    expect(await ask(shop, "buyer-1", `/orders?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: "invalidQuery" } },
    });
  });

  it.each(["limit=1e2", "from=", "to=0x10"])("name what cannot be read in ?%s", async (query) => {
    const { body } = await ask(await openShop(), "service", `/refunds?${query}`);
    const [field] = query.split("=");
    expect(body["error"].message).toMatch(new RegExp(`^${field}: `));
  });

  it.each(["/orders", "/refunds", "/statistics"])(
    "are a buyer's or a merchant's, not both: %s",
    async (path) => {
      const both = await ask(await openShop(), "service", `${path}?buyerId=7&merchantId=main`);
      expect(both).toMatchObject({
        status: 400,
        body: { error: { code: "invalidQuery", message: "merchantId: must not stand beside buyerId" } },
      });
    },
  );

  it("page on with a cursor", async () => {
    const shop = await withOrders();
    const first = (await ask(shop, "main", "/orders?limit=2")).body;
    expect(first["orders"]).toHaveLength(2);
    const second = (await ask(shop, "main", `/orders?limit=2&cursor=${first["next"]}`)).body;
    expect(second["orders"]).toHaveLength(1);
    expect(second).not.toHaveProperty("next");
  });

  it("tell an order, its events, its cases and a case", async () => {
    const shop = await withOrders();
    const caseId = "o-2.1";
    const apply = {
      type: "ApplyRefund",
      orderId: "o-2",
      caseId,
      lineId: "L1",
      caseType: "refundOnly",
      amount: 1_000,
    };
    expect((await ask(shop, "buyer-1", "/commands", command(apply))).status).toBe(200);
    const order = (await ask(shop, "buyer-1", "/orders/o-2")).body;
    expect(order).toMatchObject({
      order: { orderId: "o-2", status: "paid" },
      revision: "3",
      refundStatus: "open",
    });
    expect(order["log"].at(-1)).toMatchObject({ event: "RefundApplied", revision: "3" });
    expect(order["log"][0]).not.toHaveProperty("position");
    expect((await ask(shop, "root", "/orders/o-2")).body["log"][0]).toHaveProperty("position");
    const events = (await ask(shop, "buyer-1", "/orders/o-2/history")).body["events"];
    expect(events.map((one: { type: string }) => one.type)).toEqual(
      (await shop.engine.history("o-2")).map(({ event }) => event.type),
    );
    expect((await ask(shop, "buyer-1", "/refunds")).body["cases"]).toMatchObject([{ caseId }]);
    expect((await ask(shop, "buyer-2", "/refunds")).body["cases"]).toEqual([]);
    expect((await ask(shop, "buyer-1", "/refunds/o-2")).body["cases"]).toMatchObject([{ caseId, log: [{}] }]);
    expect((await ask(shop, "buyer-1", `/refunds/o-2/${caseId}`)).body["refund"]).toMatchObject({ caseId });
    expect((await ask(shop, "main", "/queue?waitsFor=merchant")).body["cases"]).toMatchObject([{ caseId }]);
    expect((await ask(shop, "rival", "/queue")).body["cases"]).toEqual([]);
    for (const path of ["/orders/o-2", "/orders/o-2/history", "/refunds/o-2", `/refunds/o-2/${caseId}`]) {
      // Word for word what is answered of an order that is not there.
      const [strange, missing] = [path, path.replace("o-2", "o-9")].map((at) => ask(shop, "buyer-2", at));
      expect((await strange)?.status).toBe(404);
      expect(JSON.stringify((await strange)?.body)).toBe(
        JSON.stringify((await missing)?.body).replaceAll("o-9", "o-2"),
      );
    }
    expect((await ask(shop, "buyer-1", "/refunds/o-2/c-9")).body["error"].code).toBe("caseNotFound");
  });

  it("show a hidden order to nobody who hid it", async () => {
    const shop = await openShop();
    await live(shop.engine, "o-1", 6);
    expect((await ask(shop, "buyer-1", "/orders/o-1")).status).toBe(404);
    expect((await ask(shop, "main", "/orders/o-1")).status).toBe(200);
    expect((await ask(shop, "root", "/orders/o-1")).status).toBe(200);
  });

  it("give the write-off code to its buyer", async () => {
    const shop = await openShop();
    accepted(
      await shop.engine.execute(
        { ...newOrder("o-1"), redeemable: true },
        by({ role: "buyer", id: "buyer-1" }),
      ),
    );
    await live(shop.engine, "o-2", 1);
    const { body } = await ask(shop, "buyer-1", "/orders/o-1/code");
    expect(body).toEqual({ code: await shop.engine.redemptionCode("o-1") });
    expect((await ask(shop, "buyer-1", "/orders/o-2/code")).body["error"].code).toBe("noRedemptionCode");
    expect((await ask(shop, "buyer-2", "/orders/o-1/code")).status).toBe(404);
    expect((await ask(shop, "main", "/orders/o-1/code")).status).toBe(403);
  });
});

describe("the wallet", () => {
  it("is topped up by the shop, seen by its buyer, and pays", async () => {
    const shop = await withOrders();
    const topUp = { buyerId: "buyer-1", topUpId: "in-1", amount: 6_000, currency: "CNY" };
    expect((await ask(shop, "main", "/wallet/top-ups", topUp)).status).toBe(403);
    expect((await ask(shop, "buyer-1", "/orders/o-1/pay", {})).body["error"].code).toBe("balanceTooLow");
    expect(await ask(shop, "service", "/wallet/top-ups", topUp)).toMatchObject({
      status: 200,
      body: topUp,
    });
    expect((await ask(shop, "service", "/wallet/top-ups", { ...topUp, amount: 1 })).status).toBe(409);
    expect((await ask(shop, "service", "/wallet/top-ups", { ...topUp, currency: "XXX" })).status).toBe(400);
    expect((await ask(shop, "buyer-2", "/orders/o-1/pay", {})).status).toBe(404);
    const paid = await ask(shop, "buyer-1", "/orders/o-1/pay", {});
    expect(paid).toMatchObject({ status: 200, body: { revision: "2" } });
    const again = await ask(shop, "buyer-1", "/orders/o-1/pay", {});
    expect(again.body).toEqual(paid.body);
    expect([paid, again].map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true"]);
    expect((await ask(shop, "buyer-1", "/orders/o-2/pay", {})).status).toBe(422);
    expect((await ask(shop, "buyer-1", "/wallet")).body).toEqual({
      buyerId: "buyer-1",
      balances: { CNY: 200 },
      held: [],
    });
    expect((await ask(shop, "buyer-1", "/wallet?buyerId=buyer-2")).status).toBe(403);
    expect((await ask(shop, "root", "/wallet")).status).toBe(400);
    expect((await ask(shop, "root", "/wallet?buyerId=buyer-1")).status).toBe(200);
  });
});

it("an order that its buyer has hidden is not there to be paid, but for the key that paid it", async () => {
  const shop = await withOrders();
  const topUp = { buyerId: "buyer-1", topUpId: "in-1", amount: 6_000, currency: "CNY" };
  await ask(shop, "service", "/wallet/top-ups", topUp);
  const pay = (key: string) => ask(shop, "buyer-1", "/orders/o-1/pay", {}, { "idempotency-key": key });
  const paid = await pay("k-1");
  expect((await pay("k-2")).body).toEqual(paid.body);
  const cancel = { type: "CancelOrder", orderId: "o-1", caseId: "c", destination: "manual" };
  accepted(await shop.engine.execute(cancel, by(merchant)));
  accepted(await shop.engine.execute({ type: "HideOrder", orderId: "o-1" }, by(buyer)));
  expect((await pay("k-2")).status).toBe(404);
  expect((await pay("k-1")).body).toEqual(paid.body);
});

describe("a wallet of the shop's own", () => {
  it("is what its buyer sees, and is not topped up here", async () => {
    const pay = async () =>
      E.left({ code: "balanceTooLow", balance: 1_234, due: 5_800, currency: "CNY" } as const);
    const balance = async (buyerId: string, currency: string) =>
      buyerId === "buyer-1" && currency === "EUR" ? 1_234 : 0;
    const shop = await openShop({ currency: "EUR", wallet: { balance, pay } });
    const topUp = { buyerId: "buyer-1", topUpId: "in-1", amount: 6_000, currency: "EUR" };
    const refused = await ask(shop, "service", "/wallet/top-ups", topUp);
    expect(refused).toMatchObject({ status: 422, body: { error: { code: "walletElsewhere" } } });
    expect((await shop.engine.wallet.show("buyer-1")).balances).toEqual({});
    const seen = { buyerId: "buyer-1", balances: { EUR: 1_234 }, held: [] };
    for (const [who, query] of [
      ["buyer-1", ""],
      ["root", "?buyerId=buyer-1"],
    ] as const)
      expect((await ask(shop, who, `/wallet${query}`)).body).toEqual(seen);
    expect((await ask(shop, "buyer-1", "/wallet?buyerId=buyer-2")).status).toBe(403);
  });
});

describe("a shop without wallets", () => {
  /** Two orders that were paid as is said, and a case of the first that is to be approved. */
  async function applied(pay: object) {
    const shop = await openShop({ wallet: undefined });
    for (const orderId of ["o-1", "o-2"]) {
      accepted(await shop.engine.execute(newOrder(orderId), by(buyer)));
      const paid = { payId: orderId, amount: 5_800, channel: "online", tradeNo: orderId, ...pay };
      accepted(await shop.engine.execute({ type: "Pay", orderId, ...paid }, by(buyer)));
    }
    const reason = { caseType: "refundOnly", amount: 1_000, reason: "broken" };
    const apply = { type: "ApplyRefund", orderId: "o-1", caseId: "o-1.1", lineId: "L1", ...reason };
    accepted(await shop.engine.execute(apply, by(buyer)));
    const give = (command: object, commandId?: string) =>
      ask(shop, "main", "/commands", { commandId, command: { orderId: "o-1", caseId: "o-1.1", ...command } });
    return { shop, give };
  }
  const toWallet = { type: "ApproveRefund", destination: "wallet" };

  it.each([
    ["wallet", {}],
    ["original", { channel: "wallet" }],
  ])("refunds nothing to %s of what was paid with %j into one", async (destination, pay) => {
    const { shop, give } = await applied(pay);
    const head = await shop.engine.head();
    const refused = await give({ type: "ApproveRefund", destination });
    expect(refused).toMatchObject({ status: 422, body: { error: { code: "noWallet" } } });
    expect(await shop.engine.head()).toBe(head);
    const manual = await give({ type: "ApproveRefund", destination: "manual" });
    expect(manual.status).toBe(200);
  });

  it("pays back nothing into one by a cancellation or another attempt", async () => {
    const { give } = await applied({});
    const cancel = { type: "CancelOrder", orderId: "o-2", caseId: "o-2.1" };
    expect((await give({ type: "ApproveRefund" }, "c-1")).status).toBe(200);
    for (const command of [{ type: "IssueRefund" }, cancel]) {
      const { body } = await give({ ...command, destination: "wallet" });
      expect([command.type, body["error"]?.code]).toEqual([command.type, "noWallet"]);
      expect((await give({ ...command, destination: "original" })).status).toBe(200);
    }
  });

  it("says first what the domain refuses, and answers again what was done while it had one", async () => {
    const { shop, give } = await applied({});
    const command = { ...toWallet, orderId: "o-1", caseId: "o-1.1" };
    expect((await give({ ...toWallet, amount: 9_999 })).body["error"].code).toBe("amountTooHigh");
    expect((await give({ type: "CancelRefund", destination: "wallet" })).body["error"].code).toBe(
      "invalidCommand",
    );
    accepted(await shop.engine.execute(command, by(merchant, { commandId: "c" })));
    expect((await give(toWallet, "c")).headers.get("idempotent-replayed")).toBe("true");
  });
});

describe("the feed", () => {
  const feed = (shop: TestShop, query = "", headers: Record<string, string> = {}) =>
    shop.handler(
      new Request(`http://shop.example/events${query}`, {
        headers: { authorization: "Bearer token-of-service", ...headers },
      }),
    );

  async function read(response: Response, events: number): Promise<{ ids: string[]; types: string[] }> {
    const ids: string[] = [];
    const types: string[] = [];
    let text = "";
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += new TextDecoder().decode(chunk);
      const whole = text.split("\n\n");
      text = whole.pop() ?? "";
      for (const one of whole) {
        const id = /^id: (.*)$/m.exec(one)?.[1];
        if (id === undefined) continue;
        ids.push(id);
        types.push(/^event: (.*)$/m.exec(one)?.[1] ?? "");
        expect(JSON.parse(/^data: (.*)$/m.exec(one)?.[1] ?? "")).toMatchObject({ type: types.at(-1) });
      }
      if (ids.length >= events) break;
    }
    return { ids, types };
  }

  it("tells every event from the beginning, goes on live, and resumes after the last that was seen", async () => {
    const shop = await withOrders();
    const response = await feed(shop);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const later = live(shop.engine, "o-3", 1);
    const all = await read(response, 6);
    await later;
    expect(all.ids).toEqual([...new Set(all.ids)]);
    expect(all.types.slice(0, 2)).toEqual(["OrderCreated", "OrderCreated"]);
    const rest = await read(
      await feed(shop, "", { "last-event-id": all.ids[2] as string }),
      all.ids.length - 3,
    );
    expect(rest.ids).toEqual(all.ids.slice(3));
    const after = await read(await feed(shop, `?after=${all.ids[3]}`), 1);
    expect(after.ids[0]).toBe(all.ids[4]);
  });

  it("refuses a position that the store never gave", async () => {
    const shop = await withOrders();
    expect((await feed(shop, "?after=here")).status).toBe(400);
    expect((await feed(shop, "", { "last-event-id": "-1" })).status).toBe(400);
    // As after the file was put back from a copy: nothing would ever come.
    expect((await feed(shop, "?after=999999")).status).toBe(400);
  });

  it("says now and then that it is there, and ends when the server stops", async () => {
    const stopping = new AbortController();
    const shop = await openShop({ app: { heartbeatMs: 5, stopping: stopping.signal } });
    const response = await feed(shop);
    let text = "";
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("still here")) stopping.abort();
    }
    expect(text).toContain(": still here\n\n");
    expect((await ask(shop, "", "/ready")).status).toBe(503);
  });
});

describe("what breaks", () => {
  it("is logged under an id, and tells the client nothing else", async () => {
    const shop = await openShop();
    shop.engine.views.counts = () => Promise.reject(new Error("secret detail"));
    const { status, body } = await ask(shop, "buyer-1", "/statistics");
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("secret");
    expect(shop.ports.lines).toMatchObject([{ level: "error", event: "defect", id: body["error"].id }]);
  });

  it("in the store is 503", async () => {
    const shop = await openShop();
    shop.engine.views.counts = () => Promise.reject(new StoreError("full", "disk"));
    expect((await ask(shop, "buyer-1", "/statistics")).status).toBe(503);
    expect(shop.ports.lines).toMatchObject([{ event: "storeFailed" }]);
  });

  it("is not a path or a method that is not there", async () => {
    const shop = await openShop();
    expect((await ask(shop, "buyer-1", "/nowhere")).body["error"].code).toBe("noSuchPath");
    const wrong = await ask(shop, "buyer-1", "/statistics", {});
    expect(wrong).toMatchObject({ status: 405, body: { error: { code: "wrongMethod" } } });
    expect(wrong.headers.get("allow")).toBe("GET");
  });
});

describe("the OpenAPI document", () => {
  it("names every operation once, and every schema that it refers to is there", async () => {
    const shop = await openShop({ app: { version: "1.2.3" } });
    const { body } = await ask(shop, "root", "/openapi.json");
    expect(body).toMatchObject({ openapi: "3.1.0", info: { version: "1.2.3" } });
    const operations = Object.entries(
      body["paths"] as Record<string, Record<string, { operationId?: string }>>,
    )
      .flatMap(([path, of]) =>
        Object.entries(of).map(([method, { operationId }]) => [method.toUpperCase(), path, operationId]),
      )
      .filter(([, , name]) => name !== undefined);
    expect(operations).toEqual(routes.map(({ method, path, name }) => [method, path, name]));
    expect(new Set(operations.map(([, , name]) => name)).size).toBe(routes.length);
    const refs = [...JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(refs.length).toBeGreaterThan(40);
    for (const name of refs) expect(body["components"].schemas).toHaveProperty(name as string);
    expect(body["components"].schemas.ApplyRefund).toMatchObject({
      required: expect.arrayContaining(["orderId"]),
    });
    expect(JSON.stringify(body)).not.toContain("$defs");
    const sums = body["components"].schemas.Statistics.properties.all.properties.paid.additionalProperties;
    expect((sums.anyOf as { type: string }[]).map(({ type }) => type)).toEqual(["integer", "string"]);
  });
});

it("dialects are mounted below their prefixes, and the API can be left out", async () => {
  const seen: string[] = [];
  const dialect = async (request: Request): Promise<Response> => {
    seen.push(new URL(request.url).pathname);
    return new Response('{"code":0}');
  };
  const shop = await openShop({ app: { dialects: { "/apifm": dialect }, api: false } });
  expect((await ask(shop, "", "/apifm/shop/order/list", {})).body).toEqual({ code: 0 });
  expect(seen).toEqual(["/apifm/shop/order/list"]);
  expect((await ask(shop, "buyer-1", "/orders")).status).toBe(404);
  await expect(openShop({ app: { dialects: { "api fm": dialect } } })).rejects.toThrow("dialects: ");
});
