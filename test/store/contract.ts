// The one contract: the promises of the port, as tests that every store must pass.

import { getEventListeners } from "node:events";

import { afterEach, describe, expect, it } from "vitest";

import {
  type EventStore,
  type InTransaction,
  type LocalReads,
  type Message,
  type RecordedEvent,
  isAfter,
  isStoreError,
} from "../../src/store/port.ts";
import { behavesAsTheModel } from "./model.property.ts";
import {
  eventsIn,
  given,
  ids,
  isLive,
  messagesUntil,
  readEverything,
  sample,
  samples,
  settle,
  turn,
  uuid,
} from "./samples.ts";

export interface ContractStore {
  /** Opens a new, empty store, which the contract closes. */
  readonly open: () => Promise<EventStore>;
  /** The store lives in this process: it answers `local`, keeps the order of appends in flight, and has a transaction hook. */
  readonly inProcess: boolean;
  /** How many runs of random operations. */
  readonly runs: number;
}

function failing(code: Parameters<typeof isStoreError>[1]) {
  return (error: unknown): boolean => isStoreError(error, code);
}

export function storeContract(name: string, { open, inProcess, runs }: ContractStore): void {
  const opened: EventStore[] = [];

  async function start(): Promise<EventStore> {
    const store = await open();
    opened.push(store);
    return store;
  }

  async function startLocal(): Promise<{ store: EventStore; local: LocalReads }> {
    const store = await start();
    if (store.local === undefined) throw new Error(`${name} does not answer local`);
    return { store, local: store.local };
  }

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  describe(`${name}: append and read back`, () => {
    it("gives back exactly what was given, and where it stands", async () => {
      const store = await start();
      const events = samples(3);
      const appended = await store.append("order-1", "none", events);
      const read = await store.readStream("order-1");
      expect(read).toEqual(
        events.map((event, at) => ({
          ...event,
          stream: "order-1",
          revision: BigInt(at),
          position: read[at]?.position,
        })),
      );
      expect(appended).toEqual({ revision: 2n, position: read[2]?.position, repeated: false });
      expect((await store.readAll()).events).toEqual(read);
    });

    it.each([
      ["no metadata", "{}", "{}"],
      ["spaces and key order", '{ "b" : 1,\n\t"a": 1.0e2 }', '{"z":0, "a":-0}'],
      ["Unicode", '{"text":"售后 🙂 e\u0301 \u00e9 \u2028 \ufeff"}', '{"名":"李"}'],
      ["escapes", '{"nul":"\\u0000","half":"\\ud800","quote":"\\"\'"}', '{"__proto__":{}}'],
    ])("keeps every byte: %s", async (_, data, meta) => {
      const store = await start();
      await store.append("order-1", "none", [sample({ data, meta })]);
      expect((await store.readStream("order-1"))[0]).toMatchObject({ data, meta });
      expect((await store.readAll()).events[0]).toMatchObject({ data, meta });
    });

    it("keeps every byte where it is told what the data says", async () => {
      const store = await start();
      const values = [{ text: '李 \ud800 "', 10: 1, 9: [2.5, null] }, ["no object"], { left: undefined }];
      const events = values.map((value) => sample({ data: JSON.stringify(value) }));
      await store.append("order-1", "none", events, { values, claims: ["payment:1"] });
      expect(given(await store.readStream("order-1"))).toEqual(events);
      const more = samples(2);
      await store.append("order-1", 2n, more, { values: [undefined, JSON.parse(more[1]?.data ?? "")] });
      expect(given(await store.readStream("order-1", { from: 3n }))).toEqual(more);
    });

    it("keeps names of streams and types as they are", async () => {
      const store = await start();
      const names = [
        "Order-1",
        "order-1",
        "order-1 ",
        "订单-1",
        "__proto__",
        "constructor",
        "a/b\n'c\"",
        "order-%",
      ];
      for (const stream of names) await store.append(stream, "none", [sample({ type: stream })]);
      for (const stream of names) {
        expect((await store.readStream(stream)).map((event) => [event.stream, event.type])).toEqual([
          [stream, stream],
        ]);
      }
    });

    it("reads a missing stream as empty", async () => {
      const store = await start();
      expect(await store.readStream("order-1")).toEqual([]);
      expect(await store.readStream("order-1", { backwards: true, limit: 1 })).toEqual([]);
    });

    it("answers an empty store with nothing", async () => {
      const store = await start();
      expect(await store.head()).toBeUndefined();
      // A server has events of its own, which are nobody's.
      const { checkpoint } = await store.readAll();
      expect(await store.readAll()).toEqual({
        events: [],
        checkpoint: inProcess ? undefined : checkpoint,
        end: true,
      });
    });

    it("reads from, to, backwards, and so many", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(5));
      await store.append("order-2", "none", samples(1));
      const revisions = async (read: Parameters<EventStore["readStream"]>[1]) =>
        (await store.readStream("order-1", read)).map(({ revision }) => Number(revision));
      expect(await revisions({})).toEqual([0, 1, 2, 3, 4]);
      expect(await revisions({ from: 2n })).toEqual([2, 3, 4]);
      expect(await revisions({ to: 2n })).toEqual([0, 1, 2]);
      expect(await revisions({ from: 1n, to: 3n })).toEqual([1, 2, 3]);
      expect(await revisions({ from: 1n, limit: 2 })).toEqual([1, 2]);
      expect(await revisions({ from: 5n })).toEqual([]);
      expect(await revisions({ from: 3n, to: 1n })).toEqual([]);
      expect(await revisions({ backwards: true })).toEqual([4, 3, 2, 1, 0]);
      expect(await revisions({ backwards: true, from: 2n })).toEqual([2, 1, 0]);
      expect(await revisions({ backwards: true, to: 2n })).toEqual([4, 3, 2]);
      expect(await revisions({ backwards: true, from: 3n, to: 1n })).toEqual([3, 2, 1]);
      expect(await revisions({ backwards: true, limit: 1 })).toEqual([4]);
      expect(await revisions({ from: 1n, to: 3n, limit: 2 })).toEqual([1, 2]);
      expect(await revisions({ backwards: true, from: 3n, to: 1n, limit: 2 })).toEqual([3, 2]);
      expect(await revisions({ backwards: true, to: 3n, limit: 4 })).toEqual([4, 3]);
      expect(await revisions({ from: 2n ** 63n })).toEqual([]);
    });

    it("is not changed by changing what it returned, nor what it was given", async () => {
      const store = await start();
      const events = samples(2);
      const before = given(events);
      await store.append("order-1", "none", events);
      for (const event of events)
        Object.assign(event, { id: uuid(1), type: "Other", data: "{}", meta: "[]" });
      const returned = [
        await store.readStream("order-1"),
        (await store.readAll()).events,
        eventsIn(await messagesUntil(store.subscribe(), isLive)),
        ...(store.local === undefined
          ? []
          : [
              store.local.readStream("order-1"),
              store.local.readAll().events,
              ...store.local.streams({ limit: 10 }).streams.map((stream) => stream.events),
            ]),
      ];
      for (const list of returned) {
        expect(given(list)).toEqual(before);
        for (const event of list) {
          Reflect.set(event, "data", "changed");
          Reflect.set(event, "revision", 7n);
          Reflect.deleteProperty(event, "id");
        }
        (list as RecordedEvent[]).pop();
        Reflect.set(list, 0, undefined);
      }
      const read = await store.readStream("order-1");
      expect(given(read)).toEqual(before);
      expect(read.map(({ revision }) => revision)).toEqual([0n, 1n]);
      expect((await store.readAll()).events).toEqual(read);
    });
  });

  describe(`${name}: the expected revision`, () => {
    it.each([
      ["none on an existing stream", "none", 1n],
      ["behind", 0n, 1n],
      ["ahead", 2n, 1n],
      ["far ahead", 2n ** 60n, 1n],
    ] as const)("refuses %s, and says where the stream is", async (_, expected, actual) => {
      const store = await start();
      await store.append("order-1", "none", samples(2));
      await expect(store.append("order-1", expected, samples(1))).rejects.toMatchObject({
        name: "StoreError",
        code: "conflict",
        expected,
        actual,
      });
      expect(await readEverything(store)).toHaveLength(2);
    });

    it.each([["exists"], [0n]] as const)("refuses %s on a missing stream", async (expected) => {
      const store = await start();
      await expect(store.append("order-1", expected, samples(1))).rejects.toMatchObject({
        code: "conflict",
        expected,
        actual: undefined,
      });
      expect(await store.head()).toBeUndefined();
    });

    it("takes the right revision, exists and any", async () => {
      const store = await start();
      expect((await store.append("order-1", "any", samples(1))).revision).toBe(0n);
      expect((await store.append("order-1", 0n, samples(2))).revision).toBe(2n);
      expect((await store.append("order-1", "exists", samples(1))).revision).toBe(3n);
      expect((await store.append("order-1", "any", samples(1))).revision).toBe(4n);
      expect((await store.readStream("order-1")).map(({ revision }) => revision)).toEqual([
        0n,
        1n,
        2n,
        3n,
        4n,
      ]);
    });

    it("lets one of 64 appends in flight at the same revision win", async () => {
      const store = await start();
      for (let round = 0; round < 4; round += 1) {
        const expected = round === 0 ? "none" : BigInt(round - 1);
        const { fulfilled, rejected } = await settle(
          Array.from({ length: 64 }, () => store.append("order-1", expected, samples(1))),
        );
        expect(fulfilled).toMatchObject([{ revision: BigInt(round), repeated: false }]);
        expect(rejected).toHaveLength(63);
        for (const error of rejected)
          expect(error).toMatchObject({ code: "conflict", actual: BigInt(round) });
      }
      expect(await readEverything(store)).toHaveLength(4);
    });

    it("lets 64 writers that read, race and retry each write once, without holes", async () => {
      const store = await start();
      let conflicts = 0;
      await Promise.all(
        samples(64).map(async (event) => {
          for (;;) {
            const last = (await store.readStream("order-1", { backwards: true, limit: 1 }))[0];
            try {
              return await store.append("order-1", last?.revision ?? "none", [event]);
            } catch (error) {
              if (!isStoreError(error, "conflict")) throw error;
              conflicts += 1;
            }
          }
        }),
      );
      const read = await store.readStream("order-1");
      expect(read.map(({ revision }) => Number(revision))).toEqual(Array.from({ length: 64 }, (_, at) => at));
      expect(new Set(ids(read)).size).toBe(64);
      expect(conflicts).toBeGreaterThan(0);
    }, 180_000);
  });

  describe(`${name}: the same append again`, () => {
    it("answers as the first time, also after others have appended behind it", async () => {
      const store = await start();
      const first = samples(2);
      const second = samples(2);
      const created = await store.append("order-1", "none", first);
      const paid = await store.append("order-1", 1n, second);
      await store.append("order-2", "none", samples(1));
      expect(await store.append("order-1", 1n, second)).toEqual({ ...paid, repeated: true });
      await store.append("order-1", 3n, samples(3));
      expect(await store.append("order-1", "none", first)).toEqual({ ...created, repeated: true });
      expect(await store.append("order-1", 1n, second)).toEqual({ ...paid, repeated: true });
      expect(await readEverything(store)).toHaveLength(8);
    });

    it("answers while the first is still in flight", async () => {
      const store = await start();
      const events = samples(2);
      const [one, two] = await Promise.all([
        store.append("order-1", "none", events),
        store.append("order-1", "none", events),
      ]);
      expect(one.repeated).not.toBe(two.repeated);
      expect({ ...two, repeated: one.repeated }).toEqual(one);
      expect(await store.readStream("order-1")).toHaveLength(2);
    });

    it("is a conflict with other ids, in part, in another order, or with more behind", async () => {
      const store = await start();
      const [a, b, c] = samples(3) as [
        ReturnType<typeof sample>,
        ReturnType<typeof sample>,
        ReturnType<typeof sample>,
      ];
      await store.append("order-1", "none", [a, b]);
      for (const batch of [[sample()], [a, sample()], [sample(), b], [b, a], [a, b, c], [b]]) {
        await expect(store.append("order-1", "none", batch)).rejects.toMatchObject({
          code: "conflict",
          actual: 1n,
        });
      }
      await expect(store.append("order-1", 0n, [b, c])).rejects.toMatchObject({ code: "conflict" });
      expect(ids(await readEverything(store))).toEqual([a.id, b.id]);
    });

    it("is a conflict on another stream's ids", async () => {
      const store = await start();
      const events = samples(1);
      await store.append("order-1", "none", events);
      await store.append("order-2", "none", samples(1));
      await expect(store.append("order-2", "none", events)).rejects.toMatchObject({ code: "conflict" });
    });

    it.each(["", "{}", '{"v":1}', '{"$id":"x"}', '{"z":0, "a":-0}', "[1]", "null", '"$id"'])(
      "is told from its first, whatever metadata it has, and changes none: %s",
      async (meta) => {
        const store = await start();
        const events = samples(2, { meta });
        const first = await store.append("order-1", "none", events);
        expect(first).toMatchObject({ revision: 1n, repeated: false });
        expect(await store.append("order-1", "none", events)).toEqual({
          ...first,
          repeated: true,
        });
        expect(given(await store.readStream("order-1"))).toEqual(given(events));
        expect(given(await readEverything(store))).toEqual(given(events));
      },
    );

    it("may stand again at a later revision, and on another stream", async () => {
      const store = await start();
      const event = sample();
      await store.append("order-1", "none", [event]);
      expect(await store.append("order-1", 0n, [event])).toMatchObject({ revision: 1n, repeated: false });
      expect(await store.append("order-2", "none", [event, event])).toMatchObject({
        revision: 1n,
        repeated: false,
      });
      expect(ids(await readEverything(store))).toEqual([event.id, event.id, event.id, event.id]);
    });
  });

  describe(`${name}: the global order`, () => {
    it("keeps a batch together, whoever writes beside it", async () => {
      const store = await start();
      await Promise.all(
        Array.from({ length: 32 }, (_, at) => store.append(`order-${at}`, "none", samples(1 + (at % 5)))),
      );
      const all = await readEverything(store);
      expect(all).toHaveLength(32 + [...Array(32).keys()].reduce((sum, at) => sum + (at % 5), 0));
      const runs = all.filter(({ stream }, at) => stream !== all[at - 1]?.stream);
      expect(runs).toHaveLength(32);
      expect(all.every(({ position }, at) => isAfter(position, all[at - 1]?.position))).toBe(true);
    });

    it("is the order of commit, which positions tell", async () => {
      const store = await start();
      const positions: string[] = [];
      for (let at = 0; at < 12; at += 1) {
        positions.push((await store.append(`order-${at % 3}`, "any", samples(1))).position);
        expect(await store.head()).toBe(positions.at(-1));
      }
      expect((await readEverything(store)).map(({ position }) => position)).toEqual(positions);
      expect(positions.every((position, at) => isAfter(position, positions[at - 1]))).toBe(true);
      expect((await store.readAll()).checkpoint).toBe(positions.at(-1));
    });

    it("can be resumed after every single event, in pages of any size", async () => {
      const store = await start();
      for (let at = 0; at < 6; at += 1) await store.append(`order-${at % 2}`, "any", samples(1 + (at % 3)));
      const all = await readEverything(store);
      for (const [at, { position }] of all.entries()) {
        expect(await readEverything(store, { after: position })).toEqual(all.slice(at + 1));
        const page = await store.readAll({ after: position, limit: 2 });
        expect(page.events).toEqual(all.slice(at + 1, at + 3));
        expect(page.checkpoint).toBe((page.events.at(-1) ?? all.at(-1))?.position);
      }
      for (const limit of [1, 2, 5, all.length, all.length + 1]) {
        expect(await readEverything(store, { limit })).toEqual(all);
      }
    });

    it("takes a prefix as a prefix", async () => {
      const store = await start();
      for (const stream of [
        "order-1",
        "order",
        "orders-1",
        "Order-1",
        "my-order-1",
        "order_1",
        "order%1",
        "订单-1",
      ]) {
        await store.append(stream, "none", samples(1));
      }
      const streams = async (...prefixes: string[]) =>
        (await readEverything(store, { prefixes })).map(({ stream }) => stream);
      expect(await streams("order-")).toEqual(["order-1"]);
      expect(await streams("order")).toEqual(["order-1", "order", "orders-1", "order_1", "order%1"]);
      expect(await streams("order_", "订", "Order")).toEqual(["Order-1", "order_1", "订单-1"]);
      expect(await streams("rder")).toEqual([]);
      expect(await streams()).toEqual([]);
    });

    it("moves its checkpoint past what no prefix lets through, in bounded pages", async () => {
      const store = await start();
      await store.append("other-1", "none", samples(2_500));
      await store.append("order-1", "none", samples(3));
      await store.append("other-1", "exists", samples(1_200));
      expect(await readEverything(store, { prefixes: ["order-"] })).toHaveLength(3);
      expect(await readEverything(store, { prefixes: ["order-"], limit: 1 })).toHaveLength(3);
      let page = await store.readAll({ prefixes: ["order-"] });
      while (!page.end) page = await store.readAll({ prefixes: ["order-"], after: page.checkpoint });
      expect(page.checkpoint).toBe(await store.head());
    });
  });

  describe(`${name}: subscriptions`, () => {
    it("catch up, say live once, and go on with what comes, without a gap or a duplicate", async () => {
      const store = await start();
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let at = 0; at < 50; at += 1) {
          await store.append(`order-${writer}`, "any", samples(1 + (at % 2)));
          if (at % 7 === writer) await turn();
        }
      });
      let seen = 0;
      const messages = await messagesUntil(store.subscribe(), ({ kind }) => {
        if (kind === "event") seen += 1;
        return seen === 300;
      });
      await Promise.all(writers);
      expect(eventsIn(messages)).toEqual(await readEverything(store));
      expect(messages.filter(isLive)).toHaveLength(1);
    });

    it("are live only after everything that stood there", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(1_001));
      const caughtUp = await messagesUntil(store.subscribe(), isLive);
      expect(eventsIn(caughtUp)).toHaveLength(1_001);
      expect(await messagesUntil(store.subscribe({ after: await store.head() }), isLive)).toEqual([
        { kind: "live" },
      ]);
    });

    it("go on after waiting", async () => {
      const store = await start();
      const messages = store.subscribe()[Symbol.asyncIterator]();
      const next = async (kind: Message["kind"]): Promise<Message> => {
        for (;;) {
          const { value, done } = await messages.next();
          if (done === true) throw new Error("the subscription ended");
          if (value.kind === kind) return value;
        }
      };
      await next("live");
      for (let at = 0; at < 5; at += 1) {
        const waiting = next("event");
        await turn();
        const [event] = samples(1);
        await store.append("order-1", "any", [event ?? sample()]);
        expect(await waiting).toMatchObject({ event: { id: event?.id, revision: BigInt(at) } });
      }
      await messages.return?.();
    });

    it("resume after any checkpoint and any event", async () => {
      const store = await start();
      for (let at = 0; at < 10; at += 1) {
        await store.append(at % 3 === 0 ? "other-1" : `order-${at}`, "any", samples(1));
      }
      const prefixes = ["order-"];
      const all = await readEverything(store, { prefixes });
      const messages = await messagesUntil(store.subscribe({ prefixes }), isLive);
      const marks = messages.flatMap((message) =>
        message.kind === "event"
          ? [message.event.position]
          : message.kind === "checkpoint"
            ? [message.checkpoint]
            : [],
      );
      expect(marks.length).toBeGreaterThan(all.length);
      for (const after of marks) {
        const resumed = await messagesUntil(store.subscribe({ after, prefixes }), isLive);
        expect(eventsIn(resumed)).toEqual(all.filter(({ position }) => isAfter(position, after)));
      }
    });

    it("give a checkpoint only for what was given before it", async () => {
      const store = await start();
      for (let at = 0; at < 5; at += 1) await store.append(`order-${at}`, "none", samples(600));
      let last: string | undefined;
      for await (const message of store.subscribe()) {
        if (message.kind === "event") last = message.event.position;
        if (message.kind === "checkpoint") expect(message.checkpoint).toBe(last);
        if (message.kind === "live") break;
      }
      expect(last).toBe(await store.head());
    });

    it("give checkpoints where nothing matches", async () => {
      const store = await start();
      await store.append("other-1", "none", samples(2_100));
      const messages = await messagesUntil(store.subscribe({ prefixes: ["order-"] }), isLive);
      expect(eventsIn(messages)).toEqual([]);
      // On a server that others write to as well it may stand behind the last event of ours; nothing of ours is left behind it.
      const { checkpoint } = messages.filter((message) => message.kind === "checkpoint").at(-1) ?? {};
      expect(checkpoint).toBeDefined();
      const rest = await messagesUntil(store.subscribe({ after: checkpoint }), isLive);
      expect(eventsIn(rest)).toEqual([]);
    });

    it("end when their signal says so: before, during, and while waiting", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(10));
      expect(await messagesUntil(store.subscribe({ signal: AbortSignal.abort() }), () => false)).toEqual([]);

      const during = new AbortController();
      const some = await messagesUntil(store.subscribe({ signal: during.signal }), (_, all) => {
        if (all.length === 10) during.abort();
        return false;
      });
      expect(some).toHaveLength(10);

      const waiting = new AbortController();
      const all = await messagesUntil(store.subscribe({ signal: waiting.signal }), (message) => {
        if (isLive(message)) setImmediate(() => waiting.abort());
        return false;
      });
      expect(all.filter(({ kind }) => kind !== "checkpoint").at(-1)).toEqual({ kind: "live" });
      expect(getEventListeners(waiting.signal, "abort")).toEqual([]);
    });

    it("let a signal through while they catch up", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(5_000));
      const controller = new AbortController();
      setImmediate(() => controller.abort());
      const messages = await messagesUntil(store.subscribe({ signal: controller.signal }), () => false);
      expect(messages.length).toBeLessThan(5_000);
    });

    it("end when the store is closed", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(2));
      const messages = await messagesUntil(store.subscribe(), (message) => {
        if (isLive(message)) setImmediate(() => void store.close());
        return false;
      });
      expect(eventsIn(messages)).toHaveLength(2);
    });

    it("left early stop nothing else and leave nothing behind", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(3));
      const controller = new AbortController();
      for (let at = 0; at < 60; at += 1) {
        for await (const message of store.subscribe({ signal: controller.signal })) {
          if (message.kind === "event" && at % 2 === 0) break;
          if (message.kind === "live") break;
        }
      }
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
      await store.append("order-1", "exists", samples(1));
      expect(await readEverything(store)).toHaveLength(4);
      expect(eventsIn(await messagesUntil(store.subscribe(), isLive))).toHaveLength(4);
    });
  });

  describe(`${name}: what is refused`, () => {
    const refused: readonly (readonly [string, Parameters<EventStore["append"]>])[] = [
      ["an empty name", ["", "none", samples(1)]],
      ["a name of the system", ["$order-1", "none", samples(1)]],
      ["a name with a NUL", ["order-\0", "none", samples(1)]],
      ["half a character in a name", ["order-\ud800", "none", samples(1)]],
      ["no events", ["order-1", "none", []]],
      ["a negative revision", ["order-1", -1n, samples(1)]],
      ["an id that is no UUID", ["order-1", "none", [sample({ id: "1" })]]],
      ["an id with something behind it", ["order-1", "none", [sample({ id: `${uuid(1)}0` })]]],
      ["an id with something before it", ["order-1", "none", [sample({ id: `0${uuid(1)}` })]]],
      ["an empty type", ["order-1", "none", [sample({ type: "" })]]],
      ["a type of the system", ["order-1", "none", [sample({ type: "$metadata" })]]],
      ["a type with a NUL", ["order-1", "none", [sample({ type: "A\0B" })]]],
      ["a raw NUL in data", ["order-1", "none", [sample({ data: '"a\0b"' })]]],
      ["half a character in data", ["order-1", "none", [sample({ data: '"\udc00"' })]]],
      ["half a character in metadata", ["order-1", "none", [sample({ meta: '"\ud83d"' })]]],
      ["a claim with a NUL", ["order-1", "none", samples(1), { claims: ["payment:\0"] }]],
      ["half a character in a claim", ["order-1", "none", samples(1), { claims: ["payment:\ud800"] }]],
      ["one bad event behind a good one", ["order-1", "none", [sample(), sample({ id: "" })]]],
    ];

    it.each(refused)("%s", async (_, append) => {
      const store = await start();
      await expect(store.append(...append)).rejects.toSatisfy(failing("invalid"));
      expect(await store.head()).toBeUndefined();
      expect(await store.append("order-1", "none", samples(1))).toMatchObject({ revision: 0n });
    });

    it("an event over the limit, counted in bytes", async () => {
      const store = await start();
      const tooMuch = [
        sample({ data: JSON.stringify("x".repeat(1024 * 1024 - 1)), meta: "{}" }),
        sample({ data: JSON.stringify("单".repeat(1024 * 342)), meta: "{}" }),
        sample({ data: JSON.stringify("x".repeat(600_000)), meta: JSON.stringify("x".repeat(600_000)) }),
      ];
      for (const event of tooMuch) {
        await expect(store.append("order-1", "none", [sample(), event])).rejects.toSatisfy(
          failing("tooLarge"),
        );
      }
      expect(await store.head()).toBeUndefined();
      const large = sample({ data: JSON.stringify("单".repeat(300_000)) });
      await store.append("order-1", "none", [large]);
      expect((await store.readStream("order-1"))[0]?.data).toBe(large.data);
    });

    it("a position that it never gave", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(2));
      for (const after of ["", "x", "-1", "1.5", "NaN", "１"]) {
        await expect(store.readAll({ after })).rejects.toSatisfy(failing("invalid"));
        await expect(messagesUntil(store.subscribe({ after }), isLive)).rejects.toSatisfy(failing("invalid"));
      }
    });
  });

  it(`${name}: refuses a position beyond its end, where it counts its events`, async () => {
    const store = await start();
    if (store.local === undefined) return;
    for (const events of [0, 2]) {
      if (events > 0) await store.append("order-1", "none", samples(events));
      const head = await store.head();
      const beyond = String(events + 1);
      await expect(store.readAll({ after: beyond })).rejects.toSatisfy(failing("invalid"));
      await expect(store.readAll({ after: beyond })).rejects.toThrow(
        `position ${beyond} is beyond the end of this store, ${head ?? "which is empty"}`,
      );
      await expect(messagesUntil(store.subscribe({ after: beyond }), isLive)).rejects.toSatisfy(
        failing("invalid"),
      );
      expect((await store.readAll({ after: head })).events).toEqual([]);
    }
  });

  describe(`${name}: claims`, () => {
    it("are held by one stream for ever, and what is refused writes nothing", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(1), { claims: ["payment:1", "code:1"] });
      await expect(
        store.append("order-2", "none", samples(2), { claims: ["payment:2", "payment:1"] }),
      ).rejects.toMatchObject({ name: "StoreError", code: "claimTaken", claim: "payment:1" });
      expect(await store.readStream("order-2")).toEqual([]);
      expect(await readEverything(store)).toHaveLength(1);
      // Neither did it keep the claim that was free.
      await store.append("order-3", "none", samples(1), { claims: ["payment:2"] });
      await store.append("order-1", 0n, samples(1));
      await expect(store.append("order-2", "none", samples(1), { claims: ["code:1"] })).rejects.toMatchObject(
        { code: "claimTaken", claim: "code:1" },
      );
    });

    it("may be claimed again by the stream that holds them", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(1), { claims: ["payment:1"] });
      const again = await store.append("order-1", 0n, samples(1), { claims: ["payment:1", "payment:1"] });
      expect(again).toMatchObject({ revision: 1n, repeated: false });
    });

    it("of a conflicting or invalid append are not kept", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(1));
      await settle([
        store.append("order-1", "none", samples(1), { claims: ["payment:1"] }),
        store.append("order-1", 0n, [sample({ id: "" })], { claims: ["payment:1"] }),
      ]);
      expect(await store.append("order-2", "none", samples(1), { claims: ["payment:1"] })).toMatchObject({
        revision: 0n,
      });
    });

    it("do not stand in the way of a repeat", async () => {
      const store = await start();
      const events = samples(1);
      const first = await store.append("order-1", "none", events, { claims: ["payment:1"] });
      expect(await store.append("order-1", "none", events, { claims: ["payment:1"] })).toEqual({
        ...first,
        repeated: true,
      });
    });

    it("can be looked at before they are asked for", async () => {
      const store = await start();
      expect(await store.takenClaim(["payment:1"], "order-2")).toBe(undefined);
      await store.append("order-1", "none", samples(1), { claims: ["payment:1", "code:1"] });
      expect(await store.takenClaim(["payment:2", "payment:1", "code:1"], "order-2")).toBe("payment:1");
      expect(await store.takenClaim(["payment:1", "code:1"], "order-1")).toBe(undefined);
      expect(await store.takenClaim([], "order-2")).toBe(undefined);
      // Looking takes nothing.
      expect(await store.takenClaim(["payment:2"], "order-2")).toBe(undefined);
      await store.append("order-3", "none", samples(1), { claims: ["payment:2"] });
      expect(await readEverything(store)).toHaveLength(2);
    });

    it("are won by one of many in flight", async () => {
      const store = await start();
      const { fulfilled, rejected } = await settle(
        Array.from({ length: 16 }, (_, at) =>
          store.append(`order-${at}`, "none", samples(1), { claims: ["payment:1"] }),
        ),
      );
      expect(fulfilled).toHaveLength(1);
      expect(rejected.every(failing("claimTaken"))).toBe(true);
      expect(await readEverything(store)).toHaveLength(1);
    });
  });

  describe(`${name}: many at once`, () => {
    it("writes 1,000 streams with 64 appends in flight", async () => {
      const store = await start();
      let next = 0;
      const work = async (): Promise<void> => {
        while (next < 1_000) {
          const stream = `order-${(next += 1)}`;
          await store.append(stream, "none", samples(1));
          await store.append(stream, 0n, samples(2));
        }
      };
      await Promise.all(Array.from({ length: 64 }, work));
      const all = await readEverything(store);
      expect(all).toHaveLength(3_000);
      const revisions = new Map<string, bigint[]>();
      for (const { stream, revision } of all)
        revisions.set(stream, [...(revisions.get(stream) ?? []), revision]);
      expect(revisions.size).toBe(1_000);
      for (const of of revisions.values()) expect(of).toEqual([0n, 1n, 2n]);
    });

    it("does what the model does, whatever is asked of it", async () => {
      await behavesAsTheModel(open, { keepsOrder: inProcess, runs });
    });
  });

  describe(`${name}: closing`, () => {
    it("waits for the appends in flight, and takes no more", async () => {
      const store = await open();
      let settled = 0;
      const appends = Array.from({ length: 100 }, (_, at) =>
        store.append(`order-${at}`, "none", samples(1)).finally(() => (settled += 1)),
      );
      const closing = store.close();
      await expect(store.append("order-late", "none", samples(1))).rejects.toSatisfy(failing("closed"));
      await closing;
      await turn();
      expect(settled).toBe(100);
      expect((await settle(appends)).rejected).toEqual([]);
    });

    it("may be asked for more than once", async () => {
      const store = await open();
      const append = store.append("order-1", "none", samples(1));
      await Promise.all([store.close(), store.close()]);
      await store.close();
      expect(await append).toMatchObject({ revision: 0n });
    });

    it("leaves a store that only says that it is closed", async () => {
      const store = await open();
      await store.append("order-1", "none", samples(1));
      await store.close();
      const uses: (() => unknown)[] = [
        () => store.append("order-1", 0n, samples(1)),
        () => store.readStream("order-1"),
        () => store.readAll(),
        () => store.head(),
        () => messagesUntil(store.subscribe(), isLive),
      ];
      const { local } = store;
      if (local !== undefined) {
        uses.push(
          () => local.epoch(),
          () => local.readStream("order-1"),
          () => local.readAll(),
          () => local.head(),
          () => local.revision("order-1"),
          () => local.streams({ limit: 1 }),
        );
      }
      for (const use of uses) await expect((async () => use())()).rejects.toSatisfy(failing("closed"));
    });
  });

  if (!inProcess) return;

  describe(`${name}: appends decided on events not yet committed`, () => {
    it("are written behind the very event that they follow", async () => {
      const store = await start();
      const first = store.append("order-1", "none", samples(1));
      const second = store.append("order-1", 0n, samples(2), { follows: first });
      expect([(await first).revision, (await second).revision]).toEqual([0n, 2n]);
      await store.append("order-2", "none", samples(1));
      expect(await store.append("order-1", 2n, samples(1), { follows: second })).toMatchObject({
        revision: 3n,
      });
    });

    it("are a conflict where another event stands at the right number", async () => {
      const store = await start();
      const won = sample();
      const winning = store.append("order-1", "none", [won]);
      const losing = store.append("order-1", "none", samples(1));
      const { fulfilled, rejected } = await settle([
        winning,
        losing,
        store.append("order-1", 0n, samples(1), { follows: losing }),
        store.append("order-2", "none", samples(1), { follows: losing }),
      ]);
      expect(fulfilled).toHaveLength(1);
      expect(rejected).toMatchObject([
        { code: "conflict", expected: "none", actual: 0n },
        { code: "conflict", expected: 0n, actual: 0n },
        { code: "conflict", expected: "none", actual: undefined },
      ]);
      await expect(store.append("order-1", 0n, samples(1), { follows: losing })).rejects.toMatchObject({
        code: "conflict",
      });
      expect(ids(await readEverything(store))).toEqual([won.id]);
    });

    it("are a conflict where the event that they follow was another's, behind events that they know nothing of", async () => {
      const store = await start();
      await store.append("order-1", "none", samples(1));
      const [unknown, shared] = [sample(), sample()];
      await store.append("order-1", 0n, [unknown]);
      await store.append("order-1", 1n, [shared]);
      const lost = store.append("order-1", 0n, samples(1));
      const repeated = store.append("order-1", 1n, [shared], { follows: lost });
      const { rejected } = await settle([
        lost,
        store.append("order-1", 2n, samples(1), { follows: repeated }),
      ]);
      expect(await repeated).toMatchObject({ revision: 2n, repeated: true });
      expect(rejected).toMatchObject([
        { code: "conflict", expected: 0n, actual: 2n },
        { code: "conflict", expected: 2n, actual: 2n },
      ]);
      expect(await store.readStream("order-1")).toHaveLength(3);
    });
  });

  describe(`${name}: local reads`, () => {
    it("answer as the others do", async () => {
      const { store, local } = await startLocal();
      expect(local.revision("order-1")).toBeUndefined();
      expect(local.head()).toBeUndefined();
      expect(local.readStream("order-1")).toEqual([]);
      const { position: last } = await store.append("order-1", "none", samples(3));
      expect(local.revision("order-1")).toBe(2n);
      expect(local.head()).toBe(last);
      expect(local.readAll()).toEqual(await store.readAll());
      const { position } = local.readStream("order-1", { limit: 1 })[0] as RecordedEvent;
      const read = { after: position, limit: 1, prefixes: ["order-"] };
      expect(local.readAll(read)).toEqual(await store.readAll(read));
      expect(local.readStream("order-1", { from: 1n })).toEqual(
        await store.readStream("order-1", { from: 1n }),
      );
    });

    it("keep their epoch while nobody else writes", async () => {
      const { store, local } = await startLocal();
      const epoch = local.epoch();
      await store.append("order-1", "none", samples(3));
      await settle([store.append("order-1", "none", samples(3))]);
      expect(local.epoch()).toBe(epoch);
    });

    it("give whole streams in the order of their creation, in pages", async () => {
      const { store, local } = await startLocal();
      expect(local.streams({ limit: 3 })).toMatchObject({ streams: [], end: true, total: 0 });
      for (let at = 0; at < 14; at += 1) {
        await store.append(`order-${(at * 3) % 7}`, "any", samples(1, { type: at < 7 ? "Made" : "Paid" }));
      }
      const streams = [0, 3, 6, 2, 5, 1, 4].map((at) => `order-${at}`);
      for (const limit of [1, 3, 7, 100]) {
        const seen: { stream: string; events: readonly RecordedEvent[] }[] = [];
        for (let after: number | undefined; ;) {
          const page = local.streams({ limit, ...(after === undefined ? {} : { after }) });
          expect(page.streams.length).toBeLessThanOrEqual(limit);
          seen.push(...page.streams);
          after = page.next;
          if (page.end) break;
        }
        expect(seen.map(({ stream }) => stream)).toEqual(streams);
        for (const { stream, events } of seen) expect(events).toEqual(local.readStream(stream));
      }
      const { next, total } = local.streams({ limit: 100 });
      expect(total).toBe(7);
      expect(next).toBe(total);
      expect(local.streams({ limit: 100, after: next })).toMatchObject({ streams: [], end: true, next });
      await store.append("order-new", "none", samples(1));
      expect(local.streams({ limit: 100, after: next }).streams.map(({ stream }) => stream)).toEqual([
        "order-new",
      ]);
    });

    it("give only what was asked for: up to a position, by type, without data, with the metadata's beginning", async () => {
      const { store, local } = await startLocal();
      await store.append("order-1", "none", [
        sample({ type: "Made", meta: '{"v":1,"at":1700000000000,"by":"someone with a long name"}' }),
        sample({ type: "Paid", meta: "{}" }),
      ]);
      const { position } = await store.append("order-2", "none", samples(1, { type: "Made" }));
      await store.append("order-1", "exists", samples(1, { type: "Made" }));
      await store.append("order-3", "none", samples(1, { type: "Paid" }));
      const streams = (read: Partial<Parameters<LocalReads["streams"]>[0]>) =>
        local
          .streams({ limit: 10, ...read })
          .streams.map(({ stream, events }) => [stream, ...events.map((e) => e.type)]);

      expect(streams({ upTo: position })).toEqual([
        ["order-1", "Made", "Paid"],
        ["order-2", "Made"],
      ]);
      expect(streams({ types: ["Paid"] })).toEqual([
        ["order-1", "Paid"],
        ["order-3", "Paid"],
      ]);
      expect(streams({ types: ["Paid"], upTo: position })).toEqual([["order-1", "Paid"]]);
      expect(streams({ types: ["Unknown"] })).toEqual([]);
      expect(streams({ types: [] })).toEqual([]);
      expect(() => streams({ upTo: "x" })).toThrow(/position/);

      const [first] = local.streams({ limit: 1, dataOf: ["Paid", "Unknown"], lean: "time" }).streams;
      const whole = local.readStream("order-1");
      expect(first?.events).toEqual(
        whole.map((event) => ({
          ...event,
          id: "",
          position: "",
          meta: event.meta.slice(0, 32),
          data: event.type === "Paid" ? event.data : "",
        })),
      );
      expect(local.streams({ limit: 1, dataOf: [] }).streams[0]?.events).toEqual(
        whole.map((event) => ({ ...event, data: "" })),
      );
    });

    it("share streams among workers, each to one", async () => {
      const { store, local } = await startLocal();
      for (let at = 0; at < 20; at += 1) await store.append(`order-${at}`, "none", samples(1));
      const shares = [0, 1, 2].map((index) =>
        local.streams({ limit: 100, share: { index, of: 3 } }).streams.map(({ stream }) => stream),
      );
      expect(shares.map((share) => share.length).sort((a, b) => a - b)).toEqual([6, 7, 7]);
      expect(new Set(shares.flat()).size).toBe(20);
    });
  });

  describe(`${name}: the transaction hook`, () => {
    async function startHooked(hook: (appended: readonly InTransaction[]) => void): Promise<EventStore> {
      const store = await start();
      store.setTransactionHook?.(hook);
      return store;
    }

    it("sees each append once, at the positions where its events then stand", async () => {
      const seen: InTransaction[] = [];
      const store = await startHooked((appended) => seen.push(...appended));
      const repeated = samples(2);
      await settle([
        store.append("order-1", "none", repeated, { context: "a" }),
        store.append("order-2", "none", samples(1), { context: "b" }),
        store.append("order-1", "none", repeated, { context: "repeated" }),
        store.append("order-1", "none", samples(1), { context: "conflicting" }),
        store.append("order-1", 1n, samples(3), { context: "c" }),
        store.append("order-3", "none", samples(1)),
      ]);
      await store.append("order-3", 0n, samples(2), { context: "d" });
      expect(seen.map(({ context }) => context)).toEqual(["a", "b", "c", undefined, "d"]);
      const all = await readEverything(store);
      const counts = [2, 1, 3, 1, 2];
      let at = 0;
      for (const [index, count] of counts.entries()) {
        const [first, last] = [all[at], all[at + count - 1]];
        expect(seen[index]).toMatchObject({
          stream: first?.stream,
          firstRevision: first?.revision,
          after: all[at - 1]?.position,
          lastPosition: last?.position,
        });
        at += count;
      }
      expect(all).toHaveLength(at);
    });

    it("undoes the append by what it throws, and the store goes on", async () => {
      const cause = new Error("the view could not be kept");
      let broken = true;
      const store = await startHooked(() => {
        if (broken) throw cause;
      });
      const events = samples(2, { type: "NeverSeen" });
      await expect(store.append("order-1", "none", events, { claims: ["payment:1"] })).rejects.toBe(cause);
      expect(await store.head()).toBeUndefined();
      expect(await store.readStream("order-1")).toEqual([]);
      expect(store.local?.revision("order-1")).toBeUndefined();
      expect(store.local?.streams({ limit: 10 }).streams).toEqual([]);

      broken = false;
      expect(await store.append("order-2", "none", samples(1), { claims: ["payment:1"] })).toMatchObject({
        revision: 0n,
      });
      expect(await store.append("order-1", "none", events)).toMatchObject({ revision: 1n, repeated: false });
      broken = true;
      await expect(store.append("order-1", 1n, samples(1))).rejects.toBe(cause);
      broken = false;
      expect(await store.append("order-1", 1n, samples(1))).toMatchObject({ revision: 2n });
      expect(await readEverything(store)).toHaveLength(4);
    });

    it("leaves nothing of an undone append in memory: neither its types nor its streams", async () => {
      let broken = true;
      const store = await startHooked(() => {
        if (broken) throw new Error("undone");
      });
      const events = samples(1, { type: "Undone" });
      // The repeat reads the event, and its type, inside the transaction that is then undone.
      const { rejected } = await settle([
        store.append("order-1", "none", events),
        store.append("order-1", "none", events),
        store.append("order-1", 0n, samples(1)),
      ]);
      expect(rejected.length).toBeGreaterThan(0);
      broken = false;
      await store.append("order-2", "none", samples(1, { type: "Kept" }));
      expect((await readEverything(store)).map(({ stream, type }) => [stream, type])).toEqual([
        ["order-2", "Kept"],
      ]);
    });
  });
}
