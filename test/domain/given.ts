// Tests of decide as sentences: given what happened, when this is asked, exactly these facts or exactly this refusal.

import { isDeepStrictEqual } from "node:util";

import * as E from "fp-ts/lib/Either.js";
import { expect } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import type { Command, Policy } from "../../src/domain/commands.ts";
import { type Decision, decide } from "../../src/domain/decide.ts";
import type { OrderEvent } from "../../src/domain/events.ts";
import type { Rejection } from "../../src/domain/refusals.ts";
import { fold } from "../../src/domain/state.ts";
import { policy as usual } from "./orders.ts";

/** What a decision comes to; every answer is compared whole: order, number, and keys that hold undefined included. */
export interface Answer {
  gives(events: readonly OrderEvent[]): void;
  refuses(rejection: Rejection): void;
  changesNothing(): void;
}

export function given(history: readonly OrderEvent[]) {
  return {
    when(command: Command, actor: Actor, at: number, policy: Policy = usual): Answer {
      const request = deepFreeze({ actor, command, policy });
      const decision = decide(request, deepFreeze(fold(history)), at);
      return {
        gives: (events) => exactly(decision, E.right(events)),
        refuses: (rejection) => exactly(decision, E.left(rejection)),
        changesNothing: () => exactly(decision, E.right([])),
      };
    },
  };
}

// toStrictEqual prints the difference; isDeepStrictEqual has the last word, since it takes no account of asymmetric matchers.
function exactly(actual: Decision, expected: Decision): void {
  expect(actual).toStrictEqual(expected);
  expect(isDeepStrictEqual(actual, expected), "to strictly equal, without matchers").toBe(true);
}

/** Freezes a value with all that hangs on it, so that whoever writes to it fails. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
