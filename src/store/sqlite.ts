// The embedded store: one SQLite file, WAL with full sync, where appends in flight at the same time share one commit.

import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { limits } from "../domain/limits.ts";
import { type Database, closeDatabase, isBusy, openDatabase, rollBack, storeError } from "./database.ts";
import {
  type AllPage,
  type AllRead,
  type AppendOptions,
  type Appended,
  ClaimTakenError,
  ConflictError,
  type EventStore,
  type Expected,
  type InTransaction,
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

/** Marks the file as ours ("afts"); SQLite keeps it in the header. */
const applicationId = 0x61667473;

/** Marks a file that keeps a copy of a server's events ("aftm"), to which only its keeper writes. */
const copyId = 0x6166746d;

/** The version of the tables below; a file of a later one is refused. */
const schemaVersion = 1;

/** The events table and what stands around it. Rowid tables and TEXT on purpose: measured twice as fast as the alternatives. */
export const schema = `
CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE types (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  stream_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  type_id INTEGER NOT NULL,
  id TEXT NOT NULL,
  meta TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE UNIQUE INDEX events_of_stream ON events (stream_id, revision);
CREATE TABLE claims (name TEXT PRIMARY KEY, stream_id INTEGER NOT NULL) WITHOUT ROWID;
`;

export interface SqliteStoreOptions {
  /** Opens the file for reading only: appends are refused as `denied`. */
  readonly readOnly?: boolean | undefined;
  /** The file is a copy of a server's events, which is written by its keeper alone, and never by `append`. */
  readonly copy?: boolean | undefined;
  /** How long to try for the file's write lock, in milliseconds, before an append fails as `unavailable`. */
  readonly lockTimeoutMs?: number | undefined;
  /** The most bytes of one event's data and metadata. */
  readonly maxEventBytes?: number | undefined;
  /** How often to look for other processes' events while subscribed, in milliseconds. */
  readonly pollMs?: number | undefined;
}

/** The most appends that share one transaction. */
const batchSize = 1_024;

/** Streams whose number and last revision are remembered. */
const rememberedStreams = 50_000;

const wholeStream: StreamRead = {};

const defaultLockTimeoutMs = 30_000;
const defaultPollMs = 100;
const pageSize = 1_000;

interface Pending {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly NewEvent[];
  readonly options: AppendOptions;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
  /** What `append` gave to its caller. */
  answer: Promise<Appended> | undefined;
}

/** What is known of a stream: its number, and its last revision (-1: none yet) as it stood in an epoch of the file. */
interface Head {
  readonly id: number;
  revision: number;
  epoch: number;
  /** The answer to the append that made the last revision, where it was made here. */
  last: Promise<Appended> | undefined;
}

/** A row of a scan, in the order of its columns; the last two stand only in one that is not lean. */
type ScannedRow = readonly [
  streamId: number,
  revision: number,
  typeId: number,
  data: string,
  meta: string,
  position?: number,
  id?: string,
];

interface Row {
  readonly position: number;
  readonly name: string;
  readonly revision: number;
  readonly type_id: number;
  readonly id: string;
  readonly meta: string;
  readonly data: string;
}

interface StreamRow extends Row {
  readonly stream_id: number;
}

export interface SqliteStore extends EventStore {
  readonly local: LocalReads;
  /** The connection, for views that live in the same file and transactions. */
  readonly database: Database;
  /**
   * Runs a synchronous function in a write transaction of its own, waiting for the lock without blocking. Not for events: what it wrote
   * is on disk only with the next append's commit.
   */
  write<T>(work: () => T): Promise<T>;
  setTransactionHook(hook: TransactionHook, undone?: () => void): void;
}

/**
 * Opens, and if need be creates, a store in a file.
 * @throws StoreError `notAStore` (no SQLite file, or another program's), `newer`, `denied` (read-only), `unavailable`, `full`.
 */
export async function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Promise<SqliteStore> {
  // SQLite reads names like `:memory:` and `file:a?mode=memory` in its own way; a whole path is only ever a file. Only what can be made
  // anew may live in memory.
  const file = options.copy === true && path === ":memory:" ? path : resolve(path);
  const database = openDatabase(file, { readOnly: options.readOnly === true });
  try {
    await prepareFile(database, path, options);
    return new SqliteEventStore(database, path, options);
  } catch (error) {
    database.close();
    throw storeError(error, path);
  }
}

async function prepareFile(database: Database, path: string, options: SqliteStoreOptions): Promise<void> {
  const lockTimeoutMs = options.lockTimeoutMs ?? defaultLockTimeoutMs;
  await retryBusy(lockTimeoutMs, path, () => {
    const empty = checkFile(database, path, options);
    if (options.readOnly === true) {
      if (empty) throw new StoreError("notAStore", `${path} is empty, and opened for reading only`);
      return;
    }
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    // Fewer, larger checkpoints: a page that is written often goes into the file once.
    database.exec("PRAGMA wal_autocheckpoint = 4000");
    if (empty) {
      database.exec("BEGIN IMMEDIATE");
      try {
        // Another process may have made the tables in the meantime.
        if (checkFile(database, path, options)) {
          database.exec(schema);
          database.exec(`PRAGMA application_id = ${options.copy === true ? copyId : applicationId}`);
          database.exec(`PRAGMA user_version = ${schemaVersion}`);
        }
        database.exec("COMMIT");
      } catch (error) {
        rollBack(database);
        throw error;
      }
    }
  });
  // Mapped pages count as memory of the process: of a file of many gigabytes a part is mapped, and the rest is read.
  database.exec("PRAGMA mmap_size = 134217728");
}

/** Whether the file is still empty. Its tables are counted first: one commit makes them and sets both marks. */
function checkFile(database: Database, path: string, { copy, readOnly }: SqliteStoreOptions): boolean {
  const tables = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as { n: number };
  if (tables.n === 0) return true;
  const id = pragma(database, "application_id");
  if (id === applicationId && copy === true) {
    throw new StoreError(
      "notAStore",
      `${path} is a store itself: views of a server need a file of their own`,
    );
  }
  if (id === copyId && copy !== true && readOnly !== true) {
    throw new StoreError("notAStore", `${path} keeps the views of a server's store, and is none itself`);
  }
  if (id !== applicationId && id !== copyId) {
    throw new StoreError("notAStore", `${path} is a SQLite file of another program`);
  }
  const version = pragma(database, "user_version");
  if (version > schemaVersion) {
    throw new StoreError(
      "newer",
      `${path} was written by a newer version (its format is ${version}, this one reads up to ${schemaVersion})`,
    );
  }
  return false;
}

function pragma(database: Database, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
  return row[name] as number;
}

/** Tries again while the file is locked, with growing pauses and some chance, so that two processes do not march in step. */
async function retryBusy<T>(timeoutMs: number, doing: string, attempt: () => T): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() > until) {
        throw new StoreError("unavailable", `${doing}: locked by another process for ${timeoutMs} ms`, {
          cause: error,
        });
      }
      await delay(pause * (0.5 + Math.random()));
    }
  }
}

class SqliteEventStore implements SqliteStore {
  readonly kind = "sqlite";
  readonly database: Database;
  readonly local: LocalReads;

  readonly #path: string;
  readonly #lockTimeoutMs: number;
  readonly #maxEventBytes: number;
  readonly #pollMs: number;
  readonly #readOnly: boolean;
  readonly #copy: boolean;
  readonly #sql: ReturnType<typeof statements>;
  readonly #feeds = new Set<Feed>();

  #lastScan: { readonly sql: string; readonly statement: ReturnType<Database["prepare"]> } | undefined;
  #hook: TransactionHook | undefined;
  #undone: (() => void) | undefined;
  #queue: Pending[] = [];
  #flushing: Promise<void> | undefined;
  #scheduled = false;
  #closing: Promise<void> | undefined;
  #closed = false;

  /** What this process knows of the file; where a stream ends is true as long as its epoch is the file's. */
  #heads = new Map<string, Head>();
  #typeIds = new Map<string, number>();
  #typeNames = new Map<number, string>();
  #knownEpoch = -1;

  constructor(database: Database, path: string, options: SqliteStoreOptions) {
    this.database = database;
    this.#path = path;
    this.#lockTimeoutMs = options.lockTimeoutMs ?? defaultLockTimeoutMs;
    this.#maxEventBytes = options.maxEventBytes ?? limits.eventBytes;
    this.#pollMs = options.pollMs ?? defaultPollMs;
    this.#readOnly = options.readOnly === true;
    this.#copy = options.copy === true;
    this.#sql = statements(database);
    this.local = {
      epoch: () => this.#reading(() => this.#epoch()),
      readStream: (stream, read) => this.#readStream(stream, read),
      readAll: (read) => this.#readAll(read),
      head: () => this.#head(),
      revision: (stream) => this.#revision(stream),
      streams: (read) => this.#streams(read),
    };
  }

  setTransactionHook(hook: TransactionHook, undone?: () => void): void {
    this.#hook = hook;
    this.#undone = undone;
  }

  append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options: AppendOptions = {},
  ): Promise<Appended> {
    let pending: Pending | undefined;
    const answer = new Promise<Appended>((resolve, reject) => {
      this.#writable();
      if (this.#copy) throw new StoreError("denied", `${this.#path} is a copy, and is not appended to`);
      checkAppend(stream, expected, events, options.claims, this.#maxEventBytes);
      options.signal?.throwIfAborted();
      pending = { stream, expected, events, options, resolve, reject, answer: undefined };
      this.#queue.push(pending);
      this.#schedule();
    });
    if (pending === undefined) return answer;
    pending.answer = answer;
    if (options.signal !== undefined) this.#leaveWhenAborted(pending, answer, options.signal);
    return answer;
  }

  /** Takes an append out of the queue when it is told to; one whose transaction has begun goes through. */
  #leaveWhenAborted(pending: Pending, answer: Promise<Appended>, signal: AbortSignal): void {
    const leave = (): void => {
      const place = this.#queue.indexOf(pending);
      if (place < 0) return;
      this.#queue.splice(place, 1);
      pending.reject(signal.reason);
    };
    const stay = (): void => signal.removeEventListener("abort", leave);
    signal.addEventListener("abort", leave);
    void answer.then(stay, stay);
  }

  async readStream(stream: string, read?: StreamRead): Promise<readonly RecordedEvent[]> {
    return this.#readStream(stream, read);
  }

  async readAll(read?: AllRead): Promise<AllPage> {
    return this.#readAll(read);
  }

  #readAll({ after, limit = pageSize, prefixes }: AllRead = {}): AllPage {
    return this.#reading(() => {
      let checkpoint = countOf(after);
      // One page is one look at a bounded number of events, however few of them match.
      const considered = prefixes === undefined ? limit : Math.max(limit, pageSize);
      const rows = this.#sql.all.all(checkpoint, considered) as unknown as Row[];
      if (rows.length === 0) checkGiven(after, this.#head());
      let end = rows.length < considered;
      const events: RecordedEvent[] = [];
      for (const row of rows) {
        if (events.length >= limit) {
          end = false;
          break;
        }
        checkpoint = row.position;
        if (prefixes === undefined || prefixes.some((prefix) => row.name.startsWith(prefix))) {
          events.push(this.#recorded(row, row.name));
        }
      }
      return { events, checkpoint: checkpoint === 0 ? undefined : String(checkpoint), end };
    });
  }

  async takenClaim(claims: readonly string[], stream: string): Promise<string | undefined> {
    return this.#reading(() => claims.find((claim) => this.#sql.claimedElsewhere.get(claim, stream)));
  }

  async head(): Promise<string | undefined> {
    return this.#head();
  }

  #head(): string | undefined {
    return this.#reading(() => {
      const { position } = this.#sql.head.get() as unknown as { position: number | null };
      return position === null ? undefined : String(position);
    });
  }

  subscribe(options: SubscribeOptions = {}): AsyncIterable<Message> {
    this.#open();
    return follow(this, options, this.#feeds, this.#pollMs);
  }

  async write<T>(work: () => T): Promise<T> {
    try {
      return await retryBusy(this.#lockTimeoutMs, this.#path, () => {
        this.#writable();
        // Only a commit of events has to reach the disk before it is answered; the next one takes along what was written here.
        this.database.exec("PRAGMA synchronous = NORMAL");
        try {
          return this.#transaction(work);
        } finally {
          this.database.exec("PRAGMA synchronous = FULL");
        }
      });
    } catch (error) {
      throw storeError(error, `writing to ${this.#path}`);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drainAndClose();
    return this.#closing;
  }

  async #drainAndClose(): Promise<void> {
    while (this.#queue.length > 0 || this.#flushing !== undefined) {
      await (this.#flushing ?? this.#flush());
    }
    this.#closed = true;
    for (const feed of this.#feeds) feed.end();
    closeDatabase(this.database);
  }

  #open(): void {
    if (this.#closed) throw new StoreError("closed", `${this.#path} is closed`);
  }

  #writable(): void {
    this.#open();
    if (this.#closing !== undefined) throw new StoreError("closed", `${this.#path} is being closed`);
    if (this.#readOnly) throw new StoreError("denied", `${this.#path} is opened for reading only`);
  }

  #reading<T>(read: () => T): T {
    this.#open();
    try {
      return read();
    } catch (error) {
      throw storeError(error, `reading ${this.#path}`);
    }
  }

  #epoch(): number {
    return (this.#sql.dataVersion.get() as unknown as { data_version: number }).data_version;
  }

  /** Forgets what was learnt in a transaction that was undone. */
  #forget(): void {
    this.#heads.clear();
    this.#typeIds.clear();
    // A type first seen in a transaction that was undone leaves its number to another.
    this.#typeNames.clear();
    this.#knownEpoch = -1;
  }

  // --- appending ---

  #schedule(): void {
    if (this.#scheduled || this.#flushing !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#flushing === undefined && this.#queue.length > 0) void this.#flush();
    });
  }

  /** Writes what is queued, a transaction for every batch, and never rejects: each append is answered for itself. */
  #flush(): Promise<void> {
    const flushing = this.#flushAll().finally(() => {
      this.#flushing = undefined;
      if (this.#queue.length > 0) this.#schedule();
    });
    this.#flushing = flushing;
    return flushing;
  }

  async #flushAll(): Promise<void> {
    let batch: Pending[] = [];
    try {
      const settled = await this.#withLock(() => {
        // Taken only once the lock is held: whoever asked while we waited for it shares this commit.
        if (batch.length === 0) batch = this.#queue.splice(0, batchSize);
        return this.#transaction(() => this.#appendAll(batch), true);
      });
      for (const settle of settled) settle();
    } catch (error) {
      const reason = storeError(error, `appending to ${this.#path}`);
      const failed = batch.length === 0 ? this.#queue.splice(0) : batch;
      for (const pending of failed) pending.reject(reason);
    }
  }

  /** Like retryBusy, but its first attempt is synchronous, so that an append without contention waits for nothing. */
  #withLock<T>(attempt: () => T): T | Promise<T> {
    try {
      return this.#tryLocked(attempt);
    } catch (error) {
      if (!isBusy(error)) throw error;
      return retryBusy(this.#lockTimeoutMs, this.#path, () => this.#tryLocked(attempt));
    }
  }

  #tryLocked<T>(attempt: () => T): T {
    this.#sql.begin.run();
    return attempt();
  }

  /** Runs work between BEGIN IMMEDIATE and COMMIT; whatever it throws rolls back and forgets what was learnt inside. */
  #transaction<T>(work: () => T, begun = false): T {
    if (!begun) this.#sql.begin.run();
    try {
      this.#knownEpoch = this.#epoch();
      const result = work();
      this.#sql.commit.run();
      return result;
    } catch (error) {
      this.#forget();
      this.#undone?.();
      rollBack(this.database);
      throw error;
    }
  }

  #appendAll(batch: readonly Pending[]): readonly (() => void)[] {
    const written: InTransaction[] = [];
    const settled: (() => void)[] = [];
    for (const pending of batch) {
      const { stream, events, resolve, reject, options } = pending;
      const outcome = this.#appendOne(pending);
      if (outcome instanceof StoreError) {
        settled.push(() => reject(outcome));
        continue;
      }
      settled.push(() => resolve(outcome));
      if (!outcome.repeated) {
        // Positions of this table are row ids, given one after the other: here, and only here, one may be subtracted.
        const after = Number(outcome.position) - events.length;
        written.push({
          stream,
          after: after === 0 ? undefined : String(after),
          firstRevision: outcome.revision - BigInt(events.length - 1),
          lastPosition: outcome.position,
          context: options.context,
        });
      }
    }
    if (written.length > 0) {
      this.#hook?.(written, this.#knownEpoch);
      settled.push(() => {
        for (const feed of this.#feeds) feed.wake();
      });
    }
    return settled;
  }

  #appendOne({ stream, expected, events, options, answer }: Pending): Appended | StoreError {
    const created = expected === "none" ? this.#createStream(stream) : undefined;
    const head = created ?? this.#headOf(stream);
    const actual = head === undefined || head.revision < 0 ? undefined : BigInt(head.revision);
    if (!meets(expected, actual)) {
      return this.#repeated(stream, head, expected, events) ?? new ConflictError(stream, expected, actual);
    }
    // The revision is right by its number, but it is not the one that the append was decided on.
    if (options.follows !== undefined && head?.last !== options.follows) {
      return new ConflictError(stream, expected, actual);
    }
    const { id, revision } = head ?? (this.#createStream(stream) as Head);
    const taken = this.#claim(options.claims, id);
    if (taken !== undefined) {
      if (head === undefined || head === created) this.#removeStream(stream, id);
      return new ClaimTakenError(taken);
    }
    let next = revision;
    let position = 0;
    for (const event of events) {
      next += 1;
      const inserted = this.#sql.insert.run(
        id,
        next,
        this.#typeIds.get(event.type) ?? this.#typeId(event.type),
        event.id,
        event.meta,
        event.data,
      );
      position = Number(inserted.lastInsertRowid);
    }
    this.#remember(stream, id, next, answer);
    return { revision: BigInt(next), position: String(position), repeated: false };
  }

  /** Makes a stream's claims; where another stream holds one of them, makes none and names it. */
  #claim(claims: readonly string[] | undefined, id: number): string | undefined {
    const made: string[] = [];
    for (const claim of claims ?? []) {
      if (Number(this.#sql.claim.run(claim, id).changes) === 1) {
        made.push(claim);
        continue;
      }
      const held = this.#sql.claimed.get(claim) as unknown as { stream_id: number };
      if (held.stream_id === id) continue;
      for (const one of made) this.#sql.unclaim.run(one);
      return claim;
    }
    return undefined;
  }

  /** An append that was made before and is made again: same ids, right behind the revision it expects. */
  #repeated(
    stream: string,
    head: Head | undefined,
    expected: Expected,
    events: readonly NewEvent[],
  ): Appended | undefined {
    if (head === undefined || expected === "any" || expected === "exists") return undefined;
    const first = expected === "none" ? 0n : expected + 1n;
    const last = first + BigInt(events.length - 1);
    const recorded = this.#readStream(stream, { from: first, to: last });
    const end = recorded.at(-1);
    if (end === undefined || !isSameBatch(recorded, events)) return undefined;
    return { revision: end.revision, position: end.position, repeated: true };
  }

  #headOf(stream: string): Head | undefined {
    const known = this.#heads.get(stream);
    if (known !== undefined && known.epoch === this.#knownEpoch) return known;
    const row = this.#sql.streamHead.get(stream) as unknown as
      | { id: number; revision: number | null }
      | undefined;
    return row === undefined ? undefined : this.#seen(stream, row.id, row.revision ?? -1);
  }

  /** Notes where a stream ends, as it was read; who made its last revision is known only while it stands there. */
  #seen(stream: string, id: number, revision: number): Head {
    const known = this.#heads.get(stream);
    return this.#remember(stream, id, revision, known?.revision === revision ? known.last : undefined);
  }

  #remember(stream: string, id: number, revision: number, last: Head["last"]): Head {
    const known = this.#heads.get(stream);
    if (known !== undefined) {
      known.revision = revision;
      known.epoch = this.#knownEpoch;
      known.last = last;
      return known;
    }
    if (this.#heads.size >= rememberedStreams) this.#heads.clear();
    const head = { id, revision, epoch: this.#knownEpoch, last };
    this.#heads.set(stream, head);
    return head;
  }

  /** Creates a stream; undefined where it exists. */
  #createStream(stream: string): Head | undefined {
    if (this.#heads.has(stream)) return undefined;
    const { changes, lastInsertRowid } = this.#sql.createStream.run(stream);
    return Number(changes) === 0 ? undefined : this.#remember(stream, Number(lastInsertRowid), -1, undefined);
  }

  #removeStream(stream: string, id: number): void {
    this.#sql.removeStream.run(id);
    this.#heads.delete(stream);
  }

  #typeId(type: string): number {
    this.#sql.createType.run(type);
    const { id } = this.#sql.typeId.get(type) as unknown as { id: number };
    this.#typeIds.set(type, id);
    return id;
  }

  // --- reading ---

  #readStream(stream: string, read: StreamRead = wholeStream): readonly RecordedEvent[] {
    return this.#reading(() => {
      const rows = this.#rowsOf(stream, read) as readonly StreamRow[];
      const end = rows.at(-1);
      const step = read.backwards === true ? -1 : 1;
      let due = step === 1 ? Number(read.from ?? 0) : rows[0]?.revision;
      for (const { revision } of rows) {
        if (revision !== due) throw missing(stream, due as number);
        due += step;
      }
      // Whoever reads a whole stream is about to append to it: where it ends need not be asked again.
      if (end !== undefined && read === wholeStream) this.#seen(stream, end.stream_id, end.revision);
      return rows.map((event) => this.#recorded(event, stream));
    });
  }

  #rowsOf(stream: string, { from, to, backwards = false, limit }: StreamRead): readonly unknown[] {
    const sql = this.#sql;
    const last = Number.MAX_SAFE_INTEGER;
    const first = from === undefined ? (backwards ? last : 0) : Number(from);
    const end = to === undefined ? (backwards ? 0 : last) : Number(to);
    if (limit === undefined) return (backwards ? sql.backwards : sql.forwards).all(stream, first, end);
    return (backwards ? sql.someBackwards : sql.someForwards).all(stream, first, end, limit);
  }

  #revision(stream: string): bigint | undefined {
    return this.#reading(() => {
      const row = this.#sql.streamHead.get(stream) as unknown as { revision: number | null } | undefined;
      return row === undefined || row.revision === null ? undefined : BigInt(row.revision);
    });
  }

  #recorded(row: Row, stream: string): RecordedEvent {
    return Object.freeze({
      stream,
      revision: BigInt(row.revision),
      position: String(row.position),
      id: row.id,
      type: this.#typeNames.get(row.type_id) ?? this.#typeName(row.type_id),
      data: row.data,
      meta: row.meta,
    });
  }

  #typeName(id: number): string {
    const row = this.#sql.typeName.get(id) as unknown as { name: string } | undefined;
    if (row === undefined)
      throw new StoreError("corrupt", `${this.#path}: events of a type ${id} that is not listed`);
    this.#typeNames.set(id, row.name);
    return row.name;
  }

  #streams({ after = 0, limit, upTo, types, dataOf, headOf, lean, share }: StreamsRead): StreamsPage {
    return this.#reading(() => {
      const { id: lastStream } = this.#sql.lastStream.get() as unknown as { id: number | null };
      if (lastStream === null || after >= lastStream) {
        return { streams: [], next: after, end: true, total: lastStream ?? 0 };
      }
      const next = Math.min(after + limit, lastStream);
      const upToPosition = upTo === undefined ? Number.MAX_SAFE_INTEGER : countOf(upTo);
      const scan = this.#scan(
        scanSql(this.#idsOf(types), this.#idsOf(dataOf), this.#headsOf(headOf), lean, share),
      );
      const rows = scan.all(after, next, upToPosition) as unknown as (ScannedRow | object)[];
      const names = new Map<number, string>();
      for (const { id, name } of this.#sql.streamNames.all(after, next) as unknown as {
        id: number;
        name: string;
      }[]) {
        names.set(id, name);
      }
      const streams: { stream: string; events: RecordedEvent[] }[] = [];
      let current = -1;
      let due = 0;
      let stream = "";
      let events: RecordedEvent[] = [];
      for (const row of rows) {
        // Taken out by their places: to spread them costs as much as all the rest of this.
        const columns = (Array.isArray(row) ? row : Object.values(row)) as unknown as ScannedRow;
        const streamId = columns[0];
        const typeId = columns[2];
        if (streamId !== current) {
          current = streamId;
          stream = names.get(current) as string;
          events = [];
          streams.push({ stream, events });
          due = 0;
        }
        // Of a scan that asks for some types only, the others are not there.
        if (types === undefined && columns[1] !== due) throw missing(stream, due);
        due += 1;
        events.push({
          stream,
          revision: BigInt(columns[1]),
          position: String(columns[5] ?? ""),
          id: columns[6] ?? "",
          type: this.#typeNames.get(typeId) ?? this.#typeName(typeId),
          data: columns[3],
          meta: columns[4],
        });
      }
      return { streams, next, end: next >= lastStream, total: lastStream };
    });
  }

  /** The statement of a scan; the last one is kept, for the pages that follow. */
  #scan(sql: string): ReturnType<Database["prepare"]> {
    if (this.#lastScan?.sql !== sql) {
      const statement = this.database.prepare(sql);
      // Rows as arrays are a third quicker; runtimes that do not know them yet give objects in the order of the columns.
      (statement as { setReturnArrays?: (enabled: boolean) => void }).setReturnArrays?.(true);
      this.#lastScan = { sql, statement };
    }
    return this.#lastScan.statement;
  }

  #headsOf(headOf: StreamsRead["headOf"]): readonly { readonly id: number; readonly before: string }[] {
    return Object.entries(headOf ?? {}).flatMap(([type, before]) =>
      (this.#idsOf([type]) as readonly number[]).map((id) => ({ id, before })),
    );
  }

  #idsOf(types: readonly string[] | undefined): readonly number[] | undefined {
    return types?.flatMap((type) => {
      const row = this.#sql.typeId.get(type) as unknown as { id: number } | undefined;
      return row === undefined ? [] : [row.id];
    });
  }
}

/** A stream has no holes: where one is, somebody has taken events away. */
function missing(stream: string, revision: number): StoreError {
  return new StoreError("corrupt", `${stream}: its event at revision ${revision} is missing`);
}

function scanSql(
  types: readonly number[] | undefined,
  dataOf: readonly number[] | undefined,
  headOf: readonly { readonly id: number; readonly before: string }[],
  lean: StreamsRead["lean"],
  share: StreamsRead["share"],
): string {
  const heads = headOf.map(
    ({ id, before }) => `WHEN type_id = ${id} THEN substr(data, 1, instr(data, ',"${before}":') - 1) || '}'`,
  );
  const whole =
    dataOf === undefined ? "ELSE data" : `WHEN type_id IN (${dataOf.join(",")}) THEN data ELSE ''`;
  const data =
    dataOf === undefined && heads.length === 0 ? "data" : `CASE ${heads.join(" ")} ${whole} END AS data`;
  const start = "substr(meta, 1, 32)";
  const rest =
    lean === undefined
      ? "meta, position, id"
      : lean === "time"
        ? start
        : `CASE WHEN substr(meta, 1, 7) = '{"v":1,' THEN '' ELSE ${start} END`;
  const typed = types === undefined ? "" : `AND type_id IN (${types.join(",")})`;
  const shared = share === undefined ? "" : `AND stream_id % ${share.of} = ${share.index}`;
  return `SELECT stream_id, revision, type_id, ${data}, ${rest}
    FROM events INDEXED BY events_of_stream
    WHERE stream_id > ? AND stream_id <= ? AND position <= ? ${typed} ${shared}
    ORDER BY stream_id, revision`;
}

function statements(database: Database) {
  const columns = "position, stream_id, revision, type_id, id, meta, data";
  const ofStream = `SELECT ${columns} FROM events WHERE stream_id = (SELECT id FROM streams WHERE name = ?)`;
  const forwards = `${ofStream} AND revision BETWEEN ? AND ? ORDER BY revision`;
  const backwards = `${ofStream} AND revision <= ? AND revision >= ? ORDER BY revision DESC`;
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    dataVersion: database.prepare("PRAGMA data_version"),
    insert: database.prepare(
      "INSERT INTO events (stream_id, revision, type_id, id, meta, data) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    createStream: database.prepare("INSERT INTO streams (name) VALUES (?) ON CONFLICT DO NOTHING"),
    streamNames: database.prepare("SELECT id, name FROM streams WHERE id > ? AND id <= ?"),
    lastStream: database.prepare("SELECT max(id) AS id FROM streams"),
    streamHead: database.prepare(
      `SELECT streams.id, revision FROM streams LEFT JOIN events ON stream_id = streams.id
       WHERE name = ? ORDER BY revision DESC LIMIT 1`,
    ),
    createType: database.prepare("INSERT INTO types (name) VALUES (?) ON CONFLICT DO NOTHING"),
    typeId: database.prepare("SELECT id FROM types WHERE name = ?"),
    typeName: database.prepare("SELECT name FROM types WHERE id = ?"),
    claimed: database.prepare("SELECT stream_id FROM claims WHERE name = ?"),
    claimedElsewhere: database.prepare(
      "SELECT 1 FROM claims JOIN streams ON streams.id = stream_id WHERE claims.name = ? AND streams.name <> ?",
    ),
    unclaim: database.prepare("DELETE FROM claims WHERE name = ?"),
    removeStream: database.prepare("DELETE FROM streams WHERE id = ?"),
    claim: database.prepare("INSERT INTO claims (name, stream_id) VALUES (?, ?) ON CONFLICT DO NOTHING"),
    // A bound LIMIT makes SQLite prepare a statement anew for each run, which costs more than an order's events do.
    forwards: database.prepare(forwards),
    someForwards: database.prepare(`${forwards} LIMIT ?`),
    backwards: database.prepare(backwards),
    someBackwards: database.prepare(`${backwards} LIMIT ?`),
    all: database.prepare(
      `SELECT position, name, revision, type_id, events.id, meta, data
       FROM events JOIN streams ON streams.id = events.stream_id WHERE position > ? ORDER BY position LIMIT ?`,
    ),
    head: database.prepare("SELECT max(position) AS position FROM events"),
  };
}
