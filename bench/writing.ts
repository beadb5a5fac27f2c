// Commands in, durable events out: one at a time, 64 and 1,024 in flight, and at random among many orders.

import { rmSync } from "node:fs";

import type { Context } from "./context.ts";
import { alternate, median } from "./rounds.ts";
import { type Row, figure } from "./rows.ts";
import { type Subject, openSubject } from "./subject.ts";
import { type Asked, drive, fresh, lifeOf, lives, remaining, seeded } from "./workload.ts";
import { inserts, rowsOf, syncs } from "./yardsticks.ts";

/** Drives an engine, a round after the other. */
export class Rounds {
  readonly #subject: Subject;
  readonly #answered: number[] = [];
  #next: number;

  constructor(subject: Subject, first = 0) {
    this.#subject = subject;
    this.#next = first;
  }

  /** Whole lives of orders not used before. */
  newOrders(orders: number, inFlight: number, views: "settled" | "unasked" = "settled"): Promise<number> {
    const queue = lives(this.#next, orders);
    this.#next += orders;
    return this.of(queue, inFlight, views);
  }

  /** Commands a second, until all are answered and, unless nobody asks for them, every view has caught up. */
  async of(
    queue: readonly (readonly Asked[])[],
    inFlight: number,
    views: "settled" | "unasked" = "settled",
  ): Promise<number> {
    const begun = performance.now();
    const driven = await drive(queue, inFlight, (asked) => this.#subject.execute(asked));
    if (views === "settled") await this.#subject.settle();
    const passed = (performance.now() - begun) / 1_000;
    this.#answered.push(driven.commands / driven.seconds);
    return driven.commands / passed;
  }

  /** The same rate up to the last answer, without what the views had left to do. */
  get answered(): string {
    return `${figure(median(this.#answered))} commands/s up to the last answer`;
  }
}

export async function oneAtATime(context: Context): Promise<readonly Row[]> {
  const orders = context.quick ? 100 : 300;
  const file = context.file("one.db");
  const subject = await openSubject(file);
  const work = new Rounds(subject);
  await work.newOrders(orders, 1);
  const rows = await rowsOf(file);
  const eventsPerCommand = rows.length / (orders * 4);
  const sync = syncs(context.file("sync"), context.quick ? 150 : 400);
  const bare = await inserts(context.file("bare-1.db"), rows, 1);
  try {
    const againstF = await alternate(
      context.rounds,
      () => sync.round(),
      () => work.newOrders(orders, 1),
    );
    const againstG = await alternate(
      context.rounds,
      () => bare.round(),
      async () => (await work.newOrders(orders, 1)) * eventsPerCommand,
    );
    const created = rows.find(([, revision]) => revision === 0);
    return [
      {
        name: "one",
        measure: "one at a time, durable, views kept",
        value: againstF.value,
        unit: "commands/s",
        yardstick: { name: "F", value: againstF.yardstick },
        ratio: againstF.ratio,
        spread: againstF.spread,
        floor: { atLeast: 0.6 },
        aim: { atLeast: 0.85 },
        note: `${work.answered}; ${eventsPerCommand} events a command; an OrderCreated is ${created?.[5].length ?? 0} bytes of data and ${created?.[4].length ?? 0} of metadata`,
      },
      {
        name: "one",
        measure: "  the same in events",
        value: againstG.value,
        unit: "events/s",
        yardstick: { name: "G(1)", value: againstG.yardstick },
        ratio: againstG.ratio,
        spread: againstG.spread,
      },
    ];
  } finally {
    sync.close();
    await bare.close();
    await subject.close();
  }
}

export async function inFlight(context: Context, clients: 64 | 1_024): Promise<readonly Row[]> {
  const orders = clients * (context.quick ? 4 : 8) * (clients === 64 ? 4 : 1);
  const file = context.file(`flight-${clients}.db`);
  const subject = await openSubject(file);
  const work = new Rounds(subject);
  // The order of the rows is that of this very concurrency, since they are the engine's own.
  await work.newOrders(orders, clients);
  const rows = await rowsOf(file);
  const eventsPerCommand = rows.length / (orders * 4);
  const bare = await inserts(context.file(`bare-${clients}.db`), rows, clients);
  try {
    const compared = await alternate(
      context.rounds,
      () => bare.round(),
      async () => (await work.newOrders(orders, clients)) * eventsPerCommand,
    );
    return [
      {
        name: `${clients}`,
        measure: `${clients.toLocaleString("en-GB")} in flight`,
        value: compared.value,
        unit: "events/s",
        yardstick: { name: `G(${clients})`, value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        floor: { atLeast: clients === 64 ? 0.35 : 0.28 },
        aim: { atLeast: clients === 64 ? 0.55 : 0.45 },
        note: `${figure(compared.value / eventsPerCommand)} commands/s; ${work.answered}`,
      },
    ];
  } finally {
    await bare.close();
    await subject.close();
  }
}

export async function sharing(context: Context): Promise<readonly Row[]> {
  const subject = await openSubject(context.file("sharing.db"));
  const work = new Rounds(subject);
  try {
    const compared = await alternate(
      context.rounds,
      () => work.newOrders(context.quick ? 100 : 300, 1),
      () => work.newOrders(context.quick ? 512 : 2_048, 64),
    );
    return [
      {
        name: "sharing",
        measure: "64 in flight against one at a time",
        value: compared.value,
        unit: "commands/s",
        yardstick: { name: "one at a time", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        floor: { atLeast: 10 },
        aim: { atLeast: 20 },
      },
    ];
  } finally {
    await subject.close();
  }
}

export async function random(context: Context): Promise<readonly Row[]> {
  const existing = context.quick ? 10_000 : 100_000;
  const file = context.file("random.db");
  const maker = await openSubject(file);
  context.say(`creating ${existing.toLocaleString("en-GB")} orders ...`);
  const chunk = 10_000;
  for (let first = 0; first < existing; first += chunk) {
    const creations = Array.from({ length: chunk }, (_, index) => fresh(lifeOf(first + index).slice(0, 1)));
    await drive(creations, 1_024, (asked) => maker.execute(asked));
  }
  await maker.settle();
  await maker.close();
  // Opened anew, so that nothing of these orders is in memory.
  const subject = await openSubject(file);
  const work = new Rounds(subject, existing);
  const rest = remaining(0, existing, seeded(7));
  const each = Math.min(context.quick ? 2_000 : 8_000, Math.floor(rest.length / (context.rounds + 1)));
  let taken = 0;
  const among = () => {
    const queue = rest.slice(taken, taken + each).map((asked): readonly Asked[] => fresh([asked]));
    taken += each;
    return work.of(queue, 64);
  };
  try {
    const compared = await alternate(context.rounds, () => work.newOrders(each / 4, 64), among);
    return [
      {
        name: "random",
        measure: `64 in flight, random among ${existing.toLocaleString("en-GB")} orders`,
        value: compared.value,
        unit: "commands/s",
        yardstick: { name: "new orders", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        floor: { atLeast: 0.35 },
        aim: { atLeast: 0.6 },
      },
    ];
  } finally {
    await subject.close();
    rmSync(file, { force: true });
  }
}
