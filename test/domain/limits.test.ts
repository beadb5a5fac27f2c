// The table of limits as design 13 and domain 2.7 state it, and which ids are safe.

import { expect, it } from "vitest";

import { idPattern, limits } from "../../src/domain/limits.ts";

it("the limits that are promised", () => {
  expect(limits).toMatchObject({
    linesPerOrder: 2_000,
    textLength: 1_000,
    reviewTextLength: 200,
    reviewPictures: 9,
    waybillLength: 60,
    commandBytes: 262_144,
    eventBytes: 1_048_576,
    idLength: 128,
  });
  expect(new Date(limits.earliest).toISOString()).toBe("1970-01-01T00:00:00.000Z");
  expect(new Date(limits.latest).toISOString()).toBe("9999-12-31T23:59:59.999Z");
});

it.each(["a", "0", "O-1", "due:o-1:unpaid:1767600000000", "a@b.c|d+e=f_g"])("%j is an id", (id) => {
  expect(idPattern.test(id)).toBe(true);
});

it.each(["", "$all", "a/b", "a\n", "\na", "a b", "__proto__", ".a", "-a", "订单", "a\u0000", "a\\b", "a%"])(
  "%j is none",
  (id) => {
    expect(idPattern.test(id)).toBe(false);
  },
);
