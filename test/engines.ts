// Opens engines on stores of their own for one test, and gives them commands in few words.

import * as E from "fp-ts/lib/Either.js";
import { afterEach } from "vitest";

import type { Receipt } from "../src/commands/handle.ts";
import type { ExecuteOptions } from "../src/commands/parse.ts";
import type { Actor } from "../src/domain/actor.ts";
import { type Rejection, describeRejection } from "../src/domain/refusals.ts";
import { type Engine, type EngineOptions, openEngine } from "../src/engine.ts";
import { type DevServer, startDevServer } from "../src/server/devserver/server.ts";
import { askForOrder, buyer, merchant, minute, parcel, t0 } from "./domain/orders.ts";
import { newFile, tidyFiles } from "./store/files.ts";
import { openScoped, tidyServer } from "./store/scoped.ts";

const engines: Engine[] = [];
const servers: DevServer[] = [];

/** Call once in a file of tests: closes the engines opened here, then their servers, and removes their files. */
export function tidyEngines(): void {
  tidyServer();
  tidyFiles();
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
}

/** Every engine's test over a server as well takes twice as long: with `AFTERSALE_STORES=embedded` only the server's own tests do. */
const embeddedOnly = process.env["AFTERSALE_STORES"] === "embedded";

/** The stores that every promise of the engine holds on, each fresh. */
export const stores: readonly (readonly [kind: string, fresh: () => string])[] = [
  ["memory", () => "memory:"],
  ["sqlite", () => `sqlite:${newFile()}`],
  ...(embeddedOnly ? [] : [["esdb", () => `${scopePrefix}${(scopes += 1)}`] as const]),
];

/** The stores that several processes share, each fresh. */
export const sharedStores: readonly (readonly [kind: string, fresh: () => Promise<string>])[] = [
  ["file", async () => `sqlite:${newFile()}`],
  ...(embeddedOnly ? [] : [["server", freshServer] as const]),
];

async function freshServer(): Promise<string> {
  const server = await startDevServer();
  servers.push(server);
  return server.url;
}

/** Instead of an address: a part of the tests' server that is empty at first. */
const scopePrefix = "esdb:scope-";
let scopes = 0;

export async function open(options: EngineOptions): Promise<Engine> {
  const { store: named } = options;
  const store = typeof named === "string" && named.startsWith(scopePrefix) ? await openScoped(named) : named;
  const engine = await openEngine({ clock: () => t0, ...options, store });
  engines.push(engine);
  return engine;
}

export function accepted<T>(answer: E.Either<Rejection, T>): T {
  if (E.isRight(answer)) return answer.right;
  throw new Error(`refused: ${describeRejection(answer.left)}`);
}

export function refused(answer: E.Either<Rejection, unknown>): Rejection {
  if (E.isLeft(answer)) return answer.left;
  throw new Error("was accepted");
}

let commands = 0;

/** A command id that was not given before in this process. */
export function freshId(): string {
  commands += 1;
  return `c-${commands}`;
}

export function by(actor: Actor, over: Partial<ExecuteOptions> = {}): ExecuteOptions {
  return { actor, commandId: freshId(), ...over };
}

/** O1 of domain 5 under another id. */
export function newOrder(orderId: string, over: Parameters<typeof askForOrder>[0] = {}): object {
  return { ...askForOrder(over), orderId };
}

/** The id of its first case: no two cases share one, whichever order they are of. */
export function caseOf(orderId: string): string {
  return `c-${orderId}`;
}

/** A buyer's application for 10.00 of the first line of such an order. */
export function newCase(orderId: string, over: object = {}): object {
  return {
    type: "ApplyRefund",
    orderId,
    caseId: caseOf(orderId),
    lineId: "L1",
    caseType: "refundOnly",
    amount: 1_000,
    ...over,
  };
}

/** The step of an order's plainest life that comes next, with who takes it. */
export function stepOf(orderId: string, step: number): readonly [command: object, actor: Actor] {
  switch (step) {
    case 0:
      return [newOrder(orderId), buyer];
    case 1:
      return [{ type: "Pay", orderId, payId: `pay-${orderId}`, amount: 5_800, channel: "online" }, buyer];
    case 2:
      return [{ type: "Ship", orderId, shipments: [parcel] }, merchant];
    case 3:
      return [{ type: "ConfirmReceipt", orderId }, buyer];
    case 4:
      return [
        {
          type: "Review",
          orderId,
          items: [
            { lineId: "L1", rating: "good", text: "warm" },
            { lineId: "L2", rating: "bad" },
          ],
        },
        buyer,
      ];
    default:
      return [{ type: "HideOrder", orderId }, buyer];
  }
}

/** Takes an order through the first steps of its plainest life, a minute each. */
export async function live(engine: Engine, orderId: string, steps: number, from = t0): Promise<Receipt> {
  let receipt: Receipt | undefined;
  for (let step = 0; step < steps; step += 1) {
    const [command, actor] = stepOf(orderId, step);
    receipt = accepted(await engine.execute(command, by(actor, { at: from + step * minute })));
  }
  return receipt as Receipt;
}

/** Everything an engine's views answer, for comparing two engines or two moments. */
export async function answers(engine: Engine, buyerId = "buyer-1"): Promise<unknown> {
  return {
    statistics: await engine.views.statistics({ buyerId, merchantId: "main" }),
    orders: await engine.views.orders({ limit: 1_000 }),
    mine: await engine.views.orders({ limit: 1_000, scope: { buyerId } }),
    found: await engine.views.orders({ limit: 1_000, text: "tea" }),
    cases: await engine.views.refundHistory({ limit: 1_000 }),
    queue: await engine.views.queue({ limit: 1_000 }),
  };
}
