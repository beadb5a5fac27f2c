// Joins the rooms: opens a store, keeps its views with its events, and is the door to commands, views, deadlines and replay.

import * as E from "fp-ts/lib/Either.js";

import { type Comparison, compare } from "./audit/check.ts";
import { type Explanation, explain } from "./audit/explain.ts";
import { type ReplayOptions, type ReplayTotals, replayFile, replayOrders } from "./audit/replay.ts";
import { refusalElsewhere } from "./commands/claims.ts";
import { type Due, type DueOrders, type Fired, listDue, runDue } from "./commands/due.ts";
import {
  CommandHandler,
  type MerchantPolicy,
  type Preview,
  type Receipt,
  defaultCachedOrders,
} from "./commands/handle.ts";
import { wholeInstant } from "./commands/instant.ts";
import type { ExecuteOptions } from "./commands/parse.ts";
import type { PaymentProvider, Wallet } from "./commands/refundPorts.ts";
import {
  type PayingCases,
  type RefundInFlight,
  RefundProcess,
  type RefundRun,
  type RefundRunOptions,
} from "./commands/refunds.ts";
import { codeHash, redemptionCode } from "./commands/redemption.ts";
import { type TermsOption, policies } from "./commands/terms.ts";
import { type KeptWallet, StoredWallet } from "./commands/wallet.ts";
import type { Command } from "./domain/commands.ts";
import type { Rejection } from "./domain/refusals.ts";
import type { OrderState } from "./domain/state.ts";
import { type Bound, buildScratch } from "./projections/asof.ts";
import {
  type CaseFilter,
  type CasePage,
  type QueueFilter,
  casesView,
  readCaseOwner,
  readCases,
  readQueue,
} from "./projections/cases.ts";
import { type OrderDetail, type OrderTold, detailOf, tell } from "./projections/detail.ts";
import { Arrivals } from "./projections/arrivals.ts";
import {
  type OrderFilter,
  type OrderPage,
  ordersView,
  readByCode,
  readDue,
  readOrderCount,
  readOrders,
  readOwner,
} from "./projections/orders.ts";
import { type RefundDetail, type RefundHistory, historyOf, refundOf } from "./projections/refund.ts";
import {
  type ForeignGeneration,
  type RebuildProgress,
  type Summaries,
  ViewError,
  ViewRunner,
  type ViewStatus,
} from "./projections/runner.ts";
import { matching, searchView } from "./projections/search.ts";
import { type Scope, type Statistics, readStatistics, statisticsView } from "./projections/statistics.ts";
import { OrderStreams } from "./projections/streams.ts";
import { type AnyView, anyView } from "./projections/view.ts";
import { type Envelope, codec, orderPrefix, streamOf } from "./store/codec.ts";
import { type Database, openDatabase } from "./store/database.ts";
import { type FileDescription, describeFile } from "./store/describe.ts";
import type { EsdbStore } from "./store/esdb.ts";
import type { MemoryStore } from "./store/memory.ts";
import { type Mirror, type MirrorStatus, type SetAside, openMirror } from "./store/mirror.ts";
import { fileOf, openStoreAt } from "./store/open.ts";
import {
  type AllPage,
  type EventStore,
  type LocalReads,
  type RecordedEvent,
  StoreError,
  isAfter,
  isStoreError,
} from "./store/port.ts";
import { SharedReads } from "./store/sharedReads.ts";
import type { SqliteStore } from "./store/sqlite.ts";

/** Every view of the package, in the order in which they are kept. */
const allViews: readonly AnyView[] = [
  anyView(statisticsView),
  anyView(ordersView),
  anyView(searchView),
  anyView(casesView),
];

export const viewNames: readonly string[] = allViews.map(({ name }) => name);

export interface EngineOptions {
  /**
   * `memory:`, `sqlite:FILE` (created where there is none), or `esdb://HOST:2113` and `esdb+discover://HOST:2113`; or a store just opened,
   * which the engine then owns and closes.
   */
  readonly store: string | MemoryStore | SqliteStore | EsdbStore;
  /**
   * The SQLite file in which the views over a server are kept, with a copy of its order events; without it they are in memory, and made
   * anew each time. Each machine has its own; processes of one machine may share one.
   */
  readonly viewsFile?: string | undefined;
  /** Milliseconds UTC now; used where a command gives no instant of its own. */
  readonly clock?: (() => number) | undefined;
  /** The terms in force by merchant id, `*` for all others; copied into each order. */
  readonly terms?: TermsOption | undefined;
  /** The secret that write-off codes are derived from; without it orders with a code are refused. */
  readonly redeemKey?: string | undefined;
  /** Pays refunds back the way the payment came; without it those stay in flight until their outcome is recorded by a command. */
  readonly payments?: PaymentProvider | undefined;
  /** Pays refunds into the buyers' wallet; likewise. `kept`: into the wallets in the engine's own store. */
  readonly wallet?: Wallet | "kept" | undefined;
  /** Which views to keep; all without it. A view that is not kept here falls behind and is caught up by who keeps it. */
  readonly views?: readonly string[] | undefined;
  /** Opens the store for reading only. */
  readonly readOnly?: boolean | undefined;
  /** How many orders' states stay in memory; 10,000 without it. Of a tenth as many at the most, 1,000 without it, the events do too. */
  readonly cachedOrders?: number | undefined;
}

/** Up to where to look back: an instant, a position in the store, or a revision of the order. All inclusive. */
export interface AsOf extends Bound {
  readonly revision?: bigint | undefined;
}

export interface Progress {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with how much is done, of how much. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface StatisticsQuery extends Progress {
  readonly buyerId?: string | undefined;
  readonly merchantId?: string | undefined;
  readonly at?: Bound | undefined;
}

/** The counts in all, and of the buyer or merchant that was asked for. */
export interface StatisticsAnswer {
  readonly all: Statistics;
  readonly buyer?: Statistics;
  readonly merchant?: Statistics;
}

/** One order's cases, each with its log. */
export interface OrderRefundsQuery {
  readonly orderId: string;
  readonly at?: AsOf | undefined;
  /** For when to say what may be done: milliseconds UTC. Without it the instant of `at`, of its last event, or the clock's. */
  readonly now?: number | undefined;
}

/** The cases of a buyer, of a merchant or of all. */
export type CasesQuery = CaseFilter & Progress & { readonly at?: Bound | undefined };

/** A case by its id, or the latest of a line. */
export type RefundQuery = OrderRefundsQuery & ({ readonly caseId: string } | { readonly lineId: string });

export interface Views {
  /** Order statistics; kept, never counted at the asking, but for a look back. */
  statistics(query?: StatisticsQuery): Promise<StatisticsAnswer>;
  /** The counts of one scope alone. */
  counts(scope: Scope): Promise<Statistics>;
  /** A page of the order list, newest first. */
  orders(filter?: OrderFilter & Progress & { readonly at?: Bound | undefined }): Promise<OrderPage>;
  /** How many orders a filter finds on all its pages. */
  orderCount(filter?: OrderFilter & Progress & { readonly at?: Bound | undefined }): Promise<number>;
  /** One order in full, with its log, whose facts are frozen; undefined where there is none (then). */
  order(orderId: string, options?: { readonly at?: AsOf | undefined }): Promise<OrderDetail | undefined>;
  /** The order with its log alone, without what may be done about it: a fifth of the work. */
  told(orderId: string, options?: { readonly at?: AsOf | undefined }): Promise<OrderTold | undefined>;
  /** Whose an order is; undefined where there is none. As quick for an order of a long life as for none. */
  owner(orderId: string): Promise<{ readonly buyerId: string; readonly merchantId: string } | undefined>;
  /** The same of a case, whose id no other of the store has, with its order's. */
  caseOwner(
    caseId: string,
  ): Promise<{ readonly orderId: string; readonly buyerId: string; readonly merchantId: string } | undefined>;
  /** Every case of an order, newest first, each with its log; undefined where there is no order (then). */
  refundHistory(query: OrderRefundsQuery): Promise<RefundHistory | undefined>;
  /** A page of the cases of a buyer, of a merchant or of all, newest first. */
  refundHistory(query?: CasesQuery): Promise<CasePage>;
  /** One case in full, or how a line stands that has none; undefined where there is no such order, case or line (then). */
  refund(query: RefundQuery): Promise<RefundDetail | undefined>;
  /** A page of what waits for whom, oldest first. */
  queue(query?: QueueFilter & Progress & { readonly at?: Bound | undefined }): Promise<CasePage>;
  /** How each view stands. */
  status(): Promise<readonly ViewStatus[]>;
}

export interface ReplayQuery extends Progress {
  readonly at?: Bound | undefined;
  /** How many cores to use on a SQLite file; 1 without it. */
  readonly workers?: number | undefined;
  /** Called with each order's state; only with one worker. */
  readonly onOrder?: ReplayOptions["onOrder"];
}

/** A page of changed orders, each once, in the order of their first change in it. */
export interface Changes {
  readonly orderIds: readonly string[];
  /** Where to go on; undefined in an empty store. */
  readonly position: string | undefined;
  /** There was nothing behind it. */
  readonly end: boolean;
}

export interface Engine extends AsyncDisposable {
  /**
   * Executes one command and answers when its events are durable.
   * @throws StoreError where the store fails; what is sent again with the same command id is never done twice.
   */
  execute(command: Command, options: ExecuteOptions): Promise<E.Either<Rejection, Receipt>>;
  /** The same for what came from elsewhere: whatever it is, it is checked in full and refused by name. */
  execute(command: unknown, options: ExecuteOptions): Promise<E.Either<Rejection, Receipt>>;
  /** The same decision, nothing appended; what another order has taken by now is refused too. */
  preview(command: Command, options: ExecuteOptions): Promise<E.Either<Rejection, Preview>>;
  preview(command: unknown, options: ExecuteOptions): Promise<E.Either<Rejection, Preview>>;
  readonly views: Views;
  /** The buyers' wallets in this store. */
  readonly wallet: KeptWallet;
  /** What a merchant offers a buyer to choose a reason from, by type of case, as the `terms` option says; a type without any is left out. */
  reasons(merchantId: string): MerchantPolicy["reasons"];
  /** Whether a merchant's terms list these staff among those who may write orders off. */
  mayRedeem(merchantId: string, staffId: string): boolean;
  /** Fires the deadlines that lie before `now` (milliseconds UTC), earliest first. @throws RangeError on what is no instant. */
  runDue(now: number, options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Fired>;
  /** The same deadlines, none of them fired. @throws RangeError likewise. */
  due(now: number, options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Due>;
  /**
   * Runs the refund process once over all refunds in flight: each is asked about at its port, paid there if it is unknown, and its
   * outcome recorded, by a command that the order may refuse. Nothing else ever calls a port. Call it now and then, after `runDue`,
   * which issues failed refunds again.
   * @throws StoreError `denied` where the store is open for reading only: what was paid could not be recorded.
   */
  runRefunds(options?: RefundRunOptions): AsyncIterable<RefundRun>;
  /** The refunds that were issued to a payment provider or a wallet and have no outcome yet, the longest waiting first. */
  refundsInFlight(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<RefundInFlight>;
  /** Every order's events from a position on, then live, until the signal aborts or the engine closes. */
  subscribe(options?: {
    readonly after?: string | undefined;
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterable<Envelope>;
  /**
   * Which orders changed after a position (undefined: ever), as far as one page of the log tells: for who tells others of them, from a
   * checkpoint of their own on.
   */
  changes(options?: {
    readonly after?: string | undefined;
    /** Events a page, and those of its last append beside; 500 without it. */
    readonly limit?: number | undefined;
  }): Promise<Changes>;
  /** An order's state as commands are decided on it now; `none` where there is no order. */
  state(orderId: string): Promise<OrderState>;
  /** An order's events, oldest first. */
  history(orderId: string): Promise<readonly Envelope[]>;
  /**
   * Which event set each field of an order, and for every command whether it would be accepted, or why not; undefined where there is
   * no order (then). `now` (milliseconds UTC) is when the commands are decided: without it the engine's clock, and for a look back the
   * instant asked for, or that of the order's last event.
   */
  explain(
    orderId: string,
    options?: { readonly at?: AsOf | undefined; readonly now?: number | undefined },
  ): Promise<Explanation | undefined>;
  /** Folds every order anew from its events alone. */
  replay(query?: ReplayQuery): Promise<ReplayTotals>;
  /** Rebuilds every view into nothing and compares it with what is kept. */
  check(
    options?: Progress & { readonly views?: readonly string[] | undefined },
  ): Promise<readonly Comparison[]>;
  /** Rebuilds a view beside the present one and swaps them. */
  rebuild(
    view: string,
    options?: {
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: (progress: RebuildProgress) => void;
    },
  ): Promise<RebuildProgress>;
  /** Rows of views that other versions of the package left in the store, or still keep there. */
  foreignViews(): readonly ForeignGeneration[];
  /** Drops those rows. A process of the version that keeps them makes them anew when it next needs them. */
  prune(): Promise<readonly ForeignGeneration[]>;
  /** Waits until the views hold what this receipt tells; without one, all that the store holds now. */
  caughtUp(receipt?: Pick<Receipt, "position">): Promise<void>;
  /** How far the views are behind their server; undefined where the store is no server. */
  lag(): Promise<MirrorStatus | undefined>;
  /** Events on a server that are no facts of ours, or stand behind one: no view holds them. Oldest first, the first hundred. */
  setAside(): readonly SetAside[];
  /** The write-off code of an order; undefined without a key or where the order has none. */
  redemptionCode(orderId: string): Promise<string | undefined>;
  /** The order that carries a write-off code. */
  orderByCode(code: string): Promise<string | undefined>;
  /** What there is to say of the store's file; undefined where the store is none. `check` has SQLite read all of it. */
  describe(options?: { readonly check?: boolean | undefined }): Promise<FileDescription | undefined>;
  /** Position of the newest event; undefined in an empty store. */
  head(): Promise<string | undefined>;
  /** Finishes the appends in flight and closes the store. */
  close(): Promise<void>;
}

/**
 * Opens an engine on a store.
 * @throws TypeError on a store URL, terms, views or ports' names that it does not take, naming the fault; StoreError as the store's opening does.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const policyOf = policies(options.terms);
  const views = chosenViews(options.views);
  const opened = await openStore(options);
  try {
    const runnerOptions = { ...opened, store: opened.kept, views };
    const runner =
      options.readOnly === true && opened.mirror === undefined
        ? ViewRunner.openReadOnly(runnerOptions)
        : await ViewRunner.open(runnerOptions);
    const handler = new CommandHandler({
      store: opened.store,
      clock: options.clock ?? Date.now,
      policyOf,
      redeemKey: options.redeemKey,
      companion:
        opened.mirror !== undefined
          ? noCompanion
          : {
              empty: runner.emptySummaries,
              evolve: (summaries, event, state) => runner.evolve(summaries as Summaries, event, state),
            },
      cachedOrders: options.cachedOrders,
      readOnly: options.readOnly,
    });
    const engine = new OpenEngine(options, opened, runner, handler, views, policyOf);
    opened.store.setTransactionHook?.(
      (appended, epoch) => {
        runner.keep(appended, epoch);
        engine.rouse();
      },
      () => runner.undone(),
    );
    if (opened.mirror !== undefined) {
      const arrivals = new Arrivals(runner, opened.mirror.copy.local);
      opened.mirror.setHook(
        (copied, after, epoch) => arrivals.take(copied, after, epoch),
        () => runner.undone(),
      );
    }
    opened.roused(() => engine.rouse());
    return engine;
  } catch (error) {
    await opened.mirror?.close();
    await opened.store.close();
    throw error;
  }
}

/** Over a server no view goes along with an append. */
const noCompanion = { empty: undefined, evolve: () => undefined };

function chosenViews(names: readonly string[] | undefined): readonly AnyView[] {
  if (names === undefined) return allViews;
  for (const name of names) {
    if (!viewNames.includes(name)) {
      throw new TypeError(
        `views: there is no view ${JSON.stringify(name)}; there are ${viewNames.join(", ")}`,
      );
    }
  }
  return allViews.filter(({ name }) => names.includes(name));
}

interface OpenedStore {
  /** Where commands are decided, and orders read one by one. */
  readonly store: EventStore;
  /** What the views are kept from: the store itself, or the copy of it, whose `head` is asked for when the copy has caught up. */
  readonly kept: EventStore & { readonly local: LocalReads };
  readonly mirror: Mirror | undefined;
  /** Sets what is called when events have come in by themselves. */
  readonly roused: (call: () => void) => void;
  readonly database: Database;
  readonly shared: boolean;
  readonly write: <T>(work: () => T) => Promise<T>;
  /** The file, where the store is one. */
  readonly path: string | undefined;
}

async function openStore(options: EngineOptions): Promise<OpenedStore> {
  const { store: given, readOnly } = options;
  const store = typeof given === "string" ? await openStoreAt(given, { readOnly }) : given;
  if ("place" in store) return openOver(store, options);
  if ("database" in store) {
    const { database } = store;
    const path = typeof given === "string" ? fileOf(given) : undefined;
    return { ...alone, store, kept: store, database, shared: true, write: (work) => store.write(work), path };
  }
  const database = openDatabase(":memory:");
  const write = async <T>(work: () => T): Promise<T> => {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  };
  return { ...alone, store, kept: store, database, shared: false, write };
}

const alone = { mirror: undefined, roused: () => undefined, path: undefined };

/** A server, with the views and a copy of what they are made from in a file of this machine. */
async function openOver(server: EsdbStore, { viewsFile = ":memory:" }: EngineOptions): Promise<OpenedStore> {
  let rouse: (() => void) | undefined;
  try {
    const mirror = await openMirror(server, { path: viewsFile, onEvents: () => rouse?.() });
    const { copy } = mirror;
    const kept = {
      kind: copy.kind,
      append: copy.append.bind(copy),
      readStream: copy.readStream.bind(copy),
      readAll: copy.readAll.bind(copy),
      subscribe: copy.subscribe.bind(copy),
      takenClaim: copy.takenClaim.bind(copy),
      close: copy.close.bind(copy),
      local: copy.local,
      head: async () => {
        await mirror.ready();
        return copy.head();
      },
    };
    return {
      store: mirror.server,
      kept,
      mirror,
      roused: (call) => {
        rouse = call;
      },
      database: copy.database,
      shared: true,
      write: (work) => copy.write(work),
      path: viewsFile === ":memory:" ? undefined : viewsFile,
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** How long the store must be left alone before the views write what they hold. */
const idleMs = 500;

class OpenEngine implements Engine {
  readonly views: Views;
  readonly wallet: KeptWallet;

  readonly #options: EngineOptions;
  readonly #opened: OpenedStore;
  readonly #runner: ViewRunner;
  readonly #handler: CommandHandler;
  readonly #views: readonly AnyView[];
  readonly #policyOf: (merchantId: string) => MerchantPolicy;
  readonly #refunds: RefundProcess;
  readonly #reads: SharedReads;
  readonly #streams: OrderStreams;
  #idle: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    options: EngineOptions,
    opened: OpenedStore,
    runner: ViewRunner,
    handler: CommandHandler,
    views: readonly AnyView[],
    policyOf: (merchantId: string) => MerchantPolicy,
  ) {
    this.#policyOf = policyOf;
    this.#options = options;
    this.#opened = opened;
    this.#runner = runner;
    this.#handler = handler;
    this.#views = views;
    const { payments, clock = Date.now } = options;
    this.#reads = new SharedReads(opened.database);
    this.#streams = new OrderStreams(
      opened.store,
      this.#reads,
      Math.ceil((options.cachedOrders ?? defaultCachedOrders) / 10),
    );
    this.wallet = new StoredWallet(opened.store, handler, clock);
    const wallet = options.wallet === "kept" ? this.wallet : options.wallet;
    this.#refunds = new RefundProcess(handler, this.#payingCases, { payments, wallet, clock });
    this.views = {
      statistics: (query = {}) => this.#answered(query, (asked) => this.#statistics(asked)),
      counts: (scope) => this.#counts(scope),
      orders: (filter = {}) => this.#answered(filter, (asked) => this.#orders(asked, readOrders)),
      orderCount: (filter = {}) => this.#answered(filter, (asked) => this.#orders(asked, readOrderCount)),
      order: (orderId, { at } = {}) => this.#order(orderId, at),
      told: async (orderId, { at } = {}) => tell(await this.#upTo(orderId, at)),
      refundHistory: ((query?: OrderRefundsQuery | CasesQuery) =>
        this.#refundHistory(query ?? {})) as Views["refundHistory"],
      owner: (orderId) =>
        this.#reading(["orders"], ([prefix]) => readOwner(this.#opened.database, prefix, orderId)),
      caseOwner: (caseId) =>
        this.#reading(["cases"], ([prefix]) => readCaseOwner(this.#opened.database, prefix, caseId)),
      refund: (query) => this.#refund(query),
      queue: (filter = {}) => this.#answered(filter, (asked) => this.#cases(asked, readQueue)),
      status: () => runner.status(),
    };
  }

  execute(command: unknown, options: ExecuteOptions): Promise<E.Either<Rejection, Receipt>> {
    return this.#handler.execute(command, options);
  }

  async preview(command: unknown, options: ExecuteOptions): Promise<E.Either<Rejection, Preview>> {
    const preview = await this.#handler.preview(command, options);
    if (E.isLeft(preview)) return preview;
    const { orderId, events } = preview.right;
    const refusal = await refusalElsewhere(this.#opened.store, streamOf(orderId), events);
    return refusal === undefined ? preview : E.left(refusal);
  }

  reasons(merchantId: string): MerchantPolicy["reasons"] {
    return this.#policyOf(merchantId).reasons;
  }

  mayRedeem(merchantId: string, staffId: string): boolean {
    return this.#policyOf(merchantId).redeemStaff.includes(staffId);
  }

  async *runDue(
    at: number,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Fired, void, void> {
    yield* runDue(this.#handler, this.#dueOrders, wholeInstant(at, "now"), signal);
  }

  async *due(
    at: number,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Due, void, void> {
    const now = wholeInstant(at, "now");
    if (!(await this.#mustFold("orders"))) {
      yield* listDue(this.#handler, this.#dueOrders, now, signal);
      return;
    }
    const { kept: store } = this.#opened;
    const upTo = { position: await store.head() };
    using orders = await buildScratch(store.local, anyView(ordersView), upTo, { signal });
    const found: DueOrders = async (before, after) => readDue(orders.database, orders.prefix, before, after);
    yield* listDue(this.#handler, found, now, signal);
  }

  runRefunds(options?: RefundRunOptions): AsyncIterable<RefundRun> {
    if (this.#options.readOnly === true) {
      throw new StoreError("denied", "refunds cannot be run on a store that is open for reading only");
    }
    return this.#refunds.run(options);
  }

  refundsInFlight({
    signal,
  }: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<RefundInFlight> {
    return this.#refunds.list(signal);
  }

  async *subscribe({
    after,
    signal,
  }: { readonly after?: string | undefined; readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<
    Envelope,
    void,
    void
  > {
    for await (const message of this.#opened.store.subscribe({ after, signal, prefixes: [orderPrefix] })) {
      if (message.kind === "event") yield codec.decode(message.event);
    }
  }

  async changes({
    after,
    limit = 500,
  }: { readonly after?: string | undefined; readonly limit?: number | undefined } = {}): Promise<Changes> {
    const { events, ...page } = await this.#opened.store.readAll({ after, limit, prefixes: [orderPrefix] });
    const orderIds = new Set(events.map(({ stream }) => stream.slice(orderPrefix.length)));
    const last = events.at(-1);
    const { checkpoint = after, end } = last === undefined || page.end ? page : await this.#past(last, page);
    return { orderIds: [...orderIds], position: checkpoint, end };
  }

  /** Where the append of an event ends: how an order stood between the events of one append is nothing that ever was so. */
  async #past(
    last: RecordedEvent,
    { checkpoint }: Pick<AllPage, "checkpoint">,
  ): Promise<Omit<AllPage, "events">> {
    const { commandId } = codec.decode(last).meta;
    let after = checkpoint;
    for (;;) {
      const { events, ...page } = await this.#opened.store.readAll({
        after,
        limit: 16,
        prefixes: [orderPrefix],
      });
      const other = events.findIndex(
        (event) => event.stream !== last.stream || codec.decode(event).meta.commandId !== commandId,
      );
      if (other !== -1) return { checkpoint: other === 0 ? after : events[other - 1]?.position, end: false };
      if (page.end) return page;
      after = page.checkpoint;
    }
  }

  state(orderId: string): Promise<OrderState> {
    return this.#handler.state(orderId);
  }

  async history(orderId: string): Promise<readonly Envelope[]> {
    return (await this.#opened.store.readStream(streamOf(orderId))).map(codec.decode);
  }

  async explain(
    orderId: string,
    { at, now }: { readonly at?: AsOf | undefined; readonly now?: number | undefined } = {},
  ): Promise<Explanation | undefined> {
    const { redeemKey } = this.#options;
    const envelopes = await this.#upTo(orderId, at);
    return explain(envelopes, {
      now: now ?? this.#nowAt(envelopes, at),
      policyOf: this.#policyOf,
      redeemKey,
    });
  }

  async replay({ at, workers = 1, signal, onProgress, onOrder }: ReplayQuery = {}): Promise<ReplayTotals> {
    const { path, kept: store } = this.#opened;
    if (!Number.isInteger(workers) || workers < 1)
      throw new RangeError(`workers must be 1 or more, and is ${workers}`);
    // What is appended meanwhile is left out everywhere alike.
    const head = await store.head();
    const position = at?.position ?? head;
    const options = { time: at?.time, position, signal, onProgress };
    return path !== undefined && workers > 1
      ? replayFile(path, workers, options)
      : replayOrders(store.local, { ...options, onOrder });
  }

  async check({
    views = this.#views.map(({ name }) => name),
    signal,
    onProgress,
  }: Progress & { readonly views?: readonly string[] | undefined } = {}): Promise<readonly Comparison[]> {
    const comparisons: Comparison[] = [];
    for (const view of chosenViews(views))
      comparisons.push(await this.#checkOne(view, { signal, onProgress }));
    return comparisons;
  }

  async #checkOne(view: AnyView, progress: Progress): Promise<Comparison> {
    const { kept: store, database } = this.#opened;
    const readOnly = this.#rowsAreReadOnly;
    for (;;) {
      // Rows that cannot be brought on are compared where they stand.
      const position = readOnly ? this.#runner.position(view.name) : await store.head();
      using rebuilt = await buildScratch(
        store.local,
        view,
        position === undefined ? "nothing" : { position },
        progress,
      );
      do {
        progress.signal?.throwIfAborted();
        const prefix = readOnly ? this.#runner.tables(view.name) : await this.#runner.ready(view.name);
        // One snapshot, in which the events and the kept rows stand still, whoever appends meanwhile.
        database.exec("BEGIN");
        try {
          if ((readOnly ? position : rebuilt.advance()) === this.#runner.position(view.name)) {
            return compare(
              view.name,
              view.rows(database, prefix),
              view.rows(rebuilt.database, rebuilt.prefix),
            );
          }
        } finally {
          database.exec("COMMIT");
        }
      } while (!readOnly);
    }
  }

  rebuild(
    view: string,
    options?: {
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: (progress: RebuildProgress) => void;
    },
  ): Promise<RebuildProgress> {
    return this.#runner.rebuild(view, options);
  }

  foreignViews(): readonly ForeignGeneration[] {
    return this.#runner.foreign(allViews);
  }

  prune(): Promise<readonly ForeignGeneration[]> {
    return this.#runner.prune(allViews);
  }

  async caughtUp(receipt?: Pick<Receipt, "position">): Promise<void> {
    const { mirror } = this.#opened;
    if (receipt === undefined) await mirror?.catchUp();
    else await mirror?.reached(receipt.position);
    await this.#runner.catchUpAll();
  }

  async lag(): Promise<MirrorStatus | undefined> {
    return this.#opened.mirror?.status();
  }

  setAside(): readonly SetAside[] {
    return this.#opened.mirror?.setAside() ?? [];
  }

  async redemptionCode(orderId: string): Promise<string | undefined> {
    const { redeemKey } = this.#options;
    const state = await this.#handler.state(orderId);
    return redeemKey === undefined || state.status === "none" || state.redemption === undefined
      ? undefined
      : redemptionCode(redeemKey, orderId);
  }

  async orderByCode(code: string): Promise<string | undefined> {
    const { redeemKey } = this.#options;
    if (redeemKey === undefined) return undefined;
    return this.#reading(["orders"], ([prefix]) =>
      readByCode(this.#opened.database, prefix, codeHash(redeemKey, code)),
    );
  }

  async describe({ check = false }: { readonly check?: boolean | undefined } = {}): Promise<
    FileDescription | undefined
  > {
    const { database, path } = this.#opened;
    return path === undefined ? undefined : describeFile(database, path, check);
  }

  head(): Promise<string | undefined> {
    return this.#opened.store.head();
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      clearTimeout(this.#idle);
      const { store, mirror, database, shared } = this.#opened;
      try {
        // What cannot be written now is caught up with by whoever reads the view next.
        if (!this.#rowsAreReadOnly) await this.#runner.settle().catch(() => undefined);
      } finally {
        // What was asked before is answered.
        await this.#reads.read(() => undefined);
        await mirror?.close();
        await store.close();
        if (!shared) database.close();
      }
    })();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // --- views ---

  readonly #dueOrders: DueOrders = (before, after) =>
    this.#reading(["orders"], ([prefix]) => readDue(this.#opened.database, prefix, before, after));

  readonly #payingCases: PayingCases = (cursor) =>
    this.views.queue({ waitsFor: ["provider"], limit: 100, cursor });

  /** Where the file is only read, views that are behind cannot be brought on: then they are folded for this one answer. */
  async #answered<Q extends { readonly at?: Bound | undefined }, T>(
    query: Q,
    answer: (query: Q) => Promise<T>,
  ): Promise<T> {
    try {
      return await answer(query);
    } catch (error) {
      if (query.at !== undefined || !this.#isBehind(error)) throw error;
      return answer({ ...query, at: { position: await this.#opened.kept.head() } });
    }
  }

  /** The file is only read, and this view of it is behind. */
  async #mustFold(view: string): Promise<boolean> {
    try {
      await this.#runner.ready(view);
      return false;
    } catch (error) {
      if (this.#isBehind(error)) return true;
      throw error;
    }
  }

  #isBehind(error: unknown): boolean {
    return this.#rowsAreReadOnly && (isStoreError(error, "denied") || error instanceof ViewError);
  }

  /** The rows of the views are in a file that is only read. */
  get #rowsAreReadOnly(): boolean {
    return this.#options.readOnly === true && this.#opened.mirror === undefined;
  }

  /** What a look back is folded from. */
  async #events(): Promise<LocalReads> {
    const { kept, mirror } = this.#opened;
    await mirror?.ready();
    return kept.local;
  }

  async #counts(scope: Scope): Promise<Statistics> {
    try {
      return await this.#reading(["statistics"], ([prefix]) =>
        readStatistics(this.#opened.database, prefix, scope),
      );
    } catch (error) {
      if (!this.#isBehind(error)) throw error;
      const { all, buyer, merchant } = await this.views.statistics(scope === "all" ? {} : scope);
      return buyer ?? merchant ?? all;
    }
  }

  async #statistics({ buyerId, merchantId, at, ...progress }: StatisticsQuery): Promise<StatisticsAnswer> {
    const read = (database: Database, prefix: string): StatisticsAnswer => ({
      all: readStatistics(database, prefix, "all"),
      ...(buyerId === undefined ? {} : { buyer: readStatistics(database, prefix, { buyerId }) }),
      ...(merchantId === undefined ? {} : { merchant: readStatistics(database, prefix, { merchantId }) }),
    });
    if (at !== undefined) {
      using scratch = await buildScratch(await this.#events(), anyView(statisticsView), at, progress);
      return read(scratch.database, scratch.prefix);
    }
    return this.#reading(["statistics"], ([prefix]) => read(this.#opened.database, prefix));
  }

  async #orders<T>(
    { at, signal, onProgress, ...filter }: OrderFilter & Progress & { readonly at?: Bound | undefined },
    read: (...of: Parameters<typeof readOrders>) => T,
  ): Promise<T> {
    const scope = filter.scope ?? "all";
    const { database } = this.#opened;
    const { text } = filter;
    if (at !== undefined) {
      const progress = { signal, onProgress };
      const events = await this.#events();
      using orders = await buildScratch(events, anyView(ordersView), at, progress);
      if (text === undefined) return read(orders.database, orders.prefix, filter);
      using words = await buildScratch(events, anyView(searchView), at, {
        ...progress,
        into: orders.database,
      });
      return read(orders.database, orders.prefix, filter, matching(words.prefix, text, scope) ?? nothing);
    }
    if (text === undefined) {
      return this.#reading(["orders"], ([prefix]) => read(database, prefix, filter));
    }
    return this.#reading(["search", "orders"], ([search, prefix]) =>
      read(database, prefix, filter, matching(search, text, scope) ?? nothing),
    );
  }

  #refundHistory(query: OrderRefundsQuery | CasesQuery): Promise<RefundHistory | CasePage | undefined> {
    return "orderId" in query
      ? this.#orderRefunds(query)
      : this.#answered(query, (asked) => this.#cases(asked, readCases));
  }

  async #cases<F extends object>(
    { at, signal, onProgress, ...filter }: F & Progress & { readonly at?: Bound | undefined },
    read: (database: Database, prefix: string, filter: F) => CasePage,
  ): Promise<CasePage> {
    const { database } = this.#opened;
    const asked = filter as unknown as F;
    if (at === undefined) return this.#reading(["cases"], ([prefix]) => read(database, prefix, asked));
    using scratch = await buildScratch(await this.#events(), anyView(casesView), at, { signal, onProgress });
    return read(scratch.database, scratch.prefix, asked);
  }

  async #orderRefunds({ orderId, at, now }: OrderRefundsQuery): Promise<RefundHistory | undefined> {
    const envelopes = await this.#upTo(orderId, at);
    return historyOf(envelopes, this.#nowAt(envelopes, at, now));
  }

  async #refund({ at, now, ...of }: RefundQuery): Promise<RefundDetail | undefined> {
    const envelopes = await this.#upTo(of.orderId, at);
    return refundOf(envelopes, of, this.#nowAt(envelopes, at, now), (merchantId) => this.reasons(merchantId));
  }

  async #order(orderId: string, at: AsOf | undefined): Promise<OrderDetail | undefined> {
    const envelopes = await this.#upTo(orderId, at);
    return detailOf(envelopes, this.#nowAt(envelopes, at));
  }

  /** An order's events, as far back as was asked. */
  async #upTo(orderId: string, at: AsOf | undefined): Promise<readonly Envelope[]> {
    const envelopes = await this.#streams.read(orderId);
    if (at === undefined) return envelopes;
    return envelopes.filter(
      ({ event, position, revision }) =>
        (at.revision === undefined || revision <= at.revision) &&
        (at.time === undefined || event.at <= at.time) &&
        (at.position === undefined || !isAfter(position, at.position)),
    );
  }

  /** The instant at which a look at an order stands: as asked, now, or then; never before what happened. */
  #nowAt(envelopes: readonly Envelope[], at: AsOf | undefined, asked?: number): number {
    const last = envelopes.reduce((latest, { event }) => Math.max(latest, event.at), 0);
    const now = asked ?? (at === undefined ? (this.#options.clock ?? Date.now)() : at.time);
    return Math.max(last, Math.floor(now ?? last));
  }

  /**
   * Reads the rows of views that are brought up to now; mostly they are, and all that is asked in one turn is read together. Between
   * bringing them on and reading another process may have swapped a generation away: then its tables are gone, and the present ones are
   * read.
   */
  async #reading<const V extends readonly string[], T>(
    views: V,
    read: (prefixes: { readonly [I in keyof V]: string }) => T,
  ): Promise<T> {
    type Prefixes = { readonly [I in keyof V]: string };
    const held = views.some((view) => this.#runner.holds(view));
    const { mirror } = this.#opened;
    if (mirror !== undefined) await mirror.ready();
    if (!held) {
      const answer = await this.#reads.read(() => {
        const prefixes = views.flatMap((view) => this.#runner.current(view) ?? []);
        return prefixes.length === views.length ? { of: read(prefixes as unknown as Prefixes) } : undefined;
      });
      if (answer !== undefined) return answer.of;
    }
    for (let attempt = 1; ; attempt += 1) {
      const prefixes: string[] = [];
      for (const view of views) prefixes.push(await this.#runner.ready(view));
      try {
        return read(prefixes as unknown as Prefixes);
      } catch (error) {
        if (attempt === 3 || !(error instanceof Error) || !error.message.startsWith("no such table"))
          throw error;
      }
    }
  }

  /** Lets the views write what they hold once nothing has been appended for a while, so that the next answer need not wait for it. */
  rouse(): void {
    if (this.#idle !== undefined) {
      this.#idle.refresh();
      return;
    }
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      // Whoever reads the view meets the same failure and is told; here there is nobody to tell.
      if (this.#closing === undefined) this.#runner.catchUpAll().catch(() => undefined);
    }, idleMs);
    this.#idle.unref();
  }
}

/** What matches no order: a text without a word in it. */
const nothing = { sql: "SELECT ? WHERE 0", value: "" };
