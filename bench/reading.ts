// The log read back: full replay, the statistics' rebuild with its memory, and how long an answer takes.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { Context } from "./context.ts";
import { alternate } from "./rounds.ts";
import type { Row } from "./rows.ts";
import { openSubject } from "./subject.ts";
import { scan } from "./yardsticks.ts";

export async function replay(context: Context, workers: 1 | 2): Promise<readonly Row[]> {
  const file = await context.log(context.orders);
  const bare = await scan(file);
  const subject = await openSubject(file);
  try {
    const compared = await alternate(
      context.quick ? 3 : 5,
      () => bare.round(),
      () =>
        rate(bare.events, async () => {
          const folded = await subject.replay(workers);
          if (folded !== bare.events) throw new Error(`replay: ${folded} of ${bare.events} events`);
        }),
    );
    return [
      {
        name: `replay-${workers}`,
        measure: workers === 1 ? "full replay, one core" : "full replay, two workers",
        value: compared.value,
        unit: "events/s",
        yardstick: { name: "S", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        floor: { atLeast: workers === 1 ? 0.75 : 1.4 },
        aim: { atLeast: workers === 1 ? 1 : 1.7 },
        note: `over ${bare.events.toLocaleString("en-GB")} events`,
      },
    ];
  } finally {
    await subject.close();
    await bare.close();
  }
}

export async function rebuild(context: Context): Promise<readonly Row[]> {
  const file = await context.log(context.orders);
  const bare = await scan(file);
  const subject = await openSubject(file);
  try {
    const compared = await alternate(
      context.quick ? 3 : 5,
      () => bare.round(),
      () => rate(bare.events, () => subject.rebuildStatistics()),
    );
    return [
      {
        name: "rebuild",
        measure: "rebuild of order statistics",
        value: compared.value,
        unit: "events/s",
        yardstick: { name: "S", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        floor: { atLeast: 1.5 },
        aim: { atLeast: 4 },
        note: `over ${bare.events.toLocaleString("en-GB")} events`,
      },
    ];
  } finally {
    await subject.close();
    await bare.close();
  }
}

export async function answers(context: Context): Promise<readonly Row[]> {
  const many = context.full ? 1_000_000 : context.orders;
  const small = await openSubject(await context.log(1_000));
  const large = await openSubject(await context.log(many));
  const times = context.quick ? 500 : 5_000;
  const microseconds = async (subject: typeof small) => {
    const begun = performance.now();
    for (let time = 0; time < times; time += 1) await subject.statistics();
    return ((performance.now() - begun) / times) * 1_000;
  };
  try {
    const compared = await alternate(
      context.rounds,
      () => microseconds(small),
      () => microseconds(large),
    );
    return [
      {
        name: "answers",
        measure: `a statistics answer at ${many.toLocaleString("en-GB")} orders`,
        value: compared.value,
        unit: "us",
        yardstick: { name: "at 1,000", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        ...(context.full ? {} : { note: "at 1,000,000 orders with --full" }),
      },
    ];
  } finally {
    await small.close();
    await large.close();
  }
}

export async function memory(context: Context): Promise<readonly Row[]> {
  const row = { name: "memory", measure: "peak memory, statistics rebuild, 5,000,000 events" } as const;
  const bounds = { floor: { atMost: 300 }, aim: { atMost: 200 } } as const;
  if (!context.full) return [{ ...row, ...bounds, notMeasured: "only with --full" }];
  const file = await context.log(1_000_000);
  const child = fileURLToPath(new URL("./memory.js", import.meta.url));
  const told = JSON.parse(execFileSync(process.execPath, [child, file], { encoding: "utf8" })) as {
    opened: number;
    peak: number;
    seconds: number;
  };
  return [
    {
      ...row,
      ...bounds,
      value: told.peak,
      unit: "MB",
      note: `the whole process at its peak, ${Math.round(told.opened)} MB of it when the store had been opened; ${told.seconds.toFixed(1)} s`,
    },
  ];
}

async function rate(events: number, work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return events / ((performance.now() - begun) / 1_000);
}
