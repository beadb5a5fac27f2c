// Orders' events that were read before: read on, never answered alone, nobody's to change, and no more of them than were asked for.

import { describe, expect, it } from "vitest";

import { OrderStreams } from "../../src/projections/streams.ts";
import type { EventStore, StreamRead } from "../../src/store/port.ts";
import { SharedReads } from "../../src/store/sharedReads.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { accepted, by, live, open, stepOf, stores, tidyEngines } from "../engines.ts";
import { newFile } from "../store/files.ts";

tidyEngines();

/** A store of two orders of three events each, and what is asked of it. */
async function asked() {
  const file = newFile();
  const engine = await open({ store: `sqlite:${file}` });
  for (const orderId of ["o-1", "o-2"]) await live(engine, orderId, 2);
  const store = await openSqliteStore(file);
  const reads: (readonly [stream: string, from: bigint | undefined, found: number])[] = [];
  const noting: Pick<EventStore, "readStream" | "local"> = {
    readStream: async (stream: string, read?: StreamRead) => {
      const found = await store.readStream(stream, read);
      reads.push([stream, read?.from, found.length]);
      return found;
    },
  };
  const local = {
    ...store.local,
    readStream: (stream: string, read?: StreamRead) => {
      const found = store.local.readStream(stream, read);
      reads.push([stream, read?.from, found.length]);
      return found;
    },
  };
  return { engine, store, noting, local, reads, shared: new SharedReads(store.database) };
}

describe("an order that was read", () => {
  it("is not read at all where its end is at hand, and stands where it stood", async () => {
    const { engine, store, noting, local, reads, shared } = await asked();
    const streams = new OrderStreams({ ...noting, local }, shared, 10);
    const first = await streams.read("o-1");
    const goOn = async (orderId: string) => {
      const [command, actor] = stepOf(orderId, 2);
      accepted(await engine.execute(command, by(actor)));
    };
    await goOn("o-2");
    expect(await streams.read("o-1")).toBe(first);
    expect(reads).toHaveLength(1);
    await goOn("o-1");
    expect(await streams.read("o-1")).toEqual(await engine.history("o-1"));
    expect(reads).toHaveLength(2);
    await store.close();
  });

  it("is read on from where it stood", async () => {
    const { engine, store, noting, reads, shared } = await asked();
    const streams = new OrderStreams(noting, shared, 10);
    const first = await streams.read("o-1");
    expect(await streams.read("o-1")).toBe(first);
    const [command, actor] = stepOf("o-1", 2);
    accepted(await engine.execute(command, by(actor)));
    const then = await streams.read("o-1");
    expect(then.slice(0, first.length)).toEqual(first);
    expect(then.map(({ revision }) => revision)).toEqual(
      (await engine.history("o-1")).map((one) => one.revision),
    );
    const count = first.length;
    expect(reads).toEqual([
      ["order-o-1", undefined, count],
      ["order-o-1", BigInt(count), 0],
      ["order-o-1", BigInt(count), then.length - count],
    ]);
    expect(then.length).toBeGreaterThan(count);
    await store.close();
  });

  it("is kept until so many others were read after it", async () => {
    const { store, noting, reads, shared } = await asked();
    const streams = new OrderStreams(noting, shared, 1);
    for (const orderId of ["o-1", "o-2", "o-2", "o-1"]) await streams.read(orderId);
    expect(reads.map(([, from]) => from === undefined)).toEqual([true, true, false, true]);
    const none = new OrderStreams(noting, shared, 0);
    for (const orderId of ["o-1", "o-1"])
      expect(await none.read(orderId)).toHaveLength(reads[0]?.[2] as number);
    expect(reads.slice(4).map(([, from]) => from)).toEqual([undefined, undefined]);
    await store.close();
  });

  it("was none, and is one as soon as it is there", async () => {
    const { engine, store, noting, shared } = await asked();
    const streams = new OrderStreams(noting, shared, 10);
    expect(await streams.read("o-3")).toEqual([]);
    await live(engine, "o-3", 1);
    expect(await streams.read("o-3")).toEqual(await engine.history("o-3"));
    await store.close();
  });
});

describe.each(stores)("on %s", (_kind, fresh) => {
  it("an order's detail is nobody's to change", async () => {
    const engine = await open({ store: fresh() });
    await live(engine, "o-1", 2);
    const told = await engine.views.order("o-1");
    const copy = structuredClone(told);
    const lines = told?.order.lines as unknown as { title: string }[];
    expect(() => Object.assign(lines[0] as object, { title: "another" })).toThrow(TypeError);
    expect(() => Object.assign(told?.log[0]?.data as object, { total: 1 })).toThrow(TypeError);
    Object.assign(told?.order as object, { status: "closed" });
    expect(await engine.views.order("o-1")).toEqual(copy);
  });
});
