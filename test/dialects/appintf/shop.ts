// A shop of the overseas app around an engine: one-line orders that carry what the wiki shows, a clock, and requests with the cookie.

import { appintf, type AppintfMount } from "../../../src/dialects/appintf/index.ts";
import type { FetchHandler } from "../../../src/dialects/dialect.ts";
import type { Actor } from "../../../src/domain/actor.ts";
import type { Engine } from "../../../src/engine.ts";
import { buyer, merchant, minute, parcel, t0 } from "../../domain/orders.ts";
import { accepted, by, open } from "../../engines.ts";
import { type TestPorts, portsFor } from "../ports.ts";

export const mine = "token-of-buyer-1";
export const theirs = "token-of-buyer-2";

export interface Shop {
  readonly engine: Engine;
  readonly ports: TestPorts;
  readonly handler: FetchHandler;
  /** Milliseconds UTC; moved by the tests. */
  readonly clock: { now: number };
}

export async function shop(mount: AppintfMount = {}, store = "memory:"): Promise<Shop> {
  const clock = { now: t0 };
  const engine = await open({ store, clock: () => clock.now });
  const ports = portsFor(engine, { clock: () => clock.now });
  return { engine, ports, clock, handler: appintf(engine, ports, { prefix: "/shop", ...mount }) };
}

export interface Answer {
  readonly status: number;
  readonly msg: string;
  readonly data?: unknown;
  readonly [field: string]: unknown;
}

type Fields = Readonly<Record<string, string | number>>;

function requestTo(method: string, path: string, fields: Fields, token: string | undefined, headers: object) {
  const form = new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const sent = new Headers({
    ...(token === undefined ? {} : { cookie: `lang=zh; common_session_id=${token}; x=1` }),
    ...headers,
  });
  const url = `http://shop.example/shop/appIntf/${path}.jsp`;
  if (method === "GET") return new Request(`${url}?${form.toString()}`, { headers: sent });
  sent.set("content-type", "application/x-www-form-urlencoded");
  return new Request(url, { method, headers: sent, body: form.toString() });
}

export async function get(
  { handler }: Pick<Shop, "handler">,
  path: string,
  fields: Fields = {},
  token: string | undefined = mine,
): Promise<Answer> {
  return (await (await handler(requestTo("GET", path, fields, token, {}))).json()) as Answer;
}

export async function post(
  { handler }: Pick<Shop, "handler">,
  path: string,
  fields: Fields = {},
  token: string | undefined = mine,
  headers: object = {},
): Promise<Answer> {
  return (await (await handler(requestTo("POST", path, fields, token, headers))).json()) as Answer;
}

export async function pageOf({ handler }: Shop, orderId: string | number, token?: string): Promise<string> {
  const response = await handler(requestTo("GET", "order/orderDetail", { orderId }, token, {}));
  return response.text();
}

/** What the wiki shows of its own sample's goods. */
export const source = {
  enName: "ECCO Men's Dress Moccasin Penny Loafer",
  property: "Size: 42 M EU / 8-8.5 D(M) US|Color: Black",
  imgUrl: "https://img.example/1.jpg",
  frPrice: 20,
  mallId: 123,
  mallName: "美国亚马逊",
} as const;

/** 2 x 123.00 + 12.00 tariff + 8.00 freight = 266.00. */
export const total = 26_600;

/** An order of the app: one line; `steps` are given to it, a minute each. */
export async function order(
  { engine, clock }: Shop,
  orderId: string,
  steps: readonly Step[] = [],
  { who = buyer, over = {} }: { readonly who?: Actor; readonly over?: object } = {},
): Promise<void> {
  const create = {
    type: "CreateOrder",
    orderId,
    currency: "CNY",
    lines: [{ lineId: "1", goodsId: "A", title: "Shoe", unitPrice: 12_300, quantity: 2, source }],
    charges: [
      { kind: "tariff", amount: 1_200 },
      { kind: "freight", amount: 800 },
    ],
    fulfilment: "express",
    ...over,
  };
  accepted(await engine.execute(create, by(who)));
  for (const step of steps) {
    clock.now += minute;
    const [command, actor] = commandOf(step, orderId, who);
    accepted(await engine.execute(command, by(actor)));
  }
}

export type Step =
  | "pay"
  | "audit"
  | "purchase"
  | "ship"
  | "receive"
  | "surplus"
  | "taxRefund"
  | "review"
  | "hide"
  | "cancel"
  | "cancelPaid";

function commandOf(step: Step, orderId: string, who: Actor): readonly [command: object, actor: Actor] {
  switch (step) {
    case "pay":
      return [{ type: "Pay", orderId, payId: `pay-${orderId}`, amount: total, channel: "online" }, who];
    case "audit":
      return [{ type: "AuditPayment", orderId }, merchant];
    case "purchase":
      return [{ type: "MarkPurchased", orderId }, merchant];
    case "ship":
      return [{ type: "Ship", orderId, shipments: [parcel] }, merchant];
    case "receive":
      return [{ type: "ConfirmReceipt", orderId }, who];
    case "surplus":
      return [{ type: "RecordTaxSurplus", orderId, amount: 500 }, merchant];
    case "taxRefund":
      return [{ type: "RecordTaxRefund", orderId, amount: 500 }, merchant];
    case "review":
      return [{ type: "Review", orderId, items: [{ lineId: "1", rating: "good" }] }, who];
    case "hide":
      return [{ type: "HideOrder", orderId }, who];
    case "cancel":
      return [{ type: "CancelOrder", orderId }, who];
    case "cancelPaid":
      return [{ type: "CancelOrder", orderId, caseId: `9${orderId}` }, merchant];
  }
}

/** The form of an application that nothing is wrong with. */
export function form(orderId: string | number, over: Fields = {}): Fields {
  return {
    orderId,
    causeType: 1,
    cause: "鞋子坏了",
    proofs: "https://img.example/a.jpg,https://img.example/b.jpg",
    ...over,
  };
}

/** Gives a command to the order's latest case, as the merchant. */
export async function handle(
  { engine }: Shop,
  orderId: string,
  type: string,
  over: object = {},
): Promise<void> {
  const caseId = (await engine.views.order(orderId))?.order.cases.at(-1)?.caseId ?? "";
  accepted(await engine.execute({ type, orderId, caseId, ...over }, by(merchant)));
}
