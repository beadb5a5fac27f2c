// Engines on a server: several of them at once, each with views of its own, kept exactly once through whatever happens.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import * as E from "fp-ts/lib/Either.js";
import { afterEach, describe, expect, inject, it, onTestFinished } from "vitest";

import { copyEvents } from "../src/audit/copy.ts";
import { scriptedProvider } from "../src/commands/scripted.ts";
import { type Engine, type EngineOptions, openEngine } from "../src/engine.ts";
import { type DevServer, startDevServer } from "../src/server/devserver/server.ts";
import { planFaults } from "../src/server/devserver/faults.ts";
import { openDatabase } from "../src/store/database.ts";
import { connectWithClient, openEsdbStore } from "../src/store/esdb.ts";
import { StoreError, isStoreError } from "../src/store/port.ts";
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
    const fresh = await open({ store: url });
    for (const id of ["o-1", "o-2"]) {
      const [command, actor] = stepOf(id, 0);
      await expect(fresh.execute(command, by(actor))).rejects.toSatisfy(code("gone"));
    }
    await live(fresh, "o-4", 2);
    await engine.caughtUp();
    // What it saw before they were deleted is not lost, and what began anew is named.
    expect((await engine.views.statistics()).all.orders).toBe(4);
    expect(engine.setAside()).toMatchObject([
      { stream: "order-o-2", reason: expect.stringContaining("deleted") as string },
    ]);
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

describe("a payment out of a wallet", () => {
  const topUp = { buyerId: buyer.id, topUpId: "in", amount: 10_000, currency: "CNY", actor: buyer };
  const pay = (engine: Engine) => engine.wallet.pay({ orderId: "o-1", buyerId: buyer.id });
  const settled = async (engine: Engine) => {
    const outcomes: string[] = [];
    for await (const { outcome } of engine.wallet.settleHolds()) outcomes.push(outcome);
    return outcomes;
  };
  /** What the wallet has, and what the order has of it: together always what was paid in. */
  const money = async (engine: Engine) => {
    const { balances, held } = await engine.wallet.show(buyer.id);
    const order = await engine.state("o-1");
    const kept = order.status === "none" ? 0 : order.paid - order.refunded;
    return { left: balances["CNY"], held: held.length, kept };
  };
  const begin = async (engine: Engine) => {
    await engine.wallet.topUp(topUp);
    accepted(await engine.execute(newOrder("o-1"), by(buyer)));
  };

  /** Appends of a payment: the money held, the claim, the order's, the money taken. */
  const places = [0, 1, 2, 3].flatMap((after) =>
    (["append", "answer"] as const).map((at) => [after, at] as const),
  );

  it.each(places)(
    "broken off after %i appends, at its %s, is finished by whoever goes on",
    async (after, at) => {
      let broken = false;
      let appends = 0;
      const { url } = await serve({
        faults: (moment) => {
          if (!broken || moment.at !== at) return undefined;
          appends += 1;
          return appends > after ? "reset" : undefined;
        },
      });
      const cut = await openEsdbStore(url, { giveUpMs: 300 });
      const first = await open({ store: cut });
      await begin(first);
      broken = true;
      await expect(pay(first)).rejects.toSatisfy(code("unavailable"));
      broken = false;
      const second = await open({ store: `${url}&connectionName=second`, wallet: "kept" });
      const unheard = after === 0 && at === "append";
      const unheld = unheard || (after === 3 && at === "answer");
      expect(await settled(second)).toEqual(unheld ? [] : ["taken"]);
      expect(await money(second)).toEqual(
        unheard ? { left: 10_000, held: 0, kept: 0 } : { left: 4_200, held: 0, kept: 5_800 },
      );
      accepted((await pay(second)) as E.Either<never, unknown>);
      expect(await money(second)).toEqual({ left: 4_200, held: 0, kept: 5_800 });
    },
  );

  it("that has its claim, and is slow, is not given back meanwhile", async () => {
    const { url } = await serve();
    let arrived = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (arrived = resolve));
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    onTestFinished(() => go());
    let slow = false;
    const store = await openEsdbStore(url, {
      connect: async (at) => {
        const client = await connectWithClient(at);
        const { appendToStream } = client;
        client.appendToStream = async (stream, ...rest) => {
          if (slow && stream === "order-o-1") {
            slow = false;
            arrived();
            await gate;
          }
          return appendToStream.call(client, stream, ...rest);
        };
        return client;
      },
    });
    const first = await open({ store });
    await begin(first);
    slow = true;
    const paying = pay(first);
    await waiting;
    const second = await open({ store: `${url}&connectionName=second`, wallet: "kept" });
    accepted(await second.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer)));
    // The order may still record the payment as a late one.
    expect(await settled(second)).toEqual(["unknown"]);
    expect(await money(second)).toEqual({ left: 4_200, held: 1, kept: 0 });
    go();
    expect(await paying).toMatchObject({ left: { code: "orderStatusNotEligible" } });
    expect(await settled(second)).toEqual([]);
    for await (const { outcome } of second.runRefunds()) expect(outcome).toBe("settled");
    expect(await money(second)).toEqual({ left: 10_000, held: 0, kept: 0 });
  });

  it("that was given up with its claim is given back when the claim's grace is over", async () => {
    let broken = false;
    const { url } = await serve({
      faults: (moment) =>
        broken && moment.at === "append" && moment.stream === "order-o-1" ? "reset" : undefined,
    });
    const first = await open({ store: await openEsdbStore(url, { giveUpMs: 300 }) });
    await begin(first);
    broken = true;
    await expect(pay(first)).rejects.toSatisfy(code("unavailable"));
    broken = false;
    let now = Date.now();
    const store = await openEsdbStore(`${url}&connectionName=second`, { clock: () => now });
    const second = await open({ store, wallet: "kept" });
    accepted(await second.execute({ type: "CancelOrder", orderId: "o-1" }, by(buyer)));
    expect(await settled(second)).toEqual(["unknown"]);
    now += 11 * minute;
    expect(await settled(second)).toEqual(["released"]);
    expect(await money(second)).toEqual({ left: 10_000, held: 0, kept: 0 });
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

  it("takes the wallets along: what they hold, and what may not happen twice", async () => {
    const { url } = await serve();
    const [first, back] = [newFile(), newFile()];
    const options = { wallet: "kept" } as const;
    const store = await openSqliteStore(first);
    const source = await open({ ...options, store });
    const topUp = { buyerId: buyer.id, topUpId: "in", amount: 20_000, currency: "CNY", actor: buyer };
    await source.wallet.topUp(topUp);
    const ids = ["o-1", "o-2", "o-3", "o-4"];
    for (const orderId of ids) accepted(await source.execute(newOrder(orderId), by(buyer)));
    const pay = (engine: Engine, orderId: string) => engine.wallet.pay({ orderId, buyerId: buyer.id });
    accepted((await pay(source, "o-1")) as E.Either<never, unknown>);
    const [{ payId }] = (await source
      .state("o-1")
      .then((order) => "payments" in order && order.payments)) as [{ readonly payId: string }];
    // The id that o-3 would be paid under belongs to o-2: the wallet gives the money back without it.
    const taken = payId.replace(
      /[0-9a-f]{40}/,
      createHash("sha256").update("o-3").digest("hex").slice(0, 40),
    );
    const other = { type: "Pay", orderId: "o-2", payId: taken, amount: 5_800, channel: "online" };
    accepted(await source.execute(other, by(buyer)));
    expect(await pay(source, "o-3")).toMatchObject({ left: { code: "paymentIdUsed" } });
    // Broken off before o-4 recorded it, and then it was cancelled: the money comes back, and the payment's id is used up.
    const { append } = store;
    store.append = async (stream, ...rest) => {
      if (stream === "order-o-4") throw new StoreError("unavailable", "broken off");
      return append.call(store, stream, ...rest);
    };
    await expect(pay(source, "o-4")).rejects.toThrow("broken off");
    store.append = append;
    accepted(await source.execute({ type: "CancelOrder", orderId: "o-4" }, by(buyer)));
    for await (const { outcome } of source.wallet.settleHolds()) expect(outcome).toBe("released");
    const log = async (engine: Engine) => (await engine.wallet.history(buyer.id)).map(({ event }) => event);
    expect((await log(source)).map(({ type }) => type)).toEqual([
      "WalletToppedUp",
      "WalletHeld",
      "WalletTaken",
      "WalletHeld",
      "WalletReleased",
      "WalletHeld",
      "WalletReleased",
    ]);
    const file = await openSqliteStore(first, { readOnly: true });
    const server = await openEsdbStore(url);
    const there = await copyEvents(file, server);
    expect(there).toMatchObject({ orders: 4, wallets: 1, copied: there.events, verified: there.events });
    expect(await copyEvents(file, server)).toEqual({ ...there, copied: 0 });
    const home = await openSqliteStore(back);
    expect(await copyEvents(server, home)).toEqual(there);
    for (const one of [home, file, server]) await one.close();
    for (const copy of [url, `sqlite:${back}`]) {
      const engine = await open({ ...options, store: copy, viewsFile: newFile() });
      expect(await log(engine)).toEqual(await log(source));
      expect(await engine.wallet.show(buyer.id)).toEqual({ balances: { CNY: 14_200 }, held: [] });
      expect(await engine.wallet.topUp(topUp)).toMatchObject({ right: { replayed: true } });
      const late = (await log(source)).at(-1)?.data as { readonly payId: string };
      const again = { type: "Pay", orderId: "o-4", ...late, amount: 5_800, channel: "online" };
      const asked = await engine.execute(again, by(buyer, { at: t0 }));
      expect(asked).toMatchObject({ left: { code: "paymentIdUsed" } });
      await equal(engine);
    }
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
