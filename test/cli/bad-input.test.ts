// Bad input through `exec --stdin`: each gets a refusal that names it, nothing is written, and the process goes on.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";

import { describeRejection } from "../../src/domain/refusals.ts";
import { openEngine } from "../../src/engine.ts";
import {
  type HarnessLine,
  type Result,
  aftersale,
  create,
  executed,
  folder,
  minute,
  ndjson,
  noon,
  parsed,
  pay,
  review,
  ship,
} from "./aftersale.ts";

const line = { lineId: "1", goodsId: "tea", title: "Tea", unitPrice: 100, quantity: 1 };

/** The line of an order with other lines. */
const withLine = (more: object): HarnessLine => create("bad", noon, { lines: [{ ...line, ...more }] });
const withLines = (lines: readonly object[]): HarnessLine => create("bad", noon, { lines });
const raw = (part: string): string =>
  `{"commandId":"c","at":${noon},"actor":{"role":"buyer","id":"li"},"command":{"type":"CreateOrder","orderId":"bad","currency":"CNY","fulfilment":"express","lines":[{"lineId":"1","goodsId":"tea","title":"Tea","unitPrice":${part},"quantity":1}]}}`;

const most = Number.MAX_SAFE_INTEGER;

/** What is sent, the code it is answered with, and the words that must name it. */
const unreadable: readonly (readonly [name: string, sent: string | Uint8Array, words: RegExp])[] = [
  ["malformed JSON", '{"commandId":"c",}', /^stdin:1:18: not JSON: expected a key in double quotes$/],
  ["a text cut off", '{"commandId":"c', /^stdin:1:16: not JSON: the text ends inside a string$/],
  ["NaN", raw("NaN"), /^stdin:1:\d+: not JSON: NaN is no value of JSON$/],
  ["a NUL character as it is", raw('"\u0000"'), /not JSON: a control character in a string must be escaped$/],
  ["half a surrogate pair in bytes", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /^stdin:1:1: not UTF-8$/],
  ["a list", "[]", /^stdin:1:1: a line is an object of commandId, at, actor, expect, command$/],
  ["a number", "42", /^stdin:1:1: a line is an object/],
  ["null", "null", /^stdin:1:1: a line is an object/],
  ["five megabytes", `"${"x".repeat(5 * 1024 * 1024)}"`, /^stdin:1:1: longer than 4194304 bytes$/],
  ["a million brackets", "[".repeat(1_000_000), /^stdin:1:1000001: not JSON: the text ends/],
];

const refused: readonly (readonly [name: string, sent: HarnessLine | string, code: string, words: RegExp])[] =
  [
    [
      "an unknown command",
      { ...create("bad"), command: { type: "Pya", orderId: "bad" } },
      "invalidCommand",
      /^type: no such command "Pya" \(did you mean Pay\?\)$/,
    ],
    [
      "a command without a type",
      { ...create("bad"), command: { orderId: "bad" } },
      "invalidCommand",
      /^type: must name the command$/,
    ],
    [
      "no command",
      { commandId: "c", at: noon, actor: { role: "buyer", id: "li" } },
      "invalidCommand",
      /a command is an object with a type/,
    ],
    ["an empty line", {}, "invalidCommand", /commandId: .*actor: /],
    [
      "an unknown key of the line",
      { ...create("bad"), commandID: "x" } as HarnessLine,
      "invalidCommand",
      /^commandID: unknown key \(did you mean commandId\?\)$/,
    ],
    [
      "`signal`, which is the engine's own",
      { ...create("bad"), signal: {} } as HarnessLine,
      "invalidCommand",
      /^signal: unknown key$/,
    ],
    [
      "an unknown key of the command",
      create("bad", noon, { discont: 1 }),
      "invalidCommand",
      /^discont: unknown key \(did you mean discount\?\)$/,
    ],
    [
      "an unknown key of a line",
      withLine({ unitprice: 1 }),
      "invalidCommand",
      /^lines\[0\]\.unitprice: unknown key \(did you mean unitPrice\?\)$/,
    ],
    [
      "an unknown key of the actor",
      { ...create("bad"), actor: { role: "buyer", id: "li", name: "x" } },
      "invalidCommand",
      /^actor\.name: unknown key/,
    ],
    [
      "a text for an amount",
      withLine({ unitPrice: "100" }),
      "invalidCommand",
      /^lines\[0\]\.unitPrice: .*expected number/,
    ],
    [
      "a number for a text",
      withLine({ title: 1 }),
      "invalidCommand",
      /^lines\[0\]\.title: .*expected string/,
    ],
    [
      "an object for a list",
      create("bad", noon, { lines: {} }),
      "invalidCommand",
      /^lines: .*expected array/,
    ],
    [
      "an unknown role",
      { ...create("bad"), actor: { role: "seller", id: "li" } },
      "invalidCommand",
      /^actor\.role: /,
    ],
    ["a negative amount", withLine({ unitPrice: -1 }), "invalidCommand", /^lines\[0\]\.unitPrice: .*>=0/],
    [
      "a fractional amount",
      withLine({ unitPrice: 0.5 }),
      "invalidCommand",
      /^lines\[0\]\.unitPrice: must be whole minor units, and is 0\.5$/,
    ],
    ["an amount of null", withLine({ unitPrice: null }), "invalidCommand", /^lines\[0\]\.unitPrice: /],
    ["2^53", raw("9007199254740992"), "invalidCommand", /^lines\[0\]\.unitPrice: .*9007199254740991/],
    [
      "2^53 + 1, which a float cannot hold",
      raw("9007199254740993"),
      "invalidCommand",
      /^lines\[0\]\.unitPrice: /,
    ],
    ["an overflowing amount", raw("1e400"), "invalidCommand", /^lines\[0\]\.unitPrice: /],
    [
      "a line whose sum overflows",
      withLine({ unitPrice: most, quantity: 2 }),
      "amountTooLarge",
      /^lines: the sum exceeds 9007199254740991 minor units/,
    ],
    [
      "lines whose sum overflows",
      withLines([
        { ...line, unitPrice: most },
        { ...line, lineId: "2" },
      ]),
      "amountTooLarge",
      /^lines: the sum exceeds/,
    ],
    [
      "charges whose sum overflows",
      create("bad", noon, { charges: [{ kind: "freight", amount: most }] }),
      "amountTooLarge",
      /^charges: the sum exceeds/,
    ],
    ["a quantity of 0", withLine({ quantity: 0 }), "invalidCommand", /^lines\[0\]\.quantity: /],
    ["an order without lines", withLines([]), "invalidCommand", /^lines: /],
    [
      "an order of 10,000 lines",
      withLines(Array.from({ length: 10_000 }, (_, n) => ({ ...line, lineId: `${n}` }))),
      "invalidCommand",
      /^lines: .*2000/,
    ],
    [
      "2,000 lines, each of them wrong",
      withLines(Array.from({ length: 2_000 }, () => ({ nonsense: 1 }))),
      "invalidCommand",
      /and \d+ more$/,
    ],
    [
      "a text of 1 MB",
      withLine({ title: "x".repeat(1024 * 1024) }),
      "invalidCommand",
      /^lines\[0\]\.title: must be 1 to 500 characters, and is 1048576$/,
    ],
    [
      "an id of 1 MB",
      { ...create("bad"), commandId: "x".repeat(1024 * 1024) },
      "invalidCommand",
      /^commandId: must be 1 to 128 characters/,
    ],
    [
      "a command of 1 MB",
      create("bad", noon, { source: { text: "x".repeat(1024 * 1024) } }),
      "invalidCommand",
      /262144/,
    ],
    [
      "a lone surrogate",
      withLine({ title: "\ud800" }),
      "invalidCommand",
      /^lines\[0\]\.title: must be well-formed Unicode, and holds a lone surrogate$/,
    ],
    [
      "a NUL character",
      withLine({ title: "a\u0000b" }),
      "invalidCommand",
      /^lines\[0\]\.title: must not hold a NUL character$/,
    ],
    [
      "a NUL character in `source`",
      create("bad", noon, { source: { a: ["\u0000"] } }),
      "invalidCommand",
      /^source: "a"\[0\]: must not hold a NUL character$/,
    ],
    [
      "a time after the year 9999",
      create("bad", 253_402_300_800_000),
      "invalidCommand",
      /^at: .*253402300799999/,
    ],
    ["a time before 1970", create("bad", -1), "invalidCommand", /^at: .*>=0/],
    ["a time of text", { ...create("bad"), at: "2026-01-05" }, "invalidCommand", /^at: .*expected number/],
    ["a time with a fraction", create("bad", noon + 0.5), "invalidCommand", /^at: /],
    [
      "a time that runs backwards",
      pay("good", noon - minute),
      "timeRunsBackwards",
      /^at: 2026-01-05T11:59:00.000Z is before the order's latest event/,
    ],
    [
      "an id with $",
      { ...create("bad"), command: { ...(create("bad").command as object), orderId: "$all" } },
      "invalidCommand",
      /^orderId: must be 1 to 128 characters of/,
    ],
    [
      "an id with /",
      { ...pay("bad"), command: { ...(pay("good").command as object), payId: "a/b" } },
      "invalidCommand",
      /^payId: must be 1 to 128 characters of/,
    ],
    [
      "an id with a newline",
      { ...create("bad"), commandId: "a\nb" },
      "invalidCommand",
      /^commandId: must be 1 to 128 characters of/,
    ],
    [
      "an empty id",
      { ...create("bad"), commandId: "" },
      "invalidCommand",
      /^commandId: must be 1 to 128 characters of/,
    ],
    [
      "the id __proto__",
      { ...create("bad"), commandId: "__proto__" },
      "invalidCommand",
      /^commandId: must be 1 to 128 characters of/,
    ],
    [
      "the key __proto__",
      raw('1,"__proto__":{"title":"x"}'),
      "invalidCommand",
      /^lines\[0\]\.__proto__: unknown key/,
    ],
    [
      "the key __proto__ of the line",
      `{"__proto__":{"commandId":"c"},"command":{}}`,
      "invalidCommand",
      /^__proto__: unknown key/,
    ],
    [
      "the key __proto__ in `source`",
      `{"commandId":"c","at":1,"actor":{"role":"buyer","id":"li"},"command":{"type":"Redeem","orderId":"good","code":"A","source":{"__proto__":1}}}`,
      "invalidCommand",
      /^source: __proto__ is no key$/,
    ],
    [
      "the command `constructor`",
      { ...create("bad"), command: { type: "constructor", orderId: "bad" } },
      "invalidCommand",
      /^type: no such command "constructor"/,
    ],
    [
      "the command `__proto__`",
      { ...create("bad"), command: { type: "__proto__", orderId: "bad" } },
      "invalidCommand",
      /^type: no such command "__proto__"/,
    ],
    [
      "line ids twice",
      withLines([line, line]),
      "lineIdTwice",
      /^lines\[1\]\.lineId: line id 1 stands twice$/,
    ],
    [
      "a currency that is none",
      create("bad", noon, { currency: "RMB" }),
      "invalidCommand",
      /^currency: "[A-Za-z]+" is not a currency code of ISO 4217$/,
    ],
    [
      "a currency in small letters",
      create("bad", noon, { currency: "cny" }),
      "invalidCommand",
      /^currency: "[A-Za-z]+" is not a currency code of ISO 4217$/,
    ],
    [
      "XAU, which has no exponent",
      create("bad", noon, { currency: "XAU" }),
      "invalidCommand",
      /^currency: .*XAU/,
    ],
    [
      "a review of lines that are none",
      review("good", noon + 60 * minute),
      "orderStatusNotEligible",
      /^Review needs an order that is completed/,
    ],
    ["an expectation that is none", { ...pay("good"), expect: "latest" }, "invalidCommand", /^expect: /],
  ];

describe("bad input", () => {
  test.each(unreadable)(
    "%s is unreadable, with its place; the next line is executed",
    async (_name, sent, words) => {
      using here = folder();
      const store = `sqlite:${here.file("a.db")}`;
      const stdin = Buffer.concat([Buffer.from(sent), Buffer.from(`\n${ndjson([create("next")])}`)]);
      const ran = await aftersale(["exec", "--stdin", "--store", store], { stdin });
      const [first, second] = parsed<Result>(ran.stdout);
      expect(first).toMatchObject({ line: 1, ok: false, error: { code: "unreadable" } });
      expect(first?.error?.message).toMatch(words);
      expect(second).toMatchObject({ line: 2, ok: true });
      expect(ran.exit).toBe(3);
    },
  );

  test.each(refused)(
    "%s is refused by name; nothing is written, the next line is executed",
    async (_name, sent, code, words) => {
      using here = folder();
      const store = `sqlite:${here.file("a.db")}`;
      await executed(store, [create("good")]);
      const { exit, results } = await executed(store, [sent, create("next", noon + minute)]);
      expect(results).toHaveLength(2);
      expect(results[0]).toMatchObject({ line: 1, ok: false, error: { code } });
      expect(results[0]?.error?.message).toMatch(words);
      expect(results[1]).toMatchObject({ line: 2, ok: true });
      expect(exit).toBe(5);
      const { stdout } = await aftersale(["replay", "--check", "--json", "--store", store]);
      expect(JSON.parse(stdout)).toMatchObject({ replay: { orders: 2, events: 2 } });
    },
  );

  test("all of it in one stream: every line is answered, in order, and the good ones are done", async () => {
    const sent = [...refused.map(([, one]) => one), ...unreadable.map(([, one]) => one)].filter(
      (one): one is string | HarnessLine => !(one instanceof Uint8Array),
    );
    const lines = sent.flatMap((one, n) => [one, create(`o${n}`)]);
    const { exit, results } = await executed("memory:", lines);
    expect(results.map((one) => one.line)).toEqual(lines.map((_one, at) => at + 1));
    expect(results.filter(({ ok }) => ok)).toHaveLength(sent.length);
    expect(exit).toBe(3);
  });

  test("the engine refuses each of them too, executed or previewed, and writes nothing", async () => {
    await using engine = await openEngine({ store: "memory:" });
    const { command: first, ...by } = create("good");
    expect(E.isRight(await engine.execute(first, by as never))).toBe(true);
    const head = await engine.head();
    for (const [name, sent, code, words] of refused) {
      const { command, ...options } = (typeof sent === "string" ? JSON.parse(sent) : sent) as HarnessLine;
      // That one is the engine's own.
      if ("signal" in options) continue;
      for (const ask of ["execute", "preview"] as const) {
        const answer = await engine[ask](command, options as never);
        expect([name, E.isLeft(answer) ? answer.left.code : "accepted"]).toEqual([name, code]);
        // A harness line's own keys are looked at first, the engine's options in their order.
        const anywhere = new RegExp(words.source.replace(/^\^/, ""));
        if (E.isLeft(answer)) expect(describeRejection(answer.left)).toMatch(anywhere);
      }
    }
    expect(await engine.head()).toBe(head);
  });

  test("what is refused does not come back as more than it was", async () => {
    const { results } = await executed("memory:", [
      { ...create("bad"), [`k${"x".repeat(1024 * 1024)}`]: 1 },
      ship("bad"),
    ]);
    expect(JSON.stringify(results[0]).length).toBeLessThan(1_000);
  });

  test("refusals are safe to print, whatever was sent", async () => {
    const sent = JSON.stringify({ ...create("bad"), command: { type: "\u001b[2Jevil\n", orderId: "bad" } });
    const ran = await aftersale(["exec", sent, "--store", "memory:"]);
    expect(ran.exit).toBe(5);
    // oxlint-disable-next-line no-control-regex
    expect(ran.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(ran.stderr.split("\n")).toHaveLength(2);
  });
});
