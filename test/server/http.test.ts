// Real HTTP over loopback: sizes, slowness, wrong requests, and stopping with requests under way.

import { once } from "node:events";
import { type Socket, connect } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import type { FetchHandler } from "../../src/dialects/dialect.ts";
import type { LogLine } from "../../src/dialects/ports.ts";
import { createApp } from "../../src/server/app.ts";
import { type ListenOptions, type Listening, listen } from "../../src/server/listen.ts";
import { live, tidyEngines } from "../engines.ts";
import { type TestShop, openShop } from "./shop.ts";

tidyEngines();

const running: Listening[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function start(
  handler: FetchHandler,
  over: Partial<ListenOptions> = {},
): Promise<Listening & { readonly url: string; readonly lines: readonly LogLine[] }> {
  const lines: LogLine[] = [];
  const log = (line: LogLine): void => void lines.push(line);
  const listening = await listen({ handler, host: "127.0.0.1", port: 0, log, graceMs: 2_000, ...over });
  running.push(listening);
  return { ...listening, url: `http://127.0.0.1:${listening.port}`, lines };
}

async function serving(over: Partial<ListenOptions> = {}) {
  const shop: TestShop = await openShop();
  await live(shop.engine, "o-1", 1);
  return { shop, ...(await start(shop.handler, over)) };
}

const bearer = { authorization: "Bearer token-of-buyer-1" };

/** Sends bytes as they are and gives all that came back until the connection was closed. */
async function raw(port: number, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  let said = "";
  socket.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  await once(socket, "connect");
  for (const part of parts) socket.write(part);
  await once(socket, "close");
  return said;
}

function statusOf(said: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(said)?.[1]);
}

describe("over a socket", () => {
  it("answers as in process, and keeps nobody's token in its log", async () => {
    const { url, lines } = await serving();
    const answer = await fetch(`${url}/orders/o-1?token=secret-in-query`, { headers: bearer });
    expect(answer.status).toBe(400);
    expect((await fetch(`${url}/orders/o-1`, { headers: bearer })).status).toBe(200);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    await expect.poll(() => lines.length).toBe(3);
    expect(lines).toMatchObject([
      { event: "request", method: "GET", path: "/orders/o-1", status: 400 },
      { event: "request", path: "/orders/o-1", status: 200 },
      { event: "request", path: "/health", status: 200 },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/secret-in-query|token-of/);
  });

  it("refuses a head that is too large", async () => {
    const { port } = await serving({ maxHeaderBytes: 4_096 });
    const flood = Array.from({ length: 500 }, (_, at) => `x-${at}: ${"y".repeat(20)}\r\n`).join("");
    expect(statusOf(await raw(port, `GET /health HTTP/1.1\r\nhost: a\r\n${flood}\r\n`))).toBe(431);
    const long = `GET /health?${"q".repeat(8_000)} HTTP/1.1\r\nhost: a\r\n\r\n`;
    expect(statusOf(await raw(port, long))).toBe(431);
  });

  it.each([
    ["nonsense", "nonsense\r\n\r\n"],
    ["another protocol", "\u0016\u0003\u0001\u0002\u0000\u0001"],
    ["no host", "GET /health HTTP/1.1\r\n\r\n"],
    ["a host that is none", "GET /health HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n"],
    ["two lengths", "POST /commands HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    [
      "length and chunks",
      "POST /commands HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a bad chunk", "POST /commands HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
  ])("answers 400 to %s", async (_what, bytes) => {
    const { port, lines } = await serving();
    expect(statusOf(await raw(port, bytes))).toBe(400);
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("cuts off a head and a body that come too slowly", async () => {
    const { port, lines, shop } = await serving({ headersTimeoutMs: 200, requestTimeoutMs: 300 });
    const [head, body] = await Promise.all([
      raw(port, "GET /health HTTP/1.1\r\nhost:"),
      raw(
        port,
        "POST /commands HTTP/1.1\r\nhost: a\r\nauthorization: Bearer token-of-buyer-1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
      ),
    ]);
    expect([408, Number.NaN]).toContain(statusOf(head));
    expect([408, Number.NaN]).toContain(statusOf(body));
    expect([...lines, ...shop.ports.lines].filter(({ level }) => level === "error")).toEqual([]);
  });

  it("takes it calmly when a client goes in the middle of its body", async () => {
    const { port, lines, shop } = await serving();
    const head =
      "POST /commands HTTP/1.1\r\nhost: a\r\nauthorization: Bearer token-of-buyer-1\r\ncontent-type: application/json\r\n";
    for (const rest of ["content-length: 100\r\n\r\n{", "transfer-encoding: chunked\r\n\r\n5\r\n{"]) {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      await once(socket, "connect");
      socket.write(head + rest, () => socket.destroy());
      await once(socket, "close");
    }
    await expect.poll(() => lines.length).toBe(2);
    expect([...lines, ...shop.ports.lines].filter(({ level }) => level === "error")).toEqual([]);
  });

  it.each([
    ["of a length that says so", { "content-length": String(10_000_000) }],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ])("refuses a body of 10 MB %s, and goes on", async (_how, headers) => {
    const { shop, url } = await serving();
    const head = await shop.engine.head();
    const body =
      "transfer-encoding" in headers
        ? new ReadableStream({
            start(controller) {
              for (let part = 0; part < 160; part += 1) controller.enqueue(new Uint8Array(65_536).fill(32));
              controller.close();
            },
          })
        : new Uint8Array(10_000_000).fill(32);
    const sent = fetch(`${url}/commands`, {
      method: "POST",
      headers: { ...bearer, "content-type": "application/json" },
      body,
      duplex: "half",
    } as RequestInit).then(
      ({ status }) => status,
      // Or the connection was closed under it while it still sent.
      () => 413,
    );
    expect(await sent).toBe(413);
    expect(await shop.engine.head()).toBe(head);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it.each(["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])("refuses the method %s", async (method) => {
    const { url } = await serving();
    for (const path of ["/orders", "/commands"])
      expect((await fetch(url + path, { method, headers: bearer })).status).toBe(405);
  });

  it("streams the feed, and ends it when the client goes", async () => {
    const { shop, url } = await serving();
    const gone = new AbortController();
    const response = await fetch(`${url}/events`, {
      headers: { authorization: "Bearer token-of-service" },
      signal: gone.signal,
    });
    let text = "";
    const reading = (async () => {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += new TextDecoder().decode(chunk);
        if (text.includes("OrderPaid")) gone.abort();
      }
    })().catch(() => undefined);
    await live(shop.engine, "o-2", 2);
    await reading;
    expect(text).toContain("event: OrderPaid");
  });
});

describe("stopping", () => {
  it("answers what was begun, takes nothing new, and then is gone", async () => {
    let reached: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (reached = resolve));
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const { url, port, stop } = await start(async () => {
      reached();
      await gate;
      return new Response("done");
    });
    const answer = fetch(url);
    await begun;
    const stopped = stop();
    await expect(once(connect(port, "127.0.0.1"), "connect")).rejects.toThrow("ECONNREFUSED");
    go();
    expect(await (await answer).text()).toBe("done");
    await stopped;
  });

  it("ends feeds, and does not wait for connections that are only kept", async () => {
    const stopping = new AbortController();
    const shop = await openShop({ app: { stopping: stopping.signal } });
    const { url, stop } = await start(shop.handler, { graceMs: 60_000 });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const response = await fetch(`${url}/events`, { headers: { authorization: "Bearer token-of-service" } });
    stopping.abort();
    await Promise.all([stop(), response.text()]);
  });

  it("waits for a request of which only the beginning has come, and for no connection without a word", async () => {
    const { port, stop } = await start(async () => new Response("here"), { graceMs: 60_000 });
    const [silent, slow] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    sockets.push(silent, slow);
    let said = "";
    slow.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")));
    await Promise.all([once(silent, "connect"), once(slow, "connect")]);
    slow.write("GET / HTTP/1.1\r\nhost: a\r\n");
    // What came later is answered: the server has seen these two.
    await raw(port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    const stopped = stop();
    await once(silent, "close");
    slow.write("\r\n");
    await Promise.all([stopped, once(slow, "close")]);
    expect(statusOf(said)).toBe(200);
  });

  it("cuts off what does not end in time", async () => {
    const { url, stop } = await start(() => new Promise<Response>(() => undefined), { graceMs: 50 });
    const answer = fetch(url).catch(() => "cut off");
    await new Promise((resolve) => setImmediate(resolve));
    await expect.poll(async () => Promise.race([stop().then(() => "stopped"), answer])).toBeTruthy();
    expect(await answer).toBe("cut off");
  });
});

it("a port that is taken is said at once", async () => {
  const { port } = await serving();
  await expect(
    listen({ handler: createApp, host: "127.0.0.1", port, log: () => undefined } as unknown as ListenOptions),
  ).rejects.toMatchObject({ code: "EADDRINUSE" });
});
