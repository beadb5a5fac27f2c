// The store over an EventStoreDB cluster: the one file that knows the client's words, and what the client does when things break.

import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

import { isObject } from "../domain/json.ts";
import { limits } from "../domain/limits.ts";
import { ClaimStreams, type ClaimEvent, claimPrefix } from "./claimStreams.ts";
import { isEncodedMeta } from "./codec.ts";
import {
  type AllPage,
  type AllRead,
  type AppendOptions,
  type Appended,
  ConflictError,
  type EventStore,
  type Expected,
  type Message,
  type NewEvent,
  type RecordedEvent,
  StoreError,
  type StoreErrorCode,
  type StreamRead,
  type SubscribeOptions,
  checkAppend,
  isSameBatch,
  isStoreError,
  meets,
  messageOf,
} from "./port.ts";

// --- the client, as much of it as is used; its successor can stand in its place ---

export interface EsdbPosition {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/** An event as the client takes it. */
export interface EsdbNewEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: "application/json" | "application/octet-stream";
  readonly data: unknown;
  readonly metadata: Uint8Array | undefined;
}

/** An event as the client gives it. */
export interface EsdbRecordedEvent {
  readonly streamId: string;
  readonly id: string;
  readonly isJson: boolean;
  readonly revision: bigint;
  readonly type: string;
  readonly created: Date;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly position?: EsdbPosition | undefined;
}

export interface EsdbResolvedEvent {
  readonly event?: EsdbRecordedEvent | undefined;
  readonly commitPosition?: bigint | undefined;
}

interface EsdbStream<R = EsdbResolvedEvent> {
  on(event: "data", listener: (resolved: R) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end" | "close" | "confirmation" | "caughtUp", listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  readonly readableLength: number;
}

export interface EsdbRead extends EsdbStream {
  cancel(): Promise<void>;
}

export interface EsdbSubscription extends EsdbStream<Followed> {
  /** What the client makes of an event with; nothing that it promises. */
  convertGrpcEvent?: ((wire: WireEvent) => Followed) | undefined;
  unsubscribe(): Promise<void>;
}

/** What a subscription gives. */
interface Followed {
  readonly event?: EsdbRecordedEvent | TextEvent | undefined;
  readonly commitPosition?: bigint | undefined;
}

export interface EsdbClient {
  appendToStream(
    stream: string,
    events: EsdbNewEvent[],
    options: {
      readonly expectedRevision: bigint | "no_stream" | "stream_exists" | "any";
      readonly requiresLeader: boolean;
      readonly deadline: number;
    },
  ): Promise<{
    readonly nextExpectedRevision: bigint;
    readonly position?: EsdbPosition | undefined;
  }>;
  readStream(
    stream: string,
    options: {
      readonly direction: "forwards" | "backwards";
      readonly fromRevision: bigint | "start" | "end";
      readonly maxCount: number;
      readonly requiresLeader: boolean;
    },
  ): EsdbRead;
  readAll(options: {
    readonly direction: "forwards" | "backwards";
    readonly fromPosition: EsdbPosition | "start" | "end";
    readonly maxCount: number;
    readonly requiresLeader: boolean;
  }): EsdbRead;
  subscribeToAll(options: {
    readonly fromPosition: EsdbPosition | "start";
    readonly filter: {
      readonly filterOn: "streamName";
      readonly checkpointInterval: number;
      readonly checkpointReached: (subscription: unknown, position: EsdbPosition) => void;
    } & ({ readonly prefixes: string[] } | { readonly regex: string });
  }): EsdbSubscription;
  dispose(): Promise<void>;
}

// --- options ---

export interface EsdbStoreOptions {
  /** Makes a client; the one of `@eventstore/db-client`, shared by all stores of this process on the same cluster, without it. */
  readonly connect?: ((url: string) => EsdbClient | Promise<EsdbClient>) | undefined;
  /** Opens the store for reading only: appends are refused as `denied`. */
  readonly readOnly?: boolean | undefined;
  /** How long one call may be without an answer, in milliseconds (10,000). */
  readonly callTimeoutMs?: number | undefined;
  /** How long to try again what failed for want of a connection, in milliseconds, before it fails as `unavailable` (20,000). */
  readonly giveUpMs?: number | undefined;
  /** How long a subscription may hear nothing before it asks whether it missed something, in milliseconds (15,000). */
  readonly quietMs?: number | undefined;
  /**
   * The age from which another stream may have a claim whose append was never made, in milliseconds (600,000). Far more than the clocks
   * of all machines differ, and than `giveUpMs`.
   */
  readonly claimGraceMs?: number | undefined;
  /** The most bytes of one event's data and metadata. */
  readonly maxEventBytes?: number | undefined;
  /** Milliseconds UTC now; for the age of claims. */
  readonly clock?: (() => number) | undefined;
}

/** A store over a wire: it may be told why it is not heard. */
export interface EsdbStore extends EventStore {
  /** Where it is, without its user and password. */
  readonly place: string;
  /** Why the latest call, or the subscription, had no answer; undefined while all is well. */
  trouble(): string | undefined;
  /** It has had an answer since it was opened. */
  heard(): boolean;
  /** The same as `subscribe`, as many messages at a time as come together. */
  subscribeInBulk(options?: SubscribeOptions): AsyncIterable<readonly Message[]>;
}

/**
 * Opens a store on a cluster; nothing is asked of it yet.
 * @throws TypeError where the connection string is wrong, naming the fault, without its password.
 */
export async function openEsdbStore(url: string, options: EsdbStoreOptions = {}): Promise<EsdbStore> {
  const place = checkUrl(url);
  const { connect } = options;
  if (connect !== undefined) return new EsdbEventStore(place, new Connection(url, connect), options);
  let shared = connections.get(url);
  if (shared === undefined) {
    // Wrong settings are found here, and not at the first call.
    const first = await connectWithClient(url, place);
    let made: EsdbClient | undefined = first;
    shared = new Connection(url, () => {
      const client = made ?? connectWithClient(url, place);
      made = undefined;
      return client;
    });
    connections.set(url, shared);
  }
  return new EsdbEventStore(place, shared, options);
}

/** One client a process and cluster: the client keeps all appends under way in one table. */
const connections = new Map<string, Connection>();

const settings = [
  "tls",
  "tlsCAFile",
  "userCertFile",
  "userKeyFile",
  "nodePreference",
  "connectionName",
  "defaultDeadline",
  "discoveryInterval",
  "gossipTimeout",
  "maxDiscoverAttempts",
  "keepAliveInterval",
  "keepAliveTimeout",
];

/** Checks a connection string and gives the part of it that may be shown. */
function checkUrl(url: string): string {
  const match = /^(esdb(?:\+discover)?:\/\/)(?:[^@/?]*@)?([^?]*)(?:\?(.*))?$/s.exec(url.trim());
  if (match === null)
    throw new TypeError("store: a cluster is named esdb://HOST:2113 or esdb+discover://HOST:2113");
  const [, scheme = "", hosts = "", query = ""] = match;
  const place = `${scheme}${hosts.replace(/\/+$/, "")}`;
  if (!/^[^,:/\s]+(:\d{1,5})?(,[^,:/\s]+(:\d{1,5})?)*$/.test(hosts.replace(/\/+$/, ""))) {
    throw new TypeError(`store: ${place} names no host, or not as HOST:PORT`);
  }
  for (const pair of query === "" ? [] : query.split("&")) {
    const [name = "", value = ""] = pair.split("=");
    if (!settings.some((one) => one.toLowerCase() === name.toLowerCase())) {
      throw new TypeError(
        `store: ${place}: no setting ${JSON.stringify(name)}; there are ${settings.join(", ")}`,
      );
    }
    if (value === "") throw new TypeError(`store: ${place}: the setting ${name} has no value`);
  }
  return place;
}

/** The client of `@eventstore/db-client`, loaded when it is first asked for. */
export async function connectWithClient(url: string, place = checkUrl(url)): Promise<EsdbClient> {
  const { EventStoreDBClient } = await import("@eventstore/db-client");
  try {
    const client = EventStoreDBClient.connectionString(url);
    guardAnswers(client);
    return client as unknown as EsdbClient;
  } catch (error) {
    throw new TypeError(`store: ${place}: ${(error as Error).message.replaceAll(url, place)}`, {
      cause: error,
    });
  }
}

interface Internals {
  GRPCStreamCreator?: (
    service: unknown,
    name: string,
    creator: (client: unknown) => Emitter,
    cache?: unknown,
  ) => () => Promise<Emitter>;
}

interface Emitter {
  listeners(event: string): ((answer: unknown) => void)[];
  removeAllListeners(event: string): unknown;
  on(event: string, listener: (answer: unknown) => void): unknown;
}

/**
 * The client forgets all appends under way, those of its other instances too, when one stream of answers breaks; an answer to what it
 * has forgotten then throws where nobody catches it, and ends the process. The append itself is repeated by its ids.
 */
function guardAnswers(client: unknown): void {
  const internals = client as Internals;
  const original = internals.GRPCStreamCreator;
  if (typeof original !== "function") return;
  internals.GRPCStreamCreator = (service, name, creator, cache) =>
    original(
      service,
      name,
      (grpc) => {
        const stream = creator(grpc);
        if (name !== "appendToStream") return stream;
        const listeners = stream.listeners("data");
        stream.removeAllListeners("data");
        stream.on("data", (answer) => {
          try {
            for (const listener of listeners) listener.call(stream, answer);
          } catch (error) {
            if (!(error instanceof TypeError)) throw error;
          }
        });
        return stream;
      },
      cache,
    );
}

// --- connections ---

const disposeMs = 2_000;

/** A client, thrown away and made anew when it has failed: one that failed at first contact fails for ever. */
class Connection {
  readonly #url: string;
  readonly #connect: (url: string) => EsdbClient | Promise<EsdbClient>;
  /** Told when the client they work with is thrown away. */
  readonly #watchers = new Set<(error: Error) => void>();
  #current: Promise<EsdbClient> | undefined;
  #client: EsdbClient | undefined;
  readonly #retired = new Set<EsdbClient>();
  users = 0;

  constructor(url: string, connect: (url: string) => EsdbClient | Promise<EsdbClient>) {
    this.#url = url;
    this.#connect = connect;
  }

  /** The client, where there is one at hand. */
  get ready(): EsdbClient | undefined {
    return this.#client;
  }

  client(): Promise<EsdbClient> {
    if (this.#current === undefined) {
      const making = Promise.resolve(this.#url).then(this.#connect);
      this.#current = making;
      making.then(
        (client) => {
          if (this.#current === making) this.#client = client;
        },
        () => {
          if (this.#current === making) this.#current = undefined;
        },
      );
    }
    return this.#current;
  }

  /** @returns what undoes it. */
  watch(watcher: (error: Error) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * Throws a client away, unless that was done already. It is not disposed of now: to cancel a call that has something unsent, and another
   * one of its connection in the same turn, never returns (Node's HTTP/2 spins in it).
   */
  retire(client: EsdbClient | undefined, why: Error): void {
    if (client === undefined || client !== this.#client) return;
    this.#current = undefined;
    this.#client = undefined;
    this.#retired.add(client);
    for (const watcher of this.#watchers) watcher(why);
  }

  /** The last user throws the client away. */
  async leave(): Promise<void> {
    this.users -= 1;
    if (this.users > 0) return;
    if (connections.get(this.#url) === this) connections.delete(this.#url);
    if (this.#client !== undefined) this.#retired.add(this.#client);
    this.#current = undefined;
    this.#client = undefined;
    for (const client of this.#retired) {
      this.#retired.delete(client);
      // What was cancelled before has gone its way.
      await nextTurn();
      await nextTurn();
      await disposeOf(client);
    }
  }
}

async function disposeOf(client: EsdbClient): Promise<void> {
  const over = new AbortController();
  const ended = client.dispose().catch(() => undefined);
  await Promise.race([
    ended,
    delay(disposeMs, undefined, { signal: over.signal, ref: false }).catch(() => undefined),
  ]);
  over.abort();
}

/** So many calls at a time: at 100 open ones the next hangs. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

// --- what went wrong ---

type Fault =
  | { readonly kind: "conflict"; readonly actual: bigint | undefined }
  | { readonly kind: "missing" }
  | { readonly kind: "notLeader" }
  | { readonly kind: "refused"; readonly code: StoreErrorCode }
  /** Whether it happened is not known. `broken`: the client is of no more use. `lasting`: to try again is in vain. */
  | { readonly kind: "unavailable"; readonly broken: boolean; readonly lasting?: boolean };

const byType: Readonly<Record<string, Fault>> = {
  "stream-not-found": { kind: "missing" },
  "no-stream": { kind: "missing" },
  "not-found": { kind: "missing" },
  "not-leader": { kind: "notLeader" },
  "access-denied": { kind: "refused", code: "denied" },
  "stream-deleted": { kind: "refused", code: "gone" },
  "maximum-append-size-exceeded": { kind: "refused", code: "tooLarge" },
  "invalid-argument": { kind: "refused", code: "invalid" },
  "missing-required-metadata-property": { kind: "refused", code: "invalid" },
  unsupported: { kind: "refused", code: "notAStore" },
  timeout: { kind: "unavailable", broken: false },
  "deadline-exceeded": { kind: "unavailable", broken: false },
  unavailable: { kind: "unavailable", broken: true },
  cancelled: { kind: "unavailable", broken: true },
};

const byCode: Readonly<Record<number, Fault>> = {
  1: { kind: "unavailable", broken: true }, // CANCELLED
  3: { kind: "refused", code: "invalid" }, // INVALID_ARGUMENT
  4: { kind: "unavailable", broken: false }, // DEADLINE_EXCEEDED
  7: { kind: "refused", code: "denied" }, // PERMISSION_DENIED
  12: { kind: "refused", code: "notAStore" }, // UNIMPLEMENTED
  14: { kind: "unavailable", broken: true }, // UNAVAILABLE
  16: { kind: "refused", code: "denied" }, // UNAUTHENTICATED
};

const byMessage: readonly (readonly [RegExp, Fault])[] = [
  [/certificate|self[- ]signed|CERT_|SSL routines/i, { kind: "unavailable", broken: true, lasting: true }],
  [/Protocol error|Parse Error|HTTP\/1|ERR_HTTP2_ERROR/i, { kind: "refused", code: "notAStore" }],
  [/larger than max/i, { kind: "refused", code: "tooLarge" }],
  [/is deleted|StreamDeleted/i, { kind: "refused", code: "gone" }],
  [/access ?denied|not ?authenticated/i, { kind: "refused", code: "denied" }],
];

/** By the client's type, then by gRPC's code, then by the words; what nothing is known of may have happened. */
function faultOf(error: unknown): Fault {
  const { type, code, message, actualVersion } = error as {
    readonly type?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
    readonly actualVersion?: unknown;
  };
  const words = typeof message === "string" ? message : String(error);
  if (type === "wrong-expected-version") {
    return { kind: "conflict", actual: typeof actualVersion === "bigint" ? actualVersion : undefined };
  }
  const typed = typeof type === "string" ? byType[type] : undefined;
  // A connection that cannot be made is told apart by its words alone.
  const worded = byMessage.find(([pattern]) => pattern.test(words))?.[1];
  if (typed !== undefined) return typed.kind === "unavailable" ? (worded ?? typed) : typed;
  const coded = typeof code === "number" ? byCode[code] : undefined;
  if (coded !== undefined) return coded.kind === "unavailable" ? (worded ?? coded) : coded;
  return worded ?? { kind: "unavailable", broken: true };
}

class Unheard extends Error {
  readonly code = 14;
}

// --- events ---

/** An event as it was given, with what its data says where the caller told that. */
interface GivenEvent extends NewEvent {
  readonly value: unknown;
}

/** Before metadata that the client would give back in other words: with it, it is no JSON to the client. */
const asItStands = "as-it-stands:";
/** The same, with the event's own id in between. */
const asItStandsOf = "as-it-stands-of:";
const idLength = 36;

const encoder = new TextEncoder();

/** In the metadata on the server: the event's own id, where the server knows it by another. */
const idKey = "$id";

/**
 * Texts that JSON gives back unchanged go as JSON, which the server's own tools can read; others as bytes.
 * @param parsed what `data` says, where that is known.
 */
function wireOf({ id, type, data, meta }: NewEvent, sentAs = id, parsed = canonical(data)): EsdbNewEvent {
  const metadata = wireMetaOf(meta, sentAs === id ? undefined : id);
  return parsed === undefined
    ? { id: sentAs, type, contentType: "application/octet-stream", data: encoder.encode(data), metadata }
    : { id: sentAs, type, contentType: "application/json", data: parsed.value, metadata };
}

function wireMetaOf(meta: string, id: string | undefined): Uint8Array | undefined {
  if (id === undefined && meta === "") return undefined;
  const plain = isEncodedMeta(meta) || (canonical(meta) !== undefined && !meta.includes(`"${idKey}":`));
  if (id === undefined) return encoder.encode(plain ? meta : asItStands + meta);
  return encoder.encode(
    plain && meta.startsWith("{")
      ? `${meta.slice(0, -1)}${meta === "{}" ? "" : ","}"${idKey}":"${id}"}`
      : `${asItStandsOf}${id}:${meta}`,
  );
}

function canonical(text: string): { readonly value: unknown } | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return JSON.stringify(value) === text ? { value } : undefined;
  } catch {
    return undefined;
  }
}

const contentType = "application/json" as const;
const noMetadata = encoder.encode("{}");

function textOf(bytes: unknown): string {
  const { buffer, byteOffset, byteLength } = bytes as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
}

interface GivenMeta {
  readonly meta: string;
  readonly id?: string;
}

/** As the id is written here: behind all else. */
const idTail = `,"${idKey}":"`;
const idEnd = '"}';
const idForm = /^[0-9a-f-]+$/i;
const idTailLength = idTail.length + idLength + idEnd.length;

/** The metadata as it was given, and the event's own id where it says one. */
function metaOf(text: string): GivenMeta {
  if (text.startsWith(asItStands)) return { meta: text.slice(asItStands.length) };
  if (text.startsWith(asItStandsOf)) {
    const end = asItStandsOf.length + idLength;
    return { meta: text.slice(end + 1), id: text.slice(asItStandsOf.length, end) };
  }
  const tail = text.length - idTailLength;
  if (tail > 0 && text.startsWith(idTail, tail) && text.endsWith(idEnd)) {
    const id = text.slice(tail + idTail.length, -idEnd.length);
    if (idForm.test(id)) return { meta: `${text.slice(0, tail)}}`, id };
  }
  return text.includes(`"${idKey}"`) ? metaWithId(text) : { meta: text };
}

/** Metadata that says an id elsewhere than at its end. */
function metaWithId(text: string): GivenMeta {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return { meta: text };
  }
  const { [idKey]: id, ...meta } = isObject(read) ? read : {};
  return typeof id === "string" ? { meta: JSON.stringify(meta), id } : { meta: text };
}

/** Where an event stands: an append's events lie next to each other, so that the place in the log alone tells their order. */
function commitOf({ event, commitPosition }: Followed): bigint {
  return (
    commitPosition ?? (event !== undefined && "position" in event ? event.position?.commit : undefined) ?? 0n
  );
}

function recordedOf(resolved: Followed, event: EsdbRecordedEvent | TextEvent): RecordedEvent {
  const { streamId: stream, revision, type } = event;
  const { data, meta: told } = "texts" in event ? event.texts : textsRead(event);
  const { meta, id = event.id } = metaOf(told);
  return { stream, revision, position: String(commitOf(resolved)), id, type, data, meta };
}

/** The texts of an event that the client has read. */
function textsRead({ isJson, data, metadata }: EsdbRecordedEvent): TextEvent["texts"] {
  return {
    data: isJson ? JSON.stringify(data) : textOf(data),
    meta:
      metadata === undefined
        ? ""
        : metadata instanceof Uint8Array
          ? textOf(metadata)
          : JSON.stringify(metadata),
  };
}

/** What is the server's own, or a claim's, is nobody's event. */
function isHidden({ streamId, type }: Pick<EsdbRecordedEvent, "streamId" | "type">): boolean {
  return streamId.startsWith("$") || type.startsWith("$") || streamId.startsWith(claimPrefix);
}

/** An event whose texts were taken as they stand on the server, before the client read them. */
interface TextEvent extends Pick<EsdbRecordedEvent, "streamId" | "revision" | "id" | "type"> {
  readonly texts: { readonly data: string; readonly meta: string };
}

/** An event as it came over the wire, as far as it is known here. */
interface WireEvent {
  hasCommitPosition(): boolean;
  getCommitPosition(): string | number;
  getEvent():
    | {
        getMetadataMap(): { get(name: string): string | undefined };
        getStreamIdentifier(): { getStreamName_asU8(): Uint8Array } | undefined;
        getStreamRevision(): string | number;
        getId(): { hasString(): boolean; getString(): string } | undefined;
        getData_asU8(): Uint8Array;
        getCustomMetadata_asU8(): Uint8Array;
      }
    | undefined;
}

/**
 * The client reads the JSON of each event, which would only be written down again here. Its texts are taken before that: of all that
 * following a server costs, a seventh less. What is not as usual goes the client's way, and so does all where it works otherwise.
 */
function takeTexts(subscription: EsdbSubscription): void {
  const convert = subscription.convertGrpcEvent;
  if (typeof convert !== "function") return;
  subscription.convertGrpcEvent = (wire) => {
    try {
      const texts = textsOf(wire);
      if (texts !== undefined) return texts;
    } catch {
      // Another client's events have other names for their parts.
      subscription.convertGrpcEvent = convert;
    }
    return convert.call(subscription, wire);
  };
}

function textsOf(wire: WireEvent): Followed | undefined {
  const record = wire.getEvent();
  const stream = record?.getStreamIdentifier();
  const id = record?.getId();
  const type = record?.getMetadataMap().get("type");
  if (record === undefined || stream === undefined || id?.hasString() !== true) return undefined;
  if (type === undefined || !wire.hasCommitPosition()) return undefined;
  return {
    commitPosition: BigInt(wire.getCommitPosition()),
    event: {
      streamId: textOf(stream.getStreamName_asU8()),
      revision: BigInt(record.getStreamRevision()),
      id: id.getString(),
      type,
      texts: { data: textOf(record.getData_asU8()), meta: textOf(record.getCustomMetadata_asU8()) },
    },
  };
}

const visibleStreams = `^(?!\\$|${claimPrefix})`;

/** @throws StoreError `invalid` for what no such store ever gave out. */
function commitAt(position: string): bigint {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(position)) {
    throw new StoreError("invalid", `${JSON.stringify(position)} is no position of this store`);
  }
  return BigInt(position);
}

function place(commit: bigint): EsdbPosition {
  return { commit, prepare: commit };
}

// --- the store ---

const pageSize = 1_000;
const streamPage = 4_096;
const readsAtOnce = 40;
const mostSubscriptions = 50;
/** Events that a subscription holds before it makes the server wait. */
const mostQueued = 1_024;
const longestPauseMs = 1_000;
const lastRevision = 2n ** 63n - 1n;

class EsdbEventStore implements EsdbStore {
  readonly kind = "esdb";
  readonly place: string;

  readonly #connection: Connection;
  readonly #callTimeoutMs: number;
  readonly #giveUpMs: number;
  readonly #quietMs: number;
  readonly #claimGraceMs: number;
  readonly #maxEventBytes: number;
  readonly #readOnly: boolean;
  readonly #clock: () => number;
  readonly #claims: ClaimStreams;
  readonly #reads = new Gate(readsAtOnce);
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #stops = new Set<Stop>();

  /** The newest visible event known: a look for a newer one need not go behind it. */
  #head = -1n;
  #trouble: string | undefined;
  /** Why a subscription broke that has not been taken up since. */
  #deafness: string | undefined;
  /** It has had an answer. */
  #heard = false;
  #closing: Promise<void> | undefined;
  /** What was under way when it was closed is over: nothing is asked any more. */
  #left = false;

  constructor(at: string, connection: Connection, options: EsdbStoreOptions) {
    this.place = at;
    this.#connection = connection;
    connection.users += 1;
    this.#callTimeoutMs = options.callTimeoutMs ?? 10_000;
    this.#giveUpMs = options.giveUpMs ?? 20_000;
    this.#quietMs = options.quietMs ?? 15_000;
    this.#claimGraceMs = options.claimGraceMs ?? 600_000;
    this.#maxEventBytes = options.maxEventBytes ?? limits.eventBytes;
    this.#readOnly = options.readOnly === true;
    this.#clock = options.clock ?? Date.now;
    this.#claims = new ClaimStreams(
      {
        // The id of each is one call's alone already.
        append: async (stream, expected, events) => {
          const wire = events.map(({ id, type, data }) => ({
            id,
            type,
            contentType,
            data,
            metadata: noMetadata,
          }));
          await this.#send(stream, expected, wire);
        },
        read: (stream) => this.#readClaim(stream),
        holds: async (stream, id) => {
          try {
            return (await this.#readStream(stream, {})).some((event) => sameId(event.id, id));
          } catch (error) {
            // What a deleted order held stays its own.
            if (isStoreError(error, "gone")) return true;
            throw error;
          }
        },
        now: this.#clock,
      },
      this.#claimGraceMs,
    );
  }

  trouble(): string | undefined {
    return this.#trouble ?? this.#deafness;
  }

  heard(): boolean {
    return this.#heard;
  }

  append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    { claims = [], values }: AppendOptions = {},
  ): Promise<Appended> {
    return this.#tracked(async () => {
      if (this.#readOnly) throw new StoreError("denied", `${this.place} is opened for reading only`);
      checkAppend(stream, expected, events, claims, this.#maxEventBytes);
      if (stream.startsWith(claimPrefix)) {
        throw new StoreError("invalid", `stream name ${JSON.stringify(stream)} is a claim's`);
      }
      // What the caller changes meanwhile is not what was asked for.
      const given = events.map(({ id, type, data, meta }, at) => ({
        id,
        type,
        data,
        meta,
        value: values?.[at],
      }));
      if (claims.length === 0) return this.#write(stream, expected, given);
      return this.#appendClaiming(stream, expected, given, claims);
    });
  }

  async #appendClaiming(
    stream: string,
    expected: Expected,
    events: readonly GivenEvent[],
    claims: readonly string[],
  ): Promise<Appended> {
    // The age of a claim counts from here, and so does the time in which the append may still be sent.
    const until = this.#clock() + this.#claimGraceMs / 2;
    let taken;
    try {
      taken = await this.#claims.take(claims, stream, (events[0] as NewEvent).id);
    } catch (error) {
      if (!isStoreError(error, "claimTaken")) throw error;
      // Where the stream stands comes first: an append made before is answered as before, and one that is behind is told so.
      const standing = await this.#standing(stream, expected, events);
      if (standing instanceof StoreError) throw standing;
      if (standing !== undefined) return standing;
      throw error;
    }
    try {
      // Nothing says so but its metadata, and to read that before every stream's first append would cost them all a round trip: it is
      // read where the claims say that the stream was there.
      if (expected === "none" && taken.some(({ again }) => again) && (await this.#isDeleted(stream))) {
        throw new StoreError("gone", `${stream} was deleted from the server`);
      }
      const appended = await this.#write(stream, expected, events, until);
      // The append that was made before has its own hold on them.
      if (appended.repeated) await this.#claims.release(taken);
      return appended;
    } catch (error) {
      // Where it is not known whether it was made, the claims stay: the same command takes them again, and others once their grace is over.
      if (!isStoreError(error, "unavailable")) await this.#claims.release(taken);
      throw error;
    }
  }

  /** What an append would be told that had no claims: its first answer, a conflict, or (undefined) nothing against it. */
  async #standing(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
  ): Promise<Appended | ConflictError | undefined> {
    const last = (await this.#readStream(stream, { backwards: true, limit: 1 }))[0];
    if (meets(expected, last?.revision)) return undefined;
    return (
      (await this.#madeBefore(stream, expected, events)) ??
      new ConflictError(stream, expected, last?.revision)
    );
  }

  /** The answer to these very events where they stand behind that revision already. */
  async #madeBefore(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
  ): Promise<Appended | undefined> {
    if (!isExact(expected)) return undefined;
    const there = await this.#readStream(stream, { from: behind(expected), limit: events.length });
    const end = there.at(-1);
    if (end === undefined || !isSameBatch(there, events)) return undefined;
    return { revision: end.revision, position: end.position, repeated: true };
  }

  /**
   * Writes these events. At an exact revision they are this call's alone: the first is sent under an id that no other call has, so that the
   * server knows only this call's own tries for the same, and any other's, at that very moment too, for a conflict.
   */
  async #write(
    stream: string,
    expected: Expected,
    events: readonly GivenEvent[],
    until?: number,
  ): Promise<Appended> {
    const own = isExact(expected) ? randomUUID() : undefined;
    const wire = events.map((event, at) => {
      const { value } = event;
      return wireOf(event, at === 0 ? own : undefined, value === undefined ? undefined : { value });
    });
    try {
      return await this.#send(stream, expected, wire, until);
    } catch (error) {
      if (!isStoreError(error, "conflict")) throw error;
      const before = await this.#madeBefore(stream, expected, events);
      if (before === undefined) throw error;
      return before;
    }
  }

  /** Sends these very events, again and again until that is answered: at an exact revision, they are written once. */
  async #send(
    stream: string,
    expected: Expected,
    wire: EsdbNewEvent[],
    until = Number.POSITIVE_INFINITY,
  ): Promise<Appended> {
    const exact = isExact(expected);
    const expectedRevision =
      expected === "none" ? "no_stream" : expected === "exists" ? "stream_exists" : expected;
    const appendOnce = (): ReturnType<EsdbClient["appendToStream"]> =>
      this.#once(async (client) => {
        if (this.#clock() > until) {
          throw new StoreError("unavailable", `${stream}: not sent in time, and its claims may be another's`);
        }
        try {
          return await client.appendToStream(stream, wire, {
            expectedRevision,
            requiresLeader: true,
            deadline: this.#callTimeoutMs,
          });
        } catch (error) {
          const fault = faultOf(error);
          if (fault.kind === "conflict") throw new ConflictError(stream, expected, fault.actual);
          throw error;
        }
      });
    const answer = await this.#call(`appending to ${stream}`, exact, appendOnce);
    const revision = answer.nextExpectedRevision;
    if (exact && revision + 1n !== behind(expected) + BigInt(wire.length)) {
      throw new StoreError(
        "gone",
        `${stream} had been deleted, and was begun again: what was to be its first event stands at revision ${revision - BigInt(wire.length - 1)}`,
      );
    }
    const commit =
      answer.position?.commit ??
      commitAt((await this.#readStream(stream, { from: revision, limit: 1 }))[0]?.position ?? "");
    if (!stream.startsWith(claimPrefix) && commit > this.#head) this.#head = commit;
    return { revision, position: String(commit), repeated: false };
  }

  readStream(stream: string, read: StreamRead = {}): Promise<readonly RecordedEvent[]> {
    return this.#tracked(() => this.#readStream(stream, read));
  }

  async #readStream(
    stream: string,
    { from, to, backwards = false, limit = Number.MAX_SAFE_INTEGER }: StreamRead,
  ): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    let next: bigint | undefined = from;
    if (!backwards && from !== undefined && from > lastRevision) return [];
    if (backwards && from !== undefined && from > lastRevision) next = undefined;
    if (limit <= 0) return [];
    for (;;) {
      const fromRevision: bigint | "start" | "end" = next ?? (backwards ? "end" : "start");
      const maxCount = Math.min(limit - events.length, streamPage);
      const page = await this.#read(`reading ${stream}`, (client) =>
        client.readStream(stream, {
          direction: backwards ? "backwards" : "forwards",
          fromRevision,
          maxCount,
          requiresLeader: true,
        }),
      );
      if (page === undefined && (await this.#isDeleted(stream))) {
        throw new StoreError("gone", `${stream} was deleted from the server`);
      }
      for (const resolved of page ?? []) {
        const { event } = resolved;
        if (event === undefined || event.type.startsWith("$")) continue;
        if (backwards ? event.revision < (to ?? 0n) : event.revision > (to ?? lastRevision)) return events;
        if (!backwards && events.length === 0 && (from ?? 0n) === 0n && event.revision > 0n) {
          throw new StoreError(
            "gone",
            `${stream}: what stood before revision ${event.revision} was deleted from the server`,
          );
        }
        events.push(recordedOf(resolved, event));
        if (events.length >= limit) return events;
      }
      const last = page?.at(-1)?.event;
      if (page === undefined || page.length < maxCount || last === undefined) return events;
      if (backwards && last.revision === 0n) return events;
      next = backwards ? last.revision - 1n : last.revision + 1n;
    }
  }

  /** Whether a stream that is not to be seen was there: its metadata says that all of it is cut off. */
  async #isDeleted(stream: string): Promise<boolean> {
    try {
      const page = await this.#read(`reading the metadata of ${stream}`, (client) =>
        client.readStream(`$$${stream}`, {
          direction: "backwards",
          fromRevision: "end",
          maxCount: 1,
          requiresLeader: true,
        }),
      );
      const data = page?.at(0)?.event?.data as { readonly $tb?: unknown } | null | undefined;
      return Number(data?.$tb) >= Number.MAX_SAFE_INTEGER;
    } catch (error) {
      // Who may not read the metadata is told what everybody is told of a stream that is not there.
      if (isStoreError(error, "denied")) return false;
      throw error;
    }
  }

  async #readClaim(stream: string): Promise<readonly ClaimEvent[]> {
    const page = await this.#read(`reading ${stream}`, (client) =>
      client.readStream(stream, {
        direction: "forwards",
        fromRevision: "start",
        maxCount: streamPage,
        requiresLeader: true,
      }),
    );
    return (page ?? []).flatMap((resolved) =>
      resolved.event === undefined
        ? []
        : [{ ...recordedOf(resolved, resolved.event), createdAt: resolved.event.created.getTime() }],
    );
  }

  readAll(read: AllRead = {}): Promise<AllPage> {
    return this.#tracked(() => this.#readAll(read));
  }

  async #readAll({ after, limit = pageSize, prefixes }: AllRead): Promise<AllPage> {
    let checkpoint = after === undefined ? undefined : commitAt(after);
    // Reads begin with the place they are given, so that one more is asked for; and one more, to see whether there is more.
    const considered = prefixes === undefined ? limit : Math.max(limit, pageSize);
    const asked = considered + (checkpoint === undefined ? 0 : 1) + 1;
    const fromPosition = checkpoint === undefined ? "start" : place(checkpoint);
    const page = await this.#read("reading the log", (client) =>
      client.readAll({ direction: "forwards", fromPosition, maxCount: asked, requiresLeader: true }),
    );
    const events: RecordedEvent[] = [];
    let end = (page?.length ?? 0) < asked;
    let count = 0;
    for (const resolved of page ?? []) {
      const commit = commitOf(resolved);
      if (checkpoint !== undefined && commit <= checkpoint) continue;
      if (events.length >= limit || count >= considered) {
        end = false;
        break;
      }
      count += 1;
      checkpoint = commit;
      const { event } = resolved;
      if (event === undefined || isHidden(event)) continue;
      if (commit > this.#head) this.#head = commit;
      if (prefixes === undefined || prefixes.some((prefix) => event.streamId.startsWith(prefix))) {
        events.push(recordedOf(resolved, event));
      }
    }
    return { events, checkpoint: checkpoint === undefined ? undefined : String(checkpoint), end };
  }

  takenClaim(claims: readonly string[], stream: string): Promise<string | undefined> {
    return this.#tracked(() => this.#claims.taken(claims, stream));
  }

  head(): Promise<string | undefined> {
    return this.#tracked(() => this.#visibleHead());
  }

  /** Looks back from the end for an event that is somebody's, as far as one is known. */
  async #visibleHead(): Promise<string | undefined> {
    let from: EsdbPosition | "end" = "end";
    for (let maxCount = 4; ; maxCount = Math.min(maxCount * 4, pageSize)) {
      const fromPosition: EsdbPosition | "end" = from;
      const asked = maxCount;
      const page: readonly EsdbResolvedEvent[] | undefined = await this.#read(
        "reading the log's end",
        (client) =>
          client.readAll({ direction: "backwards", fromPosition, maxCount: asked, requiresLeader: true }),
      );
      for (const resolved of page ?? []) {
        const commit = commitOf(resolved);
        if (commit <= this.#head) return String(this.#head);
        if (resolved.event !== undefined && !isHidden(resolved.event)) {
          this.#head = commit;
          return String(commit);
        }
      }
      const last = page?.at(-1);
      if (last === undefined || (page?.length ?? 0) < asked)
        return this.#head < 0n ? undefined : String(this.#head);
      // Backwards reads leave out the place that they are given, or may not: what is seen twice does no harm.
      from = place(commitOf(last));
    }
  }

  /** The end of the log, whatever stands there; -1 where nothing does. */
  async #end(): Promise<bigint> {
    const page = await this.#read("reading the log's end", (client) =>
      client.readAll({ direction: "backwards", fromPosition: "end", maxCount: 1, requiresLeader: true }),
    );
    const last = page?.at(0);
    return last === undefined ? -1n : commitOf(last);
  }

  // --- calls ---

  #open(): void {
    if (this.#closing !== undefined) throw new StoreError("closed", `${this.place} is closed`);
  }

  /** Counts a piece of work among those that closing waits for. */
  #tracked<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.#open();
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const working = work();
    this.#underWay.add(working);
    const over = (): void => void this.#underWay.delete(working);
    working.then(over, over);
    return working;
  }

  /** Tries, and tries again what is safe to repeat, until it is answered or given up. */
  async #call<T>(what: string, again: boolean, once: () => Promise<T>): Promise<T> {
    const began = performance.now();
    let led = false;
    for (let pause = 25; ; pause = Math.min(pause * 2, longestPauseMs)) {
      try {
        const answer = await once();
        this.#trouble = undefined;
        this.#heard = true;
        return answer;
      } catch (error) {
        if (isStoreError(error)) throw error;
        const fault = faultOf(error);
        if (fault.kind === "notLeader" && !led) {
          // The client has been told where the leader is.
          led = true;
          continue;
        }
        const failed = this.#failed(what, fault, error);
        if (failed.code === "unavailable") this.#trouble = failed.message;
        const lasting =
          fault.kind !== "notLeader" && (fault.kind !== "unavailable" || fault.lasting === true);
        // Whoever was never there is not waited for as long as one that has gone away.
        const patience = this.#heard ? this.#giveUpMs : this.#giveUpMs / 4;
        if (!again || lasting || performance.now() + pause - began > patience) throw failed;
      }
      // With some chance, so that those who failed together do not march in step.
      await delay(pause * (0.5 + Math.random()), undefined, { ref: true });
    }
  }

  #failed(what: string, fault: Fault, error: unknown): StoreError {
    const code =
      fault.kind === "refused"
        ? fault.code
        : fault.kind === "missing"
          ? "notAStore"
          : fault.kind === "conflict"
            ? "conflict"
            : "unavailable";
    const words = error instanceof Error && error.message !== "" ? error.message : wordsFor(code);
    return new StoreError(code, `${this.place}: ${what}: ${words}`, { cause: error });
  }

  /** One call with its own timer: the client has none that always fires. A client that is silent or cut off is thrown away. */
  #once<T>(work: (client: EsdbClient) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#left) throw new StoreError("closed", `${this.place} is closed`);
      let client: EsdbClient | undefined;
      let isOver = false;
      const over = (): void => {
        isOver = true;
        clearTimeout(timer);
        unwatch();
      };
      const fail = (error: unknown): void => {
        if (isOver) return;
        over();
        this.#blame(client, error);
        reject(error as Error);
      };
      const begin = (made: EsdbClient): void => {
        client = made;
        work(made).then((value) => {
          over();
          resolve(value);
        }, fail);
      };
      const timer = setTimeout(
        () => fail(new Unheard(`no answer within ${this.#callTimeoutMs} ms`)),
        this.#callTimeoutMs,
      );
      const unwatch = this.#connection.watch(fail);
      const { ready } = this.#connection;
      if (ready === undefined) this.#connection.client().then(begin, fail);
      else begin(ready);
    });
  }

  #blame(client: EsdbClient | undefined, error: unknown): void {
    if (isStoreError(error)) return;
    const fault = faultOf(error);
    if (fault.kind === "unavailable" && fault.broken) {
      this.#connection.retire(client, new Unheard(messageOf(error)));
    }
  }

  #timed<T>(work: (fail: (error: Error) => void, alive: () => void) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Unheard(`no answer within ${this.#callTimeoutMs} ms`)),
        this.#callTimeoutMs,
      );
      const over = (): void => clearTimeout(timer);
      const fail = (error: Error): void => {
        over();
        reject(error);
      };
      work(fail, () => void timer.refresh()).then(
        (value) => {
          over();
          resolve(value);
        },
        (error: unknown) => {
          over();
          reject(error);
        },
      );
    });
  }

  /** A page of events; undefined where the stream does not exist. The call is always ended, also where it is left early. */
  async #read(
    what: string,
    start: (client: EsdbClient) => EsdbRead,
  ): Promise<readonly EsdbResolvedEvent[] | undefined> {
    await this.#reads.enter();
    try {
      return await this.#call(what, true, () => this.#readOnce(start));
    } finally {
      this.#reads.leave();
    }
  }

  async #readOnce(
    start: (client: EsdbClient) => EsdbRead,
  ): Promise<readonly EsdbResolvedEvent[] | undefined> {
    const client = await this.#once(async (made) => made);
    let read: EsdbRead | undefined;
    try {
      return await this.#timed(
        (fail, alive) =>
          new Promise<readonly EsdbResolvedEvent[] | undefined>((resolve, reject) => {
            const page: EsdbResolvedEvent[] = [];
            const stop = this.#connection.watch(fail);
            read = start(client);
            read.on("data", (resolved) => {
              alive();
              page.push(resolved);
            });
            read.on("end", () => {
              stop();
              resolve(page);
            });
            // Stays there when all is over: an error that nobody listens to ends the process.
            read.on("error", (error) => {
              stop();
              if (faultOf(error).kind === "missing") resolve(undefined);
              else reject(error);
            });
          }),
      );
    } catch (error) {
      this.#blame(client, error);
      throw error;
    } finally {
      read?.cancel().catch(() => undefined);
    }
  }

  // --- subscriptions ---

  subscribe(options: SubscribeOptions = {}): AsyncIterable<Message> {
    this.#open();
    return this.#oneByOne(options);
  }

  subscribeInBulk(options: SubscribeOptions = {}): AsyncIterable<readonly Message[]> {
    this.#open();
    return this.#follow(options);
  }

  async *#oneByOne(options: SubscribeOptions): AsyncGenerator<Message, void, void> {
    for await (const messages of this.#follow(options)) {
      for (const message of messages) {
        yield message.kind === "event" ? { kind: "event", event: message.event } : message;
        if (options.signal?.aborted === true || this.#left) return;
      }
    }
  }

  /** Subscribes again and again, from the last place it gave, until it is told to stop. */
  async *#follow({
    after,
    prefixes,
    signal,
  }: SubscribeOptions): AsyncGenerator<readonly Message[], void, void> {
    this.#open();
    let last = after === undefined ? -1n : commitAt(after);
    if (this.#stops.size >= mostSubscriptions) {
      throw new StoreError(
        "unavailable",
        `${this.place}: at most ${mostSubscriptions} subscriptions at once`,
      );
    }
    const stop = new Stop(signal);
    this.#stops.add(stop);
    let live = false;
    let pause = 25;
    try {
      while (!stop.ended) {
        try {
          for await (const messages of this.#subscription(last, prefixes, stop)) {
            pause = 25;
            // Each subscription begins behind what the one before it gave, and says anew that it is live.
            const added = live ? messages.filter(({ kind }) => kind !== "live") : messages;
            for (const message of added) {
              if (message.kind === "live") live = true;
              else last = commitAt(message.kind === "event" ? message.event.position : message.checkpoint);
            }
            if (added.length > 0) yield added;
            if (stop.ended) return;
          }
        } catch (error) {
          if (stop.ended) return;
          if (isStoreError(error) && error.code !== "unavailable") throw error;
          this.#deafness = messageOf(error);
        }
        if (!stop.ended) await stop.within(pause * (0.5 + Math.random()));
        pause = Math.min(pause * 2, longestPauseMs * 5);
      }
    } finally {
      stop.done();
      this.#stops.delete(stop);
    }
  }

  /** One subscription, until it breaks: events, checkpoints behind them, and `live` when it has all that stood there as it began. */
  async *#subscription(
    after: bigint,
    prefixes: readonly string[] | undefined,
    stop: Stop,
  ): AsyncGenerator<readonly Message[], void, void> {
    const what = "subscribing";
    const target = await this.#end();
    const client = await this.#once(async (made) => made);
    if (stop.ended) return;
    let queue: Message[] = [];
    let wake: (() => void) | undefined;
    let failure: Error | undefined;
    let live = false;
    /** A checkpoint that is known before all events in front of it have come out of the client's own queue. */
    let early: { readonly commit: bigint; behind: number } | undefined;
    let last = after;
    const rouse = (): void => {
      wake?.();
      wake = undefined;
    };
    const reach = (commit: bigint): void => {
      if (commit > last) last = commit;
      if (live || last < target) return;
      live = true;
      queue.push({ kind: "live" });
    };
    const checkpointAt = (commit: bigint): void => {
      if (commit > last) queue.push({ kind: "checkpoint", checkpoint: String(commit) });
      reach(commit);
      rouse();
    };
    const soon = (commit: bigint): void => {
      if (subscription.readableLength === 0) return checkpointAt(commit);
      const furthest = early === undefined || early.commit < commit ? commit : early.commit;
      early = { commit: furthest, behind: subscription.readableLength };
    };
    const filter = {
      filterOn: "streamName" as const,
      checkpointInterval: 32,
      checkpointReached: (_: unknown, { commit }: EsdbPosition): void => soon(commit),
      ...(prefixes === undefined ? { regex: visibleStreams } : { prefixes: [...prefixes] }),
    };
    if (prefixes?.length === 0) {
      // No prefix lets anything through: there is nothing to subscribe to.
      if (target > after) yield [{ kind: "checkpoint", checkpoint: String(target) }];
      yield [{ kind: "live" }];
      await stop.within(this.#quietMs);
      return;
    }
    reach(after);
    const subscription = client.subscribeToAll({ fromPosition: after < 0n ? "start" : place(after), filter });
    takeTexts(subscription);
    const fail = (error: Error): void => {
      failure ??= error;
      rouse();
    };
    subscription.on("data", (resolved) => {
      const { event } = resolved;
      const commit = commitOf(resolved);
      if (event !== undefined && !isHidden(event) && commit > last) {
        queue.push({ kind: "event", event: recordedOf(resolved, event) });
        if (commit > this.#head) this.#head = commit;
      }
      reach(commit);
      if (early !== undefined) {
        early.behind -= 1;
        if (early.behind <= 0) {
          const { commit: reached } = early;
          early = undefined;
          checkpointAt(reached);
        }
      }
      if (queue.length >= mostQueued) subscription.pause();
      rouse();
    });
    // All that stood there as it began has been sent, also where no event or checkpoint says so.
    subscription.on("caughtUp", () => soon(target));
    subscription.on("confirmation", () => {
      this.#deafness = undefined;
    });
    subscription.on("error", fail);
    subscription.on("end", () => fail(new Unheard("the subscription ended")));
    subscription.on("close", () => fail(new Unheard("the subscription ended")));
    const unwatch = this.#connection.watch(fail);
    const unhook = stop.whenEnded(rouse);
    let watched = last;
    try {
      for (;;) {
        if (stop.ended) return;
        if (queue.length > 0) {
          const messages = queue;
          queue = [];
          yield messages;
          continue;
        }
        if (failure !== undefined) throw failure;
        subscription.resume();
        let quiet: NodeJS.Timeout | undefined;
        const timedOut = await new Promise<boolean>((resolve) => {
          if (queue.length > 0 || failure !== undefined) return resolve(false);
          quiet = setTimeout(() => resolve(true), this.#quietMs);
          wake = () => resolve(false);
        });
        clearTimeout(quiet);
        wake = undefined;
        if (!timedOut) {
          // What comes in the same turn is handed on together.
          await nextTurn();
          continue;
        }
        // Nothing was heard for long: where the log has gone on, and twice in a row nothing came of it, the subscription is dead.
        const end = await this.#end();
        if (end > last && watched === last) throw new Unheard("the subscription fell silent");
        watched = last;
      }
    } catch (error) {
      if (isStoreError(error)) throw error;
      // Whether the client is of any more use is found out by the look at the log's end that comes next.
      throw this.#failed(what, faultOf(error), error);
    } finally {
      unhook();
      unwatch();
      subscription.unsubscribe().catch(() => undefined);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drainAndLeave();
    return this.#closing;
  }

  async #drainAndLeave(): Promise<void> {
    // `dispose` cancels what is under way; each of these has a timer of its own.
    await Promise.allSettled(this.#underWay);
    this.#left = true;
    for (const stop of this.#stops) stop.end();
    await this.#connection.leave();
  }
}

function isExact(expected: Expected): expected is bigint | "none" {
  return expected === "none" || typeof expected === "bigint";
}

/** The revision that the first event of an append has. */
function behind(expected: bigint | "none"): bigint {
  return expected === "none" ? 0n : expected + 1n;
}

function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function wordsFor(code: StoreErrorCode): string {
  return code === "denied" ? "access denied" : code === "gone" ? "the stream was deleted" : code;
}

/** When a subscription is to end: its signal says so, or its store is closed. */
class Stop {
  readonly #signal: AbortSignal | undefined;
  readonly #listeners = new Set<() => void>();
  ended = false;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted === true) this.ended = true;
    signal?.addEventListener("abort", this.end, { once: true });
  }

  readonly end = (): void => {
    this.ended = true;
    for (const listener of this.#listeners) listener();
  };

  /** @returns what undoes it. */
  whenEnded(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits so long, or until it is ended. */
  async within(ms: number): Promise<void> {
    if (this.ended) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      const undo = this.whenEnded(() => {
        clearTimeout(timer);
        undo();
        resolve();
      });
      timer.unref();
    });
  }

  done(): void {
    this.#signal?.removeEventListener("abort", this.end);
  }
}
