// What is printed: widths with Chinese text, tables, text made safe, JSON of bigints, colours.

import { describe, expect, test } from "vitest";

import { clip, isColoured, printable, table, toJson, widthOf } from "../../src/cli/output.ts";
import { collector } from "./aftersale.ts";

describe("widthOf", () => {
  test.each([
    ["", 0],
    ["tea", 3],
    ["龙井茶", 6],
    ["龙井 tea", 8],
    ["ｆｕｌｌ", 8],
    ["ﾊﾝｶｸ", 4],
    ["한국어", 6],
    ["カップ", 6],
    ["e\u0301", 1],
    ["が", 2],
    ["か\u3099", 2],
    ["👍", 2],
    ["👨‍👩‍👧", 2],
    ["❤️", 2],
    ["𠮷野家", 6],
    ["、。「」", 8],
    ["café", 4],
    ["a\u200bb", 2],
  ])("%s takes %i columns", (text, width) => {
    expect(widthOf(text)).toBe(width);
  });
});

test("a table's columns stand under each other whatever is in them", () => {
  const text = table(
    [{ title: "title" }, { title: "price", align: "right" }, { title: "id" }],
    [
      ["龙井茶", "58.00", "a"],
      ["Cup", "1.50", "b"],
    ],
  );
  expect(text).toBe(["title   price  id", "龙井茶  58.00  a", "Cup      1.50  b"].join("\n"));
  const columnOf = (line: string, what: string) => widthOf(line.slice(0, line.indexOf(what)));
  const [head = "", first = "", second = ""] = text.split("\n");
  expect([columnOf(head, "id"), columnOf(first, "a"), columnOf(second, "b")]).toEqual([15, 15, 15]);
});

test("a table without titles has no head; a short row is filled up", () => {
  expect(table([{ title: "" }, { title: "" }], [["a"], ["bb", "c"]], { indent: "  " })).toBe("  a\n  bb  c");
});

test("what would act on the terminal is shown, not done", () => {
  expect(printable("a\u001b[2Jb\nc\u202ed\u0000")).toBe("a\\u001b[2Jb\\u000ac\\u202ed\\u0000");
  expect(table([{ title: "" }], [["x\r\ny"]])).toBe("x\\u000d\\u000ay");
  expect(printable("龙井 “tea”")).toBe("龙井 “tea”");
});

test("clip cuts by columns, and never within a character", () => {
  expect(clip("tea", 3)).toBe("tea");
  expect(clip("龙井茶叶", 6)).toBe("龙井…");
  expect(widthOf(clip("龙井茶叶", 6))).toBeLessThanOrEqual(6);
  expect(clip("abcdef", 4)).toBe("abc…");
});

test("bigints are strings in JSON", () => {
  expect(toJson({ revision: 12345678901234567890n, list: [1n] })).toBe(
    '{"revision":"12345678901234567890","list":["1"]}',
  );
});

test("colours are for terminals that want them", () => {
  const terminal = Object.assign(collector(), { isTTY: true });
  expect(isColoured(terminal, {})).toBe(true);
  expect(isColoured(terminal, { NO_COLOR: "1" })).toBe(false);
  expect(isColoured(terminal, { NO_COLOR: "" })).toBe(true);
  expect(isColoured(terminal, { TERM: "dumb" })).toBe(false);
  expect(isColoured(collector(), {})).toBe(false);
});
