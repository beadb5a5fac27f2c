// A shop around an engine for tests: tokens, goods and freight in memory, the engine's own wallet, a clock and ids that repeat.

import type { Engine } from "../../src/engine.ts";
import type { FetchHandler } from "../../src/dialects/dialect.ts";
import type { Caller, Goods, LogLine, Ports } from "../../src/dialects/ports.ts";
import { t0 } from "../domain/orders.ts";

/** Tokens that everybody in the tests has. */
export const tokens: ReadonlyMap<string, Caller> = new Map([
  ["token-of-buyer-1", { role: "buyer", id: "buyer-1" }],
  ["token-of-buyer-2", { role: "buyer", id: "buyer-2" }],
  ["token-of-main", { role: "merchant", id: "main" }],
  ["token-of-rival", { role: "merchant", id: "rival" }],
  ["token-of-staff-1", { role: "staff", id: "staff-1" }],
  ["token-of-service", { role: "system", id: "service" }],
  ["token-of-root", { role: "admin", id: "root" }],
]);

const goods: ReadonlyMap<string, Goods> = new Map<string, Goods>([
  [
    "A",
    { title: "Tea", unitPrice: 1_000, currency: "CNY", picture: "https://shop.example/tea.png", weight: 100 },
  ],
  ["B", { title: "Cup", unitPrice: 2_000, currency: "CNY" }],
  ["C/red", { title: "Kettle, red", unitPrice: 9_900, currency: "CNY", available: 2 }],
]);

export interface TestPorts extends Ports {
  /** What was logged so far. */
  readonly lines: readonly LogLine[];
}

/** Ports for an engine; freight is 8.00 whatever is sent. */
export function portsFor(engine: Engine, over: Partial<Ports> = {}): TestPorts {
  const lines: LogLine[] = [];
  let seeds = 0;
  return {
    lines,
    authentication: { authenticate: async (token) => tokens.get(token) },
    catalog: {
      find: async ({ goodsId, options }) =>
        goods.get(options === undefined ? goodsId : `${goodsId}/${options}`),
    },
    freight: { costOf: async ({ fulfilment }) => (fulfilment === "express" ? 800 : 0) },
    addresses: {
      returnTo: async () => ({ name: "Shop", phone: "021-5555", address: "Shanghai, Road 1" }),
    },
    wallet: engine.wallet,
    payments: undefined,
    merchantId: "main",
    currency: "CNY",
    timeZone: "Asia/Shanghai",
    clock: () => t0,
    newSeed: () => {
      seeds += 1;
      return `seed-${seeds}`;
    },
    log: (line) => lines.push(line),
    ...over,
  };
}

/** Sends a form to a handler and gives what it answered, read as JSON. */
export async function post(
  handler: FetchHandler,
  path: string,
  fields: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await handler(
    new Request(`http://shop.example${path}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(fields).toString(),
    }),
  );
  return { status: response.status, body: (await response.json()) as unknown };
}
