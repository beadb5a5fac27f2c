// One order's course, command by command, as decide and evolve alone have it: what each was asked on, its answer, and what came of it.

import { isDeepStrictEqual } from "node:util";

import * as E from "fp-ts/lib/Either.js";
import { expect } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import type { Command, Policy } from "../../src/domain/commands.ts";
import { type Decision, decide } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import { type OrderState, evolve, initialState } from "../../src/domain/state.ts";
import { deepFreeze } from "./given.ts";

/** One command of the course; every value in it is frozen. */
export interface Told {
  readonly now: number;
  readonly actor: Actor;
  readonly command: Command;
  readonly policy: Policy;
  readonly before: OrderState;
  readonly answer: Decision;
  readonly after: OrderState;
  /** All facts so far, those of this command included. */
  readonly history: readonly OrderEvent[];
}

export function courseOf() {
  let state: OrderState = deepFreeze(initialState);
  let history: readonly OrderEvent[] = [];
  return {
    get state(): OrderState {
      return state;
    },
    does(actor: Actor, command: Command, policy: Policy, now: number): Told {
      const before = state;
      const answer = decide(deepFreeze({ actor, command, policy }), before, now);
      const events = E.isRight(answer) ? answer.right : [];
      state = deepFreeze(events.reduce(evolve, before));
      history = [...history, ...events];
      return { now, actor, command, policy, before, answer, after: state, history };
    },
  };
}

/** A decision in a few words: the facts, `nothing`, or the refusal's code. */
export function outcomeOf(answer: Decision): string {
  return E.isLeft(answer) ? answer.left.code : answer.right.map(({ type }) => type).join(" + ") || "nothing";
}

/** As `toStrictEqual`, which is slow where nothing differs: it is asked only for its words. */
export function same(actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  expect(actual).toStrictEqual(expected);
  expect.fail("not the same, though it prints so");
}

/** As it comes back out of JSON. */
export function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
