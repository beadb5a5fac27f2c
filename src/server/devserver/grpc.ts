// gRPC over HTTP/2 as far as this server needs it: framing, statuses, and how a node dies under its calls.

import { once } from "node:events";
import {
  type Http2Server,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  createSecureServer,
  createServer,
} from "node:http2";
import { type AddressInfo, Server as NetServer } from "node:net";

import { type Message, Writer } from "./wire.ts";

export const status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** How a call ends in failure: a status, its words, and metadata that the client reads. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly metadata: Readonly<Record<string, string>>;

  constructor(code: number, message: string, metadata: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.metadata = metadata;
  }
}

/** What a method does with the messages of one call. Whatever these throw ends the call. */
export interface Receiver {
  message(bytes: Buffer): void;
  /** The client has said all. */
  end(): void;
}

export type Method = (call: Call) => Receiver;

/** What the client may send in one message. */
const maxMessageBytes = 17 * 1_024 * 1_024;

/** Kestrel's own number: the 101st call of a connection waits. */
const maxConcurrentCalls = 100;

const windowBytes = 8 * 1_024 * 1_024;

export class Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The client cancelled it, or it was answered, or its connection is gone. */
  over = false;
  readonly #stream: ServerHttp2Stream;
  readonly #closers = new Set<() => void>();
  #trailers: Readonly<Record<string, string | number>> = { "grpc-status": status.ok };

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.headers = headers;
    this.path = headers[":path"] ?? "";
    stream.on("close", () => this.#end());
    stream.on("error", () => undefined);
  }

  #end(): void {
    this.over = true;
    for (const closer of this.#closers) closer();
    this.#closers.clear();
  }

  /** Calls back once the call is over, unless the returned function was called before. */
  whenOver(closer: () => void): () => void {
    if (this.over) closer();
    else this.#closers.add(closer);
    return () => this.#closers.delete(closer);
  }

  /** Nothing can be said any more, also where that has not been told yet. */
  get #gone(): boolean {
    return this.over || this.#stream.destroyed || this.#stream.closed;
  }

  /** Sends framed messages; false where the client reads more slowly than they come: wait for `drained`. */
  send(frames: Buffer): boolean {
    if (this.#gone) return true;
    this.#open();
    return this.#stream.write(frames);
  }

  /** Until the client has taken what was sent, or the call is over. */
  async drained(): Promise<void> {
    if (this.#gone || !this.#stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const forget = this.whenOver(resolve);
      this.#stream.once("drain", () => {
        forget();
        resolve();
      });
    });
  }

  finish(): void {
    if (this.#gone) return;
    this.#open();
    this.#stream.end();
  }

  fail(error: RpcError): void {
    if (this.#gone) return;
    const trailers = {
      "grpc-status": error.code,
      // The client decodes what `encodeURI` encodes, and nothing else.
      "grpc-message": encodeURI(error.message).replaceAll("%20", " "),
      ...Object.fromEntries(Object.entries(error.metadata).map(([key, value]) => [key, headerValue(value)])),
    };
    if (!this.#stream.headersSent) {
      this.over = true;
      this.#stream.respond(
        { ":status": 200, "content-type": "application/grpc", ...trailers },
        { endStream: true },
      );
      // The rest of what the client sends is of no use.
      this.#stream.resume();
      return;
    }
    this.#trailers = trailers;
    this.finish();
  }

  /**
   * Ends the call as a dying node does: the client sees it cancelled. It ends with a status, and not with a reset: to reset a call that
   * waits for its trailers makes Node 20 spin (`close`), or writes to memory that is given back (`destroy`, an abort).
   */
  reset(): void {
    this.fail(new RpcError(status.cancelled, "the call was cut off"));
    this.#end();
  }

  /** Answers with headers now, so that the client knows the call as accepted. */
  #open(): void {
    if (this.#stream.headersSent) return;
    this.#stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    this.#stream.once("wantTrailers", () => {
      if (!this.#stream.destroyed) this.#stream.sendTrailers(this.#trailers);
    });
  }

  /** Feeds a receiver with the messages that arrive. */
  receive(receiver: Receiver): void {
    const frames = new Frames();
    const guard = (work: () => void): void => {
      if (this.#gone) return;
      try {
        work();
      } catch (error) {
        this.fail(error instanceof RpcError ? error : new RpcError(status.internal, String(error)));
      }
    };
    this.#stream.on("data", (chunk: Buffer) => {
      guard(() => {
        for (const bytes of frames.take(chunk)) guard(() => receiver.message(bytes));
      });
    });
    this.#stream.on("end", () => {
      guard(() => {
        if (frames.partial) throw new RpcError(status.internal, "the call ends in the middle of a message");
        receiver.end();
      });
    });
  }
}

/** Metadata is printable ASCII; a name with anything else in it goes percent-encoded. */
function headerValue(value: string): string {
  return /^[ -~]*$/.test(value) ? value : encodeURIComponent(value);
}

/** Cuts what arrives into messages: a flag, four bytes of length, and the bytes. */
class Frames {
  #chunks: Buffer[] = [];
  #length = 0;
  /** How many bytes the next message takes, as far as that is known. */
  #needed = headerBytes;

  get partial(): boolean {
    return this.#length > 0;
  }

  take(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return [];
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const messages: Buffer[] = [];
    for (this.#needed = headerBytes; rest.length >= headerBytes; this.#needed = headerBytes) {
      this.#needed = headerBytes + lengthIn(rest);
      if (rest.length < this.#needed) break;
      messages.push(rest.subarray(headerBytes, this.#needed));
      rest = rest.subarray(this.#needed);
    }
    this.#chunks = [rest];
    this.#length = rest.length;
    return messages;
  }
}

const headerBytes = 5;

function lengthIn(header: Buffer): number {
  if (header[0] !== 0) throw new RpcError(status.unimplemented, "compressed messages are not spoken here");
  const length = header.readUInt32BE(1);
  if (length <= maxMessageBytes) return length;
  throw new RpcError(status.resourceExhausted, `a message of ${length} bytes, at most ${maxMessageBytes}`);
}

/** Messages in their frames, one behind the other, in one buffer. */
export function framed<T>(kind: Message<T>, ...values: readonly T[]): Buffer {
  const writer = new Writer();
  for (let index = values.length - 1; index >= 0; index -= 1) {
    const before = writer.length;
    kind.writeBody(writer, values[index] as T);
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32BE(writer.length - before, 1);
    writer.bytes(header);
  }
  return writer.finish();
}

export interface Tls {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

/** One listening address with its connections; the calls go to `dispatch`. */
export class Listener {
  readonly #server: Http2Server | Http2SecureServer;
  /** The connections, each with its streams. */
  readonly #sessions = new Map<ServerHttp2Session, Set<ServerHttp2Stream>>();
  readonly #calls = new Set<Call>();
  /** How calls end, once it stops. */
  #end: ((call: Call) => void) | undefined;

  constructor(tls: Tls | undefined, dispatch: (call: Call) => void) {
    const options = {
      settings: { initialWindowSize: windowBytes, maxConcurrentStreams: maxConcurrentCalls },
    };
    this.#server =
      tls === undefined
        ? createServer(options)
        : createSecureServer({ ...options, key: tls.key, cert: tls.cert });
    this.#server.on("session", (session: ServerHttp2Session) => {
      const streams = new Set<ServerHttp2Stream>();
      this.#sessions.set(session, streams);
      session.on("stream", (stream) => {
        streams.add(stream);
        stream.on("close", () => streams.delete(stream));
      });
      session.setLocalWindowSize(windowBytes);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => undefined);
    });
    this.#server.on("sessionError", () => undefined);
    this.#server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const call = new Call(stream, headers);
      if (this.#end !== undefined) {
        this.#end(call);
        return;
      }
      this.#calls.add(call);
      call.whenOver(() => this.#calls.delete(call));
      dispatch(call);
    });
  }

  /** @returns the port, which was chosen by the system where 0 was asked for. */
  async listen(port: number): Promise<number> {
    this.#server.listen(port, "127.0.0.1");
    // `once` rejects with the server's error: a port in use, or one that may not be had.
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every call as a dying node does, and goes on listening. */
  drop(end: (call: Call) => void): void {
    for (const call of this.#calls) end(call);
  }

  /** Stops listening, ends every call and then every connection; without `end` the connections are cut under the calls. */
  async close(end: ((call: Call) => void) | undefined): Promise<void> {
    const closed = once(this.#server, "close");
    // Only the listening: its own `close` tells the connections at once that they end, on later versions of Node.
    NetServer.prototype.close.call(this.#server);
    this.#end = end;
    if (end !== undefined) this.drop(end);
    for (const [session, streams] of this.#sessions) {
      if (session.destroyed) continue;
      if (end === undefined) {
        session.destroy();
        continue;
      }
      void part(session, streams);
      // A client that does not take what was said is not waited for.
      setTimeout(() => session.destroy(), patience).unref();
    }
    await closed;
  }
}

/** How long the clients of a stopped node may take to hear it: milliseconds, long enough for a busy machine. */
const patience = 2_000;

/**
 * Closes a connection behind its calls: what was said to them has arrived where a ping after it is answered. A ping passes what waits to
 * be sent, and the end of a connection is told before the end of a call that came with it.
 */
async function part(session: ServerHttp2Session, streams: ReadonlySet<ServerHttp2Stream>): Promise<void> {
  await Promise.all(
    [...streams].map((stream) => new Promise<void>((resolve) => stream.once("close", resolve))),
  );
  if (session.destroyed) return;
  if (!session.ping(() => session.close())) session.close();
}
