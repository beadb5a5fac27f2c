// Which known word a mistyped one is near to.

import { expect, it } from "vitest";

import { nearest } from "../../src/commands/suggest.ts";

const words = ["at", "as", "expect", "commandId", "ConfirmReceipt", "phone", "Pay"];

it.each([
  ["aat", "at"],
  ["ax", "at"],
  ["Pya", "Pay"],
  ["fone", "phone"],
  ["exspekt", "expect"],
  ["CONFIRMRECEIPT", "ConfirmReceipt"],
  ["ConfrmRecipts", "ConfirmReceipt"],
  ["k0", undefined],
  ["x", undefined],
  ["", undefined],
  ["abcdef", undefined],
  ["x".repeat(65), undefined],
])("to %j is %j", (word, known) => {
  expect(nearest(word, words)).toBe(known);
});
