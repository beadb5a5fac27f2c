// The configuration of `serve`: what the dialects are made with, the sender beside them, and files that say something else.

import { createHmac } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import type { LogLine } from "../../src/dialects/ports.ts";
import type { Engine } from "../../src/engine.ts";
import { ConfigFileError, type Secrets, readConfig } from "../../src/server/config.ts";
import type { Listening } from "../../src/server/listen.ts";
import { type ServeOptions, serve } from "../../src/server/serve.ts";
import { hmacSignatures } from "../../src/server/signatures.ts";
import { addToken } from "../../src/server/tokens.ts";
import { Centre } from "../dialects/baidu/sending.ts";
import { buyer, merchant, minute, t0 } from "../domain/orders.ts";
import { accepted, by, live, newOrder, open, tidyEngines } from "../engines.ts";
import { newFolder } from "../store/files.ts";

const running: Listening[] = [];

// Registered first, so that it runs last: requests that are under way when a server stops need no engine any more.
afterEach(async () => void (await Promise.all(running.splice(0).map((one) => one.stop()))));
tidyEngines();

function written(content: unknown, folder = newFolder()): string {
  const file = join(folder, "serve.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

interface Served {
  readonly url: string;
  readonly engine: Engine;
  readonly lines: readonly LogLine[];
  /** Tokens by role. */
  readonly tokens: Readonly<Record<"buyer" | "merchant" | "staff", string>>;
  stop(): Promise<void>;
}

async function served(
  config: unknown,
  {
    secrets,
    folder = newFolder(),
    ...over
  }: Partial<ServeOptions> & { readonly secrets?: Secrets; readonly folder?: string } = {},
): Promise<Served> {
  const engine =
    over.engine ??
    (await open({
      store: "memory:",
      wallet: "kept",
      redeemKey: "k",
      terms: { main: { redeemStaff: ["till"] } },
    }));
  const { dialects, sender, bounds, wallet } = await readConfig(written(config, folder), secrets);
  const file = join(folder, "tokens");
  const tokens = {
    buyer: await addToken(file, buyer, 0),
    merchant: await addToken(file, merchant, 0),
    staff: await addToken(file, { role: "staff", id: "till" }, 0),
  };
  const lines: LogLine[] = [];
  const listening = await serve({
    engine,
    host: "127.0.0.1",
    port: 0,
    tokens: file,
    upkeepMs: 0,
    dialects,
    sender,
    ...bounds,
    log: (line) => lines.push(line),
    ports: { clock: () => t0, ...(wallet ? {} : { wallet: undefined }) },
    ...over,
  });
  running.push(listening);
  return { url: `http://127.0.0.1:${listening.port}`, engine, lines, tokens, stop: () => listening.stop() };
}

type Fields = Readonly<Record<string, string>>;

async function post(url: string, fields: Fields, headers: Fields = {}): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) });
  return (await response.json()) as Record<string, unknown>;
}

describe("a configuration", () => {
  it("may say nothing, and is then what there is without one", async () => {
    const { url } = await served({});
    const answers = ["/apifm/x/order/statistics", "/appintf/appIntf/order/orderList.jsp", "/shopxo/x"].map(
      async (path) => (await fetch(`${url}${path}`)).json(),
    );
    expect(await Promise.all(answers)).toMatchObject([{ code: 2000 }, { status: -2 }, { code: -1000 }]);
    expect(await readConfig(written({}))).toMatchObject({ sender: undefined, wallet: true, bounds: {} });
  });

  it.each([
    ["{", "is no JSON"],
    ["[]", "expected object"],
    [{ apifn: {} }, "apifn"],
    [{ apifm: { anonymousRedeem: "a b" } }, "apifm.anonymousRedeem"],
    [{ apifm: { anonymousRedeme: "a" } }, "anonymousRedeme"],
    [{ apifm: { prefix: "shop" } }, "apifm.prefix"],
    [{ apifm: { prefix: "/orders/x" } }, "a path of the server's own"],
    [{ apifm: { prefix: "/openapi" }, shopxo: { prefix: "/openapi" } }, "two dialects"],
    [{ apifm: { prefix: "/shop" }, shopxo: { prefix: "/shop/xo" } }, "two dialects"],
    [{ appintf: { causeTypes: { "0": "x" } } }, "a number is 1 to 999999999\n  → at appintf.causeTypes.0"],
    [{ appintf: { causeTypes: { "1": "x".repeat(181) } } }, "causeTypes"],
    [{ baidu: { sender: { baseUrl: "https://example.org" } } }, "baidu.sender.checkpoint"],
    [{ baidu: { sender: { baseUrl: "https://example.org", checkpoint: "c" } } }, "has no token"],
    [{ bounds: { graceMs: 0 } }, "bounds.graceMs"],
    [{ wallet: "no" }, "wallet"],
  ])("is refused: %j", async (content, rule) => {
    const file = written(content);
    const error: unknown = await readConfig(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigFileError);
    expect((error as Error).message).toContain(file);
    expect((error as Error).message).toContain(rule);
  });

  it("names files from its own folder on, and secrets that are empty or many are refused", async () => {
    const folder = newFolder();
    mkdirSync(join(folder, "secrets"));
    const sender = { baseUrl: "https://example.org", checkpoint: "at", tokenFile: "secrets/token" };
    const file = written({ baidu: { sender } }, folder);
    await expect(readConfig(file)).rejects.toThrow("ENOENT");
    writeFileSync(join(folder, "secrets", "token"), "\n");
    await expect(readConfig(file)).rejects.toThrow("is to hold a secret");
    writeFileSync(join(folder, "secrets", "token"), "alpha\nbeta\n");
    await expect(readConfig(file)).rejects.toThrow(/^(?!.*(alpha|beta))/s);
    writeFileSync(join(folder, "secrets", "token"), "one\n");
    const { sender: read } = await readConfig(file, { baiduToken: "of the environment" });
    expect(await read?.token()).toBe("one");
    await read?.checkpoint.save("7");
    writeFileSync(join(folder, "secrets", "token"), "renewed\n");
    expect(await read?.token()).toBe("renewed");
    expect(await readConfig(file).then((again) => again.sender?.checkpoint.load())).toBe("7");
    const { tokenFile: _tokenFile, ...bare } = sender;
    const { sender: other } = await readConfig(written({ baidu: { sender: bare } }), { baiduToken: "two" });
    expect(await other?.token()).toBe("two");
  });
});

describe("the dialects are made with it", () => {
  it("each below its prefix", async () => {
    const { url, tokens } = await served({ apifm: { prefix: "/mini/apifm" }, shopxo: { prefix: "/php" } });
    const asked = { token: tokens.buyer };
    expect(await post(`${url}/mini/apifm/x/order/statistics`, asked)).toMatchObject({ code: 0 });
    expect(await post(`${url}/apifm/x/order/statistics`, asked)).toMatchObject({
      error: { code: "noSuchPath" },
    });
    expect(await post(`${url}/php/api.php?s=orderaftersale/index`, asked)).toMatchObject({ code: 0 });
  });

  it("a write-off without a token, where staff are named for it", async () => {
    for (const [config, code] of [
      [{}, 2000],
      [{ apifm: { anonymousRedeem: "till" } }, 0],
    ] as const) {
      const { url, engine } = await served(config);
      accepted(
        await engine.execute(
          { ...newOrder("o-1", { fulfilment: "pickup", charges: [] }), redeemable: true },
          by(buyer),
        ),
      );
      const pay = { type: "Pay", orderId: "o-1", payId: "p-1", amount: 5_000, channel: "online" };
      accepted(await engine.execute(pay, by(buyer)));
      const hxNumber = (await engine.redemptionCode("o-1")) as string;
      expect(await post(`${url}/apifm/x/order/hx`, { hxNumber })).toMatchObject({ code });
      expect((await engine.state("o-1")).status).toBe(code === 0 ? "completed" : "paid");
    }
  });

  it("causes by their names, and signatures where there is a key", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "key"), "a shared key".replaceAll(" ", "-"));
    const config = { appintf: { causeTypes: { 2: "少件" }, signatureKeyFile: "key" } };
    const { url, engine, tokens, lines } = await served(config, { folder });
    const one = newOrder("o-1", {
      lines: [{ lineId: "L1", goodsId: "A", title: "Tea", unitPrice: 900, quantity: 1 }],
    });
    accepted(await engine.execute({ ...one, charges: [] }, by(buyer)));
    const pay = { type: "Pay", orderId: "o-1", payId: "p-1", amount: 900, channel: "online" };
    accepted(await engine.execute(pay, by(buyer)));
    const path = "/appIntf/refund/submitRefund.jsp";
    const cookie = { cookie: `common_session_id=${tokens.buyer}` };
    const form = {
      orderId: "o-1",
      causeType: "2",
      cause: "one is missing",
      proofs: "https://p.example/1.jpg",
    };
    const ask = (fields: Fields) => post(`${url}/appintf${path}`, fields, cookie);
    const { cause, causeType, orderId, proofs } = form;
    const fields = [`cause=${cause}`, `causeType=${causeType}`, `orderId=${orderId}`, `proofs=${proofs}`];
    const text = ["POST", path, ...fields].join("\n");
    const sign = createHmac("sha256", "a-shared-key").update(text).digest("hex");
    for (const wrong of [
      form,
      { ...form, sign: "" },
      { ...form, sign: sign.slice(1) },
      { ...form, cause: "x", sign },
    ])
      expect(await ask(wrong)).toMatchObject({ status: -4 });
    expect(await ask({ ...form, sign: sign.toUpperCase() })).toEqual({ status: 1, msg: "请求成功" });
    const state = await engine.state("o-1");
    expect(state.status !== "none" && state.cases[0]).toMatchObject({ causeType: 2, reason: "少件" });
    expect(JSON.stringify(lines)).not.toContain("a-shared-key");
  });

  it("no wallet where the shop keeps none", async () => {
    const { url, engine, tokens } = await served({ wallet: false });
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
    const asked = { token: tokens.buyer, orderId: "o-1" };
    expect(await post(`${url}/apifm/x/order/pay`, asked)).toEqual({
      code: -1,
      msg: "余额支付未开通",
      data: null,
    });
    expect(await post(`${url}/apifm/x/order/pay`, { ...asked, orderId: "o-2" })).toMatchObject({ code: 700 });
    const headers = { authorization: `Bearer ${tokens.buyer}` };
    for (const [path, method] of [
      ["/orders/o-1/pay", "POST"],
      ["/wallet", "GET"],
    ] as const) {
      const response = await fetch(url + path, { method, headers });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ error: { code: "noWallet" } });
    }
  });
});

describe("signatures", () => {
  const request = (fields: Readonly<Record<string, unknown>>) =>
    ({ method: "POST", path: "/p", headers: new Headers(), fields }) as const;
  const right = createHmac("sha256", "key").update("POST\n/p\na=1\nb=售后").digest("hex");

  it("cover the method, the path, and every field once", async () => {
    const { verify } = hmacSignatures("key");
    const sign = right;
    expect(await verify(request({ b: "售后", a: "1", sign }))).toBe(true);
    expect(await verify(request({ b: "售后", a: 1, sign }))).toBe(true);
    for (const wrong of [
      { ...request({ a: "1", b: "售后", sign }), method: "GET" as const },
      { ...request({ a: "1", b: "售后", sign }), path: "/q" },
      request({ a: "1", sign }),
      request({ a: "1", b: "售后", c: "", sign }),
      request({ a: ["1"], b: "售后", sign }),
      request({ a: "1", b: "售后", sign: [sign] }),
      request({ a: "1", b: "售后" }),
      request({ a: "1", b: "售后", sign: `${sign}0` }),
    ])
      expect(await verify(wrong)).toBe(false);
    expect(await hmacSignatures("another").verify(request({ a: "1", b: "售后", sign }))).toBe(false);
  });
});

describe("Baidu's sender beside the server", () => {
  const secret = "a+secret/token=";

  async function telling(centre: Centre, over: object = {}, folder = newFolder(), engine?: Engine) {
    const sender = {
      baseUrl: await centre.listen(),
      tokenFile: "token",
      checkpoint: "told",
      backOffMs: 1,
      mostBackOffMs: 2,
      ...over,
    };
    writeFileSync(join(folder, "token"), secret);
    const config = { baidu: { appKey: "KEY", orderPage: "/pages/{orderId}", sender } };
    return served(config, { folder, ...(engine === undefined ? {} : { engine }) });
  }

  const told = (centre: Centre) =>
    centre.asked.map(({ operation, Data }) => `${operation} ${Data[0]?.ResourceID}`);

  it("tells of what stands there and of each change, once, and goes on where it was after a restart", async () => {
    const folder = newFolder();
    const engine = await open({ store: "memory:" });
    await live(engine, "o-1", 2);
    await using first = new Centre();
    const { lines, stop } = await telling(first, {}, folder, engine);
    await expect.poll(() => told(first)).toEqual(["add/main/info o-1"]);
    expect(first.asked[0]?.query).toMatchObject({ access_token: secret, open_id: buyer.id });
    expect(first.asked[0]?.Data[0]).toMatchObject({
      BizAPPID: "KEY",
      EXT: { MainOrder: { OrderDetail: { SwanSchema: "/pages/o-1" } } },
    });
    await live(engine, "o-2", 1);
    await expect.poll(() => told(first)).toEqual(["add/main/info o-1", "add/main/info o-2"]);
    await expect.poll(() => lines.filter(({ event }) => event === "baiduTold").length).toBe(2);
    await stop();
    await live(engine, "o-3", 1);
    await using second = new Centre();
    await telling(second, {}, folder, engine);
    await expect.poll(() => told(second)).toContain("add/main/info o-3");
    // What was told when it was stopped may be told again, and nothing before it.
    expect(told(second)).not.toContain("add/main/info o-1");
    expect(JSON.stringify(lines)).not.toContain(secret);
  });

  it("is refused for its token, waits, and goes on with the one it is given then", async () => {
    await using centre = new Centre();
    const echo = { status: 200, body: { error_code: 100, error_msg: `invalid parameter ${secret}` } };
    centre.troubles.push(echo, echo);
    const { engine, lines } = await telling(centre);
    await live(engine, "o-1", 1);
    await expect.poll(() => centre.held.size).toBe(1);
    const stopped = lines.filter(({ event }) => event === "baiduStopped");
    expect(stopped).toHaveLength(2);
    expect(String(stopped[0]?.["error"])).toContain("invalid parameter ***");
    expect(lines.map((line) => `${JSON.stringify(line)} ${String(line["error"])}`).join()).not.toContain(
      secret,
    );
  });

  it("stops with the server, also while it waits", async () => {
    await using centre = new Centre();
    const down = { status: 503, body: "" };
    centre.troubles.push(...Array.from({ length: 20 }, () => down));
    const { engine, lines, stop } = await telling(centre, { backOffMs: 3_600_000, mostBackOffMs: 3_600_000 });
    await live(engine, "o-1", 1, t0 - minute);
    await expect.poll(() => lines.some(({ event }) => event === "baiduWaits")).toBe(true);
    await stop();
    expect(centre.asked).toHaveLength(1);
  });
});
