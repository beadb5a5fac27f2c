// Ids and amounts for clients that keep them as JSON numbers.

import { formatAmount } from "../domain/money.ts";

/** An id as a number; as text where it is none that a client could keep exactly. */
export function idOf(id: string): number | string {
  return /^(0|[1-9]\d{0,15})$/.test(id) && Number.isSafeInteger(Number(id)) ? Number(id) : id;
}

/** An amount of minor units as a number in major units. */
export function amountOf(minor: number, currency: string): number {
  return Number(formatAmount(minor, currency));
}
