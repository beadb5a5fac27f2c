// What a wire does to a store: servers that restart, fall silent, lose answers or are not there, through the unmodified client.

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { type DevServer, type DevServerOptions, startDevServer } from "../../src/server/devserver/server.ts";
import { planFaults } from "../../src/server/devserver/faults.ts";
import { type EsdbStore, type EsdbStoreOptions, openEsdbStore } from "../../src/store/esdb.ts";
import { type NewEvent, isStoreError } from "../../src/store/port.ts";
import { certificate, strangersCertificate } from "../server/devserver/certificate.ts";
import { newFolder, tidyFiles } from "./files.ts";
import { eventsIn, isLive, messagesUntil, readEverything, samples, settle } from "./samples.ts";

tidyFiles();

const servers: DevServer[] = [];
const stores: EsdbStore[] = [];

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(options: DevServerOptions = {}): Promise<DevServer> {
  const server = await startDevServer(options);
  servers.push(server);
  return server;
}

async function open(url: string, options: EsdbStoreOptions = {}): Promise<EsdbStore> {
  const store = await openEsdbStore(url, options);
  stores.push(store);
  return store;
}

const code = (of: Parameters<typeof isStoreError>[1]) => (error: unknown) => isStoreError(error, of);

describe("over a wire", () => {
  it("an append whose answer is lost is written once, and answered", async () => {
    const plan = planFaults();
    const { url } = await serve({ faults: plan.faults });
    const store = await open(url);
    await store.append("order-1", "none", samples(2));
    plan.play("reset", { at: "answer" });
    expect(await store.append("order-1", 1n, samples(2))).toMatchObject({ revision: 3n, repeated: false });
    plan.play("reset", { at: "answer" });
    expect(await store.append("order-2", "none", samples(1), { claims: ["payment/1"] })).toMatchObject({
      revision: 0n,
      repeated: false,
    });
    expect(plan.played).toBe(2);
    expect(await readEverything(store)).toHaveLength(5);
    // The claim, too, was taken once, and by whom it was.
    await expect(store.append("order-3", "none", samples(1), { claims: ["payment/1"] })).rejects.toSatisfy(
      code("claimTaken"),
    );
  });

  it("a server that falls silent is given up, and asked again", async () => {
    const plan = planFaults();
    const { url } = await serve({ faults: plan.faults });
    const store = await open(url, { callTimeoutMs: 300 });
    await store.append("order-1", "none", samples(1));
    for (const at of ["append", "answer"] as const) {
      plan.play("silence", { at });
      const revision = at === "append" ? 0n : 1n;
      expect(await store.append("order-1", revision, samples(1))).toMatchObject({ repeated: false });
    }
    plan.play("silence", {
      at: "call",
      if: (moment) => "method" in moment && moment.method.endsWith("/Read"),
    });
    expect(await store.readStream("order-1")).toHaveLength(3);
    expect(plan.played).toBe(3);
  });

  it("a server that stays silent is told of in time, and the events are written at most once", async () => {
    const plan = planFaults();
    const { url } = await serve({ faults: plan.faults });
    const store = await open(url, { callTimeoutMs: 300, giveUpMs: 1_200 });
    await store.append("order-1", "none", samples(1));
    const events = samples(1);
    plan.play("silence", { at: "answer", times: 1_000 });
    await expect(store.append("order-1", 0n, events)).rejects.toSatisfy(code("unavailable"));
    expect(store.trouble()).toMatch(/no answer within 300 ms/);
    const other = await open(`${url}&connectionName=other`);
    expect(await other.readStream("order-1")).toHaveLength(2);
  });

  it("an append without a revision is never repeated blindly", async () => {
    const plan = planFaults();
    const { url } = await serve({ faults: plan.faults });
    const store = await open(url, { callTimeoutMs: 300 });
    plan.play("reset", { at: "answer" });
    await expect(store.append("order-1", "any", samples(1))).rejects.toSatisfy(code("unavailable"));
    expect(await store.readStream("order-1")).toHaveLength(1);
  });

  it("a server that is not there at first is told of in time, and taken up when it is", async () => {
    const first = await startDevServer();
    const { port } = first;
    await first.close();
    const store = await open(`esdb://127.0.0.1:${port}?tls=false`, { giveUpMs: 800 });
    await expect(store.append("order-1", "none", samples(1))).rejects.toSatisfy(code("unavailable"));
    await expect(store.readStream("order-1")).rejects.toSatisfy(code("unavailable"));
    await expect(store.head()).rejects.toSatisfy(code("unavailable"));
    const waiting = messagesUntil(store.subscribe(), ({ kind }) => kind === "event");
    await serve({ port });
    const event = samples(1);
    await expect
      .poll(
        () =>
          store.append("order-1", "none", event).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    expect(eventsIn(await waiting)).toMatchObject([{ id: event[0]?.id }]);
  });

  it("a server that restarts under load loses nothing and doubles nothing, and subscriptions go on", async () => {
    const server = await serve();
    const store = await open(server.url, { callTimeoutMs: 2_000 });
    const streams = 32;
    const each = 12;
    let done = 0;
    let seen = 0;
    const watching = messagesUntil(store.subscribe({ prefixes: ["order-"] }), ({ kind }) => {
      if (kind === "event") seen += 1;
      return seen === streams * each;
    });
    let restarting: Promise<void> | undefined;
    let restarts = 0;
    const write = async (stream: string): Promise<void> => {
      for (let at = 0; at < each; at += 1) {
        const appended = await store.append(stream, at === 0 ? "none" : BigInt(at - 1), samples(1));
        expect(appended).toMatchObject({ revision: BigInt(at), repeated: false });
        done += 1;
        if (done % 100 === 50 && restarting === undefined) {
          restarts += 1;
          restarting = server.restart().finally(() => (restarting = undefined));
        }
      }
    };
    await Promise.all(Array.from({ length: streams }, (_, at) => write(`order-${at}`)));
    expect(restarts).toBeGreaterThan(1);
    const all = await readEverything(store);
    expect(all).toHaveLength(streams * each);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(eventsIn(await watching)).toEqual(all);
  });

  it("one server's end does not harm what is under way with another", async () => {
    const plan = planFaults();
    const dying = await serve();
    const living = await serve({ faults: plan.faults });
    const one = await open(dying.url, { giveUpMs: 400 });
    const other = await open(living.url);
    await one.append("order-0", "none", samples(1));
    await other.append("order-0", "none", samples(1));
    // Their answers come when the client has forgotten them.
    plan.play({ delayMs: 300 }, { at: "answer", times: 20 });
    const pending = Array.from({ length: 20 }, (_, at) =>
      other.append(`order-${at + 1}`, "none", samples(1)),
    );
    await dying.nodes[0]?.stop();
    await expect(one.append("order-0", 0n, samples(1))).rejects.toSatisfy(code("unavailable"));
    expect((await settle(pending)).rejected).toEqual([]);
    expect(await readEverything(other)).toHaveLength(21);
  });

  it("a follower leads to the leader", async () => {
    const { url } = await serve({ nodes: 3 });
    const store = await open(`${url}&nodePreference=follower`);
    expect(await store.append("order-1", "none", samples(1))).toMatchObject({ revision: 0n });
    expect(await store.readStream("order-1")).toHaveLength(1);
  });

  it("a leader that is gone is followed by another", async () => {
    const server = await serve({ nodes: 3 });
    const store = await open(server.url);
    await store.append("order-1", "none", samples(1));
    await server.nodes[0]?.stop();
    expect(await store.append("order-1", 0n, samples(1))).toMatchObject({ revision: 1n });
  });

  it("a stream that was deleted is told of, softly or for good", async () => {
    const { url } = await serve();
    const { EventStoreDBClient } = await import("@eventstore/db-client");
    const client = EventStoreDBClient.connectionString(url);
    const store = await open(url);
    await store.append("order-1", "none", samples(2));
    await store.append("order-2", "none", samples(2));
    await client.deleteStream("order-1");
    await client.tombstoneStream("order-2");
    await expect(store.readStream("order-1")).rejects.toSatisfy(code("gone"));
    await expect(store.readStream("order-2")).rejects.toSatisfy(code("gone"));
    await expect(store.append("order-2", 1n, samples(1))).rejects.toSatisfy(code("gone"));
    await expect(store.append("order-1", "none", samples(1))).rejects.toSatisfy(code("gone"));
    await expect(store.readStream("order-1")).rejects.toSatisfy(code("gone"));
  });

  it("events are followed as they stand on the server, whoever wrote them", async () => {
    const { url } = await serve();
    const { EventStoreDBClient } = await import("@eventstore/db-client");
    const client = EventStoreDBClient.connectionString(url);
    const store = await open(url);
    const own = samples(1, { meta: '{"v":1}' })[0] as NewEvent;
    await store.append("order-1", "none", [own]);
    const id = "00000000-0000-4000-8000-00000000000";
    const foreign = [
      { metadata: '{ "v": 1 }', meta: '{ "v": 1 }' },
      { metadata: "no JSON", meta: "no JSON" },
      // An id of no usual length, and not at the end.
      { metadata: `{"a":1,"$id":"${"x".repeat(30)}","b":3}`, meta: '{"a":1,"b":3}', id: "x".repeat(30) },
      { metadata: '{ "a": 1, "$id": "own" }', meta: '{"a":1}', id: "own" },
      // What stands where an id would, and is none.
      {
        metadata: `{"a":{"b":1,"$id":"x"},"c":"${"z".repeat(27)}"}`,
        meta: `{"a":{"b":1,"$id":"x"},"c":"${"z".repeat(27)}"}`,
      },
    ];
    for (const [at, { metadata }] of foreign.entries()) {
      const event = { id: `${id}${at}`, type: "Foreign", metadata: new TextEncoder().encode(metadata) };
      await client.appendToStream("order-2", {
        ...event,
        contentType: "application/json",
        data: { at },
      });
    }
    const bytes = new TextEncoder().encode("no JSON either");
    await client.appendToStream("order-2", {
      id: `${id}9`,
      type: "Foreign",
      contentType: "application/octet-stream",
      data: bytes,
      metadata: undefined,
    });
    const followed = eventsIn(await messagesUntil(store.subscribe({ prefixes: ["order-"] }), isLive));
    expect(followed.map(({ id: known, type, data, meta }) => ({ id: known, type, data, meta }))).toEqual([
      own,
      ...foreign.map(({ meta, id: named }, at) => ({
        id: named ?? `${id}${at}`,
        type: "Foreign",
        data: `{"at":${at}}`,
        meta,
      })),
      { id: `${id}9`, type: "Foreign", data: "no JSON either", meta: "" },
    ]);
    expect((await store.readStream("order-2")).map((event) => event.id)).toEqual(
      followed.slice(1).map((event) => event.id),
    );
    await client.dispose();
  });

  it("leaves no call open, however it is left", async () => {
    const { url } = await serve();
    const store = await open(url);
    await store.append("order-1", "none", samples(20));
    for (let at = 0; at < 130; at += 1) {
      await store.readStream("order-1", { to: 3n });
      if (at % 3 === 0) await messagesUntil(store.subscribe(), isLive);
    }
    expect(await store.readStream("order-1")).toHaveLength(20);
  });
});

describe("at the door", () => {
  it.each([
    ["kurrentdb://localhost:2113", /a cluster is named esdb/],
    ["esdb://", /names no host/],
    ["esdb://localhost:port", /names no host/],
    ["esdb://localhost:2113?tsl=false", /no setting "tsl"/],
    ["esdb://localhost:2113?tls=maybe", /true or false/],
    ["esdb://localhost:2113?throwOnAppendFailure=false", /no setting/],
    ["esdb://localhost:2113?tlsCAFile=/no/such/file", /not found/],
  ])("%s is refused by name", async (url, words) => {
    await expect(openEsdbStore(url)).rejects.toThrow(TypeError);
    await expect(openEsdbStore(url)).rejects.toThrow(words);
  });

  it("a password is told to nobody", async () => {
    const store = await open("esdb://admin:secret@127.0.0.1:1?tls=false", { giveUpMs: 40 });
    const error = await store.append("order-1", "none", samples(1)).catch((reason: unknown) => reason);
    expect(String(error)).toContain("esdb://127.0.0.1:1");
    expect(String(error)).not.toContain("secret");
    await expect(openEsdbStore("esdb://admin:secret@127.0.0.1:1?nope=1")).rejects.not.toThrow(/secret/);
  });

  it("a server of another protocol is told of in time", async () => {
    const web = createServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = web.address() as AddressInfo;
      const store = await open(`esdb://127.0.0.1:${port}?tls=false`, { giveUpMs: 800, callTimeoutMs: 2_000 });
      await expect(store.head()).rejects.toSatisfy(
        (error) => isStoreError(error, "notAStore") || isStoreError(error, "unavailable"),
      );
    } finally {
      web.close();
      web.closeAllConnections();
    }
  });

  describe("with TLS", () => {
    it("a CA file and credentials open it; wrong ones are told of in time", async () => {
      const folder = newFolder();
      const pem = (name: string) => join(folder, name);
      writeFileSync(pem("own.crt"), certificate.cert);
      writeFileSync(pem("other.crt"), strangersCertificate);
      const { port } = await serve({
        tls: certificate,
        credentials: { admin: "changeit" },
        host: "localhost",
      });
      const at = (login: string, ca: string) =>
        `esdb://${login}localhost:${port}?tls=true&tlsCAFile=${pem(ca)}`;
      const right = await open(at("admin:changeit@", "own.crt"));
      await right.append("order-1", "none", samples(1));
      expect(await right.readStream("order-1")).toHaveLength(1);
      for (const login of ["admin:wrong@", "nobody:changeit@"]) {
        const wrong = await open(at(login, "own.crt"), { giveUpMs: 400 });
        await expect(wrong.append("order-1", 0n, samples(1))).rejects.toSatisfy(code("denied"));
        await expect(wrong.readStream("order-1")).rejects.toSatisfy(code("denied"));
        await expect(messagesUntil(wrong.subscribe(), isLive)).rejects.toSatisfy(code("denied"));
      }
      const untrusted = await open(at("admin:changeit@", "other.crt"), { giveUpMs: 400 });
      await expect(untrusted.head()).rejects.toThrow(/certificate/);
    });
  });
});
