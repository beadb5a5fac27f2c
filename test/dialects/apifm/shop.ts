// A shop that speaks apifm over loopback HTTP, and apifm's own published client, unmodified, driving it through a `wx.request` of fetch.

import published from "apifm-wxapi";
import { afterEach } from "vitest";

import type { Actor } from "../../../src/domain/actor.ts";
import { type ApifmOptions, apifm } from "../../../src/dialects/apifm/index.ts";
import type { FetchHandler } from "../../../src/dialects/dialect.ts";
import type { Ports } from "../../../src/dialects/ports.ts";
import type { Engine, EngineOptions } from "../../../src/engine.ts";
import { createApp } from "../../../src/server/app.ts";
import { type Listening, listen } from "../../../src/server/listen.ts";
import { merchant, t0 } from "../../domain/orders.ts";
import { accepted, by, open } from "../../engines.ts";
import { type TestPorts, portsFor } from "../ports.ts";

/** Whatever JSON says. */
type Parsed = ReturnType<typeof JSON.parse>;

export interface Said {
  readonly code: number;
  readonly msg: string;
  readonly data: Parsed;
}

type Fields = Readonly<Record<string, unknown>>;
type Id = number | string;

/** The calls of the client that the dialect answers; its own types leave some of them out. */
export interface Client {
  init2(base: string, subDomain: string): void;
  orderCreate(data: Fields): Promise<Said>;
  orderList(data: Fields): Promise<Said>;
  orderDetail(token: string, id: Id, hxNumber?: string): Promise<Said>;
  orderClose(token: string, orderId: Id): Promise<Said>;
  orderCloseV2(data: Fields): Promise<Said>;
  orderDelete(token: string, orderId: Id): Promise<Said>;
  orderPay(token: string, orderId: Id): Promise<Said>;
  orderPayV2(data: Fields): Promise<Said>;
  orderDelivery(token: string, orderId: Id): Promise<Said>;
  orderHX(hxNumber: string): Promise<Said>;
  orderHXV2(data: Fields): Promise<Said>;
  orderStatistics(token: string): Promise<Said>;
  orderStatisticsv2(data: Fields): Promise<Said>;
  orderReputation(data: Fields): Promise<Said>;
  refundApply(data: Fields): Promise<Said>;
  refundApplyDetail(token: string, orderId: Id, orderGoodsId?: Id): Promise<Said>;
  refundApplyCancel(token: string, orderId: Id, orderGoodsId?: Id): Promise<Said>;
  refundApplySetBackLogistics(data: Fields): Promise<Said>;
  orderRefunds(token: string, orderId: Id): Promise<Said>;
}

export const client = published as unknown as Client;

interface WxRequest {
  readonly url: string;
  readonly method: string;
  readonly data?: Fields;
  readonly header: Readonly<Record<string, string>>;
  success(answer: { readonly data: unknown }): void;
  fail(error: unknown): void;
}

/** What a mini-program's `wx.request` does: the data in the query of a GET, else as a form. */
async function wxRequest({ url, method, data = {}, header, success, fail }: WxRequest): Promise<void> {
  const texts = Object.entries(data).map(([name, value]) => [name, String(value)] as [string, string]);
  const form = new URLSearchParams(texts).toString();
  const get = method.toUpperCase() === "GET";
  try {
    const answer = await fetch(get ? `${url}?${form}` : url, {
      method: method.toUpperCase(),
      headers: header,
      ...(get ? {} : { body: form }),
    });
    success({ data: await answer.json() });
  } catch (error) {
    fail(error);
  }
}

Object.assign(globalThis, { wx: { request: wxRequest } });

export const redeemKey = "a key for tests";
export const token = "token-of-buyer-1";
export const stranger = "token-of-buyer-2";
export const staffToken = "token-of-staff-1";

export interface ApifmShop {
  readonly engine: Engine;
  readonly ports: TestPorts;
  readonly handler: FetchHandler;
  /** Sets the clock of all. */
  at(now: number): void;
  /** A command of the merchant's, which this dialect has none of; or of another's. */
  command(command: object, actor?: Actor): Promise<void>;
}

export async function openShop({
  options,
  ports: over,
  ...engineOptions
}: Partial<EngineOptions> & {
  readonly options?: ApifmOptions;
  readonly ports?: Partial<Ports>;
} = {}): Promise<ApifmShop> {
  let now = t0;
  const engine = await open({
    store: "memory:",
    wallet: "kept",
    redeemKey,
    clock: () => now,
    terms: { main: { redeemStaff: ["staff-1"] } },
    ...engineOptions,
  });
  const ports = portsFor(engine, { clock: () => now, ...over });
  return {
    engine,
    ports,
    handler: apifm(engine, ports, { prefix: "/apifm", ...options }),
    at: (instant) => (now = instant),
    command: async (command, actor = merchant) => void accepted(await engine.execute(command, by(actor))),
  };
}

const running: Listening[] = [];

/** Call once in a file of tests, before `tidyEngines`. */
export function tidyServers(): void {
  afterEach(async () => void (await Promise.all(running.splice(0).map((one) => one.stop()))));
}

/** The same over HTTP, with the client told where it is. */
export async function serveShop(
  over: Parameters<typeof openShop>[0] = {},
): Promise<ApifmShop & { readonly base: string }> {
  const shop = await openShop(over);
  const handler = createApp({ engine: shop.engine, ports: shop.ports, dialects: { "/apifm": shop.handler } });
  const listening = await listen({ handler, host: "127.0.0.1", port: 0, log: shop.ports.log });
  running.push(listening);
  const base = `http://127.0.0.1:${listening.port}/apifm`;
  client.init2(base, "tea");
  return { ...shop, base };
}

/** Asks in process: a form's fields, at a path below the sub-domain. */
export async function ask(
  { handler }: Pick<ApifmShop, "handler">,
  path: string,
  fields: Fields,
  headers: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const texts = Object.entries(fields).map(([name, value]) => [name, String(value)] as [string, string]);
  const response = await handler(
    new Request(`http://shop.example/apifm/tea${path}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(texts).toString(),
    }),
  );
  return (await response.json()) as Said;
}

/** O1 of domain 5: three teas and a cup, 58.00 with freight. */
export const o1 = JSON.stringify([
  { goodsId: "A", number: 3, propertyChildIds: "", logisticsType: 0 },
  { goodsId: "B", number: 1, propertyChildIds: "", logisticsType: 0 },
]);

export const home = { linkMan: "王小明", mobile: "13800000000", address: "幸福路 1 号" } as const;
