// An EventStoreDB as its client shows it, in this process: a log in an array, and the faults of both, on demand.

import { Readable } from "node:stream";

import type {
  EsdbClient,
  EsdbNewEvent,
  EsdbPosition,
  EsdbRead,
  EsdbResolvedEvent,
  EsdbSubscription,
} from "../../src/store/esdb.ts";

interface Stored {
  readonly stream: string;
  readonly revision: bigint;
  readonly commit: bigint;
  readonly event: EsdbNewEvent;
  readonly created: Date;
}

type Operation = "append" | "readStream" | "readAll" | "subscribe";

/** What befalls a call: `silent` never answers, `lost` is done and not answered, an Error is what it fails with. */
export type Misfortune = "silent" | "lost" | Error;

export function clientError(type: string, message = type, more: object = {}): Error {
  return Object.assign(new Error(message), { type, ...more });
}

export class FakeServer {
  readonly log: Stored[] = [];
  readonly tombstones = new Set<string>();
  readonly deleted = new Map<string, bigint>();
  readonly calls: string[] = [];
  clients = 0;
  disposed = 0;
  /** Calls that were begun and not ended. */
  open = 0;
  /** Asked before each call. */
  befalls: (operation: Operation, stream: string, client: number) => Misfortune | undefined = () => undefined;
  sendsCaughtUp = true;
  now = 1_700_000_000_000;
  readonly #subscriptions = new Set<FakeSubscription>();

  readonly connect = (): EsdbClient => {
    this.clients += 1;
    return new FakeClient(this, this.clients);
  };

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  of(stream: string): Stored[] {
    const before = this.deleted.get(stream) ?? -1n;
    return this.log.filter((one) => one.stream === stream && one.revision > before);
  }

  lastRevision(stream: string): bigint {
    return this.log.findLast((one) => one.stream === stream)?.revision ?? -1n;
  }

  write(stream: string, events: readonly EsdbNewEvent[]): Stored[] {
    const written = events.map((event) => {
      const stored = {
        stream,
        revision: this.lastRevision(stream) + 1n,
        // Sparse, so that nobody adds one.
        commit: (this.log.at(-1)?.commit ?? 90n) + 17n,
        event,
        created: new Date(this.now),
      };
      this.log.push(stored);
      return stored;
    });
    for (const subscription of this.#subscriptions) subscription.pump();
    return written;
  }

  subscribed(subscription: FakeSubscription): void {
    this.#subscriptions.add(subscription);
  }

  unsubscribed(subscription: FakeSubscription): void {
    this.#subscriptions.delete(subscription);
  }

  /** Every subscription ends with this error. */
  dropSubscriptions(error: Error): void {
    for (const subscription of this.#subscriptions) subscription.failWith(error);
  }

  /** Subscriptions say nothing any more, and do not end. */
  silenceSubscriptions(): void {
    for (const subscription of this.#subscriptions) subscription.silent = true;
  }
}

function resolved({ stream, revision, commit, event, created }: Stored): EsdbResolvedEvent {
  const isJson = event.contentType === "application/json";
  return {
    event: {
      streamId: stream,
      id: event.id,
      isJson,
      revision,
      type: event.type,
      created,
      data: isJson ? JSON.parse(JSON.stringify(event.data)) : event.data,
      metadata: parsedMetadata(event.metadata),
      position: { commit, prepare: commit },
    },
    commitPosition: commit,
  };
}

function parsedMetadata(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return bytes;
  }
}

const never = new Promise<never>(() => undefined);

class FakeClient implements EsdbClient {
  readonly #server: FakeServer;
  readonly #number: number;

  constructor(server: FakeServer, number: number) {
    this.#server = server;
    this.#number = number;
  }

  #befalls(operation: Operation, stream: string): Misfortune | undefined {
    this.#server.calls.push(`${operation} ${stream}`);
    return this.#server.befalls(operation, stream, this.#number);
  }

  appendToStream: EsdbClient["appendToStream"] = async (stream, events, { expectedRevision }) => {
    const server = this.#server;
    const misfortune = this.#befalls("append", stream);
    await new Promise(setImmediate);
    if (misfortune === "silent") return never;
    if (misfortune instanceof Error) throw misfortune;
    if (server.tombstones.has(stream)) throw clientError("stream-deleted");
    const head = server.lastRevision(stream);
    const gone = server.deleted.get(stream) === head;
    const actual = head < 0n || gone ? "no_stream" : head;
    const meets =
      expectedRevision === "any" ||
      (expectedRevision === "stream_exists" ? actual !== "no_stream" : actual === expectedRevision);
    let last: Stored | undefined;
    if (!meets) {
      const first = typeof expectedRevision === "bigint" ? expectedRevision + 1n : 0n;
      const there =
        expectedRevision === "stream_exists"
          ? []
          : server
              .of(stream)
              .filter(({ revision }) => revision >= first)
              .slice(0, events.length);
      if (there.length !== events.length || there.some(({ event }, at) => event.id !== events[at]?.id)) {
        throw clientError("wrong-expected-version", "WrongExpectedVersion", { actualVersion: actual });
      }
      last = there.at(-1);
    } else {
      last = server.write(stream, events).at(-1);
    }
    if (misfortune === "lost") return never;
    const { revision, commit } = last as Stored;
    return { nextExpectedRevision: revision, position: { commit, prepare: commit } };
  };

  readStream: EsdbClient["readStream"] = (stream, { direction, fromRevision, maxCount }) => {
    const server = this.#server;
    const misfortune = this.#befalls("readStream", stream);
    if (server.tombstones.has(stream)) return readOf(server, clientError("stream-deleted"), []);
    const known = server.of(stream);
    if (known.length === 0) return readOf(server, misfortune ?? clientError("stream-not-found"), []);
    const from =
      fromRevision === "start"
        ? 0n
        : fromRevision === "end"
          ? (known.at(-1) as Stored).revision
          : fromRevision;
    const found =
      direction === "forwards"
        ? known.filter(({ revision }) => revision >= from)
        : known.filter(({ revision }) => revision <= from).reverse();
    return readOf(server, misfortune, found.slice(0, maxCount));
  };

  readAll: EsdbClient["readAll"] = ({ direction, fromPosition, maxCount }) => {
    const server = this.#server;
    const misfortune = this.#befalls("readAll", direction);
    const log = server.log;
    const found =
      direction === "forwards"
        ? log.filter(
            ({ commit }) =>
              fromPosition === "start" || (fromPosition !== "end" && commit >= fromPosition.commit),
          )
        : log
            .filter(
              ({ commit }) =>
                fromPosition === "end" || (fromPosition !== "start" && commit <= fromPosition.commit),
            )
            .reverse();
    return readOf(server, misfortune, found.slice(0, maxCount));
  };

  subscribeToAll: EsdbClient["subscribeToAll"] = ({ fromPosition, filter }) => {
    const misfortune = this.#befalls("subscribe", "");
    const subscription = new FakeSubscription(
      this.#server,
      fromPosition === "start" ? -1n : fromPosition.commit,
      filter,
    );
    if (misfortune instanceof Error) setImmediate(() => subscription.failWith(misfortune));
    else if (misfortune === undefined) subscription.pump();
    return subscription as unknown as EsdbSubscription;
  };

  dispose = async (): Promise<void> => {
    this.#server.disposed += 1;
  };
}

function readOf(server: FakeServer, misfortune: Misfortune | undefined, found: readonly Stored[]): EsdbRead {
  server.open += 1;
  let ended = false;
  const end = (): void => {
    if (!ended) server.open -= 1;
    ended = true;
  };
  const read = new Readable({ objectMode: true, read: () => undefined });
  read.on("end", end);
  if (misfortune instanceof Error) {
    setImmediate(() => {
      end();
      read.emit("error", misfortune);
    });
  } else if (misfortune === undefined) {
    for (const one of found) read.push(resolved(one));
    read.push(null);
  }
  return Object.assign(read, {
    cancel: async () => {
      end();
    },
  }) as unknown as EsdbRead;
}

class FakeSubscription extends Readable {
  readonly #server: FakeServer;
  readonly #filter: Parameters<EsdbClient["subscribeToAll"]>[0]["filter"];
  #at: bigint;
  #considered = 0;
  #caughtUp = false;
  silent = false;

  constructor(
    server: FakeServer,
    after: bigint,
    filter: Parameters<EsdbClient["subscribeToAll"]>[0]["filter"],
  ) {
    super({ objectMode: true, read: () => undefined });
    this.#server = server;
    this.#at = after;
    this.#filter = filter;
    server.subscribed(this);
    server.open += 1;
  }

  pump(): void {
    setImmediate(() => this.#pump());
  }

  #pump(): void {
    if (this.silent || this.destroyed) return;
    const filter = this.#filter;
    const checkpoint = (position: EsdbPosition): void => filter.checkpointReached(this, position);
    for (const one of this.#server.log) {
      if (one.commit <= this.#at) continue;
      this.#at = one.commit;
      this.#considered += 1;
      const wanted =
        "prefixes" in filter
          ? filter.prefixes.some((prefix) => one.stream.startsWith(prefix))
          : new RegExp(filter.regex).test(one.stream);
      if (wanted) this.push(resolved(one));
      if (this.#considered % (filter.checkpointInterval * 32) === 0)
        checkpoint({ commit: one.commit, prepare: one.commit });
    }
    if (this.#caughtUp) return;
    this.#caughtUp = true;
    this.emit("confirmation");
    if (this.#at >= 0n) checkpoint({ commit: this.#at, prepare: this.#at });
    if (this.#server.sendsCaughtUp) this.emit("caughtUp");
  }

  failWith(error: Error): void {
    this.#leave();
    this.emit("error", error);
  }

  async unsubscribe(): Promise<void> {
    this.#leave();
  }

  #leave(): void {
    if (this.destroyed) return;
    this.#server.unsubscribed(this);
    this.#server.open -= 1;
    this.silent = true;
    this.destroy();
  }
}
