// What is read: lines of any length in bounded memory, and the place of every fault in a JSON text.

import { describe, expect, test } from "vitest";
import { test as property } from "@fast-check/vitest";
import fc from "fast-check";

import { type InputLine, jsonFault, parseJson, readLines } from "../../src/cli/input.ts";

async function linesOf(
  chunks: readonly (Uint8Array | string)[],
  most?: number,
): Promise<readonly InputLine[]> {
  const lines: InputLine[] = [];
  const input = (async function* () {
    yield* chunks;
  })();
  for await (const some of readLines(input, most)) lines.push(...some);
  return lines;
}

const texts = (lines: readonly InputLine[]) => lines.map((line) => ("text" in line ? line.text : line.fault));

describe("readLines", () => {
  test("numbers lines, leaves out empty ones, needs no last newline, takes CRLF and a byte order mark", async () => {
    const lines = await linesOf(["\ufeff1\r\n\n  \n", "2\n3"]);
    expect(lines.map(({ number }) => number)).toEqual([1, 4, 5]);
    expect(texts(lines)).toEqual(["1\r", "2", "3"]);
  });

  test("gives nothing of nothing", async () => {
    expect(await linesOf([])).toEqual([]);
    expect(await linesOf(["\n\n"])).toEqual([]);
  });

  property.prop([
    fc.array(
      fc
        .string({ unit: "grapheme", minLength: 1 })
        .filter((text) => text.trim() !== "" && !/[\n\ufeff]/.test(text)),
      { minLength: 1 },
    ),
    fc.integer({ min: 1, max: 9 }),
  ])("gives the same lines however the bytes are cut", async (given, size) => {
    const bytes = Buffer.from(`${given.join("\n")}\n`);
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    expect(texts(await linesOf(pieces))).toEqual(given);
  });

  test("names a line over the bound, and goes on behind it", async () => {
    const long = ["a".repeat(6), "a".repeat(6), "a".repeat(6)];
    const lines = await linesOf(["1\n", ...long, "\n2\n12345678901\n3"], 10);
    expect(texts(lines)).toEqual(["1", "longer than 10 bytes", "2", "longer than 10 bytes", "3"]);
    expect(lines.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
  });

  test("takes a line of just the bound, in one piece or several", async () => {
    const ten = "1234567890";
    expect(texts(await linesOf([ten, "\n", ten.slice(0, 4), ten.slice(4), `\n${ten}`], 10))).toEqual([
      ten,
      ten,
      ten,
    ]);
  });

  test("keeps nothing of a line over the bound: a gigabyte of it costs no memory", async () => {
    const chunk = Buffer.alloc(1024 * 1024, 0x61);
    let read = 0;
    let most = 0;
    const input = (async function* () {
      for (; read < 1024; read += 1) {
        most = Math.max(most, process.memoryUsage().arrayBuffers);
        yield chunk;
      }
      yield Buffer.from("\n7\n");
    })();
    const before = process.memoryUsage().arrayBuffers;
    const lines: InputLine[] = [];
    for await (const some of readLines(input)) lines.push(...some);
    expect(texts(lines)).toEqual(["longer than 4194304 bytes", "7"]);
    expect(most - before).toBeLessThan(64 * 1024 * 1024);
  });

  test("an overlong last line without an end is named too", async () => {
    expect(texts(await linesOf(["a".repeat(11)], 10))).toEqual(["longer than 10 bytes"]);
  });

  test("refuses what is not UTF-8, and takes the character that stands for it", async () => {
    const lines = await linesOf([Buffer.from([0x22, 0xff, 0x22, 0x0a]), '"\ufffd"\n']);
    expect(texts(lines)).toEqual(["not UTF-8", '"\ufffd"']);
  });
});

describe("jsonFault", () => {
  test.each([
    ["{", 1, 2, 'the text ends where there must be a key in double quotes or "}"'],
    ['{"a":1,}', 1, 8, "expected a key in double quotes"],
    ["[1,]", 1, 4, "expected a value"],
    ["[1 2]", 1, 4, 'expected "," or "]"'],
    ['{"a" 1}', 1, 6, 'expected ":"'],
    ['{"a":1 "b"}', 1, 8, 'expected "," or "}"'],
    ["", 1, 1, "the text ends where there must be a value"],
    ["[", 1, 2, "the text ends where there must be a value"],
    ["NaN", 1, 1, "NaN is no value of JSON"],
    ['{"a":Infinity}', 1, 6, "Infinity is no value of JSON"],
    ["[01]", 1, 2, "01 is no value of JSON"],
    ["[1.]", 1, 2, "1. is no value of JSON"],
    ["[undefined]", 1, 2, "undefined is no value of JSON"],
    ["{'a':1}", 1, 2, 'expected a key in double quotes or "}"'],
    ['"abc', 1, 5, "the text ends inside a string"],
    ['"a\u0000"', 1, 3, "a control character in a string must be escaped"],
    ['"\\x"', 1, 2, "no such escape in a string"],
    ["{} {}", 1, 4, "something follows after the end of the document"],
    ['{\n  "龙": 茶\n}', 2, 8, "expected a value"],
  ])("%s: %i:%i %s", (text, line, column, rule) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(jsonFault(text)).toEqual({ line, column, rule });
  });

  property.prop([
    fc.json(),
    fc.nat(),
    fc.constantFrom("", '"', "{", "}", "[", ",", ":", "x", "1", "\\", "\u0001"),
  ])("finds a fault in whatever JSON.parse refuses, and at the place of the first", (good, at, put) => {
    const cut = at % (good.length + 1);
    const text = good.slice(0, cut) + put + good.slice(cut + 1);
    try {
      JSON.parse(text);
    } catch {
      const { line, column, rule } = jsonFault(text);
      const before = [...(text.split("\n")[line - 1] ?? "")].slice(0, column - 1).join("");
      // Everything in front of the place is the beginning of some document.
      if (!rule.startsWith("the text ends"))
        expect(jsonFault(before).rule).toMatch(/^the text ends|^no such escape/);
    }
  });

  test("no depth is too deep", () => {
    expect(jsonFault("[".repeat(1_000_000))).toEqual({
      line: 1,
      column: 1_000_001,
      rule: "the text ends where there must be a value",
    });
  });
});

test("parseJson begins with the place", () => {
  expect(parseJson('\ufeff{"a":1}', "x")).toEqual({ a: 1 });
  expect(() => parseJson('{\n "a": tru\n}', "terms.json")).toThrow(
    "terms.json:2:7: not JSON: tru is no value of JSON",
  );
});
