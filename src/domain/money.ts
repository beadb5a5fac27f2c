// Money is an integer of minor units beside an ISO 4217 code: checked and exact sums, exact shares, and the text form of an amount.

import { exponentOf } from "./currencies.ts";

/** Adds amounts of minor units; undefined where the sum leaves the safe integers. */
export function sum(amounts: Iterable<number>): number | undefined {
  let total = 0;
  for (const amount of amounts) {
    total += amount;
    if (!Number.isSafeInteger(total)) return undefined;
  }
  return total;
}

/**
 * A sum over many orders, in minor units: a number where one holds it exactly (up to 2^53 - 1), else the text of its digits, since JSON
 * has no bigint. `BigInt(sum)` reads both.
 */
export type ExactSum = number | `${bigint}`;

export function exactSum(sum: bigint): ExactSum {
  const number = Number(sum);
  return Number.isSafeInteger(number) ? number : `${sum}`;
}

/** Unit price x quantity in minor units; undefined where the product leaves the safe integers. */
export function times(unitPrice: number, quantity: number): number | undefined {
  const product = unitPrice * quantity;
  return Number.isSafeInteger(product) ? product : undefined;
}

/**
 * Shares an amount over weights by largest remainder: the shares add up to the amount exactly, each within one minor unit of its exact
 * share; equal remainders go to the earlier weight. All weights 0 counts as all weights equal. Without weights only 0 can be
 * shared.
 * @throws RangeError where the amount or a weight is no safe integer >= 0.
 */
export function allocate(amount: number, weights: readonly number[]): readonly number[] {
  for (const value of [amount, ...weights]) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`allocate: ${value} is no safe integer of 0 or more`);
    }
  }
  if (weights.length === 0) {
    if (amount !== 0) throw new RangeError(`allocate: nothing to share ${amount} over`);
    return [];
  }
  const even = weights.every((weight) => weight === 0);
  const parts = weights.map((weight) => BigInt(even ? 1 : weight));
  const whole = parts.reduce((total, part) => total + part, 0n);
  const shares = parts.map((part) => (BigInt(amount) * part) / whole);
  const remainders = parts.map((part, index) => ({ index, rest: (BigInt(amount) * part) % whole }));
  let left = BigInt(amount) - shares.reduce((total, share) => total + share, 0n);
  remainders.sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1));
  for (const { index } of remainders) {
    if (left === 0n) break;
    shares[index] = (shares[index] as bigint) + 1n;
    left -= 1n;
  }
  return shares.map(Number);
}

/**
 * An amount of minor units as text in major units: 5800 CNY is "58.00", 500 JPY is "500".
 * @throws RangeError on a currency outside the table.
 */
export function formatAmount(minor: ExactSum, currency: string): string {
  const exponent = requireExponent(currency);
  const text = String(minor);
  const sign = text.startsWith("-") ? "-" : "";
  const digits = text.slice(sign.length).padStart(exponent + 1, "0");
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/**
 * Reads text in major units as minor units: at most 8 digits before the point and the currency's own digits after it (ShopXO:
 * `^([0-9]{1}\d{0,7})(\.\d{1,2})?$`), no sign, no exponent. Undefined where the text is not of that form.
 * @throws RangeError on a currency outside the table.
 */
export function parseAmount(text: string, currency: string): number | undefined {
  const exponent = requireExponent(currency);
  const match = /^(\d{1,8})(?:\.(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const fraction = match[2] ?? "";
  if (fraction.length > exponent) return undefined;
  return Number((match[1] as string) + fraction.padEnd(exponent, "0"));
}

function requireExponent(currency: string): number {
  const exponent = exponentOf(currency);
  if (exponent === undefined) throw new RangeError(`unknown currency ${JSON.stringify(currency)}`);
  return exponent;
}
