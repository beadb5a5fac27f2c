// What a caller may send: read into the one canonical form, or refused with every field, its rule and a suggestion.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import type { z } from "zod";

import { type ExecuteOptions, type Parsed, parse } from "../../src/commands/parse.ts";
import { type commandSchemas, expectSchema } from "../../src/commands/schemas.ts";
import type { Command, CommandType } from "../../src/domain/commands.ts";
import { commandTypes } from "../../src/domain/lifecycle.ts";
import { limits } from "../../src/domain/limits.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import { buyer, t0 } from "../domain/orders.ts";
import { shuffled, soundCommand } from "./arbitraries.ts";

const options: ExecuteOptions = { actor: buyer, commandId: "c-1", at: t0 };
const line = { lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 1_000, quantity: 3 };
const order = { type: "CreateOrder", orderId: "o-1", currency: "CNY", lines: [line], fulfilment: "express" };
const pay = { type: "Pay", orderId: "o-1", payId: "p-1", amount: 5_800, channel: "online" };
const review = { type: "Review", orderId: "o-1", items: [{ lineId: "L1", rating: "good" }] };

function issuesIn(input: unknown, given: unknown = options): readonly Issue[] {
  const read = parse(input, given);
  if (E.isRight(read)) throw new Error(`was read as ${read.right.canonical}`);
  expect(read.left.code).toBe("invalidCommand");
  return read.left.issues;
}

function readAs(input: unknown, given: unknown = options): Parsed {
  const read = parse(input, given);
  if (E.isLeft(read)) throw new Error(JSON.stringify(read.left));
  return read.right;
}

function lined(over: object): object {
  return { ...order, lines: [{ ...line, ...over }] };
}

const idRule = /1 to 128 characters/;
const expectRule = /^must be "none" or a revision, a whole number from 0$/;

it("keeps the ids of fired deadlines for the system", () => {
  const dueId = "due:o-1:unpaid:1767227400000";
  expect(issuesIn(pay, { ...options, commandId: dueId })).toEqual([
    { field: "commandId", rule: "ids that begin with due: are the system's own" },
  ]);
  const system = { role: "system", id: "due" };
  expect(
    readAs({ type: "ExpireOrder", orderId: "o-1" }, { ...options, actor: system, commandId: dueId })
      .commandId,
  ).toBe(dueId);
});

describe("bad input is refused by field and rule", () => {
  const cases: readonly (readonly [
    what: string,
    input: unknown,
    field: string,
    rule: RegExp,
    suggestion?: string,
  ])[] = [
    ["nothing", undefined, "", /object with a type/],
    ["null", null, "", /object with a type/],
    ["a text", "Pay", "", /object with a type/],
    ["a number", 7, "", /object with a type/],
    ["a list", [order], "", /object with a type/],
    ["no command named", { orderId: "o-1" }, "type", /must name the command/],
    ["a command that is no text", { ...pay, type: 5 }, "type", /must name the command/],
    ["an unknown command", { ...pay, type: "Payy" }, "type", /no such command "Payy"/, "Pay"],
    [
      "a command in other letters",
      { ...order, type: "createorder" },
      "type",
      /no such command/,
      "CreateOrder",
    ],
    ["a command named by a prototype", { ...pay, type: "__proto__" }, "type", /no such command/],
    ["a command named toString", { ...pay, type: "toString" }, "type", /no such command/],
    ["a command named in a megabyte", { ...pay, type: "P".repeat(1e6) }, "type", /^no such command "P{80}"$/],
    ["an unknown key", { ...order, discont: 1 }, "discont", /unknown key/, "discount"],
    ["an unknown key of a line", lined({ quantiy: 1 }), "lines[0].quantiy", /unknown key/, "quantity"],
    [
      "an unknown key of terms",
      { ...order, terms: { bookin: true } },
      "terms.bookin",
      /unknown key/,
      "booking",
    ],
    [
      "an unknown key of a person",
      { ...order, personal: { fone: "1" } },
      "personal.fone",
      /unknown key/,
      "phone",
    ],
    [
      "a prototype as a key",
      JSON.parse(JSON.stringify(pay).replace("{", '{"__proto__":{},')),
      "__proto__",
      /unknown key/,
    ],
    ["a key that no name of ours is near", { ...pay, zzzzzzzz: 1 }, "zzzzzzzz", /unknown key/],
    ["a missing field", { ...pay, payId: undefined }, "payId", /expected string/],
    ["a wrong type", { ...pay, amount: "5800" }, "amount", /expected (int|number)/],
    ["a text for a list", { ...order, lines: "L1" }, "lines", /expected array/],
    ["a list for an object", { ...order, personal: [] }, "personal", /expected object/],
    ["a negative amount", { ...pay, amount: -1 }, "amount", />=0/],
    ["a fractional amount", { ...pay, amount: 58.5 }, "amount", /^must be whole minor units, and is 58\.5$/],
    [
      "a fractional quantity",
      lined({ quantity: 1.5 }),
      "lines[0].quantity",
      /^must be a whole number, and is 1\.5$/,
    ],
    [
      "a fractional stock",
      lined({ available: 1.5 }),
      "lines[0].available",
      /^must be a whole number, and is 1\.5$/,
    ],
    ["NaN", { ...pay, amount: Number.NaN }, "amount", /NaN/],
    ["infinity", { ...pay, amount: Infinity }, "amount", /./],
    ["2^53", { ...pay, amount: 2 ** 53 }, "amount", /<=9007199254740991/],
    ["an amount as BigInt", { ...pay, amount: 5n }, "amount", /expected (int|number)/],
    ["a quantity of none", lined({ quantity: 0 }), "lines[0].quantity", />=1/],
    ["too great a quantity", lined({ quantity: limits.quantity + 1 }), "lines[0].quantity", /<=1000000000/],
    ["an empty order", { ...order, lines: [] }, "lines", />=1/],
    ["10,000 lines", { ...order, lines: Array.from({ length: 10_000 }, () => line) }, "lines", /<=2000/],
    [
      "a megabyte of title",
      lined({ title: "T".repeat(1e6) }),
      "lines[0].title",
      /1 to 500 characters, and is 1000000/,
    ],
    ["an empty title", lined({ title: "" }), "lines[0].title", /1 to 500 characters, and is 0/],
    ["half a surrogate pair", lined({ title: "Tea \ud83c" }), "lines[0].title", /lone surrogate/],
    ["a NUL character", lined({ title: "Tea\0" }), "lines[0].title", /NUL/],
    ["an id with $", { ...pay, orderId: "$all" }, "orderId", idRule],
    ["an id with a slash", { ...pay, payId: "a/b" }, "payId", idRule],
    ["an id with a newline at its end", { ...pay, payId: "a\n" }, "payId", idRule],
    ["an empty id", { ...pay, orderId: "" }, "orderId", idRule],
    ["an id of a prototype", { ...pay, orderId: "__proto__" }, "orderId", idRule],
    ["an id too long", { ...pay, orderId: "a".repeat(129) }, "orderId", idRule],
    ["an id of a megabyte", { ...pay, orderId: "a".repeat(1e6) }, "orderId", idRule],
    ["a currency that is none", { ...order, currency: "RMB" }, "currency", /not a currency code of ISO 4217/],
    ["a currency without minor units", { ...order, currency: "XAU" }, "currency", /XAU without a minor unit/],
    ["a currency in small letters", { ...order, currency: "cny" }, "currency", /not a currency code/],
    ["a word outside its list", { ...order, fulfilment: "expres" }, "fulfilment", /"express"\|"local"/],
    [
      "a rating outside its list",
      { ...review, items: [{ lineId: "L1", rating: 5 }] },
      "items[0].rating",
      /"good"/,
    ],
    [
      "a picture that is no URL",
      { ...review, items: [{ lineId: "L1", rating: "good", pictures: ["javascript:1"] }] },
      "items[0].pictures[0]",
      /URL of http/,
    ],
    [
      "a picture of another scheme",
      { ...review, items: [{ lineId: "L1", rating: "good", pictures: ["1.jpg", " data:text/html,x"] }] },
      "items[0].pictures[1]",
      /URL of http/,
    ],
    [
      "a picture of no name",
      { ...review, items: [{ lineId: "L1", rating: "good", pictures: [""] }] },
      "items[0].pictures[0]",
      /URL of http/,
    ],
    [
      "a picture with NUL",
      { ...review, items: [{ lineId: "L1", rating: "good", pictures: ["https://a.example/\0"] }] },
      "items[0].pictures[0]",
      /URL of http/,
    ],
    ["a source that is no object", { ...order, source: "x" }, "source", /must be an object/],
    ["a source that is a list", { ...order, source: [] }, "source", /must be an object/],
    [
      "a person's source that is none",
      { ...order, personal: { source: 1 } },
      "personal.source",
      /must be an object/,
    ],
    [
      "a prototype in source",
      { ...order, source: JSON.parse('{"__proto__":1}') },
      "source",
      /__proto__ is no key/,
    ],
    [
      "a prototype within source",
      { ...order, source: { a: JSON.parse('{"__proto__":1}') } },
      "source",
      /__proto__ is no key/,
    ],
    [
      "an index as a key within source",
      { ...order, source: { a: { 10: 1 } } },
      "source",
      /key 10 looks like an array index/,
    ],
    [
      "NaN in source",
      { ...order, source: { a: [Number.NaN] } },
      "source",
      /"a"\[0\]: NaN is no number of JSON/,
    ],
    ["undefined in source", { ...order, source: { a: undefined } }, "source", /a undefined is no JSON/],
    [
      "a hole in a list of source",
      { ...order, source: { a: Array.from({ length: 1 }).concat([1]) } },
      "source",
      /undefined is no JSON/,
    ],
    ["a BigInt in source", { ...order, source: { a: 1n } }, "source", /a bigint is no JSON/],
    [
      "a function in source",
      { ...order, source: { a: { toJSON: () => 1 } } },
      "source",
      /a function is no JSON/,
    ],
    ["a Date in source", { ...order, source: { a: new Date(0) } }, "source", /plain object/],
    ["a Map in source", { ...order, source: { a: new Map([[1, 2]]) } }, "source", /plain object/],
    ["NUL in source", { ...order, source: { a: "\0" } }, "source", /NUL/],
    [
      "half a surrogate pair in a key of source",
      { ...order, source: { "\udc00": 1 } },
      "source",
      /lone surrogate/,
    ],
    ["source nested too deep", { ...order, source: { a: nested(17) } }, "source", /nested deeper than 16/],
    ["a source with a circle", { ...order, source: circle() }, "source", /nested deeper|more values/],
    [
      "a source with circles in circles",
      { ...order, source: circles() },
      "source",
      /nested deeper|more values/,
    ],
  ];

  it.each(cases.map(([what, ...rest]) => ({ what, rest })))("$what", ({ rest }) => {
    const [input, field, rule, suggestion] = rest;
    const issue = { field, rule: expect.stringMatching(rule) as string };
    expect(issuesIn(input)).toContainEqual(suggestion === undefined ? issue : { ...issue, suggestion });
  });

  const circumstances: readonly (readonly [what: string, given: unknown, field: string, rule: RegExp])[] = [
    ["no options", null, "", /expected object/],
    ["no command id", { actor: buyer }, "commandId", /expected string/],
    ["a command id with a newline", { ...options, commandId: "a\nb" }, "commandId", idRule],
    ["no actor", { commandId: "c" }, "actor", /expected object/],
    [
      "an unknown role",
      { ...options, actor: { role: "byer", id: "b" } },
      "actor.role",
      /"buyer"\|"merchant"/,
    ],
    ["an actor's id with $", { ...options, actor: { role: "buyer", id: "$b" } }, "actor.id", idRule],
    ["a time before 1970", { ...options, at: -1 }, "at", />=0/],
    ["a time after 9999", { ...options, at: limits.latest + 1 }, "at", /<=253402300799999/],
    ["a fractional time", { ...options, at: 1.5 }, "at", /^must be a whole number, and is 1\.5$/],
    ["a time in words", { ...options, at: "2026-01-01" }, "at", /expected number/],
    ["an expectation in words", { ...options, expect: "latest" }, "expect", expectRule],
    ["a fractional expectation", { ...options, expect: 1.5 }, "expect", expectRule],
    ["an expectation that is a truth", { ...options, expect: true }, "expect", expectRule],
    ["an expectation of null", { ...options, expect: null }, "expect", expectRule],
    ["a negative revision", { ...options, expect: -1n }, "expect", /./],
  ];

  it.each(circumstances)("of the circumstances: %s", (_what, given, field, rule) => {
    expect(issuesIn(pay, given)).toContainEqual({ field, rule: expect.stringMatching(rule) as string });
  });

  it("an unknown option, with a suggestion", () => {
    expect(issuesIn(pay, { ...options, expects: 1n })).toEqual([
      { field: "expects", rule: "unknown key", suggestion: "expect" },
    ]);
  });

  it("faults of the command and of its circumstances come in one answer", () => {
    const fields = issuesIn({ ...pay, amount: -1, payId: "" }, { ...options, at: -1 }).map(
      ({ field }) => field,
    );
    expect(new Set(fields)).toEqual(new Set(["at", "amount", "payId"]));
  });

  it("a million faults are counted, twenty are told", () => {
    const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`key${at}`, 1]));
    const issues = issuesIn({ ...pay, ...keys });
    expect(issues).toHaveLength(21);
    expect(issues[20]).toEqual({ field: "", rule: "and 99980 more" });
  });

  it("a getter that throws is the caller's own defect, and is thrown", () => {
    const trap = {
      ...pay,
      get amount(): number {
        throw new RangeError("trap");
      },
    };
    expect(() => parse(trap, options)).toThrow("trap");
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

function circle(): object {
  const round: Record<string, unknown> = {};
  round["again"] = round;
  return round;
}

function circles(): object {
  const round: Record<string, unknown> = {};
  for (let at = 0; at < 10; at += 1) round[`again${at}`] = round;
  return round;
}

describe("what is read", () => {
  it("takes each limit's last value", () => {
    readAs(lined({ quantity: limits.quantity, title: "售".repeat(500), unitPrice: Number.MAX_SAFE_INTEGER }));
    readAs({ ...pay, amount: Number.MAX_SAFE_INTEGER, payId: "a".repeat(128) });
    readAs({ ...order, lines: Array.from({ length: 2_000 }, (_, at) => ({ ...line, lineId: `L${at}` })) });
    readAs(pay, { ...options, at: limits.latest });
    readAs(pay, { ...options, at: 0 });
    readAs({ ...order, source: { a: nested(15) } });
    readAs({ ...order, currency: "JPY" });
    // Astral characters are one each, however many units they take.
    readAs(lined({ title: "🍵".repeat(500) }));
  });

  it("is a copy: what the caller does to the original later changes nothing", () => {
    const source = { deep: { list: [1, 2] } };
    const { command } = readAs({ ...order, source });
    source.deep.list.push(3);
    expect(command).toMatchObject({ source: [["deep", { list: [1, 2] }]] });
  });

  it("holds source as pairs sorted by key, at every depth in one order", () => {
    const { command } = readAs({ ...order, source: { b: { z: 1, a: { y: 1, x: 2 } }, 10: "ten", a: -0 } });
    expect(JSON.stringify((command as { source?: unknown }).source)).toBe(
      '[["10","ten"],["a",0],["b",{"a":{"x":2,"y":1},"z":1}]]',
    );
  });

  it("reads -0 as the 0 that is stored, wherever a number is kept", () => {
    const apply = { type: "ApplyRefund", orderId: "o-1", caseId: "k", lineId: "L1", caseType: "exchange" };
    const asked = { ...apply, quantity: -0, amount: -0, causeType: -0 };
    expect(readAs(asked).command).toStrictEqual({ ...apply, quantity: 0, amount: 0, causeType: 0 });
    const terms = { payWindowMinutes: 0, autoConfirmDays: 0, evidenceMax: 0 };
    const none = { payWindowMinutes: -0, autoConfirmDays: -0, evidenceMax: -0 };
    expect(readAs({ ...order, discount: -0, terms: none }).command).toStrictEqual({
      ...order,
      discount: 0,
      terms,
    });
    expect(readAs(pay, { ...options, at: -0 }).at).toBe(0);
  });

  it.each([
    ["none", "none"],
    ["0", 0n],
    ["12", 12n],
    [3, 3n],
    [9_007_199_254_740_993n, 9_007_199_254_740_993n],
    [undefined, undefined],
  ])("the expectation %s as %s", (given, read) => {
    expect(readAs(pay, { ...options, expect: given }).expect).toBe(read);
  });

  it("has a canonical text that does not know in which order the keys were written", () => {
    fc.assert(
      fc.property(soundCommand, fc.infiniteStream(fc.nat()), (command, chance) => {
        const one = readAs(command);
        const other = readAs(shuffled(command, chance), shuffled(options, chance));
        expect(other.canonical).toBe(one.canonical);
        expect(JSON.stringify(JSON.parse(one.canonical))).toBe(one.canonical);
      }),
    );
  });

  it("has a canonical text that names command id, actor and command, and nothing else", () => {
    const { canonical } = readAs({ ...pay, method: undefined }, { ...options, expect: "none", at: 5 });
    expect(canonical).toBe(
      '{"commandId":"c-1","actor":{"role":"buyer","id":"buyer-1"},"command":{"type":"Pay","orderId":"o-1","payId":"p-1","amount":5800,"channel":"online"}}',
    );
  });

  it("never holds keys that were not asked for, whatever hangs on a prototype", () => {
    const inherited: unknown = Object.assign(Object.create({ method: "wire" }) as object, pay);
    const { canonical } = readAs(inherited);
    expect(JSON.parse(canonical)).toHaveProperty("command.amount", 5_800);
  });
});

describe("the size of a command", () => {
  const room = limits.commandBytes;
  const sized = (bytes: number) => {
    const empty = { ...order, source: { a: "", b: "" } };
    const rest = bytes - Buffer.byteLength(readAs(empty).canonical);
    return {
      ...order,
      source: { a: "x".repeat(Math.min(rest, 200_000)), b: "x".repeat(Math.max(0, rest - 200_000)) },
    };
  };

  it("may be 256 KiB", () => {
    expect(Buffer.byteLength(readAs(sized(room)).canonical)).toBe(room);
  });

  it("may not be a byte more", () => {
    expect(issuesIn(sized(room + 1))).toEqual([
      { field: "", rule: `a command is at most ${room} bytes, and this is ${room + 1}` },
    ]);
  });

  it("is counted in bytes of UTF-8, not in characters", () => {
    const source = { a: "售".repeat(90_000) };
    expect(issuesIn({ ...order, source })).toEqual([
      {
        field: "",
        rule: expect.stringMatching(/^a command is at most 262144 bytes, and this is 27\d{4}$/) as string,
      },
    ]);
  });
});

describe("the schemas and the domain", () => {
  it("are of one mind about every command's shape", () => {
    // Types only: it is the compiler that fails here.
    type Out<T extends CommandType> = z.output<(typeof commandSchemas)[T]>;
    const commandOf = <T extends CommandType>(read: Out<T>): Command => read as unknown as Command;
    expect(commandOf).toBeTypeOf("function");
    const created: Command<"CreateOrder"> = {} as Out<"CreateOrder">;
    const paid: Command<"Pay"> = {} as Out<"Pay">;
    const shipped: Command<"Ship"> = {} as Out<"Ship">;
    const corrected: Command<"CorrectShipment"> = {} as Out<"CorrectShipment">;
    const reviewed: Command<"Review"> = {} as Out<"Review">;
    const redeemed: Command<"Redeem"> = {} as Out<"Redeem">;
    const cancelled: Command<"CancelOrder"> = {} as Out<"CancelOrder">;
    const purchased: Command<"MarkPurchased"> = {} as Out<"MarkPurchased">;
    const surplus: Command<"RecordTaxSurplus"> = {} as Out<"RecordTaxSurplus">;
    expect([
      created,
      paid,
      shipped,
      corrected,
      reviewed,
      redeemed,
      cancelled,
      purchased,
      surplus,
    ]).toHaveLength(9);
  });

  it("know the same commands", () => {
    for (const type of commandTypes)
      expect(issuesIn({ type }).map(({ field }) => field)).toContain("orderId");
  });

  it("say of an expectation what it may be", () => {
    expect(expectSchema.safeParse("01").success).toBe(false);
    expect(expectSchema.safeParse("12345678901234567890").success).toBe(false);
  });
});
