// The store of tests and first steps: events in arrays of this process, checked and appended in one synchronous tick.

import { limits } from "../domain/limits.ts";
import {
  type AllPage,
  type AllRead,
  type AppendOptions,
  type Appended,
  ClaimTakenError,
  ConflictError,
  type EventStore,
  type Expected,
  type LocalReads,
  type Message,
  type NewEvent,
  type RecordedEvent,
  StoreError,
  type StreamRead,
  type StreamsPage,
  type StreamsRead,
  type SubscribeOptions,
  type TransactionHook,
  checkAppend,
  checkGiven,
  countOf,
  isSameBatch,
  meets,
} from "./port.ts";
import { type Feed, follow } from "./subscription.ts";

export interface MemoryStoreOptions {
  readonly maxEventBytes?: number | undefined;
}

export interface MemoryStore extends EventStore {
  readonly local: LocalReads;
  setTransactionHook(hook: TransactionHook): void;
}

/** A store that lives and ends with this process. */
export function openMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new MemoryEventStore(options.maxEventBytes ?? limits.eventBytes);
}

/** Nobody else writes here, so a subscription need not look again by itself. */
const neverPollMs = 2 ** 31 - 1;

class MemoryEventStore implements MemoryStore {
  readonly kind = "memory";
  readonly local: LocalReads = {
    epoch: () => {
      this.#open();
      return 0;
    },
    readStream: (stream, read) => this.#readStream(stream, read),
    readAll: (read) => this.#readAll(read),
    head: () => this.#head(),
    revision: (stream) => {
      this.#open();
      return this.#streams.get(stream)?.at(-1)?.revision;
    },
    streams: (read) => this.#wholeStreams(read),
  };

  readonly #maxEventBytes: number;
  readonly #all: RecordedEvent[] = [];
  readonly #streams = new Map<string, RecordedEvent[]>();
  readonly #names: string[] = [];
  readonly #claims = new Map<string, string>();
  /** By stream, the answer to the append that made its last event. */
  readonly #last = new Map<string, Promise<Appended>>();
  readonly #feeds = new Set<Feed>();
  #hook: TransactionHook | undefined;
  #closed = false;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  setTransactionHook(hook: TransactionHook): void {
    this.#hook = hook;
  }

  append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options: AppendOptions = {},
  ): Promise<Appended> {
    try {
      const appended = this.#append(stream, expected, events, options);
      const answer = Promise.resolve(appended);
      if (!appended.repeated) this.#last.set(stream, answer);
      return answer;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #append(stream: string, expected: Expected, events: readonly NewEvent[], options: AppendOptions): Appended {
    this.#open();
    checkAppend(stream, expected, events, options.claims, this.#maxEventBytes);
    const known = this.#streams.get(stream) ?? [];
    const actual = known.at(-1)?.revision;
    if (!meets(expected, actual)) {
      const repeated =
        expected === "any" || expected === "exists" ? undefined : behind(known, expected, events);
      if (repeated === undefined) throw new ConflictError(stream, expected, actual);
      return { revision: repeated.revision, position: repeated.position, repeated: true };
    }
    if (options.follows !== undefined && this.#last.get(stream) !== options.follows) {
      throw new ConflictError(stream, expected, actual);
    }
    const taken = this.#takenClaim(options.claims ?? [], stream);
    if (taken !== undefined) throw new ClaimTakenError(taken);
    const first = this.#all.length;
    const recorded = events.map(({ id, type, data, meta }, index) =>
      Object.freeze({
        stream,
        revision: BigInt(known.length + index),
        position: String(first + index + 1),
        id,
        type,
        data,
        meta,
      }),
    );
    const last = recorded.at(-1) as RecordedEvent;
    this.#hook?.(
      [
        {
          stream,
          after: first === 0 ? undefined : String(first),
          firstRevision: BigInt(known.length),
          lastPosition: last.position,
          context: options.context,
        },
      ],
      0,
    );
    if (known.length === 0) {
      this.#streams.set(stream, known);
      this.#names.push(stream);
    }
    known.push(...recorded);
    this.#all.push(...recorded);
    for (const claim of options.claims ?? []) this.#claims.set(claim, stream);
    for (const feed of this.#feeds) feed.wake();
    return { revision: last.revision, position: last.position, repeated: false };
  }

  async readStream(stream: string, read?: StreamRead): Promise<readonly RecordedEvent[]> {
    return this.#readStream(stream, read);
  }

  async readAll(read?: AllRead): Promise<AllPage> {
    return this.#readAll(read);
  }

  #readAll({ after, limit = 1_000, prefixes }: AllRead = {}): AllPage {
    this.#open();
    const events: RecordedEvent[] = [];
    let at = countOf(after);
    if (at > this.#all.length) checkGiven(after, this.#head());
    while (at < this.#all.length && events.length < limit) {
      const event = this.#all[at] as RecordedEvent;
      if (prefixes === undefined || prefixes.some((prefix) => event.stream.startsWith(prefix))) {
        events.push(event);
      }
      at += 1;
    }
    return { events, checkpoint: at === 0 ? undefined : String(at), end: at >= this.#all.length };
  }

  async takenClaim(claims: readonly string[], stream: string): Promise<string | undefined> {
    this.#open();
    return this.#takenClaim(claims, stream);
  }

  #takenClaim(claims: readonly string[], stream: string): string | undefined {
    return claims.find((claim) => (this.#claims.get(claim) ?? stream) !== stream);
  }

  async head(): Promise<string | undefined> {
    return this.#head();
  }

  #head(): string | undefined {
    this.#open();
    return this.#all.at(-1)?.position;
  }

  subscribe(options: SubscribeOptions = {}): AsyncIterable<Message> {
    this.#open();
    return follow(this, options, this.#feeds, neverPollMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const feed of this.#feeds) feed.end();
  }

  #open(): void {
    if (this.#closed) throw new StoreError("closed", "the memory store is closed");
  }

  #readStream(stream: string, { from, to, backwards, limit }: StreamRead = {}): readonly RecordedEvent[] {
    this.#open();
    const known = this.#streams.get(stream) ?? [];
    const low = (backwards === true ? to : from) ?? 0n;
    const high = (backwards === true ? from : to) ?? BigInt(known.length);
    const wanted = known.filter(({ revision }) => revision >= low && revision <= high);
    if (backwards === true) wanted.reverse();
    return wanted.slice(0, limit);
  }

  #wholeStreams(read: StreamsRead): StreamsPage {
    this.#open();
    const { after = 0, limit, upTo, types, dataOf, headOf, lean, share } = read;
    const last = upTo === undefined ? Number.MAX_SAFE_INTEGER : countOf(upTo);
    const next = Math.min(after + limit, this.#names.length);
    const streams = [];
    for (let number = after; number < next; number += 1) {
      if (share !== undefined && number % share.of !== share.index) continue;
      const stream = this.#names[number] as string;
      const events = (this.#streams.get(stream) as RecordedEvent[])
        .filter(({ position }) => Number(position) <= last)
        .filter(({ type }) => types === undefined || types.includes(type))
        .map((event) => ({
          ...event,
          ...(lean === undefined ? {} : { id: "", position: "" }),
          data: headOrData(event, headOf?.[event.type], dataOf),
          meta: metaOf(event.meta, lean),
        }));
      if (events.length > 0) streams.push({ stream, events });
    }
    return { streams, next, end: next >= this.#names.length, total: this.#names.length };
  }
}

/** The last event of a batch that stands right behind the expected revision already. */
function behind(
  known: readonly RecordedEvent[],
  expected: bigint | "none",
  events: readonly NewEvent[],
): RecordedEvent | undefined {
  const first = expected === "none" ? 0 : Number(expected) + 1;
  const recorded = known.slice(first, first + events.length);
  return isSameBatch(recorded, events) ? recorded.at(-1) : undefined;
}

function headOrData(
  { type, data }: RecordedEvent,
  before: string | undefined,
  dataOf: readonly string[] | undefined,
): string {
  if (before !== undefined) return `${data.slice(0, data.indexOf(`,"${before}":`))}}`;
  return dataOf === undefined || dataOf.includes(type) ? data : "";
}

function metaOf(meta: string, lean: StreamsRead["lean"]): string {
  if (lean === undefined) return meta;
  return lean === "timeless" && meta.startsWith('{"v":1,') ? "" : meta.slice(0, 32);
}
