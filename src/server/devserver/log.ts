// The log of the development server: one SQLite database, in memory or in a file, whose appends in flight share one commit.

import { randomUUID } from "node:crypto";

import { type Database, closeDatabase, openDatabase, storeError } from "../../store/database.ts";
import { StoreError } from "../../store/port.ts";
import {
  type Expected,
  type StreamMetadata,
  type StreamView,
  decideAppend,
  firstVisible,
  isSoftDeleted,
  oldestVisible,
  readMetadata,
  revivedMetadata,
  softDeletion,
} from "./rules.ts";

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface LoggedEvent extends ProposedEvent {
  readonly stream: string;
  /** `tombstoneRevision` for the tombstone of a stream. */
  readonly revision: number;
  /** In the log, sparse. */
  readonly position: number;
  /** In milliseconds. */
  readonly created: number;
}

/** The one event of a stream that has no revision of its own. On the wire it is the greatest int64. */
export const tombstoneRevision = -1;

export type Write =
  | {
      readonly kind: "append";
      readonly stream: string;
      readonly expected: Expected;
      readonly events: readonly ProposedEvent[];
    }
  | { readonly kind: "delete" | "tombstone"; readonly stream: string; readonly expected: Expected };

/** What became of a write. Revisions are -1 for a stream without events, positions undefined where nothing was ever written. */
export type Written =
  | { readonly kind: "written"; readonly revision: number; readonly position: number | undefined }
  | { readonly kind: "wrongVersion"; readonly actual: number }
  | { readonly kind: "deleted" };

/** A stream as a reader finds it. */
export type StreamPage =
  | { readonly kind: "missing" }
  | { readonly kind: "deleted" }
  | {
      readonly kind: "page";
      readonly events: readonly LoggedEvent[];
      /** The revision to go on from. */
      readonly next: number;
      readonly end: boolean;
    };

const inMemory = ":memory:";

/** Marks the file as this server's ("aftd"). */
const applicationId = 0x61667464;

const schema = `
CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL, tombstoned INTEGER NOT NULL);
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  stream_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created INTEGER NOT NULL,
  type TEXT NOT NULL,
  is_json INTEGER NOT NULL,
  id TEXT NOT NULL,
  data BLOB NOT NULL,
  metadata BLOB NOT NULL
);
CREATE UNIQUE INDEX events_of_stream ON events (stream_id, revision);
`;

/** What stands in an event beside its texts, so that positions leave holes that no one can count over. */
const recordBytes = 89;

/** The most appends that share one transaction. */
const batchSize = 1_024;

/** Ids, heads and metadata that are remembered. */
const remembered = 100_000;

interface Head {
  readonly id: number;
  readonly name: string;
  last: number;
  tombstoned: boolean;
}

interface Pending {
  readonly write: Write;
  readonly resolve: (written: Written) => void;
  readonly reject: (error: unknown) => void;
}

interface Row {
  readonly position: number;
  readonly stream_id: number;
  readonly revision: number;
  readonly created: number;
  readonly type: string;
  readonly is_json: number;
  readonly id: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

const columns = "position, stream_id, revision, created, type, is_json, id, data, metadata";

/** The name of the stream that holds another's metadata. */
export const metastreamOf = (stream: string): string => `$$${stream}`;
export const isMetastream = (stream: string): boolean => stream.startsWith("$$");

/** A metastream shows its last event only. */
const ofMetastream: StreamMetadata = { maxCount: 1 };

export class Log {
  readonly #database: Database;
  readonly #lock: Database | undefined;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #now: () => number;
  readonly #heads = new Map<string, Head | undefined>();
  readonly #names = new Map<number, string>();
  readonly #metadata = new Map<
    string,
    { readonly rules: StreamMetadata; readonly data: string } | undefined
  >();
  readonly #ids = new Map<string, { readonly stream: string; readonly revision: number }>();
  readonly #wakers = new Set<() => void>();
  #pending: Pending[] = [];
  #flushing = false;
  #last: number;
  #closed = false;

  /** @throws StoreError where the file cannot be had, is something else, or is another server's. */
  constructor(path = inMemory, now: () => number = Date.now) {
    this.#now = now;
    this.#database = openDatabase(path);
    try {
      const isNew = checkFile(this.#database, path);
      if (path !== inMemory) this.#lock = lock(path);
      openFile(this.#database, isNew);
      this.#statements = prepare(this.#database);
      this.#last = (this.#statements.lastPosition.get() as { position: number | null }).position ?? 0;
      if (this.#last === 0) this.#found();
    } catch (error) {
      this.#database.close();
      if (this.#lock !== undefined) unlock(this.#lock);
      throw storeError(error, path);
    }
  }

  /** A new node's log does not begin empty: readers of everything must cope with what they did not write. */
  #found(): void {
    this.#database.exec("BEGIN IMMEDIATE");
    for (const user of ["admin", "ops"]) {
      const data = Buffer.from(JSON.stringify({ loginName: user, groups: [`$${user}s`] }));
      this.#insert(`$user-${user}`, {
        id: randomUUID(),
        type: "$UserCreated",
        isJson: true,
        data,
        metadata: nothing,
      });
      this.#insert("$users", {
        id: randomUUID(),
        type: "$User",
        isJson: false,
        data: Buffer.from(user),
        metadata: nothing,
      });
    }
    this.#database.exec("COMMIT");
  }

  /** Position of the newest event. */
  get last(): number {
    return this.#last;
  }

  /** Calls back after every commit, until the returned function is called. */
  watch(waker: () => void): () => void {
    this.#wakers.add(waker);
    return () => this.#wakers.delete(waker);
  }

  /** Writes, or finds that it was written or must not be; answers when it is committed. */
  write(write: Write): Promise<Written> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new StoreError("closed", "the log is closed"));
        return;
      }
      this.#pending.push({ write, resolve, reject });
      if (this.#flushing) return;
      this.#flushing = true;
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    this.#flushing = false;
    const batch = this.#pending.slice(0, batchSize);
    this.#pending = this.#pending.slice(batchSize);
    if (batch.length === 0) return;
    if (this.#pending.length > 0) {
      this.#flushing = true;
      setImmediate(() => this.#flush());
    }
    const before = this.#last;
    let written: readonly Written[];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      written = batch.map(({ write }) => this.#apply(write));
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#undo(before);
      const failure = storeError(error, "the development server's log");
      for (const { reject } of batch) reject(failure);
      return;
    }
    batch.forEach(({ resolve }, index) => resolve(written[index] as Written));
    if (this.#last !== before) for (const wake of this.#wakers) wake();
  }

  #undo(last: number): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself.
    }
    this.#last = last;
    this.#heads.clear();
    this.#names.clear();
    this.#metadata.clear();
    this.#ids.clear();
  }

  #apply(write: Write): Written {
    const { stream, expected } = write;
    const view = this.#view(stream);
    const events = write.kind === "append" ? write.events : [];
    const ids = write.kind === "append" ? events.map(({ id }) => id) : [randomUUID()];
    const decision = decideAppend(view, expected, ids);
    switch (decision.kind) {
      case "deleted":
        return decision;
      case "wrongVersion":
        return { kind: "wrongVersion", actual: view.last };
      case "repeat":
        return {
          kind: "written",
          revision: decision.last,
          position: this.#positionOf(stream, decision.last),
        };
      case "append":
        break;
    }
    switch (write.kind) {
      case "append":
        return this.#append(stream, events, view, decision.revives);
      case "tombstone":
        return this.#tombstone(stream);
      case "delete":
        if (view.last < 0 && !view.hasMetadata) return { kind: "wrongVersion", actual: -1 };
        this.#insert(metastreamOf(stream), metadataEvent(softDeletion));
        return { kind: "written", revision: view.last, position: this.#last };
    }
  }

  #append(stream: string, events: readonly ProposedEvent[], view: StreamView, revives: boolean): Written {
    if (events.length === 0) {
      return { kind: "written", revision: view.last, position: this.#positionOf(stream, view.last) };
    }
    const original = isMetastream(stream) ? stream.slice(2) : undefined;
    const hidden = original !== undefined && this.#view(original).softDeleted;
    for (const event of events) this.#insert(stream, event);
    const position = this.#last;
    // A stream that goes on behind its deletion, and one that is given metadata while it is deleted, keep what was deleted hidden.
    if (revives) this.#revive(stream, view.last + 1);
    if (hidden) this.#revive(original, this.#view(original).last + 1);
    return { kind: "written", revision: view.last + events.length, position };
  }

  #revive(stream: string, truncateBefore: number): void {
    const { data } = this.#metadataOf(stream) ?? { data: "{}" };
    this.#insert(metastreamOf(stream), metadataEvent(revivedMetadata(data, truncateBefore)));
  }

  #tombstone(stream: string): Written {
    this.#insert(
      stream,
      { id: randomUUID(), type: "$streamDeleted", isJson: true, data: nothing, metadata: nothing },
      tombstoneRevision,
    );
    return { kind: "written", revision: tombstoneRevision, position: this.#last };
  }

  #insert(stream: string, event: ProposedEvent, revision?: number): void {
    const head = this.#head(stream) ?? this.#newStream(stream);
    const { id, type, isJson, data, metadata } = event;
    const at = revision ?? head.last + 1;
    const position = this.#last + recordBytes + stream.length + type.length + data.length + metadata.length;
    const created = this.#now();
    this.#statements.insert.run(position, head.id, at, created, type, isJson ? 1 : 0, id, data, metadata);
    this.#last = position;
    if (revision === tombstoneRevision) head.tombstoned = true;
    else head.last = at;
    this.#statements.moveHead.run(head.last, head.tombstoned ? 1 : 0, head.id);
    trim(this.#ids);
    this.#ids.set(id, { stream, revision: at });
    if (isMetastream(stream)) this.#metadata.delete(stream.slice(2));
  }

  #head(stream: string): Head | undefined {
    if (this.#heads.has(stream)) return this.#heads.get(stream);
    const row = this.#statements.head.get(stream) as
      | { id: number; last: number; tombstoned: number }
      | undefined;
    const head =
      row === undefined
        ? undefined
        : { id: row.id, name: stream, last: row.last, tombstoned: row.tombstoned !== 0 };
    trim(this.#heads);
    this.#heads.set(stream, head);
    return head;
  }

  #newStream(name: string): Head {
    const { lastInsertRowid } = this.#statements.newStream.run(name);
    const head: Head = { id: Number(lastInsertRowid), name, last: -1, tombstoned: false };
    this.#heads.set(name, head);
    return head;
  }

  #view(stream: string): StreamView {
    const head = this.#head(stream);
    const metadata = this.#metadataOf(stream);
    return {
      last: head?.last ?? -1,
      tombstoned: this.#isTombstoned(stream),
      softDeleted: metadata !== undefined && isSoftDeleted(metadata.rules),
      hasMetadata: metadata !== undefined,
      idAt: (revision) =>
        head === undefined
          ? undefined
          : (this.#statements.idAt.get(head.id, revision) as { id: string } | undefined)?.id,
      remembered: (id) => {
        const known = this.#ids.get(id);
        return known?.stream === stream ? known.revision : undefined;
      },
    };
  }

  /** A tombstone ends the stream's metadata with it. */
  #isTombstoned(stream: string): boolean {
    const isOf = (name: string): boolean => this.#head(name)?.tombstoned === true;
    return isOf(stream) || (isMetastream(stream) && isOf(stream.slice(2)));
  }

  #metadataOf(stream: string): { readonly rules: StreamMetadata; readonly data: string } | undefined {
    if (isMetastream(stream)) return undefined;
    if (this.#metadata.has(stream)) return this.#metadata.get(stream);
    const head = this.#head(metastreamOf(stream));
    let metadata: { readonly rules: StreamMetadata; readonly data: string } | undefined;
    if (head !== undefined && head.last >= 0) {
      const row = this.#statements.dataAt.get(head.id, head.last) as { data: Uint8Array };
      const data = Buffer.from(row.data).toString("utf8");
      metadata = { rules: readMetadata(data), data };
    }
    trim(this.#metadata);
    this.#metadata.set(stream, metadata);
    return metadata;
  }

  /** The rules that a stream's metadata sets. */
  rulesOf(stream: string): StreamMetadata {
    return isMetastream(stream) ? ofMetastream : (this.#metadataOf(stream)?.rules ?? {});
  }

  #positionOf(stream: string, revision: number): number | undefined {
    const head = this.#head(stream);
    if (head === undefined || revision < 0) return undefined;
    return (this.#statements.positionAt.get(head.id, revision) as { position: number } | undefined)?.position;
  }

  /** Revision of a stream's last event; -1 where there never was one. */
  lastOf(stream: string): number {
    return this.#head(stream)?.last ?? -1;
  }

  /** One event, as long as a reader of its stream sees it. */
  eventAt(stream: string, revision: number): LoggedEvent | undefined {
    const page = this.readStream(stream, revision, false, 1);
    return page.kind === "page" ? page.events.find((event) => event.revision === revision) : undefined;
  }

  /** What is visible of a stream from a revision on (inclusive), at most `limit` revisions of it. */
  readStream(stream: string, from: number, backwards: boolean, limit: number): StreamPage {
    if (this.#isTombstoned(stream)) return { kind: "deleted" };
    const head = this.#head(stream);
    const rules = this.rulesOf(stream);
    if (head === undefined || head.last < 0 || isSoftDeleted(rules)) return { kind: "missing" };
    const first = firstVisible(rules, head.last);
    const oldest = oldestVisible(rules, this.#now());
    const rows = (backwards
      ? this.#statements.backwards.all(head.id, first, from, limit)
      : this.#statements.forwards.all(head.id, Math.max(from, first), head.last, limit)) as unknown as Row[];
    const events = rows.filter(({ created }) => created >= oldest).map((row) => this.#event(row));
    const last = rows.at(-1)?.revision;
    const next = last === undefined ? from : last + (backwards ? -1 : 1);
    return { kind: "page", events, next, end: rows.length < limit };
  }

  /** Everything behind a position (exclusive), or before it when reading backwards. */
  readAll(from: number, backwards: boolean, limit: number): readonly LoggedEvent[] {
    const statement = backwards ? this.#statements.allBackwards : this.#statements.allForwards;
    return (statement.all(from, limit) as unknown as Row[]).map((row) => this.#event(row));
  }

  #event(row: Row): LoggedEvent {
    return {
      stream: this.#name(row.stream_id),
      revision: row.revision,
      position: row.position,
      created: row.created,
      type: row.type,
      isJson: row.is_json !== 0,
      id: row.id,
      data: row.data,
      metadata: row.metadata,
    };
  }

  #name(id: number): string {
    let name = this.#names.get(id);
    if (name === undefined) {
      ({ name } = this.#statements.name.get(id) as { name: string });
      trim(this.#names);
      this.#names.set(id, name);
    }
    return name;
  }

  /** Forgets what only memory holds, as a restart does. */
  forget(): void {
    this.#ids.clear();
  }

  /** Commits what is pending, then closes. */
  close(): void {
    if (this.#closed) return;
    while (this.#pending.length > 0) this.#flush();
    this.#closed = true;
    closeDatabase(this.#database);
    if (this.#lock !== undefined) unlock(this.#lock);
  }
}

const nothing = new Uint8Array();

function metadataEvent(data: string): ProposedEvent {
  return { id: randomUUID(), type: "$metadata", isJson: true, data: Buffer.from(data), metadata: nothing };
}

/** Makes room for one more, of what was put in first. */
function trim(map: Map<unknown, unknown>): void {
  if (map.size < remembered) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

/**
 * Takes a file beside the log, as long as its server lives: another's appends would make what is cached here wrong. A transaction on it
 * is what holds it, because SQLite's exclusive mode is not let go of by every driver's close.
 */
function lock(path: string): Database {
  const database = openDatabase(`${path}-lock`);
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new StoreError("unavailable", `${path} is another server's`, { cause });
  }
  return database;
}

function unlock(database: Database): void {
  database.exec("ROLLBACK");
  database.close();
}

/** Whether the file is still empty. */
function checkFile(database: Database, path: string): boolean {
  const tables = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as { n: number };
  const mark = database.prepare("PRAGMA application_id").get() as { application_id: number };
  if (tables.n > 0 && mark.application_id !== applicationId) {
    throw new StoreError("notAStore", `${path} is no log of a development server`);
  }
  return tables.n === 0;
}

function openFile(database: Database, isNew: boolean): void {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA wal_autocheckpoint = 4000");
  if (!isNew) return;
  database.exec("BEGIN IMMEDIATE");
  database.exec(schema);
  database.exec(`PRAGMA application_id = ${applicationId}`);
  database.exec("COMMIT");
}

function prepare(database: Database) {
  const all = `SELECT ${columns} FROM events WHERE`;
  return {
    lastPosition: database.prepare("SELECT max(position) AS position FROM events"),
    head: database.prepare("SELECT id, last, tombstoned FROM streams WHERE name = ?"),
    name: database.prepare("SELECT name FROM streams WHERE id = ?"),
    newStream: database.prepare("INSERT INTO streams (name, last, tombstoned) VALUES (?, -1, 0)"),
    moveHead: database.prepare("UPDATE streams SET last = ?, tombstoned = ? WHERE id = ?"),
    insert: database.prepare(`INSERT INTO events (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    idAt: database.prepare("SELECT id FROM events WHERE stream_id = ? AND revision = ?"),
    dataAt: database.prepare("SELECT data FROM events WHERE stream_id = ? AND revision = ?"),
    positionAt: database.prepare("SELECT position FROM events WHERE stream_id = ? AND revision = ?"),
    forwards: database.prepare(
      `${all} stream_id = ? AND revision >= ? AND revision <= ? ORDER BY revision LIMIT ?`,
    ),
    backwards: database.prepare(
      `${all} stream_id = ? AND revision >= ? AND revision <= ? ORDER BY revision DESC LIMIT ?`,
    ),
    allForwards: database.prepare(`${all} position > ? ORDER BY position LIMIT ?`),
    allBackwards: database.prepare(`${all} position < ? ORDER BY position DESC LIMIT ?`),
  };
}
