// The forms of arguments: instants, places in the past, actors, counts, lists; each refused with its rule.

import { InvalidArgumentError } from "commander";

import { readInstant } from "../commands/instant.ts";
import { nearest } from "../commands/suggest.ts";
import { type Actor, roles } from "../domain/actor.ts";
import type { AsOf } from "../engine.ts";
import { CliError, exits } from "./exits.ts";

/**
 * An instant, as `readInstant` has it.
 * @throws InvalidArgumentError on anything else, and on a day that no calendar has.
 */
export function instantOf(text: string): number {
  const at = readInstant(text);
  if (at === undefined) {
    throw new InvalidArgumentError(
      `${JSON.stringify(text)} is no instant such as 2010-12-05T08:26:00Z, 2010-12-05, or milliseconds UTC.`,
    );
  }
  return at;
}

/** A point in the past: an instant, `rev:N` (of the order) or `pos:P` (in the store); all inclusive. */
export function asOfOf(text: string): AsOf {
  const [, kind, rest = ""] = /^(rev|pos):(.*)$/.exec(text) ?? [];
  if (kind === undefined) return { time: instantOf(text) };
  if (!/^(0|[1-9]\d{0,18})$/.test(rest)) {
    throw new InvalidArgumentError(
      kind === "rev"
        ? "a revision is written rev:3 (they count from 0)."
        : "a position is written pos:1234, as a receipt gives it.",
    );
  }
  return kind === "rev" ? { revision: BigInt(rest) } : { position: rest };
}

/** The same where no single order is meant. */
export function boundOf(text: string): Pick<AsOf, "time" | "position"> {
  const { revision, ...bound } = asOfOf(text);
  if (revision !== undefined) {
    throw new InvalidArgumentError("a revision is one order's; give an instant or pos:P.");
  }
  return bound;
}

/** `role:id`; whether the id is a good one is for the engine to say. */
export function actorOf(text: string): Actor {
  const colon = text.indexOf(":");
  const role = roles.find((one) => one === text.slice(0, colon));
  if (role === undefined || colon === text.length - 1) {
    throw new InvalidArgumentError(`an actor is written role:id, the role one of ${roles.join(", ")}.`);
  }
  return { role, id: text.slice(colon + 1) };
}

/** A whole number within bounds. */
export function countOf(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(count >= least && count <= most)) {
      throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}.`);
    }
    return count;
  };
}

/** Words of a known list, separated by commas. */
export function listOf<T extends string>(text: string, known: readonly T[]): readonly T[] {
  return text.split(",").map((part) => {
    const word = part.trim();
    const found = known.find((one) => one === word);
    if (found !== undefined) return found;
    const near = nearest(word, known);
    throw new InvalidArgumentError(
      `there is no ${JSON.stringify(word)}${near === undefined ? "" : ` (did you mean ${near}?)`}; there are ${known.join(", ")}.`,
    );
  });
}

/** The same where what is known is loaded only once it is asked for; what is wrong is wrong usage of the flag. */
export function listFor<T extends string>(
  flag: string,
  text: string | undefined,
  known: readonly T[],
): readonly T[] | undefined {
  if (text === undefined) return undefined;
  try {
    return listOf(text, known);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new CliError(exits.usage, `${flag}: ${error.message}`, { cause: error });
  }
}
