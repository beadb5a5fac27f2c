// The same rules for the peers: our own decide and evolve, so that only the machinery around them is compared.

import { isLeft } from "fp-ts/lib/Either.js";

import { decide } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import type { OrderState } from "../../src/domain/state.ts";
import { defaultTerms } from "../../src/domain/terms.ts";
import type { Asked, Execute } from "../workload.ts";

/** What a peer gives the bench: a way to execute one command durably. */
export interface Peer {
  readonly about: string;
  readonly execute: Execute;
  close(): Promise<void>;
}

/** The facts of a command, or an Error: no command of the bench is ever to be refused. */
export function factsOf({ command, actor, at, commandId }: Asked, state: OrderState): readonly OrderEvent[] {
  const decided = decide({ command, actor, policy: { terms: defaultTerms, redeemStaff: [] } }, state, at);
  if (isLeft(decided)) throw new Error(`${commandId} was refused: ${JSON.stringify(decided.left)}`);
  return decided.right;
}

/** A package of bench/node_modules; by a name that the compiler does not resolve, since it may not be installed. */
export async function installed<T>(name: string): Promise<T> {
  const loaded = (await import(name)) as { default?: T } & T;
  return loaded;
}
