// A shop's server for tests: the handler around an engine of its own, and requests to it in few words.

import type { FetchHandler } from "../../src/dialects/dialect.ts";
import type { Ports } from "../../src/dialects/ports.ts";
import type { Engine } from "../../src/engine.ts";
import { type AppOptions, createApp } from "../../src/server/app.ts";
import { type TestPorts, portsFor } from "../dialects/ports.ts";
import { open } from "../engines.ts";

export interface TestShop {
  readonly engine: Engine;
  readonly ports: TestPorts;
  readonly handler: FetchHandler;
}

export const redeemKey = "a key for tests";

export async function openShop(
  over: Partial<Ports> & { readonly store?: string; readonly app?: Partial<AppOptions> } = {},
): Promise<TestShop> {
  const { store = "memory:", app, ...ports } = over;
  const engine = await open({
    store,
    wallet: "kept",
    redeemKey,
    terms: { main: { redeemStaff: ["staff-1"] } },
  });
  const filled = portsFor(engine, ports);
  return { engine, ports: filled, handler: createApp({ engine, ports: filled, ...app }) };
}

/** Whatever JSON says. */
type Parsed = ReturnType<typeof JSON.parse>;

export interface Said {
  readonly status: number;
  readonly body: Record<string, Parsed>;
  readonly headers: Headers;
}

/** One request; `who` is a token's owner as in `token-of-<who>`, nobody where it is empty. */
export async function ask(
  { handler }: Pick<TestShop, "handler">,
  who: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const response = await handler(
    new Request(`http://shop.example${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...(who === "" ? {} : { authorization: `Bearer token-of-${who}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  return {
    status: response.status,
    body: text === "" ? {} : (JSON.parse(text) as Record<string, Parsed>),
    headers: response.headers,
  };
}
