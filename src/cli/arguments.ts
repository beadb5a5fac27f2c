// The forms of arguments: instants, places in the past, actors, counts, lists; each refused with its rule.

import { InvalidArgumentError } from "commander";

import { nearest } from "../commands/suggest.ts";
import { type Actor, roles } from "../domain/actor.ts";
import { limits } from "../domain/limits.ts";
import type { AsOf } from "../engine.ts";
import { CliError, exits } from "./exits.ts";

const iso = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * An instant: ISO 8601 (without an offset UTC, a date alone its first millisecond) or milliseconds UTC.
 * @throws InvalidArgumentError on anything else, and on a day that no calendar has.
 */
export function instantOf(text: string): number {
  const at = /^\d{1,15}$/.test(text) ? Number(text) : isoInstant(text);
  if (at === undefined || at < limits.earliest || at > limits.latest) {
    throw new InvalidArgumentError(
      `${JSON.stringify(text)} is no instant such as 2010-12-05T08:26:00Z, 2010-12-05, or milliseconds UTC.`,
    );
  }
  return at;
}

function isoInstant(text: string): number | undefined {
  const match = iso.exec(text);
  if (match === null) return undefined;
  const [, date = "", time = "00:00", seconds = "00", fraction = "", offset = "Z"] = match;
  const utc = `${date}T${time}:${seconds}.${fraction.padEnd(3, "0")}Z`;
  const local = Date.parse(utc);
  // The round trip refuses 31 February, which Date.parse would move into March.
  if (Number.isNaN(local) || new Date(local).toISOString() !== utc) return undefined;
  const at = Date.parse(utc.slice(0, -1) + offset);
  return Number.isNaN(at) ? undefined : at;
}

/** A point in the past: an instant, `rev:N` (of the order) or `pos:P` (in the store); all inclusive. */
export function asOfOf(text: string): AsOf {
  const [, kind, rest = ""] = /^(rev|pos):(.*)$/.exec(text) ?? [];
  if (kind === undefined) return { time: instantOf(text) };
  if (!/^(0|[1-9]\d{0,14})$/.test(rest)) {
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
