// The store over EventStoreDB, against a server in this process that breaks as the real one does.

import { describe, expect, it } from "vitest";

import { type EsdbStore, type EsdbStoreOptions, openEsdbStore } from "../../src/store/esdb.ts";
import { type StoreErrorCode, isStoreError } from "../../src/store/port.ts";
import { storeContract } from "./contract.ts";
import { FakeServer, type Misfortune, clientError } from "./fakeEsdb.ts";
import { eventsIn, isLive, messagesUntil, readEverything, sample, samples } from "./samples.ts";

/** A store on a fake server of its own, or on one that is given. */
function openFake(server = new FakeServer(), options: EsdbStoreOptions = {}): Promise<EsdbStore> {
  return openEsdbStore("esdb://fake:2113?tls=false", {
    connect: server.connect,
    clock: () => server.now,
    ...options,
  });
}

storeContract("esdb, on a fake server", { open: () => openFake(), inProcess: false, runs: 60 });

/** The first so many calls of a kind go wrong. */
function first(times: number, operation: string, misfortune: Misfortune) {
  let left = times;
  return (asked: string, stream: string): Misfortune | undefined => {
    if (asked !== operation || stream.startsWith("aftersale-claim-") || left === 0) return undefined;
    left -= 1;
    return misfortune;
  };
}

const grpc = (code: number, message = "words") => Object.assign(new Error(message), { code });

describe("what the client says", () => {
  const meanings: readonly (readonly [said: Error, code: StoreErrorCode])[] = [
    [clientError("access-denied"), "denied"],
    [clientError("stream-deleted"), "gone"],
    [clientError("maximum-append-size-exceeded"), "tooLarge"],
    [clientError("invalid-argument"), "invalid"],
    [clientError("unsupported"), "notAStore"],
    [clientError("timeout"), "unavailable"],
    [clientError("deadline-exceeded"), "unavailable"],
    [clientError("unavailable"), "unavailable"],
    [clientError("cancelled"), "unavailable"],
    [clientError("unknown", "", { code: 7 }), "denied"],
    [clientError("unknown", "2 UNKNOWN: stream order-1 is deleted"), "gone"],
    [grpc(16), "denied"],
    [grpc(12), "notAStore"],
    [grpc(3), "invalid"],
    [grpc(1), "unavailable"],
    [grpc(4), "unavailable"],
    [grpc(14, "unable to verify the first certificate"), "unavailable"],
    [grpc(14, "Protocol error"), "notAStore"],
    [grpc(8, "Received message larger than max"), "tooLarge"],
    [new Error("Failed to discover after 10 attempts."), "unavailable"],
    [new TypeError("no words for it"), "unavailable"],
  ];

  it.each(meanings)("%s comes to %s, at whatever it was said", async (said, code) => {
    const server = new FakeServer();
    const store = await openFake(server, { giveUpMs: 20 });
    await store.append("order-1", "none", samples(1));
    server.befalls = (operation, stream) => (stream === "backwards" ? undefined : said);
    const comes = (error: unknown) => isStoreError(error, code) && (error as Error).cause === said;
    await expect(store.append("order-1", 0n, samples(1))).rejects.toSatisfy(comes);
    await expect(store.readStream("order-1")).rejects.toSatisfy(comes);
    await expect(store.readAll()).rejects.toSatisfy(comes);
    if (code !== "unavailable") {
      await expect(messagesUntil(store.subscribe(), isLive)).rejects.toSatisfy((error) =>
        isStoreError(error, code),
      );
    }
    expect(server.log).toHaveLength(1);
    await store.close();
  });
});

describe("a call that goes wrong", () => {
  it.each([
    ["unavailable", clientError("unavailable")],
    ["cancelled", clientError("cancelled")],
    ["untyped", new Error("socket hang up")],
    ["silent", "silent"],
    ["not answered", "lost"],
  ] as const)("is made again with the same events, on a new client: %s", async (_, misfortune) => {
    const server = new FakeServer();
    const store = await openFake(server, { callTimeoutMs: 30 });
    await store.append("order-1", "none", samples(1));
    server.befalls = first(2, "append", misfortune);
    const events = samples(2);
    expect(await store.append("order-1", 0n, events)).toMatchObject({ revision: 2n, repeated: false });
    expect(server.of("order-1")).toHaveLength(3);
    expect(server.clients).toBe(3);
    server.befalls = first(2, "readStream", misfortune === "lost" ? "silent" : misfortune);
    const read = await store.readStream("order-1", { from: 1n });
    expect(read.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(server.clients).toBe(5);
    await store.close();
    expect(server.disposed).toBe(5);
    expect(server.open).toBe(0);
  });

  it("keeps its client where the server was only slow", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    server.befalls = first(2, "append", clientError("timeout"));
    await store.append("order-1", "none", samples(1));
    expect(server.clients).toBe(1);
    await store.close();
  });

  it("is made again at once where another node leads", async () => {
    const server = new FakeServer();
    const store = await openFake(server, { giveUpMs: 0 });
    await store.append("order-0", "none", samples(1));
    server.befalls = first(1, "append", clientError("not-leader"));
    await store.append("order-1", "none", samples(1));
    server.befalls = first(1, "readStream", clientError("not-leader"));
    expect(await store.readStream("order-1")).toHaveLength(1);
    server.befalls = first(2, "append", clientError("not-leader"));
    await expect(store.append("order-1", 0n, samples(1))).rejects.toMatchObject({ code: "unavailable" });
    await store.close();
  });

  it("ends those beside it on the same client, and they are made again", async () => {
    const server = new FakeServer();
    const store = await openFake(server, { callTimeoutMs: 60_000 });
    await store.append("order-0", "none", samples(1));
    // Those of the first client hear nothing; one of them is refused, and all go to the second.
    server.befalls = (operation, stream, client) =>
      client > 1 || operation !== "append"
        ? undefined
        : stream === "order-9"
          ? clientError("unavailable")
          : "lost";
    const appends = Array.from({ length: 10 }, (_, at) =>
      store.append(`order-${at + 1}`, "none", samples(1)),
    );
    for (const { repeated } of await Promise.all(appends)) expect(repeated).toBe(false);
    expect(await readEverything(store)).toHaveLength(11);
    expect(server.clients).toBe(2);
    await store.close();
  });

  it("is not made again without a revision, nor where it is refused", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    server.befalls = first(1, "append", clientError("unavailable"));
    await expect(store.append("order-1", "any", samples(1))).rejects.toMatchObject({ code: "unavailable" });
    server.befalls = first(1, "append", clientError("access-denied"));
    await expect(store.append("order-1", "none", samples(1))).rejects.toMatchObject({ code: "denied" });
    expect(server.calls.filter((call) => call === "append order-1")).toHaveLength(2);
    await store.close();
  });

  it("is told from the very same one of another process, whoever was first", async () => {
    const server = new FakeServer();
    const stores = [await openFake(server), await openFake(server)];
    const [one, other] = stores as [EsdbStore, EsdbStore];
    for (const [at, store] of stores.entries()) await store.append(`order-${at}`, "none", samples(1));
    const events = samples(2);
    const written = await one.append("order-2", "none", events);
    expect(written.repeated).toBe(false);
    expect(await other.append("order-2", "none", events)).toEqual({ ...written, repeated: true });
    // The answer to the first was lost, and the other came in between.
    server.befalls = first(1, "append", "lost");
    const slow = await openFake(server, { callTimeoutMs: 30 });
    const again = samples(2);
    const sending = slow.append("order-2", 1n, again);
    await expect.poll(() => server.of("order-2")).toHaveLength(4);
    const beside = await other.append("order-2", 1n, again);
    const sent = await sending;
    expect([sent.repeated, beside.repeated]).toEqual([false, true]);
    expect(server.of("order-2")).toHaveLength(4);
    for (const store of [...stores, slow]) await store.close();
  });

  it("is never begun with a bad id or revision", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    await expect(store.append("order-1", "none", [sample({ id: "x" })])).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(store.append("order-1", -1n, samples(1))).rejects.toMatchObject({ code: "invalid" });
    await expect(store.append(`aftersale-claim-${"0".repeat(64)}`, "none", samples(1))).rejects.toMatchObject(
      {
        code: "invalid",
      },
    );
    expect(server.calls).toEqual([]);
    await store.close();
  });

  it("does not keep closing from ending, and all are answered", async () => {
    const server = new FakeServer();
    const store = await openFake(server, { callTimeoutMs: 20, giveUpMs: 60 });
    await store.append("order-0", "none", samples(1));
    server.befalls = (operation) => (operation === "append" ? "silent" : undefined);
    const append = store.append("order-1", "none", samples(1)).catch((error: unknown) => error);
    await store.close();
    expect(await append).toMatchObject({ code: "unavailable" });
    expect(server.disposed).toBe(server.clients);
  });
});

describe("a subscription that breaks", () => {
  it("goes on behind the last event, says live once, and doubles nothing", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    let breaks = 0;
    const watching = messagesUntil(store.subscribe({ prefixes: ["order-"] }), (message, all) => {
      if (message.kind === "event" && breaks < 5) {
        breaks += 1;
        server.dropSubscriptions(breaks % 2 === 0 ? clientError("unavailable") : new Error("dropped"));
      }
      return eventsIn(all).length === 40;
    });
    for (let at = 0; at < 40; at += 1) await store.append(`order-${at % 3}`, "any", samples(1));
    const messages = await watching;
    expect(eventsIn(messages)).toEqual(await readEverything(store));
    expect(messages.filter(isLive)).toHaveLength(1);
    expect(breaks).toBe(5);
    await store.close();
    expect([server.subscriptions, server.open]).toEqual([0, 0]);
  });

  it("is begun again where it fell silent and the log went on", async () => {
    const server = new FakeServer();
    const store = await openFake(server, { quietMs: 10 });
    await store.append("order-1", "none", samples(1));
    const watching = messagesUntil(store.subscribe(), (message, all) => {
      if (isLive(message)) {
        server.silenceSubscriptions();
        void store.append("order-1", 0n, samples(1));
      }
      return eventsIn(all).length === 2;
    });
    expect(eventsIn(await watching)).toHaveLength(2);
    await store.close();
  });

  it("is live on a server that does not say so", async () => {
    const server = new FakeServer();
    server.sendsCaughtUp = false;
    const store = await openFake(server);
    expect(await messagesUntil(store.subscribe(), isLive)).toEqual([{ kind: "live" }]);
    await store.append("order-1", "none", samples(3));
    await store.append("other-1", "none", samples(3));
    const messages = await messagesUntil(store.subscribe({ prefixes: ["order-"] }), isLive);
    expect(messages.map(({ kind }) => kind)).toEqual(["event", "event", "event", "checkpoint", "live"]);
    await store.close();
  });

  it("says why while it is not heard, and that all is well when it is", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    let fail = true;
    server.befalls = (operation) =>
      operation === "subscribe" && fail ? clientError("unavailable", "gone fishing") : undefined;
    await store.append("order-1", "none", samples(1));
    const watching = messagesUntil(store.subscribe(), isLive);
    await expect.poll(() => store.trouble()).toMatch(/gone fishing/);
    fail = false;
    await watching;
    expect(store.trouble()).toBeUndefined();
    await store.close();
  });

  it("is refused beyond fifty at once", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    const open = Array.from({ length: 50 }, () => store.subscribe()[Symbol.asyncIterator]());
    for (const one of open) await one.next();
    await expect(messagesUntil(store.subscribe(), isLive)).rejects.toMatchObject({ code: "unavailable" });
    await open[0]?.return?.();
    expect(await messagesUntil(store.subscribe(), isLive)).toHaveLength(1);
    await store.close();
  });
});

describe("reads", () => {
  it("are so many at a time, however many are asked for", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    await store.append("order-1", "none", samples(1));
    let most = 0;
    server.befalls = () => {
      most = Math.max(most, server.open + 1);
      return undefined;
    };
    await Promise.all(Array.from({ length: 300 }, () => store.readStream("order-1")));
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThanOrEqual(40);
    expect(server.open).toBe(0);
    await store.close();
  });

  it("of a stream whose beginning was deleted are refused", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    await store.append("order-1", "none", samples(3));
    server.deleted.set("order-1", 1n);
    await expect(store.readStream("order-1")).rejects.toMatchObject({ code: "gone" });
    expect(await store.readStream("order-1", { from: 2n })).toHaveLength(1);
    await store.close();
  });
});

describe("claims", () => {
  it("are kept by an order although another attempt of its own was refused", async () => {
    const server = new FakeServer();
    const [one, other] = [await openFake(server), await openFake(server)];
    const claims = { claims: ["payment/1"] };
    await one.append("order-1", "none", samples(1));
    const [, late] = await Promise.allSettled([
      one.append("order-1", 0n, samples(1), claims),
      other.append("order-1", 0n, samples(1), claims),
    ]);
    expect(late.status).toBe("rejected");
    await expect(other.append("order-2", "none", samples(1), claims)).rejects.toMatchObject({
      code: "claimTaken",
    });
    await one.close();
    await other.close();
  });

  it("whose append was made are nobody else's, however old they are", async () => {
    const server = new FakeServer();
    const store = await openFake(server);
    await store.append("order-1", "none", samples(1), { claims: ["payment/1"] });
    server.now += 1_000_000_000;
    expect(await store.takenClaim(["payment/1"], "order-2")).toBe("payment/1");
    await expect(
      store.append("order-2", "none", samples(1), { claims: ["payment/1"] }),
    ).rejects.toMatchObject({
      code: "claimTaken",
    });
    await store.close();
  });

  it("of an append that could not be sent in time are not relied on", async () => {
    const server = new FakeServer();
    const store = await openFake(server, { claimGraceMs: 1_000 });
    await store.append("order-0", "none", samples(1));
    // The process slept between the claim and the append.
    server.befalls = (operation, stream) => {
      if (operation === "append" && stream.startsWith("aftersale-claim-")) server.now += 600;
      return undefined;
    };
    await expect(
      store.append("order-1", "none", samples(1), { claims: ["payment/1"] }),
    ).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(server.of("order-1")).toEqual([]);
    await store.close();
  });
});
