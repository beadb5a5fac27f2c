// Malformed requests by the thousand: no defect that is not logged, no wait without end, nothing written.
//
// AFTERSALE_MALFORMED sets how many (2000), AFTERSALE_SEED which.

import { expect, it } from "vitest";

import { live, tidyEngines } from "../engines.ts";
import { type Sound, dice, pick, spoiled } from "./malformed.ts";
import { openShop } from "./shop.ts";

tidyEngines();

const many = Number(process.env["AFTERSALE_MALFORMED"] ?? 2_000);
const seed = Number(process.env["AFTERSALE_SEED"] ?? 20_261_122);

const who = ["buyer-1", "main", "staff-1", "root", "service"];

/** None of these can be carried out as it stands, so that whatever is left of it after spoiling cannot either. */
const commands: readonly Readonly<Record<string, unknown>>[] = [
  { command: { type: "CancelOrder", orderId: "o-9" } },
  { command: { type: "ConfirmReceipt", orderId: "o-1" }, expect: "77" },
  { command: { type: "CreateOrder", orderId: "o-1", currency: "CNY", lines: [], fulfilment: "express" } },
  {
    command: {
      type: "ApplyRefund",
      orderId: "o-1",
      caseId: "o-1.1",
      lineId: "L1",
      caseType: "refundOnly",
      amount: 1,
    },
  },
  { actor: { role: "buyer", id: "buyer-1" }, command: { type: "Ship", orderId: "o-1" } },
];

function sound(roll: () => number): Sound {
  const headers = { authorization: `Bearer token-of-${pick(roll, who)}` };
  const kind = roll();
  if (kind < 0.5)
    return { method: "POST", path: "/commands", headers, body: pick(roll, commands), as: "json" };
  if (kind < 0.6) {
    const body = { buyerId: "a/b", topUpId: "t-1", amount: 0, currency: "CNY" };
    return { method: "POST", path: "/wallet/top-ups", headers, body, as: "json" };
  }
  if (kind < 0.65) return { method: "POST", path: "/orders/o-1/pay", headers, body: {}, as: "json" };
  const path = pick(roll, [
    "/orders",
    "/orders?limit=1",
    "/orders/o-1",
    "/orders/o-1/history",
    "/statistics",
    "/refunds",
    "/refunds/o-1",
    "/refunds/o-1/c-1",
    "/queue",
    "/wallet",
    "/openapi.json",
    "/health",
    "/nowhere",
  ]);
  return { method: "GET", path, headers, as: "json" };
}

it(
  `${many} malformed requests (seed ${seed}) leave no trace`,
  async () => {
    const roll = dice(seed);
    const shop = await openShop();
    await live(shop.engine, "o-1", 1);
    const head = await shop.engine.head();
    const statuses = new Map<number, number>();
    for (let count = 0; count < many; count += 1) {
      const request = spoiled(sound(roll), roll);
      const response = await shop.handler(request);
      const text = await response.text();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      if (response.status >= 500) {
        throw new Error(`request ${count}: ${request.method} ${request.url.slice(0, 200)}: ${text}`);
      }
      if (text !== "") JSON.parse(text);
    }
    expect(shop.ports.lines).toEqual([]);
    expect(await shop.engine.head()).toBe(head);
    // It would prove nothing if all were turned away at the door.
    for (const status of [200, 400, 401, 403, 404, 405, 413, 415])
      expect([...statuses.keys()]).toContain(status);
  },
  60_000 + many * 50,
);
