// Taking a measure beside its yardstick in short alternating rounds, because a machine is noisy and drifts.

export interface Compared {
  /** Median of the yardstick's rounds. */
  readonly yardstick: number;
  /** Median of the subject's rounds. */
  readonly value: number;
  /** Median of each round's value over the mean of the yardsticks just before and just after it. */
  readonly ratio: number;
  /** The lowest and the highest of the rounds' ratios. */
  readonly spread: readonly [number, number];
}

export type Round = () => number | Promise<number>;

/** Yardstick, subject, yardstick, subject, ..., yardstick; the first pair warms up and is not counted. */
export async function alternate(rounds: number, yardstick: Round, subject: Round): Promise<Compared> {
  await yardstick();
  await subject();
  const values: number[] = [];
  const ratios: number[] = [];
  const yardsticks = [await yardstick()];
  for (let round = 0; round < rounds; round += 1) {
    const value = await subject();
    const before = yardsticks.at(-1) as number;
    const after = await yardstick();
    yardsticks.push(after);
    values.push(value);
    ratios.push(value / ((before + after) / 2));
  }
  return {
    yardstick: median(yardsticks),
    value: median(values),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}
