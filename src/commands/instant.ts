// An instant as people write it, and as programs give it.

import { limits } from "../domain/limits.ts";

const iso = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * Milliseconds UTC of ISO 8601 (without an offset UTC, a date alone its first millisecond) or of milliseconds UTC; undefined for anything
 * else, for a day that no calendar has, and for what lies outside the engine's time.
 */
export function readInstant(text: string): number | undefined {
  const at = /^\d{1,15}$/.test(text) ? Number(text) : isoInstant(text);
  return at === undefined || at < limits.earliest || at > limits.latest ? undefined : at;
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

/**
 * The whole millisecond of an instant that a program gives.
 * @throws RangeError naming it where no event can carry it.
 */
export function wholeInstant(given: number, name: string): number {
  const at = Math.floor(given);
  if (at >= limits.earliest && at <= limits.latest) return at;
  throw new RangeError(`${name}: ${given} is no instant from ${limits.earliest} to ${limits.latest}`);
}
