// What is legal, asked of the derived moves and of XState's own transition(), on the same random walk.

import { transition } from "xstate";

import {
  type ChartStatus,
  type OrderCommandType,
  type Outcome,
  commandTypes,
  isLegal,
  orderMachine,
  orderMoves,
  orderStatuses,
} from "../src/domain/lifecycle.ts";
import { type Compared, alternate } from "./rounds.ts";
import { seeded } from "./workload.ts";

interface Step {
  readonly from: ChartStatus;
  readonly outcome: Outcome;
  readonly command: OrderCommandType;
}

/** Steps a second of both; throws where they differ on any step. */
export async function legality(
  steps: number,
  rounds: number,
): Promise<Compared & { readonly steps: number; readonly legal: number }> {
  const walk = randomWalk(steps);
  const snapshots = new Map(
    (["none", ...orderStatuses] as const).map((status) => [
      status,
      orderMachine.resolveState({ value: status }),
    ]),
  );
  const legal = agree(walk, snapshots);
  let sink = 0;
  const ours = () => {
    const repeats = 200;
    const begun = performance.now();
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (const { from, command } of walk) if (isLegal(from, command)) sink += 1;
    }
    return (walk.length * repeats) / ((performance.now() - begun) / 1_000);
  };
  const theirs = () => {
    const begun = performance.now();
    for (const { from, outcome } of walk) {
      const [next] = transition(orderMachine, snapshots.get(from) as Snapshot, { type: outcome });
      if (next.value !== from) sink += 1;
    }
    return walk.length / ((performance.now() - begun) / 1_000);
  };
  const compared = await alternate(rounds, theirs, ours);
  if (sink === 0) throw new Error("no step was legal");
  return { ...compared, steps: walk.length, legal };
}

type Snapshot = ReturnType<typeof orderMachine.resolveState>;

const outcomes: readonly Outcome[] = [...new Set(orderMoves.map((move) => move.outcome))];

/** Any outcome at any time; a legal one leads on, and from where only facets are left the walk begins anew. */
function randomWalk(count: number): readonly Step[] {
  const random = seeded(20_260_101);
  const walk: Step[] = [];
  let from: ChartStatus = "none";
  while (walk.length < count) {
    const outcome = outcomes[Math.floor(random() * outcomes.length)] as Outcome;
    const command = commandTypes.find((type) => type === outcome.split("/")[0]) as OrderCommandType;
    walk.push({ from, outcome, command });
    const move = orderMoves.find((one) => one.from === from && one.outcome === outcome);
    if (move !== undefined) from = move.to;
    const over = from === "completed" || from === "cancelled" || from === "closed";
    if (over && random() < 0.1) from = "none";
  }
  return walk;
}

/**
 * How many of the steps are legal, by both and alike: the same verdict and, where legal, the same next status. A command is legal where
 * one of its outcomes is.
 */
function agree(walk: readonly Step[], snapshots: ReadonlyMap<ChartStatus, Snapshot>): number {
  let legal = 0;
  for (const { from, outcome, command } of walk) {
    const snapshot = snapshots.get(from) as Snapshot;
    const [next] = transition(orderMachine, snapshot, { type: outcome });
    const theirs = snapshot.can({ type: outcome });
    const move = orderMoves.find((one) => one.from === from && one.outcome === outcome);
    const others = outcomes.filter((one) => one.split("/")[0] === command);
    const same =
      isLegal(from, command) === others.some((one) => snapshot.can({ type: one })) &&
      (move !== undefined) === theirs &&
      next.value === (move?.to ?? from);
    if (!same) throw new Error(`${from} --${outcome}-->: the moves and XState differ`);
    if (theirs) legal += 1;
  }
  return legal;
}
