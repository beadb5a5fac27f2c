// The frame that every dialect stands in: what is checked in which order, what a key makes the same, and what a client is never told.

import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import {
  type AskedBy,
  type Dialect,
  type Reply,
  openOperation,
  operation,
  serveDialect,
} from "../../src/dialects/dialect.ts";
import type { Ports } from "../../src/dialects/ports.ts";
import { open, tidyEngines } from "../engines.ts";
import { portsFor, post } from "./ports.ts";

tidyEngines();

const said = (word: string): Reply => ({ json: word });

const echo = operation({
  methods: ["POST"],
  path: "/echo",
  by: ["buyer"],
  read: ({ fields }: AskedBy) =>
    fields["bad"] === undefined ? E.right(fields["text"]) : E.left(said("bad")),
  run: async (text, _shop, asked) => {
    if (text === "break") throw new Error("secret detail");
    return { text, command: asked.commandId, order: asked.newId("order"), other: asked.newId("case") };
  },
  reply: (found, _query, { caller }) => ({ json: { ...found, for: caller.id } }),
});

const anyone = openOperation({
  methods: ["GET", "POST"],
  path: "/open",
  read: () => E.right(undefined),
  run: async () => undefined,
  reply: (_found, _query, { caller }) => ({ json: caller ?? "nobody" }),
});

const dialect: Dialect = {
  name: "test",
  operations: [echo, anyone],
  bodyLimit: 200,
  tokenOf: ({ headers, fields }) =>
    headers.get("x-token") ?? (typeof fields["token"] === "string" ? fields["token"] : undefined),
  noSuchOperation: () => said("nowhere"),
  wrongMethod: () => said("method"),
  unreadable: (why) => said(why),
  notLoggedIn: () => said("login"),
  forbidden: () => said("role"),
  defect: (id) => ({ json: { broken: id } }),
};

async function stand(over: Partial<Ports> = {}) {
  const engine = await open({ store: "memory:" });
  const ports = portsFor(engine, over);
  return { ports, handler: serveDialect(dialect, { engine, ports }, { prefix: "/test" }) };
}

const token = "token-of-buyer-1";

describe("a request is refused", () => {
  it.each([
    ["outside the prefix", "/echo", { token }, {}, "nowhere"],
    ["for what is no operation", "/test/none", { token }, {}, "nowhere"],
    ["with a body too large", "/test/echo", { token, text: "x".repeat(200) }, {}, "tooLarge"],
    ["with a key too long", "/test/echo", { token }, { "idempotency-key": "k".repeat(256) }, "badKey"],
    ["without a token", "/test/echo", { text: "a" }, {}, "login"],
    ["with a token of nobody's", "/test/echo", { token: "no", bad: "1" }, {}, "login"],
    ["for another role", "/test/echo", { token: "token-of-main", bad: "1" }, {}, "role"],
    ["for its own form", "/test/echo", { token, bad: "1" }, {}, "bad"],
  ])("%s", async (_what, path, fields, headers, word) => {
    const { handler } = await stand();
    expect(await post(handler, path, fields as Record<string, string>, headers)).toEqual({
      status: 200,
      body: word,
    });
  });

  it("of another method, before its body is looked at", async () => {
    const { handler } = await stand();
    const response = await handler(new Request("http://shop.example/test/echo?%ff=1", { method: "GET" }));
    expect(await response.json()).toBe("method");
  });

  it.each([
    ["application/json", "[1]", "notJson"],
    ["application/json", "{", "notJson"],
    ["text/plain", "a=1", "mediaType"],
    ["application/x-www-form-urlencoded", "a=%", "notUtf8"],
    ["application/x-www-form-urlencoded", "a=%ff", "notUtf8"],
    ["application/json", new Uint8Array([123, 255, 125]), "notUtf8"],
    ["application/x-www-form-urlencoded", new Uint8Array([97, 61, 0xe5]), "notUtf8"],
  ])("in %s that cannot be read: %s", async (type, body, word) => {
    const { handler } = await stand();
    const request = new Request("http://shop.example/test/echo", {
      method: "POST",
      headers: { "content-type": type },
      body: body as string,
    });
    expect(await (await handler(request)).json()).toBe(word);
  });
});

describe("a key", () => {
  const ask = async (handler: Parameters<typeof post>[0], key?: string, who = token) =>
    (
      await post(
        handler,
        "/test/echo",
        { token: who, text: "a" },
        key === undefined ? {} : { "idempotency-key": key },
      )
    ).body as Record<string, string>;

  it("makes the same ids again, for the same caller alone", async () => {
    const { handler } = await stand();
    const first = await ask(handler, "k-1");
    expect(await ask(handler, "k-1")).toEqual(first);
    const others = [
      await ask(handler, "k-2"),
      await ask(handler, "k-1", "token-of-buyer-2"),
      await ask(handler),
    ];
    for (const field of ["command", "order", "other"]) {
      expect(new Set([first, ...others].map((one) => one[field])).size).toBe(4);
    }
  });

  it("makes the ids that it has always made", async () => {
    const { handler } = await stand();
    expect(await ask(handler, "k")).toMatchObject({
      command: "http:4e50a83f8de2d7f4f52cc6b4486312d3dba1440b",
      order: "2719691845804377",
      other: "8894794227933824",
    });
  });

  it("is not needed: every request without one is another", async () => {
    const { handler } = await stand();
    expect((await ask(handler))["order"]).not.toBe((await ask(handler))["order"]);
  });

  it("is made up for once by a request that asks for ids, and not by one that asks for none", async () => {
    let seeds = 0;
    const { handler } = await stand({ newSeed: () => `seed-${(seeds += 1)}` });
    const { command, order, other } = await ask(handler);
    expect(seeds).toBe(1);
    expect(new Set([command, order, other]).size).toBe(3);
    await post(handler, "/test/open", { token });
    await ask(handler, "k");
    expect(seeds).toBe(1);
  });

  it("gives ids that clients may keep as numbers", async () => {
    const { handler } = await stand();
    for (let key = 0; key < 200; key += 1) {
      const { order, command } = await ask(handler, `k-${key}`);
      expect(order).toMatch(/^(0|[1-9]\d{0,15})$/);
      expect(String(Number(order))).toBe(order);
      expect(command).toMatch(/^http:[0-9a-f]{40}$/);
    }
  });
});

it("a caller is known also where none is needed", async () => {
  const { handler } = await stand();
  expect((await post(handler, "/test/open", { token })).body).toEqual({ role: "buyer", id: "buyer-1" });
  expect((await post(handler, "/test/open")).body).toBe("nobody");
});

it("a defect is logged under an id, and the id is all that the client sees", async () => {
  const { handler, ports } = await stand();
  const { status, body } = await post(handler, "/test/echo", { token, text: "break" });
  expect(status).toBe(500);
  const lines = (ports as ReturnType<typeof portsFor>).lines;
  expect(lines).toMatchObject([
    { level: "error", event: "defect", dialect: "test", id: (body as { broken: string }).broken },
  ]);
  expect(String(lines[0]?.["error"])).toContain("secret detail");
  expect(JSON.stringify(body)).not.toContain("secret");
});
