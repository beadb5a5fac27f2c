// Every fault on demand, as the unmodified client meets it, and what stands in the log afterwards.

import { type ResolvedEvent, jsonEvent } from "@eventstore/db-client";
import { describe, expect, test } from "vitest";

import { planFaults } from "../../../src/server/devserver/faults.ts";
import { collect, event, events, failure, watch } from "./contract.ts";
import { connect, start, startWithClient, tidyServers } from "./servers.ts";

tidyServers();

/** With per-call credentials the client takes Append instead of BatchAppend. */
const classic = { credentials: { username: "admin", password: "changeit" } } as const;

const methods = [
  ["BatchAppend", {}, "cancelled"],
  ["Append", classic, "cancelled"],
] as const;

describe.each(methods)("%s", (_name, options, lost) => {
  test("an answer that is lost: it is written, and the same again succeeds and writes once", async () => {
    const plan = planFaults();
    const { client } = await startWithClient({ faults: plan.faults });
    const batch = events(3);
    await client.appendToStream("other", event(), options);
    plan.play("reset", { at: "answer", if: (moment) => moment.at === "answer" && moment.stream === "a" });
    const failed = await failure(
      client.appendToStream("a", batch, { ...options, expectedRevision: "no_stream" }),
    );
    expect([failed["type"], plan.played]).toEqual([lost, 1]);
    const again = await client.appendToStream("a", batch, { ...options, expectedRevision: "no_stream" });
    expect(again.nextExpectedRevision).toBe(2n);
    expect(
      await failure(client.appendToStream("a", events(3), { ...options, expectedRevision: "no_stream" })),
    ).toMatchObject({
      type: "wrong-expected-version",
    });
    expect(await collect(client.readStream("a"))).toHaveLength(3);
  });

  test("a node that dies before the append has written nothing; one that dies after it has", async () => {
    const plan = planFaults();
    const { client } = await startWithClient({ faults: plan.faults });
    const died = options === classic ? "unavailable" : "cancelled";
    plan.play("restart", { at: "append" });
    expect(await failure(client.appendToStream("a", event(), options))).toMatchObject({ type: died });
    expect(await failure(collect(client.readStream("a")))).toMatchObject({ type: "stream-not-found" });
    plan.play("restart", { at: "answer" });
    expect(await failure(client.appendToStream("a", event(), options))).toMatchObject({ type: died });
    expect(await collect(client.readStream("a"))).toHaveLength(1);
    expect(plan.played).toBe(2);
  });

  test("silence: nothing is written, nothing is said, and other calls go on", async () => {
    const plan = planFaults();
    const { client, server } = await startWithClient({ faults: plan.faults });
    plan.play("silence", { at: "append", if: (moment) => moment.at === "append" && moment.stream === "a" });
    let settled = false;
    const silent = client.appendToStream("a", event(), { ...options, deadline: 60_000 }).finally(() => {
      settled = true;
    });
    const outcome = failure(silent);
    await client.appendToStream("b", event(), options);
    expect(await failure(collect(client.readStream("a")))).toMatchObject({ type: "stream-not-found" });
    expect(settled).toBe(false);
    // The end of the node is the end of the silence.
    await server.nodes[0]?.stop();
    expect(["cancelled", "unavailable"]).toContain((await outcome)["type"]);
  });

  test("delay: the answer comes later, and it comes", async () => {
    const plan = planFaults();
    const { client } = await startWithClient({ faults: plan.faults });
    await client.appendToStream("warm", event(), options);
    plan.play({ delayMs: 300 }, { at: "answer" });
    const began = performance.now();
    await client.appendToStream("a", event(), options);
    expect(performance.now() - began).toBeGreaterThan(290);
  });

  test("unavailable, and not the leader", async () => {
    const plan = planFaults();
    const { client, server } = await startWithClient({ faults: plan.faults });
    plan.play("unavailable", { at: "append" });
    expect(await failure(client.appendToStream("a", event(), options))).toMatchObject({
      type: "unavailable",
    });
    plan.play("notLeader", { at: "append" });
    expect(await failure(client.appendToStream("a", event(), options))).toMatchObject({
      type: "not-leader",
      leader: { address: "127.0.0.1", port: server.port },
    });
    await client.appendToStream("a", event(), { ...options, expectedRevision: "no_stream" });
  });
});

test("unavailable at first contact: this client's appends fail for ever, another's do not", async () => {
  const plan = planFaults();
  const { client, server } = await startWithClient({ faults: plan.faults });
  plan.play("unavailable", {
    at: "call",
    if: (moment) => moment.at === "call" && moment.method.endsWith("GetSupportedMethods"),
  });
  expect((await failure(client.appendToStream("a", event())))["code"]).toBe(14);
  const other = connect(server.url);
  expect((await other.appendToStream("a", event())).nextExpectedRevision).toBe(0n);
});

test("a restart in the middle of a read and of a subscription: both end as cancelled, and go on from where they were", async () => {
  const plan = planFaults();
  const { client } = await startWithClient({ faults: plan.faults });
  await client.appendToStream("a", events(100));
  plan.play("restart", { at: "event", after: 40 });
  const read: ResolvedEvent[] = [];
  const reading = (async () => {
    for await (const one of client.readStream("a")) read.push(one);
  })();
  expect(await failure(reading)).toMatchObject({ type: "cancelled" });
  expect(read.length).toBeLessThanOrEqual(40);
  plan.play("restart", { at: "event", after: 60 });
  const seen = watch(client.subscribeToStream("a"));
  await seen.saw("error").catch(() => undefined);
  expect(seen.received.length).toBeLessThanOrEqual(60);
  const from = seen.received.at(-1)?.event?.revision;
  const rest = client.subscribeToStream("a", from === undefined ? {} : { fromRevision: from });
  const seenRest = watch(rest);
  await seenRest.saw("caughtUp");
  const revisions = [...seen.received, ...seenRest.received].map(({ event: one }) => Number(one?.revision));
  expect(revisions).toEqual(Array.from({ length: 100 }, (_, index) => index));
  await rest.unsubscribe();
});

test("slow events come slowly, in order and whole, and others' reads do not wait for them", async () => {
  const plan = planFaults();
  const { client } = await startWithClient({ faults: plan.faults });
  await client.appendToStream("slow", events(10));
  await client.appendToStream("quick", events(10));
  const slowOnly = (moment: { readonly at: string; readonly stream?: string }): boolean =>
    moment.stream === "slow";
  plan.play({ delayMs: 50 }, { at: "event", times: 10, if: slowOnly });
  const order: string[] = [];
  const read = async (stream: string): Promise<number> => {
    const { length } = await collect(client.readStream(stream));
    order.push(stream);
    return length;
  };
  expect(await Promise.all([read("slow"), read("quick")])).toEqual([10, 10]);
  expect(order).toEqual(["quick", "slow"]);
});

test("a subscriber that does not read holds nothing up, and has missed nothing when it reads again", async () => {
  const { client } = await startWithClient();
  const big = (): ReturnType<typeof jsonEvent> =>
    jsonEvent({ type: "big", data: { text: "x".repeat(100_000) } });
  const subscription = client.subscribeToStream("a");
  const stalled = subscription[Symbol.asyncIterator]();
  await client.appendToStream("a", big());
  await stalled.next();
  // 6 MB: more than all the windows and buffers between the two ends hold.
  for (let index = 0; index < 60; index += 1) await client.appendToStream("a", big());
  expect(await collect(client.readStream("a", { fromRevision: 59n }))).toHaveLength(2);
  for (let index = 1; index <= 60; index += 1) {
    const { value } = (await stalled.next()) as { value: ResolvedEvent };
    expect(value.event?.revision).toBe(BigInt(index));
  }
  await subscription.unsubscribe();
});

test("a node that is stopped cancels what streams, and one that is cut off is unavailable", async () => {
  for (const [how, type] of [
    [undefined, "cancelled"],
    ["abruptly", "unavailable"],
  ] as const) {
    const { client, server } = await startWithClient();
    await client.appendToStream("a", event());
    const seen = watch(client.subscribeToStream("a"));
    await seen.saw("caughtUp");
    const [node] = server.nodes;
    await node?.stop(how);
    const error = await seen.saw("error").catch((failed: unknown) => failed);
    expect(error ?? seen.seen.at(-1)).toBeDefined();
    expect(seen.failed()).toMatchObject({ type });
    await node?.start();
    expect((await connect(server.url).appendToStream("a", event())).nextExpectedRevision).toBe(1n);
  }
});

test("a node that is being stopped takes no more calls on the connections it still has", async () => {
  const { client, server } = await startWithClient();
  await client.appendToStream("a", event(), classic);
  const stopped = server.nodes[0]?.stop();
  expect(await failure(client.appendToStream("a", event(), classic))).toMatchObject({ type: "unavailable" });
  await stopped;
  await server.nodes[0]?.start();
  expect(await collect(connect(server.url).readStream("a"))).toHaveLength(1);
});

test("without a plan no fault is played, and a plan is played in its order", async () => {
  const plan = planFaults();
  const at = { at: "append", stream: "a", expected: "any", node: 0 } as const;
  expect(plan.faults(at)).toBeUndefined();
  plan.play("silence", { at: "append", after: 1, times: 2 });
  plan.play("reset", { at: "append" });
  expect([plan.faults(at), plan.faults(at), plan.faults(at), plan.faults(at)]).toEqual([
    "reset",
    "silence",
    "silence",
    undefined,
  ]);
  const server = await start();
  const client = connect(server.url);
  await client.appendToStream("a", event());
  expect(plan.played).toBe(3);
});
