// Money: checked sums, exact shares, and the text of an amount there and back.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { currencies, currencyFault, exponentOf } from "../../src/domain/currencies.ts";
import { allocate, exactSum, formatAmount, parseAmount, sum, times } from "../../src/domain/money.ts";

const max = Number.MAX_SAFE_INTEGER;
const amount = fc.oneof(fc.nat({ max: 100 }), fc.maxSafeNat());

describe("sum and times", () => {
  it("are exact, or undefined outside the safe integers", () => {
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 8 }), (amounts) => {
        const exact = amounts.reduce((total, one) => total + BigInt(one), 0n);
        expect(sum(amounts)).toBe(exact <= BigInt(max) ? Number(exact) : undefined);
      }),
    );
    fc.assert(
      fc.property(amount, amount, (price, quantity) => {
        const exact = BigInt(price) * BigInt(quantity);
        expect(times(price, quantity)).toBe(exact <= BigInt(max) ? Number(exact) : undefined);
      }),
    );
  });

  it("at the border", () => {
    expect(sum([])).toBe(0);
    expect(sum([max])).toBe(max);
    expect(sum([max - 1, 1])).toBe(max);
    expect(sum([max, 1])).toBeUndefined();
    expect(sum([max, 1, -1])).toBeUndefined();
    expect(sum([0.1])).toBeUndefined();
    expect(times(max, 1)).toBe(max);
    expect(times(max, 2)).toBeUndefined();
    expect(times(0, max)).toBe(0);
  });
});

describe("a sum of many orders", () => {
  it.each([
    [0n, 0],
    [-1n, -1],
    [2n ** 53n - 1n, max],
    [2n ** 53n, "9007199254740992"],
    [2n ** 53n + 1n, "9007199254740993"],
    [1n - 2n ** 53n, -max],
    [-(2n ** 53n), "-9007199254740992"],
    [10n ** 30n, "1000000000000000000000000000000"],
  ])("of %d is a number where that is exact, else its digits", (exact, told) => {
    expect(exactSum(exact)).toBe(told);
  });
});

describe("allocate", () => {
  it("shares exactly, each within one unit of its exact share, equal remainders to the earlier", () => {
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1, maxLength: 12 }), (all, weights) => {
        const shares = allocate(all, weights);
        const even = weights.every((weight) => weight === 0);
        const parts = weights.map((weight) => (even ? 1n : BigInt(weight)));
        const whole = parts.reduce((total, part) => total + part, 0n);
        expect(shares).toHaveLength(weights.length);
        expect(shares.reduce((total, share) => total + BigInt(share), 0n)).toBe(BigInt(all));
        const rests = parts.map((part, index) => {
          const exact = BigInt(all) * part;
          const off = BigInt(shares[index]!) - exact / whole;
          expect(off === 0n || off === 1n).toBe(true);
          expect(off === 0n || exact % whole > 0n).toBe(true);
          return { rest: exact % whole, off };
        });
        rests.forEach((left, index) => {
          rests.slice(index + 1).forEach((right) => {
            if (left.rest >= right.rest) expect(left.off >= right.off).toBe(true);
            else expect(left.off <= right.off).toBe(true);
          });
        });
      }),
    );
  });

  it("gives equal weights, zero among them, equal shares", () => {
    expect(allocate(10, [1, 1, 1])).toStrictEqual([4, 3, 3]);
    expect(allocate(11, [0, 0, 0])).toStrictEqual([4, 4, 3]);
    expect(allocate(10, [0, 1, 0])).toStrictEqual([0, 10, 0]);
    expect(allocate(0, [3, 2])).toStrictEqual([0, 0]);
  });

  it("by the largest remainder, not by the place", () => {
    expect(allocate(100, [1, 2, 4])).toStrictEqual([14, 29, 57]);
    expect(allocate(3, [1, 9])).toStrictEqual([0, 3]);
    expect(allocate(2_000, [5_000, 5_000])).toStrictEqual([1_000, 1_000]);
    expect(allocate(max, [max, max])).toStrictEqual([4_503_599_627_370_496, 4_503_599_627_370_495]);
  });

  it("has nothing but zero to share over nobody", () => {
    expect(allocate(0, [])).toStrictEqual([]);
    expect(() => allocate(1, [])).toThrow(new RangeError("allocate: nothing to share 1 over"));
  });

  it.each<[number, readonly number[], string]>([
    [-1, [1], "-1"],
    [0.5, [1], "0.5"],
    [Number.NaN, [1], "NaN"],
    [2 ** 53, [1], "9007199254740992"],
    [1, [1, -2], "-2"],
    [1, [1.5], "1.5"],
    [1, [Infinity], "Infinity"],
  ])("of %d over %j is no sharing of money", (all, weights, named) => {
    expect(() => allocate(all, weights)).toThrow(
      new RangeError(`allocate: ${named} is no safe integer of 0 or more`),
    );
  });
});

describe("currencies", () => {
  it("are ISO 4217's with a minor unit, in order, once", () => {
    expect(currencies).toHaveLength(167);
    expect([...new Set(currencies)].sort()).toStrictEqual(currencies);
    expect(currencies.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
  });

  it("have their own number of digits", () => {
    expect(
      ["JPY", "KRW", "CNY", "USD", "GBP", "KWD", "CLF", "UYW"].map((code) => exponentOf(code)),
    ).toStrictEqual([0, 0, 2, 2, 2, 3, 4, 4]);
  });

  it("without a minor unit, out of the list, or in small letters are refused in words", () => {
    expect(currencyFault("CNY")).toBeUndefined();
    expect(currencyFault("XAU")).toBe("ISO 4217 lists XAU without a minor unit");
    for (const code of ["RMB", "cny", "", "toString", "__proto__"]) {
      expect(currencyFault(code)).toBe(`${JSON.stringify(code)} is not a currency code of ISO 4217`);
      expect(exponentOf(code)).toBeUndefined();
    }
    expect(exponentOf("XAU")).toBeUndefined();
  });
});

describe("the text of an amount", () => {
  it.each(currencies)("of %s comes back as it went", (code) => {
    const digits = exponentOf(code)!;
    fc.assert(
      fc.property(fc.nat({ max: 99_999_999 }), fc.nat({ max: 10 ** digits - 1 }), (major, minor) => {
        const units = major * 10 ** digits + minor;
        const text = formatAmount(units, code);
        const fraction = digits === 0 ? "" : `.${String(minor).padStart(digits, "0")}`;
        expect(text).toBe(`${major}${fraction}`);
        expect(parseAmount(text, code)).toBe(units);
      }),
      { numRuns: 30 },
    );
  });

  it("has a sign only where it owes", () => {
    expect(formatAmount(5_800, "CNY")).toBe("58.00");
    expect(formatAmount(-5, "CNY")).toBe("-0.05");
    expect(formatAmount(-500, "JPY")).toBe("-500");
    expect(formatAmount(0, "CNY")).toBe("0.00");
    expect(formatAmount(-0, "KWD")).toBe("0.000");
    expect(formatAmount(max, "CNY")).toBe("90071992547409.91");
  });

  it("of a sum that only its digits are exact for is exact too", () => {
    expect(formatAmount("27021597764222973", "CNY")).toBe("270215977642229.73");
    expect(formatAmount("-27021597764222973", "KWD")).toBe("-27021597764222.973");
    expect(formatAmount("27021597764222973", "JPY")).toBe("27021597764222973");
  });

  it("may leave out digits after the point", () => {
    expect(parseAmount("58", "CNY")).toBe(5_800);
    expect(parseAmount("58.0", "CNY")).toBe(5_800);
    expect(parseAmount("00000058.5", "CNY")).toBe(5_850);
    expect(parseAmount("0", "CNY")).toBe(0);
    expect(parseAmount("1.234", "KWD")).toBe(1_234);
    expect(parseAmount("99999999.9999", "CLF")).toBe(999_999_999_999);
  });

  it.each([
    ["three decimals", "1.234"],
    ["a plus", "+1"],
    ["a minus", "-1"],
    ["an exponent", "1e3"],
    ["a capital exponent", "1E3"],
    ["nine digits", "123456789"],
    ["no digit before the point", ".5"],
    ["none after it", "5."],
    ["two points", "1.2.3"],
    ["a comma", "1,5"],
    ["blanks", " 1"],
    ["a line break", "1\n"],
    ["nothing", ""],
    ["hexadecimal", "0x10"],
    ["other digits", "１２"],
    ["a word", "NaN"],
  ])("with %s is refused", (_fault, text) => {
    expect(parseAmount(text, "CNY")).toBeUndefined();
  });

  it("takes no digits after the point where the currency has none", () => {
    expect(parseAmount("500", "JPY")).toBe(500);
    expect(parseAmount("500.0", "JPY")).toBeUndefined();
  });

  it("is read exactly where ShopXO's pattern takes it, for two digits", () => {
    const shopxo = /^([0-9]{1}\d{0,7})(\.\d{1,2})?$/;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(..."0123456789.-+e ,"), { maxLength: 12 }), (letters) => {
        const text = letters.join("");
        expect(parseAmount(text, "CNY") !== undefined).toBe(shopxo.test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("in no known currency is thrown", () => {
    expect(() => formatAmount(1, "XAU")).toThrow(new RangeError('unknown currency "XAU"'));
    expect(() => parseAmount("1", "rmb")).toThrow(new RangeError('unknown currency "rmb"'));
  });
});
