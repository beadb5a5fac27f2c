// Faults on demand, for tests only: what a node does instead of answering, and when.

import type { Expected } from "./rules.ts";

/** Where in a call a fault can be played. */
export type Moment =
  /** A call has begun. */
  | { readonly at: "call"; readonly method: string; readonly node: number }
  /** An append (or a deletion) has arrived whole, and nothing is written yet. */
  | { readonly at: "append"; readonly stream: string; readonly expected: Expected; readonly node: number }
  /** It is committed, and the answer not yet sent. */
  | { readonly at: "answer"; readonly stream: string; readonly node: number }
  /** An event is about to be sent to a reader or a subscriber. */
  | { readonly at: "event"; readonly stream: string; readonly revision: number; readonly node: number };

export type Fault =
  /** The call goes on for ever, without another word. */
  | "silence"
  /** The call alone is reset; at `answer` that is a lost answer. */
  | "reset"
  /** The call ends as UNAVAILABLE. */
  | "unavailable"
  /** The call ends as NotLeader, with the leader's address. */
  | "notLeader"
  /** The node dies under all its calls, and is there again at once. */
  | "restart"
  /** Nothing is sent for so many milliseconds. */
  | { readonly delayMs: number };

/** Asked at every moment; undefined: nothing is wrong. */
export type Faults = (moment: Moment) => Fault | undefined;

/** Faults that are ordered one by one, such as `play("reset", { at: "answer" })` for the next answer to be lost. */
export interface FaultPlan {
  readonly faults: Faults;
  play(fault: Fault, when: FaultTime): void;
  /** How many faults were played so far. */
  readonly played: number;
}

export interface FaultTime {
  readonly at: Moment["at"];
  /** How many such moments pass unharmed before; none without it. */
  readonly after?: number | undefined;
  /** How often it is played; once without it. */
  readonly times?: number | undefined;
  readonly if?: ((moment: Moment) => boolean) | undefined;
}

export function planFaults(): FaultPlan {
  const orders: {
    fault: Fault;
    at: Moment["at"];
    after: number;
    times: number;
    if: (moment: Moment) => boolean;
  }[] = [];
  let played = 0;
  return {
    get played() {
      return played;
    },
    play(fault, { at, after = 0, times = 1, if: matches = () => true }) {
      orders.push({ fault, at, after, times, if: matches });
    },
    faults(moment) {
      for (const order of orders) {
        if (order.at !== moment.at || order.times === 0 || !order.if(moment)) continue;
        if (order.after > 0) {
          order.after -= 1;
          continue;
        }
        order.times -= 1;
        played += 1;
        return order.fault;
      }
      return undefined;
    },
  };
}
