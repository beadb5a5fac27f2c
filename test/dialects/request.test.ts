// Forms and JSON as they are read: one text, several, arrays by their names, and prototype names like any other.

import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readFields, readForm, targetOf } from "../../src/dialects/request.ts";

function form(text: string): unknown {
  const read = readForm(text);
  return E.isRight(read) ? { ...read.right } : read.left;
}

describe("a form", () => {
  it.each([
    ["", {}],
    ["a=1&b=%E4%B8%AD+x%2B", { a: "1", b: "中 x+" }],
    ["a", { a: "" }],
    ["a=1=2&&b=", { a: "1=2", b: "" }],
    ["a=1&a=2&a=3", { a: ["1", "2", "3"] }],
    ["a[]=1", { a: ["1"] }],
    ["a[]=1&a[]=2&a=3", { a: ["1", "2", "3"] }],
    ["a=0&a%5B5%5D=1", { a: ["0", "1"] }],
    ["a[b]=1&[]=2&a[]b=3", { "a[b]": "1", "[]": "2", "a[]b": "3" }],
    ["%C0%80=1", "notUtf8"],
    ["a=%ED%A0%80", "notUtf8"],
    ["a=%zz", "notUtf8"],
    [Array.from({ length: 1_001 }, (_, at) => `a${at}`).join("&"), "tooMany"],
  ])("%s", (text, fields) => {
    expect(form(text)).toEqual(fields);
  });

  it("has no names before it is given one: those of a prototype are fields", () => {
    const read = readForm("__proto__=1&constructor=2");
    const fields = E.isRight(read) ? read.right : {};
    expect(Object.entries(fields)).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
    expect(fields["toString"]).toBeUndefined();
    const none = readForm("");
    expect(E.isRight(none) && "constructor" in none.right).toBe(false);
    expect(E.isRight(none) && "__proto__" in none.right).toBe(false);
  });

  it("reads what URLSearchParams writes, whatever the texts", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/[[\]]/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.array(fc.string({ unit: "grapheme" })), (names, values) => {
        const pairs = names.map((one, at): [string, string] => [one, values[at] ?? ""]);
        const read = readForm(new URLSearchParams(pairs).toString());
        expect(E.isRight(read) ? Object.entries(read.right) : read.left).toEqual(
          Object.entries(Object.fromEntries(pairs)),
        );
      }),
    );
  });
});

describe("a target", () => {
  it("is what URL tells of it, of whatever a request's URL may be", () => {
    const part = fc.string({ unit: fc.constantFrom(..."/?#%&=+ '\"<>[]:@;a中é".split("")), maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom("shop.example", "127.0.0.1:80", "[::1]:8080"), part, (host, rest) => {
        const { url } = new Request(`http://${host}/${rest}`);
        const { pathname, search } = new URL(url);
        expect(targetOf(url)).toEqual({ path: pathname, query: search.slice(1) });
      }),
    );
  });
});

describe("a request", () => {
  const read = async (init: RequestInit, url = "http://shop.example/x?a=q&b=q") => {
    const fields = await readFields(new Request(url, init), 50);
    return E.isRight(fields) ? { ...fields.right } : fields.left;
  };
  const json = { "content-type": "application/json; charset=utf-8" };

  it("has the fields of its query, and those of its body before them", async () => {
    expect(await read({})).toEqual({ a: "q", b: "q" });
    expect(await read({ method: "POST", headers: json, body: '{"b":[1],"__proto__":2}' })).toEqual(
      Object.defineProperty({ a: "q", b: [1] }, "__proto__", { value: 2, enumerable: true }),
    );
  });

  it("is read alike whatever came before it", async () => {
    const good = { method: "POST", headers: json, body: '{"b":"中"}' };
    for (const bad of ["\xef\xbb", "{\xe4\xb8", "\xef\xbb\xbf{\xff"]) {
      expect(await read({ ...good, body: Buffer.from(bad, "latin1") })).toBe("notUtf8");
      expect(await read(good)).toEqual({ a: "q", b: "中" });
    }
    expect(await read({ ...good, body: `\ufeff${good.body}` })).toEqual({ a: "q", b: "中" });
  });

  it("without a body needs no type", async () => {
    expect(await read({ method: "POST" })).toEqual({ a: "q", b: "q" });
    expect(await read({ method: "POST", body: "" })).toEqual({ a: "q", b: "q" });
  });

  it("is read no further than its limit, whatever length it states", async () => {
    let given = 0;
    const body = new ReadableStream({
      pull(controller) {
        given += 10;
        controller.enqueue(new TextEncoder().encode("x".repeat(10)));
      },
    });
    expect(await read({ method: "POST", headers: json, body, duplex: "half" } as RequestInit)).toBe(
      "tooLarge",
    );
    expect(given).toBeLessThan(100);
    expect(await read({ method: "POST", headers: json, body: `"${"x".repeat(60)}"` })).toBe("tooLarge");
  });
});
