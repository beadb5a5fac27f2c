// What any EventStoreDB must do for the unmodified client: checks as data, run on the server as it is and on its mutants.

import { randomUUID } from "node:crypto";

import {
  type AllStreamSubscription,
  type AppendExpectedRevision,
  type EventData,
  type EventStoreDBClient,
  type Position,
  type ResolvedEvent,
  BACKWARDS,
  END,
  binaryEvent,
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  streamNameFilter,
} from "@eventstore/db-client";
import { expect } from "vitest";

/** What a check has: a client, and a name that no other check uses. */
export interface Subject {
  readonly client: EventStoreDBClient;
  readonly stream: string;
}

export interface Check {
  readonly name: string;
  run(subject: Subject): Promise<void>;
}

const checks: Check[] = [];

function check(name: string, run: (subject: Subject) => Promise<void>): void {
  checks.push({ name, run });
}

/** The same over both methods: BatchAppend, and Append, which the client uses where a call has credentials. */
function checkBoth(name: string, run: (subject: Subject, append: Appending) => Promise<void>): void {
  for (const classic of [false, true]) {
    check(`${name} (${classic ? "Append" : "BatchAppend"})`, (subject) => {
      const credentials = classic ? { credentials: { username: "admin", password: "changeit" } } : {};
      return run(subject, (events, expectedRevision, stream = subject.stream) =>
        subject.client.appendToStream(stream, [...events], { expectedRevision, ...credentials }),
      );
    });
  }
}

type Appending = (
  events: readonly EventData[],
  expectedRevision: AppendExpectedRevision,
  stream?: string,
) => ReturnType<EventStoreDBClient["appendToStream"]>;

// --- what the checks are made of ---

export function event(
  type = "tested",
  data: Record<string, string | number> = {},
  id: string = randomUUID(),
): EventData {
  return jsonEvent({ type, data, id });
}

export const events = (count: number, type?: string): EventData[] =>
  Array.from({ length: count }, (_, index) => event(type, { index }));

export async function collect(iterable: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const collected: ResolvedEvent[] = [];
  for await (const one of iterable) collected.push(one);
  return collected;
}

const idsOf = (resolved: readonly ResolvedEvent[]): (string | undefined)[] =>
  resolved.map((one) => one.event?.id);

const revisionsOf = (resolved: readonly ResolvedEvent[]): number[] =>
  resolved.map((one) => Number(one.event?.revision));

async function readIds({ client, stream }: Subject): Promise<(string | undefined)[]> {
  return idsOf(await collect(client.readStream(stream)));
}

/** What a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const outcome = await promise.then(
    () => ({ type: "nothing: it succeeded" }),
    (error: unknown) => error,
  );
  return outcome as Record<string, unknown>;
}

/** A subscription's messages in the order of their arrival, as short texts; `until` resolves once one has come. */
export function watch(
  subscription: NodeJS.EventEmitter,
  { wanted = () => true }: { readonly wanted?: (event: ResolvedEvent) => boolean } = {},
) {
  const seen: string[] = [];
  const received: ResolvedEvent[] = [];
  const waiting = new Set<() => void>();
  let failed: unknown;
  const say = (what: string): void => {
    seen.push(what);
    for (const look of waiting) look();
  };
  subscription
    .on("data", (resolved: ResolvedEvent) => {
      if (!wanted(resolved)) return;
      received.push(resolved);
      say(resolved.event?.id ?? "none");
    })
    .on("confirmation", () => say("confirmation"))
    .on("caughtUp", () => say("caughtUp"))
    .on("end", () => say("end"))
    .on("error", (error: unknown) => {
      failed = error;
      say("error");
    });
  const until = (reached: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!reached() && failed === undefined) return;
        waiting.delete(look);
        if (reached()) resolve();
        else reject(failed as Error);
      };
      waiting.add(look);
      look();
    });
  return {
    seen,
    received,
    failed: () => failed,
    until,
    saw: (what: string) => until(() => seen.includes(what)),
    count: (count: number) => until(() => received.length >= count),
    say,
  };
}

const isOf =
  (stream: string) =>
  (one: ResolvedEvent): boolean =>
    one.event?.streamId === stream;

// --- appending ---

checkBoth("an event comes back as it was given", async ({ client, stream }, append) => {
  const given = [
    jsonEvent({
      type: "json",
      data: { 甲: "龙井茶 🍵", n: 1.5, deep: [{ a: null }] },
      metadata: { meta: "ü" },
    }),
    jsonEvent({ type: "json", data: "a text" }),
    binaryEvent({ type: "binary", data: Uint8Array.of(0, 1, 2, 128, 255) }),
    binaryEvent({ type: "binary", data: Buffer.from("{"), metadata: Buffer.from([255, 0]) }),
  ];
  const before = Date.now();
  const { nextExpectedRevision, position } = await append(given, "no_stream");
  expect(nextExpectedRevision).toBe(3n);
  const read = await collect(client.readStream(stream));
  expect(
    read.map(({ event: one }) => ({
      ...one,
      data: one?.isJson === false ? [...(one.data as Uint8Array)] : one?.data,
      metadata: one?.metadata instanceof Uint8Array ? [...one.metadata] : one?.metadata,
      created: undefined,
      position: undefined,
    })),
  ).toEqual(
    [
      { data: given[0]?.data, metadata: { meta: "ü" }, isJson: true },
      { data: "a text", metadata: undefined, isJson: true },
      { data: [0, 1, 2, 128, 255], metadata: undefined, isJson: false },
      { data: [123], metadata: [255, 0], isJson: false },
    ].map((one, index) => ({
      ...one,
      streamId: stream,
      id: given[index]?.id,
      type: given[index]?.type,
      revision: BigInt(index),
      created: undefined,
      position: undefined,
    })),
  );
  expect(read.at(-1)?.event?.position).toEqual(position);
  for (const { event: one, commitPosition } of read) {
    // Clocks of two machines are some seconds apart.
    expect(Math.abs((one?.created.getTime() ?? 0) - before)).toBeLessThan(60_000);
    expect(commitPosition).toBeUndefined();
  }
});

checkBoth(
  "`no_stream` on a stream that exists is a conflict that names where it stands",
  async (subject, append) => {
    await append(events(2), "no_stream");
    expect(await failure(append(events(1), "no_stream"))).toMatchObject({
      type: "wrong-expected-version",
      streamName: subject.stream,
      expectedVersion: "no_stream",
      actualVersion: 1n,
    });
    expect(await readIds(subject)).toHaveLength(2);
  },
);

checkBoth(
  "a revision that is behind, ahead, or of a stream that does not exist is a conflict",
  async (subject, append) => {
    const conflict = { type: "wrong-expected-version", streamName: subject.stream };
    expect(await failure(append(events(1), 0n))).toMatchObject({
      ...conflict,
      expectedVersion: 0n,
      actualVersion: "no_stream",
    });
    await append(events(3), "any");
    for (const expectedVersion of [0n, 1n, 3n, 4n, 2n ** 40n]) {
      expect(await failure(append(events(1), expectedVersion))).toMatchObject({
        ...conflict,
        expectedVersion,
        actualVersion: 2n,
      });
    }
    expect((await append(events(1), 2n)).nextExpectedRevision).toBe(3n);
    expect(await readIds(subject)).toHaveLength(4);
  },
);

checkBoth("`stream_exists` wants a stream, or its metadata", async ({ client, stream }, append) => {
  expect(await failure(append(events(1), "stream_exists"))).toMatchObject({
    type: "wrong-expected-version",
    expectedVersion: "stream_exists",
    actualVersion: "no_stream",
  });
  await client.setStreamMetadata(stream, { turkey: "🦃" });
  expect((await append(events(1), "stream_exists")).nextExpectedRevision).toBe(0n);
  expect((await append(events(2), "stream_exists")).nextExpectedRevision).toBe(2n);
});

checkBoth("`any` appends wherever the stream stands", async (_subject, append) => {
  expect((await append(events(1), "any")).nextExpectedRevision).toBe(0n);
  expect((await append(events(2), "any")).nextExpectedRevision).toBe(2n);
});

checkBoth(
  "a repeat answers as the first time and writes nothing, also after others have appended",
  async (subject, append) => {
    const first = events(2);
    const second = events(3);
    await append(first, "no_stream");
    const answer = await append(second, 1n);
    expect(await append(second, 1n)).toEqual(answer);
    await append(events(2), 4n);
    expect(await append(second, 1n)).toEqual(answer);
    expect((await append(first, "no_stream")).nextExpectedRevision).toBe(1n);
    expect(await readIds(subject)).toHaveLength(7);
  },
);

checkBoth(
  "other ids, or the same in another order, at a revision that was passed are a conflict",
  async (subject, append) => {
    const [a, b] = events(2) as [EventData, EventData];
    await append([a, b], "no_stream");
    for (const batch of [[event()], [b, a], [b], [event(), b]]) {
      expect(await failure(append(batch, "no_stream"))).toMatchObject({
        type: "wrong-expected-version",
        actualVersion: 1n,
      });
    }
    expect(await readIds(subject)).toEqual([a.id, b.id]);
  },
);

checkBoth("a partly repeated batch is a conflict, never a partial write", async (subject, append) => {
  const [a, b, c] = events(3) as [EventData, EventData, EventData];
  await append([a, b], "no_stream");
  for (const batch of [
    [a, event()],
    [a, b, c],
    [a, c],
  ]) {
    expect(await failure(append(batch, "no_stream"))).toMatchObject({ type: "wrong-expected-version" });
  }
  expect(await readIds(subject)).toEqual([a.id, b.id]);
  // The beginning of a batch is a repeat of that much.
  expect((await append([a], "no_stream")).nextExpectedRevision).toBe(0n);
});

checkBoth("the same id may stand again at a later revision", async (subject, append) => {
  const same = event();
  await append([same], "no_stream");
  await append([event()], 0n);
  expect((await append([same], 1n)).nextExpectedRevision).toBe(2n);
  expect(await readIds(subject)).toHaveLength(3);
});

checkBoth(
  "with `any` a repeat is known by its ids, in its own stream, and a part of it is a conflict",
  async (subject, append) => {
    const [a, b, c] = events(3) as [EventData, EventData, EventData];
    const answer = await append([a, b], "any");
    await append([event()], "any");
    expect(await append([a, b], "any")).toEqual(answer);
    expect(await append([a, b], "stream_exists")).toEqual(answer);
    expect(await failure(append([b, c], "any"))).toMatchObject({ type: "wrong-expected-version" });
    expect(await readIds(subject)).toHaveLength(3);
    const other = `${subject.stream}-other`;
    expect((await append([b], "any", other)).nextExpectedRevision).toBe(0n);
    expect(idsOf(await collect(subject.client.readStream(other)))).toEqual([b.id]);
  },
);

check("an id in capitals is the same id", async ({ client, stream }) => {
  const id = randomUUID();
  await client.appendToStream(stream, event("t", {}, id.toUpperCase()), { expectedRevision: "no_stream" });
  await client.appendToStream(stream, event("t", {}, id), { expectedRevision: "no_stream" });
  expect(idsOf(await collect(client.readStream(stream)))).toEqual([id]);
});

checkBoth("of 64 writers that race for each revision one wins", async (subject, append) => {
  for (const expected of ["no_stream", 0n, 1n] as const) {
    const outcomes = await Promise.allSettled(Array.from({ length: 64 }, () => append([event()], expected)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }
  expect(await readIds(subject)).toHaveLength(3);
});

checkBoth(
  "a batch stands together, in its stream and in the order of everything",
  async ({ client, stream }, append) => {
    const batches = Array.from({ length: 20 }, () => events(7));
    const names = [stream, `${stream}-b`, `${stream}-c`];
    const { position } = await append([event()], "any");
    await Promise.all(batches.map((batch, index) => append(batch, "any", names[index % 3])));
    const ids = idsOf(await collect(client.readAll({ fromPosition: position as Position })));
    for (const batch of batches) {
      const at = ids.indexOf(batch[0]?.id);
      expect(ids.slice(at, at + 7)).toEqual(batch.map(({ id }) => id));
    }
    for (const name of names) {
      const own = await collect(client.readStream(name));
      expect(revisionsOf(own)).toEqual(own.map((_, index) => index));
    }
  },
);

checkBoth(
  "an append over the limit is refused as a whole, and the next one goes on",
  async (subject, append) => {
    const big = event("big", { text: "x".repeat(600_000) });
    expect(await failure(append([big, event("big", { text: "x".repeat(600_000) })], "any"))).toMatchObject({
      type: "maximum-append-size-exceeded",
      maxAppendSize: 1_048_576,
    });
    expect(await failure(readIds(subject))).toMatchObject({ type: "stream-not-found" });
    expect((await append([big], "no_stream")).nextExpectedRevision).toBe(0n);
  },
);

check("what a client adds to an append that was refused is passed over", async ({ client, stream }) => {
  const refused = client.appendToStream(
    stream,
    [event("big", { text: "x".repeat(1_100_000) }), ...events(50)],
    {
      batchAppendSize: 512,
    },
  );
  expect(await failure(refused)).toMatchObject({ type: "maximum-append-size-exceeded" });
  const { nextExpectedRevision } = await client.appendToStream(stream, events(100), { batchAppendSize: 512 });
  expect(nextExpectedRevision).toBe(99n);
});

check(
  "an append whose deadline has passed is refused, in however many messages it comes",
  async ({ client, stream }) => {
    const late = client.appendToStream(stream, events(30_000), { deadline: 1 });
    expect(await failure(late)).toMatchObject({ type: "deadline-exceeded" });
    expect((await client.appendToStream(stream, event())).nextExpectedRevision).toBe(0n);
  },
);

checkBoth("an event without a type, or with the empty id, is refused", async (subject, append) => {
  const nobody = "00000000-0000-0000-0000-000000000000";
  for (const wrong of [event(""), event("t", {}, nobody)]) {
    expect((await failure(append([event(), wrong], "any")))["type"]).toBe("unknown");
  }
  expect(await failure(readIds(subject))).toMatchObject({ type: "stream-not-found" });
});

checkBoth("an event id that is no UUID is refused", async (subject, append) => {
  expect((await failure(append([event("t", {}, "not-a-uuid")], "any")))["type"]).toBe("unknown");
  expect(await failure(readIds(subject))).toMatchObject({ type: "stream-not-found" });
  expect((await append([event()], "no_stream")).nextExpectedRevision).toBe(0n);
});

check("10,000 appends in one turn are all answered", async ({ client, stream }) => {
  const answers = await Promise.all(
    Array.from({ length: 10_000 }, () =>
      client.appendToStream(stream, event("flood", { value: "A".repeat(300) }), { deadline: 60_000 }),
    ),
  );
  expect(new Set(answers.map(({ nextExpectedRevision }) => nextExpectedRevision)).size).toBe(10_000);
});

// --- reading a stream ---

check("from, backwards and limit are inclusive", async ({ client, stream }) => {
  await client.appendToStream(stream, events(8));
  const read = async (options: Parameters<EventStoreDBClient["readStream"]>[1]): Promise<number[]> =>
    revisionsOf(await collect(client.readStream(stream, options)));
  expect(await read({})).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(await read({ fromRevision: 5n })).toEqual([5, 6, 7]);
  expect(await read({ fromRevision: 7n })).toEqual([7]);
  expect(await read({ fromRevision: 8n })).toEqual([]);
  expect(await read({ fromRevision: 100n })).toEqual([]);
  expect(await read({ fromRevision: END })).toEqual([]);
  expect(await read({ maxCount: 3 })).toEqual([0, 1, 2]);
  expect(await read({ fromRevision: 6n, maxCount: 5 })).toEqual([6, 7]);
  expect(await read({ direction: BACKWARDS, fromRevision: END })).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
  expect(await read({ direction: BACKWARDS, fromRevision: END, maxCount: 1 })).toEqual([7]);
  expect(await read({ direction: BACKWARDS, fromRevision: 2n })).toEqual([2, 1, 0]);
  expect(await read({ direction: BACKWARDS, fromRevision: 2n, maxCount: 2 })).toEqual([2, 1]);
  expect(await read({ direction: BACKWARDS, fromRevision: 100n, maxCount: 1 })).toEqual([7]);
  expect(await read({ direction: BACKWARDS, fromRevision: 0n })).toEqual([0]);
});

check("a long stream comes whole and in order, both ways", async ({ client, stream }) => {
  await client.appendToStream(stream, events(1_003));
  const forwards = Array.from({ length: 1_003 }, (_, index) => index);
  expect(revisionsOf(await collect(client.readStream(stream)))).toEqual(forwards);
  const backwards = await collect(client.readStream(stream, { direction: BACKWARDS, fromRevision: END }));
  expect(revisionsOf(backwards)).toEqual(forwards.toReversed());
  expect(await collect(client.readStream(stream, { maxCount: 200 }))).toHaveLength(200);
  expect(await collect(client.readStream(stream, { fromRevision: 3n, maxCount: 201 }))).toHaveLength(201);
});

check("a stream that does not exist is not found, both ways", async ({ client, stream }) => {
  for (const options of [{}, { direction: BACKWARDS, fromRevision: END } as const]) {
    expect(await failure(collect(client.readStream(stream, options)))).toMatchObject({
      type: "stream-not-found",
      streamName: stream,
    });
  }
});

check("names of any language, and of any length", async ({ client, stream }) => {
  const name = `${stream}-订单/龙井 🍵?${"x".repeat(500)}`;
  await client.appendToStream(name, event());
  const [read] = await collect(client.readStream(name));
  expect(read?.event?.streamId).toBe(name);
});

const linkTo = (stream: string, revision: number, metadata = {}): EventData =>
  binaryEvent({ type: "$>", data: Buffer.from(`${revision}@${stream}`), metadata });

check("a link is followed when that is asked for", async ({ client, stream }) => {
  await client.appendToStream(stream, events(3));
  const [target] = await collect(client.readStream(stream, { fromRevision: 1n, maxCount: 1 }));
  const cause = { $causedBy: target?.event?.id };
  const links = `${stream}-links`;
  const { position } = await client.appendToStream(links, [
    linkTo(stream, 9),
    binaryEvent({ type: "$>", data: Buffer.from(`x@${stream}`) }),
    linkTo(stream, 1, cause),
  ]);
  const [dangling, none, found] = await collect(client.readStream(links, { resolveLinkTos: true }));
  expect([dangling?.event, dangling?.link?.revision]).toEqual([undefined, 0n]);
  expect([none?.event?.revision, none?.link]).toEqual([1n, undefined]);
  expect(found?.event).toEqual(target?.event);
  expect([found?.link?.streamId, found?.link?.type, found?.link?.metadata]).toEqual([links, "$>", cause]);
  const [raw] = await collect(client.readStream(links));
  expect([raw?.event?.type, raw?.link]).toEqual(["$>", undefined]);
  const [ofAll] = await collect(
    client.readAll({ resolveLinkTos: true, fromPosition: position as Position, maxCount: 1 }),
  );
  expect([ofAll?.event?.id, ofAll?.link?.id]).toEqual([target?.event?.id, found?.link?.id]);
  const subscription = client.subscribeToStream(links, { resolveLinkTos: true });
  const seen = watch(subscription);
  await seen.saw("caughtUp");
  expect(idsOf(seen.received)).toEqual([undefined, none?.event?.id, target?.event?.id]);
  await subscription.unsubscribe();
});

check("a link to what is hidden, deleted or tombstoned leads nowhere", async ({ client, stream }) => {
  const names = ["hidden", "deleted", "ended", "there"].map((name) => `${stream}-${name}`);
  for (const name of names) await client.appendToStream(name, events(2));
  const [hidden, deleted, ended] = names as [string, string, string];
  await client.setStreamMetadata(hidden, { maxCount: 1 });
  await client.deleteStream(deleted);
  await client.tombstoneStream(ended);
  await client.appendToStream(
    stream,
    names.map((name) => linkTo(name, 0)),
  );
  const read = await collect(client.readStream(stream, { resolveLinkTos: true }));
  expect(read.map(({ event: one, link }) => [one?.streamId, link?.streamId])).toEqual([
    [undefined, stream],
    [undefined, stream],
    [undefined, stream],
    [names[3], stream],
  ]);
});

// --- reading everything ---

check(
  "everything is read in the order of its commits, whose positions leave holes",
  async ({ client, stream }) => {
    const { position: before } = await client.appendToStream(stream, event());
    const names = [stream, `${stream}-b`, stream, `${stream}-c`];
    for (const name of names) await client.appendToStream(name, events(2));
    const read = (await collect(client.readAll({ fromPosition: before as Position }))).filter(
      ({ event: one }) => one?.streamId.startsWith(stream),
    );
    expect(read.map(({ event: one }) => one?.streamId)).toEqual([
      stream,
      ...names.flatMap((name) => [name, name]),
    ]);
    const positions = read.map(({ event: one }) => (one as { position: Position }).position.commit);
    const steps = positions.slice(1).map((position, index) => position - (positions[index] as bigint));
    expect(steps.every((step) => step > 1n)).toBe(true);
    expect(
      read.every((one) => one.commitPosition === (one.event as { position: Position }).position.commit),
    ).toBe(true);
  },
);

check(
  "everything from a position is inclusive forwards and exclusive backwards",
  async ({ client, stream }) => {
    const answers = [];
    for (let index = 0; index < 3; index += 1) answers.push(await client.appendToStream(stream, event()));
    const positions = answers.map(({ position }) => position as Position);
    const revisions = async (options: Parameters<EventStoreDBClient["readAll"]>[0]): Promise<number[]> =>
      revisionsOf((await collect(client.readAll(options))).filter(isOf(stream)));
    const at = positions[1] as Position;
    expect(await revisions({ fromPosition: at })).toEqual([1, 2]);
    expect(await revisions({ fromPosition: at, maxCount: 1 })).toEqual([1]);
    expect(await revisions({ fromPosition: END })).toEqual([]);
    expect(await revisions({ fromPosition: at, direction: BACKWARDS, maxCount: 1 })).toEqual([0]);
    expect(await revisions({ fromPosition: END, direction: BACKWARDS, maxCount: 1_000 })).toEqual([2, 1, 0]);
    expect(await revisions({ direction: BACKWARDS, fromPosition: "start" })).toEqual([]);
  },
);

check("everything from the start has events that nobody here wrote", async ({ client, stream }) => {
  await client.appendToStream(stream, events(250));
  const read = await collect(client.readAll());
  expect(read.some(({ event: one }) => one?.type.startsWith("$"))).toBe(true);
  expect(revisionsOf(read.filter(isOf(stream)))).toEqual(Array.from({ length: 250 }, (_, index) => index));
  expect(await collect(client.readAll({ maxCount: 2 }))).toHaveLength(2);
});

// --- deleting ---

check("a deleted stream is not found, and goes on behind its revisions", async ({ client, stream }) => {
  await client.appendToStream(stream, events(3));
  const { position } = await client.deleteStream(stream);
  expect(typeof position?.commit).toBe("bigint");
  expect(await failure(collect(client.readStream(stream)))).toMatchObject({ type: "stream-not-found" });
  expect((await client.appendToStream(stream, events(2))).nextExpectedRevision).toBe(4n);
  expect(revisionsOf(await collect(client.readStream(stream)))).toEqual([3, 4]);
  const backwards = client.readStream(stream, { direction: BACKWARDS, fromRevision: END });
  expect(revisionsOf(await collect(backwards))).toEqual([4, 3]);
  await client.deleteStream(stream, { expectedRevision: 4n });
  expect((await client.appendToStream(stream, event(), { expectedRevision: 4n })).nextExpectedRevision).toBe(
    5n,
  );
  expect(revisionsOf(await collect(client.readStream(stream)))).toEqual([5]);
});

checkBoth(
  "a deleted stream is taken up by `no_stream`, and does not exist for `stream_exists`",
  async ({ client, stream }, append) => {
    const first = events(2);
    await append(first, "no_stream");
    await client.deleteStream(stream);
    expect(await failure(append(events(1), "stream_exists"))).toMatchObject({
      type: "stream-deleted",
      streamName: stream,
    });
    expect((await append(events(1), "no_stream")).nextExpectedRevision).toBe(2n);
    expect(revisionsOf(await collect(client.readStream(stream)))).toEqual([2]);
    expect(await failure(append(events(1), "no_stream"))).toMatchObject({ type: "wrong-expected-version" });
    // What was appended before the deletion is still known.
    expect((await append(first, "no_stream")).nextExpectedRevision).toBe(1n);
  },
);

check("a deletion wants its revision, and a stream", async ({ client, stream }) => {
  expect(await failure(client.deleteStream(stream))).toMatchObject({
    type: "wrong-expected-version",
    streamName: stream,
    actualVersion: "no_stream",
  });
  await client.appendToStream(stream, events(4));
  expect(await failure(client.deleteStream(stream, { expectedRevision: 2n }))).toMatchObject({
    type: "wrong-expected-version",
    streamName: stream,
    expectedVersion: 2n,
    actualVersion: 3n,
  });
  expect(await failure(client.deleteStream(stream, { expectedRevision: "no_stream" }))).toMatchObject({
    type: "wrong-expected-version",
    expectedVersion: -1n,
  });
  expect(await collect(client.readStream(stream))).toHaveLength(4);
  await client.deleteStream(stream, { expectedRevision: 3n });
});

check("a stream of metadata alone can be deleted", async ({ client, stream }) => {
  await client.setStreamMetadata(stream, { cacheControl: 10 });
  await client.deleteStream(stream, { expectedRevision: "no_stream" });
  expect((await client.getStreamMetadata(stream)).metadata).toEqual({ truncateBefore: 2 ** 63 });
});

check("deleting replaces the metadata; going on keeps what it says then", async ({ client, stream }) => {
  await client.appendToStream(stream, events(2));
  await client.setStreamMetadata(stream, { maxCount: 12 });
  await client.deleteStream(stream);
  await client.setStreamMetadata(stream, { maxCount: 7 });
  // The metadata alone does not show again what was deleted.
  expect(await failure(collect(client.readStream(stream, { fromRevision: 0n })))).not.toMatchObject({
    event: {},
  });
  expect((await client.getStreamMetadata(stream)).metadata).toEqual({ maxCount: 7, truncateBefore: 2 });
  await client.appendToStream(stream, event());
  expect(revisionsOf(await collect(client.readStream(stream)))).toEqual([2]);
});

checkBoth("a tombstone ends a stream for ever", async ({ client, stream }, append) => {
  await append(events(2), "no_stream");
  expect(await failure(client.tombstoneStream(stream, { expectedRevision: 5n }))).toMatchObject({
    type: "wrong-expected-version",
    streamName: stream,
    expectedVersion: 5n,
    actualVersion: 1n,
  });
  const { position } = await client.tombstoneStream(stream, { expectedRevision: 1n });
  const gone = { type: "stream-deleted", streamName: stream };
  for (const expected of ["any", "no_stream", "stream_exists", 1n] as const) {
    expect(await failure(append(events(1), expected))).toMatchObject(gone);
  }
  expect(await failure(collect(client.readStream(stream)))).toMatchObject(gone);
  expect(await failure(client.deleteStream(stream))).toMatchObject(gone);
  expect(await failure(client.tombstoneStream(stream))).toMatchObject(gone);
  expect(await failure(collect(client.subscribeToStream(stream)))).toMatchObject(gone);
  const [tombstone] = await collect(client.readAll({ fromPosition: position as Position, maxCount: 1 }));
  expect([tombstone?.event?.streamId, tombstone?.event?.type, tombstone?.event?.revision]).toEqual([
    stream,
    "$streamDeleted",
    2n ** 63n - 1n,
  ]);
});

check("a tombstone ends a stream's metadata with it", async ({ client, stream }) => {
  await client.appendToStream(stream, events(1));
  await client.setStreamMetadata(stream, { maxCount: 3 });
  await client.tombstoneStream(stream);
  const gone = { type: "stream-deleted", streamName: `$$${stream}` };
  expect(await failure(client.getStreamMetadata(stream))).toMatchObject(gone);
  expect(await failure(client.setStreamMetadata(stream, { maxCount: 2 }))).toMatchObject(gone);
  const seen = watch(client.subscribeToStream(`$$${stream}`));
  await seen.saw("error").catch(() => undefined);
  expect(seen.failed()).toMatchObject({ type: "stream-deleted" });
});

check("a stream that never was can be tombstoned, but not as one that is", async ({ client, stream }) => {
  expect(
    await failure(client.tombstoneStream(stream, { expectedRevision: "stream_exists" as "any" })),
  ).toMatchObject({
    type: "wrong-expected-version",
    expectedVersion: -4n,
  });
  await client.tombstoneStream(stream, { expectedRevision: "no_stream" });
  expect(await failure(collect(client.readStream(stream)))).toMatchObject({ type: "stream-deleted" });
});

// --- metadata ---

check("metadata comes back as it was set, and its last setting is the one", async ({ client, stream }) => {
  expect(await client.getStreamMetadata(stream)).toEqual({ streamName: stream });
  const metadata = {
    maxAge: 2,
    cacheControl: 15,
    truncateBefore: 1,
    maxCount: 12,
    acl: {
      readRoles: ["admin"],
      writeRoles: ["admin"],
      deleteRoles: ["admin"],
      metaReadRoles: ["admin"],
      metaWriteRoles: ["admin"],
    },
    turkey: "🦃",
  };
  await client.setStreamMetadata(stream, { maxCount: 1 });
  expect((await client.setStreamMetadata(stream, metadata)).nextExpectedRevision).toBe(1n);
  expect((await client.getStreamMetadata(stream)).metadata).toEqual(metadata);
  // A stream of metadata shows its last event only.
  expect(revisionsOf(await collect(client.readStream(`$$${stream}`)))).toEqual([1]);
  expect(await failure(client.setStreamMetadata(stream, {}, { expectedRevision: 0n }))).toMatchObject({
    type: "wrong-expected-version",
    streamName: `$$${stream}`,
    actualVersion: 1n,
  });
});

check(
  "$maxCount and $tb hide the oldest events, from streams and subscriptions but not from everything",
  async ({ client, stream }) => {
    await client.setStreamMetadata(stream, { maxCount: 3 });
    const { position } = await client.appendToStream(stream, event());
    await client.appendToStream(stream, events(9));
    const shown = async (): Promise<number[]> => revisionsOf(await collect(client.readStream(stream)));
    expect(await shown()).toEqual([7, 8, 9]);
    expect(revisionsOf(await collect(client.readStream(stream, { fromRevision: 2n, maxCount: 2 })))).toEqual([
      7, 8,
    ]);
    const backwards = client.readStream(stream, { direction: BACKWARDS, fromRevision: END });
    expect(revisionsOf(await collect(backwards))).toEqual([9, 8, 7]);
    await client.setStreamMetadata(stream, { truncateBefore: 9 });
    expect(await shown()).toEqual([9]);
    await client.setStreamMetadata(stream, { truncateBefore: 100 });
    expect(await shown()).toEqual([]);
    const everything = await collect(client.readAll({ fromPosition: position as Position }));
    expect(everything.filter(isOf(stream))).toHaveLength(10);
    await client.setStreamMetadata(stream, { maxCount: 4, truncateBefore: 2 });
    expect(await shown()).toEqual([6, 7, 8, 9]);
    const subscription = client.subscribeToStream(stream);
    const seen = watch(subscription);
    await seen.saw("caughtUp");
    expect(revisionsOf(seen.received)).toEqual([6, 7, 8, 9]);
    await subscription.unsubscribe();
  },
);

// --- subscribing to a stream ---

check("a subscription to a stream catches up, says so once, and goes on", async ({ client, stream }) => {
  const before = events(4);
  const after = events(3);
  await client.appendToStream(stream, before);
  const subscription = client.subscribeToStream(stream);
  const seen = watch(subscription);
  await seen.saw("caughtUp");
  await client.appendToStream(`${stream}-other`, events(2));
  for (const one of after) await client.appendToStream(stream, one);
  await seen.count(7);
  await subscription.unsubscribe();
  await seen.saw("end");
  expect(seen.seen).toEqual([
    "confirmation",
    ...before.map(({ id }) => id),
    "caughtUp",
    ...after.map(({ id }) => id),
    "end",
  ]);
});

check(
  "a subscription from a revision begins behind it, one from the end with what comes",
  async ({ client, stream }) => {
    await client.appendToStream(stream, events(4));
    const fromTwo = client.subscribeToStream(stream, { fromRevision: 2n });
    const fromEnd = client.subscribeToStream(stream, { fromRevision: END });
    const behind = watch(fromTwo);
    const coming = watch(fromEnd);
    await Promise.all([behind.saw("caughtUp"), coming.saw("caughtUp")]);
    expect([revisionsOf(behind.received), revisionsOf(coming.received)]).toEqual([[3], []]);
    await client.appendToStream(stream, events(2));
    await Promise.all([behind.count(3), coming.count(2)]);
    expect([revisionsOf(behind.received), revisionsOf(coming.received)]).toEqual([
      [3, 4, 5],
      [4, 5],
    ]);
    await Promise.all([fromTwo.unsubscribe(), fromEnd.unsubscribe()]);
  },
);

check(
  "a subscription may wait for a stream that does not exist yet, and outlives its deletion",
  async ({ client, stream }) => {
    const subscription = client.subscribeToStream(stream);
    const seen = watch(subscription);
    await seen.saw("caughtUp");
    await client.appendToStream(stream, events(2));
    await seen.count(2);
    await client.deleteStream(stream);
    await client.appendToStream(stream, event());
    await seen.count(3);
    expect(revisionsOf(seen.received)).toEqual([0, 1, 2]);
    await client.tombstoneStream(stream);
    await seen.saw("error").catch(() => undefined);
    expect(seen.seen.at(-1)).toBe("error");
  },
);

// --- subscribing to everything ---

check(
  "a subscription to everything begins behind its position, and says once that it has caught up",
  async ({ client, stream }) => {
    const { position } = await client.appendToStream(stream, event());
    const before = events(3);
    await client.appendToStream(stream, before);
    const subscription = client.subscribeToAll({ fromPosition: position as Position });
    const seen = watch(subscription, { wanted: isOf(stream) });
    await seen.saw("caughtUp");
    const after = events(2);
    await client.appendToStream(stream, after);
    await seen.count(5);
    await subscription.unsubscribe();
    await seen.saw("end");
    expect(seen.seen).toEqual([
      "confirmation",
      ...before.map(({ id }) => id),
      "caughtUp",
      ...after.map(({ id }) => id),
      "end",
    ]);
  },
);

check("a subscription to everything from the start and one from the end", async ({ client, stream }) => {
  await client.appendToStream(stream, events(2));
  const fromStart = client.subscribeToAll();
  const fromEnd = client.subscribeToAll({ fromPosition: END });
  const all = watch(fromStart);
  const own = watch(fromStart, { wanted: isOf(stream) });
  const coming = watch(fromEnd, { wanted: isOf(stream) });
  await Promise.all([own.saw("caughtUp"), coming.saw("caughtUp")]);
  await client.appendToStream(stream, events(2));
  await Promise.all([own.count(4), coming.count(2)]);
  expect(revisionsOf(own.received)).toEqual([0, 1, 2, 3]);
  expect(revisionsOf(coming.received)).toEqual([2, 3]);
  expect(all.received.some(({ event: one }) => one?.type.startsWith("$"))).toBe(true);
  await Promise.all([fromStart.unsubscribe(), fromEnd.unsubscribe()]);
});

check("filters by prefix and pattern, on stream and type", async ({ client, stream }) => {
  const { position } = await client.appendToStream(stream, event());
  const a = `${stream}-a`;
  const b = `${stream}-b`;
  const type = (name: string): string => `${stream}/${name}`;
  await client.appendToStream(a, [event(type("one")), event(type("two"))]);
  await client.appendToStream(b, [event(type("two")), event(type("three"))]);
  await client.appendToStream(`not-${a}`, event(type("one")));
  await client.setStreamMetadata(a, { maxCount: 100 });
  const through = async (
    filter: NonNullable<Parameters<EventStoreDBClient["subscribeToAll"]>[0]>["filter"],
  ) => {
    const subscription = client.subscribeToAll({
      fromPosition: position as Position,
      ...(filter && { filter }),
    });
    const seen = watch(subscription, { wanted: ({ event: one }) => one?.streamId.includes(stream) === true });
    await seen.saw("caughtUp");
    await subscription.unsubscribe();
    return seen.received.map(({ event: one }) => `${one?.streamId} ${one?.type}`.replaceAll(stream, ""));
  };
  const [a1, a2, b1, b2, n1] = ["-a /one", "-a /two", "-b /two", "-b /three", "not--a /one"];
  const meta = "$$-a $metadata";
  expect(await through(undefined)).toEqual([a1, a2, b1, b2, n1, meta]);
  expect(await through(streamNameFilter({ prefixes: [a] }))).toEqual([a1, a2]);
  expect(await through(streamNameFilter({ prefixes: [b, `not-${stream}`] }))).toEqual([b1, b2, n1]);
  expect(await through(streamNameFilter({ regex: `^(not-)?${stream}-a$` }))).toEqual([a1, a2, n1]);
  expect(await through(eventTypeFilter({ prefixes: [type("t")] }))).toEqual([a2, b1, b2]);
  expect(await through(eventTypeFilter({ regex: "/(one|three)$" }))).toEqual([a1, b2, n1]);
  expect(await through(excludeSystemEvents())).toEqual([a1, a2, b1, b2, n1]);
});

check(
  "a filtered subscription hands out checkpoints every interval of considered events, and when it has caught up",
  async ({ client, stream }) => {
    const { position } = await client.appendToStream(stream, event());
    const reached: bigint[] = [];
    // 200 events of which none matches: what is known of them is checkpoints alone.
    const { position: last } = await client.appendToStream(`${stream}-x`, events(200));
    const checkpoints = async (_: AllStreamSubscription, { commit }: Position): Promise<void> => {
      reached.push(commit);
      seen.say("checkpoint");
    };
    const subscription = client.subscribeToAll({
      fromPosition: position as Position,
      filter: streamNameFilter({
        prefixes: [`${stream}-y`],
        checkpointInterval: 2,
        checkpointReached: checkpoints,
      }),
    });
    const seen = watch(subscription);
    await seen.saw("caughtUp");
    // 64, 128, 192, and the last of them all.
    expect(seen.seen).toEqual(["confirmation", ...Array.from({ length: 4 }, () => "checkpoint"), "caughtUp"]);
    const considered = (await collect(client.readAll({ fromPosition: position as Position })))
      .slice(1)
      .map((one) => one.commitPosition as bigint);
    expect(reached).toEqual([considered[63], considered[127], considered[191], last?.commit]);
    await client.appendToStream(`${stream}-x`, events(100));
    await seen.until(() => reached.length >= 5);
    expect(reached.toSorted((a, b) => Number(a - b))).toEqual(reached);
    await subscription.unsubscribe();
    // From any of them it goes on without a gap.
    const match = event();
    await client.appendToStream(`${stream}-y`, match);
    for (const commit of reached) {
      const again = client.subscribeToAll({
        fromPosition: { commit, prepare: commit },
        filter: streamNameFilter({ prefixes: [`${stream}-`] }),
      });
      const rest = watch(again);
      await rest.saw(match.id);
      const expected = (await collect(client.readAll({ fromPosition: { commit, prepare: commit } })))
        .slice(1)
        .filter(({ event: one }) => one?.streamId.startsWith(`${stream}-`) === true);
      expect(idsOf(rest.received)).toEqual(idsOf(expected));
      await again.unsubscribe();
    }
  },
);

check("a search window sets what an interval counts", async ({ client, stream }) => {
  const { position } = await client.appendToStream(stream, event());
  await client.appendToStream(stream, events(20));
  let reached = 0;
  const subscription = client.subscribeToAll({
    fromPosition: position as Position,
    filter: streamNameFilter({
      prefixes: [stream],
      maxSearchWindow: 5,
      checkpointInterval: 2,
      checkpointReached: async () => {
        reached += 1;
      },
    }),
  });
  await watch(subscription).saw("caughtUp");
  // At 10 and 20; the last is the one of having caught up too.
  expect(reached).toBe(2);
  await subscription.unsubscribe();
});

check("a subscription among writers misses nothing and repeats nothing", async ({ client, stream }) => {
  const names = Array.from({ length: 5 }, (_, index) => `${stream}-${index}`);
  const { position } = await client.appendToStream(stream, event());
  let writing = true;
  const writers = names.map(async (name) => {
    const own: string[] = [];
    for (let index = 0; index < 60; index += 1) {
      const one = event();
      await client.appendToStream(name, one);
      own.push(one.id);
    }
    return own;
  });
  const filter = streamNameFilter({ prefixes: [`${stream}-`], checkpointInterval: 1 });
  const subscriptions = Array.from({ length: 3 }, () =>
    client.subscribeToAll({ fromPosition: position as Position, filter }),
  );
  const seen = subscriptions.map((subscription) => watch(subscription));
  const written = await Promise.all(writers);
  writing = false;
  await Promise.all(seen.map((one) => one.count(300)));
  expect(writing).toBe(false);
  const [first] = seen;
  for (const one of seen) expect(idsOf(one.received)).toEqual(idsOf(first?.received ?? []));
  for (const [index, own] of written.entries()) {
    expect(idsOf((first?.received ?? []).filter(isOf(names[index] as string)))).toEqual(own);
  }
  expect(new Set(first?.seen).size).toBe(302);
  await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()));
});

check(
  "150 reads and subscriptions that are left early do not stop the next ones",
  async ({ client, stream }) => {
    await client.appendToStream(stream, events(300));
    for (let round = 0; round < 150; round += 1) {
      const reading = round % 2 === 0 ? client.readStream(stream) : client.subscribeToStream(stream);
      for await (const one of reading as AsyncIterable<ResolvedEvent>) {
        expect(one.event?.revision).toBe(0n);
        break;
      }
      await ("cancel" in reading ? reading.cancel() : reading.unsubscribe());
    }
    expect(await collect(client.readStream(stream))).toHaveLength(300);
  },
);

// --- what is not spoken ---

check(
  "what is not spoken is said to be unsupported or unimplemented, and nothing hangs",
  async ({ client, stream }) => {
    expect((await failure(client.listProjections()))["code"]).toBe(12);
    expect((await failure(client.deletePersistentSubscriptionToStream(stream, "group")))["code"]).toBe(12);
    expect(await failure(client.listPersistentSubscriptionsToAll())).toMatchObject({ type: "unsupported" });
  },
);

export const contract: readonly Check[] = checks;
