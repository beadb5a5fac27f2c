// The bench's work: whole lives of orders by 5,000 buyers, given by clients that each wait for an answer before they go on.

import type { Actor } from "../src/domain/actor.ts";
import type { Command } from "../src/domain/commands.ts";

/** One command as it reaches the engine. */
export interface Asked {
  readonly command: Command;
  readonly actor: Actor;
  readonly commandId: string;
  readonly at: number;
}

/** Gives one command and throws if it is refused. */
export type Execute = (asked: Asked) => Promise<unknown>;

export interface Driven {
  readonly commands: number;
  readonly seconds: number;
}

const buyers = 5_000;
const start = Date.UTC(2026, 0, 1);
const minute = 60_000;
const titles = [
  "Cotton shirt, long sleeves, navy blue",
  "Porcelain cup with saucer, 250 ml",
  "Running shoes, breathable, size 42",
  "Desk lamp, warm light, foldable arm",
  "Green tea, spring harvest, 100 g tin",
  "Notebook, dotted, 192 pages, A5",
  "Phone case, transparent, shockproof",
];

export const merchant: Actor = { role: "merchant", id: "main" };

export function buyerOf(order: number): Actor {
  return { role: "buyer", id: `buyer-${(Math.imul(order, 2_654_435_761) >>> 0) % buyers}` };
}

/** The n-th order's four commands: CreateOrder (five lines), Pay, Ship, ConfirmReceipt; always the same for the same n. */
export function lifeOf(order: number): readonly Asked[] {
  const orderId = `bench-${order}`;
  const buyer = buyerOf(order);
  const at = start + order * 1_000;
  const lines = Array.from({ length: 5 }, (_, index) => {
    const goods = (order * 5 + index * 37) % 9_973;
    return {
      lineId: `${index + 1}`,
      goodsId: `goods-${goods}`,
      title: titles[goods % titles.length] as string,
      unitPrice: 100 + (goods % 9_000),
      quantity: 1 + (goods % 4),
    };
  });
  const amount = lines.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0);
  const asked = (step: string, actor: Actor, minutes: number, command: Command): Asked => ({
    command,
    actor,
    commandId: `${orderId}-${step}`,
    at: at + minutes * minute,
  });
  return [
    asked("create", buyer, 0, {
      type: "CreateOrder",
      orderId,
      currency: "CNY",
      lines,
      fulfilment: "express",
    }),
    asked("pay", buyer, 5, { type: "Pay", orderId, payId: `pay-${order}`, amount, channel: "online" }),
    asked("ship", merchant, 60, {
      type: "Ship",
      orderId,
      shipments: [{ carrier: "SF", trackingNumber: `SF${1_000_000_000 + order}` }],
    }),
    asked("receive", buyer, 4_320, { type: "ConfirmReceipt", orderId }),
  ];
}

/** Lives as fresh JSON, the way they come from outside; made ahead so that making them is not measured. */
export function lives(first: number, count: number): readonly (readonly Asked[])[] {
  return Array.from({ length: count }, (_, index) => fresh(lifeOf(first + index)));
}

export function fresh(commands: readonly Asked[]): readonly Asked[] {
  return JSON.parse(JSON.stringify(commands)) as Asked[];
}

/** As many clients as commands in flight, each taking one order (or one other list of commands) through to its end. */
export async function drive(
  queue: readonly (readonly Asked[])[],
  inFlight: number,
  execute: Execute,
): Promise<Driven> {
  let taken = 0;
  let commands = 0;
  const client = async () => {
    for (let list = queue[taken++]; list !== undefined; list = queue[taken++]) {
      for (const asked of list) {
        await execute(asked);
        commands += 1;
      }
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, queue.length) }, client));
  return { commands, seconds: (performance.now() - begun) / 1_000 };
}

/** The commands that remain of orders `first` .. `first + count - 1` once they are created, in random order of orders. */
export function remaining(first: number, count: number, random: () => number): readonly Asked[] {
  const turns = Array.from({ length: count * 3 }, (_, index) => index % count);
  for (let index = turns.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [turns[index], turns[other]] = [turns[other] as number, turns[index] as number];
  }
  const steps = new Uint8Array(count);
  return turns.map((order) => {
    const step = (steps[order] as number) + 1;
    steps[order] = step;
    return lifeOf(first + order)[step] as Asked;
  });
}

/** A small seeded generator (mulberry32), so that every run does the same work. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
