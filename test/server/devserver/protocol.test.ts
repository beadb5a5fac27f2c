// The protocol below the client: the codec against the client's own, broken and hostile calls, and what other clients may send.

import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";

import streamsPb from "@eventstore/db-client/generated/streams_pb.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { framed } from "../../../src/server/devserver/grpc.ts";
import {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  ReadReq,
  ReadResp,
  SupportedMethods,
} from "../../../src/server/devserver/messages.ts";
import { type Message, decode, encode } from "../../../src/server/devserver/wire.ts";
import { collect, event, events, failure } from "./contract.ts";
import { start, startWithClient, tidyServers } from "./servers.ts";

tidyServers();

describe("the codec", () => {
  test("writes what the client's reads, and reads what the client's writes", () => {
    fc.assert(
      fc.property(
        fc.record({
          id: fc.string({ unit: "binary" }),
          name: fc.uint8Array({ maxLength: 300 }),
          revision: fc.bigInt(0n, 2n ** 64n - 1n),
          position: fc.maxSafeNat(),
          // The client's own map loses that one key.
          metadata: fc.dictionary(
            fc.string({ unit: "grapheme" }).filter((key) => key !== "__proto__"),
            fc.string({ unit: "grapheme" }),
          ),
          data: fc.uint8Array({ maxLength: 3_000 }),
        }),
        ({ id, name, revision, position, metadata, data }) => {
          const bytes = encode(ReadResp, {
            event: {
              event: {
                id: { string: id },
                stream: { name },
                revision,
                prepare: position,
                commit: position,
                metadata,
                customMetadata: data,
                data,
              },
              commit: position,
            },
          });
          const theirs = streamsPb.ReadResp.deserializeBinary(bytes);
          const recorded = theirs.getEvent()?.getEvent();
          expect({
            id: recorded?.getId()?.getString(),
            name: recorded?.getStreamIdentifier()?.getStreamName_asU8(),
            revision: recorded?.getStreamRevision(),
            prepare: recorded?.getPreparePosition(),
            metadata: Object.fromEntries(recorded?.getMetadataMap().toArray() ?? []),
            data: recorded?.getData_asU8(),
            commit: theirs.getEvent()?.getCommitPosition(),
          }).toEqual({
            id,
            name,
            revision: String(revision),
            prepare: String(position),
            metadata,
            data,
            commit: String(position),
          });
          const back = decode(ReadResp, Buffer.from(theirs.serializeBinary())).event?.event;
          // What is nothing is not written there.
          expect([back?.id?.string, back?.revision ?? 0n, back?.commit ?? 0, back?.metadata ?? {}]).toEqual([
            id,
            revision,
            position,
            metadata,
          ]);
          expect(Buffer.from(back?.data ?? []).equals(data)).toBe(true);
        },
      ),
    );
  });

  test("passes over fields that it does not know, of every wire type", () => {
    const known = encode(AppendReq, { options: { revision: 7n } });
    // Fields 100 to 103: a varint, eight bytes, a text, four bytes.
    const unknown = Buffer.from("a006ff01a9060102030405060708b2060161bd0601020304", "hex");
    expect(decode(AppendReq, Buffer.concat([unknown, known, unknown]))).toEqual({
      options: { revision: 7n },
    });
  });

  test("refuses any cut or garbled message with an error of its own, or reads something", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(AppendReq, BatchAppendReq, ReadReq),
        (bytes, kind) => {
          try {
            decode(kind as Message<unknown>, Buffer.from(bytes));
          } catch (error) {
            expect((error as Error).name).toBe("WireError");
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

interface Answer {
  readonly status: number;
  readonly message: string;
  readonly body: Buffer;
}

/** One call with these bytes as its body; `end` false leaves it open. */
async function call(
  session: ClientHttp2Session,
  path: string,
  body: Buffer,
  headers: object = {},
): Promise<Answer> {
  const stream = session.request({
    ":path": path,
    ":method": "POST",
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const chunks: Buffer[] = [];
  let found: Readonly<Record<string, unknown>> = {};
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("response", (heads) => (found = { ...found, ...heads }));
  stream.on("trailers", (heads) => (found = { ...found, ...heads }));
  stream.end(body);
  await new Promise((resolve) => stream.on("close", resolve).on("error", () => undefined));
  return {
    status: Number(found["grpc-status"]),
    message: decodeURIComponent((found["grpc-message"] as string | undefined) ?? ""),
    body: Buffer.concat(chunks),
  };
}

/** The messages of an answer. */
function messages<T>(kind: Message<T>, body: Buffer): T[] {
  const decoded: T[] = [];
  for (let at = 0; at < body.length;) {
    const length = body.readUInt32BE(at + 1);
    decoded.push(decode(kind, body.subarray(at + 5, at + 5 + length)));
    at += 5 + length;
  }
  return decoded;
}

const streams = "/event_store.client.streams.Streams/";
const features = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";

async function dial(): Promise<
  { readonly session: ClientHttp2Session; readonly url: string } & AsyncDisposable
> {
  const server = await start();
  const session = connectHttp2(`http://127.0.0.1:${server.port}`);
  return {
    session,
    url: server.url,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => session.close(resolve)),
  };
}

describe("a call", () => {
  test("of no method, or of one that is not spoken, is unimplemented", async () => {
    await using dialled = await dial();
    for (const path of [
      "/",
      "/a/b",
      `${streams}Nothing`,
      "/event_store.client.projections.Projections/Create",
    ]) {
      expect(await call(dialled.session, path, Buffer.alloc(0))).toMatchObject({ status: 12 });
    }
  });

  test("that fails tells the client why, in the words that were meant", async () => {
    const { client } = await startWithClient();
    expect(await failure(client.enableProjection("a"))).toMatchObject({
      message: expect.stringContaining(
        "/event_store.client.projections.Projections/Enable is not spoken by this development server",
      ) as string,
    });
    const name = "订单/1 at 50%2F?\0";
    expect(await failure(collect(client.readStream(name)))).toMatchObject({
      message: expect.stringContaining(`${JSON.stringify(name)} holds a NUL character`) as string,
    });
  });

  test("with garbage, cut, compressed or endless messages ends in an error, and the server goes on", async () => {
    await using dialled = await dial();
    const { session } = dialled;
    const wrong: readonly (readonly [body: string, status: number])[] = [
      ["", 3], // no message at all
      ["0000000003ffffff", 13], // a field that is cut
      ["00000000", 13], // a header that is cut
      ["0000000010aa", 13], // fewer bytes than were told
      ["0100000000", 12], // compressed
      ["007fffffff", 8], // two gigabytes
      ["000000000108", 13], // a tag and nothing behind it
    ];
    for (const method of ["Read", "Append", "Delete", "Tombstone"]) {
      for (const [body, status] of wrong) {
        expect([
          method,
          body,
          (await call(session, streams + method, Buffer.from(body, "hex"))).status,
        ]).toEqual([method, body, status]);
      }
    }
    const empty = await call(session, `${streams}BatchAppend`, Buffer.alloc(0));
    expect([empty.status, empty.body.length]).toEqual([0, 0]);
    const [supported] = messages(
      SupportedMethods,
      (await call(session, features, framed(SupportedMethods, {}))).body,
    );
    expect(supported?.methods?.map(({ service, method }) => `${service}/${method}`)).toEqual([
      "event_store.client.streams.Streams/read",
      "event_store.client.streams.Streams/append",
      "event_store.client.streams.Streams/batchappend",
      "event_store.client.streams.Streams/delete",
      "event_store.client.streams.Streams/tombstone",
      "event_store.client.gossip.Gossip/read",
      "event_store.client.server_features.ServerFeatures/getsupportedmethods",
    ]);
  });

  test("that asks for nothing, or for what it may not, is refused with a reason", async () => {
    await using dialled = await dial();
    const { session } = dialled;
    const stream = { name: Buffer.from("a") };
    const read = (options: NonNullable<Parameters<typeof encode<{ options?: object }>>[1]["options"]>) =>
      call(session, `${streams}Read`, framed(ReadReq as Message<{ options?: object }>, { options }));
    expect(await read({})).toMatchObject({ status: 3, message: "a read of nothing" });
    expect(await read({ stream: { stream: {} } })).toMatchObject({ status: 3 });
    expect(await read({ stream: { stream: { name: Buffer.from("a\0b") } } })).toMatchObject({ status: 3 });
    expect(await read({ all: { start: {} }, filter: {} })).toMatchObject({ status: 3 });
    expect(await read({ all: { start: {} }, filter: { eventType: { regex: "(" } } })).toMatchObject({
      status: 3,
    });
    const append = (...requests: readonly object[]) =>
      call(session, `${streams}Append`, framed(AppendReq as Message<object>, ...requests));
    expect(await append({ options: { stream } })).toMatchObject({
      status: 3,
      message: "a call without an expected revision",
    });
    const missing = await append(
      { options: { stream, any: {} } },
      { message: { id: { string: event().id }, metadata: { type: "t" } } },
    );
    expect(missing).toMatchObject({
      status: 3,
      message: "Required Metadata Property 'content-type' is missing",
    });
  });
});

describe("other clients", () => {
  test("may give ids in halves, a timeout instead of a deadline, and want ids in halves", async () => {
    await using dialled = await dial();
    const { session } = dialled;
    const id = { structured: { mostSignificant: -1_234_567_890_123_456_789n, leastSignificant: 42n } };
    const stream = { name: Buffer.from("a") };
    const request = (timeout: bigint) => ({
      correlationId: id,
      options: { stream, noStream: {}, timeout: { seconds: timeout } },
      messages: [
        { id, metadata: { type: "t", "content-type": "application/json" }, data: Buffer.from("{}") },
      ],
      isFinal: true,
    });
    const late = await call(session, `${streams}BatchAppend`, framed(BatchAppendReq, request(0n)));
    expect(messages(BatchAppendResp, late.body)[0]?.error?.message).toBe("Timeout");
    const answered = await call(session, `${streams}BatchAppend`, framed(BatchAppendReq, request(5n)));
    expect(messages(BatchAppendResp, answered.body)).toMatchObject([
      { correlationId: id, success: { revision: 0 } },
    ]);
    const options = { stream: { stream, start: {} }, count: 9n, uuid: { structured: {} } };
    const read = messages(
      ReadResp,
      (await call(session, `${streams}Read`, framed(ReadReq, { options }))).body,
    );
    expect(read.map((response) => response.event?.event?.id)).toEqual([id]);
    const text = { ...options, uuid: { string: {} } };
    const [asText] = messages(
      ReadResp,
      (await call(session, `${streams}Read`, framed(ReadReq, { options: text }))).body,
    );
    expect(asText?.event?.event?.id).toEqual({ string: "eeddef0b-8216-7eeb-0000-00000000002a" });
  });

  test("may read everything through a filter", async () => {
    const { client, server } = await startWithClient();
    for (let index = 0; index < 250; index += 1)
      await client.appendToStream(`${index % 2 === 0 ? "a" : "b"}-1`, event());
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    const filter = { streamName: { prefixes: ["a-"] }, count: {} };
    for (const [direction, all] of [
      [0, { start: {} }],
      [1, { end: {} }],
    ] as const) {
      const request = framed(ReadReq, { options: { all, direction, count: 120n, filter } });
      const read = messages(ReadResp, (await call(session, `${streams}Read`, request)).body);
      const revisions = read.map((response) => Number(response.event?.event?.revision));
      const first = direction === 0 ? 0 : 124;
      expect(revisions).toEqual(Array.from({ length: 120 }, (_, index) => Math.abs(first - index)));
    }
    session.close();
  });

  test("that read slowly hear the end of their call before that of the connection, where the node is stopped", async () => {
    const { client, server } = await startWithClient();
    await client.appendToStream("a", events(2_000));
    const session = connectHttp2(`http://127.0.0.1:${server.port}`, {
      settings: { initialWindowSize: 1_024 },
    });
    const heard: unknown[] = [];
    session.on("goaway", () => heard.push("goaway"));
    const options = { stream: { stream: { name: Buffer.from("a") }, start: {} }, count: 2_000n };
    const reading = session.request({
      ":path": `${streams}Read`,
      ":method": "POST",
      "content-type": "application/grpc",
      te: "trailers",
    });
    reading.on("trailers", (trailers) => heard.push(trailers["grpc-status"]));
    reading.end(framed(ReadReq, { options }));
    await once(reading, "response");
    const stopped = server.nodes[0]?.stop();
    await sleep(200);
    reading.resume();
    await Promise.all([stopped, once(session, "close")]);
    expect(heard.slice(0, 2)).toEqual(["1", "goaway"]);
  });

  test("may append nothing, and are told where the stream stands", async () => {
    await using dialled = await dial();
    const target = { stream: { name: Buffer.from("a") }, any: {} };
    const append = async () =>
      messages(
        AppendResp,
        (await call(dialled.session, `${streams}Append`, framed(AppendReq, { options: target }))).body,
      );
    expect(await append()).toEqual([{ success: { noStream: {}, noPosition: {} } }]);
  });

  test("may send byte by byte, and many messages at once", async () => {
    const { client, server } = await startWithClient();
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    const proposed = Array.from({ length: 30 }, (_, index) => ({
      message: {
        id: { string: event().id },
        metadata: { type: "t", "content-type": "application/octet-stream" },
        data: Buffer.alloc(index * 100, index),
      },
    }));
    const requests = [{ options: { stream: { name: Buffer.from("a") }, noStream: {} } }, ...proposed];
    const body = framed(AppendReq as Message<object>, ...requests);
    const stream = session.request({
      ":path": `${streams}Append`,
      ":method": "POST",
      "content-type": "application/grpc",
    });
    for (let at = 0; at < 500; at += 1) stream.write(body.subarray(at, at + 1));
    stream.end(body.subarray(500));
    stream.resume();
    await new Promise((resolve) => stream.on("close", resolve));
    session.close();
    const read = await collect(client.readStream("a"));
    expect(read.map(({ event: one }) => Buffer.from(one?.data as Uint8Array))).toEqual(
      proposed.map(({ message }) => message.data),
    );
  });

  test("may cancel in the middle of what they send", async () => {
    const { client, server } = await startWithClient();
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    for (const method of ["Append", "BatchAppend", "Read", "Delete"]) {
      const stream = session.request({
        ":path": streams + method,
        ":method": "POST",
        "content-type": "application/grpc",
      });
      stream.on("error", () => undefined);
      stream.write(Buffer.from([0, 0, 0]));
      stream.close(constants.NGHTTP2_CANCEL);
      await new Promise((resolve) => stream.on("close", resolve));
    }
    await client.appendToStream("a", event());
    expect(await collect(client.readStream("a"))).toHaveLength(1);
    session.close();
  });
});
