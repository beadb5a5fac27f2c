// After-sale: whole cases in flight, decisions on orders with a past, and how long its lists take to answer.

import * as E from "fp-ts/lib/Either.js";

import type { Actor } from "../src/domain/actor.ts";
import type { Command } from "../src/domain/commands.ts";
import { decide } from "../src/domain/decide.ts";
import { type OrderState, evolve, initialState } from "../src/domain/state.ts";
import { defaultTerms } from "../src/domain/terms.ts";
import type { Context } from "./context.ts";
import { alternate } from "./rounds.ts";
import { type Row, figure } from "./rows.ts";
import { type Subject, openSubject } from "./subject.ts";
import { type Asked, buyerOf, drive, fresh, lifeOf, merchant } from "./workload.ts";
import { inserts, rowsOf } from "./yardsticks.ts";

const provider: Actor = { role: "provider", id: "bank" };
const day = 86_400_000;

/** A return of one unit of an order's n-th line, from the application to the settled refund: five commands. */
export function returnOf(order: number, line: number): readonly Asked[] {
  const created = lifeOf(order)[0] as Asked & { readonly command: Command<"CreateOrder"> };
  const { orderId, lines } = created.command;
  const { lineId, unitPrice } = lines[line] as (typeof lines)[number];
  const caseId = `case-${order}-${line}`;
  const buyer = buyerOf(order);
  const steps: readonly (readonly [step: string, actor: Actor, command: Command])[] = [
    [
      "apply",
      buyer,
      {
        type: "ApplyRefund",
        orderId,
        caseId,
        lineId,
        caseType: "returnRefund",
        quantity: 1,
        amount: unitPrice,
        goodsReceived: true,
        reason: "The colour is not the one in the picture",
      },
    ],
    ["approve", merchant, { type: "ApproveRefund", orderId, caseId }],
    ["send", buyer, { type: "ShipReturn", orderId, caseId, carrier: "SF", trackingNumber: `R${order}` }],
    [
      "receive",
      merchant,
      {
        type: "ReceiveReturn",
        orderId,
        caseId,
        dispositions: [{ kind: "restock", quantity: 1 }],
        destination: "wallet",
      },
    ],
    [
      "settle",
      provider,
      { type: "SettleRefund", orderId, caseId, refundId: `${caseId}:1`, amount: unitPrice },
    ],
  ];
  return steps.map(([step, actor, command], index) => ({
    command,
    actor,
    commandId: `${caseId}-${step}`,
    at: created.at + (4 + line * 5 + index) * day,
  }));
}

/** Orders that were received, so that cases can be opened on them. */
async function receivedOrders(subject: Subject, first: number, count: number): Promise<void> {
  const chunk = 4_096;
  for (let from = first; from < first + count; from += chunk) {
    const queue = Array.from({ length: Math.min(chunk, first + count - from) }, (_, index) =>
      fresh(lifeOf(from + index)),
    );
    await drive(queue, 1_024, (asked) => subject.execute(asked));
  }
  await subject.settle();
}

export async function cases(context: Context): Promise<readonly Row[]> {
  const each = context.quick ? 512 : 2_048;
  const file = context.file("cases.db");
  const subject = await openSubject(file);
  await receivedOrders(subject, 0, each * (context.rounds + 2));
  const written = (await rowsOf(file)).length;
  let next = 0;
  let answered = 0;
  const round = async (): Promise<number> => {
    const queue = Array.from({ length: each }, (_, index) => fresh(returnOf(next + index, 0)));
    next += each;
    const begun = performance.now();
    answered = (await drive(queue, 64, (asked) => subject.execute(asked))).commands;
    await subject.settle();
    return answered / ((performance.now() - begun) / 1_000);
  };
  await round();
  const rows = await rowsOf(file, written);
  const eventsPerCommand = rows.length / answered;
  const bare = await inserts(context.file("bare-cases.db"), rows, 64);
  try {
    const compared = await alternate(
      context.rounds,
      () => bare.round(),
      async () => (await round()) * eventsPerCommand,
    );
    return [
      {
        name: "cases",
        measure: "whole returns on existing orders, 64 in flight",
        value: compared.value,
        unit: "events/s",
        yardstick: { name: "G(64)", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        floor: { atLeast: 0.3 },
        note: `${figure(compared.value / eventsPerCommand)} commands/s, ${figure(eventsPerCommand)} events a command, of returns from the application to the settled refund`,
      },
    ];
  } finally {
    await bare.close();
    await subject.close();
  }
}

/** An order that was received, with so many cases that have ended. */
function withPast(count: number): OrderState {
  const policy = { terms: defaultTerms, redeemStaff: [], codeHash: undefined, presentedHash: undefined };
  const created = lifeOf(1);
  const [create] = created as [Asked & { readonly command: Command<"CreateOrder"> }];
  // Units enough that every case takes one.
  const lines = create.command.lines.map((line) => ({ ...line, quantity: 50 }));
  const amount = lines.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0);
  let state: OrderState = initialState;
  const give = ({ command, actor, at }: Pick<Asked, "command" | "actor" | "at">): void => {
    const decided = decide({ command, actor, policy }, state, at);
    if (E.isLeft(decided)) throw new Error(`refused: ${JSON.stringify(decided.left)}`);
    state = decided.right.reduce(evolve, state);
  };
  for (const asked of created) {
    if (asked.command.type === "CreateOrder") give({ ...asked, command: { ...asked.command, lines } });
    else if (asked.command.type === "Pay") give({ ...asked, command: { ...asked.command, amount } });
    else give(asked);
  }
  for (let index = 0; index < count; index += 1) {
    const steps = returnOf(1, index % lines.length);
    const caseId = `past-${index}`;
    for (const [place, { command, actor }] of steps.entries()) {
      const named = { ...command, caseId, ...("refundId" in command ? { refundId: `${caseId}:1` } : {}) };
      give({
        command: named as Command,
        actor,
        at: create.at + 4 * day + (index * steps.length + place) * 1_000,
      });
    }
  }
  return state;
}

export async function past(context: Context): Promise<readonly Row[]> {
  const policy = { terms: defaultTerms, redeemStaff: [], codeHash: undefined, presentedHash: undefined };
  const times = context.quick ? 20_000 : 100_000;
  const [apply] = returnOf(1, 2) as [Asked];
  const decisions = (state: OrderState) => (): number => {
    const begun = performance.now();
    for (let time = 0; time < times; time += 1) {
      const decided = decide({ command: apply.command, actor: apply.actor, policy }, state, apply.at + day);
      if (E.isLeft(decided)) throw new Error(`refused: ${JSON.stringify(decided.left)}`);
    }
    return times / ((performance.now() - begun) / 1_000);
  };
  const compared = await alternate(context.rounds, decisions(withPast(0)), decisions(withPast(50)));
  return [
    {
      name: "past",
      measure: "deciding ApplyRefund on an order with 50 past cases",
      value: compared.value,
      unit: "decisions/s",
      yardstick: { name: "with none", value: compared.yardstick },
      ratio: compared.ratio,
      spread: compared.spread,
      floor: { atLeast: 0.5 },
    },
  ];
}

/** An engine whose store holds so many cases that wait for the merchant: five an order. */
async function withCases(context: Context, count: number): Promise<Subject> {
  const file = await context.made(`cases-${count}`, async (path) => {
    const maker = await openSubject(path);
    const chunk = 4_096;
    for (let from = 0; from < count / 5; from += chunk) {
      const orders = Math.min(chunk, count / 5 - from);
      await receivedOrders(maker, from, orders);
      const queue = Array.from({ length: orders }, (_, index) =>
        fresh([0, 1, 2, 3, 4].map((line) => returnOf(from + index, line)[0] as Asked)),
      );
      await drive(queue, 1_024, (asked) => maker.execute(asked));
    }
    await maker.settle();
    await maker.close();
  });
  return openSubject(file);
}

export async function lists(context: Context): Promise<readonly Row[]> {
  const many = context.full ? 1_000_000 : context.quick ? 20_000 : 100_000;
  const small = await withCases(context, 1_000);
  const large = await withCases(context, many);
  const times = context.quick ? 200 : 1_000;
  const pages = (read: () => Promise<unknown>) => async (): Promise<number> => {
    const begun = performance.now();
    for (let time = 0; time < times; time += 1) await read();
    return times / ((performance.now() - begun) / 1_000);
  };
  const rows: Row[] = [];
  try {
    for (const [list, read] of [
      ["a merchant's refund history page", (subject: Subject) => subject.refundHistory()],
      ["the merchant's queue", (subject: Subject) => subject.queue()],
    ] as const) {
      const compared = await alternate(
        context.rounds,
        pages(() => read(small)),
        pages(() => read(large)),
      );
      rows.push({
        name: "lists",
        measure: `${list} at ${many.toLocaleString("en-GB")} cases`,
        value: compared.value,
        unit: "pages/s",
        yardstick: { name: "at 1,000", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        ...(context.full ? {} : { note: "at 1,000,000 cases with --full" }),
      });
    }
  } finally {
    await small.close();
    await large.close();
  }
  return rows;
}
