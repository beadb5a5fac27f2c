// What each event of an order changed in its state, field by field.

import { type OrderState, evolve, initialState } from "../domain/state.ts";
import type { Envelope } from "../store/codec.ts";

/** One field that differs; a side is undefined where the field is not there. */
export interface Change {
  /** Such as `payments[0].amount`. */
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface Step {
  readonly envelope: Envelope;
  readonly state: OrderState;
  readonly changes: readonly Change[];
}

/** Folds an order's events, oldest first, and says of each what it changed. */
export function stepsOf(envelopes: readonly Envelope[]): readonly Step[] {
  let state: OrderState = initialState;
  return envelopes.map((envelope) => {
    const before = state;
    state = evolve(state, envelope.event);
    return { envelope, state, changes: changesBetween(before, state) };
  });
}

/** The fields in which two plain values differ, in the order of the later one's. */
export function changesBetween(before: unknown, after: unknown): readonly Change[] {
  const changes: Change[] = [];
  collect(before, after, "", changes);
  return changes;
}

function collect(before: unknown, after: unknown, field: string, into: Change[]): void {
  const [a, b] = [partsOf(before), partsOf(after)];
  if (Object.is(before, after) || (a === undefined && b === undefined && alike(before, after))) return;
  // What appears or goes as a whole is listed part by part too, so that every value stands in a line of its own.
  if (a === undefined && b === undefined) {
    into.push({ field, before, after });
    return;
  }
  if (before !== undefined && a === undefined && !isEmpty(before))
    into.push({ field, before, after: undefined });
  const list = Array.isArray(after ?? before);
  const keys = new Set([...Object.keys(b ?? {}), ...Object.keys(a ?? {})]);
  for (const key of keys) {
    const path = list ? `${field}[${key}]` : field === "" ? key : `${field}.${key}`;
    collect(a?.[key], b?.[key], path, into);
  }
  if (after !== undefined && b === undefined && !isEmpty(after))
    into.push({ field, before: undefined, after });
}

/** An object or a list without parts: what is filled, or emptied, is told by its parts. */
export function isEmpty(value: unknown): boolean {
  return value !== null && typeof value === "object" && Object.keys(value).length === 0;
}

/** Whether two plain values, or lists of them, say the same. */
function alike(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

/** The fields of an object, or of a list that holds some; undefined for a plain value, and for what is empty or a list of plain values. */
function partsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === null || typeof value !== "object") return undefined;
  const parts: readonly unknown[] = Object.values(value);
  const whole = Array.isArray(value)
    ? parts.every((part) => part === null || typeof part !== "object")
    : parts.length === 0;
  return whole ? undefined : (value as Readonly<Record<string, unknown>>);
}
