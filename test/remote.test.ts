// Engines on a server: several of them at once, each with views of its own, kept exactly once through whatever happens.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import * as E from "fp-ts/lib/Either.js";
import { afterEach, describe, expect, inject, it } from "vitest";

import { copyEvents } from "../src/audit/copy.ts";
import { scriptedProvider } from "../src/commands/scripted.ts";
import { type Engine, type EngineOptions, openEngine } from "../src/engine.ts";
import { type DevServer, startDevServer } from "../src/server/devserver/server.ts";
import { planFaults } from "../src/server/devserver/faults.ts";
import { openDatabase } from "../src/store/database.ts";
import { openEsdbStore } from "../src/store/esdb.ts";
import { isStoreError } from "../src/store/port.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import { buyer, day, minute, t0 } from "./domain/orders.ts";
import { accepted, answers, by, live, newOrder, open, stepOf, tidyEngines } from "./engines.ts";
import { all, flying } from "./commands/paying.ts";
import { newFile } from "./store/files.ts";
import { readEverything, uuid } from "./store/samples.ts";

const servers: DevServer[] = [];

async function serve(options: Parameters<typeof startDevServer>[0] = {}): Promise<DevServer> {
  const server = await startDevServer(options);
  servers.push(server);
  return server;
}

// Registered first, so that it runs last: the engines are closed before their servers.
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
tidyEngines();

const code = (of: Parameters<typeof isStoreError>[1]) => (error: unknown) => isStoreError(error, of);

async function equal(engine: Engine): Promise<void> {
  for (const { view, different, differences } of await engine.check()) {
    expect({ view, different, differences }).toEqual({ view, different: 0, differences: [] });
  }
}

describe("views over a server", () => {
  it("are never behind what their own engine wrote", async () => {
    const { url } = await serve();
    const engine = await open({ store: url, viewsFile: newFile() });
    for (let at = 1; at <= 20; at += 1) {
      accepted(await engine.execute(newOrder(`o-${at}`), by(buyer)));
      expect((await engine.views.statistics()).all.orders).toBe(at);
      if (at % 5 === 0) expect((await engine.views.orders({ text: `o-${at}` })).orders).toHaveLength(1);
    }
    await equal(engine);
  });

  it("hold at the first asking all that stood there, and what others wrote when they are waited for", async () => {
    const { url } = await serve();
    const one = await open({ store: url });
    for (let at = 0; at < 8; at += 1) await live(one, `o-${at}`, 1 + (at % 6));
    const other = await open({ store: url, viewsFile: newFile() });
    expect((await other.views.statistics()).all.orders).toBe(8);
    const receipt = await live(one, "o-late", 3);
    await other.caughtUp(receipt);
    expect(await other.lag()).toMatchObject({ behind: 0, setAside: 0 });
    expect(await answers(other)).toEqual(await answers(one));
    await live(other, "o-latest", 2);
    await one.caughtUp();
    expect(await answers(one)).toEqual(await answers(other));
  });

  it("go on from their file, with what came meanwhile, and a file may serve two processes", async () => {
    const { url } = await serve();
    const viewsFile = newFile();
    const first = await open({ store: url, viewsFile });
    await live(first, "o-1", 3);
    await first.views.statistics();
    await first.close();
    const elsewhere = await open({ store: url });
    await live(elsewhere, "o-1b", 4);
    const [again, beside] = [await open({ store: url, viewsFile }), await open({ store: url, viewsFile })];
    for (const engine of [again, beside]) expect(await answers(engine)).toEqual(await answers(elsewhere));
    await Promise.all(
      Array.from({ length: 12 }, (_, at) => live(at % 2 === 0 ? again : beside, `p-${at}`, 2)),
    );
    for (const engine of [again, beside, elsewhere]) {
      await engine.caughtUp();
      expect((await engine.views.statistics()).all.orders).toBe(14);
      await equal(engine);
    }
  });

  it("take each event once while the server restarts and doubles what it sent", async () => {
    const server = await serve();
    const engine = await open({ store: server.url, viewsFile: newFile() });
    await engine.views.statistics();
    const writer = await open({ store: server.url });
    const orders = 40;
    const lives = Array.from({ length: orders }, (_, at) => live(writer, `o-${at}`, 1 + (at % 6)));
    let restarts = 0;
    let over = false;
    const breaking = (async () => {
      while (!over && restarts < 6) {
        await engine.views.statistics().catch(() => undefined);
        await server.restart();
        restarts += 1;
      }
    })();
    await Promise.all(lives);
    over = true;
    await breaking;
    expect(restarts).toBeGreaterThan(0);
    for (const one of [engine, writer]) await one.caughtUp();
    expect(await answers(engine)).toEqual(await answers(writer));
    expect((await engine.replay()).orders).toBe(orders);
    await equal(engine);
  });

  it("are the same after any number of deaths while they catch up", async () => {
    const failure = inject("buildFailure");
    if (failure !== "") throw new Error(failure);
    const { url } = await serve();
    const writer = await open({ store: url });
    const orders = 300;
    await Promise.all(
      Array.from({ length: orders }, (_, at) =>
        writer.execute(newOrder(`o-${at}`), by(buyer, { at: t0 + at })),
      ),
    );
    const viewsFile = newFile();
    const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
    for (let round = 0; round < 6; round += 1) {
      const child = spawn(process.execPath, [cli, "stats", "--store", url, "--views", viewsFile], {
        stdio: "ignore",
      });
      const ended = once(child, "exit");
      // As soon as there is something to be torn.
      const torn = (async () => {
        for (;;) {
          try {
            const database = openDatabase(viewsFile, { readOnly: true });
            const row = database.prepare("SELECT count(*) AS n FROM events").get() as { n: number };
            database.close();
            if (row.n > 0) return;
          } catch {
            // Not made yet, or just being written.
          }
          await new Promise(setImmediate);
        }
      })();
      await Promise.race([torn, ended]);
      child.kill("SIGKILL");
      await ended;
    }
    const engine = await open({ store: url, viewsFile });
    expect((await engine.views.statistics()).all.orders).toBe(orders);
    await equal(engine);
    expect(await answers(engine)).toEqual(await answers(writer));
  });

  it("answer from their rows while the server is away, and say how long they have not heard from it", async () => {
    const server = await serve();
    const engine = await open({ store: await openEsdbStore(server.url, { giveUpMs: 500 }) });
    await live(engine, "o-1", 2);
    const before = await answers(engine);
    await server.nodes[0]?.stop();
    expect(await answers(engine)).toEqual(before);
    await expect.poll(async () => (await engine.lag())?.trouble, { timeout: 60_000 }).toBeTypeOf("string");
    await server.nodes[0]?.start();
    await live(engine, "o-2", 1);
    expect((await engine.views.statistics()).all.orders).toBe(2);
  });

  it("of one server take nothing from another, and a store is no file for views, nor the other way round", async () => {
    const viewsFile = newFile();
    const [one, other] = [await serve(), await serve()];
    const engine = await open({ store: one.url, viewsFile });
    await live(engine, "o-1", 2);
    await engine.caughtUp();
    await engine.close();
    const wrong = await open({ store: other.url, viewsFile });
    await expect(wrong.views.statistics()).rejects.toSatisfy(code("notAStore"));
    await wrong.close();
    await expect(openEngine({ store: `sqlite:${viewsFile}` })).rejects.toSatisfy(code("notAStore"));
    const store = newFile();
    await (await openEngine({ store: `sqlite:${store}` })).close();
    await expect(openEngine({ store: one.url, viewsFile: store })).rejects.toSatisfy(code("notAStore"));
    const right = await open({ store: one.url, viewsFile });
    expect((await right.views.statistics()).all.orders).toBe(1);
  });
});

describe("what is none of ours", () => {
  const strange = [
    { id: uuid(900_001), type: "Foreign", data: '{"a":1}', meta: '{"v":1}' },
    { id: uuid(900_002), type: "OrderShipped", data: "no json", meta: "neither" },
    { id: uuid(900_003), type: "OrderPaid", data: "{}", meta: '{"v":1,"at":1,"commandId":"x"}' },
  ];

  it.each(strange)(
    "a $type in an order's stream is set aside by name, and all others go on",
    async (event) => {
      const { url } = await serve();
      const engine = await open({ store: url, viewsFile: newFile() });
      await live(engine, "o-1", 2);
      await live(engine, "o-2", 1);
      const store = await openEsdbStore(url);
      await store.append("order-o-1", 2n, [event]);
      await store.append("order-o-1", 3n, [{ ...event, id: uuid(900_009) }]);
      await store.close();
      const statistics = await engine.views.statistics();
      await live(engine, "o-3", 3);
      await engine.caughtUp();
      expect(engine.setAside()).toMatchObject([
        { stream: "order-o-1", revision: "3", type: event.type },
        { stream: "order-o-1", revision: "4", reason: expect.stringContaining("behind") as string },
      ]);
      expect(await engine.lag()).toMatchObject({ setAside: 2, behind: 0 });
      expect((await engine.views.statistics()).all.orders).toBe(statistics.all.orders + 1);
      await equal(engine);
      const [command, actor] = stepOf("o-1", 2);
      await expect(engine.execute(command, by(actor, { at: t0 + day }))).rejects.toThrow(/order-o-1@3/);
    },
  );

  it("an order's stream that was deleted is told of, and no other", async () => {
    const { url } = await serve();
    const engine = await open({ store: url, viewsFile: newFile() });
    for (const id of ["o-1", "o-2", "o-3"]) await live(engine, id, 1);
    await engine.caughtUp();
    const { EventStoreDBClient } = await import("@eventstore/db-client");
    const client = EventStoreDBClient.connectionString(url);
    await client.tombstoneStream("order-o-1");
    await client.deleteStream("order-o-2");
    await client.deleteStream("order-o-3");
    const fresh = await open({ store: url });
    for (const id of ["o-1", "o-2"]) {
      const [command, actor] = stepOf(id, 0);
      await expect(fresh.execute(command, by(actor))).rejects.toSatisfy(code("gone"));
    }
    // What is known by its order's number is refused before anything is written; under another number it is told of behind it.
    const renumbered = newOrder("o-3", { orderNo: "n-3" });
    await expect(fresh.execute(renumbered, by(buyer))).rejects.toSatisfy(code("gone"));
    await live(fresh, "o-4", 2);
    await engine.caughtUp();
    // What it saw before they were deleted is not lost, and what began anew is named.
    expect((await engine.views.statistics()).all.orders).toBe(4);
    expect(engine.setAside()).toMatchObject([
      { stream: "order-o-3", reason: expect.stringContaining("deleted") as string },
    ]);
    expect(engine.setAside()).toHaveLength(1);
    await equal(engine);
  });
});

describe("several engines on one server", () => {
  it("fire each deadline once", async () => {
    const { url } = await serve();
    const engines = [await open({ store: url }), await open({ store: url })];
    const orders = 24;
    await Promise.all(
      Array.from({ length: orders }, (_, at) =>
        (engines[at % 2] as Engine).execute(newOrder(`o-${at}`), by(buyer, { at: t0 + at })),
      ),
    );
    for (const engine of engines) await engine.caughtUp();
    const fired = await Promise.all(engines.map((engine) => all(engine.runDue(t0 + day))));
    const first = fired.flat().filter(({ result }) => E.isRight(result) && !result.right.replayed);
    expect(new Set(first.map(({ orderId }) => orderId)).size).toBe(orders);
    expect(first).toHaveLength(orders);
    for (const engine of engines) {
      await engine.caughtUp();
      expect((await engine.views.statistics()).all).toMatchObject({ orders, count_id_close: orders });
      expect(await engine.replay()).toMatchObject({ orders, events: orders * 2 });
    }
  });

  it("pay each refund once", async () => {
    const { url } = await serve();
    const payments = scriptedProvider();
    const one = await open({ store: url, payments });
    const other = await open({ store: url, payments });
    for (let at = 0; at < 6; at += 1) await flying(one, `o-${at}`);
    await other.caughtUp();
    await Promise.all([all(one.runRefunds()), all(other.runRefunds())]);
    expect(payments.book.size).toBe(6);
    await other.caughtUp();
    for (const engine of [one, other]) {
      for (let at = 0; at < 6; at += 1) {
        const settled = (await engine.history(`o-${at}`)).filter(
          ({ event }) => event.type === "RefundSettled",
        );
        expect(settled).toHaveLength(1);
      }
    }
  });

  it("decide one order side by side, each command once, and sell nothing twice", async () => {
    const { url } = await serve();
    const engines = [await open({ store: url }), await open({ store: url }), await open({ store: url })];
    await live(engines[0] as Engine, "o-1", 1);
    const pay = { type: "Pay", orderId: "o-1", payId: "p-1", amount: 5_800, channel: "online" } as const;
    // The same command everywhere, and another that races it.
    const same = await Promise.all(
      engines.map((engine) => engine.execute(pay, { actor: buyer, commandId: "pay", at: t0 + minute })),
    );
    expect(new Set(same.map((answer) => accepted(answer).revision)).size).toBe(1);
    expect(same.filter((answer) => accepted(answer).replayed)).toHaveLength(2);
    const others = await Promise.all(
      engines.map((engine, at) =>
        engine.execute({ ...pay, payId: `p-${at + 2}` }, by(buyer, { at: t0 + 2 * minute })),
      ),
    );
    expect(others.every(E.isLeft) || others.some(E.isRight)).toBe(true);
    const history = await (engines[1] as Engine).history("o-1");
    expect(history.filter(({ event }) => event.type === "OrderPaid")).toHaveLength(1);
    expect(history.map(({ revision }) => Number(revision))).toEqual(history.map((_, at) => at));
  });

  it("let one payment pay one order, whoever is asked", async () => {
    const { url } = await serve();
    const engines = [await open({ store: url }), await open({ store: url })];
    const orders = Array.from({ length: 10 }, (_, at) => `o-${at}`);
    for (const id of orders) await live(engines[0] as Engine, id, 1);
    const paid = await Promise.all(
      orders.map((orderId, at) =>
        (engines[at % 2] as Engine).execute(
          { type: "Pay", orderId, payId: "the-one", amount: 5_800, channel: "online" },
          by(buyer, { at: t0 + minute }),
        ),
      ),
    );
    expect(paid.filter(E.isRight)).toHaveLength(1);
    for (const answer of paid) if (E.isLeft(answer)) expect(answer.left.code).toBe("paymentIdUsed");
  });
});

describe("a command whose fate is not known", () => {
  it("is sent again and done once, through another engine too", async () => {
    const plan = planFaults();
    const { url } = await serve({ faults: plan.faults });
    const store = await openEsdbStore(url, { callTimeoutMs: 200, giveUpMs: 300 });
    const options: EngineOptions = { store };
    const engine = await open(options);
    await live(engine, "o-1", 1);
    plan.play("silence", {
      at: "answer",
      if: (moment) => "stream" in moment && moment.stream === "order-o-1",
      times: 9,
    });
    const [command, actor] = stepOf("o-1", 1);
    const asked = by(actor, { at: t0 + minute });
    await expect(engine.execute(command, asked)).rejects.toSatisfy(code("unavailable"));
    const other = await open({ store: `${url}&connectionName=other` });
    expect(accepted(await other.execute(command, asked))).toMatchObject({ replayed: true });
    expect((await other.history("o-1")).filter(({ event }) => event.type === "OrderPaid")).toHaveLength(1);
  });

  it("leaves a claim that the same order takes again, and others when its grace is over", async () => {
    const plan = planFaults();
    let now = Date.now();
    const { url } = await serve({ faults: plan.faults });
    const store = await openEsdbStore(url, { callTimeoutMs: 200, giveUpMs: 300, clock: () => now });
    const claims = { claims: ["payment/1"] };
    const event = (n: number) => [{ id: uuid(800_000 + n), type: "Noted", data: "{}", meta: "{}" }];
    plan.play("silence", {
      at: "append",
      if: (moment) => "stream" in moment && moment.stream === "order-1",
      times: 9,
    });
    await expect(store.append("order-1", "none", event(1), claims)).rejects.toSatisfy(code("unavailable"));
    await expect(store.append("order-2", "none", event(2), claims)).rejects.toSatisfy(code("claimTaken"));
    now += 11 * minute;
    expect(await store.append("order-2", "none", event(2), claims)).toMatchObject({ revision: 0n });
    // Now it stands behind an event, and is nobody else's for ever.
    now += day;
    await expect(store.append("order-1", "none", event(3), claims)).rejects.toSatisfy(code("claimTaken"));
    expect(await readEverything(store)).toHaveLength(1);
    await store.close();
  });
});

describe("a copy", () => {
  it("is the same on a file and on a server, there and back, and its views are equal", async () => {
    const { url } = await serve();
    const [first, back] = [newFile(), newFile()];
    const source = await open({ store: `sqlite:${first}` });
    for (let at = 0; at < 30; at += 1) await live(source, `o-${at}`, 1 + (at % 6));
    const file = await openSqliteStore(first, { readOnly: true });
    const server = await openEsdbStore(url);
    const there = await copyEvents(file, server);
    expect(there).toMatchObject({ orders: 30, copied: there.events, verified: there.events });
    expect(await copyEvents(file, server)).toEqual({ ...there, copied: 0 });
    const home = await openSqliteStore(back);
    expect(await copyEvents(server, home)).toEqual(there);
    await home.close();
    await file.close();
    const [remote, local] = [await open({ store: url }), await open({ store: `sqlite:${back}` })];
    for (const engine of [remote, local]) {
      expect(await answers(engine)).toEqual(await answers(source));
      await equal(engine);
    }
    // Claims came along.
    const pay = { type: "Pay", orderId: "o-0", payId: "pay-o-1", amount: 5_800, channel: "online" };
    for (const engine of [remote, local]) {
      const refused = await engine.execute(pay, by(buyer, { at: t0 + 10 * minute }));
      expect(refused).toMatchObject({ left: { code: "paymentIdUsed" } });
    }
    await server.close();
  });

  it("that was broken off is taken up, and what differs is named", async () => {
    const { url } = await serve();
    const path = newFile();
    const source = await open({ store: `sqlite:${path}` });
    for (let at = 0; at < 80; at += 1) await live(source, `o-${at}`, 3);
    const file = await openSqliteStore(path, { readOnly: true });
    const server = await openEsdbStore(url);
    const broken = new AbortController();
    let streams = 0;
    const breaking = {
      ...pick(server),
      append: (...args: Parameters<typeof server.append>) => {
        if ((streams += 1) === 70) broken.abort(new Error("broken off"));
        return server.append(...args);
      },
    };
    await expect(copyEvents(file, breaking, { signal: broken.signal })).rejects.toThrow("broken off");
    const part = (await readEverything(server, { prefixes: ["order-"] })).length;
    expect(part).toBeGreaterThan(0);
    const totals = await copyEvents(file, server);
    expect(totals.copied).toBe(totals.events - part);
    await server.append("order-o-5", 3n, [
      { id: uuid(700_001), type: "OrderHidden", data: "{}", meta: "{}" },
    ]);
    await expect(copyEvents(file, server)).rejects.toThrow(/order-o-5@4/);
    await file.close();
    await server.close();
  });
});

function pick(store: Awaited<ReturnType<typeof openEsdbStore>>) {
  return {
    kind: store.kind,
    readStream: store.readStream.bind(store),
    readAll: store.readAll.bind(store),
    head: store.head.bind(store),
    subscribe: store.subscribe.bind(store),
    close: store.close.bind(store),
  };
}
