// The event-store port: what every store promises, in words, and the errors by which it says that it could not.
//
// The promises, which one contract suite tests on every store:
// - A stream is an ordered list of events with revisions 0, 1, 2 ... without holes. A missing stream reads as empty.
// - append is atomic: all of its events or none, next to each other in the stream and in the global order. When it answers, the
//   events are as durable as the store makes anything.
// - Of several appends that expect the same revision, at most one writes.
// - An append repeated with the same ids at the same expected revision writes nothing and answers as the first time, also after
//   others have appended behind it; a partly repeated batch is a conflict and writes nothing.
// - A claim is held by at most one stream, for ever; an append that claims what another stream holds writes nothing.
// - readAll gives events in commit order: an event, once passed, is never followed by one that was committed before it.
// - data and meta come back byte for byte as they were given; what no store could give back so (a NUL character, half a surrogate
//   pair) is refused as `invalid`. What is returned can be kept or changed without any effect.

/** `none`: the stream must not exist; `exists`: it must; `any`: no check (never for commands); a revision: its last one. */
export type Expected = bigint | "none" | "exists" | "any";

/** An event as it is given to a store: a UUID of the caller's, and canonical JSON texts. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly meta: string;
}

/** An event as it stands in a store. `position` is opaque: compare it with `isAfter`, never add to it. */
export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: string;
}

export interface AppendOptions {
  /** Names that at most one stream may hold, such as `payment:<payId>`. */
  readonly claims?: readonly string[] | undefined;
  /**
   * The answer to come of an append to the same stream that this one was decided on, not yet committed. Where that append was not made
   * here and now, this one is a conflict, whatever stands at the expected revision: another writer's event may, or this very event as
   * another writer made it, behind events of its own. Only stores that answer `local` are given it.
   */
  readonly follows?: Promise<Appended> | undefined;
  /**
   * What each event's data says, where the caller has it: `data` is then its `JSON.stringify`, and nobody changes it. It spares a store
   * that sends objects the reading of those texts.
   */
  readonly values?: readonly unknown[] | undefined;
  /** Aborted while the append still waits for its turn: it is not made, and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Handed to the transaction hook beside the recorded events; the store does not look at it. */
  readonly context?: unknown;
}

export interface Appended {
  /** Revision of the last event of the append. */
  readonly revision: bigint;
  /** Position of the last event of the append. */
  readonly position: string;
  /** Nothing was written now: these very events stood there already. Of several calls with the same events, one is told that it wrote. */
  readonly repeated: boolean;
}

export interface StreamRead {
  /** First revision to read (inclusive); from the end when reading backwards. */
  readonly from?: bigint | undefined;
  /** Last revision to read (inclusive). */
  readonly to?: bigint | undefined;
  readonly backwards?: boolean | undefined;
  readonly limit?: number | undefined;
}

export interface AllRead {
  /** Exclusive; from the beginning without it. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
  /** Only streams whose names begin with one of these. */
  readonly prefixes?: readonly string[] | undefined;
}

export interface AllPage {
  readonly events: readonly RecordedEvent[];
  /** Where to go on: everything up to here was considered, also what the prefixes left out. Undefined in an empty store. */
  readonly checkpoint: string | undefined;
  /** Whether the store's end was reached. */
  readonly end: boolean;
}

export interface SubscribeOptions {
  readonly after?: string | undefined;
  readonly prefixes?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a subscription yields: events at least once and in commit order, checkpoints, and one `live` when it has caught up. */
export type Message =
  | { readonly kind: "event"; readonly event: RecordedEvent }
  | { readonly kind: "checkpoint"; readonly checkpoint: string }
  | { readonly kind: "live" };

export interface EventStore {
  /** The kind of store, as in its URL: `memory`, `sqlite`, `esdb`. */
  readonly kind: string;
  append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<Appended>;
  readStream(stream: string, read?: StreamRead): Promise<readonly RecordedEvent[]>;
  readAll(read?: AllRead): Promise<AllPage>;
  /** The first of these claims that another stream holds now: one for which an append to this stream would be refused. */
  takenClaim(claims: readonly string[], stream: string): Promise<string | undefined>;
  /** Position of the newest event; undefined in an empty store. */
  head(): Promise<string | undefined>;
  subscribe(options?: SubscribeOptions): AsyncIterable<Message>;
  /** Waits for appends in flight, then closes. */
  close(): Promise<void>;
  /** Reads that answer at once, in stores that live in or beside this process. */
  readonly local?: LocalReads;
  /**
   * Sets what runs inside every append's transaction, and what is told when such a transaction did not come to be after all; absent in
   * a store without transactions of its own process.
   */
  setTransactionHook?(hook: TransactionHook, undone?: () => void): void;
}

export interface LocalReads {
  /** As long as this number stays the same, no other process has written. */
  epoch(): number;
  readStream(stream: string, read?: StreamRead): readonly RecordedEvent[];
  readAll(read?: AllRead): AllPage;
  /** Position of the newest event; undefined in an empty store. */
  head(): string | undefined;
  /** Revision of the stream's last event; undefined for a missing stream. */
  revision(stream: string): bigint | undefined;
  /** Whole streams, in the order of their creation, for what folds each stream on its own. */
  streams(read: StreamsRead): StreamsPage;
}

export interface StreamsRead {
  /** Exclusive: the `next` of the page before. */
  readonly after?: number | undefined;
  /** How many streams to look at. */
  readonly limit: number;
  /** Leave out what was committed after this position. */
  readonly upTo?: string | undefined;
  /** Only events of these types; all without it. */
  readonly types?: readonly string[] | undefined;
  /** Of which types the data is needed; the others' comes back empty. All without it. */
  readonly dataOf?: readonly string[] | undefined;
  /** Of which types only the data before a field is needed; what comes is the object of those fields. */
  readonly headOf?: Readonly<Record<string, string>> | undefined;
  /**
   * Leaves out ids and positions, and of the metadata all but its beginning (32 characters), where its canonical form has version and
   * instant (`time`), or that too where the version is 1 (`timeless`).
   */
  readonly lean?: "time" | "timeless" | undefined;
  /** Only streams whose number is `index` modulo `of`, for workers that share the work. */
  readonly share?: { readonly index: number; readonly of: number } | undefined;
}

export interface StreamsPage {
  readonly streams: readonly { readonly stream: string; readonly events: readonly RecordedEvent[] }[];
  readonly next: number;
  readonly end: boolean;
  /** How many streams there are: `next` comes to it. */
  readonly total: number;
}

/** One append inside its transaction, as the hook sees it just before the commit. */
export interface InTransaction {
  readonly stream: string;
  /** Position of the event before this append in the global order; undefined for the first of all. */
  readonly after: string | undefined;
  readonly firstRevision: bigint;
  readonly lastPosition: string;
  readonly context: unknown;
}

/** Runs inside the appends' transaction, with the store's epoch in it: what it throws undoes them. */
export type TransactionHook = (appended: readonly InTransaction[], epoch: number) => void;

/** Whether position `a` lies after position `b` of the same store (undefined: before everything). */
export function isAfter(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined) return false;
  if (b === undefined) return true;
  return a.length === b.length ? a > b : a.length > b.length;
}

export type StoreErrorCode =
  | "conflict" // the stream is not at the expected revision
  | "claimTaken" // another stream holds a claim
  | "invalid" // the append itself is wrong: a bad name, id, or no events
  | "tooLarge" // an event over the limit
  | "gone" // the stream was deleted
  | "denied" // no rights, or opened read-only
  | "full" // no space left
  | "corrupt" // what is stored cannot be read
  | "notAStore" // the file or server is something else
  | "newer" // written by a newer version of this package
  | "unavailable" // could not be reached in time; whether it happened is not known
  | "closed"; // used after close

/** What a store throws. Known by its `code`, so that two copies of the package still agree. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }
}

/** The stream stands elsewhere than was expected. */
export class ConflictError extends StoreError {
  readonly expected: Expected;
  /** Undefined: there is no such stream. */
  readonly actual: bigint | undefined;

  constructor(stream: string, expected: Expected, actual: bigint | undefined) {
    super("conflict", `${stream}: expected ${expected}, is at ${actual === undefined ? "none" : actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

export class ClaimTakenError extends StoreError {
  readonly claim: string;
  /** The stream that holds it, perhaps only for an append under way; undefined: its append was made. */
  readonly holder: string | undefined;

  constructor(claim: string, holder?: string) {
    super("claimTaken", `${claim} is held by another stream`);
    this.claim = claim;
    this.holder = holder;
  }
}

export function isStoreError(error: unknown, code?: StoreErrorCode): error is StoreError {
  return (
    error instanceof Error &&
    error.name === "StoreError" &&
    (code === undefined || (error as Partial<StoreError>).code === code)
  );
}

/** What was thrown, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Refuses an append that no store may take, before anything is touched.
 * @throws StoreError `invalid` or `tooLarge`.
 */
export function checkAppend(
  stream: string,
  expected: Expected,
  events: readonly NewEvent[],
  claims: readonly string[] | undefined,
  maxEventBytes: number,
): void {
  if (stream === "" || stream.startsWith("$")) {
    throw new StoreError("invalid", `stream name ${JSON.stringify(stream)} is empty or begins with $`);
  }
  if (!isStorable(stream)) throw unstorable("stream name", stream);
  for (const claim of claims ?? []) if (!isStorable(claim)) throw unstorable("claim", claim);
  if (typeof expected === "bigint" && expected < 0n) {
    throw new StoreError("invalid", `expected revision ${expected} is negative`);
  }
  if (events.length === 0) throw new StoreError("invalid", `${stream}: an append without events`);
  for (const { id, type, data, meta } of events) {
    if (!uuid.test(id)) {
      throw new StoreError("invalid", `${stream}: event id ${JSON.stringify(id)} is no UUID`);
    }
    if (type === "" || type.startsWith("$")) {
      throw new StoreError(
        "invalid",
        `${stream}: event type ${JSON.stringify(type)} is empty or begins with $`,
      );
    }
    for (const text of [type, data, meta]) {
      if (!isStorable(text))
        throw unstorable(`text in a ${JSON.stringify(type)} of ${JSON.stringify(stream)}`);
    }
    const units = data.length + meta.length;
    // Three bytes a UTF-16 unit is the most that UTF-8 takes.
    if (units * 3 > maxEventBytes) {
      const bytes = Buffer.byteLength(data) + Buffer.byteLength(meta);
      if (bytes > maxEventBytes) {
        throw new StoreError("tooLarge", `${stream}: a ${type} of ${bytes} bytes, at most ${maxEventBytes}`);
      }
    }
  }
}

/** Databases end a text at NUL, and UTF-8 has nothing for half a surrogate pair. JSON texts hold neither, but escaped. */
function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function unstorable(what: string, text?: string): StoreError {
  const name = text === undefined ? what : `${what} ${JSON.stringify(text)}`;
  return new StoreError("invalid", `${name} holds a NUL character or half a surrogate pair`);
}

/**
 * A position of a store that counts its events (undefined: 0, before everything).
 * @throws StoreError `invalid` for what such a store never gave out.
 */
export function countOf(position: string | undefined): number {
  if (position === undefined) return 0;
  if (!/^[1-9][0-9]{0,14}$/.test(position)) {
    throw new StoreError("invalid", `${JSON.stringify(position)} is no position of this store`);
  }
  return Number(position);
}

/**
 * Looks whether a position behind which nothing was found is one of a store with this head: a file that was put back from a copy may have
 * less than it once had, and whoever went on from there would be told of nothing.
 * @throws StoreError `invalid` where it is beyond the head.
 */
export function checkGiven(position: string | undefined, head: string | undefined): void {
  if (countOf(position) <= countOf(head)) return;
  throw new StoreError(
    "invalid",
    `position ${position} is beyond the end of this store, ${head ?? "which is empty"}`,
  );
}

/** Whether a stream at this revision (undefined: none) is where an append expects it. */
export function meets(expected: Expected, actual: bigint | undefined): boolean {
  if (expected === "any") return true;
  if (expected === "none") return actual === undefined;
  if (expected === "exists") return actual !== undefined;
  return actual === expected;
}

/** Whether a recorded run of events is the very batch that is being appended. */
export function isSameBatch(
  recorded: readonly { readonly id: string }[],
  events: readonly NewEvent[],
): boolean {
  return recorded.length === events.length && recorded.every((one, index) => one.id === events[index]?.id);
}
