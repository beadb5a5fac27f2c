// Keeps a copy of a server's order events in a local file, event by event and in their order, for all that reads many of them.

import { setTimeout as delay } from "node:timers/promises";

import type { OrderEvent } from "../domain/events.ts";
import { codec, orderPrefix } from "./codec.ts";
import type { EsdbStore } from "./esdb.ts";
import {
  type EventStore,
  type Message,
  type RecordedEvent,
  StoreError,
  isAfter,
  isStoreError,
  messageOf,
} from "./port.ts";
import { type SqliteStore, openSqliteStore } from "./sqlite.ts";

export interface MirrorOptions {
  /** The file; `:memory:` where nothing is to be kept. */
  readonly path: string;
  /** How long to wait for an event without any progress, in milliseconds (20,000). */
  readonly patienceMs?: number | undefined;
  /** Called after each transaction that brought events. */
  readonly onEvents?: (() => void) | undefined;
}

/** An event that was added to the copy, and the fact that it is. */
export interface Copied {
  readonly recorded: RecordedEvent;
  readonly fact: OrderEvent;
}

/**
 * Runs inside the transaction that adds events, with the copy's epoch in it: what it throws undoes them. `after` is the position of the
 * copy's event before them; undefined for the first of all.
 */
export type CopyHook = (copied: readonly Copied[], after: string | undefined, epoch: number) => void;

/** An event that is no fact of ours, or that stands behind one in its stream: it is kept beside, and folded into nothing. */
export interface SetAside {
  readonly stream: string;
  readonly revision: string;
  readonly position: string;
  readonly type: string;
  readonly reason: string;
}

/** How far the copy is behind its server. */
export interface MirrorStatus {
  readonly server: string;
  /** Everything on the server up to here has been looked at. */
  readonly position: string | undefined;
  /** Order events on the server that the copy does not hold yet; undefined where the server did not say. */
  readonly behind: number | undefined;
  /** Why the server is not heard, or the copy not kept; undefined while all is well. */
  readonly trouble: string | undefined;
  /** Events that are set aside. */
  readonly setAside: number;
}

const tables = `
CREATE TABLE IF NOT EXISTS copied (one INTEGER PRIMARY KEY CHECK (one = 1), checkpoint TEXT);
CREATE TABLE IF NOT EXISTS set_aside (
  position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
  meta TEXT NOT NULL, data TEXT NOT NULL, reason TEXT NOT NULL);
INSERT INTO copied (one) VALUES (1) ON CONFLICT DO NOTHING;
`;

/** Events written in one transaction: few enough that the server goes on sending meanwhile, and does not wait for this process. */
const mostHeld = 256;
/** How long events wait for others while there are many to come, in milliseconds. */
const massMs = 50;
const rememberedStreams = 50_000;
const longestPauseMs = 2_000;
const defaultPatienceMs = 20_000;

/** Opens the copy; it is filled from the first question on. */
export async function openMirror(server: EsdbStore, options: MirrorOptions): Promise<Mirror> {
  const copy = await openSqliteStore(options.path, { copy: true });
  try {
    await copy.write(() => copy.database.exec(tables));
    return new Mirror(server, copy, options);
  } catch (error) {
    await copy.close();
    throw error;
  }
}

interface Waiter {
  readonly until: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Mirror {
  /** The copy, whose local reads answer as if the events had been appended here; positions and revisions are the server's. */
  readonly copy: SqliteStore;
  /** The server, whose appends are remembered: what was written through it is waited for. */
  readonly server: EventStore;

  readonly #remote: EsdbStore;
  readonly #patienceMs: number;
  readonly #onEvents: (() => void) | undefined;
  readonly #sql: ReturnType<typeof statements>;
  readonly #over = new AbortController();
  /** The transaction under way. */
  #writing: Promise<void> = Promise.resolve();

  #following = false;
  #held: RecordedEvent[] = [];
  #heldTo: string | undefined;
  #checkpoint: string | undefined;
  /** It has held all that the server held, at some time since it was opened. */
  #live = false;
  /** The furthest event that was appended through `server`. */
  #written: string | undefined;
  /** All that stood on the server at the first asking is here. */
  #whole: Promise<void> | undefined;
  #failure: unknown;
  readonly #waiters = new Set<Waiter>();
  #progress = 0;

  /** By stream: its number, and the revision of its last event here. */
  readonly #streams = new Map<string, { readonly id: number; revision: bigint }>();
  readonly #types = new Map<string, number>();
  readonly #aside = new Set<string>();

  #hook: CopyHook | undefined;

  constructor(remote: EsdbStore, copy: SqliteStore, { patienceMs, onEvents }: MirrorOptions) {
    this.copy = copy;
    this.#remote = remote;
    this.#patienceMs = patienceMs ?? defaultPatienceMs;
    this.#onEvents = onEvents;
    this.#sql = statements(copy);
    this.#forget();
    this.server = this.#noting(remote);
  }

  /** Sets what goes along with the events; `undone` is called where a transaction was not to be. */
  setHook(hook: CopyHook, undone: () => void): void {
    this.#hook = hook;
    // To a copy nothing is appended: its store only tells of what was undone.
    this.copy.setTransactionHook(() => undefined, undone);
  }

  /** Follows the server from the first question on: whoever only gives commands does not pay for what is never asked. */
  #follows(): void {
    if (this.#following) return;
    this.#following = true;
    void this.#run();
  }

  /** Waits for what stood on the server at the first asking, and for all that was appended through `server` since. */
  async ready(): Promise<void> {
    this.#whole ??= this.catchUp();
    try {
      await this.#whole;
    } catch (error) {
      this.#whole = undefined;
      throw error;
    }
    await this.reached(this.#written);
  }

  /** Waits until everything is here that stands on the server now. */
  async catchUp(): Promise<void> {
    await this.#wait(() => this.#live);
    const { last } = await this.#tail(Number.POSITIVE_INFINITY);
    await this.reached(last);
  }

  /**
   * Waits until the event at this position is here.
   * @throws StoreError `unavailable` where nothing moves for long; what the copy failed with, where it is that.
   */
  async reached(position: string | undefined): Promise<void> {
    await this.#wait(() => !isAfter(position, this.#checkpoint));
  }

  async status(): Promise<MirrorStatus> {
    let behind: number | undefined;
    try {
      behind = (await this.#tail(10_000)).count;
    } catch (error) {
      this.#failure ??= error;
    }
    const trouble = this.#failure === undefined ? this.#remote.trouble() : messageOf(this.#failure);
    const { n } = this.#sql.countAside.get() as unknown as { n: number };
    return { server: this.#remote.place, position: this.#checkpoint, behind, trouble, setAside: Number(n) };
  }

  /** Events that are set aside, oldest first. */
  setAside(limit = 100): readonly SetAside[] {
    const rows = this.#sql.listAside.all(limit) as unknown as (Omit<SetAside, "position"> & {
      position: number;
    })[];
    return rows.map(({ stream, revision, position, type, reason }) => ({
      stream,
      revision,
      position: String(position),
      type,
      reason,
    }));
  }

  async close(): Promise<void> {
    this.#over.abort();
    this.#settleWaiters(new StoreError("closed", "the views are closed"));
    await this.#writing;
    await this.copy.close();
  }

  // --- waiting ---

  async #wait(until: () => boolean): Promise<void> {
    this.#follows();
    if (until()) return;
    for (;;) {
      if (this.#over.signal.aborted) throw new StoreError("closed", "the views are closed");
      if (isLasting(this.#failure)) throw this.#failure;
      const before = this.#progress;
      let timer: NodeJS.Timeout | undefined;
      let waiter: Waiter | undefined;
      const settled = await new Promise<boolean>((resolve, reject) => {
        // One that was never there is not waited for as long as one that has gone away.
        timer = setTimeout(
          () => resolve(false),
          this.#remote.heard() ? this.#patienceMs : this.#patienceMs / 4,
        );
        waiter = { until, resolve: () => resolve(true), reject };
        this.#waiters.add(waiter);
      }).finally(() => {
        clearTimeout(timer);
        if (waiter !== undefined) this.#waiters.delete(waiter);
      });
      if (settled) return;
      if (this.#progress !== before) continue;
      const why = this.#failure === undefined ? this.#remote.trouble() : messageOf(this.#failure);
      throw new StoreError(
        "unavailable",
        `${this.#remote.place}: the views have not caught up, and nothing came for long${why === undefined ? "" : `: ${why}`}`,
        { cause: this.#failure },
      );
    }
  }

  #settleWaiters(failure?: unknown): void {
    for (const waiter of this.#waiters) {
      if (waiter.until()) waiter.resolve();
      else if (failure !== undefined) waiter.reject(failure);
    }
  }

  /** What the server holds beyond the copy: how many order events, and the last of them. */
  async #tail(most: number): Promise<{ readonly count: number; readonly last: string | undefined }> {
    let count = 0;
    let last: string | undefined;
    for (let after = this.#checkpoint; ;) {
      const page = await this.#remote.readAll({ after, prefixes: [orderPrefix] });
      count += page.events.length;
      last = page.events.at(-1)?.position ?? last;
      if (page.end || count >= most) return { count, last };
      after = page.checkpoint;
    }
  }

  // --- following ---

  async #run(): Promise<void> {
    const { signal } = this.#over;
    let verified = false;
    for (let pause = 50; !signal.aborted; pause = Math.min(pause * 2, longestPauseMs)) {
      try {
        if (!verified) await this.#verify();
        verified = true;
        await this.#follow(signal);
        pause = 50;
      } catch (error) {
        if (signal.aborted) return;
        this.#failure = error;
        this.#forget();
        if (isLasting(error)) this.#settleWaiters(error);
      }
      await paused(pause, signal);
    }
  }

  async #follow(outer: AbortSignal): Promise<void> {
    const inner = new AbortController();
    const stop = (): void => inner.abort();
    outer.addEventListener("abort", stop, { once: true });
    let scheduled = false;
    let live = false;
    let failure: Error | undefined;
    let flushing: Promise<void> = Promise.resolve();
    const flush = (): Promise<void> => {
      flushing = flushing
        // What comes behind a transaction that failed would leave its events out: they are to come again.
        .then(() =>
          this.#over.signal.aborted || failure !== undefined ? undefined : (this.#writing = this.#flush()),
        )
        .catch((error: unknown) => {
          failure ??= error as Error;
          inner.abort();
        });
      return flushing;
    };
    try {
      const after = this.#checkpoint;
      for await (const messages of this.#remote.subscribeInBulk({
        after,
        prefixes: [orderPrefix],
        signal: inner.signal,
      })) {
        for (const message of messages) this.#take(message);
        if (messages.some(({ kind }) => kind === "live")) {
          await flush();
          if (failure !== undefined) break;
          live = true;
          this.#failure = undefined;
          this.#live = true;
          this.#settleWaiters();
        } else if (this.#held.length >= mostHeld) {
          await flush();
        } else if (!scheduled) {
          scheduled = true;
          const due = (): void => {
            scheduled = false;
            void flush();
          };
          // Whoever waits for one event is not kept waiting; what comes in masses shares its transactions.
          if (live) setImmediate(due);
          else setTimeout(due, massMs);
        }
      }
      await flushing;
      if (failure !== undefined) throw failure;
    } finally {
      outer.removeEventListener("abort", stop);
      await flushing;
    }
  }

  #take(message: Message): void {
    if (message.kind === "event") {
      this.#held.push(message.event);
      this.#heldTo = message.event.position;
    } else if (message.kind === "checkpoint") {
      this.#heldTo = message.checkpoint;
    }
  }

  /** Writes what is held, with where it goes up to, in one transaction: what another process has written meanwhile is left out. */
  async #flush(): Promise<void> {
    const events = this.#held;
    const to = this.#heldTo;
    this.#held = [];
    if (to === undefined || !isAfter(to, this.#checkpoint)) return;
    const reached = await this.copy.write(() => {
      const stored = this.#stored();
      if (stored !== this.#checkpoint) this.#learn();
      const after = this.#end();
      const copied: Copied[] = [];
      for (const one of events) {
        const added = isAfter(one.position, stored) ? this.#add(one) : undefined;
        if (added !== undefined) copied.push(added);
      }
      const moved = isAfter(to, stored);
      if (moved) this.#sql.move.run(to);
      if (copied.length > 0) this.#hook?.(copied, after, this.copy.local.epoch());
      return moved ? to : stored;
    });
    this.#checkpoint = reached;
    this.#progress += 1;
    this.#settleWaiters();
    if (events.length > 0) this.#onEvents?.();
  }

  #stored(): string | undefined {
    return (this.#sql.checkpoint.get() as unknown as { checkpoint: string | null }).checkpoint ?? undefined;
  }

  /** Begins anew from where the file stands: what is held comes again. */
  #forget(): void {
    this.#held = [];
    this.#heldTo = undefined;
    this.#learn();
  }

  /** Reads anew what is known of the file: another process may have written to it, or a transaction was undone. */
  #learn(): void {
    this.#streams.clear();
    this.#types.clear();
    this.#aside.clear();
    for (const { stream } of this.#sql.streamsAside.all() as unknown as { stream: string }[])
      this.#aside.add(stream);
    this.#checkpoint = this.#stored();
  }

  #end(): string | undefined {
    const { position } = this.#sql.end.get() as unknown as { position: number | null };
    return position === null ? undefined : String(position);
  }

  /** Adds an event to the copy; undefined of one that is set aside. */
  #add(event: RecordedEvent): Copied | undefined {
    const fact = this.#factOf(event);
    if (typeof fact === "string") {
      const { stream, revision, position, id, type, data, meta } = event;
      this.#sql.aside.run(Number(position), stream, String(revision), id, type, meta, data, fact);
      this.#aside.add(stream);
      return undefined;
    }
    const known = this.#stream(event.stream);
    const { position, revision, id, meta, data } = event;
    this.#sql.insert.run(
      Number(position),
      known.id,
      Number(revision),
      this.#type(event.type),
      id,
      meta,
      data,
    );
    known.revision = revision;
    return { recorded: event, fact };
  }

  /** The fact that an event is, or why it is none. One written by a newer version ends the following: it is to be folded then. */
  #factOf(event: RecordedEvent): OrderEvent | string {
    if (this.#aside.has(event.stream)) return "it stands behind an event of its stream that is set aside";
    const { revision } = this.#stream(event.stream, false);
    if (event.revision !== revision + 1n) {
      return `the events of its stream from revision ${revision + 1n} to ${event.revision - 1n} are gone`;
    }
    if (event.type === "OrderCreated" && event.revision > 0n)
      return "its stream was deleted, and begun again";
    try {
      return codec.factOf(event);
    } catch (error) {
      if (isStoreError(error, "corrupt")) return error.message;
      throw error;
    }
  }

  #stream(name: string, create = true): { readonly id: number; revision: bigint } {
    const known = this.#streams.get(name);
    if (known !== undefined && (known.id >= 0 || !create)) return known;
    const made = create ? this.#sql.createStream.run(name) : undefined;
    if (made?.changes === 1) return this.#noted(name, { id: Number(made.lastInsertRowid), revision: -1n });
    const row = this.#sql.stream.get(name) as unknown as { id: number; revision: number | null } | undefined;
    return this.#noted(name, { id: row?.id ?? -1, revision: BigInt(row?.revision ?? -1) });
  }

  #noted(name: string, found: { readonly id: number; revision: bigint }): typeof found {
    if (this.#streams.size >= rememberedStreams) this.#streams.clear();
    this.#streams.set(name, found);
    return found;
  }

  #type(name: string): number {
    const known = this.#types.get(name);
    if (known !== undefined) return known;
    this.#sql.createType.run(name);
    const { id } = this.#sql.type.get(name) as unknown as { id: number };
    this.#types.set(name, id);
    return id;
  }

  /**
   * Looks for one of the latest events of the copy on the server, before anything is added to it.
   * @throws StoreError `notAStore` where the copy is another server's.
   */
  async #verify(): Promise<void> {
    const page = this.#sql.latest.all() as unknown as {
      name: string;
      revision: number;
      id: string;
      position: number;
    }[];
    for (const { name, revision, id, position } of page) {
      try {
        const there = await this.#remote.readStream(name, { from: BigInt(revision), limit: 1 });
        if (there[0]?.id.toLowerCase() === id.toLowerCase() && there[0].position === String(position)) return;
      } catch (error) {
        if (!isStoreError(error, "gone")) throw error;
      }
    }
    if (page.length === 0) return;
    throw new StoreError(
      "notAStore",
      `the file of the views holds the events of another server than ${this.#remote.place}, or of one that has lost its own: name another file`,
    );
  }

  #noting(remote: EsdbStore): EventStore {
    return {
      kind: remote.kind,
      append: async (stream, expected, events, options) => {
        const appended = await remote.append(stream, expected, events, options);
        if (stream.startsWith(orderPrefix) && isAfter(appended.position, this.#written)) {
          this.#written = appended.position;
        }
        return appended;
      },
      readStream: (stream, read) => remote.readStream(stream, read),
      readAll: (read) => remote.readAll(read),
      takenClaim: (claims, stream) => remote.takenClaim(claims, stream),
      head: () => remote.head(),
      subscribe: (options) => remote.subscribe(options),
      close: () => remote.close(),
    };
  }
}

/** To try again is in vain, until somebody does something about it. */
function isLasting(failure: unknown): boolean {
  return (
    failure !== undefined &&
    isStoreError(failure) &&
    failure.code !== "unavailable" &&
    failure.code !== "full"
  );
}

async function paused(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

function statements({ database }: SqliteStore) {
  return {
    checkpoint: database.prepare("SELECT checkpoint FROM copied"),
    move: database.prepare("UPDATE copied SET checkpoint = ?"),
    createStream: database.prepare("INSERT INTO streams (name) VALUES (?) ON CONFLICT DO NOTHING"),
    stream: database.prepare(
      "SELECT id, (SELECT max(revision) FROM events WHERE stream_id = streams.id) AS revision FROM streams WHERE name = ?",
    ),
    createType: database.prepare("INSERT INTO types (name) VALUES (?) ON CONFLICT DO NOTHING"),
    type: database.prepare("SELECT id FROM types WHERE name = ?"),
    insert: database.prepare(
      "INSERT INTO events (position, stream_id, revision, type_id, id, meta, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ),
    aside: database.prepare(
      `INSERT INTO set_aside (position, stream, revision, id, type, meta, data, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    streamsAside: database.prepare("SELECT DISTINCT stream FROM set_aside"),
    countAside: database.prepare("SELECT count(*) AS n FROM set_aside"),
    listAside: database.prepare(
      "SELECT stream, revision, position, type, reason FROM set_aside ORDER BY position LIMIT ?",
    ),
    end: database.prepare("SELECT max(position) AS position FROM events"),
    latest: database.prepare(
      `SELECT name, revision, events.id AS id, position FROM events JOIN streams ON streams.id = stream_id
       ORDER BY position DESC LIMIT 20`,
    ),
  };
}
