// What nobody learns through the wiki: random callers and ids get of another's order what they get of none, and malformed requests nothing.

import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";

import { type Step, form, get, handle, mine, order, pageOf, post, shop, theirs } from "./shop.ts";
import { buyer, second, stranger } from "../../domain/orders.ts";
import { tidyEngines } from "../../engines.ts";

tidyEngines();

const lives: readonly (readonly Step[])[] = [
  [],
  ["cancel"],
  ["pay"],
  ["pay", "audit", "cancelPaid"],
  ["pay", "ship"],
  ["pay", "ship", "receive", "surplus"],
  ["pay", "ship", "receive", "review", "hide"],
];

const asks = [
  ["get", "refund/getRefund"],
  ["get", "order/payDate"],
  ["get", "order/orderInfo"],
  ["post", "refund/submitRefund"],
  ["post", "refund/refundList"],
  ["post", "refund/cancelRefund"],
  ["post", "order/confirmReceive"],
] as const;

test.prop(
  [
    fc.array(fc.record({ life: fc.constantFrom(...lives), theirs: fc.boolean(), applied: fc.boolean() }), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.array(
      fc.record({
        ask: fc.constantFrom(...asks),
        of: fc.nat(5),
        token: fc.constantFrom(mine, theirs),
        by: fc.constantFrom("order", "refund", "both"),
        faulty: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  ],
  { numRuns: 60 },
)("another's order answers as none does, and no list or count holds it", async (orders, questions) => {
  const at = await shop();
  const cases: string[] = [];
  for (const [index, { life, theirs: other, applied }] of orders.entries()) {
    const orderId = `70${index}`;
    const [who, token] = other ? [stranger, theirs] : [buyer, mine];
    await order(at, orderId, life, { who });
    if (applied) await post(at, "refund/submitRefund", form(orderId), token);
    cases.push((await at.engine.views.order(orderId))?.order.cases.at(-1)?.caseId ?? "404");
  }
  const before = await at.engine.head();
  for (const { ask, of, token, by, faulty } of questions) {
    const [method, path] = ask;
    const known = orders[of];
    if (known !== undefined && known.theirs === (token === theirs)) continue;
    const fields = (orderId: string, refundId: string) => ({
      ...(faulty ? {} : form(orderId)),
      orderId: by === "refund" ? 0 : orderId,
      refundId: by === "order" ? 0 : refundId,
    });
    const send = method === "get" ? get : post;
    const answer = await send(at, path, fields(`70${of}`, cases[of] ?? "405"), token);
    expect(answer).toEqual(await send(at, path, fields("999", "999"), token));
    expect(await pageOf(at, `70${of}`, token)).toBe(await pageOf(at, 999, token));
  }
  expect(await at.engine.head()).toBe(before);
  for (const [token, other] of [
    [mine, false],
    [theirs, true],
  ] as const) {
    const own = orders.flatMap(({ theirs: whose, life }, index) =>
      whose === other && !life.includes("hide") ? [Number(`70${index}`)] : [],
    );
    const list = await get(at, "order/orderList", {}, token);
    const listed = (list.data as { orderId: number }[]).map(({ orderId }) => orderId);
    expect(new Set(listed)).toEqual(new Set(own));
    expect(list["total"]).toBe(own.length);
    const refunds = (await get(at, "refund/refundList", {}, token)).data as { orderId: number }[];
    for (const { orderId } of refunds) expect(own).toContain(orderId);
  }
});

const value = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "0",
    "-1",
    "1e9",
    "9".repeat(400),
    "7001",
    "null",
    "[]",
    "{}",
    "%00",
    "' OR 1=1 --",
    "__proto__",
  ),
);
const name = fc.constantFrom(
  "orderId",
  "refundId",
  "pageNo",
  "pageSize",
  "type",
  "causeType",
  "cause",
  "proofs",
  "orderId[]",
  "cause[0]",
  "__proto__",
);
const body = fc.oneof(
  fc
    .array(fc.tuple(name, value), { maxLength: 8 })
    .map((pairs) => ["application/x-www-form-urlencoded", new URLSearchParams(pairs).toString()] as const),
  fc
    .dictionary(name, fc.jsonValue(), { maxKeys: 8 })
    .map((fields) => ["application/json", JSON.stringify(fields)] as const),
  fc.tuple(
    fc.constantFrom("application/json", "application/x-www-form-urlencoded", "text/xml", ""),
    fc.string({ unit: "binary" }),
  ),
);
const paths = [
  "refund/refundList",
  "refund/submitRefund",
  "refund/getRefund",
  "refund/cancelRefund",
  "order/confirmReceive",
  "order/orderList",
  "order/payDate",
  "order/orderDetail",
  "order/orderInfo",
];

test.prop(
  [
    fc.array(fc.tuple(fc.constantFrom(...paths), fc.constantFrom("GET", "POST", "PUT", "DELETE"), body), {
      minLength: 1,
      maxLength: 20,
    }),
  ],
  { numRuns: 100 },
)("whatever is sent is answered, and none of it is a defect", async (requests) => {
  const at = await shop();
  await order(at, "7002", ["pay", "ship"]);
  await handleOnce();
  const before = await at.engine.head();
  for (const [path, method, [type, text]] of requests) {
    const url = `http://shop.example/shop/appIntf/${path}.jsp`;
    const headers = { cookie: `common_session_id=${mine}`, "content-type": type };
    const query =
      type === "application/x-www-form-urlencoded" && URL.canParse(`${url}?${text}`) ? `?${text}` : "";
    const response = await at.handler(
      method === "GET"
        ? new Request(url + query, { headers })
        : new Request(url, { method, headers, body: text }),
    );
    expect(response.status).toBe(200);
    if (path !== "order/orderDetail") {
      const { status, msg } = (await response.clone().text().then(parsed)) as { status: number; msg: string };
      expect([typeof status, typeof msg]).toEqual(["number", "string"]);
    }
  }
  expect(at.ports.lines).toEqual([]);
  expect(await at.engine.head()).toBe(before);

  /** One case that nobody below can name by chance. */
  async function handleOnce() {
    await post(at, "refund/submitRefund", form(7002));
    at.clock.now += 4 * second;
    await handle(at, "7002", "ApproveRefund");
  }
});

function parsed(text: string): unknown {
  return JSON.parse(text) as unknown;
}
