// Keeps the views: with the appends, many changes in one of their transactions; caught up before an answer; rebuilt beside and swapped.

import type { OrderEvent } from "../domain/events.ts";
import type { OrderState } from "../domain/state.ts";
import { type Codec, codec as currentCodec, orderPrefix } from "../store/codec.ts";
import { type Database, storeError, openDatabase } from "../store/database.ts";
import {
  type EventStore,
  type InTransaction,
  type LocalReads,
  isAfter,
  isStoreError,
} from "../store/port.ts";
import { foldPage, foldStream, scanOf } from "./fold.ts";
import { type AnyView, type Writer, definitionHash } from "./view.ts";

/** How a view stands. */
export interface ViewStatus {
  readonly view: string;
  readonly generation: number;
  /** Up to where its rows go; undefined: from the beginning. */
  readonly position: string | undefined;
  /** Nothing is missing from its rows. */
  readonly current: boolean;
  /** Why it stopped following, where it did: its rows are right up to its position. */
  readonly fault: string | undefined;
}

/** Rows of a view as another version of the package defines it. */
export interface ForeignGeneration {
  readonly view: string;
  readonly generation: number;
}

export interface RebuildProgress {
  readonly view: string;
  readonly generation: number;
  /** Orders folded so far, and in all when known. */
  readonly done: number;
  readonly total: number;
}

/** A view could not be read or kept; its cause is the defect. */
export class ViewError extends Error {
  readonly view: string;

  constructor(view: string, message: string, options?: ErrorOptions) {
    super(`view ${view}: ${message}`, options);
    this.name = "ViewError";
    this.view = view;
  }
}

/** One order's summaries, a place a view; a view whose fold threw has the fault instead. */
export type Summaries = readonly unknown[];

/** What goes along with an order's events: its summaries before them and after. */
interface Summarised {
  readonly before: Summaries;
  readonly after: Summaries;
}

/** What the views take along: of an append, or of all that came in of an order in one transaction. */
export type Taken = Pick<InTransaction, "stream" | "after" | "lastPosition" | "context">;

class Poison {
  readonly fault: unknown;

  constructor(fault: unknown) {
    this.fault = fault;
  }
}

/** A view of this process with the generation of its rows that this process keeps. */
interface Kept {
  readonly view: AnyView;
  readonly hash: string;
  generation: number;
  /** Made when there is something to write: the tables may be gone, where another process swapped them away. */
  writer: Writer<unknown> | undefined;
  /** What the writer holds that is in no row yet: the events after `from`, up to `to`. */
  held: { readonly from: string | undefined; readonly to: string; readonly changes: number } | undefined;
}

interface GenerationRow {
  readonly generation: number;
  readonly hash: string;
  readonly state: "active" | "building";
  readonly position: string | null;
  readonly target: string | null;
  readonly scanned: number;
  readonly fault: string | null;
}

export interface RunnerOptions {
  readonly store: EventStore & { readonly local: LocalReads };
  /** Where the views' rows live: the store's own file, or a database beside it. */
  readonly database: Database;
  /** The rows share the appends' transaction; else the runner begins and ends its own. */
  readonly shared: boolean;
  /** Runs work in a write transaction of the database. */
  readonly write: <T>(work: () => T) => Promise<T>;
  readonly views: readonly AnyView[];
  readonly codec?: Codec | undefined;
  /** Changes that a view holds before it writes them; 4,096 without it. */
  readonly mostHeld?: number | undefined;
}

/**
 * Streams that are folded in one turn; how many rows are written in one transaction, by the turn; and how many turns it may take to come to
 * them: counters of few buyers are written seldom.
 */
const streamsAPage = 500;
const rowsAChunk = 16 * streamsAPage;
const pagesAChunk = 64;

/**
 * Changes that a view holds before it writes them, where nothing else is said. An order that goes through several statuses meanwhile is
 * written once, as is a counter that many orders touch: measured, that is most of what the views would cost in every append's own
 * transaction.
 */
const usuallyHeld = 4_096;

const registry = `CREATE TABLE IF NOT EXISTS views (
  name TEXT NOT NULL, generation INTEGER NOT NULL, hash TEXT NOT NULL, state TEXT NOT NULL,
  position TEXT, target TEXT, scanned INTEGER NOT NULL DEFAULT 0, fault TEXT, PRIMARY KEY (name, generation))`;

export class ViewRunner {
  readonly #options: RunnerOptions;
  readonly #database: Database;
  readonly #store: RunnerOptions["store"];
  readonly #codec: Codec;
  readonly #kept: Kept[] = [];
  readonly #sql: ReturnType<typeof statements>;
  readonly #catchingUp = new Map<string, Promise<void>>();

  /** The positions of the generations kept, as read at `#epoch`. */
  #positions: (string | undefined)[] = [];
  #epoch = -1;

  private constructor(options: RunnerOptions) {
    this.#options = options;
    this.#database = options.database;
    this.#store = options.store;
    this.#codec = options.codec ?? currentCodec;
    this.#sql = statements(options.database);
  }

  /** Opens the views, creating the tables of those whose present definition has none; nothing is caught up yet. */
  static async open(options: RunnerOptions): Promise<ViewRunner> {
    await options.write(() => options.database.exec(registry));
    const runner = new ViewRunner(options);
    for (const view of options.views) await runner.#adopt(view);
    return runner;
  }

  /** The views of a file that is only read: those whose definition it holds. */
  static openReadOnly(options: RunnerOptions): ViewRunner {
    if (options.database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'views'").get() === undefined) {
      // A store that no engine has opened yet keeps no views.
      const none = openDatabase(":memory:");
      none.exec(registry);
      return new ViewRunner({ ...options, database: none });
    }
    const runner = new ViewRunner(options);
    for (const view of options.views) {
      const hash = definitionHash(view);
      const found = runner.#generations(view.name).find((row) => row.hash === hash && row.state === "active");
      if (found === undefined) continue;
      runner.#kept.push({ view, hash, generation: found.generation, writer: undefined, held: undefined });
    }
    return runner;
  }

  // --- beside each order's state ---

  get emptySummaries(): Summaries {
    return this.#kept.map(() => undefined);
  }

  /**
   * Folds one more event into an order's summaries, `state` being the order's state after it. A fold that throws poisons its own view's
   * summary, and nothing else.
   */
  evolve(summaries: Summaries, event: OrderEvent, state: OrderState): Summaries {
    const after: unknown[] = [];
    for (const { view } of this.#kept) {
      const summary = summaries[after.length];
      if (view.ofState === true) after.push(state);
      else if (view.reads[event.type] === undefined || summary instanceof Poison) after.push(summary);
      else after.push(foldOrPoison(view, summary, event));
    }
    return after;
  }

  // --- inside the append's transaction ---

  /** Whether there is a view that would take along what comes behind this position. */
  follows(after: string | undefined, epoch: number): boolean {
    this.#refresh(epoch);
    return this.#kept.some(
      (kept, index) => this.#positions[index] === after || this.#joins(kept, index, after),
    );
  }

  /** Whether what a view holds goes on at this position: nobody has moved its rows, and nobody appended in between. */
  #joins({ held }: Kept, index: number, after: string | undefined): boolean {
    return held !== undefined && held.from === this.#positions[index] && held.to === after;
  }

  /** The transaction hook: every view that is up to here takes the appends along, with its position or not at all. */
  keep(appended: readonly Taken[], epoch: number): void {
    if (this.#kept.length === 0) return;
    const changes = appended.filter(({ stream }) => stream.startsWith(orderPrefix));
    const after = appended[0]?.after;
    const last = appended.at(-1)?.lastPosition as string;
    this.#refresh(epoch);
    if (!this.#options.shared) this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.#kept.forEach((kept, index) => this.#keepOne(kept, index, changes, after, last));
      if (!this.#options.shared) this.#database.exec("COMMIT");
    } catch (error) {
      if (!this.#options.shared) this.#database.exec("ROLLBACK");
      this.undone();
      throw error;
    }
  }

  /** Forgets what was taken along with appends that did not come to be. */
  undone(): void {
    this.#epoch = -1;
    for (const kept of this.#kept) if (kept.held !== undefined) this.#drop(kept);
  }

  /** A view that throws stays where it was, its fault is noted, and the append goes on. */
  #keepOne(
    kept: Kept,
    index: number,
    changes: readonly Taken[],
    after: string | undefined,
    last: string,
  ): void {
    const position = this.#positions[index];
    if (!this.#joins(kept, index, after)) {
      if (kept.held !== undefined) this.#drop(kept);
      if (position !== after) return;
    }
    try {
      for (const { stream, context } of changes) {
        const { before, after: now } = context as Summarised;
        const summary = now[index];
        if (summary instanceof Poison) throw summary.fault;
        kept.writer ??= this.#writer(kept.view, kept.generation);
        kept.writer.change(stream.slice(orderPrefix.length), before[index], summary);
      }
      const held = (kept.held?.changes ?? 0) + changes.length;
      kept.held = { from: position, to: last, changes: held };
      if (held < (this.#options.mostHeld ?? usuallyHeld)) return;
      this.#sql.savepoint.run();
      try {
        this.#writeHeld(kept, index);
      } catch (fault) {
        if (storeError(fault, "") === fault) {
          this.#sql.rollbackTo.run();
          this.#sql.release.run();
        }
        throw fault;
      }
      this.#sql.release.run();
    } catch (fault) {
      this.#drop(kept);
      // A full disk is no defect of the view: it ends the append, whose transaction SQLite may have undone already.
      if (storeError(fault, "") !== fault) throw fault;
      this.#sql.fault.run(describe(fault), kept.view.name, kept.generation);
      this.#positions[index] = "";
    }
  }

  /** Writes what a view holds; to be called inside a write transaction in which its position was read. */
  #writeHeld(kept: Kept, index: number): void {
    if (kept.held === undefined) return;
    const { to } = kept.held;
    kept.writer?.flush();
    this.#move(kept, index, to);
    kept.held = undefined;
  }

  #drop(kept: Kept): void {
    kept.writer = undefined;
    kept.held = undefined;
  }

  /** Writes what a view holds in a transaction of its own, unless its rows have moved meanwhile. */
  async #settle(kept: Kept): Promise<void> {
    if (kept.held === undefined) return;
    await this.#options.write(() => {
      this.#epoch = -1;
      const row = this.#row(kept.view.name, kept.generation);
      if (row !== undefined && row.fault === null && (row.position ?? undefined) === kept.held?.from) {
        try {
          this.#writeHeld(kept, this.#kept.indexOf(kept));
        } catch (error) {
          throw this.#failure(
            kept.view,
            `cannot be brought on from position ${row.position ?? "the beginning"}`,
            error,
          );
        }
      } else {
        this.#drop(kept);
      }
    });
  }

  /** Writes what all views hold. */
  async settle(): Promise<void> {
    for (const kept of this.#kept) await this.#settle(kept);
  }

  #move(kept: Kept, index: number, position: string): void {
    this.#sql.move.run(position, kept.view.name, kept.generation);
    this.#positions[index] = position;
  }

  /** Reads where the generations stand, unless nobody else can have moved them since. */
  #refresh(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#positions = this.#kept.map(({ view, generation }) => {
      const row = this.#row(view.name, generation);
      // A generation that is gone, or has a fault, is nobody's to move: it equals no position.
      if (row === undefined || row.fault !== null) return "";
      return row.position ?? undefined;
    });
    this.#epoch = epoch;
  }

  // --- reading ---

  /**
   * Brings a view up to the store's end and gives the name of its tables, so that an answer is never behind.
   * @throws ViewError where the view is none of this process, or cannot be folded; its cause is the defect.
   */
  async ready(name: string): Promise<string> {
    const kept = this.#find(name);
    if (!(await this.#isUpToDate(kept))) await this.#catchUp(kept);
    return prefixOf(kept.view, kept.generation);
  }

  /** Whether a view's rows hold all that the store held when it was asked: nothing is to be brought on, as for most answers. */
  async #isUpToDate(kept: Kept): Promise<boolean> {
    return this.#standsAt(kept, await this.#store.head());
  }

  /** Whether a view is to be brought on before it can answer, as far as this process knows without looking. */
  holds(name: string): boolean {
    return this.#find(name).held !== undefined;
  }

  /**
   * The name of a view's tables, where their rows hold all that the store holds now; undefined where they are to be brought on first.
   * Over a copy of a server's events this tells of the copy.
   */
  current(name: string): string | undefined {
    const kept = this.#find(name);
    return this.#standsAt(kept, this.#store.local.head()) ? prefixOf(kept.view, kept.generation) : undefined;
  }

  #standsAt(kept: Kept, head: string | undefined): boolean {
    if (kept.held !== undefined) return false;
    const row = this.#sql.position.get(kept.view.name, kept.generation) as unknown as
      | Pick<GenerationRow, "position">
      | undefined;
    return row !== undefined && !isAfter(head, row.position ?? undefined);
  }

  /** The name of a view's tables, whose rows may be behind. */
  tables(name: string): string {
    const { view, generation } = this.#find(name);
    return prefixOf(view, generation);
  }

  /** Up to where a view's rows go now. */
  position(name: string): string | undefined {
    return this.#row(name, this.#find(name).generation)?.position ?? undefined;
  }

  async status(): Promise<readonly ViewStatus[]> {
    const head = await this.#store.head();
    return this.#kept.map(({ view, generation }) => {
      const row = this.#row(view.name, generation);
      const position = row?.position ?? undefined;
      return {
        view: view.name,
        generation,
        position,
        current: !isAfter(head, position),
        fault: row?.fault ?? undefined,
      };
    });
  }

  /** Brings every view up to the store's end; those of which there is nothing yet are made in one pass over the events. */
  async catchUpAll(): Promise<void> {
    await this.#scanTogether();
    for (const kept of this.#kept) await this.#catchUp(kept);
  }

  #catchUp(kept: Kept): Promise<void> {
    const { name } = kept.view;
    const running = this.#catchingUp.get(name);
    // One that runs already may have looked at the end before the caller's own append: wait for it, then look again.
    const next = (running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.#catchUpNow(kept))
      .finally(() => {
        if (this.#catchingUp.get(name) === next) this.#catchingUp.delete(name);
      });
    this.#catchingUp.set(name, next);
    return next;
  }

  async #catchUpNow(kept: Kept): Promise<void> {
    try {
      await this.#bringUp(kept);
    } catch (error) {
      if (error instanceof ViewError) {
        const { name } = kept.view;
        await this.#options.write(() => this.#sql.fault.run(describe(error.cause), name, kept.generation));
      }
      throw error;
    }
  }

  /** A defect of the view is a ViewError; what the store could not do stays the store's error. */
  #failure(view: AnyView, what: string, error: unknown): unknown {
    return isStoreError(error) || storeError(error, "") !== error
      ? error
      : new ViewError(view.name, what, { cause: error });
  }

  async #bringUp(kept: Kept): Promise<void> {
    const { view } = kept;
    for (;;) {
      const head = await this.#store.head();
      await this.#settle(kept);
      const row = this.#row(view.name, kept.generation);
      if (row === undefined) {
        // Another process has rebuilt it and swapped this generation away.
        await this.#adopt(view);
      } else if (!isAfter(head, row.position ?? undefined)) {
        return;
      } else if (row.position === null) {
        await this.#options.write(() => this.#sql.aim.run(head as string, view.name, kept.generation));
        await this.#scan([kept], {});
        this.#epoch = -1;
      } else {
        await this.#options.write(() => this.#catchUpPage(view, kept.generation));
      }
    }
  }

  /** What cannot be made together is left to be made alone: then one view's fault is no other's. */
  async #scanTogether(): Promise<void> {
    if (this.#unmade().length < 2) return;
    const head = await this.#store.head();
    if (head === undefined) return;
    try {
      // What was taken along from the first event on is made.
      await this.settle();
      const [first, ...others] = this.#unmade();
      if (first === undefined || others.length === 0) return;
      await this.#options.write(() => {
        for (const { view, generation } of [first, ...others]) this.#sql.aim.run(head, view.name, generation);
      });
      await this.#scan([first, ...others], {});
    } catch (error) {
      if (!(error instanceof ViewError)) throw error;
    } finally {
      this.#epoch = -1;
    }
  }

  /** The views of which there is nothing yet. */
  #unmade(): readonly Kept[] {
    return this.#kept.filter(({ view, generation }) => {
      const row = this.#row(view.name, generation);
      return row !== undefined && row.position === null;
    });
  }

  /** Folds a page of events beyond a generation's position into its rows; to be called inside a write transaction. */
  #catchUpPage(view: AnyView, generation: number): boolean {
    const row = this.#row(view.name, generation);
    if (row === undefined) return true;
    const from = row.position ?? undefined;
    this.#epoch = -1;
    try {
      // A writer of its own: one that appends fill meanwhile, or that a failure left half full, would write something twice.
      const writer = this.#writer(view, generation);
      const { position, end } = foldPage(this.#store.local, this.#codec, view, writer, from);
      if (position !== undefined) this.#sql.move.run(position, view.name, generation);
      return end;
    } catch (error) {
      throw this.#failure(view, `cannot be brought on from position ${from ?? "the beginning"}`, error);
    }
  }

  // --- generations ---

  #find(name: string): Kept {
    const kept = this.#kept.find(({ view }) => view.name === name);
    if (kept === undefined) {
      const known = this.#kept.map(({ view }) => view.name).join(", ");
      throw new ViewError(name, `is not kept here; these are: ${known}`);
    }
    return kept;
  }

  /** Takes up the view's active generation of the present definition; creates an empty one where there is none. */
  async #adopt(view: AnyView): Promise<void> {
    const hash = definitionHash(view);
    const generation = await this.#options.write(() => {
      const found = this.#generations(view.name).find((row) => row.hash === hash && row.state === "active");
      return found?.generation ?? this.#create(view, hash, "active", null);
    });
    const kept = this.#kept.find((one) => one.view === view);
    if (kept === undefined) this.#kept.push({ view, hash, generation, writer: undefined, held: undefined });
    else Object.assign(kept, { generation, writer: undefined, held: undefined });
    this.#epoch = -1;
  }

  #create(view: AnyView, hash: string, state: GenerationRow["state"], target: string | null): number {
    const generation = Math.max(0, ...this.#generations(view.name).map((row) => row.generation)) + 1;
    for (const { sql } of view.tables(prefixOf(view, generation))) this.#database.exec(sql);
    this.#sql.create.run(view.name, generation, hash, state, target);
    return generation;
  }

  #dropTables(view: AnyView, generation: number): void {
    for (const { name } of view.tables(prefixOf(view, generation))) {
      this.#database.exec(`DROP TABLE IF EXISTS ${name}`);
    }
    this.#sql.remove.run(view.name, generation);
  }

  #writer(view: AnyView, generation: number): Writer<unknown> {
    return view.writer(this.#database, prefixOf(view, generation));
  }

  #generations(name: string): readonly GenerationRow[] {
    return this.#sql.generations.all(name) as unknown as GenerationRow[];
  }

  #row(name: string, generation: number): GenerationRow | undefined {
    return this.#sql.generation.get(name, generation) as unknown as GenerationRow | undefined;
  }

  /**
   * Rebuilds a view from the events into a new generation beside the present one, which goes on answering, and swaps them in one
   * transaction. What was begun and broken off is taken up where it stood; nothing stops appends meanwhile.
   * @param onProgress called after each chunk.
   * @throws the signal's reason when aborted between two chunks: call again to go on.
   */
  async rebuild(
    name: string,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: (progress: RebuildProgress) => void;
    } = {},
  ): Promise<RebuildProgress> {
    const kept = this.#find(name);
    const { view, hash } = kept;
    const head = (await this.#store.head()) ?? null;
    const generation = await this.#options.write(() => {
      const begun = this.#generations(name).find((row) => row.hash === hash && row.state === "building");
      return begun?.generation ?? this.#create(view, hash, "building", head);
    });
    const scanned = await this.#scan([{ view, generation }], options);
    // What came in meanwhile, in chunks; then the rest and the swap in one transaction.
    for (;;) {
      options.signal?.throwIfAborted();
      if (await this.#options.write(() => this.#catchUpPage(view, generation))) break;
    }
    await this.#options.write(() => {
      if (this.#row(name, generation) === undefined) return;
      while (!this.#catchUpPage(view, generation));
      for (const row of this.#generations(name)) {
        if (row.hash === hash && row.generation !== generation) this.#dropTables(view, row.generation);
      }
      this.#sql.activate.run(name, generation);
    });
    await this.#adopt(view);
    return { view: name, generation, ...scanned };
  }

  /** Generations of other definitions than these: rows that another version of the package left, or still keeps. */
  foreign(views: readonly AnyView[]): readonly ForeignGeneration[] {
    const ours = new Set(views.map((view) => `${view.name} ${definitionHash(view)}`));
    return this.#sql.everything
      .all()
      .map((row) => row as unknown as ForeignGeneration & { readonly hash: string })
      .filter(({ view, hash }) => !ours.has(`${view} ${hash}`))
      .map(({ view, generation }) => ({ view, generation }));
  }

  /** Drops the foreign generations. A process of the version that kept one makes its own anew when it next reads or writes. */
  prune(views: readonly AnyView[]): Promise<readonly ForeignGeneration[]> {
    return this.#options.write(() => {
      const dropped = this.foreign(views);
      for (const { view, generation } of dropped) {
        const prefix = `${view}_${generation}`;
        const tables = this.#sql.tables.all(prefix, `${prefix}_*`) as unknown as { readonly name: string }[];
        // A text index takes its own tables along.
        for (const { name } of tables) this.#database.exec(`DROP TABLE IF EXISTS "${name}"`);
        this.#sql.remove.run(view, generation);
      }
      return dropped;
    });
  }

  /**
   * The first pass of a rebuild: whole orders up to the position where it began, each folded once, in the order of creation. Several
   * generations that stand alike share it.
   */
  async #scan(
    building: Scanned,
    {
      signal,
      onProgress,
    }: {
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: (progress: RebuildProgress) => void;
    },
  ): Promise<{ readonly done: number; readonly total: number }> {
    const [{ view, generation }] = building;
    for (;;) {
      const [row, ...others] = building.map((one) => this.#row(one.view.name, one.generation));
      // Another process swapped it away, or there was nothing to scan, or the scan was finished before.
      if (row === undefined || row.target === null || row.position !== null) {
        const done = row?.scanned ?? 0;
        return { done, total: done };
      }
      // Another process has brought one of them on: each goes on by itself.
      if (others.some((one) => one === undefined || !standAlike(one, row)))
        return { done: row.scanned, total: row.scanned };
      const { writers, next, end, total } = await this.#foldChunk(building, row, signal);
      await this.#options.write(() => {
        for (const [index, one] of building.entries()) {
          const now = this.#row(one.view.name, one.generation);
          // Another process was here meanwhile: its rows are these.
          if (now === undefined || !standAlike(now, row)) continue;
          try {
            writers[index]?.flush();
          } catch (error) {
            throw this.#failure(one.view, "cannot be built from the events", error);
          }
          this.#sql.scanned.run(next, end ? row.target : null, one.view.name, one.generation);
        }
      });
      onProgress?.({ view: view.name, generation, done: next, total });
      if (end) return { done: next, total };
    }
  }

  /** Folds the next streams of a scan. What was committed up to its target stands still, so it needs no transaction, and holds up nobody. */
  async #foldChunk(
    building: Scanned,
    { scanned, target }: GenerationRow,
    signal: AbortSignal | undefined,
  ): Promise<{
    readonly writers: readonly Writer<unknown>[];
    readonly next: number;
    readonly end: boolean;
    readonly total: number;
  }> {
    const views = building.map(({ view }) => view);
    const scan = scanOf(views, this.#codec);
    const upTo = target ?? undefined;
    try {
      const writers = building.map(({ view, generation }) => this.#writer(view, generation));
      let next = scanned;
      for (let pages = 1; ; pages += 1) {
        signal?.throwIfAborted();
        const page = this.#store.local.streams({ ...scan, after: next, limit: streamsAPage, upTo });
        for (const { stream, events } of page.streams) {
          if (!stream.startsWith(orderPrefix)) continue;
          const orderId = stream.slice(orderPrefix.length);
          const summaries = foldStream(views, events, this.#codec);
          writers.forEach((writer, index) => writer.change(orderId, undefined, summaries[index]));
        }
        ({ next } = page);
        const full = pages === pagesAChunk || writers.some(({ waiting }) => waiting >= rowsAChunk);
        if (page.end || full) return { writers, next, end: page.end, total: page.total };
        await new Promise(setImmediate);
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#failure(building[0].view, "cannot be built from the events", error);
    }
  }
}

/** A generation that is made from nothing. */
type Building = Pick<Kept, "view" | "generation">;

type Scanned = readonly [Building, ...Building[]];

function standAlike(one: GenerationRow, other: GenerationRow): boolean {
  return one.scanned === other.scanned && one.target === other.target && one.position === other.position;
}

function foldOrPoison(view: AnyView, summary: unknown, event: OrderEvent): unknown {
  try {
    return view.fold(summary, event);
  } catch (fault) {
    return new Poison(fault);
  }
}

function prefixOf(view: AnyView, generation: number): string {
  return `${view.name}_${generation}`;
}

function describe(fault: unknown): string {
  return fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault);
}

function statements(database: Database) {
  const columns = "generation, hash, state, position, target, scanned, fault";
  return {
    generations: database.prepare(`SELECT ${columns} FROM views WHERE name = ? ORDER BY generation DESC`),
    generation: database.prepare(`SELECT ${columns} FROM views WHERE name = ? AND generation = ?`),
    position: database.prepare("SELECT position FROM views WHERE name = ? AND generation = ?"),
    create: database.prepare(
      "INSERT INTO views (name, generation, hash, state, target) VALUES (?, ?, ?, ?, ?)",
    ),
    move: database.prepare("UPDATE views SET position = ?, fault = NULL WHERE name = ? AND generation = ?"),
    aim: database.prepare(
      "UPDATE views SET target = ? WHERE name = ? AND generation = ? AND target IS NULL AND position IS NULL",
    ),
    fault: database.prepare("UPDATE views SET fault = ? WHERE name = ? AND generation = ?"),
    scanned: database.prepare(
      "UPDATE views SET scanned = ?, position = ?, fault = NULL WHERE name = ? AND generation = ?",
    ),
    activate: database.prepare("UPDATE views SET state = 'active' WHERE name = ? AND generation = ?"),
    everything: database.prepare(
      "SELECT name AS view, generation, hash FROM views ORDER BY name, generation",
    ),
    tables: database.prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND (name = ? OR name GLOB ?)
       ORDER BY sql NOT LIKE 'CREATE VIRTUAL%', name`,
    ),
    remove: database.prepare("DELETE FROM views WHERE name = ? AND generation = ?"),
    savepoint: database.prepare("SAVEPOINT a_view"),
    release: database.prepare("RELEASE a_view"),
    rollbackTo: database.prepare("ROLLBACK TO a_view"),
  };
}
