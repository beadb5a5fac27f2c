// TLS, credentials, rights, and the simulated cluster: gossip, preference, the leader, and nodes that go and come back.

import type { EventStoreDBClient } from "@eventstore/db-client";
import { describe, expect, test } from "vitest";

import { certificate, strangersCertificate } from "./certificate.ts";
import { collect, event, events, failure, watch } from "./contract.ts";
import { connect, newPath, start, startWithClient, tidyServers } from "./servers.ts";

tidyServers();

const credentials = { admin: "changeit", ops: "ops!:ü", li: "secret" };

async function startSecure() {
  const server = await start({ tls: certificate, credentials });
  const caFile = newPath("ca.crt", certificate.cert);
  const urlFor = (login: string, ca = caFile): string =>
    `esdb://${login}localhost:${server.port}?tls=true&tlsCAFile=${encodeURIComponent(ca)}`;
  return { server, urlFor, as: (login: string) => connect(urlFor(login)) };
}

describe("TLS", () => {
  test("with the right certificate the whole way is open: both appends, reads, subscriptions", async () => {
    const { as } = await startSecure();
    const admin = as("admin:changeit@");
    await admin.appendToStream("a", events(2), { expectedRevision: "no_stream" });
    const login = { username: "ops", password: "ops!:ü" };
    await admin.appendToStream("a", event(), { expectedRevision: 1n, credentials: login });
    expect(await collect(admin.readStream("a"))).toHaveLength(3);
    const subscription = admin.subscribeToAll();
    await watch(subscription).saw("caughtUp");
    await subscription.unsubscribe();
  });

  test("a read of which much is still to come ends as cancelled where the node is stopped, also while nobody reads it", async () => {
    const { as, server } = await startSecure();
    await as("admin:changeit@").appendToStream("a", events(2_000));
    const [node] = server.nodes;
    for (const waits of [true, false]) {
      let read = 0;
      let stopped: Promise<void> | undefined;
      const reading = (async () => {
        for await (const _ of as("admin:changeit@").readStream("a")) {
          read += 1;
          if (read !== 12) continue;
          stopped = node?.stop();
          if (waits) await stopped;
        }
      })();
      expect([waits, (await failure(reading))["type"]]).toEqual([waits, "cancelled"]);
      expect(read).toBeLessThan(2_000);
      await stopped;
      await node?.start();
    }
  });

  test("with a stranger's certificate there is no connection", async () => {
    const { urlFor } = await startSecure();
    const client = connect(urlFor("", newPath("other.crt", strangersCertificate)));
    expect((await failure(client.appendToStream("a", event())))["code"]).toBe(14);
    expect(await failure(collect(client.readStream("a")))).toMatchObject({ type: "unavailable" });
  });

  test("the server's own connection string names the first user", async () => {
    const server = await start({ tls: certificate, credentials, host: "localhost" });
    expect(server.url).toBe(`esdb://admin:changeit@localhost:${server.port}?tls=true`);
    const plain = await start({ credentials });
    expect(plain.url).toBe(`esdb://127.0.0.1:${plain.port}?tls=false`);
  });
});

describe("credentials", () => {
  test("wrong ones are refused, whatever the call", async () => {
    const { as } = await startSecure();
    const denied = { type: "access-denied" };
    for (const login of ["admin:wrong@", "nobody:changeit@", "toString:changeit@"]) {
      const client = as(login);
      expect(await failure(client.appendToStream("a", event()))).toMatchObject(denied);
      expect(await failure(collect(client.readStream("a")))).toMatchObject(denied);
      expect(await failure(client.deleteStream("a"))).toMatchObject(denied);
      expect(await failure(collect(client.subscribeToAll()))).toMatchObject(denied);
    }
  });

  test("those of a call stand before those of the connection", async () => {
    const { as } = await startSecure();
    const admin = as("admin:changeit@");
    const wrong = { username: "AzureDiamond", password: "hunter2" };
    expect(await collect(admin.readAll({ maxCount: 1 }))).toHaveLength(1);
    expect(await failure(collect(admin.readAll({ credentials: wrong })))).toMatchObject({
      type: "access-denied",
    });
    const good = { username: "admin", password: "changeit" };
    expect(
      await collect(as("AzureDiamond:hunter2@").readAll({ maxCount: 1, credentials: good })),
    ).toHaveLength(1);
  });

  test("everything, and what is the system's, is for administrators; other streams are for everybody", async () => {
    const { as } = await startSecure();
    for (const client of [as(""), as("li:secret@")]) {
      expect(await failure(collect(client.readAll()))).toMatchObject({ type: "access-denied" });
      expect(await failure(collect(client.readStream("$users")))).toMatchObject({ type: "access-denied" });
      expect(await failure(client.appendToStream("$settings", event()))).toMatchObject({
        type: "access-denied",
      });
      await client.appendToStream("everybody's", event());
      expect((await collect(client.readStream("everybody's"))).length).toBeGreaterThan(0);
    }
    await as("li:secret@")
      .setStreamMetadata("$all-is-not-mine", {})
      .catch(() => undefined);
    expect(await collect(as("admin:changeit@").readStream("$$$all-is-not-mine")).catch(() => [])).toEqual([]);
  });

  test("a stream's metadata says who may read, write and delete it, and its metadata", async () => {
    const { as } = await startSecure();
    const [admin, li, ops] = [as("admin:changeit@"), as("li:secret@"), as("ops:ops!%3A%C3%BC@")];
    await admin.appendToStream("a", event());
    await admin.setStreamMetadata("a", {
      acl: {
        readRoles: ["li"],
        writeRoles: ["$ops"],
        deleteRoles: ["$admins"],
        metaReadRoles: ["li"],
        metaWriteRoles: ["$admins"],
      },
    });
    const denied = { type: "access-denied" };
    expect(await collect(li.readStream("a"))).toHaveLength(1);
    expect(await failure(collect(ops.readStream("a")))).toMatchObject(denied);
    expect(await failure(collect(ops.subscribeToStream("a")))).toMatchObject(denied);
    await ops.appendToStream("a", event());
    for (const options of [{}, { credentials: { username: "li", password: "secret" } }]) {
      expect(await failure(li.appendToStream("a", event(), options))).toMatchObject(denied);
    }
    expect((await li.getStreamMetadata("a")).metadata).toHaveProperty("acl");
    expect(await failure(ops.getStreamMetadata("a"))).toMatchObject(denied);
    expect(await failure(li.setStreamMetadata("a", {}))).toMatchObject(denied);
    expect(await failure(li.deleteStream("a"))).toMatchObject(denied);
    expect(await failure(ops.tombstoneStream("a"))).toMatchObject(denied);
    await admin.tombstoneStream("a");
  });

  test("without any on the server everybody may do everything", async () => {
    const { client } = await startWithClient();
    await client.setStreamMetadata("a", { acl: { readRoles: ["nobody"], writeRoles: ["nobody"] } });
    await client.appendToStream("a", event());
    expect(await collect(client.readStream("a"))).toHaveLength(1);
    expect((await collect(client.readStream("$users"))).length).toBeGreaterThan(0);
  });
});

/** The port that a client has come to, told by its channel. */
async function portOf(client: EventStoreDBClient): Promise<number> {
  const channel = await (
    client as unknown as { getChannel(): Promise<{ getTarget(): string }> }
  ).getChannel();
  return Number(channel.getTarget().split(":").at(-1));
}

describe("a cluster of three", () => {
  const begin = async () => {
    const server = await start({ nodes: 3 });
    const preferring = (preference: string) => connect(`${server.url}&nodePreference=${preference}`);
    return { server, preferring, ports: server.nodes.map(({ port }) => port) };
  };

  test("gossip leads to the leader, or to a follower, as the client prefers, from any node", async () => {
    const { preferring, ports, server } = await begin();
    const leader = preferring("leader");
    const follower = preferring("follower");
    await leader.appendToStream("a", event());
    await follower.appendToStream("a", event());
    expect(await portOf(leader)).toBe(ports[0]);
    expect(ports.slice(1)).toContain(await portOf(follower));
    const discovered = connect(`esdb+discover://127.0.0.1:${ports[2]}?tls=false`);
    await discovered.appendToStream("a", event());
    expect(await portOf(discovered)).toBe(ports[0]);
    expect(await collect(follower.readStream("a"))).toHaveLength(3);
    expect(server.url).toBe(`esdb://${ports.map((port) => `127.0.0.1:${port}`).join(",")}?tls=false`);
  });

  test.each([
    ["BatchAppend", {}],
    ["Append", { credentials: { username: "a", password: "b" } }],
  ])(
    "a follower refuses what wants the leader (%s), and the next try has found it",
    async (_name, options) => {
      const { preferring, ports } = await begin();
      await preferring("follower").appendToStream("a", event(), options);
      // A client of its own: BatchAppend is opened once, with the wish of its first append.
      const client = preferring("follower");
      const wanting = { ...options, requiresLeader: true };
      expect(await failure(client.appendToStream("a", event(), wanting))).toMatchObject({
        type: "not-leader",
        leader: { address: "127.0.0.1", port: ports[0] },
      });
      await client.appendToStream("a", event(), wanting);
      expect(await portOf(client)).toBe(ports[0]);
      expect(await collect(client.readStream("a", { requiresLeader: true }))).toHaveLength(2);
    },
  );

  test("reads, deletions and tombstones too", async () => {
    const { preferring } = await begin();
    const fails = { type: "not-leader" };
    await preferring("leader").appendToStream("a", event());
    const options = { requiresLeader: true };
    expect(await failure(collect(preferring("follower").readStream("a", options)))).toMatchObject(fails);
    expect(await failure(collect(preferring("follower").subscribeToAll(options)))).toMatchObject(fails);
    expect(await failure(preferring("follower").deleteStream("a", options))).toMatchObject(fails);
    expect(await failure(preferring("follower").tombstoneStream("a", options))).toMatchObject(fails);
  });

  test("when the leader dies another leads, and the log is the same", async () => {
    const { server, preferring, ports } = await begin();
    const client = preferring("leader");
    await client.appendToStream("a", events(3));
    const seen = watch(client.subscribeToAll());
    await seen.saw("caughtUp");
    await server.nodes[0]?.stop("abruptly");
    await seen.saw("error").catch(() => undefined);
    expect(seen.failed()).toMatchObject({ type: "unavailable" });
    const again = await client
      .appendToStream("a", event(), { expectedRevision: 2n, requiresLeader: true })
      .catch(() => client.appendToStream("a", event(), { expectedRevision: 2n, requiresLeader: true }));
    expect(again.nextExpectedRevision).toBe(3n);
    expect(await portOf(client)).toBe(ports[1]);
    await server.nodes[0]?.start();
    expect(server.nodes[0]?.port).toBe(ports[0]);
    const late = preferring("leader");
    expect(await collect(late.readStream("a"))).toHaveLength(4);
    expect(await portOf(late)).toBe(ports[0]);
  });

  test("with all nodes down there is nobody to discover; when they are back all goes on", async () => {
    const { server } = await begin();
    const client = connect(`${server.url}&maxDiscoverAttempts=2&discoveryInterval=10`);
    // Not by BatchAppend, whose broken call would reject a promise of the client's that nobody handles.
    await client.appendToStream("a", event(), { credentials: { username: "a", password: "b" } });
    await Promise.all(server.nodes.map((node) => node.stop("abruptly")));
    await failure(collect(client.readStream("a")));
    expect((await failure(collect(client.readStream("a"))))["message"]).toBe(
      "Failed to discover after 2 attempts.",
    );
    await Promise.all(server.nodes.map((node) => node.start()));
    expect(await collect(connect(server.url).readStream("a"))).toHaveLength(1);
  });
});
