// Random lives of a few streams against a literal restatement of the stream rules, told by the unmodified client.

import { BACKWARDS, END, EventStoreDBClient, jsonEvent } from "@eventstore/db-client";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type DevServer, startDevServer } from "../../../src/server/devserver/server.ts";
import { collect } from "./contract.ts";

const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

type Expected = "any" | "no_stream" | "stream_exists" | bigint;

/** A number is told from the revision where the stream stands when the step comes. */
type Told<E extends Expected> = Exclude<E, bigint> | number;

type Step =
  | {
      readonly does: "append";
      readonly expected: Told<Expected>;
      readonly ids: readonly number[];
      readonly classic: boolean;
    }
  | { readonly does: "delete" | "tombstone"; readonly expected: Told<Exclude<Expected, "stream_exists">> }
  | {
      readonly does: "metadata";
      readonly maxCount: number | undefined;
      readonly truncateBefore: number | undefined;
    }
  | {
      readonly does: "read";
      readonly from: number | "start" | "end";
      readonly backwards: boolean;
      readonly count: number;
    };

/** The stream as a list, and its rules said in the most literal way. */
class Model {
  readonly ids: number[] = [];
  /** Where an id was appended last, for appends without a revision. */
  readonly memory = new Map<number, number>();
  tombstoned = false;
  metadata: { maxCount?: number | undefined; truncateBefore?: number | undefined } | undefined;
  deleted = false;

  private behind(revision: number, ids: readonly number[]): boolean {
    return ids.every((id, index) => this.ids[revision + 1 + index] === id);
  }

  /** Whether it is written; else what the answer is. */
  decide(expected: Expected, ids: readonly number[]): "write" | "conflict" | "gone" | number {
    const last = this.ids.length - 1;
    if (this.tombstoned) return "gone";
    if (expected === "stream_exists") {
      if (this.deleted) return "gone";
      if (last === -1 && this.metadata === undefined) return "conflict";
    }
    if (expected === "any" || expected === "stream_exists") {
      const known = ids.filter((id) => this.memory.has(id));
      if (ids.length === 0 || !this.memory.has(ids[0] as number)) return "write";
      return known.length === ids.length ? (this.memory.get(ids.at(-1) as number) as number) : "conflict";
    }
    const revision = expected === "no_stream" ? -1 : Number(expected);
    if (revision === last) return "write";
    if (revision > last) return "conflict";
    if (this.behind(revision, ids)) return revision + ids.length;
    const first = this.ids[revision + 1] !== ids[0];
    return first && expected === "no_stream" && this.deleted ? "write" : "conflict";
  }

  append(expected: Expected, ids: readonly number[]): string {
    const decision = this.decide(expected, ids);
    if (decision === "conflict") return `conflict at ${this.ids.length - 1}`;
    if (decision === "gone") return "gone";
    if (decision !== "write") return `at ${decision}`;
    if (this.deleted) {
      this.deleted = false;
      this.metadata = { truncateBefore: this.ids.length };
    }
    for (const id of ids) {
      this.memory.set(id, this.ids.length);
      this.ids.push(id);
    }
    return `at ${this.ids.length - 1}`;
  }

  end(does: "delete" | "tombstone", expected: Exclude<Expected, "stream_exists">): string {
    const decision = this.decide(expected, [-1]);
    if (decision === "gone") return "gone";
    const missing = does === "delete" && this.ids.length === 0 && this.metadata === undefined;
    if (decision !== "write" || missing) return `conflict at ${this.ids.length - 1}`;
    if (does === "tombstone") this.tombstoned = true;
    else {
      this.deleted = true;
      this.metadata = {};
    }
    return "done";
  }

  set(metadata: { maxCount?: number | undefined; truncateBefore?: number | undefined }): string {
    if (this.tombstoned) return "gone";
    this.metadata = this.deleted ? { ...metadata, truncateBefore: this.ids.length } : metadata;
    this.deleted = false;
    return "done";
  }

  read(from: number | "start" | "end", backwards: boolean, count: number): string {
    if (this.tombstoned) return "gone";
    if (this.ids.length === 0 || this.deleted) return "missing";
    const { maxCount = Infinity, truncateBefore = 0 } = this.metadata ?? {};
    const visible = this.ids
      .map((_, revision) => revision)
      .filter((revision) => revision >= truncateBefore && revision > this.ids.length - 1 - maxCount);
    const last = this.ids.length - 1;
    const at = from === "start" ? 0 : from === "end" ? (backwards ? last : last + 1) : from;
    const wanted = backwards
      ? visible.filter((revision) => revision <= at).toReversed()
      : visible.filter((revision) => revision >= at);
    return wanted
      .slice(0, count)
      .map((revision) => `${revision}:${idOf(this.ids[revision] as number)}`)
      .join(" ");
  }
}

let server: DevServer;
let client: EventStoreDBClient;
beforeAll(async () => {
  server = await startDevServer();
  client = EventStoreDBClient.connectionString(server.url);
});
afterAll(async () => {
  await client.dispose();
  await server.close();
});

/** The client's errors in the words of the model. */
function said(error: unknown): string {
  const { type, actualVersion } = error as { type: string; actualVersion?: bigint | "no_stream" };
  switch (type) {
    case "wrong-expected-version":
      return `conflict at ${actualVersion === "no_stream" ? -1 : actualVersion}`;
    case "stream-deleted":
      return "gone";
    case "stream-not-found":
      return "missing";
    default:
      throw error;
  }
}

function resolve<E extends Expected>(expected: Told<E>, { ids }: Model): E {
  if (typeof expected !== "number") return expected as E;
  const revision = ids.length - 1 + expected;
  return (revision < 0 ? "no_stream" : BigInt(revision)) as E;
}

async function play(
  stream: string,
  model: Model,
  step: Step,
): Promise<readonly [model: string, server: string]> {
  switch (step.does) {
    case "append": {
      const expectedRevision = resolve<Expected>(step.expected, model);
      const events = step.ids.map((id) => jsonEvent({ id: idOf(id), type: "t", data: {} }));
      const credentials = step.classic ? { credentials: { username: "a", password: "b" } } : {};
      const answer = await client
        .appendToStream(stream, events, { expectedRevision, ...credentials })
        .then(({ nextExpectedRevision }) => `at ${nextExpectedRevision}`, said);
      return [model.append(expectedRevision, step.ids), answer];
    }
    case "delete":
    case "tombstone": {
      const expectedRevision = resolve<Exclude<Expected, "stream_exists">>(step.expected, model);
      const end = step.does === "delete" ? client.deleteStream : client.tombstoneStream;
      const answer = await end.call(client, stream, { expectedRevision }).then(() => "done", said);
      return [model.end(step.does, expectedRevision), answer];
    }
    case "metadata": {
      const { maxCount, truncateBefore } = step;
      const metadata = { ...(maxCount && { maxCount }), ...(truncateBefore && { truncateBefore }) };
      const answer = await client.setStreamMetadata(stream, metadata).then(() => "done", said);
      return [model.set(metadata), answer];
    }
    case "read": {
      const fromRevision =
        typeof step.from === "number" ? BigInt(step.from) : step.from === "end" ? END : "start";
      const direction = step.backwards ? BACKWARDS : "forwards";
      const answer = await collect(
        client.readStream(stream, { fromRevision, direction, maxCount: step.count }),
      ).then((events) => events.map(({ event }) => `${event?.revision}:${event?.id}`).join(" "), said);
      return [model.read(step.from, step.backwards, step.count), answer];
    }
  }
}

const revision = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -4, max: 1 }));
const expected = fc.oneof(fc.constantFrom("any" as const, "no_stream" as const), revision);
const expectedOfAppend = fc.oneof({ weight: 4, arbitrary: expected }, fc.constant("stream_exists" as const));
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      does: fc.constant("append" as const),
      expected: expectedOfAppend,
      // Few ids, so that repeats and partial repeats are common.
      ids: fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 4 }),
      classic: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("delete" as const), expected }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("tombstone" as const), expected: revision }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("metadata" as const),
      maxCount: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      truncateBefore: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("read" as const),
      from: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom("start" as const, "end" as const)),
      backwards: fc.boolean(),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
);

let lives = 0;

test("every step of a random life is answered as the rules say, and so is every read after it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 25 }), async (life) => {
      lives += 1;
      const stream = `life-${lives}`;
      const model = new Model();
      for (const step of life) {
        const [told, answered] = await play(stream, model, step);
        expect(answered).toBe(told);
      }
      const all = { does: "read", from: "start", backwards: false, count: 1_000 } as const;
      const [told, answered] = await play(stream, model, all);
      expect(answered).toBe(told);
    }),
    { numRuns: 150 },
  );
});
